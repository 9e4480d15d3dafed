//! Bounds and calendars: tables, refusals, and a comparison with asking about each occurrence.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{at, calendar, check, good, jittered, kept, occurrences, of, plain};
use crate::model::{Calendar, CalendarUse, Duration, ScheduleTerms, Timestamp};
use crate::schedule::Schedule;

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

#[test]
fn calendars_may_agree_once_in_decades() {
    let mut calendars = vec![
        calendar(CalendarUse::OnlyIn, [&["02-29"], &[], &[]]),
        calendar(CalendarUse::OnlyIn, [&[], &["MON"], &[]]),
    ];
    calendars.extend(vec![calendar(CalendarUse::NeverIn, [&["2026-01-01"], &[], &[]]); 18]);
    let schedule = good(&kept("0 9 * * *", "Europe/Berlin", calendars));
    let due: Vec<_> = occurrences(&schedule, "2026-03-01T00:00:00Z").take(3).collect();
    assert_eq!(
        due,
        [at("2044-02-29T08:00:00Z"), at("2072-02-29T08:00:00Z"), at("2112-02-29T08:00:00Z")]
    );
}

#[test]
fn what_is_over_is_accepted_with_a_warning() {
    let over = [
        kept("* * * * *", "", vec![calendar(CalendarUse::OnlyIn, [&["2020-01-01"], &[], &[]])]),
        ScheduleTerms { not_after: "2026-01-01".to_owned(), ..plain("* * * * *", "") },
    ];
    for terms in over {
        let schedule = good(&terms);
        assert_eq!(schedule.next_after(at("2026-02-10T00:00:00Z")), None);
        let [warning] = schedule.warnings() else { panic!("{:?}", schedule.warnings()) };
        assert!(warning.ends_with("the job never runs by itself"), "{warning}");
    }
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
    terms.push(kept(
        "* * * * *",
        "",
        vec![
            calendar(OnlyIn, [&["2020-01-01"], &[], &["2020-01-02T00:00:01/2020-01-02T00:00:59"]]),
            calendar(NeverIn, [&["2020-01-01"], &[], &[]]),
        ],
    ));
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
            calendars 0..0: no occurrence of `0 9 * * MON` passes all of them: allow a time at which it is due
            calendars 0..0: no occurrence of `0 9 * * *` passes all of them: allow a time at which it is due
            calendars 0..0: no occurrence of `* * * * *` passes all of them: allow a time at which it is due
            calendars 0..0: `calendars` cannot be used with `@reboot`, which names no instants: leave it out
            jitter 0..0: `jitter` cannot be used with `@reboot`, which names no instants: leave it out
        "#]],
    );
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

/// A daily window makes each day one leap, and four years have more than a thousand.
#[test]
fn a_window_that_never_helps_does_not_end_a_schedule() {
    let leap = calendar(CalendarUse::OnlyIn, [&["02-29"], &[], &["22:00/23:00"]]);
    let schedule = good(&kept("0 13 * * *", "", vec![leap]));
    let next = schedule.next_after(at("2028-02-29T13:00:00Z"));
    assert_eq!(next, Some(at("2032-02-29T13:00:00Z")));
}
