//! What goes in and out of the machine.

use reqwest::Url;

use crate::mesos::client::Heard;
use crate::mesos::wire::{Call, Event};

/// Who tells whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// These, in turn. Never empty.
    Known(Vec<Url>),
    /// Whoever [`Input::Leader`] names.
    Watched,
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Nothing; it may be time for something.
    Tick,
    /// Another master leads, or none that is known and why.
    Leader(Result<Url, String>),
    /// SUBSCRIBE was answered.
    Answered(Answer),
    /// SUBSCRIBE was not answered.
    Unanswered {
        /// Why.
        reason: String,
    },
    /// Bytes came on the stream.
    Alive,
    /// An event came on the stream.
    Event(Box<Event>),
    /// The stream has ended.
    Ended {
        /// How.
        reason: String,
    },
    /// A call was answered.
    CallAnswered {
        /// It.
        call: Box<Call>,
        /// How.
        answer: Answer,
    },
    /// A call was not answered: the master may have it or not.
    CallLost {
        /// Why.
        reason: String,
    },
}

/// An answer, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Mesos-Stream-Id`.
    pub stream_id: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    /// The text of an answer that is none of the 200s, shortened.
    pub message: String,
}

/// Something to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Close the stream, drop all calls that wait or are on their way.
    Close,
    /// Ask for a stream.
    Subscribe {
        /// Where.
        url: Url,
        /// As whom.
        framework_id: Option<String>,
    },
    /// Tell it.
    Tell(Heard),
}
