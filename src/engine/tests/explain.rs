//! Every way in which a run can stand has its sentence.

mod ended;
mod jobs;

use expect_test::{Expect, expect};

use super::*;
use crate::model::{
    Ask, Constraint, EnvVar, HistoryEntry, Incarnation, Intervention, OnUnknown, Operator, Pattern,
    PauseScope, RetryTerms, RunVerb, Scope, Shadow, UnknownThen,
};

fn lines(reasons: Vec<Reason>) -> String {
    reasons.into_iter().map(|Reason { code, text }| format!("{code}: {text}\n")).collect()
}

fn is_told(desk: &Desk, run: &Run, expected: &Expect) {
    expected.assert_eq(&lines(explain_run(&desk.state, desk.now.wall, run)));
}

/// The newest live run.
fn live(desk: &Desk) -> Run {
    desk.state.runs().max_by_key(|run| run.sequence).expect("a run is live").clone()
}

fn live_is_told(desk: &Desk, expected: &Expect) {
    is_told(desk, &live(desk), expected);
}

fn last_is_told(desk: &Desk, expected: &Expect) {
    is_told(desk, desk.ended.last().expect("a run has ended"), expected);
}

fn by(desk: &Desk, reason: &str) -> Intervention {
    Intervention { by: "kim".to_owned(), at: desk.now.wall, reason: reason.to_owned() }
}

/// At one o'clock, when the job is due.
fn due_desk(job: JobDraft) -> Desk {
    let mut desk = Desk::new();
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk
}

/// The same without a launcher to start it.
fn pending_desk(mut job: JobDraft) -> Desk {
    let mut desk = Desk::new();
    job.epsilon = epsilon(7_200);
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    desk
}

fn pause(desk: &mut Desk, scope: PauseScope, until: Option<Timestamp>) {
    let by = by(desk, "the disk is full");
    let (reply, _) = desk.request(Request::Pause { scope, until, by });
    assert!(matches!(reply, Reply::Paused { .. }), "{reply:?}");
}

fn operate(desk: &mut Desk, run: &Run, verb: RunVerb) {
    let by = by(desk, "it is stuck");
    let past = run.is_ended().then(|| Box::new(PastRun { run: run.clone(), below: Vec::new() }));
    let request = Request::OperateRun { name: run.job.clone(), run: run.id, verb, past, by };
    let (reply, _) = desk.request(request);
    assert!(matches!(reply, Reply::Operated { .. }), "{reply:?}");
}

fn child(job: &str, parents: &[&str]) -> JobDraft {
    let mut draft = hourly();
    draft.name = name(job);
    draft.when =
        When::Parents(ParentTerms::plain(parents.iter().map(|parent| name(parent)).collect()));
    draft
}

fn by_hand(job: &str) -> JobDraft {
    draft(job, "R0/2026-01-01T00:00:00Z/PT1H")
}

fn picky() -> JobDraft {
    let mut job = hourly();
    job.constraints = Some(vec![Constraint {
        attribute: "rack".to_owned(),
        operator: Operator::Equals,
        value: "r1".to_owned(),
    }]);
    job.epsilon = epsilon(7_200);
    job
}

// Runs that have not been begun.

#[test]
fn a_queued_run_names_what_it_waits_behind() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 5 });
    let mut desk = due_desk(job);
    let _ = desk.wake("02:00:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T02:00:00.000Z
        queued: it waits behind run j1-s1767229200000 of its job (overlap)
    "#]],
    );
    let _ = desk.wake("03:00:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T03:00:00.000Z
        queued: it waits behind 2 runs of its job, the first of them run j1-s1767229200000 (overlap)
    "#]],
    );
    // The one that it waits behind.
    let first = desk.state.runs().find(|run| !run.attempts.is_empty()).unwrap().clone();
    is_told(
        &desk,
        &first,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_pending_run_held_by_a_pause_names_whose_and_what_is_asked_for_is_not_held() {
    let mut desk = pending_desk(hourly());
    pause(&mut desk, PauseScope::Job(name("job")), None);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        held: it waits for the end of a pause: kim paused its job 2026-01-01T01:00:00.000Z, until somebody lets it go on: the disk is full
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
    pause(&mut desk, PauseScope::Job(name("job")), Some(day("04:00:00")));
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        held: it waits for the end of a pause: kim paused its job 2026-01-01T01:00:00.000Z, until 2026-01-01T04:00:00.000Z: the disk is full
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
    pause(&mut desk, PauseScope::Everything, None);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        held: it waits for the end of a pause: kim paused everything 2026-01-01T01:00:00.000Z, until somebody lets it go on: the disk is full
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.disconnect();
    pause(&mut desk, PauseScope::Everything, None);
    let run = desk.run_now();
    is_told(
        &desk,
        &run,
        &expect![[r#"
        askedFor: somebody asked for it 2026-01-01T00:00:00.000Z
        launcherGone: the launcher cannot be reached: the cable is out
    "#]],
    );
}

#[test]
fn a_pending_run_says_that_the_launcher_is_gone_or_is_listened_to() {
    let desk = pending_desk(hourly());
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launcherGone: the launcher cannot be reached: the cable is out
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
    // Of another job a run is going on, of which nobody has heard yet.
    let mut desk = Desk::new();
    let mut job = hourly();
    job.epsilon = epsilon(7_200);
    desk.put(job);
    desk.put(by_hand("other"));
    desk.run_of("other");
    desk.running();
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    desk.restart();
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        listening: nothing is started before the launcher has said what became of the runs that were going on
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
}

#[test]
fn a_pending_run_says_what_no_agent_has_and_when_room_is_kept() {
    let mut desk = due_desk(picky());
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        noRoom: no agent has room for it: one does not meet `rack EQUALS r1`
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
    let _ = desk.wake("01:10:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        noRoom: no agent has room for it: one does not meet `rack EQUALS r1`; room is kept free for it
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
}

#[test]
fn a_pending_run_that_fits_is_about_to_start() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("01:00:00");
    let _ = desk.step(&Event::Woke);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        aboutToStart: it is about to be given to the launcher
        deadline: it has to start by 2026-01-01T01:01:00.000Z (epsilon)
    "#]],
    );
}

#[test]
fn a_pending_run_without_its_job_says_so() {
    let mut desk = pending_desk(hourly());
    let run = live(&desk);
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    is_told(
        &desk,
        &run,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        jobDeleted: its job was deleted
        deadline: it has to start by 2026-01-01T03:00:00.000Z (epsilon)
    "#]],
    );
}

#[test]
fn a_run_whose_window_opens_again_says_that_the_clock_was_set_back() {
    let mut desk = pending_desk(hourly());
    desk.now.wall = day("00:30:00");
    let _ = desk.connect();
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        clockSetBack: the clock was set back: its start window opens 2026-01-01T01:00:00.000Z
    "#]],
    );
}

// Runs that have been begun.

#[test]
fn a_run_that_waits_to_be_tried_again_says_why_and_from_when_on() {
    let mut job = hourly();
    job.retries = Some(1);
    let mut desk = due_desk(job);
    let _ = desk.ends(Exit::Code(3));
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        waitsToRetry: attempt 0 ended: the command ended with exit code 3; attempt 1 may start from 2026-01-01T01:01:00.000Z on
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.disconnect();
    let _ = desk.wake("01:01:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launcherGone: the launcher cannot be reached: the cable is out
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn the_next_attempt_of_a_run_says_until_when_it_may_start() {
    let mut job = hourly();
    job.retries = Some(1);
    let until = Some(Period { text: "PT10M".to_owned(), span: Duration::from_mins(10) });
    job.retry = Some(RetryTerms { until, ..RetryTerms::default() });
    let mut desk = due_desk(job);
    let _ = desk.ends(Exit::Code(3));
    let _ = desk.disconnect();
    let _ = desk.wake("01:01:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launcherGone: the launcher cannot be reached: the cable is out
        deadline: its next attempt has to start by 2026-01-01T01:10:00.000Z (retryUntil)
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_run_whose_job_reported_a_failure_waits_to_be_tried_again_for_that() {
    let mut job = hourly();
    job.retries = Some(1);
    let mut desk = due_desk(job);
    desk.running();
    let request = Request::CompleteTask { task_id: desk.task(), status_code: 4 };
    let _ = desk.request(request);
    let _ = desk.ends(Exit::Code(0));
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        waitsToRetry: attempt 0 ended: its job reported status code 4; attempt 1 may start from 2026-01-01T01:01:00.000Z on
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_run_waits_for_what_its_job_has_to_report() {
    for (timeout, expected) in [
        (
            0,
            expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        awaitsReport: its command has ended well, and its job has to say how the work went (async)
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
        ),
        (
            600,
            expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        awaitsReport: its command has ended well, and its job has to say how the work went (async) by 2026-01-01T01:10:00.000Z, or it counts as failed
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
        ),
    ] {
        let mut job = hourly();
        job.is_async = Some(true);
        job.max_completion_secs = Some(timeout);
        let mut desk = due_desk(job);
        desk.running();
        let _ = desk.ends(Exit::Code(0));
        live_is_told(&desk, &expected);
    }
}

#[test]
fn a_run_is_launched_then_runs_then_is_stopped() {
    let mut job = hourly();
    job.max_completion_secs = Some(600);
    let mut desk = due_desk(job);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    desk.running();
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        running: attempt 0 has been running on a1 since 2026-01-01T01:00:00.000Z; it may take 600 s (timeout)
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let run = live(&desk);
    operate(&mut desk, &run, RunVerb::Kill);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        stopping: attempt 0 on a1 has been told to end, and has not yet: kim had it stopped: it is stuck
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Killed);
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        killed: it was killed 2026-01-01T01:00:00.000Z: kim had it stopped: it is stuck
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_run_that_is_stopped_by_nobody_says_what_for() {
    let mut job = hourly();
    job.max_completion_secs = Some(600);
    let mut desk = due_desk(job);
    desk.running();
    let _ = desk.wake("01:10:00");
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        stopping: attempt 0 on a1 has been told to end, and has not yet: it is being stopped because it ran longer than its `timeout` allows
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_run_that_nobody_knows_of_says_how_long_news_is_waited_for() {
    for (then, expected) in [
        (
            UnknownThen::Lost,
            expect![[r#"
                scheduled: the schedule named 2026-01-01T01:00:00.000Z
                unknown: nobody can say what became of attempt 0 on a1: its agent is out of reach; news is waited for until 2026-01-01T01:10:00.000Z, then it counts as lost (onUnknown)
                placed: it went to a1, the first agent with room: the job has no constraints
            "#]],
        ),
        (
            UnknownThen::Relaunch,
            expect![[r#"
                scheduled: the schedule named 2026-01-01T01:00:00.000Z
                unknown: nobody can say what became of attempt 0 on a1: its agent is out of reach; news is waited for until 2026-01-01T01:10:00.000Z, then its command is started once more (onUnknown)
                placed: it went to a1, the first agent with room: the job has no constraints
            "#]],
        ),
    ] {
        let mut job = hourly();
        let wait = Period { text: "PT10M".to_owned(), span: Duration::from_mins(10) };
        job.on_unknown = Some(OnUnknown { wait, then });
        let mut desk = due_desk(job);
        let task = desk.task();
        let reason = "its agent is out of reach".to_owned();
        let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: false });
        live_is_told(&desk, &expected);
    }
}
