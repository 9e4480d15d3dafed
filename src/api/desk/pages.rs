//! What a page is drawn from, as far as a caller may see it.

use std::sync::Arc;

use super::{Desk, aside, not_calculated};
use crate::api::backend::{
    AgentView, HistoryFilter, HistoryPage, Lane, LanesWanted, LookedFor, Objection, OverviewPage,
    OverviewWanted,
};
use crate::api::error::ApiError;
use crate::engine::Shortfall;
use crate::model::{HistoryEntry, JobName, RunId, Timestamp};

/// Pages that are put together at one time; others wait. One takes a core for some hundredths of a second.
pub(super) const PAGES_MAX: usize = 2;

impl Desk {
    /// The jobs in scope that are wanted, as [`crate::api::Pages::overview`].
    pub(crate) async fn overview(&self, wanted: OverviewWanted) -> Result<OverviewPage, ApiError> {
        let wanted = OverviewWanted { scope: self.caller.scope.clone(), ..wanted };
        let (backend, now) = (Arc::clone(&self.door.backend), self.almanac().now);
        self.put_together(move || backend.overview(&wanted, now)).await
    }

    /// Where commands run, as [`crate::api::Pages::agents`].
    pub(crate) async fn agents(&self) -> Result<Vec<AgentView>, ApiError> {
        let (backend, scope) = (Arc::clone(&self.door.backend), self.caller.scope.clone());
        self.put_together(move || backend.agents(&scope)).await
    }

    /// What capacity is missing for runs of jobs in scope, as [`crate::api::Pages::shortfall`].
    pub(crate) async fn shortfall(&self) -> Result<Shortfall, ApiError> {
        let (backend, scope) = (Arc::clone(&self.door.backend), self.caller.scope.clone());
        let now = self.almanac().now;
        self.put_together(move || backend.shortfall(now, &scope)).await
    }

    /// What is against each agent for a run that waits, as [`crate::api::Pages::objections`]. It is one that
    /// [`Self::run`] gave.
    pub(crate) async fn objections(&self, run: RunId) -> Result<Vec<Objection>, ApiError> {
        let (backend, now) = (Arc::clone(&self.door.backend), self.almanac().now);
        self.put_together(move || backend.objections(run, now)).await
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

    /// What is looked for among the entries of jobs in scope, as [`crate::api::Pages::search`].
    pub(crate) async fn search(
        &self,
        filter: HistoryFilter,
        looked_for: LookedFor,
        before: Option<u64>,
        limit: usize,
    ) -> Result<HistoryPage, String> {
        let filter = HistoryFilter { scope: self.caller.scope.clone(), ..filter };
        self.door.backend.search(filter, looked_for, before, limit).await
    }

    /// What there was of each of some jobs that [`Self::overview`] gave, as [`crate::api::Pages::lanes`].
    pub(crate) async fn lanes(&self, wanted: LanesWanted) -> Result<Vec<Lane>, String> {
        self.door.backend.lanes(wanted).await
    }

    /// Whether there was anything of some jobs that [`Self::overview`] gave, as [`crate::api::Pages::are_busy`].
    pub(crate) async fn are_busy(
        &self,
        jobs: Vec<JobName>,
        within: (Timestamp, Timestamp),
    ) -> Result<Vec<bool>, String> {
        self.door.backend.are_busy(jobs, within).await
    }
}
