//! The sockets of the Mesos client: masters that cut, trickle, flood, send us on and fail over; a real ZooKeeper; agents
//! that answer as recorded.

mod common;
#[path = "mesos/door.rs"]
mod door;
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]
#[path = "../src/mesos/traces.rs"]
mod traces;
#[path = "import/zookeeper.rs"]
mod zookeeper;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use chronode::mesos::client::{CALLS_MAX, Client, ClientConfig, ClientHandle, Heard, Subscription};
use chronode::mesos::files::{FileError, Files};
use chronode::mesos::leader::Masters;
use chronode::mesos::recordio::encode;
use chronode::mesos::transport::{Access, AccessFiles};
use chronode::mesos::wire::{Call, CallType, FrameworkInfo, Id};
use chronode::mesos::zookeeper::{Leader, watch};
use door::{Asked, Door, Feed, soon};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use zookeeper::ZooKeeper;

/// The bytes of a recorded stream.
const STREAM: &[u8] = include_bytes!("mesos/traces/subscribe.recordio");

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn config(master: &str) -> ClientConfig {
    ClientConfig {
        masters: Masters::parse(master).unwrap().unwrap(),
        access: Access::default(),
        framework: FrameworkInfo {
            user: "root".to_owned(),
            name: "chronos".to_owned(),
            ..FrameworkInfo::default()
        },
        framework_id: None,
        jitter: 0,
    }
}

fn start(config: ClientConfig) -> (ClientHandle, mpsc::Receiver<Heard>) {
    Client::start(config).unwrap()
}

async fn hear(heard: &mut mpsc::Receiver<Heard>) -> Heard {
    soon("something to be told", heard.recv()).await.expect("the client lives")
}

async fn lost(heard: &mut mpsc::Receiver<Heard>) -> String {
    match hear(heard).await {
        Heard::Lost { reason } => reason,
        other => panic!("{other:?}"),
    }
}

async fn subscribed(heard: &mut mpsc::Receiver<Heard>) -> (Subscription, String) {
    match hear(heard).await {
        Heard::Subscribed { subscription, framework_id, master: _ } => (subscription, framework_id),
        other => panic!("{other:?}"),
    }
}

fn record(event: &Value) -> Bytes {
    encode(event.to_string().as_bytes()).into()
}

fn subscription(framework_id: &str) -> Bytes {
    record(&json!({"type": "SUBSCRIBED", "subscribed": {
        "framework_id": {"value": framework_id}, "heartbeat_interval_seconds": 15.0,
        "master_info": {"id": "m", "port": 5050}}}))
}

fn failure(message: &str) -> Bytes {
    record(&json!({"type": "ERROR", "error": {"message": message}}))
}

async fn feed(feed: &Feed, piece: impl Into<Bytes>) {
    soon("the client to read", feed.send(Ok(piece.into()))).await.unwrap();
}

/// Takes a SUBSCRIBE and answers it well.
async fn take(asked: Asked, framework_id: &str, stream_id: &str) -> Feed {
    assert_eq!(asked.kind(), "SUBSCRIBE");
    let stream = asked.stream(stream_id);
    feed(&stream, subscription(framework_id)).await;
    stream
}

fn call(kind: CallType) -> Call {
    Call::of(kind, Some(Id::new("f")))
}

/// A file with a text, which nobody else may read, in a directory that lives as long as the first of the two.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (directory, path)
}

#[test]
fn a_recorded_stream_is_heard_byte_by_byte_and_calls_go_in_order_with_its_id() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (_directory, secret_file) = file("s3cret\n");
        let access = Access::read(&AccessFiles {
            principal: Some("chronode".to_owned()),
            secret_file: Some(secret_file),
            ..AccessFiles::default()
        });
        let config = ClientConfig { access: access.unwrap(), ..config(&master.url()) };
        let (handle, mut heard) = start(config);

        let asked = master.next().await;
        assert_eq!(asked.path, "/api/v1/scheduler");
        assert_eq!(asked.header("content-type"), Some("application/json"));
        assert_eq!(asked.header("accept"), Some("application/json"));
        assert_eq!(asked.header("mesos-stream-id"), None);
        let login = "Basic Y2hyb25vZGU6czNjcmV0";
        assert_eq!(asked.header("authorization"), Some(login));
        assert_eq!(asked.body.get("framework_id"), None);
        let info = &asked.body["subscribe"]["framework_info"];
        assert_eq!((&info["principal"], info.get("id")), (&json!("chronode"), None));
        let stream = asked.stream("one");
        let bytes = tokio::spawn(async move {
            for byte in STREAM {
                feed(&stream, vec![*byte]).await;
            }
            stream
        });
        let (subscription, framework_id) = subscribed(&mut heard).await;
        assert_eq!(
            (subscription, framework_id.as_str()),
            (Subscription(1), "9e68897b-b179-48ef-af88-21e945aada1f-0000")
        );
        let mut kinds = Vec::new();
        while kinds.len() < 5 {
            match hear(&mut heard).await {
                Heard::Event(event) => kinds.push(event.kind.as_str()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(kinds, ["OFFERS", "UPDATE", "UPDATE", "UPDATE", "OFFERS"]);
        let _stream = bytes.await.unwrap();

        for kind in [CallType::Revive, CallType::Suppress, CallType::Reconcile] {
            handle.call(subscription, call(kind));
        }
        for kind in ["REVIVE", "SUPPRESS", "RECONCILE"] {
            let asked = master.next().await;
            assert_eq!(asked.kind(), kind);
            assert_eq!(asked.header("mesos-stream-id"), Some("one"));
            assert_eq!(asked.header("content-type"), Some("application/json"));
            assert_eq!(asked.header("authorization"), Some(login));
            assert!(master.now().is_none(), "the next call waits for the answer");
            asked.accept();
        }
    });
}

#[test]
fn a_stream_that_is_cut_within_a_record_is_taken_up_again_and_old_calls_are_dropped() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        let (first, _) = subscribed(&mut heard).await;
        // A call that is not answered before the cut is not sent again.
        handle.call(first, call(CallType::Suppress));
        handle.call(first, call(CallType::Teardown));
        let unanswered = master.next().await;
        assert_eq!(unanswered.kind(), "SUPPRESS");
        let update =
            record(&json!({"type": "UPDATE", "update": {"status": {"task_id": {"value": "t"}}}}));
        feed(&stream, update.slice(..20)).await;
        soon("the client to read", stream.send(Err(std::io::Error::other("cut")))).await.unwrap();
        let reason = lost(&mut heard).await;
        assert!(reason.contains("ended the subscription"), "{reason}");

        let asked = master.next().await;
        assert_eq!(asked.body["framework_id"]["value"], "f");
        assert_eq!(asked.body["subscribe"]["framework_info"]["id"]["value"], "f");
        let stream = take(asked, "f", "two").await;
        let (second, _) = subscribed(&mut heard).await;
        assert!(second > first);
        handle.call(first, call(CallType::Suppress));
        handle.call(second, call(CallType::Revive));
        let asked = master.next().await;
        assert_eq!((asked.kind(), asked.header("mesos-stream-id")), ("REVIVE", Some("two")));
        asked.accept();

        // A good end in the middle of a record is no good end.
        feed(&stream, update.slice(..20)).await;
        drop(stream);
        let reason = lost(&mut heard).await;
        assert!(reason.contains("in the middle of a record"), "{reason}");
        drop(unanswered);
    });
}

#[test]
fn streams_that_are_none_are_told_and_left() {
    runtime().block_on(async {
        for (bytes, part) in [
            ("<html>", "invalid length of a record"),
            ("99999999999\n", "is too long"),
            ("5\nhello", "a record is no JSON"),
        ] {
            let mut master = Door::open().await;
            let (_handle, mut heard) = start(config(&master.url()));
            let stream = master.next().await.stream("one");
            feed(&stream, bytes).await;
            let reason = lost(&mut heard).await;
            assert!(reason.contains(part), "{reason}");
            soon("the client to hang up", stream.closed()).await;
            // And asked again.
            take(master.next().await, "f", "two").await;
            subscribed(&mut heard).await;
        }
    });
}

#[test]
fn of_an_event_that_is_not_understood_what_can_be_read_is_heard() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (_handle, mut heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        subscribed(&mut heard).await;
        feed(&stream, record(&json!({"type": "UPDATE", "update": "odd"}))).await;
        // Of offers and updates what can be read is heard: they are given back, and acknowledged.
        let offers = json!([{"id": {"value": "o1"}, "agent_id": {"value": "S1"}, "hostname": 5},
            {"id": {"value": "o2"}, "agent_id": {"value": "S2"}, "hostname": "two"}]);
        feed(&stream, record(&json!({"type": "OFFERS", "offers": {"offers": offers}}))).await;
        let Heard::Event(event) = hear(&mut heard).await else { panic!() };
        let offers = event.offers.unwrap().offers;
        let told: Vec<_> =
            offers.iter().map(|it| (it.id.value.as_str(), it.hostname.as_str())).collect();
        assert_eq!(told, [("o1", ""), ("o2", "two")]);
        let status = json!({"task_id": {"value": "t"}, "agent_id": {"value": "S1"}, "uuid": "dQ==",
            "state": "TASK_RUNNING", "timestamp": "soon"});
        feed(&stream, record(&json!({"type": "UPDATE", "update": {"status": status}}))).await;
        let Heard::Event(event) = hear(&mut heard).await else { panic!() };
        let status = event.update.unwrap().status;
        assert_eq!((status.task_id.value.as_str(), status.uuid.as_deref()), ("t", Some("dQ==")));
        feed(&stream, record(&json!({"type": "NEWS"}))).await;
        match hear(&mut heard).await {
            Heard::Event(event) => assert_eq!(event.kind.as_str(), "UNKNOWN"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_redirect_leads_to_another_port_also_for_the_calls() {
    runtime().block_on(async {
        let (mut follower, mut leader) = (Door::open().await, Door::open().await);
        let (handle, mut heard) = start(config(&follower.url()));
        let location = format!("//localhost:{}/master/api/v1/scheduler", leader.at.port());
        follower.next().await.answer(307, &[("Location", &location)], "");
        let asked = leader.next().await;
        assert_eq!(asked.path, "/master/api/v1/scheduler");
        let _stream = take(asked, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        handle.call(subscription, call(CallType::Revive));
        let asked = leader.next().await;
        assert_eq!((asked.path.as_str(), asked.kind()), ("/master/api/v1/scheduler", "REVIVE"));
        // It leads no longer, and says who does.
        let location = format!("//localhost:{}/master/api/v1/scheduler", follower.at.port());
        asked.answer(307, &[("Location", &location)], "");
        assert!(lost(&mut heard).await.contains("does not lead any longer"));
        let asked = follower.next().await;
        assert_eq!((asked.path.as_str(), asked.kind()), ("/master/api/v1/scheduler", "SUBSCRIBE"));
    });
}

#[test]
fn a_master_that_dies_is_left_for_the_next_one_in_the_list() {
    runtime().block_on(async {
        let mut second = Door::open().await;
        // A port at which nobody listens.
        let gone =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (_handle, mut heard) = start(config(&format!("{gone},{}", second.at)));
        let reason = lost(&mut heard).await;
        assert!(reason.contains(&format!("{gone}: cannot connect")), "{reason}");
        let asked = second.next().await;
        asked.answer(503, &[], "Master has not finished recovery");
        let reason = lost(&mut heard).await;
        assert!(reason.contains("503 (\"Master has not finished recovery\")"), "{reason}");
        take(second.next().await, "f", "one").await;
        loop {
            match hear(&mut heard).await {
                Heard::Subscribed { .. } => break,
                Heard::Lost { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn who_is_deposed_is_silent_for_ever() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        feed(&stream, failure("Framework failed over")).await;
        match hear(&mut heard).await {
            Heard::Deposed { reason } => assert!(reason.contains("framework `f`"), "{reason}"),
            other => panic!("{other:?}"),
        }
        // The client has ended, so nothing can come any more.
        assert_eq!(soon("the end", heard.recv()).await, None);
        handle.call(subscription, call(CallType::Revive));
        assert!(master.now().is_none());
    });
}

#[test]
fn a_removed_framework_comes_back_under_another_name() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let config = ClientConfig { framework_id: Some("old".to_owned()), ..config(&master.url()) };
        let (_handle, mut heard) = start(config);
        let asked = master.next().await;
        assert_eq!(asked.body["framework_id"]["value"], "old");
        feed(&asked.stream("one"), failure("Framework has been removed")).await;
        assert!(lost(&mut heard).await.contains("`old`"));
        let asked = master.next().await;
        assert_eq!(asked.body.get("framework_id"), None);
        let _stream = take(asked, "new", "two").await;
        assert_eq!(subscribed(&mut heard).await.1, "new");
    });
}

#[test]
fn calls_that_are_refused_are_told_and_one_without_an_answer_ends_the_subscription() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let _stream = take(master.next().await, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        handle.call(subscription, call(CallType::Kill));
        let text = "Failed to validate scheduler::Call: Expecting 'kill' to be present";
        master.next().await.answer(400, &[], text);
        match hear(&mut heard).await {
            Heard::Refused { call, status, message } => {
                assert_eq!((call.kind, status, message.as_str()), (CallType::Kill, 400, text));
            }
            other => panic!("{other:?}"),
        }
        // An UPDATE_FRAMEWORK is answered with 200.
        handle.call(subscription, call(CallType::UpdateFramework));
        master.next().await.answer(200, &[], "");
        handle.call(subscription, call(CallType::Revive));
        handle.call(subscription, call(CallType::Suppress));
        let asked = master.next().await;
        assert_eq!(asked.kind(), "REVIVE");
        asked.answer(500, &[], "");
        assert!(lost(&mut heard).await.contains("answers 500"));
        assert_eq!(master.next().await.kind(), "SUBSCRIBE", "the calls behind it are dropped");
    });
}

#[test]
fn calls_that_a_master_does_not_take_are_not_kept_without_end() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let _stream = take(master.next().await, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        handle.call(subscription, call(CallType::Revive));
        let _unanswered = master.next().await;
        for _ in 0..CALLS_MAX {
            handle.call(subscription, call(CallType::Suppress));
        }
        handle.call(subscription, call(CallType::Suppress));
        let reason = lost(&mut heard).await;
        assert!(reason.contains("calls wait"), "{reason}");
        assert_eq!(master.next().await.kind(), "SUBSCRIBE");
    });
}

#[test]
fn a_master_that_falls_silent_is_left() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (_handle, mut heard) = start(config(&master.url()));
        let stream = master.next().await.stream("one");
        let hasty = json!({"framework_id": {"value": "f"}, "heartbeat_interval_seconds": 0.2});
        feed(&stream, record(&json!({"type": "SUBSCRIBED", "subscribed": hasty}))).await;
        subscribed(&mut heard).await;
        let reason = lost(&mut heard).await;
        assert!(reason.contains("silent for two and a half of its heartbeats"), "{reason}");
        soon("the client to hang up", stream.closed()).await;
        assert_eq!(master.next().await.body["framework_id"]["value"], "f");
    });
}

#[test]
fn a_client_that_nobody_holds_hangs_up() {
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        subscribed(&mut heard).await;
        drop(handle);
        soon("the client to hang up", stream.closed()).await;
        assert_eq!(soon("the end", heard.recv()).await, None);

        let (_handle, heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        drop(heard);
        soon("the client to hang up", stream.closed()).await;
    });
}

/// What a master sends beyond what is taken stays in its own memory, and nothing of it is lost.
#[test]
fn a_master_that_floods_has_to_wait() {
    const SIZE: usize = 256 << 10;
    const FAR_TOO_MUCH: usize = 256 << 20;
    runtime().block_on(async {
        let mut master = Door::open().await;
        let (handle, mut heard) = start(config(&master.url()));
        let stream = take(master.next().await, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        let event = |number: usize| {
            let status =
                json!({"task_id": {"value": number.to_string()}, "message": "x".repeat(SIZE)});
            record(&json!({"type": "UPDATE", "update": {"status": status}}))
        };
        let mut sent = 0;
        while let Ok(taken) =
            tokio::time::timeout(Duration::from_secs(2), stream.send(Ok(event(sent)))).await
        {
            taken.unwrap();
            sent += 1;
            assert!(sent * SIZE < FAR_TOO_MUCH, "nothing holds the master back");
        }
        // Calls go on meanwhile.
        handle.call(subscription, call(CallType::Revive));
        master.next().await.accept();
        for number in 0..sent {
            match hear(&mut heard).await {
                Heard::Event(event) => {
                    assert_eq!(event.update.unwrap().status.task_id.value, number.to_string());
                }
                other => panic!("{other:?}"),
            }
        }
    });
}

/// The recorded answers of an agent to READ_FILE and LIST_FILES, by what was asked.
fn recorded_answers() -> Vec<(Value, u16, String)> {
    let lines = traces::read("sandbox");
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let is_question = line.path.as_deref() == Some("/api/v1");
        if let (true, Some(body)) = (is_question, &line.body) {
            let answer = lines[index..].iter().find(|it| it.status.is_some()).unwrap();
            found.push((body.clone(), answer.status.unwrap(), answer.text()));
        }
    }
    found
}

#[test]
fn files_of_a_sandbox_are_read_as_the_recorded_agent_answers() {
    let sandbox =
        "/frameworks/9e68897b-b179-48ef-af88-21e945aada1f-0015/executors/printer/runs/latest";
    let answers = recorded_answers();
    runtime().block_on(async {
        let mut agent = Door::open().await;
        let at = agent.url();
        let files = Files::new(&Access::default()).unwrap();
        tokio::spawn(async move {
            loop {
                let asked = agent.next().await;
                assert_eq!(asked.path, "/api/v1");
                // The recorded client left the length out where it wanted all; ours never does.
                let same = |body: &Value| {
                    let mut mine = asked.body.clone();
                    if body["read_file"].get("length").is_none()
                        && let Some(read) = mine.get_mut("read_file").and_then(Value::as_object_mut)
                    {
                        read.remove("length");
                    }
                    mine == *body
                };
                let answer = answers.iter().find(|(body, ..)| same(body));
                let (_, status, text) = answer.unwrap_or_else(|| panic!("{}", asked.body)).clone();
                asked.answer(status, &[("Content-Type", "application/json")], &text);
            }
        });
        let stdout = format!("{sandbox}/stdout");
        let all = "line 1\nline 2\nline 3\nline 4\nline 5\n";
        let piece = files.read(&at, &stdout, 0, 1000).await.unwrap();
        assert_eq!((String::from_utf8(piece.data).unwrap().as_str(), piece.size), (all, 35));
        let piece = files.read(&at, &stdout, 5, 6).await.unwrap();
        assert_eq!((piece.data.as_slice(), piece.size), (&b"1\nline"[..], 35));
        let piece = files.read(&at, &stdout, 99_999, 10).await.unwrap();
        assert_eq!((piece.data.len(), piece.size), (0, 35));
        assert_eq!(files.size(&at, &stdout).await, Ok(35));
        let pieces: Vec<_> = files.download(&at, &stdout).collect().await;
        assert_eq!(pieces, [Ok(all.as_bytes().to_vec())]);

        let listed = files.list(&at, sandbox).await.unwrap();
        let names: Vec<_> =
            listed.iter().map(|file| (file.name.as_str(), file.is_directory)).collect();
        assert_eq!(names, [("result.txt", false), ("stderr", false), ("stdout", false)]);
        assert_eq!(
            (listed[0].size, listed[0].user.as_str(), listed[0].mode),
            (5, "root", 0o100_644)
        );
        assert_eq!(listed[0].written_at.unwrap().as_second(), 1_795_238_673);

        let gone = FileError::Gone { agent: at.trim_start_matches("http://").to_owned() };
        let nope = format!("{sandbox}/nope");
        assert_eq!(files.read(&at, &nope, 0, 10).await, Err(gone.clone()));
        assert_eq!(files.list(&at, &nope).await, Err(gone.clone()));
        let pieces: Vec<_> = files.download(&at, &nope).collect().await;
        assert_eq!(pieces, [Err(gone)]);
    });
}

#[test]
fn agents_are_not_believed() {
    runtime().block_on(async {
        let mut agent = Door::open().await;
        let at = format!("{}/slave(1)", agent.url());
        let files = Files::new(&Access::default()).unwrap();
        for (status, text, part) in [
            (307, "", "agents do not send us elsewhere"),
            (403, "", "ACL `access_sandboxes`"),
            (401, "", "`--mesos_authentication_principal`"),
            (503, "Agent has not finished recovery", "out of reach: it answers 503: Agent has not"),
            (400, "odd\nthing", "answers 400: odd\\nthing"),
            (200, "<html>", "no JSON"),
            (200, "{}", "no `read_file`"),
            (200, r#"{"read_file":{"size":-1,"data":""}}"#, "not understood"),
            (200, r#"{"read_file":{"size":3,"data":"?"}}"#, "its data"),
        ] {
            let elsewhere = [("Location", "http://127.0.0.1:1/")];
            let answering = async { agent.next().await.answer(status, &elsewhere, text) };
            let (result, ()) = tokio::join!(files.read(&at, "/x", 0, 10), answering);
            let error = result.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        // More than was asked for, in bytes that are no text; and an answer without end.
        let answering = async {
            agent.next().await.answer(200, &[], r#"{"read_file":{"size":9,"data":"/wD+/w=="}}"#)
        };
        let (result, ()) = tokio::join!(files.read(&at, "/x", 0, 2), answering);
        assert_eq!(result.unwrap().data, [0xff, 0x00]);
        let endless = async {
            let stream = agent.next().await.stream("x");
            while stream.send(Ok(Bytes::from(vec![b' '; 1 << 20]))).await.is_ok() {}
        };
        let (result, ()) = tokio::join!(files.read(&at, "/x", 0, 2), endless);
        assert!(result.unwrap_err().to_string().contains("more than"));

        let closed =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        for (agent, part) in [
            (format!("http://{closed}"), "cannot connect"),
            ("http://user:s3cret@h".to_owned(), "`http://host:port`"),
            ("file:///etc/passwd".to_owned(), "`http://host:port`"),
            (String::new(), "`http://host:port`"),
        ] {
            let error = files.size(&agent, "/x").await.unwrap_err();
            assert!(matches!(error, FileError::Unreachable { .. }), "{error:?}");
            let error = error.to_string();
            assert!(error.contains(part) && !error.contains("s3cret"), "{error}");
        }
    });
}

/// Files longer than a piece, and such as shrink while they are read.
#[test]
fn downloads_go_piece_by_piece_to_the_size_at_the_beginning() {
    use base64::Engine as _;
    runtime().block_on(async {
        let mut agent = Door::open().await;
        let at = agent.url();
        let files = Files::new(&Access::default()).unwrap();
        let content: Vec<u8> = (0..200_000_u32).map(|it| it.to_le_bytes()[0] ^ 0xa5).collect();
        let served = content.clone();
        let serving = tokio::spawn(async move {
            let mut questions = 0_u64;
            loop {
                let asked = agent.next().await;
                let offset =
                    usize::try_from(asked.body["read_file"]["offset"].as_u64().unwrap()).unwrap();
                // As real agents do, never more than 64 KiB. The file grows meanwhile.
                let end = served.len().min(offset + (64 << 10));
                let data = base64::engine::general_purpose::STANDARD.encode(&served[offset..end]);
                let size = served.len() as u64 + questions;
                questions += 1;
                let answer = json!({"read_file": {"size": size, "data": data}});
                asked.answer(200, &[], &answer.to_string());
            }
        });
        let pieces: Vec<_> = files.download(&at, "/x").collect().await;
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces.into_iter().map(Result::unwrap).collect::<Vec<_>>().concat(), content);
        serving.abort();
    });
}

/// A listener with TLS that wants a certificate of whoever comes.
struct Guarded {
    listener: tokio::net::TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for Guarded {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, at) = self.listener.accept().await.unwrap();
            // Who shows nothing that is wanted is sent away.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, at);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

#[test]
fn masters_and_agents_with_tls_are_shown_a_certificate_and_must_have_one_of_our_authority() {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ca, stranger) = (authority(), authority());
    let own = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &ca).unwrap(), key)
    };
    let (certificate, key) = own("localhost");
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(ca.der().to_vec())).unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        std::sync::Arc::new(roots),
        provider.clone(),
    );
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let (client_certificate, client_key) = own("chronode");
    let (_one, identity) =
        file(&format!("{}{}", client_certificate.pem(), client_key.serialize_pem()));
    let (_two, ca_file) = file(&ca.pem());
    let (_three, stranger_file) = file(&stranger.pem());
    let access = |ca: &PathBuf, identity: Option<&PathBuf>| {
        Access::read(&AccessFiles {
            ca_file: Some(ca.clone()),
            client_certificate: identity.cloned(),
            ..AccessFiles::default()
        })
        .unwrap()
    };

    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
        let mut master = Door::open_at(Guarded { listener, acceptor }, at);
        // No scheme: TLS, since certificates are given for it.
        let address = format!("localhost:{}", at.port());
        let known = access(&ca_file, Some(&identity));
        let (handle, mut heard) = start(ClientConfig { access: known.clone(), ..config(&address) });
        let _stream = take(master.next().await, "f", "one").await;
        let (subscription, _) = subscribed(&mut heard).await;
        handle.call(subscription, call(CallType::Revive));
        let asked = master.next().await;
        assert_eq!(asked.kind(), "REVIVE");
        // A redirect must not lead out of TLS.
        asked.answer(307, &[("Location", "http://localhost:1/x")], "");
        assert!(lost(&mut heard).await.contains("does not lead any longer"));
        master.next().await.answer(307, &[("Location", "http://localhost:1/x")], "");
        let reason = lost(&mut heard).await;
        assert!(reason.contains("gives up TLS"), "{reason}");
        drop(handle);

        for wrong in [access(&stranger_file, Some(&identity)), access(&ca_file, None)] {
            let (_handle, mut heard) =
                start(ClientConfig { access: wrong.clone(), ..config(&address) });
            let reason = lost(&mut heard).await;
            assert!(reason.contains("no subscription with the master at localhost:"), "{reason}");
            let agent = format!("https://{address}");
            let error = Files::new(&wrong).unwrap().size(&agent, "/x").await.unwrap_err();
            assert!(matches!(error, FileError::Unreachable { .. }), "{error}");
        }

        // It is on record without TLS, as masters tell it of every agent.
        let agent = format!("http://{address}");
        let files = Files::new(&known).unwrap();
        let answering = async {
            // What the client that was dropped may have asked before.
            loop {
                let asked = master.next().await;
                if asked.path == "/api/v1" {
                    return asked.answer(200, &[], r#"{"read_file":{"size":7,"data":""}}"#);
                }
            }
        };
        let (size, ()) = tokio::join!(files.size(&agent, "/x"), answering);
        assert_eq!(size, Ok(7));
    });
}

/// What the watcher says once it fits.
fn until(
    runtime: &Runtime,
    leader: &mut tokio::sync::watch::Receiver<Leader>,
    what: &str,
    fits: impl Fn(&Leader) -> bool,
) {
    runtime.block_on(async {
        soon(what, leader.wait_for(|leader| fits(leader))).await.expect("the watcher lives");
    });
}

fn is_unknown(leader: &Leader, part: &str) -> bool {
    matches!(leader, Leader::Unknown { reason } if reason.contains(part))
}

fn leads(leader: &Leader, port: u16) -> bool {
    matches!(leader, Leader::Known(info) if info.address.as_ref().is_some_and(|it| it.port == port))
}

/// The znodes of a recording: path and content.
fn recorded_nodes() -> Vec<(String, Vec<u8>)> {
    let lines = traces::read("zookeeper_leader").into_iter().filter(|line| line.dir == "zk");
    let nodes = lines.filter_map(|line| Some((line.path.clone()?, line.text().into_bytes())));
    nodes
        .filter(|(path, _)| path.contains("json.info_") || path.contains("log_replicas/"))
        .collect()
}

#[test]
fn the_leader_is_followed_through_a_real_zookeeper_that_dies_and_comes_back() {
    let runtime = runtime();
    let mut server = ZooKeeper::start();
    let Ok(Some(Masters::ZooKeeper(ensemble))) =
        Masters::parse(&format!("zk://{}/mesos", server.hosts))
    else {
        panic!()
    };
    let _guard = runtime.enter();
    let mut leader = watch(ensemble.clone());
    until(&runtime, &mut leader, "no node", |it| is_unknown(it, "has no such node"));
    let nodes = recorded_nodes();
    let node = |name: &str| {
        let path = format!("/mesos/{name}");
        let found = nodes.iter().find(|(it, _)| *it == path);
        (path, found.unwrap_or_else(|| panic!("{name}")).1.clone())
    };
    let write = |server: &ZooKeeper, (path, data): (String, Vec<u8>)| {
        server.write(None, &[(path.as_str(), data)]);
    };
    let (seven, eight) = (node("json.info_0000000007"), node("json.info_0000000008"));
    write(&server, node("log_replicas/0000000006"));
    until(&runtime, &mut leader, "nobody", |it| is_unknown(it, "none has itself written"));
    write(&server, eight.clone());
    until(&runtime, &mut leader, "the one", |it| leads(it, 5060));
    write(&server, seven.clone());
    until(&runtime, &mut leader, "the lower one", |it| leads(it, 5050));
    server.change(&seven.0, br#"{"address":{"hostname":"h","ip":"10.0.0.1","port":5070}}"#);
    until(&runtime, &mut leader, "the changed one", |it| leads(it, 5070));
    server.change(&seven.0, b"\x08\x01 no JSON");
    until(&runtime, &mut leader, "what is no JSON", |it| is_unknown(it, "cannot be read"));
    server.delete(&seven.0);
    until(&runtime, &mut leader, "the next one", |it| leads(it, 5060));

    // Without a connection nobody is known; with it the same one is.
    server.kill();
    until(&runtime, &mut leader, "the loss", |it| is_unknown(it, "ZooKeeper at"));
    server.restart();
    until(&runtime, &mut leader, "the same one again", |it| leads(it, 5060));
    server.delete(&eight.0);
    until(&runtime, &mut leader, "nobody", |it| is_unknown(it, "none has itself written"));

    // Who begins while ZooKeeper is away finds it when it is back.
    server.kill();
    let mut late = watch(ensemble);
    until(&runtime, &mut late, "that it is away", |it| is_unknown(it, "is it running there?"));
    server.restart();
    until(&runtime, &mut late, "nobody", |it| is_unknown(it, "none has itself written"));
    write(&server, seven);
    until(&runtime, &mut late, "the one", |it| leads(it, 5050));
    until(&runtime, &mut leader, "the one", |it| leads(it, 5050));
}

#[test]
fn zookeeper_with_a_login_leads_to_the_master() {
    let runtime = runtime();
    let server = ZooKeeper::start();
    let mut master = runtime.block_on(Door::open());
    let info = json!({"id": "m", "address": {"hostname": "localhost", "ip": "127.0.0.1", "port": master.at.port()}});
    let path = "/mesos/json.info_0000000001";
    server.write(Some("chronos:s3cret"), &[(path, info.to_string().into_bytes())]);
    runtime.block_on(async {
        let (_handle, mut heard) = start(config(&format!("zk://{}/mesos", server.hosts)));
        loop {
            let reason = lost(&mut heard).await;
            if reason.contains("does not let us read") {
                assert!(reason.contains("zk://user:password@"), "{reason}");
                break;
            }
        }
        let (_handle, mut heard) =
            start(config(&format!("zk://chronos:s3cret@{}/mesos", server.hosts)));
        let _stream = take(master.next().await, "f", "one").await;
        loop {
            match hear(&mut heard).await {
                Heard::Subscribed { .. } => break,
                // Until ZooKeeper has answered.
                Heard::Lost { reason } => assert!(!reason.contains("s3cret"), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
    });
}
