//! `P/info`: what this process is and how it fares.

use axum::extract::State;
use axum::response::Response;

use super::{Door, json_response, print};

/// `GET P/info`.
pub(crate) async fn show(State(door): State<Door>) -> Response {
    json_response(&print::info(&door.backend.info()))
}
