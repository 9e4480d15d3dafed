//! What a change of one job means for its parents and children.

use super::*;
use crate::model::{Join, TriggerRule};

const NONE: [&str; 0] = [];

fn child(job: &str, parents: &[&str]) -> JobDraft {
    let mut draft = hourly();
    draft.name = name(job);
    draft.when =
        When::Parents(ParentTerms::plain(parents.iter().map(|parent| name(parent)).collect()));
    draft
}

fn other(job: &str) -> JobDraft {
    draft(job, "R0/2026-01-01T00:00:00Z/PT1H")
}

fn desk(drafts: Vec<JobDraft>) -> Desk {
    let mut desk = Desk::new();
    for draft in drafts {
        let reply = desk.put(draft);
        assert!(matches!(reply, Reply::Stored { .. }), "{reply:?}");
    }
    desk
}

fn parents(desk: &Desk, job: &str) -> Vec<String> {
    match &desk.state.job(&name(job)).unwrap().job.when {
        When::Parents(terms) => terms.names.iter().map(ToString::to_string).collect(),
        When::Schedule(terms) => vec![terms.text.clone()],
    }
}

fn refusal(desk: &mut Desk, draft: JobDraft) -> String {
    let before = (desk.state.graph().edges(), desk.state.jobs().count());
    let reply = desk.put(draft);
    let Reply::Refused(rejection) = reply else { panic!("{reply:?}") };
    assert_eq!(
        (rejection.field.as_ref(), rejection.code),
        ("parents", RejectionCode::InvalidField)
    );
    assert_eq!((desk.state.graph().edges(), desk.state.jobs().count()), before);
    rejection.message
}

fn consequences(reply: Reply) -> Vec<String> {
    match reply {
        Reply::Stored { consequences, .. } | Reply::Deleted { consequences } => consequences,
        other => panic!("{other:?}"),
    }
}

fn delete(desk: &mut Desk, job: &str) -> Vec<String> {
    let request = Request::DeleteJob { name: name(job), by: None };
    let dry = Request::DryRun(Box::new(request.clone()));
    let (foretold, decision) = desk.request(dry);
    assert_eq!(decision.changes, [], "a dry run changes nothing");
    let (told, _) = desk.request(request);
    assert_eq!(told, foretold, "what is told before is what happens");
    consequences(told)
}

#[test]
fn parents_that_there_are_not_and_cycles_are_refused_and_the_old_edges_stay() {
    let mut desk =
        desk(vec![other("a"), child("b", &["a"]), child("c", &["b"]), child("d", &["c"])]);
    assert_eq!(
        refusal(&mut desk, child("e", &["a", "x", "y"])),
        "Job e does not have all parents defined: `x` and `y` do not exist"
    );
    assert_eq!(refusal(&mut desk, child("e", &["e"])), "job `e` cannot be a parent of itself");
    assert_eq!(refusal(&mut desk, child("b", &["b"])), "job `b` cannot be a parent of itself");
    assert_eq!(
        refusal(&mut desk, child("b", &["a", "d"])),
        "job `b` would wait for itself: `b` → `c` → `d` → `b`"
    );
    assert_eq!(
        refusal(&mut desk, child("a", &["b"])),
        "job `a` would wait for itself: `a` → `b` → `a`"
    );
    assert_eq!(parents(&desk, "b"), ["a"]);
    // Straight on is no way back.
    assert!(matches!(desk.put(child("d", &["a", "b", "c"])), Reply::Stored { .. }));
}

#[test]
fn a_cycle_of_many_jobs_is_told_by_its_ends() {
    let mut desk = desk(vec![other("j0")]);
    for number in 1..30 {
        desk.put(child(&format!("j{number}"), &[&format!("j{}", number - 1)]));
    }
    assert_eq!(
        refusal(&mut desk, child("j0", &["j29"])),
        "job `j0` would wait for itself: `j0` → `j1` → `j2` → `j3` → `j4` → 21 more → `j26` → `j27` → `j28` → `j29` → `j0`"
    );
}

#[test]
fn the_only_child_of_a_scheduled_job_gets_its_schedule_and_loses_nothing() {
    let mut heir = child("b", &["job"]);
    heir.description = Some("kept".to_owned());
    let mut desk = desk(vec![hourly(), heir]);
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.ends(Exit::Code(0));
    desk.jump("01:30:00");
    assert_eq!(
        delete(&mut desk, "job"),
        ["`b` gets the schedule of `job`, `R/2026-01-01T01:00:00Z/PT1H`"]
    );
    assert_eq!(parents(&desk, "b"), ["R/2026-01-01T01:00:00Z/PT1H"]);
    let entry = desk.state.job(&name("b")).unwrap();
    assert_eq!((entry.job.description.as_str(), entry.revision), ("kept", 2));
    // It goes on where its parent had got to: one o'clock is not due again.
    assert_eq!(desk.live(), NONE);
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
}

/// An occurrence that the child had decided itself, when it still had a schedule, is not due again with the inherited one.
#[test]
fn an_heir_decides_nothing_a_second_time_that_it_has_decided_itself() {
    let mut desk = desk(vec![hourly(), draft("r", "R/2026-01-01T01:00:00Z/PT1H")]);
    let _ = desk.wake("01:00:00");
    for job in ["job", "r"] {
        let task = desk.task_of(job);
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    }
    desk.jump("01:01:00");
    desk.put(child("job", &["r"]));
    // The clock is set back: the parent, made anew, has not decided one o'clock.
    desk.now.wall = day("00:59:00");
    desk.put(child("job", &["r"]));
    let record = JobRecord {
        progress: crate::model::Progress {
            decided_through: day("00:30:00"),
            ..desk.state.job(&name("r")).unwrap().progress.clone()
        },
        ..desk.state.job(&name("r")).unwrap().to_record()
    };
    desk.state.apply(&Change::JobStored(Box::new(record)));
    delete(&mut desk, "r");
    let _ = desk.wake("01:02:00");
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
}

/// `H` and jitter are spread by a job's name; the heir keeps what its parent's name decided.
#[test]
fn an_heir_is_due_and_opens_when_its_parent_would_have() {
    let mut spread = draft("parent", "H 2 * * *");
    if let When::Schedule(terms) = &mut spread.when {
        terms.jitter = Some(Period { text: "PT30M".to_owned(), span: Duration::from_mins(30) });
    }
    let mut desk = desk(vec![spread, child("b", &["parent"])]);
    let before = desk.state.job(&name("parent")).unwrap().next;
    delete(&mut desk, "parent");
    let heir = desk.state.job(&name("b")).unwrap();
    assert_eq!(heir.next, before);
    let When::Schedule(terms) = &heir.job.when else { panic!() };
    assert_eq!(terms.spread_by, "parent");
}

#[test]
fn the_heir_of_a_disabled_parent_follows_the_schedule_and_that_is_told() {
    let mut off = hourly();
    off.disabled = Some(true);
    let mut desk = desk(vec![off, child("b", &["job"])]);
    assert_eq!(
        delete(&mut desk, "job"),
        [
            "`b` gets the schedule of `job`, `R/2026-01-01T01:00:00Z/PT1H`, and follows it: it is not disabled, as its parent was"
        ]
    );
}

#[test]
fn what_the_parents_of_a_deleted_job_have_done_for_it_they_have_done_for_its_child() {
    let mut desk = desk(vec![other("a"), other("b"), child("c", &["a", "b"]), child("d", &["c"])]);
    desk.ran("a", Exit::Code(0));
    delete(&mut desk, "c");
    assert_eq!(desk.live_of("d"), NONE);
    desk.ran("b", Exit::Code(0));
    assert_eq!(desk.live_of("d"), ["launching"]);
}

#[test]
fn an_interval_that_began_with_its_job_goes_on_in_the_same_steps_with_the_heir() {
    let mut desk = desk(vec![draft("a", "R//PT1H"), child("b", &["a"])]);
    desk.jump("00:20:00");
    assert_eq!(
        delete(&mut desk, "a"),
        ["`b` gets the schedule of `a`, `R/2026-01-01T00:00:00.000Z/PT1H`"]
    );
    assert_eq!(desk.state.wake_at().wall, Some(day("01:00:00")));
}

#[test]
fn the_parents_of_a_deleted_job_take_its_place() {
    let mut desk =
        desk(vec![other("a"), other("b"), child("c", &["a", "b"]), child("d", &["c", "b"])]);
    assert_eq!(delete(&mut desk, "c"), ["`d` follows `a` and `b` from now on"]);
    assert_eq!(parents(&desk, "d"), ["a", "b"]);
    desk.ran("a", Exit::Code(0));
    desk.ran("b", Exit::Code(0));
    assert_eq!(desk.live_of("d"), ["launching"]);
}

/// DIFFERENCE: Chronos gives such a child the schedule as well, so that it runs by both.
#[test]
fn a_child_with_other_parents_loses_the_deleted_one_and_its_round_may_be_finished_by_that() {
    let mut desk = desk(vec![other("a"), other("b"), child("c", &["a", "b"])]);
    desk.ran("a", Exit::Code(0));
    assert_eq!(
        delete(&mut desk, "b"),
        [
            "`c` follows `a` alone from now on",
            "`c` had waited for `b` alone: its round is finished without it"
        ]
    );
    assert_eq!(desk.live_of("c"), ["launching"]);
}

#[test]
fn a_signal_of_a_parent_that_is_deleted_at_the_same_moment_is_not_lost() {
    let mut desk = desk(vec![other("a"), child("b", &["a"])]);
    desk.run_of("a");
    let status = desk.ended(Exit::Code(0));
    let task_id = desk.task_of("a");
    let _ = desk.step(&Event::Task(TaskReport { task_id, status }));
    let (reply, _) = desk.request(Request::DeleteJob { name: name("a"), by: None });
    assert!(matches!(reply, Reply::Deleted { .. }));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

#[test]
fn a_new_child_does_not_hear_of_what_was_before_it() {
    let mut desk = desk(vec![other("a"), child("b", &["a"])]);
    desk.run_of("a");
    let status = desk.ended(Exit::Code(0));
    let task_id = desk.task_of("a");
    let _ = desk.step(&Event::Task(TaskReport { task_id, status }));
    desk.put(child("c", &["a"]));
    assert_eq!((desk.live_of("b").len(), desk.live_of("c").len()), (1, 0));
}

#[test]
fn what_parents_have_done_counts_on_as_long_as_they_stay_parents() {
    let mut desk = desk(vec![other("a"), other("b"), other("d"), child("c", &["a", "b"])]);
    desk.ran("a", Exit::Code(0));
    desk.put(child("c", &["a", "b", "d"]));
    desk.ran("b", Exit::Code(0));
    assert_eq!(desk.live_of("c"), NONE);
    // Nobody waits for the third any more.
    desk.put(child("c", &["a", "b"]));
    assert_eq!(desk.live_of("c"), ["launching"]);
}

#[test]
fn another_rule_begins_a_new_round() {
    let mut desk = desk(vec![other("a"), other("b"), child("c", &["a", "b"])]);
    desk.ran("a", Exit::Code(0));
    let mut changed = child("c", &["a", "b"]);
    if let When::Parents(terms) = &mut changed.when {
        (terms.rule, terms.join) = (TriggerRule::AllDone, Join::Round);
    }
    desk.put(changed);
    desk.ran("b", Exit::Code(0));
    assert_eq!(desk.live_of("c"), NONE);
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("c"), ["launching"]);
}

#[test]
fn a_job_goes_from_a_schedule_to_parents_and_back() {
    let mut desk = desk(vec![other("a"), hourly()]);
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    desk.put(child("job", &["a"]));
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), NONE, "the schedule is over");
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("job"), ["launching"]);
    let _ = desk.ends(Exit::Code(0));
    desk.jump("02:30:00");
    desk.put(hourly());
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live(), NONE, "the parents are nobody's any more");
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.live(), ["03:00:00 launching"]);
    assert_eq!(desk.unrun(), NONE, "what was due in between was never owed");
}

#[test]
fn whoever_disables_a_parent_is_told_who_waits_for_it() {
    let mut desk = desk(vec![hourly(), child("b", &["job"])]);
    let mut off = hourly();
    off.disabled = Some(true);
    let put = Request::PutJob { draft: Box::new(off), dialect: Dialect::V0 };
    let (foretold, decision) = desk.request(Request::DryRun(Box::new(put.clone())));
    assert_eq!(decision.changes, []);
    let (told, _) = desk.request(put);
    assert_eq!(told, foretold);
    assert_eq!(
        consequences(told),
        ["`b` waits for `job`, which does not run by itself while it is disabled"]
    );
    assert_eq!(
        consequences(desk.put(child("c", &["job"]))),
        ["`job` is disabled: the job waits until it is run by hand or enabled"]
    );
}

#[test]
fn a_job_that_is_disabled_by_its_failures_tells_who_waits_for_it() {
    let mut failing = other("a");
    failing.disable_after_failures = Some(2);
    let mut desk = desk(vec![failing, child("b", &["a"])]);
    desk.ran("a", Exit::Code(1));
    assert!(!desk.state.job(&name("a")).unwrap().job.disabled);
    desk.run_of("a");
    let task = desk.task_of("a");
    let decision = desk.report(&task, desk.ended(Exit::Code(1)));
    assert!(desk.state.job(&name("a")).unwrap().job.disabled);
    let warned = decision.notes.iter().any(|note| {
        note.text
            == "it failed 2 times in a row; it is disabled; `b` waits for `a`, which does not run by itself while it is disabled"
    });
    assert!(warned, "{:?}", decision.notes);
    // Whoever enables it again wants it to fail twice again.
    let mut again = other("a");
    again.disable_after_failures = Some(2);
    desk.put(again);
    desk.ran("a", Exit::Code(1));
    assert!(!desk.state.job(&name("a")).unwrap().job.disabled);
    desk.ran("a", Exit::Code(1));
    assert!(desk.state.job(&name("a")).unwrap().job.disabled);
}

/// Loaded, told, refused a cycle and cut in the middle, without deep calls and in linear time.
#[test]
fn a_chain_of_a_hundred_thousand_jobs_is_loaded_and_cannot_be_closed() {
    const LENGTH: u64 = 100_000;
    let mut desk = desk(vec![other("j1")]);
    let first = desk.state.job(&name("j1")).unwrap().to_record();
    let mut jobs = vec![first.clone()];
    for number in 2..=LENGTH {
        let mut job = first.job.clone();
        job.name = name(&format!("j{number}"));
        let parent = name(&format!("j{}", number - 1));
        job.when = When::Parents(ParentTerms::plain(vec![parent]));
        let incarnation = crate::model::Incarnation(number);
        jobs.push(JobRecord { incarnation, job, ..first.clone() });
    }
    let recovered =
        Recovered { jobs, last_incarnation: LENGTH, term: Term(1), ..Recovered::default() };
    desk.state = State::recover(Arc::new(settings()), recovered);
    let request = |draft: JobDraft| Event::Request {
        id: RequestId(1),
        request: Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 },
    };
    let refused = step(&desk.state, desk.now, &request(child("j1", &["j100000"])));
    let Some(Effect::Reply(_, Reply::Refused(rejection))) = refused.effects.first() else {
        panic!("{:?}", refused.effects)
    };
    assert!(rejection.message.contains("99991 more"), "{}", rejection.message);
    let deleted = step(
        &desk.state,
        desk.now,
        &Event::Request {
            id: RequestId(2),
            request: Request::DeleteJob { name: name("j50000"), by: None },
        },
    );
    for change in &deleted.changes {
        desk.state.apply(change);
    }
    assert_eq!(parents(&desk, "j50001"), ["j49999"]);
}
