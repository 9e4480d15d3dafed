//! The files that an attempt left beside what it wrote to its streams.

use axum::Json;
use axum::extract::RawQuery;
use serde_json::{Value, json};

use super::output::{attempt_or_last, unreadable};
use super::runs::{self, RunPath};
use crate::api::Desk;
use crate::api::backend::SandboxFile;
use crate::api::error::ApiError;
use crate::api::print::instant;
use crate::api::query::Query;

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 4_096;

/// `GET P/run/{id}/files`.
pub(crate) async fn list(
    desk: Desk,
    RunPath(id): RunPath,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["attempt", "path"])?;
    let chosen: Option<u32> = query.number("attempt")?;
    let directory = path(&query)?.unwrap_or_default();
    let run = runs::find(&desk, id).await?;
    let attempt = attempt_or_last(&run, chosen)?;
    let found = desk.files(id, attempt, directory.clone()).await;
    let files = found.map_err(|error| unreadable(&error))?;
    Ok(Json(json!({
        "run": id.to_string(),
        "attempt": attempt,
        "path": directory,
        "files": files.iter().map(file).collect::<Vec<_>>(),
    })))
}

fn file(file: &SandboxFile) -> Value {
    let SandboxFile { path, is_directory, size, modified_at, owner, mode } = file;
    json!({
        "path": path,
        "directory": is_directory,
        "size": size,
        "modifiedAt": modified_at.map(instant),
        "owner": owner,
        "mode": mode,
    })
}

/// The path that is asked for, from the attempt's own directory; an agent shall never be asked for another one.
pub(super) fn path(query: &Query) -> Result<Option<String>, ApiError> {
    let Some(path) = query.get("path") else { return Ok(None) };
    let is_inside = path.is_empty()
        || path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_inside || path.contains('\0') || path.len() > PATH_BYTES_MAX {
        return Err(ApiError::invalid("path", "`path` is no path inside the directory of a run")
            .remedy("give it as `files` tells it, without `/` in front and without `..`"));
    }
    Ok(Some(path.to_owned()))
}
