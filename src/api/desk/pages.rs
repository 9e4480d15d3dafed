//! What a page is drawn from, as far as a caller may see it.

use std::sync::Arc;

use super::{Desk, aside, not_calculated};
use crate::api::backend::{OverviewPage, OverviewWanted};
use crate::api::error::ApiError;
use crate::model::{HistoryEntry, JobName};

/// Pages that are put together at one time; others wait. One takes a core for some hundredths of a second.
pub(super) const PAGES_MAX: usize = 2;

impl Desk {
    /// The jobs in scope that are wanted, as [`crate::api::Pages::overview`].
    pub(crate) async fn overview(&self, wanted: OverviewWanted) -> Result<OverviewPage, ApiError> {
        let wanted = OverviewWanted { scope: self.caller.scope.clone(), ..wanted };
        let (backend, now) = (Arc::clone(&self.door.backend), self.almanac().now);
        self.put_together(move || backend.overview(&wanted, now)).await
    }

    /// Does what a page is made of, on a thread that may take its time.
    pub(crate) async fn put_together<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Arc::clone(&self.door.pages).acquire_owned().await;
        aside(place.map_err(|error| not_calculated(&error))?, work).await
    }

    /// The newest entries of each of these jobs, as [`crate::api::Pages::recent`]. The jobs are some that
    /// [`Self::overview`] gave.
    pub(crate) async fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> Result<Vec<Vec<HistoryEntry>>, String> {
        self.door.backend.recent(jobs, limit).await
    }
}
