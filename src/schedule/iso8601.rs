//! Reads repeating intervals: `R[n]/start/period`.
//!
//! Accepted, as Chronos does it:
//!
//! - repetitions: `R`, or `R` and a number of runs in all, such as `R5`;
//! - start: empty, or a date, or a date and a time, or a time (on 1 January 1970). Dates are `2026`, `2026-03`,
//!   `2026-03-01`, `2026-W10`, `2026-W10-6`, `2026-061`; times are `T10`, `T10:30`, `T10:30:15`, the last of them with
//!   a fraction after a point or comma; then `Z`, `+01`, `+0100`, `+01:00` or nothing. Months, days, hours, minutes
//!   and seconds may have one digit. Digits beyond the millisecond are cut;
//! - period: see [`super::period`].
//!
//! DIFFERENCE: years have four digits and no sign. Chronos reads years such as 12008 and −0001 too.
//!
//! Knows the digits alone: which zone they are in is decided in [`super::recurrence`].

use std::ops::Range;

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::Offset;

use super::error::{ScheduleError, Source};
use super::period::{self, Period};

const EXPECTED_START: &str = "expected something like `2026-03-01T13:00:00Z`";
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MINUTE: i64 = 60 * NANOS_PER_SECOND;
const NANOS_PER_HOUR: i64 = 60 * NANOS_PER_MINUTE;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// A repeating interval as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    /// How many runs in all; `None` for no end.
    pub(super) count: Option<u64>,
    /// Where it begins; `None` if left empty.
    pub(super) start: Option<Start>,
    /// Which bytes say where it begins.
    pub(super) start_span: Range<usize>,
    /// From one occurrence to the next. Zero only if it occurs at most once.
    pub(super) period: Period,
}

/// A start as written, cut to milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) wall: DateTime,
    /// The offset written behind it.
    pub(super) offset: Option<Offset>,
}

/// A date, or a date and a time, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) wall: DateTime,
    /// The offset written behind it.
    pub(super) offset: Option<Offset>,
    /// Whether it is more than a date.
    pub(super) has_time: bool,
}

/// Reads a date, or a date and a time, of which nothing may be left out but the seconds.
pub(super) fn read_moment(
    source: Source<'_>,
    range: Range<usize>,
) -> Result<Moment, ScheduleError> {
    let mut cursor = Cursor::new(source, "date", range.clone());
    let Start { wall, offset } = read_start_at(&mut cursor)?;
    if !cursor.is_day {
        return Err(source.refuse(range, |found| {
            format!("{found} names no day: {EXPECTED_START}, or a date such as `2026-03-01`")
        }));
    }
    Ok(Moment { wall, offset, has_time: cursor.has_time })
}

/// Reads a whole text.
pub(super) fn read(source: Source<'_>) -> Result<Interval, ScheduleError> {
    let [repetition, start, period] = split(source)?;
    let count = read_repetition(source, repetition)?;
    let start_span = start.clone();
    let start = if start.is_empty() { None } else { Some(read_start(source, start)?) };
    let length = period::read(source, period.clone())?;
    if length.is_zero() && !matches!(count, Some(0 | 1)) {
        return Err(source.refuse(period, |found| {
            format!(
                "period {found} is zero: the job would always be due; \
                 write a longer one, or `R1` to run once"
            )
        }));
    }
    Ok(Interval { count, start, start_span, period: length })
}

/// The three parts between the slashes.
fn split(source: Source<'_>) -> Result<[Range<usize>; 3], ScheduleError> {
    let slashes: Vec<usize> = source.text.match_indices('/').map(|(at, _)| at).take(3).collect();
    match slashes[..] {
        [first, second] => Ok([0..first, first + 1..second, second + 1..source.text.len()]),
        [] | [_] => Err(source.refuse_all(|found| {
            format!("repeating interval {found} has too few parts: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`")
        })),
        _ => Err(source.refuse(slashes[2]..source.text.len(), |found| {
            format!("unexpected {found} after the period: expected `R/start/period`, such as `R/2026-03-01T13:00:00Z/P1D`")
        })),
    }
}

fn read_repetition(source: Source<'_>, range: Range<usize>) -> Result<Option<u64>, ScheduleError> {
    let expected = "expected `R` or `R` followed by digits";
    let text = &source.text[range.clone()];
    let Some(digits) = text.strip_prefix('R') else {
        return Err(source.refuse(range, |found| format!("invalid repetition {found}: {expected}")));
    };
    if digits.is_empty() {
        return Ok(None);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(source.refuse(range, |found| format!("invalid repetition {found}: {expected}")));
    }
    digits.parse().map(Some).map_err(|_| {
        source.refuse(range, |found| {
            format!("repetition {found} is more than can be counted: write `R` for no end")
        })
    })
}

fn read_start(source: Source<'_>, range: Range<usize>) -> Result<Start, ScheduleError> {
    read_start_at(&mut Cursor::new(source, "start", range))
}

fn read_start_at(cursor: &mut Cursor<'_>) -> Result<Start, ScheduleError> {
    let date = match cursor.peek() {
        Some(b'T' | b't') => Date::constant(1970, 1, 1),
        Some(_) | None => read_date(cursor)?,
    };
    let mut time = Time::midnight();
    let mut offset = None;
    if cursor.eat(|byte| matches!(byte, b'T' | b't')) {
        cursor.has_time = cursor.peek().is_some_and(|byte| byte.is_ascii_digit());
        time = read_time(cursor)?;
        offset = read_offset(cursor)?;
    }
    if cursor.at == cursor.end {
        return Ok(Start { wall: date.to_datetime(time), offset });
    }
    let what = cursor.what;
    Err(match cursor.peek() {
        Some(b'Z' | b'z' | b'+' | b'-') => cursor.refuse_rest(|found| {
            format!(
                "unexpected {found} in the {what}: an offset needs a time, write `T00:00` before it"
            )
        }),
        Some(b' ') => cursor.refuse_rest(|found| {
            format!(
                "unexpected {found} in the {what}: write `T` between date and time and no blanks"
            )
        }),
        Some(_) | None => cursor
            .refuse_rest(|found| format!("unexpected {found} in the {what}: {EXPECTED_START}")),
    })
}

fn read_date(cursor: &mut Cursor<'_>) -> Result<Date, ScheduleError> {
    let what = cursor.what;
    let year_span = cursor.digits();
    match year_span.len() {
        4 => {}
        8 if matches!(cursor.peek(), None | Some(b'T' | b't')) => {
            return Err(cursor.refuse_all(|found| {
                format!("{what} {found} is in the basic form: write `2026-03-01T13:00:00Z` with `-` and `:`")
            }));
        }
        0 => {
            return Err(
                cursor.refuse_all(|found| format!("{found} is not a {what}: {EXPECTED_START}"))
            );
        }
        _ => {
            return Err(cursor.source.refuse(year_span, |found| {
                format!("year {found} does not have four digits: {EXPECTED_START}")
            }));
        }
    }
    let year: i16 = cursor.number(&year_span);
    if !cursor.eat(|byte| byte == b'-') {
        return cursor.date_or_refuse(Date::new(year, 1, 1));
    }
    if cursor.eat(|byte| byte == b'W') {
        return read_week_date(cursor, year);
    }
    let span = cursor.digits();
    if span.len() == 3 {
        let day: i16 = cursor.number(&span);
        cursor.is_day = true;
        let first = Date::constant(2000, 1, 1).with().year(year).build();
        return cursor.date_or_refuse(first.and_then(|date| date.with().day_of_year(day).build()));
    }
    let month = cursor.small(span, "month", 12)?;
    let day = if cursor.eat(|byte| byte == b'-') {
        cursor.is_day = true;
        let span = cursor.digits();
        cursor.small(span, "day", 31)?
    } else {
        1
    };
    cursor.date_or_refuse(Date::new(year, month, day))
}

fn read_week_date(cursor: &mut Cursor<'_>, year: i16) -> Result<Date, ScheduleError> {
    let span = cursor.digits();
    let week = cursor.small(span, "week", 53)?;
    let day = if cursor.eat(|byte| byte == b'-') {
        cursor.is_day = true;
        let span = cursor.digits();
        cursor.small(span, "day of the week", 7)?
    } else {
        1
    };
    let date = Weekday::from_monday_one_offset(day)
        .and_then(|weekday| ISOWeekDate::new(year, week, weekday))
        .map(ISOWeekDate::date);
    cursor.date_or_refuse(date)
}

fn read_time(cursor: &mut Cursor<'_>) -> Result<Time, ScheduleError> {
    let mut nanos = 0;
    let units = [
        ("hour", 23, NANOS_PER_HOUR),
        ("minute", 59, NANOS_PER_MINUTE),
        ("second", 59, NANOS_PER_SECOND),
    ];
    for (index, (name, max, unit)) in units.into_iter().enumerate() {
        if index == 0 {
            // `2026-03-01T` and `2026-03-01TZ` are midnight: the time itself may be left out.
            if !cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                break;
            }
        } else if !cursor.eat(|byte| byte == b':') {
            break;
        }
        let span = cursor.digits();
        nanos += i64::from(cursor.small(span, name, max)?) * unit;
        if cursor.eat(|byte| matches!(byte, b'.' | b',')) {
            nanos += read_fraction(cursor, unit)?;
            break;
        }
    }
    let cut = nanos - nanos % NANOS_PER_MILLI;
    Ok(Time::midnight().wrapping_add(jiff::SignedDuration::from_nanos(cut)))
}

/// The fraction's share of `unit`, in nanoseconds, cut.
fn read_fraction(cursor: &mut Cursor<'_>, unit: i64) -> Result<i64, ScheduleError> {
    /// Digits that can matter: the hour has 3.6 × 10¹² nanoseconds.
    const DIGITS_MAX: usize = 18;
    let span = cursor.digits();
    if span.is_empty() {
        let what = cursor.what;
        return Err(cursor
            .refuse_rest(|_| format!("a fraction in the {what} has no digits: {EXPECTED_START}")));
    }
    let digits = &cursor.source.text.as_bytes()[span];
    let (mut share, mut whole) = (0_i128, 1_i128);
    for digit in digits.iter().take(DIGITS_MAX) {
        share = share * 10 + i128::from(digit - b'0');
        whole *= 10;
    }
    let nanos = i128::from(unit) * share / whole;
    Ok(i64::try_from(nanos).expect("a part of an hour is fewer nanoseconds than an hour"))
}

fn read_offset(cursor: &mut Cursor<'_>) -> Result<Option<Offset>, ScheduleError> {
    if cursor.eat(|byte| matches!(byte, b'Z' | b'z')) {
        return Ok(Some(Offset::UTC));
    }
    let sign = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) | None => return Ok(None),
    };
    let begin = cursor.at;
    cursor.at += 1;
    let digits = cursor.digits();
    let (hours, minutes) = if digits.len() == 4 {
        (digits.start..digits.start + 2, Some(digits.start + 2..digits.end))
    } else {
        let minutes = cursor.eat(|byte| byte == b':').then(|| cursor.digits());
        (digits, minutes)
    };
    let two_digits = |span: Range<usize>, max: i32| {
        let value = if span.len() == 2 { Some(cursor.number::<i32>(&span)) } else { None };
        value.filter(|value| *value <= max)
    };
    let hours = two_digits(hours, 23);
    let minutes = minutes.map_or(Some(0), |span| two_digits(span, 59));
    let seconds = hours.zip(minutes).map(|(hours, minutes)| sign * (hours * 3_600 + minutes * 60));
    let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
    offset.map(Some).ok_or_else(|| {
        cursor.source.refuse(begin..cursor.at, |found| {
            format!("invalid offset {found}: expected `Z`, or from `-23:59` to `+23:59`")
        })
    })
}

/// A place in the start.
struct Cursor<'t> {
    source: Source<'t>,
    /// What it is called.
    what: &'static str,
    start: usize,
    at: usize,
    end: usize,
    /// Whether what was read names a day, not a month or a year.
    is_day: bool,
    /// Whether it has a time.
    has_time: bool,
}

impl<'t> Cursor<'t> {
    fn new(source: Source<'t>, what: &'static str, range: Range<usize>) -> Self {
        let Range { start, end } = range;
        Self { source, what, start, at: start, end, is_day: false, has_time: false }
    }

    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.source.byte(self.at) } else { None }
    }

    fn eat(&mut self, wanted: impl FnOnce(u8) -> bool) -> bool {
        let eaten = self.peek().is_some_and(wanted);
        self.at += usize::from(eaten);
        eaten
    }

    /// Passes over all digits that follow.
    fn digits(&mut self) -> Range<usize> {
        let begin = self.at;
        while self.eat(|byte| byte.is_ascii_digit()) {}
        begin..self.at
    }

    /// The value of digits that were counted and are few.
    fn number<N: std::str::FromStr + Default>(&self, span: &Range<usize>) -> N {
        self.source.text[span.clone()].parse().unwrap_or_default()
    }

    /// The value of one or two digits that is at most `max`.
    fn small(&self, span: Range<usize>, name: &str, max: i8) -> Result<i8, ScheduleError> {
        let what = self.what;
        let value = match span.len() {
            1 | 2 => self.source.text[span.clone()].parse::<i8>().ok(),
            _ => None,
        };
        match value {
            Some(value) if value <= max => Ok(value),
            Some(_) | None if span.is_empty() => Err(self
                .refuse_all(|found| format!("{what} {found} lacks the {name}: {EXPECTED_START}"))),
            Some(_) | None => Err(self.source.refuse(span, |found| {
                format!("{name} {found} is out of range: at most {max}, with one or two digits")
            })),
        }
    }

    fn date_or_refuse(&self, date: Result<Date, jiff::Error>) -> Result<Date, ScheduleError> {
        date.map_err(|_| {
            self.source.refuse(self.start..self.at, |found| {
                format!("there is no date {found}: write one that the calendar has")
            })
        })
    }

    fn refuse_rest(&self, sentence: impl FnOnce(&str) -> String) -> ScheduleError {
        self.source.refuse(self.at..self.end, sentence)
    }

    fn refuse_all(&self, sentence: impl FnOnce(&str) -> String) -> ScheduleError {
        self.source.refuse(self.start..self.end, sentence)
    }
}
