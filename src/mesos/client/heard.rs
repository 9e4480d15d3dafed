//! What goes in and out of the client.

use tokio::sync::mpsc;

use crate::mesos::leader::Masters;
use crate::mesos::transport::Access;
use crate::mesos::wire::{Call, Event, FrameworkInfo, MasterInfo};

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Who is asked.
    pub masters: Masters,
    /// What they are shown.
    pub access: Access,
    /// Who subscribes. Its `id` and `principal` are put in by the client.
    pub framework: FrameworkInfo,
    /// What the framework was called by an earlier subscription, if there was one.
    pub framework_id: Option<String>,
    /// Any number, the same for the same framework: waits are up to a quarter longer by it.
    pub jitter: u64,
}

/// Which subscription something belongs to: they are numbered from 1 in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription(pub u64);

/// What a client tells, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A subscription has begun. Calls are for this one from now on; offers of an earlier one are void.
    Subscribed {
        /// Which.
        subscription: Subscription,
        /// What the framework is called. Another name than before: the earlier framework is gone with its tasks.
        framework_id: String,
        /// Who leads.
        master: Box<MasterInfo>,
    },
    /// Any event but SUBSCRIBED, HEARTBEAT and ERROR.
    Event(Box<Event>),
    /// There is no subscription: none began, or the one there was has ended. The client goes on trying by itself. Told
    /// again when the reason is another.
    Lost {
        /// A sentence, with its remedy if there is one.
        reason: String,
    },
    /// Another process has subscribed with this framework's id. This client never tries again.
    Deposed {
        /// A sentence.
        reason: String,
    },
    /// The master did not take a call. The subscription goes on.
    Refused {
        /// It.
        call: Box<Call>,
        /// The master's status.
        status: u16,
        /// The master's own sentence.
        message: String,
    },
}

/// The door to a client that runs. The client ends when all of them are dropped.
#[derive(Debug, Clone)]
pub struct ClientHandle {
    pub(super) calls: mpsc::UnboundedSender<(Subscription, Call)>,
}

impl ClientHandle {
    /// Sends a call after those before it, and does not wait. A call of a subscription that has ended is dropped, as is
    /// one that meets its end: whoever calls asks anew after the next [`Heard::Subscribed`].
    pub fn call(&self, subscription: Subscription, call: Call) {
        // Fails only after the client has been deposed, when nobody would take it.
        let _ = self.calls.send((subscription, call));
    }
}
