//! `chronode events`: against the real API, and against a server that goes away in the middle.

use std::io::{self, BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use clap::Parser as _;

use super::Cli;
use crate::api::testing::{Fixture, name};
use crate::cli::{CliError, client};
use crate::engine::{FeedItem, JobStep};
use crate::model::Incarnation;

/// A reader that has seen enough after some lines, as `head` has.
struct Pipe {
    lines: Vec<u8>,
    left: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let lines = self.lines.iter().filter(|byte| **byte == b'\n').count();
        if lines >= self.left { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

/// Types a command whose output is read for so many lines; what it printed, and what it said beside.
fn listen(server: &str, words: &[&str], lines: usize) -> (Result<(), CliError>, String, String) {
    let head = ["chronode", "events", "--server", server];
    let cli = Cli::try_parse_from(head.iter().chain(words)).unwrap();
    let (mut out, mut err) = (Pipe { lines: Vec::new(), left: lines }, Vec::new());
    let result = client::run(cli.command, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (result, text(out.lines), text(err))
}

#[tokio::test]
async fn events_are_printed_one_to_a_line() {
    let fixture = Fixture::start().await;
    let tell = |job: &str| {
        let (job, incarnation) = (name(job), Incarnation(7));
        let item = FeedItem::Job { job, incarnation, step: JobStep::Deleted };
        fixture.memory.world().feed.tell(item);
    };
    for job in ["a", "b", "a"] {
        tell(job);
    }
    let server = format!("http://{}", fixture.address());
    let listened = async |words: &'static [&str], lines| {
        let server = server.clone();
        tokio::task::spawn_blocking(move || listen(&server, words, lines)).await.unwrap()
    };
    let (result, out, err) = listened(&["--since=1-0-0", "--job=a"], 2).await;
    assert!(result.unwrap_err().is_closed_pipe());
    let line = "2030-01-01T00:00:00.500Z  job       deleted       a\n";
    assert_eq!((out, err), (line.repeat(2), String::new()));
    let (_, out, err) = listened(&["--since=2-0-5", "--json"], 1).await;
    assert!(out.starts_with("{\"id\":\"1-0-3\",\"kind\":\"reset\""), "{out}");
    assert!(err.contains("cannot be told any more"), "{err}");
    let (result, ..) = listened(&["--kind=jobs"], 1).await;
    assert!(result.unwrap_err().to_string().contains("invalid `kind` `jobs`"));
    let (result, ..) = listened(&["--since=then"], 1).await;
    assert!(result.unwrap_err().to_string().contains("invalid `after` `then`"));
}

/// Reads the head of a request and returns its first line.
fn accept(listener: &TcpListener) -> (TcpStream, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    while !lines.next().unwrap().unwrap().is_empty() {}
    (stream, first)
}

#[test]
fn a_lost_connection_is_made_again_from_the_last_event_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let client = std::thread::spawn(move || listen(&server, &["--job=a"], 3));
    let answer = |stream: &mut TcpStream, events: &str| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{head}{events}").as_bytes()).unwrap();
    };
    let event = |number: u64| {
        let data = format!(r#"{{"at":"T{number}","kind":"job","what":"deleted","job":"a"}}"#);
        format!("id: 1-0-{number}\nevent: job\ndata: {data}\n\n")
    };
    let (mut stream, asked) = accept(&listener);
    assert!(asked.starts_with("GET /scheduler/events?job=a "), "{asked}");
    // The second one breaks off in the middle: it is not printed, and asked for again.
    answer(&mut stream, &format!("{}id: 1-0-2\nevent: job\nda", event(1)));
    drop(stream);
    // It comes back to somebody who cannot answer, and comes back once more.
    let (mut stream, asked) = accept(&listener);
    assert!(asked.contains("?after=1-0-1&job=a "), "{asked}");
    stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").unwrap();
    drop(stream);
    let (mut stream, asked) = accept(&listener);
    assert!(asked.contains("?after=1-0-1&job=a "), "{asked}");
    // What others did meanwhile has an id and no data.
    answer(&mut stream, &format!("{}id: 1-0-9\n\n", event(2)));
    drop(stream);
    let (mut stream, asked) = accept(&listener);
    assert!(asked.contains("?after=1-0-9&job=a "), "{asked}");
    answer(&mut stream, &event(10));
    let (result, out, err) = client.join().unwrap();
    assert!(result.unwrap_err().is_closed_pipe());
    let instants: Vec<&str> = out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(instants, ["T1", "T2", "T10"]);
    let said: Vec<&str> = err.lines().map(|line| line.split([',', ':']).next().unwrap()).collect();
    let (lost, back) = ("not listening any more", "listening again");
    assert_eq!(said, [lost, back, lost, back], "{err}");
}
