//! What readers see: the state as committed, fed by the driver.
//!
//! Readers lock it for as long as they copy what they need, and never hold it while they wait for anything. The
//! driver's own state is another, so a reader cannot slow a decision.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::engine::{Change, State};

/// The committed state.
#[derive(Debug)]
pub struct View(RwLock<State>);

impl View {
    /// Begins with a state as loaded.
    #[must_use]
    pub const fn new(state: State) -> Self {
        Self(RwLock::new(state))
    }

    /// The state, for as long as the guard lives. Never keep it across an `await`.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows committed changes.
    pub(super) fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            state.apply(change);
        }
    }

    /// Begins again with a state as loaded.
    pub(super) fn replace(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
