//! The feed as the API wants it: with a limit to how long a listener hears nothing.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::api;
use crate::clock;
use crate::driver::feed::Feed;
use crate::engine::FeedEvent;
use crate::model::Duration;

/// How long a listener hears nothing at most. Shorter than what proxies and address translators wait before they take a
/// connection for dead, a minute at the least.
const SILENCE_MAX: Duration = Duration::from_secs(15);

impl api::Feed for Feed {
    fn name(&self) -> Arc<str> {
        self.name()
    }

    fn end(&self) -> u64 {
        self.end()
    }

    fn after(&self, number: u64, max: usize) -> Option<Vec<Arc<FeedEvent>>> {
        self.after(number, max)
    }

    fn grown(&self, number: u64) -> BoxFuture<'_, bool> {
        async move {
            tokio::select! {
                () = self.grown(number) => true,
                () = clock::pause(SILENCE_MAX) => false,
            }
        }
        .boxed()
    }
}
