//! What happens to every request before and after its handler.
//!
//! ```text
//!   number it ─▶ peer, host, origin ─▶ credentials ─▶ route ─▶ write the error's body ─▶ harden ─▶ record, log
//! ```
//!
//! The number names the request in its answer (`X-Request-Id`, `requestId` in errors) and in the log, where the details
//! are that no client gets to see.

use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tower::ServiceExt as _;
use tracing::{debug, error, info, warn};

use super::leftover::Leftover;
use super::security::{self, Hosts, is_preflight};
use crate::api::access::Caller;
use crate::api::chronos::metrics::timer_name;
use crate::api::content::BodyLimits;
use crate::api::credential::{Admission, Authenticator};
use crate::api::error::ApiError;
use crate::api::routes::{Reached, Route, is_open};
use crate::audit::{Audit, Outcome, Record};
use crate::metrics::{Answered, Metrics};

/// One connection's ends, and whether the client at the other may ask at all.
#[derive(Debug)]
pub(crate) struct Link {
    /// The client's.
    pub(crate) peer: SocketAddr,
    /// Ours.
    pub(crate) local: SocketAddr,
    /// Why not, for people.
    pub(crate) admitted: Result<(), String>,
}

/// What a handler may need to know about the request beyond HTTP. An extension of every request.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The request's number.
    pub(crate) id: u64,
    /// Who asks.
    pub(crate) caller: Caller,
    /// From where.
    pub(crate) peer: SocketAddr,
    /// Whether they may still ask.
    pub(crate) admission: Admission,
    /// Where it is recorded what comes of it.
    pub(crate) audit: Option<Audit>,
    /// Bounds of its body.
    pub(crate) body_limits: BodyLimits,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Everything in front of the routes.
pub(crate) struct Front {
    pub(crate) router: Router,
    pub(crate) hosts: Hosts,
    /// `None` where nobody needs credentials.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
    pub(crate) audit: Option<Audit>,
    /// Whether there is no other way in than TLS.
    pub(crate) demands_tls: bool,
    pub(crate) body_limits: BodyLimits,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) metrics: Option<Arc<Metrics>>,
    pub(crate) requests: AtomicU64,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What balancers ask for, in HTTP/1.0.
const PING: &str = "/ping";

impl Front {
    /// Answers one request.
    pub(crate) async fn answer(&self, link: &Link, request: Request) -> Response {
        let begun = self.metrics.as_ref().map(|metrics| metrics.now());
        let id = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let method = request.method().clone();
        let path = shown(request.uri().path());
        let other_origin = self.hosts.other_origin(request.headers());
        let (head, body) = request.into_parts();
        let (body, leftover) = Leftover::of(&head.headers, body, self.body_limits.bytes);
        let request = Request::from_parts(head, body);

        let mut caller = None;
        let mut response = match self.admit(link, &method, request.uri(), request.headers()).await {
            Ok(_) if other_origin.is_some() && is_preflight(&method, request.headers()) => {
                drop(request);
                security::preflight()
            }
            Ok(admitted) => {
                caller = Some(admitted.clone());
                self.route(id, admitted, link, request).await
            }
            Err(refusal) => {
                drop(request);
                refusal.into_response()
            }
        };
        // Whoever gave up on a body has said that the connection ends.
        if !response.headers().contains_key(CONNECTION) {
            leftover.discard().await;
        }
        let status = response.status();
        let reached = response.extensions_mut().remove::<Reached>();
        let mut code = None;
        if status.is_client_error() || status.is_server_error() {
            let error = response.extensions_mut().remove::<ApiError>();
            let error =
                error.unwrap_or_else(|| ApiError::from_status(status, method.as_str(), &path));
            if !error.detail().is_empty() {
                warn!(request = id, %method, path, detail = %shown(error.detail()), "request failed");
            }
            code = Some(error.code());
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                let peer = link.peer.to_string();
                let what = Refused { id, method: method.as_str(), path: &path, peer, caller };
                self.record(what, &error).await;
            }
            error.write_into(&mut response, id);
        }
        security::harden(response.headers_mut());
        if self.demands_tls {
            security::demand_tls(response.headers_mut());
        }
        if let Some(origin) = other_origin {
            security::share(response.headers_mut(), origin);
        }
        response.headers_mut().insert(REQUEST_ID, HeaderValue::from(id));
        if let (Some(metrics), Some(begun)) = (&self.metrics, begun) {
            metrics.answered(begun, answered(&method, reached, status, code));
        }
        let (peer, code) = (link.peer, status.as_u16());
        // Pages and clients that poll would fill the log; what changes something, or fails, is worth a line.
        if method.is_safe() && !status.is_client_error() && !status.is_server_error() {
            debug!(request = id, %peer, %method, path, status = code, "answered");
        } else {
            info!(request = id, %peer, %method, path, status = code, "answered");
        }
        response
    }

    /// Who asks, if they may ask at all.
    async fn admit(
        &self,
        link: &Link,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Caller, ApiError> {
        self.check(link, uri, headers)?;
        let Some(authenticator) = &self.authenticator else { return Ok(Caller::anonymous()) };
        // A browser asks without credentials whether it may ask with them.
        let is_preflight =
            is_preflight(method, headers) && self.hosts.other_origin(headers).is_some();
        if is_open(method, uri.path()) || is_preflight {
            return Ok(Caller::nobody());
        }
        authenticator.authenticate(headers, link.peer.ip()).await
    }

    /// Records an attempt that was refused.
    async fn record(&self, refused: Refused<'_>, error: &ApiError) {
        let Some(audit) = self.audit.clone() else { return };
        let Refused { id, method, path, peer, caller } = refused;
        let door = ["/v1/scheduler", "/scheduler"].into_iter().find(|door| path.starts_with(door));
        let record = Record {
            role: caller.as_ref().map(|caller| caller.role.as_str().to_owned()).unwrap_or_default(),
            caller: caller.map(|caller| caller.name.to_string()).unwrap_or_default(),
            peer,
            door: door.unwrap_or_default().to_owned(),
            method: method.to_owned(),
            path: without_arguments(path),
            what: "request",
            outcome: Outcome::Refused { status: error.status().as_u16(), code: error.code() },
            request: Some(id),
            ..Record::default()
        };
        // Ends whether anybody waits for it or not.
        let _ = tokio::task::spawn_blocking(move || audit.record_refusal(&record)).await;
    }

    fn check(&self, link: &Link, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        if let Err(reason) = &link.admitted {
            return Err(ApiError::forbidden("peer_not_allowed", reason.as_str()));
        }
        // Balancers ask in HTTP/1.0, which names no host. No browser does, and the answer says nothing.
        let is_bare = !headers.contains_key(HOST) && !headers.contains_key(ORIGIN);
        if is_bare && uri.path() == PING && uri.authority().is_none() {
            return Ok(());
        }
        self.hosts.check(uri, headers, link.local)
    }

    /// Runs the handler. One that panics has lost its own request, nothing else.
    async fn route(
        &self,
        id: u64,
        caller: Caller,
        link: &Link,
        mut request: Request<Body>,
    ) -> Response {
        request.extensions_mut().insert(Exchange {
            id,
            admission: Admission::of(self.authenticator.as_ref(), &caller),
            caller,
            peer: link.peer,
            audit: self.audit.clone(),
            body_limits: self.body_limits,
            stopping: self.stopping.clone(),
        });
        let routed = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind().await;
        match routed {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => {
                error!(panic = text_of(panic.as_ref()), "a request made its handler panic");
                ApiError::internal("the request could not be handled", "").into_response()
            }
        }
    }
}

/// What is counted of an answer. Methods and routes that a client makes up are counted as one.
fn answered(
    method: &Method,
    reached: Option<Reached>,
    status: StatusCode,
    error: Option<&'static str>,
) -> Answered {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    let known = METHODS.into_iter().find(|known| *known == method.as_str());
    let route = reached.map(|Reached(route)| route);
    Answered {
        method: known.unwrap_or("OTHER"),
        route: route.map(Route::pattern).unwrap_or_default(),
        // What a path does not know is no work of its route.
        timer: route.filter(|route| route.method == *method).map(timer_name).unwrap_or_default(),
        status: status.as_u16(),
        error,
    }
}

/// A request that was refused, as far as it is known.
struct Refused<'a> {
    id: u64,
    method: &'a str,
    path: &'a str,
    peer: String,
    /// Who asked, if that was found out.
    caller: Option<Caller>,
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

/// How much of a client's text one line of the log or of an error repeats.
const SHOWN_CHARS: usize = 300;

/// A client's text, made safe to print on a terminal and in one line.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        match c {
            _ if index == SHOWN_CHARS => {
                shown.push('…');
                break;
            }
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// A path without what a task's id in it, `ct:MILLIS:ATTEMPT:JOB:ARGUMENTS`, says of the arguments of its run: they are
/// values, and what is recorded has none. No name of a job has so many colons.
pub(crate) fn without_arguments(path: &str) -> String {
    const PROGRESS: &str = "/progress";
    let mut colons = 0;
    for (index, c) in path.char_indices() {
        let is_escaped =
            || path.get(index..index + 3).is_some_and(|it| it.eq_ignore_ascii_case("%3a"));
        if c == '/' {
            colons = 0;
        } else if c == ':' || is_escaped() {
            colons += 1;
        }
        if colons == 4 {
            let end = if path.ends_with(PROGRESS) { PROGRESS } else { "" };
            return format!("{}{end}", &path[..index]);
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_a_path_are_cut_off_however_they_are_written() {
        for (path, expected) in [
            ("/scheduler/task/ct:1:0:a:", "/scheduler/task/ct:1:0:a"),
            ("/scheduler/task/ct:1:0:a:x y:z", "/scheduler/task/ct:1:0:a"),
            ("/scheduler/task/%63t%3A1%3a0:a%3Ax", "/scheduler/task/%63t%3A1%3a0:a"),
            (
                "/scheduler/job/a/task/ct:1:0:a:x/progress",
                "/scheduler/job/a/task/ct:1:0:a/progress",
            ),
            ("/scheduler/task/ct:1:0:a:x/y", "/scheduler/task/ct:1:0:a"),
            ("/scheduler/task/ct:1:0:é:é", "/scheduler/task/ct:1:0:é"),
            ("/scheduler/task/ct:1:0", "/scheduler/task/ct:1:0"),
            ("/a:/b:/c:/d:/e:", "/a:/b:/c:/d:/e:"),
            ("/%3", "/%3"),
            ("", ""),
        ] {
            assert_eq!(without_arguments(path), expected, "{path}");
        }
    }
}
