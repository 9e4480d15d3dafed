//! Jobs over HTTP.

use serde_json::{Value, json};

use super::super::testing::{Fixture, name};
use super::PREFIXES;
use crate::engine::Request;

/// The example of the compatibility sheet.
const NIGHTLY: &str = r#"{"name":"nightly-report","command":"/opt/report/run.sh --full",
 "schedule":"R/2030-01-01T02:30:00Z/P1D","scheduleTimeZone":"Europe/Berlin","owner":"data@example.org","retries":3,
 "cpus":0.25,"mem":256,"disk":128,"environmentVariables":[{"name":"STAGE","value":"prod"}],
 "constraints":[["rack","LIKE","r-[12]"]],"uris":["http://example.org/a.tgz"]}"#;

fn job(name: &str) -> String {
    format!(r#"{{"name":"{name}","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#)
}

#[tokio::test]
async fn a_job_is_created_listed_shown_and_deleted_in_both_dialects() {
    for p in PREFIXES {
        for method in ["POST", "PUT"] {
            let fixture = Fixture::start().await;
            let created = fixture.put(method, &format!("{p}/iso8601"), NIGHTLY).await;
            assert_eq!((created.status, created.text()), (204, ""), "{created:?}");
            assert_eq!(created.headers("warning"), Vec::<&str>::new());

            let list = fixture.ask("GET", &format!("{p}/jobs")).await;
            assert_eq!(list.text().lines().count(), 1);
            let list = list.json();
            assert_eq!(list[0]["name"], "nightly-report");
            assert_eq!(list[0]["fetch"][0]["uri"], "http://example.org/a.tgz");
            assert_eq!(list[0].get("epsilon").is_some(), p == "/scheduler");
            assert_eq!(list[0].get("concurrent").is_some(), p != "/scheduler");

            let one = fixture.ask("GET", &format!("{p}/job/nightly-report")).await.json();
            assert_eq!(one["schedule"], "R/2030-01-01T02:30:00Z/P1D");
            assert_eq!(one["fetch"], Value::Array(Vec::new()), "only the list mirrors");

            let path = format!("{p}/job/nightly-report");
            let deleted = fixture.ask("DELETE", &path).await;
            assert_eq!((deleted.status, deleted.text()), (204, ""));
            assert_eq!(fixture.ask("GET", &format!("{p}/jobs")).await.text(), "[]");
        }
    }
}

#[tokio::test]
async fn a_list_longer_than_one_part_is_one_array_in_one_line() {
    let fixture = Fixture::start().await;
    fixture.put("POST", "/scheduler/iso8601", &job("a")).await;
    {
        let mut world = fixture.memory.world();
        let record = world.jobs.values().next().unwrap().clone();
        for index in 0..600 {
            let mut copy = record.clone();
            copy.job.name = name(&format!("a{index}"));
            world.jobs.insert(copy.job.name.clone(), copy);
        }
    }
    let list = fixture.ask("GET", "/scheduler/jobs").await;
    assert!(list.is_complete && !list.text().contains('\n'));
    assert_eq!(list.json().as_array().unwrap().len(), 601);
}

#[tokio::test]
async fn a_manual_run_takes_arguments_and_names_its_run() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        fixture.put("POST", &format!("{p}/iso8601"), &job("a")).await;
        for (query, expected) in [
            ("", None),
            ("?arguments=", None),
            ("?arguments=%20", None),
            ("?arguments=-a+1%20%2Bx%26&other=1", Some("-a 1 +x&")),
            ("?arguments=%C3%A9", Some("é")),
        ] {
            let answer = fixture.ask("PUT", &format!("{p}/job/a{query}")).await;
            assert_eq!((answer.status, answer.text()), (204, ""), "{query}");
            assert!(answer.header("chronode-run-id").unwrap().starts_with("j1-m"));
            let last = fixture.memory.world().requests.pop().unwrap();
            let arguments = expected.map(ToOwned::to_owned);
            let Request::RunJob { name: job, ask } = last else { panic!("{last:?}") };
            assert_eq!((job, ask.arguments), (name("a"), arguments), "{query}");
        }
        // Some clients send an empty JSON document along.
        assert_eq!(fixture.put("PUT", &format!("{p}/job/a"), "{}").await.status, 204);
        fixture.ask("PUT", &format!("{p}/job/a?arguments=%00")).await.message(400);
        fixture.ask("PUT", &format!("{p}/job/a?arguments=%ff")).await.message(400);
        assert_eq!(fixture.ask("DELETE", &format!("{p}/task/kill/a")).await.status, 204);
    }
}

#[tokio::test]
async fn an_unknown_job_is_400_in_the_words_of_its_generation() {
    let fixture = Fixture::start().await;
    for (method, path, message) in [
        ("GET", "/scheduler/job/x", "Job 'x' not found"),
        ("PUT", "/scheduler/job/x", "Job 'x' not found"),
        ("DELETE", "/scheduler/job/x", "Job 'x' not found"),
        ("DELETE", "/scheduler/task/kill/x", "Job 'x' not found"),
        ("GET", "/v1/scheduler/job/x", "Job 'x' not found"),
        ("PUT", "/v1/scheduler/job/x", "Job 'x' not found"),
        ("DELETE", "/v1/scheduler/job/x", "JobSchedule 'x' not found"),
        ("DELETE", "/v1/scheduler/task/kill/x", "JobSchedule 'x' not found"),
    ] {
        let answer = fixture.ask(method, path).await;
        assert_eq!(answer.message(400), message, "{method} {path}");
        assert_eq!(answer.json()["status"], "Bad Request");
        assert_eq!(answer.json()["code"], "unknown_job");
    }
}

#[tokio::test]
async fn each_door_has_its_names_but_an_existing_job_may_be_replaced_through_both() {
    let fixture = Fixture::start().await;
    let message = fixture.put("POST", "/v1/scheduler/iso8601", &job("a b#c")).await.message(400);
    assert!(message.contains(r"Allowed names: '([\w\.-]+)'"), "{message}");
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", &job("a b#c")).await.status, 204);
    assert_eq!(fixture.put("POST", "/v1/scheduler/iso8601", &job("a b#c")).await.status, 204);
    for p in PREFIXES {
        let shown = fixture.ask("GET", &format!("{p}/job/a%20b%23c")).await.json();
        assert_eq!(shown["name"], "a b#c");
    }
    assert_eq!(fixture.put("POST", "/v1/scheduler/iso8601", &job("36")).await.status, 204);
    let numeric = r#"{"name":36,"command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}"#;
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", numeric).await.status, 204);
}

#[tokio::test]
async fn hostile_names_in_paths_are_400_and_harm_nothing() {
    let fixture = Fixture::start().await;
    for encoded in [
        "a%2Fb",
        "%2e%2e",
        "..",
        ".",
        "%00",
        "a%00b",
        "%0d%0aX-Evil:%201",
        "%ff",
        "%zz",
        "%",
        "%252e",
        "a%5Cb",
        "%C3%A9",
        "%E2%80%AE",
        "%20a",
        "*",
        "<script>",
        &"x".repeat(129),
        &"x".repeat(8000),
    ] {
        for (method, path) in [
            ("GET", format!("/scheduler/job/{encoded}")),
            ("PUT", format!("/v1/scheduler/job/{encoded}")),
            ("DELETE", format!("/scheduler/job/{encoded}")),
            ("DELETE", format!("/v1/scheduler/task/kill/{encoded}")),
        ] {
            let answer = fixture.ask(method, &path).await;
            if answer.body.is_empty() {
                // Not even a path; refused before any of our code.
                assert_eq!(answer.status, 400, "{path}");
                continue;
            }
            let message = answer.message(400);
            assert!(message.contains("not found"), "{path}: {message}");
            assert!(message.len() < 1000 && !message.contains(['\r', '\n', '\0']), "{message}");
            assert_eq!(answer.header("x-evil"), None);
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn what_a_body_must_be() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let path = format!("{p}/iso8601");
        for (headers, expected) in [
            ("", 415),
            ("Content-Type: text/plain\r\n", 415),
            ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
            ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415),
            ("Content-Type: application/json; charset=latin1\r\n", 415),
        ] {
            let answer = fixture.ask_with("POST", &path, headers, &job("a")).await;
            answer.message(expected);
        }
        let huge = format!(r#"{{"name":"{}"}}"#, "x".repeat(1024 * 1024));
        fixture.put("POST", &path, &huge).await.message(413);
        let chunked = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{huge}\r\n0\r\n\r\n",
            huge.len()
        );
        fixture.send(&chunked).await.message(413);
        for body in [
            "{",
            "[]",
            "null",
            "\u{feff}",
            "{\"a\":1,\"a\":2}",
            &"[".repeat(100_000),
            "{\"name\":\"\0\"}",
        ] {
            let answer = fixture.put("POST", &path, body).await;
            assert!(!answer.message(400).is_empty());
            assert!(!answer.json()["remedy"].as_str().unwrap().is_empty(), "{answer:?}");
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn every_problem_of_a_body_is_told_at_once() {
    let fixture = Fixture::start().await;
    let body = r#"{"name":"a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","cpus":"many","retries":"x"}"#;
    let answer = fixture.put("POST", "/scheduler/iso8601", body).await;
    answer.message(400);
    let json = answer.json();
    assert_eq!(json["code"], "invalid_field");
    let fields: Vec<_> =
        json["problems"].as_array().unwrap().iter().map(|p| p["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"cpus") && fields.contains(&"retries"), "{json}");
    assert_eq!(json["field"], json["problems"][0]["field"]);
}

#[tokio::test]
async fn a_schedule_that_is_none_is_refused_by_the_engine_with_field_and_remedy() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let body = r#"{"name":"a","command":"true","schedule":"R/2030-01-01/P1H"}"#;
        let answer = fixture.put("POST", &format!("{p}/iso8601"), body).await;
        assert!(answer.message(400).starts_with("Cannot parse schedule 'R/2030-01-01/P1H'"));
        assert_eq!(answer.json()["field"], "schedule");
        assert_eq!(answer.json()["remedy"], "write another");
    }
}

#[tokio::test]
async fn what_has_no_effect_is_said_in_warnings() {
    let fixture = Fixture::start().await;
    let body = r#"{"name":"a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D","retrys":1,
        "disabled":true,"h\"\u00e9":1}"#;
    let answer = fixture.put("POST", "/scheduler/iso8601", body).await;
    assert_eq!(answer.status, 204);
    let warnings = answer.headers("warning").join("\n");
    assert!(warnings.contains("299 chronode \"unknown field `retrys` has no effect"), "{warnings}");
    assert!(warnings.contains("299 chronode \"it is disabled\""), "{warnings}");
}

#[tokio::test]
async fn each_kind_of_job_has_its_path() {
    let fixture = Fixture::start().await;
    let dependent = r#"{"name":"b","command":"true","parents":["a"]}"#;
    for p in PREFIXES {
        let answer = fixture.put("POST", &format!("{p}/iso8601"), dependent).await;
        assert_eq!(answer.message(400), "a job with `parents` has no place here");
        let answer = fixture.put("POST", &format!("{p}/dependency"), &job("a")).await;
        assert_eq!(answer.message(400), "a job with a `schedule` has no place here");
        assert_eq!(fixture.memory.world().requests, []);
        assert_eq!(fixture.put("PUT", &format!("{p}/dependency"), dependent).await.status, 204);
        fixture.memory.world().requests.clear();
    }
}

#[tokio::test]
async fn expressions_have_a_path_of_their_own_beside_the_common_one() {
    let fixture = Fixture::start().await;
    let with = |rest: &str| format!(r#"{{"name":"a","command":"true"{rest}}}"#);
    for p in PREFIXES {
        for (method, path) in [("POST", "cron"), ("PUT", "cron"), ("POST", "iso8601")] {
            let body = with(r#","schedule":"30 2 * * *""#);
            let answer = fixture.put(method, &format!("{p}/{path}"), &body).await;
            assert_eq!((answer.status, answer.text()), (204, ""));
        }
        fixture.memory.world().requests.clear();
        for (rest, field, message) in [
            (
                r#","schedule":"R/2030-01-01T00:00:00Z/P1D""#,
                "schedule",
                "`schedule` is a repeating interval",
            ),
            ("", "schedule", "`schedule` is missing"),
            (r#","schedule":null"#, "schedule", "`schedule` is missing"),
            (
                r#","cron":"30 2 * * *""#,
                "schedule",
                "`schedule` is missing; unknown field `cron` has no effect: did you mean `schedule`?",
            ),
            (r#","parents":["b"]"#, "parents", "a job with `parents` has no place here"),
        ] {
            let answer = fixture.put("POST", &format!("{p}/cron"), &with(rest)).await;
            let found = answer.message(400);
            assert!(found.starts_with(message), "{found}");
            assert_eq!(answer.json()["field"], field, "{rest}");
            assert_ne!(answer.json()["remedy"], "", "{rest}");
        }
        assert_eq!(fixture.memory.world().requests, []);
        let answer = fixture.put("POST", &format!("{p}/cron"), &with(r#","schedule":"x""#)).await;
        assert!(answer.message(400).starts_with("Cannot parse schedule 'x'"));
        fixture.memory.world().requests.clear();
        let interval = with(r#","schedule":"R/2030-01-01T00:00:00Z/P1D","cron":"@daily""#);
        let answer = fixture.put("POST", &format!("{p}/iso8601"), &interval).await;
        assert!(answer.headers("warning").join("").contains("did you mean `schedule`?"));
        fixture.memory.world().requests.clear();
    }
}

/// A parent and its child, without the requests that made them.
async fn family(fixture: &Fixture) {
    let child = r#"{"name":"child","command":"true","parents":["mother"]}"#;
    fixture.put("POST", "/scheduler/iso8601", &job("mother")).await;
    fixture.put("POST", "/scheduler/dependency", child).await;
    fixture.memory.world().requests.clear();
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_of_it_and_does_nothing() {
    let fixture = Fixture::start().await;
    family(&fixture).await;
    let schedule = r#""schedule":"0 2 * * *","retrys":1,"disabled":true"#;
    let child = r#"{"name":"child","command":"true","parents":["mother","father"]}"#;
    for p in PREFIXES {
        let before = fixture.ask("GET", &format!("{p}/jobs")).await.text().to_owned();
        for (method, path, body, expected) in [
            (
                "POST",
                "iso8601",
                format!(r#"{{"name":"new","command":"true",{schedule}}}"#),
                json!({
                    "dryRun": true, "created": true,
                    "warnings": [
                        "unknown field `retrys` has no effect: did you mean `retries`?",
                        "it is disabled",
                    ],
                    "consequences": [],
                }),
            ),
            (
                "PUT",
                "cron",
                format!(r#"{{"name":"mother","command":"true",{schedule}}}"#),
                json!({
                    "dryRun": true, "created": false,
                    "warnings": [
                        "unknown field `retrys` has no effect: did you mean `retries`?",
                        "it is disabled",
                    ],
                    "consequences": ["job `child` runs after it"],
                }),
            ),
            (
                "POST",
                "dependency",
                child.to_owned(),
                json!({"dryRun": true, "created": false, "warnings": [], "consequences": []}),
            ),
            (
                "DELETE",
                "job/mother",
                String::new(),
                json!({"dryRun": true, "consequences": ["job `child` runs after it"]}),
            ),
        ] {
            let path = format!("{p}/{path}?dryRun=true");
            let answer = fixture.put(method, &path, &body).await;
            assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
            assert_eq!(answer.headers("warning"), Vec::<&str>::new());
            let asked = fixture.memory.world().requests.pop().unwrap();
            assert!(matches!(asked, Request::DryRun(_)), "{asked:?}");
        }
        assert_eq!(fixture.ask("GET", &format!("{p}/jobs")).await.text(), before);
    }
}

#[tokio::test]
async fn a_dry_run_is_refused_as_the_change_would_be() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let bad = r#"{"name":"a","command":"true","schedule":"R/2030-01-01/P1H"}"#;
        let answer = fixture.put("POST", &format!("{p}/iso8601?dryRun=true"), bad).await;
        assert!(answer.message(400).starts_with("Cannot parse schedule"));
        assert_eq!(answer.json()["field"], "schedule");
        let answer = fixture.put("POST", &format!("{p}/dependency?dryRun=true"), &job("a")).await;
        assert_eq!(answer.message(400), "a job with a `schedule` has no place here");
        let answer = fixture.ask("DELETE", &format!("{p}/job/x?dryRun=true")).await;
        assert!(answer.message(400).contains("'x' not found"));
    }
    fixture.memory.world().is_unavailable = true;
    let answer = fixture.put("POST", "/scheduler/iso8601?dryRun=true", &job("a")).await;
    assert_eq!(answer.message(503), "nobody leads");
}

#[tokio::test]
async fn what_is_nearly_a_dry_run_is_refused_and_what_is_none_is_done() {
    let fixture = Fixture::start().await;
    family(&fixture).await;
    for query in ["dryRun=yes", "dryRun", "dryRun=1", "dry_run=true", "dryrun=true"] {
        for (method, path, body) in [
            ("POST", "/scheduler/iso8601", job("a")),
            ("PUT", "/v1/scheduler/cron", job("a")),
            ("POST", "/scheduler/dependency", job("a")),
            ("DELETE", "/v1/scheduler/job/mother", String::new()),
        ] {
            let answer = fixture.put(method, &format!("{path}?{query}"), &body).await;
            assert!(answer.message(400).contains("dry"), "{path}?{query}");
            let field = query.split('=').next().unwrap();
            assert_eq!(answer.json()["field"], field, "{path}?{query}");
        }
    }
    for (method, path) in [("PUT", "job/mother"), ("DELETE", "task/kill/mother")] {
        for p in PREFIXES {
            let answer = fixture.ask(method, &format!("{p}/{path}?dryRun=true")).await;
            assert_eq!(answer.message(400), "what is asked here cannot be tried out");
            let answer = fixture.ask(method, &format!("{p}/{path}?dry-run=true")).await;
            assert_eq!(answer.json()["remedy"], "write `dryRun`");
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
    for (method, path) in [("PUT", "job/mother"), ("DELETE", "task/kill/mother")] {
        let path = format!("/scheduler/{path}?dryRun=false");
        assert_eq!(fixture.ask(method, &path).await.status, 204);
    }
    let path = "/scheduler/job/mother?dryRun=false&other=1";
    assert_eq!(fixture.ask("DELETE", path).await.status, 204);
    assert_eq!(fixture.memory.world().jobs.len(), 1);
}

#[tokio::test]
async fn what_a_change_means_for_other_jobs_is_said_in_warnings() {
    let fixture = Fixture::start().await;
    family(&fixture).await;
    let expected = ["299 chronode \"job `child` runs after it\""];
    let replaced = fixture.put("POST", "/scheduler/iso8601", &job("mother")).await;
    assert_eq!((replaced.status, replaced.headers("warning")), (204, expected.to_vec()));
    for index in 0..10 {
        let child = format!(r#"{{"name":"x{index}","command":"true","parents":["mother"]}}"#);
        fixture.put("POST", "/scheduler/dependency", &child).await;
    }
    let deleted = fixture.ask("DELETE", "/v1/scheduler/job/mother").await;
    assert_eq!((deleted.status, deleted.text()), (204, ""));
    let warnings = deleted.headers("warning");
    assert_eq!(warnings.len(), 10, "{warnings:?}");
    assert_eq!(warnings[0], expected[0]);
    assert_eq!(warnings[9], "299 chronode \"and 2 more, which are in the log\"");
}

#[tokio::test]
async fn without_a_leader_changes_are_503_with_a_time_to_try_again() {
    let fixture = Fixture::start().await;
    fixture.memory.world().is_unavailable = true;
    for (method, path, body) in [
        ("POST", "/scheduler/iso8601", job("a")),
        ("PUT", "/v1/scheduler/job/a", String::new()),
        ("DELETE", "/scheduler/job/a", String::new()),
        ("DELETE", "/scheduler/task/kill/a", String::new()),
    ] {
        let answer = fixture.put(method, path, &body).await;
        assert_eq!(answer.message(503), "nobody leads");
        assert_eq!(answer.header("retry-after"), Some("3"));
    }
}
