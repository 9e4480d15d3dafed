//! Everything that was recorded is understood, and said again as it was, in what is mirrored here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Call, CallType, Event, EventType};
use crate::mesos::recordio::Decoder;
use crate::mesos::traces;

/// The paths at which `said` differs from `recorded`, and those that only `recorded` has.
fn compare(
    at: &str,
    recorded: &Value,
    said: &Value,
    wrong: &mut Vec<String>,
    left: &mut BTreeSet<String>,
) {
    match (recorded, said) {
        (Value::Object(recorded), Value::Object(said)) => {
            for (key, value) in recorded {
                let at = format!("{at}.{key}");
                match said.get(key) {
                    Some(said) => compare(&at, value, said, wrong, left),
                    None => {
                        left.insert(at);
                    }
                }
            }
            // What is there by default says nothing.
            let nothing = |value: &Value| match value {
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Bool(is_true) => !is_true,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::Object(_) | Value::Null => false,
            };
            let invented =
                said.iter().filter(|(key, value)| !recorded.contains_key(*key) && !nothing(value));
            wrong.extend(invented.map(|(key, value)| format!("{at}.{key} is invented: {value}")));
        }
        (Value::Array(recorded), Value::Array(said)) if recorded.len() == said.len() => {
            for (recorded, said) in recorded.iter().zip(said) {
                compare(&format!("{at}[]"), recorded, said, wrong, left);
            }
        }
        (Value::Number(recorded), Value::Number(said)) if recorded.as_f64() == said.as_f64() => {}
        (recorded, said) if recorded == said => {}
        (recorded, said) => wrong.push(format!("{at}: {recorded} became {said}")),
    }
}

/// The events of a recording, also those of streams that were recorded as the text of an answer.
fn events(name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for line in traces::read(name) {
        found.extend(line.event().cloned());
        let is_stream = line.status == Some(200) && line.header("Mesos-Stream-Id").is_some();
        if let (true, Some(Value::String(text))) = (is_stream, &line.body) {
            let mut records = Vec::new();
            Decoder::default().push(text.as_bytes(), &mut records).unwrap();
            found.extend(
                records.iter().map(|record| serde_json::from_slice::<Value>(record).unwrap()),
            );
        }
    }
    found
}

#[test]
fn every_recorded_event_is_understood_and_said_again() {
    let (mut wrong, mut left, mut seen, mut kinds) =
        (Vec::new(), BTreeSet::new(), 0, BTreeSet::new());
    // The stream of that recording is one for operators.
    for name in traces::names().iter().filter(|name| *name != "operator_api") {
        for recorded in events(name) {
            let event: Event = serde_json::from_value(recorded.clone())
                .unwrap_or_else(|error| panic!("{name}: {error}: {recorded}"));
            assert_ne!(event.kind, EventType::Other, "{name}: {recorded}");
            if let Some(update) = &event.update {
                assert_ne!(update.status.state, super::TaskState::Other, "{name}: {recorded}");
            }
            kinds.insert(event.kind.as_str());
            let said = serde_json::to_value(&event).unwrap();
            compare(event.kind.as_str(), &recorded, &said, &mut wrong, &mut left);
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 800, "{seen}");
    expect_test::expect!["ERROR FAILURE HEARTBEAT INVERSE_OFFERS OFFERS RESCIND SUBSCRIBED UPDATE"]
        .assert_eq(&kinds.into_iter().collect::<Vec<_>>().join(" "));
    expect_test::expect![[r#"
        INVERSE_OFFERS.inverse_offers.inverse_offers[].framework_id
        INVERSE_OFFERS.inverse_offers.inverse_offers[].url
        OFFERS.offers.offers[].executor_ids
        SUBSCRIBED.subscribed.master_info.capabilities
        SUBSCRIBED.subscribed.master_info.ip
        SUBSCRIBED.subscribed.master_info.pid
        UPDATE.update.status.check_status
        UPDATE.update.status.container_status.container_id.parent
        UPDATE.update.status.container_status.executor_pid
        UPDATE.update.status.container_status.network_infos"#]]
    .assert_eq(&left.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_recorded_call_is_understood_and_said_again() {
    let (mut wrong, mut left, mut seen, mut kinds) =
        (Vec::new(), BTreeSet::new(), 0, BTreeSet::new());
    for name in traces::names() {
        let lines = traces::read(&name);
        for (index, line) in lines.iter().enumerate() {
            let Some(recorded) = line.call().filter(|body| body.is_object()) else { continue };
            // Calls that a master does not understand need not be understood here.
            let answer =
                lines[index..].iter().find(|it| it.status.is_some() && it.conn == line.conn);
            if answer.and_then(|it| it.status).is_some_and(|status| status >= 400) {
                continue;
            }
            let call: Call = serde_json::from_value(recorded.clone())
                .unwrap_or_else(|error| panic!("{name}: {error}: {recorded}"));
            // That one has no effect in Mesos, and is never made.
            if recorded["type"] == "REQUEST" {
                continue;
            }
            assert_ne!(call.kind, CallType::Other, "{name}: {recorded}");
            kinds.insert(call.kind.as_str());
            let said = serde_json::to_value(&call).unwrap();
            compare(call.kind.as_str(), recorded, &said, &mut wrong, &mut left);
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 500, "{seen}");
    expect_test::expect!["ACCEPT ACCEPT_INVERSE_OFFERS ACKNOWLEDGE DECLINE DECLINE_INVERSE_OFFERS KILL RECONCILE REVIVE SUBSCRIBE SUPPRESS TEARDOWN UPDATE_FRAMEWORK"].assert_eq(&kinds.into_iter().collect::<Vec<_>>().join(" "));
    expect_test::expect![[r#"
        ACCEPT.accept.operations
        ACCEPT.accept.operations[].launch.task_infos[].check
        ACCEPT.accept.operations[].launch.task_infos[].health_check
        ACCEPT.accept.operations[].launch_group
        RECONCILE.reconcile.unknown_field
        SUBSCRIBE.subscribe.framework_info.capabilities
        SUBSCRIBE.subscribe.framework_info.role"#]]
    .assert_eq(&left.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_word_of_a_newer_master_is_another_one_and_not_an_error() {
    let event: Event = serde_json::from_str(r#"{"type":"WEATHER","weather":{}}"#).unwrap();
    assert_eq!(event.kind, EventType::Other);
    let event: Event = serde_json::from_str("{}").unwrap();
    assert_eq!(event.kind, EventType::Other);
}
