//! The engine: decides, and does nothing else.

mod decision;
mod event;

pub use decision::{Change, Decision, Effect, Launcher, Note};
pub use event::{Event, Rejection, RejectionCode, Reply, Request, RequestId};
