//! Cron expressions, meaning what they mean to Debian's cron.
//!
//! An expression is a set of minutes on a calendar ([`calendar`]) and one bit about changes of clock, read from the
//! text ([`parse`]). Finding occurrences walks stretches of time in which the clock does not change ([`search`]).
//!
//! | | clock goes forward | clock goes back |
//! |---|---|---|
//! | *wildcard*: minute or hour begins with `*` | follows the clock: skipped minutes are skipped | follows the clock: runs in both passings |
//! | *fixed*: neither does | what the gap skipped runs once, at the first instant after it | runs in the first passing only |
//! | three hours or more, back more than three | the new clock counts at once | the new clock counts at once |
//!
//! Two texts with the same set of minutes can so behave differently: `*/15 2 * * *` is wildcard and `0-59/15 2 * * *`
//! is fixed. DIFFERENCE to Debian: several minutes skipped by one gap are one run, not one each at the same instant.

mod calendar;
mod changes;
mod debian;
mod describe;
mod field;
mod parse;
mod relative;
mod search;

#[cfg(test)]
mod extension_tests;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::model::DstPolicy;

use super::error::{ScheduleError, Source};
use super::recurrence::Counted;
use super::zone::Zone;

use calendar::Calendar;
use changes::{Changes, Fold, Gap};
use search::Walk;

pub(super) use calendar::month_and_day;
pub use debian::{DebianReading, as_debian_reads};
pub(super) use parse::REBOOT;

/// A cron expression in its zone. All instants in here are milliseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Cron {
    calendar: Calendar,
    changes: Changes,
    zone: Zone,
}

impl Cron {
    /// Reads the expression that begins at `from`; the second value are warnings. `name` is the job's.
    pub(super) fn parse(
        source: Source<'_>,
        from: usize,
        name: &str,
        zone: Zone,
        dst: DstPolicy,
    ) -> Result<(Self, Vec<String>), ScheduleError> {
        let expression = parse::read(source, from, name)?;
        let parse::Expression { calendar, is_wildcard, warnings } = expression;
        let changes = Changes::new(dst, is_wildcard);
        Ok((Self { calendar, changes, zone }, warnings))
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn next_after(&self, after: i64) -> Option<i64> {
        Walk::new(self, after).next()
    }

    /// The occurrences in `(after, through]`, at most `limit` of them.
    pub(super) fn stretch(&self, after: i64, through: i64, limit: u64) -> Option<Counted> {
        Counted::of(Walk::new(self, after).take_while(|due| *due <= through), limit)
    }

    /// Whether it runs in every hour of the day and follows the clock through changes.
    pub(super) fn is_hourly(&self) -> bool {
        self.calendar.is_hourly()
            && matches!(self.changes, Changes { gap: Gap::Skip, fold: Fold::Both })
    }

    /// What changes of clock do to it.
    pub(super) const fn changes(&self) -> Changes {
        self.changes
    }

    /// The wall times, in seconds, that it names in a range of them.
    pub(super) fn named_walls(&self, walls: Range<i64>) -> impl Iterator<Item = i64> {
        let next = move |from: i64| self.calendar.next(from).filter(|wall| *wall < walls.end);
        let first = next(walls.start);
        std::iter::successors(first, move |last| next(*last + 1))
    }

    /// What it does in plain English.
    pub(super) fn describe(&self) -> String {
        describe::describe(&self.calendar)
    }
}

/// The number of a weekday, from 0 for Sunday to 7 for Sunday again, that is named as in an expression.
pub(super) fn weekday(text: &str) -> Option<u8> {
    field::WEEKDAY.value(text)
}
