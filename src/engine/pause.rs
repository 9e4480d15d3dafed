//! Pauses: nothing comes of itself of a job, of a subtree or of anything, until an instant has come or somebody says so.
//!
//! What is due meanwhile is skipped, once somebody asks or the pause ends. What had come before, and what finished rounds
//! of parents bring about, waits for the end of the pause. What a person asks for is no business of it.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use crate::model::{
    Incarnation, Intervention, Interventions, JobName, Pause, PauseScope, Run, Skip, Timestamp,
    limits,
};
use crate::schedule::Schedule;

use super::decision::Change;
use super::entry::{JobEntry, Timing};
use super::event::{Rejection, RejectionCode, Reply};
use super::{Step, admin, due, round};

pub(super) const PAUSED: &str = "the job was paused";

/// The pause that lasts longer.
pub(super) fn longer<P: Borrow<Pause>>(one: Option<P>, other: Option<P>) -> Option<P> {
    let length = |pause: &P| {
        let pause = pause.borrow();
        (pause.until.is_none(), pause.until)
    };
    one.into_iter().chain(other).max_by_key(length)
}

/// Whether a run waits for the end of a pause.
pub(super) fn is_held(step: &Step<'_>, entry: &JobEntry, run: &Run) -> bool {
    !run.trigger.is_asked_for() && step.pause_of(entry).is_some()
}

/// Pauses what `scope` names. `None` if what has come before is to be decided first.
pub(super) fn pause(
    step: &mut Step<'_>,
    scope: &PauseScope,
    until: Option<Timestamp>,
    by: &Intervention,
) -> Option<Result<Reply, Rejection>> {
    let now = step.now.wall;
    if until.is_some_and(|until| until <= now) {
        return Some(Err(Rejection {
            remedy: "give an instant that is still to come, or none".to_owned(),
            ..admin::invalid("until", "a pause cannot end before it begins".to_owned())
        }));
    }
    let pause = Pause { by: by.clone(), until };
    let until = until.map(|until| format!(" until {until:.3}")).unwrap_or_default();
    let entries = match named(step, scope) {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            due::decide(step);
            if !step.is_unmoved() {
                return None;
            }
            step.warn(None, by.tell(&format!("paused everything{until}")));
            step.change(Change::EverythingPaused(Some(pause)));
            return Some(Ok(Reply::Paused { names: Vec::new() }));
        }
        Err(rejection) => return Some(Err(rejection)),
    };
    for entry in &entries {
        due::settle(step, entry);
        let interventions =
            Interventions { pause: Some(pause.clone()), ..step.interventions(entry) };
        step.store_interventions(entry.incarnation, interventions);
        step.note(&entry.job.name, by.tell(&format!("paused it{until}")));
    }
    Some(Ok(Reply::Paused { names: names(&entries) }))
}

/// Lets go on what `scope` names. `None` if a part is done, and the rest is to be asked for again.
pub(super) fn resume(
    step: &mut Step<'_>,
    scope: &PauseScope,
    by: &Intervention,
) -> Option<Result<Reply, Rejection>> {
    let mut entries = match named(step, scope) {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            if step.state.everything_paused().is_some() {
                if !resume_everything(step, step.now.wall) {
                    return None;
                }
                step.warn(None, by.tell("let everything go on"));
            }
            return Some(Ok(Reply::Paused { names: Vec::new() }));
        }
        Err(rejection) => return Some(Err(rejection)),
    };
    entries.retain(|entry| entry.interventions.pause.is_some());
    if entries.is_empty() && step.state.everything_paused().is_some() {
        return Some(Err(Rejection {
            code: RejectionCode::Impossible,
            message: "it is paused because everything is".to_owned(),
            field: "".into(),
            position: None,
            remedy: "let everything go on".to_owned(),
        }));
    }
    for entry in &entries {
        go_on(step, entry, Some(by));
    }
    Some(Ok(Reply::Paused { names: names(&entries) }))
}

/// Ends the pauses whose end has come.
pub(super) fn decide(step: &mut Step<'_>) {
    let state = step.state;
    if let Some(until) = state.everything_paused().and_then(|pause| pause.until)
        && until <= step.now.wall
    {
        if resume_everything(step, until) {
            step.note_all(format!("everything goes on: it was paused until {until:.3}"));
        }
        return;
    }
    for entry in state.rested(step.now.wall).take(limits::DUE_PER_STEP_MAX) {
        go_on(step, entry, None);
    }
}

/// Ends the pause of one job. What was due before its end is skipped.
fn go_on(step: &mut Step<'_>, entry: &JobEntry, by: Option<&Intervention>) {
    due::settle(step, entry);
    let interventions = Interventions { pause: None, ..step.interventions(entry) };
    step.store_interventions(entry.incarnation, interventions);
    let text =
        by.map_or_else(|| "it goes on: its pause is over".to_owned(), |by| by.tell("let it go on"));
    step.note(&entry.job.name, text);
    round::decide_rounds(step, entry);
}

/// Ends the pause of everything, once all that was due before `through` is skipped. Returns whether it is ended.
fn resume_everything(step: &mut Step<'_>, through: Timestamp) -> bool {
    let state = step.state;
    let due: Vec<&JobEntry> = state.due(through).take(limits::DUE_PER_STEP_MAX).collect();
    for entry in &due {
        due::decide_one(step, entry);
    }
    if !step.is_unmoved() {
        return false;
    }
    step.everything_resumed = true;
    step.change(Change::EverythingPaused(None));
    round::decide_finished(step);
    true
}

/// The jobs that `scope` names, by their creation; `None` if it is everything.
fn named<'a>(step: &Step<'a>, scope: &PauseScope) -> Result<Option<Vec<&'a JobEntry>>, Rejection> {
    let state = step.state;
    match scope {
        PauseScope::Everything => Ok(None),
        PauseScope::Job(name) => Ok(Some(vec![admin::find(step, name)?])),
        PauseScope::Subtree(name) => {
            let root = admin::find(step, name)?;
            let mut found: BTreeSet<Incarnation> = BTreeSet::from([root.incarnation]);
            let mut open = vec![root.incarnation];
            while let Some(next) = open.pop() {
                for child in state.graph().children(next) {
                    if found.insert(child) {
                        open.push(child);
                    }
                }
                if found.len() > limits::SUBTREE_MAX {
                    let message =
                        format!("more than {} jobs follow from `{name}`", limits::SUBTREE_MAX);
                    return Err(Rejection {
                        code: RejectionCode::LimitReached,
                        remedy: "name a job further down, or everything".to_owned(),
                        ..admin::invalid("job", message)
                    });
                }
            }
            Ok(Some(found.into_iter().filter_map(|it| state.incarnation(it)).collect()))
        }
    }
}

fn names(entries: &[&JobEntry]) -> Vec<JobName> {
    entries.iter().map(|entry| entry.job.name.clone()).collect()
}

/// Has an occurrence that is still to come skipped.
pub(super) fn skip_ahead(
    step: &mut Step<'_>,
    name: &JobName,
    due_at: Option<Timestamp>,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let (entry, schedule) = scheduled(step, name)?;
    due::settle(step, entry);
    let mut interventions = step.interventions(entry);
    let decided = step.progress(entry).decided_through;
    let is_skipped = |at: &Timestamp| interventions.skips.iter().any(|skip| skip.due_at == *at);
    let due_at = match due_at {
        Some(at) if at <= decided => {
            let message = format!("what is due {at:.3} is decided already");
            return Err(Rejection {
                remedy: "skip or kill its run, if it has one".to_owned(),
                ..admin::invalid("due", message)
            });
        }
        Some(at) if !schedule.names(at) => {
            let near = schedule.next_after(at.max(decided));
            let remedy = near.map_or_else(
                || "the schedule names nothing after it".to_owned(),
                |near| format!("the next is due {near:.3}"),
            );
            let message = format!("the schedule of `{name}` does not name {at:.3}");
            return Err(Rejection { remedy, ..admin::invalid("due", message) });
        }
        Some(at) => at,
        None => {
            let mut next = schedule.next_after(decided);
            while let Some(at) = next.filter(is_skipped) {
                next = schedule.next_after(at);
            }
            next.ok_or_else(|| {
                admin::invalid("due", format!("the schedule of `{name}` names nothing any more"))
            })?
        }
    };
    if !is_skipped(&due_at) {
        if interventions.skips.len() >= limits::SKIPS_MAX {
            let message = format!("{} occurrences are skipped already", limits::SKIPS_MAX);
            return Err(Rejection {
                code: RejectionCode::LimitReached,
                remedy: "pause the job instead".to_owned(),
                ..admin::invalid("due", message)
            });
        }
        let place = interventions.skips.partition_point(|skip| skip.due_at < due_at);
        interventions.skips.insert(place, Skip { due_at, by: by.clone() });
        step.store_interventions(entry.incarnation, interventions);
        step.note(name, by.tell(&format!("had the occurrence due {due_at:.3} skipped")));
    }
    Ok(Reply::SkippedAhead { due_at })
}

/// Has an occurrence run after all that was to be skipped.
pub(super) fn unskip_ahead(
    step: &mut Step<'_>,
    name: &JobName,
    due_at: Timestamp,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let (entry, _) = scheduled(step, name)?;
    due::settle(step, entry);
    let mut interventions = step.interventions(entry);
    let before = interventions.skips.len();
    interventions.skips.retain(|skip| skip.due_at != due_at);
    if interventions.skips.len() == before {
        let message =
            format!("the occurrence of `{name}` due {due_at:.3} is not one to be skipped");
        let skips = &interventions.skips;
        let least = skips.iter().map(|skip| format!("{:.3}", skip.due_at)).take(3);
        let remedy = match least.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none is to be skipped: nothing is left to do".to_owned(),
            some => format!("give one that is, the first of which are {some}"),
        };
        return Err(Rejection { remedy, ..admin::invalid("due", message) });
    }
    step.store_interventions(entry.incarnation, interventions);
    step.note(name, by.tell(&format!("let the occurrence due {due_at:.3} run after all")));
    Ok(Reply::SkippedAhead { due_at })
}

fn scheduled<'a>(
    step: &Step<'a>,
    name: &JobName,
) -> Result<(&'a JobEntry, &'a Schedule), Rejection> {
    let entry = admin::find(step, name)?;
    match &entry.timing {
        Timing::Schedule(schedule) if !schedule.is_at_boot() => Ok((entry, schedule)),
        Timing::Schedule(_) | Timing::Parents | Timing::Broken(_) => Err(Rejection {
            code: RejectionCode::Impossible,
            message: format!("the instants at which `{name}` comes are not known before"),
            field: "name".into(),
            position: None,
            remedy: "pause it, or skip its run when it is there".to_owned(),
        }),
    }
}
