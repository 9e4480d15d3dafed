//! What changes of clock do to an expression.
//!
//! Without a policy of the job it is what Debian's cron does, by two classes of texts: *wildcard* if the minute or the
//! hour begins with `*`, *fixed* otherwise. A policy of the job holds for both, and for changes of any length.

use crate::model::{DstPolicy, FoldPolicy, GapPolicy};

/// Changes of clock up to here are made up for. From Debian's cron.
const MADE_UP_SECONDS: i64 = 3 * 3_600;

/// What becomes of skipped and repeated wall times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schedule) struct Changes {
    pub(super) gap: Gap,
    pub(super) fold: Fold,
}

/// What becomes of wall times that a gap skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// All of them are one occurrence at the first instant after it, if it is shorter than this, in seconds.
    After { shorter_than: i64 },
    /// Each is later by the length of the gap.
    Shift,
    /// There are none.
    Skip,
}

/// What becomes of wall times that are shown twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// The first passing counts, if the clock goes back by no more than this, in seconds; otherwise both do.
    First { longest: i64 },
    /// The last passing counts.
    Last,
    /// Both count.
    Both,
}

impl Changes {
    pub(super) fn new(policy: DstPolicy, is_wildcard: bool) -> Self {
        let gap = match policy.gap {
            Some(GapPolicy::After) => Gap::After { shorter_than: i64::MAX },
            Some(GapPolicy::Shift) => Gap::Shift,
            Some(GapPolicy::Skip) => Gap::Skip,
            None if is_wildcard => Gap::Skip,
            None => Gap::After { shorter_than: MADE_UP_SECONDS },
        };
        let fold = match policy.fold {
            Some(FoldPolicy::First) => Fold::First { longest: i64::MAX },
            Some(FoldPolicy::Last) => Fold::Last,
            Some(FoldPolicy::Both) => Fold::Both,
            None if is_wildcard => Fold::Both,
            None => Fold::First { longest: MADE_UP_SECONDS },
        };
        Self { gap, fold }
    }

    /// What becomes of what a gap of this length, in seconds, skips. Search and preview both ask this.
    pub(in crate::schedule) const fn gap(self, length: i64) -> GapPolicy {
        match self.gap {
            Gap::After { shorter_than } if length < shorter_than => GapPolicy::After,
            Gap::Shift => GapPolicy::Shift,
            Gap::After { .. } | Gap::Skip => GapPolicy::Skip,
        }
    }

    /// What becomes of what is shown twice because the clock goes back by so many seconds.
    pub(in crate::schedule) const fn fold(self, length: i64) -> FoldPolicy {
        match self.fold {
            Fold::First { longest } if length <= longest => FoldPolicy::First,
            Fold::Last => FoldPolicy::Last,
            Fold::First { .. } | Fold::Both => FoldPolicy::Both,
        }
    }
}
