//! What a scope means where more than the job of the path is concerned: parents, children, pages, sentences.

use serde_json::Value;

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Answer, Fixture, attempt, over, run, running, stretch};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::model::{HistoryEntry, RunState, TaskId, Verdict};

async fn fixture() -> Fixture {
    let callers = [("admin", Role::Admin, ""), ("ed", Role::Editor, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    Fixture::start_with(options).await
}

async fn send(fixture: &Fixture, who: &str, method: &str, path: &str, body: &str) -> Answer {
    let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    fixture.ask_with(method, path, &format!("{}{json}", bearer(who)), body).await
}

fn scheduled(name: &str) -> String {
    format!(r#"{{"name":"{name}","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}}"#)
}

fn after(name: &str, parents: &[&str]) -> String {
    format!(r#"{{"name":"{name}","command":"true","parents":{}}}"#, serde_json::json!(parents))
}

async fn put(fixture: &Fixture, who: &str, body: &str) -> Answer {
    let path = if body.contains("parents") { "dependency" } else { "iso8601" };
    send(fixture, who, "POST", &format!("/scheduler/{path}"), body).await
}

#[tokio::test]
async fn a_name_outside_cannot_be_taken_whether_it_is_there_or_not() {
    let fixture = fixture().await;
    assert_eq!(put(&fixture, "admin", &scheduled("pay")).await.status, 204);
    let told: Vec<Value> = [
        put(&fixture, "ed", &scheduled("pay")).await,
        put(&fixture, "ed", &scheduled("pax")).await,
    ]
    .iter()
    .map(|answer| {
        assert!(answer.message(400).contains("not found"));
        answer.json()["remedy"].clone()
    })
    .collect();
    assert_eq!(told[0], "your credentials cover `bill-*`: give the job such a name");
    assert_eq!(told[0], told[1]);
    assert_eq!(put(&fixture, "ed", &scheduled("bill-1")).await.status, 204);
    // Nor by trying it out.
    let path = "/v1/scheduler/iso8601?dryRun=true";
    send(&fixture, "ed", "POST", path, &scheduled("pay")).await.message(400);
}

#[tokio::test]
async fn a_parent_outside_is_none_in_the_words_for_one_that_is_not_there() {
    let fixture = fixture().await;
    for name in ["pay", "bill-1"] {
        put(&fixture, "admin", &scheduled(name)).await;
    }
    assert_eq!(put(&fixture, "ed", &after("bill-2", &["bill-1"])).await.status, 204);
    let refused = put(&fixture, "ed", &after("bill-3", &["bill-1", "pay"])).await;
    let message = refused.message(400);
    assert_eq!(message, "Job bill-3 does not have all parents defined: `pay` does not exist");
    assert_eq!(refused.json()["field"], "parents");
}

#[tokio::test]
async fn a_job_with_children_outside_is_not_deleted_and_their_names_are_not_told() {
    let fixture = fixture().await;
    for body in [scheduled("bill-1"), after("pay", &["bill-1"]), after("bill-2", &["bill-1"])] {
        assert_eq!(put(&fixture, "admin", &body).await.status, 204);
    }
    for query in ["", "?dryRun=true"] {
        let path = format!("/scheduler/job/bill-1{query}");
        let answer = send(&fixture, "ed", "DELETE", &path, "").await;
        assert!(!answer.message(403).contains("pay"), "{answer:?}");
        assert_eq!(answer.json()["code"], "children_out_of_scope");
    }
    // A change says what it means for other jobs; of those outside nothing.
    let path = "/scheduler/iso8601?dryRun=true";
    let told = send(&fixture, "ed", "POST", path, &scheduled("bill-1")).await.json();
    assert_eq!(told["consequences"], serde_json::json!(["job `bill-2` runs after it"]));
    assert_eq!(send(&fixture, "ed", "DELETE", "/scheduler/job/bill-2", "").await.status, 204);
    assert_eq!(send(&fixture, "admin", "DELETE", "/scheduler/job/pay", "").await.status, 204);
    assert_eq!(send(&fixture, "ed", "DELETE", "/scheduler/job/bill-1", "").await.status, 204);
}

#[tokio::test]
async fn pages_of_the_history_are_full_although_others_ran_between() {
    let fixture = fixture().await;
    for sequence in 1..=60 {
        let job = if sequence % 3 == 0 { "bill-1" } else { "pay" };
        let entry = HistoryEntry::Run(run(sequence, job, over(Verdict::Succeeded), Vec::new()));
        fixture.memory.world().history.push(entry);
    }
    fixture.memory.world().history.push(HistoryEntry::Stretch(stretch(61, "pay")));
    for p in PREFIXES {
        let page = send(&fixture, "ed", "GET", &format!("{p}/runs?limit=10"), "").await.json();
        let runs = page["runs"].as_array().unwrap();
        assert_eq!((runs.len(), runs[0]["sequence"].as_u64()), (10, Some(60)));
        assert!(runs.iter().all(|run| run["job"] == "bill-1"));
        let next = page["next"].as_str().unwrap();
        let path = format!("{p}/runs?limit=10&before={next}");
        let page = send(&fixture, "ed", "GET", &path, "").await.json();
        assert_eq!((page["runs"].as_array().unwrap().len(), &page["next"]), (10, &Value::Null));
        let page = send(&fixture, "ed", "GET", &format!("{p}/runs?job=pay"), "").await.json();
        assert_eq!(page["runs"], serde_json::json!([]));
    }
}

#[tokio::test]
async fn what_is_counted_and_told_of_parents_is_within_the_scope() {
    let fixture = fixture().await;
    for body in [scheduled("pay"), scheduled("bill-1"), after("bill-2", &["pay", "bill-1"])] {
        put(&fixture, "admin", &body).await;
    }
    let info = send(&fixture, "ed", "GET", "/scheduler/info", "").await.json();
    assert_eq!(info["counts"]["jobs"], 2);
    let round = send(&fixture, "ed", "GET", "/scheduler/round/bill-2", "").await.json();
    let parents: Vec<_> =
        round["parents"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(parents, ["bill-1"]);
    let forecast = send(&fixture, "ed", "GET", "/scheduler/forecast?to=2030-01-05T00:00:00Z", "")
        .await
        .text()
        .to_owned();
    assert!(forecast.contains("bill-1") && !forecast.contains("pay"), "{forecast}");
}

#[tokio::test]
async fn a_task_of_a_job_outside_is_answered_as_one_that_nobody_knows_and_nothing_is_done() {
    let fixture = fixture().await;
    let mut ids = Vec::new();
    for (sequence, job) in [(1, "pay"), (2, "bill-1")] {
        let mut attempt = attempt(0, running());
        attempt.task_id = TaskId::from_text(format!("ct:{sequence}:0:{job}:"));
        ids.push(attempt.task_id.as_str().replace(':', "%3A"));
        let run = run(sequence, job, RunState::Active, vec![attempt]);
        fixture.memory.world().history.push(HistoryEntry::Run(run));
    }
    let [pay, bill] = ids.as_slice() else { panic!("{ids:?}") };
    for p in PREFIXES {
        for (who, task, is_done) in
            [("ed", pay, false), ("ed", bill, true), ("admin", pay, true), ("admin", bill, true)]
        {
            fixture.memory.world().requests.clear();
            let path = format!("{p}/task/{task}");
            let answer = send(&fixture, who, "PUT", &path, r#"{"statusCode": 0}"#).await;
            assert_eq!((answer.status, answer.text()), (204, ""), "{who} {path}");
            let asked = fixture.memory.world().requests.len();
            assert_eq!(asked, usize::from(is_done), "{who} {path}");
        }
    }
}
