//! The first process of a container: starts the scheduler, passes signals on to it, and reaps whoever nobody waits for.
//!
//! The kernel makes the first process of a container the parent of every orphan, and ignores signals for which it has no
//! handler. The scheduler itself is no good at that: it would have to guess which of its dead children belong to a
//! library that waits for them. So `serve` as process 1 starts itself once more and does nothing else; it needs no
//! `tini`, and is harmless under one, because then it is not the first.
//!
//! When the scheduler ends, so does this process, with the same code; the kernel then ends everything in the container.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

/// What is passed on.
const PASSED_ON: [(fn() -> SignalKind, Signal); 6] = [
    (SignalKind::terminate, Signal::TERM),
    (SignalKind::interrupt, Signal::INT),
    (SignalKind::hangup, Signal::HUP),
    (SignalKind::quit, Signal::QUIT),
    (SignalKind::user_defined1, Signal::USR1),
    (SignalKind::user_defined2, Signal::USR2),
];

/// Whether this is the first process of a container.
#[must_use]
pub fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs `executable`, this program, with the arguments of this process until it ends.
///
/// Returns its exit code; 128 and the number of the signal that ended it, as shells have it.
///
/// # Errors
///
/// If it cannot be started, or the machine refuses to say how it ended.
pub fn run(executable: &Path) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the first process's loop")?;
    runtime.block_on(look_after(executable))
}

async fn look_after(executable: &Path) -> anyhow::Result<ExitCode> {
    let refused = "cannot listen for signals";
    let mut ended = signal(SignalKind::child()).context(refused)?;
    let signals = PASSED_ON.map(|(kind, number)| signal(kind()).map(|stream| (stream, number)));
    let signals = signals.into_iter().collect::<io::Result<Vec<_>>>().context(refused)?;
    let scheduler = Command::new(executable)
        .args(std::env::args_os().skip(1))
        // A terminal signals the whole group: the scheduler would hear of each signal twice, and not drain.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{}`", executable.display()))?;
    let scheduler = Pid::from_child(&scheduler);
    for (mut stream, number) in signals {
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                // It is there, or a zombie, until it is reaped, and then this process ends.
                let _ = kill_process(scheduler, number);
            }
        });
    }
    loop {
        if let Some(status) = reap(scheduler).context("cannot wait for the scheduler")? {
            return Ok(exit_code(status));
        }
        ended.recv().await;
    }
}

/// Reaps everybody who has ended. Returns how `scheduler` did, if it is among them.
fn reap(scheduler: Pid) -> Result<Option<WaitStatus>, Errno> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == scheduler => return Ok(Some(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

fn exit_code(status: WaitStatus) -> ExitCode {
    let number = status.exit_status().or_else(|| Some(128 + status.terminating_signal()?));
    number.and_then(|number| u8::try_from(number).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
