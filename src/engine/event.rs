//! Everything the world can tell the engine.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::alerts;
use crate::model::{
    AgentId, Ask, BackfillId, Became, Contribution, Dialect, EnvVar, FrameworkId, Incarnation,
    IncidentId, Intervention, JobDraft, JobName, JobVersion, NotificationId, Offer, OfferId,
    PauseScope, RequestKey, Run, RunId, RunVerb, TaskId, TaskReport, Term, Timestamp,
};

pub use super::batch::{Applied, ApplyTerms, Difference, SourceTerms};

/// Something that happened. The driver stamps it with the time at which it is handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// This process leads from now on, or has loaded its state again: what is outstanding is asked after anew.
    Resumed {
        /// The term that begins or goes on.
        term: Term,
    },
    /// An instant the state waits for has come, or may have.
    Woke,
    /// A client asks for something.
    Request {
        /// Names the waiting client in the reply.
        id: RequestId,
        /// What is asked.
        request: Request,
    },
    /// The launcher can be reached, and has this to give. Earlier offers are void.
    LauncherConnected {
        /// What it has to give.
        offers: Vec<Offer>,
        /// What it is to the cluster that it works for; `None` for one that needs no cluster.
        framework: Option<FrameworkId>,
    },
    /// The launcher has this to give besides.
    Offered(Vec<Offer>),
    /// These offers are void.
    Withdrawn(Vec<OfferId>),
    /// The launcher has lost an agent; its offers are void.
    AgentLost(AgentId),
    /// The launcher cannot be reached. Its offers are void; its tasks go on.
    LauncherGone {
        /// Why, as a sentence.
        reason: String,
    },
    /// The launcher is left on purpose, for good: nothing new is started, and nobody needs to hear of it.
    Draining {
        /// Why, as a sentence.
        reason: String,
    },
    /// A commit failed, or may have, and all was read again.
    StoreFailed {
        /// What went wrong, as a sentence without a full stop.
        problem: String,
    },
    /// The launcher says what became of a task.
    Task(TaskReport),
    /// A notification was tried.
    Delivered {
        /// Which.
        id: NotificationId,
        /// What came of it.
        outcome: alerts::Outcome,
    },
}

/// Names one waiting client. The driver keeps the channel, so that decisions stay values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// What a client can ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Create or replace a job.
    PutJob {
        /// The job as asked for.
        draft: Box<JobDraft>,
        /// The door it came through.
        dialect: Dialect,
    },
    /// Delete a job, stopping its runs.
    DeleteJob {
        /// Which.
        name: JobName,
        /// Who wants it and why, if they say why.
        by: Option<Intervention>,
    },
    /// Run a job now.
    RunJob {
        /// Which.
        name: JobName,
        /// With what, for what instant, and who asks.
        ask: Box<Ask>,
    },
    /// Do something about one run.
    OperateRun {
        /// Of which job.
        name: JobName,
        /// Which.
        run: RunId,
        /// What.
        verb: RunVerb,
        /// What the history knows of it, if it is over.
        past: Option<Box<PastRun>>,
        /// Who wants it.
        by: Intervention,
    },
    /// Let nothing come of itself of a job, of a subtree, or of anything.
    Pause {
        /// Of what.
        scope: PauseScope,
        /// When it ends by itself.
        until: Option<Timestamp>,
        /// Who wants it.
        by: Intervention,
    },
    /// End a pause.
    Resume {
        /// Of what.
        scope: PauseScope,
        /// Who wants it.
        by: Intervention,
    },
    /// Do not run an occurrence that is still to come.
    SkipAhead {
        /// Of which job.
        name: JobName,
        /// Which; `None` is the next that is not skipped yet.
        due_at: Option<Timestamp>,
        /// Who wants it.
        by: Intervention,
    },
    /// Run an occurrence after all that was to be skipped.
    UnskipAhead {
        /// Of which job.
        name: JobName,
        /// Which.
        due_at: Timestamp,
        /// Who wants it.
        by: Intervention,
    },
    /// Run a job once more for instants of the past.
    Backfill(Box<BackfillDraft>),
    /// Begin no further run of a backfill.
    CancelBackfill {
        /// Of which job.
        name: JobName,
        /// Which.
        id: BackfillId,
        /// Whether those that are live are stopped.
        is_killing: bool,
        /// Who wants it.
        by: Intervention,
    },
    /// End, as skipped, runs that have not been begun.
    CutBacklog {
        /// Which.
        filter: BacklogFilter,
        /// Who wants it.
        by: Intervention,
    },
    /// Decide a job again that is left alone because deciding it went wrong.
    LiftQuarantine {
        /// Which.
        name: JobName,
        /// Who wants it.
        by: Intervention,
    },
    /// Take the wall clock for right although it has jumped.
    TrustClock {
        /// Who wants it.
        by: Intervention,
    },
    /// Tell nobody of an incident any more until it is put right: somebody looks after it.
    AcknowledgeIncident {
        /// Which.
        id: IncidentId,
        /// Who.
        by: Intervention,
    },
    /// Tell nobody of an incident or a job for a while.
    Silence {
        /// Of what.
        subject: alerts::Subject,
        /// Until when.
        until: Timestamp,
        /// Who wants it.
        by: Intervention,
    },
    /// End that before its time.
    EndSilence {
        /// Of what.
        subject: alerts::Subject,
        /// Who wants it.
        by: Intervention,
    },
    /// Try to deliver a notification at once.
    RetryNotification {
        /// Which.
        id: NotificationId,
        /// Who wants it.
        by: Intervention,
    },
    /// Stop all live runs of a job.
    KillJob {
        /// Which.
        name: JobName,
        /// Who wants it and why, if they say why.
        by: Option<Intervention>,
    },
    /// Count a run of a job as succeeded that nobody executed: as if one had ended well now.
    MarkSuccess {
        /// Which.
        name: JobName,
    },
    /// End, as skipped, every run of every job that has not been begun.
    ClearQueue,
    /// A job says how a task of it ended, which it may know later or better than the launcher (`async`).
    CompleteTask {
        /// Which.
        task_id: TaskId,
        /// 0 is success, as with exit codes.
        status_code: i64,
    },
    /// A task says how many more elements it has processed.
    Progress {
        /// Of which job.
        name: JobName,
        /// Which task of it.
        task_id: TaskId,
        /// How many more.
        elements: u64,
    },
    /// From an instant on, launch what has been planned only (`shadow`).
    CutOver {
        /// Which jobs; `None` is all that are planned only.
        names: Option<Vec<JobName>>,
        /// The first instant whose occurrences are launched; `None` is now.
        at: Option<Timestamp>,
    },
    /// Create or replace several jobs, all or none.
    Apply {
        /// As asked for; a job may name a parent that comes anywhere in the list.
        drafts: Vec<JobDraft>,
        /// The door they came through.
        dialect: Dialect,
        /// For whom, and what else becomes of jobs.
        terms: ApplyTerms,
    },
    /// Do something about a job only if it is what the client believes it is.
    IfMatch {
        /// Which job.
        name: JobName,
        /// What the client believes.
        expected: Expected,
        /// What to do.
        request: Box<Request>,
    },
    /// Do something unless it has been done under this key: then say what was answered.
    Once {
        /// Chosen by the client, unique to it.
        key: RequestKey,
        /// What to do.
        request: Box<Request>,
    },
    /// Say what a request would be answered, and do nothing.
    DryRun(Box<Request>),
}

/// What the history knows of a run that is over, for whoever does something about it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRun {
    /// The run as it ended.
    pub run: Run,
    /// The runs that followed from it, each once: for [`RunVerb::RetryDown`].
    pub below: Vec<Below>,
}

/// A run that followed from one that is tried again, and is to be followed by another itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// Which life of which job.
    pub child: Incarnation,
    /// What the run stood for.
    pub due_at: Timestamp,
    /// What the parents had done for it that are not tried again.
    pub borrowed: Vec<Contribution>,
}

/// A backfill as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct BackfillDraft {
    /// Of which job.
    pub name: JobName,
    /// The instants to run for, in the order in which they are run.
    pub due: Vec<Timestamp>,
    /// How many runs of it may be live at once.
    pub concurrency: u32,
    /// Whether the first run that does not succeed ends it.
    pub stops_on_failure: bool,
    /// Arguments for its runs in place of the job's, as typed.
    pub arguments: Option<String>,
    /// Variables for its runs beside the job's.
    pub environment: Vec<EnvVar>,
    /// Who wants it.
    pub by: Intervention,
}

/// Which of the runs that have not been begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BacklogFilter {
    /// Only of these jobs; `None` is of all.
    pub names: Option<BTreeSet<JobName>>,
    /// Only those due before this instant.
    pub due_before: Option<Timestamp>,
}

/// What a client believes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// There is none of that name.
    Absent,
    /// There is one, whichever.
    Present,
    /// It is one of these.
    OneOf(Vec<JobVersion>),
}

impl Request {
    /// Who wants it and why, if it says so.
    #[must_use]
    pub fn by(&self) -> Option<&Intervention> {
        match self {
            Self::OperateRun { by, .. }
            | Self::Pause { by, .. }
            | Self::Resume { by, .. }
            | Self::SkipAhead { by, .. }
            | Self::UnskipAhead { by, .. }
            | Self::CancelBackfill { by, .. }
            | Self::CutBacklog { by, .. }
            | Self::LiftQuarantine { by, .. }
            | Self::AcknowledgeIncident { by, .. }
            | Self::Silence { by, .. }
            | Self::EndSilence { by, .. }
            | Self::RetryNotification { by, .. }
            | Self::TrustClock { by } => Some(by),
            Self::Backfill(draft) => Some(&draft.by),
            Self::RunJob { ask, .. } => ask.by.as_ref(),
            Self::DeleteJob { by, .. } | Self::KillJob { by, .. } => by.as_ref(),
            Self::PutJob { .. }
            | Self::MarkSuccess { .. }
            | Self::ClearQueue
            | Self::CompleteTask { .. }
            | Self::Progress { .. }
            | Self::CutOver { .. }
            | Self::Apply { .. } => None,
            Self::IfMatch { request, .. } | Self::Once { request, .. } | Self::DryRun(request) => {
                request.by()
            }
        }
    }

    /// Whether what parents did before it would mean something else to children afterwards: who they are, what they
    /// borrow, or whether they may follow.
    #[must_use]
    pub fn may_change_what_follows(&self) -> bool {
        match self {
            Self::PutJob { .. }
            | Self::DeleteJob { .. }
            | Self::Apply { .. }
            | Self::OperateRun { verb: RunVerb::RetryDown, .. }
            | Self::Pause { .. }
            | Self::Resume { .. } => true,
            Self::RunJob { .. }
            | Self::KillJob { .. }
            | Self::MarkSuccess { .. }
            | Self::ClearQueue
            | Self::CompleteTask { .. }
            | Self::Progress { .. }
            | Self::CutOver { .. }
            | Self::OperateRun {
                verb: RunVerb::Kill | RunVerb::Retry | RunVerb::Succeed | RunVerb::Skip,
                ..
            }
            | Self::SkipAhead { .. }
            | Self::UnskipAhead { .. }
            | Self::Backfill(_)
            | Self::CancelBackfill { .. }
            | Self::CutBacklog { .. }
            | Self::LiftQuarantine { .. }
            | Self::AcknowledgeIncident { .. }
            | Self::Silence { .. }
            | Self::EndSilence { .. }
            | Self::RetryNotification { .. }
            | Self::TrustClock { .. } => false,
            Self::IfMatch { request, .. } | Self::Once { request, .. } | Self::DryRun(request) => {
                request.may_change_what_follows()
            }
        }
    }
}

/// The answer to a [`Request`]. Nobody hears it before it is durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The job is stored.
    Stored {
        /// What it is from now on.
        version: JobVersion,
        /// Whether the name was new.
        created: bool,
        /// What the client should know although the job was accepted, as sentences.
        warnings: Vec<String>,
        /// What it means for other jobs, as sentences.
        consequences: Vec<String>,
    },
    /// The job is gone.
    Deleted {
        /// What it means for other jobs, as sentences.
        consequences: Vec<String>,
    },
    /// The run is recorded and will be placed.
    Triggered {
        /// Which.
        run: RunId,
    },
    /// Runs are being stopped.
    Stopping {
        /// How many.
        count: usize,
    },
    /// A run that nobody executed counts as succeeded.
    Marked {
        /// The record of it.
        run: RunId,
    },
    /// The queue is empty.
    QueueCleared,
    /// What was said of the task is recorded, or nothing is known of such a task.
    Completed {
        /// Whether a live run has such a task.
        is_known: bool,
    },
    /// The elements are counted.
    Progressed {
        /// All of the task so far.
        elements: u64,
    },
    /// The jobs are launched from that instant on.
    CutOver {
        /// The first instant whose occurrences are launched.
        at: Timestamp,
        /// Which jobs, by name.
        names: Vec<JobName>,
        /// What whoever takes them over should know, as sentences.
        consequences: Vec<String>,
    },
    /// The jobs are stored.
    Applied {
        /// What became of each, in the order given; those that were deleted are behind the others.
        jobs: Vec<Applied>,
    },
    /// Something was done about a run.
    Operated {
        /// Which.
        run: RunId,
        /// What became of it.
        became: Became,
    },
    /// Jobs are paused, or go on.
    Paused {
        /// Which, by name; empty if it is everything.
        names: Vec<JobName>,
    },
    /// An occurrence will be skipped, or will not any longer.
    SkippedAhead {
        /// Which.
        due_at: Timestamp,
    },
    /// A backfill has begun.
    Backfilled {
        /// Which.
        id: BackfillId,
    },
    /// Instants of a backfill are not run for, or runs that waited are over.
    Dropped {
        /// How many.
        count: u64,
        /// How many of them are left, because they were too many for once.
        left: u64,
    },
    /// It is done, and there is nothing to tell of it.
    Done,
    /// Nothing was done.
    Refused(Rejection),
    /// Nothing was done, for these reasons: which draft, and why.
    ApplyRefused(Vec<(usize, Rejection)>),
}

/// Why a request was refused. Says what is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A stable word for programs.
    pub code: RejectionCode,
    /// A sentence for people.
    pub message: String,
    /// The JSON field at fault; empty if none is.
    pub field: Cow<'static, str>,
    /// Which bytes of the field's text are at fault, if some are.
    pub position: Option<Range<usize>>,
    /// What to do instead; empty if the message says it.
    pub remedy: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionCode {
    /// No job of that name.
    UnknownJob,
    /// A field's value cannot be accepted.
    InvalidField,
    /// The value is fine, but this installation cannot do it.
    Unsupported,
    /// Too much of something is there already.
    LimitReached,
    /// The job is not what the client believes.
    Changed,
    /// The key was used for another request.
    KeyReused,
    /// No live run has such a task.
    UnknownTask,
    /// No such run or backfill.
    UnknownRun,
    /// No such incident goes on.
    UnknownIncident,
    /// No such notification is in the outbox.
    UnknownNotification,
    /// It stands in a way in which this cannot be done.
    Impossible,
    /// The job comes from another source.
    OwnedElsewhere,
}

impl RejectionCode {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownJob => "unknown_job",
            Self::InvalidField => "invalid_field",
            Self::Unsupported => "unsupported",
            Self::LimitReached => "limit_reached",
            Self::Changed => "changed",
            Self::KeyReused => "key_reused",
            Self::UnknownTask => "unknown_task",
            Self::UnknownRun => "unknown_run",
            Self::UnknownIncident => "unknown_incident",
            Self::UnknownNotification => "unknown_notification",
            Self::Impossible => "impossible",
            Self::OwnedElsewhere => "owned_elsewhere",
        }
    }
}
