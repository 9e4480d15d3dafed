//! A house with many jobs and a long history, written as the program writes it, and the program started on it.

#![allow(dead_code, unreachable_pub, reason = "each bench uses a part of this")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chronode::engine::Change;
use chronode::model::{
    AgentId, Attempt, AttemptState, Defaults, Dialect, Exit, Incarnation, Interventions, JobDraft,
    JobName, JobRecord, JobStats, NameRule, Progress, Resources, Run, RunId, RunState, TaskId,
    Term, Timestamp, Trigger, Verdict,
};
use chronode::schedule::parse_period;
use chronode::store::{Batch, DataDir, SqliteStore, Store as _};

/// Changes put into one transaction.
const PER_BATCH: usize = 5_000;

/// What is in a house.
#[derive(Debug, Clone, Copy)]
pub struct House {
    pub jobs: u64,
    pub runs: u64,
    /// When the first run was due, in seconds since 1970; each further one a second later.
    pub begun: i64,
    /// When the first job is due next, in seconds since 1970.
    pub due: i64,
    /// By how many seconds each further job is due later, until a day is full.
    pub apart: f64,
}

#[expect(clippy::disallowed_methods, reason = "a bench is told how much to measure")]
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
pub fn now() -> Instant {
    Instant::now()
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = work();
    (done, begun.elapsed())
}

pub fn name(index: u64) -> JobName {
    JobName::parse(&format!("job-{index:06}"), NameRule::Blanks).expect("a name")
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

impl House {
    /// An instant so many seconds after its first run.
    pub fn at(&self, after: i64) -> Timestamp {
        second(self.begun + after)
    }

    /// Every tenth job runs after the one before it; the others once a day, none of them soon.
    pub fn draft(&self, index: u64, command: &str) -> JobDraft {
        let mut body = serde_json::json!({
            "name": name(index).as_str(),
            "command": command,
            "owner": "data@example.org",
            "description": "what it is for, in a sentence of the usual length",
        });
        if index % 10 == 9 {
            body["parents"] = serde_json::json!([name(index - 1).as_str()]);
        } else {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "seconds of a day"
            )]
            let later = (index as f64 * self.apart) as i64 % 86_400;
            body["schedule"] = format!("R/{}/P1D", second(self.due + later)).into();
        }
        let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
        let reading = chronode::jobspec::read_as(&body, Dialect::V0, NameRule::Blanks, &period);
        reading.expect("a body that can be read").draft
    }

    pub fn record(&self, index: u64) -> JobRecord {
        let command = format!("/opt/batch/run-{index} --input /var/spool/{index} --verbose");
        let draft = self.draft(index, &command);
        JobRecord {
            incarnation: Incarnation(index + 1),
            revision: 1,
            accepted_at: self.at(0),
            job: draft.resolve(None, Dialect::V0, &Defaults::default()),
            stats: JobStats {
                success_count: 10,
                last_success: "2026-11-21T14:00:00.000Z".to_owned(),
                last_error: "2026-11-20T14:00:00.000Z".to_owned(),
                ..JobStats::default()
            },
            progress: Progress {
                decided_through: self.at(0),
                stretch: None,
                boot_id: None,
                rounds: Vec::new(),
            },
            interventions: Interventions::default(),
        }
    }

    /// One in ninety-seven has failed.
    fn run(&self, sequence: u64) -> Run {
        let index = (sequence - 1) % self.jobs;
        let due_at = self.at(i64::try_from(sequence).expect("few"));
        let took =
            jiff::SignedDuration::from_millis(500 + i64::try_from(sequence % 7_919).expect("few"));
        let ended_at = due_at.checked_add(took).expect("an instant");
        let (verdict, code, reason) = match sequence % 97 {
            0 => (Verdict::Failed, 3, "the command ended with exit code 3".to_owned()),
            _ => (Verdict::Succeeded, 0, String::new()),
        };
        let attempt = Attempt {
            index: 0,
            task_id: TaskId::new(due_at.as_millisecond(), 0, &name(index), ""),
            agent: AgentId::new("agent-1"),
            placed: None,
            is_staged: false,
            launched_at: due_at,
            holds: Resources::default(),
            reported: None,
            elements: None,
            state: AttemptState::Ended {
                started_at: Some(due_at),
                at: ended_at,
                exit: Some(Exit::Code(code)),
                message: reason.clone(),
            },
        };
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
            state: RunState::Ended { verdict, at: ended_at, reason },
            attempts: vec![attempt],
        }
    }

    /// Writes it.
    pub fn fill(&self, directory: &Path) {
        let store = SqliteStore::open(&DataDir::open(directory).expect("a directory of its own"))
            .expect("a database");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let stored = (0..self.jobs).map(|index| Change::JobStored(Box::new(self.record(index))));
        let ended = (1..=self.runs).map(|sequence| Change::RunStored(Box::new(self.run(sequence))));
        let mut changes = stored.chain(ended).peekable();
        while changes.peek().is_some() {
            let changes = changes.by_ref().take(PER_BATCH).collect();
            runtime
                .block_on(store.commit(Batch { term: Term(1), changes }))
                .expect("a disk with room");
        }
    }
}

/// `chronode serve`, ended with this value.
pub struct Program {
    child: Child,
    /// Kept open: it prints more than its first line, and ends if it cannot.
    _stdout: BufReader<ChildStdout>,
    pub url: String,
}

impl Program {
    /// Starts it on a directory with more arguments, and waits until it listens.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chronode"))
            .args(["serve", "--http_port", "0", "--log", "human", "--log_level", "error"])
            .args(args)
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
        Self { child, _stdout: stdout, url }
    }

    /// Memory in use, in megabytes.
    pub fn memory(&self) -> u64 {
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
