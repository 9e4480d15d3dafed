//! The store in one SQLite file.
//!
//! One thread writes (`writer`); everybody else reads through connections of their own ([`Reader`]), which the
//! write-ahead log lets them do without waiting. `schema` has the tables, `open` decides whether a file can be
//! trusted, `changes` puts the engine's changes into the tables, `retention` takes old history out, `backup` copies the
//! file while it is in use, `lock` keeps a second process away.
//!
//! Every commit is on the disk before it is answered (`synchronous=FULL`). The rest of the settings, each with its
//! reason, is in `open`.

mod alerts;
mod backup;
mod changes;
mod load;
mod lock;
mod open;
mod reader;
mod retention;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::thread::JoinHandle;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::{mpsc, oneshot};

pub use backup::{Existing, backup};
pub use lock::{DataDir, LOCK_FILE};
pub use reader::{
    Filter, Found, IncidentFilter, Lane, NotificationFilter, Reader, Revision, Within,
};
pub use retention::{Pruned, Retention};

use super::{Batch, CommitError, Error, Loaded, Store};
use crate::model::Timestamp;
use writer::{Request, Writer};

/// The database's name in the data directory.
pub const DATABASE_FILE: &str = "chronode.db";

/// Requests that may wait for the writer. The driver has one batch in flight; the rest is maintenance.
const QUEUE_LENGTH: usize = 8;

/// The store in one SQLite file.
///
/// Dropping it waits until the writer has finished what it was asked for and closed the file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// `None` only while it is dropped.
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// Kept so that the lock is held as long as anything can be written.
    _directory: DataDir,
}

impl SqliteStore {
    /// Opens the database in `directory`, or makes it if there is none. Checks the whole file, so it may take seconds;
    /// blocks.
    ///
    /// # Errors
    ///
    /// [`Error`]: the file is damaged, foreign or newer, or the disk does not cooperate. A file that cannot be
    /// trusted is left as it is.
    pub fn open(directory: &DataDir) -> Result<Self, Error> {
        let path = directory.path().join(DATABASE_FILE);
        let writer = Writer::open(&path)?;
        let (requests, queue) = mpsc::channel(QUEUE_LENGTH);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.serve(queue))
            .map_err(|source| Error::Io {
                doing: "start the thread that writes",
                path: path.clone(),
                source,
            })?;
        Ok(Self {
            path,
            requests: Some(requests),
            writer: Some(thread),
            _directory: directory.clone(),
        })
    }

    /// Opens connections that read what is committed here.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }

    /// Takes out of the history what `retention` does not keep at `now`: at most `limit` entries, in one transaction.
    ///
    /// Live runs stay, and so does the stretch that a job may still extend. To be called again while
    /// [`Pruned::more`]; commits go in between.
    ///
    /// # Errors
    ///
    /// [`Error`]: nothing was taken out.
    pub async fn prune(
        &self,
        now: Timestamp,
        retention: Retention,
        limit: usize,
    ) -> Result<Pruned, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Prune { now, retention, limit, reply }).await?;
        answer.await.map_err(|_| Error::WriterGone)?
    }

    /// Moves the write-ahead log into the database and empties it, as far as readers allow. For when nothing else is
    /// going on; while there is something, the writer keeps the log short by itself.
    ///
    /// # Errors
    ///
    /// [`Error`]: nothing is lost, the log stays.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Checkpoint { reply }).await?;
        answer.await.map_err(|_| Error::WriterGone)?
    }

    async fn send(&self, request: Request) -> Result<(), Error> {
        let requests = self.requests.as_ref().ok_or(Error::WriterGone)?;
        requests.send(request).await.map_err(|_| Error::WriterGone)
    }
}

impl Store for SqliteStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, Error>> {
        async move {
            let (reply, answer) = oneshot::channel();
            self.send(Request::Load { reply }).await?;
            answer.await.map_err(|_| Error::WriterGone)?
        }
        .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        async move {
            let (reply, answer) = oneshot::channel();
            // Never reached the writer: nothing is stored.
            self.send(Request::Commit { batch, reply }).await.map_err(CommitError::Refused)?;
            // Reached it, and the writer died before it could answer: on either side of the commit.
            answer.await.map_err(|_| CommitError::Unknown(Error::WriterGone))?
        }
        .boxed()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The writer ends when nobody can ask it any more.
        self.requests = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes the state panicked");
        }
    }
}
