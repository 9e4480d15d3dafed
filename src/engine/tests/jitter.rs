//! Occurrences whose start window opens later than they are due.

use super::*;

const NONE: [&str; 0] = [];
const INSTANT: Duration = Duration::from_nanos(1);
const SECOND: Duration = Duration::from_secs(1);

/// A job that is due every hour, and starts within half an hour of that.
fn spread() -> JobDraft {
    let mut draft = hourly();
    let half_an_hour = Period { text: "PT30M".to_owned(), span: Duration::from_mins(30) };
    if let When::Schedule(terms) = &mut draft.when {
        terms.jitter = Some(half_an_hour);
    }
    draft
}

/// When the window of the occurrence due at this instant of the first day opens.
fn opening(desk: &Desk, due: &str) -> Timestamp {
    let Timing::Schedule(schedule) = &desk.state.job(&name("job")).unwrap().timing else {
        panic!("it has a schedule")
    };
    let at = schedule.opens_at(day(due));
    assert!(at > day(due) + SECOND, "these tests need a share that is not next to nothing");
    at
}

#[test]
fn a_window_opens_with_the_jitter_and_not_before() {
    let mut desk = Desk::new();
    desk.put(spread());
    let opens = opening(&desk, "01:00:00");
    assert_eq!(desk.state.job(&name("job")).unwrap().next_due(), Some(day("01:00:00")));
    assert_eq!(desk.state.wake_at().wall, Some(opens));
    let _ = desk.disconnect();
    let _ = desk.wake_on(opens - INSTANT);
    assert_eq!(desk.live(), NONE);
    let _ = desk.wake_on(opens);
    let run = desk.state.runs().next().unwrap();
    assert_eq!(run.trigger, Trigger::Schedule { due_at: day("01:00:00"), opens_at: opens });
    assert_eq!(run.state, RunState::Pending { deadline: Some(opens + SECOND * 60) });
    let decision = desk.connect();
    assert_eq!(done(&decision), "launch #0");
}

#[test]
fn epsilon_counts_from_the_opening_of_the_window() {
    for (late, live, unrun) in [
        (SECOND * 60, vec!["01:00:00 launching"], vec![]),
        (SECOND * 60 + INSTANT, vec![], vec!["1 missed 01:00:00 to 01:00:00"]),
    ] {
        let mut desk = Desk::new();
        desk.put(spread());
        let _ = desk.wake_on(opening(&desk, "01:00:00") + late);
        assert_eq!(desk.live(), live);
        assert_eq!(desk.unrun(), unrun);
    }
}

#[test]
fn what_waits_for_its_jitter_is_not_counted_with_what_was_missed() {
    for catch_up in [CatchUp::None, CatchUp::Latest, CatchUp::All { max: 2 }] {
        let mut desk = Desk::new();
        let mut job = spread();
        job.catch_up = Some(catch_up);
        desk.put(job);
        let opens = opening(&desk, "04:00:00");
        let _ = desk.wake_on(opens - INSTANT);
        match catch_up {
            CatchUp::None => {
                assert_eq!(desk.unrun(), ["3 missed 01:00:00 to 03:00:00"]);
                let _ = desk.wake_on(opens);
                assert_eq!(desk.live(), ["04:00:00 launching"]);
            }
            CatchUp::Latest => {
                assert_eq!(desk.unrun(), ["2 missed 01:00:00 to 02:00:00"]);
                assert_eq!(desk.live(), ["03:00:00 launching"]);
            }
            CatchUp::All { .. } => {
                assert_eq!(desk.unrun(), ["1 missed 01:00:00 to 01:00:00"]);
                assert_eq!(desk.live(), ["02:00:00 launching", "03:00:00 queued"]);
            }
        }
    }
    // Once its window is open, it stands for those before it.
    let mut desk = Desk::new();
    let mut job = spread();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.wake_on(opening(&desk, "04:00:00"));
    assert_eq!(desk.unrun(), ["3 missed 01:00:00 to 03:00:00"]);
    assert_eq!(desk.live(), ["04:00:00 launching"]);
}

#[test]
fn what_waits_for_its_jitter_is_not_skipped_yet() {
    let mut desk = Desk::new();
    let mut job = spread();
    job.epsilon = epsilon(24 * 3_600);
    desk.put(job.clone());
    let _ = desk.wake_on(opening(&desk, "01:00:00"));
    desk.running();
    let _ = desk.wake_on(opening(&desk, "04:00:00") - INSTANT);
    assert_eq!(desk.unrun(), ["2 skipped 02:00:00 to 03:00:00"]);
    // Nor when the job was disabled, and is asked.
    let mut desk = Desk::new();
    job.disabled = Some(true);
    desk.put(job.clone());
    desk.jump_to(opening(&desk, "02:00:00") - INSTANT);
    job.disabled = Some(false);
    desk.put(job);
    assert_eq!(desk.unrun(), ["1 skipped 01:00:00 to 01:00:00"]);
    let _ = desk.wake_on(opening(&desk, "02:00:00"));
    assert_eq!(desk.live(), ["02:00:00 launching"]);
}

#[test]
fn a_new_job_owes_what_waits_for_its_jitter_or_is_inside_its_window() {
    for (late, live) in [
        (SECOND * 60, vec!["01:00:00 launching"]),
        (SECOND * 60 + INSTANT, vec![]),
        (SECOND * -1, vec![]),
    ] {
        let mut desk = Desk::new();
        desk.put(spread());
        let opens = opening(&desk, "01:00:00");
        // In another life, which has the same name and so the same share.
        let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
        desk.jump_to(opens + late);
        desk.put(spread());
        assert_eq!(desk.live(), live);
        assert_eq!(desk.unrun(), NONE);
        if late < Duration::ZERO {
            assert_eq!(desk.state.wake_at().wall, Some(opens));
        }
    }
}

/// The old definition owes what has opened, the new one what is still inside its own window: nothing twice.
#[test]
fn a_replace_hands_what_waits_for_its_jitter_to_the_new_definition() {
    let mut desk = Desk::new();
    desk.put(spread());
    let opens = opening(&desk, "01:00:00");
    desk.jump_to(opens - INSTANT);
    desk.put(spread());
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    let _ = desk.wake_on(opens);
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    // It is decided: a definition that would open its window later does not owe it again.
    desk.put(spread());
    desk.put(hourly());
    assert_eq!(desk.live(), NONE);
    assert_eq!(desk.state.wake_at().wall, Some(day("02:00:00")));
    // Without jitter the window of what waits is over, so it is not this definition's; nor was it the old one's.
    desk.put(spread());
    let opens = opening(&desk, "02:00:00");
    desk.jump_to(opens - INSTANT);
    let mut job = hourly();
    job.epsilon = epsilon(0);
    desk.put(job);
    assert_eq!((desk.live(), desk.unrun()), (vec![], vec![]));
    assert_eq!(desk.state.wake_at().wall, Some(day("03:00:00")));
}

#[test]
fn a_deletion_owes_nothing_that_waits_for_its_jitter() {
    let mut desk = Desk::new();
    desk.put(spread());
    desk.jump_to(opening(&desk, "01:00:00") - INSTANT);
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    assert_eq!((desk.over(), desk.unrun()), (vec![], vec![]));
}

#[test]
fn a_run_waits_for_the_opening_of_its_window_if_the_clock_is_set_back() {
    let mut desk = Desk::new();
    desk.put(spread());
    let opens = opening(&desk, "01:00:00");
    let _ = desk.disconnect();
    let _ = desk.wake_on(opens + SECOND);
    // Between the instant at which it is due and the opening.
    let _ = desk.wake("01:00:01");
    let _ = desk.connect();
    let run = desk.state.runs().next().unwrap();
    assert_eq!(run.state, RunState::Waiting { until: Alarm { at: opens, boot: None } });
    let _ = desk.wake_on(opens - INSTANT);
    assert_eq!(desk.state.runs().next().unwrap().live_attempt(), None);
    let decision = desk.wake_on(opens);
    assert_eq!(done(&decision), "launch #0");
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("00:30:00");
    let _ = desk.wake_on(opens);
    assert_eq!(desk.live(), NONE, "it is not run again");
}

/// What is caught up keeps the opening of its window too.
#[test]
fn a_caught_up_run_waits_for_the_opening_of_its_window_if_the_clock_is_set_back() {
    let mut desk = Desk::new();
    let mut job = spread();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let opens = opening(&desk, "01:00:00");
    let _ = desk.disconnect();
    let _ = desk.wake_on(opens + SECOND * 120);
    assert_eq!(desk.live(), ["01:00:00 pending"]);
    let _ = desk.wake("01:00:01");
    let _ = desk.connect();
    assert_eq!(
        desk.state.runs().next().unwrap().state,
        RunState::Waiting { until: Alarm { at: opens, boot: None } }
    );
}
