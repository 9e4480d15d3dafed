//! Processes as `/proc` shows them: who is who, who belongs to a run, and signals that cannot hit a stranger.
//!
//! A process id is reused; together with the start time it is not, within one boot. So a process is [`ProcessId`], and
//! a signal goes through a descriptor of the process whose start time was compared after it was opened.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessId {
    /// Its number.
    pub(super) pid: i32,
    /// When it started, in clock ticks since boot.
    pub(super) start_ticks: u64,
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) id: ProcessId,
    pub(super) parent: i32,
    pub(super) session: i32,
    /// It has ended and only its exit status is left.
    pub(super) is_zombie: bool,
}

impl Stat {
    /// Of the process with this number, if there is one.
    pub(super) fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Of this very process, if it has not ended.
    pub(super) fn of_living(id: ProcessId) -> Option<Self> {
        Self::of(id.pid).filter(|stat| stat.id == id && !stat.is_zombie)
    }

    fn parse(text: &str) -> Option<Self> {
        // `pid (name) state …`: the name may hold blanks and parentheses.
        let (head, rest) = text.rsplit_once(')')?;
        let pid = head.split_once(' ')?.0.parse().ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let threads: u64 = fields.get(17)?.parse().ok()?;
        Some(Self {
            id: ProcessId { pid, start_ticks: fields.get(19)?.parse().ok()? },
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            // A first thread that has ended looks like a zombie while other threads go on.
            is_zombie: matches!(*fields.first()?, "Z" | "X") && threads <= 1,
        })
    }
}

/// Sends `signal` to this very process; whether it was there.
pub(super) fn signal(id: ProcessId, signal: Signal) -> bool {
    let Some(pid) = Pid::from_raw(id.pid) else { return false };
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    // From here on the descriptor names one process; is it the one that is meant?
    Stat::of_living(id).is_some() && pidfd_send_signal(&descriptor, signal).is_ok()
}

/// What the environment of a run's processes carries; it follows them wherever they fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marks([Vec<u8>; 3]);

impl Marks {
    /// Of one attempt. The directory tells apart two schedulers on one machine, whose run ids may be equal.
    pub(super) fn new(run_id: &str, attempt: u32, directory: &Path) -> Self {
        let variable = |name: &str, value: &str| format!("{name}={value}").into_bytes();
        Self([
            variable("CHRONODE_RUN_ID", run_id),
            variable("CHRONODE_ATTEMPT", &attempt.to_string()),
            variable("MESOS_SANDBOX", &directory.to_string_lossy()),
        ])
    }

    fn are_in(&self, environment: &[u8]) -> bool {
        self.0.iter().all(|mark| environment.split(|&byte| byte == 0).any(|entry| entry == mark))
    }
}

/// What is known of a run's tree of processes.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// Its first process.
    pub(super) root: ProcessId,
    /// Whether the root's number cannot belong to anybody else: it is our child and not reaped. Then everything in the
    /// session of that number is the run's.
    pub(super) holds_root: bool,
    /// What its processes carry.
    pub(super) marks: Marks,
}

/// All processes at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    processes: Vec<(Stat, Vec<u8>)>,
}

impl Snapshot {
    /// Looks at every process; reads environments of those that started at `since_ticks` or later.
    ///
    /// # Errors
    ///
    /// If the processes cannot be listed.
    pub(super) fn take(since_ticks: u64) -> io::Result<Self> {
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let processes = all_pids()?
            .filter(|&pid| pid != own)
            .filter_map(Stat::of)
            .filter(|stat| !stat.is_zombie)
            .map(|stat| {
                let path = format!("/proc/{}/environ", stat.id.pid);
                let is_young = stat.id.start_ticks >= since_ticks;
                let environment = if is_young { fs::read(path).ok() } else { None };
                // Read after the number: it must still be the same process.
                let is_same = is_young && Stat::of_living(stat.id).is_some();
                (stat, environment.filter(|_| is_same).unwrap_or_default())
            })
            .collect();
        Ok(Self { processes })
    }

    /// The living processes of `tree`: of its session, marked as its own, `known` from earlier, and all their
    /// descendants. The root itself is among them only while it lives.
    pub(super) fn members(&self, tree: &Tree, known: &BTreeSet<ProcessId>) -> BTreeSet<ProcessId> {
        let root_lives = self.processes.iter().any(|(stat, _)| stat.id == tree.root);
        let session_is_ours = tree.holds_root || root_lives;
        let mut members: BTreeSet<ProcessId> = self
            .processes
            .iter()
            .filter(|(stat, environment)| {
                stat.id == tree.root
                    || known.contains(&stat.id)
                    || (session_is_ours && stat.session == tree.root.pid)
                    || tree.marks.are_in(environment)
            })
            .map(|(stat, _)| stat.id)
            .collect();
        loop {
            let pids: BTreeSet<i32> = members.iter().map(|id| id.pid).collect();
            let before = members.len();
            members.extend(
                self.processes
                    .iter()
                    .filter(|(stat, _)| pids.contains(&stat.parent))
                    .map(|(stat, _)| stat.id),
            );
            if members.len() == before {
                return members;
            }
        }
    }

    /// The first process of an attempt of which only the marks are known: it leads its session.
    pub(super) fn leader(&self, marks: &Marks) -> Option<ProcessId> {
        self.processes
            .iter()
            .filter(|(stat, environment)| stat.session == stat.id.pid && marks.are_in(environment))
            .map(|(stat, _)| stat.id)
            .min_by_key(|id| (id.start_ticks, id.pid))
    }
}

/// The numbers of the zombies among our children.
pub(super) fn zombie_children() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    all_pids()
        .into_iter()
        .flatten()
        .filter_map(Stat::of)
        .filter(|stat| stat.is_zombie && stat.parent == own)
        .map(|stat| stat.id.pid)
        .collect()
}

fn all_pids() -> io::Result<impl Iterator<Item = i32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_confuse() {
        let line = "42 (a) R (b) S 7 42 41 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat.id, ProcessId { pid: 42, start_ticks: 12_345 });
        assert_eq!((stat.parent, stat.session, stat.is_zombie), (7, 41, false));
        let threads = |n| format!("42 (a) Z 7 42 41 0 -1 4 1 0 0 0 0 0 0 0 20 0 {n} 0 1 1 1");
        assert!(Stat::parse(&threads(1)).unwrap().is_zombie);
        assert!(!Stat::parse(&threads(2)).unwrap().is_zombie);
        assert_eq!(Stat::parse("rubbish"), None);
    }

    #[test]
    fn a_stranger_with_the_same_number_is_not_signalled() {
        let own = i32::try_from(std::process::id()).unwrap();
        let stat = Stat::of(own).unwrap();
        let earlier = ProcessId { start_ticks: stat.id.start_ticks - 1, ..stat.id };
        assert!(!signal(earlier, Signal::KILL));
        assert!(signal(stat.id, Signal::CONT));
    }

    #[test]
    fn members_are_session_marks_and_descendants() {
        let marks = Marks::new("j1-s5", 0, Path::new("/d"));
        let environment = b"A=1\0CHRONODE_RUN_ID=j1-s5\0CHRONODE_ATTEMPT=0\0MESOS_SANDBOX=/d\0";
        let process = |pid, parent, session, environment: &[u8]| {
            let id = ProcessId { pid, start_ticks: 100 };
            (Stat { id, parent, session, is_zombie: false }, environment.to_vec())
        };
        let snapshot = Snapshot {
            processes: vec![
                process(11, 10, 10, b""),
                process(12, 11, 12, b""),
                process(13, 1, 13, environment),
                process(14, 13, 14, b""),
                process(15, 1, 15, b"CHRONODE_RUN_ID=j1-s5\0CHRONODE_ATTEMPT=0\0"),
                process(16, 1, 16, b"CHRONODE_RUN_ID=j1-s55\0"),
            ],
        };
        let root = ProcessId { pid: 10, start_ticks: 99 };
        let pids = |holds_root| -> Vec<i32> {
            let tree = Tree { root, holds_root, marks: marks.clone() };
            snapshot.members(&tree, &BTreeSet::new()).iter().map(|id| id.pid).collect()
        };
        assert_eq!(pids(true), [11, 12, 13, 14]);
        // The root's number may be somebody else's by now: only marks count.
        assert_eq!(pids(false), [13, 14]);
        assert_eq!(snapshot.leader(&marks).unwrap().pid, 13);
    }
}
