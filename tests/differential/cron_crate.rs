//! The crate `cron`, and what it does otherwise.

use chrono::TimeZone as _;

use super::calendar::{Calendar, Days};
use super::expression::{Expression, Field, Item, Kind, Value, stepped};
use super::rule::{Answer, Case, Job, Rival, TAKE, change};

/// Its years end with 2100, and its zones' rules with 2099.
const HORIZON: i64 = 4_102_444_800;

const READINGS: [&str; 9] = [
    "does not read `L`, `W` and `#`",
    "does not read `a/n` with a name",
    "does not read `@midnight` and `@annually`",
    "does not read weekday 0",
    "does not read a range from a number to a name",
    "does not read a step that is longer than the field",
    "reads dates that never come",
    "wants both day fields to match",
    "counts weekdays from Sunday as 1",
];
const EXTENSIONS: u32 = 1;
const NAME_STEP: u32 = 1 << 1;
const WORDS: u32 = 1 << 2;
const ZERO: u32 = 1 << 3;
const MIXED: u32 = 1 << 4;
const LONG_STEP: u32 = 1 << 5;
const NEVER: u32 = 1 << 6;
const BOTH: u32 = 1 << 7;
const FROM_ONE: u32 = 1 << 8;

const SKIPS: &str = "skips a fixed time that a gap leaves out";
const TWICE: &str = "runs a fixed time in both passings";
const BACK: &str = "goes back in time when clocks do";

pub(crate) struct CronCrate;

impl CronCrate {
    pub(crate) fn ask(case: &Case<'_>) -> Answer {
        let question = case.question;
        let has_seconds =
            question.expression.word.is_some() || question.expression.second.is_some();
        let text = format!("{}{}", if has_seconds { "" } else { "0 " }, question.text);
        let Ok(schedule) = text.parse::<cron::Schedule>() else { return Answer::Refused };
        let zone: chrono_tz::Tz = case.zone.name.parse().expect("it has all zones of that year");
        let after = zone.timestamp_opt(question.after, 0).unwrap();
        let due = schedule.after(&after).take(TAKE).map(|due| due.timestamp());
        super::rule::cut(Answer::Due(due.collect()), HORIZON)
    }
}

impl Rival for CronCrate {
    fn name(&self) -> &'static str {
        "crate `cron`"
    }

    fn readings(&self) -> &'static [&'static str] {
        &READINGS
    }

    fn clock_rules(&self) -> &'static [&'static str] {
        &[SKIPS, TWICE, BACK]
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
        Answer::Due(if has_clock_rule { walk(&job, after) } else { job.contract(after) })
    }

    fn clock_rule(&self, case: &Case<'_>, with: &Answer, without: &Answer) -> Option<&'static str> {
        let (Answer::Due(with), Answer::Due(without)) = (with, without) else { return None };
        let change = change(case.clock(), with, without)?;
        match (change.is_gap(), case.expression().is_wildcard()) {
            (true, false) => Some(SKIPS),
            (false, false) => Some(TWICE),
            (false, true) => Some(BACK),
            (true, true) => None,
        }
    }

    fn horizon(&self) -> i64 {
        HORIZON
    }
}

fn does_not_read(expression: &Expression, readings: u32) -> bool {
    let word = expression.word;
    if word.is_some() {
        return readings & WORDS != 0 && matches!(word, Some("@midnight" | "@annually"));
    }
    expression.items().any(|(kind, item)| {
        let is_mixed =
            matches!(item, Item::Range(first, last, _) if first.is_name() != last.is_name());
        let is_zero = |value: &Value| value.number == 0 && !value.is_name();
        let has_zero = kind == Kind::Weekday && item.first().is_some_and(is_zero);
        let is_named_step = matches!(item, Item::From(first, _) if first.is_name());
        readings & EXTENSIONS != 0 && item.is_relative()
            || readings & NAME_STEP != 0 && is_named_step
            || readings & MIXED != 0 && is_mixed
            || readings & ZERO != 0 && has_zero && !is_mixed && !item.is_relative()
            || readings & LONG_STEP != 0 && item.step() > Some(kind.max())
    })
}

fn calendar(expression: &Expression, readings: u32) -> Calendar {
    let mut calendar = expression.calendar();
    if readings & BOTH != 0 {
        calendar.rule = Days::Both;
    }
    if readings & FROM_ONE != 0 && expression.word.is_none() {
        let weekday = &expression.weekday;
        calendar.weekdays = weekday.set(|item| weekdays_from_one(weekday, item));
    }
    calendar
}

fn weekdays_from_one(field: &Field, item: &Item) -> u64 {
    let shifted = |first: u8, last: u8, step| stepped(first, last, step) >> 1;
    if let Item::Star(step) = item {
        return shifted(1, 7, *step);
    }
    let Some(first) = item.first().filter(|first| !first.is_name()) else {
        return field.values(item);
    };
    match item {
        Item::One(_) => shifted(first.number, first.number, None),
        Item::Range(_, last, step) => shifted(first.number, last.number, *step),
        Item::From(_, step) => shifted(first.number, 7, Some(*step)),
        Item::Star(_)
        | Item::Any
        | Item::Last
        | Item::BeforeLast(_)
        | Item::LastWorking
        | Item::Near(_)
        | Item::LastOf(_)
        | Item::Nth(..) => field.values(item),
    }
}

/// It goes from one wall time to the next, and gives both passings of one that comes twice before it goes on.
fn walk(job: &Job<'_>, after: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut from = job.clock.wall(after + 1);
    while found.len() < TAKE {
        let Some(wall) = job.calendar.next(from) else { break };
        let passings = job.clock.passings(wall);
        from = passings.last().map_or(wall + 1, |last| job.clock.wall(last + 1));
        found.extend(passings);
    }
    found.truncate(TAKE);
    found
}
