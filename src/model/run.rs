//! Runs, their attempts, and the verdict each occurrence ends in.

use super::{
    AgentId, BackfillId, BootInstant, Duration, EnvVar, Exit, Incarnation, Intervention, JobName,
    Placed, Resources, RunId, Sandbox, TaskId, Timestamp,
};

/// One obligation to execute a job once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// Its place in the order in which runs and stretches were recorded, from 1, never used twice. Newest is largest.
    pub sequence: u64,
    /// The job's name when the run was triggered.
    pub job: JobName,
    /// Why it exists.
    pub trigger: Trigger,
    /// The millisecond in its task ids, unused by any other run of that job name.
    pub task_millis: i64,
    /// Arguments given for this run alone, as typed; they replace the job's.
    pub arguments: Option<String>,
    /// Variables given for this run alone, beside the job's.
    pub environment: Vec<EnvVar>,
    /// Who asked for it, if somebody did and is known.
    pub by: Option<Box<Intervention>>,
    /// Whether what follows from it is tried once more with it.
    pub retries_down: bool,
    /// Who wanted it stopped, if somebody did and is known.
    pub stopped_by: Option<Box<Intervention>>,
    /// The runs of parents that triggered it, in the order of the parents.
    pub causes: Vec<RunId>,
    /// When it was recorded, by the leader's wall clock.
    pub created_at: Timestamp,
    /// The last instant at which its first attempt may be decided; `None` if nothing bounds it, because it stands for no
    /// occurrence, is caught up, or had to wait for others of its job.
    pub start_deadline: Option<Timestamp>,
    /// When it last began to want an offer, by the leader's wall clock.
    pub wanted_at: Timestamp,
    /// Where it stands.
    pub state: RunState,
    /// Its attempts, oldest first; the last one is the live one while the state is [`RunState::Active`].
    pub attempts: Vec<Attempt>,
}

/// Why a run exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An occurrence of the schedule.
    Schedule {
        /// The instant it was meant for.
        due_at: Timestamp,
        /// When its start window opens: `due_at`, later by the job's jitter.
        opens_at: Timestamp,
    },
    /// An occurrence that was missed, caught up later. It keeps its due instant.
    CatchUp {
        /// The instant it was meant for.
        due_at: Timestamp,
    },
    /// A person or client asked for it.
    Manual {
        /// The instant that it stands for: when it was accepted, unless another was named.
        due_at: Timestamp,
        /// When that was accepted.
        at: Timestamp,
    },
    /// A person asked to have tried once more what an earlier run stood for.
    Retry {
        /// The earlier run, which is over.
        of: RunId,
        /// What that one stood for.
        due_at: Timestamp,
        /// When that was accepted.
        at: Timestamp,
    },
    /// A backfill.
    Backfill {
        /// Which.
        of: BackfillId,
        /// The instant of the past that it stands for.
        due_at: Timestamp,
        /// When it was begun.
        at: Timestamp,
    },
    /// A finished round of its job's parents.
    Parents {
        /// The latest instant that one of the parents' runs stands for.
        due_at: Timestamp,
        /// When the round was finished.
        at: Timestamp,
    },
}

impl Trigger {
    /// The words of the kinds.
    pub const WORDS: [&str; 6] = ["schedule", "catchUp", "parents", "manual", "retry", "backfill"];

    /// The word of its kind in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Schedule { .. } => "schedule",
            Self::CatchUp { .. } => "catchUp",
            Self::Parents { .. } => "parents",
            Self::Manual { .. } => "manual",
            Self::Retry { .. } => "retry",
            Self::Backfill { .. } => "backfill",
        }
    }

    /// From when on the run was wanted: when its window opened, or when it was asked for.
    #[must_use]
    pub const fn wanted_from(&self) -> Timestamp {
        match *self {
            Self::Schedule { opens_at: at, .. }
            | Self::CatchUp { due_at: at }
            | Self::Manual { at, .. }
            | Self::Retry { at, .. }
            | Self::Backfill { at, .. }
            | Self::Parents { at, .. } => at,
        }
    }

    /// The instant the run stands for.
    #[must_use]
    pub const fn due_at(&self) -> Timestamp {
        match *self {
            Self::Schedule { due_at, .. }
            | Self::CatchUp { due_at }
            | Self::Manual { due_at, .. }
            | Self::Retry { due_at, .. }
            | Self::Backfill { due_at, .. }
            | Self::Parents { due_at, .. } => due_at,
        }
    }

    /// Whether a person wants it, so that it comes although its job is paused.
    #[must_use]
    pub const fn is_asked_for(&self) -> bool {
        match self {
            Self::Manual { .. } | Self::Retry { .. } | Self::Backfill { .. } => true,
            Self::Schedule { .. } | Self::CatchUp { .. } | Self::Parents { .. } => false,
        }
    }

    /// Whether the job's schedule brought it about.
    #[must_use]
    pub const fn is_scheduled(&self) -> bool {
        match self {
            Self::Schedule { .. } | Self::CatchUp { .. } => true,
            Self::Manual { .. }
            | Self::Retry { .. }
            | Self::Backfill { .. }
            | Self::Parents { .. } => false,
        }
    }
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Behind another run of its job (`overlap: queue`, `replace`). The end of that run moves it on.
    Queued,
    /// Wants an offer. Placement or the end of its start window moves it on.
    Pending {
        /// The last instant at which its first attempt may be decided; `None` if nothing bounds it.
        deadline: Option<Timestamp>,
    },
    /// Its last attempt is the launcher's. A task report moves it on.
    Active,
    /// Waits for its next attempt. The instant moves it on, to pending without a deadline.
    Waiting {
        /// When the next attempt may start.
        until: Alarm,
    },
    /// The command of its last attempt has ended well, and its job has still to say how the work ended (`async`). What
    /// the job says moves it on, or the end of the time it has.
    Reporting {
        /// When its time is over (`timeout`); `None` if it may take any.
        until: Option<Alarm>,
    },
    /// Over. Nothing moves it on.
    Ended {
        /// How it ended.
        verdict: Verdict,
        /// When, by the leader's wall clock or the launcher's report.
        at: Timestamp,
        /// Why, as a sentence; empty for a success.
        reason: String,
    },
}

/// When something is to go on: a span that the boot clock measures, and that a restart takes up by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// By the wall clock. Stored.
    pub at: Timestamp,
    /// By the boot clock, which then alone counts. Not stored: `None` after a restart, and where an instant of the wall
    /// clock is waited for.
    pub boot: Option<BootInstant>,
}

impl Alarm {
    /// As it is read back from the store.
    #[must_use]
    pub const fn stored(self) -> Self {
        Self { at: self.at, boot: None }
    }
}

/// How an occurrence ended. Each ends in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The command ended with code 0.
    Succeeded,
    /// The last attempt failed, known.
    Failed,
    /// Wanted, but not startable inside its window.
    Missed,
    /// Decided not to run.
    Skipped,
    /// Stopped on request.
    Killed,
    /// Started or perhaps started, and nobody can say what became of it.
    Lost,
    /// Replaced by a later run of its job.
    Superseded,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::Missed,
        Self::Skipped,
        Self::Killed,
        Self::Lost,
        Self::Superseded,
    ];

    /// The word in JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
            Self::Killed => "killed",
            Self::Lost => "lost",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// One numbered try at a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 0.
    pub index: u32,
    /// Its name towards the launcher.
    pub task_id: TaskId,
    /// Where it was placed.
    pub agent: AgentId,
    /// What was known of that place, where it is not the scheduler's own machine.
    pub placed: Option<Box<Placed>>,
    /// Whether the launcher has said that it prepares its start.
    pub is_staged: bool,
    /// When its launch was committed, by the leader's wall clock.
    pub launched_at: Timestamp,
    /// What it takes of its agent until it has ended, whatever becomes of its job.
    pub holds: Resources,
    /// What its job said of how it ended, while the launcher had not said so: 0 is success, as with exit codes.
    pub reported: Option<i64>,
    /// How many elements it said to have processed; `None` if it never said.
    pub elements: Option<u64>,
    /// Where it stands.
    pub state: AttemptState,
}

impl Attempt {
    /// Where its files are, on an agent of a cluster; `None` for one of this machine.
    #[must_use]
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.placed.as_ref()?.sandbox.as_ref()
    }

    /// Whether the launcher has ever said of it that it runs or is being started.
    #[must_use]
    pub const fn was_seen(&self) -> bool {
        let was_running = match &self.state {
            AttemptState::Launching => false,
            AttemptState::Running { .. } => true,
            AttemptState::Stopping { started_at, .. }
            | AttemptState::Unknown { started_at, .. }
            | AttemptState::Ended { started_at, .. } => started_at.is_some(),
        };
        self.is_staged || was_running
    }
}

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// Committed; the launcher has been or is about to be asked, and has not said that it runs.
    Launching,
    /// The launcher said it runs.
    Running {
        /// Since when, by the launcher's wall clock.
        started_at: Timestamp,
        /// When to stop it for taking too long; set from the boot clock when it was seen to run, not stored.
        stop_at: Option<BootInstant>,
    },
    /// We asked the launcher to stop it, and it has not said that it ended.
    Stopping {
        /// Since when it ran, if it did.
        started_at: Option<Timestamp>,
        /// Why we stop it.
        why: StopReason,
    },
    /// The launcher cannot say what became of it. News may still come; else the job's `onUnknown` decides.
    Unknown {
        /// Since when it ran, if it is known to have run.
        started_at: Option<Timestamp>,
        /// Why it was being stopped, if it was.
        why: Option<StopReason>,
        /// Until when news is waited for.
        until: Alarm,
        /// Why nobody can say, as a sentence.
        reason: String,
    },
    /// Over.
    Ended {
        /// When it started, if it did.
        started_at: Option<Timestamp>,
        /// When it ended; for a doubt, when that was accepted as final.
        at: Timestamp,
        /// How; `None` if nobody can say.
        exit: Option<Exit>,
        /// A sentence for people; empty for a success.
        message: String,
    },
}

/// Why an attempt is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// A person or client asked.
    Requested,
    /// It ran longer than it may. Counts as a failure, so it may be tried again.
    TimedOut,
    /// Its job was deleted.
    JobDeleted,
    /// A later run takes its place.
    Superseded,
}

impl StopReason {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Requested, Self::TimedOut, Self::JobDeleted, Self::Superseded];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::TimedOut => "timedOut",
            Self::JobDeleted => "jobDeleted",
            Self::Superseded => "superseded",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl Run {
    /// Whether it is over.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        matches!(self.state, RunState::Ended { .. })
    }

    /// How long it took, if it succeeded: from the instant since which it last wanted an offer to its end. Waiting for
    /// an offer counts, as in Chronos; attempts before the last, and the pauses between them, do not.
    ///
    /// By wall clocks, so it is negative where they were set back meanwhile.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        match self.state {
            // One that nobody executed says why it counts.
            RunState::Ended { verdict: Verdict::Succeeded, at, ref reason } => {
                reason.is_empty().then(|| at.duration_since(self.wanted_at))
            }
            RunState::Ended { .. }
            | RunState::Queued
            | RunState::Pending { .. }
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Reporting { .. } => None,
        }
    }

    /// As it is read back from the store: without what only the process that wrote it knows.
    #[must_use]
    pub fn stored(mut self) -> Self {
        match &mut self.state {
            RunState::Waiting { until } | RunState::Reporting { until: Some(until) } => {
                *until = until.stored();
            }
            RunState::Queued
            | RunState::Pending { .. }
            | RunState::Active
            | RunState::Reporting { until: None }
            | RunState::Ended { .. } => {}
        }
        for attempt in &mut self.attempts {
            match &mut attempt.state {
                AttemptState::Running { stop_at, .. } => *stop_at = None,
                AttemptState::Unknown { until, .. } => *until = until.stored(),
                AttemptState::Launching
                | AttemptState::Stopping { .. }
                | AttemptState::Ended { .. } => {}
            }
        }
        self
    }

    /// When its first attempt started that is known to have started.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.attempts.iter().find_map(|attempt| match attempt.state {
            AttemptState::Launching => None,
            AttemptState::Running { started_at, .. } => Some(started_at),
            AttemptState::Stopping { started_at, .. }
            | AttemptState::Unknown { started_at, .. }
            | AttemptState::Ended { started_at, .. } => started_at,
        })
    }

    /// Whether it goes on: its live attempt is known to have started, or its job has still to say how the work ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        match (&self.state, self.live_attempt().map(|attempt| &attempt.state)) {
            (RunState::Active, Some(state)) => match state {
                AttemptState::Running { .. } => true,
                AttemptState::Stopping { started_at, .. }
                | AttemptState::Unknown { started_at, .. } => started_at.is_some(),
                AttemptState::Launching | AttemptState::Ended { .. } => false,
            },
            (RunState::Active, None) => false,
            // Its work goes on, where its job says.
            (RunState::Reporting { .. }, _) => true,
            (
                RunState::Queued
                | RunState::Pending { .. }
                | RunState::Waiting { .. }
                | RunState::Ended { .. },
                _,
            ) => false,
        }
    }

    /// The attempt the launcher has now.
    #[must_use]
    pub fn live_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| !matches!(attempt.state, AttemptState::Ended { .. }))
    }
}

/// Occurrences in a row that never became runs, with one reason. One record, however many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// As [`Run::sequence`], from the same numbers.
    pub sequence: u64,
    /// Whose occurrences.
    pub incarnation: Incarnation,
    /// The job's name then.
    pub job: JobName,
    /// [`Verdict::Missed`] or [`Verdict::Skipped`].
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub reason: String,
    /// Due instant of the first.
    pub first_due_at: Timestamp,
    /// Due instant of the last.
    pub last_due_at: Timestamp,
    /// How many.
    pub count: u64,
    /// When the last of them was decided, by the leader's wall clock.
    pub decided_at: Timestamp,
}

/// The end of a parent's run on its way to the parent's children, recorded with that end. Children hear of it in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// As [`Run::sequence`], from the same numbers. Signals are told in this order.
    pub sequence: u64,
    /// Which life of which job ended a run.
    pub parent: Incarnation,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What the run stands for.
    pub due_at: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// As [`Run::retries_down`].
    pub retries_down: bool,
    /// The children up to this one have been told.
    pub told_through: Option<Incarnation>,
}

/// How a parent's run ended, to its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded, or failed and its job says that this does not matter (`softError`).
    Succeeded,
    /// It failed for good, or is lost.
    Failed,
    /// Somebody stopped it.
    Killed,
}

impl Outcome {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Killed => "killed",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Succeeded, Self::Failed, Self::Killed].into_iter().find(|it| it.as_str() == text)
    }
}

/// One line of the history: a run, or a stretch of occurrences that never became runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are runs")]
pub enum HistoryEntry {
    /// A run, live or ended.
    Run(Run),
    /// Occurrences without runs.
    Stretch(Stretch),
}

impl HistoryEntry {
    /// Its place in the order of recording; newest is largest.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        match self {
            Self::Run(run) => run.sequence,
            Self::Stretch(stretch) => stretch.sequence,
        }
    }

    /// When it was recorded, by the leader's wall clock; a stretch, when it last grew.
    #[must_use]
    pub const fn recorded_at(&self) -> Timestamp {
        match self {
            Self::Run(run) => run.created_at,
            Self::Stretch(stretch) => stretch.decided_at,
        }
    }

    /// Of which job it was, by the name that it had then.
    #[must_use]
    pub const fn job(&self) -> &JobName {
        match self {
            Self::Run(run) => &run.job,
            Self::Stretch(stretch) => &stretch.job,
        }
    }
}
