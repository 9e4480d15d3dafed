//! `chronode backlog …`: runs that have not been begun, why not, and what to do when there is no hope for them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Terminal, instant, job_name};
use super::http::{Server, encode};
use super::operate::{Why, tell};
use super::{CliError, explain, table};
use crate::model::{JobName, Timestamp};

/// `chronode backlog …`
#[derive(Debug, Subcommand)]
pub enum BacklogCommand {
    /// List the runs that have not been begun, with what they wait for
    List {
        /// Only of this job
        #[arg(long, value_name = "NAME", value_parser = job_name)]
        job: Option<JobName>,
        /// Only what was due before this instant, as 2026-03-01T13:00:00Z
        #[arg(long = "due-before", alias = "due_before", value_name = "INSTANT", value_parser = instant)]
        due_before: Option<Timestamp>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
    },
    /// Drop runs that have not been begun: each is recorded as skipped
    Cut(Cut),
}

/// `chronode backlog cut …`
#[derive(Debug, Args)]
pub struct Cut {
    /// Only of this job; may be given several times
    #[arg(long = "job", value_name = "NAME", value_parser = job_name)]
    pub jobs: Vec<JobName>,
    /// Only what was due before this instant, as 2026-03-01T13:00:00Z
    #[arg(long = "due-before", alias = "due_before", value_name = "INSTANT", value_parser = instant)]
    pub due_before: Option<Timestamp>,
    /// Everything that has not been begun
    #[arg(long, conflicts_with_all = ["jobs", "due_before"], required_unless_present_any = ["jobs", "due_before"])]
    pub all: bool,
    /// Only tell what would be dropped
    #[arg(long = "dry-run", alias = "dry_run")]
    pub dry_run: bool,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// Runs that are listed of what would be dropped.
const DRY_LISTED: u16 = 50;

/// Carries out a command.
pub(super) fn run(
    server: &Server,
    command: &BacklogCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        BacklogCommand::List { job, due_before, limit } => {
            let page = page(server, job.as_ref(), *due_before, *limit)?;
            if terminal.json {
                writeln!(terminal.out, "{page}")?;
                return Ok(());
            }
            print(&[page], terminal)
        }
        BacklogCommand::Cut(what) if what.dry_run => foretell(server, what, terminal),
        BacklogCommand::Cut(what) => cut(server, what, terminal),
    }
}

fn page(
    server: &Server,
    job: Option<&JobName>,
    due_before: Option<Timestamp>,
    limit: u16,
) -> Result<Value, CliError> {
    let mut path = format!("/backlog?limit={limit}");
    if let Some(job) = job {
        path.push_str(&format!("&job={}", encode(job.as_str())));
    }
    if let Some(before) = due_before {
        path.push_str(&format!("&dueBefore={}", encode(&before.to_string())));
    }
    server.get(&path)
}

fn runs(page: &Value) -> &[Value] {
    page["runs"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn total(pages: &[Value]) -> u64 {
    pages.iter().filter_map(|page| page["total"].as_u64()).sum()
}

fn print(pages: &[Value], terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = pages.iter().flat_map(runs).map(row).collect();
    let total = total(pages);
    if rows.is_empty() {
        writeln!(terminal.out, "nothing waits to be begun")?;
        return Ok(());
    }
    table::print(terminal.out, &["RUN", "JOB", "DUE", "STATE", "WHY"], &rows)?;
    if u64::try_from(rows.len()).ok() != Some(total) {
        writeln!(terminal.err, "{total} in all")?;
    }
    Ok(())
}

fn row(run: &Value) -> Vec<String> {
    let cell = |value: &Value| table::cell(value);
    // The first sentence says why it exists.
    let why = explain::sentences(run).into_iter().skip(1).collect::<Vec<_>>().join("; ");
    vec![
        cell(&run["id"]),
        cell(&run["job"]),
        cell(&run["trigger"]["dueAt"]),
        cell(&run["state"]),
        if why.is_empty() { "-".to_owned() } else { why },
    ]
}

fn foretell(server: &Server, what: &Cut, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let jobs: Vec<Option<&JobName>> =
        if what.jobs.is_empty() { vec![None] } else { what.jobs.iter().map(Some).collect() };
    let mut pages = Vec::new();
    for job in jobs {
        pages.push(page(server, job, what.due_before, DRY_LISTED)?);
    }
    let total = total(&pages);
    if terminal.json {
        let runs: Vec<&Value> = pages.iter().flat_map(runs).collect();
        writeln!(terminal.out, "{}", json!({"dryRun": true, "total": total, "runs": runs}))?;
        return Ok(());
    }
    print(&pages, terminal)?;
    writeln!(terminal.out, "\nwould drop {total} runs")?;
    Ok(())
}

fn cut(server: &Server, what: &Cut, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let mut fields = json!({});
    if !what.jobs.is_empty() {
        fields["jobs"] = what.jobs.iter().map(JobName::as_str).collect();
    }
    if let Some(before) = what.due_before {
        fields["dueBefore"] = before.to_string().into();
    }
    let answer = server.post_for("/backlog/cut", what.why.body(fields))?;
    let left = match answer["left"].as_u64() {
        Some(0) | None => String::new(),
        Some(left) => format!("; {left} are left: say it again"),
    };
    let text = format!("dropped {} runs{left}", table::cell(&answer["dropped"]));
    tell(&answer, &text, terminal)
}
