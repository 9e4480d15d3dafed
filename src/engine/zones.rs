//! What changed zone data does to jobs.
//!
//! The state keeps the data under which each zone in use was last decided. When a term begins with other data, because
//! Chronode or the host was upgraded meanwhile, every job whose next occurrences move is told so, once; then the new
//! data is kept. Data is compared, not its version: most releases change zones that nobody here uses.
//!
//! Decides no occurrence: the schedules of a term are read with the data of that term from its first step on.

use std::collections::BTreeSet;

use crate::model::{Duration, Timestamp, When, limits};
use crate::schedule::{Schedule, ZoneDb};

use super::Step;
use super::decision::Change;
use super::entry::{JobEntry, Timing};

/// How far ahead is looked for occurrences that move: a year and the month in which it may have been decided last.
const AHEAD: Duration = Duration::from_hours(400 * 24);

/// How long before the clocks part an occurrence may move: it may be at the last passing of a wall time, and in other
/// data that is shown again later.
const BEFORE_PARTING: Duration = Duration::from_hours(3);

/// In it the clock never changes, whatever data says.
const UTC: &str = "UTC";

/// Says which jobs have a schedule that names nothing any more. They do not run, and nobody would know.
pub(super) fn tell_broken(step: &mut Step<'_>) {
    for entry in step.state.jobs() {
        if let Timing::Broken(reason) = &entry.timing {
            let text =
                format!("it does not run, because its schedule cannot be used any more: {reason}");
            step.warn(Some(&entry.job.name), text);
        }
    }
}

/// Says which jobs will be due at other instants than under the data kept, and keeps the data in use from now on.
pub(super) fn decide(step: &mut Step<'_>) {
    let state = step.state;
    let zones = &state.settings.zones;
    let in_use: BTreeSet<&str> = state.jobs().flat_map(zones_of).collect();
    let is_changed = |name: &str| {
        let (kept, now) = (state.kept_zone(name), zones.data(name));
        kept.is_some_and(|kept| now.is_some_and(|now| now != kept))
    };
    let changed: BTreeSet<&str> = in_use.iter().copied().filter(|name| is_changed(name)).collect();
    if !changed.is_empty() {
        let data = |name: &&'_ str| state.kept_zone(name).or_else(|| zones.data(name));
        let kept = in_use.iter().filter_map(|name| Some((*name, data(name)?)));
        tell(step, &changed, &ZoneDb::from_kept(kept));
    }
    keep(step, in_use);
}

/// Keeps the data of the zones of a schedule that is about to be stored.
pub(super) fn keep_for(step: &mut Step<'_>, stated: &str, schedule: &Schedule) {
    keep(step, BTreeSet::from([stated, schedule.zone().name()]));
}

fn keep(step: &mut Step<'_>, names: BTreeSet<&str>) {
    let state = step.state;
    for name in names.into_iter().filter(|name| *name != UTC) {
        let Some(data) = state.settings.zones.data(name) else { continue };
        if state.kept_zone(name) != Some(data) {
            step.change(Change::ZoneKept { name: name.to_owned(), data: data.into() });
        }
    }
}

/// The zone a job states and the one its schedule follows, which an expression may name by itself.
fn zones_of(entry: &JobEntry) -> impl Iterator<Item = &str> {
    let stated = match &entry.job.when {
        When::Schedule(terms) => Some(terms.zone.as_str()),
        When::Parents(_) => None,
    };
    let followed = match &entry.timing {
        Timing::Schedule(schedule) => Some(schedule.zone().name()),
        Timing::Parents | Timing::Broken(_) => None,
    };
    stated.into_iter().chain(followed)
}

fn tell(step: &mut Step<'_>, changed: &BTreeSet<&str>, kept: &ZoneDb) {
    let state = step.state;
    let version = state.settings.zones.version();
    let mut budget = limits::ZONE_OCCURRENCES_PER_TERM_MAX;
    let mut left_out = 0_usize;
    for entry in state.jobs() {
        let (Timing::Schedule(now), When::Schedule(terms)) = (&entry.timing, &entry.job.when)
        else {
            continue;
        };
        let zone = now.zone().name();
        if !changed.contains(zone) {
            continue;
        }
        if budget == 0 {
            left_out += 1;
            continue;
        }
        let name = &entry.job.name;
        let before = Schedule::of(name.as_str(), terms, entry.accepted_at, kept);
        // Kept data that can no longer be read says nothing about the present.
        let Ok(before) = &before else { continue };
        let difference =
            Comparison { before, now }.first_difference(step, entry, kept, &mut budget);
        if let Some(difference) = difference {
            let text = format!("time zone data changed for `{zone}` (now {version}): {difference}");
            step.warn(Some(name), text);
        }
    }
    if left_out > 0 {
        let text = format!(
            "time zone data changed (now {version}), and {left_out} more jobs in zones that it \
             changed were not compared: look at when they are due next"
        );
        step.warn(None, text);
    }
}

/// A job's schedule under the data kept and under that in use.
#[derive(Clone, Copy)]
struct Comparison<'s> {
    before: &'s Schedule,
    now: &'s Schedule,
}

impl Comparison<'_> {
    /// What becomes of the first occurrence that is not yet decided and moves, as a sentence.
    ///
    /// Occurrences are at the same instants as long as the clocks show the same, so it is enough to look from where
    /// they part; except those of an exact period whose start has moved, and then the very next one has.
    fn first_difference(
        self,
        step: &Step<'_>,
        entry: &JobEntry,
        kept: &ZoneDb,
        budget: &mut usize,
    ) -> Option<String> {
        let from = entry.progress.decided_through;
        let through = from.max(step.now.wall).saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        self.look(from, through, 1, budget).or_else(|| {
            let zones = &step.state.settings.zones;
            let parted = zones.parted_at(kept, self.now.zone().name(), from, through)?;
            let near = parted.saturating_sub(BEFORE_PARTING).unwrap_or(Timestamp::MIN).max(from);
            self.look(near, through, limits::ZONE_OCCURRENCES_PER_JOB_MAX, budget)
        })
    }

    /// The first difference among the next `limit` occurrences in `(after, through]`.
    fn look(
        self,
        mut after: Timestamp,
        through: Timestamp,
        limit: usize,
        budget: &mut usize,
    ) -> Option<String> {
        for _ in 0..limit.min(*budget) {
            *budget -= 1;
            let soon = |next: Option<Timestamp>| next.is_some_and(|at| at <= through);
            let (before, now) = (self.before.next_after(after), self.now.next_after(after));
            if !soon(before) && !soon(now) {
                return None;
            }
            match (before, now) {
                (Some(before), Some(now)) if before == now => after = now,
                (before, now) => return self.sentence(before, now),
            }
        }
        None
    }

    /// An occurrence that is only there before or only now is told apart from one that moved.
    fn sentence(self, before: Option<Timestamp>, now: Option<Timestamp>) -> Option<String> {
        let gone = |at: Timestamp| format!("nothing is due {at} any more");
        let added = |at: Timestamp| format!("due {at} as well");
        Some(match (before, now) {
            (None, None) => return None,
            (Some(at), None) => gone(at),
            (None, Some(at)) => added(at),
            (Some(at), Some(_)) if self.before.next_after(at) == now => gone(at),
            (Some(_), Some(at)) if self.now.next_after(at) == before => added(at),
            (Some(before), Some(now)) => format!("due {before} is now due {now}"),
        })
    }
}
