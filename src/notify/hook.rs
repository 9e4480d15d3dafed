//! Hooks: a POST of JSON to an address, and what its answer means.

use std::error::Error as _;
use std::fmt;
use std::iter;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, Url, redirect};
use ring::hmac;
use serde_json::Value;

use super::render::{self, cut_line};
use super::secret::hidden_in;
use super::{ConfigError, Letter, Secret, SendError, guard};
use crate::clock;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How much of an answer is read: enough to see what it says.
const ANSWER_BYTES: usize = 2_048;

/// How much of that is told.
const TOLD_CHARACTERS: usize = 200;

/// Where a hook is, and how it is reached.
#[derive(Clone)]
pub struct HookConfig {
    /// Its address. For Slack and Mattermost that alone lets anybody in, so it is a secret.
    pub url: Secret,
    /// Whether it may be in a private network.
    pub allow_private: bool,
    /// Certificates, in PEM, of those who may vouch for it, instead of the machine's.
    pub trusted_pem: Option<Vec<u8>>,
    /// How long all of it may take.
    pub time_max: Duration,
}

impl HookConfig {
    /// A hook in the public network, vouched for by whom this machine trusts, with 30 s.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url),
            allow_private: false,
            trusted_pem: None,
            time_max: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for HookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookConfig")
            .field("url", &self.url)
            .field("allow_private", &self.allow_private)
            .field("has_own_ca", &self.trusted_pem.is_some())
            .field("time_max", &self.time_max)
            .finish()
    }
}

/// A hook that can be posted to.
pub(super) struct Hook {
    url: Url,
    client: Client,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn new(config: HookConfig) -> Result<Self, ConfigError> {
        let HookConfig { url, allow_private, trusted_pem, time_max } = config;
        // What is wrong with it is told without it.
        let url = Url::parse(url.reveal()).map_err(|error| {
            ConfigError(format!(
                "the address of the hook is none ({error}): write it as `https://host/path`"
            ))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ConfigError(format!(
                "the address of the hook begins with `{}:`: only `http:` and `https:` can be posted to",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError(
                "the address of the hook has a login in it: give user and password as credentials of the channel"
                    .to_owned(),
            ));
        }
        let host = url.host_str().unwrap_or_default();
        // The resolver is not asked about what is an address already.
        if !allow_private
            && let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>()
            && guard::objection(address).is_some()
        {
            return Err(ConfigError(guard::refusal(host, address)));
        }
        let trusted = trusted_pem.as_deref().map(Certificate::from_pem_bundle).transpose();
        let trusted = trusted
            .ok()
            .filter(|found| found.as_ref().is_none_or(|found| !found.is_empty()))
            .ok_or_else(|| {
                ConfigError(
                    "the certificates for the hook are not in PEM: give a file with `BEGIN CERTIFICATE`"
                        .to_owned(),
                )
            })?;
        // Fails if the program has chosen a provider before, which then is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = match (trusted, url.scheme() == "https") {
            (Some(trusted), _) => builder(allow_private, time_max).tls_certs_only(trusted),
            (None, true) => builder(allow_private, time_max),
            // A machine without certificates of its own, such as a small container, still speaks plain HTTP.
            (None, false) => builder(allow_private, time_max).tls_certs_only(iter::empty()),
        };
        let client = client.build().map_err(|error| {
            ConfigError(format!("cannot use TLS for the hook: {}", told(&error)))
        })?;
        Ok(Self { url, client })
    }

    /// Where it is, without what could be a secret.
    pub(super) fn place(&self) -> String {
        let port = self.url.port().map_or(String::new(), |port| format!(":{port}"));
        format!("{}://{}{port}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }

    /// Posts it; `finish` adds what this sort of hook wants.
    pub(super) async fn post(
        &self,
        body: &Value,
        finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<String, SendError> {
        self.post_bytes(body.to_string().into_bytes(), finish).await
    }

    pub(super) async fn post_with_login(
        &self,
        body: &Value,
        credentials: Option<&Secret>,
    ) -> Result<String, SendError> {
        let answer = self
            .post(body, |request| match credentials {
                Some(credentials) => {
                    let login = credentials.reveal();
                    let (user, password) = login.split_once(':').unwrap_or((login, ""));
                    request.basic_auth(user, Some(password))
                }
                None => request,
            })
            .await;
        without(answer, credentials)
    }

    /// Posts the webhook's body with its signature. Each try has a new timestamp, and the same id.
    pub(super) async fn post_signed(
        &self,
        letter: &Letter,
        secret: &Secret,
    ) -> Result<String, SendError> {
        let id = letter.notification.id.to_string();
        let body = render::webhook(letter).to_string();
        let timestamp = clock::wall().as_second().to_string();
        let signature = signature(secret.reveal().as_bytes(), &timestamp, body.as_bytes());
        let answer = self
            .post_bytes(body.into_bytes(), |request| {
                request
                    .header("X-Chronode-Id", &id)
                    .header("Idempotency-Key", &id)
                    .header("X-Chronode-Timestamp", timestamp)
                    .header("X-Chronode-Signature", signature)
            })
            .await;
        without(answer, Some(secret))
    }

    async fn post_bytes(
        &self,
        body: Vec<u8>,
        finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<String, SendError> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("chronode/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let response = finish(request).send().await;
        let response =
            response.map_err(|error| SendError::again(self.without_path(&told(&error))))?;
        let status = response.status();
        let (code, is_arrived) = (status.as_u16(), status.is_success());
        let said = self.without_path(&said(response).await);
        let said = if said.is_empty() { code.to_string() } else { format!("{code} {said}") };
        match code {
            _ if is_arrived => Ok(said),
            300..400 => Err(SendError::again(format!(
                "`{}` answered `{said}`; redirects are not followed: configure the address that it names",
                self.place()
            ))),
            408 | 425 | 429 => Err(SendError::again(self.answered(&said))),
            400..500 => Err(SendError::refused(self.answered(&said))),
            _ => Err(SendError::again(self.answered(&said))),
        }
    }

    fn answered(&self, said: &str) -> String {
        format!("`{}` answered `{said}`", self.place())
    }

    /// Some servers repeat in an answer what they were asked for.
    fn without_path(&self, text: &str) -> String {
        let path = hidden_in(text, self.url.path());
        self.url.query().map_or(path.clone(), |query| hidden_in(&path, query))
    }
}

fn builder(allow_private: bool, time_max: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .connect_timeout(CONNECT_TIME.min(time_max))
        .timeout(time_max)
        // Letters are few, and one that is sent while the other side hangs up a spare connection is sent twice.
        .pool_max_idle_per_host(0)
        // A proxy would connect where it likes, and the guard would have judged the proxy.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    if allow_private { builder } else { builder.dns_resolver(Arc::new(guard::PublicAlone)) }
}

/// The signature of a body that was sent at `timestamp`: `v1=` and the HMAC-SHA256 of `timestamp`, `.` and body.
#[must_use]
pub fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    format!("v1={}", render::hex(context.sign().as_ref()))
}

/// The beginning of an answer, on one line. One that breaks off is what came of it: the status has been said.
async fn said(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(ANSWER_BYTES);
    cut_line(&String::from_utf8_lossy(&bytes), TOLD_CHARACTERS)
}

fn without(
    answer: Result<String, SendError>,
    secret: Option<&Secret>,
) -> Result<String, SendError> {
    let Some(secret) = secret else { return answer };
    match answer {
        Ok(said) => Ok(secret.hidden_in(&said)),
        Err(SendError { is_final, problem }) => {
            Err(SendError { is_final, problem: secret.hidden_in(&problem) })
        }
    }
}

/// An error of a connection with its innermost cause, without the address.
fn told(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    // The innermost says why; those between say where in the client it was.
    let mut innermost = error.source();
    while let Some(next) = innermost.and_then(|cause| cause.source()) {
        innermost = Some(next);
    }
    innermost.map_or_else(|| what.to_owned(), |cause| cut_line(&format!("{what}: {cause}"), 300))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: HookConfig) -> String {
        Hook::new(config).unwrap_err().to_string()
    }

    #[test]
    fn signatures_are_those_of_openssl() {
        // `printf '%s' "$timestamp.$body" | openssl dgst -sha256 -hmac "$secret"`
        for (secret, timestamp, body, expected) in [
            (
                "Jefe",
                "what do ya want for nothing?",
                "",
                "v1=38c6c848e5a2f57451f5095df6370d5c9b83175b99df46422b34960c28def6ae",
            ),
            (
                "whsec-example",
                "1893465000",
                r#"{"id":"n12"}"#,
                "v1=7f86aff8f60c604b2e41d4b654b7dc08f731f2a73ffb22971639c64bf2aede6a",
            ),
        ] {
            assert_eq!(signature(secret.as_bytes(), timestamp, body.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_no_address_of_a_hook_is_told_without_it() {
        for (url, told) in [
            ("hooks.example/T0/s3cret", "write it as `https://host/path`"),
            ("", "write it as"),
            ("ftp://hooks.example/s3cret", "`ftp:`"),
            ("https://user:s3cret@hooks.example/", "has a login in it"),
            ("http://127.0.0.1/s3cret", "`127.0.0.1` is this machine itself"),
            ("http://127.1/s3cret", "`127.0.0.1` is this machine itself"),
            ("http://0x7f000001/s3cret", "`127.0.0.1` is this machine itself"),
            ("http://2130706433/s3cret", "`127.0.0.1` is this machine itself"),
            ("http://[::1]/s3cret", "`::1` is this machine itself"),
            ("http://[::ffff:10.0.0.1]/s3cret", "a mapped address"),
            ("https://10.1.2.3:8443/s3cret", "an address of a private network"),
        ] {
            let error = refused(HookConfig::new(url));
            assert!(error.contains(told) && !error.contains("s3cret"), "{url}: {error}");
        }
        let private = HookConfig { allow_private: true, ..HookConfig::new("http://10.1.2.3/x") };
        assert_eq!(Hook::new(private).unwrap().place(), "http://10.1.2.3");
        let pem = HookConfig {
            trusted_pem: Some(b"nothing".to_vec()),
            ..HookConfig::new("https://hooks.example/")
        };
        assert!(refused(pem).contains("not in PEM"));
    }

    #[test]
    fn neither_a_hook_nor_its_configuration_shows_its_path() {
        let config = HookConfig {
            allow_private: true,
            ..HookConfig::new("http://hooks.example:8080/services/T0/s3cret?token=t0ken")
        };
        assert!(!format!("{config:?}").contains("s3cret"));
        let hook = Hook::new(config).unwrap();
        assert_eq!(format!("{hook:?}"), r#"Hook { place: "http://hooks.example:8080", .. }"#);
        assert_eq!(
            hook.without_path("Cannot POST /services/T0/s3cret?token=t0ken"),
            "Cannot POST …?…"
        );
    }
}
