//! Backfills: `P/backfill`, `P/backfills`. What a dry run lists is what is then run, because both ask [`due`].

use std::collections::BTreeSet;

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::fields::{Fields, Posted};
use super::operate::{created, refused};
use crate::api::backend::{HistoryFilter, Timetable};
use crate::api::chronos::jobs::{submit, unexpected, unknown_job};
use crate::api::edge::front::shown;
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response, print};
use crate::engine::{BackfillDraft, Reply, Request, Timing};
use crate::model::limits::BACKFILL_MAX;
use crate::model::{
    Backfill, BackfillId, BackfillState, Duration, HistoryEntry, JobName, Overlap, Timestamp,
    Verdict,
};
use crate::schedule::Schedule;

/// Instants of a range that are looked at for those without a success.
const RANGE_MAX: usize = 100_000;
/// Entries of the history that are read at a time.
const HISTORY_PAGE: usize = 1_000;

const FIELDS: &[&str] = &[
    "job",
    "from",
    "to",
    "dueAt",
    "only",
    "order",
    "concurrency",
    "stopOnFailure",
    "arguments",
    "environment",
    "reason",
];

/// Which instants are meant.
enum Meant {
    /// Those that the schedule names from one instant on and before another.
    Range(Timestamp, Timestamp),
    /// These.
    Listed(Vec<Timestamp>),
}

/// `POST P/backfill?dryRun=`.
pub(crate) async fn begin(posted: Posted) -> Result<Response, ApiError> {
    let is_dry = posted.is_dry()?;
    let (desk, fields) = posted.fields(FIELDS).await?;
    let name = fields.job()?;
    let meant = meant(&fields)?;
    let is_missing_only = fields.word("only", &["missing", "all"])? == "missing";
    let is_newest_first = fields.word("order", &["oldest", "newest"])? == "newest";
    let mut draft = BackfillDraft {
        name: name.clone(),
        due: Vec::new(),
        concurrency: fields.count("concurrency")?.unwrap_or(1),
        stops_on_failure: fields.flag("stopOnFailure")?,
        arguments: fields.arguments()?,
        environment: fields.environment(&desk)?,
        by: desk.intervention(fields.reason()?),
    };
    let mut warnings = Vec::new();
    // What was carried out before under this key is answered as it was, whatever has succeeded since.
    // Of a job out of scope nothing is looked up: the desk refuses it.
    let is_new = is_dry || desk.repeated().is_none();
    if is_new && desk.in_scope(&name).is_some() {
        let timetable = desk.timetable(&name).ok_or_else(|| unknown_job(name.as_str()))?;
        draft.due = due(&desk, &timetable, meant, is_missing_only).await?;
        if is_newest_first {
            draft.due.reverse();
        }
        if is_dry {
            warnings = told(&desk, &timetable, &draft).await?;
        }
    }
    let due = draft.due.clone();
    match submit(&desk, Request::Backfill(Box::new(draft)), is_dry).await? {
        Reply::Backfilled { id: _ } if is_dry => {
            let due: Vec<String> = due.into_iter().map(print::instant).collect();
            Ok(json_response(&json!({"dryRun": true, "dueAt": due, "warnings": warnings})))
        }
        Reply::Backfilled { id } => {
            // As it is stored: an answer that is repeated tells what was begun then.
            let due = desk.backfill(id).map_or(due, |backfill| backfill.due);
            let due: Vec<String> = due.into_iter().map(print::instant).collect();
            Ok(created(&json!({"backfill": id.to_string(), "dueAt": due})))
        }
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

fn meant(fields: &Fields) -> Result<Meant, ApiError> {
    let (from, to) = (fields.instant("from")?, fields.instant("to")?);
    let missing = |name: &str| {
        ApiError::invalid(name, format!("`{name}` is missing"))
            .remedy("give `from` and `to`, or the instants themselves as `dueAt`")
    };
    match (fields.instants("dueAt")?, from, to) {
        (Some(listed), None, None) => Ok(Meant::Listed(listed)),
        (Some(_), _, _) => {
            Err(ApiError::invalid("dueAt", "`dueAt` has no place beside `from` and `to`")
                .remedy("leave one or the other out"))
        }
        (None, Some(from), Some(to)) if from < to => Ok(Meant::Range(from, to)),
        (None, Some(_), Some(_)) => Err(ApiError::invalid("to", "`to` is not after `from`")
            .remedy("give the instant before which the range ends")),
        (None, None, _) => Err(missing("from")),
        (None, Some(_), None) => Err(missing("to")),
    }
}

/// The instants to run for, oldest first.
async fn due(
    desk: &Desk,
    timetable: &Timetable,
    meant: Meant,
    is_missing_only: bool,
) -> Result<Vec<Timestamp>, ApiError> {
    let now = desk.almanac().now;
    let mut due = match meant {
        Meant::Listed(mut listed) => {
            listed.sort_unstable();
            listed
        }
        Meant::Range(from, to) => {
            let schedule = schedule(timetable)?.clone();
            let most = if is_missing_only { RANGE_MAX } else { BACKFILL_MAX };
            desk.foretell(move || named(&schedule, from, to, now, most)).await??
        }
    };
    if is_missing_only && !due.is_empty() {
        let done = succeeded(desk, &timetable.job.name).await?;
        due.retain(|at| !done.contains(at));
    }
    if due.is_empty() {
        let message = "there is no instant to run for";
        let remedy = if is_missing_only {
            "each has succeeded or none is named: give a longer range, or `\"only\": \"all\"`"
        } else {
            "give a longer range"
        };
        return Err(ApiError::invalid("dueAt", message).remedy(remedy));
    }
    if due.len() > BACKFILL_MAX {
        return Err(too_many(due.len()));
    }
    Ok(due)
}

fn too_many(count: usize) -> ApiError {
    let message = format!("{count} instants are more than the {BACKFILL_MAX} of one backfill");
    ApiError::invalid("to", message).remedy("give the range in parts")
}

/// The schedule, if it names instants.
fn schedule(timetable: &Timetable) -> Result<&Schedule, ApiError> {
    let name = &timetable.job.name;
    let why = match &timetable.timing {
        Timing::Schedule(schedule) if !schedule.is_at_boot() => return Ok(schedule),
        Timing::Schedule(_) => format!("`{name}` runs at each start of its machine"),
        Timing::Parents => format!("`{name}` runs after its parents"),
        Timing::Broken(why) => format!("the schedule of `{name}` cannot be used any more: {why}"),
    };
    Err(ApiError::invalid("from", format!("{why}, so no range has instants for it"))
        .remedy("give the instants themselves as `dueAt`"))
}

/// What the schedule names from `from` on, before `to` and until `now`: what is due later comes of itself.
fn named(
    schedule: &Schedule,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Timestamp>, ApiError> {
    let before = from.saturating_sub(Duration::from_nanos(1)).unwrap_or(Timestamp::MIN);
    let first = schedule.next_after(before);
    let all = std::iter::successors(first, |at| schedule.next_after(*at));
    let found: Vec<Timestamp> =
        all.take_while(|at| *at < to && *at <= now).take(most + 1).collect();
    if found.len() > most {
        let message = format!("the range has more than {most} instants");
        return Err(ApiError::invalid("to", message).remedy("give the range in parts"));
    }
    Ok(found)
}

/// The instants for which the history has a success of a job of that name.
async fn succeeded(desk: &Desk, job: &JobName) -> Result<BTreeSet<Timestamp>, ApiError> {
    let filter = HistoryFilter { verdict: Some(Verdict::Succeeded), ..of(job) };
    stood_for(desk, filter).await
}

fn of(job: &JobName) -> HistoryFilter {
    HistoryFilter { job: Some(job.clone()), ..HistoryFilter::default() }
}

/// The instants that the runs which `filter` lets through stood for.
async fn stood_for(desk: &Desk, filter: HistoryFilter) -> Result<BTreeSet<Timestamp>, ApiError> {
    let mut found = BTreeSet::new();
    let mut before = None;
    loop {
        let page = desk.history(filter.clone(), before, HISTORY_PAGE).await;
        let page = page.map_err(|detail| {
            ApiError::internal("the history cannot be read; the log says why", detail)
        })?;
        for entry in &page {
            match entry {
                HistoryEntry::Run(run) => found.insert(run.trigger.due_at()),
                HistoryEntry::Stretch(_) => false,
            };
        }
        match page.last() {
            Some(last) if page.len() == HISTORY_PAGE => before = Some(last.sequence()),
            Some(_) | None => return Ok(found),
        }
    }
}

/// What whoever begins it should know, as sentences.
async fn told(
    desk: &Desk,
    timetable: &Timetable,
    draft: &BackfillDraft,
) -> Result<Vec<String>, ApiError> {
    let Timetable { job, timing: _, is_paused } = timetable;
    let mut told = Vec::new();
    if job.disabled {
        told.push("the job is disabled; a backfill runs all the same".to_owned());
    }
    if *is_paused {
        told.push("the job is paused; a backfill runs all the same".to_owned());
    }
    let at_once = match job.overlap {
        Overlap::Skip | Overlap::Queue { .. } | Overlap::Replace => Some(1),
        Overlap::Allow { max } => max,
    };
    if let Some(at_once) = at_once.filter(|at_once| draft.concurrency > *at_once) {
        told.push(format!(
            "the job lets {at_once} of its runs go on at a time (overlap): the others wait"
        ));
    }
    let live = HistoryFilter { live: Some(true), ..of(&job.name) };
    let live = stood_for(desk, live).await?;
    let going_on = draft.due.iter().filter(|at| live.contains(at)).count();
    if going_on > 0 {
        told.push(format!("for {going_on} of the instants a run is going on already"));
    }
    Ok(told)
}

/// `GET P/backfills`: newest first.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let found: Value =
        desk.backfills().iter().rev().map(|backfill| Value::Object(brief(backfill))).collect();
    Ok(json_response(&json!({"backfills": found})))
}

/// `GET P/backfill/{id}`.
pub(crate) async fn show(
    desk: Desk,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let backfill = find(&desk, &id)?;
    let mut object = brief(&backfill);
    let due =
        backfill.due.iter().enumerate().map(
            |(index, at)| json!({"dueAt": print::instant(*at), "begun": index < backfill.begun}),
        );
    object.insert("dueAt".to_owned(), due.collect());
    Ok(json_response(&Value::Object(object)))
}

/// `POST P/backfill/{id}/cancel`.
pub(crate) async fn cancel(Path(id): Path<String>, posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields_if_any(&["kill", "reason"]).await?;
    let is_killing = fields.flag("kill")?;
    let by = desk.intervention(fields.reason()?);
    let Backfill { id, job: name, .. } = find(&desk, &id)?;
    match desk.submit(Request::CancelBackfill { name, id, is_killing, by }).await? {
        Reply::Dropped { count, left: _ } => Ok(json_response(&json!({"dropped": count}))),
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}

fn find(desk: &Desk, id: &str) -> Result<Backfill, ApiError> {
    BackfillId::parse(id).and_then(|id| desk.backfill(id)).ok_or_else(|| {
        ApiError::not_found("unknown_backfill", format!("backfill `{}` not found", shown(id)))
            .remedy("`backfills` lists those that are kept")
    })
}

/// A backfill without its instants.
fn brief(backfill: &Backfill) -> Map<String, Value> {
    let Backfill {
        id,
        incarnation: _,
        job,
        by,
        due,
        concurrency,
        stops_on_failure,
        arguments,
        environment,
        begun,
        ended,
        state,
    } = backfill;
    let (ended_at, reason) = match state {
        BackfillState::Going => (None, None),
        BackfillState::Done { at } => (Some(print::instant(*at)), None),
        BackfillState::Cancelled { at, reason } => (Some(print::instant(*at)), Some(reason)),
    };
    let counts: Map<String, Value> = ended
        .iter()
        .map(|(verdict, count)| (verdict.as_str().to_owned(), (*count).into()))
        .collect();
    let object = json!({
        "id": id.to_string(),
        "job": job.as_str(),
        "state": state.as_str(),
        "reason": reason,
        "endedAt": ended_at,
        "by": print::intervention(by),
        "concurrency": concurrency,
        "stopOnFailure": stops_on_failure,
        "arguments": arguments,
        "environment": environment.iter().map(print::variable).collect::<Value>(),
        "total": due.len(),
        "begun": begun,
        "live": backfill.live(),
        "ended": counts,
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
