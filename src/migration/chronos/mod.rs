//! Chronos: what a job of one means to the other, and what of it changes.
//!
//! ```text
//!   jobs as Chronos prints or stores them ── import ──▶ bodies for our door, parents first, each with its findings
//!   bytes of a node in its ZooKeeper ── read_entry ──▶ the JSON in them
//!   a job of ours ── export ──▶ a body that Chronos accepts, with its endpoint, or why there is none
//! ```
//!
//! How Chronos calculates is followed step by step (`walk.rs`), so that a difference between two schedules is told by
//! instants and not by suspicion.

mod body;
mod cron;
mod entry;
mod export;
mod family;
mod import;
mod joda;
mod order;
#[cfg(test)]
mod tests;
mod walk;
mod when;

pub use entry::{Entry, EntryError, read_entry};
pub use export::{Export, Exported, export};
pub use import::{Abilities, Import, Settings, UserRefusal, Users, import};
