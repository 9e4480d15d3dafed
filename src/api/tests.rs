//! The API as clients meet it: over real sockets, in both dialects.

mod events;
mod forecast;
mod front;
mod jobs;
mod metrics;
mod output;
mod preview;
mod reads;
mod revisions;
mod runs;
mod stats;
mod tasks;

/// Both prefixes.
const PREFIXES: [&str; 2] = ["/scheduler", "/v1/scheduler"];
