//! Reading the body of a request: JSON only, within size and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::error::ApiError;

/// Bounds of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// How large it may be (`--max_body_bytes`).
    pub bytes: usize,
    /// How long it may take (`--body_time`).
    pub time: Duration,
}

impl Default for BodyLimits {
    /// A job at its own limits fits.
    fn default() -> Self {
        Self { bytes: 1024 * 1024, time: Duration::from_secs(30) }
    }
}

/// Reads a body that must be declared as JSON.
///
/// The declaration is demanded because a form of a stranger's page cannot make it.
pub(crate) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<Bytes, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body is not declared as JSON",
        )
        .remedy("send the header `Content-Type: application/json`, and the body uncompressed"));
    }
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limits.bytes as u64) {
        return Err(too_large(limits.bytes));
    }
    let read = timeout(limits.time, Limited::new(body, limits.bytes).collect()).await;
    let read = read.map_err(|_| {
        let message = format!("the body did not arrive within {} s", limits.time.as_secs());
        let error = ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", message);
        closing(error.remedy("send it faster, or start the server with a longer `--body_time`"))
    })?;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large(limits.bytes)
        } else {
            closing(ApiError::invalid("", "the body did not arrive as a whole"))
        }
    })
}

fn too_large(bytes: usize) -> ApiError {
    let message = format!("the body has more than {bytes} bytes");
    let error = ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
    closing(error.remedy("send less at once, or start the server with more `--max_body_bytes`"))
}

/// The rest of the body is not wanted, so the connection cannot carry another request.
fn closing(error: ApiError) -> ApiError {
    error.header(CONNECTION, HeaderValue::from_static("close"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let plain = text(&CONTENT_ENCODING).is_none_or(|e| e.eq_ignore_ascii_case("identity"));
    plain && text(&CONTENT_TYPE).is_some_and(is_json_type)
}

/// `application/json`, with no other character set than UTF-8.
fn is_json_type(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let mut charsets = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    is_json && charsets.all(|charset| charset.eq_ignore_ascii_case("utf-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_as_clients_declare_it() {
        for text in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; odd",
        ] {
            assert!(is_json_type(text), "{text}");
        }
        for text in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "application/json; charset=utf-16",
            "text/plain; application/json",
        ] {
            assert!(!is_json_type(text), "{text}");
        }
    }
}
