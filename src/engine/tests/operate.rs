//! What operators do about runs, jobs and everything.

use super::*;
use crate::engine::{BackfillDraft, BacklogFilter, Below, PastRun, backlog};
use crate::model::{
    BackfillState, Became, Contribution, Intervention, Join, PauseScope, RunVerb, Source,
    TriggerRule, Verdict,
};

const NONE: [&str; 0] = [];

fn kim(reason: &str) -> Intervention {
    Intervention { by: "kim".to_owned(), at: at(BEGIN), reason: reason.to_owned() }
}

/// A job that runs only when somebody asks.
fn by_hand(job: &str) -> JobDraft {
    let mut draft = draft(job, "R0/2026-01-01T00:00:00Z/PT1H");
    draft.overlap = Some(Overlap::Queue { max: 100 });
    draft.retries = Some(0);
    draft
}

fn child(job: &str, parents: &[&str]) -> JobDraft {
    let names = parents.iter().map(|parent| name(parent)).collect();
    let mut draft = by_hand(job);
    draft.when = When::Parents(ParentTerms::plain(names));
    draft
}

fn desk(drafts: Vec<JobDraft>) -> Desk {
    let mut desk = Desk::new();
    for draft in drafts {
        let reply = desk.put(draft);
        assert!(matches!(reply, Reply::Stored { .. }), "{reply:?}");
    }
    desk
}

fn operate(desk: &mut Desk, run: &Run, verb: RunVerb) -> Reply {
    let past = run.is_ended().then(|| Box::new(PastRun { run: run.clone(), below: Vec::new() }));
    let (name, by) = (run.job.clone(), kim("the disk was full"));
    desk.request(Request::OperateRun { name, run: run.id, verb, past, by }).0
}

fn became(reply: &Reply) -> Became {
    match reply {
        Reply::Operated { became, .. } => *became,
        other => panic!("{other:?}"),
    }
}

fn refusal(reply: &Reply) -> String {
    match reply {
        Reply::Refused(rejection) => format!("{}: {}", rejection.code.as_str(), rejection.message),
        other => panic!("not refused: {other:?}"),
    }
}

fn last_over(desk: &Desk, job: &str) -> Run {
    desk.ended.iter().rfind(|run| run.job == name(job)).expect("a run is over").clone()
}

fn reason(run: &Run) -> &str {
    match &run.state {
        RunState::Ended { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_run_is_retried_for_the_same_instant_and_its_children_follow() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    desk.ran("a", Exit::Code(1));
    let failed = last_over(&desk, "a");
    desk.jump("02:00:00");
    let Became::Followed { by } = became(&operate(&mut desk, &failed, RunVerb::Retry)) else {
        panic!("nothing follows")
    };
    let retried = desk.state.run(by).unwrap().clone();
    assert_eq!(retried.trigger.due_at(), failed.trigger.due_at());
    assert_eq!(retried.by.as_ref().unwrap().reason, "the disk was full");
    // Not twice at once.
    assert_eq!(
        refusal(&operate(&mut desk, &failed, RunVerb::Retry)),
        format!("impossible: run `{by}` tries it again already")
    );
    assert_eq!(desk.live_of("b"), NONE);
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

#[test]
fn a_run_that_waits_for_its_next_attempt_is_tried_at_once() {
    let mut job = by_hand("a");
    job.retries = Some(1);
    let mut desk = desk(vec![job]);
    desk.ran("a", Exit::Code(1));
    assert_eq!(desk.live_of("a").len(), 1);
    let waiting = desk.state.runs().next().unwrap().clone();
    assert!(matches!(waiting.state, RunState::Waiting { .. }));
    assert_eq!(became(&operate(&mut desk, &waiting, RunVerb::Retry)), Became::TriedAgain);
    assert_eq!(desk.live_of("a"), ["launching"]);
    assert_eq!(
        refusal(&operate(&mut desk, &waiting, RunVerb::Skip)),
        format!("impossible: run `{}` is running", waiting.id)
    );
}

#[test]
fn what_succeeded_by_word_of_an_operator_is_told_to_children_and_says_who_said_it() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    desk.ran("a", Exit::Code(1));
    let failed = last_over(&desk, "a");
    let Became::Followed { by } = became(&operate(&mut desk, &failed, RunVerb::Succeed)) else {
        panic!("nothing is recorded")
    };
    let marked = last_over(&desk, "a");
    assert_eq!(marked.id, by);
    assert_eq!(reason(&marked), "kim counted it as succeeded: the disk was full");
    assert_eq!(desk.live_of("b"), ["launching"]);
    assert_eq!(
        refusal(&operate(&mut desk, &marked, RunVerb::Succeed)),
        format!("impossible: run `{by}` has succeeded")
    );
}

#[test]
fn a_queued_run_is_skipped_and_a_running_one_is_stopped_in_the_words_of_who_wanted_it() {
    let mut desk = desk(vec![by_hand("a")]);
    let first = desk.run_of("a");
    let second = desk.run_of("a");
    assert_eq!(second.state, RunState::Queued);
    let skipped = operate(&mut desk, &second, RunVerb::Skip);
    assert_eq!(became(&skipped), Became::Ended(Verdict::Skipped));
    assert_eq!(reason(&last_over(&desk, "a")), "kim had it skipped: the disk was full");
    desk.running();
    assert_eq!(became(&operate(&mut desk, &first, RunVerb::Kill)), Became::Stopping);
    let _ = desk.ends(Exit::Killed);
    assert_eq!(reason(&last_over(&desk, "a")), "kim had it stopped: the disk was full");
    let over = last_over(&desk, "a");
    assert_eq!(
        refusal(&operate(&mut desk, &over, RunVerb::Kill)),
        format!("impossible: run `{}` is over", over.id)
    );
}

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

fn pause(desk: &mut Desk, scope: PauseScope, until: Option<&str>) -> Reply {
    let until = until.map(day);
    desk.request(Request::Pause { scope, until, by: kim("maintenance") }).0
}

fn resume(desk: &mut Desk, scope: PauseScope) -> Reply {
    desk.request(Request::Resume { scope, by: kim("") }).0
}

#[test]
fn what_is_due_in_a_pause_is_skipped_and_what_is_due_after_it_runs() {
    for scope in [PauseScope::Job(name("job")), PauseScope::Everything] {
        let mut desk = Desk::new();
        desk.put(hourly());
        assert!(matches!(pause(&mut desk, scope.clone(), None), Reply::Paused { .. }));
        let _ = desk.wake("02:30:00");
        assert_eq!(desk.live(), NONE, "{scope:?}");
        // Nothing is forgotten over a restart.
        desk.restart();
        let _ = desk.wake("03:30:00");
        assert_eq!(desk.live(), NONE);
        assert!(matches!(resume(&mut desk, scope), Reply::Paused { .. }));
        assert_eq!(desk.unrun(), ["3 skipped 01:00:00 to 03:00:00"]);
        let _ = desk.wake("04:00:00");
        assert_eq!(desk.live(), ["04:00:00 launching"]);
    }
}

#[test]
fn a_pause_ends_by_itself_and_what_is_due_at_its_end_runs() {
    for scope in [PauseScope::Job(name("job")), PauseScope::Everything] {
        let mut desk = Desk::new();
        desk.put(hourly());
        pause(&mut desk, scope, Some("03:00:00"));
        assert_eq!(desk.state.wake_at().wall, Some(day("03:00:00")));
        let _ = desk.wake("03:00:00");
        assert_eq!(desk.unrun(), ["2 skipped 01:00:00 to 02:00:00"]);
        assert_eq!(desk.live(), ["03:00:00 launching"]);
    }
    let mut desk = Desk::new();
    desk.put(hourly());
    let reply = pause(&mut desk, PauseScope::Everything, Some("00:00:00"));
    assert_eq!(refusal(&reply), "invalid_field: a pause cannot end before it begins");
}

#[test]
fn what_had_come_before_a_pause_waits_for_its_end_and_what_a_person_asks_for_does_not() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    let mut desk = Desk::new();
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live().len(), 1);
    pause(&mut desk, PauseScope::Job(name("job")), None);
    let _ = desk.connect();
    assert_eq!(desk.live_of("job").iter().filter(|it| *it == "launching").count(), 0);
    desk.run_now();
    assert_eq!(desk.live_of("job").iter().filter(|it| *it == "launching").count(), 1);
    let _ = desk.wake("01:01:01");
    let held = last_over(&desk, "job");
    assert_eq!((reason(&held), due(&held)), ("the job was paused", "01:00:00".to_owned()));
}

#[test]
fn a_paused_child_follows_when_its_pause_ends() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    let reply = pause(&mut desk, PauseScope::Subtree(name("a")), None);
    let Reply::Paused { names } = reply else { panic!("{reply:?}") };
    assert_eq!(names, [name("a"), name("b")]);
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b"), NONE);
    desk.restart();
    assert_eq!(desk.live_of("b"), NONE);
    resume(&mut desk, PauseScope::Job(name("b")));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

#[test]
fn a_new_definition_leaves_a_pause_alone() {
    let mut desk = Desk::new();
    desk.put(hourly());
    pause(&mut desk, PauseScope::Job(name("job")), None);
    desk.put(hourly());
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), NONE);
    resume(&mut desk, PauseScope::Job(name("job")));
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

fn skip_ahead(desk: &mut Desk, due_at: Option<&str>) -> Reply {
    let (name, due_at) = (name("job"), due_at.map(day));
    desk.request(Request::SkipAhead { name, due_at, by: kim("holiday") }).0
}

#[test]
fn an_occurrence_is_skipped_before_it_comes_and_may_be_let_run_after_all() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let skipped = |due_at: &str| Reply::SkippedAhead { due_at: day(due_at) };
    assert_eq!(skip_ahead(&mut desk, None), skipped("01:00:00"));
    assert_eq!(skip_ahead(&mut desk, None), skipped("02:00:00"));
    assert_eq!(skip_ahead(&mut desk, Some("04:00:00")), skipped("04:00:00"));
    let refused = refusal(&skip_ahead(&mut desk, Some("04:30:00")));
    assert!(refused.contains("does not name 2026-01-01T04:30:00.000Z"), "{refused}");
    let undo =
        |due_at: &str| Request::UnskipAhead { name: name("job"), due_at: day(due_at), by: kim("") };
    assert_eq!(desk.request(undo("02:00:00")).0, skipped("02:00:00"));
    assert!(refusal(&desk.request(undo("02:00:00")).0).contains("is not one to be skipped"));
    desk.restart();
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.unrun(), ["1 skipped 01:00:00 to 01:00:00"]);
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    assert!(refusal(&skip_ahead(&mut desk, Some("01:00:00"))).contains("is decided already"));
    // Also where nobody was there to decide it in time.
    let _ = desk.wake("05:30:00");
    assert_eq!(
        desk.unrun()[1..],
        [
            "1 missed 03:00:00 to 03:00:00",
            "1 skipped 04:00:00 to 04:00:00",
            "1 missed 05:00:00 to 05:00:00"
        ]
    );
    assert!(desk.state.jobs().next().unwrap().interventions.skips.is_empty());
}

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
    let _ = desk.request(Request::DeleteJob { name: name("job") });
    assert_eq!(state(&desk, &orphaned), "its job was deleted");
    let _ = desk.ends(Exit::Killed);
    assert_eq!(desk.live(), NONE);
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

#[test]
fn a_run_can_stand_for_an_instant_and_bring_variables_of_its_own() {
    use crate::model::{Ask, EnvVar};
    let mut desk = desk(vec![by_hand("a")]);
    let variable = EnvVar { name: "MODE".to_owned(), value: "full".to_owned(), secret: false };
    let ask = Ask {
        due_at: Some(at("2025-12-24T00:00:00Z")),
        environment: vec![variable],
        by: Some(kim("audit")),
        ..Ask::default()
    };
    let request = Request::RunJob { name: name("a"), ask: Box::new(ask) };
    let (_, decision) = desk.request(request);
    let launch = decision.effects.iter().find_map(|effect| match effect {
        Effect::Launch(launch) => Some(launch),
        _ => None,
    });
    let environment = &launch.unwrap().environment;
    for (key, value) in [("MODE", "full"), ("CHRONODE_DUE", "2025-12-24T00:00:00.000Z")] {
        assert!(environment.contains(&(key.to_owned(), value.to_owned())), "{environment:?}");
    }
}

/// A quarter of a day is nothing that the boot clock explains.
#[test]
fn a_clock_that_jumps_is_believed_once_it_has_held_or_somebody_says_so() {
    for is_confirmed in [false, true] {
        let mut desk = Desk::new();
        desk.put(hourly());
        desk.jump("00:30:00");
        desk.now.wall = day("06:30:00");
        let _ = desk.handle(&Event::Woke);
        assert!(desk.state.clock().doubt().is_some());
        assert_eq!(desk.unrun(), NONE, "nothing of the jumped stretch is decided");
        if is_confirmed {
            assert_eq!(desk.request(Request::TrustClock { by: kim("") }).0, Reply::Done);
        } else {
            let _ = desk.wake("06:34:59");
            assert_eq!(desk.unrun(), NONE);
            let _ = desk.wake("06:35:00");
        }
        assert!(desk.state.clock().doubt().is_none());
        assert_eq!(desk.unrun(), ["6 missed 01:00:00 to 06:00:00"]);
        let refused = refusal(&desk.request(Request::TrustClock { by: kim("") }).0);
        assert_eq!(refused, "impossible: the wall clock is not doubted");
    }
}

#[test]
fn a_jump_that_is_taken_back_was_nothing_and_time_goes_on_meanwhile() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("00:59:00");
    desk.now.wall = day("12:59:00");
    let _ = desk.handle(&Event::Woke);
    // An hour by the clock that is believed has come, whatever the other shows.
    let _ = desk.wake("13:00:00");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    desk.now.wall = day("01:01:00");
    let _ = desk.handle(&Event::Woke);
    assert!(desk.state.clock().doubt().is_none());
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
    assert_eq!(desk.unrun(), NONE);
}

/// The clock was wrong for long enough to be believed, and is set right.
#[test]
fn what_was_missed_by_a_wrong_clock_comes_again_and_what_ran_does_not() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    desk.now.wall = day("09:30:00");
    let _ = desk.handle(&Event::Woke);
    let _ = desk.wake("09:35:00");
    assert_eq!(desk.unrun(), ["8 missed 02:00:00 to 09:00:00"]);
    desk.now.wall = day("03:30:00");
    let _ = desk.handle(&Event::Woke);
    let _ = desk.wake("03:35:00");
    assert_eq!(desk.unrun(), ["2 missed 02:00:00 to 03:00:00"]);
    let _ = desk.wake("04:00:00");
    assert_eq!(desk.live(), ["04:00:00 launching"]);
    assert_eq!(desk.over(), ["01:00:00 succeeded"]);
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

#[test]
fn a_job_that_is_left_alone_is_decided_again_once_its_quarantine_is_lifted() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let incarnation = desk.state.jobs().next().unwrap().incarnation;
    desk.state.apply(&Change::Quarantined { incarnation });
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live(), NONE);
    let lift = Request::LiftQuarantine { name: name("job"), by: kim("it is mended") };
    assert_eq!(desk.request(lift).0, Reply::Done);
    assert_eq!(desk.live(), ["01:00:00 launching"]);
}
