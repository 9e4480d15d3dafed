//! The life of an attempt and of a run, exhaustively: every state against everything that can be said to it.

use expect_test::{Expect, expect};

use super::*;

/// Every state in which an attempt can be found by a report.
const ATTEMPTS: [&str; 6] =
    ["launching", "running", "stopping unstarted", "stopping", "waiting", "unknown"];

/// Every state in which a run can be found by a request.
const RUNS: [&str; 7] =
    ["queued", "pending", "launching", "running", "stopping unstarted", "stopping", "waiting"];

/// A desk with one run of `job` in that state (behind another one for `queued`), and the task of its latest attempt.
fn desk_with(standing: &str, retries: i64, stop: StopReason) -> (Desk, TaskId) {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.retries = Some(retries);
    job.max_completion_secs = Some(600);
    desk.put(job);
    if standing == "pending" {
        let _ = desk.disconnect();
    }
    let _ = desk.wake("01:00:00");
    let none = TaskId::from_text("ct:0:0:none:");
    let task = desk.state.runs().find_map(Run::live_attempt).map_or(none, |a| a.task_id.clone());
    match standing {
        "pending" | "launching" | "unknown" => {}
        "running" => desk.running(),
        "stopping unstarted" => stop_run(&mut desk, stop),
        "stopping" => {
            desk.running();
            stop_run(&mut desk, stop);
        }
        "waiting" => {
            desk.running();
            let _ = desk.ends(Exit::Code(1));
        }
        "queued" => {
            desk.run_now();
        }
        other => panic!("no such state: {other}"),
    }
    let task = if standing == "unknown" { TaskId::from_text("ct:0:0:stranger:") } else { task };
    (desk, task)
}

fn stop_run(desk: &mut Desk, why: StopReason) {
    match why {
        StopReason::Requested => drop(desk.request(Request::KillJob { name: name("job") })),
        StopReason::JobDeleted => drop(desk.request(Request::DeleteJob { name: name("job") })),
        StopReason::TimedOut => drop(desk.wake("01:10:00")),
        StopReason::Superseded => panic!("nothing supersedes a run yet"),
    }
}

fn statuses(now: Timestamp) -> [(&'static str, TaskStatus); 8] {
    let ended = |exit, started_at| TaskStatus::Ended { exit, started_at, ended_at: now };
    [
        ("running", TaskStatus::Running { started_at: now }),
        ("code 0", ended(Exit::Code(0), Some(now))),
        ("code 1", ended(Exit::Code(1), Some(now))),
        ("signal 11", ended(Exit::Signal(11), Some(now))),
        ("killed", ended(Exit::Killed, Some(now))),
        ("could not start", ended(Exit::CouldNotStart { reason: "no such user".into() }, None)),
        ("never launched", TaskStatus::NeverLaunched),
        ("in doubt", TaskStatus::InDoubt { reason: "the journal is gone".to_owned() }),
    ]
}

/// How the run stands after `decision`, and what is done.
fn outcome(desk: &Desk, decision: &Decision) -> String {
    let first = desk.over().into_iter().chain(desk.live()).find(|line| line.starts_with("01:00"));
    format!("{}; {}", first.unwrap_or_default().replace("01:00:00 ", ""), done(decision))
}

fn check(rows: Vec<[String; 3]>, expected: &Expect) {
    let lines: Vec<String> = rows.iter().map(|[a, b, c]| format!("{a:<20}{b:<18}{c}")).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn every_attempt_state_has_an_answer_to_every_report() {
    let mut rows = Vec::new();
    for standing in ATTEMPTS {
        for (said, status) in statuses(day("01:00:00")) {
            let (mut desk, task) = desk_with(standing, 1, StopReason::Requested);
            let decision = desk.report(&task, status);
            rows.push([standing.to_owned(), said.to_owned(), outcome(&desk, &decision)]);
        }
    }
    check(
        rows,
        &expect![[r#"
        launching           running           running; –
        launching           code 0            succeeded; acknowledge
        launching           code 1            waiting until 01:01:00; acknowledge
        launching           signal 11         waiting until 01:01:00; acknowledge
        launching           killed            killed; acknowledge
        launching           could not start   waiting until 01:01:00; acknowledge
        launching           never launched    launching; launch #0
        launching           in doubt          lost; acknowledge
        running             running           running; –
        running             code 0            succeeded; acknowledge
        running             code 1            waiting until 01:01:00; acknowledge
        running             signal 11         waiting until 01:01:00; acknowledge
        running             killed            killed; acknowledge
        running             could not start   waiting until 01:01:00; acknowledge
        running             never launched    lost; acknowledge
        running             in doubt          lost; acknowledge
        stopping unstarted  running           stopping; kill
        stopping unstarted  code 0            succeeded; acknowledge
        stopping unstarted  code 1            failed; acknowledge
        stopping unstarted  signal 11         failed; acknowledge
        stopping unstarted  killed            killed; acknowledge
        stopping unstarted  could not start   failed; acknowledge
        stopping unstarted  never launched    killed; acknowledge
        stopping unstarted  in doubt          lost; acknowledge
        stopping            running           stopping; kill
        stopping            code 0            succeeded; acknowledge
        stopping            code 1            failed; acknowledge
        stopping            signal 11         failed; acknowledge
        stopping            killed            killed; acknowledge
        stopping            could not start   failed; acknowledge
        stopping            never launched    lost; acknowledge
        stopping            in doubt          lost; acknowledge
        waiting             running           waiting until 01:01:00; –
        waiting             code 0            waiting until 01:01:00; acknowledge
        waiting             code 1            waiting until 01:01:00; acknowledge
        waiting             signal 11         waiting until 01:01:00; acknowledge
        waiting             killed            waiting until 01:01:00; acknowledge
        waiting             could not start   waiting until 01:01:00; acknowledge
        waiting             never launched    waiting until 01:01:00; –
        waiting             in doubt          waiting until 01:01:00; acknowledge
        unknown             running           launching; –
        unknown             code 0            launching; acknowledge
        unknown             code 1            launching; acknowledge
        unknown             signal 11         launching; acknowledge
        unknown             killed            launching; acknowledge
        unknown             could not start   launching; acknowledge
        unknown             never launched    launching; –
        unknown             in doubt          launching; acknowledge
    "#]],
    );
}

#[test]
fn every_reason_to_stop_has_an_answer_to_every_end() {
    let mut rows = Vec::new();
    for why in [StopReason::Requested, StopReason::TimedOut, StopReason::JobDeleted] {
        for (said, status) in statuses(day("01:10:00")) {
            let (mut desk, task) = desk_with("stopping", 1, why);
            let decision = desk.report(&task, status);
            rows.push([why.as_str().to_owned(), said.to_owned(), outcome(&desk, &decision)]);
        }
    }
    check(
        rows,
        &expect![[r#"
        requested           running           stopping; kill
        requested           code 0            succeeded; acknowledge
        requested           code 1            failed; acknowledge
        requested           signal 11         failed; acknowledge
        requested           killed            killed; acknowledge
        requested           could not start   failed; acknowledge
        requested           never launched    lost; acknowledge
        requested           in doubt          lost; acknowledge
        timedOut            running           stopping; kill
        timedOut            code 0            succeeded; acknowledge
        timedOut            code 1            waiting until 01:11:00; acknowledge
        timedOut            signal 11         waiting until 01:11:00; acknowledge
        timedOut            killed            waiting until 01:11:00; acknowledge
        timedOut            could not start   waiting until 01:11:00; acknowledge
        timedOut            never launched    lost; acknowledge
        timedOut            in doubt          lost; acknowledge
        jobDeleted          running           stopping; kill
        jobDeleted          code 0            succeeded; acknowledge
        jobDeleted          code 1            failed; acknowledge
        jobDeleted          signal 11         failed; acknowledge
        jobDeleted          killed            killed; acknowledge
        jobDeleted          could not start   failed; acknowledge
        jobDeleted          never launched    lost; acknowledge
        jobDeleted          in doubt          lost; acknowledge
    "#]],
    );
}

#[test]
fn every_run_state_has_an_answer_to_kill_and_delete() {
    let mut rows = Vec::new();
    for standing in RUNS {
        for word in ["kill", "delete"] {
            let (mut desk, _) = desk_with(standing, 1, StopReason::Requested);
            let name = name("job");
            let (reply, decision) = desk.request(match word {
                "kill" => Request::KillJob { name },
                _ => Request::DeleteJob { name },
            });
            let all: Vec<String> = desk.over().into_iter().chain(desk.live()).collect();
            let text = format!("{}; {}; {reply:?}", all.join(", "), done(&decision));
            rows.push([standing.to_owned(), word.to_owned(), text]);
        }
    }
    check(
        rows,
        &expect![[r#"
        queued              kill              01:00:00 killed, 01:00:00 stopping unstarted; kill; Stopping { count: 2 }
        queued              delete            01:00:00 killed, 01:00:00 stopping unstarted; kill; Deleted
        pending             kill              01:00:00 killed; –; Stopping { count: 1 }
        pending             delete            01:00:00 killed; –; Deleted
        launching           kill              01:00:00 stopping unstarted; kill; Stopping { count: 1 }
        launching           delete            01:00:00 stopping unstarted; kill; Deleted
        running             kill              01:00:00 stopping; kill; Stopping { count: 1 }
        running             delete            01:00:00 stopping; kill; Deleted
        stopping unstarted  kill              01:00:00 stopping unstarted; kill; Stopping { count: 1 }
        stopping unstarted  delete            01:00:00 stopping unstarted; kill; Deleted
        stopping            kill              01:00:00 stopping; kill; Stopping { count: 1 }
        stopping            delete            01:00:00 stopping; kill; Deleted
        waiting             kill              01:00:00 killed; –; Stopping { count: 1 }
        waiting             delete            01:00:00 killed; –; Deleted
    "#]],
    );
}

#[test]
fn a_report_said_twice_changes_nothing_the_second_time() {
    for standing in ["launching", "running", "stopping unstarted", "stopping"] {
        for (said, status) in statuses(day("01:00:00")) {
            let (mut desk, task) = desk_with(standing, 1, StopReason::Requested);
            let _ = desk.report(&task, status.clone());
            let once = (desk.live(), desk.over());
            let again = desk.report(&task, status);
            assert_eq!((desk.live(), desk.over()), once, "{standing}, {said}");
            assert!(again.changes.iter().all(|change| !change.is_durable()), "{standing}, {said}");
        }
    }
}

/// A person's will is stronger than a time-out: no further attempt follows.
#[test]
fn a_run_that_timed_out_and_is_then_stopped_on_request_is_not_tried_again() {
    let (mut desk, _) = desk_with("stopping", 1, StopReason::TimedOut);
    stop_run(&mut desk, StopReason::Requested);
    let _ = desk.ends(Exit::Killed);
    assert_eq!(desk.over(), ["01:00:00 killed"]);
}

/// The first reason to stop stands otherwise: what a person stopped did not time out.
#[test]
fn a_run_stopped_on_request_stays_stopped_on_request() {
    let (mut desk, _) = desk_with("running", 1, StopReason::Requested);
    stop_run(&mut desk, StopReason::Requested);
    let _ = desk.wake("01:10:00");
    let _ = desk.ends(Exit::Killed);
    assert_eq!(desk.over(), ["01:00:00 killed"]);
}

/// Whoever asked for the end of the runs has been told that they are being stopped.
#[test]
fn a_run_that_fails_while_it_is_stopped_on_request_is_not_tried_again() {
    let (mut desk, _) = desk_with("stopping", 3, StopReason::Requested);
    let _ = desk.ends(Exit::Code(1));
    assert_eq!(desk.over(), ["01:00:00 failed"]);
    assert_eq!(desk.live(), [""; 0]);
}
