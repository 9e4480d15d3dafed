//! Who asks, and what they may.
//!
//! A route says which role it needs ([`super::routes`]), and [`super::Desk`] asks for every job that a request names whether
//! it is within the caller's scope. Nothing else decides about rights.

use std::sync::Arc;

pub use crate::model::{Pattern, Scope};

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

/// What who brings no credentials is called.
const ANONYMOUS: &str = "anonymous";

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
        Self { name: ANONYMOUS.into(), role: Role::Admin, scope: Scope::All }
    }

    /// Whether nobody can tell this caller from others who bring no credentials either.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        *self.name == *ANONYMOUS
    }

    /// Whoever asks without credentials where some are configured: they see nothing.
    #[must_use]
    pub fn nobody() -> Self {
        Self { name: ANONYMOUS.into(), role: Role::Viewer, scope: Scope::Only(Vec::new()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_words() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert!(Role::Viewer < Role::Operator && Role::Editor < Role::Admin);
    }
}
