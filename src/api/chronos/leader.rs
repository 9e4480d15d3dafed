//! `P/leader`: who decides.

use axum::response::Response;
use serde_json::json;

use crate::api::{Desk, json_response};

/// `GET P/leader`. Where nobody leads the name is empty, as in Chronos.
pub(crate) async fn show(desk: Desk) -> Response {
    json_response(&json!({"leader": desk.leader().unwrap_or_default()}))
}
