//! What pages are drawn from, in memory.

use std::cmp::Reverse;

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::{Memory, World};
use crate::api::{OverviewPage, OverviewWanted, Pages};
use crate::engine::glance::Tally;
use crate::model::{HistoryEntry, JobName, Timestamp};

/// What there is where the history cannot be read.
const UNREADABLE: &str = "/var/lib/secret.db: disk full";

impl World {
    /// The entries of one name, newest first.
    fn newest_of(&self, job: &JobName) -> Vec<HistoryEntry> {
        let is_its = |entry: &&HistoryEntry| match entry {
            HistoryEntry::Run(run) => run.job == *job,
            HistoryEntry::Stretch(stretch) => stretch.job == *job,
        };
        let mut found: Vec<HistoryEntry> = self.history.iter().filter(is_its).cloned().collect();
        found.sort_by_key(|entry| Reverse(entry.sequence()));
        found
    }
}

impl Pages for Memory {
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage {
        let state = self.world().live_state();
        OverviewPage::of(wanted, now, || Tally::of(&state), || &state)
    }

    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>> {
        let world = self.world();
        if world.panics {
            return future::ready(Err(UNREADABLE.to_owned())).boxed();
        }
        let newest = |job: &JobName| world.newest_of(job).into_iter().take(limit).collect();
        future::ready(Ok(jobs.iter().map(newest).collect())).boxed()
    }
}
