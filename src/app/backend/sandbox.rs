//! The part of the port that reads what attempts left on agents of a cluster.

use std::io;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Backend;
use crate::api::{self, Piece, SandboxFile};
use crate::mesos::files::FileError;
use crate::model::{RunId, Sandbox};

const HERE: &str =
    "the run was executed on the scheduler's own machine, whose files are not shown here";
const NO_CLUSTER: &str = "the run was executed on an agent of a cluster, and this process works for none: start it with \
                          the --master of that cluster to read what is left there";

impl Backend {
    /// Where the files of an attempt are; `None` is this machine.
    pub(in crate::app) async fn sandbox(
        &self,
        id: RunId,
        attempt: u32,
    ) -> io::Result<Option<Sandbox>> {
        let live = self.view.read().run(id).cloned();
        let run = match live {
            Some(run) => Some(run),
            None => api::Backend::run(self, id).await.map_err(io::Error::other)?,
        };
        let attempts = run.map(|run| run.attempts).unwrap_or_default();
        let found = attempts.into_iter().find(|found| found.index == attempt);
        Ok(found.and_then(|found| found.placed).and_then(|placed| placed.sandbox))
    }

    /// Part of a file in a sandbox.
    pub(super) async fn read_there(
        &self,
        sandbox: &Sandbox,
        path: &str,
        position: u64,
        max: usize,
    ) -> io::Result<Piece> {
        let cluster =
            self.cluster.as_ref().ok_or_else(|| sentence(io::ErrorKind::NotFound, NO_CLUSTER))?;
        let path = format!("{}/{path}", sandbox.directory);
        let length = u64::try_from(max).unwrap_or(u64::MAX);
        let read = cluster.files.read(&sandbox.agent, &path, position, length).await;
        let piece = read.map_err(|error| told(&error))?;
        Ok(Piece { position, bytes: piece.data.into(), omitted: 0, total: piece.size })
    }
}

fn sentence(kind: io::ErrorKind, text: impl Into<String>) -> io::Error {
    io::Error::new(kind, text.into())
}

/// The error as the port tells it.
fn told(error: &FileError) -> io::Error {
    let kind = match error {
        FileError::Unreachable { .. } | FileError::Odd { .. } => io::ErrorKind::HostUnreachable,
        FileError::Gone { .. } => io::ErrorKind::NotFound,
        FileError::Forbidden { .. } => io::ErrorKind::PermissionDenied,
    };
    sentence(kind, error.to_string())
}

impl api::Sandboxes for Backend {
    fn files(
        &self,
        run: RunId,
        attempt: u32,
        directory: String,
    ) -> BoxFuture<'_, io::Result<Vec<SandboxFile>>> {
        async move {
            let sandbox = self.sandbox(run, attempt).await?;
            let sandbox = sandbox.ok_or_else(|| sentence(io::ErrorKind::NotFound, HERE))?;
            let cluster = self
                .cluster
                .as_ref()
                .ok_or_else(|| sentence(io::ErrorKind::NotFound, NO_CLUSTER))?;
            let below = |name: &str| match directory.as_str() {
                "" => name.to_owned(),
                directory => format!("{directory}/{name}"),
            };
            let whole = match directory.as_str() {
                "" => sandbox.directory.clone(),
                directory => format!("{}/{directory}", sandbox.directory),
            };
            let found = cluster.files.list(&sandbox.agent, &whole).await;
            let found = found.map_err(|error| told(&error))?;
            Ok(found
                .into_iter()
                .map(|file| SandboxFile {
                    path: below(&file.name),
                    is_directory: file.is_directory,
                    size: file.size,
                    modified_at: file.written_at,
                    owner: file.user,
                    mode: mode(file.mode, file.is_directory),
                })
                .collect())
        }
        .boxed()
    }

    fn file(
        &self,
        run: RunId,
        attempt: u32,
        path: String,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        async move {
            let sandbox = self.sandbox(run, attempt).await?;
            let sandbox = sandbox.ok_or_else(|| sentence(io::ErrorKind::NotFound, HERE))?;
            self.read_there(&sandbox, &path, position, max).await
        }
        .boxed()
    }
}

/// Permissions as `ls` shows them.
fn mode(bits: u32, is_directory: bool) -> String {
    let kind = if is_directory { 'd' } else { '-' };
    let letters = "rwxrwxrwx".chars().rev().enumerate();
    let mut shown: Vec<char> =
        letters.map(|(bit, letter)| if bits >> bit & 1 == 1 { letter } else { '-' }).collect();
    shown.push(kind);
    shown.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::mode;

    #[test]
    fn permissions_are_shown_as_by_ls() {
        assert_eq!(mode(0o100_644, false), "-rw-r--r--");
        assert_eq!(mode(0o040_750, true), "drwxr-x---");
        assert_eq!(mode(0o4_001, false), "---------x");
    }
}
