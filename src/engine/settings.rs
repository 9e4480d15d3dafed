//! What decisions depend on besides jobs and runs, fixed while a process leads.

use crate::alerts;
use crate::model::{Defaults, Duration, Timestamp};
use crate::schedule::ZoneDb;

/// What decisions depend on besides jobs and runs. Fixed while a process leads.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What a field that was not given becomes.
    pub defaults: Defaults,
    /// The pause between attempts (`--failure_retry`).
    pub retry_delay: Duration,
    /// Final failures in a row after which a job that does not say is disabled; 0 is never
    /// (`--disable_after_failures`).
    pub disable_after_failures: u32,
    /// Jobs there may be (`--max_jobs`). Those that are there stay, however many they are.
    pub max_jobs: usize,
    /// How long a task is given between being asked to stop and being stopped.
    pub kill_grace: Duration,
    /// What the launcher can do; what it cannot is refused at the door.
    pub abilities: Abilities,
    /// Who is told of what, and how often.
    pub alerts: alerts::Terms,
    /// Where zones come from.
    pub zones: ZoneDb,
    /// The present life of the machine that commands run on; why there is no such machine otherwise, as a clause.
    pub machine: Result<Boot, String>,
}

/// One life of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Its name, which no other life of any machine has.
    pub id: String,
    /// When it began, by the wall clock that the machine had when this process started.
    pub at: Timestamp,
}

/// What a launcher can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// The only user it can run commands as; `None` if it can become any.
    pub only_user: Option<String>,
    /// The users that commands may run as (`--run_as`); `None` if any may be.
    pub run_as: Option<Vec<String>>,
    /// Whether it runs containers.
    pub containers: bool,
    /// Whether it runs custom executors.
    pub executors: bool,
    /// Whether it gives ports of the host to commands.
    pub ports: bool,
}
