//! Jobs that are only planned beside a living cron, compared with what its log says that it has started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};

use clap::Args;
use serde_json::{Value, json};

use super::super::client::Terminal;
use super::super::http::{Server, encode};
use super::super::{CliError, table};
use super::is_planned;
use crate::migration::crontab::plain_command;
use crate::model::Timestamp;

/// Occurrences that are asked for at once; the API gives no more.
const PAGE: usize = 1_000;

/// Instants that are named of a difference.
const TOLD: usize = 3;

/// The log to compare with.
#[derive(Debug, Args)]
pub struct CompareCron {
    /// The lines of cron with full instants, as `journalctl -t CRON -o short-iso` prints them, or a log of rsyslog; `-`
    /// is standard input
    #[arg(value_name = "FILE|-")]
    pub log: String,
    /// Only jobs of this machine, as the log names it
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
}

/// What cron said that it started.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    at: Timestamp,
    host: String,
    user: String,
    command: String,
}

/// Who runs what, where: all that a log says of a job. No machine is every one.
type Key = (Option<String>, String, String);

/// Jobs that a log cannot tell apart, together.
#[derive(Debug, Default)]
struct Group {
    names: Vec<String>,
    /// Since when all of them are planned as they are now.
    since: Option<Timestamp>,
    planned: BTreeSet<Timestamp>,
}

/// Compares.
pub(super) fn compare(
    server: &Server,
    with: &CompareCron,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let text = read(&with.log)?;
    let starts: Vec<Start> = text.lines().filter_map(start).collect();
    let instants = text.lines().filter_map(instant);
    let (Some(first), Some(last)) = (instants.clone().min(), instants.max()) else {
        return Err(CliError::Failed(format!(
            "`{}` has no line that begins with an instant such as `2026-03-01T13:00:01+01:00`: print cron's lines with \
             `journalctl -t CRON -o short-iso`",
            with.log
        )));
    };
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let mut incomparable = Vec::new();
    let jobs = server.get("/jobs")?;
    for job in jobs.as_array().into_iter().flatten().filter(|job| is_planned(job)) {
        let Some(name) = job["name"].as_str() else { continue };
        let host = host(job);
        if with.host.is_some() && host.is_some() && host != with.host {
            continue;
        }
        let Some((user, command)) = logged(job) else {
            incomparable.push(name.to_owned());
            continue;
        };
        let since = minute_after(accepted(server, name)?.max(first));
        let group = groups.entry((host, user, command)).or_default();
        group.names.push(name.to_owned());
        group.since = group.since.max(Some(since));
        group.planned.extend(planned(server, name, since, last)?);
    }
    let pairs: Vec<Pair> = groups
        .into_iter()
        .map(|((host, user, command), group)| {
            let since = group.since.unwrap_or(first);
            let is_meant = |start: &&Start| {
                start.at >= since
                    && (&start.user, &start.command) == (&user, &command)
                    && host
                        .as_ref()
                        .or(with.host.as_ref())
                        .is_none_or(|host| is_called(&start.host, host))
            };
            let started = starts.iter().filter(is_meant).map(|start| minute(start.at)).collect();
            let planned = group.planned.range(since..).copied().collect();
            Pair { names: group.names, planned, started }
        })
        .collect();
    tell(&pairs, &incomparable, (first, last), terminal)?;
    let differing = pairs.iter().filter(|pair| !pair.agrees()).count();
    if differing > 0 {
        return Err(CliError::Failed(format!(
            "{differing} of {} do not run there as they are planned here: look at their schedules and zones, at \
             changes of the tables since they were imported, and at when cron itself was down",
            pairs.len()
        )));
    }
    Ok(())
}

/// Planned and started, by full minutes.
struct Pair {
    names: Vec<String>,
    planned: BTreeSet<Timestamp>,
    started: BTreeSet<Timestamp>,
}

impl Pair {
    fn agrees(&self) -> bool {
        self.planned == self.started
    }

    fn verdict(&self) -> String {
        let told = |all: Vec<&Timestamp>, what: &str| {
            let named: Vec<String> = all.iter().take(TOLD).map(ToString::to_string).collect();
            let more = if all.len() > TOLD { ", …" } else { "" };
            format!("cron {what} {}: {}{more}", all.len(), named.join(", "))
        };
        let missing: Vec<&Timestamp> = self.planned.difference(&self.started).collect();
        let other: Vec<&Timestamp> = self.started.difference(&self.planned).collect();
        match (missing.is_empty(), other.is_empty()) {
            (true, true) => "agrees".to_owned(),
            (false, true) => told(missing, "did not start"),
            (true, false) => told(other, "started more,"),
            (false, false) => {
                format!("{}; {}", told(missing, "did not start"), told(other, "started more,"))
            }
        }
    }
}

fn tell(
    pairs: &[Pair],
    incomparable: &[String],
    (first, last): (Timestamp, Timestamp),
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    if terminal.json {
        let texts =
            |all: &BTreeSet<Timestamp>| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let rows = pairs.iter().map(|pair| {
            json!({
                "jobs": pair.names, "planned": texts(&pair.planned), "started": texts(&pair.started),
                "agrees": pair.agrees(),
            })
        });
        let told = json!({
            "from": first.to_string(), "to": last.to_string(), "pairs": rows.collect::<Vec<_>>(),
            "notCompared": incomparable,
        });
        writeln!(terminal.out, "{told}")?;
        return Ok(());
    }
    writeln!(terminal.out, "from {first} to {last}, by full minutes\n")?;
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            vec![
                table::plain(&pair.names.join(", ")),
                pair.planned.len().to_string(),
                pair.started.len().to_string(),
                pair.verdict(),
            ]
        })
        .collect();
    table::print(terminal.out, &["JOB", "PLANNED HERE", "STARTED THERE", "VERDICT"], &rows)?;
    if !incomparable.is_empty() {
        writeln!(
            terminal.err,
            "note: not compared, because cron's log does not name what they run: {}",
            table::plain(&incomparable.join(", "))
        )?;
    }
    Ok(())
}

fn read(path: &str) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|error| CliError::Failed(format!("cannot read `{path}`: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The instant at the beginning of a line.
fn instant(line: &str) -> Option<Timestamp> {
    line.split_whitespace().next()?.parse().ok()
}

/// `INSTANT HOST CRON[PID]: (USER) CMD (COMMAND)`.
fn start(line: &str) -> Option<Start> {
    let at = instant(line)?;
    let (_, rest) = line.split_once(' ')?;
    let (host, rest) = rest.trim_start().split_once(' ')?;
    let (_, rest) = rest.split_once("]: (")?;
    let (user, rest) = rest.split_once(") CMD (")?;
    let command = rest.strip_suffix(')')?;
    // With `-L 8` the number of the process stands in front.
    let command = match command.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, command)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => command,
        _ => command,
    };
    Some(Start { at, host: host.to_owned(), user: user.to_owned(), command: command.to_owned() })
}

/// Whether a log's machine is the one that a job names, with or without its domain.
fn is_called(logged: &str, host: &str) -> bool {
    logged == host || host.split('.').next() == Some(logged)
}

/// The machine that a job is bound to.
fn host(job: &Value) -> Option<String> {
    let constraints = job["constraints"].as_array().into_iter().flatten();
    let mut bound = constraints.filter(|it| it[0] == "hostname" && it[1] == "EQUALS");
    bound.next().and_then(|it| it[2].as_str().map(str::to_owned))
}

/// Who runs what, as cron's log says it; `None` of jobs that came from elsewhere, or follow others.
fn logged(job: &Value) -> Option<(String, String)> {
    let user = job["runAsUser"].as_str().filter(|_| job["schedule"].is_string())?;
    let plain = plain_command(job["command"].as_str()?)?;
    Some((user.to_owned(), plain.split.command))
}

/// Since when a job is as it is.
fn accepted(server: &Server, name: &str) -> Result<Timestamp, CliError> {
    let page = server.get(&format!("/revisions/{}?limit=100", encode(name)))?;
    let revisions = page["revisions"].as_array().into_iter().flatten();
    let present = revisions
        .filter(|it| it["present"] == true)
        .find_map(|it| it["acceptedAt"].as_str()?.parse().ok());
    present
        .ok_or_else(|| CliError::Failed(format!("`{name}` has just been deleted: compare again")))
}

/// The occurrences of a job from an instant through another.
fn planned(
    server: &Server,
    name: &str,
    from: Timestamp,
    through: Timestamp,
) -> Result<Vec<Timestamp>, CliError> {
    let mut found = Vec::new();
    // An expression's occurrences come after what is asked.
    let mut after = from.as_millisecond() - 1;
    loop {
        let from = Timestamp::from_millisecond(after)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        let path = format!(
            "/preview?job={}&count={PAGE}&from={}",
            encode(name),
            encode(&from.to_string())
        );
        let page = server.get(&path)?;
        let list = page["next"].as_array().into_iter().flatten();
        let instants: Vec<Timestamp> =
            list.filter_map(|it| it["utc"].as_str()?.parse().ok()).collect();
        let is_last = instants.len() < PAGE || instants.last().is_none_or(|last| *last > through);
        if let Some(last) = instants.last() {
            after = last.as_millisecond();
        }
        found.extend(instants.into_iter().filter(|at| *at <= through).map(minute));
        if is_last {
            return Ok(found);
        }
    }
}

/// The full minute in which an instant lies.
fn minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second().div_euclid(60) * 60;
    Timestamp::from_second(seconds).unwrap_or(at)
}

/// The first full minute at or after an instant: before it, half a minute is not comparable.
fn minute_after(at: Timestamp) -> Timestamp {
    let seconds = (at.as_millisecond() + 59_999).div_euclid(60_000) * 60;
    Timestamp::from_second(seconds).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cron_are_known() {
        let line =
            "2026-11-27T18:00:01.123456+01:00 web1 CRON[4343]: (root) CMD (date > '/tmp/(x)')";
        let found = start(line).unwrap();
        assert_eq!(found.at.to_string(), "2026-11-27T17:00:01.123456Z");
        assert_eq!((found.host.as_str(), found.user.as_str()), ("web1", "root"));
        assert_eq!(found.command, "date > '/tmp/(x)'");
        let found = start("2026-11-27T18:00:01+0100 web1 CRON[7]: (ann) CMD ([8] true)").unwrap();
        assert_eq!((found.command.as_str(), found.user.as_str()), ("true", "ann"));
        for other in [
            "2026-11-27T18:00:01+01:00 web1 CRON[7]: pam_unix(cron:session): session opened for user root",
            "2026-11-27T18:00:01+01:00 web1 CRON[7]: (root) MAIL (mailed 5 bytes of output)",
            "Nov 27 18:00:01 web1 CRON[7]: (root) CMD (true)",
            "",
        ] {
            assert_eq!(start(other), None, "{other}");
        }
    }

    #[test]
    fn minutes_are_whole() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(minute(at("2026-01-01T00:00:59.9Z")), at("2026-01-01T00:00:00Z"));
        assert_eq!(minute_after(at("2026-01-01T00:00:00.001Z")), at("2026-01-01T00:01:00Z"));
        assert_eq!(minute_after(at("2026-01-01T00:00:00Z")), at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn what_differs_is_told_by_instants() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (a, b) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z"));
        let pair = |planned: &[Timestamp], started: &[Timestamp]| Pair {
            names: vec!["a".to_owned()],
            planned: planned.iter().copied().collect(),
            started: started.iter().copied().collect(),
        };
        assert_eq!(pair(&[a, b], &[a, b]).verdict(), "agrees");
        assert_eq!(pair(&[a, b], &[a]).verdict(), "cron did not start 1: 2026-01-01T00:05:00Z");
        assert_eq!(
            pair(&[a], &[b]).verdict(),
            "cron did not start 1: 2026-01-01T00:00:00Z; cron started more, 1: 2026-01-01T00:05:00Z"
        );
    }
}
