//! What it means for parents and children that a job changes or goes.
//!
//! Names in definitions always stand for living jobs: what would break that is refused, or repaired in the decision that
//! does it, as Chronos does when a parent is deleted. Every such repair is a sentence that whoever asks is told, also
//! before (dry run).

use std::collections::BTreeSet;

use crate::model::{
    Incarnation, Job, JobName, JobRecord, ParentTerms, Progress, Round, ScheduleTerms, When, limits,
};

use super::decision::Change;
use super::entry::{JobEntry, Timing};
use super::event::{Rejection, RejectionCode};
use super::{Step, round};

/// How many children or jobs of a cycle are named in one sentence.
const NAMED_MAX: usize = 10;

/// How many sentences are told of the children of one job.
const TOLD_MAX: usize = 100;

/// Refuses parents that there are not, and those that would make a job wait for itself.
pub(super) fn check_parents(
    step: &Step<'_>,
    name: &JobName,
    terms: &ParentTerms,
) -> Result<(), Rejection> {
    let state = step.state;
    let unknown: Vec<&JobName> = terms
        .names
        .iter()
        .filter(|parent| state.job(parent).is_none() && *parent != name)
        .collect();
    if !unknown.is_empty() {
        // The words of Chronos, for clients that look for them.
        let verb = if unknown.len() == 1 { "does" } else { "do" };
        let message = format!(
            "Job {name} does not have all parents defined: {} {verb} not exist",
            list(unknown.into_iter())
        );
        return Err(invalid(message, "create the parents first"));
    }
    if terms.names.contains(name) {
        let message = format!("job `{name}` cannot be a parent of itself");
        return Err(invalid(message, "leave it out of `parents`"));
    }
    let Some(entry) = state.job(name) else { return Ok(()) };
    let parents = round::incarnations(state, &terms.names);
    if let Some(path) = state.graph().cycle(entry.incarnation, &parents) {
        let mut names: Vec<String> = path
            .iter()
            .filter_map(|life| state.incarnation(*life))
            .map(|entry| format!("`{}`", entry.job.name))
            .collect();
        names.push(format!("`{name}`"));
        if names.len() > NAMED_MAX {
            let left_out = names.len() - NAMED_MAX;
            names.splice(NAMED_MAX / 2..NAMED_MAX / 2 + left_out, [format!("{left_out} more")]);
        }
        let message = format!("job `{name}` would wait for itself: {}", names.join(" → "));
        return Err(invalid(message, "leave out the parent that comes after the job"));
    }
    Ok(())
}

/// What those who wait for a job should know of its new definition.
pub(super) fn consequences_of_put(
    step: &Step<'_>,
    existing: Option<&JobEntry>,
    job: &Job,
) -> Vec<String> {
    let mut told = Vec::new();
    if let When::Parents(terms) = &job.when {
        let parents = terms.names.iter().filter_map(|name| step.state.job(name));
        let disabled: Vec<&JobName> =
            parents.filter(|parent| parent.job.disabled).map(|parent| &parent.job.name).collect();
        if !disabled.is_empty() {
            let (verb, they) = if disabled.len() == 1 { ("is", "it") } else { ("are", "they") };
            let names = list(disabled.into_iter());
            told.push(format!(
                "{names} {verb} disabled: the job waits until {they} {verb} run by hand or enabled"
            ));
        }
    }
    if let Some(entry) = existing
        && job.disabled
        && !entry.job.disabled
    {
        told.extend(left_waiting(step, entry));
    }
    told
}

/// That a job which is being disabled leaves children waiting, if it does.
pub(super) fn left_waiting(step: &Step<'_>, entry: &JobEntry) -> Option<String> {
    let children = step.state.graph().children(entry.incarnation);
    let children: Vec<&JobName> = children
        .into_iter()
        .filter_map(|child| step.state.incarnation(child))
        .map(|child| &child.job.name)
        .collect();
    (!children.is_empty()).then(|| {
        let verb = if children.len() == 1 { "waits" } else { "wait" };
        let whose = list(children.into_iter());
        format!(
            "{whose} {verb} for `{}`, which does not run by itself while it is disabled",
            entry.job.name
        )
    })
}

/// The rounds of a job that get a new definition: what parents have done counts as long as they stay its parents and
/// the definition still asks the same of them.
pub(super) fn rounds_kept(
    step: &Step<'_>,
    old: &JobEntry,
    progress: &Progress,
    job: &Job,
) -> Vec<Round> {
    let (When::Parents(before), When::Parents(after)) = (&old.job.when, &job.when) else {
        return Vec::new();
    };
    if (before.rule, before.join) != (after.rule, after.join) {
        return Vec::new();
    }
    let parents: BTreeSet<Incarnation> =
        round::incarnations(step.state, &after.names).into_iter().collect();
    let mut rounds = progress.rounds.clone();
    for round in &mut rounds {
        round.parents.retain(|it| parents.contains(&it.parent));
    }
    rounds.retain(|round| round.is_triggered || !round.parents.is_empty());
    rounds
}

/// Gives the children of a job that is being deleted what it leaves them. `progress` is the job's own, settled.
///
/// A child of this parent alone gets its schedule, and goes on where that has got to; the parents of the parent take its
/// place; a child that has other parents loses this one.
pub(super) fn hand_on(step: &mut Step<'_>, entry: &JobEntry, progress: &Progress) -> Vec<String> {
    let state = step.state;
    let mut told = Vec::new();
    let mut left_out = 0_usize;
    for child in state.graph().children(entry.incarnation) {
        let Some(child) = state.incarnation(child) else { continue };
        let When::Parents(terms) = &child.job.when else { continue };
        let (when, sentence) = inherit(entry, child, terms);
        let job = Job { when, ..Job::clone(&child.job) };
        let mut known = step.progress(child);
        let progress = match &job.when {
            // It may have had such a schedule before: what it has decided stays decided.
            When::Schedule(_) => Progress {
                decided_through: progress.decided_through.max(known.decided_through),
                stretch: None,
                boot_id: progress.boot_id.clone(),
                rounds: Vec::new(),
            },
            When::Parents(_) => {
                hand_on_rounds(entry, progress, terms, &mut known);
                Progress { rounds: rounds_kept(step, child, &known, &job), ..known }
            }
        };
        let record = JobRecord {
            revision: child.revision + 1,
            accepted_at: step.now.wall,
            job,
            progress: progress.clone(),
            ..child.to_record()
        };
        step.note(&child.job.name, format!("revision {}: {sentence}", record.revision));
        if told.len() < TOLD_MAX {
            told.push(sentence);
        } else {
            left_out += 1;
        }
        step.progressed.insert(child.incarnation, progress);
        let revised = JobEntry::new(record.clone(), &state.settings);
        step.change(Change::JobStored(Box::new(record)));
        let before = step.decision.changes.len();
        round::decide_rounds(step, &revised);
        if step.decision.changes.len() > before && left_out == 0 {
            told.push(format!(
                "`{}` had waited for `{}` alone: its round is finished without it",
                child.job.name, entry.job.name
            ));
        }
    }
    if left_out > 0 {
        told.push(format!("likewise {left_out} more children"));
    }
    told
}

/// What the parents of a job that goes have done for it, they have done for its child, if both ask for the same.
fn hand_on_rounds(
    parent: &JobEntry,
    progress: &Progress,
    terms: &ParentTerms,
    child: &mut Progress,
) {
    let When::Parents(above) = &parent.job.when else { return };
    if (above.rule, above.join) != (terms.rule, terms.join) {
        return;
    }
    for theirs in &progress.rounds {
        let Some(ours) = child.rounds.iter_mut().find(|round| round.due_at == theirs.due_at) else {
            if child.rounds.len() < limits::ROUNDS_MAX {
                child.rounds.push(theirs.clone());
            }
            continue;
        };
        for done in &theirs.parents {
            if let Err(place) = ours.parents.binary_search_by_key(&done.parent, |it| it.parent) {
                ours.parents.insert(place, done.clone());
            }
        }
    }
}

/// When a child runs once `parent` is gone, and that as a sentence.
fn inherit(parent: &JobEntry, child: &JobEntry, terms: &ParentTerms) -> (When, String) {
    let gone = &parent.job.name;
    let is_disabled = child.job.disabled;
    let child = &child.job.name;
    let left = || terms.names.iter().filter(|name| *name != gone).cloned();
    match &parent.job.when {
        When::Parents(above) => {
            let mut seen = BTreeSet::new();
            let names: Vec<JobName> = terms
                .names
                .iter()
                .flat_map(
                    |name| if name == gone { above.names.clone() } else { vec![name.clone()] },
                )
                .filter(|name| seen.insert(name.clone()))
                .collect();
            let sentence = format!("`{child}` follows {} from now on", list(names.iter()));
            (When::Parents(ParentTerms { names, ..terms.clone() }), sentence)
        }
        When::Schedule(_) if left().next().is_some() => {
            let names: Vec<JobName> = left().collect();
            let sentence = format!("`{child}` follows {} alone from now on", list(names.iter()));
            (When::Parents(ParentTerms { names, ..terms.clone() }), sentence)
        }
        When::Schedule(inherited) => {
            let text = match &parent.timing {
                // An interval that begins with the acceptance of its job must not begin anew with its heir.
                Timing::Schedule(schedule) => schedule.with_start(inherited),
                Timing::Parents | Timing::Broken(_) => inherited.text.clone(),
            };
            let mut sentence = format!("`{child}` gets the schedule of `{gone}`, `{text}`");
            if parent.job.disabled && !is_disabled {
                sentence.push_str(", and follows it: it is not disabled, as its parent was");
            }
            // What is spread by a job's name stays where it was.
            let is_cron = match &parent.timing {
                Timing::Schedule(schedule) => schedule.is_cron(),
                Timing::Parents | Timing::Broken(_) => true,
            };
            let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
            let is_spread = inherited.jitter.is_some() || is_cron && words.any(|word| word == "H");
            let spread_by = if is_spread && inherited.spread_by.is_empty() {
                gone.as_str().to_owned()
            } else {
                inherited.spread_by.clone()
            };
            (When::Schedule(ScheduleTerms { text, spread_by, ..inherited.clone() }), sentence)
        }
    }
}

/// Names in a sentence, the first of many.
fn list<'a>(names: impl Iterator<Item = &'a JobName>) -> String {
    let names: Vec<&JobName> = names.collect();
    let mut told: Vec<String> =
        names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    if let Some(more) = names.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        told.push(format!("{more} more"));
    }
    match told.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn invalid(message: String, remedy: &str) -> Rejection {
    Rejection {
        code: RejectionCode::InvalidField,
        message,
        field: "parents".into(),
        position: None,
        remedy: remedy.to_owned(),
    }
}
