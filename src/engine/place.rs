//! Pending runs meet offers, or the end of their start window.
//!
//! The tally of what a step has assigned is a local value; the state moves only when the changes are applied. A run
//! that fits nowhere stays pending and stops nobody else.

use crate::model::{Attempt, AttemptState, Run, RunState, TaskId, Verdict, limits};
use crate::placement::{Assignment, Tally};

use super::decision::{Change, Effect};
use super::state::JobEntry;
use super::{Step, launch, status};

/// Ends the pending runs whose start window has closed.
pub(super) fn decide_windows(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.overdue(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        let reason = why_not_started(step, run);
        status::end_run(step, run.clone(), Verdict::Missed, step.now.wall, reason);
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
        if matches!(run.state, RunState::Pending { deadline: Some(at) } if at < step.now.wall) {
            // Another part of this same step ends it as missed.
            continue;
        }
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
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
