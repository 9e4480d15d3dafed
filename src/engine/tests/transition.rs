//! The life of an attempt and of a run, exhaustively: every state against everything that can be said to it.

use expect_test::{Expect, expect};

use super::*;

/// Every state in which an attempt can be found by a report.
const ATTEMPTS: [&str; 7] =
    ["launching", "running", "stopping unstarted", "stopping", "in doubt", "waiting", "stranger"];

/// Every state in which a run can be found by a request.
const RUNS: [&str; 8] = [
    "queued",
    "pending",
    "launching",
    "running",
    "stopping unstarted",
    "stopping",
    "in doubt",
    "waiting",
];

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
        "pending" | "launching" | "stranger" => {}
        "in doubt" => {
            desk.running();
            let reason = "its agent cannot be reached".to_owned();
            let _ = desk.report(&task, TaskStatus::InDoubt { reason, is_final: false });
        }
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
    let task = if standing == "stranger" { TaskId::from_text("ct:0:0:stranger:") } else { task };
    (desk, task)
}

fn stop_run(desk: &mut Desk, why: StopReason) {
    match why {
        StopReason::Requested => {
            drop(desk.request(Request::KillJob { name: name("job"), by: None }))
        }
        StopReason::JobDeleted => {
            drop(desk.request(Request::DeleteJob { name: name("job"), by: None }))
        }
        StopReason::TimedOut => drop(desk.wake("01:10:00")),
        StopReason::Superseded => {
            let mut job = hourly();
            job.retries = Some(1);
            job.overlap = Some(Overlap::Replace);
            desk.put(job);
            desk.run_now();
        }
    }
}

fn statuses(now: Timestamp) -> [(&'static str, TaskStatus); 11] {
    let doubt = |reason: &str, is_final| {
        let reason = reason.to_owned();
        TaskStatus::InDoubt { reason, is_final }
    };
    let ended = |exit, started_at| TaskStatus::Ended { exit, started_at, ended_at: now };
    [
        ("being prepared", TaskStatus::Staged),
        ("running", TaskStatus::Running { started_at: now }),
        ("code 0", ended(Exit::Code(0), Some(now))),
        ("code 1", ended(Exit::Code(1), Some(now))),
        ("signal 11", ended(Exit::Signal(11), Some(now))),
        ("killed", ended(Exit::Killed, Some(now))),
        ("failed", ended(Exit::Failed { reason: "its executor died".into() }, Some(now))),
        ("could not start", ended(Exit::CouldNotStart { reason: "no such user".into() }, None)),
        ("never launched", TaskStatus::NeverLaunched),
        ("lost sight of", doubt("its agent cannot be reached", false)),
        ("in doubt for ever", doubt("the journal is gone", true)),
    ]
}

/// How the run stands after `decision`, and what is done.
fn outcome(desk: &Desk, decision: &Decision) -> String {
    let first = desk.over().into_iter().chain(desk.live()).find(|line| line.starts_with("01:00"));
    format!("{}; {}", first.unwrap_or_default().replace("01:00:00 ", ""), done(decision))
}

fn check(rows: Vec<[String; 3]>, expected: &Expect) {
    let lines: Vec<String> = rows.iter().map(|[a, b, c]| format!("{a:<20}{b:<19}{c}")).collect();
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
            launching           being prepared     launching; –
            launching           running            running; –
            launching           code 0             succeeded; acknowledge
            launching           code 1             waiting until 01:01:00; acknowledge
            launching           signal 11          waiting until 01:01:00; acknowledge
            launching           killed             killed; acknowledge
            launching           failed             waiting until 01:01:00; acknowledge
            launching           could not start    waiting until 01:01:00; acknowledge
            launching           never launched     launching; launch #0
            launching           lost sight of      unknown until 01:01:00; –
            launching           in doubt for ever  lost; acknowledge
            running             being prepared     running; –
            running             running            running; –
            running             code 0             succeeded; acknowledge
            running             code 1             waiting until 01:01:00; acknowledge
            running             signal 11          waiting until 01:01:00; acknowledge
            running             killed             killed; acknowledge
            running             failed             waiting until 01:01:00; acknowledge
            running             could not start    waiting until 01:01:00; acknowledge
            running             never launched     lost; acknowledge
            running             lost sight of      unknown until 01:01:00; –
            running             in doubt for ever  lost; acknowledge
            stopping unstarted  being prepared     stopping unstarted; kill
            stopping unstarted  running            stopping; kill
            stopping unstarted  code 0             succeeded; acknowledge
            stopping unstarted  code 1             failed; acknowledge
            stopping unstarted  signal 11          failed; acknowledge
            stopping unstarted  killed             killed; acknowledge
            stopping unstarted  failed             failed; acknowledge
            stopping unstarted  could not start    failed; acknowledge
            stopping unstarted  never launched     killed; acknowledge
            stopping unstarted  lost sight of      unknown until 01:01:00; –
            stopping unstarted  in doubt for ever  lost; acknowledge
            stopping            being prepared     stopping; kill
            stopping            running            stopping; kill
            stopping            code 0             succeeded; acknowledge
            stopping            code 1             failed; acknowledge
            stopping            signal 11          failed; acknowledge
            stopping            killed             killed; acknowledge
            stopping            failed             failed; acknowledge
            stopping            could not start    failed; acknowledge
            stopping            never launched     lost; acknowledge
            stopping            lost sight of      unknown until 01:01:00; –
            stopping            in doubt for ever  lost; acknowledge
            in doubt            being prepared     launching; –
            in doubt            running            running; –
            in doubt            code 0             succeeded; acknowledge
            in doubt            code 1             waiting until 01:01:00; acknowledge
            in doubt            signal 11          waiting until 01:01:00; acknowledge
            in doubt            killed             killed; acknowledge
            in doubt            failed             waiting until 01:01:00; acknowledge
            in doubt            could not start    waiting until 01:01:00; acknowledge
            in doubt            never launched     unknown until 01:01:00; –
            in doubt            lost sight of      unknown until 01:01:00; –
            in doubt            in doubt for ever  lost; acknowledge
            waiting             being prepared     waiting until 01:01:00; –
            waiting             running            waiting until 01:01:00; –
            waiting             code 0             waiting until 01:01:00; acknowledge
            waiting             code 1             waiting until 01:01:00; acknowledge
            waiting             signal 11          waiting until 01:01:00; acknowledge
            waiting             killed             waiting until 01:01:00; acknowledge
            waiting             failed             waiting until 01:01:00; acknowledge
            waiting             could not start    waiting until 01:01:00; acknowledge
            waiting             never launched     waiting until 01:01:00; –
            waiting             lost sight of      waiting until 01:01:00; –
            waiting             in doubt for ever  waiting until 01:01:00; acknowledge
            stranger            being prepared     launching; –
            stranger            running            launching; –
            stranger            code 0             launching; acknowledge
            stranger            code 1             launching; acknowledge
            stranger            signal 11          launching; acknowledge
            stranger            killed             launching; acknowledge
            stranger            failed             launching; acknowledge
            stranger            could not start    launching; acknowledge
            stranger            never launched     launching; –
            stranger            lost sight of      launching; –
            stranger            in doubt for ever  launching; acknowledge
        "#]],
    );
}

#[test]
fn every_reason_to_stop_has_an_answer_to_every_end() {
    let mut rows = Vec::new();
    for why in StopReason::ALL {
        for (said, status) in statuses(day("01:10:00")) {
            let (mut desk, task) = desk_with("stopping", 1, why);
            let decision = desk.report(&task, status);
            rows.push([why.as_str().to_owned(), said.to_owned(), outcome(&desk, &decision)]);
        }
    }
    check(
        rows,
        &expect![[r#"
            requested           being prepared     stopping; kill
            requested           running            stopping; kill
            requested           code 0             succeeded; acknowledge
            requested           code 1             failed; acknowledge
            requested           signal 11          failed; acknowledge
            requested           killed             killed; acknowledge
            requested           failed             failed; acknowledge
            requested           could not start    failed; acknowledge
            requested           never launched     lost; acknowledge
            requested           lost sight of      unknown until 01:01:00; –
            requested           in doubt for ever  lost; acknowledge
            timedOut            being prepared     stopping; kill
            timedOut            running            stopping; kill
            timedOut            code 0             succeeded; acknowledge
            timedOut            code 1             waiting until 01:11:00; acknowledge
            timedOut            signal 11          waiting until 01:11:00; acknowledge
            timedOut            killed             waiting until 01:11:00; acknowledge
            timedOut            failed             waiting until 01:11:00; acknowledge
            timedOut            could not start    waiting until 01:11:00; acknowledge
            timedOut            never launched     lost; acknowledge
            timedOut            lost sight of      unknown until 01:11:00; –
            timedOut            in doubt for ever  lost; acknowledge
            jobDeleted          being prepared     stopping; kill
            jobDeleted          running            stopping; kill
            jobDeleted          code 0             succeeded; acknowledge
            jobDeleted          code 1             failed; acknowledge
            jobDeleted          signal 11          failed; acknowledge
            jobDeleted          killed             killed; acknowledge
            jobDeleted          failed             failed; acknowledge
            jobDeleted          could not start    failed; acknowledge
            jobDeleted          never launched     lost; acknowledge
            jobDeleted          lost sight of      unknown until 01:01:00; –
            jobDeleted          in doubt for ever  lost; acknowledge
            superseded          being prepared     stopping; kill
            superseded          running            stopping; kill
            superseded          code 0             succeeded; acknowledge, launch #0
            superseded          code 1             failed; acknowledge, launch #0
            superseded          signal 11          failed; acknowledge, launch #0
            superseded          killed             superseded; acknowledge, launch #0
            superseded          failed             failed; acknowledge, launch #0
            superseded          could not start    failed; acknowledge, launch #0
            superseded          never launched     lost; acknowledge, launch #0
            superseded          lost sight of      unknown until 01:01:00; –
            superseded          in doubt for ever  lost; acknowledge, launch #0
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
                "kill" => Request::KillJob { name, by: None },
                _ => Request::DeleteJob { name, by: None },
            });
            let all: Vec<String> = desk.over().into_iter().chain(desk.live()).collect();
            let text = format!("{}; {}; {reply:?}", all.join(", "), done(&decision));
            rows.push([standing.to_owned(), word.to_owned(), text]);
        }
    }
    check(
        rows,
        &expect![[r#"
            queued              kill               01:00:00 killed, 01:00:00 stopping unstarted; kill; Stopping { count: 2 }
            queued              delete             01:00:00 killed, 01:00:00 stopping unstarted; kill; Deleted { consequences: [] }
            pending             kill               01:00:00 killed; –; Stopping { count: 1 }
            pending             delete             01:00:00 killed; –; Deleted { consequences: [] }
            launching           kill               01:00:00 stopping unstarted; kill; Stopping { count: 1 }
            launching           delete             01:00:00 stopping unstarted; kill; Deleted { consequences: [] }
            running             kill               01:00:00 stopping; kill; Stopping { count: 1 }
            running             delete             01:00:00 stopping; kill; Deleted { consequences: [] }
            stopping unstarted  kill               01:00:00 stopping unstarted; kill; Stopping { count: 1 }
            stopping unstarted  delete             01:00:00 stopping unstarted; kill; Deleted { consequences: [] }
            stopping            kill               01:00:00 stopping; kill; Stopping { count: 1 }
            stopping            delete             01:00:00 stopping; kill; Deleted { consequences: [] }
            in doubt            kill               01:00:00 unknown until 01:01:00; kill; Stopping { count: 1 }
            in doubt            delete             01:00:00 unknown until 01:01:00; kill; Deleted { consequences: [] }
            waiting             kill               01:00:00 killed; –; Stopping { count: 1 }
            waiting             delete             01:00:00 killed; –; Deleted { consequences: [] }
        "#]],
    );
}

#[test]
fn a_report_said_twice_changes_nothing_the_second_time() {
    for standing in ["launching", "running", "stopping unstarted", "stopping", "in doubt"] {
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
