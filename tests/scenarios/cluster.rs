//! A cluster that makes offers: as the script says it, and what it is short of.

use chronode::engine::{Short, State, shortfall};
use chronode::model::{
    AgentId, Attribute, Constraint, Offer, OfferId, OfferKind, Operator, Resources, Scalar, Scope,
    Timestamp,
};

use crate::play::{Result, number, scalar};

/// `ID AGENT [cpus=…] [mem=…] [ports=…] [leaves=INSTANT] [NAME:VALUE …]`.
pub(crate) fn offer(now: Timestamp, words: &[&str]) -> Result<Offer> {
    let [id, agent, what @ ..] = words else { return Err("an offer is `ID AGENT …`".into()) };
    let plenty = Scalar::from_thousandths(1_000_000_000);
    let mut offer = Offer {
        id: OfferId::new(*id),
        agent: AgentId::new(*agent),
        hostname: format!("{agent}.example"),
        attributes: Vec::new(),
        resources: Resources { cpus: Scalar::ZERO, mem: plenty, disk: plenty, ports: 0 },
        kind: OfferKind::Once,
        unavailable_from: None,
        files_at: Some(format!("http://{agent}.example:5051")),
        share: "*".to_owned(),
    };
    for word in what {
        match (word.split_once('='), word.split_once(':')) {
            (Some(("cpus", text)), _) => offer.resources.cpus = scalar(text)?,
            (Some(("mem", text)), _) => offer.resources.mem = scalar(text)?,
            (Some(("ports", text)), _) => offer.resources.ports = number(text)?,
            (Some(("leaves", text)), _) => {
                let day = now.to_string();
                let day = day.split('T').next().unwrap_or_default();
                let from = format!("{day}T{text}Z").parse().map_err(|_| "no instant")?;
                offer.unavailable_from = Some(from);
            }
            (None, Some((name, value))) => offer.attributes.push(Attribute::text(name, value)),
            _ => return Err(format!("`{word}` is nothing of an offer")),
        }
    }
    Ok(offer)
}

/// `ATTRIBUTE:OPERATOR[:VALUE]`.
pub(crate) fn constraint(text: &str) -> Result<Constraint> {
    let mut parts = text.splitn(3, ':');
    let attribute = parts.next().unwrap_or_default().to_owned();
    let operator = parts.next().and_then(Operator::parse).ok_or("no such operator")?;
    Ok(Constraint { attribute, operator, value: parts.next().unwrap_or_default().to_owned() })
}

/// What capacity is missing, a line for each want.
pub(crate) fn short(state: &State, now: Timestamp) -> Vec<String> {
    let found = shortfall(state, now, &Scope::All);
    let (runs, waiting, agents) = (found.runs, found.waiting, found.agents);
    let Resources { cpus, mem, disk: _, ports } = found.missing;
    let head = format!(
        "{runs} of {waiting} runs find no place on {agents} agents; missing {cpus} cpus, {mem} MiB, {ports} ports"
    );
    let line = |short: &Short| {
        let jobs: Vec<String> = short.jobs.iter().map(ToString::to_string).collect();
        format!("{} of {}: {}", short.runs, jobs.join(" "), short.text)
    };
    std::iter::once(head).chain(found.wants.iter().map(line)).collect()
}
