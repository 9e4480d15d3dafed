//! Stopping tasks: all that are being stopped share one look at the processes. A round is [`super::super::stop`]'s.

use std::sync::Arc;

use super::super::process::{Marks, Snapshot, Stat, Tree};
use super::super::stop::{PAUSE_MAX, PAUSE_MIN, Round, Stopping};
use super::{Download, Keeper, Task};
use crate::clock;
use crate::model::{BootInstant, Duration, Exit, TaskId};

impl Keeper {
    pub(super) fn kill(&mut self, task_id: &TaskId, grace: Duration) {
        let now = clock::boot();
        let deadline = now.saturating_add(grace);
        let Some(task) = self.tasks.get_mut(task_id) else { return self.tell(task_id) };
        match task {
            Task::Over { .. } => self.tell(task_id),
            Task::Starting(starting) => {
                if starting.gate.shut() {
                    self.end(task_id, Exit::Killed, None);
                } else {
                    starting.kill = Some(grace);
                }
            }
            Task::Live(live) => {
                if let Some(stopping) = &mut live.stopping {
                    stopping.hurry(deadline);
                } else if live.has_ended && live.is_child {
                    // It ended by itself; only what became of its downloads is not heard yet.
                    return;
                } else {
                    let directory = self.machine.layout.attempt(live.run_id, live.attempt);
                    let marks = Marks::new(&live.run_id.to_string(), live.attempt, &directory);
                    let tree = Tree { root: live.process, holds_root: live.is_child, marks };
                    live.stopping = Some(Stopping::new(tree, deadline));
                    self.stopping.insert(task_id.clone());
                }
                self.stop_round_at = now;
                self.stop_pause = PAUSE_MIN;
            }
        }
    }

    pub(super) fn stop_round(&mut self, now: BootInstant) {
        if self.stopping.is_empty() || self.stop_round_at > now {
            return;
        }
        let since = self.stops().map(Stopping::since_ticks).min();
        match Snapshot::take(since.unwrap_or(0)) {
            Ok(snapshot) => {
                for task_id in self.stopping.clone() {
                    if self.stop_one(&task_id, now, &snapshot) {
                        self.stopped(&task_id);
                    }
                }
            }
            // Nobody seen is not nobody there.
            Err(error) => tracing::warn!("cannot look at the processes: {error}"),
        }
        let deadlines = self.stops().map(Stopping::deadline);
        let deadline = deadlines.filter(|&deadline| deadline > now).min();
        let next = now.saturating_add(self.stop_pause);
        self.stop_round_at = deadline.map_or(next, |deadline| deadline.min(next));
        self.stop_pause = self.stop_pause.saturating_mul(2).min(PAUSE_MAX);
    }

    pub(super) fn stops(&self) -> impl Iterator<Item = &Stopping> {
        self.stopping.iter().filter_map(|id| match self.tasks.get(id)? {
            Task::Live(live) => live.stopping.as_ref(),
            Task::Starting(_) | Task::Over { .. } => None,
        })
    }

    /// One round for one task; whether nothing is left of it.
    pub(super) fn stop_one(
        &mut self,
        task_id: &TaskId,
        now: BootInstant,
        snapshot: &Snapshot,
    ) -> bool {
        let group =
            self.cgroups.as_ref().zip(self.tasks.get(task_id).and_then(Task::place)).map(
                |(cgroups, (run_id, attempt))| (Arc::clone(cgroups), self.group(run_id, attempt)),
            );
        let grouped = group.iter().flat_map(|(cgroups, group)| cgroups.pids(group));
        let grouped = grouped.filter_map(Stat::of).filter(|stat| !stat.is_zombie);
        let Some(Task::Live(live)) = self.tasks.get_mut(task_id) else { return true };
        let Some(stopping) = &mut live.stopping else { return true };
        match stopping.round(now, snapshot, grouped.map(|stat| stat.id)) {
            Round::Asked => false,
            Round::Ended => {
                if let Some((cgroups, group)) = &group {
                    cgroups.kill(group);
                }
                false
            }
            // The descriptor of the first process may tell a moment later than the list.
            Round::NobodyLeft => live.has_ended,
        }
    }

    pub(super) fn stopped(&mut self, task_id: &TaskId) {
        let Some(Task::Live(live)) = self.tasks.get(task_id) else { return };
        let (process, is_child, started_at) = (live.process, live.is_child, live.started_at);
        // While downloads were under way the command had not started.
        let started_at = matches!(live.download, Download::Done).then_some(started_at);
        if is_child {
            self.reap(process);
        }
        self.end(task_id, Exit::Killed, started_at);
    }
}
