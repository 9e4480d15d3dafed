//! The schemas of what is answered, as `print` and the handlers make it.
//!
//! In our own form every key is always there, so all of them are required.

use serde_json::{Map, Value, json};

use super::{DOORS, alerts, generation, layout, operations, pages};
use crate::jobspec::{job_schema, printed_always};
use crate::model::Verdict;
use crate::model::limits::REASON_BYTES_MAX;

/// All of them, by name.
pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    let mut put = |name: &str, schema: Value| {
        schemas.insert(name.to_owned(), schema);
    };
    for (_, dialect) in DOORS {
        let number = generation(dialect);
        let job = format!("Job{number}");
        put(&job, job_schema(dialect));
        let new = json!({"allOf": [reference(&job), {"required": ["name"]}]});
        put(&format!("NewJob{number}"), new);
        let always = printed_always(dialect);
        let printed = json!({"allOf": [reference(&job), {"required": always}]});
        put(&format!("PrintedJob{number}"), printed);
    }
    for (name, schema) in told()
        .into_iter()
        .chain(history())
        .chain(plans())
        .chain(process())
        .chain(operations::schemas())
        .chain(alerts::schemas())
        .chain(pages::schemas())
        .chain(layout::schemas())
    {
        put(name, schema);
    }
    Value::Object(schemas)
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object of which every field is always there.
pub(super) fn whole(fields: Value) -> Value {
    let names: Vec<&String> =
        fields.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({"type": "object", "required": names, "properties": fields})
}

pub(super) fn array(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

pub(super) fn words(all: &[&str]) -> Value {
    json!({"enum": all})
}

/// A body of these fields and no others, of which some must be there.
pub(super) fn body(required: &[&str], properties: Value) -> Value {
    let mut body =
        json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        body["required"] = json!(required);
    }
    body
}

/// Why somebody does something.
pub(super) fn reason() -> Value {
    json!({
        "type": "string", "maxLength": REASON_BYTES_MAX, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        "description": "Why: told with all that comes of it, and recorded.",
    })
}

pub(super) fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// Where the next page begins.
pub(super) fn cursor() -> Value {
    json!({"type": ["string", "null"], "description": "What the next page is asked for with; null on the last."})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    array(text())
}

fn truth() -> Value {
    json!({"type": "boolean"})
}

pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn number() -> Value {
    json!({"type": "number"})
}

pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        schema["type"] = json!([kind, "null"]);
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn verdict() -> Value {
    words(&Verdict::ALL.map(Verdict::as_str))
}

/// Refusals, and what is told of changes.
fn told() -> Vec<(&'static str, Value)> {
    let problem = whole(json!({"field": text(), "message": text(), "remedy": text()}));
    let mut error = whole(json!({
        "message": text(),
        "status": {"type": "string", "description": "The status in words."},
        "code": {"type": "string", "description": "A stable word."},
        "field": {"type": "string", "description": "The field or parameter at fault; may be empty."},
        "remedy": {"type": "string", "description": "What to do instead; may be empty."},
        "requestId": {"type": "string", "description": "The number by which the log knows the request."},
    }));
    error["properties"]["position"] = whole(json!({"start": count(), "end": count()}));
    error["properties"]["position"]["description"] =
        "Which bytes of the field's text are at fault.".into();
    error["properties"]["problems"] = array(problem);
    error["properties"]["problems"]["description"] =
        "Every problem, where there are several.".into();
    let side = whole(json!({"incarnation": count(), "revision": count(), "acceptedAt": instant()}));
    let changes = array(reference("Change"));
    let dry = || json!({"const": true});
    vec![
        ("Error", error),
        (
            "DryRun",
            whole(
                json!({"dryRun": dry(), "created": truth(), "warnings": texts(), "consequences": texts()}),
            ),
        ),
        ("DryDeletion", whole(json!({"dryRun": dry(), "consequences": texts()}))),
        (
            "DryRollBack",
            whole(json!({
                "dryRun": dry(), "created": truth(), "warnings": texts(), "consequences": texts(), "changes": or_null(changes.clone()),
            })),
        ),
        (
            "Change",
            whole(json!({
                "field": text(),
                "old": {"description": "Null where that side says nothing."},
                "new": {"description": "Null where that side says nothing."},
                "secret": truth(),
            })),
        ),
        ("Diff", whole(json!({"job": text(), "from": side, "to": side, "changes": changes}))),
        (
            "Revision",
            whole(json!({
                "incarnation": count(), "revision": count(), "acceptedAt": instant(), "present": truth(), "removed": truth(),
                "changed": or_null(texts()),
            })),
        ),
        (
            "Applied",
            whole(json!({
                "dryRun": truth(),
                "jobs": array(json!({
                    "type": "object",
                    "required": ["name", "outcome", "revision", "warnings", "consequences"],
                    "properties": {
                        "name": text(), "outcome": words(&["created", "replaced", "unchanged", "removed"]),
                        "revision": text(), "warnings": texts(), "consequences": texts(),
                        "plan": reference("Plan"),
                    },
                })),
            })),
        ),
        (
            "Plan",
            json!({
                "type": "object",
                "description": "Of a dry run: what becomes of the job.",
                "required": ["was", "origin"],
                "properties": {
                    "was": or_null(text()),
                    "origin": or_null(whole(json!({
                        "source": text(), "place": text(), "drift": or_null(words(&["changed", "gone"])),
                    }))),
                    "changes": array(reference("Change")),
                    "runs": or_null(whole(json!({"through": instant(), "added": runs(), "removed": runs()}))),
                    "startsAtOnce": array(instant()),
                },
            }),
        ),
        (
            "Origin",
            whole(json!({
                "job": text(), "source": text(), "place": text(), "revision": text(), "applied": text(),
                "drift": or_null(words(&["changed", "gone"])), "changes": or_null(array(reference("Change"))),
            })),
        ),
    ]
}

/// Some runs, of which the first are named.
fn runs() -> Value {
    whole(json!({"count": count(), "first": array(instant())}))
}

/// Runs and what they come to.
fn history() -> Vec<(&'static str, Value)> {
    let time = || or_null(instant());
    let exit = json!({"anyOf": [
        whole(json!({"code": {"type": "integer"}})),
        whole(json!({"signal": {"type": "integer"}})),
        whole(json!({"killed": {"const": true}})),
        whole(json!({"couldNotStart": text()})),
    ]});
    let trigger = whole(json!({
        "kind": words(&["schedule", "catchUp", "parents", "manual", "retry", "backfill"]),
        "dueAt": instant(), "opensAt": time(), "finishedAt": time(), "retryOf": or_null(text()), "backfill": or_null(text()),
    }));
    let task = json!({
        "type": "object",
        "required": ["taskId", "jobName", "slaveId", "startTime", "endTime", "status"],
        "properties": {
            "taskId": text(), "jobName": text(), "slaveId": text(),
            "startTime": {"type": "string", "description": "`MM/dd/yy HH:mm:ss` in UTC, or `N/A`."},
            "endTime": text(), "duration": text(),
            "status": words(&["Idle", "Running", "Success", "Fail"]),
            "numElementsProcessed": count(),
        },
    });
    vec![
        ("Entry", json!({"anyOf": [reference("Run"), reference("Stretch")]})),
        (
            "Run",
            whole(json!({
                "kind": {"const": "run"}, "id": text(), "sequence": count(), "job": text(), "trigger": trigger,
                "causes": texts(), "arguments": or_null(text()),
                "environment": array(reference("Variable")), "by": or_null(reference("Intervention")),
                "stoppedBy": or_null(reference("Intervention")), "retriesDown": truth(), "createdAt": instant(),
                "state": words(&["queued", "pending", "active", "waiting", "reporting", "ended"]),
                "verdict": or_null(verdict()), "reason": or_null(text()), "endedAt": time(), "retryAt": time(),
                "startDeadline": time(), "reportBy": time(), "attempts": array(reference("Attempt")),
            })),
        ),
        (
            "Attempt",
            whole(json!({
                "attempt": count(), "taskId": text(), "agent": text(), "hostname": or_null(text()),
                "hasSandbox": truth(), "reportedStatus": or_null(json!({"type": "integer"})),
                "elements": or_null(count()),
                "state": words(&["launching", "running", "stopping", "unknown", "ended"]),
                "launchedAt": instant(), "startedAt": time(), "endedAt": time(), "stopReason": or_null(text()),
                "until": time(), "reason": or_null(text()), "exit": or_null(exit), "message": text(),
            })),
        ),
        (
            "Stretch",
            whole(json!({
                "kind": {"const": "stretch"}, "sequence": count(), "job": text(), "verdict": verdict(), "reason": text(),
                "firstDueAt": instant(), "lastDueAt": instant(), "count": count(), "decidedAt": instant(),
            })),
        ),
        (
            "Statistics",
            whole(json!({
                "histogram": whole(json!({
                    "75thPercentile": number(), "95thPercentile": number(), "98thPercentile": number(),
                    "99thPercentile": number(), "median": number(), "mean": number(), "count": count(),
                })),
                "taskStatHistory": array(task),
            })),
        ),
        (
            "Summary",
            whole(json!({"jobs": array(whole(json!({
                "name": text(), "status": words(&["fresh", "success", "failure"]),
                "state": {"type": "string", "description": "`idle`, `queued`, or as `2 running`."},
                "schedule": text(), "parents": texts(), "disabled": truth(),
            })))})),
        ),
    ]
}

/// What is to come.
fn plans() -> Vec<(&'static str, Value)> {
    let occurrence = json!({
        "type": "object",
        "required": ["utc", "local"],
        "properties": {"utc": instant(), "local": text(), "opensAt": instant()},
    });
    let done = whole(json!({
        "successes": count(), "failures": count(), "kills": count(), "run": text(), "dueAt": instant(), "at": instant(),
    }));
    let parent = whole(json!({
        "name": text(), "disabled": truth(), "nextDue": or_null(instant()), "sufficient": truth(), "done": or_null(done),
    }));
    vec![
        (
            "Preview",
            whole(json!({"next": array(occurrence), "warnings": texts(), "description": text()})),
        ),
        (
            "Forecast",
            whole(json!({
                "from": instant(), "to": instant(),
                "starts": array(whole(json!({"job": text(), "dueAt": instant(), "opensAt": instant(), "local": text()}))),
                "perMinute": array(whole(json!({"minute": instant(), "count": count(), "jobs": texts()}))),
                "total": count(), "complete": truth(),
                "crowded": or_null(whole(json!({"minute": instant(), "count": count()}))),
                "perHour": array(whole(json!({"hour": instant(), "count": count(), "jobs": texts()}))),
                "clockChanges": array(whole(json!({
                    "zone": text(), "at": instant(), "beforeOffset": text(), "afterOffset": text(),
                }))),
            })),
        ),
        (
            "Round",
            whole(json!({
                "job": text(), "triggerRule": or_null(text()), "join": or_null(text()), "waitsFor": or_null(text()),
                "parents": array(parent),
            })),
        ),
    ]
}

/// Runs and what connects them.
fn chain() -> Value {
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let states = ["queued", "pending", "active", "waiting", "reporting", "ended"];
    let millis = || or_null(json!({"type": "integer", "minimum": 0}));
    let step = whole(json!({
        "run": text(), "job": text(), "state": words(&states), "verdict": or_null(words(&verdicts)),
        "dueAt": instant(), "createdAt": instant(), "startedAt": or_null(instant()), "endedAt": or_null(instant()),
        "waitedMs": millis(), "tookMs": millis(),
        "causes": texts(), "retryOf": or_null(text()), "triggered": texts(),
    }));
    whole(json!({"root": texts(), "asked": text(), "truncated": truth(), "steps": array(step)}))
}

/// The process, and who did what with it.
fn process() -> Vec<(&'static str, Value)> {
    let kinds = [
        "job", "run", "round", "stretch", "pause", "backfill", "clock", "launcher", "zone", "term",
        "ready", "reset",
    ];
    let event = json!({
        "type": "object",
        "required": ["id", "kind", "at"],
        "properties": {"id": text(), "kind": words(&kinds), "at": instant(), "what": text(), "job": text()},
        "description": "Further keys by kind: see the documentation.",
    });
    let record = json!({
        "type": "object",
        "required": ["sequence", "at", "what", "outcome"],
        "properties": {
            "sequence": count(), "at": instant(), "caller": text(), "role": text(), "peer": text(), "door": text(),
            "method": text(), "path": text(), "what": text(), "jobs": texts(), "jobsInAll": count(),
            "outcome": {
                "type": "object",
                "required": ["result"],
                "properties": {
                    "result": words(&["done", "refused", "unknown"]),
                    "status": {"type": "integer"},
                    "code": text(),
                },
            },
            "detail": text(), "reason": text(), "requestId": text(), "revision": count(), "run": text(), "suppressedBefore": count(),
        },
    });
    let reason = json!({
        "code": {"type": "string", "description": "A word that stays the same."},
        "text": {"type": "string", "description": "The sentence."},
    });
    let figures = |value: Value| json!({"type": "object", "additionalProperties": value});
    vec![
        ("Event", event),
        ("Reason", whole(reason)),
        ("Chain", chain()),
        ("Record", record),
        (
            "Info",
            whole(json!({
                "version": text(), "node": text(), "listening": texts(),
                "zoneData": whole(json!({
                    "version": text(), "source": text(), "pinned": truth(), "bundled": text(), "host": or_null(text()),
                })),
                "launcher": whole(json!({
                    "kind": words(&["local", "mesos"]), "state": words(&["connected", "gone"]), "problem": or_null(text()),
                    "framework": or_null(text()), "master": or_null(text()), "roles": texts(),
                })),
                "audit": whole(json!({"state": words(&["recording", "failing"]), "problem": or_null(text())})),
                "jobFiles": or_null(whole(json!({
                    "directory": text(), "source": text(), "watched": truth(), "prunes": truth(), "readAt": instant(),
                    "problemCount": count(), "problems": texts(),
                }))),
                "clock": or_null(whole(json!({"expected": instant(), "shown": instant()}))),
                "paused": or_null(reference("Paused")),
                "counts": whole(json!({"jobs": count(), "liveRuns": count(), "pendingRuns": count()})),
            })),
        ),
        (
            "Metrics",
            whole(json!({
                "version": text(),
                "gauges": figures(whole(json!({"value": {}}))),
                "counters": figures(whole(json!({"count": count()}))),
                "histograms": figures(json!({"type": "object"})),
                "meters": figures(json!({"type": "object"})),
                "timers": figures(json!({"type": "object"})),
            })),
        ),
    ]
}
