//! `P/agents` over HTTP.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Fixture, attempt, name, record, run, running};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::engine::Launcher;
use crate::model::{
    AgentId, Attribute, HistoryEntry, Offer, OfferId, OfferKind, Resources, RunState, Scalar,
};

fn resources(cpus: u64, mem: u64) -> Resources {
    let of = |units: u64| Scalar::from_thousandths(units * 1_000);
    Resources { cpus: of(cpus), mem: of(mem), disk: of(0), ports: 0 }
}

fn offer(id: &str, agent: &str, kind: OfferKind) -> Offer {
    Offer {
        id: OfferId::new(id),
        agent: AgentId::new(agent),
        hostname: format!("{agent}.example.org"),
        attributes: vec![Attribute::text("rack", "r7")],
        resources: resources(4, 1_000),
        kind,
        unavailable_from: None,
        files_at: None,
        share: String::new(),
    }
}

/// Three jobs with a live run each, on agents `one`, `one` and `gone`.
fn fill(fixture: &Fixture, launcher: Launcher) {
    let mut world = fixture.memory.world();
    world.launcher = Some(launcher);
    for (sequence, (job, agent)) in
        (1..).zip([("bill-a", "one"), ("pay", "one"), ("pay-b", "gone")])
    {
        world.jobs.insert(name(job), record(job));
        let mut attempt = attempt(0, running());
        attempt.task_id = crate::model::TaskId::from_text(format!("ct:{sequence}:0:{job}:"));
        attempt.agent = AgentId::new(agent);
        attempt.holds = resources(1, 128);
        let run = run(sequence, job, RunState::Active, vec![attempt]);
        world.history.push(HistoryEntry::Run(run));
    }
}

fn agent(name: &str, problem: Value, total: bool, used: u64, runs: u64) -> Value {
    let share = |all: f64, used: f64| json!({"total": total.then_some(all), "used": used});
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let used = used as f64;
    json!({
        "name": name, "hostname": total.then(|| format!("{name}.example.org")), "problem": problem, "limited": true,
        "cpus": share(4.0, used), "mem": share(1_000.0, 128.0 * used), "disk": share(0.0, 0.0),
        "attributes": if total { json!({"rack": "r7"}) } else { json!({}) }, "runs": runs,
    })
}

#[tokio::test]
async fn agents_are_told_with_what_is_left_of_them() {
    let fixture = Fixture::start().await;
    let offers =
        vec![offer("o1", "one", OfferKind::Standing), offer("o2", "two", OfferKind::Unmetered)];
    fill(&fixture, Launcher::Connected(offers));
    let mut two = agent("two", Value::Null, true, 0, 0);
    two["limited"] = false.into();
    let nothing = json!("it offers nothing at the moment");
    for p in PREFIXES {
        let told = fixture.ask("GET", &format!("{p}/agents")).await.json();
        assert_eq!(
            told,
            json!({
                "agents": [agent("gone", nothing.clone(), false, 1, 1), agent("one", Value::Null, true, 2, 2), two],
                "launcher": "local", "problem": null, "leader": "n1:4400",
            })
        );
    }
    let refused = fixture.ask("GET", "/scheduler/agents?name=one").await;
    refused.message(400);
    assert_eq!(refused.json()["field"], "name");
}

#[tokio::test]
async fn several_offers_of_one_agent_are_one() {
    let fixture = Fixture::start().await;
    let offers = vec![offer("o1", "one", OfferKind::Once), offer("o2", "one", OfferKind::Once)];
    fixture.memory.world().launcher = Some(Launcher::Connected(offers));
    let told = fixture.ask("GET", "/scheduler/agents").await.json();
    assert_eq!(told["agents"].as_array().unwrap().len(), 1);
    assert_eq!(told["agents"][0]["cpus"], json!({"total": 8.0, "used": 0.0}));
}

#[tokio::test]
async fn a_launcher_out_of_reach_is_why_nothing_is_placed() {
    let fixture = Fixture::start().await;
    fill(&fixture, Launcher::Gone("the keeper has gone".to_owned()));
    let told = fixture.ask("GET", "/scheduler/agents").await.json();
    let problem = json!("the launcher cannot be reached: the keeper has gone");
    let agents = [("gone", 1), ("one", 2)];
    let agents = agents.map(|(name, runs)| agent(name, problem.clone(), false, runs, runs));
    assert_eq!(told["agents"], json!(agents));
}

#[tokio::test]
async fn runs_are_counted_within_the_scope() {
    let callers = [("ed", Role::Viewer, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    fill(&fixture, Launcher::Connected(vec![offer("o1", "one", OfferKind::Standing)]));
    let told = fixture.ask_with("GET", "/scheduler/agents", &bearer("ed"), "").await.json();
    // What is used is a fact about the agent, and names no job.
    let expected = [
        agent("gone", json!("it offers nothing at the moment"), false, 1, 0),
        agent("one", Value::Null, true, 2, 1),
    ];
    assert_eq!(told["agents"], json!(expected));
}
