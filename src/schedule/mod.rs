//! When a job is due: schedules as data, and the instants they name.
//!
//! A schedule is a repeating interval, `R[n]/start/period`, or a line of cron. Both are read once and then only asked:
//! which occurrence comes after an instant, which lie in a stretch of time, how many are left. Every answer is
//! calculated from the text and the zone alone, in bounded time.
//!
//! Occurrences are whole milliseconds. At a change of clock the two kinds differ, on purpose: an interval moves a
//! skipped wall time forward by the length of the gap (`recurrence.rs`), cron runs it at the first instant after the gap
//! (`cron/mod.rs`).
//!
//! Knows no clock, no job, and nothing of what became of an occurrence.

#![deny(clippy::disallowed_types)]

#[cfg(test)]
mod interval_tests;

mod cron;
mod error;
mod iso8601;
mod period;
mod recurrence;
mod zone;
mod zone_files;
mod zone_names;

use crate::model::limits::SCHEDULE_BYTES_MAX;
use crate::model::{ScheduleTerms, Timestamp};

pub use error::ScheduleError;
pub use period::parse_period;
pub use zone::{HOST_ZONES, Zone, ZoneChoice, ZoneDb, ZoneSource};
pub use zone_names::chronos_meaning;

use cron::Cron;
use error::Source;
use recurrence::Recurrence;

/// When something is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    rule: Rule,
    warnings: Box<[String]>,
}

#[derive(Debug, Clone)]
enum Rule {
    Interval(Recurrence),
    Cron(Cron),
}

/// Occurrences in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first of them.
    pub first: Timestamp,
    /// The last that was counted.
    pub last: Timestamp,
    /// How many instants, at least 1 and at most the limit given.
    pub count: u64,
    /// Whether all were counted; otherwise the limit was reached, and more follow after `last`.
    pub complete: bool,
}

/// What a schedule will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Occurrences, the first one first.
    pub next: Vec<Opening>,
    /// What is legal but perhaps not meant, and what changes of clock do to it, a sentence each.
    pub warnings: Vec<String>,
}

/// An occurrence and when its start window opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The instant that the schedule names.
    pub due_at: Timestamp,
    /// Later than that by the occurrence's share of the jitter.
    pub opens_at: Timestamp,
}

/// How many occurrences are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// The schedule has no count.
    Unlimited,
    /// Of `Rn`; 0 if it is exhausted.
    Count(u64),
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// `zone` is a name of the zone database, or empty: then an interval keeps the offset written in its start, and
    /// everything else is UTC. `accepted_at` is the start of an interval that has an empty one.
    ///
    /// # Errors
    ///
    /// Refuses what is not one, with the place in the text and what to write instead.
    pub fn parse(
        text: &str,
        zone: &str,
        accepted_at: Timestamp,
        zones: &ZoneDb,
    ) -> Result<Self, ScheduleError> {
        let source = Source::new("schedule", text);
        if text.len() > SCHEDULE_BYTES_MAX {
            return Err(source.refuse_all(|found| {
                format!("schedule {found} is too long: write at most {SCHEDULE_BYTES_MAX} bytes")
            }));
        }
        if text.trim().is_empty() {
            return Err(source.refuse_all(|_| {
                "the schedule is empty: expected something like `R/2026-03-01T13:00:00Z/P1D` \
                 or `30 2 * * *`"
                    .to_owned()
            }));
        }
        let zone = if zone.is_empty() { None } else { Some(zones.get(zone)?) };
        if is_interval(text) {
            return Self::parse_interval(source, zone, accepted_at);
        }
        let (cron, warnings) = Cron::parse(source, zone.unwrap_or_else(Zone::utc))?;
        Ok(Self { rule: Rule::Cron(cron), warnings: warnings.into() })
    }

    fn parse_interval(
        source: Source<'_>,
        zone: Option<Zone>,
        accepted_at: Timestamp,
    ) -> Result<Self, ScheduleError> {
        let accepted_at = floor_millis(accepted_at);
        let interval = iso8601::read(source)?;
        let recurrence = Recurrence::new(source, interval, zone, accepted_at)?;
        let warnings = interval_warnings(&recurrence, accepted_at);
        Ok(Self { rule: Rule::Interval(recurrence), warnings })
    }

    /// Reads everything a job says about its occurrences. `name` is the job's: what is spread is spread by it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`], of any of the terms.
    pub fn of(
        name: &str,
        terms: &ScheduleTerms,
        accepted_at: Timestamp,
        zones: &ZoneDb,
    ) -> Result<Self, ScheduleError> {
        let _ = name;
        Self::parse(&terms.text, &terms.zone, accepted_at, zones)
    }

    /// When the start window of the occurrence due at `due_at` opens: later by its share of the jitter, and before the
    /// next occurrence.
    #[must_use]
    pub fn opens_at(&self, due_at: Timestamp) -> Timestamp {
        due_at
    }

    /// The instant up to which every occurrence after `after` has had its window opened by `at`. No occurrence that is
    /// due later has; so this is `at`, or a little before an occurrence that is due and waits for its jitter.
    #[must_use]
    pub fn opened_through(&self, after: Timestamp, at: Timestamp) -> Timestamp {
        let _ = after;
        at
    }

    /// Whether it names no instants but each start of the machine (`@reboot`).
    #[must_use]
    pub fn is_at_boot(&self) -> bool {
        false
    }

    /// The schedule in plain English, such as `at 02:30 every day`.
    #[must_use]
    pub fn description(&self) -> String {
        String::new()
    }

    /// What it will do: the next `count` occurrences (of an interval at or after `from`, of an expression after it), and
    /// what is odd about them, such as changes of clock.
    #[must_use]
    pub fn preview(&self, from: Timestamp, count: usize) -> Preview {
        let _ = (from, count);
        Preview { next: Vec::new(), warnings: Vec::new() }
    }

    /// The first occurrence strictly after `after`, or `None` if there is none before the year 10000.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = floor_millis(after);
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.next_after(after).map(instant),
            Rule::Cron(cron) => cron.next_after(after).map(instant),
        }
    }

    /// The last occurrence in `(after, through]`.
    #[must_use]
    pub fn last_through(&self, after: Timestamp, through: Timestamp) -> Option<Timestamp> {
        let (after, through) = (floor_millis(after), floor_millis(through));
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.last_through(after, through).map(instant),
            Rule::Cron(cron) => cron.last_through(after, through).map(instant),
        }
    }

    /// The occurrences in `(after, through]`, at most `limit` of them; `None` if there are none.
    ///
    /// Costs nothing in proportion to their number for an interval; cron visits each of them.
    #[must_use]
    pub fn stretch(&self, after: Timestamp, through: Timestamp, limit: u64) -> Option<Span> {
        let (after, through) = (floor_millis(after), floor_millis(through));
        let counted = match &self.rule {
            Rule::Interval(recurrence) => recurrence.stretch(after, through, limit)?,
            Rule::Cron(cron) => cron.stretch(after, through, limit)?,
        };
        Some(Span {
            first: instant(counted.first),
            last: instant(counted.last),
            count: counted.instants,
            complete: counted.complete,
        })
    }

    /// How many occurrences after `after` are left. Missed ones count as much as any other.
    ///
    /// Where a zone left out a whole day two occurrences can fall on one instant; then this falls by two at once.
    #[must_use]
    pub fn remaining_after(&self, after: Timestamp) -> Remaining {
        let after = floor_millis(after);
        let left = match &self.rule {
            Rule::Interval(recurrence) => recurrence.remaining_after(after),
            Rule::Cron(_) => None,
        };
        left.map_or(Remaining::Unlimited, Remaining::Count)
    }

    /// The n of `Rn`.
    #[must_use]
    pub fn is_repeating_count(&self) -> Option<u64> {
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.count(),
            Rule::Cron(_) => None,
        }
    }

    /// The zone whose calendar and wall clock it follows.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.zone(),
            Rule::Cron(cron) => cron.zone(),
        }
    }

    /// Whether it is a cron expression.
    #[must_use]
    pub fn is_cron(&self) -> bool {
        matches!(self.rule, Rule::Cron(_))
    }

    /// What is legal but perhaps not meant, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Whether a text is meant as a repeating interval. No field of cron begins with an `R`.
fn is_interval(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['R', 'r']) && (text.contains('/') || !text.contains([' ', '\t']))
}

fn interval_warnings(recurrence: &Recurrence, accepted_at: i64) -> Box<[String]> {
    let warning = match (recurrence.count(), recurrence.remaining_after(accepted_at)) {
        (Some(0), _) => "`R0` names no occurrence: the job never runs by itself".to_owned(),
        // A job posted with an empty start is due at once; only what was due earlier is over.
        (Some(_), Some(0)) if recurrence.next_after(accepted_at.saturating_sub(1)).is_none() => {
            "all occurrences were due before the schedule was accepted: the job is exhausted"
                .to_owned()
        }
        (_, _) => return Box::default(),
    };
    Box::new([warning])
}

/// Whole milliseconds since 1970, rounded towards the past, so that comparing with an occurrence stays right.
fn floor_millis(at: Timestamp) -> i64 {
    let millis = at.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(millis).expect("timestamps end at the year 9999, long before milliseconds do")
}

fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("occurrences are looked for among timestamps only")
}
