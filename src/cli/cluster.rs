//! `chronode agents` and `chronode shortfall`: where commands run, and what capacity is missing.

use clap::Args;
use serde_json::Value;

use super::client::Terminal;
use super::http::{Server, encode};
use super::{CliError, table};

/// `chronode agents …`
#[derive(Debug, Args)]
pub struct AgentsCommand {
    /// Only those in whose names, hosts or attributes all of these words are
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

/// Carries out `agents`.
pub(super) fn agents(
    server: &Server,
    command: &AgentsCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let AgentsCommand { search, limit } = command;
    let search = search.as_deref().map(|it| format!("&search={}", encode(it))).unwrap_or_default();
    let told = server.get(&format!("/agents?limit={limit}{search}"))?;
    if terminal.json {
        writeln!(terminal.out, "{told}")?;
        return Ok(());
    }
    for (name, key) in [("launcher", "launcher"), ("framework", "framework"), ("master", "master")]
    {
        if let Some(text) = told[key].as_str() {
            writeln!(terminal.out, "{name:<10} {}", table::plain(text))?;
        }
    }
    let roles: Vec<&str> = list(&told["roles"]).iter().filter_map(Value::as_str).collect();
    if !roles.is_empty() {
        writeln!(terminal.out, "{:<10} {}", "roles", table::plain(&roles.join(", ")))?;
    }
    if let Some(problem) = told["problem"].as_str() {
        writeln!(terminal.err, "the launcher cannot be reached: {}", table::plain(problem))?;
    }
    let rows: Vec<Vec<String>> = list(&told["agents"]).iter().map(agent).collect();
    if rows.is_empty() {
        writeln!(terminal.out, "\nno agent is known")?;
        return Ok(());
    }
    writeln!(terminal.out)?;
    let heads = ["AGENT", "HOST", "RUNS", "CPUS", "MEM", "DISK", "PORTS", "ATTRIBUTES", "OFFER"];
    table::print(terminal.out, &heads, &rows)?;
    if told["total"].as_u64().is_some_and(|total| total > u64::from(*limit)) {
        writeln!(
            terminal.err,
            "{} in all: see more of them with `--search` or a larger `--limit`",
            table::cell(&told["total"])
        )?;
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn agent(agent: &Value) -> Vec<String> {
    let offer = &agent["offer"];
    let amount = |key: &str| {
        let used = number(&agent[key]["used"]);
        let of = if offer.is_null() { &agent[key]["total"] } else { &offer["left"][key] };
        match (of.is_null(), offer.is_null()) {
            (true, _) => format!("{used} used"),
            (false, true) if agent["limited"] == false => {
                format!("{used} used of {}, no limit", number(of))
            }
            (false, true) => format!("{used} used of {}", number(of)),
            (false, false) => format!("{used} used, {} left", number(of)),
        }
    };
    let attributes: Vec<String> = list(&agent["attributes"]).iter().map(attribute).collect();
    vec![
        table::cell(&agent["name"]),
        table::cell(&agent["hostname"]),
        table::cell(&agent["runs"]),
        amount("cpus"),
        amount("mem"),
        amount("disk"),
        amount("ports"),
        if attributes.is_empty() { "-".to_owned() } else { attributes.join(" ") },
        standing(agent),
    ]
}

fn attribute(attribute: &Value) -> String {
    let value = match &attribute["value"] {
        Value::Null => "[…]".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(table::cell).collect();
            format!("{{{}}}", items.join(","))
        }
        value @ Value::Number(_) => number(value),
        value => table::cell(value),
    };
    format!("{}={value}", table::cell(&attribute["name"]))
}

/// Why nothing is placed there, or what became of its last offer, and what is planned for it.
fn standing(agent: &Value) -> String {
    let offer = &agent["offer"];
    let mut parts = Vec::new();
    if let Some(problem) = agent["problem"].as_str() {
        parts.push(table::plain(problem));
    }
    let at = table::cell(&offer["at"]);
    match offer["fate"].as_str() {
        None => {}
        Some("open") => parts.push("open".to_owned()),
        Some("used") => {
            let runs = &offer["runs"];
            let noun = if *runs == 1 { "run" } else { "runs" };
            parts.push(format!("{at}: {} {noun} placed on it", table::cell(runs)));
        }
        Some("notWanted") => parts.push(format!("{at}: declined, nothing waited")),
        Some("nothingFits") if offer["reason"].is_null() => {
            parts.push(format!("{at}: declined, nothing that waits fits"));
        }
        Some("nothingFits") => parts.push(format!(
            "{at}: declined, run {} of {}: {}",
            table::cell(&offer["run"]),
            table::cell(&offer["job"]),
            table::cell(&offer["reason"])
        )),
        Some(other) => parts.push(format!("{at}: {}", table::plain(other))),
    }
    if let Some(from) = agent["unavailableFrom"].as_str() {
        parts.push(format!("out of service from {} on", table::plain(from)));
    }
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

/// A number as people write it: `4`, not `4.0`.
fn number(value: &Value) -> String {
    let text = table::cell(value);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Carries out `shortfall`.
pub(super) fn shortfall(server: &Server, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let told = server.get("/shortfall")?;
    if terminal.json {
        writeln!(terminal.out, "{told}")?;
        return Ok(());
    }
    if let Some(problem) = told["problem"].as_str() {
        writeln!(terminal.err, "the launcher cannot be reached: {}", table::plain(problem))?;
    }
    let count = |key: &str| table::cell(&told[key]);
    if told["runs"] == 0 {
        let (waiting, agents) = (count("waiting"), count("agents"));
        writeln!(
            terminal.out,
            "nothing is missing: {waiting} runs wait, {agents} agents are known"
        )?;
        return Ok(());
    }
    writeln!(
        terminal.out,
        "{} of the {} runs that wait find no place on the {} agents that are known\nmissing: {}\n",
        count("runs"),
        count("waiting"),
        count("agents"),
        resources(&told["missing"])
    )?;
    let rows: Vec<Vec<String>> = list(&told["wants"]).iter().map(want).collect();
    table::print(terminal.out, &["RUNS", "EACH WANTS", "WHERE", "JOBS", "WHY NOT"], &rows)?;
    Ok(())
}

fn want(want: &Value) -> Vec<String> {
    let constraints: Vec<String> = list(&want["constraints"])
        .iter()
        .map(|constraint| {
            let words: Vec<String> =
                list(constraint).iter().map(table::cell).filter(|word| word != "-").collect();
            words.join(" ")
        })
        .collect();
    let jobs: Vec<String> = list(&want["jobs"]).iter().map(table::cell).collect();
    vec![
        table::cell(&want["runs"]),
        resources(&want["resources"]),
        if constraints.is_empty() { "anywhere".to_owned() } else { constraints.join(", ") },
        jobs.join(", "),
        table::cell(&want["text"]),
    ]
}

fn resources(resources: &Value) -> String {
    let parts =
        [("cpus", "cpus"), ("mem", "MiB of memory"), ("disk", "MiB of disk"), ("ports", "ports")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(key, _)| resources[key].as_f64().is_some_and(|amount| amount > 0.0))
        .map(|(key, unit)| format!("{} {unit}", number(&resources[key])))
        .collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}
