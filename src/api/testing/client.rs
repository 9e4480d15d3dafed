//! A server over a backend in memory, and a client that sends exactly the bytes it is told to.
//!
//! The client is written out because libraries refuse to send what a hostile client would.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Answer, Memory};
use crate::api::{Backend, Options, Server, router, serve};

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
        let memory = Arc::new(Memory::default());
        let backend: Arc<dyn Backend> = Arc::<Memory>::clone(&memory);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = Options { metrics: Some(memory.metrics()), ..options };
        let server = serve(listener, router(backend), options).unwrap();
        Self { memory, server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
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
