//! What whoever works for a cluster counts of what is said there.

/// Counts of a cluster since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClusterCounts {
    /// Subscriptions that began.
    pub subscriptions: u64,
    /// Subscriptions that were lost.
    pub lost_connections: u64,
    /// Offers that came.
    pub offers: u64,
    /// Offers that were declined.
    pub declined_offers: u64,
    /// Offers that the master took back.
    pub rescinds: u64,
    /// Calls that accept offers.
    pub accepts: u64,
    /// Tasks in them.
    pub launches: u64,
    /// Calls that end a task.
    pub kills: u64,
    /// Updates of tasks that came.
    pub updates: u64,
    /// Updates that were acknowledged.
    pub acknowledgements: u64,
    /// Calls that ask for offers again.
    pub revives: u64,
    /// Calls that ask for no offers.
    pub suppressions: u64,
    /// Calls that ask what became of tasks.
    pub reconciliations: u64,
    /// Calls that the master refused.
    pub refused_calls: u64,
}
