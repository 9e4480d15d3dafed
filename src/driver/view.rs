//! What readers see: the state as committed, fed by the driver.
//!
//! Readers lock it for as long as they copy what they need, and never hold it while they wait for anything. The
//! driver's own state is another, so a reader cannot slow a decision. What has changed is told to the feed after readers
//! can see it: whoever hears of a change and looks finds it made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::engine::glance::Tally;
use crate::engine::{Change, State, feed_items};
use crate::metrics::Metrics;
use crate::model::Timestamp;

use super::feed::{FEED_ITEMS_MAX, Feed};

/// The committed state, and what is counted of how it changes.
#[derive(Debug)]
pub struct View {
    state: RwLock<State>,
    /// Follows the state: changed while that is locked, and locked after it.
    tally: Mutex<Tally>,
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
}

impl View {
    /// Begins at `now` with a state as loaded, and an empty feed.
    #[must_use]
    pub fn new(state: State, now: Timestamp, metrics: Arc<Metrics>) -> Self {
        let feed = Arc::new(Feed::new(state.term(), now, FEED_ITEMS_MAX));
        let tally = Mutex::new(Tally::of(&state));
        Self { state: RwLock::new(state), tally, feed, metrics }
    }

    /// The state, for as long as the guard lives. Never keep it across an `await`.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The jobs counted, as of now.
    pub fn tally(&self) -> Tally {
        self.lock_tally().clone()
    }

    fn lock_tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut tally = self.lock_tally();
        for change in changes {
            items.extend(feed_items(&state, change));
            tally.apply(&mut state, change);
        }
        debug_assert_eq!(*tally, Tally::of(&state), "the tally does not follow the state");
        drop(tally);
        drop(state);
        self.feed.tell(now, items);
    }

    /// Begins again with a state as loaded. What has changed since the last one is not known.
    pub(super) fn replace(&self, state: State) {
        let mut seen = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *self.lock_tally() = Tally::of(&state);
        *seen = state;
        drop(seen);
        self.feed.cut();
    }
}
