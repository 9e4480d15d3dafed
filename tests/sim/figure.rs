//! How often what was done to the house, so that nobody takes a quiet simulation for a proof.

use std::fmt;

/// What can be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Crash,
    CrashInFlight,
    CrashBetweenEffects,
    LeaderChange,
    LeaderChangeInFlight,
    CommitFenced,
    CommitRefused,
    CommitUnknown,
    CommitSlow,
    Disconnect,
    OrderLost,
    KeeperDeath,
    OutOfSight,
    LaunchOutOfSight,
    LaunchLate,
    Suspend,
    ClockStep,
    ReportDoubled,
    ReportLate,
    ReportDropped,
}

impl Fault {
    const ALL: [Self; 20] = [
        Self::Crash,
        Self::CrashInFlight,
        Self::CrashBetweenEffects,
        Self::LeaderChange,
        Self::LeaderChangeInFlight,
        Self::CommitFenced,
        Self::CommitRefused,
        Self::CommitUnknown,
        Self::CommitSlow,
        Self::Disconnect,
        Self::OrderLost,
        Self::KeeperDeath,
        Self::OutOfSight,
        Self::LaunchOutOfSight,
        Self::LaunchLate,
        Self::Suspend,
        Self::ClockStep,
        Self::ReportDoubled,
        Self::ReportLate,
        Self::ReportDropped,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crashes",
            Self::CrashInFlight => "with a commit in flight",
            Self::CrashBetweenEffects => "between two effects",
            Self::LeaderChange => "leader changes",
            Self::LeaderChangeInFlight => "with a commit in flight",
            Self::CommitFenced => "commits of deposed leaders refused",
            Self::CommitRefused => "commits refused",
            Self::CommitUnknown => "of unknown fate",
            Self::CommitSlow => "slow",
            Self::Disconnect => "disconnects",
            Self::OrderLost => "orders lost",
            Self::KeeperDeath => "deaths of the keeper",
            Self::OutOfSight => "tasks out of sight",
            Self::LaunchOutOfSight => "launches out of sight",
            Self::LaunchLate => "of these late",
            Self::Suspend => "suspends",
            Self::ClockStep => "steps of the clock",
            Self::ReportDoubled => "reports doubled",
            Self::ReportLate => "late",
            Self::ReportDropped => "dropped",
        }
    }
}

/// Counts by kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures([u64; Fault::ALL.len()]);

impl Figures {
    pub(crate) const fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
    }

    /// The kinds of which there was none.
    pub(crate) fn unseen(&self) -> Vec<Fault> {
        Fault::ALL.into_iter().filter(|fault| self.0[*fault as usize] == 0).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in Fault::ALL.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} {}", self.0[fault as usize], fault.as_str())?;
        }
        Ok(())
    }
}
