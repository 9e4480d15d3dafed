//! The definitions that a job has had: listed, shown, compared, and brought back.
//!
//! A name is known here as long as a definition of it is kept, also after its job was deleted. Whatever is a secret in one
//! of them is shown as one in all: a password that somebody has hidden since must not be found in an older revision, also
//! when no later one has the variable any more.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracing::warn;

use crate::api::backend::{JobView, RevisionId, RevisionView};
use crate::api::chronos::jobs::{done_with, submit, unexpected};
use crate::api::edge::front::{Exchange, shown};
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::revision::{Wanted, headers_of, text_of};
use crate::api::{Desk, json_response, print};
use crate::engine::{Expected, Rejection, RejectionCode, Reply, Request};
use crate::jobspec::{self, FieldChange, secret_names};
use crate::model::{Dialect, Job, JobDraft, JobName, JobVersion, NameRule, SECRET_SHOWN};

/// Definitions of a page when the client does not say.
const PAGE_DEFAULT: usize = 20;
/// Definitions read at one time where all are.
const AT_ONCE: usize = 20;
/// Definitions of a page at most. Of a job that is there no more are kept.
const PAGE_MAX: usize = 100;

/// `GET P/revisions/{job}?before=&limit=`: newest first.
pub(crate) async fn list(
    desk: Desk,
    NamePath(name): NamePath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["before", "limit"])?;
    let before = query.get("before").map(cursor).transpose()?;
    let limit = query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    // One more than asked for tells whether there is another page, and what the last one changed.
    let found = desk.revisions(&name, before, limit + 1).await.map_err(unreadable)?;
    if found.is_empty() && before.is_none() {
        return Err(unknown_job(name.as_str()));
    }
    let present = present(&desk, &name);
    let dialect = desk.dialect;
    let page = move || {
        let next = found.get(limit).map(|_| text_of(found[limit - 1].id));
        let shown = found.iter().take(limit).enumerate();
        let revisions: Value =
            shown.map(|(index, it)| entry(it, found.get(index + 1), present, dialect)).collect();
        json!({"job": name.as_str(), "revisions": revisions, "next": next})
    };
    Ok(json_response(&desk.calculate(page).await?))
}

/// One line of the list. `earlier` is the next definition of the name; of another life it is not compared with.
fn entry(
    found: &RevisionView,
    earlier: Option<&RevisionView>,
    present: Option<RevisionId>,
    dialect: Dialect,
) -> Value {
    let RevisionView { id, accepted_at, job, is_removed } = found;
    let earlier = earlier.filter(|earlier| earlier.id.incarnation == id.incarnation);
    let changed = earlier.map(|earlier| {
        let mut fields: Vec<String> = Vec::new();
        for change in jobspec::changes(&earlier.job, job, dialect, &BTreeSet::new()) {
            if fields.last().is_none_or(|last| last != change.top()) {
                fields.push(change.top().to_owned());
            }
        }
        fields.dedup();
        fields
    });
    json!({
        "incarnation": id.incarnation.0,
        "revision": id.revision,
        "acceptedAt": print::instant(*accepted_at),
        "present": present == Some(*id),
        "removed": is_removed,
        "changed": changed,
    })
}

/// `GET P/revision/{job}/{revision}`: one definition, as it could be sent.
pub(crate) async fn show(desk: Desk, path: RevisionPath) -> Result<Response, ApiError> {
    let RevisionPath { name, revision } = path;
    let known = Known::find(&desk, &name).await?;
    let found = known.revision(&desk, &name, revision).await?;
    let hidden = known.hidden(&desk, &name);
    let printed = jobspec::print_definition(&found.job, desk.dialect, &hidden);
    let RevisionId { incarnation, revision } = found.id;
    let version = JobVersion { incarnation, revision, disabled: found.job.disabled };
    Ok((headers_of(version), json_response(&Value::Object(printed))).into_response())
}

/// `GET P/diff/{job}?from=&to=`: what one definition says differently from another.
pub(crate) async fn diff(
    desk: Desk,
    NamePath(name): NamePath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["from", "to"])?;
    let wanted = |name: &str| query.get(name).map(|text| Wanted::of(name, text)).transpose();
    let (from, to) = (wanted("from")?, wanted("to")?);
    let known = Known::find(&desk, &name).await?;
    let to = match to {
        Some(to) => known.revision(&desk, &name, to).await?,
        None => known.latest.clone(),
    };
    let from = match from {
        Some(from) => known.revision(&desk, &name, from).await?,
        None => earlier(&desk, &name, to.id).await?,
    };
    let hidden = known.hidden(&desk, &name);
    let dialect = desk.dialect;
    let compare = move || {
        let changes = jobspec::changes(&from.job, &to.job, dialect, &hidden);
        let side = |found: &RevisionView| {
            json!({
                "incarnation": found.id.incarnation.0,
                "revision": found.id.revision,
                "acceptedAt": print::instant(found.accepted_at),
            })
        };
        json!({
            "job": name.as_str(),
            "from": side(&from),
            "to": side(&to),
            "changes": print_changes(changes),
        })
    };
    Ok(json_response(&desk.calculate(compare).await?))
}

pub(super) fn print_changes(changes: Vec<FieldChange>) -> Value {
    let print = |change| {
        let FieldChange { field, old, new, is_secret } = change;
        json!({"field": field, "old": old, "new": new, "secret": is_secret})
    };
    changes.into_iter().map(print).collect()
}

/// `POST P/rollback/{job}?to=N`: an earlier definition becomes the present one, as a new revision.
pub(crate) async fn roll_back(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    NamePath(name): NamePath,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["to", "dryRun"])?;
    let is_dry = query.dry_run()?;
    let to = query.get("to").ok_or_else(|| {
        ApiError::invalid("to", "`to` is missing")
            .remedy("say which revision is wanted, as `?to=3`; `revisions` lists them")
    })?;
    let to = Wanted::of("to", to)?;
    let repeated = if is_dry { None } else { desk.repeated_put(&name).await };
    if let Some(reply) = repeated {
        return match reply? {
            Reply::Stored { version, .. } => {
                Ok((headers_of(version), done_with(&[])).into_response())
            }
            Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
            other => Err(unexpected(&other)),
        };
    }
    let known = Known::find(&desk, &name).await?;
    let old = known.revision(&desk, &name, to).await?;
    let view = desk.job(&name);
    let expected = seen(view.as_ref());
    let present = view.as_ref().map(|view| &*view.record.job);
    let (job, mut sentences) = restored(&old, present)?;
    let hidden = known.hidden(&desk, &name);
    let changes = present.map(|present| jobspec::changes(present, &job, desk.dialect, &hidden));
    let request = Request::PutJob { draft: Box::new(JobDraft::whole(job)), dialect: desk.dialect };
    // What the job is at the moment has a part in what is stored, and whoever changes it meanwhile must not be undone
    // without anybody noticing.
    let request = Request::IfMatch { name: name.clone(), expected, request: Box::new(request) };
    match submit(&desk, request, is_dry).await? {
        Reply::Stored { version, created, warnings, consequences } => {
            sentences.extend(warnings);
            if is_dry {
                return Ok(json_response(&json!({
                    "dryRun": true,
                    "created": created,
                    "warnings": sentences,
                    "consequences": consequences,
                    "changes": changes.map(print_changes),
                })));
            }
            sentences.extend(consequences);
            for sentence in &sentences {
                warn!(request = exchange.id, "job rolled back, but {}", shown(sentence));
            }
            Ok((headers_of(version), done_with(&sentences)).into_response())
        }
        Reply::Refused(rejection)
            if rejection.code == RejectionCode::Changed && !desk.has_condition() =>
        {
            Err(overtaken(rejection, &name))
        }
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// That the job is what was looked at. Whether Chronode has disabled it since is no matter: that is set anew.
fn seen(view: Option<&JobView>) -> Expected {
    let Some(view) = view else { return Expected::Absent };
    let version = view.record.version();
    Expected::OneOf([false, true].map(|disabled| JobVersion { disabled, ..version }).to_vec())
}

fn overtaken(rejection: Rejection, name: &JobName) -> ApiError {
    ApiError::rejected(Rejection {
        message: format!("job '{name}' was changed while it was being rolled back"),
        remedy: "look at what it is now, and roll it back again if that is still wanted".to_owned(),
        ..rejection
    })
}

/// The definition that a roll back stores, and what is different in it from what it was.
fn restored(old: &RevisionView, present: Option<&Job>) -> Result<(Job, Vec<String>), ApiError> {
    let mut job = old.job.clone();
    let secrets = present.map(secret_names).unwrap_or_default();
    let mut sentences = Vec::new();
    for variable in &mut job.environment {
        if variable.value == SECRET_SHOWN && secrets.contains(&variable.name) {
            let (id, name) = (text_of(old.id), shown(&variable.name));
            let message = format!(
                "in revision {id} the value of `{name}` is `{SECRET_SHOWN}`, which now stands for the stored secret"
            );
            return Err(ApiError::invalid("environmentVariables", message)
                .remedy("send the definition with another value, or remove the secret first"));
        }
        if !variable.secret && secrets.contains(&variable.name) {
            variable.secret = true;
            sentences.push(format!(
                "`{}` has its earlier value and stays a secret, which it was not then",
                shown(&variable.name)
            ));
        }
    }
    // Whether another scheduler runs the job is no matter of its definition.
    if let Some(present) = present {
        job.shadow = present.shadow;
    }
    Ok((job, sentences))
}

/// A name of which at least one definition is kept.
struct Known {
    /// The latest of them.
    latest: RevisionView,
    /// The variables that are secrets in any of them.
    secrets: BTreeSet<String>,
}

impl Known {
    async fn find(desk: &Desk, name: &JobName) -> Result<Self, ApiError> {
        let found = desk.revisions(name, None, 1).await.map_err(unreadable)?;
        let latest = found.into_iter().next().ok_or_else(|| unknown_job(name.as_str()))?;
        let mut secrets = secret_names(&latest.job);
        let mut before = latest.id;
        loop {
            let page = desk.revisions(name, Some(before), AT_ONCE).await.map_err(unreadable)?;
            let Some(last) = page.last() else { break };
            before = last.id;
            secrets.extend(page.iter().flat_map(|found| secret_names(&found.job)));
        }
        Ok(Self { latest, secrets })
    }

    async fn revision(
        &self,
        desk: &Desk,
        name: &JobName,
        wanted: Wanted,
    ) -> Result<RevisionView, ApiError> {
        let Wanted { incarnation, revision } = wanted;
        let incarnation = incarnation.unwrap_or(self.latest.id.incarnation);
        let id = RevisionId { incarnation, revision };
        let beyond = RevisionId { revision: revision.saturating_add(1), ..id };
        let found = desk.revisions(name, Some(beyond), 1).await.map_err(unreadable)?;
        let found = found.into_iter().find(|found| found.id == id);
        found.ok_or_else(|| unknown_revision(name, &text_of(id)))
    }

    /// The variables that are secrets in any definition, also if one was accepted since the latest one was read.
    fn hidden(&self, desk: &Desk, name: &JobName) -> BTreeSet<String> {
        let mut hidden = self.secrets.clone();
        if let Some(view) = desk.job(name) {
            hidden.extend(secret_names(&view.record.job));
        }
        hidden
    }
}

/// The definition before `id` in the same life.
async fn earlier(desk: &Desk, name: &JobName, id: RevisionId) -> Result<RevisionView, ApiError> {
    let found = desk.revisions(name, Some(id), 1).await.map_err(unreadable)?;
    let found = found.into_iter().find(|found| found.id.incarnation == id.incarnation);
    found.ok_or_else(|| {
        let message =
            format!("no definition of job `{name}` before revision {} is kept", text_of(id));
        ApiError::not_found("unknown_revision", message)
            .remedy("say with which one to compare, as `?from=1.3`; `revisions` lists them")
    })
}

/// The definition in force.
fn present(desk: &Desk, name: &JobName) -> Option<RevisionId> {
    let view = desk.job(name)?;
    Some(RevisionId { incarnation: view.record.incarnation, revision: view.record.revision })
}

fn cursor(text: &str) -> Result<RevisionId, ApiError> {
    let found = Wanted::parse(text).and_then(|wanted| {
        let Wanted { incarnation, revision } = wanted;
        incarnation.map(|incarnation| RevisionId { incarnation, revision })
    });
    found.ok_or_else(|| query::invalid("before", text, "what `next` of the page before said"))
}

pub(super) fn unreadable(detail: String) -> ApiError {
    ApiError::internal("the definitions cannot be read; the log says why", detail)
}

fn unknown_job(name: &str) -> ApiError {
    let message = format!("job `{}` not found, and no definition of it is kept", shown(name));
    ApiError::not_found("unknown_job", message).remedy("`jobs` lists the jobs there are")
}

fn unknown_revision(name: &JobName, revision: &str) -> ApiError {
    let message = format!("revision {} of job `{name}` not found", shown(revision));
    ApiError::not_found("unknown_revision", message)
        .remedy("`revisions` lists those that are kept: the last 100 of a job, the last one of a deleted one")
}

/// A job's name in a path. What is no name names no job.
pub(crate) struct NamePath(pub(crate) JobName);

impl<S: Send + Sync> FromRequestParts<S> for NamePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown_job(parts.uri.path()))?;
        name_of(&text).map(Self)
    }
}

/// A job's name and one of its definitions in a path.
pub(crate) struct RevisionPath {
    name: JobName,
    revision: Wanted,
}

impl<S: Send + Sync> FromRequestParts<S> for RevisionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((name, text)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown_job(parts.uri.path()))?;
        let name = name_of(&name)?;
        let revision = Wanted::parse(&text).ok_or_else(|| unknown_revision(&name, &text))?;
        Ok(Self { name, revision })
    }
}

fn name_of(text: &str) -> Result<JobName, ApiError> {
    JobName::parse(text, NameRule::Blanks).map_err(|_| unknown_job(text))
}
