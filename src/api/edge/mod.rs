//! Between the socket and the routes: connections within limits, who is let in, errors as JSON, the log.

pub(crate) mod front;
mod peer;
mod security;
mod server;
mod stall;

pub use peer::Peers;
pub use server::{Limits, Options, Server, serve};
