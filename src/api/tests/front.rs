//! What holds for every path: who may ask, what errors look like, limits.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::testing::Fixture;
use super::super::{BodyLimits, Limits, Options, Peers};
use super::PREFIXES;

/// One request per kind of path.
const EVERYTHING: [(&str, &str); 9] = [
    ("GET", "/ping"),
    ("GET", "/scheduler/jobs"),
    ("POST", "/scheduler/iso8601"),
    ("PUT", "/v1/scheduler/job/a"),
    ("DELETE", "/v1/scheduler/job/a"),
    ("DELETE", "/scheduler/task/kill/a"),
    ("GET", "/v1/scheduler/runs"),
    ("OPTIONS", "/scheduler/jobs"),
    ("GET", "/nowhere"),
];

#[tokio::test]
async fn ping_answers_as_chronos() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("GET", "/ping").await;
    assert_eq!((answer.status, answer.text()), (200, "pong\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.header("cache-control"), Some("must-revalidate,no-cache,no-store"));
}

/// Whoever restarts what is not well must not have to understand more than a status.
#[tokio::test]
async fn ping_says_so_when_the_loop_hangs() {
    let fixture = Fixture::start().await;
    for (secs, status) in [(0, 200), (30, 200), (31, 503), (4_000, 503), (1, 200)] {
        fixture.memory.world().still_for = crate::model::Duration::from_secs(secs);
        let answer = fixture.ask("GET", "/ping").await;
        assert_eq!(answer.status, status, "{secs}: {}", answer.text());
        if status == 503 {
            assert_eq!(answer.json()["code"], "loop_hangs");
        }
    }
}

/// HAProxy's plain `httpchk` names no host.
#[tokio::test]
async fn ping_alone_answers_who_names_no_host() {
    let fixture = Fixture::start().await;
    let ask = async |line: &str, headers: &str| {
        fixture.send(&format!("{line}\r\n{headers}Connection: close\r\n\r\n")).await
    };
    for line in ["OPTIONS /ping HTTP/1.0", "GET /ping HTTP/1.0", "GET /ping HTTP/1.1"] {
        let answer = ask(line, "").await;
        assert_ne!(answer.status, 403, "{line}: {}", answer.text());
    }
    assert_eq!(ask("GET /ping HTTP/1.0", "").await.text(), "pong\n");
    for (line, headers) in [
        ("GET /scheduler/jobs HTTP/1.0", ""),
        ("GET /metrics HTTP/1.0", ""),
        ("GET //ping HTTP/1.0", ""),
        ("GET /ping HTTP/1.0", "Host: evil.example\r\n"),
        ("GET /ping HTTP/1.0", "Origin: http://evil.example\r\n"),
        ("GET http://evil.example/ping HTTP/1.0", ""),
    ] {
        assert_eq!(ask(line, headers).await.status, 403, "{line} {headers}");
    }
}

#[tokio::test]
async fn info_says_what_runs_here() {
    let fixture = Fixture::start().await;
    for p in PREFIXES {
        let info = fixture.ask("GET", &format!("{p}/info")).await.json();
        assert_eq!(
            info,
            json!({
                "version": "0.1.0", "node": "n1", "listening": ["http://127.0.0.1:4400"],
                "zoneData": {
                    "version": "2026c",
                    "source": "bundled",
                    "pinned": false,
                    "bundled": "2026c",
                    "host": "2025b",
                },
                "launcher": {"kind": "local", "state": "connected", "problem": null, "framework": null, "master": null, "roles": []},
                "audit": {"state": "recording", "problem": null}, "jobFiles": null,
                "clock": null, "paused": null,
                "counts": {"jobs": 0, "liveRuns": 0, "pendingRuns": 0},
            })
        );
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_json_errors() {
    let fixture = Fixture::start().await;
    for path in [
        "/index.html",
        "/logging",
        "/nowhere",
        "/scheduler",
        "/scheduler/",
        "/v1/scheduler/nope",
        "/v2/scheduler/jobs",
        "/scheduler/job/",
        "//",
        "/scheduler/job/a/b",
    ] {
        let answer = fixture.ask("GET", path).await;
        answer.message(404);
        assert_eq!(answer.json()["status"], "Not Found");
    }
    for (method, path, allow) in [
        ("DELETE", "/scheduler/jobs", "GET,HEAD"),
        ("GET", "/v1/scheduler/iso8601", "POST,PUT"),
        ("PATCH", "/scheduler/job/a", "GET,HEAD,PUT,DELETE"),
        ("POST", "/ping", "GET,HEAD"),
        ("OPTIONS", "/scheduler/jobs", "GET,HEAD"),
    ] {
        let answer = fixture.ask(method, path).await;
        answer.message(405);
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.json()["status"], "Method Not Allowed");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let fixture = Fixture::start().await;
    for path in ["/ping", "/scheduler/jobs", "/scheduler/runs", "/v1/scheduler/info"] {
        let (get, head) = (fixture.ask("GET", path).await, fixture.ask("HEAD", path).await);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(get.header("content-type"), head.header("content-type"));
    }
    let head = fixture.ask("HEAD", "/scheduler/job/x").await;
    assert_eq!((head.status, head.body.len()), (400, 0));
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_refused_everywhere() {
    let fixture = Fixture::start().await;
    for (method, path) in EVERYTHING {
        for host in [
            "Host: evil.example\r\n",
            "",
            "Host: localhost\r\nHost: evil.example\r\n",
            "Host: 127.0.0.1.nip.io:4400\r\n",
        ] {
            if path == "/ping" && host.is_empty() {
                continue;
            }
            let request = format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
            let answer = fixture.send(&request).await;
            answer.message(403);
            assert_eq!(answer.json()["code"], "host_not_allowed");
        }
    }
    let old = fixture.send("GET /scheduler/jobs HTTP/1.0\r\n\r\n").await;
    old.message(403);
    assert_eq!(fixture.memory.world().requests, []);
}

#[tokio::test]
async fn the_refusal_of_a_name_says_how_to_allow_it() {
    let fixture = Fixture::start().await;
    let answer =
        fixture.send("GET /ping HTTP/1.1\r\nHost: cron.example\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.message(403), "this server does not answer to the name `cron.example`");
    assert!(answer.json()["remedy"].as_str().unwrap().contains("`--http_allowed_host`"));
}

#[tokio::test]
async fn a_configured_name_is_answered() {
    let options = Options { allowed_hosts: vec!["cron.example".to_owned()], ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    let request = "GET /ping HTTP/1.1\r\nHost: cron.example:4400\r\nConnection: close\r\n\r\n";
    assert_eq!(fixture.send(request).await.status, 200);
}

#[tokio::test]
async fn another_servers_page_is_refused_everywhere_and_no_cors_is_spoken() {
    let fixture = Fixture::start().await;
    for (method, path) in EVERYTHING {
        for origin in ["http://evil.example", "null", "http://localhost:1"] {
            let answer = fixture.ask_with(method, path, &format!("Origin: {origin}\r\n"), "").await;
            if method == "HEAD" {
                continue;
            }
            answer.message(403);
            assert_eq!(answer.json()["code"], "origin_not_allowed");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(fixture.memory.world().requests, []);
    let own = fixture.ask_with("GET", "/ping", "Origin: http://localhost\r\n", "").await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_tame_browsers_and_its_number() {
    let fixture = Fixture::start().await;
    for (method, path) in EVERYTHING {
        let answer = fixture.ask(method, path).await;
        for name in [
            "x-content-type-options",
            "x-frame-options",
            "content-security-policy",
            "referrer-policy",
            "cross-origin-resource-policy",
            "cache-control",
            "x-request-id",
        ] {
            assert_eq!(answer.headers(name).len(), 1, "{name} of {path}");
        }
        if answer.status >= 400 {
            assert_eq!(answer.json()["requestId"], answer.header("x-request-id").unwrap());
        }
    }
}

#[tokio::test]
async fn only_processes_of_the_named_users_are_let_in() {
    let us = rustix::process::geteuid().as_raw();
    for (users, status) in [(vec![us], 200), (vec![us + 1], 403), (vec![], 403)] {
        let options = Options { peers: Peers::Users(users), ..Options::default() };
        let fixture = Fixture::start_with(options).await;
        let answer = fixture.ask("GET", "/ping").await;
        assert_eq!(answer.status, status);
        if status == 403 {
            assert!(answer.message(403).contains(&format!("user {us} may not use this port")));
        }
    }
}

#[tokio::test]
async fn a_handler_that_panics_loses_its_own_request_only() {
    let fixture = Fixture::start().await;
    fixture.memory.world().panics = true;
    let answer = fixture.ask("GET", "/scheduler/jobs").await;
    assert_eq!(answer.message(500), "the request could not be handled");
    fixture.memory.world().panics = false;
    assert_eq!(fixture.ask("GET", "/scheduler/jobs").await.text(), "[]");
}

#[tokio::test]
async fn large_heads_are_refused_before_anything_is_done() {
    let fixture = Fixture::start().await;
    let large = format!("X-Large: {}\r\n", "x".repeat(20_000));
    assert_eq!(fixture.ask_with("GET", "/ping", &large, "").await.status, 431);
    let many = "X-Many: 1\r\n".repeat(1_000);
    assert_eq!(fixture.ask_with("GET", "/ping", &many, "").await.status, 431);
    let long = format!("/ping?{}", "x".repeat(100_000));
    assert!(matches!(fixture.ask("GET", &long).await.status, 414 | 431));
}

#[tokio::test]
async fn the_sizes_that_count_are_those_that_were_given() {
    let body = BodyLimits { bytes: 2_000, ..BodyLimits::default() };
    let limits = Limits { header_bytes: 3_000, body, ..Limits::default() };
    let fixture = Fixture::start_with(Options { limits, ..Options::default() }).await;
    for (bytes, status) in [(2_000, 200), (3_000, 431)] {
        let header = format!("X-Large: {}\r\n", "x".repeat(bytes));
        assert_eq!(fixture.ask_with("GET", "/ping", &header, "").await.status, status);
    }
    let of = |bytes: usize| {
        let job = json!({"name": "a", "schedule": "R/2030-01-01T00:00:00Z/PT1H", "owner": "", "command": ""});
        let mut job = job.to_string();
        // Blanks are JSON.
        job.push_str(&" ".repeat(bytes - job.len()));
        job
    };
    assert_eq!(fixture.put("POST", "/scheduler/iso8601", &of(2_000)).await.status, 204);
    let answer = fixture.put("POST", "/scheduler/iso8601", &of(2_001)).await;
    assert!(answer.message(413).contains("more than 2000 bytes"));
    assert!(answer.json()["remedy"].as_str().unwrap().contains("`--max_body_bytes`"));
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_one_ends() {
    let limits =
        Limits { connections: 1, header_time: Duration::from_secs(3_600), ..Limits::default() };
    let fixture = Fixture::start_with(Options { limits, ..Options::default() }).await;
    let mut first = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    let ask = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut answer = [0; 12];
    first.write_all(ask).await.unwrap();
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    // The only place is taken, for as long as the client likes.
    let mut second = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    second.write_all(ask).await.unwrap();
    for _ in 0..3 {
        first.write_all(ask).await.unwrap();
        let mut rest = Vec::new();
        while !rest.ends_with(b"pong\n") {
            rest.push(first.read_u8().await.unwrap());
        }
        assert_eq!(
            second.try_read(&mut answer).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
    }
    drop(first);
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn slow_and_idle_clients_are_dropped_and_the_others_then_served() {
    let limits = Limits {
        connections: 2,
        header_time: Duration::from_millis(300),
        body: BodyLimits { time: Duration::from_millis(100), ..BodyLimits::default() },
        ..Limits::default()
    };
    let fixture = Fixture::start_with(Options { limits, ..Options::default() }).await;
    let idle = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    let mut slow = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut slow, b"GET /pi").await.unwrap();
    // The third waits until one of the two is dropped.
    assert_eq!(fixture.ask("GET", "/ping").await.status, 200);
    drop((idle, slow));

    let unfinished = "POST /scheduler/iso8601 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                      Content-Length: 100\r\n\r\n{";
    fixture.send(unfinished).await.message(408);
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let fixture = Fixture::start().await;
    let first = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3);
    let last = "GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = fixture.send(&format!("{first}{last}")).await;
    assert_eq!(answer.text().matches("pong\n").count(), 4);
}

#[tokio::test]
async fn an_answer_that_needs_no_body_does_not_break_the_connection_under_it() {
    let fixture = Fixture::start().await;
    let json = "Content-Type: application/json\r\n";
    for (head, status) in [
        ("POST /scheduler/iso8601 HTTP/1.1\r\nHost: localhost\r\n".to_owned(), 415),
        (format!("POST /scheduler/iso8601 HTTP/1.1\r\nHost: evil.example\r\n{json}"), 403),
        (format!("POST /nowhere HTTP/1.1\r\nHost: localhost\r\n{json}"), 404),
        (format!("POST /ping HTTP/1.1\r\nHost: localhost\r\n{json}"), 405),
        // No method that takes a body, and still a client sends one.
        (format!("PUT /scheduler/job/a HTTP/1.1\r\nHost: localhost\r\n{json}"), 400),
    ] {
        let mut stream = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
        let head = format!("{head}Content-Length: 100000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whatever the head alone makes the server do, it has done by now.
        assert_eq!(fixture.ask("GET", "/ping").await.status, 200);
        let next = "GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{}{next}", "x".repeat(100_000)).as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answers}");
        assert!(answers.ends_with("pong\n"), "{status}: {answers}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_wants_is_not_read_without_end() {
    let fixture = Fixture::start().await;
    let mut stream = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    let head = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 1024 * 1024];
    // At some point it takes no more; an endless reader would never let this end.
    let mut sent = 0;
    while stream.write_all(&piece).await.is_ok() {
        sent += 1;
        assert!(sent < 900, "it reads on and on");
    }
    // Who asks before sending is answered without being made to send.
    let mut stream = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
    let head = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
