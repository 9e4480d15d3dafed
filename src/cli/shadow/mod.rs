//! `chronode shadow`: jobs that are only planned beside another scheduler, compared with what it did, and taken over.

mod cron;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Terminal;
use super::http::{Server, encode};
use super::import::{self, Generation};
use super::{CliError, table};
use crate::model::Timestamp;

/// `chronode shadow …`
#[derive(Debug, Subcommand)]
pub enum ShadowCommand {
    /// Tell for each planned job what has come due here, and what Chronos has counted since it was imported
    Compare(Compare),
    /// Tell for each planned job, minute by minute, what has come due here, and what the log of cron says that it started
    CompareCron(cron::CompareCron),
    /// From an instant on, launch the jobs that have been planned only
    CutOver(CutOver),
}

/// The Chronos to compare with.
#[derive(Debug, Args)]
pub struct Compare {
    /// Its address, such as http://chronos.example.org:4400
    pub url: String,
    /// The login that it lets in, as user:password
    #[arg(
        long = "http_auth",
        alias = "http-auth",
        value_name = "USER:PASSWORD",
        env = "CHRONOS_HTTP_AUTH",
        hide_env_values = true
    )]
    pub http_auth: Option<String>,
    /// Seconds until its whole list of jobs must have come
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub timeout: u64,
    /// Which generation of Chronos it is: 0 is 2.x, v1 is 3.x
    #[arg(long, value_enum, default_value_t = Generation::Auto)]
    pub dialect: Generation,
}

/// What to take over, and when.
#[derive(Debug, Args)]
pub struct CutOver {
    /// The first instant whose occurrences are launched here, such as 2030-01-07T00:00:00Z
    #[arg(long, value_name = "INSTANT")]
    pub at: Timestamp,
    /// Only this job; may be given several times
    #[arg(long = "job", value_name = "NAME")]
    pub jobs: Vec<String>,
    /// Only jobs with this label, such as `host=web1`; may be given several times, and all must fit
    #[arg(long = "label", value_name = "NAME=VALUE", conflicts_with = "jobs")]
    pub labels: Vec<String>,
    /// Only tell what would be done
    #[arg(long = "dry-run")]
    pub dry_run: bool,
}

pub(super) fn run(
    server: &Server,
    command: &ShadowCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    match command {
        ShadowCommand::Compare(with) => compare(server, with, terminal),
        ShadowCommand::CompareCron(with) => cron::compare(server, with, terminal),
        ShadowCommand::CutOver(what) => cut_over(server, what, terminal),
    }
}

fn cut_over(server: &Server, what: &CutOver, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let CutOver { at, jobs, labels, dry_run } = what;
    let mut body = json!({"at": at.to_string()});
    if !labels.is_empty() {
        body["jobs"] = labelled(server, labels)?.into();
    } else if !jobs.is_empty() {
        body["jobs"] = jobs.as_slice().into();
    }
    let path = if *dry_run { "/cutover?dryRun=true" } else { "/cutover" };
    let answer = server.post_for(path, body.to_string().into_bytes())?;
    if terminal.json {
        writeln!(terminal.out, "{answer}")?;
        return Ok(());
    }
    let names: Vec<&str> =
        answer["jobs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let verb = if *dry_run { "would be" } else { "are" };
    writeln!(terminal.out, "{} jobs {verb} launched from {at} on", names.len())?;
    for name in names {
        writeln!(terminal.out, "  {}", table::plain(name))?;
    }
    for sentence in
        answer["consequences"].as_array().into_iter().flatten().filter_map(Value::as_str)
    {
        writeln!(terminal.err, "note: {}", table::plain(sentence))?;
    }
    Ok(())
}

/// The planned jobs that have all of these labels.
fn labelled(server: &Server, labels: &[String]) -> Result<Vec<String>, CliError> {
    let split = |label: &String| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let pairs: Option<Vec<(String, String)>> = labels.iter().map(split).collect();
    let pairs = pairs.ok_or_else(|| {
        CliError::Usage("--label: write a name and a value, as in `host=web1`".to_owned())
    })?;
    let list = server.get("/jobs")?;
    let jobs = list.as_array().into_iter().flatten().filter(|job| is_planned(job));
    let fits = |job: &&Value| {
        pairs.iter().all(|(name, value)| job["labels"][name.as_str()].as_str() == Some(value))
    };
    let names: Vec<String> =
        jobs.filter(fits).filter_map(|job| job["name"].as_str().map(str::to_owned)).collect();
    if names.is_empty() {
        return Err(CliError::Failed(format!(
            "no job that is only planned has {}: `chronode job list` shows what there is",
            labels.join(" and ")
        )));
    }
    Ok(names)
}

/// One planned job, here and there.
struct Pair {
    name: String,
    /// Occurrences that came due here since it was imported; `None` of a job that runs after others.
    planned: Option<u64>,
    /// Runs that Chronos has counted since; `None` if it no longer has the job.
    ran: Option<i64>,
}

impl Pair {
    /// Whether the two agree. A run that is not over yet is counted nowhere there: one is always on its way, now or when
    /// the job was imported.
    fn verdict(&self) -> &'static str {
        match (self.planned, self.ran) {
            (_, None) => "gone there",
            (None, Some(_)) => "runs after others",
            (Some(planned), Some(ran)) => match i64::try_from(planned).unwrap_or(i64::MAX) - ran {
                -1..=1 => "agrees",
                2.. => "Chronos ran fewer",
                _ => "Chronos ran more",
            },
        }
    }
}

fn compare(server: &Server, with: &Compare, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let there = import::jobs_of(&with.url, with.http_auth.as_deref(), with.timeout, with.dialect)?;
    let count = |job: &Value| -> i64 {
        let of = |key: &str| job[key].as_i64().unwrap_or_default();
        of("successCount") + of("errorCount")
    };
    let there: BTreeMap<String, i64> = there
        .iter()
        .filter_map(|job| Some((job["name"].as_str()?.to_owned(), count(job))))
        .collect();
    let here = server.get("/jobs")?;
    let mut pairs = Vec::new();
    for job in here.as_array().into_iter().flatten() {
        let (Some(name), true) = (job["name"].as_str(), is_planned(job)) else { continue };
        let planned = if job["parents"].is_array() { None } else { Some(planned(server, name)?) };
        // The counts came along with the import, and nothing here has changed them since.
        let ran = there.get(name).map(|now| now - count(job));
        pairs.push(Pair { name: name.to_owned(), planned, ran });
    }
    tell(&pairs, terminal)?;
    let differing = pairs.iter().filter(|pair| pair.verdict().starts_with("Chronos")).count();
    if differing > 0 {
        return Err(CliError::Failed(format!(
            "{differing} jobs did not run there as they are planned here: look at their schedules and zones, and at \
             what Chronos was doing"
        )));
    }
    Ok(())
}

fn tell(pairs: &[Pair], terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    if terminal.json {
        let rows = pairs.iter().map(|pair| {
            json!({"job": pair.name, "planned": pair.planned, "ran": pair.ran, "verdict": pair.verdict()})
        });
        writeln!(terminal.out, "{}", rows.collect::<Value>())?;
        return Ok(());
    }
    let cell = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            vec![
                table::plain(&pair.name),
                cell(pair.planned.map(|count| count.to_string())),
                cell(pair.ran.map(|count| count.to_string())),
                pair.verdict().to_owned(),
            ]
        })
        .collect();
    table::print(terminal.out, &["JOB", "PLANNED HERE", "RAN THERE", "VERDICT"], &rows)?;
    Ok(())
}

fn is_planned(job: &Value) -> bool {
    job["shadow"] == true || job["shadow"].is_object()
}

/// How many occurrences of a job have been recorded as only planned.
fn planned(server: &Server, name: &str) -> Result<u64, CliError> {
    let mut count = 0;
    let mut before = String::new();
    loop {
        let path = format!("/runs?verdict=skipped&limit=1000&job={}{before}", encode(name));
        let page = server.get(&path)?;
        for entry in page["runs"].as_array().into_iter().flatten() {
            let is_shadow = entry["reason"].as_str().is_some_and(|why| why.ends_with("(shadow)"));
            if entry["kind"] == "stretch" && is_shadow {
                count += entry["count"].as_u64().unwrap_or_default();
            }
        }
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_there_is_no_difference() {
        for (planned, ran, verdict) in [
            (Some(3), Some(3), "agrees"),
            (Some(3), Some(2), "agrees"),
            (Some(3), Some(1), "Chronos ran fewer"),
            (Some(3), Some(4), "agrees"),
            (Some(3), Some(5), "Chronos ran more"),
            (Some(0), Some(1), "agrees"),
            (Some(3), None, "gone there"),
            (None, Some(7), "runs after others"),
        ] {
            let pair = Pair { name: "a".to_owned(), planned, ran };
            assert_eq!(pair.verdict(), verdict, "{planned:?} {ran:?}");
        }
    }
}
