//! PyPI's `croniter`, and what it does otherwise.

use super::calendar::{ALL_DAYS, ALL_HOURS, ALL_WEEKDAYS, Calendar, Days, Relative};
use super::expression::{Expression, Field, Item, Kind, stepped};
use super::rule::{Answer, Case, Job, MADE_UP, Rival, TAKE, change};

const READINGS: [&str; 9] = [
    "does not read `LW`, `L-n`, `nL`, and `W` in a list",
    "reads dates that never come",
    "takes a day field that begins with `*/n` for restricted",
    "takes a day field with `*` anywhere in its list for unrestricted",
    "takes a day field that names all for unrestricted if the other has a `*`",
    "reads a range with equal ends as the whole field",
    "goes by `W` or `#` alone if both day fields are restricted, and by nothing if they never meet",
    "takes `nW` for the last working day in a month that has no n-th",
    "reads `7/n` in weekdays as `0/n`",
];
const EXTENSIONS: u32 = 1;
const NEVER: u32 = 1 << 1;
const STARRED: u32 = 1 << 2;
const LISTED_STAR: u32 = 1 << 3;
const FULL: u32 = 1 << 4;
const EQUAL: u32 = 1 << 5;
const ONE_FIELD: u32 = 1 << 6;
const CLAMPED: u32 = 1 << 7;
const SEVEN: u32 = 1 << 8;

const TWICE: &str = "runs a fixed time in both passings";
const SECONDS: &str = "keeps the seconds of what a gap leaves out";
const MISSES: &str = "misses second passings where minute or hour begins with `*`";
const WILDCARD_GAP: &str = "makes up for a gap also where minute or hour begins with `*`";
const LONG_GAP: &str = "makes up for a gap of three hours or more";
const ALL: &str = "skips what a gap leaves out if all hours are named, also without `*`";
const WHOLE_MINUTE: &str = "waits for a whole minute where a gap ends between two";

pub(crate) struct Croniter;

impl Rival for Croniter {
    fn name(&self) -> &'static str {
        "`croniter`"
    }

    fn readings(&self) -> &'static [&'static str] {
        &READINGS
    }

    fn clock_rules(&self) -> &'static [&'static str] {
        &[TWICE, SECONDS, MISSES, WILDCARD_GAP, LONG_GAP, ALL, WHOLE_MINUTE]
    }

    fn predict(&self, case: &Case<'_>, readings: u32, has_clock_rule: bool) -> Answer {
        let expression = case.expression();
        let calendar = calendar(expression, readings);
        let is_unread = readings & EXTENSIONS != 0 && does_not_read(expression);
        if is_unread || readings & NEVER == 0 && !calendar.has_dates() {
            return Answer::Refused;
        }
        let job =
            Job { calendar: &calendar, clock: case.clock(), is_wildcard: expression.is_wildcard() };
        let mut at = case.question.after;
        if !has_clock_rule {
            return Answer::Due(job.contract(at));
        }
        let mut due = Vec::new();
        while due.len() < TAKE {
            let Some(next) = next(&job, expression, at) else { break };
            due.push(next);
            at = next;
        }
        Answer::Due(due)
    }

    fn clock_rule(&self, case: &Case<'_>, with: &Answer, without: &Answer) -> Option<&'static str> {
        let (Answer::Due(with), Answer::Due(without)) = (with, without) else { return None };
        let change = change(case.clock(), with, without)?;
        match (change.is_gap(), case.expression().is_wildcard()) {
            (true, true) => Some(WILDCARD_GAP),
            (true, false) if case.expression().calendar().hours == ALL_HOURS => Some(ALL),
            (true, false) if case.expression().second.is_some() => Some(SECONDS),
            (true, false) if change.shift() >= MADE_UP => Some(LONG_GAP),
            (true, false) => (change.walls().end % 60 != 0).then_some(WHOLE_MINUTE),
            (false, false) => Some(TWICE),
            (false, true) => Some(MISSES),
        }
    }
}

fn does_not_read(expression: &Expression) -> bool {
    let has_near = expression.day.items.iter().any(|item| matches!(item, Item::Near(_)));
    let is_unknown =
        |item: &Item| matches!(item, Item::LastWorking | Item::BeforeLast(_) | Item::LastOf(_));
    has_near && expression.day.items.len() > 1
        || expression.items().any(|(_, item)| is_unknown(item))
}

fn calendar(expression: &Expression, readings: u32) -> Calendar {
    let mut calendar = expression.calendar_with(|field, item| {
        if let Item::Range(first, last, step) = item
            && readings & EQUAL != 0
            && is_equal(field, first.number, last.number)
        {
            stepped(field.kind.min(), field.kind.max(), *step)
        } else if let Item::From(first, step) = item
            && readings & SEVEN != 0
            && field.kind == Kind::Weekday
            && first.number == 7
        {
            stepped(0, 6, Some(*step))
        } else {
            field.values(item)
        }
    });
    let (day, weekday) = (&expression.day, &expression.weekday);
    let is_open = |field: &Field, is_full: bool, other: &Field| {
        let has_star = |field: &Field| field.items.iter().any(|item| matches!(item, Item::Star(_)));
        let begins = if readings & STARRED != 0 {
            matches!(field.items[0], Item::Star(None) | Item::Any)
        } else {
            field.begins_with_star()
        };
        begins
            || readings & LISTED_STAR != 0 && field.items.contains(&Item::Star(None))
            || readings & FULL != 0 && is_full && has_star(other)
    };
    let is_both = is_open(day, calendar.days == ALL_DAYS, weekday)
        || is_open(weekday, calendar.weekdays == ALL_WEEKDAYS, day);
    calendar.rule = if is_both { Days::Both } else { Days::Either };
    calendar.relative.near_is_clamped = readings & CLAMPED != 0;
    if readings & ONE_FIELD != 0 && !is_both {
        calendar = one_field(calendar);
    }
    calendar
}

/// What it looks for by `W` or `#` it also looks for when it goes by the other field. If that ends in nothing, so does
/// the whole.
fn one_field(calendar: Calendar) -> Calendar {
    let Relative { near, nth, .. } = calendar.relative;
    let (has_near, has_nth) = (near != 0, nth != [0; 5]);
    let both = Calendar { rule: Days::Both, ..calendar };
    if !has_near && !has_nth {
        return calendar;
    }
    if !both.has_dates() {
        return both;
    }
    let days = if has_nth && !has_near { ALL_DAYS } else { calendar.days };
    let weekdays = if has_near && !has_nth { ALL_WEEKDAYS } else { calendar.weekdays };
    Calendar { days, weekdays, ..both }
}

/// Whether it takes the ends of a range for the same; 7 is 0 to it before it looks.
fn is_equal(field: &Field, first: u8, last: u8) -> bool {
    let number = |number: u8| {
        if field.kind == Kind::Weekday { number % 7 } else { number }
    };
    number(first) == number(last)
}

/// Where a day of either field is enough, it searches for each and takes the earlier on the wall clock.
fn next(job: &Job<'_>, expression: &Expression, now: i64) -> Option<i64> {
    // It begins with the next of what it counts in.
    let unit = if expression.second.is_some() { 1 } else { 60 };
    if job.calendar.rule == Days::Both {
        return search(job, unit, now);
    }
    let relative = job.calendar.relative;
    let by_day = Calendar {
        weekdays: ALL_WEEKDAYS,
        relative: Relative { nth: [0; 5], ..relative },
        rule: Days::Both,
        ..*job.calendar
    };
    let by_weekday = Calendar {
        days: ALL_DAYS,
        relative: Relative { nth: relative.nth, ..Relative::default() },
        rule: Days::Both,
        ..*job.calendar
    };
    let by_day = search(&Job { calendar: &by_day, ..*job }, unit, now);
    let by_weekday = search(&Job { calendar: &by_weekday, ..*job }, unit, now);
    // Of two that show the same it takes the second.
    by_weekday.into_iter().chain(by_day).min_by_key(|at| job.clock.wall(*at))
}

/// What it makes of a wall time: the first instant that is later than now, or the first that exists after a gap.
struct Placed {
    at: i64,
    exists: bool,
}

fn place(job: &Job<'_>, wall: i64, now: i64) -> Placed {
    let passings = job.clock.passings(wall);
    let Some(last) = passings.last() else {
        let later = (1..).map(|minutes| wall + minutes * 60);
        let mut later = later.filter_map(|wall| job.clock.passings(wall).first().copied());
        return Placed { at: later.next().expect("every gap ends"), exists: false };
    };
    // It asserts that one of two is later.
    let first = passings.iter().find(|at| passings.len() == 1 || **at > now);
    Placed { at: *first.unwrap_or(last), exists: true }
}

/// It searches on the wall clock, and where the offset changed on the way once more from now by the new offset.
fn search(job: &Job<'_>, unit: i64, now: i64) -> Option<i64> {
    let now_wall = job.clock.wall(now);
    let after = |wall: i64| job.calendar.next((wall.div_euclid(unit) + 1) * unit);
    let mut wall = after(now_wall)?;
    let mut placed = place(job, wall, now);
    if !placed.exists && (placed.at <= now || job.calendar.hours == ALL_HOURS) {
        while !placed.exists {
            wall = after(wall)?;
            placed = place(job, wall, now);
        }
    }
    let shift = job.clock.offset(placed.at) - job.clock.offset(now);
    let other = after(now_wall + shift).filter(|_| shift != 0);
    let other = other.map(|wall| place(job, wall, now));
    let better = other.filter(|other| other.exists && other.at > now && other.at < placed.at);
    Some(better.unwrap_or(placed).at)
}
