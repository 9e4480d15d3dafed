//! What followed from a run, as who asks finds it in the history.

use std::collections::BTreeMap;

use super::*;
use crate::engine::lineage::{Followed, followed, latest, lenders};
use crate::model::{Incarnation, Source, Verdict};

/// A run numbered `sequence` of the job called by this letter, in a life of its own, caused by `causes`.
fn of(letter: char, sequence: u64, verdict: Verdict, causes: &[&Run]) -> Run {
    let life = Incarnation(u64::from(letter) - u64::from('a') + 1);
    let task_millis = i64::try_from(sequence).unwrap();
    let at = Timestamp::from_millisecond(task_millis).unwrap();
    Run {
        id: RunId::manual(life, task_millis),
        sequence,
        job: name(&letter.to_string()),
        trigger: Trigger::Manual { due_at: at, at },
        task_millis,
        arguments: None,
        environment: Vec::new(),
        by: None,
        retries_down: false,
        stopped_by: None,
        causes: causes.iter().map(|cause| cause.id).collect(),
        created_at: day("00:00:00"),
        start_deadline: None,
        wanted_at: day("00:00:00"),
        state: RunState::Ended { verdict, at: day("00:00:02"), reason: String::new() },
        attempts: Vec::new(),
    }
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
        due_at: at("2026-01-01T00:00:00Z"),
        at: at("2026-01-01T00:00:00Z"),
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
    assert_eq!((borrowed.due_at, borrowed.at), (x.trigger.due_at(), at("2026-01-01T00:00:02Z")));
    assert_eq!(borrowed.source, Source::Borrowed);
}
