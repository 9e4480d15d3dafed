//! Where a job may run: conditions on an agent's attributes.

/// One condition of a job on the agent that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The attribute's name; `hostname` always exists.
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// A value for [`Operator::Equals`], otherwise a regular expression over the whole value.
    pub value: String,
}

/// How a constraint compares. Semantics: the compatibility sheet, section 5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The attribute has exactly this text.
    Equals,
    /// The attribute exists and the expression matches the whole of it.
    Like,
    /// The attribute exists and the expression does not match the whole of it.
    Unlike,
}

impl Operator {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "EQUALS",
            Self::Like => "LIKE",
            Self::Unlike => "UNLIKE",
        }
    }

    /// Reads the word on the wire; upper case only, as Chronos.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Equals, Self::Like, Self::Unlike].into_iter().find(|op| op.as_str() == text)
    }
}
