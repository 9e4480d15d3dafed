//! What is not to come of itself: `P/pause`, `P/resume`, `P/pauses`, `P/skip`, `P/unskip`; and what Chronode lets rest by
//! itself until somebody says otherwise: `P/quarantine/lift`, `P/clock/trust`.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::fields::{Fields, Posted};
use super::operate::{carry_out, refused};
use crate::api::backend::Pauses;
use crate::api::chronos::jobs::unexpected;
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response, print};
use crate::engine::{Reply, Request};
use crate::model::{JobName, PauseScope};

/// `POST P/pause`.
pub(crate) async fn pause(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let known = &["job", "everything", "subtree", "until", "reason"];
    let (desk, fields) = posted.fields(known).await?;
    let (scope, until) = (scope(&fields)?, fields.instant("until")?);
    let by = desk.intervention(fields.reason()?);
    let is_everything = scope == PauseScope::Everything;
    answer(&desk, is_everything, Request::Pause { scope, until, by }).await
}

/// `POST P/resume`.
pub(crate) async fn resume(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "everything", "subtree", "reason"]).await?;
    let scope = scope(&fields)?;
    let by = desk.intervention(fields.reason()?);
    let is_everything = scope == PauseScope::Everything;
    answer(&desk, is_everything, Request::Resume { scope, by }).await
}

/// What is meant: one job, with all that follows from it or without, or everything.
fn scope(fields: &Fields) -> Result<PauseScope, ApiError> {
    let is_everything = fields.flag("everything")?;
    let is_subtree = fields.flag("subtree")?;
    match (is_everything, fields.has("job"), is_subtree) {
        (true, true, _) => {
            Err(ApiError::invalid("everything", "`everything` has no place beside `job`")
                .remedy("leave one of them out"))
        }
        (true, false, true) => {
            Err(ApiError::invalid("subtree", "`subtree` has no place beside `everything`")
                .remedy("leave one of them out"))
        }
        (true, false, false) => Ok(PauseScope::Everything),
        (false, false, _) => {
            Err(ApiError::invalid("job", "neither `job` nor `everything` is given")
                .remedy("name a job, or write `\"everything\": true`"))
        }
        (false, true, true) => Ok(PauseScope::Subtree(fields.job()?)),
        (false, true, false) => Ok(PauseScope::Job(fields.job()?)),
    }
}

async fn answer(desk: &Desk, is_everything: bool, request: Request) -> Result<Response, ApiError> {
    match desk.submit(request).await? {
        Reply::Paused { names } => {
            let jobs: Vec<&str> = names.iter().map(JobName::as_str).collect();
            Ok(json_response(&json!({"everything": is_everything, "jobs": jobs})))
        }
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// `GET P/pauses`.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let Pauses { everything, jobs, skips } = desk.pauses();
    let jobs: Value = jobs
        .iter()
        .map(|(job, pause)| {
            let mut printed = print::pause(pause);
            printed["job"] = job.as_str().into();
            printed
        })
        .collect();
    let skips: Value = skips
        .iter()
        .map(|(job, due_at, by)| {
            json!({
                "job": job.as_str(),
                "dueAt": print::instant(*due_at),
                "by": print::intervention(by),
            })
        })
        .collect();
    let everything = everything.as_ref().map(print::pause);
    Ok(json_response(&json!({"everything": everything, "jobs": jobs, "skips": skips})))
}

/// `POST P/skip`.
pub(crate) async fn skip(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "dueAt", "reason"]).await?;
    let (name, due_at) = (fields.job()?, fields.instant("dueAt")?);
    let by = desk.intervention(fields.reason()?);
    let request = Request::SkipAhead { name: name.clone(), due_at, by };
    skipped(&desk, &name, request).await
}

/// `POST P/unskip`.
pub(crate) async fn unskip(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "dueAt", "reason"]).await?;
    let (name, due_at) = (fields.job()?, fields.required_instant("dueAt")?);
    let by = desk.intervention(fields.reason()?);
    let request = Request::UnskipAhead { name: name.clone(), due_at, by };
    skipped(&desk, &name, request).await
}

async fn skipped(desk: &Desk, name: &JobName, request: Request) -> Result<Response, ApiError> {
    match desk.submit(request).await? {
        Reply::SkippedAhead { due_at } => {
            Ok(json_response(&json!({"job": name.as_str(), "dueAt": print::instant(due_at)})))
        }
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// `POST P/quarantine/lift`.
pub(crate) async fn lift_quarantine(posted: Posted) -> Result<StatusCode, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "reason"]).await?;
    let name = fields.job()?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::LiftQuarantine { name, by }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST P/clock/trust`.
pub(crate) async fn trust_clock(posted: Posted) -> Result<StatusCode, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields_if_any(&["reason"]).await?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::TrustClock { by }).await?;
    Ok(StatusCode::NO_CONTENT)
}
