//! Between the socket and the routes: connections within limits, who is let in, errors as JSON, the log.

pub(crate) mod front;
mod leftover;
mod peer;
mod security;
mod server;
mod stall;
mod tls;

pub use peer::Peers;
pub use server::{Entrance, Limits, Options, Server, serve};
pub use tls::{Tls, TlsError, TlsFiles};
