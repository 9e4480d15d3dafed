//! The part of the port that a page is drawn from: many jobs at a glance, and what is behind them.

use futures_util::future::BoxFuture;

use super::overview::{OverviewPage, OverviewWanted};
use crate::model::{HistoryEntry, JobName, Timestamp};

/// The part of the port for pages. A page asks often and for little, so none of it copies what it does not show.
pub trait Pages: Send + Sync {
    /// Some of the jobs, and how many there are. `now` is what the wall clock shows.
    ///
    /// May look at every job, so it is called where others are not held up.
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage;

    /// The newest `limit` entries of the history of each of these names, newest first. An error is a sentence for the
    /// log.
    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>>;
}
