//! The scheduler's side: the driver's working state in each process that takes itself for the leader.
//!
//! What the asynchronous half of the driver does is done here and in `commit`, in simulated time: one batch is in
//! flight, events queue meanwhile, effects are performed after the commit, and a commit that fails drops the state and
//! loads it again.
//!
//! One process leads. When another takes over, the old one does not know and goes on for a while, though the store refuses
//! whatever it decides. Whoever begins raises the term in the store and then reads it, so that nothing of an older term can be stored
//! that it has not read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chronode::alerts::{ChannelUse, Routes, Terms};
use chronode::driver::working::{Dealt, Working};
use chronode::engine::{Abilities, Change, Event, Request, Settings, State, WakeAt, invariants};
use chronode::model::{
    Defaults, Duration, Offer, OfferId, OfferKind, Resources, Run, RunId, RunVerb, Scalar, Term,
    Trigger,
};
use chronode::schedule::ZoneDb;
use chronode::store::Batch;

use super::commit::InFlight;
use super::figure::Fault;
use super::plan::{MINUTE, Plan, SECOND};
use super::record::{Decided, Record};
use super::world::{Happening, World, say};
use super::{
    backlog, dry_run, family, further_attempts, i4_acknowledged_is_durable, i5_no_lost_status, room,
};

/// One start of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessId(u64);

/// One time that a process read its state, so that what was meant for an earlier one is not taken for this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life(u64);

#[derive(Debug)]
pub(crate) enum Phase {
    Ready,
    Committing(Box<InFlight>),
    /// The state is dropped, or was not read yet, and will be loaded.
    Loading,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) term: Term,
    pub(crate) life: Life,
    pub(crate) working: Working,
    pub(crate) phase: Phase,
    pub(crate) inbox: VecDeque<Event>,
    /// What it was told last of the launcher.
    launcher: Option<Result<Vec<Offer>, String>>,
}

#[derive(Debug)]
pub(crate) struct House {
    settings: Arc<Settings>,
    processes: BTreeMap<ProcessId, Process>,
    leader: Option<ProcessId>,
    begun: u64,
    lives: u64,
}

/// One agent that never lacks room, or these, which have so many thousandths of a processor and enough of all else.
pub(crate) fn offers(agents: &[u64]) -> Vec<Offer> {
    let offer = |index: usize, resources, kind| Offer {
        id: OfferId::new(format!("o{}", index + 1)),
        agent: room::agent(index),
        hostname: format!("host{}", index + 1),
        attributes: Vec::new(),
        resources,
        kind,
        unavailable_from: None,
        files_at: None,
        share: String::new(),
    };
    if agents.is_empty() {
        return vec![offer(0, Resources::default(), OfferKind::Unmetered)];
    }
    let of_size = |(index, cpus): (usize, &u64)| {
        let resources = Resources {
            cpus: Scalar::from_thousandths(*cpus),
            mem: Scalar::MAX,
            disk: Scalar::MAX,
            ports: 0,
        };
        offer(index, resources, OfferKind::Standing)
    };
    agents.iter().enumerate().map(of_size).collect()
}

/// One channel that gets everything, and few messages at a time; of most seeds none.
fn terms(plan: &Plan) -> Terms {
    let hook = ChannelUse { name: "hook".to_owned(), per_owner: false, is_default: true };
    let channels = if plan.tells { vec![hook] } else { Vec::new() };
    Terms { routes: Routes { rules: Vec::new(), channels }, burst: 3, ..Terms::default() }
}

impl House {
    pub(crate) fn new(plan: &Plan) -> Self {
        let settings = Settings {
            defaults: Defaults::default(),
            retry_delay: Duration::from_micros(further_attempts::DELAY),
            disable_after_failures: plan.disable_after,
            max_jobs: 200_000,
            kill_grace: Duration::from_secs(5),
            abilities: Abilities {
                only_user: None,
                run_as: None,
                containers: false,
                executors: false,
                ports: false,
            },
            alerts: terms(plan),
            zones: ZoneDb::bundled(),
            machine: Err("no machine of a simulation starts anew".to_owned()),
        };
        Self {
            settings: Arc::new(settings),
            processes: BTreeMap::new(),
            leader: None,
            begun: 0,
            lives: 0,
        }
    }

    pub(crate) const fn leader(&self) -> Option<ProcessId> {
        self.leader
    }

    pub(crate) fn is_leader(&self, id: ProcessId) -> bool {
        self.leader == Some(id)
    }

    /// All that run, the deposed ones first.
    pub(crate) fn ids(&self) -> Vec<ProcessId> {
        self.processes.keys().copied().collect()
    }

    pub(crate) fn deposed(&self) -> Vec<ProcessId> {
        self.processes.keys().copied().filter(|id| !self.is_leader(*id)).collect()
    }

    pub(crate) fn process(&mut self, id: ProcessId) -> Option<&mut Process> {
        self.processes.get_mut(&id)
    }

    /// The process, if it is still in that life.
    pub(crate) fn process_in(&mut self, id: ProcessId, life: Life) -> Option<&mut Process> {
        self.processes.get_mut(&id).filter(|process| process.life == life)
    }

    fn led(&self) -> Option<&Process> {
        self.processes.get(&self.leader?)
    }

    pub(crate) fn is_committing(&self) -> bool {
        self.led().is_some_and(|p| matches!(p.phase, Phase::Committing(_)))
    }

    /// Whether it has a leader that has its state. A commit in flight is part of life, as long as it does not take long.
    pub(crate) fn is_well(&self) -> bool {
        self.led().is_some_and(|p| !matches!(p.phase, Phase::Loading))
    }

    /// When its processes want to be woken; none while they could do nothing.
    pub(crate) fn wakes(&self) -> impl Iterator<Item = WakeAt> {
        let ready = self.processes.values().filter(|p| matches!(p.phase, Phase::Ready));
        ready.map(|process| process.working.state().wake_at())
    }

    pub(crate) fn tell(&mut self, id: ProcessId, event: Event) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.inbox.push_back(event);
        }
    }

    /// What is said to a process that is not ready is lost, as a request that nobody answers.
    pub(crate) fn tell_if_well(&mut self, id: ProcessId, event: Event) {
        if let Some(process) = self.processes.get_mut(&id)
            && !matches!(process.phase, Phase::Loading)
        {
            process.inbox.push_back(event);
        }
    }

    pub(crate) fn tell_launcher(&mut self, id: ProcessId, launcher: Result<Vec<Offer>, String>) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.launcher = Some(launcher.clone());
            process.inbox.push_back(launcher_event(launcher));
        }
    }

    /// Nobody had a look at the clock for long. As the driver does, whoever is not in the middle of a commit asks first
    /// what became of everything meanwhile.
    pub(crate) fn wake_up(&mut self) {
        for process in self.processes.values_mut() {
            if matches!(process.phase, Phase::Ready) {
                process.inbox.push_front(Event::Resumed { term: process.term });
            }
        }
    }

    fn next_life(&mut self) -> Life {
        self.lives += 1;
        Life(self.lives)
    }
}

pub(crate) fn check_state(record: &mut Record, state: &State, when: &str) {
    for violation in invariants::violations(state) {
        record.violations.push(format!("the state {when}: {violation}"));
    }
}

fn launcher_event(launcher: Result<Vec<Offer>, String>) -> Event {
    match launcher {
        Ok(offers) => Event::LauncherConnected { offers, framework: None },
        Err(reason) => Event::LauncherGone { reason },
    }
}

impl World {
    /// After a crash.
    pub(crate) fn start(&mut self) {
        if self.house.leader.is_none() {
            self.begin();
        }
    }

    /// Another process leads from now on, and the one that led does not know it, or does not believe it.
    pub(crate) fn take_over(&mut self) {
        let Some(old) = self.house.leader else { return };
        self.count(Fault::LeaderChange);
        if let Some(Process { phase: Phase::Committing(in_flight), .. }) = self.house.led() {
            self.record.trouble.push((in_flight.begun_at, self.time));
            self.count(Fault::LeaderChangeInFlight);
        }
        self.begin();
        let delay = self.rng.pick(&[10_000, SECOND, 30 * SECOND, 10 * MINUTE]);
        self.after(delay, Happening::Leaves { process: old });
    }

    fn begin(&mut self) {
        let term = Term(self.store.load_now().term.0 + 1);
        say!(self, "-- the house starts, term {} --", term.0);
        let batch = Batch { term, changes: vec![Change::TermBegan(term)] };
        self.store.commit_now(&batch).expect("nobody has begun a later term");
        self.record.begin_term(term);
        self.house.begun += 1;
        let id = ProcessId(self.house.begun);
        let life = self.house.next_life();
        let process = Process {
            term,
            life,
            working: Working::new(State::new(Arc::clone(&self.house.settings))),
            phase: Phase::Loading,
            inbox: VecDeque::new(),
            launcher: None,
        };
        self.house.processes.insert(id, process);
        self.house.leader = Some(id);
        let delay = self.rng.between(0, 20_000);
        self.after(delay, Happening::Loads { process: id, life });
        let delay = self.rng.between(1_000, 2 * SECOND);
        self.after(delay, Happening::Connects);
    }

    /// The process that leads dies, and will be started again.
    pub(crate) fn crash(&mut self) {
        if let Some(leader) = self.house.leader {
            self.die(leader);
        }
    }

    pub(crate) fn die(&mut self, id: ProcessId) {
        let Some(process) = self.house.processes.remove(&id) else { return };
        self.dismiss_courier(id);
        say!(self, "-- the house dies, term {} --", process.term.0);
        let is_leader = self.house.is_leader(id);
        if is_leader {
            self.count(Fault::Crash);
        }
        if let Phase::Committing(mut in_flight) = process.phase {
            if is_leader {
                self.count(Fault::CrashInFlight);
                self.record.trouble.push((in_flight.begun_at, self.time));
            }
            if !in_flight.is_settled() && self.rng.chance(50) {
                say!(self, "-- after the commit --");
                self.land(&mut in_flight);
            }
        }
        self.hang_up(id);
        if !is_leader {
            return;
        }
        self.house.leader = None;
        let downtime = if self.has_faults { self.rng.pick(self.plan.downtimes) } else { SECOND };
        self.after(downtime, Happening::Starts);
    }

    /// The state is dropped; what is said meanwhile is lost, but the launcher's presence is remembered.
    pub(crate) fn drop_state(&mut self, id: ProcessId) {
        let life = self.house.next_life();
        if let Some(process) = self.house.process(id) {
            process.life = life;
            process.phase = Phase::Loading;
        }
        let pause = self.rng.between(100_000, 3 * SECOND);
        self.after(pause, Happening::Loads { process: id, life });
    }

    /// Reads the store and goes on from there, in the term that the process began.
    pub(crate) fn load(&mut self, id: ProcessId, life: Life) {
        let settings = Arc::clone(&self.house.settings);
        let Some(process) = self.house.process_in(id, life) else { return };
        let loaded = self.store.load_now();
        i4_acknowledged_is_durable::check_loaded(&mut self.record, &loaded);
        let state = State::recover(settings, loaded.into());
        check_state(&mut self.record, &state, "as loaded");
        process.working = Working::new(state);
        process.phase = Phase::Ready;
        process.inbox = VecDeque::from([Event::Resumed { term: process.term }]);
        process.inbox.extend(process.launcher.clone().map(launcher_event));
    }

    /// Takes what has been said in, decides, and begins to commit: in every process that is ready to.
    pub(crate) fn pump(&mut self) {
        for id in self.house.ids() {
            while self.decide(id) {}
        }
    }

    /// Decides once. Whether there may be more to decide.
    fn decide(&mut self, id: ProcessId) -> bool {
        let now = self.now();
        let Some(process) = self.house.processes.get_mut(&id) else { return false };
        if !matches!(process.phase, Phase::Ready) {
            return false;
        }
        let mut stopped = BTreeMap::new();
        let mut cut = BTreeMap::new();
        let mut questions: Vec<dry_run::Question> = Vec::new();
        let (is_leader, mut is_first) = (self.house.leader == Some(id), true);
        let mut was_asked = false;
        // A batch writes the last of each run alone, so that what matters in which order is a batch of its own.
        let (mut is_apart, mut is_left) = (false, false);
        while let Some(event) = process.inbox.pop_front() {
            is_apart = is_set_apart(&event);
            if is_apart && !is_first {
                process.inbox.push_front(event);
                is_left = true;
                break;
            }
            let state = process.working.state();
            if let Event::Request { id, request } = &event {
                if let Some(live) = live_runs(state, request) {
                    // Whether or not anybody hears of it, their failures may be final from now on.
                    self.record.disturbed.extend(live.keys().map(|run| run.incarnation));
                    stopped.insert(*id, live);
                }
                if let Some(meant) = backlog::meant(state, request) {
                    cut.insert(*id, meant);
                }
                if is_first && is_leader {
                    family::check_known(&mut self.record, state);
                }
                let before = questions.last().filter(|_| was_asked);
                let record = &mut self.record;
                let question = dry_run::Question::new(record, state, now, *id, request, before);
                questions.push(question);
            }
            was_asked = matches!(event, Event::Request { .. });
            is_first = false;
            if process.working.handle(now, &event) == Dealt::NotYet {
                process.inbox.push_front(event);
                break;
            }
            if let Event::Task(report) = &event {
                let state = process.working.state();
                i5_no_lost_status::check_heard(&mut self.record, state, report);
            }
            if is_apart {
                break;
            }
        }
        if !is_apart && process.inbox.is_empty() && process.working.state().wake_at().has_come(now)
        {
            let _ = process.working.handle(now, &Event::Woke);
        }
        let outcome = process.working.take();
        // A jump of the clock that is not believed yet is none to what is decided.
        let believed = process.working.state().clock().believed(now).wall;
        self.record.latest_believed = self.record.latest_believed.max(believed);
        let decided = Decided { wall: believed, boot: now.boot, by: process.life };
        // A state that nothing changed was found sound before.
        if !outcome.changes.is_empty() {
            check_state(&mut self.record, process.working.state(), "as decided");
        }
        for question in &questions {
            question.check(&mut self.record, &outcome.effects);
        }
        let term = process.working.state().term();
        if term != process.term {
            let line = format!("I7: term {} decides in term {}", process.term.0, term.0);
            self.record.violations.push(line);
        }
        for id in &outcome.broken {
            self.record.violations.push(format!("request {} could not be decided", id.0));
        }
        for note in &outcome.notes {
            say!(self, "   {}", note.text);
        }
        if outcome.changes.is_empty() && outcome.effects.is_empty() {
            return is_left;
        }
        let in_flight = InFlight::new(outcome, (stopped, cut), term, decided, self.time);
        if in_flight.is_durable() {
            self.begin_commit(id, in_flight);
            return false;
        }
        self.perform(id, in_flight)
    }
}

/// Whether what comes before it and what comes after it are told apart by the oracle.
fn is_set_apart(event: &Event) -> bool {
    let Event::Request { request, .. } = event else { return false };
    matches!(
        request,
        Request::Pause { .. }
            | Request::Resume { .. }
            | Request::OperateRun { verb: RunVerb::RetryDown, .. }
    )
}

/// The live runs that a request to stop is about.
fn live_runs(state: &State, request: &Request) -> Option<BTreeMap<RunId, usize>> {
    if let Request::OperateRun { run, verb: RunVerb::Kill, .. } = request {
        return state.run(*run).map(|run| [(run.id, run.attempts.len())].into());
    }
    if let Request::CancelBackfill { id, is_killing: true, .. } = request {
        let is_of = |run: &&Run| matches!(run.trigger, Trigger::Backfill { of, .. } if of == *id);
        return Some(state.runs().filter(is_of).map(|run| (run.id, run.attempts.len())).collect());
    }
    let (Request::KillJob { name, .. } | Request::DeleteJob { name, .. }) = request else {
        return None;
    };
    let job = state.job(name)?;
    Some(state.live_runs(job.incarnation).map(|run| (run.id, run.attempts.len())).collect())
}
