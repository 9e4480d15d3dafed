//! How runs ended, what brought them about, and why they started late and where.

use super::*;
use crate::model::Attribute;

#[test]
fn every_verdict_is_told_with_its_reason() {
    let mut desk = due_desk(hourly());
    desk.running();
    let _ = desk.ends(Exit::Code(0));
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        succeeded: it succeeded 2026-01-01T01:00:00.000Z
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.wake("02:00:00");
    let _ = desk.ends(Exit::Code(3));
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T02:00:00.000Z
        failed: it failed 2026-01-01T02:00:00.000Z: the command ended with exit code 3
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.disconnect();
    let _ = desk.wake("03:00:00");
    let _ = desk.wake("03:02:00");
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T03:00:00.000Z
        missed: it was missed 2026-01-01T03:02:00.000Z: its start window closed before it could start: the launcher could not be reached (the cable is out)
    "#]],
    );
    let _ = desk.wake("04:00:00");
    let run = live(&desk);
    operate(&mut desk, &run, RunVerb::Skip);
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T04:00:00.000Z
        skipped: it was skipped 2026-01-01T04:00:00.000Z: kim had it skipped: it is stuck
    "#]],
    );
    let _ = desk.wake("05:00:00");
    let run = live(&desk);
    operate(&mut desk, &run, RunVerb::Kill);
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T05:00:00.000Z
        killed: it was killed 2026-01-01T05:00:00.000Z: kim stopped it before it started: it is stuck
    "#]],
    );
    let _ = desk.connect();
    let _ = desk.wake("06:00:00");
    let task = desk.task();
    let reason = "its agent has gone".to_owned();
    let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: true });
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T06:00:00.000Z
        lost: it was lost 2026-01-01T06:00:00.000Z: its agent has gone
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let mut job = hourly();
    job.overlap = Some(Overlap::Replace);
    let mut desk = pending_desk(job);
    let _ = desk.wake("02:00:00");
    last_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        superseded: it was superseded 2026-01-01T02:00:00.000Z: it had not started when a later run took its place (overlap: replace)
    "#]],
    );
}

#[test]
fn a_run_says_where_it_comes_from() {
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    let mut desk = Desk::new();
    desk.put(job);
    desk.jump("01:30:00");
    let _ = desk.handle(&Event::Woke);
    live_is_told(
        &desk,
        &expect![[r#"
        caughtUp: the schedule named 2026-01-01T01:00:00.000Z; that was missed, and is caught up (catchUp)
        launching: attempt 0 was given to a1 2026-01-01T01:30:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Code(1));
    let failed = desk.ended.last().unwrap().clone();
    operate(&mut desk, &failed, RunVerb::Retry);
    live_is_told(
        &desk,
        &expect![[r#"
        retries: kim asked 2026-01-01T01:30:00.000Z for a retry of run j1-s1767229200000, for 2026-01-01T01:00:00.000Z: it is stuck
        launching: attempt 0 was given to a1 2026-01-01T01:30:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Code(0));

    let ask = Ask { by: Some(by(&desk, "")), due_at: Some(day("01:00:00")), ..Ask::default() };
    let _ = desk.request(Request::RunJob { name: name("job"), ask: Box::new(ask) });
    live_is_told(
        &desk,
        &expect![[r#"
        askedFor: kim asked for it 2026-01-01T01:30:00.000Z, to stand for 2026-01-01T01:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:30:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Code(0));
    let run = desk.run_now();
    is_told(
        &desk,
        &run,
        &expect![[r#"
        askedFor: somebody asked for it 2026-01-01T01:30:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:30:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Code(0));

    let draft = BackfillDraft {
        name: name("job"),
        due: vec![day("01:00:00")],
        concurrency: 1,
        stops_on_failure: false,
        arguments: None,
        environment: Vec::new(),
        by: by(&desk, "the tape was lost"),
    };
    let _ = desk.request(Request::Backfill(Box::new(draft)));
    live_is_told(
        &desk,
        &expect![[r#"
            backfills: kim began backfill b5, and this is for 2026-01-01T01:00:00.000Z: the tape was lost
            launching: attempt 0 was given to a1 2026-01-01T01:30:00.000Z, which has not said yet that it runs
            placed: it went to a1, the first agent with room: the job has no constraints
        "#]],
    );
}

#[test]
fn a_run_after_parents_names_their_runs() {
    let mut desk = Desk::new();
    for draft in [by_hand("a"), by_hand("b"), child("job", &["a", "b"])] {
        desk.put(draft);
    }
    desk.jump("01:00:00");
    desk.ran("a", Exit::Code(0));
    desk.ran("b", Exit::Code(0));
    live_is_told(
        &desk,
        &expect![[r#"
        followed: its parents were ready 2026-01-01T01:00:00.000Z: j1-m1767229200000, j2-m1767229200000
        launching: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
}

#[test]
fn a_run_that_started_late_says_what_each_part_of_the_wait_was() {
    // It came late to be decided, and then found no launcher.
    let mut job = hourly();
    job.epsilon = epsilon(3_600);
    let mut desk = Desk::new();
    desk.put(job.clone());
    let _ = desk.disconnect();
    let _ = desk.wake("01:05:00");
    desk.jump("01:07:00");
    let _ = desk.connect();
    live_is_told(
        &desk,
        &expect![[r#"
            scheduled: the schedule named 2026-01-01T01:00:00.000Z
            launching: attempt 0 was given to a1 2026-01-01T01:07:00.000Z, which has not said yet that it runs
            late: it started 420 s late: 300 s until Chronode came to decide it (it was down, suspended or busy), 120 s until it could be started (no agent had room, it was paused, or the launcher was out of reach)
            placed: it went to a1, the first agent with room: the job has no constraints
        "#]],
    );
    // Another of its job was in the way, and it was tried twice.
    job.overlap = Some(Overlap::Queue { max: 1 });
    job.retries = Some(1);
    let mut desk = due_desk(job);
    let _ = desk.wake("02:00:00");
    let first = desk.task();
    desk.jump("02:10:00");
    let _ = desk.report(&first, desk.ended(Exit::Code(0)));
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T02:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T02:10:00.000Z, which has not said yet that it runs
        late: it started 600 s late: 600 s behind other runs of its job (overlap)
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    let _ = desk.ends(Exit::Code(1));
    let _ = desk.wake("02:11:00");
    live_is_told(
        &desk,
        &expect![[r#"
            scheduled: the schedule named 2026-01-01T02:00:00.000Z
            launching: attempt 1 was given to a1 2026-01-01T02:11:00.000Z, which has not said yet that it runs
            late: it started 600 s late: 600 s behind other runs of its job (overlap), or until it could be started (no agent had room, it was paused, or the launcher was out of reach)
            placed: it went to a1, the first agent with room: the job has no constraints
        "#]],
    );
    // Spread on purpose.
    let mut job = hourly();
    if let When::Schedule(terms) = &mut job.when {
        terms.jitter = Some(Period { text: "PT30M".to_owned(), span: Duration::from_mins(30) });
    }
    let mut desk = Desk::new();
    desk.put(job);
    let opens = desk.state.wake_at().wall.unwrap();
    let _ = desk.wake_on(opens);
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:01:17.495Z, which has not said yet that it runs
        late: it started 77 s late: 77 s because its start is spread (jitter)
        placed: it went to a1, the first agent with room: the job has no constraints
    "#]],
    );
    // Asked for, and kept waiting.
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.disconnect();
    desk.run_now();
    desk.jump("00:00:30");
    let _ = desk.connect();
    live_is_told(
        &desk,
        &expect![[r#"
            askedFor: somebody asked for it 2026-01-01T00:00:00.000Z
            launching: attempt 0 was given to a1 2026-01-01T00:00:30.000Z, which has not said yet that it runs
            late: it started 30 s late: 30 s until it could be started (no agent had room, it was paused, or the launcher was out of reach)
            placed: it went to a1, the first agent with room: the job has no constraints
        "#]],
    );
}

#[test]
fn a_placement_says_how_many_agents_would_have_done() {
    let mut desk = due_desk(picky());
    let mut racked = offer();
    racked.attributes.push(Attribute::text("rack", "r1"));
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![racked], framework: None });
    live_is_told(
        &desk,
        &expect![[r#"
        scheduled: the schedule named 2026-01-01T01:00:00.000Z
        launching: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        placed: it went to a1: 1 of the 1 agents there are now meet the job's constraints
    "#]],
    );
}

#[test]
fn what_a_run_was_given_in_secret_is_in_no_sentence() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let secret = EnvVar { name: "TOKEN".to_owned(), value: "hunter2".to_owned(), secret: true };
    let ask = Ask { environment: vec![secret], ..Ask::with_arguments(Some("hunter2".to_owned())) };
    let _ = desk.request(Request::RunJob { name: name("job"), ask: Box::new(ask) });
    let told = lines(explain_run(&desk.state, desk.now.wall, &live(&desk)));
    assert!(told.starts_with("askedFor: ") && !told.contains("hunter2"), "{told}");
    let _ = desk.ends(Exit::Code(1));
    let told = lines(explain_run(&desk.state, desk.now.wall, desk.ended.last().unwrap()));
    assert!(told.contains("failed: ") && !told.contains("hunter2"), "{told}");
}
