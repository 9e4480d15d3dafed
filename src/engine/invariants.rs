//! What must hold of every state, whatever happened before.
//!
//! Checked after every step in simulations, and once when a state is loaded. Each violation is a sentence; a healthy
//! state has none. The promises themselves (nothing lost, nothing doubled) compare the state with the world outside
//! and are the simulator's; these are what they rest on.

use std::collections::BTreeSet;

use crate::model::{AttemptState, Run, RunState, StopReason, Trigger};

use super::state::State;

/// Every violation in `state`.
#[must_use]
pub fn violations(state: &State) -> Vec<String> {
    let mut found = Vec::new();
    let mut tasks = BTreeSet::new();
    for run in state.runs() {
        check_attempts(run, &mut found);
        check_job(state, run, &mut found);
        for attempt in &run.attempts {
            if !tasks.insert(&attempt.task_id) {
                found.push(format!("task `{}` is an attempt of two runs", attempt.task_id));
            }
        }
        let used_up = state.task_mark(&run.job);
        if used_up.is_none_or(|mark| run.task_millis > mark) {
            found.push(format!("run {} uses a task millisecond that is not marked used", run.id));
        }
        if run.sequence == 0 || run.sequence > state.last_sequence() {
            found
                .push(format!("run {} has sequence {} that was never given", run.id, run.sequence));
        }
    }
    for entry in state.jobs() {
        let mut live = state.live_runs(entry.incarnation).peekable();
        if live.peek().is_some() && live.all(|run| run.state == RunState::Queued) {
            found.push(format!(
                "job `{}` has queued runs and nothing they wait for",
                entry.job.name
            ));
        }
    }
    found
}

fn check_attempts(run: &Run, found: &mut Vec<String>) {
    for (position, attempt) in run.attempts.iter().enumerate() {
        if usize::try_from(attempt.index) != Ok(position) {
            found.push(format!("run {} has attempt {} at place {position}", run.id, attempt.index));
        }
        let is_last = position + 1 == run.attempts.len();
        if !is_last && !matches!(attempt.state, AttemptState::Ended { .. }) {
            found.push(format!("run {} has a live attempt that is not its last", run.id));
        }
    }
    let is_live = run.live_attempt().is_some();
    match run.state {
        RunState::Active if !is_live => {
            found.push(format!("run {} is active without a live attempt", run.id));
        }
        RunState::Queued | RunState::Pending { .. } | RunState::Waiting { .. } if is_live => {
            found.push(format!("run {} waits and has a live attempt", run.id));
        }
        RunState::Ended { .. } => found.push(format!("run {} is over and still live", run.id)),
        RunState::Pending { deadline: Some(_) } => {
            let is_bounded = match run.trigger {
                Trigger::Schedule { .. } => run.attempts.is_empty(),
                Trigger::CatchUp { .. } | Trigger::Manual { .. } => false,
            };
            if !is_bounded {
                found.push(format!("run {} has a start window that nothing gives it", run.id));
            }
        }
        RunState::Active
        | RunState::Queued
        | RunState::Pending { deadline: None }
        | RunState::Waiting { .. } => {}
    }
}

fn check_job(state: &State, run: &Run, found: &mut Vec<String>) {
    let Some(entry) = state.incarnation(run.id.incarnation) else {
        let is_stopping = run.live_attempt().is_some_and(|attempt| match attempt.state {
            AttemptState::Stopping { why, .. } => {
                matches!(why, StopReason::JobDeleted | StopReason::Requested | StopReason::TimedOut)
            }
            AttemptState::Launching | AttemptState::Running { .. } | AttemptState::Ended { .. } => {
                false
            }
        });
        if !is_stopping {
            found.push(format!("run {} outlives its job and is not being stopped", run.id));
        }
        return;
    };
    let is_decided = match run.trigger {
        Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => {
            due_at <= entry.progress.decided_through
        }
        Trigger::Manual { .. } => true,
    };
    if !is_decided {
        found.push(format!("run {} exists, and its occurrence could be decided again", run.id));
    }
}
