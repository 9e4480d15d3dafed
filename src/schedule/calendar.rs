//! A named set of times: dates, weekdays and windows, in the zone of the schedule.
//!
//! Yearly dates are bits, one for each day of a leap year. Everything else is a sorted list of ranges.

use crate::model::Calendar;

use super::cron::weekday;
use super::error::{ScheduleError, Source};
use super::filter::Side;
use super::iso8601;
use super::zone::Zone;

const DAY: i64 = 86_400;
/// How many days of a row are looked at for its end before the search is told to ask again.
const DAYS_LOOKED_AT: i64 = 100;
/// No clock is further from UTC, in seconds.
const OFFSET_MAX: i64 = 26 * 3_600;
/// 29 February among the days of a leap year, from 0.
const FEB_29: usize = 59;
/// Days of a leap year before each month.
const BEFORE_MONTH: [usize; 12] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];

/// A calendar's times.
#[derive(Debug, Clone, Default)]
pub(super) struct DaySet {
    /// Bit 0 is Sunday.
    weekdays: u8,
    /// First and last days, counted from 1970, sorted by the first.
    dates: Box<[(i64, i64)]>,
    /// Days of every year; bit 0 is 1 January.
    yearly: [u64; 6],
    /// Seconds of the day, from and to, sorted; none crosses midnight.
    daily: Box<[(i64, i64)]>,
    /// Milliseconds since 1970, from and to, sorted by the first.
    spans: Box<[(i64, i64)]>,
}

/// The day around an instant, as far as the clock does not change in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    /// Days from 1970-01-01 on the wall clock.
    number: i64,
    /// Second of the day.
    second: i64,
    /// Wall clock minus UTC, in seconds.
    offset: i64,
    /// The millisecond at which the clock changes next.
    changes_at: i64,
}

impl Day {
    pub(super) fn of(at: i64, zone: &Zone) -> Self {
        let second = at.div_euclid(1_000);
        let segment = zone.segment(second);
        let wall = second + segment.offset;
        Self {
            number: wall.div_euclid(DAY),
            second: wall.rem_euclid(DAY),
            offset: segment.offset,
            changes_at: segment.end.saturating_mul(1_000),
        }
    }

    /// The millisecond at which a second of a day begins; beyond the next change of clock a little earlier, since nobody
    /// asked by how much the clock is moved.
    fn millis(&self, day: i64, second: i64) -> i64 {
        let wall = day * DAY + second;
        let at = (wall - self.offset).saturating_mul(1_000);
        if at <= self.changes_at {
            return at;
        }
        (wall - OFFSET_MAX).saturating_mul(1_000).max(self.changes_at)
    }
}

impl DaySet {
    /// Reads a calendar; `path` is its place in the job.
    pub(super) fn read(
        calendar: &Calendar,
        path: &str,
        zone: &Zone,
    ) -> Result<Self, ScheduleError> {
        let Calendar { name: _, usage: _, dates, weekdays, windows } = calendar;
        let mut set = Self::default();
        let (mut ranges, mut daily, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        for (index, text) in dates.iter().enumerate() {
            let field = format!("{path}.dates[{index}]");
            match read_dates(Source::new(&field, text))? {
                Dates::Once(first, last) => ranges.push((first, last)),
                Dates::Yearly(first, last) => set.add_yearly(first, last),
            }
        }
        for (index, text) in weekdays.iter().enumerate() {
            let field = format!("{path}.weekdays[{index}]");
            set.weekdays |= read_weekdays(Source::new(&field, text))?;
        }
        for (index, text) in windows.iter().enumerate() {
            let field = format!("{path}.windows[{index}]");
            match read_window(Source::new(&field, text), zone)? {
                Window::Daily(from, to) if from < to => daily.push((from, to)),
                Window::Daily(from, to) => daily.extend([(0, to), (from, DAY)]),
                Window::Once(from, to) => spans.push((from, to)),
            }
        }
        set.dates = merged(ranges, 1);
        set.daily = merged(daily, 0);
        set.spans = merged(spans, 0);
        Ok(set)
    }

    fn add_yearly(&mut self, first: usize, last: usize) {
        let mut add = |days: std::ops::RangeInclusive<usize>| {
            for day in days {
                self.yearly[day / 64] |= 1 << (day % 64);
            }
        };
        if first <= last {
            add(first..=last);
        } else {
            // Over the turn of the year.
            add(first..=365);
            add(0..=last);
        }
    }

    /// Whether `at`, which lies on `day`, is in it; and the first millisecond at which that may be otherwise.
    pub(super) fn holds(&self, at: i64, day: &Day) -> (bool, i64) {
        if self.has_day(day.number) {
            return (true, day.millis(self.end_of_row(day.number), 0));
        }
        if let Some((_, to)) = around(&self.spans, at) {
            return (true, to.min(day.changes_at));
        }
        if let Some((_, to)) = around(&self.daily, day.second) {
            return (true, day.millis(day.number, to));
        }
        (false, self.next_in(at, day))
    }

    /// The first millisecond after `at`, which is not in it, that may be.
    fn next_in(&self, at: i64, day: &Day) -> i64 {
        let span = following(&self.spans, at).map_or(i64::MAX, |(from, _)| from);
        let window =
            following(&self.daily, day.second).map(|(from, _)| day.millis(day.number, from));
        let window = match (window, self.daily.first()) {
            (None, Some((from, _))) => day.millis(day.number + 1, *from),
            (window, _) => window.unwrap_or(i64::MAX),
        };
        let next_day = self.next_day(day.number).map_or(i64::MAX, |number| day.millis(number, 0));
        span.min(window).min(next_day)
    }

    /// The first day after `number` that is in it.
    fn next_day(&self, number: i64) -> Option<i64> {
        let date = following(&self.dates, number).map(|(first, _)| first);
        let of_week = (number + 1..=number + 7).find(|day| self.names_weekday_of(*day));
        [date, of_week, self.next_yearly(number)].into_iter().flatten().min()
    }

    /// The first day after `number` that is on one of the yearly dates.
    fn next_yearly(&self, number: i64) -> Option<i64> {
        if self.yearly == [0; 6] {
            return None;
        }
        let mut first = number + 1;
        // 29 February may be eight years away.
        for _ in 0..=9 {
            let (day, is_leap, year_end) = place_in_year(first);
            let found =
                (day..366).find(|day| self.names_yearly(*day) && (is_leap || *day != FEB_29));
            if let Some(found) = found {
                let left_out = i64::from(!is_leap && day <= FEB_29 && found > FEB_29);
                let ahead = i64::try_from(found - day).expect("within a year");
                return Some(first + ahead - left_out);
            }
            first = year_end;
        }
        None
    }

    /// The first day after `number`, which is in it, that may not be.
    fn end_of_row(&self, number: i64) -> i64 {
        let mut day = number + 1;
        while day < number + DAYS_LOOKED_AT && self.has_day(day) {
            day = self.dates_around(day).map_or(day, |(_, last)| last) + 1;
        }
        day
    }

    fn has_day(&self, number: i64) -> bool {
        self.repeats_on(number) || self.dates_around(number).is_some()
    }

    fn repeats_on(&self, number: i64) -> bool {
        self.names_weekday_of(number)
            || self.yearly != [0; 6] && self.names_yearly(day_of_leap_year(number))
    }

    fn names_weekday_of(&self, number: i64) -> bool {
        self.weekdays >> (number + 4).rem_euclid(7) & 1 == 1
    }

    /// Whether it has a day of every year, counted as in a leap year.
    fn names_yearly(&self, day: usize) -> bool {
        self.yearly[day / 64] >> (day % 64) & 1 == 1
    }

    /// The range of dates in which a day lies. Both of its ends count.
    fn dates_around(&self, number: i64) -> Option<(i64, i64)> {
        let next = self.dates.partition_point(|(first, _)| *first <= number);
        next.checked_sub(1).map(|index| self.dates[index]).filter(|(_, last)| number <= *last)
    }
}

/// The range, without its end, in which `at` lies.
fn around(ranges: &[(i64, i64)], at: i64) -> Option<(i64, i64)> {
    let next = ranges.partition_point(|(from, _)| *from <= at);
    next.checked_sub(1).map(|index| ranges[index]).filter(|(_, to)| at < *to)
}

/// The first range that begins after `at`.
fn following(ranges: &[(i64, i64)], at: i64) -> Option<(i64, i64)> {
    ranges.get(ranges.partition_point(|(from, _)| *from <= at)).copied()
}

/// Sorted, and those that overlap or lie no more than `apart` from each other joined.
fn merged(mut ranges: Vec<(i64, i64)>, apart: i64) -> Box<[(i64, i64)]> {
    ranges.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some((_, end)) if from <= end.saturating_add(apart) => *end = to.max(*end),
            Some(_) | None => joined.push((from, to)),
        }
    }
    joined.into()
}

/// A weekday or a range of them, which may go over the end of the week; bit 0 is Sunday.
fn read_weekdays(source: Source<'_>) -> Result<u8, ScheduleError> {
    let (first, last) = source.text.split_once('-').unwrap_or((source.text, source.text));
    let Some((first, last)) = weekday(first).zip(weekday(last)) else {
        return Err(source.refuse_all(|found| {
            format!(
                "{found} is no weekday: expected one such as `SAT` or `6`, or a range such as `MON-FRI`"
            )
        }));
    };
    // From Sunday to Sunday as 0 and 7 is the whole week.
    let days = if first == 0 && last == 7 { 7 } else { (last + 7 - first) % 7 + 1 };
    Ok((0..days).fold(0, |set, day| set | 1 << ((first + day) % 7)))
}

/// What a text of `dates` names.
enum Dates {
    /// First and last day, from 1970.
    Once(i64, i64),
    /// First and last day of a leap year.
    Yearly(usize, usize),
}

const DATES: &str =
    "expected a date such as `2026-12-25`, every year's such as `12-25`, or two of a kind with `/`";

fn read_dates(source: Source<'_>) -> Result<Dates, ScheduleError> {
    let refuse = || source.refuse_all(|found| format!("{found} is no date: {DATES}"));
    let mut parts = source.text.split('/');
    let first = parts.next().and_then(read_date).ok_or_else(refuse)?;
    let last = match parts.next() {
        Some(text) => read_date(text).ok_or_else(refuse)?,
        None => first,
    };
    match (first, last, parts.next()) {
        (Date::Once(first), Date::Once(last), None) if first <= last => {
            Ok(Dates::Once(first, last))
        }
        (Date::Yearly(first), Date::Yearly(last), None) => Ok(Dates::Yearly(first, last)),
        (Date::Once(_), Date::Once(_), None) => Err(source.refuse_all(|found| {
            format!("{found} ends before it begins: write the earlier date first")
        })),
        (_, _, _) => Err(refuse()),
    }
}

#[derive(Clone, Copy)]
enum Date {
    Once(i64),
    Yearly(usize),
}

/// A date with exactly as many digits as it should have.
fn read_date(text: &str) -> Option<Date> {
    let has_shape = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
                b'0' => found.is_ascii_digit(),
                wanted => found == wanted,
            })
    };
    let number = |range: std::ops::Range<usize>| text[range].parse::<i16>().ok();
    let small = |range: std::ops::Range<usize>| text[range].parse::<i8>().ok();
    if has_shape("0000-00-00") {
        let date = jiff::civil::Date::new(number(0..4)?, small(5..7)?, small(8..10)?).ok()?;
        return Some(Date::Once(day_number(date)));
    }
    if has_shape("00-00") {
        let date = jiff::civil::Date::new(2_000, small(0..2)?, small(3..5)?).ok()?;
        return Some(Date::Yearly(day_of_leap_year(day_number(date))));
    }
    None
}

fn day_number(date: jiff::civil::Date) -> i64 {
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    (date - epoch).get_days().into()
}

/// Which day of a leap year a date is, from 0. In common years 29 February is left out.
fn day_of_leap_year(number: i64) -> usize {
    let (month, day) = super::cron::month_and_day(number);
    BEFORE_MONTH[month - 1] + day - 1
}

/// Which day of a leap year a day is, from 0; whether its year is one; and the first day of the next year.
fn place_in_year(number: i64) -> (usize, bool, i64) {
    let day = day_of_leap_year(number);
    // Counted from 1 January, a common year has no 29 February before the days that follow it.
    let mut january = number - i64::try_from(day).expect("within a year");
    if super::cron::month_and_day(january) != (1, 1) {
        january += 1;
    }
    let is_leap = super::cron::month_and_day(january + 365) == (12, 31);
    (day, is_leap, january + if is_leap { 366 } else { 365 })
}

/// What a text of `windows` names.
enum Window {
    /// Seconds of the day; the first is the larger if it goes over midnight.
    Daily(i64, i64),
    /// Milliseconds since 1970.
    Once(i64, i64),
}

const WINDOWS: &str = "expected times of day such as `22:00/06:00`, or dates and times such as \
                       `2026-12-24T18:00/2027-01-02T06:00`";

fn read_window(source: Source<'_>, zone: &Zone) -> Result<Window, ScheduleError> {
    let Some(slash) = source.text.find('/') else {
        return Err(source.refuse_all(|found| format!("{found} is no window: {WINDOWS}")));
    };
    let (from, to) = (&source.text[..slash], &source.text[slash + 1..]);
    if let (Some(from), Some(to)) = (second_of_day(from), second_of_day(to)) {
        if from == to || from == DAY {
            return Err(source.refuse_all(|found| format!("window {found} is empty: {WINDOWS}")));
        }
        return Ok(Window::Daily(from, to));
    }
    let read = |range: std::ops::Range<usize>, side| {
        let moment = iso8601::read_moment(source, range.clone())?;
        if !moment.has_time {
            return Err(source.refuse(range, |found| {
                format!(
                    "{found} has no time: write `dates` for whole days, or a time such as `T06:00`"
                )
            }));
        }
        zone.moment(&moment, side).ok_or_else(|| {
            source.refuse(range, |found| {
                format!("{found} is beyond the end of year 9999: write an earlier one")
            })
        })
    };
    if !source.text.contains('-') {
        return Err(source.refuse_all(|found| format!("{found} is no window: {WINDOWS}")));
    }
    let from = read(0..slash, Side::First)?;
    let to = read(slash + 1..source.text.len(), Side::Last)?;
    if from >= to {
        return Err(source.refuse_all(|found| {
            format!("window {found} ends before it begins: write the earlier time first")
        }));
    }
    Ok(Window::Once(from, to))
}

/// `HH:MM`, to `24:00`.
fn second_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<i64>().ok() } else { None }
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let second = hour * 3_600 + minute * 60;
    (minute < 60 && second <= DAY).then_some(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_yearly_day_is_the_one_that_a_walk_finds() {
        for yearly in [&[59][..], &[0], &[365], &[58, 60], &[59, 300], &[31, 59]] {
            let mut set = DaySet::default();
            yearly.iter().for_each(|day| set.add_yearly(*day, *day));
            // From 1896 on, over 1900, which was no leap year, to 1912.
            for number in -27_028..-21_000 {
                let walked = (number + 1..).find(|day| set.repeats_on(*day));
                assert_eq!(set.next_yearly(number), walked, "{yearly:?} after {number}");
            }
        }
    }
}
