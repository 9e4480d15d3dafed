//! Small bodies: a few named values, read strictly. A misspelt field that did nothing would mislead whoever acts in
//! haste, so what is not known is refused.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::api::chronos::jobs::unknown_job;
use crate::api::content::BodyLimits;
use crate::api::edge::front::{Exchange, shown};
use crate::api::error::ApiError;
use crate::api::query::{Query, checked_reason};
use crate::api::{Desk, Door, Role};
use crate::jobspec;
use crate::model::{EnvVar, JobName, NameRule, Timestamp};

/// A request that has come with a small body, or with none.
pub(crate) struct Posted {
    pub(super) desk: Desk,
    query: Option<String>,
    headers: HeaderMap,
    body: Body,
    limits: BodyLimits,
}

impl FromRequest<Door> for Posted {
    type Rejection = ApiError;

    async fn from_request(request: Request, door: &Door) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let desk = Desk::from_request_parts(&mut parts, door).await?;
        let exchange = parts.extensions.get::<Exchange>();
        let limits = exchange.expect("the front gives every request its exchange").body_limits;
        let query = parts.uri.query().map(str::to_owned);
        Ok(Self { desk, query, headers: parts.headers, body, limits })
    }
}

impl Posted {
    /// Whether it is only to be tried out; there is no other parameter.
    pub(super) fn is_dry(&self) -> Result<bool, ApiError> {
        Query::parse_known(self.query.as_deref(), &["dryRun"])?.dry_run()
    }

    /// Refuses every parameter: what is asked here cannot be tried out.
    pub(super) fn without_query(&self) -> Result<(), ApiError> {
        crate::api::chronos::jobs::refuse_dry_run(&Query::parse_known(
            self.query.as_deref(),
            &["dryRun"],
        )?)
    }

    /// Reads the body, of which `known` are the fields.
    pub(super) async fn fields(
        self,
        known: &'static [&'static str],
    ) -> Result<(Desk, Fields), ApiError> {
        let bytes = self.desk.read_json(&self.headers, self.body, self.limits).await?;
        let fields = Fields::read(&bytes, known)?;
        Ok((self.desk, fields))
    }

    /// The same; no body at all is an empty one.
    pub(super) async fn fields_if_any(
        self,
        known: &'static [&'static str],
    ) -> Result<(Desk, Fields), ApiError> {
        if self.body.is_end_stream() {
            return Ok((self.desk, Fields { object: Map::new() }));
        }
        self.fields(known).await
    }
}

/// The values of a body. `null` is absence.
#[derive(Debug)]
pub(super) struct Fields {
    object: Map<String, Value>,
}

impl Fields {
    fn read(bytes: &Bytes, known: &[&str]) -> Result<Self, ApiError> {
        let value =
            jobspec::parse_json(bytes).map_err(|problem| ApiError::problems(vec![problem]))?;
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let remedy = format!("the fields here are {}", names.join(", "));
        let Value::Object(object) = value else {
            return Err(ApiError::invalid("", "the body is no JSON object").remedy(remedy));
        };
        if let Some(unknown) = object.keys().find(|key| !known.contains(&key.as_str())) {
            let message = format!("unknown field `{}`", shown(unknown));
            return Err(ApiError::invalid(unknown.as_str(), message).remedy(remedy));
        }
        Ok(Self { object })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text.
    pub(super) fn text(&self, name: &str, example: &str) -> Result<Option<&str>, ApiError> {
        let read = |value: &'_ Value| match value {
            Value::String(_) => Ok(()),
            other => Err(wrong(name, other, "no text", example)),
        };
        self.get(name).map(read).transpose()?;
        Ok(self.get(name).and_then(Value::as_str))
    }

    /// Yes or no; no unless it is said.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(is)) => Ok(*is),
            Some(other) => Err(wrong(name, other, "no truth value", "write `true` or `false`")),
        }
    }

    /// A whole number from 1 on.
    pub(super) fn count(&self, name: &str) -> Result<Option<u32>, ApiError> {
        let read = |value: &Value| {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| *number > 0).ok_or_else(|| {
                wrong(name, value, "no whole number from 1 on", "write a number such as `1`")
            })
        };
        self.get(name).map(read).transpose()
    }

    /// One of a few words.
    pub(super) fn word(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<&'static str, ApiError> {
        let Some(value) = self.get(name) else { return Ok(words[0]) };
        let found = words.iter().find(|word| value.as_str() == Some(word));
        found.copied().ok_or_else(|| {
            let named: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            wrong(name, value, "none of the words for it", &format!("write {}", named.join(" or ")))
        })
    }

    /// The name of a job, which must be there.
    pub(super) fn job(&self) -> Result<JobName, ApiError> {
        let text = self.text("job", "write the name of a job")?.ok_or_else(|| {
            ApiError::invalid("job", "`job` is missing").remedy("name the job that is meant")
        })?;
        job_of(text)
    }

    /// Names of jobs.
    pub(super) fn jobs(&self) -> Result<Option<Vec<JobName>>, ApiError> {
        let Some(value) = self.get("jobs") else { return Ok(None) };
        let wrong = || {
            ApiError::invalid("jobs", "`jobs` is no list of names")
                .remedy("write `[\"a\", \"b\"]`, or leave it out")
        };
        let items = value.as_array().ok_or_else(wrong)?;
        items
            .iter()
            .map(|item| job_of(item.as_str().ok_or_else(wrong)?))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// An instant.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.get(name).map(|value| instant(name, value)).transpose()
    }

    /// An instant that must be there.
    pub(super) fn required_instant(&self, name: &str) -> Result<Timestamp, ApiError> {
        self.instant(name)?
            .ok_or_else(|| ApiError::invalid(name, format!("`{name}` is missing")).remedy(INSTANT))
    }

    /// Instants.
    pub(super) fn instants(&self, name: &str) -> Result<Option<Vec<Timestamp>>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Some(items) = value.as_array() else {
            return Err(wrong(name, value, "no list", "write `[\"2030-01-01T00:00:00Z\"]`"));
        };
        items.iter().map(|item| instant(name, item)).collect::<Result<_, _>>().map(Some)
    }

    /// Why the caller wants it; empty if they do not say.
    pub(super) fn reason(&self) -> Result<String, ApiError> {
        let text = self.text("reason", "write a sentence, or leave it out")?.unwrap_or_default();
        checked_reason(text).map(str::to_owned)
    }

    /// Arguments for a run, in place of the job's.
    pub(super) fn arguments(&self) -> Result<Option<String>, ApiError> {
        let text = self.text("arguments", "write them as you would type them")?;
        if text.is_some_and(|text| text.contains('\0')) {
            let message = "`arguments` contains a NUL, which no command can be given";
            return Err(ApiError::invalid("arguments", message).remedy("leave it out"));
        }
        Ok(text.filter(|text| !text.trim().is_empty()).map(str::to_owned))
    }

    /// Variables for a run beside the job's: for those who may also define jobs, because variables can choose what is
    /// executed.
    pub(super) fn environment(&self, desk: &Desk) -> Result<Vec<EnvVar>, ApiError> {
        let Some(value) = self.get("environment") else { return Ok(Vec::new()) };
        if desk.caller.role < Role::Editor {
            let (name, has) = (&desk.caller.name, desk.caller.role.as_str());
            let needed = Role::Editor.as_str();
            let message = format!("`{name}` is {has}, and `environment` needs {needed}");
            return Err(ApiError::forbidden("role_too_low", message)
                .remedy("leave `environment` out, or ask somebody who may define jobs"));
        }
        jobspec::read_environment(value).map_err(ApiError::problems)
    }
}

const INSTANT: &str = "write an instant such as `2030-01-01T00:00:00Z`";

fn instant(name: &str, value: &Value) -> Result<Timestamp, ApiError> {
    let found = value.as_str().and_then(|text| text.parse().ok());
    found.ok_or_else(|| wrong(name, value, "no instant", INSTANT))
}

fn job_of(text: &str) -> Result<JobName, ApiError> {
    JobName::parse(text, NameRule::Blanks).map_err(|_| unknown_job(text))
}

fn wrong(name: &str, value: &Value, wanted: &str, remedy: &str) -> ApiError {
    let found = shown(&value.to_string());
    ApiError::invalid(name, format!("`{name}` is `{found}`, which is {wanted}")).remedy(remedy)
}
