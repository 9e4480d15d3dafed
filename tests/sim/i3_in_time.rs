//! I3: no window opens before its occurrence is due or after the next one is, nothing starts before its window opens,
//! and no first attempt is decided after its window.

use chronode::model::{AttemptState, Duration, Run, TaskId, Timestamp, Trigger};

use super::record::Record;
use super::rule::Terms;
use super::spec::Spec;

/// At the start of a task. `latest_wall` is the latest that the wall clock ever showed: somebody may have set it back
/// between the decision and the start.
pub(crate) fn check_start(
    record: &mut Record,
    task_id: &TaskId,
    opens_at: Timestamp,
    latest_wall: Timestamp,
) {
    if latest_wall < opens_at {
        let line = format!("I3: `{task_id}` starts at {latest_wall}, its window opens {opens_at}");
        record.violations.push(line);
    }
}

/// At the commit of a run: its window opens as one of the job's definitions allows, and never moves.
pub(crate) fn check_opening(record: &mut Record, run: &Run) {
    let Trigger::Schedule { due_at, opens_at } = run.trigger else { return };
    let known = *record.opens.entry(run.id).or_insert(opens_at);
    let allows = |terms: &Terms| {
        let occurrence = terms.occurrence(due_at.as_millisecond());
        occurrence.is_some_and(|occurrence| {
            (occurrence.due..=occurrence.opens_by).contains(&opens_at.as_millisecond())
        })
    };
    let is_allowed = record.terms_of(run.id.incarnation).any(allows);
    if !is_allowed || known != opens_at {
        record.violations.push(format!(
            "I3: the window of run {} opens {opens_at}, due {due_at}, at first {known}",
            run.id
        ));
    }
}

/// At the commit of a run.
pub(crate) fn check_launch(record: &mut Record, run: &Run) {
    let Trigger::Schedule { opens_at, .. } = run.trigger else { return };
    let [attempt] = &run.attempts[..] else { return };
    if attempt.state != AttemptState::Launching {
        return;
    }
    // A run that waited for others has no window any more.
    if record.spec_of(run.id.incarnation).any(Spec::waits) {
        return;
    }
    let longest = record.spec_of(run.id.incarnation).map(|spec| spec.epsilon).max().unwrap_or(0);
    let closes_at = opens_at.saturating_add(Duration::from_micros(longest)).unwrap_or(opens_at);
    if attempt.launched_at < opens_at || attempt.launched_at > closes_at {
        let at = attempt.launched_at;
        record
            .violations
            .push(format!("I3: run {} is launched at {at}, its window opens {opens_at}", run.id));
    }
}
