//! Several jobs at once are decided on an excerpt of the state: what it leaves out must not reach a decision.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::source::terms_of;
use super::*;
use crate::engine::{ApplyTerms, BackfillDraft};
use crate::model::Intervention;

const JOBS: usize = 14;

/// A definition, or something that happens to the job of that number.
#[derive(Debug, Clone)]
struct Move {
    job: usize,
    /// Which jobs it is to run after; a schedule if there are none.
    parents: Vec<usize>,
    schedule: usize,
    overlap: usize,
    is_disabled: bool,
    /// Runs it, once it is stored.
    is_run: bool,
}

impl Move {
    fn any() -> impl Strategy<Value = Self> {
        let parents = prop_oneof![Just(Vec::new()), prop::collection::vec(0..JOBS, 1..4)];
        let fields =
            (0..JOBS, parents, 0..3_usize, 0..3_usize, prop::bool::weighted(0.2), any::<bool>());
        fields.prop_map(|(job, parents, schedule, overlap, is_disabled, is_run)| Self {
            job,
            parents,
            schedule,
            overlap,
            is_disabled,
            is_run,
        })
    }

    fn draft(&self) -> JobDraft {
        let name_of = |number: &usize| name(&format!("j{number:02}"));
        let schedule =
            ["R/2026-01-01T01:00:00Z/PT1H", "*/20 * * * *", "R3/2026-01-01T00:10:00Z/PT10M"];
        let mut draft = draft(name_of(&self.job).as_str(), schedule[self.schedule]);
        if !self.parents.is_empty() {
            let mut seen = BTreeSet::new();
            let parents = self.parents.iter().filter(|parent| seen.insert(**parent));
            draft.when = When::Parents(ParentTerms::plain(parents.map(name_of).collect()));
        }
        draft.overlap = Some(match self.overlap {
            0 => Overlap::Replace,
            1 => Overlap::Queue { max: 2 },
            _ => Overlap::Allow { max: Some(3) },
        });
        draft.catch_up = Some(if self.overlap == 0 { CatchUp::Latest } else { CatchUp::None });
        draft.disabled = Some(self.is_disabled);
        draft
    }
}

fn backfill(job: &JobName, due: Vec<Timestamp>) -> BackfillDraft {
    BackfillDraft {
        name: job.clone(),
        due,
        concurrency: 1,
        stops_on_failure: false,
        arguments: None,
        environment: Vec::new(),
        by: Intervention { by: "kim".to_owned(), at: day("00:00:00"), reason: String::new() },
    }
}

#[test]
fn an_excerpt_is_decided_as_the_whole_state_would_be() {
    let seen: RefCell<BTreeSet<&str>> = RefCell::default();
    let strategy = (
        prop::collection::vec(Move::any(), 0..40),
        any::<bool>(),
        0..180_i64,
        prop::collection::vec(Move::any(), 0..8),
        prop::collection::btree_set(0..JOBS, 0..4),
        prop::collection::btree_set(0..JOBS, 0..2),
    );
    // The same cases each time, so that it is certain what they have among them.
    let outcome = TestRunner::deterministic().run(
        &strategy,
        |(before, is_gone, minutes, asked, removed, gone)| {
            let mut desk = Desk::new();
            if is_gone {
                let _ = desk.disconnect();
            }
            for it in before {
                let draft = it.draft();
                let job = draft.name.clone();
                let (drafts, dialect) = (vec![draft], Dialect::V0);
                let stored = Request::Apply { drafts, dialect, terms: terms_of("ops", &[], &[]) };
                let is_stored = matches!(desk.request(stored).0, Reply::Applied { .. });
                if is_stored && it.is_run {
                    let name = job.clone();
                    let _ = desk.request(Request::RunJob { name, ask: Box::default() });
                }
                if is_stored && it.is_disabled {
                    let draft = backfill(&job, vec![day("00:00:00")]);
                    let _ = desk.request(Request::Backfill(Box::new(draft)));
                }
            }
            // What has come meanwhile nobody has decided yet.
            desk.jump_to(day("00:00:00").saturating_add(Duration::from_mins(minutes)).unwrap());
            let mut names = BTreeSet::new();
            let drafts: Vec<JobDraft> =
                asked.iter().map(Move::draft).filter(|it| names.insert(it.name.clone())).collect();

            let others = |numbers: BTreeSet<usize>| {
                let all = numbers.into_iter().map(|number| name(&format!("j{number:02}")));
                all.filter(|it| !names.contains(it)).collect::<Vec<_>>()
            };
            let (removed, mut gone) = (others(removed), others(gone));
            gone.retain(|it| !removed.contains(it));
            let terms = terms_of("ops", &removed, &gone);
            let decide =
                |state| crate::engine::bulk::decide(state, desk.now, &drafts, Dialect::V0, &terms);
            let (decision, reply) = decide(desk.state.clone());
            let excerpt = desk.state.excerpt(&drafts, terms.source.as_ref());
            let is_part = excerpt.jobs().len() < desk.state.jobs().len();
            prop_assert_eq!(&(decision.clone(), reply.clone()), &decide(excerpt));
            let mut seen = seen.borrow_mut();
            match &reply {
                Reply::Applied { jobs } => {
                    seen.extend(jobs.iter().map(|job| job.outcome.as_str()));
                    let told = jobs.iter().flat_map(|job| &job.consequences);
                    let told = Vec::from_iter(told);
                    let heard = |words| told.iter().any(|it| it.contains(words));
                    seen.extend(heard("wait").then_some("children are left"));
                    seen.extend(heard("gets the schedule of").then_some("a child inherits"));
                }
                Reply::ApplyRefused(refused) => {
                    let of = |words| refused.iter().any(|(_, it)| it.message.contains(words));
                    let cycle = of("would wait for itself") && of(" → ");
                    seen.extend(cycle.then_some("a cycle"));
                    seen.extend(of("not exist").then_some("no parent"));
                }
                other => panic!("{other:?}"),
            }
            for change in &decision.changes {
                match change {
                    Change::RunStored(run) if run.is_ended() => seen.insert("a run ends"),
                    Change::RunStored(_) => seen.insert("a run is stored"),
                    Change::TaskMillisUsed { .. } => seen.insert("a task id is used"),
                    Change::StretchStored(_) => seen.insert("occurrences without runs"),
                    Change::BackfillStored(_) => seen.insert("a backfill is dropped"),
                    Change::Intervened { interventions, .. } => {
                        let is_gone = interventions.origin.as_ref().is_some_and(|it| it.is_gone);
                        is_gone && seen.insert("gone")
                    }
                    _ => false,
                };
            }
            let is_killed = decision.effects.iter().any(|it| matches!(it, Effect::Kill { .. }));
            seen.extend(is_killed.then_some("a task is stopped"));
            seen.extend(is_part.then_some("some are left out"));
            // The engine's own way to it, with the invariants of what follows.
            let (drafts, terms) = (drafts.clone(), terms.clone());
            let request = Request::Apply { drafts, dialect: Dialect::V0, terms };
            prop_assert_eq!(desk.request(request).0, reply);
            Ok(())
        },
    );
    outcome.unwrap();
    let expected = [
        "a backfill is dropped",
        "a child inherits",
        "a cycle",
        "a run ends",
        "a run is stored",
        "a task id is used",
        "a task is stopped",
        "children are left",
        "created",
        "gone",
        "no parent",
        "occurrences without runs",
        "removed",
        "replaced",
        "some are left out",
        "unchanged",
    ];
    assert_eq!(Vec::from_iter(seen.into_inner()), expected);
}

/// Of many jobs only those are looked at that the jobs given have to do with.
#[test]
fn what_has_nothing_to_do_with_the_jobs_given_is_left_out() {
    let mut desk = Desk::new();
    let child = |job: &str, parents: &[&str]| {
        let mut draft = draft(job, "");
        draft.when = When::Parents(ParentTerms::plain(parents.iter().map(|it| name(it)).collect()));
        draft
    };
    let mut drafts = vec![draft("root", "@daily"), draft("other", "@daily")];
    drafts.extend((0..50).map(|number| child(&format!("leaf {number}"), &["root"])));
    drafts.extend([child("middle", &["root"]), child("below", &["middle"])]);
    drafts.extend([child("last", &["below", "other"])]);
    let _ =
        desk.request(Request::Apply { drafts, dialect: Dialect::V0, terms: ApplyTerms::default() });
    let part = |drafts: &[JobDraft]| {
        let excerpt = desk.state.excerpt(drafts, None);
        Vec::from_iter(excerpt.jobs_by_name(None).map(|entry| entry.job.name.to_string()))
    };
    // Its siblings are nothing to it, and neither is another parent of those after it.
    assert_eq!(part(&[child("middle", &["root"])]), ["below", "last", "middle", "root"]);
    // What gets a schedule cannot wait for itself; but its children are told of it.
    assert_eq!(part(&[draft("middle", "@daily")]), ["below", "middle"]);
    assert_eq!(part(&[child("new", &["leaf 7", "nobody"])]), ["leaf 7"]);
    assert_eq!(part(&[draft("new", "@daily")]), [""; 0]);
    assert_eq!(part(&[draft("root", "@daily")]).len(), 52);
}
