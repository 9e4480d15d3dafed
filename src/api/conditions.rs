//! What a request's headers say about when it is to be carried out: `If-Match`, `If-None-Match`, `Idempotency-Key`.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};
use ring::digest::{SHA256, digest};

use super::access::Caller;
use super::error::ApiError;
use super::revision::version_of;
use crate::engine::{Expected, Request};
use crate::model::RequestKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of a key. Keys are random numbers or names, not documents.
const KEY_CHARS_MAX: usize = 255;

/// When a request is to be carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    expected: Option<Expected>,
    key: Option<String>,
}

impl Conditions {
    /// Reads the headers.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
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
        Ok(Self { expected: expected(headers)?, key: key.map(str::to_owned) })
    }

    /// Whether it may be answered for as an earlier one was, without doing anything.
    pub(crate) const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The request as it is to be decided, for `caller`.
    pub(crate) fn apply(&self, request: Request, caller: &Caller) -> Result<Request, ApiError> {
        let (is_dry, request) = match request {
            Request::DryRun(request) => (true, *request),
            request => (false, request),
        };
        let content = self.key.as_ref().map(|_| hex(format!("{request:?} {:?}", self.expected)));
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
        Ok(match (&self.key, content) {
            (Some(key), Some(content)) => {
                // Two callers who use one key do not mean the same request.
                let id = hex(format!("{}\n{key}", caller.name));
                let key = RequestKey { id, content };
                Request::Once { key, request: Box::new(request) }
            }
            (Some(_) | None, _) => request,
        })
    }
}

/// The one job that a request is about, if it is about one.
const fn job_of(request: &Request) -> Option<&crate::model::JobName> {
    match request {
        Request::PutJob { draft, .. } => Some(&draft.name),
        Request::DeleteJob { name }
        | Request::RunJob { name, .. }
        | Request::KillJob { name }
        | Request::MarkSuccess { name }
        | Request::Progress { name, .. } => Some(name),
        Request::ClearQueue
        | Request::CompleteTask { .. }
        | Request::CutOver { .. }
        | Request::Apply { .. }
        | Request::IfMatch { .. }
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
