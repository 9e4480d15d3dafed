//! Room: no agent gets more than it has.

use std::collections::BTreeMap;

use chronode::model::{AgentId, AttemptState, RunState};

use super::record::Record;

/// When a batch is stored, with which something may have been placed.
pub(crate) fn check_placed(record: &mut Record, agents: &[u64]) {
    if agents.is_empty() {
        return;
    }
    let mut used: BTreeMap<&AgentId, u64> = BTreeMap::new();
    let mut is_new = false;
    let mut waiting = Vec::new();
    for run in record.live.values() {
        let wanted = record.spec_of(run.id.incarnation).map(|spec| spec.cpus).min().unwrap_or(0);
        if let Some(attempt) = run.live_attempt() {
            *used.entry(&attempt.agent).or_default() += wanted;
            is_new |= attempt.state == AttemptState::Launching;
        } else if let RunState::Pending { .. } = run.state {
            waiting.push(run.id);
        }
    }
    let over = used.iter().find(|(agent, used)| **used > size(agents, agent));
    let over = over.filter(|_| is_new).map(|(agent, used)| {
        format!("room: {used} thousandths of a processor are placed on {agent}: {agents:?}")
    });
    record.violations.extend(over);
    for id in waiting {
        record.played.without_room += u64::from(record.without_room.insert(id));
    }
}

/// The agent of that number in the plan.
pub(crate) fn agent(index: usize) -> AgentId {
    AgentId::new(format!("a{}", index + 1))
}

fn size(agents: &[u64], wanted: &AgentId) -> u64 {
    let found = (0..).zip(agents).find(|(index, _)| agent(*index) == *wanted);
    found.map_or(0, |(_, size)| *size)
}
