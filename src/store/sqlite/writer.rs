//! The one thread that writes.
//!
//! Takes requests from a bounded queue, in order, and answers each when it is on the disk. Checkpoints, which copy the
//! log into the database, come after the answer. A connection on which the disk failed is replaced before its next
//! use, because what it remembers may not be what the disk holds.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::open::{self, error};
use super::retention::{Pruned, Pruner, Retention};
use super::{changes, load};
use crate::engine::Change;
use crate::model::Timestamp;
use crate::store::{Batch, CommitError, Error, Loaded};

/// Changes after which the log is copied into the database. A change dirties a few pages of 4 KiB, so the log stays at
/// some tens of MiB and a restart after a crash has little to read.
const CHANGES_PER_CHECKPOINT: usize = 1_000;

/// Pages of the marks and of index roots that every commit writes beside those of its changes, counted as changes.
const CHANGES_PER_COMMIT: usize = 2;

/// What the writer is asked for. An asker that has gone away does not hear the answer, but gets what it asked for.
#[derive(Debug)]
pub(super) enum Request {
    Load {
        reply: oneshot::Sender<Result<Loaded, Error>>,
    },
    Commit {
        batch: Batch,
        reply: oneshot::Sender<Result<(), CommitError>>,
    },
    Prune {
        now: Timestamp,
        retention: Retention,
        limit: usize,
        reply: oneshot::Sender<Result<Pruned, Error>>,
    },
    Checkpoint {
        reply: oneshot::Sender<Result<(), Error>>,
    },
}

#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    connection: Connection,
    /// Which file it is, whatever its name.
    identity: open::Identity,
    /// Whether the disk failed under the connection, so that it is replaced before its next use.
    is_distrusted: bool,
    pruner: Pruner,
    changes_since_checkpoint: usize,
}

impl Writer {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            connection: open::open_checked(path)?,
            identity: open::identity(path)?,
            is_distrusted: false,
            path: path.to_owned(),
            pruner: Pruner::default(),
            changes_since_checkpoint: 0,
        })
    }

    /// Serves until nobody can ask any more.
    pub(super) fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.blocking_recv() {
            match request {
                Request::Load { reply } => drop(reply.send(self.load())),
                Request::Commit { batch, reply } => drop(reply.send(self.commit(&batch))),
                Request::Prune { now, retention, limit, reply } => {
                    drop(reply.send(self.prune(now, &retention, limit)));
                }
                Request::Checkpoint { reply } => drop(reply.send(self.empty_log())),
            }
            if self.changes_since_checkpoint >= CHANGES_PER_CHECKPOINT {
                self.shorten_log();
            }
        }
        self.close();
    }

    pub(super) fn load(&mut self) -> Result<Loaded, Error> {
        self.with_connection(|connection, path| {
            let transaction = Transaction::new(connection, TransactionBehavior::Deferred)
                .map_err(|source| error("read the state", path, source))?;
            load::load(&transaction, path)
        })
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        let durable = batch.changes.iter().filter(|change| Change::is_durable(change)).count();
        if durable == 0 {
            return Ok(());
        }
        self.make_ready().map_err(CommitError::Refused)?;
        let result = commit(&mut self.connection, &self.path, batch);
        match &result {
            Ok(()) => {
                self.changes_since_checkpoint += durable + CHANGES_PER_COMMIT;
                self.pruner.saw(&batch.changes);
            }
            Err(CommitError::Refused(error) | CommitError::Unknown(error)) => {
                self.distrust_after(error);
                if matches!(error, Error::Full { .. }) {
                    // The log's file may be what is in the way: once copied, its space is used again.
                    self.changes_since_checkpoint = CHANGES_PER_CHECKPOINT;
                }
            }
        }
        result
    }

    fn prune(
        &mut self,
        now: Timestamp,
        retention: &Retention,
        limit: usize,
    ) -> Result<Pruned, Error> {
        let mut pruner = std::mem::take(&mut self.pruner);
        let result = self.with_connection(|connection, path| {
            let transaction = Transaction::new(connection, TransactionBehavior::Immediate)
                .map_err(|source| error("prune the history", path, source))?;
            let pruned = pruner.prune(&transaction, path, now, retention, limit)?;
            transaction.commit().map_err(|source| error("prune the history", path, source))?;
            Ok(pruned)
        });
        self.pruner = pruner;
        match &result {
            Ok(pruned) => self.changes_since_checkpoint += pruned.entries,
            Err(_) => self.pruner.start_again(),
        }
        result
    }

    /// Copies the log into the database, so that its file is used from the start again. Waits for nobody.
    fn shorten_log(&mut self) {
        self.changes_since_checkpoint = 0;
        let result = self.with_connection(|connection, path| {
            open::checkpoint(connection, "PASSIVE")
                .map_err(|source| error("move the log into the database", path, source))
        });
        // The log still has everything. It grows until a checkpoint succeeds.
        if let Err(error) = result {
            tracing::warn!(%error, "the write-ahead log could not be shortened");
        }
    }

    fn empty_log(&mut self) -> Result<(), Error> {
        self.changes_since_checkpoint = 0;
        self.with_connection(|connection, path| {
            let failed = |source| error("move the log into the database", path, source);
            // What readers still need stays in the log; commits must not wait for a long backup.
            connection.busy_timeout(std::time::Duration::ZERO).map_err(failed)?;
            let result = open::checkpoint(connection, "TRUNCATE").map_err(failed);
            connection.busy_timeout(open::BUSY_TIMEOUT).map_err(failed)?;
            result
        })
    }

    #[cfg(test)]
    pub(super) fn is_distrusted(&self) -> bool {
        self.is_distrusted
    }

    fn close(self) {
        if let Err((_, error)) = self.connection.close() {
            // Everything answered is in the log; the next start reads it.
            tracing::warn!(%error, "the database could not be closed cleanly");
        }
    }

    fn with_connection<T>(
        &mut self,
        use_it: impl FnOnce(&mut Connection, &Path) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.make_ready()?;
        let result = use_it(&mut self.connection, &self.path);
        if let Err(error) = &result {
            self.distrust_after(error);
        }
        result
    }

    /// Makes sure that the connection is to the file that the next start will find, and that it can be trusted.
    ///
    /// A new connection is opened before the old one is closed. In the other order SQLite would read the log anew, and
    /// take what a failed commit has left in it for stored, although it never reached the disk. So it goes on from
    /// the end of what was synced, and the next commit overwrites the rest.
    fn make_ready(&mut self) -> Result<(), Error> {
        // Commits to a deleted file would succeed, and be gone with the process.
        if open::identity(&self.path).ok() != Some(self.identity) {
            return Err(Error::Moved { path: self.path.clone() });
        }
        if self.is_distrusted {
            let fresh = open::connect(&self.path)?;
            changes::read_marks(&fresh, &self.path)?;
            self.connection = fresh;
            self.is_distrusted = false;
        }
        Ok(())
    }

    /// Gives the connection up unless the failure says nothing about the disk.
    pub(super) fn distrust_after(&mut self, error: &Error) {
        match error {
            Error::Fenced { .. }
            | Error::Full { .. }
            | Error::Conflict { .. }
            | Error::Record { .. }
            | Error::Moved { .. } => {}
            Error::Sqlite { source, .. } if is_busy(source) => {}
            Error::Sqlite { .. }
            | Error::Corrupt { .. }
            | Error::Foreign { .. }
            | Error::Newer { .. }
            | Error::Older { .. }
            | Error::Absent { .. }
            | Error::DataDir { .. }
            | Error::Exists { .. }
            | Error::Io { .. }
            | Error::WriterGone => {
                tracing::error!(%error, "the database is opened anew before its next use");
                self.is_distrusted = true;
            }
        }
    }
}

fn commit(connection: &mut Connection, path: &Path, batch: &Batch) -> Result<(), CommitError> {
    let refused = |source| CommitError::Refused(error("begin a commit", path, source));
    // Crash here: nothing is stored, and nobody was told otherwise.
    crate::failpoint!("store.before_begin");
    let transaction =
        Transaction::new(connection, TransactionBehavior::Immediate).map_err(refused)?;
    // An error drops the transaction, which rolls it back: nothing is stored.
    changes::store(&transaction, path, batch).map_err(CommitError::Refused)?;
    // Crash here: the log has no commit mark, so the next start does not see any of it.
    crate::failpoint!("store.before_commit");
    transaction.commit().map_err(|source| commit_failed(path, source))?;
    // Crash here: all of it is stored, and its effects are yet to come. The next start finds the runs as launching.
    crate::failpoint!("store.after_commit");
    Ok(())
}

/// What a failed COMMIT means.
///
/// When the disk is full, the log lacks at least the end of the last page, so its commit mark is void; when another
/// process holds a lock, nothing was written. Anything else may have happened after the log was complete. While this
/// process lives the batch is not stored, and the next commit overwrites that place in the log. But if the process
/// ends before that, the next one may find the log complete and the batch stored; then its effects have never been
/// performed, as after any crash behind a commit.
fn commit_failed(path: &Path, source: rusqlite::Error) -> CommitError {
    let is_certain = is_busy(&source) || source.sqlite_error_code() == Some(ErrorCode::DiskFull);
    let error = error("commit", path, source);
    if is_certain { CommitError::Refused(error) } else { CommitError::Unknown(error) }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failure(code: std::ffi::c_int) -> CommitError {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        commit_failed(Path::new("/x"), source)
    }

    #[test]
    fn a_failed_commit_is_refused_only_if_nothing_can_be_stored() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT] {
            assert!(matches!(failure(code), CommitError::Refused(_)), "{code}");
        }
        for code in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_ERROR,
        ] {
            assert!(matches!(failure(code), CommitError::Unknown(_)), "{code}");
        }
    }
}
