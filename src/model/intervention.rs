//! What operators do about jobs and runs: who, when, and why; pauses, occurrences skipped ahead, backfills.

use std::collections::BTreeMap;
use std::fmt;

use super::{EnvVar, Incarnation, JobName, Origin, Timestamp, Verdict};

/// Who told Chronode to do something, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// Who: the name of a credential, or a word for callers without one. Empty if nobody knows.
    pub by: String,
    /// When it was accepted, by the leader's wall clock.
    pub at: Timestamp,
    /// Why, as typed; empty if nobody said.
    pub reason: String,
}

impl Intervention {
    /// Who did what and why, as a sentence without a full stop: `kim paused it: the disk is full`.
    #[must_use]
    pub fn tell(&self, what: &str) -> String {
        let Self { by, at: _, reason } = self;
        let by = if by.is_empty() { "somebody" } else { by };
        let colon = if reason.is_empty() { "" } else { ": " };
        format!("{by} {what}{colon}{reason}")
    }
}

/// Nothing comes of itself of a job, or of all jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who paused it.
    pub by: Intervention,
    /// When it ends by itself: what is due from then on runs; `None` if somebody has to end it.
    pub until: Option<Timestamp>,
}

/// An occurrence that is not to run, decided before it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Which.
    pub due_at: Timestamp,
    /// Who wants it skipped.
    pub by: Intervention,
}

/// What was done about a job that lasts whatever its definition becomes: by operators, and by the source that it comes
/// from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interventions {
    /// Whether it is paused.
    pub pause: Option<Pause>,
    /// The occurrences to come that are not to run, earliest first.
    pub skips: Vec<Skip>,
    /// Which source it comes from.
    pub origin: Option<Origin>,
}

/// Names one backfill, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackfillId(pub u64);

impl BackfillId {
    /// Reads what [`fmt::Display`] prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(text.strip_prefix('b')?.parse().ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for BackfillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// Instants of the past that a job is run for once more, one after the other or a few at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Its name: a number from the order of recording.
    pub id: BackfillId,
    /// Which life of which job.
    pub incarnation: Incarnation,
    /// The job's name.
    pub job: JobName,
    /// Who asked for it.
    pub by: Intervention,
    /// What is run for, in the order in which it is run.
    pub due: Vec<Timestamp>,
    /// How many runs of it may be live at once; at least 1.
    pub concurrency: u32,
    /// Whether the first run that does not succeed ends it.
    pub stops_on_failure: bool,
    /// Arguments for its runs in place of the job's, as typed.
    pub arguments: Option<String>,
    /// Variables for its runs beside the job's.
    pub environment: Vec<EnvVar>,
    /// How many of `due` have become runs.
    pub begun: usize,
    /// How many of these are over, by how they ended.
    pub ended: BTreeMap<Verdict, u64>,
    /// Where it stands.
    pub state: BackfillState,
}

/// Where a backfill stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackfillState {
    /// Runs of it are live, or still to be begun.
    Going,
    /// All of its instants have been run for.
    Done {
        /// Since when.
        at: Timestamp,
    },
    /// The rest of its instants is not run for.
    Cancelled {
        /// Since when.
        at: Timestamp,
        /// Why, as a sentence.
        reason: String,
    },
}

impl BackfillState {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Going => "going",
            Self::Done { .. } => "done",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl Backfill {
    /// How many of its runs are not over.
    #[must_use]
    pub fn live(&self) -> u64 {
        let ended: u64 = self.ended.values().sum();
        u64::try_from(self.begun).unwrap_or(u64::MAX).saturating_sub(ended)
    }
}

/// How a run that somebody asks for differs from those that come of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// Arguments in place of the job's, as typed.
    pub arguments: Option<String>,
    /// Variables beside the job's, which they replace where names are the same.
    pub environment: Vec<EnvVar>,
    /// The instant that it stands for; `None` is when it is accepted.
    pub due_at: Option<Timestamp>,
    /// Who asks; `None` if the door does not know.
    pub by: Option<Intervention>,
}

impl Ask {
    /// With these arguments, and nothing else.
    #[must_use]
    pub fn with_arguments(arguments: Option<String>) -> Self {
        Self { arguments, ..Self::default() }
    }
}

/// What an operator can do about one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunVerb {
    /// End it.
    Kill,
    /// Try it again: at once if it waits for that, else as a new run for the same instant.
    Retry,
    /// Try it again, and then everything that followed from it.
    RetryDown,
    /// Count it as succeeded, so that what waits for it goes on.
    Succeed,
    /// Do not run it.
    Skip,
}

impl RunVerb {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Kill, Self::Retry, Self::RetryDown, Self::Succeed, Self::Skip];

    /// The word in paths, in JSON and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Retry => "retry",
            Self::RetryDown => "retry-down",
            Self::Succeed => "succeed",
            Self::Skip => "skip",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }
}

/// What is paused or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseScope {
    /// One job.
    Job(JobName),
    /// A job and everything that follows from it, as things are now.
    Subtree(JobName),
    /// All jobs, also those to come.
    Everything,
}
