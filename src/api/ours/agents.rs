//! `P/agents` and `P/shortfall`: where commands run, what is left there, and what is missing.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::backend::{AgentView, Fate, LastOffer};
use crate::api::error::ApiError;
use crate::api::needle::Needle;
use crate::api::print::instant;
use crate::api::query::Query;
use crate::api::{Desk, json_response};
use crate::engine::{Short, Shortfall};
use crate::model::{Attribute, AttributeValue, Constraint, JobName, Resources, Scalar};

/// Agents of a page when the client does not say.
const PAGE_DEFAULT: usize = 200;
/// Agents of a page at most.
const PAGE_MAX: usize = 1_000;

/// `GET P/agents?search=&offset=&limit=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["search", "offset", "limit"])?;
    let limit = query.within("limit", 0..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let offset: usize = query.number("offset")?.unwrap_or(0);
    let words = query.get("search").map(Needle::words).unwrap_or_default();
    let mut agents = desk.agents().await?;
    let mut lower = String::new();
    agents.retain(|view| words.iter().all(|word| is_about(view, word, &mut lower)));
    let info = desk.info();
    Ok(json_response(&json!({
        "total": agents.len(),
        "agents": agents.iter().skip(offset).take(limit).map(print).collect::<Value>(),
        "launcher": info.launcher,
        "problem": info.launcher_problem,
        "framework": info.framework,
        "master": info.master,
        "roles": info.roles,
        "leader": desk.leader(),
    })))
}

/// Whether a word is in a name of the agent or in an attribute of it.
fn is_about(view: &AgentView, word: &Needle, lower: &mut String) -> bool {
    let mut is_in = |text: &str| word.is_in(text, lower);
    is_in(view.agent.as_str())
        || view.hostname.as_deref().is_some_and(&mut is_in)
        || view.attributes.iter().any(|Attribute { name, value }| {
            is_in(name)
                || match value {
                    AttributeValue::Text(text) => is_in(text),
                    AttributeValue::Set(items) => items.iter().any(|item| is_in(item)),
                    AttributeValue::Scalar(_) | AttributeValue::Ranges => false,
                }
        })
}

fn print(view: &AgentView) -> Value {
    let AgentView {
        agent,
        hostname,
        problem,
        total,
        is_limited,
        used,
        attributes,
        runs,
        offer,
        unavailable_from,
    } = view;
    let share = |of: fn(&Resources) -> Scalar| json!({"total": total.as_ref().map(|total| of(total).units()), "used": of(used).units()});
    json!({
        "name": agent.as_str(),
        "hostname": hostname,
        "problem": problem,
        "limited": is_limited,
        "cpus": share(|of| of.cpus),
        "mem": share(|of| of.mem),
        "disk": share(|of| of.disk),
        "ports": {"total": total.as_ref().map(|total| total.ports), "used": used.ports},
        "attributes": attributes.iter().map(attribute).collect::<Value>(),
        "runs": runs,
        "offer": offer.as_ref().map(last_offer),
        "unavailableFrom": unavailable_from.map(instant),
    })
}

fn attribute(attribute: &Attribute) -> Value {
    let Attribute { name, value } = attribute;
    let (kind, value) = match value {
        AttributeValue::Text(text) => ("text", json!(text)),
        AttributeValue::Scalar(scalar) => ("scalar", json!(scalar.units())),
        AttributeValue::Set(items) => ("set", json!(items)),
        AttributeValue::Ranges => ("ranges", Value::Null),
    };
    json!({"name": name, "kind": kind, "value": value})
}

fn last_offer(last: &LastOffer) -> Value {
    let LastOffer { role, offered, left, at, fate } = last;
    let (runs, first) = match fate {
        Fate::Open | Fate::NotWanted => (0, None),
        Fate::Used { runs } => (*runs, None),
        Fate::NothingFits { first } => (0, first.as_ref()),
    };
    json!({
        "role": role,
        "offered": resources(offered),
        "left": resources(left),
        "at": at.map(instant),
        "fate": fate.as_str(),
        "runs": runs,
        "job": first.map(|(job, _, _)| job.as_str()),
        "run": first.map(|(_, run, _)| run.to_string()),
        "reason": first.map(|(_, _, reason)| reason.as_str()),
    })
}

fn resources(resources: &Resources) -> Value {
    let Resources { cpus, mem, disk, ports } = resources;
    json!({"cpus": cpus.units(), "mem": mem.units(), "disk": disk.units(), "ports": ports})
}

/// `GET P/shortfall`.
pub(crate) async fn shortfall(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    Query::parse_known(query.as_deref(), &[])?;
    let found = desk.shortfall().await?;
    let Shortfall { agents, waiting, runs, missing, wants } = &found;
    Ok(json_response(&json!({
        "agents": agents,
        "waiting": waiting,
        "runs": runs,
        "missing": resources(missing),
        "wants": wants.iter().map(short).collect::<Value>(),
        "problem": desk.info().launcher_problem,
    })))
}

fn short(short: &Short) -> Value {
    let Short { resources: wanted, constraints, runs, jobs, unmet, largest, lacking, text } = short;
    json!({
        "resources": resources(wanted),
        "constraints": constraints.iter().map(constraint).collect::<Value>(),
        "runs": runs,
        "jobs": jobs.iter().map(JobName::as_str).collect::<Value>(),
        "unmet": unmet.as_ref().map(constraint),
        "largest": largest.as_ref().map(|agent| agent.as_str()),
        "lacking": resources(lacking),
        "text": text,
    })
}

/// As a job has it.
fn constraint(constraint: &Constraint) -> Value {
    let Constraint { attribute, operator, value } = constraint;
    json!([attribute, operator.as_str(), value])
}
