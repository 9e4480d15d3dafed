//! The local launcher: runs commands on this machine, as cron does, through a keeper process of its own.
//!
//! [`LocalLauncher`] lives in the scheduler and only speaks; [`keeper`] is the other process, which starts, watches and
//! stops, and outlives the scheduler. [`output`] reads what runs printed. [`fetch`] downloads what a run asks for.

mod cgroup;
mod client;
mod command;
pub mod fetch;
pub mod keeper;
mod layout;
mod machine;
pub mod output;
mod protocol;
mod removal;
pub mod usage;

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use self::client::Client;
use self::layout::Layout;
pub use self::machine::{boot_id, dies_with_scheduler};
use self::protocol::{CgroupSettings, Settings, millis};
use super::{Launcher, Notice, Order};
use crate::model::{AgentId, Attribute, Duration, Offer, OfferId, OfferKind, Resources};

/// The `PATH` of commands that bring none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Bytes kept of each output stream unless told otherwise.
pub const DEFAULT_OUTPUT_CAP_BYTES: u64 = 10 << 20;

/// Processes and threads of one run where isolation is on. Far above what a job needs, far below what ends a machine.
pub const DEFAULT_PIDS_MAX: u32 = 4_096;

/// More processes the kernel does not number, and refuses as a limit.
const PIDS_MAX: u32 = 4_194_304;

/// What the local launcher is given.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Where its files lie; made if it is not there.
    pub data_dir: PathBuf,
    /// The program that is the keeper when it is called with `keeper <data_dir>`: ourselves.
    pub executable: PathBuf,
    /// This machine's name in offers.
    pub hostname: String,
    /// This machine's attributes in offers.
    pub attributes: BTreeMap<String, String>,
    /// Whether attempts are placed only while the machine's resources last.
    pub metered: bool,
    /// What is offered; `None` is what the machine has.
    pub resources: Option<Resources>,
    /// Whether resources are limits.
    pub isolation: Isolation,
    /// Bytes kept of each output stream of an attempt, half of them from its beginning and half from its end.
    pub output_cap_bytes: u64,
    /// `PATH` of commands that bring none.
    pub path: String,
    /// `LANG` of commands that bring none: the scheduler's own.
    pub lang: Option<String>,
    /// The users that commands may run as; `None` if any may be. A launch for another ends before it starts.
    pub run_as: Option<Vec<String>>,
    /// How long until a report that is not acknowledged is repeated.
    pub repeat_every: Duration,
}

/// Whether what an attempt wants is also the most that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// No limits, as in cron.
    None,
    /// A control group for each attempt.
    Cgroup {
        /// Whether `cpus` is a ceiling and not only a share of a busy machine.
        cpu_quota: bool,
        /// Processes and threads of one attempt.
        pids_max: u32,
    },
}

impl LocalConfig {
    /// The defaults for everything that has one.
    #[must_use]
    pub fn new(data_dir: PathBuf, executable: PathBuf, hostname: String) -> Self {
        Self {
            data_dir,
            executable,
            hostname,
            attributes: BTreeMap::new(),
            metered: false,
            resources: None,
            isolation: Isolation::None,
            output_cap_bytes: DEFAULT_OUTPUT_CAP_BYTES,
            path: DEFAULT_PATH.to_owned(),
            lang: None,
            run_as: None,
            repeat_every: Duration::from_secs(30),
        }
    }
}

/// Why there is no local launcher.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error("cannot use the data directory `{path}`")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The machine does not say how large it is.
    #[error("cannot find out what this machine has; `--local_resources` tells")]
    Resources(#[source] io::Error),
    /// Limits were asked for that this machine cannot give.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
}

/// Why limits cannot be given.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct IsolationError(cgroup::Unavailable);

/// Runs tasks on this machine. Dropping it leaves the keeper and its runs alone.
#[derive(Debug)]
pub struct LocalLauncher {
    orders: UnboundedSender<Order>,
    live: watch::Receiver<Option<usize>>,
}

impl LocalLauncher {
    /// Checks what can be checked and begins to reach the keeper; `Connected` or `Disconnected` will tell.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn start(config: LocalConfig, notices: UnboundedSender<Notice>) -> Result<Self, Error> {
        let LocalConfig {
            data_dir,
            executable,
            hostname,
            attributes,
            metered,
            resources,
            isolation,
            output_cap_bytes,
            path,
            lang,
            run_as,
            repeat_every,
        } = config;
        let layout = open_data_dir(&data_dir)
            .map_err(|source| Error::DataDir { path: data_dir.clone(), source })?;
        let resources = resources.map_or_else(|| machine::resources(layout.root()), Ok);
        let offer = Offer {
            id: OfferId::new("local"),
            agent: AgentId::new(hostname.clone()),
            hostname,
            attributes: attributes
                .into_iter()
                .map(|(name, value)| Attribute::text(name, value))
                .collect(),
            resources: resources.map_err(Error::Resources)?,
            kind: if metered { OfferKind::Standing } else { OfferKind::Unmetered },
            unavailable_from: None,
            files_at: None,
            share: String::new(),
        };
        let cgroup = match isolation {
            Isolation::None => None,
            Isolation::Cgroup { cpu_quota, pids_max } => {
                // The keeper finds the groups itself; asking here makes the refusal one of the start.
                cgroup::detect().map_err(IsolationError)?;
                Some(CgroupSettings { cpu_quota, pids_max: pids_max.min(PIDS_MAX) })
            }
        };
        let repeat_ms = millis(repeat_every).max(1);
        let (orders, incoming) = unbounded_channel();
        let (tell_live, live) = watch::channel(None);
        let client = Client {
            layout,
            executable,
            settings: Settings { output_cap_bytes, path, lang, repeat_ms, cgroup },
            offer,
            run_as,
            orders: incoming,
            notices,
            live: tell_live,
            kept: vec![],
            keeper: None,
        };
        tokio::spawn(client.run());
        Ok(Self { orders, live })
    }

    /// How many tasks have been launched and have not ended; `None` while the keeper cannot be asked.
    #[must_use]
    pub fn live(&self) -> Option<usize> {
        *self.live.borrow()
    }

    /// Waits until no task lives. Launches that are ordered meanwhile are waited for as well.
    pub async fn drained(&self) {
        let mut live = self.live.clone();
        // Fails only when the client is gone, and with it whatever could be waited for.
        let _ = live.wait_for(|live| *live == Some(0)).await;
    }
}

impl Launcher for LocalLauncher {
    fn perform(&self, order: Order) {
        // The client ends only with us or with the runtime; after that nobody is left to be told.
        let _ = self.orders.send(order);
    }
}

fn open_data_dir(path: &Path) -> io::Result<Layout> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Layout::new(path)
}
