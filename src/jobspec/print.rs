//! A stored job → the JSON object that Chronos would print.
//!
//! Fields stand in the order of Chronos' serialiser, then ours, only where they differ from what the same door makes of
//! a body without them, so that clients of Chronos see nothing new until somebody uses it. Secrets are never printed.

use serde_json::{Map, Value, json};

use super::{container, download, terms};
use crate::model::{
    CatchUp, Constraint, Dialect, EnvVar, Job, JobRecord, JobStats, Overlap, Resources,
    SECRET_SHOWN, ScheduleTerms, Timestamp, When,
};

/// What is known about a job beyond its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Derived {
    /// When the next occurrence is due, if there is one.
    pub next_due: Option<Timestamp>,
    /// How many occurrences of a limited schedule are left.
    pub remaining: Option<u64>,
}

/// The job as `dialect` prints it.
#[must_use]
pub fn print(record: &JobRecord, dialect: Dialect, derived: Derived) -> Map<String, Value> {
    let Job {
        name,
        command,
        shell,
        when,
        epsilon,
        executor,
        executor_flags,
        task_info_data,
        retries,
        owner,
        owner_name,
        description,
        is_async,
        resources: Resources { cpus, mem, disk },
        disabled,
        soft_error,
        data_processing,
        fetch,
        uris,
        environment,
        arguments,
        high_priority,
        run_as_user,
        max_completion_secs,
        container,
        constraints,
        overlap,
        catch_up,
    } = &record.job;
    let JobStats {
        success_count,
        error_count,
        errors_since_last_success,
        last_success,
        last_error,
    } = &record.stats;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("name", name.as_str().into());
    put("command", command.as_str().into());
    put("shell", (*shell).into());
    if dialect == Dialect::V0 {
        put("epsilon", epsilon.text.as_str().into());
    }
    put("executor", executor.as_str().into());
    put("executorFlags", executor_flags.as_str().into());
    put("taskInfoData", task_info_data.as_str().into());
    put("retries", (*retries).into());
    put("owner", owner.as_str().into());
    put("ownerName", owner_name.as_str().into());
    put("description", description.as_str().into());
    if dialect == Dialect::V0 {
        put("async", (*is_async).into());
    }
    put("successCount", (*success_count).into());
    put("errorCount", (*error_count).into());
    put("lastSuccess", last_success.as_str().into());
    put("lastError", last_error.as_str().into());
    // Always with a decimal point: typed clients read doubles.
    put("cpus", cpus.units().into());
    put("disk", disk.units().into());
    put("mem", mem.units().into());
    put("disabled", (*disabled).into());
    put("softError", (*soft_error).into());
    put("dataProcessingJobType", (*data_processing).into());
    put("errorsSinceLastSuccess", (*errors_since_last_success).into());
    put("fetch", fetch.iter().map(download::print).collect());
    put("uris", uris.iter().map(String::as_str).collect());
    put("environmentVariables", environment.iter().map(print_variable).collect());
    put("arguments", arguments.iter().map(String::as_str).collect());
    put("highPriority", (*high_priority).into());
    put("runAsUser", run_as_user.as_str().into());
    if dialect == Dialect::V1 {
        put("concurrent", (*overlap == Overlap::Allow).into());
        put("maxCompletionTime", (*max_completion_secs).into());
    }
    if let Some(container) = container {
        put("container", container::print(container, dialect));
    }
    put("constraints", constraints.iter().map(print_constraint).collect());
    match when {
        When::Parents(parents) => {
            put("parents", parents.iter().map(crate::model::JobName::as_str).collect());
        }
        When::Schedule(ScheduleTerms { text, zone, .. }) => {
            // The rest of the terms is ours and follows below.
            put("schedule", text.as_str().into());
            put("scheduleTimeZone", zone.as_str().into());
        }
    }
    if !is_shown_otherwise(*overlap, dialect) {
        put("overlap", print_overlap(*overlap));
    }
    if *catch_up != catch_up_default(dialect) {
        put("catchUp", print_catch_up(*catch_up).into());
    }
    match when {
        When::Parents(_) => {}
        When::Schedule(terms) => terms::print(terms, &mut put),
    }
    if let Some(at) = derived.next_due {
        put("nextDue", print_instant(at).into());
    }
    if let Some(remaining) = derived.remaining {
        put("remaining", remaining.into());
    }
    out
}

fn print_variable(variable: &EnvVar) -> Value {
    let EnvVar { name, value, secret } = variable;
    if *secret {
        json!({"name": name, "value": SECRET_SHOWN, "secret": true})
    } else {
        json!({"name": name, "value": value})
    }
}

fn print_constraint(constraint: &Constraint) -> Value {
    let Constraint { attribute, operator, value } = constraint;
    json!([attribute, operator.as_str(), value])
}

/// Whether a body printed by `dialect` means `overlap` without the field. Follows `JobDraft::resolve`.
fn is_shown_otherwise(overlap: Overlap, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V0 => overlap == Overlap::Skip,
        // `concurrent` says the first; the second is the default, because `epsilon` is not printed.
        Dialect::V1 => matches!(overlap, Overlap::Allow | Overlap::Queue { max: 1 }),
    }
}

fn print_overlap(overlap: Overlap) -> Value {
    match overlap {
        Overlap::Skip => "skip".into(),
        Overlap::Queue { max: 1 } => "queue".into(),
        Overlap::Queue { max } => json!({"queue": max}),
        Overlap::Allow => "allow".into(),
    }
}

/// What `dialect` makes of a body that it printed without `catchUp`. Follows `JobDraft::resolve`.
const fn catch_up_default(dialect: Dialect) -> CatchUp {
    match dialect {
        Dialect::V0 => CatchUp::None,
        Dialect::V1 => CatchUp::Latest,
    }
}

const fn print_catch_up(catch_up: CatchUp) -> &'static str {
    match catch_up {
        CatchUp::None => "none",
        CatchUp::Latest => "latest",
    }
}

/// UTC with milliseconds, as Chronos prints instants.
fn print_instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
