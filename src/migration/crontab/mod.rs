//! Crontabs: what their lines mean here and back.
//!
//! ```text
//!   text of a table ── table::read ──▶ entries ── import ──▶ bodies for our door, each with its findings
//!   jobs of ours ── export ──▶ lines of a table, and what of the jobs they cannot say
//! ```
//!
//! What is followed is Debian's cron; cronie's extensions where it is said that cronie has run the tables.

mod command;
mod export;
mod general;
mod import;
mod merge;
mod name;
mod parts;
pub mod table;
#[cfg(test)]
mod tests;

pub use command::{Plain, plain_command};
pub use export::{Exported, Target, export};
pub use import::{Daemon, Host, Settings, Table, import};
pub use parts::Directory;
