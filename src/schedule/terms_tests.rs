//! What a job says beside its schedule: changes of clock, jitter, bounds, calendars; and what previews and descriptions
//! say of all of it.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::model::{
    Calendar, CalendarUse, DstPolicy, Duration, FoldPolicy, GapPolicy, Period, ScheduleTerms,
    Timestamp,
};
use crate::schedule::{Schedule, ScheduleError, ZoneDb, parse_period};

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn of(terms: &ScheduleTerms) -> Result<Schedule, ScheduleError> {
    Schedule::of("nightly-report", terms, at("2026-02-10T10:20:30.5Z"), &ZoneDb::bundled())
}

fn good(terms: &ScheduleTerms) -> Schedule {
    of(terms).unwrap_or_else(|error| panic!("{terms:?}: {error}"))
}

fn plain(text: &str, zone: &str) -> ScheduleTerms {
    ScheduleTerms::plain(text, zone)
}

fn occurrences(schedule: &Schedule, after: &str) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(at(after)), |last| schedule.next_after(*last))
}

fn local(schedule: &Schedule, due: Timestamp) -> String {
    let text = schedule.zone().print(due);
    let day = jiff::fmt::strtime::format("%a", &due.to_zoned(schedule.zone().rules().clone()));
    format!("{} {text}", day.expect("a weekday"))
}

/// The next occurrences of each, on the wall clock.
fn check(after: &str, count: usize, terms: &[ScheduleTerms], expected: &Expect) {
    let mut table = String::new();
    for terms in terms {
        let schedule = good(terms);
        writeln!(table, "{} {}", terms.text, policy(terms.dst)).expect("a text takes a line");
        for due in occurrences(&schedule, after).take(count) {
            writeln!(table, "    {}", local(&schedule, due)).expect("a text takes a line");
        }
    }
    expected.assert_eq(&table);
}

fn policy(DstPolicy { gap, fold }: DstPolicy) -> String {
    let words = [gap.map(GapPolicy::as_str), fold.map(FoldPolicy::as_str)];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

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

fn jittered(text: &str, jitter: &str) -> ScheduleTerms {
    let span = parse_period(jitter).expect("a period");
    ScheduleTerms { jitter: Some(Period { text: jitter.to_owned(), span }), ..plain(text, "") }
}

#[test]
fn jitter_is_stable_and_differs_by_job_and_occurrence() {
    let terms = jittered("0 * * * *", "PT10M");
    let shares = |name: &str| {
        let zones = ZoneDb::bundled();
        let schedule =
            Schedule::of(name, &terms, at("2026-02-10T10:20:30.5Z"), &zones).expect("good");
        let due = occurrences(&schedule, "2026-02-10T00:00:00Z").take(4);
        due.map(|due| schedule.opens_at(due).duration_since(due).as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(shares("a"), shares("a"));
    expect!["[490857, 162979, 501956, 137740] [468133, 490914, 234774, 591198]"]
        .assert_eq(&format!("{:?} {:?}", shares("a"), shares("b")));
}

#[test]
fn jitter_never_passes_the_next_occurrence() {
    for (text, jitter) in [("* * * * *", "PT1H"), ("R/2026-01-01T00:00:00Z/PT0.010S", "P1D")] {
        let schedule = good(&jittered(text, jitter));
        for due in occurrences(&schedule, "2026-02-10T00:00:00Z").take(500) {
            let next = schedule.next_after(due).expect("it has no end");
            let opens = schedule.opens_at(due);
            assert!(due <= opens && opens < next, "{text}: {due} opens {opens}");
        }
    }
}

#[test]
fn opened_through_stops_before_an_occurrence_that_waits_for_its_jitter() {
    let schedule = good(&jittered("0 * * * *", "PT10M"));
    let due = at("2026-02-10T12:00:00Z");
    let (opens, before) = (schedule.opens_at(due), at("2026-02-10T11:30:00Z"));
    assert!(due < opens);
    let ahead = opens.checked_sub(Duration::from_millis(1)).expect("an instant");
    let through = schedule.opened_through(before, ahead);
    assert!(through < due && schedule.next_after(through) == Some(due), "{through}");
    assert_eq!(schedule.opened_through(before, opens), opens);
    assert_eq!(schedule.opened_through(due, ahead), ahead);
}

fn calendar(usage: CalendarUse, sets: [&[&str]; 3]) -> Calendar {
    let [dates, weekdays, windows] =
        sets.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
    Calendar { name: "c".to_owned(), usage, dates, weekdays, windows }
}

fn kept(text: &str, zone: &str, calendars: Vec<Calendar>) -> ScheduleTerms {
    ScheduleTerms { calendars, ..plain(text, zone) }
}

#[test]
fn calendars_keep_occurrences_in_and_out() {
    use CalendarUse::{NeverIn, OnlyIn};
    let daily = "0 9 * * *";
    check(
        "2026-12-22T12:00:00Z",
        5,
        &[
            kept(
                daily,
                "Europe/Berlin",
                vec![calendar(NeverIn, [&["12-24/12-26", "01-01"], &[], &[]])],
            ),
            kept(
                daily,
                "Europe/Berlin",
                vec![calendar(NeverIn, [&["2026-12-25"], &["SAT", "SUN"], &[]])],
            ),
            kept(
                daily,
                "Europe/Berlin",
                vec![calendar(OnlyIn, [&["2026-12-31", "2027-02-28"], &[], &[]])],
            ),
            kept(daily, "Europe/Berlin", vec![calendar(OnlyIn, [&["02-29"], &[], &[]])]),
            kept(
                "R/2026-12-01T00:30:00/PT6H",
                "Europe/Berlin",
                vec![
                    calendar(OnlyIn, [&[], &[], &["22:00/06:45"]]),
                    calendar(NeverIn, [&[], &["MON"], &[]]),
                ],
            ),
            kept(
                "*/20 * * * *",
                "UTC",
                vec![calendar(
                    NeverIn,
                    [&[], &[], &["2026-12-22T12:10/2027-01-02T06:00", "06:20/06:40"]],
                )],
            ),
            kept(daily, "Europe/Berlin", vec![calendar(NeverIn, [&["12-20/01-06"], &[], &[]])]),
            kept(daily, "Europe/Berlin", vec![calendar(OnlyIn, [&[], &["FRI-MON"], &[]])]),
        ],
        &expect![[r#"
            0 9 * * * 
                Wed 2026-12-23T09:00:00+01:00
                Sun 2026-12-27T09:00:00+01:00
                Mon 2026-12-28T09:00:00+01:00
                Tue 2026-12-29T09:00:00+01:00
                Wed 2026-12-30T09:00:00+01:00
            0 9 * * * 
                Wed 2026-12-23T09:00:00+01:00
                Thu 2026-12-24T09:00:00+01:00
                Mon 2026-12-28T09:00:00+01:00
                Tue 2026-12-29T09:00:00+01:00
                Wed 2026-12-30T09:00:00+01:00
            0 9 * * * 
                Thu 2026-12-31T09:00:00+01:00
                Sun 2027-02-28T09:00:00+01:00
            0 9 * * * 
                Tue 2028-02-29T09:00:00+01:00
                Sun 2032-02-29T09:00:00+01:00
                Fri 2036-02-29T09:00:00+01:00
                Wed 2040-02-29T09:00:00+01:00
                Mon 2044-02-29T09:00:00+01:00
            R/2026-12-01T00:30:00/PT6H 
                Wed 2026-12-23T00:30:00+01:00
                Wed 2026-12-23T06:30:00+01:00
                Thu 2026-12-24T00:30:00+01:00
                Thu 2026-12-24T06:30:00+01:00
                Fri 2026-12-25T00:30:00+01:00
            */20 * * * * 
                Sat 2027-01-02T06:00:00Z
                Sat 2027-01-02T06:40:00Z
                Sat 2027-01-02T07:00:00Z
                Sat 2027-01-02T07:20:00Z
                Sat 2027-01-02T07:40:00Z
            0 9 * * * 
                Thu 2027-01-07T09:00:00+01:00
                Fri 2027-01-08T09:00:00+01:00
                Sat 2027-01-09T09:00:00+01:00
                Sun 2027-01-10T09:00:00+01:00
                Mon 2027-01-11T09:00:00+01:00
            0 9 * * * 
                Fri 2026-12-25T09:00:00+01:00
                Sat 2026-12-26T09:00:00+01:00
                Sun 2026-12-27T09:00:00+01:00
                Mon 2026-12-28T09:00:00+01:00
                Fri 2027-01-01T09:00:00+01:00
        "#]],
    );
}

#[test]
fn bounds_are_both_included_and_a_date_is_a_whole_day() {
    let bounded = |text: &str, not_before: &str, not_after: &str| ScheduleTerms {
        not_before: not_before.to_owned(),
        not_after: not_after.to_owned(),
        ..plain(text, "Europe/Berlin")
    };
    check(
        "2026-01-01T00:00:00Z",
        9,
        &[
            bounded("0 9 * * *", "2026-06-01T09:00", "2026-06-03T09:00"),
            bounded("0 9 * * *", "2026-06-01", "2026-06-02"),
            bounded("0 9 * * *", "2026-06-01T07:00:01Z", "2026-06-04T07:00:00Z"),
            bounded("R5/2026-05-30T09:00/P1D", "2026-06-01", ""),
            bounded("0 0 * * *", "", "2026-01-03"),
        ],
        &expect![[r#"
            0 9 * * * 
                Mon 2026-06-01T09:00:00+02:00
                Tue 2026-06-02T09:00:00+02:00
                Wed 2026-06-03T09:00:00+02:00
            0 9 * * * 
                Mon 2026-06-01T09:00:00+02:00
                Tue 2026-06-02T09:00:00+02:00
            0 9 * * * 
                Tue 2026-06-02T09:00:00+02:00
                Wed 2026-06-03T09:00:00+02:00
                Thu 2026-06-04T09:00:00+02:00
            R5/2026-05-30T09:00/P1D 
                Mon 2026-06-01T09:00:00+02:00
                Tue 2026-06-02T09:00:00+02:00
                Wed 2026-06-03T09:00:00+02:00
            0 0 * * * 
                Fri 2026-01-02T00:00:00+01:00
                Sat 2026-01-03T00:00:00+01:00
        "#]],
    );
}

#[test]
fn repetitions_count_on_outside_the_bounds() {
    let terms = ScheduleTerms {
        not_before: "2026-06-01".to_owned(),
        ..plain("R5/2026-05-30T09:00:00Z/P1D", "")
    };
    let schedule = good(&terms);
    assert_eq!(occurrences(&schedule, "2026-01-01T00:00:00Z").count(), 3);
}

fn refused(terms: &[ScheduleTerms], expected: &Expect) {
    let mut table = String::new();
    for terms in terms {
        let error = of(terms).expect_err("refused");
        writeln!(table, "{} {:?}: {error}", error.field, error.span).expect("a text takes a line");
    }
    expected.assert_eq(&table);
}

#[test]
fn terms_that_make_no_sense_are_refused_with_field_and_remedy() {
    use CalendarUse::{NeverIn, OnlyIn};
    let daily = plain("0 9 * * *", "Europe/Berlin");
    let before = |text: &str| ScheduleTerms { not_before: text.to_owned(), ..daily.clone() };
    let after = |text: &str| ScheduleTerms {
        not_before: "2026-06-01".to_owned(),
        not_after: text.to_owned(),
        ..daily.clone()
    };
    let never =
        |sets: [&[&str]; 3]| kept("0 9 * * *", "Europe/Berlin", vec![calendar(NeverIn, sets)]);
    let mut terms = vec![
        before("soon"),
        before("2026"),
        before("2026-06"),
        before("2026-06-31"),
        before("T10:00"),
        before("2026-06-01T25:00"),
        after("2026-05-31"),
        after("9999-12-31T23:00:00-05:00"),
    ];
    for date in [
        "",
        "2026-02-30",
        "2026-1-1",
        "02-30",
        "2026-02-01/2026-01-01",
        "2026-01-01/02-01",
        "Christmas",
        "2026-01-01/2026-01-02/2026-01-03",
    ] {
        terms.push(never([&[date], &[], &[]]));
    }
    for weekday in ["", "Funday", "FRI-MON-SAT", "8", "SAT,SUN", "MON-FRI/2"] {
        terms.push(never([&[], &[weekday], &[]]));
    }
    for window in [
        "",
        "22:00",
        "22:00/22:00",
        "24:00/06:00",
        "25:00/06:00",
        "2026-01-01/2026-01-02",
        "2026-01-02T00:00/2026-01-01T00:00",
        "9:00/17:00",
        "a/b",
    ] {
        terms.push(never([&[], &[], &[window]]));
    }
    terms.push(kept("0 9 * * MON", "", vec![calendar(OnlyIn, [&[], &["TUE"], &[]])]));
    terms.push(kept("0 9 * * *", "", vec![calendar(NeverIn, [&[], &["MON-SUN"], &[]])]));
    terms.push(kept("* * * * *", "", vec![calendar(OnlyIn, [&["2020-01-01"], &[], &[]])]));
    terms.push(kept("@reboot", "", vec![calendar(NeverIn, [&[], &["MON"], &[]])]));
    terms.push(jittered("@reboot", "PT1M"));
    refused(
        &terms,
        &expect![[r#"
            notBefore 0..4: `soon` is not a date: expected something like `2026-03-01T13:00:00Z`
            notBefore 0..4: `2026` names no day: expected something like `2026-03-01T13:00:00Z`, or a date such as `2026-03-01`
            notBefore 0..7: `2026-06` names no day: expected something like `2026-03-01T13:00:00Z`, or a date such as `2026-03-01`
            notBefore 0..10: there is no date `2026-06-31`: write one that the calendar has
            notBefore 0..6: `T10:00` names no day: expected something like `2026-03-01T13:00:00Z`, or a date such as `2026-03-01`
            notBefore 11..13: hour `25` is out of range: at most 23, with one or two digits
            notAfter 0..10: `2026-05-31` is before `notBefore`, `2026-06-01`: write a later one
            notAfter 0..25: `9999-12-31T23:00:00-05:00` is beyond the end of year 9999: write an earlier one
            calendars[0].dates[0] 0..0: `` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..10: `2026-02-30` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..8: `2026-1-1` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..5: `02-30` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..21: `2026-02-01/2026-01-01` ends before it begins: write the earlier date first
            calendars[0].dates[0] 0..16: `2026-01-01/02-01` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..9: `Christmas` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].dates[0] 0..32: `2026-01-01/2026-01-02/2026-01-03` is no date: expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`
            calendars[0].weekdays[0] 0..0: `` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].weekdays[0] 0..6: `Funday` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].weekdays[0] 0..11: `FRI-MON-SAT` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].weekdays[0] 0..1: `8` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].weekdays[0] 0..7: `SAT,SUN` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].weekdays[0] 0..9: `MON-FRI/2` is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`
            calendars[0].windows[0] 0..0: `` is no window: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..5: `22:00` is no window: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..11: window `22:00/22:00` is empty: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..11: window `24:00/06:00` is empty: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..11: `25:00/06:00` is no window: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..10: `2026-01-01` has no time: write `dates` for whole days, or a time such as `T06:00`
            calendars[0].windows[0] 0..33: window `2026-01-02T00:00/2026-01-01T00:00` ends before it begins: write the earlier time first
            calendars[0].windows[0] 0..10: `9:00/17:00` is no window: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars[0].windows[0] 0..3: `a/b` is no window: expected times of day such as `22:00/06:00`, or dates and times such as `2026-12-24T18:00/2027-01-02T06:00`
            calendars 0..11: no occurrence of `0 9 * * MON` passes all of them: allow a time at which it is due
            calendars 0..9: no occurrence of `0 9 * * *` passes all of them: allow a time at which it is due
            calendars 0..9: no occurrence of `* * * * *` passes all of them: allow a time at which it is due
            calendars 0..7: `calendars` cannot be used with `@reboot`, which names no instants: leave it out
            jitter 0..7: `jitter` cannot be used with `@reboot`, which names no instants: leave it out
        "#]],
    );
}

/// Previews, as a client gets them.
fn previewed(from: &str, count: usize, terms: &[ScheduleTerms], expected: &Expect) {
    let mut table = String::new();
    for terms in terms {
        let schedule = good(terms);
        let preview = schedule.preview(at(from), count);
        writeln!(table, "{}: {}", terms.text, schedule.description()).expect("a text takes a line");
        for next in preview.next {
            writeln!(table, "    {}", local(&schedule, next.due_at)).expect("a text takes a line");
        }
        for warning in preview.warnings {
            writeln!(table, "    warning: {warning}").expect("a text takes a line");
        }
    }
    expected.assert_eq(&table);
}

#[test]
fn preview_tells_what_the_next_changes_of_clock_do() {
    previewed(
        "2026-11-26T12:00:00Z",
        1,
        &[
            plain("30 2 * * *", "Europe/Berlin"),
            plain("30 2 * * *", "America/New_York"),
            plain("45 1 * * *", "Australia/Lord_Howe"),
            plain("30 2 * * *", "Africa/Casablanca"),
            plain("*/15 2 * * *", "Europe/Berlin"),
            plain("*/15 * * * *", "Europe/Berlin"),
            plain("0,20,40 2 * * *", "Europe/Berlin"),
            plain("R/2026-11-01T02:30:00/P1D", "Europe/Berlin"),
            plain("R/2026-11-01T02:30:00Z/PT24H", "Europe/Berlin"),
            plain("0 12 * * *", "Europe/Berlin"),
            plain("30 2 * * *", ""),
            kept(
                "30 2 * * *",
                "Europe/Berlin",
                vec![calendar(CalendarUse::NeverIn, [&[], &["SUN"], &[]])],
            ),
        ],
        &expect![[r#"
            30 2 * * *: at 02:30 every day (Europe/Berlin)
                Fri 2026-11-27T02:30:00+01:00
                warning: 28 March 2027: 02:30 does not exist, runs 03:00
                warning: 31 October 2027: 02:30 comes twice, runs the first time only, at UTC+02:00
            30 2 * * *: at 02:30 every day (America/New_York)
                Fri 2026-11-27T02:30:00-05:00
                warning: 14 March 2027: 02:30 does not exist, runs 03:00
            45 1 * * *: at 01:45 every day (Australia/Lord_Howe)
                Fri 2026-11-27T01:45:00+11:00
                warning: 4 April 2027: 01:45 comes twice, runs the first time only, at UTC+11:00
            30 2 * * *: at 02:30 every day (Africa/Casablanca)
                Fri 2026-11-27T02:30:00Z
            */15 2 * * *: every 15 minutes from 02:00 to 02:45 every day (Europe/Berlin)
                Fri 2026-11-27T02:00:00+01:00
                warning: 28 March 2027: 02:00, 02:15, 02:30 and 1 more do not exist, do not run
                warning: 31 October 2027: 02:00, 02:15, 02:30 and 1 more come twice, run both times
            */15 * * * *: every 15 minutes (Europe/Berlin)
                Thu 2026-11-26T13:15:00+01:00
            0,20,40 2 * * *: every 20 minutes from 02:00 to 02:40 every day (Europe/Berlin)
                Fri 2026-11-27T02:00:00+01:00
                warning: 28 March 2027: 02:00, 02:20 and 02:40 do not exist, one run at 03:00 instead
                warning: 31 October 2027: 02:00, 02:20 and 02:40 come twice, run the first time only, at UTC+02:00
            R/2026-11-01T02:30:00/P1D: every day from 2026-11-01T02:30:00+01:00 (Europe/Berlin)
                Fri 2026-11-27T02:30:00+01:00
                warning: 28 March 2027: 02:30 does not exist, runs 03:30
                warning: 31 October 2027: 02:30 comes twice, runs the first time only, at UTC+02:00
            R/2026-11-01T02:30:00Z/PT24H: every 24 hours from 2026-11-01T02:30:00+01:00 (Europe/Berlin)
                Fri 2026-11-27T02:30:00+01:00
            0 12 * * *: at 12:00 every day (Europe/Berlin)
                Fri 2026-11-27T12:00:00+01:00
            30 2 * * *: at 02:30 every day (UTC)
                Fri 2026-11-27T02:30:00Z
            30 2 * * *: at 02:30 every day (Europe/Berlin), never in `c`
                Fri 2026-11-27T02:30:00+01:00
        "#]],
    );
    let dst = DstPolicy { gap: Some(GapPolicy::Shift), fold: Some(FoldPolicy::Last) };
    let skip = DstPolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Both) };
    previewed(
        "2026-11-26T12:00:00Z",
        0,
        &[
            ScheduleTerms { dst, ..plain("30 2 * * *", "Europe/Berlin") },
            ScheduleTerms { dst, ..plain("*/5 2 * * *", "Europe/Berlin") },
            ScheduleTerms { dst: skip, ..plain("30 2 * * *", "Europe/Berlin") },
        ],
        &expect![[r#"
            30 2 * * *: at 02:30 every day (Europe/Berlin)
                warning: 28 March 2027: 02:30 does not exist, runs 03:30
                warning: 31 October 2027: 02:30 comes twice, runs the last time only, at UTC+01:00
            */5 2 * * *: every 5 minutes from 02:00 to 02:55 every day (Europe/Berlin)
                warning: 28 March 2027: 02:00, 02:05, 02:10 and 9 more do not exist, run later by the length of the gap, from 03:00 on
                warning: 31 October 2027: 02:00, 02:05, 02:10 and 9 more come twice, run the last time only, at UTC+01:00
            30 2 * * *: at 02:30 every day (Europe/Berlin)
                warning: 28 March 2027: 02:30 does not exist, does not run
                warning: 31 October 2027: 02:30 comes twice, runs both times
        "#]],
    );
}

#[test]
fn preview_of_an_interval_begins_with_from_and_that_of_an_expression_after_it() {
    previewed(
        "2026-03-01T12:00:00Z",
        2,
        &[
            plain("0 12 * * *", ""),
            plain("R/2026-01-01T12:00:00Z/P1D", ""),
            plain("R2/2026-01-01T12:00:00Z/P1D", ""),
            plain("@reboot", ""),
        ],
        &expect![[r#"
            0 12 * * *: at 12:00 every day (UTC)
                Mon 2026-03-02T12:00:00Z
                Tue 2026-03-03T12:00:00Z
            R/2026-01-01T12:00:00Z/P1D: every day from 2026-01-01T12:00:00Z
                Sun 2026-03-01T12:00:00Z
                Mon 2026-03-02T12:00:00Z
            R2/2026-01-01T12:00:00Z/P1D: every day from 2026-01-01T12:00:00Z, 2 times in all
                warning: all occurrences were due before the schedule was accepted: the job is exhausted
            @reboot: once after each start of the machine
        "#]],
    );
}

#[test]
fn descriptions_are_plain_english() {
    let texts = [
        "* * * * *",
        "*/15 * * * *",
        "*/7 * * * *",
        "30 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "0 9,17 * * 1-5",
        "*/15 9-17 * * MON-FRI",
        "0 9-17 * * *",
        "0 */6 * * *",
        "5,10 1,2,3,4,5 * * *",
        "0 0 1 * *",
        "0 0 1,15 * *",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 15W,L-1 * *",
        "0 0 13 * FRI",
        "0 0 */2 * MON",
        "0 12 ? * 5#2,SUNL",
        "0 0 29 2 *",
        "0 0 * JAN,JUN-AUG *",
        "@weekly",
        "@hourly",
        "30 0 2 * * *",
        "*/10 * * * * *",
        "15 * * * * *",
        "*/10 0 2 * * *",
        "0,30 */5 9-17 * * *",
        "H H(0-7) * * *",
        "@reboot",
        "R/2026-03-01T02:30:00Z/P1D",
        "R5/2026-03-01T02:30:00+02:00/PT15M",
        "R1/2026-03-01T02:30:00Z/P1D",
        "R0/2026-03-01T02:30:00Z/P1D",
        "R/2026-03-01T02:30:00Z/P1Y2M3W4DT5H6M7.8S",
        "R/2026-03-01T02:30:00Z/PT36H",
        "R/2026-03-01T02:30:00Z/PT0.25S",
    ];
    let lines = texts.map(|text| format!("{text}: {}\n", good(&plain(text, "")).description()));
    expect![[r#"
        * * * * *: every minute (UTC)
        */15 * * * *: every 15 minutes (UTC)
        */7 * * * *: every hour at minutes 0 to 56 in steps of 7 (UTC)
        30 * * * *: every hour at minute 30 (UTC)
        0 * * * *: every hour on the hour (UTC)
        30 2 * * *: at 02:30 every day (UTC)
        0 9,17 * * 1-5: at 09:00 and 17:00 on Monday to Friday (UTC)
        */15 9-17 * * MON-FRI: every 15 minutes from 09:00 to 17:45 on Monday to Friday (UTC)
        0 9-17 * * *: every hour from 09:00 to 17:00 every day (UTC)
        0 */6 * * *: at 00:00, 06:00, 12:00 and 18:00 every day (UTC)
        5,10 1,2,3,4,5 * * *: at minutes 5 and 10 of hours 1 to 5 every day (UTC)
        0 0 1 * *: at 00:00 on day 1 of the month (UTC)
        0 0 1,15 * *: at 00:00 on days 1 and 15 of the month (UTC)
        0 0 L * *: at 00:00 on the last day of the month (UTC)
        0 0 LW * *: at 00:00 on the last working day of the month (UTC)
        0 0 15W,L-1 * *: at 00:00 on the working day nearest to day 15 and the day before the last one of the month (UTC)
        0 0 13 * FRI: at 00:00 on day 13 of the month, and on Friday (UTC)
        0 0 */2 * MON: at 00:00 on days 1 to 31 in steps of 2 of the month, if that is Monday (UTC)
        0 12 ? * 5#2,SUNL: at 12:00 on the second Friday of the month and the last Sunday of the month (UTC)
        0 0 29 2 *: at 00:00 on day 29 of the month in February (UTC)
        0 0 * JAN,JUN-AUG *: at 00:00 every day in January and June to August (UTC)
        @weekly: at 00:00 on Sunday (UTC)
        @hourly: every hour on the hour (UTC)
        30 0 2 * * *: at 02:00:30 every day (UTC)
        */10 * * * * *: every 10 seconds (UTC)
        15 * * * * *: at second 15 of every minute (UTC)
        */10 0 2 * * *: every 10 seconds of the minute at 02:00 every day (UTC)
        0,30 */5 9-17 * * *: every 30 seconds of the minute in every 5 minutes from 09:00 to 17:55 every day (UTC)
        H H(0-7) * * *: at 06:59 every day (UTC)
        @reboot: once after each start of the machine
        R/2026-03-01T02:30:00Z/P1D: every day from 2026-03-01T02:30:00Z
        R5/2026-03-01T02:30:00+02:00/PT15M: every 15 minutes from 2026-03-01T02:30:00+02:00, 5 times in all
        R1/2026-03-01T02:30:00Z/P1D: once, at 2026-03-01T02:30:00Z
        R0/2026-03-01T02:30:00Z/P1D: never
        R/2026-03-01T02:30:00Z/P1Y2M3W4DT5H6M7.8S: every 1 year, 2 months, 25 days, 5 hours, 6 minutes and 7.8 seconds from 2026-03-01T02:30:00Z
        R/2026-03-01T02:30:00Z/PT36H: every 36 hours from 2026-03-01T02:30:00Z
        R/2026-03-01T02:30:00Z/PT0.25S: every 0.25 seconds from 2026-03-01T02:30:00Z
    "#]].assert_eq(&lines.concat());
    let mut full = jittered("30 2 * * *", "PT10M");
    full.zone = "Europe/Berlin".to_owned();
    full.calendars = vec![
        Calendar {
            name: "holidays".to_owned(),
            ..calendar(CalendarUse::NeverIn, [&["12-25"], &[], &[]])
        },
        Calendar {
            name: "office".to_owned(),
            ..calendar(CalendarUse::OnlyIn, [&[], &["MON-FRI"], &[]])
        },
    ];
    expect!["at 02:30 every day (Europe/Berlin), only in `office`, never in `holidays`, starts spread over 10 minutes"].assert_eq(&good(&full).description());
}

fn drawn() -> impl Strategy<Value = ScheduleTerms> {
    let zones = prop_oneof![
        Just("Europe/Berlin"),
        Just("America/New_York"),
        Just("Australia/Lord_Howe"),
        Just("Pacific/Apia"),
        Just("")
    ];
    let texts = prop_oneof![
        Just("*/7 * * * *"),
        Just("0 3 * * *"),
        Just("R/2026-01-01T00:10:00/PT37M"),
        Just("R/2026-01-01T02:30:00/P1D"),
        Just("30 2 1-15 * *"),
    ];
    let dates = prop::sample::subsequence(
        vec!["2026-03-29", "2026-03-20/2026-03-28", "03-31", "12-30/01-02", "02-29", "10-25"],
        0..3,
    );
    let weekdays = prop::sample::subsequence(vec!["SAT", "SUN", "MON-WED", "5"], 0..2);
    let windows = prop::sample::subsequence(
        vec![
            "22:00/06:00",
            "02:15/02:45",
            "00:00/24:00",
            "2026-03-29T02:10/2026-03-30T03:00",
            "23:30/23:45",
        ],
        0..3,
    );
    let usage = prop_oneof![Just(CalendarUse::OnlyIn), Just(CalendarUse::NeverIn)];
    let calendars = prop::collection::vec((usage, dates, weekdays, windows), 0..3);
    let bound = |text: &'static str| prop_oneof![2 => Just(""), 1 => Just(text)];
    (texts, zones, calendars, bound("2026-03-28T12:00"), bound("2026-03-31")).prop_map(
        |(text, zone, calendars, not_before, not_after)| {
            let calendars = calendars
                .into_iter()
                .filter(|(_, d, w, t)| !(d.is_empty() && w.is_empty() && t.is_empty()));
            let calendars = calendars
                .map(|(usage, dates, weekdays, windows)| {
                    calendar(usage, [&dates, &weekdays, &windows])
                })
                .collect();
            ScheduleTerms {
                calendars,
                not_before: not_before.to_owned(),
                not_after: not_after.to_owned(),
                ..plain(text, zone)
            }
        },
    )
}

/// Whether a civil time is in a calendar, from its texts and with no regard to speed.
fn is_in(calendar: &Calendar, wall: jiff::civil::DateTime) -> bool {
    let by_date = calendar.dates.iter().any(|text| {
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        if first.len() == 10 {
            let date = wall.date().to_string();
            return first <= date.as_str() && date.as_str() <= last;
        }
        let date = wall.date().to_string();
        let date = &date[5..];
        if first <= last { first <= date && date <= last } else { date >= first || date <= last }
    });
    let weekday = wall.weekday().to_sunday_zero_offset();
    let by_weekday = calendar.weekdays.iter().any(|text| match text.as_str() {
        "SAT" => weekday == 6,
        "SUN" => weekday == 0,
        "MON-WED" => (1..=3).contains(&weekday),
        other => other.parse() == Ok(weekday),
    });
    let by_window = calendar.windows.iter().any(|text| {
        let (from, to) = text.split_once('/').expect("a window");
        if from.len() > 5 {
            return false;
        }
        let time = wall.time().strftime("%H:%M").to_string();
        let time = time.as_str();
        if from < to { from <= time && time < to } else { time >= from || time < to }
    });
    by_date || by_weekday || by_window
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn filtered_occurrences_are_those_of_asking_about_each(terms in drawn(), days in 0_i64..300) {
        // Windows of dates are instants, which the check by civil time cannot judge.
        let has_spans = terms.calendars.iter().flat_map(|c| &c.windows).any(|text| text.len() > 11);
        let Ok(schedule) = of(&terms) else { return Ok(()) };
        let raw = good(&plain(&terms.text, &terms.zone));
        let from = at("2026-03-01T00:00:00Z").checked_add(Duration::from_hours(24 * days)).expect("an instant");
        let through = from.checked_add(Duration::from_hours(24 * 40)).expect("an instant");
        let zone = schedule.zone().rules().clone();
        let passes = |due: &Timestamp| {
            let wall = zone.to_datetime(*due);
            let after_first = terms.not_before.is_empty() || wall >= "2026-03-28T12:00".parse().expect("a time");
            let before_last = terms.not_after.is_empty() || wall < "2026-04-01T00:00".parse().expect("a time");
            after_first && before_last && terms.calendars.iter().all(|calendar| {
                is_in(calendar, wall) == (calendar.usage == CalendarUse::OnlyIn)
            })
        };
        let all = |schedule: &Schedule| {
            std::iter::successors(schedule.next_after(from), |due| schedule.next_after(*due))
                .take_while(|due| *due <= through)
                .collect::<Vec<_>>()
        };
        let found = all(&schedule);
        if !has_spans {
            let expected: Vec<_> = all(&raw).into_iter().filter(passes).collect();
            prop_assert_eq!(&found, &expected);
        }
        prop_assert_eq!(schedule.last_through(from, through), found.last().copied());
        let span = schedule.stretch(from, through, u64::MAX);
        prop_assert_eq!(span.map_or(0, |span| span.count), u64::try_from(found.len()).expect("few"));
        if let Some(span) = span {
            prop_assert_eq!((Some(&span.first), Some(&span.last), span.complete), (found.first(), found.last(), true));
            let some = schedule.stretch(from, through, 3).expect("some");
            prop_assert_eq!(some.count, span.count.min(3));
            prop_assert_eq!(some.last, found[usize::try_from(some.count).expect("few") - 1]);
            prop_assert_eq!(some.complete, span.count <= 3);
        }
    }
}
