//! Occurrences: which become runs, which are recorded instead, and with what bounds.

use super::*;

const NONE: [&str; 0] = [];

#[test]
fn an_occurrence_becomes_a_run_when_it_is_due_and_not_before() {
    let mut desk = Desk::new();
    desk.put(hourly());
    assert_eq!(desk.state.wake_at().wall, Some(day("01:00:00")));
    let _ = desk.wake("00:59:59.999999999");
    assert_eq!(desk.live(), NONE);
    let decision = desk.wake("01:00:00");
    assert_eq!(done(&decision), "launch #0");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    assert_eq!(desk.state.wake_at().wall, Some(day("02:00:00")));
}

/// Both ends of the start window belong to it.
#[test]
fn a_window_is_closed_at_both_ends() {
    for (woken, expected) in [("01:01:00", "launching"), ("01:01:00.001", "missed")] {
        let mut desk = Desk::new();
        let mut job = hourly();
        job.epsilon = epsilon(60);
        desk.put(job);
        let _ = desk.wake(woken);
        let live = desk.live();
        match expected {
            "missed" => {
                assert_eq!(live, NONE);
                assert_eq!(desk.unrun(), ["1 missed 01:00:00 to 01:00:00"]);
            }
            _ => assert_eq!(live, ["01:00:00 launching"]),
        }
    }
}

#[test]
fn missed_occurrences_in_a_row_are_one_record_that_is_extended() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.epsilon = epsilon(0);
    desk.put(job);
    let _ = desk.wake("04:30:00");
    assert_eq!(desk.unrun(), ["4 missed 01:00:00 to 04:00:00"]);
    let _ = desk.wake("06:30:00");
    assert_eq!(desk.unrun(), ["6 missed 01:00:00 to 06:00:00"]);
    let _ = desk.wake("07:00:00");
    assert_eq!(desk.live(), ["07:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("08:30:00");
    assert_eq!(
        desk.unrun(),
        ["6 missed 01:00:00 to 06:00:00", "1 missed 08:00:00 to 08:00:00"],
        "a run in between begins a new record"
    );
}

#[test]
fn more_missed_occurrences_than_one_step_counts_still_make_one_record() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R/2026-01-01T01:00:00Z/PT0.01S");
    job.epsilon = epsilon(0);
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.wake("05:00:00.005");
    assert_eq!(desk.live(), ["05:00:00 launching"]);
    assert_eq!(desk.unrun(), ["1440000 missed 01:00:00 to 04:59:59"]);
}

#[test]
fn catch_up_runs_the_latest_of_the_missed_and_records_the_others() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.wake("04:30:00");
    assert_eq!(desk.unrun(), ["3 missed 01:00:00 to 03:00:00"]);
    assert_eq!(desk.live(), ["04:00:00 launching"]);
    assert!(matches!(desk.state.runs().next().unwrap().trigger, Trigger::CatchUp { .. }));
}

#[test]
fn an_occurrence_whose_window_is_open_stands_for_the_missed_before_it() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.wake("04:00:30");
    assert_eq!(desk.unrun(), ["3 missed 01:00:00 to 03:00:00"]);
    assert_eq!(desk.live(), ["04:00:00 launching"]);
    assert!(matches!(desk.state.runs().next().unwrap().trigger, Trigger::Schedule { .. }));
}

#[test]
fn overlap_decides_what_becomes_of_an_occurrence_whose_predecessor_is_live() {
    for (overlap, live, unrun) in [
        (Overlap::Skip, vec!["01:00:00 running"], vec!["3 skipped 02:00:00 to 04:00:00"]),
        (
            Overlap::Queue { max: 2 },
            vec!["01:00:00 running", "02:00:00 queued", "03:00:00 queued"],
            vec!["1 skipped 04:00:00 to 04:00:00"],
        ),
        (
            Overlap::Allow { max: None },
            vec![
                "01:00:00 running",
                "02:00:00 launching",
                "03:00:00 launching",
                "04:00:00 launching",
            ],
            vec![],
        ),
    ] {
        let mut desk = Desk::new();
        let mut job = hourly();
        job.overlap = Some(overlap);
        desk.put(job);
        let _ = desk.wake("01:00:00");
        desk.running();
        for time in ["02:00:00", "03:00:00", "04:00:00"] {
            let _ = desk.wake(time);
        }
        assert_eq!(desk.live(), live);
        assert_eq!(desk.unrun(), unrun);
    }
}

#[test]
fn a_queue_moves_on_one_by_one_and_no_window_bounds_it() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 2 });
    desk.put(job);
    for time in ["01:00:00", "02:00:00", "03:00:00"] {
        let _ = desk.wake(time);
    }
    desk.jump("03:30:00");
    let task = desk.state.runs().find_map(Run::live_attempt).unwrap().task_id.clone();
    let ended = desk.ended(Exit::Code(1));
    let decision = desk.report(&task, ended);
    assert_eq!(done(&decision), "acknowledge, launch #0");
    assert_eq!(desk.live(), ["02:00:00 launching", "03:00:00 queued"]);
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

/// What is over at this instant must not block what comes at this instant.
#[test]
fn a_run_whose_window_has_closed_does_not_block_the_next_occurrence() {
    let mut desk = Desk::new();
    desk.put(draft("job", "R/2026-01-01T01:00:00Z/PT1M"));
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    // Nobody looks between 01:00:00 and this.
    let _ = desk.wake("01:01:05");
    assert_eq!(desk.over(), ["01:00:00 missed"]);
    assert_eq!(desk.live(), ["01:01:00 pending until 01:02:00"]);
    assert_eq!(desk.unrun(), NONE);
}

#[test]
fn two_thousand_jobs_due_at_once_need_several_steps_and_lose_none() {
    let mut desk = Desk::new();
    for index in 0..2_000 {
        let draft = draft(&format!("job{index}"), "R/2026-01-01T01:00:00Z/PT1H");
        let event = Event::Request {
            id: RequestId(index),
            request: Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 },
        };
        let decision = step(&desk.state, desk.now, &event);
        decision.changes.iter().for_each(|change| desk.state.apply(change));
    }
    desk.jump("01:00:00");
    let first = desk.step(&Event::Woke);
    let runs = |decision: &Decision| {
        decision.changes.iter().filter(|change| matches!(change, Change::RunStored(_))).count()
    };
    assert_eq!(runs(&first), limits::DUE_PER_STEP_MAX);
    let mut launches = 0;
    for _ in 0..20 {
        let decision = desk.step(&Event::Woke);
        launches += decision.effects.len();
    }
    assert_eq!(launches, 2_000);
    assert_eq!(desk.state.runs().len(), 2_000);
    assert!(!desk.state.wake_at().has_come(desk.now));
}

#[test]
fn one_job_with_a_long_open_window_spends_the_budget_and_loses_nothing() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R1200/2026-01-01T01:00:00Z/PT1S");
    job.epsilon = epsilon(7_200);
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.state.runs().len(), 1_200);
}

#[test]
fn a_job_whose_repetitions_are_used_up_is_disabled_by_its_success() {
    for (exit, disabled) in [(Exit::Code(0), true), (Exit::Code(1), false)] {
        let mut desk = Desk::new();
        desk.put(draft("job", "R2/2026-01-01T01:00:00Z/PT1H"));
        let _ = desk.wake("01:00:00");
        let _ = desk.ends(Exit::Code(0));
        assert!(!desk.state.job(&name("job")).unwrap().job.disabled, "one is left");
        let _ = desk.wake("02:00:00");
        let _ = desk.ends(exit);
        assert_eq!(desk.state.job(&name("job")).unwrap().job.disabled, disabled);
        assert_eq!(desk.state.wake_at().wall, None);
    }
}

/// `Rn` names n occurrences, whatever became of them.
#[test]
fn missed_occurrences_count_against_the_repetitions() {
    let mut desk = Desk::new();
    desk.put(draft("job", "R3/2026-01-01T01:00:00Z/PT1H"));
    let _ = desk.wake("02:30:00");
    assert_eq!(desk.unrun(), ["2 missed 01:00:00 to 02:00:00"]);
    let _ = desk.wake("03:00:00");
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("09:00:00");
    assert_eq!(desk.over(), ["03:00:00 succeeded"]);
    assert!(desk.state.job(&name("job")).unwrap().job.disabled);
}

#[test]
fn a_schedule_of_no_repetitions_never_runs_by_itself() {
    let mut desk = Desk::new();
    let reply = desk.put(draft("job", "R0/2026-01-01T01:00:00Z/PT1H"));
    let Reply::Stored { created: true, warnings, consequences: _, version: _ } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(warnings.len(), 1);
    assert_eq!(desk.state.wake_at().wall, None);
    let _ = desk.wake("12:00:00");
    assert_eq!(desk.live(), NONE);
    desk.run_now();
    let _ = desk.ends(Exit::Code(0));
    assert!(!desk.state.job(&name("job")).unwrap().job.disabled, "a manual run uses nothing up");
}

#[test]
fn setting_the_clock_back_repeats_no_occurrence() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("03:00:00");
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("01:30:00");
    let _ = desk.wake("02:00:00");
    let _ = desk.wake("03:00:10");
    assert_eq!(desk.live(), NONE);
    assert_eq!(desk.over(), ["03:00:00 succeeded"]);
    let _ = desk.wake("04:00:00");
    assert_eq!(desk.live(), ["04:00:00 launching"]);
}

#[test]
fn a_job_that_cannot_be_decided_is_left_alone_and_stops_nobody_else() {
    let panics = name(PANICS_WHEN_DECIDED);
    let is_quarantined = |desk: &Desk| desk.state.job(&panics).unwrap().is_quarantined;
    let mut desk = Desk::new();
    desk.put(draft(PANICS_WHEN_DECIDED, "R/2026-01-01T01:00:00Z/PT1H"));
    desk.put(hourly());
    let decision = desk.wake("01:00:00");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    assert!(is_quarantined(&desk));
    assert!(decision.notes.iter().any(|note| note.is_warning && note.text.contains("left alone")));
    // A replacement is tried again.
    let reply = desk.put(draft(PANICS_WHEN_DECIDED, "R/2026-01-01T01:30:00Z/PT1H"));
    assert!(matches!(reply, Reply::Stored { created: false, .. }));
    assert!(!is_quarantined(&desk));
    let _ = desk.wake("01:30:00");
    assert!(is_quarantined(&desk));
    let (reply, _) = desk.request(Request::DeleteJob { name: panics, by: None });
    assert_eq!(reply, Reply::Deleted { consequences: Vec::new() });
}

#[test]
fn after_a_start_or_an_absence_live_attempts_are_heard_of_before_anything_is_decided() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    desk.running();
    // The command ends; nobody is there to be told until the next occurrence has come.
    desk.jump("02:00:00");
    let _ = desk.handle(&Event::Resumed { term: Term(2) });
    let _ = desk.handle(&Event::Woke);
    assert_eq!(desk.unrun(), NONE, "nothing is skipped because of a run that may be over");
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live(), ["02:00:00 launching"]);
    // A launcher that says nothing is not waited for longer than two seconds.
    desk.running();
    desk.jump("03:00:00");
    let _ = desk.handle(&Event::Resumed { term: Term(3) });
    let _ = desk.wake("03:00:01");
    assert_eq!(desk.unrun(), NONE);
    let _ = desk.wake("03:00:02");
    assert_eq!(desk.unrun(), ["1 skipped 03:00:00 to 03:00:00"]);
}

#[test]
fn occurrences_behind_a_live_run_are_counted_and_not_walked() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R/2026-01-01T01:00:00Z/PT1S");
    job.epsilon = epsilon(30 * 24 * 3_600);
    desk.put(job);
    let decision = desk.wake("23:00:00");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    assert_eq!(desk.unrun(), ["79200 skipped 01:00:01 to 23:00:00"]);
    assert!(decision.changes.len() < 20 && decision.notes.len() < 5, "{}", decision.notes.len());
}
