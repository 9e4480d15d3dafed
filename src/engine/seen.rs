//! What each agent of a cluster offered last, and what became of it.
//!
//! Offers of a cluster are gone a moment after they came. Why a run waits, what the cluster is short of and who offers
//! what is told by what was seen of them. Volatile; no decision depends on it but in one way: what attributes an agent
//! has on which an attempt was placed before its job compared them.

use std::collections::BTreeMap;

use crate::model::{AgentId, JobName, Offer, Resources, RunId, Timestamp, limits};

/// What each agent offered last.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(BTreeMap<AgentId, SeenAgent>);

/// What an agent offered last.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenAgent {
    /// All that it offered then, as if it had been one offer, of all roles by name.
    pub offer: Offer,
    /// What of it was left when runs were placed on it. It is likely to be offered again.
    pub left: Resources,
    /// When it was looked at.
    pub at: Timestamp,
    /// What became of it.
    pub fate: OfferFate,
}

/// What became of what an agent offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferFate {
    /// Runs were placed on it.
    Used {
        /// How many.
        runs: u32,
    },
    /// It was given back, because nothing waited.
    NotWanted,
    /// It was given back, because nothing that waited fitted.
    NothingFits {
        /// The job of the most urgent run that waited.
        job: JobName,
        /// The run.
        run: RunId,
        /// What was against the agent for it, as [`crate::placement::Misfit::text`] tells it.
        reason: String,
    },
}

impl OfferFate {
    /// A stable word for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Used { .. } => "used",
            Self::NotWanted => "notWanted",
            Self::NothingFits { .. } => "nothingFits",
        }
    }
}

impl Seen {
    pub(super) fn remember(&mut self, agents: &[SeenAgent]) {
        for agent in agents {
            self.0.insert(agent.offer.agent.clone(), agent.clone());
        }
        while self.0.len() > limits::SEEN_AGENTS_MAX {
            let oldest = self.0.values().min_by_key(|it| it.at).map(|it| it.offer.agent.clone());
            oldest.and_then(|agent| self.0.remove(&agent));
        }
    }

    pub(super) fn forget(&mut self, agent: &AgentId) {
        self.0.remove(agent);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn get(&self, agent: &AgentId) -> Option<&SeenAgent> {
        self.0.get(agent)
    }

    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &SeenAgent> {
        self.0.values()
    }
}
