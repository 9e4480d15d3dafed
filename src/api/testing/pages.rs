//! What pages are drawn from, in memory.

use std::cmp::Reverse;

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::{Memory, World};
use crate::api::{
    AgentView, HistoryFilter, HistoryPage, Lane, LanesWanted, LookedFor, Objection, OverviewPage,
    OverviewWanted, Pages,
};
use crate::engine::glance::Tally;
use crate::engine::{self, Shortfall};
use crate::model::{HistoryEntry, JobName, RunId, RunState, Scope, Timestamp};

/// Entries looked at in one search: few, so that one comes to that.
pub(crate) const LOOKED_AT_MAX: usize = 40;

impl World {
    fn newest(&self) -> Vec<HistoryEntry> {
        let mut found = self.history.clone();
        found.sort_by_key(|entry| Reverse(entry.sequence()));
        found
    }

    /// The entries of one name, newest first.
    fn newest_of<'w>(&'w self, job: &'w JobName) -> impl Iterator<Item = HistoryEntry> + 'w {
        self.newest().into_iter().filter(move |entry| entry.job() == job)
    }

    fn search(
        &self,
        filter: &HistoryFilter,
        looked_for: &LookedFor,
        before: Option<u64>,
        limit: usize,
    ) -> HistoryPage {
        let mut page = HistoryPage::default();
        let mut looked_at: Vec<HistoryEntry> = Vec::new();
        let is_there = |entry: &HistoryEntry| {
            passes(filter, entry) && before.is_none_or(|before| entry.sequence() < before)
        };
        for entry in self.newest().into_iter().filter(is_there) {
            let at = entry.recorded_at();
            let is_found = looked_for.is_in_name(entry.job().as_str(), &mut String::new())
                && looked_for.from.is_none_or(|from| from <= at)
                && looked_for.to.is_none_or(|to| at < to)
                && looked_for.covers(&entry);
            if looked_at.len() == LOOKED_AT_MAX || (is_found && page.entries.len() == limit) {
                let last = looked_at.last();
                page.searched_to = last.map(|last| (last.sequence(), last.recorded_at()));
                break;
            }
            page.entries.extend(is_found.then(|| entry.clone()));
            looked_at.push(entry);
        }
        page
    }

    fn touching(&self, job: &JobName, from: Timestamp, to: Timestamp) -> Vec<HistoryEntry> {
        let touches = |entry: &HistoryEntry| match entry {
            HistoryEntry::Run(run) => {
                let over = matches!(run.state, RunState::Ended { at, .. } if at < from);
                run.created_at < to && !over
            }
            HistoryEntry::Stretch(stretch) => {
                stretch.first_due_at < to && from <= stretch.last_due_at
            }
        };
        self.newest_of(job).filter(touches).collect()
    }
}

/// Whether an entry is one of those that are wanted.
pub(super) fn passes(filter: &HistoryFilter, entry: &HistoryEntry) -> bool {
    let (job, verdict, live) = match entry {
        HistoryEntry::Run(run) => {
            let verdict = match &run.state {
                RunState::Ended { verdict, .. } => Some(*verdict),
                RunState::Queued
                | RunState::Pending { .. }
                | RunState::Active
                | RunState::Waiting { .. }
                | RunState::Reporting { .. } => None,
            };
            (&run.job, verdict, !run.is_ended())
        }
        HistoryEntry::Stretch(stretch) => (&stretch.job, Some(stretch.verdict), false),
    };
    filter.job.as_ref().is_none_or(|wanted| wanted == job)
        && filter.verdict.is_none_or(|wanted| Some(wanted) == verdict)
        && filter.live.is_none_or(|wanted| wanted == live)
        && filter.scope.covers(job)
}

impl Memory {
    fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&World) -> T,
    ) -> BoxFuture<'_, Result<T, String>> {
        let world = self.world();
        let found = if world.panics {
            Err("/var/lib/secret.db: disk full".to_owned())
        } else {
            Ok(read(&world))
        };
        future::ready(found).boxed()
    }
}

impl Pages for Memory {
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage {
        let state = self.world().live_state();
        OverviewPage::of(wanted, now, || Tally::of(&state), || &state)
    }

    fn agents(&self, scope: &Scope) -> Vec<AgentView> {
        AgentView::all(&self.world().cluster_state(), scope)
    }

    fn shortfall(&self, now: Timestamp, scope: &Scope) -> Shortfall {
        engine::shortfall(&self.world().cluster_state(), now, scope)
    }

    fn objections(&self, run: RunId, now: Timestamp) -> Vec<Objection> {
        let world = self.world();
        let found = world.history.iter().find_map(|entry| match entry {
            HistoryEntry::Run(found) if found.id == run => Some(world.of_life(found).id),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        found.map_or_else(Vec::new, |run| Objection::all(&world.cluster_state(), now, run))
    }

    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>> {
        self.look(|world| {
            let newest = |job: &JobName| world.newest_of(job).take(limit).collect();
            jobs.iter().map(newest).collect()
        })
    }

    fn search(
        &self,
        filter: HistoryFilter,
        looked_for: LookedFor,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, String>> {
        self.look(|world| world.search(&filter, &looked_for, before, limit))
    }

    fn lanes(&self, wanted: LanesWanted) -> BoxFuture<'_, Result<Vec<Lane>, String>> {
        self.look(|world| {
            let LanesWanted { jobs, from, to, limit } = wanted;
            let lane = |(job, _): &(JobName, _)| {
                let mut entries = world.touching(job, from, to);
                let more = entries.len() > limit;
                entries.truncate(limit);
                let took = world.newest_of(job).filter_map(|entry| match entry {
                    HistoryEntry::Run(run) => u64::try_from(run.took()?.as_millis()).ok(),
                    HistoryEntry::Stretch(_) => None,
                });
                let typical = Lane::typical(&mut took.collect::<Vec<_>>());
                Lane { entries, more, typical }
            };
            jobs.iter().map(lane).collect()
        })
    }

    fn are_busy(
        &self,
        jobs: Vec<JobName>,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'_, Result<Vec<bool>, String>> {
        self.look(|world| {
            jobs.iter().map(|job| !world.touching(job, from, to).is_empty()).collect()
        })
    }
}
