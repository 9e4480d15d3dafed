//! What followed from a run, for whoever has it follow once more.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Below, outcome_for_children};
use crate::model::{Contribution, Incarnation, JobName, Outcome, Run, RunId, RunState, Source};

/// The latest run of a job that followed from one that is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    /// The run.
    pub(crate) run: Run,
    /// What counts for it once more although nobody runs it again: of which job, and what.
    pub(crate) borrows: Vec<(JobName, Contribution)>,
}

impl Followed {
    /// As the engine is told of it.
    pub(crate) fn to_below(&self) -> Below {
        Below {
            child: self.run.id.incarnation,
            due_at: self.run.trigger.due_at(),
            borrowed: self.borrows.iter().map(|(_, borrowed)| borrowed.clone()).collect(),
        }
    }
}

/// The latest run of each job that followed from `root`, by the order of recording. `chain` is all that followed from it
/// and from other tries of it.
pub(super) fn latest(root: &Run, chain: &[Run]) -> Vec<Run> {
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
pub(super) fn lenders(root: &Run, latest: &[Run]) -> BTreeSet<RunId> {
    let retried: BTreeSet<Incarnation> =
        latest.iter().chain([root]).map(|run| run.id.incarnation).collect();
    let causes = latest.iter().flat_map(|run| run.causes.iter().copied());
    causes.filter(|cause| !retried.contains(&cause.incarnation)).collect()
}

/// What each of `latest` needs to follow once more. Of a lender that has been pruned nothing can be borrowed; `is_soft`
/// says whether a failure of a run counts as a success for what follows from it.
pub(super) fn followed(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{at, name, over, run};
    use crate::model::{Trigger, Verdict};

    /// A run numbered `sequence` of the job called by this letter, in a life of its own, caused by `causes`.
    fn of(letter: char, sequence: u64, verdict: Verdict, causes: &[&Run]) -> Run {
        let life = Incarnation(u64::from(letter) - u64::from('a') + 1);
        let mut run = run(sequence, &letter.to_string(), over(verdict), Vec::new());
        run.id = RunId::manual(life, i64::try_from(sequence).unwrap());
        run.causes = causes.iter().map(|cause| cause.id).collect();
        run
    }

    fn told(root: &Run, chain: &[Run], kept: &[&Run], soft: &str) -> Vec<String> {
        let latest = latest(root, chain);
        let lenders = lenders(root, &latest);
        let kept = kept.iter().map(|run| (run.id, (*run).clone()));
        let kept = kept.filter(|(id, _)| lenders.contains(id)).collect();
        let soft = name(soft);
        let followed = followed(latest, &kept, |run| run.job == soft);
        let told = |it: &Followed| {
            let borrows = it
                .borrows
                .iter()
                .map(|(job, it)| format!(" {job}:{}/{}/{}", it.successes, it.failures, it.kills));
            format!("{}{}{}", it.run.job, it.run.sequence, borrows.collect::<String>())
        };
        followed.iter().map(told).collect()
    }

    #[test]
    fn what_is_not_tried_again_is_borrowed_and_what_is_comes_by_itself() {
        // b and c follow from a; d from b, c and a stranger x; e from d.
        let a = of('a', 1, Verdict::Failed, &[]);
        let x = of('x', 2, Verdict::Succeeded, &[]);
        let b = of('b', 3, Verdict::Succeeded, &[&a]);
        let c = of('c', 4, Verdict::Succeeded, &[&a]);
        let d = of('d', 5, Verdict::Succeeded, &[&b, &c, &x]);
        let e = of('e', 6, Verdict::Succeeded, &[&d]);
        let chain = [b.clone(), c.clone(), d.clone(), e.clone()];
        assert_eq!(told(&a, &chain, &[&x], "none"), ["b3", "c4", "d5 x:1/0/0", "e6"]);
        // From b down, c is not tried again either.
        assert_eq!(told(&b, &[d, e], &[&x, &c], "none"), ["d5 c:1/0/0 x:1/0/0", "e6"]);
    }

    #[test]
    fn the_latest_run_of_a_job_counts_and_other_tries_of_the_root_are_not_below_it() {
        let a = of('a', 1, Verdict::Succeeded, &[]);
        let mut again = of('a', 4, Verdict::Succeeded, &[]);
        again.trigger = Trigger::Retry {
            of: a.id,
            due_at: at("2030-01-01T00:00:00Z"),
            at: at("2030-01-01T00:00:00Z"),
        };
        let (x, y) = (of('x', 2, Verdict::Succeeded, &[]), of('x', 5, Verdict::Killed, &[]));
        let first = of('b', 3, Verdict::Failed, &[&a, &x]);
        let second = of('b', 6, Verdict::Failed, &[&again, &y]);
        let chain = [second, first, again];
        assert_eq!(told(&a, &chain, &[&x, &y], "none"), ["b6 x:0/0/1"]);
        assert_eq!(told(&a, &[], &[], "none"), Vec::<String>::new());
    }

    #[test]
    fn failures_that_do_not_matter_are_lent_as_successes_and_what_never_ran_not_at_all() {
        let a = of('a', 1, Verdict::Failed, &[]);
        for (verdict, soft, expected) in [
            (Verdict::Failed, "none", "b3 x:0/1/0"),
            (Verdict::Failed, "x", "b3 x:1/0/0"),
            (Verdict::Lost, "none", "b3 x:0/1/0"),
            (Verdict::Lost, "x", "b3 x:1/0/0"),
            (Verdict::Killed, "x", "b3 x:0/0/1"),
            (Verdict::Skipped, "x", "b3"),
            (Verdict::Missed, "x", "b3"),
            (Verdict::Superseded, "x", "b3"),
        ] {
            let x = of('x', 2, verdict, &[]);
            let b = of('b', 3, Verdict::Succeeded, &[&a, &x]);
            assert_eq!(told(&a, &[b], &[&x], soft), [expected], "{verdict:?}");
        }
        // One that has been pruned is lent by nobody.
        let x = of('x', 2, Verdict::Succeeded, &[]);
        let b = of('b', 3, Verdict::Succeeded, &[&a, &x]);
        assert_eq!(told(&a, &[b], &[], "none"), ["b3"]);
    }

    #[test]
    fn the_engine_is_told_for_what_each_stood() {
        let a = of('a', 1, Verdict::Failed, &[]);
        let x = of('x', 2, Verdict::Succeeded, &[]);
        let b = of('b', 3, Verdict::Succeeded, &[&a, &x]);
        let followed = followed(vec![b.clone()], &BTreeMap::from([(x.id, x.clone())]), |_| false);
        let below = followed[0].to_below();
        assert_eq!((below.child, below.due_at), (b.id.incarnation, b.trigger.due_at()));
        let [borrowed] = below.borrowed.as_slice() else { panic!("{below:?}") };
        assert_eq!((borrowed.run, borrowed.parent), (x.id, x.id.incarnation));
        assert_eq!(
            (borrowed.due_at, borrowed.at),
            (x.trigger.due_at(), at("2030-01-01T00:00:02Z"))
        );
        assert_eq!(borrowed.source, Source::Borrowed);
    }
}
