//! Taking old history out, a little at a time.
//!
//! One call looks at a bounded number of jobs and takes out a bounded number of entries, so that commits never wait
//! long. A pass goes by age, then job by job, then by the total; a job is looked at again only after something was
//! recorded for it. What was taken out stays in the counts.
//!
//! Removes no output directories: the caller does, for the runs that are returned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::alerts;
use super::open::error;
use crate::engine::Change;
use crate::model::{Duration, RunId, Timestamp, millis_since_epoch};
use crate::store::Error;

/// Jobs looked at in one call. Each costs a walk over as many index entries as are kept per job.
const JOBS_PER_CALL_MAX: usize = 200;

/// What is kept of the history. Live runs and stretches that may still be extended are kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Entries per job name, newest first.
    pub per_job: u64,
    /// How long after its end an entry is kept.
    pub age: Duration,
    /// Entries in all, newest ends first.
    pub total: u64,
    /// Removed jobs whose last definition is kept, newest first.
    pub removed_jobs: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            per_job: 1_000,
            age: Duration::from_hours(90 * 24),
            total: 1_000_000,
            removed_jobs: 10_000,
        }
    }
}

/// What one call has taken out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// The runs taken out. Their output is of no use any more; whoever keeps it removes it.
    pub runs: Vec<RunId>,
    /// Runs and stretches taken out.
    pub entries: usize,
    /// Whether another call would find more.
    pub more: bool,
}

/// Where the present pass stands. Kept in memory only: a new process looks at every job once.
#[derive(Debug, Default)]
pub(super) struct Pruner {
    /// End and sequence of the last entry looked at by age.
    age_cursor: Option<(i64, i64)>,
    /// The last job name found by the walk over all of them; `None` before the first.
    walked_to: Option<String>,
    has_walked: bool,
    /// Jobs for which something was recorded since they were looked at.
    touched: BTreeSet<String>,
}

/// An entry that may go.
struct Candidate {
    sequence: i64,
    run_id: Option<String>,
    job: String,
    verdict: String,
    count: i64,
    ended_at: i64,
    /// Whether a job may still extend it.
    is_held: bool,
}

/// `ended_at` stands in the index condition, so that no partial index is missed.
const COLUMNS: &str = "sequence, run_id, job, verdict, count, ended_at,
    run_id IS NULL AND EXISTS (SELECT 1 FROM jobs WHERE name = job AND stretch = sequence)";

impl Pruner {
    /// Notes which jobs have new history.
    pub(super) fn saw(&mut self, changes: &[Change]) {
        for change in changes {
            let job = match change {
                Change::RunStored(run) if run.is_ended() => &run.job,
                Change::StretchStored(stretch) => &stretch.job,
                Change::RunStored(_)
                | Change::TermBegan(_)
                | Change::JobStored(_)
                | Change::JobRemoved { .. }
                | Change::Progressed { .. }
                | Change::Counted { .. }
                | Change::Disabled { .. }
                | Change::SignalStored(_)
                | Change::SignalRemoved { .. }
                | Change::TaskMillisUsed { .. }
                | Change::RequestAnswered(_)
                | Change::AnswerForgotten { .. }
                | Change::ZoneKept { .. }
                | Change::FrameworkSet(_)
                | Change::Alerted(_)
                | Change::ObjectivesJudged(_)
                | Change::OffersSet(_)
                | Change::OffersAdded(_)
                | Change::OffersRemoved(_)
                | Change::AgentLost(_)
                | Change::AgentsSeen(_)
                | Change::DemandTold(_)
                | Change::Quarantined { .. }
                | Change::QuarantineLifted { .. }
                | Change::Intervened { .. }
                | Change::EverythingPaused(_)
                | Change::BackfillStored(_)
                | Change::BackfillRemoved { .. }
                | Change::StretchVoided { .. }
                | Change::ClockJudged(_)
                | Change::ListeningBegan { .. }
                | Change::Heard { .. }
                | Change::ListeningEnded
                | Change::PlacementSettled => continue,
            };
            if !self.touched.contains(job.as_str()) {
                self.touched.insert(job.as_str().to_owned());
            }
        }
    }

    /// Forgets where it stood, after a call whose outcome is not known.
    pub(super) fn start_again(&mut self) {
        *self = Self::default();
    }

    /// Takes out at most `limit` entries.
    pub(super) fn prune(
        &mut self,
        transaction: &Transaction<'_>,
        path: &Path,
        now: Timestamp,
        retention: &Retention,
        limit: usize,
    ) -> Result<Pruned, Error> {
        let table = Table { connection: transaction, path };
        let mut pruned = Pruned::default();
        let mut room = limit.max(1);
        let more_by_age = self.prune_by_age(&table, now, retention, &mut room, &mut pruned)?;
        let more_by_job = self.prune_by_job(&table, retention, &mut room, &mut pruned)?;
        let more_alerts = alerts::prune(transaction, now, retention.age, limit)
            .map_err(|source| error("prune what people were told of", path, source))?;
        pruned.more = more_by_age || more_by_job || more_alerts;
        if !pruned.more {
            // Counting everything is the dearest part, so it comes once per pass.
            pruned.more = prune_by_total(&table, retention, &mut room, &mut pruned)?
                | table.forget_removed_jobs(retention.removed_jobs, limit)?;
        }
        Ok(pruned)
    }

    fn prune_by_age(
        &mut self,
        table: &Table<'_>,
        now: Timestamp,
        retention: &Retention,
        room: &mut usize,
        pruned: &mut Pruned,
    ) -> Result<bool, Error> {
        let age = i64::try_from(retention.age.as_millis()).unwrap_or(i64::MAX);
        let cutoff = millis_since_epoch(now).saturating_sub(age);
        let (ended_at, sequence) = self.age_cursor.unwrap_or((i64::MIN, i64::MIN));
        let found = table.candidates(
            "ended_at IS NOT NULL AND ended_at < ?1
                 AND ended_at >= ?2 AND (ended_at, sequence) > (?2, ?3)
             ORDER BY ended_at, sequence LIMIT ?4",
            params![cutoff, ended_at, sequence, sql_limit(*room)],
        )?;
        let more = found.len() >= *room;
        // Held entries are passed over once per pass, not once per call.
        self.age_cursor = found.last().filter(|_| more).map(|last| (last.ended_at, last.sequence));
        *room -= found.len();
        table.take_out(found, pruned)?;
        Ok(more)
    }

    fn prune_by_job(
        &mut self,
        table: &Table<'_>,
        retention: &Retention,
        room: &mut usize,
        pruned: &mut Pruned,
    ) -> Result<bool, Error> {
        self.walk(table)?;
        for _ in 0..JOBS_PER_CALL_MAX {
            if *room == 0 {
                break;
            }
            let Some(job) = self.touched.pop_first() else { break };
            let found = table.beyond(&job, retention.per_job, *room)?;
            let is_full = found.len() >= *room;
            *room -= found.len();
            let held = found.iter().filter(|candidate| candidate.is_held).count();
            // Entries that stay come first at every look; if they fill the room, nothing is gained by another.
            if is_full && held < found.len() {
                self.touched.insert(job);
            }
            table.take_out(found, pruned)?;
        }
        Ok(!self.touched.is_empty() || !self.has_walked)
    }

    /// Finds the jobs that had history before this process began, some at a time.
    fn walk(&mut self, table: &Table<'_>) -> Result<(), Error> {
        while !self.has_walked && self.touched.len() < JOBS_PER_CALL_MAX {
            match table.next_job(self.walked_to.as_deref())? {
                Some(job) => {
                    self.touched.insert(job.clone());
                    self.walked_to = Some(job);
                }
                None => self.has_walked = true,
            }
        }
        Ok(())
    }
}

fn prune_by_total(
    table: &Table<'_>,
    retention: &Retention,
    room: &mut usize,
    pruned: &mut Pruned,
) -> Result<bool, Error> {
    let excess = table.len()?.saturating_sub(retention.total);
    let wanted = usize::try_from(excess).unwrap_or(usize::MAX);
    if wanted == 0 || *room == 0 {
        return Ok(wanted > 0);
    }
    let found = table.candidates(
        "ended_at IS NOT NULL
             AND NOT (run_id IS NULL
                      AND EXISTS (SELECT 1 FROM jobs WHERE name = job AND stretch = sequence))
         ORDER BY ended_at, sequence LIMIT ?1",
        params![sql_limit(wanted.min(*room))],
    )?;
    let taken = found.len();
    *room -= taken;
    table.take_out(found, pruned)?;
    Ok(taken > 0 && taken < wanted)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

struct Table<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl Table<'_> {
    fn failed(&self, source: rusqlite::Error) -> Error {
        error("prune the history", self.path, source)
    }

    fn len(&self) -> Result<u64, Error> {
        let count: i64 = self
            .connection
            .prepare_cached("SELECT COUNT(*) FROM history")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|source| self.failed(source))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn next_job(&self, after: Option<&str>) -> Result<Option<String>, Error> {
        self.connection
            .prepare_cached("SELECT job FROM history WHERE job > ?1 ORDER BY job LIMIT 1")
            .and_then(|mut statement| {
                statement.query_row([after.unwrap_or("")], |row| row.get(0)).optional()
            })
            .map_err(|source| self.failed(source))
    }

    /// The oldest ended entries of `job` behind its `keep` newest.
    fn beyond(&self, job: &str, keep: u64, limit: usize) -> Result<Vec<Candidate>, Error> {
        let newest_to_go: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT sequence FROM history WHERE job = ?1
                 ORDER BY sequence DESC LIMIT 1 OFFSET ?2",
            )
            .and_then(|mut statement| {
                let keep = i64::try_from(keep).unwrap_or(i64::MAX);
                statement.query_row(params![job, keep], |row| row.get(0)).optional()
            })
            .map_err(|source| self.failed(source))?;
        let Some(newest_to_go) = newest_to_go else { return Ok(Vec::new()) };
        self.candidates(
            "job = ?1 AND sequence <= ?2 AND ended_at IS NOT NULL ORDER BY sequence LIMIT ?3",
            params![job, newest_to_go, sql_limit(limit)],
        )
    }

    fn candidates(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<Candidate>, Error> {
        self.connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM history WHERE {condition}"))
            .and_then(|mut statement| statement.query_map(values, candidate)?.collect())
            .map_err(|source| self.failed(source))
    }

    fn take_out(&self, candidates: Vec<Candidate>, pruned: &mut Pruned) -> Result<(), Error> {
        let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
        for candidate in candidates.into_iter().filter(|candidate| !candidate.is_held) {
            let Candidate { sequence, run_id, job, verdict, count, ended_at: _, is_held: _ } =
                candidate;
            self.execute("DELETE FROM history WHERE sequence = ?1", params![sequence])?;
            self.execute("DELETE FROM causes WHERE sequence = ?1", params![sequence])?;
            let counted = counts.entry((job, verdict)).or_default();
            *counted = counted.saturating_add(count);
            pruned.entries += 1;
            pruned.runs.extend(run_id.as_deref().and_then(RunId::parse));
        }
        for ((job, verdict), count) in counts {
            self.execute(
                "INSERT INTO pruned_counts (job, verdict, count) VALUES (?1, ?2, ?3)
                 ON CONFLICT (job, verdict) DO UPDATE SET count = count + excluded.count",
                params![job, verdict, count],
            )?;
        }
        Ok(())
    }

    /// Forgets the last definitions of removed jobs beyond the `keep` newest. Says whether there are more.
    fn forget_removed_jobs(&self, keep: u64, limit: usize) -> Result<bool, Error> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        let newest_to_go: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT incarnation FROM definitions WHERE is_removed
                 ORDER BY incarnation DESC LIMIT 1 OFFSET ?1",
            )
            .and_then(|mut statement| statement.query_row([keep], |row| row.get(0)).optional())
            .map_err(|source| self.failed(source))?;
        let Some(newest_to_go) = newest_to_go else { return Ok(false) };
        let forgotten = self.execute(
            "DELETE FROM definitions WHERE rowid IN
                 (SELECT rowid FROM definitions WHERE is_removed AND incarnation <= ?1
                  ORDER BY incarnation LIMIT ?2)",
            params![newest_to_go, sql_limit(limit)],
        )?;
        Ok(forgotten >= limit)
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<usize, Error> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map_err(|source| self.failed(source))
    }
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        sequence: row.get(0)?,
        run_id: row.get(1)?,
        job: row.get(2)?,
        verdict: row.get(3)?,
        count: row.get(4)?,
        ended_at: row.get(5)?,
        is_held: row.get(6)?,
    })
}
