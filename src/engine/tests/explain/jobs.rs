//! Every way in which a job can stand has its sentence.

use super::*;

fn history(desk: &Desk) -> Vec<HistoryEntry> {
    let runs = desk.ended.iter().cloned().map(HistoryEntry::Run);
    let stretches = desk.stretches.iter().cloned().map(HistoryEntry::Stretch);
    let mut all: Vec<HistoryEntry> = runs.chain(stretches).collect();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.sequence()));
    all
}

fn job_is_told_within(desk: &Desk, job: &str, scope: &Scope, expected: &Expect) {
    let entry = desk.state.job(&name(job)).unwrap();
    let reasons = explain_job(&desk.state, desk.now.wall, entry, &history(desk), scope);
    expected.assert_eq(&lines(reasons));
}

fn job_is_told(desk: &Desk, job: &str, expected: &Expect) {
    job_is_told_within(desk, job, &Scope::All, expected);
}

#[test]
fn a_job_says_when_it_is_due_next_and_how_its_last_run_ended() {
    let mut desk = due_desk(hourly());
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        launching: run j1-s1767229200000: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        nextDue: it is next due 2026-01-01T02:00:00.000Z
    "#]],
    );
    let _ = desk.ends(Exit::Code(3));
    let _ = desk.disconnect();
    let _ = desk.wake("02:00:00");
    let _ = desk.wake("02:02:00");
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        nextDue: it is next due 2026-01-01T03:00:00.000Z
        lastRun: its last run, j1-s1767232800000 for 2026-01-01T02:00:00.000Z, was missed 2026-01-01T02:02:00.000Z: its start window closed before it could start: the launcher could not be reached (the cable is out)
    "#]],
    );
    // While nobody has come to decide it.
    desk.jump("03:00:00");
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        dueNow: what was due 2026-01-01T03:00:00.000Z is about to be decided
        lastRun: its last run, j1-s1767232800000 for 2026-01-01T02:00:00.000Z, was missed 2026-01-01T02:02:00.000Z: its start window closed before it could start: the launcher could not be reached (the cable is out)
    "#]],
    );
}

#[test]
fn a_job_says_where_each_of_its_live_runs_stands() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 5 });
    let mut desk = due_desk(job);
    desk.running();
    let _ = desk.wake("02:00:00");
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        running: run j1-s1767229200000: attempt 0 has been running on a1 since 2026-01-01T01:00:00.000Z
        queued: run j1-s1767232800000: it waits behind run j1-s1767229200000 of its job (overlap)
        nextDue: it is next due 2026-01-01T03:00:00.000Z
    "#]],
    );
}

#[test]
fn what_another_life_of_the_name_did_is_not_told() {
    let mut desk = due_desk(hourly());
    let _ = desk.ends(Exit::Code(3));
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    desk.put(hourly());
    assert_eq!(desk.ended[0].id.incarnation, Incarnation(1));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        launching: run j2-s1767229200000: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        nextDue: it is next due 2026-01-01T02:00:00.000Z
    "#]],
    );
}

#[test]
fn a_job_says_what_its_jitter_adds() {
    let mut job = hourly();
    if let When::Schedule(terms) = &mut job.when {
        terms.jitter = Some(Period { text: "PT30M".to_owned(), span: Duration::from_mins(30) });
    }
    let mut desk = Desk::new();
    desk.put(job);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        nextDue: it is next due 2026-01-01T01:00:00.000Z, and may start from 2026-01-01T01:01:17.495Z on (jitter)
    "#]],
    );
}

#[test]
fn a_quarantined_job_says_what_to_do() {
    let mut desk = Desk::new();
    desk.put(draft(PANICS_WHEN_DECIDED, "R/2026-01-01T01:00:00Z/PT1H"));
    let _ = desk.wake("01:00:00");
    job_is_told(
        &desk,
        PANICS_WHEN_DECIDED,
        &expect![[r#"
            quarantined: it is left alone, because deciding it went wrong inside Chronode: replace it, lift its quarantine, or restart Chronode
            nextHeld: its schedule names 2026-01-01T02:00:00.000Z next, which will be left out as things are
        "#]],
    );
}

#[test]
fn a_job_with_a_broken_schedule_says_why() {
    let mut desk = Desk::new();
    desk.put(draft("job", "@reboot"));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        atBoot: it runs at each start of its machine
    "#]],
    );
    let _ = desk.load(Err("this is a cluster".to_owned()));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        broken: its schedule cannot be used any more: `@reboot` needs one machine that all commands run on, and this is a cluster
    "#]],
    );
}

#[test]
fn a_disabled_job_says_by_whom() {
    let mut job = hourly();
    job.disabled = Some(true);
    let mut desk = Desk::new();
    desk.put(job);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            disabled: it is disabled: its definition says so
            nextHeld: its schedule names 2026-01-01T01:00:00.000Z next, which will be left out as things are
        "#]],
    );
    let mut job = hourly();
    job.disable_after_failures = Some(2);
    let mut desk = due_desk(job);
    let _ = desk.ends(Exit::Code(1));
    let _ = desk.wake("02:00:00");
    let _ = desk.ends(Exit::Code(1));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            disabled: it is disabled, because it failed 2 times in a row
            nextHeld: its schedule names 2026-01-01T03:00:00.000Z next, which will be left out as things are
            lastRun: its last run, j1-s1767232800000 for 2026-01-01T02:00:00.000Z, failed 2026-01-01T02:00:00.000Z: the command ended with exit code 1
        "#]],
    );
    let mut desk = due_desk(draft("job", "R1/2026-01-01T01:00:00Z/PT1H"));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        launching: run j1-s1767229200000: attempt 0 was given to a1 2026-01-01T01:00:00.000Z, which has not said yet that it runs
        exhausted: its schedule names nothing any more
    "#]],
    );
    let _ = desk.ends(Exit::Code(0));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        disabled: it is disabled, and nothing of its schedule is left
        exhausted: its schedule names nothing any more
        lastRun: its last run, j1-s1767229200000 for 2026-01-01T01:00:00.000Z, succeeded 2026-01-01T01:00:00.000Z
    "#]],
    );
    let mut job = draft("job", "@reboot");
    job.disabled = Some(true);
    let mut desk = Desk::new();
    desk.put(job);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            disabled: it is disabled: its definition says so
            atBoot: its schedule names each start of its machine, which is left out as things are
        "#]],
    );
}

#[test]
fn a_paused_job_says_by_whom_until_when_and_what_is_skipped_meanwhile() {
    let mut desk = Desk::new();
    desk.put(hourly());
    pause(&mut desk, PauseScope::Job(name("job")), None);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            paused: nothing comes of it by itself: kim paused it 2026-01-01T00:00:00.000Z, until somebody lets it go on: the disk is full
            nextHeld: its schedule names 2026-01-01T01:00:00.000Z next, which will be left out as things are
        "#]],
    );
    pause(&mut desk, PauseScope::Job(name("job")), Some(day("03:30:00")));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            paused: nothing comes of it by itself: kim paused it 2026-01-01T00:00:00.000Z, until 2026-01-01T03:30:00.000Z: the disk is full
            nextHeld: its schedule names 2026-01-01T01:00:00.000Z next, which will be left out as things are
            nextDue: it is next due 2026-01-01T04:00:00.000Z
        "#]],
    );
    // What is due when it ends runs.
    pause(&mut desk, PauseScope::Job(name("job")), Some(day("01:00:00")));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        paused: nothing comes of it by itself: kim paused it 2026-01-01T00:00:00.000Z, until 2026-01-01T01:00:00.000Z: the disk is full
        nextDue: it is next due 2026-01-01T01:00:00.000Z
    "#]],
    );
    pause(&mut desk, PauseScope::Everything, None);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
            paused: nothing comes of it by itself: kim paused it 2026-01-01T00:00:00.000Z, until 2026-01-01T01:00:00.000Z: the disk is full
            paused: nothing comes of it by itself: kim paused everything 2026-01-01T00:00:00.000Z, until somebody lets it go on: the disk is full
            nextHeld: its schedule names 2026-01-01T01:00:00.000Z next, which will be left out as things are
        "#]],
    );
}

#[test]
fn a_job_that_is_only_planned_says_so() {
    for (shadow, expected) in [
        (
            Shadow::On,
            expect![[r#"
            shadow: it is only planned here (shadow): another scheduler runs it until it is cut over
            nextDue: it is next due 2026-01-01T03:00:00.000Z
            lastLeftOut: 2 occurrences due 2026-01-01T01:00:00.000Z to 2026-01-01T02:00:00.000Z were skipped: the job is only planned here (shadow)
        "#]],
        ),
        (
            Shadow::Until(day("03:00:00")),
            expect![[r#"
            shadow: what is due before 2026-01-01T03:00:00.000Z is only planned here (shadow)
            nextDue: it is next due 2026-01-01T03:00:00.000Z
            lastLeftOut: 2 occurrences due 2026-01-01T01:00:00.000Z to 2026-01-01T02:00:00.000Z were skipped: the job is only planned here (shadow)
        "#]],
        ),
    ] {
        let mut job = hourly();
        job.shadow = Some(shadow);
        let mut desk = Desk::new();
        desk.put(job);
        let _ = desk.wake("02:00:00");
        job_is_told(&desk, "job", &expected);
    }
}

#[test]
fn a_job_says_that_the_clock_is_doubted_and_is_told_by_the_one_that_is_believed() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.now.wall = at("2026-01-08T00:00:00Z");
    let _ = desk.handle(&Event::Woke);
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        clockDoubted: the wall clock has jumped from 2026-01-01T00:00:00.000Z to 2026-01-08T00:00:00.000Z: until that has held for five minutes, or somebody says that it is right, occurrences are decided as if it had not
        nextDue: it is next due 2026-01-01T01:00:00.000Z
    "#]],
    );
}

#[test]
fn a_job_names_the_occurrences_that_will_be_skipped() {
    let mut desk = Desk::new();
    desk.put(hourly());
    for due_at in [None, Some(day("02:00:00"))] {
        let by = by(&desk, "a holiday");
        let _ = desk.request(Request::SkipAhead { name: name("job"), due_at, by });
    }
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        skippedAhead: what is due 2026-01-01T01:00:00.000Z will be skipped: kim had it skipped: a holiday
        skippedAhead: what is due 2026-01-01T02:00:00.000Z will be skipped: kim had it skipped: a holiday
        nextDue: it is next due 2026-01-01T03:00:00.000Z
    "#]],
    );
}

#[test]
fn a_child_says_what_it_waits_for_and_names_no_parent_that_the_reader_may_not_see() {
    let mut desk = Desk::new();
    for draft in [by_hand("pay"), by_hand("bill-1"), by_hand("pay-2")] {
        desk.put(draft);
    }
    desk.put(child("job", &["pay", "bill-1"]));
    desk.put(child("both", &["pay", "pay-2"]));
    job_is_told(
        &desk,
        "job",
        &expect![[r#"
        waitsForParents: it waits for a new success of each of `pay` and `bill-1`
    "#]],
    );
    let scope = Scope::Only(vec![Pattern::parse("bill-*").unwrap()]);
    job_is_told_within(
        &desk,
        "job",
        &scope,
        &expect![[r#"
        waitsForParents: it waits for a new success of each of `bill-1` and a job that you may not see
    "#]],
    );
    job_is_told_within(
        &desk,
        "both",
        &scope,
        &expect![[r#"
        waitsForParents: it waits for a new success of each of 2 jobs that you may not see
    "#]],
    );
    desk.jump("01:00:00");
    desk.ran("bill-1", Exit::Code(0));
    job_is_told_within(
        &desk,
        "job",
        &scope,
        &expect![[r#"
        waitsForParents: it waits for a new success of a job that you may not see
    "#]],
    );
}
