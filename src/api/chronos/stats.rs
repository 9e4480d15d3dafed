//! `P/stats/{percentile}` and `P/job/stat/{name}`: how long runs took, and the last tasks of a job.
//!
//! A value is the time from which a run wanted an offer to its end, of successes only, the newest 1,028 of each job.
//! Chronos keeps its values in memory and its history in Cassandra; here both are read from the history, so they
//! survive a restart.

use axum::extract::RawPathParams;
use axum::extract::rejection::RawPathParamsRejection;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::jobs::{JobPath, unknown_job};
use super::{array_in_parts, quote};
use crate::api::backend::HistoryFilter;
use crate::api::error::ApiError;
use crate::api::{Desk, json_response};
use crate::metrics::Figures;
use crate::model::{
    Attempt, AttemptState, Duration, Exit, HistoryEntry, Incarnation, JobName, Run, RunState,
    Timestamp,
};

/// Entries of the history looked through for tasks, newest first. Those beyond are old, or there are many that never
/// became tasks.
const LOOKED_AT_MAX: usize = 1_000;
const LOOKED_AT_ONCE: usize = 50;
/// How many jobs are printed into one part of the list of all.
const JOBS_PER_PART: usize = 256;

/// The figures by Chronos' names, in its order. DIFFERENCE from what the name says, as in Chronos: `mean` is the median.
fn named(figures: &Figures) -> [(&'static str, f64); 6] {
    let Figures {
        median,
        p75,
        p95,
        p98,
        p99,
        count: _,
        min: _,
        max: _,
        mean: _,
        deviation: _,
        p999: _,
    } = *figures;
    [
        ("75thPercentile", p75),
        ("95thPercentile", p95),
        ("98thPercentile", p98),
        ("99thPercentile", p99),
        ("median", median),
        ("mean", median),
    ]
}

/// `GET P/stats/{percentile}`: of all jobs, those that took longest first, in seconds. An unknown figure is one of no
/// job, as in Chronos; `count` is one, divided by a thousand as the others are. The order is found before anything is
/// answered; the list is written while the client takes it.
pub(crate) async fn of_all(
    desk: Desk,
    path: Result<RawPathParams, RawPathParamsRejection>,
) -> Result<Response, ApiError> {
    let wanted = path.ok().and_then(|path| Some(path.iter().next()?.1.to_owned()));
    let wanted = wanted.unwrap_or_default();
    let pick = move |figures: &Figures| {
        let found = named(figures).into_iter().find(|(name, _)| *name == wanted);
        let count = (wanted == "count").then_some(figures.count as f64);
        found.map(|(_, value)| value).or(count)
    };
    if pick(&Figures::default()).is_none() {
        return Ok(json_response(&Value::Array(Vec::new())));
    }
    let all = desk.took_by_all().await.map_err(unreadable)?;
    let pages = desk.briefs();
    let jobs = desk
        .calculate(move || {
            let mut jobs: Vec<(JobName, f64)> = Vec::new();
            for brief in pages.flatten() {
                let figures = all.get(&brief.incarnation).copied().unwrap_or_default();
                jobs.extend(pick(&figures).map(|value| (brief.job.name.clone(), value)));
            }
            // Those that took equally long stay in the order of their creation.
            jobs.sort_by(|(_, a), (_, b)| b.total_cmp(a));
            jobs
        })
        .await?;
    let mut rest = jobs.into_iter();
    Ok(array_in_parts(move || {
        let mut part = String::new();
        // Written by hand: a value in between for each of many jobs takes more room than the whole answer.
        for (name, millis) in rest.by_ref().take(JOBS_PER_PART) {
            part.push_str(",{\"jobNameLabel\":");
            quote(&mut part, name.as_str());
            part.push_str(",\"time\":");
            part.push_str(&Value::from(millis / 1_000.0).to_string());
            part.push('}');
        }
        (!part.is_empty()).then_some(part)
    }))
}

/// `GET P/job/stat/{name}`.
pub(crate) async fn of_job(desk: Desk, JobPath(name): JobPath) -> Result<Response, ApiError> {
    let view = desk.job(&name).ok_or_else(|| unknown_job(name.as_str()))?;
    let incarnation = view.record.incarnation;
    let figures = desk.took(incarnation).await.map_err(unreadable)?;
    let tasks = tasks(&desk, &name, incarnation).await.map_err(unreadable)?;
    let mut histogram: Map<String, Value> =
        named(&figures).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    histogram.insert("count".to_owned(), figures.count.into());
    Ok(json_response(&json!({"histogram": histogram, "taskStatHistory": tasks})))
}

/// The newest tasks of that life of a job, by when they started or were to.
async fn tasks(desk: &Desk, job: &JobName, of: Incarnation) -> Result<Vec<Value>, String> {
    let limit = desk.job_history_limit();
    let mut found: Vec<(Timestamp, Value)> = Vec::new();
    let mut before = None;
    let mut looked_at = 0;
    while found.len() < limit && looked_at < LOOKED_AT_MAX {
        let filter = HistoryFilter { job: Some(job.clone()), ..HistoryFilter::default() };
        let entries = desk.history(filter, before, LOOKED_AT_ONCE).await?;
        let Some(last) = entries.last() else { break };
        before = Some(last.sequence());
        looked_at += entries.len();
        for entry in &entries {
            match entry {
                HistoryEntry::Run(run) if run.id.incarnation == of => {
                    found.extend(run.attempts.iter().map(|attempt| task(run, attempt)));
                }
                HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => {}
            }
        }
    }
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    found.truncate(limit);
    Ok(found.into_iter().map(|(_, task)| task).collect())
}

fn task(run: &Run, attempt: &Attempt) -> (Timestamp, Value) {
    let (started, ended, status) = match &attempt.state {
        AttemptState::Launching => (None, None, "Idle"),
        AttemptState::Running { started_at, .. } => (Some(*started_at), None, "Running"),
        AttemptState::Stopping { started_at, .. } | AttemptState::Unknown { started_at, .. } => {
            (*started_at, None, if started_at.is_some() { "Running" } else { "Idle" })
        }
        AttemptState::Ended { started_at, at, exit, .. } => {
            let has_ended_well = exit.as_ref().is_some_and(Exit::is_success);
            // What its job said counts, unless the launcher saw it fail.
            let is_success = match (attempt.reported, exit) {
                (Some(code), None) => code == 0,
                (Some(code), Some(_)) => code == 0 && has_ended_well,
                (None, _) => has_ended_well,
            };
            let goes_on = matches!(run.state, RunState::Reporting { .. })
                && run.attempts.last() == Some(attempt);
            match (goes_on, is_success) {
                (true, _) => (*started_at, None, "Running"),
                (false, true) => (*started_at, Some(*at), "Success"),
                (false, false) => (*started_at, Some(*at), "Fail"),
            }
        }
    };
    let mut task = json!({
        "taskId": attempt.task_id.as_str(),
        "jobName": run.job.as_str(),
        "slaveId": attempt.agent.as_str(),
        "startTime": instant(started),
        "endTime": instant(ended),
    });
    if let (Some(from), Some(to)) = (started, ended) {
        task["duration"] = span(to.duration_since(from)).into();
    }
    task["status"] = status.into();
    if let Some(elements) = attempt.elements {
        task["numElementsProcessed"] = elements.into();
    }
    (started.unwrap_or(attempt.launched_at), task)
}

/// As Chronos prints instants for people, in UTC.
fn instant(at: Option<Timestamp>) -> String {
    at.map_or("N/A".to_owned(), |at| at.strftime("%m/%d/%y %H:%M:%S").to_string())
}

/// `1h5s`, `1m0s`: hours and minutes that there are, and seconds always.
fn span(span: Duration) -> String {
    let secs = span.as_secs().max(0);
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    let part =
        |count: i64, unit: &str| if count > 0 { format!("{count}{unit}") } else { String::new() };
    format!("{}{}{secs}s", part(hours, "h"), part(minutes, "m"))
}

fn unreadable(detail: String) -> ApiError {
    ApiError::internal("the history cannot be read; the log says why", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_printed_as_chronos_prints_them() {
        for (secs, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (61, "1m1s"),
            (3_605, "1h5s"),
            (3_660, "1h1m0s"),
            (86_400, "24h0s"),
            (-5, "0s"),
        ] {
            assert_eq!(span(Duration::from_secs(secs)), expected);
        }
    }
}
