//! Everything the world can tell the engine.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::{Dialect, JobDraft, JobName, Offer, RunId, TaskReport, Term};

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
    },
    /// The launcher cannot be reached. Its offers are void; its tasks go on.
    LauncherGone {
        /// Why, as a sentence.
        reason: String,
    },
    /// The launcher says what became of a task.
    Task(TaskReport),
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
    },
    /// Run a job now.
    RunJob {
        /// Which.
        name: JobName,
        /// Arguments for this run in place of the job's, as typed.
        arguments: Option<String>,
    },
    /// Stop all live runs of a job.
    KillJob {
        /// Which.
        name: JobName,
    },
    /// Say what a request would be answered, and do nothing.
    DryRun(Box<Request>),
}

impl Request {
    /// Whether it may change who is a parent of whom.
    #[must_use]
    pub fn may_change_family(&self) -> bool {
        match self {
            Self::PutJob { .. } | Self::DeleteJob { .. } => true,
            Self::RunJob { .. } | Self::KillJob { .. } => false,
            Self::DryRun(request) => request.may_change_family(),
        }
    }
}

/// The answer to a [`Request`]. Nobody hears it before it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The job is stored.
    Stored {
        /// Whether the name was new.
        created: bool,
        /// Which definition of the job it is, from 1.
        revision: u64,
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
    /// Nothing was done.
    Refused(Rejection),
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
        }
    }
}
