//! `chronode backfill …`: a job is run once more for instants of the past.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Terminal, instant, job_name};
use super::http::{Server, encode};
use super::operate::{Why, tell};
use super::{CliError, table};
use crate::model::{JobName, Timestamp};

/// `chronode backfill …`
#[derive(Debug, Subcommand)]
pub enum BackfillCommand {
    /// Run a job for the instants of a range that its schedule names and that have no success yet
    Start(Start),
    /// List backfills, newest first
    List,
    /// Show how far one is
    Show {
        /// Its id, as `backfill list` prints it
        id: String,
    },
    /// Begin no further run of one
    Cancel {
        /// Its id, as `backfill list` prints it
        id: String,
        /// Stop those that are going on, too
        #[arg(long)]
        kill: bool,
        /// Why
        #[command(flatten)]
        why: Why,
    },
}

/// `chronode backfill start …`
#[derive(Debug, Args)]
pub struct Start {
    /// The job's name
    #[arg(value_parser = job_name)]
    pub name: JobName,
    /// From this instant on, as 2026-03-01T13:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub from: Timestamp,
    /// And before this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub to: Timestamp,
    /// Also the instants that have a success in the history
    #[arg(long)]
    pub all: bool,
    /// The newest first, in place of the oldest
    #[arg(long = "newest-first", alias = "newest_first")]
    pub newest_first: bool,
    /// How many runs of it may go on at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: u32,
    /// End it with the first run that does not succeed
    #[arg(long = "stop-on-failure", alias = "stop_on_failure")]
    pub stop_on_failure: bool,
    /// Only list the instants
    #[arg(long = "dry-run", alias = "dry_run")]
    pub dry_run: bool,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// Carries out a command.
pub(super) fn run(
    server: &Server,
    command: &BackfillCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        BackfillCommand::Start(what) => start(server, what, terminal),
        BackfillCommand::List => list(&server.get("/backfills")?, terminal),
        BackfillCommand::Show { id } => {
            show(&server.get(&format!("/backfill/{}", encode(id)))?, terminal)
        }
        BackfillCommand::Cancel { id, kill, why } => {
            let path = format!("/backfill/{}/cancel", encode(id));
            let answer = server.post_for(&path, why.body(json!({"kill": kill})))?;
            let dropped = table::cell(&answer["dropped"]);
            let text =
                format!("cancelled {}: {dropped} instants are not run for", table::plain(id));
            tell(&answer, &text, terminal)
        }
    }
}

fn start(server: &Server, what: &Start, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let Start { name, from, to, all, newest_first, concurrency, stop_on_failure, dry_run, why } =
        what;
    let fields = json!({
        "job": name.as_str(),
        "from": from.to_string(),
        "to": to.to_string(),
        "only": if *all { "all" } else { "missing" },
        "order": if *newest_first { "newest" } else { "oldest" },
        "concurrency": concurrency,
        "stopOnFailure": stop_on_failure,
    });
    let path = if *dry_run { "/backfill?dryRun=true" } else { "/backfill" };
    let answer = server.post_for(path, why.body(fields))?;
    let due = answer["dueAt"].as_array().map(Vec::as_slice).unwrap_or_default();
    if terminal.json || !dry_run {
        let text = format!("began {} for {} instants", table::cell(&answer["backfill"]), due.len());
        return tell(&answer, &text, terminal);
    }
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        writeln!(terminal.err, "warning: {}", table::cell(warning))?;
    }
    writeln!(terminal.out, "would run {name} for {} instants", due.len())?;
    for at in due {
        writeln!(terminal.out, "  {}", table::cell(at))?;
    }
    Ok(())
}

fn list(answer: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
        return Ok(());
    }
    let row = |backfill: &Value| {
        let cell = |key: &str| table::cell(&backfill[key]);
        vec![
            cell("id"),
            cell("job"),
            cell("state"),
            progress(backfill),
            cell("live"),
            ended(backfill),
            table::cell(&backfill["by"]["by"]),
            table::cell(&backfill["by"]["reason"]),
        ]
    };
    let rows: Vec<Vec<String>> =
        answer["backfills"].as_array().into_iter().flatten().map(row).collect();
    let heads = ["BACKFILL", "JOB", "STATE", "BEGUN", "LIVE", "ENDED", "BY", "REASON"];
    table::print(terminal.out, &heads, &rows)?;
    Ok(())
}

fn show(backfill: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{backfill}")?;
        return Ok(());
    }
    let cell = |key: &str| table::cell(&backfill[key]);
    let facts = [
        ("backfill", cell("id")),
        ("job", cell("job")),
        ("state", cell("state")),
        ("ended at", cell("endedAt")),
        ("ended because", cell("reason")),
        ("begun", progress(backfill)),
        ("live", format!("{} of at most {}", cell("live"), cell("concurrency"))),
        ("ended", ended(backfill)),
        ("asked for by", table::cell(&backfill["by"]["by"])),
        ("at", table::cell(&backfill["by"]["at"])),
        ("because", table::cell(&backfill["by"]["reason"])),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| value != "-") {
        writeln!(terminal.out, "{name:<13} {value}")?;
    }
    let due = backfill["dueAt"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = due
        .map(|due| {
            let begun = if due["begun"] == true { "yes" } else { "no" };
            vec![table::cell(&due["dueAt"]), begun.to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        writeln!(terminal.out)?;
        table::print(terminal.out, &["DUE", "BEGUN"], &rows)?;
    }
    Ok(())
}

fn progress(backfill: &Value) -> String {
    format!("{} of {}", table::cell(&backfill["begun"]), table::cell(&backfill["total"]))
}

/// How many runs ended how.
fn ended(backfill: &Value) -> String {
    let counts = backfill["ended"].as_object().into_iter().flatten();
    let counts = counts.filter(|(_, count)| **count != 0);
    let parts: Vec<String> = counts
        .map(|(verdict, count)| format!("{} {}", table::cell(count), table::plain(verdict)))
        .collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}
