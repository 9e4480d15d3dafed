//! Which jobs are meant: all, or those that a list of names and beginnings of names covers.
//!
//! Rights are given by it, so it matches whole names and whole beginnings only: `billing-*` never covers `billings-x`.

use std::fmt;

use super::JobName;

/// Which jobs somebody may see and touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// Those that one of these names or begins.
    Only(Vec<Pattern>),
}

/// One job, or all whose names begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This job.
    Name(String),
    /// Every job whose name begins so. Ends with a separator, so that no name extends the rights of another.
    Prefix(String),
}

/// What ends the part of a name that a prefix is about.
const SEPARATORS: [char; 5] = ['.', '-', '_', '#', ' '];

impl Pattern {
    /// Reads `name`, or `prefix*` where the prefix ends with a separator.
    ///
    /// # Errors
    ///
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (stem, is_prefix) = match text.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        if stem.is_empty() || stem.contains('*') {
            return Err(
                "expected a job's name, or the beginning of names such as `billing-*`".to_owned()
            );
        }
        if !is_prefix {
            return Ok(Self::Name(stem.to_owned()));
        }
        if !stem.ends_with(SEPARATORS) {
            return Err(format!(
                "expected a separator (`.`, `-`, `_`, `#` or a blank) before the `*`, as `{stem}-*`: `{stem}*` would \
                 cover other names that begin alike"
            ));
        }
        Ok(Self::Prefix(stem.to_owned()))
    }

    /// Whether this name is meant.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Name(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

impl Scope {
    /// Whether a job of this name is within it.
    #[must_use]
    pub fn covers(&self, name: &JobName) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.covers(name.as_str())),
        }
    }
}

impl fmt::Display for Pattern {
    /// As [`Pattern::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NameRule;

    fn name(text: &str) -> JobName {
        JobName::parse(text, NameRule::Blanks).unwrap()
    }

    #[test]
    fn a_scope_covers_names_and_whole_beginnings_only() {
        let patterns = ["billing-*", "report", "a.b.*"].map(|text| Pattern::parse(text).unwrap());
        assert_eq!(patterns[0].to_string(), "billing-*");
        let scope = Scope::Only(patterns.into());
        for (job, covered) in [
            ("billing-nightly", true),
            ("billing-", true),
            ("billing", false),
            ("billings-x", false),
            ("Billing-x", false),
            ("report", true),
            ("report-2", false),
            ("a.b.c", true),
            ("a.bc", false),
        ] {
            assert_eq!(scope.covers(&name(job)), covered, "{job}");
        }
        assert!(!Scope::Only(Vec::new()).covers(&name("x")));
    }

    #[test]
    fn a_beginning_without_separator_is_refused() {
        for text in ["billing*", "*", "", "a*b", "a-**", "a*-*"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
