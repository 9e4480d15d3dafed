//! `chronode backup`: the state of a data directory in one file, also while the scheduler runs.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::store;

/// The flags of `chronode backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupFlags {
    /// The data directory of the scheduler
    #[arg(long, value_name = "DIR", env = "CHRONODE_DATA", default_value = "chronode-data")]
    pub data: PathBuf,

    /// Replace the file if it is there already
    #[arg(long)]
    pub overwrite: bool,

    /// The file to write
    #[arg(value_name = "FILE")]
    pub to: PathBuf,
}

/// Copies the state.
///
/// # Errors
///
/// Whatever keeps the file from being written whole; then there is none.
pub fn run(flags: &BackupFlags, out: &mut dyn Write) -> anyhow::Result<()> {
    let from = flags.data.join(store::DATABASE_FILE);
    let existing = if flags.overwrite { store::Existing::Replace } else { store::Existing::Refuse };
    store::backup(&from, &flags.to, existing)?;
    writeln!(out, "{} copied to {}", from.display(), flags.to.display())?;
    Ok(())
}
