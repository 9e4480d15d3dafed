//! Commands that are really executed, each in a folder of its own as its sandbox.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;
use std::sync::Arc;

use chronode::mesos::wire::TaskInfo;
use rustix::process::{Pid, Signal, kill_process_group};

use super::super::model::Deed;
use super::super::model::agent::TaskKey;
use super::super::model::task::End;
use super::{Shared, State, files, lock};

/// A command that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    group: Option<Pid>,
}

/// Does on a machine what the model says is done there.
pub(super) fn perform(shared: &Shared, state: &mut State, deed: Deed) {
    match deed {
        Deed::Start { machine, task, container, info } => {
            start(shared, state, machine, task, &container, &info);
        }
        Deed::Ask { machine, task, grace: _ } => signal(state, machine, &task, Signal::TERM),
        Deed::Kill { machine, task } => signal(state, machine, &task, Signal::KILL),
    }
}

fn signal(state: &State, machine: usize, task: &TaskKey, signal: Signal) {
    if let Some(Running { group: Some(group) }) = state.running.get(&(machine, task.clone())) {
        // It may be over.
        let _ = kill_process_group(*group, signal);
    }
}

fn start(
    shared: &Shared,
    state: &mut State,
    machine: usize,
    task: TaskKey,
    container: &str,
    info: &TaskInfo,
) {
    let executor = info
        .executor
        .as_ref()
        .map_or(task.1.as_str(), |executor| executor.executor_id.value.as_str())
        .to_owned();
    let sandbox = files::sandbox(state, machine, &task.0, &executor, container);
    fs::create_dir_all(&sandbox).expect("a sandbox");
    let command = info.command.clone().unwrap_or_default();
    let value = command.value.clone().unwrap_or_default();
    let mut process = if command.shell.unwrap_or(true) {
        let mut process = Command::new("/bin/sh");
        process.arg("-c").arg(&value);
        process
    } else {
        let mut process = Command::new(&value);
        if let Some(name) = command.arguments.first() {
            process.arg0(name);
        }
        process.args(command.arguments.iter().skip(1));
        process
    };
    let file = |name: &str| fs::File::create(sandbox.join(name)).expect("a file");
    process.current_dir(&sandbox).stdin(std::process::Stdio::null());
    process.stdout(file("stdout")).stderr(file("stderr")).process_group(0);
    process.env("MESOS_SANDBOX", &sandbox).env("MESOS_TASK_ID", &task.1);
    for variable in command.environment.iter().flat_map(|environment| &environment.variables) {
        process.env(&variable.name, variable.value.clone().unwrap_or_default());
    }
    let Ok(mut child) = process.spawn() else {
        // As the launcher of Mesos does when there is no such program.
        state.cluster.command_ends(machine, &task, &End::Exits(1));
        return;
    };
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    state.running.insert((machine, task.clone()), Running { group });
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        let Ok(status) = child.wait() else { return };
        let end = status
            .code()
            .map_or_else(|| End::Signalled(name(status.signal().unwrap_or(0))), End::Exits);
        let mut state = lock(&shared);
        state.running.remove(&(machine, task.clone()));
        state.cluster.command_ends(machine, &task, &end);
        state.spread();
    });
}

/// A signal as `strsignal` names it.
fn name(signal: i32) -> &'static str {
    match signal {
        1 => "Hangup",
        2 => "Interrupt",
        6 => "Aborted",
        8 => "Floating point exception",
        9 => "Killed",
        11 => "Segmentation fault",
        13 => "Broken pipe",
        14 => "Alarm clock",
        15 => "Terminated",
        _ => "Unknown signal",
    }
}
