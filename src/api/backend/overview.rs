//! Jobs as a page lists them: filtered, counted, from any place of the list.
//!
//! Very many jobs are looked at in parts, so that nobody holds the read view for long; a job that is there all the while
//! is counted once. The plainest list, which a page begins with, looks at none but those it shows.

use std::ops::Deref;
use std::sync::Arc;

use crate::api::brief::{JobState, JobStatus};
use crate::api::needle::Needle;
use crate::engine::glance::{Counts, Kind, Live, LiveJobs, Marks, Tally};
use crate::engine::{JobEntry, State, Timing};
use crate::model::{Incarnation, Job, JobName, Origin, Scope, Timestamp};

/// Jobs looked at before others have a turn: about a millisecond.
const LOOKED_AT_ONCE: usize = 4_096;

/// Which jobs are wanted, in which order, and which part of them.
#[derive(Debug, Clone, Default)]
pub struct OverviewWanted {
    /// Each must be in the name, an owner or the description.
    pub(crate) words: Vec<Needle>,
    /// Only those of which this is one of the owners.
    pub owner: Option<String>,
    /// Only this one.
    pub job: Option<JobName>,
    /// Only those of this kind. Does not count for [`OverviewPage::counts`].
    pub kind: Option<Kind>,
    /// Only those that it covers.
    pub scope: Scope,
    /// By what they are ordered.
    pub order: Order,
    /// The last first.
    pub is_down: bool,
    /// So many are left out before the first.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// By what jobs are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Their names.
    #[default]
    Name,
    /// When they are due next; those that are not come behind the others, whichever way the others are turned.
    NextDue,
    /// When they were created.
    Created,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Name, Self::NextDue, Self::Created];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NextDue => "nextDue",
            Self::Created => "created",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }
}

/// Some of the jobs that are wanted.
#[derive(Debug, Clone, Default)]
pub struct OverviewPage {
    /// How many are wanted.
    pub total: usize,
    /// How many there would be without [`OverviewWanted::kind`], and how many of each kind.
    pub counts: Counts,
    /// Those of the part that was asked for.
    pub jobs: Vec<OverviewJob>,
}

/// A job as a page lists it. Shares the definition.
#[derive(Debug, Clone)]
pub struct OverviewJob {
    /// Which life of its name.
    pub incarnation: Incarnation,
    /// Counts its definitions.
    pub revision: u64,
    /// The definition.
    pub job: Arc<Job>,
    /// Its schedule in words, or why it has none; `None` of a job with parents.
    pub words: Option<String>,
    /// The zone whose wall clock its schedule follows, if it has one.
    pub zone: Option<String>,
    /// Where its runs stand.
    pub state: JobState,
    /// How its last run that counts ended.
    pub status: JobStatus,
    /// Whether it is paused itself.
    pub is_paused: bool,
    /// Whether it is left alone because deciding it went wrong.
    pub is_quarantined: bool,
    /// Whether it is only planned.
    pub is_shadow: bool,
    /// Which source it comes from.
    pub origin: Option<Origin>,
    /// Whether something of it should have been started a while ago.
    pub is_late: bool,
    /// When its next occurrence is due; `None` if there is none.
    pub next_due: Option<Timestamp>,
    /// Runs that succeeded.
    pub success_count: u64,
    /// Runs that failed finally.
    pub error_count: u64,
}

impl OverviewPage {
    /// What there is. `look` gives the state as it is at that moment, `tally` the marks of its jobs, counted; `now` is
    /// what the wall clock shows.
    pub fn of<View: Deref<Target = State>>(
        wanted: &OverviewWanted,
        now: Timestamp,
        tally: impl FnOnce() -> Tally,
        look: impl Fn() -> View,
    ) -> Self {
        let live = LiveJobs::of(&look(), now);
        let (total, counts, shown) = match wanted.order {
            Order::Name | Order::Created if wanted.is_everything() => {
                let counts = tally().counts(&live, now);
                (counts.all, counts, all_of(&look(), wanted))
            }
            Order::Name | Order::NextDue | Order::Created => Sifted::of(wanted, now, &live, &look),
        };
        let state = look();
        // Whoever has been deleted since is left out.
        let entries = shown.iter().filter_map(|incarnation| state.incarnation(*incarnation));
        let jobs = entries.map(|entry| OverviewJob::of(entry, &live, now)).collect();
        Self { total, counts, jobs }
    }
}

impl OverviewWanted {
    /// Whether it leaves no job out.
    fn is_everything(&self) -> bool {
        self.words.is_empty()
            && self.owner.is_none()
            && self.job.is_none()
            && self.kind.is_none()
            && self.scope == Scope::All
    }

    /// Whether a job is wanted, but for its kind.
    fn covers(&self, job: &Job, lower: &mut String) -> bool {
        let mut owners = job.owner.split(',').map(str::trim);
        self.scope.covers(&job.name)
            && self.owner.as_ref().is_none_or(|owner| owners.any(|found| found == owner))
            && self.words.iter().all(|word| {
                let texts = [job.name.as_str(), &job.owner, &job.owner_name, &job.description];
                texts.iter().any(|text| word.is_in(text, lower))
            })
    }
}

/// The wanted part of all jobs, by their names or creation.
fn all_of(state: &State, wanted: &OverviewWanted) -> Vec<Incarnation> {
    fn part(
        all: impl DoubleEndedIterator<Item = Incarnation>,
        wanted: &OverviewWanted,
    ) -> Vec<Incarnation> {
        let (offset, limit) = (wanted.offset, wanted.limit);
        if wanted.is_down {
            all.rev().skip(offset).take(limit).collect()
        } else {
            all.skip(offset).take(limit).collect()
        }
    }
    match wanted.order {
        Order::Name => part(state.names().map(|(_, incarnation)| incarnation), wanted),
        Order::Created | Order::NextDue => {
            part(state.jobs().map(|entry| entry.incarnation), wanted)
        }
    }
}

/// What is found by looking at every job.
struct Sifted<'w> {
    wanted: &'w OverviewWanted,
    counts: Counts,
    total: usize,
    /// In the order in which they were looked at: those of the part alone, where that order is the wanted one.
    found: Vec<(Option<Timestamp>, Incarnation)>,
    lower: String,
}

impl<'w> Sifted<'w> {
    fn of<View: Deref<Target = State>>(
        wanted: &'w OverviewWanted,
        now: Timestamp,
        live: &LiveJobs,
        look: &impl Fn() -> View,
    ) -> (usize, Counts, Vec<Incarnation>) {
        let mut sifted = Self {
            wanted,
            counts: Counts::default(),
            total: 0,
            found: Vec::new(),
            lower: String::new(),
        };
        if let Some(job) = &wanted.job {
            if let Some(entry) = look().job(job) {
                sifted.sift(entry, now, live.get(entry.incarnation));
            }
        } else {
            let mut last = None;
            while let Some(next) = sifted.sift_part(&look(), now, live, last.as_ref()) {
                last = Some(next);
            }
        }
        let (total, counts) = (sifted.total, sifted.counts);
        (total, counts, sifted.shown())
    }

    /// Looks at the jobs behind `last`, and gives the last one it looked at; `None` if there are no more.
    fn sift_part(
        &mut self,
        state: &State,
        now: Timestamp,
        live: &LiveJobs,
        last: Option<&(JobName, Incarnation)>,
    ) -> Option<(JobName, Incarnation)> {
        let (name, life) = (last.map(|last| &last.0), last.map(|last| last.1));
        let is_by_name = self.wanted.order == Order::Name;
        let entries: Box<dyn Iterator<Item = &JobEntry>> = match (is_by_name, self.wanted.is_down) {
            (true, false) => Box::new(state.jobs_by_name(name)),
            (true, true) => Box::new(state.jobs_by_name_down(name)),
            (false, false) => Box::new(state.jobs_after(life)),
            (false, true) => Box::new(state.jobs_down(life)),
        };
        let mut last = None;
        for entry in entries.take(LOOKED_AT_ONCE) {
            last = Some(entry);
            self.sift(entry, now, live.get(entry.incarnation));
        }
        last.map(|entry| (entry.job.name.clone(), entry.incarnation))
    }

    fn sift(&mut self, entry: &JobEntry, now: Timestamp, live: Live) {
        let wanted = self.wanted;
        if !wanted.covers(&entry.job, &mut self.lower) {
            return;
        }
        let marks = Marks::of(entry);
        self.counts.add(&marks, live, now);
        if wanted.kind.is_some_and(|kind| !kind.has(&marks, live, now)) {
            return;
        }
        let is_in_part = match wanted.order {
            Order::NextDue => true,
            Order::Name | Order::Created => {
                self.total >= wanted.offset && self.found.len() < wanted.limit
            }
        };
        if is_in_part {
            self.found.push((entry.next_due(), entry.incarnation));
        }
        self.total += 1;
    }

    /// Those of the part, in the wanted order.
    fn shown(self) -> Vec<Incarnation> {
        let Self { wanted, mut found, .. } = self;
        match wanted.order {
            Order::Name | Order::Created => {}
            Order::NextDue => {
                let (mut due, rest): (Vec<_>, Vec<_>) =
                    found.into_iter().partition(|(due, _)| due.is_some());
                // They came by their creation, that way round; equal ones stay so.
                due.sort_by(|(one, _), (other, _)| {
                    let order = one.cmp(other);
                    if wanted.is_down { order.reverse() } else { order }
                });
                let all = due.into_iter().chain(rest);
                found = all.skip(wanted.offset).take(wanted.limit).collect();
            }
        }
        found.into_iter().map(|(_, incarnation)| incarnation).collect()
    }
}

impl OverviewJob {
    fn of(entry: &JobEntry, live: &LiveJobs, now: Timestamp) -> Self {
        let Live { runs, running, is_late } = live.get(entry.incarnation);
        let Marks { status, is_disabled: _, is_paused, is_quarantined, shadow } = Marks::of(entry);
        let (words, zone) = match &entry.timing {
            Timing::Schedule(schedule) => {
                (Some(schedule.description()), Some(schedule.zone().name().to_owned()))
            }
            Timing::Parents => (None, None),
            Timing::Broken(why) => (Some(format!("cannot be read any more: {why}")), None),
        };
        Self {
            incarnation: entry.incarnation,
            revision: entry.revision,
            job: Arc::clone(&entry.job),
            words,
            zone,
            state: match (runs, running) {
                (0, _) => JobState::Idle,
                (_, 0) => JobState::Queued,
                (_, running) => JobState::Running(running),
            },
            status,
            is_paused,
            is_quarantined,
            is_shadow: shadow.covers(now),
            origin: entry.interventions.origin.clone(),
            is_late,
            next_due: entry.next_due(),
            success_count: entry.stats.success_count,
            error_count: entry.stats.error_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{at, name, record, run, running, settings};
    use crate::clock;
    use crate::engine::Recovered;
    use crate::engine::forecast::{Forecast, plans};
    use crate::model::{JobRecord, RunId, RunState, When};

    /// So many daily jobs, each with an owner, a description and a past, in a zone whose clock changes.
    fn many(count: u64) -> State {
        let template = record("a");
        let job = |number: u64| {
            let mut record = JobRecord { incarnation: Incarnation(number), ..template.clone() };
            record.job.name = name(&format!("job-{number:06}"));
            record.job.owner = "kim@example.org".to_owned();
            record.job.description = format!("sums up what came in through door {number}");
            record.stats.last_success = "2029-12-30T00:00:00.000Z".to_owned();
            record.stats.last_error = format!("2029-12-{:02}T00:00:00.000Z", 1 + number % 31);
            let When::Schedule(terms) = &mut record.job.when else { panic!() };
            terms.text = format!("{} {} * * *", number % 60, number / 60 % 24);
            terms.zone = "Europe/Berlin".to_owned();
            record
        };
        let live = |number: u64| {
            let mut run = run(number, &format!("job-{number:06}"), RunState::Active, Vec::new());
            run.id = RunId::manual(Incarnation(number), 1);
            run.attempts = vec![crate::api::testing::attempt(0, running())];
            run
        };
        let recovered = Recovered {
            jobs: (1..=count).map(job).collect(),
            runs: (1..=count / 100).map(live).collect(),
            last_incarnation: count,
            last_sequence: count,
            ..Recovered::default()
        };
        State::recover(Arc::new(settings()), recovered)
    }

    /// Tells figures: `cargo test --lib -- --ignored --nocapture how_long_pages`.
    #[test]
    #[ignore = "tells how long something takes"]
    #[expect(clippy::print_stdout, reason = "figures are for whoever asks for them")]
    fn how_long_pages_of_very_many_jobs_take() {
        let state = many(100_000);
        let tally = Tally::of(&state);
        // Half a minute after everything was decided: nothing is late.
        let now = at("2030-01-01T00:00:30Z");
        let tell = |what: &str, work: &dyn Fn()| {
            let took = (0..5).map(|_| {
                let begun = clock::boot();
                work();
                clock::boot().since(begun).as_secs_f64() * 1_000.0
            });
            let best = took.fold(f64::INFINITY, f64::min);
            println!("{what}: {best:.1} ms");
        };
        let page = OverviewWanted { limit: 50, ..OverviewWanted::default() };
        let words = |text: &str| OverviewWanted { words: Needle::words(text), ..page.clone() };
        let by = |order: Order| OverviewWanted { order, ..page.clone() };
        for (what, wanted) in [
            ("the first page", page.clone()),
            ("the last page", OverviewWanted { offset: 99_950, ..page.clone() }),
            ("a page from the end", OverviewWanted { is_down: true, ..page.clone() }),
            ("by creation", by(Order::Created)),
            ("by what is due next", by(Order::NextDue)),
            ("what fails", OverviewWanted { kind: Some(Kind::Failing), ..page.clone() }),
            ("one word that all have", words("job")),
            ("two words that none has", words("nobody nothing")),
        ] {
            tell(what, &|| {
                let found = OverviewPage::of(&wanted, now, || tally.clone(), || &state);
                assert!(found.jobs.len() <= 50);
            });
        }
        tell("a forecast of a day", &|| {
            let to = at("2030-01-02T00:00:30Z");
            assert_eq!(Forecast::of(plans(&state, None), now, to, 1_000).total, 100_000);
        });
    }
}
