//! The only unsafe code: what must happen between `fork` and `exec`, and two things about descriptors.
//!
//! The standard library can start a program in a process group, but not in a session, with supplementary groups, in a
//! cgroup, or with another umask. It offers `pre_exec`, which runs in the forked child, where only system calls are
//! allowed: no memory may be asked for, no lock taken. Everything here is prepared before the fork, and the closure
//! makes system calls alone. The price, that `pre_exec` makes the library `fork` rather than `vfork`, is paid by the
//! keeper, which is small, and not by the scheduler.

#![expect(
    unsafe_code,
    reason = "`pre_exec` is the library's only way to a new session, inherited descriptors have only their number, \
              and tokio cannot check that a descriptor stays open"
)]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::Mode;
use rustix::io::FdFlags;
use rustix::process::{Gid, Resource, Rlimit, Uid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What a command becomes before it is one.
#[derive(Debug)]
pub(super) struct Setup {
    /// User, group and all groups to change to.
    pub(super) become_user: Option<(Uid, Gid, Vec<Gid>)>,
    /// `cgroup.procs` of the groups to join, open for writing.
    pub(super) cgroups: Vec<OwnedFd>,
    /// The limit on descriptors that the keeper itself was given.
    pub(super) descriptors: Rlimit,
}

/// Makes `command` start as `setup` says: leader of its own session and process group, with the umask that cron gives.
pub(super) fn prepare(command: &mut Command, setup: Setup) {
    let before_exec = move || {
        rustix::process::setsid()?;
        for group in &setup.cgroups {
            // "0" is whoever writes.
            rustix::io::write(group, b"0")?;
        }
        rustix::process::setrlimit(Resource::Nofile, setup.descriptors)?;
        rustix::process::umask(Mode::from_raw_mode(0o022));
        if let Some((user, group, groups)) = &setup.become_user {
            // Of the calling thread, which after a fork is the only one. The user goes last: it takes the right away.
            rustix::thread::set_thread_groups(groups)?;
            rustix::thread::set_thread_res_gid(*group, *group, *group)?;
            rustix::thread::set_thread_res_uid(*user, *user, *user)?;
        }
        Ok(())
    };
    // SAFETY: the closure runs in a forked child. It makes system calls on values made before the fork, allocates
    // nothing (`?` converts an error number into an `io::Error` that holds it inline), takes no lock, and its captured
    // values are never dropped in the child.
    unsafe { command.pre_exec(before_exec) };
}

/// Closes at `exec` what whoever started us left open without saying so.
///
/// # Errors
///
/// If `/proc` does not list our descriptors.
pub(super) fn seal_inherited() -> io::Result<()> {
    let numbers = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .collect::<Vec<_>>();
    for number in numbers.into_iter().filter(|&number| number > 2) {
        // SAFETY: the number was just listed; called first thing, while nothing else opens or closes any. Should it
        // be closed by now (the listing's own), the system says `EBADF`, which is what we want.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = rustix::io::fcntl_setfd(descriptor, FdFlags::CLOEXEC);
    }
    Ok(())
}

/// Something to await the end of a process with: its descriptor is readable from then on.
///
/// # Errors
///
/// If the runtime cannot watch it.
pub(super) fn ended(process: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open as long as it lives, is always the same number, and lives in the `AsyncFd`.
    let watched = unsafe { AsyncFd::register_with_interest(process, Interest::READABLE) };
    Ok(watched?)
}
