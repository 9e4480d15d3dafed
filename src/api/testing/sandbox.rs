//! Files of attempts, in memory.

use std::io;

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::{Memory, Written};
use crate::api::{Piece, SandboxFile, Sandboxes};
use crate::model::RunId;

/// A file, or why none can be had.
pub(crate) type Kept = Result<Written, (io::ErrorKind, &'static str)>;

impl Sandboxes for Memory {
    fn files(
        &self,
        run: RunId,
        attempt: u32,
        directory: String,
    ) -> BoxFuture<'_, io::Result<Vec<SandboxFile>>> {
        let world = self.world();
        let mut files = Vec::new();
        for ((_, _, path), kept) in
            world.files.iter().filter(|((id, index, _), _)| (*id, *index) == (run, attempt))
        {
            let (parent, _) = path.rsplit_once('/').unwrap_or(("", path));
            match kept {
                Ok(written) if parent == directory => files.push(SandboxFile {
                    path: path.clone(),
                    is_directory: false,
                    size: written.total,
                    modified_at: None,
                    owner: "root".to_owned(),
                    mode: "-rw-r--r--".to_owned(),
                }),
                Ok(_) => {}
                Err((kind, why)) => {
                    return future::ready(Err(io::Error::new(*kind, *why))).boxed();
                }
            }
        }
        future::ready(Ok(files)).boxed()
    }

    fn file(
        &self,
        run: RunId,
        attempt: u32,
        path: String,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        let found = match self.world().files.get(&(run, attempt, path)) {
            Some(Ok(written)) => Ok(written.piece(position, max)),
            Some(Err((kind, why))) => Err(io::Error::new(*kind, *why)),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file")),
        };
        future::ready(found).boxed()
    }
}
