//! `P/explain/{job}` and `P/run/{id}/explain`: why, in sentences.

use axum::response::Response;
use serde_json::{Value, json};

use super::runs::{RunPath, find, unreadable};
use crate::api::chronos::jobs::JobPath;
use crate::api::error::ApiError;
use crate::api::{Desk, json_response, print};
use crate::model::RunState;

/// Agents of which it is told what is against them.
const AGENTS_TOLD: usize = 200;

/// `GET P/explain/{job}`.
pub(crate) async fn job(desk: Desk, JobPath(name): JobPath) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("unknown_job", format!("there is no job `{name}`"));
    let explained = desk.explain_job(&name).await.map_err(unreadable)?.ok_or_else(unknown)?;
    Ok(json_response(&json!({
        "job": name.as_str(),
        "reasons": explained.reasons.iter().map(print::reason).collect::<Value>(),
        "nextDue": explained.next_due.map(print::instant),
    })))
}

/// `GET P/run/{id}/explain`.
pub(crate) async fn run(desk: Desk, RunPath(id): RunPath) -> Result<Response, ApiError> {
    let run = find(&desk, id).await?;
    let reasons = desk.explain_run(&run);
    // Only what waits for an agent is looked at once more.
    let objections = match run.state {
        RunState::Pending { .. } => desk.objections(id).await?,
        RunState::Queued
        | RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. }
        | RunState::Ended { .. } => Vec::new(),
    };
    let told = objections.len().min(AGENTS_TOLD);
    Ok(json_response(&json!({
        "run": id.to_string(),
        "job": run.job.as_str(),
        "reasons": reasons.iter().map(print::reason).collect::<Value>(),
        "agents": objections[..told].iter().map(print::objection).collect::<Value>(),
        "agentsLeftOut": objections.len() - told,
    })))
}
