//! What goes wrong, how often, and how it is put right.

use chronode::mesos::wire::{DurationInfo, TimeInfo, Unavailability};

use super::{Happening, MILLI, MINUTE, SECOND, What, World};
use crate::rng::Rng;

/// Something that goes wrong at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Crash,
    Cut,
    MasterFailover,
    AgentRestarts,
    AgentAway,
    MachineLost,
    AgentCutOff,
    AgentLeaves,
    AgentDrained,
    AgentGone,
    Maintenance,
    ExecutorKilled,
    FrameworkRemoved,
    ClockSet,
}

impl Fault {
    pub(crate) const ALL: [Self; 14] = [
        Self::Crash,
        Self::Cut,
        Self::MasterFailover,
        Self::AgentRestarts,
        Self::AgentAway,
        Self::MachineLost,
        Self::AgentCutOff,
        Self::AgentLeaves,
        Self::AgentDrained,
        Self::AgentGone,
        Self::Maintenance,
        Self::ExecutorKilled,
        Self::FrameworkRemoved,
        Self::ClockSet,
    ];
}

/// Something is put right.
#[derive(Debug, Clone)]
pub(crate) enum Healing {
    MasterLeads,
    AgentStarts(usize),
    AgentHeard(usize),
    Reactivates(String),
    MaintenanceOver(String),
}

/// How vicious a simulation is. Each kind of fault is on or off for the whole of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) span: i64,
    pub(crate) jobs: usize,
    /// The longest that commands take, in ms.
    pub(crate) longest: i64,
    means: Vec<(Fault, i64)>,
    pub(crate) dies_between: bool,
    pub(crate) commit_percent: i64,
    pub(crate) half_open_percent: i64,
    pub(crate) event_cut_permille: i64,
    pub(crate) event_late_permille: i64,
    pub(crate) doubled_percent: i64,
    pub(crate) overtaken_percent: i64,
    pub(crate) call_lost_permille: i64,
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut means = Vec::new();
        for fault in Fault::ALL {
            let (percent, mean) = match fault {
                Fault::Crash => (40, 8 * MINUTE),
                Fault::Cut => (40, 5 * MINUTE),
                Fault::MasterFailover => (30, 15 * MINUTE),
                Fault::AgentRestarts => (30, 10 * MINUTE),
                Fault::AgentAway | Fault::AgentCutOff => (25, 15 * MINUTE),
                Fault::ExecutorKilled => (25, 5 * MINUTE),
                Fault::MachineLost | Fault::AgentLeaves | Fault::AgentDrained => (15, 20 * MINUTE),
                Fault::AgentGone | Fault::Maintenance => (12, 25 * MINUTE),
                Fault::FrameworkRemoved => (5, 40 * MINUTE),
                Fault::ClockSet => (20, 15 * MINUTE),
            };
            if rng.chance(percent) {
                means.push((fault, mean * rng.between(50, 150) / 100));
            }
        }
        let permille = |rng: &mut Rng, simulations: i64, most: i64| {
            if rng.chance(simulations) { rng.between(1, most) } else { 0 }
        };
        Self {
            span: rng.between(20, 90) * MINUTE,
            jobs: usize::try_from(rng.between(2, 6)).expect("few"),
            longest: rng.pick(&[2_000, 20_000, 90_000]),
            means,
            dies_between: rng.chance(30),
            commit_percent: permille(rng, 40, 8),
            half_open_percent: permille(rng, 30, 50),
            event_cut_permille: permille(rng, 40, 10),
            event_late_permille: permille(rng, 30, 10),
            doubled_percent: permille(rng, 40, 20),
            overtaken_percent: permille(rng, 40, 20),
            call_lost_permille: permille(rng, 40, 15),
        }
    }

    pub(crate) fn mean(&self, fault: Fault) -> Option<i64> {
        self.means.iter().find(|(kind, _)| *kind == fault).map(|(_, mean)| *mean)
    }
}

impl World {
    pub(crate) fn strike(&mut self, fault: Fault) {
        self.say(|| format!("== {fault:?} =="));
        let count = i64::try_from(self.cluster.agents.len()).expect("few");
        let machine = usize::try_from(self.rng.between(0, count - 1)).expect("not negative");
        let is_up = self.cluster.agents[machine].is_up;
        let timeout = i64::try_from(self.cluster.settings.ping_timeout).expect("short") * MILLI;
        let member = self.cluster.agents[machine].id.clone().filter(|id| {
            self.cluster.master.as_ref().is_some_and(|master| master.members.contains_key(id))
        });
        match fault {
            Fault::Crash => {
                if self.process.is_some() {
                    self.count("fault: crash");
                    self.crash();
                }
            }
            Fault::Cut => {
                let link = self.process.as_ref().and_then(|process| process.link.as_ref());
                if let Some(number) = link.map(|link| link.number) {
                    self.count("fault: connection cut");
                    self.event_arrives(number, What::Broken);
                }
            }
            Fault::MasterFailover => {
                if self.cluster.master.is_some() {
                    self.count("fault: master failover");
                    let delay = self.rng.between(100 * MILLI, 30 * SECOND);
                    let back = self.rng.between(100, 20_000);
                    let after = u64::try_from(delay / MILLI + back).expect("not negative");
                    self.cluster.master_dies(after);
                    self.after(delay, Happening::Heals(Healing::MasterLeads));
                }
            }
            Fault::AgentRestarts => {
                if is_up {
                    self.count("fault: agent process restarted");
                    self.cluster.agent_dies(machine);
                    let delay = self.rng.between(SECOND, timeout * 9 / 10);
                    self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                }
            }
            Fault::AgentAway => {
                if is_up {
                    self.count("fault: agent process away for long");
                    self.cluster.agent_dies(machine);
                    let delay = timeout + self.rng.between(SECOND, 10 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                }
            }
            Fault::MachineLost => {
                if is_up {
                    self.count("fault: machine lost");
                    self.cluster.machine_dies(machine);
                    let delay = self.rng.between(5 * SECOND, 10 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                }
            }
            Fault::AgentCutOff => {
                if is_up {
                    self.count("fault: agent cut off");
                    self.cluster.agent_is_cut_off(machine);
                    let delay = self.rng.between(SECOND, 5 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::AgentHeard(machine)));
                }
            }
            Fault::AgentLeaves => {
                if is_up && member.is_some() {
                    self.count("fault: agent leaves");
                    self.cluster.agent_leaves(machine);
                    let delay = self.rng.between(SECOND, 5 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                }
            }
            Fault::AgentDrained => {
                if let Some(id) = member.filter(|_| is_up) {
                    self.count("fault: agent drained");
                    self.cluster.drain_agent(&id, 5_000);
                    let delay = self.rng.between(10 * SECOND, 5 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::Reactivates(id)));
                }
            }
            Fault::AgentGone => {
                if let Some(id) = member {
                    self.count("fault: agent marked gone");
                    self.cluster.mark_agent_gone(&id);
                    // What could not hear that must not go on: that is what an operator vouches for.
                    self.cluster.wipe(machine);
                    self.cluster.agents[machine].is_up = false;
                    let delay = self.rng.between(SECOND, 5 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                }
            }
            Fault::Maintenance => {
                if is_up && member.is_some() {
                    self.count("fault: maintenance");
                    let host = self.cluster.agents[machine].host.clone();
                    let ahead = self.rng.between(10, 600) * 1_000_000_000;
                    let start = TimeInfo { nanoseconds: self.cluster.wall_nanoseconds() + ahead };
                    let duration = Some(DurationInfo { nanoseconds: 600_000_000_000 });
                    let window = Unavailability { start, duration };
                    self.cluster.schedule_maintenance(&host, window);
                    let delay = self.rng.between(10 * SECOND, 5 * MINUTE);
                    self.after(delay, Happening::Heals(Healing::MaintenanceOver(host)));
                }
            }
            Fault::ExecutorKilled => {
                let works = self.cluster.agents[machine].works.iter();
                let live = works.filter(|(_, work)| !work.is_over()).map(|(key, _)| key.clone());
                let live: Vec<_> = live.collect();
                if !live.is_empty() && is_up {
                    self.count("fault: executor killed");
                    let key = self.rng.choose(&live).clone();
                    self.cluster.executor_dies(machine, &key);
                }
            }
            Fault::FrameworkRemoved => {
                let all = self.cluster.master.as_ref().map(|master| master.frameworks.keys());
                let all: Vec<String> = all.into_iter().flatten().cloned().collect();
                if let Some(id) = all.first() {
                    self.count("fault: framework removed");
                    self.cluster.remove_framework(id);
                }
            }
            Fault::ClockSet => {
                self.count("fault: clock set");
                let step =
                    self.rng.pick(&[SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 61 * MINUTE]);
                self.skew = step * self.rng.pick(&[-1, 1]);
            }
        }
    }

    pub(crate) fn heal(&mut self, healing: Healing) {
        self.say(|| format!("== healed: {healing:?} =="));
        match healing {
            Healing::MasterLeads => {
                if self.cluster.master.is_none() {
                    self.cluster.master_leads();
                }
            }
            Healing::AgentStarts(machine) => {
                if !self.cluster.agents[machine].is_up {
                    let after = u64::try_from(self.rng.between(50, 5_000)).expect("positive");
                    self.cluster.agent_starts(machine, after);
                }
            }
            Healing::AgentHeard(machine) => {
                let after = u64::try_from(self.rng.between(50, 5_000)).expect("positive");
                self.cluster.agent_is_heard_again(machine, after);
            }
            Healing::Reactivates(agent) => {
                if self.cluster.master.is_some() {
                    self.cluster.reactivate_agent(&agent);
                }
            }
            Healing::MaintenanceOver(host) => {
                if self.has_faults && self.cluster.master.is_some() && self.rng.chance(50) {
                    self.cluster.start_maintenance(&host);
                    let machines = 0..self.cluster.agents.len();
                    for machine in machines
                        .filter(|m| self.cluster.agents[*m].host == host)
                        .collect::<Vec<_>>()
                    {
                        let delay = self.rng.between(SECOND, 2 * MINUTE);
                        self.after(delay, Happening::Heals(Healing::AgentStarts(machine)));
                    }
                }
                self.cluster.registry.schedule.remove(&host);
            }
        }
    }

    /// Nothing goes wrong any more, and what is wrong is put right.
    pub(crate) fn end_faults(&mut self) {
        self.has_faults = false;
        self.skew = 0;
        self.say(|| "== no more faults ==".to_owned());
        if self.process.is_none() {
            self.after(SECOND, Happening::Starts);
        }
        if self.cluster.master.is_none() {
            self.after(SECOND, Happening::Heals(Healing::MasterLeads));
        }
        for machine in 0..self.cluster.agents.len() {
            self.after(2 * SECOND, Happening::Heals(Healing::AgentStarts(machine)));
            if !self.cluster.agents[machine].is_reachable {
                self.after(2 * SECOND, Happening::Heals(Healing::AgentHeard(machine)));
            }
            if let Some(id) = self.cluster.agents[machine].id.clone() {
                self.after(3 * SECOND, Happening::Heals(Healing::Reactivates(id)));
            }
        }
    }
}
