//! All that the keeper knows, and what it does about each event. The picture is in [`super`].

mod adopting;
mod ending;
mod launching;
mod stopping;
mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use super::journal::Journal;
use super::process::ProcessId;
use super::start::{Gate, Starters};
use super::stop::{PAUSE_MIN, Stopping};
use super::stream::Stream;
use crate::clock;
use crate::launcher::local::cgroup::{self, Cgroups};
use crate::launcher::local::layout::Layout;
use crate::launcher::local::protocol::{Settings, ToKeeper, ToLauncher, VERSION, span};
use crate::model::{
    BootInstant, Duration, Launch, RunId, Scalar, TaskId, TaskReport, TaskStatus, Timestamp,
};

/// How long the keeper stays with nothing to do and nobody to serve.
const LEAVE_AFTER: Duration = Duration::from_secs(10);
/// How long orphans and emptied control groups may lie about.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Where and when we are.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) layout: Layout,
    pub(super) boot: String,
    pub(super) pid_namespace: u64,
}

/// What is known of a task id.
#[derive(Debug)]
enum Task {
    Starting(Starting),
    Live(Box<Live>),
    Over { status: TaskStatus, told_at: BootInstant },
}

impl Task {
    /// Run and attempt, while they matter.
    fn place(&self) -> Option<(RunId, u32)> {
        match self {
            Self::Starting(starting) => Some((starting.launch.run_id, starting.launch.attempt)),
            Self::Live(live) => Some((live.run_id, live.attempt)),
            Self::Over { .. } => None,
        }
    }
}

#[derive(Debug)]
struct Starting {
    launch: Arc<Launch>,
    gate: Arc<Gate>,
    /// When the machine first had no process to give.
    busy_since: Option<BootInstant>,
    /// A kill came after the gate was passed; its grace.
    kill: Option<Duration>,
}

#[derive(Debug)]
struct Live {
    run_id: RunId,
    attempt: u32,
    process: ProcessId,
    started_at: Timestamp,
    /// Whether it is ours to reap; not if an earlier keeper started it.
    is_child: bool,
    streams: Vec<Rc<Stream>>,
    has_ended: bool,
    download: Download,
    stopping: Option<Stopping>,
    memory: Scalar,
}

/// What is known of a task's downloads.
#[derive(Debug)]
enum Download {
    /// There are none, or they are done and the command has started.
    Done,
    /// Not heard yet.
    UnderWay,
    /// The command never started, and why.
    Failed(String),
}

#[derive(Debug)]
struct Connection {
    id: u64,
    to_launcher: UnboundedSender<ToLauncher>,
}

/// The keeper's state.
#[derive(Debug)]
pub(super) struct Keeper {
    machine: Machine,
    journal: Journal,
    starters: Rc<Starters>,
    events: UnboundedSender<Event>,
    tasks: BTreeMap<TaskId, Task>,
    /// Live or starting tasks.
    live: usize,
    live_told: Option<usize>,
    connection: Option<Connection>,
    settings: Option<Arc<Settings>>,
    cgroups: Option<Arc<dyn Cgroups>>,
    /// Streams being pumped.
    streams: usize,
    /// Starts to be tried again.
    retries: BTreeSet<(BootInstant, TaskId)>,
    /// Tasks being stopped.
    stopping: BTreeSet<TaskId>,
    stop_round_at: BootInstant,
    stop_pause: Duration,
    sweep_at: Option<BootInstant>,
    /// Control groups to be removed once they are empty.
    emptying: BTreeSet<String>,
    repeat_at: BootInstant,
    leave_at: Option<BootInstant>,
}

impl Keeper {
    pub(super) fn new(
        machine: Machine,
        journal: Journal,
        starters: Rc<Starters>,
        events: UnboundedSender<Event>,
    ) -> Self {
        Self {
            machine,
            journal,
            starters,
            events,
            tasks: BTreeMap::new(),
            live: 0,
            live_told: None,
            connection: None,
            settings: None,
            cgroups: None,
            streams: 0,
            retries: BTreeSet::new(),
            stopping: BTreeSet::new(),
            stop_round_at: BootInstant::default(),
            stop_pause: PAUSE_MIN,
            sweep_at: None,
            emptying: BTreeSet::new(),
            repeat_at: BootInstant::default(),
            leave_at: None,
        }
    }

    /// Waits until something is to be done without an event.
    pub(super) fn wait(&self) -> impl Future<Output = ()> + use<> {
        let now = clock::boot();
        let retry = self.retries.first().map(|(at, _)| *at);
        let stop = (!self.stopping.is_empty()).then_some(self.stop_round_at);
        let repeat = self.connection.as_ref().map(|_| self.repeat_at);
        let times = [retry, stop, repeat, self.sweep_at, self.leave_at];
        let next = times.into_iter().flatten().min();
        async move {
            match next {
                // A millisecond at least: timers are no finer, and a loop must not spin.
                Some(at) => clock::pause(at.since(now).max(Duration::from_millis(1))).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Does what is due, after events and when waiting is over.
    pub(super) fn turn(&mut self) {
        let now = clock::boot();
        self.retry(now);
        self.stop_round(now);
        self.sweep(now);
        self.repeat(now);
        if self.live_told != Some(self.live) && self.connection.is_some() {
            self.live_told = Some(self.live);
            self.say(ToLauncher::Live { count: self.live });
        }
        let is_idle = self.connection.is_none() && self.live == 0 && self.streams == 0;
        if !is_idle {
            self.leave_at = None;
        } else if self.leave_at.is_none() {
            self.leave_at = Some(now.saturating_add(LEAVE_AFTER));
        }
    }

    /// Whether nobody needs us any more.
    pub(super) fn may_leave(&self) -> bool {
        self.leave_at.is_some_and(|at| at <= clock::boot())
    }

    /// A child has ended, perhaps one that nobody waits for.
    pub(super) fn child_ended(&mut self) {
        if self.sweep_at.is_none() {
            self.sweep_at = Some(clock::boot().saturating_add(SWEEP_PAUSE));
        }
    }

    fn sweep(&mut self, now: BootInstant) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        self.starters.sweep();
        if let Some(cgroups) = &self.cgroups {
            self.emptying.retain(|name| !cgroups.remove(name));
        }
        let again = !self.emptying.is_empty();
        self.sweep_at = again.then(|| now.saturating_add(SWEEP_PAUSE));
    }

    fn repeat(&mut self, now: BootInstant) {
        let Some(settings) = self.settings.as_ref().filter(|_| self.repeat_at <= now) else {
            return;
        };
        let pause = span(settings.repeat_ms);
        self.repeat_at = now.saturating_add(pause);
        let mut late = vec![];
        for (task_id, task) in &mut self.tasks {
            if let Task::Over { status, told_at } = task
                && now.since(*told_at) >= pause
            {
                *told_at = now;
                late.push(TaskReport { task_id: task_id.clone(), status: status.clone() });
            }
        }
        for report in late {
            self.say(ToLauncher::Report(report.into()));
        }
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Greeted { id, settings, to_launcher } => self.greet(id, settings, to_launcher),
            Event::Order { id, message } => {
                if self.connection.as_ref().is_some_and(|connection| connection.id == id) {
                    self.obey(message);
                }
            }
            Event::Closed { id } => {
                self.connection.take_if(|connection| connection.id == id);
            }
            Event::StartTried { task_id, result } => self.start_tried(&task_id, result),
            Event::Fetched { task_id, process, result } => self.fetched(&task_id, process, result),
            Event::Exited { task_id, process } => self.exited(&task_id, process),
            Event::StreamEnded => self.streams -= 1,
        }
    }

    fn greet(&mut self, id: u64, settings: Settings, to_launcher: UnboundedSender<ToLauncher>) {
        if settings.cgroup.is_some() && self.cgroups.is_none() {
            match cgroup::detect() {
                Ok(cgroups) => self.cgroups = Some(Arc::from(cgroups)),
                Err(error) => {
                    let _ = to_launcher.send(ToLauncher::Refused { reason: error.to_string() });
                    return;
                }
            }
        }
        self.repeat_at = clock::boot().saturating_add(span(settings.repeat_ms));
        self.settings = Some(Arc::new(settings));
        self.connection = Some(Connection { id, to_launcher });
        self.live_told = None;
        let term = self.journal.term();
        self.say(ToLauncher::Hello { version: VERSION, pid: std::process::id(), term });
        let over: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|(_, task)| matches!(task, Task::Over { .. }))
            .map(|(id, _)| id.clone())
            .collect();
        for task_id in over {
            self.tell(&task_id);
        }
    }

    fn obey(&mut self, message: ToKeeper) {
        match message {
            ToKeeper::Hello { .. } => tracing::warn!("a second hello on one connection"),
            ToKeeper::Launch(wire) => match Launch::try_from(*wire) {
                Ok(launch) => self.launch(launch),
                Err(error) => tracing::error!("cannot launch: {error}"),
            },
            ToKeeper::Kill { task_id, grace_ms } => {
                self.kill(&TaskId::from_text(task_id), span(grace_ms));
            }
            ToKeeper::Reconcile { task_ids } => {
                for id in task_ids {
                    self.tell(&TaskId::from_text(id));
                }
                self.settle();
            }
            ToKeeper::Acknowledge { task_ids } => {
                for id in task_ids {
                    self.acknowledge(&TaskId::from_text(id));
                }
            }
        }
    }
}

fn over(status: TaskStatus) -> Task {
    Task::Over { status, told_at: clock::boot() }
}
