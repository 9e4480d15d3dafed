//! A job in brief: what lists of many jobs show of each, in Chronos' words.

use std::fmt;
use std::sync::Arc;

use crate::model::{Incarnation, Job, Run};

pub use crate::model::JobStatus;

/// A job in brief. Shares the definition, so that a copy is cheap.
#[derive(Debug, Clone)]
pub struct JobBrief {
    /// Which life of its name.
    pub incarnation: Incarnation,
    /// The definition.
    pub job: Arc<Job>,
    /// How its last run that counts ended.
    pub status: JobStatus,
    /// Where its runs stand.
    pub state: JobState,
    /// Runs that succeeded.
    pub success_count: u64,
    /// Runs that failed finally.
    pub error_count: u64,
}

/// Where the runs of a job stand. Prints as Chronos 3 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// None is live.
    Idle,
    /// Some are, and none is known to have started: they wait for others, an offer, their next attempt or the launcher.
    Queued,
    /// So many are known to have started and not to have ended.
    Running(usize),
}

impl JobState {
    /// What the live runs of a job come to.
    pub fn of<'a>(live: impl Iterator<Item = &'a Run>) -> Self {
        let (mut runs, mut running) = (0_usize, 0);
        for run in live {
            runs += 1;
            running += usize::from(run.is_running());
        }
        match (runs, running) {
            (0, _) => Self::Idle,
            (_, 0) => Self::Queued,
            (_, running) => Self::Running(running),
        }
    }

    /// The word without the number, as Chronos 2 prints it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Queued => "queued",
            Self::Running(_) => "running",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(count) => write!(f, "{count} running"),
            Self::Idle | Self::Queued => f.write_str(self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{at, attempt, run, running};
    use crate::model::{Alarm, AttemptState, RunState, StopReason};

    #[test]
    fn runs_count_as_running_once_they_are_known_to_have_started() {
        let at = at("2030-01-01T00:00:01Z");
        let active = |state| run(1, "a", RunState::Active, vec![attempt(0, state)]);
        let stopping =
            |started_at| AttemptState::Stopping { started_at, why: StopReason::Requested };
        let until = Alarm { at, boot: None };
        let unknown = |started_at| AttemptState::Unknown {
            started_at,
            why: None,
            until,
            reason: String::new(),
        };
        let started = [active(running()), active(stopping(Some(at))), active(unknown(Some(at)))];
        let others = [
            run(1, "a", RunState::Queued, Vec::new()),
            run(1, "a", RunState::Pending { deadline: None }, Vec::new()),
            run(1, "a", RunState::Waiting { until }, Vec::new()),
            active(AttemptState::Launching),
            active(stopping(None)),
            active(unknown(None)),
        ];
        assert_eq!(JobState::of([].into_iter()).to_string(), "idle");
        for run in &others {
            assert_eq!(JobState::of([run].into_iter()).to_string(), "queued", "{run:?}");
        }
        for run in &started {
            assert_eq!(JobState::of([run].into_iter()).to_string(), "1 running", "{run:?}");
        }
        let all = JobState::of(started.iter().chain(&others));
        assert_eq!((all.to_string().as_str(), all.word()), ("3 running", "running"));
    }
}
