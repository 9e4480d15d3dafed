//! Copying the database while it is in use, from this process or another.
//!
//! The copy is that of one instant: one read transaction is held throughout, which stops neither commits nor other
//! readers; only the log cannot be emptied meanwhile. It is made under another name, checked, brought to the disk and
//! renamed, so that a file of the wanted name is always a whole backup. To restore, put it in the place of the
//! database of a stopped Chronode, whose `-wal` and `-shm` files must be gone.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::open::{self, error};
use crate::store::Error;

/// Pages copied between two looks at whether the copy is complete.
const PAGES_PER_STEP: std::ffi::c_int = 1_024;

/// What becomes of a file that has the backup's name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and no backup is made.
    Refuse,
    /// The backup takes its place when it is complete.
    Replace,
}

/// Copies the database at `from` to the file `to`. Blocks.
///
/// # Errors
///
/// [`Error`]: `to` is as it was before.
pub fn backup(from: &Path, to: &Path, existing: Existing) -> Result<(), Error> {
    refuse_existing(to, existing)?;
    let source = open::connect_read_only(from)?;
    open::check_identity(&source, from)?;
    let partial = open::beside(to, &format!(".partial-{}", std::process::id()));
    open::remove_if_there(&partial)?;
    let result = copy(&source, from, &partial).and_then(|()| publish(&partial, to, existing));
    if result.is_err() {
        // The failure to tell is the first one; what cannot be removed has a name that says what it is.
        drop(open::remove_if_there(&partial));
    }
    result
}

fn refuse_existing(to: &Path, existing: Existing) -> Result<(), Error> {
    match (existing, fs::symlink_metadata(to)) {
        (Existing::Refuse, Ok(_)) => Err(Error::Exists { path: to.to_owned() }),
        (Existing::Replace, _) => Ok(()),
        (Existing::Refuse, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (Existing::Refuse, Err(source)) => {
            Err(Error::Io { doing: "look at", path: to.to_owned(), source })
        }
    }
}

fn copy(source: &Connection, from: &Path, partial: &Path) -> Result<(), Error> {
    let failed = |source| error("copy the database", from, source);
    open::make_file(partial)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(partial, flags).map_err(failed)?;
    // A copy that is not complete is thrown away, so it needs neither journal nor syncs before its end.
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(())).map_err(failed)?;
    target.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
    // Reading begins the transaction. Without it every commit between two steps would start the copy again.
    source.execute_batch("BEGIN").map_err(failed)?;
    source.query_row("SELECT COUNT(*) FROM meta", [], |_| Ok(())).map_err(failed)?;
    let copying = Backup::new(source, &mut target).map_err(failed)?;
    while copying.step(PAGES_PER_STEP).map_err(failed)? != StepResult::Done {}
    drop(copying);
    source.execute_batch("COMMIT").map_err(failed)?;
    open::check_structure(&target, partial)?;
    target.close().map_err(|(_, source)| failed(source))?;
    open::sync(partial)
}

fn publish(partial: &Path, to: &Path, existing: Existing) -> Result<(), Error> {
    let moved = match existing {
        Existing::Replace => fs::rename(partial, to),
        Existing::Refuse => rename_to_free_name(partial, to),
    };
    moved.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: to.to_owned() },
        _ => Error::Io { doing: "name the backup", path: to.to_owned(), source },
    })?;
    open::sync_directory_of(to)
}

/// Fails if the name was taken meanwhile, as a plain rename would not.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system that cannot, such as NFS, which is a fine place for a backup; it has links.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to).and_then(|()| fs::remove_file(from))
        }
        Err(error) => Err(error.into()),
    }
}
