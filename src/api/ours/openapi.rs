//! `P/openapi.json`: what there is to ask, for tools.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use crate::api::describe;

/// Made once: it is the same for everybody, through both prefixes.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| describe::document().to_string().into());

/// `GET P/openapi.json`.
pub(crate) async fn show() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], DOCUMENT.clone()).into_response()
}
