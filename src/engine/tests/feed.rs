//! What changes look like to those who look on.

use super::*;
use crate::model::{OnUnknown, UnknownThen};

/// What is told of all that an event changes, in words.
fn told(desk: &mut Desk, act: impl FnOnce(&mut Desk) -> Decision) -> Vec<String> {
    let mut state = desk.state.clone();
    let decision = act(desk);
    let mut found = Vec::new();
    for change in &decision.changes {
        found.extend(feed_items(&state, change).iter().map(word));
        state.apply(change);
    }
    found
}

fn word(item: &FeedItem) -> String {
    match item {
        FeedItem::Run { job, step, .. } => {
            assert_eq!(job.as_str(), "job");
            let step = format!("{step:?}").to_lowercase();
            let attempt = step.split_once("attempt: ").and_then(|(_, rest)| rest.chars().next());
            let head = step.split(' ').next().unwrap_or_default();
            attempt.map_or_else(|| head.to_owned(), |attempt| format!("{head} {attempt}"))
        }
        FeedItem::Job { job, step, .. } => format!("{job}: {step:?}"),
        FeedItem::RoundMoved { job } => format!("{job}: round"),
        FeedItem::StretchStored { job, verdict, count, .. } => {
            format!("{job}: {count} {}", verdict.as_str())
        }
        FeedItem::Launcher { problem } => format!("launcher {problem:?}"),
        FeedItem::IncidentMoved { id, is_open } => format!("incident {id}: {is_open}"),
        FeedItem::NotificationMoved { id, delivery } => {
            format!("notification {id}: {}", delivery.name())
        }
        FeedItem::ZoneKept { zone } => format!("zone {zone}"),
        FeedItem::TermBegan(term) => format!("term {}", term.0),
        FeedItem::StretchVoided { sequence } => format!("void {sequence}"),
        FeedItem::EverythingPaused { is_paused, .. } => format!("everything paused: {is_paused}"),
        FeedItem::BackfillMoved { job, id, begun, of, state } => {
            format!("{job}: {id} {begun} of {of}, {state}")
        }
        FeedItem::ClockDoubted { is_doubted } => format!("clock doubted: {is_doubted}"),
    }
}

#[test]
fn a_run_is_told_step_by_step_through_all_its_attempts() {
    let mut desk = Desk::new();
    let mut draft = hourly();
    draft.retries = Some(2);
    let wait = Period { text: "PT5M".to_owned(), span: Duration::from_mins(5) };
    draft.on_unknown = Some(OnUnknown { wait, then: UnknownThen::Relaunch });
    desk.put(draft);
    let begun = told(&mut desk, |desk| desk.wake("01:00:00"));
    assert_eq!(begun, ["recorded", "pending", "placed 0"]);
    let task = desk.task();
    let never = told(&mut desk, |desk| desk.report(&task, TaskStatus::NeverLaunched));
    assert_eq!(never, ["takenback 0", "pending", "placed 0"]);
    let running = TaskStatus::Running { started_at: day("01:00:00") };
    let started = told(&mut desk, |desk| desk.report(&task, running.clone()));
    assert_eq!(started, ["started 0"]);
    let again = told(&mut desk, |desk| desk.report(&task, running.clone()));
    assert_eq!(again, [""; 0], "what is known is no news");
    let doubt = TaskStatus::InDoubt { reason: "out of sight".to_owned(), is_final: false };
    let doubted = told(&mut desk, |desk| desk.report(&task, doubt));
    assert_eq!(doubted, ["outofsight 0"]);
    let found = told(&mut desk, |desk| desk.report(&task, running));
    assert_eq!(found, ["found 0"]);
    let failed = told(&mut desk, |desk| desk.ends(Exit::Code(1)));
    assert_eq!(failed, ["attemptended 0", "waiting"]);
    let retried = told(&mut desk, |desk| desk.wake("01:01:00"));
    assert_eq!(retried, ["pending", "placed 1"]);
    let killed =
        told(&mut desk, |desk| desk.request(Request::KillJob { name: name("job"), by: None }).1);
    assert_eq!(killed, ["stopping 1"]);
    let over = told(&mut desk, |desk| desk.ends(Exit::Killed));
    assert_eq!(over, ["attemptended 1", "ended"]);
}

#[test]
fn of_a_run_that_comes_and_goes_within_one_batch_every_step_is_told() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let before = desk.state.clone();
    let _ = desk.wake("01:00:00");
    desk.running();
    let _ = desk.ends(Exit::Code(0));
    let [ended] = &desk.ended[..] else { panic!("{:?}", desk.ended) };
    // The batch has the last record alone.
    let items = feed_items(&before, &Change::RunStored(Box::new(ended.clone())));
    let words: Vec<String> = items.iter().map(word).collect();
    assert_eq!(words, ["recorded", "placed 0", "started 0", "attemptended 0", "ended"]);
    let [.., FeedItem::Run { run, due_at, step, .. }] = &items[..] else { panic!("{items:?}") };
    assert_eq!((*run, *due_at), (ended.id, day("01:00:00")));
    assert_eq!(
        *step,
        RunStep::Ended { verdict: crate::model::Verdict::Succeeded, at: day("01:00:00") }
    );
}

#[test]
fn what_becomes_of_a_job_is_told() {
    let mut desk = Desk::new();
    let put = |draft: JobDraft| {
        move |desk: &mut Desk| {
            let draft = Box::new(draft);
            desk.request(Request::PutJob { draft, dialect: Dialect::V0 }).1
        }
    };
    let mut draft = hourly();
    draft.disable_after_failures = Some(1);
    let created = told(&mut desk, put(draft.clone()));
    assert_eq!(created, ["job: Created { revision: 1, disabled: false }"]);
    let _ = desk.wake("01:00:00");
    let failed = told(&mut desk, |desk| desk.ends(Exit::Code(1)));
    // Ended without having been seen to run; a child would hear of it next.
    assert!(failed.contains(&"ended".to_owned()), "{failed:?}");
    assert!(failed.contains(&"job: Disabled".to_owned()), "{failed:?}");
    draft.disabled = Some(true);
    let replaced = told(&mut desk, put(draft));
    assert_eq!(replaced, ["job: Replaced { revision: 2, disabled: true }"]);
    let deleted =
        told(&mut desk, |desk| desk.request(Request::DeleteJob { name: name("job"), by: None }).1);
    assert_eq!(deleted, ["job: Deleted", "incident i1: false"]);
    let panics = self::draft(PANICS_WHEN_DECIDED, "R/2026-01-01T02:00:00Z/PT1H");
    let _ = told(&mut desk, put(panics));
    let quarantined = told(&mut desk, |desk| desk.wake("02:00:00"));
    assert_eq!(quarantined, [format!("{PANICS_WHEN_DECIDED}: Quarantined")]);
}

#[test]
fn what_never_ran_and_what_a_child_waits_for_are_told() {
    let mut desk = Desk::new();
    desk.put(hourly());
    for (child, parents) in [("other", &["job"][..]), ("child", &["job", "other"][..])] {
        let mut draft = draft(child, "");
        let names = parents.iter().map(|parent| name(parent)).collect();
        draft.when = When::Parents(ParentTerms::plain(names));
        desk.put(draft);
    }
    let missed = told(&mut desk, |desk| desk.wake("04:30:00"));
    assert_eq!(missed, ["job: 4 missed", "incident i1: true"]);
    let _ = desk.wake("05:00:00");
    let mut state = desk.state.clone();
    let decision = desk.ends(Exit::Code(0));
    let mut moved = Vec::new();
    for change in &decision.changes {
        for item in feed_items(&state, change) {
            if let FeedItem::RoundMoved { job } = item {
                moved.push(job.as_str().to_owned());
            }
        }
        state.apply(change);
    }
    assert!(moved.contains(&"child".to_owned()), "{moved:?}");
}

#[test]
fn offers_are_no_news_but_whether_there_is_a_launcher_is() {
    let mut desk = Desk::new();
    let none = [""; 0];
    assert_eq!(told(&mut desk, Desk::connect), none);
    let gone = ["launcher Some(\"the cable is out\")"];
    assert_eq!(told(&mut desk, Desk::disconnect), gone);
    assert_eq!(told(&mut desk, Desk::disconnect), none);
    assert_eq!(told(&mut desk, Desk::connect), ["launcher None"]);
    let resumed = told(&mut desk, |desk| desk.step(&Event::Resumed { term: Term(9) }));
    assert_eq!(resumed, ["term 9"]);
}
