//! What the scheduler is told, and what it need not be told any more.

use super::super::journal::Record;
use super::{Keeper, Task, over};
use crate::clock;
use crate::launcher::local::protocol::ToLauncher;
use crate::model::{TaskId, TaskReport, TaskStatus};

impl Keeper {
    /// Tells what became of a task. One that is just being started is told of when that is decided.
    pub(super) fn tell(&mut self, task_id: &TaskId) {
        let status = match self.tasks.get_mut(task_id) {
            Some(Task::Starting(_)) => return,
            Some(Task::Live(live)) => TaskStatus::Running { started_at: live.started_at },
            Some(Task::Over { status, told_at }) => {
                *told_at = clock::boot();
                status.clone()
            }
            None => return self.tell_unknown(task_id),
        };
        self.report(task_id, status);
    }

    pub(super) fn tell_unknown(&mut self, task_id: &TaskId) {
        if self.journal.remembers(task_id.as_str()) {
            let reason =
                "it was launched, and what became of it was told and acknowledged".to_owned();
            return self.report(task_id, TaskStatus::InDoubt { reason, is_final: true });
        }
        if self.journal.is_complete() {
            return self.report(task_id, TaskStatus::NeverLaunched);
        }
        let reason = "the machine was restarted since, or the keeper's journal was lost or damaged; whether it started \
                      is not known"
            .to_owned();
        self.record(&Record::Doubt { task_id: task_id.to_string(), reason: reason.clone() });
        // Kept like any other doubt, so that a repeated launch does not start it.
        let task = over(TaskStatus::InDoubt { reason: reason.clone(), is_final: true });
        self.tasks.insert(task_id.clone(), task);
        self.report(task_id, TaskStatus::InDoubt { reason, is_final: true });
    }

    /// From here on an id that we do not know was never launched.
    pub(super) fn settle(&mut self) {
        if !self.journal.is_complete() {
            self.record(&Record::Settled { boot: self.machine.boot.clone() });
        }
    }

    pub(super) fn acknowledge(&mut self, task_id: &TaskId) {
        if matches!(self.tasks.get(task_id), Some(Task::Over { .. })) {
            self.record(&Record::Acknowledged { task_id: task_id.to_string() });
            crate::failpoint!("keeper.after_acknowledge");
            self.tasks.remove(task_id);
        }
    }

    pub(super) fn report(&mut self, task_id: &TaskId, status: TaskStatus) {
        let report = TaskReport { task_id: task_id.clone(), status };
        self.say(ToLauncher::Report(report.into()));
    }

    pub(super) fn say(&self, message: ToLauncher) {
        if let Some(connection) = &self.connection {
            // A connection that has just ended hears it after the next hello.
            let _ = connection.to_launcher.send(message);
        }
    }

    /// Writes down what is true already. Failing to costs the next keeper the knowledge, not this one.
    pub(super) fn record(&mut self, record: &Record) {
        if let Err(error) = self.journal.append(record) {
            tracing::error!("cannot write the journal: {error}");
        }
    }
}
