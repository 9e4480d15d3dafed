//! What a launcher counts.

/// Counts since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Subscriptions that began.
    pub subscriptions: u64,
    /// Subscriptions that were lost.
    pub lost_connections: u64,
    /// Offers that came.
    pub offers: u64,
    /// Offers that were declined.
    pub declined_offers: u64,
    /// Offers that were taken back by the master.
    pub rescinds: u64,
    /// Calls of ACCEPT.
    pub accepts: u64,
    /// Tasks in them.
    pub launches: u64,
    /// Calls of KILL.
    pub kills: u64,
    /// Updates that came.
    pub updates: u64,
    /// Updates that were acknowledged.
    pub acknowledgements: u64,
    /// Calls of REVIVE.
    pub revives: u64,
    /// Calls of SUPPRESS.
    pub suppressions: u64,
    /// Calls of RECONCILE.
    pub reconciliations: u64,
    /// Calls that the master refused.
    pub refused_calls: u64,
}
