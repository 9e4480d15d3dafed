//! `chronode job …`

use std::fs;
use std::io::{self, Read as _};

use clap::Subcommand;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::client::{Terminal, job_name};
use super::http::{Server, encode, warnings};
use super::operate::Why;
use super::{CliError, alerts, pause, revisions, table, wait};
use crate::model::JobName;

/// `chronode job …`
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// List all jobs
    List,
    /// Show everything that is known about a job
    Show {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
    },
    /// Create or replace jobs from a file: one JSON object, or an array of them
    Put {
        /// The file; `-` reads standard input
        file: String,
        /// Only tell what would come of it. Each job is judged by what is stored now, not by the jobs before it
        #[arg(long = "dry-run", alias = "dry_run")]
        dry_run: bool,
    },
    /// Run a job now
    Run {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
        /// Arguments for this run, in place of the job's own
        #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
        arguments: Option<String>,
        /// Wait until the run has ended, printing what it writes; exit with what its command exits with
        #[arg(long)]
        wait: bool,
    },
    /// Pause a job: what is due meanwhile is skipped, what is asked for runs
    Pause(pause::PauseJob),
    /// Let a job go on that is paused
    Resume(pause::ResumeJob),
    /// Have an occurrence to come skipped
    Skip(pause::Occurrence),
    /// Have an occurrence run after all that was to be skipped
    Unskip(pause::Occurrence),
    /// Have nobody told of a job for a while, whatever happens to it
    Silence(alerts::SilenceJob),
    /// Have people told of a job again
    Unsilence(alerts::UnsilenceJob),
    /// Have a job decided again that was left alone because that went wrong (quarantine)
    Lift {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
        /// Why
        #[command(flatten)]
        why: Why,
    },
    /// Stop all runs of a job that are not over
    Kill {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
        /// Why
        #[command(flatten)]
        why: Why,
    },
    /// Delete a job, stopping its runs; its history stays
    Delete {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
        /// Only tell what would come of it
        #[arg(long = "dry-run", alias = "dry_run")]
        dry_run: bool,
        /// Why
        #[command(flatten)]
        why: Why,
    },
    /// List the definitions that a job has had, newest first
    History {
        /// Its name; of a deleted job too
        #[arg(value_parser = job_name)]
        name: JobName,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
        limit: u16,
    },
    /// Tell what one definition of a job says differently from another
    Diff {
        /// Its name; of a deleted job too
        #[arg(value_parser = job_name)]
        name: JobName,
        /// The revision to compare with, as `job history` prints it; the one before TO by default
        from: Option<String>,
        /// The revision to compare; the latest by default
        to: Option<String>,
    },
    /// Make an earlier definition of a job the present one, as a new revision; brings a deleted job back
    Rollback {
        /// Its name
        #[arg(value_parser = job_name)]
        name: JobName,
        /// The revision, as `job history` prints it
        #[arg(value_name = "N")]
        to: String,
        /// Only tell what would come of it
        #[arg(long = "dry-run", alias = "dry_run")]
        dry_run: bool,
    },
}

/// Carries out a command.
pub(super) fn run(
    server: &Server,
    command: &JobCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        JobCommand::List => list(server, terminal),
        JobCommand::Show { name } => show(server, name, terminal),
        JobCommand::Put { file, dry_run } => put(server, file, Manner::of(*dry_run), terminal),
        JobCommand::Run { name, arguments, wait } => {
            start(server, name, arguments.as_deref(), *wait, terminal)
        }
        JobCommand::Pause(command) => pause::pause_job(server, command, terminal),
        JobCommand::Resume(command) => pause::resume_job(server, command, terminal),
        JobCommand::Skip(command) => pause::skip(server, command, terminal),
        JobCommand::Unskip(command) => pause::unskip(server, command, terminal),
        JobCommand::Silence(command) => alerts::silence_job(server, command, terminal),
        JobCommand::Unsilence(command) => alerts::unsilence_job(server, command, terminal),
        JobCommand::Lift { name, why } => pause::lift(server, name, why, terminal),
        JobCommand::Kill { name, why } => {
            let target = format!("/task/kill/{}{}", path(name), why.query(""));
            server.change(Method::DELETE, &target)?;
            done(terminal, &format!("stopping all runs of {name}"))
        }
        JobCommand::Delete { name, dry_run, why } => {
            delete(server, name, why, Manner::of(*dry_run), terminal)
        }
        JobCommand::History { name, limit } => revisions::history(server, name, *limit, terminal),
        JobCommand::Diff { name, from, to } => {
            revisions::diff(server, name, from.as_deref(), to.as_deref(), terminal)
        }
        JobCommand::Rollback { name, to, dry_run } => {
            revisions::roll_back(server, name, to, Manner::of(*dry_run), terminal)
        }
    }
}

/// Whether a change is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    Real,
    /// Only what would come of it is told.
    Dry,
}

impl Manner {
    const fn of(dry_run: bool) -> Self {
        if dry_run { Self::Dry } else { Self::Real }
    }
}

const DRY_RUN: &str = "?dryRun=true";

pub(super) fn path(name: &JobName) -> String {
    encode(name.as_str())
}

/// Confirms to a person what was done; a program has the exit code.
pub(super) fn done(terminal: &mut Terminal<'_>, text: &str) -> Result<(), CliError> {
    if !terminal.json {
        writeln!(terminal.out, "{text}")?;
    }
    Ok(())
}

fn list(server: &Server, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let jobs = server.get("/jobs")?;
    if terminal.json {
        writeln!(terminal.out, "{jobs}")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = jobs.as_array().into_iter().flatten().map(row).collect();
    let heads = ["NAME", "WHEN", "NEXT DUE", "LAST SUCCESS", "LAST ERROR", "OWNER"];
    table::print(terminal.out, &heads, &rows)?;
    Ok(())
}

fn row(job: &Value) -> Vec<String> {
    let parents = job["parents"].as_array().map(|parents| {
        let names: Vec<String> = parents.iter().map(table::cell).collect();
        format!("after {}", names.join(", "))
    });
    let next =
        if job["disabled"] == true { "disabled".to_owned() } else { table::cell(&job["nextDue"]) };
    vec![
        table::cell(&job["name"]),
        parents.unwrap_or_else(|| table::cell(&job["schedule"])),
        next,
        table::cell(&job["lastSuccess"]),
        table::cell(&job["lastError"]),
        table::cell(&job["owner"]),
    ]
}

fn show(server: &Server, name: &JobName, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let job = server.get(&format!("/job/{}", path(name)))?;
    if terminal.json {
        writeln!(terminal.out, "{job}")?;
        return Ok(());
    }
    let fields = job.as_object().into_iter().flatten();
    // What is empty says nothing to a person.
    let told = fields.filter(|(_, value)| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    });
    let rows: Vec<_> =
        told.map(|(key, value)| vec![table::plain(key), table::cell(value)]).collect();
    table::print(terminal.out, &["FIELD", "VALUE"], &rows)?;
    Ok(())
}

/// Sends one job or several. One that is refused does not keep the others back, but fails the command.
fn put(
    server: &Server,
    file: &str,
    manner: Manner,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let bytes =
        read(file).map_err(|error| CliError::Failed(format!("cannot read `{file}`: {error}")))?;
    let document: Value = serde_json::from_slice(&bytes)
        .map_err(|error| CliError::Failed(format!("`{file}` is no JSON: {error}")))?;
    let Value::Array(jobs) = document else {
        // As it is in the file: the server sees what this reader would smooth over, such as a key given twice.
        return put_one(server, &document, bytes, manner, terminal);
    };
    let mut refused = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        match put_one(server, job, job.to_string().into_bytes(), manner, terminal) {
            Ok(()) => {}
            Err(CliError::Failed(reason)) => {
                let name = job["name"].as_str();
                let name = name.map_or_else(|| format!("job {}", index + 1), table::plain);
                refused.push(format!("{name}: {reason}"));
            }
            Err(
                error @ (CliError::Usage(_)
                | CliError::Ended { .. }
                | CliError::Differs(_)
                | CliError::Output(_)),
            ) => {
                return Err(error);
            }
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(CliError::Failed(refused.join("\n"))) }
}

fn put_one(
    server: &Server,
    job: &Value,
    bytes: Vec<u8>,
    manner: Manner,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let kind = if job["parents"].is_null() { "/iso8601" } else { "/dependency" };
    let name = table::cell(&job["name"]);
    match manner {
        Manner::Real => {
            let headers = server.post(kind, bytes)?;
            warn(&headers, terminal)?;
            done(terminal, &format!("stored {name}"))
        }
        Manner::Dry => {
            let told = server.post_for(&format!("{kind}{DRY_RUN}"), bytes)?;
            let verb = if told["created"] == true { "create" } else { "replace" };
            tell(&told, &format!("would {verb} {name}"), terminal)
        }
    }
}

fn delete(
    server: &Server,
    name: &JobName,
    why: &Why,
    manner: Manner,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let path = format!("/job/{}", path(name));
    match manner {
        Manner::Real => {
            let headers = server.change(Method::DELETE, &format!("{path}{}", why.query("")))?;
            warn(&headers, terminal)?;
            done(terminal, &format!("deleted {name}"))
        }
        Manner::Dry => {
            let target = format!("{path}{}", why.query(DRY_RUN));
            let told = server.change_for(Method::DELETE, &target)?;
            tell(&told, &format!("would delete {name}"), terminal)
        }
    }
}

pub(super) fn warn(headers: &HeaderMap, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    for warning in warnings(headers) {
        writeln!(terminal.err, "warning: {}", table::plain(&warning))?;
    }
    Ok(())
}

/// What would come of a change.
pub(super) fn tell(told: &Value, text: &str, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{told}")?;
        return Ok(());
    }
    for warning in told["warnings"].as_array().into_iter().flatten() {
        writeln!(terminal.err, "warning: {}", table::cell(warning))?;
    }
    writeln!(terminal.out, "{text}")?;
    for consequence in told["consequences"].as_array().into_iter().flatten() {
        writeln!(terminal.out, "  {}", table::cell(consequence))?;
    }
    Ok(())
}

fn read(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn start(
    server: &Server,
    name: &JobName,
    arguments: Option<&str>,
    wait: bool,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let query = arguments.map(|text| format!("?arguments={}", encode(text))).unwrap_or_default();
    let headers = server.change(Method::PUT, &format!("/job/{}{query}", path(name)))?;
    let Some(id) = headers.get("chronode-run-id").and_then(|value| value.to_str().ok()) else {
        return Err(CliError::Failed("the server did not say which run it started".to_owned()));
    };
    if !wait {
        let json = serde_json::json!({"run": id});
        let text = if terminal.json { json.to_string() } else { format!("started {id}") };
        writeln!(terminal.out, "{text}")?;
        return Ok(());
    }
    wait::wait(server, id, terminal)
}
