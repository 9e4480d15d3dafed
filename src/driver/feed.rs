//! The feed: the last things that have happened, for whoever wants to hear of everything that changes.
//!
//! A ring in memory with a number for each item. A reader has a number and asks for what comes after it; the feed knows
//! no readers, so that no slow one costs it anything. What has left the ring cannot be told any more, and neither can
//! what came about out of sight (`cut`): such a reader is told that it has missed something, never given the
//! rest as if it were all.
//!
//! A restart begins another feed, by another name: numbers of the old one mean nothing in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::engine::{FeedEvent, FeedItem};
use crate::model::{Term, Timestamp, millis_since_epoch};

/// Items kept. Of a few hundred bytes each at most, so about ten megabytes; in a second in which a thousand runs are due
/// there are some five thousand.
pub const FEED_ITEMS_MAX: usize = 32_768;

/// The last things that have happened.
#[derive(Debug)]
pub struct Feed {
    name: Arc<str>,
    items_max: usize,
    ring: Mutex<Ring>,
    /// The number of the last item.
    end: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    /// The last ones, without gaps in their numbers.
    items: VecDeque<Arc<FeedEvent>>,
    /// The number of the last one, or of what was cut off after it.
    end: u64,
}

impl Feed {
    /// An empty feed of at most `items_max` items. Its name is another one for each `term` and each instant of
    /// `begun_at`: after an older state was restored a term may come again.
    #[must_use]
    pub fn new(term: Term, begun_at: Timestamp, items_max: usize) -> Self {
        Self {
            name: format!("{}-{}", term.0, millis_since_epoch(begun_at)).into(),
            items_max,
            ring: Mutex::default(),
            end: watch::Sender::new(0),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The number of the last item; 0 before the first.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.lock().end
    }

    /// The items after the one numbered `number`, at most `max`, oldest first. `None` if something that came after it
    /// cannot be told any more.
    #[must_use]
    pub fn after(&self, number: u64, max: usize) -> Option<Vec<Arc<FeedEvent>>> {
        let ring = self.lock();
        let wanted = usize::try_from(ring.end.checked_sub(number)?).ok()?;
        let skipped = ring.items.len().checked_sub(wanted)?;
        Some(ring.items.iter().skip(skipped).take(max).cloned().collect())
    }

    /// Waits until something comes after `number`.
    pub async fn grown(&self, number: u64) {
        // The sender is ours, so the channel is open.
        let _ = self.end.subscribe().wait_for(|end| *end > number).await;
    }

    /// Appends items, which are durable and shown to readers by now.
    pub(crate) fn tell(&self, at: Timestamp, items: Vec<FeedItem>) {
        if items.is_empty() {
            return;
        }
        let mut ring = self.lock();
        for item in items {
            ring.end += 1;
            let number = ring.end;
            if ring.items.len() == self.items_max {
                ring.items.pop_front();
            }
            ring.items.push_back(Arc::new(FeedEvent { number, at, item }));
        }
        let end = ring.end;
        drop(ring);
        self.end.send_replace(end);
    }

    /// Forgets everything, because something may have come about that was not told: nobody goes on from before as if
    /// nothing had happened.
    pub(crate) fn cut(&self) {
        let mut ring = self.lock();
        ring.items.clear();
        ring.end += 1;
        let end = ring.end;
        drop(ring);
        self.end.send_replace(end);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics while it is held.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
