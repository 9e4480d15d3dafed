//! The file that is written: appended to whole lines only, put aside at a size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The open log.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Up to where whole lines stand.
    length: u64,
    /// Whether something stands behind them that could not be taken back.
    is_torn: bool,
}

impl LogFile {
    /// Opens it for us alone, making it if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        let length = file.metadata()?.len();
        // A process that died while it wrote leaves a line without its end.
        let mut last = [b'\n'];
        if length > 0 {
            file.seek(SeekFrom::Start(length - 1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self { path: path.to_owned(), file, length, is_torn: last != [b'\n'] })
    }

    /// Appends a line, into a fresh file if this one is full.
    pub(super) fn append(
        &mut self,
        line: &[u8],
        bytes_max: u64,
        old_max: u32,
        is_synced: bool,
    ) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(length) > bytes_max {
            self.put_aside(old_max)?;
        }
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.length = self.file.metadata()?.len();
            self.is_torn = false;
        }
        let written = self.file.write_all(line);
        let written =
            if is_synced { written.and_then(|()| self.file.sync_data()) } else { written };
        match written {
            Ok(()) => self.length = self.length.saturating_add(length),
            Err(_) => self.is_torn = self.file.set_len(self.length).is_err(),
        }
        written
    }

    /// Begins a fresh file. Whatever fails on the way can be tried again, and no old file is lost by that.
    fn put_aside(&mut self, old_max: u32) -> io::Result<()> {
        let new = fresh(&self.path);
        // What an interrupted rotation left behind; nothing was written to it.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The step that fails when there is no room or no descriptor comes before anything is moved.
        let opened = Self::open(&new)?;
        // Without a current file the rotation before this one ended here: what it made room for is put aside already.
        if old_max > 0 && fs::exists(&self.path)? {
            // Up to the first gap only, which may be that of a rotation that was interrupted.
            let mut last = 1;
            while last < old_max && fs::exists(old(&self.path, last))? {
                last += 1;
            }
            for number in (1..=last).rev() {
                let from =
                    if number == 1 { self.path.clone() } else { old(&self.path, number - 1) };
                fs::rename(from, old(&self.path, number))?;
            }
        }
        fs::rename(&new, &self.path)?;
        *self = Self { path: self.path.clone(), ..opened };
        Ok(())
    }
}

/// Where a fresh file is opened before it gets its place.
fn fresh(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// The file that was put aside `number` files ago.
pub(super) fn old(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}
