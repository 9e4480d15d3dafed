//! `P/apply`: several jobs at once, all or none; for a source, also what it does not have any more.

use std::collections::BTreeMap;

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::plan;
use crate::api::chronos::jobs::{parse_name, read_value, unexpected};
use crate::api::edge::front::Exchange;
use crate::api::error::{ApiError, PROBLEMS_TOLD_MAX};
use crate::api::query::Query;
use crate::api::revision::{Wanted, text_of};
use crate::api::{Desk, RevisionId, json_response};
use crate::engine::{
    Applied, ApplyTerms, Expected, Rejection, RejectionCode, Reply, Request, SourceTerms,
};
use crate::jobspec::{self, Problem};
use crate::model::limits::{APPLY_MAX, PLACE_BYTES_MAX};
use crate::model::{Dialect, JobDraft, JobName, JobVersion, SourceName};

/// Days that a plan tells of when the client does not say, and at most.
const DAYS_DEFAULT: usize = 7;
const DAYS_MAX: usize = 31;

/// `POST P/apply?dryRun=&days=`: `{"jobs": [...]}`, each as `P/iso8601` or `P/dependency` takes it; with `source` each as
/// job files have it.
pub(crate) async fn apply(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["dryRun", "days"])?;
    let is_dry = query.dry_run()?;
    let days = query.within("days", 0..=DAYS_MAX)?.unwrap_or(DAYS_DEFAULT);
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let reader = desk.clone();
    let Asked { drafts, told, terms } =
        desk.read_body(body.len(), move || read(&reader, &body)).await??;
    // A file says all there is in the words of the old door.
    let dialect = if terms.source.is_some() { Dialect::V0 } else { desk.dialect };
    let removed = terms.source.as_ref().map(|source| source.removed.clone()).unwrap_or_default();
    let count = drafts.len();
    let request = Request::Apply { drafts, dialect, terms };
    let request = if is_dry { Request::DryRun(Box::new(request)) } else { request };
    match desk.submit(request).await? {
        Reply::Applied { jobs } => {
            let plans = if is_dry {
                let (almanac, jobs) = (desk.almanac(), jobs.clone());
                Some(desk.foretell(move || plan::of(&jobs, days, dialect, &almanac)).await?)
            } else {
                None
            };
            let told = told.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
            let mut printed: Vec<Value> =
                jobs.iter().zip(told).map(|(job, told)| print(job, told)).collect();
            for (job, plan) in printed.iter_mut().zip(plans.into_iter().flatten()) {
                job["plan"] = plan;
            }
            let answer = json_response(&json!({"dryRun": is_dry, "jobs": printed}));
            Ok((StatusCode::OK, answer).into_response())
        }
        Reply::ApplyRefused(refused) => Err(refusal(refused, count, &removed)),
        Reply::Refused(rejection) => Err(ApiError::rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// What a body asks for.
struct Asked {
    drafts: Vec<JobDraft>,
    /// What is to be told of each.
    told: Vec<Vec<String>>,
    terms: ApplyTerms,
}

/// The jobs as asked for, or every problem of all of them.
fn read(desk: &Desk, body: &[u8]) -> Result<Asked, ApiError> {
    let value = jobspec::parse_json(body).map_err(|problem| ApiError::problems(vec![problem]))?;
    let terms = read_terms(desk, &value)?;
    let Some(Value::Array(jobs)) = value.get("jobs") else {
        return Err(ApiError::invalid("jobs", "`jobs` is missing, or no list")
            .remedy("send `{\"jobs\": [...]}`, each as `iso8601` or `dependency` takes it"));
    };
    let others = terms.source.as_ref().map_or(0, |it| it.removed.len() + it.gone.len());
    if jobs.len() + others > APPLY_MAX {
        let count = jobs.len() + others;
        let message = format!("`jobs` has {count} items; at most {APPLY_MAX} are allowed");
        return Err(ApiError::invalid("jobs", message).remedy("send them in several requests"));
    }
    let (mut drafts, mut told, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let is_repeated = desk.repeated().is_some();
    let is_of_source = terms.source.is_some();
    let mut more = 0;
    for (index, job) in jobs.iter().enumerate() {
        match read_value(desk, job, is_repeated, is_of_source) {
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
        Ok(Asked { drafts, told, terms })
    } else {
        Err(ApiError::problems_and_more(problems, more))
    }
}

/// For whom the jobs are stored, and what the client believes of them.
fn read_terms(desk: &Desk, body: &Value) -> Result<ApplyTerms, ApiError> {
    const OF_SOURCES: [&str; 4] = ["takeOver", "places", "remove", "gone"];
    let given = |field: &str| body.get(field).filter(|value| !value.is_null());
    let Some(source) = given("source") else {
        if let Some(field) = OF_SOURCES.into_iter().find(|field| given(field).is_some()) {
            let message = format!("`{field}` has no place without a `source`");
            return Err(
                ApiError::invalid(field, message).remedy("name the source, or leave it out")
            );
        }
        return Ok(ApplyTerms { source: None, expected: expected(given("expected"))? });
    };
    let wrong = |why: &str| {
        ApiError::invalid("source", format!("`source` names no source: {why}"))
            .remedy("give a name of letters, digits, `_`, `.` and `-`")
    };
    let text = source.as_str().ok_or_else(|| wrong("it is no text"))?;
    let name = SourceName::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let takes_over = match given("takeOver") {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            return Err(ApiError::invalid("takeOver", "`takeOver` is neither true nor false"));
        }
    };
    let mut places = BTreeMap::new();
    for (job, place) in object("places", given("places"))?.into_iter().flatten() {
        let wrong = |why: &str| ApiError::invalid("places", format!("`places.{job}` {why}"));
        let place = place.as_str().ok_or_else(|| wrong("is no text"))?;
        if place.len() > PLACE_BYTES_MAX || place.chars().any(char::is_control) {
            return Err(wrong("is no path"));
        }
        places.insert(parse_name(job)?, place.to_owned());
    }
    let names = |field: &'static str| match given(field) {
        None => Ok(Vec::new()),
        Some(Value::Array(names)) => {
            let name = |name: &Value| parse_name(name.as_str().unwrap_or_default());
            names.iter().map(name).collect()
        }
        Some(_) => Err(ApiError::invalid(field, format!("`{field}` is no list"))
            .remedy("give a list of names of jobs")),
    };
    // What the caller may not see is not there, and so is nothing that its source has lost.
    let mut gone: Vec<JobName> = names("gone")?;
    gone.retain(|name| desk.in_scope(name).is_some());
    Ok(ApplyTerms {
        source: Some(SourceTerms { name, places, removed: names("remove")?, gone, takes_over }),
        expected: expected(given("expected"))?,
    })
}

fn object<'v>(
    field: &str,
    value: Option<&'v Value>,
) -> Result<Option<&'v Map<String, Value>>, ApiError> {
    match value {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(ApiError::invalid(field, format!("`{field}` is no object"))
            .remedy("give an object with the names of jobs as keys")),
    }
}

/// What the client believes: the revision of a job, or `null` where there is none.
fn expected(value: Option<&Value>) -> Result<BTreeMap<JobName, Expected>, ApiError> {
    let mut found = BTreeMap::new();
    for (job, revision) in object("expected", value)?.into_iter().flatten() {
        let expected = match revision {
            Value::Null => Expected::Absent,
            revision => {
                let wanted = revision.as_str().and_then(Wanted::parse);
                let id = wanted.and_then(|it| it.incarnation.map(|life| (life, it.revision)));
                let Some((incarnation, revision)) = id else {
                    let message = format!("`expected.{job}` is no revision");
                    return Err(ApiError::invalid("expected", message)
                        .remedy("give the whole name of a revision such as `1.3`, or null"));
                };
                let version = JobVersion { incarnation, revision, disabled: false };
                // Chronode itself may have disabled it since.
                Expected::OneOf(
                    [false, true].map(|disabled| JobVersion { disabled, ..version }).to_vec(),
                )
            }
        };
        found.insert(parse_name(job)?, expected);
    }
    Ok(found)
}

fn place(index: usize, field: &str) -> String {
    if field.is_empty() { format!("jobs[{index}]") } else { format!("jobs[{index}].{field}") }
}

/// Why nothing was done. `count` jobs were given, and behind them those that were to be `removed`.
fn refusal(refused: Vec<(usize, Rejection)>, count: usize, removed: &[JobName]) -> ApiError {
    // One that calls for another answer than the others: what they say is said again when the jobs are sent again.
    let decides = [RejectionCode::Changed, RejectionCode::OwnedElsewhere];
    let decisive = decides.into_iter().find_map(|code| {
        let at = refused.iter().position(|(_, rejection)| rejection.code == code)?;
        Some((at, refused[at].1.clone()))
    });
    let problem = |(index, rejection): (usize, Rejection)| {
        let Rejection { code: _, message, field, position: _, remedy } = rejection;
        let field = match index.checked_sub(count) {
            None => place(index, &field),
            Some(index) if index < removed.len() => format!("remove[{index}]"),
            Some(index) => format!("gone[{}]", index - removed.len()),
        };
        Problem { field, message, remedy }
    };
    let problems: Vec<Problem> = refused.into_iter().map(problem).collect();
    match decisive {
        None => ApiError::problems(problems),
        Some((at, rejection)) => {
            let place = problems[at].field.clone();
            ApiError::rejected(rejection).field(place).with_problems(problems)
        }
    }
}

fn print(applied: &Applied, told: &[String]) -> Value {
    // What it was is told in a plan.
    let Applied { name, version, outcome, warnings, consequences, origin: _, difference: _ } =
        applied;
    let JobVersion { incarnation, revision, disabled: _ } = *version;
    json!({
        "name": name.as_str(),
        "outcome": outcome.as_str(),
        "revision": text_of(RevisionId { incarnation, revision }),
        "warnings": told.iter().chain(warnings).collect::<Vec<_>>(),
        "consequences": consequences,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::name;

    #[test]
    fn what_a_client_believes_is_a_whole_revision_or_nothing() {
        let body = json!({"a": "1.3", "b": null});
        let found = expected(Some(&body)).unwrap();
        assert_eq!(found[&name("b")], Expected::Absent);
        assert!(matches!(&found[&name("a")], Expected::OneOf(versions) if versions.len() == 2));
        for wrong in
            [json!({"a": 3}), json!({"a": "3"}), json!({"a": ""}), json!([]), json!({"": null})]
        {
            assert!(expected(Some(&wrong)).is_err(), "{wrong}");
        }
    }
}
