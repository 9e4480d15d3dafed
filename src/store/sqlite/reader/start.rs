//! What has to be known before a leader begins.

use rusqlite::params;

use super::{Reader, read_marks};
use crate::model::{FrameworkId, HistoryEntry, Run};
use crate::store::Error;

impl Reader {
    /// What the launcher was to its cluster when it was last connected to one.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn framework(&self) -> Result<Option<FrameworkId>, Error> {
        self.with(|reading| {
            let marks = read_marks(reading.connection, reading.path)?;
            Ok(marks.framework.map(FrameworkId::new))
        })
    }

    /// The runs that are not over, in the order of recording.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn live_runs(&self) -> Result<Vec<Run>, Error> {
        self.with(|reading| {
            let found = reading.rows(
                "SELECT sequence, run_id, verdict, record FROM history
                 WHERE ended_at IS NULL AND run_id IS NOT NULL ORDER BY sequence",
                params![],
                |row| reading.entry(row),
            )?;
            let runs = found.into_iter().filter_map(|entry| match entry {
                HistoryEntry::Run(run) => Some(run),
                HistoryEntry::Stretch(_) => None,
            });
            Ok(runs.collect())
        })
    }
}
