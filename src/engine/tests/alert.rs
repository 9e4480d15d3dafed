//! What people should hear of, decided with what it is about; and what jobs expect of their runs, by the clock.

use super::*;
use crate::model::{Alert, AlertKind, Deadline, IncidentKey, Intervention, Objectives, RunVerb};

/// The alerts that a decision raises, in few words.
fn raised(decision: &Decision) -> Vec<String> {
    alerts_of(decision)
        .iter()
        .map(|alert| format!("{}: {}", alert.kind.name(), alert.reason))
        .collect()
}

fn alerts_of(decision: &Decision) -> Vec<Alert> {
    let alerts = decision.changes.iter().filter_map(|change| match change {
        Change::Alerted(alerts::Change::AlertStored(alert)) => Some(Alert::clone(alert)),
        _ => None,
    });
    alerts.collect()
}

fn kinds(decision: &Decision) -> Vec<&'static str> {
    alerts_of(decision).iter().map(|alert| alert.kind.name()).collect()
}

/// What is wrong at present, in few words.
fn open(desk: &Desk) -> Vec<String> {
    let open = desk.state.alerts().incidents().filter(|incident| incident.closed_at.is_none());
    open.map(|incident| match &incident.key {
        IncidentKey::Job(name) => format!("{name} {}", incident.alerts),
        IncidentKey::Cause(cause) => format!("({cause}) {}", incident.alerts),
    })
    .collect()
}

fn after(text: &str, seconds: i64) -> Option<Deadline> {
    let span = Duration::from_secs(seconds);
    Some(Deadline::After(Period { text: text.to_owned(), span }))
}

fn expecting(objectives: Objectives) -> JobDraft {
    let mut job = hourly();
    job.owner = Some("ops@example.org".to_owned());
    job.epsilon = epsilon(7_200);
    job.objectives = Some(objectives);
    job
}

#[test]
fn a_final_failure_is_an_alert_committed_with_it_and_a_success_puts_it_right() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.owner = Some("ops@example.org, data@example.org".to_owned());
    job.runbook = Some("https://wiki.example.org/job".to_owned());
    desk.put(job);
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    let decision = desk.report(&task, desk.ended(Exit::Code(3)));
    let alerts = alerts_of(&decision);
    assert_eq!(raised(&decision), ["failed: the command ended with exit code 3"]);
    let (facts, run) = (alerts[0].job.as_ref().unwrap(), alerts[0].run.as_ref().unwrap());
    // As it was before the failure was counted.
    assert_eq!(
        (facts.stats.error_count, facts.owner.as_str()),
        (0, "ops@example.org, data@example.org")
    );
    assert_eq!(facts.runbook, "https://wiki.example.org/job");
    assert_eq!((run.exit.clone(), run.task_id.clone()), (Some(Exit::Code(3)), Some(task)));
    assert_eq!(alerts[0].next_due_at, Some(day("02:00:00")));
    assert!(
        decision
            .changes
            .iter()
            .any(|change| matches!(change, Change::RunStored(run) if run.is_ended()))
    );
    assert_eq!(open(&desk), ["job 1"]);
    let _ = desk.wake("02:00:00");
    let decision = desk.report(&desk.task(), desk.ended(Exit::Code(4)));
    assert_eq!((kinds(&decision), open(&desk)), (vec!["failed"], vec!["job 2".to_owned()]));
    let _ = desk.wake("03:00:00");
    let decision = desk.report(&desk.task(), desk.ended(Exit::Code(0)));
    assert_eq!((kinds(&decision), open(&desk)), (vec!["recovered"], vec![]));
    // Where nothing was wrong nobody hears of a success.
    let _ = desk.wake("04:00:00");
    let decision = desk.report(&desk.task(), desk.ended(Exit::Code(0)));
    assert_eq!(kinds(&decision), [""; 0]);
}

#[test]
fn retries_misses_disablings_and_deletions_are_told_of() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.retries = Some(1);
    job.disable_after_failures = Some(1);
    desk.put(job);
    let _ = desk.wake("01:00:00");
    let decision = desk.report(&desk.task(), desk.ended(Exit::Code(3)));
    assert_eq!(raised(&decision), ["retried: the command ended with exit code 3"]);
    assert_eq!(alerts_of(&decision)[0].retry_at, Some(day("01:01:00")));
    let _ = desk.wake("01:01:00");
    let decision = desk.report(&desk.task(), desk.ended(Exit::Code(3)));
    assert_eq!(kinds(&decision), ["failed", "disabled"]);
    let request = Request::DeleteJob { name: name("job"), by: None };
    assert_eq!(kinds(&desk.request(request).1), ["deleted"]);

    // One occurrence with a run of its own, and many without.
    desk.put(draft("job", "R/2026-01-01T02:00:00Z/PT1H"));
    let _ = desk.disconnect();
    assert_eq!(kinds(&desk.wake("02:00:00")), ["launcherGone"]);
    let decision = desk.wake("02:02:00");
    assert_eq!(kinds(&decision), ["missed"]);
    assert_eq!(open(&desk), ["(the launcher) 2"]);
    let decision = desk.wake("12:30:00");
    let said = raised(&decision);
    assert!(said[0].starts_with("missed: its 10 occurrences from 2026-01-01T03:00:00Z to 2026-01-01T12:00:00Z were missed: "), "{said:?}");

    let mut last = draft("last", "R1/2026-01-01T13:00:00Z/PT1H");
    last.owner = Some("ops@example.org".to_owned());
    desk.put(last);
    let _ = desk.connect();
    let _ = desk.wake("13:00:00");
    let task = desk.task_of("last");
    assert_eq!(kinds(&desk.report(&task, desk.ended(Exit::Code(0)))), ["exhausted"]);
}

#[test]
fn what_operators_do_is_not_told_of() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let request = Request::KillJob { name: name("job"), by: None };
    let _ = desk.request(request);
    let task = desk.task();
    assert_eq!(kinds(&desk.report(&task, desk.ended(Exit::Killed))), [""; 0]);
    assert_eq!(open(&desk), [""; 0]);
}

#[test]
fn the_scheduler_tells_of_its_launcher_its_store_and_who_leads() {
    let mut desk = Desk::new();
    // A master that changes is no news.
    assert_eq!(kinds(&desk.disconnect()), [""; 0]);
    assert_eq!(kinds(&desk.wake("00:00:30")), [""; 0]);
    assert_eq!(kinds(&desk.connect()), [""; 0]);
    let _ = desk.disconnect();
    assert_eq!(kinds(&desk.wake("00:01:29")), [""; 0]);
    // Being told again is no other absence.
    assert_eq!(kinds(&desk.disconnect()), [""; 0]);
    assert_eq!(
        raised(&desk.wake("00:01:30")),
        ["launcherGone: the launcher cannot be reached: the cable is out"]
    );
    // Once.
    assert_eq!(kinds(&desk.disconnect()), [""; 0]);
    assert_eq!(kinds(&desk.wake("00:05:00")), [""; 0]);
    assert_eq!(open(&desk), ["(the launcher) 1"]);
    assert_eq!(kinds(&desk.connect()), ["recovered"]);
    assert_eq!(open(&desk), [""; 0]);
    let term = desk.state.term();
    assert_eq!(kinds(&desk.handle(&Event::Resumed { term })), [""; 0]);
    let failed = Event::StoreFailed { problem: "the disk is full".to_owned() };
    assert_eq!(
        raised(&desk.handle(&failed)),
        [
            "storeTrouble: a change could not be committed, or may not have been; all was read again: the disk is full"
        ]
    );
    assert_eq!(open(&desk), [""; 0]);
    // What is left on purpose is missed by nobody.
    assert_eq!(kinds(&desk.handle(&Event::Draining { reason: "stopping".to_owned() })), [""; 0]);
    assert_eq!(kinds(&desk.wake("00:30:00")), [""; 0]);
    let _ = desk.connect();
    let decision = desk.handle(&Event::Resumed { term: Term(term.0 + 1) });
    assert_eq!(raised(&decision), ["leaderChanged: a process leads with term 2, after term 1"]);
}

/// The launcher has no room, so nothing else happens when the time has come.
#[test]
fn a_late_start_is_told_of_by_the_clock_alone_and_once() {
    let mut desk = Desk::new();
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![], framework: None });
    desk.put(expecting(Objectives { start_by: after("PT10M", 600), ..Objectives::default() }));
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.state.wake_at().wall, Some(day("01:10:00")));
    assert_eq!(kinds(&desk.wake("01:09:59")), [""; 0]);
    let decision = desk.wake("01:10:00");
    assert_eq!(
        raised(&decision),
        ["lateStart: its run has not started by 2026-01-01T01:10:00Z, when it should"]
    );
    assert_eq!(kinds(&desk.wake("01:11:00")), [""; 0]);
    desk.restart();
    assert_eq!(kinds(&desk.wake("01:12:00")), [""; 0]);
    assert_eq!(open(&desk), ["job 1"]);
}

#[test]
fn what_comes_while_nobody_leads_is_told_of_by_the_next_who_does() {
    let mut desk = Desk::new();
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![], framework: None });
    let mut job =
        expecting(Objectives { finish_by: after("PT1H", 3_600), ..Objectives::default() });
    job.when = When::Schedule(ScheduleTerms::plain("R1/2026-01-01T01:00:00Z/PT1H", ""));
    desk.put(job);
    let _ = desk.wake("01:00:00");
    desk.jump("02:30:00");
    desk.restart();
    let _ = desk.wake("02:30:03");
    let open = desk.state.alerts().incidents().find(|it| it.key == IncidentKey::Job(name("job")));
    assert_eq!(open.map(|incident| incident.kind), Some(AlertKind::LateFinish));
}

#[test]
fn a_run_that_meets_what_is_expected_is_told_of_by_nobody() {
    let mut desk = Desk::new();
    let lateness = Period { text: "PT1M".to_owned(), span: Duration::from_secs(60) };
    let expected = Period { text: "PT5M".to_owned(), span: Duration::from_secs(300) };
    desk.put(expecting(Objectives {
        start_by: None,
        finish_by: after("PT10M", 600),
        max_lateness: Some(lateness),
        expected_duration: Some(expected),
    }));
    let _ = desk.wake("01:00:00");
    let task = desk.task();
    let _ = desk.report(&task, TaskStatus::Running { started_at: day("01:00:01") });
    assert_eq!(kinds(&desk.wake("01:05:00")), [""; 0]);
    let decision = desk.wake("01:05:01");
    let said = "overlong: its run still runs after more than `expectedDuration` (PT5M)";
    assert_eq!(raised(&decision), [said]);
    let decision = desk.wake("01:10:00");
    assert_eq!(
        raised(&decision),
        ["lateFinish: its run is not over by 2026-01-01T01:10:00Z, when it should"]
    );
    assert_eq!(open(&desk), ["job 2"]);
    let decision = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!((kinds(&decision), open(&desk)), (vec!["recovered"], vec![]));
    // And the next one is in time.
    let _ = desk.wake("02:00:00");
    let task = desk.task();
    let _ = desk.report(&task, TaskStatus::Running { started_at: day("02:00:01") });
    let _ = desk.wake("02:04:00");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(kinds(&desk.wake("02:30:00")), [""; 0]);
}

#[test]
fn what_is_missed_before_the_launcher_is_missed_does_not_hide_that_it_is_gone() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R/2026-01-01T02:00:00Z/PT1H");
    job.epsilon = epsilon(10);
    desk.put(job);
    let _ = desk.wake("01:59:55");
    let _ = desk.disconnect();
    let _ = desk.wake("02:00:00");
    assert_eq!(kinds(&desk.wake("02:00:11")), ["missed"]);
    assert_eq!(open(&desk), ["job 1"]);
    assert_eq!(kinds(&desk.wake("02:01:00")), ["launcherGone"]);
    assert_eq!(open(&desk), ["job 1", "(the launcher) 1"]);
}

#[test]
fn a_lost_agent_is_one_incident_until_none_of_its_runs_is_left() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let run = desk.run_now();
    let task = run.attempts[0].task_id.clone();
    let agent = run.attempts[0].agent.clone();
    let _ = desk.handle(&Event::AgentLost(AgentId::new("another")));
    assert_eq!(open(&desk), [""; 0], "nothing was there");
    let decision = desk.handle(&Event::AgentLost(agent.clone()));
    assert_eq!(
        raised(&decision),
        [format!("agentLost: agent {agent} is lost; live runs there: 1")]
    );
    assert_eq!(open(&desk), [format!("(agent {agent}) 1")]);
    // It was there all the time, and nobody could see it.
    let decision = desk.report(&task, desk.ended(Exit::Code(0)));
    assert_eq!(kinds(&decision), ["recovered"]);
    assert_eq!(open(&desk), [""; 0]);
}

#[test]
fn runs_that_are_lost_with_an_agent_belong_to_its_incident() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let run = desk.run_now();
    let agent = run.attempts[0].agent.clone();
    let _ = desk.handle(&Event::AgentLost(agent.clone()));
    let reason = "the agent is gone".to_owned();
    let lost = TaskStatus::InDoubt { reason, is_final: true };
    let _ = desk.report(&run.attempts[0].task_id, lost);
    assert_eq!(open(&desk), [format!("(agent {agent}) 2")]);
}

#[test]
fn a_backfill_that_is_over_is_told_of_once() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    desk.jump("09:30:00");
    let by = Intervention { by: "kim".into(), at: day("09:30:00"), reason: String::new() };
    let draft = BackfillDraft {
        name: name("job"),
        due: vec![day("07:00:00"), day("08:00:00")],
        concurrency: 2,
        stops_on_failure: false,
        arguments: None,
        environment: Vec::new(),
        by,
    };
    let _ = desk.request(Request::Backfill(Box::new(draft)));
    let tasks: Vec<TaskId> = desk
        .state
        .runs()
        .filter(|run| matches!(run.trigger, Trigger::Backfill { .. }))
        .map(|run| run.attempts[0].task_id.clone())
        .collect();
    assert_eq!(tasks.len(), 2, "{:?}", desk.live());
    let is_of_backfill = |text: &String| text.starts_with("backfillFinished");
    let first = raised(&desk.report(&tasks[0], desk.ended(Exit::Code(0))));
    assert!(!first.iter().any(is_of_backfill), "{first:?}");
    let told = raised(&desk.report(&tasks[1], desk.ended(Exit::Code(0))));
    let told: Vec<&String> = told.iter().filter(|text| is_of_backfill(text)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with(" of 2 instants is done: 2 succeeded"), "{told:?}");
}

#[test]
fn nobody_is_told_of_what_is_only_tried_out() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let run = desk.run_now();
    let kill = Request::OperateRun {
        name: run.job.clone(),
        run: run.id,
        verb: RunVerb::Kill,
        past: None,
        by: Intervention { by: "kim".into(), at: day("00:00:00"), reason: String::new() },
    };
    let _ = desk.report(&run.attempts[0].task_id, desk.ended(Exit::Code(1)));
    assert_eq!(open(&desk), ["job 1"]);
    let again = desk.run_now();
    for request in [
        Request::MarkSuccess { name: name("job") },
        Request::DeleteJob { name: name("job"), by: None },
        kill,
    ] {
        let (_, decision) = desk.request(Request::DryRun(Box::new(request)));
        assert_eq!(decision.changes, [], "a trial changes nothing");
    }
    let _ = desk.report(&again.attempts[0].task_id, desk.ended(Exit::Code(0)));
    assert_eq!(open(&desk), [""; 0]);
}

#[test]
fn a_run_that_is_asked_for_may_come_when_it_likes_but_not_take_too_long() {
    let mut desk = Desk::new();
    let period =
        |text: &str, secs| Period { text: text.to_owned(), span: Duration::from_secs(secs) };
    desk.put(expecting(Objectives {
        start_by: after("PT1M", 60),
        finish_by: after("PT2M", 120),
        max_lateness: Some(period("PT1M", 60)),
        expected_duration: Some(period("PT5M", 300)),
    }));
    let run = desk.run_now();
    let task = run.attempts[0].task_id.clone();
    assert_eq!(kinds(&desk.wake("00:50:00")), [""; 0]);
    let _ = desk.report(&task, TaskStatus::Running { started_at: day("00:50:00") });
    assert_eq!(kinds(&desk.wake("00:54:59")), [""; 0]);
    assert_eq!(kinds(&desk.wake("00:55:00")), ["overlong"]);
}

#[test]
fn a_deadline_is_a_time_of_day_in_the_zone_of_the_schedule() {
    let mut desk = Desk::new();
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![], framework: None });
    let mut job = draft("job", "0 2 * * *");
    // Berlin is an hour ahead in winter: due at 01:00 by UTC, and late at 05:30.
    job.when = When::Schedule(ScheduleTerms::plain("0 2 * * *", "Europe/Berlin"));
    job.epsilon = epsilon(86_000);
    job.objectives =
        Some(Objectives { start_by: Deadline::time_of_day("06:30"), ..Objectives::default() });
    desk.put(job);
    let _ = desk.wake("01:00:00");
    assert_eq!(kinds(&desk.wake("05:29:59")), [""; 0]);
    assert_eq!(kinds(&desk.wake("05:30:00")), ["lateStart"]);
}

#[test]
fn an_occurrence_that_is_skipped_for_an_earlier_run_did_not_run_if_one_is_expected() {
    for expects in [true, false] {
        let mut desk = Desk::new();
        let start_by = after("PT10M", 600).filter(|_| expects);
        let mut job = expecting(Objectives { start_by, ..Objectives::default() });
        job.epsilon = epsilon(60);
        desk.put(job);
        let _ = desk.wake("01:00:00");
        let task = desk.task();
        let _ = desk.report(&task, TaskStatus::Running { started_at: day("01:00:01") });
        let decision = desk.wake("02:00:00");
        let said = kinds(&decision);
        assert_eq!(said, if expects { vec!["didNotRun"] } else { vec![] });
    }
}

#[test]
fn another_definition_has_other_deadlines() {
    let mut desk = Desk::new();
    let _ = desk.handle(&Event::LauncherConnected { offers: vec![], framework: None });
    desk.put(expecting(Objectives { start_by: after("PT10M", 600), ..Objectives::default() }));
    let _ = desk.wake("01:00:00");
    desk.put(expecting(Objectives { start_by: after("PT30M", 1_800), ..Objectives::default() }));
    assert_eq!(kinds(&desk.wake("01:10:00")), [""; 0]);
    assert_eq!(kinds(&desk.wake("01:30:00")), ["lateStart"]);
    // What stands for the past on request is held to nothing.
    desk.put(expecting(Objectives { start_by: after("PT1M", 60), ..Objectives::default() }));
    let by = Intervention { by: "kim".to_owned(), at: desk.now.wall, reason: String::new() };
    let of_run = desk.state.runs().next().unwrap().id;
    let skip =
        Request::OperateRun { name: name("job"), run: of_run, verb: RunVerb::Skip, past: None, by };
    let _ = desk.request(skip);
    desk.run_now();
    assert_eq!(kinds(&desk.wake("01:40:00")), [""; 0]);
}
