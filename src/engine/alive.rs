//! An attempt is heard to be alive: it is being prepared, it runs, it still runs although it was to be stopped.

use crate::model::{Attempt, AttemptState, BootInstant, Duration, Run, Timestamp};

use super::Step;
use super::decision::Effect;
use super::entry::JobEntry;
use super::status::grace;

pub(super) fn runs(step: &mut Step<'_>, run: &Run, attempt: &Attempt, started_at: Timestamp) {
    let state = match &attempt.state {
        AttemptState::Running { stop_at: Some(_), .. } => return,
        // It was to be stopped when it was lost sight of.
        AttemptState::Unknown { why: Some(why), .. } => {
            let task_id = attempt.task_id.clone();
            step.effect(Effect::Kill { task_id, grace: grace(step, run) });
            AttemptState::Stopping { started_at: Some(started_at), why: *why }
        }
        AttemptState::Launching
        | AttemptState::Running { stop_at: None, .. }
        | AttemptState::Unknown { why: None, .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Ended { .. } => {
            let entry = step.state.incarnation(run.id.incarnation);
            let stop_at = entry.and_then(|entry| stop_at(step, entry, started_at));
            AttemptState::Running { started_at, stop_at }
        }
    };
    if attempt.state == state {
        return;
    }
    let mut run = run.clone();
    if let Some(attempt) = run.attempts.last_mut() {
        attempt.state = state;
    }
    step.store_run(run);
}

/// The launcher prepares its start: that it is unknown can no longer mean that it never was.
pub(super) fn staged(step: &mut Step<'_>, run: &Run, attempt: &Attempt) {
    let state = match &attempt.state {
        // It was to be stopped when it was lost sight of.
        AttemptState::Unknown { why: Some(why), started_at, .. } => {
            let task_id = attempt.task_id.clone();
            step.effect(Effect::Kill { task_id, grace: grace(step, run) });
            AttemptState::Stopping { started_at: *started_at, why: *why }
        }
        AttemptState::Unknown { why: None, .. } => AttemptState::Launching,
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Ended { .. } => attempt.state.clone(),
    };
    if attempt.is_staged && attempt.state == state {
        return;
    }
    let mut run = run.clone();
    if let Some(attempt) = run.attempts.last_mut() {
        attempt.is_staged = true;
        attempt.state = state;
    }
    step.store_run(run);
}

pub(super) fn stops_again(
    step: &mut Step<'_>,
    run: &Run,
    attempt: &Attempt,
    started_at: Option<Timestamp>,
) {
    if let AttemptState::Stopping { started_at: None, why } = attempt.state
        && (started_at.is_some() || !attempt.is_staged)
    {
        let mut run = run.clone();
        if let Some(attempt) = run.attempts.last_mut() {
            attempt.is_staged |= started_at.is_none();
            attempt.state = AttemptState::Stopping { started_at, why };
        }
        step.store_run(run);
    }
    step.effect(Effect::Kill { task_id: attempt.task_id.clone(), grace: grace(step, run) });
}

/// The boot instant at which an attempt has had its time. What it ran before this process saw it counts.
pub(super) fn stop_at(
    step: &Step<'_>,
    entry: &JobEntry,
    started_at: Timestamp,
) -> Option<BootInstant> {
    let allowed = match entry.job.max_completion_secs {
        0 => return None,
        secs => Duration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX)),
    };
    let had = step.now.wall.duration_since(started_at).max(Duration::ZERO);
    Some(step.now.boot.saturating_add(allowed.saturating_sub(had)))
}
