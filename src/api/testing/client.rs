//! A server over a backend in memory, and a client that sends exactly the bytes it is told to.
//!
//! The client is written out because libraries refuse to send what a hostile client would.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answer, Memory, site};
use crate::api::{Backend, Entrance, Options, Server, Tls, router, serve};

/// A server over a backend in memory, on a port of its own.
pub(crate) struct Fixture {
    pub(crate) memory: Arc<Memory>,
    pub(crate) server: Server,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_at(&[None], options).await
    }

    /// A server with these entrances, each with or without TLS.
    pub(crate) async fn start_at(entrances: &[Option<Arc<Tls>>], options: Options) -> Self {
        let memory = Arc::new(Memory::default());
        let backend: Arc<dyn Backend> = Arc::<Memory>::clone(&memory);
        let listening = future::join_all(entrances.iter().cloned().map(Entrance::local)).await;
        let options = Options { metrics: Some(memory.metrics()), ..options };
        let server = serve(listening, router(backend, site()), options).unwrap();
        Self { memory, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// Sends a request without a body.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        self.ask_with(method, path, "", "").await
    }

    /// Sends a request with these header lines, each ended by `\r\n`, and this body.
    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Answer {
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}{length}\r\n{body}"
        ))
        .await
    }

    /// Sends a request without a body, and goes away when as much of the answer is there as was announced.
    pub(crate) async fn ask_begin(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let has_come = |received: &[u8]| {
            let text = String::from_utf8_lossy(received);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
            let announced = head.to_ascii_lowercase();
            let length = announced.split("\r\n").find_map(|it| it.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            method == "HEAD" || body.len() >= length
        };
        while !has_come(&received) {
            if stream.read_buf(&mut received).await.unwrap() == 0 {
                break;
            }
        }
        Answer::parse(&received, method == "HEAD")
    }

    /// Sends a JSON body.
    pub(crate) async fn put(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "Content-Type: application/json\r\n", body).await
    }

    /// Sends exactly these bytes and reads until the server closes.
    pub(crate) async fn send(&self, bytes: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // A server that has refused already may close before everything is written.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        Answer::parse(&received, bytes.starts_with("HEAD "))
    }
}
