//! Job definitions on the wire: the JSON of Chronos, both generations, and YAML job files.
//!
//! ```text
//!   bytes ── parse_json ──▶ Value ── read ──▶ Reading { draft, unknown, warnings }   or every Problem at once
//!   text of a file ── read_file ──▶ jobs and problems, each with its line
//!   files of a directory ── read_set ──▶ the same, with its defaults, templates and scripts
//!   JobRecord ── print ──▶ Map        in the order of Chronos; `mirror` adds what only its list shows
//! ```
//!
//! Reading is as lenient as Chronos where nothing is lost: `"0.5"` is a number, `36` is a text, an unknown field is
//! let through with a warning. DIFFERENCE: where Chronos silently turns what it cannot read into `0`, `false` or
//! nothing, and where it answers 500, the field is refused by name; `null` is absence.
//!
//! Knows no defaults but those that depend on the dialect within one value (`fetch.extract`, container parts): what a
//! missing field becomes is decided by [`JobDraft::resolve`], which also sees the job that is there already. Reading
//! and printing jobs does not look into schedules, which are kept as typed; `preview` asks them, for nothing is stored.

#![deny(clippy::disallowed_types)]

mod container;
mod diff;
mod download;
mod fields;
mod file;
mod file_schema;
mod json;
mod known;
mod layer;
mod objective;
mod policy;
mod preview;
mod print;
mod read;
mod schedule_fields;
mod schema;
mod set;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod yaml;

use std::fmt;

use crate::model::{Duration, JobDraft};

pub use diff::{FieldChange, changes, print_definition, secret_names};
pub use download::mirror;
pub use file::{FileJob, FileProblem, FileReading, read_file};
pub use file_schema::{JobFileKind, job_file_schema};
pub use json::{JSON_DEPTH_MAX, parse_json};
pub use known::check_field;
pub use preview::{PREVIEW_COUNT_DEFAULT, PREVIEW_COUNT_MAX, TypedTerms, print_preview};
pub use print::{Derived, print, print_job};
pub use read::{read, read_as, read_environment, read_from_file};
pub use schema::{job_schema, name_schema, printed_always};
pub use set::{FileSet, ScriptReader, SetFile, read_set};

/// How an ISO 8601 period such as `PT60S` becomes its length, or a sentence that names what was found instead.
/// Handed in, so that this part does not know schedules.
pub type PeriodReader<'a> = &'a dyn Fn(&str) -> Result<Duration, String>;

/// What a body says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The job as asked for.
    pub draft: JobDraft,
    /// Fields that nobody knows. They have no effect.
    pub unknown: Vec<UnknownField>,
    /// Sentences about parts of the body that have no effect although their fields are known.
    pub warnings: Vec<Warning>,
}

/// Why a body, or one field of it, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {remedy}")]
pub struct Problem {
    /// Path of the field, such as `environmentVariables[2].name`; empty for the body as a whole.
    pub field: String,
    /// What is wrong, naming the field and what was found.
    pub message: String,
    /// What would be right.
    pub remedy: String,
}

/// A part of a body that has no effect although its field is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Path of the field.
    pub field: String,
    /// The sentence, naming the field.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A field that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Its path.
    pub field: String,
    /// The known field that was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown field `{}` has no effect", fields::shown(&self.field))?;
        match self.nearest {
            Some(nearest) => write!(f, ": did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
