//! The history as a page reads it: what is looked for in it, and what it has of many jobs in a stretch of time.

use crate::api::needle::Needle;
use crate::model::{AttemptState, Exit, HistoryEntry, Incarnation, JobName, Timestamp};

/// What is looked for in the history beside what [`super::HistoryFilter`] says. Everything that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookedFor {
    /// Each must be in the job's name.
    pub(crate) words: Vec<Needle>,
    /// Recorded at this instant or later.
    pub from: Option<Timestamp>,
    /// Recorded before this instant.
    pub to: Option<Timestamp>,
    /// An attempt was placed there.
    pub agent: Option<String>,
    /// With this code the command of the last attempt ended.
    pub exit: Option<i32>,
    /// The word of the trigger: a stretch is the schedule's.
    pub why: Option<String>,
}

impl LookedFor {
    /// Whether a name has all words. `lower` is room for it in small letters.
    #[must_use]
    pub fn is_in_name(&self, job: &str, lower: &mut String) -> bool {
        self.words.iter().all(|word| word.is_in(job, lower))
    }

    /// Whether an entry is looked for, but for its name and when it was recorded.
    #[must_use]
    pub fn covers(&self, entry: &HistoryEntry) -> bool {
        let (attempts, why) = match entry {
            HistoryEntry::Run(run) => (run.attempts.as_slice(), run.trigger.as_str()),
            HistoryEntry::Stretch(_) => (&[][..], "schedule"),
        };
        let exit = attempts.last().and_then(|attempt| match &attempt.state {
            AttemptState::Ended { exit: Some(Exit::Code(code)), .. } => Some(*code),
            AttemptState::Ended { .. }
            | AttemptState::Launching
            | AttemptState::Running { .. }
            | AttemptState::Stopping { .. }
            | AttemptState::Unknown { .. } => None,
        });
        let was_at =
            |agent: &String| attempts.iter().any(|attempt| attempt.agent.as_str() == agent);
        self.agent.as_ref().is_none_or(was_at)
            && self.exit.is_none_or(|wanted| exit == Some(wanted))
            && self.why.as_ref().is_none_or(|wanted| wanted == why)
    }
}

/// What was found in the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryPage {
    /// The entries, newest first.
    pub entries: Vec<HistoryEntry>,
    /// How far it was looked, if there is more: the sequence below which to go on, and when that entry was recorded.
    pub searched_to: Option<(u64, Timestamp)>,
}

/// What there was of some jobs in a stretch of time is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanesWanted {
    /// Of which jobs, and which lives of them.
    pub jobs: Vec<(JobName, Incarnation)>,
    /// From this instant on.
    pub from: Timestamp,
    /// Before this one.
    pub to: Timestamp,
    /// At most so many entries of each, the newest.
    pub limit: usize,
}

/// What there was of a job in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// The newest entries that touch it, newest first.
    pub entries: Vec<HistoryEntry>,
    /// Whether there are more.
    pub more: bool,
    /// The median of how many milliseconds the newest successes took, whenever they were; `None` without any.
    pub typical: Option<u64>,
}

impl Lane {
    /// The median of these spans, which it sorts.
    #[must_use]
    pub fn typical(took: &mut [u64]) -> Option<u64> {
        took.sort_unstable();
        took.get(took.len() / 2).copied()
    }
}
