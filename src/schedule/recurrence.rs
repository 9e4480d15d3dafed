//! The occurrences of a repeating interval, by arithmetic.
//!
//! The k-th occurrence is the start plus k periods, always counted from the start: months and days on the wall clock
//! of the zone, then hours, minutes and seconds as physical time. Month ends stay month ends and nothing drifts.
//! A wall time that a change of clock skips moves forward by the length of the gap, that once; one that exists twice
//! is its first passing.
//!
//! Occurrences never decrease with k, so the first one after an instant is found by division if the period is exact,
//! and by an estimate and bisection otherwise. Two occurrences can fall on one instant where a zone left out a whole
//! day (Apia, 2011): such an instant is listed once, and both count against `Rn`.

use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::{DstPolicy, FoldPolicy, GapPolicy, Timestamp};

use super::error::{ScheduleError, Source};
use super::iso8601::Interval;
use super::period::Period;
use super::zone::{Passing, Zone};

const MILLIS_PER_DAY: i64 = 86_400_000;
/// Occurrences in a row that a gap can skip, with room: a schedule names a skipped wall time once in some years.
const SKIPPED_IN_A_ROW_MAX: u64 = 1_000;

/// A repeating interval with its start resolved. All instants in here are milliseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Recurrence {
    start: i64,
    /// What the wall clock shows at the start; the calendar part of the period is counted from it.
    wall: DateTime,
    zone: Zone,
    period: Period,
    count: Option<u64>,
    /// What becomes of wall times that a gap skips.
    gap: GapPolicy,
    /// Whether of a wall time that is shown twice the last passing counts.
    is_last_passing: bool,
}

/// Occurrences from `first` to `last`, which fall on `instants` instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) instants: u64,
    /// Whether there is no further one in the stretch that was asked for.
    pub(super) complete: bool,
}

impl Counted {
    /// Counts occurrences, which ascend, by visiting them: at most `limit` instants.
    pub(super) fn of(mut occurrences: impl Iterator<Item = i64>, limit: u64) -> Option<Self> {
        let first = occurrences.next().filter(|_| limit > 0)?;
        let mut counted = Self { first, last: first, instants: 1, complete: true };
        for at in occurrences {
            if counted.instants == limit {
                counted.complete = false;
                break;
            }
            counted.instants += u64::from(at != counted.last);
            counted.last = at;
        }
        Some(counted)
    }
}

impl Recurrence {
    /// Fixes an interval in time. `zone` replaces a written offset and keeps the digits; without it the offset stays.
    pub(super) fn new(
        source: Source<'_>,
        interval: Interval,
        zone: Option<Zone>,
        dst: DstPolicy,
        accepted_at: i64,
    ) -> Result<Self, ScheduleError> {
        let Interval { count, start, start_span, period } = interval;
        let written = start.and_then(|start| start.offset).map(Zone::fixed);
        let zone = zone.or(written).unwrap_or_else(Zone::utc);
        let gap = dst.gap.unwrap_or(GapPolicy::Shift);
        let is_last_passing = match dst.fold {
            None | Some(FoldPolicy::First) => false,
            Some(FoldPolicy::Last) => true,
            Some(FoldPolicy::Both) => return Err(refuse_both()),
        };
        let (start, wall) = match start {
            Some(start) => {
                let passing = zone.passing(start.wall, gap, is_last_passing);
                (passing.map(|passing| passing.at), start.wall)
            }
            None => (Some(accepted_at), zone.wall(accepted_at)),
        };
        let start = start.ok_or_else(|| {
            source.refuse(start_span, |found| {
                format!("start {found} is beyond the end of year 9999: write an earlier one")
            })
        })?;
        Ok(Self { start, wall, zone, period, count, gap, is_last_passing })
    }

    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    /// The start as it would have to be written, on the wall clock of the zone; with `Z` unless a zone is named beside it.
    pub(super) fn print_start(&self, is_zone_named: bool) -> String {
        let digits = self.wall.strftime("%Y-%m-%dT%H:%M:%S%.3f");
        if is_zone_named { digits.to_string() } else { format!("{digits}Z") }
    }

    /// The occurrence with index 0, if it has one.
    pub(super) const fn start(&self) -> i64 {
        self.start
    }

    pub(super) const fn period(&self) -> Period {
        self.period
    }

    pub(super) const fn gap(&self) -> GapPolicy {
        self.gap
    }

    pub(super) const fn fold(&self) -> FoldPolicy {
        if self.is_last_passing { FoldPolicy::Last } else { FoldPolicy::First }
    }

    /// The wall times, in seconds, that occurrences around `at`, in milliseconds, are for, if they lie within `walls`.
    /// None where the wall time is not what it counts by.
    pub(super) fn wall_near(&self, at: i64, walls: &Range<i64>) -> Vec<i64> {
        if self.period.is_exact() || self.period.millis != 0 {
            return Vec::new();
        }
        let first = self.first_index_after(at - 2 * MILLIS_PER_DAY);
        let near = (first..first.saturating_add(5)).filter(|k| self.at(*k).is_some());
        let wall = |k| Some(self.nominal(k)?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
        near.filter_map(wall).filter(|wall| walls.contains(wall)).collect()
    }

    /// Whether changes of clock are nothing to it.
    pub(super) fn is_exact(&self) -> bool {
        self.period.is_exact()
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The occurrence with this index, or `None` if there is none before the end of time.
    fn at(&self, index: u64) -> Option<i64> {
        if self.count.is_some_and(|count| index >= count) {
            return None;
        }
        if index == 0 {
            return Some(self.start);
        }
        let exact = i128::from(self.period.millis).checked_mul(i128::from(index))?;
        let calendar =
            if self.period.is_exact() { self.start } else { self.on_calendar(index)?.at };
        let at = i64::try_from(exact.checked_add(i128::from(calendar))?).ok()?;
        (at <= Timestamp::MAX.as_millisecond()).then_some(at)
    }

    /// The start moved by the calendar part of `index` periods.
    fn on_calendar(&self, index: u64) -> Option<Passing> {
        self.zone.passing(self.nominal(index)?, self.gap, self.is_last_passing)
    }

    /// What the wall clock should show then.
    fn nominal(&self, index: u64) -> Option<DateTime> {
        let index = i64::try_from(index).ok()?;
        let months = self.period.months.checked_mul(index)?;
        let days = self.period.days.checked_mul(index)?;
        let span = jiff::Span::new().try_months(months).ok()?.try_days(days).ok()?;
        self.wall.checked_add(span).ok()
    }

    /// Whether indexes may name nothing, because a gap skips them.
    fn may_skip(&self) -> bool {
        self.gap == GapPolicy::Skip && !self.period.is_exact()
    }

    /// Whether the occurrence with this index is one that a gap skips and nothing stands for.
    fn is_skipped(&self, index: u64) -> bool {
        self.may_skip() && self.on_calendar(index).is_some_and(|passing| passing.is_skipped)
    }

    /// The index of the first occurrence after `after`; perhaps one that [`Self::at`] denies, then there is none.
    fn first_index_after(&self, after: i64) -> u64 {
        if after < self.start {
            return 0;
        }
        if self.period.is_zero() {
            return 1;
        }
        let elapsed = i128::from(after) - i128::from(self.start);
        let mean = self.period.mean_millis();
        let estimate = u64::try_from(elapsed / mean).unwrap_or(u64::MAX);
        if self.period.is_exact() {
            return estimate.saturating_add(1);
        }
        self.bisect_after(after, estimate)
    }

    /// Widens a bracket around `estimate` until it holds the border, then halves it. The start is not after `after`.
    fn bisect_after(&self, after: i64, estimate: u64) -> u64 {
        let is_after = |index| self.at(index).is_none_or(|at| at > after);
        let mut low = estimate;
        let mut width = 1_u64;
        while low > 0 && is_after(low) {
            low = low.saturating_sub(width);
            width = width.saturating_mul(2);
        }
        let mut high = estimate.saturating_add(1);
        width = 1;
        while !is_after(high) {
            low = high;
            high = high.saturating_add(width);
            width = width.saturating_mul(2);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if is_after(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    pub(super) fn next_after(&self, after: i64) -> Option<i64> {
        self.next_index_after(after).and_then(|index| self.at(index))
    }

    /// The index of the next occurrence that no gap skips.
    fn next_index_after(&self, after: i64) -> Option<u64> {
        let first = self.first_index_after(after);
        (first..first.saturating_add(SKIPPED_IN_A_ROW_MAX)).find(|index| !self.is_skipped(*index))
    }

    /// The latest occurrence in `(after, through]`.
    pub(super) fn last_through(&self, after: i64, through: i64) -> Option<i64> {
        let indexes = self.indexes(after, through);
        let last = indexes.rev().take(1_000).find(|index| !self.is_skipped(*index))?;
        self.at(last)
    }

    /// The occurrences in `(after, through]`, at most `limit` instants of them, counted without visiting them.
    pub(super) fn stretch(&self, after: i64, through: i64, limit: u64) -> Option<Counted> {
        let all = self.indexes(after, through);
        if all.is_empty() || limit == 0 {
            return None;
        }
        if self.may_skip() {
            return self.walk(all, limit);
        }
        // Occurrences that share an instant take no room under the limit. There are as few of them as days that the
        // zone left out, so this settles at once.
        let mut doubles = 0;
        let end = loop {
            let end = all.end.min(all.start.saturating_add(limit).saturating_add(doubles));
            let counted = self.doubles(&(all.start..end));
            if counted == doubles {
                break end;
            }
            doubles = counted;
        };
        let last = self.at(end - 1)?;
        Some(Counted {
            first: self.at(all.start)?,
            last,
            instants: end - all.start - doubles,
            complete: self.next_after(last).is_none_or(|next| next > through),
        })
    }

    /// As [`Self::stretch`], by visiting each: a gap may skip any, and a calendar period is long enough.
    fn walk(&self, indexes: Range<u64>, limit: u64) -> Option<Counted> {
        let named = indexes.filter(|index| !self.is_skipped(*index)).map_while(|k| self.at(k));
        Counted::of(named, limit)
    }

    /// How many occurrences after `after` are left of `Rn`; `None` for no end.
    pub(super) fn remaining_after(&self, after: i64) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.first_index_after(after)))
    }

    /// Which occurrences lie in `(after, through]`.
    fn indexes(&self, after: i64, through: i64) -> Range<u64> {
        if through <= after {
            return 0..0;
        }
        let end = self.first_index_after(through);
        let end = end.min(self.count.unwrap_or(u64::MAX));
        self.first_index_after(after).min(end)..end
    }

    /// How many of these occurrences fall on the instant of the one before them, which only a day that the zone left
    /// out can bring about.
    fn doubles(&self, indexes: &Range<u64>) -> u64 {
        if self.period.is_exact() || self.period.millis != 0 {
            return 0;
        }
        let mut doubles = 0;
        for gap in self.zone.skipped_days() {
            let first = self.first_index_after(gap.start - 1).max(indexes.start);
            let end = self.first_index_after(gap.end - 1).min(indexes.end);
            let pairs = (first..end).zip(first.saturating_add(1)..end);
            doubles += pairs.map(|(k, next)| u64::from(self.at(k) == self.at(next))).sum::<u64>();
        }
        doubles
    }
}

fn refuse_both() -> ScheduleError {
    Source::new("dst.fold", FoldPolicy::Both.as_str()).refuse_all(|found| {
        format!(
            "{found} is not for an interval, whose occurrences are one instant each: \
             write `first` or `last`, or a cron expression"
        )
    })
}
