//! `P/round/{name}`: how far the parents of a job are with its next run.

use axum::response::Response;

use crate::api::chronos::jobs::JobPath;
use crate::api::error::ApiError;
use crate::api::{Desk, json_response, print};

/// `GET P/round/{name}`.
pub(crate) async fn show(desk: Desk, JobPath(name): JobPath) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("unknown_job", format!("there is no job `{name}`"));
    let round = desk.round(&name).ok_or_else(unknown)?;
    Ok(json_response(&print::round(&name, &round)))
}
