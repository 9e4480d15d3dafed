//! Where commands run, as far as the launcher has said.

use std::collections::BTreeMap;

use crate::engine::State;
use crate::model::{AgentId, Attribute, AttributeValue, Offer, OfferKind, Resources, Run, Scope};

/// An agent: one that offers something, or on which something still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Its name.
    pub agent: AgentId,
    /// Its host; `None` if it offers nothing.
    pub hostname: Option<String>,
    /// Why nothing new is placed on it; `None` while something may be.
    pub problem: Option<String>,
    /// What it has; `None` if it offers nothing.
    pub total: Option<Resources>,
    /// Whether what it has limits what is placed on it.
    pub is_limited: bool,
    /// What live attempts hold of it, of all jobs.
    pub used: Resources,
    /// What constraints may ask of it.
    pub attributes: BTreeMap<String, String>,
    /// How many live attempts it has, of jobs in scope.
    pub runs: usize,
}

fn texts(offer: &Offer) -> BTreeMap<String, String> {
    let text = |attribute: &Attribute| {
        let value = match &attribute.value {
            AttributeValue::Text(text) => text.clone(),
            AttributeValue::Scalar(scalar) => scalar.to_string(),
            AttributeValue::Set(items) => format!("{{{}}}", items.join(",")),
            AttributeValue::Ranges => "[…]".to_owned(),
        };
        (attribute.name.clone(), value)
    };
    offer.attributes.iter().map(text).collect()
}

impl AgentView {
    /// Those of a state, by name; attempts are counted of jobs that `scope` covers. All runs are looked at.
    #[must_use]
    pub fn all(state: &State, scope: &Scope) -> Vec<Self> {
        let mut found: BTreeMap<AgentId, Self> = BTreeMap::new();
        for offer in state.offers().values() {
            let view =
                found.entry(offer.agent.clone()).or_insert_with(|| Self::unseen(&offer.agent));
            view.hostname = Some(offer.hostname.clone());
            view.problem = None;
            view.total = Some(view.total.unwrap_or_default().plus(offer.resources));
            view.is_limited = match offer.kind {
                OfferKind::Unmetered => false,
                OfferKind::Standing | OfferKind::Once => true,
            };
            view.attributes = texts(offer);
        }
        let mut at = |agent: &AgentId, change: &dyn Fn(&mut Self)| {
            let view = found.entry(agent.clone()).or_insert_with(|| Self::unseen(agent));
            change(view);
        };
        for (agent, used) in state.used() {
            at(agent, &|view| view.used = *used);
        }
        for attempt in
            state.runs().filter(|run| scope.covers(&run.job)).filter_map(Run::live_attempt)
        {
            at(&attempt.agent, &|view| view.runs += 1);
        }
        let mut found: Vec<Self> = found.into_values().collect();
        if let Some(reason) = state.launcher_gone() {
            let problem = format!("the launcher cannot be reached: {reason}");
            found.iter_mut().for_each(|view| view.problem = Some(problem.clone()));
        }
        found
    }

    fn unseen(agent: &AgentId) -> Self {
        Self {
            agent: agent.clone(),
            hostname: None,
            problem: Some("it offers nothing at the moment".to_owned()),
            total: None,
            is_limited: true,
            used: Resources::default(),
            attributes: BTreeMap::new(),
            runs: 0,
        }
    }
}
