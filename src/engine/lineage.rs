//! What followed from a run, for whoever has it follow once more.
//!
//! Who asks has the history, which the engine has not: it reads what [`latest`] and [`lenders`] name, and [`followed`] says
//! what the engine is to be told of it ([`Below`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Contribution, Incarnation, JobName, Outcome, Run, RunId, RunState, Source};

use super::event::Below;
use super::round::outcome_for_children;

/// The latest run of a job that followed from one that is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The run.
    pub run: Run,
    /// What counts for it once more although nobody runs it again: of which job, and what.
    pub borrows: Vec<(JobName, Contribution)>,
}

impl Followed {
    /// As the engine is told of it.
    #[must_use]
    pub fn to_below(&self) -> Below {
        Below {
            child: self.run.id.incarnation,
            due_at: self.run.trigger.due_at(),
            borrowed: self.borrows.iter().map(|(_, borrowed)| borrowed.clone()).collect(),
        }
    }
}

/// The latest run of each job that followed from `root`, by the order of recording. `chain` is all that followed from it
/// and from other tries of it.
#[must_use]
pub fn latest(root: &Run, chain: &[Run]) -> Vec<Run> {
    let mut latest: BTreeMap<Incarnation, &Run> = BTreeMap::new();
    // Other tries of the root itself are not below it.
    for run in chain.iter().filter(|run| run.id.incarnation != root.id.incarnation) {
        let known = latest.entry(run.id.incarnation).or_insert(run);
        if run.sequence > known.sequence {
            *known = run;
        }
    }
    let mut latest: Vec<Run> = latest.into_values().cloned().collect();
    latest.sort_by_key(|run| run.sequence);
    latest
}

/// The runs that count for `latest` and are not tried again: what parents did that follow from nothing of this.
#[must_use]
pub fn lenders(root: &Run, latest: &[Run]) -> BTreeSet<RunId> {
    let retried: BTreeSet<Incarnation> =
        latest.iter().chain([root]).map(|run| run.id.incarnation).collect();
    let causes = latest.iter().flat_map(|run| run.causes.iter().copied());
    causes.filter(|cause| !retried.contains(&cause.incarnation)).collect()
}

/// What each of `latest` needs to follow once more. Of a lender that has been pruned nothing can be borrowed; `is_soft`
/// says whether a failure of a run counts as a success for what follows from it.
#[must_use]
pub fn followed(
    latest: Vec<Run>,
    lenders: &BTreeMap<RunId, Run>,
    is_soft: impl Fn(&Run) -> bool,
) -> Vec<Followed> {
    let borrow = |cause: &RunId| {
        let lender = lenders.get(cause)?;
        Some((lender.job.clone(), contribution(lender, is_soft(lender))?))
    };
    let follow =
        |run: Run| Followed { borrows: run.causes.iter().filter_map(borrow).collect(), run };
    latest.into_iter().map(follow).collect()
}

/// What an ended run counts for its children, if it counts.
fn contribution(run: &Run, is_soft: bool) -> Option<Contribution> {
    let (verdict, at) = match &run.state {
        RunState::Ended { verdict, at, reason: _ } => (*verdict, *at),
        RunState::Queued
        | RunState::Pending { .. }
        | RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. } => return None,
    };
    let outcome = outcome_for_children(verdict, is_soft)?;
    let count = |wanted: Outcome| u32::from(outcome == wanted).into();
    Some(Contribution {
        parent: run.id.incarnation,
        successes: count(Outcome::Succeeded),
        failures: count(Outcome::Failed),
        kills: count(Outcome::Killed),
        run: run.id,
        due_at: run.trigger.due_at(),
        at,
        source: Source::Borrowed,
    })
}
