//! What our own resources take and answer. Parameters that are not named here are refused by them.

use serde_json::{Value, json};

use super::generation;
use super::operation::{Answer, Operation};
use super::schemas::{array, cursor, instant, or_null, reference, whole, words};
use crate::api::access::Role;
use crate::jobspec::{PREVIEW_COUNT_DEFAULT, PREVIEW_COUNT_MAX, name_schema};
use crate::model::{Dialect, NameRule, Trigger, Verdict};

/// What is said of a method of one of our paths.
pub(super) fn describe(method: &str, path: &str, dialect: Dialect) -> Option<Operation> {
    let job = |name: &str| reference(&format!("{name}{}", generation(dialect)));
    let operation = match (method, path) {
        ("POST", "/apply") => apply(job("NewJob")),
        ("POST", "/cutover") => cut_over(),
        ("GET", "/preview") => preview(),
        ("POST", "/preview") => {
            sample(Operation::new("previewJob", "plans", "What the schedule of a job will do, before it is stored."))
                .body(job("NewJob"))
                .answer(200, Answer::json("What is to come.", reference("Preview")))
        }
        ("GET", "/forecast") => forecast(),
        ("GET", "/round/{name}") => {
            Operation::new("getRound", "plans", "How far the parents of a job are with its next run.")
                .answer(200, Answer::json("`parents` is empty for a job with a schedule.", reference("Round")))
                .refused(&[400, 404])
        }
        ("GET", "/runs") => runs(),
        ("GET", "/run/{id}") => Operation::new("getRun", "runs", "One run.")
            .answer(200, Answer::json("The run.", reference("Run")))
            .refused(&[404]),
        ("GET", "/explain/{name}") => Operation::new("explainJob", "runs", "Why a job does and does not run.")
            .answer(200, Answer::json("Sentences, and when it is due next.", whole(json!({
                "job": {"type": "string"}, "reasons": array(reference("Reason")),
                "nextDue": {"anyOf": [instant(), {"type": "null"}]},
            }))))
            .refused(&[400, 404]),
        ("GET", "/run/{id}/explain") => Operation::new("explainRun", "runs", "Why a run exists, and why it stands as it does.")
            .said("Of a run that waits and fits nowhere, `agents` says what is against each, of at most 200.")
            .answer(200, Answer::json("Sentences.", whole(json!({
                "run": {"type": "string"}, "job": {"type": "string"}, "reasons": array(reference("Reason")),
                "agents": array(whole(json!({
                    "agent": {"type": "string"}, "hostname": {"type": "string"}, "reason": {"type": "string"},
                }))),
                "agentsLeftOut": {"type": "integer", "minimum": 0},
            }))))
            .refused(&[404]),
        ("GET", "/chain/{id}") => Operation::new("getChain", "runs", "What led to a run, and everything that followed.")
            .said("At most 1,000 runs, without those of jobs out of scope.")
            .answer(200, Answer::json("The runs in the order of recording.", reference("Chain")))
            .refused(&[404]),
        ("GET", "/run/{id}/stdout") => output("getStdout", "What a run wrote to its standard output."),
        ("GET", "/run/{id}/stderr") => output("getStderr", "What a run wrote to its standard error."),
        ("GET", "/run/{id}/files") => Operation::new("listFiles", "runs", "The files of an attempt that ran elsewhere in a cluster.")
            .query("attempt", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}), "Of this attempt; by default the last.")
            .query("path", json!({"type": "string", "examples": ["logs"]}), "In this directory; by default the attempt's own.")
            .answer(200, Answer::json("The files.", whole(json!({
                "run": {"type": "string"}, "attempt": {"type": "integer", "minimum": 0}, "path": {"type": "string"},
                "files": array(json!({"type": "object", "required": ["path", "directory", "size", "modifiedAt", "owner", "mode"], "properties": {
                    "path": {"type": "string"}, "directory": {"type": "boolean"}, "size": {"type": "integer", "minimum": 0},
                    "modifiedAt": {"anyOf": [instant(), {"type": "null"}]}, "owner": {"type": "string"}, "mode": {"type": "string"},
                }})),
            }))))
            .refused(&[400, 404, 502]),
        ("GET", "/run/{id}/file") => Operation::new("getFile", "runs", "One of those files, as a whole or in part.")
            .query("attempt", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}), "Of this attempt; by default the last.")
            .required("path", json!({"type": "string", "examples": ["report.csv"]}), "Which.")
            .header("Range", json!({"type": "string", "examples": ["bytes=0-99"]}), "Only a part.")
            .answer(200, Answer::text("It.", "application/octet-stream").with(&["Accept-Ranges"]))
            .answer(206, Answer::text("A part of it.", "application/octet-stream").with(&["Accept-Ranges", "Content-Range"]))
            .refused(&[400, 404, 416, 502]),
        ("GET", "/revisions/{name}") => {
            paged(Operation::new("listRevisions", "revisions", "The definitions that a job has had, newest first."), 20, 100, revision())
                .answer(200, Answer::json("A page.", whole(json!({
                    "job": {"type": "string"}, "revisions": array(reference("Revision")), "next": cursor(),
                }))))
                .refused(&[400, 404])
        }
        ("GET", "/revision/{name}/{revision}") => {
            Operation::new("getRevision", "revisions", "One definition, as it could be sent.")
                .answer(200, Answer::json("The definition without counts.", job("Job")).with(&["ETag", "Chronode-Revision"]))
                .refused(&[404])
        }
        ("GET", "/diff/{name}") => {
            Operation::new("compareRevisions", "revisions", "What one definition says differently from another.")
                .query("from", revision(), "By default the one before `to`.")
                .query("to", revision(), "By default the latest.")
                .answer(200, Answer::json("The differences.", reference("Diff")))
                .refused(&[400, 404])
        }
        ("POST", "/rollback/{name}") => {
            Operation::new("rollBack", "revisions", "Store an earlier definition again, as a new revision.")
                .required("to", revision(), "Which one.")
                .dry_run()
                .answer(200, Answer::json("With `dryRun`: what it would come to.", reference("DryRollBack")))
                .answer(204, Answer::empty("It is stored.").with(&["ETag", "Chronode-Revision", "Warning"]))
                .refused(&[404])
        }
        ("GET", "/events") => events(),
        ("GET", "/origins") => Operation::new("listOrigins", "jobs", "Which jobs come from which source.")
            .said("By name. `changes` of up to 200 drifted jobs is told.")
            .query("source", json!({"type": "string"}), "Only of this source.")
            .query("job", job_name(), "Only this job.")
            .query("drifted", json!({"type": "boolean"}), "Only jobs that are not what their source wants.")
            .answer(200, Answer::json("Where they come from.", whole(json!({"jobs": array(reference("Origin"))}))))
            .refused(&[400]),
        ("GET", "/me") => {
            let scope = or_null(array(json!({"type": "string"})));
            let answer = json!({
                "name": {"type": "string"}, "role": words(&Role::ALL.map(Role::as_str)), "scope": scope,
                "credentials": {"type": "boolean"},
            });
            Operation::new("getMe", "process", "Who asks, and what they may.")
                .said("`scope` is null where it is all jobs; `credentials` is whether anybody needs some.")
                .answer(200, Answer::json("The caller.", whole(answer)))
        }
        ("GET", "/info") => Operation::new("getInfo", "process", "What this process is and how it fares.")
            .answer(200, Answer::json("Its state.", reference("Info"))),
        ("GET", "/audit") => {
            paged(Operation::new("listAudit", "process", "Who did what, newest first."), 50, 1_000, number())
                .said("Needs credentials without a scope.")
                .query("job", json!({"type": "string"}), "Only records that name this job.")
                .query("caller", json!({"type": "string"}), "Only records of this caller.")
                .answer(200, Answer::json("A page.", whole(json!({"records": array(reference("Record")), "next": cursor()}))))
                .refused(&[400])
        }
        ("GET", "/openapi.json") => Operation::new("getDocument", "process", "This document.")
            .answer(200, Answer::json("OpenAPI 3.1, the same through both prefixes.", json!({"type": "object"}))),
        _ => return None,
    };
    Some(operation)
}

fn number() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u64::MAX})
}

fn job_name() -> Value {
    name_schema(NameRule::Blanks)
}

fn revision() -> Value {
    json!({"type": "string", "pattern": "^([1-9][0-9]{0,17}[.])?[1-9][0-9]{0,17}$", "examples": ["3", "1.3"]})
}

/// The parameters of what is listed in pages.
fn paged(operation: Operation, default: usize, most: usize, before: Value) -> Operation {
    operation.query("before", before, "The `next` of the page before.").query(
        "limit",
        json!({"type": "integer", "minimum": 1, "maximum": most, "default": default}),
        "At most so many.",
    )
}

fn sample(operation: Operation) -> Operation {
    operation
        .query(
            "count",
            json!({"type": "integer", "minimum": 1, "maximum": PREVIEW_COUNT_MAX, "default": PREVIEW_COUNT_DEFAULT}),
            "How many occurrences.",
        )
        .query("from", instant(), "From when on; now by default.")
}

fn apply(job: Value) -> Operation {
    let source =
        json!({"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_.-]+$"});
    let texts = || json!({"type": "object", "additionalProperties": {"type": "string"}});
    let revisions = json!({"type": "object", "additionalProperties": or_null(revision())});
    Operation::new("applyJobs", "jobs", "Create or replace several jobs, all or none.")
        .said("With a `source`, of which alone `takeOver`, `places`, `remove` and `gone` are said, jobs are read as job files are.")
        .dry_run()
        .query(
            "days",
            json!({"type": "integer", "minimum": 0, "maximum": 31, "default": 7}),
            "Of how many days a dry run tells the runs that come and go.",
        )
        .body(json!({
            "type": "object",
            "required": ["jobs"],
            "properties": {
                "jobs": array(job),
                "source": or_null(source),
                "takeOver": {"type": "boolean"},
                "places": texts(),
                "remove": array(job_name()),
                "gone": array(job_name()),
                "expected": revisions,
            },
        }))
        .answer(200, Answer::json("What became of each.", reference("Applied")))
        .refused(&[409])
}

fn cut_over() -> Operation {
    Operation::new("cutOver", "jobs", "From an instant on, launch what has been planned only.")
        .said("Each part of the body is optional: without `jobs` it is every planned job, without `at` it is now.")
        .dry_run()
        .body(json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "at": {"anyOf": [instant(), {"type": "null"}]},
                "jobs": {"anyOf": [array(job_name()), {"type": "null"}]},
            },
        }))
        .answer(200, Answer::json("What is cut over.", whole(json!({
            "dryRun": {"type": "boolean"}, "at": instant(), "jobs": array(json!({"type": "string"})),
        }))))
}

fn preview() -> Operation {
    let text = || json!({"type": "string"});
    sample(Operation::new("previewSchedule", "plans", "What a schedule will do."))
        .said("Either `schedule` with what belongs to it, or the name of a stored job as `job`.")
        .query("schedule", text(), "A cron expression or a repeating interval.")
        .query("zone", text(), "Its zone.")
        .query("name", text(), "The name by which `H` and jitter are spread.")
        .query("jitter", text(), "A period.")
        .query("notBefore", text(), "A date or an instant.")
        .query("notAfter", text(), "A date or an instant.")
        .query("dstGap", words(&["after", "shift", "skip"]), "As `gap` of a job's `dst`.")
        .query("dstFold", words(&["first", "last", "both"]), "As its `fold`.")
        .query("job", job_name(), "A stored job.")
        .answer(200, Answer::json("What is to come.", reference("Preview")))
        .refused(&[400])
}

fn forecast() -> Operation {
    Operation::new("getForecast", "plans", "What all jobs together will start.")
        .query("from", instant(), "From when on; now by default.")
        .query("to", instant(), "Until before when: at most 366 days later, by default one.")
        .query("job", job_name(), "Only of this job.")
        .query(
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}),
            "How many starts are listed; all are counted.",
        )
        .query(
            "per",
            words(&["minute", "hour"]),
            "By what they are counted; by the minute by default.",
        )
        .answer(200, Answer::json("What is to come.", reference("Forecast")))
        .refused(&[400])
}

fn runs() -> Operation {
    let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    paged(Operation::new("listRuns", "runs", "The history, newest first."), 50, 1_000, number())
        .query("job", job_name(), "Only of this job.")
        .query("verdict", words(&verdicts), "Only what ended so.")
        .query("live", json!({"type": "boolean"}), "Only what is not over, or only what is.")
        .query("search", json!({"type": "string"}), "Only of jobs in whose names all of these words are.")
        .query("from", instant(), "Only what was recorded then or later.")
        .query("to", instant(), "Only what was recorded before.")
        .query("agent", json!({"type": "string"}), "Only runs of which an attempt was placed there.")
        .query("exit", json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}), "Only runs whose last attempt ended with this code.")
        .query("why", words(&Trigger::WORDS), "Only what this triggered.")
        .answer(
            200,
            Answer::json(
                "A page.",
                whole(json!({
                    "runs": array(reference("Entry")), "next": cursor(),
                    "searchedTo": {"anyOf": [instant(), {"type": "null"}], "description": "When the last entry was recorded that was looked at; null at the end."},
                })),
            ),
        )
        .refused(&[400])
}

fn output(id: &'static str, summary: &'static str) -> Operation {
    let part = ["Accept-Ranges", "Content-Range", "Chronode-Omitted"];
    Operation::new(id, "runs", summary)
        .query(
            "attempt",
            json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            "Of this attempt; by default the last.",
        )
        .query("follow", json!({"type": "boolean", "default": false}), "Stay until it ends.")
        .header(
            "Range",
            json!({"type": "string", "examples": ["bytes=0-99"]}),
            "Only a part, in bytes as they were written.",
        )
        .answer(200, Answer::text("What it wrote.", "text/plain").with(&["Accept-Ranges"]))
        .answer(206, Answer::text("A part of it.", "text/plain").with(&part))
        .refused(&[400, 404, 416, 502])
}

fn events() -> Operation {
    let id = || json!({"type": "string", "pattern": "^.+-[0-9]{1,19}$"});
    Operation::new("followEvents", "process", "Everything that changes, as it changes.")
        .said("Server-sent events, until the client goes or the server stops: an answer without end. The `data` of each is an `Event`.")
        .query("job", job_name(), "Only of this job.")
        .query("kind", json!({"type": "string", "examples": ["job,run"]}), "Only of these kinds, with commas between: `job`, `run`, `round`, `stretch`, `pause`, `backfill`, `clock`, `launcher`, `zone`, `term`.")
        .query("after", id(), "The id of an event: what came after it, then what comes.")
        .header("Last-Event-ID", json!({"type": "string"}), "The same; counts more, and one that nobody knows is answered with `reset`.")
        .answer(200, Answer::text("Events.", "text/event-stream"))
        .refused(&[400])
}
