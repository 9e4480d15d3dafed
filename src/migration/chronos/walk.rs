//! How Chronos goes from one occurrence to the next: it adds the period to the last one, not to the start.
//!
//! The start that it stores is rewritten with each run. So a day that a month lacks, or a wall time that a gap skips,
//! stays lost: after 28 February the 31st is the 28th for good, and after a gap 02:30 is 03:30 for good. Joda adds
//! years, months, weeks and days to the wall clock, each by itself, then hours, minutes and seconds to physical time; a
//! wall time in a gap moves forward by its length, one that comes twice is taken the first time.

use jiff::tz::TimeZone;
use jiff::{Span, Zoned};

use super::joda::Period;
use crate::model::Timestamp;
use crate::schedule::{Zone, ZoneDb};

/// The steps of one schedule.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    zone: TimeZone,
    period: Period,
}

impl Walk {
    /// Steps of `period` on the wall clock of `zone`, as it stands at `at`.
    pub(super) fn new(zone: &Zone, at: Timestamp, period: Period, zones: &ZoneDb) -> Option<Self> {
        let rules = match zones.data(zone.name()) {
            Some(data) => TimeZone::tzif(zone.name(), data).ok()?,
            // One without a name has one offset for ever, which every instant shows.
            None => TimeZone::fixed(offset_of(&zone.print(at))?),
        };
        Some(Self { zone: rules, period })
    }

    /// The occurrence after `at`.
    pub(super) fn step(&self, at: Timestamp) -> Option<Timestamp> {
        self.leap(at, 1)
    }

    /// `count` periods after `at`, each unit multiplied, as Chronos leaps over what is past.
    pub(super) fn leap(&self, at: Timestamp, count: i64) -> Option<Timestamp> {
        let Period { years, months, weeks, days, .. } = self.period;
        let mut civil = at.to_zoned(self.zone.clone());
        let add =
            |civil: &Zoned, span: Result<Span, jiff::Error>| civil.checked_add(span.ok()?).ok();
        let times = |unit: i64| unit.checked_mul(count);
        if years != 0 {
            civil = add(&civil, Span::new().try_years(times(years)?))?;
        }
        if months != 0 {
            civil = add(&civil, Span::new().try_months(times(months)?))?;
        }
        if weeks != 0 {
            civil = add(&civil, Span::new().try_weeks(times(weeks)?))?;
        }
        if days != 0 {
            civil = add(&civil, Span::new().try_days(times(days)?))?;
        }
        let time = self.period.time()?.checked_mul(i32::try_from(count).ok()?)?;
        civil.timestamp().checked_add(time).ok()
    }

    /// The period's length in seconds, measured from `at`, as Chronos 3 measures it.
    pub(super) fn seconds_from(&self, at: Timestamp) -> Option<i64> {
        Some(self.step(at)?.duration_since(at).as_secs())
    }

    /// The instants that Chronos would start at if nothing was late, beginning with `first`.
    pub(super) fn from(self, first: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(Some(first), move |at| self.step(*at))
    }
}

/// The offset at the end of a printed instant.
fn offset_of(printed: &str) -> Option<jiff::tz::Offset> {
    if printed.ends_with(['Z', 'z']) {
        return Some(jiff::tz::Offset::UTC);
    }
    let at = printed.len().checked_sub(6)?;
    let (sign, digits) = printed.get(at..)?.split_at(1);
    let (hours, minutes) = digits.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    let seconds = if sign == "-" { -seconds } else { seconds };
    jiff::tz::Offset::from_seconds(seconds).ok()
}
