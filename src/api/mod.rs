//! The REST API: Chronos' resources in both dialects, and ours beside them.
//!
//! ```text
//!   socket ─▶ edge (limits; peer, host, origin, caller; errors; log) ─▶ routes (rights) ─▶ chronos · ours
//!                                                                                             │
//!                                                                           desk (scope) ─▶ backend (port)
//! ```
//!
//! `P` is `/scheduler` for the dialect of Chronos 2 and `/v1/scheduler` for that of Chronos 3. Ours never lie under
//! `P/job/`, where they could be taken for a job's name.
//!
//! Decides nothing about jobs: it turns HTTP into [`crate::engine::Request`]s and answers into HTTP. It knows neither
//! store nor launcher; [`Backend`] is all it asks for.

mod access;
mod backend;
mod brief;
mod chronos;
mod conditions;
mod content;
pub mod credential;
mod describe;
mod desk;
mod edge;
mod error;
mod listener;
mod needle;
mod ours;
mod page;
mod print;
mod query;
mod revision;
mod routes;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use access::{Caller, Pattern, Role, Scope};
pub use backend::{
    AgentView, Alerting, Almanac, Backend, BacklogPage, BacklogWanted, ChannelView, Fate, Feed,
    HistoryFilter, HistoryPage, IncidentCounts, IncidentView, IncidentsPage, IncidentsWanted, Info,
    JobExplained, JobFilesView, JobHead, JobView, Lane, LanesWanted, LastOffer, LookedFor,
    NewestRuns, NotificationView, NotificationsPage, NotificationsWanted, Objection, Operations,
    Order, OverviewJob, OverviewPage, OverviewWanted, Pages, Pauses, Piece, RevisionId,
    RevisionView, RoundView, SandboxFile, Sandboxes, Stream, Timetable, Tried, Unavailable,
    ZoneInfo, standing, waiting_jobs,
};
pub use brief::{JobBrief, JobState, JobStatus};
pub use content::BodyLimits;
pub use edge::{Entrance, Limits, Options, Peers, Server, Tls, TlsError, TlsFiles, serve};

use crate::web::Site;
use desk::{Desk, Door};

/// All routes: those of the API, and the web page in front of it. Other routes may be merged into it before it is served.
///
/// Only [`serve`] makes the answers complete: it writes the bodies of errors and guards every path.
pub fn router(backend: Arc<dyn Backend>, site: Site) -> Router {
    let [v0, v1] = Door::both(&backend, site);
    Router::new()
        .merge(routes::router_of(true).with_state(v0.clone()))
        .nest("/scheduler", routes::router_of(false).with_state(v0))
        .nest("/v1/scheduler", routes::router_of(false).with_state(v1))
}

/// An answer of JSON in one line.
fn json_response(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], value.to_string()).into_response()
}
