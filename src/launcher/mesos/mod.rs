//! The launcher on other machines: a framework of Apache Mesos.
//!
//! [`book`] decides, without input or output, what is said to the master and what is told to whoever listens.

pub mod book;
