//! The v1 scheduler API of Apache Mesos, as a framework speaks it.
//!
//! * [`wire`]: what is said, as values.
//!
//! Knows nothing of jobs and runs: what is done with offers and updates is `launcher::mesos`'s.

pub mod wire;
