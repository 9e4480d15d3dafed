//! Reads ISO 8601 periods: `P1Y2M3W4DT5H6M7.8S`.
//!
//! Years are kept as months and weeks as days; hours, minutes and seconds are one number of milliseconds. Nothing is
//! carried from one kind to another, because a month, a day and 24 hours are different things at a change of clock.
//!
//! Accepted: `P`, then numbers with `Y M W D`, then `T` and numbers with `H M S`, each at most once and in this order,
//! in either case except the `P`; a fraction, after a point or a comma, on the seconds alone. `P` alone is zero.
//!
//! - DIFFERENCE: signs are refused; Chronos accepts `P+1D`, and `P-1D` ran for ever.
//! - DIFFERENCE: seconds finer than a millisecond are refused; Chronos cuts them, so `PT0.0001S` was zero.

use std::ops::Range;

use crate::model::Duration;

use super::error::{ScheduleError, Source};

const EXPECTED: &str = "expected something like `PT15M`, `P1D` or `P1Y2M3W4DT5H6M7.8S`";
const BEYOND: &str = "beyond all calendars: write a shorter period";
const MILLIS_PER_SECOND: i64 = 1_000;
const MILLIS_PER_MINUTE: i64 = 60 * MILLIS_PER_SECOND;
const MILLIS_PER_HOUR: i64 = 60 * MILLIS_PER_MINUTE;
const MILLIS_PER_DAY: i64 = 24 * MILLIS_PER_HOUR;

/// A calendar span in its normal form. Never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Period {
    /// Years and months, in months.
    pub(super) months: i64,
    /// Weeks and days, in days.
    pub(super) days: i64,
    /// Hours, minutes and seconds, in milliseconds of physical time.
    pub(super) millis: i64,
}

impl Period {
    pub(super) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Whether it has no calendar part, so that it is the same everywhere and always.
    pub(super) const fn is_exact(self) -> bool {
        self.months == 0 && self.days == 0
    }

    /// Its mean length in milliseconds, by the Gregorian calendar.
    pub(super) fn mean_millis(self) -> i128 {
        const MEAN_MONTH: i128 = 2_629_746 * 1_000;
        i128::from(self.months) * MEAN_MONTH
            + i128::from(self.days) * i128::from(MILLIS_PER_DAY)
            + i128::from(self.millis)
    }

    fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            millis: self.millis.checked_add(other.millis)?,
        })
    }
}

/// Reads a period as a length of physical time, weeks and days as multiples of 24 hours. For `epsilon`.
///
/// # Errors
///
/// Refuses what is no period, and months and years, whose length depends on the calendar.
pub fn parse_period(text: &str) -> Result<Duration, ScheduleError> {
    let source = Source::new("epsilon", text);
    if text.len() > crate::model::limits::SCHEDULE_BYTES_MAX {
        return Err(source.refuse_all(|found| format!("period {found} is too long: {EXPECTED}")));
    }
    let period = read(source, 0..text.len())?;
    if period.months != 0 {
        return Err(source.refuse_all(|found| {
            format!(
                "period {found} has no fixed length: months and years depend on the calendar, \
                 write days, such as `P30D`"
            )
        }));
    }
    let millis = i128::from(period.days) * i128::from(MILLIS_PER_DAY) + i128::from(period.millis);
    Duration::try_from_millis_i128(millis)
        .ok_or_else(|| source.refuse_all(|found| format!("period {found} is {BEYOND}")))
}

/// Where a unit stands: the order in which units may follow each other.
struct Unit {
    rank: u8,
    /// One of it.
    one: Period,
}

/// Reads the period in `range`, which is the whole rest of its text.
pub(super) fn read(source: Source<'_>, range: Range<usize>) -> Result<Period, ScheduleError> {
    let mut at = read_head(source, &range)?;
    let mut sum = Period::default();
    let mut in_time = false;
    let mut last_rank = None;
    while at < range.end {
        if !in_time && matches!(source.byte(at), Some(b'T' | b't')) {
            in_time = true;
            at += 1;
            if at == range.end {
                return Err(source
                    .refuse(range, |found| format!("period {found} ends after `T`: {EXPECTED}")));
            }
            continue;
        }
        let item = read_item(source, at..range.end, in_time)?;
        if last_rank.is_some_and(|last| last >= item.unit.rank) {
            return Err(source.refuse(item.span, |found| {
                format!(
                    "{found} is out of order: units are written once each, as in `P1Y2M3W4DT5H6M7S`"
                )
            }));
        }
        last_rank = Some(item.unit.rank);
        at = item.span.end;
        sum = item
            .amount()
            .and_then(|amount| sum.checked_add(amount))
            .ok_or_else(|| source.refuse(item.span, |found| format!("{found} is {BEYOND}")))?;
    }
    Ok(sum)
}

/// Reads the `P`; returns the place after it.
fn read_head(source: Source<'_>, range: &Range<usize>) -> Result<usize, ScheduleError> {
    let first = if range.is_empty() { None } else { source.byte(range.start) };
    match first {
        Some(b'P') => Ok(range.start + 1),
        Some(b'p') => Err(source.refuse(range.start..range.start + 1, |found| {
            format!("{found} begins no period: write a capital `P`")
        })),
        Some(b'+' | b'-') => Err(refuse_sign(source, range.start)),
        Some(_) => {
            Err(source
                .refuse(range.clone(), |found| format!("{found} is not a period: {EXPECTED}")))
        }
        None => Err(source.refuse(range.clone(), |_| format!("the period is empty: {EXPECTED}"))),
    }
}

fn refuse_sign(source: Source<'_>, at: usize) -> ScheduleError {
    source.refuse(at..at + 1, |found| {
        format!("sign {found} in a period: time goes forward only, write the period without a sign")
    })
}

/// A number and its unit.
struct Item {
    span: Range<usize>,
    whole: i64,
    /// The fraction, in thousandths of a second; only seconds have one.
    thousandths: i64,
    unit: Unit,
}

impl Item {
    fn amount(&self) -> Option<Period> {
        Some(Period {
            months: self.unit.one.months.checked_mul(self.whole)?,
            days: self.unit.one.days.checked_mul(self.whole)?,
            millis: self.unit.one.millis.checked_mul(self.whole)?.checked_add(self.thousandths)?,
        })
    }
}

fn read_item(
    source: Source<'_>,
    range: Range<usize>,
    in_time: bool,
) -> Result<Item, ScheduleError> {
    let after_whole = digits_end(source, range.clone());
    if after_whole == range.start {
        return Err(match source.byte(range.start) {
            Some(b'+' | b'-') => refuse_sign(source, range.start),
            Some(_) | None => source.refuse(range.start..range.start + 1, |found| {
                format!("unexpected {found} in a period: {EXPECTED}")
            }),
        });
    }
    let whole_span = range.start..after_whole;
    let whole = source.text[whole_span.clone()].parse().map_err(|_| {
        source.refuse(whole_span, |found| {
            format!("{found} is beyond all calendars: write a shorter period")
        })
    })?;
    let fraction = match source.byte(after_whole) {
        Some(b'.' | b',') if after_whole < range.end => {
            after_whole + 1..digits_end(source, after_whole + 1..range.end)
        }
        Some(_) | None => after_whole..after_whole,
    };
    let has_fraction = fraction.end != after_whole;
    let span = range.start..(fraction.end + 1).min(range.end);
    if fraction.end == range.end || (has_fraction && fraction.is_empty()) {
        return Err(source.refuse(span, |found| format!("number {found} has no unit: {EXPECTED}")));
    }
    let unit = read_unit(source, fraction.end, in_time)?;
    if has_fraction && unit.one.millis != MILLIS_PER_SECOND {
        return Err(source.refuse(span, |found| {
            format!(
                "fraction {found}: only seconds have fractions, write smaller units such as `PT30M`"
            )
        }));
    }
    let thousandths = read_thousandths(source, &fraction)?;
    Ok(Item { span, whole, thousandths, unit })
}

/// The place after the digits at the beginning of `range`.
fn digits_end(source: Source<'_>, range: Range<usize>) -> usize {
    let digits = source.text.as_bytes()[range.clone()].iter().take_while(|b| b.is_ascii_digit());
    range.start + digits.count()
}

fn read_unit(source: Source<'_>, at: usize, in_time: bool) -> Result<Unit, ScheduleError> {
    let months = |months| Period { months, ..Period::default() };
    let days = |days| Period { days, ..Period::default() };
    let millis = |millis| Period { millis, ..Period::default() };
    let unit = |rank, one| Ok(Unit { rank, one });
    match (in_time, source.byte(at).map(|byte| byte.to_ascii_uppercase())) {
        (false, Some(b'Y')) => unit(0, months(12)),
        (false, Some(b'M')) => unit(1, months(1)),
        (false, Some(b'W')) => unit(2, days(7)),
        (false, Some(b'D')) => unit(3, days(1)),
        (true, Some(b'H')) => unit(4, millis(MILLIS_PER_HOUR)),
        (true, Some(b'M')) => unit(5, millis(MILLIS_PER_MINUTE)),
        (true, Some(b'S')) => unit(6, millis(MILLIS_PER_SECOND)),
        (false, Some(b'H' | b'S')) => Err(source.refuse(at..at + 1, |found| {
            format!("unit {found} belongs to the time of day: write `T` before it, as in `PT1H`")
        })),
        (true, Some(b'Y' | b'W' | b'D')) => Err(source.refuse(at..at + 1, |found| {
            format!("unit {found} belongs to the calendar: write it before the `T`, as in `P1DT1H`")
        })),
        (_, _) => Err(source.refuse(at..at + 1, |found| {
            format!("unknown unit {found}: expected `Y`, `M`, `W`, `D`, or after `T` `H`, `M`, `S`")
        })),
    }
}

fn read_thousandths(source: Source<'_>, fraction: &Range<usize>) -> Result<i64, ScheduleError> {
    let digits = &source.text.as_bytes()[fraction.clone()];
    if digits.iter().skip(3).any(|digit| *digit != b'0') {
        return Err(source.refuse(fraction.clone(), |found| {
            format!("fraction {found} is finer than a millisecond: write at most three digits")
        }));
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(3);
    Ok(padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}
