//! What people are told in advance.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{at, calendar, good, jittered, kept, local, plain};
use crate::model::{Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, ScheduleTerms};

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
