//! What is to come: every start that the schedules of all jobs name in a stretch of time, and how crowded it gets.
//!
//! Asks the same schedules that decisions ask, so it names exactly what will be decided and not skipped, as things are now: jobs may
//! change, and runs may still be going on when the next occurrence has come. Knows nothing of offers and overlaps, and
//! nothing of jobs that follow their parents or each start of the machine, whose instants nobody knows.
//!
//! Calculated from copies, because it can take a second: [`plans`] takes them, [`Forecast::of`] works.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::model::limits::{
    FORECAST_CHANGES_MAX, FORECAST_COUNTED_MAX, FORECAST_MINUTES_MAX, FORECAST_NAMED_MAX,
};
use crate::model::{Duration, Job, JobName, Pause, Timestamp, When, just_before};
use crate::schedule::{ClockChange, Opening, Schedule, Zone};

use super::{JobEntry, State, Timing};

const MILLIS_PER_MINUTE: i64 = 60_000;
const MILLIS_PER_HOUR: i64 = 3_600_000;

/// What a forecast has to know of a job that will be decided.
#[derive(Debug, Clone)]
pub struct Plan {
    job: Arc<Job>,
    schedule: Schedule,
    /// Nothing up to here will be decided any more.
    decided_through: Timestamp,
    /// What is due earlier is due in a pause, and will be skipped.
    paused_until: Option<Timestamp>,
    /// What operators want skipped.
    skips: Vec<Timestamp>,
}

/// The plans of all jobs that follow a schedule, or of that one; jobs that are disabled, left alone, or paused until
/// somebody resumes them have none.
#[must_use]
pub fn plans(state: &State, only: Option<&JobName>) -> Vec<Plan> {
    let everything = state.everything_paused();
    let plan = |entry| Plan::of(entry, everything);
    match only {
        Some(name) => state.job(name).and_then(plan).into_iter().collect(),
        None => state.jobs().filter_map(plan).collect(),
    }
}

impl Plan {
    /// Whose it is.
    #[must_use]
    pub fn job(&self) -> &JobName {
        &self.job.name
    }

    fn of(entry: &JobEntry, everything: Option<&Pause>) -> Option<Self> {
        match &entry.timing {
            Timing::Schedule(schedule) if !entry.job.disabled && !entry.is_quarantined => {
                let pauses = entry.interventions.pause.iter().chain(everything);
                let ends = pauses.map(|pause| pause.until).collect::<Option<Vec<_>>>()?;
                Some(Self {
                    job: Arc::clone(&entry.job),
                    schedule: schedule.clone(),
                    decided_through: entry.progress.decided_through,
                    paused_until: ends.into_iter().max(),
                    skips: entry.interventions.skips.iter().map(|skip| skip.due_at).collect(),
                })
            }
            Timing::Schedule(_) | Timing::Parents | Timing::Broken(_) => None,
        }
    }

    /// The occurrences that are to start and whose windows open at `from` or later and before `to`, in their order:
    /// those to be decided, without what is due in a pause or to be skipped.
    pub fn openings(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Opening> + '_ {
        let all = std::iter::successors(self.first(from), |last| self.next(last.due_at));
        all.take_while(move |opening| opening.opens_at < to)
    }

    /// The first occurrence to be decided whose window opens at `from` or later.
    fn first(&self, from: Timestamp) -> Option<Opening> {
        let before = just_before(from);
        // A window opens before the next occurrence is due, so of those due earlier only the last can be waiting.
        if let Some(jitter) = self.jitter() {
            let earliest = before.checked_sub(jitter).unwrap_or(Timestamp::MIN);
            let after = self.decided_through.max(earliest);
            let last = self.schedule.last_through(after, before).map(|due_at| self.opening(due_at));
            let starts = |last: &Opening| last.opens_at >= from && !self.is_left_out(last.due_at);
            if let Some(waiting) = last.filter(starts) {
                return Some(waiting);
            }
        }
        self.next(self.decided_through.max(before))
    }

    /// The first occurrence due after `after` that is to start.
    fn next(&self, after: Timestamp) -> Option<Opening> {
        let after = self.paused_until.map_or(after, |until| after.max(just_before(until)));
        let mut due_at = self.schedule.next_after(after)?;
        // There are few, so few are passed by.
        while self.is_left_out(due_at) {
            due_at = self.schedule.next_after(due_at)?;
        }
        Some(self.opening(due_at))
    }

    fn is_left_out(&self, due_at: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| due_at < until) || self.skips.contains(&due_at)
    }

    fn opening(&self, due_at: Timestamp) -> Opening {
        Opening { due_at, opens_at: self.schedule.opens_at(due_at) }
    }

    fn jitter(&self) -> Option<Duration> {
        match &self.job.when {
            When::Schedule(terms) => terms.jitter.as_ref().map(|jitter| jitter.span),
            When::Parents(_) => None,
        }
    }
}

/// What is to come in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The first starts, in the order in which their windows open.
    pub starts: Vec<Start>,
    /// Minutes in which something starts, in their order; only the most crowded ones of very many.
    pub minutes: Vec<Minute>,
    /// Hours in which something starts, likewise.
    pub hours: Vec<Minute>,
    /// The minute in which most starts, the first of them.
    pub crowded: Option<Minute>,
    /// How many starts were counted.
    pub total: u64,
    /// Whether all were.
    pub complete: bool,
    /// The first changes of clock in the zones of the jobs, with the names of the zones, in the order of time.
    pub clock_changes: Vec<(String, ClockChange)>,
}

/// A start to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Of which job.
    pub job: JobName,
    /// The occurrence.
    pub opening: Opening,
    /// What the wall clock of the job's zone shows when it is due.
    pub local: String,
}

/// A minute in which something starts, or an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// Its first instant.
    pub at: Timestamp,
    /// How many windows open in it.
    pub count: u64,
    /// Whose, the first ones without duplicates.
    pub jobs: Vec<JobName>,
}

impl Forecast {
    /// What starts from `from` on and before `to`, of which at most `listed` are listed.
    #[must_use]
    pub fn of(mut plans: Vec<Plan>, from: Timestamp, to: Timestamp, listed: usize) -> Self {
        // They mostly come by their creation, and mostly were created by their names.
        plans.sort_by(|a, b| a.job.name.cmp(&b.job.name));
        let clock_changes = clock_changes(&plans, from, to);
        let mut upcoming = Upcoming::new(&plans, from, to);
        let (mut crowds, mut hours) =
            (Crowds::of_each(MILLIS_PER_MINUTE), Crowds::of_each(MILLIS_PER_HOUR));
        let mut starts = Vec::new();
        let mut total = 0;
        while total < FORECAST_COUNTED_MAX {
            let Some((plan, opening)) = upcoming.next() else { break };
            total += 1;
            crowds.count(plan, opening.opens_at);
            hours.count(plan, opening.opens_at);
            if starts.len() < listed {
                let local = plan.schedule.zone().print(opening.due_at);
                starts.push(Start { job: plan.job.name.clone(), opening, local });
            }
        }
        let complete = upcoming.next().is_none();
        let ((minutes, crowded), (hours, _)) = (crowds.finish(), hours.finish());
        Self { starts, minutes, hours, crowded, total, complete, clock_changes }
    }
}

/// The starts of many plans as one, in the order in which windows open; at one instant by due, then by name.
struct Upcoming<'p> {
    plans: &'p [Plan],
    to: Timestamp,
    /// The next start of each plan that has one.
    heads: BinaryHeap<Reverse<(Timestamp, Timestamp, usize)>>,
}

impl<'p> Upcoming<'p> {
    fn new(plans: &'p [Plan], from: Timestamp, to: Timestamp) -> Self {
        let mut upcoming = Self { plans, to, heads: BinaryHeap::new() };
        for (index, plan) in plans.iter().enumerate() {
            upcoming.put(index, plan.first(from));
        }
        upcoming
    }

    fn put(&mut self, index: usize, opening: Option<Opening>) {
        if let Some(Opening { due_at, opens_at }) = opening.filter(|next| next.opens_at < self.to) {
            self.heads.push(Reverse((opens_at, due_at, index)));
        }
    }
}

impl<'p> Iterator for Upcoming<'p> {
    type Item = (&'p Plan, Opening);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((opens_at, due_at, index)) = self.heads.pop()?;
        let plan = &self.plans[index];
        self.put(index, plan.next(due_at));
        Some((plan, Opening { due_at, opens_at }))
    }
}

/// The first changes of clock from `from` on and before `to` in the zones of these jobs.
fn clock_changes(plans: &[Plan], from: Timestamp, to: Timestamp) -> Vec<(String, ClockChange)> {
    let zones: BTreeMap<&str, &Zone> =
        plans.iter().map(|plan| plan.schedule.zone()).map(|zone| (zone.name(), zone)).collect();
    let changes = zones.iter().flat_map(|(name, zone)| {
        let changes = zone.clock_changes(from, to).take(FORECAST_CHANGES_MAX);
        changes.map(|change| ((*name).to_owned(), change))
    });
    let mut changes: Vec<_> = changes.collect();
    // Sorting keeps the order of the names among equals.
    changes.sort_by_key(|(_, change)| change.at);
    changes.truncate(FORECAST_CHANGES_MAX);
    changes
}

/// The minutes counted so far, or the hours.
struct Crowds<'p> {
    /// How long each is.
    millis: i64,
    minutes: Vec<Crowd<'p>>,
}

/// A minute being counted.
struct Crowd<'p> {
    /// Minutes since 1970, or hours.
    index: i64,
    count: u64,
    jobs: Vec<&'p JobName>,
}

impl<'p> Crowds<'p> {
    const fn of_each(millis: i64) -> Self {
        Self { millis, minutes: Vec::new() }
    }

    /// Counts one more start. They come in the order of time.
    fn count(&mut self, plan: &'p Plan, opens_at: Timestamp) {
        let index = opens_at.as_millisecond().div_euclid(self.millis);
        if self.minutes.last().is_none_or(|last| last.index != index) {
            // Now and then, so that a year of minutes is never in memory.
            if self.minutes.len() >= 2 * FORECAST_MINUTES_MAX {
                self.keep_most_crowded();
            }
            self.minutes.push(Crowd { index, count: 0, jobs: Vec::new() });
        }
        let Some(minute) = self.minutes.last_mut() else { return };
        minute.count += 1;
        let name = &plan.job.name;
        if minute.jobs.len() < FORECAST_NAMED_MAX && !minute.jobs.contains(&name) {
            minute.jobs.push(name);
        }
    }

    fn keep_most_crowded(&mut self) {
        self.minutes.sort_by_key(|minute| (Reverse(minute.count), minute.index));
        self.minutes.truncate(FORECAST_MINUTES_MAX);
        self.minutes.sort_by_key(|minute| minute.index);
    }

    /// The minutes to be told, and the most crowded of them.
    fn finish(mut self) -> (Vec<Minute>, Option<Minute>) {
        self.keep_most_crowded();
        let millis = self.millis;
        let minutes: Vec<Minute> =
            self.minutes.iter().map(|minute| minute.to_minute(millis)).collect();
        let crowded = minutes.iter().max_by_key(|minute| (minute.count, Reverse(minute.at)));
        let crowded = crowded.cloned();
        (minutes, crowded)
    }
}

impl Crowd<'_> {
    fn to_minute(&self, millis: i64) -> Minute {
        let at = Timestamp::from_millisecond(self.index.saturating_mul(millis));
        Minute {
            at: at.unwrap_or(Timestamp::MIN),
            count: self.count,
            jobs: self.jobs.iter().copied().cloned().collect(),
        }
    }
}
