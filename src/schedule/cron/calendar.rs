//! The seconds that an expression names, on a calendar without zones.
//!
//! Every field is a set of bits. A month is searched at once: its days are a mask, in which the weekdays are a pattern
//! of seven bits repeated. Time is a number of seconds since 1970-01-01T00:00:00 on the wall clock.

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The last year that is searched.
const YEAR_MAX: i64 = 9_999;
/// 0000-03-01 to 1970-01-01. Years are counted from March in here, so that a leap day ends its year.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;
/// Months of these.
const CYCLE_MONTHS: u32 = 4_800;

/// When an expression runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    /// Bit 0 to 59. Not empty.
    pub(super) seconds: u64,
    /// Bit 0 to 59. Not empty.
    pub(super) minutes: u64,
    /// Bit 0 to 23. Not empty.
    pub(super) hours: u32,
    /// Days of the month.
    pub(super) days: Days,
    /// Bit 1 to 12. Not empty.
    pub(super) months: u16,
    /// Days of the week.
    pub(super) weekdays: Weekdays,
    /// Whether a day must be in `days` and `weekdays`; otherwise one is enough.
    pub(super) needs_both: bool,
}

/// Days of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Days {
    /// Bit 1 to 31.
    pub(super) fixed: u32,
    /// Bit n: the day n days before the last one.
    pub(super) before_last: u32,
    /// Bit 1 to 31: the working day nearest to this one, in the same month.
    pub(super) near: u32,
    /// The last working day.
    pub(super) last_working: bool,
}

impl Days {
    pub(super) const ALL: u32 = 0xffff_fffe;

    pub(super) const fn is_every(&self) -> bool {
        self.fixed == Self::ALL
    }

    /// Whether it depends on more than the day's number.
    const fn is_relative(&self) -> bool {
        self.before_last != 0 || self.near != 0 || self.last_working
    }
}

/// Days of the week. Bit 0 is Sunday, bit 6 Saturday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weekdays {
    /// Each of the month.
    pub(super) every: u8,
    /// The first to the fifth of the month.
    pub(super) nth: [u8; 5],
    /// The last of the month.
    pub(super) last: u8,
}

impl Weekdays {
    pub(super) const ALL: u8 = 0b111_1111;

    pub(super) const fn is_every(&self) -> bool {
        self.every == Self::ALL
    }

    const fn is_relative(&self) -> bool {
        let [a, b, c, d, e] = self.nth;
        self.last != 0 || (a | b | c | d | e) != 0
    }
}

impl Calendar {
    /// The first second at or after `from` that is named, if there is one before the year 10000.
    pub(super) fn next(&self, from: i64) -> Option<i64> {
        let today = from.div_euclid(DAY);
        let mut month = Month::of(today);
        while month.year <= YEAR_MAX {
            let mut days = self.days_of(&month);
            if month.first < today {
                let passed = u32::try_from(today - month.first).expect("today is in the month");
                days = days >> passed << passed;
            }
            while days != 0 {
                let day = month.first + i64::from(days.trailing_zeros());
                if let Some(second) = self.second_of_day((from - day * DAY).max(0)) {
                    return Some(day * DAY + second);
                }
                days &= days - 1;
            }
            month = month.next();
        }
        None
    }

    /// Whether there is a date on which it runs, in any year.
    pub(super) fn has_dates(&self) -> bool {
        // A fixed day of a month falls on every weekday at some time, 29 February too.
        if !self.days.is_relative() && !self.weekdays.is_relative() {
            let fixed = |month| self.has_month(month) && self.days.fixed & longest(month) != 0;
            return !self.needs_both || (1..=12).any(fixed);
        }
        let mut month = Month::of(0);
        for _ in 0..CYCLE_MONTHS {
            if self.days_of(&month) != 0 {
                return true;
            }
            month = month.next();
        }
        false
    }

    pub(super) const fn is_hourly(&self) -> bool {
        self.hours == 0xff_ffff
    }

    pub(super) fn has_month(&self, month: u8) -> bool {
        self.months >> month & 1 == 1
    }

    /// The days of a month on which it runs; bit 0 is the first.
    fn days_of(&self, month: &Month) -> u32 {
        if !self.has_month(month.month) {
            return 0;
        }
        let length = u32::from(month.length);
        let all = bits_through(month.length) >> 1;
        let first_weekday = u32::try_from((month.first + 4).rem_euclid(7)).expect("a weekday");
        let by_day = match self.days {
            days if days.is_relative() => relative_days(&days, length, first_weekday),
            days => days.fixed >> 1,
        };
        let by_weekday = match &self.weekdays {
            weekdays if weekdays.is_relative() => {
                relative_weekdays(weekdays, length, first_weekday)
            }
            weekdays => in_month(weekdays.every, first_weekday),
        };
        let days = if self.needs_both { by_day & by_weekday } else { by_day | by_weekday };
        days & all
    }

    /// The first second of a day at or after `earliest` that is named.
    fn second_of_day(&self, earliest: i64) -> Option<i64> {
        if earliest >= DAY {
            return None;
        }
        let (hour, minute, second) = (earliest / 3_600, earliest / 60 % 60, earliest % 60);
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1 && self.seconds >> second != 0 {
                return Some(earliest + zeros(self.seconds >> second));
            }
            let later = self.minutes >> minute >> 1;
            if later != 0 {
                let minute = minute + 1 + zeros(later);
                return Some(hour * 3_600 + minute * 60 + zeros(self.seconds));
            }
        }
        let later = u64::from(self.hours) >> hour >> 1;
        if later == 0 {
            return None;
        }
        let hour = hour + 1 + zeros(later);
        Some(hour * 3_600 + zeros(self.minutes) * 60 + zeros(self.seconds))
    }
}

fn zeros(bits: u64) -> i64 {
    i64::from(bits.trailing_zeros())
}

/// The days with one of these weekdays; bit 0 is the first of the month.
fn in_month(weekdays: u8, first_weekday: u32) -> u32 {
    let week = ((u32::from(weekdays) * 0b1000_0001) >> first_weekday) & 0b111_1111;
    week | week << 7 | week << 14 | week << 21 | week << 28
}

fn relative_days(days: &Days, length: u32, first_weekday: u32) -> u32 {
    let weekday_of = |day: u32| (first_weekday + day) % 7;
    let mut found = days.fixed >> 1;
    for day in 0..length {
        if days.before_last >> (length - 1 - day) & 1 == 1 {
            found |= 1 << day;
        }
        if days.near >> (day + 1) & 1 == 1 {
            let nearest = match weekday_of(day) {
                6 if day == 0 => day + 2,
                6 => day - 1,
                0 if day == length - 1 => day - 2,
                0 => day + 1,
                _ => day,
            };
            found |= 1 << nearest;
        }
    }
    if days.last_working {
        let back = match weekday_of(length - 1) {
            6 => 1,
            0 => 2,
            _ => 0,
        };
        found |= 1 << (length - 1 - back);
    }
    found
}

fn relative_weekdays(weekdays: &Weekdays, length: u32, first_weekday: u32) -> u32 {
    let mut found = in_month(weekdays.every, first_weekday);
    for (week, nth) in (0_u32..).zip(weekdays.nth) {
        found |= in_month(nth, first_weekday) & (0b111_1111 << (7 * week));
    }
    found | in_month(weekdays.last, first_weekday) & (0b111_1111 << (length - 7))
}

/// The days that a month has in its longest year.
fn longest(month: u8) -> u32 {
    bits_through(match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    })
}

/// Month, from 1, and day of the month, from 1, of a day counted from 1970-01-01.
pub(in crate::schedule) fn month_and_day(number: i64) -> (usize, usize) {
    let month = Month::of(number);
    let day = usize::try_from(number - month.first).expect("a day is in its month");
    (usize::from(month.month), day + 1)
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
