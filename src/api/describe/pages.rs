//! What the resources take and answer that pages are drawn from. Parameters that are not named here are refused.

use serde_json::{Value, json};

use super::operation::{Answer, Operation};
use super::schemas::{array, instant, reference, whole, words};
use crate::api::Order;
use crate::engine::glance::Kind;
use crate::model::{Trigger, Verdict};

/// What is said of a method of one of their paths.
pub(super) fn describe(method: &str, path: &str) -> Option<Operation> {
    match (method, path) {
        ("GET", "/overview") => Some(overview()),
        _ => None,
    }
}

fn overview() -> Operation {
    finding(Operation::new("getOverview", "pages", "The jobs as a page lists them."), 200, 50)
        .answer(200, Answer::json("A part of them, and how many there are.", reference("Overview")))
        .refused(&[400])
}

/// The parameters by which jobs are found.
fn finding(operation: Operation, most: usize, default: usize) -> Operation {
    operation
        .query("search", text(), "Words, each of which is in the name, an owner or the description, in letters of any case.")
        .query("state", words(&Kind::ALL.map(Kind::as_str)), "Only jobs of this kind.")
        .query("owner", text(), "Only jobs of which this is one of the comma-separated addresses in `owner`.")
        .query("sort", words(&Order::ALL.map(Order::as_str)), "By name; by what is due next; by creation.")
        .query("desc", json!({"type": "boolean", "default": false}), "The last first.")
        .query("offset", count(), "So many are left out before the first.")
        .query(
            "limit",
            json!({"type": "integer", "minimum": 0, "maximum": most, "default": default}),
            "At most so many.",
        )
}

fn text() -> Value {
    json!({"type": "string"})
}

fn truth() -> Value {
    json!({"type": "boolean"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn verdict() -> Value {
    or_null(words(&Verdict::ALL.map(Verdict::as_str)))
}

fn state() -> Value {
    words(&["queued", "pending", "active", "waiting", "reporting", "ended"])
}

/// Their schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let mut counts = json!({"all": count()});
    for kind in Kind::ALL {
        counts[kind.as_str()] = count();
    }
    let bar = whole(json!({
        "run": or_null(text()), "state": state(), "verdict": verdict(), "dueAt": instant(),
        "startedAt": or_null(instant()), "endedAt": or_null(instant()), "tookMs": or_null(count()),
        "why": words(&Trigger::WORDS), "count": count(),
    }));
    let job = whole(json!({
        "name": text(), "description": text(), "owner": text(), "ownerName": text(),
        "schedule": {"type": "string", "description": "As typed; empty for a job with parents."},
        "zone": or_null(text()), "words": text(), "parents": array(text()),
        "state": words(&["idle", "queued", "running"]), "running": count(),
        "status": words(&["fresh", "success", "failure"]),
        "disabled": truth(), "paused": truth(), "quarantined": truth(), "shadow": truth(), "late": truth(),
        "nextDue": or_null(instant()), "revision": count(), "successes": count(), "errors": count(),
        "recent": array(bar),
    }));
    vec![(
        "Overview",
        whole(json!({"total": count(), "counts": whole(counts), "jobs": array(job)})),
    )]
}
