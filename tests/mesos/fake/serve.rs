//! The sockets: HTTP as a master and its agents speak it.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chronode::mesos::wire::{Call, CallType};
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;

use super::super::model::call::stream_id;
use super::super::model::form;
use super::{Piece, Shared, Stream, files, lock};

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Whose socket it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who {
    Master(usize),
    Agent(usize),
}

/// The connection closes without an answer.
#[derive(Debug)]
struct Hangs;

impl fmt::Display for Hangs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection closes")
    }
}

impl std::error::Error for Hangs {}

/// Answers whoever connects.
pub(super) async fn listen(listener: TcpListener, shared: Shared, who: Who) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    loop {
        let Ok((socket, _)) = listener.accept().await else { return };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { answer(shared, who, request).await }
            });
            // An error is what was asked for: the other side sees the connection end.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn answer(
    shared: Shared,
    who: Who,
    request: Request<Incoming>,
) -> Result<Response<Body>, Hangs> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Hangs)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    match who {
        Who::Agent(machine) => {
            let state = lock(&shared);
            if !state.cluster.agents[machine].is_up {
                return Err(Hangs);
            }
            Ok(files::answer(&state, machine, &parts.method, &path, &query, &body))
        }
        Who::Master(number) => {
            let whole = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
            let short = path.strip_prefix("/master").unwrap_or(&path).to_owned();
            if short == "/health" {
                return Ok(text(StatusCode::OK, ""));
            }
            let leads = {
                let state = lock(&shared);
                match state.leader {
                    None => return Ok(text(StatusCode::SERVICE_UNAVAILABLE, "No leader elected")),
                    Some(leader) if leader == number && short != "/redirect" => None,
                    Some(leader) => Some(state.ports[leader]),
                }
            };
            if let Some(port) = leads {
                let place = match short.as_str() {
                    "/redirect" => String::new(),
                    _ if path.starts_with("/master") => whole,
                    _ => format!("/master{whole}"),
                };
                let mut response = text(StatusCode::TEMPORARY_REDIRECT, "");
                let location = format!("//localhost:{port}{place}");
                response.headers_mut().insert("Location", location.parse().expect("a header"));
                return Ok(response);
            }
            if short == "/api/v1/scheduler" {
                if parts.method != "POST" {
                    let sentence = format!(
                        "405 Method Not Allowed. Expecting one of {{ 'POST' }}, but received '{}'.",
                        parts.method
                    );
                    return Ok(text(StatusCode::METHOD_NOT_ALLOWED, &sentence));
                }
                return scheduler(&shared, &parts.headers, &body);
            }
            Ok(text(StatusCode::NOT_FOUND, ""))
        }
    }
}

/// A call of a scheduler.
fn scheduler(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Response<Body>, Hangs> {
    let mut state = lock(shared);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Ok(principal) = login(&state.setup.credentials, header("Authorization")) else {
        let mut response = text(StatusCode::UNAUTHORIZED, "401 Unauthorized.");
        let realm = "Basic realm=\"mesos-master-scheduler\"".parse().expect("a header");
        response.headers_mut().insert("WWW-Authenticate", realm);
        return Ok(response);
    };
    match header("Content-Type") {
        None => return Ok(text(StatusCode::BAD_REQUEST, "Expecting 'Content-Type' to be present")),
        Some("application/json") => {}
        Some(_) => {
            let sentence = "Expecting 'Content-Type' of application/json or application/x-protobuf";
            return Ok(text(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
        }
    }
    let call = match form::read(body) {
        Ok(call) => call,
        Err(sentence) => return Ok(text(StatusCode::BAD_REQUEST, &sentence)),
    };
    if call.kind == CallType::Subscribe {
        let accepts = header("Accept").unwrap_or("*/*");
        if !(accepts.contains("json") || accepts.contains("*/*")) {
            let sentence =
                "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";
            return Ok(text(StatusCode::NOT_ACCEPTABLE, sentence));
        }
        if header("Mesos-Stream-Id").is_some() {
            let sentence = "Subscribe calls should not include the 'Mesos-Stream-Id' header";
            return Ok(text(StatusCode::BAD_REQUEST, sentence));
        }
    }
    if let Some(refusal) = stranger(&mut state, principal.as_deref(), &call) {
        return Ok(text(StatusCode::BAD_REQUEST, &refusal));
    }
    let now = state.cluster.now;
    let faults = state.setup.faults.clone();
    let is_subscribe = call.kind == CallType::Subscribe;
    if !is_subscribe && state.happens(faults.call_lost) {
        state.count("call lost");
        return Err(Hangs);
    }
    state.calls.push((now, call.clone()));
    if is_subscribe {
        return Ok(subscribe(&mut state, &call));
    }
    let answer = state.cluster.call(header("Mesos-Stream-Id"), &call);
    state.spread();
    if state.happens(faults.answer_lost) {
        state.count("answer to a call lost");
        return Err(Hangs);
    }
    let status = StatusCode::from_u16(answer.status).expect("a status");
    Ok(text(status, &answer.text))
}

fn subscribe(state: &mut super::State, call: &Call) -> Response<Body> {
    match state.cluster.subscribe(call) {
        Err(answer) => text(StatusCode::from_u16(answer.status).expect("a status"), &answer.text),
        Ok(connection) => {
            let (to, pieces) = mpsc::unbounded_channel();
            let last_at = state.cluster.now;
            state.streams.insert(connection, Stream { to, waiting: Vec::new(), last_at });
            state.spread();
            let frames = stream::unfold(pieces, |mut pieces| async move {
                match pieces.recv().await? {
                    Piece::Bytes(bytes) => Some((Ok(Frame::data(bytes)), pieces)),
                    Piece::End => None,
                    Piece::Break => Some((Err(io::Error::other("the connection breaks")), pieces)),
                }
            });
            Response::builder()
                .header("Content-Type", "application/json")
                .header("Mesos-Stream-Id", stream_id(connection))
                .body(StreamBody::new(frames).boxed_unsync())
                .expect("a response")
        }
    }
}

/// Who calls, if everybody has to say so.
fn login(known: &[(String, String)], header: Option<&str>) -> Result<Option<String>, ()> {
    if known.is_empty() {
        return Ok(None);
    }
    let given = header.and_then(|header| header.strip_prefix("Basic ")).ok_or(())?;
    let given = STANDARD.decode(given).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let given = given.ok_or(())?;
    let (name, secret) = given.split_once(':').ok_or(())?;
    let fits = known.iter().any(|(known, its)| known == name && its == secret);
    if fits { Ok(Some(name.to_owned())) } else { Err(()) }
}

/// Why somebody with that login must not make the call.
fn stranger(state: &mut super::State, principal: Option<&str>, call: &Call) -> Option<String> {
    let principal = principal?;
    let id = call.framework_id.as_ref().map(|id| id.value.clone()).unwrap_or_default();
    let (of, place) = match &call.subscribe {
        Some(subscribe) => {
            (subscribe.framework_info.principal.clone(), "Failed to validate scheduler::Call: ")
        }
        None => (state.cluster.framework(&id).and_then(|known| known.info.principal.clone()), ""),
    };
    let other = of.filter(|of| of != principal)?;
    Some(format!(
        "{place}Authenticated principal '{principal}' does not match principal '{other}' set in `FrameworkInfo`"
    ))
}

pub(super) fn text(status: StatusCode, sentence: &str) -> Response<Body> {
    bytes(status, "text/plain; charset=utf-8", Bytes::from(sentence.to_owned()))
}

pub(super) fn bytes(status: StatusCode, kind: &str, content: Bytes) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    if !content.is_empty() {
        builder = builder.header("Content-Type", kind);
    }
    let body = Full::new(content).map_err(|never: Infallible| match never {});
    builder.body(body.boxed_unsync()).expect("a response")
}
