//! The process dies at each named point of one run's life, and starts again: the run happens once and is recorded.
//!
//! Judged from what the command wrote, not from the API alone.
#![cfg(feature = "failpoints")]

mod common;

use common::{Place, Server, logging_job, request, wait_for};
use serde_json::Value;

/// Points of the scheduler that one created, run and ended job passes.
fn scheduler_points() -> impl Iterator<Item = &'static str> {
    chronode::failpoint::NAMES.iter().copied().filter(|name| !name.starts_with("keeper."))
}

fn keeper_points() -> impl Iterator<Item = &'static str> {
    chronode::failpoint::NAMES.iter().copied().filter(|name| name.starts_with("keeper."))
}

/// The answer to a post may be lost with the process; posting the same again is the client's way out.
fn post(server: &Server, job: &Value) {
    let url = format!("{}/scheduler/iso8601", server.url);
    // The process may die while it answers; then there is no response at all.
    let _ = std::panic::catch_unwind(|| request(&url, "POST", Some(job)));
}

#[test]
fn the_scheduler_may_die_at_any_point_and_nothing_is_lost_or_doubled() {
    for point in scheduler_points() {
        // The first passings belong to the start itself; later ones to the job.
        for passing in 1..=4 {
            let place = Place::new();
            let armed = format!("{point}=kill@{passing}");
            let env = [("CHRONODE_FAILPOINT", armed.as_str())];
            // A start that dies is a start that dies: the next one must work.
            let server = Server::try_start(&place.data(), &[], &env).ok();
            let job =
                logging_job("once", "R1/2000-01-01T00:00:00Z/PT1H", &place.file("log"), "true");
            // Due long ago, so it is run only because it is asked for: once, whatever dies.
            if let Some(server) = &server {
                post(server, &job);
                let url = format!("{}/scheduler/job/once", server.url);
                let _ = std::panic::catch_unwind(|| request(&url, "PUT", None));
            }
            drop(server);
            let server = Server::start(&place.data(), &[]);
            let runs = wait_for("every run to be over", || {
                let jobs = server.get("/scheduler/jobs");
                if jobs.as_array().unwrap().is_empty() {
                    return Some(Vec::new());
                }
                let runs = server.runs("once");
                runs.iter().all(|run| run["state"] == "ended").then_some(runs)
            });
            let started = place.lines("log").len();
            assert!(started <= 1, "{armed}: started {started} times");
            let manual: Vec<&Value> =
                runs.iter().filter(|run| run["trigger"]["kind"] == "manual").collect();
            assert!(manual.len() <= 1, "{armed}: {manual:?}");
            if let [run] = manual[..] {
                assert_eq!(run["verdict"], "succeeded", "{armed}: {run}");
                assert_eq!(started, 1, "{armed}: recorded as succeeded");
            } else {
                assert_eq!(started, 0, "{armed}: it ran without a record");
            }
        }
    }
}

#[test]
fn the_keeper_may_die_at_any_point_and_nothing_is_doubled() {
    for point in keeper_points() {
        let place = Place::new();
        let armed = format!("{point}=kill");
        // The keeper inherits the variable; the scheduler has no point of that name.
        let env = [("CHRONODE_FAILPOINT", armed.as_str())];
        let server = Server::try_start(&place.data(), &[], &env).unwrap();
        let job = logging_job("once", "R1//PT1H", &place.file("log"), "true");
        server.post(&job);
        wait_for("the keeper to die", || server.log().contains("launcher is gone").then_some(()));
        server.kill();
        if place.keeper().is_some() {
            place.kill_keeper();
        }
        let server = Server::start(&place.data(), &[]);
        let run = server.ended_run("once");
        let started = place.lines("log").len();
        match run["verdict"].as_str().unwrap() {
            "succeeded" => assert_eq!(started, 1, "{point}"),
            "lost" => assert!(started <= 1, "{point}: started {started} times"),
            other => panic!("{point}: {other}: {run}"),
        }
    }
}
