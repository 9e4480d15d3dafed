//! How much disk the output of runs takes, for whoever has to keep it within bounds.
//!
//! Looks at directories alone, so that output whose run nobody remembers is found too. Follows no links.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::model::RunId;

use super::layout::Layout;

/// A run whose directory exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOnDisk {
    /// Which.
    pub id: RunId,
    /// Bytes in its files.
    pub bytes: u64,
    /// When anything was last added to its directory.
    pub changed_at: SystemTime,
}

/// Every run whose directory exists below `data_dir`.
///
/// # Errors
///
/// If the data directory cannot be read. What vanishes meanwhile is left out.
pub fn runs_on_disk(data_dir: &Path) -> io::Result<Vec<RunOnDisk>> {
    let layout = Layout::new(data_dir)?;
    let mut found = Vec::new();
    let incarnations = match fs::read_dir(layout.runs()) {
        Ok(incarnations) => incarnations,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for incarnation in incarnations.flatten() {
        let Ok(runs) = fs::read_dir(incarnation.path()) else { continue };
        for run in runs.flatten() {
            let id = run.file_name().to_str().and_then(RunId::parse);
            let Some(id) = id else { continue };
            let changed_at = run.metadata().and_then(|metadata| metadata.modified());
            found.push(RunOnDisk {
                id,
                bytes: bytes_below(&run.path()),
                changed_at: changed_at.unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
    }
    Ok(found)
}

fn bytes_below(directory: &Path) -> u64 {
    let mut waiting = vec![directory.to_owned()];
    let mut bytes: u64 = 0;
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            // The metadata of an entry is that of the link itself, not of what it points to.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => waiting.push(entry.path()),
                Ok(metadata) => bytes = bytes.saturating_add(metadata.len()),
                Err(_) => {}
            }
        }
    }
    bytes
}
