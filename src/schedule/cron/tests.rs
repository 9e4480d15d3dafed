//! What cron expressions mean: tables of what is read and refused, of changes of clock, and a comparison with a walk
//! over every minute.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::model::Timestamp;
use crate::schedule::{Schedule, ScheduleError, ZoneDb};

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn parse(text: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    Schedule::parse(text, zone, at("2026-02-10T10:20:30.5Z"), &ZoneDb::bundled())
}

fn occurrences(schedule: &Schedule, after: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
}

/// The next three occurrences in 2026 of each text and its warnings, or why it is refused.
fn check(texts: &[&str], expected: &Expect) {
    let mut table = String::new();
    for text in texts {
        table.push_str(&format!("{text:?}\n"));
        match parse(text, "") {
            Ok(schedule) => {
                assert!(schedule.is_cron(), "{text}");
                let after = at("2025-12-31T23:59:59.9Z");
                let due: Vec<_> = occurrences(&schedule, after).take(3).map(show).collect();
                table.push_str(&format!("    {}\n", due.join(", ")));
                for warning in schedule.warnings() {
                    table.push_str(&format!("    warning: {warning}\n"));
                }
            }
            Err(error) => table.push_str(&format!("    {:?}: {error}\n", error.span)),
        }
    }
    expected.assert_eq(&table);
}

fn show(due: Timestamp) -> String {
    jiff::fmt::strtime::format("%a %Y-%m-%d %H:%M", due).expect("a valid format")
}

/// Each expression's occurrences between two instants, on the zone's wall clock.
fn check_changes(zone: &str, after: &str, through: &str, texts: &[&str], expected: &Expect) {
    let mut table = String::new();
    for text in texts {
        table.push_str(&format!("{text}\n"));
        let schedule = parse(text, zone).expect("a valid schedule");
        let due: Vec<Timestamp> =
            occurrences(&schedule, at(after)).take_while(|due| *due <= at(through)).collect();
        for due in &due {
            table.push_str(&format!("    {}\n", schedule.zone().print(*due)));
        }
        assert_eq!(schedule.last_through(at(after), at(through)), due.last().copied(), "{text}");
    }
    expected.assert_eq(&table);
}

#[test]
fn five_fields() {
    check(
        &[
            "* * * * *",
            "30 2 * * *",
            " 0,15-20/2\t*/6  1 * * ",
            "05 007 * * *",
            "0 0 29 2 *",
            "0 0 31 * *",
            "59 23 31 12 *",
            "0 0 * jan,Mar-MAY Mon-fri",
            "0 12 * * 1-FRI",
            "0 0 * * 0",
            "0 0 * * 7",
            "0 0 * * 6-7",
            "0 0 * * sun-tue/2",
        ],
        &expect![[r#"
            "* * * * *"
                Thu 2026-01-01 00:00, Thu 2026-01-01 00:01, Thu 2026-01-01 00:02
            "30 2 * * *"
                Thu 2026-01-01 02:30, Fri 2026-01-02 02:30, Sat 2026-01-03 02:30
            " 0,15-20/2\t*/6  1 * * "
                Thu 2026-01-01 00:00, Thu 2026-01-01 00:15, Thu 2026-01-01 00:17
            "05 007 * * *"
                Thu 2026-01-01 07:05, Fri 2026-01-02 07:05, Sat 2026-01-03 07:05
            "0 0 29 2 *"
                Tue 2028-02-29 00:00, Sun 2032-02-29 00:00, Fri 2036-02-29 00:00
                warning: day 29 is not in every month: `L` is the last day of each
            "0 0 31 * *"
                Sat 2026-01-31 00:00, Tue 2026-03-31 00:00, Sun 2026-05-31 00:00
                warning: day 31 is not in every month: `L` is the last day of each
            "59 23 31 12 *"
                Thu 2026-12-31 23:59, Fri 2027-12-31 23:59, Sun 2028-12-31 23:59
            "0 0 * jan,Mar-MAY Mon-fri"
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Mon 2026-01-05 00:00
            "0 12 * * 1-FRI"
                Thu 2026-01-01 12:00, Fri 2026-01-02 12:00, Mon 2026-01-05 12:00
            "0 0 * * 0"
                Sun 2026-01-04 00:00, Sun 2026-01-11 00:00, Sun 2026-01-18 00:00
            "0 0 * * 7"
                Sun 2026-01-04 00:00, Sun 2026-01-11 00:00, Sun 2026-01-18 00:00
            "0 0 * * 6-7"
                Sat 2026-01-03 00:00, Sun 2026-01-04 00:00, Sat 2026-01-10 00:00
            "0 0 * * sun-tue/2"
                Sun 2026-01-04 00:00, Tue 2026-01-06 00:00, Sun 2026-01-11 00:00
        "#]],
    );
}

#[test]
fn words() {
    check(
        &[
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@daily",
            "@midnight",
            "@hourly",
            " @daily ",
        ],
        &expect![[r#"
            "@yearly"
                Thu 2026-01-01 00:00, Fri 2027-01-01 00:00, Sat 2028-01-01 00:00
            "@annually"
                Thu 2026-01-01 00:00, Fri 2027-01-01 00:00, Sat 2028-01-01 00:00
            "@monthly"
                Thu 2026-01-01 00:00, Sun 2026-02-01 00:00, Sun 2026-03-01 00:00
            "@weekly"
                Sun 2026-01-04 00:00, Sun 2026-01-11 00:00, Sun 2026-01-18 00:00
            "@daily"
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Sat 2026-01-03 00:00
            "@midnight"
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Sat 2026-01-03 00:00
            "@hourly"
                Thu 2026-01-01 00:00, Thu 2026-01-01 01:00, Thu 2026-01-01 02:00
            " @daily "
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Sat 2026-01-03 00:00
        "#]],
    );
}

#[test]
fn two_day_fields_are_either_or_both() {
    check(
        &[
            "0 0 13 * 5",
            "0 0 */2 * 1",
            "0 0 1-31/2 * 1",
            "0 0 13 * */2",
            "0 0 1-31 * 1",
            "0 0 1 * 0-6",
        ],
        &expect![[r#"
            "0 0 13 * 5"
                Fri 2026-01-02 00:00, Fri 2026-01-09 00:00, Tue 2026-01-13 00:00
                warning: runs on all days that match the day of the month or the weekday, because neither field begins with `*`
            "0 0 */2 * 1"
                Mon 2026-01-05 00:00, Mon 2026-01-19 00:00, Mon 2026-02-09 00:00
                warning: runs only on days that match both the day of the month and the weekday, because one of these fields begins with `*`
            "0 0 1-31/2 * 1"
                Thu 2026-01-01 00:00, Sat 2026-01-03 00:00, Mon 2026-01-05 00:00
                warning: runs on all days that match the day of the month or the weekday, because neither field begins with `*`
            "0 0 13 * */2"
                Tue 2026-01-13 00:00, Sat 2026-06-13 00:00, Thu 2026-08-13 00:00
                warning: runs only on days that match both the day of the month and the weekday, because one of these fields begins with `*`
            "0 0 1-31 * 1"
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Sat 2026-01-03 00:00
                warning: runs every day, because one of the fields day of the month and weekday allows all without being `*`, and one that matches is enough
            "0 0 1 * 0-6"
                Thu 2026-01-01 00:00, Fri 2026-01-02 00:00, Sat 2026-01-03 00:00
                warning: runs every day, because one of the fields day of the month and weekday allows all without being `*`, and one that matches is enough
        "#]],
    );
}

#[test]
fn steps_that_may_not_mean_what_they_seem_to() {
    check(
        &["*/7 * * * *", "0 */5 * * *", "*/61 * * * *", "0 0 1 */5 *", "10-20/15 * * * *"],
        &expect![[r#"
            "*/7 * * * *"
                Thu 2026-01-01 00:00, Thu 2026-01-01 00:07, Thu 2026-01-01 00:14
                warning: step `*/7` does not divide 60: the last one of each hour is shorter
            "0 */5 * * *"
                Thu 2026-01-01 00:00, Thu 2026-01-01 05:00, Thu 2026-01-01 10:00
                warning: step `*/5` does not divide 24: the last one of each day is shorter
            "*/61 * * * *"
                Thu 2026-01-01 00:00, Thu 2026-01-01 01:00, Thu 2026-01-01 02:00
                warning: step `*/61` is as long as its range or longer: only the first value, 0, is left
            "0 0 1 */5 *"
                Thu 2026-01-01 00:00, Mon 2026-06-01 00:00, Sun 2026-11-01 00:00
                warning: step `*/5` does not divide 12: the last one of each year is shorter
            "10-20/15 * * * *"
                Thu 2026-01-01 00:10, Thu 2026-01-01 01:10, Thu 2026-01-01 02:10
                warning: step `10-20/15` is as long as its range or longer: only the first value, 10, is left
        "#]],
    );
}

#[test]
fn refused_with_a_remedy() {
    check(
        &[
            "22 22-2 * * *",
            "0 0 * * FRI-MON",
            "0 0 * * SAT-SUN",
            "0 0 * 11-2 *",
            "5/15 * * * *",
            "0 0 * * MON/2",
            "0 0 ? * MON",
            "0 0 L * *",
            "0 0 LW * *",
            "0 0 15W * *",
            "0 0 * * 5L",
            "0 0 * * 5#2",
            "0~30 * * * *",
            "1.5 * * * *",
            "H * * * *",
            "60 * * * *",
            "0 24 * * *",
            "0 0 0 * *",
            "0 0 * 0 *",
            "0 0 * 13 *",
            "0 0 * * 8",
            "0 0 30 2 *",
            "0 0 31 2,4,6,9,11 *",
            "0 0 30 2 */2",
            "1,,2 * * * *",
            ", * * * *",
            "1, * * * *",
            "0- * * * *",
            "-5 * * * *",
            "1-2-3 * * * *",
            "*5 * * * *",
            "*-5 * * * *",
            "** * * * *",
            "*/0 * * * *",
            "*/ * * * *",
            "*/x * * * *",
            "1-5/ * * * *",
            "99999999999999999999 * * * *",
            "*/99999999999999999999 * * * *",
            "jan * * * *",
            "0 0 * MON *",
            "0 0 * * monday",
            "* * * *",
            "0 0 1 1 * *",
            "0 5 * * * root /usr/bin/backup",
            "0 0\u{a0}* * *",
            "0 0 * * *\n",
            "FOO",
            "P1D",
            "",
            "   ",
        ],
        &expect![[r#"
            "22 22-2 * * *"
                3..7: range `22-2` in the hour ends before it begins: write `22-23,0-2`
            "0 0 * * FRI-MON"
                8..15: range `FRI-MON` in the weekday ends before it begins: write `FRI-6,0-MON`
            "0 0 * * SAT-SUN"
                8..15: range `SAT-SUN` in the weekday ends before it begins: write `SAT-7`
            "0 0 * 11-2 *"
                6..10: range `11-2` in the month ends before it begins: write `11-12,1-2`
            "5/15 * * * *"
                Thu 2026-01-01 00:05, Thu 2026-01-01 00:20, Thu 2026-01-01 00:35
            "0 0 * * MON/2"
                Fri 2026-01-02 00:00, Mon 2026-01-05 00:00, Wed 2026-01-07 00:00
            "0 0 ? * MON"
                Mon 2026-01-05 00:00, Mon 2026-01-12 00:00, Mon 2026-01-19 00:00
            "0 0 L * *"
                Sat 2026-01-31 00:00, Sat 2026-02-28 00:00, Tue 2026-03-31 00:00
            "0 0 LW * *"
                Fri 2026-01-30 00:00, Fri 2026-02-27 00:00, Tue 2026-03-31 00:00
            "0 0 15W * *"
                Thu 2026-01-15 00:00, Mon 2026-02-16 00:00, Mon 2026-03-16 00:00
            "0 0 * * 5L"
                Fri 2026-01-30 00:00, Fri 2026-02-27 00:00, Fri 2026-03-27 00:00
            "0 0 * * 5#2"
                Fri 2026-01-09 00:00, Fri 2026-02-13 00:00, Fri 2026-03-13 00:00
            "0~30 * * * *"
                1..4: unexpected `~30` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "1.5 * * * *"
                1..3: unexpected `.5` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "H * * * *"
                Thu 2026-01-01 00:11, Thu 2026-01-01 01:11, Thu 2026-01-01 02:11
            "60 * * * *"
                0..2: `60` is out of range in the minute: expected 0 to 59
            "0 24 * * *"
                2..4: `24` is out of range in the hour: expected 0 to 23
            "0 0 0 * *"
                4..5: `0` is out of range in the day of the month: expected 1 to 31
            "0 0 * 0 *"
                6..7: `0` is out of range in the month: expected 1 to 12
            "0 0 * 13 *"
                6..8: `13` is out of range in the month: expected 1 to 12
            "0 0 * * 8"
                8..9: `8` is out of range in the weekday: expected 0 to 7
            "0 0 30 2 *"
                4..8: `30 2` names a date that never comes: write days that the months have
            "0 0 31 2,4,6,9,11 *"
                4..17: `31 2,4,6,9,11` names a date that never comes: write days that the months have
            "0 0 30 2 */2"
                4..12: `30 2 */2` names a date that never comes: write days that the months have
            "1,,2 * * * *"
                2..2: a value is missing in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            ", * * * *"
                0..0: a value is missing in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "1, * * * *"
                2..2: a value is missing in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "0- * * * *"
                2..2: a value is missing in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "-5 * * * *"
                0..1: `-` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "1-2-3 * * * *"
                3..5: unexpected `-3` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "*5 * * * *"
                1..2: unexpected `5` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "*-5 * * * *"
                1..3: unexpected `-5` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "** * * * *"
                1..2: unexpected `*` in the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "*/0 * * * *"
                1..3: invalid step `/0` in the minute: expected `/` and a number from 1
            "*/ * * * *"
                1..2: invalid step `/` in the minute: expected `/` and a number from 1
            "*/x * * * *"
                1..3: invalid step `/x` in the minute: expected `/` and a number from 1
            "1-5/ * * * *"
                3..4: invalid step `/` in the minute: expected `/` and a number from 1
            "99999999999999999999 * * * *"
                0..20: `99999999999999999999` is out of range in the minute: expected 0 to 59
            "*/99999999999999999999 * * * *"
                1..22: invalid step `/99999999999999999999` in the minute: expected `/` and a number from 1
            "jan * * * *"
                0..3: `jan` is not a value of the minute: expected `*`, numbers from 0 to 59, ranges such as `0-59`, steps such as `*/2`, or a list of these
            "0 0 * MON *"
                6..9: `MON` is not a value of the month: expected `*`, numbers from 1 to 12, names such as `JAN`, ranges such as `1-12`, steps such as `*/2`, or a list of these
            "0 0 * * monday"
                8..14: `monday` is not a value of the weekday: expected `*`, numbers from 0 to 7, names such as `SUN`, ranges such as `0-7`, steps such as `*/2`, `5L` or `5#2` for the last or the second of the month, or a list of these
            "* * * *"
                0..7: schedule `* * * *` has 4 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
            "0 0 1 1 * *"
                Thu 2026-01-01 01:00, Sun 2026-02-01 01:00, Sun 2026-03-01 01:00
            "0 5 * * * root /usr/bin/backup"
                15..30: unexpected `/usr/bin/backup` after the weekday: expected five fields, or six with seconds in front, without year or command
            "0 0\u{a0}* * *"
                0..10: schedule `0 0 * * *` has 4 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
            "0 0 * * *\n"
                9..10: unexpected `\n` in the weekday: expected `*`, numbers from 0 to 7, names such as `SUN`, ranges such as `0-7`, steps such as `*/2`, `5L` or `5#2` for the last or the second of the month, or a list of these
            "FOO"
                0..3: schedule `FOO` has 1 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
            "P1D"
                0..3: schedule `P1D` has 1 of five fields: expected minute, hour, day of the month, month and weekday, such as `30 2 * * *`, or an interval such as `R/2026-03-01T13:00:00Z/P1D`
            ""
                0..0: the schedule is empty: expected something like `R/2026-03-01T13:00:00Z/P1D` or `30 2 * * *`
            "   "
                0..3: the schedule is empty: expected something like `R/2026-03-01T13:00:00Z/P1D` or `30 2 * * *`
        "#]],
    );
}

#[test]
fn refused_words() {
    check(
        &[
            "@every 5m",
            "@every 1h30m",
            "@every 2s1h",
            "@every",
            "@Daily",
            "@fortnightly",
            "@",
            "@daily /bin/x",
        ],
        &expect![[r#"
            "@every 5m"
                0..9: `@every 5m` is not an expression of cron: write `R//PT5M`
            "@every 1h30m"
                0..12: `@every 1h30m` is not an expression of cron: write `R//PT1H30M`
            "@every 2s1h"
                0..11: `@every 2s1h` is not an expression of cron: write `R//PT5M`
            "@every"
                0..6: `@every` is not an expression of cron: write `R//PT5M`
            "@Daily"
                0..6: unknown word `@Daily`: write `@daily`
            "@fortnightly"
                0..12: unknown word `@fortnightly`: expected one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`, `@reboot`
            "@"
                0..1: unknown word `@`: expected one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`, `@reboot`
            "@daily /bin/x"
                7..13: unexpected `/bin/x` after `@daily`: write `@daily` alone, without a command
        "#]],
    );
}

#[test]
fn berlin_goes_forward() {
    check_changes(
        "Europe/Berlin",
        "2026-03-28T22:30:00Z",
        "2026-03-29T02:15:00Z",
        &[
            "30 2 * * *",
            "0,30 2 * * *",
            "0,30 2,3 * * *",
            "0-59/15 2 * * *",
            "*/15 2 * * *",
            "30 * * * *",
            "0 */2 * * *",
            "@hourly",
            "@daily",
        ],
        &expect![[r#"
            30 2 * * *
                2026-03-29T03:00:00+02:00
            0,30 2 * * *
                2026-03-29T03:00:00+02:00
            0,30 2,3 * * *
                2026-03-29T03:00:00+02:00
                2026-03-29T03:30:00+02:00
            0-59/15 2 * * *
                2026-03-29T03:00:00+02:00
            */15 2 * * *
            30 * * * *
                2026-03-29T00:30:00+01:00
                2026-03-29T01:30:00+01:00
                2026-03-29T03:30:00+02:00
            0 */2 * * *
                2026-03-29T00:00:00+01:00
                2026-03-29T04:00:00+02:00
            @hourly
                2026-03-29T00:00:00+01:00
                2026-03-29T01:00:00+01:00
                2026-03-29T03:00:00+02:00
                2026-03-29T04:00:00+02:00
            @daily
                2026-03-29T00:00:00+01:00
        "#]],
    );
}

#[test]
fn berlin_goes_back() {
    check_changes(
        "Europe/Berlin",
        "2026-10-24T22:15:00Z",
        "2026-10-25T02:15:00Z",
        &[
            "30 2 * * *",
            "0,30 2 * * *",
            "0,30 2,3 * * *",
            "*/30 2 * * *",
            "30 * * * *",
            "0 3 * * *",
        ],
        &expect![[r#"
            30 2 * * *
                2026-10-25T02:30:00+02:00
            0,30 2 * * *
                2026-10-25T02:00:00+02:00
                2026-10-25T02:30:00+02:00
            0,30 2,3 * * *
                2026-10-25T02:00:00+02:00
                2026-10-25T02:30:00+02:00
                2026-10-25T03:00:00+01:00
            */30 2 * * *
                2026-10-25T02:00:00+02:00
                2026-10-25T02:30:00+02:00
                2026-10-25T02:00:00+01:00
                2026-10-25T02:30:00+01:00
            30 * * * *
                2026-10-25T00:30:00+02:00
                2026-10-25T01:30:00+02:00
                2026-10-25T02:30:00+02:00
                2026-10-25T02:30:00+01:00
            0 3 * * *
                2026-10-25T03:00:00+01:00
        "#]],
    );
}

#[test]
fn search_that_starts_in_the_second_passing_does_not_repeat_the_first() {
    let fixed = parse("30 2 * * *", "Europe/Berlin").expect("valid");
    let second_passing = at("2026-10-25T01:05:00Z");
    assert_eq!(fixed.next_after(second_passing), Some(at("2026-10-26T01:30:00Z")));
    let wildcard = parse("30 * * * *", "Europe/Berlin").expect("valid");
    assert_eq!(wildcard.next_after(second_passing), Some(at("2026-10-25T01:30:00Z")));
}

#[test]
fn new_york() {
    check_changes(
        "America/New_York",
        "2026-03-08T06:15:00Z",
        "2026-03-08T08:15:00Z",
        &["30 2 * * *", "*/30 * * * *"],
        &expect![[r#"
            30 2 * * *
                2026-03-08T03:00:00-04:00
            */30 * * * *
                2026-03-08T01:30:00-05:00
                2026-03-08T03:00:00-04:00
                2026-03-08T03:30:00-04:00
                2026-03-08T04:00:00-04:00
        "#]],
    );
    check_changes(
        "America/New_York",
        "2026-11-01T05:15:00Z",
        "2026-11-01T07:15:00Z",
        &["30 1 * * *", "*/30 * * * *"],
        &expect![[r#"
            30 1 * * *
                2026-11-01T01:30:00-04:00
            */30 * * * *
                2026-11-01T01:30:00-04:00
                2026-11-01T01:00:00-05:00
                2026-11-01T01:30:00-05:00
                2026-11-01T02:00:00-05:00
        "#]],
    );
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    check_changes(
        "Australia/Lord_Howe",
        "2026-10-03T15:00:00Z",
        "2026-10-03T16:45:00Z",
        &["15 2 * * *", "0 2 * * *", "*/15 * * * *"],
        &expect![[r#"
            15 2 * * *
                2026-10-04T02:30:00+11:00
            0 2 * * *
                2026-10-04T02:30:00+11:00
            */15 * * * *
                2026-10-04T01:45:00+10:30
                2026-10-04T02:30:00+11:00
                2026-10-04T02:45:00+11:00
                2026-10-04T03:00:00+11:00
                2026-10-04T03:15:00+11:00
                2026-10-04T03:30:00+11:00
                2026-10-04T03:45:00+11:00
        "#]],
    );
    check_changes(
        "Australia/Lord_Howe",
        "2026-04-04T14:15:00Z",
        "2026-04-04T16:00:00Z",
        &["45 1 * * *", "15 * * * *", "*/15 1 * * *"],
        &expect![[r#"
            45 1 * * *
                2026-04-05T01:45:00+11:00
            15 * * * *
                2026-04-05T02:15:00+10:30
            */15 1 * * *
                2026-04-05T01:30:00+11:00
                2026-04-05T01:45:00+11:00
                2026-04-05T01:30:00+10:30
                2026-04-05T01:45:00+10:30
        "#]],
    );
}

#[test]
fn st_johns_changed_a_minute_after_midnight() {
    check_changes(
        "America/St_Johns",
        "2011-03-13T03:15:00Z",
        "2011-03-13T05:15:00Z",
        &["30 0 * * *", "0 0 * * *", "@daily", "*/30 * * * *"],
        &expect![[r#"
            30 0 * * *
                2011-03-13T01:01:00-02:30
            0 0 * * *
                2011-03-13T00:00:00-03:30
            @daily
                2011-03-13T00:00:00-03:30
            */30 * * * *
                2011-03-13T00:00:00-03:30
                2011-03-13T01:30:00-02:30
                2011-03-13T02:00:00-02:30
                2011-03-13T02:30:00-02:30
        "#]],
    );
    check_changes(
        "America/St_Johns",
        "2010-11-07T01:15:00Z",
        "2010-11-07T04:45:00Z",
        &["0 0 * * *", "30 23 * * *", "*/30 * * * *"],
        &expect![[r#"
            0 0 * * *
                2010-11-07T00:00:00-02:30
            30 23 * * *
                2010-11-06T23:30:00-02:30
            */30 * * * *
                2010-11-06T23:00:00-02:30
                2010-11-06T23:30:00-02:30
                2010-11-07T00:00:00-02:30
                2010-11-06T23:30:00-03:30
                2010-11-07T00:00:00-03:30
                2010-11-07T00:30:00-03:30
                2010-11-07T01:00:00-03:30
        "#]],
    );
}

#[test]
fn troll_changes_by_two_hours() {
    check_changes(
        "Antarctica/Troll",
        "2026-03-29T00:15:00Z",
        "2026-03-29T01:45:00Z",
        &["30 1 * * *", "30 1,2 * * *", "*/30 * * * *"],
        &expect![[r#"
            30 1 * * *
                2026-03-29T03:00:00+02:00
            30 1,2 * * *
                2026-03-29T03:00:00+02:00
            */30 * * * *
                2026-03-29T00:30:00Z
                2026-03-29T03:00:00+02:00
                2026-03-29T03:30:00+02:00
        "#]],
    );
    check_changes(
        "Antarctica/Troll",
        "2026-10-24T23:15:00Z",
        "2026-10-25T03:15:00Z",
        &["30 1 * * *", "30 2 * * *", "30 * * * *"],
        &expect![[r#"
            30 1 * * *
                2026-10-25T01:30:00+02:00
            30 2 * * *
                2026-10-25T02:30:00+02:00
            30 * * * *
                2026-10-25T01:30:00+02:00
                2026-10-25T02:30:00+02:00
                2026-10-25T01:30:00Z
                2026-10-25T02:30:00Z
        "#]],
    );
}

#[test]
fn apia_left_out_a_day_and_nothing_is_made_up() {
    check_changes(
        "Pacific/Apia",
        "2011-12-29T12:00:00Z",
        "2012-01-01T12:00:00Z",
        &["0 0 * * *", "0 12 30 12 *", "0 */12 * * *"],
        &expect![[r#"
            0 0 * * *
                2011-12-31T00:00:00+14:00
                2012-01-01T00:00:00+14:00
                2012-01-02T00:00:00+14:00
            0 12 30 12 *
            0 */12 * * *
                2011-12-29T12:00:00-10:00
                2011-12-31T00:00:00+14:00
                2011-12-31T12:00:00+14:00
                2012-01-01T00:00:00+14:00
                2012-01-01T12:00:00+14:00
                2012-01-02T00:00:00+14:00
        "#]],
    );
}

#[test]
fn cron_knows_no_end_but_that_of_the_calendar() {
    let schedule = parse("0 0 29 2 1", "").expect("valid");
    assert_eq!(schedule.remaining_after(Timestamp::MIN), crate::schedule::Remaining::Unlimited);
    assert_eq!(schedule.is_repeating_count(), None);
    let leap = parse("0 0 29 2 *", "America/New_York").expect("valid");
    assert_eq!(leap.next_after(at("2097-01-01T00:00:00Z")), Some(at("2104-02-29T05:00:00Z")));
    // 29 February on a Monday, across 2100, which is no leap year.
    let rare = parse("0 0 29 2 */7", "").expect("valid");
    assert_eq!(rare.next_after(at("2088-03-01T00:00:00Z")), Some(at("2128-02-29T00:00:00Z")));
    for text in ["* * * * *", "0 0 29 2 *", "59 23 31 12 *"] {
        for zone in ["", "Pacific/Kiritimati", "America/New_York"] {
            let schedule = parse(text, zone).expect("valid");
            assert!(schedule.next_after(Timestamp::MIN).is_some(), "{text} {zone}");
            assert_eq!(schedule.next_after(Timestamp::MAX), None, "{text} {zone}");
        }
    }
}

#[test]
fn stretch_is_counted_up_to_its_limit() {
    let schedule = parse("* * * * *", "Europe/Berlin").expect("valid");
    let (after, through) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let all = schedule.stretch(after, through, u64::MAX).expect("some");
    assert_eq!((all.count, all.complete, all.last), (525_600, true, through));
    let some = schedule.stretch(after, through, 60).expect("some");
    assert_eq!((some.count, some.complete, some.last), (60, false, at("2026-01-01T01:00:00Z")));
    assert_eq!(schedule.stretch(after, through, 0), None);
    assert_eq!(schedule.stretch(through, after, 9), None);
}

/// An item of a field, as a person would write it.
#[derive(Debug, Clone)]
enum Item {
    All(u8),
    One(u8),
    Range(u8, u8, u8),
}

/// A field: its items and the values that it may have.
type Field = (Vec<Item>, u8);

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let field = |min: u8, max: u8| {
        let item = prop_oneof![
            3 => (1..=max).prop_map(Item::All),
            3 => Just(Item::All(1)),
            4 => (min..=max).prop_map(Item::One),
            2 => (min..=max, min..=max, 1..=max)
                .prop_map(|(a, b, step)| Item::Range(a.min(b), a.max(b), step)),
        ];
        (prop::collection::vec(item, 1..3), Just(min))
    };
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e])
}

fn write(fields: &[Field]) -> String {
    let item = |item: &Item| match item {
        Item::All(1) => "*".to_owned(),
        Item::All(step) => format!("*/{step}"),
        Item::One(value) => value.to_string(),
        Item::Range(first, last, step) => format!("{first}-{last}/{step}"),
    };
    let field = |(items, _): &Field| items.iter().map(item).collect::<Vec<_>>().join(",");
    fields.iter().map(field).collect::<Vec<_>>().join(" ")
}

fn has((items, min): &Field, value: i8) -> bool {
    let value = u8::try_from(value).expect("not negative");
    items.iter().any(|item| match item {
        Item::All(step) => (value - min) % step == 0,
        Item::One(one) => value == *one,
        Item::Range(first, last, step) => {
            (*first..=*last).contains(&value) && (value - first) % step == 0
        }
    })
}

fn begins_with_star((items, _): &Field) -> bool {
    matches!(items[0], Item::All(_))
}

fn names(fields: &[Field], wall: jiff::civil::DateTime) -> bool {
    let weekday = wall.weekday().to_sunday_zero_offset();
    let day = has(&fields[2], wall.day());
    let weekday = has(&fields[4], weekday) || weekday == 0 && has(&fields[4], 7);
    let both = begins_with_star(&fields[2]) || begins_with_star(&fields[4]);
    has(&fields[0], wall.minute())
        && has(&fields[1], wall.hour())
        && has(&fields[3], wall.month())
        && if both { day && weekday } else { day || weekday }
}

/// Every minute from `from` on is looked at as cron's own loop would: what the wall clock shows, what it left out
/// since the minute before, and whether it has shown this before.
fn walk_minutes(fields: &[Field], zone: &jiff::tz::TimeZone, from: i64, minutes: i64) -> Vec<i64> {
    let is_wildcard = begins_with_star(&fields[0]) || begins_with_star(&fields[1]);
    let wall = |minute: i64| zone.to_datetime(Timestamp::from_second(minute * 60).expect("near"));
    let shift = |minute: i64| {
        let offset = |minute: i64| {
            zone.to_offset(Timestamp::from_second(minute * 60).expect("near")).seconds() / 60
        };
        i64::from(offset(minute) - offset(minute - 1))
    };
    let mut repeating_until = i64::MIN;
    for minute in from - 200..from {
        if (-180..0).contains(&shift(minute)) {
            repeating_until = minute - shift(minute);
        }
    }
    let mut due = Vec::new();
    for minute in from..from + minutes {
        let shift = shift(minute);
        if (-180..0).contains(&shift) {
            repeating_until = minute - shift;
        }
        let was_skipped = (1..180).contains(&shift)
            && (1..=shift).any(|back| {
                names(
                    fields,
                    wall(minute).checked_sub(jiff::Span::new().minutes(back)).expect("near"),
                )
            });
        let is_named = names(fields, wall(minute));
        let runs = if is_wildcard {
            is_named
        } else {
            was_skipped || is_named && minute >= repeating_until
        };
        if runs {
            due.push(minute * 60);
        }
    }
    due
}

/// Zones and the days of their changes of clock: by an hour, half an hour, two hours, a day, at midnight and not.
const CHANGES: [(&str, &str); 16] = [
    ("UTC", "2026-02-28T00:00:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/St_Johns", "2011-03-13T03:31:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Havana", "2026-03-08T05:00:00Z"),
    ("Pacific/Chatham", "2026-09-26T14:00:00Z"),
    ("Antarctica/Casey", "2020-10-03T16:01:00Z"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn occurrences_are_those_of_a_walk_over_every_minute(
        fields in fields(),
        change in 0..CHANGES.len(),
        start in -1_500_i64..300,
        seconds in 0_i64..60,
    ) {
        let (zone, change) = CHANGES[change];
        let text = write(&fields);
        let Ok(schedule) = parse(&text, zone) else {
            // Refused are dates that never come; the walk is not long enough to deny them.
            return Ok(());
        };
        let from = at(change).as_second() / 60 + start;
        let after = Timestamp::from_second((from - 1) * 60 + seconds).expect("near");
        let minutes = 3_000;
        let expected = walk_minutes(&fields, schedule.zone().rules(), from, minutes);
        let through = Timestamp::from_second((from + minutes) * 60 - 1).expect("near");
        let found: Vec<i64> = occurrences(&schedule, after)
            .take_while(|due| *due <= through)
            .map(Timestamp::as_second)
            .collect();
        prop_assert_eq!(&found, &expected, "{} in {}", text, zone);
        let span = schedule.stretch(after, through, u64::MAX);
        prop_assert_eq!(span.map_or(0, |span| span.count), found.len() as u64);
        let last = schedule.last_through(after, through).map(Timestamp::as_second);
        prop_assert_eq!(last, found.last().copied());
    }

    #[test]
    fn occurrences_go_forward_over_decades(fields in fields(), change in 0..CHANGES.len()) {
        let (zone, change) = CHANGES[change];
        if let Ok(schedule) = parse(&write(&fields), zone) {
            let mut last = at(change);
            for due in occurrences(&schedule, last).take(60) {
                prop_assert!(due > last);
                last = due;
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-*/,0-9LWH#?@a-zA-Z. \\t~ä]{0,40}") {
        if let Ok(schedule) = parse(&text, "Europe/Berlin") {
            let _ = schedule.stretch(Timestamp::MIN, Timestamp::MAX, 20);
        }
    }
}
