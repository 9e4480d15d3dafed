//! Bounds and calendars by looking at one instant's wall clock, without searching: which occurrences of the bare
//! schedule pass.
//!
//! Says nothing about instants near a change of clock, nor about texts of rarer forms: `tests/zones.rs` and the unit
//! tests are about those.

use chronode::model::{Calendar, CalendarUse, Duration, ScheduleTerms, Timestamp};
use chronode::schedule::{Schedule, Zone};
use jiff::civil::{Date, DateTime};

use super::case::Case;
use super::{nanosecond_before, steps, zones};

const DAY: i32 = 86_400;
/// Further from a change of clock than this, wall clock and time differ by a constant.
const CALM: Duration = Duration::from_hours(30);

/// What passes is due, and what does not is not.
pub(crate) fn check(case: &Case, schedule: &Schedule, dues: &[Timestamp]) {
    let terms = &case.terms;
    if terms.not_before.is_empty() && terms.not_after.is_empty() && terms.calendars.is_empty() {
        return;
    }
    let bare = ScheduleTerms {
        not_before: String::new(),
        not_after: String::new(),
        calendars: Vec::new(),
        ..terms.clone()
    };
    let bare = Schedule::of(&case.name, &bare, case.accepted_at, zones())
        .expect("less is said of a schedule that was accepted");
    for due in dues {
        assert_eq!(bare.next_after(nanosecond_before(*due)), Some(*due), "a calendar made {due}");
        assert_ne!(passes(terms, schedule.zone(), *due), Some(false), "{due} must not be due");
    }
    for due in steps(&bare, case.after) {
        if let Some(passes) = passes(terms, schedule.zone(), due) {
            let is_due = schedule.next_after(nanosecond_before(due)) == Some(due);
            assert_eq!(is_due, passes, "whether {due} is due, and whether it passes");
        }
    }
}

/// An instant and what the wall clock shows.
struct Moment {
    at: Timestamp,
    wall: DateTime,
}

/// Whether an instant passes all of the terms, as far as that can be told.
fn passes(terms: &ScheduleTerms, zone: &Zone, at: Timestamp) -> Option<bool> {
    let offset = |at: Timestamp| zone.print(at).get(19..).map(offset_of);
    let calm = offset(at.checked_sub(CALM).ok()?) == offset(at.checked_add(CALM).ok()?);
    if !calm || offset(at) != offset(at.checked_add(CALM).ok()?) {
        return None;
    }
    let now = Moment { at, wall: wall_of(zone, at)? };
    let mut all = is_in_bounds(terms, &now)?;
    for calendar in &terms.calendars {
        let is_wanted = match calendar.usage {
            CalendarUse::OnlyIn => true,
            CalendarUse::NeverIn => false,
        };
        all &= holds(calendar, &now)? == is_wanted;
    }
    Some(all)
}

/// What is behind the seconds and their fraction.
fn offset_of(text: &str) -> String {
    text.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).to_owned()
}

fn wall_of(zone: &Zone, at: Timestamp) -> Option<DateTime> {
    zone.print(at).trim_end_matches('Z').parse().ok()
}

fn is_in_bounds(terms: &ScheduleTerms, now: &Moment) -> Option<bool> {
    let ScheduleTerms { not_before, not_after, .. } = terms;
    let is_after = not_before.is_empty() || is_from(now, not_before)?;
    let is_over = match not_after.parse::<Date>() {
        Ok(last) if not_after.len() == 10 => now.wall.date() > last,
        Ok(_) | Err(_) => !not_after.is_empty() && is_later(now, not_after)?,
    };
    Some(is_after && !is_over)
}

/// Whether it is a time, which is written as such, or later.
fn is_from(now: &Moment, text: &str) -> Option<bool> {
    compare(now, text).map(|order| order.is_ge())
}

fn is_later(now: &Moment, text: &str) -> Option<bool> {
    compare(now, text).map(|order| order.is_gt())
}

/// Texts with an offset name an instant, those without a wall time.
fn compare(now: &Moment, text: &str) -> Option<std::cmp::Ordering> {
    // Digits beyond the millisecond are cut by the reader.
    if text.contains(['.', ',']) {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(now.at.cmp(&at));
    }
    text.parse::<DateTime>().ok().map(|wall| now.wall.cmp(&wall))
}

/// Whether a calendar has it.
fn holds(calendar: &Calendar, now: &Moment) -> Option<bool> {
    let Calendar { dates, weekdays, windows, .. } = calendar;
    let mut holds = false;
    for text in dates {
        holds |= has_date(text, now.wall.date())?;
    }
    for text in weekdays {
        holds |= has_weekday(text, now.wall.date())?;
    }
    for text in windows {
        holds |= has_time(text, now)?;
    }
    Some(holds)
}

fn has_date(text: &str, date: Date) -> Option<bool> {
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    if first.len() == 5 {
        // Months and days of two digits compare like texts.
        let day = date.strftime("%m-%d").to_string();
        return Some(is_between(day.as_str(), first, last));
    }
    let (first, last): (Date, Date) = (first.parse().ok()?, last.parse().ok()?);
    Some(first <= date && date <= last)
}

fn has_weekday(text: &str, date: Date) -> Option<bool> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (weekday(first)?, weekday(last)?);
    let today = date.weekday().to_sunday_zero_offset();
    let is_week = first == 0 && last == 7;
    Some(is_week || is_between(today, first % 7, last % 7))
}

fn weekday(text: &str) -> Option<i8> {
    let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let named = names.into_iter().position(|name| name.eq_ignore_ascii_case(text));
    let numbered = || text.parse().ok().filter(|number| (0..=7).contains(number));
    named.and_then(|index| i8::try_from(index).ok()).or_else(numbered)
}

/// Both ends are in it; with the later one first it goes around.
fn is_between<T: PartialOrd>(value: T, first: T, last: T) -> bool {
    if first <= last { first <= value && value <= last } else { value >= first || value <= last }
}

fn has_time(text: &str, now: &Moment) -> Option<bool> {
    let (from, to) = text.split_once('/')?;
    if let (Some(from), Some(to)) = (second_of_day(from), second_of_day(to)) {
        let time = now.wall.time();
        let second = i32::from(time.hour()) * 3_600
            + i32::from(time.minute()) * 60
            + i32::from(time.second());
        let (is_begun, is_over) = (from <= second, to <= second);
        return Some(if from < to { is_begun && !is_over } else { is_begun || !is_over });
    }
    Some(is_from(now, from)? && !is_from(now, to)?)
}

/// `HH:MM`, to `24:00`.
fn second_of_day(text: &str) -> Option<i32> {
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
    let (hour, minute): (i32, i32) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(hour * 3_600 + minute * 60).filter(|second| *second <= DAY)
}
