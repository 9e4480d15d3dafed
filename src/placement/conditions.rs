//! What a job asks of the agent that runs it, by the rules of Chronos.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

use crate::model::{Attribute, AttributeValue, Constraint, Offer, Operator};

/// A job's constraints, whose expressions are compiled once, and only when somebody asks: of many jobs with the same
/// constraints one is asked.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    constraints: Vec<Constraint>,
    /// Of each constraint, for LIKE and UNLIKE: matches the whole value or nothing. `None` too if it cannot be compiled,
    /// which then matches nothing.
    patterns: OnceLock<Vec<Option<Regex>>>,
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

fn compiled(constraint: &Constraint) -> Result<Option<Regex>, PatternError> {
    match constraint.operator {
        Operator::Equals | Operator::Unique | Operator::Cluster => Ok(None),
        Operator::Like | Operator::Unlike => {
            regex::RegexBuilder::new(&format!("^(?:{})$", constraint.value))
                .size_limit(1 << 20)
                .build()
                .map(Some)
                .map_err(|error| PatternError {
                    attribute: constraint.attribute.clone(),
                    value: constraint.value.clone(),
                    why: error.to_string().lines().last().unwrap_or_default().to_owned(),
                })
        }
    }
}

impl Conditions {
    /// Those of `constraints`.
    #[must_use]
    pub const fn of(constraints: Vec<Constraint>) -> Self {
        Self { constraints, patterns: OnceLock::new() }
    }

    /// As [`Self::of`], with all expressions compiled.
    ///
    /// # Errors
    ///
    /// [`PatternError`] for the first value that cannot be compiled, or whose automaton would pass 1 MiB.
    pub fn compile(constraints: &[Constraint]) -> Result<Self, PatternError> {
        let patterns: Vec<_> = constraints.iter().map(compiled).collect::<Result<_, _>>()?;
        Ok(Self { constraints: constraints.to_vec(), patterns: OnceLock::from(patterns) })
    }

    /// The first constraint that `offer`'s agent does not meet, whatever else runs where. CLUSTER without a value and
    /// UNIQUE are not among these.
    #[must_use]
    pub fn unmet(&self, offer: &Offer) -> Option<&Constraint> {
        let patterns = self.patterns.get_or_init(|| {
            self.constraints.iter().map(|constraint| compiled(constraint).ok().flatten()).collect()
        });
        let both = self.constraints.iter().zip(patterns);
        both.into_iter()
            .find(|(constraint, pattern)| !is_met(constraint, pattern.as_ref(), offer))
            .map(|(constraint, _)| constraint)
    }

    /// The constraints themselves.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Those that compare where the live runs of the job are with each other.
    pub fn comparing(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| constraint.operator.compares_runs())
    }
}

/// The attributes of that name of an offer's agent. One that it names `hostname` itself wins over the automatic one.
fn attributes<'a>(offer: &'a Offer, name: &'a str) -> impl Iterator<Item = Value<'a>> {
    let mut named = offer.attributes.iter().filter(move |it| it.name == name).peekable();
    let own_host = (name == "hostname" && named.peek().is_none())
        .then_some(Value::Text(Cow::Borrowed(offer.hostname.as_str())));
    named.map(|Attribute { name: _, value }| Value::of(value)).chain(own_host)
}

/// What an expression is matched with.
enum Value<'a> {
    Text(Cow<'a, str>),
    /// Never equal to a text.
    Number(String),
    Set(&'a [String]),
    Ranges,
}

impl<'a> Value<'a> {
    fn of(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::Text(text) => Self::Text(Cow::Borrowed(text)),
            // As Java prints it: `1.0`.
            AttributeValue::Scalar(number) => Self::Number(number.to_string()),
            AttributeValue::Set(items) => Self::Set(items),
            AttributeValue::Ranges => Self::Ranges,
        }
    }

    /// `None` if no expression can be matched with it.
    fn matches(&self, pattern: &Regex) -> Option<bool> {
        match self {
            Self::Text(text) => Some(pattern.is_match(text)),
            Self::Number(text) => Some(pattern.is_match(text)),
            Self::Set(items) => Some(items.iter().any(|item| pattern.is_match(item))),
            Self::Ranges => None,
        }
    }

    fn told(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone().into_owned()),
            Self::Number(text) => Some(text.clone()),
            Self::Set(items) => {
                let mut items = items.to_vec();
                items.sort();
                Some(items.join(","))
            }
            Self::Ranges => None,
        }
    }
}

fn is_met(constraint: &Constraint, pattern: Option<&Regex>, offer: &Offer) -> bool {
    let mut all = attributes(offer, &constraint.attribute);
    match (constraint.operator, pattern) {
        (Operator::Equals, _) => {
            all.any(|value| matches!(value, Value::Text(text) if text == constraint.value.as_str()))
        }
        // Absent meets nothing, not even UNLIKE, as in Chronos.
        (Operator::Like, Some(pattern)) => {
            all.next().and_then(|value| value.matches(pattern)).unwrap_or(false)
        }
        (Operator::Unlike, Some(pattern)) => {
            all.next().and_then(|value| value.matches(pattern)).is_some_and(|is_match| !is_match)
        }
        (Operator::Like | Operator::Unlike, None) => false,
        // By what other runs there are it is judged elsewhere; without any value it is met nowhere.
        (Operator::Unique, _) => value_of(offer, &constraint.attribute).is_some(),
        (Operator::Cluster, _) => {
            let value = value_of(offer, &constraint.attribute);
            value.is_some_and(|it| constraint.value.is_empty() || it == constraint.value)
        }
    }
}

/// What an agent has of an attribute, as one text that can be compared: the first of that name. `None` if it has none, or
/// stretches of numbers, which cannot be compared.
#[must_use]
pub fn value_of(offer: &Offer, attribute: &str) -> Option<String> {
    attributes(offer, attribute).next().and_then(|value| value.told())
}
