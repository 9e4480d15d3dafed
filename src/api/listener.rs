//! Somebody who listens to the feed, and hears of the jobs within their scope alone.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::access::Scope;
use super::backend::Feed;
use super::desk::Place;
use crate::engine::FeedEvent;

/// A place at the feed. The place is free again when it is dropped.
pub(crate) struct Listener {
    feed: Arc<dyn Feed>,
    scope: Scope,
    /// None where nobody counts.
    _seat: Option<Seat>,
}

/// One of the places there are, and one of those that its caller may have: no caller has few where nobody is told apart.
pub(crate) struct Seat {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _place: Option<Place>,
}

/// The next items of the feed.
pub(crate) struct Heard {
    /// Those that the listener may hear, oldest first.
    pub(crate) events: Vec<Arc<FeedEvent>>,
    /// The number of the last one looked at.
    pub(crate) through: u64,
    /// Whether there may be more by now.
    pub(crate) more: bool,
}

impl Listener {
    pub(super) const fn new(feed: Arc<dyn Feed>, scope: Scope, seat: Option<Seat>) -> Self {
        Self { feed, scope, _seat: seat }
    }

    /// As [`Feed::name`].
    pub(crate) fn feed_name(&self) -> Arc<str> {
        self.feed.name()
    }

    /// As [`Feed::end`].
    pub(crate) fn end(&self) -> u64 {
        self.feed.end()
    }

    /// What comes after `number`, of at most `max` items. `None` if something of it cannot be told any more.
    pub(crate) fn after(&self, number: u64, max: usize) -> Option<Heard> {
        let mut events = self.feed.after(number, max)?;
        let through = events.last().map_or(number, |event| event.number);
        let more = events.len() == max;
        // What is about no job is about the house, which everybody may know.
        events.retain(|event| event.item.job().is_none_or(|job| self.scope.covers(job)));
        Some(Heard { events, through, more })
    }

    /// As [`Feed::grown`].
    pub(crate) async fn grown(&self, number: u64) -> bool {
        self.feed.grown(number).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Pattern;
    use crate::api::testing::{TestFeed, name};
    use crate::engine::{FeedItem, JobStep};
    use crate::model::Incarnation;

    #[test]
    fn what_is_out_of_scope_is_not_heard_and_does_not_hold_up() {
        let feed = Arc::new(TestFeed::default());
        for job in ["billing-a", "secret", "billing-b", "secret"] {
            let (job, incarnation) = (name(job), Incarnation(1));
            feed.tell(FeedItem::Job { job, incarnation, step: JobStep::Deleted });
        }
        feed.tell(FeedItem::Launcher { problem: None });
        let scope = Scope::Only(vec![Pattern::parse("billing-*").unwrap()]);
        let listener = Listener::new(feed, scope, None);
        let heard = listener.after(0, 4).unwrap();
        let numbers: Vec<u64> = heard.events.iter().map(|event| event.number).collect();
        assert_eq!((numbers.as_slice(), heard.through, heard.more), (&[1, 3][..], 4, true));
        let heard = listener.after(heard.through, 4).unwrap();
        assert_eq!((heard.events.len(), heard.through, heard.more), (1, 5, false));
    }
}
