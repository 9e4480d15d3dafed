//! From the end of a process to a report: exit status, output, control group.

use std::os::unix::fs::MetadataExt;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::super::journal::Record;
use super::super::process::{ProcessId, Stat};
use super::super::stop::PAUSE_MIN;
use super::super::{ENDED_UNSEEN, Event, session};
use super::{Download, Keeper, Live, Task, over};
use crate::clock;
use crate::launcher::local::protocol::micros;
use crate::model::{Duration, Exit, RunId, TaskId, TaskStatus, Timestamp};

impl Keeper {
    /// Tells when `process` ends, be it ours or not.
    pub(super) fn watch(&self, task_id: &TaskId, process: ProcessId, is_child: bool) {
        let (task_id, events) = (task_id.clone(), self.events.clone());
        tokio::task::spawn_local(async move {
            // Our own child stays until it is reaped, so its number is good; another's may be gone already.
            while let Some(pid) = Pid::from_raw(process.pid) {
                let opened = pidfd_open(pid, PidfdFlags::empty()).map_err(std::io::Error::from);
                match opened.and_then(session::ended) {
                    Ok(descriptor) => {
                        let is_it = || Stat::of(process.pid).is_some_and(|stat| stat.id == process);
                        if is_child || is_it() {
                            let _ = descriptor.readable().await;
                        }
                        break;
                    }
                    Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => break,
                    // No descriptors: commands will end and give theirs back.
                    Err(_) => clock::pause(Duration::from_millis(100)).await,
                }
            }
            let _ = events.send(Event::Exited { task_id, process });
        });
    }

    pub(super) fn live_mut(&mut self, task_id: &TaskId, process: ProcessId) -> Option<&mut Live> {
        match self.tasks.get_mut(task_id)? {
            Task::Live(live) if live.process == process => Some(live),
            Task::Live(_) | Task::Starting(_) | Task::Over { .. } => None,
        }
    }

    pub(super) fn exited(&mut self, task_id: &TaskId, process: ProcessId) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        live.has_ended = true;
        if live.stopping.is_some() {
            // Not reaped yet: its number, which is its session's, stays taken until the tree is gone.
            self.stop_round_at = clock::boot();
            self.stop_pause = PAUSE_MIN;
            return;
        }
        self.conclude(task_id, process);
    }

    pub(super) fn fetched(
        &mut self,
        task_id: &TaskId,
        process: ProcessId,
        result: Result<(), String>,
    ) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        live.download = match result {
            Ok(()) => Download::Done,
            Err(reason) => Download::Failed(reason),
        };
        if live.has_ended && live.stopping.is_none() {
            self.conclude(task_id, process);
        }
    }

    /// The first process has ended by itself: says how, if that is known by now.
    pub(super) fn conclude(&mut self, task_id: &TaskId, process: ProcessId) {
        let Some(live) = self.live_mut(task_id, process) else { return };
        let started_at = live.started_at;
        if !live.is_child {
            return self.doubt(task_id, ENDED_UNSEEN.to_owned());
        }
        match &live.download {
            // Its socket has closed with it, so this is but a moment away.
            Download::UnderWay => {}
            Download::Failed(reason) => {
                let exit = Exit::CouldNotStart { reason: reason.clone() };
                self.reap(process);
                self.end(task_id, exit, None);
            }
            Download::Done => match self.reap(process) {
                Some(exit) => self.end(task_id, exit, Some(started_at)),
                None => {
                    self.doubt(task_id, "the system did not tell its exit status".to_owned());
                }
            },
        }
    }

    /// Takes the exit status of our own child, which must have ended.
    pub(super) fn reap(&self, process: ProcessId) -> Option<Exit> {
        let pid = Pid::from_raw(process.pid)?;
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        self.starters.forget(process.pid);
        let status = status.ok().flatten()?;
        let signal = || status.terminating_signal().map(Exit::Signal);
        status.exit_status().map(Exit::Code).or_else(signal)
    }

    /// Writes down how it ended, and tells.
    pub(super) fn end(&mut self, task_id: &TaskId, exit: Exit, started_at: Option<Timestamp>) {
        self.take_output(task_id);
        let ended_at = clock::wall();
        self.record(&Record::Ended {
            task_id: task_id.to_string(),
            exit: exit.clone().into(),
            started_at_us: started_at.map(micros),
            ended_at_us: micros(ended_at),
        });
        crate::failpoint!("keeper.before_report");
        self.put_over(task_id, TaskStatus::Ended { exit, started_at, ended_at });
    }

    pub(super) fn doubt(&mut self, task_id: &TaskId, reason: String) {
        self.record(&Record::Doubt { task_id: task_id.to_string(), reason: reason.clone() });
        self.put_over(task_id, TaskStatus::InDoubt { reason, is_final: true });
    }

    pub(super) fn put_over(&mut self, task_id: &TaskId, status: TaskStatus) {
        self.leave_group(task_id);
        self.stopping.remove(task_id);
        if let Some(task) = self.tasks.get_mut(task_id) {
            if !matches!(task, Task::Over { .. }) {
                self.live -= 1;
            }
            *task = over(status);
        }
        self.tell(task_id);
    }

    /// Takes what its streams hold, and adds what only the kernel knows of its end.
    pub(super) fn take_output(&self, task_id: &TaskId) {
        let Some(Task::Live(live)) = self.tasks.get(task_id) else { return };
        let group = self.group(live.run_id, live.attempt);
        let kills = self.cgroups.as_ref().map_or(0, |groups| groups.out_of_memory_kills(&group));
        let note = if kills == 0 {
            String::new()
        } else {
            format!(
                "[chronode: the kernel ended processes of this run, which used more than its {} MiB of memory]\n",
                live.memory
            )
        };
        // The second is where complaints go.
        for (stream, note) in live.streams.iter().zip(["", &note]) {
            stream.close(note);
        }
    }

    /// The control group of an attempt: no other scheduler on this machine has this data directory.
    pub(super) fn group(&self, run_id: RunId, attempt: u32) -> String {
        let place = std::fs::metadata(self.machine.layout.root())
            .map_or((0, 0), |metadata| (metadata.dev(), metadata.ino()));
        format!("{:x}-{:x}-{run_id}-{attempt}", place.0, place.1)
    }

    pub(super) fn leave_group(&mut self, task_id: &TaskId) {
        let Some(cgroups) = &self.cgroups else { return };
        let Some((run_id, attempt)) = self.tasks.get(task_id).and_then(Task::place) else { return };
        let group = self.group(run_id, attempt);
        if !cgroups.remove(&group) {
            // Daemons that it left live on in it.
            self.emptying.insert(group);
            self.child_ended();
        }
    }
}
