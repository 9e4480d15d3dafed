//! Where options come from: the environment, a file, a directory.
//!
//! What is read is text with its place; the table says what it means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::table::{Row, Table, variable};
use super::written::{self, Written};
use crate::jobspec::yaml::{self, Entry, Kind};

/// Bytes of a file with options; a larger one is something else.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The command line.
    Flag,
    /// A variable of the environment.
    Variable(String),
    /// A line of the file, counted from 1.
    File(PathBuf, usize),
    /// A file of the directory.
    Directory(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => write!(f, "command line"),
            Self::Variable(name) => write!(f, "{name}"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Source {
    /// How somebody finds the option that is meant.
    pub(super) fn place(&self, name: &str) -> String {
        match self {
            Self::Flag => format!("--{name}"),
            Self::File(..) => format!("{self}: {name}"),
            Self::Variable(_) | Self::Directory(_) => self.to_string(),
        }
    }
}

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) text: OsString,
    pub(super) source: Source,
}

/// What a source has, by the names of the options.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) given: BTreeMap<String, Given>,
    /// What is not one text each; the file alone has it.
    pub(super) written: Written,
    /// Sentences with their places.
    pub(super) problems: Vec<String>,
}

impl Found {
    /// Takes in a value, if there is such an option and it may stand there. `place` is told in problems.
    fn add(&mut self, table: &Table, name: &str, place: &str, given: Given) {
        match table.row(name) {
            None => self.problems.push(unknown(table, name, place)),
            Some(row) if row.names_a_source() => self.problems.push(format!(
                "{place}: `{name}` can be given on the command line and as {} only",
                variable(name)
            )),
            Some(_) => {
                if let Some(first) = self.given.insert(name.to_owned(), given) {
                    self.problems.push(format!(
                        "{place}: `{name}` is given by {} already: remove one of them",
                        first.source
                    ));
                }
            }
        }
    }
}

fn unknown(table: &Table, name: &str, place: &str) -> String {
    if written::KEYS.contains(&name) {
        return format!("{place}: `{name}` can be given in the file that --config names only");
    }
    match table.nearest(name) {
        Some(nearest) => format!("{place}: there is no option `{name}`; did you mean `{nearest}`?"),
        None => format!("{place}: there is no option `{name}`; `chronode serve --help` lists all"),
    }
}

/// The variables of the environment. One that is empty is as one that is not there.
pub(super) fn environment(table: &Table, read: &dyn Fn(&str) -> Option<OsString>) -> Found {
    let mut found = Found::default();
    for row in table.rows() {
        let mut values = row.variables().into_iter().filter_map(|variable| {
            let text = read(&variable).filter(|text| !text.is_empty())?;
            Some(Given { text, source: Source::Variable(variable) })
        });
        if let Some(given) = values.next() {
            found.given.insert(row.name.clone(), given);
        }
    }
    found
}

/// What this process was started with.
#[expect(clippy::disallowed_methods, reason = "this module is the one that reads the environment")]
pub(super) fn process(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The options of a YAML file: one map from names to values.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn file(table: &Table, path: &Path) -> Result<Found, String> {
    let mut found = Found::default();
    let shown = path.display();
    let text = read(path)?;
    let tree = match yaml::parse(&text) {
        Ok(tree) => tree,
        Err(fault) => {
            found.problems.push(fault_at(path, &fault));
            return Ok(found);
        }
    };
    found.problems.extend(tree.faults.iter().map(|fault| fault_at(path, fault)));
    for (index, document) in tree.documents.iter().enumerate() {
        let place = format!("{shown}:{}", document.at.line);
        match &document.kind {
            Kind::Null(_) | Kind::Bad => {}
            Kind::Map(_) if index > 0 => found.problems.push(format!(
                "{place}: a second document begins here; write all options into one"
            )),
            Kind::Map(entries) => {
                entries.iter().for_each(|entry| file_entry(table, path, entry, &mut found));
            }
            Kind::Text(_) | Kind::List(_) => {
                found.problems.push(format!("{place}: write lines of the form `name: value`"));
            }
        }
    }
    Ok(found)
}

fn file_entry(table: &Table, path: &Path, entry: &Entry, found: &mut Found) {
    let source = Source::File(path.to_owned(), entry.at.line);
    let place = source.to_string();
    if written::KEYS.contains(&entry.key.as_str()) {
        written::read(path, entry, &mut found.written, &mut found.problems);
        return;
    }
    match &entry.value.kind {
        Kind::Text(text) => {
            let given = Given { text: OsString::from(text), source };
            found.add(table, &entry.key, &place, given);
        }
        // The name may be wrong too, and that explains more.
        Kind::Null(_) | Kind::List(_) | Kind::Map(_) if table.row(&entry.key).is_none() => {
            found.problems.push(unknown(table, &entry.key, &place));
        }
        Kind::Null(_) => found.problems.push(format!(
            "{place}: `{}` has no value: give one, `\"\"` for an empty text, or remove the line",
            entry.key
        )),
        Kind::List(_) | Kind::Map(_) => found.problems.push(format!(
            "{place}: the value of `{}` has to be one text, as on the command line",
            entry.key
        )),
        // It has been told.
        Kind::Bad => {}
    }
}

fn fault_at(path: &Path, fault: &yaml::Fault) -> String {
    format!("{}:{}: {}: {}", path.display(), fault.at.line, fault.message, fault.remedy)
}

/// The options of a directory, one file for each, as Chronos' packages read `/etc/chronos/conf`: the name of the file
/// is the option, its content the value; `?name` is a switch. Files whose names begin with a dot are none.
///
/// # Errors
///
/// If the directory cannot be read.
pub(super) fn directory(table: &Table, path: &Path) -> Result<Found, String> {
    let mut found = Found::default();
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            directory_entry(table, &path, &name, &mut found);
        }
    }
    Ok(found)
}

fn directory_entry(table: &Table, path: &Path, name: &str, found: &mut Found) {
    let place = path.display().to_string();
    let text = match read(path) {
        Ok(text) => text.trim().to_owned(),
        Err(problem) => {
            found.problems.push(format!("{place}: {problem}"));
            return;
        }
    };
    let source = Source::Directory(path.to_owned());
    let mut add = |name: &str, text: &str| {
        found.add(table, name, &place, Given { text: text.into(), source: source.clone() });
    };
    let Some(marked) = name.strip_prefix('?') else {
        let is_bare_switch = text.is_empty() && table.row(name).is_some_and(Row::is_switch);
        add(name, if is_bare_switch { "true" } else { &text });
        return;
    };
    let (name, value) = match ["no-", "no_"].iter().find_map(|no| marked.strip_prefix(no)) {
        Some(negated) if table.row(marked).is_none() => (negated, "false"),
        Some(_) | None => (marked, "true"),
    };
    match table.row(name) {
        Some(row) if !row.is_switch() => found.problems.push(format!(
            "{place}: `{name}` takes a value: call the file `{name}` and write the value into it"
        )),
        Some(_) if !text.is_empty() => found.problems.push(format!(
            "{place}: a file whose name begins with `?` stands for the bare switch and has to be empty; call it \
             `{name}` and write `true` or `false` into it"
        )),
        Some(_) | None => add(name, value),
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err("is larger than 1 MiB; this is no file of options".to_owned());
    }
    Ok(text)
}

/// Whether everybody may read a file.
pub(super) fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}
