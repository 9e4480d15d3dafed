//! What is not in Debian's cron: seconds, days that depend on the month, `H`, a zone in front.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use proptest::prelude::*;

use crate::model::{ScheduleTerms, Timestamp};
use crate::schedule::{Schedule, ScheduleError, ZoneDb};

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn parse(text: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    named("nightly-report", text, zone)
}

fn named(name: &str, text: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    let terms = ScheduleTerms::plain(text, zone);
    Schedule::of(name, &terms, at("2026-02-10T10:20:30.5Z"), &ZoneDb::bundled())
}

fn occurrences(schedule: &Schedule, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
}

/// The next occurrences in 2026 of each text and its warnings, or why it is refused.
fn check(count: usize, texts: &[&str], expected: &Expect) {
    let mut table = String::new();
    let show = |due| jiff::fmt::strtime::format("%a %F %T", due).expect("a valid format");
    for text in texts {
        writeln!(table, "{text}").expect("a text takes a line");
        match parse(text, "") {
            Ok(schedule) => {
                let due = occurrences(&schedule, at("2025-12-31T23:59:59.9Z")).take(count);
                let due: Vec<_> = due.map(show).collect();
                writeln!(table, "    {}", due.join(", ")).expect("a text takes a line");
                for warning in schedule.warnings() {
                    writeln!(table, "    warning: {warning}").expect("a text takes a line");
                }
            }
            Err(error) => {
                writeln!(table, "    {:?}: {error}", error.span).expect("a text takes a line");
            }
        }
    }
    expected.assert_eq(&table);
}

#[test]
fn six_fields_have_seconds_in_front() {
    check(
        3,
        &[
            "*/20 * * * * *",
            "30 15 2 * * *",
            "0,59 59 23 31 12 ?",
            "0 0 12 ? * MON-FRI",
            "0 0 12 ? * 2-6",
            "30 2 * * * backup",
            "60 * * * * *",
            "5 30 2 * * * *",
        ],
        &expect![[r#"
            */20 * * * * *
                Thu 2026-01-01 00:00:00, Thu 2026-01-01 00:00:20, Thu 2026-01-01 00:00:40
            30 15 2 * * *
                Thu 2026-01-01 02:15:30, Fri 2026-01-02 02:15:30, Sat 2026-01-03 02:15:30
            0,59 59 23 31 12 ?
                Thu 2026-12-31 23:59:00, Thu 2026-12-31 23:59:59, Fri 2027-12-31 23:59:00
            0 0 12 ? * MON-FRI
                Thu 2026-01-01 12:00:00, Fri 2026-01-02 12:00:00, Mon 2026-01-05 12:00:00
            0 0 12 ? * 2-6
                Thu 2026-01-01 12:00:00, Fri 2026-01-02 12:00:00, Sat 2026-01-03 12:00:00
                warning: weekdays are counted from Sunday as 0: Quartz, which also has six fields, counts from 1
            30 2 * * * backup
                11..17: `backup` is not a value of the weekday: expected `*`, numbers from 0 to 7, names such as `SUN`, ranges such as `0-7`, steps such as `*/2`, `5L` or `5#2` for the last or the second of the month, or a list of these; six fields are read with seconds in front, and a command belongs in `command`
            60 * * * * *
                0..2: `60` is out of range in the second: expected 0 to 59
            5 30 2 * * * *
                13..14: unexpected `*` after the weekday: expected five fields, or six with seconds in front, without year or command
        "#]],
    );
}

#[test]
fn days_may_depend_on_the_month() {
    check(
        4,
        &[
            "0 0 L * *",
            "0 0 L-2 * *",
            "0 0 15,L * *",
            "0 0 LW * *",
            "0 0 1W * *",
            "0 0 31W * *",
            "0 0 15w,28W * *",
            "0 0 * * FRIL",
            "0 0 * * 7L",
            "0 0 * * MON#1,5#3",
            "0 0 * * 0#5",
            "0 0 L * 5",
            "0 0 ? * 5L",
            "0 0 * 2 1#5",
            "0 0 L-29 2 *",
        ],
        &expect![[r#"
            0 0 L * *
                Sat 2026-01-31 00:00:00, Sat 2026-02-28 00:00:00, Tue 2026-03-31 00:00:00, Thu 2026-04-30 00:00:00
            0 0 L-2 * *
                Thu 2026-01-29 00:00:00, Thu 2026-02-26 00:00:00, Sun 2026-03-29 00:00:00, Tue 2026-04-28 00:00:00
            0 0 15,L * *
                Thu 2026-01-15 00:00:00, Sat 2026-01-31 00:00:00, Sun 2026-02-15 00:00:00, Sat 2026-02-28 00:00:00
            0 0 LW * *
                Fri 2026-01-30 00:00:00, Fri 2026-02-27 00:00:00, Tue 2026-03-31 00:00:00, Thu 2026-04-30 00:00:00
            0 0 1W * *
                Thu 2026-01-01 00:00:00, Mon 2026-02-02 00:00:00, Mon 2026-03-02 00:00:00, Wed 2026-04-01 00:00:00
            0 0 31W * *
                Fri 2026-01-30 00:00:00, Tue 2026-03-31 00:00:00, Fri 2026-05-29 00:00:00, Fri 2026-07-31 00:00:00
            0 0 15w,28W * *
                Thu 2026-01-15 00:00:00, Wed 2026-01-28 00:00:00, Mon 2026-02-16 00:00:00, Fri 2026-02-27 00:00:00
            0 0 * * FRIL
                Fri 2026-01-30 00:00:00, Fri 2026-02-27 00:00:00, Fri 2026-03-27 00:00:00, Fri 2026-04-24 00:00:00
            0 0 * * 7L
                Sun 2026-01-25 00:00:00, Sun 2026-02-22 00:00:00, Sun 2026-03-29 00:00:00, Sun 2026-04-26 00:00:00
            0 0 * * MON#1,5#3
                Mon 2026-01-05 00:00:00, Fri 2026-01-16 00:00:00, Mon 2026-02-02 00:00:00, Fri 2026-02-20 00:00:00
            0 0 * * 0#5
                Sun 2026-03-29 00:00:00, Sun 2026-05-31 00:00:00, Sun 2026-08-30 00:00:00, Sun 2026-11-29 00:00:00
            0 0 L * 5
                Fri 2026-01-02 00:00:00, Fri 2026-01-09 00:00:00, Fri 2026-01-16 00:00:00, Fri 2026-01-23 00:00:00
                warning: runs on all days that match the day of the month or the weekday, because neither field begins with `*`
            0 0 ? * 5L
                Fri 2026-01-30 00:00:00, Fri 2026-02-27 00:00:00, Fri 2026-03-27 00:00:00, Fri 2026-04-24 00:00:00
            0 0 * 2 1#5
                Mon 2044-02-29 00:00:00, Mon 2072-02-29 00:00:00, Mon 2112-02-29 00:00:00, Mon 2140-02-29 00:00:00
            0 0 L-29 2 *
                4..10: `L-29 2` names a date that never comes: write days that the months have
        "#]],
    );
}

#[test]
fn what_is_near_an_extension_is_refused_with_a_remedy() {
    check(
        1,
        &[
            "0 0 L-31 * *",
            "0 0 L-x * *",
            "0 0 L-30 2 *",
            "0 0 0W * *",
            "0 0 32W * *",
            "0 0 W * *",
            "0 0 1-15W * *",
            "0 0 WL * *",
            "0 0 * L *",
            "L 0 * * *",
            "0 0 * * L",
            "0 0 * * 5#0",
            "0 0 * * 5#6",
            "0 0 * * 5#",
            "0 0 * * 8#1",
            "0 0 * * 1-5#2",
            "0 0 30W 2 *",
            "? * * * *",
            "0 0 ?,1 * *",
            "0 0 ?/2 * *",
            "H( * * * *",
            "H(5 * * * *",
            "H(5) * * * *",
            "H(50-70) * * * *",
            "H(9-5) * * * *",
            "H-5 * * * *",
            "h * * * *",
            "HH * * * *",
            "1-/2 * * * *",
            "10/x * * * *",
        ],
        &expect![[r#"
            0 0 L-31 * *
                4..8: invalid `L-31` in the day of the month: expected `L-` and a number from 0 to 30
            0 0 L-x * *
                4..7: invalid `L-x` in the day of the month: expected `L-` and a number from 0 to 30
            0 0 L-30 2 *
                4..10: `L-30 2` names a date that never comes: write days that the months have
            0 0 0W * *
                4..6: `0W` is out of range in the day of the month: expected `1W` to `31W`
            0 0 32W * *
                4..7: `32W` is out of range in the day of the month: expected `1W` to `31W`
            0 0 W * *
                4..5: `W` is not a value of the day of the month: expected `*`, numbers from 1 to 31, ranges such as `1-31`, steps such as `*/2`, `L` for the last day, `15W` for the nearest working day, or a list of these
            0 0 1-15W * *
                6..9: `15W` is not a value of the day of the month: expected `*`, numbers from 1 to 31, ranges such as `1-31`, steps such as `*/2`, `L` for the last day, `15W` for the nearest working day, or a list of these
            0 0 WL * *
                4..6: `WL` is not a value of the day of the month: expected `*`, numbers from 1 to 31, ranges such as `1-31`, steps such as `*/2`, `L` for the last day, `15W` for the nearest working day, or a list of these
            0 0 * L *
                6..7: `L` is not a value of the month: expected `*`, numbers from 1 to 12, names such as `JAN`, ranges such as `1-12`, steps such as `*/2`, or a list of these
            L 0 * * *
                0..1: `L` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            0 0 * * L
                8..9: `L` alone is no weekday: write `6` for every Saturday, or `5L` for the last Friday of the month
            0 0 * * 5#0
                8..11: invalid `5#0` in the weekday: expected `#` and a number from 1 to 5
            0 0 * * 5#6
                8..11: invalid `5#6` in the weekday: expected `#` and a number from 1 to 5
            0 0 * * 5#
                8..10: invalid `5#` in the weekday: expected `#` and a number from 1 to 5
            0 0 * * 8#1
                8..9: `8` is out of range in the weekday: expected 0 to 7
            0 0 * * 1-5#2
                11..13: unexpected `#2` in the weekday: expected `*`, numbers from 0 to 7, names such as `SUN`, ranges such as `0-7`, steps such as `*/2`, `5L` or `5#2` for the last or the second of the month, or a list of these
            0 0 30W 2 *
                4..9: `30W 2` names a date that never comes: write days that the months have
            ? * * * *
                0..1: `?` in the minute is not a value: write `*`
            0 0 ?,1 * *
                4..5: `?` in the day of the month is not a value: it stands alone in its field, or write `*`
            0 0 ?/2 * *
                4..5: `?` in the day of the month is not a value: it stands alone in its field, or write `*`
            H( * * * *
                0..2: `H(` in the minute has no `)`: write `H(0-59)`
            H(5 * * * *
                0..3: `H(5` in the minute has no `)`: write `H(0-59)`
            H(5) * * * *
                2..3: `5` in the minute is no range: write `H(0-59)`
            H(50-70) * * * *
                5..7: `70` is out of range in the minute: expected 0 to 59
            H(9-5) * * * *
                2..5: range `9-5` in the minute ends before it begins: write `9-59,0-5`
            H-5 * * * *
                1..3: unexpected `-5` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            h * * * *
                0..1: `h` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            HH * * * *
                0..2: `HH` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            1-/2 * * * *
                2..3: `/` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            10/x * * * *
                2..4: invalid step `/x` in the minute: expected `/` and a number from 1
        "#]],
    );
}

#[test]
fn value_with_a_step_goes_on_to_the_end_of_the_field() {
    check(
        5,
        &[
            "5/15 * * * *",
            "0 20/2 * * *",
            "0 0 25/3 * *",
            "0 0 1 10/1 *",
            "0 0 * * MON/2",
            "0 0 * * 7/2",
        ],
        &expect![[r#"
            5/15 * * * *
                Thu 2026-01-01 00:05:00, Thu 2026-01-01 00:20:00, Thu 2026-01-01 00:35:00, Thu 2026-01-01 00:50:00, Thu 2026-01-01 01:05:00
            0 20/2 * * *
                Thu 2026-01-01 20:00:00, Thu 2026-01-01 22:00:00, Fri 2026-01-02 20:00:00, Fri 2026-01-02 22:00:00, Sat 2026-01-03 20:00:00
            0 0 25/3 * *
                Sun 2026-01-25 00:00:00, Wed 2026-01-28 00:00:00, Sat 2026-01-31 00:00:00, Wed 2026-02-25 00:00:00, Sat 2026-02-28 00:00:00
            0 0 1 10/1 *
                Thu 2026-10-01 00:00:00, Sun 2026-11-01 00:00:00, Tue 2026-12-01 00:00:00, Fri 2027-10-01 00:00:00, Mon 2027-11-01 00:00:00
            0 0 * * MON/2
                Fri 2026-01-02 00:00:00, Mon 2026-01-05 00:00:00, Wed 2026-01-07 00:00:00, Fri 2026-01-09 00:00:00, Mon 2026-01-12 00:00:00
            0 0 * * 7/2
                Sun 2026-01-04 00:00:00, Sun 2026-01-11 00:00:00, Sun 2026-01-18 00:00:00, Sun 2026-01-25 00:00:00, Sun 2026-02-01 00:00:00
                warning: step `7/2` is as long as its range or longer: only the first value, 7, is left
        "#]],
    );
}

#[test]
fn spread_values_come_from_the_name() {
    check(
        3,
        &[
            "H * * * *",
            "H H * * *",
            "H/20 * * * *",
            "H(0-9)/3 * * * *",
            "H H(1-5) H H H",
            "0 0 H * *",
            "H/90 * * * *",
            "H H/6 * * *",
            "H * * * * *",
        ],
        &expect![[r#"
            H * * * *
                Thu 2026-01-01 00:59:00, Thu 2026-01-01 01:59:00, Thu 2026-01-01 02:59:00
            H H * * *
                Thu 2026-01-01 22:59:00, Fri 2026-01-02 22:59:00, Sat 2026-01-03 22:59:00
            H/20 * * * *
                Thu 2026-01-01 00:19:00, Thu 2026-01-01 00:39:00, Thu 2026-01-01 00:59:00
            H(0-9)/3 * * * *
                Thu 2026-01-01 00:02:00, Thu 2026-01-01 00:05:00, Thu 2026-01-01 00:08:00
            H H(1-5) H H H
                Thu 2026-09-03 01:59:00, Thu 2026-09-10 01:59:00, Thu 2026-09-17 01:59:00
                warning: runs on all days that match the day of the month or the weekday, because neither field begins with `*`
            0 0 H * *
                Sun 2026-01-25 00:00:00, Wed 2026-02-25 00:00:00, Wed 2026-03-25 00:00:00
            H/90 * * * *
                Thu 2026-01-01 00:59:00, Thu 2026-01-01 01:59:00, Thu 2026-01-01 02:59:00
            H H/6 * * *
                Thu 2026-01-01 04:59:00, Thu 2026-01-01 10:59:00, Thu 2026-01-01 16:59:00
            H * * * * *
                Thu 2026-01-01 00:00:07, Thu 2026-01-01 00:01:07, Thu 2026-01-01 00:02:07
        "#]],
    );
}

#[test]
fn spread_values_stay_in_their_range_whatever_the_name() {
    for number in 0..2_000 {
        let name = format!("job-{number}");
        let schedule = named(&name, "H(10-19) H(22-23) H H(3-4) *", "").expect("valid");
        let due = schedule.next_after(at("2026-01-01T00:00:00Z")).expect("it has no end");
        let wall = jiff::tz::TimeZone::UTC.to_datetime(due);
        let is_inside = (10..20).contains(&wall.minute())
            && (22..24).contains(&wall.hour())
            && (1..=28).contains(&wall.day())
            && (3..=4).contains(&wall.month());
        assert!(is_inside, "{name}: {wall}");
        let stepped = named(&name, "H/15 * * * *", "").expect("valid");
        let four: Vec<_> = occurrences(&stepped, at("2025-12-31T23:59:59Z")).take(5).collect();
        assert_eq!(four[4].duration_since(four[0]).as_secs(), 3_600, "{name}");
    }
}

#[test]
fn zone_may_stand_in_front() {
    let mut table = String::new();
    for (text, zone) in [
        ("CRON_TZ=Europe/Berlin 30 2 * * *", ""),
        ("TZ=Asia/Kolkata @daily", ""),
        ("  CRON_TZ=America/New_York   0 30 2 * * *", "America/New_York"),
        ("CRON_TZ=Europe/Berlin 30 2 * * *", "Europe/Paris"),
        ("CRON_TZ=Mars/Olympus 30 2 * * *", ""),
        ("CRON_TZ=EST 30 2 * * *", ""),
        ("CRON_TZ= 30 2 * * *", ""),
        ("CRON_TZ=Europe/Berlin", ""),
        ("CRON_TZ=Europe/Berlin 30 2 * *", ""),
        ("CRON_TZ=Europe/Berlin R/2026-01-01T00:00:00Z/P1D", ""),
        ("cron_tz=Europe/Berlin 30 2 * * *", ""),
    ] {
        let found = match parse(text, zone) {
            Ok(schedule) => {
                let due = schedule.next_after(at("2026-01-01T00:00:00Z")).expect("it has no end");
                format!("{} {}", schedule.zone().name(), schedule.zone().print(due))
            }
            Err(error) => format!("{} {:?}: {error}", error.field, error.span),
        };
        writeln!(table, "{text:?} {zone:?}\n    {found}").expect("a text takes a line");
    }
    expect![[r#"
        "CRON_TZ=Europe/Berlin 30 2 * * *" ""
            Europe/Berlin 2026-01-01T02:30:00+01:00
        "TZ=Asia/Kolkata @daily" ""
            Asia/Kolkata 2026-01-02T00:00:00+05:30
        "  CRON_TZ=America/New_York   0 30 2 * * *" "America/New_York"
            America/New_York 2026-01-01T02:30:00-05:00
        "CRON_TZ=Europe/Berlin 30 2 * * *" "Europe/Paris"
            schedule 0..21: `CRON_TZ=Europe/Berlin` contradicts `scheduleTimeZone`, which is `Europe/Paris`: leave one of them out
        "CRON_TZ=Mars/Olympus 30 2 * * *" ""
            schedule 8..20: unknown time zone `Mars/Olympus`: expected a name such as `Europe/Berlin`, or nothing
        "CRON_TZ=EST 30 2 * * *" ""
            schedule 8..11: time zone `EST` is an abbreviation that means different things to different programs: write a full name such as `America/New_York`
        "CRON_TZ= 30 2 * * *" ""
            schedule 8..8: unknown time zone ``: expected a name such as `Europe/Berlin`, or nothing
        "CRON_TZ=Europe/Berlin" ""
            schedule 0..21: schedule `CRON_TZ=Europe/Berlin` has 0 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
        "CRON_TZ=Europe/Berlin 30 2 * *" ""
            schedule 0..30: schedule `CRON_TZ=Europe/Berlin 30 2 * *` has 4 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
        "CRON_TZ=Europe/Berlin R/2026-01-01T00:00:00Z/P1D" ""
            schedule 0..21: `CRON_TZ=Europe/Berlin` is for expressions of cron: leave it out, and write the zone of an interval into `scheduleTimeZone`
        "cron_tz=Europe/Berlin 30 2 * * *" ""
            schedule 0..4: `cron` is not a value of the second: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
    "#]].assert_eq(&table);
}

#[test]
fn reboot_names_no_instant() {
    let schedule = parse(" @reboot ", "").expect("valid");
    assert!(schedule.is_at_boot() && schedule.is_cron());
    assert_eq!(schedule.next_after(Timestamp::MIN), None);
    assert_eq!(schedule.stretch(Timestamp::MIN, Timestamp::MAX, 10), None);
    check(
        1,
        &["@Reboot", "@reboot now"],
        &expect![[r#"
            @Reboot
                0..7: unknown word `@Reboot`: write `@reboot`
            @reboot now
                8..11: unexpected `now` after `@reboot`: write `@reboot` alone, without a command
        "#]],
    );
}

/// A field of days, and whether a date is in it, told from the definition alone.
#[derive(Debug, Clone)]
enum DayItem {
    Fixed(i8),
    BeforeLast(i8),
    Near(i8),
    LastWorking,
}

impl DayItem {
    fn text(&self) -> String {
        match self {
            Self::Fixed(day) => day.to_string(),
            Self::BeforeLast(0) => "L".to_owned(),
            Self::BeforeLast(back) => format!("L-{back}"),
            Self::Near(day) => format!("{day}W"),
            Self::LastWorking => "LW".to_owned(),
        }
    }

    fn names(&self, date: Date) -> bool {
        let working = |date: Date| date.weekday().to_monday_one_offset() <= 5;
        match *self {
            Self::Fixed(day) => date.day() == day,
            Self::BeforeLast(back) => date.day() == date.days_in_month() - back,
            Self::LastWorking => {
                let later = (date.day() + 1..=date.days_in_month())
                    .any(|day| working(date.with().day(day).build().expect("a date")));
                working(date) && !later
            }
            Self::Near(day) => {
                // The working day of the month with the least distance; of two the one that Quartz takes is the only
                // one possible, because Saturdays are nearer to Fridays and Sundays to Mondays.
                let Ok(wanted) = date.with().day(day).build() else { return false };
                let distance = |day: i8| (day - wanted.day()).abs();
                let nearest = (1..=date.days_in_month())
                    .filter(|day| working(date.with().day(*day).build().expect("a date")))
                    .min_by_key(|day| distance(*day));
                nearest == Some(date.day())
            }
        }
    }
}

/// A field of weekdays, likewise.
#[derive(Debug, Clone)]
enum WeekdayItem {
    Every(i8),
    Nth(i8, i8),
    Last(i8),
}

impl WeekdayItem {
    fn text(&self) -> String {
        match self {
            Self::Every(weekday) => weekday.to_string(),
            Self::Nth(weekday, nth) => format!("{weekday}#{nth}"),
            Self::Last(weekday) => format!("{weekday}L"),
        }
    }

    fn names(&self, date: Date) -> bool {
        let is = |weekday: i8| date.weekday().to_sunday_zero_offset() == weekday;
        match *self {
            Self::Every(weekday) => is(weekday),
            Self::Nth(weekday, nth) => is(weekday) && (date.day() - 1) / 7 + 1 == nth,
            Self::Last(weekday) => is(weekday) && date.day() + 7 > date.days_in_month(),
        }
    }
}

fn day_items() -> impl Strategy<Value = Vec<DayItem>> {
    let item = prop_oneof![
        (1..=31_i8).prop_map(DayItem::Fixed),
        (0..=30_i8).prop_map(DayItem::BeforeLast),
        (1..=31_i8).prop_map(DayItem::Near),
        Just(DayItem::LastWorking),
    ];
    prop::collection::vec(item, 0..3)
}

fn weekday_items() -> impl Strategy<Value = Vec<WeekdayItem>> {
    let item = prop_oneof![
        (0..=6_i8).prop_map(WeekdayItem::Every),
        (0..=6_i8, 1..=5_i8).prop_map(|(weekday, nth)| WeekdayItem::Nth(weekday, nth)),
        (0..=6_i8).prop_map(WeekdayItem::Last),
    ];
    prop::collection::vec(item, 0..3)
}

fn join(items: &[String]) -> String {
    if items.is_empty() { "*".to_owned() } else { items.join(",") }
}

proptest! {
    #[test]
    fn dates_are_those_that_the_definitions_name(
        days in day_items(),
        weekdays in weekday_items(),
        first in 0..80_000_i64,
    ) {
        let by_day: Vec<_> = days.iter().map(DayItem::text).collect();
        let by_weekday: Vec<_> = weekdays.iter().map(WeekdayItem::text).collect();
        let text = format!("30 4 {} * {}", join(&by_day), join(&by_weekday));
        let Ok(schedule) = parse(&text, "") else { return Ok(()) };
        let first = Date::constant(1900, 1, 1).checked_add(first.days()).expect("a date");
        let names = |date: Date| {
            let day = days.iter().any(|item| item.names(date));
            let weekday = weekdays.iter().any(|item| item.names(date));
            match (days.is_empty(), weekdays.is_empty()) {
                (true, true) => true,
                (true, false) => weekday,
                (false, true) => day,
                (false, false) => day || weekday,
            }
        };
        let instant = |wall: DateTime| wall.to_zoned(jiff::tz::TimeZone::UTC).expect("an instant").timestamp();
        let dates = first.series(1.day()).take(800).filter(|date| names(*date));
        let expected: Vec<_> = dates.map(|date| instant(date.at(4, 30, 0, 0))).collect();
        let after = instant(first.at(0, 0, 0, 0));
        let found: Vec<_> = occurrences(&schedule, after).take(expected.len()).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }
}
