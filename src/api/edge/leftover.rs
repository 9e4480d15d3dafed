//! What no handler wanted of a request's body.
//!
//! A request that is refused by its head is answered before its body has come. Many clients send the two one after the
//! other and read the answer only then; if the connection is closed under the body they find it broken, and never see
//! why they were refused. So the rest is taken off the line before the answer is sent, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a rest may take. Whoever is slower finds the connection closed.
const TIME: Duration = Duration::from_secs(5);

/// Gives back the body of a request once its handler is done with it.
pub(super) struct Leftover(Option<Rest>);

/// What may be left of a body.
struct Rest {
    body: oneshot::Receiver<Body>,
    bytes_max: usize,
}

impl Leftover {
    /// Stands between a body and its reader. Of what is left at most `bytes_max` are read.
    pub(super) fn of(headers: &HeaderMap, body: Body, bytes_max: usize) -> (Body, Self) {
        // Whoever asks first whether to send a body sends none before the answer.
        if body.is_end_stream() || headers.contains_key(EXPECT) {
            return (body, Self(None));
        }
        let (back, rest) = oneshot::channel();
        (
            Body::new(Lent { body: Some(body), back: Some(back) }),
            Self(Some(Rest { body: rest, bytes_max })),
        )
    }

    /// Reads what is left and forgets it.
    pub(super) async fn discard(self) {
        let Some(Rest { body: mut rest, bytes_max }) = self.0 else { return };
        let Ok(mut body) = rest.try_recv() else { return };
        let reading = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > bytes_max {
                    break;
                }
            }
        };
        // In the end, or not: hyper closes the connection where something is left.
        let _ = timeout(TIME, reading).await;
    }
}

/// A body that returns to whoever lent it.
struct Lent {
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody may wait for it any more.
            let _ = back.send(body);
        }
    }
}

impl axum::body::HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
