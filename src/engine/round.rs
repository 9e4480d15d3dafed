//! What parents have done, and which runs of children follow from it.
//!
//! The end of a parent's run and a [`Signal`] of it are one decision, so they are stored together or not at all. Each
//! child is told of each signal once, in the order of the signals, in parts of bounded size: what a part changes and how
//! far the signal has got are again one decision. A child adds what it hears to a [`Round`]; when the parents have done
//! what its rule asks, the round becomes a run.
//!
//! A round that is finished is never left lying: it became a run, or a record of why not, in the decision that finished
//! it.

use crate::model::{
    Contribution, Incarnation, JobName, Join, Outcome, ParentTerms, Round, Run, Scope, Signal,
    Source, Timestamp, Trigger, TriggerRule, Verdict, When, limits,
};

use super::decision::Change;
use super::entry::JobEntry;
use super::intake::{DISABLED, Intake, New, SHADOW};
use super::pause::PAUSED;
use super::{State, Step};

const GIVEN_UP: &str = "not all parents have run for this instant, and too many later ones are waited for \
                        (join: due)";
const FAILED: &str = "not all parents have succeeded for this instant, and too many later ones are waited for \
                      (join: due)";

/// What the end of a run counts for the children of its job, if it counts; `is_soft` is the job's `softError`.
#[must_use]
pub const fn outcome_for_children(verdict: Verdict, is_soft: bool) -> Option<Outcome> {
    match verdict {
        Verdict::Succeeded => Some(Outcome::Succeeded),
        Verdict::Failed | Verdict::Lost if is_soft => Some(Outcome::Succeeded),
        Verdict::Failed | Verdict::Lost => Some(Outcome::Failed),
        Verdict::Killed => Some(Outcome::Killed),
        // Another run stands for it, or none ever did.
        Verdict::Superseded | Verdict::Missed | Verdict::Skipped => None,
    }
}

/// Records that a run of a job with children is over, for the children. What was never begun is no news to them.
pub(super) fn signal(
    step: &mut Step<'_>,
    entry: &JobEntry,
    run: &Run,
    verdict: Verdict,
    at: Timestamp,
) {
    let Some(outcome) = outcome_for_children(verdict, entry.job.soft_error) else { return };
    if !step.state.graph().has_children(entry.incarnation) {
        return;
    }
    let sequence = step.next_sequence();
    step.change(Change::SignalStored(Signal {
        sequence,
        parent: entry.incarnation,
        run: run.id,
        outcome,
        due_at: run.trigger.due_at(),
        at,
        retries_down: run.retries_down,
        told_through: None,
    }));
}

/// Tells children what their parents have done, up to [`limits::CHILDREN_PER_STEP_MAX`] of them.
pub(super) fn decide(step: &mut Step<'_>) {
    let state = step.state;
    let mut budget = limits::CHILDREN_PER_STEP_MAX;
    for signal in state.signals() {
        let children = state.graph().children(signal.parent);
        let mut left = children.into_iter().filter(|child| signal.told_through < Some(*child));
        let part: Vec<Incarnation> = left.by_ref().take(budget).collect();
        let is_last_part = left.next().is_none();
        for child in &part {
            if let Some(entry) = state.incarnation(*child) {
                tell(step, entry, signal);
            }
        }
        if is_last_part {
            step.change(Change::SignalRemoved { sequence: signal.sequence });
        } else {
            let told_through = part.last().copied().or(signal.told_through);
            step.change(Change::SignalStored(Signal { told_through, ..signal.clone() }));
        }
        budget = budget.saturating_sub(part.len().max(1));
        if budget == 0 {
            return;
        }
    }
}

/// Makes runs of finished rounds that nobody decided: the job was left alone because deciding it went wrong.
pub(super) fn decide_finished(step: &mut Step<'_>) {
    let state = step.state;
    for entry in state.jobs() {
        if !entry.progress.rounds.is_empty() && !entry.is_quarantined {
            decide_rounds(step, entry);
        }
    }
}

/// Makes runs of the rounds of `entry` that are finished as its parents are now.
pub(super) fn decide_rounds(step: &mut Step<'_>, entry: &JobEntry) {
    step.guarded(entry, |step| {
        let mut intake = Intake::new(step, entry);
        trigger_finished(step, &mut intake);
        intake.store(step);
    });
}

/// Whether a round is there that ought to have become a run.
pub(super) fn has_finished(state: &State, entry: &JobEntry) -> bool {
    let When::Parents(terms) = &entry.job.when else { return false };
    let parents = incarnations(state, &terms.names);
    entry.progress.rounds.iter().any(|round| is_finished(terms.rule, &parents, round))
}

fn tell(step: &mut Step<'_>, entry: &JobEntry, signal: &Signal) {
    let When::Parents(terms) = &entry.job.when else { return };
    let mut intake = Intake::new(step, entry);
    // What a parent did is kept also by a job that is left alone: only its run waits.
    add(step, &mut intake, terms, signal);
    intake.store(step);
    if entry.is_quarantined {
        return;
    }
    step.guarded(entry, |step| {
        #[cfg(test)]
        assert_ne!(entry.job.name.as_str(), super::tests::PANICS_WHEN_DECIDED);
        let mut intake = Intake::new(step, entry);
        trigger_finished(step, &mut intake);
        intake.store(step);
    });
}

/// Adds what a parent has done to its round.
fn add(step: &mut Step<'_>, intake: &mut Intake<'_>, terms: &ParentTerms, signal: &Signal) {
    let due_at = match terms.join {
        Join::Round => None,
        Join::Due => Some(signal.due_at),
    };
    let rounds = &mut intake.progress.rounds;
    let index = opened(rounds, due_at);
    let contributions = &mut rounds[index].parents;
    // What a retry borrowed counts with the retry alone: not with what comes of itself, nor after the retry has failed.
    let is_with = signal.retries_down && signal.outcome == Outcome::Succeeded;
    if !is_with {
        contributions.retain(|it| it.source != Source::Borrowed);
    }
    let source = if signal.retries_down { Source::Retried } else { Source::New };
    let place = contributions.binary_search_by_key(&signal.parent, |it| it.parent);
    let place = place.unwrap_or_else(|place| {
        let none = Contribution {
            parent: signal.parent,
            successes: 0,
            failures: 0,
            kills: 0,
            run: signal.run,
            due_at: signal.due_at,
            at: signal.at,
            source,
        };
        contributions.insert(place, none);
        place
    });
    let contribution = &mut contributions[place];
    if contribution.source == Source::Borrowed {
        (contribution.successes, contribution.failures, contribution.kills) = (0, 0, 0);
    }
    contribution.source = source;
    let count = match signal.outcome {
        Outcome::Succeeded => &mut contribution.successes,
        Outcome::Failed => &mut contribution.failures,
        Outcome::Killed => &mut contribution.kills,
    };
    *count = count.saturating_add(1);
    // What comes after the run that counts did not bring the round about.
    let counts = match terms.rule {
        TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => {
            signal.outcome == Outcome::Succeeded || contribution.successes == 0
        }
        TriggerRule::AnyFailed => signal.outcome == Outcome::Failed || contribution.failures == 0,
        TriggerRule::AllDone => true,
    };
    if counts {
        (contribution.run, contribution.due_at, contribution.at) =
            (signal.run, signal.due_at, signal.at);
    }
    give_up_oldest(step, intake, terms);
}

/// The place of the round for `due_at`, which is opened if there is none.
pub(super) fn opened(rounds: &mut Vec<Round>, due_at: Option<Timestamp>) -> usize {
    let known = rounds.iter().position(|round| round.due_at == due_at);
    known.unwrap_or_else(|| {
        rounds.push(Round { due_at, is_triggered: false, parents: Vec::new() });
        rounds.len() - 1
    })
}

/// Records that the oldest round will become no run, if more are open than may be.
pub(super) fn give_up_oldest(step: &mut Step<'_>, intake: &mut Intake<'_>, terms: &ParentTerms) {
    let rounds = &mut intake.progress.rounds;
    if rounds.len() <= limits::ROUNDS_MAX {
        return;
    }
    let oldest = rounds.remove(0);
    let reason = if step.pause_of(intake.entry).is_some() {
        PAUSED
    } else if oldest.parents.len() < terms.names.len() {
        GIVEN_UP
    } else {
        FAILED
    };
    if let (false, Some(due_at)) = (oldest.is_triggered || terms.rule.is_any(), oldest.due_at) {
        intake.record(step, Verdict::Skipped, reason, due_at, due_at, 1);
    }
}

/// Makes runs of all rounds that are finished, oldest first.
fn trigger_finished(step: &mut Step<'_>, intake: &mut Intake<'_>) {
    let When::Parents(terms) = &intake.entry.job.when else { return };
    // What is finished meanwhile waits.
    if step.pause_of(intake.entry).is_some() {
        return;
    }
    let parents = incarnations(step.state, &terms.names);
    let mut finished = Vec::new();
    let mut open = Vec::new();
    for mut round in std::mem::take(&mut intake.progress.rounds) {
        let is_finished = is_finished(terms.rule, &parents, &round);
        if is_finished {
            finished.push(round.clone());
            round.is_triggered = true;
        }
        // What one parent is enough for triggers once for each instant: it is remembered until all have run for it.
        let may_come_again =
            terms.rule.is_any() && terms.join == Join::Due && round.parents.len() < parents.len();
        let is_open = match terms.rule.is_any() {
            true => terms.join == Join::Round && !is_finished || may_come_again,
            false => !is_finished,
        };
        if is_open {
            open.push(round);
        }
    }
    intake.progress.rounds = open;
    for round in finished {
        let of = |parent: &Incarnation| contribution(&round, *parent);
        let behind = || parents.iter().filter_map(of).filter(|it| brings_about(terms.rule, it));
        let causes = behind().map(|it| it.run).collect();
        let latest = behind().map(|it| it.due_at).max();
        let due_at = round.due_at.or(latest).unwrap_or(step.now.wall);
        let retries_down = behind().any(|it| it.source != Source::New);
        let trigger = Trigger::Parents { due_at, at: step.now.wall };
        bring_about(step, intake, New { causes, retries_down, ..New::of(trigger) });
    }
}

fn bring_about(step: &mut Step<'_>, intake: &mut Intake<'_>, new: New) {
    let due_at = new.trigger.due_at();
    if intake.entry.job.disabled {
        return intake.record(step, Verdict::Skipped, DISABLED, due_at, due_at, 1);
    }
    if intake.entry.job.shadow.covers(due_at) {
        return intake.record(step, Verdict::Skipped, SHADOW, due_at, due_at, 1);
    }
    intake.trigger(step, new);
}

/// Whether the parents have done what `rule` asks of them.
fn is_finished(rule: TriggerRule, parents: &[Incarnation], round: &Round) -> bool {
    let has_done = |parent: &Incarnation| {
        contribution(round, *parent).is_some_and(|it| brings_about(rule, it))
    };
    if rule.is_any() {
        return !round.is_triggered && round.parents.iter().any(|it| brings_about(rule, it));
    }
    // What is borrowed counts with what is tried again alone.
    let is_of = |source: Source| round.parents.iter().any(|it| it.source == source);
    let is_lent = is_of(Source::Borrowed) && !is_of(Source::Retried);
    !is_lent && !parents.is_empty() && parents.iter().all(has_done)
}

/// Whether that is what `rule` asks of a parent.
const fn brings_about(rule: TriggerRule, done: &Contribution) -> bool {
    match rule {
        TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => done.successes > 0,
        TriggerRule::AllDone => true,
        TriggerRule::AnyFailed => done.failures > 0,
    }
}

/// What `parent` has done in a round, which lists parents in their order.
fn contribution(round: &Round, parent: Incarnation) -> Option<&Contribution> {
    let place = round.parents.binary_search_by_key(&parent, |it| it.parent).ok()?;
    round.parents.get(place)
}

/// The lives of the jobs of these names, in their order.
pub(super) fn incarnations(state: &State, names: &[JobName]) -> Vec<Incarnation> {
    names.iter().filter_map(|name| state.job(name)).map(|entry| entry.incarnation).collect()
}

/// How far the parents of a job are with its next run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is waited for, as a sentence.
    pub message: String,
    /// Each parent, in the order of the job's definition.
    pub parents: Vec<ParentStanding>,
}

/// What one parent has done since the job was last triggered; with [`Join::Due`], for the newest instant that any
/// parent has run for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentStanding {
    /// Its name.
    pub name: JobName,
    /// Whether it is disabled: then it does nothing by itself.
    pub is_disabled: bool,
    /// When its next occurrence is due, if it has a schedule with one.
    pub next_due: Option<Timestamp>,
    /// What it has done, if anything.
    pub done: Option<Contribution>,
    /// Whether that is all that is waited for from it.
    pub suffices: bool,
}

impl Standing {
    /// How far the parents of `entry` are; `None` for a job without parents.
    #[must_use]
    pub fn of(state: &State, entry: &JobEntry) -> Option<Self> {
        Self::within(state, entry, &Scope::All)
    }

    /// The same for who may see `scope`: the sentence counts parents outside, and names none of them.
    #[must_use]
    pub fn within(state: &State, entry: &JobEntry, scope: &Scope) -> Option<Self> {
        let When::Parents(terms) = &entry.job.when else { return None };
        let round = entry.progress.rounds.iter().rev().find(|round| !round.is_triggered);
        let parents: Vec<ParentStanding> = terms
            .names
            .iter()
            .filter_map(|name| state.job(name))
            .map(|parent| {
                let done = round.and_then(|round| contribution(round, parent.incarnation)).cloned();
                let suffices = done.as_ref().is_some_and(|done| brings_about(terms.rule, done));
                ParentStanding {
                    name: parent.job.name.clone(),
                    is_disabled: parent.job.disabled,
                    next_due: parent.next_due(),
                    done,
                    suffices,
                }
            })
            .collect();
        let is_paused = state.pause_of(entry).is_some();
        let message = message(terms, entry, round, &parents, scope, is_paused);
        Some(Self { message, parents })
    }
}

/// What the next run of a job waits for. Names the first three parents of many.
fn message(
    terms: &ParentTerms,
    entry: &JobEntry,
    round: Option<&Round>,
    parents: &[ParentStanding],
    scope: &Scope,
    is_paused: bool,
) -> String {
    let open: Vec<&ParentStanding> = parents.iter().filter(|parent| !parent.suffices).collect();
    let suffices = if terms.rule.is_any() { open.len() < parents.len() } else { open.is_empty() };
    if suffices && is_paused {
        return "its parents are ready; it is paused".to_owned();
    }
    if open.is_empty() {
        return "its parents are ready; it is left alone, because deciding it went wrong inside Chronode"
            .to_owned();
    }
    let event = match terms.rule {
        TriggerRule::AllSucceeded | TriggerRule::AnySucceeded => "a new success of",
        TriggerRule::AllDone => "the end of a new run of",
        TriggerRule::AnyFailed => "a new failure of",
    };
    let whose = match (open.len(), terms.rule.is_any()) {
        (1, _) => "",
        (_, false) => " each of",
        (_, true) => " any of",
    };
    let seen: Vec<_> = open.iter().filter(|parent| scope.covers(&parent.name)).collect();
    let (more, unseen) = (seen.len().saturating_sub(3), open.len() - seen.len());
    let mut named: Vec<String> = seen.iter().take(3).map(|parent| describe(parent)).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    match unseen {
        0 => {}
        1 => named.push("a job that you may not see".to_owned()),
        _ => named.push(format!("{unseen} jobs that you may not see")),
    }
    let named = match named.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some(_) | None => named.concat(),
    };
    let due = match (terms.rule.is_any(), round.and_then(|round| round.due_at)) {
        (false, Some(at)) => format!(" for {at:.3}"),
        (true, _) | (false, None) => String::new(),
    };
    let mut text = format!("it waits for {event}{whose} {named}{due}");
    if entry.job.disabled {
        text.push_str("; it is disabled itself, so what is finished then is recorded as skipped");
    }
    text
}

fn describe(parent: &ParentStanding) -> String {
    let ParentStanding { name, is_disabled, next_due, done, .. } = parent;
    let state = match (is_disabled, done, next_due) {
        (true, _, _) => "disabled".to_owned(),
        (false, Some(done), _) if done.failures > 0 => format!("failed {:.3}", done.at),
        (false, Some(done), _) if done.kills > 0 => format!("stopped {:.3}", done.at),
        (false, _, Some(at)) => format!("next due {at:.3}"),
        (false, _, None) => return format!("`{name}`"),
    };
    format!("`{name}` ({state})")
}
