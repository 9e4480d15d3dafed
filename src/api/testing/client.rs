//! A server over a backend in memory, and a client that sends exactly the bytes it is told to.
//!
//! The client is written out because libraries refuse to send what a hostile client would.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Memory;
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

/// An answer as received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its declared end.
    pub(crate) is_complete: bool,
}

impl Answer {
    fn parse(received: &[u8], is_head: bool) -> Self {
        let text = String::from_utf8_lossy(received);
        let split = received.windows(4).position(|window| window == b"\r\n\r\n");
        let split = split.unwrap_or_else(|| panic!("no answer: {text:?}"));
        let head = std::str::from_utf8(&received[..split]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Self { status, headers, body: Vec::new(), is_complete: true };
        let raw = &received[split + 4..];
        if answer.header("transfer-encoding") == Some("chunked") && !is_head {
            (answer.body, answer.is_complete) = unchunk(raw);
        } else {
            answer.body = raw.to_vec();
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `message` of an error with this status.
    pub(crate) fn message(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        for key in ["message", "status", "code", "field", "remedy", "requestId"] {
            assert!(body[key].is_string(), "{key}: {body}");
        }
        body["message"].as_str().unwrap().to_owned()
    }
}

fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&raw[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = raw.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(chunk);
        raw = &raw[end + 2 + size + 2..];
    }
    (body, false)
}
