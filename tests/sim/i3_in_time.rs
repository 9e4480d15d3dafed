//! I3: nothing starts before it is due, and no first attempt is decided after its window.

use chronode::model::{AttemptState, Duration, Overlap, Run, TaskId, Timestamp, Trigger};

use super::record::Record;

/// At the start of a task. `latest_wall` is the latest that the wall clock ever showed: somebody may have set it back
/// between the decision and the start.
pub(crate) fn check_start(
    record: &mut Record,
    task_id: &TaskId,
    due_at: Timestamp,
    latest_wall: Timestamp,
) {
    if latest_wall < due_at {
        record.violations.push(format!("I3: `{task_id}` starts at {latest_wall}, due {due_at}"));
    }
}

/// At the commit of a run.
pub(crate) fn check_launch(record: &mut Record, run: &Run) {
    let Trigger::Schedule { due_at, .. } = run.trigger else { return };
    let [attempt] = &run.attempts[..] else { return };
    if attempt.state != AttemptState::Launching {
        return;
    }
    let waits = |overlap| matches!(overlap, Overlap::Queue { .. });
    // A run that waited in a queue has no window any more.
    if record.spec_of(run.id.incarnation).any(|spec| waits(spec.overlap)) {
        return;
    }
    let longest = record.spec_of(run.id.incarnation).map(|spec| spec.epsilon).max().unwrap_or(0);
    let closes_at = due_at.saturating_add(Duration::from_micros(longest)).unwrap_or(due_at);
    if attempt.launched_at < due_at || attempt.launched_at > closes_at {
        let at = attempt.launched_at;
        record.violations.push(format!("I3: run {} is launched at {at}, due {due_at}", run.id));
    }
}
