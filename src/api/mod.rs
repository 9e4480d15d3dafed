//! The REST API: Chronos' resources in both dialects, and ours beside them.
//!
//! ```text
//!   socket ─▶ server (limits) ─▶ front (peer, host, origin; errors; log) ─▶ jobs · preview · forecast · runs · output · info
//!                                                                                    │
//!                                                                              backend (port)
//! ```
//!
//! `P` is `/scheduler` for the dialect of Chronos 2 and `/v1/scheduler` for that of Chronos 3. Ours never lie under
//! `P/job/`, where they could be taken for a job's name.
//!
//! Decides nothing about jobs: it turns HTTP into [`crate::engine::Request`]s and answers into HTTP. It knows neither
//! store nor launcher; [`Backend`] is all it asks for.

mod backend;
mod content;
mod error;
mod forecast;
mod front;
mod health;
mod info;
mod jobs;
mod output;
mod peer;
mod preview;
mod print;
mod query;
mod range;
mod round;
mod runs;
mod security;
mod server;
mod stall;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::Value;
use tokio::sync::Semaphore;

pub use backend::{
    Almanac, Backend, HistoryFilter, Info, JobView, Piece, RoundView, Stream, Unavailable, ZoneInfo,
};
pub use peer::Peers;
pub use server::{Limits, Options, Server, serve};

use crate::model::Dialect;
use error::ApiError;

/// One prefix and what is behind it.
#[derive(Clone)]
struct Door {
    backend: Arc<dyn Backend>,
    dialect: Dialect,
    calculations: Arc<Semaphore>,
}

/// Calculations that go on at one time; others wait. A long one takes a core for a second, and the loop needs another.
const CALCULATIONS_MAX: usize = 2;

impl Door {
    /// Calculates on a thread that may take its time.
    async fn calculate<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let failed = |error: &dyn std::error::Error| {
            ApiError::internal("the request could not be calculated", error.to_string())
        };
        let permit = Arc::clone(&self.calculations).acquire_owned().await;
        let permit = permit.map_err(|error| failed(&error))?;
        // The thread has the permit: it goes on when the client has gone.
        let work = move || {
            let found = work();
            drop(permit);
            found
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}

/// All routes of the API. Other routes may be merged into it before it is served.
///
/// Only [`serve`] makes the answers complete: it writes the bodies of errors and guards every path.
pub fn router(backend: Arc<dyn Backend>) -> Router {
    let calculations = Arc::new(Semaphore::new(CALCULATIONS_MAX));
    let prefix = |dialect| {
        let (backend, calculations) = (Arc::clone(&backend), Arc::clone(&calculations));
        resources(Door { backend, dialect, calculations })
    };
    Router::new()
        .route("/ping", get(health::ping))
        .nest("/scheduler", prefix(Dialect::V0))
        .nest("/v1/scheduler", prefix(Dialect::V1))
}

fn resources(door: Door) -> Router {
    Router::new()
        .route("/iso8601", post(jobs::put_scheduled).put(jobs::put_scheduled))
        .route("/cron", post(jobs::put_cron).put(jobs::put_cron))
        .route("/dependency", post(jobs::put_dependent).put(jobs::put_dependent))
        .route("/jobs", get(jobs::list))
        .route("/job/{name}", get(jobs::show).put(jobs::run).delete(jobs::delete))
        .route("/task/kill/{name}", delete(jobs::kill))
        .route("/preview", get(preview::show).post(preview::try_out))
        .route("/forecast", get(forecast::show))
        .route("/round/{name}", get(round::show))
        .route("/runs", get(runs::list))
        .route("/run/{id}", get(runs::show))
        .route("/run/{id}/stdout", get(output::stdout))
        .route("/run/{id}/stderr", get(output::stderr))
        .route("/info", get(info::show))
        .with_state(door)
}

/// An answer of JSON in one line.
fn json_response(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], value.to_string()).into_response()
}
