//! Pending runs × offers → assignments.
//!
//! Pure and deterministic: the first offer in the order of offer ids that meets the conditions and holds the
//! resources. One run that fits nowhere stops nobody else. Knows neither jobs nor runs, only what is wanted.

#![deny(clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::model::{AgentId, Constraint, Offer, OfferId, OfferKind, Operator, Resources};

/// A job's constraints with their expressions compiled once.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Vec<Condition>);

#[derive(Debug, Clone)]
struct Condition {
    constraint: Constraint,
    /// For LIKE and UNLIKE: matches the whole value or nothing.
    pattern: Option<Regex>,
}

/// A constraint whose value is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("constraint on `{attribute}`: `{value}` is not a regular expression: {why}")]
pub struct PatternError {
    /// The constraint's attribute.
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// What is wrong with it.
    pub why: String,
}

impl Conditions {
    /// Compiles the expressions.
    ///
    /// # Errors
    ///
    /// [`PatternError`] for the first value that cannot be compiled, or whose automaton would pass 1 MiB.
    pub fn compile(constraints: &[Constraint]) -> Result<Self, PatternError> {
        let compile = |constraint: &Constraint| {
            let pattern = match constraint.operator {
                Operator::Equals => None,
                Operator::Like | Operator::Unlike => Some(
                    regex::RegexBuilder::new(&format!("^(?:{})$", constraint.value))
                        .size_limit(1 << 20)
                        .build()
                        .map_err(|error| PatternError {
                            attribute: constraint.attribute.clone(),
                            value: constraint.value.clone(),
                            why: error.to_string().lines().last().unwrap_or_default().to_owned(),
                        })?,
                ),
            };
            Ok(Condition { constraint: constraint.clone(), pattern })
        };
        constraints.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// The first constraint that `offer`'s agent does not meet.
    #[must_use]
    pub fn unmet(&self, offer: &Offer) -> Option<&Constraint> {
        self.0.iter().find(|condition| !condition.is_met(offer)).map(|c| &c.constraint)
    }
}

impl Condition {
    fn is_met(&self, offer: &Offer) -> bool {
        let attribute = &self.constraint.attribute;
        // An attribute that an agent names `hostname` itself wins over the automatic one.
        let value = offer
            .texts(attribute)
            .next()
            .or_else(|| (attribute == "hostname").then_some(offer.hostname.as_str()));
        // Absent meets nothing, not even UNLIKE, as in Chronos.
        let Some(value) = value else { return false };
        match (self.constraint.operator, &self.pattern) {
            (Operator::Equals, _) => *value == self.constraint.value,
            (Operator::Like, Some(pattern)) => pattern.is_match(value),
            (Operator::Unlike, Some(pattern)) => !pattern.is_match(value),
            (Operator::Like | Operator::Unlike, None) => false,
        }
    }
}

/// What is still free while runs are placed one after another.
#[derive(Debug)]
pub struct Tally<'a> {
    offers: &'a BTreeMap<OfferId, Offer>,
    /// What is taken on each agent, by live attempts and by what this tally assigned.
    taken: BTreeMap<&'a AgentId, Resources>,
    /// Agents that get nothing more: what becomes free there is for a run that has waited long.
    kept_free: BTreeSet<&'a AgentId>,
}

/// A run matched to an offer, not yet launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The offers used.
    pub offers: Vec<OfferId>,
    /// Their agent.
    pub agent: AgentId,
}

impl<'a> Tally<'a> {
    /// Begins with `used`, which live attempts want already.
    #[must_use]
    pub fn new(
        offers: &'a BTreeMap<OfferId, Offer>,
        used: &'a BTreeMap<AgentId, Resources>,
    ) -> Self {
        let taken = used.iter().map(|(agent, used)| (agent, *used)).collect();
        Self { offers, taken, kept_free: BTreeSet::new() }
    }

    /// Keeps the first agent free on which `wanted` would fit if nothing else were on it. Nothing is kept for a run that
    /// fits nowhere.
    pub fn keep_free(&mut self, wanted: &Resources, conditions: &Conditions) {
        let would_fit = |offer: &&'a Offer| match offer.kind {
            OfferKind::Standing => offer.resources.hold(wanted),
            // The one never lacks room, of the other nobody knows what the agent has in all.
            OfferKind::Unmetered | OfferKind::Once => false,
        };
        let found = self.offers.values().filter(would_fit).find(|offer| {
            !self.kept_free.contains(&offer.agent) && conditions.unmet(offer).is_none()
        });
        self.kept_free.extend(found.map(|offer| &offer.agent));
    }

    /// Assigns the first offer that fits and takes `wanted` off it.
    ///
    /// # Errors
    ///
    /// A sentence on why each offer does not fit, for the first three of them.
    pub fn assign(
        &mut self,
        wanted: &Resources,
        conditions: &Conditions,
    ) -> Result<Assignment, String> {
        let mut reasons: Vec<String> = Vec::new();
        for offer in self.offers.values() {
            if let Some(unmet) = conditions.unmet(offer) {
                reasons.push(format!(
                    "{} does not meet `{} {} {}`",
                    offer.hostname,
                    unmet.attribute,
                    unmet.operator.as_str(),
                    unmet.value
                ));
                continue;
            }
            if self.kept_free.contains(&offer.agent) {
                reasons.push(format!(
                    "{} is kept free for a run that has waited for long",
                    offer.hostname
                ));
                continue;
            }
            let taken = self.taken.entry(&offer.agent).or_default();
            let free = match offer.kind {
                OfferKind::Unmetered => *wanted,
                OfferKind::Standing | OfferKind::Once => offer.resources.minus(*taken),
            };
            if free.hold(wanted) {
                *taken = taken.plus(*wanted);
                return Ok(Assignment {
                    offers: vec![offer.id.clone()],
                    agent: offer.agent.clone(),
                });
            }
            reasons.push(shortage(&offer.hostname, &free, wanted));
        }
        if reasons.is_empty() {
            return Err("there is no offer".to_owned());
        }
        reasons.truncate(3);
        Err(reasons.join("; "))
    }
}

fn shortage(hostname: &str, free: &Resources, wanted: &Resources) -> String {
    let lacking: Vec<String> = [
        ("cpus", free.cpus, wanted.cpus),
        ("MiB of memory", free.mem, wanted.mem),
        ("MiB of disk", free.disk, wanted.disk),
    ]
    .into_iter()
    .filter(|(_, free, wanted)| free < wanted)
    .map(|(unit, free, wanted)| format!("{free} {unit} of the {wanted} wanted"))
    .collect();
    format!("{hostname} has free only {}", lacking.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attribute, Scalar};

    fn offer(attributes: &[(&str, &str)]) -> Offer {
        Offer {
            id: OfferId::new("o1"),
            agent: AgentId::new("a1"),
            hostname: "slave.one.com".to_owned(),
            attributes: attributes
                .iter()
                .map(|&(name, value)| Attribute::text(name, value))
                .collect(),
            resources: Resources {
                cpus: Scalar::from_thousandths(1_000),
                mem: Scalar::from_thousandths(1_000_000),
                disk: Scalar::from_thousandths(1_000_000),
                ports: 0,
            },
            kind: OfferKind::Standing,
            unavailable_from: None,
            files_at: None,
        }
    }

    fn is_met(attribute: &str, operator: Operator, value: &str, offer: &Offer) -> bool {
        let constraint =
            Constraint { attribute: attribute.to_owned(), operator, value: value.to_owned() };
        Conditions::compile(&[constraint]).unwrap().unmet(offer).is_none()
    }

    /// The text vectors of Chronos' constraint specs.
    #[test]
    fn constraints_are_those_of_chronos() {
        use Operator::{Equals, Like, Unlike};
        let agent = offer(&[("dc", "north"), ("rack", "rack-1")]);
        for (attribute, operator, value, expected) in [
            ("rack", Equals, "rack-1", true),
            ("rack", Equals, "rack-2", false),
            ("rack", Like, "rack-[1-3]", true),
            ("rack", Like, "rack-[2-3]", false),
            ("dc", Like, "north|south", true),
            ("dc", Unlike, "north|south", false),
            ("rack", Unlike, "rack-[2-3]", true),
            ("zone", Like, ".*", false),
            ("zone", Unlike, "x", false),
            ("rack", Like, "rack", false),
            ("hostname", Equals, "slave.one.com", true),
            ("hostname", Equals, "slave.two.com", false),
        ] {
            assert_eq!(
                is_met(attribute, operator, value, &agent),
                expected,
                "{attribute} {operator:?} {value}"
            );
        }
        let named = offer(&[("hostname", "slave.explicit.com")]);
        assert!(!is_met("hostname", Equals, "slave.one.com", &named));
        assert!(is_met("hostname", Equals, "slave.explicit.com", &named));
    }

    #[test]
    fn a_value_that_is_no_expression_is_refused() {
        let constraint = Constraint {
            attribute: "rack".to_owned(),
            operator: Operator::Like,
            value: "[[[".to_owned(),
        };
        let error = Conditions::compile(&[constraint]).unwrap_err().to_string();
        assert!(error.contains("`[[[` is not a regular expression"), "{error}");
    }

    #[test]
    fn an_agent_that_is_kept_free_gets_nothing_more() {
        let offers = BTreeMap::from([(OfferId::new("o1"), offer(&[]))]);
        let half = Resources { cpus: Scalar::from_thousandths(500), ..Resources::default() };
        let all = Resources { cpus: Scalar::from_thousandths(1_000), ..Resources::default() };
        let more = Resources { cpus: Scalar::from_thousandths(1_001), ..Resources::default() };
        let used = BTreeMap::from([(AgentId::new("a1"), half)]);
        let mut tally = Tally::new(&offers, &used);
        // What does not fit on the whole agent is not waited for.
        tally.keep_free(&more, &Conditions::default());
        assert!(tally.assign(&Resources::default(), &Conditions::default()).is_ok());
        assert!(tally.assign(&all, &Conditions::default()).is_err());
        tally.keep_free(&all, &Conditions::default());
        assert_eq!(
            tally.assign(&half, &Conditions::default()),
            Err("slave.one.com is kept free for a run that has waited for long".to_owned())
        );
    }

    #[test]
    fn what_is_assigned_is_taken() {
        let offers = BTreeMap::from([(OfferId::new("o1"), offer(&[]))]);
        let used = BTreeMap::new();
        let mut tally = Tally::new(&offers, &used);
        let wanted = Resources { cpus: Scalar::from_thousandths(600), ..Resources::default() };
        assert!(tally.assign(&wanted, &Conditions::default()).is_ok());
        assert_eq!(
            tally.assign(&wanted, &Conditions::default()),
            Err("slave.one.com has free only 0.4 cpus of the 0.6 wanted".to_owned())
        );
    }
}
