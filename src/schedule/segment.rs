//! The time line of a zone, cut where its clock changes.
//!
//! Inside a segment the wall clock is physical time plus a constant, so whatever is searched on a wall clock is searched
//! without a zone, segment by segment. The changes of the past and of some time to come are in a table; beyond it they
//! are asked of the zone's rules, which have no end.

use jiff::tz::{TimeZone, TimeZoneTransition};

use crate::model::Timestamp;

/// 2150-01-01. Far enough that what is asked in practice is in the table; a zone's table then has some kilobytes.
const TABLE_END: i64 = 5_680_281_600;

/// The time between two changes of clock. All numbers are seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first second.
    pub(super) start: i64,
    /// The first second of the next one.
    pub(super) end: i64,
    /// Wall clock minus UTC.
    pub(super) offset: i64,
    /// The offset of the segment before; that of this one if there is none.
    pub(super) before: i64,
    /// The offset of the next segment; that of this one if there is none.
    pub(super) after: i64,
}

impl Segment {
    /// By how much the clock was moved at its start; negative if it went back.
    pub(super) const fn shift(&self) -> i64 {
        self.offset - self.before
    }

    /// By how much the clock is moved at its end.
    pub(super) const fn shift_at_end(&self) -> i64 {
        self.after - self.offset
    }
}

/// A zone's changes of clock.
#[derive(Debug)]
pub(super) struct Segments {
    /// First seconds, ascending; the first one is the beginning of time.
    starts: Box<[i64]>,
    offsets: Box<[i32]>,
    /// Whether the table is all there is.
    is_whole: bool,
}

impl Segments {
    pub(super) fn of(rules: &TimeZone) -> Self {
        let mut starts = vec![i64::MIN];
        let mut offsets = vec![rules.to_offset(Timestamp::MIN).seconds()];
        let mut is_whole = true;
        for change in rules.following(Timestamp::MIN) {
            let at = change.timestamp().as_second();
            if at >= TABLE_END {
                is_whole = false;
                break;
            }
            // Some changes are of the name alone.
            if offsets.last() != Some(&change.offset().seconds()) {
                starts.push(at);
                offsets.push(change.offset().seconds());
            }
        }
        Self { starts: starts.into(), offsets: offsets.into(), is_whole }
    }

    /// The segment in which the second `at` lies. `rules` are those that the table was made of.
    pub(super) fn around(&self, rules: &TimeZone, at: i64) -> Segment {
        let next = self.starts.partition_point(|start| *start <= at);
        // The first start is the beginning of time, so there is one before.
        let index = next - 1;
        if next == self.starts.len() && !self.is_whole {
            return ask(rules, at);
        }
        let offset = i64::from(self.offsets[index]);
        Segment {
            start: self.starts[index],
            end: self.starts.get(next).copied().unwrap_or(i64::MAX),
            offset,
            before: index.checked_sub(1).map_or(offset, |before| i64::from(self.offsets[before])),
            after: self.offsets.get(next).map_or(offset, |after| i64::from(*after)),
        }
    }
}

/// The segment in which `at` lies, from the rules.
fn ask(rules: &TimeZone, at: i64) -> Segment {
    let offset_at = |second: i64| i64::from(rules.to_offset(clamp(second)).seconds());
    let second = |change: &TimeZoneTransition<'_>| change.timestamp().as_second();
    let moves = |change: &TimeZoneTransition<'_>| {
        i64::from(change.offset().seconds()) != offset_at(second(change).saturating_sub(1))
    };
    let offset = offset_at(at);
    let last = rules.preceding(clamp(at.saturating_add(1))).find(moves);
    let next = rules.following(clamp(at)).find(moves);
    let start = last.as_ref().map(second);
    Segment {
        start: start.unwrap_or(i64::MIN),
        end: next.as_ref().map_or(i64::MAX, second),
        offset,
        before: start.map_or(offset, |start| offset_at(start.saturating_sub(1))),
        after: next.map_or(offset, |change| i64::from(change.offset().seconds())),
    }
}

fn clamp(second: i64) -> Timestamp {
    let end = if second < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(second).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::super::zone::ZoneDb;
    use super::*;

    /// What was in the table, and what lies beyond it, must be told alike.
    #[test]
    fn table_says_what_the_rules_say_in_every_zone() {
        let zones = ZoneDb::bundled();
        for name in zones.names() {
            let Ok(zone) = zones.get(name) else { continue };
            let table = Segments::of(zone.rules());
            let mut at = Timestamp::constant(-2_208_988_800, 0).as_second();
            while at < TABLE_END {
                let found = table.around(zone.rules(), at);
                assert_eq!(found, ask(zone.rules(), at), "{name} at {at}");
                if found.end == i64::MAX {
                    break;
                }
                assert_eq!(table.around(zone.rules(), found.end - 1), found, "{name} at {at}");
                at = found.end;
            }
        }
    }

    #[test]
    fn beyond_the_table_the_rules_go_on() {
        let berlin = ZoneDb::bundled().get("Europe/Berlin").expect("a known zone");
        let at: Timestamp = "2500-07-01T00:00:00Z".parse().expect("an instant");
        let segment = berlin.segment(at.as_second());
        assert_eq!((segment.offset, segment.before, segment.after), (7_200, 3_600, 3_600));
        let start = Timestamp::from_second(segment.start).expect("an instant");
        assert_eq!(start.to_string(), "2500-03-28T01:00:00Z");
    }
}
