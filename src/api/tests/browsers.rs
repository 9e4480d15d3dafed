//! A browser that a stranger's page uses against us, and one whose page may.

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::Fixture;
use super::super::{Options, Role};
use super::PREFIXES;

/// What changes something, through one prefix.
const CHANGES: [(&str, &str); 9] = [
    ("POST", "/iso8601"),
    ("PUT", "/iso8601"),
    ("POST", "/cron"),
    ("PUT", "/cron"),
    ("POST", "/dependency"),
    ("PUT", "/dependency"),
    ("PUT", "/job/a"),
    ("DELETE", "/job/a"),
    ("DELETE", "/task/kill/a"),
];
const JOB: &str = r#"{"name":"a","command":"true","schedule":"R/2030-01-01T00:00:00Z/P1D"}"#;

async fn fixture() -> Fixture {
    let fixture = Fixture::start().await;
    fixture.put("POST", "/scheduler/iso8601", JOB).await;
    fixture.memory.world().requests.clear();
    fixture
}

#[tokio::test]
async fn a_form_and_a_request_without_cors_make_no_job() {
    let fixture = fixture().await;
    for p in PREFIXES {
        for (kind, body) in [
            ("application/x-www-form-urlencoded", "name=a&command=true"),
            ("multipart/form-data; boundary=x", "--x\r\n\r\n--x--"),
            // A form whose only field is named so that its body is JSON.
            ("text/plain", JOB),
            ("text/plain;charset=UTF-8", JOB),
            ("", JOB),
            ("application/json, text/plain", JOB),
        ] {
            let kind =
                if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
            for path in ["iso8601", "cron", "dependency", "preview"] {
                let path = format!("{p}/{path}");
                // Old browsers leave `Origin` out of forms.
                let answer = fixture.ask_with("POST", &path, &kind, body).await;
                answer.message(415);
                let headers = format!("{kind}Origin: null\r\n");
                fixture.ask_with("POST", &path, &headers, body).await.message(403);
            }
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn no_change_is_made_for_another_origin_or_through_another_name() {
    let fixture = fixture().await;
    for (method, path) in
        PREFIXES.iter().flat_map(|p| CHANGES.map(|(m, path)| (m, format!("{p}{path}"))))
    {
        let json = "Content-Type: application/json\r\n";
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:4401",
            "http://localhost.evil.example",
        ] {
            let headers = format!("{json}Origin: {origin}\r\n");
            let answer = fixture.ask_with(method, &path, &headers, JOB).await;
            answer.message(403);
            assert_eq!(answer.json()["code"], "origin_not_allowed", "{method} {path}");
        }
        // A name of the stranger's that leads to our address.
        let length = JOB.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: rebound.evil.example:4400\r\nOrigin: http://rebound.evil.example:4400\r\n\
             {json}Content-Length: {length}\r\nConnection: close\r\n\r\n{JOB}"
        );
        let answer = fixture.send(&request).await;
        answer.message(403);
        assert_eq!(answer.json()["code"], "host_not_allowed", "{method} {path}");
    }
    assert_eq!(fixture.memory.world().requests, []);
}

/// What pages of another site must be able to send: credentials, JSON, conditions, keys, and where to go on.
const MAY_BE_SENT: [&str; 7] = [
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "range",
];
/// What they must be able to read: revisions, pages, runs, warnings, and numbers of requests.
const MAY_BE_READ: [&str; 9] = [
    "etag",
    "chronode-revision",
    "chronode-run-id",
    "chronode-omitted",
    "content-range",
    "link",
    "retry-after",
    "warning",
    "x-request-id",
];

#[tokio::test]
async fn another_origin_may_ask_if_it_was_configured_and_has_credentials() {
    let options = Options {
        authenticator: Some(admitting(&[("ann", Role::Editor, "")])),
        allowed_origins: vec!["https://cron.example".to_owned()],
        ..Options::default()
    };
    let fixture = Fixture::start_with(options).await;
    let origin = "Origin: https://cron.example\r\n";
    let asks = format!("{origin}Access-Control-Request-Method: POST\r\n");
    let preflight = fixture.ask_with("OPTIONS", "/scheduler/iso8601", &asks, "").await;
    assert_eq!(preflight.status, 204, "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://cron.example"));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("DELETE"));
    let listed = |header: Option<&str>| -> Vec<String> {
        header.unwrap_or("").split(", ").map(str::to_owned).collect()
    };
    let allowed = listed(preflight.header("access-control-allow-headers"));
    for name in MAY_BE_SENT {
        assert!(allowed.iter().any(|it| it == name), "`{name}` may not be sent: {allowed:?}");
    }
    assert_eq!(preflight.header("access-control-allow-credentials"), None);

    let path = "/scheduler/jobs";
    let without = fixture.ask_with("GET", path, origin, "").await;
    without.message(401);
    assert_eq!(without.header("access-control-allow-origin"), Some("https://cron.example"));
    let with = fixture.ask_with("GET", path, &format!("{origin}{}", bearer("ann")), "").await;
    assert_eq!((with.status, with.header("vary")), (200, Some("origin")));
    for answer in [&without, &with] {
        let exposed = listed(answer.header("access-control-expose-headers"));
        for name in MAY_BE_READ {
            assert!(exposed.iter().any(|it| it == name), "`{name}` may not be read: {exposed:?}");
        }
    }

    for other in
        ["https://cron.example.evil", "http://cron.example", "https://cron.example:444", "*"]
    {
        let headers =
            format!("Origin: {other}\r\nAccess-Control-Request-Method: GET\r\n{}", bearer("ann"));
        for method in ["OPTIONS", "GET"] {
            let answer = fixture.ask_with(method, path, &headers, "").await;
            answer.message(403);
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    // Without an origin there is nothing to share.
    let plain = fixture.ask_with("GET", path, &bearer("ann"), "").await;
    assert_eq!((plain.status, plain.header("access-control-allow-origin")), (200, None));
    assert_eq!(fixture.memory.world().requests, []);
}
