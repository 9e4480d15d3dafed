//! `P/layout` over HTTP. It is 2030-01-01T00:00:00Z.

use std::collections::BTreeSet;

use futures_util::future;
use serde_json::{Value, json};

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Fixture, attempt, over, run, running};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::model::{HistoryEntry, RunState, Verdict};

async fn put(fixture: &Fixture, headers: &str, body: &Value) {
    let path = if body["parents"].is_null() { "iso8601" } else { "dependency" };
    let headers = format!("{headers}Content-Type: application/json\r\n");
    let path = format!("/scheduler/{path}");
    let answer = fixture.ask_with("POST", &path, &headers, &body.to_string()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

fn job(name: &str, parents: &[&str]) -> Value {
    let mut body = json!({"name": name, "command": "true", "owner": ""});
    match parents {
        [] => body["schedule"] = "R/2030-01-02T00:00:00Z/P1D".into(),
        parents => body["parents"] = json!(parents),
    }
    body
}

/// a→b→d, a→c→d, d→e, and x→y; z alone.
const JOBS: [(&str, &[&str]); 8] = [
    ("a", &[]),
    ("b", &["a"]),
    ("c", &["a"]),
    ("d", &["b", "c"]),
    ("e", &["d"]),
    ("x", &[]),
    ("y", &["x"]),
    ("z", &[]),
];

async fn fixture() -> Fixture {
    let fixture = Fixture::start().await;
    for (name, parents) in JOBS {
        put(&fixture, "", &job(name, parents)).await;
    }
    fixture
}

async fn layout(fixture: &Fixture, query: &str) -> Value {
    let answer = fixture.ask("GET", &format!("/scheduler/layout{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

fn names(answer: &Value) -> Vec<&str> {
    answer["nodes"].as_array().unwrap().iter().map(|it| it["job"].as_str().unwrap()).collect()
}

fn edges(answer: &Value) -> BTreeSet<(&str, &str)> {
    let edges = answer["edges"].as_array().unwrap().iter();
    edges.map(|it| (it["from"].as_str().unwrap(), it["to"].as_str().unwrap())).collect()
}

fn node<'a>(answer: &'a Value, job: &str) -> &'a Value {
    answer["nodes"].as_array().unwrap().iter().find(|it| it["job"] == job).unwrap()
}

#[tokio::test]
async fn all_jobs_that_follow_others_or_are_followed_are_drawn_from_left_to_right() {
    let fixture = fixture().await;
    let drawn = layout(&fixture, "").await;
    assert_eq!(names(&drawn), ["a", "b", "c", "d", "e", "x", "y"]);
    assert_eq!((&drawn["total"], &drawn["leftOut"]), (&json!(7), &json!(0)));
    let expected = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e"), ("x", "y")].into();
    assert_eq!(edges(&drawn), expected);
    let number = |value: &Value| value.as_i64().unwrap();
    for edge in drawn["edges"].as_array().unwrap() {
        let (from, to) = (node(&drawn, edge["from"].as_str().unwrap()), &edge["to"]);
        let to = node(&drawn, to.as_str().unwrap());
        let points = edge["points"].as_array().unwrap();
        assert_eq!(number(&points[0][0]), number(&from["x"]) + number(&from["width"]), "{edge}");
        assert_eq!(points.last().unwrap()[0], to["x"], "{edge}");
        assert!(points.windows(2).all(|pair| number(&pair[0][0]) < number(&pair[1][0])), "{edge}");
    }
    for node in drawn["nodes"].as_array().unwrap() {
        assert!(number(&node["x"]) + number(&node["width"]) <= number(&drawn["width"]), "{node}");
        assert!(number(&node["y"]) + number(&node["height"]) <= number(&drawn["height"]), "{node}");
    }
    for prefix in PREFIXES {
        let again = fixture.ask("GET", &format!("{prefix}/layout")).await.json();
        assert_eq!(again, drawn, "the same jobs make the same picture");
    }
    // Nothing is asked of the loop.
    assert_eq!(fixture.memory.world().requests.len(), JOBS.len());
}

#[tokio::test]
async fn a_node_says_how_its_job_is() {
    let fixture = fixture().await;
    let mut disabled = job("e", &["d"]);
    disabled["disabled"] = true.into();
    put(&fixture, "", &disabled).await;
    let paused = fixture.put("POST", "/scheduler/pause", r#"{"job":"b"}"#).await;
    assert_eq!(paused.status, 200, "{paused:?}");
    let (first, newest) = (
        run(1, "a", over(Verdict::Succeeded), Vec::new()),
        run(2, "a", RunState::Active, vec![attempt(0, running())]),
    );
    fixture.memory.world().history.extend([first, newest.clone()].map(HistoryEntry::Run));
    let drawn = layout(&fixture, "?job=a&down=9").await;
    let keys = [
        "children", "disabled", "height", "job", "lastRun", "nextDue", "parents", "paused",
        "state", "status", "width", "x", "y",
    ];
    for node in drawn["nodes"].as_array().unwrap() {
        let mut found: Vec<&String> = node.as_object().unwrap().keys().collect();
        found.sort();
        assert_eq!(found, keys);
    }
    let pick = |job: &str, keys: &[&str]| -> Vec<Value> {
        keys.iter().map(|key| node(&drawn, job)[key].clone()).collect()
    };
    assert_eq!(
        pick("a", &["parents", "children", "state", "disabled", "paused", "lastRun"]),
        [
            json!(0),
            json!(2),
            json!("running"),
            json!(false),
            json!(false),
            json!(newest.id.to_string())
        ]
    );
    assert_eq!(pick("a", &["nextDue"]), [json!("2030-01-01T02:30:00.000Z")]);
    assert_eq!(
        pick("d", &["parents", "children", "state", "status", "lastRun"]),
        [json!(2), json!(1), json!("idle"), json!("fresh"), Value::Null]
    );
    assert_eq!(pick("b", &["paused", "disabled"]), [json!(true), json!(false)]);
    assert_eq!(pick("e", &["paused", "disabled"]), [json!(false), json!(true)]);
}

#[tokio::test]
async fn around_a_job_are_so_many_generations_and_no_siblings() {
    let fixture = fixture().await;
    for (query, expected) in [
        ("?job=c", vec!["a", "c", "d", "e"]),
        ("?job=c&up=0&down=0", vec!["c"]),
        ("?job=c&up=1&down=0", vec!["a", "c"]),
        ("?job=c&up=0&down=1", vec!["c", "d"]),
        ("?job=d&up=1&down=0", vec!["b", "c", "d"]),
        ("?job=e&up=2000&down=2000", vec!["a", "b", "c", "d", "e"]),
        ("?job=z", vec!["z"]),
    ] {
        let drawn = layout(&fixture, query).await;
        assert_eq!(names(&drawn), expected, "{query}");
        assert_eq!(drawn["total"], expected.len(), "{query}");
    }
    // What is not shown is counted by whom it hangs on.
    let drawn = layout(&fixture, "?job=d&up=0&down=0").await;
    let (parents, children) = (&node(&drawn, "d")["parents"], &node(&drawn, "d")["children"]);
    assert_eq!((parents, children), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn more_than_is_drawn_is_counted() {
    let fixture = fixture().await;
    let drawn = layout(&fixture, "?max=6").await;
    assert_eq!(names(&drawn), ["a", "b", "c", "d", "e", "x"]);
    assert_eq!((&drawn["total"], &drawn["leftOut"]), (&json!(7), &json!(1)));
    let drawn = layout(&fixture, "?job=a&down=9&max=3").await;
    assert_eq!(names(&drawn), ["a", "b", "c"], "the nearest");
    assert_eq!((&drawn["total"], &drawn["leftOut"]), (&json!(5), &json!(2)));
}

#[tokio::test]
async fn what_is_out_of_scope_is_not_drawn_and_no_edge_leads_there() {
    let callers = [("root", Role::Admin, ""), ("eve", Role::Viewer, "bill-*")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    for (name, parents) in [
        ("pay", vec![]),
        ("bill-a", vec!["pay"]),
        ("bill-b", vec!["bill-a"]),
        ("post", vec!["bill-b"]),
    ] {
        put(&fixture, &bearer("root"), &job(name, &parents)).await;
    }
    let ask = async |query: &str| {
        fixture.ask_with("GET", &format!("/scheduler/layout{query}"), &bearer("eve"), "").await
    };
    for query in ["", "?job=bill-b&up=9&down=9"] {
        let drawn = ask(query).await.json();
        assert_eq!(names(&drawn), ["bill-a", "bill-b"]);
        assert_eq!(edges(&drawn), [("bill-a", "bill-b")].into());
        assert_eq!((&drawn["total"], &node(&drawn, "bill-a")["parents"]), (&json!(2), &json!(0)));
    }
    let there = ask("?job=pay").await;
    assert_eq!(there.message(404), "there is no job `pay`");
    assert_eq!(ask("?job=nobody").await.message(404), "there is no job `nobody`");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let fixture = fixture().await;
    for (query, field) in [
        ("max=0", "max"),
        ("max=2001", "max"),
        ("max=x", "max"),
        ("job=a&up=-1", "up"),
        ("job=a&up=2001", "up"),
        ("job=a&down=1.5", "down"),
        ("up=1", "up"),
        ("down=1", "down"),
        ("jobs=a", "jobs"),
        ("job=a&job=b", "job"),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/layout?{query}")).await;
        answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}: {answer:?}");
    }
    for query in ["job=nobody", "job=", "job=%2F%00", "job=a%0A"] {
        let answer = fixture.ask("GET", &format!("/scheduler/layout?{query}")).await;
        assert!(answer.message(404).starts_with("there is no job"), "{query}: {answer:?}");
        assert_eq!(answer.json()["code"], "unknown_job");
    }
}

/// The ninth is refused while eight are calculated or wait; the lock that this test holds keeps them from ending.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::await_holding_lock, reason = "that nobody gets on is what is tried")]
async fn nobody_has_many_pictures_calculated_at_one_time() {
    let fixture = fixture().await;
    let held = fixture.memory.world();
    let ask = || fixture.ask("GET", "/scheduler/layout");
    let mut asked: Vec<_> = (0..9).map(|_| Box::pin(ask())).collect();
    let (first, index, _) = future::select_all(asked.iter_mut()).await;
    assert_eq!(first.status, 429, "{first:?}");
    assert_eq!(first.json()["code"], "too_many_calculations");
    assert!(first.header("retry-after").is_some());
    drop(held);
    drop(asked.remove(index));
    for answer in future::join_all(asked).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
