//! By when runs should have started and ended, by the wall clock.
//!
//! A deadline is judged when it comes, whatever else happens; what is judged is durable, so that one that comes while
//! nobody leads is judged by the next who does. A run that is recorded, or found, after its deadline misses it at once.

use crate::model::{
    AlertKind, Attempt, AttemptState, Deadline, Duration, Objectives, Run, Timestamp,
};

use super::entry::{JobEntry, Timing};
use super::state::State;
use super::status::started_at_of;
use super::{Step, alert};

/// A deadline of a run that has not met it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Open {
    /// When it comes.
    pub(super) at: Timestamp,
    /// What a run is then that has not met it.
    pub(super) kind: AlertKind,
}

/// The deadlines that a live run has still to meet, earliest first.
pub(super) fn open(entry: &JobEntry, run: &Run) -> Vec<Open> {
    let objectives = &entry.job.objectives;
    if objectives.is_empty() || run.is_ended() {
        return Vec::new();
    }
    // Whoever asks for a run has it when it comes, but it may take too long like any other.
    let is_held = alert::is_held_to_deadlines(&run.trigger);
    let Objectives { start_by, finish_by, max_lateness, expected_duration } = objectives;
    let due_at = run.trigger.due_at();
    let has_started = run.attempts.iter().any(|attempt| started_at_of(attempt).is_some());
    let late_start = [
        start_by.as_ref().and_then(|deadline| instant(entry, due_at, deadline)),
        max_lateness.as_ref().map(|period| after(due_at, period.span)),
    ];
    let late_start = late_start.into_iter().flatten().min().filter(|_| is_held && !has_started);
    let late_finish = finish_by.as_ref().and_then(|deadline| instant(entry, due_at, deadline));
    let late_finish = late_finish.filter(|_| is_held);
    let overlong = expected_duration.as_ref().and_then(|period| {
        run.attempts.last().and_then(running_since).map(|at| after(at, period.span))
    });
    let kinds = [
        (late_start, AlertKind::LateStart),
        (late_finish, AlertKind::LateFinish),
        (overlong, AlertKind::Overlong),
    ];
    let mut open: Vec<Open> =
        kinds.into_iter().filter_map(|(at, kind)| Some(Open { at: at?, kind })).collect();
    open.sort();
    open
}

fn running_since(attempt: &Attempt) -> Option<Timestamp> {
    match attempt.state {
        AttemptState::Running { started_at, .. } => Some(started_at),
        AttemptState::Launching
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Ended { .. } => None,
    }
}

fn instant(entry: &JobEntry, due_at: Timestamp, deadline: &Deadline) -> Option<Timestamp> {
    match deadline {
        Deadline::After(period) => Some(after(due_at, period.span)),
        Deadline::At { text: _, time } => match &entry.timing {
            Timing::Schedule(schedule) => schedule.zone().first_shown(due_at, *time),
            Timing::Parents | Timing::Broken(_) => utc(due_at, *time),
        },
    }
}

/// As [`crate::schedule::Zone::first_shown`] in UTC.
fn utc(from: Timestamp, time: jiff::civil::Time) -> Option<Timestamp> {
    let utc = jiff::tz::TimeZone::UTC;
    let day = utc.to_datetime(from).date();
    let on = |day: jiff::civil::Date| utc.to_timestamp(day.to_datetime(time)).ok();
    on(day).filter(|at| *at >= from).or_else(|| on(day.tomorrow().ok()?))
}

fn after(at: Timestamp, span: Duration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// Raises what has come of the deadlines of runs, and remembers that it did.
pub(super) fn decide(step: &mut Step<'_>) {
    let state = step.state;
    let now = step.now.wall;
    let mut has_come = false;
    for run in state.runs_with_deadline_until(now) {
        has_come = true;
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
        for Open { at, kind } in open(entry, run) {
            if at > state.judged_through() && at <= now {
                alert::raise_missed(step, entry, run, kind, at);
            }
        }
    }
    if has_come {
        step.judge_through(now);
    }
}

/// The earliest deadline of a live run that is not judged yet.
pub(super) fn next(state: &State, run: &Run) -> Option<Timestamp> {
    let entry = state.incarnation(run.id.incarnation)?;
    open(entry, run).into_iter().map(|open| open.at).find(|at| *at > state.judged_through())
}
