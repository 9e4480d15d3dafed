//! Who asks, and what they may.
//!
//! A route says which role it needs ([`super::routes`]), and [`super::Desk`] asks for every job that a request names whether
//! it is within the caller's scope. Nothing else decides about rights.

use std::sync::Arc;

use crate::model::JobName;

/// What somebody may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads jobs, runs and their output.
    Viewer,
    /// Runs jobs, stops runs, says how they ended.
    Operator,
    /// Creates, replaces and deletes jobs: whoever may do that may run any command.
    Editor,
    /// Everything, what concerns all jobs at once included.
    Admin,
}

impl Role {
    /// All of them, the one with the fewest rights first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Editor, Self::Admin];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

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

    fn covers(&self, name: &str) -> bool {
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

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log and the audit trail.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// With which jobs.
    pub scope: Scope,
}

impl Caller {
    /// Whoever asks where no credentials are configured: everybody who is let in at all may do everything.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { name: "anonymous".into(), role: Role::Admin, scope: Scope::All }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::name;

    #[test]
    fn a_scope_covers_names_and_whole_beginnings_only() {
        let patterns = ["billing-*", "report", "a.b.*"].map(|text| Pattern::parse(text).unwrap());
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

    #[test]
    fn roles_have_words() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert!(Role::Viewer < Role::Operator && Role::Editor < Role::Admin);
    }
}
