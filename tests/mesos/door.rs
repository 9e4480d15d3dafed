//! A server whose every answer is given by the test: masters and agents, slow ones and such as hang up.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Longer than anything takes; only a failing test waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// What was asked, and the way to answer it. Dropped without an answer the connection is cut.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    reply: oneshot::Sender<Response<Body>>,
}

/// A stream that is being answered. Dropped it ends well.
pub(crate) type Feed = mpsc::Sender<io::Result<Bytes>>;

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The kind of a call.
    pub(crate) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }

    pub(crate) fn answer(self, status: u16, headers: &[(&str, &str)], text: &str) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Body::from(text.to_owned())).unwrap();
        // Fails if whoever asked has gone away.
        let _ = self.reply.send(response);
    }

    /// Takes a call.
    pub(crate) fn accept(self) {
        self.answer(202, &[], "");
    }

    /// Begins a stream of events.
    pub(crate) fn stream(self, stream_id: &str) -> Feed {
        let (feed, pieces) = mpsc::channel(1);
        let pieces = futures_util::stream::unfold(pieces, |mut pieces| async move {
            pieces.recv().await.map(|piece| (piece, pieces))
        });
        let response = Response::builder()
            .header("Content-Type", "application/json")
            .header("Mesos-Stream-Id", stream_id)
            .body(Body::from_stream(pieces))
            .unwrap();
        let _ = self.reply.send(response);
        feed
    }
}

/// A server. It ends with the runtime.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) at: SocketAddr,
    asked: mpsc::UnboundedReceiver<Asked>,
}

impl Door {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, router, asked) = Self::parts(listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, asked }
    }

    /// With TLS, of which the listener takes care.
    pub(crate) fn open_at<L>(listener: L, at: SocketAddr) -> Self
    where
        L: axum::serve::Listener<Addr = SocketAddr>,
    {
        let (at, router, asked) = Self::parts(at);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, asked }
    }

    fn parts(at: SocketAddr) -> (SocketAddr, axum::Router, mpsc::UnboundedReceiver<Asked>) {
        let (sender, asked) = mpsc::unbounded_channel();
        let router = axum::Router::new().fallback(move |request: Request| {
            let sender = sender.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = to_bytes(body, 64 << 20).await.unwrap();
                let (reply, answer) = oneshot::channel();
                let asked = Asked {
                    path: parts.uri.to_string(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                    reply,
                };
                let _ = sender.send(asked);
                match answer.await {
                    Ok(response) => response,
                    // An answer that breaks off at its first byte, as of a process that died.
                    Err(_) => Response::new(Body::from_stream(futures_util::stream::once(async {
                        Err::<Bytes, _>(io::Error::other("cut"))
                    }))),
                }
            }
        });
        (at, router, asked)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// The next question.
    pub(crate) async fn next(&mut self) -> Asked {
        soon("a question", self.asked.recv()).await.expect("the server lives")
    }

    /// The next question, if there is one already.
    pub(crate) fn now(&mut self) -> Option<Asked> {
        self.asked.try_recv().ok()
    }
}
