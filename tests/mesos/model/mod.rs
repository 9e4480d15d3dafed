//! A master, its agents and what runs on them, as values: calls go in, events come out, time is an argument.
//!
//! Behaves as the recordings in `tests/mesos/traces` show and their README says; `tests/mesos_model.rs` replays them
//! against it. Where they are silent it does what Apache Mesos 1.11 is documented to do. Beside what it says it keeps
//! what is true: every start of a command, and how that came to its end.
//!
//! Time is milliseconds since the cluster began. Nothing here knows whether they are real.

#![allow(dead_code, reason = "each test that includes it uses another part of it")]

pub(crate) mod agent;
pub(crate) mod allocator;
pub(crate) mod call;
pub(crate) mod form;
pub(crate) mod launch;
pub(crate) mod master;
pub(crate) mod stock;
pub(crate) mod task;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chronode::mesos::wire::{Event, TaskInfo, TaskState, Unavailability};

use agent::{Agent, TaskKey};
use master::Master;
use task::{End, Script};

/// A stream of events to a scheduler.
pub(crate) type ConnectionId = u64;

/// Something that a master says on a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) at: u64,
    pub(crate) to: ConnectionId,
    pub(crate) what: What,
}

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Event(Box<Event>),
    /// The stream ends in order.
    Closed,
    /// The connection breaks.
    Broken,
}

/// Something that is to be done on a machine, for those who really do it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    Start {
        machine: usize,
        task: TaskKey,
        container: String,
        info: Box<TaskInfo>,
    },
    /// The command is asked to end.
    Ask {
        machine: usize,
        task: TaskKey,
        grace: u64,
    },
    /// It is killed, if it still runs.
    Kill {
        machine: usize,
        task: TaskKey,
    },
}

/// A start of a task's command, as it really was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Start {
    pub(crate) machine: usize,
    pub(crate) task: TaskKey,
    pub(crate) info: TaskInfo,
    pub(crate) at: u64,
    pub(crate) ended_at: Option<u64>,
    /// How it ended; `None` while it runs, or if nobody will ever tell.
    pub(crate) end: Option<(TaskState, End)>,
}

/// How the cluster is set up.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Milliseconds without an answer of an agent after which it counts as unreachable.
    pub(crate) ping_timeout: u64,
    /// After which agents that have not come to a new master count as unreachable.
    pub(crate) reregister_timeout: u64,
    /// After which an offer is rescinded that nobody has answered.
    pub(crate) offer_timeout: Option<u64>,
    /// The first allocation after the begin, and microseconds between two.
    pub(crate) first_allocation: u64,
    pub(crate) allocation_interval: u64,
    /// Between two heartbeats.
    pub(crate) heartbeat: u64,
    /// Whether masters share a record of the agents.
    pub(crate) has_registry: bool,
    /// Seconds since 1970 at the begin.
    pub(crate) epoch: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping_timeout: 75_000,
            reregister_timeout: 600_000,
            offer_timeout: None,
            first_allocation: 500,
            allocation_interval: 1_000_000,
            heartbeat: 15_000,
            has_registry: true,
            epoch: 1_795_238_475.0,
        }
    }
}

/// What masters leave to their successors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    /// Agents, by id, with their machines.
    pub(crate) admitted: BTreeMap<String, usize>,
    /// Those that cannot be reached, and since when.
    pub(crate) unreachable: BTreeMap<String, u64>,
    /// Those that will never be back.
    pub(crate) gone: BTreeSet<String>,
    /// When machines are to be out of service, by host.
    pub(crate) schedule: BTreeMap<String, Unavailability>,
}

type Scripts = Box<dyn FnMut(&TaskInfo) -> Script + Send>;

/// All of it.
pub(crate) struct Cluster {
    pub(crate) settings: Settings,
    pub(crate) now: u64,
    pub(crate) agents: Vec<Agent>,
    /// The master that leads.
    pub(crate) master: Option<Master>,
    pub(crate) registry: Registry,
    /// What has been said and not been taken yet.
    pub(crate) said: Vec<Said>,
    /// What is to be done and has not been taken yet.
    pub(crate) deeds: Vec<Deed>,
    /// Every start of a command.
    pub(crate) ran: Vec<Start>,
    /// What a task will do.
    pub(crate) script: Scripts,
    /// The longest grace while an agent is drained.
    pub(crate) drain_grace: u64,
    masters: u64,
    connections: ConnectionId,
    uuids: u64,
    allocations: u64,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster whose first master leads. Its agents are down.
    pub(crate) fn new(settings: Settings, agents: Vec<Agent>, script: Scripts) -> Self {
        let mut cluster = Self {
            settings,
            now: 0,
            agents,
            master: None,
            registry: Registry::default(),
            said: Vec::new(),
            deeds: Vec::new(),
            ran: Vec::new(),
            script,
            drain_grace: u64::MAX,
            masters: 0,
            connections: 0,
            uuids: 0,
            allocations: 0,
        };
        cluster.master_leads();
        cluster
    }

    /// Seconds since 1970.
    pub(crate) fn wall(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let seconds = self.now as f64 / 1_000.0;
        self.settings.epoch + seconds
    }

    pub(crate) fn wall_nanoseconds(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "within this century")]
        let begin = self.settings.epoch as i64 * 1_000_000_000;
        begin + i64::try_from(self.now).expect("within this century") * 1_000_000
    }

    pub(crate) fn new_connection(&mut self) -> ConnectionId {
        self.connections += 1;
        self.connections
    }

    pub(crate) const fn next_master(&mut self) -> u64 {
        self.masters += 1;
        self.masters
    }

    /// Sixteen bytes that are used once, in base64.
    pub(crate) fn new_uuid(&mut self) -> String {
        self.uuids += 1;
        STANDARD.encode((u128::from(self.uuids) << 64 | 0x4d65_736f_7300).to_be_bytes())
    }

    /// A name that is used once.
    pub(crate) fn new_uuid_text(&mut self) -> String {
        self.uuids += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.masters, self.uuids)
    }

    pub(crate) fn say(&mut self, to: ConnectionId, event: Event) {
        self.said.push(Said { at: self.now, to, what: What::Event(Box::new(event)) });
    }

    pub(crate) fn end_stream(&mut self, to: ConnectionId, what: What) {
        self.said.push(Said { at: self.now, to, what });
    }

    /// What has been said since this was asked last.
    pub(crate) fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    pub(crate) fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    /// The machine of an agent.
    pub(crate) fn machine_of(&self, agent: &str) -> Option<usize> {
        self.agents.iter().position(|candidate| candidate.id.as_deref() == Some(agent))
    }

    /// The instant of the next allocation, of which there are many in which nothing happens.
    fn next_allocation(&self) -> u64 {
        self.settings.first_allocation
            + self.allocations * self.settings.allocation_interval / 1_000
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<u64> {
        let allocation = self.wants_allocations().then(|| self.next_allocation());
        let instants = [self.next_on_agents(), self.next_at_master(), allocation];
        instants.into_iter().flatten().min().map(|at| at.max(self.now))
    }

    /// Lets everything happen until then.
    pub(crate) fn advance(&mut self, to: u64) {
        while let Some(at) = self.next_at().filter(|at| *at <= to) {
            self.now = at;
            self.skip_allocations();
            self.work_on_agents();
            self.work_of_master();
            if self.next_allocation() <= self.now {
                self.allocations += 1;
                self.allocate_all();
            }
        }
        self.now = self.now.max(to);
        self.skip_allocations();
    }

    /// Allocations that were passed over, as nobody wanted any.
    fn skip_allocations(&mut self) {
        if self.next_allocation() < self.now {
            let since = (self.now - self.settings.first_allocation) * 1_000;
            self.allocations = since.div_ceil(self.settings.allocation_interval);
        }
    }
}
