//! The scheduler's side: the driver's working state, its commits, its crashes and its recoveries.
//!
//! What the asynchronous half of the driver does is done here in simulated time: one batch is in flight, events queue
//! meanwhile, effects are performed after the commit, and a commit that fails drops the state and loads it again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chronode::driver::working::{Outcome, Working};
use chronode::engine::{
    Abilities, Effect, Event, Recovered, Request, RequestId, Settings, State, WakeAt, invariants,
};
use chronode::model::{
    AgentId, Defaults, Duration, Offer, OfferId, OfferKind, Resources, RunId, Term, Timestamp,
};
use chronode::schedule::ZoneDb;
use chronode::store::{Batch, Loaded};

use super::i4_acknowledged_is_durable;
use super::plan::SECOND;
use super::record::Record;
use super::world::{Happening, World, say};

/// What becomes of a commit, and what the house is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Stored,
    Refused,
    /// The house is not told which of the two it was.
    UnknownStored,
    UnknownNotStored,
}

/// A batch on its way into the store.
#[derive(Debug)]
pub(crate) struct InFlight {
    outcome: Outcome,
    term: Term,
    decided_at: Timestamp,
    begun_at: i64,
    /// Of the requests to stop runs in it: the live runs each found, and their attempts so far.
    pub(crate) stopped: BTreeMap<RequestId, BTreeMap<RunId, usize>>,
}

#[derive(Debug)]
enum Phase {
    Ready,
    Committing(Box<InFlight>),
    /// The state is dropped and will be loaded again.
    Reloading,
}

#[derive(Debug)]
struct Process {
    working: Working,
    phase: Phase,
    inbox: VecDeque<Event>,
    launcher: Option<Result<Vec<Offer>, String>>,
}

#[derive(Debug)]
pub(crate) struct House {
    settings: Arc<Settings>,
    process: Option<Process>,
    /// Counts starts and reloads, so that what was meant for an earlier life is not taken for this one's.
    life: u64,
}

/// More than anybody asks for.
pub(crate) fn offer() -> Offer {
    Offer {
        id: OfferId::new("o1"),
        agent: AgentId::new("a1"),
        hostname: "one".to_owned(),
        attributes: BTreeMap::new(),
        resources: Resources::default(),
        kind: OfferKind::Unmetered,
    }
}

impl House {
    pub(crate) fn new() -> Self {
        let settings = Settings {
            defaults: Defaults::default(),
            retry_delay: Duration::from_secs(60),
            kill_grace: Duration::from_secs(5),
            abilities: Abilities { only_user: None, containers: false, executors: false },
            zones: ZoneDb::bundled(),
            machine: Err("no machine of a simulation starts anew".to_owned()),
        };
        Self { settings: Arc::new(settings), process: None, life: 0 }
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn is_committing(&self) -> bool {
        self.process.as_ref().is_some_and(|p| matches!(p.phase, Phase::Committing(_)))
    }

    /// Whether it is up and has its state. A commit in flight is part of life, as long as it does not take long.
    pub(crate) fn is_well(&self) -> bool {
        self.process.as_ref().is_some_and(|p| !matches!(p.phase, Phase::Reloading))
    }

    /// When it wants to be woken; `None` while it could do nothing.
    pub(crate) fn wake_at(&self) -> Option<WakeAt> {
        let process = self.process.as_ref()?;
        matches!(process.phase, Phase::Ready).then(|| process.working.state().wake_at())
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if let Some(process) = &mut self.process {
            process.inbox.push_back(event);
        }
    }

    pub(crate) fn tell_if_up(&mut self, event: Event) {
        // What is said to a house that is not ready is lost, as a request that nobody answers.
        if self.is_well() {
            self.tell(event);
        }
    }

    pub(crate) fn tell_launcher(&mut self, launcher: Result<Vec<Offer>, String>) {
        if let Some(process) = &mut self.process {
            process.launcher = Some(launcher.clone());
            process.inbox.push_back(launcher_event(launcher));
        }
    }
}

fn check_state(record: &mut Record, state: &State, when: &str) {
    for violation in invariants::violations(state) {
        record.violations.push(format!("the state {when}: {violation}"));
    }
}

fn launcher_event(launcher: Result<Vec<Offer>, String>) -> Event {
    match launcher {
        Ok(offers) => Event::LauncherConnected { offers },
        Err(reason) => Event::LauncherGone { reason },
    }
}

fn recovered(loaded: Loaded) -> Recovered {
    let Loaded { term, jobs, runs, task_marks, zones, last_incarnation, last_sequence } = loaded;
    let last_incarnation = last_incarnation.0;
    Recovered { term, jobs, runs, task_marks, zones, last_incarnation, last_sequence }
}

impl World {
    fn load(&mut self) -> State {
        let loaded = self.store.load_now();
        i4_acknowledged_is_durable::check_loaded(&mut self.record, &loaded);
        let state = State::recover(Arc::clone(&self.house.settings), recovered(loaded));
        check_state(&mut self.record, &state, "as loaded");
        state
    }

    pub(crate) fn start(&mut self) {
        if self.house.is_up() {
            return;
        }
        let state = self.load();
        let term = Term(state.term().0 + 1);
        say!(self, "-- the house starts, term {} --", term.0);
        self.house.life += 1;
        self.house.process = Some(Process {
            working: Working::new(state),
            phase: Phase::Ready,
            inbox: VecDeque::from([Event::Resumed { term }]),
            launcher: None,
        });
        let delay = self.rng.between(1_000, 2 * SECOND);
        self.after(delay, Happening::Connects);
    }

    pub(crate) fn crash(&mut self) {
        let Some(process) = self.house.process.take() else { return };
        say!(self, "-- the house dies --");
        if let Phase::Committing(in_flight) = process.phase {
            self.record.trouble.push((in_flight.begun_at, self.time));
            if self.rng.chance(50) {
                say!(self, "-- after the commit --");
                self.store_batch(&in_flight);
            }
        }
        // What it ordered last may still arrive; then the launcher sees the connection end.
        self.is_connected = self.is_connected && self.rng.chance(50);
        if self.is_connected {
            self.drain_orders();
        }
        self.is_connected = false;
        let downtime = if self.has_faults { self.rng.pick(self.plan.downtimes) } else { SECOND };
        self.after(downtime, Happening::Starts);
    }

    /// Takes what has been said in, decides, and begins to commit.
    pub(crate) fn pump(&mut self) {
        loop {
            let now = self.now();
            let Some(process) = &mut self.house.process else { return };
            if !matches!(process.phase, Phase::Ready) {
                return;
            }
            let mut stopped = BTreeMap::new();
            while let Some(event) = process.inbox.pop_front() {
                if let Event::Request { id, request } = &event
                    && let Some(live) = live_runs(process.working.state(), request)
                {
                    // Whether or not anybody hears of it, their failures may be final from now on.
                    self.record.disturbed.extend(live.keys().map(|run| run.incarnation));
                    stopped.insert(*id, live);
                }
                process.working.handle(now, &event);
            }
            if process.working.state().wake_at().has_come(now) {
                process.working.handle(now, &Event::Woke);
            }
            let outcome = process.working.take();
            let term = process.working.state().term();
            // A state that nothing changed was found sound before.
            if !outcome.changes.is_empty() {
                check_state(&mut self.record, process.working.state(), "as decided");
            }
            let is_quiet = outcome.changes.is_empty() && outcome.effects.is_empty();
            let is_durable = outcome.is_durable();
            for id in &outcome.broken {
                self.record.violations.push(format!("request {} could not be decided", id.0));
            }
            for note in &outcome.notes {
                say!(self, "   {}", note.text);
            }
            if is_quiet {
                return;
            }
            let decided_at = now.wall;
            let in_flight = InFlight { outcome, term, decided_at, begun_at: self.time, stopped };
            if is_durable {
                self.begin_commit(in_flight);
            } else if !self.perform(in_flight) {
                return;
            }
        }
    }

    fn begin_commit(&mut self, in_flight: InFlight) {
        let percent = if self.has_faults { self.plan.faults.store_percent } else { 0 };
        let fate = if self.rng.chance(percent) {
            self.rng.pick(&[Fate::Refused, Fate::UnknownStored, Fate::UnknownNotStored])
        } else {
            Fate::Stored
        };
        let slow = self.has_faults && self.rng.chance(1);
        let delay = if slow {
            self.rng.between(SECOND, 20 * SECOND)
        } else {
            self.rng.between(100, 20_000)
        };
        let life = self.house.life;
        self.after(delay, Happening::CommitIsOver { life, fate });
        if let Some(process) = &mut self.house.process {
            process.phase = Phase::Committing(Box::new(in_flight));
        }
    }

    fn store_batch(&mut self, in_flight: &InFlight) {
        let batch = Batch { term: in_flight.term, changes: in_flight.outcome.changes.clone() };
        if let Err(error) = self.store.commit_now(&batch) {
            self.record.violations.push(format!("the store refuses what was decided: {error}"));
            return;
        }
        self.record.committed(&batch.changes, in_flight.decided_at);
    }

    pub(crate) fn commit_is_over(&mut self, life: u64, fate: Fate) {
        if life != self.house.life {
            return;
        }
        let Some(process) = &mut self.house.process else { return };
        let Phase::Committing(in_flight) = std::mem::replace(&mut process.phase, Phase::Ready)
        else {
            return;
        };
        if self.time - in_flight.begun_at > SECOND / 2 {
            self.record.trouble.push((in_flight.begun_at, self.time));
        }
        match fate {
            Fate::Stored | Fate::UnknownStored => self.store_batch(&in_flight),
            Fate::Refused | Fate::UnknownNotStored => {}
        }
        if fate == Fate::Stored {
            self.perform(*in_flight);
            return;
        }
        say!(self, "-- the commit: {fate:?} --");
        self.drop_state();
    }

    /// The state is dropped; what is said meanwhile is lost, but the launcher's presence is remembered.
    fn drop_state(&mut self) {
        self.house.life += 1;
        let life = self.house.life;
        if let Some(process) = &mut self.house.process {
            process.phase = Phase::Reloading;
        }
        let pause = self.rng.between(100_000, 3 * SECOND);
        self.after(pause, Happening::Reloads { life });
    }

    pub(crate) fn reload(&mut self, life: u64) {
        if life != self.house.life || !self.house.is_up() {
            return;
        }
        let state = self.load();
        let Some(process) = &mut self.house.process else { return };
        // The driver goes on in the term that it began; if that could not be stored, it is stored now.
        let term = process.working.state().term().max(state.term());
        process.working = Working::new(state);
        process.phase = Phase::Ready;
        process.inbox = VecDeque::from([Event::Resumed { term }]);
        process.inbox.extend(process.launcher.clone().map(launcher_event));
    }

    /// Performs the effects of a committed batch. `false` if the house died in the middle.
    fn perform(&mut self, in_flight: InFlight) -> bool {
        self.stopping(&in_flight);
        let dies = self.has_faults && self.plan.faults.crash_between_effects && self.rng.chance(1);
        let effects = in_flight.outcome.effects;
        let performed = if dies {
            let count = i64::try_from(effects.len()).expect("few");
            usize::try_from(self.rng.between(0, count)).expect("not negative")
        } else {
            effects.len()
        };
        for effect in effects.into_iter().take(performed) {
            match effect {
                Effect::Reply(id, reply) => self.hear(id, &reply),
                Effect::Launch(_)
                | Effect::Kill { .. }
                | Effect::Reconcile(_)
                | Effect::Acknowledge(_) => self.order(effect),
            }
        }
        if dies {
            self.crash();
        }
        !dies
    }
}

/// The live runs of the job that a request to stop is about.
fn live_runs(state: &State, request: &Request) -> Option<BTreeMap<RunId, usize>> {
    let (Request::KillJob { name } | Request::DeleteJob { name }) = request else { return None };
    let job = state.job(name)?;
    Some(state.live_runs(job.incarnation).map(|run| (run.id, run.attempts.len())).collect())
}
