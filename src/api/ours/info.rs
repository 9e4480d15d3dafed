//! `P/info`: what this process is and how it fares.

use axum::response::Response;

use crate::api::{Desk, json_response, print};

/// `GET P/info`.
pub(crate) async fn show(desk: Desk) -> Response {
    json_response(&print::info(&desk.info()))
}
