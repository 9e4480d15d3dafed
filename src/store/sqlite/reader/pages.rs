//! Reading for pages: a little of the history of many jobs, and what was recorded in a stretch of time.
//!
//! Nothing is indexed by when it was recorded, but sequences grow with that, so an instant is found by halving. Where the
//! wall clock was set back they do not: of what was recorded in both lives of such a time, the one may not be found.

use std::ops::ControlFlow;

use rusqlite::{Row, params, params_from_iter};

use super::{Filter, Reader, Reading, TOOK, list_query, signed};
use crate::model::{
    HistoryEntry, Incarnation, JobName, Run, RunState, Stretch, Timestamp, millis_since_epoch,
};
use crate::store::Error;

/// A stretch of time: from the first instant on, and before the second.
pub type Within = (Timestamp, Timestamp);

/// Entries that are looked at in one search of the history. About a tenth of a second.
const LOOKED_AT_MAX: usize = 20_000;
/// Entries before a stretch of time that are looked at for runs that reach into it.
const LOOKED_BACK: usize = 20;
/// Entries among which a run is looked for, which says exactly when it was recorded.
const PROBED: i64 = 64;

/// What a search of the history has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entries, newest first.
    pub entries: Vec<HistoryEntry>,
    /// How far it was looked, if there is more: the sequence below which to go on, and when that entry was recorded.
    pub searched_to: Option<(u64, Timestamp)>,
}

/// What the history has of one job in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// The newest entries, newest first.
    pub entries: Vec<HistoryEntry>,
    /// Whether there are more.
    pub more: bool,
    /// How long the newest successes of this life of the job took, in milliseconds, whenever they were.
    pub took: Vec<u64>,
}

impl Reader {
    /// The newest `limit` entries of each of these names, newest first.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn recent(&self, jobs: &[JobName], limit: usize) -> Result<Vec<Vec<HistoryEntry>>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|reading| {
            let of = |job: &JobName| {
                let values = params![job.as_str(), i64::MAX, limit];
                reading.rows(NEWEST, values, |row| reading.entry(row))
            };
            jobs.iter().map(of).collect()
        })
    }

    /// The newest `limit` entries below `before` that `filter` wants, of whose names `is_named` says yes and of which
    /// `is_wanted` does. Looks at a bounded number of entries that `filter` wants.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn search(
        &self,
        filter: &Filter,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        before: Option<u64>,
        limit: usize,
        mut is_named: impl FnMut(&str) -> bool,
        is_wanted: impl Fn(&HistoryEntry) -> bool,
    ) -> Result<Found, Error> {
        let is_in =
            |at: Timestamp| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
        self.with(|reading| {
            let since = from.map(|from| reading.bound(from, Side::First)).transpose()?;
            let end = to.map(|to| reading.bound(to, Side::End)).transpose()?;
            let before = before.into_iter().chain(end).min();
            let filter = Filter { since, ..filter.clone() };
            let (sql, values) = list_query(&filter, before, LOOKED_AT_MAX + 1)?;
            let mut entries = Vec::new();
            let (mut looked_at, mut last, mut more) = (0, None, false);
            reading.until(&sql, params_from_iter(values), |row| {
                let job: String = reading.get(row, 4)?;
                let found = if is_named(&job) {
                    let entry = reading.entry(row)?;
                    (is_in(entry.recorded_at()) && is_wanted(&entry)).then_some(entry)
                } else {
                    None
                };
                if looked_at == LOOKED_AT_MAX || (found.is_some() && entries.len() == limit) {
                    more = true;
                    return Ok(ControlFlow::Break(()));
                }
                looked_at += 1;
                last = Some(reading.get::<i64>(row, 0)?);
                entries.extend(found);
                Ok(ControlFlow::Continue(()))
            })?;
            let searched_to = match last.filter(|_| more) {
                Some(last) => reading.recorded_at(last)?.map(|at| (last.cast_unsigned(), at)),
                None => None,
            };
            Ok(Found { entries, searched_to })
        })
    }

    /// The newest `limit` entries of each of these jobs that touch a stretch of time, and how long `typical` successes
    /// took. A run that was recorded long before and has ended meanwhile may be left out.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn lanes(
        &self,
        jobs: &[(JobName, Incarnation)],
        within: Within,
        limit: usize,
        typical: usize,
    ) -> Result<Vec<Lane>, Error> {
        let typical = i64::try_from(typical).unwrap_or(i64::MAX);
        self.with(|reading| {
            let end = signed(reading.bound(within.1, Side::End)?)?;
            let lane = |(job, life): &(JobName, Incarnation)| {
                let mut lane = Lane::default();
                let mut before = 0;
                reading.until(NEWEST, params![job.as_str(), end, i64::MAX], |row| {
                    let entry = reading.entry(row)?;
                    before += usize::from(entry.recorded_at() < within.0);
                    if touches(&entry, within) {
                        if lane.entries.len() == limit {
                            lane.more = true;
                            return Ok(ControlFlow::Break(()));
                        }
                        lane.entries.push(entry);
                    }
                    Ok(if before > LOOKED_BACK {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
                let values = params![signed(life.0)?, typical];
                lane.took = reading.rows(TOOK, values, |row| reading.amount(row, 0))?;
                Ok(lane)
            };
            jobs.iter().map(lane).collect()
        })
    }

    /// Whether the history has something of each of these names in a stretch of time.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn are_busy(&self, jobs: &[JobName], (from, to): Within) -> Result<Vec<bool>, Error> {
        let from_millis = millis_since_epoch(from);
        self.with(|reading| {
            let first = signed(reading.bound(from, Side::First)?)?;
            let end = signed(reading.bound(to, Side::End)?)?;
            let is_busy = |job: &JobName| {
                let newest = reading.rows(NEWEST_END, params![job.as_str(), end], |row| {
                    Ok((reading.get::<i64>(row, 0)?, reading.get::<Option<i64>>(row, 1)?))
                })?;
                let is_in = |&(sequence, ended_at): &(i64, Option<i64>)| {
                    sequence >= first || ended_at.is_none_or(|at| at >= from_millis)
                };
                Ok(newest.iter().any(is_in))
            };
            jobs.iter().map(is_busy).collect()
        })
    }
}

/// Which end of a stretch of time is looked for. Of a stretch of occurrences nobody knows when it began to be recorded:
/// towards either end it is taken for what leaves nothing out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    First,
    End,
}

impl Reading<'_> {
    /// The sequence from which on everything was recorded at `at` or later.
    fn bound(&self, at: Timestamp, side: Side) -> Result<u64, Error> {
        let edges = self.rows(EDGES, params![], |row| {
            Ok(self.get::<Option<i64>>(row, 0)?.zip(self.get::<Option<i64>>(row, 1)?))
        })?;
        let Some((low, last)) = edges.into_iter().flatten().next() else { return Ok(0) };
        // What is below `low` was recorded before, what is at `high` or above was not.
        let (mut low, mut high) = (low, last.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((entry, is_first)) = self.probe(middle, high)? else {
                high = middle;
                continue;
            };
            let sequence = signed(entry.sequence())?;
            let recorded_at = match (&entry, side) {
                (HistoryEntry::Stretch(stretch), Side::End) => stretch.first_due_at,
                (HistoryEntry::Run(_) | HistoryEntry::Stretch(_), _) => entry.recorded_at(),
            };
            if recorded_at < at {
                low = sequence + 1;
            } else if is_first {
                high = middle;
            } else {
                high = sequence;
            }
        }
        Ok(low.cast_unsigned())
    }

    /// The first run from `from` on and below `to`, if there is one nearby, else the first entry; and whether nothing lies
    /// before it.
    fn probe(&self, from: i64, to: i64) -> Result<Option<(HistoryEntry, bool)>, Error> {
        let (mut first, mut run) = (None, None);
        self.until(FROM_HERE, params![from, to, PROBED], |row| {
            if self.get::<Option<String>>(row, 1)?.is_some() {
                run = Some((self.entry(row)?, first.is_none()));
                return Ok(ControlFlow::Break(()));
            }
            if first.is_none() {
                first = Some((self.entry(row)?, true));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(run.or(first))
    }

    fn recorded_at(&self, sequence: i64) -> Result<Option<Timestamp>, Error> {
        let found = self.rows(FROM_HERE, params![sequence, sequence + 1, 1], |row| {
            self.entry(row).map(|entry| entry.recorded_at())
        })?;
        Ok(found.into_iter().next())
    }

    /// As [`Self::each`], until `read` has enough.
    pub(super) fn until(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        mut read: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let failed = |source| super::error("read the history", self.path, source);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if read(row)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Whether an entry has a part in a stretch of time: a run from its recording to its end, a stretch by what was due.
fn touches(entry: &HistoryEntry, (from, to): Within) -> bool {
    match entry {
        HistoryEntry::Run(Run { created_at, state, .. }) => {
            let is_over_before = match state {
                RunState::Ended { at, .. } => *at < from,
                RunState::Queued
                | RunState::Pending { .. }
                | RunState::Active
                | RunState::Waiting { .. }
                | RunState::Reporting { .. } => false,
            };
            *created_at < to && !is_over_before
        }
        HistoryEntry::Stretch(Stretch { first_due_at, last_due_at, .. }) => {
            *first_due_at < to && from <= *last_due_at
        }
    }
}

/// Entries of one job recorded before a sequence, newest first.
pub(in crate::store::sqlite) const NEWEST: &str =
    "SELECT sequence, run_id, verdict, record FROM history
     WHERE job = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3";
/// The newest of them, and when it ended.
pub(in crate::store::sqlite) const NEWEST_END: &str = "SELECT sequence, ended_at FROM history
     WHERE job = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT 1";
/// Entries between two sequences, oldest first.
pub(in crate::store::sqlite) const FROM_HERE: &str =
    "SELECT sequence, run_id, verdict, record FROM history
     WHERE sequence >= ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3";
/// Each is the head of the table, from one side; asked for together they would look at all of it.
pub(in crate::store::sqlite) const EDGES: &str =
    "SELECT (SELECT MIN(sequence) FROM history), (SELECT MAX(sequence) FROM history)";
