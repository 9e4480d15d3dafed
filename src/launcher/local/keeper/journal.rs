//! What the keeper has promised and seen, in a file that survives it: one JSON record a line.
//!
//! A claim is written before the command starts, so whatever a keeper finds claimed may have started and is never
//! started again. `write` alone suffices against the death of the keeper, for the kernel keeps what it was given. It
//! does not against the death of the machine: then the last claims may be lost, and an id that is not here may have
//! run. So the journal knows for which boot it is *complete*: made in this boot while no runs were there, or settled
//! since. Settled means that the scheduler has once asked in this boot about everything it believed live; what was
//! not found here was told to be in doubt, and whatever it names later is younger than the boot.
//!
//! The last line may be torn: then its write never returned and nothing followed from it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::launcher::local::protocol::ExitWire;

/// The form of the records below.
const FORMAT: u32 = 1;

/// Acknowledged ids that are still remembered, so that an old question gets no false answer.
const REMEMBERED_MAX: usize = 4_096;

/// Lines after which the file is rewritten, if most of it is about what is forgotten.
const LINES_MIN: usize = 10_000;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// The first line. Complete for this boot, or for none.
    Journal { format: u32, complete_for: Option<String> },
    /// The scheduler has asked about everything: complete for this boot from here on.
    Settled { boot: String },
    /// The highest term seen.
    Term { term: u64 },
    /// The command is about to start.
    Claim {
        task_id: String,
        run_id: String,
        attempt: u32,
        boot: String,
        pid_namespace: u64,
        claimed_at_us: i64,
    },
    /// It did not start and nothing of it is left: the claim never was.
    Void { task_id: String },
    /// It started.
    Started { task_id: String, pid: i32, start_ticks: u64, started_at_us: i64 },
    /// It ended.
    Ended { task_id: String, exit: ExitWire, started_at_us: Option<i64>, ended_at_us: i64 },
    /// Nobody can say any more what became of it.
    Doubt { task_id: String, reason: String },
    /// Its end, or the doubt, is committed.
    Acknowledged { task_id: String },
}

/// What the journal says of one task.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Entry {
    pub(super) claim: Option<Claim>,
    pub(super) started: Option<Started>,
    pub(super) end: Option<End>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) run_id: String,
    pub(super) attempt: u32,
    pub(super) boot: String,
    pub(super) pid_namespace: u64,
    pub(super) claimed_at_us: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) pid: i32,
    pub(super) start_ticks: u64,
    pub(super) started_at_us: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Ended { exit: ExitWire, started_at_us: Option<i64>, ended_at_us: i64 },
    Doubt { reason: String },
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file system refused.
    #[error("cannot use the keeper's journal `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Made by a newer Chronode.
    #[error(
        "the keeper's journal `{path}` has format {found}; this version knows {FORMAT}: use the newer version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// The journal, open for writing, and what it says.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    boot: String,
    is_complete: bool,
    term: u64,
    entries: BTreeMap<String, Entry>,
    remembered: VecDeque<String>,
    lines: usize,
    /// The last write failed half way: the next one must begin a line.
    is_torn: bool,
}

impl Journal {
    /// Reads and rewrites the journal at `path`. Without one, `has_history` says whether there should be: then it was
    /// lost, and the new one is complete for no boot.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub(super) fn open(path: PathBuf, boot: &str, has_history: bool) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.clone(), source };
        let text = match fs::read(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        let mut read = Reading::new(boot);
        match &text {
            Some(text) => {
                read.read(text).map_err(|found| Error::Newer { path: path.clone(), found })?
            }
            None => read.complete_for_us = !has_history,
        }
        let (file, lines) = rewrite(&path, &read).map_err(io)?;
        let Reading { boot, complete_for_us, term, entries, remembered } = read;
        Ok(Self {
            path,
            file,
            boot,
            is_complete: complete_for_us,
            term,
            entries,
            remembered,
            lines,
            is_torn: false,
        })
    }

    /// Whether an id that is not here was certainly never claimed.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The highest term seen.
    pub(super) const fn term(&self) -> u64 {
        self.term
    }

    /// What is known and not acknowledged.
    pub(super) const fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// Whether the id was acknowledged not long ago.
    pub(super) fn remembers(&self, task_id: &str) -> bool {
        self.remembered.iter().any(|id| id == task_id)
    }

    /// Writes a record down. Once it returns, the record survives this process.
    ///
    /// # Errors
    ///
    /// As the file system says; then nothing may follow from the record.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut line = Vec::with_capacity(256);
        if self.is_torn {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, record)?;
        line.push(b'\n');
        // One write: another process never sees half a line of ours unless the disk is full.
        self.is_torn = true;
        self.file.write_all(&line)?;
        self.is_torn = false;
        self.lines += 1;
        let mut read = Reading {
            boot: std::mem::take(&mut self.boot),
            complete_for_us: self.is_complete,
            term: self.term,
            entries: std::mem::take(&mut self.entries),
            remembered: std::mem::take(&mut self.remembered),
        };
        read.apply(record);
        let is_long = self.lines > LINES_MIN && self.lines > 8 * read.entries.len();
        if is_long {
            // Failing leaves the long file, which is as good.
            match rewrite(&self.path, &read) {
                Ok((file, lines)) => (self.file, self.lines) = (file, lines),
                Err(error) => {
                    tracing::warn!("cannot shorten the journal: {error}");
                    self.lines = 0;
                }
            }
        }
        let Reading { boot, complete_for_us, term, entries, remembered } = read;
        self.boot = boot;
        self.is_complete = complete_for_us;
        self.term = term;
        self.entries = entries;
        self.remembered = remembered;
        Ok(())
    }
}

/// The meaning of the lines read so far.
#[derive(Debug)]
struct Reading {
    boot: String,
    complete_for_us: bool,
    term: u64,
    entries: BTreeMap<String, Entry>,
    remembered: VecDeque<String>,
}

impl Reading {
    fn new(boot: &str) -> Self {
        Self {
            boot: boot.to_owned(),
            complete_for_us: false,
            term: 0,
            entries: BTreeMap::new(),
            remembered: VecDeque::new(),
        }
    }

    /// Reads a whole file; the error is a format that we do not know.
    fn read(&mut self, text: &[u8]) -> Result<(), u32> {
        let mut is_damaged = false;
        let mut lines = text.split(|&byte| byte == b'\n').peekable();
        let mut is_first = true;
        while let Some(line) = lines.next() {
            let is_last = lines.peek().is_none();
            match serde_json::from_slice(line) {
                Ok(Record::Journal { format, .. }) if format > FORMAT => return Err(format),
                Ok(record) => {
                    is_damaged |= is_first && !matches!(record, Record::Journal { .. });
                    self.apply(&record);
                }
                // What is after the last line end never took effect; an empty line ends a torn one.
                Err(_) if is_last || line.is_empty() => {}
                Err(error) => {
                    // A line that was torn by a full disk had no effect either, but so might a lost block look.
                    tracing::warn!("a line of the journal is damaged: {error}");
                    is_damaged = true;
                }
            }
            is_first = false;
        }
        if is_damaged {
            self.complete_for_us = false;
        }
        Ok(())
    }

    fn apply(&mut self, record: &Record) {
        match record.clone() {
            Record::Journal { format: _, complete_for } => {
                self.complete_for_us = complete_for.as_ref() == Some(&self.boot);
            }
            Record::Settled { boot } => self.complete_for_us |= boot == self.boot,
            Record::Term { term } => self.term = self.term.max(term),
            Record::Claim { task_id, run_id, attempt, boot, pid_namespace, claimed_at_us } => {
                let claim = Claim { run_id, attempt, boot, pid_namespace, claimed_at_us };
                self.entries.entry(task_id).or_default().claim = Some(claim);
            }
            Record::Void { task_id } => {
                self.entries.remove(&task_id);
            }
            Record::Started { task_id, pid, start_ticks, started_at_us } => {
                let started = Started { pid, start_ticks, started_at_us };
                self.entries.entry(task_id).or_default().started = Some(started);
            }
            Record::Ended { task_id, exit, started_at_us, ended_at_us } => {
                let end = End::Ended { exit, started_at_us, ended_at_us };
                self.entries.entry(task_id).or_default().end = Some(end);
            }
            Record::Doubt { task_id, reason } => {
                self.entries.entry(task_id).or_default().end = Some(End::Doubt { reason });
            }
            Record::Acknowledged { task_id } => {
                self.entries.remove(&task_id);
                self.remembered.push_back(task_id);
                if self.remembered.len() > REMEMBERED_MAX {
                    self.remembered.pop_front();
                }
            }
        }
    }

    /// The shortest journal that says the same.
    fn records(&self) -> Vec<Record> {
        let complete_for = self.complete_for_us.then(|| self.boot.clone());
        let mut records = vec![
            Record::Journal { format: FORMAT, complete_for },
            Record::Term { term: self.term },
        ];
        for id in &self.remembered {
            records.push(Record::Acknowledged { task_id: id.clone() });
        }
        for (id, entry) in &self.entries {
            push_entry(&mut records, id, entry);
        }
        records
    }
}

fn push_entry(records: &mut Vec<Record>, id: &str, entry: &Entry) {
    let task_id = || id.to_owned();
    let Entry { claim, started, end } = entry.clone();
    if let Some(Claim { run_id, attempt, boot, pid_namespace, claimed_at_us }) = claim {
        let task_id = task_id();
        records.push(Record::Claim {
            task_id,
            run_id,
            attempt,
            boot,
            pid_namespace,
            claimed_at_us,
        });
    }
    if let Some(Started { pid, start_ticks, started_at_us }) = started {
        records.push(Record::Started { task_id: task_id(), pid, start_ticks, started_at_us });
    }
    match end {
        Some(End::Ended { exit, started_at_us, ended_at_us }) => {
            records.push(Record::Ended { task_id: task_id(), exit, started_at_us, ended_at_us });
        }
        Some(End::Doubt { reason }) => records.push(Record::Doubt { task_id: task_id(), reason }),
        None => {}
    }
}

/// Puts a fresh file in the place of the old one; the file, open for appending, and its lines.
fn rewrite(path: &Path, read: &Reading) -> io::Result<(File, usize)> {
    let fresh = path.with_extension("journal-new");
    let records = read.records();
    let mut text = Vec::new();
    for record in &records {
        serde_json::to_writer(&mut text, record)?;
        text.push(b'\n');
    }
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(&text)?;
    // On disk before it takes the old one's place: a power cut must not leave an empty file.
    file.sync_data()?;
    fs::rename(&fresh, path)?;
    Ok((file, records.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str) -> Record {
        Record::Claim {
            task_id: id.into(),
            run_id: "j1-s1".into(),
            attempt: 0,
            boot: "b1".into(),
            pid_namespace: 4,
            claimed_at_us: 5,
        }
    }

    fn ended(id: &str) -> Record {
        let exit = ExitWire::Code(0);
        Record::Ended { task_id: id.into(), exit, started_at_us: None, ended_at_us: 9 }
    }

    fn open(path: &Path, boot: &str) -> Journal {
        Journal::open(path.to_owned(), boot, false).unwrap()
    }

    #[test]
    fn what_was_written_is_read_again_and_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.journal");
        let mut journal = open(&path, "b1");
        assert!(journal.is_complete());
        let started =
            Record::Started { task_id: "a".into(), pid: 7, start_ticks: 8, started_at_us: 9 };
        let doubt = Record::Doubt { task_id: "c".into(), reason: "why".into() };
        for record in [
            claim("a"),
            started,
            claim("b"),
            ended("b"),
            doubt,
            claim("d"),
            Record::Void { task_id: "d".into() },
            claim("e"),
            ended("e"),
            Record::Acknowledged { task_id: "e".into() },
            Record::Term { term: 3 },
        ] {
            journal.append(&record).unwrap();
        }
        let entries = journal.entries().clone();
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(entries["b"].end.is_some() && entries["a"].started.is_some());
        for _ in 0..3 {
            journal = open(&path, "b1");
            assert_eq!(journal.entries(), &entries);
            assert_eq!(journal.term(), 3);
            assert!(journal.remembers("e") && journal.is_complete());
        }
    }

    #[test]
    fn a_torn_last_line_never_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.journal");
        let mut journal = open(&path, "b1");
        journal.append(&claim("a")).unwrap();
        let whole = fs::read(&path).unwrap();
        journal.append(&ended("a")).unwrap();
        let text = fs::read(&path).unwrap();
        for end in whole.len()..text.len() - 1 {
            fs::write(&path, &text[..end]).unwrap();
            let journal = open(&path, "b1");
            assert_eq!(journal.entries()["a"].end, None, "{end}");
            assert!(journal.is_complete());
        }
    }

    #[test]
    fn completeness_ends_with_the_boot_and_returns_when_settled() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.journal");
        assert!(!Journal::open(path.clone(), "b1", true).unwrap().is_complete());
        fs::remove_file(&path).unwrap();
        assert!(open(&path, "b1").is_complete());
        assert!(!open(&path, "b2").is_complete());
        let mut journal = open(&path, "b2");
        journal.append(&Record::Settled { boot: "b2".into() }).unwrap();
        assert!(journal.is_complete());
        assert!(open(&path, "b2").is_complete());
        // A hole in the middle may have been a claim.
        let mut text = fs::read(&path).unwrap();
        text.extend(b"\0\0\0\n{\"term\":{\"term\":1}}\n");
        fs::write(&path, text).unwrap();
        assert!(!open(&path, "b2").is_complete());
    }

    #[test]
    fn a_long_journal_is_shortened_and_a_newer_one_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keeper.journal");
        let mut journal = open(&path, "b1");
        for n in 0..LINES_MIN {
            let id = n.to_string();
            journal.append(&claim(&id)).unwrap();
            journal.append(&Record::Acknowledged { task_id: id }).unwrap();
        }
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MIN + REMEMBERED_MAX, "{lines}");
        fs::write(&path, "{\"journal\":{\"format\":2,\"complete_for\":null}}\n").unwrap();
        let error = Journal::open(path, "b1", false).unwrap_err();
        assert!(error.to_string().contains("format 2"), "{error}");
    }
}
