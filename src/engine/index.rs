//! The indexes of the state: what is due, pending, waiting, running too long, and what is held where.
//!
//! Kept by [`super::state::State::apply`] alone, so that a step costs what it decides and not what there is. Each index
//! is a function of the rest of the state; debug builds rebuild them all after every change and compare.

use std::collections::{BTreeMap, BTreeSet};

use super::answered::Answered;
use crate::graph::JobGraph;
use crate::model::{
    AgentId, Alarm, AttemptState, BootInstant, Duration, Incarnation, Priority, Resources, Run,
    RunId, RunState, TaskId, Timestamp,
};

/// Indexes. Each is a function of the rest of the state.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Derived {
    /// When the window of every enabled job's next undecided occurrence opens.
    pub(super) due: BTreeSet<(Timestamp, Incarnation)>,
    /// When the pauses of single jobs end by themselves.
    pub(super) rests: BTreeSet<(Timestamp, Incarnation)>,
    /// Pending runs, most urgent first: by when they were recorded, moved by their priority, then in that order.
    pub(super) pending: BTreeSet<(Timestamp, u64, RunId)>,
    /// Ends of the start windows of pending runs.
    pub(super) deadlines: BTreeSet<(Timestamp, RunId)>,
    /// When runs go on that wait for their next attempt or for news of the last, those that the boot clock measures.
    pub(super) boot_alarms: BTreeSet<(BootInstant, RunId)>,
    /// The same of those that wait for an instant of the wall clock.
    pub(super) wall_alarms: BTreeSet<(Timestamp, RunId)>,
    /// When running attempts are stopped for taking too long.
    pub(super) stops: BTreeSet<(BootInstant, RunId)>,
    /// The next deadline of each live run that has one.
    pub(super) objectives: BTreeSet<(Timestamp, RunId)>,
    /// Live attempts by task.
    pub(super) tasks: BTreeMap<TaskId, RunId>,
    /// Attempts that have ended and of which their job has still to say how.
    pub(super) reporting: BTreeMap<TaskId, RunId>,
    /// What live attempts hold of each agent.
    pub(super) used: BTreeMap<AgentId, Resources>,
    /// Live runs by job.
    pub(super) live: BTreeMap<Incarnation, BTreeSet<(u64, RunId)>>,
    /// When each request was carried out under a key, and which key.
    pub(super) answered: Answered,
    /// Who is triggered by whom.
    pub(super) graph: JobGraph,
    /// How many jobs there are.
    pub(super) job_count: usize,
    /// Whether something changed since the pending runs were last looked at.
    pub(super) is_placement_wanted: bool,
}

impl Derived {
    pub(super) fn forget_job(&mut self, incarnation: Incarnation) {
        self.graph.remove(incarnation);
        self.job_count -= 1;
    }

    pub(super) fn index_run(&mut self, run: &Run, priority: Priority) {
        if let Some(attempt) = run.live_attempt()
            && attempt.holds != Resources::default()
        {
            let used = self.used.entry(attempt.agent.clone()).or_default();
            *used = used.plus(attempt.holds);
        }
        self.live.entry(run.id.incarnation).or_default().insert((run.sequence, run.id));
        match run.state {
            RunState::Pending { deadline } => {
                self.pending.insert((rank(run, priority), run.sequence, run.id));
                self.deadlines.extend(deadline.map(|at| (at, run.id)));
            }
            RunState::Reporting { .. } => {
                let task = run.attempts.last().map(|attempt| attempt.task_id.clone());
                self.reporting.extend(task.map(|task| (task, run.id)));
            }
            RunState::Queued
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Ended { .. } => {}
        }
        match alarm(run) {
            Some(Alarm { boot: Some(at), .. }) => {
                self.boot_alarms.insert((at, run.id));
            }
            Some(Alarm { at, boot: None }) => {
                self.wall_alarms.insert((at, run.id));
            }
            None => {}
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
                for priority in Priority::ALL {
                    self.pending.remove(&(rank(run, priority), run.sequence, run.id));
                }
                if let Some(at) = deadline {
                    self.deadlines.remove(&(at, run.id));
                }
            }
            RunState::Reporting { .. } => {
                if let Some(attempt) = run.attempts.last() {
                    self.reporting.remove(&attempt.task_id);
                }
            }
            RunState::Queued
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Ended { .. } => {}
        }
        match alarm(run) {
            Some(Alarm { boot: Some(at), .. }) => {
                self.boot_alarms.remove(&(at, run.id));
            }
            Some(Alarm { at, boot: None }) => {
                self.wall_alarms.remove(&(at, run.id));
            }
            None => {}
        }
        if let Some(attempt) = run.live_attempt() {
            self.tasks.remove(&attempt.task_id);
            if let AttemptState::Running { stop_at: Some(at), .. } = attempt.state {
                self.stops.remove(&(at, run.id));
            }
        }
        if let Some(attempt) = run.live_attempt()
            && let Some(used) = self.used.get_mut(&attempt.agent)
        {
            *used = used.minus(attempt.holds);
            if *used == Resources::default() {
                self.used.remove(&attempt.agent);
            }
        }
    }
}

/// By how much a step of priority moves a run before or behind others. No run waits for ever behind more urgent ones:
/// those that come an hour after it are behind it.
const PRIORITY_STEP: Duration = Duration::from_hours(1);

/// The place of a pending run among the others: earlier is more urgent.
fn rank(run: &Run, priority: Priority) -> Timestamp {
    match priority {
        Priority::High => run.created_at.saturating_sub(PRIORITY_STEP).unwrap_or(Timestamp::MIN),
        Priority::Normal => run.created_at,
        Priority::Low => run.created_at.saturating_add(PRIORITY_STEP).unwrap_or(Timestamp::MAX),
    }
}

/// When a run goes on that waits for an instant.
pub(super) fn alarm(run: &Run) -> Option<Alarm> {
    match run.state {
        RunState::Waiting { until } => return Some(until),
        RunState::Reporting { until } => return until,
        RunState::Queued | RunState::Pending { .. } | RunState::Active | RunState::Ended { .. } => {
        }
    }
    run.live_attempt().and_then(|attempt| match attempt.state {
        AttemptState::Unknown { until, .. } => Some(until),
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Ended { .. } => None,
    })
}
