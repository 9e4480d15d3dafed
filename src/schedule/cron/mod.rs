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
mod parse;
mod search;

#[cfg(test)]
mod tests;

use super::error::{ScheduleError, Source};
use super::recurrence::Counted;
use super::zone::Zone;

use calendar::Calendar;
use search::Walk;

/// A cron expression in its zone. All instants in here are milliseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Cron {
    calendar: Calendar,
    /// Whether it follows the clock through changes.
    is_wildcard: bool,
    zone: Zone,
}

impl Cron {
    /// Reads an expression; the second value are warnings.
    pub(super) fn parse(
        source: Source<'_>,
        zone: Zone,
    ) -> Result<(Self, Vec<String>), ScheduleError> {
        let expression = parse::read(source)?;
        let parse::Expression { calendar, is_wildcard, warnings } = expression;
        Ok((Self { calendar, is_wildcard, zone }, warnings))
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn next_after(&self, after: i64) -> Option<i64> {
        Walk::new(self, after).next()
    }

    /// The latest occurrence in `(after, through]`, by bisection: whether an occurrence follows an instant by
    /// `through` can only change from yes to no.
    pub(super) fn last_through(&self, after: i64, through: i64) -> Option<i64> {
        let next = |after| self.next_after(after).filter(|next| *next <= through);
        let mut last = next(after)?;
        let (mut low, mut high) = (last, through);
        while low < high {
            let middle = low + (high - low) / 2;
            match next(middle) {
                Some(later) => (last, low) = (later, later),
                None => high = middle,
            }
        }
        Some(last)
    }

    /// The occurrences in `(after, through]`, at most `limit` of them.
    pub(super) fn stretch(&self, after: i64, through: i64, limit: u64) -> Option<Counted> {
        let mut walk = Walk::new(self, after).take_while(|due| *due <= through).peekable();
        let first = walk.next().filter(|_| limit > 0)?;
        let (mut last, mut instants) = (first, 1);
        while instants < limit {
            let Some(due) = walk.next() else { break };
            last = due;
            instants += 1;
        }
        let complete = walk.peek().is_none();
        Some(Counted { first, last, instants, complete })
    }
}
