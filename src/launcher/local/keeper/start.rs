//! Starts commands, in threads of their own: both processors are needed to start many, and no start may hold up the
//! keeper's loop.
//!
//! A start is one `fork` and `exec` by the standard library. Its failures come back as sentences for people. What the
//! command then does is the loop's business; here it gets its user, directory, environment, limits and pipes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use rustix::process::{Gid, Rlimit, Uid, WaitId, WaitIdOptions, waitid};
use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use super::capture::Capture;
use super::process::{ProcessId, Stat, zombie_children};
use super::session::{self, Setup};
use super::user::{self, User};
use crate::clock;
use crate::launcher::local::cgroup::{Cgroups, Limits};
use crate::launcher::local::command;
use crate::launcher::local::layout::Layout;
use crate::launcher::local::protocol::Settings;
use crate::model::{Launch, Timestamp};

/// Stack of a starter. It holds paths and an environment's pointers, no buffers.
const STACK_BYTES: usize = 512 << 10;

/// Descriptors that starts leave to the rest of the keeper: output files, looking at processes, a connection.
const SPARE_DESCRIPTORS: u64 = 64;

/// Whether a start may still be stopped: set by whoever comes first.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicU8);

impl Gate {
    const OPEN: u8 = 0;
    const PASSED: u8 = 1;
    const SHUT: u8 = 2;

    /// Lets the start through, unless the gate was shut.
    fn pass(&self) -> bool {
        self.0
            .compare_exchange(Self::OPEN, Self::PASSED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Stops the start, unless it has passed.
    pub(super) fn shut(&self) -> bool {
        self.0.compare_exchange(Self::OPEN, Self::SHUT, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// A start to be made.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) launch: Arc<Launch>,
    pub(super) settings: Arc<Settings>,
    pub(super) gate: Arc<Gate>,
    /// The control group it runs in.
    pub(super) group: Option<Group>,
}

/// A control group to be made.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) cgroups: Arc<dyn Cgroups>,
    pub(super) name: String,
    pub(super) limits: Limits,
}

/// How a start went.
#[derive(Debug)]
pub(super) enum StartResult {
    /// There is a process.
    Started(Box<Child>),
    /// It was stopped in time.
    Stopped,
    /// The launch's time is over.
    TooLate,
    /// The machine had no process or descriptor to give just now.
    Busy(String),
    /// It cannot be started, and why.
    Failed(String),
}

/// A process that was just started.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) process: ProcessId,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) started_at: Timestamp,
    /// Where the `fetch` subcommand, which runs first, wants its instructions and tells how it went.
    pub(super) fetch: Option<UnixStream>,
}

#[derive(Debug)]
enum Work {
    Start(Box<Start>),
    Finish(Capture),
    Sweep,
}

/// The threads that start commands, and do what else would hold up the loop.
#[derive(Debug)]
pub(super) struct Starters {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<VecDeque<Work>>,
    more: Condvar,
    layout: Layout,
    descriptors: Rlimit,
    events: UnboundedSender<Event>,
    /// Read while a start is made, written while orphans are reaped: the library waits for a child whose `exec`
    /// failed, and must not find it gone.
    starting: RwLock<()>,
    /// Our own children that the loop has not reaped.
    children: Mutex<BTreeSet<i32>>,
}

impl Starters {
    /// Starts the threads: one for each processor, at least two, at most four.
    ///
    /// # Errors
    ///
    /// If there are no threads to be had.
    pub(super) fn start(
        layout: Layout,
        descriptors: Rlimit,
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            more: Condvar::new(),
            layout,
            descriptors,
            events,
            starting: RwLock::new(()),
            children: Mutex::default(),
        });
        let count = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
        for number in 0..count {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("starter-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || shared.work())?;
        }
        Ok(Self { shared })
    }

    /// Has a command started; the outcome is told.
    pub(super) fn begin(&self, start: Start) {
        self.shared.push(Work::Start(Box::new(start)));
    }

    /// Has the files of a stream that is over put in order.
    pub(super) fn finish(&self, capture: Capture) {
        self.shared.push(Work::Finish(capture));
    }

    /// Has children reaped that nobody waits for: orphans of commands, which the kernel gives to us.
    pub(super) fn sweep(&self) {
        self.shared.push(Work::Sweep);
    }

    /// The loop has reaped this child.
    pub(super) fn forget(&self, pid: i32) {
        self.shared.lock_children().remove(&pid);
    }
}

impl Shared {
    fn push(&self, work: Work) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(work);
        self.more.notify_one();
    }

    fn pop(&self) -> Work {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match queue.pop_front() {
                Some(work) => return work,
                None => queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn lock_children(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until the process ends.
    fn work(&self) {
        loop {
            match self.pop() {
                Work::Start(start) => {
                    let task_id = start.launch.task_id.clone();
                    // Told while the lock is held: an orphan hunt must find the child known.
                    let _starting = self.starting.read().unwrap_or_else(PoisonError::into_inner);
                    let result = self.start_one(&start);
                    if self.events.send(Event::StartTried { task_id, result }).is_err() {
                        return;
                    }
                }
                Work::Finish(capture) => capture.finish(),
                Work::Sweep => self.reap_orphans(),
            }
        }
    }

    fn start_one(&self, start: &Start) -> StartResult {
        let launch = &start.launch;
        if !start.gate.pass() {
            return StartResult::Stopped;
        }
        if !self.has_descriptors() {
            let reason =
                "there are no file descriptors left: raise `ulimit -n` or run less at once";
            return StartResult::Busy(reason.to_owned());
        }
        let user = match user::find(launch.user.as_deref()) {
            Ok(user) => user,
            Err(reason) => return StartResult::Failed(reason),
        };
        let is_stranger = user.uid != rustix::process::geteuid().as_raw();
        let owner = is_stranger.then_some((user.uid, user.gid));
        let directory = match self.layout.make_attempt(launch.run_id, launch.attempt, owner) {
            Ok(directory) => directory,
            Err(error) => {
                let reason = format!("its working directory could not be made: {error}");
                return failed(&error, reason);
            }
        };
        let environment = match environment(launch, &start.settings, &user, &directory) {
            Ok(environment) => environment,
            Err(reason) => return StartResult::Failed(reason),
        };
        let mut command = command(launch);
        command.env_clear().envs(&environment).current_dir(&directory);
        match self.prepare(&mut command, start, &user) {
            Ok(()) => {}
            Err(error) => return failed(&error, format!("its control group failed: {error}")),
        }
        // Last of all: what lies before may have taken long.
        if launch.not_after.is_some_and(|not_after| clock::boot() > not_after) {
            return StartResult::TooLate;
        }
        self.spawn(command, launch, &environment)
    }

    /// Whether enough descriptors are left for one more command, and for the loop to look after all of them.
    fn has_descriptors(&self) -> bool {
        // The system gives the lowest number that is free.
        let lowest = fs::File::open("/dev/null").map(|file| file.as_raw_fd());
        let most = self.descriptors.maximum.unwrap_or(u64::MAX);
        lowest.is_ok_and(|lowest| {
            u64::try_from(lowest)
                .is_ok_and(|lowest| lowest.saturating_add(SPARE_DESCRIPTORS) < most)
        })
    }

    fn prepare(&self, command: &mut Command, start: &Start, user: &User) -> io::Result<()> {
        let cgroups = match &start.group {
            None => vec![],
            Some(Group { cgroups, name, limits }) => {
                cgroups.create(name, limits)?;
                cgroups.doors(name)?
            }
        };
        let gids = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
        let become_user =
            user.is_changed.then(|| (Uid::from_raw(user.uid), Gid::from_raw(user.gid), gids));
        session::prepare(command, Setup { become_user, cgroups, descriptors: self.descriptors });
        Ok(())
    }

    fn spawn(
        &self,
        mut command: Command,
        launch: &Launch,
        environment: &BTreeMap<String, String>,
    ) -> StartResult {
        let fetch = if launch.fetch.is_empty() {
            command.stdin(Stdio::null());
            None
        } else {
            match UnixStream::pair() {
                Ok((ours, theirs)) => {
                    command.stdin(OwnedFd::from(theirs));
                    Some(ours)
                }
                Err(error) => return failed(&error, format!("no socket: {error}")),
            }
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let path = environment.get("PATH").map_or("", String::as_str);
                return failed(&error, command::explain(&error, &launch.command, path));
            }
        };
        let pid = i32::try_from(child.id()).expect("process ids are positive and below 2²²");
        self.lock_children().insert(pid);
        let start_ticks = Stat::of(pid).map_or(0, |stat| stat.id.start_ticks);
        let stdout = child.stdout.take().expect("asked for a pipe").into();
        let stderr = child.stderr.take().expect("asked for a pipe").into();
        StartResult::Started(Box::new(Child {
            process: ProcessId { pid, start_ticks },
            stdout,
            stderr,
            started_at: clock::wall(),
            fetch,
        }))
    }

    fn reap_orphans(&self) {
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if !matches!(waitid(WaitId::All, peek), Ok(Some(_))) {
            return;
        }
        // No start is under way from here on, so every zombie is either the loop's or nobody's.
        let _no_start = self.starting.write().unwrap_or_else(PoisonError::into_inner);
        let children = self.lock_children().clone();
        for pid in zombie_children().into_iter().filter(|pid| !children.contains(pid)) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            }
        }
    }
}

/// Errors that pass: the machine has no process, descriptor or memory to give just now.
fn failed(error: &io::Error, reason: String) -> StartResult {
    let passing = [
        rustix::io::Errno::AGAIN,
        rustix::io::Errno::MFILE,
        rustix::io::Errno::NFILE,
        rustix::io::Errno::NOMEM,
    ];
    let passes = passing.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    if passes { StartResult::Busy(reason) } else { StartResult::Failed(reason) }
}

/// The program to start: the command, or with downloads the `fetch` subcommand, which becomes the command.
fn command(launch: &Launch) -> Command {
    if launch.fetch.is_empty() {
        return command::build(&launch.command);
    }
    // The file that we are, even if its name has been given to a newer version meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("chronode").arg("fetch");
    command
}

/// The complete environment: the machine's part, the launch's, and what identifies the attempt.
fn environment(
    launch: &Launch,
    settings: &Settings,
    user: &User,
    directory: &Path,
) -> Result<BTreeMap<String, String>, String> {
    let mut environment = BTreeMap::new();
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
    set("PATH", &settings.path);
    set("HOME", &user.home);
    set("USER", &user.name);
    set("LOGNAME", &user.name);
    set("SHELL", "/bin/sh");
    if let Some(lang) = &settings.lang {
        set("LANG", lang);
    }
    for (name, value) in &launch.environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!(
                "the environment variable `{}` cannot be set: a name has no `=`, and neither name nor value has a \
                 zero byte",
                name.escape_debug()
            ));
        }
        set(name, value);
    }
    let directory = directory
        .to_str()
        .ok_or_else(|| "the path of the data directory is not UTF-8: move it".to_owned())?;
    set("MESOS_SANDBOX", directory);
    set("PWD", directory);
    // By these and the directory its processes are known wherever they fork.
    set("CHRONODE_RUN_ID", &launch.run_id.to_string());
    set("CHRONODE_ATTEMPT", &launch.attempt.to_string());
    Ok(environment)
}
