//! The definitions that a job has had, over HTTP.

use serde_json::{Value, json};

use super::super::testing::{Fixture, name};
use super::PREFIXES;
use crate::engine::Request;
use crate::model::{Dialect, EnvVar};

async fn put(fixture: &Fixture, job: &Value) {
    let path =
        if job["parents"].is_null() { "/scheduler/iso8601" } else { "/scheduler/dependency" };
    let answer = fixture.put("POST", path, &job.to_string()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

fn job(name: &str, command: &str) -> Value {
    json!({"name": name, "command": command, "schedule": "R/2030-01-01T00:00:00Z/P1D"})
}

fn with_token(command: &str, value: &str, secret: bool) -> Value {
    let mut job = job("a", command);
    job["environmentVariables"] = json!([{"name": "TOKEN", "value": value, "secret": secret}]);
    job
}

async fn get(fixture: &Fixture, path: &str) -> Value {
    let answer = fixture.ask("GET", path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// What the list says in one line each.
fn lines(page: &Value) -> Vec<(String, bool, bool, Value)> {
    let line = |entry: &Value| {
        let name = format!("{}.{}", entry["incarnation"], entry["revision"]);
        let flag = |key: &str| entry[key].as_bool().unwrap();
        (name, flag("present"), flag("removed"), entry["changed"].clone())
    };
    page["revisions"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn revisions_are_listed_newest_first_with_what_each_changed() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        put(&fixture, &job("a b", "one")).await;
        put(&fixture, &job("other", "x")).await;
        put(&fixture, &job("a b", "two")).await;
        let mut third = job("a b", "two");
        third["retries"] = json!(7);
        third["epsilon"] = json!("PT5M");
        third["arguments"] = json!(["x", "y"]);
        put(&fixture, &third).await;
        let path = format!("{p}/revisions/a%20b");
        let page = get(&fixture, &path).await;
        assert_eq!(page["job"], "a b");
        assert_eq!(page["next"], Value::Null);
        assert_eq!(page["revisions"][0]["acceptedAt"], "2030-01-01T00:00:00.000Z");
        let mut changed = vec!["epsilon", "retries", "arguments"];
        if p != "/scheduler" {
            // What that door does not print comes last.
            changed.rotate_left(1);
        }
        let expected = [
            ("1.3".to_owned(), true, false, json!(changed)),
            ("1.2".to_owned(), false, false, json!(["command"])),
            ("1.1".to_owned(), false, false, Value::Null),
        ];
        assert_eq!(lines(&page), expected);
        // In pages, of which each knows what its last one changed.
        let mut found = Vec::new();
        let mut before = String::new();
        loop {
            let page = get(&fixture, &format!("{path}?limit=1{before}")).await;
            found.extend(lines(&page));
            let Some(next) = page["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(found, expected);
        assert_eq!(lines(&get(&fixture, &format!("{path}?before=1.1")).await), []);
    }
}

#[tokio::test]
async fn of_a_deleted_job_the_last_definition_is_found() {
    let fixture = Fixture::start().await;
    put(&fixture, &job("a", "one")).await;
    put(&fixture, &job("a", "two")).await;
    fixture.ask("DELETE", "/scheduler/job/a").await;
    let page = get(&fixture, "/scheduler/revisions/a").await;
    assert_eq!(lines(&page), [("1.2".to_owned(), false, true, Value::Null)]);
    put(&fixture, &job("a", "three")).await;
    let page = get(&fixture, "/scheduler/revisions/a").await;
    let expected = [
        ("2.1".to_owned(), true, false, Value::Null),
        ("1.2".to_owned(), false, true, Value::Null),
    ];
    assert_eq!(lines(&page), expected, "one life is not compared with another");
    assert_eq!(get(&fixture, "/scheduler/revision/a/1.2").await["command"], "two");
    assert_eq!(get(&fixture, "/scheduler/revision/a/1").await["command"], "three");
    let diff = get(&fixture, "/scheduler/diff/a?from=1.2&to=1").await;
    assert_eq!(diff["changes"][0]["new"], "three");
    assert_eq!(
        diff["from"],
        json!({"incarnation": 1, "revision": 2, "acceptedAt": "2030-01-01T00:00:00.000Z"})
    );
    assert_eq!(diff["to"]["incarnation"], 2);
}

#[tokio::test]
async fn a_revision_is_shown_as_it_could_be_sent() {
    for (p, dialect) in PREFIXES.into_iter().zip([Dialect::V0, Dialect::V1]) {
        let fixture = Fixture::start().await;
        put(&fixture, &job("a", "one")).await;
        put(&fixture, &job("a", "two")).await;
        let answer = fixture.ask("GET", &format!("{p}/revision/a/1")).await;
        assert_eq!(answer.header("etag"), Some("\"1.1\""));
        assert_eq!(answer.header("chronode-revision"), Some("1"));
        let found = answer.json();
        assert_eq!(found["command"], "one");
        assert_eq!(found.get("epsilon").is_some(), dialect == Dialect::V0);
        assert_eq!(found.get("successCount"), None, "counts are no part of a definition");
        let sent = fixture.put("PUT", &format!("{p}/iso8601"), &found.to_string()).await;
        assert_eq!(sent.status, 204, "{sent:?}");
        let job = fixture.ask("GET", &format!("{p}/job/a")).await;
        assert_eq!(job.json()["command"], "one");
        assert_eq!(job.header("etag"), Some("\"1.3\""));
        assert_eq!(job.header("chronode-revision"), Some("3"));
    }
}

#[tokio::test]
async fn a_tag_is_no_reason_to_say_that_nothing_has_changed() {
    let fixture = Fixture::start().await;
    put(&fixture, &job("a", "one")).await;
    let etag = fixture.ask("GET", "/scheduler/job/a").await.header("etag").unwrap().to_owned();
    fixture.memory.world().jobs.get_mut(&name("a")).unwrap().stats.success_count = 5;
    let header = format!("If-None-Match: {etag}\r\n");
    let answer = fixture.ask_with("GET", "/scheduler/job/a", &header, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["successCount"], 5);
    assert_eq!(answer.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn two_revisions_are_compared_field_by_field() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "hush-1", true)).await;
    put(&fixture, &with_token("two", "hush-1", true)).await;
    put(&fixture, &with_token("two", "hush-2", true)).await;
    let command = json!({"field": "command", "old": "one", "new": "two", "secret": false});
    let token = json!({"field": "environmentVariables[0].value", "old": "***", "new": "***", "secret": true});
    for p in PREFIXES {
        let changes = async |query: &str| {
            let answer = fixture.ask("GET", &format!("{p}/diff/a{query}")).await;
            assert!(!answer.text().contains("hush"), "{}", answer.text());
            answer.json()["changes"].clone()
        };
        // The latest with the one before.
        assert_eq!(changes("").await, json!([token]));
        assert_eq!(changes("?to=2").await, json!([command]));
        assert_eq!(changes("?from=1").await, json!([command, token]));
        assert_eq!(changes("?from=1.1&to=1.3").await, json!([command, token]));
        assert_eq!(changes("?from=2&to=2").await, json!([]));
        let back = json!({"field": "command", "old": "two", "new": "one", "secret": false});
        assert_eq!(changes("?from=2&to=1").await, json!([back]));
    }
}

#[tokio::test]
async fn what_is_a_secret_by_now_is_one_in_every_revision() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "hush-1", false)).await;
    put(&fixture, &with_token("one", "hush-2", true)).await;
    for path in ["revision/a/1", "revision/a/2", "diff/a", "diff/a?from=2&to=1", "revisions/a"] {
        let answer = fixture.ask("GET", &format!("/scheduler/{path}")).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains("hush"), "{path}: {}", answer.text());
    }
    let path = "/scheduler/rollback/a?to=1&dryRun=true";
    let answer = fixture.ask("POST", path).await;
    assert!(!answer.text().contains("hush"), "{}", answer.text());
}

#[tokio::test]
async fn what_was_a_secret_once_stays_one_when_the_variable_is_gone() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "hush-1", false)).await;
    put(&fixture, &with_token("one", "hush-2", true)).await;
    // More than are read at one time.
    for index in 0..30 {
        put(&fixture, &job("a", &format!("later {index}"))).await;
    }
    for path in ["revision/a/1", "revision/a/2", "diff/a?from=1", "diff/a?from=1&to=2"] {
        let answer = fixture.ask("GET", &format!("/scheduler/{path}")).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains("hush"), "{path}: {}", answer.text());
    }
    let shown = get(&fixture, "/scheduler/revision/a/1").await;
    assert_eq!(shown["environmentVariables"][0]["value"], "***");
    // Nor is it, when the job is deleted and another one gets its name.
    assert_eq!(fixture.ask("DELETE", "/scheduler/job/a").await.status, 204);
    put(&fixture, &with_token("one", "plain", false)).await;
    put(&fixture, &job("b", "one")).await;
    let shown = get(&fixture, "/scheduler/revision/a/2.1").await;
    assert_eq!(shown["environmentVariables"][0]["value"], "plain", "nothing is kept that hides it");
}

#[tokio::test]
async fn a_roll_back_stores_the_earlier_definition_as_a_new_revision() {
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        put(&fixture, &with_token("one", "hush-1", true)).await;
        put(&fixture, &with_token("two", "hush-2", true)).await;
        let before = fixture.memory.world().jobs[&name("a")].job.clone();
        let path = format!("{p}/rollback/a?to=1");
        let dry = fixture.ask("POST", &format!("{path}&dryRun=true")).await;
        assert_eq!(dry.status, 200);
        let expected = json!({"dryRun": true, "created": false, "warnings": [], "consequences": [],
        "changes": [
            {"field": "command", "old": "two", "new": "one", "secret": false},
            {"field": "environmentVariables[0].value", "old": "***", "new": "***", "secret": true},
        ]});
        assert_eq!(dry.json(), expected);
        assert_eq!(fixture.memory.world().jobs[&name("a")].job, before);

        let answer = fixture.ask("POST", &path).await;
        assert_eq!((answer.status, answer.text()), (204, ""));
        let record = fixture.memory.world().jobs[&name("a")].clone();
        assert_eq!((record.incarnation.0, record.revision), (1, 3));
        let token = EnvVar { name: "TOKEN".to_owned(), value: "hush-1".to_owned(), secret: true };
        assert_eq!(record.job.environment, [token]);
        assert_eq!(record.job.command, "one");
        let requests = fixture.memory.world().requests.len();
        assert_eq!(requests, 4, "each was one request to the loop");
        assert_eq!(get(&fixture, &format!("{p}/diff/a?from=1&to=3")).await["changes"], json!([]));
    }
}

#[tokio::test]
async fn a_deleted_job_can_be_brought_back() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "hush-1", true)).await;
    fixture.ask("DELETE", "/scheduler/job/a").await;
    let dry = fixture.ask("POST", "/scheduler/rollback/a?to=1&dryRun=true").await.json();
    assert_eq!((&dry["created"], &dry["changes"]), (&json!(true), &Value::Null));
    assert_eq!(fixture.ask("POST", "/scheduler/rollback/a?to=1").await.status, 204);
    let record = fixture.memory.world().jobs[&name("a")].clone();
    assert_eq!((record.incarnation.0, record.revision), (2, 1), "it is another life of the name");
    assert_eq!(record.job.environment[0].value, "hush-1");
}

#[tokio::test]
async fn a_variable_that_was_hidden_since_stays_hidden() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "plain", false)).await;
    put(&fixture, &with_token("one", "hush", true)).await;
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=1").await;
    assert_eq!(answer.status, 204);
    let [warning] = answer.headers("warning")[..] else { panic!("{answer:?}") };
    assert!(warning.contains("`TOKEN` has its earlier value and stays a secret"), "{warning}");
    let token = fixture.memory.world().jobs[&name("a")].job.environment[0].clone();
    assert_eq!((token.value.as_str(), token.secret), ("plain", true));
}

#[tokio::test]
async fn a_value_that_stands_for_a_secret_is_not_brought_back() {
    let fixture = Fixture::start().await;
    put(&fixture, &with_token("one", "***", false)).await;
    put(&fixture, &with_token("one", "hush", true)).await;
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=1").await;
    let message = answer.message(400);
    assert!(message.contains("the value of `TOKEN` is `***`"), "{message}");
    assert_eq!(answer.json()["field"], "environmentVariables");
    assert_eq!(fixture.memory.world().jobs[&name("a")].revision, 2);
}

#[tokio::test]
async fn what_the_engine_says_to_an_earlier_definition_is_passed_on() {
    let fixture = Fixture::start().await;
    let mut disabled = job("a", "one");
    disabled["disabled"] = json!(true);
    put(&fixture, &disabled).await;
    put(&fixture, &job("a", "two")).await;
    put(&fixture, &json!({"name": "child", "command": "x", "parents": ["a"]})).await;
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=1").await;
    let warnings = answer.headers("warning");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("it is disabled"));
    assert!(warnings[1].contains("job `child` runs after it"));
    // A schedule that is none any more, as after an upgrade.
    {
        let mut world = fixture.memory.world();
        let crate::model::When::Schedule(terms) = &mut world.revisions[0].job.when else {
            panic!()
        };
        terms.text = "soon".to_owned();
    }
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=1").await;
    assert!(answer.message(400).contains("Cannot parse schedule"));
    fixture.memory.world().is_unavailable = true;
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=2").await;
    answer.message(503);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_makes_no_sense_is_refused() {
    let fixture = Fixture::start().await;
    put(&fixture, &job("a", "one")).await;
    let cases = [
        ("GET", "revisions/nobody", 404, "unknown_job"),
        ("GET", "revisions/a%2Fb", 404, "unknown_job"),
        ("GET", "revision/nobody/1", 404, "unknown_job"),
        ("GET", "revision/a/2", 404, "unknown_revision"),
        ("GET", "revision/a/0", 404, "unknown_revision"),
        ("GET", "revision/a/2.1", 404, "unknown_revision"),
        ("GET", "revision/a/x", 404, "unknown_revision"),
        ("GET", "revision/a/18446744073709551615", 404, "unknown_revision"),
        ("GET", "diff/nobody", 404, "unknown_job"),
        ("GET", "diff/a", 404, "unknown_revision"),
        ("GET", "diff/a?from=1&to=9", 404, "unknown_revision"),
        ("GET", "diff/a?from=9&to=1", 404, "unknown_revision"),
        ("POST", "rollback/nobody?to=1", 404, "unknown_job"),
        ("POST", "rollback/a?to=2", 404, "unknown_revision"),
        ("GET", "revisions/a?limit=0", 400, "invalid_field"),
        ("GET", "revisions/a?limit=101", 400, "invalid_field"),
        ("GET", "revisions/a?before=1", 400, "invalid_field"),
        ("GET", "revisions/a?after=1.1", 400, "invalid_field"),
        ("GET", "diff/a?from=first", 400, "invalid_field"),
        ("GET", "diff/a?form=1", 400, "invalid_field"),
        ("POST", "rollback/a", 400, "invalid_field"),
        ("POST", "rollback/a?to=-1", 400, "invalid_field"),
        ("POST", "rollback/a?to=1&dry_run=true", 400, "invalid_field"),
        ("POST", "rollback/a?to=1&dryRun=yes", 400, "invalid_field"),
        ("GET", "rollback/a?to=1", 405, "method_not_allowed"),
    ];
    for p in PREFIXES {
        for (method, path, status, code) in cases {
            let answer = fixture.ask(method, &format!("{p}/{path}")).await;
            assert!(!answer.message(status).is_empty(), "{path}");
            assert_eq!(answer.json()["code"], code, "{path}: {}", answer.text());
        }
    }
    let world = fixture.memory.world();
    let is_put = |request: &&Request| matches!(request, Request::PutJob { .. });
    assert_eq!(world.requests.iter().filter(is_put).count(), 1, "nothing was stored");
}

/// Between the look at what the job is and the roll back somebody else may replace it.
#[tokio::test]
async fn a_roll_back_does_not_undo_what_nobody_has_seen() {
    let path = "/scheduler/rollback/a?to=1";
    for (headers, words) in
        [("", "while it was being rolled back"), ("If-Match: *\r\n", "is another")]
    {
        let fixture = Fixture::start().await;
        put(&fixture, &job("a", "one")).await;
        put(&fixture, &job("a", "two")).await;
        fixture.memory.world().before = Some(Box::new(|world| {
            let record = world.jobs.get_mut(&name("a")).unwrap();
            record.revision += 1;
            record.job.command = "theirs".to_owned();
        }));
        let answer = fixture.ask_with("POST", path, headers, "").await;
        assert!(answer.message(412).contains(words), "{answer:?}");
        assert_eq!(answer.json()["code"], "changed");
        assert_ne!(answer.json()["remedy"], "");
        assert_eq!(fixture.memory.world().jobs[&name("a")].job.command, "theirs");
        // Whoever has looked again means it.
        assert_eq!(fixture.ask("POST", path).await.status, 204);
        assert_eq!(fixture.memory.world().jobs[&name("a")].job.command, "one");
    }

    let fixture = Fixture::start().await;
    put(&fixture, &job("a", "one")).await;
    put(&fixture, &job("a", "two")).await;
    // That Chronode disables the job meanwhile is no change of anybody's.
    fixture.memory.world().before =
        Some(Box::new(|world| world.jobs.get_mut(&name("a")).unwrap().job.disabled = true));
    assert_eq!(fixture.ask("POST", path).await.status, 204);
    assert!(!fixture.memory.world().jobs[&name("a")].job.disabled);
    // One that was gone, and is there again: another life of the name.
    fixture.ask("DELETE", "/scheduler/job/a").await;
    let theirs = fixture.memory.world().revisions.last().unwrap().job.clone();
    fixture.memory.world().before = Some(Box::new(move |world| {
        let mut record = super::super::testing::record("a");
        record.job = theirs;
        world.jobs.insert(name("a"), record);
    }));
    let answer = fixture.ask("POST", "/scheduler/rollback/a?to=3").await;
    assert!(answer.message(412).contains("while it was being rolled back"), "{answer:?}");
    // What the client demands itself counts beside it.
    let path = "/scheduler/rollback/a?to=3";
    let stale = fixture.ask_with("POST", path, "If-Match: \"9.9\"\r\n", "").await;
    stale.message(412);
    assert_eq!(fixture.ask_with("POST", path, "If-Match: *\r\n", "").await.status, 204);
}

#[tokio::test]
async fn a_roll_back_is_answered_again_although_the_revision_has_gone() {
    let fixture = Fixture::start().await;
    put(&fixture, &job("a", "one")).await;
    put(&fixture, &job("a", "two")).await;
    let ask = async |to: u32| {
        let path = format!("/scheduler/rollback/a?to={to}");
        fixture.ask_with("POST", &path, "Idempotency-Key: one\r\n", "").await
    };
    let first = ask(1).await;
    assert_eq!(first.status, 204);
    fixture.memory.world().revisions.retain(|found| found.id.revision > 1);
    fixture.ask("POST", "/scheduler/rollback/a?to=1").await.message(404);
    let again = ask(1).await;
    assert_eq!((again.status, again.header("etag")), (204, first.header("etag")));
    assert_eq!(fixture.memory.world().jobs[&name("a")].revision, 3, "it is not carried out again");
    assert_eq!(ask(2).await.json()["code"], "key_reused");
    // The key of another request is no answer.
    let run = ("PUT", "/scheduler/job/a", "Idempotency-Key: run\r\n");
    assert_eq!(fixture.ask_with(run.0, run.1, run.2, "").await.status, 204);
    let answer = fixture.ask_with("POST", "/scheduler/rollback/a?to=2", run.2, "").await;
    assert_eq!(answer.json()["code"], "key_reused");
}
