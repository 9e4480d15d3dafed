//! Taking over what an earlier keeper left. What is made of it is decided in [`super::super::recover`].

use super::super::journal::{End, Entry, Record, Started};
use super::super::process::ProcessId;
use super::super::recover::{Judge, Left, Living};
use super::{Download, Keeper, Live, Machine, Task, over};
use crate::launcher::local::protocol::instant;
use crate::model::{Scalar, TaskId, TaskStatus};

impl Keeper {
    /// Takes over what an earlier keeper left.
    pub(in super::super) fn recover(&mut self) {
        for (id, entry) in self.journal.entries().clone() {
            self.recover_one(&TaskId::from_text(id), &entry);
        }
    }

    pub(super) fn recover_one(&mut self, task_id: &TaskId, entry: &Entry) {
        let task = match &entry.end {
            Some(End::Ended { exit, started_at_us, ended_at_us }) => over(TaskStatus::Ended {
                exit: exit.clone().into(),
                started_at: started_at_us.and_then(|at| instant(at).ok()),
                ended_at: instant(*ended_at_us).unwrap_or_default(),
            }),
            Some(End::Doubt { reason }) => {
                over(TaskStatus::InDoubt { reason: reason.clone(), is_final: true })
            }
            None => {
                let Machine { layout, boot, pid_namespace } = &self.machine;
                match (Judge { layout, boot, pid_namespace: *pid_namespace }).judge(entry) {
                    Left::Living(living) => self.adopt(task_id, living, entry.started.is_none()),
                    Left::Doubt(reason) => {
                        let id = task_id.to_string();
                        self.record(&Record::Doubt { task_id: id, reason: reason.clone() });
                        over(TaskStatus::InDoubt { reason, is_final: true })
                    }
                }
            }
        };
        if !matches!(task, Task::Over { .. }) {
            self.live += 1;
        }
        self.tasks.insert(task_id.clone(), task);
    }

    pub(super) fn adopt(&mut self, task_id: &TaskId, living: Living, is_news: bool) -> Task {
        let Living { run_id, attempt, started } = living;
        let Started { pid, start_ticks, started_at_us } = started;
        let process = ProcessId { pid, start_ticks };
        if is_news {
            let task_id = task_id.to_string();
            self.record(&Record::Started { task_id, pid, start_ticks, started_at_us });
        }
        self.watch(task_id, process, false);
        Task::Live(Box::new(Live {
            run_id,
            attempt,
            process,
            started_at: instant(started_at_us).unwrap_or_default(),
            is_child: false,
            streams: vec![],
            has_ended: false,
            download: Download::Done,
            stopping: None,
            memory: Scalar::ZERO,
        }))
    }
}
