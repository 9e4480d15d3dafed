//! `P/me`: who asks, and what they may.

use axum::response::Response;
use serde_json::{Value, json};

use crate::api::access::Scope;
use crate::api::{Desk, json_response};

/// `GET P/me`.
pub(crate) async fn show(desk: Desk) -> Response {
    let scope = match &desk.caller.scope {
        Scope::All => Value::Null,
        Scope::Only(patterns) => patterns.iter().map(ToString::to_string).collect(),
    };
    json_response(&json!({
        "name": &*desk.caller.name,
        "role": desk.caller.role.as_str(),
        "scope": scope,
        "credentials": desk.needs_credentials(),
    }))
}
