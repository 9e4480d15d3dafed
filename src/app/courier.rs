//! The courier: takes what is in the outbox to the channels, and tells the engine what came of it.
//!
//! Works on what is committed, so that nothing is sent of what never came about; what it is told is committed before a
//! notification counts as arrived, so that nothing is lost. Between the two a crash has a message sent twice, under the
//! same id. When to try, how often, and what to give up is decided by [`crate::alerts`].
//!
//! A channel that hangs holds up itself alone: each has places of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};

use super::backend::{Backend, Letterhead};
use crate::alerts::Outcome;
use crate::api::{self, Backend as _};
use crate::clock;
use crate::driver::Handle;
use crate::driver::feed::Feed;
use crate::engine::{FeedItem, State};
use crate::model::{Alert, AlertId, Duration, Notification, NotificationId, Timestamp};
use crate::notify::{Channel, Letter, Tail};

/// Messages on their way at one time on one channel.
const PLACES: usize = 4;
/// Items of the feed looked at in one go.
const ITEMS_PER_LOOK: usize = 1_024;
/// The courier looks into the outbox at least this often, so that a wall clock set by hand is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two tries to say what came of a message while the state cannot be stored.
const SAY_AGAIN: Duration = Duration::from_secs(1);
/// Runs whose output is shown in one message.
const TAILS_MAX: usize = 5;
/// Of the end of an output, at most that many bytes and lines are shown.
const TAIL_BYTES_MAX: usize = 4_096;
const TAIL_LINES_MAX: usize = 40;
/// How long output is waited for: an agent that does not answer is no reason to tell nobody.
const TAIL_PATIENCE: Duration = Duration::from_secs(5);

/// Sends, and says what came of it.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) backend: Arc<Backend>,
    pub(super) handle: Handle,
}

/// What is to be sent now, and when more is.
#[derive(Debug, Default, PartialEq)]
struct Round {
    now: Vec<Parcel>,
    next: Option<Timestamp>,
}

/// A notification with what it tells of.
#[derive(Debug, Clone, PartialEq)]
struct Parcel {
    notification: Notification,
    alerts: Vec<Alert>,
    incident: Option<crate::model::Incident>,
}

/// A courier at work.
#[derive(Debug)]
pub(super) struct Delivering {
    task: JoinHandle<()>,
    stopping: watch::Sender<bool>,
}

impl Delivering {
    /// Has a courier take messages out until it is told to stop.
    pub(super) fn begin(courier: Courier, feed: Arc<Feed>) -> Self {
        let (stopping, told) = watch::channel(false);
        let task = tokio::spawn(deliver(Arc::new(courier), feed, told));
        Self { task, stopping }
    }

    /// Takes nothing out any more, and waits for what is on its way. What is not there by then is sent again by the next
    /// start, under the same id.
    pub(super) async fn stop(mut self, grace: Duration) {
        self.stopping.send_replace(true);
        tokio::select! {
            _ = &mut self.task => {}
            () = clock::pause(grace) => self.task.abort(),
        }
    }
}

async fn deliver(courier: Arc<Courier>, feed: Arc<Feed>, mut stopping: watch::Receiver<bool>) {
    let mut number = feed.end();
    let mut sent: JoinSet<()> = JoinSet::new();
    let mut busy: BTreeMap<NotificationId, String> = BTreeMap::new();
    let mut tasks: BTreeMap<Id, NotificationId> = BTreeMap::new();
    loop {
        let is_stopping = *stopping.borrow_and_update();
        if is_stopping && sent.is_empty() {
            return;
        }
        let round = if is_stopping { Round::default() } else { courier.round(&busy) };
        for parcel in round.now {
            let id = parcel.notification.id;
            busy.insert(id, parcel.notification.to.channel.clone());
            let courier = Arc::clone(&courier);
            let task = sent.spawn(async move { courier.take(parcel).await });
            tasks.insert(task.id(), id);
        }
        let pause = round.next.map_or(LOOK_EVERY, |at| at.duration_since(clock::wall()));
        let look_at = clock::boot().saturating_add(pause.clamp(Duration::ZERO, LOOK_EVERY));
        loop {
            tokio::select! {
                Some(ended) = sent.join_next_with_id() => {
                    match ended {
                        Ok((task, ())) => {
                            if let Some(id) = tasks.remove(&task) {
                                busy.remove(&id);
                            }
                        }
                        // It counts as a try, so that the next comes after a pause and not at once.
                        Err(error) => {
                            tracing::error!("sending a notification went wrong: {error}");
                            if let Some(id) = tasks.remove(&error.id()) {
                                let courier = Arc::clone(&courier);
                                let problem = "Chronode failed while it sent it; the log says how";
                                let outcome = Outcome::Failed { problem: problem.to_owned() };
                                let task = sent.spawn(async move { courier.say(id, &outcome).await });
                                tasks.insert(task.id(), id);
                            }
                        }
                    }
                    break;
                }
                () = feed.grown(number) => {
                    if follow(&feed, &mut number) {
                        break;
                    }
                }
                () = clock::pause(look_at.since(clock::boot())) => break,
                // Whoever could say so is gone: that is no reason to be in a hurry.
                Ok(()) = stopping.changed() => break,
            }
        }
    }
}

/// Goes through what has happened since. Whether the outbox may have changed.
fn follow(feed: &Feed, number: &mut u64) -> bool {
    let Some(items) = feed.after(*number, ITEMS_PER_LOOK) else {
        *number = feed.end();
        return true;
    };
    let mut has_moved = false;
    for item in items {
        *number = item.number;
        has_moved |= matches!(item.item, FeedItem::NotificationMoved { .. });
    }
    has_moved
}

impl Courier {
    fn round(&self, busy: &BTreeMap<NotificationId, String>) -> Round {
        let now = clock::wall();
        let state = self.backend.view.read();
        round(&state, busy, now)
    }

    /// Sends one, and says what came of it until that is durable.
    async fn take(&self, parcel: Parcel) {
        let id = parcel.notification.id;
        let channel = parcel.notification.to.channel.clone();
        let outcome = match self.backend.channels.get(&channel) {
            Some(channel) => self.send(channel, parcel).await,
            None => Outcome::Failed {
                problem: format!("no channel `{channel}` is configured any more"),
            },
        };
        match &outcome {
            Outcome::Arrived => tracing::debug!("notification {id} has arrived on `{channel}`"),
            Outcome::Refused { problem } => {
                tracing::warn!("notification {id} was refused on `{channel}`: {problem}");
            }
            Outcome::Failed { problem } => {
                tracing::warn!("notification {id} did not arrive on `{channel}`: {problem}");
            }
        }
        crate::failpoint!("courier.after_send");
        self.say(id, &outcome).await;
    }

    /// Says what came of it until that is durable.
    async fn say(&self, id: NotificationId, outcome: &Outcome) {
        while let Err(error) = self.handle.delivered(id, outcome.clone()).await {
            tracing::debug!("what came of notification {id} is not stored yet: {error}");
            clock::pause(SAY_AGAIN).await;
        }
    }

    async fn send(&self, channel: &Channel, parcel: Parcel) -> Outcome {
        let tails = self.tails(&parcel.alerts).await;
        let Letterhead { base_url, cluster_name, host } = self.backend.letterhead.clone();
        let Parcel { notification, alerts, incident } = parcel;
        let letter = Letter { notification, alerts, incident, base_url, cluster_name, tails, host };
        match channel.send(&letter).await {
            Ok(said) => {
                tracing::trace!("`{}` said: {said}", channel.name());
                Outcome::Arrived
            }
            Err(error) if error.is_final => Outcome::Refused { problem: error.problem },
            Err(error) => Outcome::Failed { problem: error.problem },
        }
    }

    /// The last lines of the runs that are told of, as far as they can be had in time.
    async fn tails(&self, alerts: &[Alert]) -> BTreeMap<AlertId, Tail> {
        let mut tails = BTreeMap::new();
        let read = async {
            let with_output = alerts.iter().filter_map(|alert| {
                let run = alert.run.as_deref()?;
                Some((alert.id, run.id, run.attempt?))
            });
            for (alert, run, attempt) in with_output.take(TAILS_MAX) {
                for stream in [api::Stream::Stderr, api::Stream::Stdout] {
                    if let Some(tail) = self.tail(run, attempt, stream).await {
                        tails.insert(alert, tail);
                        break;
                    }
                }
            }
        };
        tokio::select! {
            () = read => {}
            () = clock::pause(TAIL_PATIENCE) => {}
        }
        tails
    }

    /// `None` if nothing was written, or nothing of it is kept.
    async fn tail(
        &self,
        run: crate::model::RunId,
        attempt: u32,
        stream: api::Stream,
    ) -> Option<Tail> {
        let total = self.backend.output(run, attempt, stream, u64::MAX, 1).await.ok()?.total;
        let from = total.saturating_sub(TAIL_BYTES_MAX as u64);
        let piece = self.backend.output(run, attempt, stream, from, TAIL_BYTES_MAX).await.ok()?;
        tail_of(stream, &piece.bytes, piece.position > 0)
    }
}

/// The last lines of what was written; `is_cut` if there is more before it.
fn tail_of(stream: api::Stream, bytes: &[u8], is_cut: bool) -> Option<Tail> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    if text.is_empty() {
        return None;
    }
    // A line that is cut in its middle is left out, unless it is all there is.
    let text = match text.split_once('\n') {
        Some((_, whole)) if is_cut => whole,
        Some(_) | None => text,
    };
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(TAIL_LINES_MAX);
    Some(Tail {
        stream: stream.as_str(),
        text: lines.get(first..).unwrap_or_default().join("\n"),
        is_cut: is_cut || first > 0,
    })
}

/// What can be sent at `now`, beside what is on its way: the oldest first, on each channel as many as it has places.
fn round(state: &State, busy: &BTreeMap<NotificationId, String>, now: Timestamp) -> Round {
    let desk = state.alerts();
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for channel in busy.values() {
        *taken.entry(channel).or_default() += 1;
    }
    let mut round = Round::default();
    for (at, notification) in desk.due() {
        if at > now {
            round.next = Some(at);
            break;
        }
        let places = taken.entry(&notification.to.channel).or_default();
        if busy.contains_key(&notification.id) || *places >= PLACES {
            continue;
        }
        *places += 1;
        round.now.push(Parcel {
            notification: notification.clone(),
            alerts: notification.alerts.iter().filter_map(|id| desk.alert(*id).cloned()).collect(),
            incident: notification.incident.and_then(|id| desk.incident(id).cloned()),
        });
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Change as Told;
    use crate::api::testing::{at, settings};
    use crate::engine::Change;
    use crate::model::{Address, NotificationKind};

    fn state(due: &[(u64, &str, &str)]) -> State {
        let mut state = State::new(Arc::new(settings()));
        for (id, channel, when) in due {
            let notification = Notification {
                id: NotificationId(*id),
                to: Address { channel: (*channel).to_owned(), recipient: String::new() },
                kind: NotificationKind::Alert,
                incident: None,
                alerts: Vec::new(),
                left_out: 0,
                made_at: at("2030-01-01T00:00:00Z"),
                tries: 0,
                problem: String::new(),
                delivery: crate::model::Delivery::Due { at: at(when) },
            };
            state.apply(&Change::Alerted(Told::NotificationStored(Box::new(notification))));
        }
        state
    }

    fn ids(round: &Round) -> Vec<u64> {
        round.now.iter().map(|parcel| parcel.notification.id.0).collect()
    }

    #[test]
    fn what_is_due_first_goes_first_and_the_next_look_is_when_more_is() {
        let (now, later) = ("2030-01-01T01:00:00Z", "2030-01-01T01:00:30Z");
        let state =
            state(&[(1, "mail", now), (2, "mail", later), (3, "mail", "2030-01-01T00:30:00Z")]);
        let found = round(&state, &BTreeMap::new(), at(now));
        assert_eq!((ids(&found), found.next), (vec![3, 1], Some(at(later))));
        let busy = BTreeMap::from([(NotificationId(3), "mail".to_owned())]);
        assert_eq!(ids(&round(&state, &busy, at(now))), [1]);
    }

    #[test]
    fn a_channel_that_hangs_holds_up_itself_alone() {
        let now = "2030-01-01T01:00:00Z";
        let mut due: Vec<(u64, &str, &str)> = (1..=9).map(|id| (id, "hangs", now)).collect();
        due.push((10, "works", now));
        let state = state(&due);
        assert_eq!(ids(&round(&state, &BTreeMap::new(), at(now))), [1, 2, 3, 4, 10]);
        let busy = (1..=4).map(|id| (NotificationId(id), "hangs".to_owned())).collect();
        let found = round(&state, &busy, at(now));
        assert_eq!((ids(&found), found.next), (vec![10], None));
    }

    #[test]
    fn the_end_of_an_output_is_whole_lines_and_says_whether_there_is_more() {
        let tail = |text: &str, is_cut| tail_of(api::Stream::Stderr, text.as_bytes(), is_cut);
        assert_eq!(tail(" \n\n", false), None);
        let all = tail("one\ntwo\n", false).unwrap();
        assert_eq!((all.text.as_str(), all.is_cut, all.stream), ("one\ntwo", false, "stderr"));
        let cut = tail("e first\nsecond\n", true).unwrap();
        assert_eq!((cut.text.as_str(), cut.is_cut), ("second", true));
        assert_eq!(tail("one long line", true).unwrap().text, "one long line");
        let many: String = (1..=100).map(|line| format!("{line}\n")).collect();
        let last = tail(&many, false).unwrap();
        assert!(last.is_cut && last.text.starts_with("61\n") && last.text.ends_with("\n100"));
    }
}
