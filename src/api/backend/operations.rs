//! What operators look at beside jobs and runs: what is paused, what is run once more, what waits, and why.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::{BacklogFilter, Reason, State, Timing, backlog, explain_run};
use crate::model::{
    Backfill, BackfillId, Intervention, Job, JobName, Pause, Run, Scope, Timestamp,
};

/// The part of the port that is for operators. Reads come from the read view, as all others.
pub trait Operations: Send + Sync {
    /// What is paused, and what is to be skipped: of all jobs.
    fn pauses(&self) -> Pauses;

    /// The backfills that go on and the latest that are over, oldest first.
    fn backfills(&self) -> Vec<Backfill>;

    /// One of them.
    fn backfill(&self, id: BackfillId) -> Option<Backfill>;

    /// Runs that have not been begun, in the order of recording.
    fn backlog(&self, wanted: &BacklogWanted) -> BacklogPage;

    /// The jobs of which such runs wait.
    fn waiting_jobs(&self) -> BTreeSet<JobName>;

    /// When a job comes of itself.
    fn timetable(&self, job: &JobName) -> Option<Timetable>;
}

/// What operators have done that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pauses {
    /// Whether everything is paused.
    pub everything: Option<Pause>,
    /// The jobs that are paused themselves, by name.
    pub jobs: Vec<(JobName, Pause)>,
    /// The occurrences that will be skipped: of which job, due when, and who wants it. By name, earliest first.
    pub skips: Vec<(JobName, Timestamp, Intervention)>,
}

impl Pauses {
    /// What there is in a state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut found = Self { everything: state.everything_paused().cloned(), ..Self::default() };
        for entry in state.jobs_by_name(None) {
            let name = &entry.job.name;
            let interventions = &entry.interventions;
            found
                .jobs
                .extend(interventions.pause.iter().map(|pause| (name.clone(), pause.clone())));
            let skips = interventions.skips.iter();
            found.skips.extend(skips.map(|skip| (name.clone(), skip.due_at, skip.by.clone())));
        }
        found
    }
}

/// Which page of the runs that have not been begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacklogWanted {
    /// Which of them.
    pub filter: BacklogFilter,
    /// Only those of jobs that it covers.
    pub scope: Scope,
    /// Only those that were recorded after this sequence.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// Some of the runs that have not been begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacklogPage {
    /// Each, with what it waits for.
    pub runs: Vec<(Run, Vec<Reason>)>,
    /// How many there are on all pages together.
    pub total: usize,
    /// After which sequence the next page begins; `None` on the last.
    pub next: Option<u64>,
}

impl BacklogPage {
    /// A page of what waits in a state. `now` is what the wall clock shows.
    #[must_use]
    pub fn of(state: &State, now: Timestamp, wanted: &BacklogWanted) -> Self {
        let BacklogWanted { filter, scope, after, limit } = wanted;
        let all = || backlog(state, filter).filter(|run| scope.covers(&run.job));
        let mut runs: Vec<&Run> = all().filter(|run| Some(run.sequence) > *after).collect();
        runs.sort_by_key(|run| run.sequence);
        let is_last = runs.len() <= *limit;
        runs.truncate(*limit);
        Self {
            next: runs.last().filter(|_| !is_last).map(|run| run.sequence),
            runs: runs.iter().map(|&run| (run.clone(), explain_run(state, now, run))).collect(),
            total: all().count(),
        }
    }
}

/// The jobs of which runs wait that have not been begun.
#[must_use]
pub fn waiting_jobs(state: &State) -> BTreeSet<JobName> {
    backlog(state, &BacklogFilter::default()).map(|run| run.job.clone()).collect()
}

/// When a job comes of itself, and what keeps it from that.
#[derive(Debug, Clone)]
pub struct Timetable {
    /// The job.
    pub job: Arc<Job>,
    /// What gives it its occurrences.
    pub timing: Timing,
    /// Whether nothing comes of it, because it is paused or everything is.
    pub is_paused: bool,
}

impl Timetable {
    /// That of a job, if there is one of that name.
    #[must_use]
    pub fn of(state: &State, name: &JobName) -> Option<Self> {
        let entry = state.job(name)?;
        Some(Self {
            job: Arc::clone(&entry.job),
            timing: entry.timing.clone(),
            is_paused: state.pause_of(entry).is_some(),
        })
    }
}
