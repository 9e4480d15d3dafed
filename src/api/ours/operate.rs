//! Runs, as operators start and move them: `P/runs` and `P/run/{id}/{verb}`.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::fields::Posted;
use super::runs::{RunPath, unknown_run, unreadable};
use crate::api::chronos::jobs::{submit, unexpected};
use crate::api::error::ApiError;
use crate::api::{Desk, json_response, print};
use crate::engine::{PastRun, Rejection, RejectionCode, Reply, Request};
use crate::model::{Ask, Became, Intervention, Run, RunId, RunVerb};

/// `POST P/runs`: run a job now, perhaps for another instant.
pub(crate) async fn run_now(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let known = &["job", "arguments", "environment", "dueAt", "reason"];
    let (desk, fields) = posted.fields(known).await?;
    let ask = Ask {
        arguments: fields.arguments()?,
        environment: fields.environment(&desk)?,
        due_at: fields.instant("dueAt")?,
        by: Some(desk.intervention(fields.reason()?)),
    };
    match desk.submit(Request::RunJob { name: fields.job()?, ask: Box::new(ask) }).await? {
        Reply::Triggered { run } => Ok(created(&json!({"run": run.to_string()}))),
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// 201 with a body.
pub(super) fn created(body: &Value) -> Response {
    (StatusCode::CREATED, json_response(body)).into_response()
}

/// `POST P/run/{id}/kill`.
pub(crate) async fn kill(RunPath(id): RunPath, posted: Posted) -> Result<Response, ApiError> {
    operate(RunVerb::Kill, id, posted).await
}

/// `POST P/run/{id}/retry`.
pub(crate) async fn retry(RunPath(id): RunPath, posted: Posted) -> Result<Response, ApiError> {
    operate(RunVerb::Retry, id, posted).await
}

/// `POST P/run/{id}/retry-down?dryRun=`.
pub(crate) async fn retry_down(RunPath(id): RunPath, posted: Posted) -> Result<Response, ApiError> {
    operate(RunVerb::RetryDown, id, posted).await
}

/// `POST P/run/{id}/succeed`.
pub(crate) async fn succeed(RunPath(id): RunPath, posted: Posted) -> Result<Response, ApiError> {
    operate(RunVerb::Succeed, id, posted).await
}

/// `POST P/run/{id}/skip`.
pub(crate) async fn skip(RunPath(id): RunPath, posted: Posted) -> Result<Response, ApiError> {
    operate(RunVerb::Skip, id, posted).await
}

async fn operate(verb: RunVerb, id: RunId, posted: Posted) -> Result<Response, ApiError> {
    let is_dry = match verb {
        RunVerb::RetryDown => posted.is_dry()?,
        RunVerb::Kill | RunVerb::Retry | RunVerb::Succeed | RunVerb::Skip => {
            posted.without_query()?;
            false
        }
    };
    let (desk, fields) = posted.fields_if_any(&["reason"]).await?;
    let by = desk.intervention(fields.reason()?);
    let run = find(&desk, id, verb, &by).await?;
    let was_live = !run.is_ended();
    match attempt(&desk, verb, run, &by, is_dry).await? {
        // It ended between the look at it and the decision: then what the history knows of it counts.
        Err(rejection) if was_live && rejection.code == RejectionCode::UnknownRun => {
            let run = find(&desk, id, verb, &by).await?;
            attempt(&desk, verb, run, &by, is_dry).await?
        }
        done => done,
    }
    .map_err(refused)
}

/// The run, or 404.
async fn find(desk: &Desk, id: RunId, verb: RunVerb, by: &Intervention) -> Result<Run, ApiError> {
    let run = desk.run_to_operate(id, verb, by).await.map_err(unreadable)?;
    run.ok_or_else(|| unknown_run(&id.to_string()))
}

/// Has it done, as the run stands in the history.
async fn attempt(
    desk: &Desk,
    verb: RunVerb,
    run: Run,
    by: &Intervention,
    is_dry: bool,
) -> Result<Result<Response, Rejection>, ApiError> {
    let id = run.id;
    let name = run.job.clone();
    let is_over = run.is_ended();
    let followed = match verb {
        RunVerb::RetryDown if is_over => desk.followed(&run).await?,
        RunVerb::RetryDown | RunVerb::Kill | RunVerb::Retry | RunVerb::Succeed | RunVerb::Skip => {
            Vec::new()
        }
    };
    let below = followed.iter().map(|it| it.to_below()).collect();
    let past = is_over.then(|| Box::new(PastRun { run, below }));
    let request = Request::OperateRun { name, run: id, verb, past, by: by.clone() };
    match submit(desk, request, is_dry).await? {
        Reply::Operated { .. } if is_dry => {
            let below: Value = followed
                .iter()
                .map(|it| {
                    let seen = it.borrows.iter().filter(|(job, _)| desk.in_scope(job).is_some());
                    let borrows: Vec<String> =
                        seen.map(|(_, borrowed)| borrowed.run.to_string()).collect();
                    json!({
                        "run": it.run.id.to_string(),
                        "job": it.run.job.as_str(),
                        "dueAt": print::instant(it.run.trigger.due_at()),
                        "borrows": borrows,
                    })
                })
                .collect();
            let told = json!({"dryRun": true, "run": id.to_string(), "below": below});
            Ok(Ok(json_response(&told)))
        }
        Reply::Operated { run, became } => Ok(Ok(json_response(&operated(run, &became)))),
        Reply::Refused(rejection) => Ok(Err(rejection)),
        other => Err(unexpected(&other)),
    }
}

fn operated(run: RunId, became: &Became) -> Value {
    let (word, verdict, followed_by) = match became {
        Became::Stopping => ("stopping", None, None),
        Became::Ended(verdict) => ("ended", Some(verdict.as_str()), None),
        Became::TriedAgain => ("triedAgain", None, None),
        Became::Followed { by } => ("followed", None, Some(by.to_string())),
    };
    json!({"run": run.to_string(), "became": word, "verdict": verdict, "followedBy": followed_by})
}

/// Has it done, where nothing more is to be said of it.
pub(super) async fn carry_out(desk: &Desk, request: Request) -> Result<(), ApiError> {
    match desk.submit(request).await? {
        Reply::Done => Ok(()),
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// What the engine refused, with the names that fields have here.
pub(super) fn refused(mut rejection: Rejection) -> ApiError {
    match rejection.field.as_ref() {
        "due" => rejection.field = "dueAt".into(),
        "name" => rejection.field = "job".into(),
        _ => {}
    }
    ApiError::rejected(rejection)
}
