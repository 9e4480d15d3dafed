//! Keeping the history within its limits: old runs leave the store, and their output leaves the disk.
//!
//! Triggered by time, takes no input beyond what is stored, in small batches between which commits go on. A crash
//! between the two halves leaves output without a run, which the limit on bytes catches in the end: it looks at the
//! directories, not at the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock;
use crate::config::History;
use crate::driver::error_chain;
use crate::driver::view::View;
use crate::launcher::local::{output, usage};
use crate::model::{Duration, RunId};
use crate::store::{Retention, SqliteStore};

/// Between two passes. Long against what a pass costs, short against a disk filling up.
const PASS_EVERY: Duration = Duration::from_secs(60);
/// The limit on bytes walks all directories, so it is looked at in every n-th pass only.
const BYTES_EVERY_PASSES: u64 = 10;
/// Entries taken out in one transaction.
const PRUNED_AT_ONCE: usize = 500;

/// Keeps house until it is dropped.
pub(super) async fn keep(
    store: Arc<SqliteStore>,
    view: Arc<View>,
    data: PathBuf,
    history: History,
) {
    let retention = Retention {
        per_job: history.per_job,
        age: history.age,
        total: history.total,
        ..Retention::default()
    };
    for pass in 0_u64.. {
        if let Err(error) = prune(&store, &data, retention).await {
            tracing::warn!("cannot shorten the history, will try again: {error}");
        }
        if pass % BYTES_EVERY_PASSES == 0 {
            let (view, data) = (view.clone(), data.clone());
            let cut = move || cut_output(&view, &data, history.bytes);
            match tokio::task::spawn_blocking(cut).await {
                Ok(0) => {}
                Ok(count) => tracing::info!("removed the output of {count} old runs to save space"),
                Err(error) => tracing::warn!("removing old output failed: {error}"),
            }
        }
        clock::pause(PASS_EVERY).await;
    }
}

async fn prune(store: &SqliteStore, data: &Path, retention: Retention) -> Result<(), String> {
    loop {
        let pruned = store
            .prune(clock::wall(), retention, PRUNED_AT_ONCE)
            .await
            .map_err(|error| error_chain(&error))?;
        let more = pruned.more;
        let data = data.to_owned();
        let remove = move || pruned.runs.iter().for_each(|&run| remove_output(&data, run));
        tokio::task::spawn_blocking(remove).await.map_err(|error| error.to_string())?;
        if !more {
            return Ok(());
        }
    }
}

fn remove_output(data: &Path, run: RunId) {
    if let Err(error) = output::remove_run(data, run) {
        tracing::warn!("cannot remove the output of run {run}: {error}");
    }
}

/// Removes the output of the oldest ended runs until what is left fits into `limit` bytes. Returns how many.
fn cut_output(view: &View, data: &Path, limit: u64) -> usize {
    let mut runs = match usage::runs_on_disk(data) {
        Ok(runs) => runs,
        Err(error) => {
            tracing::warn!("cannot look at the output of runs: {error}");
            return 0;
        }
    };
    let mut total: u64 = runs.iter().map(|run| run.bytes).sum();
    runs.sort_by_key(|run| run.changed_at);
    let mut removed = 0;
    for run in runs {
        if total <= limit {
            break;
        }
        if view.read().run(run.id).is_some() {
            continue;
        }
        remove_output(data, run.id);
        total = total.saturating_sub(run.bytes);
        removed += 1;
    }
    removed
}
