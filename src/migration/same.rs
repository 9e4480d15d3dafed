//! Whether two definitions mean the same from now on.
//!
//! Chronos rewrites the start of a schedule with each run, so the job that was imported yesterday looks different today.

use crate::model::{Defaults, Dialect, Duration, JobDraft, ScheduleTerms, Timestamp, When};
use crate::schedule::{Schedule, ZoneDb};

/// Instants compared: of a daily job more than two years, in which every change of clock comes twice.
pub(in crate::migration) const COMPARED_MAX: usize = 800;

/// Whether two job definitions, both as `/scheduler` and job files read them, ask for the same from `now` on.
/// Statistics do not count: they are taken over once.
#[must_use]
pub fn means_the_same(left: &JobDraft, right: &JobDraft, now: Timestamp, zones: &ZoneDb) -> bool {
    let resolved = |draft: &JobDraft| {
        let mut job = draft.clone().resolve(None, Dialect::V0, &Defaults::default());
        match &mut job.when {
            When::Parents(terms) => terms.names.sort(),
            When::Schedule(_) => {}
        }
        job
    };
    let (left, mut right) = (resolved(left), resolved(right));
    if let (When::Schedule(ours), When::Schedule(theirs)) = (&left.when, &mut right.when)
        && names_the_same(left.name.as_str(), ours, theirs, now, zones)
    {
        theirs.text.clone_from(&ours.text);
        theirs.zone.clone_from(&ours.zone);
    }
    left == right
}

fn names_the_same(
    name: &str,
    left: &ScheduleTerms,
    right: &ScheduleTerms,
    now: Timestamp,
    zones: &ZoneDb,
) -> bool {
    if (&left.text, &left.zone) == (&right.text, &right.zone) {
        return true;
    }
    let upcoming = |terms: &ScheduleTerms| {
        let schedule = Schedule::of(name, terms, now, zones).ok()?;
        Some(occurrences(&schedule, now).collect::<Vec<_>>())
    };
    match (upcoming(left), upcoming(right)) {
        // Two that are over say nothing about each other.
        (Some(left), Some(right)) => !left.is_empty() && left == right,
        (_, _) => false,
    }
}

/// Ours at or after `now`, as many as are compared.
pub(in crate::migration) fn occurrences(
    schedule: &Schedule,
    now: Timestamp,
) -> impl Iterator<Item = Timestamp> + '_ {
    let before = now.checked_sub(Duration::from_nanos(1)).unwrap_or(now);
    std::iter::successors(schedule.next_after(before), |at| schedule.next_after(*at))
        .take(COMPARED_MAX)
}
