//! Bodies of JSON.

use serde_json::{Map, Value, json};

use super::story::page;
use super::{count, escape, instant, kind_word, message, only_job, subject};
use crate::model::{Alert, AlertJob, AlertRun, Exit, Incident, IncidentKey, JobName};
use crate::notify::{Letter, Tail};

/// How much of a body is posted into a chat.
const CHAT_CHARACTERS: usize = 3_000;

/// How many jobs of an incident are named.
const JOBS: usize = 100;

/// What Slack gets.
#[must_use]
pub fn slack(letter: &Letter) -> Value {
    json!({ "text": escape::slack(&chat(letter)) })
}

/// What Mattermost gets.
#[must_use]
pub fn mattermost(letter: &Letter) -> Value {
    json!({ "text": escape::mattermost(&chat(letter)) })
}

fn chat(letter: &Letter) -> String {
    let (subject, body) = (subject(letter), message(letter));
    if body.is_empty() {
        subject
    } else {
        escape::cut(&format!("{subject}: {body}"), CHAT_CHARACTERS)
    }
}

/// What Chronos' HTTP callback gets: the same fields in the same order, all of them texts. Where a letter is not about
/// one job, the fields of the job are there and say nothing.
#[must_use]
pub fn http(letter: &Letter) -> Value {
    let mut body = Map::new();
    let mut put = |key: &str, value: String| {
        body.insert(key.to_owned(), Value::String(value));
    };
    put("subject", subject(letter));
    let message = message(letter);
    if !message.is_empty() {
        put("message", message);
    }
    let to = &letter.notification.to.recipient;
    if !to.is_empty() {
        put("to", to.clone());
    }
    let job = only_job(letter).and_then(|_| letter.alerts.last()?.job.as_deref());
    let of = |say: fn(&AlertJob) -> String, none: &str| job.map_or_else(|| none.to_owned(), say);
    put("job", of(|job| job.name.to_string(), ""));
    put("command", of(|job| job.command.clone(), ""));
    put("cpus", of(|job| job.resources.cpus.to_string(), "0.0"));
    put("softError", of(|job| job.soft_error.to_string(), "false"));
    put("errorCount", of(|job| job.stats.error_count.to_string(), "0"));
    put("errorsSinceLastSuccess", of(|job| job.stats.errors_since_last_success.to_string(), "0"));
    put("executor", of(|job| job.executor.clone(), ""));
    put("executorFlags", of(|job| job.executor_flags.clone(), ""));
    put("lastError", of(|job| job.stats.last_error.clone(), ""));
    put("lastSuccess", of(|job| job.stats.last_success.clone(), ""));
    put("mem", of(|job| job.resources.mem.to_string(), "0.0"));
    put("retries", of(|job| job.retries.to_string(), "0"));
    put("successCount", of(|job| job.stats.success_count.to_string(), "0"));
    put("uris", of(|job| job.uris.join(","), ""));
    Value::Object(body)
}

/// What the webhook and the command hook get. Texts are as they were given: whoever shows them escapes them.
#[must_use]
pub fn webhook(letter: &Letter) -> Value {
    let notification = &letter.notification;
    let told = u64::try_from(letter.alerts.len()).unwrap_or(u64::MAX);
    let alerts: Vec<Value> = letter.alerts.iter().map(|alert| alert_of(letter, alert)).collect();
    json!({
        "id": notification.id.to_string(),
        "kind": kind_word(letter),
        "cluster": letter.cluster_name,
        "channel": notification.to.channel,
        "recipient": notification.to.recipient,
        "madeAt": instant(notification.made_at),
        "subject": subject(letter),
        "message": message(letter),
        "incident": letter.incident.as_ref().map_or_else(
            || notification.incident.map_or(Value::Null, |id| json!({"id": id.to_string()})),
            incident_of,
        ),
        "alerts": alerts,
        "leftOut": count(letter).saturating_sub(told),
        "page": page(letter, "alerts"),
    })
}

fn incident_of(incident: &Incident) -> Value {
    let jobs: Vec<&str> = incident.jobs.iter().take(JOBS).map(JobName::as_str).collect();
    json!({
        "id": incident.id.to_string(),
        "key": match &incident.key {
            IncidentKey::Job(name) => json!({"job": name.as_str()}),
            IncidentKey::Cause(cause) => json!({"cause": cause}),
        },
        "kind": incident.kind.name(),
        "openedAt": instant(incident.opened_at),
        "lastAt": instant(incident.last_at),
        "closedAt": incident.closed_at.map(instant),
        "alerts": incident.alerts,
        "jobs": jobs,
        "jobsLeftOut": incident.jobs.len().saturating_sub(JOBS),
    })
}

fn alert_of(letter: &Letter, alert: &Alert) -> Value {
    let Alert { id, incident, kind, at, job, run, backfill, reason, retry_at, next_due_at } = alert;
    let name = job.as_ref().map(|job| job.name.as_str());
    let job_page = name.and_then(|name| page(letter, &format!("job/{}", escape::part(name))));
    let run_page = run.as_ref().and_then(|run| page(letter, &format!("run/{}", run.id)));
    json!({
        "id": id.to_string(),
        "incident": incident.map(|id| id.to_string()),
        "kind": kind.name(),
        "at": instant(*at),
        "job": name,
        "owner": job.as_ref().map(|job| job.owner.as_str()),
        "labels": job.as_ref().map(|job| labels(job)),
        "runbook": job.as_ref().map(|job| job.runbook.as_str()),
        "command": job.as_ref().map(|job| job.command.as_str()),
        "reason": reason,
        "run": run.as_ref().map(|run| run_of(run)),
        "backfill": backfill.map(|id| id.to_string()),
        "retryAt": retry_at.map(instant),
        "nextDueAt": next_due_at.map(instant),
        "output": letter.tails.get(id).map(output_of),
        "links": {"job": job_page, "run": run_page},
    })
}

fn labels(job: &AlertJob) -> Value {
    job.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}

fn run_of(run: &AlertRun) -> Value {
    let AlertRun { id, due_at, attempt, task_id, started_at, ended_at, exit, message } = run;
    json!({
        "id": id.to_string(),
        "dueAt": instant(*due_at),
        "attempt": attempt,
        "taskId": task_id.as_ref().map(|task_id| task_id.as_str()),
        "startedAt": started_at.map(instant),
        "endedAt": ended_at.map(instant),
        "exit": exit.as_ref().map(exit_of),
        "message": message,
    })
}

/// As the API prints it.
fn exit_of(exit: &Exit) -> Value {
    match exit {
        Exit::Code(code) => json!({"code": code}),
        Exit::Signal(signal) => json!({"signal": signal}),
        Exit::Killed => json!({"killed": true}),
        Exit::Failed { reason } => json!({"failed": reason}),
        Exit::CouldNotStart { reason } => json!({"couldNotStart": reason}),
    }
}

fn output_of(tail: &Tail) -> Value {
    let Tail { stream, text, is_cut } = tail;
    json!({"stream": stream, "text": text, "isCut": is_cut})
}
