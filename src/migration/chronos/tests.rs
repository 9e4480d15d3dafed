//! What moves between Chronos and Chronode, and what is told of it.

mod exporting;
mod importing;
mod roundtrip;
