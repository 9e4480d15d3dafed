//! Why the store cannot do what it was asked, in sentences for the operator.

use std::io;
use std::path::PathBuf;

use super::codec::DecodeError;
use crate::model::Term;

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another leader has written since.
    #[error("term {} may not write any more: term {} has begun", .offered.0, .stored.0)]
    Fenced {
        /// The term of the batch.
        offered: Term,
        /// The newest term.
        stored: Term,
    },
    /// No space left, or a quota reached.
    #[error("the disk that holds the state is full: free some space")]
    Full {
        /// What the database said.
        source: rusqlite::Error,
    },
    /// The batch contradicts what is stored, such as two jobs of one name.
    #[error("the change contradicts what is stored: {what}")]
    Conflict {
        /// Which contradiction.
        what: String,
    },
    /// The database's structure is damaged.
    #[error(
        "`{}` is damaged: {what}; nothing was changed. Restore it from a backup, \
         after moving it and its -wal file aside", .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The structure is sound, but a record in it is not.
    #[error(
        "`{}` is damaged at {place}; nothing was changed. Restore it from a backup, \
         after moving it and its -wal file aside", .path.display()
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// Which record.
        place: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The file is something else.
    #[error("`{}` is not a Chronode database: {what}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// A later release has written the file.
    #[error(
        "`{}` was written by a newer Chronode (its layout is {found}, this one knows {known}): \
         use that version, or restore a backup made before the upgrade", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The newest layout known.
        known: u32,
    },
    /// An earlier release has written the file, and this connection may only read.
    #[error(
        "`{}` was written by an older Chronode (its layout is {found}, this one reads {known}): \
         start `chronode serve` once to bring it up to date", .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The layout known.
        known: u32,
    },
    /// There is no database where one must be.
    #[error("there is no database at `{}`", .path.display())]
    Absent {
        /// Where.
        path: PathBuf,
    },
    /// The file that this process has open is not at its place any more.
    #[error(
        "`{}` was deleted or replaced while in use; nothing more is stored. Stop this process, \
         put the file back or restore a backup, then start again", .path.display()
    )]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// The data directory cannot be used.
    #[error("the data directory `{}` cannot be used: {why}", .path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// Why, with the remedy.
        why: String,
    },
    /// A backup was not begun because its target is there already.
    #[error("`{}` exists already: choose another name, or have it replaced (`--overwrite`)", .path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The database could not do something.
    #[error("the database failed to {doing}")]
    Sqlite {
        /// What it was to do.
        doing: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
    /// The file system could not do something.
    #[error("failed to {doing} `{}`", .path.display())]
    Io {
        /// What it was to do.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The thread that writes has ended, so nothing can be stored any more.
    #[error("the thread that writes the state has ended; the log says why")]
    WriterGone,
}

/// Why a batch was not, or perhaps not, stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Certainly nothing of it is stored, nor ever will be.
    #[error("the changes were refused, nothing of them is stored")]
    Refused(#[source] Error),
    /// It may be stored. [`super::Store::load`] says whether it is, and must be asked before anything else is done.
    #[error("nobody knows whether the changes are stored")]
    Unknown(#[source] Error),
}
