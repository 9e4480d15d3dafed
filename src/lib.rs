//! Chronode: a distributed cron.
//!
//! Read in this order: [`model`] has the words; [`schedule`] and [`placement`] calculate; [`engine`] decides, and its
//! module documentation has the picture of the whole; [`driver`] is the one loop that carries decisions out through
//! the edges ([`store`], [`launcher`], [`api`]); [`app`] builds everything.

pub mod clock;
pub mod launcher;
pub mod model;
