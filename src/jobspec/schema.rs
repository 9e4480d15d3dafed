//! What a job is on the wire, as JSON Schema (2020-12): for people's tools, not for our reading, which is by hand.
//!
//! One set of fields serves both directions, because what is printed can be sent back. The schema says what to write;
//! that a number may also come as text, that `null` is absence, and what else is let through for clients of Chronos, is
//! not repeated in every field.

use serde_json::{Map, Value, json};

use super::{policy, read, schedule_fields, terms};
use crate::model::limits::{
    COMMAND_BYTES_MAX, ENVIRONMENT_BYTES_MAX, LABEL_BYTES_MAX, LABELS_MAX, LIST_ITEMS_MAX,
    LIVE_RUNS_PER_JOB_MAX, NAME_BYTES_MAX, PORTS_MAX, RETRIES_MAX, RUNBOOK_BYTES_MAX,
    SCHEDULE_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::model::{Dialect, NameRule};

/// The fields of a job with type, limits, default and meaning. None is required.
#[must_use]
pub fn job_schema(dialect: Dialect) -> Value {
    let parts = [
        own(dialect),
        surroundings(dialect),
        placement(dialect),
        when(),
        policies(dialect),
        attempts(),
        care(),
        told(),
    ];
    let mut fields = Map::new();
    for part in parts {
        fields.extend(part.as_object().cloned().unwrap_or_default());
    }
    json!({"type": "object", "properties": fields})
}

/// The fields that every printed job has.
#[must_use]
pub fn printed_always(dialect: Dialect) -> Vec<&'static str> {
    const BOTH: [&str; 28] = [
        "name",
        "command",
        "shell",
        "executor",
        "executorFlags",
        "taskInfoData",
        "retries",
        "owner",
        "ownerName",
        "description",
        "successCount",
        "errorCount",
        "lastSuccess",
        "lastError",
        "cpus",
        "disk",
        "mem",
        "disabled",
        "softError",
        "dataProcessingJobType",
        "errorsSinceLastSuccess",
        "fetch",
        "uris",
        "environmentVariables",
        "arguments",
        "highPriority",
        "runAsUser",
        "constraints",
    ];
    let one = match dialect {
        Dialect::V0 => ["epsilon", "async"],
        Dialect::V1 => ["concurrent", "maxCompletionTime"],
    };
    BOTH.into_iter().chain(one).collect()
}

/// A job's name as a rule lets it in.
#[must_use]
pub fn name_schema(rule: NameRule) -> Value {
    let pattern = match rule {
        // A blank at an end is a trap, so it is refused.
        NameRule::Blanks => "^[A-Za-z0-9_.#-]([A-Za-z0-9_.# -]*[A-Za-z0-9_.#-])?$",
        NameRule::NoBlanks => "^[A-Za-z0-9_.-]+$",
    };
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_BYTES_MAX,
        "pattern": pattern,
        "not": {"enum": [".", ".."]},
    })
}

/// Who the job is and what it runs.
fn own(dialect: Dialect) -> Value {
    let name = name_schema(dialect.name_rule());
    let is_async = match dialect {
        Dialect::V0 => "Whether its tasks say themselves how they ended.",
        Dialect::V1 => {
            "Whether its tasks say themselves how they ended. Read, kept, and not printed here."
        }
    };
    json!({
        "name": said(name, "Its identity: a job of that name is replaced."),
        "command": said(text(COMMAND_BYTES_MAX), "What is run."),
        "shell": said(flag(true), "Whether `command` is a line for `/bin/sh -c`; otherwise it is a program."),
        "arguments": said(list(LIST_ITEMS_MAX, text(TEXT_BYTES_MAX)), "Arguments of the command."),
        "owner": said(text(TEXT_BYTES_MAX), "Addresses of people, with commas between."),
        "ownerName": said(text(TEXT_BYTES_MAX), "Who that is."),
        "description": said(text(TEXT_BYTES_MAX), "What it is for."),
        "async": said(flag(false), is_async),
        "dataProcessingJobType": said(flag(false), "Whether its tasks tell how many elements they have processed."),
        "softError": said(flag(false), "Whether jobs after it run although it has failed."),
        "disabled": said(flag(false), "Whether it does not run by its schedule or its parents."),
        "shadow": said(
            either(&[flag(false), object(json!({"until": instant()}), &["until"])]),
            "Planned and recorded, but not launched: always, or until an instant.",
        ),
    })
}

/// What the command finds where it runs.
fn surroundings(dialect: Dialect) -> Value {
    let variable = object(
        json!({
            "name": {"type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX, "pattern": "^[^=]+$"},
            "value": text_without_default(TEXT_BYTES_MAX),
            "secret": said(flag(false), "Shown as `***` everywhere; sending `***` back keeps it."),
        }),
        &["name", "value"],
    );
    let fetch = object(
        json!({
            "uri": said(address(), "What is downloaded."),
            "executable": said(flag(false), "Whether it may be executed."),
            "cache": said(flag(false), "Whether it may come out of a cache."),
            "extract": said(flag(super::download::extracts(dialect)), "Whether an archive is unpacked."),
            "output_file": said(text(TEXT_BYTES_MAX), "The name that the file gets."),
        }),
        &["uri"],
    );
    let environment = format!(
        "Variables of its environment; with `arguments` at most {ENVIRONMENT_BYTES_MAX} bytes."
    );
    json!({
        "environmentVariables": said(list(LIST_ITEMS_MAX, variable), &environment),
        "runAsUser": said(text_without_default(TEXT_BYTES_MAX), "The user it runs as; by default the one that the server is started with."),
        "fetch": said(list(LIST_ITEMS_MAX, fetch), "What is downloaded before it starts."),
        "uris": said(list(LIST_ITEMS_MAX, address()), "The same as addresses alone. Of the two only one is given, or both name the same."),
        "executor": said(text(TEXT_BYTES_MAX), "The executor of Mesos that runs it."),
        "executorFlags": said(text(TEXT_BYTES_MAX), "Kept as given."),
        "taskInfoData": said(text(TEXT_BYTES_MAX), "Kept as given."),
        "container": said(container(), "The container that it runs in."),
    })
}

fn container() -> Value {
    let property = object(
        json!({"key": text_without_default(TEXT_BYTES_MAX), "value": text_without_default(TEXT_BYTES_MAX)}),
        &["key", "value"],
    );
    let properties = list(LIST_ITEMS_MAX, property);
    let port = json!({
        "description": "Printed as text, as Chronos does.",
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 65_535},
            {"type": "string", "pattern": "^[0-9]{1,5}$"},
        ],
    });
    let mapping = object(
        json!({
            "hostPort": port,
            "containerPort": port,
            "protocol": text(TEXT_BYTES_MAX),
        }),
        &["hostPort", "containerPort"],
    );
    let network = object(
        json!({
            "name": text_without_default(TEXT_BYTES_MAX),
            "protocol": {"enum": ["IPv4", "IPv6"]},
            "labels": properties,
            "portMappings": list(LIST_ITEMS_MAX, mapping),
        }),
        &["name"],
    );
    let external = object(
        json!({
            "name": text_without_default(TEXT_BYTES_MAX),
            "provider": text_without_default(TEXT_BYTES_MAX),
            "options": properties,
        }),
        &["name", "provider"],
    );
    let volume = object(
        json!({
            "hostPath": text(TEXT_BYTES_MAX),
            "containerPath": text_without_default(TEXT_BYTES_MAX),
            "mode": {"enum": ["RW", "RO"]},
            "external": external,
        }),
        &["containerPath"],
    );
    object(
        json!({
            "type": {"enum": ["DOCKER", "MESOS", "docker", "mesos"], "default": "DOCKER"},
            "image": {"type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX},
            "network": {"enum": ["BRIDGE", "HOST", "USER"], "default": "HOST"},
            "networkName": text(TEXT_BYTES_MAX),
            "networkInfos": list(LIST_ITEMS_MAX, network),
            "volumes": list(LIST_ITEMS_MAX, volume),
            "forcePullImage": flag(false),
            "parameters": properties,
        }),
        &["image"],
    )
}

/// Where it runs and how much of that it gets.
fn placement(dialect: Dialect) -> Value {
    let concurrent = match dialect {
        Dialect::V0 => "Chronos 3's word for `overlap: allow`. Read, and not printed here.",
        Dialect::V1 => "Whether an occurrence starts although its predecessor still runs.",
    };
    // The three are not told apart with `prefixItems`, which few tools read; nor is said which of them may be left out.
    let constraint = json!({
        "type": "array",
        "items": text_without_default(TEXT_BYTES_MAX),
        "minItems": 2,
        "maxItems": 3,
        "examples": [["rack", "LIKE", "r-[12]"]],
    });
    json!({
        "cpus": said(amount(), "Cores; 0 is the default of the server."),
        "mem": said(amount(), "Megabytes of memory; 0 is the default of the server."),
        "disk": said(amount(), "Megabytes of disk; 0 is the default of the server."),
        "constraints": said(list(read::CONSTRAINTS_MAX, constraint), "Where it may run: attribute, operator and value. `EQUALS` wants this value, `LIKE` and `UNLIKE` a regular expression of at most 1 KiB; `UNIQUE` takes no value and keeps its live runs apart, `CLUSTER` keeps them together, at the value if there is one."),
        "ports": said(json!({"type": "integer", "minimum": 0, "maximum": PORTS_MAX, "default": 0}), "How many ports of the host it gets, whose numbers are in PORT0, PORT1 and so on. Not on the local launcher."),
        "placement": said(words(&["pack", "spread"], "pack"), "Which agent with room a run goes to: the one with the least room, or the one with the fewest live runs of the job."),
        "highPriority": said(flag(false), "Chronos' word for `priority: high`."),
        "priority": said(words(&["low", "normal", "high"], "normal"), "What is placed first where not everything fits at once."),
        "concurrent": said(json!({"type": "boolean"}), concurrent),
    })
}

/// When it is due.
fn when() -> Value {
    let line = text_without_default(SCHEDULE_BYTES_MAX);
    let parent = name_schema(NameRule::Blanks);
    let dst = object(
        json!({
            "gap": said(json!({"enum": ["after", "shift", "skip"]}), "What becomes of an occurrence in an hour that there is not."),
            "fold": said(json!({"enum": ["first", "last", "both"]}), "And in one that there is twice."),
        }),
        &[],
    );
    let item = json!({"type": "string", "maxLength": terms::CALENDAR_ITEM_BYTES_MAX});
    let items = list(terms::CALENDAR_ITEMS_MAX, item);
    let calendar = object(
        json!({
            "name": {"type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX},
            "use": {"enum": ["onlyIn", "neverIn"]},
            "dates": said(items.clone(), "Such as `2026-12-25`, yearly `12-25`, and `12-24/01-01` with both ends."),
            "weekdays": said(items.clone(), "Such as `SAT` and `MON-FRI`."),
            "windows": said(items, "Times of day such as `22:00/06:00`, and spans, without their end."),
        }),
        &["name", "use"],
    );
    let mut parents = list(schedule_fields::PARENTS_MAX, parent);
    parents["minItems"] = 1.into();
    json!({
        "schedule": said(line.clone(), "A repeating interval such as `R/2026-01-01T02:00:00Z/P1D`, or a cron expression such as `0 2 * * *`."),
        "scheduleTimeZone": said(text(SCHEDULE_BYTES_MAX), "The zone of the schedule, such as `Europe/Berlin`."),
        "epsilon": said(period(), "How late a run may start."),
        "parents": said(parents, "Jobs after which it runs, in place of a schedule."),
        "triggerRule": said(words(&["all-succeeded", "all-done", "any-succeeded", "any-failed"], "all-succeeded"), "What its parents must have done."),
        "join": said(words(&["round", "due"], "round"), "Which of their runs belong together."),
        "dst": said(dst, "What changes of clock do to its occurrences."),
        "jitter": said(period(), "Over how long a time starts are spread."),
        "notBefore": said(line.clone(), "A date or an instant: earlier occurrences are none."),
        "notAfter": said(line, "A date or an instant: later occurrences are none."),
        "calendars": said(list(terms::CALENDARS_MAX, calendar), "When it may and may not be due. A calendar has at least one item."),
        "spreadBy": said(text(NAME_BYTES_MAX), "The name by which `H` and `jitter` are spread; its own by default."),
    })
}

/// What becomes of occurrences that meet or are missed, and of attempts that take too long.
fn policies(dialect: Dialect) -> Value {
    let counted = |key: &str, most: i64| {
        object(json!({key: {"type": "integer", "minimum": 1, "maximum": most}}), &[key])
    };
    let live_max = i64::try_from(LIVE_RUNS_PER_JOB_MAX).unwrap_or(i64::MAX);
    let overlap = either(&[
        json!({"enum": ["skip", "queue", "replace", "allow"]}),
        counted("queue", policy::WAITING_MAX),
        counted("allow", live_max),
    ]);
    let catch_up = either(&[
        json!({"enum": ["none", "latest", "all"]}),
        counted("all", policy::CAUGHT_UP_MAX),
    ]);
    let completion = match dialect {
        Dialect::V0 => {
            "Chronos 3's word for `timeout`, in seconds; 0 is never. Read, and not printed here."
        }
        Dialect::V1 => "Seconds after which an attempt is stopped; 0 is never.",
    };
    let on_unknown =
        object(json!({"wait": period(), "then": words(&["lost", "relaunch"], "lost")}), &[]);
    json!({
        "overlap": said(overlap, "What becomes of an occurrence whose predecessor still runs."),
        "catchUp": said(catch_up, "Which missed occurrences are run late."),
        "timeout": said(period(), "After which an attempt is stopped; `PT0S` is never."),
        "maxCompletionTime": said(
            json!({"type": "integer", "minimum": 0, "maximum": policy::COMPLETION_SECS_MAX, "default": 0}),
            completion,
        ),
        "killGrace": said(period(), "How long a command is given between being asked to stop and being stopped."),
        "onUnknown": said(on_unknown, "What becomes of an attempt of which nobody can say whether it still runs."),
        "disableAfterFailures": said(
            json!({"type": "integer", "minimum": 0, "maximum": policy::FAILURES_MAX}),
            "Final failures in a row after which it is disabled; 0 is never.",
        ),
    })
}

/// What follows a failed attempt.
fn attempts() -> Value {
    let code = json!({"type": "integer", "minimum": 1, "maximum": 255});
    let codes = list(policy::EXIT_CODES_MAX, code);
    let backoff = object(
        json!({
            "factor": said(
                json!({"type": "number", "minimum": policy::ONE.units(), "maximum": policy::FACTOR_MAX.units(), "default": policy::FACTOR_DEFAULT.units()}),
                "By which each further pause is longer.",
            ),
            "max": said(period(), "The longest pause."),
            "jitter": said(
                json!({"type": "number", "minimum": 0, "maximum": 1, "default": 0}),
                "By up to which share of it a pause is longer still.",
            ),
        }),
        &[],
    );
    json!({
        "retries": said(
            json!({"type": "integer", "maximum": RETRIES_MAX, "default": 2}),
            "Further attempts after a failed one; negative is none.",
        ),
        "retryDelay": said(period(), "The pause before the second attempt."),
        "retryBackoff": said(backoff, "How pauses grow; without it all are the same."),
        "retryOn": said(codes.clone(), "Only these exit codes are tried again."),
        "noRetryOn": said(codes, "These exit codes are not tried again. Only one of the two is given."),
        "retryUntil": said(period(), "No further attempt begins later than this after the run is due."),
    })
}

/// What it says to those who look after it.
fn care() -> Value {
    let time = json!({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"});
    let deadline = || either(&[time.clone(), period()]);
    let labels = json!({
        "type": "object", "maxProperties": LABELS_MAX,
        "additionalProperties": text(LABEL_BYTES_MAX),
    });
    json!({
        "startBy": said(deadline(), "By when a run should have started: a time of day in its zone, the first after it is due, or a period after that."),
        "finishBy": said(deadline(), "By when a run should be over, likewise."),
        "maxLateness": said(period(), "How much later than it was due a run may start."),
        "expectedDuration": said(period(), "How long an attempt takes at most, as a rule."),
        "runbook": said(text(RUNBOOK_BYTES_MAX), "Where is written what to do when something is wrong, as an address or in words."),
        "labels": said(labels, "Names and values by which jobs are sorted and alerts find their way."),
    })
}

/// What is counted, and what is told beside the definition.
fn told() -> Value {
    let count = |words: &str| said(json!({"type": "integer", "minimum": 0, "default": 0}), words);
    let date = |words: &str| said(text(TEXT_BYTES_MAX), words);
    let only_read = |mut schema: Value| {
        schema["readOnly"] = true.into();
        schema
    };
    json!({
        "successCount": count("Runs that have succeeded. Given for a new job only, as are the other counts and dates."),
        "errorCount": count("Runs that have failed."),
        "errorsSinceLastSuccess": count("Failures in a row."),
        "lastSuccess": date("When a run last succeeded; empty if none has."),
        "lastError": date("When a run last failed; empty if none has."),
        "nextDue": only_read(said(instant(), "When the next occurrence is due.")),
        "remaining": only_read(said(json!({"type": "integer", "minimum": 0}), "How many occurrences are left of a schedule that ends.")),
        "waitsFor": only_read(said(json!({"type": "string"}), "What a job with parents waits for.")),
        "revision": only_read(said(json!({"type": "integer", "minimum": 1}), "Which definition it is. Not in the body: the header `Chronode-Revision` tells it.")),
    })
}

fn said(mut schema: Value, words: &str) -> Value {
    schema["description"] = words.into();
    schema
}

fn text(bytes_max: usize) -> Value {
    json!({"type": "string", "maxLength": bytes_max, "default": ""})
}

fn text_without_default(bytes_max: usize) -> Value {
    json!({"type": "string", "maxLength": bytes_max})
}

fn address() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX})
}

fn flag(default: bool) -> Value {
    json!({"type": "boolean", "default": default})
}

fn words(all: &[&str], default: &str) -> Value {
    json!({"enum": all, "default": default})
}

fn amount() -> Value {
    json!({"type": "number", "minimum": 0, "maximum": 1_000_000_000_000_u64})
}

fn period() -> Value {
    json!({"type": "string", "maxLength": SCHEDULE_BYTES_MAX, "examples": ["PT10M"]})
}

fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn list(items_max: usize, item: Value) -> Value {
    json!({"type": "array", "maxItems": items_max, "items": item})
}

fn object(fields: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "properties": fields});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn either(schemas: &[Value]) -> Value {
    json!({"anyOf": schemas})
}
