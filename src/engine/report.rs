//! What is said of runs by others than the launcher: how a task ended, how far it is, that a job counts as done.
//!
//! A job may know how its work ended later or better than the launcher, which sees one process only (`async`); then the
//! run goes on until the job says so, or until the time that it has is over. What is said before the process has ended
//! counts when it ends.

use crate::model::{
    Alarm, BootInstant, Exit, JobName, Run, RunState, StopReason, TaskId, Timestamp, Trigger,
    Verdict,
};

use super::event::{Rejection, RejectionCode, Reply};
use super::intake::{Intake, New};
use super::transition::{End, Happening, Move, Reported, RunStanding, Settled, moved, settled};
use super::{Step, admin, alive, status};

/// Takes down what a job says of how a task of it ended. Returns whether a live run has such a task.
pub(super) fn complete(step: &mut Step<'_>, task_id: &TaskId, status_code: i64) -> bool {
    let Some(run) = step.state.run_that_may_report(task_id) else { return false };
    let Some(standing) = RunStanding::of(run) else { return false };
    let what = moved(standing, Happening::Reported);
    let mut run = run.clone();
    let Some(attempt) = run.attempts.last_mut() else { return false };
    match what {
        Move::Remembers => {
            attempt.reported = Some(status_code);
            step.note(&run.job, format!("run {}: {}", run.id, said(status_code)));
            step.store_run(run);
        }
        Move::Settles => {
            attempt.reported = Some(status_code);
            let at = step.now.wall;
            let (end, message) = if status_code == 0 {
                (End::Well, String::new())
            } else {
                (End::Badly, said(status_code))
            };
            status::decide_fate(step, run, end, None, at, message);
        }
        Move::None
        | Move::Missed
        | Move::Pending
        | Move::EndsUnknown
        | Move::StopsAttempt
        | Move::Ends
        | Move::EndsUnreported => return false,
    }
    true
}

fn said(status_code: i64) -> String {
    if status_code == 0 {
        "its job reported success".to_owned()
    } else {
        format!("its job reported status code {status_code}")
    }
}

/// Decides what becomes of a run whose last attempt has just ended, with what its job said of that.
pub(super) fn settle(
    step: &mut Step<'_>,
    mut run: Run,
    end: End,
    why: Option<StopReason>,
    at: Timestamp,
    message: String,
) {
    let entry = step.state.incarnation(run.id.incarnation);
    let code = run.attempts.last().and_then(|attempt| attempt.reported);
    let reported = match code {
        Some(0) => Reported::Well,
        Some(_) => Reported::Badly,
        None if entry.is_some_and(|entry| entry.job.is_async) => Reported::NotYet,
        None => Reported::Nothing,
    };
    match settled(end, why.is_some(), reported) {
        Settled::As(settled) if settled == end => {
            status::decide_fate(step, run, end, why, at, message)
        }
        Settled::As(End::Badly) => {
            status::decide_fate(step, run, End::Badly, why, at, said(code.unwrap_or_default()));
        }
        Settled::As(End::Stopped) => {
            let message = why.map(status::stopped).unwrap_or_default().to_owned();
            status::decide_fate(step, run, End::Stopped, why, at, message);
        }
        Settled::As(end @ (End::Well | End::Unknown(_))) => {
            status::decide_fate(step, run, end, why, at, message);
        }
        Settled::Awaited => {
            let started_at = run.attempts.last().and_then(status::started_at_of);
            let boot =
                entry.and_then(|entry| alive::stop_at(step, entry, started_at.unwrap_or(at)));
            let left = |boot: BootInstant| boot.since(step.now.boot);
            let until = boot.map(|boot| Alarm {
                at: step.now.wall.saturating_add(left(boot)).unwrap_or(Timestamp::MAX),
                boot: Some(boot),
            });
            run.state = RunState::Reporting { until };
            step.note(
                &run.job,
                format!("run {}: its command ended; its job has to say how it went", run.id),
            );
            step.store_run(run);
        }
    }
}

/// What the terms of retries see of an end that the launcher did not call a failure.
pub(super) fn as_exit(reported: Option<i64>) -> Exit {
    match reported {
        Some(code) => Exit::Code(i32::try_from(code).unwrap_or(i32::MAX)),
        // It was not heard of in the time it had.
        None => Exit::Killed,
    }
}

/// Counts what a task says to have processed.
pub(super) fn progress(
    step: &mut Step<'_>,
    name: &JobName,
    task_id: &TaskId,
    elements: u64,
) -> Result<Reply, Rejection> {
    let entry = admin::find(step, name)?;
    if !entry.job.data_processing {
        return Err(Rejection {
            code: RejectionCode::InvalidField,
            message: format!("job '{name}' is not enabled to track data"),
            field: "dataProcessingJobType".into(),
            position: None,
            remedy: "set `dataProcessingJobType` of the job to true".to_owned(),
        });
    }
    let run = step.state.run_that_may_report(task_id);
    let Some(run) = run.filter(|run| run.id.incarnation == entry.incarnation) else {
        return Err(Rejection {
            code: RejectionCode::UnknownTask,
            message: format!("task '{task_id}' of job '{name}' not found among those that run"),
            field: "taskId".into(),
            position: None,
            remedy: "give the id that the task has in `mesos_task_id`, while it runs".to_owned(),
        });
    };
    let mut run = run.clone();
    let mut total = elements;
    if let Some(attempt) = run.attempts.last_mut() {
        total = attempt.elements.unwrap_or_default().saturating_add(elements);
        attempt.elements = Some(total);
    }
    step.store_run(run);
    Ok(Reply::Progressed { elements: total })
}

const MARKED: &str = "nobody executed it: it was marked as successful on request";

/// Counts a run of a job as succeeded that nobody executed. It stands in the history, and children hear of it.
pub(super) fn mark_successful(step: &mut Step<'_>, name: &JobName) -> Result<Reply, Rejection> {
    let entry = admin::find(step, name)?;
    let mut intake = Intake::new(step, entry);
    let now = step.now.wall;
    let new = New::of(Trigger::Manual { due_at: now, at: now });
    let id = intake.add(step, RunState::Pending { deadline: None }, new);
    // As if it had run after what its parents have done so far.
    intake.progress.rounds.clear();
    intake.store(step);
    let Some(run) = step.stored(id).cloned() else { return Ok(Reply::Marked { run: id }) };
    status::end_run_alone(step, run, Verdict::Succeeded, step.now.wall, MARKED.to_owned());
    Ok(Reply::Marked { run: id })
}
