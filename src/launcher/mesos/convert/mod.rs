//! From our vocabulary to that of Mesos and back.
//!
//! * [`mod@offer`]: what agents offer, as the engine understands it.
//! * [`resources`]: which of the offered resources count, and how a task's are picked from them.
//! * [`mod@task`]: a launch as a task; `container`: what it runs in.

mod container;
pub mod offer;
pub mod resources;
pub mod task;
#[cfg(test)]
mod tests;

pub use offer::offer;
pub(super) use offer::share;
pub use resources::{Picked, Pool};
pub use task::task;
