//! How a run moves on as its tasks report, and as its own times come.
//!
//! The life of an attempt, by what it is and what the launcher says. `–` changes nothing.
//!
//! | attempt is | running | ended | never launched | in doubt |
//! |---|---|---|---|---|
//! | launching | running | ended | taken back, the run is pending again | ended, the run is lost |
//! | running | – | ended | ended, the run is lost | ended, the run is lost |
//! | stopping | asked to stop again | ended | ended, never started | ended, the run is lost |
//! | unknown to us | noted | acknowledged | – | acknowledged |
//!
//! The same attempt is launched a second time only after *never launched*, by which the launcher says that it has
//! forgotten nothing; and only once for each time that it is asked after everything, as the same answer may come twice. Every doubt ends the run as lost: perhaps skipping is repairable by a person, doing something
//! twice is not.

use crate::model::{
    Attempt, AttemptState, Exit, JobStats, Overlap, Run, RunId, RunState, StopReason, TaskReport,
    TaskStatus, Timestamp, Trigger, Verdict, limits,
};

use super::decision::{Change, Effect};
use super::due::start_deadline;
use super::entry::JobEntry;
use super::{Step, bounded};

/// Moves on what a task report is about.
pub(super) fn decide_report(step: &mut Step<'_>, report: &TaskReport) {
    let Some(run) = step.state.run_of_task(&report.task_id) else {
        return stranger(step, report);
    };
    let Some(attempt) = run.live_attempt() else {
        return stranger(step, report);
    };
    match &report.status {
        TaskStatus::Running { started_at } => running(step, run, attempt, *started_at),
        TaskStatus::Ended { exit, started_at, ended_at } => {
            let started_at = started_at.or_else(|| started_at_of(attempt));
            end_attempt(step, run, Some(exit), started_at, *ended_at);
        }
        TaskStatus::NeverLaunched => never_launched(step, run, attempt),
        TaskStatus::InDoubt { reason } => in_doubt(step, run, attempt, reason),
    }
}

/// Moves on the runs whose own times have come: retries and time-outs.
pub(super) fn decide_times(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.retriable(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        let mut run = run.clone();
        // A retry is bounded by no window: the obligation was taken up in time.
        let entry = state.incarnation(run.id.incarnation);
        let deadline = entry.and_then(|entry| deadline_again(entry, &run, step.now.wall));
        run.state = RunState::Pending { deadline };
        step.change(Change::RunStored(Box::new(run)));
    }
    for run in state.overlong(step.now.boot).take(limits::DUE_PER_STEP_MAX) {
        stop_attempt(step, run, StopReason::TimedOut);
    }
}

/// Asks the launcher to stop the live attempt of `run`.
pub(super) fn stop_attempt(step: &mut Step<'_>, run: &Run, wanted: StopReason) {
    let mut run = run.clone();
    let Some(attempt) = run.attempts.last_mut() else { return };
    let started_at = started_at_of(attempt);
    // The first reason stands: a run that a person stopped did not time out. But one that timed out is not tried again
    // once a person wants it stopped.
    let why = match attempt.state {
        AttemptState::Stopping { why, .. } if why != StopReason::TimedOut => why,
        AttemptState::Stopping { .. }
        | AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Ended { .. } => wanted,
    };
    attempt.state = AttemptState::Stopping { started_at, why };
    let task_id = attempt.task_id.clone();
    step.change(Change::RunStored(Box::new(run)));
    step.effect(Effect::Kill { task_id, grace: step.state.settings.kill_grace });
}

/// Ends a run that has no live attempt, and lets the job's queue move on.
pub(super) fn end_run(
    step: &mut Step<'_>,
    run: Run,
    verdict: Verdict,
    at: Timestamp,
    reason: String,
) {
    let ended = run.id;
    end_run_alone(step, run, verdict, at, reason);
    if let Some(entry) = step.state.incarnation(ended.incarnation) {
        advance_queue(step, entry, ended);
    }
}

/// Ends a run that has no live attempt, and no other run of its job moves on: they are all being ended.
pub(super) fn end_run_alone(
    step: &mut Step<'_>,
    mut run: Run,
    verdict: Verdict,
    at: Timestamp,
    reason: String,
) {
    let about = if reason.is_empty() {
        format!("run {} {}", run.id, verdict.as_str())
    } else {
        format!("run {} {}: {reason}", run.id, verdict.as_str())
    };
    match verdict {
        Verdict::Succeeded => step.note(&run.job, about),
        Verdict::Failed
        | Verdict::Missed
        | Verdict::Skipped
        | Verdict::Killed
        | Verdict::Lost
        | Verdict::Superseded => step.warn(Some(&run.job), about),
    }
    run.state = RunState::Ended { verdict, at, reason };
    step.ended.insert(run.id);
    let entry = step.state.incarnation(run.id.incarnation);
    step.change(Change::RunStored(Box::new(run.clone())));
    if let Some(entry) = entry {
        count(step, entry, &run, verdict, at);
    }
}

/// A task we know no live attempt of: of a run that has ended, or of a state older than what is stored now.
fn stranger(step: &mut Step<'_>, report: &TaskReport) {
    match &report.status {
        // Either its end is committed already and the acknowledgement was lost, or it was never ours. Nothing is owed.
        TaskStatus::Ended { .. } | TaskStatus::InDoubt { .. } => {
            step.effect(Effect::Acknowledge(report.task_id.clone()))
        }
        // Left alone: it may be somebody's payroll. Its end will be acknowledged.
        TaskStatus::Running { .. } => step.warn(
            None,
            format!("the launcher runs task `{}`, which belongs to no live run", report.task_id),
        ),
        TaskStatus::NeverLaunched => {}
    }
}

fn running(step: &mut Step<'_>, run: &Run, attempt: &Attempt, started_at: Timestamp) {
    match &attempt.state {
        AttemptState::Running { stop_at: Some(_), .. } => {}
        AttemptState::Running { stop_at: None, .. } | AttemptState::Launching => {
            let stop_at = step
                .state
                .incarnation(run.id.incarnation)
                .and_then(|entry| stop_at(step, entry, started_at));
            if attempt.state == (AttemptState::Running { started_at, stop_at }) {
                return;
            }
            let mut run = run.clone();
            if let Some(attempt) = run.attempts.last_mut() {
                attempt.state = AttemptState::Running { started_at, stop_at };
            }
            step.change(Change::RunStored(Box::new(run)));
        }
        // It runs although it was to be stopped: the request to stop it may have been lost with the process that made
        // it, so it is made again.
        AttemptState::Stopping { started_at: None, why } => {
            let mut run = run.clone();
            if let Some(attempt) = run.attempts.last_mut() {
                attempt.state = AttemptState::Stopping { started_at: Some(started_at), why: *why };
            }
            step.change(Change::RunStored(Box::new(run)));
            kill_again(step, attempt);
        }
        AttemptState::Stopping { started_at: Some(_), .. } => kill_again(step, attempt),
        AttemptState::Ended { .. } => {}
    }
}

fn kill_again(step: &mut Step<'_>, attempt: &Attempt) {
    let grace = step.state.settings.kill_grace;
    step.effect(Effect::Kill { task_id: attempt.task_id.clone(), grace });
}

/// The boot instant at which an attempt has had its time. What it ran before this process saw it counts.
fn stop_at(
    step: &Step<'_>,
    entry: &JobEntry,
    started_at: Timestamp,
) -> Option<crate::model::BootInstant> {
    let allowed = match entry.job.max_completion_secs {
        0 => return None,
        secs => crate::model::Duration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX)),
    };
    let had = step.now.wall.duration_since(started_at).max(crate::model::Duration::ZERO);
    Some(step.now.boot.saturating_add(allowed.saturating_sub(had)))
}

fn never_launched(step: &mut Step<'_>, run: &Run, attempt: &Attempt) {
    // Asked twice, the launcher says it twice; by the second time it has been launched anew, and may well have started.
    // Should that launch be lost too, the next connection tells.
    if step.state.is_denied(&attempt.task_id) {
        return step.note(&run.job, format!("run {}: an answer to an older question", run.id));
    }
    match &attempt.state {
        AttemptState::Launching => {
            // Nothing ever started under this task id, and the launcher would know. The attempt is taken back; if it
            // is placed again it gets the same task id, so that even a launch still on its way starts it only once.
            let mut run = run.clone();
            run.attempts.pop();
            step.note(&run.job, format!("run {}: its launch never reached the launcher", run.id));
            let Some(entry) = step.state.incarnation(run.id.incarnation) else {
                let reason = "its job was deleted before it started".to_owned();
                return end_run(step, run, Verdict::Killed, step.now.wall, reason);
            };
            let deadline = deadline_again(entry, &run, attempt.launched_at);
            run.state = RunState::Pending { deadline };
            step.change(Change::RunStored(Box::new(run)));
        }
        AttemptState::Running { .. } => in_doubt(
            step,
            run,
            attempt,
            "it was running, and the launcher no longer knows of it: its records were lost",
        ),
        AttemptState::Stopping { started_at: Some(_), .. } => in_doubt(
            step,
            run,
            attempt,
            "it was being stopped, and the launcher no longer knows of it: its records were lost",
        ),
        AttemptState::Stopping { started_at: None, .. } => {
            end_attempt(step, run, Some(&Exit::Killed), None, step.now.wall);
        }
        AttemptState::Ended { .. } => {}
    }
}

/// The end of the start window of a run that is to be launched though it was once decided already, at `launched_at`.
fn deadline_again(entry: &JobEntry, run: &Run, launched_at: Timestamp) -> Option<Timestamp> {
    if !run.attempts.is_empty() {
        return None;
    }
    let deadline = start_deadline(&run.trigger, entry.job.epsilon.span)?;
    // What was launched after its window had waited in the queue, which no window bounds.
    let has_queued = matches!(entry.job.overlap, Overlap::Queue { .. }) && deadline < launched_at;
    (!has_queued).then_some(deadline)
}

fn in_doubt(step: &mut Step<'_>, run: &Run, attempt: &Attempt, reason: &str) {
    end_attempt_with(step, run, None, started_at_of(attempt), step.now.wall, bounded(reason));
}

/// Ends the live attempt and decides what becomes of the run.
fn end_attempt(
    step: &mut Step<'_>,
    run: &Run,
    exit: Option<&Exit>,
    started_at: Option<Timestamp>,
    ended_at: Timestamp,
) {
    let message = exit.map(describe).unwrap_or_default();
    end_attempt_with(step, run, exit, started_at, ended_at, message);
}

fn end_attempt_with(
    step: &mut Step<'_>,
    run: &Run,
    exit: Option<&Exit>,
    started_at: Option<Timestamp>,
    ended_at: Timestamp,
    message: String,
) {
    let mut run = run.clone();
    let Some(attempt) = run.attempts.last_mut() else { return };
    let why_stopping = match attempt.state {
        AttemptState::Stopping { why, .. } => Some(why),
        AttemptState::Launching | AttemptState::Running { .. } | AttemptState::Ended { .. } => None,
    };
    let task_id = attempt.task_id.clone();
    let index = attempt.index;
    let message = match why_stopping {
        Some(why) if exit == Some(&Exit::Killed) => stopped(why).to_owned(),
        Some(_) | None => message,
    };
    attempt.state = AttemptState::Ended {
        started_at,
        at: ended_at,
        exit: exit.cloned(),
        message: message.clone(),
    };
    // Crash before this is committed: the launcher was not told, so it reports the end again.
    match (exit, why_stopping) {
        (None, _) => end_run(step, run, Verdict::Lost, ended_at, message),
        (Some(Exit::Code(0)), _) => {
            end_run(step, run, Verdict::Succeeded, ended_at, String::new());
        }
        (Some(Exit::Killed), Some(StopReason::Superseded)) => {
            end_run(step, run, Verdict::Superseded, ended_at, message);
        }
        (Some(Exit::Killed), Some(StopReason::Requested | StopReason::JobDeleted) | None) => {
            end_run(step, run, Verdict::Killed, ended_at, message);
        }
        // It failed by itself while it was being stopped for good: nobody wants another attempt.
        (
            Some(Exit::Code(_) | Exit::Signal(_) | Exit::CouldNotStart { .. }),
            Some(StopReason::Requested | StopReason::JobDeleted | StopReason::Superseded),
        ) => end_run(step, run, Verdict::Failed, ended_at, message),
        (Some(Exit::Killed), Some(StopReason::TimedOut))
        | (
            Some(Exit::Code(_) | Exit::Signal(_) | Exit::CouldNotStart { .. }),
            Some(StopReason::TimedOut) | None,
        ) => {
            fail_or_retry(step, run, index, ended_at, message);
        }
    }
    step.effect(Effect::Acknowledge(task_id));
}

fn fail_or_retry(step: &mut Step<'_>, mut run: Run, index: u32, at: Timestamp, message: String) {
    let retries = step
        .state
        .incarnation(run.id.incarnation)
        .map_or(0, |entry| entry.job.retries.clamp(0, limits::RETRIES_MAX));
    if i64::from(index) >= retries {
        return end_run(step, run, Verdict::Failed, at, message);
    }
    let delay = step.state.settings.retry_delay;
    let retry_at = step.now.wall.saturating_add(delay).unwrap_or(Timestamp::MAX);
    step.warn(
        Some(&run.job),
        format!("run {} failed ({message}); attempt {} starts at {retry_at:.3}", run.id, index + 1),
    );
    run.state = RunState::Waiting { retry_at };
    step.change(Change::RunStored(Box::new(run)));
}

fn count(step: &mut Step<'_>, entry: &JobEntry, run: &Run, verdict: Verdict, at: Timestamp) {
    let mut stats: JobStats = entry.stats.clone();
    match verdict {
        Verdict::Succeeded => {
            stats.success_count = stats.success_count.saturating_add(1);
            stats.errors_since_last_success = 0;
            stats.last_success = format!("{at:.3}");
        }
        Verdict::Failed | Verdict::Lost => {
            stats.error_count = stats.error_count.saturating_add(1);
            stats.errors_since_last_success = stats.errors_since_last_success.saturating_add(1);
            stats.last_error = format!("{at:.3}");
        }
        Verdict::Missed | Verdict::Skipped | Verdict::Killed | Verdict::Superseded => return,
    }
    step.change(Change::Counted { incarnation: entry.incarnation, stats });
    if verdict == Verdict::Succeeded && is_exhausted(entry, run) && !entry.job.disabled {
        step.note(&entry.job.name, "all its occurrences have run; it is disabled".to_owned());
        step.change(Change::Disabled { incarnation: entry.incarnation });
    }
}

/// Whether the schedule that triggered `run` has nothing left, as Chronos asks after a success.
fn is_exhausted(entry: &JobEntry, run: &Run) -> bool {
    let is_scheduled = match run.trigger {
        Trigger::Schedule { .. } | Trigger::CatchUp { .. } => true,
        Trigger::Manual { .. } => false,
    };
    is_scheduled && entry.is_exhausted()
}

/// The oldest queued run of the job becomes pending once nothing else of it is live.
fn advance_queue(step: &mut Step<'_>, entry: &JobEntry, ended: RunId) {
    let others: Vec<&Run> = step
        .state
        .live_runs(entry.incarnation)
        .filter(|run| run.id != ended && !step.ended.contains(&run.id))
        .collect();
    if others.iter().any(|run| run.state != RunState::Queued) {
        return;
    }
    if let Some(&next) = others.first() {
        let mut next = next.clone();
        next.state = RunState::Pending { deadline: None };
        step.change(Change::RunStored(Box::new(next)));
    }
}

fn started_at_of(attempt: &Attempt) -> Option<Timestamp> {
    match attempt.state {
        AttemptState::Running { started_at, .. } => Some(started_at),
        AttemptState::Stopping { started_at, .. } | AttemptState::Ended { started_at, .. } => {
            started_at
        }
        AttemptState::Launching => None,
    }
}

fn describe(exit: &Exit) -> String {
    match exit {
        Exit::Code(0) => String::new(),
        Exit::Code(code) => format!("the command ended with exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal} ended the command"),
        Exit::Killed => "it was stopped".to_owned(),
        Exit::CouldNotStart { reason } => bounded(reason),
    }
}

const fn stopped(why: StopReason) -> &'static str {
    match why {
        StopReason::Requested => "it was stopped on request",
        StopReason::TimedOut => {
            "it was stopped because it ran longer than `maxCompletionTime` allows"
        }
        StopReason::JobDeleted => "it was stopped because its job was deleted",
        StopReason::Superseded => "it was stopped because a later run takes its place",
    }
}
