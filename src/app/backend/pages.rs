//! The part of the port that pages are drawn from: jobs from the read view, what is behind them from the history.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Backend;
use crate::api::{
    self, AgentView, HistoryFilter, HistoryPage, Lane, LanesWanted, LookedFor, Objection,
    OverviewPage, OverviewWanted,
};
use crate::engine::{Shortfall, shortfall};
use crate::model::{HistoryEntry, Incarnation, JobName, Run, RunId, Scope, Stretch, Timestamp};
use crate::store;

/// Successes that say how long a job takes as a rule.
const TYPICAL_OF: usize = 100;

impl api::Pages for Backend {
    fn overview(&self, wanted: &OverviewWanted, now: Timestamp) -> OverviewPage {
        OverviewPage::of(wanted, now, || self.view.tally(), || self.view.read())
    }

    fn agents(&self, scope: &Scope) -> Vec<AgentView> {
        AgentView::all(&self.view.read(), scope)
    }

    fn shortfall(&self, now: Timestamp, scope: &Scope) -> Shortfall {
        shortfall(&self.view.read(), now, scope)
    }

    fn objections(&self, run: RunId, now: Timestamp) -> Vec<Objection> {
        Objection::all(&self.view.read(), now, run)
    }

    fn recent(
        &self,
        jobs: Vec<JobName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Vec<HistoryEntry>>, String>> {
        self.read(move |reader| reader.recent(&jobs, limit)).boxed()
    }

    fn search(
        &self,
        filter: HistoryFilter,
        looked_for: LookedFor,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, String>> {
        let HistoryFilter { job, verdict, live, scope } = filter;
        let filter = store::Filter { job, verdict, live, scope, ..store::Filter::default() };
        self.read(move |reader| {
            if looked_for == LookedFor::default() {
                // One more than asked for tells whether there is another page.
                let mut entries = reader.list(&filter, before, limit.saturating_add(1))?;
                let more = entries.len() > limit;
                entries.truncate(limit);
                let last = entries.last().filter(|_| more);
                let searched_to = last.map(|last| (last.sequence(), last.recorded_at()));
                return Ok(HistoryPage { entries, searched_to });
            }
            let mut lower = String::new();
            let within = (looked_for.from, looked_for.to);
            let is_named = |job: &str| looked_for.is_in_name(job, &mut lower);
            let is_wanted = |entry: &HistoryEntry| looked_for.covers(entry);
            let found = reader.search(&filter, within, before, limit, is_named, is_wanted)?;
            let store::Found { entries, searched_to } = found;
            Ok(HistoryPage { entries, searched_to })
        })
        .boxed()
    }

    fn lanes(&self, wanted: LanesWanted) -> BoxFuture<'_, Result<Vec<Lane>, String>> {
        let view = Arc::clone(&self.view);
        self.read(move |reader| {
            let LanesWanted { jobs, from, to, limit } = wanted;
            let lanes = reader.lanes(&jobs, (from, to), limit, TYPICAL_OF)?;
            let state = view.read();
            let lane = |(found, (_, life)): (store::Lane, &(JobName, Incarnation))| {
                let store::Lane { mut entries, more, mut took } = found;
                let stretch = state.incarnation(*life).map(|entry| entry.progress.stretch.as_ref());
                let live = state.live_runs(*life);
                add_present(&mut entries, (from, to), live, stretch.flatten(), limit);
                let more = more || entries.len() > limit;
                entries.truncate(limit);
                Lane { entries, more, typical: Lane::typical(&mut took) }
            };
            Ok(lanes.into_iter().zip(&jobs).map(lane).collect())
        })
        .boxed()
    }

    fn are_busy(
        &self,
        jobs: Vec<JobName>,
        within: (Timestamp, Timestamp),
    ) -> BoxFuture<'_, Result<Vec<bool>, String>> {
        self.read(move |reader| reader.are_busy(&jobs, within)).boxed()
    }
}

/// Adds what goes on of a job: it may have been recorded so long ago that nobody found it in the history. Of very many
/// live runs, which come oldest first, only the newest are added, one more than `limit`.
fn add_present<'s>(
    entries: &mut Vec<HistoryEntry>,
    (from, to): (Timestamp, Timestamp),
    live: impl Iterator<Item = &'s Run>,
    stretch: Option<&Stretch>,
    limit: usize,
) {
    let known: BTreeSet<u64> = entries.iter().map(HistoryEntry::sequence).collect();
    let is_new = |run: &&Run| run.created_at < to && !known.contains(&run.sequence);
    let runs: Vec<&Run> = live.filter(is_new).collect();
    let newest = runs.len().saturating_sub(limit.saturating_add(1));
    let runs = runs[newest..].iter().map(|&run| HistoryEntry::Run(run.clone()));
    let stretch = stretch.filter(|it| it.first_due_at < to && from <= it.last_due_at);
    let stretch = stretch.filter(|stretch| !known.contains(&stretch.sequence));
    let stretch = stretch.map(|stretch| HistoryEntry::Stretch(stretch.clone()));
    entries.extend(runs.chain(stretch));
    entries.sort_by_key(|entry| Reverse(entry.sequence()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{at, run, stretch};
    use crate::model::RunState;

    #[test]
    fn what_goes_on_is_told_however_long_ago_it_began() {
        let live = |sequence: u64, created_at: &str| {
            let mut run = run(sequence, "a", RunState::Active, Vec::new());
            run.created_at = at(created_at);
            run
        };
        let runs = [
            live(1, "2029-01-01T00:00:00Z"),
            live(7, "2030-01-01T00:01:00Z"),
            live(9, "2030-01-01T02:00:00Z"),
        ];
        let within = (at("2030-01-01T00:00:00Z"), at("2030-01-01T02:00:00Z"));
        let told = |stretch: &Stretch, limit: usize| {
            let mut entries = vec![HistoryEntry::Run(runs[1].clone())];
            add_present(&mut entries, within, runs.iter(), Some(stretch), limit);
            entries.iter().map(HistoryEntry::sequence).collect::<Vec<_>>()
        };
        let mut goes_on = stretch(2, "a");
        assert_eq!(told(&goes_on, 9), [7, 2, 1]);
        goes_on.last_due_at = at("2029-12-31T23:59:59Z");
        assert_eq!(told(&goes_on, 9), [7, 1]);
        // Of many the newest, and one more, which says that there are more.
        let many: Vec<Run> = (10..20).map(|it| live(it, "2030-01-01T00:00:00Z")).collect();
        let mut entries = Vec::new();
        add_present(&mut entries, within, many.iter(), None, 2);
        assert_eq!(entries.iter().map(HistoryEntry::sequence).collect::<Vec<_>>(), [19, 18, 17]);
    }
}
