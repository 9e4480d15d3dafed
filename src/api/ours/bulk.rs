//! `P/apply`: several jobs at once, all or none.

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::chronos::jobs::{read_value, unexpected};
use crate::api::edge::front::Exchange;
use crate::api::error::{ApiError, PROBLEMS_TOLD_MAX};
use crate::api::query::Query;
use crate::api::revision::text_of;
use crate::api::{Desk, RevisionId, json_response};
use crate::engine::{Applied, Rejection, Reply, Request};
use crate::jobspec::{self, Problem};
use crate::model::limits::APPLY_MAX;
use crate::model::{JobDraft, JobVersion};

/// `POST P/apply?dryRun=`: `{"jobs": [...]}`, each as `P/iso8601` or `P/dependency` takes it.
pub(crate) async fn apply(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["dryRun"])?;
    let is_dry = query.dry_run()?;
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let reader = desk.clone();
    let (drafts, told) = desk.read_body(body.len(), move || read(&reader, &body)).await??;
    let request = Request::Apply { drafts, dialect: desk.dialect };
    let request = if is_dry { Request::DryRun(Box::new(request)) } else { request };
    match desk.submit(request).await? {
        Reply::Applied { jobs } => {
            let printed: Value = jobs.iter().zip(&told).map(print).collect();
            let answer = json_response(&json!({"dryRun": is_dry, "jobs": printed}));
            Ok((StatusCode::OK, answer).into_response())
        }
        Reply::ApplyRefused(refused) => {
            Err(ApiError::problems(refused.into_iter().map(problem).collect()))
        }
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// The jobs as asked for, and what is to be told of each; or every problem of all of them.
fn read(desk: &Desk, body: &[u8]) -> Result<(Vec<JobDraft>, Vec<Vec<String>>), ApiError> {
    let value = jobspec::parse_json(body).map_err(|problem| ApiError::problems(vec![problem]))?;
    let Some(Value::Array(jobs)) = value.get("jobs") else {
        return Err(ApiError::invalid("jobs", "`jobs` is missing, or no list")
            .remedy("send `{\"jobs\": [...]}`, each as `iso8601` or `dependency` takes it"));
    };
    if jobs.len() > APPLY_MAX {
        let message = format!("`jobs` has {} items; at most {APPLY_MAX} are allowed", jobs.len());
        return Err(ApiError::invalid("jobs", message).remedy("send them in several requests"));
    }
    let (mut drafts, mut told, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let is_repeated = desk.repeated().is_some();
    let mut more = 0;
    for (index, job) in jobs.iter().enumerate() {
        match read_value(desk, job, is_repeated) {
            Ok(reading) => {
                let unknown = reading.unknown.iter().map(ToString::to_string);
                told.push(
                    unknown.chain(reading.warnings.iter().map(ToString::to_string)).collect(),
                );
                drafts.push(reading.draft);
            }
            Err(found) => {
                for problem in found {
                    if problems.len() == PROBLEMS_TOLD_MAX {
                        more += 1;
                        continue;
                    }
                    problems.push(Problem { field: place(index, &problem.field), ..problem });
                }
            }
        }
    }
    if problems.is_empty() {
        Ok((drafts, told))
    } else {
        Err(ApiError::problems_and_more(problems, more))
    }
}

fn place(index: usize, field: &str) -> String {
    if field.is_empty() { format!("jobs[{index}]") } else { format!("jobs[{index}].{field}") }
}

fn problem((index, rejection): (usize, Rejection)) -> Problem {
    let Rejection { code: _, message, field, position: _, remedy } = rejection;
    Problem { field: place(index, &field), message, remedy }
}

fn print((applied, told): (&Applied, &Vec<String>)) -> Value {
    let Applied { name, version, outcome, warnings, consequences } = applied;
    let JobVersion { incarnation, revision, disabled: _ } = *version;
    json!({
        "name": name.as_str(),
        "outcome": outcome.as_str(),
        "revision": text_of(RevisionId { incarnation, revision }),
        "warnings": told.iter().chain(warnings).collect::<Vec<_>>(),
        "consequences": consequences,
    })
}
