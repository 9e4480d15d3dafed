//! What a launcher is asked for one attempt, and what it says became of it.

use super::{
    AgentId, BootInstant, Container, Duration, Fetch, JobName, OfferId, Resources, RunId, TaskId,
    Term, Timestamp,
};

/// Everything a launcher needs to start one attempt. It leaves no choice open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The leader's term when this was decided. A launcher drops launches of an older term.
    pub term: Term,
    /// The attempt's name. A launcher starts a task id at most once, ever.
    pub task_id: TaskId,
    /// The run it belongs to.
    pub run_id: RunId,
    /// Which attempt of the run it is, from 0.
    pub attempt: u32,
    /// The offers it is placed on; all of one agent.
    pub offers: Vec<OfferId>,
    /// Where it is placed.
    pub agent: AgentId,
    /// What to execute.
    pub command: Command,
    /// The complete environment beyond what the launcher adds for the machine (`PATH`, `HOME`, …). No name twice.
    pub environment: Vec<(String, String)>,
    /// Whom to run as; `None` is the launcher's own user.
    pub user: Option<String>,
    /// What to fetch into the working directory first, in this order.
    pub fetch: Vec<Fetch>,
    /// What the attempt wants; limits it only where isolation is on.
    pub resources: Resources,
    /// How long between asking the task to stop and stopping it.
    pub kill_grace: Duration,
    /// The boot instant after which the launcher must not start it: the end of trust in the leader's term. Checked
    /// just before the start. `None` where the term cannot end (a single node).
    pub not_after: Option<BootInstant>,
    /// What else a launcher on other machines needs; `None` for one that has none.
    pub cluster: Option<Box<ClusterTerms>>,
}

/// What of a launch only a launcher on other machines uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTerms {
    /// The job, to be shown beside the task.
    pub job: JobName,
    /// Whom it belongs to, to be shown beside the task; may be empty.
    pub owner: String,
    /// The container it runs in.
    pub container: Option<Container>,
    /// The command of a custom executor; empty for none.
    pub executor: String,
    /// Handed to a custom executor, which then executes the task its own way.
    pub executor_data: String,
    /// How long it may take. A launcher that can ends it then, also while no scheduler is there.
    pub timeout: Option<Duration>,
}

/// A task that a launcher is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The task.
    pub task_id: TaskId,
    /// Where it was placed.
    pub agent: AgentId,
    /// Whether the launcher has ever said of it that it runs or is being started. Then that it is unknown cannot mean
    /// that it never was.
    pub was_seen: bool,
}

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `text` by `/bin/sh -c`. Arguments follow it as `"$@"`, so that the shell never reads them as text.
    Shell {
        /// The shell text, without the arguments.
        text: String,
        /// Passed as positional parameters.
        arguments: Vec<String>,
    },
    /// A program looked up in `PATH`, with its arguments, no shell.
    Program {
        /// Name or path.
        program: String,
        /// Passed as they are.
        arguments: Vec<String>,
    },
}

/// What a launcher says of a task, stamped by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReport {
    /// The task.
    pub task_id: TaskId,
    /// What became of it.
    pub status: TaskStatus,
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskStatus {
    /// The launcher has it and is preparing its start: nothing of it runs yet.
    Staged,
    /// It started and has not ended.
    Running {
        /// When, by the launcher's wall clock.
        started_at: Timestamp,
    },
    /// It ended, or will certainly never start; this is known and final. The launcher repeats it until acknowledged.
    Ended {
        /// How.
        exit: Exit,
        /// When its command started; `None` if it never did.
        started_at: Option<Timestamp>,
        /// When, by the launcher's wall clock.
        ended_at: Timestamp,
    },
    /// The launcher has never heard of the task and knows that it would have, had it been started. It has
    /// forgotten nothing; asking for the same launch again is safe.
    NeverLaunched,
    /// The task may have started, and nobody can say what became of it.
    InDoubt {
        /// Why not, as a sentence.
        reason: String,
        /// Whether nobody ever will: what knew it is gone, not only out of reach.
        is_final: bool,
    },
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The command ended by itself with this code; 0 is success.
    Code(i32),
    /// A signal ended it, though nobody asked us to stop it.
    Signal(i32),
    /// It was stopped because we were asked to; the code or signal that ended it does not matter.
    Killed,
    /// It failed, and all that is known of the failure is this: its container was over its limits, what started it died.
    Failed {
        /// What is known, as a sentence naming the remedy where there is one.
        reason: String,
    },
    /// The command never ran: no such program or user, a download that failed, no process to be had.
    CouldNotStart {
        /// Why, as a sentence naming the remedy where there is one.
        reason: String,
    },
}

impl Exit {
    /// Whether the command did what it was asked to.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Code(0))
    }
}
