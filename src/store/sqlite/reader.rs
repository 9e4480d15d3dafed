//! Reading the history, beside the writer.
//!
//! Each reader has connections of its own that can only read and see what was committed when their statement began.
//! They block, so async code calls them through `spawn_blocking`. Another process may read too: `chronode backup`.

mod alerts;
mod pages;
mod start;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::changes::{bad_record, read_marks, signed};
use super::open::{self, error};
use super::schema::LAYOUT;
use crate::model::HistoryEntry;
use crate::model::{
    Incarnation, Job, JobName, Pattern, Run, RunId, RunState, Scope, Timestamp, Verdict,
};
use crate::store::Error;
use crate::store::codec::{self, DecodeError};

pub use alerts::{IncidentFilter, NotificationFilter};
#[cfg(test)]
pub(super) use pages::{EDGES, FROM_HERE, NEWEST, NEWEST_END};
pub use pages::{Found, Lane, Within};

/// Connections of one reader. More would only wait for the same two or four cores.
const CONNECTIONS_MAX: usize = 4;

/// Reads the history. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Arc<Pool>,
}

/// Which entries of the history are wanted. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those of this name, in any of its lives.
    pub job: Option<JobName>,
    /// Only those of this life. Meant to go with its name, by which entries are found; alone it looks at all of them.
    pub incarnation: Option<Incarnation>,
    /// Only those that ended so.
    pub verdict: Option<Verdict>,
    /// Only live runs, or only what has ended.
    pub live: Option<bool>,
    /// Only those recorded with this sequence or a later one.
    pub since: Option<u64>,
    /// Only those of jobs whose names it covers.
    pub scope: Scope,
}

/// One revision of a definition, of a job that is there or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Which life of the name.
    pub incarnation: Incarnation,
    /// Which definition of this life, from 1.
    pub revision: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What was accepted. Whether the engine has disabled it since is not said.
    pub job: Job,
    /// Whether this life is over.
    pub is_removed: bool,
}

impl Reader {
    /// Opens the database at `path` for reading, whoever writes it.
    ///
    /// # Errors
    ///
    /// [`Error`]: there is none, or it is not one that this release can read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let pool = Pool {
            path: path.to_owned(),
            state: Mutex::new(PoolState { idle: Vec::new(), lent: 0 }),
            returned: Condvar::new(),
        };
        let reader = Self { pool: Arc::new(pool) };
        reader.with(|_| Ok(()))?;
        Ok(reader)
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.pool.path
    }

    /// The entries that `filter` wants with a sequence below `before`, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn list(
        &self,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let (sql, values) = list_query(filter, before, limit)?;
        self.with(|reading| reading.rows(&sql, params_from_iter(values), |row| reading.entry(row)))
    }

    /// The run of this name, live or ended; `None` if there never was one or it has been pruned.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn run(&self, id: RunId) -> Result<Option<Run>, Error> {
        self.with(|reading| {
            let found = reading.rows(
                "SELECT sequence, run_id, verdict, record FROM history WHERE run_id = ?1",
                params![id.to_string()],
                |row| reading.entry(row),
            )?;
            Ok(found.into_iter().next().and_then(|entry| match entry {
                HistoryEntry::Run(run) => Some(run),
                HistoryEntry::Stretch(_) => None,
            }))
        })
    }

    /// The runs that one of `causes` brought about, each once, in the order of recording: by ending, or by being tried
    /// once more. At most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn caused_by(&self, causes: &[RunId], limit: usize) -> Result<Vec<Run>, Error> {
        let causes: serde_json::Value = causes.iter().map(RunId::to_string).collect();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = self.with(|reading| {
            reading.rows(CAUSED_BY, params![causes.to_string(), limit], |row| reading.entry(row))
        })?;
        let run = |entry| match entry {
            HistoryEntry::Run(run) => Some(run),
            HistoryEntry::Stretch(_) => None,
        };
        Ok(found.into_iter().filter_map(run).collect())
    }

    /// The newest run of each of these names that has had one and of which it is kept.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn newest_runs(&self, jobs: &[JobName]) -> Result<BTreeMap<JobName, RunId>, Error> {
        let names: serde_json::Value = jobs.iter().map(JobName::as_str).collect();
        self.with(|reading| {
            let mut found = BTreeMap::new();
            reading.each(NEWEST_RUNS, params![names.to_string()], |row| {
                let index: i64 = reading.get(row, 0)?;
                let id: String = reading.get(row, 1)?;
                let place = || format!("run {id}");
                let run = RunId::parse(&id)
                    .ok_or_else(|| reading.malformed(place(), "its name is that of no run"))?;
                let job = usize::try_from(index).ok().and_then(|index| jobs.get(index));
                found.extend(job.map(|job| (job.clone(), run)));
                Ok(())
            })?;
            Ok(found)
        })
    }

    /// How many occurrences ended how, of one name or of all, since the database began: pruned ones included.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn counts(&self, job: Option<&JobName>) -> Result<BTreeMap<Verdict, u64>, Error> {
        let sql = match job {
            Some(_) => {
                "SELECT verdict, SUM(count) FROM (
                     SELECT verdict, count FROM history WHERE job = ?1 AND verdict IS NOT NULL
                     UNION ALL
                     SELECT verdict, count FROM pruned_counts WHERE job = ?1)
                 GROUP BY verdict"
            }
            None => {
                "SELECT verdict, SUM(count) FROM (
                     SELECT verdict, count FROM history WHERE verdict IS NOT NULL
                     UNION ALL
                     SELECT verdict, count FROM pruned_counts)
                 GROUP BY verdict"
            }
        };
        let values = params_from_iter(job.map(JobName::as_str));
        self.with(|reading| {
            let rows = reading.rows(sql, values, |row| {
                let word: String = reading.get(row, 0)?;
                let count: i64 = reading.get(row, 1)?;
                match (Verdict::parse(&word), u64::try_from(count)) {
                    (Some(verdict), Ok(count)) => Ok((verdict, count)),
                    (None, _) | (_, Err(_)) => {
                        Err(reading.malformed("the counts".to_owned(), format!("{word} {count}")))
                    }
                }
            })?;
            Ok(rows.into_iter().collect())
        })
    }

    /// How long the newest `limit` successes of that life of a job took, newest first, in milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn took(&self, incarnation: Incarnation, limit: usize) -> Result<Vec<u64>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = params![signed(incarnation.0)?, limit];
        self.with(|reading| reading.rows(TOOK, values, |row| reading.amount(row, 0)))
    }

    /// The same of every job that has a success: `each` is called once for each, newest life first, and may do with the
    /// figures what it likes.
    ///
    /// Looks at every success that is kept, at each once.
    ///
    /// # Errors
    ///
    /// [`Error`]; what `each` was told before holds.
    pub fn took_by_all(
        &self,
        limit: usize,
        mut each: impl FnMut(Incarnation, &mut Vec<u64>),
    ) -> Result<(), Error> {
        self.with(|reading| {
            let mut of = None;
            let mut took = Vec::new();
            reading.each(TOOK_BY_ALL, params![], |row| {
                let incarnation = Incarnation(reading.get::<i64>(row, 0)?.cast_unsigned());
                if let Some(of) = of.replace(incarnation).filter(|of| *of != incarnation) {
                    each(of, &mut took);
                    took.clear();
                }
                if took.len() < limit {
                    took.push(reading.amount(row, 1)?);
                }
                Ok(())
            })?;
            if let Some(of) = of {
                each(of, &mut took);
            }
            Ok(())
        })
    }

    /// The definitions that a name has had, newest first, as far as they are kept, at most `limit`; those before
    /// `before`, an incarnation and a revision, if that is given.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn revisions(
        &self,
        job: &JobName,
        before: Option<(Incarnation, u64)>,
        limit: usize,
    ) -> Result<Vec<Revision>, Error> {
        // What is beyond every stored number stands for no bound.
        let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (incarnation, revision) = before
            .map_or((i64::MAX, i64::MAX), |(life, revision)| (bound(life.0), bound(revision)));
        self.with(|reading| {
            reading.rows(
                "SELECT definition, is_removed FROM definitions
                 WHERE name = ?1 AND (incarnation, revision) < (?2, ?3)
                 ORDER BY incarnation DESC, revision DESC LIMIT ?4",
                params![job.as_str(), incarnation, revision, bound(limit as u64)],
                |row| {
                    let definition = codec::decode_definition(&reading.get::<String>(row, 0)?);
                    let codec::Definition { incarnation, revision, accepted_at, job } =
                        reading.record(definition, || format!("a definition of job `{job}`"))?;
                    let is_removed = reading.get(row, 1)?;
                    Ok(Revision { incarnation, revision, accepted_at, job, is_removed })
                },
            )
        })
    }

    fn with<T>(&self, read: impl FnOnce(&Reading<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut lease = Lease::take(&self.pool)?;
        let connection = lease.connection.as_ref().expect("taken out only when the lease ends");
        let result = read(&Reading { connection, path: &self.pool.path });
        if matches!(result, Err(Error::Sqlite { .. } | Error::Corrupt { .. })) {
            // The next one gets a fresh connection: what this one remembers may be wrong.
            lease.connection = None;
        }
        result
    }
}

/// The causes come as one list, so that there is one statement whatever their number.
pub(super) const CAUSED_BY: &str = "SELECT sequence, run_id, verdict, record FROM history
     WHERE sequence IN (SELECT sequence FROM causes WHERE cause IN (SELECT value FROM json_each(?1)))
     ORDER BY sequence LIMIT ?2";
/// One look into the index for each name: the list drives, whatever the history has.
pub(super) const NEWEST_RUNS: &str = "SELECT jobs.key, history.run_id
     FROM json_each(?1) AS jobs JOIN history ON history.sequence =
         (SELECT sequence FROM history WHERE job = jobs.value AND run_id IS NOT NULL ORDER BY sequence DESC LIMIT 1)";
/// Names the condition of the partial index, which is not used otherwise.
pub(super) const TOOK: &str =
    "SELECT took_ms FROM history WHERE incarnation = ?1 AND took_ms IS NOT NULL
     ORDER BY sequence DESC LIMIT ?2";
/// Walks the index backwards, so that nothing is sorted.
pub(super) const TOOK_BY_ALL: &str =
    "SELECT incarnation, took_ms FROM history WHERE took_ms IS NOT NULL
     ORDER BY incarnation DESC, sequence DESC";

/// The statement for a list, and its values.
pub(super) fn list_query(
    filter: &Filter,
    before: Option<u64>,
    limit: usize,
) -> Result<(String, Vec<Value>), Error> {
    let Filter { job, incarnation, verdict, live, since, scope } = filter;
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let covered = covered(scope, &mut values);
    conditions.extend(covered.as_deref());
    if let Some(job) = job {
        conditions.push("job = ?");
        values.push(job.as_str().to_owned().into());
    }
    if let Some(incarnation) = incarnation {
        conditions.push("incarnation = ?");
        values.push(signed(incarnation.0)?.into());
    }
    if let Some(verdict) = verdict {
        conditions.push("verdict = ?");
        values.push(verdict.as_str().to_owned().into());
        // Says what the value implies, in the words of the index, which is not used otherwise.
        if *verdict != Verdict::Succeeded {
            conditions.push("verdict <> 'succeeded'");
        }
    }
    match live {
        Some(true) => conditions.push("ended_at IS NULL"),
        Some(false) => conditions.push("verdict IS NOT NULL"),
        None => {}
    }
    if let Some(since) = since {
        conditions.push("sequence >= ?");
        values.push(i64::try_from(*since).unwrap_or(i64::MAX).into());
    }
    if let Some(before) = before {
        conditions.push("sequence < ?");
        values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
    }
    let condition =
        if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT sequence, run_id, verdict, record, job FROM history WHERE {condition} \
         ORDER BY sequence DESC LIMIT ?"
    );
    Ok((sql, values))
}

/// The condition that a scope makes; none of all jobs. A beginning is a range of names, which an index can find.
fn covered(scope: &Scope, values: &mut Vec<Value>) -> Option<String> {
    let Scope::Only(patterns) = scope else { return None };
    let mut alternatives = vec!["FALSE"];
    for pattern in patterns {
        match pattern {
            Pattern::Name(name) => {
                alternatives.push("job = ?");
                values.push(name.clone().into());
            }
            Pattern::Prefix(prefix) => {
                alternatives.push("(job >= ? AND job < ?)");
                values.extend([prefix.clone().into(), after_prefix(prefix).into()]);
            }
        }
    }
    Some(format!("({})", alternatives.join(" OR ")))
}

/// The first text behind all that begin with `prefix`. Names are compared byte by byte, in UTF-8 and so as characters.
fn after_prefix(prefix: &str) -> String {
    let mut text = prefix.to_owned();
    // A prefix ends with a separator, which is ASCII and has a successor.
    if let Some(next) = text.pop().and_then(|last| char::from_u32(u32::from(last) + 1)) {
        text.push(next);
    }
    text
}

struct Reading<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl Reading<'_> {
    fn rows<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    fn each(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.until(sql, values, |row| {
            read(row)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Reads an amount, such as how long something took.
    fn amount(&self, row: &Row<'_>, column: usize) -> Result<u64, Error> {
        let millis: i64 = self.get(row, column)?;
        // Only whoever writes to the file by hand makes it negative.
        Ok(u64::try_from(millis).unwrap_or(0))
    }

    /// Reads `sequence, run_id, verdict, record`, and checks that they belong together.
    fn entry(&self, row: &Row<'_>) -> Result<HistoryEntry, Error> {
        let sequence: i64 = self.get(row, 0)?;
        let run_id: Option<String> = self.get(row, 1)?;
        let verdict: Option<String> = self.get(row, 2)?;
        let record: String = self.get(row, 3)?;
        let place = || format!("history entry {sequence}");
        let (entry, is_same, found) = match run_id {
            Some(run_id) => {
                let run = self.record(codec::decode_run(&record), place)?;
                let is_same = run.id.to_string() == run_id;
                let verdict = match &run.state {
                    RunState::Ended { verdict, .. } => Some(*verdict),
                    RunState::Queued
                    | RunState::Pending { .. }
                    | RunState::Active
                    | RunState::Waiting { .. }
                    | RunState::Reporting { .. } => None,
                };
                (HistoryEntry::Run(run), is_same, verdict)
            }
            None => {
                let stretch = self.record(codec::decode_stretch(&record), place)?;
                let verdict = stretch.verdict;
                (HistoryEntry::Stretch(stretch), true, Some(verdict))
            }
        };
        let is_same = is_same
            && signed(entry.sequence())? == sequence
            && found.map(Verdict::as_str) == verdict.as_deref();
        if is_same {
            Ok(entry)
        } else {
            Err(self.malformed(place(), "its record is that of another entry"))
        }
    }

    fn get<T: rusqlite::types::FromSql>(&self, row: &Row<'_>, column: usize) -> Result<T, Error> {
        row.get(column).map_err(|source| error("read the history", self.path, source))
    }

    fn record<T>(
        &self,
        decoded: Result<T, DecodeError>,
        place: impl Fn() -> String,
    ) -> Result<T, Error> {
        decoded.map_err(|source| bad_record(self.path, place(), source))
    }

    fn malformed(&self, place: String, why: impl Into<String>) -> Error {
        bad_record(self.path, place, DecodeError::Malformed { why: why.into() })
    }
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    state: Mutex<PoolState>,
    /// Notified when a connection comes back, or is given up.
    returned: Condvar,
}

#[derive(Debug)]
struct PoolState {
    idle: Vec<Connection>,
    lent: usize,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan. Goes back when dropped, even by a panic.
struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl<'a> Lease<'a> {
    fn take(pool: &'a Pool) -> Result<Self, Error> {
        let mut state = pool.lock();
        while state.idle.is_empty() && state.lent >= CONNECTIONS_MAX {
            state = pool.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let idle = state.idle.pop();
        state.lent += 1;
        drop(state);
        // From here on the drop of the lease keeps the number right, also if opening fails.
        let mut lease = Self { pool, connection: idle };
        if lease.connection.is_none() {
            lease.connection = Some(open_for_reading(&pool.path)?);
        }
        Ok(lease)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.lent -= 1;
        state.idle.extend(self.connection.take());
        drop(state);
        self.pool.returned.notify_one();
    }
}

fn open_for_reading(path: &Path) -> Result<Connection, Error> {
    let connection = open::connect_read_only(path)?;
    let found = open::check_identity(&connection, path)?;
    if found < LAYOUT {
        return Err(Error::Older { path: path.to_owned(), found, known: LAYOUT });
    }
    Ok(connection)
}

#[cfg(test)]
pub(super) fn explain(reader: &Reader, filter: &Filter, before: Option<u64>) -> String {
    let (sql, values) = list_query(filter, before, 20).unwrap();
    plan(reader, &sql, values)
}

/// The plan of a statement that takes up to two numbers.
#[cfg(test)]
pub(super) fn explain_sql(reader: &Reader, sql: &str) -> String {
    plan(reader, sql, vec![Value::Integer(1); sql.matches('?').count()])
}

#[cfg(test)]
fn plan(reader: &Reader, sql: &str, values: Vec<Value>) -> String {
    reader
        .with(|reading| {
            reading.rows(&format!("EXPLAIN QUERY PLAN {sql}"), params_from_iter(values), |row| {
                reading.get::<String>(row, 3)
            })
        })
        .unwrap()
        .join("; ")
}
