//! What a launcher has to give.

use std::collections::BTreeMap;

use super::{AgentId, OfferId, Resources};

/// Resources of one agent that attempts can be placed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The launcher's name for it.
    pub id: OfferId,
    /// Where it is.
    pub agent: AgentId,
    /// The agent's host name; also matched by constraints on `hostname` unless an attribute has that name.
    pub hostname: String,
    /// Text attributes of the agent.
    pub attributes: BTreeMap<String, String>,
    /// What the agent has (standing) or offers this once.
    pub resources: Resources,
    /// How the offer is used up.
    pub kind: OfferKind,
}

/// How an offer is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferKind {
    /// Stays; `resources` do not limit how much is placed on it. The local launcher by default, as cron would.
    Unmetered,
    /// Stays; what live attempts on the agent want is taken off `resources`. The local launcher with limits.
    Standing,
    /// Gone once anything is placed on it. Mesos.
    Once,
}
