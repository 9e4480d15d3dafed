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
#[cfg(test)]
mod terms_tests;

mod calendar;
mod cron;
mod describe;
mod error;
mod filter;
mod iso8601;
mod period;
mod preview;
mod recurrence;
mod segment;
pub mod spread;
mod zone;
mod zone_files;
mod zone_names;

use crate::model::limits::SCHEDULE_BYTES_MAX;
use crate::model::{DstPolicy, Duration, ScheduleTerms, Timestamp, just_before};

pub use cron::{DebianReading, as_debian_reads};
pub use describe::list;
pub use error::ScheduleError;
pub use period::parse_period;
pub use preview::ClockChange;
pub use zone::{HOST_ZONES, Zone, ZoneChoice, ZoneDb, ZoneSource};
pub use zone_names::chronos_meaning;

use cron::Cron;
use error::Source;
use filter::{Filter, Permit};
use recurrence::{Counted, Recurrence};

/// When something is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    rule: Rule,
    filter: Filter,
    jitter: Jitter,
    warnings: Box<[String]>,
}

#[derive(Debug, Clone)]
enum Rule {
    Interval(Recurrence),
    Cron(Cron),
    /// Each start of the machine, which no calculation can tell.
    Boot(Zone),
}

/// How starts are spread.
#[derive(Debug, Clone, Copy, Default)]
struct Jitter {
    /// Over so many milliseconds.
    millis: i64,
    /// The hash of the job's name.
    key: u64,
}

/// A search leaps over at most so many stretches that calendars close or leave without an occurrence; then it takes the
/// schedule for over. Calendars that agree with a schedule need a few, at worst one a day between two agreements.
const LEAPS_MAX: usize = 4_096;

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
        Self::of("", &ScheduleTerms::plain(text, zone), accepted_at, zones)
    }

    /// Reads everything a job says about its occurrences. `name` is the job's: what is spread is spread by it, unless the
    /// terms name another.
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
        let name = if terms.spread_by.is_empty() { name } else { &terms.spread_by };
        let (rule, mut warnings) = read_rule(name, terms, accepted_at, zones)?;
        let jitter = read_jitter(name, terms)?;
        let filter = Filter::new(terms, rule.zone())?;
        if matches!(rule, Rule::Boot(_)) {
            refuse_what_needs_instants(terms)?;
        }
        let mut schedule = Self { rule, filter, jitter, warnings: Box::default() };
        schedule.check_filter(terms, accepted_at, &mut warnings)?;
        schedule.warnings = warnings.into();
        Ok(schedule)
    }

    /// Refuses calendars that leave nothing, and warns of a time that is over.
    fn check_filter(
        &self,
        terms: &ScheduleTerms,
        accepted_at: Timestamp,
        warnings: &mut Vec<String>,
    ) -> Result<(), ScheduleError> {
        let accepted_at = floor_millis(accepted_at);
        if self.filter.is_empty() || self.rule.next_after(accepted_at).is_none() {
            return Ok(());
        }
        if self.rule.next_permitted(accepted_at, &self.filter).is_some() {
            return Ok(());
        }
        // What is over was right once: a job may outlive its dates. What never was is a mistake.
        if let Some(calendars) = self.filter.calendars_alone()
            && self.rule.next_permitted(0, &calendars).is_none()
        {
            let refused = Source::new("schedule", &terms.text).refuse_all(|found| {
                format!(
                    "no occurrence of {found} passes all of them: allow a time at which it is due"
                )
            });
            return Err(ScheduleError { field: "calendars".into(), span: 0..0, ..refused });
        }
        warnings.push(
            "nothing that `notBefore`, `notAfter` and `calendars` let pass is due any more: \
             the job never runs by itself"
                .to_owned(),
        );
        Ok(())
    }

    /// The first occurrence strictly after `after`, or `None` if there is none before the year 10000.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.next_millis(floor_millis(after)).map(instant)
    }

    /// Whether `at` is an occurrence.
    #[must_use]
    pub fn names(&self, at: Timestamp) -> bool {
        self.next_after(just_before(at)) == Some(at)
    }

    fn next_millis(&self, after: i64) -> Option<i64> {
        if self.filter.is_empty() {
            return self.rule.next_after(after);
        }
        self.rule.next_permitted(after, &self.filter)
    }

    /// The last occurrence in `(after, through]`.
    #[must_use]
    pub fn last_through(&self, after: Timestamp, through: Timestamp) -> Option<Timestamp> {
        let (after, through) = (floor_millis(after), floor_millis(through));
        if let (Rule::Interval(recurrence), true) = (&self.rule, self.filter.is_empty()) {
            return recurrence.last_through(after, through).map(instant);
        }
        // By bisection: whether an occurrence follows an instant by `through` can only change from yes to no.
        let next = |after| self.next_millis(after).filter(|next| *next <= through);
        let mut last = next(after)?;
        let (mut low, mut high) = (last, through);
        while low < high {
            let middle = low + (high - low) / 2;
            match next(middle) {
                Some(later) => (last, low) = (later, later),
                None => high = middle,
            }
        }
        Some(instant(last))
    }

    /// The occurrences in `(after, through]`, at most `limit` of them; `None` if there are none.
    ///
    /// Costs nothing in proportion to their number for an interval; cron visits each of them.
    #[must_use]
    pub fn stretch(&self, after: Timestamp, through: Timestamp, limit: u64) -> Option<Span> {
        let (after, through) = (floor_millis(after), floor_millis(through));
        let counted = if self.filter.is_empty() {
            self.rule.stretch(after, through, limit)?
        } else {
            self.rule.stretch_permitted(after, through, limit, &self.filter)?
        };
        Some(Span {
            first: instant(counted.first),
            last: instant(counted.last),
            count: counted.instants,
            complete: counted.complete,
        })
    }

    /// When the start window of the occurrence due at `due_at` opens: later by its share of the jitter, and before the
    /// next occurrence.
    #[must_use]
    pub fn opens_at(&self, due_at: Timestamp) -> Timestamp {
        if self.jitter.millis == 0 {
            return due_at;
        }
        let due = floor_millis(due_at);
        let room = self.next_millis(due).map_or(i64::MAX, |next| next - due);
        let room = room.min(self.jitter.millis).unsigned_abs();
        let share = spread::below(spread::mix(self.jitter.key, due), room);
        let share = i64::try_from(share).expect("less than the jitter");
        Timestamp::from_millisecond(due.saturating_add(share)).unwrap_or(Timestamp::MAX)
    }

    /// The instant up to which every occurrence after `after` has had its window opened by `at`. No occurrence that is
    /// due later has; so this is `at`, or a little before an occurrence that is due and waits for its jitter.
    #[must_use]
    pub fn opened_through(&self, after: Timestamp, at: Timestamp) -> Timestamp {
        if self.jitter.millis == 0 {
            return at;
        }
        // A window opens before the next occurrence is due, so only the last one may still be waiting.
        match self.last_through(after, at) {
            Some(last) if self.opens_at(last) > at => {
                last.checked_sub(Duration::from_nanos(1)).unwrap_or(last)
            }
            Some(_) | None => at,
        }
    }

    /// How many occurrences after `after` are left. Missed ones count as much as any other, and so do those outside
    /// its bounds and calendars.
    ///
    /// Where a zone left out a whole day two occurrences can fall on one instant; then this falls by two at once.
    #[must_use]
    pub fn remaining_after(&self, after: Timestamp) -> Remaining {
        let after = floor_millis(after);
        let left = match &self.rule {
            Rule::Interval(recurrence) => recurrence.remaining_after(after),
            Rule::Cron(_) | Rule::Boot(_) => None,
        };
        left.map_or(Remaining::Unlimited, Remaining::Count)
    }

    /// The n of `Rn`.
    #[must_use]
    pub fn is_repeating_count(&self) -> Option<u64> {
        match &self.rule {
            Rule::Interval(recurrence) => recurrence.count(),
            Rule::Cron(_) | Rule::Boot(_) => None,
        }
    }

    /// The start of a repeating interval.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        match &self.rule {
            Rule::Interval(recurrence) => Timestamp::from_millisecond(recurrence.start()).ok(),
            Rule::Cron(_) | Rule::Boot(_) => None,
        }
    }

    /// The text of `terms`, from which this was read, with the start written out where it was left empty: so it names the
    /// same occurrences whenever it is read.
    #[must_use]
    pub fn with_start(&self, terms: &ScheduleTerms) -> String {
        match (&self.rule, terms.text.split_once("//")) {
            (Rule::Interval(recurrence), Some((repetition, period))) => {
                let start = recurrence.print_start(!terms.zone.is_empty());
                format!("{repetition}/{start}/{period}")
            }
            (Rule::Interval(_) | Rule::Cron(_) | Rule::Boot(_), _) => terms.text.clone(),
        }
    }

    /// The zone whose calendar and wall clock it follows.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        self.rule.zone()
    }

    /// Whether it is a cron expression.
    #[must_use]
    pub fn is_cron(&self) -> bool {
        match self.rule {
            Rule::Cron(_) | Rule::Boot(_) => true,
            Rule::Interval(_) => false,
        }
    }

    /// Whether it names no instants but each start of the machine (`@reboot`).
    #[must_use]
    pub fn is_at_boot(&self) -> bool {
        matches!(self.rule, Rule::Boot(_))
    }

    /// What is legal but perhaps not meant, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Rule {
    fn zone(&self) -> &Zone {
        match self {
            Self::Interval(recurrence) => recurrence.zone(),
            Self::Cron(cron) => cron.zone(),
            Self::Boot(zone) => zone,
        }
    }

    fn next_after(&self, after: i64) -> Option<i64> {
        match self {
            Self::Interval(recurrence) => recurrence.next_after(after),
            Self::Cron(cron) => cron.next_after(after),
            Self::Boot(_) => None,
        }
    }

    fn stretch(&self, after: i64, through: i64, limit: u64) -> Option<Counted> {
        match self {
            Self::Interval(recurrence) => recurrence.stretch(after, through, limit),
            Self::Cron(cron) => cron.stretch(after, through, limit),
            Self::Boot(_) => None,
        }
    }

    /// The first occurrence after `after` that passes the filter.
    fn next_permitted(&self, mut after: i64, filter: &Filter) -> Option<i64> {
        for _ in 0..LEAPS_MAX {
            let due = self.next_after(after)?;
            match filter.permit(due, self.zone()) {
                Permit::Open { .. } => return Some(due),
                Permit::Closed { until: i64::MAX } => return None,
                Permit::Closed { until } => after = due.max(until - 1),
            }
        }
        None
    }

    /// As [`Self::stretch`], of those that pass: counted from one open time to the next.
    fn stretch_permitted(
        &self,
        mut after: i64,
        through: i64,
        limit: u64,
        filter: &Filter,
    ) -> Option<Counted> {
        let through = filter.not_after().map_or(through, |last| last.min(through));
        let mut all: Option<Counted> = None;
        for _ in 0..LEAPS_MAX {
            let left = limit - all.map_or(0, |all| all.instants);
            let due = self.next_permitted(after, filter).filter(|due| *due <= through);
            let Some(due) = due else { return all };
            if left == 0 {
                return all.map(|all| Counted { complete: false, ..all });
            }
            let Permit::Open { until } = filter.permit(due, self.zone()) else { return all };
            let part = self.stretch(due - 1, through.min(until - 1), left)?;
            after = if part.complete { through.min(until - 1) } else { part.last };
            let (first, instants) = all.map_or((part.first, 0), |all| (all.first, all.instants));
            all = Some(Counted { first, instants: instants + part.instants, ..part });
        }
        all.map(|all| Counted { complete: false, ..all })
    }
}

/// Reads schedule and zone.
fn read_rule(
    name: &str,
    terms: &ScheduleTerms,
    accepted_at: Timestamp,
    zones: &ZoneDb,
) -> Result<(Rule, Vec<String>), ScheduleError> {
    let ScheduleTerms { text, zone, dst, .. } = terms;
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
        let accepted_at = floor_millis(accepted_at);
        let interval = iso8601::read(source)?;
        let recurrence = Recurrence::new(source, interval, zone, *dst, accepted_at)?;
        let warnings = interval_warnings(&recurrence, *dst, accepted_at);
        return Ok((Rule::Interval(recurrence), warnings));
    }
    let (from, zone) = read_zone_prefix(source, zone, zones)?;
    let zone = zone.unwrap_or_else(Zone::utc);
    if text[from..].trim() == cron::REBOOT {
        return Ok((Rule::Boot(zone), Vec::new()));
    }
    let (cron, warnings) = Cron::parse(source, from, name, zone, *dst)?;
    Ok((Rule::Cron(cron), warnings))
}

/// Reads `CRON_TZ=` or `TZ=` and the zone behind it; returns the place after them.
fn read_zone_prefix(
    source: Source<'_>,
    given: Option<Zone>,
    zones: &ZoneDb,
) -> Result<(usize, Option<Zone>), ScheduleError> {
    let blanks = source.text.len() - source.text.trim_start_matches([' ', '\t']).len();
    let rest = &source.text[blanks..];
    let Some(value) = rest.strip_prefix("CRON_TZ=").or_else(|| rest.strip_prefix("TZ=")) else {
        return Ok((0, given));
    };
    let start = source.text.len() - value.len();
    let end = value.find([' ', '\t']).map_or(source.text.len(), |length| start + length);
    let zone = zones.get(&source.text[start..end]).map_err(|error| ScheduleError {
        field: "schedule".into(),
        span: start..end,
        ..error
    })?;
    if is_interval(&source.text[end..]) {
        return Err(source.refuse(blanks..end, |found| {
            format!(
                "{found} is for expressions of cron: leave it out, and write the zone of an interval into \
                 `scheduleTimeZone`"
            )
        }));
    }
    if let Some(given) = given.filter(|given| given.name() != zone.name()) {
        return Err(source.refuse(blanks..end, |found| {
            format!(
                "{found} contradicts `scheduleTimeZone`, which is `{}`: leave one of them out",
                given.name()
            )
        }));
    }
    Ok((end, Some(zone)))
}

fn read_jitter(name: &str, terms: &ScheduleTerms) -> Result<Jitter, ScheduleError> {
    let Some(jitter) = &terms.jitter else { return Ok(Jitter::default()) };
    let millis = i64::try_from(jitter.span.as_millis()).ok().filter(|millis| *millis >= 0);
    let millis = millis.ok_or_else(|| {
        Source::new("jitter", &jitter.text).refuse_all(|found| {
            format!("jitter {found} is beyond all calendars: write a shorter period")
        })
    })?;
    Ok(Jitter { millis, key: spread::of_name(name) })
}

/// Nothing but the schedule itself can be said of starts of the machine.
fn refuse_what_needs_instants(terms: &ScheduleTerms) -> Result<(), ScheduleError> {
    let ScheduleTerms {
        text,
        zone: _,
        dst: _,
        jitter,
        not_before,
        not_after,
        calendars,
        spread_by: _,
    } = terms;
    let given = [
        ("jitter", jitter.is_some()),
        ("notBefore", !not_before.is_empty()),
        ("notAfter", !not_after.is_empty()),
        ("calendars", !calendars.is_empty()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((field, _)) => {
            let refused = Source::new("schedule", text).refuse_all(|found| {
                format!(
                    "`{field}` cannot be used with {found}, which names no instants: leave it out"
                )
            });
            Err(ScheduleError { field: (*field).into(), span: 0..0, ..refused })
        }
    }
}

/// Whether a text is meant as a repeating interval. No field of cron begins with an `R`.
#[must_use]
pub fn is_interval(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['R', 'r']) && (text.contains('/') || !text.contains([' ', '\t']))
}

fn interval_warnings(recurrence: &Recurrence, dst: DstPolicy, accepted_at: i64) -> Vec<String> {
    let mut warnings = Vec::new();
    if dst != DstPolicy::default() && recurrence.is_exact() {
        warnings
            .push("`dst` has no effect: hours, minutes and seconds are physical time".to_owned());
    }
    let warning = match (recurrence.count(), recurrence.remaining_after(accepted_at)) {
        (Some(0), _) => "`R0` names no occurrence: the job never runs by itself".to_owned(),
        // A job posted with an empty start is due at once; only what was due earlier is over.
        (Some(_), Some(0)) if recurrence.next_after(accepted_at.saturating_sub(1)).is_none() => {
            "all occurrences were due before the schedule was accepted: the job is exhausted"
                .to_owned()
        }
        (_, _) => return warnings,
    };
    warnings.push(warning);
    warnings
}

/// Whole milliseconds since 1970, rounded towards the past, so that comparing with an occurrence stays right.
fn floor_millis(at: Timestamp) -> i64 {
    let millis = at.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(millis).expect("timestamps end at the year 9999, long before milliseconds do")
}

fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("occurrences are looked for among timestamps only")
}
