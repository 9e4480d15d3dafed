//! The launcher: what it knows, what it tells, and what is true.
//!
//! Keeps the contract of `launcher`: a task id starts at most once as long as it is known; an end is told on every
//! connection until acknowledged; a task that it never heard of is denied. When it dies, some of its tasks end without
//! anybody knowing how. Of a task that is out of its sight it can say nothing, and takes no acknowledgement for more
//! than it has said. What is true is kept apart and never forgotten: only the oracle reads it.

use std::collections::{BTreeMap, BTreeSet};

use chronode::model::{Exit, Launch, RunId, TaskId, TaskStatus, Term, Timestamp};

/// What the launcher remembers of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known {
    Running { started_at: Timestamp },
    Over { exit: Exit, started_at: Option<Timestamp>, ended_at: Timestamp },
    InDoubt,
}

/// What a command finds in its environment, and logs with every start.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) run: String,
    pub(crate) due: Timestamp,
    pub(crate) attempt: u32,
}

impl Told {
    pub(crate) fn by(launch: &Launch) -> Self {
        let value = |wanted| {
            let mut found = launch.environment.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.as_str()).expect("every launch has it")
        };
        Self {
            run: value("CHRONODE_RUN_ID").to_owned(),
            due: value("CHRONODE_DUE").parse().expect("an instant"),
            attempt: value("CHRONODE_ATTEMPT").parse().expect("a number"),
        }
    }
}

/// What really happened.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) told: Told,
    pub(crate) run_id: RunId,
    pub(crate) attempt: u32,
    /// Each start, by the wall clock.
    pub(crate) starts: Vec<Timestamp>,
    /// How it ended, where the launcher knows it.
    pub(crate) exit: Option<Exit>,
    pub(crate) is_forgotten: bool,
    /// Whether its launch reached it long after it was ordered.
    pub(crate) is_late: bool,
}

impl Truth {
    /// Whether the command came to its last line, which it logs.
    pub(crate) const fn logged_end(&self) -> bool {
        matches!(self.exit, Some(Exit::Code(_)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) is_up: bool,
    pub(crate) known: BTreeMap<TaskId, Known>,
    pub(crate) truth: BTreeMap<TaskId, Truth>,
    running: BTreeSet<TaskId>,
    hidden: BTreeSet<TaskId>,
    /// The tasks of which it has ever said that nobody can say anything.
    pub(crate) doubted: BTreeSet<TaskId>,
    /// The latest term of which anybody was connected.
    pub(crate) obeyed: Term,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self { is_up: true, ..Self::default() }
    }

    /// What it says of a task.
    pub(crate) fn tell(&self, task_id: &TaskId) -> TaskStatus {
        if self.hidden.contains(task_id) {
            let reason = "the machine that it was started on cannot be reached".to_owned();
            return TaskStatus::InDoubt { reason, is_final: false };
        }
        match self.known.get(task_id).cloned() {
            None => TaskStatus::NeverLaunched,
            Some(Known::Running { started_at }) => TaskStatus::Running { started_at },
            Some(Known::Over { exit, started_at, ended_at }) => {
                TaskStatus::Ended { exit, started_at, ended_at }
            }
            Some(Known::InDoubt) => {
                TaskStatus::InDoubt { reason: "the journal is gone".to_owned(), is_final: true }
            }
        }
    }

    /// The tasks whose end is to be told on a new connection.
    pub(crate) fn unacknowledged(&self) -> Vec<TaskId> {
        let is_over = |known: &Known| !matches!(known, Known::Running { .. });
        let over = self.known.iter().filter(|(_, known)| is_over(known)).map(|(id, _)| id);
        over.filter(|id| !self.hidden.contains(*id)).cloned().collect()
    }

    /// The tasks that it has and can see.
    pub(crate) fn seen(&self) -> Vec<TaskId> {
        self.known.keys().filter(|id| !self.hidden.contains(*id)).cloned().collect()
    }

    /// From now on it can say nothing of a task, or of a launch.
    pub(crate) fn hide(&mut self, task_id: &TaskId) {
        self.hidden.insert(task_id.clone());
    }

    /// It can again. Whether it could not.
    pub(crate) fn show(&mut self, task_id: &TaskId) -> bool {
        self.hidden.remove(task_id)
    }

    pub(crate) fn is_hidden(&self, task_id: &TaskId) -> bool {
        self.hidden.contains(task_id)
    }

    pub(crate) fn knows(&self, task_id: &TaskId) -> bool {
        self.known.contains_key(task_id)
    }

    pub(crate) fn start(&mut self, launch: &Launch, at: Timestamp, is_late: bool) {
        let task_id = &launch.task_id;
        let started = Known::Running { started_at: at };
        self.known.insert(task_id.clone(), started);
        let truth = self.truth.entry(task_id.clone()).or_insert_with(|| Truth {
            told: Told::by(launch),
            run_id: launch.run_id,
            attempt: launch.attempt,
            starts: Vec::new(),
            exit: None,
            is_forgotten: false,
            is_late,
        });
        truth.starts.push(at);
        self.running.insert(task_id.clone());
    }

    /// The task could not be started: over without ever having run.
    pub(crate) fn refuse(&mut self, task_id: &TaskId, at: Timestamp) {
        let exit = Exit::CouldNotStart { reason: "no such user".to_owned() };
        self.known.insert(task_id.clone(), Known::Over { exit, started_at: None, ended_at: at });
    }

    /// Whether the task was running and is over now.
    pub(crate) fn end(&mut self, task_id: &TaskId, exit: Exit, at: Timestamp) -> bool {
        let Some(Known::Running { started_at }) = self.known.get(task_id).cloned() else {
            return false;
        };
        let started_at = Some(started_at);
        let over = Known::Over { exit: exit.clone(), started_at, ended_at: at };
        self.known.insert(task_id.clone(), over);
        let truth = self.truth.get_mut(task_id).expect("what runs has started");
        truth.exit = Some(exit);
        self.running.remove(task_id);
        true
    }

    /// The end of a task is known elsewhere: it may be forgotten. Returns what is.
    pub(crate) fn acknowledge(&mut self, task_id: &TaskId) -> Option<Known> {
        let is_over = !matches!(self.known.get(task_id), Some(Known::Running { .. }));
        let is_forgotten = is_over && !self.hidden.contains(task_id);
        if is_forgotten { self.known.remove(task_id) } else { None }
    }

    /// It dies, and nobody will ever say what became of these.
    pub(crate) fn forget(&mut self, task_id: &TaskId) {
        self.known.insert(task_id.clone(), Known::InDoubt);
        let truth = self.truth.get_mut(task_id).expect("what runs has started");
        truth.is_forgotten = true;
        self.running.remove(task_id);
    }

    pub(crate) const fn running(&self) -> &BTreeSet<TaskId> {
        &self.running
    }
}
