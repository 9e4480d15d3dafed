//! Runs: the history as a list, and one run.
//!
//! Our own resources, so unknown ones are 404 and parameters that mean nothing are refused.

use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::backend::{HistoryFilter, HistoryPage, LookedFor};
use crate::api::edge::front::shown;
use crate::api::error::ApiError;
use crate::api::needle::Needle;
use crate::api::query::{self, Query};
use crate::api::{Desk, json_response, print};
use crate::model::{JobName, NameRule, Run, RunId, Trigger, Verdict};

/// Entries of a page when the client does not say.
const PAGE_DEFAULT: usize = 50;
/// Entries of a page at most: about a megabyte of JSON.
const PAGE_MAX: usize = 1_000;

/// What may be asked for.
const KNOWN: [&str; 11] =
    ["job", "verdict", "live", "before", "limit", "search", "from", "to", "agent", "exit", "why"];

/// `GET P/runs?job=&verdict=&live=&search=&from=&to=&agent=&exit=&why=&before=&limit=`: newest first.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &KNOWN)?;
    let (filter, looked_for) = (filter(&query)?, looked_for(&query)?);
    let before = query.number("before")?;
    let limit = query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let found = desk.search(filter, looked_for, before, limit).await.map_err(unreadable)?;
    let HistoryPage { entries, searched_to } = found;
    let runs: Value = entries.iter().map(print::entry).collect();
    Ok(json_response(&json!({
        "runs": runs,
        "next": searched_to.map(|(sequence, _)| sequence.to_string()),
        "searchedTo": searched_to.map(|(_, at)| print::instant(at)),
    })))
}

fn looked_for(query: &Query) -> Result<LookedFor, ApiError> {
    let (from, to) = (query.instant("from")?, query.instant("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        let found = query.get("to").unwrap_or_default();
        let expected = format!("an instant after `from`, which is {}", print::instant(from));
        return Err(query::invalid("to", found, &expected));
    }
    let why = query.get("why").map(|text| match Trigger::WORDS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(query::invalid("why", text, &format!("one of {}", Trigger::WORDS.join(", ")))),
    });
    Ok(LookedFor {
        words: query.get("search").map(Needle::words).unwrap_or_default(),
        from,
        to,
        agent: query.get("agent").map(str::to_owned),
        exit: query.number("exit")?,
        why: why.transpose()?,
    })
}

fn filter(query: &Query) -> Result<HistoryFilter, ApiError> {
    let job = query.get("job").map(|text| {
        JobName::parse(text, NameRule::Blanks)
            .map_err(|error| ApiError::invalid("job", error.to_string()))
    });
    let verdict = query.get("verdict").map(|text| {
        Verdict::parse(text).ok_or_else(|| {
            let words: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
            query::invalid("verdict", text, &format!("one of {}", words.join(", ")))
        })
    });
    Ok(HistoryFilter {
        job: job.transpose()?,
        verdict: verdict.transpose()?,
        live: query.flag("live")?,
        ..HistoryFilter::default()
    })
}

/// `GET P/run/{id}`.
pub(crate) async fn show(desk: Desk, RunPath(id): RunPath) -> Result<Response, ApiError> {
    Ok(json_response(&print::run(&find(&desk, id).await?)))
}

/// The run, or 404.
pub(crate) async fn find(desk: &Desk, id: RunId) -> Result<Run, ApiError> {
    let run = desk.run(id).await.map_err(unreadable)?;
    run.ok_or_else(|| unknown_run(&id.to_string()))
}

/// The answer where the history cannot be read.
pub(super) fn unreadable(detail: String) -> ApiError {
    ApiError::internal("the history cannot be read; the log says why", detail)
}

pub(super) fn unknown_run(id: &str) -> ApiError {
    ApiError::not_found("unknown_run", format!("run `{}` not found", shown(id)))
        .remedy("`runs` lists the runs that are kept")
}

/// A run's id in a path. What is no id names no run.
pub(crate) struct RunPath(pub(crate) RunId);

impl<S: Send + Sync> FromRequestParts<S> for RunPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown_run(parts.uri.path()))?;
        RunId::parse(&text).map(Self).ok_or_else(|| unknown_run(&text))
    }
}
