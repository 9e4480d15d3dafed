//! The offers that are open, and the agents that were heard from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::launcher::mesos::convert;
use crate::mesos::wire;
use crate::model::{AgentId, OfferId};

/// How many names of closed offers are kept, so that one that is told again, or after its end, is not taken for new.
const CLOSED_MAX: usize = 4_096;

/// The open offers.
#[derive(Debug, Default)]
pub(super) struct Offers {
    open: BTreeMap<OfferId, Open>,
    closed: BTreeSet<OfferId>,
    closed_in_order: VecDeque<OfferId>,
    /// Agents that have shown themselves since the subscription began.
    heard: BTreeSet<AgentId>,
}

/// An open offer.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) agent: AgentId,
    pub(super) resources: Vec<wire::Resource>,
    /// The role it is allocated to.
    pub(super) share: String,
}

impl Offers {
    /// Takes an offer; says whether it is a new one.
    pub(super) fn add(&mut self, offer: &wire::Offer) -> bool {
        let agent = AgentId::new(offer.agent_id.value.clone());
        self.heard(&agent);
        let id = OfferId::new(offer.id.value.clone());
        if self.open.contains_key(&id) || self.closed.contains(&id) {
            return false;
        }
        let share = convert::share(offer.allocation_info.as_ref()).to_owned();
        self.open.insert(id, Open { agent, resources: offer.resources.clone(), share });
        true
    }

    pub(super) fn get(&self, id: &OfferId) -> Option<&Open> {
        self.open.get(id)
    }

    /// Closes an offer; says whether it was open.
    pub(super) fn close(&mut self, id: &OfferId) -> bool {
        let was_open = self.open.remove(id).is_some();
        if self.closed.insert(id.clone()) {
            self.closed_in_order.push_back(id.clone());
            if self.closed_in_order.len() > CLOSED_MAX
                && let Some(oldest) = self.closed_in_order.pop_front()
            {
                self.closed.remove(&oldest);
            }
        }
        was_open
    }

    /// The names of all that are open.
    pub(super) fn names(&self) -> Vec<OfferId> {
        self.open.keys().cloned().collect()
    }

    /// An agent has shown itself.
    pub(super) fn heard(&mut self, agent: &AgentId) {
        if !self.heard.contains(agent) {
            self.heard.insert(agent.clone());
        }
    }

    pub(super) fn is_heard(&self, agent: &AgentId) -> bool {
        self.heard.contains(agent)
    }

    /// An agent is gone, and its offers with it.
    pub(super) fn lose(&mut self, agent: &AgentId) {
        self.heard.remove(agent);
        let gone: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| open.agent == *agent)
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.close(&id);
        }
    }

    /// Forgets everything: a subscription begins or has ended.
    pub(super) fn clear(&mut self) {
        for id in self.names() {
            self.close(&id);
        }
        self.heard.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
