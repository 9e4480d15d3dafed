//! Job files, one for each job.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::{Done, How, Origin, Outcome, read};
use crate::cli::{CliError, private};
use crate::jobspec::read_file;
use crate::migration::{Imported, Weight, file_name, means_the_same, print_file};
use crate::model::{JobDraft, Timestamp};
use crate::schedule::{ZoneDb, parse_period};

/// Beside the job files; `serve --jobs` does not read it.
const REPORT: &str = "import-report.json";

/// Writes what can be carried.
pub(super) fn write(
    directory: &Path,
    jobs: Vec<Imported>,
    origin: &Origin,
    how: &How,
    now: Timestamp,
    zones: &ZoneDb,
) -> Result<Vec<Done>, CliError> {
    private::create_directory(directory).map_err(|error| cannot(directory, &error))?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let outcome = match &job.body {
            None => Outcome::Told,
            Some(body) => {
                let text = print_file(body, &heading(&job, origin));
                let path = directory.join(file_name(&job.name));
                let draft = read(&Value::Object(body.clone())).map_err(CliError::Failed)?;
                one(&path, &text, &draft, how, now, zones).map_err(|error| cannot(&path, &error))?
            }
        };
        done.push(Done { job, outcome });
    }
    Ok(done)
}

fn one(
    path: &Path,
    text: &str,
    draft: &JobDraft,
    how: &How,
    now: Timestamp,
    zones: &ZoneDb,
) -> io::Result<Outcome> {
    let place = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(there) => {
            let is_same = there == text
                || first_draft(&there).is_some_and(|it| means_the_same(&it, draft, now, zones));
            if is_same {
                return Ok(Outcome::Unchanged { place });
            }
            if !how.overwrite {
                let reason = format!(
                    "`{place}` is there and says something else: remove it, or replace it with `--overwrite`"
                );
                return Ok(Outcome::Refused { reason });
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    private::write(path, text)?;
    Ok(Outcome::Stored { place, warnings: Vec::new() })
}

/// The job of a file that has one.
fn first_draft(text: &str) -> Option<JobDraft> {
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let reading = read_file("", text, &period);
    if reading.problems.is_empty() && reading.jobs.len() == 1 {
        reading.jobs.into_iter().next().map(|job| job.draft)
    } else {
        None
    }
}

/// What whoever opens the file should know.
fn heading(job: &Imported, origin: &Origin) -> Vec<String> {
    let mut lines = vec![format!(
        "From {} at {}.",
        origin.kind.title(),
        job.place.as_ref().unwrap_or(&origin.shown)
    )];
    for finding in job.findings.iter().filter(|it| it.weight == Weight::Changes) {
        lines.push(format!(
            "{}: {} {}; Chronode {}.",
            if finding.field.is_empty() { "job" } else { &finding.field },
            origin.kind.name(),
            finding.there,
            finding.chronode
        ));
    }
    lines
}

/// Writes the report beside them.
pub(super) fn write_report(directory: &Path, report: &Value) -> Result<(), CliError> {
    let path = directory.join(REPORT);
    let text = format!("{report:#}\n");
    private::write(&path, &text).map_err(|error| cannot(&path, &error))
}

fn cannot(path: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!(
        "cannot write `{}`: {error}; nothing that was written before is undone, and the import can be repeated",
        path.display()
    ))
}
