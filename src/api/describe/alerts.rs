//! What the resources take and answer that are about who is told of what. What is not named here is refused by them.

use serde_json::{Value, json};

use super::operation::{Answer, Operation};
use super::schemas::{
    array, body, count, cursor, instant, or_null, reason, reference, text, whole, words,
};
use crate::jobspec::name_schema;
use crate::model::{AlertKind, Delivery, NameRule, NotificationKind};

/// What is said of a method of one of their paths.
pub(super) fn describe(method: &str, path: &str) -> Option<Operation> {
    let operation = match (method, path) {
        ("GET", "/incidents") => incidents(),
        ("GET", "/incident/{incident}") => Operation::new(
            "getIncident",
            "alerts",
            "One incident, with the messages that tell of it.",
        )
        .answer(200, detailed("As it stands."))
        .refused(&[400, 404]),
        ("POST", "/incident/{incident}/acknowledge") => Operation::new(
            "acknowledgeIncident",
            "alerts",
            "Look after an incident: nobody is told of it until it is put right.",
        )
        .maybe_body(fields(&[], json!({})))
        .answer(200, detailed("As it stands now."))
        .refused(&[404]),
        ("POST", "/incident/{incident}/silence") => {
            Operation::new("silenceIncident", "alerts", "Tell nobody of an incident for a while.")
                .body(fields(&[], silence(json!({}))))
                .answer(200, detailed("As it stands now."))
                .refused(&[404])
        }
        ("POST", "/incident/{incident}/unsilence") => {
            Operation::new("unsilenceIncident", "alerts", "Tell people of an incident again.")
                .maybe_body(fields(&[], json!({})))
                .answer(200, detailed("As it stands now."))
                .refused(&[404])
        }
        ("POST", "/silence") => Operation::new(
            "silenceJob",
            "alerts",
            "Tell nobody of a job for a while, whatever happens to it.",
        )
        .body(fields(&["job"], silence(json!({"job": job_name()}))))
        .answer(200, of_job()),
        ("POST", "/unsilence") => {
            Operation::new("unsilenceJob", "alerts", "Tell people of a job again.")
                .body(fields(&["job"], json!({"job": job_name()})))
                .answer(200, of_job())
        }
        ("GET", "/notifications") => notifications(),
        ("POST", "/notification/{notification}/retry") => Operation::new(
            "retryNotification",
            "alerts",
            "Send a message at once that waits to be tried again, or that was given up lately.",
        )
        .maybe_body(fields(&[], json!({})))
        .answer(200, Answer::json("As it stands now.", reference("Notification")))
        .refused(&[404]),
        ("GET", "/channels") => {
            let channel = whole(json!({
                "name": text(),
                "kind": words(&["mail", "slack", "mattermost", "http", "webhook", "command"]),
                "to": text(), "problem": or_null(text()), "failingSince": or_null(instant()), "due": count(),
            }));
            Operation::new(
                "listChannels",
                "alerts",
                "What people are told by, and whether it works.",
            )
            .answer(200, Answer::json("By name.", whole(json!({"channels": array(channel)}))))
            .refused(&[400])
        }
        ("POST", "/channels/test") => try_channels(),
        _ => return None,
    };
    Some(operation)
}

fn incidents() -> Operation {
    let silence = or_null(reference("Silence"));
    let counts = json!({
        "open": count(), "acknowledged": count(), "silenced": count(), "closed": or_null(count()),
    });
    let mut page = whole(json!({
        "total": or_null(count()), "counts": whole(counts), "next": cursor(),
        "incidents": array(reference("Incident")),
    }));
    page["properties"]["silence"] = silence;
    page["properties"]["silence"]["description"] =
        "Only where `job` is asked for: until when nobody is told of it.".into();
    paged(Operation::new("listIncidents", "alerts", "What is wrong, and what was, newest first."))
        .said("Who may see only some jobs may get fewer than asked for although there are more: `next` says so. What is not counted for them is null.")
        .query("state", json!({"enum": ["open", "closed", "all"], "default": "open"}), "Only what goes on, or only what is over.")
        .query("job", job_name(), "Only those to which an alert of this job belongs.")
        .answer(200, Answer::json("A page of them.", page))
        .refused(&[400])
}

fn notifications() -> Operation {
    let states: Vec<&str> = [&["pending"], &Delivery::NAMES[..], &["all"]].concat();
    let counts =
        whole(Delivery::NAMES.into_iter().map(|name| (name.to_owned(), count())).collect());
    let page = whole(json!({
        "total": or_null(count()), "counts": or_null(counts), "next": cursor(),
        "notifications": array(reference("Notification")),
    }));
    paged(Operation::new("listNotifications", "alerts", "The messages that tell people of what has happened, newest first."))
        .said("Who may see only some jobs may get fewer than asked for although there are more: `next` says so. What is not counted for them is null.")
        .query("state", json!({"enum": states, "default": "all"}), "Only those that stand so; `pending` is `held` and `due`.")
        .query("channel", text(), "Only those on this channel.")
        .answer(200, Answer::json("A page of them.", page))
        .refused(&[400])
}

fn try_channels() -> Operation {
    let properties = json!({
        "channel": or_null(json!({"type": "string", "description": "The only one to be tried."})),
        "recipient": or_null(json!({"type": "string", "description": "Who gets the mail; by default all that the configuration names."})),
    });
    let result = whole(json!({
        "channel": text(), "recipient": text(), "arrived": {"type": "boolean"},
        "said": or_null(text()), "problem": or_null(text()),
    }));
    Operation::new(
        "testChannels",
        "alerts",
        "Send a message that tells of nothing, to see whether it arrives.",
    )
    .maybe_body(body(&[], properties))
    .answer(200, Answer::json("What came of each.", whole(json!({"results": array(result)}))))
}

fn paged(operation: Operation) -> Operation {
    operation.query("before", text(), "The `next` of the page before.").query(
        "limit",
        json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        "At most so many.",
    )
}

fn detailed(words: &str) -> Answer {
    let notifications = whole(json!({"notifications": array(reference("Notification"))}));
    Answer::json(words, json!({"allOf": [reference("Incident"), notifications]}))
}

fn of_job() -> Answer {
    let silence = or_null(reference("Silence"));
    Answer::json(
        "Until when nobody is told of it.",
        whole(json!({"job": text(), "silence": silence})),
    )
}

/// Adds how long a silence lasts.
fn silence(mut properties: Value) -> Value {
    properties["until"] = or_null(instant());
    properties["for"] = or_null(json!({
        "type": "string", "description": "For so long from now, as an ISO 8601 period, in place of `until`.",
    }));
    properties
}

/// A body of these fields and a reason.
fn fields(required: &[&str], mut properties: Value) -> Value {
    properties["reason"] = or_null(reason());
    body(required, properties)
}

fn job_name() -> Value {
    name_schema(NameRule::Blanks)
}

/// Their schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let kind = words(&AlertKind::ALL.map(AlertKind::name));
    let key = json!({"oneOf": [whole(json!({"job": text()})), whole(json!({"cause": text()}))]});
    let address = whole(json!({"channel": text(), "recipient": text()}));
    vec![
        (
            "Silence",
            whole(json!({"until": instant(), "by": text(), "at": instant(), "reason": text()})),
        ),
        (
            "Alert",
            whole(json!({
                "id": text(), "kind": kind, "at": instant(), "job": or_null(text()), "owner": text(), "runbook": text(),
                "run": or_null(text()), "dueAt": or_null(instant()), "taskId": or_null(text()),
                "exit": or_null(json!({"type": "object"})), "backfill": or_null(text()), "reason": text(),
                "retryAt": or_null(instant()), "nextDueAt": or_null(instant()),
            })),
        ),
        (
            "Incident",
            whole(json!({
                "id": text(), "key": key, "kind": kind, "state": words(&["open", "acknowledged", "silenced", "closed"]),
                "openedAt": instant(), "lastAt": instant(), "closedAt": or_null(instant()), "alerts": count(),
                "untold": count(), "jobs": array(text()), "jobsLeftOut": count(), "told": array(address),
                "toldAt": or_null(instant()), "acknowledged": or_null(reference("Intervention")),
                "silence": or_null(reference("Silence")), "latest": array(reference("Alert")),
            })),
        ),
        (
            "Notification",
            whole(json!({
                "id": text(), "channel": text(), "recipient": text(),
                "kind": words(&NotificationKind::ALL.map(NotificationKind::name)), "incident": or_null(text()),
                "alerts": count(), "leftOut": count(), "jobs": array(text()), "jobsLeftOut": count(),
                "state": words(&Delivery::NAMES), "madeAt": instant(), "until": or_null(instant()),
                "nextTryAt": or_null(instant()), "deliveredAt": or_null(instant()), "givenUpAt": or_null(instant()),
                "tries": count(), "problem": text(),
            })),
        ),
    ]
}
