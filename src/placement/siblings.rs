//! Where the live runs of one job are.

use std::collections::{BTreeMap, BTreeSet};

use super::conditions::value_of;
use super::misfit::Lack;
use crate::model::{AgentId, Constraint, Offer, Operator};

/// Where the live runs of one job are: how many on which agent, and what values the attributes have there that its
/// constraints compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Siblings {
    on: BTreeMap<AgentId, u32>,
    /// By attribute.
    values: BTreeMap<String, Values>,
}

/// The values of one attribute where live runs are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Values {
    known: BTreeSet<String>,
    /// Whether one is where the value is not known.
    has_unknown: bool,
}

impl Siblings {
    /// Adds a run on `agent`, where each of these attributes has this value; `None` if that is not known.
    pub fn add<'a>(
        &mut self,
        agent: &AgentId,
        values: impl IntoIterator<Item = (&'a str, Option<String>)>,
    ) {
        *self.on.entry(agent.clone()).or_default() += 1;
        for (attribute, value) in values {
            let values = self.values.entry(attribute.to_owned()).or_default();
            values.has_unknown |= value.is_none();
            values.known.extend(value);
        }
    }

    /// How many are on an agent.
    #[must_use]
    pub fn on(&self, agent: &AgentId) -> u32 {
        self.on.get(agent).copied().unwrap_or_default()
    }

    /// What keeps a further run off `offer`'s agent.
    pub(super) fn against(&self, constraint: &Constraint, offer: &Offer) -> Option<Lack> {
        let values = self.values.get(&constraint.attribute)?;
        let value = value_of(offer, &constraint.attribute);
        let is_free = match constraint.operator {
            Operator::Equals | Operator::Like | Operator::Unlike => true,
            Operator::Unique => {
                !values.has_unknown && value.as_ref().is_some_and(|it| !values.known.contains(it))
            }
            Operator::Cluster => {
                let is_same = |it: &String| values.known.iter().all(|known| known == it);
                !values.has_unknown && value.as_ref().is_some_and(is_same)
            }
        };
        let elsewhere = match constraint.operator {
            _ if values.has_unknown => None,
            Operator::Cluster => values.known.first().cloned(),
            Operator::Equals | Operator::Like | Operator::Unlike | Operator::Unique => {
                value.clone()
            }
        };
        (!is_free).then(|| Lack::Beside { constraint: constraint.clone(), has: value, elsewhere })
    }
}
