//! What a request's headers say about when it is to be carried out: `If-Match`, `If-None-Match`, `Idempotency-Key`.
//!
//! Whether a request under a key is the one that was carried out under it is told by what the client sent, and not by
//! what we read from it: that may be another thing to the next version.

use std::sync::{Arc, OnceLock};

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use bytes::Bytes;
use ring::digest::{SHA256, digest};

use super::access::Caller;
use super::error::ApiError;
use super::revision::version_of;
use crate::engine::{Expected, Request};
use crate::model::RequestKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of a key. Keys are random numbers or names, not documents.
const KEY_CHARS_MAX: usize = 255;

/// The form in which a key's content is made of a request, see [`Key::content`]. Whoever changes that gives it another
/// name: keys live for a day, and so through an upgrade.
const CONTENT_FORM: &str = "1";

/// When a request is to be carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    expected: Option<Expected>,
    key: Option<Arc<Key>>,
}

/// A key, and what was sent under it.
#[derive(Debug)]
struct Key {
    text: String,
    /// All that matters of the request but its body.
    head: String,
    /// Set when the body has been read. One that no handler reads says nothing.
    body: OnceLock<Bytes>,
}

impl Key {
    /// `1:` and the SHA-256, in hexadecimal digits, of these lines, each with its end, and the body:
    ///
    /// ```text
    /// POST
    /// /v1/scheduler/iso8601?dryRun=false
    /// if-match:"1.3"
    /// if-none-match
    /// ```
    ///
    /// A header that is not there has no colon. The type of the body is always the same, so it is left out.
    fn content(&self) -> String {
        let body: &[u8] = self.body.get().map_or(&[], |body| body);
        format!("{CONTENT_FORM}:{}", hex([self.head.as_bytes(), body].concat()))
    }
}

impl Conditions {
    /// Reads the headers of a request to `uri`, with its prefix.
    pub(crate) fn read(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Self, ApiError> {
        let key = one(headers, &IDEMPOTENCY_KEY)?;
        let is_usable = |key: &&str| {
            let length = key.chars().count();
            (1..=KEY_CHARS_MAX).contains(&length) && key.chars().all(|c| c.is_ascii_graphic())
        };
        if key.is_some_and(|key| !is_usable(&key)) {
            let message = "`Idempotency-Key` is no key";
            return Err(ApiError::invalid("Idempotency-Key", message)
                .remedy(format!("give 1 to {KEY_CHARS_MAX} visible characters, such as a UUID")));
        }
        let expected = expected(headers)?;
        let Some(key) = key else { return Ok(Self { expected, key: None }) };
        let target = uri.path_and_query().map_or(uri.path(), |target| target.as_str());
        let mut head = format!("{method}\n{target}\n");
        for name in [&IF_MATCH, &IF_NONE_MATCH] {
            head.push_str(name.as_str());
            if let Some(value) = one(headers, name)? {
                head.extend([":", value]);
            }
            head.push('\n');
        }
        let key = Arc::new(Key { text: key.to_owned(), head, body: OnceLock::new() });
        Ok(Self { expected, key: Some(key) })
    }

    /// Notes the body, which is part of what is asked.
    pub(crate) fn note_body(&self, body: &Bytes) {
        if let Some(key) = &self.key {
            // A request has one body: it is the same if it is noted once more.
            let _ = key.body.set(body.clone());
        }
    }

    /// Whether it may be answered for as an earlier one was, without doing anything.
    pub(crate) const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether the client says what the job must be.
    pub(crate) const fn expects_something(&self) -> bool {
        self.expected.is_some()
    }

    /// The key of the request of `caller`, as it is remembered. Its body must have been noted.
    pub(crate) fn key_of(&self, caller: &Caller) -> Option<RequestKey> {
        let key = self.key.as_ref()?;
        // Two callers who use one key do not mean the same request.
        let id = hex(format!("{}\n{}", caller.name, key.text));
        Some(RequestKey { id, caller: hex(&*caller.name), content: key.content() })
    }

    /// The request as it is to be decided, for `caller`.
    pub(crate) fn apply(&self, request: Request, caller: &Caller) -> Result<Request, ApiError> {
        let (is_dry, request) = match request {
            Request::DryRun(request) => (true, *request),
            request => (false, request),
        };
        let request = match &self.expected {
            None => request,
            Some(expected) => {
                let name = job_of(&request).ok_or_else(|| {
                    let message = "`If-Match` and `If-None-Match` have no place here";
                    ApiError::invalid("If-Match", message)
                        .remedy("leave them out: the request is not about one job")
                })?;
                let (name, expected) = (name.clone(), expected.clone());
                Request::IfMatch { name, expected, request: Box::new(request) }
            }
        };
        if is_dry {
            return Ok(Request::DryRun(Box::new(request)));
        }
        Ok(match self.key_of(caller) {
            Some(key) => Request::Once { key, request: Box::new(request) },
            None => request,
        })
    }
}

/// The one job that a request is about, if it is about one.
const fn job_of(request: &Request) -> Option<&crate::model::JobName> {
    match request {
        Request::PutJob { draft, .. } => Some(&draft.name),
        Request::DeleteJob { name, .. }
        | Request::RunJob { name, .. }
        | Request::KillJob { name, .. }
        | Request::MarkSuccess { name }
        | Request::Progress { name, .. }
        // What a handler itself demands of the job.
        | Request::IfMatch { name, .. } => Some(name),
        Request::ClearQueue
        | Request::OperateRun { .. }
        | Request::Pause { .. }
        | Request::Resume { .. }
        | Request::SkipAhead { .. }
        | Request::UnskipAhead { .. }
        | Request::Backfill(_)
        | Request::CancelBackfill { .. }
        | Request::CutBacklog { .. }
        | Request::LiftQuarantine { .. }
        | Request::TrustClock { .. }
        | Request::AcknowledgeIncident { .. }
        | Request::Silence { .. }
        | Request::EndSilence { .. }
        | Request::RetryNotification { .. }
        | Request::CompleteTask { .. }
        | Request::CutOver { .. }
        | Request::Apply { .. }
        | Request::Once { .. }
        | Request::DryRun(_) => None,
    }
}

fn expected(headers: &HeaderMap) -> Result<Option<Expected>, ApiError> {
    let (wanted, unwanted) = (one(headers, &IF_MATCH)?, one(headers, &IF_NONE_MATCH)?);
    match (wanted, unwanted) {
        (None, None) => Ok(None),
        (None, Some("*")) => Ok(Some(Expected::Absent)),
        (Some("*"), None) => Ok(Some(Expected::Present)),
        (Some(tags), None) => {
            // A tag that cannot be one of ours matches nothing, as one of another definition; so does a weak one.
            let strong = tags.split(',').map(str::trim).filter_map(|tag| {
                tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(version_of)
            });
            Ok(Some(Expected::OneOf(strong.collect())))
        }
        (_, Some(_)) => {
            Err(ApiError::invalid("If-None-Match", "`If-None-Match` is neither alone nor `*`")
                .remedy(
                    "send `If-None-Match: *` to create a job only, or `If-Match` to replace one",
                ))
        }
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| values.next().is_none()).map(str::trim);
    text.map(Some).ok_or_else(|| {
        let message = format!("the header `{name}` is there twice, or is no text");
        ApiError::invalid(name.as_str(), message).remedy("send it once, in ASCII")
    })
}

fn hex(text: impl AsRef<[u8]>) -> String {
    let digest = digest(&SHA256, text.as_ref());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn content(
        method: Method,
        uri: &'static str,
        match_: &'static str,
        body: &'static str,
    ) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("key"));
        if !match_.is_empty() {
            headers.insert(IF_MATCH, HeaderValue::from_static(match_));
        }
        let read = Conditions::read(&method, &Uri::from_static(uri), &headers).unwrap();
        read.note_body(&Bytes::from_static(body.as_bytes()));
        read.key_of(&Caller::anonymous()).unwrap().content
    }

    /// What is stored must be found again by the next version: who has to change this test gives the form another name.
    #[test]
    fn what_was_sent_under_a_key_is_told_in_a_form_that_stays() {
        assert_eq!(
            content(Method::POST, "/v1/scheduler/iso8601?dryRun=false", "\"1.3\"", "{}"),
            "1:37f332a2b2cb1c37f02dff799e30c2bfdd56b90c72575b843def557d8c1feeae"
        );
        assert_eq!(
            content(Method::PUT, "/scheduler/job/a", "", ""),
            "1:70d483719be58100867f76bbaf4e8feedb0d193c0ab3e4d4b9faf038e9b2dd24"
        );
    }

    #[test]
    fn whatever_a_client_sends_otherwise_is_another_request() {
        let all = [
            content(Method::POST, "/scheduler/iso8601", "", "{}"),
            content(Method::PUT, "/scheduler/iso8601", "", "{}"),
            content(Method::POST, "/v1/scheduler/iso8601", "", "{}"),
            content(Method::POST, "/scheduler/iso8601?x=1", "", "{}"),
            content(Method::POST, "/scheduler/iso8601", "*", "{}"),
            content(Method::POST, "/scheduler/iso8601", "", "{ }"),
        ];
        assert_eq!(std::collections::BTreeSet::from_iter(&all).len(), all.len());
        assert_eq!(all[0], content(Method::POST, "/scheduler/iso8601", "", "{}"));
    }
}
