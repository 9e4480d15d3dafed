//! One test a rule.

use super::*;
use crate::mesos::wire::TaskState;

/// A machine under test, its clock, and what it was told to do since the last look.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) now: BootInstant,
}

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn master(number: u16) -> Url {
    url(&format!("http://m{number}:5050/api/v1/scheduler"))
}

pub(super) fn at(millis: i64) -> BootInstant {
    BootInstant(Duration::from_millis(millis))
}

impl Bench {
    pub(super) fn of(source: Source, framework_id: Option<&str>) -> Self {
        let login = Login { principal: Some("chronode".to_owned()), has_secret: true };
        let now = at(1_000_000);
        let session = Session::new(source, login, framework_id.map(str::to_owned), 0, now);
        Self { session, now }
    }

    /// With two masters at known addresses.
    fn new(framework_id: Option<&str>) -> Self {
        Self::of(Source::Known(vec![master(1), master(2)]), framework_id)
    }

    pub(super) fn step(&mut self, input: Input) -> Vec<Output> {
        self.session.step(self.now, input)
    }

    /// Lets the time pass until the machine wants to be asked, and gives how long that was.
    fn wait(&mut self) -> (i64, Vec<Output>) {
        let until = self.session.wake_at().expect("something is waited for");
        let waited = until.since(self.now);
        self.now = self.now.max(until);
        (i64::try_from(waited.as_millis()).unwrap(), self.step(Input::Tick))
    }

    fn pass(&mut self, millis: i64) {
        self.now = self.now.saturating_add(Duration::from_millis(millis));
    }

    fn answer(&mut self, status: u16, message: &str) -> Vec<Output> {
        self.step(Input::Answered(Answer {
            status,
            message: message.to_owned(),
            ..Answer::default()
        }))
    }

    fn redirect(&mut self, location: &str) -> Vec<Output> {
        self.step(Input::Answered(Answer {
            status: 307,
            location: Some(location.to_owned()),
            ..Answer::default()
        }))
    }

    fn open(&mut self) {
        let answer =
            Answer { status: 200, stream_id: Some("stream".to_owned()), ..Answer::default() };
        assert_eq!(self.step(Input::Answered(answer)), []);
    }

    fn event(&mut self, text: &str) -> Vec<Output> {
        self.step(Input::Event(Box::new(serde_json::from_str(text).unwrap())))
    }

    /// Asks, is answered and is subscribed as `f`, with heartbeats every 10 s.
    fn subscribe(&mut self) -> Vec<Output> {
        self.wait();
        self.open();
        self.event(SUBSCRIBED)
    }
}

const SUBSCRIBED: &str = r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"f"},"heartbeat_interval_seconds":10.0,"master_info":{"id":"m"}}}"#;
const HEARTBEAT: &str = r#"{"type":"HEARTBEAT"}"#;
const UPDATE: &str =
    r#"{"type":"UPDATE","update":{"status":{"task_id":{"value":"t"},"state":"TASK_RUNNING"}}}"#;

fn error(message: &str) -> String {
    format!(r#"{{"type":"ERROR","error":{{"message":"{message}"}}}}"#)
}

fn asks(url: Url, framework_id: Option<&str>) -> Output {
    Output::Subscribe { url, framework_id: framework_id.map(str::to_owned) }
}

/// Waits are as long as they should be, or longer by the jitter.
fn near(waits: &[i64], bases: &[i64]) {
    let is_near = |(wait, base): (&i64, &i64)| wait >= base && wait * 4 <= base * 5;
    let all = waits.len() == bases.len() && waits.iter().zip(bases).all(is_near);
    assert!(all, "{waits:?} for {bases:?}");
}

/// The reason, if that is all that was told, after the stream was closed.
fn lost(outputs: &[Output]) -> &str {
    match outputs {
        [Output::Close, Output::Tell(Heard::Lost { reason })] => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscription_begins_with_the_first_record_and_not_with_the_200() {
    let mut bench = Bench::new(None);
    assert_eq!(bench.wait(), (0, vec![asks(master(1), None)]));
    bench.open();
    assert_eq!(bench.session.stream(Subscription(1)), None);
    let told = bench.event(SUBSCRIBED);
    let [Output::Tell(Heard::Subscribed { subscription, framework_id, master: info })] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (*subscription, framework_id.as_str(), info.id.as_str()),
        (Subscription(1), "f", "m")
    );
    let stream = bench.session.stream(Subscription(1));
    assert_eq!(stream, Some((&master(1), "stream")));
    assert_eq!(bench.session.stream(Subscription(2)), None);
    assert_eq!(bench.event(HEARTBEAT), []);
    let told = bench.event(UPDATE);
    let [Output::Tell(Heard::Event(event))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(event.update.as_ref().unwrap().status.state, TaskState::Running);
}

#[test]
fn silence_of_two_and_a_half_heartbeats_is_a_loss_and_any_byte_is_none() {
    let mut bench = Bench::new(None);
    bench.subscribe();
    bench.pass(24_999);
    assert_eq!(bench.step(Input::Tick), []);
    assert_eq!(bench.step(Input::Alive), []);
    bench.pass(24_999);
    assert_eq!(bench.step(Input::Tick), []);
    bench.pass(1);
    assert!(lost(&bench.step(Input::Tick)).contains("silent"));
    assert_eq!(bench.session.stream(Subscription(1)), None);
    let (waited, outputs) = bench.wait();
    assert_eq!((waited, outputs), (500, vec![asks(master(2), Some("f"))]));
    bench.open();
    bench.event(SUBSCRIBED);
    assert_eq!(bench.session.stream(Subscription(1)), None);
    assert_eq!(bench.session.stream(Subscription(2)), Some((&master(2), "stream")));
}

#[test]
fn odd_intervals_of_heartbeats_are_not_believed() {
    for (said, millis) in [
        (None, 15_000),
        (Some(2.0), 2_000),
        (Some(0.0), 15_000),
        (Some(-1.0), 15_000),
        (Some(f64::NAN), 15_000),
        (Some(f64::INFINITY), 15_000),
        (Some(1e300), 15_000),
    ] {
        assert_eq!(interval_of(said), Duration::from_millis(millis), "{said:?}");
    }
}

#[test]
fn losses_wait_longer_each_time_until_a_subscription_has_lasted() {
    let mut bench = Bench::new(Some("f"));
    let mut waits = Vec::new();
    for number in 0..7 {
        waits.push(bench.wait().0);
        let outputs = bench.step(Input::Unanswered { reason: format!("refused {number}") });
        assert!(
            lost(&outputs).contains(&format!("m{}:5050: refused", number % 2 + 1)),
            "{outputs:?}"
        );
    }
    near(&waits, &[0, 500, 1_000, 2_000, 4_000, 8_000, 10_000]);

    // One that is taken and ends at once is no success; one that lasts for a heartbeat is.
    bench.subscribe();
    bench.event(HEARTBEAT);
    bench.step(Input::Ended { reason: "closed".to_owned() });
    near(&[bench.wait().0], &[10_000]);
    bench.open();
    bench.event(SUBSCRIBED);
    bench.pass(10_000);
    bench.event(HEARTBEAT);
    bench.step(Input::Ended { reason: "closed".to_owned() });
    assert_eq!(bench.wait().0, 500);
}

#[test]
fn the_same_reason_is_told_once() {
    let mut bench = Bench::new(None);
    let down = || Input::Unanswered { reason: "down".to_owned() };
    let mut told = 0;
    for _ in 0..6 {
        bench.wait();
        told += bench.step(down()).iter().filter(|it| matches!(it, Output::Tell(_))).count();
    }
    // Two masters are asked in turn, so there are two sentences.
    assert_eq!(told, 6);
    let mut bench = Bench::of(Source::Known(vec![master(1)]), None);
    bench.wait();
    assert!(matches!(bench.step(down())[..], [Output::Close, Output::Tell(_)]));
    bench.wait();
    assert_eq!(bench.step(down()), [Output::Close]);
    // After a subscription it is news again.
    for _ in 0..2 {
        bench.subscribe();
        assert!(lost(&bench.step(Input::Ended { reason: "down".to_owned() })).contains("down"));
    }
}

#[test]
fn the_jitter_makes_waits_longer_by_a_quarter_at_most_and_always_by_the_same() {
    let mut seen = std::collections::BTreeSet::new();
    for jitter in 0..200 {
        for failures in 0..40 {
            let wait = back_off(LOST_WAIT, failures, jitter);
            assert_eq!(wait, back_off(LOST_WAIT, failures, jitter));
            let base = back_off(LOST_WAIT, failures, 0_u64.wrapping_sub(u64::from(failures)));
            assert!(
                wait >= base && wait.as_millis() * 4 <= base.as_millis() * 5,
                "{wait:?} {base:?}"
            );
            seen.insert(wait);
        }
    }
    assert!(seen.len() > 1_000, "{}", seen.len());
}

#[test]
fn who_does_not_lead_sends_us_on_at_once_but_not_in_circles() {
    let mut bench = Bench::new(Some("f"));
    bench.wait();
    let location = "//leader:5050/master/api/v1/scheduler";
    let leader = url("http://leader:5050/master/api/v1/scheduler");
    assert_eq!(bench.redirect(location), [Output::Close, asks(leader.clone(), Some("f"))]);
    // The leader is dead: the others are asked, who send us there again until they have noticed.
    assert!(
        lost(&bench.step(Input::Unanswered { reason: "down".to_owned() })).contains("leader:5050")
    );
    assert_eq!(bench.wait().1, [asks(master(2), Some("f"))]);
    bench.redirect(location);
    bench.open();
    bench.event(SUBSCRIBED);
    assert_eq!(bench.session.stream(Subscription(1)), Some((&leader, "stream")));

    let mut bench = Bench::new(None);
    bench.wait();
    for _ in 0..REDIRECTS_MAX {
        assert_eq!(bench.redirect("//m1:5050/x").len(), 2);
    }
    assert!(lost(&bench.redirect("//m1:5050/x")).contains("in circles"));
    assert_eq!(bench.wait(), (500, vec![asks(master(2), None)]));
}

#[test]
fn a_redirect_to_nowhere_is_refused() {
    let mut bench = Bench::new(None);
    bench.wait();
    assert!(lost(&bench.redirect("mailto:x")).contains("does not lead, and the redirect to"));
    assert_eq!(bench.wait().0, 1_000);
    let answer = Answer { status: 307, ..Answer::default() };
    assert!(lost(&bench.step(Input::Answered(answer))).contains("says not where to"));
}

#[test]
fn refusals_say_what_to_do_and_wait_longer() {
    let mut bench = Bench::of(Source::Known(vec![master(1)]), None);
    let mut waits = Vec::new();
    for (status, message, part) in [
        (401, "401 Unauthorized.", "does not take the login of `chronode` (\"401 Unauthorized.\")"),
        (403, "", "let its ACLs"),
        (400, "no user: Missing required fields: subscribe.framework_info.user", "give `--user`"),
        (404, "", "is that a Mesos master"),
        (415, "Expecting 'Content-Type'", "does a proxy"),
        (400, "bad\nrole", "(\"bad role\"): correct `--mesos_role`"),
        (418, "", "answers 418"),
        (400, "Framework principal 'a' differs", "`--mesos_authentication_principal`"),
    ] {
        waits.push(bench.wait().0);
        let outputs = bench.answer(status, message);
        assert!(lost(&outputs).contains(part), "{outputs:?}");
        assert!(lost(&outputs).contains("m1:5050"), "{outputs:?}");
    }
    near(&waits, &[0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);

    let login = Login::default();
    let text = sentence::refusal("m:1".to_owned(), 401, "", &login);
    assert!(
        text.contains("wants a login: give it with `--mesos_authentication_principal`"),
        "{text}"
    );
}

#[test]
fn a_200_that_is_no_stream_is_refused() {
    let mut bench = Bench::new(None);
    bench.wait();
    assert!(lost(&bench.answer(200, "")).contains("`Mesos-Stream-Id`"));
    assert_eq!(bench.wait().0, 1_000);
    bench.open();
    assert!(lost(&bench.event(UPDATE)).contains("begins a stream with UPDATE"));
    bench.wait();
    bench.open();
    let nameless = r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":""}}}"#;
    assert!(lost(&bench.event(nameless)).contains("without a framework id"));
    bench.subscribe();
    assert!(lost(&bench.event(SUBSCRIBED)).contains("twice"));
}

#[test]
fn answers_and_first_records_that_do_not_come_are_losses() {
    let mut bench = Bench::new(None);
    bench.wait();
    let (waited, outputs) = bench.wait();
    assert_eq!(waited, 30_000);
    assert!(lost(&outputs).contains("does not answer"));
    bench.wait();
    bench.open();
    let (waited, outputs) = bench.wait();
    assert_eq!(waited, 30_000);
    assert!(lost(&outputs).contains("says nothing"));
}

#[test]
fn a_removed_framework_is_forgotten_and_a_new_one_asked_for_at_once() {
    let mut bench = Bench::new(Some("old"));
    bench.wait();
    bench.open();
    let outputs = bench.event(&error("Framework has been removed"));
    let [Output::Close, Output::Tell(Heard::Lost { reason }), subscribe] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(reason.contains("removed framework `old`"), "{reason}");
    assert_eq!(*subscribe, asks(master(1), None));
    bench.open();
    assert_eq!(bench.event(SUBSCRIBED).len(), 1);
    // Without an id it makes no sense, and is a refusal like others.
    let mut bench = Bench::new(None);
    bench.wait();
    bench.open();
    assert!(lost(&bench.event(&error("Framework has been removed"))).contains("has ended"));
    assert_eq!(bench.wait().0, 1_000);
}

#[test]
fn another_name_than_ours_is_not_taken() {
    let mut bench = Bench::new(Some("mine"));
    bench.wait();
    bench.open();
    assert!(lost(&bench.event(SUBSCRIBED)).contains("as `f` instead of `mine`"));
}

#[test]
fn who_is_deposed_never_tries_again() {
    let mut bench = Bench::new(Some("f"));
    bench.subscribe();
    let outputs = bench.event(&error("Framework failed over"));
    let [Output::Close, Output::Tell(Heard::Deposed { reason })] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(reason.contains("framework `f`"), "{reason}");
    assert!(bench.session.is_deposed());
    assert_eq!(bench.session.wake_at(), None);
    bench.pass(1_000_000_000);
    for input in [
        Input::Tick,
        Input::Leader(Ok(master(1))),
        Input::Ended { reason: String::new() },
        Input::Answered(Answer {
            status: 200,
            stream_id: Some("s".to_owned()),
            ..Answer::default()
        }),
        Input::Event(Box::new(serde_json::from_str(SUBSCRIBED).unwrap())),
    ] {
        assert_eq!(bench.step(input), []);
    }
}

#[test]
fn other_errors_are_told_with_the_masters_own_sentence() {
    let mut bench = Bench::new(Some("f"));
    bench.subscribe();
    let outputs = bench.event(&error("Framework disconnected: rate limit"));
    assert!(lost(&outputs).contains("(\"Framework disconnected: rate limit\")"), "{outputs:?}");
    assert_eq!(bench.wait(), (1_000, vec![asks(master(2), Some("f"))]));
}

pub(super) fn call() -> Box<Call> {
    Box::new(Call::of(CallType::Revive, Some(Id::new("f"))))
}

#[test]
fn calls_that_meet_trouble_end_the_subscription_or_are_told() {
    let answered = |status: u16, message: &str, location: Option<&str>| Input::CallAnswered {
        call: call(),
        answer: Answer {
            status,
            message: message.to_owned(),
            location: location.map(str::to_owned),
            stream_id: None,
        },
    };
    let after = |input: Input| {
        let mut bench = Bench::new(Some("f"));
        bench.subscribe();
        let outputs = bench.step(input);
        (outputs, bench)
    };
    assert_eq!(after(answered(202, "", None)).0, []);
    assert_eq!(after(answered(200, "", None)).0, []);
    // The stream is about to say that somebody else has the framework.
    let stale = "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework ID f";
    assert_eq!(after(answered(400, stale, None)).0, []);
    let (outputs, _) = after(answered(400, "Expecting 'kill' to be present", None));
    let [Output::Tell(Heard::Refused { call: refused, status: 400, message })] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((refused, message.as_str()), (&call(), "Expecting 'kill' to be present"));
    // Nothing is wrong with the call: whoever calls may not, or is not connected any longer.
    let (outputs, _) = after(answered(403, "", None));
    assert!(lost(&outputs).contains("ACLs"), "{outputs:?}");
    let (outputs, _) = after(answered(401, "", None));
    assert!(lost(&outputs).contains("--mesos_authentication"), "{outputs:?}");
    let (outputs, _) = after(answered(403, "Framework is not subscribed", None));
    assert!(lost(&outputs).contains("has seen the subscription end"));
    let (outputs, _) = after(answered(400, "Framework cannot be found", None));
    assert!(lost(&outputs).contains("does not know the framework"));
    let (outputs, _) = after(answered(503, "Master has not finished recovery", None));
    assert!(lost(&outputs).contains("(\"Master has not finished recovery\")"));
    let (outputs, _) = after(Input::CallLost { reason: "no answer in time".to_owned() });
    assert!(lost(&outputs).contains("was not answered: no answer in time"));
    let (outputs, mut bench) = after(answered(307, "", Some("//m9:5050/master/api/v1/scheduler")));
    assert!(lost(&outputs).contains("does not lead any longer"));
    assert_eq!(
        bench.wait(),
        (500, vec![asks(url("http://m9:5050/master/api/v1/scheduler"), Some("f"))])
    );
}

#[test]
fn the_leader_that_zookeeper_names_is_followed() {
    let mut bench = Bench::of(Source::Watched, Some("f"));
    let outputs = bench.wait().1;
    assert!(matches!(&outputs[..], [Output::Tell(Heard::Lost { .. })]), "{outputs:?}");
    assert_eq!(bench.session.wake_at(), None);
    let nobody = |why: &str| Input::Leader(Err(why.to_owned()));
    let outputs = bench.step(nobody("none"));
    assert!(matches!(&outputs[..], [Output::Tell(Heard::Lost { reason })] if reason == "none"));
    assert_eq!(bench.step(nobody("none")), []);
    assert_eq!(bench.step(Input::Leader(Ok(master(1)))), [asks(master(1), Some("f"))]);
    bench.open();
    bench.event(SUBSCRIBED);
    // ZooKeeper may be away: the master is asked itself, by its heartbeats.
    assert_eq!(bench.step(nobody("ZooKeeper is away")), []);
    assert_eq!(bench.step(Input::Leader(Ok(master(1)))), []);
    assert!(bench.session.stream(Subscription(1)).is_some());
    let outputs = bench.step(Input::Leader(Ok(master(2))));
    let [Output::Close, Output::Tell(Heard::Lost { reason }), subscribe] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(reason.contains("m2:5050 leads instead of m1:5050"), "{reason}");
    assert_eq!(*subscribe, asks(master(2), Some("f")));
    // While one is asked, another begins to lead.
    assert_eq!(
        bench.step(Input::Leader(Ok(master(3)))),
        [Output::Close, asks(master(3), Some("f"))]
    );
    bench.step(Input::Unanswered { reason: "down".to_owned() });
    bench.step(nobody("none"));
    let outputs = bench.wait().1;
    assert!(matches!(&outputs[..], [Output::Tell(Heard::Lost { reason })] if reason == "none"));
    assert_eq!(bench.step(Input::Leader(Ok(master(3)))), [asks(master(3), Some("f"))]);
}

#[test]
fn an_id_stands_twice_in_a_subscription() {
    let framework = FrameworkInfo { name: "chronos".to_owned(), ..FrameworkInfo::default() };
    let login = Login { principal: Some("p".to_owned()), has_secret: false };
    let call = super::subscribe(&framework, Some("f"), &login);
    let info = call.subscribe.unwrap().framework_info;
    assert_eq!((call.framework_id, info.id), (Some(Id::new("f")), Some(Id::new("f"))));
    assert_eq!(info.principal.as_deref(), Some("p"));
    let call = super::subscribe(&framework, None, &Login::default());
    let info = call.subscribe.unwrap().framework_info;
    assert_eq!((call.framework_id, info.id, info.principal), (None, None, None));
}
