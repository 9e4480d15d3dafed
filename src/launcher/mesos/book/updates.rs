//! Updates become reports, and are acknowledged when those are on record.

use super::Book;
use super::questions::{ask_after, ask_in_doubt};
use super::tasks::{Killing, Until};
use crate::launcher::mesos::verdict::{Known, Meaning, meaning};
use crate::mesos::wire::{self, TaskState};
use crate::model::{AgentId, BootInstant, Duration, Now, TaskId, TaskStatus};

/// How long it is remembered that a task was never launched: as long as the answer may come a second time.
const DENIAL_KEPT: Duration = Duration::from_mins(10);
/// After so many questions an answer is taken although its agent did not show itself.
const ASKED_ENOUGH: u32 = 3;
/// The pause until a question whose answer was of no use.
const ASK_AFTER: Duration = Duration::from_secs(1);

impl Book {
    pub(super) fn update(&mut self, now: Now, update: &wire::TaskStatus) {
        self.figures.updates += 1;
        let id = TaskId::from_text(update.task_id.value.clone());
        let agent = update.agent_id.as_ref().map(|agent| AgentId::new(agent.value.clone()));
        if let Some(agent) = &agent
            && matches!(update.source.as_deref(), Some("SOURCE_AGENT" | "SOURCE_EXECUTOR"))
        {
            self.offers.heard(agent);
        }
        let acknowledge = acknowledge_of(update);
        if let Some(call) = &acknowledge
            && let Some(task) = self.tasks.known(&id)
            && let Some(same) = task.waiting.iter_mut().find(|it| it.call == *call)
        {
            // Told already.
            same.times = same.times.saturating_add(1);
            return;
        }
        let told = self.hear(now, &id, agent, update);
        let Some(call) = acknowledge else { return };
        let until = match told {
            Told::Ending => Until::Acknowledged,
            Told::Otherwise => Until::Settled(self.told),
            // With the next that are settled.
            Told::Nothing => Until::Settled(0),
        };
        self.tasks.wait(&id, call, until);
    }

    /// Whoever listens has forgotten what was told and is not on record: it is told again, and acknowledged when that
    /// is.
    pub(super) fn tell_again(&mut self) {
        for id in self.tasks.waiting() {
            let told = self.tasks.get(&id).and_then(|task| task.told.clone());
            if let Some(status) = told {
                self.report(id.clone(), status);
            }
            self.tasks.postpone(&id, self.told);
        }
    }

    fn hear(
        &mut self,
        now: Now,
        id: &TaskId,
        agent: Option<AgentId>,
        update: &wire::TaskStatus,
    ) -> Told {
        let known = self.known_of(id, agent.as_ref(), update);
        if self.is_old_answer(id, update) {
            return Told::Nothing;
        }
        let is_ours = self.tasks.get(id).is_some_and(|task| task.is_ours);
        let is_ended = self.tasks.get(id).is_some_and(|task| task.ended.is_some());
        let status = match meaning(update, &known, now.wall) {
            Meaning::Says(status) if !is_ended => status,
            // One end is told once. What comes after it in disorder says nothing more.
            Meaning::Says(TaskStatus::Ended { .. }) => return Told::Ending,
            Meaning::Says(_) => return Told::Nothing,
            Meaning::Ask => {
                if is_ours && !is_ended {
                    self.ask_instead(now, id, agent);
                }
                return Told::Nothing;
            }
        };
        let told = match &status {
            TaskStatus::Staged | TaskStatus::Running { .. } => {
                self.lives(now, id, agent, update, &status);
                Told::Otherwise
            }
            TaskStatus::Ended { .. } => {
                self.tasks.of(id).ended = Some(status.clone());
                self.tasks.ask(id, None);
                self.tasks.kill(id, None);
                self.tasks.forget_at(id, None);
                Told::Ending
            }
            TaskStatus::NeverLaunched => {
                self.denied(now, id, update);
                Told::Otherwise
            }
            TaskStatus::InDoubt { is_final: true, .. } => {
                self.tasks.ask(id, None);
                self.tasks.kill(id, None);
                Told::Ending
            }
            TaskStatus::InDoubt { is_final: false, .. } => {
                // If it comes into sight again, whoever wanted it stopped says so again.
                self.tasks.kill(id, None);
                if is_ours {
                    let before = self.tasks.get(id).and_then(|task| task.asked().copied());
                    let asked = ask_in_doubt(now.boot, before.as_ref());
                    self.tasks.ask(id, Some(asked));
                }
                Told::Otherwise
            }
        };
        if !is_ours && matches!(status, TaskStatus::InDoubt { .. }) {
            // Nobody waits for more.
            self.forget_stranger(id);
        }
        if let Some(task) = self.tasks.known(id) {
            task.told = Some(status.clone()).filter(|it| *it != TaskStatus::NeverLaunched);
        }
        self.report(id.clone(), status);
        told
    }

    fn known_of(&self, id: &TaskId, agent: Option<&AgentId>, update: &wire::TaskStatus) -> Known {
        let task = self.tasks.get(id);
        let asked = task.and_then(|task| task.asked());
        Known {
            // What we have never heard of may be anything.
            is_seen: task.is_none_or(|task| task.is_seen || !task.is_ours),
            running_since: task.and_then(|task| task.running_since),
            agents_forget: !self.terms.is_checkpointed,
            is_agent_heard: agent.is_some_and(|agent| self.offers.is_heard(agent)),
            is_asked_enough: asked.is_some_and(|asked| asked.times >= ASKED_ENOUGH),
            can_be_asked_better: update.agent_id.is_none()
                && task.is_some_and(|task| task.is_ours && task.agent.is_some())
                && asked.is_none_or(|asked| asked.times == 0),
        }
    }

    /// Whether the update answers a question that is older than the launch, or has come before.
    fn is_old_answer(&mut self, id: &TaskId, update: &wire::TaskStatus) -> bool {
        let Some(task) = self.tasks.known(id) else { return false };
        let is_answer = update.reason.as_deref() == Some("REASON_RECONCILIATION");
        let is_denial = match update.state {
            TaskState::Gone | TaskState::Unknown => is_answer,
            TaskState::Dropped => update.uuid.is_none(),
            TaskState::Staging
            | TaskState::Starting
            | TaskState::Running
            | TaskState::Killing
            | TaskState::Finished
            | TaskState::Failed
            | TaskState::Killed
            | TaskState::Error
            | TaskState::Lost
            | TaskState::Unreachable
            | TaskState::GoneByOperator
            | TaskState::Other => false,
        };
        let is_denied = task.denied_at.is_some() && !task.is_ours;
        if is_denial && (is_denied || task.denied_at.is_some_and(|at| Some(at) == bits(update))) {
            return true;
        }
        if is_answer && task.stale_answers > 0 {
            task.stale_answers -= 1;
            return is_denial;
        }
        if is_answer {
            task.open_questions = task.open_questions.saturating_sub(1);
        }
        false
    }

    /// A task is alive.
    fn lives(
        &mut self,
        now: Now,
        id: &TaskId,
        agent: Option<AgentId>,
        update: &wire::TaskStatus,
        status: &TaskStatus,
    ) {
        let task = self.tasks.of(id);
        task.is_seen = true;
        task.agent = agent.or_else(|| task.agent.take());
        if let TaskStatus::Running { started_at } = status {
            task.running_since.get_or_insert(*started_at);
        }
        let killing = task.killing().copied();
        let was_in_doubt = task.asked().is_some_and(|asked| asked.until.is_some());
        let is_surprise = was_in_doubt || !task.is_ours;
        self.tasks.ask(id, None);
        if is_surprise && update.uuid.is_some() {
            // It may be from before the doubt, or before all was said of the task, and late. What the master answers is
            // from now.
            self.tasks.ask(id, Some(ask_after(now.boot, ASK_AFTER)));
        }
        self.tasks.forget_at(id, None);
        if let Some(killing) = killing {
            let next = if update.state == TaskState::Killing {
                // It was heard, and whoever stops the task forces it by itself.
                None
            } else {
                killing.next.or_else(|| Some(now.boot.saturating_add(killing.pause)))
            };
            self.tasks.kill(id, Some(Killing { next, ..killing }));
        }
    }

    /// A task was never launched. That may be told again, and must not be taken for an answer about its next launch.
    fn denied(&mut self, now: Now, id: &TaskId, update: &wire::TaskStatus) {
        let task = self.tasks.of(id);
        task.is_launched = false;
        task.is_ours = false;
        task.denied_at = bits(update);
        self.tasks.ask(id, None);
        self.tasks.kill(id, None);
        self.tasks.forget_at(id, Some(now.boot.saturating_add(DENIAL_KEPT)));
    }

    fn forget_stranger(&mut self, id: &TaskId) {
        if self.tasks.get(id).is_some_and(|task| task.waiting.is_empty()) {
            self.tasks.forget(id);
        }
    }

    fn ask_instead(&mut self, now: Now, id: &TaskId, agent: Option<AgentId>) {
        let task = self.tasks.of(id);
        task.agent = task.agent.take().or(agent);
        let is_soon = task.asked().is_some_and(|asked| asked.next <= soon(now.boot));
        // An answer of no use is not followed by the next question at once.
        if task.asked().is_none_or(|asked| asked.times == 0) && !is_soon {
            self.tasks.ask(id, Some(ask_after(now.boot, ASK_AFTER)));
        }
    }
}

/// What was told of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The end of a task, or that nobody will ever know it.
    Ending,
    Otherwise,
    Nothing,
}

fn soon(now: BootInstant) -> BootInstant {
    now.saturating_add(ASK_AFTER)
}

/// By when an update was made two that say the same are told apart.
fn bits(update: &wire::TaskStatus) -> Option<u64> {
    update.timestamp.map(f64::to_bits)
}

/// The acknowledgement that an update asks for.
fn acknowledge_of(update: &wire::TaskStatus) -> Option<wire::Acknowledge> {
    Some(wire::Acknowledge {
        agent_id: update.agent_id.clone()?,
        task_id: update.task_id.clone(),
        uuid: update.uuid.clone()?,
    })
}
