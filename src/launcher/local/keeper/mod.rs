//! The keeper: the small process that starts commands, watches them, and outlives the scheduler.
//!
//! ```text
//!              keeper.sock                                starters (threads)
//!  scheduler ◀────────────▶ connection ──▶ ┌──────┐ ────▶ fork, exec ──▶ command ──┐
//!                                ▲         │ loop │ ◀──── started or why not       │ pipes
//!                                └──────── └──────┘ ◀── exits ◀── streams ◀────────┘
//!                                 reports      │                     │
//!                                       keeper.journal      runs/…/stdout, stderr
//! ```
//!
//! It is a process of its own because a start is a `fork`, whose price is the size of the forking process, and because
//! runs must not end with an upgrade of the scheduler. It is the same program, started by [`super::LocalLauncher`] when
//! nobody answers at the socket. One thread holds all state (`state`); the life of a task there is
//!
//! | a task is | because | becomes |
//! |---|---|---|
//! | unknown | launched | *starting*: claimed in the journal, then handed to a starter |
//! | starting | there is a process | *live* |
//! | starting | it cannot be had, or a kill came first | *over* |
//! | starting | its time is past | unknown |
//! | live | its process ended, or its tree after a kill | *over* |
//! | over | acknowledged | unknown, but remembered for a while |
//!
//! Signals that ask it to end are ignored, for its commands would be orphans whose end nobody learns. It leaves by
//! itself when no scheduler is connected and nothing has run for ten seconds.

mod capture;
mod connection;
mod journal;
mod process;
mod recover;
mod session;
mod start;
mod state;
mod stop;
mod stream;
mod user;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{FlockOperation, Mode};
use rustix::process::{Resource, Rlimit};
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use self::journal::Journal;
use self::process::ProcessId;
use self::start::{StartResult, Starters};
use self::state::{Keeper, Machine};
use super::layout::Layout;
use super::machine;
use super::protocol::{Settings, ToKeeper, ToLauncher};
use crate::model::TaskId;

/// What is said of a task whose process ended while no keeper watched.
const ENDED_UNSEEN: &str = "it ended while its keeper was gone; its exit status is not known";

/// Why there is no keeper.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory or something in it cannot be used.
    #[error("cannot use `{path}`")]
    Path {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The machine refuses something that a keeper needs.
    #[error("cannot {what}")]
    Machine {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JournalError(journal::Error);

/// What reaches the keeper's loop.
#[derive(Debug)]
enum Event {
    /// A scheduler has said hello.
    Greeted { id: u64, settings: Settings, to_launcher: UnboundedSender<ToLauncher> },
    /// A connection has said something.
    Order { id: u64, message: ToKeeper },
    /// A connection has ended.
    Closed { id: u64 },
    /// A starter has done its part.
    StartTried { task_id: TaskId, result: StartResult },
    /// The downloads of a task are done and its command has started, or why not.
    Fetched { task_id: TaskId, process: ProcessId, result: Result<(), String> },
    /// A task's first process has ended.
    Exited { task_id: TaskId, process: ProcessId },
    /// One of a task's streams has ended.
    StreamEnded,
}

/// Is the keeper of `data_dir` until it is no longer needed. Ends at once if there is one already.
///
/// Meant to be the whole of a process: it changes its session, its signals, its limits and its directory.
///
/// # Errors
///
/// [`Error`].
pub fn run(data_dir: &Path) -> Result<(), Error> {
    // Fails if the caller has made one.
    let _ = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).try_init();
    let machine = |what| move |source| Error::Machine { what, source };
    session::seal_inherited().map_err(machine("list its own file descriptors"))?;
    // Fails if we lead a group already, as when started by hand: then the terminal's signals reach us, and are ignored.
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let layout = Layout::new(data_dir)
        .map_err(|source| Error::Path { path: data_dir.to_owned(), source })?;
    let Some(_lock) = lock(&layout)? else {
        tracing::info!("there is a keeper for `{}` already", layout.root().display());
        return Ok(());
    };
    // Nothing that we have open shall keep a file system from being unmounted but the data directory itself.
    std::env::set_current_dir("/").map_err(machine("change to the root directory"))?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| machine("adopt the orphans of its commands")(errno.into()))?;
    let descriptors = raise_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(machine("start its event loop"))?;
    tokio::task::LocalSet::new().block_on(&runtime, keep(layout, descriptors))
}

/// Takes the lock that makes us the only keeper; `None` if another has it.
fn lock(layout: &Layout) -> Result<Option<File>, Error> {
    let path = layout.lock();
    let error = |source| Error::Path { path: path.clone(), source };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(error)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(errno) => return Err(error(errno.into())),
    }
    file.set_len(0).map_err(error)?;
    // For people who wonder which process it is.
    writeln!(file, "{}", std::process::id()).map_err(error)?;
    Ok(Some(file))
}

/// Raises our own limit on descriptors as far as allowed; what it was is what commands get.
fn raise_descriptors() -> Rlimit {
    let given = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: given.maximum, maximum: given.maximum };
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, raised) {
        tracing::warn!("the limit on file descriptors stays at {:?}: {error}", given.current);
    }
    given
}

async fn keep(layout: Layout, descriptors: Rlimit) -> Result<(), Error> {
    let machine = |what| move |source| Error::Machine { what, source };
    let boot = machine::boot_id().map_err(machine("read the id of this boot"))?;
    let pid_namespace = machine::pid_namespace().map_err(machine("read its namespace"))?;
    let has_history = fs::read_dir(layout.runs()).is_ok_and(|mut runs| runs.next().is_some());
    let journal = Journal::open(layout.journal(), &boot, has_history).map_err(JournalError)?;
    let mut signals = Signals::install().map_err(machine("handle signals"))?;
    let (events, mut incoming) = unbounded_channel();
    let starters = Starters::start(layout.clone(), descriptors, events.clone())
        .map_err(machine("start its threads"))?;

    let mut keeper = Keeper::new(
        Machine { layout: layout.clone(), boot, pid_namespace },
        journal,
        Rc::new(starters),
        events.clone(),
    );
    keeper.recover();
    // Whoever started us may have gone already: then nothing else would ever make us leave.
    keeper.turn();
    let listener = listen(&layout)?;
    let acceptor =
        tokio::task::spawn_local(connection::accept(Rc::clone(&listener), events.clone()));
    tracing::info!("keeping `{}` as process {}", layout.root().display(), std::process::id());
    while !keeper.may_leave() {
        tokio::select! {
            Some(event) = incoming.recv() => {
                keeper.handle(event);
                // What is there belongs to one look at the processes and one count of the living.
                while let Ok(event) = incoming.try_recv() {
                    keeper.handle(event);
                }
            }
            () = signals.child() => keeper.child_ended(),
            () = keeper.wait() => {}
        }
        keeper.turn();
    }
    tracing::info!("leaving: nothing runs and nobody is connected");
    acceptor.abort();
    // Whoever connected just now finds the connection broken and starts the next keeper.
    if let Ok(name) = layout.socket() {
        let _ = fs::remove_file(name.path());
    }
    Ok(())
}

fn listen(layout: &Layout) -> Result<Rc<UnixListener>, Error> {
    let error = |source| Error::Path { path: layout.root().join("keeper.sock"), source };
    let name = layout.socket().map_err(error)?;
    // Left by a keeper that was killed: the lock says that it is gone.
    match fs::remove_file(name.path()) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(error(source)),
        _ => {}
    }
    // The umask makes it ours alone.
    Ok(Rc::new(UnixListener::bind(name.path()).map_err(error)?))
}

/// The signals that are handled, all but one by doing nothing.
///
/// They are handled rather than ignored because an ignored signal stays ignored in the commands.
#[derive(Debug)]
struct Signals {
    child: Signal,
    _ignored: Vec<Signal>,
}

impl Signals {
    fn install() -> io::Result<Self> {
        let ignored = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
            SignalKind::pipe(),
        ];
        Ok(Self {
            child: signal(SignalKind::child())?,
            _ignored: ignored.into_iter().map(signal).collect::<io::Result<_>>()?,
        })
    }

    async fn child(&mut self) {
        self.child.recv().await;
    }
}
