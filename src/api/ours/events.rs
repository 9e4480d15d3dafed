//! Everything that changes, as it changes: server-sent events.
//!
//! ```text
//!   id: 17-1795269600000-42
//!   event: run
//!   data: {"id":"17-1795269600000-42","kind":"run","what":"started",…}
//! ```
//!
//! An id is a place in the feed of one process. Whoever comes back with the last one hears what has happened since, or
//! `reset`: then something cannot be told any more, and what is known has to be read anew. Never is something left out
//! without that. A first answer begins with `ready`, so that also who has heard nothing yet has an id to come back with.
//!
//! A listener costs a number: what is sent is read from the feed when the client takes it. A slow client misses what has
//! left the feed by then, and hears `reset`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::api::edge::front::Exchange;
use crate::api::error::ApiError;
use crate::api::listener::Listener;
use crate::api::query::{self, Query};
use crate::api::{Desk, print};
use crate::engine::{FeedEvent, FeedItem, JobStep, RunStep};
use crate::model::{JobName, NameRule, Timestamp};

/// Where a client that comes back has got to.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Keeps proxies that know the word from collecting an answer before they pass it on.
const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Items looked at for one part of the answer.
const ITEMS_PER_PART: usize = 256;

/// What is sent first: how long a client waits before it comes back.
const GREETING: &str = "retry: 1000\n\n";

/// The words of `kind`.
const KINDS: [&str; 12] = [
    "job",
    "run",
    "round",
    "stretch",
    "pause",
    "backfill",
    "clock",
    "launcher",
    "zone",
    "incident",
    "notification",
    "term",
];

/// `GET P/events?job=&kind=&after=`.
pub(crate) async fn follow(
    desk: Desk,
    Extension(exchange): Extension<Exchange>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = Query::parse_known(query.as_deref(), &["job", "kind", "after"])?;
    let filter = Filter::of(&query)?;
    let after = query.get("after").map(|text| {
        let expected = "the `id` of an event";
        Place::parse(text).ok_or_else(|| query::invalid("after", text, expected))
    });
    let after = after.transpose()?;
    let listener = desk.listen()?;
    // A browser that comes back says so beside the address that it has begun with.
    let begin = match headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        Some(value) => match value.to_str().ok().and_then(Place::parse) {
            Some(place) => Begin::After(place),
            None => Begin::Elsewhere,
        },
        None => after.map_or(Begin::Now, Begin::After),
    };
    let (number, first) = match begin {
        Begin::After(place) if place.feed == *listener.feed_name() => (place.number, None),
        Begin::After(_) | Begin::Elsewhere => (listener.end(), Some("reset")),
        Begin::Now => (listener.end(), Some("ready")),
    };
    let follower = Follower {
        told: number,
        number,
        first: Some(first),
        desk,
        listener,
        filter,
        stopping: exchange.stopping,
    };
    let body = stream::unfold(follower, |mut follower| async move {
        follower.next().await.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), follower))
    });
    let text = HeaderValue::from_static("text/event-stream");
    Ok(([(CONTENT_TYPE, text), NO_BUFFERING], Body::from_stream(body)).into_response())
}

/// Where an answer begins.
enum Begin {
    /// With what happens from now on.
    Now,
    After(Place),
    /// With what comes after something of which nobody knows what it is.
    Elsewhere,
}

/// A place in a feed.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    feed: String,
    number: u64,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (feed, number) = text.rsplit_once('-')?;
        let is_plain = !feed.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_plain)?;
        Some(Self { feed: feed.to_owned(), number })
    }
}

/// What a client wants to hear of.
struct Filter {
    job: Option<JobName>,
    kinds: Vec<&'static str>,
}

impl Filter {
    fn of(query: &Query) -> Result<Self, ApiError> {
        let job = query.get("job").map(|text| {
            JobName::parse(text, NameRule::Blanks)
                .map_err(|error| ApiError::invalid("job", error.to_string()))
        });
        let kinds = query.get("kind").map(|text| {
            let known = |word: &str| {
                let found = KINDS.into_iter().find(|kind| *kind == word);
                let expected = format!("one or more of {}, with commas between", KINDS.join(", "));
                found.ok_or_else(|| query::invalid("kind", text, &expected))
            };
            text.split(',').map(known).collect::<Result<Vec<_>, _>>()
        });
        let kinds = kinds.transpose()?.unwrap_or_else(|| KINDS.to_vec());
        Ok(Self { job: job.transpose()?, kinds })
    }

    fn wants(&self, item: &FeedItem) -> bool {
        self.kinds.contains(&kind_of(item))
            && self.job.as_ref().is_none_or(|job| item.job() == Some(job))
    }
}

/// One client.
struct Follower {
    desk: Desk,
    listener: Listener,
    filter: Filter,
    /// The item up to which everything was looked at.
    number: u64,
    /// The item up to which the client knows that.
    told: u64,
    /// What comes before everything else: nothing or an event of this name. `None` once it was sent.
    first: Option<Option<&'static str>>,
    stopping: watch::Receiver<bool>,
}

impl Follower {
    /// The next part of the answer; `None` when the server stops.
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            let event = first.map(|name| self.signpost(name)).unwrap_or_default();
            return Some(format!("{GREETING}{event}"));
        }
        loop {
            // Who may no longer ask is told no more; who may, comes again.
            if *self.stopping.borrow() || !self.desk.is_still_admitted() {
                return None;
            }
            let Some(heard) = self.listener.after(self.number, ITEMS_PER_PART) else {
                self.number = self.listener.end();
                self.told = self.number;
                return Some(self.signpost("reset"));
            };
            self.number = heard.through;
            let wanted = heard.events.iter().filter(|event| self.filter.wants(&event.item));
            let text: String = wanted.map(|event| self.event(event)).collect();
            if !text.is_empty() {
                self.told = self.number;
                return Some(text);
            }
            if heard.more {
                // Much that nobody here wants to hear must not hold up the others.
                tokio::task::yield_now().await;
                continue;
            }
            let has_grown = tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                has_grown = self.listener.grown(self.number) => has_grown,
            };
            if !has_grown {
                return Some(self.sign_of_life());
            }
        }
    }

    /// Keeps the connection from looking dead. What the client did not want to hear of need not be kept for it.
    fn sign_of_life(&mut self) -> String {
        if self.told == self.number {
            return ":\n\n".to_owned();
        }
        self.told = self.number;
        format!("id: {}\n\n", self.id(self.number))
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.listener.feed_name())
    }

    /// An event about the stream itself.
    fn signpost(&self, name: &str) -> String {
        let id = self.id(self.number);
        let at = print::instant(self.desk.almanac().now);
        block(&id, name, &json!({"id": id, "kind": name, "at": at}))
    }

    fn event(&self, event: &Arc<FeedEvent>) -> String {
        let FeedEvent { number, at, item } = &**event;
        let id = self.id(*number);
        let mut data = json!({"id": id, "kind": kind_of(item), "at": print::instant(*at)});
        print_item(item, &mut data);
        block(&id, kind_of(item), &data)
    }
}

/// Neither ids nor kinds nor JSON in one line have a line break in them.
fn block(id: &str, name: &str, data: &Value) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write!(text, "id: {id}\nevent: {name}\ndata: {data}\n\n");
    text
}

const fn kind_of(item: &FeedItem) -> &'static str {
    match item {
        FeedItem::Job { .. } => "job",
        FeedItem::Run { .. } => "run",
        FeedItem::RoundMoved { .. } => "round",
        FeedItem::StretchStored { .. } | FeedItem::StretchVoided { .. } => "stretch",
        FeedItem::EverythingPaused { .. } => "pause",
        FeedItem::BackfillMoved { .. } => "backfill",
        FeedItem::ClockDoubted { .. } => "clock",
        FeedItem::Launcher { .. } => "launcher",
        FeedItem::ZoneKept { .. } => "zone",
        FeedItem::IncidentMoved { .. } => "incident",
        FeedItem::NotificationMoved { .. } => "notification",
        FeedItem::TermBegan(_) => "term",
    }
}

/// Adds what an item says, every key of its kind.
fn print_item(item: &FeedItem, data: &mut Value) {
    match item {
        FeedItem::Job { job, incarnation, step } => {
            let (what, revision, disabled, until) = match step {
                JobStep::Created { revision, disabled } => {
                    ("created", Some(*revision), Some(*disabled), None)
                }
                JobStep::Replaced { revision, disabled } => {
                    ("replaced", Some(*revision), Some(*disabled), None)
                }
                JobStep::Deleted => ("deleted", None, None, None),
                JobStep::Disabled => ("disabled", None, Some(true), None),
                JobStep::Quarantined => ("quarantined", None, None, None),
                JobStep::Released => ("released", None, None, None),
                JobStep::Paused { until } => ("paused", None, None, *until),
                JobStep::Resumed => ("resumed", None, None, None),
                JobStep::SkipsChanged => ("skipsChanged", None, None, None),
                JobStep::OriginChanged => ("originChanged", None, None, None),
            };
            data["what"] = what.into();
            data["job"] = job.as_str().into();
            data["incarnation"] = incarnation.0.into();
            data["revision"] = revision.into();
            data["disabled"] = disabled.into();
            data["until"] = until.map(print::instant).into();
        }
        FeedItem::Run { job, run, due_at, step } => {
            data["what"] = word_of(step).into();
            data["job"] = job.as_str().into();
            data["run"] = run.to_string().into();
            data["dueAt"] = print::instant(*due_at).into();
            print_step(step, data);
        }
        FeedItem::RoundMoved { job } => {
            data["what"] = "moved".into();
            data["job"] = job.as_str().into();
        }
        FeedItem::StretchStored { job, sequence, verdict, first_due_at, last_due_at, count } => {
            data["what"] = "recorded".into();
            data["job"] = job.as_str().into();
            data["sequence"] = (*sequence).into();
            data["verdict"] = verdict.as_str().into();
            data["firstDueAt"] = print::instant(*first_due_at).into();
            data["lastDueAt"] = print::instant(*last_due_at).into();
            data["count"] = (*count).into();
        }
        FeedItem::StretchVoided { sequence } => {
            data["what"] = "voided".into();
            data["sequence"] = (*sequence).into();
        }
        FeedItem::EverythingPaused { is_paused, until } => {
            data["what"] = if *is_paused { "paused" } else { "resumed" }.into();
            data["until"] = until.map(print::instant).into();
        }
        FeedItem::BackfillMoved { job, id, begun, of, state } => {
            data["what"] = "moved".into();
            data["job"] = job.as_str().into();
            data["backfill"] = id.to_string().into();
            data["begun"] = (*begun).into();
            data["of"] = (*of).into();
            data["state"] = (*state).into();
        }
        FeedItem::ClockDoubted { is_doubted } => {
            data["what"] = if *is_doubted { "doubted" } else { "believed" }.into();
        }
        FeedItem::Launcher { problem } => {
            data["what"] = if problem.is_none() { "connected" } else { "gone" }.into();
            data["problem"] = problem.as_deref().into();
        }
        FeedItem::ZoneKept { zone } => {
            data["what"] = "kept".into();
            data["zone"] = zone.as_str().into();
        }
        FeedItem::IncidentMoved { id, is_open } => {
            data["what"] = if *is_open { "moved" } else { "closed" }.into();
            data["incident"] = id.to_string().into();
        }
        FeedItem::NotificationMoved { id, delivery } => {
            data["what"] = delivery.name().into();
            data["notification"] = id.to_string().into();
        }
        FeedItem::TermBegan(term) => {
            data["what"] = "began".into();
            data["term"] = term.0.into();
        }
    }
}

const fn word_of(step: &RunStep) -> &'static str {
    match step {
        RunStep::Recorded { .. } => "recorded",
        RunStep::Queued => "queued",
        RunStep::Pending => "pending",
        RunStep::Reporting => "reporting",
        RunStep::Placed { .. } => "placed",
        RunStep::TakenBack { .. } => "takenBack",
        RunStep::Started { .. } => "started",
        RunStep::Stopping { .. } => "stopping",
        RunStep::OutOfSight { .. } => "unknown",
        RunStep::Found { .. } => "found",
        RunStep::AttemptEnded { .. } => "attemptEnded",
        RunStep::Waiting { .. } => "waiting",
        RunStep::Ended { .. } => "ended",
    }
}

fn print_step(step: &RunStep, data: &mut Value) {
    let instant = |at: &Timestamp| Value::from(print::instant(*at));
    let (mut attempt, mut verdict) = (Value::Null, Value::Null);
    let (mut started_at, mut ended_at, mut until) = (Value::Null, Value::Null, Value::Null);
    let (mut stop_reason, mut exit) = (Value::Null, Value::Null);
    match step {
        // Its place in the history is the run's own.
        RunStep::Recorded { sequence: _ }
        | RunStep::Queued
        | RunStep::Pending
        | RunStep::Reporting => {}
        RunStep::Placed { attempt: index }
        | RunStep::TakenBack { attempt: index }
        | RunStep::Found { attempt: index } => attempt = (*index).into(),
        RunStep::Started { attempt: index, at } => {
            attempt = (*index).into();
            started_at = instant(at);
        }
        RunStep::Stopping { attempt: index, why } => {
            attempt = (*index).into();
            stop_reason = why.as_str().into();
        }
        RunStep::OutOfSight { attempt: index, until: at } => {
            attempt = (*index).into();
            until = instant(at);
        }
        RunStep::AttemptEnded { attempt: index, at, exit: how } => {
            attempt = (*index).into();
            ended_at = instant(at);
            exit = how.as_ref().map_or(Value::Null, print::exit);
        }
        RunStep::Waiting { until: at } => until = instant(at),
        RunStep::Ended { verdict: how, at } => {
            verdict = how.as_str().into();
            ended_at = instant(at);
        }
    }
    data["attempt"] = attempt;
    data["startedAt"] = started_at;
    data["endedAt"] = ended_at;
    data["verdict"] = verdict;
    data["exit"] = exit;
    data["stopReason"] = stop_reason;
    data["until"] = until;
}
