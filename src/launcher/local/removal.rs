//! Removing what a command left behind, however deep and however wide.
//!
//! A command may nest directories as deep as its disk allows, so nothing here calls itself, holds more than three
//! descriptors, or builds a path: whatever a directory contains is moved to the top, where it is next. Links are
//! removed, never followed.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Entries looked at before the top is read from its beginning again.
const CHUNK: usize = 1_024;

/// Removes the directory and everything in it. One that is not there is fine.
///
/// # Errors
///
/// If something cannot be removed; what has been removed by then is gone.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match open(rustix::fs::CWD, path) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut moved = 0;
    loop {
        let names = names(&top)?;
        if names.is_empty() {
            break;
        }
        for name in names {
            remove_entry(&top, &name, &mut moved)?;
        }
    }
    std::fs::remove_dir(path)
}

fn open<P: rustix::path::Arg>(at: impl std::os::fd::AsFd, path: P) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, path, flags, Mode::empty())
}

/// Some of the names in a directory, none only if there is none.
fn names(directory: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
        if names.len() == CHUNK {
            break;
        }
    }
    Ok(names)
}

/// Removes one entry of the top; a directory's own entries are moved to the top first.
fn remove_entry(top: &OwnedFd, name: &CString, moved: &mut u64) -> io::Result<()> {
    match rustix::fs::unlinkat(top, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // POSIX says EPERM, Linux EISDIR.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    if rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR).is_ok() {
        return Ok(());
    }
    let directory = open(top, name)?;
    loop {
        let inner = names(&directory)?;
        if inner.is_empty() {
            break;
        }
        for entry in inner {
            if rustix::fs::unlinkat(&directory, &entry, AtFlags::empty()).is_err() {
                move_up(&directory, &entry, top, moved)?;
            }
        }
    }
    Ok(rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR)?)
}

fn move_up(directory: &OwnedFd, entry: &CString, top: &OwnedFd, moved: &mut u64) -> io::Result<()> {
    loop {
        *moved += 1;
        let free = format!(".removing-{moved}");
        match rustix::fs::renameat_with(directory, entry, top, free, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            // The command has used that very name.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_as_deep_as_a_command_likes_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let run = place.path().join("run");
        fs::create_dir(&run).unwrap();
        let mut at = open(rustix::fs::CWD, &run).unwrap();
        // Deeper than any stack of calls or descriptors, and than any path.
        for _ in 0..30_000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = open(&at, "d").unwrap();
        }
        drop(at);
        remove_tree(&run).unwrap();
        assert!(!run.exists());
    }

    #[test]
    fn links_are_removed_and_what_they_point_to_stays() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("precious"), "x").unwrap();
        let run = place.path().join("run");
        fs::create_dir_all(run.join("a/b")).unwrap();
        fs::create_dir(run.join(".removing-1")).unwrap();
        fs::write(run.join("a/b/file"), "x").unwrap();
        symlink(&outside, run.join("link")).unwrap();
        symlink(&outside, run.join("a/link")).unwrap();
        remove_tree(&run).unwrap();
        remove_tree(&run).unwrap();
        assert!(!run.exists());
        assert!(outside.join("precious").exists());
    }
}
