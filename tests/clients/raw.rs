//! Requests as bytes: what a client sends is replayed as it is, and every byte of the answer can be looked at.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::common::{PATIENCE, Server};
use super::python::host;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// The lines of the head, without the first one.
    head: Vec<String>,
    pub(crate) body: String,
}

impl Raw {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// What clients take for done: 204, no body, and no length that announces one.
    pub(crate) fn is_done(&self) -> bool {
        let length = self.header("content-length").is_none_or(|length| length == "0");
        let chunks = self.header("transfer-encoding").is_none();
        self.status == 204 && self.body.is_empty() && length && chunks
    }
}

/// Sends `line`, the first one of a request, with more headers and a body, and reads the answer to its end.
pub(crate) fn send(server: &Server, line: &str, headers: &[&str], body: &str) -> Raw {
    let mut stream = TcpStream::connect(host(server)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", host(server));
    for header in headers {
        head += &format!("{header}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    // In two parts, as most clients do.
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: {text}"));
    let mut lines = head.lines().map(str::to_owned);
    let first = lines.next().unwrap();
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{line}: {first}"));
    let mut answer = Raw { status, head: lines.collect(), body: body.to_owned() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = joined(&answer.body);
    }
    answer
}

/// The text of a body in chunks.
fn joined(mut chunks: &str) -> String {
    let mut text = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n").unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return text;
        }
        text += &rest[..length];
        chunks = rest[length..].strip_prefix("\r\n").unwrap();
    }
}
