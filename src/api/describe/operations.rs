//! What the resources of operators take and answer. What is not named here is refused by them.

use serde_json::{Value, json};

use super::operation::{Answer, Operation};
use super::schemas::{array, body, count, cursor, instant, reason, reference, whole, words};
use crate::jobspec::name_schema;
use crate::model::limits::{BACKFILL_CONCURRENCY_MAX, BACKFILL_MAX, LIST_ITEMS_MAX};
use crate::model::{NameRule, Verdict};

/// What is said of a method of one of their paths.
pub(super) fn describe(method: &str, path: &str) -> Option<Operation> {
    let operation = match (method, path) {
        ("POST", "/runs") => run_now(),
        ("POST", "/run/{id}/kill") => verb("killRun", "Stop a run, or end it where it waits."),
        ("POST", "/run/{id}/retry") => {
            verb("retryRun", "Try a run again: at once if it waits for that, else as a new run for the same instant.")
        }
        ("POST", "/run/{id}/retry-down") => retry_down(),
        ("POST", "/run/{id}/succeed") => {
            verb("succeedRun", "Count a run as succeeded, so that what waits for it goes on.")
        }
        ("POST", "/run/{id}/skip") => verb("skipRun", "Do not run it."),
        ("POST", "/pause") => {
            scoped("pauseJobs", "Let nothing come of itself of a job, of all that follows from it too, or of anything.", true)
        }
        ("POST", "/resume") => scoped("resumeJobs", "End a pause.", false),
        ("GET", "/pauses") => {
            Operation::new("listPauses", "operators", "What is paused, and which occurrences will be skipped.")
                .answer(200, Answer::json("All of it, by name.", reference("Pauses")))
                .refused(&[400])
        }
        ("POST", "/skip") => {
            skip("skipOccurrence", "Skip an occurrence that is still to come.", &["job"])
                .said("Without `dueAt` it is the next that is not skipped yet.")
        }
        ("POST", "/unskip") => {
            skip("unskipOccurrence", "Run an occurrence after all that was to be skipped.", &["job", "dueAt"])
        }
        ("POST", "/backfill") => backfill(),
        ("GET", "/backfills") => {
            Operation::new("listBackfills", "operators", "The backfills that go on and the latest that are over, newest first.")
                .answer(200, Answer::json("Without their instants.", whole(json!({"backfills": array(reference("Backfill"))}))))
                .refused(&[400])
        }
        ("GET", "/backfill/{backfill}") => {
            let due = whole(json!({"dueAt": instant(), "begun": {"type": "boolean"}}));
            let instants = whole(json!({"dueAt": array(due)}));
            Operation::new("getBackfill", "operators", "One backfill, with its instants.")
                .answer(200, Answer::json("How far it is.", json!({"allOf": [reference("Backfill"), instants]})))
                .refused(&[400, 404])
        }
        ("POST", "/backfill/{backfill}/cancel") => {
            Operation::new("cancelBackfill", "operators", "Begin no further run of a backfill.")
                .maybe_body(fields(&[], json!({"kill": or_null(json!({"type": "boolean", "description": "Stop those that are live, too."}))})))
                .answer(200, Answer::json("How many instants are not run for.", whole(json!({"dropped": count()}))))
                .refused(&[404])
        }
        ("GET", "/backlog") => backlog(),
        ("POST", "/backlog/cut") => {
            let jobs = array(name_schema(NameRule::Blanks));
            Operation::new("cutBacklog", "operators", "End, as skipped, runs that have not been begun.")
                .said("Without `jobs` those of all jobs that the caller may change. Very many are cut in parts: `left` says how many are left.")
                .maybe_body(fields(&[], json!({"jobs": or_null(jobs), "dueBefore": or_null(instant())})))
                .answer(200, Answer::json("How many.", whole(json!({"dropped": count(), "left": count()}))))
        }
        ("POST", "/quarantine/lift") => {
            Operation::new("liftQuarantine", "operators", "Decide a job again that is left alone because deciding it went wrong.")
                .body(fields(&["job"], json!({"job": name_schema(NameRule::Blanks)})))
                .answer(204, Answer::empty("It is decided again."))
        }
        ("POST", "/clock/trust") => {
            Operation::new("trustClock", "operators", "Take the wall clock for right although it has jumped.")
                .maybe_body(fields(&[], json!({})))
                .answer(204, Answer::empty("It is believed."))
                .refused(&[409])
        }
        _ => return None,
    };
    Some(operation)
}

/// Absence can be written as `null`.
fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A body of these fields and a reason.
fn fields(required: &[&str], mut properties: Value) -> Value {
    properties["reason"] = or_null(reason());
    body(required, properties)
}

/// Of a run that somebody asks for: what it is given.
fn given(properties: &mut Value) {
    let text = || json!({"type": "string", "pattern": "^[^\\u0000]*$"});
    properties["arguments"] = or_null(text());
    properties["arguments"]["description"] = "In place of the job's own.".into();
    properties["environment"] = or_null(json!({
        "type": "array",
        "maxItems": LIST_ITEMS_MAX,
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "value"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "pattern": "^[^=\\u0000]+$"},
                "value": text(),
                "secret": {"type": "boolean", "default": false},
            },
        },
    }));
    properties["environment"]["description"] =
        "Variables beside the job's. Needs the role editor, because they can choose what is executed.".into();
}

fn run_now() -> Operation {
    let mut properties = json!({
        "job": name_schema(NameRule::Blanks),
        "dueAt": or_null(instant()),
    });
    given(&mut properties);
    Operation::new("startRun", "operators", "Run a job now, perhaps for another instant.")
        .said("`dueAt` is the instant that the run stands for: now by default.")
        .body(fields(&["job"], properties))
        .answer(
            201,
            Answer::json("The run is recorded.", whole(json!({"run": {"type": "string"}}))),
        )
}

/// What is done about one run.
fn verb(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "operators", summary)
        .maybe_body(fields(&[], json!({})))
        .answer(200, Answer::json("What became of it.", reference("Operated")))
        .refused(&[404, 409])
}

fn retry_down() -> Operation {
    let below = whole(json!({
        "run": {"type": "string"}, "job": {"type": "string"}, "dueAt": instant(), "borrows": array(json!({"type": "string"})),
    }));
    let dry =
        whole(json!({"dryRun": {"const": true}, "run": {"type": "string"}, "below": array(below)}));
    let answer = json!({"anyOf": [reference("Operated"), dry]});
    Operation::new("retryRunDown", "operators", "Try a run again, and then everything that followed from it.")
        .said("With `dryRun`: the runs that will be followed by others, and whose results each borrows from runs that are not tried again.")
        .dry_run()
        .maybe_body(fields(&[], json!({})))
        .answer(200, Answer::json("What became of it.", answer))
        .refused(&[404, 409])
}

fn scoped(id: &'static str, summary: &'static str, pauses: bool) -> Operation {
    let mut properties = json!({
        "job": or_null(name_schema(NameRule::Blanks)),
        "everything": or_null(json!({"type": "boolean"})),
        "subtree": or_null(json!({"type": "boolean", "description": "Also all that follows from the job."})),
    });
    if pauses {
        properties["until"] = or_null(instant());
        properties["until"]["description"] = "When it ends by itself.".into();
    }
    let named =
        whole(json!({"everything": {"type": "boolean"}, "jobs": array(json!({"type": "string"}))}));
    Operation::new(id, "operators", summary)
        .said("Either `job` or `everything`, which needs credentials without a scope.")
        .body(fields(&[], properties))
        .answer(200, Answer::json("Of what; `jobs` is empty where it is everything.", named))
        .refused(&[409])
}

fn skip(id: &'static str, summary: &'static str, required: &[&str]) -> Operation {
    let mut properties = json!({"job": name_schema(NameRule::Blanks), "dueAt": instant()});
    if !required.contains(&"dueAt") {
        properties["dueAt"] = or_null(instant());
    }
    Operation::new(id, "operators", summary)
        .body(fields(required, properties))
        .answer(
            200,
            Answer::json("Which.", whole(json!({"job": {"type": "string"}, "dueAt": instant()}))),
        )
        .refused(&[409])
}

fn backfill() -> Operation {
    let mut properties = json!({
        "job": name_schema(NameRule::Blanks),
        "from": or_null(instant()),
        "to": or_null(instant()),
        "dueAt": or_null(json!({"type": "array", "minItems": 1, "maxItems": BACKFILL_MAX, "items": instant()})),
        "only": or_null(words(&["missing", "all"])),
        "order": or_null(words(&["oldest", "newest"])),
        "concurrency": or_null(json!({"type": "integer", "minimum": 1, "maximum": BACKFILL_CONCURRENCY_MAX, "default": 1})),
        "stopOnFailure": or_null(json!({"type": "boolean", "default": false})),
    });
    given(&mut properties);
    let begun = whole(json!({"backfill": {"type": "string"}, "dueAt": array(instant())}));
    let dry = whole(json!({
        "dryRun": {"const": true}, "dueAt": array(instant()), "warnings": array(json!({"type": "string"})),
    }));
    Operation::new("startBackfill", "operators", "Run a job once more for instants of the past.")
        .said("Either those that its schedule names from `from` on and before `to`, or those of `dueAt`. `only: missing`, which is the default, leaves out those that have succeeded.")
        .dry_run()
        .body(fields(&["job"], properties))
        .answer(200, Answer::json("With `dryRun`: what it would run for, in this order.", dry))
        .answer(201, Answer::json("It has begun.", begun))
}

fn backlog() -> Operation {
    let reasons = whole(
        json!({"reasons": array(whole(json!({"code": {"type": "string"}, "text": {"type": "string"}})))}),
    );
    let run = json!({"allOf": [reference("Run"), reasons]});
    Operation::new(
        "listBacklog",
        "operators",
        "Runs that have not been begun, oldest first, and what each waits for.",
    )
    .query("job", name_schema(NameRule::Blanks), "Only of this job.")
    .query("dueBefore", instant(), "Only those due before this instant.")
    .query(
        "after",
        json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
        "The `next` of the page before.",
    )
    .query(
        "limit",
        json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        "At most so many.",
    )
    .answer(
        200,
        Answer::json(
            "A page.",
            whole(json!({"runs": array(run), "total": count(), "next": cursor()})),
        ),
    )
    .refused(&[400])
}

/// The schemas of what is answered here.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let text = || json!({"type": "string"});
    let maybe = |kind: &str| json!({"type": [kind, "null"]});
    let verdict = or_null(words(&Verdict::ALL.map(Verdict::as_str)));
    let pause = || json!({"until": or_null(instant()), "by": reference("Intervention")});
    let mut paused_job = pause();
    paused_job["job"] = text();
    let skip = json!({"job": text(), "dueAt": instant(), "by": reference("Intervention")});
    let counts = json!({
        "type": "object", "propertyNames": words(&Verdict::ALL.map(Verdict::as_str)), "additionalProperties": count(),
    });
    vec![
        ("Intervention", whole(json!({"by": text(), "at": instant(), "reason": text()}))),
        ("Paused", whole(pause())),
        (
            "Operated",
            whole(json!({
                "run": text(), "became": words(&["stopping", "ended", "triedAgain", "followed"]), "verdict": verdict,
                "followedBy": maybe("string"),
            })),
        ),
        (
            "Pauses",
            whole(json!({
                "everything": or_null(reference("Paused")), "jobs": array(whole(paused_job)), "skips": array(whole(skip)),
            })),
        ),
        (
            "Backfill",
            whole(json!({
                "id": text(), "job": text(), "state": words(&["going", "done", "cancelled"]), "reason": maybe("string"),
                "endedAt": or_null(instant()), "by": reference("Intervention"), "concurrency": count(),
                "stopOnFailure": {"type": "boolean"}, "arguments": maybe("string"), "environment": array(reference("Variable")),
                "total": count(), "begun": count(), "live": count(), "ended": counts,
            })),
        ),
        (
            "Variable",
            whole(json!({"name": text(), "value": text(), "secret": {"type": "boolean"}})),
        ),
    ]
}
