//! Backfills, and the backlog.

use super::operate::{by_hand, desk, kim, reason, refusal};
use super::*;
use crate::engine::{BackfillDraft, BacklogFilter, backlog};
use crate::model::{BackfillState, Verdict};

const NONE: [&str; 0] = [];

fn backfill(desk: &mut Desk, due: &[&str], concurrency: u32, stops_on_failure: bool) -> Reply {
    desk.request(Request::Backfill(Box::new(BackfillDraft {
        name: name("job"),
        due: due.iter().map(|at| day(at)).collect(),
        concurrency,
        stops_on_failure,
        arguments: None,
        environment: Vec::new(),
        by: kim("the feed was late"),
    })))
    .0
}

#[test]
fn a_backfill_runs_its_instants_in_their_order_a_few_at_once_over_a_restart() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    job.disabled = Some(true);
    job.retries = Some(0);
    let mut desk = Desk::new();
    desk.put(job);
    desk.jump("09:30:00");
    let due = ["05:00:00", "03:00:00", "04:00:00"];
    let Reply::Backfilled { id } = backfill(&mut desk, &due, 2, false) else { panic!("refused") };
    assert_eq!(desk.live(), ["05:00:00 launching", "03:00:00 launching"]);
    desk.restart();
    let task = desk.state.runs().next().unwrap().live_attempt().unwrap().task_id.clone();
    let _ = desk.report(&task, desk.ended(Exit::Code(1)));
    assert_eq!(desk.state.runs().len(), 2, "the next has begun");
    for _ in 0..2 {
        let task = desk.state.runs().next().unwrap().live_attempt().unwrap().task_id.clone();
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    }
    let done = desk.state.backfill(id).unwrap();
    assert!(matches!(done.state, BackfillState::Done { .. }), "{done:?}");
    let ended: Vec<_> = done.ended.iter().map(|(verdict, count)| (*verdict, *count)).collect();
    assert_eq!(ended, [(Verdict::Succeeded, 2), (Verdict::Failed, 1)]);
    assert_eq!(desk.live(), NONE);
}

#[test]
fn a_backfill_is_cancelled_by_hand_by_a_failure_and_by_the_deletion_of_its_job() {
    let mut job = hourly();
    job.retries = Some(0);
    let due = ["01:00:00", "02:00:00", "03:00:00"];
    let mut desk = Desk::new();
    desk.put(job);
    desk.jump("09:30:00");
    let state = |desk: &Desk, reply: &Reply| {
        let Reply::Backfilled { id } = reply else { panic!("{reply:?}") };
        match &desk.state.backfill(*id).unwrap().state {
            BackfillState::Cancelled { reason, .. } => reason.clone(),
            other => panic!("{other:?}"),
        }
    };
    let failing = backfill(&mut desk, &due, 1, true);
    let _ = desk.ends(Exit::Code(1));
    assert_eq!(state(&desk, &failing), "its run for 2026-01-01T01:00:00.000Z failed");
    assert_eq!(desk.live(), NONE);
    let stopped = backfill(&mut desk, &due, 1, false);
    let Reply::Backfilled { id } = stopped else { panic!("{stopped:?}") };
    let cancel = Request::CancelBackfill { name: name("job"), id, is_killing: true, by: kim("no") };
    assert_eq!(desk.request(cancel).0, Reply::Dropped { count: 2, left: 0 });
    assert_eq!(state(&desk, &stopped), "kim cancelled it: no");
    let _ = desk.ends(Exit::Killed);
    assert_eq!(desk.live(), NONE);
    let orphaned = backfill(&mut desk, &due, 1, false);
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    assert_eq!(state(&desk, &orphaned), "its job was deleted");
    let _ = desk.ends(Exit::Killed);
    assert_eq!(desk.live(), NONE);
}

#[test]
fn a_backfill_of_a_job_that_replaces_runs_one_at_a_time() {
    let mut job = draft("job", "R/2025-12-31T00:20:00Z/PT1H");
    job.overlap = Some(Overlap::Replace);
    let mut desk = Desk::new();
    desk.put(job);
    let _ = desk.disconnect();
    desk.jump("00:30:00");
    let due = ["2025-12-31T21:20:00Z", "2025-12-31T22:20:00Z", "2025-12-31T23:20:00Z"].map(at);
    let draft = BackfillDraft {
        name: name("job"),
        due: due.to_vec(),
        concurrency: 3,
        stops_on_failure: false,
        arguments: None,
        environment: Vec::new(),
        by: kim(""),
    };
    let _ = desk.request(Request::Backfill(Box::new(draft)));
    assert_eq!(desk.live().len(), 1, "{:?}", desk.live());
    // What takes the place of its run makes room for the next when it is there itself: one of the two gives way.
    let _ = desk.request(Request::RunJob { name: name("job"), ask: Box::default() });
    assert_eq!(desk.live().len(), 1, "{:?}", desk.live());
    let _ = desk.connect();
    let live =
        |desk: &Desk| desk.state.runs().find_map(|run| Some(run.live_attempt()?.task_id.clone()));
    while let Some(task) = live(&desk) {
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    }
    let of: Vec<Timestamp> = desk
        .ended
        .iter()
        .filter(|run| matches!(run.trigger, Trigger::Backfill { .. }))
        .map(|run| run.trigger.due_at())
        .collect();
    assert_eq!(of, due);
}

#[test]
fn what_cannot_be_backfilled_is_refused_whole() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("09:30:00");
    for (due, concurrency, expected) in [
        (vec![], 1, "there is no instant"),
        (vec!["01:30:00"], 1, "does not name"),
        (vec!["10:00:00"], 1, "still to come"),
        (vec!["01:00:00", "01:00:00"], 1, "given twice"),
        (vec!["01:00:00"], 0, "none, or too many"),
    ] {
        let refused = refusal(&backfill(&mut desk, &due, concurrency, false));
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(desk.state.backfills().count(), 0);
    }
}

#[test]
fn the_backlog_that_is_listed_is_what_is_cut() {
    let mut desk = desk(vec![by_hand("a"), by_hand("b")]);
    for job in ["a", "a", "a", "b", "b"] {
        desk.run_of(job);
    }
    let of_a = BacklogFilter { names: Some([name("a")].into()), due_before: None };
    let listed: Vec<RunId> = backlog(&desk.state, &of_a).map(|run| run.id).collect();
    assert_eq!(listed.len(), 2);
    let cut = Request::CutBacklog { filter: of_a, by: kim("hopeless") };
    assert_eq!(desk.request(cut).0, Reply::Dropped { count: 2, left: 0 });
    let mut ended: Vec<RunId> = desk.ended.iter().map(|run| run.id).collect();
    ended.sort();
    assert_eq!(ended, listed);
    assert_eq!(reason(&desk.ended[0]), "kim dropped it from the backlog: hopeless");
    assert_eq!((desk.live_of("a").len(), desk.live_of("b").len()), (1, 2));
}

proptest::proptest! {
    /// What is listed before is what is then begun, in that order, however its runs end, wherever the process dies.
    #[test]
    fn a_backfill_begins_what_was_listed_and_nothing_else(
        hours in proptest::collection::btree_set(1_i64..20, 1..8),
        is_reversed in proptest::bool::ANY,
        concurrency in 1_u32..4,
        ends in proptest::collection::vec((0_usize..4, 0_i32..2, proptest::bool::weighted(0.2)), 40),
    ) {
        let mut job = hourly();
        job.overlap = Some(Overlap::Allow { max: None });
        job.disabled = Some(true);
        job.retries = Some(0);
        let mut desk = Desk::new();
        desk.put(job);
        desk.jump("21:30:00");
        let mut due: Vec<Timestamp> =
            hours.into_iter().map(|hour| day("00:00:00") + Duration::from_hours(hour)).collect();
        if is_reversed {
            due.reverse();
        }
        let draft = Box::new(BackfillDraft {
            name: name("job"),
            due: due.clone(),
            concurrency,
            stops_on_failure: false,
            arguments: None,
            environment: Vec::new(),
            by: kim(""),
        });
        let Reply::Backfilled { id } = desk.request(Request::Backfill(draft)).0 else {
            panic!("refused")
        };
        for (which, code, dies) in ends {
            let live: Vec<TaskId> = desk
                .state
                .runs()
                .filter_map(|run| run.live_attempt().map(|attempt| attempt.task_id.clone()))
                .collect();
            proptest::prop_assert!(live.len() <= concurrency as usize);
            if live.is_empty() {
                break;
            }
            if dies {
                desk.restart();
            }
            let _ = desk.report(&live[which % live.len()], desk.ended(Exit::Code(code)));
        }
        let mut begun: Vec<&Run> = desk.ended.iter().collect();
        begun.sort_by_key(|run| run.sequence);
        let begun: Vec<Timestamp> = begun.iter().map(|run| run.trigger.due_at()).collect();
        proptest::prop_assert_eq!(begun, due);
        let state = &desk.state.backfill(id).unwrap().state;
        proptest::prop_assert!(matches!(state, BackfillState::Done { .. }), "{:?}", state);
    }

    #[test]
    fn what_is_cut_is_what_the_backlog_lists_whatever_is_asked_for(
        asked in proptest::collection::vec((0_usize..3, 1_i64..6), 1..20),
        of in proptest::collection::btree_set(0_usize..3, 0..3),
        before in proptest::option::of(1_i64..7),
    ) {
        let jobs = ["a", "b", "c"];
        let mut desk = desk(jobs.map(by_hand).to_vec());
        for (job, hour) in asked {
            let due_at = Some(day("00:00:00") + Duration::from_hours(hour));
            let ask = crate::model::Ask { due_at, ..crate::model::Ask::default() };
            let _ = desk.request(Request::RunJob { name: name(jobs[job]), ask: Box::new(ask) });
        }
        let filter = BacklogFilter {
            names: (!of.is_empty()).then(|| of.iter().map(|job| name(jobs[*job])).collect()),
            due_before: before.map(|hour| day("00:00:00") + Duration::from_hours(hour)),
        };
        let mut listed: Vec<RunId> = backlog(&desk.state, &filter).map(|run| run.id).collect();
        listed.sort();
        let cut = Request::CutBacklog { filter, by: kim("") };
        let count = u64::try_from(listed.len()).unwrap();
        proptest::prop_assert_eq!(desk.request(cut).0, Reply::Dropped { count, left: 0 });
        let mut ended: Vec<RunId> = desk.ended.iter().map(|run| run.id).collect();
        ended.sort();
        proptest::prop_assert_eq!(ended, listed);
    }
}
