//! A directory of job files, read as one: which files belong to it, and what they say.
//!
//! The one reader of `serve --jobs`, `apply` and `validate`, so that what one of them accepts the others do. What the
//! files mean is told by `jobspec`; here they are found and opened. Nothing outside the directory is read, whatever a
//! path or a link in it says.

mod check;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::jobspec::{FileProblem, FileReading, FileSet, SetFile, read_set};
use crate::model::limits::COMMAND_BYTES_MAX;
use crate::model::{SourceError, SourceName};
use crate::schedule::parse_period;

pub use check::{Findings, Wholeness, check};

/// Bytes of a job file; a larger one is no job file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Directories inside each other. More is a mistake.
const DEPTH_MAX: usize = 32;
/// What `import --out` leaves beside the job files that it writes.
const IMPORT_REPORT: &str = "import-report.json";
/// The endings of job files.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads every job file of a directory and of those below it, in the order of their paths.
///
/// # Errors
///
/// A sentence if the directory cannot be read at all.
pub fn read(top: &Path) -> Result<FileReading, String> {
    let mut walk = Walk::begin(top)?;
    walk.go_through("", 0)?;
    Ok(walk.end(|_| true))
}

/// Reads one job file, with the defaults and templates of its directory, and of those above it in an unbroken row that
/// have some.
///
/// # Errors
///
/// A sentence if the file or its directory cannot be read.
pub fn read_one(file: &Path) -> Result<FileReading, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("cannot read `{}`: {why}", file.display());
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| cannot(&"it has no name that is text"))?;
    let directory = match file.parent() {
        Some(directory) if directory != Path::new("") => directory,
        Some(_) | None => Path::new("."),
    };
    let mut top = fs::canonicalize(directory).map_err(|error| cannot(&error))?;
    let mut below = PathBuf::new();
    while let (Some(above), Some(last)) = (top.parent(), top.file_name())
        && has_special(above)
    {
        below = Path::new(last).join(below);
        top = above.to_owned();
    }
    let shown_top = if below == Path::new("") { directory.to_owned() } else { top.clone() };
    let mut walk = Walk::begin(&top)?;
    if shown_top == Path::new(".") {
        walk.shown.clear();
    } else {
        walk.shown = shown(&shown_top);
    }
    let mut at = String::new();
    walk.specials(&at)?;
    for part in &below {
        at = joined(&at, part.to_str().ok_or_else(|| cannot(&"its path is no text"))?);
        walk.specials(&at)?;
    }
    let path = joined(&at, name);
    // Those of its own directory are there already.
    if !walk.files.iter().any(|file| file.path == path) {
        walk.take(&path);
    }
    Ok(walk.end(|it| it == path))
}

/// The name of a directory's source: what it says itself, or else what it is called.
///
/// # Errors
///
/// That it is called something that can be no name of a source.
pub fn source_of(top: &Path, reading: &FileReading) -> Result<SourceName, SourceError> {
    if let Some(source) = &reading.source {
        return Ok(source.clone());
    }
    let whole = fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
    SourceName::parse(whole.file_name().and_then(|name| name.to_str()).unwrap_or_default())
}

/// What a file was when it was looked at.
type Stamp = (u64, u64, i64, i64, i64);

/// What all files of a directory and of those below it were when they were looked at: two that are equal mean that none
/// has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(BTreeMap<PathBuf, Stamp>);

/// Looks at all files of a directory, without reading one.
///
/// # Errors
///
/// A sentence if the directory cannot be read at all.
pub fn look(top: &Path) -> Result<Look, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![(top.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            // One that has gone meanwhile has no files; that the top cannot be read is another matter.
            Err(error) if depth == 0 => return Err(unreadable(top, &error)),
            Err(_) => continue,
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
            if path.file_name().is_none_or(is_hidden) {
                continue;
            }
            let is_link = path.is_symlink();
            // Of a link: what it leads to.
            let Ok(found_there) = fs::metadata(&path) else { continue };
            if found_there.is_file() {
                let it = &found_there;
                let stamp = (it.ino(), it.size(), it.mtime(), it.mtime_nsec(), it.ctime_nsec());
                found.insert(path, stamp);
            } else if found_there.is_dir() && !is_link && depth < DEPTH_MAX {
                open.push((path, depth + 1));
            }
        }
    }
    Ok(Look(found))
}

fn unreadable(top: &Path, error: &std::io::Error) -> String {
    format!("cannot read the job directory `{}`: {error}", top.display())
}

fn shown(top: &Path) -> String {
    format!("{}/", top.display().to_string().trim_end_matches('/'))
}

fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Whether a directory has one of the files that hold no jobs.
fn has_special(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_str().is_some_and(is_special))
}

fn is_special(name: &str) -> bool {
    name.starts_with('_') && is_job_file(name)
}

fn is_job_file(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending)) && name != IMPORT_REPORT
}

/// What is found on the way through a directory.
struct Walk {
    top: PathBuf,
    /// Where the top really is.
    real: PathBuf,
    /// The top as it is told, in front of the paths of files.
    shown: String,
    files: Vec<SetFile>,
    problems: Vec<FileProblem>,
}

impl Walk {
    fn begin(top: &Path) -> Result<Self, String> {
        let real = fs::canonicalize(top).map_err(|error| unreadable(top, &error))?;
        let (files, problems) = (Vec::new(), Vec::new());
        Ok(Self { top: top.to_owned(), real, shown: shown(top), files, problems })
    }

    /// The names in a directory, in their order, without hidden ones.
    fn names(&mut self, directory: &str) -> Result<Vec<String>, String> {
        let path = self.top.join(directory);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if directory.is_empty() => return Err(unreadable(&self.top, &error)),
            Err(error) => {
                self.tell(directory, format!("the directory cannot be read: {error}"), "");
                return Ok(Vec::new());
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.tell(directory, format!("the directory cannot be read: {error}"), "");
                    continue;
                }
            };
            match entry.file_name().into_string() {
                Ok(name) if name.starts_with('.') => {}
                Ok(name) => names.push(name),
                Err(name) => {
                    let shown = joined(directory, &name.to_string_lossy());
                    self.tell(&shown, "its name is no text".to_owned(), "rename it");
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn go_through(&mut self, directory: &str, depth: usize) -> Result<(), String> {
        for name in self.names(directory)? {
            let path = joined(directory, &name);
            let here = self.top.join(&path);
            if here.is_dir() {
                if here.is_symlink() {
                    let message = "it is a link to a directory, which is not followed".to_owned();
                    self.tell(&path, message, "put the directory itself there, or remove the link");
                } else if depth == DEPTH_MAX {
                    let message = format!("directories are nested more than {DEPTH_MAX} deep");
                    self.tell(&path, message, "move its files further up");
                } else {
                    self.go_through(&path, depth + 1)?;
                }
            } else if is_job_file(&name) {
                self.take(&path);
            }
        }
        Ok(())
    }

    /// Takes the files of a directory that hold no jobs.
    fn specials(&mut self, directory: &str) -> Result<(), String> {
        for name in self.names(directory)?.iter().filter(|name| is_special(name)) {
            self.take(&joined(directory, name));
        }
        Ok(())
    }

    fn take(&mut self, path: &str) {
        match self.open(path, FILE_BYTES_MAX) {
            Ok(text) => self.files.push(SetFile { path: path.to_owned(), text }),
            Err((message, remedy)) => self.tell(path, format!("the file {message}"), remedy),
        }
    }

    /// The text of a file below the top, or what is wrong with it and what to do.
    fn open(&self, path: &str, bytes_max: u64) -> Result<String, (String, &'static str)> {
        let cannot = |error: std::io::Error| (format!("cannot be read: {error}"), "");
        let real = fs::canonicalize(self.top.join(path)).map_err(cannot)?;
        if !real.starts_with(&self.real) {
            let message = "leads out of the directory of job files".to_owned();
            return Err((message, "put the file itself there"));
        }
        let metadata = fs::metadata(&real).map_err(cannot)?;
        if !metadata.is_file() {
            return Err(("is no file".to_owned(), ""));
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&real).map_err(cannot)?;
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > bytes_max {
            let message = format!("has more than {bytes_max} bytes");
            return Err((message, "split it into several files"));
        }
        String::from_utf8(bytes).map_err(|_| ("is no text in UTF-8".to_owned(), "convert it"))
    }

    fn tell(&mut self, path: &str, message: String, remedy: &str) {
        self.problems.push(FileProblem {
            path: format!("{}{path}", self.shown),
            line: 1,
            column: 1,
            job: String::new(),
            field: String::new(),
            message,
            remedy: remedy.to_owned(),
        });
    }

    /// What the files say of which `is_wanted` is told the path; the others are there for these.
    fn end(self, is_wanted: impl Fn(&str) -> bool) -> FileReading {
        let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
        let script =
            |path: &str| self.open(path, COMMAND_BYTES_MAX as u64).map_err(|(message, _)| message);
        let set = FileSet { top: &self.shown, files: &self.files, script: &script };
        let mut reading = read_set(&set, &period);
        reading.jobs.retain(|job| is_wanted(&job.file));
        reading.problems.splice(0..0, self.problems);
        reading
    }
}
