//! What the API needs from the rest of the program: one port, which the program's wiring implements.
//!
//! Reads come from the read view and the history, which never lock the state; changes go through the one loop and
//! are answered only when they are durable. The API knows neither store nor launcher nor clock.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::engine::forecast::Plan;
use crate::engine::{Reply, Request, RoundStanding};
use crate::model::{
    HistoryEntry, JobName, JobRecord, ParentTerms, Run, RunId, Scope, Timestamp, Verdict,
};
use crate::schedule::ZoneDb;

/// The program behind the API.
pub trait Backend: Send + Sync + 'static {
    /// Hands a request to the loop; the answer is durable when it comes.
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Reply, Unavailable>>;

    /// All jobs, in the order of their names.
    fn jobs(&self) -> Vec<JobView>;

    /// One job.
    fn job(&self, name: &JobName) -> Option<JobView>;

    /// How far the parents of one job are.
    fn round(&self, job: &JobName) -> Option<RoundView>;

    /// At most `limit` entries that pass `filter` and have a sequence below `before`, newest first.
    ///
    /// An error is a sentence for the log.
    fn history(
        &self,
        filter: HistoryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<HistoryEntry>, String>>;

    /// One run, live or ended. An error is a sentence for the log.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, String>>;

    /// At most `max` bytes of what an attempt wrote, from the first kept byte at or after `position`.
    ///
    /// [`io::ErrorKind::NotFound`] means that nothing is kept of that attempt.
    fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>>;

    /// What this process is and how it fares; what is counted is counted within `scope`.
    fn info(&self, scope: &Scope) -> Info;

    /// What schedules are calculated with.
    fn almanac(&self) -> Almanac;

    /// What is planned of all jobs, or of that one: copies, which lock nothing.
    fn plans(&self, job: Option<&JobName>) -> Vec<Plan>;

    /// Waits a moment, short against a person's patience: between two looks at output that may have grown.
    fn pause(&self) -> BoxFuture<'_, ()>;
}

/// What schedules are calculated with.
#[derive(Debug, Clone)]
pub struct Almanac {
    /// The present, by the wall clock, in whole milliseconds: an interval that begins now begins no later.
    pub now: Timestamp,
    /// The zones in use.
    pub zones: ZoneDb,
}

/// A job as readers see it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The stored record.
    pub record: Arc<JobRecord>,
    /// When its next occurrence is due; `None` if there is none.
    pub next_due: Option<Timestamp>,
    /// Occurrences left; `None` if they never end.
    pub remaining: Option<u64>,
    /// What its parents have still to do for its next run, as a sentence; `None` of a job without parents.
    pub waits_for: Option<String>,
    /// How many of its runs are not over.
    pub live: usize,
}

/// How far the parents of a job are with its next run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundView {
    /// After whom the job runs; `None` of a job with a schedule.
    pub terms: Option<ParentTerms>,
    /// How far each of them is; `None` of a job with a schedule.
    pub standing: Option<RoundStanding>,
}

/// Which entries of the history are wanted. Everything that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryFilter {
    /// Of the job that had this name at the time.
    pub job: Option<JobName>,
    /// That ended so.
    pub verdict: Option<Verdict>,
    /// `true`: runs that are not over; `false`: entries that are.
    pub live: Option<bool>,
    /// Of jobs that it covers.
    pub scope: Scope,
}

/// One of the two streams a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A part of what an attempt wrote. Positions count bytes of what was written, not of what was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where `bytes` begin: the position asked for, or the first kept one after it.
    pub position: u64,
    /// The bytes; empty if nothing is kept at or after the position asked for.
    pub bytes: Bytes,
    /// How many bytes between the position asked for and `position` were not kept.
    pub omitted: u64,
    /// How many bytes the attempt has written so far.
    pub total: u64,
}

/// Why a request could not be taken: nobody leads, or the store cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// A sentence for people.
    pub reason: String,
    /// When to try again, in seconds.
    pub retry_after_secs: u32,
}

/// What this process is and how it fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The version of Chronode.
    pub version: String,
    /// This node's name.
    pub node: String,
    /// The addresses it answers on.
    pub listening: Vec<String>,
    /// Its zone data.
    pub zones: ZoneInfo,
    /// Which launcher starts the commands.
    pub launcher: String,
    /// What is wrong with the launcher; `None` while it can be reached.
    pub launcher_problem: Option<String>,
    /// Why what is done cannot be recorded; `None` while it can.
    pub audit_problem: Option<String>,
    /// How many jobs there are.
    pub jobs: usize,
    /// How many runs are not over.
    pub live_runs: usize,
    /// How many of these wait for an offer.
    pub pending_runs: usize,
}

/// Which zone data is used, and which else there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneInfo {
    /// The version in use, such as `2026c`.
    pub version: String,
    /// Where it comes from.
    pub source: String,
    /// Whether an operator insists on it; otherwise it is the newest.
    pub is_pinned: bool,
    /// The version in the program.
    pub bundled: String,
    /// The version that the host has, if it says.
    pub host: Option<String>,
}

impl Stream {
    /// The word in paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
