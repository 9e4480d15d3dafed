//! Pending runs, offers, start windows, retries and time-outs.

use super::*;

const NONE: [&str; 0] = [];

#[test]
fn a_launch_carries_everything_and_follows_the_record() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.command = Some("backup".to_owned());
    job.arguments = Some(vec!["-v".to_owned(), "/srv".to_owned()]);
    desk.put(job);
    let decision = desk.wake("01:00:00");
    let stored = decision.changes.iter().any(|change| match change {
        Change::RunStored(run) => run.live_attempt().is_some(),
        _ => false,
    });
    assert!(stored);
    let [Effect::Launch(launch)] = &decision.effects[..] else { panic!("{decision:?}") };
    assert_eq!(launch.term, Term(1));
    assert_eq!(launch.task_id.as_str(), "ct:1767229200000:0:job:-v _srv");
    assert_eq!(launch.run_id.to_string(), "j1-s1767229200000");
    assert_eq!(
        launch.command,
        crate::model::Command::Shell {
            text: "backup".to_owned(),
            arguments: vec!["-v".to_owned(), "/srv".to_owned()]
        }
    );
}

#[test]
fn a_run_without_an_offer_waits_until_its_window_closes() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live(), ["01:00:00 pending until 01:01:00"]);
    let _ = desk.wake("01:01:00");
    assert_eq!(desk.live(), ["01:00:00 pending until 01:01:00"]);
    assert_eq!(desk.state.wake_at().wall, Some(day("01:01:00.001")));
    let _ = desk.wake("01:01:00.001");
    assert_eq!(desk.over(), ["01:00:00 missed"]);
    let RunState::Ended { reason, .. } = &desk.ended[0].state else { panic!() };
    assert!(reason.contains("the cable is out"), "{reason}");
}

#[test]
fn a_run_that_fits_nowhere_says_what_it_lacks_and_stops_nobody_else() {
    let mut desk = Desk::new();
    let mut picky = draft("picky", "R/2026-01-01T01:00:00Z/PT1H");
    picky.constraints = Some(vec![crate::model::Constraint {
        attribute: "rack".to_owned(),
        operator: crate::model::Operator::Equals,
        value: "r1".to_owned(),
    }]);
    desk.put(picky);
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live(), ["01:00:00 pending until 01:01:00", "01:00:00 launching"]);
    let _ = desk.wake("01:02:00");
    let RunState::Ended { reason, .. } = &desk.ended[0].state else { panic!() };
    assert!(reason.contains("one does not meet `rack EQUALS r1`"), "{reason}");
}

/// Looking through the pending runs settles those that were looked at, not one that comes in the same step.
#[test]
fn a_run_that_becomes_pending_while_others_are_placed_is_placed_too() {
    let mut desk = Desk::new();
    let mut picky = draft("picky", "R/2026-01-01T00:30:00Z/PT1H");
    picky.epsilon = epsilon(7_200);
    picky.constraints = Some(vec![crate::model::Constraint {
        attribute: "rack".to_owned(),
        operator: crate::model::Operator::Equals,
        value: "r1".to_owned(),
    }]);
    desk.put(picky);
    desk.put(hourly());
    desk.put(draft("other", "R/2026-01-01T00:40:00Z/PT1H"));
    let _ = desk.wake("00:30:00");
    let _ = desk.wake("00:40:00");
    // The end of `other` asks for another look at `picky` in the very step in which `job` is due.
    desk.jump("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live(), ["00:30:00 pending until 02:30:00", "01:00:00 launching"]);
}

#[test]
fn more_pending_runs_than_one_step_places_are_all_placed() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R1200/2026-01-01T01:00:00Z/PT1S");
    job.epsilon = epsilon(7_200);
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("02:00:00");
    let decision = desk.connect();
    let launches =
        decision.effects.iter().filter(|effect| matches!(effect, Effect::Launch(_))).count();
    assert_eq!(launches, 1_200);
}

#[test]
fn a_job_of_high_priority_is_placed_first() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let mut urgent = draft("urgent", "R/2026-01-01T01:00:00Z/PT1H");
    urgent.priority = Some(Priority::High);
    desk.put(urgent);
    let decision = desk.wake("01:00:00");
    let order: Vec<&str> = decision
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Launch(launch) => Some(launch.task_id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["ct:1767229200000:0:urgent:", "ct:1767229200000:0:job:"]);
}

/// An installation that catches up runs late what could not be started in time, whatever was in the way.
#[test]
fn a_run_that_found_no_offer_in_its_window_is_caught_up_if_the_job_catches_up() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    let _ = desk.wake("01:20:00");
    assert_eq!(desk.over(), NONE);
    assert_eq!(desk.live(), ["01:00:00 pending"]);
    let _ = desk.connect();
    assert_eq!(desk.live(), ["01:00:00 launching"]);
    assert!(matches!(desk.state.runs().next().unwrap().trigger, Trigger::CatchUp { .. }));
}

#[test]
fn only_the_latest_run_that_found_no_offer_is_caught_up() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.catch_up = Some(CatchUp::Latest);
    job.overlap = Some(Overlap::Queue { max: 1 });
    desk.put(job);
    let _ = desk.disconnect();
    for time in ["01:00:00", "01:20:00", "02:00:00", "02:20:00", "03:00:00", "03:30:00"] {
        let _ = desk.wake(time);
    }
    let _ = desk.connect();
    assert_eq!(desk.live(), ["03:00:00 launching"]);
    assert_eq!(desk.over(), ["01:00:00 missed", "02:00:00 missed"]);
    assert_eq!(desk.unrun(), [""; 0]);
}

#[test]
fn retries_follow_known_failures_at_an_instant_that_is_stored() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.retries = Some(2);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    for (ended, retried, attempt) in
        [("01:05:00", "01:06:00", "launch #1"), ("01:10:00", "01:11:00", "launch #2")]
    {
        desk.jump(ended);
        let _ = desk.ends(Exit::Code(1));
        assert_eq!(desk.live(), [format!("01:00:00 waiting until {retried}")]);
        let rings = desk.state.wake_at().boot.map(|boot| boot.since(desk.now.boot));
        assert_eq!(rings, Some(Duration::from_secs(60)));
        assert_eq!(done(&desk.wake(retried)), attempt);
    }
    let _ = desk.ends(Exit::Signal(9));
    assert_eq!(desk.over(), ["01:00:00 failed"]);
    let attempts: Vec<&str> = desk.ended[0].attempts.iter().map(|a| a.task_id.as_str()).collect();
    assert_eq!(
        attempts,
        ["ct:1767229200000:0:job:", "ct:1767229200000:1:job:", "ct:1767229200000:2:job:"]
    );
    assert_eq!(desk.state.job(&name("job")).unwrap().stats.error_count, 1, "a run fails once");
}

#[test]
fn an_attempt_that_runs_too_long_is_stopped_by_the_boot_clock() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.max_completion_secs = Some(30);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk.running();
    // The wall clock is set; the time allowed does not change.
    desk.now.wall = day("09:00:00");
    assert!(!done(&desk.handle(&Event::Woke)).contains("kill"));
    desk.now.boot = desk.now.boot.saturating_add(Duration::from_secs(30));
    assert!(done(&desk.handle(&Event::Woke)).contains("kill"));
    let task = desk.state.runs().find_map(Run::live_attempt).unwrap().task_id.clone();
    let ended = desk.ended(Exit::Killed);
    let _ = desk.report(&task, ended);
    let job_run = desk.ended.iter().find(|run| due(run) == "01:00:00").unwrap();
    assert_eq!(standing(job_run), "failed");
}

#[test]
fn what_an_attempt_ran_before_a_restart_counts_against_its_time() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.max_completion_secs = Some(60);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    let started_at = desk.now.wall;
    desk.jump("01:00:45");
    let task = desk.task();
    let _ = desk.report(&task, TaskStatus::Running { started_at });
    let boot = desk.now.boot.saturating_add(Duration::from_secs(15));
    assert_eq!(desk.state.wake_at().boot, Some(boot));
}

/// A launch that is taken back keeps its window; the task keeps its name.
#[test]
fn a_launch_that_never_arrived_is_repeated_under_the_same_name_inside_the_window() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    desk.jump("01:00:30");
    let decision = desk.report(&task, TaskStatus::NeverLaunched);
    assert_eq!(done(&decision), "launch #0");
    assert_eq!(desk.task(), task);
    let _ = desk.connect();
    desk.jump("01:01:00.001");
    let decision = desk.report(&task, TaskStatus::NeverLaunched);
    assert_eq!(done(&decision), "–");
    assert_eq!(desk.over(), ["01:00:00 missed"]);
}

#[test]
fn a_launch_that_never_arrived_gives_no_window_to_a_run_that_had_waited_in_a_queue() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 1 });
    desk.put(job);
    let _ = desk.wake("01:00:00");
    let _ = desk.wake("02:00:00");
    desk.jump("02:30:00");
    let first = desk.task();
    let ended = desk.ended(Exit::Code(0));
    let _ = desk.report(&first, ended);
    let task = desk.task();
    let decision = desk.report(&task, TaskStatus::NeverLaunched);
    assert_eq!(done(&decision), "launch #0");
    assert_eq!(desk.over(), ["01:00:00 succeeded"]);
}

/// A run came due, found no launcher, and then the clock was set back: it starts when the clock shows its instant again.
#[test]
fn a_run_whose_instant_lies_ahead_again_waits_for_it() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    let _ = desk.wake("00:50:00");
    assert_eq!(done(&desk.connect()), "–");
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:00:00"]);
    assert_eq!(done(&desk.wake("01:00:00")), "launch #0");
}

/// By the second answer the task has been launched anew. It may have started; its window has nothing to say any more.
#[test]
fn that_a_launch_never_arrived_counts_once_for_each_time_of_asking() {
    for stop in [false, true] {
        let mut desk = Desk::new();
        desk.put(hourly());
        let _ = desk.wake("01:00:00");
        let task = desk.task();
        let _ = desk.report(&task, TaskStatus::NeverLaunched);
        if stop {
            let _ = desk.request(Request::KillJob { name: name("job"), by: None });
        }
        desk.jump("01:01:00.001");
        let decision = desk.report(&task, TaskStatus::NeverLaunched);
        assert_eq!(done(&decision), "–");
        assert_eq!(desk.task(), task, "it is still the launcher's");
    }
}

#[test]
fn everything_live_is_asked_after_when_the_launcher_is_back() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.put(draft("other", "R/2026-01-01T01:00:00Z/PT1H"));
    let _ = desk.wake("01:00:00");
    let _ = desk.disconnect();
    assert_eq!(done(&desk.connect()), "ask after 2");
}

/// A launcher is asked once per connection: an answer to an older question could be taken for one about a later launch.
#[test]
fn a_start_asks_only_once_the_launcher_can_be_reached() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.disconnect();
    assert_eq!(done(&desk.handle(&Event::Resumed { term: Term(2) })), "–");
    assert_eq!(done(&desk.connect()), "ask after 1");
}

#[test]
fn metered_offers_are_not_overfilled() {
    let mut desk = Desk::new();
    let mut metered = offer();
    metered.kind = OfferKind::Standing;
    metered.resources.cpus = Scalar::from_thousandths(1_000);
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![metered], framework: None });
    for index in 0..3 {
        let mut job = draft(&format!("job{index}"), "R/2026-01-01T01:00:00Z/PT1H");
        job.cpus = Some(Scalar::from_thousandths(500));
        desk.put(job);
    }
    let _ = desk.wake("01:00:00");
    assert_eq!(
        desk.live(),
        ["01:00:00 launching", "01:00:00 launching", "01:00:00 pending until 01:01:00"]
    );
    let task = desk.state.runs().find_map(Run::live_attempt).unwrap().task_id.clone();
    let ended = desk.ended(Exit::Code(0));
    assert_eq!(done(&desk.report(&task, ended)), "acknowledge, launch #0");
}
