//! What the API needs from the rest of the program: one port, which the program's wiring implements.
//!
//! Reads come from the read view and the history, which never lock the state; changes go through the one loop and
//! are answered only when they are durable. The API knows neither store nor launcher nor clock.

mod agents;
mod alerting;
mod history;
mod operations;
mod overview;
mod pages;
mod sandbox;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::brief::{JobBrief, JobState};
use crate::engine::forecast::Plan;
use crate::engine::{Doubt, FeedEvent, Reason, Reply, Request, RoundStanding};
use crate::metrics::{Figures, Levels, Metrics};
use crate::model::{
    Duration, HistoryEntry, Incarnation, Job, JobName, JobStats, JobVersion, Origin, ParentTerms,
    Pause, RequestKey, Run, RunId, Scope, TaskId, Timestamp, Verdict,
};
use crate::schedule::ZoneDb;

pub use agents::{AgentView, Fate, LastOffer, Objection};
pub use alerting::{
    Alerting, ChannelView, IncidentCounts, IncidentView, IncidentsPage, IncidentsWanted,
    NotificationView, NotificationsPage, NotificationsWanted, Tried, standing,
};
pub use history::{HistoryPage, Lane, LanesWanted, LookedFor};
pub use operations::{BacklogPage, BacklogWanted, Operations, Pauses, Timetable, waiting_jobs};
pub use overview::{Order, OverviewJob, OverviewPage, OverviewWanted};
pub use pages::Pages;
pub use sandbox::{SandboxFile, Sandboxes};

/// The program behind the API.
pub trait Backend: Alerting + Operations + Pages + Sandboxes + Send + Sync + 'static {
    /// Hands a request to the loop; the answer is durable when it comes.
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Reply, Unavailable>>;

    /// What is committed of the answer to a request that was carried out under `key`, as [`crate::engine::repeated`].
    fn repeated(&self, key: &RequestKey) -> Option<Reply>;

    /// Up to `limit` jobs with a name behind `after`, in the order of their names; fewer where looking at all of them
    /// would hold up others, none only if there are none. Copies no definition.
    fn jobs_after(&self, after: Option<&JobName>, limit: usize) -> Vec<JobView>;

    /// The same in the order of their creation, each in brief.
    fn briefs_after(&self, after: Option<Incarnation>, limit: usize) -> Vec<JobBrief>;

    /// One job.
    fn job(&self, name: &JobName) -> Option<JobView>;

    /// Whose task it is, of the last attempt of a live run.
    fn job_of_task(&self, task_id: &TaskId) -> Option<JobName>;

    /// How far the parents of one job are, in a sentence for who may see `scope`.
    fn round(&self, job: &JobName, scope: &Scope) -> Option<RoundView>;

    /// Why a job does and does not run, told to who may see `scope`. `last` is what the history knows of its name, newest
    /// first.
    fn explain_job(
        &self,
        job: &JobName,
        now: Timestamp,
        last: &[HistoryEntry],
        scope: &Scope,
    ) -> Option<JobExplained>;

    /// Why a run exists, and why it stands as it does.
    fn explain_run(&self, run: &Run, now: Timestamp) -> Vec<Reason>;

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

    /// The runs that one of `causes` brought about, each once, in the order of recording: by ending, or by being tried
    /// once more. At most `limit`. An error is a sentence for the log.
    fn caused_by(
        &self,
        causes: Vec<RunId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Run>, String>>;

    /// The newest run of each of these names that has had one. An error is a sentence for the log.
    fn newest_runs(&self, jobs: Vec<JobName>) -> BoxFuture<'_, Result<NewestRuns, String>>;

    /// At most `max` bytes of what an attempt wrote, from the first kept byte at or after `position`.
    ///
    /// [`io::ErrorKind::NotFound`] means that nothing is kept of that attempt; `HostUnreachable`, that whoever keeps it
    /// cannot be asked; `PermissionDenied`, that they refuse. An error with a text of its own says why in a sentence for
    /// people.
    fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>>;

    /// How long the newest successes of that life of a job took, in milliseconds: at most
    /// [`crate::metrics::VALUES_MAX`]. An error is a sentence for the log.
    fn took(&self, job: Incarnation) -> BoxFuture<'_, Result<Figures, String>>;

    /// The same of every job that has a success.
    fn took_by_all(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Figures>, String>>;

    /// How many tasks are listed with the figures of a job.
    fn job_history_limit(&self) -> usize;

    /// Who leads, as a name and a port; `None` if nobody does.
    fn leader(&self) -> Option<String>;

    /// How long ago the loop turned last. It does so twice a second, unless it hangs.
    fn still_for(&self) -> Duration;

    /// What there is at the moment, of all jobs.
    fn levels(&self) -> Levels;

    /// What is counted and measured.
    fn metrics(&self) -> Arc<Metrics>;

    /// What this process is and how it fares; what is counted is counted within `scope`.
    fn info(&self, scope: &Scope) -> Info;

    /// What schedules are calculated with.
    fn almanac(&self) -> Almanac;

    /// What is planned of all jobs, or of that one: copies, which lock nothing.
    fn plans(&self, job: Option<&JobName>) -> Vec<Plan>;

    /// Waits a moment, short against a person's patience: between two looks at output that may have grown.
    fn pause(&self) -> BoxFuture<'_, ()>;

    /// The definitions that a name has had and that are kept, newest first, at most `limit`: those before `before`, if
    /// that is given. An error is a sentence for the log.
    fn revisions(
        &self,
        job: &JobName,
        before: Option<RevisionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RevisionView>, String>>;

    /// What has changed, as it changes.
    fn feed(&self) -> Arc<dyn Feed>;
}

/// The newest run of each name.
pub type NewestRuns = BTreeMap<JobName, RunId>;

/// The last things that have happened, each with a number. Another process has another feed.
pub trait Feed: Send + Sync {
    /// Its name, which no other feed has.
    fn name(&self) -> Arc<str>;

    /// The number of the last item; 0 before the first.
    fn end(&self) -> u64;

    /// The items after the one numbered `number`, at most `max`, oldest first. `None` if something that came after it
    /// cannot be told any more.
    fn after(&self, number: u64, max: usize) -> Option<Vec<Arc<FeedEvent>>>;

    /// Waits until something comes after `number`, which is `true`, or for so long that whoever listens should be told
    /// that the connection still lives.
    fn grown(&self, number: u64) -> BoxFuture<'_, bool>;
}

/// Names one definition among all that a name has had. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevisionId {
    /// Which life of the name.
    pub incarnation: Incarnation,
    /// Which definition of this life, from 1.
    pub revision: u64,
}

/// One definition that a name has or had.
#[derive(Debug, Clone)]
pub struct RevisionView {
    /// Which.
    pub id: RevisionId,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What was accepted. Whether the engine has disabled it since is not said.
    pub job: Job,
    /// Whether the life that it belongs to is over.
    pub is_removed: bool,
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
    /// What is stored of it.
    pub record: JobHead,
    /// When its next occurrence is due; `None` if there is none.
    pub next_due: Option<Timestamp>,
    /// Occurrences left; `None` if they never end.
    pub remaining: Option<u64>,
    /// What its parents have still to do for its next run, as a sentence; `None` of a job without parents.
    pub waits_for: Option<String>,
    /// How many of its runs are not over.
    pub live: usize,
    /// Where they stand.
    pub state: JobState,
}

/// What is stored of a job, but for how far its schedule is decided. Shares the definition, so that a copy is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct JobHead {
    /// Which life of its name.
    pub incarnation: Incarnation,
    /// Counts its definitions.
    pub revision: u64,
    /// When this definition was accepted.
    pub accepted_at: Timestamp,
    /// The definition.
    pub job: Arc<Job>,
    /// Counts.
    pub stats: JobStats,
    /// Which source it comes from.
    pub origin: Option<Origin>,
}

impl JobHead {
    /// Which definition it is.
    #[must_use]
    pub fn version(&self) -> JobVersion {
        JobVersion {
            incarnation: self.incarnation,
            revision: self.revision,
            disabled: self.job.disabled,
        }
    }
}

/// How far the parents of a job are with its next run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundView {
    /// After whom the job runs; `None` of a job with a schedule.
    pub terms: Option<ParentTerms>,
    /// How far each of them is; `None` of a job with a schedule.
    pub standing: Option<RoundStanding>,
}

/// Why a job does and does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobExplained {
    /// The sentences, in the order in which they are told.
    pub reasons: Vec<Reason>,
    /// When its next occurrence is due; `None` if there is none, or if nobody knows when.
    pub next_due: Option<Timestamp>,
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
    /// What this scheduler is called in its cluster; `None` without one, and before the first subscription.
    pub framework: Option<String>,
    /// Where the masters of the cluster are looked for; `None` without one.
    pub master: Option<String>,
    /// The roles whose resources are used there; none without one.
    pub roles: Vec<String>,
    /// Why what is done cannot be recorded; `None` while it can.
    pub audit_problem: Option<String>,
    /// How the directory of job files fares; `None` without one.
    pub job_files: Option<JobFilesView>,
    /// The jump of the wall clock that is not believed; `None` while it is.
    pub clock: Option<Doubt>,
    /// Whether everything is paused.
    pub paused: Option<Pause>,
    /// How many jobs there are.
    pub jobs: usize,
    /// How many runs are not over.
    pub live_runs: usize,
    /// How many of these wait for an offer.
    pub pending_runs: usize,
}

/// How the directory of job files fares that the process was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilesView {
    /// The directory.
    pub directory: String,
    /// The source that its jobs come from.
    pub source: String,
    /// Whether it is read again whenever it changes.
    pub is_watched: bool,
    /// Whether jobs are deleted that are not in it any more.
    pub is_pruning: bool,
    /// When it was last read.
    pub read_at: Timestamp,
    /// How much was wrong then.
    pub problem_count: usize,
    /// The first of that, each a line with place and remedy.
    pub problems: Vec<String>,
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
