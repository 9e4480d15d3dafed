//! Reading the log, newest first. Nobody is kept from writing meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::file::old;

/// Which records are wanted. Everything that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those that name this job.
    pub job: Option<String>,
    /// Those of this caller.
    pub caller: Option<String>,
}

/// Some of the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The records as they were written, newest first.
    pub records: Vec<Value>,
    /// The sequence of the last of them if there are older ones that the filter wants.
    pub next: Option<u64>,
}

/// The records with a sequence below `before`, newest first, at most `limit`.
pub(super) fn page(
    path: &Path,
    old_files: u32,
    filter: &Filter,
    before: Option<u64>,
    limit: usize,
) -> io::Result<Page> {
    let mut page = Page::default();
    // A file that is put aside while this reads is met again under its next number: nothing is told twice.
    let mut below = before.unwrap_or(u64::MAX);
    for number in 0..=old_files {
        let Some(text) = text_of(path, number)? else { continue };
        for line in text.lines().rev() {
            let Some((sequence, record)) = read_line(line) else { continue };
            if sequence >= below {
                continue;
            }
            below = sequence;
            if !filter.wants(&record) {
                continue;
            }
            if page.records.len() == limit {
                page.next = page.records.last().and_then(|last| last["sequence"].as_u64());
                return Ok(page);
            }
            page.records.push(record);
        }
    }
    Ok(page)
}

/// The newest sequence in the log, 0 of an empty one.
pub(super) fn last_sequence(path: &Path, old_files: u32) -> io::Result<u64> {
    let newest = page(path, old_files, &Filter::default(), None, 1)?;
    Ok(newest.records.first().and_then(|record| record["sequence"].as_u64()).unwrap_or(0))
}

impl Filter {
    fn wants(&self, record: &Value) -> bool {
        let is_named = |job: &String| {
            record["jobs"].as_array().is_some_and(|jobs| jobs.iter().any(|named| named == job))
        };
        self.job.as_ref().is_none_or(is_named)
            && self.caller.as_ref().is_none_or(|caller| record["caller"] == **caller)
    }
}

fn text_of(path: &Path, number: u32) -> io::Result<Option<String>> {
    let path = if number == 0 { path.to_owned() } else { old(path, number) };
    match fs::read(path) {
        // What is no UTF-8 is a broken line, which is no record.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A record and its sequence. A line that was torn by a crash is none.
fn read_line(line: &str) -> Option<(u64, Value)> {
    let record: Value = serde_json::from_str(line).ok()?;
    Some((record["sequence"].as_u64()?, record))
}
