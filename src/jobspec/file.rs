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

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::fields::Spelling;
use super::read::{Door, read_spelled};
use super::yaml::{self, Entry, Fault, Kind, Node, Place};
use super::{PeriodReader, Problem, Reading};
use crate::model::{Dialect, JobDraft, JobName};

/// What a file says.
#[derive(Debug, Default)]
pub struct FileReading {
    /// The jobs that are right, in the order of the file.
    pub jobs: Vec<FileJob>,
    /// What is wrong with the others. After an error of syntax there are no jobs.
    pub problems: Vec<FileProblem>,
}

/// A job of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileJob {
    /// What it asks for, to be resolved as [`Dialect::V0`].
    pub draft: JobDraft,
    /// Where it begins, counted from 1.
    pub line: usize,
    /// Sentences with path, line and column about what has no effect.
    pub warnings: Vec<String>,
}

/// Why a job of a file, or the file, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}: {remedy}")]
pub struct FileProblem {
    /// The file, as named by the caller.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// Path of the field within its job, such as `environmentVariables[2].name`; empty for the whole.
    pub field: String,
    /// What is wrong, naming the field and what was found.
    pub message: String,
    /// What would be right.
    pub remedy: String,
}

/// How many problems are told of one file, the first ones: a file that is no job file at all has one per line.
const PROBLEMS_MAX: usize = 1_000;

/// Reads a job file. `path` is only repeated in messages.
///
/// A job that is wrong does not stop the others. A name that the file gives to two jobs is a problem of the later one.
#[must_use]
pub fn read_file(path: &str, text: &str, parse_period: PeriodReader<'_>) -> FileReading {
    // Names, epsilon and defaults of job files are those of the old door.
    let dialect = Dialect::V0;
    let door = Door { dialect, names: dialect.name_rule(), parse_period };
    let mut reader =
        FileReader { path, door, named: BTreeMap::new(), reading: FileReading::default() };
    match yaml::parse(text) {
        Ok(tree) => {
            tree.documents.iter().for_each(|document| reader.document(document));
            tree.faults.into_iter().for_each(|fault| reader.fault(fault));
        }
        Err(fault) => reader.fault(fault),
    }
    let mut reading = reader.reading;
    reading.problems.sort_by_key(|problem| (problem.line, problem.column));
    reading.problems.truncate(PROBLEMS_MAX);
    reading
}

struct FileReader<'a> {
    path: &'a str,
    door: Door<'a>,
    /// Where each name was used first.
    named: BTreeMap<JobName, usize>,
    reading: FileReading,
}

impl FileReader<'_> {
    fn document(&mut self, document: &Node) {
        match &document.kind {
            Kind::List(items) => items.iter().for_each(|item| self.job(item)),
            // An empty document, as after a last `---`; or one whose fault is told anyway.
            Kind::Null(_) | Kind::Bad => {}
            Kind::Map(_) | Kind::Text(_) => self.job(document),
        }
    }

    fn job(&mut self, node: &Node) {
        let mut places = Places { fields: BTreeMap::new(), start: node.at };
        // Without a value there was a fault, which is told with the tree's.
        let Some(value) = value_of(node, "", &mut places) else { return };
        match read_spelled(&value, self.door, Spelling::Yaml) {
            Ok(reading) => self.accept(reading, &places),
            Err(problems) => {
                for Problem { field, message, remedy } in problems {
                    self.problem(places.of(&field), field, message, remedy);
                }
            }
        }
    }

    fn accept(&mut self, reading: Reading, places: &Places) {
        let Reading { draft, unknown, warnings } = reading;
        let line = places.start.line;
        if let Some(first) = self.named.get(&draft.name) {
            let message = format!("the job `{}` is already defined on line {first}", draft.name);
            let remedy = "give it another name, or remove one of them".to_owned();
            self.problem(places.of("name"), "name".to_owned(), message, remedy);
            return;
        }
        self.named.insert(draft.name.clone(), line);
        let located = |field: &str, sentence: String| {
            let Place { line, column } = places.of(field);
            format!("{}:{line}:{column}: {sentence}", self.path)
        };
        let unknown = unknown.iter().map(|unknown| located(&unknown.field, unknown.to_string()));
        let warnings = warnings.iter().map(|warning| located(&warning.field, warning.to_string()));
        let warnings = unknown.chain(warnings).collect();
        self.reading.jobs.push(FileJob { draft, line, warnings });
    }

    fn fault(&mut self, Fault { at, message, remedy }: Fault) {
        self.problem(at, String::new(), message, remedy.to_owned());
    }

    fn problem(&mut self, at: Place, field: String, message: String, remedy: String) {
        self.reading.problems.push(FileProblem {
            path: self.path.to_owned(),
            line: at.line,
            column: at.column,
            field,
            message,
            remedy,
        });
    }
}

/// Where the fields of a job stand.
struct Places {
    fields: BTreeMap<String, Place>,
    start: Place,
}

impl Places {
    fn remember(&mut self, path: &str, at: Place) {
        if path.len() <= PATH_BYTES_MAX {
            self.fields.insert(path.to_owned(), at);
        }
    }

    /// The place of a field, or of what it should be in.
    fn of(&self, field: &str) -> Place {
        let mut field = field;
        loop {
            if let Some(&place) = self.fields.get(field) {
                return place;
            }
            let Some(end) = field.rfind(['.', '[']) else { return self.start };
            field = &field[..end];
        }
    }
}

/// The longest path whose place is remembered; those of known fields are shorter. Without a bound, one long key above
/// many items would be repeated for each of them.
const PATH_BYTES_MAX: usize = 200;

/// The JSON that `node` would be, or `None` if there is a fault in it.
fn value_of(node: &Node, path: &str, places: &mut Places) -> Option<Value> {
    match &node.kind {
        Kind::Null(_) => Some(Value::Null),
        Kind::Text(text) => Some(Value::String(text.clone())),
        Kind::List(items) => {
            let item = |(index, item): (usize, &Rc<Node>)| {
                let path = format!("{path}[{index}]");
                places.remember(&path, item.at);
                value_of(item, within_bound(&path), places)
            };
            items.iter().enumerate().map(item).collect::<Option<_>>().map(Value::Array)
        }
        Kind::Map(entries) => {
            let entry = |Entry { key, at, value }: &Entry| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                places.remember(&path, *at);
                Some((key.clone(), value_of(value, within_bound(&path), places)?))
            };
            entries.iter().map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Kind::Bad => None,
    }
}

/// `path`, or a stand-in that names no field if it is too long to be one's beginning.
fn within_bound(path: &str) -> &str {
    if path.len() <= PATH_BYTES_MAX { path } else { "?" }
}
