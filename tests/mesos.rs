//! The program itself as a framework of the fake master: commands are really executed, by agents that are not its own.

#[path = "mesos/fake/mod.rs"]
mod fake;
#[path = "mesos/model/mod.rs"]
mod model;
#[allow(dead_code, reason = "the simulators use more of it")]
#[path = "sim/rng.rs"]
mod rng;

mod common;

use std::collections::BTreeMap;

use common::{Place, Server, wait_for};
use fake::{Fake, Setup};
use serde_json::{Value, json};

fn start(place: &Place, fake: &Fake) -> Server {
    let masters = fake.urls().join(",");
    let flags =
        ["--master", &masters, "--mesos_framework_name", "nightly", "--failure_retry", "1000"];
    Server::start(&place.data(), &flags)
}

/// Stores a job that is started by request alone.
fn put(server: &Server, name: &str, command: &str, more: &Value) {
    let mut job = json!({
        "name": name, "schedule": "R1/2199-01-01T00:00:00Z/PT1H", "command": command,
        "retries": 0, "owner": "", "runAsUser": "", "cpus": 0.1, "mem": 32, "disk": 0,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        job[key] = value.clone();
    }
    server.post(&job);
}

fn run(server: &Server, name: &str) {
    let answer = server.request("PUT", &format!("/scheduler/job/{name}"), None);
    assert!(answer.status < 300, "{}", answer.body);
}

/// No command ran twice.
fn judge(fake: &Fake) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for start in fake.ran() {
        *times.entry(start.task.1).or_default() += 1;
    }
    assert!(times.values().all(|count| *count == 1), "{times:?}");
}

fn is_quiet(fake: &Fake) -> Option<()> {
    let state = fake.state();
    let is_idle = state.cluster.agents.iter().all(|agent| agent.works.is_empty());
    (is_idle && state.cluster.master.as_ref()?.offers.is_empty()).then_some(())
}

#[test]
fn runs_end_as_their_commands_do_and_their_output_is_read_from_the_agent() {
    let (place, fake) = (Place::new(), Fake::start(Setup::default()));
    let server = start(&place, &fake);
    put(&server, "well", "echo from the agent", &json!({}));
    put(&server, "badly", "exit 3", &json!({}));
    let file = place.file("tries");
    let twice = format!("echo x >> {0}; test $(wc -l < {0}) -ge 2", file.display());
    put(&server, "at-the-second-try", &twice, &json!({"retries": 1}));
    for name in ["well", "badly", "at-the-second-try"] {
        run(&server, name);
    }
    let well = server.ended_run("well");
    assert_eq!(well["verdict"], "succeeded", "{well}");
    let path = format!("/scheduler/run/{}/stdout", well["id"].as_str().unwrap());
    assert!(server.text(&path).contains("from the agent"), "{}", server.text(&path));
    let badly = server.ended_run("badly");
    assert_eq!(badly["verdict"], "failed", "{badly}");
    let retried = server.ended_run("at-the-second-try");
    assert_eq!(retried["verdict"], "succeeded", "{retried}");
    assert_eq!(retried["attempts"].as_array().unwrap().len(), 2, "{retried}");
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake);
    let state = fake.state();
    let framework = state.cluster.master.as_ref().unwrap().frameworks.values().next().unwrap();
    assert_eq!(framework.info.name, "nightly");
}

#[test]
fn what_runs_is_killed() {
    let (place, fake) = (Place::new(), Fake::start(Setup::default()));
    let server = start(&place, &fake);
    put(&server, "long", "sleep 1000", &json!({}));
    run(&server, "long");
    wait_for("it to run", || (fake.ran().len() == 1).then_some(()));
    let answer = server.request("DELETE", "/scheduler/task/kill/long", None);
    assert!(answer.status < 300, "{}", answer.body);
    let ended = server.ended_run("long");
    assert_eq!(ended["verdict"], "killed", "{ended}");
    wait_for("quiet", || is_quiet(&fake));
}

#[test]
fn a_killed_scheduler_takes_its_framework_up_again_and_nothing_runs_twice() {
    let (place, fake) = (Place::new(), Fake::start(Setup::default()));
    let mut server = start(&place, &fake);
    let more = json!({"overlap": "allow", "onUnknown": {"wait": "PT10M", "then": "lost"}});
    put(&server, "some", "sleep 2", &more);
    let mut count = 0;
    for _ in 0..3 {
        for _ in 0..5 {
            run(&server, "some");
            count += 1;
        }
        wait_for("some to run", || (fake.ran().len() + 3 > count).then_some(()));
        server.kill();
        server = start(&place, &fake);
    }
    wait_for("all runs to end", || {
        let runs = server.runs("some");
        (runs.len() == count && runs.iter().all(|run| run["state"] == "ended")).then_some(())
    });
    for run in server.runs("some") {
        assert_eq!(run["verdict"], "succeeded", "{run}");
    }
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake);
    assert_eq!(fake.ran().len(), count);
    assert_eq!(fake.state().cluster.master.as_ref().unwrap().frameworks.len(), 1, "one id");
}

#[test]
fn masters_and_agents_fail_and_come_back() {
    let mut setup = Setup { masters: 2, ..Setup::default() };
    setup.settings.ping_timeout = 500;
    let (place, fake) = (Place::new(), Fake::start(setup));
    let server = start(&place, &fake);
    let more = json!({"overlap": "allow", "onUnknown": {"wait": "PT10M", "then": "lost"}});
    put(&server, "some", "sleep 3", &more);
    for _ in 0..5 {
        run(&server, "some");
    }
    wait_for("all to run", || (fake.ran().len() == 5).then_some(()));
    fake.fail_over(1, 300);
    wait_for("the agent to be back", || {
        let state = fake.state();
        let master = state.cluster.master.as_ref()?;
        (!master.members.is_empty() && !master.frameworks.is_empty()).then_some(())
    });
    fake.state().cluster.agent_dies(0);
    wait_for("the agent to be unreachable", || {
        (!fake.state().cluster.registry.unreachable.is_empty()).then_some(())
    });
    fake.state().cluster.agent_starts(0, 100);
    wait_for("all runs to end", || {
        let runs = server.runs("some");
        (runs.len() == 5 && runs.iter().all(|run| run["state"] == "ended")).then_some(())
    });
    for run in server.runs("some") {
        assert_eq!(run["verdict"], "succeeded", "{run}");
    }
    wait_for("quiet", || is_quiet(&fake));
    judge(&fake);
    assert_eq!(fake.ran().len(), 5);
}
