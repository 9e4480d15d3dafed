//! One simulation: an agenda of what happens when, the clocks, and all faults.
//!
//! Time is microseconds since the begin, which is what the boot clock shows; the wall clock shows that plus an offset
//! which a fault may change. The scheduler's side is in `house` and `commit`, the launcher's in `launcher` and `keeper`,
//! and who asks for all this in `client`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chronode::engine::{Effect, Event, Request, RequestId, WakeAt};
use chronode::model::{
    BootInstant, Duration, Exit, Launch, NotificationId, Now, TaskId, TaskReport, Timestamp,
};
use chronode::store::MemoryStore;

use super::courier::Couriers;
use super::figure::{Fault, Figures};
use super::house::{House, Life, ProcessId};
use super::keeper::Keeper;
use super::launcher::Connection;
use super::operator::PAUSED_MAX;
use super::oracle::Counts;
use super::plan::{HOUR, MINUTE, Plan, SECOND};
use super::played::Played;
use super::record::{Evidence, Record, runs};
use super::rng::Rng;
use super::{
    backfills, backlog, i1_no_lost_occurrence, i2_no_double_launch, i4_acknowledged_is_durable,
    i5_no_lost_status, i6_chain_exactness, i8_self_healing, i9_heard_of, oracle, overlap, pauses,
};

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
    /// Comes again and again.
    Recurs(Recurring),
    /// Comes once.
    Strikes(Recurring),
    OrderArrives {
        connection: u64,
        order: Effect,
    },
    ReportArrives {
        connection: u64,
        report: TaskReport,
    },
    TaskEnds(TaskId, Exit),
    /// A task can be seen again, and perhaps its launch arrives only now.
    ComesInSight(TaskId, Option<Box<Launch>>),
    Connects,
    KeeperIsBack,
    Starts,
    /// A deposed process ends.
    Leaves {
        process: ProcessId,
    },
    Loads {
        process: ProcessId,
        life: Life,
    },
    /// A message that a process has sent gets to where it is sent, or does not.
    Arrives {
        process: ProcessId,
        message: NotificationId,
    },
    CommitLands {
        process: ProcessId,
        life: Life,
    },
    CommitIsOver {
        process: ProcessId,
        life: Life,
    },
    Looks,
}

/// What disturbs a house while there are faults and requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recurring {
    ClientAsks,
    Crashes,
    TakesOver,
    Disconnects,
    KeeperDies,
    TasksVanish,
    MachineSleeps,
    ClockIsSet,
}

impl Recurring {
    const ALL: [Self; 8] = [
        Self::ClientAsks,
        Self::Crashes,
        Self::TakesOver,
        Self::Disconnects,
        Self::KeeperDies,
        Self::TasksVanish,
        Self::MachineSleeps,
        Self::ClockIsSet,
    ];

    /// The mean microseconds from one to the next.
    const fn mean(self, plan: &Plan) -> Option<i64> {
        match self {
            Self::ClientAsks => Some(plan.request),
            Self::Crashes => plan.faults.crash,
            Self::TakesOver => plan.faults.take_over,
            Self::Disconnects => plan.faults.disconnect,
            Self::KeeperDies => plan.faults.keeper_dies,
            Self::TasksVanish => plan.faults.out_of_sight,
            Self::MachineSleeps => plan.faults.suspend,
            Self::ClockIsSet => plan.faults.clock_steps,
        }
    }
}

/// How one simulation went.
#[derive(Default)]
pub(crate) struct Result {
    pub(crate) violations: Vec<String>,
    pub(crate) started: usize,
    pub(crate) simulated: i64,
    pub(crate) figures: Figures,
    pub(crate) played: Played,
    /// What the oracle counted.
    pub(crate) counts: Counts,
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
    pub(crate) latest_wall: Timestamp,
    pub(crate) agenda: BTreeMap<(i64, u64), Happening>,
    happenings: u64,
    pub(crate) has_faults: bool,
    pub(crate) house: House,
    pub(crate) store: MemoryStore,
    pub(crate) keeper: Keeper,
    pub(crate) couriers: Couriers,
    pub(crate) record: Record,
    /// Until when launches may arrive where nobody sees them.
    pub(crate) dark_until: i64,
    pub(crate) connections: u64,
    pub(crate) connection: Option<Connection>,
    pub(crate) asked: BTreeMap<RequestId, Request>,
    pub(crate) requests: u64,
    /// What was asked for under a key, and when.
    pub(crate) repeatable: Vec<(Timestamp, Request)>,
    pub(crate) versions: u64,
    trouble_since: Option<i64>,
    figures: Figures,
    trace: Option<Trace>,
}

impl World {
    fn new(seed: u64, trace: Option<Trace>) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng, seed);
        let has_clock_steps = plan.faults.clock_steps.is_some();
        let mut world = Self {
            latest_wall: plan.begins_at,
            house: House::new(&plan),
            plan,
            rng,
            time: 0,
            wall_offset: 0,
            agenda: BTreeMap::new(),
            happenings: 0,
            has_faults: true,
            store: MemoryStore::new(),
            keeper: Keeper::new(),
            couriers: Couriers::new(seed),
            record: Record::default(),
            dark_until: 0,
            connections: 0,
            connection: None,
            asked: BTreeMap::new(),
            requests: 0,
            repeatable: Vec::new(),
            versions: 0,
            trouble_since: Some(0),
            figures: Figures::default(),
            trace,
        };
        world.record.has_clock_steps = has_clock_steps;
        world.record.tallies.house = world.plan.disable_after;
        say!(world, "{:?}", world.plan);
        world.after(0, Happening::Starts);
        world.after(world.plan.look, Happening::Looks);
        for _ in 0..world.plan.jobs_at_first {
            let delay = world.rng.between(SECOND, MINUTE);
            world.after(delay, Happening::Strikes(Recurring::ClientAsks));
        }
        for recurring in Recurring::ALL {
            world.again(recurring);
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

    pub(crate) const fn count(&mut self, fault: Fault) {
        if self.has_faults {
            self.figures.count(fault);
        }
    }

    pub(crate) fn wall(&self) -> Timestamp {
        let micros = self.plan.begins_at.as_microsecond() + self.time + self.wall_offset;
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
    fn again(&mut self, recurring: Recurring) {
        if let Some(mean) = recurring.mean(&self.plan).filter(|_| self.has_faults) {
            let delay = self.rng.between(mean / 10, mean * 19 / 10);
            self.after(delay, Happening::Recurs(recurring));
        }
    }

    /// When the house wants to be woken.
    fn next_wake(&self) -> Option<i64> {
        self.house.wakes().filter_map(|wake_at| self.instant(wake_at)).min()
    }

    fn instant(&self, wake_at: WakeAt) -> Option<i64> {
        if wake_at.at_once {
            return Some(self.time);
        }
        let wall = wake_at.wall.map(|at| {
            // Nobody wakes early: a fraction of a microsecond is rounded up.
            let micros =
                at.as_nanosecond().div_euclid(1_000) + i128::from(at.as_nanosecond() % 1_000 != 0);
            i64::try_from(micros)
                .unwrap_or(i64::MAX)
                .saturating_sub(self.plan.begins_at.as_microsecond() + self.wall_offset)
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
        self.send_couriers();
        self.pump();
        self.lie_in_wait();
        self.watch();
        true
    }

    fn move_to(&mut self, time: i64) {
        self.time = self.time.max(time);
        self.latest_wall = self.latest_wall.max(self.wall());
    }

    /// Events come in bursts. What strikes soon after one strikes between two of them, or into a commit.
    fn lie_in_wait(&mut self) {
        let permille = self.plan.faults.ambush_permille;
        if self.has_faults && permille > 0 && self.rng.between(0, 999) < permille {
            let kind = self.rng.pick(&[
                Recurring::Crashes,
                Recurring::TakesOver,
                Recurring::Disconnects,
                Recurring::MachineSleeps,
            ]);
            let delay = self.rng.between(0, 10_000);
            self.after(delay, Happening::Strikes(kind));
        }
    }

    /// Notes since when not everything is well, and when it is again.
    fn watch(&mut self) {
        let is_well = self.house.is_well()
            && self.keeper.is_up
            && self.house.leader().is_some_and(|leader| self.is_connected(leader));
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

    pub(crate) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Recurs(recurring) => {
                self.strike(recurring);
                self.again(recurring);
            }
            Happening::Strikes(recurring) => self.strike(recurring),
            Happening::OrderArrives { connection, order } => self.order_arrives(connection, order),
            Happening::ReportArrives { connection, report } => {
                self.report_arrives(connection, report);
            }
            Happening::TaskEnds(task_id, exit) => {
                let at = self.wall();
                if self.keeper.end(&task_id, exit, at) && !self.keeper.is_hidden(&task_id) {
                    self.report(&task_id);
                }
            }
            Happening::ComesInSight(task_id, late) => {
                self.comes_in_sight(&task_id, late.as_deref());
            }
            Happening::Connects => self.connect(),
            Happening::KeeperIsBack => {
                self.keeper.is_up = true;
                self.connect();
            }
            Happening::Starts => self.start(),
            Happening::Leaves { process } => self.die(process),
            Happening::Loads { process, life } => self.load(process, life),
            Happening::Arrives { process, message } => self.arrives(process, message),
            Happening::CommitLands { process, life } => self.commit_lands(process, life),
            Happening::CommitIsOver { process, life } => self.commit_is_over(process, life),
            Happening::Looks => {
                // The driver looks at the clock again and again; in between nothing is on the agenda.
                for id in self.house.ids() {
                    self.house.tell_if_well(id, Event::Woke);
                }
                self.after(self.plan.look, Happening::Looks);
            }
        }
    }

    fn strike(&mut self, recurring: Recurring) {
        match recurring {
            Recurring::ClientAsks => self.client_asks(),
            Recurring::Crashes => self.crash(),
            Recurring::TakesOver => self.take_over(),
            Recurring::Disconnects => {
                if self.connection.is_some() {
                    self.count(Fault::Disconnect);
                }
                self.disconnect("the connection is lost");
                let delay = self.rng.pick(self.plan.disconnects);
                self.after(delay, Happening::Connects);
            }
            Recurring::KeeperDies => self.keeper_dies(),
            Recurring::TasksVanish => self.out_of_sight(),
            Recurring::MachineSleeps => {
                self.count(Fault::Suspend);
                let slept = self.rng.pick(self.plan.sleeps);
                self.record.trouble.push((self.time, self.time + slept));
                self.record.sleeps.push((self.time, self.time + slept));
                say!(self, "the machine sleeps");
                self.move_to(self.time + slept);
                self.house.wake_up();
            }
            Recurring::ClockIsSet => {
                self.count(Fault::ClockStep);
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

    // -- the whole ------------------------------------------------------------------------------------------------

    /// The faults are over: everything is brought back, and nobody asks for anything any more.
    fn heal(&mut self) {
        say!(self, "-- the faults are over --");
        self.has_faults = false;
        for deposed in self.house.deposed() {
            self.die(deposed);
        }
        self.agenda.retain(|_, happening| match happening {
            Happening::Recurs(_) | Happening::Strikes(_) | Happening::Starts => false,
            Happening::OrderArrives { .. }
            | Happening::ReportArrives { .. }
            | Happening::TaskEnds(..)
            | Happening::ComesInSight(..)
            | Happening::Connects
            | Happening::KeeperIsBack
            | Happening::Leaves { .. }
            | Happening::Loads { .. }
            | Happening::Arrives { .. }
            | Happening::CommitLands { .. }
            | Happening::CommitIsOver { .. }
            | Happening::Looks => true,
        });
        self.latest_wall = self.latest_wall.max(self.record.latest_believed);
        let behind = self.latest_wall.as_microsecond() - self.wall().as_microsecond();
        if behind > 0 {
            self.set_clock(behind);
        }
        if self.house.leader().is_none() {
            self.after(SECOND / 2, Happening::Starts);
        }
        // A report may have been dropped; whoever connects anew is told everything.
        self.disconnect("the last time");
        self.after(SECOND, Happening::KeeperIsBack);
    }

    fn has_settled(&self, through: Timestamp) -> bool {
        let late = |run: &chronode::model::Run| {
            let life = run.id.incarnation;
            run.created_at <= through
                && self.record.fits(life, self.plan.agents)
                && !self.record.pauses.hold(life)
        };
        self.house.is_well() && self.connection.is_some() && !self.record.live.values().any(late)
    }

    fn evidence(&self, through: Timestamp) -> (Counts, Vec<String>) {
        let history = self.store.history();
        let jobs = self.store.load_now().jobs;
        let evidence = Evidence {
            record: &self.record,
            history: &history,
            jobs: &jobs,
            runs: runs(&history).map(|run| (run.id, run)).collect(),
            truth: self.keeper.truth.iter().map(|(id, truth)| (id.as_str(), truth)).collect(),
            doubted: &self.keeper.doubted,
            settled_through: through,
            ends_at: self.wall(),
            has_clock_steps: self.plan.faults.clock_steps.is_some(),
            agents: self.plan.agents,
            begins_at: self.plan.begins_at,
        };
        let (counts, mistakes) = oracle::judge_all(&evidence);
        let violations = [
            mistakes,
            i1_no_lost_occurrence::violations(&evidence),
            i2_no_double_launch::violations(&evidence),
            i4_acknowledged_is_durable::violations(&evidence),
            i5_no_lost_status::violations(&evidence),
            i6_chain_exactness::violations(&evidence),
            overlap::violations(&evidence),
            pauses::violations(&evidence),
            backfills::violations(&evidence),
            backlog::violations(&evidence),
            i8_self_healing::violations(&evidence),
            i9_heard_of::violations(&evidence, &self.couriers.received, self.plan.tells),
        ]
        .concat();
        (counts, violations)
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
    // A clock that was set is believed when that has held; pauses end.
    let has_clock_steps = world.plan.faults.clock_steps.is_some();
    let believed_at = healed_at + if has_clock_steps { 6 * MINUTE } else { PAUSED_MAX * SECOND };
    play(&mut world, &|world| {
        world.time > believed_at + world.plan.patience
            || (world.time > believed_at + 2 * MINUTE && world.has_settled(through))
    });
    let mut violations = std::mem::take(&mut world.record.violations);
    let mut counts = Counts::default();
    if violations.is_empty() {
        // Nobody is in the middle of anything when the evidence is looked at.
        let end = world.time + MINUTE;
        play(&mut world, &|world| world.time >= end && !world.house.is_committing());
        violations = std::mem::take(&mut world.record.violations);
        let (found, mistakes) = world.evidence(through);
        counts = found;
        violations.extend(mistakes);
    }
    let (told, received) = (&world.record.told, &world.couriers.received);
    i9_heard_of::count(&mut world.record.played, told, received);
    Result {
        violations,
        started: world.keeper.truth.len(),
        simulated: world.time,
        figures: world.figures,
        played: world.record.played,
        counts,
    }
}
