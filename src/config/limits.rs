//! Bounds on what clients may take and on how many jobs there may be: flags, and what they come to.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;

use super::{ConfigError, refuse};
use crate::api;

/// The flags of `chronode serve` that are bounds.
#[derive(Debug, Clone, Args)]
pub struct LimitFlags {
    /// Jobs there may be; more are refused, and whoever replaces one is not
    #[arg(
        long = "max_jobs",
        alias = "max-jobs",
        value_name = "JOBS",
        env = "CHRONODE_MAX_JOBS",
        default_value_t = 200_000,
        help_heading = "Limits"
    )]
    pub max_jobs: u64,

    /// Connections at one time, over all addresses; more wait until another one ends
    #[arg(
        long = "max_connections",
        alias = "max-connections",
        value_name = "N",
        env = "CHRONODE_MAX_CONNECTIONS",
        default_value_t = 1_024,
        help_heading = "Limits"
    )]
    pub max_connections: u64,

    /// Bytes of a request's line and headers
    #[arg(
        long = "max_header_bytes",
        alias = "max-header-bytes",
        value_name = "BYTES",
        env = "CHRONODE_MAX_HEADER_BYTES",
        default_value_t = 16 * 1024,
        help_heading = "Limits"
    )]
    pub max_header_bytes: u64,

    /// Bytes of a request's body
    #[arg(
        long = "max_body_bytes",
        alias = "max-body-bytes",
        value_name = "BYTES",
        env = "CHRONODE_MAX_BODY_BYTES",
        default_value_t = 1024 * 1024,
        help_heading = "Limits"
    )]
    pub max_body_bytes: u64,

    /// Seconds for a TLS handshake
    #[arg(
        long = "handshake_time",
        alias = "handshake-time",
        value_name = "SECONDS",
        env = "CHRONODE_HANDSHAKE_TIME",
        default_value_t = 5,
        help_heading = "Limits"
    )]
    pub handshake_time: u64,

    /// Seconds from waiting for a request to the end of its headers; so also how long an idle connection is kept
    #[arg(
        long = "header_time",
        alias = "header-time",
        value_name = "SECONDS",
        env = "CHRONODE_HEADER_TIME",
        default_value_t = 5,
        help_heading = "Limits"
    )]
    pub header_time: u64,

    /// Seconds for a request's body
    #[arg(
        long = "body_time",
        alias = "body-time",
        value_name = "SECONDS",
        env = "CHRONODE_BODY_TIME",
        default_value_t = 30,
        help_heading = "Limits"
    )]
    pub body_time: u64,

    /// Seconds in which a client may take nothing of its answer
    #[arg(
        long = "stall_time",
        alias = "stall-time",
        value_name = "SECONDS",
        env = "CHRONODE_STALL_TIME",
        default_value_t = 60,
        help_heading = "Limits"
    )]
    pub stall_time: u64,
}

/// Bounds on what clients may take and on how many jobs there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Jobs there may be.
    pub jobs: usize,
    /// What one client, and all of them, may take.
    pub clients: api::Limits,
}

/// Above, the memory of no machine would do.
const JOBS: RangeInclusive<u64> = 1..=10_000_000;
/// As many as there can be ports.
const CONNECTIONS: RangeInclusive<u64> = 1..=65_535;
/// Below, browsers do not get through; above, the buffer of a connection is full before.
const HEADER_BYTES: RangeInclusive<u64> = 1_024..=256 * 1024;
/// Each body is held in memory as a whole.
const BODY_BYTES: RangeInclusive<u64> = 1_024..=1024 * 1024 * 1024;
/// Seconds.
const TIME: RangeInclusive<u64> = 1..=3_600;

impl Limits {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first flag whose value cannot be used.
    pub(super) fn new(flags: &LimitFlags) -> Result<Self, ConfigError> {
        let time = |flag, seconds| within(flag, seconds, &TIME).map(Duration::from_secs);
        Ok(Self {
            jobs: count("max_jobs", flags.max_jobs, &JOBS)?,
            clients: api::Limits {
                connections: count("max_connections", flags.max_connections, &CONNECTIONS)?,
                header_bytes: count("max_header_bytes", flags.max_header_bytes, &HEADER_BYTES)?,
                handshake_time: time("handshake_time", flags.handshake_time)?,
                header_time: time("header_time", flags.header_time)?,
                body: api::BodyLimits {
                    bytes: count("max_body_bytes", flags.max_body_bytes, &BODY_BYTES)?,
                    time: time("body_time", flags.body_time)?,
                },
                stall_time: time("stall_time", flags.stall_time)?,
                ..api::Limits::default()
            },
        })
    }
}

fn within(
    flag: &'static str,
    found: u64,
    bounds: &RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    if bounds.contains(&found) {
        return Ok(found);
    }
    Err(refuse(flag, found, &format!("give a number from {} to {}", bounds.start(), bounds.end())))
}

fn count(
    flag: &'static str,
    found: u64,
    bounds: &RangeInclusive<u64>,
) -> Result<usize, ConfigError> {
    within(flag, found, bounds).map(|found| usize::try_from(found).unwrap_or(usize::MAX))
}
