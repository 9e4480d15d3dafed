//! Texts that nobody is shown.

use std::fmt;

/// A password or a key. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whom it is meant.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without it, for what another side says and may have repeated.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        hidden_in(text, &self.0)
    }
}

/// `text` with every `secret` replaced. One of few characters would make a text unreadable, and is no secret.
pub(super) fn hidden_in(text: &str, secret: &str) -> String {
    const SHORTEST: usize = 4;
    if secret.len() < SHORTEST { text.to_owned() } else { text.replace(secret, "…") }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter22");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hidden_in("POST /hunter22?again=hunter22"), "POST /…?again=…");
        assert_eq!(Secret::new("").hidden_in("nothing"), "nothing");
    }
}
