//! The binary, through its public doors: chains, further attempts, time-outs and overlap, with deaths in the middle.

mod common;

use std::fs;

use common::{Place, Server, logging_job, wait_for};
use serde_json::{Value, json};

/// A schedule that is due once, at the instant of acceptance.
const ONCE: &str = "R1//PT1H";
/// A schedule that is never due: such a job runs only when somebody asks.
const NEVER: &str = "R0//PT1H";

/// A job after `parents` that appends one line to the file `log` when it starts, then runs `then`.
fn child(place: &Place, name: &str, parents: &[&str], then: &str) -> Value {
    let mut job = logging_job(name, NEVER, &place.file("log"), then);
    let fields = job.as_object_mut().unwrap();
    fields.remove("schedule");
    fields.insert("parents".to_owned(), json!(parents));
    job
}

fn post_child(server: &Server, job: &Value) {
    let response = server.request("POST", "/scheduler/dependency", Some(job));
    assert_eq!(response.status, 204, "{job}: {}", response.body);
}

fn run_now(server: &Server, job: &str) {
    let response = server.request("PUT", &format!("/scheduler/job/{job}"), None);
    assert_eq!(response.status, 204, "{}", response.body);
}

/// Holds a command until the file `release` is there.
fn held(place: &Place) -> String {
    format!("until [ -e {} ]; do sleep 0.02; done", place.file("release").display())
}

fn release(place: &Place) {
    fs::write(place.file("release"), "").unwrap();
}

fn started(place: &Place, file: &str, count: usize) {
    wait_for("commands to start", || (place.lines(file).len() >= count).then_some(()));
}

/// What `CHRONODE_DUE` was in each line of the log.
fn due(place: &Place) -> Vec<String> {
    let second = |line: String| line.split(' ').nth(2).unwrap_or_default().to_owned();
    place.lines("log").into_iter().map(second).collect()
}

#[test]
fn a_chain_runs_step_by_step_for_one_instant_and_each_run_names_the_one_before() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("extract", NEVER, &place.file("log"), "true"));
    post_child(&server, &child(&place, "transform", &["extract"], "true"));
    post_child(&server, &child(&place, "load", &["transform"], "true"));
    let waits = server.get("/scheduler/job/load")["waitsFor"].clone();
    assert_eq!(waits, "it waits for a new success of `transform`");
    run_now(&server, "extract");
    let load = server.ended_run("load");
    let (extract, transform) = (server.ended_run("extract"), server.ended_run("transform"));
    assert_eq!(load["verdict"], "succeeded", "{load}");
    assert_eq!(load["causes"], json!([transform["id"]]));
    assert_eq!(transform["causes"], json!([extract["id"]]));
    assert_eq!(load["trigger"]["kind"], "parents");
    assert_eq!(load["trigger"]["dueAt"], extract["trigger"]["dueAt"]);
    let due = due(&place);
    assert_eq!(due.len(), 3);
    assert!(due.iter().all(|at| *at == due[0]), "{due:?}");
}

#[test]
fn a_chain_goes_on_after_kill_9_in_its_middle_and_no_step_runs_twice() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("extract", NEVER, &place.file("log"), &held(&place)));
    post_child(&server, &child(&place, "left", &["extract"], "true"));
    post_child(&server, &child(&place, "right", &["extract"], "true"));
    post_child(&server, &child(&place, "load", &["left", "right"], &held(&place)));
    run_now(&server, "extract");
    started(&place, "log", 1);
    server.kill();
    // The step ends while nobody is there.
    release(&place);
    let server = Server::start(&place.data(), &[]);
    wait_for("the last step to be there", || (!server.runs("load").is_empty()).then_some(()));
    server.kill();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(server.ended_run("load")["verdict"], "succeeded");
    assert_eq!(place.lines("log").len(), 4, "{:?}", place.lines("log"));
    for job in ["extract", "left", "right", "load"] {
        assert_eq!(server.runs(job).len(), 1, "{job}");
    }
}

#[test]
fn a_round_survives_a_restart() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    for parent in ["a", "b"] {
        server.post(&logging_job(parent, NEVER, &place.file("log"), "true"));
    }
    post_child(&server, &child(&place, "c", &["a", "b"], "true"));
    run_now(&server, "a");
    server.ended_run("a");
    server.kill();
    let server = Server::start(&place.data(), &[]);
    let round = server.get("/scheduler/round/c");
    let sufficient: Vec<&Value> =
        round["parents"].as_array().unwrap().iter().map(|it| &it["sufficient"]).collect();
    assert_eq!(sufficient, [&json!(true), &json!(false)], "{round}");
    assert_eq!(round["waitsFor"], "it waits for a new success of `b`");
    run_now(&server, "b");
    assert_eq!(server.ended_run("c")["verdict"], "succeeded");
}

#[test]
fn a_retry_survives_kill_9_and_stands_for_the_same_instant() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let then = "[ \"$CHRONODE_ATTEMPT\" -gt 0 ] || exit 75";
    let mut job = logging_job("flaky", ONCE, &place.file("log"), then);
    job["retries"] = json!(3);
    job["retryDelay"] = json!("PT2S");
    job["retryOn"] = json!([75]);
    server.post(&job);
    wait_for("the run to wait for its next attempt", || {
        server.runs("flaky").iter().any(|run| run["state"] == "waiting").then_some(())
    });
    let waiting = server.runs("flaky")[0].clone();
    server.kill();
    let server = Server::start(&place.data(), &[]);
    let run = server.ended_run("flaky");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    assert_eq!(run["attempts"].as_array().unwrap().len(), 2);
    let launched = run["attempts"][1]["launchedAt"].as_str().unwrap();
    assert!(launched >= waiting["retryAt"].as_str().unwrap(), "{waiting} {run}");
    let due = due(&place);
    assert_eq!((due.len(), &due[0]), (2, &due[1]));
}

#[test]
fn an_end_that_is_final_is_not_tried_again_and_says_why() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let mut job = logging_job("bad-data", ONCE, &place.file("log"), "exit 65");
    job["retries"] = json!(3);
    job["noRetryOn"] = json!([65]);
    server.post(&job);
    let run = server.ended_run("bad-data");
    assert_eq!(
        run["reason"],
        "the command ended with exit code 65; `noRetryOn` names this exit code, so it is not tried again"
    );
    assert_eq!(run["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn what_outlasts_its_time_and_its_grace_is_ended_by_force() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let mut job =
        logging_job("deaf", ONCE, &place.file("log"), "trap '' TERM; while :; do sleep 1; done");
    job["timeout"] = json!("PT1S");
    job["killGrace"] = json!("PT0.2S");
    server.post(&job);
    let run = server.ended_run("deaf");
    assert_eq!(run["verdict"], "failed", "{run}");
    assert_eq!(run["reason"], "it was stopped because it ran longer than its `timeout` allows");
}

#[test]
fn a_later_run_takes_the_place_of_an_earlier_one() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let then = format!("[ -e {0} ] || {{ touch {0}; sleep 600; }}", place.file("first").display());
    let mut job = logging_job("sync", NEVER, &place.file("log"), &then);
    job["overlap"] = json!("replace");
    server.post(&job);
    run_now(&server, "sync");
    started(&place, "log", 1);
    wait_for("the first to be on its way", || place.file("first").exists().then_some(()));
    run_now(&server, "sync");
    wait_for("both to end", || {
        server.runs("sync").iter().all(|run| run["state"] == "ended").then_some(())
    });
    let verdicts: Vec<Value> =
        server.runs("sync").iter().map(|run| run["verdict"].clone()).collect();
    assert_eq!(verdicts, ["succeeded", "superseded"]);
}

#[test]
fn a_command_of_which_nobody_knows_is_launched_again_only_if_its_job_says_so() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let mut job = logging_job("mirror", ONCE, &place.file("log"), &held(&place));
    job["onUnknown"] = json!({"wait": "PT0S", "then": "relaunch"});
    server.post(&job);
    started(&place, "log", 1);
    place.kill_keeper();
    release(&place);
    let run = server.ended_run("mirror");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    assert_eq!(run["attempts"].as_array().unwrap().len(), 2, "{run}");
    assert_eq!(place.lines("log").len(), 2);
}

#[test]
fn what_a_deletion_would_do_is_told_before_and_then_done() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "nightly", "schedule": "30 2 * * *", "command": "true"}));
    post_child(&server, &json!({"name": "report", "parents": ["nightly"], "command": "true"}));
    let path = "/scheduler/job/nightly";
    let told = server.request("DELETE", &format!("{path}?dryRun=true"), None);
    assert_eq!(told.status, 200, "{}", told.body);
    let told: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(
        told["consequences"],
        json!(["`report` gets the schedule of `nightly`, `30 2 * * *`"])
    );
    assert_eq!(server.request("GET", path, None).status, 200, "a dry run deletes nothing");
    assert_eq!(server.get("/scheduler/job/report")["parents"], json!(["nightly"]));
    assert_eq!(server.request("DELETE", path, None).status, 204);
    assert_eq!(server.get("/scheduler/job/report")["schedule"], "30 2 * * *");
}

#[test]
fn what_would_wait_for_itself_or_for_nobody_is_refused_at_both_doors() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "a", "schedule": NEVER, "command": "true"}));
    post_child(&server, &json!({"name": "b", "parents": ["a"], "command": "true"}));
    for p in ["/scheduler", "/v1/scheduler"] {
        for (job, message) in [
            (
                json!({"name": "a", "parents": ["b"]}),
                "job `a` would wait for itself: `a` → `b` → `a`",
            ),
            (json!({"name": "c", "parents": ["c"]}), "job `c` cannot be a parent of itself"),
            (
                json!({"name": "c", "parents": ["nobody"]}),
                "Job c does not have all parents defined: `nobody` does not exist",
            ),
        ] {
            let refused = server.request("POST", &format!("{p}/dependency"), Some(&job));
            assert_eq!(refused.status, 400, "{}", refused.body);
            assert!(refused.body.contains(message), "{}", refused.body);
        }
    }
    assert_eq!(server.get("/scheduler/job/b")["parents"], json!(["a"]));
}

#[test]
fn job_files_are_loaded_parents_first_and_what_failures_disabled_stays_disabled() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    let write = |file: &str, text: &str| fs::write(jobs.join(file), text).unwrap();
    write("a.yaml", "name: last\nparents: [middle]\ncommand: 'true'\n");
    write("b.yaml", "name: middle\nparents: [first]\ncommand: 'true'\n");
    write(
        "c.yaml",
        "name: first\nschedule: R0//PT1H\ncommand: exit 3\nretries: 0\ndisableAfterFailures: 1\n",
    );
    write("d.yaml", "- name: x\n  parents: [y]\n- name: y\n  parents: [x]\n");
    let path = jobs.to_str().unwrap();
    let server = Server::start(&place.data(), &["--jobs", path]);
    assert!(
        server.banner.iter().any(|line| line.contains("3 loaded, 0 unchanged, 2 refused")),
        "{:?}",
        server.banner
    );
    run_now(&server, "first");
    assert_eq!(server.ended_run("first")["verdict"], "failed");
    wait_for("the job to be disabled", || {
        (server.get("/scheduler/job/first")["disabled"] == true).then_some(())
    });
    let waits = server.get("/scheduler/job/middle")["waitsFor"].clone();
    assert_eq!(waits, "it waits for a new success of `first` (disabled)");
    server.kill();
    let server = Server::start(&place.data(), &["--jobs", path]);
    assert_eq!(server.get("/scheduler/job/first")["disabled"], true);
}
