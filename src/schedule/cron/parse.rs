//! Reads cron expressions: five fields, or a word such as `@daily`.
//!
//! A field is a list of items with commas; an item is `*`, a value, or a range `a-b`; `*` and ranges may have a step
//! `/n`. Months and weekdays have names of three letters, in any case, also in ranges and lists. Sunday is 0 and 7.
//!
//! Debian's cron accepts by accident what it then never runs (`22-2`) or reads only in part (`5#2` as `5`). Such texts
//! are refused, with what to write instead.

use std::ops::Range;

use super::super::error::{ScheduleError, Source};
use super::calendar::Calendar;

/// What a text says.
pub(super) struct Expression {
    pub(super) calendar: Calendar,
    pub(super) is_wildcard: bool,
    pub(super) warnings: Vec<String>,
}

/// The words that stand for five fields. `@hourly` follows the clock, as if its hour were written `*`.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// One of the five fields.
struct Field {
    name: &'static str,
    min: u8,
    max: u8,
    names: &'static [&'static str],
    /// The value of the first name.
    first_name: u8,
    /// What it divides; a step over all of it is shorter at the end of that, unless it divides it evenly.
    cycle: Option<&'static str>,
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[], first_name: 0, cycle: Some("hour") },
    Field { name: "hour", min: 0, max: 23, names: &[], first_name: 0, cycle: Some("day") },
    Field { name: "day of the month", min: 1, max: 31, names: &[], first_name: 0, cycle: None },
    Field {
        name: "month",
        min: 1,
        max: 12,
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
        first_name: 1,
        cycle: Some("year"),
    },
    Field {
        name: "weekday",
        min: 0,
        max: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        first_name: 0,
        cycle: None,
    },
];

const ALL_DAYS: u64 = 0xffff_fffe;
const ALL_WEEKDAYS: u8 = 0b111_1111;

/// Reads a whole text.
pub(super) fn read(source: Source<'_>) -> Result<Expression, ScheduleError> {
    let words = split(source.text);
    let Some(first) = words.first().cloned() else {
        return Err(refuse_count(source, 0));
    };
    if source.byte(first.start) == Some(b'@') {
        let fields = read_word(source, &words)?;
        let fixed = Source::new(source.field, fields);
        return read_fields(fixed, &split(fields));
    }
    if let Some(sixth) = words.get(5) {
        return Err(source.refuse(sixth.start..source.text.len(), |found| {
            format!(
                "unexpected {found} after the weekday: expected five fields, without seconds, \
                 year or command"
            )
        }));
    }
    read_fields(source, &words)
}

/// The words between blanks.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (begin, matches!(byte, b' ' | b'\t')) {
            (Some(start), true) => {
                words.push(start..at);
                begin = None;
            }
            (None, false) => begin = Some(at),
            (Some(_), false) | (None, true) => {}
        }
    }
    words
}

fn refuse_count(source: Source<'_>, count: usize) -> ScheduleError {
    source.refuse_all(|found| {
        format!(
            "schedule {found} has {count} of five fields: expected minute, hour, day of the month, \
             month and weekday, such as `30 2 * * *`, or an interval such as \
             `R/2026-03-01T13:00:00Z/P1D`"
        )
    })
}

fn read_fields(source: Source<'_>, words: &[Range<usize>]) -> Result<Expression, ScheduleError> {
    let [minute, hour, day, month, weekday] = words else {
        return Err(refuse_count(source, words.len()));
    };
    let mut warnings = Vec::new();
    let mut read = |index: usize, word: &Range<usize>| {
        read_field(source, word.clone(), &FIELDS[index], &mut warnings)
    };
    let minutes = read(0, minute)?;
    let hours = read(1, hour)?;
    let days = read(2, day)?;
    let months = read(3, month)?;
    let weekdays = read(4, weekday)?;
    let is_star = |word: &Range<usize>| source.byte(word.start) == Some(b'*');
    let fits = "the field is no wider";
    let calendar = Calendar {
        minutes,
        hours: u32::try_from(hours).expect(fits),
        days: u32::try_from(days).expect(fits),
        months: u16::try_from(months).expect(fits),
        weekdays: u8::try_from((weekdays | weekdays >> 7) & u64::from(ALL_WEEKDAYS)).expect(fits),
        needs_both: is_star(day) || is_star(weekday),
    };
    if !calendar.has_dates() {
        return Err(source.refuse(day.start..month.end, |found| {
            format!("day and month {found} name a date that never comes: write days that the months have")
        }));
    }
    warnings.extend(day_warning(&calendar));
    Ok(Expression { calendar, is_wildcard: is_star(minute) || is_star(hour), warnings })
}

/// How the two day fields work together, if somebody might take it for something else.
fn day_warning(calendar: &Calendar) -> Option<String> {
    let restricts_days = u64::from(calendar.days) != ALL_DAYS;
    let restricts_weekdays = calendar.weekdays != ALL_WEEKDAYS;
    match (calendar.needs_both, restricts_days, restricts_weekdays) {
        (true, true, true) => Some(
            "runs only on days that match both the day of the month and the weekday, \
             because one of these fields begins with `*`"
                .to_owned(),
        ),
        (false, true, true) => Some(
            "runs on all days that match the day of the month or the weekday, \
             because neither field begins with `*`"
                .to_owned(),
        ),
        (false, true, false) | (false, false, true) => Some(
            "runs every day, because one of the fields day of the month and weekday allows all \
             without being `*`, and one that matches is enough"
                .to_owned(),
        ),
        (true, false, _) | (true, true, false) | (false, false, false) => None,
    }
}

fn read_field(
    source: Source<'_>,
    word: Range<usize>,
    field: &Field,
    warnings: &mut Vec<String>,
) -> Result<u64, ScheduleError> {
    let mut set = 0;
    let mut at = word.start;
    loop {
        let item = read_item(source, at..word.end, field)?;
        set |= item.values();
        let warning = item.warning(source, field);
        warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
        at = item.span.end;
        match source.byte(at) {
            Some(b',') if at < word.end => at += 1,
            Some(_) if at < word.end => {
                return Err(source.refuse(at..word.end, |found| {
                    format!("unexpected {found} in the {}: {}", field.name, field.expected())
                }));
            }
            Some(_) | None => return Ok(set),
        }
    }
}

/// An item of a field's list. Not empty, `first` ≤ `last`, `step` ≥ 1.
struct Item {
    span: Range<usize>,
    first: u8,
    last: u8,
    step: u32,
    is_star: bool,
}

impl Item {
    fn values(&self) -> u64 {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        (self.first..=self.last).step_by(step).fold(0, |set, value| set | 1 << value)
    }

    fn warning(&self, source: Source<'_>, field: &Field) -> Option<String> {
        let text = &source.text[self.span.clone()];
        let values = u32::from(self.last - self.first) + 1;
        if self.step >= values && self.step > 1 {
            return Some(format!(
                "step `{text}` is as long as its range or longer: only the first value, {}, is left",
                self.first
            ));
        }
        let cycle = field.cycle.filter(|_| self.is_star && values % self.step != 0)?;
        Some(format!(
            "step `{text}` does not divide {values}: the last one of each {cycle} is shorter"
        ))
    }
}

fn read_item(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<Item, ScheduleError> {
    let is_star = source.byte(range.start) == Some(b'*') && !range.is_empty();
    let (first, last, after, is_range) = if is_star {
        (field.min, field.max, range.start + 1, true)
    } else {
        read_range(source, range.clone(), field)?
    };
    if after == range.end || source.byte(after) != Some(b'/') {
        return Ok(Item { span: range.start..after, first, last, step: 1, is_star });
    }
    let end = token_end(source, after + 1..range.end);
    let step_span = after + 1..end;
    let step = source.text[step_span.clone()].parse::<u32>().unwrap_or(0);
    let is_number = source.text[step_span.clone()].bytes().all(|byte| byte.is_ascii_digit());
    if step == 0 || !is_number {
        return Err(source.refuse(after..end, |found| {
            format!("invalid step {found} in the {}: expected `/` and a number from 1", field.name)
        }));
    }
    if !is_range {
        let text = &source.text[range.start..after];
        return Err(source.refuse(range.start..end, |found| {
            format!(
                "{found} in the {} has a step but no range: write `{text}-{}/{step}`",
                field.name, field.max
            )
        }));
    }
    Ok(Item { span: range.start..end, first, last, step, is_star })
}

/// Reads `a` or `a-b`; returns the values, the place after them, and whether it was a range.
fn read_range(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<(u8, u8, usize, bool), ScheduleError> {
    let (first, after_first) = read_value(source, range.clone(), field)?;
    if after_first == range.end || source.byte(after_first) != Some(b'-') {
        return Ok((first, first, after_first, false));
    }
    let (last, after_last) = read_value(source, after_first + 1..range.end, field)?;
    if first > last {
        let text = &source.text[range.start..after_first];
        let end_text = &source.text[after_first + 1..after_last];
        // A week may end with Sunday, so a range to its other number is enough.
        let remedy = if field.max == 7 && last == 0 {
            format!("{text}-7")
        } else {
            let last_of_all = if field.max == 7 { 6 } else { field.max };
            format!("{text}-{last_of_all},{}-{end_text}", field.min)
        };
        return Err(source.refuse(range.start..after_last, |found| {
            format!("range {found} in the {} ends before it begins: write `{remedy}`", field.name)
        }));
    }
    Ok((first, last, after_last, true))
}

fn read_value(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<(u8, usize), ScheduleError> {
    let end = token_end(source, range.clone());
    let token = &source.text[range.start..end];
    let is_number = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        let value = token.parse().ok().filter(|value| (field.min..=field.max).contains(value));
        return value.map(|value| (value, end)).ok_or_else(|| {
            source.refuse(range.start..end, |found| {
                format!(
                    "{found} is out of range in the {}: expected {} to {}",
                    field.name, field.min, field.max
                )
            })
        });
    }
    let mut named = (field.first_name..).zip(field.names);
    if let Some((value, _)) = named.find(|(_, name)| name.eq_ignore_ascii_case(token)) {
        return Ok((value, end));
    }
    Err(refuse_value(source, range, end, field))
}

fn refuse_value(
    source: Source<'_>,
    range: Range<usize>,
    token_end: usize,
    field: &Field,
) -> ScheduleError {
    if range.is_empty() || source.byte(range.start) == Some(b',') {
        return source.refuse(range.start..range.start, |_| {
            format!("a value is missing in the {}: {}", field.name, field.expected())
        });
    }
    if source.byte(range.start) == Some(b'?') {
        return source.refuse(range.start..range.start + 1, |found| {
            format!("{found} in the {} is not a value: write `*`", field.name)
        });
    }
    let span = range.start..token_end.max(range.start + 1);
    source.refuse(span, |found| {
        format!("{found} is not a value of the {}: {}", field.name, field.expected())
    })
}

/// The place after the letters and digits at the beginning of `range`.
fn token_end(source: Source<'_>, range: Range<usize>) -> usize {
    let bytes = &source.text.as_bytes()[range.clone()];
    range.start + bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

impl Field {
    fn expected(&self) -> String {
        let Self { min, max, .. } = self;
        let names = match self.names {
            [] => String::new(),
            [first, ..] => format!(", names such as `{first}`"),
        };
        format!(
            "expected `*`, numbers from {min} to {max}{names}, ranges such as `{min}-{max}`, \
             steps such as `*/2`, or a list of these"
        )
    }
}

/// The five fields that a word stands for.
fn read_word(source: Source<'_>, words: &[Range<usize>]) -> Result<&'static str, ScheduleError> {
    let word = words[0].clone();
    let text = &source.text[word.clone()];
    if text.eq_ignore_ascii_case("@every") {
        let remedy = words.get(1).and_then(|span| iso_period(&source.text[span.clone()]));
        let remedy = remedy.unwrap_or_else(|| "PT5M".to_owned());
        return Err(source.refuse_all(|found| {
            format!("{found} is not an expression of cron: write `R//{remedy}`")
        }));
    }
    if text.eq_ignore_ascii_case("@reboot") {
        return Err(source.refuse(word, |found| {
            format!(
                "{found} names no instant, and a job has no one machine whose start it could mean: \
                 write `R1//PT1M` to run once on acceptance, or have each machine's own start run it"
            )
        }));
    }
    let Some((known, fields)) = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(text))
    else {
        let all = WORDS.map(|(known, _)| format!("`{known}`")).join(", ");
        return Err(
            source.refuse(word, |found| format!("unknown word {found}: expected one of {all}"))
        );
    };
    if *known != text {
        return Err(source.refuse(word, |found| format!("unknown word {found}: write `{known}`")));
    }
    if let Some(second) = words.get(1) {
        return Err(source.refuse(second.start..source.text.len(), |found| {
            format!("unexpected {found} after `{known}`: write `{known}` alone, without a command")
        }));
    }
    Ok(fields)
}

/// The ISO 8601 form of a span such as `1h30m`.
fn iso_period(text: &str) -> Option<String> {
    let mut period = "PT".to_owned();
    let mut units = ["h", "m", "s"].into_iter();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit = units.find(|unit| after.starts_with(unit))?;
        if number.is_empty() || number.len() > 9 {
            return None;
        }
        period.push_str(number);
        period.push_str(&unit.to_uppercase());
        rest = &after[1..];
    }
    (period.len() > 2).then_some(period)
}
