//! Where things lie in the data directory, and who may look.
//!
//! ```text
//! keeper.lock     held by the one keeper for as long as it lives; its process id
//! keeper.sock     where the keeper listens
//! keeper.journal  what the keeper has promised and seen
//! keeper.log      what it complains of
//! runs/<incarnation>/<run id>/<attempt>/   working directory, with stdout and stderr
//! ```

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::model::RunId;

/// Passing through without looking: commands of other users must reach their own directory.
const PASSAGE: u32 = 0o711;

/// The data directory, by its one absolute name without links.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// # Errors
    ///
    /// If there is no such directory.
    pub(super) fn new(data_dir: &Path) -> io::Result<Self> {
        Ok(Self { root: fs::canonicalize(data_dir)? })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("keeper.lock")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("keeper.journal")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("keeper.log")
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(super) fn run(&self, run_id: RunId) -> PathBuf {
        self.runs().join(run_id.incarnation.to_string()).join(run_id.to_string())
    }

    pub(super) fn attempt(&self, run_id: RunId, attempt: u32) -> PathBuf {
        self.run(run_id).join(attempt.to_string())
    }

    /// A name of the keeper's socket that always fits: a socket's address holds 107 bytes, a path may have 4,095.
    ///
    /// # Errors
    ///
    /// If the directory cannot be opened.
    pub(super) fn socket(&self) -> io::Result<SocketName> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = File::from(rustix::fs::open(&self.root, flags, Mode::empty())?);
        let path = PathBuf::from(format!("/proc/self/fd/{}/keeper.sock", directory.as_raw_fd()));
        Ok(SocketName { _directory: directory, path })
    }

    /// Makes the working directory of an attempt, for `owner` (user, group) if that is another than the keeper.
    ///
    /// # Errors
    ///
    /// As the operating system says.
    pub(super) fn make_attempt(
        &self,
        run_id: RunId,
        attempt: u32,
        owner: Option<(u32, u32)>,
    ) -> io::Result<PathBuf> {
        let path = self.attempt(run_id, attempt);
        match make(&path, 0o700) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let run = self.run(run_id);
                for passage in [&self.runs(), run.parent().expect("a run lies in runs/"), &run] {
                    make_passage(passage)?;
                }
                make(&path, 0o700)?;
            }
            // An attempt that was taken back (too late, no process to be had) and is launched again.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if let Some((user, group)) = owner {
            open_passage(&self.root)?;
            chown(&path, Some(user), Some(group))?;
        }
        Ok(path)
    }
}

/// A short name of the socket, good while this value lives.
#[derive(Debug)]
pub(super) struct SocketName {
    _directory: File,
    path: PathBuf,
}

impl SocketName {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(mode).create(path)
}

fn make_passage(path: &Path) -> io::Result<()> {
    match make(path, PASSAGE) {
        // The umask took the passage away.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(PASSAGE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lets others pass through `path`, so that a command of theirs can use the absolute name of its working directory.
/// They still cannot list it; everything in it has its own mode.
fn open_passage(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o011 == 0o011 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode((mode & 0o7777) | 0o011))
}
