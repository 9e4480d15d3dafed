//! What is judged: what was committed, against what really ran.

use chronode::engine::Change;
use chronode::mesos::wire::{Call, TaskState};
use chronode::model::{Attempt, AttemptState, Exit, Run, TaskId};

use super::World;
use crate::model::Start;
use crate::model::task::{End, is_end};

impl World {
    /// These are on record from now on.
    pub(crate) fn committed(&mut self, changes: &[Change]) {
        for change in changes {
            if let Change::RunStored(run) = change {
                for attempt in &run.attempts {
                    self.run_of.insert(attempt.task_id.clone(), run.id);
                    if matches!(attempt.state, AttemptState::Unknown { .. }) {
                        self.doubted.insert(attempt.task_id.clone());
                    }
                }
                self.runs.insert(run.id, (**run).clone());
            }
        }
    }

    fn attempt(&self, task_id: &TaskId) -> Option<&Attempt> {
        let run = self.runs.get(self.run_of.get(task_id)?)?;
        run.attempts.iter().find(|attempt| attempt.task_id == *task_id)
    }

    /// Nothing is acknowledged before it is on record.
    pub(crate) fn judge_acknowledgement(&self, call: &Call) {
        let Some(acknowledge) = &call.acknowledge else { return };
        let task_id = TaskId::from_text(&acknowledge.task_id.value);
        let Some(state) = self.heard.get(&acknowledge.uuid).copied() else {
            return self.violation(format!("{task_id}: what is acknowledged was never heard"));
        };
        self.count("acknowledgements");
        let Some(attempt) = self.attempt(&task_id) else {
            return self.violation(format!("{task_id} is acknowledged and was never on record"));
        };
        let is_settled = |attempt: &Attempt| {
            matches!(attempt.state, AttemptState::Ended { .. } | AttemptState::Unknown { .. })
        };
        let is_recorded = match state {
            state if is_end(state) => is_settled(attempt),
            TaskState::Running | TaskState::Killing => attempt.was_seen() || is_settled(attempt),
            _ => attempt.was_seen() || is_settled(attempt),
        };
        if !is_recorded {
            self.violation(format!(
                "{task_id}: {} is acknowledged, and on record is {:?}",
                state.as_str(),
                attempt.state
            ));
        }
    }

    /// After everything has settled.
    pub(crate) fn judge_end(&mut self) {
        for _ in &self.cluster.ran {
            self.count("commands started");
        }
        self.judge_starts();
        let runs: Vec<Run> = self.runs.values().cloned().collect();
        for run in &runs {
            self.count("runs");
            if !run.is_ended() {
                let live = format!("{} is still {:?}", run.id, run.state);
                self.violation(live);
            }
            for attempt in &run.attempts {
                self.judge_attempt(attempt);
            }
            self.judge_order(run);
        }
        self.judge_quiet();
    }

    fn starts(&self, task_id: &TaskId) -> Vec<&Start> {
        let ran = self.cluster.ran.iter();
        ran.filter(|start| start.task.1 == task_id.as_str()).collect()
    }

    /// Each start belongs to an attempt, and each attempt has at most one.
    fn judge_starts(&self) {
        let mut seen = std::collections::BTreeSet::new();
        for start in &self.cluster.ran {
            let task_id = TaskId::from_text(&start.task.1);
            if !seen.insert(task_id.clone()) {
                self.violation(format!("{task_id} ran twice"));
            }
            if !self.run_of.contains_key(&task_id) {
                self.violation(format!("{task_id} ran and was never on record"));
            }
        }
    }

    fn judge_attempt(&self, attempt: &Attempt) {
        let task_id = &attempt.task_id;
        let AttemptState::Ended { exit, .. } = &attempt.state else {
            return self.violation(format!("{task_id} is still {:?}", attempt.state));
        };
        self.count("attempts ended");
        let starts = self.starts(task_id);
        let end = starts.last().and_then(|start| start.end.as_ref());
        let is_true = match exit {
            None => {
                self.count("attempts lost");
                true
            }
            Some(Exit::Code(code)) => end.is_some_and(|(state, end)| {
                *state != TaskState::Killed && *end == End::Exits(*code)
            }),
            Some(Exit::Signal(signal)) => end.is_some_and(|(state, end)| {
                *state == TaskState::Failed
                    && matches!(end, End::Signalled(name) if number(name) == *signal)
            }),
            Some(Exit::Killed) => {
                starts.is_empty() || end.is_some_and(|(state, _)| *state == TaskState::Killed)
            }
            Some(Exit::Failed { .. }) => {
                starts.is_empty() || end.is_some_and(|(state, _)| *state != TaskState::Finished)
            }
            Some(Exit::CouldNotStart { .. }) => {
                starts.is_empty() && self.told_of_trouble.contains(task_id)
            }
        };
        if !is_true {
            self.violation(format!("{task_id}: on record is {exit:?}, and true is {starts:?}"));
        }
    }

    /// An attempt begins after the one before it is over, unless that was given up as lost.
    fn judge_order(&self, run: &Run) {
        for pair in run.attempts.windows(2) {
            let is_lost = self.doubted.contains(&pair[0].task_id);
            let before = self.starts(&pair[0].task_id);
            let after = self.starts(&pair[1].task_id);
            if let (Some(before), Some(after)) = (before.last(), after.first())
                && before.ended_at.is_none_or(|at| at > after.at)
                && !is_lost
            {
                self.violation(format!("{} and {} ran at once", pair[0].task_id, pair[1].task_id));
            }
        }
    }

    /// Nothing is left over.
    fn judge_quiet(&self) {
        let Some(process) = &self.process else {
            return self.violation("the process is down".to_owned());
        };
        let (offers, tasks) = process.book.sizes();
        // It asks for a day about those that were given up: their agents may come back.
        let lost = self.doubted.len();
        if offers > 0 || tasks > lost {
            self.violation(format!("the book still keeps {offers} offers and {tasks} tasks"));
        }
        let master = self.cluster.master.as_ref().expect("it has been put right");
        if !master.offers.is_empty() {
            self.violation(format!("offers are open: {:?}", master.offers.keys()));
        }
        let of_link = process.link.as_ref().and_then(|link| link.connection);
        let ours = master
            .frameworks
            .iter()
            .find(|(_, framework)| framework.connection == of_link && of_link.is_some());
        let Some((ours_id, ours)) = ours else {
            return self.violation("the framework is not subscribed".to_owned());
        };
        for agent in &self.cluster.agents {
            for (key, work) in &agent.works {
                if key.0 != *ours_id {
                    // A framework that was removed is given up with all that is its own.
                    continue;
                }
                if !work.updates.is_empty() {
                    let front = &work.updates[0].status;
                    self.violation(format!("{} is not acknowledged: {front:?}", key.1));
                } else if !work.is_over() {
                    self.violation(format!("{} still runs", key.1));
                }
            }
        }
        if ours.suppressed.len() != ours.roles().len() {
            self.violation(format!("offers are still asked for: {:?}", ours.suppressed));
        }
    }
}

fn number(name: &str) -> i32 {
    match name {
        "Terminated" => 15,
        "Killed" => 9,
        "Segmentation fault" => 11,
        _ => 0,
    }
}
