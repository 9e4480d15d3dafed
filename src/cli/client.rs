//! The client commands, as typed, and their dispatch.

use std::io::Write;

use clap::{Args, Subcommand};

pub use super::access::Access;
use super::http::Server;
use super::{
    CliError, alerts, apply, backfill, backlog, cluster, events, explain, export, files, forecast,
    graph, health, import, job, logs, next, operate, pause, run as runs, shadow,
};
use crate::model::{JobName, NameRule, RunVerb, Timestamp, Verdict};

/// The client commands.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// List, show, store, start, stop and delete jobs
    Job {
        /// What to do
        #[command(subcommand)]
        command: job::JobCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// List and show runs: what ran, what failed, what was missed and why
    Run {
        /// What to do
        #[command(subcommand)]
        command: RunCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Stop a run; end it if it has not been begun. The same as `run kill`
    Kill {
        /// Which run, and why
        #[command(flatten)]
        command: operate::About,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Try a run again: at once if it waits for that, else as a new run for the same instant. The same as `run retry`
    Retry {
        /// Which run, how, and why
        #[command(flatten)]
        command: operate::RetryRun,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Show which jobs follow which
    Graph {
        /// Of which job, and in which form
        #[command(flatten)]
        command: graph::GraphCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell why a run or a job stands as it does: why it has not run, why it runs late, what it waits for
    Explain {
        /// Of what
        #[command(flatten)]
        command: explain::ExplainCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Show what led to a run, and everything that followed
    Chain {
        /// Of which run
        #[command(flatten)]
        command: explain::ChainCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell where commands run, what agents have left, and what became of their last offers
    Agents {
        /// Which of them
        #[command(flatten)]
        command: cluster::AgentsCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell what capacity is missing for the runs that wait
    Shortfall {
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Pause all jobs, also those to come: what is due meanwhile is skipped, what is asked for runs
    Pause {
        /// Until when, and why
        #[command(flatten)]
        command: pause::PauseAll,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Let all jobs go on; a job that is paused by itself stays so
    Resume {
        /// Why
        #[command(flatten)]
        command: operate::Why,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Run a job once more for instants of the past
    Backfill {
        /// What to do
        #[command(subcommand)]
        command: backfill::BackfillCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// List and drop runs that have not been begun
    Backlog {
        /// What to do
        #[command(subcommand)]
        command: backlog::BacklogCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// List what is wrong, newest first, with who was told
    Incidents {
        /// Which of it
        #[command(flatten)]
        command: alerts::IncidentsCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Show an incident, look after it, and have nobody told of it for a while
    Incident {
        /// What to do
        #[command(subcommand)]
        command: alerts::IncidentCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// List the messages that tell people of what has happened, newest first, and how they fare
    Notifications {
        /// Which of them
        #[command(flatten)]
        command: alerts::NotificationsCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell by what people are told, try it, and send again what did not arrive
    Notify {
        /// What to do
        #[command(subcommand)]
        command: alerts::NotifyCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Say what is right about the server's wall clock
    Clock {
        /// What to do
        #[command(subcommand)]
        command: operate::ClockCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell by the exit code whether the server answers and decides; needs no credentials
    #[command(after_help = health::AFTER_HELP)]
    Health {
        /// How
        #[command(flatten)]
        command: health::HealthCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Print what a run wrote
    Logs {
        /// Of which run, and how
        #[command(flatten)]
        command: LogsCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Print everything that changes, one line for each event, until interrupted
    Events {
        /// Of what, and since when
        #[command(flatten)]
        command: EventsCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell when a schedule is due, without storing anything; a schedule that is typed needs no server
    Next {
        /// Of which schedule, and how much
        #[command(flatten)]
        command: Box<next::NextCommand>,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Have the server keep what a directory of job files says, after a plan of what that changes
    Apply {
        /// Which directory, and how
        #[command(flatten)]
        command: apply::ApplyCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Take jobs over from another scheduler, with a report of what changes its meaning
    Import {
        /// From where, and what to do with them
        #[command(subcommand)]
        command: import::ImportCommand,
        /// Which Chronode they go to with `--load`
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Compare jobs that are only planned with the scheduler that runs them, and take them over
    Shadow {
        /// What to do
        #[command(subcommand)]
        command: shadow::ShadowCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Write jobs in the form of another scheduler, with a report of what is lost
    Export {
        /// In which form, and where to
        #[command(subcommand)]
        command: export::ExportCommand,
        /// Which Chronode they come from
        #[command(flatten)]
        endpoint: Endpoint,
    },
    /// Tell what will start, and in which minutes most does
    Forecast {
        /// When, and of which job
        #[command(flatten)]
        command: ForecastCommand,
        /// Which server
        #[command(flatten)]
        endpoint: Endpoint,
    },
}

/// `chronode forecast …`
#[derive(Debug, Args)]
pub struct ForecastCommand {
    /// From this instant on, as 2026-03-01T13:00:00Z; from now by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub from: Option<Timestamp>,
    /// Up to this instant; a day later by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub to: Option<Timestamp>,
    /// Only of this job
    #[arg(long, value_name = "NAME", value_parser = job_name)]
    pub job: Option<JobName>,
    /// How many starts are listed at most; all are counted
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub limit: u16,
}

/// Which server is asked, and in which form its answers are printed.
#[derive(Debug, Clone, Args)]
pub struct Endpoint {
    /// The server's address, as `https://host:8443`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "CHRONODE_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:4400"
    )]
    pub server: String,
    /// What it is shown so that it lets us in
    #[command(flatten)]
    pub access: Access,
    /// Print the server's JSON instead of tables
    #[arg(long, global = true)]
    pub json: bool,
}

/// `chronode run …`
#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// List runs and occurrences that never ran, newest first
    List {
        /// Only of this job
        #[arg(long, value_name = "NAME", value_parser = job_name)]
        job: Option<JobName>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only those that ended so: succeeded, failed, missed, skipped, killed, lost or superseded
        #[arg(long, value_name = "VERDICT", value_parser = verdict)]
        verdict: Option<Verdict>,
        /// Only of jobs in whose names all of these words are
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        /// Only what was recorded at this instant or later, such as 2026-03-01T13:00:00Z
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        since: Option<Timestamp>,
        /// Only what was recorded before this instant
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        until: Option<Timestamp>,
    },
    /// Show one run with its attempts
    Show {
        /// Its id, as `run list` prints it
        id: String,
    },
    /// List the files that an attempt left on an agent of a cluster
    Files(files::FilesCommand),
    /// Print one of those files
    File(files::FileCommand),
    /// Run a job now
    Now(operate::Now),
    /// Stop a run; end it if it has not been begun
    Kill(operate::About),
    /// Try a run again: at once if it waits for that, else as a new run for the same instant
    Retry(operate::RetryRun),
    /// Count a run as succeeded, so that what waits for it goes on
    Mark(operate::About),
    /// Do not begin a run that waits
    Skip(operate::About),
}

/// `chronode logs …`
#[derive(Debug, Args)]
pub struct LogsCommand {
    /// A run's id, or a job's name for its latest run
    #[arg(value_name = "RUN_ID|JOB")]
    pub of: String,
    /// Standard error instead of standard output
    #[arg(long)]
    pub stderr: bool,
    /// Go on until the run has ended
    #[arg(long, short)]
    pub follow: bool,
    /// Which attempt, counted from 0; the latest if not given
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
}

/// `chronode events …`
#[derive(Debug, Args)]
pub struct EventsCommand {
    /// Only about this job
    #[arg(long, value_name = "NAME", value_parser = job_name)]
    pub job: Option<JobName>,
    /// Only of these kinds, with commas between: job, run, round, stretch, launcher, zone, term
    #[arg(long, value_name = "KINDS")]
    pub kind: Option<String>,
    /// What came after the event with this id, as `--json` prints it, and then what comes
    #[arg(long, value_name = "ID")]
    pub since: Option<String>,
}

pub(super) fn job_name(text: &str) -> Result<JobName, String> {
    JobName::parse(text, NameRule::Blanks).map_err(|error| error.to_string())
}

pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected an instant such as 2026-03-01T13:00:00Z".to_owned())
}

fn verdict(text: &str) -> Result<Verdict, String> {
    Verdict::parse(text).ok_or_else(|| {
        let words: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

/// Where a command prints.
pub(super) struct Terminal<'a> {
    /// Results.
    pub(super) out: &'a mut dyn Write,
    /// What a person should know beside them.
    pub(super) err: &'a mut dyn Write,
    /// Whether results are the server's JSON.
    pub(super) json: bool,
}

/// Carries out a command. Results go to `out`, warnings to `err`; the error itself is left to the caller.
///
/// Blocks; must not be called inside an asynchronous runtime.
///
/// # Errors
///
/// [`CliError`], whose text is for people.
pub fn run(
    command: ClientCommand,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), CliError> {
    let (ClientCommand::Job { endpoint, .. }
    | ClientCommand::Run { endpoint, .. }
    | ClientCommand::Kill { endpoint, .. }
    | ClientCommand::Retry { endpoint, .. }
    | ClientCommand::Graph { endpoint, .. }
    | ClientCommand::Explain { endpoint, .. }
    | ClientCommand::Chain { endpoint, .. }
    | ClientCommand::Agents { endpoint, .. }
    | ClientCommand::Shortfall { endpoint }
    | ClientCommand::Pause { endpoint, .. }
    | ClientCommand::Resume { endpoint, .. }
    | ClientCommand::Backfill { endpoint, .. }
    | ClientCommand::Backlog { endpoint, .. }
    | ClientCommand::Incidents { endpoint, .. }
    | ClientCommand::Incident { endpoint, .. }
    | ClientCommand::Notifications { endpoint, .. }
    | ClientCommand::Notify { endpoint, .. }
    | ClientCommand::Clock { endpoint, .. }
    | ClientCommand::Health { endpoint, .. }
    | ClientCommand::Logs { endpoint, .. }
    | ClientCommand::Events { endpoint, .. }
    | ClientCommand::Next { endpoint, .. }
    | ClientCommand::Apply { endpoint, .. }
    | ClientCommand::Import { endpoint, .. }
    | ClientCommand::Export { endpoint, .. }
    | ClientCommand::Shadow { endpoint, .. }
    | ClientCommand::Forecast { endpoint, .. }) = &command;
    let server = || Server::at(&endpoint.server, &endpoint.access);
    let terminal = &mut Terminal { out, err, json: endpoint.json };
    match &command {
        ClientCommand::Job { command, endpoint: _ } => job::run(&server()?, command, terminal),
        ClientCommand::Run { command, endpoint: _ } => runs::run(&server()?, command, terminal),
        ClientCommand::Kill { command, endpoint: _ } => {
            operate::operate(&server()?, RunVerb::Kill, command, terminal)
        }
        ClientCommand::Retry { command, endpoint: _ } => {
            operate::retry(&server()?, command, terminal)
        }
        ClientCommand::Graph { command, endpoint: _ } => graph::run(&server()?, command, terminal),
        ClientCommand::Explain { command, endpoint: _ } => {
            explain::explain(&server()?, command, terminal)
        }
        ClientCommand::Chain { command, endpoint: _ } => {
            explain::chain(&server()?, command, terminal)
        }
        ClientCommand::Agents { command, endpoint: _ } => {
            cluster::agents(&server()?, command, terminal)
        }
        ClientCommand::Shortfall { endpoint: _ } => cluster::shortfall(&server()?, terminal),
        ClientCommand::Pause { command, endpoint: _ } => {
            pause::pause_all(&server()?, command, terminal)
        }
        ClientCommand::Resume { command, endpoint: _ } => {
            pause::resume_all(&server()?, command, terminal)
        }
        ClientCommand::Backfill { command, endpoint: _ } => {
            backfill::run(&server()?, command, terminal)
        }
        ClientCommand::Backlog { command, endpoint: _ } => {
            backlog::run(&server()?, command, terminal)
        }
        ClientCommand::Incidents { command, endpoint: _ } => {
            alerts::incidents(&server()?, command, terminal)
        }
        ClientCommand::Incident { command, endpoint: _ } => {
            alerts::incident(&server()?, command, terminal)
        }
        ClientCommand::Notifications { command, endpoint: _ } => {
            alerts::notifications(&server()?, command, terminal)
        }
        ClientCommand::Notify { command, endpoint: _ } => {
            alerts::notify(&server()?, command, terminal)
        }
        ClientCommand::Clock { command, endpoint: _ } => {
            operate::clock(&server()?, command, terminal)
        }
        ClientCommand::Health { command, endpoint: _ } => {
            health::health(&server()?, command, terminal)
        }
        ClientCommand::Logs { command, endpoint: _ } => logs::run(&server()?, command, terminal),
        ClientCommand::Events { command, endpoint: _ } => {
            events::run(&server()?, command, terminal)
        }
        ClientCommand::Next { command, endpoint: _ } => next::run(server, command, terminal),
        ClientCommand::Apply { command, endpoint: _ } => apply::run(&server()?, command, terminal),
        ClientCommand::Import { command, endpoint: _ } => import::run(server, command, terminal),
        ClientCommand::Shadow { command, endpoint: _ } => {
            shadow::run(&server()?, command, terminal)
        }
        ClientCommand::Export { command, endpoint: _ } => {
            export::run(&server()?, command, terminal)
        }
        ClientCommand::Forecast { command, endpoint: _ } => {
            forecast::run(&server()?, command, terminal)
        }
    }
}
