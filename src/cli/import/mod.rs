//! `chronode import …`: jobs of Chronos, and lines of crontabs, become job files, or jobs of a running Chronode.
//!
//! Reads everything first, translates it without touching anything, and only then writes; what it does by itself is
//! tell. What a job means on either side is `migration`'s.

mod chronos;
mod crontab;
mod files;
mod load;
mod report;
mod zookeeper;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::CliError;
use super::client::Terminal;
use super::http::Server;
use super::table::counted;
use crate::clock;
use crate::jobspec::{self, Reading};
use crate::migration::chronos::{self as migration, Abilities, Import, Settings, Users};
use crate::migration::{Finding, Imported, Weight, is_selected};
use crate::model::{Dialect, JobDraft, NameRule, Timestamp, whole_millis};
use crate::schedule::{HOST_ZONES, ZoneChoice, ZoneDb, parse_period};

/// `chronode import …`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// From a Chronos that runs, of either generation
    Chronos {
        /// Its address, such as http://chronos.example.org:4400
        url: String,
        /// The user it is to let in
        #[arg(long, requires = "password")]
        user: Option<String>,
        /// That user's password; `--http_auth` keeps it off the command line
        #[arg(long, requires = "user")]
        password: Option<String>,
        /// Both, as user:password
        #[arg(
            long = "http_auth",
            alias = "http-auth",
            value_name = "USER:PASSWORD",
            env = "CHRONOS_HTTP_AUTH",
            hide_env_values = true,
            conflicts_with_all = ["user", "password"]
        )]
        http_auth: Option<String>,
        /// Seconds until its whole list of jobs must have come
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = 120,
            value_parser = clap::value_parser!(u64).range(1..=86_400)
        )]
        timeout: u64,
        /// Which generation of Chronos it is: 0 is 2.x, v1 is 3.x
        #[arg(long, value_enum, default_value_t = Generation::Auto)]
        dialect: Generation,
        /// What to do with the jobs
        #[command(flatten)]
        how: How,
    },
    /// From the state that Chronos keeps in ZooKeeper, whether it runs or not
    ChronosZk {
        /// Where, such as zk://zk1:2181,zk2:2181/chronos/state, as Chronos' `--zk_path` has it
        url: String,
        /// As Chronos' flag of this name: digest credentials
        #[arg(
            long = "zk_auth",
            alias = "zk-auth",
            value_name = "USER:PASSWORD",
            env = "CHRONOS_ZK_AUTH",
            hide_env_values = true
        )]
        zk_auth: Option<String>,
        /// Seconds until everything must have come
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = 120,
            value_parser = clap::value_parser!(u64).range(1..=86_400)
        )]
        timeout: u64,
        /// Which generation of Chronos it is: 0 is 2.x, v1 is 3.x
        #[arg(long, value_enum, default_value_t = Generation::Auto)]
        dialect: Generation,
        /// What to do with the jobs
        #[command(flatten)]
        how: How,
    },
    /// From the tables of cron: of this machine, or of many, each in a copy
    Crontab {
        /// Which tables, and how they are read
        #[command(flatten)]
        from: crontab::From,
        /// What to do with the jobs
        #[command(flatten)]
        how: How,
    },
}

/// What becomes of the jobs. Without `--out` and `--load` nothing: there is only the report.
#[derive(Debug, Args)]
pub struct How {
    /// Write a job file for each job into this directory, for `serve --jobs`
    #[arg(long, value_name = "DIR", conflicts_with = "load")]
    pub out: Option<PathBuf>,
    /// Store the jobs in the Chronode that `--server` names
    #[arg(long)]
    pub load: bool,
    /// Have the jobs planned, recorded and compared, but not started, until they are cut over
    #[arg(long)]
    pub shadow: bool,
    /// Only jobs whose name fits; `*` is anything, `?` one character
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    pub only: String,
    /// Replace jobs, or job files, of the same name that say something else
    #[arg(long)]
    pub overwrite: bool,
    /// Time zone data to calculate with, as for `serve`
    #[arg(
        long = "zone_data",
        alias = "zone-data",
        value_name = "newest|bundled|DIR",
        env = "CHRONODE_ZONE_DATA",
        default_value = "newest"
    )]
    pub zone_data: String,
}

/// Generations of Chronos, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Generation {
    /// Whichever it is.
    Auto,
    /// 2.x.
    #[value(name = "0", alias = "v0")]
    Old,
    /// 3.x.
    #[value(name = "v1", alias = "1")]
    New,
}

impl ImportCommand {
    const fn how(&self) -> &How {
        match self {
            Self::Chronos { how, .. } | Self::ChronosZk { how, .. } | Self::Crontab { how, .. } => {
                how
            }
        }
    }
}

impl Generation {
    /// The one that was asked for.
    pub(super) const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Auto => None,
            Self::Old => Some(Dialect::V0),
            Self::New => Some(Dialect::V1),
        }
    }
}

/// Where jobs come from.
struct Origin {
    kind: Kind,
    /// The place, without credentials.
    shown: String,
}

/// What they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Chronos(Dialect),
    Cron,
}

impl Kind {
    /// How it is called in a title.
    const fn title(self) -> &'static str {
        match self {
            Self::Chronos(Dialect::V0) => "Chronos 2.x",
            Self::Chronos(Dialect::V1) => "Chronos 3.x",
            Self::Cron => "cron",
        }
    }

    /// How it is called in a sentence.
    const fn name(self) -> &'static str {
        match self {
            Self::Chronos(_) => "Chronos",
            Self::Cron => "cron",
        }
    }

    /// Its key in JSON.
    const fn key(self) -> &'static str {
        match self {
            Self::Chronos(_) => "chronos",
            Self::Cron => "cron",
        }
    }
}

/// What a Chronos has.
struct Source {
    /// From where, without credentials.
    shown: String,
    generation: Dialect,
    jobs: Vec<Value>,
    /// What should be jobs and is none.
    broken: Vec<Imported>,
    /// Tasks that wait to be started there.
    pending: Vec<Pending>,
}

/// A task that waits.
struct Pending {
    task: String,
    job: String,
    due_at: Option<Timestamp>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// Only told about.
    Told,
    /// Written or stored, and where.
    Stored { place: String, warnings: Vec<String> },
    /// It was there already, and means the same.
    Unchanged { place: String },
    /// Not stored: why, and what to do.
    Refused { reason: String },
}

/// A job with what became of it.
struct Done {
    job: Imported,
    outcome: Outcome,
}

/// What was read, translated.
struct Moved {
    origin: Origin,
    jobs: Vec<Imported>,
    /// What holds for all of them.
    general: Vec<Finding>,
    /// What the other side has still to start.
    pending: Vec<Pending>,
}

/// What a translation needs beside what it translates.
#[derive(Clone, Copy)]
struct Context<'a> {
    how: &'a How,
    server: Option<&'a Server>,
    now: Timestamp,
    zones: &'a ZoneDb,
}

/// Carries out the command. `server` is asked with `--load` alone.
pub(super) fn run(
    server: impl FnOnce() -> Result<Server, CliError>,
    command: &ImportCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let how = command.how();
    let zones = ZoneDb::choose(&ZoneChoice::parse(&how.zone_data), Path::new(HOST_ZONES))
        .map_err(|error| CliError::Usage(format!("--zone_data: {error}")))?;
    // Before anything is read: a wrong address of the target is told at once.
    let server = if how.load { Some(server()?) } else { None };
    let now = whole_millis(clock::wall());
    let context = Context { how, server: server.as_ref(), now, zones: &zones };
    let Moved { origin, jobs, general, pending } = match command {
        ImportCommand::Chronos { url, user, password, http_auth, timeout, dialect, how: _ } => {
            let typed = user.clone().zip(password.clone());
            let login = match http_auth {
                Some(both) => Some(split_login("--http_auth", both)?),
                None => typed,
            };
            translate(chronos::read(url, login, *timeout, *dialect)?, context)?
        }
        ImportCommand::ChronosZk { url, zk_auth, timeout, dialect, how: _ } => {
            if let Some(both) = zk_auth {
                split_login("--zk_auth", both)?;
            }
            translate(zookeeper::read(url, zk_auth.as_deref(), *timeout, *dialect)?, context)?
        }
        ImportCommand::Crontab { from, how: _ } => crontab::read(from, context, terminal)?,
    };
    let done = match (&how.out, &server) {
        (Some(directory), _) => files::write(directory, jobs, &origin, how, now, &zones)?,
        (None, Some(server)) => load::load(server, jobs, &origin, how, now, &zones)?,
        (None, None) => jobs.into_iter().map(|job| Done { job, outcome: Outcome::Told }).collect(),
    };
    let report =
        report::Report { origin: &origin, how, general: &general, pending: &pending, done: &done };
    if let Some(directory) = &how.out {
        files::write_report(directory, &report.to_json())?;
    }
    report.print(terminal)?;
    verdict(&done)
}

/// The jobs of a Chronos.
fn translate(source: Source, context: Context<'_>) -> Result<Moved, CliError> {
    let Context { how, server, now, zones } = context;
    let users = match server {
        Some(server) => load::users(server, &source.jobs, &how.only)?,
        None => Users::new(),
    };
    let settings = Settings {
        generation: source.generation,
        shadow: how.shadow,
        abilities: Abilities::default(),
        users: &users,
        now,
        zones,
    };
    let Import { mut jobs, general } = migration::import(&source.jobs, &how.only, &settings);
    let is_wanted = |job: &Imported| is_selected(&how.only, &job.name);
    jobs.extend(source.broken.into_iter().filter(is_wanted));
    let origin = Origin { kind: Kind::Chronos(source.generation), shown: source.shown };
    Ok(Moved { origin, jobs, general, pending: source.pending })
}

/// The jobs that a running Chronos lists, as it prints them.
pub(super) fn jobs_of(
    url: &str,
    login: Option<&str>,
    timeout: u64,
    dialect: Generation,
) -> Result<Vec<Value>, CliError> {
    let login = login.map(|both| split_login("--http_auth", both)).transpose()?;
    Ok(chronos::read(url, login, timeout, dialect)?.jobs)
}

fn split_login(flag: &str, both: &str) -> Result<(String, String), CliError> {
    let split = both.split_once(':').filter(|(user, _)| !user.is_empty());
    let (user, password) = split.ok_or_else(|| {
        CliError::Usage(format!("{flag} is no login: write it as `user:password`"))
    })?;
    Ok((user.to_owned(), password.to_owned()))
}

/// Whether everything could be carried.
fn verdict(done: &[Done]) -> Result<(), CliError> {
    let lost = done.iter().filter(|it| it.job.weight() == Weight::NotCarried).count();
    let refused = done.iter().filter(|it| matches!(it.outcome, Outcome::Refused { .. })).count();
    let mut sentences = Vec::new();
    if lost > 0 {
        sentences.push(format!("{} cannot be carried", counted(lost, "job")));
    }
    if refused > 0 {
        sentences.push(format!("{} could not be stored", counted(refused, "job")));
    }
    if sentences.is_empty() {
        return Ok(());
    }
    Err(CliError::Failed(format!("{}; the report says why and what to do", sentences.join(", "))))
}

/// A body as our door reads it, with what that says about it.
fn read(body: &Value) -> Result<JobDraft, String> {
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    match jobspec::read_as(body, Dialect::V0, NameRule::Blanks, &period) {
        Ok(Reading { draft, .. }) => Ok(draft),
        Err(problems) => {
            Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    }
}
