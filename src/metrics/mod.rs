//! What is counted and measured while the program runs.
//!
//! One [`Metrics`] is made at the start and handed to whoever has something to tell: the read view, which follows what
//! was committed; the driver, which commits; the front of the API, which answers. There is no global registry, so tests
//! may have as many as they like. Levels, such as how many runs are live, are not counted along: they are taken from
//! the committed state when somebody asks ([`Levels`]).
//!
//! Counts begin with the process. What survives it is in the store, and is not repeated here.
//!
//! Labels have few values each: job names are none, because a hundred thousand jobs would make as many series.

mod cluster;
mod figures;
mod levels;
mod meter;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::engine::{Change, State};
use crate::model::{
    Attempt, AttemptState, BootInstant, ClusterCounts, Duration, Run, RunState, Timestamp, Trigger,
    Verdict,
};

use cluster::Cluster;
pub use figures::Figures;
pub use levels::Levels;
pub use meter::{Meter, Rates, Reservoir, Timer, VALUES_MAX};

/// Starts later than due: most within milliseconds, and beyond a minute hardly any.
const LATENESS_BUCKETS: [f64; 12] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0, 600.0];
/// Commands: from a tenth of a second to a day.
const DURATION_BUCKETS: [f64; 10] =
    [0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
/// Commits and answers.
const LATENCY_BUCKETS: [f64; 11] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

type Label = [(&'static str, &'static str); 1];
type RequestLabels = [(&'static str, Cow<'static, str>); 3];
type RouteLabels = [(&'static str, Cow<'static, str>); 2];

/// What is counted and measured.
pub struct Metrics {
    clock: fn() -> BootInstant,
    registry: Registry,
    runs: Family<Label, Counter>,
    attempts: Counter,
    launch_lateness: Histogram,
    lateness: Histogram,
    durations: Histogram,
    commits: Counter,
    changes: Counter,
    commit_seconds: Histogram,
    store_errors: Family<Label, Counter>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    api_errors: Family<Label, Counter>,
    levels: Gauges,
    cluster: Cluster,
    dropwizard: Mutex<Dropwizard>,
}

/// Gauges, set when somebody asks.
#[derive(Default)]
struct Gauges {
    jobs: Gauge,
    jobs_disabled: Gauge,
    runs: Family<Label, Gauge>,
    queue: Family<Label, Gauge>,
    launcher: Gauge,
    term: Gauge,
}

/// What Dropwizard's form tells and Prometheus' does not: rates and percentiles.
struct Dropwizard {
    launch_lateness_millis: Reservoir,
    lateness_millis: Reservoir,
    duration_millis: Reservoir,
    requests: Meter,
    api_errors: u64,
    timers: BTreeMap<String, Timer>,
}

/// What was answered to a client.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The method, or `OTHER` for one that HTTP does not define.
    pub method: &'static str,
    /// The route's pattern, such as `P/job/{name}`; empty where none was reached.
    pub route: String,
    /// The name of the route's timer; empty where none was reached.
    pub timer: String,
    /// The status.
    pub status: u16,
    /// The code of the error, if it was one.
    pub error: Option<&'static str>,
}

/// What was counted, for a document of another form.
#[derive(Debug, Clone)]
pub struct Counts {
    /// How many runs, and occurrences without one, ended so.
    pub runs: Vec<(Verdict, u64)>,
    /// How many attempts have started.
    pub attempts: u64,
    /// How many batches were committed.
    pub commits: u64,
    /// How often the store failed.
    pub store_errors: u64,
    /// How many answers were errors.
    pub api_errors: u64,
    /// How late attempts were given to the launcher, in milliseconds.
    pub launch_lateness: Figures,
    /// How late attempts started, in milliseconds.
    pub lateness: Figures,
    /// How long attempts ran, in milliseconds.
    pub durations: Figures,
    /// What was counted of a cluster; `None` without one.
    pub cluster: Option<ClusterCounts>,
    /// How often a client was answered.
    pub requests: Rates,
    /// How often each route was asked, and how long it took, in microseconds.
    pub timers: Vec<(String, Rates, Figures)>,
}

/// What the store was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Committing a batch.
    Commit,
    /// Reading the state again.
    Load,
    /// Reading the history.
    Read,
}

impl Doing {
    const ALL: [Self; 3] = [Self::Commit, Self::Load, Self::Read];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Load => "load",
            Self::Read => "read",
        }
    }
}

impl Metrics {
    /// Begins to count. `clock` is the boot clock.
    #[must_use]
    pub fn new(clock: fn() -> BootInstant) -> Self {
        let now = clock();
        let latency: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let mut metrics = Self {
            clock,
            registry: Registry::with_prefix("chronode"),
            runs: Family::default(),
            attempts: Counter::default(),
            launch_lateness: Histogram::new(LATENESS_BUCKETS),
            lateness: Histogram::new(LATENESS_BUCKETS),
            durations: Histogram::new(DURATION_BUCKETS),
            commits: Counter::default(),
            changes: Counter::default(),
            commit_seconds: latency(),
            store_errors: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(latency),
            api_errors: Family::default(),
            levels: Gauges::default(),
            cluster: Cluster::default(),
            dropwizard: Mutex::new(Dropwizard {
                launch_lateness_millis: Reservoir::default(),
                lateness_millis: Reservoir::default(),
                duration_millis: Reservoir::default(),
                requests: Meter::new(now),
                api_errors: 0,
                timers: BTreeMap::new(),
            }),
        };
        metrics.register();
        metrics
    }

    /// Tells the registry what there is. Every help text gets a full stop from the registry.
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build: Family<Label, Gauge> = Family::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        registry.register("build_info", "The version that runs; always 1", build);
        let help = "Runs that ended, and occurrences that never became runs, by verdict";
        registry.register("runs", help, self.runs.clone());
        registry.register("attempts", "Attempts that started", self.attempts.clone());
        let help = "How much later than its window opened the first attempt of a scheduled run was given to the launcher";
        registry.register("launch_lateness_seconds", help, self.launch_lateness.clone());
        let help =
            "How much later than its window opened the first attempt of a scheduled run started";
        registry.register("start_lateness_seconds", help, self.lateness.clone());
        let help = "How long attempts ran";
        registry.register("attempt_duration_seconds", help, self.durations.clone());
        registry.register("commits", "Batches that were committed", self.commits.clone());
        registry.register("commit_changes", "Changes in committed batches", self.changes.clone());
        registry.register("commit_seconds", "How long a commit took", self.commit_seconds.clone());
        let help = "Failures of the store, by what it was doing";
        registry.register("store_errors", help, self.store_errors.clone());
        let help = "Answers to clients, by method, route and status";
        registry.register("http_requests", help, self.requests.clone());
        let help = "From a request's head to the head of its answer, by method and route";
        registry.register("http_request_seconds", help, self.request_seconds.clone());
        registry.register(
            "api_errors",
            "Answers that are errors, by code",
            self.api_errors.clone(),
        );
        let Gauges { jobs, jobs_disabled, runs, queue, launcher, term } = &self.levels;
        registry.register("jobs", "Jobs there are", jobs.clone());
        registry.register("jobs_disabled", "Jobs that are disabled", jobs_disabled.clone());
        registry.register("live_runs", "Runs that are not over, by state", runs.clone());
        let help = "Runs that want an offer, by whether their job has a high priority";
        registry.register("queue_size", help, queue.clone());
        let help = "Whether the launcher can be reached";
        registry.register("launcher_connected", help, launcher.clone());
        registry.register("term", "The term that began last", term.clone());
        registry.register_collector(Box::new(self.cluster.clone()));
        // A series that is there from the beginning shows its first step.
        for verdict in Verdict::ALL {
            drop(self.runs.get_or_create(&[("verdict", verdict.as_str())]));
        }
        for doing in Doing::ALL {
            drop(self.store_errors.get_or_create(&[("doing", doing.as_str())]));
        }
    }

    /// Tells from now on what `counts` says of a cluster, whenever somebody asks. Who calls it again changes nothing.
    pub fn watch_cluster(&self, counts: impl Fn() -> ClusterCounts + Send + Sync + 'static) {
        self.cluster.watch(Box::new(counts));
    }

    /// The boot clock: when something begins that is measured.
    #[must_use]
    pub fn now(&self) -> BootInstant {
        (self.clock)()
    }

    /// Follows a change that was committed, before it is applied to the state of the batch before.
    pub fn follow(&self, before: &State, change: &Change) {
        match change {
            Change::RunStored(run) => self.follow_run(before.run(run.id), run),
            Change::StretchStored(stretch) => {
                let entry = before.incarnation(stretch.incarnation);
                let known = entry.and_then(|entry| entry.progress.stretch.as_ref());
                let known = known.filter(|known| known.sequence == stretch.sequence);
                let known = known.map_or(0, |known| known.count);
                self.ended(stretch.verdict, stretch.count.saturating_sub(known));
            }
            Change::TermBegan(_)
            | Change::JobStored(_)
            | Change::JobRemoved { .. }
            | Change::Progressed { .. }
            | Change::Counted { .. }
            | Change::Disabled { .. }
            | Change::Quarantined { .. }
            | Change::QuarantineLifted { .. }
            | Change::Intervened { .. }
            | Change::EverythingPaused(_)
            | Change::BackfillStored(_)
            | Change::BackfillRemoved { .. }
            | Change::StretchVoided { .. }
            | Change::ClockJudged(_)
            | Change::SignalStored(_)
            | Change::SignalRemoved { .. }
            | Change::TaskMillisUsed { .. }
            | Change::RequestAnswered(_)
            | Change::AnswerForgotten { .. }
            | Change::ZoneKept { .. }
            | Change::ListeningBegan { .. }
            | Change::Heard { .. }
            | Change::ListeningEnded
            | Change::FrameworkSet(_)
            | Change::OffersSet(_)
            | Change::OffersAdded(_)
            | Change::OffersRemoved(_)
            | Change::AgentLost(_)
            | Change::AgentsSeen(_)
            | Change::DemandTold(_)
            | Change::Alerted(_)
            | Change::ObjectivesJudged(_)
            | Change::PlacementSettled => {}
        }
    }

    fn follow_run(&self, before: Option<&Run>, run: &Run) {
        let known = |attempt: &Attempt| {
            let attempts = before.map_or(&[][..], |before| &before.attempts);
            let known = attempts.iter().find(|known| known.task_id == attempt.task_id)?;
            Some(times(&known.state))
        };
        for (place, attempt) in run.attempts.iter().enumerate() {
            let (started, ended) = times(&attempt.state);
            let known = known(attempt);
            if let (0, None, Trigger::Schedule { opens_at, .. }) = (place, known, &run.trigger) {
                let late = attempt.launched_at.duration_since(*opens_at).max(Duration::ZERO);
                self.launch_lateness.observe(late.as_secs_f64());
                self.dropwizard().launch_lateness_millis.add(millis(late));
            }
            let (started_before, ended_before) = known.unwrap_or_default();
            if let (Some(at), None) = (started, started_before) {
                self.attempts.inc();
                if let (0, Trigger::Schedule { opens_at, .. }) = (place, &run.trigger) {
                    let late = at.duration_since(*opens_at).max(Duration::ZERO);
                    self.lateness.observe(late.as_secs_f64());
                    self.dropwizard().lateness_millis.add(millis(late));
                }
            }
            if let (Some(from), Some(to), None) = (started, ended, ended_before) {
                let span = to.duration_since(from).max(Duration::ZERO);
                self.durations.observe(span.as_secs_f64());
                self.dropwizard().duration_millis.add(millis(span));
            }
        }
        if let RunState::Ended { verdict, .. } = run.state {
            self.ended(verdict, 1);
        }
    }

    fn ended(&self, verdict: Verdict, count: u64) {
        self.runs.get_or_create(&[("verdict", verdict.as_str())]).inc_by(count);
    }

    /// A batch of so many changes was committed, which began at `begun`.
    pub fn committed(&self, begun: BootInstant, changes: usize) {
        self.commits.inc();
        self.changes.inc_by(u64::try_from(changes).unwrap_or(u64::MAX));
        self.commit_seconds.observe(self.now().since(begun).as_secs_f64());
    }

    /// The store failed.
    pub fn store_failed(&self, doing: Doing) {
        self.store_errors.get_or_create(&[("doing", doing.as_str())]).inc();
    }

    /// A client was answered who had asked at `begun`.
    pub fn answered(&self, begun: BootInstant, answered: Answered) {
        let Answered { method, route, timer, status, error } = answered;
        let now = self.now();
        let took = now.since(begun).max(Duration::ZERO);
        let status = Cow::Owned(status.to_string());
        let (route, method) = (Cow::Owned::<str>(route), Cow::Borrowed(method));
        let labels = [("method", method.clone()), ("route", route.clone()), ("status", status)];
        self.requests.get_or_create(&labels).inc();
        let labels = [("method", method), ("route", route)];
        self.request_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        if let Some(code) = error {
            self.api_errors.get_or_create(&[("code", code)]).inc();
        }
        let mut dropwizard = self.dropwizard();
        dropwizard.requests.mark(now);
        dropwizard.api_errors += u64::from(error.is_some());
        if !timer.is_empty() {
            dropwizard.timers.entry(timer).or_insert_with(|| Timer::new(now)).add(now, took);
        }
    }

    /// Everything in the text form of OpenMetrics, which readers of Prometheus' older form understand too.
    #[must_use]
    pub fn print(&self, levels: &Levels) -> String {
        self.levels.set(levels);
        let mut printed = String::new();
        text::encode(&mut printed, &self.registry).expect("a text takes whatever is written");
        printed
    }

    /// What was counted, for a document of another form.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let runs = Verdict::ALL.map(|verdict| {
            (verdict, self.runs.get_or_create(&[("verdict", verdict.as_str())]).get())
        });
        let store_errors = Doing::ALL
            .map(|doing| self.store_errors.get_or_create(&[("doing", doing.as_str())]).get());
        let now = self.now();
        let mut dropwizard = self.dropwizard();
        let timers = dropwizard.timers.iter_mut().map(|(name, timer)| {
            let (rates, figures) = timer.read(now);
            (name.clone(), rates, figures)
        });
        let timers: Vec<_> = timers.collect();
        Counts {
            runs: runs.into(),
            attempts: self.attempts.get(),
            commits: self.commits.get(),
            store_errors: store_errors.into_iter().sum(),
            api_errors: dropwizard.api_errors,
            launch_lateness: dropwizard.launch_lateness_millis.figures(),
            lateness: dropwizard.lateness_millis.figures(),
            durations: dropwizard.duration_millis.figures(),
            cluster: self.cluster.counts(),
            requests: dropwizard.requests.rates(now),
            timers,
        }
    }

    fn dropwizard(&self) -> MutexGuard<'_, Dropwizard> {
        // Nothing panics while it is held.
        self.dropwizard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gauges {
    fn set(&self, levels: &Levels) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.jobs.set(number(levels.jobs));
        self.jobs_disabled.set(number(levels.jobs_disabled));
        for (state, count) in levels.runs() {
            self.runs.get_or_create(&[("state", state)]).set(number(count));
        }
        self.queue.get_or_create(&[("priority", "normal")]).set(number(levels.queue));
        self.queue.get_or_create(&[("priority", "high")]).set(number(levels.queue_high));
        self.launcher.set(i64::from(levels.is_launcher_connected));
        self.term.set(i64::try_from(levels.term).unwrap_or(i64::MAX));
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// When an attempt started and when it ended, as far as that is known.
fn times(state: &AttemptState) -> (Option<Timestamp>, Option<Timestamp>) {
    match state {
        AttemptState::Launching => (None, None),
        AttemptState::Running { started_at, .. } => (Some(*started_at), None),
        AttemptState::Stopping { started_at, .. } | AttemptState::Unknown { started_at, .. } => {
            (*started_at, None)
        }
        AttemptState::Ended { started_at, at, .. } => (*started_at, Some(*at)),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(0)
}
