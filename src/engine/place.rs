//! Pending runs meet offers, or the end of their start window.
//!
//! The tally of what a step has assigned is a local value; the state moves only when the changes are applied. A run
//! that fits nowhere stays pending and stops nobody else.

use crate::model::{
    Attempt, AttemptState, CatchUp, Run, RunState, TaskId, Timestamp, Trigger, Verdict, limits,
};
use crate::placement::{Assignment, Tally};
use crate::schedule::Schedule;

use super::decision::{Change, Effect};
use super::entry::{JobEntry, Timing};
use super::{Step, launch, status};

/// Ends the pending runs whose start window has closed, or lets them run late where the job catches up.
pub(super) fn decide_windows(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.overdue(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        if let Some((entry, due_at)) = catches_up(step, run) {
            give_up_older_catch_ups(step, entry, due_at);
            let mut run = run.clone();
            run.trigger = Trigger::CatchUp { due_at };
            run.state = RunState::Pending { deadline: None };
            step.change(Change::RunStored(Box::new(run)));
        } else {
            let reason = why_not_started(step, run);
            status::end_run(step, run.clone(), Verdict::Missed, step.now.wall, reason);
        }
    }
}

/// Whether `run`, which found no offer in its window, is to be run late: its job catches up, and no later occurrence
/// stands for it. Returns the job and what the run is due at.
fn catches_up<'a>(step: &Step<'a>, run: &Run) -> Option<(&'a JobEntry, Timestamp)> {
    let due_at = occurrence(run)?;
    let entry = step.state.incarnation(run.id.incarnation)?;
    match entry.job.catch_up {
        CatchUp::None => return None,
        CatchUp::Latest => {}
    }
    let has_next_come = entry.next.is_some_and(|next| next.opens_at <= step.now.wall);
    let is_later_live = step
        .state
        .live_runs(entry.incarnation)
        .any(|other| occurrence(other).is_some_and(|at| at > due_at));
    (!has_next_come && !is_later_live).then_some((entry, due_at))
}

/// Only the latest of missed occurrences is run late: earlier ones that still wait for their first offer end here.
pub(super) fn give_up_older_catch_ups(step: &mut Step<'_>, entry: &JobEntry, due_at: Timestamp) {
    let state = step.state;
    for run in state.live_runs(entry.incarnation) {
        let waits = matches!(run.state, RunState::Pending { .. }) && run.attempts.is_empty();
        let is_older = matches!(run.trigger, Trigger::CatchUp { due_at: other } if other < due_at);
        if waits && is_older {
            let reason = "it could not be started, and a later occurrence is caught up instead";
            let at = step.now.wall;
            status::end_run_alone(step, run.clone(), Verdict::Missed, at, reason.to_owned());
        }
    }
}

/// The occurrence that a run stands for, if it stands for one.
const fn occurrence(run: &Run) -> Option<Timestamp> {
    match run.trigger {
        Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => Some(due_at),
        Trigger::Manual { .. } => None,
    }
}

/// When the start window of the occurrence that a run stands for opens. Nothing of it is started before.
fn opens_at(entry: &JobEntry, run: &Run) -> Option<Timestamp> {
    let schedule = match &entry.timing {
        Timing::Schedule(schedule) => Some(schedule),
        Timing::Parents | Timing::Broken(_) => None,
    };
    // A start of the machine has happened, whatever the clock shows.
    if schedule.is_some_and(Schedule::is_at_boot) {
        return None;
    }
    match run.trigger {
        Trigger::Schedule { opens_at, .. } => Some(opens_at),
        Trigger::CatchUp { due_at } => {
            Some(schedule.map_or(due_at, |schedule| schedule.opens_at(due_at)))
        }
        Trigger::Manual { .. } => None,
    }
}

fn why_not_started(step: &Step<'_>, run: &Run) -> String {
    let closed = "its start window closed before it could start";
    if let Some(reason) = step.state.launcher_gone() {
        return format!("{closed}: the launcher could not be reached ({reason})");
    }
    let Some(entry) = step.state.incarnation(run.id.incarnation) else {
        return format!("{closed}: its job was deleted");
    };
    let mut tally = Tally::new(step.state.offers(), step.state.used());
    match tally.assign(&entry.job.resources, &entry.conditions) {
        Ok(_) => format!("{closed}: Chronode came to it too late"),
        Err(why) => format!("{closed}: {why}"),
    }
}

/// Matches pending runs with offers, most urgent first.
pub(super) fn decide_offers(step: &mut Step<'_>) {
    if !step.state.is_placement_due() {
        return;
    }
    let state = step.state;
    let mut tally = Tally::new(state.offers(), state.used());
    let mut placed = 0;
    for run in state.pending() {
        if placed == limits::PLACED_PER_STEP_MAX {
            // The flag stays up, so the next step goes on from here at once.
            return;
        }
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
        // Somebody has set the clock back since its window opened: it waits until the clock shows that instant again.
        if let Some(opens_at) = opens_at(entry, run).filter(|at| *at > step.now.wall) {
            let mut run = run.clone();
            run.state = RunState::Waiting { retry_at: opens_at };
            step.change(Change::RunStored(Box::new(run)));
            continue;
        }
        if let Ok(assignment) = tally.assign(&entry.job.resources, &entry.conditions) {
            begin_attempt(step, entry, run, assignment);
            placed += 1;
        }
    }
    step.change(Change::PlacementSettled);
}

fn begin_attempt(step: &mut Step<'_>, entry: &JobEntry, run: &Run, assignment: Assignment) {
    let index = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
    let arguments = launch::arguments_in_task_id(&entry.job, run);
    let attempt = Attempt {
        index,
        task_id: TaskId::new(run.task_millis, index, &run.job, &arguments),
        agent: assignment.agent.clone(),
        launched_at: step.now.wall,
        state: AttemptState::Launching,
    };
    let launch = launch::launch(step, entry, run, &attempt, assignment);
    let mut run = run.clone();
    run.attempts.push(attempt);
    run.state = RunState::Active;
    // Crash after the commit of this and before the launch: the run is stored as active, its attempt as launching, and
    // the launcher may or may not have the task. The next start asks it and learns which.
    step.change(Change::RunStored(Box::new(run)));
    step.effect(Effect::Launch(Box::new(launch)));
}
