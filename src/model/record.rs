//! What is remembered about a job beside its definition.

use super::{Incarnation, Interventions, Job, RunId, Stretch, Timestamp};

/// A job and what is remembered about it. The stored record.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Which life of the name this is. Set at creation.
    pub incarnation: Incarnation,
    /// Counts definitions of this life from 1; set at creation and replace.
    pub revision: u64,
    /// When this revision was accepted, by the leader's wall clock. The start of a schedule whose start is empty.
    pub accepted_at: Timestamp,
    /// The definition. Set at creation and replace; `disabled` also by the engine.
    pub job: Job,
    /// Counts and instants that Chronos prints. Set at creation from the body, then by the engine alone.
    pub stats: JobStats,
    /// How far its schedule has been decided.
    pub progress: Progress,
    /// What was done about it that lasts whatever its definition becomes.
    pub interventions: Interventions,
}

/// Which definition of which life of a job, and whether it is followed: what a client that read a job may insist on when
/// it changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobVersion {
    /// Which life of the name.
    pub incarnation: Incarnation,
    /// Which definition of that life.
    pub revision: u64,
    /// Whether it is disabled, which the engine may do without a new revision.
    pub disabled: bool,
}

impl JobRecord {
    /// Its version.
    #[must_use]
    pub const fn version(&self) -> JobVersion {
        JobVersion {
            incarnation: self.incarnation,
            revision: self.revision,
            disabled: self.job.disabled,
        }
    }
}

/// Counts and instants that Chronos prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobStats {
    /// Runs that succeeded.
    pub success_count: u64,
    /// Runs that failed finally.
    pub error_count: u64,
    /// Of these, since the last success.
    pub errors_since_last_success: u64,
    /// When the last success ended, as printed: UTC with milliseconds, or empty. Kept verbatim from a client.
    pub last_success: String,
    /// When the last failure ended, likewise.
    pub last_error: String,
}

/// How far a job's schedule has been decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Every occurrence due at or before this instant is decided or was never owed; none after it is.
    pub decided_through: Timestamp,
    /// The record of the latest occurrences that never became runs; extended while nothing else happens.
    pub stretch: Option<Stretch>,
    /// Of a job that runs when its machine starts: the last start of the machine that is decided, by its boot id.
    pub boot_id: Option<String>,
    /// Of a job with parents: what they have done that it has not been triggered for, oldest first. With
    /// [`super::Join::Round`] at most one.
    pub rounds: Vec<Round>,
}

/// What the parents of a job have done for one of its runs to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// What the runs of the parents stand for, with [`super::Join::Due`].
    pub due_at: Option<Timestamp>,
    /// Whether it has triggered already. Kept with [`super::Join::Due`] and a rule that one parent is enough for, so that it
    /// does so once.
    pub is_triggered: bool,
    /// What each parent did that did anything, by incarnation.
    pub parents: Vec<Contribution>,
}

/// What one parent has done in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Which life of which job.
    pub parent: Incarnation,
    /// Its runs that succeeded.
    pub successes: u64,
    /// Its runs that failed for good.
    pub failures: u64,
    /// Its runs that were stopped.
    pub kills: u64,
    /// The latest of all these.
    pub run: RunId,
    /// What that run stands for.
    pub due_at: Timestamp,
    /// When that run ended.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: Source,
}

/// Where it comes from what a parent has done in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// A run that came of itself, or that somebody asked for.
    #[default]
    New,
    /// A retry of a run and of everything that follows from it.
    Retried,
    /// An earlier round, for the sake of such a retry: this parent need not run again. It counts together with what the
    /// retry brings about, and for nothing else.
    Borrowed,
}

impl Source {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Retried => "retried",
            Self::Borrowed => "borrowed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::New, Self::Retried, Self::Borrowed].into_iter().find(|it| it.as_str() == text)
    }
}
