//! The part of the port that reads files of attempts.

use std::io;

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::Backend;
use crate::api::{self, Piece, SandboxFile};
use crate::model::RunId;

const HERE: &str =
    "the run was executed on the scheduler's own machine, whose files are not shown here";

fn here<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::NotFound, HERE))
}

impl api::Sandboxes for Backend {
    fn files(
        &self,
        _run: RunId,
        _attempt: u32,
        _directory: String,
    ) -> BoxFuture<'_, io::Result<Vec<SandboxFile>>> {
        future::ready(here()).boxed()
    }

    fn file(
        &self,
        _run: RunId,
        _attempt: u32,
        _path: String,
        _position: u64,
        _max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        future::ready(here()).boxed()
    }
}
