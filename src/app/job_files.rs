//! A directory of job files that the scheduler keeps to: read at the start, and again whenever it changes.
//!
//! What it says is applied as `chronode apply` does it, for the directory's own source. A job whose file says what is
//! stored already is left alone: replacing it would begin a schedule with an empty start anew at every restart.
//!
//! A mistake is told with file, line, field and remedy, and keeps nothing else back: at the start a job, later on the
//! whole file, because half of what somebody is writing is not what they want. While anything cannot be read, nothing
//! counts as missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::security::PROCESS;
use crate::api::JobFilesView;
use crate::audit::{Audit, Outcome, Record};
use crate::clock;
use crate::driver::view::View;
use crate::driver::{Handle, Unavailable};
use crate::engine::{Applied, ApplyTerms, Rejection, Reply, Request, SourceTerms};
use crate::jobset::{self, Look};
use crate::jobspec::{FileJob, FileProblem};
use crate::model::{ApplyOutcome, Dialect, Duration, JobDraft, JobName, SourceName};

/// The source of a directory that has no name of its own.
const SOURCE: &str = "serve";
/// Jobs stored at once: one decision, during which nothing else is decided.
const AT_ONCE: usize = 1_000;
/// Between two looks at the directory.
const LOOK: Duration = Duration::from_secs(1);
/// For so long nothing may change before it is read: an editor writes several files.
const SETTLED: Duration = Duration::from_millis(100);
/// Problems that are shown; the log has all of them.
const SHOWN_MAX: usize = 20;

/// What came of a directory.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Jobs created or replaced.
    pub(super) stored: usize,
    /// Jobs that were the same already.
    pub(super) unchanged: usize,
    /// Jobs deleted because the directory does not have them any more.
    pub(super) removed: usize,
    /// What is wrong, each a line with the place and the remedy.
    pub(super) problems: Vec<String>,
    /// What is odd but accepted.
    pub(super) warnings: Vec<String>,
}

/// How far a mistake reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To the job that has it.
    Job,
    /// To all jobs of its file.
    File,
}

/// A directory of job files, and where its jobs go.
#[derive(Debug)]
pub(super) struct JobFiles {
    directory: PathBuf,
    /// Whether jobs are deleted that it does not have any more.
    is_pruning: bool,
    handle: Handle,
    view: Arc<View>,
    audit: Audit,
    /// What it was when it was read.
    seen: Result<Look, String>,
    shown: Shown,
}

/// How the files fare, for readers.
#[derive(Debug, Clone)]
pub(super) struct Shown(Arc<Mutex<JobFilesView>>);

impl Shown {
    pub(super) fn read(&self) -> JobFilesView {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether there is a directory of job files, of which it is known whose jobs may be deleted.
///
/// # Errors
///
/// A sentence if the directory cannot be read, or names no source although that decides what is deleted.
pub(super) fn check(directory: &Path, is_pruning: bool) -> Result<(), String> {
    jobset::look(directory)?;
    if is_pruning && jobset::read(directory)?.source.is_none() {
        return Err(format!(
            "`{}` has no `_source.yaml`, which says whose jobs are deleted: write `name: NAME` into one",
            directory.display()
        ));
    }
    Ok(())
}

impl JobFiles {
    /// Prepares to read `directory`.
    pub(super) fn new(
        directory: &Path,
        is_pruning: bool,
        is_watched: bool,
        handle: Handle,
        view: Arc<View>,
        audit: Audit,
    ) -> Self {
        let shown = JobFilesView {
            directory: directory.display().to_string(),
            source: String::new(),
            is_watched,
            is_pruning,
            read_at: clock::wall(),
            problem_count: 0,
            problems: Vec::new(),
        };
        let shown = Shown(Arc::new(Mutex::new(shown)));
        // Before it is read: what changes meanwhile is read again.
        let seen = jobset::look(directory);
        Self { directory: directory.to_owned(), is_pruning, handle, view, audit, seen, shown }
    }

    /// How it fares, from now on.
    pub(super) fn shown(&self) -> Shown {
        self.shown.clone()
    }

    /// Applies the directory for the first time.
    ///
    /// # Errors
    ///
    /// A sentence if the directory cannot be read.
    pub(super) async fn load(&self) -> Result<Loaded, String> {
        self.apply(Reach::Job).await
    }

    /// Applies the directory whenever it has changed, for ever.
    pub(super) async fn watch(mut self) {
        loop {
            clock::pause(LOOK).await;
            let mut now = self.look().await;
            if now == self.seen {
                continue;
            }
            loop {
                clock::pause(SETTLED).await;
                let again = self.look().await;
                if again == now {
                    break;
                }
                now = again;
            }
            self.seen = now;
            match self.apply(Reach::File).await {
                Ok(loaded) => {
                    let Loaded { stored, unchanged, removed, problems, warnings } = loaded;
                    tracing::info!(
                        "job files: {stored} loaded, {unchanged} unchanged, {removed} deleted, {} refused",
                        problems.len()
                    );
                    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                    problems.iter().for_each(|problem| tracing::error!("{problem}"));
                }
                Err(problem) => {
                    tracing::error!("{problem}; the jobs stay as they are");
                    self.show(None, &[problem]);
                }
            }
        }
    }

    async fn look(&self) -> Result<Look, String> {
        let directory = self.directory.clone();
        let look = move || jobset::look(&directory);
        tokio::task::spawn_blocking(look).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn show(&self, source: Option<&SourceName>, problems: &[String]) {
        let mut shown = self.shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = source {
            source.as_str().clone_into(&mut shown.source);
        }
        shown.read_at = clock::wall();
        shown.problem_count = problems.len();
        shown.problems = problems.iter().take(SHOWN_MAX).cloned().collect();
    }

    async fn apply(&self, reach: Reach) -> Result<Loaded, String> {
        let directory = self.directory.clone();
        let read = move || {
            let reading = jobset::read(&directory)?;
            let source = jobset::source_of(&directory, &reading);
            Ok::<_, String>((reading, source))
        };
        let (reading, source) =
            tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())??;
        let source = source.unwrap_or_else(|_| {
            SourceName::parse(SOURCE).expect("letters alone are a name of a source")
        });
        let mut round = Round {
            files: self,
            source,
            reach,
            broken: reading.problems.iter().map(|problem| problem.path.clone()).collect(),
            loaded: Loaded::default(),
        };
        round.loaded.problems.extend(reading.problems.iter().map(ToString::to_string));
        let names: BTreeSet<JobName> =
            reading.jobs.iter().map(|job| job.draft.name.clone()).collect();
        let is_whole = reading.problems.is_empty();
        round.store(reading.jobs).await;
        if is_whole {
            round.lose(&names).await;
        }
        let Round { source, loaded, .. } = round;
        self.show(Some(&source), &loaded.problems);
        Ok(loaded)
    }
}

/// One reading of the directory, on its way into the store.
struct Round<'a> {
    files: &'a JobFiles,
    source: SourceName,
    reach: Reach,
    /// Files in which something is wrong.
    broken: BTreeSet<String>,
    loaded: Loaded,
}

impl Round<'_> {
    async fn store(&mut self, jobs: Vec<FileJob>) {
        let mut jobs: Vec<FileJob> = jobs.into_iter().filter(|job| !self.is_out(job)).collect();
        for job in &jobs {
            self.loaded.warnings.extend(job.warnings.iter().map(ToString::to_string));
        }
        // A job is refused whose parents are not there yet.
        let drafts: Vec<&JobDraft> = jobs.iter().map(|job| &job.draft).collect();
        let order = JobDraft::parents_first(&drafts);
        let mut left: BTreeMap<usize, FileJob> = jobs.drain(..).enumerate().collect();
        let ordered: Vec<FileJob> =
            order.into_iter().filter_map(|index| left.remove(&index)).collect();
        for part in ordered.chunks(AT_ONCE) {
            let mut part = part.to_vec();
            while !part.is_empty() && !self.store_at_once(&mut part).await {}
        }
    }

    /// Whether a mistake elsewhere keeps a job back.
    fn is_out(&self, job: &FileJob) -> bool {
        self.reach == Reach::File && self.broken.contains(&job.path())
    }

    /// Stores some jobs. Where some are refused, none is stored: they are told, and left out of `jobs`, so that the
    /// others can be tried again. Whether there is nothing left to be tried.
    async fn store_at_once(&mut self, jobs: &mut Vec<FileJob>) -> bool {
        let drafts = jobs.iter().map(|job| job.draft.clone()).collect();
        let place = |job: &FileJob| (job.draft.name.clone(), job.file.to_string());
        let terms = self.terms(jobs.iter().map(place).collect(), Vec::new(), Vec::new());
        match self.ask(drafts, terms).await {
            Ok(Reply::Applied { jobs: applied }) => {
                for (job, applied) in jobs.iter().zip(&applied) {
                    self.done(applied, &job.place());
                }
                true
            }
            Ok(Reply::ApplyRefused(refused)) => {
                let mut out = BTreeSet::new();
                for (index, rejection) in refused {
                    let Some(job) = jobs.get(index) else { continue };
                    self.refused(job, &rejection);
                    out.insert(index);
                    self.broken.insert(job.path());
                }
                let all = std::mem::take(jobs).into_iter().enumerate();
                let left = all.filter(|(index, job)| !out.contains(index) && !self.is_out(job));
                jobs.extend(left.map(|(_, job)| job));
                false
            }
            Ok(other) => self.unclear(&other),
            Err(Unavailable { reason }) => {
                for job in jobs.iter() {
                    let name = job.draft.name.as_str();
                    let outcome = Outcome::Unknown;
                    let record = Record { outcome, ..self.record("put", name, &job.place()) };
                    self.files.audit.record(&record);
                }
                let shown = self.files.directory.display();
                self.loaded.problems.push(format!("{shown}: {reason}"));
                true
            }
        }
    }

    /// Deletes the jobs of the source that the directory does not have, or notes that it has them no more.
    async fn lose(&mut self, names: &BTreeSet<JobName>) {
        let lost: Vec<JobName> = {
            let state = self.files.view.read();
            let is_lost = |name: &JobName, source: &SourceName| {
                *source == self.source && !names.contains(name)
            };
            let jobs = state.jobs().filter(|entry| {
                let origin = entry.interventions.origin.as_ref();
                origin.is_some_and(|origin| is_lost(&entry.job.name, &origin.source))
            });
            jobs.map(|entry| entry.job.name.clone()).collect()
        };
        if lost.is_empty() {
            return;
        }
        let shown = self.files.directory.display();
        let is_empty = names.is_empty();
        if is_empty && self.files.is_pruning {
            // A disk that is not mounted looks so.
            self.loaded.problems.push(format!(
                "{shown}: it has no job at all, so that nothing is deleted: delete the {} jobs of `{}` by hand if that is \
                 meant",
                lost.len(),
                self.source
            ));
        }
        let (removed, gone) = if self.files.is_pruning && !is_empty {
            (lost, Vec::new())
        } else {
            for name in &lost {
                self.loaded.warnings.push(format!(
                    "{shown}: the job `{name}` is not there any more, and stays as it is; delete it, or see `--jobs_prune`"
                ));
            }
            (Vec::new(), lost)
        };
        let terms = self.terms(BTreeMap::new(), removed, gone);
        match self.ask(Vec::new(), terms).await {
            Ok(Reply::Applied { jobs }) => {
                let place = shown.to_string();
                jobs.iter().for_each(|applied| self.done(applied, &place));
            }
            Ok(Reply::ApplyRefused(refused)) => {
                let told = refused.iter().map(|(_, it)| format!("{shown}: {}", it.message));
                self.loaded.problems.extend(told);
            }
            Ok(other) => drop(self.unclear(&other)),
            Err(Unavailable { reason }) => {
                self.loaded.problems.push(format!("{shown}: {reason}"));
            }
        }
    }

    fn terms(
        &self,
        places: BTreeMap<JobName, String>,
        removed: Vec<JobName>,
        gone: Vec<JobName>,
    ) -> ApplyTerms {
        let name = self.source.clone();
        let source = SourceTerms { name, places, removed, gone, takes_over: false };
        ApplyTerms { source: Some(source), expected: BTreeMap::new() }
    }

    async fn ask(&self, drafts: Vec<JobDraft>, terms: ApplyTerms) -> Result<Reply, Unavailable> {
        self.files.handle.ask(Request::Apply { drafts, dialect: Dialect::V0, terms }).await
    }

    fn record(&self, what: &'static str, name: &str, place: &str) -> Record {
        Record {
            caller: PROCESS.to_owned(),
            door: "file".to_owned(),
            path: place.to_owned(),
            what,
            jobs: vec![name.to_owned()],
            ..Record::default()
        }
    }

    fn done(&mut self, applied: &Applied, place: &str) {
        let Applied { name, version, outcome, warnings, consequences, .. } = applied;
        let (what, detail) = match outcome {
            ApplyOutcome::Unchanged => {
                self.loaded.unchanged += 1;
                return;
            }
            ApplyOutcome::Created => ("put", "created"),
            ApplyOutcome::Replaced => ("put", "replaced"),
            ApplyOutcome::Removed => ("delete", ""),
        };
        match outcome {
            ApplyOutcome::Removed => self.loaded.removed += 1,
            ApplyOutcome::Created | ApplyOutcome::Replaced | ApplyOutcome::Unchanged => {
                self.loaded.stored += 1;
            }
        }
        let record = self.record(what, name.as_str(), place);
        let (detail, revision) = (detail.to_owned(), Some(version.revision));
        self.files.audit.record(&Record { detail, revision, ..record });
        let sentences = warnings.iter().chain(consequences);
        self.loaded.warnings.extend(sentences.map(|told| format!("{place}: {name}: {told}")));
    }

    fn refused(&mut self, job: &FileJob, rejection: &Rejection) {
        let name = job.draft.name.as_str();
        let (status, code) = (400, rejection.code.as_str());
        let record = self.record("put", name, &job.place());
        self.files.audit.record(&Record { outcome: Outcome::Refused { status, code }, ..record });
        let Rejection { field, message, remedy, .. } = rejection;
        let message = format!("job `{name}`, field `{field}`: {message}");
        let problem: FileProblem = job.finding(field, message, remedy.clone());
        self.loaded.problems.push(problem.to_string());
    }

    fn unclear(&mut self, reply: &Reply) -> bool {
        let shown = self.files.directory.display();
        self.loaded.problems.push(format!("{shown}: what became of it is unclear: {reply:?}"));
        true
    }
}
