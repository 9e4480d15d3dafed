//! What a launcher has to give.

use super::{AgentId, OfferId, Resources, Scalar, Timestamp};

/// Resources of one agent that attempts can be placed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The launcher's name for it.
    pub id: OfferId,
    /// Where it is.
    pub agent: AgentId,
    /// The agent's host name; also matched by constraints on `hostname` unless an attribute has that name.
    pub hostname: String,
    /// What constraints may ask of the agent, in its order; a name may come more than once.
    pub attributes: Vec<Attribute>,
    /// What the agent has (standing) or offers this once.
    pub resources: Resources,
    /// How the offer is used up.
    pub kind: OfferKind,
    /// From when on the agent is to be out of service, if somebody has planned that.
    pub unavailable_from: Option<Timestamp>,
    /// How the files of its tasks are reached from elsewhere, such as `http://10.0.0.7:5051`; `None` where they are on
    /// the scheduler's own machine.
    pub files_at: Option<String>,
    /// Whose share of the cluster it is: offers of one agent can be used together only if this is the same. The role that
    /// Mesos has allocated it to.
    pub share: String,
}

impl Offer {
    /// The agent's attributes of text of that name.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |attribute| attribute.name == name).filter_map(
            |attribute| match &attribute.value {
                AttributeValue::Text(text) => Some(text.as_str()),
                AttributeValue::Scalar(_) | AttributeValue::Set(_) | AttributeValue::Ranges => None,
            },
        )
    }
}

/// One attribute of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: AttributeValue,
}

impl Attribute {
    /// An attribute of text.
    #[must_use]
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: AttributeValue::Text(value.into()) }
    }
}

/// What an attribute says. Mesos tells the kind by the looks of the value: `rack:1` is a scalar, `rack:r1` a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A number, not negative.
    Scalar(Scalar),
    /// Several texts.
    Set(Vec<String>),
    /// Stretches of whole numbers. No constraint can ask for them.
    Ranges,
}

/// How an offer is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferKind {
    /// Stays; `resources` do not limit how much is placed on it. The local launcher by default, as cron would.
    Unmetered,
    /// Stays; what live attempts on the agent want is taken off `resources`. The local launcher with limits.
    Standing,
    /// Gone once anything is placed on it, or once nothing that waits wants it. What live attempts hold is not in it.
    /// Mesos.
    Once,
}
