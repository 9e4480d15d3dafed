//! What a task does on its agent, and what is decided about it beforehand.

use std::collections::VecDeque;

use chronode::mesos::wire::{TaskInfo, TaskState, TaskStatus};

/// How a command comes to its end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With this status.
    Exits(i32),
    /// By a signal of this name, as `strsignal` has it: `Segmentation fault`.
    Signalled(&'static str),
}

impl End {
    fn sentence(&self) -> String {
        match self {
            Self::Exits(code) => format!("Command exited with status {code}"),
            Self::Signalled(name) => format!("Command terminated with signal {name}"),
        }
    }
}

/// What a command does when it is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTerm {
    /// It dies of the signal.
    Dies,
    /// It catches the signal and exits so.
    Exits(i32),
    /// It goes on until it is killed.
    Ignores,
}

/// What goes wrong before the command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The agent cannot even make a sandbox: TASK_DROPPED, with this sentence.
    NoSandbox(String),
    /// The container cannot be made, with this sentence.
    NoContainer(String),
    /// The executor crashes after TASK_STARTING.
    ExecutorCrashes,
}

/// What a task does. All times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// From the launch to TASK_STARTING.
    pub(crate) starts_after: u64,
    /// From TASK_STARTING to TASK_RUNNING, when the command runs.
    pub(crate) runs_after: u64,
    /// How long the command runs, until its end is told; `None` is until somebody ends it.
    pub(crate) lasts: Option<u64>,
    pub(crate) end: End,
    pub(crate) on_term: OnTerm,
    /// From the request to end until the end is told, where the command does end.
    pub(crate) ends_after: u64,
    pub(crate) trouble: Option<Trouble>,
}

impl Default for Script {
    /// Exits well at once.
    fn default() -> Self {
        Self {
            starts_after: 100,
            runs_after: 5,
            lasts: Some(95),
            end: End::Exits(0),
            on_term: OnTerm::Dies,
            ends_after: 70,
            trouble: None,
        }
    }
}

/// How far a task is on its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its executor is not up.
    Staging,
    Starting,
    Running,
    /// It has been asked to end.
    Stopping,
    Over,
}

/// Why a task was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Killed,
    Drained,
    TookTooLong,
}

/// An update that is not acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) status: TaskStatus,
    /// When it is told again, and after how long then.
    pub(crate) again: Option<(u64, u64)>,
}

/// A task on its agent.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) framework: String,
    pub(crate) info: TaskInfo,
    /// Whether its executor outlives the agent's process.
    pub(crate) is_checkpointed: bool,
    pub(crate) tells_killing: bool,
    pub(crate) script: Script,
    pub(crate) phase: Phase,
    /// When it goes on by itself.
    pub(crate) due: Option<u64>,
    pub(crate) stop: Option<Stop>,
    /// When the executor loses patience with a task that was asked to end.
    pub(crate) container: String,
    pub(crate) latest: TaskState,
    pub(crate) updates: VecDeque<Pending>,
    /// When its time is over.
    pub(crate) deadline: Option<u64>,
}

impl Work {
    /// How long the executor waits before it kills.
    pub(crate) fn grace(&self) -> u64 {
        let policy = self.info.kill_policy.and_then(|policy| policy.grace_period);
        policy.map_or(3_000, |grace| u64::try_from(grace.nanoseconds / 1_000_000).unwrap_or(0))
    }

    /// The state and the sentence of the end that the command comes to.
    pub(crate) fn verdict(&self, end: &End) -> (TaskState, String) {
        let state = match (self.stop, end) {
            (Some(Stop::Killed | Stop::Drained), _) => TaskState::Killed,
            (Some(Stop::TookTooLong), _) | (None, End::Signalled(_)) => TaskState::Failed,
            (None, End::Exits(0)) => TaskState::Finished,
            (None, End::Exits(_)) => TaskState::Failed,
        };
        (state, end.sentence())
    }

    /// Why, in Mesos' word.
    pub(crate) const fn reason(&self) -> Option<&'static str> {
        match self.stop {
            Some(Stop::Drained) => Some("REASON_AGENT_DRAINING"),
            Some(Stop::TookTooLong) => Some("REASON_MAX_COMPLETION_TIME_REACHED"),
            Some(Stop::Killed) | None => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }
}

/// Whether nothing follows that state.
pub(crate) const fn is_end(state: TaskState) -> bool {
    match state {
        TaskState::Finished
        | TaskState::Failed
        | TaskState::Killed
        | TaskState::Error
        | TaskState::Lost
        | TaskState::Dropped
        | TaskState::Gone
        | TaskState::GoneByOperator => true,
        TaskState::Staging
        | TaskState::Starting
        | TaskState::Running
        | TaskState::Killing
        | TaskState::Unreachable
        | TaskState::Unknown
        | TaskState::Other => false,
    }
}
