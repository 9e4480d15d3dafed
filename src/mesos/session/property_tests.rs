//! Whatever happens in whatever order: what always holds of a subscription.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{Bench, call, url};
use super::*;

/// What may happen, with no regard to whether it makes sense now.
fn input() -> impl Strategy<Value = Input> {
    let text = |text: &str| Just(text.to_owned());
    let message = prop_oneof![
        text(""),
        text("No leader elected"),
        text("Framework cannot be found"),
        text("The stream ID 'x' didn't match the stream ID currently associated"),
    ];
    let location = prop_oneof![
        Just(None),
        text("//m3:5050/master/api/v1/scheduler").prop_map(Some),
        text("mailto:x").prop_map(Some),
    ];
    let status = prop_oneof![
        4 => Just(200_u16),
        2 => Just(202),
        2 => Just(307),
        1 => Just(400),
        1 => Just(401),
        1 => Just(503),
    ];
    let stream_id = prop_oneof![4 => text("stream").prop_map(Some), 1 => Just(None)];
    let answer = (status, stream_id, location, message).prop_map(
        |(status, stream_id, location, message)| Answer { status, stream_id, location, message },
    );
    let event = prop_oneof![
        5 => text(r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"f"}}}"#),
        1 => text(r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"g"}}}"#),
        1 => text(r#"{"type":"SUBSCRIBED"}"#),
        3 => text(r#"{"type":"HEARTBEAT"}"#),
        3 => text(r#"{"type":"OFFERS"}"#),
        1 => text(r#"{"type":"ERROR","error":{"message":"Framework has been removed"}}"#),
        1 => text(r#"{"type":"ERROR","error":{"message":"odd"}}"#),
        1 => text(r#"{"type":"ERROR"}"#),
    ];
    let deposing = text(r#"{"type":"ERROR","error":{"message":"Framework failed over"}}"#);
    let event = prop_oneof![40 => event, 1 => deposing];
    let leader = prop_oneof![
        Just(Ok(url("http://m1:5050/api/v1/scheduler"))),
        Just(Ok(url("http://m2:5050/api/v1/scheduler"))),
        Just(Err("none".to_owned())),
    ];
    let reason = || Just("odd".to_owned());
    prop_oneof![
        4 => Just(Input::Tick),
        2 => leader.prop_map(Input::Leader),
        6 => answer.clone().prop_map(Input::Answered),
        1 => reason().prop_map(|reason| Input::Unanswered { reason }),
        2 => Just(Input::Alive),
        8 => event.prop_map(|text| Input::Event(Box::new(serde_json::from_str(&text).unwrap()))),
        1 => reason().prop_map(|reason| Input::Ended { reason }),
        2 => answer.prop_map(|answer| Input::CallAnswered { call: call(), answer }),
        1 => reason().prop_map(|reason| Input::CallLost { reason }),
    ]
}

/// Something that may happen, or a subscription that goes well: what comes of chance alone seldom gets that far.
fn stretch() -> impl Strategy<Value = Vec<Input>> {
    let good = || {
        let subscribed = r#"{"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"f"}}}"#;
        let answer =
            Answer { status: 200, stream_id: Some("stream".to_owned()), ..Answer::default() };
        vec![
            Input::Tick,
            Input::Answered(answer),
            Input::Event(Box::new(serde_json::from_str(subscribed).unwrap())),
        ]
    };
    prop_oneof![5 => input().prop_map(|input| vec![input]), 1 => Just(()).prop_map(move |()| good())]
}

/// What the socket has, judged by what it was told to do.
#[derive(Debug, Default)]
struct Socket {
    is_open: bool,
    is_subscribed: bool,
    is_deposed: bool,
    last: u64,
}

impl Socket {
    fn follow(&mut self, outputs: &[Output]) {
        assert!(!self.is_deposed || outputs.is_empty(), "{outputs:?}");
        for output in outputs {
            match output {
                Output::Close => {
                    self.is_open = false;
                    self.is_subscribed = false;
                }
                Output::Subscribe { .. } => {
                    assert!(!self.is_open, "one stream at a time: {outputs:?}");
                    self.is_open = true;
                }
                Output::Tell(Heard::Subscribed { subscription, .. }) => {
                    assert!(self.is_open && !self.is_subscribed, "{outputs:?}");
                    assert_eq!(subscription.0, self.last + 1);
                    self.last = subscription.0;
                    self.is_subscribed = true;
                }
                Output::Tell(Heard::Event(_) | Heard::Refused { .. }) => {
                    assert!(self.is_subscribed, "{outputs:?}");
                }
                Output::Tell(Heard::Lost { reason }) => {
                    assert!(!self.is_subscribed && !reason.is_empty(), "{outputs:?}");
                }
                Output::Tell(Heard::Deposed { .. }) => {
                    assert!(!self.is_open, "{outputs:?}");
                    self.is_deposed = true;
                }
            }
        }
    }
}

fn walk(source: Source, stretches: Vec<(Vec<Input>, i64)>) {
    let is_watched = source == Source::Watched;
    let mut bench = Bench::of(source, Some("f"));
    let mut socket = Socket::default();
    // The time passes before the first of a stretch.
    let inputs = stretches.into_iter().flat_map(|(inputs, millis)| {
        let waits = std::iter::once(millis).chain(std::iter::repeat(0));
        inputs.into_iter().zip(waits)
    });
    for (input, millis) in inputs {
        bench.now = bench.now.saturating_add(Duration::from_millis(millis));
        // A socket hands in only what its connection can have said.
        let is_possible = match &input {
            Input::Tick => true,
            Input::Leader(_) => is_watched,
            Input::Answered(_) | Input::Unanswered { .. } => {
                matches!(bench.session.state, State::Asking { .. })
            }
            Input::Alive | Input::Event(_) | Input::Ended { .. } => {
                socket.is_open && !matches!(bench.session.state, State::Asking { .. })
            }
            Input::CallAnswered { .. } | Input::CallLost { .. } => socket.is_subscribed,
        };
        if is_possible {
            let outputs = bench.step(input);
            socket.follow(&outputs);
        }
        let stream = bench.session.stream(Subscription(socket.last));
        assert_eq!(stream.is_some(), socket.is_subscribed);
        assert_eq!(bench.session.is_deposed(), socket.is_deposed);
    }
    // Whatever was, in the end somebody is asked again, unless nobody may be or is known.
    if is_watched {
        let leader = Ok(url("http://m9:5050/api/v1/scheduler"));
        socket.follow(&bench.step(Input::Leader(leader)));
    }
    for _ in 0..4 {
        let Some(until) = bench.session.wake_at() else { break };
        let wait = until.since(bench.now);
        assert!(wait <= Duration::from_secs(75), "{wait:?}");
        bench.now = bench.now.max(until);
        socket.follow(&bench.step(Input::Tick));
        if matches!(bench.session.state, State::Asking { .. }) {
            return;
        }
    }
    let is_settled = socket.is_deposed || matches!(bench.session.state, State::Asking { .. });
    assert!(is_settled, "{:?}", bench.session.state);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn one_stream_at_a_time_and_always_another_try(
        stretches in vec((stretch(), 0_i64..70_000), 0..60),
        is_watched in any::<bool>(),
    ) {
        let known = vec![url("http://m1:5050/api/v1/scheduler"), url("http://m2:5050/api/v1/scheduler")];
        walk(if is_watched { Source::Watched } else { Source::Known(known) }, stretches);
    }
}
