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
                "perHour": [],
                "clockChanges": [],
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
        ("per=day", "per"),
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

#[tokio::test]
async fn starts_are_counted_by_the_hour_too() {
    let fixture = Fixture::start().await;
    put(&fixture, "a", "*/20 0,2 * * *", "").await;
    put(&fixture, "b", "50 2 * * *", "").await;
    let from = "from=2030-01-02T00:00:00Z";
    let minutes = forecast(&fixture, from).await;
    assert_eq!(forecast(&fixture, &format!("{from}&per=minute")).await, minutes);
    let hours = forecast(&fixture, &format!("{from}&per=hour")).await;
    assert_eq!(
        hours["perHour"],
        json!([
            {"hour": "2030-01-02T00:00:00.000Z", "count": 3, "jobs": ["a"]},
            {"hour": "2030-01-02T02:00:00.000Z", "count": 4, "jobs": ["a", "b"]},
        ])
    );
    assert_eq!((&hours["perMinute"], &minutes["perHour"]), (&json!([]), &json!([])));
    for key in ["starts", "total", "crowded", "complete"] {
        assert_eq!(hours[key], minutes[key], "{key}");
    }
}

#[tokio::test]
async fn changes_of_clock_are_told_of_the_zones_that_jobs_are_in() {
    let fixture = Fixture::start().await;
    let berlin = r#","scheduleTimeZone":"Europe/Berlin""#;
    put(&fixture, "a", "0 9 * * *", berlin).await;
    put(&fixture, "b", "0 9 * * *", berlin).await;
    put(&fixture, "c", "0 9 * * *", r#","scheduleTimeZone":"Europe/Athens""#).await;
    put(&fixture, "d", "0 9 * * *", r#","scheduleTimeZone":"Asia/Tokyo""#).await;
    put(&fixture, "e", "0 9 * * *", "").await;
    let change = |zone: &str, before: &str, after: &str| {
        json!({
            "zone": zone, "at": "2030-03-31T01:00:00.000Z", "beforeOffset": before, "afterOffset": after,
        })
    };
    let both = json!([
        change("Europe/Athens", "+02:00", "+03:00"),
        change("Europe/Berlin", "+01:00", "+02:00")
    ]);
    // What comes at `from` is in, what comes at `to` is not.
    for (from, to, expected) in [
        ("03-01T00:00:00Z", "04-01T00:00:00Z", both.clone()),
        ("03-31T01:00:00Z", "03-31T01:00:01Z", both.clone()),
        ("03-31T01:00:00.001Z", "04-30T00:00:00Z", json!([])),
        ("03-30T00:00:00Z", "03-31T01:00:00Z", json!([])),
    ] {
        let query = format!("from=2030-{from}&to=2030-{to}");
        assert_eq!(forecast(&fixture, &query).await["clockChanges"], expected, "{query}");
    }
    let autumn = "job=a&from=2030-10-01T00:00:00Z&to=2030-11-01T00:00:00Z";
    assert_eq!(
        forecast(&fixture, autumn).await["clockChanges"],
        json!([{
            "zone": "Europe/Berlin", "at": "2030-10-27T01:00:00.000Z", "beforeOffset": "+02:00", "afterOffset": "+01:00",
        }])
    );
    // A year of very many zones is cut.
    let zones = crate::schedule::ZoneDb::bundled();
    for (index, zone) in zones.names().filter(|zone| zone.starts_with("Europe/")).enumerate() {
        let more = format!(r#","scheduleTimeZone":"{zone}""#);
        put(&fixture, &format!("zone{index}"), "0 9 * * *", &more).await;
    }
    let year = forecast(&fixture, "to=2031-01-01T00:00:00Z&limit=1").await;
    let changes = year["clockChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 50);
    assert!(changes.iter().all(|change| change["at"] == "2030-03-31T01:00:00.000Z"));
}
