//! What is known of each task that lives, or of which something is still to be said or heard.

use std::collections::{BTreeMap, BTreeSet};

use crate::mesos::wire;
use crate::model::{AgentId, BootInstant, Duration, TaskId, TaskStatus, Timestamp};

/// All tasks, and when something is to be done about one.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    by_id: BTreeMap<TaskId, Task>,
    alarms: BTreeSet<(BootInstant, Alarm, TaskId)>,
    /// Which tasks have updates that are acknowledged once so many notices are settled.
    settling: BTreeSet<(u64, TaskId)>,
}

/// What is to be done at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    Ask,
    Kill,
    Forget,
}

/// A task.
#[derive(Debug, Default)]
pub(super) struct Task {
    /// Where it is.
    pub(super) agent: Option<AgentId>,
    /// Whether whoever listens knows it: it was launched or asked about.
    pub(super) is_ours: bool,
    /// Whether it was put into an ACCEPT, and nobody has said since that it was not launched.
    pub(super) is_launched: bool,
    /// Whether anything was ever heard of it that shows that it was launched.
    pub(super) is_seen: bool,
    /// Since when it runs.
    pub(super) running_since: Option<Timestamp>,
    /// How it ended, told and not yet on record.
    pub(super) ended: Option<TaskStatus>,
    /// What was told of it last, which whoever has forgotten it is told again.
    pub(super) told: Option<TaskStatus>,
    /// Updates to be acknowledged, in the order in which they came.
    pub(super) waiting: Vec<Waiting>,
    /// When the last answer by which it was never launched was made, in the bits of its seconds: the same answer may
    /// come twice.
    pub(super) denied_at: Option<u64>,
    /// Questions about it that were not answered yet.
    pub(super) open_questions: u32,
    /// Answers that may still come to questions that are older than its launch.
    pub(super) stale_answers: u32,
    asked: Option<Asked>,
    killing: Option<Killing>,
    forget_at: Option<BootInstant>,
}

/// An update to be acknowledged.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: wire::Acknowledge,
    /// How often it came.
    pub(super) times: u32,
    /// When.
    pub(super) until: Until,
}

/// When an update is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Once so many notices are settled.
    Settled(u64),
    /// Once the end of its task is on record.
    Acknowledged,
}

/// That the master is asked about a task until an answer comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// When next.
    pub(super) next: BootInstant,
    /// The pause after that.
    pub(super) pause: Duration,
    /// The longest pause.
    pub(super) pause_max: Duration,
    /// How often it was asked.
    pub(super) times: u32,
    /// After that it is given up.
    pub(super) until: Option<BootInstant>,
}

/// That a task is to be stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Killing {
    pub(super) grace: Duration,
    /// When it is asked for again; `None` once the task is known to be stopping.
    pub(super) next: Option<BootInstant>,
    pub(super) pause: Duration,
}

impl Task {
    pub(super) const fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    pub(super) const fn killing(&self) -> Option<&Killing> {
        self.killing.as_ref()
    }

    /// Whether there may be processes of it.
    pub(super) const fn may_live(&self) -> bool {
        self.ended.is_none() && (self.is_ours || self.is_seen)
    }
}

impl Tasks {
    pub(super) fn get(&self, id: &TaskId) -> Option<&Task> {
        self.by_id.get(id)
    }

    /// The task, which is new if it is not known.
    pub(super) fn of(&mut self, id: &TaskId) -> &mut Task {
        self.by_id.entry(id.clone()).or_default()
    }

    pub(super) fn known(&mut self, id: &TaskId) -> Option<&mut Task> {
        self.by_id.get_mut(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.by_id.iter()
    }

    /// Begins, changes or ends the asking about a task.
    pub(super) fn ask(&mut self, id: &TaskId, asked: Option<Asked>) {
        let Some(task) = self.by_id.get_mut(id) else { return };
        let before = std::mem::replace(&mut task.asked, asked).map(|it| it.next);
        self.set(Alarm::Ask, id, before, asked.map(|it| it.next));
    }

    /// Begins, changes or ends the stopping of a task.
    pub(super) fn kill(&mut self, id: &TaskId, killing: Option<Killing>) {
        let Some(task) = self.by_id.get_mut(id) else { return };
        let before = std::mem::replace(&mut task.killing, killing).and_then(|it| it.next);
        self.set(Alarm::Kill, id, before, killing.and_then(|it| it.next));
    }

    /// Has a task forgotten at that instant, if nothing happens to it, or not.
    pub(super) fn forget_at(&mut self, id: &TaskId, at: Option<BootInstant>) {
        let Some(task) = self.by_id.get_mut(id) else { return };
        let before = std::mem::replace(&mut task.forget_at, at);
        self.set(Alarm::Forget, id, before, at);
    }

    fn set(
        &mut self,
        alarm: Alarm,
        id: &TaskId,
        before: Option<BootInstant>,
        after: Option<BootInstant>,
    ) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.alarms.remove(&(before, alarm, id.clone()));
        }
        if let Some(after) = after {
            self.alarms.insert((after, alarm, id.clone()));
        }
    }

    /// The next alarm that has come, in the order in which they were to come.
    pub(super) fn ringing(&mut self, now: BootInstant) -> Option<(Alarm, TaskId)> {
        self.alarms.first().filter(|(at, _, _)| *at <= now)?;
        let (_, alarm, id) = self.alarms.pop_first()?;
        if let Some(task) = self.by_id.get_mut(&id) {
            match alarm {
                Alarm::Ask | Alarm::Kill => {}
                Alarm::Forget => task.forget_at = None,
            }
        }
        Some((alarm, id))
    }

    /// When the next alarm comes.
    pub(super) fn wake_at(&self) -> Option<BootInstant> {
        self.alarms.first().map(|(at, _, _)| *at)
    }

    /// Has an update of a task wait for its acknowledgement.
    pub(super) fn wait(&mut self, id: &TaskId, call: wire::Acknowledge, until: Until) {
        if let Until::Settled(notices) = until {
            self.settling.insert((notices, id.clone()));
        }
        self.of(id).waiting.push(Waiting { call, times: 1, until });
    }

    /// The acknowledgements that are due once so many notices are settled.
    pub(super) fn settle(&mut self, notices: u64) -> Vec<wire::Acknowledge> {
        let mut calls = Vec::new();
        while self.settling.first().is_some_and(|(number, _)| *number <= notices) {
            let Some((_, id)) = self.settling.pop_first() else { break };
            let Some(task) = self.by_id.get_mut(&id) else { continue };
            let (due, waiting): (Vec<_>, Vec<_>) =
                std::mem::take(&mut task.waiting).into_iter().partition(|it| match it.until {
                    Until::Settled(number) => number <= notices,
                    Until::Acknowledged => false,
                });
            task.waiting = waiting;
            calls.extend(due.into_iter().flat_map(Waiting::calls));
            if !task.is_of_use() {
                self.forget(&id);
            }
        }
        calls
    }

    /// The tasks with updates that are not acknowledged, or with an end that is not known to be on record.
    pub(super) fn waiting(&self) -> Vec<TaskId> {
        let is_open = |task: &Task| !task.waiting.is_empty() || task.ended.is_some();
        let waiting = self.by_id.iter().filter(|(_, task)| is_open(task));
        waiting.map(|(id, _)| id.clone()).collect()
    }

    /// Has the updates of a task that wait for notices to be settled wait for so many.
    pub(super) fn postpone(&mut self, id: &TaskId, notices: u64) {
        let Some(task) = self.by_id.get_mut(id) else { return };
        for waiting in &mut task.waiting {
            if let Until::Settled(number) = waiting.until {
                self.settling.remove(&(number, id.clone()));
                self.settling.insert((notices, id.clone()));
                waiting.until = Until::Settled(notices);
            }
        }
    }

    /// Forgets a task; its updates are to be acknowledged by this.
    pub(super) fn forget(&mut self, id: &TaskId) -> Vec<wire::Acknowledge> {
        self.ask(id, None);
        self.kill(id, None);
        self.forget_at(id, None);
        let Some(task) = self.by_id.remove(id) else { return Vec::new() };
        for waiting in &task.waiting {
            if let Until::Settled(number) = waiting.until {
                self.settling.remove(&(number, id.clone()));
            }
        }
        task.waiting.into_iter().flat_map(Waiting::calls).collect()
    }

    /// The connection is lost: what is asked and answered on the next one begins anew. What is left are updates whose
    /// notices are not settled yet.
    pub(super) fn lost(&mut self) {
        self.alarms.clear();
        self.by_id.retain(|_, task| !task.waiting.is_empty());
        for task in self.by_id.values_mut() {
            task.asked = None;
            task.killing = None;
            task.forget_at = None;
            task.open_questions = 0;
            task.stale_answers = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl Task {
    /// Whether anything of it matters any longer.
    const fn is_of_use(&self) -> bool {
        self.is_ours
            || self.is_seen
            || self.ended.is_some()
            || !self.waiting.is_empty()
            || self.asked.is_some()
            || self.killing.is_some()
            || self.forget_at.is_some()
    }
}

impl Waiting {
    /// One acknowledgement for each time that it came.
    fn calls(self) -> impl Iterator<Item = wire::Acknowledge> {
        std::iter::repeat_n(self.call, usize::try_from(self.times).unwrap_or(1))
    }
}
