//! A stored job → the JSON object that Chronos would print.
//!
//! Fields stand in the order of Chronos' serialiser, then ours, only where they differ from what the same door makes of
//! a body without them, so that clients of Chronos see nothing new until somebody uses it. Secrets are never printed.

use serde_json::{Map, Value, json};

use super::{container, download, objective, policy, terms};
use crate::model::{
    Constraint, Dialect, EnvVar, Job, JobName, JobRecord, JobStats, Join, Overlap, ParentTerms,
    Priority, Resources, SECRET_SHOWN, ScheduleTerms, Timestamp, TriggerRule, When,
};

/// What is known about a job beyond its record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derived {
    /// When the next occurrence is due, if there is one.
    pub next_due: Option<Timestamp>,
    /// How many occurrences of a limited schedule are left.
    pub remaining: Option<u64>,
    /// What a job with parents waits for, as a sentence.
    pub waits_for: Option<String>,
}

/// The job as `dialect` prints it.
#[must_use]
pub fn print(record: &JobRecord, dialect: Dialect, derived: Derived) -> Map<String, Value> {
    print_job(&record.job, &record.stats, dialect, derived)
}

/// The same of a definition and its counts.
#[must_use]
pub fn print_job(
    job: &Job,
    stats: &JobStats,
    dialect: Dialect,
    derived: Derived,
) -> Map<String, Value> {
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
        retry: _, // Ours, as are the others that `policy` prints.
        owner,
        owner_name,
        description,
        is_async,
        // The ports are ours.
        resources: Resources { cpus, mem, disk, ports: _ },
        disabled,
        soft_error,
        data_processing,
        fetch,
        uris,
        environment,
        arguments,
        priority,
        run_as_user,
        max_completion_secs,
        kill_grace: _,
        disable_after_failures: _,
        on_unknown: _,
        container,
        constraints,
        placement: _,
        overlap,
        catch_up: _,
        shadow: _,
        objectives: _,
        runbook: _,
        labels: _,
    } = job;
    let JobStats {
        success_count,
        error_count,
        errors_since_last_success,
        last_success,
        last_error,
    } = stats;
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
    put("highPriority", (*priority == Priority::High).into());
    put("runAsUser", run_as_user.as_str().into());
    if dialect == Dialect::V1 {
        put("concurrent", matches!(overlap, Overlap::Allow { .. }).into());
        put("maxCompletionTime", (*max_completion_secs).into());
    }
    if let Some(container) = container {
        put("container", container::print(container, dialect));
    }
    put("constraints", constraints.iter().map(print_constraint).collect());
    match when {
        // What they must have done is ours and follows below.
        When::Parents(ParentTerms { names, .. }) => {
            put("parents", names.iter().map(JobName::as_str).collect());
        }
        When::Schedule(ScheduleTerms { text, zone, .. }) => {
            // The rest of the terms is ours and follows below.
            put("schedule", text.as_str().into());
            put("scheduleTimeZone", zone.as_str().into());
        }
    }
    policy::print(job, dialect, &mut put);
    objective::print(job, &mut put);
    match when {
        When::Parents(terms) => print_parent_terms(terms, &mut put),
        When::Schedule(terms) => terms::print(terms, &mut put),
    }
    if let Some(at) = derived.next_due {
        put("nextDue", print_instant(at).into());
    }
    if let Some(remaining) = derived.remaining {
        put("remaining", remaining.into());
    }
    if let Some(sentence) = derived.waits_for {
        put("waitsFor", sentence.into());
    }
    out
}

/// What of them stands behind the other fields of a job: all but the names, where it says something.
fn print_parent_terms(terms: &ParentTerms, put: &mut impl FnMut(&str, Value)) {
    let ParentTerms { names: _, rule, join } = terms;
    if *rule != TriggerRule::default() {
        put("triggerRule", rule.as_str().into());
    }
    if *join != Join::default() {
        put("join", join.as_str().into());
    }
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

/// UTC with milliseconds, as Chronos prints instants.
fn print_instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
