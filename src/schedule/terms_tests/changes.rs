//! What changes of clock do under each policy.

use expect_test::expect;

use super::{at, check, good, occurrences, of, plain};
use crate::model::{DstPolicy, FoldPolicy, GapPolicy, ScheduleTerms};

/// Each text under each policy.
fn policies(texts: &[&str], zone: &str, policies: &[DstPolicy]) -> Vec<ScheduleTerms> {
    let with = |(text, dst): (&&str, &DstPolicy)| ScheduleTerms { dst: *dst, ..plain(text, zone) };
    texts.iter().flat_map(|text| policies.iter().map(move |dst| (text, dst))).map(with).collect()
}

fn gaps() -> Vec<DstPolicy> {
    [None]
        .into_iter()
        .chain(GapPolicy::ALL.map(Some))
        .map(|gap| DstPolicy { gap, fold: None })
        .collect()
}

fn folds(all: &[FoldPolicy]) -> Vec<DstPolicy> {
    let folds = [None].into_iter().chain(all.iter().copied().map(Some));
    folds.map(|fold| DstPolicy { gap: None, fold }).collect()
}

#[test]
fn gap_policy_decides_what_stands_for_a_skipped_wall_time() {
    let texts = ["30 2 * * *", "*/30 2,3 * * *", "R/2026-03-01T02:30:00/P1D"];
    check(
        "2026-03-29T00:30:00Z",
        4,
        &policies(&texts, "Europe/Berlin", &gaps()),
        &expect![[r#"
        30 2 * * * 
            Sun 2026-03-29T03:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        30 2 * * * after
            Sun 2026-03-29T03:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        30 2 * * * shift
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        30 2 * * * skip
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
            Thu 2026-04-02T02:30:00+02:00
        */30 2,3 * * * 
            Sun 2026-03-29T03:00:00+02:00
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
        */30 2,3 * * * after
            Sun 2026-03-29T03:00:00+02:00
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
        */30 2,3 * * * shift
            Sun 2026-03-29T03:00:00+02:00
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
        */30 2,3 * * * skip
            Sun 2026-03-29T03:00:00+02:00
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
        R/2026-03-01T02:30:00/P1D 
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        R/2026-03-01T02:30:00/P1D after
            Sun 2026-03-29T03:00:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        R/2026-03-01T02:30:00/P1D shift
            Sun 2026-03-29T03:30:00+02:00
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
        R/2026-03-01T02:30:00/P1D skip
            Mon 2026-03-30T02:30:00+02:00
            Tue 2026-03-31T02:30:00+02:00
            Wed 2026-04-01T02:30:00+02:00
            Thu 2026-04-02T02:30:00+02:00
    "#]],
    );
}

#[test]
fn fold_policy_decides_which_passing_counts() {
    let texts = ["30 2 * * *", "*/30 2 * * *"];
    let terms = policies(&texts, "Europe/Berlin", &folds(&FoldPolicy::ALL));
    check(
        "2026-10-24T12:00:00Z",
        5,
        &terms,
        &expect![[r#"
        30 2 * * * 
            Sun 2026-10-25T02:30:00+02:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:30:00+01:00
            Wed 2026-10-28T02:30:00+01:00
            Thu 2026-10-29T02:30:00+01:00
        30 2 * * * first
            Sun 2026-10-25T02:30:00+02:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:30:00+01:00
            Wed 2026-10-28T02:30:00+01:00
            Thu 2026-10-29T02:30:00+01:00
        30 2 * * * last
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:30:00+01:00
            Wed 2026-10-28T02:30:00+01:00
            Thu 2026-10-29T02:30:00+01:00
        30 2 * * * both
            Sun 2026-10-25T02:30:00+02:00
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:30:00+01:00
            Wed 2026-10-28T02:30:00+01:00
        */30 2 * * * 
            Sun 2026-10-25T02:00:00+02:00
            Sun 2026-10-25T02:30:00+02:00
            Sun 2026-10-25T02:00:00+01:00
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:00:00+01:00
        */30 2 * * * first
            Sun 2026-10-25T02:00:00+02:00
            Sun 2026-10-25T02:30:00+02:00
            Mon 2026-10-26T02:00:00+01:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:00:00+01:00
        */30 2 * * * last
            Sun 2026-10-25T02:00:00+01:00
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:00:00+01:00
            Mon 2026-10-26T02:30:00+01:00
            Tue 2026-10-27T02:00:00+01:00
        */30 2 * * * both
            Sun 2026-10-25T02:00:00+02:00
            Sun 2026-10-25T02:30:00+02:00
            Sun 2026-10-25T02:00:00+01:00
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:00:00+01:00
    "#]],
    );
    let terms = policies(
        &["R/2026-03-01T02:30:00/P1D"],
        "Europe/Berlin",
        &folds(&[FoldPolicy::First, FoldPolicy::Last]),
    );
    check(
        "2026-10-24T12:00:00Z",
        2,
        &terms,
        &expect![[r#"
        R/2026-03-01T02:30:00/P1D 
            Sun 2026-10-25T02:30:00+02:00
            Mon 2026-10-26T02:30:00+01:00
        R/2026-03-01T02:30:00/P1D first
            Sun 2026-10-25T02:30:00+02:00
            Mon 2026-10-26T02:30:00+01:00
        R/2026-03-01T02:30:00/P1D last
            Sun 2026-10-25T02:30:00+01:00
            Mon 2026-10-26T02:30:00+01:00
    "#]],
    );
}

#[test]
fn occurrence_of_an_interval_that_a_gap_skips_uses_up_its_repetition() {
    let dst = DstPolicy { gap: Some(GapPolicy::Skip), fold: None };
    let schedule =
        good(&ScheduleTerms { dst, ..plain("R4/2026-03-28T02:30:00/P1D", "Europe/Berlin") });
    let due: Vec<_> =
        occurrences(&schedule, "2026-01-01T00:00:00Z").map(|due| due.to_string()).collect();
    assert_eq!(due, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]);
    let span = schedule
        .stretch(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), 100)
        .expect("some");
    assert_eq!((span.count, span.complete), (3, true));
    let last = schedule.last_through(at("2026-01-01T00:00:00Z"), at("2026-03-29T12:00:00Z"));
    assert_eq!(last, Some(at("2026-03-28T01:30:00Z")));
}

#[test]
fn one_instant_cannot_have_both_passings() {
    let dst = DstPolicy { gap: None, fold: Some(FoldPolicy::Both) };
    let error = of(&ScheduleTerms { dst, ..plain("R/2026-03-01T02:30:00/P1D", "Europe/Berlin") });
    expect!["dst.fold: `both` is not for an interval, whose occurrences are one instant each: write `first` or `last`, or a cron expression"].assert_eq(&format!(
        "{}: {}",
        error.clone().expect_err("refused").field,
        error.expect_err("refused")
    ));
}
