//! What a run wrote: as a whole, in ranges, or followed while it is written.
//!
//! Positions count what was written, not what was kept. Where the middle of much output was not kept, a whole answer
//! has a line that says so; a range never has, because its positions must be true: it ends where the gap begins, or
//! begins where the gap ends, and `Content-Range` says so.
//!
//! Following knows a run is over only from its record, and reads on until nothing comes any more *after* it has seen
//! that: so nothing written before the end is left out. The record is looked at when the feed says that something has
//! become of the run, and output that nothing is added to is looked at ever more rarely.

use std::io;

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::sync::watch;

use super::files;
use super::range::Wanted;
use super::runs::{self, RunPath};
use crate::api::Desk;
use crate::api::backend::{Piece, Stream};
use crate::api::edge::front::Exchange;
use crate::api::error::ApiError;
use crate::api::listener::Listener;
use crate::api::query::Query;
use crate::engine::FeedItem;
use crate::model::{AttemptState, Run, RunId};

/// Bytes read at one time.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes of a range's answer. A client that wants more asks again from where the answer ended.
const RANGE_BYTES_MAX: u64 = 1024 * 1024;

/// Pauses between two looks at output that nothing is added to, at most: the first is short, and each is twice as long
/// as the one before.
const PAUSES_MAX: u32 = 8;
/// Items of the feed looked at in one go.
const ITEMS_PER_LOOK: usize = 256;

/// How many bytes before the answer's first one were asked for but not kept.
const OMITTED: HeaderName = HeaderName::from_static("chronode-omitted");

/// `GET P/run/{id}/stdout`.
pub(crate) async fn stdout(
    desk: Desk,
    RunPath(id): RunPath,
    RawQuery(query): RawQuery,
    Extension(exchange): Extension<Exchange>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = Asked { id, what: What::Stream(Stream::Stdout), query, method, headers };
    asked.answer(desk, exchange).await
}

/// `GET P/run/{id}/stderr`.
pub(crate) async fn stderr(
    desk: Desk,
    RunPath(id): RunPath,
    RawQuery(query): RawQuery,
    Extension(exchange): Extension<Exchange>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = Asked { id, what: What::Stream(Stream::Stderr), query, method, headers };
    asked.answer(desk, exchange).await
}

/// `GET P/run/{id}/file`.
pub(crate) async fn file(
    desk: Desk,
    RunPath(id): RunPath,
    RawQuery(query): RawQuery,
    Extension(exchange): Extension<Exchange>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let parsed = Query::parse_known(query.as_deref(), &["attempt", "path"])?;
    let what = What::File(files::path(&parsed)?.ok_or_else(|| {
        ApiError::invalid("path", "`path` is missing").remedy("give the path that `files` tells")
    })?);
    Asked { id, what, query, method, headers }.answer(desk, exchange).await
}

/// What of an attempt is read.
#[derive(Clone)]
enum What {
    /// What it wrote to a stream.
    Stream(Stream),
    /// A file in its directory.
    File(String),
}

struct Asked {
    id: RunId,
    what: What,
    query: Option<String>,
    method: Method,
    headers: HeaderMap,
}

impl Asked {
    async fn answer(self, desk: Desk, exchange: Exchange) -> Result<Response, ApiError> {
        let known: &[&str] = match self.what {
            What::Stream(_) => &["attempt", "follow"],
            What::File(_) => &["attempt", "path"],
        };
        let query = Query::parse_known(self.query.as_deref(), known)?;
        let chosen: Option<u32> = query.number("attempt")?;
        let follows = query.flag("follow")?.unwrap_or(false);
        // A range belongs to GET alone.
        let range = self.headers.get(RANGE).filter(|_| self.method == Method::GET);
        let range = range.and_then(|value| Wanted::parse(value.to_str().ok()?));
        if follows && range.is_some() {
            return Err(ApiError::invalid("follow", "`follow` cannot be combined with a range")
                .remedy("leave out `follow=true` or the header `Range`"));
        }

        let run = runs::find(&desk, self.id).await?;
        check_attempt(&run, chosen)?;
        if let (What::Stream(stream), true) = (&self.what, follows) {
            let listener = desk.follow_output()?;
            let follower = Follower::new(desk, listener, self.id, *stream, chosen);
            return Ok(follow(follower, exchange.stopping));
        }
        let index = attempt_or_last(&run, chosen)?;
        let reader = Reader { desk, id: self.id, what: self.what, attempt: index };
        match range {
            Some(wanted) => part(&reader, &run, wanted).await,
            None => whole(reader, &run).await,
        }
    }
}

fn check_attempt(run: &Run, chosen: Option<u32>) -> Result<(), ApiError> {
    let count = run.attempts.len();
    match chosen {
        Some(chosen) if chosen as usize >= count => Err(ApiError::not_found(
            "unknown_attempt",
            format!("run `{}` has no attempt {chosen}", run.id),
        )
        .remedy(format!("it has {count} so far, counted from 0"))),
        Some(_) | None => Ok(()),
    }
}

/// The attempt that is asked for, or the last there is.
///
/// # Errors
///
/// That there is none.
pub(super) fn attempt_or_last(run: &Run, chosen: Option<u32>) -> Result<u32, ApiError> {
    check_attempt(run, chosen)?;
    let last = || run.attempts.last().map(|attempt| attempt.index);
    chosen.or_else(last).ok_or_else(|| {
        ApiError::not_found("no_output", format!("run `{}` has not been started", run.id))
    })
}

/// Why something of an attempt cannot be read, for whoever asked.
pub(super) fn unreadable(error: &io::Error) -> ApiError {
    // What has no text of its own could tell of paths on this machine.
    let told = error.get_ref().map(ToString::to_string);
    match (error.kind(), told) {
        (io::ErrorKind::HostUnreachable, Some(told)) => {
            ApiError::new(StatusCode::BAD_GATEWAY, "agent_out_of_reach", told)
                .remedy("ask again when the agent is back; nothing of the run itself is lost")
        }
        (io::ErrorKind::PermissionDenied, Some(told)) => {
            ApiError::new(StatusCode::BAD_GATEWAY, "agent_refuses", told)
        }
        (io::ErrorKind::NotFound, Some(told)) => ApiError::not_found("no_output", told),
        _ => ApiError::internal("the output cannot be read; the log says why", error.to_string()),
    }
}

/// Reads a part of what one attempt left.
#[derive(Clone)]
struct Reader {
    desk: Desk,
    id: RunId,
    what: What,
    attempt: u32,
}

impl Reader {
    async fn read(&self, position: u64, max: usize) -> io::Result<Piece> {
        match &self.what {
            What::Stream(stream) => {
                self.desk.output(self.id, self.attempt, *stream, position, max).await
            }
            What::File(path) => {
                self.desk.file(self.id, self.attempt, path.clone(), position, max).await
            }
        }
    }

    /// Reads for an answer that has not begun, so that a failure can still become its status.
    async fn read_first(&self, run: &Run, position: u64, max: usize) -> Result<Piece, ApiError> {
        match self.read(position, max).await {
            Ok(piece) => Ok(piece),
            Err(error) if error.kind() == io::ErrorKind::NotFound && error.get_ref().is_none() => {
                self.nothing_kept(run, position)
            }
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// An attempt that has not ended may have written nothing yet; of one that has ended, nothing is left.
    fn nothing_kept(&self, run: &Run, position: u64) -> Result<Piece, ApiError> {
        let attempt = run.attempts.iter().find(|attempt| attempt.index == self.attempt);
        let has_ended =
            attempt.is_some_and(|found| matches!(found.state, AttemptState::Ended { .. }));
        if has_ended {
            let message =
                format!("no output of attempt {} of run `{}` is kept", self.attempt, self.id);
            return Err(ApiError::not_found("no_output", message));
        }
        Ok(Piece { position, bytes: Bytes::new(), omitted: 0, total: 0 })
    }
}

/// The headers of every answer with output.
fn text_headers() -> [(HeaderName, HeaderValue); 2] {
    [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ]
}

/// The headers of an answer with part of a file, which no browser shall take for a page of ours.
fn file_headers() -> [(HeaderName, HeaderValue); 3] {
    [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
    ]
}

impl What {
    fn with_headers(&self, answer: impl IntoResponse) -> Response {
        match self {
            Self::Stream(_) => (text_headers(), answer).into_response(),
            Self::File(_) => (file_headers(), answer).into_response(),
        }
    }
}

/// Answers with everything written up to now.
async fn whole(reader: Reader, run: &Run) -> Result<Response, ApiError> {
    let what = reader.what.clone();
    let first = reader.read_first(run, 0, PIECE_BYTES).await?;
    // An attempt that writes faster than the client reads must not make an answer without end.
    let end = first.total;
    let start = (reader, Text::default(), Some(first));
    let body = stream::try_unfold(start, move |(reader, mut text, piece)| async move {
        let piece = match piece {
            Some(piece) => piece,
            None if text.position >= end => return Ok(None),
            None => reader.read(text.position, PIECE_BYTES).await?,
        };
        Ok::<_, io::Error>(text.show(&piece).map(|bytes| (bytes, (reader, text, None))))
    });
    Ok(what.with_headers(Body::from_stream(body)))
}

/// Answers with the kept bytes of a range, up to the first gap.
async fn part(reader: &Reader, run: &Run, wanted: Wanted) -> Result<Response, ApiError> {
    let total = reader.read_first(run, 0, 1).await?.total;
    let Some((start, end)) = wanted.within(total) else { return Err(unsatisfiable(total)) };
    let mut bytes = BytesMut::new();
    let mut first = start;
    let mut position = start;
    let end = end.min(start.saturating_add(RANGE_BYTES_MAX));
    while position < end {
        let max = usize::try_from(end - position).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let piece = reader.read_first(run, position, max).await?;
        if piece.bytes.is_empty() || piece.position >= end {
            break;
        }
        if piece.omitted > 0 {
            if !bytes.is_empty() {
                break;
            }
            first = piece.position;
        }
        let room = usize::try_from(end - piece.position).unwrap_or(usize::MAX);
        bytes.extend_from_slice(&piece.bytes[..piece.bytes.len().min(room)]);
        position = first + bytes.len() as u64;
    }
    if bytes.is_empty() {
        return Err(unsatisfiable(total));
    }
    let content_range = format!("bytes {first}-{}/{total}", first + bytes.len() as u64 - 1);
    let content_range = HeaderValue::try_from(content_range).expect("digits are visible ASCII");
    let headers = [(CONTENT_RANGE, content_range), (OMITTED, HeaderValue::from(first - start))];
    let mut answer = reader.what.with_headers((headers, bytes.freeze()));
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    Ok(answer)
}

fn unsatisfiable(total: u64) -> ApiError {
    let value =
        HeaderValue::try_from(format!("bytes */{total}")).expect("digits are visible ASCII");
    ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        format!("nothing of this range is kept; {total} bytes were written"),
    )
    .header(CONTENT_RANGE, value)
}

/// What a person gets to read: the kept bytes, with a line for each gap.
#[derive(Default)]
struct Text {
    /// How far the output was shown.
    position: u64,
    /// Whether what was shown ends inside a line.
    in_line: bool,
}

impl Text {
    /// The next part as shown; `None` if the piece has nothing new.
    fn show(&mut self, piece: &Piece) -> Option<Bytes> {
        let reached = piece.position + piece.bytes.len() as u64;
        if reached <= self.position {
            return None;
        }
        self.position = reached;
        if piece.omitted == 0 {
            self.in_line = piece.bytes.last() != Some(&b'\n');
            return Some(piece.bytes.clone());
        }
        let mut shown =
            BytesMut::from(self.line(&format!("{} bytes omitted", piece.omitted)).as_bytes());
        shown.extend_from_slice(&piece.bytes);
        self.in_line = shown.last() != Some(&b'\n');
        Some(shown.freeze())
    }

    /// A line of ours between lines of the command.
    fn line(&mut self, text: &str) -> String {
        let before = if self.in_line { "\n" } else { "" };
        self.in_line = false;
        format!("{before}[chronode: {text}]\n")
    }
}

/// Follows a run's output until the run is over, or one attempt of it until that has ended.
struct Follower {
    desk: Desk,
    id: RunId,
    stream: Stream,
    /// The only attempt that is wanted.
    chosen: Option<u32>,
    /// The attempt being read; `None` before the first one.
    current: Option<u32>,
    text: Text,
    seen: Seen,
    /// Hears what becomes of the run, and holds the client's place.
    listener: Listener,
    /// The item of the feed up to which everything was heard.
    number: u64,
    /// Whether something may have become of the run since its record was looked at.
    has_news: bool,
    /// How many pauses the next wait has.
    pauses: u32,
    /// Why nothing could be read when that was tried last.
    trouble: Option<String>,
}

/// What the run's record said when it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// More may come.
    Live,
    /// The attempt has ended and this one follows.
    Next(u32),
    /// Nothing will be written any more.
    Over,
}

fn follow(follower: Follower, stopping: watch::Receiver<bool>) -> Response {
    let start = (follower, stopping);
    let body = stream::try_unfold(start, |(mut follower, mut stopping)| async move {
        let next = follower.next(&mut stopping).await?;
        Ok::<_, io::Error>(next.map(|bytes| (bytes, (follower, stopping))))
    });
    (text_headers(), Body::from_stream(body)).into_response()
}

impl Follower {
    fn new(desk: Desk, listener: Listener, id: RunId, stream: Stream, chosen: Option<u32>) -> Self {
        Self {
            desk,
            id,
            stream,
            chosen,
            current: chosen,
            text: Text::default(),
            seen: Seen::Live,
            // Before the record is looked at, so that nothing happens in between unheard.
            number: listener.end(),
            listener,
            has_news: true,
            pauses: 1,
            trouble: None,
        }
    }

    /// The next part of the answer; `None` at its end. An error cuts the connection, so that the client sees that
    /// something is missing.
    async fn next(&mut self, stopping: &mut watch::Receiver<bool>) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(bytes) = self.read().await? {
                self.pauses = 1;
                return Ok(Some(bytes));
            }
            match self.seen {
                Seen::Over => return Ok(None),
                Seen::Next(attempt) => {
                    let is_first = self.current.is_none();
                    self.current = Some(attempt);
                    self.seen = Seen::Live;
                    // The record may say of this one too that it has ended.
                    self.has_news = true;
                    self.text.position = 0;
                    if !is_first {
                        return Ok(Some(self.text.line(&format!("attempt {attempt}")).into()));
                    }
                }
                Seen::Live if self.has_news => {
                    self.has_news = false;
                    self.seen = self.look().await?;
                }
                Seen::Live => self.wait(stopping).await?,
            }
        }
    }

    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        let Some(attempt) = self.current else { return Ok(None) };
        let (backend, position) = (&self.desk, self.text.position);
        match backend.output(self.id, attempt, self.stream, position, PIECE_BYTES).await {
            Ok(piece) => {
                self.trouble = None;
                Ok(self.text.show(&piece))
            }
            Err(error) => {
                let is_elsewhere = matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::PermissionDenied
                );
                match error.get_ref().map(ToString::to_string) {
                    // Told once; it may pass.
                    Some(told) if is_elsewhere => {
                        let is_new = self.trouble.as_ref() != Some(&told);
                        let line = is_new.then(|| self.text.line(&told).into());
                        self.trouble = Some(told);
                        Ok(line)
                    }
                    _ if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                }
            }
        }
    }

    async fn look(&self) -> io::Result<Seen> {
        let run = self.desk.run(self.id).await.map_err(io::Error::other)?;
        // A run that is gone from the history was over.
        let Some(run) = run else { return Ok(Seen::Over) };
        let has_ended = |index: u32| {
            run.attempts.iter().any(|found| {
                found.index == index && matches!(found.state, AttemptState::Ended { .. })
            })
        };
        let next = match (self.chosen, self.current) {
            (Some(chosen), _) if has_ended(chosen) => return Ok(Seen::Over),
            (Some(_), _) => None,
            (None, None) => run.attempts.last().map(|attempt| attempt.index),
            (None, Some(current)) => {
                run.attempts.iter().map(|attempt| attempt.index).find(|&index| index > current)
            }
        };
        Ok(match next {
            Some(attempt) => Seen::Next(attempt),
            None if run.is_ended() => Seen::Over,
            None => Seen::Live,
        })
    }

    /// Waits a little longer each time, but not when something has become of the run.
    async fn wait(&mut self, stopping: &mut watch::Receiver<bool>) -> io::Result<()> {
        for _ in 0..self.pauses {
            if !self.desk.is_still_admitted() {
                let why = "the client's credential is no longer in force";
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, why));
            }
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server stops"));
                }
                () = self.desk.pause() => {}
            }
            self.hear();
            if self.has_news {
                self.pauses = 1;
                return Ok(());
            }
        }
        self.pauses = (self.pauses * 2).min(PAUSES_MAX);
        Ok(())
    }

    /// Notes whether the feed tells of the run, or whether it cannot say.
    fn hear(&mut self) {
        loop {
            let Some(heard) = self.listener.after(self.number, ITEMS_PER_LOOK) else {
                self.number = self.listener.end();
                self.has_news = true;
                return;
            };
            self.number = heard.through;
            let is_its =
                |item: &FeedItem| matches!(item, FeedItem::Run { run, .. } if *run == self.id);
            self.has_news |= heard.events.iter().any(|event| is_its(&event.item));
            if !heard.more {
                return;
            }
        }
    }
}
