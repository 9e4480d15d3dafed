//! What is wrong, and what people do about being told of it: `P/incidents`, `P/incident/{id}`, `P/silence`, `P/unsilence`.

use std::fmt::Display;

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use serde_json::{Value, json};

use super::fields::{Fields, Posted};
use super::notifications;
use super::operate::carry_out;
use crate::alerts::Subject;
use crate::api::backend::{IncidentView, IncidentsWanted, NotificationsWanted, standing};
use crate::api::chronos::jobs::unknown_job;
use crate::api::edge::front::shown;
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::{Desk, json_response, print};
use crate::engine::Request;
use crate::model::{
    Address, Alert, Incident, IncidentId, IncidentKey, JobName, NameRule, Silence, Timestamp,
};
use crate::schedule::parse_period;

/// Incidents of a page when the client does not say, and at most.
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;
/// Jobs named with one incident or notification; more are counted.
pub(super) const JOBS_NAMED: usize = 20;
/// Notifications told with one incident, the latest.
const NOTIFICATIONS_TOLD: usize = 100;

/// The words of `state`.
const STATES: [&str; 3] = ["open", "closed", "all"];

/// `GET P/incidents?state=&job=&before=&limit=`: newest first.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["state", "job", "before", "limit"])?;
    let job = query.get("job").map(|text| {
        JobName::parse(text, NameRule::Blanks)
            .map_err(|error| ApiError::invalid("job", error.to_string()))
    });
    let job = job.transpose()?;
    let is_open = match query.get("state") {
        None | Some("open") => Some(true),
        Some("closed") => Some(false),
        Some("all") => None,
        Some(other) => {
            let expected = format!("one of {}", STATES.join(", "));
            return Err(query::invalid("state", other, &expected));
        }
    };
    let before = query.get("before").map(|text| {
        let expected = "the `next` of the page before";
        IncidentId::parse(text).ok_or_else(|| query::invalid("before", text, expected))
    });
    let wanted = IncidentsWanted {
        is_open,
        job: job.clone(),
        before: before.transpose()?,
        limit: query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT),
        ..IncidentsWanted::default()
    };
    let now = desk.almanac().now;
    let page = desk.incidents(wanted).await.map_err(unreadable)?;
    let incidents: Value = page.incidents.iter().map(|view| printed(view, now)).collect();
    let counts = page.counts;
    let mut answer = json!({
        "total": page.total,
        "counts": {
            "open": counts.open,
            "acknowledged": counts.acknowledged,
            "silenced": counts.silenced,
            "closed": counts.closed,
        },
        "next": page.next.map(|id| id.to_string()),
        "incidents": incidents,
    });
    if let Some(job) = &job {
        answer["silence"] = silence_in_force(desk.silence_of(job).as_ref(), now);
    }
    Ok(json_response(&answer))
}

/// `GET P/incident/{id}`.
pub(crate) async fn show(
    desk: Desk,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    answer(&desk, parse(&id)?).await
}

/// `POST P/incident/{id}/acknowledge`.
pub(crate) async fn acknowledge(
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, ApiError> {
    posted.without_query()?;
    let id = parse(&id)?;
    let (desk, fields) = posted.fields_if_any(&["reason"]).await?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::AcknowledgeIncident { id, by }).await?;
    answer(&desk, id).await
}

/// `POST P/incident/{id}/silence`.
pub(crate) async fn silence(Path(id): Path<String>, posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let id = parse(&id)?;
    let (desk, fields) = posted.fields(&["until", "for", "reason"]).await?;
    begin_silence(&desk, &fields, Subject::Incident(id)).await?;
    answer(&desk, id).await
}

/// `POST P/incident/{id}/unsilence`.
pub(crate) async fn unsilence(
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, ApiError> {
    posted.without_query()?;
    let id = parse(&id)?;
    let (desk, fields) = posted.fields_if_any(&["reason"]).await?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::EndSilence { subject: Subject::Incident(id), by }).await?;
    answer(&desk, id).await
}

/// `POST P/silence`.
pub(crate) async fn silence_job(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "until", "for", "reason"]).await?;
    let job = fields.job()?;
    desk.in_scope(&job).ok_or_else(|| unknown_job(job.as_str()))?;
    begin_silence(&desk, &fields, Subject::Job(job.clone())).await?;
    Ok(of_job(&desk, &job))
}

/// `POST P/unsilence`.
pub(crate) async fn unsilence_job(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields(&["job", "reason"]).await?;
    let job = fields.job()?;
    let by = desk.intervention(fields.reason()?);
    carry_out(&desk, Request::EndSilence { subject: Subject::Job(job.clone()), by }).await?;
    Ok(of_job(&desk, &job))
}

async fn begin_silence(desk: &Desk, fields: &Fields, subject: Subject) -> Result<(), ApiError> {
    let length = fields.text("for", "PT1H")?;
    let until = match (fields.instant("until")?, length) {
        (Some(until), None) => until,
        (None, Some(text)) => {
            let length = parse_period(text).map_err(|error| {
                ApiError::invalid("for", error.to_string())
                    .remedy("write an ISO 8601 period, such as `PT1H` for an hour")
            })?;
            let now = desk.almanac().now;
            now.checked_add(length).map_err(|_| {
                ApiError::invalid("for", format!("`for` is too long: `{}`", shown(text)))
            })?
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("for", "`for` has no place beside `until`")
                .remedy("leave one of them out"));
        }
        (None, None) => {
            return Err(ApiError::invalid("until", "neither `until` nor `for` is given")
                .remedy("say how long: `\"for\": \"PT1H\"`, or until when"));
        }
    };
    let by = desk.intervention(fields.reason()?);
    carry_out(desk, Request::Silence { subject, until, by }).await
}

fn of_job(desk: &Desk, job: &JobName) -> Response {
    let silence = silence_in_force(desk.silence_of(job).as_ref(), desk.almanac().now);
    json_response(&json!({"job": job.as_str(), "silence": silence}))
}

/// One incident with the messages that tell of it.
async fn answer(desk: &Desk, id: IncidentId) -> Result<Response, ApiError> {
    let view = desk.incident(id).await.map_err(unreadable)?;
    let view = view.ok_or_else(|| unknown_incident(&id))?;
    let wanted = NotificationsWanted {
        incident: Some(id),
        limit: NOTIFICATIONS_TOLD,
        ..NotificationsWanted::default()
    };
    let told = desk.notifications(wanted).await.map_err(unreadable)?;
    let mut printed = printed(&view, desk.almanac().now);
    printed["notifications"] = told.notifications.iter().map(notifications::printed).collect();
    Ok(json_response(&printed))
}

fn parse(text: &str) -> Result<IncidentId, ApiError> {
    IncidentId::parse(text).ok_or_else(|| unknown_incident(&text))
}

/// That there is no such incident.
pub(crate) fn unknown_incident(id: &dyn Display) -> ApiError {
    ApiError::not_found(
        "unknown_incident",
        format!("incident `{}` not found", shown(&id.to_string())),
    )
    .remedy("`incidents` lists those that are kept")
}

/// The answer where what is stored cannot be read.
pub(super) fn unreadable(detail: String) -> ApiError {
    ApiError::internal("the incidents cannot be read; the log says why", detail)
}

fn printed(view: &IncidentView, now: Timestamp) -> Value {
    let IncidentView { incident, latest } = view;
    let key = match &incident.key {
        IncidentKey::Job(job) => json!({"job": job.as_str()}),
        IncidentKey::Cause(cause) => json!({"cause": cause}),
    };
    // Of one that is over none is in trouble any more: those are named that it was about last.
    let of_latest = latest.iter().filter_map(|alert| alert.job.as_ref().map(|job| &job.name));
    let mut jobs: Vec<&JobName> = match incident.closed_at {
        None => incident.jobs.iter().collect(),
        Some(_) => of_latest.collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
    };
    let jobs_left_out = jobs.len().saturating_sub(JOBS_NAMED);
    jobs.truncate(JOBS_NAMED);
    let Incident {
        id,
        key: _,
        kind,
        opened_at,
        last_at,
        closed_at,
        alerts,
        latest: _,
        jobs: _,
        told,
        told_at,
        untold,
        acknowledged,
        silence,
    } = incident;
    json!({
        "id": id.to_string(),
        "key": key,
        "kind": kind.name(),
        "state": standing(incident, now),
        "openedAt": print::instant(*opened_at),
        "lastAt": print::instant(*last_at),
        "closedAt": closed_at.map(print::instant),
        "alerts": alerts,
        "untold": untold,
        "jobs": jobs.iter().map(|job| job.as_str()).collect::<Vec<_>>(),
        "jobsLeftOut": jobs_left_out,
        "told": told.iter().map(address).collect::<Value>(),
        "toldAt": told_at.map(print::instant),
        "acknowledged": acknowledged.as_ref().map(print::intervention),
        "silence": silence_in_force(silence.as_ref(), now),
        "latest": latest.iter().map(alert).collect::<Value>(),
    })
}

fn address(address: &Address) -> Value {
    let Address { channel, recipient } = address;
    json!({"channel": channel, "recipient": recipient})
}

/// Until when nobody is told, and who wanted it; `null` if that is over.
fn silence_in_force(silence: Option<&Silence>, now: Timestamp) -> Value {
    let Some(Silence { until, by }) = silence.filter(|silence| silence.until > now) else {
        return Value::Null;
    };
    let mut printed = print::intervention(by);
    printed["until"] = print::instant(*until).into();
    printed
}

fn alert(alert: &Alert) -> Value {
    let Alert { id, incident: _, kind, at, job, run, backfill, reason, retry_at, next_due_at } =
        alert;
    let run = run.as_deref();
    json!({
        "id": id.to_string(),
        "kind": kind.name(),
        "at": print::instant(*at),
        "job": job.as_ref().map(|job| job.name.as_str()),
        "owner": job.as_ref().map_or("", |job| job.owner.as_str()),
        "runbook": job.as_ref().map_or("", |job| job.runbook.as_str()),
        "run": run.map(|run| run.id.to_string()),
        "dueAt": run.map(|run| print::instant(run.due_at)),
        "taskId": run.and_then(|run| run.task_id.as_ref()).map(|task_id| task_id.as_str()),
        "exit": run.and_then(|run| run.exit.as_ref()).map(print::exit),
        "backfill": backfill.map(|id| id.to_string()),
        "reason": reason,
        "retryAt": retry_at.map(print::instant),
        "nextDueAt": next_due_at.map(print::instant),
    })
}
