//! Whether offers are wanted, and what the master has to be told so that they come or stay away.

use super::Terms;
use crate::model::{BootInstant, Duration};

/// Whether offers are wanted, and what the master was told of it.
#[derive(Debug)]
pub(super) struct Demand {
    /// What was ordered; `None` as long as nothing was.
    wanted: Option<bool>,
    /// Whether the master makes no offers.
    is_suppressed: bool,
    /// Until when some resources are not offered.
    filtered: Filtered,
    /// Whether a REVIVE is to be made as soon as one may be.
    is_revive_due: bool,
    /// How many may be made at once.
    tokens: u32,
    /// Since when the next token grows; `None` while there are as many as there may be.
    growing_since: Option<BootInstant>,
}

/// Whether resources are kept back because they were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filtered {
    /// Perhaps by an earlier process, for how long is not known.
    Perhaps,
    /// Until then at most.
    Until(BootInstant),
    No,
}

/// What the master is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Revive,
    Suppress,
}

impl Demand {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            wanted: None,
            is_suppressed: false,
            filtered: Filtered::Perhaps,
            is_revive_due: false,
            tokens: terms.revive_burst.max(1),
            growing_since: None,
        }
    }

    /// A subscription has begun: nothing is suppressed, but what an earlier process refused may still be kept back.
    pub(super) fn subscribed(&mut self) {
        self.is_suppressed = false;
        self.filtered = Filtered::Perhaps;
        self.is_revive_due = self.wanted == Some(true);
    }

    /// Something waits for an offer, or nothing does.
    pub(super) fn want(&mut self, now: BootInstant, is_wanted: bool) {
        self.wanted = Some(is_wanted);
        let is_filtered = match self.filtered {
            Filtered::Perhaps => true,
            Filtered::Until(until) => now < until,
            Filtered::No => false,
        };
        self.is_revive_due = is_wanted && (self.is_suppressed || is_filtered || self.is_revive_due);
    }

    /// Resources were refused for so long.
    pub(super) fn refused(&mut self, now: BootInstant, span: Duration) {
        let until = now.saturating_add(span);
        self.filtered = match self.filtered {
            Filtered::Perhaps => Filtered::Perhaps,
            Filtered::Until(other) => Filtered::Until(other.max(until)),
            Filtered::No => Filtered::Until(until),
        };
    }

    /// Whether offers that come are of no use.
    pub(super) fn is_sated(&self) -> bool {
        self.wanted == Some(false)
    }

    /// Whether something waits.
    pub(super) fn is_hungry(&self) -> bool {
        self.wanted == Some(true)
    }

    /// What the master is to be told now.
    pub(super) fn say(&mut self, now: BootInstant, terms: &Terms) -> Option<Say> {
        if self.wanted == Some(false) && !self.is_suppressed {
            self.is_suppressed = true;
            return Some(Say::Suppress);
        }
        if !self.is_revive_due {
            return None;
        }
        self.grow(now, terms);
        self.tokens = self.tokens.checked_sub(1)?;
        self.growing_since.get_or_insert(now);
        self.is_revive_due = false;
        self.is_suppressed = false;
        self.filtered = Filtered::No;
        Some(Say::Revive)
    }

    /// When something is to be said that cannot be said yet.
    pub(super) fn wake_at(&self, terms: &Terms) -> Option<BootInstant> {
        let since = self.growing_since.filter(|_| self.is_revive_due)?;
        Some(since.saturating_add(terms.revive_every))
    }

    fn grow(&mut self, now: BootInstant, terms: &Terms) {
        while let Some(since) = self.growing_since {
            let next = since.saturating_add(terms.revive_every);
            if self.tokens >= terms.revive_burst.max(1) {
                self.growing_since = None;
            } else if next <= now && terms.revive_every > Duration::ZERO {
                self.tokens += 1;
                self.growing_since = Some(next);
            } else if next <= now {
                self.tokens = terms.revive_burst.max(1);
            } else {
                return;
            }
        }
    }
}
