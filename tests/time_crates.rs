//! What the usual time crates answer where we answer differently, case by case, and that we agree everywhere else.
//!
//! `cron`, `chrono`, `chrono-tz` and `iso8601` are not used for the work itself; each test here is a reason. A test
//! that fails because a crate has become right is good news: delete it, and look at the decision again.

use chrono::TimeZone as _;
use chronode::model::Timestamp;
use chronode::schedule::{Schedule, ZoneDb};

fn at(text: &str) -> Timestamp {
    text.parse().expect("tests write valid instants")
}

fn ours(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone, at("2026-01-01T00:00:00Z"), &ZoneDb::bundled())
        .unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// Our occurrences after an instant, on the wall clock of the zone.
fn our_list(text: &str, zone: &str, after: &str, take: usize) -> Vec<String> {
    let schedule = ours(text, zone);
    std::iter::successors(schedule.next_after(at(after)), |last| schedule.next_after(*last))
        .take(take)
        .map(|due| schedule.zone().print(due))
        .collect()
}

/// The same of crate `cron`, which wants seconds in front.
fn their_list(text: &str, zone: chrono_tz::Tz, after: &str, take: usize) -> Vec<String> {
    let schedule: cron::Schedule = format!("0 {text}").parse().expect("it reads this");
    let after = zone.timestamp_opt(at(after).as_second(), 0).unwrap();
    let format = chrono::SecondsFormat::Secs;
    schedule.after(&after).take(take).map(|due| due.to_rfc3339_opts(format, true)).collect()
}

fn reads(text: &str) -> bool {
    text.parse::<cron::Schedule>().is_ok()
}

#[test]
fn difference_cron_refuses_expressions_of_cron() {
    assert!(!reads("30 2 * * *"), "five fields");
    assert!(!reads("0 0 0 * * 0"), "Sunday as 0");
    assert!(!reads("0 0 0 * * 1-FRI"), "a number and a name in one range");
    assert!(!reads("@midnight") && !reads("@annually"), "all words");
    for text in ["30 2 * * *", "0 0 * * 0", "0 0 * * 1-FRI", "@midnight", "@annually"] {
        ours(text, "");
    }
}

#[test]
fn difference_cron_counts_weekdays_from_sunday_as_1() {
    let after = "2026-01-01T00:00:00Z";
    assert_eq!(our_list("0 0 * * 1", "", after, 1), ["2026-01-05T00:00:00Z"]);
    assert_eq!(their_list("0 0 * * 1", chrono_tz::UTC, after, 1), ["2026-01-04T00:00:00Z"]);
}

#[test]
fn difference_cron_wants_both_day_fields_to_match() {
    let after = "2026-01-01T00:00:00Z";
    assert_eq!(our_list("0 0 13 * FRI", "", after, 1), ["2026-01-02T00:00:00Z"]);
    assert_eq!(their_list("0 0 13 * FRI", chrono_tz::UTC, after, 1), ["2026-02-13T00:00:00Z"]);
}

#[test]
fn difference_cron_skips_a_daily_job_when_clocks_go_forward() {
    let after = "2026-03-28T12:00:00Z";
    assert_eq!(
        our_list("30 2 * * *", "Europe/Berlin", after, 2),
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
    assert_eq!(
        their_list("30 2 * * *", chrono_tz::Europe::Berlin, after, 2),
        ["2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]
    );
}

#[test]
fn difference_cron_runs_a_daily_job_twice_when_clocks_go_back() {
    let after = "2026-10-24T12:00:00Z";
    assert_eq!(
        our_list("30 2 * * *", "Europe/Berlin", after, 2),
        ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    );
    assert_eq!(
        their_list("30 2 * * *", chrono_tz::Europe::Berlin, after, 2),
        ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]
    );
}

#[test]
fn difference_cron_goes_back_in_time_when_clocks_do() {
    let after = "2026-10-24T23:45:00Z";
    assert_eq!(
        our_list("*/30 * * * *", "Europe/Berlin", after, 4),
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00"
        ]
    );
    assert_eq!(
        their_list("*/30 * * * *", chrono_tz::Europe::Berlin, after, 4),
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:30:00+01:00"
        ]
    );
}

#[test]
fn difference_cron_ends_in_2100() {
    let after = "2100-12-31T23:59:00Z";
    assert_eq!(our_list("0 0 1 1 *", "", after, 1), ["2101-01-01T00:00:00Z"]);
    assert!(their_list("0 0 1 1 *", chrono_tz::UTC, after, 1).is_empty());
}

#[test]
fn difference_chrono_has_no_next_day_where_clocks_change() {
    let berlin = chrono_tz::Europe::Berlin;
    for (start, ours) in [
        ("2026-03-28T02:30:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-24T02:30:00", "2026-10-25T02:30:00+02:00"),
    ] {
        let naive: chrono::NaiveDateTime = start.parse().expect("a valid date");
        let start_there = naive.and_local_timezone(berlin).unwrap();
        assert_eq!(start_there.checked_add_days(chrono::Days::new(1)), None, "{start}");
        let text = format!("R/{start}/P1D");
        let list = our_list(&text, "Europe/Berlin", "2026-01-01T00:00:00Z", 2);
        assert_eq!(list[1], ours);
    }
}

#[test]
fn difference_chrono_tz_has_the_zone_data_of_2025() {
    // British Columbia keeps summer time from November 2026 on; data from before that decision turns the clock back.
    let due = our_list("R/2027-01-15T09:00:00/P1D", "America/Vancouver", "2026-12-01T00:00:00Z", 1);
    assert_eq!(due, ["2027-01-15T09:00:00-07:00"]);
    let vancouver = chrono_tz::America::Vancouver;
    let theirs = vancouver.with_ymd_and_hms(2027, 1, 15, 9, 0, 0).unwrap();
    assert_eq!(theirs.to_rfc3339(), "2027-01-15T09:00:00-08:00");
}

#[test]
fn difference_iso8601_accepts_what_it_does_not_understand() {
    let zero = iso8601::Duration::YMDHMS {
        year: 0,
        month: 0,
        day: 0,
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
    };
    assert_eq!(iso8601::duration("PT1.5H"), Ok(zero));
    assert!(iso8601::duration("P1Mxyz").is_ok());
    assert!(iso8601::datetime("2026-02-30T10:00:00Z").is_ok());
    assert!(iso8601::datetime("2026-03-01T10:00:00Zgarbage").is_ok());
    assert!(iso8601::datetime("R5/2026-03-01T10:00:00Z/P1D").is_err());
    let accepted_at = at("2026-01-01T00:00:00Z");
    for text in [
        "R/2026-03-01T10:00:00Z/PT1.5H",
        "R/2026-03-01T10:00:00Z/P1Mxyz",
        "R/2026-02-30T10:00:00Z/P1D",
        "R/2026-03-01T10:00:00Zgarbage/P1D",
    ] {
        let ours = Schedule::parse(text, "", accepted_at, &ZoneDb::bundled());
        assert!(ours.is_err(), "{text}");
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        let index = self.below(texts.len() as u64);
        texts[usize::try_from(index).expect("it is small")]
    }

    fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    fn field(&mut self, min: u64, max: u64) -> String {
        let items = self.between(1, 3);
        let item = |random: &mut Self| {
            let (a, b) = (random.between(min, max), random.between(min, max));
            match random.below(5) {
                0 => "*".to_owned(),
                1 => format!("*/{}", random.between(1, max)),
                2 => format!("{}-{}", a.min(b), a.max(b)),
                3 => format!("{}-{}/{}", a.min(b), a.max(b), random.between(1, max)),
                _ => a.to_string(),
            }
        };
        (0..items).map(|_| item(self)).collect::<Vec<_>>().join(",")
    }

    /// An expression in which none of the known differences shows: weekdays by name, at most one day field restricted.
    fn expression(&mut self) -> String {
        let (minute, hour) = (self.field(0, 59), self.field(0, 23));
        let weekdays = ["MON", "sun", "Tue,THU", "MON-FRI", "wed-sat", "SUN-TUE", "FRI,SAT,SUN"];
        let months = ["JAN", "feb", "Mar-MAY", "JUN,DEC", "jul-nov"];
        let month = match self.below(3) {
            0 => self.one_of(&months).to_owned(),
            1 => self.field(1, 12),
            _ => "*".to_owned(),
        };
        // To the 28th, so that every month has the days.
        let (day, weekday) = match self.below(3) {
            0 => (self.field(1, 28), "*"),
            1 => ("*".to_owned(), self.one_of(&weekdays)),
            _ => ("*".to_owned(), "*"),
        };
        format!("{minute} {hour} {day} {month} {weekday}")
    }
}

#[test]
fn agreement_with_cron_in_utc() {
    for seed in 0..4_000 {
        let mut random = Random(seed);
        let text = random.expression();
        let start = i64::try_from(random.below(4_000_000_000)).expect("it is small");
        let after = Timestamp::from_second(start).expect("before 2100").to_string();
        assert_eq!(
            our_list(&text, "", &after, 5),
            their_list(&text, chrono_tz::UTC, &after, 5),
            "seed {seed}: `{text}` after {after}"
        );
    }
}

/// Milliseconds since 1970 of what `iso8601` read.
fn millis(read: iso8601::DateTime) -> i64 {
    let iso8601::Date::YMD { year, month, day } = read.date else {
        panic!("a date with a month: {read}");
    };
    let iso8601::Time { hour, minute, second, millisecond, tz_offset_hours, tz_offset_minutes } =
        read.time;
    let wall = chrono::NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_milli_opt(hour, minute, second, millisecond))
        .expect("a date of the calendar");
    let offset = i64::from(tz_offset_hours * 60 + tz_offset_minutes) * 60_000;
    wall.and_utc().timestamp_millis() - offset
}

#[test]
fn agreement_with_iso8601_on_starts_and_exact_periods() {
    for seed in 0..2_000 {
        let mut random = Random(seed);
        let start = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
            random.between(1, 9_998),
            random.between(1, 12),
            random.between(1, 28),
            random.below(24),
            random.below(60),
            random.below(60),
            random.one_of(&["Z", "+01:00", "-0330", "+14", ".125Z", ",5-08:00"]),
        );
        let period = format!(
            "PT{}H{}M{}S",
            random.below(100),
            random.below(100),
            random.one_of(&["1", "59", "0.25", "86400", "7.125"])
        );
        let schedule = ours(&format!("R/{start}/{period}"), "");
        let first = schedule.next_after(Timestamp::MIN).expect("a start");
        let second = schedule.next_after(first).expect("a second one");
        let theirs = millis(iso8601::datetime(&start).expect("it reads this"));
        assert_eq!(first.as_millisecond(), theirs, "seed {seed}: {start}");
        let length = std::time::Duration::from(iso8601::duration(&period).expect("it reads this"));
        let ours = second.duration_since(first).unsigned_abs();
        assert_eq!(ours, length, "seed {seed}: {period}");
    }
}
