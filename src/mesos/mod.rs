//! The v1 scheduler API of Apache Mesos, as a framework speaks it.
//!
//! * [`wire`]: what is said, as values.
//! * [`leader`]: which master is asked.
//! * [`files`]: reads the files of sandboxes through agents.
//! * [`recordio`]: the framing of the stream of events.
//! * [`session`]: the rules of a subscription, without a socket.
//! * [`client`]: the subscription as it is lived: a socket for the events, another for the calls.
//! * [`transport`]: login and certificates.
//! * [`zookeeper`]: watches who leads.
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
