//! Reading the body of a request: JSON only, within size and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::error::ApiError;

/// Bytes of a request's body. A job at its own limits fits.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Reads a body that must be declared as JSON.
///
/// The declaration is demanded because a form of a stranger's page cannot make it.
pub(crate) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    within: Duration,
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
    if declared.is_some_and(|length: u64| length > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let read = timeout(within, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let read = read.map_err(|_| {
        let message = format!("the body did not arrive within {} s", within.as_secs());
        closing(ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", message))
    })?;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large()
        } else {
            closing(ApiError::invalid("", "the body did not arrive as a whole"))
        }
    })
}

fn too_large() -> ApiError {
    let message = format!("the body has more than {BODY_BYTES_MAX} bytes");
    closing(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
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
