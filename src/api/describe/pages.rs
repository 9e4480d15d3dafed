//! What the resources take and answer that pages are drawn from. Parameters that are not named here are refused.

use serde_json::{Value, json};

use super::operation::{Answer, Operation};
use super::schemas::{array, count, instant, reference, text, whole, words};
use crate::api::Order;
use crate::engine::glance::Kind;
use crate::jobspec::name_schema;
use crate::model::{NameRule, Trigger, Verdict};

/// What is said of a method of one of their paths.
pub(super) fn describe(method: &str, path: &str) -> Option<Operation> {
    match (method, path) {
        ("GET", "/overview") => Some(overview()),
        ("GET", "/timeline") => Some(timeline()),
        ("GET", "/agents") => Some(agents()),
        ("GET", "/shortfall") => Some(shortfall()),
        _ => None,
    }
}

fn overview() -> Operation {
    finding(Operation::new("getOverview", "pages", "The jobs as a page lists them."), 200, 50)
        .answer(200, Answer::json("A part of them, and how many there are.", reference("Overview")))
        .refused(&[400])
}

fn timeline() -> Operation {
    finding(Operation::new("getTimeline", "pages", "What jobs have done and will do."), 100, 40)
        .query("from", instant(), "From when on; 12 hours ago by default.")
        .query("to", instant(), "Until before when: at most 62 days later; in 12 hours by default.")
        .query("job", name_schema(NameRule::Blanks), "Only this job.")
        .query(
            "busy",
            json!({"type": "boolean", "default": false}),
            "Only jobs of which there is something; 2,000 are looked at.",
        )
        .answer(200, Answer::json("A lane for each.", reference("Timeline")))
        .refused(&[400])
}

fn agents() -> Operation {
    Operation::new("listAgents", "pages", "Where commands run, and what is left there.")
        .query("search", text(), "Words, each of which is in the name, the host or an attribute, in letters of any case.")
        .query(
            "offset",
            json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0}),
            "So many are left out before the first.",
        )
        .query("limit", json!({"type": "integer", "minimum": 0, "maximum": 1_000, "default": 200}), "At most so many.")
        .answer(200, Answer::json("As far as the launcher has said.", reference("Agents")))
        .refused(&[400])
}

fn shortfall() -> Operation {
    Operation::new("getShortfall", "pages", "What capacity is missing for what waits.")
        .said(
            "Places what waits on what each agent was seen to have, and tells what finds no place.",
        )
        .answer(
            200,
            Answer::json("By what is wanted, those of most runs first.", reference("Shortfall")),
        )
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
        .query(
            "offset",
            json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0}),
            "So many are left out before the first.",
        )
        .query(
            "limit",
            json!({"type": "integer", "minimum": 0, "maximum": most, "default": default}),
            "At most so many.",
        )
}

fn truth() -> Value {
    json!({"type": "boolean"})
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
        "source": or_null(text()), "drift": or_null(words(&["changed", "gone"])),
        "nextDue": or_null(instant()), "revision": count(), "successes": count(), "errors": count(),
        "recent": array(bar),
    }));
    let lane = whole(json!({
        "job": text(), "words": text(),
        "runs": array(whole(json!({
            "run": text(), "state": state(), "verdict": verdict(), "why": words(&Trigger::WORDS), "dueAt": instant(),
            "startedAt": or_null(instant()), "endedAt": or_null(instant()), "createdAt": instant(),
        }))),
        "runsLeftOut": truth(),
        "stretches": array(whole(json!({
            "verdict": words(&Verdict::ALL.map(Verdict::as_str)), "firstDueAt": instant(), "lastDueAt": instant(),
            "count": count(),
        }))),
        "ahead": array(whole(json!({"dueAt": instant(), "opensAt": instant()}))),
        "aheadLeftOut": truth(), "typicalMs": or_null(count()),
    }));
    let timeline = whole(json!({
        "from": instant(), "to": instant(), "now": instant(), "total": count(),
        "next": {"anyOf": [count(), {"type": "null"}], "description": "The `offset` of the lanes behind; null behind the last."},
        "lanes": array(lane),
    }));
    let number = || json!({"type": "number", "minimum": 0});
    let share = || whole(json!({"total": or_null(number()), "used": number()}));
    let resources =
        || whole(json!({"cpus": number(), "mem": number(), "disk": number(), "ports": count()}));
    let attribute = whole(json!({
        "name": text(), "kind": words(&["text", "scalar", "set", "ranges"]),
        "value": {"anyOf": [text(), number(), array(text()), {"type": "null"}], "description": "Null for ranges."},
    }));
    let offer = whole(json!({
        "offered": resources(), "left": resources(), "at": or_null(instant()),
        "role": text(), "fate": words(&["open", "used", "notWanted", "nothingFits"]), "runs": count(),
        "job": or_null(text()), "run": or_null(text()), "reason": or_null(text()),
    }));
    let constraint = || array(text());
    let short = whole(json!({
        "resources": resources(), "constraints": array(constraint()), "runs": count(), "jobs": array(text()),
        "unmet": or_null(constraint()), "largest": or_null(text()), "lacking": resources(), "text": text(),
    }));
    let shortfall = whole(json!({
        "agents": count(), "waiting": count(), "runs": count(), "missing": resources(), "wants": array(short),
        "problem": or_null(text()),
    }));
    let agent = whole(json!({
        "name": text(), "hostname": or_null(text()), "problem": or_null(text()),
        "limited": {"type": "boolean", "description": "Whether what it has limits what is placed on it."},
        "cpus": share(), "mem": share(), "disk": share(),
        "ports": whole(json!({"total": or_null(count()), "used": count()})),
        "attributes": array(attribute), "runs": count(), "offer": or_null(offer), "unavailableFrom": or_null(instant()),
    }));
    let agents = whole(json!({
        "total": count(), "agents": array(agent), "launcher": text(), "problem": or_null(text()),
        "framework": or_null(text()), "master": or_null(text()), "roles": array(text()), "leader": or_null(text()),
    }));
    vec![
        ("Overview", whole(json!({"total": count(), "counts": whole(counts), "jobs": array(job)}))),
        ("Timeline", timeline),
        ("Agents", agents),
        ("Shortfall", shortfall),
    ]
}
