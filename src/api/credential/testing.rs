//! For tests: credentials that are known.

use std::sync::Arc;

use super::{Authenticator, Credential, Hash};
use crate::api::testing::at;
use crate::api::{Pattern, Role, Scope};
use crate::model::{BootInstant, Duration, Now};

/// Time as credentials see it in tests.
pub(crate) fn noon() -> Now {
    Now { wall: at("2030-01-01T12:00:00Z"), boot: BootInstant(Duration::from_secs(1_000)) }
}

/// Lets in whoever shows `token-NAME`, with these roles and scopes; all jobs where a scope is empty.
pub(crate) fn admitting(callers: &[(&str, Role, &str)]) -> Arc<Authenticator> {
    let credentials = callers.iter().map(|(name, role, scope)| Credential {
        name: (*name).into(),
        role: *role,
        scope: match *scope {
            "" => Scope::All,
            pattern => Scope::Only(vec![Pattern::parse(pattern).unwrap()]),
        },
        hash: Hash::of_token(&format!("token-{name}")),
        created: None,
        expires: name.starts_with("expired").then(|| noon().wall),
    });
    Arc::new(Authenticator::new(credentials.collect(), "Mesosphere", noon).unwrap())
}

/// The header lines by which somebody of [`admitting`] is let in.
pub(crate) fn bearer(name: &str) -> String {
    format!("Authorization: Bearer token-{name}\r\n")
}
