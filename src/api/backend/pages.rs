//! The part of the port that a page is drawn from: many jobs at a glance, and what is behind them.

use futures_util::future::BoxFuture;

use super::HistoryFilter;
use super::agents::{AgentView, Objection};
use super::history::{HistoryPage, Lane, LanesWanted, LookedFor};
use super::overview::{OverviewPage, OverviewWanted};
use crate::engine::Shortfall;
use crate::model::{HistoryEntry, JobName, RunId, Scope, Timestamp};

/// The part of the port for pages. A page asks often and for little, so none of it copies what it does not show. Errors
/// are sentences for the log.
pub trait Pages: Send + Sync {
    /// Some of the jobs, and how many there are. `now` is what the wall clock shows.
    ///
    /// May look at every job, so it is called where others are not held up.
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage;

    /// Where commands run, as [`AgentView::all`].
    fn agents(&self, scope: &Scope) -> Vec<AgentView>;

    /// What capacity is missing for runs of jobs that `scope` covers. `now` is what the wall clock shows.
    ///
    /// Places everything that waits once, so it is called where others are not held up.
    fn shortfall(&self, now: Timestamp, scope: &Scope) -> Shortfall;

    /// What is against each agent for a run that waits, as [`Objection::all`].
    fn objections(&self, run: RunId, now: Timestamp) -> Vec<Objection>;

    /// The newest `limit` entries of the history of each of these names, newest first.
    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>>;

    /// The newest `limit` entries below `before` that are looked for. Looks at a bounded number of those that `filter`
    /// covers.
    fn search(
        &self,
        filter: HistoryFilter,
        looked_for: LookedFor,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, String>>;

    /// What there was of each of some jobs in a stretch of time, what is live included.
    fn lanes(&self, wanted: LanesWanted) -> BoxFuture<'_, Result<Vec<Lane>, String>>;

    /// Whether there was anything of each of these names from the first instant on and before the second.
    fn are_busy(
        &self,
        jobs: Vec<JobName>,
        within: (Timestamp, Timestamp),
    ) -> BoxFuture<'_, Result<Vec<bool>, String>>;
}
