//! Reads cron expressions: five fields, six with seconds in front, or a word such as `@daily`.
//!
//! A field is a list of items with commas; an item is `*`, a value, or a range `a-b`; `*` and ranges may have a step
//! `/n`. Months and weekdays have names of three letters, in any case, also in ranges and lists. Sunday is 0 and 7.
//!
//! Beyond Debian's cron: `a/n` is from `a` to the end of the field; `?` is `*` in a day field; `H`, `H(a-b)`, `H/n` and
//! `H(a-b)/n` are values that the job's name decides ([`crate::schedule::spread`]). Days of the month may be `L`, the last one,
//! `L-n`, n days before it, `LW`, the last working day, and `nW`, the working day nearest to the n-th in its month.
//! Weekdays may be `nL`, the last one in the month, and `n#m`, the m-th.
//!
//! Debian's cron accepts by accident what it then never runs (`22-2`) or reads only in part (`0~30` as `0`). Such texts
//! are refused, with what to write instead.

use std::ops::Range;

use super::super::error::{ScheduleError, Source};
use super::super::spread;
use super::calendar::{Calendar, Days, Weekdays};
use super::field::{DAY, Field, HOUR, Kind, MINUTE, MONTH, SECOND, WEEKDAY, is_number};
use super::relative::{self, Set};

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

/// The word that names no instants but each start of the machine.
pub(in crate::schedule) const REBOOT: &str = "@reboot";

/// `H` in the day of the month: as far as every month goes.
const SPREAD_DAY_MAX: u8 = 28;

/// Reads the expression that begins at `from` and goes on to the end of the text. `name` is the job's.
pub(super) fn read(
    source: Source<'_>,
    from: usize,
    name: &str,
) -> Result<Expression, ScheduleError> {
    let words = split(source.text, from);
    let Some(first) = words.first().cloned() else {
        return Err(refuse_count(source, 0));
    };
    if source.byte(first.start) == Some(b'@') {
        let fields = read_word(source, &words)?;
        let fixed = Source::new(source.field, fields);
        return read_fields(fixed, &split(fields, 0), name);
    }
    if let Some(seventh) = words.get(6) {
        return Err(source.refuse(seventh.start..source.text.len(), |found| {
            format!(
                "unexpected {found} after the weekday: expected five fields, or six with seconds \
                 in front, without year or command"
            )
        }));
    }
    read_fields(source, &words, name)
}

/// The words between blanks, from a place on.
fn split(text: &str, from: usize) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate().skip(from) {
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

fn read_fields(
    source: Source<'_>,
    words: &[Range<usize>],
    name: &str,
) -> Result<Expression, ScheduleError> {
    let (second, [minute, hour, day, month, weekday]) = match words {
        [minute, hour, day, month, weekday] => (None, [minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => {
            (Some(second), [minute, hour, day, month, weekday])
        }
        _ => return Err(refuse_count(source, words.len())),
    };
    let mut reader = Reader { source, name, warnings: Vec::new() };
    let seconds = match second {
        Some(second) => reader.field(second, &SECOND)?.values,
        None => 1,
    };
    let minutes = reader.field(minute, &MINUTE)?.values;
    let hours = reader.field(hour, &HOUR)?.values;
    let days = reader.field(day, &DAY)?;
    let months = reader.field(month, &MONTH)?.values;
    let weekdays = reader.field(weekday, &WEEKDAY).map_err(|error| match second {
        Some(_) => with_hint(error),
        None => error,
    })?;
    let mut warnings = reader.warnings;
    if second.is_some() && source.text[weekday.clone()].bytes().any(|b| b.is_ascii_digit()) {
        warnings.push(
            "weekdays are counted from Sunday as 0: Quartz, which also has six fields, counts from 1"
                .to_owned(),
        );
    }
    let is_star = |word: &Range<usize>| matches!(source.byte(word.start), Some(b'*' | b'?'));
    let fits = "the field is no wider";
    let calendar = Calendar {
        seconds,
        minutes,
        hours: u32::try_from(hours).expect(fits),
        days: Days { fixed: u32::try_from(days.values).expect(fits), ..days.days },
        months: u16::try_from(months).expect(fits),
        weekdays: Weekdays { every: fold_week(weekdays.values), ..weekdays.weekdays },
        needs_both: is_star(day) || is_star(weekday),
    };
    if !calendar.has_dates() {
        let span = if calendar.weekdays.is_every() {
            day.start..month.end
        } else {
            day.start..weekday.end
        };
        return Err(source.refuse(span, |found| {
            format!("{found} names a date that never comes: write days that the months have")
        }));
    }
    warnings.extend(day_warning(&calendar));
    Ok(Expression { calendar, is_wildcard: is_star(minute) || is_star(hour), warnings })
}

/// Somebody may have sent a line of a crontab with its command.
fn with_hint(mut error: ScheduleError) -> ScheduleError {
    error.message.push_str(
        "; six fields are read with seconds in front, and a command belongs in `command`",
    );
    error
}

/// The weekdays of a set in which Sunday is 0 and 7.
pub(super) fn fold_week(values: u64) -> u8 {
    u8::try_from((values | values >> 7) & u64::from(Weekdays::ALL)).expect("seven bits")
}

/// What people might take for something else.
fn day_warning(calendar: &Calendar) -> Option<String> {
    let Calendar { days, weekdays, .. } = calendar;
    let restricts_days = !days.is_every();
    let restricts_weekdays = !weekdays.is_every();
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
        (true, true, false) => short_month_warning(calendar),
        (true, false, _) | (false, false, false) => None,
    }
}

/// Whether months that it names lack the only days that it names.
fn short_month_warning(calendar: &Calendar) -> Option<String> {
    let Days { fixed, before_last, near, last_working } = calendar.days;
    let first = fixed.trailing_zeros();
    let is_late = fixed != 0 && first > 28 && before_last == 0 && near == 0 && !last_working;
    let lacks = |month: u8| match month {
        2 => true,
        4 | 6 | 9 | 11 => first > 30,
        _ => false,
    };
    let lacking = is_late && (1..=12).any(|month| calendar.has_month(month) && lacks(month));
    lacking.then(|| format!("day {first} is not in every month: `L` is the last day of each"))
}

struct Reader<'t> {
    source: Source<'t>,
    name: &'t str,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn field(&mut self, word: &Range<usize>, field: &Field) -> Result<Set, ScheduleError> {
        let source = self.source;
        if source.text[word.clone()] == *"?" && matches!(field.kind, Kind::Day | Kind::Weekday) {
            return Ok(Set { values: field.all(), ..Set::default() });
        }
        let mut set = Set::default();
        let mut at = word.start;
        loop {
            let (item, end) = self.item(at..word.end, field)?;
            set.add(&item);
            at = end;
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

    /// Reads an item; returns what it names and the place after it.
    fn item(&mut self, range: Range<usize>, field: &Field) -> Result<(Set, usize), ScheduleError> {
        if let Some((set, end)) = relative::read(self.source, &range, field)? {
            return Ok((set, end));
        }
        let item = read_item(self.source, range, field, self.name)?;
        let warning = item.warning(self.source, field);
        let warning = warning.filter(|warning| !self.warnings.contains(warning));
        self.warnings.extend(warning);
        Ok((Set { values: item.values(), ..Set::default() }, item.span.end))
    }
}

/// An item of a field's list. Not empty, `first` ≤ `last`, `step` ≥ 1.
struct Item {
    span: Range<usize>,
    first: u8,
    last: u8,
    step: u32,
    is_star: bool,
    is_spread: bool,
}

impl Item {
    fn values(&self) -> u64 {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        (self.first..=self.last).step_by(step).fold(0, |set, value| set | 1 << value)
    }

    fn warning(&self, source: Source<'_>, field: &Field) -> Option<String> {
        let text = &source.text[self.span.clone()];
        let values = u32::from(self.last - self.first) + 1;
        if self.is_spread {
            return None;
        }
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

/// What stands before a step.
struct Base {
    first: u8,
    last: u8,
    /// The place after it.
    after: usize,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Star,
    Value,
    Range,
    Spread,
}

fn read_item(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
    name: &str,
) -> Result<Item, ScheduleError> {
    let Base { first, last, after, form } = read_base(source, range.clone(), field)?;
    let (step, end) = read_step(source, after..range.end, field)?;
    let hash = || spread::of_field(name, field.name);
    let (first, last, step) = match (form, step) {
        (Form::Value, Some(step)) => (first, field.last.max(first), step),
        (Form::Spread, None) => {
            let value = first + spread::below(hash(), last - first + 1);
            (value, value, 1)
        }
        (Form::Spread, Some(step)) => {
            let room = u32::from(last - first) + 1;
            let offset = u8::try_from(step.min(room)).expect("no field is wider");
            (first + spread::below(hash(), offset), last, step)
        }
        (Form::Star | Form::Value | Form::Range, step) => (first, last, step.unwrap_or(1)),
    };
    let is_star = form == Form::Star;
    let is_spread = form == Form::Spread;
    Ok(Item { span: range.start..end, first, last, step, is_star, is_spread })
}

fn read_base(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<Base, ScheduleError> {
    let head = if range.is_empty() { None } else { source.byte(range.start) };
    let token = &source.text[range.start..token_end(source, range.clone())];
    if head == Some(b'*') {
        let (first, last) = (field.min, field.last);
        return Ok(Base { first, last, after: range.start + 1, form: Form::Star });
    }
    if token == "H" {
        return read_spread(source, range, field);
    }
    let (first, last, after, is_range) = read_range(source, range, field)?;
    let form = if is_range { Form::Range } else { Form::Value };
    Ok(Base { first, last, after, form })
}

/// Reads `H` or `H(a-b)`.
fn read_spread(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<Base, ScheduleError> {
    let after = range.start + 1;
    let (first, mut last) = (field.min, field.last);
    if field.kind == Kind::Day {
        last = SPREAD_DAY_MAX;
    }
    if after == range.end || source.byte(after) != Some(b'(') {
        return Ok(Base { first, last, after, form: Form::Spread });
    }
    let rest = &source.text[after..range.end];
    let Some(close) = rest.find(')') else {
        return Err(source.refuse(range, |found| {
            format!("{found} in the {} has no `)`: write `H({first}-{last})`", field.name)
        }));
    };
    let inside = after + 1..after + close;
    let (first, last, end, is_range) = read_range(source, inside.clone(), field)?;
    if !is_range || end != inside.end {
        return Err(source.refuse(inside, |found| {
            format!(
                "{found} in the {} is no range: write `H({}-{})`",
                field.name, field.min, field.last
            )
        }));
    }
    Ok(Base { first, last, after: after + close + 1, form: Form::Spread })
}

/// Reads `/n`, if it is there; returns the place after it.
fn read_step(
    source: Source<'_>,
    range: Range<usize>,
    field: &Field,
) -> Result<(Option<u32>, usize), ScheduleError> {
    if range.is_empty() || source.byte(range.start) != Some(b'/') {
        return Ok((None, range.start));
    }
    let end = token_end(source, range.start + 1..range.end);
    let digits = &source.text[range.start + 1..end];
    let step = if is_number(digits) { digits.parse::<u32>().ok() } else { None };
    match step {
        Some(step @ 1..) => Ok((Some(step), end)),
        Some(0) | None => Err(source.refuse(range.start..end, |found| {
            format!("invalid step {found} in the {}: expected `/` and a number from 1", field.name)
        })),
    }
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
        let remedy = if field.kind == Kind::Weekday && last == 0 {
            format!("{text}-7")
        } else {
            format!("{text}-{},{}-{end_text}", field.last, field.min)
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
    if let Some(value) = field.value(token) {
        return Ok((value, end));
    }
    if is_number(token) {
        return Err(source.refuse(range.start..end, |found| {
            format!(
                "{found} is out of range in the {}: expected {} to {}",
                field.name, field.min, field.max
            )
        }));
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
            let remedy = match field.kind {
                Kind::Day | Kind::Weekday => "it stands alone in its field, or write `*`",
                Kind::Time | Kind::Month => "write `*`",
            };
            format!("{found} in the {} is not a value: {remedy}", field.name)
        });
    }
    let span = range.start..token_end.max(range.start + 1);
    source.refuse(span, |found| {
        format!("{found} is not a value of the {}: {}", field.name, field.expected())
    })
}

/// The place after the letters and digits at the beginning of `range`.
pub(super) fn token_end(source: Source<'_>, range: Range<usize>) -> usize {
    let bytes = &source.text.as_bytes()[range.clone()];
    range.start + bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
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
    let reboot = (REBOOT, "");
    let mut known = WORDS.iter().chain([&reboot]);
    let Some((known, fields)) = known.find(|(known, _)| known.eq_ignore_ascii_case(text)) else {
        let all = WORDS.map(|(known, _)| format!("`{known}`")).join(", ");
        return Err(source.refuse(word, |found| {
            format!("unknown word {found}: expected one of {all}, `{REBOOT}`")
        }));
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
