//! Loading a directory of job files at the start.
//!
//! A job whose file says what is stored already is left alone: replacing it would begin a schedule with an empty start
//! anew at every restart. A file with a mistake is told with file, line, field and remedy; the others still load.

use std::collections::BTreeMap;
use std::path::Path;

use super::security::PROCESS;
use crate::audit::{Audit, Outcome, Record};
use crate::driver::view::View;
use crate::driver::{Handle, Unavailable};
use crate::engine::{Reply, Request};
use crate::jobset;
use crate::jobspec::FileJob;
use crate::model::{Dialect, JobDraft};

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

/// Loads every job file of `directory` and of those below it, in the order of their paths.
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
    let reading = jobset::read(directory)?;
    let mut loaded = Loaded::default();
    loaded.problems.extend(reading.problems.iter().map(ToString::to_string));
    let mut jobs = reading.jobs;
    jobs.iter_mut().for_each(|job| job.draft = whole(job.draft.clone()));
    // In the order of their files, but each behind its parents: a job is refused whose parents are not there yet.
    let drafts: Vec<&JobDraft> = jobs.iter().map(|job| &job.draft).collect();
    let order = JobDraft::parents_first(&drafts);
    let mut left: BTreeMap<usize, FileJob> = jobs.into_iter().enumerate().collect();
    for job in order.into_iter().filter_map(|index| left.remove(&index)) {
        store(job, handle, view, audit, &mut loaded).await;
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
    jobset::look(directory).map(drop)
}

async fn store(job: FileJob, handle: &Handle, view: &View, audit: &Audit, loaded: &mut Loaded) {
    loaded.warnings.extend(job.warnings.iter().map(ToString::to_string));
    if is_stored(&job.draft, view) {
        loaded.unchanged += 1;
        return;
    }
    let name = job.draft.name.clone();
    let request = Request::PutJob { draft: Box::new(job.draft.clone()), dialect: Dialect::V0 };
    let place = job.place();
    let record = Record {
        caller: PROCESS.to_owned(),
        door: "file".to_owned(),
        path: place.clone(),
        what: "put",
        jobs: vec![name.to_string()],
        ..Record::default()
    };
    match handle.ask(request).await {
        Ok(Reply::Stored { version, created, warnings, consequences }) => {
            loaded.stored += 1;
            let detail = if created { "created" } else { "replaced" }.to_owned();
            audit.record(&Record { detail, revision: Some(version.revision), ..record });
            let sentences = warnings.iter().chain(&consequences);
            loaded.warnings.extend(sentences.map(|told| format!("{place}: {name}: {told}")));
        }
        Ok(Reply::Refused(rejection)) => {
            let code = rejection.code.as_str();
            audit.record(&Record { outcome: Outcome::Refused { status: 400, code }, ..record });
            let field = &rejection.field;
            let message = format!("job `{name}`, field `{field}`: {}", rejection.message);
            loaded.problems.push(job.finding(field, message, rejection.remedy.clone()).to_string());
        }
        Ok(other) => {
            loaded
                .problems
                .push(format!("{place}: job `{name}`: its outcome is unclear: {other:?}"));
        }
        Err(Unavailable { reason }) => {
            audit.record(&Record { outcome: Outcome::Unknown, ..record });
            loaded.problems.push(format!("{place}: {reason}"));
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
