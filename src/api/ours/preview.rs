//! `P/preview`: what a schedule will do, before anybody stores it.
//!
//! A schedule comes as parameters, as a job that is stored, or as the whole body of a job that is not. Nothing is
//! stored, locked or asked of the loop.

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use crate::api::backend::Almanac;
use crate::api::chronos::jobs;
use crate::api::edge::front::Exchange;
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response};
use crate::jobspec::{
    PREVIEW_COUNT_DEFAULT, PREVIEW_COUNT_MAX, Reading, TypedTerms, print_preview,
};
use crate::model::{JobName, NameRule, ScheduleTerms, Timestamp, When};
use crate::schedule::{Schedule, ScheduleError};

/// Parameters that make up a schedule.
const TERMS: [&str; 8] =
    ["schedule", "zone", "name", "jitter", "notBefore", "notAfter", "dstGap", "dstFold"];

/// What is previewed.
struct Subject {
    name: String,
    terms: ScheduleTerms,
    accepted_at: Timestamp,
    /// Sentences about the job beside its schedule.
    warnings: Vec<String>,
}

/// Which part of it is wanted.
struct Wanted {
    from: Timestamp,
    count: usize,
}

impl Wanted {
    fn read(query: &Query, now: Timestamp) -> Result<Self, ApiError> {
        let count = query.within("count", 1..=PREVIEW_COUNT_MAX)?;
        let from = query.instant("from")?.unwrap_or(now);
        Ok(Self { from, count: count.unwrap_or(PREVIEW_COUNT_DEFAULT) })
    }
}

/// `GET P/preview?schedule=&zone=&count=&from=…` or `?job=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let known = [&["job", "count", "from"], TERMS.as_slice()].concat();
    let query = Query::parse_known(query.as_deref(), &known)?;
    let almanac = desk.almanac();
    let wanted = Wanted::read(&query, almanac.now)?;
    let subject = match query.get("job") {
        Some(name) => stored(&desk, &query, name)?,
        None => typed(&query, &almanac)?,
    };
    answer(&desk, subject, wanted, almanac, |error| {
        let field = if error.field == "scheduleTimeZone" { "zone".into() } else { error.field };
        ApiError::schedule(&ScheduleError { field, ..error })
    })
    .await
}

/// A schedule of which every part is a parameter.
fn typed(query: &Query, almanac: &Almanac) -> Result<Subject, ApiError> {
    let get = |name| query.get(name).unwrap_or_default();
    if query.get("schedule").is_none() {
        return Err(ApiError::invalid("schedule", "`schedule` is missing")
            .remedy("give a schedule such as `30 2 * * *`, or the name of a stored job as `job`"));
    }
    let typed = TypedTerms {
        schedule: get("schedule"),
        zone: get("zone"),
        jitter: get("jitter"),
        not_before: get("notBefore"),
        not_after: get("notAfter"),
        dst_gap: get("dstGap"),
        dst_fold: get("dstFold"),
    };
    Ok(Subject {
        name: get("name").to_owned(),
        terms: typed.read().map_err(|error| ApiError::schedule(&error))?,
        accepted_at: almanac.now,
        warnings: Vec::new(),
    })
}

/// A job as it is stored.
fn stored(desk: &Desk, query: &Query, name: &str) -> Result<Subject, ApiError> {
    if let Some(other) = TERMS.into_iter().find(|other| query.get(other).is_some()) {
        let message = format!("`{other}` has no place beside `job`, which has a schedule already");
        return Err(ApiError::invalid(other, message).remedy("leave one of them out"));
    }
    let view = JobName::parse(name, NameRule::Blanks).ok().and_then(|name| desk.job(&name));
    let record = view.ok_or_else(|| jobs::unknown_job(name))?.record;
    let warnings = record.job.disabled.then(|| {
        "the job is disabled: until it is enabled it does not run by its schedule".to_owned()
    });
    Ok(Subject {
        name: record.job.name.to_string(),
        terms: scheduled(&record.job.when, "job")?,
        accepted_at: record.accepted_at,
        warnings: warnings.into_iter().collect(),
    })
}

/// `POST P/preview?count=&from=`: the body of a job, as `P/iso8601` takes it.
pub(crate) async fn try_out(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let body = desk.read_json(&headers, body, exchange.body_limits).await?;
    let query = Query::parse_known(query.as_deref(), &["count", "from"])?;
    let almanac = desk.almanac();
    let wanted = Wanted::read(&query, almanac.now)?;
    let Reading { draft, unknown, warnings } = jobs::read(&desk, &body).await?;
    let mut sentences: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    sentences.extend(warnings.iter().map(ToString::to_string));
    let subject = Subject {
        name: draft.name.to_string(),
        terms: scheduled(&draft.when, "parents")?,
        accepted_at: almanac.now,
        warnings: sentences,
    };
    answer(&desk, subject, wanted, almanac, |error| ApiError::schedule(&error)).await
}

fn scheduled(when: &When, field: &str) -> Result<ScheduleTerms, ApiError> {
    match when {
        When::Schedule(terms) => Ok(terms.clone()),
        When::Parents(_) => {
            Err(ApiError::invalid(field, "the job runs after its `parents`, so nobody knows when")
                .remedy("preview its parents, or give it a `schedule` instead of `parents`"))
        }
    }
}

async fn answer(
    desk: &Desk,
    subject: Subject,
    wanted: Wanted,
    almanac: Almanac,
    refused: impl Fn(ScheduleError) -> ApiError,
) -> Result<Response, ApiError> {
    desk.foretell(move || preview(subject, &wanted, &almanac))
        .await?
        .map(|found| json_response(&found))
        .map_err(refused)
}

fn preview(subject: Subject, wanted: &Wanted, almanac: &Almanac) -> Result<Value, ScheduleError> {
    let Subject { name, terms, accepted_at, mut warnings } = subject;
    let schedule = Schedule::of(&name, &terms, accepted_at, &almanac.zones)?;
    let mut preview = schedule.preview(wanted.from, wanted.count);
    warnings.append(&mut preview.warnings);
    preview.warnings = warnings;
    Ok(print_preview(&terms, &schedule, &preview))
}
