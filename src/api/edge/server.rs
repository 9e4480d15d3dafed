//! Accepting connections and speaking HTTP/1.1 on them, within limits.
//!
//! Everything that a client can make large, slow or many is bounded here or in [`crate::api::content`]: connections,
//! bytes and time of a header, time of a body, time in which a client may take nothing of an answer. A connection
//! beyond the limit waits in the kernel's queue until another one ends.
//!
//! Stopping is orderly: no new connections, no new requests on the old ones, answers under way are finished for a
//! while, answers without end (followed output) are cut so that the client sees that they were.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::front::{Front, Link};
use super::peer::Peers;
use super::security::Hosts;
use super::stall::StallGuard;
use crate::metrics::Metrics;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names or addresses by which clients may call this server, beside those of loopback.
    pub allowed_hosts: Vec<String>,
    /// Who is let in over loopback.
    pub peers: Peers,
    /// Bounds on what clients may take.
    pub limits: Limits,
    /// Where answers are counted; nowhere by default.
    pub metrics: Option<Arc<Metrics>>,
}

/// Bounds on what clients may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// From the first moment of waiting for a request to the end of its headers; so also how long an idle connection
    /// is kept.
    pub header_time: Duration,
    /// For a request's body.
    pub body_time: Duration,
    /// In which a client may take nothing of its answer.
    pub stall_time: Duration,
    /// In which answers under way may finish when the server stops.
    pub drain_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            peers: Peers::Anyone,
            limits: Limits::default(),
            metrics: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_bytes: 16 * 1024,
            header_time: Duration::from_secs(5),
            body_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(5),
        }
    }
}

/// A server that runs. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, and returns when every connection has ended.
    pub async fn stop(self) {
        let Self { address: _, stopping, task } = self;
        stopping.send_replace(true);
        if let Err(error) = task.await {
            warn!(%error, "the API's listener ended badly");
        }
    }
}

/// Serves `router` on `listener` until the server is stopped. Must be called inside a runtime.
///
/// # Errors
///
/// When the listener does not know its address.
pub fn serve(listener: TcpListener, router: Router, options: Options) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let (stopping, stop) = watch::channel(false);
    let Options { allowed_hosts, peers, limits, metrics } = options;
    let hosts = Hosts::new(&allowed_hosts);
    let front = Arc::new(Front::new(router, hosts, limits.body_time, stop, metrics));
    let acceptor = Acceptor { listener, front, peers, limits };
    let task = tokio::spawn(acceptor.run(stopping.subscribe()));
    Ok(Server { address, stopping, task })
}

struct Acceptor {
    listener: TcpListener,
    front: Arc<Front>,
    peers: Peers,
    limits: Limits,
}

/// After a failure to accept, which is mostly a lack of file descriptors: trying at once would only burn a core.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

impl Acceptor {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        loop {
            // Dropping the server closes the channel, which ends `changed` as well.
            let (slot, stream, peer) = tokio::select! {
                biased;
                _ = stop.changed() => break,
                accepted = self.accept(&slots) => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        warn!(%error, "cannot accept a connection");
                        if timeout(ACCEPT_RETRY, stop.changed()).await.is_ok() {
                            break;
                        }
                        continue;
                    }
                },
            };
            while connections.try_join_next().is_some() {}
            connections.spawn(self.connection(slot, stream, peer, graceful.watcher()));
        }
        let drain_time = self.limits.drain_time;
        // Closes the listener: whoever connects now is refused instead of waiting in vain.
        drop(self);
        if timeout(drain_time, graceful.shutdown()).await.is_err() {
            warn!(
                connections = connections.len(),
                "connections are cut: their answers took too long"
            );
        }
        connections.shutdown().await;
    }

    async fn accept(
        &self,
        slots: &Arc<Semaphore>,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        Ok((slot, stream, peer))
    }

    /// Serves one connection to its end.
    fn connection(
        &self,
        slot: OwnedSemaphorePermit,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + use<> {
        let Limits { header_bytes, header_time, stall_time, .. } = self.limits;
        let front = Arc::clone(&self.front);
        let peers = self.peers.clone();
        async move {
            let _slot = slot;
            let Ok(local) = stream.local_addr() else { return };
            // An answer is written in few large parts; waiting to fill packets would only delay it.
            let _ = stream.set_nodelay(true);
            let admitted = admit(peers, peer, local).await;
            let link = Arc::new(Link { peer, local, admitted });
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let (front, link) = (Arc::clone(&front), Arc::clone(&link));
                async move { Ok::<_, Infallible>(front.answer(&link, request.map(Body::new)).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(header_time)
                .max_header_size(header_bytes)
                .serve_connection(TokioIo::new(StallGuard::new(stream, stall_time)), service);
            if let Err(error) = watcher.watch(connection).await {
                debug!(%peer, %error, "connection ended");
            }
        }
    }
}

async fn admit(peers: Peers, peer: SocketAddr, local: SocketAddr) -> Result<(), String> {
    if peers == Peers::Anyone {
        return Ok(());
    }
    let judged = tokio::task::spawn_blocking(move || peers.admit(peer, local)).await;
    judged.unwrap_or_else(|_| Err("it cannot be found out whose connection this is".to_owned()))
}
