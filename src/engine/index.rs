//! The indexes of the state: what is due, pending, waiting, running too long, and what is held where.
//!
//! Kept by [`super::state::State::apply`] alone, so that a step costs what it decides and not what there is. Each index
//! is a function of the rest of the state; debug builds rebuild them all after every change and compare.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AgentId, AttemptState, BootInstant, Incarnation, Resources, Run, RunId, RunState, TaskId,
    Timestamp,
};

use super::entry::JobEntry;

/// Indexes. Each is a function of the rest of the state.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Derived {
    /// When the window of every enabled job's next undecided occurrence opens.
    pub(super) due: BTreeSet<(Timestamp, Incarnation)>,
    /// Pending runs, most urgent first: high priority, then in the order of recording.
    pub(super) pending: BTreeSet<(Reverse<bool>, u64, RunId)>,
    /// Ends of the start windows of pending runs.
    pub(super) deadlines: BTreeSet<(Timestamp, RunId)>,
    /// Retry instants of waiting runs.
    pub(super) retries: BTreeSet<(Timestamp, RunId)>,
    /// When running attempts are stopped for taking too long.
    pub(super) stops: BTreeSet<(BootInstant, RunId)>,
    /// Live attempts by task.
    pub(super) tasks: BTreeMap<TaskId, RunId>,
    /// What live attempts hold, each as it was when the run was last stored.
    pub(super) held: BTreeMap<RunId, (AgentId, Resources)>,
    /// The sums of `held` by agent.
    pub(super) used: BTreeMap<AgentId, Resources>,
    /// Live runs by job.
    pub(super) live: BTreeMap<Incarnation, BTreeSet<(u64, RunId)>>,
    /// Whether something changed since the pending runs were last looked at.
    pub(super) is_placement_wanted: bool,
}

impl Derived {
    pub(super) fn index_run(&mut self, run: &Run, entry: Option<&JobEntry>) {
        self.index_run_times(run, entry.is_some_and(|entry| entry.job.high_priority));
        if let Some(attempt) = run.live_attempt() {
            let wanted = entry.map(|entry| entry.job.resources).unwrap_or_default();
            if wanted == Resources::default() {
                return;
            }
            self.held.insert(run.id, (attempt.agent.clone(), wanted));
            let used = self.used.entry(attempt.agent.clone()).or_default();
            *used = used.plus(wanted);
        }
    }

    pub(super) fn index_run_times(&mut self, run: &Run, is_urgent: bool) {
        self.live.entry(run.id.incarnation).or_default().insert((run.sequence, run.id));
        match run.state {
            RunState::Pending { deadline } => {
                self.pending.insert((Reverse(is_urgent), run.sequence, run.id));
                self.deadlines.extend(deadline.map(|at| (at, run.id)));
            }
            RunState::Waiting { retry_at } => {
                self.retries.insert((retry_at, run.id));
            }
            RunState::Queued | RunState::Active | RunState::Ended { .. } => {}
        }
        if let Some(attempt) = run.live_attempt() {
            self.tasks.insert(attempt.task_id.clone(), run.id);
            if let AttemptState::Running { stop_at: Some(at), .. } = attempt.state {
                self.stops.insert((at, run.id));
            }
        }
    }

    pub(super) fn unindex_run(&mut self, run: &Run) {
        if let Some(live) = self.live.get_mut(&run.id.incarnation) {
            live.remove(&(run.sequence, run.id));
            if live.is_empty() {
                self.live.remove(&run.id.incarnation);
            }
        }
        match run.state {
            RunState::Pending { deadline } => {
                // The job's priority may have changed since the run was indexed.
                for is_urgent in [true, false] {
                    self.pending.remove(&(Reverse(is_urgent), run.sequence, run.id));
                }
                if let Some(at) = deadline {
                    self.deadlines.remove(&(at, run.id));
                }
            }
            RunState::Waiting { retry_at } => {
                self.retries.remove(&(retry_at, run.id));
            }
            RunState::Queued | RunState::Active | RunState::Ended { .. } => {}
        }
        if let Some(attempt) = run.live_attempt() {
            self.tasks.remove(&attempt.task_id);
            if let AttemptState::Running { stop_at: Some(at), .. } = attempt.state {
                self.stops.remove(&(at, run.id));
            }
        }
        if let Some((agent, held)) = self.held.remove(&run.id)
            && let Some(used) = self.used.get_mut(&agent)
        {
            *used = used.minus(held);
            if *used == Resources::default() {
                self.used.remove(&agent);
            }
        }
    }
}
