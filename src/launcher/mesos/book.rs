//! What is known of offers, tasks and questions, and what follows from orders and events. No input or output; time is
//! handed in.
//!
//! Orders and events go in, calls and notices come out of [`Book::take`] in the order in which they are to be said.

use crate::launcher::{Notice, Order};
use crate::mesos::wire;
use crate::model::{BootInstant, Duration, FrameworkId, Now};

/// The terms on which a book works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The roles that the framework has subscribed with. Resources that are reserved to others do not count.
    pub roles: Vec<String>,
    /// For how long what is not used is not to be offered again.
    pub decline_for: Duration,
    /// How often a REVIVE may be made in the long run; up to [`Self::revive_burst`] at once.
    pub revive_every: Duration,
    /// How many calls of REVIVE may follow one another at once.
    pub revive_burst: u32,
    /// How often the master is asked for all that lives.
    pub reconcile_every: Duration,
}

impl Default for Terms {
    /// The role of everybody, and the times of the flags' defaults.
    fn default() -> Self {
        Self {
            roles: vec!["*".to_owned()],
            decline_for: Duration::from_secs(5),
            revive_every: Duration::from_secs(5),
            revive_burst: 5,
            reconcile_every: Duration::from_secs(600),
        }
    }
}

/// Something that a book wants to be said.
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    /// To the master.
    Call(Box<wire::Call>),
    /// To whoever listens.
    Notice(Notice),
}

/// The book.
#[derive(Debug)]
pub struct Book {
    terms: Terms,
    out: Vec<Out>,
}

impl Book {
    /// An empty book, not subscribed.
    #[must_use]
    pub const fn new(terms: Terms) -> Self {
        Self { terms, out: Vec::new() }
    }

    /// Takes an order.
    pub fn order(&mut self, _now: Now, _order: Order) {}

    /// A stream of events has begun. Must be called before the first [`Self::event`] of the stream.
    pub fn subscribed(&mut self, _now: Now, _framework: FrameworkId) {}

    /// The stream of events has ended, or could not be begun. The reason is a sentence.
    pub fn lost(&mut self, _now: Now, _reason: String) {}

    /// Takes an event. SUBSCRIBED, ERROR and HEARTBEAT are for whoever keeps the subscription, and are passed over.
    pub fn event(&mut self, _now: Now, _event: &wire::Event) {}

    /// Does what has become due. Harmless at any time.
    pub fn wake(&mut self, _now: Now) {}

    /// When [`Self::wake`] is to be called next.
    #[must_use]
    pub const fn wake_at(&self) -> Option<BootInstant> {
        None
    }

    /// What is to be said, in order.
    pub fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }

    /// The terms on which it works.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }
}
