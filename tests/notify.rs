//! Notifications as they arrive: at a real mail server, at a receiver of HTTP, at a command.
//!
//! The mail server is `aiosmtpd`, which `tests/run` installs; Python's own `email` reads what it got, so that headers
//! and parts are judged by another program than the one that wrote them.

mod common;

#[path = "notify/command.rs"]
mod command;
#[path = "notify/hooks.rs"]
mod hooks;
#[path = "notify/hostile.rs"]
mod hostile;
#[path = "notify/mail.rs"]
mod mail;
#[path = "notify/mail_server.rs"]
mod mail_server;
#[path = "notify/program.rs"]
mod program;
#[path = "notify/receiver.rs"]
mod receiver;
#[path = "notify/rendering.rs"]
mod rendering;
#[path = "notify/sample.rs"]
mod sample;
