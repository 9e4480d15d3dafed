//! Everything the engine can answer: durable changes, outside effects, and notes that say why.

use std::sync::Arc;

use crate::alerts;
use crate::model::{
    AgentId, AnsweredRequest, Backfill, BackfillId, BootInstant, Duration, FrameworkId,
    Incarnation, Interventions, JobName, JobRecord, JobStats, Launch, Offer, OfferId, Pause,
    Progress, Question, Run, Signal, Stretch, TaskId, Term, Timestamp,
};

use super::clock::Clock;
use super::event::{Reply, RequestId};
use super::seen::SeenAgent;

/// What follows from one event.
#[must_use]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// Applied in order, and committed in one transaction before anything else happens.
    pub changes: Vec<Change>,
    /// Performed in order, only after the changes are committed. Each is safe to repeat.
    pub effects: Vec<Effect>,
    /// Why: printed by the log.
    pub notes: Vec<Note>,
    /// Whether the event is not dealt with yet: what came before it was, and once that is applied it is to be asked
    /// about again.
    pub is_postponed: bool,
}

/// How much a decision held at some moment, to take back what came after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths {
    changes: usize,
    effects: usize,
    notes: usize,
}

impl Decision {
    pub(super) const fn lengths(&self) -> Lengths {
        Lengths {
            changes: self.changes.len(),
            effects: self.effects.len(),
            notes: self.notes.len(),
        }
    }

    pub(super) fn truncate(&mut self, to: Lengths) {
        self.changes.truncate(to.changes);
        self.effects.truncate(to.effects);
        self.notes.truncate(to.notes);
    }
}

/// One change of the state. [`super::State::apply`] is the only thing that carries it out, live and at recovery alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A leader's term began.
    TermBegan(Term),
    /// A job was created or replaced: the whole record.
    JobStored(Box<JobRecord>),
    /// A job was deleted. Its live runs end one by one.
    JobRemoved {
        /// Which life of which name.
        incarnation: Incarnation,
        /// Its name.
        name: JobName,
    },
    /// A job's schedule was decided further.
    Progressed {
        /// Whose.
        incarnation: Incarnation,
        /// How far.
        progress: Progress,
    },
    /// A job's counts changed.
    Counted {
        /// Whose.
        incarnation: Incarnation,
        /// To what.
        stats: JobStats,
    },
    /// Operators have done something about a job that lasts, or that ends.
    Intervened {
        /// Which.
        incarnation: Incarnation,
        /// What holds from now on.
        interventions: Interventions,
    },
    /// Everything is paused, or is not any longer.
    EverythingPaused(Option<Pause>),
    /// A backfill began or got further: the whole record.
    BackfillStored(Box<Backfill>),
    /// A backfill that is over need not be told of any longer.
    BackfillRemoved {
        /// Which.
        id: BackfillId,
    },
    /// A record of occurrences without runs is void: they are still to come, as the clock is now.
    StretchVoided {
        /// Its number in the history.
        sequence: u64,
    },
    /// The engine disabled a job.
    Disabled {
        /// Which.
        incarnation: Incarnation,
    },
    /// Deciding a job went wrong inside the engine; it is left alone. Volatile: a restart tries it again.
    Quarantined {
        /// Which.
        incarnation: Incarnation,
    },
    /// A job is no longer left alone. Volatile.
    QuarantineLifted {
        /// Which.
        incarnation: Incarnation,
    },
    /// What is believed of the wall clock. Volatile.
    ClockJudged(Clock),
    /// A run was recorded or moved on: the whole record. An ended run leaves the state and stays in the history.
    RunStored(Box<Run>),
    /// A stretch of occurrences without runs was recorded or extended (same sequence).
    StretchStored(Stretch),
    /// The end of a parent's run is on its way to the children, or has got further (same sequence).
    SignalStored(Signal),
    /// All children have been told.
    SignalRemoved {
        /// Which signal.
        sequence: u64,
    },
    /// A task id's millisecond is used up for this name, for ever.
    TaskMillisUsed {
        /// The job's name.
        name: JobName,
        /// The millisecond; none up to it will be used again.
        millis: i64,
    },
    /// A request was carried out under a key.
    RequestAnswered(Box<AnsweredRequest>),
    /// What was answered under a key need not be known any longer.
    AnswerForgotten {
        /// Which key.
        id: String,
    },
    /// A zone is decided by this data from now on.
    ZoneKept {
        /// Its name.
        name: String,
        /// Its compiled data.
        data: Arc<[u8]>,
    },
    /// Nothing more is decided by time until every live attempt has been heard of, or until this boot instant.
    /// Volatile.
    ListeningBegan {
        /// When to go on all the same.
        until: BootInstant,
    },
    /// The launcher has said what became of a live attempt. Volatile.
    Heard {
        /// Its task.
        task_id: TaskId,
    },
    /// What has not been heard of by now is not waited for any longer. Volatile.
    ListeningEnded,
    /// What people are told of.
    Alerted(alerts::Change),
    /// Every deadline until then is judged.
    ObjectivesJudged(Timestamp),
    /// What the launcher is to its cluster. Whatever it was before, tasks of that are out of its reach.
    FrameworkSet(FrameworkId),
    /// The launcher's offers are these now. Volatile: applied, not stored.
    OffersSet(Launcher),
    /// There are these offers besides. Volatile.
    OffersAdded(Vec<Offer>),
    /// These offers are used, given back or void. Volatile.
    OffersRemoved(Vec<OfferId>),
    /// An agent offers nothing any longer, and nothing is known of it. Volatile.
    AgentLost(AgentId),
    /// Agents offered this last, and this became of it. Volatile.
    AgentsSeen(Vec<SeenAgent>),
    /// The launcher is told this of what waits for an offer; `None` if it is to be told anew. Volatile.
    DemandTold(Option<Demand>),
    /// Everything pending was looked at with the offers there are. Volatile.
    PlacementSettled,
}

impl Change {
    /// Whether the change must be committed. A decision with only volatile ones needs no transaction.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        match self {
            Self::TermBegan(_)
            | Self::JobStored(_)
            | Self::JobRemoved { .. }
            | Self::Progressed { .. }
            | Self::Counted { .. }
            | Self::Intervened { .. }
            | Self::EverythingPaused(_)
            | Self::BackfillStored(_)
            | Self::BackfillRemoved { .. }
            | Self::StretchVoided { .. }
            | Self::Disabled { .. }
            | Self::RunStored(_)
            | Self::StretchStored(_)
            | Self::SignalStored(_)
            | Self::SignalRemoved { .. }
            | Self::TaskMillisUsed { .. }
            | Self::RequestAnswered(_)
            | Self::AnswerForgotten { .. }
            | Self::ZoneKept { .. }
            | Self::Alerted(_)
            | Self::ObjectivesJudged(_)
            | Self::FrameworkSet(_) => true,
            Self::Quarantined { .. }
            | Self::QuarantineLifted { .. }
            | Self::ClockJudged(_)
            | Self::ListeningBegan { .. }
            | Self::Heard { .. }
            | Self::ListeningEnded
            | Self::OffersSet(_)
            | Self::OffersAdded(_)
            | Self::OffersRemoved(_)
            | Self::AgentLost(_)
            | Self::AgentsSeen(_)
            | Self::DemandTold(_)
            | Self::PlacementSettled => false,
        }
    }
}

/// What is known of the launcher.
#[derive(Debug, Clone, PartialEq)]
pub enum Launcher {
    /// It can be reached and has these offers.
    Connected(Vec<Offer>),
    /// It can be reached and works for a cluster, whose offers come and go; so far there are these.
    InCluster(Vec<Offer>),
    /// It cannot be reached.
    Gone {
        /// Why, as a sentence.
        reason: String,
        /// Since when somebody misses it; `None` if it was left on purpose.
        since: Option<BootInstant>,
    },
}

/// What waits for an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// Nothing.
    Nothing,
    /// Runs, of which this one came last.
    Runs {
        /// Since when it wants an offer.
        wanted_at: Timestamp,
        /// Its number.
        sequence: u64,
    },
}

/// Something to do outside. Leaves no choice to whoever does it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start an attempt.
    Launch(Box<Launch>),
    /// Stop a task and everything it started.
    Kill {
        /// Which.
        task_id: TaskId,
        /// How long between asking and forcing.
        grace: Duration,
    },
    /// Ask what became of these tasks.
    Reconcile(Vec<Question>),
    /// Tell the launcher that the end of this task is recorded.
    Acknowledge(TaskId),
    /// Give these offers back to the launcher: nothing is placed on them.
    Release(Vec<OfferId>),
    /// Tell the launcher whether anything waits for an offer. Told again when something more waits: what it asks the
    /// cluster for may have been turned down for what waited before.
    Demand(bool),
    /// Answer a client.
    Reply(RequestId, Reply),
}

impl Effect {
    /// Whether it is for the launcher.
    #[must_use]
    pub const fn is_order(&self) -> bool {
        match self {
            Self::Launch(_)
            | Self::Kill { .. }
            | Self::Reconcile(_)
            | Self::Acknowledge(_)
            | Self::Release(_)
            | Self::Demand(_) => true,
            Self::Reply(..) => false,
        }
    }
}

/// A sentence on why something was or was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether a person should look.
    pub is_warning: bool,
    /// The job it is about.
    pub job: Option<JobName>,
    /// The sentence.
    pub text: String,
}
