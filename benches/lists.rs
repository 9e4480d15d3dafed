//! How fast lists and figures are answered with many jobs and a long history, and what that costs in memory.
//!
//! Run with `cargo bench --bench lists`; `CHRONODE_BENCH_JOBS` and `CHRONODE_BENCH_RUNS` change how many there are. Writes
//! a database as the program does, starts the program on it, and asks over HTTP. Each figure is the best of some
//! requests. The first start of all brings nothing up to date, so what that costs is measured apart: the layout before
//! the last is made of the database, and the program opens it.

mod house;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use chronode::engine::{
    Abilities, ApplyTerms, Event, Recovered, Request, RequestId, Settings, State, step,
};
use chronode::model::{BootInstant, Defaults, Dialect, Now};
use chronode::schedule::ZoneDb;
use chronode::store::DATABASE_FILE;
use house::{House, Program, now, number, timed};

const ROUNDS: usize = 5;

/// In the past, and due next in a far year: nothing of it runs while it is measured.
const fn house(jobs: u64, runs: u64) -> House {
    House { jobs, runs, begun: 1_700_000_000, due: 4_070_908_800, apart: 0.0 }
}

fn main() {
    // Who asks needs one, also without TLS; one that is there already does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let jobs = number("CHRONODE_BENCH_JOBS", 100_000);
    let runs = number("CHRONODE_BENCH_RUNS", 1_000_000);
    apply_among(10_000, jobs);
    let directory = tempfile::tempdir().expect("a directory");
    let took = timed(|| house(jobs, runs).fill(directory.path())).1;
    say(&format!("{jobs} jobs and {runs} runs written in {:.1} s", took.as_secs_f64()));
    take_back_a_layout(&directory.path().join(DATABASE_FILE));
    let (program, took) = timed(|| Program::start(directory.path(), &[]));
    say(&format!("start that brings the database up to date: {:.1} s", took.as_secs_f64()));
    drop(program);
    let (program, took) = timed(|| Program::start(directory.path(), &[]));
    say(&format!(
        "start after that: {:.1} s, {} MB resident",
        took.as_secs_f64(),
        program.memory()
    ));
    let client = reqwest::blocking::Client::builder().timeout(None).build().expect("a client");
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
        "/scheduler/overview",
        "/scheduler/overview?search=nobody",
        "/scheduler/overview?state=failing",
        "/scheduler/overview?sort=nextDue",
        "/scheduler/timeline",
        "/scheduler/timeline?busy=true",
        "/scheduler/runs?search=nobody",
        "/scheduler/runs?to=2026-01-01T00:00:00Z",
        "/scheduler/agents",
        "/scheduler/forecast",
        "/scheduler/stats/99thPercentile",
        "/scheduler/job/stat/job-000007",
        "/metrics?format=prometheus",
        "/metrics",
    ] {
        let answers: Vec<_> = (0..ROUNDS).map(|_| ask(&client, &program, path)).collect();
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
        let house = house(jobs, 0);
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
                ports: false,
            },
            alerts: chronode::alerts::Terms::default(),
            zones: ZoneDb::bundled(),
            machine: Err("there is none".to_owned()),
        };
        let records = (0..jobs).map(|index| house.record(index)).collect();
        let recovered = Recovered { jobs: records, ..Recovered::default() };
        let state = State::recover(settings.into(), recovered);
        let drafts = (0..10).map(|index| house.draft(index * (jobs / 10), "true")).collect();
        let request = Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() };
        let event = Event::Request { id: RequestId(1), request };
        let boot = BootInstant(Duration::from_secs(1).try_into().expect("few"));
        let now = Now { wall: house.at(1), boot };
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

struct Answer {
    first: Duration,
    all: Duration,
    bytes: usize,
}

fn ask(client: &reqwest::blocking::Client, program: &Program, path: &str) -> Answer {
    let begun = now();
    let mut response = client.get(format!("{}{path}", program.url)).send().expect("an answer");
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
