//! The state that decisions are made from, and the only way it changes.
//!
//! Kept: every job, every live run, and which task-id milliseconds are used up. Derived from these by [`State::apply`],
//! so that a step costs O(k log n) for k decided runs: what is due, pending, waiting, and when something happens next.
//! Debug builds rebuild the derived part after every change and compare.
//!
//! Knows no ended run: those are the history's, which decisions never read.

#[cfg(debug_assertions)]
mod check;
mod excerpt;
mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::alerts;
use crate::model::{
    AnsweredRequest, Backfill, BackfillId, BootInstant, Duration, FrameworkId, Incarnation,
    JobName, JobRecord, Now, Offer, OfferId, Pause, Run, RunId, Signal, TaskId, Term, Timestamp,
    When,
};

use super::clock::Clock;
use super::decision::{Change, Demand, Launcher};
use super::entry::JobEntry;
use super::index::Derived;
use super::objective;
use super::seen::Seen;
use super::settings::Settings;

/// What the state is rebuilt from after a start or a change of leader.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recovered {
    /// The last term that began.
    pub term: Term,
    /// All jobs.
    pub jobs: Vec<JobRecord>,
    /// All live runs.
    pub runs: Vec<Run>,
    /// The ends of parents' runs that not all children have been told of, oldest first.
    pub signals: Vec<Signal>,
    /// The last task-id millisecond used up by each name.
    pub task_marks: Vec<(JobName, i64)>,
    /// The compiled data under which each zone was last decided, by its name.
    pub zones: Vec<(String, Arc<[u8]>)>,
    /// The requests that were carried out under a key.
    pub answered: Vec<AnsweredRequest>,
    /// Whether everything is paused.
    pub pause: Option<Pause>,
    /// The backfills that are told of.
    pub backfills: Vec<Backfill>,
    /// What people are told of.
    pub alerts: alerts::Recovered,
    /// Until when every deadline is judged.
    pub judged_through: Timestamp,
    /// What the launcher was to its cluster when it was last connected to one.
    pub framework: Option<FrameworkId>,
    /// The last incarnation given.
    pub last_incarnation: u64,
    /// The last sequence given.
    pub last_sequence: u64,
}

/// The state.
#[derive(Debug, Clone)]
pub struct State {
    /// What decisions depend on besides.
    pub settings: Arc<Settings>,
    term: Term,
    jobs: BTreeMap<Incarnation, JobEntry>,
    names: BTreeMap<JobName, Incarnation>,
    runs: BTreeMap<RunId, Run>,
    /// Ends of parents' runs that not all children have been told of, by sequence.
    signals: BTreeMap<u64, Signal>,
    task_marks: BTreeMap<JobName, i64>,
    /// The data under which zones were last decided.
    kept_zones: BTreeMap<String, Arc<[u8]>>,
    /// The requests that were carried out under a key, by its id.
    answered: BTreeMap<String, AnsweredRequest>,
    /// Whether everything is paused.
    pause: Option<Pause>,
    /// Backfills that go on, and the latest that are over.
    backfills: BTreeMap<BackfillId, Backfill>,
    /// What is believed of the wall clock. Volatile.
    clock: Clock,
    /// What people are told of.
    alerts: alerts::Desk,
    /// Until when every deadline is judged.
    judged_through: Timestamp,
    last_incarnation: u64,
    last_sequence: u64,
    /// What the launcher was to its cluster when it was last connected to one.
    framework: Option<FrameworkId>,
    offers: BTreeMap<OfferId, Offer>,
    launcher_gone: Option<String>,
    /// Since when somebody misses it. Volatile.
    launcher_missed_since: Option<BootInstant>,
    /// Whether the launcher works for a cluster, whose offers come and go. Volatile.
    is_cluster: bool,
    /// What the launcher was told of what waits for an offer; `None` if it has to be told. Volatile.
    demand_told: Option<Demand>,
    /// What each agent of the cluster offered last. Volatile.
    seen: Seen,
    /// Tasks whose launch the launcher has denied since it was last asked after everything. Volatile.
    denied: BTreeSet<TaskId>,
    /// Whom the state still listens for, and until when.
    listening: Option<Listening>,
    derived: Derived,
}

/// Live attempts whose fate the launcher has not told since the state was loaded or the loop was away.
#[derive(Debug, Clone)]
struct Listening {
    until: BootInstant,
    unheard: BTreeSet<TaskId>,
}

/// When the state wants to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeAt {
    /// No later than this wall instant.
    pub wall: Option<Timestamp>,
    /// No later than this boot instant.
    pub boot: Option<BootInstant>,
    /// At once.
    pub at_once: bool,
}

impl WakeAt {
    /// Whether it is time.
    #[must_use]
    pub fn has_come(&self, now: Now) -> bool {
        self.at_once
            || self.wall.is_some_and(|at| at <= now.wall)
            || self.boot.is_some_and(|at| at <= now.boot)
    }
}

impl State {
    /// A state without jobs, as of a store that never had any.
    #[must_use]
    pub fn new(settings: Arc<Settings>) -> Self {
        Self::recover(settings, Recovered::default())
    }

    /// The state that the store remembers.
    #[must_use]
    pub fn recover(settings: Arc<Settings>, recovered: Recovered) -> Self {
        let Recovered {
            term,
            jobs,
            runs,
            signals,
            task_marks,
            zones,
            answered,
            pause,
            backfills,
            alerts,
            judged_through,
            framework,
            last_incarnation,
            last_sequence,
        } = recovered;
        let mut derived = Derived::default();
        answered.iter().for_each(|it| derived.answered.add(it));
        let mut state = Self {
            term,
            jobs: BTreeMap::new(),
            names: BTreeMap::new(),
            runs: BTreeMap::new(),
            signals: signals.into_iter().map(|signal| (signal.sequence, signal)).collect(),
            task_marks: task_marks.into_iter().collect(),
            kept_zones: zones.into_iter().collect(),
            answered: answered.into_iter().map(|it| (it.key.id.clone(), it)).collect(),
            pause,
            backfills: backfills.into_iter().map(|backfill| (backfill.id, backfill)).collect(),
            clock: Clock::default(),
            alerts: alerts::Desk::recover(alerts),
            judged_through,
            last_incarnation,
            last_sequence,
            framework,
            offers: BTreeMap::new(),
            launcher_missed_since: None,
            launcher_gone: Some("it has not been reached since the start".to_owned()),
            is_cluster: false,
            demand_told: None,
            seen: Seen::default(),
            denied: BTreeSet::new(),
            listening: None,
            derived,
            settings,
        };
        for record in jobs {
            state.put_job(record);
        }
        // Parents may have been created after their children: only now everybody is there.
        for incarnation in state.jobs.keys().copied().collect::<Vec<_>>() {
            state.link_job(incarnation);
        }
        for run in runs {
            state.put_run(run);
        }
        state
    }

    /// Carries one change out. The only way the state changes, live and at recovery alike.
    ///
    /// # Panics
    ///
    /// If the change contradicts the state, which a decision made from this state cannot do.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::TermBegan(term) => self.term = *term,
            Change::JobStored(record) => {
                self.put_job(JobRecord::clone(record));
                self.link_job(record.incarnation);
            }
            Change::JobRemoved { incarnation, name } => {
                self.unwatch_runs_of(*incarnation);
                self.unindex_job(*incarnation);
                self.jobs.remove(incarnation);
                self.derived.forget_job(*incarnation);
                self.names.remove(name);
            }
            Change::Progressed { incarnation, progress } => {
                self.change_job(*incarnation, |entry| entry.progress = progress.clone());
            }
            Change::Counted { incarnation, stats } => {
                // Neither index nor `next` depends on counts.
                self.job_mut(*incarnation).stats = stats.clone();
            }
            Change::Disabled { incarnation } => {
                self.change_job(*incarnation, |entry| {
                    Arc::make_mut(&mut entry.job).disabled = true
                });
            }
            Change::Quarantined { incarnation } => {
                self.change_job(*incarnation, |entry| entry.is_quarantined = true);
            }
            Change::QuarantineLifted { incarnation } => {
                self.change_job(*incarnation, |entry| entry.is_quarantined = false);
            }
            Change::Intervened { incarnation, interventions } => {
                self.change_job(*incarnation, |entry| entry.interventions = interventions.clone());
                self.derived.is_placement_wanted = true;
            }
            Change::EverythingPaused(pause) => {
                self.pause.clone_from(pause);
                self.derived.is_placement_wanted = true;
            }
            Change::BackfillStored(backfill) => {
                self.last_sequence = self.last_sequence.max(backfill.id.0);
                self.backfills.insert(backfill.id, Backfill::clone(backfill));
            }
            Change::BackfillRemoved { id } => {
                self.backfills.remove(id);
            }
            // It is the history's.
            Change::StretchVoided { .. } => {}
            Change::ClockJudged(clock) => self.clock = *clock,
            Change::RunStored(run) => {
                self.last_sequence = self.last_sequence.max(run.sequence);
                self.remember_denial(run);
                self.unindex_run(run.id);
                self.derived.is_placement_wanted = true;
                if run.is_ended() {
                    self.runs.remove(&run.id);
                } else {
                    self.put_run(Run::clone(run));
                }
            }
            Change::StretchStored(stretch) => {
                self.last_sequence = self.last_sequence.max(stretch.sequence);
            }
            Change::SignalStored(signal) => {
                self.last_sequence = self.last_sequence.max(signal.sequence);
                self.signals.insert(signal.sequence, signal.clone());
            }
            Change::SignalRemoved { sequence } => {
                self.signals.remove(sequence);
            }
            Change::TaskMillisUsed { name, millis } => {
                let mark = self.task_marks.entry(name.clone()).or_insert(i64::MIN);
                *mark = (*mark).max(*millis);
            }
            Change::RequestAnswered(answered) => {
                self.forget_answer(&answered.key.id);
                self.derived.answered.add(answered);
                self.answered.insert(answered.key.id.clone(), AnsweredRequest::clone(answered));
            }
            Change::Alerted(change) => self.alerts.apply(change),
            Change::ObjectivesJudged(at) => self.judge_through(*at),
            Change::AnswerForgotten { id } => self.forget_answer(id),
            Change::ZoneKept { name, data } => {
                self.kept_zones.insert(name.clone(), Arc::clone(data));
            }
            Change::ListeningBegan { until } => {
                let unheard: BTreeSet<TaskId> = self.derived.tasks.keys().cloned().collect();
                self.listening =
                    (!unheard.is_empty()).then_some(Listening { until: *until, unheard });
            }
            Change::Heard { task_id } => {
                if let Some(listening) = &mut self.listening {
                    listening.unheard.remove(task_id);
                }
                self.listening.take_if(|listening| listening.unheard.is_empty());
            }
            Change::ListeningEnded => self.listening = None,
            Change::FrameworkSet(framework) => self.framework = Some(framework.clone()),
            Change::OffersSet(launcher) => self.set_launcher(launcher),
            Change::OffersAdded(offers) => {
                self.offers.extend(offers.iter().map(|offer| (offer.id.clone(), offer.clone())));
                self.derived.is_placement_wanted = true;
            }
            Change::OffersRemoved(ids) => ids.iter().for_each(|id| drop(self.offers.remove(id))),
            Change::AgentLost(agent) => {
                self.offers.retain(|_, offer| offer.agent != *agent);
                self.seen.forget(agent);
            }
            Change::AgentsSeen(agents) => self.seen.remember(agents),
            Change::DemandTold(demand) => {
                self.demand_told = *demand;
                // Who is to be told anew is told by the next look at what waits.
                self.derived.is_placement_wanted |= demand.is_none();
            }
            Change::PlacementSettled => self.derived.is_placement_wanted = false,
        }
        #[cfg(debug_assertions)]
        self.check_derived();
    }

    /// When to ask again: the heads of the indexes.
    #[must_use]
    pub fn wake_at(&self) -> WakeAt {
        if let Some(Listening { until, .. }) = self.listening {
            return WakeAt { wall: None, boot: Some(until), at_once: false };
        }
        let derived = &self.derived;
        let is_paused = self.pause.is_some();
        let wall = [
            derived.due.first().map(|(at, _)| *at).filter(|_| !is_paused),
            derived.rests.first().map(|(at, _)| *at),
            self.pause.as_ref().and_then(|pause| pause.until),
            // A window is closed: its end still counts, so the run is overdue one millisecond later.
            derived.deadlines.first().map(|(at, _)| {
                at.saturating_add(Duration::from_millis(1)).unwrap_or(Timestamp::MAX)
            }),
            derived.wall_alarms.first().map(|(at, _)| *at),
            derived.objectives.first().map(|(at, _)| *at),
            // Whether the clock was set back is seen when it is decided.
            self.alerts.wake_at(&self.settings.alerts, Timestamp::MAX),
        ];
        let boot = [
            derived.stops.first().map(|(at, _)| *at),
            derived.boot_alarms.first().map(|(at, _)| *at),
            self.clock.wake_at(),
            super::alert::launcher_alarm(self),
        ];
        WakeAt {
            wall: wall.into_iter().flatten().min().map(|at| self.clock.shown_at(at)),
            boot: boot.into_iter().flatten().min(),
            at_once: self.is_placement_due() || self.has_signals(),
        }
    }

    fn forget_answer(&mut self, id: &str) {
        if let Some(known) = self.answered.remove(id) {
            self.derived.answered.remove(&known);
        }
    }

    fn set_launcher(&mut self, launcher: &Launcher) {
        self.offers.clear();
        self.seen.clear();
        self.demand_told = None;
        match launcher {
            Launcher::Connected(offers) | Launcher::InCluster(offers) => {
                self.launcher_gone = None;
                self.launcher_missed_since = None;
                self.is_cluster = matches!(launcher, Launcher::InCluster(_));
                self.denied.clear();
                self.offers.extend(offers.iter().map(|offer| (offer.id.clone(), offer.clone())));
                self.derived.is_placement_wanted = true;
            }
            Launcher::Gone { reason, since } => {
                self.launcher_gone = Some(reason.clone());
                self.launcher_missed_since = *since;
            }
        }
    }

    /// Notes the task of an attempt that `run`, as it is from now on, no longer has.
    fn remember_denial(&mut self, run: &Run) {
        let known = self.runs.get(&run.id).and_then(Run::live_attempt);
        if let Some(attempt) = known
            && run.attempts.len() <= usize::try_from(attempt.index).unwrap_or(usize::MAX)
        {
            self.denied.insert(attempt.task_id.clone());
        }
        if run.is_ended() {
            for attempt in &run.attempts {
                self.denied.remove(&attempt.task_id);
            }
        }
    }

    fn job_mut(&mut self, incarnation: Incarnation) -> &mut JobEntry {
        self.jobs.get_mut(&incarnation).expect("a change names a job that the state has")
    }

    fn change_job(&mut self, incarnation: Incarnation, change: impl FnOnce(&mut JobEntry)) {
        self.unindex_job(incarnation);
        change(self.job_mut(incarnation));
        self.index_job(incarnation);
    }

    fn put_job(&mut self, record: JobRecord) {
        let incarnation = record.incarnation;
        self.last_incarnation = self.last_incarnation.max(incarnation.0);
        if self.jobs.contains_key(&incarnation) {
            self.unindex_job(incarnation);
        }
        self.unwatch_runs_of(incarnation);
        self.names.insert(record.job.name.clone(), incarnation);
        let known = self.jobs.insert(incarnation, JobEntry::new(record, &self.settings));
        self.derived.job_count += usize::from(known.is_none());
        self.index_job(incarnation);
        self.watch_runs_of(incarnation);
        // A pending run may fit with the new definition.
        self.derived.is_placement_wanted = true;
    }

    /// Takes the edges to a job's parents into the graph. All that it names must be there.
    fn link_job(&mut self, incarnation: Incarnation) {
        let parents: Vec<Incarnation> = match &self.jobs[&incarnation].job.when {
            When::Schedule(_) => Vec::new(),
            When::Parents(terms) => {
                terms.names.iter().filter_map(|name| self.names.get(name).copied()).collect()
            }
        };
        self.derived.graph.set_parents(incarnation, &parents);
    }

    fn index_job(&mut self, incarnation: Incarnation) {
        let settings = Arc::clone(&self.settings);
        let entry = self.job_mut(incarnation);
        entry.next = entry.find_next(&settings);
        let rests_until = entry.interventions.pause.as_ref().and_then(|pause| pause.until);
        if let Some(next) = entry.next {
            self.derived.due.insert((next.opens_at, incarnation));
        }
        self.derived.rests.extend(rests_until.map(|until| (until, incarnation)));
    }

    fn unindex_job(&mut self, incarnation: Incarnation) {
        let entry = &self.jobs[&incarnation];
        if let Some(next) = entry.next {
            self.derived.due.remove(&(next.opens_at, incarnation));
        }
        if let Some(until) = entry.interventions.pause.as_ref().and_then(|pause| pause.until) {
            self.derived.rests.remove(&(until, incarnation));
        }
    }

    fn put_run(&mut self, run: Run) {
        self.last_sequence = self.last_sequence.max(run.sequence);
        let entry = self.jobs.get(&run.id.incarnation);
        let priority = entry.map(|entry| entry.job.priority).unwrap_or_default();
        self.derived.index_run(&run, priority);
        let id = run.id;
        self.runs.insert(id, run);
        self.watch(id);
    }

    fn unindex_run(&mut self, id: RunId) {
        self.unwatch(id);
        if let Some(run) = self.runs.get(&id) {
            self.derived.unindex_run(run);
        }
    }

    /// Waits for the next deadline of a run.
    fn watch(&mut self, id: RunId) {
        let next = self.runs.get(&id).and_then(|run| objective::next(self, run));
        self.derived.objectives.extend(next.map(|at| (at, id)));
    }

    fn unwatch(&mut self, id: RunId) {
        if let Some(at) = self.runs.get(&id).and_then(|run| objective::next(self, run)) {
            self.derived.objectives.remove(&(at, id));
        }
    }

    /// Before a job's definition changes, on which its runs' deadlines depend.
    fn unwatch_runs_of(&mut self, incarnation: Incarnation) {
        self.live_ids(incarnation).into_iter().for_each(|id| self.unwatch(id));
    }

    fn watch_runs_of(&mut self, incarnation: Incarnation) {
        self.live_ids(incarnation).into_iter().for_each(|id| self.watch(id));
    }

    fn live_ids(&self, incarnation: Incarnation) -> Vec<RunId> {
        let live = self.derived.live.get(&incarnation);
        live.into_iter().flatten().map(|(_, id)| *id).collect()
    }

    /// What has come by then is judged, and the next deadline of each of those runs waited for.
    fn judge_through(&mut self, at: Timestamp) {
        let mut come = Vec::new();
        while self.derived.objectives.first().is_some_and(|(deadline, _)| *deadline <= at) {
            come.extend(self.derived.objectives.pop_first().map(|(_, id)| id));
        }
        self.judged_through = self.judged_through.max(at);
        come.into_iter().for_each(|id| self.watch(id));
    }
}
