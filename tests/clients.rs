//! Clients of Chronos against the real program: chronos-python itself, and what the others send.
//!
//! chronos-python is what PyPI has, in the version of `tests/clients/requirements.txt`; `tests/run` installs it. What
//! was called, sent and answered is compared with a transcript; with `UPDATE_EXPECT=1` it is written.

mod common;

#[path = "clients/others.rs"]
mod others;
#[path = "clients/python.rs"]
mod python;
#[path = "clients/raw.rs"]
mod raw;

use std::fs;

use common::{Place, Server};
use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};

const CREDENTIALS: &str = "sync:correct horse battery";

/// Every public call, right and wrong, as the client itself sends and tells it.
fn every_call(version: &str, expected: &ExpectFile) {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    expected.assert_eq(&python::drive(&server, &["calls", version], &[]));
}

#[test]
fn chronos_python_makes_every_call_of_version_0() {
    every_call("0", &expect_file!["clients/calls_0.txt"]);
}

#[test]
fn chronos_python_makes_every_call_of_version_1() {
    every_call("v1", &expect_file!["clients/calls_v1.txt"]);
}

#[test]
fn chronos_python_is_asked_for_its_credentials_and_told_when_they_are_wrong() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--http_credentials", CREDENTIALS]);
    let env = [("CLIENT_CREDENTIALS", CREDENTIALS)];
    let told = |version| python::drive(&server, &["credentials", version], &env);
    expect_file!["clients/credentials_0.txt"].assert_eq(&told("0"));
    expect_file!["clients/credentials_v1.txt"].assert_eq(&told("v1"));
}

/// The client's own suite, as a table: each scenario begins with an empty server. 2.4 is spoken to without a version,
/// 3.0.2 with `v1`.
#[test]
fn the_own_suite_of_chronos_python_passes() {
    let stat = json!({
        "histogram": {"median": 0.0, "98thPercentile": 0.0, "75thPercentile": 0.0, "95thPercentile": 0.0,
                      "99thPercentile": 0.0, "count": 0, "mean": 0.0},
        "taskStatHistory": [],
    });
    let figure = json!([{"jobNameLabel": "myjob", "time": 0.0}]);
    let (both, old, new) = (&["0", "v1"][..], &["0"][..], &["v1"][..]);
    let scenarios: &[(&str, &[&str], Value)] = &[
        ("trivial job", both, json!(true)),
        ("job with spaces", new, json!(false)),
        ("job with spaces", old, json!(true)),
        ("job_stat", both, stat),
        ("scheduler_stat_99th", both, figure.clone()),
        ("scheduler_stat_98th", both, figure.clone()),
        ("scheduler_stat_95th", both, figure.clone()),
        ("scheduler_stat_75th", both, figure.clone()),
        ("scheduler_stat_median", both, figure.clone()),
        ("scheduler_stat_mean", both, figure),
        ("graph", both, json!(2)),
        ("metrics", both, json!([true, true])),
        // The suite asks them of 3.0.2 only; nothing speaks against the other.
        ("search name", both, json!(["myjob"])),
        ("search command", both, json!(["myjob"])),
    ];
    for (scenario, versions, expected) in scenarios {
        for version in *versions {
            let place = Place::new();
            let server = Server::start(&place.data(), &[]);
            let found = python::drive(&server, &["scenario", version, scenario], &[]);
            let found: Value = serde_json::from_str(&found).unwrap();
            assert_eq!(found, *expected, "{scenario}, {version}");
        }
    }
}

#[test]
fn chronos_sync_jobs_brings_the_server_to_what_its_files_say() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let files = place.file("files");
    fs::create_dir(&files).unwrap();
    let write = |name: &str, job: &Value| {
        fs::write(files.join(format!("{name}.json")), job.to_string()).unwrap();
    };
    let mut parent = json!({
        "name": "z-parent", "command": "true", "owner": "", "disabled": false, "cpus": 0.5, "mem": 64.0,
        "schedule": "R/2099-01-01T02:30:00Z/P1D", "description": "as typed", "uris": ["http://host/a.tgz"],
    });
    let child = json!({
        "name": "a-child", "command": "true", "owner": "", "disabled": false, "parents": ["z-parent"],
    });
    write("a-child", &child);
    write("z-parent", &parent);
    let sync = || {
        let args = ["--hostname", python::host(&server), "--sync", files.to_str().unwrap()];
        let output = python::tool("chronos-sync-jobs.py", &args);
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        told.replace(files.to_str().unwrap(), "FILES")
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // The child comes first in the order of names, fails visibly, and succeeds when its parent is there.
    let first = [
        "Adding job a-child from file FILES/a-child.json",
        "Adding job z-parent from file FILES/z-parent.json",
        "Retry 1 for job a-child",
    ];
    assert_eq!(sync(), first);
    // Every field of the files comes back as it is there: nothing is sent again.
    let unchanged = [
        "Job a-child defined in FILES/a-child.json is up-to-date on Chronos",
        "Job z-parent defined in FILES/z-parent.json is up-to-date on Chronos",
    ];
    assert_eq!(sync(), unchanged);
    // Nor after a run, which in Chronos rewrites the schedule.
    assert_eq!(server.request("PUT", "/v1/scheduler/job/a-child", None).status, 204);
    assert_eq!(server.ended_run("a-child")["verdict"], "succeeded");
    assert_eq!(sync(), unchanged);
    parent["cpus"] = json!(0.25);
    write("z-parent", &parent);
    assert_eq!(sync()[1], "Updating job z-parent from file FILES/z-parent.json");
    assert_eq!(server.get("/v1/scheduler/job/z-parent")["cpus"], 0.25);
    assert_eq!(sync(), unchanged);
}

#[test]
fn chronos_nagios_tells_failed_jobs_from_others() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--failure_retry", "1"]);
    let check = |args: &[&str]| {
        let args = [&["--hostname", python::host(&server)], args].concat();
        let output = python::tool("chronos-nagios.py", &args);
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), told.trim().to_owned())
    };
    let job = |name: &str, command: &str| {
        json!({"name": name, "command": command, "owner": "", "retries": 0,
               "schedule": "R/2099-01-01T00:00:00Z/P1D"})
    };
    let run = |name: &str| {
        assert_eq!(server.request("PUT", &format!("/scheduler/job/{name}"), None).status, 204);
        server.ended_run(name);
    };
    let told = |code: i32, text: &str| (code, text.to_owned());
    server.post(&job("good", "true"));
    server.post(&job("new", "true"));
    let waiting = "(2 waiting for execution or with no data)";
    assert_eq!(check(&[]), told(0, &format!("OK: 0 jobs succeeded on last run {waiting}")));
    run("good");
    let waiting = "(1 waiting for execution or with no data)";
    assert_eq!(check(&[]), told(0, &format!("OK: 1 jobs succeeded on last run {waiting}")));
    server.post(&job("bad", "false"));
    run("bad");
    assert_eq!(check(&[]), told(2, &format!("CRITICAL: 1 failed jobs: b'bad' {waiting}")));
    assert_eq!(
        check(&["--crit", "2"]),
        told(1, &format!("WARNING: 1 failed jobs: b'bad' {waiting}"))
    );
    assert_eq!(
        check(&["--exclude", "bad", "--prefix", "good"]),
        told(0, "OK: 1 jobs succeeded on last run")
    );
    // A success after the failure is the later text, and a disabled job is nobody's alarm.
    server.post(&job("bad", "true"));
    assert_eq!(server.request("PUT", "/scheduler/job/success/bad", None).status, 200);
    assert_eq!(check(&[]), told(0, &format!("OK: 2 jobs succeeded on last run {waiting}")));
    let mut disabled = job("bad", "false");
    disabled["disabled"] = json!(true);
    server.post(&disabled);
    assert_eq!(check(&[]), told(0, &format!("OK: 1 jobs succeeded on last run {waiting}")));
}
