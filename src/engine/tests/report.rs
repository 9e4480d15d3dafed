//! What is said of runs by others than the launcher, and what a client asks about all of them at once.

use super::*;

const NONE: [&str; 0] = [];

/// A job whose work is over when the job says so.
fn asynchronous(timeout_secs: u64) -> JobDraft {
    let mut draft = hourly();
    draft.is_async = Some(true);
    draft.max_completion_secs = Some(timeout_secs);
    draft
}

fn complete(desk: &mut Desk, task_id: &TaskId, status_code: i64) -> bool {
    let task_id = task_id.clone();
    match desk.request(Request::CompleteTask { task_id, status_code }).0 {
        Reply::Completed { is_known } => is_known,
        other => panic!("{other:?}"),
    }
}

fn verdicts(desk: &Desk) -> Vec<&'static str> {
    let verdict = |run: &Run| match &run.state {
        RunState::Ended { verdict, .. } => verdict.as_str(),
        other => panic!("{other:?}"),
    };
    desk.ended.iter().map(verdict).collect()
}

fn reason(run: &Run) -> &str {
    match &run.state {
        RunState::Ended { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_async_run_goes_on_after_its_command_until_its_job_says_that_it_is_over() {
    for (code, verdict) in [(0, "succeeded"), (1, "failed"), (-7, "failed")] {
        let mut desk = Desk::new();
        desk.put(asynchronous(0));
        let _ = desk.wake("01:00:00");
        desk.running();
        let task = desk.task();
        let _ = desk.ends(Exit::Code(0));
        assert_eq!(desk.live(), ["01:00:00 reporting"]);
        // It is in the way of the next as any run that goes on.
        let _ = desk.wake("02:00:00");
        assert_eq!(desk.live(), ["01:00:00 reporting"]);
        desk.restart();
        let _ = desk.connect();
        assert_eq!(desk.live(), ["01:00:00 reporting"]);
        assert!(complete(&mut desk, &task, code));
        assert_eq!(desk.live(), NONE);
        assert_eq!(verdicts(&desk), [verdict]);
        assert!(!complete(&mut desk, &task, 0), "its run is over");
    }
}

#[test]
fn what_a_job_says_before_its_command_has_ended_counts_when_it_ends() {
    // What was said, how the process ended, and the verdict.
    for (is_async, code, exit, verdict) in [
        (true, 0, Exit::Code(0), "succeeded"),
        (true, 4, Exit::Code(0), "failed"),
        // A failure that the launcher saw stands.
        (true, 0, Exit::Code(3), "failed"),
        (false, 0, Exit::Code(0), "succeeded"),
        // As in Chronos, not only for jobs that are asynchronous.
        (false, 4, Exit::Code(0), "failed"),
        (false, 0, Exit::Signal(9), "failed"),
    ] {
        let mut desk = Desk::new();
        let mut draft = asynchronous(0);
        draft.is_async = Some(is_async);
        desk.put(draft);
        let _ = desk.wake("01:00:00");
        desk.running();
        let task = desk.task();
        assert!(complete(&mut desk, &task, code));
        assert_eq!(desk.live(), ["01:00:00 running"], "its process goes on");
        let _ = desk.ends(exit.clone());
        assert_eq!(verdicts(&desk), [verdict], "{is_async} {code} {exit:?}");
    }
}

#[test]
fn a_reported_failure_is_retried_by_the_terms_of_the_job() {
    let mut draft = asynchronous(0);
    draft.retries = Some(1);
    let mut desk = Desk::new();
    desk.put(draft);
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    let _ = desk.ends(Exit::Code(0));
    assert!(complete(&mut desk, &task, 5));
    assert_eq!(desk.live(), ["01:00:00 waiting until 01:01:00"]);
    assert!(!complete(&mut desk, &task, 0), "that attempt is over");
    let _ = desk.wake("01:01:00");
    let task = desk.task();
    let _ = desk.ends(Exit::Code(0));
    assert!(complete(&mut desk, &task, 5));
    assert_eq!(reason(&desk.ended[0]), "its job reported status code 5");
}

#[test]
fn a_job_that_never_says_how_it_ended_is_not_waited_for_longer_than_its_timeout() {
    let mut desk = Desk::new();
    desk.put(asynchronous(600));
    let _ = desk.wake("01:00:00");
    desk.running();
    desk.jump("01:04:00");
    let (started_at, ended_at) = (Some(day("01:00:00")), desk.now.wall);
    let task = desk.task();
    let _ = desk.report(&task, TaskStatus::Ended { exit: Exit::Code(0), started_at, ended_at });
    assert_eq!(desk.live(), ["01:00:00 reporting until 01:10:00"]);
    // A restart takes it up by the wall clock.
    desk.restart();
    let _ = desk.connect();
    let _ = desk.wake("01:09:59");
    assert_eq!(desk.live(), ["01:00:00 reporting until 01:10:00"]);
    let _ = desk.wake("01:10:00");
    assert_eq!(verdicts(&desk), ["failed"]);
    assert_eq!(reason(&desk.ended[0]), "its job did not say how it ended within its `timeout`");
}

#[test]
fn a_run_that_waits_for_its_job_to_speak_can_be_stopped() {
    let mut desk = Desk::new();
    desk.put(asynchronous(0));
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    let (reply, decision) = desk.request(Request::KillJob { name: name("job"), by: None });
    assert_eq!(reply, Reply::Stopping { count: 1 });
    let kills = |effect: &&Effect| matches!(effect, Effect::Kill { .. });
    assert_eq!(decision.effects.iter().filter(kills).count(), 0, "nothing of it is running");
    assert_eq!(verdicts(&desk), ["killed"]);

    // And one that is being stopped is not waited for.
    let _ = desk.wake("02:00:00");
    desk.running();
    let _ = desk.request(Request::KillJob { name: name("job"), by: None });
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(verdicts(&desk), ["killed", "killed"]);
}

#[test]
fn a_report_ends_a_doubt() {
    for (code, verdict) in [(0, "succeeded"), (2, "failed")] {
        let mut desk = Desk::new();
        desk.put(hourly());
        let _ = desk.wake("01:00:00");
        desk.running();
        let task = desk.task();
        let reason = "the agent is out of sight".to_owned();
        let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: false });
        assert!(complete(&mut desk, &task, code));
        let _ = desk.wake("01:01:00");
        assert_eq!(verdicts(&desk), [verdict]);
    }
}

#[test]
fn nobody_knows_a_task_that_is_none() {
    let mut desk = Desk::new();
    desk.put(hourly());
    assert!(!complete(&mut desk, &TaskId::from_text("ct:1:0:job:"), 0));
    assert!(!complete(&mut desk, &TaskId::from_text("nonsense"), 0));
}

fn progress(desk: &mut Desk, task_id: &TaskId, elements: u64) -> Result<u64, String> {
    let task_id = task_id.clone();
    match desk.request(Request::Progress { name: name("job"), task_id, elements }).0 {
        Reply::Progressed { elements } => Ok(elements),
        Reply::Refused(rejection) => Err(rejection.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn elements_are_added_up_for_each_task() {
    let mut draft = hourly();
    draft.data_processing = Some(true);
    let mut desk = Desk::new();
    desk.put(draft);
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    assert_eq!(progress(&mut desk, &task, 5), Ok(5));
    desk.running();
    assert_eq!(progress(&mut desk, &task, 7), Ok(12));
    desk.restart();
    let _ = desk.connect();
    assert_eq!(progress(&mut desk, &task, u64::MAX), Ok(u64::MAX));
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.ended[0].attempts[0].elements, Some(u64::MAX));
    let late = progress(&mut desk, &task, 1).unwrap_err();
    assert!(late.contains("not found"), "{late}");
}

#[test]
fn elements_are_refused_of_jobs_that_do_not_count_them() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    let refused = progress(&mut desk, &task, 1).unwrap_err();
    assert!(refused.contains("is not enabled to track data"), "{refused}");
}

fn mark(desk: &mut Desk, job: &str) -> RunId {
    match desk.request(Request::MarkSuccess { name: name(job) }).0 {
        Reply::Marked { run } => run,
        other => panic!("{other:?}"),
    }
}

fn after(job: &str, parents: &[&str]) -> JobDraft {
    let mut draft = draft(job, "");
    let names = parents.iter().map(|parent| name(parent)).collect();
    draft.when = When::Parents(ParentTerms::plain(names));
    draft
}

#[test]
fn a_run_that_was_marked_counts_and_stands_in_the_history() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(1));
    let id = mark(&mut desk, "job");
    let stats = &desk.state.job(&name("job")).unwrap().stats;
    assert_eq!((stats.success_count, stats.error_count), (1, 1));
    assert_eq!(stats.errors_since_last_success, 0);
    assert_eq!(stats.last_success, "2026-01-01T01:00:00.000Z");
    let marked = desk.ended.last().unwrap();
    assert_eq!((marked.id, marked.attempts.len()), (id, 0));
    assert_eq!(reason(marked), "nobody executed it: it was marked as successful on request");
    let unknown = desk.request(Request::MarkSuccess { name: name("none") }).0;
    assert!(matches!(unknown, Reply::Refused(_)));
}

/// The vectors of Chronos' JobSchedulerIntegrationTest that mark jobs by hand.
#[test]
fn children_hear_of_marked_runs_as_of_others() {
    let mut desk = Desk::new();
    for job in ["a", "b"] {
        desk.put(draft(job, "R0/2026-01-01T00:00:00Z/PT1H"));
    }
    desk.put(after("c", &["a"]));
    desk.put(after("d", &["a", "b"]));
    let mut off = after("e", &["a"]);
    off.disabled = Some(true);
    desk.put(off);
    mark(&mut desk, "a");
    assert_eq!((desk.live_of("c").len(), desk.live_of("d").len()), (1, 0));
    assert_eq!(desk.live_of("e").len(), 0, "a disabled child is skipped");
    mark(&mut desk, "b");
    assert_eq!(desk.live_of("d").len(), 1);

    // A child that is marked itself begins a new round.
    let task = desk.task_of("d");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    mark(&mut desk, "b");
    mark(&mut desk, "d");
    let task = desk.task_of("c");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    mark(&mut desk, "a");
    assert_eq!(desk.live_of("d").len(), 0, "what `b` did before is used up");
    mark(&mut desk, "b");
    assert_eq!(desk.live_of("d").len(), 1);
}

#[test]
fn clearing_the_queue_ends_what_has_not_been_begun_and_nothing_else() {
    let mut desk = Desk::new();
    let mut queued = hourly();
    queued.overlap = Some(Overlap::Queue { max: 10 });
    desk.put(queued);
    let _ = desk.wake("01:00:00");
    desk.running();
    let _ = desk.wake("02:00:00");
    let _ = desk.wake("03:00:00");
    let _ = desk.disconnect();
    let mut waiting = draft("other", "R0/2026-01-01T00:00:00Z/PT1H");
    waiting.overlap = Some(Overlap::Allow { max: None });
    desk.put(waiting);
    // More than one part of them.
    for _ in 0..limits::DUE_PER_STEP_MAX {
        let _ = desk.run_of("other");
    }
    assert_eq!(desk.request(Request::ClearQueue).0, Reply::QueueCleared);
    assert_eq!(desk.live(), ["01:00:00 running"]);
    assert_eq!(desk.ended.len(), limits::DUE_PER_STEP_MAX + 2);
    assert!(
        desk.ended.iter().all(|run| {
            reason(run) == "it was taken from the queue on request before it started"
        })
    );
    assert!(verdicts(&desk).iter().all(|verdict| *verdict == "skipped"));
    assert_eq!(desk.request(Request::ClearQueue).0, Reply::QueueCleared);
}
