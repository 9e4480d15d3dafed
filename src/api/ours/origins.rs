//! `P/origins`: which jobs come from which source, and in what they are not what that wants.

use std::collections::BTreeSet;

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::revisions::{print_changes, unreadable};
use crate::api::backend::{JobHead, RevisionId};
use crate::api::chronos::jobs::parse_name;
use crate::api::desk::Page;
use crate::api::error::ApiError;
use crate::api::query::{Query, invalid};
use crate::api::revision::text_of;
use crate::api::{Desk, json_response};
use crate::jobspec::{self, secret_names};
use crate::model::{Drift, Origin, SourceName};

/// How many jobs are looked at at once.
const AT_ONCE: usize = 256;
/// Of how many jobs is told what is different in them. Each is looked up in the store.
const COMPARED_MAX: usize = 200;

/// `GET P/origins?source=&job=&drifted=`: by name.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["source", "job", "drifted"])?;
    let source = query.get("source").map(|text| {
        let expected = "the name of a source: letters, digits, `_`, `.` and `-`";
        SourceName::parse(text).map_err(|_| invalid("source", text, expected))
    });
    let source = source.transpose()?;
    let drifted = query.flag("drifted")?.unwrap_or(false);
    let is_wanted = |head: &JobHead| {
        let Some(origin) = &head.origin else { return false };
        source.as_ref().is_none_or(|source| *source == origin.source)
            && (!drifted || origin.drift(head.revision).is_some())
    };
    let heads = match query.get("job") {
        Some(text) => desk.job(&parse_name(text)?).into_iter().map(|view| view.record).collect(),
        None => all(&desk).await,
    };
    let mut compared = 0;
    let mut jobs = Vec::new();
    for head in heads.into_iter().filter(is_wanted) {
        let Some(origin) = &head.origin else { continue };
        let mut printed = print(&head, origin);
        if origin.drift(head.revision) == Some(Drift::Changed) && compared < COMPARED_MAX {
            compared += 1;
            printed["changes"] = changes(&desk, &head, origin).await?;
        }
        jobs.push(printed);
    }
    Ok(json_response(&json!({"jobs": jobs})))
}

async fn all(desk: &Desk) -> Vec<JobHead> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let Page { items, next } = desk.jobs_after(after.as_ref(), AT_ONCE);
        found.extend(items.into_iter().map(|view| view.record).filter(|it| it.origin.is_some()));
        let Some(next) = next else { return found };
        after = Some(next);
        // There may be many: between two looks it is the turn of others.
        tokio::task::yield_now().await;
    }
}

fn print(head: &JobHead, origin: &Origin) -> Value {
    let Origin { source, place, revision, is_gone: _ } = origin;
    let id = |revision| text_of(RevisionId { incarnation: head.incarnation, revision });
    json!({
        "job": head.job.name.as_str(),
        "source": source.as_str(),
        "place": place,
        "revision": id(head.revision),
        "applied": id(*revision),
        "drift": origin.drift(head.revision).map(Drift::as_str),
        "changes": null,
    })
}

/// What is different from what the source applied last; null if that is not kept any more.
async fn changes(desk: &Desk, head: &JobHead, origin: &Origin) -> Result<Value, ApiError> {
    let applied = RevisionId { incarnation: head.incarnation, revision: origin.revision };
    let before = RevisionId { revision: origin.revision.saturating_add(1), ..applied };
    let found = desk.revisions(&head.job.name, Some(before), 1).await.map_err(unreadable)?;
    let Some(found) = found.into_iter().find(|found| found.id == applied) else {
        return Ok(Value::Null);
    };
    let hidden: BTreeSet<String> =
        secret_names(&found.job).into_iter().chain(secret_names(&head.job)).collect();
    Ok(print_changes(jobspec::changes(&found.job, &head.job, desk.dialect, &hidden)))
}
