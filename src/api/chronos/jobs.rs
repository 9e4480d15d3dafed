//! Jobs: create, replace, read, run now, stop, delete. Paths, answers and texts are Chronos'.
//!
//! A changing request is read into a [`Request`], handed to the loop, and answered when its outcome is durable. What
//! the two dialects spell differently is decided here; what a job may be is decided by `jobspec` and the engine.

use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::header::WARNING;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tracing::warn;

use crate::api::backend::JobView;
use crate::api::edge::front::{Exchange, shown};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::revision::headers_of;
use crate::api::{Desk, json_response};
use crate::engine::{Rejection, RejectionCode, Reply, Request};
use crate::jobspec::{self, Derived, Problem, Reading};
use crate::model::{Dialect, Intervention, JobName, NameRule, When};
use crate::schedule::{self, parse_period};

/// The name of the answer's header that says which run a manual start made.
const RUN_ID: HeaderName = HeaderName::from_static("chronode-run-id");

/// Which of the doors for definitions a body came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `P/iso8601`: jobs with a schedule.
    Scheduled,
    /// `P/cron`: jobs with a schedule that is a cron expression.
    Cron,
    /// `P/dependency`: jobs with parents.
    Dependent,
}

/// `POST P/iso8601`, `PUT P/iso8601`.
pub(crate) async fn put_scheduled(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    put(&desk, &exchange, Kind::Scheduled, &query, &body).await
}

/// `POST P/cron`, `PUT P/cron`.
pub(crate) async fn put_cron(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    put(&desk, &exchange, Kind::Cron, &query, &body).await
}

/// `POST P/dependency`, `PUT P/dependency`.
pub(crate) async fn put_dependent(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    put(&desk, &exchange, Kind::Dependent, &query, &body).await
}

async fn put(
    desk: &Desk,
    exchange: &Exchange,
    kind: Kind,
    query: &Query,
    body: &Bytes,
) -> Result<Response, ApiError> {
    let is_dry = query.dry_run()?;
    let Reading { draft, unknown, warnings } = read(desk, body).await?;
    let mut sentences: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    match (&draft.when, kind) {
        (When::Schedule(_), Kind::Scheduled) | (When::Parents(_), Kind::Dependent) => {}
        (When::Schedule(terms), Kind::Cron) => {
            if schedule::is_interval(&terms.text) {
                return Err(no_cron_expression(body, &sentences));
            }
        }
        (When::Parents(_), Kind::Scheduled | Kind::Cron) => {
            return Err(ApiError::invalid("parents", "a job with `parents` has no place here")
                .remedy("send it to `dependency`, or give it a `schedule` instead of `parents`"));
        }
        (When::Schedule(_), Kind::Dependent) => {
            return Err(ApiError::invalid("schedule", "a job with a `schedule` has no place here")
                .remedy("send it to `iso8601`, or give it `parents` instead of a `schedule`"));
        }
    }
    sentences.extend(warnings.iter().map(ToString::to_string));
    let request = Request::PutJob { draft: Box::new(draft), dialect: desk.dialect };
    match submit(desk, request, is_dry).await? {
        Reply::Stored { version, created, warnings, consequences } => {
            sentences.extend(warnings);
            if is_dry {
                return Ok(json_response(&json!({
                    "dryRun": true,
                    "created": created,
                    "warnings": sentences,
                    "consequences": consequences,
                })));
            }
            for sentence in &sentences {
                warn!(request = exchange.id, "job accepted, but {}", shown(sentence));
            }
            for sentence in &consequences {
                warn!(request = exchange.id, "job accepted: {}", shown(sentence));
            }
            sentences.extend(consequences);
            Ok((headers_of(version), done_with(&sentences)).into_response())
        }
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// Has a request carried out, or only told what it would be answered.
pub(crate) async fn submit(desk: &Desk, request: Request, is_dry: bool) -> Result<Reply, ApiError> {
    let request = if is_dry { Request::DryRun(Box::new(request)) } else { request };
    desk.submit(request).await
}

/// A body without a schedule reads as an interval too, as in Chronos; `unknown` are its fields that nobody knows.
fn no_cron_expression(body: &Bytes, unknown: &[String]) -> ApiError {
    let value = jobspec::parse_json(body).unwrap_or_default();
    if value.get("schedule").is_some_and(|text| !text.is_null()) {
        let message = "`schedule` is a repeating interval, which has no place here";
        return ApiError::invalid("schedule", message)
            .remedy("send it to `iso8601`, or write a cron expression such as `30 2 * * *`");
    }
    let sentences = [&["`schedule` is missing".to_owned()], unknown].concat();
    ApiError::invalid("schedule", sentences.join("; "))
        .remedy("give the job a cron expression such as `30 2 * * *`")
}

/// Reads a body as this door understands it.
///
/// A name that only the other door would let in may be replaced here, as Chronos checks the names of new jobs only.
pub(crate) async fn read(desk: &Desk, body: &Bytes) -> Result<Reading, ApiError> {
    let (reader, bytes) = (desk.clone(), body.clone());
    let read = move || {
        let value =
            jobspec::parse_json(&bytes).map_err(|problem| ApiError::problems(vec![problem]))?;
        let is_repeated = reader.repeated().is_some();
        read_value(&reader, &value, is_repeated, false).map_err(ApiError::problems)
    };
    desk.read_body(body.len(), read).await?
}

/// The same of a body that is parsed already, or of a job of a source as its file has it. Whoever repeats a request is answered although the job has gone that it
/// replaced.
pub(crate) fn read_value(
    desk: &Desk,
    value: &Value,
    is_repeated: bool,
    is_of_source: bool,
) -> Result<Reading, Vec<Problem>> {
    let known = value
        .get("name")
        .and_then(Value::as_str)
        .and_then(|text| JobName::parse(text, NameRule::Blanks).ok())
        .is_some_and(|name| desk.job(&name).is_some());
    let names = if known || is_repeated { NameRule::Blanks } else { desk.dialect.name_rule() };
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    if is_of_source {
        return jobspec::read_from_file(value, names, &period);
    }
    jobspec::read_as(value, desk.dialect, names, &period)
}

/// Any name that a job can have, whichever door it came through.
pub(crate) fn parse_name(text: &str) -> Result<JobName, ApiError> {
    JobName::parse(text, NameRule::Blanks).map_err(|error| {
        ApiError::invalid("jobs", format!("`{}` names no job: {error}", shown(text)))
    })
}

/// At most so many `Warning` headers, so that an answer's head stays readable for every client.
const WARNINGS_MAX: usize = 10;

/// 204, with what the client should know all the same.
pub(crate) fn done_with(sentences: &[String]) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    // The last place says how many have none.
    let told = if sentences.len() > WARNINGS_MAX { WARNINGS_MAX - 1 } else { sentences.len() };
    let (told, rest) = sentences.split_at(told);
    let rest = match rest.len() {
        0 => None,
        count => Some(format!("and {count} more, which are in the log")),
    };
    for sentence in told.iter().chain(&rest) {
        response.headers_mut().append(WARNING, warning(sentence));
    }
    response
}

/// `299 chronode "…"`: a header takes visible ASCII only, and the text is a quoted string.
fn warning(sentence: &str) -> HeaderValue {
    let mut quoted = String::new();
    for c in shown(sentence).chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ => quoted.push('?'),
        }
    }
    HeaderValue::try_from(format!("299 chronode \"{quoted}\""))
        .expect("only visible ASCII was let through")
}

/// `GET P/job/{name}`.
pub(crate) async fn show(desk: Desk, JobPath(name): JobPath) -> Result<Response, ApiError> {
    let view = desk.job(&name).ok_or_else(|| unknown_job(name.as_str()))?;
    let printed = json_response(&Value::Object(print(&view, desk.dialect)));
    Ok((headers_of(view.record.version()), printed).into_response())
}

pub(super) fn print(view: &JobView, dialect: Dialect) -> Map<String, Value> {
    let derived = Derived {
        next_due: view.next_due,
        remaining: view.remaining,
        waits_for: view.waits_for.clone(),
    };
    jobspec::print_job(&view.record.job, &view.record.stats, dialect, derived)
}

/// `PUT P/job/{name}?arguments=…`: run it now.
pub(crate) async fn run(
    desk: Desk,
    JobPath(name): JobPath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    refuse_dry_run(&query)?;
    let arguments = query.get("arguments").filter(|text| !text.trim().is_empty());
    if arguments.is_some_and(|text| text.contains('\0')) {
        return Err(ApiError::invalid(
            "arguments",
            "`arguments` contains a NUL, which no command can be given",
        ));
    }
    let arguments = arguments.map(ToOwned::to_owned);
    match desk
        .submit(Request::RunJob { name: name.clone(), ask: Box::new(desk.ask(arguments)) })
        .await?
    {
        Reply::Triggered { run } => {
            let id = HeaderValue::try_from(run.to_string()).expect("a run's id is visible ASCII");
            Ok((StatusCode::NO_CONTENT, [(RUN_ID, id)]).into_response())
        }
        Reply::Refused(rejection) => Err(refused(rejection, || unknown_job(name.as_str()))),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE P/job/{name}?reason=`.
pub(crate) async fn delete(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    JobPath(name): JobPath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let (is_dry, by) = (query.dry_run()?, asked_by(&desk, &query)?);
    match submit(&desk, Request::DeleteJob { name: name.clone(), by }, is_dry).await? {
        Reply::Deleted { consequences } if is_dry => {
            Ok(json_response(&json!({"dryRun": true, "consequences": consequences})))
        }
        Reply::Deleted { consequences } => {
            for sentence in &consequences {
                warn!(request = exchange.id, "job deleted: {}", shown(sentence));
            }
            Ok(done_with(&consequences))
        }
        Reply::Refused(rejection) => Err(refused(rejection, || unknown_entry(&name, desk.dialect))),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE P/task/kill/{name}?reason=`: stop its runs.
pub(crate) async fn kill(
    desk: Desk,
    JobPath(name): JobPath,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    let query = Query::parse(query.as_deref())?;
    refuse_dry_run(&query)?;
    let by = asked_by(&desk, &query)?;
    match desk.submit(Request::KillJob { name: name.clone(), by }).await? {
        Reply::Stopping { count: _ } => Ok(StatusCode::NO_CONTENT),
        Reply::Refused(rejection) => Err(refused(rejection, || unknown_entry(&name, desk.dialect))),
        other => Err(unexpected(&other)),
    }
}

/// Who wants it, if they say why: what comes of a request without a reason reads as it does in Chronos.
fn asked_by(desk: &Desk, query: &Query) -> Result<Option<Intervention>, ApiError> {
    Ok(query.reason()?.map(|reason| desk.intervention(reason.to_owned())))
}

/// Whoever asks for one must not have it done.
pub(crate) fn refuse_dry_run(query: &Query) -> Result<(), ApiError> {
    if query.dry_run()? {
        let message = "what is asked here cannot be tried out";
        return Err(ApiError::invalid("dryRun", message).remedy("leave `dryRun` out to do it"));
    }
    Ok(())
}

pub(crate) fn refused(rejection: Rejection, unknown: impl FnOnce() -> ApiError) -> ApiError {
    match rejection.code {
        RejectionCode::UnknownJob => unknown(),
        RejectionCode::InvalidField
        | RejectionCode::Unsupported
        | RejectionCode::LimitReached
        | RejectionCode::Changed
        | RejectionCode::KeyReused
        | RejectionCode::UnknownTask
        | RejectionCode::UnknownRun
        | RejectionCode::UnknownIncident
        | RejectionCode::UnknownNotification
        | RejectionCode::Impossible
        | RejectionCode::OwnedElsewhere => ApiError::rejected(rejection),
    }
}

pub(crate) fn unknown_job(name: &str) -> ApiError {
    ApiError::unknown_job(format!("Job '{}' not found", shown(name)))
}

/// Chronos 3 words it differently where it looks for the schedule.
pub(crate) fn unknown_entry(name: &JobName, dialect: Dialect) -> ApiError {
    match dialect {
        Dialect::V0 => unknown_job(name.as_str()),
        Dialect::V1 => ApiError::unknown_job(format!("JobSchedule '{name}' not found")),
    }
}

pub(crate) fn unexpected(reply: &Reply) -> ApiError {
    let detail = format!("the engine's reply does not fit the request: {reply:?}");
    ApiError::internal("the request was handled, but its outcome is unclear", detail)
}

/// A job's name in a path. Every name that any door lets in is looked up; others cannot exist.
pub(crate) struct JobPath(pub(crate) JobName);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_found(parts.uri.path(), "the path is no UTF-8"))?;
        Self::parse(&text)
    }
}

impl JobPath {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        JobName::parse(text, NameRule::Blanks)
            .map(Self)
            .map_err(|error| not_found(text, &error.to_string()))
    }
}

fn not_found(name: &str, why: &str) -> ApiError {
    ApiError::unknown_job(format!("Job '{}' not found: {why}", shown(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_quoted_line_of_ascii() {
        let text = warning("it's \"x\" é\r\nX-Evil: 1");
        assert_eq!(text, r#"299 chronode "it's \"x\" ?\\r\\nX-Evil: 1""#);
    }
}
