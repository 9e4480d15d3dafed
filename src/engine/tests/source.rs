//! Jobs that come from a source: whose they are, what becomes of those that it has lost, and that nobody is overtaken.

use std::collections::BTreeMap;

use super::*;
use crate::engine::{ApplyTerms, Expected, SourceTerms};
use crate::model::{Drift, Shadow, SourceName};

pub(super) fn terms_of(source: &str, removed: &[JobName], gone: &[JobName]) -> ApplyTerms {
    let source = SourceTerms {
        name: SourceName::parse(source).unwrap(),
        places: BTreeMap::new(),
        removed: removed.to_vec(),
        gone: gone.to_vec(),
        takes_over: false,
    };
    ApplyTerms { source: Some(source), expected: BTreeMap::new() }
}

fn plain(source: &str) -> ApplyTerms {
    terms_of(source, &[], &[])
}

/// What becomes of each job, given with its schedule; or which are refused, and as what.
fn apply(desk: &mut Desk, terms: ApplyTerms, jobs: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let drafts = jobs.iter().map(|(job, schedule)| draft(job, schedule)).collect();
    match desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms }).0 {
        Reply::Applied { jobs } => {
            Ok(jobs.iter().map(|it| format!("{} {}", it.name, it.outcome.as_str())).collect())
        }
        Reply::ApplyRefused(refused) => {
            let told = refused.iter().map(|(at, it)| format!("{at} {}", it.code.as_str()));
            Err(told.collect::<Vec<_>>().join(", "))
        }
        other => panic!("{other:?}"),
    }
}

fn origin_of(desk: &Desk, job: &str) -> Option<(String, Option<Drift>)> {
    let entry = desk.state.job(&name(job)).unwrap();
    let origin = entry.interventions.origin.as_ref()?;
    Some((origin.source.to_string(), origin.drift(entry.revision)))
}

const DAILY: &str = "@daily";
const HOURLY: &str = "@hourly";

#[test]
fn a_source_keeps_its_jobs_and_no_other_takes_them_unasked() {
    let mut desk = Desk::new();
    let _ = desk.put(draft("hand", DAILY));
    let done = apply(&mut desk, plain("ops"), &[("a", DAILY), ("b", DAILY), ("hand", DAILY)]);
    assert_eq!(done.unwrap(), ["a created", "b created", "hand unchanged"]);
    assert_eq!(origin_of(&desk, "hand"), Some(("ops".to_owned(), None)));

    // Another source gets nothing of it, not even a part of what it asks for.
    let refused = apply(&mut desk, plain("web"), &[("c", DAILY), ("a", HOURLY)]);
    assert_eq!(refused.unwrap_err(), "1 owned_elsewhere");
    assert!(desk.state.job(&name("c")).is_none());
    let refused = apply(&mut desk, terms_of("web", &[name("a")], &[name("b")]), &[]);
    assert_eq!(refused.unwrap_err(), "0 owned_elsewhere, 1 owned_elsewhere");
    let mut takes = plain("web");
    takes.source.as_mut().unwrap().takes_over = true;
    assert_eq!(apply(&mut desk, takes, &[("a", DAILY)]).unwrap(), ["a unchanged"]);
    assert_eq!(origin_of(&desk, "a"), Some(("web".to_owned(), None)));
}

#[test]
fn a_change_by_hand_is_drift_until_the_source_is_applied() {
    let mut desk = Desk::new();
    let _ = apply(&mut desk, plain("ops"), &[("b", DAILY)]);
    let Reply::Stored { consequences, .. } = desk.put(draft("b", HOURLY)) else { panic!() };
    assert!(consequences[0].contains("comes from the source `ops`"), "{consequences:?}");
    assert_eq!(origin_of(&desk, "b"), Some(("ops".to_owned(), Some(Drift::Changed))));
    assert_eq!(apply(&mut desk, plain("ops"), &[("b", DAILY)]).unwrap(), ["b replaced"]);
    assert_eq!(origin_of(&desk, "b"), Some(("ops".to_owned(), None)));
    // So it is with a change by hand to what the source comes to want as well.
    let _ = desk.put(draft("b", HOURLY));
    assert_eq!(apply(&mut desk, plain("ops"), &[("b", HOURLY)]).unwrap(), ["b unchanged"]);
    assert_eq!(origin_of(&desk, "b"), Some(("ops".to_owned(), None)));
    let request = Request::DeleteJob { name: name("b"), by: None };
    let Reply::Deleted { consequences } = desk.request(request).0 else { panic!() };
    assert!(consequences[0].contains("created again"), "{consequences:?}");
}

#[test]
fn what_a_source_has_lost_is_deleted_or_marked_and_what_is_not_its_own_is_not() {
    let mut desk = Desk::new();
    let _ = apply(&mut desk, plain("ops"), &[("a", DAILY), ("b", DAILY)]);
    let _ = desk.put(draft("hand", DAILY));
    let lost = |removed: &[&str], gone: &[&str]| {
        let names = |texts: &[&str]| texts.iter().map(|it| name(it)).collect::<Vec<_>>();
        terms_of("ops", &names(removed), &names(gone))
    };
    assert_eq!(apply(&mut desk, lost(&["hand"], &[]), &[]).unwrap_err(), "0 owned_elsewhere");
    assert_eq!(apply(&mut desk, lost(&["a"], &["a"]), &[]).unwrap_err(), "1 invalid_field");
    assert_eq!(apply(&mut desk, lost(&[], &["a"]), &[]).unwrap(), [""; 0]);
    assert_eq!(origin_of(&desk, "a"), Some(("ops".to_owned(), Some(Drift::Gone))));
    // It comes back as it was, and goes for good; repeating that changes nothing.
    assert_eq!(apply(&mut desk, lost(&[], &[]), &[("a", DAILY)]).unwrap(), ["a unchanged"]);
    assert_eq!(origin_of(&desk, "a"), Some(("ops".to_owned(), None)));
    for expected in [&["b unchanged", "a removed"][..], &["b unchanged"]] {
        assert_eq!(apply(&mut desk, lost(&["a"], &[]), &[("b", DAILY)]).unwrap(), expected);
    }
}

#[test]
fn a_chain_that_goes_whole_leaves_nobody_a_schedule() {
    let mut desk = Desk::new();
    let mut child = draft("child", "");
    child.when = When::Parents(ParentTerms::plain(vec![name("root")]));
    let drafts = vec![child, draft("root", DAILY)];
    let _ = desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: plain("ops") });
    let terms = terms_of("ops", &[name("root"), name("child")], &[]);
    let request = Request::Apply { drafts: Vec::new(), dialect: Dialect::V0, terms };
    let Reply::Applied { jobs } = desk.request(request).0 else { panic!() };
    let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["root", "child"]);
    assert!(jobs.iter().all(|job| job.consequences.is_empty()), "{jobs:?}");
    assert_eq!(desk.state.jobs().len(), 0);
}

#[test]
fn whoever_was_overtaken_changes_nothing_of_all() {
    let mut desk = Desk::new();
    let _ = apply(&mut desk, plain("ops"), &[("a", DAILY), ("b", DAILY)]);
    let version = |desk: &Desk, job: &str| desk.state.job(&name(job)).unwrap().version();
    let mut terms = terms_of("ops", &[name("b")], &[]);
    let seen = |desk: &Desk, job| (name(job), Expected::OneOf(vec![version(desk, job)]));
    terms.expected = [seen(&desk, "a"), seen(&desk, "b"), (name("c"), Expected::Absent)].into();
    let _ = desk.put(draft("b", HOURLY));
    let jobs = [("a", HOURLY), ("c", DAILY)];
    assert_eq!(apply(&mut desk, terms.clone(), &jobs).unwrap_err(), "2 changed");
    assert_eq!(version(&desk, "a").revision, 1);
    terms.expected.extend([seen(&desk, "b")]);
    let done = apply(&mut desk, terms, &jobs).unwrap();
    assert_eq!(done, ["a replaced", "c created", "b removed"]);
}

#[test]
fn cutting_over_is_nothing_that_a_source_takes_back() {
    let mut desk = Desk::new();
    let mut planned = draft("a", DAILY);
    planned.shadow = Some(Shadow::On);
    let drafts = vec![planned];
    let request = Request::Apply { drafts, dialect: Dialect::V0, terms: plain("ops") };
    let _ = desk.request(request);
    let reply = desk.request(Request::CutOver { names: None, at: Some(day("12:00:00")) }).0;
    assert!(matches!(reply, Reply::CutOver { .. }), "{reply:?}");
    assert_eq!(origin_of(&desk, "a"), Some(("ops".to_owned(), None)));
}
