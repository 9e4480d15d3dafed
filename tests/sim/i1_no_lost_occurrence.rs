//! I1: every occurrence that was owed is a run with a verdict, or in exactly one stretch; and none is invented.

use chronode::model::{Incarnation, Run, RunState, Timestamp, Trigger, Verdict};

use super::owed::owed;
use super::plan::SECOND;
use super::record::Evidence;
use super::spec::Spec;

pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    evidence.record.in_force.keys().flat_map(|life| of_job(evidence, *life)).collect()
}

fn of_job(evidence: &Evidence<'_>, life: Incarnation) -> Vec<String> {
    let mut found = Vec::new();
    let mut owed = owed(evidence.record, evidence.ends_at, life);
    for run in evidence.runs_of(life) {
        let due = match run.trigger {
            Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => {
                due_at.as_millisecond()
            }
            Trigger::Manual { .. }
            | Trigger::Retry { .. }
            | Trigger::Backfill { .. }
            | Trigger::Parents { .. } => continue,
        };
        if owed.surely.remove(&due).is_none() && owed.perhaps.remove(&due).is_none() {
            found.push(format!("I1: run {} is for an occurrence that nobody owed", run.id));
        }
        found.extend(missed_without_need(evidence, run));
    }
    for stretch in evidence.stretches_of(life) {
        let (first, last) = (stretch.first_due_at, stretch.last_due_at);
        let range = first.as_millisecond()..=last.as_millisecond();
        let within: Vec<i64> = owed.surely.range(range.clone()).map(|(due, _)| *due).collect();
        let perhaps: Vec<i64> = owed.perhaps.range(range).map(|(due, _)| *due).collect();
        let least = u64::try_from(within.len()).expect("few");
        let most = least + u64::try_from(perhaps.len()).expect("few");
        if stretch.count < least || stretch.count > most {
            found.push(format!(
                "I1: {life} counts {} occurrences {} from {first} to {last}, and there are {least} to {most}",
                stretch.count,
                stretch.verdict.as_str(),
            ));
        }
        if stretch.count == most {
            owed.perhaps.retain(|due, _| !perhaps.contains(due));
        }
        if stretch.verdict == Verdict::Missed
            && within.iter().any(|at| was_easy(evidence, life, *at))
        {
            found.push(format!("I1: {life} missed {first} to {last}, and nothing was in the way"));
        }
        for at in within {
            owed.surely.remove(&at);
        }
    }
    let settled_through = evidence.settled_through.as_millisecond();
    let lost = owed.surely.iter().filter(|(_, owed)| owed.opens_by <= settled_through);
    for (at, _) in lost.take(3) {
        let at = Timestamp::from_millisecond(*at).expect("an instant");
        found.push(format!("I1: the occurrence of {life} due {at} is lost"));
    }
    found
}

/// Missing is for trouble. Where all was well for the whole window, the run must have started.
fn missed_without_need(evidence: &Evidence<'_>, run: &Run) -> Option<String> {
    let RunState::Ended { verdict: Verdict::Missed, reason, .. } = &run.state else { return None };
    if evidence.starts_of(run) > 0 {
        return Some(format!("I1: run {} is recorded as missed, and it started", run.id));
    }
    // Its launch never arrived where it was sent, and it was too late when that was known.
    if evidence.record.unseen.contains(&run.id) {
        return None;
    }
    // A run that waited for others was not wanted by the end of its window.
    if evidence.record.spec_of(run.id.incarnation).any(Spec::waits) {
        return None;
    }
    let due = run.trigger.due_at().as_millisecond();
    was_easy(evidence, run.id.incarnation, due)
        .then(|| format!("I1: run {} was missed, and nothing was in the way: {reason}", run.id))
}

/// Whether nothing was in the way of an occurrence as long as its window was open. Nothing is said of short windows,
/// and of simulations in which somebody sets the clock or runs have to wait for room.
fn was_easy(evidence: &Evidence<'_>, life: Incarnation, due: i64) -> bool {
    let epsilons = || evidence.record.spec_of(life).map(|spec| spec.epsilon);
    let (shortest, longest) = (epsilons().min().unwrap_or(0), epsilons().max().unwrap_or(0));
    let jitter = evidence.record.longest_jitter(life) * 1_000;
    // A definition that was accepted when the window was open already had less time.
    let is_accepted_within = evidence.record.in_force[&life].iter().any(|in_force| {
        let since_due = in_force.accepted_at.as_microsecond() - due * 1_000;
        (0..=longest + jitter).contains(&since_due)
    });
    let begins_at = evidence.begins_at.as_microsecond();
    let from = due * 1_000 - begins_at;
    shortest >= 5 * SECOND
        && !evidence.has_clock_steps
        && evidence.agents.is_empty()
        && !is_accepted_within
        && evidence.record.was_calm(from, from + jitter + shortest)
}
