//! The files of an attempt besides its two streams, where a cluster keeps them.

use std::io;

use futures_util::future::BoxFuture;

use super::Piece;
use crate::model::{RunId, Timestamp};

/// A file or directory beside what an attempt wrote to its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxFile {
    /// Where it is, from the attempt's own directory.
    pub path: String,
    /// Whether it has files in it, and no bytes.
    pub is_directory: bool,
    /// How many bytes it has.
    pub size: u64,
    /// When it was written last, to the second.
    pub modified_at: Option<Timestamp>,
    /// Whose it is.
    pub owner: String,
    /// What may be done with it, such as `-rw-r--r--`.
    pub mode: String,
}

/// The port's part that reads directories of attempts. Errors are those of [`super::Backend::output`].
pub trait Sandboxes {
    /// What is in a directory of an attempt, by path. `directory` is relative and empty for the attempt's own.
    fn files(
        &self,
        run: RunId,
        attempt: u32,
        directory: String,
    ) -> BoxFuture<'_, io::Result<Vec<SandboxFile>>>;

    /// At most `max` bytes of a file of an attempt, from `position` on. `path` is relative.
    fn file(
        &self,
        run: RunId,
        attempt: u32,
        path: String,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>>;
}
