//! PyPI's `cronsim`, and what it does otherwise.

use super::calendar::{Calendar, date_of};
use super::clock::Clock;
use super::expression::{Expression, Item, Kind, stepped};
use super::rule::{Answer, Case, Job, MADE_UP, Rival, TAKE, change};

const READINGS: [&str; 5] = [
    "does not read words",
    "does not read `?`, `W`, `L-n`, and `L` after a name",
    "reads `a-a/n` as `a/n`",
    "reads `a/n` in weekdays up to 7",
    "reads dates that never come if they depend on the month or begin early in it",
];
const WORDS: u32 = 1;
const EXTENSIONS: u32 = 1 << 1;
const SAME: u32 = 1 << 2;
const TO_SEVEN: u32 = 1 << 3;
const NEVER: u32 = 1 << 4;

const SECONDS: &str = "follows the clock if there are six fields";
const LONG_GAP: &str = "makes up for a gap of three hours or more";
const WHOLE_MINUTE: &str = "waits for a whole minute where a gap ends between two";
const PAST: &str = "gives the first passing of a fixed time when asked in the second";
const MIDNIGHT: &str = "takes a midnight that a gap leaves out for one that comes";
const PART: &str = "loses part of an hour at a change that is not of whole hours or not on one";
const LOOPS: &str = "does not get past a midnight that comes twice";

/// More steps than any question that ends takes.
const STEPS_MAX: u32 = 200_000;

pub(crate) struct Cronsim;

impl Rival for Cronsim {
    fn name(&self) -> &'static str {
        "`cronsim`"
    }

    fn readings(&self) -> &'static [&'static str] {
        &READINGS
    }

    fn clock_rules(&self) -> &'static [&'static str] {
        &[SECONDS, LONG_GAP, WHOLE_MINUTE, PAST, MIDNIGHT, PART, LOOPS]
    }

    fn predict(&self, case: &Case<'_>, readings: u32, has_clock_rule: bool) -> Answer {
        let expression = case.expression();
        let calendar = calendar(expression, readings);
        if does_not_read(expression, readings) {
            return Answer::Refused;
        }
        if !calendar.has_dates() {
            let is_read = readings & NEVER != 0 && !is_late(&calendar);
            return if is_read { Answer::Due(Vec::new()) } else { Answer::Refused };
        }
        let job =
            Job { calendar: &calendar, clock: case.clock(), is_wildcard: expression.is_wildcard() };
        let after = case.question.after;
        if !has_clock_rule {
            return Answer::Due(job.contract(after));
        }
        let follows = job.is_wildcard || expression.second.is_some();
        if follows { follow(&job, after) } else { Answer::Due(fixed(&job, after)) }
    }

    fn clock_rule(&self, case: &Case<'_>, with: &Answer, without: &Answer) -> Option<&'static str> {
        if case.expression().second.is_some() && !case.expression().is_wildcard() {
            return Some(SECONDS);
        }
        if *with == Answer::Stuck {
            return Some(LOOPS);
        }
        let (Answer::Due(with), Answer::Due(without)) = (with, without) else { return None };
        let change = change(case.clock(), with, without)?;
        let is_past = || with.iter().any(|at| *at <= case.question.after);
        let is_odd = change.shift() % 3_600 != 0 || change.walls().start % 3_600 != 0;
        match (change.is_gap(), case.expression().is_wildcard()) {
            (true, false) if change.shift() >= MADE_UP => Some(LONG_GAP),
            (true, false) => (change.walls().end % 60 != 0).then_some(WHOLE_MINUTE),
            (true, true) if change.has_midnight() => Some(MIDNIGHT),
            (false, false) => is_past().then_some(PAST),
            (false, true) if change.has_midnight() => Some(LOOPS),
            (_, true) => is_odd.then_some(PART),
        }
    }
}

fn does_not_read(expression: &Expression, readings: u32) -> bool {
    let is_unknown = |item: &Item| {
        matches!(item, Item::Any | Item::Near(_) | Item::BeforeLast(_))
            || matches!(item, Item::LastOf(weekday) if weekday.is_name())
    };
    readings & WORDS != 0 && expression.word.is_some()
        || readings & EXTENSIONS != 0 && expression.items().any(|(_, item)| is_unknown(item))
}

/// Whether it names only numbers of days, and the first of them is past the end of all months that are named.
fn is_late(calendar: &Calendar) -> bool {
    let Calendar { relative, months, days, .. } = calendar;
    let longest = |month: &u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let mut months = (1..=12).filter(|month| months >> month & 1 == 1);
    relative.before_last == 0
        && !relative.last_working
        && months.all(|month| days.trailing_zeros() > longest(&month))
}

fn calendar(expression: &Expression, readings: u32) -> Calendar {
    expression.calendar_with(|field, item| {
        if let Item::Range(first, last, Some(step)) = item
            && readings & SAME != 0
            && first.number == last.number
        {
            stepped(first.number, field.kind.max(), Some(*step))
        } else if let Item::From(first, step) = item
            && readings & TO_SEVEN != 0
            && field.kind == Kind::Weekday
        {
            stepped(first.number, 7, Some(*step))
        } else {
            field.values(item)
        }
    })
}

/// For a fixed time it walks the wall clock alone, and gives the first passing or the end of the gap of what it finds.
fn fixed(job: &Job<'_>, after: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut wall = job.clock.wall(after);
    while found.len() < TAKE {
        let Some(named) = job.calendar.next(wall + 1) else { break };
        let later = (0..).map(|minutes| named + minutes * 60);
        let mut existing = later.filter(|wall| job.clock.gap(*wall).is_none());
        wall = existing.next().expect("every gap ends");
        found.extend(job.clock.passings(wall).first());
    }
    found
}

/// A wall time of Python: the second of two passings is told apart by `fold`.
#[derive(Clone, Copy)]
struct Wall<'c> {
    clock: &'c Clock,
    at: i64,
    fold: bool,
}

impl Wall<'_> {
    fn instant(self) -> i64 {
        self.at - self.clock.python_offset(self.at, self.fold)
    }

    fn after(self, seconds: i64) -> Self {
        let instant = self.instant() + seconds;
        let at = self.clock.wall(instant);
        let fold = self.clock.passings(at).first().is_some_and(|first| *first < instant);
        Self { at, fold, ..self }
    }

    /// The beginning of the unit, without a thought for changes of clock.
    fn floor(self, unit: i64) -> Self {
        Self { at: self.at - self.at.rem_euclid(unit), ..self }
    }

    fn hour(self) -> i64 {
        self.at.rem_euclid(86_400) / 3_600
    }

    fn minute(self) -> i64 {
        self.at.rem_euclid(3_600) / 60
    }
}

/// For what follows the clock it moves days on the wall clock, but hours and minutes on the time line.
fn follow(job: &Job<'_>, after: i64) -> Answer {
    let mut steps = 0;
    let mut wall = Wall { clock: job.clock, at: 0, fold: false };
    let (at, calendar) = (job.clock.wall(after), job.calendar);
    let fold = job.clock.passings(at).first().is_some_and(|first| *first < after);
    wall = Wall { at, fold, ..wall };
    let mut found = Vec::new();
    while found.len() < TAKE {
        wall = wall.after(1);
        while let Some(moved) = advance(calendar, wall) {
            wall = moved;
            steps += 1;
            if steps > STEPS_MAX {
                return Answer::Stuck;
            }
        }
        found.push(wall.instant());
    }
    Answer::Due(found)
}

/// One step towards what is named; none if this is.
fn advance<'c>(calendar: &Calendar, wall: Wall<'c>) -> Option<Wall<'c>> {
    if !calendar.names_day(date_of(wall.at)) {
        let midnight = (wall.at.div_euclid(86_400) + 1) * 86_400;
        return Some(Wall { at: midnight, fold: false, ..wall });
    }
    if calendar.hours >> wall.hour() & 1 == 0 {
        let mut wall = wall.floor(3_600);
        while calendar.hours >> wall.hour() & 1 == 0 {
            wall = wall.after(3_600);
            if wall.hour() == 0 {
                break;
            }
        }
        return Some(wall);
    }
    if calendar.minutes >> wall.minute() & 1 == 0 {
        let mut wall = wall.floor(60);
        if calendar.minutes.count_ones() == 1 {
            let target = i64::from(calendar.minutes.trailing_zeros());
            wall = wall.after((target - wall.minute()).rem_euclid(60) * 60);
        }
        while calendar.minutes >> wall.minute() & 1 == 0 {
            wall = wall.after(60);
            if wall.minute() == 0 {
                break;
            }
        }
        return Some(wall);
    }
    let second = |wall: Wall<'_>| wall.at.rem_euclid(60);
    let names = |wall: Wall<'_>| calendar.seconds >> second(wall) & 1 == 1;
    if names(wall) {
        return None;
    }
    let mut wall = wall;
    if calendar.seconds.count_ones() == 1 {
        let target = i64::from(calendar.seconds.trailing_zeros());
        wall = wall.after((target - second(wall)).rem_euclid(60));
    }
    while !names(wall) {
        wall = wall.after(1);
        if second(wall) == 0 {
            break;
        }
    }
    Some(wall)
}
