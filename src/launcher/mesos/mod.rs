//! The launcher on other machines: a framework of Apache Mesos.
//!
//! * [`book`] decides, without input or output, what is said to the master and what is told to whoever listens.
//! * [`convert`]: our vocabulary and that of Mesos; [`verdict`]: what an update says of a task.
//! * [`figures`]: what is counted.

pub mod book;
pub mod convert;
pub mod figures;
pub mod verdict;
