//! Runs that have not been begun: listed, and cut when there is no hope for them.

use crate::model::{Intervention, Run, RunState, Verdict, limits};

use super::event::{BacklogFilter, Reply};
use super::{State, Step, intake, status};

/// Runs that are ended by one request. They are one decision; what is left is asked for again.
const CUT_MAX: usize = 10_000;

/// The runs of which nothing was ever begun that `filter` lets through, in the order in which they were recorded within
/// each job.
pub fn backlog<'a>(
    state: &'a State,
    filter: &'a BacklogFilter,
) -> impl Iterator<Item = &'a Run> + 'a {
    state.runs().filter(|run| is_unbegun(run)).filter(move |run| {
        filter.names.as_ref().is_none_or(|names| names.contains(&run.job))
            && filter.due_before.is_none_or(|before| run.trigger.due_at() < before)
    })
}

fn is_unbegun(run: &Run) -> bool {
    match run.state {
        RunState::Queued => true,
        RunState::Pending { .. } | RunState::Waiting { .. } => run.attempts.is_empty(),
        RunState::Active | RunState::Reporting { .. } | RunState::Ended { .. } => false,
    }
}

const CLEARED: &str = "it was taken from the queue on request before it started";

/// Ends all runs that have not been begun, up to [`limits::DUE_PER_STEP_MAX`]; `None` if more are left.
pub(super) fn clear(step: &mut Step<'_>) -> Option<Reply> {
    let all = BacklogFilter::default();
    let mut unbegun: Vec<&Run> =
        backlog(step.state, &all).take(limits::DUE_PER_STEP_MAX + 1).collect();
    let is_all = unbegun.len() <= limits::DUE_PER_STEP_MAX;
    unbegun.truncate(limits::DUE_PER_STEP_MAX);
    end(step, unbegun, CLEARED);
    is_all.then_some(Reply::QueueCleared)
}

/// Ends the runs that `filter` lets through, up to [`CUT_MAX`].
pub(super) fn cut(step: &mut Step<'_>, filter: &BacklogFilter, by: &Intervention) -> Reply {
    let mut cut: Vec<&Run> = backlog(step.state, filter).collect();
    let left = cut.len().saturating_sub(CUT_MAX);
    cut.truncate(CUT_MAX);
    let count = cut.len();
    let jobs: Vec<_> =
        cut.iter().filter_map(|run| step.state.incarnation(run.id.incarnation)).collect();
    end(step, cut, &by.tell("dropped it from the backlog"));
    // Where not all of a job's runs were meant, those that are left move on.
    for entry in jobs {
        intake::advance(step, entry, &entry.job);
    }
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Reply::Dropped { count: number(count), left: number(left) }
}

/// Those that wait behind others first: none of them moves on meanwhile.
fn end(step: &mut Step<'_>, mut unbegun: Vec<&Run>, reason: &str) {
    unbegun.sort_by_key(|run| (run.state != RunState::Queued, run.sequence));
    for run in unbegun {
        status::end_run_alone(
            step,
            run.clone(),
            Verdict::Skipped,
            step.now.wall,
            reason.to_owned(),
        );
    }
}
