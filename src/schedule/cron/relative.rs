//! Items that depend on the month: `L`, `L-3`, `LW`, `15W`, `5L`, `5#2`.

use std::ops::Range;

use super::super::error::{ScheduleError, Source};
use super::calendar::{Days, Weekdays};
use super::field::{DAY, Field, Kind, WEEKDAY, is_number};
use super::parse::{fold_week, token_end};

/// What a field says.
#[derive(Default)]
pub(super) struct Set {
    /// Values as bits.
    pub(super) values: u64,
    /// What only the day of the month can say.
    pub(super) days: Days,
    /// What only the weekday can say.
    pub(super) weekdays: Weekdays,
}

impl Set {
    pub(super) fn add(&mut self, other: &Self) {
        self.values |= other.values;
        self.days.before_last |= other.days.before_last;
        self.days.near |= other.days.near;
        self.days.last_working |= other.days.last_working;
        self.weekdays.last |= other.weekdays.last;
        for (nth, other) in self.weekdays.nth.iter_mut().zip(other.weekdays.nth) {
            *nth |= other;
        }
    }
}

/// Reads an item that depends on the month: `L`, `L-3`, `LW`, `15W`, `5L`, `5#2`.
pub(super) fn read(
    source: Source<'_>,
    range: &Range<usize>,
    field: &Field,
) -> Result<Option<(Set, usize)>, ScheduleError> {
    let end = token_end(source, range.clone());
    let token = &source.text[range.start..end];
    match field.kind {
        Kind::Day => relative_day(source, range, end, token),
        Kind::Weekday => relative_weekday(source, range, end, token),
        Kind::Time | Kind::Month => Ok(None),
    }
}

fn relative_day(
    source: Source<'_>,
    range: &Range<usize>,
    end: usize,
    token: &str,
) -> Result<Option<(Set, usize)>, ScheduleError> {
    let days = |days| Ok(Some((Set { days, ..Set::default() }, end)));
    if token.eq_ignore_ascii_case("LW") {
        return days(Days { last_working: true, ..Days::default() });
    }
    if token.eq_ignore_ascii_case("L") {
        if end == range.end || source.byte(end) != Some(b'-') {
            return days(Days { before_last: 1, ..Days::default() });
        }
        let after = token_end(source, end + 1..range.end);
        let back = source.text[end + 1..after].parse::<u32>().ok().filter(|back| *back <= 30);
        let back = back.ok_or_else(|| {
            source.refuse(range.start..after, |found| {
                format!("invalid {found} in the day of the month: expected `L-` and a number from 0 to 30")
            })
        })?;
        let before_last = 1 << back;
        return Ok(Some((
            Set { days: Days { before_last, ..Days::default() }, ..Set::default() },
            after,
        )));
    }
    let Some(number) = token.strip_suffix(['W', 'w']).filter(|number| is_number(number)) else {
        return Ok(None);
    };
    let day = number.parse::<u8>().ok().filter(|day| (DAY.min..=DAY.max).contains(day));
    match day {
        Some(day) => days(Days { near: 1 << day, ..Days::default() }),
        None => Err(source.refuse(range.start..end, |found| {
            format!("{found} is out of range in the day of the month: expected `1W` to `31W`")
        })),
    }
}

fn relative_weekday(
    source: Source<'_>,
    range: &Range<usize>,
    end: usize,
    token: &str,
) -> Result<Option<(Set, usize)>, ScheduleError> {
    if token.eq_ignore_ascii_case("L") {
        return Err(source.refuse(range.start..end, |found| {
            format!(
                "{found} alone is no weekday: write `6` for every Saturday, or `5L` for the last \
                 Friday of the month"
            )
        }));
    }
    let last = token.strip_suffix(['L', 'l']).and_then(|value| WEEKDAY.value(value));
    if let Some(last) = last {
        let weekdays = Weekdays { last: fold_week(1 << last), ..Weekdays::default() };
        return Ok(Some((Set { weekdays, ..Set::default() }, end)));
    }
    let Some(weekday) = WEEKDAY.value(token) else { return Ok(None) };
    if end == range.end || source.byte(end) != Some(b'#') {
        return Ok(None);
    }
    let after = token_end(source, end + 1..range.end);
    let nth = source.text[end + 1..after].parse::<usize>().ok().filter(|nth| (1..=5).contains(nth));
    let nth = nth.ok_or_else(|| {
        source.refuse(range.start..after, |found| {
            format!("invalid {found} in the weekday: expected `#` and a number from 1 to 5")
        })
    })?;
    let mut weekdays = Weekdays::default();
    weekdays.nth[nth - 1] = fold_week(1 << weekday);
    Ok(Some((Set { weekdays, ..Set::default() }, after)))
}
