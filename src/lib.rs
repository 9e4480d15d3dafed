//! Chronode: a distributed cron.
//!
//! Read in this order: [`model`] has the words; [`schedule`], [`graph`] and [`placement`] calculate, and [`alerts`]
//! says who is told of what; [`engine`] decides, and its module documentation has the picture of the whole; [`driver`]
//! is the one loop that carries decisions out through the edges ([`store`], [`launcher`], [`api`], [`notify`]), and
//! [`metrics`] counts; [`app`] builds everything.

pub mod model;

pub mod alerts;
pub mod graph;
pub mod layout;
pub mod placement;
pub mod schedule;

pub mod engine;

pub mod jobset;
pub mod jobspec;
pub mod mesos;
pub mod metrics;

pub mod migration;

pub mod api;
pub mod cli;
pub mod launcher;
pub mod notify;
pub mod store;
pub mod web;

pub mod driver;

pub mod app;
pub mod audit;
pub mod clock;
pub mod config;
pub mod failpoint;
