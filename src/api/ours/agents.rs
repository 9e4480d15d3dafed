//! `P/agents`: where commands run, and what is left there.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::backend::AgentView;
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::api::{Desk, json_response};
use crate::model::{Resources, Scalar};

/// `GET P/agents`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let agents = desk.agents().await?;
    let info = desk.info();
    Ok(json_response(&json!({
        "agents": agents.iter().map(print).collect::<Value>(),
        "launcher": info.launcher,
        "problem": info.launcher_problem,
        "leader": desk.leader(),
    })))
}

fn print(view: &AgentView) -> Value {
    let AgentView { agent, hostname, problem, total, is_limited, used, attributes, runs } = view;
    let share = |of: fn(&Resources) -> Scalar| json!({"total": total.as_ref().map(|total| of(total).units()), "used": of(used).units()});
    json!({
        "name": agent.as_str(),
        "hostname": hostname,
        "problem": problem,
        "limited": is_limited,
        "cpus": share(|of| of.cpus),
        "mem": share(|of| of.mem),
        "disk": share(|of| of.disk),
        "attributes": attributes,
        "runs": runs,
    })
}
