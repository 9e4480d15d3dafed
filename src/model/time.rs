//! Instants and spans, under our own names.
//!
//! Everything in the crate says `model::Timestamp` and `model::Duration`; that they are jiff's is known here, in
//! `clock`, in `schedule` and in `migration/chronos/walk.rs`, so that a new release of jiff is the work of few files.

/// An instant on the UTC time line, to the nanosecond. Decides what is due.
pub type Timestamp = jiff::Timestamp;

/// A signed span of physical time. Never a calendar span: those are [`crate::schedule`]'s.
pub type Duration = jiff::SignedDuration;

/// Time since the machine booted, suspended time included. Only spans between two of them mean anything.
///
/// Decides how long something took or may take: time-outs, grace, trust in leadership. Never compared across boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BootInstant(pub Duration);

impl BootInstant {
    /// The instant `span` later, or the last one there is.
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// The span from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// What the clocks said when an event was handled. Stamped once by the driver, handed to every decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock. Somebody may set it; nothing may depend on its going forwards.
    pub wall: Timestamp,
    /// The boot clock.
    pub boot: BootInstant,
}

/// Whole milliseconds since 1970, the resolution of Chronos' wire and of task ids; a fraction is cut.
#[must_use]
pub fn millis_since_epoch(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The instant without what is finer than a millisecond, the resolution of schedules.
#[must_use]
pub fn whole_millis(at: Timestamp) -> Timestamp {
    timestamp_from_millis(millis_since_epoch(at)).unwrap_or(at)
}

/// The instant `millis` milliseconds after 1970, or `None` outside the years −9999 to 9999.
#[must_use]
pub fn timestamp_from_millis(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

/// The last instant before `at`, to the nanosecond.
#[must_use]
pub fn just_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(Duration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}
