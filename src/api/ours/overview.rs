//! `P/overview`: the jobs as a page lists them for a person.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::runs::unreadable;
use crate::api::backend::{Order, OverviewJob, OverviewPage, OverviewWanted};
use crate::api::error::ApiError;
use crate::api::needle::Needle;
use crate::api::query::{Query, invalid};
use crate::api::{Desk, JobState, json_response, print};
use crate::engine::glance::{Counts, Kind};
use crate::model::{
    Drift, HistoryEntry, JobName, ParentTerms, Run, RunState, Scope, TriggerRule, Verdict, When,
};
use crate::schedule::list;

/// Jobs of a page when the client does not say.
const PAGE_DEFAULT: usize = 50;
/// Jobs of a page at most.
const PAGE_MAX: usize = 200;
/// Entries of the history that are shown of each job: as many as fit beside a name.
const RECENT: usize = 20;
/// Parents named in a sentence; the others are counted.
const NAMED_MAX: usize = 3;

/// The parameters by which jobs are found, everywhere where a page lists them.
pub(super) const FINDING: [&str; 5] = ["search", "state", "owner", "sort", "desc"];

/// `GET P/overview?search=&state=&owner=&sort=&desc=&offset=&limit=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let known = [FINDING.as_slice(), &["offset", "limit"]].concat();
    let query = Query::parse_known(query.as_deref(), &known)?;
    let limit = query.within("limit", 0..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let OverviewPage { total, counts, jobs } = desk.overview(wanted(&query, limit)?).await?;
    let names: Vec<JobName> = jobs.iter().map(|job| job.job.name.clone()).collect();
    let recent = desk.recent(names, RECENT).await.map_err(unreadable)?;
    let jobs = jobs.iter().zip(&recent);
    Ok(json_response(&json!({
        "total": total,
        "counts": print_counts(&counts),
        "jobs": jobs.map(|(job, recent)| print_job(job, recent, &desk.caller.scope)).collect::<Value>(),
    })))
}

/// Which jobs the parameters ask for, at most `limit` of them.
pub(super) fn wanted(query: &Query, limit: usize) -> Result<OverviewWanted, ApiError> {
    let kind = query.get("state").map(|text| {
        Kind::parse(text).ok_or_else(|| {
            let words = Kind::ALL.map(Kind::as_str).join(", ");
            invalid("state", text, &format!("one of {words}"))
        })
    });
    let order = query.get("sort").map(|text| {
        Order::parse(text).ok_or_else(|| {
            let words = Order::ALL.map(Order::as_str).join(", ");
            invalid("sort", text, &format!("one of {words}"))
        })
    });
    Ok(OverviewWanted {
        words: query.get("search").map(Needle::words).unwrap_or_default(),
        owner: query.get("owner").map(str::to_owned),
        kind: kind.transpose()?,
        order: order.transpose()?.unwrap_or_default(),
        is_down: query.flag("desc")?.unwrap_or(false),
        offset: query.number("offset")?.unwrap_or(0),
        limit,
        ..OverviewWanted::default()
    })
}

fn print_counts(counts: &Counts) -> Value {
    let mut object = json!({"all": counts.all});
    for kind in Kind::ALL {
        object[kind.as_str()] = counts.of(kind).into();
    }
    object
}

fn print_job(found: &OverviewJob, recent: &[HistoryEntry], scope: &Scope) -> Value {
    let OverviewJob {
        incarnation: _, // A page names jobs by their names.
        revision,
        job,
        words: _,
        zone,
        state,
        status,
        is_paused,
        is_quarantined,
        is_shadow,
        origin,
        is_late,
        next_due,
        success_count,
        error_count,
    } = found;
    let (schedule, parents) = match &job.when {
        When::Schedule(terms) => (terms.text.as_str(), &[][..]),
        When::Parents(terms) => ("", terms.names.as_slice()),
    };
    let parents = parents.iter().filter(|name| scope.covers(name)).map(JobName::as_str);
    let running = match state {
        JobState::Running(count) => *count,
        JobState::Idle | JobState::Queued => 0,
    };
    json!({
        "name": job.name.as_str(),
        "description": job.description,
        "owner": job.owner,
        "ownerName": job.owner_name,
        "schedule": schedule,
        "zone": zone,
        "words": words(found, scope),
        "parents": parents.collect::<Value>(),
        "state": state.word(),
        "running": running,
        "status": status.as_str(),
        "disabled": job.disabled,
        "paused": is_paused,
        "quarantined": is_quarantined,
        "shadow": is_shadow,
        "source": origin.as_ref().map(|origin| origin.source.as_str()),
        "drift": origin.as_ref().and_then(|origin| origin.drift(*revision)).map(Drift::as_str),
        "late": is_late,
        "nextDue": next_due.map(print::instant),
        "revision": revision,
        "successes": success_count,
        "errors": error_count,
        "recent": recent.iter().rev().map(bar).collect::<Value>(),
    })
}

/// When a job runs, in words.
pub(super) fn words(found: &OverviewJob, scope: &Scope) -> String {
    match (&found.words, &found.job.when) {
        (Some(words), _) => words.clone(),
        (None, When::Parents(terms)) => after(terms, scope),
        (None, When::Schedule(terms)) => terms.text.clone(),
    }
}

/// `after a and b`, as far as the parents are in scope.
fn after(terms: &ParentTerms, scope: &Scope) -> String {
    let ParentTerms { names, rule, join: _ } = terms;
    let shown: Vec<&JobName> = names.iter().filter(|name| scope.covers(name)).collect();
    let mut parts: Vec<String> =
        shown.iter().take(NAMED_MAX).map(|name| name.as_str().to_owned()).collect();
    if shown.len() < names.len() {
        // Not how many: that would be telling.
        parts.push("others".to_owned());
    } else if shown.len() > NAMED_MAX {
        parts.push(format!("{} others", shown.len() - NAMED_MAX));
    }
    let joint = if rule.is_any() { "or" } else { "and" };
    let parents = list(&parts, joint);
    match rule {
        TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => format!("after {parents}"),
        TriggerRule::AllDone => format!("after {parents}, however they end"),
        TriggerRule::AnyFailed => format!("after a failure of {parents}"),
    }
}

/// One bar in the strip of what a job did last.
fn bar(entry: &HistoryEntry) -> Value {
    match entry {
        HistoryEntry::Run(run) => {
            let ended = ended(run);
            let started_at = run.started_at();
            // Different clocks may say what when; nothing took less than no time.
            let took = started_at.zip(ended).map(|(started_at, (_, ended_at))| {
                ended_at.duration_since(started_at).as_millis().max(0)
            });
            json!({
                "run": run.id.to_string(),
                "state": print::state_word(&run.state),
                "verdict": ended.map(|(verdict, _)| verdict.as_str()),
                "dueAt": print::instant(run.trigger.due_at()),
                "startedAt": started_at.map(print::instant),
                "endedAt": ended.map(|(_, at)| print::instant(at)),
                "tookMs": took,
                "why": run.trigger.as_str(),
                "count": 1,
            })
        }
        HistoryEntry::Stretch(stretch) => json!({
            "run": null,
            "state": "ended",
            "verdict": stretch.verdict.as_str(),
            "dueAt": print::instant(stretch.first_due_at),
            "startedAt": null,
            "endedAt": print::instant(stretch.decided_at),
            "tookMs": null,
            "why": "schedule",
            "count": stretch.count,
        }),
    }
}

/// How and when a run ended, if it has.
pub(super) fn ended(run: &Run) -> Option<(Verdict, crate::model::Timestamp)> {
    match &run.state {
        RunState::Ended { verdict, at, .. } => Some((*verdict, *at)),
        RunState::Queued
        | RunState::Pending { .. }
        | RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. } => None,
    }
}
