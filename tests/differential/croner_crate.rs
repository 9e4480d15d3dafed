//! The crate `croner`, and what it does otherwise.

use croner::Cron;

use super::calendar::{Calendar, Days, date_of};
use super::expression::{Expression, Field, Item, Value, stepped};
use super::rule::{Answer, Case, Job, Rival, TAKE, change};

/// It looks no further for the end of a gap.
const GAP_MAX: i64 = 2 * 3_600;

const READINGS: [&str; 6] = [
    "does not read `a/n` and `L-n`",
    "does not read `@midnight`",
    "does not read `*` in a list",
    "reads dates that never come",
    "takes a day field that begins with `*` for restricted, unless it is `*` alone",
    "reads a range from Sunday to `SUN` as the whole week",
];
const EXTENSIONS: u32 = 1;
const WORDS: u32 = 1 << 1;
const LISTED_STAR: u32 = 1 << 2;
const NEVER: u32 = 1 << 3;
const STARRED: u32 = 1 << 4;
const SUNDAYS: u32 = 1 << 5;

const SKIPS: &str =
    "skips fixed times that a gap leaves out, unless minute and hour are single numbers";
const TWICE: &str = "runs fixed times in both passings, unless minute and hour are single numbers";
const OTHER_DAY: &str = "does not make up for what a gap moved to a day that is not named";
const ENDS: &str = "ends at a gap of more than two hours";

pub(crate) struct CronerCrate;

impl CronerCrate {
    pub(crate) fn ask(case: &Case<'_>) -> Answer {
        let Ok(cron) = case.question.text.parse::<Cron>() else { return Answer::Refused };
        let after = jiff::Timestamp::from_second(case.question.after).expect("near our time");
        let mut at = after.to_zoned(case.zone.rules.clone());
        let mut due = Vec::new();
        while due.len() < TAKE {
            let Ok(next) = cron.find_next_occurrence(&at, false) else { break };
            due.push(next.timestamp().as_second());
            at = next;
        }
        Answer::Due(due)
    }
}

impl Rival for CronerCrate {
    fn name(&self) -> &'static str {
        "crate `croner`"
    }

    fn readings(&self) -> &'static [&'static str] {
        &READINGS
    }

    fn clock_rules(&self) -> &'static [&'static str] {
        &[SKIPS, TWICE, OTHER_DAY, ENDS]
    }

    fn predict(&self, case: &Case<'_>, readings: u32, has_clock_rule: bool) -> Answer {
        let expression = case.expression();
        let calendar = calendar(expression, readings);
        let is_read =
            !does_not_read(expression, readings) && (readings & NEVER != 0 || calendar.has_dates());
        if !is_read {
            return Answer::Refused;
        }
        let job =
            Job { calendar: &calendar, clock: case.clock(), is_wildcard: expression.is_wildcard() };
        let after = case.question.after;
        if !has_clock_rule {
            return Answer::Due(job.contract(after));
        }
        let job = Job { is_wildcard: !is_single(expression, &calendar), ..job };
        let next = |at: &i64| next(&job, *at);
        Answer::Due(std::iter::successors(next(&after), next).take(TAKE).collect())
    }

    fn clock_rule(&self, case: &Case<'_>, with: &Answer, without: &Answer) -> Option<&'static str> {
        let (Answer::Due(with), Answer::Due(without)) = (with, without) else { return None };
        if case.expression().is_wildcard() {
            return None;
        }
        let expression = case.expression();
        let is_single = is_single(expression, &expression.calendar());
        if is_single && with.len() < without.len() {
            return Some(ENDS);
        }
        match (change(case.clock(), with, without)?.is_gap(), is_single) {
            (true, true) => Some(OTHER_DAY),
            (true, false) => Some(SKIPS),
            (false, false) => Some(TWICE),
            (false, true) => None,
        }
    }
}

fn does_not_read(expression: &Expression, readings: u32) -> bool {
    let has_listed_star =
        |field: &Field| field.items.len() > 1 && field.items.contains(&Item::Star(None));
    let is_unknown = |item: &Item| matches!(item, Item::From(..) | Item::BeforeLast(_));
    readings & EXTENSIONS != 0 && expression.items().any(|(_, item)| is_unknown(item))
        || readings & WORDS != 0 && expression.word == Some("@midnight")
        || readings & LISTED_STAR != 0 && expression.written_fields().any(has_listed_star)
}

fn calendar(expression: &Expression, readings: u32) -> Calendar {
    let mut calendar = expression.calendar();
    let weekday = &expression.weekday;
    if readings & STARRED != 0 {
        let is_either = !expression.day.is_open() && !weekday.is_open();
        calendar.rule = if is_either { Days::Either } else { Days::Both };
    }
    if readings & SUNDAYS != 0 {
        let is_sunday = |value: &Value| value.number == 0;
        calendar.weekdays = weekday.set(|item| {
            if let Item::Range(first, last, step) = item
                && is_sunday(first)
                && is_sunday(last)
                && last.is_name()
            {
                stepped(0, 7, *step)
            } else {
                weekday.values(item)
            }
        });
    }
    calendar
}

/// What it calls a fixed time: one minute and one hour, and no step but 1 at the end.
fn is_single(expression: &Expression, calendar: &Calendar) -> bool {
    let is_plain = |field: &Field| {
        let has_star = field.items.iter().any(|item| matches!(item, Item::Star(_)));
        !has_star && field.items.iter().rev().find_map(Item::step).is_none_or(|step| step == 1)
    };
    expression.second.as_ref().is_none_or(is_plain)
        && is_plain(&expression.minute)
        && is_plain(&expression.hour)
        && calendar.seconds.count_ones() == 1
        && calendar.minutes.count_ones() == 1
        && calendar.hours.count_ones() == 1
}

/// It walks the wall clock; from the first half of a repeated stretch it looks into the second half as well.
fn next(job: &Job<'_>, after: i64) -> Option<i64> {
    let found = walk(job, after, after + 1);
    let wall = job.clock.wall(after);
    let twin = job.clock.passings(wall).into_iter().find(|twin| *twin > after);
    let (true, Some(twin)) = (job.is_wildcard, twin) else { return found };
    let edge = job.clock.changes(after + 1..twin + 1).first()?.at;
    let found = found?;
    if found < edge {
        return Some(found);
    }
    Some(walk(job, edge, edge)?.min(found))
}

fn walk(job: &Job<'_>, origin: i64, first: i64) -> Option<i64> {
    let mut from = job.clock.wall(origin) + first - origin;
    loop {
        let wall = job.calendar.next(from)?;
        from = wall + 1;
        match job.clock.passings(wall)[..] {
            [at] => return Some(at),
            [first, second, ..] => {
                let passings: &[i64] = if job.is_wildcard { &[first, second] } else { &[first] };
                let ahead = passings.iter().find(|at| origin <= **at);
                if ahead.is_some() {
                    return ahead.copied();
                }
            }
            [] if job.is_wildcard => {}
            [] => {
                let gap = job.clock.gap(wall)?;
                let end = gap.walls().end;
                if end - wall > GAP_MAX {
                    return None;
                }
                if job.calendar.names_day(date_of(end)) && gap.at >= first {
                    return Some(gap.at);
                }
                from = end;
            }
        }
    }
}
