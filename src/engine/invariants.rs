//! What must hold of every state, whatever happened before.
//!
//! Checked after every step in simulations, and once when a state is loaded. Each violation is a sentence; a healthy
//! state has none. The promises themselves (nothing lost, nothing doubled) compare the state with the world outside
//! and are the simulator's; these are what they rest on.

use std::collections::BTreeSet;

use crate::model::{AttemptState, Contribution, Join, Run, RunState, Trigger, When, limits};

use super::entry::JobEntry;
use super::state::State;
use super::{intake, round};

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
        check_queue(state, entry, &mut found);
        check_rounds(state, entry, &mut found);
    }
    if state.job_count() != state.jobs().len() {
        found.push(format!("{} jobs are counted, not {}", state.job_count(), state.jobs().len()));
    }
    for signal in state.signals() {
        if signal.sequence == 0 || signal.sequence > state.last_sequence() {
            found.push(format!("the signal of {} has a sequence that was never given", signal.run));
        }
    }
    if state.has_offers_to_give_back() && !state.is_placement_due() {
        found.push("offers that come and go are held".to_owned());
    }
    if !state.graph().is_acyclic() {
        found.push("a job waits for itself".to_owned());
    }
    found
}

fn check_queue(state: &State, entry: &JobEntry, found: &mut Vec<String>) {
    let (queued, ahead): (Vec<&Run>, Vec<&Run>) =
        state.live_runs(entry.incarnation).partition(|run| run.state == RunState::Queued);
    if !queued.is_empty() && ahead.len() < intake::places(&entry.job) {
        found.push(format!("job `{}` has queued runs and nothing they wait for", entry.job.name));
    }
}

fn check_rounds(state: &State, entry: &JobEntry, found: &mut Vec<String>) {
    let name = &entry.job.name;
    let waits = entry.is_quarantined || state.pause_of(entry).is_some();
    if round::has_finished(state, entry) && !waits {
        found.push(format!(
            "the parents of job `{name}` have finished a round, and nothing follows"
        ));
    }
    let rounds = &entry.progress.rounds;
    match &entry.job.when {
        When::Schedule(_) if !rounds.is_empty() => {
            found.push(format!("job `{name}` has a schedule, and rounds of parents"));
        }
        When::Schedule(_) => {}
        When::Parents(terms) => {
            let most = match terms.join {
                Join::Round => 1,
                Join::Due => limits::ROUNDS_MAX,
            };
            if rounds.len() > most {
                found.push(format!("job `{name}` has {} open rounds", rounds.len()));
            }
            for parent in terms.names.iter().filter(|parent| state.job(parent).is_none()) {
                found.push(format!(
                    "job `{name}` has a parent `{parent}`, and there is no such job"
                ));
            }
            let parents = round::incarnations(state, &terms.names);
            let of_strangers = |it: &&Contribution| !parents.contains(&it.parent);
            for it in rounds.iter().flat_map(|round| &round.parents).filter(of_strangers) {
                found.push(format!("job `{name}` counts runs of {}, no parent of it", it.parent));
            }
        }
    }
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
        RunState::Queued
        | RunState::Pending { .. }
        | RunState::Waiting { .. }
        | RunState::Reporting { .. }
            if is_live =>
        {
            found.push(format!("run {} waits and has a live attempt", run.id));
        }
        RunState::Reporting { .. } if run.attempts.is_empty() => {
            found.push(format!("run {} waits for a report on no attempt", run.id));
        }
        RunState::Ended { .. } => found.push(format!("run {} is over and still live", run.id)),
        RunState::Pending { deadline: Some(_) } => {
            let is_bounded = !run.attempts.is_empty()
                || match run.trigger {
                    Trigger::Schedule { .. } => run.start_deadline.is_some(),
                    Trigger::CatchUp { .. }
                    | Trigger::Manual { .. }
                    | Trigger::Retry { .. }
                    | Trigger::Backfill { .. }
                    | Trigger::Parents { .. } => false,
                };
            if !is_bounded {
                found.push(format!("run {} has a start window that nothing gives it", run.id));
            }
        }
        RunState::Active
        | RunState::Queued
        | RunState::Pending { deadline: None }
        | RunState::Waiting { .. }
        | RunState::Reporting { .. } => {}
    }
}

fn check_job(state: &State, run: &Run, found: &mut Vec<String>) {
    let Some(entry) = state.incarnation(run.id.incarnation) else {
        let is_stopping = run.live_attempt().is_some_and(|attempt| match attempt.state {
            AttemptState::Stopping { .. } | AttemptState::Unknown { why: Some(_), .. } => true,
            AttemptState::Launching
            | AttemptState::Running { .. }
            | AttemptState::Unknown { why: None, .. }
            | AttemptState::Ended { .. } => false,
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
        Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => true,
    };
    if !is_decided {
        found.push(format!("run {} exists, and its occurrence could be decided again", run.id));
    }
}
