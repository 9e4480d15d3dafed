//! What operators do about runs: `chronode run now`, `kill`, `retry`, `mark` and `skip`; and `chronode clock trust`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Terminal, instant, job_name};
use super::http::{Server, encode};
use super::{CliError, job, table, wait};
use crate::model::{JobName, RunVerb, Timestamp};

/// Why something is done.
#[derive(Debug, Args)]
pub struct Why {
    /// Why, for the history and the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

impl Why {
    /// What is sent: `fields`, and why.
    pub(super) fn body(&self, mut fields: Value) -> Vec<u8> {
        if let Some(reason) = &self.reason {
            fields["reason"] = reason.as_str().into();
        }
        fields.to_string().into_bytes()
    }

    /// The same of what is sent without a body: `query`, which may be empty, and why.
    pub(super) fn query(&self, query: &str) -> String {
        let Some(reason) = &self.reason else { return query.to_owned() };
        let joint = if query.is_empty() { '?' } else { '&' };
        format!("{query}{joint}reason={}", encode(reason))
    }
}

/// `chronode run now …`
#[derive(Debug, Args)]
pub struct Now {
    /// The job's name
    #[arg(value_parser = job_name)]
    pub name: JobName,
    /// Arguments for this run, in place of the job's own
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub arguments: Option<String>,
    /// A variable for this run, beside the job's own; may be given several times. Not for secrets: whoever sees the run
    /// sees it
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub environment: Vec<(String, String)>,
    /// The instant that it stands for, as 2026-03-01T13:00:00Z; now by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub due: Option<Timestamp>,
    /// Wait until the run has ended, printing what it writes; exit with what its command exits with
    #[arg(long)]
    pub wait: bool,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// A run, and what is to become of it for which reason.
#[derive(Debug, Args)]
pub struct About {
    /// Its id, as `run list` prints it
    pub id: String,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// `chronode run retry …`
#[derive(Debug, Args)]
pub struct RetryRun {
    /// Which run, and why
    #[command(flatten)]
    pub about: About,
    /// And then everything that followed from it
    #[arg(long)]
    pub down: bool,
    /// Only tell what would follow
    #[arg(long = "dry-run", alias = "dry_run", requires = "down")]
    pub dry_run: bool,
}

/// `chronode clock …`
#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// Take the wall clock for right that has jumped, without waiting for the jump to hold
    Trust {
        /// Why
        #[command(flatten)]
        why: Why,
    },
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Runs a job now.
pub(super) fn now(
    server: &Server,
    command: &Now,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let Now { name, arguments, environment, due, wait, why } = command;
    let mut body = json!({"job": name.as_str()});
    if let Some(arguments) = arguments {
        body["arguments"] = arguments.as_str().into();
    }
    if !environment.is_empty() {
        let variable = |(name, value): &(String, String)| json!({"name": name, "value": value});
        body["environment"] = environment.iter().map(variable).collect();
    }
    if let Some(due) = due {
        body["dueAt"] = due.to_string().into();
    }
    let answer = server.post_for("/runs", why.body(body))?;
    if let (true, Some(id)) = (*wait, answer["run"].as_str()) {
        return wait::wait(server, id, terminal);
    }
    tell(&answer, &format!("started {}", table::cell(&answer["run"])), terminal)
}

/// Does something about a run.
pub(super) fn operate(
    server: &Server,
    verb: RunVerb,
    about: &About,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let path = format!("/run/{}/{}", encode(&about.id), verb.as_str());
    let answer = server.post_for(&path, about.why.body(json!({})))?;
    tell(&answer, &became(verb, &answer), terminal)
}

/// Tries a run again, alone or with all that followed.
pub(super) fn retry(
    server: &Server,
    command: &RetryRun,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let RetryRun { about, down, dry_run } = command;
    if !dry_run {
        let verb = if *down { RunVerb::RetryDown } else { RunVerb::Retry };
        return operate(server, verb, about, terminal);
    }
    let path = format!("/run/{}/retry-down?dryRun=true", encode(&about.id));
    let answer = server.post_for(&path, about.why.body(json!({})))?;
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
        return Ok(());
    }
    let below = answer["below"].as_array().map(Vec::as_slice).unwrap_or_default();
    if below.is_empty() {
        writeln!(terminal.out, "nothing followed from {}", table::cell(&answer["run"]))?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = below
        .iter()
        .map(|run| {
            let mut cells: Vec<String> =
                ["run", "job", "dueAt"].map(|key| table::cell(&run[key])).into();
            let borrows = run["borrows"].as_array().into_iter().flatten();
            let borrows: Vec<String> = borrows.map(table::cell).collect();
            cells.push(if borrows.is_empty() { "-".to_owned() } else { borrows.join(", ") });
            cells
        })
        .collect();
    // What other parents have done before counts once more.
    table::print(terminal.out, &["FOLLOWED", "JOB", "DUE", "WITH"], &rows)?;
    writeln!(
        terminal.out,
        "\nwould be tried again after {}: {} runs",
        table::cell(&answer["run"]),
        below.len()
    )?;
    Ok(())
}

/// What has become of a run, as a sentence.
fn became(verb: RunVerb, answer: &Value) -> String {
    let cell = |key: &str| table::cell(&answer[key]);
    let run = cell("run");
    match answer["became"].as_str() {
        Some("stopping") => format!("stopping {run}"),
        Some("ended") => format!("{run} is over: {}", cell("verdict")),
        Some("triedAgain") => format!("{run} is tried again"),
        Some("followed") => match verb {
            RunVerb::Succeed => format!("{} stands for {run} as a success", cell("followedBy")),
            RunVerb::Kill | RunVerb::Retry | RunVerb::RetryDown | RunVerb::Skip => {
                format!("{run} is tried again as {}", cell("followedBy"))
            }
        },
        Some(_) | None => format!("{run}: {}", cell("became")),
    }
}

/// Takes the wall clock for right.
pub(super) fn clock(
    server: &Server,
    command: &ClockCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let ClockCommand::Trust { why } = command;
    server.post("/clock/trust", why.body(json!({})))?;
    job::done(terminal, "the clock is taken for right")
}

/// Prints what the server said, or that in words for people.
pub(super) fn tell(
    answer: &Value,
    text: &str,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
    } else {
        writeln!(terminal.out, "{text}")?;
    }
    Ok(())
}
