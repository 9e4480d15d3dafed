//! Moving between other schedulers and Chronode: what a job of one means to the other, and what of it changes.
//!
//! Nothing changes its meaning in silence: whatever is not the same on both sides is a [`Finding`], which says what the
//! other scheduler does, what Chronode does, why, and what to do about it.
//!
//! Knows no sockets, no files and no clock: `now` and the zone data are handed in.

#![deny(clippy::disallowed_types)]

pub mod chronos;
pub mod crontab;
mod finding;
mod imported;
mod same;
mod yaml;

pub use finding::{Finding, Weight, worst};
pub use imported::{Imported, Upcoming, is_selected};
pub use same::means_the_same;
pub use yaml::{file_name, print_file};
