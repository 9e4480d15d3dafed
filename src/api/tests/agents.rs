//! `P/agents` and `P/shortfall` over HTTP, and what is against agents for a run.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Fixture, attempt, name, record, run, running};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::engine::{Launcher, OfferFate, SeenAgent};
use crate::model::{
    AgentId, Attribute, AttributeValue, Constraint, HistoryEntry, Offer, OfferId, OfferKind,
    Operator, Placed, Resources, RunState, Scalar,
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

fn rack() -> Value {
    json!({"name": "rack", "kind": "text", "value": "r7"})
}

fn agent(name: &str, problem: Value, total: bool, used: u64, runs: u64) -> Value {
    let share = |all: f64, used: f64| json!({"total": total.then_some(all), "used": used});
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let used = used as f64;
    json!({
        "name": name, "hostname": total.then(|| format!("{name}.example.org")), "problem": problem, "limited": true,
        "cpus": share(4.0, used), "mem": share(1_000.0, 128.0 * used), "disk": share(0.0, 0.0),
        "ports": {"total": total.then_some(0), "used": 0}, "attributes": if total { json!([rack()]) } else { json!([]) },
        "runs": runs, "offer": null, "unavailableFrom": null,
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
                "total": 3,
                "agents": [agent("gone", nothing.clone(), false, 1, 1), agent("one", Value::Null, true, 2, 2), two],
                "launcher": "local", "problem": null, "framework": null, "master": null, "roles": [], "leader": "n1:4400",
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
    let agent = &told["agents"][0];
    assert_eq!(agent["cpus"], json!({"total": null, "used": 0.0}));
    let both = json!({"cpus": 8.0, "mem": 2_000.0, "disk": 0.0, "ports": 0});
    assert_eq!(
        agent["offer"],
        json!({
            "role": "", "offered": both, "left": both, "at": null, "fate": "open", "runs": 0, "job": null, "run": null,
            "reason": null,
        })
    );
}

/// Agents `one`, `three` and `two` of a cluster as they were seen, and what became of their offers.
fn seen() -> Vec<SeenAgent> {
    let seen = |agent: &str, fate| {
        let mut offer = offer(&format!("o-{agent}"), agent, OfferKind::Once);
        offer.resources.ports = 100;
        let left = Resources { ports: 99, ..resources(3, 900) };
        SeenAgent { offer, left, at: super::super::testing::at("2030-01-01T00:00:00Z"), fate }
    };
    let mut one = seen("one", OfferFate::Used { runs: 2 });
    one.offer.attributes.extend([
        Attribute {
            name: "weight".to_owned(),
            value: AttributeValue::Scalar(Scalar::from_thousandths(1_500)),
        },
        Attribute {
            name: "zones".to_owned(),
            value: AttributeValue::Set(vec!["a".to_owned(), "b".to_owned()]),
        },
        Attribute { name: "slots".to_owned(), value: AttributeValue::Ranges },
    ]);
    one.offer.unavailable_from = Some(super::super::testing::at("2030-01-02T03:00:00Z"));
    let fate = OfferFate::NothingFits {
        job: name("pay"),
        run: run(2, "pay", RunState::Queued, Vec::new()).id,
        reason: "needs 4 cpus, it offers 3".to_owned(),
    };
    vec![one, seen("three", OfferFate::NotWanted), seen("two", fate)]
}

/// Those agents, and what [`fill`] has.
fn fill_cluster(fixture: &Fixture) {
    fill(fixture, Launcher::InCluster(Vec::new()));
    let mut world = fixture.memory.world();
    world.framework = Some("f-1".to_owned());
    world.seen = seen();
    for entry in &mut world.history {
        let HistoryEntry::Run(run) = entry else { continue };
        for attempt in &mut run.attempts {
            let hostname = format!("{}.example.org", attempt.agent);
            attempt.placed = Some(Box::new(Placed { hostname, ..Placed::default() }));
        }
    }
}

#[tokio::test]
async fn agents_of_a_cluster_are_told_with_their_last_offer_and_what_became_of_it() {
    let fixture = Fixture::start().await;
    fill_cluster(&fixture);
    let told = fixture.ask("GET", "/scheduler/agents").await.json();
    assert_eq!(
        (&told["launcher"], &told["framework"], &told["master"]),
        (&json!("mesos"), &json!("f-1"), &json!("zk://m1:2181/mesos"))
    );
    assert_eq!(told["roles"], json!(["batch"]));
    let offer = |fate: &str, runs: u32, why: [Value; 3]| {
        let [job, run, reason] = why;
        json!({
            "role": "", "offered": {"cpus": 4.0, "mem": 1_000.0, "disk": 0.0, "ports": 100},
            "left": {"cpus": 3.0, "mem": 900.0, "disk": 0.0, "ports": 99},
            "at": "2030-01-01T00:00:00.000Z", "fate": fate, "runs": runs, "job": job, "run": run, "reason": reason,
        })
    };
    let nothing = || [Value::Null, Value::Null, Value::Null];
    let of_cluster = |name: &str, used: u64, runs: u64, offer: Value| {
        let mut agent = agent(name, Value::Null, false, used, runs);
        agent["hostname"] = format!("{name}.example.org").into();
        agent["attributes"] = json!([rack()]);
        agent["offer"] = offer;
        agent
    };
    let mut one = of_cluster("one", 2, 2, offer("used", 2, nothing()));
    one["attributes"] = json!([
        rack(),
        {"name": "weight", "kind": "scalar", "value": 1.5},
        {"name": "zones", "kind": "set", "value": ["a", "b"]},
        {"name": "slots", "kind": "ranges", "value": null},
    ]);
    one["unavailableFrom"] = "2030-01-02T03:00:00.000Z".into();
    // It has offered nothing, but something was placed on it once.
    let mut gone = agent("gone", json!("it offers nothing at the moment"), false, 1, 1);
    gone["hostname"] = "gone.example.org".into();
    let why = [json!("pay"), json!("j1-m2"), json!("needs 4 cpus, it offers 3")];
    let expected = json!([
        gone,
        one,
        of_cluster("three", 0, 0, offer("notWanted", 0, nothing())),
        of_cluster("two", 0, 0, offer("nothingFits", 0, why)),
    ]);
    assert_eq!(told["agents"], expected);
    // An attempt says where it is.
    let run = fixture.ask("GET", "/scheduler/run/j1-m3").await.json();
    assert_eq!(run["attempts"][0]["hostname"], "gone.example.org");
    let info = fixture.ask("GET", "/scheduler/info").await.json();
    assert_eq!(
        info["launcher"],
        json!({
            "kind": "mesos", "state": "connected", "problem": null, "framework": "f-1",
            "master": "zk://m1:2181/mesos",
            "roles": ["batch"],
        })
    );
}

#[tokio::test]
async fn agents_are_found_by_words_and_told_in_parts() {
    let fixture = Fixture::start().await;
    fill_cluster(&fixture);
    for (query, total, expected) in [
        ("search=R7", 3, vec!["one", "three", "two"]),
        ("search=zones%20ONE", 1, vec!["one"]),
        ("search=b%20one", 1, vec!["one"]),
        ("search=gone.example", 1, vec!["gone"]),
        ("search=nowhere", 0, vec![]),
        ("offset=1&limit=2", 4, vec!["one", "three"]),
        ("offset=9", 4, vec![]),
        ("limit=0", 4, vec![]),
    ] {
        let told = fixture.ask("GET", &format!("/scheduler/agents?{query}")).await.json();
        let agents = told["agents"].as_array().unwrap();
        let names: Vec<&str> = agents.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!((&told["total"], names), (&json!(total), expected), "{query}");
    }
    for query in ["limit=1001", "offset=-1"] {
        let refused = fixture.ask("GET", &format!("/scheduler/agents?{query}")).await;
        refused.message(400);
        assert_eq!(refused.json()["field"], query.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn why_an_offer_was_declined_is_kept_from_those_who_may_not_see_the_job() {
    let callers = [("ed", Role::Viewer, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    fill_cluster(&fixture);
    let told = fixture.ask_with("GET", "/scheduler/agents", &bearer("ed"), "").await;
    let two = &told.json()["agents"][3]["offer"];
    assert_eq!((&two["fate"], &two["job"]), (&json!("nothingFits"), &Value::Null));
    assert!(!told.text().contains("pay") && !told.text().contains("needs 4"), "{}", told.text());
}

/// A run that waits for what no agent has, of a job in and one out of scope, on a cluster as [`seen`].
fn fill_waiting(fixture: &Fixture) {
    fill_cluster(fixture);
    let mut world = fixture.memory.world();
    let pending = RunState::Pending { deadline: None };
    for (sequence, job) in [(11, "bill-a"), (12, "pay")] {
        let record = world.jobs.get_mut(&name(job)).unwrap();
        record.job.resources = resources(6, 100);
        record.job.constraints = vec![Constraint {
            attribute: "hostname".to_owned(),
            operator: Operator::Unlike,
            value: "three.*".to_owned(),
        }];
        world.history.push(HistoryEntry::Run(run(sequence, job, pending.clone(), Vec::new())));
    }
}

#[tokio::test]
async fn what_is_missing_is_told_within_the_scope() {
    let callers = [("ed", Role::Viewer, "bill-*"), ("admin", Role::Admin, "")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    fill_waiting(&fixture);
    for (who, runs, jobs) in [("ed", 1, json!(["bill-a"])), ("admin", 2, json!(["bill-a", "pay"]))]
    {
        for p in PREFIXES {
            let told = fixture.ask_with("GET", &format!("{p}/shortfall"), &bearer(who), "").await;
            let told = told.json();
            let of =
                |cpus: f64, mem: f64| json!({"cpus": cpus, "mem": mem, "disk": 0.0, "ports": 0});
            let all = f64::from(runs);
            assert_eq!(
                told,
                json!({
                    "agents": 3, "waiting": runs, "runs": runs, "missing": of(6.0 * all, 100.0 * all),
                    "wants": [{
                        "resources": of(6.0, 100.0), "constraints": [["hostname", "UNLIKE", "three.*"]],
                        "runs": runs, "jobs": jobs, "unmet": null, "largest": "one", "lacking": of(3.0, 0.0),
                        "text": "one.example.org, which comes closest: needs 6 cpus, it offers 3",
                    }],
                    "problem": null,
                })
            );
        }
    }
    let refused = fixture.ask_with("GET", "/scheduler/shortfall?job=a", &bearer("ed"), "").await;
    refused.message(400);
    assert_eq!(refused.json()["field"], "job");
}

#[tokio::test]
async fn a_run_that_waits_is_told_what_is_against_each_agent() {
    let fixture = Fixture::start().await;
    fill_waiting(&fixture);
    for p in PREFIXES {
        let told = fixture.ask("GET", &format!("{p}/run/j1-m11/explain")).await.json();
        let of = |agent: &str, reason: &str| json!({"agent": agent, "hostname": format!("{agent}.example.org"), "reason": reason});
        assert_eq!(
            told["agents"],
            json!([
                of("one", "needs 6 cpus, it offers 3"),
                of("three", "hostname UNLIKE three.* does not match three.example.org"),
                of("two", "needs 6 cpus, it offers 3"),
            ])
        );
        assert_eq!(told["agentsLeftOut"], 0);
        let codes: Vec<&str> = told["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["askedFor", "noRoom", "misfit", "misfit", "misfit"]);
        // One that runs is not asked about.
        let told = fixture.ask("GET", &format!("{p}/run/j1-m1/explain")).await.json();
        assert_eq!(told["agents"], json!([]));
    }
    // Of very many agents some are told.
    fixture.memory.world().seen = (0..250)
        .map(|index| {
            let mut seen = seen().swap_remove(0);
            seen.offer.agent = AgentId::new(format!("a{index:03}"));
            seen
        })
        .collect();
    let told = fixture.ask("GET", "/scheduler/run/j1-m11/explain").await.json();
    assert_eq!(told["agents"].as_array().unwrap().len(), 200);
    assert_eq!((&told["agents"][0]["agent"], &told["agentsLeftOut"]), (&json!("a000"), &json!(50)));
}

#[tokio::test]
async fn a_launcher_out_of_reach_is_why_nothing_is_placed() {
    let fixture = Fixture::start().await;
    fill(&fixture, Launcher::Gone { reason: "the keeper has gone".to_owned(), since: None });
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
