//! `P/audit`: who did what, newest first.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::json;

use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response};
use crate::audit::Filter;

/// Records of a page when the client does not say.
const PAGE_DEFAULT: usize = 50;
/// Records of a page at most.
const PAGE_MAX: usize = 1_000;

/// `GET P/audit?job=&caller=&before=&limit=`.
pub(crate) async fn list(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["job", "caller", "before", "limit"])?;
    let text = |name: &str| query.get(name).map(ToOwned::to_owned);
    let filter = Filter { job: text("job"), caller: text("caller") };
    let before = query.number("before")?;
    let limit = query.within("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let page = desk.audit(filter, before, limit).await?;
    let next = page.next.map(|next| next.to_string());
    Ok(json_response(&json!({"records": page.records, "next": next})))
}
