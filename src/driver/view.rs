//! What readers see: the state as committed, fed by the driver.
//!
//! Readers lock it for as long as they copy what they need, and never hold it while they wait for anything. The
//! driver's own state is another, so a reader cannot slow a decision.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::engine::{Change, State};
use crate::metrics::Metrics;

/// The committed state, and what is counted of how it changes.
#[derive(Debug)]
pub struct View {
    state: RwLock<State>,
    metrics: Arc<Metrics>,
}

impl View {
    /// Begins with a state as loaded.
    #[must_use]
    pub const fn new(state: State, metrics: Arc<Metrics>) -> Self {
        Self { state: RwLock::new(state), metrics }
    }

    /// The state, for as long as the guard lives. Never keep it across an `await`.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows committed changes.
    pub(super) fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        // Only the driver writes, so nothing changes between the two.
        let before = self.read();
        for change in changes {
            self.metrics.follow(&before, change);
        }
        drop(before);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            state.apply(change);
        }
    }

    /// Begins again with a state as loaded.
    pub(super) fn replace(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
