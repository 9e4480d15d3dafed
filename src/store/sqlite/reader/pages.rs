//! Reading for pages: a little of the history of many jobs, with one statement for all of them.

use rusqlite::params;

use super::Reader;
use crate::model::{HistoryEntry, JobName};
use crate::store::Error;

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
                reading
                    .rows(NEWEST, params![job.as_str(), i64::MAX, limit], |row| reading.entry(row))
            };
            jobs.iter().map(of).collect()
        })
    }
}

/// Entries of one job recorded before a sequence, newest first.
pub(in crate::store::sqlite) const NEWEST: &str =
    "SELECT sequence, run_id, verdict, record FROM history
     WHERE job = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3";
