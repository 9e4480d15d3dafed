//! The wall times that an expression names, looked for day by day. Slow, simple, and independent of the search that is
//! tested.

use jiff::civil::Date;

pub(crate) const MINUTE: i64 = 60;
const MINUTES_PER_DAY: i64 = 1_440;
const EPOCH: Date = Date::constant(1970, 1, 1);
/// Every date that can be named comes before this.
const YEAR_MAX: i16 = 2_400;

pub(crate) const ALL_HOURS: u64 = (1 << 24) - 1;
pub(crate) const ALL_DAYS: u64 = 0xffff_fffe;
pub(crate) const ALL_WEEKDAYS: u64 = 0b111_1111;

/// How the two day fields are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    Both,
    Either,
}

/// What the fields of an expression name, as sets of bits; Sunday is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    pub(crate) days: u64,
    pub(crate) months: u64,
    pub(crate) weekdays: u64,
    pub(crate) rule: Days,
}

fn has<T: TryInto<u32>>(set: u64, value: T) -> bool {
    value.try_into().is_ok_and(|value| set >> value & 1 == 1)
}

impl Calendar {
    /// Whether any year has a date for it.
    pub(crate) fn has_dates(&self) -> bool {
        // Every date, 29 February too, falls on every weekday at some time.
        let longest = |month: i64| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut months = (1..=12).filter(|month| has(self.months, *month));
        self.rule == Days::Either
            || months.any(|month| (1..=longest(month)).any(|day| has(self.days, day)))
    }

    pub(crate) fn names_day(&self, date: Date) -> bool {
        let by_day = has(self.days, date.day());
        let by_weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month())
            && match self.rule {
                Days::Both => by_day && by_weekday,
                Days::Either => by_day || by_weekday,
            }
    }

    /// The first minute at or after `from` that is named. Minutes since 1970 on the wall clock.
    pub(crate) fn next(&self, from: i64) -> Option<i64> {
        let mut day = from.div_euclid(MINUTES_PER_DAY);
        let mut earliest = from.rem_euclid(MINUTES_PER_DAY);
        let mut date = date_of(from * MINUTE);
        while date.year() < YEAR_MAX {
            if !has(self.months, date.month()) {
                day += i64::from(date.days_in_month() - date.day()) + 1;
                date = date.last_of_month().tomorrow().ok()?;
                earliest = 0;
                continue;
            }
            let named = if self.names_day(date) { self.next_in_day(earliest) } else { None };
            if let Some(minute) = named {
                return Some(day * MINUTES_PER_DAY + minute);
            }
            (day, date, earliest) = (day + 1, date.tomorrow().ok()?, 0);
        }
        None
    }

    fn next_in_day(&self, earliest: i64) -> Option<i64> {
        let hours = (earliest / 60..24).filter(|hour| has(self.hours, *hour));
        let minutes = hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.map(move |minute| hour * 60 + minute)
        });
        minutes.into_iter().find(|minute| *minute >= earliest)
    }
}

/// The date of a wall time in seconds.
pub(crate) fn date_of(wall: i64) -> Date {
    let days = wall.div_euclid(86_400);
    EPOCH.checked_add(jiff::Span::new().days(days)).expect("near our time")
}

/// The first whole minute at or after a second.
pub(crate) fn minute_from(second: i64) -> i64 {
    second.div_euclid(MINUTE) + i64::from(second.rem_euclid(MINUTE) != 0)
}
