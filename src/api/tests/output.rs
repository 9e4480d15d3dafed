//! Output over HTTP: whole, in ranges, followed.

use bytes::Bytes;

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Answer, Fixture, Step, Written, attempt, ended, over, run, running};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::model::{Exit, HistoryEntry, Run, RunId, RunState, Verdict};

fn add(fixture: &Fixture, run: Run) -> RunId {
    let id = run.id;
    fixture.memory.world().history.push(HistoryEntry::Run(run));
    id
}

/// A run that is over, of one attempt.
fn add_ended(fixture: &Fixture, written: Written) -> RunId {
    let attempts = vec![attempt(0, ended(Exit::Code(0)))];
    let id = add(fixture, run(1, "a", over(Verdict::Succeeded), attempts));
    fixture.memory.world().written.insert((id, 0, "stdout"), written);
    id
}

/// `0123456789` of which the middle was not kept.
fn with_gap() -> Written {
    let kept = vec![(0, Bytes::from_static(b"012")), (7, Bytes::from_static(b"789"))];
    Written { total: 10, kept }
}

async fn ranged(fixture: &Fixture, path: &str, range: &str) -> Answer {
    fixture.ask_with("GET", path, &format!("Range: {range}\r\n"), "").await
}

#[tokio::test]
async fn output_is_plain_text_that_no_browser_takes_for_more() {
    let fixture = Fixture::start().await;
    let id = add_ended(&fixture, Written::all("<script>é</script>\n"));
    fixture.memory.world().written.insert((id, 0, "stderr"), Written::all("oops"));
    for p in PREFIXES {
        let answer = fixture.ask("GET", &format!("{p}/run/{id}/stdout")).await;
        assert_eq!((answer.status, answer.text()), (200, "<script>é</script>\n"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        let answer = fixture.ask("GET", &format!("{p}/run/{id}/stderr?attempt=0")).await;
        assert_eq!(answer.text(), "oops");
    }
}

#[tokio::test]
async fn output_longer_than_one_piece_is_whole() {
    let fixture = Fixture::start().await;
    let text = "line of output\n".repeat(20_000);
    let id = add_ended(&fixture, Written::all(&text));
    for query in ["", "?follow=true"] {
        let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout{query}")).await;
        assert!(answer.is_complete);
        assert_eq!(answer.text(), text);
    }
    let answer =
        ranged(&fixture, &format!("/scheduler/run/{id}/stdout"), "bytes=100000-199999").await;
    assert_eq!(answer.text(), &text[100_000..200_000]);
}

#[tokio::test]
async fn a_gap_is_marked_with_a_line_of_its_own() {
    let fixture = Fixture::start().await;
    let id = add_ended(&fixture, with_gap());
    for query in ["", "?follow"] {
        let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout{query}")).await;
        assert_eq!(answer.text(), "012\n[chronode: 4 bytes omitted]\n789");
    }
    let kept = vec![(0, Bytes::from_static(b"01\n")), (7, Bytes::from_static(b"789"))];
    fixture.memory.world().written.insert((id, 0, "stdout"), Written { total: 10, kept });
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout")).await;
    assert_eq!(answer.text(), "01\n[chronode: 4 bytes omitted]\n789");
}

#[tokio::test]
async fn ranges_have_true_positions() {
    let fixture = Fixture::start().await;
    let id = add_ended(&fixture, with_gap());
    let path = format!("/scheduler/run/{id}/stdout");
    for (range, body, content_range, omitted) in [
        ("bytes=0-1", "01", "bytes 0-1/10", "0"),
        ("bytes=0-99", "012", "bytes 0-2/10", "0"),
        ("bytes=1-", "12", "bytes 1-2/10", "0"),
        ("bytes=2-8", "2", "bytes 2-2/10", "0"),
        ("bytes=4-8", "78", "bytes 7-8/10", "3"),
        ("bytes=-2", "89", "bytes 8-9/10", "0"),
        ("bytes=-5", "789", "bytes 7-9/10", "2"),
    ] {
        let answer = ranged(&fixture, &path, range).await;
        assert_eq!((answer.status, answer.text()), (206, body), "{range}");
        assert_eq!(answer.header("content-range"), Some(content_range), "{range}");
        assert_eq!(answer.header("chronode-omitted"), Some(omitted), "{range}");
        assert_eq!(answer.header("content-length"), Some(body.len().to_string().as_str()));
    }
    for range in ["bytes=10-", "bytes=3-6", "bytes=99-100", "bytes=-0"] {
        let answer = ranged(&fixture, &path, range).await;
        answer.message(416);
        assert_eq!(answer.header("content-range"), Some("bytes */10"), "{range}");
    }
    for range in ["bytes=5-2", "lines=1-2", "bytes=0-1,3-4"] {
        assert_eq!(ranged(&fixture, &path, range).await.status, 200, "{range}");
    }
    let head = fixture.ask_with("HEAD", &path, "Range: bytes=0-1\r\n", "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    ranged(&fixture, &format!("{path}?follow=true"), "bytes=0-1").await.message(400);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let fixture = Fixture::start().await;
    let queued = add(&fixture, run(1, "a", RunState::Queued, Vec::new()));
    let path = format!("/scheduler/run/{queued}/stdout");
    assert!(fixture.ask("GET", &path).await.message(404).ends_with("has not been started"));
    let live = add(&fixture, run(2, "a", RunState::Active, vec![attempt(0, running())]));
    let answer = fixture.ask("GET", &format!("/scheduler/run/{live}/stdout")).await;
    assert_eq!((answer.status, answer.text()), (200, ""), "nothing written yet");
    let answer = fixture.ask("GET", &format!("/scheduler/run/{live}/stdout?attempt=1")).await;
    assert!(answer.message(404).ends_with("has no attempt 1"));
    let attempts = vec![attempt(0, ended(Exit::Code(0)))];
    let old = add(&fixture, run(3, "a", over(Verdict::Succeeded), attempts));
    let answer = fixture.ask("GET", &format!("/scheduler/run/{old}/stdout")).await;
    assert!(answer.message(404).contains("no output of attempt 0"));
    for query in ["attempt=x", "attempt=-1", "follow=maybe", "tail=5"] {
        let path = format!("/scheduler/run/{old}/stdout?{query}");
        fixture.ask("GET", &path).await.message(400);
    }
}

/// Says what happens at each pause of whoever follows.
fn script(fixture: &Fixture, steps: Vec<Step>) {
    fixture.memory.world().script.extend(steps);
}

#[tokio::test]
async fn following_goes_from_before_the_start_through_the_retries_to_the_last_byte() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Queued, Vec::new()));
    script(
        &fixture,
        vec![
            Box::new(move |world| world.run_mut(id).attempts.push(attempt(0, running()))),
            Box::new(move |world| world.write(id, 0, "one\n")),
            Box::new(move |world| world.write(id, 0, "one\ntwo")),
            // The last words and the end become visible together.
            Box::new(move |world| {
                world.write(id, 0, "one\ntwo\nthree");
                world.run_mut(id).attempts[0] = attempt(0, ended(Exit::Code(1)));
            }),
            Box::new(move |world| {
                world.run_mut(id).attempts.push(attempt(1, running()));
                world.write(id, 1, "again\n");
            }),
            Box::new(move |world| {
                world.write(id, 1, "again\ngood\n");
                let run = world.run_mut(id);
                run.attempts[1] = attempt(1, ended(Exit::Code(0)));
                run.state = over(Verdict::Succeeded);
            }),
        ],
    );
    let answer = fixture.ask("GET", &format!("/v1/scheduler/run/{id}/stdout?follow=true")).await;
    assert!(answer.is_complete);
    assert_eq!(answer.text(), "one\ntwo\nthree\n[chronode: attempt 1]\nagain\ngood\n");
    assert!(fixture.memory.world().script.is_empty());
}

#[tokio::test]
async fn following_one_attempt_ends_with_it() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    script(
        &fixture,
        vec![Box::new(move |world| {
            world.write(id, 0, "one");
            let run = world.run_mut(id);
            run.attempts[0] = attempt(0, ended(Exit::Code(1)));
            run.attempts.push(attempt(1, running()));
        })],
    );
    let path = format!("/scheduler/run/{id}/stdout?follow=true&attempt=0");
    let answer = fixture.ask("GET", &path).await;
    assert!(answer.is_complete);
    assert_eq!(answer.text(), "one");
}

#[tokio::test]
async fn following_a_run_that_never_started_ends_empty() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Queued, Vec::new()));
    script(&fixture, vec![Box::new(move |world| world.run_mut(id).state = over(Verdict::Killed))]);
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout?follow=true")).await;
    assert_eq!((answer.status, answer.text(), answer.is_complete), (200, "", true));
}

#[tokio::test]
async fn the_record_is_looked_at_only_when_something_has_become_of_the_run() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    let other = add(&fixture, run(2, "b", RunState::Active, Vec::new()));
    // Nothing happens for long, then something to another run.
    let mut steps: Vec<Step> = Vec::new();
    steps.extend((0..100).map(|_| Box::new(|_: &mut _| {}) as Step));
    for _ in 0..5 {
        steps.push(Box::new(move |world| world.run_mut(other).state = RunState::Active));
    }
    steps.push(Box::new(move |world| world.write(id, 0, "one")));
    steps.push(Box::new(move |world| {
        world.run_mut(id).attempts[0] = attempt(0, ended(Exit::Code(0)));
        world.run_mut(id).state = over(Verdict::Succeeded);
    }));
    script(&fixture, steps);
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout?follow=true")).await;
    assert_eq!((answer.text(), answer.is_complete), ("one", true));
    // When it was asked for, from the beginning on, at its attempt, and at its end.
    assert_eq!(fixture.memory.world().runs_read, 4);
}

#[tokio::test]
async fn what_the_feed_cannot_tell_any_more_is_looked_up() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    script(
        &fixture,
        vec![Box::new(move |world| {
            world.write(id, 0, "one");
            world.run_mut(id).state = over(Verdict::Succeeded);
            world.feed.cut();
        })],
    );
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout?follow=true")).await;
    assert_eq!((answer.text(), answer.is_complete), ("one", true));
}

#[tokio::test]
async fn no_caller_takes_all_places_of_followers() {
    let callers = [("eve", Role::Viewer, ""), ("bob", Role::Viewer, "")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    fixture.memory.world().write(id, 0, "one");
    let path = format!("/scheduler/run/{id}/stdout?follow=true");
    let follow = async |who: &str| {
        let mut stream = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
        let who = bearer(who);
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{who}\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"one\r\n") {
            tokio::io::AsyncReadExt::read_buf(&mut stream, &mut received).await.unwrap();
        }
        stream
    };
    let mut followers = Vec::new();
    for _ in 0..64 {
        followers.push(follow("eve").await);
    }
    let refused = fixture.ask_with("GET", &path, &bearer("eve"), "").await;
    assert_eq!(refused.message(429), "64 clients of yours are following output already");
    assert_eq!(refused.json()["code"], "too_many_followers");
    // Others, and who listens to the feed, have places of their own.
    let _other = follow("bob").await;
    let head = fixture.ask_with("HEAD", "/scheduler/events", &bearer("eve"), "").await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn followers_leave_room_for_others() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    fixture.memory.world().write(id, 0, "one");
    let path = format!("/scheduler/run/{id}/stdout?follow=true");
    let mut followers = Vec::new();
    for _ in 0..256 {
        let mut stream = tokio::net::TcpStream::connect(fixture.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"one\r\n") {
            tokio::io::AsyncReadExt::read_buf(&mut stream, &mut received).await.unwrap();
        }
        followers.push(stream);
    }
    let refused = fixture.ask("GET", &path).await;
    assert!(refused.message(503).contains("256 others"));
    assert_eq!(refused.json()["code"], "too_many_followers");
    assert_eq!(refused.header("retry-after"), Some("30"));
    // What is there already is read all the same, and so are events.
    let answer = fixture.ask("GET", &format!("/scheduler/run/{id}/stdout")).await;
    assert_eq!((answer.status, answer.text()), (200, "one"));
    let head = fixture.ask("HEAD", "/scheduler/events").await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn a_server_that_stops_cuts_what_is_followed_so_that_the_client_sees_it() {
    let fixture = Fixture::start().await;
    let id = add(&fixture, run(1, "a", RunState::Active, vec![attempt(0, running())]));
    fixture.memory.world().write(id, 0, "one\n");
    let address = fixture.address();
    let Fixture { memory, server } = fixture;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /scheduler/run/{id}/stdout?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"one\n\r\n") {
        tokio::io::AsyncReadExt::read_buf(&mut stream, &mut received).await.unwrap();
    }
    server.stop().await;
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut received).await;
    assert!(!received.ends_with(b"0\r\n\r\n"));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop(memory);
}
