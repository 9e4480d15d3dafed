//! `chronode logs …`

use std::io::{Read as _, Write};

use super::CliError;
use super::client::{LogsCommand, Terminal};
use super::http::{Server, encode};
use crate::model::{JobName, NameRule, RunId};

/// Carries out the command.
pub(super) fn run(
    server: &Server,
    command: &LogsCommand,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let LogsCommand { of, stderr, follow, attempt } = command;
    let id = find(server, of)?;
    let stream = if *stderr { "stderr" } else { "stdout" };
    let mut path = format!("/run/{}/{stream}?follow={follow}", encode(&id));
    if let Some(attempt) = attempt {
        path.push_str(&format!("&attempt={attempt}"));
    }
    copy(server, &path, terminal.out)
}

/// The run that is meant: a run's id is itself, a job's name stands for its latest run.
///
/// A job may be called like a run; then the run is meant if there is one.
fn find(server: &Server, of: &str) -> Result<String, CliError> {
    let name =
        JobName::parse(of, NameRule::Blanks).map_err(|error| CliError::Usage(error.to_string()))?;
    let mut unknown = CliError::Failed(format!("no run of job `{name}` is known"));
    if RunId::parse(of).is_some() {
        match server.get(&format!("/run/{}", encode(of))) {
            Ok(_) => return Ok(of.to_owned()),
            Err(error) => unknown = error,
        }
    }
    latest(server, &name)?.ok_or(unknown)
}

/// The newest run in the history of a job; stretches of missed occurrences wrote nothing.
fn latest(server: &Server, name: &JobName) -> Result<Option<String>, CliError> {
    let mut before = String::new();
    loop {
        let path = format!("/runs?job={}&limit=100{before}", encode(name.as_str()));
        let page = server.get(&path)?;
        let entries = page["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(id) = entries.iter().find_map(|entry| entry["id"].as_str()) {
            return Ok(Some(id.to_owned()));
        }
        let Some(next) = page["next"].as_str() else { return Ok(None) };
        before = format!("&before={}", encode(next));
    }
}

/// Copies a stream of the server as it comes, byte for byte.
pub(super) fn copy(server: &Server, path: &str, out: &mut dyn Write) -> Result<(), CliError> {
    let mut response = server.open(path)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = response.read(&mut buffer).map_err(|error| server.broken(&error))?;
        if count == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..count])?;
        out.flush()?;
    }
}
