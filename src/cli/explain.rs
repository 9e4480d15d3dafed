//! `chronode explain` and `chronode chain`: why, in sentences, and what led to a run and followed from it.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use super::client::Terminal;
use super::http::{Server, encode};
use super::{CliError, table};
use crate::model::{JobName, NameRule, RunId};

/// `chronode explain …`
#[derive(Debug, Args)]
pub struct ExplainCommand {
    /// A run's id, or a job's name
    #[arg(value_name = "RUN_ID|JOB")]
    pub of: String,
}

/// `chronode chain …`
#[derive(Debug, Args)]
pub struct ChainCommand {
    /// A run of the chain, whichever
    #[arg(value_name = "RUN_ID")]
    pub run: String,
}

/// Carries out `explain`. A job may be called like a run; then the run is meant if there is one.
pub(super) fn explain(
    server: &Server,
    command: &ExplainCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let name = JobName::parse(&command.of, NameRule::Blanks)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let of_job = || server.get(&format!("/explain/{}", encode(name.as_str())));
    let explained = if RunId::parse(&command.of).is_some() {
        match server.get(&format!("/run/{}/explain", encode(&command.of))) {
            Ok(explained) => explained,
            // Not found as a job either, it is the run that is not there.
            Err(error) => of_job().map_err(|_| error)?,
        }
    } else {
        of_job()?
    };
    if terminal.json {
        writeln!(terminal.out, "{explained}")?;
        return Ok(());
    }
    let agents = explained["agents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let reasons = explained["reasons"].as_array().into_iter().flatten();
    // What is against each agent is told in a table.
    let is_told = |reason: &&Value| {
        let is_of_agent = matches!(reason["code"].as_str(), Some("misfit" | "moreMisfits"));
        agents.is_empty() || !is_of_agent
    };
    for reason in reasons.filter(is_told) {
        writeln!(terminal.out, "{}", table::cell(&reason["text"]))?;
    }
    if agents.is_empty() {
        return Ok(());
    }
    writeln!(terminal.out)?;
    let row = |agent: &Value| ["hostname", "agent", "reason"].map(|key| table::cell(&agent[key]));
    let rows: Vec<Vec<String>> = agents.iter().map(|agent| row(agent).into()).collect();
    table::print(terminal.out, &["HOST", "AGENT", "WHY NOT"], &rows)?;
    if let Some(more @ 1..) = explained["agentsLeftOut"].as_u64() {
        writeln!(terminal.err, "it fits on none of {more} further agents either")?;
    }
    Ok(())
}

/// The sentences of an explanation.
pub(super) fn sentences(explained: &Value) -> Vec<String> {
    let reasons = explained["reasons"].as_array().into_iter().flatten();
    reasons.map(|reason| table::cell(&reason["text"])).collect()
}

/// Carries out `chain`.
pub(super) fn chain(
    server: &Server,
    command: &ChainCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let chain = server.get(&format!("/chain/{}", encode(&command.run)))?;
    if terminal.json {
        writeln!(terminal.out, "{chain}")?;
        return Ok(());
    }
    let steps = chain["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Vec<String>> =
        steps.iter().map(|step| row(step, step["run"] == chain["asked"])).collect();
    let heads = ["", "RUN", "JOB", "DUE", "STATE", "STARTED", "WAITED", "TOOK", "AFTER"];
    table::print(terminal.out, &heads, &rows)?;
    writeln!(terminal.out, "\n{}", summary(steps))?;
    if chain["truncated"] == true {
        writeln!(
            terminal.err,
            "there are more runs than are told: ask for the chain of a later run"
        )?;
    }
    Ok(())
}

fn row(step: &Value, is_asked: bool) -> Vec<String> {
    let cell = |key: &str| table::cell(&step[key]);
    let state = if step["verdict"].is_null() { cell("state") } else { cell("verdict") };
    let causes: Vec<String> =
        step["causes"].as_array().into_iter().flatten().map(table::cell).collect();
    let after = match (step["retryOf"].as_str(), causes.is_empty()) {
        (Some(of), _) => format!("retry of {}", table::plain(of)),
        (None, true) => "-".to_owned(),
        (None, false) => causes.join(", "),
    };
    vec![
        if is_asked { "*" } else { "" }.to_owned(),
        cell("run"),
        cell("job"),
        cell("dueAt"),
        state,
        cell("startedAt"),
        span(&step["waitedMs"]),
        span(&step["tookMs"]),
        after,
    ]
}

/// How many ended how.
fn summary(steps: &[Value]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps {
        let word = if step["verdict"].is_null() { &step["state"] } else { &step["verdict"] };
        *counts.entry(table::cell(word)).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let noun = if steps.len() == 1 { "run" } else { "runs" };
    format!("{} {noun}: {}", steps.len(), parts.join(", "))
}

/// Milliseconds for people.
fn span(millis: &Value) -> String {
    let Some(millis) = millis.as_u64() else { return table::cell(millis) };
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    match seconds {
        0..60 => format!("{seconds}.{rest:03} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600.. => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_as_exact_as_a_person_wants_them() {
        for (millis, text) in [
            (json!(null), "-"),
            (json!(0), "0.000 s"),
            (json!(59_999), "59.999 s"),
            (json!(60_000), "1 min 00 s"),
            (json!(3_599_999), "59 min 59 s"),
            (json!(3_600_000), "1 h 00 min"),
            (json!(90_061_000), "25 h 01 min"),
        ] {
            assert_eq!(span(&millis), text);
        }
    }
}
