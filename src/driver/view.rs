//! What readers see: the state as committed, fed by the driver.
//!
//! Readers lock it for as long as they copy what they need, and never hold it while they wait for anything. The
//! driver's own state is another, so a reader cannot slow a decision. What has changed is told to the feed after readers
//! can see it: whoever hears of a change and looks finds it made.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::engine::{Change, State, feed_items};
use crate::metrics::Metrics;
use crate::model::Timestamp;

use super::feed::{FEED_ITEMS_MAX, Feed};

/// The committed state, and what is counted of how it changes.
#[derive(Debug)]
pub struct View {
    state: RwLock<State>,
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
}

impl View {
    /// Begins at `now` with a state as loaded, and an empty feed.
    #[must_use]
    pub fn new(state: State, now: Timestamp, metrics: Arc<Metrics>) -> Self {
        let feed = Arc::new(Feed::new(state.term(), now, FEED_ITEMS_MAX));
        Self { state: RwLock::new(state), feed, metrics }
    }

    /// The state, for as long as the guard lives. Never keep it across an `await`.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has changed, as it changes.
    #[must_use]
    pub const fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Follows changes that are committed at `now`.
    pub(super) fn apply(&self, changes: &[Change], now: Timestamp) {
        if changes.is_empty() {
            return;
        }
        // Only the driver writes, so nothing changes between the two.
        let before = self.read();
        for change in changes {
            self.metrics.follow(&before, change);
        }
        drop(before);
        let mut items = Vec::new();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            items.extend(feed_items(&state, change));
            state.apply(change);
        }
        drop(state);
        self.feed.tell(now, items);
    }

    /// Begins again with a state as loaded. What has changed since the last one is not known.
    pub(super) fn replace(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.feed.cut();
    }
}
