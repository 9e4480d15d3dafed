//! Finds occurrences on the time line of a zone.
//!
//! Each segment of the time line is searched without a zone; what a change of clock does is decided at the start and
//! the end of its segments. Every step moves to a later segment, so the search can neither loop nor go back in time.

use crate::model::{FoldPolicy, GapPolicy, Timestamp};
use crate::schedule::segment::Segment;

use super::Cron;

/// Longer than clocks of any two zones can differ, with room.
const FAR_SECONDS: i64 = 2 * 86_400;

/// Goes from occurrence to occurrence. Yields milliseconds since 1970.
pub(super) struct Walk<'c> {
    cron: &'c Cron,
    segment: Segment,
    /// The first second that is not yet searched; inside the segment.
    from: i64,
}

/// What a segment has from some second on.
enum Found {
    Due(i64),
    /// Nothing; and nothing before this second, whatever the clock does after the segment.
    NothingBefore(i64),
    /// Nothing, for ever.
    Never,
}

impl<'c> Walk<'c> {
    /// Begins with the first occurrence after `after`, in milliseconds.
    pub(super) fn new(cron: &'c Cron, after: i64) -> Self {
        let from = after.div_euclid(1_000) + 1;
        Self { cron, segment: cron.zone.segment(from), from }
    }

    fn search_segment(&self) -> Found {
        let Segment { end, offset, .. } = self.segment;
        let made_up = if self.segment.shift() > 0 { self.made_up() } else { None };
        let wall = self.first_wall();
        let Some(named) = self.cron.calendar.next(wall) else {
            return made_up.map_or(Found::Never, Found::Due);
        };
        let due = named - offset;
        if let Some(made_up) = made_up.filter(|made_up| *made_up <= due) {
            return Found::Due(made_up);
        }
        if due < self.end_of_passings() {
            return Found::Due(due);
        }
        // After the segment the clock may show again what it showed before. What was searched here covers that, if it
        // was long enough; then only the clocks' greatest difference is left to keep from the second that was named.
        let covers_repetition = end.saturating_sub(wall - offset) >= FAR_SECONDS;
        Found::NothingBefore(if covers_repetition { end.max(due - FAR_SECONDS) } else { end })
    }

    /// What the wall clock shows at the first second to search: later than at `from` if it repeats what counted in its
    /// first passing.
    fn first_wall(&self) -> i64 {
        let Segment { start, offset, before, .. } = self.segment;
        let wall = self.from + offset;
        let back = before - offset;
        let repeats = back > 0 && self.cron.changes.fold(back) == FoldPolicy::First;
        if repeats { wall.max(start + before) } else { wall }
    }

    /// The second from which on the segment's wall times are left to their last passing, in the next segment.
    fn end_of_passings(&self) -> i64 {
        let Segment { end, .. } = self.segment;
        let back = -self.segment.shift_at_end();
        let repeats = back > 0 && self.cron.changes.fold(back) == FoldPolicy::Last;
        if repeats { end.saturating_sub(back) } else { end }
    }

    /// The first occurrence from `from` on in place of one that the gap at the segment's start has skipped.
    fn made_up(&self) -> Option<i64> {
        let Segment { start, end, offset, before, .. } = self.segment;
        let skipped_from =
            |wall: i64| self.cron.calendar.next(wall).filter(|skipped| *skipped < start + offset);
        match self.cron.changes.gap(self.segment.shift()) {
            GapPolicy::After if self.from <= start => skipped_from(start + before).map(|_| start),
            GapPolicy::Shift if self.from < start + self.segment.shift() => {
                let wall = self.from.max(start) + before;
                skipped_from(wall).map(|skipped| skipped - before).filter(|due| *due < end)
            }
            GapPolicy::After | GapPolicy::Shift | GapPolicy::Skip => None,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        loop {
            match self.search_segment() {
                Found::Due(due) => {
                    // The end of a segment needs no care here: nothing is found in it from there on.
                    self.from = due + 1;
                    let millis = due.checked_mul(1_000)?;
                    return (millis <= Timestamp::MAX.as_millisecond()).then_some(millis);
                }
                Found::NothingBefore(second) => {
                    self.from = second;
                    self.segment = self.cron.zone.segment(second);
                }
                Found::Never => return None,
            }
        }
    }
}
