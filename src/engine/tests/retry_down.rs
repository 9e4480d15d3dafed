//! Retries of a run and of what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::operate::{became, by_hand, child, desk, kim, last_over};
use super::*;
use crate::engine::lineage::{Followed, followed, latest, lenders};
use crate::engine::{Below, PastRun};
use crate::model::{
    Ask, Became, Contribution, Join, RunVerb, Source, TriggerRule, Verdict, limits,
};

const NONE: [&str; 0] = [];

/// a → b, c; b and c → d. b is tried again with what follows: d must not wait for c, which ran.
#[test]
fn a_retry_downward_makes_jobs_follow_once_more_without_their_other_parents() {
    for join in [Join::Round, Join::Due] {
        let mut last = child("d", &["b", "c"]);
        if let When::Parents(terms) = &mut last.when {
            terms.join = join;
        }
        let mut desk = desk(vec![by_hand("a"), child("b", &["a"]), child("c", &["a"]), last]);
        desk.ran("a", Exit::Code(0));
        for job in ["b", "c", "d"] {
            let task = desk.task_of(job);
            let _ = desk.report(&task, desk.ended(Exit::Code(0)));
        }
        let [b, c, d] = ["b", "c", "d"].map(|job| last_over(&desk, job));
        let borrowed = Contribution {
            parent: c.id.incarnation,
            successes: 1,
            failures: 0,
            kills: 0,
            run: c.id,
            due_at: c.trigger.due_at(),
            at: desk.now.wall,
            source: Source::New,
        };
        let down = |desk: &mut Desk, run: &Run| {
            let (child, due_at) = (d.id.incarnation, d.trigger.due_at());
            let below = vec![Below { child, due_at, borrowed: vec![borrowed.clone()] }];
            let past = Some(Box::new(PastRun { run: run.clone(), below }));
            let (name, by) = (run.job.clone(), kim(""));
            let verb = RunVerb::RetryDown;
            desk.request(Request::OperateRun { name, run: run.id, verb, past, by }).0
        };
        assert!(matches!(became(&down(&mut desk, &b)), Became::Followed { .. }));
        let _ = desk.ends(Exit::Code(0));
        assert_eq!(desk.live_of("d"), ["launching"], "{join:?}");
        let again = desk.state.runs().next().unwrap().clone();
        assert_eq!(again.causes.last(), Some(&c.id), "what c did counts once more");
        assert!(again.retries_down);
        let _ = desk.ends(Exit::Code(0));

        // A retry that fails takes back what it borrowed.
        assert!(matches!(became(&down(&mut desk, &b)), Became::Followed { .. }));
        let _ = desk.ends(Exit::Code(1));
        assert_eq!(desk.live_of("d"), NONE);
        desk.ran("b", Exit::Code(0));
        assert_eq!(desk.live_of("d"), NONE, "c has not run again ({join:?})");
    }
}

#[test]
fn a_job_of_which_one_parent_is_enough_follows_a_retry_downward_once_more() {
    let mut any = child("d", &["b", "c"]);
    if let When::Parents(terms) = &mut any.when {
        (terms.rule, terms.join) = (TriggerRule::AnySucceeded, Join::Due);
    }
    let mut desk = desk(vec![by_hand("b"), by_hand("c"), any]);
    desk.ran("b", Exit::Code(0));
    let _ = desk.ends(Exit::Code(0));
    let [b, d] = ["b", "d"].map(|job| last_over(&desk, job));
    let below =
        vec![Below { child: d.id.incarnation, due_at: d.trigger.due_at(), borrowed: Vec::new() }];
    let past = Some(Box::new(PastRun { run: b.clone(), below }));
    let (name, by, verb) = (b.job.clone(), kim(""), RunVerb::RetryDown);
    let _ = desk.request(Request::OperateRun { name, run: b.id, verb, past, by });
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live_of("d"), ["launching"]);
}

fn of_rule(mut job: JobDraft, rule: TriggerRule, join: Join) -> JobDraft {
    if let When::Parents(terms) = &mut job.when {
        (terms.rule, terms.join) = (rule, join);
    }
    job
}

/// What the history says followed from `root`, which no other run has tried again.
fn below(desk: &Desk, root: &Run) -> Vec<Followed> {
    let mut known = BTreeSet::from([root.id]);
    let mut over: Vec<&Run> = desk.ended.iter().collect();
    over.sort_by_key(|run| run.sequence);
    let mut chain = Vec::new();
    for run in over {
        if run.causes.iter().any(|cause| known.contains(cause)) && known.insert(run.id) {
            chain.push(run.clone());
        }
    }
    let latest = latest(root, &chain);
    let lenders = lenders(root, &latest);
    let is_lender = |run: &&Run| lenders.contains(&run.id);
    let lent = desk.ended.iter().filter(is_lender).map(|run| (run.id, run.clone()));
    followed(latest, &lent.collect(), |_| false)
}

fn retry_down(desk: &mut Desk, run: &Run, below: &[Followed]) -> RunId {
    let below = below.iter().map(Followed::to_below).collect();
    let past = Some(Box::new(PastRun { run: run.clone(), below }));
    let (name, by, verb) = (run.job.clone(), kim(""), RunVerb::RetryDown);
    match became(&desk.request(Request::OperateRun { name, run: run.id, verb, past, by }).0) {
        Became::Followed { by } => by,
        other => panic!("{other:?}"),
    }
}

/// A job runs for an instant, and succeeds.
fn ran_for(desk: &mut Desk, job: &str, due_at: Timestamp) {
    let ask = Box::new(Ask { due_at: Some(due_at), ..Ask::default() });
    let _ = desk.request(Request::RunJob { name: name(job), ask });
    let task = desk.task_of(job);
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
}

#[test]
fn what_a_parent_did_before_a_retry_downward_takes_back_nothing_that_it_borrows() {
    let mut desk =
        desk(vec![by_hand("b"), by_hand("c"), by_hand("x"), child("d", &["b", "c", "x"])]);
    for job in ["b", "c", "x"] {
        desk.ran(job, Exit::Code(0));
    }
    let _ = desk.ends(Exit::Code(0));
    let c = last_over(&desk, "c");
    let listed = below(&desk, &c);
    desk.run_of("b");
    let (task_id, status) = (desk.task_of("b"), desk.ended(Exit::Code(0)));
    // Nobody has told its child of it yet when the request comes.
    let _ = desk.step(&Event::Task(TaskReport { task_id, status }));
    assert!(desk.state.has_signals());
    retry_down(&mut desk, &c, &listed);
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live_of("d"), ["launching"]);
}

/// b and c → d, for each instant. b has run for as many instants as are waited for when an older one is tried again.
#[test]
fn a_round_that_a_retry_downward_pushes_out_is_recorded_as_skipped() {
    let last = of_rule(child("d", &["b", "c"]), TriggerRule::AllSucceeded, Join::Due);
    let mut desk = desk(vec![by_hand("b"), by_hand("c"), last]);
    desk.jump("10:00:00");
    let begin = day("00:00:00");
    ran_for(&mut desk, "b", begin);
    ran_for(&mut desk, "c", begin);
    let _ = desk.ends(Exit::Code(0));
    let first = desk.ended.iter().find(|run| run.job == name("b")).unwrap().clone();
    for minute in 1..=i64::try_from(limits::ROUNDS_MAX).unwrap() {
        ran_for(&mut desk, "b", begin + Duration::from_mins(minute));
    }
    assert_eq!(desk.unrun(), NONE);
    let listed = below(&desk, &first);
    retry_down(&mut desk, &first, &listed);
    assert_eq!(desk.unrun(), ["1 skipped 00:01:00 to 00:01:00"]);
    assert!(desk.stretches[0].reason.contains("too many later ones are waited for"));
    desk.restart();
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live(), ["00:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    // The instant that was pushed out is waited for no longer.
    ran_for(&mut desk, "c", begin + Duration::from_mins(1));
    assert_eq!(desk.live(), NONE);
    ran_for(&mut desk, "c", begin + Duration::from_mins(2));
    assert_eq!(desk.live(), ["00:02:00 launching"]);
}

const LETTERS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// How one job of a family follows others: which of those before it, and by which rule.
type Follows = (u8, TriggerRule, Join);

fn family() -> impl Strategy<Value = Vec<Follows>> {
    let rule = prop_oneof![
        4 => Just((TriggerRule::AllSucceeded, Join::Round)),
        4 => Just((TriggerRule::AllSucceeded, Join::Due)),
        1 => Just((TriggerRule::AllDone, Join::Round)),
        1 => Just((TriggerRule::AllDone, Join::Due)),
        1 => Just((TriggerRule::AnySucceeded, Join::Round)),
    ];
    // One in four names nobody.
    let parents = prop_oneof![3 => any::<u8>(), 1 => Just(0)];
    let job = (parents, rule).prop_map(|(parents, (rule, join))| (parents, rule, join));
    prop::collection::vec(job, 2..=LETTERS.len())
}

/// All that is live ends well or, if it is of `failing`, badly; what follows likewise, in an order that `order` says.
fn play(desk: &mut Desk, order: &mut impl Iterator<Item = usize>, failing: Option<&str>) {
    loop {
        let live: Vec<&Run> =
            desk.state.runs().filter(|run| run.live_attempt().is_some()).collect();
        if live.is_empty() {
            return;
        }
        let run = live[order.next().unwrap_or(0) % live.len()];
        let code = i32::from(failing.is_some_and(|job| run.job == name(job)));
        let task = run.live_attempt().unwrap().task_id.clone();
        let _ = desk.report(&task, desk.ended(Exit::Code(code)));
    }
}

proptest! {
    /// What is listed before is what then follows, if all succeeds: each of these jobs, once unless one of its parents is
    /// enough, and no other. Of a run that failed, and so had nothing or little follow, more may follow than is listed.
    #[test]
    fn what_is_listed_below_a_run_is_what_follows_when_it_is_tried_again(
        family in family(),
        root in any::<prop::sample::Index>(),
        order in prop::collection::vec(any::<usize>(), 0..40),
        failing in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let jobs = &LETTERS[..family.len()];
        let failing = failing.map(|index| jobs[index.index(jobs.len())]);
        let mut roots = Vec::new();
        let drafts = family.iter().enumerate().map(|(index, (mask, rule, join))| {
            let is_parent = |other: &usize| mask >> other & 1 == 1;
            let parents: Vec<&str> = (0..index).filter(is_parent).map(|it| jobs[it]).collect();
            if parents.is_empty() {
                roots.push(jobs[index]);
                return by_hand(jobs[index]);
            }
            of_rule(child(jobs[index], &parents), *rule, *join)
        });
        let mut desk = desk(drafts.collect());
        let mut order = order.into_iter();
        for job in roots {
            desk.run_of(job);
        }
        play(&mut desk, &mut order, failing);
        let over = desk.ended.len();
        let root = desk.ended[root.index(over)].clone();
        let listed = below(&desk, &root);
        let retried = retry_down(&mut desk, &root, &listed);
        play(&mut desk, &mut order, None);
        let mut followed: BTreeMap<JobName, usize> = BTreeMap::new();
        for run in desk.ended[over..].iter().filter(|run| run.id != retried) {
            let is_well =
                matches!(run.state, RunState::Ended { verdict: Verdict::Succeeded, .. });
            prop_assert!(is_well, "{run:?}");
            *followed.entry(run.job.clone()).or_default() += 1;
        }
        let listed: BTreeSet<JobName> = listed.into_iter().map(|it| it.run.job).collect();
        let missing: Vec<&JobName> =
            listed.iter().filter(|job| !followed.contains_key(*job)).collect();
        prop_assert!(missing.is_empty(), "{missing:?} do not follow: {listed:?}, {followed:?}");
        if failing.is_none() {
            let unlisted: Vec<&JobName> =
                followed.keys().filter(|job| !listed.contains(*job)).collect();
            prop_assert!(unlisted.is_empty(), "{unlisted:?} follow: {listed:?}, {followed:?}");
        }
        if family.iter().all(|(_, rule, _)| !rule.is_any()) && failing.is_none() {
            prop_assert!(followed.values().all(|count| *count == 1), "{followed:?}");
        }
    }
}
