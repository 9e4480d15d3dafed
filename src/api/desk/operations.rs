//! What operators look at, as far as the caller may see it.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use crate::api::access::Scope;
use crate::api::backend::{BacklogPage, BacklogWanted, Pauses, Timetable};
use crate::api::error::ApiError;
use crate::engine::BacklogFilter;
use crate::engine::lineage::{self, Followed};
use crate::model::{Backfill, BackfillId, JobName, Run, RunId, Trigger, limits};

/// Runs looked at for one retry of all that followed: a few tries of each job.
const CHAIN_MAX: usize = 4 * limits::RETRIED_DOWN_MAX;

impl Desk {
    /// What is paused and what will be skipped, of jobs in scope; that everything is paused concerns everybody.
    pub(crate) fn pauses(&self) -> Pauses {
        let mut found = self.door.backend.pauses();
        found.jobs.retain(|(job, _)| self.caller.scope.covers(job));
        found.skips.retain(|(job, _, _)| self.caller.scope.covers(job));
        found
    }

    /// The backfills of jobs in scope, oldest first.
    pub(crate) fn backfills(&self) -> Vec<Backfill> {
        let mut found = self.door.backend.backfills();
        found.retain(|backfill| self.caller.scope.covers(&backfill.job));
        found
    }

    /// One of them.
    pub(crate) fn backfill(&self, id: BackfillId) -> Option<Backfill> {
        let found = self.door.backend.backfill(id)?;
        self.caller.scope.covers(&found.job).then_some(found)
    }

    /// A page of the runs of jobs in scope that have not been begun.
    pub(crate) fn backlog(
        &self,
        filter: BacklogFilter,
        after: Option<u64>,
        limit: usize,
    ) -> BacklogPage {
        let scope = self.caller.scope.clone();
        self.door.backend.backlog(&BacklogWanted { filter, scope, after, limit })
    }

    /// The jobs whose waiting runs a caller means who names none; `None` is all there are.
    pub(crate) fn waiting_jobs(&self) -> Option<BTreeSet<JobName>> {
        match &self.caller.scope {
            Scope::All => None,
            scope @ Scope::Only(_) => {
                let mut found = self.door.backend.waiting_jobs();
                found.retain(|job| scope.covers(job));
                Some(found)
            }
        }
    }

    /// When a job in scope comes of itself.
    pub(crate) fn timetable(&self, job: &JobName) -> Option<Timetable> {
        self.in_scope(job)?;
        self.door.backend.timetable(job)
    }

    /// The latest run of each job that followed from `run` or from another try of it, in the order of recording.
    ///
    /// Refused if one of them is out of scope: it would be run once more. What is lent may be, as it is not run.
    pub(crate) async fn followed(&self, run: &Run) -> Result<Vec<Followed>, ApiError> {
        let chain = self.chain_below(run).await?;
        let latest = lineage::latest(run, &chain);
        if latest.iter().any(|run| !self.caller.scope.covers(&run.job)) {
            let message = format!("jobs that you may not change followed from run `{}`", run.id);
            return Err(ApiError::forbidden("children_out_of_scope", message)
                .remedy("retry the run alone, or ask somebody who may change them"));
        }
        let mut lenders = BTreeMap::new();
        for id in lineage::lenders(run, &latest) {
            let lender = self.door.backend.run(id).await.map_err(unreadable)?;
            lenders.extend(lender.map(|lender| (id, lender)));
        }
        // Of a job that has gone since, nothing is borrowed any more.
        let is_soft = |run: &Run| {
            let job = self.door.backend.job(&run.job);
            job.is_some_and(|job| {
                job.record.incarnation == run.id.incarnation && job.record.job.soft_error
            })
        };
        Ok(lineage::followed(latest, &lenders, is_soft))
    }

    /// All that followed from a run, and from the runs that it tried once more.
    async fn chain_below(&self, run: &Run) -> Result<Vec<Run>, ApiError> {
        let mut open = vec![run.id];
        let mut earlier = retried(run);
        while let Some(id) = earlier.filter(|id| !open.contains(id) && open.len() < CHAIN_MAX) {
            open.push(id);
            let found = self.door.backend.run(id).await.map_err(unreadable)?;
            earlier = found.as_ref().and_then(retried);
        }
        let mut known: BTreeSet<RunId> = open.iter().copied().collect();
        let mut chain = Vec::new();
        while !open.is_empty() {
            let asked = std::mem::take(&mut open);
            let found = self.door.backend.caused_by(asked, CHAIN_MAX + 1).await;
            for run in found.map_err(unreadable)? {
                if known.insert(run.id) {
                    open.push(run.id);
                    chain.push(run);
                }
            }
            if chain.len() > CHAIN_MAX {
                let message = format!("more than {CHAIN_MAX} runs followed from run `{}`", run.id);
                return Err(ApiError::invalid("run", message)
                    .remedy("retry it alone, or a run further down"));
            }
        }
        Ok(chain)
    }
}

/// Which run it tries once more.
const fn retried(run: &Run) -> Option<RunId> {
    match run.trigger {
        Trigger::Retry { of, .. } => Some(of),
        Trigger::Schedule { .. }
        | Trigger::CatchUp { .. }
        | Trigger::Manual { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

fn unreadable(detail: String) -> ApiError {
    ApiError::internal("the history cannot be read; the log says why", detail)
}
