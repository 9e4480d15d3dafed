//! Where a job comes from, if a source of definitions keeps it.

use std::fmt;

use super::limits::SOURCE_BYTES_MAX;

/// The name of a source: a set of definitions that is applied as a whole, such as a directory of job files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(String);

/// Why a text names no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is too long.
    #[error("it is longer than {SOURCE_BYTES_MAX} bytes")]
    TooLong,
    /// It has a character that no name of a source has.
    #[error("it has a character that is no letter, digit, `_`, `.` or `-`")]
    Character,
}

impl SourceName {
    /// Reads a name: letters, digits, `_`, `.` and `-`.
    ///
    /// # Errors
    ///
    /// [`SourceError`], which says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(SourceError::Empty);
        }
        if text.len() > SOURCE_BYTES_MAX {
            return Err(SourceError::TooLong);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SourceError::Character)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which source a job comes from, and what that last did about it. A new definition by another hand leaves it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The source.
    pub source: SourceName,
    /// Where in it the job is defined, such as `billing/nightly.yaml`; empty if nobody said.
    pub place: String,
    /// The revision that the source applied last, or found to be what it wants.
    pub revision: u64,
    /// Whether the source has said that it does not have the job any more.
    pub is_gone: bool,
}

/// In what a job is not what its source wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Somebody else has given it another definition.
    Changed,
    /// The source does not have it any more, and it is still there.
    Gone,
}

impl Drift {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

impl Origin {
    /// In what a job at `revision` is not what its source wants, if it is not.
    #[must_use]
    pub const fn drift(&self, revision: u64) -> Option<Drift> {
        if self.is_gone {
            Some(Drift::Gone)
        } else if self.revision == revision {
            None
        } else {
            Some(Drift::Changed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_drifts_when_another_hand_changes_it_and_when_its_source_loses_it() {
        let source = SourceName::parse("ops").unwrap();
        let origin = Origin { source, place: String::new(), revision: 3, is_gone: false };
        assert_eq!(origin.drift(3), None);
        assert_eq!(origin.drift(4).map(Drift::as_str), Some("changed"));
        let gone = Origin { is_gone: true, ..origin };
        assert_eq!([3, 4].map(|it| gone.drift(it).map(Drift::as_str)), [Some("gone"); 2]);
    }

    #[test]
    fn a_source_has_a_name_that_needs_no_quotes() {
        for text in ["ops", "team-a.billing_2", "-"] {
            assert_eq!(SourceName::parse(text).unwrap().to_string(), text);
        }
        let long = "s".repeat(SOURCE_BYTES_MAX + 1);
        for (text, why) in [
            ("", SourceError::Empty),
            (long.as_str(), SourceError::TooLong),
            ("a b", SourceError::Character),
            ("a/b", SourceError::Character),
            ("é", SourceError::Character),
        ] {
            assert_eq!(SourceName::parse(text), Err(why), "{text}");
        }
    }
}
