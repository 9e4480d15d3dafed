//! `/ping`: whether the process answers. Byte for byte what Chronos says.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// `GET /ping`.
pub(crate) async fn ping() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        (CACHE_CONTROL, HeaderValue::from_static("must-revalidate,no-cache,no-store")),
    ];
    (headers, "pong\n").into_response()
}
