//! `/ping`: whether the process answers and its loop turns. Byte for byte what Chronos says, if so.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::api::Desk;
use crate::api::error::ApiError;
use crate::model::Duration;

/// A loop that has not turned for that long hangs. Longer than a commit on a disk that is worth waiting for.
const STILL_MAX: Duration = Duration::from_secs(30);

/// `GET /ping`.
pub(crate) async fn ping(desk: Desk) -> Result<Response, ApiError> {
    let still_for = desk.still_for();
    if still_for > STILL_MAX {
        let secs = still_for.as_secs();
        let message = format!("nothing has been decided for {secs} seconds: the loop hangs");
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "loop_hangs", message)
            .remedy("look at the disk; a restart harms no running command"));
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        (CACHE_CONTROL, HeaderValue::from_static("must-revalidate,no-cache,no-store")),
    ];
    Ok((headers, "pong\n").into_response())
}
