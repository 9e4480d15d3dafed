//! What the resources of Chronos take and answer.

use serde_json::{Value, json};

use super::generation;
use super::operation::{Answer, Operation};
use super::schemas::{array, reference, words};
use crate::jobspec::name_schema;
use crate::model::{Dialect, NameRule};

/// What is said of a method of one of Chronos' paths.
pub(super) fn describe(method: &str, path: &str, dialect: Dialect) -> Option<Operation> {
    let job = |name: &str| reference(&format!("{name}{}", generation(dialect)));
    let operation = match (method, path) {
        ("GET", "/ping") => Operation::new("ping", "process", "Whether the process answers and decides.")
            .answer(200, Answer::text("`pong` and a line break.", "text/plain"))
            .refused(&[503]),
        ("GET", "/metrics") => metrics(),
        ("POST" | "PUT", "/iso8601") => {
            put(method, ["createScheduled", "replaceScheduled"], "Create or replace a job with a schedule.", job("NewJob"))
                .said("`schedule` is a repeating interval or a cron expression. The job of that name is replaced if there is one.")
        }
        ("POST" | "PUT", "/cron") => {
            put(method, ["createCron", "replaceCron"], "Create or replace a job with a cron expression.", with(job("NewJob"), "schedule"))
                .said("As `iso8601`, for clients that want to be sure of the kind: an interval is refused.")
        }
        ("POST" | "PUT", "/dependency") => {
            put(method, ["createDependent", "replaceDependent"], "Create or replace a job that runs after others.", with(job("NewJob"), "parents"))
        }
        ("GET", "/jobs") => list(job("Job")),
        ("GET", "/jobs/search") => search(job("PrintedJob")),
        ("GET", "/jobs/summary") => {
            Operation::new("summarizeJobs", "jobs", "All jobs with their states.")
                .answer(200, Answer::json("In the order of creation.", reference("Summary")))
        }
        ("GET", "/job/{name}") => Operation::new("getJob", "jobs", "One job.")
            .answer(200, Answer::json("The job.", job("PrintedJob")).with(&["ETag", "Chronode-Revision"]))
            .refused(&[400]),
        ("DELETE", "/job/{name}") => Operation::new("deleteJob", "jobs", "Delete a job and stop its runs.")
            .said("Its children get its schedule or its parents.")
            .dry_run()
            .reason()
            .answer(200, Answer::json("With `dryRun`: what it would come to.", reference("DryDeletion")))
            .answer(204, Answer::empty("It is deleted.").with(&["Warning"])),
        ("PUT", "/job/{name}") => Operation::new("runJob", "runs", "Run a job now.")
            .query("arguments", json!({"type": "string"}), "In place of its own arguments.")
            .answer(204, Answer::empty("The run is recorded.").with(&["Chronode-Run-Id"])),
        ("DELETE", "/task/kill/{name}") => Operation::new("killRuns", "runs", "Stop the runs of a job.")
            .reason()
            .answer(204, Answer::empty("They are being stopped.")),
        ("PUT", "/job/success/{name}") => {
            Operation::new("markSuccess", "runs", "Count a job as done, as if a run had succeeded now.")
                .said("The answer is a sentence that ends with `true`, or with `false` if there is no such job. It is labelled as JSON, which it is not, because clients of Chronos expect the label.")
                .answer(200, Answer::of("A sentence.", "application/json", json!({})))
        }
        ("POST", "/job/{name}/task/{task_id}/progress") => {
            Operation::new("reportProgress", "runs", "How many more elements a task has processed.")
                .body(json!({
                    "type": "object",
                    "properties": {"numAdditionalElementsProcessed": {
                        "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "default": 0,
                    }},
                }))
                .answer(204, Answer::empty("It is counted."))
        }
        ("PUT", "/task/{task_id}") => {
            Operation::new("completeTask", "runs", "How a task of an `async` job ended.")
                .said("A task that nobody knows is no error, as in Chronos.")
                .body(json!({
                    "type": "object",
                    "required": ["statusCode"],
                    "properties": {"statusCode": {
                        "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX,
                        "description": "0 is success.",
                    }},
                }))
                .answer(204, Answer::empty("It is noted."))
        }
        ("DELETE", "/task/all") => {
            Operation::new("clearQueue", "runs", "End every run that has not been begun.")
                .answer(204, Answer::empty("None waits any longer."))
        }
        ("GET", "/job/stat/{name}") => {
            Operation::new("getJobStatistics", "runs", "How long the runs of a job took, and its newest tasks.")
                .answer(200, Answer::json("In milliseconds.", reference("Statistics")))
                .refused(&[400])
        }
        ("GET", "/stats/{figure}") => {
            let took = array(super::schemas::whole(json!({"jobNameLabel": {"type": "string"}, "time": {"type": "number"}})));
            Operation::new("getFigures", "runs", "How long the runs of all jobs took.")
                .answer(200, Answer::json("In seconds, the longest first.", took))
        }
        ("GET", "/graph/dot") => Operation::new("getGraph", "jobs", "Who is triggered by whom, for Graphviz.")
            .answer(200, Answer::text("A graph in the language DOT.", "text/plain")),
        ("GET", "/graph/csv") => Operation::new("getGraphTable", "jobs", "Who is triggered by whom, in lines.")
            .answer(200, Answer::text("`node,name,status,state` and `link,parent,child`.", "text/plain")),
        ("GET", "/leader") => Operation::new("getLeader", "process", "Who decides.")
            .answer(200, Answer::json("Its `host:port`; empty if there is none.", super::schemas::whole(json!({"leader": {"type": "string"}})))),
        _ => return None,
    };
    Some(operation)
}

/// Ways to store a job.
fn put(method: &str, ids: [&'static str; 2], summary: &'static str, body: Value) -> Operation {
    let id = if method == "POST" { ids[0] } else { ids[1] };
    Operation::new(id, "jobs", summary)
        .dry_run()
        .body(body)
        .answer(200, Answer::json("With `dryRun`: what it would come to.", reference("DryRun")))
        .answer(204, Answer::empty("It is stored.").with(&["ETag", "Chronode-Revision", "Warning"]))
}

fn with(job: Value, field: &str) -> Value {
    json!({"allOf": [job, {"required": [field]}]})
}

fn list(job: Value) -> Operation {
    Operation::new("listJobs", "jobs", "All jobs, or some of them.")
        .said("By name. Parameters that are not named here are ignored, as in Chronos.")
        .query(
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 1000}),
            "At most so many; the header `Link` leads to the others.",
        )
        .query(
            "after",
            name_schema(NameRule::Blanks),
            "Only jobs whose name comes behind this one.",
        )
        .query(
            "fields",
            json!({"type": "string", "examples": ["name,schedule,nextDue"]}),
            "Only these fields, with commas between.",
        )
        .query("state", words(&["idle", "queued", "running"]), "Only jobs in this state.")
        .query("owner", json!({"type": "string"}), "Only jobs of which this is one of the owners.")
        .answer(
            200,
            Answer::json(
                "The jobs: every field of a printed job, or those that `fields` names.",
                array(job),
            )
            .with(&["Link"]),
        )
        .refused(&[400])
}

fn search(job: Value) -> Operation {
    let number = |default: i64| json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX, "default": default});
    Operation::new("searchJobs", "jobs", "Jobs by a part of their name and command.")
        .said("In the order of creation. Parameters that are not named here are ignored; a number that is none is 404, both as in Chronos.")
        .query("name", json!({"type": "string"}), "What the name contains, whatever the case.")
        .query("command", json!({"type": "string"}), "What the command contains.")
        .query("any", json!({"type": "string"}), "Rescues what the other two refuse; alone it filters nothing.")
        .query("limit", number(10), "At most so many.")
        .query("offset", number(0), "How many are left out before the first.")
        .answer(200, Answer::json("The jobs.", array(job)))
        .refused(&[400, 404])
}

fn metrics() -> Operation {
    Operation::new("getMetrics", "process", "What is counted and measured.")
        .query(
            "format",
            words(&["json", "prometheus"]),
            "The form; by default what `Accept` likes best, and JSON otherwise.",
        )
        .query("pretty", json!({"type": "string"}), "`true` for JSON in many lines.")
        .answer(
            200,
            Answer::json("Dropwizard's form, or one of Prometheus'.", reference("Metrics"))
                .also("text/plain", json!({"type": "string"}))
                .also("application/openmetrics-text", json!({"type": "string"})),
        )
        .refused(&[400])
}
