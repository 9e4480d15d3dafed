//! What a job says to those who look after it.

use serde_json::{Value, json};

use super::refusals::refusal;
use super::{record, resolved};
use crate::jobspec::{Derived, print};
use crate::model::{Deadline, Dialect, Duration, Job, Label, Objectives, Period};

fn job(fields: Value) -> Job {
    let mut body = fields;
    body["name"] = "a".into();
    resolved(&body, Dialect::V0)
}

#[test]
fn objectives_runbooks_and_labels_are_read_and_printed_as_typed() {
    let fields = json!({
        "startBy": "PT15M", "finishBy": "06:30", "maxLateness": "PT60S", "expectedDuration": "PT60M",
        "runbook": "https://wiki.example.org/a?b=c", "labels": {"team": "data", "tier": ""},
    });
    let said = job(fields.clone());
    let Objectives { start_by, finish_by, max_lateness, expected_duration } = &said.objectives;
    let quarter = Period { text: "PT15M".to_owned(), span: Duration::from_secs(900) };
    assert_eq!(*start_by, Some(Deadline::After(quarter)));
    assert_eq!(*finish_by, Deadline::time_of_day("06:30"));
    assert_eq!(max_lateness.as_ref().unwrap().span, Duration::from_secs(60));
    assert_eq!(expected_duration.as_ref().unwrap().span, Duration::from_secs(3_600));
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    assert_eq!(said.labels, [label("team", "data"), label("tier", "")]);
    for dialect in [Dialect::V0, Dialect::V1] {
        let printed = print(&record(said.clone()), dialect, Derived::default());
        for (key, value) in fields.as_object().unwrap() {
            assert_eq!(printed.get(key), Some(value), "{key}");
        }
        // Who says nothing of them is shown nothing of them.
        let printed = print(&record(job(json!({}))), dialect, Derived::default());
        assert!(fields.as_object().unwrap().keys().all(|key| !printed.contains_key(key)));
    }
}

#[test]
fn what_is_no_objective_runbook_or_label_is_refused_with_a_remedy() {
    let long = "x".repeat(257);
    let many: Value =
        (0..33).map(|n| (n.to_string(), json!(""))).collect::<serde_json::Map<_, _>>().into();
    for (field, value, expected) in [
        (
            "startBy",
            json!("6:30"),
            "startBy | `startBy` is `6:30`, which is neither a time nor a period: write a time of day such as `06:30`, or a period after the due instant such as `PT2H`",
        ),
        (
            "finishBy",
            json!("25:00"),
            "finishBy | `finishBy` is `25:00`, which is neither a time nor a period: write a time of day such as `06:30`, or a period after the due instant such as `PT2H`",
        ),
        ("runbook", json!("a\nb"), "runbook | `runbook` contains the control character `"),
        (
            "labels",
            json!(["a"]),
            "labels | `labels` is no object: write an object of texts such as `{\"team\": \"data\"}`",
        ),
        (
            "labels",
            json!({"team": 5}),
            "labels.team | `labels.team` is no text: put its value into quotes",
        ),
        (
            "labels",
            json!({" ": "a"}),
            "labels.  | `labels. ` has an empty name: change it or leave it out",
        ),
        (
            "labels",
            json!({"a": long}),
            "labels.a | `labels.a` is longer than 256 bytes: change it or leave it out",
        ),
        (
            "labels",
            json!({"a": "b\u{7}"}),
            "labels.a | `labels.a` has a control character: change it or leave it out",
        ),
        (
            "labels",
            many,
            "labels | `labels` has 33 of them; 32 are allowed: leave some of them out",
        ),
    ] {
        let told = refusal(field, value);
        assert!(told.starts_with(expected), "{told}");
    }
}
