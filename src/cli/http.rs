//! Asking a server, and turning whatever goes wrong into a sentence that says what to do.

use std::error::Error as _;
use std::iter;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, HeaderMap, WARNING};
use reqwest::{Method, Url, redirect};
use serde_json::Value;

use super::CliError;
use super::access::{Access, Shown};

/// The prefix whose dialect job files are written in.
const PREFIX: &str = "/scheduler";

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// For answers that come as a whole. Changes wait for the disk, so this is generous.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// For answers that depend on third parties: longer than the server waits for any of them.
const PATIENT_TIME: Duration = Duration::from_secs(180);

/// What may stand in a path or a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes a text for a path or a query.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A server that can be asked.
pub(super) struct Server {
    base: String,
    /// The address without credentials, for messages.
    shown: String,
    access: Shown,
    client: Client,
}

impl Server {
    /// Prepares to ask the server at `url`; does not connect yet.
    pub(super) fn at(url: &str, access: &Access) -> Result<Self, CliError> {
        let usage = |why: &str| {
            CliError::Usage(format!(
                "invalid server `{}`: {why}, expected `http://host:port`",
                url.escape_debug()
            ))
        };
        let parsed = Url::parse(url).map_err(|error| usage(&error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(usage("it is no HTTP address"));
        }
        let mut shown = parsed.clone();
        // Both fail only for addresses without a host, which HTTP addresses have.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        // Fails if the program has chosen a provider before, which then is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(None)
            // The server is named by address; what the environment says about browsing does not concern it.
            .no_proxy()
            .redirect(redirect::Policy::none());
        client = access.prepare(client)?;
        if parsed.scheme() == "http" {
            // Without this the machine's certificates are loaded for nothing, and there may be none.
            client = client.tls_certs_only(iter::empty());
        }
        let client = client
            .build()
            .map_err(|error| CliError::Failed(format!("cannot use TLS: {}", chain(&error))))?;
        let trim = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let access = access.shown()?;
        Ok(Self { base: trim(&parsed), shown: trim(&shown), access, client })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_at(method, &format!("{PREFIX}{path}"))
    }

    /// The one place where requests begin, so that none is without what is shown.
    fn request_at(&self, method: Method, path: &str) -> RequestBuilder {
        self.access.with(self.client.request(method, format!("{}{path}", self.base)))
    }

    /// Reads a JSON document.
    pub(super) fn get(&self, path: &str) -> Result<Value, CliError> {
        self.document(self.request(Method::GET, path).timeout(ANSWER_TIME))
    }

    /// Reads a JSON document at a path that names its prefix.
    pub(super) fn get_at(&self, path: &str) -> Result<Value, CliError> {
        self.document(self.request_at(Method::GET, path).timeout(ANSWER_TIME))
    }

    /// The address without credentials, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether the server answers and decides.
    pub(super) fn ping(&self, patience: Duration) -> Result<(), CliError> {
        let response = self.send(self.request_at(Method::GET, "/ping").timeout(patience))?;
        match response.text() {
            Ok(text) if text == "pong\n" => Ok(()),
            Ok(_) => Err(CliError::Failed(format!("{} does not answer like Chronode", self.shown))),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Opens a stream of text that may go on for ever.
    pub(super) fn open(&self, path: &str) -> Result<Response, CliError> {
        self.send(self.request(Method::GET, path))
    }

    /// Sends a job.
    pub(super) fn post(&self, path: &str, body: Vec<u8>) -> Result<HeaderMap, CliError> {
        self.send(self.posting(path, body)).map(|response| response.headers().clone())
    }

    /// Sends a job, and reads what the server says about it.
    pub(super) fn post_for(&self, path: &str, body: Vec<u8>) -> Result<Value, CliError> {
        self.document(self.posting(path, body))
    }

    /// Asks for what the server in turn has to wait for others for, and reads what came of it.
    pub(super) fn post_patiently(&self, path: &str, body: Vec<u8>) -> Result<Value, CliError> {
        self.document(self.posting(path, body).timeout(PATIENT_TIME))
    }

    /// Sends a job, and reads what the server says about it, also where it refuses it.
    pub(super) fn post_for_either(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Result<Value, Value>, CliError> {
        let response = self.posting(path, body).send().map_err(|e| self.unreachable(&e))?;
        let is_success = response.status().is_success();
        let told = self.told(response)?;
        Ok(if is_success { Ok(told) } else { Err(told) })
    }

    fn posting(&self, path: &str, body: Vec<u8>) -> RequestBuilder {
        let request = self.request(Method::POST, path).timeout(ANSWER_TIME);
        request.header(CONTENT_TYPE, "application/json").body(body)
    }

    /// Sends a change without a body.
    pub(super) fn change(&self, method: Method, path: &str) -> Result<HeaderMap, CliError> {
        let request = self.request(method, path).timeout(ANSWER_TIME);
        self.send(request).map(|response| response.headers().clone())
    }

    /// Sends a change without a body, and reads what the server says about it.
    pub(super) fn change_for(&self, method: Method, path: &str) -> Result<Value, CliError> {
        self.document(self.request(method, path).timeout(ANSWER_TIME))
    }

    fn document(&self, request: RequestBuilder) -> Result<Value, CliError> {
        self.told(self.send(request)?)
    }

    fn told(&self, response: Response) -> Result<Value, CliError> {
        let bytes = response.bytes().map_err(|error| self.broken(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            CliError::Failed(format!("{} does not answer like Chronode: {error}", self.shown))
        })
    }

    fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().unwrap_or_default();
        let text = serde_json::from_slice(&body).ok().and_then(|body| refusal(&body));
        Err(CliError::Failed(
            text.unwrap_or_else(|| {
                format!("{} answers {status}, and not like Chronode", self.shown)
            }),
        ))
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        if error.is_timeout() && !error.is_connect() {
            return CliError::Failed(format!(
                "{} has not answered in time; whether it did what was asked is unknown",
                self.shown
            ));
        }
        if !error.is_connect() {
            return self.broken(error);
        }
        CliError::Failed(format!(
            "cannot reach {}: {}\nIs the server running? `chronode serve` starts one; `--server URL` or \
             CHRONODE_SERVER names another.",
            self.shown,
            chain(error)
        ))
    }

    /// The error for an answer that broke off.
    pub(super) fn broken(&self, error: &dyn std::error::Error) -> CliError {
        CliError::Failed(format!("the answer of {} broke off: {}", self.shown, innermost(error)))
    }
}

/// The warnings of an answer, without their wrapping.
pub(super) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(WARNING).iter().filter_map(|value| value.to_str().ok());
    texts
        .map(|text| {
            let quoted = text.split_once('"').map_or(text, |(_, rest)| rest);
            let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
            quoted.replace("\\\"", "\"").replace("\\\\", "\\")
        })
        .collect()
}

/// The server's own words: message and remedy of each problem.
pub(super) fn refusal(body: &Value) -> Option<String> {
    let line = |error: &Value| {
        let message = error["message"].as_str()?;
        Some(match error["remedy"].as_str() {
            None | Some("") => message.to_owned(),
            Some(remedy) => format!("{message}: {remedy}"),
        })
    };
    match body["problems"].as_array() {
        Some(problems) => Some(problems.iter().filter_map(line).collect::<Vec<_>>().join("\n")),
        None => line(body),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Why a request failed, without the library's own wrapping around it.
fn chain(error: &reqwest::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        let one = json!({"message": "bad", "remedy": "do good"});
        assert_eq!(refusal(&one).unwrap(), "bad: do good");
        let two = json!({"message": "x", "problems": [{"message": "a", "remedy": ""}, {"message": "b", "remedy": "c"}]});
        assert_eq!(refusal(&two).unwrap(), "a\nb: c");
        assert_eq!(refusal(&json!([1])), None);
    }

    #[test]
    fn only_http_addresses_are_servers() {
        for url in ["", "localhost:4400", "ftp://host", "/path"] {
            assert!(
                matches!(Server::at(url, &Access::default()), Err(CliError::Usage(_))),
                "{url}"
            );
        }
        let server = Server::at("http://user:secret@host:1/", &Access::default()).ok().unwrap();
        assert_eq!(server.shown, "http://host:1");
    }
}
