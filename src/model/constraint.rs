//! Where a job may run: conditions on an agent's attributes.

/// One condition of a job on the agent that runs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Constraint {
    /// The attribute's name; `hostname` always exists.
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// A value for [`Operator::Equals`], a regular expression over the whole value for [`Operator::Like`] and
    /// [`Operator::Unlike`], a value or nothing for [`Operator::Cluster`], nothing for [`Operator::Unique`].
    pub value: String,
}

/// How a constraint compares. Semantics of those that Chronos has: the compatibility sheet, section 5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// The attribute has exactly this text.
    Equals,
    /// The attribute exists and the expression matches the whole of it.
    Like,
    /// The attribute exists and the expression does not match the whole of it.
    Unlike,
    /// No two live runs of the job are where the attribute has the same value.
    Unique,
    /// All live runs of the job are where the attribute has one value: the given one, or that of the first of them.
    Cluster,
}

impl Operator {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "EQUALS",
            Self::Like => "LIKE",
            Self::Unlike => "UNLIKE",
            Self::Unique => "UNIQUE",
            Self::Cluster => "CLUSTER",
        }
    }

    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Equals, Self::Like, Self::Unlike, Self::Unique, Self::Cluster];

    /// Whether it compares where the live runs of the job are, with each other.
    #[must_use]
    pub const fn compares_runs(self) -> bool {
        match self {
            Self::Equals | Self::Like | Self::Unlike => false,
            Self::Unique | Self::Cluster => true,
        }
    }

    /// Reads the word on the wire; upper case only, as Chronos.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }
}
