//! What a run printed: how it lies on disk, and reading it.
//!
//! The keeper writes each stream of an attempt into a file of its name. What is beyond the first half of the cap goes
//! into a ring of the other half beside it, so that the beginning and the end are kept and the middle is lost. When the
//! stream ends, the ring is appended to the file behind a line that says how much is missing.
//!
//! | on disk | means |
//! |---|---|
//! | nothing | nothing was printed |
//! | `stdout` | all there is |
//! | `stdout`, `stdout.tail` | the head, and a ring with the rest; being written, or its keeper died |
//! | `stdout`, `stdout.cut` | head, marker line and tail; the sidecar says where the cut is |
//!
//! While `stdout.tail` exists it counts, whatever else is there: appending it is repeated after a crash.
//!
//! The directory belongs to the job, which may put anything in it: links, pipes, forged rings. So everything is opened
//! beneath the directory without following links, must be a plain file of the keeper's user with one name, and no
//! number read from it is trusted.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde::{Deserialize, Serialize};

use crate::model::RunId;

use super::layout::Layout;
use super::removal;

/// One of the two streams of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What it prints.
    Stdout,
    /// What it complains of.
    Stderr,
}

impl Stream {
    /// The file's name.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    pub(super) fn tail_name(self) -> String {
        format!("{}.tail", self.file_name())
    }

    pub(super) fn cut_name(self) -> String {
        format!("{}.cut", self.file_name())
    }
}

/// A part of a stream. Positions count the bytes of the stream as the command wrote it, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// Where `bytes` begin. Later than asked for if what was asked for is lost.
    pub position: u64,
    /// What is there; empty at the end of the stream.
    pub bytes: Vec<u8>,
    /// How many bytes between the position asked for and `position` are lost.
    pub omitted: u64,
    /// How long the stream is so far, with what is lost.
    pub total: u64,
}

/// Reads what runs printed.
#[derive(Debug, Clone)]
pub struct OutputReader {
    layout: Layout,
}

impl OutputReader {
    /// A reader of the runs in `data_dir`.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub fn new(data_dir: &Path) -> io::Result<Self> {
        Ok(Self { layout: Layout::new(data_dir)? })
    }

    /// At most `max` bytes of a stream from `position` on; fewer where what is kept has a gap. An attempt that printed
    /// nothing, or of which nothing is kept, reads as empty.
    ///
    /// # Errors
    ///
    /// If what lies there is no output of ours, or cannot be read.
    pub fn read(
        &self,
        run_id: RunId,
        attempt: u32,
        stream: Stream,
        position: u64,
        max: usize,
    ) -> io::Result<Piece> {
        let Some(directory) = open_directory(&self.layout.attempt(run_id, attempt))? else {
            return Ok(Piece { position, ..Piece::default() });
        };
        // The tail first: it is removed only after the file and the sidecar are complete.
        let tail = open_plain(&directory, &stream.tail_name())?;
        let cut = open_plain(&directory, &stream.cut_name())?;
        let Some(file) = open_plain(&directory, stream.file_name())? else {
            return Ok(Piece { position, ..Piece::default() });
        };
        match (tail, cut) {
            (Some(tail), _) => Ring::read_header(&tail)?.read(&file, &tail, position, max),
            (None, Some(cut)) => Cut::load(&cut)?.read(&file, position, max),
            (None, None) => read_plain(&file, position, max),
        }
    }
}

/// Keeps the end of a stream that was written elsewhere: `bytes`, which begin at `position`. Replaces what was kept of it.
///
/// # Errors
///
/// If it cannot be written; then nothing of it is kept.
pub fn keep(
    data_dir: &Path,
    run_id: RunId,
    attempt: u32,
    stream: Stream,
    position: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let directory = Layout::new(data_dir)?.make_attempt(run_id, attempt, None)?;
    let marker = if position == 0 { String::new() } else { Cut::marker_line(position) };
    let cut = Cut { head: 0, omitted: position, marker: marker.len() as u64 };
    // Nothing is read before the file is there, which comes last and whole.
    std::fs::write(directory.join(stream.cut_name()), serde_json::to_vec(&cut)?)?;
    let unfinished = directory.join(format!("{}.kept", stream.file_name()));
    std::fs::write(&unfinished, [marker.as_bytes(), bytes].concat())?;
    std::fs::rename(&unfinished, directory.join(stream.file_name()))
}

/// Removes everything that is kept of a run. Links in it are removed, not followed. Nothing there is fine.
///
/// # Errors
///
/// If something cannot be removed.
pub fn remove_run(data_dir: &Path, run_id: RunId) -> io::Result<()> {
    let layout = Layout::new(data_dir)?;
    let run = layout.run(run_id);
    removal::remove_tree(&run)?;
    // The directory of the incarnation goes with its last run; that others remain is the usual case.
    let _ = std::fs::remove_dir(run.parent().expect("a run lies in runs/"));
    Ok(())
}

/// Opens the attempt's directory; its parents are the keeper's own.
pub(super) fn open_directory(path: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(directory) => Ok(Some(directory)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open_plain(directory: &OwnedFd, name: &str) -> io::Result<Option<File>> {
    // Without NONBLOCK a planted pipe would hold us for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = match rustix::fs::openat2(directory, name, flags, Mode::empty(), resolve) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(foreign(name, &error.to_string())),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(foreign(name, "it is no plain file"));
    }
    // A second name would be a hard link to somebody else's file; another owner means that the job made it.
    if metadata.nlink() != 1 || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(foreign(name, "it was not written by the keeper"));
    }
    Ok(Some(file))
}

fn foreign(name: &str, why: &str) -> io::Error {
    io::Error::other(format!("`{name}` in the run's directory is not its output: {why}"))
}

fn read_plain(file: &File, position: u64, max: usize) -> io::Result<Piece> {
    let total = file.metadata()?.len();
    Ok(Piece { position, bytes: read_at_most(file, position, max)?, omitted: 0, total })
}

fn read_at_most(file: &File, position: u64, max: usize) -> io::Result<Vec<u8>> {
    let there = file.metadata()?.len().saturating_sub(position);
    let wanted = usize::try_from(there).unwrap_or(usize::MAX).min(max);
    let mut bytes = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match file.read_at(&mut bytes[filled..], position + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The sidecar of a file with a cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cut {
    /// Bytes before the cut.
    pub(super) head: u64,
    /// Bytes lost.
    pub(super) omitted: u64,
    /// Bytes of the marker line that stands in their place.
    pub(super) marker: u64,
}

impl Cut {
    /// The line that stands where bytes are lost.
    pub(super) fn marker_line(omitted: u64) -> String {
        format!("\n[chronode: {omitted} bytes omitted]\n")
    }

    fn load(file: &File) -> io::Result<Self> {
        let mut text = String::new();
        file.take(1_024).read_to_string(&mut text)?;
        serde_json::from_str(&text).map_err(|error| foreign("cut", &error.to_string()))
    }

    fn read(&self, file: &File, position: u64, max: usize) -> io::Result<Piece> {
        let tail_file = self.head.saturating_add(self.marker);
        let tail_stream = self.head.saturating_add(self.omitted);
        let total = tail_stream.saturating_add(file.metadata()?.len().saturating_sub(tail_file));
        if position < self.head {
            let max = max.min(usize::try_from(self.head - position).unwrap_or(usize::MAX));
            let bytes = read_at_most(file, position, max)?;
            return Ok(Piece { position, bytes, omitted: 0, total });
        }
        let from = position.max(tail_stream);
        let bytes = read_at_most(file, tail_file.saturating_add(from - tail_stream), max)?;
        Ok(Piece { position: from, bytes, omitted: from - position, total })
    }
}

/// The header of a ring: 48 bytes in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ring {
    /// Bytes of the stream in front of those in the ring.
    pub(super) head: u64,
    /// How many bytes the ring holds.
    pub(super) capacity: u64,
    /// How many bytes have gone into the ring, or are just about to.
    pub(super) reserved: u64,
    /// How many bytes have gone into the ring.
    pub(super) written: u64,
}

impl Ring {
    pub(super) const HEADER_BYTES: u64 = 48;
    const MAGIC: [u8; 16] = *b"chronode-ring-1\n";

    pub(super) fn header(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&Self::MAGIC);
        let numbers = [self.head, self.capacity, self.reserved, self.written];
        for (place, number) in bytes[16..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn read_header(file: &File) -> io::Result<Self> {
        let mut bytes = [0; 48];
        file.read_exact_at(&mut bytes, 0)?;
        let mut numbers = bytes[16..].chunks_exact(8).map(|number| {
            u64::from_le_bytes(number.try_into().expect("chunks of eight have eight bytes"))
        });
        let mut next = || numbers.next().expect("32 bytes are four numbers");
        let ring = Self { head: next(), capacity: next(), reserved: next(), written: next() };
        // Far below 2⁶⁴, so that sums of a few of them stay in range.
        let largest = [ring.head, ring.capacity, ring.reserved, ring.written].into_iter().max();
        if bytes[..16] != Self::MAGIC || ring.capacity == 0 || largest.is_some_and(|n| n > 1 << 60)
        {
            return Err(foreign("tail", "its header is damaged"));
        }
        Ok(ring)
    }

    /// The first byte of the ring that is neither overwritten nor about to be.
    pub(super) fn oldest(&self) -> u64 {
        self.reserved.saturating_sub(self.capacity).min(self.written)
    }

    /// Where the byte `at` of the ring is in its file, and how many follow it there in one piece.
    pub(super) fn place(&self, at: u64) -> (u64, u64) {
        let offset = at % self.capacity;
        (Self::HEADER_BYTES + offset, self.capacity - offset)
    }

    fn read(&self, file: &File, tail: &File, position: u64, max: usize) -> io::Result<Piece> {
        let total = self.head + self.written;
        if position < self.head {
            let max = max.min(usize::try_from(self.head - position).unwrap_or(usize::MAX));
            let bytes = read_at_most(file, position, max)?;
            return Ok(Piece { position, bytes, omitted: 0, total });
        }
        let mut from = (position - self.head).max(self.oldest()).min(self.written);
        if position > total {
            return Ok(Piece { position, bytes: vec![], omitted: 0, total });
        }
        let mut bytes = self.copy(tail, from, max)?;
        // The command goes on printing: drop what was overwritten while it was read.
        let oldest = Self::read_header(tail)?.oldest();
        if oldest > from {
            let lost = usize::try_from(oldest - from).unwrap_or(usize::MAX).min(bytes.len());
            bytes.drain(..lost);
            from = oldest;
        }
        let found = self.head + from;
        Ok(Piece { position: found, bytes, omitted: found - position, total: total.max(found) })
    }

    /// At most `max` bytes of the ring from its byte `from` on.
    pub(super) fn copy(&self, tail: &File, from: u64, max: usize) -> io::Result<Vec<u8>> {
        let end = self.written.min(from.saturating_add(max as u64));
        let mut bytes = Vec::new();
        let mut at = from;
        while at < end {
            let (offset, in_one) = self.place(at);
            let wanted = usize::try_from(in_one.min(end - at)).unwrap_or(usize::MAX);
            let read = read_at_most(tail, offset, wanted)?;
            if read.is_empty() {
                return Err(foreign("tail", "it is shorter than its header says"));
            }
            at += read.len() as u64;
            bytes.extend(read);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Incarnation;

    #[test]
    fn the_end_of_a_stream_from_elsewhere_is_read_like_one_of_here() {
        let data = tempfile::tempdir().unwrap();
        let run = RunId::manual(Incarnation(1), 7);
        let reader = OutputReader::new(data.path()).unwrap();
        let read = |position, max| reader.read(run, 0, Stream::Stdout, position, max).unwrap();
        assert_eq!(read(0, 100), Piece::default());
        keep(data.path(), run, 0, Stream::Stdout, 0, b"all of it\n").unwrap();
        let all = Piece { position: 0, bytes: b"all of it\n".into(), omitted: 0, total: 10 };
        assert_eq!(read(0, 100), all);
        // Kept again, after more was written, and with less of it.
        keep(data.path(), run, 0, Stream::Stdout, 1_000, b"the end\n").unwrap();
        let end = Piece { position: 1_000, bytes: b"the ".into(), omitted: 1_000, total: 1_008 };
        assert_eq!(read(0, 4), end);
        assert_eq!(read(1_004, 100).bytes, b"end\n");
        assert_eq!(read(1_008, 100).bytes, b"");
        keep(data.path(), run, 0, Stream::Stdout, 5, b"").unwrap();
        assert_eq!((read(0, 9).bytes, read(0, 9).total), (vec![], 5));
        remove_run(data.path(), run).unwrap();
        assert_eq!(read(0, 100), Piece::default());
    }
}
