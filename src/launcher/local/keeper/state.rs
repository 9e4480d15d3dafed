//! All that the keeper knows, and what it does about each event. The picture is in [`super`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use tokio::sync::mpsc::UnboundedSender;

use super::capture::Capture;
use super::journal::{End, Entry, Journal, Record, Started};
use super::process::{Marks, ProcessId, Snapshot, Stat, Tree};
use super::recover::{Judge, Left, Living};
use super::start::{Child, Gate, Start, StartResult, Starters};
use super::stop::{PAUSE_MAX, PAUSE_MIN, Round, Stopping};
use super::stream::Stream;
use super::{ENDED_UNSEEN, Event, session};
use crate::clock;
use crate::launcher::local::cgroup::{self, Cgroups};
use crate::launcher::local::fetch;
use crate::launcher::local::layout::Layout;
use crate::launcher::local::output;
use crate::launcher::local::protocol::{
    Settings, ToKeeper, ToLauncher, VERSION, instant, micros, span,
};
use crate::model::{
    BootInstant, Duration, Exit, Launch, RunId, Scalar, TaskId, TaskReport, TaskStatus, Timestamp,
};

/// How long the keeper stays with nothing to do and nobody to serve.
const LEAVE_AFTER: Duration = Duration::from_secs(10);
/// How long a start is tried while the machine has no process or descriptor to give.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// The time between two such tries.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
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

    // ---- recovery -----------------------------------------------------------------------

    /// Takes over what an earlier keeper left.
    pub(super) fn recover(&mut self) {
        for (id, entry) in self.journal.entries().clone() {
            self.recover_one(&TaskId::from_text(id), &entry);
        }
    }

    fn recover_one(&mut self, task_id: &TaskId, entry: &Entry) {
        let task = match &entry.end {
            Some(End::Ended { exit, started_at_us, ended_at_us }) => over(TaskStatus::Ended {
                exit: exit.clone().into(),
                started_at: started_at_us.and_then(|at| instant(at).ok()),
                ended_at: instant(*ended_at_us).unwrap_or_default(),
            }),
            Some(End::Doubt { reason }) => over(TaskStatus::InDoubt { reason: reason.clone() }),
            None => {
                let Machine { layout, boot, pid_namespace } = &self.machine;
                match (Judge { layout, boot, pid_namespace: *pid_namespace }).judge(entry) {
                    Left::Living(living) => self.adopt(task_id, living, entry.started.is_none()),
                    Left::Doubt(reason) => {
                        let id = task_id.to_string();
                        self.record(&Record::Doubt { task_id: id, reason: reason.clone() });
                        over(TaskStatus::InDoubt { reason })
                    }
                }
            }
        };
        if !matches!(task, Task::Over { .. }) {
            self.live += 1;
        }
        self.tasks.insert(task_id.clone(), task);
    }

    fn adopt(&mut self, task_id: &TaskId, living: Living, is_news: bool) -> Task {
        let Living { run_id, attempt, started } = living;
        let Started { pid, start_ticks, started_at_us } = started;
        let process = ProcessId { pid, start_ticks };
        if is_news {
            let task_id = task_id.to_string();
            self.record(&Record::Started { task_id, pid, start_ticks, started_at_us });
        }
        self.watch(task_id, process, false);
        Task::Live(Box::new(Live {
            run_id,
            attempt,
            process,
            started_at: instant(started_at_us).unwrap_or_default(),
            is_child: false,
            streams: vec![],
            has_ended: false,
            download: Download::Done,
            stopping: None,
            memory: Scalar::ZERO,
        }))
    }

    // ---- time ---------------------------------------------------------------------------

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

    // ---- events -------------------------------------------------------------------------

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
        self.say(ToLauncher::Hello { version: VERSION, pid: std::process::id() });
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

    // ---- launching ----------------------------------------------------------------------

    fn launch(&mut self, launch: Launch) {
        // Whoever launches has asked before about everything that it believed live.
        self.settle();
        let task_id = launch.task_id.clone();
        if self.tasks.contains_key(&task_id) || self.journal.remembers(task_id.as_str()) {
            return self.tell(&task_id);
        }
        let (term, highest) = (launch.term.0, self.journal.term());
        if term < highest {
            tracing::warn!(
                "dropped the launch of `{task_id}`: term {term} is over, it is {highest}"
            );
            return self.report(&task_id, TaskStatus::NeverLaunched);
        }
        if term > highest {
            self.record(&Record::Term { term });
        }
        let claim = Record::Claim {
            task_id: task_id.to_string(),
            run_id: launch.run_id.to_string(),
            attempt: launch.attempt,
            boot: self.machine.boot.clone(),
            pid_namespace: self.machine.pid_namespace,
            claimed_at_us: micros(clock::wall()),
        };
        crate::failpoint!("keeper.before_claim");
        let claimed = self.journal.append(&claim);
        crate::failpoint!("keeper.after_claim");
        let gate = Arc::new(Gate::default());
        let starting = Starting { launch: Arc::new(launch), gate, busy_since: None, kill: None };
        self.live += 1;
        // Crash here: the claim stands, nothing has started. The next keeper says that it is in doubt, which loses one
        // run visibly; the other order would start one twice.
        if claimed.is_ok() {
            self.begin(&starting);
        }
        self.tasks.insert(task_id.clone(), Task::Starting(starting));
        if let Err(error) = claimed {
            let reason = format!(
                "the keeper could not write it down before the start: {error}. Make room in the data directory"
            );
            self.end(&task_id, Exit::CouldNotStart { reason }, None);
        }
    }

    fn begin(&self, starting: &Starting) {
        let settings = Arc::clone(self.settings.as_ref().expect("launches follow a hello"));
        let group = self.cgroups.as_ref().filter(|_| settings.cgroup.is_some()).map(|cgroups| {
            let Launch { run_id, attempt, .. } = *starting.launch;
            (Arc::clone(cgroups), self.group(run_id, attempt))
        });
        self.starters.begin(Start {
            launch: Arc::clone(&starting.launch),
            settings,
            gate: Arc::clone(&starting.gate),
            group,
        });
    }

    /// The control group of an attempt: no other scheduler on this machine has this data directory.
    fn group(&self, run_id: RunId, attempt: u32) -> String {
        let place = std::fs::metadata(self.machine.layout.root())
            .map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()));
        format!("{:x}-{:x}-{run_id}-{attempt}", place.0, place.1)
    }

    fn start_tried(&mut self, task_id: &TaskId, result: StartResult) {
        let Some(Task::Starting(starting)) = self.tasks.get_mut(task_id) else { return };
        let now = clock::boot();
        match result {
            StartResult::Started(child) => self.started(task_id, *child),
            StartResult::Stopped => {}
            _ if starting.kill.is_some() => self.end(task_id, Exit::Killed, None),
            StartResult::TooLate => {
                tracing::info!("did not start `{task_id}`: the trust in its term is over");
                self.record(&Record::Void { task_id: task_id.to_string() });
                self.leave_group(task_id);
                self.tasks.remove(task_id);
                self.live -= 1;
                self.report(task_id, TaskStatus::NeverLaunched);
            }
            StartResult::Busy(reason) => {
                let since = *starting.busy_since.get_or_insert(now);
                if now.since(since) >= BUSY_MAX {
                    self.end(task_id, Exit::CouldNotStart { reason }, None);
                } else {
                    starting.gate = Arc::new(Gate::default());
                    self.retries.insert((now.saturating_add(BUSY_PAUSE), task_id.clone()));
                }
            }
            StartResult::Failed(reason) => {
                self.end(task_id, Exit::CouldNotStart { reason }, None);
            }
        }
    }

    fn retry(&mut self, now: BootInstant) {
        while self.retries.first().is_some_and(|(at, _)| *at <= now) {
            let (_, task_id) = self.retries.pop_first().expect("just seen");
            if let Some(Task::Starting(starting)) = self.tasks.get(&task_id) {
                self.begin(starting);
            }
        }
    }

    fn started(&mut self, task_id: &TaskId, child: Child) {
        crate::failpoint!("keeper.after_start");
        let Child { mut process, stdout, stderr, started_at, fetch } = child;
        if process.start_ticks == 0 {
            // There was no descriptor to read it with. It is our child, so it can be made up for.
            process = Stat::of(process.pid).map_or(process, |stat| stat.id);
        }
        self.record(&Record::Started {
            task_id: task_id.to_string(),
            pid: process.pid,
            start_ticks: process.start_ticks,
            started_at_us: micros(started_at),
        });
        self.watch(task_id, process, true);
        let Some(task) = self.tasks.get_mut(task_id) else { return };
        let Task::Starting(Starting { launch, kill, .. }) = task else { return };
        let (launch, kill) = (Arc::clone(launch), *kill);
        let cap = self.settings.as_ref().map_or(0, |settings| settings.output_cap_bytes);
        let directory = self.machine.layout.attempt(launch.run_id, launch.attempt);
        let mut streams = vec![];
        for (pipe, kind) in [(stdout, output::Stream::Stdout), (stderr, output::Stream::Stderr)] {
            let capture = Capture::new(directory.clone(), kind, cap);
            match Stream::open(pipe, capture, &self.starters, &self.events) {
                Ok(stream) => streams.push(stream),
                Err(error) => tracing::error!("the output of `{task_id}` is lost: {error}"),
            }
        }
        self.streams += streams.len();
        let download = if fetch.is_some() { Download::UnderWay } else { Download::Done };
        *task = Task::Live(Box::new(Live {
            run_id: launch.run_id,
            attempt: launch.attempt,
            process,
            started_at,
            is_child: true,
            streams,
            has_ended: false,
            download,
            stopping: None,
            memory: launch.resources.mem,
        }));
        if let Some(socket) = fetch {
            instruct(task_id.clone(), process, &launch, socket, self.events.clone());
        }
        self.report(task_id, TaskStatus::Running { started_at });
        if let Some(grace) = kill {
            self.kill(task_id, grace);
        }
    }

    // ---- ending -------------------------------------------------------------------------

    /// Tells when `process` ends, be it ours or not.
    fn watch(&self, task_id: &TaskId, process: ProcessId, is_child: bool) {
        let (task_id, events) = (task_id.clone(), self.events.clone());
        tokio::task::spawn_local(async move {
            // Our own child stays until it is reaped, so its number is good; another's may be gone already.
            while let Some(pid) = Pid::from_raw(process.pid) {
                let opened = pidfd_open(pid, PidfdFlags::empty()).map_err(std::io::Error::from);
                match opened.and_then(session::ended) {
                    Ok(descriptor) => {
                        let is_it = || Stat::of(process.pid).is_some_and(|stat| stat.id == process);
                        if is_child || is_it() {
                            let _ = descriptor.readable().await;
                        }
                        break;
                    }
                    Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => break,
                    // No descriptors: commands will end and give theirs back.
                    Err(_) => clock::pause(Duration::from_millis(100)).await,
                }
            }
            let _ = events.send(Event::Exited { task_id, process });
        });
    }

    fn live_mut(&mut self, task_id: &TaskId, process: ProcessId) -> Option<&mut Live> {
        match self.tasks.get_mut(task_id)? {
            Task::Live(live) if live.process == process => Some(live),
            Task::Live(_) | Task::Starting(_) | Task::Over { .. } => None,
        }
    }

    fn exited(&mut self, task_id: &TaskId, process: ProcessId) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        live.has_ended = true;
        if live.stopping.is_some() {
            // Not reaped yet: its number, which is its session's, stays taken until the tree is gone.
            self.stop_round_at = clock::boot();
            self.stop_pause = PAUSE_MIN;
            return;
        }
        self.conclude(task_id, process);
    }

    fn fetched(&mut self, task_id: &TaskId, process: ProcessId, result: Result<(), String>) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        live.download = match result {
            Ok(()) => Download::Done,
            Err(reason) => Download::Failed(reason),
        };
        if live.has_ended && live.stopping.is_none() {
            self.conclude(task_id, process);
        }
    }

    /// The first process has ended by itself: says how, if that is known by now.
    fn conclude(&mut self, task_id: &TaskId, process: ProcessId) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        let started_at = live.started_at;
        if !live.is_child {
            return self.doubt(task_id, ENDED_UNSEEN.to_owned());
        }
        match &live.download {
            // Its socket has closed with it, so this is but a moment away.
            Download::UnderWay => {}
            Download::Failed(reason) => {
                let exit = Exit::CouldNotStart { reason: reason.clone() };
                self.reap(process);
                self.end(task_id, exit, None);
            }
            Download::Done => match self.reap(process) {
                Some(exit) => self.end(task_id, exit, Some(started_at)),
                None => {
                    self.doubt(task_id, "the system did not tell its exit status".to_owned());
                }
            },
        }
    }

    /// Takes the exit status of our own child, which must have ended.
    fn reap(&self, process: ProcessId) -> Option<Exit> {
        let pid = Pid::from_raw(process.pid)?;
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        self.starters.forget(process.pid);
        let status = status.ok().flatten()?;
        let signal = || status.terminating_signal().map(Exit::Signal);
        status.exit_status().map(Exit::Code).or_else(signal)
    }

    /// Writes down how it ended, and tells.
    fn end(&mut self, task_id: &TaskId, exit: Exit, started_at: Option<Timestamp>) {
        self.take_output(task_id);
        let ended_at = clock::wall();
        self.record(&Record::Ended {
            task_id: task_id.to_string(),
            exit: exit.clone().into(),
            started_at_us: started_at.map(micros),
            ended_at_us: micros(ended_at),
        });
        crate::failpoint!("keeper.before_report");
        self.put_over(task_id, TaskStatus::Ended { exit, started_at, ended_at });
    }

    fn doubt(&mut self, task_id: &TaskId, reason: String) {
        self.record(&Record::Doubt { task_id: task_id.to_string(), reason: reason.clone() });
        self.put_over(task_id, TaskStatus::InDoubt { reason });
    }

    fn put_over(&mut self, task_id: &TaskId, status: TaskStatus) {
        self.leave_group(task_id);
        self.stopping.remove(task_id);
        if let Some(task) = self.tasks.get_mut(task_id) {
            if !matches!(task, Task::Over { .. }) {
                self.live -= 1;
            }
            *task = over(status);
        }
        self.tell(task_id);
    }

    /// Takes what its streams hold, and adds what only the kernel knows of its end.
    fn take_output(&self, task_id: &TaskId) {
        let Some(Task::Live(live)) = self.tasks.get(task_id) else { return };
        let group = self.group(live.run_id, live.attempt);
        let kills = self.cgroups.as_ref().map_or(0, |groups| groups.out_of_memory_kills(&group));
        let note = if kills == 0 {
            String::new()
        } else {
            format!(
                "[chronode: the kernel ended processes of this run, which used more than its {} MiB of memory]\n",
                live.memory
            )
        };
        // The second is where complaints go.
        for (stream, note) in live.streams.iter().zip(["", &note]) {
            stream.close(note);
        }
    }

    fn leave_group(&mut self, task_id: &TaskId) {
        let Some(cgroups) = &self.cgroups else { return };
        let Some((run_id, attempt)) = self.tasks.get(task_id).and_then(Task::place) else { return };
        let group = self.group(run_id, attempt);
        if !cgroups.remove(&group) {
            // Daemons that it left live on in it.
            self.emptying.insert(group);
            self.child_ended();
        }
    }

    // ---- stopping -----------------------------------------------------------------------

    fn kill(&mut self, task_id: &TaskId, grace: Duration) {
        let now = clock::boot();
        let deadline = now.saturating_add(grace);
        let Some(task) = self.tasks.get_mut(task_id) else { return self.tell(task_id) };
        match task {
            Task::Over { .. } => self.tell(task_id),
            Task::Starting(starting) => {
                if starting.gate.shut() {
                    self.end(task_id, Exit::Killed, None);
                } else {
                    starting.kill = Some(grace);
                }
            }
            Task::Live(live) => {
                if let Some(stopping) = &mut live.stopping {
                    stopping.hurry(deadline);
                } else if live.has_ended && live.is_child {
                    // It ended by itself; only what became of its downloads is not heard yet.
                    return;
                } else {
                    let directory = self.machine.layout.attempt(live.run_id, live.attempt);
                    let marks = Marks::new(&live.run_id.to_string(), live.attempt, &directory);
                    let tree = Tree { root: live.process, holds_root: live.is_child, marks };
                    live.stopping = Some(Stopping::new(tree, deadline));
                    self.stopping.insert(task_id.clone());
                }
                self.stop_round_at = now;
                self.stop_pause = PAUSE_MIN;
            }
        }
    }

    fn stop_round(&mut self, now: BootInstant) {
        if self.stopping.is_empty() || self.stop_round_at > now {
            return;
        }
        let since = self.stops().map(Stopping::since_ticks).min();
        match Snapshot::take(since.unwrap_or(0)) {
            Ok(snapshot) => {
                for task_id in self.stopping.clone() {
                    if self.stop_one(&task_id, now, &snapshot) {
                        self.stopped(&task_id);
                    }
                }
            }
            // Nobody seen is not nobody there.
            Err(error) => tracing::warn!("cannot look at the processes: {error}"),
        }
        let deadlines = self.stops().map(Stopping::deadline);
        let deadline = deadlines.filter(|&deadline| deadline > now).min();
        let next = now.saturating_add(self.stop_pause);
        self.stop_round_at = deadline.map_or(next, |deadline| deadline.min(next));
        self.stop_pause = self.stop_pause.saturating_mul(2).min(PAUSE_MAX);
    }

    fn stops(&self) -> impl Iterator<Item = &Stopping> {
        self.stopping.iter().filter_map(|id| match self.tasks.get(id)? {
            Task::Live(live) => live.stopping.as_ref(),
            Task::Starting(_) | Task::Over { .. } => None,
        })
    }

    /// One round for one task; whether nothing is left of it.
    fn stop_one(&mut self, task_id: &TaskId, now: BootInstant, snapshot: &Snapshot) -> bool {
        let group =
            self.cgroups.as_ref().zip(self.tasks.get(task_id).and_then(Task::place)).map(
                |(cgroups, (run_id, attempt))| (Arc::clone(cgroups), self.group(run_id, attempt)),
            );
        let grouped = group.iter().flat_map(|(cgroups, group)| cgroups.pids(group));
        let grouped = grouped.filter_map(Stat::of).filter(|stat| !stat.is_zombie);
        let Some(Task::Live(live)) = self.tasks.get_mut(task_id) else { return true };
        let Some(stopping) = &mut live.stopping else { return true };
        match stopping.round(now, snapshot, grouped.map(|stat| stat.id)) {
            Round::Asked => false,
            Round::Ended => {
                if let Some((cgroups, group)) = &group {
                    cgroups.kill(group);
                }
                false
            }
            // The descriptor of the first process may tell a moment later than the list.
            Round::NobodyLeft => live.has_ended,
        }
    }

    fn stopped(&mut self, task_id: &TaskId) {
        let Some(Task::Live(live)) = self.tasks.get(task_id) else { return };
        let (process, is_child, started_at) = (live.process, live.is_child, live.started_at);
        // While downloads were under way the command had not started.
        let started_at = matches!(live.download, Download::Done).then_some(started_at);
        if is_child {
            self.reap(process);
        }
        self.end(task_id, Exit::Killed, started_at);
    }

    // ---- telling ------------------------------------------------------------------------

    /// Tells what became of a task. One that is just being started is told of when that is decided.
    fn tell(&mut self, task_id: &TaskId) {
        let status = match self.tasks.get_mut(task_id) {
            Some(Task::Starting(_)) => return,
            Some(Task::Live(live)) => TaskStatus::Running { started_at: live.started_at },
            Some(Task::Over { status, told_at }) => {
                *told_at = clock::boot();
                status.clone()
            }
            None => return self.tell_unknown(task_id),
        };
        self.report(task_id, status);
    }

    fn tell_unknown(&mut self, task_id: &TaskId) {
        if self.journal.remembers(task_id.as_str()) {
            let reason =
                "it was launched, and what became of it was told and acknowledged".to_owned();
            return self.report(task_id, TaskStatus::InDoubt { reason });
        }
        if self.journal.is_complete() {
            return self.report(task_id, TaskStatus::NeverLaunched);
        }
        let reason = "the machine was restarted since, or the keeper's journal was lost or damaged; whether it started \
                      is not known"
            .to_owned();
        self.record(&Record::Doubt { task_id: task_id.to_string(), reason: reason.clone() });
        // Kept like any other doubt, so that a repeated launch does not start it.
        let task = over(TaskStatus::InDoubt { reason: reason.clone() });
        self.tasks.insert(task_id.clone(), task);
        self.report(task_id, TaskStatus::InDoubt { reason });
    }

    /// From here on an id that we do not know was never launched.
    fn settle(&mut self) {
        if !self.journal.is_complete() {
            self.record(&Record::Settled { boot: self.machine.boot.clone() });
        }
    }

    fn acknowledge(&mut self, task_id: &TaskId) {
        if matches!(self.tasks.get(task_id), Some(Task::Over { .. })) {
            self.record(&Record::Acknowledged { task_id: task_id.to_string() });
            crate::failpoint!("keeper.after_acknowledge");
            self.tasks.remove(task_id);
        }
    }

    fn report(&mut self, task_id: &TaskId, status: TaskStatus) {
        let report = TaskReport { task_id: task_id.clone(), status };
        self.say(ToLauncher::Report(report.into()));
    }

    fn say(&self, message: ToLauncher) {
        if let Some(connection) = &self.connection {
            // A connection that has just ended hears it after the next hello.
            let _ = connection.to_launcher.send(message);
        }
    }

    /// Writes down what is true already. Failing to costs the next keeper the knowledge, not this one.
    fn record(&mut self, record: &Record) {
        if let Err(error) = self.journal.append(record) {
            tracing::error!("cannot write the journal: {error}");
        }
    }
}

fn over(status: TaskStatus) -> Task {
    Task::Over { status, told_at: clock::boot() }
}

/// Tells the `fetch` subcommand at the other end of `socket` what to do, and hears how it went.
fn instruct(
    task_id: TaskId,
    process: ProcessId,
    launch: &Launch,
    socket: UnixStream,
    events: UnboundedSender<Event>,
) {
    let instructions = fetch::instructions(launch);
    // Blocking, and for as long as the downloads take: a thread of its own is the simplest that can be right.
    let told = events.clone();
    let id = task_id.clone();
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
        let _ = (&socket).write_all(&instructions);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        let lines = BufReader::new(&socket).lines().map_while(Result::ok);
        let result = fetch::outcome(lines);
        let _ = told.send(Event::Fetched { task_id: id, process, result });
    });
    if let Err(error) = thread {
        let result = Err(format!("the machine has no thread to give for its downloads: {error}"));
        let _ = events.send(Event::Fetched { task_id, process, result });
    }
}
