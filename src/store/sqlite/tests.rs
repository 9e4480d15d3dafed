//! What only a store on a disk must do.

mod pages;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;
use crate::engine::Change;
use crate::model::{
    AgentId, Alarm, Answer, AnsweredRequest, Attempt, AttemptState, Backfill, BackfillId,
    BackfillState, CatchUp, Duration, Exit, HistoryEntry, Incarnation, Intervention, Interventions,
    JobRecord, Overlap, ParentTerms, Pattern, Pause, Priority, RequestKey, Resources, Run, RunId,
    RunState, Scope, Skip, TaskId, Term, Trigger, Verdict, When,
};
use crate::store::conformance::{
    self, Subject, at, batch, ended, job, name, ran, run, signal, stored, stretch, wait,
};

/// A store in a directory of its own.
struct OnDisk {
    store: Option<SqliteStore>,
    directory: tempfile::TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        Self { store: Some(store), directory }
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join(DATABASE_FILE)
    }
}

impl Subject for OnDisk {
    fn store(&self) -> &dyn Store {
        OnDisk::store(self)
    }

    fn history(&self) -> Vec<HistoryEntry> {
        let reader = OnDisk::store(self).reader().unwrap();
        let mut entries = reader.list(&Filter::default(), None, usize::MAX).unwrap();
        entries.reverse();
        entries
    }

    fn restart(&mut self) {
        self.store = None;
        self.store = Some(open(self.directory.path()).unwrap());
    }
}

fn open(directory: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(&DataDir::open(directory).unwrap())
}

#[test]
fn it_holds_the_contract() {
    conformance::hold(&|| Box::new(OnDisk::new()));
}

/// Two jobs, one of them with a stretch; a live run, an ended one; a mark.
fn fill(store: &SqliteStore) {
    let mut a = job(1, "a");
    a.progress.stretch = Some(stretch(2, 1, "a", 4));
    let changes = vec![
        Change::TermBegan(Term(2)),
        stored(&a),
        stored(&job(2, "b")),
        ran(&without_window(ended(run(1, 1, "a"), Verdict::Failed, 5))),
        Change::StretchStored(stretch(2, 1, "a", 4)),
        ran(&without_window(run(3, 2, "b"))),
        Change::TaskMillisUsed { name: name("a"), millis: 5 },
    ];
    wait(store.commit(batch(2, changes))).unwrap();
}

/// As records of the first two versions say it.
fn without_window(run: Run) -> Run {
    Run { start_deadline: None, ..run }
}

/// Keeps the data of a zone, which the first layout had no place for.
fn keep_zone(store: &SqliteStore) {
    let zone =
        Change::ZoneKept { name: "Europe/Berlin".to_owned(), data: b"TZif2".as_slice().into() };
    wait(store.commit(batch(2, vec![zone]))).unwrap();
}

/// A job with parents and a run that waits, said as the second layout said them.
fn keep_child(store: &SqliteStore) {
    let mut child = job(3, "c");
    child.job.when = When::Parents(ParentTerms::plain(vec![name("a"), name("b")]));
    child.job.priority = Priority::High;
    child.job.overlap = Overlap::Allow { max: None };
    child.job.catch_up = CatchUp::Latest;
    child.progress.boot_id = Some("3f1c".to_owned());
    let mut waiting = without_window(run(4, 3, "c"));
    waiting.state = RunState::Waiting { until: Alarm { at: at(63), boot: None } };
    waiting.attempts.push(Attempt {
        index: 0,
        task_id: TaskId::from_text("ct:1:0:c:"),
        agent: AgentId::new("local"),
        placed: None,
        is_staged: false,
        launched_at: at(4),
        holds: Resources::default(),
        reported: None,
        elements: None,
        state: AttemptState::Ended {
            started_at: Some(at(4)),
            at: at(5),
            exit: Some(Exit::Code(75)),
            message: "exit code 75".to_owned(),
        },
    });
    wait(store.commit(batch(2, vec![stored(&child), ran(&waiting)]))).unwrap();
}

/// Keeps the end of a parent's run, which the first two layouts had no place for.
fn keep_signal(store: &SqliteStore) {
    wait(store.commit(batch(2, vec![Change::SignalStored(signal(5, 1))]))).unwrap();
}

/// Two runs that succeeded, of which no layout before the fourth says how long they took.
fn keep_successes(store: &SqliteStore) {
    let mut second = ended(run(7, 1, "a"), Verdict::Succeeded, 12);
    // It wanted an offer again later than it was due.
    second.wanted_at = at(9);
    let first = ended(run(6, 1, "a"), Verdict::Succeeded, 8);
    wait(store.commit(batch(2, vec![ran(&without_window(first)), ran(&without_window(second))])))
        .unwrap();
}

/// All that a file can be asked for.
fn everything(store: &SqliteStore) -> Result<(Loaded, Vec<HistoryEntry>), Error> {
    let loaded = wait(store.load())?;
    Ok((loaded, store.reader()?.list(&Filter::default(), None, usize::MAX)?))
}

fn refusal(directory: &Path) -> String {
    open(directory).map(drop).unwrap_err().to_string()
}

#[test]
fn a_database_of_the_first_layout_opens() {
    opens_as(include_str!("fixtures/layout-1.sql"), &[fill]);
}

#[test]
fn a_database_of_the_second_layout_opens() {
    opens_as(include_str!("fixtures/layout-2.sql"), &[fill, keep_zone, keep_child]);
}

#[test]
fn a_database_of_the_third_layout_opens() {
    let steps = [fill, keep_zone, keep_child, keep_signal, keep_successes];
    opens_as(include_str!("fixtures/layout-3.sql"), &steps);
}

/// A run that parents brought about, and an answer, which the first four layouts had no place for.
fn keep_followed(store: &SqliteStore) {
    let followed = Run {
        id: RunId::parents(Incarnation(3), at(8).as_millisecond()),
        trigger: Trigger::Parents { due_at: at(7), at: at(8) },
        task_millis: at(8).as_millisecond(),
        causes: vec![RunId::scheduled(Incarnation(1), at(7))],
        created_at: at(8),
        wanted_at: at(8),
        state: RunState::Queued,
        ..without_window(run(8, 3, "c"))
    };
    let key = RequestKey {
        id: "one".to_owned(),
        caller: String::new(),
        content: "content of one".to_owned(),
    };
    let answered = AnsweredRequest { key, at: at(3), answer: Answer::Deleted };
    let changes = vec![ran(&followed), Change::RequestAnswered(Box::new(answered))];
    wait(store.commit(batch(2, changes))).unwrap();
}

#[test]
fn a_database_of_the_fifth_layout_opens() {
    let steps = [fill, keep_zone, keep_child, keep_signal, keep_successes, keep_followed];
    opens_as(include_str!("fixtures/layout-5.sql"), &steps);
}

/// What operators have done, which the first five layouts had no place for.
fn keep_operated(store: &SqliteStore) {
    let by = Intervention { by: "kim".to_owned(), at: at(9), reason: "a move".to_owned() };
    let pause = Pause { by: by.clone(), until: Some(at(90)) };
    let skips = vec![Skip { due_at: at(120), by: by.clone() }];
    let backfill = Backfill {
        id: BackfillId(9),
        incarnation: Incarnation(1),
        job: name("a"),
        by,
        due: vec![at(1), at(2)],
        concurrency: 1,
        stops_on_failure: true,
        arguments: None,
        environment: Vec::new(),
        begun: 1,
        ended: std::collections::BTreeMap::new(),
        state: BackfillState::Going,
    };
    let interventions = Interventions { pause: Some(pause.clone()), skips, origin: None };
    let changes = vec![
        Change::Intervened { incarnation: Incarnation(1), interventions },
        Change::EverythingPaused(Some(pause)),
        Change::BackfillStored(Box::new(backfill)),
    ];
    wait(store.commit(batch(2, changes))).unwrap();
}

#[test]
fn a_database_of_the_sixth_layout_opens() {
    let steps =
        [fill, keep_zone, keep_child, keep_signal, keep_successes, keep_followed, keep_operated];
    opens_as(include_str!("fixtures/layout-6.sql"), &steps);
}

#[test]
fn how_long_runs_took_is_found_in_files_that_did_not_say_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(DATABASE_FILE);
    let fixture = include_str!("fixtures/layout-3.sql");
    Connection::open(&path).unwrap().execute_batch(fixture).unwrap();
    let store = open(directory.path()).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.took(Incarnation(1), 10).unwrap(), [3_000, 2_000]);
    // What failed, or is not over, took no time that counts.
    assert_eq!(reader.took(Incarnation(2), 10).unwrap(), [0; 0]);
}

#[test]
fn how_long_successes_took_is_kept_with_them() {
    let subject = OnDisk::new();
    let store = subject.store();
    let mut live = run(3, 1, "a");
    let changes = vec![
        stored(&job(1, "a")),
        stored(&job(2, "b")),
        ran(&ended(run(1, 1, "a"), Verdict::Succeeded, 5)),
        ran(&ended(run(2, 2, "b"), Verdict::Succeeded, 2)),
        ran(&live),
        ran(&ended(run(4, 1, "a"), Verdict::Failed, 5)),
        Change::StretchStored(stretch(5, 1, "a", 4)),
        // The clock was set back while it ran.
        ran(&ended(run(6, 1, "a"), Verdict::Succeeded, 5)),
    ];
    wait(store.commit(batch(1, changes))).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.took(Incarnation(1), 10).unwrap(), [0, 4_000]);
    live = ended(live, Verdict::Succeeded, 13);
    wait(store.commit(batch(1, vec![ran(&live)]))).unwrap();
    assert_eq!(reader.took(Incarnation(1), 10).unwrap(), [0, 10_000, 4_000]);
    assert_eq!(reader.took(Incarnation(1), 2).unwrap(), [0, 10_000]);
    assert_eq!(reader.took(Incarnation(9), 2).unwrap(), [0; 0]);
    let of_all = |limit| {
        let mut found = Vec::new();
        reader.took_by_all(limit, |job, took| found.push((job.0, took.clone()))).unwrap();
        found
    };
    assert_eq!(of_all(10), [(2, vec![0]), (1, vec![0, 10_000, 4_000])]);
    assert_eq!(of_all(2), [(2, vec![0]), (1, vec![0, 10_000])]);
    // What is taken out of the history is gone from there too.
    let retention = Retention { per_job: 2, ..Retention::default() };
    prune_all(store, 50, retention, 10);
    assert_eq!(of_all(10), [(2, vec![0]), (1, vec![0])]);
}

#[test]
fn how_long_runs_took_is_read_from_an_index_alone() {
    let subject = OnDisk::new();
    let reader = subject.store().reader().unwrap();
    for sql in [reader::TOOK, reader::TOOK_BY_ALL] {
        let plan = reader::explain_sql(&reader, sql);
        assert!(plan.contains("COVERING INDEX history_took"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

/// Whether an earlier release's file says what `steps` make now, and takes what it had no place for.
#[track_caller]
fn opens_as(fixture: &str, steps: &[fn(&SqliteStore)]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(DATABASE_FILE);
    Connection::open(&path).unwrap().execute_batch(fixture).unwrap();
    let reference = OnDisk::new();
    for step in steps {
        step(reference.store());
    }
    let store = open(directory.path()).unwrap();
    assert_eq!(everything(&store).unwrap(), everything(reference.store()).unwrap());
    for store in [&store, reference.store()] {
        keep_zone(store);
        keep_signal(store);
    }
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(everything(&store).unwrap(), everything(reference.store()).unwrap());
    let loaded = wait(store.load()).unwrap();
    assert_eq!((loaded.zones.len(), loaded.signals.len()), (1, 1));
}

#[test]
fn what_cannot_be_trusted_is_refused_and_left_alone() {
    let check = |make: &dyn Fn(&Path), expected: &str| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(DATABASE_FILE);
        make(&path);
        let before = fs::read(&path).ok();
        let error = refusal(directory.path());
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(DATABASE_FILE), "{error}");
        assert_eq!(fs::read(&path).ok(), before, "{error}");
    };
    let sqlite =
        |path: &Path, sql: &str| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    check(&|path| fs::write(path, "").unwrap(), "is damaged: the file is empty");
    check(
        &|path| {
            fs::write(path, "").unwrap();
            fs::write(open::beside(path, "-wal"), "log").unwrap();
        },
        "is damaged: the file is empty",
    );
    check(
        &|path| fs::write(open::beside(path, "-wal"), "log").unwrap(),
        "the file is missing, but its -wal file is there",
    );
    check(&|path| fs::write(path, "text".repeat(2_000)).unwrap(), "it is no SQLite file");
    check(&|path| sqlite(path, "CREATE TABLE t (x)"), "an SQLite file of another application");
    check(
        &|path| {
            let layout = schema::LAYOUT + 1;
            let application = schema::APPLICATION_ID;
            sqlite(
                path,
                &format!(
                    "PRAGMA application_id = {application}; PRAGMA user_version = {layout};
                     CREATE TABLE t (x)"
                ),
            );
        },
        "was written by a newer Chronode",
    );
}

#[test]
fn a_record_of_a_newer_chronode_is_refused() {
    let mut subject = OnDisk::new();
    fill(subject.store());
    subject.store = None;
    let connection = Connection::open(subject.database()).unwrap();
    let newer = format!("{} 0 {{}}", crate::store::codec::VERSION + 1);
    connection.execute("UPDATE jobs SET stats = ?1 WHERE name = 'b'", [newer]).unwrap();
    drop(connection);
    let store = open(subject.directory.path()).unwrap();
    let error = wait(store.load()).unwrap_err();
    assert!(error.to_string().contains("damaged at job `b` (2)"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("written by a newer Chronode"), "{source}");
}

#[test]
fn a_signal_in_the_place_of_another_and_one_above_the_marks_are_refused() {
    for (statement, expected) in [
        ("UPDATE signals SET sequence = 3", "damaged at signal 3"),
        ("UPDATE signals SET sequence = 6", "its marks lie below the numbers in use"),
    ] {
        let mut subject = OnDisk::new();
        fill(subject.store());
        keep_signal(subject.store());
        subject.store = None;
        Connection::open(subject.database()).unwrap().execute_batch(statement).unwrap();
        let error = open(subject.directory.path())
            .and_then(|store| wait(store.load()))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_start_that_was_cut_short_begins_again() {
    let directory = tempfile::tempdir().unwrap();
    let new = open::beside(&directory.path().join(DATABASE_FILE), ".new");
    fs::write(&new, "half").unwrap();
    fs::write(open::beside(&new, "-wal"), "half").unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(wait(store.load()).unwrap(), Loaded::default());
    let mode = fs::metadata(directory.path().join(DATABASE_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// The bytes of a closed database with something in it, and what it says.
fn sample() -> (Vec<u8>, (Loaded, Vec<HistoryEntry>)) {
    let mut subject = OnDisk::new();
    fill(subject.store());
    keep_zone(subject.store());
    keep_child(subject.store());
    keep_signal(subject.store());
    let truth = everything(subject.store()).unwrap();
    subject.store = None;
    assert!(!open::beside(&subject.database(), "-wal").exists());
    (fs::read(subject.database()).unwrap(), truth)
}

#[test]
fn a_flipped_bit_is_noticed_or_harmless() {
    let (bytes, truth) = sample();
    let mut noticed = 0;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..200 {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let place = usize::try_from(seed >> 33).unwrap() % bytes.len();
        let mut bent = bytes.clone();
        bent[place] ^= 1 << (seed % 8);
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(DATABASE_FILE), &bent).unwrap();
        match open(directory.path()).and_then(|store| everything(&store)) {
            Ok(found) => assert_eq!(found, truth, "byte {place}"),
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 0);
}

#[test]
fn a_cut_file_is_refused() {
    let (bytes, _) = sample();
    for length in (0..bytes.len()).step_by(4_096) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(DATABASE_FILE), &bytes[..length]).unwrap();
        let error = refusal(directory.path());
        assert!(error.contains("is damaged"), "cut to {length}: {error}");
    }
}

#[test]
fn what_was_answered_is_there_after_a_kill() {
    let subject = OnDisk::new();
    fill(subject.store());
    // What the disk holds while the process runs, its log not yet in the database. Copied by a process of its own:
    // closing the file here would drop the locks of the connections to it.
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let status = std::process::Command::new("cp")
            .arg(open::beside(&subject.database(), suffix))
            .arg(copy.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
    assert!(fs::metadata(copy.path().join("chronode.db-wal")).unwrap().len() > 0);
    let store = open(copy.path()).unwrap();
    assert_eq!(everything(&store).unwrap(), everything(subject.store()).unwrap());
}

#[test]
fn a_connection_given_up_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&directory.path().join(DATABASE_FILE)).unwrap();
    writer.commit(&batch(1, vec![stored(&job(1, "a"))])).unwrap();
    let source = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
        None,
    );
    writer.distrust_after(&Error::Sqlite { doing: "commit", source });
    assert!(writer.is_distrusted());
    writer.commit(&batch(1, vec![stored(&job(2, "b"))])).unwrap();
    assert!(!writer.is_distrusted());
    assert_eq!(writer.load().unwrap().jobs, [job(1, "a"), job(2, "b")]);
}

#[test]
fn nothing_is_stored_in_a_file_that_was_taken_away() {
    let subject = OnDisk::new();
    fill(subject.store());
    let elsewhere = open::beside(&subject.database(), ".moved");
    let commit = || wait(subject.store().commit(batch(2, vec![stored(&job(3, "c"))])));
    fs::rename(subject.database(), &elsewhere).unwrap();
    let error = commit().unwrap_err();
    assert!(matches!(error, CommitError::Refused(Error::Moved { .. })), "{error:?}");
    fs::write(subject.database(), "another file").unwrap();
    let error = commit().unwrap_err();
    assert!(matches!(error, CommitError::Refused(Error::Moved { .. })), "{error:?}");
    fs::rename(&elsewhere, subject.database()).unwrap();
    commit().unwrap();
    assert_eq!(wait(subject.store().load()).unwrap().jobs.len(), 3);
}

#[test]
fn the_log_stays_short() {
    let subject = OnDisk::new();
    let wal = open::beside(&subject.database(), "-wal");
    for index in 1..=800 {
        wait(subject.store().commit(batch(1, vec![ran(&run(index, 1, "a"))]))).unwrap();
    }
    let length = fs::metadata(&wal).unwrap().len();
    assert!(length < 12 << 20, "{length} bytes");
    wait(subject.store().checkpoint()).unwrap();
    assert_eq!(fs::metadata(&wal).unwrap().len(), 0);
}

/// A file system of its own, so small that it can be filled.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"])
            .arg(directory.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that could not be made must be seen")]
fn a_full_disk_refuses_and_recovers() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("NOT TESTED: a full disk, because no file system could be mounted (not root?)");
        return;
    };
    let store = open(disk.0.path()).unwrap();
    let ballast = disk.0.path().join("ballast");
    let mut acknowledged = Vec::new();
    let mut record = job(1, "a");
    record.job.command = "x".repeat(20_000);
    for round in 0..2 {
        // Somebody else fills half of it.
        fs::write(&ballast, vec![0; 2_000_000]).unwrap();
        let refused = loop {
            record.incarnation = Incarnation(acknowledged.len() as u64 + 1);
            record.job.name = name(&format!("job {}", acknowledged.len()));
            match wait(store.commit(batch(1, vec![stored(&record)]))) {
                Ok(()) => acknowledged.push(record.clone()),
                Err(error) => break error,
            }
            assert!(acknowledged.len() < 200, "the disk never filled up");
        };
        let CommitError::Refused(Error::Full { .. }) = refused else {
            panic!("round {round}: expected a full disk, got {refused:?}");
        };
        assert_eq!(wait(store.load()).unwrap().jobs, acknowledged);
        fs::remove_file(&ballast).unwrap();
        wait(store.commit(batch(1, vec![stored(&record)]))).unwrap();
        acknowledged.push(record.clone());
        assert_eq!(wait(store.load()).unwrap().jobs, acknowledged);
        // Make room for the next round.
        wait(store.checkpoint()).unwrap();
        let gone = |record: JobRecord| Change::JobRemoved {
            incarnation: record.incarnation,
            name: record.job.name,
        };
        wait(store.commit(batch(1, acknowledged.drain(..).map(gone).collect()))).unwrap();
        let retention = Retention { removed_jobs: 0, ..Retention::default() };
        while wait(store.prune(at(0), retention, 500)).unwrap().more {}
        wait(store.checkpoint()).unwrap();
    }
    drop(store);
    assert_eq!(wait(open(disk.0.path()).unwrap().load()).unwrap().jobs, []);
}

/// Ended runs `from..=to` of `job`, one a second.
fn succeed(store: &SqliteStore, text: &str, from: u64, to: u64) {
    let runs = (from..=to).map(|sequence| {
        let second = i64::try_from(sequence).unwrap();
        ran(&ended(run(sequence, 1, text), Verdict::Succeeded, second))
    });
    wait(store.commit(batch(1, runs.collect()))).unwrap();
}

fn sequences(store: &SqliteStore, filter: &Filter) -> Vec<u64> {
    let found = store.reader().unwrap().list(filter, None, usize::MAX).unwrap();
    found.iter().map(HistoryEntry::sequence).collect()
}

fn of(job: &str) -> Filter {
    Filter { job: Some(name(job)), ..Filter::default() }
}

/// Prunes until there is no more; how often that took, and what was taken out.
fn prune_all(
    store: &SqliteStore,
    second: i64,
    retention: Retention,
    limit: usize,
) -> (usize, usize) {
    let (mut calls, mut entries) = (0, 0);
    loop {
        let pruned = wait(store.prune(at(second), retention, limit)).unwrap();
        assert!(pruned.entries <= limit, "{pruned:?}");
        calls += 1;
        entries += pruned.entries;
        if !pruned.more {
            return (calls, entries);
        }
        assert!(calls < 1_000, "pruning never ends");
    }
}

#[test]
fn history_is_listed_newest_first_as_filtered() {
    let subject = OnDisk::new();
    let store = subject.store();
    fill(store);
    let all = |filter: Filter| sequences(store, &filter);
    assert_eq!(all(Filter::default()), [3, 2, 1]);
    assert_eq!(all(of("a")), [2, 1]);
    assert_eq!(all(Filter { incarnation: Some(Incarnation(9)), ..of("a") }), [0_u64; 0]);
    assert_eq!(all(Filter { incarnation: Some(Incarnation(1)), ..of("a") }), [2, 1]);
    assert_eq!(all(Filter { verdict: Some(Verdict::Failed), ..Filter::default() }), [1]);
    assert_eq!(all(Filter { verdict: Some(Verdict::Succeeded), ..Filter::default() }), [0_u64; 0]);
    assert_eq!(all(Filter { live: Some(true), ..Filter::default() }), [3]);
    assert_eq!(all(Filter { live: Some(false), ..Filter::default() }), [2, 1]);
    let reader = store.reader().unwrap();
    let page = reader.list(&Filter::default(), Some(3), 1).unwrap();
    assert_eq!(page, [HistoryEntry::Stretch(stretch(2, 1, "a", 4))]);
    let live = without_window(run(3, 2, "b"));
    assert_eq!(reader.run(live.id).unwrap(), Some(live));
    assert_eq!(reader.run(run(9, 9, "z").id).unwrap(), None);
    let counts = reader.counts(None).unwrap();
    assert_eq!(counts, [(Verdict::Failed, 1), (Verdict::Missed, 4)].into());
    assert_eq!(reader.counts(Some(&name("b"))).unwrap(), [].into());
}

#[test]
fn a_scope_is_a_condition_of_the_list_so_pages_are_full() {
    let subject = OnDisk::new();
    let store = subject.store();
    for (sequence, text) in [
        (1, "bill-a"),
        (2, "other"),
        (3, "bill-z"),
        (4, "bill"),
        (5, "bill."),
        (6, "one"),
        (7, "bills-a"),
    ] {
        let over = ended(run(sequence, sequence, text), Verdict::Succeeded, 9);
        let changes = vec![stored(&job(sequence, text)), ran(&over)];
        wait(store.commit(batch(1, changes))).unwrap();
    }
    let within = |patterns: &[&str]| {
        let patterns = patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Filter { scope: Scope::Only(patterns), ..Filter::default() }
    };
    assert_eq!(sequences(store, &within(&["bill-*", "one"])), [6, 3, 1]);
    assert_eq!(sequences(store, &within(&[])), [0_u64; 0]);
    let of_other = Filter { job: Some(name("other")), ..within(&["bill-*"]) };
    assert_eq!(sequences(store, &of_other), [0_u64; 0]);
    // A page has as many entries as were asked for, whatever else lies between them.
    let page = store.reader().unwrap().list(&within(&["bill-*"]), Some(7), 2).unwrap();
    assert_eq!(page.iter().map(HistoryEntry::sequence).collect::<Vec<_>>(), [3, 1]);
}

#[test]
fn lists_walk_an_index_and_sort_nothing() {
    let subject = OnDisk::new();
    fill(subject.store());
    let reader = subject.store().reader().unwrap();
    let check = |filter: Filter, before: Option<u64>, expected: &str| {
        let plan = reader::explain(&reader, &filter, before);
        assert!(plan.contains(expected), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    };
    check(Filter::default(), None, "SCAN history");
    check(Filter::default(), Some(7), "SEARCH history USING INTEGER PRIMARY KEY (rowid<?)");
    check(of("a"), None, "USING INDEX history_by_job (job=?)");
    check(of("a"), Some(7), "USING INDEX history_by_job (job=? AND sequence<?)");
    let failed = Filter { verdict: Some(Verdict::Failed), ..Filter::default() };
    check(failed.clone(), None, "USING INDEX history_by_verdict (verdict=?)");
    check(failed, Some(7), "USING INDEX history_by_verdict (verdict=? AND sequence<?)");
    let live = Filter { live: Some(true), ..Filter::default() };
    check(live, None, "USING INDEX history_live");
}

#[test]
fn what_followed_from_runs_is_found_once_each_in_the_order_of_recording() {
    let subject = OnDisk::new();
    let store = subject.store();
    let [first, second] = [run(1, 1, "a"), run(2, 2, "b")];
    let mut joined = run(5, 3, "c");
    joined.causes = vec![first.id, second.id];
    let mut tried_again = run(4, 1, "a");
    tried_again.trigger = Trigger::Retry { of: first.id, due_at: at(1), at: at(9) };
    let stranger = run(3, 4, "d");
    let all = [&first, &second, &stranger, &tried_again, &joined];
    wait(store.commit(batch(1, all.map(ran).to_vec()))).unwrap();
    let reader = store.reader().unwrap();
    let found = |causes: &[RunId], limit| -> Vec<u64> {
        let found = reader.caused_by(causes, limit).unwrap();
        found.iter().map(|run| run.sequence).collect()
    };
    assert_eq!(found(&[first.id, second.id], 10), [4, 5]);
    assert_eq!(found(&[first.id, second.id], 1), [4]);
    assert_eq!(found(&[second.id], 10), [5]);
    assert_eq!(found(&[joined.id, stranger.id], 10), Vec::<u64>::new());
    assert_eq!(found(&[], 10), Vec::<u64>::new());
    assert_eq!(reader.caused_by(&[second.id], 10).unwrap(), [joined]);
    // By the causes, not by looking through the history.
    let plan = reader::explain_sql(&reader, reader::CAUSED_BY);
    assert!(plan.contains("SEARCH causes USING PRIMARY KEY (cause=?)"), "{plan}");
    assert!(!plan.contains("SCAN history"), "{plan}");
}

#[test]
fn the_newest_run_of_each_name_is_found_by_the_name() {
    let subject = OnDisk::new();
    let store = subject.store();
    let all = [run(1, 1, "a"), run(2, 2, "b"), run(3, 1, "a"), run(4, 3, "c")];
    wait(store.commit(batch(1, all.iter().map(ran).collect()))).unwrap();
    let reader = store.reader().unwrap();
    let wanted = ["b", "nobody", "a"].map(name);
    let found = reader.newest_runs(&wanted).unwrap();
    assert_eq!(found, [(name("a"), all[2].id), (name("b"), all[1].id)].into());
    assert_eq!(reader.newest_runs(&[]).unwrap(), [].into());
    let plan = reader::explain_sql(&reader, reader::NEWEST_RUNS);
    assert!(plan.contains("USING INDEX history_by_job (job=?)"), "{plan}");
    assert!(!plan.contains("SCAN history"), "{plan}");
}

#[test]
fn revisions_are_kept_and_survive_the_job() {
    let subject = OnDisk::new();
    let store = subject.store();
    let mut record = job(1, "a");
    for revision in 1..=103 {
        record.revision = revision;
        record.job.command = format!("echo {revision}");
        wait(store.commit(batch(1, vec![stored(&record)]))).unwrap();
    }
    let reader = store.reader().unwrap();
    let revisions = reader.revisions(&name("a"), None, 1_000).unwrap();
    assert_eq!(revisions.len(), 100);
    assert_eq!(revisions[0].job, record.job);
    assert_eq!(revisions[99].revision, 4);
    let gone = Change::JobRemoved { incarnation: Incarnation(1), name: name("a") };
    wait(store.commit(batch(1, vec![gone, stored(&job(2, "a"))]))).unwrap();
    let revisions = reader.revisions(&name("a"), None, 1_000).unwrap();
    let lives: Vec<_> =
        revisions.iter().map(|one| (one.incarnation.0, one.revision, one.is_removed)).collect();
    assert_eq!(lives, [(2, 1, false), (1, 103, true)]);
    // In parts, the next one before the last of the one before.
    let one = |before| {
        let found = reader.revisions(&name("a"), before, 1).unwrap();
        found.first().map(|found| (found.incarnation, found.revision))
    };
    let (newest, oldest) = ((Incarnation(2), 1), (Incarnation(1), 103));
    assert_eq!(
        [one(None), one(Some(newest)), one(Some(oldest))],
        [Some(newest), Some(oldest), None]
    );
    assert_eq!(one(Some((Incarnation(u64::MAX), u64::MAX))), Some(newest));
    let retention = Retention { removed_jobs: 0, ..Retention::default() };
    prune_all(store, 0, retention, 10);
    assert_eq!(reader.revisions(&name("a"), None, 1_000).unwrap().len(), 1);
}

#[test]
fn pruning_keeps_the_newest_of_each_job() {
    let subject = OnDisk::new();
    let store = subject.store();
    succeed(store, "a", 1, 30);
    succeed(store, "b", 31, 35);
    wait(store.commit(batch(1, vec![ran(&run(36, 1, "a"))]))).unwrap();
    let retention = Retention { per_job: 5, ..Retention::default() };
    let (calls, entries) = prune_all(store, 40, retention, 10);
    // The live run is the newest of its job and one of the five.
    assert_eq!(entries, 26);
    assert!(calls >= 3, "{calls}");
    assert_eq!(sequences(store, &of("a")), [36, 30, 29, 28, 27]);
    assert_eq!(sequences(store, &of("b")), [35, 34, 33, 32, 31]);
    let reader = store.reader().unwrap();
    assert_eq!(reader.counts(Some(&name("a"))).unwrap(), [(Verdict::Succeeded, 30)].into());
    assert_eq!(reader.counts(None).unwrap(), [(Verdict::Succeeded, 35)].into());
    // What was recorded since is found again.
    succeed(store, "b", 40, 41);
    let pruned = wait(store.prune(at(50), retention, 10)).unwrap();
    assert_eq!(pruned.runs, [run(31, 1, "b").id, run(32, 1, "b").id]);
    assert!(!pruned.more);
}

#[test]
fn pruning_finds_the_history_of_an_earlier_process() {
    let mut subject = OnDisk::new();
    for index in 0..450 {
        succeed(subject.store(), &format!("job {index}"), index * 2 + 1, index * 2 + 2);
    }
    subject.restart();
    let retention = Retention { per_job: 1, ..Retention::default() };
    let (_, entries) = prune_all(subject.store(), 0, retention, 500);
    assert_eq!(entries, 450);
}

#[test]
fn pruning_by_age_spares_what_lives() {
    let subject = OnDisk::new();
    let store = subject.store();
    // The first is live, the second a stretch that may still be extended, the third one whose job is gone.
    let mut a = job(1, "a");
    a.progress.stretch = Some(stretch(2, 1, "a", 4));
    let changes = vec![
        stored(&a),
        ran(&run(1, 1, "a")),
        Change::StretchStored(stretch(2, 1, "a", 4)),
        Change::StretchStored(stretch(3, 7, "gone", 4)),
    ];
    wait(store.commit(batch(1, changes))).unwrap();
    succeed(store, "a", 10, 20);
    let retention = Retention { age: Duration::from_secs(100), ..Retention::default() };
    assert_eq!(prune_all(store, 110, retention, 1).1, 0);
    // 110 s to 114 s are gone at 215, and the stretch of 61 s.
    assert_eq!(prune_all(store, 115, retention, 2).1, 5);
    assert_eq!(prune_all(store, 1_000, retention, 2).1, 7);
    assert_eq!(sequences(store, &Filter::default()), [2, 1]);
    // Extended, it counts once.
    a.progress.stretch = Some(stretch(2, 1, "a", 9));
    let changes = vec![stored(&a), Change::StretchStored(stretch(2, 1, "a", 9))];
    wait(store.commit(batch(1, changes))).unwrap();
    let counts = store.reader().unwrap().counts(Some(&name("a"))).unwrap();
    assert_eq!(counts, [(Verdict::Succeeded, 11), (Verdict::Missed, 9)].into());
}

#[test]
fn pruning_by_total_takes_the_oldest() {
    let subject = OnDisk::new();
    succeed(subject.store(), "a", 1, 20);
    succeed(subject.store(), "b", 21, 40);
    let retention = Retention { total: 15, ..Retention::default() };
    assert_eq!(prune_all(subject.store(), 50, retention, 7).1, 25);
    let kept: Vec<u64> = (26..=40).rev().collect();
    assert_eq!(sequences(subject.store(), &Filter::default()), kept);
    assert_eq!(prune_all(subject.store(), 50, retention, 7), (1, 0));
}

#[test]
fn many_readers_share_few_connections() {
    let subject = OnDisk::new();
    fill(subject.store());
    let reader = subject.store().reader().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(reader.list(&Filter::default(), None, 10).unwrap().len(), 3);
                }
            });
        }
    });
}

#[test]
fn a_backup_under_load_is_the_state_of_one_instant() {
    let subject = OnDisk::new();
    let store = subject.store();
    let target = tempfile::tempdir().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut sequence = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                // Run and mark go together, so that a copy torn between them shows.
                sequence += 1;
                let millis = i64::try_from(sequence).unwrap();
                let mark = Change::TaskMillisUsed { name: name("a"), millis };
                wait(store.commit(batch(1, vec![ran(&run(sequence, 1, "a")), mark]))).unwrap();
            }
            sequence
        });
        let mut seen = Vec::new();
        for index in 0..20 {
            let directory = target.path().join(index.to_string());
            fs::create_dir(&directory).unwrap();
            let copy = directory.join(DATABASE_FILE);
            backup(&subject.database(), &copy, Existing::Refuse).unwrap();
            let restored = open(&directory).unwrap();
            let loaded = wait(restored.load()).unwrap();
            assert_eq!(loaded.runs.len() as u64, loaded.last_sequence);
            let expected = i64::try_from(loaded.last_sequence).unwrap();
            let mark = (name("a"), expected);
            assert!(expected == 0 && loaded.task_marks.is_empty() || loaded.task_marks == [mark]);
            seen.push(loaded.last_sequence);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(seen.is_sorted());
        assert!(*seen.last().unwrap() <= load.join().unwrap());
    });
}

#[test]
fn a_backup_replaces_only_when_told() {
    let subject = OnDisk::new();
    fill(subject.store());
    let target = tempfile::tempdir().unwrap();
    let copy = target.path().join("copy.db");
    fs::write(&copy, "precious").unwrap();
    let error = backup(&subject.database(), &copy, Existing::Refuse).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "precious");
    backup(&subject.database(), &copy, Existing::Replace).unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let entries: Vec<_> = fs::read_dir(target.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(entries, [copy]);
    let missing =
        backup(&target.path().join("none.db"), &target.path().join("x"), Existing::Refuse);
    assert!(matches!(missing, Err(Error::Absent { .. })));
}

#[test]
fn another_process_reads_and_copies_while_nobody_writes() {
    let mut subject = OnDisk::new();
    fill(subject.store());
    let truth = sequences(subject.store(), &Filter::default());
    subject.store = None;
    let reader = Reader::open(&subject.database()).unwrap();
    let found = reader.list(&Filter::default(), None, 10).unwrap();
    assert_eq!(found.iter().map(HistoryEntry::sequence).collect::<Vec<_>>(), truth);
    let copy = subject.directory.path().join("copy.db");
    backup(&subject.database(), &copy, Existing::Refuse).unwrap();
    // A copy can be copied and read without ever having been opened for writing.
    assert_eq!(Reader::open(&copy).unwrap().list(&Filter::default(), None, 10).unwrap(), found);
}

#[test]
fn the_newest_of_several_jobs_are_read_with_one_statement() {
    let subject = OnDisk::new();
    let store = subject.store();
    let changes = [1, 2].map(|number| stored(&job(number, if number == 1 { "a" } else { "b" })));
    wait(store.commit(batch(1, changes.into()))).unwrap();
    succeed(store, "a", 1, 5);
    succeed(store, "b", 6, 7);
    succeed(store, "a", 8, 8);
    let reader = store.reader().unwrap();
    let names = [name("b"), name("gone"), name("a")];
    let found = reader.recent(&names, 3).unwrap();
    let sequences = |entries: &Vec<HistoryEntry>| {
        entries.iter().map(HistoryEntry::sequence).collect::<Vec<_>>()
    };
    let found: Vec<_> = found.iter().map(sequences).collect();
    assert_eq!(found, [vec![7, 6], vec![], vec![8, 5, 4]]);
    assert_eq!(reader.recent(&[], 3).unwrap(), Vec::<Vec<HistoryEntry>>::new());
    let plan = reader::explain_sql(&reader, reader::NEWEST);
    assert!(plan.contains("USING INDEX history_by_job (job=? AND sequence<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
