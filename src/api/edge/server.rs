//! Accepting connections and speaking HTTP/1.1 on them, within limits.
//!
//! Everything that a client can make large, slow or many is bounded here or in [`crate::api::content`]: connections,
//! time of a TLS handshake, bytes and time of a header, time of a body, time in which a client may take nothing of an
//! answer. A connection beyond the limit, which counts over all entrances, waits in the kernel's queue until another
//! one ends.
//!
//! Stopping is orderly: no new connections, no new requests on the old ones, answers under way are finished for a
//! while, answers without end (followed output) are cut so that the client sees that they were.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::front::{Front, Link};
use super::peer::Peers;
use super::security::Hosts;
use super::stall::StallGuard;
use super::tls::Tls;
use crate::api::content::BodyLimits;
use crate::api::credential::Authenticator;
use crate::audit::Audit;
use crate::metrics::Metrics;

/// One address on which clients are let in.
#[derive(Debug)]
pub struct Entrance {
    /// Where they come.
    pub listener: TcpListener,
    /// How TLS is spoken there; `None` speaks none.
    pub tls: Option<Arc<Tls>>,
}

#[cfg(test)]
impl Entrance {
    /// One on a free port of loopback.
    pub(crate) async fn local(tls: Option<Arc<Tls>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener, tls }
    }
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names or addresses by which clients may call this server, beside those of loopback.
    pub allowed_hosts: Vec<String>,
    /// Other servers whose pages may ask.
    pub allowed_origins: Vec<String>,
    /// Who is let in over loopback.
    pub peers: Peers,
    /// Who has credentials; `None` where nobody needs any.
    pub authenticator: Option<Arc<Authenticator>>,
    /// Where it is recorded who did what; `None` in tests.
    pub audit: Option<Audit>,
    /// Bounds on what clients may take.
    pub limits: Limits,
    /// Where answers are counted; nowhere by default.
    pub metrics: Option<Arc<Metrics>>,
}

/// Bounds on what clients may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// For the TLS handshake.
    pub handshake_time: Duration,
    /// From the first moment of waiting for a request to the end of its headers; so also how long an idle connection
    /// is kept.
    pub header_time: Duration,
    /// Of a request's body.
    pub body: BodyLimits,
    /// In which a client may take nothing of its answer.
    pub stall_time: Duration,
    /// In which answers under way may finish when the server stops.
    pub drain_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            peers: Peers::Anyone,
            authenticator: None,
            audit: None,
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
            handshake_time: Duration::from_secs(5),
            header_time: Duration::from_secs(5),
            body: BodyLimits::default(),
            stall_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(5),
        }
    }
}

/// A server that runs. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Where it listens, in the order of its entrances.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it, and returns when every connection has ended.
    pub async fn stop(self) {
        let Self { addresses: _, stopping, tasks } = self;
        stopping.send_replace(true);
        for task in tasks {
            if let Err(error) = task.await {
                warn!(%error, "a listener of the API ended badly");
            }
        }
    }
}

/// Serves `router` at all `entrances` until the server is stopped. Must be called inside a runtime.
///
/// # Errors
///
/// When a listener does not know its address.
pub fn serve(entrances: Vec<Entrance>, router: Router, options: Options) -> io::Result<Server> {
    let addresses = entrances.iter().map(|entrance| entrance.listener.local_addr());
    let addresses = addresses.collect::<io::Result<Vec<_>>>()?;
    let (stopping, stop) = watch::channel(false);
    let Options { allowed_hosts, allowed_origins, peers, authenticator, audit, limits, metrics } =
        options;
    let front = Front {
        router,
        hosts: Hosts::new(&allowed_hosts, &allowed_origins),
        authenticator,
        audit,
        // A browser that was told so once would find no entrance without TLS any more.
        demands_tls: entrances.iter().all(|entrance| entrance.tls.is_some()),
        body_limits: limits.body,
        stopping: stop,
        metrics,
        requests: AtomicU64::new(0),
    };
    let (front, slots) = (Arc::new(front), Arc::new(Semaphore::new(limits.connections)));
    let tasks = entrances.into_iter().map(|Entrance { listener, tls }| {
        let (front, slots, peers) = (Arc::clone(&front), Arc::clone(&slots), peers.clone());
        let acceptor = Acceptor { listener, tls, front, slots, peers, limits };
        tokio::spawn(acceptor.run(stopping.subscribe()))
    });
    let tasks = tasks.collect();
    Ok(Server { addresses, stopping, tasks })
}

struct Acceptor {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    front: Arc<Front>,
    /// Of all entrances.
    slots: Arc<Semaphore>,
    peers: Peers,
    limits: Limits,
}

/// After a failure to accept, which is mostly a lack of file descriptors: trying at once would only burn a core.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

impl Acceptor {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            // Dropping the server closes the channel, which ends `changed` as well.
            let (slot, stream, peer) = tokio::select! {
                biased;
                _ = stop.changed() => break,
                accepted = self.accept() => match accepted {
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

    async fn accept(&self) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other)?;
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
        let limits = self.limits;
        let front = Arc::clone(&self.front);
        let peers = self.peers.clone();
        // The certificate of now, for as long as the connection lasts.
        let tls = self.tls.as_ref().map(|tls| tls.acceptor());
        async move {
            let _slot = slot;
            let Ok(local) = stream.local_addr() else { return };
            // An answer is written in few large parts; waiting to fill packets would only delay it.
            let _ = stream.set_nodelay(true);
            let admitted = admit(peers, peer, local).await;
            let link = Arc::new(Link { peer, local, admitted });
            let stream = StallGuard::new(stream, limits.stall_time);
            let Some(tls) = tls else { return speak(stream, front, link, limits, watcher).await };
            match timeout(limits.handshake_time, tls.accept(stream)).await {
                Ok(Ok(stream)) => speak(stream, front, link, limits, watcher).await,
                Ok(Err(error)) => debug!(%peer, %error, "no TLS came about"),
                Err(_) => debug!(%peer, "the TLS handshake took too long"),
            }
        }
    }
}

/// Speaks HTTP until the connection ends.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    front: Arc<Front>,
    link: Arc<Link>,
    limits: Limits,
    watcher: Watcher,
) {
    let peer = link.peer;
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (front, link) = (Arc::clone(&front), Arc::clone(&link));
        async move { Ok::<_, Infallible>(front.answer(&link, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_header_size(limits.header_bytes)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%peer, %error, "connection ended");
    }
}

async fn admit(peers: Peers, peer: SocketAddr, local: SocketAddr) -> Result<(), String> {
    if peers == Peers::Anyone {
        return Ok(());
    }
    let judged = tokio::task::spawn_blocking(move || peers.admit(peer, local)).await;
    judged.unwrap_or_else(|_| Err("it cannot be found out whose connection this is".to_owned()))
}
