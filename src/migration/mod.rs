//! Moving between Chronos and Chronode: what a job of one means to the other, and what of it changes.
//!
//! ```text
//!   jobs as Chronos prints or stores them ── import ──▶ bodies for our door, parents first, each with its findings
//!   bytes of a node in its ZooKeeper ── read_entry ──▶ the JSON in them
//!   a job of ours ── export ──▶ a body that Chronos accepts, with its endpoint, or why there is none
//! ```
//!
//! Nothing changes its meaning in silence: whatever is not the same on both sides is a [`Finding`], which says what
//! Chronos does, what Chronode does, why, and what to do about it. How Chronos calculates is followed step by step
//! (`walk.rs`), so that a difference between two schedules is told by instants and not by suspicion.
//!
//! Knows no sockets, no files and no clock: `now` and the zone data are handed in.

#![deny(clippy::disallowed_types)]

mod body;
mod cron;
mod entry;
mod export;
mod family;
mod finding;
mod import;
mod joda;
mod order;
mod same;
#[cfg(test)]
mod tests;
mod walk;
mod when;
mod yaml;

pub use entry::{Entry, EntryError, read_entry};
pub use export::{Export, Exported, export};
pub use finding::{Finding, Weight, worst};
pub use import::{
    Abilities, Import, Imported, Settings, Upcoming, UserRefusal, Users, import, is_selected,
};
pub use same::means_the_same;
pub use yaml::{file_name, print_file};
