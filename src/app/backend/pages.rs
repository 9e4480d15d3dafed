//! The part of the port that pages are drawn from: jobs from the read view, what is behind them from the history.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Backend;
use crate::api::{self, OverviewPage, OverviewWanted};
use crate::model::{HistoryEntry, JobName, Timestamp};

impl api::Pages for Backend {
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage {
        OverviewPage::of(wanted, now, || self.view.tally(), || self.view.read())
    }

    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>> {
        self.read(move |reader| reader.recent(&jobs, limit)).boxed()
    }
}
