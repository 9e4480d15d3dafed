//! Keeps what a command prints: the beginning and the end of each stream, in bounded space.
//!
//! The form on disk is described in [`crate::launcher::local::output`]. Files are made with the first byte, so that a
//! silent run costs none. The directory belongs to the job: a file is made anew and never through a link, and what
//! stands in its place is removed. A full disk loses output, never a run.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::launcher::local::output::{Cut, Ring, Stream, open_directory};

/// Bytes copied at once when a ring is appended.
const COPY_BYTES: usize = 256 << 10;

/// One stream of one attempt, being written.
#[derive(Debug)]
pub(super) struct Capture {
    directory: PathBuf,
    stream: Stream,
    head_cap: u64,
    ring_cap: u64,
    head_len: u64,
    file: Option<File>,
    ring: Option<(File, Ring)>,
    /// Writing failed: what comes is dropped.
    broken: bool,
}

impl Capture {
    /// Keeps at most `cap_bytes` of `stream` in `directory`.
    pub(super) fn new(directory: PathBuf, stream: Stream, cap_bytes: u64) -> Self {
        let cap = cap_bytes.max(2);
        Self {
            directory,
            stream,
            head_cap: cap / 2,
            ring_cap: cap - cap / 2,
            head_len: 0,
            file: None,
            ring: None,
            broken: false,
        }
    }

    /// Keeps `bytes`, or notes once in the log that they cannot be kept.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.broken || bytes.is_empty() {
            return;
        }
        if let Err(error) = self.try_write(bytes) {
            self.break_off(&error);
        }
    }

    fn break_off(&mut self, error: &io::Error) {
        self.broken = true;
        tracing::warn!(
            "the rest of {} in {} is lost: {error}",
            self.stream.file_name(),
            self.directory.display()
        );
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = usize::try_from(self.head_cap - self.head_len).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        if !head.is_empty() {
            if self.file.is_none() {
                self.file = Some(self.create(self.stream.file_name())?);
            }
            let file = self.file.as_mut().expect("just made");
            file.write_all(head)?;
            self.head_len += head.len() as u64;
        }
        if rest.is_empty() { Ok(()) } else { self.write_ring(rest) }
    }

    fn write_ring(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.ring.is_none() {
            let file = self.create(&self.stream.tail_name())?;
            let (head, capacity) = (self.head_cap, self.ring_cap);
            self.ring = Some((file, Ring { head, capacity, reserved: 0, written: 0 }));
        }
        let (file, ring) = self.ring.as_mut().expect("just made");
        let end = ring.written + bytes.len() as u64;
        // Announced first: a reader that sees the old bytes must know that they may be the new ones.
        ring.reserved = end;
        file.write_all_at(&ring.header(), 0)?;
        let mut at = ring.written.max(end.saturating_sub(ring.capacity));
        let mut bytes = &bytes[usize::try_from(at - ring.written).unwrap_or(usize::MAX)..];
        while !bytes.is_empty() {
            let (offset, in_one) = ring.place(at);
            let count = usize::try_from(in_one).unwrap_or(usize::MAX).min(bytes.len());
            file.write_all_at(&bytes[..count], offset)?;
            at += count as u64;
            bytes = &bytes[count..];
        }
        ring.written = end;
        file.write_all_at(&ring.header(), 0)
    }

    fn directory(&self) -> io::Result<OwnedFd> {
        open_directory(&self.directory)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, name: &str) -> io::Result<File> {
        let directory = self.directory()?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || rustix::fs::openat(&directory, name, flags, Mode::from_raw_mode(0o600));
        match create() {
            // Planted by the job, or left by a start that was taken back. A directory stays, and we go without.
            Err(rustix::io::Errno::EXIST) => {
                rustix::fs::unlinkat(&directory, name, AtFlags::empty())?;
                Ok(create()?.into())
            }
            other => Ok(other?.into()),
        }
    }

    /// Whether [`Self::finish`] has something to do.
    pub(super) const fn needs_finish(&self) -> bool {
        self.ring.is_some()
    }

    /// The stream is over: makes one file of head and ring.
    pub(super) fn finish(mut self) {
        if let Err(error) = self.try_finish() {
            // The ring stays and is read as such.
            self.break_off(&error);
        }
    }

    fn try_finish(&mut self) -> io::Result<()> {
        let (Some(file), Some((tail, ring))) = (self.file.as_mut(), self.ring.as_ref()) else {
            return Ok(());
        };
        let oldest = ring.oldest();
        if oldest > 0 {
            file.write_all(Cut::marker_line(oldest).as_bytes())?;
        }
        let mut at = oldest;
        while at < ring.written {
            let bytes = ring.copy(tail, at, COPY_BYTES)?;
            file.write_all(&bytes)?;
            at += bytes.len() as u64;
        }
        if oldest > 0 {
            let marker = Cut::marker_line(oldest).len() as u64;
            self.write_sidecar(&Cut { head: ring.head, omitted: oldest, marker })?;
        }
        // Crash before this line: the ring still counts, and the head ends where its header says.
        let directory = self.directory()?;
        rustix::fs::unlinkat(&directory, self.stream.tail_name(), AtFlags::empty())?;
        Ok(())
    }

    fn write_sidecar(&self, cut: &Cut) -> io::Result<()> {
        // Complete before the tail goes; until then nobody reads it.
        let text = serde_json::to_vec(cut).expect("numbers only");
        self.create(&self.stream.cut_name())?.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::launcher::local::output::{OutputReader, Piece, remove_run};
    use crate::model::{Incarnation, RunId};

    const RUN: RunId = RunId::manual(Incarnation(1), 5);

    fn attempt_dir(data: &Path) -> PathBuf {
        let directory = data.join("runs/j1/j1-m5/0");
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    fn read(data: &Path, position: u64, max: usize) -> Piece {
        let reader = OutputReader::new(data).unwrap();
        reader.read(RUN, 0, Stream::Stdout, position, max).unwrap()
    }

    /// Everything that can be read, piece by piece, with `~n~` for n lost bytes.
    fn read_all(data: &Path, max: usize) -> String {
        let mut text = String::new();
        let mut position = 0;
        loop {
            let piece = read(data, position, max);
            if piece.omitted > 0 {
                text.push_str(&format!("~{}~", piece.omitted));
            }
            if piece.bytes.is_empty() {
                assert_eq!(piece.position, piece.total);
                return text;
            }
            text.push_str(std::str::from_utf8(&piece.bytes).unwrap());
            position = piece.position + piece.bytes.len() as u64;
        }
    }

    #[test]
    fn head_and_tail_are_kept_and_read_alike_before_and_after_the_end() {
        let digits: String = (0..100).map(|n| char::from(b'0' + n % 10)).collect();
        // Bytes printed, cap, what is kept.
        let table = [
            (0, 20, String::new()),
            (7, 20, digits[..7].to_owned()),
            (10, 20, digits[..10].to_owned()),
            (20, 20, digits[..20].to_owned()),
            (21, 20, format!("{}~1~{}", &digits[..10], &digits[11..21])),
            (100, 20, format!("{}~80~{}", &digits[..10], &digits[90..])),
            (100, 7, format!("{}~93~{}", &digits[..3], &digits[96..])),
        ];
        for (printed, cap, kept) in table {
            for step in [1, 3, 10, 100] {
                let data = tempfile::tempdir().unwrap();
                let directory = attempt_dir(data.path());
                let mut capture = Capture::new(directory.clone(), Stream::Stdout, cap);
                for chunk in digits.as_bytes()[..printed].chunks(step) {
                    capture.write(chunk);
                }
                for max in [1, 4, 1_000] {
                    assert_eq!(read_all(data.path(), max), kept, "{printed} {cap} {step} {max}");
                }
                capture.finish();
                for max in [1, 4, 1_000] {
                    assert_eq!(read_all(data.path(), max), kept, "{printed} {cap} {step} {max}");
                }
                let shown = std::fs::read_to_string(directory.join("stdout")).unwrap_or_default();
                let marked = kept
                    .split('~')
                    .enumerate()
                    .map(|(index, part)| match index {
                        1 => format!("\n[chronode: {part} bytes omitted]\n"),
                        _ => part.to_owned(),
                    })
                    .collect::<String>();
                assert_eq!(shown, marked);
                assert!(!directory.join("stdout.tail").exists());
            }
        }
    }

    #[test]
    fn planted_things_are_neither_followed_nor_read() {
        let data = tempfile::tempdir().unwrap();
        let directory = attempt_dir(data.path());
        let victim = data.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, directory.join("stdout")).unwrap();
        let reader = OutputReader::new(data.path()).unwrap();
        assert!(reader.read(RUN, 0, Stream::Stdout, 0, 9).is_err());

        let mut capture = Capture::new(directory.clone(), Stream::Stdout, 100);
        capture.write(b"mine");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(read(data.path(), 0, 9).bytes, b"mine");

        std::fs::hard_link(&victim, directory.join("stderr")).unwrap();
        assert!(reader.read(RUN, 0, Stream::Stderr, 0, 9).is_err());
        std::fs::remove_file(directory.join("stderr")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            directory.join("stderr"),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(reader.read(RUN, 0, Stream::Stderr, 0, 9).is_err());
        // A forged ring is an error, not a crash.
        std::fs::write(directory.join("stdout.tail"), [0xFF; 48]).unwrap();
        assert!(reader.read(RUN, 0, Stream::Stdout, 0, 9).is_err());

        std::os::unix::fs::symlink(data.path(), directory.join("out")).unwrap();
        remove_run(data.path(), RUN).unwrap();
        remove_run(data.path(), RUN).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        assert!(!data.path().join("runs/j1").exists());
    }

    #[test]
    fn a_directory_in_the_place_of_the_output_loses_output_only() {
        let data = tempfile::tempdir().unwrap();
        let directory = attempt_dir(data.path());
        std::fs::create_dir(directory.join("stdout")).unwrap();
        let mut capture = Capture::new(directory, Stream::Stdout, 100);
        capture.write(b"gone");
        capture.write(b"gone");
        capture.finish();
    }
}
