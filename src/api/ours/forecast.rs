//! `P/forecast`: what will start in a stretch of time, and how crowded it gets.
//!
//! The jobs are copied from the read view; the calculation, which can take a second, holds nothing.

use axum::extract::RawQuery;
use axum::response::Response;

use crate::api::chronos::jobs;
use crate::api::error::ApiError;
use crate::api::query::{Query, invalid};
use crate::api::{Desk, json_response, print};
use crate::engine::forecast::Forecast;
use crate::model::{Duration, JobName, NameRule, Timestamp};

/// Starts that are listed when the client does not say.
const LISTED_DEFAULT: usize = 1_000;
/// Starts that are listed at most: about a megabyte of JSON.
const LISTED_MAX: usize = 10_000;
/// How far a forecast reaches when the client does not say.
const SPAN_DEFAULT: Duration = Duration::from_hours(24);
/// How far it reaches at most: a year. What is later will have changed by then.
const SPAN_MAX: Duration = Duration::from_hours(366 * 24);

/// `GET P/forecast?from=&to=&job=&limit=&per=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["from", "to", "job", "limit", "per"])?;
    let limit = query.within("limit", 1..=LISTED_MAX)?.unwrap_or(LISTED_DEFAULT);
    let is_by_hour = match query.get("per") {
        None | Some("minute") => false,
        Some("hour") => true,
        Some(other) => return Err(invalid("per", other, "`minute` or `hour`")),
    };
    let (from, to) = span(&query, || desk.almanac().now)?;
    let job = query.get("job").map(|text| known_job(&desk, text)).transpose()?;
    let plans = desk.plans(job.as_ref());
    let forecast = desk.foretell(move || Forecast::of(plans, from, to, limit)).await?;
    Ok(json_response(&print::forecast(from, to, &forecast, is_by_hour)))
}

fn span(query: &Query, now: impl Fn() -> Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let from = query.instant("from")?.unwrap_or_else(now);
    let reach = |span| from.saturating_add(span).unwrap_or(Timestamp::MAX);
    let to = query.instant("to")?.unwrap_or_else(|| reach(SPAN_DEFAULT));
    if to <= from || to > reach(SPAN_MAX) {
        let found = query.get("to").unwrap_or_default();
        let expected = format!(
            "an instant after `from`, which is {}, and within 366 days of it",
            print::instant(from)
        );
        return Err(invalid("to", found, &expected));
    }
    Ok((from, to))
}

fn known_job(desk: &Desk, text: &str) -> Result<JobName, ApiError> {
    let name = JobName::parse(text, NameRule::Blanks).ok();
    let name = name.filter(|name| desk.job(name).is_some());
    name.ok_or_else(|| jobs::unknown_job(text))
}
