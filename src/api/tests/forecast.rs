//! `P/forecast` over HTTP. It is 2030-01-01T00:00:00Z.

use serde_json::{Value, json};

use super::super::testing::Fixture;
use super::PREFIXES;

async fn put(fixture: &Fixture, name: &str, schedule: &str, more: &str) {
    let body = format!(r#"{{"name":"{name}","command":"true","schedule":"{schedule}"{more}}}"#);
    let answer = fixture.put("POST", "/scheduler/iso8601", &body).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

async fn forecast(fixture: &Fixture, query: &str) -> Value {
    let answer = fixture.ask("GET", &format!("/scheduler/forecast?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_day_of_all_jobs_is_listed_and_counted_by_the_minute() {
    let fixture = Fixture::start().await;
    put(&fixture, "tokyo", "0 9 * * *", r#","scheduleTimeZone":"Asia/Tokyo""#).await;
    put(&fixture, "a", "R/2030-01-01T00:00:30Z/PT12H", "").await;
    put(&fixture, "off", "* * * * *", r#","disabled":true"#).await;
    let child = r#"{"name":"child","command":"true","parents":["a"]}"#;
    fixture.put("POST", "/scheduler/dependency", child).await;
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/forecast")).await.json();
        assert_eq!(
            answer,
            json!({
                "from": "2030-01-01T00:00:00.000Z",
                "to": "2030-01-02T00:00:00.000Z",
                "starts": [
                    {"job": "a", "dueAt": "2030-01-01T00:00:30.000Z",
                     "opensAt": "2030-01-01T00:00:30.000Z", "local": "2030-01-01T00:00:30Z"},
                    {"job": "a", "dueAt": "2030-01-01T12:00:30.000Z",
                     "opensAt": "2030-01-01T12:00:30.000Z", "local": "2030-01-01T12:00:30Z"},
                ],
                "perMinute": [
                    {"minute": "2030-01-01T00:00:00.000Z", "count": 1, "jobs": ["a"]},
                    {"minute": "2030-01-01T12:00:00.000Z", "count": 1, "jobs": ["a"]},
                ],
                "total": 2,
                "complete": true,
                "crowded": {"minute": "2030-01-01T00:00:00.000Z", "count": 1},
            })
        );
    }
    // What is due at `from` is in, what is due at `to` is not, so that days can be laid side by side.
    let tokyo = "job=tokyo&from=2030-01-02T00:00:00Z&to=2030-01-03T00:00:00Z";
    let answer = forecast(&fixture, tokyo).await;
    assert_eq!(answer["starts"][0]["local"], "2030-01-02T09:00:00+09:00");
    assert_eq!(answer["total"], 1);
    assert_eq!(fixture.memory.world().requests.len(), 4);
}

#[tokio::test]
async fn more_than_is_listed_is_counted_all_the_same() {
    let fixture = Fixture::start().await;
    for index in 0..12 {
        put(&fixture, &format!("job{index:02}"), "*/10 * * * *", "").await;
    }
    let answer = forecast(&fixture, "limit=3&to=2030-01-01T01:00:00Z").await;
    assert_eq!(answer["starts"].as_array().unwrap().len(), 3);
    assert_eq!(answer["starts"][2]["job"], "job02");
    assert_eq!((&answer["total"], &answer["complete"]), (&json!(60), &json!(true)));
    assert_eq!(answer["crowded"], json!({"minute": "2030-01-01T00:10:00.000Z", "count": 12}));
    assert_eq!(answer["perMinute"][0]["jobs"].as_array().unwrap().len(), 10);
    assert_eq!(answer["perMinute"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn nothing_to_come_is_an_answer_too() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", "@yearly", "").await;
    put(&fixture, "boot", "@reboot", "").await;
    for query in ["", "from=2020-01-01T00:00:00Z", "job=boot&to=2031-01-01T00:00:00Z"] {
        let answer = forecast(&fixture, query).await;
        assert_eq!(answer["starts"], json!([]), "{query}");
        assert_eq!(answer["perMinute"], json!([]), "{query}");
        assert_eq!((&answer["total"], &answer["crowded"]), (&json!(0), &Value::Null), "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_field() {
    let fixture = Fixture::start().await;
    for (query, field) in [
        ("from=now", "from"),
        ("to=2030-01-01", "to"),
        ("to=2030-01-01T00:00:00Z", "to"),
        ("to=2029-12-31T00:00:00Z", "to"),
        ("to=2031-01-03T00:00:00Z", "to"),
        ("from=9999-12-30T22:00:00Z&to=9999-12-30T21:00:00Z", "to"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=all", "limit"),
        ("jobs=a", "jobs"),
        ("job=a&job=b", "job"),
    ] {
        let answer = fixture.ask("GET", &format!("/v1/scheduler/forecast?{query}")).await;
        let message = answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}: {message}");
    }
    for name in ["x", "", "a%2Fb"] {
        let answer = fixture.ask("GET", &format!("/scheduler/forecast?job={name}")).await;
        assert!(answer.message(400).ends_with("not found"), "{name}");
    }
    assert_eq!(forecast(&fixture, "to=2031-01-02T00:00:00Z").await["total"], 0);
}
