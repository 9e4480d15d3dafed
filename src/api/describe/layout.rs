//! What the picture of the job graph takes and answers.

use serde_json::{Value, json};

use super::operation::{Answer, Operation};
use super::schemas::{array, count, instant, or_null, reference, whole, words};
use crate::api::ours::layout::{GENERATIONS_MAX, NODES_MAX};
use crate::jobspec::name_schema;
use crate::model::NameRule;

/// What is said of a method of its path.
pub(super) fn describe(method: &str, path: &str) -> Option<Operation> {
    let ("GET", "/layout") = (method, path) else { return None };
    let generations =
        || json!({"type": "integer", "minimum": 0, "maximum": GENERATIONS_MAX, "default": 2});
    let answer = json!({
        "nodes": array(reference("LayoutNode")), "edges": array(reference("LayoutEdge")),
        "width": length(), "height": length(), "total": count(), "leftOut": count(),
    });
    let operation = Operation::new("getLayout", "plans", "The job graph as a picture, from left to right.")
        .said("Without `job` all jobs that have a parent or a child. `total` is how many were asked for, `leftOut` how many of them are not in it.")
        .query("job", name_schema(NameRule::Blanks), "Only what is around this job.")
        .query("up", generations(), "How many generations before it; together with `job` alone.")
        .query("down", generations(), "How many generations after it; together with `job` alone.")
        .query(
            "max",
            json!({"type": "integer", "minimum": 1, "maximum": NODES_MAX, "default": 500}),
            "At most so many jobs.",
        )
        .answer(200, Answer::json("The picture, in pixels.", whole(answer)))
        .refused(&[400, 404]);
    Some(operation)
}

fn length() -> Value {
    json!({"type": "integer"})
}

/// The schemas of what is answered.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let text = || json!({"type": "string"});
    let truth = || json!({"type": "boolean"});
    let point =
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2});
    vec![
        (
            "LayoutNode",
            whole(json!({
                "job": text(), "x": length(), "y": length(), "width": length(), "height": length(),
                "parents": count(), "children": count(),
                "state": words(&["idle", "queued", "running"]), "status": words(&["fresh", "success", "failure"]),
                "disabled": truth(), "paused": truth(), "nextDue": or_null(instant()), "lastRun": or_null(text()),
            })),
        ),
        (
            "LayoutEdge",
            whole(
                json!({"from": text(), "to": text(), "points": {"type": "array", "items": point, "minItems": 2}}),
            ),
        ),
    ]
}
