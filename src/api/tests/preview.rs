//! `P/preview` over HTTP. It is 2030-01-01T00:00:00Z.

use serde_json::{Value, json};

use super::super::testing::Fixture;
use super::PREFIXES;

async fn preview(fixture: &Fixture, query: &str) -> Value {
    let answer = fixture.ask("GET", &format!("/scheduler/preview?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

/// The instants of a preview.
fn utc(preview: &Value) -> Vec<&str> {
    let next = preview["next"].as_array().unwrap().iter();
    next.map(|item| item["utc"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_schedule_is_previewed_with_its_wall_clock_and_nothing_is_stored() {
    let fixture = Fixture::start().await;
    let query = "schedule=30+2+*+*+*&zone=Europe/Berlin&from=2030-03-29T12:00:00Z&count=3";
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/preview?{query}")).await.json();
        assert_eq!(
            answer["next"],
            json!([
                {"utc": "2030-03-30T01:30:00.000Z", "local": "2030-03-30T02:30:00+01:00"},
                {"utc": "2030-03-31T01:00:00.000Z", "local": "2030-03-31T03:00:00+02:00"},
                {"utc": "2030-04-01T00:30:00.000Z", "local": "2030-04-01T02:30:00+02:00"},
            ])
        );
        let warnings = answer["warnings"].as_array().unwrap();
        assert!(
            warnings.iter().any(|text| text.as_str().unwrap().contains("31 March")),
            "{answer}"
        );
        assert_ne!(answer["description"], "");
        assert_eq!(answer.as_object().unwrap().len(), 3);
    }
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn ten_from_now_on_unless_asked_otherwise_and_an_expression_begins_after_an_interval_at_it() {
    let fixture = Fixture::start().await;
    let hourly = preview(&fixture, "schedule=@hourly").await;
    assert_eq!(utc(&hourly).len(), 10);
    assert_eq!(utc(&hourly)[0], "2030-01-01T01:00:00.000Z");
    let interval = preview(&fixture, "schedule=R/2030-01-01T00:00:00Z/PT1H&count=2").await;
    assert_eq!(utc(&interval), ["2030-01-01T00:00:00.000Z", "2030-01-01T01:00:00.000Z"]);
    let now = preview(&fixture, "schedule=R//PT1H&count=1").await;
    assert_eq!(utc(&now), ["2030-01-01T00:00:00.000Z"]);
    let offset = "schedule=0+*+*+*+*&count=1&from=2030-01-01T02:30:00+02:00";
    assert_eq!(utc(&preview(&fixture, offset).await), ["2030-01-01T01:00:00.000Z"]);
    assert_eq!(utc(&preview(&fixture, "schedule=*+*+*+*+*&count=1000").await).len(), 1000);
}

#[tokio::test]
async fn bounds_policies_and_jitter_are_previewed_too() {
    let fixture = Fixture::start().await;
    let bounded = "schedule=@hourly&notBefore=2030-01-01T03:00:00Z&notAfter=2030-01-01T05:00:00Z";
    let hours = ["03", "04", "05"].map(|hour| format!("2030-01-01T{hour}:00:00.000Z"));
    assert_eq!(utc(&preview(&fixture, bounded).await), hours);
    let gap = "schedule=30+2+*+*+*&zone=Europe/Berlin&from=2030-03-30T12:00:00Z&count=1";
    for (policy, expected) in [
        ("after", "2030-03-31T01:00:00.000Z"),
        ("shift", "2030-03-31T01:30:00.000Z"),
        ("skip", "2030-04-01T00:30:00.000Z"),
    ] {
        let found = preview(&fixture, &format!("{gap}&dstGap={policy}")).await;
        assert_eq!(utc(&found), [expected], "{policy}");
    }
    let fold = "schedule=30+2+*+*+*&zone=Europe/Berlin&from=2030-10-26T12:00:00Z&count=2";
    let both = preview(&fixture, &format!("{fold}&dstFold=both")).await;
    assert_eq!(utc(&both), ["2030-10-27T00:30:00.000Z", "2030-10-27T01:30:00.000Z"]);

    let spread = preview(&fixture, "schedule=@hourly&name=a&jitter=PT10M&count=50").await;
    let opens: Vec<&str> = spread["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["opensAt"].as_str().unwrap())
        .collect();
    assert!(
        utc(&spread)
            .iter()
            .zip(&opens)
            .all(|(due, opens)| due <= opens && due[..13] == opens[..13])
    );
    assert_ne!(utc(&spread), opens);
    assert!(preview(&fixture, "schedule=@hourly").await["next"][0].get("opensAt").is_none());
}

#[tokio::test]
async fn what_names_no_instants_or_none_any_more_is_an_empty_list() {
    let fixture = Fixture::start().await;
    let boot = preview(&fixture, "schedule=@reboot").await;
    assert_eq!(utc(&boot), Vec::<&str>::new());
    assert_ne!(boot["description"], "");
    let over = preview(&fixture, "schedule=R3/2020-01-01T00:00:00Z/P1D").await;
    assert_eq!(utc(&over), Vec::<&str>::new());
    assert!(over["warnings"][0].as_str().unwrap().contains("exhausted"), "{over}");
}

#[tokio::test]
async fn a_stored_job_is_previewed_with_its_own_terms() {
    let fixture = Fixture::start().await;
    let body =
        r#"{"name":"a b","command":"true","schedule":"0 9 * * *","scheduleTimeZone":"Asia/Tokyo"}"#;
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", body).await.status, 204);
    for p in PREFIXES {
        let path = format!("{p}/preview?job=a%20b&count=1");
        let answer = fixture.ask("GET", &path).await.json();
        assert_eq!(answer["next"][0]["local"], "2030-01-02T09:00:00+09:00");
        for name in ["x", "a%2Fb", "", "%F0%9F%98%80"] {
            let answer = fixture.ask("GET", &format!("{p}/preview?job={name}")).await;
            assert!(answer.message(400).ends_with("not found"), "{name}");
            assert_eq!(answer.json()["code"], "unknown_job");
        }
        let answer = fixture.ask("GET", &format!("{p}/preview?job=a%20b&zone=UTC")).await;
        assert!(answer.message(400).starts_with("`zone` has no place beside `job`"));
        assert_eq!(answer.json()["field"], "zone");
    }
    let disabled = body.replace("\"command\"", "\"disabled\":true,\"command\"");
    fixture.put("POST", "/scheduler/iso8601", &disabled).await;
    let answer = preview(&fixture, "job=a+b").await;
    assert!(answer["warnings"][0].as_str().unwrap().starts_with("the job is disabled"), "{answer}");
    let child = r#"{"name":"child","command":"true","parents":["a b"]}"#;
    fixture.put("POST", "/scheduler/dependency", child).await;
    let answer = fixture.ask("GET", "/scheduler/preview?job=child").await;
    assert!(answer.message(400).starts_with("the job runs after its `parents`"));
}

#[tokio::test]
async fn a_body_is_tried_out_whole_with_its_warnings_and_nothing_is_stored() {
    let fixture = Fixture::start().await;
    let body = r#"{"name":"a","command":"true","schedule":"0 9 * * *","retrys":1,
        "jitter":"PT5M","dst":{"gap":"skip"},"notBefore":"2030-01-05T00:00:00Z"}"#;
    for p in PREFIXES {
        let path = format!("{p}/preview?count=2&from=2030-01-03T00:00:00Z");
        let answer = fixture.put("POST", &path, body).await.json();
        assert_eq!(utc(&answer), ["2030-01-05T09:00:00.000Z", "2030-01-06T09:00:00.000Z"]);
        assert!(answer["next"][0]["opensAt"].is_string());
        let warning = answer["warnings"][0].as_str().unwrap();
        assert!(warning.starts_with("unknown field `retrys`"), "{answer}");
        for (body, field) in [
            (r#"{"name":"a","schedule":"0 99 * * *"}"#, "schedule"),
            (
                r#"{"name":"a","schedule":"@daily","scheduleTimeZone":"Nowhere"}"#,
                "scheduleTimeZone",
            ),
            (r#"{"name":"a","schedule":"@daily","cpus":"many"}"#, "cpus"),
            (r#"{"name":"a","parents":["b"]}"#, "parents"),
            (r#"{"schedule":"@daily"}"#, "name"),
            ("{", ""),
        ] {
            let answer = fixture.put("POST", &format!("{p}/preview"), body).await;
            answer.message(400);
            assert_eq!(answer.json()["field"], field, "{body}");
            assert_ne!(answer.json()["remedy"], "", "{body}");
        }
        fixture.put("POST", &format!("{p}/preview?schedule=@daily"), body).await.message(400);
    }
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_field_and_remedy() {
    let fixture = Fixture::start().await;
    let long = format!("schedule={}", "1,".repeat(1000));
    for (query, field) in [
        ("", "schedule"),
        ("zone=UTC", "schedule"),
        ("schedule=", "schedule"),
        ("schedule=60+*+*+*+*", "schedule"),
        ("schedule=nonsense", "schedule"),
        ("schedule=R/2030-01-01/P1H", "schedule"),
        ("schedule=R/2030-01-01T00:00:00Z/PT0S", "schedule"),
        ("schedule=0+0+30+2+*", "schedule"),
        ("schedule=%00%1B[2J", "schedule"),
        (&long, "schedule"),
        ("schedule=@daily&zone=CEST", "zone"),
        ("schedule=@daily&zone=../../etc/passwd", "zone"),
        ("schedule=@daily&jitter=10", "jitter"),
        ("schedule=@daily&jitter=P1M", "jitter"),
        ("schedule=@daily&notBefore=tomorrow", "notBefore"),
        ("schedule=@daily&notAfter=2030", "notAfter"),
        ("schedule=@daily&dstGap=before", "dstGap"),
        ("schedule=@daily&dstFold=never", "dstFold"),
        ("schedule=@daily&count=0", "count"),
        ("schedule=@daily&count=1001", "count"),
        ("schedule=@daily&count=ten", "count"),
        ("schedule=@daily&from=2030-01-01", "from"),
        ("schedule=@daily&from=99999-01-01T00:00:00Z", "from"),
        ("schedule=@daily&until=2030-01-01T00:00:00Z", "until"),
        ("schedule=@daily&schedule=@hourly", "schedule"),
        ("schedule=%ff", ""),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/preview?{query}")).await;
        let message = answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}: {message}");
        assert!(!message.contains(['\0', '\u{1b}']) && message.len() < 1000, "{message}");
    }
    let answer = fixture.ask("GET", "/scheduler/preview?schedule=@daily&zone=CEST").await.json();
    assert!(answer["remedy"].as_str().unwrap().contains("Europe/"), "{answer}");
}

/// From the first instant to the last, nothing panics.
#[tokio::test]
async fn the_ends_of_time_are_previewed_like_any_other_time() {
    let fixture = Fixture::start().await;
    for from in ["-009999-01-03T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-30T21:59:59Z"] {
        for schedule in [
            "*+*+*+*+*",
            "0+0+29+2+1",
            "R/2030-01-01T00:00:00Z/PT0.001S",
            "R/0000-01-01T00:00:00Z/P1Y",
            "R99999999/9999-12-31T00:00:00Z/P999999Y",
        ] {
            for zone in ["", "Pacific/Apia", "Africa/Casablanca"] {
                let query = format!("schedule={schedule}&zone={zone}&count=1000&from={from}");
                let answer = fixture.ask("GET", &format!("/scheduler/preview?{query}")).await;
                assert!(matches!(answer.status, 200 | 400), "{query}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_says_which_bytes_are_at_fault() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("GET", "/scheduler/preview?schedule=30+2+*+*+FRI-MON").await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["position"], json!({"start": 9, "end": 16}), "{body}");
    assert_eq!(body["field"], "schedule");
    assert_eq!(body["remedy"], "write `FRI-6,0-MON`");
}
