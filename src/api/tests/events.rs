//! The feed over HTTP: server-sent events.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::credential::testing::{admitting, bearer};
use super::super::testing::{Answer, FEED_ITEMS, Fixture, at, name};
use super::super::{Options, Role};
use super::PREFIXES;
use crate::engine::{FeedItem, JobStep, RunStep};
use crate::model::{
    Delivery, Exit, Incarnation, IncidentId, NotificationId, RunId, StopReason, Term, Verdict,
};

/// A client that stays.
struct Ear {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Ear {
    async fn open(fixture: &Fixture, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(fixture.address()).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, received: Vec::new() }
    }

    fn text(&self) -> String {
        String::from_utf8(self.received.clone()).unwrap()
    }

    /// Reads until `text` has come.
    async fn hear(&mut self, text: &str) {
        while !self.text().contains(text) {
            let count = self.stream.read_buf(&mut self.received).await.unwrap();
            assert_ne!(count, 0, "it ended before {text:?}: {}", self.text());
        }
    }

    /// Reads until this event has come, and says what came.
    async fn events(&mut self, last: &str) -> Vec<Value> {
        self.hear(&format!("\"id\":\"{last}\"")).await;
        // The line may have begun to come and not be there as a whole.
        let mut seen = self.text();
        while !seen.ends_with("\n\n\r\n") {
            let count = self.stream.read_buf(&mut self.received).await.unwrap();
            assert_ne!(count, 0, "it ended: {}", self.text());
            seen = self.text();
        }
        told(&seen)
    }

    /// Reads to the end.
    async fn end(mut self) -> Answer {
        self.stream.read_to_end(&mut self.received).await.unwrap();
        Answer::parse(&self.received, false)
    }
}

/// The data of all events in a text.
fn told(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn id(number: u64) -> String {
    format!("1-0-{number}")
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

fn deleted(job: &str) -> FeedItem {
    FeedItem::Job { job: name(job), incarnation: Incarnation(7), step: JobStep::Deleted }
}

fn tell(fixture: &Fixture, item: FeedItem) {
    fixture.memory.world().feed.tell(item);
}

fn last_event_id(number: u64) -> String {
    format!("Last-Event-ID: {}\r\n", id(number))
}

#[tokio::test]
async fn everything_that_changes_is_told_as_it_changes() {
    let run = |step| FeedItem::Run {
        job: name("a"),
        run: RunId::manual(Incarnation(7), 5),
        due_at: at("2030-01-01T00:00:00Z"),
        step,
    };
    let told_of_run = |what: &str, key: &str, value: Value| {
        let mut told = json!({"kind": "run", "what": what, "job": "a", "run": "j7-m5",
            "dueAt": "2030-01-01T00:00:00.000Z", "attempt": 2, "startedAt": null, "endedAt": null,
            "verdict": null, "exit": null, "stopReason": null, "until": null});
        told[key] = value;
        told
    };
    let (noon, noon_told) = (at("2030-01-01T12:00:00Z"), json!("2030-01-01T12:00:00.000Z"));
    let created = JobStep::Created { revision: 1, disabled: true };
    let mut ended = told_of_run("ended", "verdict", json!("failed"));
    ended["attempt"] = Value::Null;
    ended["endedAt"] = noon_told.clone();
    let mut attempt_ended = told_of_run("attemptEnded", "exit", json!({"code": 3}));
    attempt_ended["endedAt"] = noon_told.clone();
    let stretch = FeedItem::StretchStored {
        job: name("a"),
        sequence: 9,
        verdict: Verdict::Missed,
        first_due_at: at("2030-01-01T00:00:00Z"),
        last_due_at: noon,
        count: 13,
    };
    let exit = Some(Exit::Code(3));
    let cases = [
        (
            FeedItem::Job { job: name("a"), incarnation: Incarnation(7), step: created },
            json!({"kind": "job", "what": "created", "job": "a", "incarnation": 7, "revision": 1,
                   "disabled": true, "until": null}),
        ),
        (
            deleted("a"),
            json!({"kind": "job", "what": "deleted", "job": "a", "incarnation": 7,
                   "revision": null, "disabled": null, "until": null}),
        ),
        (
            run(RunStep::Started { attempt: 2, at: noon }),
            told_of_run("started", "startedAt", noon_told.clone()),
        ),
        (
            run(RunStep::Stopping { attempt: 2, why: StopReason::TimedOut }),
            told_of_run("stopping", "stopReason", json!("timedOut")),
        ),
        (
            run(RunStep::OutOfSight { attempt: 2, until: noon }),
            told_of_run("unknown", "until", noon_told.clone()),
        ),
        (run(RunStep::AttemptEnded { attempt: 2, at: noon, exit }), attempt_ended),
        (run(RunStep::Ended { verdict: Verdict::Failed, at: noon }), ended),
        (
            stretch,
            json!({"kind": "stretch", "what": "recorded", "job": "a", "sequence": 9,
                   "verdict": "missed", "firstDueAt": "2030-01-01T00:00:00.000Z",
                   "lastDueAt": noon_told, "count": 13}),
        ),
        (
            FeedItem::RoundMoved { job: name("a") },
            json!({"kind": "round", "what": "moved", "job": "a"}),
        ),
        (
            FeedItem::Launcher { problem: Some("unplugged".to_owned()) },
            json!({"kind": "launcher", "what": "gone", "problem": "unplugged"}),
        ),
        (
            FeedItem::EverythingPaused { is_paused: true, until: Some(noon) },
            json!({"kind": "pause", "what": "paused", "until": noon_told}),
        ),
        (FeedItem::ClockDoubted { is_doubted: true }, json!({"kind": "clock", "what": "doubted"})),
        (
            FeedItem::ZoneKept { zone: "Europe/Berlin".to_owned() },
            json!({"kind": "zone", "what": "kept", "zone": "Europe/Berlin"}),
        ),
        (
            FeedItem::IncidentMoved { id: IncidentId(3), is_open: true },
            json!({"kind": "incident", "what": "moved", "incident": "i3"}),
        ),
        (
            FeedItem::IncidentMoved { id: IncidentId(3), is_open: false },
            json!({"kind": "incident", "what": "closed", "incident": "i3"}),
        ),
        (
            FeedItem::NotificationMoved {
                id: NotificationId(5),
                delivery: Delivery::Due { at: noon },
            },
            json!({"kind": "notification", "what": "due", "notification": "n5"}),
        ),
        (FeedItem::TermBegan(Term(4)), json!({"kind": "term", "what": "began", "term": 4})),
    ];
    for p in PREFIXES {
        let fixture = Fixture::start().await;
        let mut ear = Ear::open(&fixture, &format!("{p}/events"), "").await;
        assert_eq!(kinds(&ear.events(&id(0)).await), ["ready"]);
        for (number, (item, expected)) in (1..).zip(cases.clone()) {
            tell(&fixture, item);
            let mut found = ear.events(&id(number)).await.pop().unwrap();
            let fields = found.as_object_mut().unwrap();
            assert_eq!(fields.remove("id").unwrap(), id(number));
            assert_eq!(fields.remove("at").unwrap(), "2030-01-01T00:00:00.500Z");
            assert_eq!(found, expected);
        }
        let text = ear.text();
        assert!(text.contains("\r\nretry: 1000\n\nid: 1-0-0\nevent: ready\ndata: {"), "{text}");
        assert!(text.contains("\nid: 1-0-2\nevent: job\ndata: {\"id\":\"1-0-2\",\"kind\":\"job\""));
        // The answer ends as a whole when the server stops.
        let Fixture { memory: _, server } = fixture;
        server.stop().await;
        let answer = ear.end().await;
        assert!(answer.is_complete);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.header("x-accel-buffering"), Some("no"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn whoever_comes_back_hears_what_came_since_and_nothing_twice() {
    let fixture = Fixture::start().await;
    let last = FEED_ITEMS as u64;
    for number in 1..=last {
        tell(&fixture, FeedItem::TermBegan(Term(number)));
    }
    for number in 0..last {
        let expected: Vec<String> = (number + 1..=last).map(id).collect();
        let path = format!("/scheduler/events?after={}", id(number));
        let mut ear = Ear::open(&fixture, &path, "").await;
        assert_eq!(ids(&ear.events(&id(last)).await), expected);
        // A browser comes back to the address that it has begun with.
        let path = format!("/scheduler/events?after={}", id(0));
        let mut ear = Ear::open(&fixture, &path, &last_event_id(number)).await;
        assert_eq!(ids(&ear.events(&id(last)).await), expected);
    }
    // Nothing has come since the last one, until it does.
    let mut ear = Ear::open(&fixture, "/scheduler/events", &last_event_id(last)).await;
    ear.hear("retry").await;
    tell(&fixture, FeedItem::TermBegan(Term(0)));
    assert_eq!(ids(&ear.events(&id(last + 1)).await), [id(last + 1)]);
}

#[tokio::test]
async fn whoever_has_missed_something_is_told_so() {
    let fixture = Fixture::start().await;
    let last = FEED_ITEMS as u64 + 3;
    for number in 1..=last {
        tell(&fixture, FeedItem::TermBegan(Term(number)));
    }
    let elsewhere = [
        last_event_id(2),
        last_event_id(last + 100),
        "Last-Event-ID: 1-1-5\r\n".to_owned(),
        "Last-Event-ID: 2-0-5\r\n".to_owned(),
        "Last-Event-ID: who knows\r\n".to_owned(),
        "Last-Event-ID: \u{e9}\r\n".to_owned(),
    ];
    for (count, header) in (0..).zip(elsewhere) {
        let mut ear = Ear::open(&fixture, "/scheduler/events", &header).await;
        let events = ear.events(&id(last + count)).await;
        assert_eq!(kinds(&events), ["reset"], "{header}");
        // From there on it goes on as ever.
        tell(&fixture, FeedItem::TermBegan(Term(0)));
        let events = ear.events(&id(last + count + 1)).await;
        assert_eq!(kinds(&events), ["reset", "term"], "{header}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_told_what_it_has_missed_and_holds_up_nobody() {
    let fixture = Fixture::start().await;
    let mut ear = Ear::open(&fixture, "/scheduler/events", "").await;
    ear.events(&id(0)).await;
    let count = FEED_ITEMS as u64 * 3;
    // All at once: the server does not get to send between two of them.
    for number in 1..=count {
        tell(&fixture, FeedItem::TermBegan(Term(number)));
    }
    let events = ear.events(&id(count)).await;
    assert_eq!(kinds(&events), ["ready", "reset"]);
    fixture.memory.world().feed.cut();
    let events = ear.events(&id(count + 1)).await;
    assert_eq!(kinds(&events), ["ready", "reset", "reset"]);
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let fixture = Fixture::start().await;
    let open = async |query: &str| {
        let path = format!("/scheduler/events?{query}");
        let mut ear = Ear::open(&fixture, &path, "").await;
        ear.events(&id(0)).await;
        ear
    };
    let mut of_job = open("job=night%20ly").await;
    let mut of_kinds = open("kind=term,zone").await;
    let mut of_both = open("job=night%20ly&kind=round").await;
    for item in [
        deleted("night ly"),
        deleted("other"),
        FeedItem::TermBegan(Term(2)),
        FeedItem::RoundMoved { job: name("night ly") },
        FeedItem::RoundMoved { job: name("other") },
        FeedItem::ZoneKept { zone: "UTC".to_owned() },
    ] {
        tell(&fixture, item);
    }
    assert_eq!(kinds(&of_job.events(&id(4)).await), ["ready", "job", "round"]);
    assert_eq!(kinds(&of_kinds.events(&id(6)).await), ["ready", "term", "zone"]);
    assert_eq!(kinds(&of_both.events(&id(4)).await), ["ready", "round"]);
    for (query, field) in [
        ("kind=jobs", "kind"),
        ("kind=", "kind"),
        ("kind=job,,run", "kind"),
        ("after=5", "after"),
        ("after=1-0-x", "after"),
        ("after=", "after"),
        ("job=a/b", "job"),
        ("since=1-0-5", "since"),
    ] {
        let answer = fixture.ask("GET", &format!("/scheduler/events?{query}")).await;
        answer.message(400);
        assert_eq!(answer.json()["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives_and_how_far_it_has_got() {
    let fixture = Fixture::start().await;
    let mut ear = Ear::open(&fixture, "/scheduler/events?kind=job", "").await;
    ear.events(&id(0)).await;
    let silence = || fixture.memory.world().feed.silences.add_permits(1);
    silence();
    ear.hear("\r\n:\n\n\r\n").await;
    // What this client does not want to hear passes it by, and is nothing to come back for.
    tell(&fixture, FeedItem::TermBegan(Term(2)));
    tell(&fixture, FeedItem::TermBegan(Term(3)));
    silence();
    while !ear.text().contains("\r\nid: 1-0-2\n\n\r\n") {
        // It may have been silent once more before it looked.
        silence();
        ear.hear("\n\n\r\n").await;
        let count = ear.stream.read_buf(&mut ear.received).await.unwrap();
        assert_ne!(count, 0);
    }
    assert_eq!(kinds(&told(&ear.text())), ["ready"]);
}

#[tokio::test]
async fn no_caller_takes_all_the_room_there_is() {
    let callers = [("eve", Role::Viewer, ""), ("bob", Role::Viewer, "")];
    let options = Options { authenticator: Some(admitting(&callers)), ..Options::default() };
    let fixture = Fixture::start_with(options).await;
    let mut ears = Vec::new();
    for index in 0..64 {
        let path = format!("{}/events", PREFIXES[index % 2]);
        let mut ear = Ear::open(&fixture, &path, &bearer("eve")).await;
        ear.hear("ready").await;
        ears.push(ear);
    }
    let refused = fixture.ask_with("GET", "/scheduler/events", &bearer("eve"), "").await;
    assert_eq!(refused.message(429), "64 clients of yours are listening already");
    let said = refused.json();
    assert_eq!(said["code"], "too_many_listeners");
    assert_eq!(said["remedy"], "end one of them, or try again in 30 s");
    assert_eq!(refused.header("retry-after"), Some("30"));
    let mut other = Ear::open(&fixture, "/scheduler/events", &bearer("bob")).await;
    other.hear("ready").await;
    // Who goes makes room.
    ears.pop();
    loop {
        let mut ear = Ear::open(&fixture, "/scheduler/events", &bearer("eve")).await;
        ear.hear("\r\n\r\n").await;
        if ear.text().starts_with("HTTP/1.1 200 ") {
            break;
        }
    }
}

#[tokio::test]
async fn listeners_leave_room_for_others() {
    let fixture = Fixture::start().await;
    let mut ears = Vec::new();
    for _ in 0..256 {
        let mut ear = Ear::open(&fixture, "/v1/scheduler/events", "").await;
        ear.hear("ready").await;
        ears.push(ear);
    }
    let refused = fixture.ask("GET", "/scheduler/events").await;
    assert!(refused.message(503).contains("256 others"));
    assert_eq!(refused.json()["code"], "too_many_listeners");
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(fixture.ask("GET", "/scheduler/jobs").await.status, 200);
    // A head is no listener once it is told.
    ears.pop();
    loop {
        let mut ear = Ear::open(&fixture, "/scheduler/events", "").await;
        ear.hear("\r\n\r\n").await;
        if ear.text().starts_with("HTTP/1.1 200 ") {
            break;
        }
    }
}

#[tokio::test]
async fn the_head_alone_is_no_stream() {
    let fixture = Fixture::start().await;
    let answer = fixture.ask("HEAD", "/scheduler/events").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}
