//! One simulation: an agenda of what happens when, the clocks, the clients, the launcher's side, and all faults.
//!
//! Time is microseconds since the begin, which is what the boot clock shows; the wall clock shows that plus an offset
//! which a fault may change. The scheduler's side is in `house`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chronode::engine::{Effect, Event, Reply, Request, RequestId};
use chronode::model::{
    BootInstant, Duration, Exit, Launch, Now, RunId, TaskId, TaskReport, TaskStatus, Timestamp,
};
use chronode::store::MemoryStore;

use super::house::{Fate, House};
use super::i5_no_lost_status;
use super::keeper::Keeper;
use super::plan::{HOUR, MINUTE, Plan, SECOND};
use super::record::{Evidence, Record, Stopped, runs};
use super::rng::Rng;
use super::spec::{Spec, name};
use super::{i1_no_lost_occurrence, i2_no_double_launch, i3_in_time, i4_acknowledged_is_durable};

/// Writes a line of the trace, and composes it only if somebody wants one: most simulations end well.
macro_rules! say {
    ($world:expr, $($text:tt)*) => {
        if $world.is_traced() {
            let text = format!($($text)*);
            $world.say(&text);
        }
    };
}
pub(crate) use say;

/// What happens at an instant.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    ClientAsks,
    OrderArrives { connection: u64, order: Effect },
    ReportArrives { connection: u64, report: TaskReport },
    TaskEnds(TaskId, Exit),
    Disconnects,
    Connects,
    KeeperDies,
    KeeperIsBack,
    ClockIsSet,
    MachineSleeps,
    Crashes,
    Starts,
    CommitIsOver { life: u64, fate: Fate },
    Reloads { life: u64 },
    Looks,
}

/// How one simulation went.
#[derive(Default)]
pub(crate) struct Result {
    pub(crate) violations: Vec<String>,
    pub(crate) started: usize,
    pub(crate) simulated: i64,
}

/// Everything that happens, as lines. Shared, so that it is there even if the simulation panics.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    /// Microseconds since the begin.
    pub(crate) time: i64,
    wall_offset: i64,
    latest_wall: Timestamp,
    begins_at: Timestamp,
    agenda: BTreeMap<(i64, u64), Happening>,
    happenings: u64,
    pub(crate) has_faults: bool,
    pub(crate) house: House,
    pub(crate) store: MemoryStore,
    pub(crate) keeper: Keeper,
    pub(crate) record: Record,
    pub(crate) connection: u64,
    pub(crate) is_connected: bool,
    /// When the last order of this connection arrives: they keep their order.
    last_order_at: i64,
    /// When the last denial arrives: no later report overtakes it.
    no_report_before: i64,
    due: BTreeMap<TaskId, Timestamp>,
    asked: BTreeMap<RequestId, Request>,
    requests: u64,
    versions: u64,
    trouble_since: Option<i64>,
    trace: Option<Trace>,
}

impl World {
    fn new(seed: u64, trace: Option<Trace>) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng, seed);
        let begins_at = plan.begins_at;
        let mut world = Self {
            plan,
            rng,
            time: 0,
            wall_offset: 0,
            latest_wall: begins_at,
            begins_at,
            agenda: BTreeMap::new(),
            happenings: 0,
            has_faults: true,
            house: House::new(),
            store: MemoryStore::new(),
            keeper: Keeper::new(),
            record: Record::default(),
            connection: 0,
            is_connected: false,
            last_order_at: 0,
            no_report_before: 0,
            due: BTreeMap::new(),
            asked: BTreeMap::new(),
            requests: 0,
            versions: 0,
            trouble_since: Some(0),
            trace,
        };
        say!(world, "{:?}", world.plan);
        world.after(0, Happening::Starts);
        world.after(world.plan.look, Happening::Looks);
        for _ in 0..world.plan.jobs_at_first {
            let delay = world.rng.between(SECOND, MINUTE);
            world.after(delay, Happening::ClientAsks);
        }
        let faults = world.plan.faults.clone();
        for (mean, fault) in [
            (faults.crash, Happening::Crashes),
            (faults.disconnect, Happening::Disconnects),
            (faults.keeper_dies, Happening::KeeperDies),
            (faults.suspend, Happening::MachineSleeps),
            (faults.clock_steps, Happening::ClockIsSet),
            (Some(world.plan.request), Happening::ClientAsks),
        ] {
            world.again(mean, fault);
        }
        world
    }

    // -- time -----------------------------------------------------------------------------------------------------

    pub(crate) const fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    pub(crate) fn say(&self, text: &str) {
        let wall = self.wall();
        if let Some(Trace(lines)) = &self.trace {
            lines.borrow_mut().push(format!("{wall:.3} {text}"));
        }
    }

    pub(crate) fn wall(&self) -> Timestamp {
        let micros = self.begins_at.as_microsecond() + self.time + self.wall_offset;
        Timestamp::from_microsecond(micros).expect("within this century")
    }

    pub(crate) fn now(&self) -> Now {
        let boot =
            BootInstant(Duration::from_micros(self.time).saturating_add(Duration::from_secs(60)));
        Now { wall: self.wall(), boot }
    }

    pub(crate) fn after(&mut self, delay: i64, happening: Happening) {
        self.happenings += 1;
        self.agenda.insert((self.time + delay, self.happenings), happening);
    }

    /// Puts the next of a kind that happens again and again on the agenda.
    fn again(&mut self, mean: Option<i64>, happening: Happening) {
        if let Some(mean) = mean.filter(|_| self.has_faults) {
            let delay = self.rng.between(mean / 10, mean * 19 / 10);
            self.after(delay, happening);
        }
    }

    /// When the house wants to be woken.
    fn next_wake(&self) -> Option<i64> {
        let wake_at = self.house.wake_at()?;
        if wake_at.at_once {
            return Some(self.time);
        }
        let wall = wake_at.wall.map(|at| {
            // Nobody wakes early: a fraction of a microsecond is rounded up.
            let micros =
                at.as_nanosecond().div_euclid(1_000) + i128::from(at.as_nanosecond() % 1_000 != 0);
            i64::try_from(micros)
                .unwrap_or(i64::MAX)
                .saturating_sub(self.begins_at.as_microsecond() + self.wall_offset)
        });
        let boot = wake_at.boot.map(|at| {
            let micros = at.since(BootInstant(Duration::from_secs(60))).as_micros();
            i64::try_from(micros).unwrap_or(i64::MAX).saturating_add(1)
        });
        wall.into_iter().chain(boot).min().map(|at| at.max(self.time))
    }

    /// Takes what comes next; `false` if nothing ever does.
    fn go_on(&mut self) -> bool {
        let wake = self.next_wake().map(|at| at.saturating_add(self.rng.between(0, 3_000)));
        let next = self.agenda.keys().next().copied();
        match (wake, next) {
            (None, None) => return false,
            (Some(wake), next) if next.is_none_or(|(at, _)| wake < at) => {
                self.move_to(wake);
                self.pump();
            }
            (_, Some(key)) => {
                let happening = self.agenda.remove(&key).expect("it was just seen");
                self.move_to(key.0);
                self.happen(happening);
                self.pump();
            }
            (Some(_), None) => {}
        }
        self.watch();
        true
    }

    fn move_to(&mut self, time: i64) {
        self.time = self.time.max(time);
        self.latest_wall = self.latest_wall.max(self.wall());
    }

    /// Notes since when not everything is well, and when it is again.
    fn watch(&mut self) {
        let is_well = self.house.is_well() && self.is_connected && self.keeper.is_up;
        match (is_well, self.trouble_since) {
            (false, None) => self.trouble_since = Some(self.time),
            (true, Some(since)) => {
                self.record.trouble.push((since, self.time));
                self.trouble_since = None;
            }
            (true, None) | (false, Some(_)) => {}
        }
    }

    // -- what happens ---------------------------------------------------------------------------------------------

    fn happen(&mut self, happening: Happening) {
        let faults = self.plan.faults.clone();
        match happening {
            Happening::ClientAsks => {
                self.client_asks();
                self.again(Some(self.plan.request), Happening::ClientAsks);
            }
            Happening::OrderArrives { connection, order } => {
                if connection == self.connection && self.is_connected && self.keeper.is_up {
                    self.carry_out(order);
                }
            }
            Happening::ReportArrives { connection, report } => {
                if connection == self.connection && self.is_connected {
                    say!(self, "the launcher says {} {:?}", report.task_id, report.status);
                    self.house.tell(Event::Task(report));
                }
            }
            Happening::TaskEnds(task_id, exit) => {
                let at = self.wall();
                if self.keeper.end(&task_id, exit, at) {
                    self.report(&task_id);
                }
            }
            Happening::Disconnects => {
                self.disconnect("the connection is lost");
                let delay = self.rng.pick(self.plan.disconnects);
                self.after(delay, Happening::Connects);
                self.again(faults.disconnect, Happening::Disconnects);
            }
            Happening::Connects => self.connect(),
            Happening::KeeperDies => {
                self.keeper_dies();
                self.again(faults.keeper_dies, Happening::KeeperDies);
            }
            Happening::KeeperIsBack => {
                self.keeper.is_up = true;
                self.connect();
            }
            Happening::ClockIsSet => {
                // As often one way as the other, so that the clock does not run away from what is due.
                let step = self.rng.pick(&[
                    SECOND,
                    30 * SECOND,
                    2 * MINUTE,
                    10 * MINUTE,
                    61 * MINUTE,
                    3 * HOUR,
                    26 * HOUR,
                ]);
                let way = self.rng.pick(&[-1, 1]);
                self.set_clock(way * step);
                self.again(faults.clock_steps, Happening::ClockIsSet);
            }
            Happening::MachineSleeps => {
                let slept = self.rng.pick(self.plan.sleeps);
                self.record.trouble.push((self.time, self.time + slept));
                say!(self, "the machine sleeps");
                self.move_to(self.time + slept);
                self.again(faults.suspend, Happening::MachineSleeps);
            }
            Happening::Crashes => {
                self.crash();
                self.again(faults.crash, Happening::Crashes);
            }
            Happening::Starts => self.start(),
            Happening::CommitIsOver { life, fate } => self.commit_is_over(life, fate),
            Happening::Reloads { life } => self.reload(life),
            Happening::Looks => {
                // The driver looks at the clock again and again; in between nothing is on the agenda.
                self.house.tell_if_up(Event::Woke);
                self.after(self.plan.look, Happening::Looks);
            }
        }
    }

    fn set_clock(&mut self, step: i64) {
        say!(self, "the clock is set by {} s", step / SECOND);
        self.wall_offset += step;
        self.latest_wall = self.latest_wall.max(self.wall());
        // The driver looks at the clock at least every half second.
        let delay = self.rng.between(0, SECOND / 2);
        self.agenda.retain(|_, happening| !matches!(happening, Happening::Looks));
        self.after(delay, Happening::Looks);
    }

    // -- the launcher's side --------------------------------------------------------------------------------------

    pub(crate) fn connect(&mut self) {
        if !self.keeper.is_up || self.is_connected || !self.house.is_up() {
            return;
        }
        self.connection += 1;
        self.is_connected = true;
        self.last_order_at = self.time;
        self.no_report_before = self.time;
        say!(self, "the launcher is connected");
        self.house.tell_launcher(Ok(vec![super::house::offer()]));
        for task_id in self.keeper.unacknowledged() {
            self.report(&task_id);
        }
    }

    /// What is on its way either way is lost.
    pub(crate) fn disconnect(&mut self, why: &str) {
        if self.is_connected {
            self.is_connected = false;
            self.say(why);
            self.house.tell_launcher(Err(why.to_owned()));
        }
    }

    fn keeper_dies(&mut self) {
        if !self.keeper.is_up {
            return;
        }
        self.disconnect("the keeper died");
        self.keeper.is_up = false;
        for task_id in self.keeper.running().clone() {
            if self.rng.chance(50) {
                say!(self, "nobody knows any more what becomes of {task_id}");
                self.keeper.forget(&task_id);
            }
        }
        let delay = self.rng.pick(self.plan.deaths);
        self.after(delay, Happening::KeeperIsBack);
    }

    /// Hands an effect to the launcher; it takes a moment, and orders of one connection keep their order.
    pub(crate) fn order(&mut self, order: Effect) {
        if let Effect::Launch(launch) = &order {
            let due_at = launch.environment.iter().find(|(name, _)| name == "CHRONODE_DUE");
            let due_at = due_at.and_then(|(_, at)| at.parse().ok()).expect("every launch has it");
            self.due.insert(launch.task_id.clone(), due_at);
        }
        if !self.is_connected {
            return;
        }
        let connection = self.connection;
        let at = (self.time + self.rng.between(50, 20_000)).max(self.last_order_at);
        self.last_order_at = at;
        self.after(at - self.time, Happening::OrderArrives { connection, order });
    }

    fn carry_out(&mut self, order: Effect) {
        match order {
            Effect::Launch(launch) => self.launch(&launch),
            Effect::Kill { task_id, grace } => {
                say!(self, "kill {task_id}");
                match self.keeper.tell(&task_id) {
                    TaskStatus::Running { .. } => {
                        let grace = i64::try_from(grace.as_micros()).expect("short");
                        let delay = self.rng.between(0, grace);
                        self.after(delay, Happening::TaskEnds(task_id, Exit::Killed));
                    }
                    TaskStatus::Ended { .. }
                    | TaskStatus::NeverLaunched
                    | TaskStatus::InDoubt { .. } => self.report(&task_id),
                }
            }
            Effect::Reconcile(tasks) => {
                for task_id in tasks {
                    self.report(&task_id);
                }
            }
            Effect::Acknowledge(task_id) => self.keeper.acknowledge(&task_id),
            Effect::Reply(..) => panic!("a reply is no order"),
        }
    }

    fn launch(&mut self, launch: &Launch) {
        let task_id = &launch.task_id;
        if self.keeper.tell(task_id) == TaskStatus::NeverLaunched {
            let at = self.wall();
            if self.rng.chance(2) {
                say!(self, "cannot start {task_id}");
                self.keeper.refuse(task_id, at);
            } else {
                say!(self, "start {task_id}");
                self.keeper.start(task_id, launch.run_id, launch.attempt, at);
                i2_no_double_launch::check_start(&mut self.record, &self.keeper, task_id);
                let due_at = self.due[task_id];
                let opens_at = self.record.opens.get(&launch.run_id).copied().unwrap_or(due_at);
                i3_in_time::check_start(&mut self.record, task_id, opens_at, self.latest_wall);
                self.decide_end(task_id, launch.run_id);
            }
        }
        self.report(task_id);
    }

    fn decide_end(&mut self, task_id: &TaskId, run_id: RunId) {
        let specs: Vec<Spec> = self.record.spec_of(run_id.incarnation).cloned().collect();
        let spec = specs.last().expect("only a stored job is launched");
        let exit = if !self.rng.chance(spec.fails_percent) {
            Exit::Code(0)
        } else {
            Exit::Code(self.rng.pick(&[1, 2, 127]))
        };
        let exit =
            if exit != Exit::Code(0) && self.rng.chance(20) { Exit::Signal(9) } else { exit };
        let delay = self.rng.between(1_000, spec.longest);
        self.after(delay, Happening::TaskEnds(task_id.clone(), exit));
    }

    /// The launcher says what it knows of a task, if anybody hears it.
    fn report(&mut self, task_id: &TaskId) {
        if !self.is_connected || !self.keeper.is_up {
            return;
        }
        let status = self.keeper.tell(task_id);
        let faults = self.plan.faults.clone();
        let mut delay = self.rng.between(50, 20_000);
        let mut times = 1;
        let is_denial = status == TaskStatus::NeverLaunched;
        if self.has_faults && !is_denial {
            // A denial is an answer: it comes once for each question, and at once. One that came after the state had
            // been loaded anew could be taken for the answer to the question asked then.
            if self.rng.chance(faults.dropped_percent) {
                return;
            }
            times += i64::from(self.rng.chance(faults.doubled_percent));
            if self.rng.chance(faults.late_percent) {
                delay += self.rng.between(SECOND, MINUTE);
            }
        }
        for _ in 0..times {
            let at = (self.time + delay).max(self.no_report_before);
            if is_denial {
                self.no_report_before = at;
            }
            let report = TaskReport { task_id: task_id.clone(), status: status.clone() };
            let connection = self.connection;
            self.after(at - self.time, Happening::ReportArrives { connection, report });
        }
    }

    // -- clients --------------------------------------------------------------------------------------------------

    fn client_asks(&mut self) {
        let number = self.rng.between(1, 8);
        let job = name(number);
        let exists = self
            .record
            .possible
            .get(&job)
            .is_some_and(|possible| possible.0.iter().any(|(_, version)| version.is_some()));
        // Where somebody sets the clock, "due by the replace" depends on when who looked: jobs stay as they are.
        let may_change = self.plan.faults.clock_steps.is_none();
        let kind = self.rng.between(0, 9);
        let request = match kind {
            0 | 1 if exists => Request::RunJob { name: job, arguments: None },
            2 if exists => Request::KillJob { name: job },
            3 if exists && may_change => Request::DeleteJob { name: job },
            4..=6 if exists && may_change => self.put(job),
            _ if exists => return,
            _ => self.put(job),
        };
        self.requests += 1;
        let id = RequestId(self.requests);
        match &request {
            Request::PutJob { draft, .. } => {
                let version = Some(self.versions);
                let possible = self.record.possible.entry(draft.name.clone()).or_default();
                possible.asked(id.0, version);
            }
            Request::DeleteJob { name } => {
                self.record.possible.entry(name.clone()).or_default().asked(id.0, None);
            }
            Request::RunJob { .. } | Request::KillJob { .. } => {}
        }
        say!(self, "request {}: {request:?}", id.0);
        self.asked.insert(id, request.clone());
        self.house.tell_if_up(Event::Request { id, request });
    }

    fn put(&mut self, job: chronode::model::JobName) -> Request {
        self.versions += 1;
        let now = self.wall();
        let mut spec = Spec::new(&mut self.rng, self.plan.pace, self.versions, job, now);
        if self.plan.faults.clock_steps.is_some() {
            spec.disabled = false;
        }
        let draft = Box::new(spec.draft());
        self.record.specs.insert(self.versions, spec);
        Request::PutJob { draft, dialect: chronode::model::Dialect::V0 }
    }

    /// A client hears its answer.
    pub(crate) fn hear(&mut self, id: RequestId, reply: &Reply) {
        say!(self, "answer {}: {reply:?}", id.0);
        let request = self.asked.remove(&id).expect("an answer is to a question, and comes once");
        let name = match &request {
            Request::PutJob { draft, .. } => draft.name.clone(),
            Request::DeleteJob { name }
            | Request::RunJob { name, .. }
            | Request::KillJob { name } => name.clone(),
        };
        let possible = self.record.possible.entry(name.clone()).or_default();
        match reply {
            Reply::Stored { .. } | Reply::Deleted => possible.acknowledged(id.0),
            Reply::Refused(rejection) => {
                possible.refused(id.0);
                if let Request::PutJob { .. } = request {
                    self.record.violations.push(format!("a job is refused: {rejection:?}"));
                }
            }
            Reply::Triggered { run } => {
                self.record.triggered.insert(*run);
            }
            Reply::Stopping { .. } => {}
        }
    }

    /// Somebody's request to stop runs was committed: what it found must have no further attempt.
    pub(crate) fn stopping(&mut self, outcome: &super::house::InFlight) {
        for (id, runs) in &outcome.stopped {
            if let Some(Request::KillJob { .. } | Request::DeleteJob { .. }) = self.asked.get(id) {
                self.record.stopped.push(Stopped(runs.clone()));
            }
        }
    }

    /// The house is dead: what it ordered last arrives all the same.
    pub(crate) fn drain_orders(&mut self) {
        let connection = self.connection;
        let of_connection = |happening: &Happening| matches!(happening, Happening::OrderArrives { connection: of, .. } if *of == connection);
        let keys: Vec<(i64, u64)> = self
            .agenda
            .iter()
            .filter_map(|(key, happening)| of_connection(happening).then_some(*key))
            .collect();
        // The first of them, perhaps not all: the launcher reads what it was sent in order.
        let last = i64::try_from(keys.len()).expect("few");
        let count = usize::try_from(self.rng.between(0, last)).expect("not negative");
        for key in keys.into_iter().take(count) {
            let happening = self.agenda.remove(&key).expect("it was just seen");
            self.happen(happening);
        }
    }

    // -- the whole ------------------------------------------------------------------------------------------------

    /// The faults are over: everything is brought back, and nobody asks for anything any more.
    fn heal(&mut self) {
        say!(self, "-- the faults are over --");
        self.has_faults = false;
        self.agenda.retain(|_, happening| match happening {
            Happening::ClientAsks
            | Happening::Disconnects
            | Happening::KeeperDies
            | Happening::ClockIsSet
            | Happening::MachineSleeps
            | Happening::Crashes => false,
            Happening::OrderArrives { .. }
            | Happening::ReportArrives { .. }
            | Happening::TaskEnds(..)
            | Happening::Connects
            | Happening::KeeperIsBack
            | Happening::Starts
            | Happening::CommitIsOver { .. }
            | Happening::Reloads { .. }
            | Happening::Looks => true,
        });
        let behind = self.latest_wall.as_microsecond() - self.wall().as_microsecond();
        if behind > 0 {
            self.set_clock(behind);
        }
        // A report may have been dropped; whoever connects anew is told everything.
        self.disconnect("the last time");
        self.after(SECOND, Happening::KeeperIsBack);
    }

    fn has_settled(&self, through: Timestamp) -> bool {
        let late = |run: &chronode::model::Run| self.record.opens_by(run) <= through;
        self.house.is_well() && self.is_connected && !self.record.live.values().any(late)
    }

    fn evidence(&self, through: Timestamp) -> Vec<String> {
        let history = self.store.history();
        let evidence = Evidence {
            record: &self.record,
            history: &history,
            runs: runs(&history).map(|run| (run.id, run)).collect(),
            truth: self.keeper.truth.iter().map(|(id, truth)| (id.as_str(), truth)).collect(),
            settled_through: through,
            ends_at: self.wall(),
            has_clock_steps: self.plan.faults.clock_steps.is_some(),
            begins_at: self.begins_at,
        };
        [
            i1_no_lost_occurrence::violations(&evidence),
            i2_no_double_launch::violations(&evidence),
            i4_acknowledged_is_durable::violations(&evidence),
            i5_no_lost_status::violations(&evidence),
        ]
        .concat()
    }
}

/// Plays the simulation of `seed` to its end, or to the first violation.
pub(crate) fn simulate(seed: u64, trace: Option<Trace>) -> Result {
    const STEPS_MAX: u64 = 2_000_000;
    let mut world = World::new(seed, trace);
    let mut steps = 0;
    let mut play = |world: &mut World, until: &dyn Fn(&World) -> bool| {
        while !until(world) && world.record.violations.is_empty() {
            steps += 1;
            if steps > STEPS_MAX || !world.go_on() {
                let time = world.time / SECOND;
                world.record.violations.push(format!("it stands still after {time} s"));
            }
        }
    };
    let span = world.plan.span;
    play(&mut world, &|world| world.time >= span);
    world.heal();
    let through = world.wall();
    let healed_at = world.time;
    play(&mut world, &|world| {
        world.time > healed_at + world.plan.patience
            || (world.time > healed_at + 2 * MINUTE && world.has_settled(through))
    });
    let mut violations = std::mem::take(&mut world.record.violations);
    if violations.is_empty() {
        // Nobody is in the middle of anything when the evidence is looked at.
        let end = world.time + MINUTE;
        play(&mut world, &|world| world.time >= end && !world.house.is_committing());
        violations = std::mem::take(&mut world.record.violations);
        violations.extend(world.evidence(through));
    }
    Result { violations, started: world.keeper.truth.len(), simulated: world.time }
}
