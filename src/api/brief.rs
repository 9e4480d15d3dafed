//! A job in brief: what lists of many jobs show of each, in Chronos' words.

use std::fmt;
use std::sync::Arc;

use crate::model::{AttemptState, Incarnation, Job, JobStats, Run, RunState, Timestamp};

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

/// How the last run of a job that counts ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// None has.
    Fresh,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

impl JobStatus {
    /// Which of the two instants is later; equal ones are a failure, as in Chronos.
    ///
    /// Both are texts that once came from a client, so either may be no instant. DIFFERENCE: Chronos then fails the whole
    /// list. Here an instant counts before a text that is none, and of two such texts the error does.
    #[must_use]
    pub fn of(stats: &JobStats) -> Self {
        let (success, error) = (&stats.last_success, &stats.last_error);
        let at = |text: &str| text.parse::<Timestamp>().ok();
        match (success.is_empty(), error.is_empty()) {
            (true, true) => Self::Fresh,
            (false, true) => Self::Success,
            (true, false) => Self::Failure,
            // Nothing is earlier than an instant.
            (false, false) if at(success) > at(error) => Self::Success,
            (false, false) => Self::Failure,
        }
    }

    /// The word in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
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
            running += usize::from(has_started(run));
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

/// Whether the live attempt of a run is known to have started.
fn has_started(run: &Run) -> bool {
    match (&run.state, run.live_attempt().map(|attempt| &attempt.state)) {
        (RunState::Active, Some(state)) => match state {
            AttemptState::Running { .. } => true,
            AttemptState::Stopping { started_at, .. }
            | AttemptState::Unknown { started_at, .. } => started_at.is_some(),
            AttemptState::Launching | AttemptState::Ended { .. } => false,
        },
        (RunState::Active, None) => false,
        // Its work goes on, where its job says.
        (RunState::Reporting { .. }, _) => true,
        (
            RunState::Queued
            | RunState::Pending { .. }
            | RunState::Waiting { .. }
            | RunState::Ended { .. },
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{at, attempt, run, running};
    use crate::model::{Alarm, StopReason};

    #[test]
    fn the_later_of_two_instants_says_how_it_fares() {
        let early = "2030-01-01T00:00:00.000Z";
        let late = "2030-01-01T00:00:00.001Z";
        for (success, error, expected) in [
            ("", "", JobStatus::Fresh),
            (early, "", JobStatus::Success),
            ("", early, JobStatus::Failure),
            (late, early, JobStatus::Success),
            (early, late, JobStatus::Failure),
            (early, early, JobStatus::Failure),
            // By the instant, not by the text.
            ("2030-01-01T02:00:00+03:00", early, JobStatus::Failure),
            ("yesterday", "", JobStatus::Success),
            ("", "yesterday", JobStatus::Failure),
            ("yesterday", early, JobStatus::Failure),
            (early, "yesterday", JobStatus::Success),
            ("tomorrow", "yesterday", JobStatus::Failure),
        ] {
            let (last_success, last_error) = (success.to_owned(), error.to_owned());
            let stats = JobStats { last_success, last_error, ..JobStats::default() };
            assert_eq!(JobStatus::of(&stats), expected, "{success} {error}");
        }
    }

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
