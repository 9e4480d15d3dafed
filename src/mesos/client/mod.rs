//! The subscription as it is lived: one connection for the events, another for the calls.

mod heard;

pub use heard::{ClientConfig, ClientHandle, Heard, Subscription};
