//! The part of the crate that the targets ask, under the crate's name.
//!
//! The same files, compiled alone: reading schedules needs neither the database nor the server, so a target is built in
//! a minute instead of ten, and everything that is instrumented is what is looked at.
//! `tests/tidy.rs` keeps these two modules from naming any other.

#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/schedule/mod.rs"]
pub mod schedule;
