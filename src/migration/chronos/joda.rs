//! Repeating intervals as Chronos reads them, which is more than we read: signs, and fractions finer than a millisecond.
//!
//! Only as far as it is needed to say what such a text means; starts are left to `schedule`.

use crate::model::Duration;

/// A text that Chronos takes for a repeating interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval<'t> {
    /// Runs in all; `None` for no end.
    pub(super) count: Option<u64>,
    /// As written.
    pub(super) start: &'t str,
    pub(super) period: Period,
}

/// A period, each unit as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Period {
    pub(super) years: i64,
    pub(super) months: i64,
    pub(super) weeks: i64,
    pub(super) days: i64,
    pub(super) hours: i64,
    pub(super) minutes: i64,
    pub(super) millis: i64,
}

impl Period {
    pub(super) fn is_zero(self) -> bool {
        self == Self::default()
    }

    pub(super) fn has_negative(self) -> bool {
        let Self { years, months, weeks, days, hours, minutes, millis } = self;
        [years, months, weeks, days, hours, minutes, millis].into_iter().any(|part| part < 0)
    }

    /// Whether it has months or years, whose length is not fixed.
    pub(super) const fn is_monthly(self) -> bool {
        self.years != 0 || self.months != 0
    }

    /// Whether it has no part that follows the calendar.
    pub(super) const fn is_exact(self) -> bool {
        !self.is_monthly() && self.weeks == 0 && self.days == 0
    }

    /// Hours, minutes and seconds, or `None` beyond all calendars.
    pub(super) fn time(self) -> Option<Duration> {
        let millis = self
            .hours
            .checked_mul(3_600_000)?
            .checked_add(self.minutes.checked_mul(60_000)?)?
            .checked_add(self.millis)?;
        Some(Duration::from_millis(millis))
    }

    /// As we read it.
    pub(super) fn print(self) -> String {
        let Self { years, months, weeks, days, hours, minutes, millis } = self;
        let mut text = "P".to_owned();
        for (count, unit) in [(years, 'Y'), (months, 'M'), (weeks, 'W'), (days, 'D')] {
            if count != 0 {
                text.push_str(&format!("{count}{unit}"));
            }
        }
        let has_time = hours != 0 || minutes != 0 || millis != 0;
        if has_time || text.len() == 1 {
            text.push('T');
        }
        for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
            if count != 0 {
                text.push_str(&format!("{count}{unit}"));
            }
        }
        match (millis / 1_000, millis % 1_000) {
            (0, 0) => {}
            (seconds, 0) => text.push_str(&format!("{seconds}S")),
            (seconds, rest) => text.push_str(&format!("{seconds}.{:03}S", rest.abs())),
        }
        if text.ends_with('T') {
            text.push_str("0S");
        }
        text
    }
}

/// Reads `(R[0-9]*)/(.*)/(P.*)`, of which the middle takes all it can.
pub(super) fn read(text: &str) -> Option<Interval<'_>> {
    let (repetition, rest) = text.split_once('/')?;
    let digits = repetition.strip_prefix('R')?;
    let count = match digits {
        "" => None,
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    let split = rest.rfind("/P")?;
    let (start, period) = (&rest[..split], &rest[split + 1..]);
    Some(Interval { count, start, period: read_period(period)? })
}

fn read_period(text: &str) -> Option<Period> {
    let mut rest = text.strip_prefix('P')?;
    let mut period = Period::default();
    let mut in_time = false;
    let mut last_rank = 0;
    while !rest.is_empty() {
        if !in_time && let Some(time) = rest.strip_prefix(['T', 't']) {
            (in_time, rest) = (true, time);
            if rest.is_empty() {
                return None;
            }
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = (&rest[..end], rest[end..].chars().next()?.to_ascii_uppercase());
        rest = &rest[end + 1..];
        let (rank, place) = match (unit, in_time) {
            ('Y', false) => (1, &mut period.years),
            ('M', false) => (2, &mut period.months),
            ('W', false) => (3, &mut period.weeks),
            ('D', false) => (4, &mut period.days),
            ('H', true) => (5, &mut period.hours),
            ('M', true) => (6, &mut period.minutes),
            ('S', true) => (7, &mut period.millis),
            _ => return None,
        };
        if rank <= last_rank {
            return None;
        }
        last_rank = rank;
        *place = if rank == 7 { millis(number)? } else { whole(number)? };
    }
    Some(period)
}

fn whole(number: &str) -> Option<i64> {
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

/// Seconds with a fraction, cut to the millisecond.
fn millis(number: &str) -> Option<i64> {
    let (seconds, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let whole = whole(seconds)?.checked_mul(1_000)?;
    let fraction = if seconds.starts_with('-') { -fraction } else { fraction };
    whole.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_joda_reads_them_and_printed_as_we_read_them() {
        for (text, printed) in [
            ("P", "PT0S"),
            ("P0D", "PT0S"),
            ("P1D", "P1D"),
            ("P+1D", "P1D"),
            ("P1d", "P1D"),
            ("PT60M", "PT60M"),
            ("PT0.5S", "PT0.500S"),
            ("PT1.2345S", "PT1.234S"),
            ("PT0.0001S", "PT0S"),
            ("P1Y2M3W4DT5H6M7.8S", "P1Y2M3W4DT5H6M7.800S"),
            ("P1W1D", "P1W1D"),
        ] {
            assert_eq!(read_period(text).map(Period::print).as_deref(), Some(printed), "{text}");
        }
        assert!(read_period("P-1D").unwrap().has_negative());
        assert!(read_period("PT-0.5S").unwrap().has_negative());
        for text in
            ["", "PT", "P1H", "P1DT", "P0.5D", "PT0.5H", "P1D1W", "P1D ", "P1é", "PD", "P--1D"]
        {
            assert_eq!(read_period(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_slash_before_a_period_splits() {
        let interval = read("R5/2008-03-01T13:00:00Z/P1D").unwrap();
        assert_eq!((interval.count, interval.start), (Some(5), "2008-03-01T13:00:00Z"));
        assert_eq!(read("R//P1D").unwrap().start, "");
        assert_eq!(read("R/x/P1M/P2M").unwrap().start, "x/P1M");
        for text in
            ["", "R5", "R/P1D", "r//P1D", "R-1//P1D", "R99999999999999999999//P1D", "0 2 * * *"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
