//! `chronode validate`: whether job files are right, without a server.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::table::counted;
use super::{CliError, table};
use crate::clock;
use crate::jobset::{self, Findings, Wholeness};
use crate::jobspec::FileProblem;
use crate::model::whole_millis;
use crate::schedule::{HOST_ZONES, ZoneChoice, ZoneDb};

/// `chronode validate …`
#[derive(Debug, Args)]
pub struct ValidateCommand {
    /// Directories of job files, or single job files
    #[arg(required = true, value_name = "DIR|FILE")]
    pub paths: Vec<PathBuf>,
    /// Refuse parents that are not in these files; otherwise a server may have them
    #[arg(long)]
    pub complete: bool,
    /// Print JSON instead of lines
    #[arg(long)]
    pub json: bool,
    /// Time zone data to read schedules with, as for `serve`
    #[arg(
        long = "zone_data",
        alias = "zone-data",
        value_name = "newest|bundled|DIR",
        env = "CHRONODE_ZONE_DATA",
        default_value = "newest"
    )]
    pub zone_data: String,
}

/// Carries out the command. What is found goes to `out`.
///
/// # Errors
///
/// [`CliError::Failed`] if something is wrong with the files, or if they cannot be read.
pub fn run(command: &ValidateCommand, out: &mut dyn Write) -> Result<(), CliError> {
    let zones = ZoneDb::choose(&ZoneChoice::parse(&command.zone_data), Path::new(HOST_ZONES))
        .map_err(|error| CliError::Usage(format!("--zone_data: {error}")))?;
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for path in &command.paths {
        let reading = if path.is_dir() { jobset::read(path) } else { jobset::read_one(path) };
        let reading = reading.map_err(CliError::Failed)?;
        jobs.extend(reading.jobs);
        problems.extend(reading.problems);
    }
    let wholeness = if command.complete { Wholeness::Complete } else { Wholeness::Part };
    let found = jobset::check(&jobs, wholeness, &zones, whole_millis(clock::wall()));
    let Findings { problems: more, warnings } = found;
    problems.extend(more);
    if command.json {
        let told = json!({
            "jobs": jobs.len(),
            "problems": print_all(&problems),
            "warnings": print_all(&warnings),
        });
        writeln!(out, "{told}")?;
    } else {
        for warning in &warnings {
            writeln!(out, "warning: {}", table::plain(&warning.to_string()))?;
        }
        for problem in &problems {
            writeln!(out, "{}", table::plain(&problem.to_string()))?;
        }
        if problems.is_empty() {
            writeln!(out, "{}, nothing wrong", counted(jobs.len(), "job"))?;
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(CliError::Failed(format!("{} in the job files", counted(problems.len(), "problem"))))
    }
}

pub(super) fn print_all(found: &[FileProblem]) -> Value {
    let print = |found: &FileProblem| {
        let FileProblem { path, line, column, job, field, message, remedy } = found;
        json!({
            "path": path, "line": line, "column": column, "job": job, "field": field,
            "message": message, "remedy": remedy,
        })
    };
    found.iter().map(print).collect()
}
