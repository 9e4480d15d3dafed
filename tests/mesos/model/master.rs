//! What a master believes, and what it does by itself.

use std::collections::{BTreeMap, BTreeSet};

use chronode::mesos::wire::{
    Address, Event, EventType, Failure, FrameworkInfo, Id, MasterInfo, Message, Rescind,
    RescindInverse, TaskState, TaskStatus, TimeInfo, Update,
};

use super::agent::TaskKey;
use super::stock::Stock;
use super::task::{Stop, is_end};
use super::{Cluster, ConnectionId, What};

/// A master.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) frameworks: BTreeMap<String, Framework>,
    /// Frameworks that are over.
    pub(crate) removed: BTreeSet<String>,
    /// Agents that are registered.
    pub(crate) members: BTreeMap<String, Member>,
    /// Agents that are in the registry and not back yet.
    pub(crate) recovered: BTreeSet<String>,
    /// Until when it waits for them.
    pub(crate) waits_until: u64,
    pub(crate) offers: BTreeMap<String, Open>,
    pub(crate) inverse_offers: BTreeMap<String, (String, String)>,
    pub(crate) next_offer: u64,
    pub(crate) next_agent: u64,
    pub(crate) next_framework: u64,
}

/// An offer that nobody has answered.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) framework: String,
    pub(crate) agent: String,
    pub(crate) role: String,
    pub(crate) stock: Stock,
    pub(crate) until: Option<u64>,
}

/// An agent, as a master sees it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) machine: usize,
    pub(crate) is_connected: bool,
    /// Whether an operator has taken it out of use.
    pub(crate) is_deactivated: bool,
    /// When it counts as unreachable.
    pub(crate) lost_at: Option<u64>,
    /// What was to be killed while it was not there.
    pub(crate) to_kill: BTreeSet<TaskKey>,
}

/// Resources that a framework does not want for a while.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) agent: String,
    pub(crate) role: String,
    pub(crate) stock: Stock,
    pub(crate) until: u64,
}

/// A framework, as a master sees it.
#[derive(Debug, Default)]
pub(crate) struct Framework {
    pub(crate) info: FrameworkInfo,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) beats_at: u64,
    pub(crate) suppressed: BTreeSet<String>,
    pub(crate) filters: Vec<Filter>,
    /// Agents whose inverse offers are not made again until then.
    pub(crate) inverse_filters: BTreeMap<String, u64>,
    pub(crate) tasks: BTreeMap<String, Known>,
    /// Tasks of agents that cannot be reached, and since when.
    pub(crate) unreachable: BTreeMap<String, (String, u64)>,
    /// When it is over, if nobody subscribes before.
    pub(crate) over_at: Option<u64>,
}

/// A task, as a master sees it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) agent: String,
    pub(crate) stock: Stock,
    /// The latest state that the agent has told of.
    pub(crate) latest: TaskState,
    /// That of the update that is not acknowledged.
    pub(crate) shown: TaskState,
}

impl Framework {
    pub(crate) fn can(&self, capability: &str) -> bool {
        self.info.capabilities.iter().any(|known| known.name.as_deref() == Some(capability))
    }

    /// The state as this framework can understand it.
    pub(crate) fn state(&self, state: TaskState) -> TaskState {
        match state {
            TaskState::Unreachable
            | TaskState::Dropped
            | TaskState::Gone
            | TaskState::GoneByOperator
            | TaskState::Unknown
                if !self.can("PARTITION_AWARE") =>
            {
                TaskState::Lost
            }
            TaskState::Staging
            | TaskState::Starting
            | TaskState::Running
            | TaskState::Killing
            | TaskState::Finished
            | TaskState::Failed
            | TaskState::Killed
            | TaskState::Error
            | TaskState::Lost
            | TaskState::Dropped
            | TaskState::Unreachable
            | TaskState::Gone
            | TaskState::GoneByOperator
            | TaskState::Unknown
            | TaskState::Other => state,
        }
    }

    pub(crate) fn roles(&self) -> Vec<String> {
        if self.info.roles.is_empty() { vec!["*".to_owned()] } else { self.info.roles.clone() }
    }
}

/// An event with nothing in it yet.
pub(crate) fn event(kind: EventType) -> Event {
    Event { kind, ..Event::default() }
}

/// What a master says of a task by itself: without uuid, once.
pub(crate) fn word(
    task: &str,
    state: TaskState,
    reason: &str,
    sentence: &str,
    agent: Option<&str>,
) -> TaskStatus {
    TaskStatus {
        task_id: Id::new(task),
        state,
        message: Some(sentence.to_owned()),
        source: Some("SOURCE_MASTER".to_owned()),
        reason: Some(reason.to_owned()),
        agent_id: agent.map(Id::new),
        ..TaskStatus::default()
    }
}

impl Cluster {
    pub(crate) fn lead(&mut self) -> &mut Master {
        self.master.as_mut().expect("there is a master")
    }

    pub(crate) fn framework(&mut self, id: &str) -> Option<&mut Framework> {
        self.master.as_mut()?.frameworks.get_mut(id)
    }

    /// A master begins to lead. What its predecessor knew is lost, but for the registry, if they share one.
    pub(crate) fn master_leads(&mut self) {
        let number = self.next_master();
        if !self.settings.has_registry {
            self.registry = super::Registry::default();
        }
        let waits_until = self.now + self.settings.reregister_timeout;
        self.master = Some(Master {
            waits_until,
            number,
            id: format!("{number:08x}-c60f-477f-ac1c-81c9f28c4cef"),
            port: 5050,
            frameworks: BTreeMap::new(),
            removed: BTreeSet::new(),
            members: BTreeMap::new(),
            recovered: self.registry.admitted.keys().cloned().collect(),
            offers: BTreeMap::new(),
            inverse_offers: BTreeMap::new(),
            next_offer: 0,
            next_agent: 0,
            next_framework: 0,
        });
    }

    /// The master dies. Agents register with its successor so long after that has begun.
    pub(crate) fn master_dies(&mut self, agents_register_after: u64) {
        let Some(master) = self.master.take() else { return };
        for framework in master.frameworks.values() {
            if let Some(connection) = framework.connection {
                self.end_stream(connection, What::Broken);
            }
        }
        let at = self.now + agents_register_after;
        for agent in &mut self.agents {
            agent.registered = None;
            if agent.is_up {
                agent.registers_at = Some(at);
            }
        }
    }

    pub(crate) fn master_info(&self) -> MasterInfo {
        let master = self.master.as_ref().expect("there is a master");
        MasterInfo {
            id: master.id.clone(),
            address: Some(Address {
                hostname: Some("localhost".to_owned()),
                ip: Some("127.0.0.1".to_owned()),
                port: master.port,
            }),
            hostname: Some("localhost".to_owned()),
            port: Some(master.port),
            version: Some("1.11.0".to_owned()),
        }
    }

    /// Tells a framework of a task, if it hears.
    pub(crate) fn tell(&mut self, framework: &str, mut status: TaskStatus) {
        let wall = self.wall();
        status.timestamp.get_or_insert(wall);
        let Some(known) = self.framework(framework) else { return };
        if let Some(connection) = known.connection {
            let update = Some(Update { status });
            self.say(connection, Event { update, ..event(EventType::Update) });
        }
    }

    /// An agent tells of a task.
    pub(crate) fn master_hears(&mut self, framework: &str, status: TaskStatus, latest: TaskState) {
        let Some(known) = self.framework(framework) else { return };
        let state = known.state(status.state);
        if let Some(task) = known.tasks.get_mut(&status.task_id.value) {
            task.latest = latest;
            task.shown = status.state;
        }
        self.tell(framework, TaskStatus { state, ..status });
    }

    // -- agents ---------------------------------------------------------------------------------------------------

    /// An agent registers with the master.
    pub(crate) fn register(&mut self, machine: usize) {
        let number = self.lead().number;
        let Some(id) = self.agents[machine].id.clone() else {
            return self.admit(machine);
        };
        if self.registry.gone.contains(&id) {
            self.wipe(machine);
            self.agents[machine].is_up = false;
            return;
        }
        self.agents[machine].registered = Some(number);
        let is_member = self.lead().members.contains_key(&id);
        if is_member {
            self.comes_back(machine, &id);
        } else {
            let was_recovered = self.lead().recovered.remove(&id);
            let was_unreachable = self.registry.unreachable.remove(&id).is_some();
            self.comes_anew(machine, &id, was_recovered, was_unreachable);
        }
    }

    /// An agent that the master has never seen.
    fn admit(&mut self, machine: usize) {
        let (host, port) = (self.agents[machine].host.clone(), self.agents[machine].port);
        let same_place =
            |other: &usize| self.agents[*other].host == host && self.agents[*other].port == port;
        let master = self.master.as_ref().expect("there is a master");
        let replaced: Vec<String> = master
            .members
            .iter()
            .filter(|(_, member)| same_place(&member.machine))
            .map(|(id, _)| id.clone())
            .collect();
        for id in replaced {
            let sentence =
                format!("Agent {host} removed: a new agent registered at the same address");
            self.remove_member(&id, TaskState::Lost, "REASON_AGENT_REMOVED", &sentence);
        }
        let master = self.lead();
        let number = master.number;
        let id = format!("{}-S{}", master.id, master.next_agent);
        master.next_agent += 1;
        self.agents[machine].id = Some(id.clone());
        self.agents[machine].registered = Some(number);
        self.registry.admitted.insert(id.clone(), machine);
        self.add_member(machine, &id);
        self.allocate(&[id]);
    }

    fn add_member(&mut self, machine: usize, id: &str) {
        let member = Member {
            machine,
            is_connected: true,
            is_deactivated: false,
            lost_at: None,
            to_kill: BTreeSet::new(),
        };
        self.lead().members.insert(id.to_owned(), member);
    }

    /// An agent comes back that the master still counts on.
    fn comes_back(&mut self, machine: usize, id: &str) {
        let member = self.lead().members.get_mut(id).expect("it is there");
        member.is_connected = true;
        member.lost_at = None;
        let to_kill = std::mem::take(&mut member.to_kill);
        let master = self.master.as_ref().expect("there is a master");
        let mut unknown = Vec::new();
        for (framework, known) in &master.frameworks {
            for task in known.tasks.iter().filter(|(_, task)| task.agent == id).map(|(t, _)| t) {
                let key = (framework.clone(), task.clone());
                if !self.agents[machine].works.contains_key(&key) {
                    unknown.push(key);
                }
            }
        }
        for key in unknown {
            self.deny(machine, &key);
        }
        for key in to_kill {
            self.deliver_kill(machine, &key, Stop::Killed, None);
        }
        self.tell_all_heads(machine, None);
    }

    /// An agent comes back that the master did not count on, with all that it has.
    fn comes_anew(&mut self, machine: usize, id: &str, recovered: bool, unreachable: bool) {
        self.registry.admitted.insert(id.to_owned(), machine);
        self.add_member(machine, id);
        let mut seen = Vec::new();
        for (key, work) in &self.agents[machine].works {
            let shown = work.updates.front().map_or(work.latest, |head| head.status.state);
            let stock = Stock::of(&work.info.resources, "*");
            let task = Known { agent: id.to_owned(), stock, latest: work.latest, shown };
            seen.push((key.clone(), task));
        }
        let sentence = if unreachable {
            "Unreachable agent re-reregistered"
        } else {
            "Unknown agent reregistered"
        };
        for ((framework, task), known) in seen {
            if self.lead().removed.contains(&framework) {
                self.vanish(machine, &(framework, task));
                continue;
            }
            let latest = known.latest;
            let unheard = || Framework {
                info: FrameworkInfo { checkpoint: true, ..FrameworkInfo::default() },
                ..Framework::default()
            };
            let entry = self.lead().frameworks.entry(framework.clone()).or_insert_with(unheard);
            entry.unreachable.remove(&task);
            entry.tasks.insert(task.clone(), known);
            if !recovered && !is_end(latest) {
                let reason = "REASON_AGENT_REREGISTERED";
                self.tell(&framework, word(&task, latest, reason, sentence, Some(id)));
            }
        }
        self.allocate(&[id.to_owned()]);
        self.tell_all_heads(machine, None);
        if !unreachable {
            // Told once for the new master, and once more as the agent takes up its retries.
            self.tell_all_heads(machine, None);
        }
    }

    /// The connection to an agent breaks.
    pub(crate) fn member_disconnects(&mut self, machine: usize) {
        let Some(id) = self.agents[machine].id.clone() else { return };
        let lost_at = self.now + self.settings.ping_timeout;
        let host = self.agents[machine].host.clone();
        if self.master.is_none() {
            return;
        }
        let Some(member) = self.lead().members.get_mut(&id) else { return };
        member.is_connected = false;
        member.lost_at.get_or_insert(lost_at);
        self.rescind_of(&id);
        let mut lost = Vec::new();
        for (name, framework) in &mut self.lead().frameworks {
            if !framework.info.checkpoint {
                for (task, _) in framework.tasks.extract_if(.., |_, task| task.agent == id) {
                    lost.push((name.clone(), task));
                }
            }
        }
        for (framework, task) in lost {
            let sentence = format!("Agent {host} disconnected");
            let reason = "REASON_AGENT_DISCONNECTED";
            self.tell(&framework, word(&task, TaskState::Lost, reason, &sentence, Some(&id)));
        }
    }

    /// An agent is not heard any more.
    pub(crate) fn member_is_silent(&mut self, machine: usize) {
        let Some(id) = self.agents[machine].id.clone() else { return };
        let lost_at = self.now + self.settings.ping_timeout;
        if let Some(member) = self.master.as_mut().and_then(|master| master.members.get_mut(&id)) {
            member.lost_at.get_or_insert(lost_at);
        }
    }

    /// An agent counts as unreachable.
    fn member_is_lost(&mut self, id: &str) {
        let now = self.now;
        self.registry.unreachable.insert(id.to_owned(), now);
        let sentence = "health check timed out";
        self.remove_member(id, TaskState::Unreachable, "REASON_AGENT_REMOVED", sentence);
    }

    /// An agent is struck off, and its tasks are told so.
    pub(crate) fn remove_member(
        &mut self,
        id: &str,
        state: TaskState,
        reason: &str,
        sentence: &str,
    ) {
        let now = self.now;
        let since = TimeInfo { nanoseconds: self.wall_nanoseconds() };
        self.registry.admitted.remove(id);
        if self.master.is_none() {
            return;
        }
        let master = self.lead();
        let was_member = master.members.remove(id).is_some();
        master.recovered.remove(id);
        let mut lost = Vec::new();
        for (name, framework) in &mut master.frameworks {
            let told = framework.state(state);
            let tasks: Vec<(String, Known)> =
                framework.tasks.extract_if(.., |_, task| task.agent == id).collect();
            for (task, known) in tasks {
                // Also of those that have ended, as long as that is not acknowledged.
                if state == TaskState::Unreachable && !is_end(known.latest) {
                    framework.unreachable.insert(task.clone(), (id.to_owned(), now));
                }
                lost.push((name.clone(), task, told));
            }
        }
        let is_unreachable = state == TaskState::Unreachable;
        for (framework, task, told) in lost {
            let mut status = word(&task, told, reason, sentence, Some(id));
            status.unreachable_time = is_unreachable.then_some(since);
            self.tell(&framework, status);
        }
        self.rescind_of(id);
        if was_member {
            let agent_id = Some(Id::new(id));
            let failure = Failure { agent_id, ..Failure::default() };
            self.say_to_all(&Event { failure: Some(failure), ..event(EventType::Failure) });
        }
    }

    fn say_to_all(&mut self, event: &Event) {
        let all = self.lead().frameworks.values().filter_map(|framework| framework.connection);
        let all: Vec<ConnectionId> = all.collect();
        for connection in all {
            self.say(connection, event.clone());
        }
    }

    /// Offers of an agent are void, those of maintenance included.
    pub(crate) fn rescind_of(&mut self, agent: &str) {
        let offers: Vec<String> = self
            .lead()
            .offers
            .iter()
            .filter(|(_, open)| open.agent == agent)
            .map(|(id, _)| id.clone())
            .collect();
        for offer in offers {
            self.rescind(&offer);
        }
        let inverse: Vec<(String, String)> = self
            .lead()
            .inverse_offers
            .extract_if(.., |_, (_, of)| of == agent)
            .map(|(id, (framework, _))| (id, framework))
            .collect();
        for (id, framework) in inverse {
            let connection = self.framework(&framework).and_then(|framework| framework.connection);
            if let Some(connection) = connection {
                let rescind = RescindInverse { inverse_offer_id: Id::new(id) };
                let kind = event(EventType::RescindInverseOffer);
                self.say(connection, Event { rescind_inverse_offer: Some(rescind), ..kind });
            }
        }
    }

    /// An offer is void.
    pub(crate) fn rescind(&mut self, offer: &str) {
        let Some(open) = self.lead().offers.remove(offer) else { return };
        let connection = self.framework(&open.framework).and_then(|framework| framework.connection);
        if let Some(connection) = connection {
            let rescind = Some(Rescind { offer_id: Id::new(offer) });
            self.say(connection, Event { rescind, ..event(EventType::Rescind) });
        }
    }

    // -- operators ------------------------------------------------------------------------------------------------

    /// No offers of the agent any more; its tasks go on.
    pub(crate) fn deactivate_agent(&mut self, agent: &str) {
        if let Some(member) = self.lead().members.get_mut(agent) {
            member.is_deactivated = true;
            self.rescind_of(agent);
        }
    }

    /// No offers of the agent any more, and its tasks are ended, with so many ms of grace at most.
    pub(crate) fn drain_agent(&mut self, agent: &str, grace: u64) {
        self.drain_grace = grace;
        self.deactivate_agent(agent);
        let Some(machine) = self.machine_of(agent).filter(|machine| self.is_online(*machine))
        else {
            return;
        };
        let keys: Vec<TaskKey> = self.agents[machine].works.keys().cloned().collect();
        for key in keys {
            self.deliver_kill(machine, &key, Stop::Drained, None);
        }
    }

    pub(crate) fn reactivate_agent(&mut self, agent: &str) {
        if let Some(member) = self.lead().members.get_mut(agent) {
            member.is_deactivated = false;
        }
    }

    /// Somebody says that the agent will never be back. Whether it was known.
    pub(crate) fn mark_agent_gone(&mut self, agent: &str) -> bool {
        let is_unreachable = self.registry.unreachable.remove(agent).is_some();
        let is_known = is_unreachable
            || self.lead().members.contains_key(agent)
            || self.lead().recovered.contains(agent);
        if !is_known {
            return false;
        }
        self.registry.gone.insert(agent.to_owned());
        if is_unreachable {
            let mut lost = Vec::new();
            for (name, framework) in &mut self.lead().frameworks {
                let tasks = framework.unreachable.extract_if(.., |_, (of, _)| of == agent);
                lost.extend(tasks.map(|(task, _)| (name.clone(), task)));
            }
            for (framework, task) in lost {
                let state = self.framework(&framework).map_or(TaskState::Lost, |framework| {
                    framework.state(TaskState::GoneByOperator)
                });
                let reason = "REASON_AGENT_REMOVED_BY_OPERATOR";
                let sentence = "Agent has been marked gone";
                self.tell(&framework, word(&task, state, reason, sentence, Some(agent)));
            }
        }
        let reason = "REASON_AGENT_REMOVED_BY_OPERATOR";
        let sentence = "Agent has been marked gone";
        self.remove_member(agent, TaskState::GoneByOperator, reason, sentence);
        if let Some(machine) = self.machine_of(agent)
            && self.agents[machine].is_up
            && self.agents[machine].is_reachable
        {
            self.wipe(machine);
            self.agents[machine].is_up = false;
        }
        true
    }

    /// A machine goes out of service: its agent is shut down.
    pub(crate) fn start_maintenance(&mut self, host: &str) {
        let sentence = format!("Agent {host} removed: Operator initiated 'Machine DOWN'");
        let machines = 0..self.agents.len();
        for machine in
            machines.filter(|machine| self.agents[*machine].host == host).collect::<Vec<_>>()
        {
            if let Some(id) = self.agents[machine].id.clone() {
                self.remove_member(&id, TaskState::Lost, "REASON_AGENT_REMOVED", &sentence);
            }
            self.wipe(machine);
            self.agents[machine].is_up = false;
            self.agents[machine].registered = None;
        }
    }

    // -- by itself ------------------------------------------------------------------------------------------------

    pub(crate) fn next_at_master(&self) -> Option<u64> {
        let master = self.master.as_ref()?;
        let frameworks = master.frameworks.values().filter_map(|framework| {
            if framework.connection.is_some() {
                Some(framework.beats_at)
            } else {
                framework.over_at
            }
        });
        let members = master.members.values().filter_map(|member| member.lost_at);
        let offers = master.offers.values().filter_map(|open| open.until);
        let waits = (!master.recovered.is_empty()).then_some(master.waits_until);
        frameworks.chain(members).chain(offers).chain(waits).min()
    }

    /// Does what is due at the master.
    pub(crate) fn work_of_master(&mut self) {
        let now = self.now;
        let heartbeat = self.settings.heartbeat;
        let Some(master) = self.master.as_mut() else { return };
        let mut beats = Vec::new();
        for framework in master.frameworks.values_mut() {
            if let Some(connection) = framework.connection
                && framework.beats_at <= now
            {
                framework.beats_at = now + heartbeat;
                beats.push(connection);
            }
        }
        let missed = if master.waits_until <= now {
            std::mem::take(&mut master.recovered)
        } else {
            BTreeSet::new()
        };
        let over: Vec<String> = master
            .frameworks
            .iter()
            .filter(|(_, framework)| framework.connection.is_none())
            .filter(|(_, framework)| framework.over_at.is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        let lost: Vec<String> = master
            .members
            .iter()
            .filter(|(_, member)| member.lost_at.is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        let stale: Vec<String> = master
            .offers
            .iter()
            .filter(|(_, open)| open.until.is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in missed {
            self.registry.admitted.remove(&id);
            self.registry.unreachable.insert(id, now);
        }
        for connection in beats {
            self.say(connection, event(EventType::Heartbeat));
        }
        for id in over {
            self.remove_framework(&id);
        }
        for id in lost {
            self.member_is_lost(&id);
        }
        for offer in stale {
            self.rescind(&offer);
        }
    }

    /// A framework is over, and all that it runs.
    pub(crate) fn remove_framework(&mut self, id: &str) {
        let master = self.lead();
        let Some(framework) = master.frameworks.remove(id) else { return };
        master.removed.insert(id.to_owned());
        master.offers.retain(|_, open| open.framework != id);
        master.inverse_offers.retain(|_, (of, _)| of != id);
        if let Some(connection) = framework.connection {
            self.end_stream(connection, What::Closed);
        }
        for machine in 0..self.agents.len() {
            if self.is_online(machine) {
                let keys: Vec<TaskKey> = self.agents[machine].works.keys().cloned().collect();
                for key in keys.into_iter().filter(|key| key.0 == id) {
                    self.vanish(machine, &key);
                }
            }
        }
    }

    /// The stream of a framework ends without a word of it.
    pub(crate) fn connection_is_cut(&mut self, connection: ConnectionId) {
        let now = self.now;
        let Some(master) = self.master.as_mut() else { return };
        let of = master.frameworks.iter_mut().find(|(_, f)| f.connection == Some(connection));
        let Some((id, framework)) = of else { return };
        let id = id.clone();
        framework.connection = None;
        framework.filters.clear();
        framework.inverse_filters.clear();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let patience = (framework.info.failover_timeout * 1_000.0) as u64;
        framework.over_at = Some(now + patience);
        master.offers.retain(|_, open| open.framework != id);
        master.inverse_offers.retain(|_, (of, _)| *of != id);
        if patience == 0 {
            self.remove_framework(&id);
        }
    }

    /// Ends a stream with a sentence.
    pub(crate) fn refuse(&mut self, connection: ConnectionId, sentence: &str) {
        let error = Some(Message { message: sentence.to_owned() });
        self.say(connection, Event { error, ..event(EventType::Error) });
        self.end_stream(connection, What::Closed);
    }
}
