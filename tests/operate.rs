//! What a person on call does, over the real binary: a failed night put right, a pause held over a crash, days run again.

mod common;

use common::{Place, Response, Server, wait_for};
use serde_json::{Value, json};

fn post(server: &Server, path: &str, body: Option<&Value>) -> Response {
    server.request("POST", &format!("/scheduler/{path}"), body)
}

/// The body of an answer with this status.
fn told(response: &Response, status: u16) -> Value {
    assert_eq!(response.status, status, "{}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

/// Waits until that run is over.
fn ended(server: &Server, id: &str) -> Value {
    wait_for(&format!("run {id} to end"), || {
        Some(server.get(&format!("/scheduler/run/{id}"))).filter(|run| run["state"] == "ended")
    })
}

/// A job that succeeds once a file is there, and says for which instant it ran.
fn job(place: &Place, name: &str, more: &Value) -> Value {
    let (log, file) = (place.file(name), place.file("mended"));
    let mut body = json!({
        "name": name, "retries": 0, "owner": "", "runAsUser": "",
        "command": format!("echo \"$CHRONODE_DUE\" >> {}; test -e {}", log.display(), file.display()),
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Of a parent that never comes of itself within the test.
const RARELY: &str = "R/2020-01-01T00:00:00Z/P50Y";

#[test]
fn a_chain_that_failed_is_retried_from_there_and_another_run_is_counted_as_succeeded() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&job(&place, "first", &json!({"schedule": RARELY})));
    for (child, parents) in [("second", json!(["first"])), ("third", json!(["second"]))] {
        let body = job(&place, child, &json!({"parents": parents}));
        let stored = server.request("POST", "/scheduler/dependency", Some(&body));
        assert_eq!(stored.status, 204, "{}", stored.body);
    }
    let due = "2026-01-05T00:00:00.000Z";
    let run = told(
        &post(&server, "runs", Some(&json!({"job": "first", "dueAt": due, "reason": "by hand"}))),
        201,
    );
    let first = ended(&server, run["run"].as_str().unwrap());
    assert_eq!((&first["verdict"], &first["trigger"]["dueAt"]), (&json!("failed"), &json!(due)));
    assert_eq!(first["by"]["reason"], "by hand");
    let first = first["id"].as_str().unwrap();
    assert_eq!(post(&server, &format!("run/{first}/skip"), None).status, 409);

    // Counted as succeeded, it has the next step run for the same instant, which fails.
    let marked = told(&post(&server, &format!("run/{first}/succeed"), None), 200);
    assert_eq!(marked["became"], "followed");
    let second = server.ended_run("second");
    assert_eq!((&second["verdict"], &second["trigger"]["dueAt"]), (&json!("failed"), &json!(due)));
    assert_eq!(second["causes"], json!([marked["followedBy"]]));
    assert_eq!(server.runs("third").len(), 0);

    // Once it is mended, the failed step is retried, and the last one follows.
    std::fs::write(place.file("mended"), "").unwrap();
    let second = second["id"].as_str().unwrap();
    let reason = json!({"reason": "mended"});
    let retried = told(&post(&server, &format!("run/{second}/retry"), Some(&reason)), 200);
    let again = ended(&server, retried["followedBy"].as_str().unwrap());
    assert_eq!(
        (&again["verdict"], &again["trigger"]["retryOf"]),
        (&json!("succeeded"), &json!(second))
    );
    assert_eq!(server.ended_run("third")["verdict"], "succeeded");

    // From the top down, everything that followed is listed, and then follows once more.
    let path = format!("run/{first}/retry-down");
    let dry = told(&post(&server, &format!("{path}?dryRun=true"), None), 200);
    let jobs: Vec<&Value> = dry["below"].as_array().unwrap().iter().map(|it| &it["job"]).collect();
    assert_eq!(jobs, ["second", "third"]);
    let runs = server.runs("third").len();
    assert_eq!(told(&post(&server, &path, None), 200)["became"], "followed");
    wait_for("the last step to follow once more", || {
        let runs_now = server.runs("third");
        (runs_now.len() == runs + 1 && runs_now[0]["verdict"] == "succeeded").then_some(())
    });
    assert_eq!(place.lines("third").len(), 2);
}

#[test]
fn a_pause_and_a_backfill_hold_over_a_crash_and_what_was_listed_is_what_runs() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    std::fs::write(place.file("mended"), "").unwrap();
    server.post(&job(&place, "often", &json!({"schedule": "R/2020-01-01T00:00:00Z/PT1S"})));
    server.post(&job(&place, "daily", &json!({"schedule": "0 2 * * *"})));
    let pause = json!({"job": "often", "reason": "the disk is full"});
    assert_eq!(told(&post(&server, "pause", Some(&pause)), 200)["jobs"], json!(["often"]));
    let everything = json!({"everything": true});
    told(&post(&server, "pause", Some(&everything)), 200);
    let pauses = server.get("/scheduler/pauses");
    server.kill();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(server.get("/scheduler/pauses"), pauses);
    assert_eq!(server.get("/scheduler/info")["paused"], pauses["everything"]);
    told(&post(&server, "resume", Some(&everything)), 200);
    assert_eq!(server.get("/scheduler/info")["paused"], Value::Null);
    let pauses = server.get("/scheduler/pauses");
    assert_eq!(pauses["jobs"][0]["by"]["reason"], "the disk is full");

    let asked =
        json!({"job": "daily", "from": "2026-01-05T00:00:00Z", "to": "2026-01-08T00:00:00Z"});
    let dry = told(&post(&server, "backfill?dryRun=true", Some(&asked)), 200);
    let days = ["2026-01-05", "2026-01-06", "2026-01-07"].map(|day| format!("{day}T02:00:00.000Z"));
    assert_eq!(dry["dueAt"], json!(days));
    let begun = told(&post(&server, "backfill", Some(&asked)), 201);
    assert_eq!(begun["dueAt"], dry["dueAt"]);
    let path = format!("/scheduler/backfill/{}", begun["backfill"].as_str().unwrap());
    server.kill();
    let server = Server::start(&place.data(), &[]);
    let done = wait_for("the backfill to be done", || {
        Some(server.get(&path)).filter(|backfill| backfill["state"] == "done")
    });
    assert_eq!((&done["total"], &done["live"]), (&json!(3), &json!(0)));
    assert_eq!(done["ended"], json!({"succeeded": 3}));
    let mut ran: Vec<Value> =
        server.runs("daily").iter().map(|run| run["trigger"]["dueAt"].clone()).collect();
    ran.reverse();
    assert_eq!(json!(ran), dry["dueAt"]);
    // They have succeeded: nothing of them is missing any more.
    let refused = post(&server, "backfill", Some(&asked));
    assert_eq!(refused.status, 400, "{}", refused.body);
    // Nothing came of the paused job meanwhile.
    assert_eq!(server.get("/scheduler/pauses")["jobs"], pauses["jobs"]);
    let started = || server.runs("often").iter().filter(|entry| entry["kind"] == "run").count();
    let before = started();
    told(&post(&server, "resume", Some(&json!({"job": "often"}))), 200);
    wait_for("the job to go on", || (started() > before).then_some(()));
}
