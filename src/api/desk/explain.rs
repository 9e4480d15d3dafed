//! Why things stand as they do, as far as a caller may see them.

use super::Desk;
use crate::api::backend::{HistoryFilter, JobExplained};
use crate::engine::Reason;
use crate::model::{JobName, Run, RunId};

/// Entries of the history of a job that are looked through for what came last.
const LOOKED_AT: usize = 50;

/// What followed from some runs.
pub(crate) struct Followers {
    /// The runs of jobs in scope, in the order of recording.
    pub(crate) runs: Vec<Run>,
    /// Whether there are more, in scope or not.
    pub(crate) more: bool,
}

impl Desk {
    /// Why a job does and does not run; `None` if there is none of that name. Names no job out of scope.
    pub(crate) async fn explain_job(&self, job: &JobName) -> Result<Option<JobExplained>, String> {
        if self.job(job).is_none() {
            return Ok(None);
        }
        let filter =
            HistoryFilter { job: Some(job.clone()), live: Some(false), ..HistoryFilter::default() };
        let last = self.history(filter, None, LOOKED_AT).await?;
        let now = self.almanac().now;
        Ok(self.door.backend.explain_job(job, now, &last, &self.caller.scope))
    }

    /// Why a run exists, and why it stands as it does. It is one that [`Self::run`] gave.
    pub(crate) fn explain_run(&self, run: &Run) -> Vec<Reason> {
        self.door.backend.explain_run(run, self.almanac().now)
    }

    /// The first `max` runs that one of `causes` brought about, without those of jobs out of scope.
    pub(crate) async fn followers(
        &self,
        causes: Vec<RunId>,
        max: usize,
    ) -> Result<Followers, String> {
        let mut runs = self.door.backend.caused_by(causes, max + 1).await?;
        let more = runs.len() > max;
        runs.truncate(max);
        runs.retain(|run| self.caller.scope.covers(&run.job));
        Ok(Followers { runs, more })
    }
}
