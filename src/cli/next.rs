//! `chronode next`: when a schedule is due.
//!
//! A schedule that is typed is calculated here, with the zone data of this machine and without a server: people try a
//! line out before they give it to one. A stored job is asked of the server that has it.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::client::{Terminal, instant, job_name};
use super::http::{Server, encode};
use super::{CliError, table};
use crate::clock;
use crate::jobspec::{TypedTerms, print_preview};
use crate::model::{Duration, JobName, Timestamp, whole_millis};
use crate::schedule::{HOST_ZONES, Schedule, ScheduleError, ZoneChoice, ZoneDb};

/// `chronode next …`
#[derive(Debug, Args)]
pub struct NextCommand {
    /// A cron expression or a repeating interval, in quotes
    #[arg(required_unless_present = "job")]
    pub schedule: Option<String>,
    /// The job of this name, as the server has it, in place of a schedule
    #[arg(
        long,
        value_name = "NAME",
        value_parser = job_name,
        conflicts_with_all = [
            "schedule", "zone", "name", "jitter", "not_before", "not_after", "dst_gap", "dst_fold", "zone_data",
        ]
    )]
    pub job: Option<JobName>,
    /// How many occurrences
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub count: u16,
    /// From this instant on, as 2026-03-01T13:00:00Z; from now by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub from: Option<Timestamp>,
    /// Its zone, as Europe/Berlin
    #[arg(long, default_value = "", hide_default_value = true)]
    pub zone: String,
    /// The job's name, by which `H` and jitter are spread
    #[arg(long, default_value = "", hide_default_value = true)]
    pub name: String,
    /// Over how long a time starts are spread, as PT10M
    #[arg(long, value_name = "PERIOD", default_value = "", hide_default_value = true)]
    pub jitter: String,
    /// Nothing is due before
    #[arg(
        long = "not_before",
        alias = "not-before",
        value_name = "INSTANT",
        default_value = "",
        hide_default_value = true
    )]
    pub not_before: String,
    /// Nothing is due after
    #[arg(
        long = "not_after",
        alias = "not-after",
        value_name = "INSTANT",
        default_value = "",
        hide_default_value = true
    )]
    pub not_after: String,
    /// What becomes of a time that a change of clock skips: after, shift or skip
    #[arg(
        long = "dst_gap",
        alias = "dst-gap",
        value_name = "POLICY",
        default_value = "",
        hide_default_value = true
    )]
    pub dst_gap: String,
    /// What becomes of a time that a change of clock repeats: first, last or both
    #[arg(
        long = "dst_fold",
        alias = "dst-fold",
        value_name = "POLICY",
        default_value = "",
        hide_default_value = true
    )]
    pub dst_fold: String,
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

/// The longest text under which its offending part is marked; a longer one wraps, and marks are of no use.
const MARKED_CHARS_MAX: usize = 160;

/// Carries out the command. `server` is asked after a stored job alone.
pub(super) fn run(
    server: impl FnOnce() -> Result<Server, CliError>,
    command: &NextCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    // In the resolution of schedules, or one that begins now would have begun before.
    let now = whole_millis(clock::wall());
    let preview = match &command.job {
        Some(job) => server()?.get(&path(command, job))?,
        None => calculate(command, now)?,
    };
    if terminal.json {
        writeln!(terminal.out, "{preview}")?;
        return Ok(());
    }
    print(&preview, now, terminal)
}

fn path(command: &NextCommand, job: &JobName) -> String {
    let mut path = format!("/preview?job={}&count={}", encode(job.as_str()), command.count);
    if let Some(from) = command.from {
        path.push_str(&format!("&from={}", encode(&from.to_string())));
    }
    path
}

fn calculate(command: &NextCommand, now: Timestamp) -> Result<Value, CliError> {
    let zones = ZoneDb::choose(&ZoneChoice::parse(&command.zone_data), Path::new(HOST_ZONES))
        .map_err(|error| CliError::Usage(format!("--zone_data: {error}")))?;
    let typed = TypedTerms {
        schedule: command.schedule.as_deref().unwrap_or_default(),
        zone: &command.zone,
        jitter: &command.jitter,
        not_before: &command.not_before,
        not_after: &command.not_after,
        dst_gap: &command.dst_gap,
        dst_fold: &command.dst_fold,
    };
    let refused = |error: ScheduleError| CliError::Usage(marked(&error, typed.text_of(&error)));
    let terms = typed.read().map_err(refused)?;
    let schedule = Schedule::of(&command.name, &terms, now, &zones).map_err(refused)?;
    let count = usize::from(command.count);
    let preview = schedule.preview(command.from.unwrap_or(now), count);
    Ok(print_preview(&terms, &schedule, &preview))
}

/// The error, and below it the text with a caret under each offending character.
fn marked(error: &ScheduleError, text: &str) -> String {
    let ScheduleError { field: _, span, found: _, message } = error;
    let (Some(before), Some(offending)) = (text.get(..span.start), text.get(span.clone())) else {
        return message.clone();
    };
    if text.is_empty() || text.chars().count() > MARKED_CHARS_MAX {
        return message.clone();
    }
    // What is escaped is longer than what was typed, so both lines are measured as printed.
    let width = |text: &str| table::plain(text).chars().count();
    let (indent, marks) = (" ".repeat(width(before)), "^".repeat(width(offending).max(1)));
    format!("{message}\n\n  {}\n  {indent}{marks}", table::plain(text))
}

fn print(preview: &Value, now: Timestamp, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    for warning in preview["warnings"].as_array().into_iter().flatten() {
        writeln!(terminal.err, "warning: {}", table::cell(warning))?;
    }
    if let Some(description) = preview["description"].as_str().filter(|text| !text.is_empty()) {
        writeln!(terminal.out, "{}", table::plain(description))?;
    }
    let next = preview["next"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(first) = next.first() else {
        writeln!(terminal.out, "no occurrence is to come")?;
        return Ok(());
    };
    let is_spread = !first["opensAt"].is_null();
    let mut heads = vec!["UTC", "LOCAL", "IN"];
    if is_spread {
        heads.push("OPENS");
    }
    let row = |item: &Value| {
        let due_at = item["utc"].as_str().and_then(|text| text.parse().ok());
        let mut cells = vec![
            table::cell(&item["utc"]),
            table::cell(&item["local"]),
            due_at.map_or("-".to_owned(), |due_at: Timestamp| distance(now, due_at)),
        ];
        if is_spread {
            cells.push(table::cell(&item["opensAt"]));
        }
        cells
    };
    let rows: Vec<Vec<String>> = next.iter().map(row).collect();
    writeln!(terminal.out)?;
    table::print(terminal.out, &heads, &rows)?;
    Ok(())
}

/// How far away an instant is, by its two largest units.
fn distance(now: Timestamp, at: Timestamp) -> String {
    let span = at.duration_since(now);
    let seconds = span.abs().as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let largest = units.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, unit) in units.iter().skip(largest).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {name}"));
        }
    }
    let ago = if span < Duration::ZERO { " ago" } else { "" };
    format!("{}{ago}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn distances_are_told_by_their_two_largest_units() {
        let now = at("2030-01-01T00:00:00Z");
        for (text, expected) in [
            ("2030-01-01T00:00:00Z", "0 s"),
            ("2030-01-01T00:00:59.9Z", "59 s"),
            ("2030-01-01T00:01:00Z", "1 min"),
            ("2030-01-01T02:30:59Z", "2 h 30 min"),
            ("2030-01-02T00:00:30Z", "1 d"),
            ("2031-01-01T12:00:00Z", "365 d 12 h"),
            ("2029-12-31T23:58:30Z", "1 min 30 s ago"),
        ] {
            assert_eq!(distance(now, at(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_offending_part_is_marked_as_it_is_printed() {
        let error = |text: &str, start: usize, end: usize| {
            let error = ScheduleError {
                field: "schedule".into(),
                span: start..end,
                found: String::new(),
                message: "odd".to_owned(),
            };
            marked(&error, text)
        };
        assert_eq!(error("0 61 * * *", 2, 4), "odd\n\n  0 61 * * *\n    ^^");
        assert_eq!(error("0 1 * *", 7, 7), "odd\n\n  0 1 * *\n         ^");
        assert_eq!(error("\té x", 4, 5), "odd\n\n  \\té x\n      ^");
        assert_eq!(error("", 0, 0), "odd");
        assert_eq!(error("é", 1, 9), "odd");
        assert_eq!(error(&"x".repeat(200), 0, 1), "odd");
    }
}
