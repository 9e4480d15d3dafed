//! A cron expression as a repeating interval, where there is one that says exactly the same.
//!
//! Not by what the expression looks like: by its instants. A candidate is taken if Chronos, walking step by step, would
//! start at every instant of the expression and at no other, over years and all changes of clock in them.

use super::joda::Period;
use super::walk::Walk;
use crate::model::{Duration, Timestamp};
use crate::schedule::{Schedule, ZoneDb};

/// Steps compared of periods that follow the calendar. In years they are as many as the calendar needs to come round.
const STEPS: usize = 1_500;

/// How far periods of fixed length are compared.
const DAYS: i64 = 3 * 366;

/// An interval for an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Converted {
    /// Its first start, which is the next occurrence of the expression.
    pub(super) start: Timestamp,
    pub(super) period: Period,
}

/// The interval that means the same from `now` on, or a sentence that says why there is none.
pub(super) fn convert(
    schedule: &Schedule,
    now: Timestamp,
    zones: &ZoneDb,
) -> Result<Converted, String> {
    if schedule.is_at_boot() {
        return Err("Chronos knows no start of a machine".to_owned());
    }
    let before = now.checked_sub(Duration::from_nanos(1)).unwrap_or(now);
    let start = schedule.next_after(before).ok_or("nothing is due any more")?;
    let next = schedule.next_after(start).ok_or("nothing is due after the next time")?;
    let day = |days| Period { days, ..Period::default() };
    let month = |months| Period { months, ..Period::default() };
    let weeks = Period { weeks: 1, ..Period::default() };
    // The longest one that fits is wrong as often as the shortest: only the instants tell.
    for period in [day(1), weeks, month(1), month(12)] {
        if walks_alike(schedule, start, period, zones) {
            return Ok(Converted { start, period });
        }
    }
    let span = next.duration_since(start);
    // Looks are taken over three years: longer steps would show too little of themselves in them.
    if span < Duration::from_hours(24)
        && let Some(period) = exact(span)
        && ticks_alike(schedule, start, span)
    {
        return Ok(Converted { start, period });
    }
    Err("no repeating interval is due at just the same instants".to_owned())
}

/// Compares each step.
fn walks_alike(schedule: &Schedule, start: Timestamp, period: Period, zones: &ZoneDb) -> bool {
    let Some(walk) = Walk::new(schedule.zone(), start, period, zones) else { return false };
    // To the year 2199: years that are not leap years although four divides them are among them.
    let theirs = walk.from(start).take_while(|at| at.as_second() < 7_258_118_400).take(STEPS);
    let mut ours = Some(start);
    for at in theirs {
        if ours != Some(at) {
            return false;
        }
        ours = schedule.next_after(at);
    }
    true
}

fn exact(span: Duration) -> Option<Period> {
    let millis = i64::try_from(span.as_millis()).ok().filter(|millis| *millis > 0)?;
    let (hours, minutes) = (3_600_000, 60_000);
    let period = Period::default();
    Some(match (millis % hours, millis % minutes) {
        (0, _) => Period { hours: millis / hours, ..period },
        (_, 0) => Period { minutes: millis / minutes, ..period },
        (_, _) => Period { millis, ..period },
    })
}

/// Looks every few hours whether the expression still keeps the step, which it loses at the latest at a change of clock.
fn ticks_alike(schedule: &Schedule, start: Timestamp, span: Duration) -> bool {
    let (first, span) =
        (start.as_millisecond(), i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    // Every step of the first two days, which show every hour; then a look every five hours and a bit.
    let near = (0..=2 * 86_400_000 / span).map(|index| first + index * span);
    let far = (0..DAYS * 86_400 / 18_061).map(|index| first + index * 18_061_000);
    let keeps = |at: i64| {
        let expected = first + ((at - first) / span + 1) * span;
        let next = Timestamp::from_millisecond(at).ok().and_then(|at| schedule.next_after(at));
        next.is_some_and(|next| next.as_millisecond() == expected)
    };
    near.chain(far).all(keeps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert_text(text: &str, zone: &str) -> Result<String, String> {
        let zones = ZoneDb::bundled();
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        let schedule = Schedule::parse(text, zone, now, &zones).unwrap();
        let Converted { start, period } = convert(&schedule, now, &zones)?;
        Ok(format!("{}/{}", schedule.zone().print(start), period.print()))
    }

    #[test]
    fn an_expression_becomes_an_interval_only_where_both_have_the_same_instants() {
        for (text, zone, expected) in [
            ("0 2 * * *", "", Some("2026-11-27T02:00:00Z/P1D")),
            ("0 4 * * *", "Europe/Berlin", Some("2026-11-27T04:00:00+01:00/P1D")),
            // It runs after the gap at 03:00 here, and from then on at 03:30 there.
            ("30 2 * * *", "Europe/Berlin", None),
            ("@daily", "", Some("2026-11-27T00:00:00Z/P1D")),
            ("15 6 * * MON", "America/New_York", Some("2026-11-30T06:15:00-05:00/P1W")),
            ("0 0 1 * *", "", Some("2026-12-01T00:00:00Z/P1M")),
            ("0 0 29 * *", "", None),
            ("0 0 31 12 *", "", Some("2026-12-31T00:00:00Z/P12M")),
            ("0 0 29 2 *", "", None),
            ("0 9 * * MON-FRI", "", None),
            ("*/15 * * * *", "Europe/Berlin", Some("2026-11-26T13:00:00+01:00/PT15M")),
            ("0 * * * *", "Europe/Berlin", Some("2026-11-26T13:00:00+01:00/PT1H")),
            ("*/7 * * * *", "", None),
            // Half an hour at a change of clock.
            ("0 * * * *", "Australia/Lord_Howe", None),
            ("0 */2 * * *", "", Some("2026-11-26T12:00:00Z/PT2H")),
            ("0 */2 * * *", "Europe/Berlin", None),
            ("0 */5 * * *", "", None),
            ("*/10 * * * * *", "", Some("2026-11-26T12:00:00Z/PT10S")),
            ("@reboot", "", None),
        ] {
            let converted = convert_text(text, zone);
            assert_eq!(converted.as_deref().ok(), expected, "{text} {zone}: {converted:?}");
        }
    }
}
