//! `P/jobs/search`: jobs by a part of their name or command, as Chronos finds them.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::Value;

use super::array_in_parts;
use super::jobs::print;
use crate::api::Desk;
use crate::api::error::ApiError;
use crate::api::needle::Needle;
use crate::api::query::{self, Query};
use crate::model::Job;

const LIMIT_DEFAULT: i64 = 10;

/// `GET P/jobs/search?name=&command=&any=&limit=&offset=`: in the order of creation.
pub(crate) async fn search(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse(query.as_deref())?;
    let wanted = Wanted::of(&query);
    let limit = number(&query, "limit")?.unwrap_or(LIMIT_DEFAULT);
    let offset = number(&query, "offset")?.unwrap_or(0);
    // A slice from `offset` to `offset + limit`, as Chronos cuts it, also where one of them is negative.
    let mut until = usize::try_from(offset.saturating_add(limit)).unwrap_or(0);
    let mut skipped = usize::try_from(offset).unwrap_or(0);
    let mut pages = desk.briefs();
    let mut lower = String::new();
    Ok(array_in_parts(move || {
        if until == 0 {
            return None;
        }
        let mut part = String::new();
        let page = pages.next()?;
        for brief in page.iter().filter(|brief| wanted.covers(&brief.job, &mut lower)).take(until) {
            until -= 1;
            if skipped > 0 {
                skipped -= 1;
                continue;
            }
            // Whoever has been deleted since is left out.
            let view = desk.job(&brief.job.name);
            let view = view.filter(|view| view.record.incarnation == brief.incarnation);
            if let Some(view) = view {
                part.push(',');
                part.push_str(&Value::Object(print(&view, desk.dialect)).to_string());
            }
        }
        Some(part)
    }))
}

/// What is looked for.
struct Wanted {
    name: Option<Needle>,
    command: Option<Needle>,
    any: Option<Needle>,
}

impl Wanted {
    fn of(query: &Query) -> Self {
        let needle = |name| query.get(name).and_then(Needle::of);
        Self { name: needle("name"), command: needle("command"), any: needle("any") }
    }

    /// `any` only rescues what the other two refuse, so alone it refuses nothing.
    fn covers(&self, job: &Job, lower: &mut String) -> bool {
        let (name, command) = (job.name.as_str(), job.command.as_str());
        let mut has = |needle: &Option<Needle>, text: &str, otherwise| match needle {
            Some(needle) => needle.is_in(text, lower),
            None => otherwise,
        };
        has(&self.name, name, true) && has(&self.command, command, true)
            || has(&self.any, name, false)
            || has(&self.any, command, false)
    }
}

/// A whole number; nothing and blanks are none. What is no number makes the path one that does not exist, as in Chronos.
fn number(query: &Query, name: &str) -> Result<Option<i64>, ApiError> {
    let text = query.get(name).map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| text.parse::<i64>().map_err(|_| query::no_number(name, text))).transpose()
}
