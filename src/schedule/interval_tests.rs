//! What repeating intervals mean: every vector of Chronos' own tests and of its source, with our differences marked.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const ACCEPTED_AT: &str = "2026-02-10T10:20:30.5Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn parse(text: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    Schedule::parse(text, zone, at(ACCEPTED_AT), &ZoneDb::bundled())
}

fn occurrences(schedule: &Schedule, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
}

/// The first occurrence of each text, or why it is refused.
fn check_starts(texts: &[&str], expected: &Expect) {
    let zoned: Vec<(&str, &str)> = texts.iter().map(|text| (*text, "")).collect();
    check_zoned_starts(&zoned, expected);
}

fn check_zoned_starts(texts: &[(&str, &str)], expected: &Expect) {
    let mut table = String::new();
    for (text, zone) in texts {
        let first = parse(text, zone).map(|schedule| {
            let first = schedule.next_after(Timestamp::MIN);
            first.map_or("never".to_owned(), |first| schedule.zone().print(first))
        });
        let result = first.unwrap_or_else(|error| format!("{:?}: {error}", error.span));
        let zone = if zone.is_empty() { zone.to_string() } else { format!(" in {zone}") };
        table.push_str(&format!("{text}{zone}\n    {result}\n"));
    }
    expected.assert_eq(&table);
}

/// Occurrences after an instant, on the wall clock of the schedule's zone.
fn check_occurrences(text: &str, zone: &str, after: &str, take: usize, expected: &Expect) {
    let schedule = parse(text, zone).expect("a valid schedule");
    let lines = occurrences(&schedule, at(after)).take(take);
    expected.assert_eq(&lines.map(|due| schedule.zone().print(due) + "\n").collect::<String>());
}

#[test]
fn chronos_accepts_these_starts_and_so_do_we() {
    check_starts(
        &[
            "R5/2008-03-01T13:00:00Z/P1D",
            "R/2008-03-01T13:00:00Z/P1D",
            "R007/2008-03-01/P1D",
            "R/2008/P1D",
            "R/2008-03/P1D",
            "R/2008-W10-6/P1D",
            "R/2008-W10/P1D",
            "R/2008-061/P1D",
            "R/T10:30/P1D",
            "R/2008-03-01T/P1D",
            "R/2008-03-01T10/P1D",
            "R/2008-03-01T10.5/P1D",
            "R/2008-03-01T10:30.25Z/P1D",
            "R/2008-03-01T10:00:00,1239/P1D",
            "R/2008-03-01T10:00:00.123456Z/P1D",
            "R/2008-3-1T1:2Z/P1D",
            "R/2008-03-01T10:00+01/P1D",
            "R/2008-03-01T10:00+0100/P1D",
            "R/2008-03-01T10:00-01:30/P1D",
            "R/2008-03-01t10:00z/P1D",
            "R1//P1D",
            "R1//P",
            "R0//PT0M",
            "R0/2014-01-01T00:00:00Z/PT60M",
            "R18446744073709551615/2008/P1D",
        ],
        &expect![[r#"
            R5/2008-03-01T13:00:00Z/P1D
                2008-03-01T13:00:00Z
            R/2008-03-01T13:00:00Z/P1D
                2008-03-01T13:00:00Z
            R007/2008-03-01/P1D
                2008-03-01T00:00:00Z
            R/2008/P1D
                2008-01-01T00:00:00Z
            R/2008-03/P1D
                2008-03-01T00:00:00Z
            R/2008-W10-6/P1D
                2008-03-08T00:00:00Z
            R/2008-W10/P1D
                2008-03-03T00:00:00Z
            R/2008-061/P1D
                2008-03-01T00:00:00Z
            R/T10:30/P1D
                1970-01-01T10:30:00Z
            R/2008-03-01T/P1D
                2008-03-01T00:00:00Z
            R/2008-03-01T10/P1D
                2008-03-01T10:00:00Z
            R/2008-03-01T10.5/P1D
                2008-03-01T10:30:00Z
            R/2008-03-01T10:30.25Z/P1D
                2008-03-01T10:30:15Z
            R/2008-03-01T10:00:00,1239/P1D
                2008-03-01T10:00:00.123Z
            R/2008-03-01T10:00:00.123456Z/P1D
                2008-03-01T10:00:00.123Z
            R/2008-3-1T1:2Z/P1D
                2008-03-01T01:02:00Z
            R/2008-03-01T10:00+01/P1D
                2008-03-01T10:00:00+01:00
            R/2008-03-01T10:00+0100/P1D
                2008-03-01T10:00:00+01:00
            R/2008-03-01T10:00-01:30/P1D
                2008-03-01T10:00:00-01:30
            R/2008-03-01t10:00z/P1D
                2008-03-01T10:00:00Z
            R1//P1D
                2026-02-10T10:20:30.5Z
            R1//P
                2026-02-10T10:20:30.5Z
            R0//PT0M
                never
            R0/2014-01-01T00:00:00Z/PT60M
                never
            R18446744073709551615/2008/P1D
                2008-01-01T00:00:00Z
        "#]],
    );
}

#[test]
fn chronos_rejects_these_and_so_do_we() {
    check_starts(
        &[
            "r/2008-03-01T10:00Z/P1D",
            "R-1/2008-03-01T10:00Z/P1D",
            "R99999999999999999999/2008-03-01T10:00Z/P1D",
            "R/20080301T100000Z/P1D",
            "R/2008-03-01 10:00:00/P1D",
            "R/ 2008-03-01T10:00Z/P1D",
            "R/2008-03-01T24:00Z/P1D",
            "R/2008-03-01T23:59:60Z/P1D",
            "R/2008-02-30/P1D",
            "R/2007-366/P1D",
            "R/2009-W54/P1D",
            "R/2008-W10-0/P1D",
            "R/2008-03-01T10:00Z",
            "R/P1D",
            "R/2008-03-01/2008-03-02",
            "R/2008-03-01T10:00Z/P1M/P2M",
            "R/2008-03-01T10:00+25:00/P1D",
            "R/2008-03-01T10:00+1/P1D",
            "R/2008-03-01T10:00+01:/P1D",
            "R/2008-03-01T10:00Zgarbage/P1D",
            "R/2008-03-01Z/P1D",
            "R/2008-03-01T10:/P1D",
            "R/2008-03-01T10./P1D",
            "R/2008-13/P1D",
            "R/tomorrow/P1D",
            "R/2008-03-01\u{a0}/P1D",
        ],
        &expect![[r#"
            r/2008-03-01T10:00Z/P1D
                0..1: invalid repetition `r`: expected `R` or `R` followed by digits
            R-1/2008-03-01T10:00Z/P1D
                0..3: invalid repetition `R-1`: expected `R` or `R` followed by digits
            R99999999999999999999/2008-03-01T10:00Z/P1D
                0..21: repetition `R99999999999999999999` is more than can be counted: write `R` for no end
            R/20080301T100000Z/P1D
                2..18: start `20080301T100000Z` is in the basic form: write `2026-03-01T13:00:00Z` with `-` and `:`
            R/2008-03-01 10:00:00/P1D
                12..21: unexpected ` 10:00:00` in the start: write `T` between date and time and no blanks
            R/ 2008-03-01T10:00Z/P1D
                2..20: ` 2008-03-01T10:00Z` is not a start: expected something like `2026-03-01T13:00:00Z`
            R/2008-03-01T24:00Z/P1D
                13..15: hour `24` is out of range: at most 23, with one or two digits
            R/2008-03-01T23:59:60Z/P1D
                19..21: second `60` is out of range: at most 59, with one or two digits
            R/2008-02-30/P1D
                2..12: there is no date `2008-02-30`: write one that the calendar has
            R/2007-366/P1D
                2..10: there is no date `2007-366`: write one that the calendar has
            R/2009-W54/P1D
                8..10: week `54` is out of range: at most 53, with one or two digits
            R/2008-W10-0/P1D
                2..12: there is no date `2008-W10-0`: write one that the calendar has
            R/2008-03-01T10:00Z
                0..19: repeating interval `R/2008-03-01T10:00Z` has too few parts: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`
            R/P1D
                0..5: repeating interval `R/P1D` has too few parts: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`
            R/2008-03-01/2008-03-02
                13..23: `2008-03-02` is not a period: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008-03-01T10:00Z/P1M/P2M
                23..27: unexpected `/P2M` after the period: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`
            R/2008-03-01T10:00+25:00/P1D
                18..24: invalid offset `+25:00`: expected `Z`, or from `-23:59` to `+23:59`
            R/2008-03-01T10:00+1/P1D
                18..20: invalid offset `+1`: expected `Z`, or from `-23:59` to `+23:59`
            R/2008-03-01T10:00+01:/P1D
                18..22: invalid offset `+01:`: expected `Z`, or from `-23:59` to `+23:59`
            R/2008-03-01T10:00Zgarbage/P1D
                19..26: unexpected `garbage` in the start: expected something like `2026-03-01T13:00:00Z`
            R/2008-03-01Z/P1D
                12..13: unexpected `Z` in the start: an offset needs a time, write `T00:00` before it
            R/2008-03-01T10:/P1D
                2..16: start `2008-03-01T10:` lacks the minute: expected something like `2026-03-01T13:00:00Z`
            R/2008-03-01T10./P1D
                16..16: a fraction in the start has no digits: expected something like `2026-03-01T13:00:00Z`
            R/2008-13/P1D
                7..9: month `13` is out of range: at most 12, with one or two digits
            R/tomorrow/P1D
                3..10: unexpected `omorrow` in the start: expected something like `2026-03-01T13:00:00Z`
            R/2008-03-01 /P1D
                12..14: unexpected ` ` in the start: expected something like `2026-03-01T13:00:00Z`
        "#]],
    );
}

#[test]
fn difference_chronos_accepts_these_and_we_do_not() {
    // DIFFERENCE: no signs, no years of other than four digits, no period of zero that repeats, none that is cut to it.
    check_starts(
        &[
            "R/12008-03-01T10:00Z/P1D",
            "R/-0001-03-01T10:00Z/P1D",
            "R/2008/P",
            "R/2008/P0D",
            "R2/2008/PT0S",
            "R/2008/P-1D",
            "R/2008/P+1D",
            "R/2008/PT0.0001S",
        ],
        &expect![[r#"
            R/12008-03-01T10:00Z/P1D
                2..7: year `12008` does not have four digits: expected something like `2026-03-01T13:00:00Z`
            R/-0001-03-01T10:00Z/P1D
                2..20: `-0001-03-01T10:00Z` is not a start: expected something like `2026-03-01T13:00:00Z`
            R/2008/P
                7..8: period `P` is zero: the job would always be due; write a longer one, or `R1` to run once
            R/2008/P0D
                7..10: period `P0D` is zero: the job would always be due; write a longer one, or `R1` to run once
            R2/2008/PT0S
                8..12: period `PT0S` is zero: the job would always be due; write a longer one, or `R1` to run once
            R/2008/P-1D
                8..9: sign `-` in a period: time goes forward only, write the period without a sign
            R/2008/P+1D
                8..9: sign `+` in a period: time goes forward only, write the period without a sign
            R/2008/PT0.0001S
                11..15: fraction `0001` is finer than a millisecond: write at most three digits
        "#]],
    );
}

#[test]
fn periods_that_are_refused() {
    check_starts(
        &[
            "R/2008/",
            "R/2008/PT",
            "R/2008/P1H",
            "R/2008/P1DT",
            "R/2008/P0.5D",
            "R/2008/PT0.5H",
            "R/2008/P1D1W",
            "R/2008/P1Y1Y",
            "R/2008/PT1D",
            "R/2008/P1D ",
            "R/2008/p1d",
            "R/2008/-P1D",
            "R/2008/P1",
            "R/2008/PT1.S",
            "R/2008/P1X",
            "R/2008/PT1S garbage",
            "R/2008/PD",
            "R/2008/P99999999999999999999D",
            "R/2008/P9223372036854775807W",
        ],
        &expect![[r#"
            R/2008/
                7..7: the period is empty: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/PT
                7..9: period `PT` ends after `T`: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/P1H
                9..10: unit `H` belongs to the time of day: write `T` before it, as in `PT1H`
            R/2008/P1DT
                7..11: period `P1DT` ends after `T`: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/P0.5D
                8..12: fraction `0.5D`: only seconds have fractions, write smaller units such as `PT30M`
            R/2008/PT0.5H
                9..13: fraction `0.5H`: only seconds have fractions, write smaller units such as `PT30M`
            R/2008/P1D1W
                10..12: `1W` is out of order: units are written once each, as in `P1Y2M3W4DT5H6M7S`
            R/2008/P1Y1Y
                10..12: `1Y` is out of order: units are written once each, as in `P1Y2M3W4DT5H6M7S`
            R/2008/PT1D
                10..11: unit `D` belongs to the calendar: write it before the `T`, as in `P1DT1H`
            R/2008/P1D 
                10..11: unexpected ` ` in a period: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/p1d
                7..8: `p` begins no period: write a capital `P`
            R/2008/-P1D
                7..8: sign `-` in a period: time goes forward only, write the period without a sign
            R/2008/P1
                8..9: number `1` has no unit: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/PT1.S
                9..12: number `1.S` has no unit: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/P1X
                9..10: unknown unit `X`: expected `Y`, `M`, `W`, `D`, or after `T` `H`, `M`, `S`
            R/2008/PT1S garbage
                11..12: unexpected ` ` in a period: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/PD
                8..9: unexpected `D` in a period: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
            R/2008/P99999999999999999999D
                8..28: `99999999999999999999` is beyond all calendars: write a shorter period
            R/2008/P9223372036854775807W
                8..28: `9223372036854775807W` is beyond all calendars: write a shorter period
        "#]],
    );
}

#[test]
fn periods_that_are_accepted() {
    let texts = [
        "P1Y2M3W4DT5H6M7.8S",
        "PT60M",
        "PT36H",
        "P1d",
        "P1W1D",
        "PT0.5S",
        "PT0,001S",
        "PT1.500000000000S",
        "P1Yt1s",
        "P",
    ];
    let lines = texts.map(|text| {
        let period =
            period::read(Source::new("schedule", text), 0..text.len()).expect("a valid period");
        format!("{text}: {} months, {} days, {} ms\n", period.months, period.days, period.millis)
    });
    expect![[r#"
        P1Y2M3W4DT5H6M7.8S: 14 months, 25 days, 18367800 ms
        PT60M: 0 months, 0 days, 3600000 ms
        PT36H: 0 months, 0 days, 129600000 ms
        P1d: 0 months, 1 days, 0 ms
        P1W1D: 0 months, 8 days, 0 ms
        PT0.5S: 0 months, 0 days, 500 ms
        PT0,001S: 0 months, 0 days, 1 ms
        PT1.500000000000S: 0 months, 0 days, 1500 ms
        P1Yt1s: 12 months, 0 days, 1000 ms
        P: 0 months, 0 days, 0 ms
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn epsilon_is_a_length_of_time() {
    let lines = ["PT60S", "P1D", "P1WT1H", "PT0S", "PT0.25S", "P1M", "P1Y", "-PT1S", "", "60"].map(
        |text| {
            let result =
                parse_period(text).map_or_else(|error| error.to_string(), |span| span.to_string());
            format!("{text}: {result}\n")
        },
    );
    expect![[r#"
        PT60S: PT1M
        P1D: PT24H
        P1WT1H: PT169H
        PT0S: PT0S
        PT0.25S: PT0.25S
        P1M: period `P1M` has no fixed length: months and years depend on the calendar, write days, such as `P30D`
        P1Y: period `P1Y` has no fixed length: months and years depend on the calendar, write days, such as `P30D`
        -PT1S: sign `-` in a period: time goes forward only, write the period without a sign
        : the period is empty: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
        60: `60` is not a period: expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`
    "#]].assert_eq(&lines.concat());
}

/// Found by the fuzz target `interval`: such a length was a panic.
#[test]
fn epsilon_beyond_all_calendars_is_refused() {
    let longest = parse_period("P15250284452471W").expect("a length");
    assert_eq!(longest.as_secs() / 604_800, 15_250_284_452_471);
    for text in ["P15250284452472W", "P22222222222222121W", "P106751991167300641D"] {
        let error = parse_period(text).expect_err("too long");
        let expected = format!("period `{text}` is beyond all calendars: write a shorter period");
        assert_eq!((error.span, error.message), (0..text.len(), expected));
    }
}

#[test]
fn zone_keeps_the_digits_and_replaces_the_offset() {
    check_zoned_starts(
        &[
            ("R/2008-03-01T13:00:00Z/P1D", "Europe/Paris"),
            ("R/2008-07-01T13:00:00Z/P1D", "America/New_York"),
            ("R/2008-03-01T13:00:00-04:00/P1D", "America/Los_Angeles"),
            ("R/2008-03-01/P1D", "America/Los_Angeles"),
            ("R/2008-03-01T13:00:00-04:00/P1D", ""),
            ("R/2008-03-01T13:00:00/P1D", ""),
            ("R1//P1D", "America/Los_Angeles"),
            // In a fold the offset written is replaced like any other, so this is the first passing.
            ("R/2026-11-01T01:30:00-05:00/P1D", "America/New_York"),
            // DIFFERENCE: Chronos takes these for 13:00−08:00, 13:00+06:00 and 13:00Z.
            ("R/2008-03-01T13:00:00Z/P1D", "PST"),
            ("R/2008-03-01T13:00:00Z/P1D", "BST"),
            ("R/2008-03-01T13:00:00Z/P1D", "europe/paris"),
            ("R/2008-03-01T13:00:00Z/P1D", "null"),
            ("R/2008-03-01T13:00:00Z", "Europe/Paris"),
        ],
        &expect![[r#"
            R/2008-03-01T13:00:00Z/P1D in Europe/Paris
                2008-03-01T13:00:00+01:00
            R/2008-07-01T13:00:00Z/P1D in America/New_York
                2008-07-01T13:00:00-04:00
            R/2008-03-01T13:00:00-04:00/P1D in America/Los_Angeles
                2008-03-01T13:00:00-08:00
            R/2008-03-01/P1D in America/Los_Angeles
                2008-03-01T00:00:00-08:00
            R/2008-03-01T13:00:00-04:00/P1D
                2008-03-01T13:00:00-04:00
            R/2008-03-01T13:00:00/P1D
                2008-03-01T13:00:00Z
            R1//P1D in America/Los_Angeles
                2026-02-10T02:20:30.5-08:00
            R/2026-11-01T01:30:00-05:00/P1D in America/New_York
                2026-11-01T01:30:00-04:00
            R/2008-03-01T13:00:00Z/P1D in PST
                0..3: time zone `PST` is an abbreviation that means different things to different programs: write a full name such as `America/Los_Angeles`
            R/2008-03-01T13:00:00Z/P1D in BST
                0..3: time zone `BST` is an abbreviation that means different things to different programs: write a full name such as `Asia/Dhaka` or `Europe/London`
            R/2008-03-01T13:00:00Z/P1D in europe/paris
                0..12: unknown time zone `europe/paris`: write `Europe/Paris`
            R/2008-03-01T13:00:00Z/P1D in null
                0..4: unknown time zone `null`: expected a name such as `Europe/Berlin`, or nothing
            R/2008-03-01T13:00:00Z in Europe/Paris
                0..22: repeating interval `R/2008-03-01T13:00:00Z` has too few parts: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`
        "#]],
    );
}

#[test]
fn month_end_is_counted_from_the_start() {
    // DIFFERENCE: Chronos counts from the last occurrence and slides to the 28th.
    check_occurrences(
        "R/2026-01-31T00:00:00Z/P1M",
        "",
        "2026-01-01T00:00:00Z",
        5,
        &expect![[r#"
            2026-01-31T00:00:00Z
            2026-02-28T00:00:00Z
            2026-03-31T00:00:00Z
            2026-04-30T00:00:00Z
            2026-05-31T00:00:00Z
        "#]],
    );
    check_occurrences(
        "R/2024-02-29/P1Y",
        "",
        "2024-01-01T00:00:00Z",
        5,
        &expect![[r#"
            2024-02-29T00:00:00Z
            2025-02-28T00:00:00Z
            2026-02-28T00:00:00Z
            2027-02-28T00:00:00Z
            2028-02-29T00:00:00Z
        "#]],
    );
}

#[test]
fn next_occurrence_where_chronos_skips_forward() {
    // DIFFERENCE: Chronos is wrong by months and years in the rows of P1M, and may fall into the past.
    let rows = [
        ("R/2012-01-01T00:00:00Z/P1D", "2012-01-01T00:00:00.001Z"),
        ("R/2012-01-01T00:00:00Z/P1D", "2012-01-01T23:59:59.999Z"),
        ("R/2012-01-01T00:00:00Z/P1D", "2012-01-02T00:00:00.000Z"),
        ("R/2012-01-01T00:00:00Z/P1D", "2012-01-02T00:00:00.500Z"),
        ("R5/2012-01-01T00:00:00.000Z/P1D", "2012-01-03T00:00:01Z"),
        ("R/2012-01-01T00:00:01.000Z/PT1M", "2026-02-10T10:20:30.500Z"),
        ("R/2012-01-01T00:00:00Z/PT90S", "2012-01-01T00:10:00Z"),
        ("R/2012-01-01T00:00:00Z/P1W", "2012-01-20T00:00:00Z"),
        ("R1/2012-01-01T00:00:00Z/PT0S", "2012-01-03T00:00:00Z"),
        ("R3/2030-01-01T00:00:00Z/P1D", "2012-01-01T00:00:00Z"),
        ("R0/2012-01-01T00:00:00Z/PT0S", "2011-01-01T00:00:00Z"),
        ("R/2012-01-31T00:00:00Z/P1M", "2012-02-10T00:00:00Z"),
        ("R/2012-01-31T00:00:00Z/P1M", "2012-02-29T00:00:00Z"),
        ("R/2012-01-01T00:00:00Z/P1M", "2026-02-10T00:00:00Z"),
        ("R/2012-01-01T00:00:01.000Z/P1M", "2026-02-10T00:00:00Z"),
        ("R/2012-01-01T00:00:00Z/P1M", "2026-03-10T00:00:00Z"),
        ("R/2012-01-01T00:00:00Z/P1M", "2026-07-15T00:00:00Z"),
        ("R/2012-01-01T00:00:00Z/P1Y", "2026-03-10T00:00:00Z"),
        ("R/2012-02-29T00:00:00Z/P1Y", "2012-02-29T00:00:01Z"),
        ("R/2012-01-01T00:00:00Z/PT0.5S", "2026-02-10T10:20:30.25Z"),
        ("R/1912-01-01T00:00:00Z/PT1S", "2026-02-10T10:20:30.25Z"),
    ];
    let lines = rows.map(|(text, after)| {
        let schedule = parse(text, "").expect("a valid schedule");
        let next =
            schedule.next_after(at(after)).map_or("none".to_owned(), |next| next.to_string());
        format!("{text} after {after}: {next}, {:?} left\n", schedule.remaining_after(at(after)))
    });
    expect![[r#"
        R/2012-01-01T00:00:00Z/P1D after 2012-01-01T00:00:00.001Z: 2012-01-02T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1D after 2012-01-01T23:59:59.999Z: 2012-01-02T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1D after 2012-01-02T00:00:00.000Z: 2012-01-03T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1D after 2012-01-02T00:00:00.500Z: 2012-01-03T00:00:00Z, Unlimited left
        R5/2012-01-01T00:00:00.000Z/P1D after 2012-01-03T00:00:01Z: 2012-01-04T00:00:00Z, Count(2) left
        R/2012-01-01T00:00:01.000Z/PT1M after 2026-02-10T10:20:30.500Z: 2026-02-10T10:21:01Z, Unlimited left
        R/2012-01-01T00:00:00Z/PT90S after 2012-01-01T00:10:00Z: 2012-01-01T00:10:30Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1W after 2012-01-20T00:00:00Z: 2012-01-22T00:00:00Z, Unlimited left
        R1/2012-01-01T00:00:00Z/PT0S after 2012-01-03T00:00:00Z: none, Count(0) left
        R3/2030-01-01T00:00:00Z/P1D after 2012-01-01T00:00:00Z: 2030-01-01T00:00:00Z, Count(3) left
        R0/2012-01-01T00:00:00Z/PT0S after 2011-01-01T00:00:00Z: none, Count(0) left
        R/2012-01-31T00:00:00Z/P1M after 2012-02-10T00:00:00Z: 2012-02-29T00:00:00Z, Unlimited left
        R/2012-01-31T00:00:00Z/P1M after 2012-02-29T00:00:00Z: 2012-03-31T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1M after 2026-02-10T00:00:00Z: 2026-03-01T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:01.000Z/P1M after 2026-02-10T00:00:00Z: 2026-03-01T00:00:01Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1M after 2026-03-10T00:00:00Z: 2026-04-01T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1M after 2026-07-15T00:00:00Z: 2026-08-01T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/P1Y after 2026-03-10T00:00:00Z: 2027-01-01T00:00:00Z, Unlimited left
        R/2012-02-29T00:00:00Z/P1Y after 2012-02-29T00:00:01Z: 2013-02-28T00:00:00Z, Unlimited left
        R/2012-01-01T00:00:00Z/PT0.5S after 2026-02-10T10:20:30.25Z: 2026-02-10T10:20:30.5Z, Unlimited left
        R/1912-01-01T00:00:00Z/PT1S after 2026-02-10T10:20:30.25Z: 2026-02-10T10:20:31Z, Unlimited left
    "#]].assert_eq(&lines.concat());
}

#[test]
fn days_keep_the_wall_clock_and_hours_do_not() {
    let zone = "America/New_York";
    check_occurrences(
        "R/2026-03-07T12:00:00/P1D",
        zone,
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
        2026-03-07T12:00:00-05:00
        2026-03-08T12:00:00-04:00
        2026-03-09T12:00:00-04:00
    "#]],
    );
    check_occurrences(
        "R/2026-03-07T12:00:00/PT24H",
        zone,
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-03-07T12:00:00-05:00
            2026-03-08T13:00:00-04:00
            2026-03-09T13:00:00-04:00
        "#]],
    );
    check_occurrences(
        "R/2026-11-01T00:30:00/PT1H",
        zone,
        "2026-11-01T00:00:00Z",
        4,
        &expect![[r#"
            2026-11-01T00:30:00-04:00
            2026-11-01T01:30:00-04:00
            2026-11-01T01:30:00-05:00
            2026-11-01T02:30:00-05:00
        "#]],
    );
    // An offset without a zone has no summer time.
    check_occurrences(
        "R/2026-03-07T12:00:00-05:00/P1D",
        "",
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-03-07T12:00:00-05:00
            2026-03-08T12:00:00-05:00
            2026-03-09T12:00:00-05:00
        "#]],
    );
}

#[test]
fn skipped_wall_time_moves_forward_that_once() {
    // DIFFERENCE: Chronos rewrites its schedule, so that it stays at 03:30 for ever.
    check_occurrences(
        "R/2026-03-28T02:30:00/P1D",
        "Europe/Berlin",
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-03-28T02:30:00+01:00
            2026-03-29T03:30:00+02:00
            2026-03-30T02:30:00+02:00
        "#]],
    );
    check_occurrences(
        "R/2026-03-08T02:30:00/P1D",
        "America/New_York",
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-03-08T03:30:00-04:00
            2026-03-09T02:30:00-04:00
            2026-03-10T02:30:00-04:00
        "#]],
    );
    check_occurrences(
        "R/2026-10-03T02:15:00/P1D",
        "Australia/Lord_Howe",
        "2026-10-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-10-03T02:15:00+10:30
            2026-10-04T02:45:00+11:00
            2026-10-05T02:15:00+11:00
        "#]],
    );
    check_occurrences(
        "R/2011-03-12T00:30/P1D",
        "America/St_Johns",
        "2011-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2011-03-12T00:30:00-03:30
            2011-03-13T01:30:00-02:30
            2011-03-14T00:30:00-02:30
        "#]],
    );
    check_occurrences(
        "R/2026-03-28T01:30:00/P1D",
        "Antarctica/Troll",
        "2026-03-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-03-28T01:30:00Z
            2026-03-29T03:30:00+02:00
            2026-03-30T01:30:00+02:00
        "#]],
    );
}

#[test]
fn wall_time_that_exists_twice_is_its_first_passing() {
    check_occurrences(
        "R/2026-10-24T02:30:00/P1D",
        "Europe/Berlin",
        "2026-10-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-10-24T02:30:00+02:00
            2026-10-25T02:30:00+02:00
            2026-10-26T02:30:00+01:00
        "#]],
    );
    check_occurrences(
        "R/2026-04-04T01:45:00/P1D",
        "Australia/Lord_Howe",
        "2026-04-01T00:00:00Z",
        3,
        &expect![[r#"
            2026-04-04T01:45:00+11:00
            2026-04-05T01:45:00+11:00
            2026-04-06T01:45:00+10:30
        "#]],
    );
}

#[test]
fn a_day_that_the_zone_left_out_is_listed_once_and_counted_twice() {
    let (text, zone) = ("R5/2011-12-28T10:00:00/P1D", "Pacific/Apia");
    check_occurrences(
        text,
        zone,
        "2011-12-01T00:00:00Z",
        9,
        &expect![[r#"
        2011-12-28T10:00:00-10:00
        2011-12-29T10:00:00-10:00
        2011-12-31T10:00:00+14:00
        2012-01-01T10:00:00+14:00
    "#]],
    );
    let schedule = parse(text, zone).expect("a valid schedule");
    let before = at("2011-12-01T00:00:00Z");
    let left: Vec<_> =
        occurrences(&schedule, before).map(|due| schedule.remaining_after(due)).collect();
    assert_eq!(left, [4, 3, 1, 0].map(Remaining::Count));
    let through = at("2012-02-01T00:00:00Z");
    let counts = [1, 2, 3, 4, 5].map(|limit| {
        let span = schedule.stretch(before, through, limit).expect("it has occurrences");
        (span.count, span.complete)
    });
    assert_eq!(counts, [(1, false), (2, false), (3, false), (4, true), (4, true)]);
}

#[test]
fn stretch_of_seconds_since_1970_is_counted_without_a_walk() {
    let schedule = parse("R/1970-01-01T00:00:00Z/PT1S", "").expect("a valid schedule");
    let span = schedule.stretch(at("1970-01-01T00:00:00Z"), at("9999-01-01T00:00:00.9Z"), u64::MAX);
    let span = span.expect("it has occurrences");
    assert_eq!(span.count, 253_370_764_800);
    assert_eq!((span.first, span.last), (at("1970-01-01T00:00:01Z"), at("9999-01-01T00:00:00Z")));
    let limited = schedule.stretch(at("2026-01-01T00:00:00.5Z"), at("2027-01-01T00:00:00Z"), 10);
    assert_eq!(
        limited,
        Some(Span {
            first: at("2026-01-01T00:00:01Z"),
            last: at("2026-01-01T00:00:10Z"),
            count: 10,
            complete: false
        })
    );
}

#[test]
fn stretch_takes_its_end_and_not_its_beginning() {
    let schedule = parse("R/2026-01-01T00:00:00Z/PT1H", "").expect("a valid schedule");
    let (midnight, one) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T01:00:00Z"));
    let count = |after, through| schedule.stretch(after, through, 9).map(|span| span.count);
    assert_eq!(count(midnight, one), Some(1));
    assert_eq!(count(one, one), None);
    assert_eq!(count(one, midnight), None);
    assert_eq!(schedule.stretch(midnight, one, 0), None);
    assert_eq!(schedule.last_through(midnight, one), Some(one));
    assert_eq!(schedule.last_through(one, one), None);
    let nearly = one - crate::model::Duration::from_nanos(1);
    assert_eq!(schedule.last_through(midnight, nearly), None);
    assert_eq!(schedule.next_after(nearly), Some(one));
}

#[test]
fn schedules_end_with_the_calendar() {
    for (text, zone) in [
        ("R/9999-12-01/P1M", ""),
        ("R/9999-12-30T10:00/P1D", "America/New_York"),
        ("R/2026-01-01/P9223372036854775807D", ""),
        ("R/2026-01-01/P9000Y", ""),
        ("R/2026-01-01/PT2562047788015H", ""),
    ] {
        let schedule = parse(text, zone).unwrap_or_else(|error| panic!("{text}: {error}"));
        let all: Vec<_> = occurrences(&schedule, Timestamp::MIN).take(3).collect();
        assert_eq!(all.len(), 1, "{text}");
        assert_eq!(schedule.next_after(Timestamp::MAX), None, "{text}");
        let span = schedule.stretch(Timestamp::MIN, Timestamp::MAX, u64::MAX).expect("one");
        assert_eq!((span.count, span.complete), (1, true), "{text}");
    }
    check_starts(
        &["R/9999-12-31T23:00:00Z/P1D"],
        &expect![[r#"
            R/9999-12-31T23:00:00Z/P1D
                2..22: start `9999-12-31T23:00:00Z` is beyond the end of year 9999: write an earlier one
        "#]],
    );
}

#[test]
fn warnings_tell_of_schedules_that_never_run_again() {
    let lines = [
        "R0/2030-01-01/P1D",
        "R5/2012-01-01/P1D",
        "R1//P1D",
        "R1/2026-02-10T10:20:30.5Z/P1D",
        "R/2012-01-01/P1D",
    ]
    .map(|text| format!("{text}: {:?}\n", parse(text, "").expect("a valid schedule").warnings()));
    expect![[r#"
        R0/2030-01-01/P1D: ["`R0` names no occurrence: the job never runs by itself"]
        R5/2012-01-01/P1D: ["all occurrences were due before the schedule was accepted: the job is exhausted"]
        R1//P1D: []
        R1/2026-02-10T10:20:30.5Z/P1D: []
        R/2012-01-01/P1D: []
    "#]].assert_eq(&lines.concat());
}

#[test]
fn text_that_is_too_long_is_refused() {
    let text = format!("R/2026-01-01/P{}1D", "0".repeat(1_024));
    let error = parse(&text, "").expect_err("too long");
    assert!(error.to_string().contains("write at most 1024 bytes"), "{error}");
}

/// Zones with changes of clock of many kinds.
const ZONES: [&str; 7] = [
    "",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "Africa/Casablanca",
];

#[derive(Debug, Clone)]
struct Drawn {
    zone: &'static str,
    wall: jiff::civil::DateTime,
    count: Option<u64>,
    months: i64,
    days: i64,
    seconds: i64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let wall = (1960_i16..2040, 1_i8..=12, 1_i8..=31, 0_i8..24, 0_i8..60);
    let count = prop_oneof![Just(None), (0_u64..90).prop_map(Some)];
    let months = prop_oneof![3 => Just(0_i64), 1 => 1..30_i64];
    let days = prop_oneof![1 => Just(0_i64), 2 => 1..40_i64];
    let seconds = prop_oneof![2 => Just(0_i64), 1 => 1..200_000_i64];
    (0..ZONES.len(), wall, count, months, days, seconds).prop_filter_map(
        "a date and a period",
        |(zone, (year, month, day, hour, minute), count, months, days, seconds)| {
            let wall = jiff::civil::DateTime::new(year, month, day, hour, minute, 0, 0).ok()?;
            let is_zero = months + days + seconds == 0;
            (!is_zero).then_some(Drawn { zone: ZONES[zone], wall, count, months, days, seconds })
        },
    )
}

impl Drawn {
    fn text(&self) -> String {
        let count = self.count.map_or(String::new(), |count| count.to_string());
        let Self { wall, months, days, seconds, .. } = self;
        format!("R{count}/{wall}/P{months}M{days}DT{seconds}S")
    }

    /// The first occurrences, one by one, without leaving out those that share an instant.
    fn walk(&self, zones: &ZoneDb) -> Vec<Timestamp> {
        let zone = if self.zone.is_empty() { Zone::utc() } else { zones.get(self.zone).unwrap() };
        let count = i64::try_from(self.count.unwrap_or(90)).unwrap();
        let calendar = |k: i64| jiff::Span::new().months(self.months * k).days(self.days * k);
        let due = (0..count).map(|k| {
            let wall = self.wall.checked_add(calendar(k)).unwrap();
            let instant = zone.rules().to_ambiguous_timestamp(wall).compatible().unwrap();
            instant + crate::model::Duration::from_secs(self.seconds * k)
        });
        due.collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn occurrences_are_those_of_a_walk_from_the_start(
        drawn in drawn(),
        from in 0_usize..90,
        to in 0_usize..90,
        nudge in -1_i64..=1,
        limit in 0_u64..100,
    ) {
        let zones = ZoneDb::bundled();
        let schedule = Schedule::parse(&drawn.text(), drawn.zone, at(ACCEPTED_AT), &zones).unwrap();
        let all = drawn.walk(&zones);
        prop_assert!(all.is_sorted(), "{} {:?}", drawn.text(), all);
        let mut instants = all.clone();
        instants.dedup();
        let found: Vec<_> =
            occurrences(&schedule, Timestamp::MIN).take(instants.len()).collect();
        prop_assert_eq!(&found, &instants, "{}", drawn.text());

        let Some(last) = all.last().copied() else { return Ok(()) };
        let nudge = crate::model::Duration::from_millis(nudge);
        let after = all[from.min(all.len() - 1)] + nudge;
        let through = (all[to.min(all.len() - 1)] + nudge).min(last);
        let expected: Vec<_> =
            instants.iter().copied().filter(|due| *due > after && *due <= through).collect();
        let taken = &expected[..expected.len().min(usize::try_from(limit).unwrap())];
        let span = schedule.stretch(after, through, limit);
        let shown = span.map(|span| (span.first, span.last, span.count, span.complete));
        let wanted = taken.first().map(|first| {
            (*first, taken[taken.len() - 1], taken.len() as u64, taken.len() == expected.len())
        });
        prop_assert_eq!(shown, wanted, "{} in ({}, {}]", drawn.text(), after, through);
        prop_assert_eq!(schedule.last_through(after, through), expected.last().copied());
        let left = all.iter().filter(|due| **due > after).count() as u64;
        let remaining = drawn.count.map_or(Remaining::Unlimited, |_| Remaining::Count(left));
        prop_assert_eq!(schedule.remaining_after(after), remaining);
    }

    #[test]
    fn no_text_makes_it_panic(text in "R?[0-9]{0,3}/[-0-9TtZzW:+.,]{0,24}/P[-+0-9YMWDTHS.,]{0,12}ä?") {
        if let Ok(schedule) = parse(&text, "Pacific/Apia") {
            let _ = schedule.stretch(Timestamp::MIN, Timestamp::MAX, 1_000);
            let _ = schedule.stretch(at(ACCEPTED_AT), Timestamp::MAX, u64::MAX);
            let _ = schedule.last_through(Timestamp::MIN, Timestamp::MAX);
            let _ = schedule.remaining_after(Timestamp::MAX);
        }
        let _ = parse_period(&text);
    }

    #[test]
    fn no_zone_name_makes_it_panic(name in "\\PC{0,40}") {
        let _ = ZoneDb::bundled().get(&name);
    }
}
