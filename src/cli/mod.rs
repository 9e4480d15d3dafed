//! The command line as a client of the API: jobs, runs and what they wrote, and what is to come.
//!
//! Works against any server that can be reached, so everything the command line can do the API can do. Knows of the
//! program itself names, run ids, and how a schedule is read: `next` tells what a typed one means without a server.
//!
//! Exit codes: 0 when it was done; 1 when the server refused or could not be reached; 2 when the command line itself
//! cannot be understood; 3 when `apply --dry-run --detailed-exitcode` finds that something would be changed. A run that is
//! waited for ends with what its command ended with.

mod access;
mod alerts;
mod apply;
mod backfill;
mod backlog;
pub mod client;
mod cluster;
mod events;
mod explain;
mod export;
mod files;
mod forecast;
mod graph;
mod health;
mod http;
mod import;
mod job;
mod logs;
mod next;
mod operate;
mod pause;
mod private;
mod revisions;
mod run;
pub mod schema;
mod shadow;
mod table;
#[cfg(test)]
mod tests;
pub mod validate;
mod wait;

use std::io;
use std::process::ExitCode;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The server said no, or could not be reached. The text is for people and may have several lines.
    #[error("{0}")]
    Failed(String),
    /// A run that was waited for did not succeed.
    #[error("{message}")]
    Ended {
        /// How it ended.
        message: String,
        /// What its command ended with, as a shell has it: 128 more than the number of a signal; 1 of one that ended
        /// otherwise, or never started.
        code: u8,
    },
    /// It was done, and the server has not what it should have, which was to be told by the exit code.
    #[error("{0}")]
    Differs(String),
    /// The result could not be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// What the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Differs(_) => ExitCode::from(3),
            Self::Failed(_) | Self::Output(_) => ExitCode::FAILURE,
            Self::Ended { code, .. } => ExitCode::from(*code),
        }
    }

    /// Whether there is nobody left to tell: `chronode logs … | head` ends so, and means no harm.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        match self {
            Self::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
            Self::Usage(_) | Self::Failed(_) | Self::Ended { .. } | Self::Differs(_) => false,
        }
    }
}
