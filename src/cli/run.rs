//! `chronode run …`

use serde_json::Value;

use super::client::{RunCommand, Terminal};
use super::http::{Server, encode};
use super::{CliError, files, operate, table};
use crate::model::RunVerb;

/// Carries out a command.
pub(super) fn run(
    server: &Server,
    command: &RunCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        RunCommand::List { job, limit, verdict, search, since, until } => {
            let mut path = format!("/runs?limit={limit}");
            if let Some(job) = job {
                path.push_str(&format!("&job={}", encode(job.as_str())));
            }
            if let Some(verdict) = verdict {
                path.push_str(&format!("&verdict={}", verdict.as_str()));
            }
            if let Some(search) = search {
                path.push_str(&format!("&search={}", encode(search)));
            }
            for (name, instant) in [("from", since), ("to", until)] {
                if let Some(instant) = instant {
                    path.push_str(&format!("&{name}={}", encode(&instant.to_string())));
                }
            }
            list(&server.get(&path)?, u64::from(*limit), terminal)
        }
        RunCommand::Show { id } => show(&server.get(&format!("/run/{}", encode(id)))?, terminal),
        RunCommand::Files(command) => files::list(server, command, terminal),
        RunCommand::File(command) => files::print(server, command, terminal),
        RunCommand::Now(command) => operate::now(server, command, terminal),
        RunCommand::Kill(about) => operate::operate(server, RunVerb::Kill, about, terminal),
        RunCommand::Retry(command) => operate::retry(server, command, terminal),
        RunCommand::Mark(about) => operate::operate(server, RunVerb::Succeed, about, terminal),
        RunCommand::Skip(about) => operate::operate(server, RunVerb::Skip, about, terminal),
    }
}

fn list(page: &Value, limit: u64, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{page}")?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = page["runs"].as_array().into_iter().flatten().map(row).collect();
    let heads = ["RUN", "JOB", "WHY", "DUE", "STATE", "ENDED", "REASON"];
    table::print(terminal.out, &heads, &rows)?;
    if let Some(next) = page["next"].as_str() {
        let next = table::plain(next);
        let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if shown < limit {
            let searched_to = table::cell(&page["searchedTo"]);
            writeln!(
                terminal.err,
                "nothing before {searched_to} was looked at: ask for a shorter time, or for one job"
            )?;
        } else {
            writeln!(
                terminal.err,
                "there are more; ask for them with a larger `--limit` (before {next})"
            )?;
        }
    }
    Ok(())
}

fn row(entry: &Value) -> Vec<String> {
    let cell = |value: &Value| table::cell(value);
    if entry["kind"] == "stretch" {
        let due = match entry["count"].as_u64() {
            Some(1) => cell(&entry["firstDueAt"]),
            _ => format!(
                "{} … {} ({})",
                cell(&entry["firstDueAt"]),
                cell(&entry["lastDueAt"]),
                cell(&entry["count"])
            ),
        };
        return vec![
            "-".to_owned(),
            cell(&entry["job"]),
            "schedule".to_owned(),
            due,
            cell(&entry["verdict"]),
            cell(&entry["decidedAt"]),
            cell(&entry["reason"]),
        ];
    }
    vec![
        cell(&entry["id"]),
        cell(&entry["job"]),
        cell(&entry["trigger"]["kind"]),
        cell(&entry["trigger"]["dueAt"]),
        state(entry),
        cell(&entry["endedAt"]),
        cell(&entry["reason"]),
    ]
}

/// The verdict of what is over, the state of what is not.
fn state(run: &Value) -> String {
    let verdict = &run["verdict"];
    table::cell(if verdict.is_null() { &run["state"] } else { verdict })
}

fn show(run: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        writeln!(terminal.out, "{run}")?;
        return Ok(());
    }
    let facts = [
        ("run", table::cell(&run["id"])),
        ("job", table::cell(&run["job"])),
        ("why", table::cell(&run["trigger"]["kind"])),
        ("due", table::cell(&run["trigger"]["dueAt"])),
        ("parents done", table::cell(&run["trigger"]["finishedAt"])),
        ("after runs", causes(&run["causes"])),
        ("arguments", table::cell(&run["arguments"])),
        ("recorded", table::cell(&run["createdAt"])),
        ("state", state(run)),
        ("reason", table::cell(&run["reason"])),
        ("starts until", table::cell(&run["startDeadline"])),
        ("retried at", table::cell(&run["retryAt"])),
        ("ended", table::cell(&run["endedAt"])),
    ];
    let facts = facts.into_iter().filter(|(_, value)| value != "-");
    for (name, value) in facts {
        writeln!(terminal.out, "{name:<13} {value}")?;
    }
    let attempts = run["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if attempts.is_empty() {
        return Ok(());
    }
    writeln!(terminal.out)?;
    let rows: Vec<Vec<String>> = attempts.iter().map(attempt).collect();
    let heads = ["ATTEMPT", "AGENT", "STATE", "STARTED", "ENDED", "EXIT", "MESSAGE"];
    table::print(terminal.out, &heads, &rows)?;
    Ok(())
}

/// The runs of parents that led to it.
fn causes(causes: &Value) -> String {
    let ids: Vec<String> = causes.as_array().into_iter().flatten().map(table::cell).collect();
    if ids.is_empty() { "-".to_owned() } else { ids.join(", ") }
}

fn attempt(attempt: &Value) -> Vec<String> {
    let fields = ["attempt", "agent", "state", "startedAt", "endedAt"];
    let mut cells: Vec<String> = fields.map(|field| table::cell(&attempt[field])).into();
    // Where it is known by a name that people know, by that.
    if let Some(hostname) = attempt["hostname"].as_str() {
        cells[1] = table::plain(hostname);
    }
    cells.push(exit(&attempt["exit"]));
    cells.push(match attempt["reason"].as_str() {
        // Nobody can say what became of it; so far.
        Some(reason) => {
            format!("{}; decided at {}", table::plain(reason), table::cell(&attempt["until"]))
        }
        None => table::cell(&attempt["message"]),
    });
    cells
}

fn exit(exit: &Value) -> String {
    match exit.as_object().and_then(|exit| exit.iter().next()) {
        None => "-".to_owned(),
        Some((kind, value)) => match kind.as_str() {
            "code" => table::cell(value),
            "signal" => format!("signal {}", table::cell(value)),
            "killed" => "killed".to_owned(),
            "couldNotStart" => "not started".to_owned(),
            other => table::plain(other),
        },
    }
}
