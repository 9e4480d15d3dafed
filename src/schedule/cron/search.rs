//! Finds occurrences on the time line of a zone.
//!
//! The time line is cut where the clock changes. Inside such a segment the wall clock is physical time plus a constant,
//! so the calendar is searched without a zone; what a change of clock does is decided at the start of each segment.
//! Every step moves to a later segment, so the search can neither loop nor go back in time.

use jiff::tz::{TimeZone, TimeZoneTransition};

use crate::model::Timestamp;

use super::Cron;

/// Changes of clock up to here are made up for. From Debian's cron.
const MADE_UP_SECONDS: i64 = 3 * 3_600;
/// Longer than clocks of any two zones can differ, with room.
const FAR_SECONDS: i64 = 2 * 86_400;

/// The time between two changes of clock. All numbers are seconds.
#[derive(Debug)]
struct Segment {
    /// Its first second.
    start: i64,
    /// The first second of the next one.
    end: i64,
    /// Wall clock minus UTC.
    offset: i64,
    /// By how much the clock was moved at its start; negative if it went back.
    shift: i64,
}

impl Segment {
    /// The segment in which `at` lies.
    fn around(rules: &TimeZone, at: i64) -> Self {
        let instant = clamp(at);
        let offset = i64::from(rules.to_offset(instant).seconds());
        let shift = |change: &TimeZoneTransition<'_>| {
            let before = rules.to_offset(clamp(change.timestamp().as_second().saturating_sub(1)));
            i64::from(change.offset().seconds() - before.seconds())
        };
        let last = rules
            .preceding(clamp(at.saturating_add(1)))
            .map(|change| (change.timestamp().as_second(), shift(&change)))
            .find(|(_, shift)| *shift != 0);
        let next = rules.following(instant).find(|change| shift(change) != 0);
        let (start, shift) = last.unwrap_or((i64::MIN, 0));
        let end = next.map_or(i64::MAX, |change| change.timestamp().as_second());
        Self { start, end, offset, shift }
    }
}

fn clamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

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
        Self { cron, segment: Segment::around(cron.zone.rules(), from), from }
    }

    fn search_segment(&self) -> Found {
        let Segment { start, end, offset, shift } = self.segment;
        let calendar = &self.cron.calendar;
        let mut wall = self.from + offset;
        if !self.cron.is_wildcard && shift != 0 {
            let wall_before = start + offset - shift;
            if (1..MADE_UP_SECONDS).contains(&shift) && self.from <= start {
                let skipped = next_second(calendar.next(minute_at_or_after(wall_before)));
                if skipped.is_some_and(|skipped| skipped < start + offset) {
                    return Found::Due(start);
                }
            }
            if (-MADE_UP_SECONDS..0).contains(&shift) {
                wall = wall.max(wall_before);
            }
        }
        let Some(named) = next_second(calendar.next(minute_at_or_after(wall))) else {
            return Found::Never;
        };
        let due = named - offset;
        if due < end {
            return Found::Due(due);
        }
        // After the segment the clock may show again what it showed before. What was searched here covers that, if it
        // was long enough; then only the clocks' greatest difference is left to keep from the minute that was named.
        let covers_repetition = end.saturating_sub(wall - offset) >= FAR_SECONDS;
        Found::NothingBefore(if covers_repetition { end.max(due - FAR_SECONDS) } else { end })
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
                    self.segment = Segment::around(self.cron.zone.rules(), second);
                }
                Found::Never => return None,
            }
        }
    }
}

fn minute_at_or_after(second: i64) -> i64 {
    second.div_euclid(60) + i64::from(second.rem_euclid(60) != 0)
}

fn next_second(minute: Option<i64>) -> Option<i64> {
    minute.map(|minute| minute * 60)
}
