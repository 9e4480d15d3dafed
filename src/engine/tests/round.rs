//! Rounds of parents, and the runs of children that follow.

use super::*;
use crate::model::{Join, TriggerRule};

const NONE: [&str; 0] = [];

/// A job that runs only when somebody asks.
fn by_hand(job: &str) -> JobDraft {
    let mut draft = draft(job, "R0/2026-01-01T00:00:00Z/PT1H");
    draft.overlap = Some(Overlap::Queue { max: 100 });
    draft
}

fn child(job: &str, parents: &[&str]) -> JobDraft {
    let names = parents.iter().map(|parent| name(parent)).collect();
    let mut draft = by_hand(job);
    draft.when = When::Parents(ParentTerms::plain(names));
    draft
}

fn child_by(job: &str, parents: &[&str], rule: TriggerRule, join: Join) -> JobDraft {
    let mut draft = child(job, parents);
    if let When::Parents(terms) = &mut draft.when {
        (terms.rule, terms.join) = (rule, join);
    }
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

/// The children that the success of `job` triggers, which end at once.
fn triggered_by(desk: &mut Desk, job: &str) -> String {
    let before: Vec<RunId> = desk.state.runs().map(|run| run.id).collect();
    if desk.live_of(job).is_empty() {
        desk.ran(job, Exit::Code(0));
    } else {
        let task = desk.task_of(job);
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    }
    let new = desk.state.runs().filter(|run| !before.contains(&run.id));
    let mut names: Vec<&str> = new.map(|run| run.job.as_str()).collect();
    names.sort_unstable();
    names.concat()
}

/// The vectors of Chronos' JobGraphSpec: A→B, A→C, B→D, B→E, C→E.
#[test]
fn children_are_triggered_as_in_chronos() {
    let mut desk = desk(vec![
        by_hand("a"),
        child("b", &["a"]),
        child("c", &["a"]),
        child("d", &["b"]),
        child("e", &["b", "c"]),
    ]);
    for (parent, children) in
        [("a", "bc"), ("b", "d"), ("c", "e"), ("a", "bc"), ("c", ""), ("b", "de")]
    {
        assert_eq!(triggered_by(&mut desk, parent), children, "after {parent}");
        for leaf in ["d", "e"] {
            if !desk.live_of(leaf).is_empty() {
                let task = desk.task_of(leaf);
                let _ = desk.report(&task, desk.ended(Exit::Code(0)));
            }
        }
    }
}

/// DIFFERENCE: Chronos counts, so that the second success of one parent can trigger twice.
#[test]
fn a_round_needs_a_new_success_of_every_parent_and_extra_ones_do_not_count_for_the_next() {
    let mut desk = desk(vec![by_hand("a"), by_hand("b"), child("c", &["a", "b"])]);
    for (parent, is_finished) in
        [("a", false), ("a", false), ("b", true), ("b", false), ("b", false), ("a", true)]
    {
        desk.ran(parent, Exit::Code(0));
        assert_eq!(desk.live_of("c").len(), usize::from(is_finished), "{parent}");
        if is_finished {
            let task = desk.task_of("c");
            let _ = desk.report(&task, desk.ended(Exit::Code(0)));
        }
    }
}

#[test]
fn a_child_stands_for_what_its_parents_stand_for_and_knows_who_triggered_it() {
    let mut desk = desk(vec![hourly(), by_hand("b"), child("c", &["b", "job"])]);
    let _ = desk.wake("01:00:00");
    desk.jump("01:10:00");
    let _ = desk.ends(Exit::Code(0));
    desk.jump("01:20:00");
    desk.ran("b", Exit::Code(0));
    let run = desk.state.runs().next().unwrap();
    assert_eq!(run.trigger, Trigger::Parents { due_at: day("01:20:00"), at: day("01:20:00") });
    let causes: Vec<String> = run.causes.iter().map(ToString::to_string).collect();
    assert_eq!(causes, ["j2-m1767230400000", "j1-s1767229200000"]);
    // A chain hands its instant on.
    desk.put(child("d", &["job"]));
    let _ = desk.wake("02:00:00");
    desk.jump("02:30:00");
    let task = desk.task_of("job");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    let run = desk.state.runs().find(|run| run.job == name("d")).unwrap();
    assert_eq!(run.trigger.due_at(), day("02:00:00"));
    assert_eq!(run.task_millis, millis_since_epoch(day("02:30:00")));
}

/// What one parent does, and what follows under each rule: runs of the child so far.
#[test]
fn each_rule_has_its_answer_to_each_end_of_a_parent() {
    let ends = [Exit::Code(0), Exit::Code(1), Exit::Killed];
    let mut rows = Vec::new();
    for rule in TriggerRule::ALL {
        for first in &ends {
            for second in &ends {
                let mut desk = desk(vec![
                    by_hand("a"),
                    by_hand("b"),
                    child_by("c", &["a", "b"], rule, Join::Round),
                ]);
                desk.ran("a", first.clone());
                let after_first = desk.live_of("c").len();
                desk.ran("b", second.clone());
                let word = |exit: &Exit| match exit {
                    Exit::Code(0) => "succeeds",
                    Exit::Killed => "is stopped",
                    _ => "fails",
                };
                rows.push(format!(
                    "{:<14} a {:<10} {after_first} b {:<10} {}",
                    rule.as_str(),
                    word(first),
                    word(second),
                    desk.live_of("c").len()
                ));
            }
        }
    }
    expect_test::expect![[r#"
        all-succeeded  a succeeds   0 b succeeds   1
        all-succeeded  a succeeds   0 b fails      0
        all-succeeded  a succeeds   0 b is stopped 0
        all-succeeded  a fails      0 b succeeds   0
        all-succeeded  a fails      0 b fails      0
        all-succeeded  a fails      0 b is stopped 0
        all-succeeded  a is stopped 0 b succeeds   0
        all-succeeded  a is stopped 0 b fails      0
        all-succeeded  a is stopped 0 b is stopped 0
        all-done       a succeeds   0 b succeeds   1
        all-done       a succeeds   0 b fails      1
        all-done       a succeeds   0 b is stopped 1
        all-done       a fails      0 b succeeds   1
        all-done       a fails      0 b fails      1
        all-done       a fails      0 b is stopped 1
        all-done       a is stopped 0 b succeeds   1
        all-done       a is stopped 0 b fails      1
        all-done       a is stopped 0 b is stopped 1
        any-succeeded  a succeeds   1 b succeeds   2
        any-succeeded  a succeeds   1 b fails      1
        any-succeeded  a succeeds   1 b is stopped 1
        any-succeeded  a fails      0 b succeeds   1
        any-succeeded  a fails      0 b fails      0
        any-succeeded  a fails      0 b is stopped 0
        any-succeeded  a is stopped 0 b succeeds   1
        any-succeeded  a is stopped 0 b fails      0
        any-succeeded  a is stopped 0 b is stopped 0
        any-failed     a succeeds   0 b succeeds   0
        any-failed     a succeeds   0 b fails      1
        any-failed     a succeeds   0 b is stopped 0
        any-failed     a fails      1 b succeeds   1
        any-failed     a fails      1 b fails      2
        any-failed     a fails      1 b is stopped 1
        any-failed     a is stopped 0 b succeeds   0
        any-failed     a is stopped 0 b fails      1
        any-failed     a is stopped 0 b is stopped 0
    "#]]
    .assert_eq(&(rows.join("\n") + "\n"));
}

#[test]
fn a_failure_counts_as_success_if_the_parent_says_that_it_does_not_matter() {
    for (soft, follows) in [(false, 0), (true, 1)] {
        let mut parent = by_hand("a");
        parent.soft_error = Some(soft);
        let mut desk = desk(vec![parent, child("b", &["a"])]);
        desk.ran("a", Exit::Code(3));
        assert_eq!(desk.live_of("b").len(), follows);
    }
}

#[test]
fn a_failure_that_will_be_retried_tells_nobody() {
    let mut parent = by_hand("a");
    parent.retries = Some(1);
    let mut desk = desk(vec![parent, child_by("b", &["a"], TriggerRule::AllDone, Join::Round)]);
    desk.ran("a", Exit::Code(1));
    assert_eq!(desk.live_of("b"), NONE);
    let _ = desk.wake("00:01:00");
    let task = desk.task_of("a");
    let _ = desk.report(&task, desk.ended(Exit::Code(1)));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

/// Two parents of two schedules that meet every two hours.
#[test]
fn parents_are_joined_on_the_instant_that_they_ran_for() {
    let parent = |job: &str, schedule: &str| {
        let mut draft = draft(job, schedule);
        draft.overlap = Some(Overlap::Allow { max: None });
        draft
    };
    let mut desk = desk(vec![
        parent("a", "R/2026-01-01T01:00:00Z/PT1H"),
        parent("b", "R/2026-01-01T02:00:00Z/PT2H"),
        child_by("c", &["a", "b"], TriggerRule::AllSucceeded, Join::Due),
    ]);
    let _ = desk.wake("01:00:00");
    let _ = desk.wake("02:00:00");
    let task = |desk: &Desk, job: &str, at: &str| {
        let of = desk.state.runs().find(|run| run.job == name(job) && due(run) == at).unwrap();
        of.live_attempt().unwrap().task_id.clone()
    };
    let ends = |desk: &mut Desk, job: &str, at: &str| {
        let task = task(desk, job, at);
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    };
    ends(&mut desk, "b", "02:00:00");
    ends(&mut desk, "a", "01:00:00");
    assert_eq!(desk.live_of("c"), NONE, "today's child does not take yesterday's parent");
    let _ = desk.wake("03:00:00");
    let _ = desk.wake("04:00:00");
    ends(&mut desk, "a", "04:00:00");
    ends(&mut desk, "a", "02:00:00");
    let triggers: Vec<String> =
        desk.state.runs().filter(|run| run.job == name("c")).map(due).collect();
    assert_eq!(triggers, ["02:00:00"]);
    ends(&mut desk, "b", "04:00:00");
    assert_eq!(desk.state.runs().filter(|run| run.job == name("c")).count(), 2);
}

#[test]
fn one_parent_that_is_enough_triggers_once_for_each_instant_if_they_are_joined() {
    let mut desk = desk(vec![
        hourly(),
        draft("b", "R/2026-01-01T01:00:00Z/PT1H"),
        child_by("c", &["job", "b"], TriggerRule::AnySucceeded, Join::Due),
        child_by("d", &["job", "b"], TriggerRule::AnySucceeded, Join::Round),
    ]);
    for (time, runs) in [("01:00:00", [1, 2]), ("02:00:00", [2, 4])] {
        let _ = desk.wake(time);
        for job in ["job", "b"] {
            let task = desk.task_of(job);
            let _ = desk.report(&task, desk.ended(Exit::Code(0)));
        }
        assert_eq!([desk.live_of("c").len(), desk.live_of("d").len()], runs);
    }
}

#[test]
fn a_round_that_is_never_finished_is_given_up_when_too_many_later_ones_wait() {
    let mut desk = desk(vec![
        hourly(),
        by_hand("b"),
        child_by("c", &["job", "b"], TriggerRule::AllSucceeded, Join::Due),
    ]);
    for hour in 1..=limits::ROUNDS_MAX + 2 {
        let wall = day("00:00:00") + Duration::from_hours(i64::try_from(hour).unwrap());
        let _ = desk.wake_on(wall);
        let _ = desk.ends(Exit::Code(0));
    }
    assert_eq!(desk.unrun(), ["2 skipped 01:00:00 to 02:00:00"]);
    assert_eq!(desk.state.job(&name("c")).unwrap().progress.rounds.len(), limits::ROUNDS_MAX);
}

/// Nothing was owed: the parent never failed.
#[test]
fn an_instant_that_all_parents_ran_for_without_what_one_is_enough_for_is_forgotten() {
    let mut desk = desk(vec![hourly(), child_by("c", &["job"], TriggerRule::AnyFailed, Join::Due)]);
    for hour in 1..=limits::ROUNDS_MAX + 2 {
        let wall = day("00:00:00") + Duration::from_hours(i64::try_from(hour).unwrap());
        let _ = desk.wake_on(wall);
        let _ = desk.ends(Exit::Code(0));
    }
    assert_eq!(desk.unrun(), NONE);
    assert_eq!(desk.state.job(&name("c")).unwrap().progress.rounds, []);
}

#[test]
fn a_round_in_which_a_parent_failed_is_given_up_with_that_reason() {
    let mut desk =
        desk(vec![hourly(), child_by("c", &["job"], TriggerRule::AllSucceeded, Join::Due)]);
    for hour in 1..=limits::ROUNDS_MAX + 1 {
        let wall = day("00:00:00") + Duration::from_hours(i64::try_from(hour).unwrap());
        let _ = desk.wake_on(wall);
        let _ = desk.ends(Exit::Code(1));
    }
    assert_eq!(desk.unrun(), ["1 skipped 01:00:00 to 01:00:00"]);
    assert!(desk.stretches[0].reason.starts_with("not all parents have succeeded"));
}

#[test]
fn a_round_of_a_disabled_child_is_recorded_as_skipped() {
    let mut sleeping = child("b", &["a"]);
    sleeping.disabled = Some(true);
    let mut desk = desk(vec![by_hand("a"), sleeping]);
    desk.ran("a", Exit::Code(0));
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b"), NONE);
    assert_eq!(desk.unrun(), ["2 skipped 00:00:00 to 00:00:00"]);
    // What was finished while it was disabled is over.
    desk.put(child("b", &["a"]));
    assert_eq!(desk.live_of("b"), NONE);
}

#[test]
fn a_child_that_still_runs_follows_its_overlap() {
    let mut skips = child("b", &["a"]);
    skips.overlap = Some(Overlap::Skip);
    let mut desk = desk(vec![by_hand("a"), skips, child("c", &["a"])]);
    desk.ran("a", Exit::Code(0));
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b"), ["launching"]);
    assert_eq!(desk.live_of("c"), ["launching", "queued"]);
    assert_eq!(desk.unrun().len(), 1);
}

#[test]
fn what_parents_have_done_survives_a_restart() {
    let mut desk = desk(vec![by_hand("a"), by_hand("b"), child("c", &["a", "b"])]);
    desk.ran("a", Exit::Code(0));
    desk.restart();
    desk.ran("b", Exit::Code(0));
    assert_eq!(desk.live_of("c"), ["launching"]);
}

/// The end of the parent's run is stored with the signal; whatever is lost after that is done at the next start.
#[test]
fn a_signal_that_nobody_has_heard_of_yet_is_told_after_a_restart() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    desk.run_of("a");
    let task = desk.task_of("a");
    let status = desk.ended(Exit::Code(0));
    let _ = desk.step(&Event::Task(TaskReport { task_id: task, status }));
    assert_eq!((desk.state.signals().len(), desk.live_of("b").len()), (1, 0));
    desk.restart();
    assert_eq!((desk.state.signals().len(), desk.live_of("b").len()), (0, 1));
}

#[test]
fn ten_thousand_children_of_one_parent_are_triggered_once_each_in_parts() {
    const CHILDREN: usize = 10_000;
    let mut desk = desk(vec![by_hand("a")]);
    let parent = desk.state.job(&name("a")).unwrap().to_record();
    for number in 0..CHILDREN {
        let job = child(&format!("c{number}"), &["a"]).resolve(
            None,
            Dialect::V0,
            &desk.state.settings.defaults,
        );
        let incarnation = crate::model::Incarnation(u64::try_from(number).unwrap() + 2);
        let record = JobRecord { incarnation, job, ..parent.clone() };
        desk.state.apply(&Change::JobStored(Box::new(record)));
    }
    desk.run_of("a");
    let task = desk.task_of("a");
    let status = desk.ended(Exit::Code(0));
    let _ = desk.step(&Event::Task(TaskReport { task_id: task, status }));
    let mut steps = 0;
    while desk.state.signals().len() > 0 {
        let decision = step(&desk.state, desk.now, &Event::Woke);
        assert!(decision.changes.len() <= 6 * limits::CHILDREN_PER_STEP_MAX);
        for change in &decision.changes {
            desk.state.apply(change);
        }
        steps += 1;
        // Half way the process dies.
        if steps == 10 {
            let told = desk.state.signals().next().unwrap().told_through;
            assert!(told.is_some());
        }
    }
    assert_eq!(steps, CHILDREN / limits::CHILDREN_PER_STEP_MAX);
    let ids: std::collections::BTreeSet<_> =
        desk.state.runs().map(|run| run.id.incarnation).collect();
    assert_eq!((desk.state.runs().count(), ids.len()), (CHILDREN, CHILDREN));
}

#[test]
fn a_child_whose_decision_goes_wrong_keeps_its_round_and_stops_no_other() {
    let mut desk = desk(vec![by_hand("a"), child(PANICS_WHEN_DECIDED, &["a"]), child("b", &["a"])]);
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b"), ["launching"]);
    let entry = desk.state.job(&name(PANICS_WHEN_DECIDED)).unwrap();
    assert!(entry.is_quarantined);
    assert_eq!(entry.progress.rounds[0].parents[0].successes, 1);
    let _ = desk.ends(Exit::Code(0));
    // A start that can decide it makes up for it.
    desk.restart();
    assert_eq!(desk.live_of(PANICS_WHEN_DECIDED), ["launching"]);
}

#[test]
fn what_a_child_waits_for_is_told() {
    let mut sleeping = by_hand("b");
    sleeping.disabled = Some(true);
    let desk = desk(vec![hourly(), sleeping, child("c", &["job", "b"])]);
    let entry = desk.state.job(&name("c")).unwrap();
    let standing = RoundStanding::of(&desk.state, entry).unwrap();
    assert_eq!(
        standing.message,
        "it waits for a new success of each of `job` (next due 2026-01-01T01:00:00.000Z) and `b` (disabled)"
    );
    assert_eq!(RoundStanding::of(&desk.state, desk.state.job(&name("b")).unwrap()), None);
}
