//! Backfills: a job is run once more for instants of the past, a few at once, in an order.
//!
//! The instants are fixed when a backfill begins, so what was listed before is what is run. A run of it is begun whenever
//! fewer of them are live than may be, at the end of the decision that made the place: nothing waits for a timer, and a
//! crash between two of them loses none. Not earlier, as what made the place may be another run of the job that is about
//! to take it (`overlap: replace`).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Backfill, BackfillId, BackfillState, Incarnation, Intervention, JobName, Overlap, Run,
    StopReason, Trigger, Verdict, limits,
};

use super::decision::Change;
use super::entry::Timing;
use super::event::{BackfillDraft, Rejection, RejectionCode, Reply};
use super::intake::{Intake, New};
use super::{Step, admin, intake, status};

/// Begins a backfill.
pub(super) fn begin(step: &mut Step<'_>, draft: &BackfillDraft) -> Result<Reply, Rejection> {
    let entry = admin::find(step, &draft.name)?;
    admin::check_launched(step, entry)?;
    admin::check_arguments(entry, draft.arguments.as_deref())?;
    check(step, draft)?;
    if let Timing::Schedule(schedule) = &entry.timing
        && let Some(other) = draft.due.iter().find(|at| !schedule.names(**at))
    {
        let message = format!("the schedule of `{}` does not name {other:.3}", draft.name);
        return Err(Rejection {
            remedy: "give instants that it names, or a range".to_owned(),
            ..admin::invalid("due", message)
        });
    }
    let id = BackfillId(step.next_sequence());
    let BackfillDraft { name, due, concurrency, stops_on_failure, arguments, environment, by } =
        draft.clone();
    step.note(&name, by.tell(&format!("began backfill {id} of {} instants", due.len())));
    forget_old(step);
    step.store_backfill(Backfill {
        id,
        incarnation: entry.incarnation,
        job: name,
        by,
        due,
        concurrency,
        stops_on_failure,
        arguments,
        environment,
        begun: 0,
        ended: BTreeMap::new(),
        state: BackfillState::Going,
    });
    step.ready_backfills.insert(id);
    Ok(Reply::Backfilled { id })
}

fn check(step: &Step<'_>, draft: &BackfillDraft) -> Result<(), Rejection> {
    let refused = |field: &'static str, message: String, remedy: &str| {
        Err(Rejection { remedy: remedy.to_owned(), ..admin::invalid(field, message) })
    };
    let count = draft.due.len();
    if count == 0 {
        return refused("due", "there is no instant to run for".to_owned(), "give a longer range");
    }
    if count > limits::BACKFILL_MAX {
        let most = limits::BACKFILL_MAX;
        let message = format!("{count} instants are more than the {most} of one backfill");
        return refused("due", message, "give the range in parts");
    }
    if draft.due.iter().collect::<BTreeSet<_>>().len() < count {
        return refused("due", "an instant is given twice".to_owned(), "give each once");
    }
    if let Some(future) = draft.due.iter().find(|at| **at > step.now.wall) {
        let message = format!("{future:.3} is still to come");
        return refused("due", message, "give instants of the past");
    }
    if !(1..=limits::BACKFILL_CONCURRENCY_MAX).contains(&draft.concurrency) {
        let message = format!("{} runs at once are none, or too many", draft.concurrency);
        let remedy = format!("give 1 to {}", limits::BACKFILL_CONCURRENCY_MAX);
        return refused("concurrency", message, &remedy);
    }
    Ok(())
}

/// Makes room among the backfills that are over.
fn forget_old(step: &mut Step<'_>) {
    let is_over =
        |backfill: &&Backfill| backfill.state != BackfillState::Going && backfill.live() == 0;
    let over: Vec<BackfillId> =
        step.state.backfills().filter(is_over).map(|backfill| backfill.id).collect();
    let too_many = (over.len() + 1).saturating_sub(limits::BACKFILLS_KEPT);
    for id in over.into_iter().take(too_many) {
        step.change(Change::BackfillRemoved { id });
    }
}

/// Begins no further run of a backfill, and has those that are live stopped if `is_killing`.
pub(super) fn cancel(
    step: &mut Step<'_>,
    name: &JobName,
    id: BackfillId,
    is_killing: bool,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let Some(backfill) = step.backfill(id).filter(|backfill| backfill.job == *name) else {
        return Err(Rejection {
            code: RejectionCode::UnknownRun,
            message: format!("backfill `{id}` not found"),
            field: "id".into(),
            position: None,
            remedy: "`backfills` lists those there are".to_owned(),
        });
    };
    let left = backfill.due.len() - backfill.begun;
    let is_going = backfill.state == BackfillState::Going;
    let incarnation = backfill.incarnation;
    if is_going {
        stop(step, id, by.tell("cancelled it"));
    }
    if is_killing {
        for run in live(step, incarnation, id) {
            status::stop_by(step, &run, StopReason::Requested, by);
        }
        if let Some(entry) = step.state.incarnation(incarnation) {
            intake::advance(step, entry, &entry.job);
        }
    }
    let count = if is_going { u64::try_from(left).unwrap_or(u64::MAX) } else { 0 };
    Ok(Reply::Dropped { count, left: 0 })
}

/// Cancels the backfills of a job that is about to be gone.
pub(super) fn drop_all(step: &mut Step<'_>, incarnation: Incarnation) {
    let of_job = |it: &&Backfill| it.incarnation == incarnation && it.state == BackfillState::Going;
    let going: Vec<BackfillId> = step.state.backfills().filter(of_job).map(|it| it.id).collect();
    for id in going {
        stop(step, id, "its job was deleted".to_owned());
    }
}

fn stop(step: &mut Step<'_>, id: BackfillId, reason: String) {
    let Some(backfill) = step.backfill(id).cloned() else { return };
    step.note(&backfill.job, format!("backfill {id} is cancelled: {reason}"));
    let at = step.now.wall;
    let state = BackfillState::Cancelled { at, reason };
    step.store_backfill(Backfill { state, ..backfill });
}

/// Counts the end of a run of a backfill, and begins the next.
pub(super) fn ended(step: &mut Step<'_>, run: &Run, verdict: Verdict) {
    let Trigger::Backfill { of: id, .. } = run.trigger else { return };
    let Some(mut backfill) = step.backfill(id).cloned() else { return };
    let count = backfill.ended.entry(verdict).or_default();
    *count = count.saturating_add(1);
    let stops = backfill.stops_on_failure && verdict != Verdict::Succeeded;
    let due_at = run.trigger.due_at();
    let (going, is_last) =
        (backfill.state == BackfillState::Going, backfill.begun == backfill.due.len());
    if going && is_last && backfill.live() == 0 {
        step.note(&backfill.job, format!("backfill {id} is done"));
        backfill.state = BackfillState::Done { at: step.now.wall };
    }
    step.store_backfill(backfill);
    if going && stops && !is_last {
        return stop(step, id, format!("its run for {due_at:.3} {}", verdict.as_str()));
    }
    step.ready_backfills.insert(id);
}

/// Begins what the step has made room for, in the order in which the backfills were recorded.
pub(super) fn advance_ready(step: &mut Step<'_>) {
    while let Some(id) = step.ready_backfills.pop_first() {
        advance(step, id);
    }
}

/// Begins runs of a backfill as long as fewer are live than may be: of a job that replaces one at a time, as each of its
/// runs would take the place of the one before.
fn advance(step: &mut Step<'_>, id: BackfillId) {
    let state = step.state;
    while let Some(backfill) = step.backfill(id).cloned() {
        let Some(entry) = state.incarnation(backfill.incarnation) else { return };
        let most = match entry.job.overlap {
            Overlap::Replace => 1,
            Overlap::Skip | Overlap::Queue { .. } | Overlap::Allow { .. } => backfill.concurrency,
        };
        let may_begin = backfill.state == BackfillState::Going && backfill.live() < u64::from(most);
        let (Some(due_at), true) = (backfill.due.get(backfill.begun).copied(), may_begin) else {
            return;
        };
        step.store_backfill(Backfill { begun: backfill.begun + 1, ..backfill.clone() });
        Intake::new(step, entry).ask(
            step,
            New {
                arguments: backfill.arguments,
                environment: backfill.environment,
                by: Some(backfill.by),
                ..New::of(Trigger::Backfill { of: id, due_at, at: step.now.wall })
            },
        );
    }
}

/// The runs of a backfill that are not over.
fn live(step: &Step<'_>, incarnation: Incarnation, id: BackfillId) -> Vec<Run> {
    let is_of = |run: &&Run| matches!(run.trigger, Trigger::Backfill { of, .. } if of == id);
    step.live_runs(incarnation).into_iter().filter(is_of).cloned().collect()
}
