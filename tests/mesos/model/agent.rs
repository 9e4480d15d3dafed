//! Agents and the tasks on them, whatever a master believes of them.

use std::collections::BTreeMap;

use chronode::mesos::wire::{
    Attribute, ContainerStatus, Id, TaskInfo, TaskState, TaskStatus, Text, ValueType,
};

use super::stock::Stock;
use super::task::{End, OnTerm, Pending, Phase, Script, Stop, Trouble, Work};
use super::{Cluster, Deed, Start};

/// The first pause before an update is told again; it doubles.
pub(crate) const RETRY_FIRST: u64 = 10_000;
/// The longest.
const RETRY_MAX: u64 = 600_000;

/// A task of a framework.
pub(crate) type TaskKey = (String, String);

/// A machine with an agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) total: Stock,
    /// The id it was given; `None` before it has registered for the first time.
    pub(crate) id: Option<String>,
    /// Whether its process runs.
    pub(crate) is_up: bool,
    /// Whether it and the master hear each other.
    pub(crate) is_reachable: bool,
    /// Whether KILL may bring a policy of its own.
    pub(crate) heeds_policies: bool,
    /// The master that it is registered with.
    pub(crate) registered: Option<u64>,
    /// When it registers.
    pub(crate) registers_at: Option<u64>,
    pub(crate) works: BTreeMap<TaskKey, Work>,
}

impl Agent {
    /// A machine as those of the recordings: 4 cpus, 4096 MB, 10000 MB of disk, ports 31000 to 32000.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let text = |name: &str, value: &str| Attribute {
            name: name.to_owned(),
            kind: ValueType::Text,
            text: Some(Text { value: value.to_owned() }),
            ..Attribute::default()
        };
        Self {
            host: host.to_owned(),
            port,
            attributes: vec![text("rack", "a"), text("tier", "gold")],
            total: Stock::simple(4.0, 4096.0, 10_000.0, (31_000, 32_000)),
            id: None,
            is_up: false,
            is_reachable: true,
            heeds_policies: false,
            registered: None,
            registers_at: None,
            works: BTreeMap::new(),
        }
    }
}

impl Cluster {
    /// The process of the agent starts, and registers after so long.
    pub(crate) fn agent_starts(&mut self, machine: usize, registers_after: u64) {
        let at = self.now + registers_after;
        let agent = &mut self.agents[machine];
        agent.is_up = true;
        agent.is_reachable = true;
        agent.registered = None;
        agent.registers_at = Some(at);
    }

    /// The process of the agent dies. What runs lives on, where its framework keeps its tasks on record.
    pub(crate) fn agent_dies(&mut self, machine: usize) {
        let agent = &mut self.agents[machine];
        if !agent.is_up {
            return;
        }
        agent.is_up = false;
        agent.registers_at = None;
        let doomed: Vec<TaskKey> = agent
            .works
            .iter()
            .filter(|(_, work)| !work.is_checkpointed)
            .map(|(key, _)| key.clone())
            .collect();
        for key in doomed {
            self.vanish(machine, &key);
        }
        self.agents[machine].registered = None;
        self.member_disconnects(machine);
    }

    /// The machine dies with all that runs on it, and what the agent knew.
    pub(crate) fn machine_dies(&mut self, machine: usize) {
        self.agent_dies(machine);
        self.wipe(machine);
    }

    /// All tasks of the machine end, and nobody will tell of it; the agent forgets who it was.
    pub(crate) fn wipe(&mut self, machine: usize) {
        let keys: Vec<TaskKey> = self.agents[machine].works.keys().cloned().collect();
        for key in keys {
            self.vanish(machine, &key);
        }
        self.agents[machine].id = None;
    }

    /// The agent leaves in order: its tasks end, and the master hears of it.
    pub(crate) fn agent_leaves(&mut self, machine: usize) {
        let Some(id) = self.agents[machine].id.clone() else { return };
        let host = self.agents[machine].host.clone();
        self.wipe(machine);
        self.agents[machine].is_up = false;
        self.agents[machine].registered = None;
        let sentence = format!("Agent {host} removed: the agent unregistered");
        self.remove_member(&id, TaskState::Lost, "REASON_AGENT_REMOVED", &sentence);
    }

    /// Agent and master do not hear each other any more; neither knows it yet.
    pub(crate) fn agent_is_cut_off(&mut self, machine: usize) {
        self.agents[machine].is_reachable = false;
        self.member_is_silent(machine);
    }

    /// They can hear each other again, and the agent registers anew after so long.
    pub(crate) fn agent_is_heard_again(&mut self, machine: usize, registers_after: u64) {
        let at = self.now + registers_after;
        let agent = &mut self.agents[machine];
        agent.is_reachable = true;
        if agent.is_up {
            agent.registered = None;
            agent.registers_at = Some(at);
        }
    }

    /// A task ends without a word.
    pub(crate) fn vanish(&mut self, machine: usize, key: &TaskKey) {
        if let Some(work) = self.agents[machine].works.remove(key)
            && matches!(work.phase, Phase::Running | Phase::Stopping)
        {
            self.note_end(machine, key, None);
            self.deeds.push(Deed::Kill { machine, task: key.clone() });
        }
    }

    fn note_end(&mut self, machine: usize, key: &TaskKey, end: Option<(TaskState, End)>) {
        let now = self.now;
        let start = self.ran.iter_mut().rev().find(|start| {
            start.machine == machine && start.task == *key && start.ended_at.is_none()
        });
        if let Some(start) = start {
            start.ended_at = Some(now);
            start.end = end;
        }
    }

    /// Whether what the agent says reaches the master.
    pub(crate) fn is_online(&self, machine: usize) -> bool {
        let agent = &self.agents[machine];
        let leads = self.master.as_ref().map(|master| master.number);
        agent.is_up && agent.is_reachable && agent.registered.is_some() && agent.registered == leads
    }

    /// The agent is told to launch a task.
    pub(crate) fn deliver_launch(
        &mut self,
        machine: usize,
        framework: &str,
        is_checkpointed: bool,
        tells_killing: bool,
        info: TaskInfo,
    ) {
        let script = (self.script)(&info);
        let key = (framework.to_owned(), info.task_id.value.clone());
        let container = self.new_uuid_text();
        let due = Some(self.now + script.starts_after);
        let work = Work {
            framework: framework.to_owned(),
            info,
            is_checkpointed,
            tells_killing,
            script,
            phase: Phase::Staging,
            due,
            stop: None,
            container,
            latest: TaskState::Staging,
            updates: std::collections::VecDeque::new(),
            deadline: None,
        };
        self.agents[machine].works.insert(key, work);
    }

    /// The agent is told to stop a task.
    pub(crate) fn deliver_kill(
        &mut self,
        machine: usize,
        key: &TaskKey,
        stop: Stop,
        policy: Option<u64>,
    ) {
        let now = self.now;
        let heeds = self.agents[machine].heeds_policies;
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        match work.phase {
            Phase::Staging => {
                work.phase = Phase::Over;
                work.due = None;
                let reason = Some("REASON_TASK_KILLED_DURING_LAUNCH");
                let sentence = "Killed before delivery to the executor".to_owned();
                self.update(machine, key, TaskState::Killed, "SOURCE_AGENT", reason, sentence);
            }
            // The executor has it and starts it, whatever is said meanwhile.
            Phase::Starting => {
                work.stop = Some(stop);
                work.due = Some(now + work.script.ends_after);
            }
            Phase::Running => {
                work.stop = Some(stop);
                work.phase = Phase::Stopping;
                let grace = policy.filter(|_| heeds).unwrap_or_else(|| work.grace());
                let grace = if stop == Stop::Drained { grace.min(self.drain_grace) } else { grace };
                work.due = Some(match work.script.on_term {
                    OnTerm::Dies | OnTerm::Exits(_) => now + work.script.ends_after,
                    OnTerm::Ignores => now + grace + 120,
                });
                let tells = work.tells_killing && stop != Stop::TookTooLong;
                let reason = work.reason();
                self.deeds.push(Deed::Ask { machine, task: key.clone(), grace });
                if tells {
                    let state = TaskState::Killing;
                    self.update(machine, key, state, "SOURCE_EXECUTOR", reason, String::new());
                }
            }
            Phase::Stopping => {
                if let Some(policy) = policy.filter(|_| heeds) {
                    let sooner = now + policy + 120;
                    work.due = work.due.map(|due| due.min(sooner));
                }
            }
            Phase::Over => {}
        }
    }

    /// An update is acknowledged.
    pub(crate) fn deliver_acknowledgement(&mut self, machine: usize, key: &TaskKey, uuid: &str) {
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        let is_it =
            work.updates.front().is_some_and(|head| head.status.uuid.as_deref() == Some(uuid));
        if !is_it {
            return;
        }
        work.updates.pop_front();
        if work.updates.is_empty() && work.is_over() {
            self.agents[machine].works.remove(key);
        } else {
            self.tell_head(machine, key);
        }
    }

    /// Adds an update of a task, and tells it if none is waiting before it.
    pub(crate) fn update(
        &mut self,
        machine: usize,
        key: &TaskKey,
        state: TaskState,
        source: &str,
        reason: Option<&str>,
        sentence: String,
    ) {
        let uuid = self.new_uuid();
        let timestamp = self.wall();
        let agent = &mut self.agents[machine];
        let id = agent.id.clone().unwrap_or_default();
        let Some(work) = agent.works.get_mut(key) else { return };
        work.latest = state;
        let status = TaskStatus {
            task_id: Id::new(&key.1),
            state,
            message: (!sentence.is_empty()).then_some(sentence),
            source: Some(source.to_owned()),
            reason: reason.map(str::to_owned),
            agent_id: Some(Id::new(id)),
            executor_id: Some(
                work.info
                    .executor
                    .as_ref()
                    .map_or_else(|| Id::new(&key.1), |executor| executor.executor_id.clone()),
            ),
            timestamp: Some(timestamp),
            uuid: Some(uuid),
            healthy: None,
            container_status: Some(ContainerStatus {
                container_id: Some(Id::new(&work.container)),
            }),
            unreachable_time: None,
        };
        work.updates.push_back(Pending { status, again: None });
        if work.updates.len() == 1 {
            self.tell_head(machine, key);
        }
    }

    /// Tells the oldest update of a task that is not acknowledged.
    pub(crate) fn tell_head(&mut self, machine: usize, key: &TaskKey) {
        let is_online = self.is_online(machine);
        let now = self.now;
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        let latest = work.latest;
        let Some(head) = work.updates.front_mut() else { return };
        let pause = head.again.map_or(RETRY_FIRST, |(_, pause)| (pause * 2).min(RETRY_MAX));
        head.again = Some((now + pause, pause));
        if is_online {
            let status = head.status.clone();
            self.master_hears(&key.0.clone(), status, latest);
        }
    }

    /// Tells the oldest updates of all tasks, or of those of one framework, from anew.
    pub(crate) fn tell_all_heads(&mut self, machine: usize, framework: Option<&str>) {
        let keys: Vec<TaskKey> = self.agents[machine]
            .works
            .iter()
            .filter(|(key, work)| {
                !work.updates.is_empty() && framework.is_none_or(|framework| key.0 == framework)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            if let Some(head) =
                self.agents[machine].works.get_mut(&key).and_then(|work| work.updates.front_mut())
            {
                head.again = None;
            }
            self.tell_head(machine, &key);
        }
    }

    /// When something happens on an agent next.
    pub(crate) fn next_on_agents(&self) -> Option<u64> {
        let works = self.agents.iter().flat_map(|agent| agent.works.values());
        let of_work = |work: &Work| {
            let again = work.updates.front().and_then(|head| head.again).map(|(at, _)| at);
            [work.due, work.deadline, again].into_iter().flatten().min()
        };
        let leads = self.master.is_some();
        let registers = self
            .agents
            .iter()
            .filter(move |agent| leads && agent.is_up && agent.is_reachable)
            .filter_map(|agent| agent.registers_at);
        works.filter_map(of_work).chain(registers).min()
    }

    /// Does what is due on the agents.
    pub(crate) fn work_on_agents(&mut self) {
        for machine in 0..self.agents.len() {
            let keys: Vec<TaskKey> = self.agents[machine].works.keys().cloned().collect();
            for key in keys {
                self.work_on(machine, &key);
            }
            let agent = &self.agents[machine];
            let is_due = agent.registers_at.is_some_and(|at| at <= self.now);
            if is_due && agent.is_up && agent.is_reachable && self.master.is_some() {
                self.agents[machine].registers_at = None;
                self.register(machine);
            }
        }
    }

    fn work_on(&mut self, machine: usize, key: &TaskKey) {
        let now = self.now;
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        if work.deadline.is_some_and(|at| at <= now) {
            work.deadline = None;
            self.deliver_kill(machine, key, Stop::TookTooLong, None);
        } else if work.due.is_some_and(|at| at <= now) {
            work.due = None;
            self.go_on_with(machine, key);
        }
        let again = self.agents[machine].works.get(key).and_then(|work| work.updates.front());
        if again.and_then(|head| head.again).is_some_and(|(at, _)| at <= now) {
            self.tell_head(machine, key);
        }
    }

    /// The next step of a task.
    fn go_on_with(&mut self, machine: usize, key: &TaskKey) {
        let now = self.now;
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        match work.phase {
            Phase::Staging => match work.script.trouble.clone() {
                Some(Trouble::NoSandbox(sentence)) => {
                    work.phase = Phase::Over;
                    let reason = Some("REASON_EXECUTOR_TERMINATED");
                    let state = TaskState::Dropped;
                    self.update(machine, key, state, "SOURCE_AGENT", reason, sentence);
                }
                Some(Trouble::NoContainer(sentence)) => {
                    work.phase = Phase::Over;
                    let reason = Some("REASON_CONTAINER_LAUNCH_FAILED");
                    let state = TaskState::Failed;
                    self.update(machine, key, state, "SOURCE_AGENT", reason, sentence);
                }
                Some(Trouble::ExecutorCrashes) | None => {
                    work.phase = Phase::Starting;
                    work.due = Some(now + work.script.runs_after);
                    let state = TaskState::Starting;
                    self.update(machine, key, state, "SOURCE_EXECUTOR", None, String::new());
                }
            },
            Phase::Starting if work.script.trouble == Some(Trouble::ExecutorCrashes) => {
                work.phase = Phase::Over;
                let reason = Some("REASON_EXECUTOR_TERMINATED");
                let sentence = "Executor terminated".to_owned();
                self.update(machine, key, TaskState::Failed, "SOURCE_AGENT", reason, sentence);
            }
            Phase::Starting => {
                work.phase = Phase::Running;
                work.due = work.script.lasts.map(|lasts| now + lasts);
                let most = work.info.max_completion_time.map(|time| time.nanoseconds / 1_000_000);
                work.deadline = most.map(|most| now + u64::try_from(most).unwrap_or(0));
                let (info, container) = (work.info.clone(), work.container.clone());
                let stop = work.stop.take();
                self.ran.push(Start {
                    machine,
                    task: key.clone(),
                    info: info.clone(),
                    at: now,
                    ended_at: None,
                    end: None,
                });
                self.deeds.push(Deed::Start {
                    machine,
                    task: key.clone(),
                    container,
                    info: Box::new(info),
                });
                let state = TaskState::Running;
                self.update(machine, key, state, "SOURCE_EXECUTOR", None, String::new());
                if let Some(stop) = stop {
                    self.deliver_kill(machine, key, stop, None);
                }
            }
            Phase::Running => {
                let end = work.script.end.clone();
                self.command_ends(machine, key, &end);
            }
            Phase::Stopping => {
                let end = match work.script.on_term {
                    OnTerm::Dies => End::Signalled("Terminated"),
                    OnTerm::Exits(code) => End::Exits(code),
                    OnTerm::Ignores => End::Signalled("Killed"),
                };
                self.deeds.push(Deed::Kill { machine, task: key.clone() });
                self.command_ends(machine, key, &end);
            }
            Phase::Over => {}
        }
    }

    /// The command of a task has come to this end.
    pub(crate) fn command_ends(&mut self, machine: usize, key: &TaskKey, end: &End) {
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        if !matches!(work.phase, Phase::Running | Phase::Stopping) {
            return;
        }
        let (state, sentence) = work.verdict(end);
        let reason = work.reason();
        work.phase = Phase::Over;
        work.due = None;
        work.deadline = None;
        self.note_end(machine, key, Some((state, end.clone())));
        self.update(machine, key, state, "SOURCE_EXECUTOR", reason, sentence);
    }

    /// The executor of a task dies, and the command with it.
    pub(crate) fn executor_dies(&mut self, machine: usize, key: &TaskKey) {
        let Some(work) = self.agents[machine].works.get_mut(key) else { return };
        if work.is_over() {
            return;
        }
        work.phase = Phase::Over;
        work.due = None;
        work.deadline = None;
        self.deeds.push(Deed::Kill { machine, task: key.clone() });
        let end = (TaskState::Failed, End::Signalled("Killed"));
        self.note_end(machine, key, Some(end));
        let reason = Some("REASON_EXECUTOR_TERMINATED");
        let sentence = "Executor terminated".to_owned();
        self.update(machine, key, TaskState::Failed, "SOURCE_AGENT", reason, sentence);
    }

    /// A task that the master believes to be there and that never came.
    pub(crate) fn deny(&mut self, machine: usize, key: &TaskKey) {
        let info = TaskInfo { task_id: Id::new(&key.1), ..TaskInfo::default() };
        let container = String::new();
        let work = Work {
            framework: key.0.clone(),
            info,
            is_checkpointed: true,
            tells_killing: false,
            script: Script::default(),
            phase: Phase::Over,
            due: None,
            stop: None,
            container,
            latest: TaskState::Dropped,
            updates: std::collections::VecDeque::new(),
            deadline: None,
        };
        self.agents[machine].works.insert(key.clone(), work);
        let reason = Some("REASON_RECONCILIATION");
        let sentence = "Reconciliation: task unknown to the agent".to_owned();
        self.update(machine, key, TaskState::Dropped, "SOURCE_AGENT", reason, sentence);
    }
}
