//! Pending runs meet offers, or the end of their start window.
//!
//! The tally of what a step has assigned is a local value; the state moves only when the changes are applied. A run
//! that fits nowhere stays pending and stops nobody else; only one that has waited long and would fit on an agent with
//! nothing else on it gets that agent kept free, because small runs could otherwise pass it for ever.

use crate::model::{
    Alarm, Attempt, AttemptState, CatchUp, Duration, Run, RunState, TaskId, Timestamp, Trigger,
    Verdict, limits,
};
use crate::placement::{Assignment, Tally};
use crate::schedule::Schedule;

use super::decision::{Change, Effect};
use super::entry::{JobEntry, Timing};
use super::pause::{self, PAUSED};
use super::transition::{Happening, Move, RunStanding, moved};
use super::{State, Step, launch, status};

/// Ends the pending runs whose start window has closed, or lets them run late where the job catches up.
pub(super) fn decide_windows(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.overdue(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        let standing = RunStanding::of(run);
        if standing.is_none_or(|it| moved(it, Happening::WindowClosed) != Move::Missed) {
            continue;
        }
        // Something earlier in this step may have ended it.
        if step.stored(run.id).is_some_and(Run::is_ended) {
            continue;
        }
        let entry = step.state.incarnation(run.id.incarnation);
        if !run.attempts.is_empty() {
            status::end_late(step, run);
        } else if entry.is_some_and(|entry| pause::is_held(step, entry, run)) {
            let reason = PAUSED.to_owned();
            status::end_run(step, run.clone(), Verdict::Skipped, step.now.wall, reason);
        } else if let Some((entry, due_at)) = catches_up(step, run) {
            let mut run = run.clone();
            run.trigger = Trigger::CatchUp { due_at };
            run.start_deadline = None;
            run.state = RunState::Pending { deadline: None };
            step.store_run(run);
            match entry.job.catch_up {
                CatchUp::None => {}
                CatchUp::Latest => give_up_older_catch_ups(step, entry, due_at),
                CatchUp::All { max } => give_up_all_catch_ups_but(step, entry, max),
            }
        } else {
            let reason = why_not_started(step, run);
            status::end_run(step, run.clone(), Verdict::Missed, step.now.wall, reason);
        }
    }
}

/// Whether `run`, which found no offer in its window, is to be run late: its job catches up, and no later occurrence
/// stands for it. Returns the job and what the run is due at.
fn catches_up<'a>(step: &Step<'a>, run: &Run) -> Option<(&'a JobEntry, Timestamp)> {
    let due_at = occurrence(run)?;
    let entry = step.state.incarnation(run.id.incarnation)?;
    let stays = match entry.job.catch_up {
        CatchUp::None => false,
        CatchUp::Latest => {
            let has_next_come = entry.next.is_some_and(|next| next.opens_at <= step.now.wall);
            let is_later = |other: &&Run| occurrence(other).is_some_and(|at| at > due_at);
            !has_next_come && !step.live_runs(entry.incarnation).iter().any(is_later)
        }
        CatchUp::All { .. } => true,
    };
    stays.then_some((entry, due_at))
}

/// Only the latest of missed occurrences is run late: earlier ones that still wait for their first offer end here.
pub(super) fn give_up_older_catch_ups(step: &mut Step<'_>, entry: &JobEntry, due_at: Timestamp) {
    let older = |run: &&Run| is_unstarted_catch_up(run) && run.trigger.due_at() < due_at;
    let older: Vec<Run> =
        step.live_runs(entry.incarnation).into_iter().filter(older).cloned().collect();
    for run in older {
        give_up(step, run);
    }
}

/// Of the occurrences that are run late, `max` at most wait for their first offer: the earliest end here.
fn give_up_all_catch_ups_but(step: &mut Step<'_>, entry: &JobEntry, max: u32) {
    let live = step.live_runs(entry.incarnation);
    let mut waiting: Vec<Run> =
        live.into_iter().filter(|run| is_unstarted_catch_up(run)).cloned().collect();
    waiting.sort_by_key(|run| run.trigger.due_at());
    let most = usize::try_from(max).unwrap_or(usize::MAX);
    let too_many = waiting.len().saturating_sub(most);
    for run in waiting.into_iter().take(too_many) {
        give_up(step, run);
    }
}

fn is_unstarted_catch_up(run: &Run) -> bool {
    let waits = match run.state {
        RunState::Pending { .. } | RunState::Queued => run.attempts.is_empty(),
        RunState::Active
        | RunState::Waiting { .. }
        | RunState::Reporting { .. }
        | RunState::Ended { .. } => false,
    };
    waits && matches!(run.trigger, Trigger::CatchUp { .. })
}

fn give_up(step: &mut Step<'_>, run: Run) {
    let reason = "it could not be started, and a later occurrence is caught up instead";
    status::end_run(step, run, Verdict::Missed, step.now.wall, reason.to_owned());
}

/// The occurrence that a run stands for, if it stands for one.
const fn occurrence(run: &Run) -> Option<Timestamp> {
    match run.trigger {
        Trigger::Schedule { due_at, .. } | Trigger::CatchUp { due_at } => Some(due_at),
        Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

/// When the start window of the occurrence that a run stands for opens. Nothing of it is started before.
fn opens_at(entry: &JobEntry, run: &Run) -> Option<Timestamp> {
    let schedule = match &entry.timing {
        Timing::Schedule(schedule) => Some(schedule),
        Timing::Parents | Timing::Broken(_) => None,
    };
    // A start of the machine has happened, whatever the clock shows.
    if schedule.is_some_and(Schedule::is_at_boot) {
        return None;
    }
    match run.trigger {
        Trigger::Schedule { opens_at, .. } => Some(opens_at),
        Trigger::CatchUp { due_at } => {
            Some(schedule.map_or(due_at, |schedule| schedule.opens_at(due_at)))
        }
        Trigger::Manual { .. }
        | Trigger::Retry { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    }
}

fn why_not_started(step: &Step<'_>, run: &Run) -> String {
    let closed = "its start window closed before it could start";
    if let Some(reason) = step.state.launcher_gone() {
        return format!("{closed}: the launcher could not be reached ({reason})");
    }
    let Some(entry) = step.state.incarnation(run.id.incarnation) else {
        return format!("{closed}: its job was deleted");
    };
    match misfit(step.state, step.now.wall, run, entry) {
        None => format!("{closed}: Chronode came to it too late"),
        Some(why) => format!("{closed}: {why}"),
    }
}

/// Why a pending run fits on no agent now; `None` if it does.
pub(super) fn misfit(state: &State, now: Timestamp, run: &Run, entry: &JobEntry) -> Option<String> {
    let mut tally = Tally::new(state.offers(), state.used());
    // What is kept free for those before it was not there for this one.
    for other in state.pending().take_while(|other| other.id != run.id) {
        if let Some(other_entry) = state.incarnation(other.id.incarnation)
            && is_passed_for_long(now, other)
        {
            tally.keep_free(&other_entry.job.resources, other_entry.conditions());
        }
    }
    tally.assign(&entry.job.resources, entry.conditions()).err()
}

/// How long a run may be passed by others that fit where it does not.
pub(super) const PASSED_FOR: Duration = Duration::from_mins(10);

/// Matches pending runs with offers, most urgent first.
pub(super) fn decide_offers(step: &mut Step<'_>) {
    if !step.state.is_placement_due() {
        return;
    }
    let state = step.state;
    let mut tally = Tally::new(state.offers(), state.used());
    let mut placed = 0;
    for run in state.pending() {
        if placed == limits::PLACED_PER_STEP_MAX {
            // The flag stays up, so the next step goes on from here at once.
            return;
        }
        let Some(entry) = state.incarnation(run.id.incarnation) else { continue };
        if pause::is_held(step, entry, run) {
            continue;
        }
        // Somebody has set the clock back since its window opened: it waits until the clock shows that instant again.
        // What has been started once is only tried again.
        let first = Some(run).filter(|run| run.attempts.is_empty());
        let opens_at = first.and_then(|run| opens_at(entry, run));
        if let Some(opens_at) = opens_at.filter(|at| *at > step.now.wall) {
            let mut run = run.clone();
            run.state = RunState::Waiting { until: Alarm { at: opens_at, boot: None } };
            step.store_run(run);
            continue;
        }
        if let Ok(assignment) = tally.assign(&entry.job.resources, entry.conditions()) {
            begin_attempt(step, entry, run, assignment);
            placed += 1;
        } else if is_passed_for_long(step.now.wall, run) {
            tally.keep_free(&entry.job.resources, entry.conditions());
        }
    }
    step.change(Change::PlacementSettled);
}

/// Whether others may have been placed before it for longer than is fair.
fn is_passed_for_long(now: Timestamp, run: &Run) -> bool {
    now.duration_since(run.wanted_at) >= PASSED_FOR
}

fn begin_attempt(step: &mut Step<'_>, entry: &JobEntry, run: &Run, assignment: Assignment) {
    let index = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
    let arguments = launch::arguments_in_task_id(&entry.job, run);
    let attempt = Attempt {
        reported: None,
        elements: None,
        index,
        task_id: TaskId::new(run.task_millis, index, &run.job, &arguments),
        agent: assignment.agent.clone(),
        placed: None,
        is_staged: false,
        launched_at: step.now.wall,
        holds: entry.job.resources,
        state: AttemptState::Launching,
    };
    let launch = launch::launch(step, entry, run, &attempt, assignment);
    let mut run = run.clone();
    run.attempts.push(attempt);
    run.state = RunState::Active;
    // Crash after the commit of this and before the launch: the run is stored as active, its attempt as launching, and
    // the launcher may or may not have the task. The next start asks it and learns which.
    step.store_run(run);
    step.effect(Effect::Launch(Box::new(launch)));
}
