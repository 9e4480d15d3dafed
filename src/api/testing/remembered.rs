//! What the backend in memory remembers beyond the present: definitions, and what has happened.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::{World, refuse};
use crate::api::{Feed, RevisionId, RevisionView};
use crate::driver::feed::Feed as RealFeed;
use crate::engine::{FeedEvent, FeedItem, RejectionCode, Reply};
use crate::model::{Incarnation, JobName, JobRecord, RequestKey, Term, Timestamp};

/// Items that the feed of a test keeps.
pub(crate) const FEED_ITEMS: usize = 8;

/// The real feed, of which a test says when it has been silent for too long.
pub(crate) struct TestFeed {
    feed: RealFeed,
    /// Has a permit for each time.
    pub(crate) silences: Semaphore,
}

impl Default for TestFeed {
    fn default() -> Self {
        Self {
            feed: RealFeed::new(Term(1), Timestamp::UNIX_EPOCH, FEED_ITEMS),
            silences: Semaphore::new(0),
        }
    }
}

impl TestFeed {
    /// Tells of something that has happened, at an instant of its own.
    pub(crate) fn tell(&self, item: FeedItem) {
        self.feed.tell("2030-01-01T00:00:00.5Z".parse().unwrap(), vec![item]);
    }

    /// Loses what came so far.
    pub(crate) fn cut(&self) {
        self.feed.cut();
    }
}

impl Feed for TestFeed {
    fn name(&self) -> Arc<str> {
        self.feed.name()
    }

    fn end(&self) -> u64 {
        self.feed.end()
    }

    fn after(&self, number: u64, max: usize) -> Option<Vec<Arc<FeedEvent>>> {
        self.feed.after(number, max)
    }

    fn grown(&self, number: u64) -> BoxFuture<'_, bool> {
        async move {
            tokio::select! {
                () = self.feed.grown(number) => true,
                silence = self.silences.acquire() => {
                    silence.unwrap().forget();
                    false
                }
            }
        }
        .boxed()
    }
}

impl World {
    /// What was answered under a key.
    pub(super) fn repeated(&self, key: &RequestKey) -> Option<Reply> {
        let (known, reply) = self.answered.get(&key.id)?;
        Some(if key.may_repeat(known) {
            reply.clone()
        } else {
            refuse(RejectionCode::KeyReused, "the key was used".to_owned())
        })
    }

    /// Numbers a definition as the engine does, and remembers it.
    pub(super) fn remember(&mut self, record: &mut JobRecord) {
        let newest = self.revisions.iter().map(|found| found.id.incarnation.0).max();
        (record.incarnation, record.revision) = match self.jobs.get(&record.job.name) {
            Some(existing) => (existing.incarnation, existing.revision + 1),
            None => (Incarnation(newest.unwrap_or(0) + 1), 1),
        };
        self.revisions.push(RevisionView {
            id: RevisionId { incarnation: record.incarnation, revision: record.revision },
            accepted_at: record.accepted_at,
            job: record.job.clone(),
            is_removed: false,
        });
    }

    /// Of a life that is over the last definition stays.
    pub(super) fn forget(&mut self, name: &JobName) {
        let lives =
            self.revisions.iter().filter(|found| found.job.name == *name && !found.is_removed);
        let Some(last) = lives.map(|found| found.id).max() else { return };
        self.revisions.retain(|found| found.id.incarnation != last.incarnation || found.id == last);
        for found in &mut self.revisions {
            found.is_removed |= found.id == last;
        }
    }

    pub(super) fn revisions_of(
        &self,
        job: &JobName,
        before: Option<RevisionId>,
        limit: usize,
    ) -> Vec<RevisionView> {
        let mut found: Vec<_> = self
            .revisions
            .iter()
            .filter(|found| found.job.name == *job && before.is_none_or(|before| found.id < before))
            .cloned()
            .collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.id));
        found.truncate(limit);
        found
    }
}
