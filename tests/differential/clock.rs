//! A zone's wall clock, as the list of its changes.
//!
//! Read from the zone's data by jiff and then only looked up here, so that every rule in this test, ours and the
//! rivals', asks the same table. Seconds throughout; a wall time is seconds since 1970 on the wall clock.

use std::ops::Range;

use jiff::tz::TimeZone;

/// No answer of this test is later: 2037 and four times forty years.
const YEAR_END: i64 = 7_258_118_400; // 2200
/// Longer than any two clocks differ.
const FAR: i64 = 2 * 86_400;

/// A change of clock: the first second of the new offset, and both offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at: i64,
    pub(crate) before: i64,
    pub(crate) after: i64,
}

impl Change {
    /// By how much the wall clock is put forward; negative if back.
    pub(crate) fn shift(&self) -> i64 {
        self.after - self.before
    }

    pub(crate) fn is_gap(&self) -> bool {
        self.shift() > 0
    }

    /// Whether it leaves out a midnight, or shows one twice.
    pub(crate) fn has_midnight(&self) -> bool {
        let walls = self.walls();
        walls.start.div_euclid(86_400) != (walls.end - 1).div_euclid(86_400)
            || walls.start.rem_euclid(86_400) == 0
    }

    /// The wall times that it leaves out, or shows twice.
    pub(crate) fn walls(&self) -> Range<i64> {
        let (one, other) = (self.at + self.before, self.at + self.after);
        one.min(other)..one.max(other)
    }
}

/// The wall clock of a zone.
#[derive(Debug)]
pub(crate) struct Clock {
    first_offset: i64,
    changes: Vec<Change>,
}

impl Clock {
    pub(crate) fn new(zone: &TimeZone) -> Self {
        let start = jiff::Timestamp::constant(-1_000_000_000, 0);
        let first_offset = i64::from(zone.to_offset(start).seconds());
        let (mut changes, mut before) = (Vec::new(), first_offset);
        for change in zone.following(start) {
            let (at, after) =
                (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if at >= YEAR_END {
                break;
            }
            // Some changes touch only the name or the summer-time flag.
            if after != before {
                changes.push(Change { at, before, after });
            }
            before = after;
        }
        Self { first_offset, changes }
    }

    /// The changes in a stretch of time.
    pub(crate) fn changes(&self, within: Range<i64>) -> &[Change] {
        let first = self.changes.partition_point(|change| change.at < within.start);
        let end = self.changes.partition_point(|change| change.at < within.end);
        &self.changes[first..end.max(first)]
    }

    pub(crate) fn offset(&self, at: i64) -> i64 {
        let index = self.changes.partition_point(|change| change.at <= at);
        index.checked_sub(1).map_or(self.first_offset, |last| self.changes[last].after)
    }

    pub(crate) fn wall(&self, at: i64) -> i64 {
        at + self.offset(at)
    }

    /// When the clock shows `wall`, in order: once, twice, or never.
    pub(crate) fn passings(&self, wall: i64) -> Vec<i64> {
        let near = self.changes(wall - FAR..wall + FAR);
        let Some(first) = near.first() else { return vec![wall - self.offset(wall)] };
        let mut found = Vec::new();
        let mut start = i64::MIN;
        let starts = near.iter().map(|change| change.at).chain([i64::MAX]);
        let offsets = [first.before].into_iter().chain(near.iter().map(|change| change.after));
        for (end, offset) in starts.zip(offsets) {
            if (start..end).contains(&(wall - offset)) {
                found.push(wall - offset);
            }
            start = end;
        }
        found
    }

    /// The change that leaves out `wall`.
    pub(crate) fn gap(&self, wall: i64) -> Option<&Change> {
        let mut near = self.changes(wall - FAR..wall + FAR).iter();
        near.find(|change| change.is_gap() && change.walls().contains(&wall))
    }

    /// What Python takes the offset to be at a wall time: `is_second` is its `fold`, which chooses between two
    /// passings and, in a gap, between the offsets around it.
    pub(crate) fn python_offset(&self, wall: i64, is_second: bool) -> i64 {
        let near = self.changes(wall - FAR..wall + FAR);
        let Some(first) = near.first() else { return self.offset(wall) };
        let has_passed = |change: &&Change| {
            let walls = change.walls();
            wall >= if is_second { walls.start } else { walls.end }
        };
        near.iter().rfind(has_passed).map_or(first.before, |change| change.after)
    }
}
