//! The API's port, implemented: changes go through the loop, reads come from the view and the history.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::api::{self, Almanac, HistoryFilter, Info, JobView, RoundView, ZoneInfo};
use crate::audit::Audit;
use crate::clock;
use crate::driver::view::View;
use crate::driver::{Handle, error_chain};
use crate::engine::forecast::{self, Plan};
use crate::engine::{JobEntry, Reply, Request, RoundStanding, State, Timing};
use crate::launcher::local::output::{OutputReader, Stream};
use crate::model::{
    Duration, HistoryEntry, JobName, Run, RunId, RunState, Scope, When, whole_millis,
};
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
}

/// The program behind the API.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) handle: Handle,
    pub(super) view: Arc<View>,
    pub(super) reader: Reader,
    pub(super) output: OutputReader,
    pub(super) audit: Audit,
    pub(super) identity: Identity,
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

    fn jobs(&self) -> Vec<JobView> {
        let state = self.view.read();
        let mut jobs: Vec<JobView> = state.jobs().map(|entry| job_view(&state, entry)).collect();
        drop(state);
        jobs.sort_by(|a, b| a.record.job.name.cmp(&b.record.job.name));
        jobs
    }

    fn job(&self, name: &JobName) -> Option<JobView> {
        let state = self.view.read();
        state.job(name).map(|entry| job_view(&state, entry))
    }

    fn round(&self, job: &JobName) -> Option<RoundView> {
        let state = self.view.read();
        state.job(job).map(|entry| RoundView {
            terms: match &entry.job.when {
                When::Parents(terms) => Some(terms.clone()),
                When::Schedule(_) => None,
            },
            standing: RoundStanding::of(&state, entry),
        })
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

    fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: api::Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<api::Piece>> {
        let output = self.output.clone();
        let stream = match stream {
            api::Stream::Stdout => Stream::Stdout,
            api::Stream::Stderr => Stream::Stderr,
        };
        async move {
            let read = move || output.read(run, attempt, stream, position, max);
            let piece = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
            Ok(api::Piece {
                position: piece.position,
                bytes: piece.bytes.into(),
                omitted: piece.omitted,
                total: piece.total,
            })
        }
        .boxed()
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
            audit_problem: self.audit.problem(),
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
}

impl Backend {
    /// Reads the history on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, String> {
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || read(&reader))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error_chain(&error))
    }
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
        record: Arc::new(entry.to_record()),
        next_due: entry.next_due(),
        remaining,
        waits_for: RoundStanding::of(state, entry).map(|standing| standing.message),
        live: state.live_runs(entry.incarnation).count(),
    }
}
