//! The wall times that an expression names, looked for day by day. Slow, simple, and independent of the search that is
//! tested.

use jiff::civil::Date;

const DAY: i64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);
/// From 1970 on the calendar has repeated itself before this.
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
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    pub(crate) days: u64,
    pub(crate) months: u64,
    pub(crate) weekdays: u64,
    pub(crate) relative: Relative,
    pub(crate) rule: Days,
}

/// Days that depend on the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Relative {
    /// Bit n: n days before the last one.
    pub(crate) before_last: u64,
    /// Bit n: the working day of the month that is nearest to the n-th.
    pub(crate) near: u64,
    /// Whether the n-th is the last one in a month that has no n-th.
    pub(crate) near_is_clamped: bool,
    pub(crate) last_working: bool,
    /// Weekdays: the last of the month, and the first to the fifth.
    pub(crate) last: u64,
    pub(crate) nth: [u64; 5],
}

fn has<T: TryInto<u32>>(set: u64, value: T) -> bool {
    value.try_into().is_ok_and(|value| set >> value & 1 == 1)
}

impl Relative {
    fn names_day(&self, date: Date) -> bool {
        let length = date.days_in_month();
        let is_near = |day: &i8| {
            let in_month = if self.near_is_clamped { (*day).min(length) } else { *day };
            has(self.near, *day) && in_month <= length && nearest(date, in_month) == date.day()
        };
        has(self.before_last, length - date.day())
            || self.near != 0 && (1..=31).any(|day| is_near(&day))
            || self.last_working && last_working(date) == date
    }

    fn names_weekday(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        let week = usize::try_from((date.day() - 1) / 7).expect("a day has a week");
        has(self.nth[week], weekday)
            || has(self.last, weekday) && date.day() + 7 > date.days_in_month()
    }
}

fn is_working(date: Date) -> bool {
    (1..=5).contains(&date.weekday().to_sunday_zero_offset())
}

/// The working day nearest to a day of the month in which `date` lies.
fn nearest(date: Date, day: i8) -> i8 {
    // Friday of a Saturday, Monday of a Sunday; where that is another month, the other side.
    let near = |distance: &i8| {
        let near = Date::new(date.year(), date.month(), day + distance);
        near.is_ok_and(is_working)
    };
    let distance = [0, -1, 1, -2, 2].into_iter().find(near);
    day + distance.expect("a month has working days")
}

fn last_working(date: Date) -> Date {
    let mut last = date.last_of_month();
    while !is_working(last) {
        last = last.yesterday().expect("in the middle of time");
    }
    last
}

impl Calendar {
    /// Whether any year has a date for it.
    pub(crate) fn has_dates(&self) -> bool {
        self.next(0).is_some()
    }

    pub(crate) fn names_day(&self, date: Date) -> bool {
        let by_day = has(self.days, date.day()) || self.relative.names_day(date);
        let weekday = date.weekday().to_sunday_zero_offset();
        let by_weekday = has(self.weekdays, weekday) || self.relative.names_weekday(date);
        has(self.months, date.month())
            && match self.rule {
                Days::Both => by_day && by_weekday,
                Days::Either => by_day || by_weekday,
            }
    }

    /// The first second at or after `from` that is named. Seconds since 1970 on the wall clock.
    pub(crate) fn next(&self, from: i64) -> Option<i64> {
        let mut day = from.div_euclid(DAY);
        let mut earliest = from.rem_euclid(DAY);
        let mut date = date_of(from);
        while date.year() < YEAR_MAX {
            if !has(self.months, date.month()) {
                day += i64::from(date.days_in_month() - date.day()) + 1;
                date = date.last_of_month().tomorrow().ok()?;
                earliest = 0;
                continue;
            }
            let named = if self.names_day(date) { self.next_in_day(earliest) } else { None };
            if let Some(second) = named {
                return Some(day * DAY + second);
            }
            (day, date, earliest) = (day + 1, date.tomorrow().ok()?, 0);
        }
        None
    }

    fn next_in_day(&self, earliest: i64) -> Option<i64> {
        let hours = (earliest / 3_600..24).filter(|hour| has(self.hours, *hour));
        let minutes = hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.map(move |minute| hour * 3_600 + minute * 60)
        });
        let mut minutes = minutes.filter(|minute| minute + 59 >= earliest);
        minutes.find_map(|minute| {
            let mut seconds = (0..60).filter(|second| has(self.seconds, *second));
            seconds.find(|second| minute + second >= earliest).map(|second| minute + second)
        })
    }
}

/// The date of a wall time.
pub(crate) fn date_of(wall: i64) -> Date {
    let days = wall.div_euclid(DAY);
    EPOCH.checked_add(jiff::Span::new().days(days)).expect("near our time")
}
