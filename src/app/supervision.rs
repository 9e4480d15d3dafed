//! Tells the supervisor that started this process, such as systemd, how it is: ready, reading its files again,
//! stopping, alive.
//!
//! The protocol is a datagram of `NAME=value` lines to a socket that the environment names. It is spoken here, in a few
//! lines of the standard library, rather than by a crate (`sd-notify` is a good one), because that would read clock and
//! environment in places of its own. Commands never see the variables: the keeper starts without any environment.
//!
//! Nobody waits for a supervisor: what it does not take within a second is not said.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::clock;
use crate::config::{self, Supervisor};
use crate::driver::pulse::Pulse;
use crate::model::Duration;

/// How long a message may wait until the supervisor takes it.
const TELL_MAX: std::time::Duration = std::time::Duration::from_secs(1);
/// Looks at the loop in each span of silence that the watchdog allows.
const LOOKS_PER_SPAN: i32 = 4;
/// Beyond the wait for running commands, until the process is gone: twice what that takes at most.
const STOP_MAX: Duration = Duration::from_secs(10);

/// The line to the supervisor. Without one, everything that is said is said to nobody. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Supervision(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    to: Supervisor,
}

impl Supervision {
    /// Opens the line to whoever started this process. If there is none although there should be, the log says so: a
    /// supervisor that waits will say it too.
    pub(super) fn begin() -> Self {
        let opened = config::supervisor(std::process::id()).and_then(|found| {
            let open = |to| {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(TELL_MAX))?;
                Ok(Arc::new(Line { socket, to }))
            };
            found.map(open).transpose().map_err(|error: std::io::Error| error.to_string())
        });
        Self(opened.unwrap_or_else(|problem| {
            tracing::warn!("the supervisor is told nothing: {problem}");
            None
        }))
    }

    /// Clients are answered.
    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// Credentials and certificates are being read again; [`Supervision::ready`] follows.
    pub(super) fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic_micros()));
    }

    /// Nothing new is begun, and running commands are waited for that long.
    pub(super) fn stopping(&self, drain: Duration, status: &str) {
        // Else it would lose its patience before the commands do.
        let left = drain.saturating_add(STOP_MAX).as_micros();
        self.tell(&format!("STOPPING=1\nSTATUS={status}\nEXTEND_TIMEOUT_USEC={left}"));
    }

    /// Says that this process is alive for as long as its loop turns, if that is wanted.
    pub(super) fn watch(&self, pulse: &Arc<Pulse>) -> Option<JoinHandle<()>> {
        let span = self.0.as_ref()?.to.watchdog?;
        let (supervision, pulse) = (self.clone(), Arc::clone(pulse));
        Some(tokio::spawn(async move {
            loop {
                // Half of it: the other half is for the supervisor to hear of it in time.
                if pulse.still_for() <= span / 2 {
                    supervision.tell("WATCHDOG=1");
                }
                clock::pause(span / LOOKS_PER_SPAN).await;
            }
        }))
    }

    fn tell(&self, message: &str) {
        let Some(line) = &self.0 else { return };
        if let Err(error) = line.socket.send_to_addr(message.as_bytes(), &line.to.socket) {
            let first = message.lines().next().unwrap_or_default();
            tracing::warn!("the supervisor cannot be told `{first}`: {error}");
        }
    }
}
