//! The resources that Chronos has not. They never lie under `P/job/`, where they could be taken for a job's name.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod backfills;
pub(crate) mod backlog;
pub(crate) mod bulk;
pub(crate) mod chain;
pub(crate) mod cutover;
pub(crate) mod events;
pub(crate) mod explain;
mod fields;
pub(crate) mod files;
pub(crate) mod forecast;
pub(crate) mod info;
pub(crate) mod layout;
pub(crate) mod me;
pub(crate) mod openapi;
pub(crate) mod operate;
pub(crate) mod output;
pub(crate) mod overview;
pub(crate) mod pauses;
pub(crate) mod preview;
mod range;
pub(crate) mod revisions;
pub(crate) mod round;
pub(crate) mod runs;
pub(crate) mod timeline;
