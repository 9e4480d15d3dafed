//! The API's port, implemented: changes go through the loop, reads come from the view and the history.

mod alerting;
mod operations;
mod pages;
mod sandbox;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::cluster::Cluster;
use super::job_files::Shown;
use crate::api::{
    self, Almanac, HistoryFilter, Info, JobBrief, JobExplained, JobFilesView, JobHead, JobState,
    JobStatus, JobView, RoundView, ZoneInfo,
};
use crate::audit::Audit;
use crate::clock;
use crate::driver::view::View;
use crate::driver::{Handle, error_chain};
use crate::engine::forecast::{self, Plan};
use crate::engine::{
    JobEntry, Reason, Reply, Request, RoundStanding, State, Timing, explain_job, explain_run,
    repeated,
};
use crate::launcher::local::output::{OutputReader, Stream};
use crate::metrics::{Doing, Figures, Levels, Metrics, VALUES_MAX};
use crate::model::{
    Duration, HistoryEntry, Incarnation, JobName, RequestKey, Run, RunId, RunState, Scope, TaskId,
    Timestamp, When, whole_millis,
};
use crate::notify::Channel;
use crate::schedule::{Remaining, ZoneDb};
use crate::store::{self, Reader};

/// How long a client is asked to wait before it tries again. Longer than most disks stay full, shorter than patience.
const RETRY_AFTER_SECS: u32 = 2;
/// Between two looks at output that may have grown.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

/// What never changes while a process runs.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) node: String,
    pub(super) listening: Vec<String>,
    pub(super) launcher: String,
    /// The masters of the cluster, as they were given; `None` where commands are started on this machine.
    pub(super) master: Option<String>,
    /// The roles whose resources are used there.
    pub(super) roles: Vec<String>,
    /// This node, as its clients reach it.
    pub(super) leader: String,
}

/// The program behind the API.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) handle: Handle,
    pub(super) view: Arc<View>,
    pub(super) reader: Reader,
    pub(super) output: OutputReader,
    /// Where commands run elsewhere.
    pub(super) cluster: Option<Cluster>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) job_history_limit: usize,
    pub(super) audit: Audit,
    pub(super) identity: Identity,
    /// What people are told by, by name.
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) letterhead: Letterhead,
    /// How the directory of job files fares, if there is one.
    pub(super) job_files: Option<Shown>,
}

/// What stands on everything that people are told.
#[derive(Debug, Clone)]
pub(super) struct Letterhead {
    /// Where the web page is, if anybody knows.
    pub(super) base_url: Option<String>,
    /// What this installation is called; may be empty.
    pub(super) cluster_name: String,
    /// Its name in identifiers of mails.
    pub(super) host: String,
}

impl api::Backend for Backend {
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Reply, api::Unavailable>> {
        async move {
            self.handle.ask(request).await.map_err(|error| api::Unavailable {
                reason: error.reason,
                retry_after_secs: RETRY_AFTER_SECS,
            })
        }
        .boxed()
    }

    fn still_for(&self) -> Duration {
        self.handle.pulse().still_for()
    }

    fn repeated(&self, key: &RequestKey) -> Option<Reply> {
        repeated(&self.view.read(), clock::wall(), key)
    }

    fn jobs_after(&self, after: Option<&JobName>, limit: usize) -> Vec<JobView> {
        let state = self.view.read();
        within_bounds(&state, state.jobs_by_name(after), limit)
            .map(|entry| job_view(&state, entry))
            .collect()
    }

    fn briefs_after(&self, after: Option<Incarnation>, limit: usize) -> Vec<JobBrief> {
        let state = self.view.read();
        within_bounds(&state, state.jobs_after(after), limit)
            .map(|entry| JobBrief {
                incarnation: entry.incarnation,
                job: Arc::clone(&entry.job),
                status: JobStatus::of(&entry.stats),
                state: JobState::of(state.live_runs(entry.incarnation)),
                success_count: entry.stats.success_count,
                error_count: entry.stats.error_count,
            })
            .collect()
    }

    fn job(&self, name: &JobName) -> Option<JobView> {
        let state = self.view.read();
        state.job(name).map(|entry| job_view(&state, entry))
    }

    fn job_of_task(&self, task_id: &TaskId) -> Option<JobName> {
        let state = self.view.read();
        state.run_that_may_report(task_id).map(|run| run.job.clone())
    }

    fn round(&self, job: &JobName, scope: &Scope) -> Option<RoundView> {
        let state = self.view.read();
        state.job(job).map(|entry| RoundView {
            terms: match &entry.job.when {
                When::Parents(terms) => Some(terms.clone()),
                When::Schedule(_) => None,
            },
            standing: RoundStanding::within(&state, entry, scope),
        })
    }

    fn explain_job(
        &self,
        job: &JobName,
        now: Timestamp,
        last: &[HistoryEntry],
        scope: &Scope,
    ) -> Option<JobExplained> {
        let state = self.view.read();
        state.job(job).map(|entry| JobExplained {
            reasons: explain_job(&state, now, entry, last, scope),
            next_due: entry.next_due(),
        })
    }

    fn explain_run(&self, run: &Run, now: Timestamp) -> Vec<Reason> {
        let state = self.view.read();
        // What was live when it was read may have gone on since.
        let newer = state.run(run.id).filter(|_| !run.is_ended());
        explain_run(&state, now, newer.unwrap_or(run))
    }

    fn history(
        &self,
        filter: HistoryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<HistoryEntry>, String>> {
        let HistoryFilter { job, verdict, live, scope } = filter;
        let filter = store::Filter { job, verdict, live, scope, ..store::Filter::default() };
        self.read(move |reader| reader.list(&filter, before, limit)).boxed()
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, String>> {
        self.read(move |reader| reader.run(id)).boxed()
    }

    fn caused_by(
        &self,
        causes: Vec<RunId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Run>, String>> {
        self.read(move |reader| reader.caused_by(&causes, limit)).boxed()
    }

    fn newest_runs(&self, jobs: Vec<JobName>) -> BoxFuture<'_, Result<api::NewestRuns, String>> {
        self.read(move |reader| reader.newest_runs(&jobs)).boxed()
    }

    fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: api::Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<api::Piece>> {
        let output = self.output.clone();
        let name = stream.as_str();
        let stream = match stream {
            api::Stream::Stdout => Stream::Stdout,
            api::Stream::Stderr => Stream::Stderr,
        };
        async move {
            let here = async || {
                let output = output.clone();
                let read = move || output.read(run, attempt, stream, position, max);
                let piece = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
                Ok::<_, io::Error>(api::Piece {
                    position: piece.position,
                    bytes: piece.bytes.into(),
                    omitted: piece.omitted,
                    total: piece.total,
                })
            };
            if self.cluster.is_none() {
                let piece = here().await?;
                if piece.total > 0 {
                    return Ok(piece);
                }
            }
            let Some(sandbox) = self.sandbox(run, attempt).await? else { return here().await };
            match self.read_there(&sandbox, name, position, max).await {
                // What was kept here at the end of the run is all there is then.
                Err(error) if error.get_ref().is_some() => match here().await {
                    Ok(piece) if piece.total > 0 => Ok(piece),
                    Ok(_) | Err(_) => Err(error),
                },
                found => found,
            }
        }
        .boxed()
    }

    fn took(&self, job: Incarnation) -> BoxFuture<'_, Result<Figures, String>> {
        self.read(move |reader| {
            let mut took = reader.took(job, VALUES_MAX)?;
            Ok(Figures::of(&mut took))
        })
        .boxed()
    }

    fn took_by_all(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Figures>, String>> {
        self.read(|reader| {
            let mut figures = BTreeMap::new();
            reader.took_by_all(VALUES_MAX, |job, took| {
                figures.insert(job, Figures::of(took));
            })?;
            Ok(figures)
        })
        .boxed()
    }

    fn job_history_limit(&self) -> usize {
        self.job_history_limit
    }

    fn leader(&self) -> Option<String> {
        // Whoever serves on one machine leads: without having begun a term nobody listens.
        Some(self.identity.leader.clone())
    }

    fn levels(&self) -> Levels {
        Levels::of(&self.view.read())
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    fn info(&self, scope: &Scope) -> Info {
        let state = self.view.read();
        let counted = Counted::within(scope, &state);
        let zones = &state.settings.zones;
        Info {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.identity.node.clone(),
            listening: self.identity.listening.clone(),
            zones: ZoneInfo {
                version: zones.version().to_owned(),
                source: zones.source().to_string(),
                is_pinned: zones.is_pinned(),
                bundled: ZoneDb::bundled_version().to_owned(),
                host: zones.host_version().map(str::to_owned),
            },
            launcher: self.identity.launcher.clone(),
            launcher_problem: state.launcher_gone().map(str::to_owned),
            framework: state
                .framework()
                .filter(|_| self.identity.master.is_some())
                .map(ToString::to_string),
            master: self.identity.master.clone(),
            roles: self.identity.roles.clone(),
            audit_problem: self.audit.problem(),
            job_files: self.job_files.as_ref().map(|files| {
                let shown = files.read();
                // They may name jobs that whoever asks may not see.
                let problems = match scope {
                    Scope::All => shown.problems.clone(),
                    Scope::Only(_) => Vec::new(),
                };
                JobFilesView { problems, ..shown }
            }),
            clock: state.clock().doubt().copied(),
            paused: state.everything_paused().cloned(),
            jobs: counted.jobs,
            live_runs: counted.live_runs,
            pending_runs: counted.pending_runs,
        }
    }

    fn almanac(&self) -> Almanac {
        Almanac { now: whole_millis(clock::wall()), zones: self.view.read().settings.zones.clone() }
    }

    fn plans(&self, job: Option<&JobName>) -> Vec<Plan> {
        forecast::plans(&self.view.read(), job)
    }

    fn pause(&self) -> BoxFuture<'_, ()> {
        clock::pause(FOLLOW_PAUSE).boxed()
    }

    fn revisions(
        &self,
        job: &JobName,
        before: Option<api::RevisionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<api::RevisionView>, String>> {
        let job = job.clone();
        let before = before.map(|id| (id.incarnation, id.revision));
        let found = self.read(move |reader| reader.revisions(&job, before, limit));
        found.map(|found| found.map(|found| found.into_iter().map(revision_view).collect())).boxed()
    }

    fn feed(&self) -> Arc<dyn api::Feed> {
        self.view.feed().clone()
    }
}

fn revision_view(found: store::Revision) -> api::RevisionView {
    let store::Revision { incarnation, revision, accepted_at, job, is_removed } = found;
    let id = api::RevisionId { incarnation, revision };
    api::RevisionView { id, accepted_at, job, is_removed }
}

impl Backend {
    /// Reads the history on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, String> {
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        read.map_err(|error| error.to_string())?.map_err(|error| {
            self.metrics.store_failed(Doing::Read);
            error_chain(&error)
        })
    }
}

/// Parents and live runs looked at in one go for a list, beside its jobs. Who reads holds up what was committed.
const LOOKED_AT_MAX: usize = 8_192;

/// The first `limit` of `jobs`, but no more than can be looked at in one go; at least one.
fn within_bounds<'a>(
    state: &State,
    jobs: impl Iterator<Item = &'a JobEntry>,
    limit: usize,
) -> impl Iterator<Item = &'a JobEntry> {
    let mut looked_at = 0_usize;
    jobs.take(limit).take_while(move |entry| {
        let is_within = looked_at < LOOKED_AT_MAX;
        let parents = match &entry.job.when {
            When::Parents(terms) => terms.names.len(),
            When::Schedule(_) => 0,
        };
        looked_at += parents + state.live_runs(entry.incarnation).count();
        is_within
    })
}

/// How much there is of what a caller may see.
struct Counted {
    jobs: usize,
    live_runs: usize,
    pending_runs: usize,
}

impl Counted {
    fn within(scope: &Scope, state: &State) -> Self {
        match scope {
            Scope::All => Self {
                jobs: state.jobs().len(),
                live_runs: state.runs().len(),
                pending_runs: state.pending_count(),
            },
            Scope::Only(_) => {
                let runs = || state.runs().filter(|run| scope.covers(&run.job));
                let is_pending = |run: &&Run| matches!(run.state, RunState::Pending { .. });
                Self {
                    jobs: state.jobs().filter(|entry| scope.covers(&entry.job.name)).count(),
                    live_runs: runs().count(),
                    pending_runs: runs().filter(is_pending).count(),
                }
            }
        }
    }
}

fn job_view(state: &State, entry: &JobEntry) -> JobView {
    let remaining = match &entry.timing {
        Timing::Schedule(schedule) => {
            match schedule.remaining_after(entry.progress.decided_through) {
                Remaining::Unlimited => None,
                Remaining::Count(count) => Some(count),
            }
        }
        Timing::Parents | Timing::Broken(_) => None,
    };
    JobView {
        record: JobHead {
            incarnation: entry.incarnation,
            revision: entry.revision,
            accepted_at: entry.accepted_at,
            job: Arc::clone(&entry.job),
            stats: entry.stats.clone(),
            origin: entry.interventions.origin.clone(),
        },
        next_due: entry.next_due(),
        remaining,
        waits_for: RoundStanding::of(state, entry).map(|standing| standing.message),
        live: state.live_runs(entry.incarnation).count(),
        state: JobState::of(state.live_runs(entry.incarnation)),
    }
}
