//! What pages read of the history.

use proptest::prelude::*;

use super::*;
use crate::model::{JobName, Stretch, Timestamp};

/// A history of one job: what was recorded at which second, in that order.
#[derive(Debug, Clone)]
struct Recorded {
    entries: Vec<HistoryEntry>,
    /// When each was recorded at first.
    at: Vec<Timestamp>,
}

impl Recorded {
    /// Each entry comes `pause` seconds and `gap` sequences after the one before; one with a `span` is a stretch that has
    /// grown for so long since, and began to be due so long before.
    fn of(steps: &[(u8, u8, Option<u8>)]) -> Self {
        let (mut second, mut sequence) = (0, 0);
        let mut found = Self { entries: Vec::new(), at: Vec::new() };
        for (pause, gap, span) in steps {
            second += i64::from(*pause);
            sequence += 1 + u64::from(*gap);
            found.at.push(at(second));
            found.entries.push(match span {
                None => {
                    let mut run = run(sequence, 1, "a");
                    run.created_at = at(second);
                    HistoryEntry::Run(without_window(ended(run, Verdict::Succeeded, second + 5)))
                }
                Some(span) => HistoryEntry::Stretch(Stretch {
                    first_due_at: at(second - i64::from(*span)),
                    last_due_at: at(second + i64::from(*span) * 9),
                    decided_at: at(second + i64::from(*span) * 10),
                    ..stretch(sequence, 1, "a", 2)
                }),
            });
        }
        found
    }

    fn store(&self, store: &SqliteStore) {
        let change = |entry: &HistoryEntry| match entry {
            HistoryEntry::Run(run) => ran(run),
            HistoryEntry::Stretch(stretch) => Change::StretchStored(stretch.clone()),
        };
        let mut changes = vec![stored(&job(1, "a"))];
        changes.extend(self.entries.iter().map(change));
        wait(store.commit(batch(1, changes))).unwrap();
    }
}

fn steps() -> impl Strategy<Value = Vec<(u8, u8, Option<u8>)>> {
    let span = prop_oneof![3 => Just(None), 1 => (0_u8..60).prop_map(Some)];
    // Now and then nothing but stretches for a long while.
    let gap = prop_oneof![9 => 0_u8..2, 1 => Just(200_u8)];
    let mixed = prop::collection::vec((0_u8..20, gap, span), 0..60);
    let stretches = prop::collection::vec((0_u8..3, 0_u8..2, (0_u8..60).prop_map(Some)), 0..150);
    (mixed.clone(), stretches, mixed).prop_map(|parts| [parts.0, parts.1, parts.2].concat())
}

fn search(
    store: &SqliteStore,
    within: (Option<Timestamp>, Option<Timestamp>),
    before: Option<u64>,
    limit: usize,
) -> Found {
    let reader = store.reader().unwrap();
    reader.search(&Filter::default(), within, before, limit, |_| true, |_| true).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Nothing of a stretch of time is left out but stretches that had begun before it, and nothing else is found.
    #[test]
    fn what_was_recorded_in_a_stretch_of_time_is_found_without_an_index(
        steps in steps(), from in -5_i64..900, span in 1_i64..500,
    ) {
        let subject = OnDisk::new();
        let recorded = Recorded::of(&steps);
        recorded.store(subject.store());
        let (from, to) = (at(from), at(from + span));
        let is_in = |at: Timestamp| from <= at && at < to;
        let found = search(subject.store(), (Some(from), Some(to)), None, usize::MAX);
        prop_assert_eq!(found.searched_to, None);
        for (entry, began) in recorded.entries.iter().zip(&recorded.at) {
            let (is_wanted, must_be_found) = match entry {
                HistoryEntry::Run(run) => (is_in(run.created_at), true),
                HistoryEntry::Stretch(stretch) => (is_in(stretch.decided_at), from <= *began),
            };
            let is_found = found.entries.contains(entry);
            prop_assert!(is_wanted || !is_found, "{:?}", entry);
            prop_assert!(!(is_wanted && must_be_found) || is_found, "{:?}", entry);
        }
        // Page by page it is the same.
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let page = search(subject.store(), (Some(from), Some(to)), before, 3);
            pages.extend(page.entries);
            let Some((sequence, _)) = page.searched_to else { break };
            before = Some(sequence);
        }
        prop_assert_eq!(pages, found.entries);
        // A job is busy where there is something of it, and perhaps where there is a stretch nearby.
        let reader = subject.store().reader().unwrap();
        let busy = reader.are_busy(&[name("a")], (from, to)).unwrap();
        let has_run = recorded.entries.iter().any(|entry| match entry {
            HistoryEntry::Run(run) => is_in(run.created_at),
            HistoryEntry::Stretch(_) => false,
        });
        prop_assert!(busy[0] || !has_run);
    }
}

#[test]
fn a_search_looks_at_so_many_entries_and_says_how_far_it_got() {
    let subject = OnDisk::new();
    let store = subject.store();
    let changes = [(1, "a"), (2, "b")].map(|(life, text)| stored(&job(life, text)));
    wait(store.commit(batch(1, changes.into()))).unwrap();
    succeed(store, "b", 1, 3);
    succeed(store, "a", 4, 20_100);
    succeed(store, "b", 20_101, 20_101);
    let reader = store.reader().unwrap();
    let search = |before, limit| {
        let of_b = |job: &str| job == "b";
        let all = |_: &HistoryEntry| true;
        reader.search(&Filter::default(), (None, None), before, limit, of_b, all).unwrap()
    };
    let found = |found: &Found| {
        let sequences: Vec<u64> = found.entries.iter().map(HistoryEntry::sequence).collect();
        (sequences, found.searched_to)
    };
    // 20,000 of them, and it goes on below the last.
    let first = search(None, 2);
    assert_eq!(found(&first), (vec![20_101], Some((102, at(102)))));
    assert_eq!(found(&search(Some(102), 2)), (vec![3, 2], Some((2, at(2)))));
    assert_eq!(found(&search(Some(2), 2)), (vec![1], None));
    // As many as were asked for, and no more: that is the end.
    assert_eq!(found(&search(Some(102), 3)), (vec![3, 2, 1], None));
    // What an index finds is not counted.
    let of_b = Filter { job: Some(name("b")), ..Filter::default() };
    let all = reader.search(&of_b, (None, None), None, 9, |_| true, |_| true).unwrap();
    assert_eq!(found(&all), (vec![20_101, 3, 2, 1], None));
}

#[test]
fn what_is_looked_for_is_within_the_other_conditions_too() {
    let subject = OnDisk::new();
    fill(subject.store());
    let reader = subject.store().reader().unwrap();
    let failed = Filter { verdict: Some(Verdict::Failed), ..Filter::default() };
    let search = |is_wanted: bool| {
        let found = reader.search(&failed, (None, None), None, 9, |_| true, |_| is_wanted).unwrap();
        found.entries.iter().map(HistoryEntry::sequence).collect::<Vec<_>>()
    };
    assert_eq!((search(true), search(false)), (vec![1], vec![]));
    let since = Filter { since: Some(2), ..Filter::default() };
    assert_eq!(sequences(subject.store(), &since), [3, 2]);
    let plan = reader::explain(&reader, &since, Some(7));
    assert!(plan.contains("USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{plan}");
    let of_a = Filter { since: Some(2), ..of("a") };
    let plan = reader::explain(&reader, &of_a, Some(7));
    assert!(plan.contains("history_by_job (job=? AND sequence>? AND sequence<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn a_lane_has_what_touches_its_stretch_of_time() {
    let subject = OnDisk::new();
    let store = subject.store();
    let changes = [(1, "a"), (2, "b")].map(|(life, text)| stored(&job(life, text)));
    wait(store.commit(batch(1, changes.into()))).unwrap();
    // A long one that reaches into the stretch, ten short ones before it, and some in it and behind.
    let mut long = run(1, 1, "a");
    long.created_at = at(1);
    let mut changes = vec![ran(&ended(long, Verdict::Failed, 100))];
    for (sequence, text) in (2..=11).map(|sequence| (sequence, "a")).chain([
        (50, "a"),
        (60, "a"),
        (61, "b"),
        (70, "a"),
        (90, "a"),
        (91, "b"),
    ]) {
        let second = i64::try_from(sequence).unwrap();
        let life = if text == "a" { 1 } else { 2 };
        changes.push(ran(&ended(run(sequence, life, text), Verdict::Succeeded, second)));
    }
    wait(store.commit(batch(1, changes))).unwrap();
    let reader = store.reader().unwrap();
    let jobs: Vec<(JobName, Incarnation)> = [("a", 1), ("gone", 9), ("b", 2)]
        .map(|(text, life)| (name(text), Incarnation(life)))
        .into();
    let lanes = |from: i64, to: i64, limit: usize| {
        let lanes = reader.lanes(&jobs, (at(from), at(to)), limit, 3).unwrap();
        lanes
            .into_iter()
            .map(|lane| {
                let sequences = lane.entries.iter().map(HistoryEntry::sequence).collect::<Vec<_>>();
                (sequences, lane.more, lane.took.len())
            })
            .collect::<Vec<_>>()
    };
    let none = (vec![], false, 0);
    assert_eq!(
        lanes(50, 90, 9),
        [(vec![70, 60, 50, 1], false, 3), none.clone(), (vec![61], false, 2)]
    );
    assert_eq!(lanes(50, 90, 2), [(vec![70, 60], true, 3), none.clone(), (vec![61], false, 2)]);
    assert_eq!(lanes(50, 90, 4)[0], (vec![70, 60, 50, 1], false, 3));
    assert_eq!(lanes(200, 300, 9), [(vec![], false, 3), none.clone(), (vec![], false, 2)]);
    let names: Vec<JobName> = jobs.iter().map(|(job, _)| job.clone()).collect();
    let busy = |from, to| reader.are_busy(&names, (at(from), at(to))).unwrap();
    assert_eq!(busy(50, 90), [true, false, true]);
    assert_eq!(busy(62, 91), [true, false, false]);
    assert_eq!(busy(200, 300), [false; 3]);
}

#[test]
fn one_far_back_that_has_ended_since_is_not_looked_for_without_end() {
    let subject = OnDisk::new();
    let store = subject.store();
    wait(store.commit(batch(1, vec![stored(&job(1, "a"))]))).unwrap();
    let mut long = run(1, 1, "a");
    long.created_at = at(1);
    wait(store.commit(batch(1, vec![ran(&ended(long, Verdict::Failed, 100))]))).unwrap();
    succeed(store, "a", 2, 40);
    let reader = store.reader().unwrap();
    let jobs = [(name("a"), Incarnation(1))];
    let lanes = reader.lanes(&jobs, (at(50), at(90)), 9, 1).unwrap();
    assert_eq!((lanes[0].entries.len(), lanes[0].more), (0, false));
}

#[test]
fn pages_walk_an_index_and_sort_nothing() {
    let subject = OnDisk::new();
    fill(subject.store());
    let reader = subject.store().reader().unwrap();
    for (sql, expected) in [
        (reader::NEWEST, "USING INDEX history_by_job (job=? AND sequence<?)"),
        (reader::NEWEST_END, "USING INDEX history_by_job (job=? AND sequence<?)"),
        (reader::FROM_HERE, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (reader::EDGES, "SEARCH history"),
    ] {
        let plan = reader::explain_sql(&reader, sql);
        assert!(plan.contains(expected) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
