//! What applying several jobs comes to: which fields change, which runs come and go in the next days, and what starts at
//! once.
//!
//! Calculated from what a dry run of the loop says that it would store, so that nothing is foretold which would not be
//! done.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::backend::{Almanac, RevisionId};
use crate::api::ours::revisions::print_changes;
use crate::api::print;
use crate::api::revision::text_of;
use crate::engine::{Applied, Difference};
use crate::jobspec::{self, secret_names};
use crate::model::{
    ApplyOutcome, Dialect, Drift, Duration, Job, JobVersion, Origin, Timestamp, When,
};
use crate::schedule::{Schedule, ZoneDb};

/// Occurrences of one job that are compared, before and after.
const PER_JOB_MAX: usize = 2_000;
/// Occurrences of all jobs that are compared. Beyond, runs are not counted; a second's work.
const IN_ALL_MAX: usize = 500_000;
/// Occurrences that are named.
const NAMED: usize = 3;

/// The plan of each job, in their order; null where nothing becomes of it.
pub(super) fn of(jobs: &[Applied], days: usize, dialect: Dialect, almanac: &Almanac) -> Vec<Value> {
    let days = Duration::from_hours(24).saturating_mul(i32::try_from(days).unwrap_or(i32::MAX));
    let through = almanac.now.saturating_add(days).unwrap_or(Timestamp::MAX);
    let mut left = IN_ALL_MAX;
    jobs.iter().map(|job| of_one(job, through, dialect, almanac, &mut left)).collect()
}

fn of_one(
    applied: &Applied,
    through: Timestamp,
    dialect: Dialect,
    almanac: &Almanac,
    left: &mut usize,
) -> Value {
    let JobVersion { incarnation, revision, disabled: _ } = applied.version;
    // A new definition was given a number already.
    let was = |origin: &Origin| {
        let present = revision - u64::from(applied.outcome.is_new_definition());
        json!({
            "source": origin.source.as_str(),
            "place": origin.place,
            "drift": origin.drift(present).map(Drift::as_str),
        })
    };
    let id = |revision| text_of(RevisionId { incarnation, revision });
    let there = match applied.outcome {
        ApplyOutcome::Created => None,
        ApplyOutcome::Replaced => Some(id(revision - 1)),
        ApplyOutcome::Unchanged | ApplyOutcome::Removed => Some(id(revision)),
    };
    let mut plan = json!({"was": there, "origin": applied.origin.as_ref().map(was)});
    let Some(difference) = &applied.difference else { return plan };
    let Difference { before, after } = &**difference;
    if let (Some((before, _)), Some((after, _))) = (before, after) {
        let hidden: BTreeSet<String> =
            secret_names(before).into_iter().chain(secret_names(after)).collect();
        plan["changes"] = print_changes(jobspec::changes(before, after, dialect, &hidden));
    }
    let zones = &almanac.zones;
    let old = before.as_ref().map(|(job, at)| Timing::of(job, *at, zones));
    let new = after.as_ref().map(|(job, _)| Timing::of(job, almanac.now, zones));
    plan["runs"] = runs(old.as_ref(), new.as_ref(), almanac.now, through, left);
    if let (Some((_, owed_after)), Some(new)) = (after, &new) {
        let at_once: Vec<String> =
            new.open_now(*owed_after, almanac.now).into_iter().map(print::instant).collect();
        plan["startsAtOnce"] = at_once.into();
    }
    plan
}

/// When a definition starts something by itself.
struct Timing<'j> {
    job: &'j Job,
    /// `None` of one that does not: it follows others, is disabled, or its schedule cannot be read.
    schedule: Option<Schedule>,
}

impl<'j> Timing<'j> {
    fn of(job: &'j Job, accepted_at: Timestamp, zones: &ZoneDb) -> Self {
        let schedule = match &job.when {
            When::Schedule(terms) if !job.disabled => {
                Schedule::of(job.name.as_str(), terms, accepted_at, zones).ok()
            }
            When::Schedule(_) | When::Parents(_) => None,
        };
        // Nobody knows when a machine starts.
        Self { job, schedule: schedule.filter(|schedule| !schedule.is_at_boot()) }
    }

    /// What is launched of it after `after` and up to `through`, and through when that is all.
    fn launched(
        &self,
        after: Timestamp,
        through: Timestamp,
        max: usize,
    ) -> (BTreeSet<Timestamp>, Timestamp) {
        let mut found = BTreeSet::new();
        let Some(schedule) = &self.schedule else { return (found, through) };
        let mut at = after;
        for _ in 0..max {
            let Some(next) = schedule.next_after(at).filter(|next| *next <= through) else {
                return (found, through);
            };
            at = next;
            if !self.job.shadow.covers(next) {
                found.insert(next);
            }
        }
        (found, at)
    }

    /// What is due after `owed_after` and may still be started.
    fn open_now(&self, owed_after: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        let (due, _) = self.launched(owed_after, now, NAMED * 100);
        let Some(schedule) = &self.schedule else { return Vec::new() };
        let is_open = |due: &Timestamp| {
            let opens = schedule.opens_at(*due);
            let ends = opens.saturating_add(self.job.epsilon.span).unwrap_or(Timestamp::MAX);
            opens <= now && now <= ends
        };
        due.into_iter().filter(is_open).collect()
    }
}

/// How many runs come and go, and the first of them; null where too much has been counted already.
fn runs(
    old: Option<&Timing<'_>>,
    new: Option<&Timing<'_>>,
    now: Timestamp,
    through: Timestamp,
    left: &mut usize,
) -> Value {
    if *left == 0 {
        return Value::Null;
    }
    let max = PER_JOB_MAX.min(*left);
    let nothing = || (BTreeSet::new(), through);
    let (before, all_before) = old.map_or_else(nothing, |it| it.launched(now, through, max));
    let (after, all_after) = new.map_or_else(nothing, |it| it.launched(now, through, max));
    *left = left.saturating_sub(before.len() + after.len());
    // Both are known that far.
    let through = all_before.min(all_after);
    let of = |these: &BTreeSet<Timestamp>, others: &BTreeSet<Timestamp>| {
        let only: Vec<Timestamp> =
            these.difference(others).copied().filter(|at| *at <= through).collect();
        let first: Vec<String> = only.iter().take(NAMED).copied().map(print::instant).collect();
        json!({"count": only.len(), "first": first})
    };
    let (added, removed) = (of(&after, &before), of(&before, &after));
    json!({"through": print::instant(through), "added": added, "removed": removed})
}
