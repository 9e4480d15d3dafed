//! Jobs that are only planned here, because another scheduler still runs them, and the instant from which on they are
//! launched.
//!
//! The occurrences of such a job are decided as those of any other, and recorded as skipped. Cutting over sets the first
//! instant that is ours: what is due before it stays the other's, however late it is decided, and what is due from it on
//! is launched. So there is neither gap nor double if the other stops at that instant.
//!
//! Of a job that runs after others this cannot be said: what its parents did over there is not known here, and whoever
//! cuts over is told so.

use crate::model::{JobName, JobRecord, Shadow, Timestamp, When, limits};

use super::decision::Change;
use super::entry::{JobEntry, Timing};
use super::event::{Rejection, RejectionCode, Reply};
use super::{Step, admin, due};

/// Has jobs launched from `at` on, all of those named or none.
pub(super) fn cut_over(
    step: &mut Step<'_>,
    names: Option<&[JobName]>,
    at: Option<Timestamp>,
) -> Result<Reply, Rejection> {
    let at = at.unwrap_or(step.now.wall);
    let state = step.state;
    let entries: Vec<&JobEntry> = match names {
        None => state.jobs().filter(|entry| is_shadow(step, entry)).collect(),
        Some(names) => {
            let found = names.iter().map(|name| admin::find(step, name));
            let entries = found.collect::<Result<Vec<_>, _>>()?;
            if let Some(entry) = entries.iter().find(|entry| !is_shadow(step, entry)) {
                let message = format!("job '{}' is launched already", entry.job.name);
                return Err(refused("jobs", message, "leave it out"));
            }
            entries
        }
    };
    if entries.len() > limits::CUT_OVER_MAX {
        let message = format!(
            "{} jobs are more than the {} that can be cut over at once",
            entries.len(),
            limits::CUT_OVER_MAX
        );
        let mut rejection = refused("jobs", message, "name fewer of them in `jobs`");
        rejection.code = RejectionCode::LimitReached;
        return Err(rejection);
    }
    // What has come is decided first, by what holds until now.
    let mut records = Vec::new();
    for entry in entries {
        let progress = due::settle(step, entry);
        if let Some(planned) = planned_after(entry, at, progress.decided_through) {
            let message = format!(
                "the occurrence of job '{}' due {planned:.3} has been recorded as only planned: from {at:.3} on it \
                 would be run by nobody",
                entry.job.name
            );
            return Err(refused("at", message, "give an instant that is still to come"));
        }
        let mut record = JobRecord { progress, ..entry.to_record() };
        record.stats = step.stats(entry);
        record.interventions = step.interventions(entry);
        record.revision += 1;
        // Its source says nothing of this, so it is as much what that wants as before.
        if let Some(origin) = &mut record.interventions.origin
            && origin.revision == entry.revision
        {
            origin.revision = record.revision;
        }
        // When it was accepted stays: a schedule without a start begins there.
        record.job.shadow = Shadow::Until(at);
        records.push(record);
    }
    let names: Vec<JobName> = records.iter().map(|record| record.job.name.clone()).collect();
    let consequences = of_children(records.iter(), at);
    for record in records {
        step.note(&record.job.name, format!("launched from {at:.3} on"));
        step.change(Change::JobStored(Box::new(record)));
    }
    Ok(Reply::CutOver { at, names, consequences })
}

/// How many sentences are told.
const TOLD_MAX: usize = 100;

/// Of a job that runs after others: what these did in the other scheduler is not known here.
fn of_children<'a>(records: impl Iterator<Item = &'a JobRecord>, at: Timestamp) -> Vec<String> {
    let children = records.filter_map(|record| match &record.job.when {
        When::Parents(terms) => Some((&record.job.name, terms)),
        When::Schedule(_) => None,
    });
    let told = children.map(|(name, terms)| {
        let parents: Vec<String> = terms.names.iter().map(|parent| format!("`{parent}`")).collect();
        format!(
            "`{name}` runs after {}: what they did in the other scheduler before {at:.3} is not known here; mark them as \
             successful (`job/success`) if it is to count",
            parents.join(", ")
        )
    });
    told.take(TOLD_MAX).collect()
}

/// Whether nothing of the job is launched at present.
fn is_shadow(step: &Step<'_>, entry: &JobEntry) -> bool {
    entry.job.shadow.covers(step.now.wall)
}

/// The last occurrence due from `at` on that is decided already.
fn planned_after(entry: &JobEntry, at: Timestamp, decided: Timestamp) -> Option<Timestamp> {
    let Timing::Schedule(schedule) = &entry.timing else { return None };
    let before = at.as_nanosecond().checked_sub(1)?;
    let before = Timestamp::from_nanosecond(before).ok()?;
    schedule.last_through(before, decided)
}

fn refused(field: &'static str, message: String, remedy: &str) -> Rejection {
    Rejection {
        code: RejectionCode::InvalidField,
        message,
        field: field.into(),
        position: None,
        remedy: remedy.to_owned(),
    }
}
