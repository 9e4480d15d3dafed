//! What clients ask.

use super::*;
use crate::model::{Ask, Container, ContainerType, Network};

const NONE: [&str; 0] = [];

fn refused(reply: &Reply) -> &Rejection {
    match reply {
        Reply::Refused(rejection) => rejection,
        other => panic!("not refused: {other:?}"),
    }
}

/// What every Chronos prints, or runs, and a scheduler of this machine that is not root does not.
#[test]
fn what_this_installation_cannot_run_is_refused_by_name() {
    let mut desk = Desk::new();
    let mut settings = settings();
    settings.abilities.only_user = Some("cron".to_owned());
    desk.state.settings = Arc::new(settings);
    let plain = || draft("job", "R0//PT1H");
    let as_user = |user: &str| JobDraft { run_as_user: Some(user.to_owned()), ..plain() };
    let container = Container {
        kind: ContainerType::Docker,
        image: "busybox".to_owned(),
        network: Network::Host,
        network_name: String::new(),
        network_infos: Vec::new(),
        volumes: Vec::new(),
        force_pull_image: false,
        parameters: Vec::new(),
    };
    let executor = JobDraft { executor: Some("run".to_owned()), ..plain() };
    for (draft, field, told) in [
        (as_user("root"), "runAsUser", "Chronode does not run as root"),
        (executor, "executor", "runs no custom executors"),
        (JobDraft { container: Some(container), ..plain() }, "container", "has no containerizer"),
    ] {
        let reply = desk.put(draft);
        let rejection = refused(&reply);
        assert_eq!((&*rejection.field, rejection.code), (field, RejectionCode::Unsupported));
        assert!(rejection.message.contains(told), "{}", rejection.message);
        assert!(rejection.remedy.starts_with("leave `"), "{}", rejection.remedy);
    }
    for draft in [as_user("cron"), as_user(""), plain()] {
        assert!(matches!(desk.put(draft), Reply::Stored { .. }));
    }
}

/// Whoever may run a job may not choose what it runs.
#[test]
fn a_run_brings_arguments_only_where_they_reach_the_last_command() {
    let with = |command: &str| {
        let mut job = draft("job", "R0//PT1H");
        job.command = Some(command.to_owned());
        job
    };
    let ask = |desk: &mut Desk| {
        let arguments = Some("id".to_owned());
        desk.request(Request::RunJob {
            name: name("job"),
            ask: Box::new(Ask::with_arguments(arguments)),
        })
        .0
    };
    let mut desk = Desk::new();
    for command in
        ["cd /srv;", "run &", "run && ", "run # now", "cat <<E\nE", "if a; then b; fi", ""]
    {
        desk.put(with(command));
        let reply = ask(&mut desk);
        let rejection = refused(&reply);
        assert_eq!(rejection.field, "arguments", "{command}");
        assert!(rejection.message.contains("takes no arguments: its `command` ends"), "{command}");
        assert!(rejection.remedy.contains("let `command` end in"), "{command}");
        // Without arguments, or with blanks, it is run as it is.
        let request = Request::RunJob {
            name: name("job"),
            ask: Box::new(Ask::with_arguments(Some("  ".to_owned()))),
        };
        assert!(matches!(desk.request(request).0, Reply::Triggered { .. }), "{command}");
        let _ = desk.ends(Exit::Code(0));
    }
    // Argv of a program is no text, and an address has none.
    for (command, shell) in [("run;", false), ("https://a.example/run;", true)] {
        let mut job = with(command);
        job.shell = Some(shell);
        desk.put(job);
        assert!(matches!(ask(&mut desk), Reply::Triggered { .. }), "{command}");
        let _ = desk.ends(Exit::Code(0));
    }
    desk.put(with("cd /srv && run"));
    assert!(matches!(ask(&mut desk), Reply::Triggered { .. }));
    // What was asked for by then does not meet a text that makes more of it.
    let reply = desk.put(with("cd /srv &&"));
    let rejection = refused(&reply);
    assert_eq!(
        (&*rejection.field, &*rejection.remedy),
        ("command", "wait for the run, or stop it with DELETE task/kill")
    );
    let _ = desk.ends(Exit::Code(0));
    assert!(matches!(desk.put(with("cd /srv &&")), Reply::Stored { .. }));
}

#[test]
fn arguments_of_a_job_follow_whatever_its_text_ends_in_and_this_is_told() {
    let mut desk = Desk::new();
    for (command, is_odd) in [("cd /srv &&", true), ("run # now", true), ("run", false)] {
        let mut job = draft("job", "R0//PT1H");
        job.command = Some(command.to_owned());
        job.arguments = Some(vec!["./other".to_owned()]);
        let reply = desk.put(job);
        let Reply::Stored { warnings, .. } = reply else { panic!("{reply:?}") };
        let told =
            warnings.iter().any(|it| it.contains("what `arguments` says follows it all the same"));
        assert_eq!(told, is_odd, "{warnings:?}");
    }
}

/// Obligations begin at acceptance minus epsilon: what is still inside its window is owed.
#[test]
fn a_new_job_owes_what_is_still_inside_its_window() {
    for (start, expected) in [
        ("2025-12-31T23:59:00Z", vec!["2025-12-31T23:59:00Z launching"]),
        ("2025-12-31T23:58:59.999Z", vec![]),
    ] {
        let mut desk = Desk::new();
        desk.put(draft("job", &format!("R1/{start}/PT1H")));
        assert_eq!(desk.live(), expected);
        assert_eq!(desk.unrun(), NONE, "what was never owed is not recorded");
    }
}

#[test]
fn an_empty_start_is_the_acceptance() {
    let mut desk = Desk::new();
    desk.jump("00:10:00.5");
    desk.put(draft("job", "R//PT1H"));
    assert_eq!(desk.live(), ["00:10:00 launching"]);
}

#[test]
fn a_replace_keeps_incarnation_statistics_and_live_runs() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("02:00:00");
    desk.running();
    let reply = desk.put(draft("job", "R/2026-01-01T02:30:00Z/PT1H"));
    let Reply::Stored { created: false, warnings, consequences, .. } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!((warnings, consequences), (vec![], vec![]));
    let entry = desk.state.job(&name("job")).unwrap();
    assert_eq!((entry.incarnation.0, entry.revision, entry.stats.success_count), (1, 2, 1));
    assert_eq!(desk.live(), ["02:00:00 running"]);
    let _ = desk.ends(Exit::Code(0));
    let _ = desk.wake("02:30:00");
    assert_eq!(desk.live(), ["02:30:00 launching"]);
}

#[test]
fn a_replace_decides_no_occurrence_a_second_time() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    desk.jump("01:00:20");
    desk.put(hourly());
    assert_eq!(desk.live(), NONE);
    assert_eq!(desk.state.wake_at().wall, Some(day("02:00:00")));
}

/// What the old schedule owed up to the replace is decided by the old schedule.
#[test]
fn a_replace_records_what_was_owed_before_it() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("03:30:00");
    let draft = Box::new(draft("job", "R/2026-01-01T05:00:00Z/PT1H"));
    let _ = desk.request(Request::PutJob { draft, dialect: Dialect::V0 });
    assert_eq!(desk.unrun(), ["3 missed 01:00:00 to 03:00:00"]);
}

#[test]
fn a_disabled_job_wakes_nobody_and_its_occurrences_are_recorded_when_it_is_enabled() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.disabled = Some(true);
    desk.put(job);
    assert_eq!(desk.state.wake_at().wall, None);
    let _ = desk.wake("03:30:00");
    assert_eq!(desk.unrun(), NONE);
    desk.put(hourly());
    assert_eq!(desk.unrun(), ["3 skipped 01:00:00 to 03:00:00"]);
    assert_eq!(desk.state.wake_at().wall, Some(day("04:00:00")));
}

#[test]
fn more_skipped_occurrences_than_one_step_counts_are_all_recorded_at_a_replace() {
    let mut desk = Desk::new();
    let mut job = draft("job", "R/2026-01-01T01:00:00Z/PT0.001S");
    job.disabled = Some(true);
    desk.put(job);
    desk.jump("02:00:00");
    desk.put(hourly());
    assert_eq!(desk.unrun(), ["3600001 skipped 01:00:00 to 02:00:00"]);
}

#[test]
fn a_manual_run_works_while_the_job_is_disabled() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.disabled = Some(true);
    desk.put(job);
    desk.run_now();
    assert_eq!(desk.live(), ["00:00:00 launching"]);
}

/// Somebody asked for it, so it is never dropped: it waits behind a run that may not be overlapped.
#[test]
fn a_manual_run_waits_behind_a_live_one_unless_overlap_is_allowed() {
    for (overlap, second) in [
        (Overlap::Skip, "00:00:00 queued"),
        (Overlap::Queue { max: 1 }, "00:00:00 queued"),
        (Overlap::Allow { max: None }, "00:00:00 launching"),
    ] {
        let mut desk = Desk::new();
        let mut job = hourly();
        job.overlap = Some(overlap);
        desk.put(job);
        desk.run_now();
        desk.run_now();
        assert_eq!(desk.live(), ["00:00:00 launching", second]);
    }
}

/// Behind runs that may overlap, a queued one might wait for ever.
#[test]
fn a_replace_that_allows_overlap_releases_the_queue() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Queue { max: 2 });
    desk.put(job.clone());
    for time in ["01:00:00", "02:00:00", "03:00:00"] {
        let _ = desk.wake(time);
    }
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job);
    assert_eq!(desk.live(), ["01:00:00 launching", "02:00:00 launching", "03:00:00 launching"]);
}

#[test]
fn manual_runs_of_one_instant_have_different_tasks() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    desk.put(job.clone());
    let (first, second) = (desk.run_now(), desk.run_now());
    assert_eq!(first.task_millis + 1, second.task_millis);
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    desk.put(job);
    assert_eq!(desk.run_now().task_millis, second.task_millis + 1, "not even in another life");
}

#[test]
fn arguments_of_a_manual_run_replace_those_of_the_job() {
    let mut desk = Desk::new();
    let mut job = hourly();
    job.arguments = Some(vec!["a".to_owned()]);
    desk.put(job);
    let arguments = Some("-x 'b c'".to_owned());
    let (_, decision) = desk.request(Request::RunJob {
        name: name("job"),
        ask: Box::new(Ask::with_arguments(arguments)),
    });
    let launch = decision.effects.iter().find_map(|effect| match effect {
        Effect::Launch(launch) => Some(launch),
        _ => None,
    });
    let crate::model::Command::Shell { arguments, .. } = &launch.unwrap().command else {
        panic!("a shell command")
    };
    assert_eq!(arguments, &["-x", "b c"]);
}

#[test]
fn a_deleted_job_stops_its_runs_and_another_life_of_the_name_is_free_of_them() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let _ = desk.wake("01:00:00");
    desk.running();
    let (reply, decision) = desk.request(Request::DeleteJob { name: name("job"), by: None });
    assert_eq!(reply, Reply::Deleted { consequences: Vec::new() });
    assert_eq!(done(&decision), "kill");
    desk.put(draft("job", "R/2026-01-01T02:00:00Z/PT1H"));
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["01:00:00 stopping", "02:00:00 launching"]);
    let old = desk.state.runs().find_map(Run::live_attempt).unwrap().task_id.clone();
    let ended = desk.ended(Exit::Killed);
    let _ = desk.report(&old, ended);
    assert_eq!(desk.over(), ["01:00:00 killed"]);
}

/// An occurrence that is due at the instant of the deletion was owed, and is not silently gone.
#[test]
fn a_deletion_accounts_for_what_was_due() {
    let mut desk = Desk::new();
    desk.put(hourly());
    desk.jump("02:00:00");
    let _ = desk.request(Request::DeleteJob { name: name("job"), by: None });
    assert_eq!(desk.unrun(), ["1 missed 01:00:00 to 01:00:00"]);
    assert_eq!(desk.over(), ["02:00:00 killed"]);
}

#[test]
fn what_cannot_be_done_is_refused_with_the_field_and_changes_nothing() {
    let mut desk = Desk::new();
    let mut bad_schedule = hourly();
    bad_schedule.when = When::Schedule(ScheduleTerms::plain("R/x/PT1H", ""));
    let mut negative = hourly();
    negative.epsilon = epsilon(-1);
    let mut parents = hourly();
    parents.when = When::Parents(ParentTerms::plain(vec![name("mother")]));
    for (draft, field) in [(bad_schedule, "schedule"), (negative, "epsilon"), (parents, "parents")]
    {
        let request = Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 };
        let (reply, decision) = desk.request(request);
        assert_eq!(refused(&reply).field, field);
        assert_eq!(decision.changes, []);
    }
    for request in [
        Request::DeleteJob { name: name("nobody"), by: None },
        Request::KillJob { name: name("nobody"), by: None },
        Request::RunJob { name: name("nobody"), ask: Box::default() },
    ] {
        let (reply, decision) = desk.request(request);
        assert_eq!(refused(&reply).code, RejectionCode::UnknownJob);
        assert_eq!(decision.changes, []);
    }
}
