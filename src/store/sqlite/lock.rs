//! The data directory: ours alone, on a disk of this machine, used by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::Error;

/// The lock's name in the data directory. It holds the process id of its holder, for people.
pub const LOCK_FILE: &str = "chronode.lock";

/// A data directory, locked. The lock ends with the last clone.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    /// The kernel's lock belongs to this open file and ends with it, however the process ends. It is closed on exec,
    /// so no child holds it on.
    _lock: Arc<File>,
}

impl DataDir {
    /// Locks the directory at `path`, making it (for its owner only) if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::DataDir`] if others could change it, it is on a network file system, or another process uses it;
    /// [`Error::Io`] if the file system does not cooperate.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |doing| move |source| Error::Io { doing, path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make"))?;
        let metadata = fs::metadata(path).map_err(failed("look at"))?;
        let me = rustix::process::geteuid().as_raw();
        let file_system = rustix::fs::statfs(path)
            .map_err(|error| failed("look at the file system of")(error.into()))?;
        let refusal = ownership_refusal(metadata.mode(), metadata.uid(), me)
            .or_else(|| network_refusal(file_system_magic(&file_system)));
        if let Some(why) = refusal {
            return Err(Error::DataDir { path: path.to_owned(), why });
        }
        let lock = take_lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: Arc::new(lock) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whoever can change the state can run commands as the scheduler's user.
fn ownership_refusal(mode: u32, owner: u32, me: u32) -> Option<String> {
    if owner != me && me != 0 {
        return Some(format!(
            "it belongs to user {owner} and this process runs as user {me}: \
             run it as that user, or change the owner"
        ));
    }
    let bits = mode & 0o7777;
    (bits & 0o022 != 0)
        .then(|| format!("others may write to it (its mode is {bits:04o}): run `chmod go-w` on it"))
}

/// Locks and shared memory of network file systems do not keep a database safe.
fn network_refusal(magic: u64) -> Option<String> {
    let name = match magic {
        0x6969 => "NFS",
        0x517b => "SMB",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB2",
        0x0102_1997 => "9P",
        0x5346_414f => "AFS",
        0x7375_7245 => "Coda",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        _ => return None,
    };
    Some(format!(
        "it is on a network file system ({name}), on which a database is not safe: \
         use a directory on a disk of this machine"
    ))
}

/// The magic number, whose type differs between processors; the upper half of a 64-bit one is not used.
#[expect(
    clippy::allow_attributes,
    reason = "whether the cast can lose its sign depends on the target"
)]
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, clippy::unnecessary_cast)]
fn file_system_magic(file_system: &rustix::fs::StatFs) -> u64 {
    u64::from(file_system.f_type as u32)
}

fn take_lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join(LOCK_FILE);
    let failed = |source| Error::Io { doing: "lock", path: path.clone(), source };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // Only for people: on a full disk the lock holds without it.
            drop(note_holder(&mut file));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = match file.read_to_string(&mut holder) {
                Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
                Ok(_) | Err(_) => "another process".to_owned(),
            };
            let why = format!("{holder} is using it: stop that one, or give this one another");
            Err(Error::DataDir { path: directory.to_owned(), why })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn note_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_user_of_the_directory_is_refused_naming_the_first() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let error = DataDir::open(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("process {} is using it", std::process::id())), "{error}");
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o770, 0o702, 0o1777] {
            fs::set_permissions(parent.path(), fs::Permissions::from_mode(mode)).unwrap();
            let error = DataDir::open(parent.path()).unwrap_err().to_string();
            assert!(error.contains("others may write to it"), "{error}");
        }
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
        DataDir::open(parent.path()).unwrap();
    }

    #[test]
    fn only_root_may_use_the_directory_of_another() {
        assert_eq!(ownership_refusal(0o700, 1000, 1000), None);
        assert_eq!(ownership_refusal(0o700, 1000, 0), None);
        let why = ownership_refusal(0o700, 0, 1000).unwrap();
        assert!(why.contains("belongs to user 0"), "{why}");
    }

    #[test]
    fn network_file_systems_are_refused_by_name() {
        for (magic, name) in [(0x6969, "NFS"), (0xff53_4d42, "CIFS"), (0x0102_1997, "9P")] {
            assert!(network_refusal(magic).unwrap().contains(name));
        }
        // ext4, btrfs, xfs, tmpfs, overlayfs, zfs.
        for magic in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1] {
            assert_eq!(network_refusal(magic), None, "{magic:x}");
        }
    }
}
