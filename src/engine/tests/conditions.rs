//! What holds for every request: conditions, repetitions; and several jobs at once.

use super::*;
use crate::engine::ApplyTerms;
use crate::model::{ApplyOutcome, Ask, JobVersion, RequestKey};

fn version(desk: &Desk) -> JobVersion {
    desk.state.job(&name("job")).unwrap().version()
}

fn if_match(desk: &mut Desk, expected: Expected, request: Request) -> Reply {
    let request = Box::new(request);
    desk.request(Request::IfMatch { name: name("job"), expected, request }).0
}

fn put(draft: JobDraft) -> Request {
    Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 }
}

fn code(reply: &Reply) -> &'static str {
    match reply {
        Reply::Refused(rejection) => rejection.code.as_str(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_lost_update_is_refused() {
    let mut desk = Desk::new();
    let reply = if_match(&mut desk, Expected::Absent, put(hourly()));
    let Reply::Stored { version: first, created: true, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(first, version(&desk));
    assert_eq!(code(&if_match(&mut desk, Expected::Absent, put(hourly()))), "changed");

    // Two have read it, and both change it.
    let mine = if_match(&mut desk, Expected::OneOf(vec![first]), put(hourly()));
    assert!(matches!(mine, Reply::Stored { created: false, .. }), "{mine:?}");
    let theirs = if_match(&mut desk, Expected::OneOf(vec![first]), put(draft("job", "@daily")));
    assert_eq!(code(&theirs), "changed");
    let delete = Request::DeleteJob { name: name("job"), by: None };
    assert_eq!(code(&if_match(&mut desk, Expected::OneOf(vec![first]), delete.clone())), "changed");

    let now = version(&desk);
    let gone = if_match(&mut desk, Expected::OneOf(vec![first, now]), delete);
    assert!(matches!(gone, Reply::Deleted { .. }), "{gone:?}");
    assert_eq!(code(&if_match(&mut desk, Expected::Present, put(hourly()))), "changed");
    // The name comes back, as another life: what was read of the first does not fit.
    desk.put(hourly());
    let stale = if_match(&mut desk, Expected::OneOf(vec![first]), put(hourly()));
    assert_eq!(code(&stale), "changed");
}

/// The engine disables jobs without a new revision; whoever read the job before must not enable it unknowingly.
#[test]
fn a_job_that_was_disabled_meanwhile_is_another() {
    let mut desk = Desk::new();
    desk.put(draft("job", "R1/2026-01-01T01:00:00Z/PT1H"));
    let read = version(&desk);
    let _ = desk.wake("01:00:00");
    let _ = desk.ends(Exit::Code(0));
    assert!(version(&desk).disabled && !read.disabled);
    let stale = if_match(&mut desk, Expected::OneOf(vec![read]), put(hourly()));
    assert_eq!(code(&stale), "changed");
}

fn once(desk: &mut Desk, key: &str, request: Request) -> Reply {
    let content = format!("{request:?}");
    let key = RequestKey { id: key.to_owned(), caller: "ann".to_owned(), content };
    desk.request(Request::Once { key, request: Box::new(request) }).0
}

fn run(arguments: Option<&str>) -> Request {
    Request::RunJob {
        name: name("job"),
        ask: Box::new(Ask::with_arguments(arguments.map(str::to_owned))),
    }
}

#[test]
fn a_request_that_is_repeated_under_its_key_is_answered_and_not_carried_out_again() {
    let mut desk = Desk::new();
    let mut many = hourly();
    many.overlap = Some(Overlap::Allow { max: None });
    let stored = once(&mut desk, "put", put(many.clone()));
    assert_eq!(once(&mut desk, "put", put(many.clone())), stored);
    assert_eq!(version(&desk).revision, 1);
    let first = once(&mut desk, "run", run(None));
    assert_eq!(once(&mut desk, "run", run(None)), first);
    assert_ne!(once(&mut desk, "another", run(None)), first);
    assert_eq!(code(&once(&mut desk, "run", run(Some("-v")))), "key_reused");
    assert_eq!(desk.state.runs().len(), 2);
    // Another process knows it too, and it does not matter that the run is long over.
    desk.restart();
    let _ = desk.connect();
    desk.jump("23:00:00");
    assert_eq!(once(&mut desk, "run", run(None)), first);
}

/// A schedule without a start begins when it is accepted: a repetition fixes no new one.
#[test]
fn an_empty_start_is_not_fixed_anew_by_a_repetition() {
    let mut desk = Desk::new();
    let request = put(draft("job", "R//PT1H"));
    let _ = once(&mut desk, "put", request.clone());
    desk.jump("00:30:00");
    let _ = once(&mut desk, "put", request);
    let _ = desk.wake("01:00:00");
    assert_eq!(desk.live(), ["00:00:00 launching"], "the first of them, still going");
    let entry = desk.state.job(&name("job")).unwrap();
    assert_eq!(entry.next_due(), Some(day("02:00:00")));
}

/// What was stored by a Chronode that made the content of a key of something else: nobody can tell what it was made of.
#[test]
fn a_key_whose_content_is_of_another_form_is_answered_as_stored() {
    let mut desk = Desk::new();
    desk.put(hourly());
    let mut ask = |content: &str, request: Request| {
        let key = RequestKey {
            id: "key".to_owned(),
            caller: "ann".to_owned(),
            content: content.to_owned(),
        };
        desk.request(Request::Once { key, request: Box::new(request) }).0
    };
    let first = ask("c0ffee", run(None));
    assert!(matches!(first, Reply::Triggered { .. }), "{first:?}");
    assert_eq!(ask("2:c0ffee", run(None)), first);
    assert_eq!(code(&ask("c0ffef", run(None))), "key_reused", "of one form they can be told apart");
    // Another answer than the request can have says that it was another.
    let delete = Request::DeleteJob { name: name("job"), by: None };
    assert_eq!(code(&ask("2:c0ffee", delete)), "key_reused");
    let key = |content: &str| RequestKey {
        id: "key".to_owned(),
        caller: "ann".to_owned(),
        content: content.to_owned(),
    };
    let kept = |wall, content| repeated(&desk.state, wall, &key(content));
    assert_eq!(kept(at("2026-01-02T00:00:00Z"), "2:x"), Some(first));
    assert_eq!(kept(at("2026-01-02T00:00:01Z"), "2:x"), None);
    assert_eq!(kept(desk.now.wall, "x").as_ref().map(code), Some("key_reused"));
}

#[test]
fn a_refusal_is_not_remembered() {
    let mut desk = Desk::new();
    assert_eq!(code(&once(&mut desk, "run", run(None))), "unknown_job");
    desk.put(hourly());
    assert!(matches!(once(&mut desk, "run", run(None)), Reply::Triggered { .. }));
}

#[test]
fn keys_are_forgotten_after_a_day_and_beyond_a_number() {
    let mut desk = Desk::new();
    desk.put(draft("job", "R0/2026-01-01T00:00:00Z/PT1H"));
    let kill = || Request::KillJob { name: name("job"), by: None };
    let _ = once(&mut desk, "early", kill());
    desk.jump("23:59:59");
    let _ = once(&mut desk, "late", kill());
    desk.jump_to(at("2026-01-02T00:00:01Z"));
    let _ = once(&mut desk, "next", kill());
    let known: Vec<&str> =
        desk.state.answered_requests().map(|answered| answered.key.id.as_str()).collect();
    assert_eq!(known, ["late", "next"]);
    for index in 0..limits::REQUEST_KEYS_MAX {
        let (id, caller) = (format!("{index:05}"), "eve".to_owned());
        let key = RequestKey { id, caller, content: String::new() };
        let request = Request::Once { key, request: Box::new(kill()) };
        let _ = desk.step(&Event::Request { id: RequestId(1_000_000), request });
    }
    assert_eq!(desk.state.answered_requests().len(), limits::REQUEST_KEYS_MAX);
    // Who sends many loses their own oldest ones, and nobody else theirs.
    let known = |id: &str| desk.state.answered_requests().any(|answered| answered.key.id == id);
    assert!(known("late") && known("next"));
    assert!(!known("00000") && !known("00001") && known("00002") && known("09999"));
}

fn child(job: &str, parents: &[&str]) -> JobDraft {
    let mut draft = draft(job, "");
    let names = parents.iter().map(|parent| name(parent)).collect();
    draft.when = When::Parents(ParentTerms::plain(names));
    draft
}

fn apply(desk: &mut Desk, drafts: Vec<JobDraft>) -> Reply {
    desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() }).0
}

/// Each job and what was done, or each refusal.
fn told(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Applied { jobs } => {
            jobs.iter().map(|job| format!("{} {}", job.name, job.outcome.as_str())).collect()
        }
        Reply::ApplyRefused(refused) => refused
            .iter()
            .map(|(index, rejection)| format!("{index} {}: {}", rejection.field, rejection.message))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_jobs_than_there_may_be_are_refused_and_those_that_are_there_are_replaced() {
    let mut desk = Desk::new();
    desk.state.settings = Arc::new(Settings { max_jobs: 3, ..settings() });
    desk.put(draft("a", "@daily"));

    // Of several, those before count.
    let four = ["b", "c", "d"].map(|name| draft(name, "@daily")).to_vec();
    let refused = ["2 : there are 3 jobs, and no more than 3 may be"];
    assert_eq!(told(&apply(&mut desk, four)), refused);
    assert_eq!(desk.state.jobs().len(), 1, "all or none");
    let three = ["a", "b", "c"].map(|name| draft(name, "@hourly")).to_vec();
    assert_eq!(told(&apply(&mut desk, three)), ["a replaced", "b created", "c created"]);

    let reply = desk.put(draft("d", "@daily"));
    let Reply::Refused(rejection) = &reply else { panic!("{reply:?}") };
    assert_eq!((code(&reply), &*rejection.field), ("limit_reached", ""));
    assert!(rejection.remedy.contains("`--max_jobs`"), "{}", rejection.remedy);

    // A start with a lower limit leaves all there is, and lets it be replaced.
    desk.state.settings = Arc::new(Settings { max_jobs: 1, ..settings() });
    let stored = desk.put(draft("c", "@daily"));
    assert!(matches!(stored, Reply::Stored { created: false, .. }), "{stored:?}");
    assert_eq!(told(&apply(&mut desk, vec![draft("b", "@daily")])), ["b replaced"]);
    assert_eq!(code(&desk.put(draft("d", "@daily"))), "limit_reached");

    // A place is free when a job is deleted, and taken when it is there again.
    for name_of in ["a", "b", "c"] {
        let _ = desk.request(Request::DeleteJob { name: name(name_of), by: None });
    }
    let stored = desk.put(draft("d", "@daily"));
    assert!(matches!(stored, Reply::Stored { created: true, .. }), "{stored:?}");
    assert_eq!(code(&desk.put(draft("a", "@daily"))), "limit_reached");
}

#[test]
fn several_jobs_are_stored_at_once_whatever_their_order() {
    let mut desk = Desk::new();
    let drafts = vec![child("c", &["b", "a"]), child("b", &["a"]), draft("a", "@daily")];
    let expected = ["c created", "b created", "a created"];
    let dry = Request::Apply {
        drafts: drafts.clone(),
        dialect: Dialect::V0,
        terms: ApplyTerms::default(),
    };
    let (dry, decision) = desk.request(Request::DryRun(Box::new(dry)));
    assert_eq!((told(&dry), decision.changes.len()), (expected.map(str::to_owned).to_vec(), 0));
    let done = apply(&mut desk, drafts.clone());
    assert_eq!(done, dry, "what a dry run says is what happens");
    assert_eq!(
        desk.state.graph().children(desk.state.job(&name("a")).unwrap().incarnation).len(),
        2
    );
    // The same again changes nothing.
    let (again, decision) =
        desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() });
    assert_eq!(told(&again), ["c unchanged", "b unchanged", "a unchanged"]);
    assert_eq!(decision.changes, []);
    // What changes gets a new revision, and nothing else does.
    let mut b = child("b", &["a"]);
    b.command = Some("false".to_owned());
    let Reply::Applied { jobs } = apply(&mut desk, vec![b, draft("a", "@daily")]) else { panic!() };
    assert_eq!((jobs[0].outcome, jobs[0].version.revision), (ApplyOutcome::Replaced, 2));
    assert_eq!((jobs[1].outcome, jobs[1].version.revision), (ApplyOutcome::Unchanged, 1));
}

#[test]
fn of_several_jobs_none_is_stored_if_one_is_refused() {
    let mut desk = Desk::new();
    let drafts = vec![
        draft("a", "@daily"),
        child("b", &["none"]),
        draft("c", "not a schedule"),
        child("d", &["e"]),
        child("e", &["d"]),
    ];
    let (reply, decision) =
        desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() });
    let lines = told(&reply);
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, begin) in lines.iter().zip(["1 parents", "2 schedule", "3 parents", "4 parents"]) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert_eq!(decision.changes, []);
    assert_eq!(desk.state.jobs().len(), 0);

    let twice = apply(&mut desk, vec![draft("a", "@daily"), draft("a", "@hourly")]);
    assert_eq!(told(&twice), ["1 name: job 'a' is given twice"]);
}

/// Parents and children change places in one request, which no order of single ones could do.
#[test]
fn a_family_is_turned_round() {
    let mut desk = Desk::new();
    let _ = apply(&mut desk, vec![draft("a", "@daily"), child("b", &["a"])]);
    let done = apply(&mut desk, vec![child("a", &["b"]), draft("b", "@daily")]);
    assert_eq!(told(&done), ["a replaced", "b replaced"]);
    let b = desk.state.job(&name("b")).unwrap().incarnation;
    assert_eq!(desk.state.graph().children(b).len(), 1);
}

/// A job that Chronode has disabled itself is not begun anew each time the same is applied.
#[test]
fn what_is_exhausted_or_has_failed_too_often_stays_so_when_it_is_applied_again() {
    let mut desk = Desk::new();
    let drafts = || {
        let mut failing = draft("failing", "R/2026-01-01T00:00:00Z/PT1M");
        failing.disable_after_failures = Some(1);
        vec![draft("once", "R1//PT1H"), failing]
    };
    let _ = apply(&mut desk, drafts());
    let task = desk.task_of("once");
    let _ = desk.report(&task, desk.ended(Exit::Code(0)));
    let task = desk.task_of("failing");
    let _ = desk.report(&task, desk.ended(Exit::Code(1)));
    assert!(desk.state.jobs().all(|entry| entry.job.disabled));
    assert_eq!(told(&apply(&mut desk, drafts())), ["once unchanged", "failing unchanged"]);
    // Whoever says that it is to go on has it go on.
    let mut again = drafts();
    again[1].disabled = Some(false);
    assert_eq!(told(&apply(&mut desk, again)), ["once unchanged", "failing replaced"]);
}

/// What a definition leaves out is not what its door does not print.
#[test]
fn what_is_applied_says_all_there_is() {
    let mut desk = Desk::new();
    for dialect in [Dialect::V0, Dialect::V1] {
        let mut rich = draft("a", "@daily");
        rich.max_completion_secs = Some(60);
        rich.overlap = Some(Overlap::Allow { max: None });
        rich.epsilon = epsilon(7);
        rich.is_async = Some(true);
        desk.put(rich);
        let drafts = vec![draft("a", "@daily")];
        let _ = desk.request(Request::Apply { drafts, dialect, terms: ApplyTerms::default() });
        let job = &desk.state.job(&name("a")).unwrap().job;
        assert_eq!((job.max_completion_secs, job.is_async), (0, false), "{dialect:?}");
        assert!(!matches!(job.overlap, Overlap::Allow { .. }), "{dialect:?}");
        assert_eq!(job.epsilon.span, Duration::from_secs(60), "{dialect:?}");
    }
}
