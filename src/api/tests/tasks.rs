//! What is said of tasks, conditions and keys of requests, and several jobs at once, over HTTP.

use serde_json::{Value, json};

use super::super::testing::{Fixture, attempt, name, run, running};
use super::PREFIXES;
use crate::engine::Request;
use crate::model::{HistoryEntry, RunState};

const JSON: &str = "Content-Type: application/json\r\n";

fn job(name: &str, command: &str) -> String {
    format!(r#"{{"name":"{name}","command":"{command}","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#)
}

fn requests(fixture: &Fixture) -> Vec<Request> {
    std::mem::take(&mut fixture.memory.world().requests)
}

#[tokio::test]
async fn a_job_is_marked_successful_and_an_unknown_one_is_no_error() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        fixture.put("POST", &format!("{p}/iso8601"), &job("a.b", "true")).await;
        let marked = fixture.ask("PUT", &format!("{p}/job/success/a.b")).await;
        assert_eq!((marked.status, marked.text()), (200, "marked job a.b as successful: true"));
        assert_eq!(marked.header("content-type"), Some("application/json"));
        for unknown in ["none", "%2F", "a%20b", "success"] {
            let answer = fixture.ask("PUT", &format!("{p}/job/success/{unknown}")).await;
            assert_eq!(answer.status, 200, "{unknown}");
            assert!(answer.text().ends_with(": false"), "{unknown}: {}", answer.text());
        }
        assert_eq!(fixture.ask("GET", &format!("{p}/job/success/a.b")).await.status, 405);
    }
}

#[tokio::test]
async fn the_end_of_a_task_is_taken_down_and_an_unknown_task_is_no_error() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        for (body, code) in [(r#"{"statusCode":0}"#, 0), (r#"{"statusCode":"-1","more":2}"#, -1)] {
            let path = format!("{p}/task/ct%3A1%3A0%3Aa%20b%3A-x%2Fy");
            let answer = fixture.put("PUT", &path, body).await;
            assert_eq!((answer.status, answer.text()), (204, ""), "{answer:?}");
            let [Request::CompleteTask { task_id, status_code }] = &requests(&fixture)[..] else {
                panic!()
            };
            assert_eq!((task_id.as_str(), *status_code), ("ct:1:0:a b:-x/y", code));
        }
        let path = format!("{p}/task/nonsense");
        assert_eq!(fixture.put("PUT", &path, r#"{"statusCode":1}"#).await.status, 204);
        for body in ["{}", r#"{"statusCode":null}"#, r#"{"statusCode":"x"}"#, "[]", "1", "{"] {
            let answer = fixture.put("PUT", &path, body).await;
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.json()["remedy"].as_str().is_some_and(|it| !it.is_empty()), "{body}");
        }
        assert_eq!(fixture.ask_with("PUT", &path, "", r#"{"statusCode":1}"#).await.status, 415);
    }
}

#[tokio::test]
async fn elements_are_counted_for_a_task_of_a_job_that_is_there() {
    for (p, word) in PREFIXES.into_iter().zip(["Job", "JobSchedule"]) {
        let fixture = Fixture::start().await;
        fixture.put("POST", &format!("{p}/iso8601"), &job("a", "true")).await;
        let live = run(1, "a", RunState::Active, vec![attempt(0, running())]);
        fixture.memory.world().history.push(HistoryEntry::Run(live));
        let path = format!("{p}/job/a/task/ct%3A1%3A0%3Aa%3A/progress");
        for body in [r#"{"numAdditionalElementsProcessed":5}"#, "{}"] {
            let answer = fixture.put("POST", &path, body).await;
            assert_eq!((answer.status, answer.text()), (204, ""), "{answer:?}");
        }
        for (path, body, message) in [
            ("a/task/ct%3A1%3A0%3Aa%3A", r#"{"numAdditionalElementsProcessed":-1}"#, "negative"),
            ("a/task/ct%3A1%3A0%3Aa%3A", r#"{"numAdditionalElementsProcessed":"x"}"#, "whole"),
            ("a/task/other", "{}", "Invalid task id format 'other'"),
            ("a/task/ct%3A9%3A0%3Aa%3A", "{}", "not found"),
            ("none/task/ct%3A1%3A0%3Aa%3A", "{}", "'none' not found"),
        ] {
            let answer = fixture.put("POST", &format!("{p}/job/{path}/progress"), body).await;
            let found = answer.message(400);
            assert!(found.contains(message), "{path}: {found}");
            if path.starts_with("none") {
                assert!(found.starts_with(&format!("{word} 'none'")), "{found}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_tried_out_is_not_done_when_somebody_wants_to() {
    let fixture = Fixture::start().await;
    fixture.put("POST", "/scheduler/iso8601", &job("a", "true")).await;
    requests(&fixture);
    for (method, path, body) in [
        ("PUT", "job/success/a", ""),
        ("POST", "job/a/task/ct%3A1%3A0%3Aa%3A/progress", "{}"),
        ("PUT", "task/ct%3A1%3A0%3Aa%3A", r#"{"statusCode":0}"#),
        ("DELETE", "task/all", ""),
        ("DELETE", "task/kill/a", ""),
        ("PUT", "job/a", ""),
    ] {
        for query in ["dryRun=true", "dry_run=1"] {
            let path = format!("/scheduler/{path}?{query}");
            let answer = fixture.put(method, &path, body).await;
            assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
        }
    }
    assert_eq!(requests(&fixture), []);
}

#[tokio::test]
async fn who_stops_or_deletes_with_a_reason_is_handed_on_and_a_bad_one_does_nothing() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        fixture.put("POST", &format!("{p}/iso8601"), &job("a", "true")).await;
        requests(&fixture);
        let long = "x".repeat(1_025);
        for path in ["task/kill/a", "job/a"] {
            for (query, message, remedy) in [
                ("reason=a%0Ab", "`reason` contains a control character", "write it in one line"),
                (
                    &format!("reason={long}"),
                    "`reason` has 1025 bytes; at most 1024 are allowed",
                    "shorten it",
                ),
                ("reason=a&reason=b", "parameter `reason` is given twice", "give one reason"),
            ] {
                let answer = fixture.ask("DELETE", &format!("{p}/{path}?{query}")).await;
                assert_eq!(answer.message(400), message);
                let told = answer.json();
                assert_eq!((&told["field"], &told["remedy"]), (&json!("reason"), &json!(remedy)));
            }
        }
        let tried = fixture.ask("DELETE", &format!("{p}/job/a?reason=a%0Ab&dryRun=true")).await;
        assert_eq!(tried.status, 400);
        assert_eq!(requests(&fixture), []);
        // What says nothing, and what nobody knows, is as in Chronos.
        for query in ["", "?reason=", "?Reason=x"] {
            let answer = fixture.ask("DELETE", &format!("{p}/task/kill/a{query}")).await;
            assert_eq!((answer.status, answer.text()), (204, ""));
            assert_eq!(requests(&fixture), [Request::KillJob { name: name("a"), by: None }]);
        }
        for (path, longest) in [("task/kill/a", "é".repeat(512)), ("job/a", "x".repeat(1_024))] {
            let reason = longest.replace('é', "%C3%A9");
            let answer = fixture.ask("DELETE", &format!("{p}/{path}?reason={reason}")).await;
            assert_eq!((answer.status, answer.text()), (204, ""));
            let asked = requests(&fixture);
            let [Request::KillJob { name: of, by } | Request::DeleteJob { name: of, by }] =
                &asked[..]
            else {
                panic!("{asked:?}")
            };
            assert_eq!((of, &by.as_ref().unwrap().reason), (&name("a"), &longest));
        }
    }
}

#[tokio::test]
async fn the_queue_is_cleared() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let answer = fixture.ask("DELETE", &format!("{p}/task/all")).await;
        assert_eq!((answer.status, answer.text()), (204, ""));
        assert_eq!(requests(&fixture), [Request::ClearQueue]);
    }
}

#[tokio::test]
async fn a_lost_update_is_refused_over_http() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let (put, path) = (format!("{p}/iso8601"), format!("{p}/job/a"));
        let create = format!("{JSON}If-None-Match: *\r\n");
        let first = fixture.ask_with("POST", &put, &create, &job("a", "one")).await;
        assert_eq!(first.status, 204, "{first:?}");
        let tag = first.header("etag").unwrap().to_owned();
        let shown = fixture.ask("GET", &path).await;
        assert_eq!(shown.header("etag"), Some(tag.as_str()));
        let again = fixture.ask_with("POST", &put, &create, &job("a", "two")).await;
        assert_eq!(again.json()["code"], "changed");
        assert_eq!(again.status, 412);

        let matching = format!("{JSON}If-Match: \"9.9\", {tag}\r\n");
        let mine = fixture.ask_with("POST", &put, &matching, &job("a", "mine")).await;
        assert_eq!(mine.status, 204, "{mine:?}");
        assert_ne!(mine.header("etag"), Some(tag.as_str()));
        for stale in [tag.as_str(), "W/\"1.2\"", "\"x\"", "1.2", ""] {
            let headers = format!("{JSON}If-Match: {stale}\r\n");
            let theirs = fixture.ask_with("POST", &put, &headers, &job("a", "theirs")).await;
            assert_eq!(theirs.status, 412, "{stale}: {theirs:?}");
            let deleted = fixture.ask_with("DELETE", &path, &headers, "").await;
            assert_eq!(deleted.status, 412, "{stale}");
        }
        assert_eq!(fixture.ask("GET", &path).await.json()["command"], "mine");
        let any = format!("{JSON}If-Match: *\r\n");
        assert_eq!(fixture.ask_with("POST", &put, &any, &job("b", "one")).await.status, 412);
        assert_eq!(fixture.ask_with("DELETE", &path, &any, "").await.status, 204);

        // What a trial is told is what happens.
        let dry =
            fixture.ask_with("POST", &format!("{put}?dryRun=true"), &any, &job("b", "x")).await;
        assert_eq!(dry.status, 412);
    }
}

#[tokio::test]
async fn conditions_that_mean_nothing_are_refused_by_name() {
    let fixture = Fixture::start().await;
    let path = "/scheduler/iso8601";
    for (headers, field) in [
        ("If-None-Match: \"1.1\"\r\n", "If-None-Match"),
        ("If-None-Match: *\r\nIf-Match: *\r\n", "If-None-Match"),
        ("If-Match: \"1.1\"\r\nIf-Match: \"1.2\"\r\n", "if-match"),
        ("Idempotency-Key: \r\n", "Idempotency-Key"),
        ("Idempotency-Key: a b\r\n", "Idempotency-Key"),
        ("Idempotency-Key: a\r\nIdempotency-Key: b\r\n", "idempotency-key"),
    ] {
        let answer =
            fixture.ask_with("POST", path, &format!("{JSON}{headers}"), &job("a", "true")).await;
        assert_eq!(answer.status, 400, "{headers}: {answer:?}");
        assert_eq!(answer.json()["field"], field, "{headers}");
    }
    let long = format!("{JSON}Idempotency-Key: {}\r\n", "x".repeat(256));
    assert_eq!(fixture.ask_with("POST", path, &long, &job("a", "true")).await.status, 400);
    let answer = fixture.ask_with("DELETE", "/scheduler/task/all", "If-Match: *\r\n", "").await;
    assert_eq!(answer.json()["field"], "If-Match");
    assert_eq!(requests(&fixture), []);
    // Of what changes nothing they are no conditions of ours.
    let read = fixture.ask_with("GET", "/scheduler/jobs", "If-None-Match: \"x\"\r\n", "").await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn a_repetition_is_answered_as_the_first_time() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        fixture.put("POST", &format!("{p}/iso8601"), &job("a", "true")).await;
        let run = |key: &'static str, query: &'static str| {
            let (path, headers) =
                (format!("{p}/job/a{query}"), format!("Idempotency-Key: {key}\r\n"));
            let fixture = &fixture;
            async move { fixture.ask_with("PUT", &path, &headers, "").await }
        };
        let first = run("one", "").await;
        let id = first.header("chronode-run-id").unwrap().to_owned();
        assert_eq!(run("one", "").await.header("chronode-run-id"), Some(id.as_str()));
        assert_ne!(run("two", "").await.header("chronode-run-id"), Some(id.as_str()));
        let other = run("one", "?arguments=-v").await;
        assert_eq!((other.status, other.json()["code"].clone()), (422, json!("key_reused")));
        assert_eq!(fixture.memory.world().history.len(), 2);
    }
}

#[tokio::test]
async fn several_jobs_are_applied_at_once() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let child = r#"{"name":"b","command":"true","parents":["a"],"onwer":"x"}"#;
        let body = format!(r#"{{"jobs":[{},{child}]}}"#, job("a", "true"));
        for (query, is_dry) in [("?dryRun=true", true), ("", false)] {
            let answer = fixture.put("POST", &format!("{p}/apply{query}"), &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let answer = answer.json();
            assert_eq!(answer["dryRun"], is_dry);
            assert_eq!(answer["jobs"][0]["name"], "a");
            assert_eq!(answer["jobs"][1]["outcome"], "created");
            let revision = answer["jobs"][1]["revision"].as_str().unwrap();
            assert!(revision.ends_with(".1"), "{revision}");
            let warning = answer["jobs"][1]["warnings"][0].as_str().unwrap();
            assert!(warning.contains("`onwer`"), "{warning}");
            let jobs = fixture.ask("GET", &format!("{p}/jobs")).await.json();
            assert_eq!(jobs.as_array().map(Vec::len), Some(if is_dry { 0 } else { 2 }));
        }
    }
}

#[tokio::test]
async fn every_problem_of_several_jobs_is_told_with_its_place_and_none_is_stored() {
    let fixture = Fixture::start().await;
    let path = "/v1/scheduler/apply";
    let fields = |answer: &Value| -> Vec<String> {
        let problems = answer["problems"].as_array().cloned().unwrap_or_default();
        problems.iter().map(|it| it["field"].as_str().unwrap().to_owned()).collect()
    };
    // What cannot be read.
    let body = format!(r#"{{"jobs":[{},{{"name":"x y"}},7]}}"#, job("a", "true"));
    let answer = fixture.put("POST", path, &body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let found = fields(&answer.json());
    assert!(found.contains(&"jobs[1].name".to_owned()), "{found:?}");
    assert!(found.contains(&"jobs[2]".to_owned()), "{found:?}");
    // What the engine refuses.
    let bad = job("b", "true").replace("P1D", "P1X");
    let body = format!(r#"{{"jobs":[{},{bad}]}}"#, job("a", "true"));
    let answer = fixture.put("POST", path, &body).await;
    assert_eq!(answer.json()["field"], "jobs[1].schedule", "{answer:?}");
    assert_eq!(fixture.ask("GET", "/v1/scheduler/jobs").await.text(), "[]");
    assert_eq!(fixture.put("POST", path, "[]").await.status, 400);
    for body in ["{}", r#"{"jobs":{}}"#, r#"{"jobs":null}"#] {
        let answer = fixture.put("POST", path, body).await;
        assert_eq!((answer.status, answer.json()["field"].clone()), (400, json!("jobs")), "{body}");
    }
    assert_eq!(fixture.put("POST", &format!("{path}?dry=1"), "{}").await.status, 400);
}

#[tokio::test]
async fn of_many_problems_the_first_are_told_and_how_many_more_there_are() {
    let fixture = Fixture::start().await;
    let path = "/v1/scheduler/apply";
    let jobs = |count: usize| format!(r#"{{"jobs":[{}]}}"#, vec!["{}"; count].join(","));
    let answer = fixture.put("POST", path, &jobs(5_000)).await;
    assert_eq!(answer.status, 400);
    let answer = answer.json();
    let problems = answer["problems"].as_array().unwrap();
    assert_eq!((problems.len(), &problems[99]["field"]), (101, &json!("jobs[99].name")));
    assert_eq!(problems[100]["message"], "and 4900 more");
    assert_eq!(answer["field"], "jobs[0].name");
    let answer = fixture.put("POST", path, &jobs(5_001)).await;
    assert_eq!(answer.message(400), "`jobs` has 5001 items; at most 5000 are allowed");
    let answer = answer.json();
    assert_eq!((&answer["field"], &answer["problems"]), (&json!("jobs"), &Value::Null));
    assert_eq!(answer["remedy"], "send them in several requests");
}

#[tokio::test]
async fn a_cut_over_names_an_instant_and_jobs() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let path = format!("{p}/cutover");
        let body = r#"{"at":"2030-02-03T04:05:06+01:00","jobs":["a","b c"]}"#;
        let answer = fixture.put("POST", &path, body).await.json();
        let expected = json!({"dryRun": false, "at": "2030-02-03T03:05:06.000Z", "jobs": ["a", "b c"], "consequences": []});
        assert_eq!(answer, expected);
        requests(&fixture);
        assert_eq!(fixture.put("POST", &path, "{}").await.status, 200);
        assert_eq!(requests(&fixture), [Request::CutOver { names: None, at: None }]);
        for (body, field) in [
            (r#"{"at":"tomorrow"}"#, "at"),
            (r#"{"at":7}"#, "at"),
            (r#"{"jobs":"a"}"#, "jobs"),
            (r#"{"jobs":[1]}"#, "jobs"),
            (r#"{"jobs":["a/b"]}"#, "jobs"),
            (r#"{"when":"now"}"#, "when"),
            ("[]", ""),
        ] {
            let answer = fixture.put("POST", &path, body).await;
            assert_eq!(answer.status, 400, "{body}");
            assert_eq!(answer.json()["field"], field, "{body}");
        }
        assert_eq!(requests(&fixture), []);
    }
}

/// What it was about may be gone by the time it is repeated.
#[tokio::test]
async fn a_repetition_is_answered_although_what_it_was_about_has_gone() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        // A name that the newer prefix lets nobody create, but replace.
        fixture.put("POST", "/scheduler/iso8601", &job("a b", "true")).await;
        let keyed = |key: &str| format!("{JSON}Idempotency-Key: {key}\r\n");
        let (run, mark, put) =
            (format!("{p}/job/a%20b"), format!("{p}/job/success/a%20b"), format!("{p}/iso8601"));
        let (apply, new) = (format!("{p}/apply"), job("a b", "false"));
        let several = format!(r#"{{"jobs":[{new}]}}"#);
        let requests = [
            ("PUT", &run, "run", ""),
            ("PUT", &mark, "mark", ""),
            ("POST", &put, "put", new.as_str()),
            ("POST", &apply, "apply", several.as_str()),
        ];
        let mut first = Vec::new();
        for (method, path, key, body) in requests {
            let answer = fixture.ask_with(method, path, &keyed(key), body).await;
            assert!([200, 204].contains(&answer.status), "{path}: {answer:?}");
            first.push(answer);
        }
        assert_eq!(fixture.ask("DELETE", "/scheduler/job/a%20b").await.status, 204);
        let before = fixture.memory.world().history.len();
        for ((method, path, key, body), first) in requests.into_iter().zip(first) {
            let again = fixture.ask_with(method, path, &keyed(key), body).await;
            assert_eq!((again.status, again.text()), (first.status, first.text()), "{path}");
            for header in ["chronode-run-id", "etag"] {
                assert_eq!(again.header(header), first.header(header), "{path}");
            }
        }
        let world = fixture.memory.world();
        assert_eq!((world.jobs.len(), world.history.len()), (0, before), "nothing is done again");
    }
}

#[tokio::test]
async fn a_repetition_is_told_by_what_was_sent() {
    let fixture = Fixture::start().await;
    let ask = async |path: &str, headers: &str, body: &str| {
        let headers = format!("{JSON}Idempotency-Key: one\r\n{headers}");
        let answer = fixture.ask_with("POST", path, &headers, body).await;
        if answer.status == 422 {
            assert_eq!(answer.json()["code"], "key_reused");
        }
        answer.status
    };
    let (path, sent) = ("/scheduler/iso8601", job("a", "true"));
    assert_eq!(ask(path, "", &sent).await, 204);
    assert_eq!(ask(path, "", &sent).await, 204);
    // What says the same in another way may say something else to the next version.
    assert_eq!(ask(path, "", &format!("{sent} ")).await, 422);
    assert_eq!(ask(path, "", &job("a", "false")).await, 422);
    assert_eq!(ask(path, "If-Match: *\r\n", &sent).await, 422);
    assert_eq!(ask("/v1/scheduler/iso8601", "", &sent).await, 422);
    assert_eq!(ask("/scheduler/iso8601?dryRun=false", "", &sent).await, 422);
    // Nothing would be done, so nothing is repeated.
    assert_eq!(ask("/scheduler/iso8601?dryRun=true", "", &sent).await, 200);
    assert_eq!(fixture.memory.world().jobs[&name("a")].revision, 1);
}
