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

    fn put_aside(&mut self, old_max: u32) -> io::Result<()> {
        if old_max == 0 {
            fs::remove_file(&self.path)?;
        }
        for number in (1..=old_max).rev() {
            let from = if number == 1 { self.path.clone() } else { old(&self.path, number - 1) };
            match fs::rename(&from, old(&self.path, number)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => renamed?,
            }
        }
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

/// The file that was put aside `number` files ago.
pub(super) fn old(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}
