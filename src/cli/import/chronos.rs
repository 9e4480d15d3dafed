//! Reading the jobs of a running Chronos, and saying what is wrong when something else answers.

use std::io::Read as _;
use std::iter;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::LOCATION;
use reqwest::{StatusCode, Url, redirect};
use serde_json::Value;

use super::{Generation, Source};
use crate::cli::{CliError, table};
use crate::model::Dialect;

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Bytes of a list of jobs. Of the jobs that Chronos itself can bear it would be a hundred times as much.
const LIST_BYTES_MAX: u64 = 1 << 30;

/// Characters that are repeated of what it says when it refuses.
const SAID_CHARS_MAX: usize = 120;

/// Reads all jobs.
pub(super) fn read(
    url: &str,
    login: Option<(String, String)>,
    timeout: u64,
    generation: Generation,
) -> Result<Source, CliError> {
    let chronos = Chronos::at(url, login, Duration::from_secs(timeout))?;
    let candidates = match generation {
        // Each serves one prefix alone, and answers 404 to the other.
        Generation::Auto => vec![Dialect::V1, Dialect::V0],
        Generation::New => vec![Dialect::V1],
        Generation::Old => vec![Dialect::V0],
    };
    for &generation in &candidates {
        if let Some(jobs) = chronos.jobs(generation)? {
            let shown = chronos.shown;
            return Ok(Source { shown, generation, jobs, broken: Vec::new(), pending: Vec::new() });
        }
    }
    let paths: Vec<String> = candidates.iter().map(|it| format!("`{}`", path(*it))).collect();
    Err(CliError::Failed(format!(
        "{} has no {}: it is no Chronos, or one behind another path; give its address as `http://host:port`, or the \
         other `--dialect`",
        chronos.shown,
        paths.join(" and no ")
    )))
}

const fn path(generation: Dialect) -> &'static str {
    match generation {
        Dialect::V0 => "/scheduler/jobs",
        Dialect::V1 => "/v1/scheduler/jobs",
    }
}

/// A Chronos that can be asked.
struct Chronos {
    base: String,
    shown: String,
    client: Client,
    login: Option<(String, String)>,
}

impl Chronos {
    fn at(url: &str, login: Option<(String, String)>, timeout: Duration) -> Result<Self, CliError> {
        let usage = |why: &str| {
            CliError::Usage(format!(
                "invalid address of Chronos: {why}; write it as `http://host:port`"
            ))
        };
        let mut parsed = Url::parse(url).map_err(|error| usage(&error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(usage(&format!("`{}` is no HTTP address", parsed.scheme())));
        }
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        };
        let in_url = (!parsed.username().is_empty())
            .then(|| (decode(parsed.username()), decode(parsed.password().unwrap_or_default())));
        // Both fail only for addresses without a host, which HTTP addresses have.
        let _ = parsed.set_username("");
        let _ = parsed.set_password(None);
        parsed.set_query(None);
        parsed.set_fragment(None);
        let base = parsed.as_str().trim_end_matches('/').to_owned();
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(timeout)
            .no_proxy()
            .redirect(redirect::Policy::none());
        if parsed.scheme() == "http" {
            client = client.tls_certs_only(iter::empty());
        }
        // Fails if the program has chosen a provider before, which then is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client
            .build()
            .map_err(|error| CliError::Failed(format!("cannot use TLS: {}", innermost(&error))))?;
        Ok(Self { shown: base.clone(), base, client, login: login.or(in_url) })
    }

    /// Its jobs, or `None` if it does not have this path.
    fn jobs(&self, generation: Dialect) -> Result<Option<Vec<Value>>, CliError> {
        let path = path(generation);
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().map_err(|error| self.unreachable(&error))?;
        match response.status() {
            StatusCode::OK => self.list(path, response).map(Some),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            StatusCode::UNAUTHORIZED if self.login.is_none() => Err(self.failed(
                "wants to know who asks: give `--user` and `--password`, or `--http_auth user:password`",
            )),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(self.failed("does not let this user in: give the login of Chronos' `--http_credentials`"))
            }
            status if status.is_redirection() => {
                let to = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
                let to = table::plain(to.unwrap_or("somewhere else"));
                Err(self.failed(&format!("sends on to {to}: give the address behind it")))
            }
            status => {
                let said = said(response);
                Err(self.failed(&format!(
                    "answers {status} to `{path}`{said}; look into its log, and try again when it is well"
                )))
            }
        }
    }

    fn list(&self, path: &str, response: Response) -> Result<Vec<Value>, CliError> {
        let mut bytes = Vec::new();
        let read = response.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| {
            self.failed(&format!(
                "broke off in the middle of its list of jobs ({}): try again, with a longer `--timeout` if it is slow",
                innermost(&error)
            ))
        })?;
        if bytes.len() as u64 > LIST_BYTES_MAX {
            return Err(self.failed("has a list of jobs that does not end: is it Chronos?"));
        }
        let wrong = |why: &str| {
            self.failed(&format!("answers to `{path}`, but not like Chronos: {why}; give the address of Chronos itself"))
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Err(wrong("it is a page of HTML"));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Array(jobs)) => Ok(jobs),
            Ok(_) => Err(wrong("it is no list of jobs")),
            Err(error) => Err(wrong(&format!("it is no JSON ({error})"))),
        }
    }

    fn failed(&self, what: &str) -> CliError {
        CliError::Failed(format!("{} {what}", self.shown))
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        if error.is_timeout() && !error.is_connect() {
            return self.failed(
                "has not answered in time: try again, with a longer `--timeout` if it is slow",
            );
        }
        CliError::Failed(format!(
            "cannot reach {}: {}\nIs Chronos running there? If it is not, `chronode import chronos-zk zk://…` reads \
             its state from ZooKeeper.",
            self.shown,
            innermost(error)
        ))
    }
}

/// What it says for itself: the message of 3.x up to its first line, the text of 2.x.
fn said(response: Response) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is not repeated.
    let _ = response.take(64 * 1024).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let message = serde_json::from_str::<Value>(&text).ok();
    let message = message.as_ref().and_then(|it| it["message"].as_str()).unwrap_or(&text);
    let line = message.trim().lines().next().unwrap_or_default();
    if line.is_empty() || line.starts_with('<') {
        return String::new();
    }
    let line: String = line.chars().take(SAID_CHARS_MAX).collect();
    format!(" (`{}`)", table::plain(&line))
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
