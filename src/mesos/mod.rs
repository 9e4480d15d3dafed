//! The v1 scheduler API of Apache Mesos, as a framework speaks it.
//!
//! * [`wire`]: what is said, as values.
//! * [`recordio`]: the framing of the stream of events.
//! * [`session`]: the rules of a subscription, without a socket.
//! * [`leader`]: which master is asked; [`zookeeper`] watches for it.
//! * [`client`]: the subscription as it is lived: a socket for the events, another for the calls.
//! * [`files`]: reads the files of sandboxes through agents.
//! * [`transport`]: login and certificates.
//!
//! Knows nothing of jobs and runs: what is done with offers and updates is `launcher::mesos`'s.

pub mod client;
pub mod files;
pub mod leader;
pub mod recordio;
pub mod session;
#[cfg(test)]
#[allow(unreachable_pub, reason = "the tests of whole programs include it too")]
mod traces;
pub mod transport;
pub mod wire;
pub mod zookeeper;
