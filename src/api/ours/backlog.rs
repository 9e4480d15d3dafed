//! `P/backlog`: runs that have not been begun, why not, and how to be rid of them.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::fields::Posted;
use super::operate::refused;
use crate::api::backend::BacklogPage;
use crate::api::chronos::jobs::{unexpected, unknown_job};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response, print};
use crate::engine::{BacklogFilter, Reply, Request};
use crate::model::{JobName, NameRule};

/// Runs of a page when the client does not say.
const PAGE_DEFAULT: usize = 50;
/// Runs of a page at most: each is explained.
const PAGE_MAX: usize = 200;

/// `GET P/backlog?job=&dueBefore=&after=&limit=`: oldest first.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let known = ["job", "dueBefore", "after", "limit"];
    let query = Query::parse_known(query.as_deref(), &known)?;
    let job = query.get("job").map(|text| {
        JobName::parse(text, NameRule::Blanks)
            .map_err(|error| ApiError::invalid("job", error.to_string()))
    });
    let filter = BacklogFilter {
        names: job.transpose()?.map(|job| [job].into()),
        due_before: query.instant("dueBefore")?,
    };
    let after = query.number("after")?;
    let limit = query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let reader = desk.clone();
    let page = desk.calculate(move || reader.backlog(filter, after, limit)).await?;
    let BacklogPage { runs, total, next } = page;
    let runs: Value = runs
        .iter()
        .map(|(run, why)| {
            let mut printed = print::run(run);
            printed["reasons"] = why.iter().map(print::reason).collect();
            printed
        })
        .collect();
    let next = next.map(|next| next.to_string());
    Ok(json_response(&json!({"runs": runs, "total": total, "next": next})))
}

/// `POST P/backlog/cut`.
pub(crate) async fn cut(posted: Posted) -> Result<Response, ApiError> {
    posted.without_query()?;
    let (desk, fields) = posted.fields_if_any(&["jobs", "dueBefore", "reason"]).await?;
    let names = match fields.jobs()? {
        Some(names) => {
            // A misspelt name would be a job of which nothing waits.
            let is_unknown =
                |name: &&JobName| desk.in_scope(name).is_some() && desk.job(name).is_none();
            if let Some(unknown) = names.iter().find(is_unknown) {
                return Err(unknown_job(unknown.as_str()));
            }
            Some(names.into_iter().collect())
        }
        None => desk.waiting_jobs(),
    };
    let filter = BacklogFilter { names, due_before: fields.instant("dueBefore")? };
    let by = desk.intervention(fields.reason()?);
    match desk.submit(Request::CutBacklog { filter, by }).await? {
        Reply::Dropped { count, left } => {
            Ok(json_response(&json!({"dropped": count, "left": left})))
        }
        Reply::Refused(rejection) => Err(refused(rejection)),
        other => Err(unexpected(&other)),
    }
}
