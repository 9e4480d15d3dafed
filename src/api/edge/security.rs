//! Keeping browsers from being used against us, for every method and path alike.
//!
//! A page of a stranger can make a browser send requests to loopback addresses, and can give its own name our address
//! (DNS rebinding). So the name a request was sent to must be one of ours, and an `Origin`, which a page cannot leave
//! out of a request that changes something or forge, must be the same server. Together with the demand for a JSON
//! content type no such page can do or read anything. CORS headers are sent for origins that were configured, which are
//! none (DIFFERENCE: Chronos lets every page read everything).

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::api::error::ApiError;

/// By which names this server may be called, and whose pages may call it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts {
    /// Names and addresses, beside those of loopback.
    names: Vec<String>,
    /// Origins, beside our own.
    origins: Vec<String>,
}

impl Hosts {
    /// Takes names or addresses, of which a port is dropped, and origins as browsers send them. Case does not matter.
    pub(crate) fn new(names: &[String], origins: &[String]) -> Self {
        Self {
            names: names.iter().map(|text| host_of(text).to_ascii_lowercase()).collect(),
            origins: origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
        }
    }

    /// The origin of the page that asks, if it is another server's that may.
    pub(crate) fn other_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = single(headers, &ORIGIN)?;
        let is_allowed = self.origins.contains(&origin.to_ascii_lowercase());
        is_allowed.then(|| headers.get(ORIGIN).cloned()).flatten()
    }

    /// Refuses a request that was sent to another name than ours or by another server's page.
    ///
    /// `local` is the address the client reached us at. A client that names it needs no configuration: it is an
    /// address, and addresses cannot be rebound.
    pub(crate) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        local: SocketAddr,
    ) -> Result<(), ApiError> {
        let host = single(headers, &HOST).and_then(|text| text.parse::<Authority>().ok());
        let Some(host) = host else {
            return Err(ApiError::forbidden(
                "host_not_allowed",
                "the request has no readable `Host` header",
            )
            .remedy("send the name or address of this server as `Host`"));
        };
        // A request line with a full URL names the server once more.
        for named in std::iter::once(&host).chain(uri.authority()) {
            if !self.is_ours(named.host(), local.ip()) {
                return Err(ApiError::forbidden(
                    "host_not_allowed",
                    format!("this server does not answer to the name `{}`", named.host()),
                )
                .remedy(
                    "call it by a loopback name, or allow that name with `--http_allowed_host`",
                ));
            }
        }
        if headers.contains_key(ORIGIN)
            && self.other_origin(headers).is_none()
            && !single(headers, &ORIGIN).is_some_and(|origin| is_same_server(origin, &host))
        {
            return Err(ApiError::forbidden(
                "origin_not_allowed",
                "the request comes from a page of another server",
            )
            .remedy("use the pages of this server, or a client that is no browser"));
        }
        Ok(())
    }

    fn is_ours(&self, host: &str, local: IpAddr) -> bool {
        let host = host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let is_address_of_ours = address.map(|ip| ip.to_canonical()).is_some_and(|ip| {
            ip.is_loopback() || (ip == local.to_canonical() && !ip.is_unspecified())
        });
        is_address_of_ours || host == "localhost" || self.names.contains(&host)
    }
}

/// The header's value if it is there exactly once and is text.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.to_str().ok()).flatten()
}

/// The host part of `host[:port]`, brackets kept.
fn host_of(text: &str) -> &str {
    let end = match text.rfind(']') {
        Some(bracket) => bracket + 1,
        // More than one colon without brackets is an address of version 6.
        None if text.matches(':').count() == 1 => text.find(':').unwrap_or(text.len()),
        None => text.len(),
    };
    &text[..end]
}

/// Whether a page from `origin` was served by the server called `host`.
fn is_same_server(origin: &str, host: &Authority) -> bool {
    let (origin, default_port) = match origin.split_once("://") {
        Some(("http", rest)) => (rest, 80),
        Some(("https", rest)) => (rest, 443),
        Some(_) | None => return false,
    };
    origin.parse::<Authority>().is_ok_and(|origin| {
        let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
        origin.host().eq_ignore_ascii_case(host.host()) && port(&origin) == port(host)
    })
}

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What every answer carries unless its handler says otherwise.
const DEFAULTS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (CORP, "same-origin"),
];

/// Adds the headers that keep browsers from doing more with an answer than showing it.
pub(crate) fn harden(headers: &mut HeaderMap) {
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Tells a browser to come with TLS alone from now on, for a year.
pub(crate) fn demand_tls(headers: &mut HeaderMap) {
    let year = HeaderValue::from_static("max-age=31536000");
    headers.insert(STRICT_TRANSPORT_SECURITY, year);
}

/// What a page of another server may read of an answer beside its body: what conditions and paging need, and what is
/// told nowhere else.
const EXPOSED: [&str; 9] = [
    "chronode-omitted",
    "chronode-revision",
    "chronode-run-id",
    "content-range",
    "etag",
    "link",
    "retry-after",
    "warning",
    "x-request-id",
];

/// What it may send beside what every page may: what conditions, streams and repeated requests need.
const ALLOWED: [&str; 7] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "range",
];

/// Lets a page from `origin` read the answer.
pub(crate) fn share(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let exposed = HeaderValue::try_from(EXPOSED.join(", ")).expect("names are visible ASCII");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// Whether a browser asks what a page may ask.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that, for a page that may ask. What it then asks needs credentials as ever.
pub(crate) fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, DELETE".to_owned()),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED.join(", ")),
        (ACCESS_CONTROL_MAX_AGE, "600".to_owned()),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(hosts: &[&str], host: &str, origin: Option<&str>) -> bool {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let local = "10.1.2.3:4400".parse().unwrap();
        Hosts::new(&hosts, &[]).check(&Uri::from_static("/ping"), &headers, local).is_ok()
    }

    #[test]
    fn only_our_names_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:4400",
            "127.0.0.1:4400",
            "127.9.9.9",
            "[::1]:4400",
            "10.1.2.3:4400",
        ] {
            assert!(verdict(&[], host, None), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.1.2.4",
            "0.0.0.0",
            "[::]",
            "a b",
            "",
        ] {
            assert!(!verdict(&[], host, None), "{host}");
        }
        assert!(verdict(&["Cron.example:4400"], "cron.EXAMPLE", None));
        assert!(verdict(&["[fd00::1]:4400"], "[fd00::1]", None));
        assert!(!verdict(&["cron.example"], "evil.cron.example", None));
    }

    #[test]
    fn only_our_own_pages_may_ask() {
        assert!(verdict(&[], "localhost:4400", Some("http://localhost:4400")));
        assert!(verdict(&["cron.example"], "cron.example", Some("https://cron.example")));
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost",
            "http://127.0.0.1:4400",
            "file://",
            "http://localhost:4400.evil.example",
            "chrome-extension://localhost:4400",
            "",
        ] {
            assert!(!verdict(&[], "localhost:4400", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_request_line_with_another_server_or_two_hosts_is_refused() {
        let local = "127.0.0.1:4400".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("localhost"));
        let evil = Uri::from_static("http://evil.example/ping");
        assert!(Hosts::default().check(&evil, &headers, local).is_err());
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(Hosts::default().check(&Uri::from_static("/ping"), &headers, local).is_err());
    }
}
