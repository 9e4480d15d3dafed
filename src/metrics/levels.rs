//! What there is at one moment, as the committed state has it.

use crate::engine::State;
use crate::model::{Priority, RunState};

/// What there is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// Jobs.
    pub jobs: usize,
    /// Of these, disabled ones.
    pub jobs_disabled: usize,
    /// Runs behind another run of their job.
    pub runs_queued: usize,
    /// Runs that want an offer.
    pub runs_pending: usize,
    /// Runs whose attempt is the launcher's.
    pub runs_active: usize,
    /// Runs that wait for their next attempt.
    pub runs_waiting: usize,
    /// Runs whose command has ended and whose job has still to say how it went.
    pub runs_reporting: usize,
    /// Of the runs that want an offer, those of jobs without a high priority.
    pub queue: usize,
    /// The others.
    pub queue_high: usize,
    /// Whether the launcher can be reached.
    pub is_launcher_connected: bool,
    /// The term that began last.
    pub term: u64,
}

impl Levels {
    /// Counts them. Looks at every job and every live run once.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut levels = Self {
            jobs: state.jobs().len(),
            jobs_disabled: state.jobs().filter(|entry| entry.job.disabled).count(),
            is_launcher_connected: state.launcher_gone().is_none(),
            term: state.term().0,
            ..Self::default()
        };
        for run in state.runs() {
            match run.state {
                RunState::Queued => levels.runs_queued += 1,
                RunState::Active => levels.runs_active += 1,
                RunState::Waiting { .. } => levels.runs_waiting += 1,
                RunState::Reporting { .. } => levels.runs_reporting += 1,
                RunState::Pending { .. } => {
                    levels.runs_pending += 1;
                    let entry = state.incarnation(run.id.incarnation);
                    match entry.map(|entry| entry.job.priority) {
                        Some(Priority::High) => levels.queue_high += 1,
                        Some(Priority::Normal | Priority::Low) | None => levels.queue += 1,
                    }
                }
                // No ended run is in the state.
                RunState::Ended { .. } => {}
            }
        }
        levels
    }

    /// The live runs by the word of their state.
    #[must_use]
    pub const fn runs(&self) -> [(&'static str, usize); 5] {
        [
            ("queued", self.runs_queued),
            ("pending", self.runs_pending),
            ("active", self.runs_active),
            ("waiting", self.runs_waiting),
            ("reporting", self.runs_reporting),
        ]
    }

    /// How many runs are not over.
    #[must_use]
    pub const fn live(&self) -> usize {
        self.runs_queued
            + self.runs_pending
            + self.runs_active
            + self.runs_waiting
            + self.runs_reporting
    }
}
