//! What every store must do, run against each of them.
//!
//! The stories come first; then any sequence of batches, after which the store under test must say what the memory
//! store says.

mod told;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Batch, CommitError, Error, Loaded, MemoryStore, Store, arbitrary};
use crate::engine::{Change, Launcher};
use crate::model::{
    Answer, AnsweredRequest, Backfill, BackfillId, BackfillState, CatchUp, Duration, Fitness,
    FrameworkId, HistoryEntry, Incarnation, Intervention, Interventions, Job, JobName, JobRecord,
    JobStats, NameRule, Objectives, OnUnknown, Outcome, Overlap, Pause, Period, Priority, Progress,
    RequestKey, Resources, RetryTerms, Run, RunId, RunState, ScheduleTerms, Shadow, Signal, Skip,
    Stretch, Term, Timestamp, Trigger, Verdict, When,
};

/// A store under test.
pub(super) trait Subject {
    fn store(&self) -> &dyn Store;
    /// All of its history, oldest first.
    fn history(&self) -> Vec<HistoryEntry>;
    /// As after the end of the process and a new start.
    fn restart(&mut self);
}

/// The whole suite.
pub(super) fn hold(make: &dyn Fn() -> Box<dyn Subject>) {
    an_empty_store_gives_an_empty_state(make());
    what_was_stored_is_loaded_again(make());
    what_the_launcher_is_to_its_cluster_is_remembered(make());
    a_batch_is_stored_whole_or_not_at_all(make());
    an_older_term_writes_nothing(make());
    marks_survive_what_they_were_made_for(make());
    a_removed_job_leaves_its_history(make());
    an_ended_run_is_history(make());
    a_stretch_is_extended_in_its_place(make());
    a_signal_is_kept_until_it_is_removed(make());
    what_operators_did_is_kept_until_it_is_over(make());
    a_voided_stretch_is_gone(make());
    changes_to_a_removed_job_change_nothing(make());
    volatile_changes_are_not_stored(make());
    any_sequence_of_batches_gives_what_the_memory_store_gives(make);
}

pub(super) fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn job(incarnation: u64, text: &str) -> JobRecord {
    JobRecord {
        incarnation: Incarnation(incarnation),
        revision: 1,
        accepted_at: at(0),
        job: Job {
            name: name(text),
            command: "true".to_owned(),
            shell: true,
            when: When::Schedule(ScheduleTerms::plain("R/2027-01-15T08:00:00Z/PT1M", "")),
            epsilon: Period { text: "PT60S".to_owned(), span: Duration::from_secs(60) },
            executor: String::new(),
            executor_flags: String::new(),
            task_info_data: String::new(),
            retries: 2,
            retry: RetryTerms::default(),
            owner: String::new(),
            owner_name: String::new(),
            description: String::new(),
            is_async: false,
            resources: Resources::default(),
            disabled: false,
            soft_error: false,
            data_processing: false,
            fetch: Vec::new(),
            uris: Vec::new(),
            environment: Vec::new(),
            arguments: Vec::new(),
            priority: Priority::Normal,
            run_as_user: String::new(),
            max_completion_secs: 0,
            kill_grace: None,
            disable_after_failures: None,
            on_unknown: OnUnknown::default(),
            container: None,
            constraints: Vec::new(),
            placement: Fitness::Pack,
            overlap: Overlap::Skip,
            catch_up: CatchUp::None,
            shadow: Shadow::Off,
            objectives: Objectives::default(),
            runbook: String::new(),
            labels: Vec::new(),
        },
        stats: JobStats::default(),
        progress: Progress {
            decided_through: at(0),
            stretch: None,
            boot_id: None,
            rounds: Vec::new(),
        },
        interventions: Interventions::default(),
    }
}

/// A pending run of the job's incarnation, due at its sequence.
pub(super) fn run(sequence: u64, incarnation: u64, text: &str) -> Run {
    let due_at = at(i64::try_from(sequence).unwrap());
    Run {
        id: RunId::scheduled(Incarnation(incarnation), due_at),
        sequence,
        job: name(text),
        trigger: Trigger::Schedule { due_at, opens_at: due_at },
        task_millis: due_at.as_millisecond(),
        arguments: None,
        environment: Vec::new(),
        by: None,
        retries_down: false,
        stopped_by: None,
        causes: Vec::new(),
        created_at: due_at,
        start_deadline: Some(due_at),
        wanted_at: due_at,
        state: RunState::Pending { deadline: Some(due_at) },
        attempts: Vec::new(),
    }
}

pub(super) fn ended(mut run: Run, verdict: Verdict, second: i64) -> Run {
    run.state = RunState::Ended { verdict, at: at(second), reason: String::new() };
    run
}

pub(super) fn stretch(sequence: u64, incarnation: u64, text: &str, count: u64) -> Stretch {
    Stretch {
        sequence,
        incarnation: Incarnation(incarnation),
        job: name(text),
        verdict: Verdict::Missed,
        reason: "nothing ran".to_owned(),
        first_due_at: at(0),
        last_due_at: at(60),
        count,
        decided_at: at(61),
    }
}

/// That the run of this sequence has succeeded.
pub(super) fn signal(sequence: u64, parent: u64) -> Signal {
    let due_at = at(i64::try_from(sequence).unwrap());
    Signal {
        sequence,
        parent: Incarnation(parent),
        run: RunId::scheduled(Incarnation(parent), due_at),
        outcome: Outcome::Succeeded,
        due_at,
        at: at(61),
        retries_down: false,
        told_through: None,
    }
}

fn by(second: i64) -> Intervention {
    Intervention { by: "kim".to_owned(), at: at(second), reason: "so".to_owned() }
}

fn what_operators_did_is_kept_until_it_is_over(mut subject: Box<dyn Subject>) {
    let pause = Pause { by: by(1), until: Some(at(9)) };
    let skips = vec![Skip { due_at: at(60), by: by(2) }];
    let interventions = Interventions { pause: Some(pause.clone()), skips, origin: None };
    let backfill = Backfill {
        id: BackfillId(5),
        incarnation: Incarnation(1),
        job: name("a"),
        by: by(3),
        due: vec![at(1), at(2)],
        concurrency: 1,
        stops_on_failure: true,
        arguments: None,
        environment: Vec::new(),
        begun: 1,
        ended: BTreeMap::new(),
        state: BackfillState::Going,
    };
    let further = Backfill { begun: 2, ..backfill.clone() };
    let intervened =
        |interventions| Change::Intervened { incarnation: Incarnation(1), interventions };
    let changes = vec![
        stored(&job(1, "a")),
        intervened(interventions.clone()),
        Change::EverythingPaused(Some(pause.clone())),
        Change::BackfillStored(Box::new(backfill)),
        Change::BackfillStored(Box::new(further.clone())),
    ];
    commit(&*subject, 1, changes).unwrap();
    subject.restart();
    let loaded = load(&*subject);
    assert_eq!(loaded.jobs[0].interventions, interventions);
    assert_eq!(
        (loaded.pause, loaded.backfills, loaded.last_sequence),
        (Some(pause), vec![further], 5)
    );

    let changes = vec![
        intervened(Interventions::default()),
        Change::EverythingPaused(None),
        Change::BackfillRemoved { id: BackfillId(5) },
    ];
    commit(&*subject, 1, changes).unwrap();
    subject.restart();
    let loaded = load(&*subject);
    assert_eq!(loaded.jobs, [job(1, "a")]);
    assert_eq!((loaded.pause, loaded.backfills), (None, Vec::new()));
    // Its number is never used again.
    assert_eq!(loaded.last_sequence, 5);
}

fn a_voided_stretch_is_gone(subject: Box<dyn Subject>) {
    let changes = vec![
        stored(&job(1, "a")),
        ran(&run(1, 1, "a")),
        Change::StretchStored(stretch(2, 1, "a", 4)),
    ];
    commit(&*subject, 1, changes).unwrap();
    // No run is ever void.
    let void = |sequence| Change::StretchVoided { sequence };
    commit(&*subject, 1, vec![void(1), void(2), void(3)]).unwrap();
    assert_eq!(subject.history(), [HistoryEntry::Run(run(1, 1, "a"))]);
}

/// A deletion that was carried out under that key.
fn answered(id: &str, second: i64) -> AnsweredRequest {
    let key = RequestKey {
        id: id.to_owned(),
        caller: "somebody".to_owned(),
        content: format!("content {second}"),
    };
    AnsweredRequest { key, at: at(second), answer: Answer::Deleted }
}

pub(super) fn batch(term: u64, changes: Vec<Change>) -> Batch {
    Batch { term: Term(term), changes }
}

pub(super) fn stored(record: &JobRecord) -> Change {
    Change::JobStored(Box::new(record.clone()))
}

pub(super) fn ran(run: &Run) -> Change {
    Change::RunStored(Box::new(run.clone()))
}

fn load(subject: &dyn Subject) -> Loaded {
    wait(subject.store().load()).unwrap()
}

fn commit(subject: &dyn Subject, term: u64, changes: Vec<Change>) -> Result<(), CommitError> {
    wait(subject.store().commit(batch(term, changes)))
}

/// Waits for a future that needs no runtime.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[track_caller]
fn is_refused(result: Result<(), CommitError>) -> Error {
    match result {
        Err(CommitError::Refused(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn an_empty_store_gives_an_empty_state(mut subject: Box<dyn Subject>) {
    assert_eq!(load(&*subject), Loaded::default());
    subject.restart();
    assert_eq!(load(&*subject), Loaded::default());
    assert_eq!(subject.history(), []);
}

fn what_was_stored_is_loaded_again(mut subject: Box<dyn Subject>) {
    let (mut a, b, live) = (job(1, "a"), job(2, "b"), run(1, 1, "a"));
    let began = Change::TermBegan(Term(3));
    commit(&*subject, 3, vec![began, stored(&a), stored(&b), ran(&live)]).unwrap();
    a.stats.success_count = 5;
    a.progress = Progress {
        decided_through: at(60),
        stretch: Some(stretch(2, 1, "a", 1)),
        boot_id: Some("3f1c".to_owned()),
        rounds: Vec::new(),
    };
    a.job.disabled = true;
    let (incarnation, stats, progress) = (a.incarnation, a.stats.clone(), a.progress.clone());
    let mark = Change::TaskMillisUsed { name: name("a"), millis: -7 };
    let zone =
        |name: &str, data: &[u8]| Change::ZoneKept { name: name.to_owned(), data: data.into() };
    let changes = vec![
        zone("Europe/Berlin", b"TZif2 of last year"),
        zone("America/New_York", b"TZif2\0\xff"),
        zone("Europe/Berlin", b"TZif2 of this year"),
        Change::Counted { incarnation, stats },
        Change::Progressed { incarnation, progress },
        Change::Disabled { incarnation },
        mark,
        Change::RequestAnswered(Box::new(answered("one", 1))),
        Change::RequestAnswered(Box::new(answered("two", 2))),
        Change::RequestAnswered(Box::new(answered("one", 3))),
        Change::AnswerForgotten { id: "two".to_owned() },
        Change::AnswerForgotten { id: "none".to_owned() },
    ];
    commit(&*subject, 3, changes).unwrap();
    let expected = Loaded {
        term: Term(3),
        jobs: vec![a.clone(), b],
        runs: vec![live],
        signals: Vec::new(),
        task_marks: vec![(name("a"), -7)],
        zones: vec![
            ("America/New_York".to_owned(), b"TZif2\0\xff".as_slice().into()),
            ("Europe/Berlin".to_owned(), b"TZif2 of this year".as_slice().into()),
        ],
        answered: vec![answered("one", 3)],
        pause: None,
        backfills: Vec::new(),
        alerts: crate::alerts::Recovered::default(),
        judged_through: Timestamp::default(),
        framework: None,
        last_incarnation: Incarnation(2),
        last_sequence: 1,
    };
    assert_eq!(load(&*subject), expected);
    subject.restart();
    assert_eq!(load(&*subject), expected);

    // A replace stores the whole record, and enables the job again.
    a.revision = 2;
    a.job.disabled = false;
    a.job.command = "false".to_owned();
    commit(&*subject, 3, vec![stored(&a)]).unwrap();
    assert_eq!(load(&*subject).jobs[0], a);
}

fn what_the_launcher_is_to_its_cluster_is_remembered(mut subject: Box<dyn Subject>) {
    assert_eq!(load(&*subject).framework, None);
    for id in ["F-1", "F-2"] {
        let framework = FrameworkId::new(id);
        commit(&*subject, 1, vec![Change::FrameworkSet(framework.clone())]).unwrap();
        assert_eq!(load(&*subject).framework, Some(framework.clone()));
        subject.restart();
        assert_eq!(load(&*subject).framework, Some(framework));
    }
    // What else is stored leaves it alone.
    commit(&*subject, 2, vec![stored(&job(1, "a"))]).unwrap();
    assert_eq!(load(&*subject).framework, Some(FrameworkId::new("F-2")));
}

fn a_batch_is_stored_whole_or_not_at_all(mut subject: Box<dyn Subject>) {
    commit(&*subject, 1, vec![stored(&job(1, "a")), ran(&run(1, 1, "a"))]).unwrap();
    let before = load(&*subject);
    let second_of_its_name = stored(&job(2, "a"));
    let same_run_elsewhere = ran(&Run { sequence: 9, ..run(1, 1, "a") });
    let other_name_for_it = stored(&job(1, "b"));
    let other_run_there = ran(&Run { sequence: 1, ..run(8, 1, "a") });
    let stretch_there = Change::StretchStored(stretch(1, 1, "a", 1));
    for bad in
        [second_of_its_name, other_name_for_it, same_run_elsewhere, other_run_there, stretch_there]
    {
        let changes = vec![stored(&job(7, "other")), ran(&run(5, 7, "other")), bad];
        let error = is_refused(commit(&*subject, 2, changes));
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
        assert_eq!(load(&*subject), before);
    }
    subject.restart();
    assert_eq!(load(&*subject), before);
    // A name is free again as soon as its holder is gone, also within a batch.
    let gone = Change::JobRemoved { incarnation: Incarnation(1), name: name("a") };
    commit(&*subject, 2, vec![gone, stored(&job(2, "a"))]).unwrap();
    assert_eq!(load(&*subject).jobs, [job(2, "a")]);
}

fn an_older_term_writes_nothing(subject: Box<dyn Subject>) {
    commit(&*subject, 4, vec![Change::TermBegan(Term(4))]).unwrap();
    let error = is_refused(commit(&*subject, 3, vec![stored(&job(1, "a"))]));
    assert!(
        matches!(error, Error::Fenced { offered: Term(3), stored: Term(4) }),
        "unexpected {error}"
    );
    assert_eq!(load(&*subject), Loaded { term: Term(4), ..Loaded::default() });
    // Whoever writes with a newer term fences off the older ones, also without saying that it began.
    commit(&*subject, 6, vec![stored(&job(1, "a"))]).unwrap();
    assert_eq!(load(&*subject).term, Term(6));
    is_refused(commit(&*subject, 5, vec![stored(&job(2, "b"))]));
}

fn marks_survive_what_they_were_made_for(mut subject: Box<dyn Subject>) {
    let removed = Change::JobRemoved { incarnation: Incarnation(7), name: name("a") };
    let mark = |millis| Change::TaskMillisUsed { name: name("a"), millis };
    let changes = vec![stored(&job(7, "a")), mark(50), mark(40), ran(&run(12, 7, "a"))];
    commit(&*subject, 1, changes).unwrap();
    commit(&*subject, 1, vec![removed, ran(&ended(run(12, 7, "a"), Verdict::Killed, 9))]).unwrap();
    subject.restart();
    let expected = Loaded {
        term: Term(1),
        task_marks: vec![(name("a"), 50)],
        last_incarnation: Incarnation(7),
        last_sequence: 12,
        ..Loaded::default()
    };
    assert_eq!(load(&*subject), expected);
}

fn a_removed_job_leaves_its_history(subject: Box<dyn Subject>) {
    let live = run(1, 1, "a");
    let removed = Change::JobRemoved { incarnation: Incarnation(1), name: name("a") };
    commit(&*subject, 1, vec![stored(&job(1, "a")), ran(&live), removed]).unwrap();
    // Its live run is still to be ended by somebody.
    assert_eq!(load(&*subject).runs, std::slice::from_ref(&live));
    let over = ended(live, Verdict::Killed, 5);
    commit(&*subject, 1, vec![stored(&job(2, "a")), ran(&over)]).unwrap();
    assert_eq!(load(&*subject).jobs, [job(2, "a")]);
    assert_eq!(subject.history(), [HistoryEntry::Run(over)]);
}

fn an_ended_run_is_history(subject: Box<dyn Subject>) {
    let (first, second) = (run(1, 1, "a"), run(2, 1, "a"));
    commit(&*subject, 1, vec![ran(&first), ran(&second)]).unwrap();
    let over = ended(first, Verdict::Succeeded, 5);
    commit(&*subject, 1, vec![ran(&over)]).unwrap();
    assert_eq!(load(&*subject).runs, std::slice::from_ref(&second));
    assert_eq!(subject.history(), [HistoryEntry::Run(over), HistoryEntry::Run(second)]);
}

fn a_stretch_is_extended_in_its_place(subject: Box<dyn Subject>) {
    let short = stretch(3, 1, "a", 1);
    commit(&*subject, 1, vec![Change::StretchStored(short), ran(&run(4, 1, "a"))]).unwrap();
    let long = stretch(3, 1, "a", 1_000);
    commit(&*subject, 1, vec![Change::StretchStored(long.clone())]).unwrap();
    let expected = [HistoryEntry::Stretch(long), HistoryEntry::Run(run(4, 1, "a"))];
    assert_eq!(subject.history(), expected);
    assert_eq!(load(&*subject).last_sequence, 4);
}

fn a_signal_is_kept_until_it_is_removed(mut subject: Box<dyn Subject>) {
    let removed = |sequence| Change::SignalRemoved { sequence };
    let gone = Change::JobRemoved { incarnation: Incarnation(1), name: name("a") };
    let (first, mut second) = (signal(4, 1), signal(9, 1));
    let stored = |signal: &Signal| Change::SignalStored(signal.clone());
    commit(&*subject, 1, vec![self::stored(&job(1, "a")), stored(&second), stored(&first)])
        .unwrap();
    // Told in parts, it gets further in its place. Its job may be gone meanwhile.
    second.told_through = Some(Incarnation(7));
    commit(&*subject, 1, vec![stored(&second), gone]).unwrap();
    for _ in 0..2 {
        let loaded = load(&*subject);
        assert_eq!(loaded.signals, [first.clone(), second.clone()]);
        assert_eq!(loaded.last_sequence, 9);
        subject.restart();
    }
    // One that was never stored, or is told within its own batch, leaves nothing behind either.
    commit(&*subject, 1, vec![removed(9), removed(77), stored(&signal(12, 2)), removed(12)])
        .unwrap();
    subject.restart();
    let loaded = load(&*subject);
    assert_eq!(loaded.signals, [first]);
    assert_eq!(loaded.last_sequence, 12);
    assert_eq!(subject.history(), []);
}

fn changes_to_a_removed_job_change_nothing(subject: Box<dyn Subject>) {
    let incarnation = Incarnation(1);
    let changes = vec![
        Change::Counted { incarnation, stats: JobStats::default() },
        Change::Progressed { incarnation, progress: job(1, "a").progress },
        Change::Disabled { incarnation },
        Change::JobRemoved { incarnation, name: name("a") },
    ];
    commit(&*subject, 1, changes).unwrap();
    assert_eq!(load(&*subject), Loaded { term: Term(1), ..Loaded::default() });
}

fn volatile_changes_are_not_stored(subject: Box<dyn Subject>) {
    let volatile = vec![
        Change::OffersSet(Launcher::Gone { reason: "down".to_owned(), since: None }),
        Change::PlacementSettled,
    ];
    commit(&*subject, 1, volatile).unwrap();
    commit(&*subject, 1, Vec::new()).unwrap();
    assert_eq!(load(&*subject), Loaded::default());
}

fn any_sequence_of_batches_gives_what_the_memory_store_gives(make: &dyn Fn() -> Box<dyn Subject>) {
    let mut runner =
        TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let batches =
        proptest::collection::vec((1..4_u64, proptest::collection::vec(change(), 0..6)), 1..12);
    let result = runner.run(&batches, |batches| {
        let mut subject = make();
        let model = MemoryStore::new();
        for (term, changes) in batches {
            let expected = model.commit_now(&batch(term, changes.clone())).is_ok();
            let found = commit(&*subject, term, changes).is_ok();
            prop_assert_eq!(found, expected);
        }
        prop_assert_eq!(load(&*subject), model.load_now());
        subject.restart();
        prop_assert_eq!(load(&*subject), model.load_now());
        prop_assert_eq!(subject.history(), model.history());
        Ok(())
    });
    result.unwrap();
}

/// Any change to few jobs and runs, so that they meet.
fn change() -> impl Strategy<Value = Change> {
    let few = || 1..4_u64;
    let name_of = |index: u64| name(&format!("job {index}"));
    prop_oneof![
        few().prop_map(|term| Change::TermBegan(Term(term))),
        (few(), few(), arbitrary::job_record()).prop_map(move |(life, index, mut record)| {
            record.incarnation = Incarnation(life);
            record.job.name = name_of(index);
            Change::JobStored(Box::new(record))
        }),
        (few(), few()).prop_map(move |(life, index)| Change::JobRemoved {
            incarnation: Incarnation(life),
            name: name_of(index),
        }),
        (few(), arbitrary::progress()).prop_map(|(life, progress)| Change::Progressed {
            incarnation: Incarnation(life),
            progress,
        }),
        (few(), arbitrary::stats())
            .prop_map(|(life, stats)| Change::Counted { incarnation: Incarnation(life), stats }),
        few().prop_map(|life| Change::Disabled { incarnation: Incarnation(life) }),
        (few(), few(), arbitrary::run()).prop_map(|(sequence, due, mut run)| {
            run.sequence = sequence;
            run.id = RunId::manual(Incarnation(1), i64::try_from(due).unwrap());
            Change::RunStored(Box::new(run))
        }),
        (few(), arbitrary::stretch()).prop_map(|(sequence, mut stretch)| {
            stretch.sequence = sequence;
            Change::StretchStored(stretch)
        }),
        (few(), arbitrary::signal()).prop_map(|(sequence, mut signal)| {
            signal.sequence = sequence;
            Change::SignalStored(signal)
        }),
        few().prop_map(|sequence| Change::SignalRemoved { sequence }),
        (few(), any::<i64>()).prop_map(move |(index, millis)| Change::TaskMillisUsed {
            name: name_of(index),
            millis
        }),
        (few(), arbitrary::answered()).prop_map(|(index, mut answered)| {
            answered.key.id = format!("key {index}");
            Change::RequestAnswered(Box::new(answered))
        }),
        few().prop_map(|index| Change::AnswerForgotten { id: format!("key {index}") }),
        (few(), any::<Vec<u8>>()).prop_map(|(index, data)| Change::ZoneKept {
            name: format!("Zone/{index}"),
            data: data.into(),
        }),
        told::told(few()),
        arbitrary::instant().prop_map(Change::ObjectivesJudged),
        Just(Change::PlacementSettled),
    ]
}

#[derive(Debug, Default)]
struct InMemory(MemoryStore);

impl Subject for InMemory {
    fn store(&self) -> &dyn Store {
        &self.0
    }
    fn history(&self) -> Vec<HistoryEntry> {
        self.0.history()
    }
    fn restart(&mut self) {}
}

#[test]
fn the_memory_store_holds_the_contract() {
    hold(&|| Box::new(InMemory::default()));
}
