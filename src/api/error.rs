//! Errors as clients see them: one JSON object with a short text, a stable code, and what would be right.
//!
//! A handler returns an [`ApiError`]; the front writes its body, because only the front knows the request's id.
//! `message` is a string and `status` a reason phrase because clients of Chronos read them so. Details that help
//! nobody outside (paths, sources) go to the log under the id, never into the body.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::backend::Unavailable;
use crate::engine::{Rejection, RejectionCode};
use crate::jobspec::Problem;
use crate::schedule::ScheduleError;

/// Problems of a body that are told. Nobody corrects more at a time, and an answer must not be larger than its request.
pub(crate) const PROBLEMS_TOLD_MAX: usize = 100;

/// Why a request was not carried out. Boxed, because every handler's result has room for it.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Report>);

#[derive(Debug, Clone)]
struct Report {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: String,
    /// Which bytes of the field's text are at fault.
    position: Option<Range<usize>>,
    remedy: String,
    /// Every problem of a body that has several; the first one is also the error itself.
    problems: Vec<Problem>,
    /// What only the log may say.
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error without field and remedy.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Report {
            status,
            code,
            message: message.into(),
            field: String::new(),
            position: None,
            remedy: String::new(),
            problems: Vec::new(),
            detail: String::new(),
            headers: Vec::new(),
        }))
    }

    /// 400 for a request that cannot be understood, naming the field or parameter.
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_field", message);
        error.0.field = field.into();
        error
    }

    /// 400 for a schedule that cannot be read, or another of the terms.
    pub(crate) fn schedule(error: &ScheduleError) -> Self {
        let (wrong, right) = error.parts();
        let mut refused = Self::invalid(error.field.as_ref(), wrong).remedy(right);
        refused.0.position = Some(error.span.clone());
        refused
    }

    /// 400 as Chronos answers for a job that is not there. Clients look for `not found`.
    pub(crate) fn unknown_job(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown_job", message)
    }

    /// 404 for something of ours that is not there.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 403.
    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 500: `message` for the client, `detail` for the log.
    pub(crate) fn internal(message: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        error.0.detail = detail.into();
        error
    }

    /// 400 for the problems of a body, of which there is at least one. Of many the first ones are told, and how many more
    /// there are.
    pub(crate) fn problems(problems: Vec<Problem>) -> Self {
        Self::problems_and_more(problems, 0)
    }

    /// The same of a body that has so many more.
    pub(crate) fn problems_and_more(mut problems: Vec<Problem>, more: usize) -> Self {
        let more = more + problems.len().saturating_sub(PROBLEMS_TOLD_MAX);
        problems.truncate(PROBLEMS_TOLD_MAX);
        if more > 0 {
            problems.push(Problem {
                field: String::new(),
                message: format!("and {more} more"),
                remedy: "correct the first ones, and send it again".to_owned(),
            });
        }
        let (field, message, remedy) = problems.first().map_or_else(
            || (String::new(), "the body was refused".to_owned(), String::new()),
            |first| (first.field.clone(), first.message.clone(), first.remedy.clone()),
        );
        let mut error = Self::invalid(field, message).remedy(remedy);
        error.0.problems = problems;
        error
    }

    /// The error with the problems that it stands for.
    pub(crate) fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        let Report { field, message, remedy, .. } = &*self.0;
        let head = (field.clone(), message.clone(), remedy.clone());
        let all = Self::problems(problems);
        self.0.problems = all.0.problems;
        (self.0.field, self.0.message, self.0.remedy) = head;
        self
    }

    /// 400 for what the engine refused.
    pub(crate) fn rejected(rejection: Rejection) -> Self {
        let Rejection { code, message, field, position, remedy } = rejection;
        let status = match code {
            RejectionCode::UnknownJob
            | RejectionCode::InvalidField
            | RejectionCode::Unsupported
            | RejectionCode::LimitReached
            | RejectionCode::UnknownTask => StatusCode::BAD_REQUEST,
            RejectionCode::UnknownRun
            | RejectionCode::UnknownIncident
            | RejectionCode::UnknownNotification => StatusCode::NOT_FOUND,
            RejectionCode::Impossible | RejectionCode::OwnedElsewhere => StatusCode::CONFLICT,
            RejectionCode::Changed => StatusCode::PRECONDITION_FAILED,
            RejectionCode::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut error = Self::new(status, code.as_str(), message).remedy(remedy);
        error.0.field = field.into_owned();
        error.0.position = position;
        error
    }

    /// What HTTP itself has to say, where no handler was reached.
    pub(crate) fn from_status(status: StatusCode, method: &str, path: &str) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("unknown_path", format!("there is nothing at `{path}`")),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                format!("`{path}` does not know {method}: the header `Allow` names what it knows"),
            ),
            other => (
                "refused",
                other.canonical_reason().unwrap_or("the request was refused").to_lowercase(),
            ),
        };
        Self::new(status, code, message)
    }

    /// The error with the field or parameter at fault.
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = field.into();
        self
    }

    /// The error with what to do instead.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = remedy.into();
        self
    }

    /// The error with one more header in its answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The status of its answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable word for it.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// What the log should say beyond the access line, if anything.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The JSON object.
    fn body(&self, request_id: u64) -> Value {
        // What only the log may say is named here, so that a new field is thought about.
        let Report {
            status,
            code,
            message,
            field,
            position,
            remedy,
            problems,
            detail: _,
            headers: _,
        } = &*self.0;
        let mut body = Map::new();
        body.insert("message".into(), message.as_str().into());
        body.insert("status".into(), status.canonical_reason().unwrap_or("Error").into());
        body.insert("code".into(), (*code).into());
        body.insert("field".into(), field.as_str().into());
        if let Some(Range { start, end }) = position {
            body.insert("position".into(), json!({"start": start, "end": end}));
        }
        body.insert("remedy".into(), remedy.as_str().into());
        if problems.len() > 1 {
            let problems = problems.iter().map(|problem| {
                let Problem { field, message, remedy } = problem;
                json!({"field": field, "message": message, "remedy": remedy})
            });
            body.insert("problems".into(), problems.collect());
        }
        body.insert("requestId".into(), request_id.to_string().into());
        Value::Object(body)
    }

    /// Puts the error's body into `response`, keeping its headers (`Allow`).
    pub(crate) fn write_into(&self, response: &mut Response, request_id: u64) {
        *response.status_mut() = self.0.status;
        *response.body_mut() = Body::from(self.body(request_id).to_string());
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

impl From<Unavailable> for ApiError {
    fn from(unavailable: Unavailable) -> Self {
        let Unavailable { reason, retry_after_secs } = unavailable;
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", reason)
            .remedy(format!("try again in {retry_after_secs} s"))
            .header(RETRY_AFTER, HeaderValue::from(retry_after_secs))
    }
}

impl IntoResponse for ApiError {
    /// An answer whose body the front still has to write.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}
