//! One simulation: an agenda of what happens when, the scheduler's process, the wire, and the cluster.

mod fault;
mod judge;
mod process;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use chronode::engine::{Abilities, Event, Request, RequestId, Settings as EngineSettings};
use chronode::mesos::wire::{Call, FrameworkInfo};
use chronode::model::{
    BootInstant, Defaults, Dialect, Duration, JobDraft, JobName, NameRule, Now, OnUnknown, Overlap,
    Period, Run, RunId, Scalar, ScheduleTerms, TaskId, Timestamp, UnknownThen, When,
};
use chronode::schedule::ZoneDb;
use chronode::store::MemoryStore;

use super::model::agent::Agent;
use super::model::stock::Stock;
use super::model::task::{End, OnTerm, Script, Trouble};
use super::model::{Cluster, ConnectionId, Settings, What};
use super::rng::Rng;
use fault::{Fault, Plan};
use process::Process;

pub(crate) const MILLI: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;

/// The first instant of any simulation.
const BEGIN: &str = "2026-01-01T00:00:00Z";
/// How long everything may take to settle after the faults.
const PATIENCE: i64 = 90 * MINUTE;

/// What some seed among the fixed ones has to see.
pub(crate) const MUST_HAPPEN: &[&str] = &[
    "fault: crash",
    "fault: crash between orders",
    "fault: commit refused",
    "fault: commit in doubt",
    "fault: connection cut",
    "fault: events lost with a connection",
    "fault: half-open connection",
    "fault: events late",
    "fault: update doubled",
    "fault: update overtaken",
    "fault: call lost",
    "fault: answer to a call lost",
    "fault: master failover",
    "fault: agent process restarted",
    "fault: agent process away for long",
    "fault: machine lost",
    "fault: agent cut off",
    "fault: agent leaves",
    "fault: agent drained",
    "fault: agent marked gone",
    "fault: maintenance",
    "fault: executor killed",
    "fault: framework removed",
    "fault: clock set",
    "commands started",
    "attempts ended",
    "attempts lost",
    "launches denied",
];

/// How a simulation went.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) violations: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

/// What happens at an instant.
#[derive(Debug)]
pub(crate) enum Happening {
    Starts,
    Loads(u64),
    CommitLands(u64),
    CommitIsOver(u64),
    /// SUBSCRIBE reaches whoever leads.
    Subscribes {
        link: u64,
        framework_id: Option<String>,
    },
    /// The answer to it, or that there is none, reaches the process.
    Answered {
        link: u64,
        answer: Result<String, String>,
    },
    EventArrives {
        link: u64,
        what: What,
    },
    CallArrives {
        link: u64,
        connection: ConnectionId,
        call: Box<Call>,
    },
    /// The answer to a call that was not 202.
    CallAnswered {
        link: u64,
        call: Box<Call>,
        status: u16,
        message: String,
    },
    CallIsLost {
        link: u64,
    },
    MasterSeesCut(ConnectionId),
    Asks,
    Strikes(Fault),
    Heals(fault::Healing),
    FaultsEnd,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    /// Microseconds since the begin.
    pub(crate) time: i64,
    /// By how much the clock of the process's machine is set wrong.
    pub(crate) skew: i64,
    agenda: BTreeMap<(i64, u64), Happening>,
    happenings: u64,
    pub(crate) has_faults: bool,
    pub(crate) cluster: Cluster,
    pub(crate) store: MemoryStore,
    pub(crate) settings: Arc<EngineSettings>,
    pub(crate) framework: FrameworkInfo,
    pub(crate) process: Option<Process>,
    pub(crate) lives: u64,
    pub(crate) links: u64,
    /// Which of the process's links a stream of the master belongs to.
    pub(crate) streams: BTreeMap<ConnectionId, u64>,
    pub(crate) requests: u64,
    pub(crate) names: Vec<JobName>,
    /// Each run as it was committed last, and the state of each update that was heard.
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) run_of: BTreeMap<TaskId, RunId>,
    pub(crate) heard: BTreeMap<String, chronode::mesos::wire::TaskState>,
    /// The tasks of which it was said that they had failed, or could not begin.
    pub(crate) told_of_trouble: BTreeSet<TaskId>,
    /// The attempts that were given up as lost, or of which nobody could say anything.
    pub(crate) doubted: BTreeSet<TaskId>,
    pub(crate) played: Rc<RefCell<Played>>,
    is_traced: bool,
}

/// Plays a seed.
pub(crate) fn play(seed: u64, is_traced: bool) -> Played {
    let mut world = World::new(seed, is_traced);
    world.run();
    let played = Rc::clone(&world.played);
    drop(world);
    played.take()
}

impl World {
    fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let begin: Timestamp = BEGIN.parse().expect("an instant");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let epoch = begin.as_second() as f64;
        let settings = Settings {
            ping_timeout: rng.pick(&[15_000, 75_000]),
            has_registry: !rng.chance(10),
            epoch,
            first_allocation: 300,
            ..Settings::default()
        };
        let roles: &[&str] =
            rng.pick(&[&["*"][..], &["*"][..], &["*"][..], &["batch"][..], &["*", "batch"][..]]);
        let has_roles = roles.contains(&"batch");
        let agents = (0..rng.between(1, 3)).map(|number| agent(&mut rng, number, has_roles));
        let agents: Vec<Agent> = agents.collect();
        let scripts = scripts(rng.next(), plan.longest);
        let mut cluster = Cluster::new(settings, agents, scripts);
        for machine in 0..cluster.agents.len() {
            cluster.agent_starts(machine, 10);
        }
        let capability =
            |name: &str| chronode::mesos::wire::Capability { name: Some(name.to_owned()) };
        let framework = FrameworkInfo {
            user: "root".to_owned(),
            name: "chronos".to_owned(),
            failover_timeout: 604_800.0,
            checkpoint: !rng.chance(15),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            capabilities: [
                "PARTITION_AWARE",
                "TASK_KILLING_STATE",
                "MULTI_ROLE",
                "RESERVATION_REFINEMENT",
            ]
            .map(capability)
            .to_vec(),
            ..FrameworkInfo::default()
        };
        let mut world = Self {
            plan,
            rng,
            time: 0,
            skew: 0,
            agenda: BTreeMap::new(),
            happenings: 0,
            has_faults: true,
            cluster,
            store: MemoryStore::new(),
            settings: Arc::new(engine_settings()),
            framework,
            process: None,
            lives: 0,
            links: 0,
            streams: BTreeMap::new(),
            requests: 0,
            names: Vec::new(),
            runs: BTreeMap::new(),
            run_of: BTreeMap::new(),
            heard: BTreeMap::new(),
            told_of_trouble: BTreeSet::new(),
            doubted: BTreeSet::new(),
            played: Rc::default(),
            is_traced,
        };
        if is_traced {
            println!("{:?}", world.plan);
        }
        world.after(0, Happening::Starts);
        for fault in Fault::ALL {
            world.again(fault);
        }
        for _ in 0..world.plan.jobs {
            let delay = world.rng.between(SECOND, MINUTE);
            world.after(delay, Happening::Asks);
        }
        let span = world.plan.span;
        world.after(span, Happening::FaultsEnd);
        world
    }

    // -- time -----------------------------------------------------------------------------------------------------

    pub(crate) fn now(&self) -> Now {
        let begin: Timestamp = BEGIN.parse().expect("an instant");
        let micros = begin.as_microsecond() + self.time + self.skew;
        let wall = Timestamp::from_microsecond(micros).expect("within this century");
        Now { wall, boot: boot(self.time) }
    }

    pub(crate) fn after(&mut self, delay: i64, happening: Happening) {
        self.happenings += 1;
        self.agenda.insert((self.time + delay.max(0), self.happenings), happening);
    }

    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>12.3} {}", Seconds(self.time), text());
        }
    }

    pub(crate) fn count(&self, name: &'static str) {
        *self.played.borrow_mut().counts.entry(name).or_default() += 1;
    }

    pub(crate) fn violation(&self, text: String) {
        self.say(|| format!("VIOLATION {text}"));
        self.played.borrow_mut().violations.push(text);
    }

    fn run(&mut self) {
        let end = self.plan.span + PATIENCE;
        loop {
            let wake = self.process.as_ref().and_then(|process| process.wakes_at(self.skew));
            let wake = wake.map(|at| at.max(self.time));
            let next = self.agenda.keys().next().map(|(at, _)| *at);
            let cluster =
                self.cluster.next_at().map(|at| i64::try_from(at).expect("short") * MILLI);
            let Some(at) = [wake, next, cluster].into_iter().flatten().min() else { break };
            if at > end || !self.played.borrow().violations.is_empty() {
                break;
            }
            self.time = self.time.max(at);
            let millis = u64::try_from(self.time / MILLI).expect("after the begin");
            self.cluster.advance(millis);
            self.spread();
            if next == Some(at) {
                let (_, happening) = self.agenda.pop_first().expect("it was just seen");
                self.happen(happening);
                self.spread();
            }
            self.wake();
            self.pump();
        }
        if self.played.borrow().violations.is_empty() {
            self.judge_end();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Starts => self.start(),
            Happening::Loads(life) => self.load(life),
            Happening::CommitLands(life) => self.commit_lands(life),
            Happening::CommitIsOver(life) => self.commit_is_over(life),
            Happening::Subscribes { link, framework_id } => self.subscribes(link, framework_id),
            Happening::Answered { link, answer } => self.answered(link, answer),
            Happening::EventArrives { link, what } => self.event_arrives(link, what),
            Happening::CallArrives { link, connection, call } => {
                self.call_arrives(link, connection, &call);
            }
            Happening::CallAnswered { link, call, status, message } => {
                self.call_answered(link, call, status, message);
            }
            Happening::CallIsLost { link } => self.call_is_lost(link),
            Happening::MasterSeesCut(connection) => self.cluster.connection_is_cut(connection),
            Happening::Asks => self.ask(),
            Happening::Strikes(fault) => {
                if self.has_faults {
                    self.strike(fault);
                    self.again(fault);
                }
            }
            Happening::Heals(healing) => self.heal(healing),
            Happening::FaultsEnd => self.end_faults(),
        }
    }

    /// Puts the next fault of a kind on the agenda.
    pub(crate) fn again(&mut self, fault: Fault) {
        if let Some(mean) = self.plan.mean(fault) {
            let delay = self.rng.between(mean / 10, mean * 19 / 10);
            self.after(delay, Happening::Strikes(fault));
        }
    }

    /// A client stores a job, or stops or starts one.
    fn ask(&mut self) {
        let kind = self.rng.between(0, 9);
        let request = if self.names.len() < self.plan.jobs || kind < 2 {
            let number = self.names.len();
            let name = JobName::parse(&format!("job-{number}"), NameRule::Blanks).expect("a name");
            self.names.push(name.clone());
            let draft = Box::new(self.draft(name));
            Request::PutJob { draft, dialect: Dialect::V0 }
        } else if kind < 6 {
            Request::KillJob { name: self.rng.choose(&self.names).clone(), by: None }
        } else {
            Request::RunJob { name: self.rng.choose(&self.names).clone(), ask: Box::default() }
        };
        self.requests += 1;
        let id = RequestId(self.requests);
        if let Some(process) = &mut self.process {
            process.asked.push_back(Event::Request { id, request });
        } else if self.names.len() <= self.plan.jobs {
            self.names.pop();
            self.after(SECOND, Happening::Asks);
        }
        if self.has_faults && self.names.len() >= self.plan.jobs {
            let delay = self.rng.between(MINUTE, 10 * MINUTE);
            self.after(delay, Happening::Asks);
        }
    }

    fn draft(&mut self, name: JobName) -> JobDraft {
        let rng = &mut self.rng;
        let period = rng.pick(&[15, 30, 60, 120, 300]);
        let left = (self.plan.span - self.time) / SECOND;
        let count = (left / period).max(1);
        let begin: Timestamp = BEGIN.parse().expect("an instant");
        let first = begin.as_second() + self.time / SECOND + rng.between(5, 30);
        let first = Timestamp::from_second(first).expect("within this century");
        let text = format!("R{count}/{first}/PT{period}S");
        let mut draft = JobDraft::new(name, When::Schedule(ScheduleTerms::plain(text, "")));
        draft.command = Some("something".to_owned());
        draft.retries = Some(rng.between(0, 2));
        let wait = rng.pick(&[10, 60, 300, 3_000]);
        let then = rng.pick(&[UnknownThen::Lost, UnknownThen::Lost, UnknownThen::Relaunch]);
        let span = Duration::from_secs(wait);
        draft.on_unknown =
            Some(OnUnknown { wait: Period { text: format!("PT{wait}S"), span }, then });
        draft.overlap = Some(match rng.between(0, 2) {
            0 => Overlap::Skip,
            1 => Overlap::Queue { max: 5 },
            _ => Overlap::Allow { max: Some(4) },
        });
        let cpus = rng.pick(&[100, 100, 250, 500, 900]);
        draft.cpus = Some(Scalar::from_thousandths(cpus));
        draft.mem = Some(Scalar::from_thousandths(32_000));
        draft.disk = Some(Scalar::from_thousandths(0));
        draft.disable_after_failures = Some(0);
        if rng.chance(20) {
            draft.max_completion_secs = Some(20);
        }
        draft
    }
}

struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / SECOND, self.0 % SECOND)
    }
}

pub(crate) fn boot(time: i64) -> BootInstant {
    BootInstant(Duration::from_micros(time).saturating_add(Duration::from_secs(60)))
}

fn engine_settings() -> EngineSettings {
    EngineSettings {
        defaults: Defaults::default(),
        retry_delay: Duration::from_secs(2),
        disable_after_failures: 0,
        max_jobs: 200_000,
        kill_grace: Duration::from_secs(3),
        abilities: Abilities {
            only_user: None,
            run_as: None,
            containers: true,
            executors: true,
            ports: true,
        },
        alerts: chronode::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Err("no machine of a simulation starts anew".to_owned()),
    }
}

fn agent(rng: &mut Rng, number: i64, has_roles: bool) -> Agent {
    let port = u16::try_from(5051 + number).expect("few");
    let mut agent = Agent::new(&format!("agent{number}.local"), port);
    let cpus = rng.pick(&[1.0, 2.0, 4.0]);
    agent.total = Stock::simple(cpus, 4096.0, 10_000.0, (31_000, 31_100));
    if has_roles && rng.chance(60) {
        agent.total = agent.total.reserving("batch", 0.5, 512.0);
    }
    agent
}

/// What commands do, by chance.
fn scripts(
    seed: u64,
    longest: i64,
) -> Box<dyn FnMut(&chronode::mesos::wire::TaskInfo) -> Script + Send> {
    let mut rng = Rng::new(seed);
    Box::new(move |_| {
        let mut millis =
            |low: i64, high: i64| u64::try_from(rng.between(low, high)).expect("not negative");
        let (starts_after, runs_after) = (millis(50, 3_000), millis(1, 500));
        let lasts = Some(millis(10, longest));
        let ends_after = millis(10, 2_000);
        let end = match rng.between(0, 9) {
            0 => End::Exits(1),
            1 => End::Exits(127),
            2 => End::Signalled("Segmentation fault"),
            _ => End::Exits(0),
        };
        let on_term = match rng.between(0, 3) {
            0 => OnTerm::Ignores,
            1 => OnTerm::Exits(0),
            _ => OnTerm::Dies,
        };
        let trouble = match rng.between(0, 39) {
            0 => Some(Trouble::NoSandbox("No such user 'nobodyknows'".to_owned())),
            1 => Some(Trouble::NoContainer("Failed to fetch all URIs".to_owned())),
            2 => Some(Trouble::ExecutorCrashes),
            _ => None,
        };
        Script { starts_after, runs_after, lasts, end, on_term, ends_after, trouble }
    })
}
