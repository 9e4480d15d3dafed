//! How definitions are named over HTTP, and the tag that says which one a client has seen.
//!
//! The tag names the definition alone. What is printed of a job beside it (counts, when it is due next) changes without
//! it, so the tag is good for `If-Match`, by which a client says what it wants to replace, and no request is ever
//! answered with 304.

use axum::http::header::ETAG;
use axum::http::{HeaderName, HeaderValue};

use super::backend::RevisionId;
use super::query;
use crate::api::error::ApiError;
use crate::model::Incarnation;

/// The answer's header with the revision alone.
const REVISION: HeaderName = HeaderName::from_static("chronode-revision");

/// The tag of a definition: `"1.3"` is the third of the first life. The same through both prefixes.
pub(crate) fn etag_of(id: RevisionId) -> HeaderValue {
    let tag = format!("\"{}\"", text_of(id));
    HeaderValue::try_from(tag).expect("digits are visible ASCII")
}

/// The headers of an answer that is about one definition.
pub(crate) fn headers_of(id: RevisionId) -> [(HeaderName, HeaderValue); 2] {
    [(ETAG, etag_of(id)), (REVISION, HeaderValue::from(id.revision))]
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
        assert_eq!(etag_of(id), "\"17.3\"");
        for text in
            ["", "0", "+1", "1.", ".1", "1.0", "1.2.3", "-1", "a", " 1", "99999999999999999999"]
        {
            assert_eq!(Wanted::parse(text), None, "{text}");
        }
    }
}
