//! The subscription as it is lived: one connection for the events, another for the calls.
//!
//! [`Client::start`] makes a task that lives until the last [`ClientHandle`] or the receiver is dropped. What it does is
//! said by [`session`](super::session); here are the sockets.
//!
//! Calls are sent one after another, each when the one before it was answered, and never a second time: an ACCEPT that
//! arrives twice would be refused the second time, and tell of tasks that run that they were dropped. A call that is not
//! answered ends the subscription, since nobody knows whether the master has it; reconciliation tells.
//!
//! Memory is bounded whatever a master does: a record has a greatest length, [`HEARD_MAX`] events wait to be taken, and
//! while they do nothing is read from the stream, so that the master has to wait. At most [`CALLS_MAX`] calls wait for a
//! master that does not take them; then the subscription is given up and they with it.

mod heard;
mod run;

use reqwest::Url;
use tokio::sync::mpsc;

pub use heard::{ClientConfig, ClientHandle, Heard, Subscription};

use super::leader::Masters;
use super::session::{Login, Session, Source};
use super::transport::AccessError;
use super::zookeeper;
use crate::clock;

/// Events that wait to be taken.
pub const HEARD_MAX: usize = 32;

/// Calls that wait to be sent.
pub const CALLS_MAX: usize = 20_000;

/// A client.
#[derive(Debug, Clone, Copy)]
pub struct Client;

impl Client {
    /// Subscribes, and goes on doing so whatever happens. To be called within a runtime.
    ///
    /// # Errors
    ///
    /// If TLS cannot be used with the certificates that were given. Everything else is told by [`Heard::Lost`], and
    /// tried again.
    pub fn start(
        config: ClientConfig,
    ) -> Result<(ClientHandle, mpsc::Receiver<Heard>), AccessError> {
        let ClientConfig { masters, access, framework, framework_id, jitter } = config;
        let http = access.client()?;
        let expects_tls = access.expects_tls();
        let (source, leader) = match &masters {
            Masters::At(addresses) => {
                let urls = addresses.iter().filter_map(|it| it.calls(expects_tls));
                (Source::Known(urls.collect::<Vec<Url>>()), None)
            }
            Masters::ZooKeeper(ensemble) => {
                (Source::Watched, Some(zookeeper::watch(ensemble.clone())))
            }
        };
        let login = Login {
            principal: access.principal().map(str::to_owned),
            has_secret: access.has_secret(),
        };
        let session = Session::new(source, login.clone(), framework_id, jitter, clock::boot());
        let (calls, calls_receiver) = mpsc::unbounded_channel();
        let (heard, heard_receiver) = mpsc::channel(HEARD_MAX);
        let sockets = run::Sockets { http, access, framework, login };
        tokio::spawn(run::run(session, sockets, leader, calls_receiver, heard));
        Ok((ClientHandle { calls }, heard_receiver))
    }
}
