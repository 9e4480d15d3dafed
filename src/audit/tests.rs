//! The audit log on a disk: lines, pages, rotation, floods, and what happens when it cannot be written.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn act(caller: &str, job: &str) -> Record {
    Record {
        caller: caller.to_owned(),
        jobs: vec![job.to_owned()],
        what: "put",
        ..Record::default()
    }
}

fn sequences(page: &Page) -> Vec<u64> {
    page.records.iter().map(|record| record["sequence"].as_u64().unwrap()).collect()
}

fn everything(audit: &Audit) -> Page {
    audit.read(&Filter::default(), None, 1_000).unwrap()
}

#[test]
fn records_are_lines_that_only_we_can_read_and_go_on_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let audit = Audit::open(place.path(), Limits::default(), false).unwrap();
    audit.record(&act("ann", "a"));
    drop(audit);
    let path = place.path().join(AUDIT_FILE);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // What a crash leaves of a line is no record, and spoils none.
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"{\"sequence\":2,\"a")
        .unwrap();
    let audit = Audit::open(place.path(), Limits::default(), false).unwrap();
    audit.record(&act("bob", "b"));
    let page = everything(&audit);
    assert_eq!(sequences(&page), [2, 1]);
    assert_eq!(page.records[0]["caller"], "bob");
    assert_eq!(page.records[0]["outcome"], json!({"result": "done"}));
    assert_eq!(page.records[0].get("role"), None);
}

#[test]
fn pages_follow_each_other_and_filters_are_conditions_of_them() {
    let place = tempfile::tempdir().unwrap();
    let audit = Audit::open(place.path(), Limits::default(), false).unwrap();
    for number in 0..10 {
        audit.record(&act(
            if number % 2 == 0 { "ann" } else { "bob" },
            &format!("job-{}", number % 3),
        ));
    }
    let first = audit.read(&Filter::default(), None, 4).unwrap();
    assert_eq!((sequences(&first), first.next), (vec![10, 9, 8, 7], Some(7)));
    let rest = audit.read(&Filter::default(), first.next, 6).unwrap();
    assert_eq!((sequences(&rest), rest.next), (vec![6, 5, 4, 3, 2, 1], None));
    let filter = Filter { caller: Some("ann".to_owned()), job: Some("job-0".to_owned()) };
    assert_eq!(sequences(&audit.read(&filter, None, 9).unwrap()), [7, 1]);
    assert_eq!(sequences(&audit.read(&filter, Some(7), 9).unwrap()), [1]);
    let nobody = Filter { caller: Some("an".to_owned()), job: None };
    assert_eq!(audit.read(&nobody, None, 9).unwrap(), Page::default());
}

#[test]
fn full_files_are_put_aside_and_only_so_many_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: 400, old_files: 2 };
    let audit = Audit::open(place.path(), limits, false).unwrap();
    for number in 0..50 {
        audit.record(&act("ann", &format!("job-{number}")));
    }
    let mut files: Vec<_> = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .inspect(|entry| assert!(entry.metadata().unwrap().len() <= 400))
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]);
    let kept = sequences(&everything(&audit));
    assert!(kept.len() > 4 && kept[0] == 50, "{kept:?}");
    assert!(kept.windows(2).all(|pair| pair[0] == pair[1] + 1), "{kept:?}");
    drop(audit);
    let audit = Audit::open(place.path(), limits, false).unwrap();
    audit.record(&act("ann", "again"));
    assert_eq!(sequences(&everything(&audit))[0], 51);
}

#[test]
fn a_rotation_that_fails_costs_no_record_however_often_it_is_tried() {
    let place = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: 1, old_files: 3 };
    let audit = Audit::open(place.path(), limits, false).unwrap();
    for job in ["a", "b", "c", "d"] {
        audit.record(&act("ann", job));
    }
    let file = |name: &str| place.path().join(name);
    // The fresh file cannot be opened.
    fs::create_dir(file("audit.jsonl.new")).unwrap();
    for _ in 0..5 {
        audit.record(&act("ann", "never"));
        assert!(audit.problem().is_some());
    }
    assert_eq!(sequences(&everything(&audit)), [4, 3, 2, 1]);
    fs::remove_dir(file("audit.jsonl.new")).unwrap();
    // The last step of a rotation was not reached: the full file is put aside and no other is in its place.
    fs::rename(file("audit.jsonl.2"), file("audit.jsonl.3")).unwrap();
    fs::rename(file("audit.jsonl.1"), file("audit.jsonl.2")).unwrap();
    fs::rename(file("audit.jsonl"), file("audit.jsonl.1")).unwrap();
    audit.record(&act("ann", "e"));
    assert_eq!(audit.problem(), None);
    assert_eq!(sequences(&everything(&audit)), [5, 4, 3, 2]);
    // A step in the middle was not reached: the gap is filled before anything is pushed out.
    fs::rename(file("audit.jsonl.3"), file("kept")).unwrap();
    fs::rename(file("audit.jsonl.2"), file("audit.jsonl.3")).unwrap();
    audit.record(&act("ann", "f"));
    assert_eq!(sequences(&everything(&audit)), [6, 5, 4, 3]);
    let mode = fs::metadata(file("audit.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // What an interrupted rotation left of a fresh file is in nobody's way.
    fs::write(file("audit.jsonl.new"), "").unwrap();
    audit.record(&act("ann", "g"));
    assert_eq!(sequences(&everything(&audit)), [7, 6, 5, 4]);
    // Without old files the full one goes when the fresh one is there.
    let place = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: 1, old_files: 0 };
    let audit = Audit::open(place.path(), limits, false).unwrap();
    audit.record(&act("ann", "a"));
    fs::create_dir(place.path().join("audit.jsonl.new")).unwrap();
    audit.record(&act("ann", "never"));
    assert_eq!(sequences(&everything(&audit)), [1]);
    fs::remove_dir(place.path().join("audit.jsonl.new")).unwrap();
    audit.record(&act("ann", "b"));
    assert_eq!(sequences(&everything(&audit)), [2]);
}

#[test]
fn nothing_in_a_record_moves_a_cursor_or_makes_a_line() {
    let place = tempfile::tempdir().unwrap();
    let audit = Audit::open(place.path(), Limits::default(), false).unwrap();
    let mut record = act("a\nb\u{1b}[2J\u{7f}\u{9b}\u{202e}é\"", "x");
    record.path = "p".repeat(1_000);
    audit.record(&record);
    let text = fs::read_to_string(place.path().join(AUDIT_FILE)).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(!text.trim_end().chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    assert!(text.contains('é') && text.contains("p…"));
}

#[test]
fn refusals_are_recorded_up_to_a_number_and_the_rest_is_counted() {
    let now = BootInstant(Duration::from_secs(1_000));
    let mut refusals = Refusals { left: REFUSALS_BURST, filled_at: now, suppressed: 0 };
    for _ in 0..REFUSALS_BURST {
        assert_eq!(refusals.admit(now), Some(0));
    }
    for _ in 0..500 {
        assert_eq!(refusals.admit(now), None);
    }
    let later = now.saturating_add(Duration::from_secs(2));
    assert_eq!(refusals.admit(later), Some(500));
    assert_eq!(refusals.admit(later), Some(0));
    assert_eq!(refusals.admit(later), None);
    let much_later = later.saturating_add(Duration::from_hours(24));
    let admitted = (0..1_000).filter(|_| refusals.admit(much_later).is_some()).count();
    assert_eq!(i64::try_from(admitted).unwrap(), REFUSALS_BURST);
}

#[test]
fn what_cannot_be_recorded_is_told_and_stops_changes_only_if_records_are_required() {
    for is_required in [false, true] {
        let place = tempfile::tempdir().unwrap();
        let limits = Limits { file_bytes: 1, old_files: 1 };
        let audit = Audit::open(place.path(), limits, is_required).unwrap();
        audit.record(&act("ann", "a"));
        assert_eq!((audit.problem(), audit.admit_change()), (None, Ok(())));
        // A directory stands where the full file would go.
        let obstacle = place.path().join("audit.jsonl.1");
        fs::create_dir(&obstacle).unwrap();
        fs::write(obstacle.join("x"), "").unwrap();
        audit.record(&act("ann", "b"));
        assert!(audit.problem().unwrap().contains("cannot be written"));
        assert_eq!(audit.admit_change().is_err(), is_required);
        fs::remove_dir_all(&obstacle).unwrap();
        assert_eq!(audit.admit_change(), Ok(()));
        if is_required {
            assert_eq!(audit.problem(), None);
        }
        audit.record(&act("ann", "c"));
        assert_eq!(audit.problem(), None);
        assert_eq!(everything(&audit).records[0]["jobs"], json!(["c"]));
    }
}
