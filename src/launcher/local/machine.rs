//! What this machine is: its size, its boot, and whose processes we see.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::model::{Resources, Scalar};

/// Inode of the first process id namespace of a machine, fixed in the kernel (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// Which life of the machine this is.
///
/// # Errors
///
/// If `/proc` does not say.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// Which process id namespace we are in: process ids mean nothing in another.
///
/// # Errors
///
/// If `/proc` does not say.
pub(super) fn pid_namespace() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// All processors, memory, and the size of the file system that `data_dir` is on.
///
/// # Errors
///
/// If the machine does not say.
pub(super) fn resources(data_dir: &Path) -> io::Result<Resources> {
    let cpus = u64::try_from(std::thread::available_parallelism()?.get()).unwrap_or(u64::MAX);
    let disk = rustix::fs::statvfs(data_dir)?;
    let disk_mib = disk.f_blocks.saturating_mul(disk.f_frsize) >> 20;
    Ok(Resources {
        cpus: Scalar::from_thousandths(cpus.saturating_mul(1_000)),
        mem: Scalar::from_thousandths(memory_mib()?.saturating_mul(1_000)),
        disk: Scalar::from_thousandths(disk_mib.saturating_mul(1_000)),
        ports: 0,
    })
}

fn memory_mib() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    text.lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok())
        .map(|kib: u64| kib >> 10)
        .ok_or_else(|| io::Error::other("`/proc/meminfo` has no `MemTotal`"))
}

/// Whether ending this scheduler ends the whole container, and with it every run: process 1 is the scheduler itself or
/// the shell that started it. Elsewhere the keeper and its runs outlive the scheduler.
#[must_use]
pub fn dies_with_scheduler() -> bool {
    if pid_namespace().is_ok_and(|inode| inode == FIRST_PID_NAMESPACE) {
        return false;
    }
    if std::process::id() == 1 {
        return true;
    }
    let parent_is_first = rustix::process::getppid().is_some_and(rustix::process::Pid::is_init);
    // A real init stays when its service ends.
    let name = fs::read_to_string("/proc/1/comm").unwrap_or_default();
    parent_is_first && !matches!(name.trim(), "systemd" | "init")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_a_size_and_a_boot() {
        let resources = resources(Path::new("/")).unwrap();
        assert!(resources.cpus >= Scalar::from_thousandths(1_000));
        assert!(resources.mem > Scalar::from_thousandths(64_000));
        assert!(resources.disk > Scalar::ZERO);
        assert_eq!(boot_id().unwrap().len(), 36);
        assert!(pid_namespace().unwrap() > 0);
    }
}
