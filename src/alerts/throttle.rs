//! How many messages an address gets: a burst within a window, and the rest as one digest.
//!
//! What counts is when messages were made: a digest is made when it falls due. Within any window, an address gets at
//! most `burst` messages that are not digests, and one that is.

use std::collections::BTreeMap;

use crate::model::{Address, NotificationId, Timestamp};

use super::{BURST_MAX, MADE_KEPT, Terms, earlier, later};

/// How many messages of one address are remembered: as many as a window can hold, and some digests.
const ENTRIES_KEPT: usize = BURST_MAX as usize + 4;

/// A message that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: Timestamp,
    is_digest: bool,
}

/// When the last messages of one address were made, in the order in which they were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lately {
    entries: BTreeMap<NotificationId, Entry>,
}

impl Lately {
    pub(super) fn note(&mut self, id: NotificationId, at: Timestamp, is_digest: bool) {
        self.entries.insert(id, Entry { at, is_digest });
        while self.entries.len() > ENTRIES_KEPT {
            self.entries.pop_first();
        }
    }

    /// Until when the next message has to wait; `None` if it need not.
    ///
    /// An instant later than that of a message made after it, or than now, is of a clock that was set back: it counts
    /// as that.
    pub(super) fn wait(&self, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
        let burst = terms.burst.min(BURST_MAX) as usize;
        let since = earlier(now, terms.window);
        let mut ordinary = Vec::new();
        let mut digest = None;
        let mut latest = now;
        for entry in self.entries.values().rev() {
            latest = latest.min(entry.at);
            if latest <= since {
                break;
            }
            match entry.is_digest {
                true => digest = digest.or(Some(latest)),
                false => ordinary.push(latest),
            }
        }
        if ordinary.len() < burst {
            return None;
        }
        // With a burst of 0 nothing is told but by digests.
        let oldest = burst.checked_sub(1).map_or(now, |last| ordinary[last]);
        Some(later(digest.map_or(oldest, |digest| digest.max(oldest)), terms.window))
    }
}

/// When the last messages of all addresses were made.
///
/// A function of the notifications that were made, whatever became of them: so it is the same after a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Made {
    by_address: BTreeMap<Address, Lately>,
    by_id: BTreeMap<NotificationId, Address>,
}

impl Made {
    /// Takes a notification that is made, again when it has another instant.
    pub(super) fn note(
        &mut self,
        id: NotificationId,
        to: &Address,
        at: Timestamp,
        is_digest: bool,
    ) {
        self.by_address.entry(to.clone()).or_default().note(id, at, is_digest);
        self.by_id.insert(id, to.clone());
    }

    /// Forgets what lies too far back, `last` being the largest number that was given.
    pub(super) fn forget(&mut self, last: u64) {
        while let Some(first) = self.by_id.first_entry() {
            if first.key().0.saturating_add(MADE_KEPT) > last {
                return;
            }
            let (id, address) = first.remove_entry();
            if let Some(lately) = self.by_address.get_mut(&address) {
                lately.entries.remove(&id);
                if lately.entries.is_empty() {
                    self.by_address.remove(&address);
                }
            }
        }
    }

    pub(super) fn lately(&self, to: &Address) -> Option<&Lately> {
        self.by_address.get(to)
    }
}
