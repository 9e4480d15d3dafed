//! The API as clients meet it: over real sockets, in both dialects.

mod browsers;
mod forecast;
mod front;
mod jobs;
mod output;
mod preview;
mod records;
mod rights;
mod runs;
mod scope;
mod tls;

/// Both prefixes.
const PREFIXES: [&str; 2] = ["/scheduler", "/v1/scheduler"];
