//! Resources as limits: a control group for each attempt, in either generation of the kernel's interface.
//!
//! Both generations do four things: make a group with limits, let a process in, name or end everything in it, remove
//! it. A group lies at `chronode/<name>` below the root of each hierarchy; the name carries the data directory, so that
//! two schedulers on one machine do not meet.
//!
//! Memory is a limit beyond which the kernel ends processes; `cpus` is a share of a busy machine, and the most that is
//! given only on request; processes and threads are bounded by one number for all. A resource of 0 is not limited.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::model::{Resources, Scalar};

/// The period over which a quota of processor time is given out, in microseconds. The kernel's default.
const PERIOD_US: u64 = 100_000;

/// What a group is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// What the attempt wants.
    pub(super) resources: Resources,
    /// Whether `cpus` is the most it gets.
    pub(super) cpu_quota: bool,
    /// Processes and threads.
    pub(super) pids_max: u32,
}

/// One generation of control groups.
pub(super) trait Cgroups: Send + Sync + std::fmt::Debug {
    /// Makes the group `name`; one that is left from before gets the new limits.
    ///
    /// # Errors
    ///
    /// As the kernel says.
    fn create(&self, name: &str, limits: &Limits) -> io::Result<()>;

    /// The files into which a process writes `0` to be in the group.
    ///
    /// # Errors
    ///
    /// As the kernel says.
    fn doors(&self, name: &str) -> io::Result<Vec<OwnedFd>>;

    /// The numbers of the processes in the group; none if there is no such group.
    fn pids(&self, name: &str) -> Vec<i32>;

    /// Ends everything in the group with the kernel's help, if it offers any.
    fn kill(&self, name: &str);

    /// How often the kernel ended a process of the group for its use of memory.
    fn out_of_memory_kills(&self, name: &str) -> u64;

    /// Removes the group; whether it is gone. It stays while processes are in it.
    fn remove(&self, name: &str) -> bool;
}

/// Why resources cannot be limits here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error(
        "isolation by cgroups is not possible: {missing}. Run as root on a machine with the memory, cpu and pids \
         controllers, or set `--local_isolation none`"
    )]
    Missing { missing: String },
    #[error(
        "isolation by cgroups is not possible: cannot write below `{path}`. Run as root, or set \
             `--local_isolation none`"
    )]
    NotAllowed {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Finds the generation that this machine uses for memory, cpu and pids, and tries it.
///
/// # Errors
///
/// [`Unavailable`].
pub(super) fn detect() -> Result<Box<dyn Cgroups>, Unavailable> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| Unavailable::Missing { missing: error.to_string() })?;
    let mounts = Mounts::parse(&mounts);
    if let Some(root) = mounts.unified.filter(|root| has_controllers(root)) {
        let groups = V2 { root };
        groups.prepare()?;
        return Ok(Box::new(groups));
    }
    let [Some(memory), Some(cpu), Some(pids)] = mounts.by_controller else {
        let names = ["memory", "cpu", "pids"];
        let missing = names.iter().zip(&mounts.by_controller).filter(|(_, mount)| mount.is_none());
        let missing = missing.map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(Unavailable::Missing {
            missing: format!("no cgroup controller for {missing}"),
        });
    };
    let groups = V1 { memory, cpu, pids };
    groups.prepare()?;
    Ok(Box::new(groups))
}

fn has_controllers(root: &Path) -> bool {
    let there = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    ["memory", "cpu", "pids"].iter().all(|wanted| there.split_whitespace().any(|c| c == *wanted))
}

/// Where the hierarchies are mounted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mounts {
    unified: Option<PathBuf>,
    by_controller: [Option<PathBuf>; 3],
}

impl Mounts {
    /// `36 35 98:0 /root /mount/point options - type source super,options`
    fn parse(text: &str) -> Self {
        let mut mounts = Self::default();
        for line in text.lines() {
            let Some((front, back)) = line.split_once(" - ") else { continue };
            let Some(point) = front.split(' ').nth(4).map(PathBuf::from) else { continue };
            let mut back = back.split(' ');
            match (back.next(), back.nth(1)) {
                (Some("cgroup2"), _) => mounts.unified = Some(point),
                (Some("cgroup"), Some(options)) => {
                    for (name, place) in
                        ["memory", "cpu", "pids"].iter().zip(&mut mounts.by_controller)
                    {
                        if options.split(',').any(|option| option == *name) {
                            *place = Some(point.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        mounts
    }
}

fn not_allowed(path: &Path) -> impl FnOnce(io::Error) -> Unavailable {
    let path = path.to_owned();
    move |source| Unavailable::NotAllowed { path, source }
}

/// One hierarchy for each controller.
#[derive(Debug)]
struct V1 {
    memory: PathBuf,
    cpu: PathBuf,
    pids: PathBuf,
}

impl V1 {
    /// The mounts, each once: `cpu` and others may share one.
    fn hierarchies(&self) -> Vec<&Path> {
        let mut all: Vec<&Path> = vec![&self.memory, &self.cpu, &self.pids];
        all.dedup();
        all
    }

    fn prepare(&self) -> Result<(), Unavailable> {
        for hierarchy in self.hierarchies() {
            let parent = hierarchy.join("chronode");
            make(&parent).map_err(not_allowed(&parent))?;
        }
        Ok(())
    }
}

impl Cgroups for V1 {
    fn create(&self, name: &str, limits: &Limits) -> io::Result<()> {
        for hierarchy in self.hierarchies() {
            make(&group(hierarchy, name))?;
        }
        let Resources { cpus, mem, disk: _, ports: _ } = limits.resources;
        if mem > Scalar::ZERO {
            set(&group(&self.memory, name), "memory.limit_in_bytes", &bytes(mem).to_string())?;
        }
        if cpus > Scalar::ZERO {
            // 1,024 shares are one processor's worth; 2 is the least.
            let shares = (cpus.thousandths().saturating_mul(1_024) / 1_000).clamp(2, 262_144);
            set(&group(&self.cpu, name), "cpu.shares", &shares.to_string())?;
            if limits.cpu_quota {
                set(&group(&self.cpu, name), "cpu.cfs_period_us", &PERIOD_US.to_string())?;
                set(&group(&self.cpu, name), "cpu.cfs_quota_us", &quota_us(cpus).to_string())?;
            }
        }
        set(&group(&self.pids, name), "pids.max", &limits.pids_max.to_string())
    }

    fn doors(&self, name: &str) -> io::Result<Vec<OwnedFd>> {
        self.hierarchies().into_iter().map(|hierarchy| door(&group(hierarchy, name))).collect()
    }

    fn pids(&self, name: &str) -> Vec<i32> {
        pids(&group(&self.pids, name))
    }

    fn kill(&self, _name: &str) {
        // This generation offers nothing; `pids` is asked instead.
    }

    fn out_of_memory_kills(&self, name: &str) -> u64 {
        number(&group(&self.memory, name), "memory.oom_control", "oom_kill")
    }

    fn remove(&self, name: &str) -> bool {
        self.hierarchies().into_iter().all(|hierarchy| remove(&group(hierarchy, name)))
    }
}

/// One hierarchy for all controllers.
#[derive(Debug)]
struct V2 {
    root: PathBuf,
}

impl V2 {
    fn prepare(&self) -> Result<(), Unavailable> {
        let parent = self.root.join("chronode");
        make(&parent).map_err(not_allowed(&parent))?;
        for level in [&self.root, &parent] {
            set(level, "cgroup.subtree_control", "+memory +cpu +pids")
                .map_err(not_allowed(level))?;
        }
        Ok(())
    }
}

impl Cgroups for V2 {
    fn create(&self, name: &str, limits: &Limits) -> io::Result<()> {
        let group = group(&self.root, name);
        make(&group)?;
        let Resources { cpus, mem, disk: _, ports: _ } = limits.resources;
        if mem > Scalar::ZERO {
            set(&group, "memory.max", &bytes(mem).to_string())?;
        }
        if cpus > Scalar::ZERO {
            // 100 is the weight of a group that says nothing; here, of one processor.
            let weight = (cpus.thousandths() / 10).clamp(1, 10_000);
            set(&group, "cpu.weight", &weight.to_string())?;
            if limits.cpu_quota {
                set(&group, "cpu.max", &format!("{} {PERIOD_US}", quota_us(cpus)))?;
            }
        }
        set(&group, "pids.max", &limits.pids_max.to_string())
    }

    fn doors(&self, name: &str) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![door(&group(&self.root, name))?])
    }

    fn pids(&self, name: &str) -> Vec<i32> {
        pids(&group(&self.root, name))
    }

    fn kill(&self, name: &str) {
        // Since Linux 5.14; before that `pids` is asked, as in the first generation.
        let _ = set(&group(&self.root, name), "cgroup.kill", "1");
    }

    fn out_of_memory_kills(&self, name: &str) -> u64 {
        number(&group(&self.root, name), "memory.events", "oom_kill")
    }

    fn remove(&self, name: &str) -> bool {
        remove(&group(&self.root, name))
    }
}

fn group(hierarchy: &Path, name: &str) -> PathBuf {
    hierarchy.join("chronode").join(name)
}

fn bytes(mem: Scalar) -> u64 {
    // Thousandths of a MiB.
    u64::try_from(u128::from(mem.thousandths()) * (1 << 20) / 1_000).unwrap_or(u64::MAX)
}

fn quota_us(cpus: Scalar) -> u64 {
    // The kernel refuses less than a millisecond.
    (cpus.thousandths().saturating_mul(PERIOD_US) / 1_000).max(1_000)
}

fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn set(group: &Path, file: &str, value: &str) -> io::Result<()> {
    // Neither created nor truncated: these files are the kernel's.
    let mut file = OpenOptions::new().write(true).open(group.join(file))?;
    io::Write::write_all(&mut file, value.as_bytes())
}

fn door(group: &Path) -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().write(true).open(group.join("cgroup.procs"))?.into())
}

fn pids(group: &Path) -> Vec<i32> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn number(group: &Path, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

fn remove(group: &Path) -> bool {
    match fs::remove_dir(group) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        resources: Resources {
            cpus: Scalar::from_thousandths(500),
            mem: Scalar::from_thousandths(64_000),
            disk: Scalar::ZERO,
            ports: 0,
        },
        cpu_quota: true,
        pids_max: 100,
    };

    #[test]
    fn mounts_of_both_generations_are_found() {
        let text = "\
            24 1 0:21 / /sys rw - sysfs sysfs rw\n\
            30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
            32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let mounts = Mounts::parse(text);
        assert_eq!(mounts.unified, Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(
            mounts.by_controller,
            [Some("/sys/fs/cgroup/memory".into()), Some("/sys/fs/cgroup/cpu,cpuacct".into()), None]
        );
    }

    /// What the kernel would put into a new group of the second generation.
    fn fake_v2(root: &Path, levels: &[&str]) {
        for level in levels {
            let path = root.join(level);
            fs::create_dir_all(&path).unwrap();
            for file in [
                "cgroup.controllers",
                "cgroup.subtree_control",
                "cgroup.procs",
                "cgroup.kill",
                "memory.max",
                "memory.events",
                "cpu.weight",
                "cpu.max",
                "pids.max",
            ] {
                fs::write(path.join(file), "").unwrap();
            }
        }
    }

    #[test]
    fn the_second_generation_gets_its_limits() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        fake_v2(root, &["", "chronode", "chronode/a"]);
        fs::write(root.join("cgroup.controllers"), "cpuset cpu io memory pids\n").unwrap();
        assert!(has_controllers(root));
        let groups = V2 { root: root.to_owned() };
        groups.prepare().unwrap();
        groups.create("a", &LIMITS).unwrap();
        let read = |file: &str| fs::read_to_string(root.join("chronode").join(file)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+memory +cpu +pids");
        assert_eq!(read("a/memory.max"), (64 << 20).to_string());
        assert_eq!(read("a/cpu.weight"), "50");
        assert_eq!(read("a/cpu.max"), "50000 100000");
        assert_eq!(read("a/pids.max"), "100");
        fs::write(root.join("chronode/a/cgroup.procs"), "4\n5\n").unwrap();
        assert_eq!(groups.pids("a"), [4, 5]);
        fs::write(root.join("chronode/a/memory.events"), "low 0\noom 2\noom_kill 1\n").unwrap();
        assert_eq!(groups.out_of_memory_kills("a"), 1);
        groups.kill("a");
        assert_eq!(read("a/cgroup.kill"), "1");
        assert_eq!(groups.doors("a").unwrap().len(), 1);
        assert!(groups.remove("never-there") && groups.pids("never-there").is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let tree = tempfile::tempdir().unwrap();
        let groups = V2 { root: tree.path().join("gone") };
        let error = groups.prepare().unwrap_err().to_string();
        assert!(error.contains("--local_isolation none"), "{error}");
    }
}
