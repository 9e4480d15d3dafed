//! What a schedule will do: its next occurrences, and what changes of clock do to it.

use std::ops::Range;

use crate::model::{FoldPolicy, GapPolicy, Timestamp};

use super::describe::list;
use super::segment::Segment;
use super::{Opening, Permit, Preview, Rule, Schedule, Zone, floor_millis, instant};

/// So far ahead changes of clock are told: the next one of each kind, wherever it is.
const SECONDS_AHEAD: i64 = 400 * 86_400;
/// At most so many changes are told. Some zones change for each Ramadan as well.
const CHANGES_MAX: usize = 4;
/// At most so many times of day are named in a sentence.
const TIMES_MAX: usize = 3;
/// At most so many are counted, which is every second of two hours.
const COUNTED_MAX: usize = 7_200;

impl Schedule {
    /// What it will do: the next `count` occurrences (of an interval at or after `from`, of an expression after it), and
    /// what is odd about them, such as changes of clock.
    #[must_use]
    pub fn preview(&self, from: Timestamp, count: usize) -> Preview {
        let floor = floor_millis(from);
        let after = match self.rule {
            Rule::Interval(_) if instant(floor) == from => floor.saturating_sub(1),
            Rule::Interval(_) | Rule::Cron(_) | Rule::Boot(_) => floor,
        };
        let next = std::iter::successors(self.next_millis(after), |last| self.next_millis(*last))
            .take(count)
            .map(|due| self.opening(instant(due)))
            .collect();
        let mut warnings = self.warnings.to_vec();
        warnings.extend(self.clock_changes(floor.div_euclid(1_000)));
        Preview { next, warnings }
    }

    /// The occurrence due at `due_at`.
    #[must_use]
    pub fn opening(&self, due_at: Timestamp) -> Opening {
        Opening { due_at, opens_at: self.opens_at(due_at) }
    }

    /// A sentence for each of the next changes of clock that does something to it.
    fn clock_changes(&self, from: i64) -> Vec<String> {
        let mut told = Vec::new();
        let mut segment = self.zone().segment(from);
        while segment.end < from.saturating_add(SECONDS_AHEAD) && told.len() < CHANGES_MAX {
            segment = self.zone().segment(segment.end);
            told.extend(self.clock_change(&segment));
        }
        told
    }

    /// What the change of clock at the start of `segment` does to it.
    fn clock_change(&self, segment: &Segment) -> Option<String> {
        let Segment { start, offset, before, .. } = *segment;
        let shift = segment.shift();
        let walls = if shift > 0 {
            self.named_walls(segment, start + before..start + offset)
        } else {
            self.named_walls(segment, start + offset..start + before)
        };
        let first = *walls.first()?;
        // The day is told by the wall clock that people see when it happens.
        let date = wall_text(first, "%-d %B %Y");
        let what = times(&walls);
        let plural = walls.len() > 1;
        let sentence = if shift > 0 {
            let does = if plural { "do" } else { "does" };
            let outcome = self.gap_outcome(segment, first, plural)?;
            format!("{date}: {what} {does} not exist, {outcome}")
        } else {
            let comes = if plural { "come" } else { "comes" };
            let outcome = self.fold_outcome(segment, plural)?;
            format!("{date}: {what} {comes} twice, {outcome}")
        };
        let is_open =
            |at: i64| matches!(self.filter.permit(at * 1_000, self.zone()), Permit::Open { .. });
        let at = if shift > 0 { start } else { first - before };
        is_open(at).then_some(sentence)
    }

    fn gap_outcome(&self, segment: &Segment, first: i64, plural: bool) -> Option<String> {
        let policy = match &self.rule {
            Rule::Interval(recurrence) => recurrence.gap(),
            Rule::Cron(cron) => cron.changes().gap(segment.shift()),
            Rule::Boot(_) => return None,
        };
        Some(match (policy, plural) {
            (GapPolicy::Skip, false) => "does not run".to_owned(),
            (GapPolicy::Skip, true) => "do not run".to_owned(),
            (GapPolicy::After, false) => {
                format!("runs {}", time(segment.start + segment.offset))
            }
            (GapPolicy::After, true) => {
                format!("one run at {} instead", time(segment.start + segment.offset))
            }
            (GapPolicy::Shift, false) => format!("runs {}", time(first + segment.shift())),
            (GapPolicy::Shift, true) => {
                format!(
                    "run later by the length of the gap, from {} on",
                    time(first + segment.shift())
                )
            }
        })
    }

    fn fold_outcome(&self, segment: &Segment, plural: bool) -> Option<String> {
        let policy = match &self.rule {
            Rule::Interval(recurrence) => recurrence.fold(),
            Rule::Cron(cron) => cron.changes().fold(-segment.shift()),
            Rule::Boot(_) => return None,
        };
        let run = if plural { "run" } else { "runs" };
        Some(match policy {
            FoldPolicy::First => {
                format!("{run} the first time only, at UTC{}", offset(segment.before))
            }
            FoldPolicy::Last => {
                format!("{run} the last time only, at UTC{}", offset(segment.offset))
            }
            FoldPolicy::Both => format!("{run} both times"),
        })
    }

    /// Wall times, in seconds, that it names and that a change of clock skips or repeats. None where it follows the
    /// clock through all hours: nobody notices that.
    fn named_walls(&self, segment: &Segment, walls: Range<i64>) -> Vec<i64> {
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.wall_near(segment.start * 1_000, &walls),
            Rule::Cron(cron) if cron.is_hourly() => Vec::new(),
            Rule::Cron(cron) => cron.named_walls(walls).take(COUNTED_MAX).collect(),
            Rule::Boot(_) => Vec::new(),
        }
    }
}

/// A change of a zone's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockChange {
    /// When.
    pub at: Timestamp,
    /// The offset before, such as `+02:00`.
    pub before: String,
    /// The offset from then on.
    pub after: String,
}

impl Zone {
    /// The changes of its clock from `from` on and before `to`, in their order.
    pub fn clock_changes(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = ClockChange> + '_ {
        // One that comes at `from` begins the segment in which `from` lies.
        let first = self.segment(floor_millis(from).div_euclid(1_000) - 1);
        let next = |last: &Segment| (last.end < i64::MAX).then(|| self.segment(last.end));
        let segments = std::iter::successors(next(&first), next);
        segments
            .map_while(|segment| Some((Timestamp::from_second(segment.start).ok()?, segment)))
            .skip_while(move |(at, _)| *at < from)
            .take_while(move |(at, _)| *at < to)
            .map(|(at, segment)| ClockChange {
                at,
                before: offset(segment.before),
                after: offset(segment.offset),
            })
    }
}

/// `02:00, 02:15, 02:30 and 1 more`.
fn times(walls: &[i64]) -> String {
    let mut named: Vec<String> = walls.iter().take(TIMES_MAX).map(|wall| time(*wall)).collect();
    let more = walls.len() - named.len();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    list(&named, "and")
}

fn time(wall: i64) -> String {
    wall_text(wall, if wall % 60 == 0 { "%H:%M" } else { "%H:%M:%S" })
}

fn wall_text(wall: i64, format: &str) -> String {
    // A wall clock is printed as if it were in UTC.
    Timestamp::from_second(wall).map(|at| at.strftime(format).to_string()).unwrap_or_default()
}

/// `+02:00`.
fn offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
