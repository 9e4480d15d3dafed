//! What operators do about runs, and pauses.

use super::*;
use crate::engine::PastRun;
use crate::engine::forecast::{Forecast, plans};
use crate::model::{Became, Intervention, PauseScope, RunVerb, Verdict};

const NONE: [&str; 0] = [];

pub(super) fn kim(reason: &str) -> Intervention {
    Intervention { by: "kim".to_owned(), at: at(BEGIN), reason: reason.to_owned() }
}

/// A job that runs only when somebody asks.
pub(super) fn by_hand(job: &str) -> JobDraft {
    let mut draft = draft(job, "R0/2026-01-01T00:00:00Z/PT1H");
    draft.overlap = Some(Overlap::Queue { max: 100 });
    draft.retries = Some(0);
    draft
}

pub(super) fn child(job: &str, parents: &[&str]) -> JobDraft {
    let names = parents.iter().map(|parent| name(parent)).collect();
    let mut draft = by_hand(job);
    draft.when = When::Parents(ParentTerms::plain(names));
    draft
}

pub(super) fn desk(drafts: Vec<JobDraft>) -> Desk {
    let mut desk = Desk::new();
    for draft in drafts {
        let reply = desk.put(draft);
        assert!(matches!(reply, Reply::Stored { .. }), "{reply:?}");
    }
    desk
}

fn operate(desk: &mut Desk, run: &Run, verb: RunVerb) -> Reply {
    let past = run.is_ended().then(|| Box::new(PastRun { run: run.clone(), below: Vec::new() }));
    let (name, by) = (run.job.clone(), kim("the disk was full"));
    desk.request(Request::OperateRun { name, run: run.id, verb, past, by }).0
}

pub(super) fn became(reply: &Reply) -> Became {
    match reply {
        Reply::Operated { became, .. } => *became,
        other => panic!("{other:?}"),
    }
}

pub(super) fn refusal(reply: &Reply) -> String {
    match reply {
        Reply::Refused(rejection) => format!("{}: {}", rejection.code.as_str(), rejection.message),
        other => panic!("not refused: {other:?}"),
    }
}

fn remedy(reply: &Reply) -> &str {
    match reply {
        Reply::Refused(rejection) => &rejection.remedy,
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn last_over(desk: &Desk, job: &str) -> Run {
    desk.ended.iter().rfind(|run| run.job == name(job)).expect("a run is over").clone()
}

pub(super) fn reason(run: &Run) -> &str {
    match &run.state {
        RunState::Ended { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_run_is_retried_for_the_same_instant_and_its_children_follow() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    desk.ran("a", Exit::Code(1));
    let failed = last_over(&desk, "a");
    desk.jump("02:00:00");
    let Became::Followed { by } = became(&operate(&mut desk, &failed, RunVerb::Retry)) else {
        panic!("nothing follows")
    };
    let retried = desk.state.run(by).unwrap().clone();
    assert_eq!(retried.trigger.due_at(), failed.trigger.due_at());
    assert_eq!(retried.by.as_ref().unwrap().reason, "the disk was full");
    // Not twice at once.
    assert_eq!(
        refusal(&operate(&mut desk, &failed, RunVerb::Retry)),
        format!("impossible: run `{by}` tries it again already")
    );
    assert_eq!(desk.live_of("b"), NONE);
    let _ = desk.ends(Exit::Code(0));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

#[test]
fn a_run_that_waits_for_its_next_attempt_is_tried_at_once() {
    let mut job = by_hand("a");
    job.retries = Some(1);
    let mut desk = desk(vec![job]);
    desk.ran("a", Exit::Code(1));
    assert_eq!(desk.live_of("a").len(), 1);
    let waiting = desk.state.runs().next().unwrap().clone();
    assert!(matches!(waiting.state, RunState::Waiting { .. }));
    assert_eq!(became(&operate(&mut desk, &waiting, RunVerb::Retry)), Became::TriedAgain);
    assert_eq!(desk.live_of("a"), ["launching"]);
    assert_eq!(
        refusal(&operate(&mut desk, &waiting, RunVerb::Skip)),
        format!("impossible: run `{}` is running", waiting.id)
    );
}

#[test]
fn what_succeeded_by_word_of_an_operator_is_told_to_children_and_says_who_said_it() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    desk.ran("a", Exit::Code(1));
    let failed = last_over(&desk, "a");
    let Became::Followed { by } = became(&operate(&mut desk, &failed, RunVerb::Succeed)) else {
        panic!("nothing is recorded")
    };
    let marked = last_over(&desk, "a");
    assert_eq!(marked.id, by);
    assert_eq!(reason(&marked), "kim counted it as succeeded: the disk was full");
    assert_eq!(desk.live_of("b"), ["launching"]);
    assert_eq!(
        refusal(&operate(&mut desk, &marked, RunVerb::Succeed)),
        format!("impossible: run `{by}` has succeeded")
    );
}

#[test]
fn a_queued_run_is_skipped_and_a_running_one_is_stopped_in_the_words_of_who_wanted_it() {
    let mut desk = desk(vec![by_hand("a")]);
    let first = desk.run_of("a");
    let second = desk.run_of("a");
    assert_eq!(second.state, RunState::Queued);
    let skipped = operate(&mut desk, &second, RunVerb::Skip);
    assert_eq!(became(&skipped), Became::Ended(Verdict::Skipped));
    assert_eq!(reason(&last_over(&desk, "a")), "kim had it skipped: the disk was full");
    desk.running();
    assert_eq!(became(&operate(&mut desk, &first, RunVerb::Kill)), Became::Stopping);
    let _ = desk.ends(Exit::Killed);
    assert_eq!(reason(&last_over(&desk, "a")), "kim had it stopped: the disk was full");
    let over = last_over(&desk, "a");
    assert_eq!(
        refusal(&operate(&mut desk, &over, RunVerb::Kill)),
        format!("impossible: run `{}` is over", over.id)
    );
}

/// All runs of a job together: what was begun, what waits for its next attempt, and what was not begun.
#[test]
fn runs_that_are_stopped_together_end_in_the_words_of_who_wanted_it() {
    let ends = |request: fn(Option<Intervention>) -> Request, by: Option<Intervention>| {
        let mut desk = desk(vec![by_hand("a")]);
        desk.run_of("a");
        desk.run_of("a");
        desk.running();
        let _ = desk.request(request(by.clone()));
        assert_eq!(desk.over().len(), 1, "the one that was not begun");
        let queued = last_over(&desk, "a");
        let _ = desk.ends(Exit::Killed);
        let begun = last_over(&desk, "a");
        assert_eq!(
            (begun.stopped_by.as_deref(), queued.stopped_by.as_deref()),
            (by.as_ref(), by.as_ref())
        );
        [reason(&queued).to_owned(), reason(&begun).to_owned()]
    };
    let kill = |by| Request::KillJob { name: name("a"), by };
    let delete = |by| Request::DeleteJob { name: name("a"), by };
    assert_eq!(
        ends(kill, Some(kim("it hangs"))),
        ["kim stopped it before it started: it hangs", "kim had it stopped: it hangs"]
    );
    assert_eq!(
        ends(delete, Some(kim("nobody needs it"))),
        [
            "kim deleted its job before it started: nobody needs it",
            "kim deleted its job: nobody needs it"
        ]
    );
    assert_eq!(
        ends(kill, None),
        ["it was stopped on request before it started", "it was stopped on request"]
    );
    assert_eq!(
        ends(delete, None),
        ["its job was deleted before it started", "it was stopped because its job was deleted"]
    );
}

#[test]
fn who_had_a_run_stopped_first_stands_when_all_are_stopped() {
    let mut desk = desk(vec![by_hand("a")]);
    let run = desk.run_of("a");
    desk.running();
    assert_eq!(became(&operate(&mut desk, &run, RunVerb::Kill)), Became::Stopping);
    let by = Some(kim("all of them"));
    let (reply, _) = desk.request(Request::KillJob { name: name("a"), by: by.clone() });
    assert_eq!(reply, Reply::Stopping { count: 1 });
    let (reply, _) = desk.request(Request::DeleteJob { name: name("a"), by });
    assert_eq!(reply, Reply::Deleted { consequences: Vec::new() });
    let _ = desk.ends(Exit::Killed);
    assert_eq!(reason(&last_over(&desk, "a")), "kim had it stopped: the disk was full");
}

fn pause(desk: &mut Desk, scope: PauseScope, until: Option<&str>) -> Reply {
    let until = until.map(day);
    desk.request(Request::Pause { scope, until, by: kim("maintenance") }).0
}

fn resume(desk: &mut Desk, scope: PauseScope) -> Reply {
    desk.request(Request::Resume { scope, by: kim("") }).0
}

#[test]
fn what_is_due_in_a_pause_is_skipped_and_what_is_due_after_it_runs() {
    for scope in [PauseScope::Job(name("job")), PauseScope::Everything] {
        let mut desk = Desk::new();
        desk.put(hourly());
        assert!(matches!(pause(&mut desk, scope.clone(), None), Reply::Paused { .. }));
        let _ = desk.wake("02:30:00");
        assert_eq!(desk.live(), NONE, "{scope:?}");
        // Nothing is forgotten over a restart.
        desk.restart();
        let _ = desk.wake("03:30:00");
        assert_eq!(desk.live(), NONE);
        assert!(matches!(resume(&mut desk, scope), Reply::Paused { .. }));
        assert_eq!(desk.unrun(), ["3 skipped 01:00:00 to 03:00:00"]);
        let _ = desk.wake("04:00:00");
        assert_eq!(desk.live(), ["04:00:00 launching"]);
    }
}

/// When something of it starts until eight o'clock, as forecast.
fn to_start(desk: &Desk) -> Vec<String> {
    let forecast =
        Forecast::of(plans(&desk.state, None), desk.now.wall, day("08:00:00"), usize::MAX);
    let starts = forecast.starts.iter();
    starts.map(|start| start.opening.due_at.to_string()[11..16].to_owned()).collect()
}

#[test]
fn what_a_pause_or_a_skip_leaves_out_is_in_no_forecast() {
    for scope in [PauseScope::Job(name("job")), PauseScope::Everything] {
        let mut desk = Desk::new();
        desk.put(hourly());
        let due_at = Some(day("06:00:00"));
        let _ = desk.request(Request::SkipAhead { name: name("job"), due_at, by: kim("") });
        assert_eq!(to_start(&desk), ["01:00", "02:00", "03:00", "04:00", "05:00", "07:00"]);
        pause(&mut desk, scope.clone(), Some("04:00:00"));
        assert_eq!(to_start(&desk), ["04:00", "05:00", "07:00"], "{scope:?}");
        pause(&mut desk, scope.clone(), None);
        assert_eq!(to_start(&desk), NONE, "{scope:?}");
        resume(&mut desk, scope);
        assert_eq!(to_start(&desk), ["01:00", "02:00", "03:00", "04:00", "05:00", "07:00"]);
    }
}

#[test]
fn a_pause_ends_by_itself_and_what_is_due_at_its_end_runs() {
    for scope in [PauseScope::Job(name("job")), PauseScope::Everything] {
        let mut desk = Desk::new();
        desk.put(hourly());
        pause(&mut desk, scope, Some("03:00:00"));
        assert_eq!(desk.state.wake_at().wall, Some(day("03:00:00")));
        let _ = desk.wake("03:00:00");
        assert_eq!(desk.unrun(), ["2 skipped 01:00:00 to 02:00:00"]);
        assert_eq!(desk.live(), ["03:00:00 launching"]);
    }
    let mut desk = Desk::new();
    desk.put(hourly());
    let reply = pause(&mut desk, PauseScope::Everything, Some("00:00:00"));
    assert_eq!(refusal(&reply), "invalid_field: a pause cannot end before it begins");
}

#[test]
fn what_would_be_answered_to_a_pause_and_its_end_is_told_although_more_is_due_than_is_decided_at_once()
 {
    let mut desk = Desk::new();
    desk.put(hourly());
    let dry = |scope: PauseScope| {
        let resume = Request::Resume { scope: scope.clone(), by: kim("") };
        let pause = Request::Pause { scope, until: None, by: kim("") };
        [pause, resume].map(|request| Request::DryRun(Box::new(request)))
    };
    // Nobody has decided yet what is due.
    desk.jump("01:00:00");
    let [pausing, resuming] = dry(PauseScope::Everything);
    let nothing = Reply::Paused { names: Vec::new() };
    assert_eq!(desk.request(pausing).0, nothing);
    pause(&mut desk, PauseScope::Everything, None);
    desk.jump("02:30:00");
    assert_eq!(desk.request(resuming).0, nothing);
    assert!(desk.state.everything_paused().is_some());
    resume(&mut desk, PauseScope::Everything);
    assert_eq!(desk.unrun(), ["1 skipped 02:00:00 to 02:00:00"]);
}

#[test]
fn what_had_come_before_a_pause_waits_for_its_end_and_what_a_person_asks_for_does_not() {
    let mut job = hourly();
    job.overlap = Some(Overlap::Allow { max: None });
    let mut desk = Desk::new();
    desk.put(job);
    let _ = desk.disconnect();
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live().len(), 1);
    pause(&mut desk, PauseScope::Job(name("job")), None);
    let _ = desk.connect();
    assert_eq!(desk.live_of("job").iter().filter(|it| *it == "launching").count(), 0);
    desk.run_now();
    assert_eq!(desk.live_of("job").iter().filter(|it| *it == "launching").count(), 1);
    let _ = desk.wake("01:01:01");
    let held = last_over(&desk, "job");
    assert_eq!((reason(&held), due(&held)), ("the job was paused", "01:00:00".to_owned()));
}

#[test]
fn a_paused_child_follows_when_its_pause_ends() {
    let mut desk = desk(vec![by_hand("a"), child("b", &["a"])]);
    let reply = pause(&mut desk, PauseScope::Subtree(name("a")), None);
    let Reply::Paused { names } = reply else { panic!("{reply:?}") };
    assert_eq!(names, [name("a"), name("b")]);
    desk.ran("a", Exit::Code(0));
    assert_eq!(desk.live_of("b"), NONE);
    desk.restart();
    assert_eq!(desk.live_of("b"), NONE);
    resume(&mut desk, PauseScope::Job(name("b")));
    assert_eq!(desk.live_of("b"), ["launching"]);
}

#[test]
fn a_new_definition_leaves_a_pause_alone() {
    let mut desk = Desk::new();
    desk.put(hourly());
    pause(&mut desk, PauseScope::Job(name("job")), None);
    desk.put(hourly());
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), NONE);
    resume(&mut desk, PauseScope::Job(name("job")));
    let _ = desk.wake("03:00:00");
    assert_eq!(desk.live(), ["03:00:00 launching"]);
}

fn skip_ahead(desk: &mut Desk, due_at: Option<&str>) -> Reply {
    let (name, due_at) = (name("job"), due_at.map(day));
    desk.request(Request::SkipAhead { name, due_at, by: kim("holiday") }).0
}

#[test]
fn an_occurrence_is_skipped_before_it_comes_and_may_be_let_run_after_all() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let skipped = |due_at: &str| Reply::SkippedAhead { due_at: day(due_at) };
    assert_eq!(skip_ahead(&mut desk, None), skipped("01:00:00"));
    assert_eq!(skip_ahead(&mut desk, None), skipped("02:00:00"));
    assert_eq!(skip_ahead(&mut desk, Some("04:00:00")), skipped("04:00:00"));
    let refused = refusal(&skip_ahead(&mut desk, Some("04:30:00")));
    assert!(refused.contains("does not name 2026-01-01T04:30:00.000Z"), "{refused}");
    let undo =
        |due_at: &str| Request::UnskipAhead { name: name("job"), due_at: day(due_at), by: kim("") };
    assert_eq!(desk.request(undo("02:00:00")).0, skipped("02:00:00"));
    let refused = desk.request(undo("02:00:00")).0;
    assert!(refusal(&refused).contains("is not one to be skipped"));
    assert_eq!(
        remedy(&refused),
        "give one that is, the first of which are 2026-01-01T01:00:00.000Z, 2026-01-01T04:00:00.000Z"
    );
    desk.restart();
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.unrun(), ["1 skipped 01:00:00 to 01:00:00"]);
    let _ = desk.wake("02:00:00");
    assert_eq!(desk.live(), ["02:00:00 launching"]);
    let _ = desk.ends(Exit::Code(0));
    assert!(refusal(&skip_ahead(&mut desk, Some("01:00:00"))).contains("is decided already"));
    // Also where nobody was there to decide it in time.
    let _ = desk.wake("05:30:00");
    assert_eq!(
        desk.unrun()[1..],
        [
            "1 missed 03:00:00 to 03:00:00",
            "1 skipped 04:00:00 to 04:00:00",
            "1 missed 05:00:00 to 05:00:00"
        ]
    );
    assert!(desk.state.jobs().next().unwrap().interventions.skips.is_empty());
    assert_eq!(
        remedy(&desk.request(undo("06:00:00")).0),
        "none is to be skipped: nothing is left to do"
    );
}

#[test]
fn a_run_can_stand_for_an_instant_and_bring_variables_of_its_own() {
    use crate::model::{Ask, EnvVar};
    let mut desk = desk(vec![by_hand("a")]);
    let variable = EnvVar { name: "MODE".to_owned(), value: "full".to_owned(), secret: false };
    let ask = Ask {
        due_at: Some(at("2025-12-24T00:00:00Z")),
        environment: vec![variable],
        by: Some(kim("audit")),
        ..Ask::default()
    };
    let request = Request::RunJob { name: name("a"), ask: Box::new(ask) };
    let (_, decision) = desk.request(request);
    let launch = decision.effects.iter().find_map(|effect| match effect {
        Effect::Launch(launch) => Some(launch),
        _ => None,
    });
    let environment = &launch.unwrap().environment;
    for (key, value) in [("MODE", "full"), ("CHRONODE_DUE", "2025-12-24T00:00:00.000Z")] {
        assert!(environment.contains(&(key.to_owned(), value.to_owned())), "{environment:?}");
    }
}

#[test]
fn a_retry_has_the_arguments_and_variables_of_what_it_tries_again() {
    use crate::model::{Ask, EnvVar};
    let mut desk = desk(vec![by_hand("a")]);
    let variable = EnvVar { name: "MODE".to_owned(), value: "full".to_owned(), secret: false };
    let environment = vec![variable];
    let ask = Ask {
        arguments: Some("--only one".to_owned()),
        environment: environment.clone(),
        ..Ask::default()
    };
    let _ = desk.request(Request::RunJob { name: name("a"), ask: Box::new(ask) });
    let _ = desk.ends(Exit::Code(1));
    let mut failed = last_over(&desk, "a");
    for verb in [RunVerb::Retry, RunVerb::RetryDown] {
        operate(&mut desk, &failed, verb);
        let _ = desk.ends(Exit::Code(1));
        let retried = last_over(&desk, "a");
        assert_ne!(retried.id, failed.id);
        assert_eq!(retried.environment, environment);
        assert_eq!(retried.arguments.as_deref(), Some("--only one"));
        failed = retried;
    }
}

#[test]
fn a_job_that_is_left_alone_is_decided_again_once_its_quarantine_is_lifted() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let incarnation = desk.state.jobs().next().unwrap().incarnation;
    desk.state.apply(&Change::Quarantined { incarnation });
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live(), NONE);
    let lift = Request::LiftQuarantine { name: name("job"), by: kim("it is mended") };
    assert_eq!(desk.request(lift).0, Reply::Done);
    assert_eq!(desk.live(), ["01:00:00 launching"]);
}
