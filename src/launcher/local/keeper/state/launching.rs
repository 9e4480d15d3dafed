//! From the order to launch to a process, or to the reason why there is none.
//!
//! The claim is written before anything else happens; from then on the task id is taken.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::super::Event;
use super::super::capture::Capture;
use super::super::journal::Record;
use super::super::process::{ProcessId, Stat};
use super::super::start::{Child, Gate, Group, Start, StartResult};
use super::super::stream::Stream;
use super::{Download, Keeper, Live, Starting, Task};
use crate::clock;
use crate::launcher::local::cgroup::Limits;
use crate::launcher::local::protocol::{CgroupSettings, micros};
use crate::launcher::local::{fetch, output};
use crate::model::{BootInstant, Duration, Exit, Launch, TaskId, TaskStatus};

/// How long a start is tried while the machine has no process or descriptor to give.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// The time between two such tries.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

impl Keeper {
    pub(super) fn launch(&mut self, launch: Launch) {
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

    pub(super) fn begin(&self, starting: &Starting) {
        let settings = Arc::clone(self.settings.as_ref().expect("launches follow a hello"));
        let group = self.cgroups.as_ref().zip(settings.cgroup).map(|(cgroups, limits)| {
            let Launch { run_id, attempt, resources, .. } = *starting.launch;
            let CgroupSettings { cpu_quota, pids_max } = limits;
            Group {
                cgroups: Arc::clone(cgroups),
                name: self.group(run_id, attempt),
                limits: Limits { resources, cpu_quota, pids_max },
            }
        });
        self.starters.begin(Start {
            launch: Arc::clone(&starting.launch),
            settings,
            gate: Arc::clone(&starting.gate),
            group,
        });
    }

    pub(super) fn start_tried(&mut self, task_id: &TaskId, result: StartResult) {
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

    pub(super) fn retry(&mut self, now: BootInstant) {
        while self.retries.first().is_some_and(|(at, _)| *at <= now) {
            let (_, task_id) = self.retries.pop_first().expect("just seen");
            if let Some(Task::Starting(starting)) = self.tasks.get(&task_id) {
                self.begin(starting);
            }
        }
    }

    pub(super) fn started(&mut self, task_id: &TaskId, child: Child) {
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
            let default_path = self.settings.as_ref().map_or("", |settings| &settings.path);
            let instructions = fetch::instructions(&launch, default_path);
            instruct(task_id.clone(), process, instructions, socket, self.events.clone());
        }
        self.report(task_id, TaskStatus::Running { started_at });
        if let Some(grace) = kill {
            self.kill(task_id, grace);
        }
    }
}

/// Tells the `fetch` subcommand at the other end of `socket` what to do, and hears how it went.
fn instruct(
    task_id: TaskId,
    process: ProcessId,
    instructions: Vec<u8>,
    socket: UnixStream,
    events: UnboundedSender<Event>,
) {
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
