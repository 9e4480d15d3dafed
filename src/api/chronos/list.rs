//! `P/jobs`: all jobs, or some of them, page by page.
//!
//! Without parameters the answer is Chronos'; the parameters are ours. As on all of Chronos' paths, parameters that
//! nobody knows are ignored, but one of ours that cannot be read is refused: a filter that filters nothing misleads.

use axum::extract::RawQuery;
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::array_in_parts;
use super::jobs::print;
use crate::api::backend::JobView;
use crate::api::desk::Page;
use crate::api::error::ApiError;
use crate::api::query::{self, Query};
use crate::api::{Desk, json_response};
use crate::jobspec;
use crate::model::{JobName, NameRule};

/// How many jobs are printed into one part of the list: the whole of it need not be in memory at once.
const JOBS_PER_PART: usize = 256;
/// Jobs of a page at most: about a megabyte of JSON.
const PAGE_MAX: usize = 1_000;

/// `GET P/jobs?limit=&after=&fields=&state=&owner=`: by name.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let wanted = Wanted::of(&Query::parse(query.as_deref())?)?;
    match wanted.limit {
        Some(limit) => Ok(page(&desk, &wanted, limit).await),
        None => Ok(all(desk, wanted)),
    }
}

/// What of the jobs is wanted.
struct Wanted {
    limit: Option<usize>,
    after: Option<JobName>,
    /// Only these fields; all if it is `None`.
    fields: Option<Vec<String>>,
    state: Option<String>,
    owner: Option<String>,
}

impl Wanted {
    fn of(query: &Query) -> Result<Self, ApiError> {
        let after = query.get("after").map(|text| {
            JobName::parse(text, NameRule::Blanks)
                .map_err(|error| ApiError::invalid("after", format!("invalid `after`: {error}")))
        });
        Ok(Self {
            limit: query.within("limit", 1..=PAGE_MAX)?,
            after: after.transpose()?,
            fields: query.get("fields").map(fields).transpose()?,
            state: query.get("state").map(state).transpose()?,
            owner: query.get("owner").map(str::to_owned),
        })
    }

    fn covers(&self, view: &JobView) -> bool {
        let mut owners = view.record.job.owner.split(',').map(str::trim);
        self.state.as_ref().is_none_or(|state| view.state.word() == state)
            && self.owner.as_ref().is_none_or(|owner| owners.any(|found| found == owner))
    }

    fn print(&self, desk: &Desk, view: &JobView) -> Value {
        let mut printed = print(view, desk.dialect);
        jobspec::mirror(&mut printed, desk.dialect);
        if let Some(fields) = &self.fields {
            printed.retain(|key, _| fields.iter().any(|field| field == key));
        }
        Value::Object(printed)
    }
}

fn fields(text: &str) -> Result<Vec<String>, ApiError> {
    let names = text.split(',').map(str::trim);
    names
        .map(|name| match jobspec::check_field(name) {
            Ok(()) => Ok(name.to_owned()),
            Err(remedy) => {
                let expected = "names of a job's fields, as `name,schedule`";
                Err(query::invalid("fields", name, expected).remedy(remedy))
            }
        })
        .collect()
}

fn state(text: &str) -> Result<String, ApiError> {
    match text {
        "idle" | "queued" | "running" => Ok(text.to_owned()),
        other => Err(query::invalid("state", other, "`idle`, `queued` or `running`")),
    }
}

/// All that is wanted. A job that is there all the while is in it once, whatever changes meanwhile.
fn all(desk: Desk, wanted: Wanted) -> Response {
    let mut after = wanted.after.clone();
    array_in_parts(move || {
        let Page { items, next } = desk.jobs_after(after.as_ref(), JOBS_PER_PART);
        after = Some(next?);
        let mut part = String::new();
        for view in items.iter().filter(|view| wanted.covers(view)) {
            part.push(',');
            part.push_str(&wanted.print(&desk, view).to_string());
        }
        Some(part)
    })
}

/// The first `limit` of what is wanted, and a link to the rest if there is one.
async fn page(desk: &Desk, wanted: &Wanted, limit: usize) -> Response {
    let mut found: Vec<JobView> = Vec::new();
    let mut after = wanted.after.clone();
    // One more than asked for tells whether there is another page.
    while found.len() <= limit {
        let Page { items, next } = desk.jobs_after(after.as_ref(), JOBS_PER_PART);
        let Some(next) = next else { break };
        after = Some(next);
        found.extend(items.into_iter().filter(|view| wanted.covers(view)));
        // What nobody wants may be many: between two looks it is the turn of others.
        tokio::task::yield_now().await;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let list: Value = found.iter().map(|view| wanted.print(desk, view)).collect();
    let mut response = json_response(&list);
    if let Some(last) = found.last().filter(|_| more) {
        let link = link(wanted, limit, &last.record.job.name);
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// The next page. Relative, because only the client knows by which address it came.
fn link(wanted: &Wanted, limit: usize, after: &JobName) -> HeaderValue {
    let fields = wanted.fields.as_ref().map(|fields| fields.join(","));
    let limit = Some(limit.to_string());
    let after = Some(after.as_str().to_owned());
    let parameters = [
        ("limit", &limit),
        ("fields", &fields),
        ("state", &wanted.state),
        ("owner", &wanted.owner),
        ("after", &after),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| {
        let value = utf8_percent_encode(value.as_ref()?, NON_ALPHANUMERIC);
        Some(format!("{name}={value}"))
    });
    let query = given.collect::<Vec<_>>().join("&");
    HeaderValue::try_from(format!("<?{query}>; rel=\"next\"")).expect("percent-encoded is ASCII")
}
