//! Whether the loop turns: what a supervisor's watchdog and a health check ask.
//!
//! The loop turns at least twice a second, also while the store refuses or a disk is full: nothing would be gained by
//! ending a process for that. What does not turn is a loop that hangs, in a decision or in a commit that never returns.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock;
use crate::model::Duration;

/// When the loop turned last.
#[derive(Debug)]
pub struct Pulse(
    /// In milliseconds of the boot clock.
    AtomicI64,
);

impl Pulse {
    pub(super) fn new() -> Self {
        Self(AtomicI64::new(now_ms()))
    }

    /// The loop has turned.
    pub(super) fn beat(&self) {
        self.0.store(now_ms(), Ordering::Relaxed);
    }

    /// How long ago the loop turned last.
    #[must_use]
    pub fn still_for(&self) -> Duration {
        Duration::from_millis(now_ms().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

fn now_ms() -> i64 {
    i64::try_from(clock::boot().0.as_millis()).unwrap_or(i64::MAX)
}
