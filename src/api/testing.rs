//! For tests: a backend in memory, and a client that sends exactly the bytes it is told to.
//!
//! The backend holds jobs and runs as the real types and lets a test say what happens while somebody waits. The client
//! is written out because libraries refuse to send what a hostile client would.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{
    Almanac, Backend, Entrance, HistoryFilter, Info, JobView, Options, Piece, RoundView, Server,
    Stream, Tls, Unavailable, ZoneInfo, router, serve,
};
use crate::engine::forecast::{self, Plan};
use crate::engine::{
    Abilities, ParentStanding, Recovered, Rejection, RejectionCode, Reply, Request, RoundStanding,
    Settings, State,
};
use crate::model::{
    AgentId, Attempt, AttemptState, Contribution, Defaults, Duration, Exit, HistoryEntry,
    Incarnation, JobName, JobRecord, NameRule, Progress, Resources, Run, RunId, RunState,
    ScheduleTerms, Scope, Stretch, TaskId, Timestamp, Trigger, Verdict, When,
    timestamp_from_millis,
};
use crate::schedule::ZoneDb;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

/// What one attempt wrote to one stream, with gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) total: u64,
    pub(crate) kept: Vec<(u64, Bytes)>,
}

impl Written {
    pub(crate) fn all(text: &str) -> Self {
        Self { total: text.len() as u64, kept: vec![(0, Bytes::copy_from_slice(text.as_bytes()))] }
    }

    fn piece(&self, position: u64, max: usize) -> Piece {
        let kept = self.kept.iter().find(|(start, bytes)| start + bytes.len() as u64 > position);
        let Some((start, bytes)) = kept else {
            return Piece { position, bytes: Bytes::new(), omitted: 0, total: self.total };
        };
        let found = position.max(*start);
        let from = usize::try_from(found - start).unwrap();
        let to = bytes.len().min(from.saturating_add(max));
        let (bytes, omitted) = (bytes.slice(from..to), found - position);
        Piece { position: found, bytes, omitted, total: self.total }
    }
}

/// What happens while somebody waits.
pub(crate) type Step = Box<dyn FnOnce(&mut World) + Send>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) jobs: BTreeMap<JobName, JobRecord>,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) written: BTreeMap<(RunId, u32, &'static str), Written>,
    pub(crate) requests: Vec<Request>,
    pub(crate) is_unavailable: bool,
    pub(crate) panics: bool,
    pub(crate) script: VecDeque<Step>,
}

impl World {
    pub(crate) fn run_mut(&mut self, id: RunId) -> &mut Run {
        let found = self.history.iter_mut().find_map(|entry| match entry {
            HistoryEntry::Run(run) if run.id == id => Some(run),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        found.unwrap()
    }

    pub(crate) fn write(&mut self, id: RunId, attempt: u32, text: &str) {
        self.written.insert((id, attempt, "stdout"), Written::all(text));
    }
}

/// A backend in memory.
#[derive(Default)]
pub(crate) struct Memory(Mutex<World>);

impl Memory {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

pub(crate) fn attempt(index: u32, state: AttemptState) -> Attempt {
    Attempt {
        index,
        task_id: TaskId::from_text(format!("ct:1:{index}:a:")),
        agent: AgentId::new("local"),
        launched_at: at("2030-01-01T00:00:01Z"),
        holds: Resources::default(),
        state,
    }
}

pub(crate) fn ended(exit: Exit) -> AttemptState {
    AttemptState::Ended {
        started_at: Some(at("2030-01-01T00:00:01.5Z")),
        at: at("2030-01-01T00:00:02Z"),
        message: if exit.is_success() { String::new() } else { "it failed".to_owned() },
        exit: Some(exit),
    }
}

pub(crate) fn running() -> AttemptState {
    AttemptState::Running { started_at: at("2030-01-01T00:00:01.5Z"), stop_at: None }
}

pub(crate) fn over(verdict: Verdict) -> RunState {
    RunState::Ended { verdict, at: at("2030-01-01T00:00:02Z"), reason: String::new() }
}

/// A manual run numbered `sequence`, of job `job`.
pub(crate) fn run(sequence: u64, job: &str, state: RunState, attempts: Vec<Attempt>) -> Run {
    let millis = i64::try_from(sequence).unwrap();
    Run {
        id: RunId::manual(Incarnation(1), millis),
        sequence,
        job: name(job),
        trigger: Trigger::Manual { at: timestamp_from_millis(millis).unwrap() },
        task_millis: millis,
        arguments: None,
        causes: Vec::new(),
        created_at: at("2030-01-01T00:00:00Z"),
        start_deadline: None,
        wanted_at: at("2030-01-01T00:00:00Z"),
        state,
        attempts,
    }
}

pub(crate) fn stretch(sequence: u64, job: &str) -> Stretch {
    Stretch {
        sequence,
        incarnation: Incarnation(1),
        job: name(job),
        verdict: Verdict::Missed,
        reason: "nobody led".to_owned(),
        first_due_at: at("2030-01-01T00:00:00Z"),
        last_due_at: at("2030-01-01T00:05:00Z"),
        count: 6,
        decided_at: at("2030-01-01T00:06:00Z"),
    }
}

fn refuse(code: RejectionCode, message: String) -> Reply {
    let (field, remedy) = match code {
        RejectionCode::UnknownJob => ("", String::new()),
        RejectionCode::InvalidField | RejectionCode::Unsupported | RejectionCode::LimitReached => {
            ("schedule", "write another".to_owned())
        }
    };
    Reply::Refused(Rejection { code, message, field: field.into(), position: None, remedy })
}

impl World {
    fn carry_out(&mut self, request: Request) -> Reply {
        self.requests.push(request.clone());
        match request {
            Request::DryRun(request) => {
                let (jobs, history) = (self.jobs.clone(), self.history.clone());
                let reply = self.decide(*request);
                (self.jobs, self.history) = (jobs, history);
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
                let record = JobRecord {
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
                    job,
                };
                let consequences = self.consequences(&record.job.name);
                self.jobs.insert(record.job.name.clone(), record);
                Reply::Stored { created, revision, warnings, consequences }
            }
            Request::DeleteJob { name } => match self.jobs.remove(&name) {
                Some(_) => Reply::Deleted { consequences: self.consequences(&name) },
                None => unknown(&name),
            },
            Request::RunJob { name, arguments } => {
                if !self.jobs.contains_key(&name) {
                    return unknown(&name);
                }
                let sequence = self.history.len() as u64 + 1;
                let mut new = run(sequence, name.as_str(), RunState::Queued, Vec::new());
                new.arguments = arguments;
                let id = new.id;
                self.history.push(HistoryEntry::Run(new));
                Reply::Triggered { run: id }
            }
            Request::KillJob { name } if self.jobs.contains_key(&name) => {
                Reply::Stopping { count: 0 }
            }
            Request::KillJob { name } => unknown(&name),
            Request::DryRun(_) => panic!("a dry run of a dry run"),
        }
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

fn zones() -> &'static ZoneDb {
    static ZONES: LazyLock<ZoneDb> = LazyLock::new(ZoneDb::bundled);
    &ZONES
}

fn view(record: &JobRecord) -> JobView {
    JobView {
        record: Arc::new(record.clone()),
        next_due: Some(at("2030-01-01T02:30:00Z")),
        remaining: None,
        waits_for: None,
        live: 0,
    }
}

fn passes(filter: &HistoryFilter, entry: &HistoryEntry) -> bool {
    let (job, verdict, live) = match entry {
        HistoryEntry::Run(run) => {
            let verdict = match &run.state {
                RunState::Ended { verdict, .. } => Some(*verdict),
                RunState::Queued
                | RunState::Pending { .. }
                | RunState::Active
                | RunState::Waiting { .. } => None,
            };
            (&run.job, verdict, !run.is_ended())
        }
        HistoryEntry::Stretch(stretch) => (&stretch.job, Some(stretch.verdict), false),
    };
    filter.job.as_ref().is_none_or(|wanted| wanted == job)
        && filter.verdict.is_none_or(|wanted| Some(wanted) == verdict)
        && filter.live.is_none_or(|wanted| wanted == live)
        && filter.scope.covers(job)
}

impl Backend for Memory {
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Reply, Unavailable>> {
        let mut world = self.world();
        let answer = if world.is_unavailable {
            Err(Unavailable { reason: "nobody leads".to_owned(), retry_after_secs: 3 })
        } else {
            Ok(world.carry_out(request))
        };
        future::ready(answer).boxed()
    }

    fn jobs(&self) -> Vec<JobView> {
        let world = self.world();
        let panics = world.panics;
        let views = world.jobs.values().map(view).collect();
        drop(world);
        assert!(!panics, "a defect of ours");
        views
    }

    fn job(&self, name: &JobName) -> Option<JobView> {
        self.world().jobs.get(name).map(view)
    }

    fn round(&self, job: &JobName) -> Option<RoundView> {
        let record = self.world().jobs.get(job)?.clone();
        let terms = match record.job.when {
            When::Parents(terms) => Some(terms),
            When::Schedule(_) => None,
        };
        let parents = terms.iter().flat_map(|terms| &terms.names).map(|name| ParentStanding {
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
            }),
            suffices: false,
        });
        let standing = RoundStanding { message: "it waits".to_owned(), parents: parents.collect() };
        let standing = terms.is_some().then_some(standing);
        Some(RoundView { terms, standing })
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
        let found = self.world().history.iter().find_map(|entry| match entry {
            HistoryEntry::Run(run) if run.id == id => Some(run.clone()),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        future::ready(Ok(found)).boxed()
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

    fn info(&self, scope: &Scope) -> Info {
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
            launcher: "local".to_owned(),
            launcher_problem: None,
            audit_problem: None,
            jobs: self.world().jobs.keys().filter(|name| scope.covers(name)).count(),
            live_runs: 0,
            pending_runs: 0,
        }
    }

    fn almanac(&self) -> Almanac {
        Almanac { now: at("2030-01-01T00:00:00Z"), zones: zones().clone() }
    }

    fn plans(&self, job: Option<&JobName>) -> Vec<Plan> {
        let mut jobs: Vec<JobRecord> = self.world().jobs.values().cloned().collect();
        for (number, record) in (1..).zip(&mut jobs) {
            record.incarnation = Incarnation(number);
        }
        let recovered = Recovered { jobs, ..Recovered::default() };
        let settings = Settings {
            defaults: Defaults::default(),
            retry_delay: Duration::ZERO,
            disable_after_failures: 0,
            kill_grace: Duration::ZERO,
            abilities: Abilities {
                only_user: None,
                run_as: None,
                containers: false,
                executors: false,
            },
            zones: zones().clone(),
            machine: Err("nobody knows".to_owned()),
        };
        forecast::plans(&State::recover(Arc::new(settings), recovered), job)
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
}

/// A server over a backend in memory, on a port of its own.
pub(crate) struct Fixture {
    pub(crate) memory: Arc<Memory>,
    pub(crate) server: Server,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_at(&[None], options).await
    }

    /// A server with these entrances, each with or without TLS.
    pub(crate) async fn start_at(entrances: &[Option<Arc<Tls>>], options: Options) -> Self {
        let memory = Arc::new(Memory::default());
        let backend: Arc<dyn Backend> = Arc::<Memory>::clone(&memory);
        let listening = future::join_all(entrances.iter().cloned().map(Entrance::local)).await;
        Self { memory, server: serve(listening, router(backend), options).unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// Sends a request without a body.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        self.ask_with(method, path, "", "").await
    }

    /// Sends a request with these header lines, each ended by `\r\n`, and this body.
    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Answer {
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}{length}\r\n{body}"
        ))
        .await
    }

    /// Sends a JSON body.
    pub(crate) async fn put(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "Content-Type: application/json\r\n", body).await
    }

    /// Sends exactly these bytes and reads until the server closes.
    pub(crate) async fn send(&self, bytes: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // A server that has refused already may close before everything is written.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        Answer::parse(&received, bytes.starts_with("HEAD "))
    }
}

/// An answer as received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its declared end.
    pub(crate) is_complete: bool,
}

impl Answer {
    pub(crate) fn parse(received: &[u8], is_head: bool) -> Self {
        let text = String::from_utf8_lossy(received);
        let split = received.windows(4).position(|window| window == b"\r\n\r\n");
        let split = split.unwrap_or_else(|| panic!("no answer: {text:?}"));
        let head = std::str::from_utf8(&received[..split]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: Vec::new(), is_complete: true };
        let raw = &received[split + 4..];
        if answer.header("transfer-encoding") == Some("chunked") && !is_head {
            (answer.body, answer.is_complete) = unchunk(raw);
        } else {
            answer.body = raw.to_vec();
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `message` of an error with this status.
    pub(crate) fn message(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        for key in ["message", "status", "code", "field", "remedy", "requestId"] {
            assert!(body[key].is_string(), "{key}: {body}");
        }
        body["message"].as_str().unwrap().to_owned()
    }
}

fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&raw[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = raw.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(chunk);
        raw = &raw[end + 2 + size + 2..];
    }
    (body, false)
}
