//! Pending runs × offers → assignments.
//!
//! Pure and deterministic. The offers of one agent are one room: a run may take from several of them, never from two
//! agents. Of the agents that meet the conditions and hold the resources, `pack` takes the one with the least room and
//! `spread` the one with the fewest live runs of the job; then the first by name. One run that fits nowhere stops nobody
//! else. Knows neither jobs nor runs, only what is wanted, and where the live runs of the same job are.

#![deny(clippy::disallowed_types)]

mod conditions;
mod misfit;
mod siblings;
mod tally;
#[cfg(test)]
mod tests;

pub use conditions::{Conditions, PatternError, value_of};
pub use misfit::{Lack, Misfit};
pub use siblings::Siblings;
pub use tally::{Assignment, Tally, Wanted};
