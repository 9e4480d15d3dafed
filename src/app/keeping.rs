//! Keeping the end of what runs of a cluster wrote, for when their agents are gone (`--mesos_keep_output`).
//!
//! Follows what becomes of runs, and copies when an attempt has ended. What cannot be read then is not tried again: the
//! agent still has it, as long as it has it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::backend::Backend;
use crate::driver::feed::Feed;
use crate::engine::{FeedItem, RunStep};
use crate::launcher::local::output::{self, Stream};
use crate::mesos::files::Files;
use crate::model::{RunId, Sandbox};

/// Attempts whose output is copied at one time.
const COPIED_AT_ONCE: usize = 4;
/// Items of the feed looked at in one go.
const ITEMS_PER_LOOK: usize = 256;

/// Copies at most the last `bytes` of each stream of each attempt that ends. Never ends itself.
pub(super) async fn keep(backend: Arc<Backend>, feed: Arc<Feed>, data: PathBuf, bytes: u64) {
    let Some(files) = backend.cluster.as_ref().map(|cluster| cluster.files.clone()) else { return };
    let places = Arc::new(Semaphore::new(COPIED_AT_ONCE));
    let mut number = feed.end();
    loop {
        feed.grown(number).await;
        let Some(items) = feed.after(number, ITEMS_PER_LOOK) else {
            tracing::warn!(
                "more happened than could be followed: the output of some runs is not kept here"
            );
            number = feed.end();
            continue;
        };
        for item in items {
            number = item.number;
            let FeedItem::Run { run, step: RunStep::AttemptEnded { attempt, .. }, .. } = item.item
            else {
                continue;
            };
            let sandbox = match backend.sandbox(run, attempt).await {
                Ok(Some(sandbox)) => sandbox,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!("the output of run {run} is not kept here: {error}");
                    continue;
                }
            };
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let (files, data) = (files.clone(), data.clone());
            tokio::spawn(async move {
                let _place = place;
                for stream in [Stream::Stdout, Stream::Stderr] {
                    let copied = copy(&files, &data, &sandbox, (run, attempt), stream, bytes).await;
                    if let Err(error) = copied {
                        let name = stream.file_name();
                        tracing::warn!("the {name} of run {run} is not kept here: {error}");
                    }
                }
            });
        }
    }
}

async fn copy(
    files: &Files,
    data: &Path,
    sandbox: &Sandbox,
    (run, attempt): (RunId, u32),
    stream: Stream,
    bytes: u64,
) -> io::Result<()> {
    let path = format!("{}/{}", sandbox.directory, stream.file_name());
    let size = files.size(&sandbox.agent, &path).await.map_err(io::Error::other)?;
    let begin = size.saturating_sub(bytes);
    let mut kept: Vec<u8> = Vec::new();
    let mut position = begin;
    while position < size {
        let piece = files.read(&sandbox.agent, &path, position, size - position).await;
        let piece = piece.map_err(io::Error::other)?.data;
        if piece.is_empty() {
            break;
        }
        position += piece.len() as u64;
        kept.extend_from_slice(&piece);
    }
    let data = data.to_owned();
    let write = move || output::keep(&data, run, attempt, stream, begin, &kept);
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}
