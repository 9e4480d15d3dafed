//! `P/round/{name}`: how far the parents of a job are with its next run.

use axum::extract::State;
use axum::response::Response;

use super::error::ApiError;
use super::jobs::JobPath;
use super::{Door, json_response, print};

/// `GET P/round/{name}`.
pub(crate) async fn show(
    State(door): State<Door>,
    JobPath(name): JobPath,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("unknown_job", format!("there is no job `{name}`"));
    let round = door.backend.round(&name).ok_or_else(unknown)?;
    Ok(json_response(&print::round(&name, &round)))
}
