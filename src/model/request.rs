//! What is remembered of a request, so that its repetition is answered and not carried out once more.

use super::{BackfillId, JobName, JobVersion, RunId, Timestamp, Verdict};

/// A key that a client gave to a request (`Idempotency-Key`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Names the request: made of who asked and of the key, so that clients cannot meet each other's.
    pub id: String,
    /// Who asked: made of their name. Empty in what was stored before callers were told apart.
    pub caller: String,
    /// What was asked: made of everything that the client sent, after the name of the form in which it is made of that
    /// and a colon.
    pub content: String,
}

impl RequestKey {
    /// Whether what is asked now may be what was asked then. Of two forms nobody can tell, and whoever repeats a request
    /// over an upgrade must not be told that it is another.
    #[must_use]
    pub fn may_repeat(&self, earlier: &Self) -> bool {
        let form = |key: &Self| key.content.split_once(':').map(|(form, _)| form.to_owned());
        self.content == earlier.content || form(self) != form(earlier)
    }
}

/// A request that was carried out under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredRequest {
    /// The key.
    pub key: RequestKey,
    /// When it was carried out, by the leader's wall clock.
    pub at: Timestamp,
    /// What was answered.
    pub answer: Answer,
}

/// What was answered, without sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A job was stored.
    Stored {
        /// What it became.
        version: JobVersion,
        /// Whether the name was new.
        created: bool,
    },
    /// A job was deleted.
    Deleted,
    /// A run was asked for.
    Triggered {
        /// Which.
        run: RunId,
    },
    /// Runs were asked to stop.
    Stopping {
        /// How many.
        count: u64,
    },
    /// A run that nobody executed counts as succeeded.
    Marked {
        /// The record of it.
        run: RunId,
    },
    /// The queue was cleared.
    QueueCleared,
    /// A job said how its task ended.
    Completed {
        /// Whether a live run had such a task.
        is_known: bool,
    },
    /// Elements were counted.
    Progressed {
        /// All of the task, then.
        elements: u64,
    },
    /// Jobs are launched from an instant on.
    CutOver {
        /// The first instant whose occurrences are launched.
        at: Timestamp,
        /// Which jobs, by name.
        names: Vec<JobName>,
    },
    /// Something was done about a run.
    Operated {
        /// Which.
        run: RunId,
        /// What became of it.
        became: Became,
    },
    /// Jobs were paused, or go on.
    Paused {
        /// Which, by name; empty if it was everything.
        names: Vec<JobName>,
    },
    /// An occurrence is skipped, or is not any longer.
    SkippedAhead {
        /// Which.
        due_at: Timestamp,
    },
    /// A backfill began.
    Backfilled {
        /// Which.
        id: BackfillId,
    },
    /// A backfill was cancelled, or waiting runs were dropped.
    Dropped {
        /// How many instants or runs.
        count: u64,
        /// How many of them are left, because they were too many for once.
        left: u64,
    },
    /// What was asked for is done, and there is nothing to tell of it.
    Done,
    /// Several jobs were stored: name, version, and what was done.
    Applied {
        /// In the order given.
        jobs: Vec<(JobName, JobVersion, ApplyOutcome)>,
    },
}

/// What was done with one of several jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// The name was new.
    Created,
    /// It got a new definition.
    Replaced,
    /// It was so already.
    Unchanged,
    /// It was deleted.
    Removed,
}

impl ApplyOutcome {
    /// Whether the job got a definition that it did not have.
    #[must_use]
    pub const fn is_new_definition(self) -> bool {
        match self {
            Self::Created | Self::Replaced => true,
            Self::Unchanged | Self::Removed => false,
        }
    }

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Created, Self::Replaced, Self::Unchanged, Self::Removed];
        all.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// What became of a run that somebody did something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Its command is being stopped.
    Stopping,
    /// It is over.
    Ended(Verdict),
    /// Its next attempt is due.
    TriedAgain,
    /// Another run stands for the same instant.
    Followed {
        /// Which.
        by: RunId,
    },
}
