//! The working state of one batch: events go in, and what has to be committed and then done comes out.
//!
//! Synchronous and free of clocks, so that the simulator drives the very same code. Knows no store and no launcher.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::{self, Change, Effect, Event, Note, RequestId, State};
use crate::model::{Now, TaskReport, TaskStatus};

/// Steps that one event may cause by asking to be woken at once. What is left over goes into the next batch, so that a
/// great many occurrences due at once make several transactions of bounded size.
const STEPS_PER_EVENT_MAX: usize = 8;

/// Whether an event has been decided, or only what came before it.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dealt {
    /// It has.
    With,
    /// It has not, and is to be handed in again, first of all, with the next batch.
    NotYet,
}

/// A state ahead of what is committed, and what it is ahead by.
#[derive(Debug)]
pub struct Working {
    state: State,
    outcome: Outcome,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// To be committed, then shown to readers. In order; a later value of the same thing has replaced earlier ones.
    pub changes: Vec<Change>,
    /// To be performed after the commit, in order.
    pub effects: Vec<Effect>,
    /// For the log.
    pub notes: Vec<Note>,
    /// Requests whose decision went wrong inside the engine; nothing of them is in `changes`.
    pub broken: Vec<RequestId>,
}

impl Working {
    /// Begins with a state as committed.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self { state, outcome: Outcome::default() }
    }

    /// The state, ahead of what is committed by the present batch.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Decides and applies what follows from `event`, and from being woken as long as it is time. Gives up after a
    /// bounded number of steps, so that a batch stays a transaction of bounded size.
    ///
    /// # Panics
    ///
    /// If applying a change panics, or a decision that nobody asked for does: the process must end and recover.
    pub fn handle(&mut self, now: Now, event: &Event) -> Dealt {
        let mut steps = 1;
        while self.step(now, event) == Dealt::NotYet {
            if steps == STEPS_PER_EVENT_MAX {
                return Dealt::NotYet;
            }
            steps += 1;
        }
        for _ in 0..STEPS_PER_EVENT_MAX {
            if !self.state.wake_at().has_come(now) {
                break;
            }
            let _ = self.step(now, &Event::Woke);
        }
        Dealt::With
    }

    fn step(&mut self, now: Now, event: &Event) -> Dealt {
        let decided = catch_unwind(AssertUnwindSafe(|| engine::step(&self.state, now, event)));
        let decision = match (decided, event) {
            (Ok(decision), _) => decision,
            // One client's request must not take everybody's scheduler down. Nothing of it was applied.
            (Err(_), Event::Request { id, .. }) => {
                self.outcome.broken.push(*id);
                return Dealt::With;
            }
            (Err(panic), _) => std::panic::resume_unwind(panic),
        };
        for change in &decision.changes {
            self.state.apply(change);
        }
        if !decision.changes.is_empty() {
            withhold(&mut self.outcome.effects, event);
        }
        self.outcome.changes.extend(decision.changes);
        self.outcome.effects.extend(decision.effects);
        self.outcome.notes.extend(decision.notes);
        if decision.is_postponed { Dealt::NotYet } else { Dealt::With }
    }

    /// Ends the batch. The caller commits the changes before it does anything else with the outcome.
    #[must_use]
    pub fn take(&mut self) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.changes = compact(outcome.changes);
        outcome
    }
}

/// A launch that is taken back in the batch in which it was decided, because the launcher has said of the launch before
/// that it never was, must not go out.
fn withhold(effects: &mut Vec<Effect>, event: &Event) {
    let Event::Task(TaskReport { task_id, status: TaskStatus::NeverLaunched }) = event else {
        return;
    };
    let mut unused = Vec::new();
    effects.retain_mut(|effect| {
        if let Effect::Launch(launch) = effect
            && launch.task_id == *task_id
        {
            unused.append(&mut launch.offers);
            return false;
        }
        true
    });
    if !unused.is_empty() {
        effects.push(Effect::Release(unused));
    }
}

/// Drops what a later change of the same batch replaces whole. A run that became pending and was launched in one batch
/// is written once.
fn compact(changes: Vec<Change>) -> Vec<Change> {
    let mut runs = BTreeSet::new();
    let mut progressed = BTreeSet::new();
    let mut counted = BTreeSet::new();
    let mut stretches = BTreeSet::new();
    let mut signals = BTreeSet::new();
    let mut marks = BTreeSet::new();
    let mut backfills = BTreeSet::new();
    let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
    for change in changes.into_iter().rev() {
        let is_latest = match &change {
            Change::RunStored(run) => runs.insert(run.id),
            Change::Progressed { incarnation, .. } => progressed.insert(*incarnation),
            Change::Counted { incarnation, .. } => counted.insert(*incarnation),
            Change::StretchStored(stretch) => stretches.insert(stretch.sequence),
            Change::TaskMillisUsed { name, .. } => marks.insert(name.clone()),
            Change::SignalStored(signal) => signals.insert(signal.sequence),
            Change::BackfillStored(backfill) => backfills.insert(backfill.id),
            // These are rare, and their order with the others matters.
            Change::TermBegan(_)
            | Change::JobStored(_)
            | Change::JobRemoved { .. }
            | Change::SignalRemoved { .. }
            | Change::Disabled { .. }
            | Change::RequestAnswered(_)
            | Change::AnswerForgotten { .. }
            | Change::ZoneKept { .. }
            | Change::Quarantined { .. }
            | Change::QuarantineLifted { .. }
            | Change::Intervened { .. }
            | Change::EverythingPaused(_)
            | Change::BackfillRemoved { .. }
            | Change::StretchVoided { .. }
            | Change::ClockJudged(_)
            | Change::ListeningBegan { .. }
            | Change::Heard { .. }
            | Change::ListeningEnded
            | Change::FrameworkSet(_)
            | Change::OffersSet(_)
            | Change::OffersAdded(_)
            | Change::OffersRemoved(_)
            | Change::AgentLost(_)
            | Change::AgentsSeen(_)
            | Change::DemandTold(_)
            | Change::Alerted(_)
            | Change::ObjectivesJudged(_)
            | Change::PlacementSettled => true,
        };
        if is_latest {
            kept.push(change);
        }
    }
    kept.reverse();
    kept
}

impl Outcome {
    /// Whether anything of it has to be committed.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.changes.iter().any(Change::is_durable)
    }

    /// The waiting clients this outcome would answer.
    pub fn requests(&self) -> impl Iterator<Item = RequestId> {
        let answered = self.effects.iter().filter_map(|effect| match effect {
            Effect::Reply(id, _) => Some(*id),
            Effect::Launch(_)
            | Effect::Kill { .. }
            | Effect::Reconcile(_)
            | Effect::Acknowledge(_)
            | Effect::Release(_)
            | Effect::Demand(_) => None,
        });
        answered.chain(self.broken.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        AgentId, Command, Duration, Incarnation, JobName, JobStats, Launch, NameRule, OfferId,
        Outcome, Resources, RunId, Signal, TaskId, Term, Timestamp,
    };

    fn counted(incarnation: u64, success_count: u64) -> Change {
        let stats = JobStats { success_count, ..JobStats::default() };
        Change::Counted { incarnation: Incarnation(incarnation), stats }
    }

    fn used(name: &str, millis: i64) -> Change {
        let name = JobName::parse(name, NameRule::Blanks).unwrap();
        Change::TaskMillisUsed { name, millis }
    }

    fn told(sequence: u64, through: u64) -> Change {
        Change::SignalStored(Signal {
            sequence,
            parent: Incarnation(1),
            run: RunId::manual(Incarnation(1), 5),
            outcome: Outcome::Succeeded,
            due_at: Timestamp::UNIX_EPOCH,
            at: Timestamp::UNIX_EPOCH,
            retries_down: false,
            told_through: Some(Incarnation(through)),
        })
    }

    fn launch(task_id: &str) -> Effect {
        Effect::Launch(Box::new(Launch {
            term: Term(1),
            task_id: TaskId::from_text(task_id),
            run_id: RunId::manual(Incarnation(1), 5),
            attempt: 0,
            offers: vec![OfferId::new(format!("for-{task_id}"))],
            agent: AgentId::new("S1"),
            command: Command::Shell { text: "true".to_owned(), arguments: vec![] },
            environment: vec![],
            user: None,
            fetch: vec![],
            resources: Resources::default(),
            kill_grace: Duration::from_secs(10),
            not_after: None,
            cluster: None,
        }))
    }

    #[test]
    fn a_launch_that_is_taken_back_within_one_batch_does_not_go_out() {
        let said = |status| Event::Task(TaskReport { task_id: TaskId::from_text("a"), status });
        let mut effects = vec![launch("a"), launch("b"), Effect::Demand(true)];
        withhold(&mut effects, &said(TaskStatus::Staged));
        assert_eq!(effects, [launch("a"), launch("b"), Effect::Demand(true)]);
        withhold(&mut effects, &said(TaskStatus::NeverLaunched));
        let release = Effect::Release(vec![OfferId::new("for-a")]);
        assert_eq!(effects, [launch("b"), Effect::Demand(true), release]);
    }

    #[test]
    fn a_signal_that_is_told_within_one_batch_is_gone_after_it() {
        let removed = |sequence| Change::SignalRemoved { sequence };
        let changes = vec![told(3, 5), told(4, 5), told(3, 9), removed(3), told(4, 7)];
        assert_eq!(compact(changes), [told(3, 9), removed(3), told(4, 7)]);
    }

    #[test]
    fn of_values_that_replace_one_another_the_last_is_kept_in_its_place() {
        let changes = vec![
            counted(1, 1),
            used("a", 5),
            Change::Disabled { incarnation: Incarnation(1) },
            counted(2, 1),
            counted(1, 2),
            used("b", 5),
            used("a", 6),
        ];
        let expected = vec![
            Change::Disabled { incarnation: Incarnation(1) },
            counted(2, 1),
            counted(1, 2),
            used("b", 5),
            used("a", 6),
        ];
        assert_eq!(compact(changes), expected);
    }
}
