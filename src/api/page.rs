//! The web page at the root, and its files: open to everybody who may connect, for reading alone.
//!
//! The page asks for credentials itself and sends them with what it asks of the API; there is nothing in its files that
//! is not in the program that everybody can have.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::api::error::ApiError;
use crate::web::{Absent, Site};

/// `GET /`.
pub(crate) async fn show(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.page(&headers).await.unwrap_or_else(refusal)
}

/// `GET /assets/{version}/{path}`.
pub(crate) async fn asset(
    State(site): State<Arc<Site>>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    site.asset(&version, &path, &headers).await.unwrap_or_else(refusal)
}

fn refusal(absent: Absent) -> Response {
    match absent {
        // As of any path that is none.
        Absent::File => StatusCode::NOT_FOUND.into_response(),
        Absent::Version => ApiError::not_found(
            "other_version",
            "this file is of another version of the page than the one that is served",
        )
        .remedy("load the page again")
        .into_response(),
    }
}
