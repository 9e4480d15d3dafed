//! The minutes that an expression names, on a calendar without zones.
//!
//! Every field is a set of bits. A month is searched at once: its days are a mask, in which the weekdays are a pattern
//! of seven bits repeated. Time is a number of minutes since 1970-01-01T00:00 on the wall clock.

/// Minutes of a day.
const MINUTES_PER_DAY: i64 = 1_440;
/// The last year that is searched.
const YEAR_MAX: i64 = 9_999;
/// 0000-03-01 to 1970-01-01. Years are counted from March in here, so that a leap day ends its year.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;

/// When an expression runs. No set is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    /// Bit 0 to 59.
    pub(super) minutes: u64,
    /// Bit 0 to 23.
    pub(super) hours: u32,
    /// Bit 1 to 31.
    pub(super) days: u32,
    /// Bit 1 to 12.
    pub(super) months: u16,
    /// Bit 0, Sunday, to 6.
    pub(super) weekdays: u8,
    /// Whether a day must be in `days` and `weekdays`; otherwise one is enough.
    pub(super) needs_both: bool,
}

impl Calendar {
    /// The first minute at or after `from` that is named.
    pub(super) fn next(&self, from: i64) -> Option<i64> {
        let today = from.div_euclid(MINUTES_PER_DAY);
        let mut month = Month::of(today);
        while month.year <= YEAR_MAX {
            let mut days = self.days_of(&month);
            while days != 0 {
                let day = month.first + i64::from(days.trailing_zeros());
                let earliest = (from - day * MINUTES_PER_DAY).max(0);
                if let Some(minute) = self.minute_of_day(earliest) {
                    return Some(day * MINUTES_PER_DAY + minute);
                }
                days &= days - 1;
            }
            month = month.next();
        }
        None
    }

    /// Whether there is a date on which it runs, in any year.
    pub(super) fn has_dates(&self) -> bool {
        // Over the cycle of the calendar every date, 29 February too, falls on every weekday.
        !self.needs_both || (1..=12).any(|month| self.has_month(month) && self.has_days_of(month))
    }

    fn has_days_of(&self, month: u8) -> bool {
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        self.days & bits_through(longest) != 0
    }

    fn has_month(&self, month: u8) -> bool {
        self.months >> month & 1 == 1
    }

    /// The days of a month on which it runs; bit 0 is the first.
    fn days_of(&self, month: &Month) -> u32 {
        if !self.has_month(month.month) {
            return 0;
        }
        let first_weekday = (month.first + 4).rem_euclid(7);
        let week = ((u64::from(self.weekdays) * 0b1000_0001) >> first_weekday) & 0b111_1111;
        let by_weekday = week * (1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28);
        let by_day = u64::from(self.days >> 1);
        let days = if self.needs_both { by_day & by_weekday } else { by_day | by_weekday };
        let inside = days & u64::from(bits_through(month.length) >> 1);
        u32::try_from(inside).expect("a month has at most 31 days")
    }

    /// The first minute of a day at or after `earliest` that is named.
    fn minute_of_day(&self, earliest: i64) -> Option<i64> {
        if earliest >= MINUTES_PER_DAY {
            return None;
        }
        let (hour, minute) = (earliest / 60, earliest % 60);
        let this_hour = if self.hours >> hour & 1 == 1 { self.minutes >> minute } else { 0 };
        if this_hour != 0 {
            return Some(earliest + i64::from(this_hour.trailing_zeros()));
        }
        let later = self.hours >> hour >> 1;
        if later == 0 {
            return None;
        }
        let hour = hour + 1 + i64::from(later.trailing_zeros());
        Some(hour * 60 + i64::from(self.minutes.trailing_zeros()))
    }
}

/// Bits 0 to `last`.
fn bits_through(last: u8) -> u32 {
    u32::MAX >> (31 - last)
}

/// A month of the Gregorian calendar, which also counts for years before it was introduced.
struct Month {
    year: i64,
    month: u8,
    /// Days from 1970-01-01 to its first.
    first: i64,
    length: u8,
}

impl Month {
    /// The month of a day counted from 1970-01-01.
    fn of(day: i64) -> Self {
        let shifted = day + EPOCH_DAYS;
        let cycle = shifted.div_euclid(CYCLE_DAYS);
        let of_cycle = shifted.rem_euclid(CYCLE_DAYS);
        // Takes the leap days out: one each 4 years, none each 100, and the one at the very end of the cycle.
        let leap_days = of_cycle / 1_460 - of_cycle / 36_524 + of_cycle / (CYCLE_DAYS - 1);
        let year_of_cycle = (of_cycle - leap_days) / 365;
        let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        // From March on five months have 153 days.
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let month = u8::try_from(month).expect("a month is from 1 to 12");
        let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
        let day_of_month = of_year - (153 * from_march + 2) / 5;
        Self { year, month, first: day - day_of_month, length: length(year, month) }
    }

    fn next(&self) -> Self {
        let first = self.first + i64::from(self.length);
        let (year, month) =
            if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        Self { year, month, first, length: length(year, month) }
    }
}

fn length(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let epoch = Date::constant(1970, 1, 1);
        for year in -400_i16..=400 {
            for (month, day) in [(1, 1), (2, 28), (3, 1), (6, 30), (12, 31)] {
                let date = Date::new(year * 5 + 1_970, month, day).expect("a date");
                let days = i64::from(date.since(epoch).expect("near").get_days());
                let found = Month::of(days);
                let expected = (i64::from(date.year()), date.month(), i64::from(day) - 1);
                let shown = (found.year, i8::try_from(found.month).unwrap(), days - found.first);
                assert_eq!(shown, expected, "{date}");
                assert_eq!(i8::try_from(found.length), Ok(date.days_in_month()), "{date}");
            }
        }
    }

    #[test]
    fn following_month_is_the_month_of_its_first_day() {
        let mut month = Month::of(-1_000_000);
        for _ in 0..50_000 {
            month = month.next();
            let found = Month::of(month.first);
            assert_eq!((found.year, found.month), (month.year, month.month));
        }
    }
}
