//! How fast lists and figures are answered with many jobs and a long history, and what that costs in memory.
//!
//! Run with `cargo bench --bench lists`; `CHRONODE_BENCH_JOBS` and `CHRONODE_BENCH_RUNS` change how many there are. Writes
//! a database as the program does, starts the program on it, and asks over HTTP. Each figure is the best of some
//! requests. The first start of all brings nothing up to date, so what that costs is measured apart: the layout before
//! the last is made of the database, and the program opens it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chronode::engine::{
    Abilities, Change, Event, Recovered, Request, RequestId, Settings, State, step,
};
use chronode::model::{
    BootInstant, Defaults, Dialect, Incarnation, Interventions, JobDraft, JobName, JobRecord,
    JobStats, NameRule, Now, Progress, Run, RunId, RunState, Term, Timestamp, Trigger, Verdict,
};
use chronode::schedule::{ZoneDb, parse_period};
use chronode::store::{Batch, DATABASE_FILE, DataDir, SqliteStore, Store as _};

const ROUNDS: usize = 5;
/// Changes put into one transaction.
const PER_BATCH: usize = 5_000;

fn main() {
    // Who asks needs one, also without TLS; one that is there already does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let jobs = number("CHRONODE_BENCH_JOBS", 100_000);
    let runs = number("CHRONODE_BENCH_RUNS", 1_000_000);
    apply_among(10_000, jobs);
    let directory = tempfile::tempdir().expect("a directory");
    let took = timed(|| fill(directory.path(), jobs, runs)).1;
    say(&format!("{jobs} jobs and {runs} runs written in {:.1} s", took.as_secs_f64()));
    take_back_a_layout(&directory.path().join(DATABASE_FILE));
    let (program, took) = timed(|| Program::start(directory.path()));
    say(&format!("start that brings the database up to date: {:.1} s", took.as_secs_f64()));
    drop(program);
    let (program, took) = timed(|| Program::start(directory.path()));
    say(&format!(
        "start after that: {:.1} s, {} MB resident",
        took.as_secs_f64(),
        program.memory()
    ));
    say("\n| request | first byte ms | all ms | bytes | resident MB after |");
    say("|---|---:|---:|---:|---:|");
    for path in [
        "/scheduler/jobs/summary",
        "/scheduler/jobs/search?name=job-0000",
        "/scheduler/jobs/search?name=nobody",
        "/scheduler/jobs?limit=100",
        "/scheduler/jobs?fields=name,schedule",
        "/scheduler/jobs",
        "/scheduler/graph/csv",
        "/scheduler/graph/dot",
        "/scheduler/stats/99thPercentile",
        "/scheduler/job/stat/job-000007",
        "/metrics?format=prometheus",
        "/metrics",
    ] {
        let answers: Vec<_> = (0..ROUNDS).map(|_| program.ask(path)).collect();
        let best = |pick: fn(&Answer) -> Duration| {
            answers.iter().map(pick).min().unwrap_or_default().as_secs_f64() * 1_000.0
        };
        let (first, all) = (best(|it| it.first), best(|it| it.all));
        let (bytes, memory) = (answers[0].bytes, program.memory());
        say(&format!("| `{path}` | {first:.1} | {all:.1} | {bytes} | {memory} |"));
    }
}

/// What it costs the engine to store ten jobs at once among few and among many. The loop stands still that long.
fn apply_among(few: u64, many: u64) {
    let took = [few, many].map(|jobs| {
        let settings = Settings {
            defaults: Defaults::default(),
            retry_delay: jiff::SignedDuration::from_secs(60),
            disable_after_failures: 0,
            max_jobs: usize::MAX,
            kill_grace: jiff::SignedDuration::from_secs(5),
            abilities: Abilities {
                only_user: None,
                run_as: None,
                containers: false,
                executors: false,
            },
            zones: ZoneDb::bundled(),
            machine: Err("there is none".to_owned()),
        };
        let records = (0..jobs).map(record).collect();
        let recovered = Recovered { jobs: records, ..Recovered::default() };
        let state = State::recover(settings.into(), recovered);
        let drafts = (0..10).map(|index| draft(index * (jobs / 10), "true")).collect();
        let request = Request::Apply { drafts, dialect: Dialect::V0 };
        let event = Event::Request { id: RequestId(1), request };
        let boot = BootInstant(Duration::from_secs(1).try_into().expect("few"));
        let now = Now { wall: at(1), boot };
        let decision = step(&state, now, &event);
        assert!(decision.changes.len() >= 10, "ten jobs are stored");
        let best = |work: &dyn Fn()| (0..ROUNDS).map(|_| timed(work).1).min().unwrap_or_default();
        let copied = best(&|| drop(state.clone()));
        (best(&|| drop(step(&state, now, &event))), copied)
    });
    for (jobs, (took, copied)) in [few, many].iter().zip(took) {
        say(&format!(
            "apply of ten jobs among {jobs}: {:.3} ms; to copy the state would take {:.3} ms",
            took.as_secs_f64() * 1_000.0,
            copied.as_secs_f64() * 1_000.0
        ));
    }
    let ratio = took[1].0.as_secs_f64() / took[0].0.as_secs_f64();
    say(&format!("that is {ratio:.2} times as long among many"));
}

fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("a reader");
}

#[expect(clippy::disallowed_methods, reason = "a bench is told how much to measure")]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = work();
    (done, begun.elapsed())
}

fn name(index: u64) -> JobName {
    JobName::parse(&format!("job-{index:06}"), NameRule::Blanks).expect("a name")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("an instant")
}

/// Every tenth job runs after the one before it; the others in a far year, so that nothing runs.
fn draft(index: u64, command: &str) -> JobDraft {
    let mut body = serde_json::json!({
        "name": name(index).as_str(),
        "command": command,
        "owner": "data@example.org",
        "description": "what it is for, in a sentence of the usual length",
    });
    if index % 10 == 9 {
        body["parents"] = serde_json::json!([name(index - 1).as_str()]);
    } else {
        body["schedule"] = "R/2099-01-01T00:00:00Z/P1D".into();
    }
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let reading = chronode::jobspec::read_as(&body, Dialect::V0, NameRule::Blanks, &period);
    reading.expect("a body that can be read").draft
}

fn record(index: u64) -> JobRecord {
    let command = format!("/opt/batch/run-{index} --input /var/spool/{index} --verbose");
    let draft = draft(index, &command);
    JobRecord {
        incarnation: Incarnation(index + 1),
        revision: 1,
        accepted_at: at(0),
        job: draft.resolve(None, Dialect::V0, &Defaults::default()),
        stats: JobStats {
            success_count: 10,
            last_success: "2026-11-21T14:00:00.000Z".to_owned(),
            last_error: "2026-11-20T14:00:00.000Z".to_owned(),
            ..JobStats::default()
        },
        progress: Progress {
            decided_through: at(0),
            stretch: None,
            boot_id: None,
            rounds: Vec::new(),
        },
        interventions: Interventions::default(),
    }
}

fn run(sequence: u64, jobs: u64) -> Run {
    let index = (sequence - 1) % jobs;
    let due_at = at(i64::try_from(sequence).expect("few"));
    let took =
        jiff::SignedDuration::from_millis(500 + i64::try_from(sequence % 7_919).expect("few"));
    Run {
        id: RunId::scheduled(Incarnation(index + 1), due_at),
        sequence,
        job: name(index),
        trigger: Trigger::Schedule { due_at, opens_at: due_at },
        task_millis: due_at.as_millisecond(),
        arguments: None,
        environment: Vec::new(),
        by: None,
        retries_down: false,
        stopped_by: None,
        causes: Vec::new(),
        created_at: due_at,
        start_deadline: None,
        wanted_at: due_at,
        state: RunState::Ended {
            verdict: Verdict::Succeeded,
            at: due_at.checked_add(took).expect("an instant"),
            reason: String::new(),
        },
        attempts: Vec::new(),
    }
}

fn fill(directory: &Path, jobs: u64, runs: u64) {
    let store = SqliteStore::open(&DataDir::open(directory).expect("a directory of its own"))
        .expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let stored = (0..jobs).map(|index| Change::JobStored(Box::new(record(index))));
    let ended = (1..=runs).map(|sequence| Change::RunStored(Box::new(run(sequence, jobs))));
    let mut changes = stored.chain(ended).peekable();
    while changes.peek().is_some() {
        let changes = changes.by_ref().take(PER_BATCH).collect();
        runtime.block_on(store.commit(Batch { term: Term(1), changes })).expect("a disk with room");
    }
}

/// Makes of the database one of the third layout, as far as opening it goes.
fn take_back_a_layout(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("the database");
    connection
        .execute_batch(
            "DROP TABLE pause; DROP TABLE backfills; DROP TABLE causes;
             ALTER TABLE jobs DROP COLUMN interventions;
             DROP TABLE answers;
             DROP INDEX history_took; ALTER TABLE history DROP COLUMN took_ms;
             PRAGMA user_version = 3;",
        )
        .expect("a database of the present layout");
}

struct Program {
    child: Child,
    /// Kept open: it prints more than its first line, and ends if it cannot.
    _stdout: BufReader<ChildStdout>,
    url: String,
    client: reqwest::blocking::Client,
}

struct Answer {
    first: Duration,
    all: Duration,
    bytes: usize,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chronode"))
            .args(["serve", "--http_port", "0", "--log", "human", "--log_level", "error"])
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("a banner");
        let url = line.trim_end().rsplit(' ').next().expect("an address").to_owned();
        let client = reqwest::blocking::Client::builder().timeout(None).build().expect("a client");
        Self { child, _stdout: stdout, url, client }
    }

    fn ask(&self, path: &str) -> Answer {
        let begun = now();
        let mut response =
            self.client.get(format!("{}{path}", self.url)).send().expect("an answer");
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = response.read(&mut buffer).expect("a first byte");
        let first = begun.elapsed();
        loop {
            match response.read(&mut buffer).expect("the rest") {
                0 => return Answer { first, all: begun.elapsed(), bytes },
                more => bytes += more,
            }
        }
    }

    /// Memory in use, in megabytes.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        let kilobytes = line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
        kilobytes.expect("a number") / 1_024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Whoever is gone already need not be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
