//! What operators do about jobs: `chronode pause` and `resume`, and `chronode job pause`, `resume`, `skip`, `unskip` and
//! `lift`.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Terminal, instant, job_name};
use super::http::Server;
use super::operate::{Why, tell};
use super::{CliError, job, table};
use crate::model::{JobName, Timestamp};

/// `chronode pause …`
#[derive(Debug, Args)]
pub struct PauseAll {
    /// The instant from which on things run again, as 2026-03-01T13:00:00Z; when somebody resumes them by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub until: Option<Timestamp>,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// `chronode job pause …`
#[derive(Debug, Args)]
pub struct PauseJob {
    /// Which jobs
    #[command(flatten)]
    pub which: Which,
    /// Until when, and why
    #[command(flatten)]
    pub pause: PauseAll,
}

/// `chronode job resume …`
#[derive(Debug, Args)]
pub struct ResumeJob {
    /// Which jobs
    #[command(flatten)]
    pub which: Which,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

/// A job, alone or with what follows from it.
#[derive(Debug, Args)]
pub struct Which {
    /// Its name
    #[arg(value_parser = job_name)]
    pub name: JobName,
    /// And all jobs that follow from it
    #[arg(long)]
    pub subtree: bool,
}

/// `chronode job skip …` and `unskip …`
#[derive(Debug, Args)]
pub struct Occurrence {
    /// The job's name
    #[arg(value_parser = job_name)]
    pub name: JobName,
    /// When it is due, as 2026-03-01T13:00:00Z; the next one by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub due: Option<Timestamp>,
    /// Why
    #[command(flatten)]
    pub why: Why,
}

impl Which {
    fn fields(&self) -> Value {
        json!({"job": self.name.as_str(), "subtree": self.subtree})
    }
}

fn everything() -> Value {
    json!({"everything": true})
}

/// Pauses all jobs.
pub(super) fn pause_all(
    server: &Server,
    pause: &PauseAll,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    begin(server, everything(), pause, terminal)
}

/// Pauses a job, or a subtree.
pub(super) fn pause_job(
    server: &Server,
    command: &PauseJob,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    begin(server, command.which.fields(), &command.pause, terminal)
}

fn begin(
    server: &Server,
    mut fields: Value,
    pause: &PauseAll,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let PauseAll { until, why } = pause;
    if let Some(until) = until {
        fields["until"] = until.to_string().into();
    }
    let answer = server.post_for("/pause", why.body(fields))?;
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    tell(&answer, &format!("paused {}{until}", which(&answer)), terminal)
}

/// Lets all jobs go on.
pub(super) fn resume_all(
    server: &Server,
    why: &Why,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    end(server, everything(), why, terminal)
}

/// Lets a job go on, or a subtree.
pub(super) fn resume_job(
    server: &Server,
    command: &ResumeJob,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    end(server, command.which.fields(), &command.why, terminal)
}

fn end(
    server: &Server,
    fields: Value,
    why: &Why,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let answer = server.post_for("/resume", why.body(fields))?;
    let names = answer["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = if names.is_empty() && answer["everything"] != true {
        "nothing of it was paused".to_owned()
    } else {
        format!("resumed {}", which(&answer))
    };
    tell(&answer, &text, terminal)
}

/// What a pause is about.
fn which(answer: &Value) -> String {
    if answer["everything"] == true {
        return "everything".to_owned();
    }
    let names: Vec<String> =
        answer["jobs"].as_array().into_iter().flatten().map(table::cell).collect();
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("{} jobs: {}", many.len(), many.join(", ")),
    }
}

/// Has an occurrence to come skipped.
pub(super) fn skip(
    server: &Server,
    command: &Occurrence,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let Occurrence { name, due, why } = command;
    let mut fields = json!({"job": name.as_str()});
    if let Some(due) = due {
        fields["dueAt"] = due.to_string().into();
    }
    let answer = server.post_for("/skip", why.body(fields))?;
    let text = format!("what is due {} will be skipped", table::cell(&answer["dueAt"]));
    tell(&answer, &text, terminal)
}

/// Has it run after all.
pub(super) fn unskip(
    server: &Server,
    command: &Occurrence,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let Occurrence { name, due, why } = command;
    let due = match due {
        Some(due) => due.to_string(),
        None => next_skipped(server, name)?,
    };
    let fields = json!({"job": name.as_str(), "dueAt": due});
    let answer = server.post_for("/unskip", why.body(fields))?;
    let text = format!("what is due {} will run", table::cell(&answer["dueAt"]));
    tell(&answer, &text, terminal)
}

/// The first occurrence of a job that is to be skipped.
fn next_skipped(server: &Server, name: &JobName) -> Result<String, CliError> {
    let pauses = server.get("/pauses")?;
    let skips = pauses["skips"].as_array().into_iter().flatten();
    let of_job = skips.filter(|skip| skip["job"] == name.as_str());
    let due = of_job.filter_map(|skip| skip["dueAt"].as_str());
    // They all have the same form, in which the order of texts is that of time.
    due.min()
        .map(str::to_owned)
        .ok_or_else(|| CliError::Failed(format!("no occurrence of `{name}` is to be skipped")))
}

/// Lifts a quarantine.
pub(super) fn lift(
    server: &Server,
    name: &JobName,
    why: &Why,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    server.post("/quarantine/lift", why.body(json!({"job": name.as_str()})))?;
    job::done(terminal, &format!("{name} is decided again"))
}
