//! Runs, stretches and the state of the process as JSON.
//!
//! Our own form: lower camel case, every key always there, `null` for what is not, instants in UTC with milliseconds.
//! Jobs are printed by `jobspec`, in Chronos' form.

use serde_json::{Value, json};

use super::backend::{Info, JobFilesView, Objection, RoundView, ZoneInfo};
use crate::engine::forecast::{Forecast, Minute, Start};
use crate::engine::{Doubt, ParentStanding, Reason};
use crate::model::{
    Attempt, AttemptState, Contribution, EnvVar, Exit, HistoryEntry, Intervention, JobName, Pause,
    Run, RunId, RunState, SECRET_SHOWN, Stretch, Timestamp, Trigger,
};
use crate::schedule::{ClockChange, Opening};

/// An instant as RFC 3339, UTC, with milliseconds.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// One line of the history.
pub(crate) fn entry(entry: &HistoryEntry) -> Value {
    match entry {
        HistoryEntry::Run(found) => run(found),
        HistoryEntry::Stretch(found) => stretch(found),
    }
}

/// One run.
pub(crate) fn run(run: &Run) -> Value {
    let Run {
        id,
        sequence,
        job,
        trigger,
        task_millis: _, // Shows in the task ids.
        arguments,
        environment,
        by,
        retries_down,
        stopped_by,
        causes,
        created_at,
        start_deadline: _, // Shows while the run is pending.
        wanted_at: _,
        state,
        attempts,
    } = run;
    let mut object = json!({
        "kind": "run",
        "id": id.to_string(),
        "sequence": sequence,
        "job": job.as_str(),
        "trigger": print_trigger(trigger),
        "causes": causes.iter().map(RunId::to_string).collect::<Vec<_>>(),
        "arguments": arguments,
        "environment": environment.iter().map(variable).collect::<Value>(),
        "by": by.as_deref().map(intervention),
        "stoppedBy": stopped_by.as_deref().map(intervention),
        "retriesDown": retries_down,
        "createdAt": instant(*created_at),
        "state": state_word(state),
        "verdict": null,
        "reason": null,
        "endedAt": null,
        "retryAt": null,
        "startDeadline": null,
        "reportBy": null,
        "attempts": attempts.iter().map(attempt).collect::<Value>(),
    });
    match state {
        RunState::Queued | RunState::Active => {}
        RunState::Pending { deadline } => object["startDeadline"] = optional(*deadline),
        RunState::Waiting { until } => object["retryAt"] = instant(until.at).into(),
        RunState::Reporting { until } => {
            object["reportBy"] = optional(until.map(|until| until.at));
        }
        RunState::Ended { verdict, at, reason } => {
            object["verdict"] = verdict.as_str().into();
            object["reason"] = reason.as_str().into();
            object["endedAt"] = instant(*at).into();
        }
    }
    object
}

fn print_trigger(trigger: &Trigger) -> Value {
    let mut object = json!({
        "kind": trigger.as_str(),
        "dueAt": instant(trigger.due_at()),
        "opensAt": null,
        "finishedAt": null,
        "retryOf": null,
        "backfill": null,
    });
    match trigger {
        Trigger::Schedule { due_at: _, opens_at } => {
            object["opensAt"] = instant(*opens_at).into();
        }
        Trigger::Retry { of, .. } => object["retryOf"] = of.to_string().into(),
        Trigger::Backfill { of, .. } => object["backfill"] = of.to_string().into(),
        Trigger::Parents { due_at: _, at } => object["finishedAt"] = instant(*at).into(),
        Trigger::CatchUp { .. } | Trigger::Manual { .. } => {}
    }
    object
}

/// Who did something, when and why.
pub(crate) fn intervention(intervention: &Intervention) -> Value {
    let Intervention { by, at, reason } = intervention;
    json!({"by": by, "at": instant(*at), "reason": reason})
}

/// One sentence of an explanation.
pub(crate) fn reason(reason: &Reason) -> Value {
    let Reason { code, text } = reason;
    json!({"code": code, "text": text})
}

/// What is against an agent for a run.
pub(crate) fn objection(objection: &Objection) -> Value {
    let Objection { agent, hostname, reason } = objection;
    json!({"agent": agent.as_str(), "hostname": hostname, "reason": reason})
}

/// A variable of a run. What is secret is nowhere shown.
pub(crate) fn variable(variable: &EnvVar) -> Value {
    let EnvVar { name, value, secret } = variable;
    let shown = if *secret { SECRET_SHOWN } else { value.as_str() };
    json!({"name": name, "value": shown, "secret": secret})
}

/// Where a run stands, as a word.
pub(crate) const fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Pending { .. } => "pending",
        RunState::Active => "active",
        RunState::Waiting { .. } => "waiting",
        RunState::Reporting { .. } => "reporting",
        RunState::Ended { .. } => "ended",
    }
}

fn optional(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| instant(at).into())
}

fn attempt(attempt: &Attempt) -> Value {
    let Attempt {
        index,
        task_id,
        agent,
        placed,
        is_staged: _,
        launched_at,
        holds: _,
        reported,
        elements,
        state,
    } = attempt;
    let mut object = json!({
        "attempt": index,
        "taskId": task_id.as_str(),
        "agent": agent.as_str(),
        "hostname": placed.as_ref().map(|placed| placed.hostname.as_str()),
        "hasSandbox": attempt.sandbox().is_some(),
        "reportedStatus": reported,
        "elements": elements,
        "state": null,
        "launchedAt": instant(*launched_at),
        "startedAt": null,
        "endedAt": null,
        "stopReason": null,
        "until": null,
        "reason": null,
        "exit": null,
        "message": "",
    });
    let word = match state {
        AttemptState::Launching => "launching",
        AttemptState::Running { started_at, stop_at: _ } => {
            object["startedAt"] = instant(*started_at).into();
            "running"
        }
        AttemptState::Stopping { started_at, why } => {
            object["startedAt"] = optional(*started_at);
            object["stopReason"] = why.as_str().into();
            "stopping"
        }
        AttemptState::Unknown { started_at, why, until, reason } => {
            object["startedAt"] = optional(*started_at);
            object["stopReason"] = why.map_or(Value::Null, |why| why.as_str().into());
            object["until"] = instant(until.at).into();
            object["reason"] = reason.as_str().into();
            "unknown"
        }
        AttemptState::Ended { started_at, at, exit, message } => {
            object["startedAt"] = optional(*started_at);
            object["endedAt"] = instant(*at).into();
            object["exit"] = exit.as_ref().map_or(Value::Null, self::exit);
            object["message"] = message.as_str().into();
            "ended"
        }
    };
    object["state"] = word.into();
    object
}

/// How a command ended.
pub(crate) fn exit(exit: &Exit) -> Value {
    match exit {
        Exit::Code(code) => json!({"code": code}),
        Exit::Signal(signal) => json!({"signal": signal}),
        Exit::Killed => json!({"killed": true}),
        Exit::Failed { reason } => json!({"failed": reason}),
        Exit::CouldNotStart { reason } => json!({"couldNotStart": reason}),
    }
}

fn stretch(stretch: &Stretch) -> Value {
    let Stretch {
        sequence,
        incarnation: _, // Nothing of ours is named by it alone.
        job,
        verdict,
        reason,
        first_due_at,
        last_due_at,
        count,
        decided_at,
    } = stretch;
    json!({
        "kind": "stretch",
        "sequence": sequence,
        "job": job.as_str(),
        "verdict": verdict.as_str(),
        "reason": reason,
        "firstDueAt": instant(*first_due_at),
        "lastDueAt": instant(*last_due_at),
        "count": count,
        "decidedAt": instant(*decided_at),
    })
}

/// How far the parents of a job are.
pub(crate) fn round(job: &JobName, round: &RoundView) -> Value {
    let RoundView { terms, standing } = round;
    let parents = standing.iter().flat_map(|standing| &standing.parents).map(parent);
    json!({
        "job": job.as_str(),
        "triggerRule": terms.as_ref().map(|terms| terms.rule.as_str()),
        "join": terms.as_ref().map(|terms| terms.join.as_str()),
        "waitsFor": standing.as_ref().map(|standing| standing.message.as_str()),
        "parents": parents.collect::<Value>(),
    })
}

fn parent(parent: &ParentStanding) -> Value {
    let ParentStanding { name, is_disabled, next_due, done, suffices } = parent;
    let done = done.as_ref().map(|done| {
        let Contribution { parent: _, successes, failures, kills, run, due_at, at, source: _ } =
            done;
        json!({
            "successes": successes,
            "failures": failures,
            "kills": kills,
            "run": run.to_string(),
            "dueAt": instant(*due_at),
            "at": instant(*at),
        })
    });
    json!({
        "name": name.as_str(),
        "disabled": is_disabled,
        "nextDue": optional(*next_due),
        "sufficient": suffices,
        "done": done,
    })
}

/// What this process is.
pub(crate) fn info(info: &Info) -> Value {
    let Info {
        version,
        node,
        listening,
        zones,
        launcher,
        launcher_problem,
        framework,
        master,
        roles,
        audit_problem,
        job_files,
        clock,
        paused,
        jobs,
        live_runs,
        pending_runs,
    } = info;
    json!({
        "version": version,
        "node": node,
        "listening": listening,
        "zoneData": zone_data(zones),
        "launcher": {
            "kind": launcher,
            "state": if launcher_problem.is_none() { "connected" } else { "gone" },
            "problem": launcher_problem,
            "framework": framework,
            "master": master,
            "roles": roles,
        },
        "audit": {
            "state": if audit_problem.is_none() { "recording" } else { "failing" },
            "problem": audit_problem,
        },
        "jobFiles": job_files.as_ref().map(job_files_of),
        "clock": clock.as_ref().map(doubt),
        "paused": paused.as_ref().map(pause),
        "counts": {"jobs": jobs, "liveRuns": live_runs, "pendingRuns": pending_runs},
    })
}

fn job_files_of(view: &JobFilesView) -> Value {
    let JobFilesView {
        directory,
        source,
        is_watched,
        is_pruning,
        read_at,
        problem_count,
        problems,
    } = view;
    json!({
        "directory": directory,
        "source": source,
        "watched": is_watched,
        "prunes": is_pruning,
        "readAt": instant(*read_at),
        "problemCount": problem_count,
        "problems": problems,
    })
}

fn doubt(doubt: &Doubt) -> Value {
    let Doubt { since: _, expected, shown } = doubt;
    json!({"expected": instant(*expected), "shown": instant(*shown)})
}

/// That nothing comes of itself: until when, and who wanted it.
pub(crate) fn pause(pause: &Pause) -> Value {
    let Pause { by, until } = pause;
    json!({"until": optional(*until), "by": intervention(by)})
}

fn zone_data(zones: &ZoneInfo) -> Value {
    let ZoneInfo { version, source, is_pinned, bundled, host } = zones;
    json!({
        "version": version,
        "source": source,
        "pinned": is_pinned,
        "bundled": bundled,
        "host": host,
    })
}

/// What is to come from `from` on and before `to`.
///
/// Counted by the hour if `is_by_hour`, else by the minute.
pub(crate) fn forecast(
    from: Timestamp,
    to: Timestamp,
    forecast: &Forecast,
    is_by_hour: bool,
) -> Value {
    let Forecast { starts, minutes, hours, crowded, total, complete, clock_changes } = forecast;
    let shown = |all: &[Minute], key: &str, is_shown: bool| -> Value {
        all.iter().filter(|_| is_shown).map(|one| minute(one, key)).collect()
    };
    json!({
        "from": instant(from),
        "to": instant(to),
        "starts": starts.iter().map(start).collect::<Value>(),
        "perMinute": shown(minutes, "minute", !is_by_hour),
        "perHour": shown(hours, "hour", is_by_hour),
        "total": total,
        "complete": complete,
        "crowded": crowded.as_ref().map(|crowded| {
            json!({"minute": instant(crowded.at), "count": crowded.count})
        }),
        "clockChanges": clock_changes.iter().map(clock_change).collect::<Value>(),
    })
}

fn start(start: &Start) -> Value {
    let Start { job, opening: Opening { due_at, opens_at }, local } = start;
    json!({
        "job": job.as_str(),
        "dueAt": instant(*due_at),
        "opensAt": instant(*opens_at),
        "local": local,
    })
}

fn minute(minute: &Minute, key: &str) -> Value {
    let Minute { at, count, jobs } = minute;
    let jobs: Vec<&str> = jobs.iter().map(JobName::as_str).collect();
    json!({key: instant(*at), "count": count, "jobs": jobs})
}

fn clock_change((zone, change): &(String, ClockChange)) -> Value {
    let ClockChange { at, before, after } = change;
    json!({"zone": zone, "at": instant(*at), "beforeOffset": before, "afterOffset": after})
}
