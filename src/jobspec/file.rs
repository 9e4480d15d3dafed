//! YAML job files: one job or a list of jobs in each document, with the field names of the JSON.
//!
//! ```yaml
//! name: nightly-report
//! command: /opt/report/run.sh --full
//! schedule: R/2030-01-01T02:30:00Z/P1D
//! scheduleTimeZone: Europe/Berlin
//! environmentVariables:
//!   - {name: STAGE, value: prod}
//! ```
//!
//! A file is turned into the value that its JSON would be, together with a map from field to place, and goes the way of
//! every other body. Scalars stay as typed until a field says what it wants, so a value `1.10` does not become `1.1`.
//! Opens no files, and bounds no text's length: who reads the file does.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::PeriodReader;
use super::layer::Places;
use super::set::{FileSet, SetFile, read_set};
use super::yaml::Place;
use crate::model::{JobDraft, SourceName};

/// What files say.
#[derive(Debug, Default)]
pub struct FileReading {
    /// The name that they give their jobs' source.
    pub source: Option<SourceName>,
    /// The jobs that are right, in the order of the files.
    pub jobs: Vec<FileJob>,
    /// What is wrong with the others. After an error of syntax a file has no jobs.
    pub problems: Vec<FileProblem>,
}

/// A job of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileJob {
    /// What it asks for, to be resolved as [`crate::model::Dialect::V0`].
    pub draft: JobDraft,
    /// The same as an object, in the spelling of job files; with its secrets.
    pub body: Value,
    /// Its file: the path from the top of the set.
    pub file: Arc<str>,
    /// Where it begins, counted from 1.
    pub line: usize,
    /// What has no effect. None of these has a remedy of its own.
    pub warnings: Vec<FileProblem>,
    /// Where its fields stand.
    pub(super) places: Places,
    /// In front of the paths of files, wherever they are told.
    pub(super) top: Arc<str>,
}

impl FileJob {
    /// What is to be told of one of its fields, with the place where that stands, or what it should be in.
    #[must_use]
    pub fn finding(&self, field: &str, message: String, remedy: String) -> FileProblem {
        let spot = self.places.of(field);
        let Place { line, column } = spot.at;
        FileProblem {
            path: format!("{}{}", self.top, spot.file),
            line,
            column,
            job: self.draft.name.to_string(),
            field: field.to_owned(),
            message,
            remedy,
        }
    }

    /// Its file, as it is told.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}{}", self.top, self.file)
    }

    /// Its file and line, as they are told.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.path(), self.line)
    }
}

/// Why a job of a file, or the file, was refused; or what should be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, as named by the caller.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The name of the job; empty if it is about none, or that has none.
    pub job: String,
    /// Path of the field within its job, such as `environmentVariables[2].name`; empty for the whole.
    pub field: String,
    /// What is wrong, naming the field and what was found.
    pub message: String,
    /// What would be right; empty if the message says it.
    pub remedy: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, job: _, field: _, message, remedy } = self;
        write!(f, "{path}:{line}:{column}: {message}")?;
        if remedy.is_empty() { Ok(()) } else { write!(f, ": {remedy}") }
    }
}

impl std::error::Error for FileProblem {}

/// Reads a job file that stands alone. `path` is only repeated in messages.
///
/// A job that is wrong does not stop the others. A name that the file gives to two jobs is a problem of the later one.
#[must_use]
pub fn read_file(path: &str, text: &str, parse_period: PeriodReader<'_>) -> FileReading {
    let file = SetFile { path: path.to_owned(), text: text.to_owned() };
    let alone = |_: &str| Err("the file stands alone".to_owned());
    read_set(&FileSet { top: "", files: &[file], script: &alone }, parse_period)
}
