//! The clocks. The only file that reads them or waits on them.
//!
//! Two clocks, never subtracted from one another: the wall clock decides what is due; the boot clock, which does not
//! step and counts suspended time, measures how long something took or may take.

use crate::model::{BootInstant, Duration, Now, Timestamp};

/// The wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// The boot clock.
#[must_use]
pub fn boot() -> BootInstant {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let nanos = i32::try_from(at.tv_nsec).unwrap_or(0);
    BootInstant(Duration::new(at.tv_sec, nanos))
}

/// The clock by which a supervisor of services orders what it is told: microseconds of `CLOCK_MONOTONIC`. For nothing else.
#[must_use]
pub fn monotonic_micros() -> i64 {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    at.tv_sec.saturating_mul(1_000_000).saturating_add(at.tv_nsec / 1_000)
}

/// When this machine started, by what the wall clock shows now. Read again after somebody has set the clock it is
/// another instant; a start's name is its boot id.
#[must_use]
pub fn machine_start() -> Timestamp {
    wall().saturating_sub(boot().0).unwrap_or(Timestamp::MIN)
}

/// Both.
#[must_use]
pub fn now() -> Now {
    Now { wall: wall(), boot: boot() }
}

/// As [`pause`], for a thread of a program without a runtime, such as the command line.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn pause_thread(span: Duration) {
    if let Ok(span) = std::time::Duration::try_from(span) {
        std::thread::sleep(span);
    }
}

/// Waits for `span`, or not at all if it is not positive. At most a millisecond longer, on an idle machine.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub async fn pause(span: Duration) {
    if let Ok(span) = std::time::Duration::try_from(span)
        && !span.is_zero()
    {
        tokio::time::sleep(span).await;
    }
}
