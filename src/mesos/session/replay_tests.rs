//! The recorded exchanges, walked through: what the machine makes of each connection.

use std::collections::BTreeMap;

use super::tests::{Bench, at, call, url};
use super::*;
use crate::mesos::recordio::Decoder;
use crate::mesos::traces::{self, Line};

/// One connection of a recording: a machine for each, as each was a process of its own.
struct Walk {
    benches: BTreeMap<String, Bench>,
    /// What came of it: connection and a word.
    told: Vec<String>,
}

impl Walk {
    /// Feeds what a recording has to say about subscriptions.
    fn through(name: &str) -> Vec<String> {
        let mut walk = Self { benches: BTreeMap::new(), told: Vec::new() };
        // Who asked last is who is answered: requests were made one after another.
        let mut asking: Option<(String, bool)> = None;
        for line in traces::read(name) {
            let conn = line.conn.clone().unwrap_or_default();
            match line.dir.as_str() {
                "->" => {
                    asking = None;
                    let call =
                        line.call().and_then(|it| serde_json::from_value::<Call>(it.clone()).ok());
                    let Some(call) = call else { continue };
                    if call.kind == CallType::Subscribe {
                        walk.subscribe(&conn, &line, &call);
                        asking = Some((conn, true));
                    } else if walk.benches.contains_key(&conn) {
                        asking = Some((conn, false));
                    }
                }
                "<-" if line.status.is_some() => {
                    // Streams are answered on their own connection.
                    let of = if line.conn.is_some() {
                        asking.take().filter(|it| it.0 == conn)
                    } else {
                        asking.take()
                    };
                    if let Some((conn, is_subscribe)) = of {
                        walk.answered(&conn, &line, is_subscribe);
                    }
                }
                "<-" => walk.streamed(&conn, &line),
                _ => {}
            }
        }
        walk.told
    }

    fn subscribe(&mut self, conn: &str, line: &Line, call: &Call) {
        let id = call.framework_id.as_ref().map(|it| it.value.as_str());
        let to = line.to.as_deref().unwrap_or("127.0.0.1:5050");
        let source = Source::Known(vec![url(&format!("http://{to}/api/v1/scheduler"))]);
        let mut bench = Bench::of(source, id);
        bench.now = at(line.t);
        bench.session.state = State::Waiting { until: bench.now };
        let outputs = bench.step(Input::Tick);
        assert!(
            matches!(&outputs[..], [Output::Subscribe { framework_id, .. }] if framework_id.as_deref() == id)
        );
        self.benches.insert(conn.to_owned(), bench);
    }

    fn answered(&mut self, conn: &str, line: &Line, is_subscribe: bool) {
        let Some(bench) = self.benches.get_mut(conn) else { return };
        bench.now = at(line.t);
        let text = line.text();
        let answer = Answer {
            status: line.status.unwrap(),
            stream_id: line.header("Mesos-Stream-Id").map(str::to_owned),
            location: line.header("Location").map(str::to_owned),
            message: if line.status == Some(200) { String::new() } else { text.clone() },
        };
        let outputs = if is_subscribe {
            bench.step(Input::Answered(answer))
        } else {
            bench.step(Input::CallAnswered { call: call(), answer })
        };
        self.tell(conn, outputs);
        if is_subscribe && line.status == Some(200) && !text.is_empty() {
            let mut records = Vec::new();
            Decoder::default().push(text.as_bytes(), &mut records).unwrap();
            for record in records {
                let event = Input::Event(Box::new(serde_json::from_slice(&record).unwrap()));
                let outputs = self.benches.get_mut(conn).unwrap().step(event);
                self.tell(conn, outputs);
            }
        }
    }

    fn streamed(&mut self, conn: &str, line: &Line) {
        let Some(bench) = self.benches.get_mut(conn) else { return };
        // The time passes, and no heartbeat is late before it comes.
        bench.now = at(line.t);
        assert_eq!(bench.step(Input::Tick).len(), 0, "{line:?}");
        let outputs = match line.event() {
            Some(event) => {
                let event: Event = serde_json::from_value(event.clone()).unwrap();
                bench.step(Input::Event(Box::new(event)))
            }
            None => match line.note.as_deref() {
                Some(note) if note.starts_with("stream") => {
                    bench.step(Input::Ended { reason: note.to_owned() })
                }
                _ => return,
            },
        };
        self.tell(conn, outputs);
    }

    fn tell(&mut self, conn: &str, outputs: Vec<Output>) {
        for output in outputs {
            let word = match output {
                Output::Close => continue,
                Output::Subscribe { url, framework_id } => {
                    let id = framework_id.map_or("nobody".to_owned(), |id| short(&id));
                    format!("asks {url} as {id}")
                }
                Output::Tell(Heard::Subscribed { framework_id, subscription: _, master }) => {
                    format!(
                        "subscribed as {} at {:?}",
                        short(&framework_id),
                        master.port.unwrap_or(0)
                    )
                }
                // Those are counted elsewhere.
                Output::Tell(Heard::Event(_)) => continue,
                Output::Tell(Heard::Lost { reason }) => format!("lost: {reason}"),
                Output::Tell(Heard::Deposed { .. }) => "deposed".to_owned(),
                Output::Tell(Heard::Refused { call: _, status, message }) => {
                    format!("refused: {status} {message}")
                }
            };
            self.told.push(format!("{conn} {word}").trim_start().to_owned());
        }
    }
}

/// The end of a framework id, which is what tells them apart.
fn short(id: &str) -> String {
    id.rsplit('-').next().unwrap_or(id).to_owned()
}

#[test]
fn the_recorded_connections_go_as_they_went() {
    let walk = |name: &str| Walk::through(name).join("\n") + "\n";
    expect_test::expect![[r#"
        subscribed as 0000 at 5050
        lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
    "#]].assert_eq(&walk("subscribe"));
    expect_test::expect![[r#"
        A subscribed as 0011 at 5050
        A deposed
        B subscribed as 0011 at 5050
        B lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        C subscribed as 0011 at 5050
        C deposed
        D-other-user subscribed as 0011 at 5050
        E-renamed subscribed as 0011 at 5050
        D-other-user deposed
        E-renamed lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
    "#]].assert_eq(&walk("framework_failover"));
    expect_test::expect![[r#"
        A subscribed as 0000 at 5050
        A deposed
        B subscribed as 0000 at 5050
        B lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        C subscribed as 0000 at 5050
        C deposed
        D subscribed as 0000 at 5050
        D lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        E subscribed as 0000 at 5050
        E lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        F subscribed as 0000 at 5050
        F lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
    "#]].assert_eq(&walk("filters_and_resubscription"));
    expect_test::expect![[r#"
        A subscribed as 0012 at 5050
        A lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        B lost: the master has removed framework `9e68897b-b179-48ef-af88-21e945aada1f-0012` with its tasks, for it was torn down or away for longer than `--failover_timeout`; a new one takes its place
        B asks http://127.0.0.1:5050/api/v1/scheduler as nobody
    "#]].assert_eq(&walk("disconnect_without_failover_timeout"));
    expect_test::expect![[r#"
        A subscribed as 0013 at 5050
        A lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended (cut by the client)
        B lost: the master has removed framework `9e68897b-b179-48ef-af88-21e945aada1f-0013` with its tasks, for it was torn down or away for longer than `--failover_timeout`; a new one takes its place
        B asks http://127.0.0.1:5050/api/v1/scheduler as nobody
    "#]].assert_eq(&walk("failover_timeout_expires"));
    expect_test::expect![[r#"
        lost: the master at 127.0.0.1:5070 cannot serve us now, it answers 503 ("No leader elected")
    "#]]
    .assert_eq(&walk("master_without_leader"));
}

#[test]
fn recorded_masters_that_die_or_do_not_lead_are_left_for_the_one_that_does() {
    let walk = |name: &str| Walk::through(name).join("\n") + "\n";
    expect_test::expect![[r#"
        asks http://localhost:5050/master/api/v1/scheduler as nobody
        A subscribed as 0000 at 5050
        A lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended without the closing chunk: IncompleteRead
        asks http://localhost:5050/master/api/v1/scheduler as 0000
        B subscribed as 0000 at 5060
        B lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
    "#]].assert_eq(&walk("zookeeper_leader"));
    expect_test::expect![[r#"
        A subscribed as 0000 at 5050
        A lost: the master at 127.0.0.1:5050 has ended the subscription: stream ended without the closing chunk: IncompleteRead
        B subscribed as 0000 at 5060
        B lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
    "#]].assert_eq(&walk("master_failover_quorum_2"));
}

#[test]
fn recorded_refusals_have_a_remedy() {
    let walk = |name: &str| Walk::through(name).join("\n") + "\n";
    expect_test::expect![[r#"
        lost: the master at 127.0.0.1:5050 answers 400 ("Failed to validate scheduler::Call: Expecting 'subscribe' to be present")
        lost: the master at 127.0.0.1:5050 has ended the subscription ("'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"): correct `--mesos_role`
        lost: the master at 127.0.0.1:5050 has ended the subscription ("'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"): correct `--mesos_role`
        lost: the master at 127.0.0.1:5050 has ended the subscription ("'FrameworkInfo.role' is not a valid role: Role component 'a b' is invalid because it contains backspace or whitespace"): correct `--mesos_role`
        lost: the master at 127.0.0.1:5050 answers 400 ("Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'")
        lost: the master at 127.0.0.1:5050 answers 400 ("Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'")
        lost: the master at 127.0.0.1:5050 has ended the subscription ("Suppressed role 'zzz' is not contained in the list of roles"): correct `--mesos_role`
        lost: the master at 127.0.0.1:5050 answers 400 ("Subscribe calls should not include the 'Mesos-Stream-Id' header")
        lost: the master at 127.0.0.1:5050 does not take JSON ("Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"): does a proxy before it change headers?
        good subscribed as 0005 at 5050
        good lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
        removed lost: the master has removed framework `9e68897b-b179-48ef-af88-21e945aada1f-0005` with its tasks, for it was torn down or away for longer than `--failover_timeout`; a new one takes its place
        removed asks http://127.0.0.1:5050/api/v1/scheduler as nobody
        made-up subscribed as id at 5050
        made-up lost: the master at 127.0.0.1:5050 has ended the subscription: stream closed by the master (clean end of the chunked body)
        id-only-in-call lost: the master at 127.0.0.1:5050 answers 400 ("Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'")
    "#]].assert_eq(&walk("http_errors"));
    expect_test::expect![[r#"
        lost: the master at 127.0.0.1:5050 does not take the login of `chronode` ("401 Unauthorized."): let `--mesos_authentication_secret_file` and the master's `--credentials` agree
        lost: the master at 127.0.0.1:5050 does not take the login of `chronode` ("401 Unauthorized."): let `--mesos_authentication_secret_file` and the master's `--credentials` agree
        lost: the master at 127.0.0.1:5050 answers 400 ("Failed to validate scheduler::Call: Authenticated principal 'scheduler' does not match principal 'other' set in `FrameworkInfo`"): let `--mesos_authentication_principal` be the name that logs in
        subscribed as 0000 at 5050
        lost: the master at 127.0.0.1:5050 does not take the login of `chronode` ("401 Unauthorized."): let `--mesos_authentication_secret_file` and the master's `--credentials` agree
    "#]].assert_eq(&walk("http_basic_auth"));
}
