//! Further attempts, doubt, and what ends a job's trying.

use super::*;
use crate::model::{Backoff, OnUnknown, RetryEnds, RetryTerms, UnknownThen, Verdict};

fn period(text: &str, seconds: i64) -> Period {
    Period { text: text.to_owned(), span: Duration::from_secs(seconds) }
}

/// An hourly job whose first run has just been launched.
fn desk(job: JobDraft) -> Desk {
    let mut desk = Desk::new();
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk
}

fn doubt(is_final: bool) -> TaskStatus {
    TaskStatus::InDoubt { reason: "its agent is out of reach".to_owned(), is_final }
}

#[test]
fn the_pause_between_attempts_grows_up_to_its_longest() {
    let mut job = hourly();
    job.retries = Some(4);
    job.retry = Some(RetryTerms {
        delay: Some(period("PT30S", 30)),
        backoff: Some(Backoff {
            factor: Scalar::from_thousandths(2_000),
            max: Some(period("PT100S", 100)),
            jitter: Scalar::ZERO,
        }),
        ..RetryTerms::default()
    });
    let mut desk = desk(job);
    for at in ["01:00:30", "01:01:30", "01:03:10", "01:04:50"] {
        let _ = desk.ends(Exit::Code(1));
        assert_eq!(desk.live(), [format!("01:00:00 waiting until {at}")]);
        let _ = desk.wake(at);
        assert_eq!(desk.live(), ["01:00:00 launching"]);
    }
    let _ = desk.ends(Exit::Code(1));
    assert_eq!(desk.over(), ["01:00:00 failed"]);
}

#[test]
fn a_retry_comes_by_the_boot_clock_and_after_a_restart_by_the_wall_clock() {
    let mut job = hourly();
    job.retries = Some(1);
    let mut desk = desk(job);
    let _ = desk.ends(Exit::Code(1));
    // Somebody sets the clock back by a year; the minute is a minute.
    let minute_later = desk.now.boot.saturating_add(Duration::from_secs(60));
    desk.now.wall = at("2025-01-01T00:00:00Z");
    let _ = desk.handle(&Event::Woke);
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]);
    desk.now.boot = minute_later;
    let _ = desk.handle(&Event::Woke);
    assert_eq!(desk.live(), ["01:00:00 launching"]);

    let mut job = hourly();
    job.retries = Some(1);
    let mut desk = self::desk(job);
    let _ = desk.ends(Exit::Code(1));
    desk.restart();
    let _ = desk.wake("01:00:59");
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]);
    let _ = desk.wake("01:01:00");
    assert_eq!(desk.live(), ["01:00:00 launching"]);
}

#[test]
fn the_end_of_an_attempt_decides_whether_another_follows() {
    let ends = |ends| RetryTerms { ends, ..RetryTerms::default() };
    for (terms, exit, reason) in [
        (
            ends(RetryEnds::NotCodes(vec![2])),
            Exit::Code(2),
            Some(
                "the command ended with exit code 2; `noRetryOn` names this exit code, so it is not tried again",
            ),
        ),
        (ends(RetryEnds::NotCodes(vec![2])), Exit::Signal(9), None),
        (ends(RetryEnds::Codes(vec![75])), Exit::Code(75), None),
        (
            ends(RetryEnds::Codes(vec![75])),
            Exit::Signal(9),
            Some("signal 9 ended the command; `retryOn` does not name such an end"),
        ),
        (
            RetryTerms { until: Some(period("PT59S", 59)), ..RetryTerms::default() },
            Exit::Code(1),
            Some(
                "the command ended with exit code 1; another attempt would begin later than `retryUntil` (PT59S) allows",
            ),
        ),
        (
            RetryTerms { until: Some(period("PT60S", 60)), ..RetryTerms::default() },
            Exit::Code(1),
            None,
        ),
    ] {
        let mut job = hourly();
        job.retries = Some(1);
        job.retry = Some(terms);
        let mut desk = desk(job);
        let _ = desk.ends(exit);
        match reason {
            None => assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]),
            Some(expected) => {
                let RunState::Ended { verdict: Verdict::Failed, reason, .. } = &desk.ended[0].state
                else {
                    panic!("{:?}", desk.ended)
                };
                assert_eq!(reason, expected);
            }
        }
    }
}

/// However the time went by: because nobody was there, nothing fitted, or news was waited for.
#[test]
fn no_further_attempt_begins_later_than_the_job_allows() {
    let until = RetryTerms { until: Some(period("PT10M", 600)), ..RetryTerms::default() };
    let mut job = hourly();
    job.retries = Some(1);
    job.retry = Some(until.clone());
    let mut desk = desk(job.clone());
    let _ = desk.ends(Exit::Code(1));
    desk.jump("01:10:01");
    desk.restart();
    let _ = desk.handle(&Event::Woke);
    assert_eq!(desk.over(), ["01:00:00 failed"]);

    let mut desk = self::desk(job.clone());
    let _ = desk.ends(Exit::Code(1));
    let _ = desk.disconnect();
    let _ = desk.wake("01:01:00");
    assert_eq!(desk.live(), ["01:00:00 pending until 01:10:00"]);
    let _ = desk.wake("01:10:01");
    let RunState::Ended { reason, .. } = &desk.ended[0].state else { panic!() };
    assert_eq!(
        reason,
        "the command ended with exit code 1; another attempt would begin later than `retryUntil` (PT10M) allows"
    );

    job.on_unknown = Some(OnUnknown { wait: period("PT20M", 1_200), then: UnknownThen::Relaunch });
    let mut desk = self::desk(job);
    let task = desk.task();
    let _ = desk.report(&task, doubt(false));
    let _ = desk.wake("01:20:00");
    assert_eq!(desk.over(), ["01:00:00 lost"]);
}

/// A run that had to wait for others of its job has no window any more, whatever becomes of the clock or of its launch.
#[test]
fn what_waited_in_the_queue_gets_no_window_again() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 1 });
    let mut desk = desk(job);
    let _ = desk.wake("02:00:00");
    let _ = desk.disconnect();
    let task = desk.task();
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(desk.live(), ["02:00:00 pending"]);
    desk.now.wall = day("01:59:00");
    let _ = desk.connect();
    assert_eq!(desk.live(), ["02:00:00 waiting until 02:00:00"]);
    let _ = desk.disconnect();
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 pending"]);
    let _ = desk.wake("02:30:00");
    assert_eq!(desk.live(), ["02:00:00 pending"]);
}

/// DIFFERENCE: Chronos does not retry a job whose latest result was an error.
#[test]
fn a_job_that_failed_before_is_retried_all_the_same() {
    let mut job = hourly();
    job.retries = Some(1);
    job.stats.last_error = "2025-12-31T00:00:00.000Z".to_owned();
    job.stats.errors_since_last_success = 5;
    let mut desk = desk(job);
    let _ = desk.ends(Exit::Code(1));
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]);
}

#[test]
fn an_attempt_out_of_sight_is_waited_for_and_its_end_counts_when_it_is_told() {
    let mut desk = desk(hourly());
    desk.running();
    let task = desk.task();
    let _ = desk.report(&task, doubt(false));
    assert_eq!(desk.live(), ["01:00:00 unknown until 01:01:00"]);
    let _ = desk.wake("01:00:59");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(desk.over(), ["01:00:00 succeeded"]);
}

#[test]
fn what_nobody_knows_after_the_wait_is_lost_or_launched_again_as_the_job_says() {
    for (then, after) in
        [(UnknownThen::Lost, "01:00:00 lost"), (UnknownThen::Relaunch, "01:00:00 launching")]
    {
        let mut job = hourly();
        job.on_unknown = Some(OnUnknown { wait: period("PT10M", 600), then });
        let mut desk = desk(job);
        let task = desk.task();
        let _ = desk.report(&task, doubt(false));
        let _ = desk.wake("01:09:59");
        assert_eq!(desk.live(), ["01:00:00 unknown until 01:10:00"]);
        let _ = desk.wake("01:10:00");
        assert_eq!([desk.over(), desk.live()].concat(), [after]);
        if then == UnknownThen::Relaunch {
            assert_ne!(desk.task(), task, "no task id is started twice");
            assert_eq!(desk.state.runs().next().unwrap().attempts.len(), 2);
        }
    }
}

/// Nobody waits in vain; but before something is done twice, whatever still runs gets its time.
#[test]
fn where_no_news_can_come_the_run_is_lost_at_once_and_a_second_launch_still_waits() {
    let mut desk = desk(hourly());
    let task = desk.task();
    let _ = desk.report(&task, doubt(true));
    assert_eq!(desk.over(), ["01:00:00 lost"]);

    let mut job = hourly();
    job.on_unknown = Some(OnUnknown { wait: period("PT10M", 600), then: UnknownThen::Relaunch });
    let mut desk = self::desk(job);
    let task = desk.task();
    let _ = desk.report(&task, doubt(true));
    assert_eq!(desk.live(), ["01:00:00 unknown until 01:10:00"]);
}

#[test]
fn a_wait_for_news_survives_a_restart() {
    let mut desk = desk(hourly());
    let task = desk.task();
    let _ = desk.report(&task, doubt(false));
    desk.jump("01:00:30");
    desk.restart();
    let _ = desk.report(&task, TaskStatus::NeverLaunched);
    assert_eq!(desk.live(), ["01:00:00 unknown until 01:01:00"]);
    let _ = desk.wake("01:01:00");
    assert_eq!(desk.over(), ["01:00:00 lost"]);
}

#[test]
fn what_was_to_be_stopped_when_it_was_lost_sight_of_is_not_launched_again_and_is_stopped_if_found()
{
    let relaunching = || {
        let mut job = hourly();
        job.on_unknown =
            Some(OnUnknown { wait: period("PT10M", 600), then: UnknownThen::Relaunch });
        job
    };
    let mut desk = desk(relaunching());
    desk.running();
    let task = desk.task();
    let _ = desk.report(&task, doubt(false));
    let (_, decision) = desk.request(Request::KillJob { name: name("job"), by: None });
    assert_eq!(done(&decision), "kill");
    assert_eq!(desk.live(), ["01:00:00 unknown until 01:10:00"]);
    let started_at = desk.now.wall;
    let found = desk.report(&task, TaskStatus::Running { started_at });
    assert_eq!(
        (done(&found).as_str(), desk.live()),
        ("kill", vec!["01:00:00 stopping".to_owned()])
    );
    let _ = desk.report(&task, doubt(false));
    let _ = desk.wake("01:10:00");
    assert_eq!(desk.over(), ["01:00:00 lost"]);
}

#[test]
fn a_launcher_that_never_knows_anything_does_not_launch_for_ever() {
    let mut job = hourly();
    job.on_unknown = Some(OnUnknown { wait: period("PT0S", 0), then: UnknownThen::Relaunch });
    let mut desk = desk(job);
    for _ in 0..limits::RELAUNCHES_MAX {
        let task = desk.task();
        let _ = desk.report(&task, doubt(true));
        assert_eq!(desk.live(), ["01:00:00 launching"]);
    }
    let task = desk.task();
    let _ = desk.report(&task, doubt(true));
    assert_eq!(desk.over(), ["01:00:00 lost"]);
}

#[test]
fn relaunches_do_not_use_up_retries() {
    let mut job = hourly();
    job.retries = Some(1);
    job.on_unknown = Some(OnUnknown { wait: period("PT0S", 0), then: UnknownThen::Relaunch });
    let mut desk = desk(job);
    let task = desk.task();
    let _ = desk.report(&task, doubt(true));
    let _ = desk.ends(Exit::Code(1));
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]);
}

#[test]
fn a_job_is_disabled_by_so_many_failures_in_a_row_as_it_or_else_the_process_says() {
    let disabled_after = |own: Option<u32>, flag: u32| {
        let mut desk = Desk::new();
        let flagged = Settings { disable_after_failures: flag, ..settings() };
        desk.state = State::new(Arc::new(flagged));
        let _ = desk.step(&Event::Resumed { term: Term(1) });
        let _ = desk.connect();
        let mut job = hourly();
        job.disable_after_failures = own;
        desk.put(job);
        for failures in 1..=4 {
            desk.ran("job", Exit::Code(1));
            if desk.state.job(&name("job")).unwrap().job.disabled {
                return Some(failures);
            }
        }
        None
    };
    assert_eq!(disabled_after(None, 0), None);
    assert_eq!(disabled_after(None, 2), Some(2));
    assert_eq!(disabled_after(Some(3), 2), Some(3));
    assert_eq!(disabled_after(Some(0), 2), None);
}

#[test]
fn a_success_in_between_begins_the_count_of_failures_anew() {
    let mut job = hourly();
    job.disable_after_failures = Some(2);
    let mut desk = Desk::new();
    desk.put(job);
    for (code, is_disabled) in [(1, false), (0, false), (1, false), (1, true)] {
        desk.ran("job", Exit::Code(code));
        assert_eq!(desk.state.job(&name("job")).unwrap().job.disabled, is_disabled);
    }
}

#[test]
fn a_job_has_its_own_grace_between_asking_a_task_to_stop_and_stopping_it() {
    for (own, grace) in [(None, 5), (Some(period("PT90S", 90)), 90)] {
        let mut job = hourly();
        job.kill_grace = own;
        let mut desk = Desk::new();
        desk.put(job);
        let launched = desk.wake("01:00:00");
        let (_, stopped) = desk.request(Request::KillJob { name: name("job"), by: None });
        let graces: Vec<i64> = launched
            .effects
            .iter()
            .chain(&stopped.effects)
            .filter_map(|effect| match effect {
                Effect::Launch(launch) => Some(launch.kill_grace.as_secs()),
                Effect::Kill { grace, .. } => Some(grace.as_secs()),
                _ => None,
            })
            .collect();
        assert_eq!(graces, [grace, grace]);
    }
}
