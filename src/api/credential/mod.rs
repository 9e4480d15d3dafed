//! Who is let in by which secret: credentials, as they stand in a file.
//!
//! One JSON object a line, so that a line can be added, read and taken out by hand. Of a secret only a hash is kept:
//! tokens are random with 256 bits, so that SHA-256 is enough and costs nothing; passwords are people's, so they get
//! Argon2id. What a request shows is compared in [`Authenticator`].

mod authenticator;
mod secret;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use authenticator::Admission;
pub use authenticator::Authenticator;
pub use secret::{Hash, HashError, SAMPLE_SECRETS, new_token};

use super::access::{Caller, Pattern, Role, Scope};
use crate::model::Timestamp;

/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 64;
/// Credentials of one file.
pub const CREDENTIALS_MAX: usize = 10_000;
/// Patterns of one scope.
pub const PATTERNS_MAX: usize = 100;

/// Somebody who may be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Who, also in the audit log; the user name of Basic authentication.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// With which jobs.
    pub scope: Scope,
    /// What their secret hashes to.
    pub hash: Hash,
    /// When it was made; `None` if the file does not say.
    pub created: Option<Timestamp>,
    /// From when on it is worth nothing.
    pub expires: Option<Timestamp>,
}

impl Credential {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong, without the hash.
    pub fn parse(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| format!("it is no JSON object in one line: {error}"))?;
        let Value::Object(map) = value else {
            return Err("it is no JSON object".to_owned());
        };
        const KEYS: [&str; 7] = ["name", "kind", "role", "scope", "hash", "created", "expires"];
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            // A misspelt `expires` would let somebody in for ever.
            return Err(format!(
                "it has no field `{}`: {} are known",
                key.escape_debug(),
                KEYS.join(", ")
            ));
        }
        let name = text(&map, "name")?;
        check_name(name)?;
        let role = text(&map, "role")?;
        let role = Role::parse(role).ok_or_else(|| {
            format!("`role` is `{}`: expected one of {}", role.escape_debug(), words())
        })?;
        let scope = match map.get("scope") {
            None => Scope::All,
            Some(Value::Array(patterns)) => scope_of(patterns)?,
            Some(_) => return Err("`scope` is no list of names and beginnings".to_owned()),
        };
        let (kind, hash) = (text(&map, "kind")?, text(&map, "hash")?);
        let hash = match kind {
            "token" => Hash::token(hash)?,
            "password" => Hash::password(hash)?,
            other => {
                let other = other.escape_debug();
                return Err(format!("`kind` is `{other}`: expected `token` or `password`"));
            }
        };
        let (created, expires) = (instant(&map, "created")?, instant(&map, "expires")?);
        Ok(Self { name: name.into(), role, scope, hash, created, expires })
    }

    /// The line that [`Self::parse`] reads.
    #[must_use]
    pub fn print(&self) -> String {
        let Self { name, role, scope, hash, created, expires } = self;
        let mut map = Map::new();
        map.insert("name".into(), (**name).into());
        map.insert("kind".into(), hash.kind().into());
        map.insert("role".into(), role.as_str().into());
        if let Scope::Only(patterns) = scope {
            map.insert("scope".into(), patterns.iter().map(ToString::to_string).collect());
        }
        map.insert("hash".into(), hash.to_string().into());
        if let Some(created) = created {
            map.insert("created".into(), created.to_string().into());
        }
        if let Some(expires) = expires {
            map.insert("expires".into(), expires.to_string().into());
        }
        Value::Object(map).to_string()
    }

    /// Whether it is worth nothing any more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Who asks when somebody has shown its secret.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller { name: Arc::clone(&self.name), role: self.role, scope: self.scope.clone() }
    }
}

/// Reads a file of credentials. Empty lines and those that begin with `#` say nothing.
///
/// # Errors
///
/// A sentence that names the line.
pub fn parse_all(text: &str) -> Result<Vec<Credential>, String> {
    let mut found: Vec<Credential> = Vec::new();
    let mut names = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |problem: String| format!("line {}: {problem}", index + 1);
        let credential = Credential::parse(line).map_err(at)?;
        if !names.insert(Arc::clone(&credential.name)) {
            return Err(at(format!("`{}` is there twice: remove one of the two", credential.name)));
        }
        found.push(credential);
        if found.len() > CREDENTIALS_MAX {
            return Err(format!("there are more than {CREDENTIALS_MAX} credentials"));
        }
    }
    Ok(found)
}

/// Checks a name: it stands in logs, and before the colon of Basic authentication.
///
/// # Errors
///
/// A sentence that says what would be right.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_part) {
        return Err(format!(
            "`{}` is no name: expected 1 to {NAME_BYTES_MAX} letters, digits, `.`, `_`, `-` and `@`",
            name.chars().take(NAME_BYTES_MAX).collect::<String>().escape_debug()
        ));
    }
    Ok(())
}

fn scope_of(patterns: &[Value]) -> Result<Scope, String> {
    if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
        return Err(format!(
            "`scope` has {} entries: expected 1 to {PATTERNS_MAX}, or no `scope` for all jobs",
            patterns.len()
        ));
    }
    let patterns = patterns.iter().map(|pattern| {
        let text = pattern.as_str().ok_or_else(|| "an entry of `scope` is no text".to_owned())?;
        let shown = text.escape_debug();
        Pattern::parse(text).map_err(|error| format!("`scope` has `{shown}`: {error}"))
    });
    patterns.collect::<Result<_, _>>().map(Scope::Only)
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    map.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing or no text"))
}

fn instant(map: &Map<String, Value>, key: &str) -> Result<Option<Timestamp>, String> {
    let wrong = || format!("`{key}` is no instant such as 2027-01-31T00:00:00Z");
    let Some(value) = map.get(key) else { return Ok(None) };
    value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or_else(wrong)
}

fn words() -> String {
    let mut words = String::new();
    for role in Role::ALL {
        let comma = if words.is_empty() { "" } else { ", " };
        let _ = write!(words, "{comma}{}", role.as_str());
    }
    words
}
