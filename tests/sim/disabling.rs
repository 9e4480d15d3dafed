//! A job is disabled when it has failed so many times in a row as it or else the house says, and then alone; or when its
//! last occurrence has succeeded.

use std::collections::BTreeMap;

use chronode::model::{Incarnation, Run, Verdict};

use super::record::Record;
use super::spec::Way;

/// How far back what is left of a schedule is looked at. It is over, so nothing is found however far.
const LEFT_FOR: i64 = 40 * 24 * 3_600_000;

/// How often the lives of jobs have failed since they last succeeded.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// What a job that does not say gets; 0 is never.
    pub(crate) house: u32,
    failures: BTreeMap<Incarnation, u32>,
    /// Whom the last end of a run that was looked at must have disabled.
    expected: BTreeMap<Incarnation, u32>,
    /// Whose last end of a run was a success of an occurrence.
    succeeded: BTreeMap<Incarnation, bool>,
}

/// When the end of a run is committed.
pub(crate) fn ended(record: &mut Record, run: &Run, verdict: Verdict) {
    let life = run.id.incarnation;
    settled(record, life);
    let is_occurrence = run.trigger.is_scheduled();
    let has_succeeded = verdict == Verdict::Succeeded && is_occurrence;
    let house = record.tallies.house;
    let is_there = !record.removed.contains_key(&life);
    let most =
        record.spec_of(life).next_back().map_or(0, |spec| spec.disable_after.unwrap_or(house));
    let is_disabled = record.versions_of(life).last().is_some_and(|it| it.is_disabled);
    let tallies = &mut record.tallies;
    tallies.succeeded.insert(life, has_succeeded);
    let failures = tallies.failures.entry(life).or_default();
    match verdict {
        Verdict::Succeeded => *failures = 0,
        Verdict::Failed | Verdict::Lost => {
            *failures += 1;
            if is_there && !is_disabled && most > 0 && *failures >= most {
                tallies.expected.insert(life, *failures);
            }
        }
        Verdict::Missed | Verdict::Skipped | Verdict::Killed | Verdict::Superseded => {}
    }
}

/// When it is committed that the engine has disabled a job.
pub(crate) fn disabled(record: &mut Record, life: Incarnation) {
    if record.tallies.expected.remove(&life).is_some() {
        record.played.disabled += 1;
    } else if !is_exhausted(record, life) {
        let failures = record.tallies.failures.get(&life);
        let line = format!("{life} is disabled after {failures:?} failures, and goes on");
        record.violations.push(line);
    }
    if let Some(in_force) = record.in_force.get_mut(&life).and_then(|it| it.last_mut()) {
        in_force.is_disabled = true;
        in_force.was_disabled = true;
    }
}

/// When somebody has enabled a job that was disabled.
pub(crate) fn enabled(record: &mut Record, life: Incarnation) {
    record.tallies.failures.remove(&life);
}

/// When something else of a job is committed, or nothing more of the batch.
pub(crate) fn settled(record: &mut Record, life: Incarnation) {
    if let Some(failures) = record.tallies.expected.remove(&life) {
        let line = format!("{life} has failed {failures} times in a row and is not disabled");
        record.violations.push(line);
    }
}

/// Whether an occurrence has just succeeded, and none is left.
fn is_exhausted(record: &Record, life: Incarnation) -> bool {
    let Some(Way::Schedule(terms)) = record.versions_of(life).last().map(|it| &it.way) else {
        return false;
    };
    // Somebody may have set the clock back since.
    let at = record.decided_through[&life].as_millisecond() + 1;
    record.tallies.succeeded.get(&life) == Some(&true)
        && terms.occurrences(at, at + LEFT_FOR).is_empty()
}
