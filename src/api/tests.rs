//! The API as clients meet it: over real sockets, in both dialects.

mod agents;
mod backfills;
mod browsers;
mod events;
mod explain;
mod files;
mod forecast;
mod front;
mod incidents;
mod jobs;
mod layout;
mod metrics;
mod operate;
mod output;
mod overview;
mod page;
mod preview;
mod reads;
mod records;
mod revisions;
mod rights;
mod runs;
mod scope;
mod stats;
mod tasks;
mod timeline;
mod tls;

/// Both prefixes.
const PREFIXES: [&str; 2] = ["/scheduler", "/v1/scheduler"];
