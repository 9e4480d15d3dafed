//! For tests: a backend in memory, and a client.
//!
//! The backend holds jobs and runs as the real types and lets a test say what happens while somebody waits.

mod alerted;
mod answer;
mod applied;
mod client;
mod made;
mod operated;
mod pages;
mod reads;
mod remembered;
pub(crate) mod sandbox;
mod written;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::{
    Almanac, Backend, ChannelView, Feed, HistoryFilter, Info, JobBrief, JobExplained, JobView,
    NewestRuns, Piece, RevisionId, RevisionView, RoundView, Stream, Unavailable, ZoneInfo,
};
use crate::engine::forecast::{self, Plan};
use crate::engine::{
    Expected, FeedItem, Launcher, ParentStanding, Reason, Rejection, RejectionCode, Reply, Request,
    RoundStanding, RunStep, SeenAgent,
};
use crate::metrics::{Figures, Levels, Metrics};
use crate::model::{
    Backfill, BackfillId, BootInstant, Contribution, Defaults, Duration, HistoryEntry, Incarnation,
    Interventions, JobName, JobRecord, NameRule, Pause, Progress, RequestKey, Run, RunId, RunState,
    ScheduleTerms, Scope, Source, TaskId, Timestamp, Verdict, When,
};
use crate::schedule::ZoneDb;

pub(crate) use answer::Answer;
pub(crate) use client::Fixture;
pub(crate) use pages::LOOKED_AT_MAX;
use pages::passes;

pub(crate) use made::{attempt, backfill, ended, over, run, running, site, stretch};
pub(crate) use reads::{record, settings};
pub(crate) use remembered::{FEED_ITEMS, TestFeed};
pub(crate) use written::Written;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

/// What happens while somebody waits.
pub(crate) type Step = Box<dyn FnOnce(&mut World) + Send>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) jobs: BTreeMap<JobName, JobRecord>,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) written: BTreeMap<(RunId, u32, &'static str), Written>,
    pub(crate) files: BTreeMap<(RunId, u32, String), sandbox::Kept>,
    pub(crate) requests: Vec<Request>,
    /// By the id of its key: what was asked, and what was answered.
    pub(crate) answered: BTreeMap<String, (RequestKey, Reply)>,
    pub(crate) is_unavailable: bool,
    pub(crate) panics: bool,
    pub(crate) script: VecDeque<Step>,
    /// What happens before the next request gets to the loop.
    pub(crate) before: Option<Step>,
    pub(crate) revisions: Vec<RevisionView>,
    pub(crate) feed: Arc<TestFeed>,
    pub(crate) paused: Option<Pause>,
    pub(crate) task_marks: BTreeMap<JobName, i64>,
    /// Whether the wall clock has jumped, and is not believed.
    pub(crate) has_clock_jumped: bool,
    pub(crate) backfills: BTreeMap<BackfillId, Backfill>,
    /// What the launcher has said.
    pub(crate) launcher: Option<Launcher>,
    /// What agents of a cluster have offered.
    pub(crate) seen: Vec<SeenAgent>,
    /// The name in a cluster.
    pub(crate) framework: Option<String>,
    /// What has changed of what people are told of, oldest first.
    pub(crate) told: Vec<crate::alerts::Change>,
    /// What they are told by.
    pub(crate) channels: Vec<ChannelView>,
    /// How long the loop has not turned.
    pub(crate) still_for: Duration,
    /// How often the record of a run was looked at.
    pub(crate) runs_read: usize,
}

impl World {
    /// A run to be changed, of which the feed tells.
    pub(crate) fn run_mut(&mut self, id: RunId) -> &mut Run {
        let found = self.history.iter_mut().find_map(|entry| match entry {
            HistoryEntry::Run(run) if run.id == id => Some(run),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        let run = found.unwrap();
        let (job, due_at) = (run.job.clone(), run.created_at);
        self.feed.tell(FeedItem::Run { job, run: id, due_at, step: RunStep::Pending });
        run
    }

    pub(crate) fn write(&mut self, id: RunId, attempt: u32, text: &str) {
        self.written.insert((id, attempt, "stdout"), Written::all(text));
    }
}

/// Jobs given at once, however many are asked for: few, so that every list has several pages.
const PAGE_MAX: usize = 7;

/// A backend in memory.
pub(crate) struct Memory(Mutex<World>, Arc<Metrics>);

impl Default for Memory {
    fn default() -> Self {
        // No time passes, so that figures are what they are.
        let clock = || BootInstant(Duration::from_secs(100));
        Self(Mutex::default(), Arc::new(Metrics::new(clock)))
    }
}

impl Memory {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

fn refuse(code: RejectionCode, message: String) -> Reply {
    let (field, remedy) = match code {
        RejectionCode::UnknownJob => ("", String::new()),
        RejectionCode::InvalidField
        | RejectionCode::Unsupported
        | RejectionCode::LimitReached
        | RejectionCode::Changed
        | RejectionCode::KeyReused
        | RejectionCode::UnknownTask
        | RejectionCode::UnknownRun
        | RejectionCode::UnknownIncident
        | RejectionCode::UnknownNotification
        | RejectionCode::Impossible
        | RejectionCode::OwnedElsewhere => ("schedule", "write another".to_owned()),
    };
    Reply::Refused(Rejection { code, message, field: field.into(), position: None, remedy })
}

impl World {
    fn carry_out(&mut self, request: Request) -> Reply {
        self.requests.push(request.clone());
        match request {
            Request::DryRun(request) => {
                let (jobs, history) = (self.jobs.clone(), self.history.clone());
                let revisions = self.revisions.clone();
                let operated = (self.paused.clone(), self.backfills.clone());
                let told = self.told.len();
                let reply = self.decide(*request);
                (self.jobs, self.history, self.revisions) = (jobs, history, revisions);
                (self.paused, self.backfills) = operated;
                self.told.truncate(told);
                reply
            }
            request => self.decide(request),
        }
    }

    fn decide(&mut self, request: Request) -> Reply {
        let unknown =
            |name: &JobName| refuse(RejectionCode::UnknownJob, format!("Job '{name}' not found"));
        match request {
            Request::PutJob { draft, dialect } => {
                if let When::Schedule(ScheduleTerms { text, .. }) = &draft.when
                    && crate::schedule::Schedule::parse(
                        text,
                        "",
                        at("2030-01-01T00:00:00Z"),
                        &crate::schedule::ZoneDb::bundled(),
                    )
                    .is_err()
                {
                    let message = format!("Cannot parse schedule '{text}': it is none");
                    return refuse(RejectionCode::InvalidField, message);
                }
                let existing = self.jobs.get(&draft.name);
                let created = existing.is_none();
                let revision = existing.map_or(0, |record| record.revision) + 1;
                let stats = draft.stats.clone();
                let job = draft.resolve(
                    existing.map(|record| &record.job),
                    dialect,
                    &Defaults::default(),
                );
                let warnings =
                    if job.disabled { vec!["it is disabled".to_owned()] } else { Vec::new() };
                let mut record = JobRecord {
                    incarnation: Incarnation(1),
                    revision,
                    accepted_at: at("2030-01-01T00:00:00Z"),
                    stats,
                    progress: Progress {
                        decided_through: at("2030-01-01T00:00:00Z"),
                        stretch: None,
                        boot_id: None,
                        rounds: Vec::new(),
                    },
                    interventions: Interventions::default(),
                    job,
                };
                self.remember(&mut record);
                let consequences = self.consequences(&record.job.name);
                let version = record.version();
                self.jobs.insert(record.job.name.clone(), record);
                Reply::Stored { version, created, warnings, consequences }
            }
            Request::DeleteJob { name, by: _ } => match self.jobs.remove(&name) {
                Some(_) => {
                    self.forget(&name);
                    Reply::Deleted { consequences: self.consequences(&name) }
                }
                None => unknown(&name),
            },
            Request::RunJob { name, ask } => {
                if !self.jobs.contains_key(&name) {
                    return unknown(&name);
                }
                let sequence = self.history.len() as u64 + 1;
                let mut new = run(sequence, name.as_str(), RunState::Queued, Vec::new());
                (new.arguments, new.environment) = (ask.arguments, ask.environment);
                new.by = ask.by.map(Box::new);
                let id = new.id;
                self.history.push(HistoryEntry::Run(new));
                Reply::Triggered { run: id }
            }
            Request::KillJob { name, by: _ } if self.jobs.contains_key(&name) => {
                Reply::Stopping { count: 0 }
            }
            Request::KillJob { name, by: _ } => unknown(&name),
            Request::MarkSuccess { name } if !self.jobs.contains_key(&name) => unknown(&name),
            Request::MarkSuccess { name } => {
                let sequence = self.history.len() as u64 + 1;
                let new = run(sequence, name.as_str(), over(Verdict::Succeeded), Vec::new());
                let id = new.id;
                self.history.push(HistoryEntry::Run(new));
                Reply::Marked { run: id }
            }
            Request::ClearQueue => Reply::QueueCleared,
            Request::CompleteTask { task_id, .. } => {
                Reply::Completed { is_known: self.has_task(&task_id) }
            }
            Request::Progress { name, .. } if !self.jobs.contains_key(&name) => unknown(&name),
            Request::Progress { task_id, elements, .. } if self.has_task(&task_id) => {
                Reply::Progressed { elements }
            }
            Request::Progress { task_id, .. } => {
                refuse(RejectionCode::UnknownTask, format!("task '{task_id}' not found"))
            }
            Request::CutOver { names, at: instant } => Reply::CutOver {
                at: instant.unwrap_or_else(|| at("2030-01-01T00:00:00Z")),
                names: names.unwrap_or_else(|| self.jobs.keys().cloned().collect()),
                consequences: Vec::new(),
            },
            request @ (Request::OperateRun { .. }
            | Request::Pause { .. }
            | Request::Resume { .. }
            | Request::SkipAhead { .. }
            | Request::UnskipAhead { .. }
            | Request::Backfill(_)
            | Request::CancelBackfill { .. }
            | Request::CutBacklog { .. }
            | Request::LiftQuarantine { .. }
            | Request::AcknowledgeIncident { .. }
            | Request::Silence { .. }
            | Request::EndSilence { .. }
            | Request::RetryNotification { .. }
            | Request::TrustClock { .. }) => self.operate(request),
            Request::Apply { drafts, dialect, terms } => self.apply(drafts, dialect, &terms),
            Request::IfMatch { name, expected, request } => {
                let found = self.jobs.get(&name).map(JobRecord::version);
                let is_met = match (expected, found) {
                    (Expected::Absent, found) => found.is_none(),
                    (Expected::Present, found) => found.is_some(),
                    (Expected::OneOf(versions), Some(found)) => versions.contains(&found),
                    (Expected::OneOf(_), None) => false,
                };
                if is_met {
                    self.decide(*request)
                } else {
                    refuse(RejectionCode::Changed, format!("job '{name}' is another"))
                }
            }
            Request::Once { key, request } => self.repeated(&key).unwrap_or_else(|| {
                let reply = self.decide(*request);
                if !matches!(reply, Reply::Refused(_) | Reply::ApplyRefused(_)) {
                    self.answered.insert(key.id.clone(), (key, reply.clone()));
                }
                reply
            }),
            Request::DryRun(_) => panic!("a dry run of a dry run"),
        }
    }

    fn has_task(&self, task_id: &TaskId) -> bool {
        self.history.iter().any(|entry| match entry {
            HistoryEntry::Run(run) => run.attempts.iter().any(|it| it.task_id == *task_id),
            HistoryEntry::Stretch(_) => false,
        })
    }

    /// One for each child of a job.
    fn consequences(&self, name: &JobName) -> Vec<String> {
        let is_child = |record: &&JobRecord| match &record.job.when {
            When::Parents(terms) => terms.names.contains(name),
            When::Schedule(_) => false,
        };
        let children = self.jobs.values().filter(is_child);
        children.map(|child| format!("job `{}` runs after it", child.job.name)).collect()
    }
}

pub(super) fn zones() -> &'static ZoneDb {
    static ZONES: LazyLock<ZoneDb> = LazyLock::new(ZoneDb::bundled);
    &ZONES
}

impl Backend for Memory {
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Reply, Unavailable>> {
        let mut world = self.world();
        if let Some(step) = world.before.take() {
            step(&mut world);
        }
        let answer = if world.is_unavailable {
            Err(Unavailable { reason: "nobody leads".to_owned(), retry_after_secs: 3 })
        } else {
            Ok(world.carry_out(request))
        };
        future::ready(answer).boxed()
    }

    fn repeated(&self, key: &RequestKey) -> Option<Reply> {
        self.world().repeated(key)
    }

    fn jobs_after(&self, after: Option<&JobName>, limit: usize) -> Vec<JobView> {
        let world = self.world();
        let panics = world.panics;
        let behind = world.jobs.values().filter(|record| Some(&record.job.name) > after);
        let views = behind.take(limit.min(PAGE_MAX)).map(|record| world.view(record)).collect();
        drop(world);
        assert!(!panics, "a defect of ours");
        views
    }

    fn briefs_after(&self, after: Option<Incarnation>, limit: usize) -> Vec<JobBrief> {
        self.world().briefs_after(after, limit.min(PAGE_MAX))
    }

    fn job(&self, name: &JobName) -> Option<JobView> {
        let world = self.world();
        world.jobs.get(name).map(|record| world.view(record))
    }

    fn job_of_task(&self, task_id: &TaskId) -> Option<JobName> {
        self.world().history.iter().find_map(|entry| match entry {
            HistoryEntry::Run(run) => {
                let is_its = run.attempts.iter().any(|it| it.task_id == *task_id);
                is_its.then(|| run.job.clone())
            }
            HistoryEntry::Stretch(_) => None,
        })
    }

    fn round(&self, job: &JobName, scope: &Scope) -> Option<RoundView> {
        let terms = match self.world().jobs.get(job)?.job.when.clone() {
            When::Parents(terms) => Some(terms),
            When::Schedule(_) => None,
        };
        let names = || terms.iter().flat_map(|terms| &terms.names);
        let message = match names().filter(|name| !scope.covers(name)).count() {
            0 => "it waits".to_owned(),
            unseen => format!("it waits, also for {unseen} unseen"),
        };
        let parents = names().map(|name| ParentStanding {
            name: name.clone(),
            is_disabled: true,
            next_due: None,
            done: Some(Contribution {
                parent: Incarnation(7),
                successes: 0,
                failures: 2,
                kills: 1,
                run: RunId::manual(Incarnation(7), 5),
                due_at: at("2030-01-01T00:00:00Z"),
                at: at("2030-01-01T00:01:00Z"),
                source: Source::New,
            }),
            suffices: false,
        });
        let standing =
            terms.is_some().then(|| RoundStanding { message, parents: parents.collect() });
        Some(RoundView { terms, standing })
    }

    fn explain_job(
        &self,
        job: &JobName,
        now: Timestamp,
        last: &[HistoryEntry],
        scope: &Scope,
    ) -> Option<JobExplained> {
        self.world().explain_job(job, now, last, scope)
    }

    fn explain_run(&self, run: &Run, now: Timestamp) -> Vec<Reason> {
        self.world().explain_run(run, now)
    }

    fn history(
        &self,
        filter: HistoryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<HistoryEntry>, String>> {
        let world = self.world();
        if world.panics {
            return future::ready(Err("/var/lib/secret.db: disk full".to_owned())).boxed();
        }
        let mut found: Vec<_> = world
            .history
            .iter()
            .filter(|entry| passes(&filter, entry))
            .filter(|entry| before.is_none_or(|before| entry.sequence() < before))
            .cloned()
            .collect();
        found.sort_by_key(|entry| std::cmp::Reverse(entry.sequence()));
        found.truncate(limit);
        future::ready(Ok(found)).boxed()
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, String>> {
        let mut world = self.world();
        world.runs_read += 1;
        let found = world.history.iter().find_map(|entry| match entry {
            HistoryEntry::Run(run) if run.id == id => Some(run.clone()),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        future::ready(Ok(found)).boxed()
    }

    fn caused_by(
        &self,
        causes: Vec<RunId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Run>, String>> {
        future::ready(Ok(self.world().caused_by(&causes, limit))).boxed()
    }

    fn newest_runs(&self, jobs: Vec<JobName>) -> BoxFuture<'_, Result<NewestRuns, String>> {
        future::ready(Ok(self.world().newest_runs(&jobs))).boxed()
    }

    fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        let written = self.world().written.get(&(run, attempt, stream.as_str())).cloned();
        let piece = written.map(|written| written.piece(position, max));
        future::ready(piece.ok_or_else(|| io::ErrorKind::NotFound.into())).boxed()
    }

    fn took(&self, job: Incarnation) -> BoxFuture<'_, Result<Figures, String>> {
        let all = self.took_by_all();
        async move { Ok(all.await?.get(&job).copied().unwrap_or_default()) }.boxed()
    }

    fn took_by_all(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Figures>, String>> {
        let world = self.world();
        if world.panics {
            return future::ready(Err("/var/lib/secret.db: disk full".to_owned())).boxed();
        }
        future::ready(Ok(world.took())).boxed()
    }

    fn job_history_limit(&self) -> usize {
        5
    }

    fn leader(&self) -> Option<String> {
        (!self.world().is_unavailable).then(|| "n1:4400".to_owned())
    }

    fn still_for(&self) -> Duration {
        self.world().still_for
    }

    fn levels(&self) -> Levels {
        Levels { jobs: self.world().jobs.len(), queue: 3, queue_high: 2, ..Levels::default() }
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.1)
    }

    fn info(&self, scope: &Scope) -> Info {
        let world = self.world();
        Info {
            version: "0.1.0".to_owned(),
            node: "n1".to_owned(),
            listening: vec!["http://127.0.0.1:4400".to_owned()],
            zones: ZoneInfo {
                version: "2026c".to_owned(),
                source: "bundled".to_owned(),
                is_pinned: false,
                bundled: "2026c".to_owned(),
                host: Some("2025b".to_owned()),
            },
            launcher: if world.framework.is_some() { "mesos" } else { "local" }.to_owned(),
            launcher_problem: None,
            framework: world.framework.clone(),
            master: world.framework.is_some().then(|| "zk://m1:2181/mesos".to_owned()),
            roles: world.framework.iter().map(|_| "batch".to_owned()).collect(),
            audit_problem: None,
            job_files: None,
            clock: world.state().clock().doubt().copied(),
            paused: world.paused.clone(),
            jobs: world.jobs.keys().filter(|name| scope.covers(name)).count(),
            live_runs: 0,
            pending_runs: 0,
        }
    }

    fn almanac(&self) -> Almanac {
        Almanac { now: at("2030-01-01T00:00:00Z"), zones: zones().clone() }
    }

    fn plans(&self, job: Option<&JobName>) -> Vec<Plan> {
        forecast::plans(&self.world().state(), job)
    }

    fn pause(&self) -> BoxFuture<'_, ()> {
        let mut world = self.world();
        match world.script.pop_front() {
            Some(step) => {
                step(&mut world);
                future::ready(()).boxed()
            }
            None => future::pending().boxed(),
        }
    }

    fn revisions(
        &self,
        job: &JobName,
        before: Option<RevisionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RevisionView>, String>> {
        future::ready(Ok(self.world().revisions_of(job, before, limit))).boxed()
    }

    fn feed(&self) -> Arc<dyn Feed> {
        Arc::<TestFeed>::clone(&self.world().feed)
    }
}
