//! `P/timeline` over HTTP. It is 2030-01-01T00:00:00Z.

use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{
    Fixture, at, attempt, ended, name, over, record, run, running, stretch,
};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::model::{Exit, HistoryEntry, JobRecord, ParentTerms, Run, RunState, Verdict, When};

async fn timeline(fixture: &Fixture, query: &str) -> Value {
    let answer = fixture.ask("GET", &format!("/scheduler/timeline?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

fn put(fixture: &Fixture, text: &str, schedule: &str, change: impl FnOnce(&mut JobRecord)) {
    let mut record = record(text);
    if let When::Schedule(terms) = &mut record.job.when {
        terms.text = schedule.to_owned();
    }
    change(&mut record);
    fixture.memory.world().jobs.insert(name(text), record);
}

fn recorded(sequence: u64, job: &str, at_text: &str, state: RunState) -> Run {
    let mut run = run(sequence, job, state, Vec::new());
    run.created_at = at(at_text);
    run
}

fn keep(fixture: &Fixture, runs: impl IntoIterator<Item = Run>) {
    fixture.memory.world().history.extend(runs.into_iter().map(HistoryEntry::Run));
}

fn lanes(timeline: &Value) -> Vec<&str> {
    let lanes = timeline["lanes"].as_array().unwrap();
    lanes.iter().map(|lane| lane["job"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_lane_has_what_was_and_what_will_be() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", "R/2030-01-01T06:00:00Z/PT6H", |_| {});
    let mut over = recorded(1, "a", "2029-12-31T13:00:00Z", over(Verdict::Succeeded));
    over.attempts = vec![attempt(0, ended(Exit::Code(0)))];
    over.wanted_at = at("2030-01-01T00:00:01Z");
    let mut goes = recorded(3, "a", "2029-12-31T14:00:00Z", RunState::Active);
    goes.attempts = vec![attempt(0, running())];
    keep(&fixture, [over, goes]);
    fixture.memory.world().history.push(HistoryEntry::Stretch(stretch(2, "a")));
    for p in PREFIXES {
        let told = fixture.ask("GET", &format!("{p}/timeline")).await.json();
        let run = |sequence: u64, state: &str, verdict: Value, ended: Value, created: &str| {
            json!({
                "run": format!("j1-m{sequence}"), "state": state, "verdict": verdict, "why": "manual",
                "dueAt": format!("1970-01-01T00:00:00.00{sequence}Z"), "startedAt": "2030-01-01T00:00:01.500Z",
                "endedAt": ended, "createdAt": created,
            })
        };
        let expected = json!({
            "from": "2029-12-31T12:00:00.000Z", "to": "2030-01-01T12:00:00.000Z", "now": "2030-01-01T00:00:00.000Z",
            "total": 1, "next": null,
            "lanes": [{
                "job": "a", "words": "every 6 hours from 2030-01-01T06:00:00Z",
                "runs": [
                    run(1, "ended", json!("succeeded"), json!("2030-01-01T00:00:02.000Z"), "2029-12-31T13:00:00.000Z"),
                    run(3, "active", Value::Null, Value::Null, "2029-12-31T14:00:00.000Z"),
                ],
                "runsLeftOut": false,
                "stretches": [{
                    "verdict": "missed", "firstDueAt": "2030-01-01T00:00:00.000Z",
                    "lastDueAt": "2030-01-01T00:05:00.000Z", "count": 6,
                }],
                // The window has no end: what is due at `to` is not in it.
                "ahead": [{"dueAt": "2030-01-01T06:00:00.000Z", "opensAt": "2030-01-01T06:00:00.000Z"}],
                "aheadLeftOut": false,
                "typicalMs": 1000,
            }],
        });
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn what_does_not_touch_the_window_is_not_in_it() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", "0 * * * *", |_| {});
    let ended_at = |second: &str| RunState::Ended {
        verdict: Verdict::Failed,
        at: at(second),
        reason: String::new(),
    };
    keep(
        &fixture,
        [
            recorded(1, "a", "2029-12-30T00:00:00Z", ended_at("2029-12-30T09:59:59.999Z")),
            recorded(2, "a", "2029-12-30T00:00:00Z", ended_at("2029-12-30T10:00:00Z")),
            recorded(3, "a", "2029-12-30T11:59:59Z", ended_at("2029-12-30T13:00:00Z")),
            recorded(4, "a", "2029-12-30T12:00:00Z", ended_at("2029-12-30T13:00:00Z")),
        ],
    );
    let past = "from=2029-12-30T10:00:00Z&to=2029-12-30T12:00:00Z";
    let told = timeline(&fixture, past).await;
    let runs = told["lanes"][0]["runs"].as_array().unwrap();
    let ids: Vec<_> = runs.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(ids, ["j1-m2", "j1-m3"]);
    assert_eq!(told["lanes"][0]["ahead"], json!([]), "nothing of the past is still to come");
    let future = "from=2030-01-05T10:00:00Z&to=2030-01-05T12:00:00Z";
    let told = timeline(&fixture, future).await;
    assert_eq!(told["lanes"][0]["runs"], json!([]));
    let ahead = told["lanes"][0]["ahead"].as_array().unwrap();
    let due: Vec<_> = ahead.iter().map(|start| start["dueAt"].as_str().unwrap()).collect();
    assert_eq!(due, ["2030-01-05T10:00:00.000Z", "2030-01-05T11:00:00.000Z"]);
    // One end alone is a day's.
    for query in ["from=2030-01-01T00:00:00Z", "to=2030-01-02T00:00:00Z"] {
        let told = timeline(&fixture, query).await;
        assert_eq!(
            (&told["from"], &told["to"]),
            (&json!("2030-01-01T00:00:00.000Z"), &json!("2030-01-02T00:00:00.000Z"),)
        );
    }
}

#[tokio::test]
async fn so_much_of_a_lane_is_told_and_what_is_left_out_is_said() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", "* * * * *", |_| {});
    let runs = |to: u64| {
        (1..=to).map(|sequence| {
            recorded(sequence, "a", "2030-01-01T00:00:00Z", over(Verdict::Succeeded))
        })
    };
    keep(&fixture, runs(300));
    let five_hours = "to=2030-01-01T05:01:00Z&from=2029-12-31T12:00:00Z";
    let told = timeline(&fixture, five_hours).await;
    let lane = &told["lanes"][0];
    let count = |key: &str| lane[key].as_array().unwrap().len();
    assert_eq!((count("runs"), &lane["runsLeftOut"]), (300, &json!(false)));
    assert_eq!((count("ahead"), &lane["aheadLeftOut"]), (300, &json!(false)));
    fixture.memory.world().history.clear();
    keep(&fixture, runs(301));
    let told = timeline(&fixture, "").await;
    let lane = &told["lanes"][0];
    let runs = lane["runs"].as_array().unwrap();
    // The newest runs, and the earliest starts.
    assert_eq!((runs.len(), &runs[0]["run"]), (300, &json!("j1-m2")));
    let ahead = lane["ahead"].as_array().unwrap();
    assert_eq!((ahead.len(), &ahead[0]["dueAt"]), (300, &json!("2030-01-01T00:01:00.000Z")));
    assert_eq!((&lane["runsLeftOut"], &lane["aheadLeftOut"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn lanes_are_found_as_jobs_are() {
    let fixture = Fixture::start().await;
    for text in ["bill-a", "bill-b", "bill-c", "pay"] {
        put(&fixture, text, "0 0 1 1 *", |record| record.job.disabled = text == "pay");
    }
    for (query, expected, total, next) in [
        ("", vec!["bill-a", "bill-b", "bill-c", "pay"], 4, Value::Null),
        ("search=bill&desc", vec!["bill-c", "bill-b", "bill-a"], 3, Value::Null),
        ("search=bill&limit=2", vec!["bill-a", "bill-b"], 3, json!(2)),
        ("search=bill&limit=2&offset=2", vec!["bill-c"], 3, Value::Null),
        ("state=disabled", vec!["pay"], 1, Value::Null),
        ("job=bill-b", vec!["bill-b"], 1, Value::Null),
        ("job=bill-b&search=pay", vec![], 0, Value::Null),
        ("limit=0", vec![], 4, Value::Null),
        ("limit=0&busy=true", vec![], 4, Value::Null),
    ] {
        let told = timeline(&fixture, query).await;
        assert_eq!(lanes(&told), expected, "{query}");
        assert_eq!((&told["total"], &told["next"]), (&json!(total), &next), "{query}");
    }
}

#[tokio::test]
async fn lanes_with_nothing_in_them_can_be_left_out() {
    let fixture = Fixture::start().await;
    for text in ["a", "b", "c", "d", "e", "f"] {
        put(&fixture, text, "0 0 1 7 *", |_| {});
    }
    put(&fixture, "g", "0 9 * * *", |_| {});
    keep(
        &fixture,
        [
            recorded(1, "b", "2030-01-01T00:00:00Z", over(Verdict::Succeeded)),
            recorded(2, "d", "2029-12-31T20:00:00Z", RunState::Active),
            recorded(3, "e", "2029-01-01T20:00:00Z", RunState::Active),
            recorded(4, "f", "2031-01-01T20:00:00Z", RunState::Active),
        ],
    );
    for (query, expected, next) in [
        ("busy=true", vec!["b", "d", "e", "g"], Value::Null),
        ("busy=false&limit=2", vec!["a", "b"], json!(2)),
        ("busy&limit=2", vec!["b", "d"], json!(4)),
        ("busy&limit=2&offset=4", vec!["e", "g"], Value::Null),
        ("busy&limit=1&offset=4", vec!["e"], json!(5)),
    ] {
        let told = timeline(&fixture, query).await;
        assert_eq!(lanes(&told), expected, "{query}");
        assert_eq!((&told["next"], &told["total"]), (&next, &json!(7)), "{query}");
    }
}

#[tokio::test]
async fn nothing_out_of_scope_is_in_a_lane_or_its_words() {
    let callers = [("ed", Role::Viewer, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    put(&fixture, "pay", "0 * * * *", |_| {});
    put(&fixture, "bill-a", "0 * * * *", |_| {});
    put(&fixture, "bill-b", "", |record| {
        record.job.when = When::Parents(ParentTerms::plain(vec![name("bill-a"), name("pay")]));
    });
    put(&fixture, "bill-c", "", |record| {
        record.job.when = When::Parents(ParentTerms::plain(vec![name("pay")]));
    });
    let ask = async |path: &str| fixture.ask_with("GET", path, &bearer("ed"), "").await;
    for p in PREFIXES {
        let answer = ask(&format!("{p}/timeline")).await;
        assert!(!answer.text().contains("pay"), "{answer:?}");
        let told = answer.json();
        assert_eq!((lanes(&told), &told["total"]), (vec!["bill-a", "bill-b", "bill-c"], &json!(3)));
        let words = |index: usize| told["lanes"][index]["words"].as_str().unwrap().to_owned();
        assert_eq!(words(1), "after bill-a and others");
        assert_eq!(words(2), "after others");
        assert!(ask(&format!("{p}/timeline?job=pay")).await.message(400).contains("not found"));
        // The overview says and counts no more.
        let overview = ask(&format!("{p}/overview")).await;
        assert!(!overview.text().contains("pay"), "{overview:?}");
        let told = overview.json();
        assert_eq!((&told["total"], &told["counts"]["all"]), (&json!(3), &json!(3)));
        assert_eq!(told["jobs"][1]["parents"], json!(["bill-a"]));
    }
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused_by_name() {
    let fixture = Fixture::start().await;
    for (query, field) in [
        ("jbo=a", "jbo"),
        ("from=yesterday", "from"),
        ("to=yesterday", "to"),
        ("from=2030-01-01T00:00:00Z&to=2030-01-01T00:00:00Z", "to"),
        ("from=2030-01-01T00:00:00Z&to=2030-03-04T00:00:00.001Z", "to"),
        ("limit=101", "limit"),
        ("busy=perhaps", "busy"),
        ("state=great", "state"),
        ("job=a/b", ""),
        ("job=nobody", ""),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/timeline?{query}")).await;
        answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}");
    }
    timeline(&fixture, "from=2030-01-01T00:00:00Z&to=2030-03-04T00:00:00Z").await;
    fixture.memory.world().panics = true;
    let message = fixture.ask("GET", "/scheduler/timeline").await.message(500);
    assert!(!message.contains("secret.db"), "{message}");
}
