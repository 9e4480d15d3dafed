//! What becomes of a run whose predecessor is live, and which of many pending runs is placed first.

use super::*;

const NONE: [&str; 0] = [];

fn overlapping(overlap: Overlap) -> Desk {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(overlap);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk
}

#[test]
fn a_later_run_takes_the_place_of_one_that_runs_and_starts_when_that_is_over() {
    let mut desk = overlapping(Overlap::Replace);
    desk.running();
    let decision = desk.wake("02:00:00");
    assert_eq!(done(&decision), "kill");
    assert_eq!(desk.live(), ["01:00:00 stopping", "02:00:00 queued"]);
    // No window bounds that wait.
    desk.jump("02:30:00");
    let task = desk.task();
    let decision = desk.report(&task, desk.ended(Exit::Killed));
    assert_eq!(done(&decision), "acknowledge, launch #0");
    assert_eq!(desk.over(), ["01:00:00 superseded"]);
    assert_eq!(desk.live(), ["02:00:00 launching"]);
}

#[test]
fn what_waits_gives_way_at_once_to_a_later_run() {
    let mut desk = overlapping(Overlap::Replace);
    let _ = desk.wake("02:00:00");
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.over(), ["02:00:00 superseded"]);
    assert_eq!(desk.live(), ["01:00:00 stopping unstarted", "03:00:00 queued"]);
    // A run that finds no offer is not in the way either, and the newest keeps its own window.
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Replace);
    job.epsilon = epsilon(7_200);
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.over(), ["01:00:00 superseded"]);
    assert_eq!(desk.live(), ["02:00:00 pending until 04:00:00"]);
    let RunState::Ended { reason, .. } = &desk.ended[0].state else { panic!() };
    assert_eq!(reason, "it had not started when a later run took its place (overlap: replace)");
}

#[test]
fn of_several_occurrences_that_have_come_at_once_the_last_takes_the_place_of_the_others() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Replace);
    job.epsilon = epsilon(4 * 3_600);
    desk.put(job);
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.over(), ["01:00:00 superseded", "02:00:00 superseded"]);
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

#[test]
fn a_run_that_waits_for_its_next_attempt_gives_way_and_what_succeeds_all_the_same_has_succeeded() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Replace);
    job.retries = Some(3);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk.jump("01:59:30");
    let _ = desk.ends(Exit::Code(1));
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.over(), ["01:00:00 superseded"]);
    let _ = desk.wake("03:00:00");
    let task = desk.task();
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(desk.over(), ["01:00:00 superseded", "02:00:00 succeeded"]);
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

#[test]
fn as_many_runs_as_are_allowed_run_beside_each_other() {
    let mut desk = overlapping(Overlap::Allow { max: Some(2) });
    let _ = desk.wake("02:00:00");
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.live(), ["01:00:00 launching", "02:00:00 launching"]);
    assert_eq!(desk.unrun(), ["1 skipped 03:00:00 to 03:00:00"]);
    // What somebody asks for waits instead.
    desk.run_now();
    assert_eq!(desk.live_of("job"), ["launching", "launching", "queued"]);
    let oldest = desk.state.runs().min_by_key(|run| run.sequence).unwrap();
    let task = oldest.live_attempt().unwrap().task_id.clone();
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(desk.live_of("job"), ["launching", "launching"]);
}

#[test]
fn a_new_definition_lets_as_many_wait_no_longer_as_it_allows() {
    let mut desk = overlapping(Overlap::Queue { max: 5 });
    for time in ["02:00:00", "03:00:00", "04:00:00"] {
        let _ = desk.wake(time);
    }
    assert_eq!(desk.live_of("job"), ["launching", "queued", "queued", "queued"]);
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: Some(3) });
    desk.put(job);
    assert_eq!(desk.live_of("job"), ["launching", "launching", "launching", "queued"]);
}

#[test]
fn all_missed_occurrences_are_caught_up_one_after_another_up_to_a_number() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::All { max: 3 });
    desk.put(job);
    let _ = desk.wake("05:30:00");
    assert_eq!(desk.unrun(), ["2 missed 01:00:00 to 02:00:00"]);
    assert_eq!(desk.live(), ["03:00:00 launching", "04:00:00 queued", "05:00:00 queued"]);
    for next in ["04:00:00 launching", "05:00:00 launching"] {
        let _ = desk.ends(Exit::Code(0));
        assert_eq!(desk.live()[0], next);
    }
}

/// As many as may be caught up are the latest, however often there is an outage while they wait.
#[test]
fn of_occurrences_that_found_no_offer_the_latest_are_caught_up() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    job.catch_up = Some(CatchUp::All { max: 2 });
    desk.put(job);
    let _ = desk.disconnect();
    for hour in 1..6 {
        let _ = desk.wake(&format!("0{hour}:00:00"));
        let _ = desk.wake(&format!("0{hour}:01:01"));
    }
    assert_eq!(desk.over(), ["01:00:00 missed", "02:00:00 missed", "03:00:00 missed"]);
    let _ = desk.connect();
    assert_eq!(desk.live(), ["04:00:00 launching", "05:00:00 launching"]);
    // Those that are live by then count when there is an outage.
    desk.jump("09:30:00");
    let _ = desk.handle(&Event::Woke);
    assert_eq!(desk.unrun(), ["4 missed 06:00:00 to 09:00:00"]);
}

#[test]
fn a_run_that_cannot_start_is_not_in_the_way_of_a_later_one_that_stands_for_it() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.disconnect();
    for time in ["01:00:00", "01:01:01", "02:00:00"] {
        let _ = desk.wake(time);
    }
    assert_eq!(desk.over(), ["01:00:00 missed"]);
    assert_eq!(desk.live(), ["02:00:00 pending until 02:01:00"]);
}

/// What was given up leaves its place to what waits.
#[test]
fn a_queued_run_moves_on_when_a_caught_up_one_is_given_up() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: Some(2) });
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.disconnect();
    for time in ["01:00:00", "01:01:01"] {
        let _ = desk.wake(time);
    }
    desk.run_now();
    desk.run_now();
    assert_eq!(desk.live_of("job"), ["pending", "pending", "queued"]);
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.over(), ["01:00:00 missed"]);
    assert_eq!(desk.live_of("job")[..2], ["pending", "pending"]);
}

#[test]
fn five_hundred_jobs_with_a_thousand_missed_occurrences_are_caught_up_in_steps() {
    let mut desk = Desk::new();
    for number in 0..3 {
        let mut job = draft(&format!("j{number}"), "R/2026-01-01T01:00:00Z/PT1M");
        job.catch_up = Some(CatchUp::All { max: 400 });
        desk.put(job);
    }
    desk.jump("20:00:30");
    let mut steps = 0;
    while desk.state.wake_at().has_come(desk.now) {
        let before = desk.state.runs().count();
        let _ = desk.step(&Event::Woke);
        assert!(desk.state.runs().count() - before <= limits::DUE_PER_STEP_MAX);
        steps += 1;
        assert!(steps < 100);
    }
    assert_eq!(desk.state.runs().count(), 3 * 400);
    let missed: u64 = desk.stretches.iter().map(|stretch| stretch.count).sum();
    // The occurrence at eight is inside its window, and skipped because others are live.
    assert_eq!(missed, 3 * (19 * 60 + 1 - 400));
}

#[test]
fn a_more_urgent_run_is_placed_first_and_none_waits_for_ever_behind_others() {
    let mut desk = Desk::new();
    let _ = desk.disconnect();
    let job = |job: &str, priority| {
        let mut draft = draft(job, "R0/2026-01-01T00:00:00Z/PT1H");
        draft.priority = Some(priority);
        draft
    };
    desk.put(job("low", Priority::Low));
    desk.put(job("normal", Priority::Normal));
    desk.put(job("high", Priority::High));
    desk.put(job("late", Priority::High));
    for each in ["low", "normal", "high"] {
        desk.run_of(each);
    }
    let order = |desk: &Desk| -> Vec<String> {
        desk.state.pending().map(|run| run.job.to_string()).collect()
    };
    assert_eq!(order(&desk), ["high", "normal", "low"]);
    // Two hours later even what is urgent comes behind what has waited since.
    desk.jump("02:00:01");
    desk.run_of("late");
    assert_eq!(order(&desk), ["high", "normal", "low", "late"]);
}

/// One cpu of four is taken again and again; the run that wants all four would never find them.
#[test]
fn a_large_run_that_has_been_passed_for_long_gets_an_agent_kept_free() {
    let cpus = |count: u64| Scalar::from_thousandths(count * 1_000);
    let mut desk = Desk::new();
    let machine = Offer {
        resources: Resources { cpus: cpus(4), ..offer().resources },
        kind: OfferKind::Standing,
        ..offer()
    };
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![machine], framework: None });
    let mut small = draft("small", "R0/2026-01-01T00:00:00Z/PT1H");
    small.cpus = Some(cpus(1));
    small.overlap = Some(Overlap::Allow { max: None });
    let mut large = draft("large", "R0/2026-01-01T00:00:00Z/PT1H");
    large.cpus = Some(cpus(4));
    let mut huge = draft("huge", "R0/2026-01-01T00:00:00Z/PT1H");
    huge.cpus = Some(cpus(5));
    for each in [small, large, huge] {
        desk.put(each);
    }
    desk.run_of("small");
    desk.run_of("large");
    desk.run_of("huge");
    desk.jump("00:09:59");
    desk.run_of("small");
    assert_eq!(desk.live_of("small"), ["launching", "launching"], "it stops nobody");
    desk.jump("00:10:00");
    desk.run_of("small");
    assert_eq!(desk.live_of("small"), ["launching", "launching", "pending"]);
    for _ in 0..2 {
        let of_small = desk.state.runs().filter(|run| run.job == name("small"));
        let task = of_small.filter_map(Run::live_attempt).next().unwrap().task_id.clone();
        let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    }
    assert_eq!(desk.live_of("large"), ["launching"]);
    // What fits nowhere keeps nothing free.
    let task = desk.task_of("large");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(desk.live_of("small"), ["launching"]);
    assert_eq!((desk.live_of("huge"), desk.unrun()), (vec!["pending".to_owned()], vec![]));
    assert_eq!(NONE, [""; 0]);
}
