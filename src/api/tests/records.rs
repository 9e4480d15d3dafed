//! What is recorded of requests, and who may read it.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Fixture, over, run};
use super::super::{Options, Role};
use crate::audit::{Audit, Filter, Limits};
use crate::model::{HistoryEntry, Verdict};

const JOB: &str = r#"{"name":"bill-1","command":"echo CANARY","schedule":"R/2030-01-01T00:00:00Z/P1D",
    "environmentVariables":[{"name":"KEY","value":"CANARY","secret":true}]}"#;

struct Recorded {
    fixture: Fixture,
    audit: Audit,
    place: tempfile::TempDir,
}

async fn start(limits: Limits, is_required: bool) -> Recorded {
    let place = tempfile::tempdir().unwrap();
    let audit = Audit::open(place.path(), limits, is_required).unwrap();
    let callers = [
        ("admin", Role::Admin, ""),
        ("ed", Role::Editor, "bill-*"),
        ("eve", Role::Viewer, "other-*"),
    ];
    let options = Options {
        authenticator: Some(admitting(&callers)),
        audit: Some(audit.clone()),
        ..Options::default()
    };
    Recorded { fixture: Fixture::start_with(options).await, audit, place }
}

impl Recorded {
    async fn send(&self, who: &str, method: &str, path: &str, body: &str) -> u16 {
        let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let who = if who.is_empty() { String::new() } else { bearer(who) };
        self.fixture.ask_with(method, path, &format!("{who}{json}"), body).await.status
    }

    /// All records, the oldest first.
    fn records(&self) -> Vec<Value> {
        let mut records = self.audit.read(&Filter::default(), None, 1_000).unwrap().records;
        records.reverse();
        records
    }
}

#[tokio::test]
async fn every_change_is_recorded_with_who_what_and_outcome_but_no_values() {
    let it = start(Limits::default(), false).await;
    for (method, path, body, status) in [
        ("POST", "/scheduler/iso8601", JOB, 204),
        ("PUT", "/v1/scheduler/iso8601", JOB, 204),
        ("PUT", "/scheduler/job/bill-1?arguments=CANARY", "", 204),
        ("DELETE", "/scheduler/task/kill/bill-1", "", 204),
        ("POST", "/scheduler/iso8601?dryRun=true", JOB, 200),
        ("DELETE", "/v1/scheduler/job/bill-1", "", 204),
        ("DELETE", "/v1/scheduler/job/bill-1", "", 400),
        ("GET", "/scheduler/jobs", "", 200),
        ("POST", "/scheduler/preview", JOB, 200),
    ] {
        assert_eq!(it.send("ed", method, path, body).await, status, "{method} {path}");
    }
    let records = it.records();
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            (
                it["what"].as_str().unwrap(),
                it["door"].as_str().unwrap(),
                it["path"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("put", "/scheduler", "/scheduler/iso8601"),
            ("put", "/v1/scheduler", "/v1/scheduler/iso8601"),
            ("run", "/scheduler", "/scheduler/job/bill-1"),
            ("kill", "/scheduler", "/scheduler/task/kill/bill-1"),
            ("delete", "/v1/scheduler", "/v1/scheduler/job/bill-1"),
            ("delete", "/v1/scheduler", "/v1/scheduler/job/bill-1"),
        ]
    );
    for record in &records {
        assert_eq!((&record["caller"], &record["role"]), (&json!("ed"), &json!("editor")));
        assert!(record["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{record}");
        assert_eq!(record["jobs"], json!(["bill-1"]));
        assert!(record["requestId"].is_string() && record["at"].is_string(), "{record}");
    }
    assert_eq!((&records[0]["revision"], &records[1]["revision"]), (&json!(1), &json!(2)));
    assert!(records[2]["run"].is_string());
    assert_eq!(records[0]["outcome"], json!({"result": "done"}));
    let refused = json!({"result": "refused", "status": 400, "code": "unknown_job"});
    assert_eq!(records[5]["outcome"], refused);
    let text = std::fs::read_to_string(it.place.path().join("audit.jsonl")).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
}

#[tokio::test]
async fn the_reason_of_a_stop_and_of_a_deletion_is_recorded_and_still_there_after_a_restart() {
    for p in ["/scheduler", "/v1/scheduler"] {
        let it = start(Limits::default(), false).await;
        assert_eq!(it.send("ed", "POST", &format!("{p}/iso8601"), JOB).await, 204);
        for (who, path, status) in [
            ("ed", "task/kill/bill-1?reason=it%20hangs", 204),
            ("ed", "task/kill/bill-1", 204),
            ("ed", "job/bill-1?dryRun=true&reason=only%20tried", 200),
            // Who may do it is asked as before, and a reason opens nothing.
            ("eve", "task/kill/bill-1?reason=please", 403),
            ("eve", "job/bill-1?reason=please", 403),
            ("ed", "job/bill-1?reason=nobody+needs+it+%C3%A9", 204),
            ("ed", "job/bill-1?reason=again", 400),
        ] {
            assert_eq!(it.send(who, "DELETE", &format!("{p}/{path}"), "").await, status, "{path}");
        }
        let Recorded { fixture, audit, place } = it;
        drop((fixture, audit));
        let audit = Audit::open(place.path(), Limits::default(), false).unwrap();
        let mut records = audit.read(&Filter::default(), None, 100).unwrap().records;
        records.reverse();
        let told: Vec<_> = records
            .iter()
            .filter(|it| it["caller"] == "ed" && it["method"] == "DELETE")
            .map(|it| (it["what"].as_str().unwrap(), it["reason"].as_str()))
            .collect();
        let expected = [
            ("kill", Some("it hangs")),
            ("kill", None),
            ("delete", Some("nobody needs it é")),
            ("delete", Some("again")),
        ];
        assert_eq!(told, expected, "{p}");
    }
}

#[tokio::test]
async fn every_job_of_a_large_change_is_named_in_one_record_or_another() {
    let it = start(Limits::default(), false).await;
    let name = |number: u32| format!("bill-{number:03}");
    let jobs: Vec<String> = (0..250).map(|it| JOB.replace("bill-1", &name(it))).collect();
    let body = format!("{{\"jobs\":[{}]}}", jobs.join(","));
    assert_eq!(it.send("ed", "POST", "/scheduler/apply?dryRun=true", &body).await, 200);
    assert_eq!(it.records(), [] as [Value; 0]);
    assert_eq!(it.send("ed", "POST", "/scheduler/apply", &body).await, 200);
    // Without names it concerns all, which the reply tells alone.
    assert_eq!(it.send("admin", "POST", "/scheduler/cutover", "{}").await, 200);
    let records = it.records();
    for what in ["apply", "cutOver"] {
        let of: Vec<_> = records.iter().filter(|record| record["what"] == what).collect();
        let counts: Vec<_> = of.iter().map(|it| it["jobs"].as_array().unwrap().len()).collect();
        assert_eq!(counts, [100, 100, 50], "{what}");
        let mut named: Vec<_> =
            of.iter().flat_map(|it| it["jobs"].as_array().unwrap()).cloned().collect();
        named.sort_by_key(Value::to_string);
        assert_eq!(named, (0..250).map(|it| json!(name(it))).collect::<Vec<_>>(), "{what}");
        assert!(of.iter().all(|it| it["requestId"] == of[0]["requestId"]), "{what}");
        assert!(of.iter().all(|it| it["detail"].as_str().unwrap().contains("250 jobs")));
    }
    // What was refused is one record, however many it names.
    let before = records.len();
    let body = body.replace("R/2030-01-01T00:00:00Z/P1D", "R/2030-01-01T00:00:00Z/P1D,");
    assert_eq!(it.send("ed", "POST", "/scheduler/apply", &body).await, 400);
    assert!(it.records().len() <= before + 1);
}

#[tokio::test]
async fn what_may_be_a_repeated_answer_says_so() {
    let it = start(Limits::default(), false).await;
    let headers = format!("{}Content-Type: application/json\r\n", bearer("ed"));
    let keyed = format!("{headers}Idempotency-Key: k-1\r\n");
    for headers in [&keyed, &keyed, &headers] {
        let answer = it.fixture.ask_with("POST", "/scheduler/iso8601", headers, JOB).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let records = it.records();
    let told: Vec<_> =
        records.iter().map(|it| (it.get("idempotencyKey"), &it["revision"])).collect();
    let (yes, one, two) = (json!(true), json!(1), json!(2));
    assert_eq!(told, [(Some(&yes), &one), (Some(&yes), &one), (None, &two)]);
}

#[tokio::test]
async fn arguments_in_the_id_of_a_task_are_not_recorded() {
    let it = start(Limits::default(), false).await;
    assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 204);
    let progress = r#"{"numAdditionalElementsProcessed":1}"#;
    for (who, method, path, body) in [
        ("admin", "PUT", "/scheduler/task/ct:1:0:bill-1:CANARY", r#"{"statusCode":0}"#),
        ("admin", "PUT", "/scheduler/task/ct%3A1%3A0%3Abill-1%3ACANARY", r#"{"statusCode":0}"#),
        ("admin", "POST", "/scheduler/job/bill-1/task/ct:1:0:bill-1:CANARY/progress", progress),
        ("eve", "PUT", "/scheduler/task/ct:1:0:bill-1:CANARY", r#"{"statusCode":0}"#),
        ("", "PUT", "/scheduler/task/ct:1:0:bill-1:CANARY", r#"{"statusCode":0}"#),
    ] {
        it.send(who, method, path, body).await;
    }
    let records = it.records();
    let told: Vec<_> =
        records.iter().skip(1).map(|it| (it["what"].as_str().unwrap(), it.get("jobs"))).collect();
    let job = json!(["bill-1"]);
    assert_eq!(
        told,
        [
            ("completeTask", Some(&job)),
            ("completeTask", Some(&job)),
            ("progress", Some(&job)),
            ("request", None),
            ("request", None),
        ]
    );
    assert_eq!(records[1]["path"], "/scheduler/task/ct:1:0:bill-1");
    assert_eq!(records[3]["path"], "/scheduler/job/bill-1/task/ct:1:0:bill-1/progress");
    let text = std::fs::read_to_string(it.place.path().join("audit.jsonl")).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
}

#[tokio::test]
async fn attempts_that_are_refused_are_recorded_too() {
    let it = start(Limits::default(), false).await;
    assert_eq!(it.send("", "DELETE", "/scheduler/job/bill-1", "").await, 401);
    assert_eq!(it.send("eve", "DELETE", "/scheduler/job/bill-1", "").await, 403);
    assert_eq!(it.send("ed", "PUT", "/scheduler/job/pay", "").await, 400);
    it.fixture.memory.world().is_unavailable = true;
    assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 503);
    let records = it.records();
    let told: Vec<_> = records.iter().map(|it| (&it["caller"], &it["outcome"])).collect();
    let refused =
        |status: u16, code: &str| json!({"result": "refused", "status": status, "code": code});
    assert_eq!(
        told,
        [
            (&json!(""), &refused(401, "credentials_missing")),
            (&json!("eve"), &refused(403, "role_too_low")),
            (&json!("ed"), &refused(400, "out_of_scope")),
            (&json!("ed"), &json!({"result": "unknown"})),
        ]
    );
}

#[tokio::test]
async fn of_many_refusals_a_burst_is_recorded_also_where_the_engine_refuses() {
    let it = start(Limits::default(), false).await;
    for _ in 0..200 {
        assert_eq!(it.send("ed", "DELETE", "/scheduler/job/bill-1", "").await, 400);
    }
    // One a second comes to the burst.
    let records = it.records().len();
    assert!((60..200).contains(&records), "{records}");
    // What is done is recorded all the same.
    assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 204);
    assert_eq!(it.records().last().unwrap()["what"], "put");
}

#[tokio::test]
async fn what_is_out_of_scope_and_answered_as_if_it_were_not_there_is_recorded() {
    let it = start(Limits::default(), false).await;
    let status = it.send("ed", "PUT", "/scheduler/task/ct%3A1%3A0%3Apay%3A", r#"{"statusCode":0}"#);
    assert_eq!(status.await, 204);
    assert_eq!(it.send("ed", "PUT", "/scheduler/job/success/pay", "").await, 200);
    // A run that there is not is no more than not found.
    let failed = run(1, "pay", over(Verdict::Failed), Vec::new());
    let paths = [failed.id.to_string(), "j9-m9".to_owned()]
        .map(|run| format!("/v1/scheduler/run/{run}/retry"));
    it.fixture.memory.world().history.push(HistoryEntry::Run(failed));
    for path in paths {
        assert_eq!(it.send("ed", "POST", &path, r#"{"reason":"so"}"#).await, 404);
    }
    let records = it.records();
    let told: Vec<_> =
        records.iter().map(|it| (&it["what"], &it["jobs"], &it["outcome"])).collect();
    let refused =
        |status: u16| json!({"result": "refused", "status": status, "code": "out_of_scope"});
    assert_eq!(
        told,
        [
            (&json!("completeTask"), &json!(["pay"]), &refused(204)),
            (&json!("markSuccess"), &json!(["pay"]), &refused(400)),
            (&json!("retry"), &json!(["pay"]), &refused(404)),
        ]
    );
}

#[tokio::test]
async fn only_an_administrator_of_everything_reads_the_log_in_pages() {
    let it = start(Limits::default(), false).await;
    for number in 0..5 {
        let body = JOB.replace("bill-1", &format!("bill-{number}"));
        assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", &body).await, 204);
    }
    let read = async |query: &str| {
        let path = format!("/scheduler/audit{query}");
        it.fixture.ask_with("GET", &path, &bearer("admin"), "").await
    };
    let first = read("?limit=2").await.json();
    let jobs = |page: &Value| -> Vec<String> {
        page["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["jobs"][0].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(jobs(&first), ["bill-4", "bill-3"]);
    let next = first["next"].as_str().unwrap();
    assert_eq!(
        jobs(&read(&format!("?limit=9&before={next}")).await.json()),
        ["bill-2", "bill-1", "bill-0"]
    );
    assert_eq!(jobs(&read("?job=bill-2&caller=ed").await.json()), ["bill-2"]);
    assert_eq!(jobs(&read("?caller=ann").await.json()), [""; 0]);
    for query in ["?limit=0", "?limit=1001", "?before=x", "?jbo=a", "?limit=1&limit=2"] {
        read(query).await.message(400);
    }
    assert_eq!(it.send("ed", "GET", "/scheduler/audit", "").await, 403);
}

#[tokio::test]
async fn a_change_is_refused_while_it_cannot_be_recorded_if_that_is_required() {
    for is_required in [false, true] {
        let it = start(Limits { file_bytes: 1, old_files: 1 }, is_required).await;
        assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 204);
        let obstacle = it.place.path().join("audit.jsonl.1");
        std::fs::create_dir_all(obstacle.join("x")).unwrap();
        // This one is done before it is known that it cannot be recorded.
        assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 204);
        let status = it.send("ed", "POST", "/scheduler/iso8601", JOB).await;
        assert_eq!(status, if is_required { 503 } else { 204 });
        // Reading and trying out goes on.
        assert_eq!(it.send("ed", "GET", "/scheduler/jobs", "").await, 200);
        assert_eq!(it.send("ed", "POST", "/scheduler/iso8601?dryRun=true", JOB).await, 200);
        std::fs::remove_dir_all(&obstacle).unwrap();
        assert_eq!(it.send("ed", "POST", "/scheduler/iso8601", JOB).await, 204);
    }
}
