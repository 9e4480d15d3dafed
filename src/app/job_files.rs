//! Loading a directory of job files at the start.
//!
//! A job whose file says what is stored already is left alone: replacing it would begin a schedule with an empty start
//! anew at every restart. A file with a mistake is told with file, line, field and remedy; the others still load.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::security::PROCESS;
use crate::audit::{Audit, Outcome, Record};
use crate::driver::view::View;
use crate::driver::{Handle, Unavailable};
use crate::engine::{Reply, Request};
use crate::jobspec::{FileJob, read_file};
use crate::model::{Dialect, JobDraft, JobName};
use crate::schedule::parse_period;

/// Bytes of a job file; a larger one is no job file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What came of a directory.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Jobs created or replaced.
    pub(super) stored: usize,
    /// Jobs that were the same already.
    pub(super) unchanged: usize,
    /// What is wrong, each a line with the place and the remedy.
    pub(super) problems: Vec<String>,
    /// What is odd but accepted.
    pub(super) warnings: Vec<String>,
}

/// Loads every `.yaml` and `.yml` file of `directory`, in the order of their names.
///
/// # Errors
///
/// A sentence if the directory cannot be read.
pub(super) async fn load(
    directory: &Path,
    handle: &Handle,
    view: &View,
    audit: &Audit,
) -> Result<Loaded, String> {
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let mut loaded = Loaded::default();
    let mut seen: BTreeMap<JobName, String> = BTreeMap::new();
    let mut jobs: Vec<(String, FileJob)> = Vec::new();
    for path in files(directory)? {
        let shown = path.display().to_string();
        let text = match read(&path) {
            Ok(text) => text,
            Err(problem) => {
                loaded.problems.push(format!("{shown}: {problem}"));
                continue;
            }
        };
        let reading = read_file(&shown, &text, &period);
        loaded.problems.extend(reading.problems.iter().map(ToString::to_string));
        for mut job in reading.jobs {
            job.draft = whole(job.draft);
            let place = format!("{shown}:{}", job.line);
            if let Some(first) = seen.insert(job.draft.name.clone(), place.clone()) {
                loaded.problems.push(format!(
                    "{place}: job `{}` stands in {first} already: rename or remove one of them",
                    job.draft.name
                ));
                continue;
            }
            jobs.push((shown.clone(), job));
        }
    }
    // In the order of their files, but each behind its parents: a job is refused whose parents are not there yet.
    let drafts: Vec<&JobDraft> = jobs.iter().map(|(_, job)| &job.draft).collect();
    let order = JobDraft::parents_first(&drafts);
    let mut left: BTreeMap<usize, (String, FileJob)> = jobs.into_iter().enumerate().collect();
    for (shown, job) in order.into_iter().filter_map(|index| left.remove(&index)) {
        store(&shown, job, handle, view, audit, &mut loaded).await;
    }
    Ok(loaded)
}

/// A file says all there is: what it leaves out is not what a client of one dialect could not see.
fn whole(draft: JobDraft) -> JobDraft {
    JobDraft {
        max_completion_secs: Some(draft.max_completion_secs.unwrap_or(0)),
        shadow: Some(draft.shadow.unwrap_or_default()),
        concurrent: draft.concurrent.or(draft.overlap.is_none().then_some(false)),
        ..draft
    }
}

/// Whether there is a directory of job files to load.
///
/// # Errors
///
/// A sentence if the directory cannot be read.
pub(super) fn check(directory: &Path) -> Result<(), String> {
    files(directory).map(drop)
}

async fn store(
    shown: &str,
    job: FileJob,
    handle: &Handle,
    view: &View,
    audit: &Audit,
    loaded: &mut Loaded,
) {
    loaded.warnings.extend(job.warnings.iter().cloned());
    if is_stored(&job.draft, view) {
        loaded.unchanged += 1;
        return;
    }
    let name = job.draft.name.clone();
    let request = Request::PutJob { draft: Box::new(job.draft.clone()), dialect: Dialect::V0 };
    let record = Record {
        caller: PROCESS.to_owned(),
        door: "file".to_owned(),
        path: format!("{shown}:{}", job.line),
        what: "put",
        jobs: vec![name.to_string()],
        ..Record::default()
    };
    match handle.ask(request).await {
        Ok(Reply::Stored { version, created, warnings, consequences }) => {
            loaded.stored += 1;
            let detail = if created { "created" } else { "replaced" }.to_owned();
            audit.record(&Record { detail, revision: Some(version.revision), ..record });
            let place = format!("{shown}:{}", job.line);
            let sentences = warnings.iter().chain(&consequences);
            loaded.warnings.extend(sentences.map(|told| format!("{place}: {name}: {told}")));
        }
        Ok(Reply::Refused(rejection)) => {
            let code = rejection.code.as_str();
            audit.record(&Record { outcome: Outcome::Refused { status: 400, code }, ..record });
            let (line, column) = job.place_of(&rejection.field);
            let remedy = if rejection.remedy.is_empty() {
                String::new()
            } else {
                format!(": {}", rejection.remedy)
            };
            loaded.problems.push(format!(
                "{shown}:{line}:{column}: job `{name}`, field `{}`: {}{remedy}",
                rejection.field, rejection.message
            ));
        }
        Ok(other) => loaded
            .problems
            .push(format!("{shown}: job `{name}`: its outcome is unclear: {other:?}")),
        Err(Unavailable { reason }) => {
            audit.record(&Record { outcome: Outcome::Unknown, ..record });
            loaded.problems.push(format!("{shown}: {reason}"));
        }
    }
}

/// Whether the store has just what the draft asks for.
fn is_stored(draft: &JobDraft, view: &View) -> bool {
    let state = view.read();
    let Some(entry) = state.job(&draft.name) else { return false };
    let mut draft = draft.clone();
    entry.keep_disabled(&mut draft, &state.settings);
    let wanted = draft.resolve(Some(&entry.job), Dialect::V0, &state.settings.defaults);
    wanted == *entry.job
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error: std::io::Error| {
        format!("cannot read the job directory `{}`: {error}", directory.display())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let is_yaml =
            path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, String> {
    let length = path.metadata().map_err(|error| error.to_string())?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!(
            "the file has {length} bytes, more than {FILE_BYTES_MAX}: split it into several files"
        ));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}
