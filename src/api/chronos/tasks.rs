//! What is said of tasks and runs: how one ended, how far it is, that a job counts as done, that nothing is to wait.
//! Paths, answers and texts are Chronos'.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::jobs::{JobPath, refuse_dry_run, refused, unexpected, unknown_entry};
use crate::api::Desk;
use crate::api::edge::front::{Exchange, shown};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::engine::{RejectionCode, Reply, Request};
use crate::jobspec;
use crate::model::{JobName, NameRule, TaskId};

/// `PUT P/job/success/{name}`: as if a run had succeeded now. A job that is not there is no error, as in Chronos.
pub(crate) async fn mark_success(
    desk: Desk,
    Path(text): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    refuse_dry_run(&Query::parse(query.as_deref())?)?;
    let is_marked = match JobName::parse(&text, NameRule::Blanks) {
        Err(_) => false,
        Ok(name) => match desk.submit(Request::MarkSuccess { name }).await {
            Ok(Reply::Marked { run: _ }) => true,
            Ok(Reply::Refused(rejection)) if rejection.code == RejectionCode::UnknownJob => false,
            Ok(Reply::Refused(rejection)) => return Err(ApiError::rejected(rejection)),
            Ok(other) => return Err(unexpected(&other)),
            // One that the caller may not see is not there either.
            Err(refusal) if refusal.code() == RejectionCode::UnknownJob.as_str() => false,
            Err(error) => return Err(error),
        },
    };
    // Labelled as JSON although it is none: clients of Chronos expect it so.
    let json = HeaderValue::from_static("application/json");
    let text = format!("marked job {} as successful: {is_marked}", shown(&text));
    Ok(([(CONTENT_TYPE, json)], text).into_response())
}

/// `POST P/job/{name}/task/{taskId}/progress`: how many more elements the task has processed.
pub(crate) async fn progress(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    Path((name, task_id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    refuse_dry_run(&Query::parse(query.as_deref())?)?;
    const FIELD: &str = "numAdditionalElementsProcessed";
    let JobPath(name) = JobPath::parse(&name)?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let more = number(&body, FIELD)?;
    if !task_id.starts_with("ct:") {
        return Err(ApiError::invalid(
            "taskId",
            format!("Invalid task id format '{}'", shown(&task_id)),
        )
        .remedy("give the id that the task has in `mesos_task_id`"));
    }
    // A body that says nothing counts nothing, but the job and the task must be there all the same.
    let elements = u64::try_from(more.unwrap_or_default()).map_err(|_| {
        ApiError::invalid(FIELD, format!("`{FIELD}` is negative")).remedy("give 0 or more")
    })?;
    let task_id = TaskId::from_text(task_id);
    match desk.submit(Request::Progress { name: name.clone(), task_id, elements }).await? {
        Reply::Progressed { elements: _ } => Ok(StatusCode::NO_CONTENT),
        Reply::Refused(rejection) => Err(refused(rejection, || unknown_entry(&name, desk.dialect))),
        other => Err(unexpected(&other)),
    }
}

/// `PUT P/task/{taskId}`: how a task ended, by its own word. A task that nobody knows is no error, as in Chronos.
pub(crate) async fn complete(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    Path(task_id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    refuse_dry_run(&Query::parse(query.as_deref())?)?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let status_code = number(&body, "statusCode")?.ok_or_else(|| {
        ApiError::invalid("statusCode", "`statusCode` is missing")
            .remedy("send `{\"statusCode\": 0}` for a success, and another number for a failure")
    })?;
    let task_id = TaskId::from_text(task_id);
    match desk.submit(Request::CompleteTask { task_id: task_id.clone(), status_code }).await? {
        Reply::Completed { is_known } => {
            if !is_known {
                let task = shown(task_id.as_str());
                tracing::warn!(request = exchange.id, "no live run has a task `{task}`");
            }
            Ok(StatusCode::NO_CONTENT)
        }
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE P/task/all`: nothing that has not been begun waits any longer.
pub(crate) async fn clear_queue(
    desk: Desk,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    refuse_dry_run(&Query::parse(query.as_deref())?)?;
    match desk.submit(Request::ClearQueue).await? {
        Reply::QueueCleared => Ok(StatusCode::NO_CONTENT),
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// A whole number in a body that is an object, also as text; `None` if it is not there.
fn number(body: &[u8], field: &'static str) -> Result<Option<i64>, ApiError> {
    let value = jobspec::parse_json(body).map_err(|problem| ApiError::problems(vec![problem]))?;
    let Value::Object(object) = &value else {
        return Err(ApiError::invalid("", "the body is no JSON object")
            .remedy(format!("send `{{\"{field}\": 0}}`")));
    };
    let number = match object.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    number.map(Some).ok_or_else(|| {
        ApiError::invalid(field, format!("`{field}` is no whole number")).remedy("send a number")
    })
}
