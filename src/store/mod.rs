//! What survives: jobs with their revisions, live runs, the history, the marks that are never used
//! twice, and the data under which zones were last decided.
//!
//! [`Store`] is all that the driver knows: load everything, commit one batch of the engine's changes. [`SqliteStore`]
//! keeps them in one file, [`MemoryStore`] nowhere; both pass one suite (`conformance`). The history is read beside
//! the store, through [`Reader`], because readers must never wait for the writer nor hold it up.
//!
//! Decides nothing: what a change means is the engine's, here it is only put down and given back. Reads no clock.

mod alerts;
mod codec;
mod error;
mod memory;
mod sqlite;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod conformance;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use codec::DecodeError;
pub use error::{CommitError, Error};
pub use memory::MemoryStore;
pub use sqlite::{
    DATABASE_FILE, DataDir, Existing, Filter, Found, IncidentFilter, LOCK_FILE, Lane,
    NotificationFilter, Pruned, Reader, Retention, Revision, SqliteStore, Within, backup,
};

use crate::alerts as desk;
use crate::engine::{Change, Recovered};
use crate::model::{
    AnsweredRequest, Backfill, FrameworkId, Incarnation, JobName, JobRecord, Pause, Run, Signal,
    Term, Timestamp,
};

/// Keeps the state of one installation.
pub trait Store: Send + Sync + fmt::Debug {
    /// Everything the engine's state is rebuilt from.
    ///
    /// # Errors
    ///
    /// [`Error`]: nothing can be said about what is stored. Never an empty state in place of an unreadable one.
    fn load(&self) -> BoxFuture<'_, Result<Loaded, Error>>;

    /// Stores all durable changes of `batch` in their order, or none. Volatile changes are skipped.
    ///
    /// A change to a job that is not there any more changes nothing, as in the engine's own state.
    ///
    /// # Errors
    ///
    /// [`CommitError`], which says whether the batch may be stored all the same.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>>;
}

/// What is committed at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The term of the leader that decided it. Refused if a newer one has been stored; a newer one is stored with it.
    pub term: Term,
    /// What it decided, in order.
    pub changes: Vec<Change>,
}

/// Everything the engine's state is rebuilt from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The newest term that has written.
    pub term: Term,
    /// All jobs, by incarnation.
    pub jobs: Vec<JobRecord>,
    /// The live runs, by sequence.
    pub runs: Vec<Run>,
    /// The ends of parents' runs that not all children have been told of, by sequence.
    pub signals: Vec<Signal>,
    /// The last millisecond used in task ids of a name, by name. Names of deleted jobs included.
    pub task_marks: Vec<(JobName, i64)>,
    /// The compiled data under which each zone was last decided, by its name.
    pub zones: Vec<(String, Arc<[u8]>)>,
    /// The requests that were carried out under a key, by its id.
    pub answered: Vec<AnsweredRequest>,
    /// Whether everything is paused.
    pub pause: Option<Pause>,
    /// The backfills that are told of, by their ids.
    pub backfills: Vec<Backfill>,
    /// What people are told of.
    pub alerts: desk::Recovered,
    /// Until when every deadline is judged.
    pub judged_through: Timestamp,
    /// What the launcher was to its cluster when it was last connected to one.
    pub framework: Option<FrameworkId>,
    /// The largest incarnation ever stored, 0 if none was.
    pub last_incarnation: Incarnation,
    /// The largest sequence ever stored, 0 if none was.
    pub last_sequence: u64,
}

impl From<Loaded> for Recovered {
    fn from(loaded: Loaded) -> Self {
        let Loaded {
            term,
            jobs,
            runs,
            signals,
            task_marks,
            zones,
            answered,
            pause,
            backfills,
            alerts,
            judged_through,
            framework,
            last_incarnation,
            last_sequence,
        } = loaded;
        let last_incarnation = last_incarnation.0;
        Self {
            term,
            jobs,
            runs,
            signals,
            task_marks,
            zones,
            answered,
            pause,
            backfills,
            alerts,
            judged_through,
            framework,
            last_incarnation,
            last_sequence,
        }
    }
}

impl Default for Loaded {
    /// What an empty store gives.
    fn default() -> Self {
        Self {
            term: Term::default(),
            jobs: Vec::new(),
            runs: Vec::new(),
            signals: Vec::new(),
            task_marks: Vec::new(),
            zones: Vec::new(),
            answered: Vec::new(),
            pause: None,
            backfills: Vec::new(),
            alerts: desk::Recovered::default(),
            judged_through: Timestamp::default(),
            framework: None,
            last_incarnation: Incarnation(0),
            last_sequence: 0,
        }
    }
}
