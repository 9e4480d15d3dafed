//! The audit log: who did what, from where, through which door, and what became of it.
//!
//! One JSON object a line in `audit.jsonl` of the data directory, which only grows; at a size it is put aside as
//! `audit.jsonl.1` and so on, and of these there are only so many. It holds names, paths and outcomes, never what a
//! body or a query said. It is not part of the state: whoever restores a backup keeps the log of what was done since.
//!
//! A record is written after the outcome is known and before the client hears of it. Attempts that were refused are
//! recorded too, but only so many in a time, because everybody can make them.

mod file;
mod read;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::clock;
use crate::model::{BootInstant, Duration};
use file::LogFile;

pub use read::{Filter, Page};

/// The log's name in the data directory.
pub const AUDIT_FILE: &str = "audit.jsonl";

/// One thing that somebody did, or tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Who.
    pub caller: String,
    /// Their role; empty where there is none.
    pub role: String,
    /// The address they came from; empty where there is none.
    pub peer: String,
    /// Through which door: a prefix of the API, `file` or `process`.
    pub door: String,
    /// The method of the request; empty if there was none.
    pub method: String,
    /// Its path, or the file. Never its query.
    pub path: String,
    /// What was asked for, as one word.
    pub what: &'static str,
    /// The jobs that were named.
    pub jobs: Vec<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// More for people: why, which, how many.
    pub detail: String,
    /// The request's number in the log.
    pub request: Option<u64>,
    /// Which revision of the job came of it.
    pub revision: Option<u64>,
    /// Which run came of it, or is the one that it is about.
    pub run: Option<String>,
    /// Why, as the caller says; empty if they do not.
    pub reason: String,
    /// Whether it was asked for under a key, so that this may be the repeated answer to what an earlier record tells.
    pub has_key: bool,
}

impl Record {
    /// As records of which each names all of its jobs.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        if self.jobs.len() <= JOBS_MAX {
            return vec![self];
        }
        let of = |jobs: &[String]| Self { jobs: jobs.to_vec(), ..self.clone() };
        self.jobs.chunks(JOBS_MAX).map(of).collect()
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    #[default]
    Done,
    /// It was not, and will not be.
    Refused {
        /// The status of the answer; 0 where there was no request.
        status: u16,
        /// The answer's stable word.
        code: &'static str,
    },
    /// Whether it was done is not known.
    Unknown,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files that were put aside.
    pub old_files: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 16 * 1024 * 1024, old_files: 9 }
    }
}

/// Refusals that are recorded at once.
const REFUSALS_BURST: i64 = 60;
/// After which time one more may be recorded.
const REFUSAL_EVERY: Duration = Duration::from_secs(1);

/// The audit log. Clones write the same one.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    limits: Limits,
    /// Whether nothing may be changed while nothing can be recorded.
    is_required: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: LogFile,
    /// The last sequence that was given to a record.
    sequence: u64,
    /// Why the last record was not written.
    problem: Option<String>,
    refusals: Refusals,
}

/// How many refusals may be recorded now.
#[derive(Debug)]
struct Refusals {
    left: i64,
    /// When the last one was given back.
    filled_at: BootInstant,
    /// Those that were not recorded since the last one that was.
    suppressed: u64,
}

impl Audit {
    /// Opens the log in `directory`, making it if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be written, or its end cannot be read.
    pub fn open(directory: &Path, limits: Limits, is_required: bool) -> io::Result<Self> {
        let path = directory.join(AUDIT_FILE);
        let file = LogFile::open(&path)?;
        let sequence = read::last_sequence(&path, limits.old_files)?;
        let refusals = Refusals { left: REFUSALS_BURST, filled_at: clock::boot(), suppressed: 0 };
        let state = Mutex::new(State { file, sequence, problem: None, refusals });
        Ok(Self(Arc::new(Inner { path, limits, is_required, state })))
    }

    /// Writes one record. Blocks for as long as the disk takes.
    ///
    /// A failure is told in the log of the program and kept for [`Self::problem`]; what was done stays done.
    pub fn record(&self, record: &Record) {
        let mut state = self.lock();
        self.write(&mut state, record, 0);
    }

    /// Writes a record of an attempt that was refused, if not too many have been lately.
    pub fn record_refusal(&self, record: &Record) {
        let mut state = self.lock();
        if let Some(suppressed) = state.refusals.admit(clock::boot()) {
            self.write(&mut state, record, suppressed);
        }
    }

    /// Whether something may be changed now: always, unless records are required and the last one failed.
    ///
    /// Then it tries to write again, so that changes are possible as soon as records are.
    ///
    /// # Errors
    ///
    /// Why not, as a sentence.
    pub fn admit_change(&self) -> Result<(), String> {
        if !self.is_required() {
            return Ok(());
        }
        let mut state = self.lock();
        if state.problem.is_some() {
            let what = "audit";
            let detail = "records could not be written and can be again".to_owned();
            let (caller, door) = ("chronode".to_owned(), "process".to_owned());
            self.write(&mut state, &Record { caller, door, what, detail, ..Record::default() }, 0);
        }
        state.problem.clone().map_or(Ok(()), Err)
    }

    /// Whether nothing may be changed while nothing can be recorded.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.0.is_required
    }

    /// Why the last record could not be written; `None` if it was.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    /// The records that `filter` wants with a sequence below `before`, newest first, at most `limit`. Blocks.
    ///
    /// # Errors
    ///
    /// A file of the log cannot be read.
    pub fn read(&self, filter: &Filter, before: Option<u64>, limit: usize) -> io::Result<Page> {
        read::page(&self.0.path, self.0.limits.old_files, filter, before, limit)
    }

    fn write(&self, state: &mut State, record: &Record, suppressed: u64) {
        let sequence = state.sequence + 1;
        let mut line = printed(record, sequence, suppressed).to_string();
        line.push('\n');
        let Limits { file_bytes, old_files } = self.0.limits;
        let written = state.file.append(line.as_bytes(), file_bytes, old_files, self.0.is_required);
        match written {
            Ok(()) => {
                state.sequence = sequence;
                if state.problem.take().is_some() {
                    tracing::warn!("the audit log is written again");
                }
            }
            Err(error) => {
                tracing::error!(what = record.what, "the audit log cannot be written: {error}");
                state.problem = Some(format!("the audit log cannot be written: {error}"));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusals {
    /// Whether one may be recorded, and how many before it were not.
    fn admit(&mut self, now: BootInstant) -> Option<u64> {
        while self.left < REFUSALS_BURST && now >= self.filled_at.saturating_add(REFUSAL_EVERY) {
            self.left += 1;
            self.filled_at = self.filled_at.saturating_add(REFUSAL_EVERY);
        }
        if self.left == REFUSALS_BURST {
            self.filled_at = now;
        }
        if self.left == 0 {
            self.suppressed += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// Characters of a text that are recorded.
const TEXT_CHARS_MAX: usize = 300;
/// Jobs that are named in one record. Of more, [`Record::split`] makes several.
const JOBS_MAX: usize = 100;

/// The record as it stands in the log. What is empty is left out.
fn printed(record: &Record, sequence: u64, suppressed: u64) -> Value {
    let Record {
        caller,
        role,
        peer,
        door,
        method,
        path,
        what,
        jobs,
        outcome,
        detail,
        request,
        revision,
        run,
        reason,
        has_key,
    } = record;
    let mut map = Map::new();
    map.insert("sequence".into(), sequence.into());
    map.insert("at".into(), format!("{:.3}", clock::wall()).into());
    map.insert("caller".into(), clean(caller).into());
    let mut text = |key: &str, value: &str| {
        if !value.is_empty() {
            map.insert(key.into(), clean(value).into());
        }
    };
    text("role", role);
    text("peer", peer);
    text("door", door);
    text("method", method);
    text("path", path);
    text("what", what);
    if !jobs.is_empty() {
        map.insert("jobs".into(), jobs.iter().take(JOBS_MAX).map(|job| clean(job)).collect());
    }
    if jobs.len() > JOBS_MAX {
        map.insert("jobsInAll".into(), jobs.len().into());
    }
    let outcome = match outcome {
        Outcome::Done => json!({"result": "done"}),
        Outcome::Refused { status: 0, code } => json!({"result": "refused", "code": code}),
        Outcome::Refused { status, code } => {
            json!({"result": "refused", "status": status, "code": code})
        }
        Outcome::Unknown => json!({"result": "unknown"}),
    };
    map.insert("outcome".into(), outcome);
    if !detail.is_empty() {
        map.insert("detail".into(), clean(detail).into());
    }
    if let Some(request) = request {
        map.insert("requestId".into(), request.to_string().into());
    }
    if let Some(revision) = revision {
        map.insert("revision".into(), (*revision).into());
    }
    if let Some(run) = run {
        map.insert("run".into(), run.as_str().into());
    }
    if !reason.is_empty() {
        map.insert("reason".into(), reason.as_str().into());
    }
    if *has_key {
        map.insert("idempotencyKey".into(), true.into());
    }
    if suppressed > 0 {
        map.insert("suppressedBefore".into(), suppressed.into());
    }
    Value::Object(map)
}

/// A text of somebody else, made safe for a terminal: nothing in it moves the cursor or turns the reading direction.
fn clean(text: &str) -> String {
    let mut kept = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == TEXT_CHARS_MAX {
            kept.push('…');
            break;
        }
        let is_shown = matches!(c, '"' | '\'' | '\\') || c.escape_debug().count() == 1;
        if is_shown { kept.push(c) } else { kept.extend(c.escape_unicode()) }
    }
    kept
}
