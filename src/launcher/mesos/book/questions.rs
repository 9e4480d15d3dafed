//! Asking the master what became of tasks, until it has answered.

use super::Book;
use super::tasks::Asked;
use crate::mesos::wire::{self, Call, CallType};
use crate::model::{BootInstant, Duration, Now, Question, TaskId};

/// Tasks that one call asks about.
const PER_CALL: usize = 1_000;
/// The pause after the first question; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two questions that are not answered.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The pause until a task in doubt is asked about again; it doubles.
const DOUBT_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause between two questions about a task in doubt.
const DOUBT_PAUSE_MAX: Duration = Duration::from_secs(300);
/// For how long a task in doubt is asked about. Whoever still waits for it then asks by itself, or hears of it when its
/// agent is back.
const DOUBT_MAX: Duration = Duration::from_hours(24);

/// Questions that begin now.
pub(super) const fn ask_now(now: BootInstant) -> Asked {
    Asked { next: now, pause: PAUSE, pause_max: PAUSE_MAX, times: 0, until: None }
}

/// Questions that begin after a while.
pub(super) fn ask_after(now: BootInstant, span: Duration) -> Asked {
    Asked { next: now.saturating_add(span), ..ask_now(now) }
}

/// Questions about a task in doubt, after those before.
pub(super) fn ask_in_doubt(now: BootInstant, before: Option<&Asked>) -> Asked {
    match before {
        // Its answer was no better than the last one; the pause has grown already.
        Some(asked) if asked.until.is_some() => *asked,
        Some(_) | None => Asked {
            next: now.saturating_add(DOUBT_PAUSE),
            pause: DOUBT_PAUSE.saturating_mul(2),
            pause_max: DOUBT_PAUSE_MAX,
            times: 0,
            until: Some(now.saturating_add(DOUBT_MAX)),
        },
    }
}

impl Book {
    /// Whoever listens asks about these.
    pub(super) fn asked(&mut self, now: Now, questions: Vec<Question>) {
        if !self.is_subscribed {
            return;
        }
        for Question { task_id, agent, was_seen } in questions {
            let task = self.tasks.of(&task_id);
            task.agent = Some(agent);
            task.is_ours = true;
            task.is_seen |= was_seen;
            match task.ended.clone() {
                // It is known, and was told before; perhaps to somebody who has forgotten it.
                Some(ended) => self.report(task_id, ended),
                None => {
                    self.tasks.forget_at(&task_id, None);
                    self.tasks.ask(&task_id, Some(ask_now(now.boot)));
                }
            }
        }
        self.wake(now);
    }

    /// It is time to ask about a task; tells what to ask, if it is still to be asked about.
    pub(super) fn ask_again(&mut self, now: Now, id: TaskId) -> Option<wire::ReconcileTask> {
        let task = self.tasks.known(&id)?;
        let asked = *task.asked()?;
        if asked.until.is_some_and(|until| until <= now.boot) {
            self.tasks.forget(&id);
            return None;
        }
        task.open_questions = task.open_questions.saturating_add(1);
        let agent_id = task.agent.as_ref().map(|agent| wire::Id::new(agent.as_str()));
        let asked = Asked {
            next: now.boot.saturating_add(asked.pause),
            pause: asked.pause.saturating_mul(2).min(asked.pause_max),
            times: asked.times.saturating_add(1),
            ..asked
        };
        self.tasks.ask(&id, Some(asked));
        Some(wire::ReconcileTask { task_id: wire::Id::new(id.as_str()), agent_id })
    }

    /// Asks about these.
    pub(super) fn reconcile(&mut self, tasks: Vec<wire::ReconcileTask>) {
        for tasks in tasks.chunks(PER_CALL) {
            self.say_reconcile(tasks.to_vec());
        }
    }

    /// Asks for all that live.
    pub(super) fn reconcile_all(&mut self) {
        self.say_reconcile(Vec::new());
    }

    fn say_reconcile(&mut self, tasks: Vec<wire::ReconcileTask>) {
        self.figures.reconciliations += 1;
        let call = self.call_of(CallType::Reconcile);
        self.say(Call { reconcile: Some(wire::Reconcile { tasks }), ..call });
    }
}
