//! The resources that Chronos has. Paths, answers and texts are Chronos', in both dialects.

pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod tasks;
