//! The program itself as a framework of the fake master: commands are really executed, by agents that are not its own.

#[path = "mesos/fake/mod.rs"]
mod fake;
#[path = "mesos/model/mod.rs"]
mod model;
#[allow(dead_code, reason = "the simulators use more of it")]
#[path = "sim/rng.rs"]
mod rng;
#[path = "import/zookeeper.rs"]
mod zookeeper;

mod common;

use std::collections::BTreeMap;

use common::{Place, Server, wait_for};
use fake::{Fake, Setup};
use serde_json::{Value, json};
use zookeeper::ZooKeeper;

fn start(place: &Place, fake: &Fake) -> Server {
    start_with(place, &fake.urls().join(","), &[])
}

fn start_with(place: &Place, masters: &str, more: &[&str]) -> Server {
    let flags =
        ["--master", masters, "--mesos_framework_name", "nightly", "--failure_retry", "1000"];
    Server::start(&place.data(), &[&flags[..], more].concat())
}

/// What a master writes of itself into ZooKeeper.
fn node(fake: &Fake, master: usize) -> Vec<u8> {
    let port = fake.state().ports[master];
    let address = json!({"hostname": "localhost", "ip": "127.0.0.1", "port": port});
    json!({"id": "m", "address": address}).to_string().into_bytes()
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

fn is_running(run: &&Value) -> bool {
    run["attempts"][0]["state"] == "running"
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

#[test]
fn the_leading_master_is_found_in_zookeeper_and_followed() {
    let mut zookeeper = ZooKeeper::start();
    let (place, fake) = (Place::new(), Fake::start(Setup { masters: 2, ..Setup::default() }));
    zookeeper.write(None, &[("/mesos/json.info_0000000001", node(&fake, 0))]);
    let server = start_with(&place, &format!("zk://{}/mesos", zookeeper.hosts), &[]);
    put(&server, "some", "true", &json!({}));
    let run_one = |count: usize| {
        run(&server, "some");
        wait_for("the run to end", || {
            let runs = server.runs("some");
            (runs.len() == count && runs.iter().all(|run| run["verdict"] == "succeeded"))
                .then_some(())
        });
    };
    run_one(1);
    // Another leads: its node is the lowest once the first is gone.
    zookeeper.write(None, &[("/mesos/json.info_0000000002", node(&fake, 1))]);
    zookeeper.delete("/mesos/json.info_0000000001");
    fake.fail_over(1, 10);
    run_one(2);
    // Who is subscribed needs no ZooKeeper.
    zookeeper.kill();
    run_one(3);
    judge(&fake);
    let state = fake.state();
    let frameworks = &state.cluster.master.as_ref().unwrap().frameworks;
    assert_eq!(frameworks.len(), 1, "one id over both masters");
}

#[test]
fn output_is_read_here_when_its_agent_is_gone_if_it_was_kept() {
    let fake = Fake::start(Setup::default());
    let (keeps, leaves) = (Place::new(), Place::new());
    let masters = fake.urls().join(",");
    let keeper = start_with(&keeps, &masters, &["--mesos_keep_output", "12"]);
    let other = start_with(&leaves, &masters, &[]);
    let mut paths = Vec::new();
    for server in [&keeper, &other] {
        put(server, "talks", "echo first; echo the last one; echo to stderr >&2", &json!({}));
        run(server, "talks");
        let ended = server.ended_run("talks");
        assert_eq!(ended["verdict"], "succeeded", "{ended}");
        paths.push(format!("/scheduler/run/{}", ended["id"].as_str().unwrap()));
    }
    // What the agent has is read from there, whole, and so long as it can be.
    assert!(keeper.text(&format!("{}/stdout", paths[0])).contains("first\nthe last one"));
    wait_for("both streams to be kept", || {
        let kept = keeps.data().join("runs");
        let files = walk(&kept);
        (files.iter().filter(|file| file.metadata().is_ok_and(|it| it.len() > 0)).count() >= 2)
            .then_some(())
    });
    fake.state().cluster.machine_dies(0);
    assert_eq!(
        keeper.text(&format!("{}/stdout", paths[0])),
        "[chronode: 7 bytes omitted]\nhe last one\n"
    );
    assert!(keeper.text(&format!("{}/stderr", paths[0])).ends_with("to stderr\n"));
    let answer = other.request("GET", &format!("{}/stdout", paths[1]), None);
    assert!(answer.status >= 400, "{}", answer.body);
    assert!(answer.body.contains("agent"), "{}", answer.body);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn nobody_leads_beside_live_runs_that_the_launcher_cannot_ask() {
    let (place, fake) = (Place::new(), Fake::start(Setup::default()));
    let masters = fake.urls().join(",");
    let here = Server::start(&place.data(), &["--failure_retry", "1000"]);
    // What its runs are compared by is on record, as of one in a cluster.
    put(&here, "local", "sleep 1000", &json!({"constraints": [["hostname", "UNIQUE"]]}));
    run(&here, "local");
    wait_for("it to run", || here.runs("local").first().filter(is_running).map(|_| ()));
    here.kill();
    let refused = Server::try_start(&place.data(), &["--master", &masters], &[]).unwrap_err();
    assert!(!refused.status.success());
    assert!(
        refused.log.contains("1 live runs") && refused.log.contains("--master local"),
        "{refused:?}"
    );
    // Nothing has come of the attempt, and the other way round it is the same.
    let here = Server::start(&place.data(), &[]);
    assert!(is_running(&&here.runs("local")[0]));
    here.request("DELETE", "/scheduler/task/kill/local", None);
    assert_eq!(here.ended_run("local")["verdict"], "killed");
    here.kill();
    let there = start(&place, &fake);
    put(&there, "remote", "sleep 1000", &json!({}));
    run(&there, "remote");
    wait_for("it to run", || there.runs("remote").first().filter(is_running).map(|_| ()));
    there.kill();
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert!(refused.log.contains("on agents of a cluster"), "{refused:?}");
    let there = start(&place, &fake);
    there.request("DELETE", "/scheduler/task/kill/remote", None);
    assert_eq!(there.ended_run("remote")["verdict"], "killed");
    judge(&fake);
}
