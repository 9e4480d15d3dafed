//! `chronode apply`: a directory of job files becomes what the server has, after a plan of what that means.
//!
//! The plan is the server's: a dry run of the very request that follows, which then says of each job what it was when the
//! plan was made. So nothing is changed that somebody else has changed meanwhile, and all of it is done or none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::client::Terminal;
use super::http::{Server, encode, refusal};
use super::revisions::print_changes;
use super::table::counted;
use super::validate::print_all;
use super::{CliError, table};
use crate::jobset;
use crate::jobspec::{FileJob, FileProblem, FileReading};
use crate::model::{JobDraft, SourceName};

/// `chronode apply …`
#[derive(Debug, Args)]
pub struct ApplyCommand {
    /// The directory of job files
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Only tell what would come of it
    #[arg(long = "dry-run", alias = "dry_run")]
    pub dry_run: bool,
    /// With `--dry-run`: exit with 3 if anything would be changed
    #[arg(long = "detailed-exitcode", alias = "detailed_exitcode", requires = "dry_run")]
    pub detailed_exitcode: bool,
    /// Delete the jobs of this source that the directory does not have any more
    #[arg(long)]
    pub prune: bool,
    /// With `--prune`: delete all of them if the directory has no job at all
    #[arg(long = "allow-empty", alias = "allow_empty", requires = "prune")]
    pub allow_empty: bool,
    /// Whose jobs they are; by default what `_source.yaml` says, or else the name of the directory
    #[arg(long, value_name = "NAME", value_parser = source_name)]
    pub source: Option<SourceName>,
    /// Take jobs over that come from another source
    #[arg(long = "take-over", alias = "take_over")]
    pub take_over: bool,
    /// Tell of the runs of so many days that come and go
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(0..=31))]
    pub days: u8,
}

fn source_name(text: &str) -> Result<SourceName, String> {
    SourceName::parse(text).map_err(|error| error.to_string())
}

/// Carries out the command.
pub(super) fn run(
    server: &Server,
    command: &ApplyCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let reading = jobset::read(&command.directory).map_err(CliError::Failed)?;
    if !reading.problems.is_empty() {
        return Err(wrong_files(&reading.problems, terminal)?);
    }
    let source = source(command, &reading)?;
    let path = format!("/origins?source={}", encode(source.as_str()));
    let owned = server.get(&path)?;
    let batch = Batch::of(command, &reading, source, &owned)?;
    let plan = batch.send(server, &format!("?dryRun=true&days={}", command.days), None)?;
    let plan = Plan { batch: &batch, jobs: plan["jobs"].as_array().cloned().unwrap_or_default() };
    if !terminal.json {
        plan.print(server, terminal)?;
    }
    let is_needed = plan.is_needed();
    if is_needed && !command.dry_run {
        batch.send(server, "", Some(&plan.expected()))?;
    }
    if terminal.json {
        let is_applied = is_needed && !command.dry_run;
        writeln!(terminal.out, "{}", plan.json(command.dry_run, is_applied))?;
    } else if is_needed && !command.dry_run {
        writeln!(terminal.out, "applied")?;
    }
    if is_needed && command.detailed_exitcode {
        return Err(CliError::Differs("the server has not what the directory says".to_owned()));
    }
    Ok(())
}

/// That the files cannot be read as they are; nothing is asked of the server then.
fn wrong_files(
    problems: &[FileProblem],
    terminal: &mut Terminal<'_>,
) -> Result<CliError, CliError> {
    if terminal.json {
        writeln!(terminal.out, "{}", json!({"problems": print_all(problems)}))?;
    }
    let lines: Vec<String> = problems.iter().map(|it| table::plain(&it.to_string())).collect();
    let count = counted(problems.len(), "problem");
    Ok(CliError::Failed(format!(
        "{count} in the job files, nothing is applied\n{}",
        lines.join("\n")
    )))
}

/// Whose jobs they are. Whoever deletes by it has to say it: two directories may have one name.
fn source(command: &ApplyCommand, reading: &FileReading) -> Result<SourceName, CliError> {
    if let Some(source) = &command.source {
        return Ok(source.clone());
    }
    if command.prune && reading.source.is_none() {
        return Err(CliError::Usage(
            "`--prune` deletes jobs of a source, so the source must be named: give `--source NAME`, or write `name: NAME` \
             into `_source.yaml` of the directory"
                .to_owned(),
        ));
    }
    jobset::source_of(&command.directory, reading).map_err(|error| {
        let shown = command.directory.display();
        CliError::Usage(format!(
            "the directory `{shown}` names no source ({error}): give `--source NAME`, or write `name: NAME` into its \
             `_source.yaml`"
        ))
    })
}

/// What the server is asked to make of the directory.
struct Batch<'a> {
    source: SourceName,
    /// Each behind its parents.
    jobs: Vec<&'a FileJob>,
    takes_over: bool,
    /// Jobs of this source that the directory does not have, and whether they are deleted.
    lost: Vec<String>,
    is_pruning: bool,
    /// Those of them of which the server knows that already.
    gone: BTreeSet<String>,
}

impl<'a> Batch<'a> {
    fn of(
        command: &ApplyCommand,
        reading: &'a FileReading,
        source: SourceName,
        owned: &Value,
    ) -> Result<Self, CliError> {
        let drafts: Vec<&JobDraft> = reading.jobs.iter().map(|job| &job.draft).collect();
        let order = JobDraft::parents_first(&drafts);
        let jobs: Vec<&FileJob> = order.into_iter().map(|index| &reading.jobs[index]).collect();
        let there: BTreeSet<&str> = jobs.iter().map(|job| job.draft.name.as_str()).collect();
        let owned = owned["jobs"].as_array().into_iter().flatten();
        let (mut lost, mut gone) = (Vec::new(), BTreeSet::new());
        for entry in owned {
            let Some(name) = entry["job"].as_str().filter(|name| !there.contains(name)) else {
                continue;
            };
            lost.push(name.to_owned());
            if entry["drift"] == "gone" {
                gone.insert(name.to_owned());
            }
        }
        if jobs.is_empty() && command.prune && !lost.is_empty() && !command.allow_empty {
            return Err(CliError::Failed(format!(
                "`{}` has no job at all, and `--prune` would delete {} of the source `{source}`: give `--allow-empty` if \
                 that is meant",
                command.directory.display(),
                counted(lost.len(), "job")
            )));
        }
        let (takes_over, is_pruning) = (command.take_over, command.prune);
        Ok(Self { source, jobs, takes_over, lost, is_pruning, gone })
    }

    /// Has it tried out or done. `expected` is what each job must be for that.
    fn send(
        &self,
        server: &Server,
        query: &str,
        expected: Option<&Value>,
    ) -> Result<Value, CliError> {
        let places: Map<String, Value> = self
            .jobs
            .iter()
            .map(|job| (job.draft.name.to_string(), Value::from(&*job.file)))
            .collect();
        let mut body = json!({
            "source": self.source.as_str(),
            "takeOver": self.takes_over,
            "places": places,
            "jobs": self.jobs.iter().map(|job| &job.body).collect::<Vec<_>>(),
        });
        let lost = if self.is_pruning { "remove" } else { "gone" };
        body[lost] = self.lost.as_slice().into();
        if let Some(expected) = expected {
            body["expected"] = expected.clone();
        }
        let told =
            server.post_for_either(&format!("/apply{query}"), body.to_string().into_bytes())?;
        told.map_err(|refused| self.refused(&refused))
    }

    /// What the server refuses, with the places in the files.
    fn refused(&self, told: &Value) -> CliError {
        let all = match told["problems"].as_array() {
            Some(problems) => problems.clone(),
            None => vec![told.clone()],
        };
        let line = |problem: &Value| {
            let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
            let field = text("field");
            let place = field.strip_prefix("jobs[").and_then(|rest| rest.split_once(']'));
            let job = place.and_then(|(index, _)| self.jobs.get(index.parse::<usize>().ok()?));
            let (Some(job), Some((_, rest))) = (job, place) else {
                return refusal(problem).unwrap_or_else(|| problem.to_string());
            };
            let field = rest.trim_start_matches('.');
            job.finding(field, text("message"), text("remedy")).to_string()
        };
        let lines: Vec<String> = all.iter().map(|it| table::plain(&line(it))).collect();
        let head = match told["code"].as_str() {
            Some("changed") => {
                "somebody has changed jobs since the plan was made; nothing is applied, do it again"
            }
            Some("owned_elsewhere") => {
                "jobs come from another source; nothing is applied. `--take-over` takes them from it"
            }
            _ => "the server refuses; nothing is applied",
        };
        CliError::Failed(format!("{head}\n{}", lines.join("\n")))
    }
}

/// What the server says would come of a batch.
struct Plan<'a> {
    batch: &'a Batch<'a>,
    jobs: Vec<Value>,
}

impl Plan<'_> {
    /// What each job was when the plan was made.
    fn expected(&self) -> Value {
        let was =
            |job: &Value| Some((job["name"].as_str()?.to_owned(), job["plan"]["was"].clone()));
        Value::Object(self.jobs.iter().filter_map(was).collect())
    }

    /// Jobs that the server is told to have lost, and does not know of it yet.
    fn newly_gone(&self) -> Vec<&str> {
        let Batch { lost, gone, is_pruning, .. } = self.batch;
        let lost = lost.iter().filter(|name| !is_pruning && !gone.contains(*name));
        lost.map(String::as_str).collect()
    }

    /// Whether applying it changes anything, be it only where the server believes that jobs come from.
    fn is_needed(&self) -> bool {
        let source = self.batch.source.as_str();
        let places: BTreeMap<&str, &str> =
            self.batch.jobs.iter().map(|job| (job.draft.name.as_str(), &*job.file)).collect();
        let is_other = |job: &Value| {
            let origin = &job["plan"]["origin"];
            let place = job["name"].as_str().and_then(|name| places.get(name));
            job["outcome"] != "unchanged"
                || origin["source"] != source
                || !origin["drift"].is_null()
                || origin["place"].as_str() != place.copied()
        };
        self.jobs.iter().any(is_other) || !self.newly_gone().is_empty()
    }

    fn count(&self, outcome: &str) -> usize {
        self.jobs.iter().filter(|job| job["outcome"] == outcome).count()
    }

    fn json(&self, is_dry: bool, is_applied: bool) -> Value {
        json!({
            "source": self.batch.source.as_str(),
            "dryRun": is_dry,
            "changes": self.is_needed(),
            "applied": is_applied,
            "counts": {
                "created": self.count("created"),
                "replaced": self.count("replaced"),
                "removed": self.count("removed"),
                "unchanged": self.count("unchanged"),
                "left": if self.batch.is_pruning { 0 } else { self.batch.lost.len() },
            },
            "jobs": self.jobs,
            "left": if self.batch.is_pruning { &[][..] } else { self.batch.lost.as_slice() },
        })
    }

    fn print(&self, server: &Server, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        let source = &self.batch.source;
        writeln!(terminal.out, "plan of the source `{source}` for {}", server.shown())?;
        for job in &self.jobs {
            self.print_job(job, terminal)?;
        }
        for name in self.batch.lost.iter().filter(|_| !self.batch.is_pruning) {
            let name = table::plain(name);
            writeln!(
                terminal.out,
                "! {name}: not in the directory any more; `--prune` deletes it"
            )?;
        }
        writeln!(
            terminal.out,
            "{} to create, {} to change, {} to delete, {} unchanged",
            self.count("created"),
            self.count("replaced"),
            self.count("removed"),
            self.count("unchanged")
        )?;
        Ok(())
    }

    fn print_job(&self, job: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        let plan = &job["plan"];
        let origin = &plan["origin"];
        let is_ours = origin["source"] == self.batch.source.as_str();
        let sign = match job["outcome"].as_str() {
            Some("created") => '+',
            Some("replaced") => '~',
            Some("removed") => '-',
            _ if is_ours && origin["drift"].is_null() => return self.warn(job, terminal),
            _ => '=',
        };
        let file = self.batch.jobs.iter().find(|it| job["name"] == it.draft.name.as_str());
        let place = file.map(|it| format!("  ({})", it.place())).unwrap_or_default();
        writeln!(terminal.out, "{sign} {}{}", table::cell(&job["name"]), table::plain(&place))?;
        if let (Some(other), false) = (origin["source"].as_str(), is_ours) {
            writeln!(terminal.out, "    taken over from the source `{}`", table::plain(other))?;
        } else if origin.is_null() && sign != '+' {
            writeln!(terminal.out, "    made by hand so far")?;
        } else if origin["drift"] == "changed" && sign == '~' {
            let told = "somebody has changed it since it was applied; that is undone";
            writeln!(terminal.out, "    {told}")?;
        }
        let mut changes = Vec::new();
        let listed = plan["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let own = &mut Terminal { out: &mut changes, err: &mut *terminal.err, json: false };
        print_changes(listed, own)?;
        for line in String::from_utf8_lossy(&changes).lines() {
            writeln!(terminal.out, "    {line}")?;
        }
        for line in runs(plan) {
            writeln!(terminal.out, "    {line}")?;
        }
        for told in job["consequences"].as_array().into_iter().flatten() {
            writeln!(terminal.out, "    {}", table::cell(told))?;
        }
        self.warn(job, terminal)
    }

    fn warn(&self, job: &Value, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        for told in job["warnings"].as_array().into_iter().flatten() {
            let (name, told) = (table::cell(&job["name"]), table::cell(told));
            writeln!(terminal.err, "warning: {name}: {told}")?;
        }
        Ok(())
    }
}

/// Sentences about the runs of a job that come and go.
fn runs(plan: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let runs = &plan["runs"];
    for (side, word) in [("added", "more"), ("removed", "fewer")] {
        let count = runs[side]["count"].as_u64().unwrap_or_default();
        if count > 0 {
            let first = table::cell(&runs[side]["first"][0]);
            let through = table::cell(&runs["through"]);
            let plural = if count == 1 { "" } else { "s" };
            lines.push(format!("{count} run{plural} {word} until {through}, the first at {first}"));
        }
    }
    let at_once = plan["startsAtOnce"].as_array().into_iter().flatten();
    lines.extend(at_once.map(|due| format!("starts at once, for {}", table::cell(due))));
    lines
}
