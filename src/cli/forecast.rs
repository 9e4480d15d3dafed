//! `chronode forecast`: what starts when, and when most does.

use std::cmp::Reverse;

use serde_json::Value;

use super::client::{ForecastCommand, Terminal};
use super::http::{Server, encode};
use super::{CliError, table};

/// Minutes in the list of the most crowded ones.
const MINUTES_SHOWN: usize = 10;
/// Characters of the longest bar.
const BAR_CHARS: u64 = 30;
/// Jobs named beside a bar.
const NAMES_SHOWN: usize = 3;

/// Carries out the command.
pub(super) fn run(
    server: &Server,
    command: &ForecastCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let ForecastCommand { from, to, job, limit } = command;
    let mut path = format!("/forecast?limit={limit}");
    for (name, at) in [("from", from), ("to", to)] {
        if let Some(at) = at {
            path.push_str(&format!("&{name}={}", encode(&at.to_string())));
        }
    }
    if let Some(job) = job {
        path.push_str(&format!("&job={}", encode(job.as_str())));
    }
    let forecast = server.get(&path)?;
    if terminal.json {
        writeln!(terminal.out, "{forecast}")?;
        return Ok(());
    }
    print(&forecast, terminal)
}

fn print(forecast: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let list = |key: &str| forecast[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let (starts, total) = (list("starts"), table::cell(&forecast["total"]));
    let (from, to) = (table::cell(&forecast["from"]), table::cell(&forecast["to"]));
    if starts.is_empty() {
        writeln!(terminal.out, "nothing starts from {from} to {to}")?;
        return Ok(());
    }
    let cells = |start: &Value| {
        ["opensAt", "job", "dueAt", "local"].map(|key| table::cell(&start[key])).into()
    };
    let rows: Vec<Vec<String>> = starts.iter().map(cells).collect();
    table::print(terminal.out, &["STARTS", "JOB", "DUE", "LOCAL"], &rows)?;
    writeln!(terminal.out, "\nmost crowded minutes")?;
    table::print(terminal.out, &["MINUTE", "STARTS", "", "JOBS"], &crowds(list("perMinute")))?;
    if u64::try_from(starts.len()).ok() != forecast["total"].as_u64() {
        writeln!(
            terminal.err,
            "{total} starts from {from} to {to}: see more of them with a larger `--limit`"
        )?;
    }
    if forecast["complete"] == false {
        writeln!(
            terminal.err,
            "there are more than could be counted: ask for a shorter time or for one job"
        )?;
    }
    Ok(())
}

/// A row for each of the most crowded minutes, with a bar.
fn crowds(minutes: &[Value]) -> Vec<Vec<String>> {
    let count = |minute: &Value| minute["count"].as_u64().unwrap_or(0);
    let mut minutes: Vec<&Value> = minutes.iter().collect();
    // Sorting keeps the order of time among equals.
    minutes.sort_by_key(|minute| Reverse(count(minute)));
    minutes.truncate(MINUTES_SHOWN);
    let longest = minutes.first().map_or(1, |minute| count(minute).max(1));
    let bar = |count: u64| {
        let chars = (count.saturating_mul(BAR_CHARS)).div_ceil(longest.max(BAR_CHARS));
        "#".repeat(usize::try_from(chars).unwrap_or(0))
    };
    let row = |minute: &&Value| {
        let count = count(minute);
        vec![table::cell(&minute["minute"]), count.to_string(), bar(count), names(minute)]
    };
    minutes.iter().map(row).collect()
}

fn names(minute: &Value) -> String {
    let jobs = minute["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<String> = jobs.iter().take(NAMES_SHOWN).map(table::cell).collect();
    let more = if jobs.len() > NAMES_SHOWN { " …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bars_are_as_long_as_what_they_count_or_in_proportion() {
        let minutes = |counts: &[u64]| -> Vec<String> {
            let minutes: Vec<Value> =
                counts.iter().map(|count| json!({"minute": "m", "count": count})).collect();
            crowds(&minutes).into_iter().map(|row| row[2].clone()).collect()
        };
        assert_eq!(minutes(&[1, 3, 2]), ["###", "##", "#"]);
        assert_eq!(minutes(&[600, 1]), ["#".repeat(30), "#".to_owned()]);
        assert_eq!(minutes(&[1; 20]).len(), MINUTES_SHOWN);
    }
}
