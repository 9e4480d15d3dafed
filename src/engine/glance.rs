//! What a page with very many jobs shows of each at a glance, and how many there are of each kind.
//!
//! Decides nothing. Looking at every job takes longer than a page may take, so a [`Tally`] is kept beside the state by
//! whoever follows its changes; what passes with time, and what live runs come to, is looked up when somebody asks.

use std::collections::BTreeMap;

use super::decision::Change;
use super::entry::JobEntry;
use super::state::State;
use crate::model::{Duration, Incarnation, JobStatus, Run, RunState, Shadow, Timestamp};

/// A job is late once something of it has waited so long. Placement and a start take less, also where many begin at once.
pub const LATE_AFTER: Duration = Duration::from_secs(60);

/// What is marked of a job, whatever its runs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// How its last run that counts ended.
    pub status: JobStatus,
    /// Whether it is disabled.
    pub is_disabled: bool,
    /// Whether it is paused itself; that everything is does not count.
    pub is_paused: bool,
    /// Whether it is left alone because deciding it went wrong.
    pub is_quarantined: bool,
    /// Whether it is only planned.
    pub shadow: Shadow,
}

impl Marks {
    /// Those of a job.
    #[must_use]
    pub fn of(entry: &JobEntry) -> Self {
        Self {
            status: JobStatus::of(&entry.stats),
            is_disabled: entry.job.disabled,
            is_paused: entry.interventions.pause.is_some(),
            is_quarantined: entry.is_quarantined,
            shadow: entry.job.shadow,
        }
    }
}

/// What the live runs of a job come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Live {
    /// How many there are.
    pub runs: usize,
    /// How many of them are known to have started.
    pub running: usize,
    /// Whether something of the job should have been started a while ago and was not.
    pub is_late: bool,
}

/// The jobs that have live runs or are late.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveJobs(BTreeMap<Incarnation, Live>);

impl LiveJobs {
    /// Those of a state. `now` is what the wall clock shows.
    ///
    /// Looks at every live run and every occurrence that should have been decided, and at no other job.
    #[must_use]
    pub fn of(state: &State, now: Timestamp) -> Self {
        let past = now.checked_sub(LATE_AFTER).unwrap_or(Timestamp::MIN);
        let mut jobs: BTreeMap<Incarnation, Live> = BTreeMap::new();
        for run in state.runs() {
            let live = jobs.entry(run.id.incarnation).or_default();
            live.runs += 1;
            live.running += usize::from(run.is_running());
            live.is_late |= waits_since(run).is_some_and(|since| since <= past);
        }
        // What comes due in a pause of everything is not owed: it is skipped.
        if state.everything_paused().is_none() {
            // A start of the machine counts as open since ever; it is due when it happened.
            let open = state.due(past).filter(|entry| entry.next_due() <= Some(past));
            for entry in open {
                jobs.entry(entry.incarnation).or_default().is_late = true;
            }
        }
        Self(jobs)
    }

    /// What those of a job come to.
    #[must_use]
    pub fn get(&self, job: Incarnation) -> Live {
        self.0.get(&job).copied().unwrap_or_default()
    }
}

/// Since when a run has waited that nobody has begun.
fn waits_since(run: &Run) -> Option<Timestamp> {
    match run.state {
        RunState::Queued | RunState::Pending { .. } if run.attempts.is_empty() => {
            Some(run.trigger.wanted_from())
        }
        RunState::Queued
        | RunState::Pending { .. }
        | RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. }
        | RunState::Ended { .. } => None,
    }
}

/// A kind of jobs that a page counts and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A run of it is known to have started.
    Running,
    /// Runs of it are live, and none is known to have started.
    Waiting,
    /// Its last run that counts failed.
    Failing,
    /// Something of it should have been started [a while](LATE_AFTER) ago.
    Late,
    /// It is disabled.
    Disabled,
    /// It is paused itself.
    Paused,
    /// It is left alone because deciding it went wrong.
    Quarantined,
    /// It is only planned.
    Shadow,
    /// No run of it has counted yet.
    Fresh,
    /// Its last run that counts succeeded.
    Succeeding,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Waiting,
        Self::Failing,
        Self::Late,
        Self::Disabled,
        Self::Paused,
        Self::Quarantined,
        Self::Shadow,
        Self::Fresh,
        Self::Succeeding,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failing => "failing",
            Self::Late => "late",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Quarantined => "quarantined",
            Self::Shadow => "shadow",
            Self::Fresh => "fresh",
            Self::Succeeding => "succeeding",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a job with these marks and live runs is of it at `now`.
    #[must_use]
    pub fn has(self, marks: &Marks, live: Live, now: Timestamp) -> bool {
        match self {
            Self::Running => live.running > 0,
            Self::Waiting => live.runs > 0 && live.running == 0,
            Self::Failing => marks.status == JobStatus::Failure,
            Self::Late => live.is_late,
            Self::Disabled => marks.is_disabled,
            Self::Paused => marks.is_paused,
            Self::Quarantined => marks.is_quarantined,
            Self::Shadow => marks.shadow.covers(now),
            Self::Fresh => marks.status == JobStatus::Fresh,
            Self::Succeeding => marks.status == JobStatus::Success,
        }
    }
}

/// How many jobs there are, and of each kind. A job may be of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub all: usize,
    kinds: [usize; Kind::ALL.len()],
}

impl Counts {
    /// How many are of that kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> usize {
        self.kinds[kind as usize]
    }

    /// Counts one more job.
    pub fn add(&mut self, marks: &Marks, live: Live, now: Timestamp) {
        self.all += 1;
        for (kind, count) in Kind::ALL.into_iter().zip(&mut self.kinds) {
            *count += usize::from(kind.has(marks, live, now));
        }
    }
}

/// The marks of all jobs, counted. Grows with the number of instants at which jobs are cut over, which is small.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    all: usize,
    fresh: usize,
    succeeding: usize,
    failing: usize,
    disabled: usize,
    paused: usize,
    quarantined: usize,
    shadow: usize,
    /// Jobs that are only planned until an instant, by that instant.
    shadow_until: BTreeMap<Timestamp, usize>,
}

impl Tally {
    /// That of a state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut tally = Self::default();
        for entry in state.jobs() {
            tally.put(None, Some(Marks::of(entry)));
        }
        tally
    }

    /// Applies a change to a state, and follows it.
    pub fn apply(&mut self, state: &mut State, change: &Change) {
        let job = changed(change);
        let marks = |state: &State| state.incarnation(job?).map(Marks::of);
        let before = marks(state);
        state.apply(change);
        self.put(before, marks(state));
    }

    /// Takes the marks that a job had out, and those that it has in.
    fn put(&mut self, before: Option<Marks>, after: Option<Marks>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.each(&before, |count| *count = count.saturating_sub(1));
        }
        if let Some(after) = after {
            self.each(&after, |count| *count += 1);
        }
    }

    /// Changes every count that these marks have a part in.
    fn each(&mut self, marks: &Marks, change: impl Fn(&mut usize)) {
        let Marks { status, is_disabled, is_paused, is_quarantined, shadow } = marks;
        change(&mut self.all);
        change(match status {
            JobStatus::Fresh => &mut self.fresh,
            JobStatus::Success => &mut self.succeeding,
            JobStatus::Failure => &mut self.failing,
        });
        for (has, count) in [
            (is_disabled, &mut self.disabled),
            (is_paused, &mut self.paused),
            (is_quarantined, &mut self.quarantined),
        ] {
            if *has {
                change(count);
            }
        }
        match shadow {
            Shadow::Off => {}
            Shadow::On => change(&mut self.shadow),
            Shadow::Until(until) => {
                let count = self.shadow_until.entry(*until).or_default();
                change(count);
                if *count == 0 {
                    self.shadow_until.remove(until);
                }
            }
        }
    }

    /// What it comes to at `now`, with these live runs of the same jobs.
    #[must_use]
    pub fn counts(&self, live: &LiveJobs, now: Timestamp) -> Counts {
        let having = |has: fn(&Live) -> bool| live.0.values().filter(|live| has(live)).count();
        let kinds = Kind::ALL.map(|kind| match kind {
            Kind::Running => having(|live| live.running > 0),
            Kind::Waiting => having(|live| live.runs > 0 && live.running == 0),
            Kind::Late => having(|live| live.is_late),
            Kind::Fresh => self.fresh,
            Kind::Succeeding => self.succeeding,
            Kind::Failing => self.failing,
            Kind::Disabled => self.disabled,
            Kind::Paused => self.paused,
            Kind::Quarantined => self.quarantined,
            Kind::Shadow => {
                let planned = |(until, count): (&Timestamp, &usize)| {
                    if Shadow::Until(*until).covers(now) { *count } else { 0 }
                };
                self.shadow + self.shadow_until.iter().map(planned).sum::<usize>()
            }
        });
        Counts { all: self.all, kinds }
    }
}

/// Of which job a change may change the marks.
const fn changed(change: &Change) -> Option<Incarnation> {
    match change {
        Change::JobStored(record) => Some(record.incarnation),
        Change::JobRemoved { incarnation, .. }
        | Change::Counted { incarnation, .. }
        | Change::Disabled { incarnation }
        | Change::Quarantined { incarnation }
        | Change::QuarantineLifted { incarnation }
        | Change::Intervened { incarnation, .. } => Some(*incarnation),
        Change::TermBegan(_)
        | Change::Progressed { .. }
        | Change::EverythingPaused(_)
        | Change::BackfillStored(_)
        | Change::BackfillRemoved { .. }
        | Change::StretchVoided { .. }
        | Change::ClockJudged(_)
        | Change::RunStored(_)
        | Change::StretchStored(_)
        | Change::SignalStored(_)
        | Change::SignalRemoved { .. }
        | Change::TaskMillisUsed { .. }
        | Change::RequestAnswered(_)
        | Change::AnswerForgotten { .. }
        | Change::ZoneKept { .. }
        | Change::ListeningBegan { .. }
        | Change::Heard { .. }
        | Change::ListeningEnded
        | Change::FrameworkSet(_)
        | Change::OffersSet(_)
        | Change::OffersAdded(_)
        | Change::OffersRemoved(_)
        | Change::AgentLost(_)
        | Change::AgentsSeen(_)
        | Change::DemandTold(_)
        | Change::Alerted(_)
        | Change::ObjectivesJudged(_)
        | Change::PlacementSettled => None,
    }
}
