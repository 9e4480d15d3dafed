//! How definitions are named over HTTP, and the tag that says which one a client has seen.
//!
//! The tag names the definition alone, and whether it is disabled, which Chronode may do by itself without a new revision:
//! whoever read the job before that must not enable it unknowingly. What is printed of a job beside it (counts, when it is due next) changes without
//! it, so the tag is good for `If-Match`, by which a client says what it wants to replace, and no request is ever
//! answered with 304.

use axum::http::header::ETAG;
use axum::http::{HeaderName, HeaderValue};

use super::backend::RevisionId;
use super::query;
use crate::api::error::ApiError;
use crate::model::{Incarnation, JobVersion};

/// The answer's header with the revision alone.
const REVISION: HeaderName = HeaderName::from_static("chronode-revision");

/// The tag of a definition: `"1.3"` is the third of the first life, `"1.3d"` the same while it is disabled. The same
/// through both prefixes.
pub(crate) fn etag_of(version: JobVersion) -> HeaderValue {
    let JobVersion { incarnation, revision, disabled } = version;
    let id = text_of(RevisionId { incarnation, revision });
    let tag = format!("\"{id}{}\"", if disabled { DISABLED } else { "" });
    HeaderValue::try_from(tag).expect("digits are visible ASCII")
}

const DISABLED: &str = "d";

/// Which definition a tag names, without its quotes; `None` if it can be none of ours.
pub(crate) fn version_of(tag: &str) -> Option<JobVersion> {
    let (id, disabled) = match tag.strip_suffix(DISABLED) {
        Some(id) => (id, true),
        None => (tag, false),
    };
    let Wanted { incarnation, revision } = Wanted::parse(id)?;
    Some(JobVersion { incarnation: incarnation?, revision, disabled })
}

/// The headers of an answer that is about one definition.
pub(crate) fn headers_of(version: JobVersion) -> [(HeaderName, HeaderValue); 2] {
    [(ETAG, etag_of(version)), (REVISION, HeaderValue::from(version.revision))]
}

/// A definition's name: `1.3`.
pub(crate) fn text_of(id: RevisionId) -> String {
    format!("{}.{}", id.incarnation.0, id.revision)
}

/// What a client calls a definition: its number in the latest life of the name, or its full name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Which life; the latest if not given.
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) revision: u64,
}

impl Wanted {
    /// Reads `3` or `1.3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|number| is_plain && *number > 0)
        };
        Some(match text.split_once('.') {
            None => Self { incarnation: None, revision: number(text)? },
            Some((life, revision)) => {
                let incarnation = Some(Incarnation(number(life)?));
                Self { incarnation, revision: number(revision)? }
            }
        })
    }

    /// Reads a parameter, or says what it should be.
    pub(crate) fn of(name: &str, text: &str) -> Result<Self, ApiError> {
        let expected =
            "a revision such as `3`, or `1.3` for the third of the first life of the name";
        Self::parse(text).ok_or_else(|| query::invalid(name, text, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_one_name() {
        let id = RevisionId { incarnation: Incarnation(17), revision: 3 };
        let full = Wanted { incarnation: Some(Incarnation(17)), revision: 3 };
        assert_eq!(Wanted::parse(&text_of(id)), Some(full));
        assert_eq!(Wanted::parse("3"), Some(Wanted { incarnation: None, revision: 3 }));
        for (disabled, tag) in [(false, "17.3"), (true, "17.3d")] {
            let version = JobVersion { incarnation: Incarnation(17), revision: 3, disabled };
            assert_eq!(etag_of(version), format!("\"{tag}\""));
            assert_eq!(version_of(tag), Some(version));
        }
        for tag in ["3", "d", "17.3D", "17.3dd", "x", ""] {
            assert_eq!(version_of(tag), None, "{tag}");
        }
        for text in
            ["", "0", "+1", "1.", ".1", "1.0", "1.2.3", "-1", "a", " 1", "99999999999999999999"]
        {
            assert_eq!(Wanted::parse(text), None, "{text}");
        }
    }
}
