//! The rules of a subscription, without a socket: what may come next, when a master counts as lost, whom to ask and when.
//!
//! ```text
//!   Waiting ──due──▶ Asking ──200──▶ Open ──SUBSCRIBED──▶ Subscribed
//!      ▲               │               │                     │
//!      ├───lost────────┴───────────────┴─────────────────────┤  0.5 s, doubling to 10 s
//!      ├───refused─────┴───────────────┘                     │  1 s, doubling to 60 s
//!      └─no leader─▶ Leaderless ◀──────────────── "failed over" ─▶ Deposed, for ever
//! ```
//!
//! What is done is said in values ([`Output`]); what happens comes as values ([`Input`]), with the time of the boot clock.
//! `client` owns the socket, and hands in nothing that belongs to a connection that it was told to close.

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod replay_tests;
mod sentence;
#[cfg(test)]
mod tests;
mod value;

use reqwest::Url;

use super::client::{Heard, Subscription};
use super::leader::redirected;
use super::wire::{Call, CallType, Event, EventType, FrameworkInfo, Id, Subscribe};
use crate::model::{BootInstant, Duration};
pub use sentence::Login;
pub use value::{Answer, Input, Output, Source};

/// How long the answer to SUBSCRIBE may take, and after it the first record.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Between heartbeats, if the master does not say. What Mesos 1.11 says.
const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(15);

/// The least and the most that is believed of what the master says about that.
const HEARTBEAT_SECS: std::ops::RangeInclusive<f64> = 0.1..=600.0;

/// After a lost connection: the first wait and the longest.
const LOST_WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// After a refusal, which somebody must do something about.
const REFUSED_WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Redirects that are followed at once. Masters that send each other in circles are asked again later.
const REDIRECTS_MAX: u32 = 5;

/// How far the subscription is.
#[derive(Debug)]
enum State {
    /// Nobody is known who could be asked.
    Leaderless,
    /// Somebody is asked then.
    Waiting { until: BootInstant },
    /// The answer must be there by then.
    Asking { url: Url, until: BootInstant },
    /// The answer was 200; the first record, which may be ERROR, must be there by then.
    Open { url: Url, stream_id: String, until: BootInstant },
    /// Events come.
    Subscribed(Live),
    /// Another process has our framework.
    Deposed,
}

/// A subscription.
#[derive(Debug)]
struct Live {
    url: Url,
    stream_id: String,
    number: Subscription,
    interval: Duration,
    begun_at: BootInstant,
    heard_at: BootInstant,
}

impl Live {
    /// When the silence has lasted two and a half intervals.
    fn late_at(&self) -> BootInstant {
        let half = self.interval.checked_div(2).unwrap_or(self.interval);
        self.heard_at.saturating_add(self.interval.saturating_mul(2).saturating_add(half))
    }
}

/// The machine.
#[derive(Debug)]
pub struct Session {
    source: Source,
    /// Which of [`Source::Known`] is asked next.
    next: usize,
    /// What [`Input::Leader`] said last.
    leader: Result<Url, String>,
    /// Where the last answer sent us, for the next try alone.
    sent_to: Option<Url>,
    login: Login,
    framework_id: Option<String>,
    jitter: u64,
    state: State,
    subscriptions: u64,
    losses: u32,
    refusals: u32,
    redirects: u32,
    /// What was told last of why there is no subscription.
    told: Option<String>,
}

impl Session {
    /// A machine that asks at its first [`Input::Tick`]. `jitter` is any number, the same for the same framework: waits
    /// are up to a quarter longer by it, so that the frameworks of a master do not all come at once.
    #[must_use]
    pub fn new(
        source: Source,
        login: Login,
        framework_id: Option<String>,
        jitter: u64,
        now: BootInstant,
    ) -> Self {
        Self {
            source,
            next: 0,
            leader: Err("nobody has said yet which master leads".to_owned()),
            sent_to: None,
            login,
            framework_id,
            jitter,
            state: State::Waiting { until: now },
            subscriptions: 0,
            losses: 0,
            refusals: 0,
            redirects: 0,
            told: None,
        }
    }

    /// When [`Input::Tick`] is wanted.
    #[must_use]
    pub fn wake_at(&self) -> Option<BootInstant> {
        match &self.state {
            State::Leaderless | State::Deposed => None,
            State::Waiting { until }
            | State::Asking { url: _, until }
            | State::Open { url: _, stream_id: _, until } => Some(*until),
            State::Subscribed(live) => Some(live.late_at()),
        }
    }

    /// Where calls of that subscription go, and with which stream id, as long as it is the present one.
    #[must_use]
    pub fn stream(&self, of: Subscription) -> Option<(&Url, &str)> {
        match &self.state {
            State::Subscribed(live) if live.number == of => Some((&live.url, &live.stream_id)),
            State::Leaderless
            | State::Waiting { .. }
            | State::Asking { .. }
            | State::Open { .. }
            | State::Subscribed(_)
            | State::Deposed => None,
        }
    }

    /// Whether another process has our framework: nothing will happen any more.
    #[must_use]
    pub fn is_deposed(&self) -> bool {
        matches!(self.state, State::Deposed)
    }

    /// Takes what has happened, and says what is to be done.
    pub fn step(&mut self, now: BootInstant, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            _ if self.is_deposed() => {}
            Input::Tick => self.tick(now, &mut outputs),
            Input::Leader(leader) => self.take_leader(now, leader, &mut outputs),
            Input::Answered(answer) => self.answered(now, answer, &mut outputs),
            Input::Unanswered { reason } => self.unanswered(now, &reason, &mut outputs),
            Input::Alive => self.hear(now),
            Input::Event(event) => self.event(now, event, &mut outputs),
            Input::Ended { reason } => self.ended(now, &reason, &mut outputs),
            Input::CallAnswered { call, answer } => {
                self.call_answered(now, call, answer, &mut outputs);
            }
            Input::CallLost { reason } => {
                if let State::Subscribed(live) = &self.state {
                    let reason = format!(
                        "a call to the master at {} was not answered: {reason}",
                        host(&live.url)
                    );
                    self.lose(now, reason, &mut outputs);
                }
            }
        }
        outputs
    }

    fn tick(&mut self, now: BootInstant, outputs: &mut Vec<Output>) {
        if self.wake_at().is_none_or(|at| now < at) {
            return;
        }
        match &self.state {
            State::Leaderless | State::Deposed => {}
            State::Waiting { until: _ } => self.ask(now, outputs),
            State::Asking { url, until: _ } => {
                let reason = format!("the master at {} does not answer", host(url));
                self.lose(now, reason, outputs);
            }
            State::Open { url, stream_id: _, until: _ } => {
                let reason =
                    format!("the master at {} takes the subscription and says nothing", host(url));
                self.lose(now, reason, outputs);
            }
            State::Subscribed(live) => {
                let reason = format!(
                    "the master at {} has been silent for two and a half of its heartbeats",
                    host(&live.url)
                );
                self.lose(now, reason, outputs);
            }
        }
    }

    fn ask(&mut self, now: BootInstant, outputs: &mut Vec<Output>) {
        let known = match &self.source {
            Source::Known(urls) => {
                let url = urls.get(self.next % urls.len().max(1)).cloned();
                url.ok_or_else(|| "no master is named".to_owned())
            }
            Source::Watched => self.leader.clone(),
        };
        let url = match self.sent_to.take().map_or(known, Ok) {
            Ok(url) => url,
            Err(reason) => {
                self.state = State::Leaderless;
                return self.tell(reason, outputs);
            }
        };
        let framework_id = self.framework_id.clone();
        outputs.push(Output::Subscribe { url: url.clone(), framework_id });
        self.state = State::Asking { url, until: now.saturating_add(ANSWER_TIME) };
    }

    fn take_leader(
        &mut self,
        now: BootInstant,
        leader: Result<Url, String>,
        outputs: &mut Vec<Output>,
    ) {
        if leader == self.leader {
            return;
        }
        self.leader = leader.clone();
        let leader = match leader {
            Ok(leader) => leader,
            // That ends no subscription: ZooKeeper may be away, and the master there. Its heartbeats tell.
            Err(reason) => {
                if matches!(self.state, State::Leaderless) {
                    self.tell(reason, outputs);
                }
                return;
            }
        };
        // Where a redirect sent us is older than this.
        self.sent_to = None;
        match &self.state {
            State::Deposed => return,
            State::Leaderless | State::Waiting { .. } => {}
            State::Asking { url, until: _ } | State::Open { url, .. } if *url == leader => return,
            State::Subscribed(live) if live.url == leader => return,
            State::Asking { .. } | State::Open { .. } => outputs.push(Output::Close),
            State::Subscribed(live) => {
                let reason =
                    format!("the master at {} leads instead of {}", host(&leader), host(&live.url));
                outputs.push(Output::Close);
                self.tell(reason, outputs);
            }
        }
        self.redirects = 0;
        self.ask(now, outputs);
    }

    fn answered(&mut self, now: BootInstant, answer: Answer, outputs: &mut Vec<Output>) {
        let State::Asking { url, until: _ } = &self.state else { return };
        let url = url.clone();
        match answer.status {
            200 => match answer.stream_id {
                Some(stream_id) if !stream_id.is_empty() => {
                    self.state =
                        State::Open { url, stream_id, until: now.saturating_add(ANSWER_TIME) };
                }
                Some(_) | None => self.refuse(now, sentence::no_stream(host(&url)), outputs),
            },
            300..=399 => self.follow(now, &url, answer.location.as_deref(), outputs),
            500..=599 => {
                let reason = sentence::unready(host(&url), answer.status, &answer.message);
                self.lose(now, reason, outputs);
            }
            status => {
                let reason = sentence::refusal(host(&url), status, &answer.message, &self.login);
                self.refuse(now, reason, outputs);
            }
        }
    }

    /// Asks whom the answer names, at once, unless masters send us in circles.
    fn follow(
        &mut self,
        now: BootInstant,
        url: &Url,
        location: Option<&str>,
        outputs: &mut Vec<Output>,
    ) {
        let to = location
            .ok_or_else(|| "a redirect says not where to".to_owned())
            .and_then(|location| redirected(url, location));
        match to {
            Ok(to) if self.redirects < REDIRECTS_MAX => {
                self.redirects += 1;
                outputs.push(Output::Close);
                self.sent_to = Some(to);
                self.ask(now, outputs);
            }
            Ok(to) => {
                let reason = format!(
                    "masters send us in circles, at last from {} to {}; they do not agree on who leads",
                    host(url),
                    host(&to)
                );
                self.lose(now, reason, outputs);
            }
            Err(why) => {
                let reason = format!("the master at {} does not lead, and {why}", host(url));
                self.refuse(now, reason, outputs);
            }
        }
    }

    fn unanswered(&mut self, now: BootInstant, reason: &str, outputs: &mut Vec<Output>) {
        if let State::Asking { url, until: _ } = &self.state {
            let reason = format!("no subscription with the master at {}: {reason}", host(url));
            self.lose(now, reason, outputs);
        }
    }

    fn ended(&mut self, now: BootInstant, reason: &str, outputs: &mut Vec<Output>) {
        let url = match &self.state {
            State::Open { url, .. } => url,
            State::Subscribed(live) => &live.url,
            State::Leaderless | State::Waiting { .. } | State::Asking { .. } | State::Deposed => {
                return;
            }
        };
        let reason = format!("the master at {} has ended the subscription: {reason}", host(url));
        self.lose(now, reason, outputs);
    }

    /// Something came. A subscription that has lasted is a success: the next loss is a first one again.
    fn hear(&mut self, now: BootInstant) {
        if let State::Subscribed(live) = &mut self.state {
            live.heard_at = now;
            if now.since(live.begun_at) >= live.interval {
                self.losses = 0;
                self.refusals = 0;
            }
        }
    }

    fn event(&mut self, now: BootInstant, event: Box<Event>, outputs: &mut Vec<Output>) {
        self.hear(now);
        match (&self.state, event.kind) {
            (State::Open { .. } | State::Subscribed(_), EventType::Error) => {
                let message = event.error.map(|it| it.message).unwrap_or_default();
                self.error(now, &message, outputs);
            }
            (State::Open { url, stream_id, until: _ }, EventType::Subscribed) => {
                let (url, stream_id) = (url.clone(), stream_id.clone());
                self.subscribed(now, url, stream_id, *event, outputs);
            }
            (State::Open { .. } | State::Subscribed(_), EventType::Heartbeat) => {}
            (State::Open { url, .. }, other) => {
                let reason =
                    format!("the master at {} begins a stream with {}", host(url), other.as_str());
                self.lose(now, reason, outputs);
            }
            (State::Subscribed(live), EventType::Subscribed) => {
                let reason = format!("the master at {} subscribes us twice", host(&live.url));
                self.lose(now, reason, outputs);
            }
            (State::Subscribed(_), _) => outputs.push(Output::Tell(Heard::Event(event))),
            (
                State::Leaderless | State::Waiting { .. } | State::Asking { .. } | State::Deposed,
                _,
            ) => {}
        }
    }

    fn subscribed(
        &mut self,
        now: BootInstant,
        url: Url,
        stream_id: String,
        event: Event,
        outputs: &mut Vec<Output>,
    ) {
        let told = event.subscribed.unwrap_or_default();
        let framework_id = told.framework_id.value;
        if framework_id.is_empty() {
            let reason =
                format!("the master at {} subscribes us without a framework id", host(&url));
            return self.lose(now, reason, outputs);
        }
        if let Some(own) = self.framework_id.as_ref().filter(|own| **own != framework_id) {
            let reason = format!(
                "the master at {} subscribes us as `{}` instead of `{}`",
                host(&url),
                framework_id.escape_debug(),
                own.escape_debug()
            );
            return self.refuse(now, reason, outputs);
        }
        self.subscriptions += 1;
        let number = Subscription(self.subscriptions);
        let interval = interval_of(told.heartbeat_interval_seconds);
        let master = told.master_info.unwrap_or_default();
        self.state = State::Subscribed(Live {
            url,
            stream_id,
            number,
            interval,
            begun_at: now,
            heard_at: now,
        });
        self.framework_id = Some(framework_id.clone());
        self.redirects = 0;
        self.told = None;
        outputs.push(Output::Tell(Heard::Subscribed {
            subscription: number,
            framework_id,
            master: Box::new(master),
        }));
    }

    /// ERROR: the stream is over, and what it says decides what comes next.
    fn error(&mut self, now: BootInstant, message: &str, outputs: &mut Vec<Output>) {
        let is = |sentence: &str| message.eq_ignore_ascii_case(sentence);
        if is("Framework failed over") {
            self.state = State::Deposed;
            let reason = sentence::deposed(self.framework_id.as_deref().unwrap_or_default());
            outputs.push(Output::Close);
            outputs.push(Output::Tell(Heard::Deposed { reason }));
        } else if let Some(gone) = self.framework_id.take_if(|_| is("Framework has been removed")) {
            self.lose_to_removal(now, &gone, outputs);
        } else {
            let url = match &self.state {
                State::Open { url, .. } => host(url),
                State::Subscribed(live) => host(&live.url),
                State::Leaderless
                | State::Waiting { .. }
                | State::Asking { .. }
                | State::Deposed => String::new(),
            };
            self.refuse(now, sentence::error(&url, message), outputs);
        }
    }

    /// The id is of no use any more. The same master is asked again at once, without it.
    fn lose_to_removal(&mut self, now: BootInstant, gone: &str, outputs: &mut Vec<Output>) {
        self.sent_to = match &self.state {
            State::Open { url, .. } => Some(url.clone()),
            State::Subscribed(live) => Some(live.url.clone()),
            State::Leaderless | State::Waiting { .. } | State::Asking { .. } | State::Deposed => {
                None
            }
        };
        outputs.push(Output::Close);
        self.tell(sentence::removed(gone), outputs);
        self.ask(now, outputs);
    }

    fn call_answered(
        &mut self,
        now: BootInstant,
        call: Box<Call>,
        answer: Answer,
        outputs: &mut Vec<Output>,
    ) {
        let State::Subscribed(live) = &self.state else { return };
        let at = host(&live.url);
        let says = |part: &str| answer.message.contains(part);
        match answer.status {
            200..=299 => {}
            300..=399 => {
                let reason = format!("the master at {at} does not lead any longer");
                let to = answer.location.as_deref().map(|to| redirected(&live.url, to));
                self.lose(now, reason, outputs);
                if let Some(Ok(to)) = to {
                    self.sent_to = Some(to);
                }
            }
            // Somebody else has the framework, and the stream is about to say so. Subscribing now would take it back.
            400 if says("didn't match the stream ID") => {}
            400 if says("Framework cannot be found") => {
                let reason = format!("the master at {at} does not know the framework any longer");
                self.lose(now, reason, outputs);
            }
            // It has seen the stream end before we have.
            403 if says("not subscribed") || says("not connected") => {
                let reason = format!("the master at {at} has seen the subscription end");
                self.lose(now, reason, outputs);
            }
            status @ (401 | 403) => {
                let reason = sentence::refusal(at, status, &answer.message, &self.login);
                self.refuse(now, reason, outputs);
            }
            500..=599 => {
                let reason = sentence::unready(at, answer.status, &answer.message);
                self.lose(now, reason, outputs);
            }
            status => {
                let message = if answer.message.is_empty() {
                    sentence::refusal(at, status, "", &self.login)
                } else {
                    answer.message
                };
                outputs.push(Output::Tell(Heard::Refused { call, status, message }));
            }
        }
    }

    /// Waits a short while and asks the next one.
    fn lose(&mut self, now: BootInstant, reason: String, outputs: &mut Vec<Output>) {
        let wait = back_off(LOST_WAIT, self.losses, self.jitter);
        self.losses = self.losses.saturating_add(1);
        self.end(now.saturating_add(wait), reason, outputs);
    }

    /// Waits longer: somebody must do something.
    fn refuse(&mut self, now: BootInstant, reason: String, outputs: &mut Vec<Output>) {
        let wait = back_off(REFUSED_WAIT, self.refusals, self.jitter);
        self.refusals = self.refusals.saturating_add(1);
        self.end(now.saturating_add(wait), reason, outputs);
    }

    fn end(&mut self, until: BootInstant, reason: String, outputs: &mut Vec<Output>) {
        self.next = self.next.wrapping_add(1);
        self.redirects = 0;
        self.state = State::Waiting { until };
        outputs.push(Output::Close);
        self.tell(reason, outputs);
    }

    fn tell(&mut self, reason: String, outputs: &mut Vec<Output>) {
        if self.told.as_ref() != Some(&reason) {
            self.told = Some(reason.clone());
            outputs.push(Output::Tell(Heard::Lost { reason }));
        }
    }
}

/// The SUBSCRIBE of a framework: with an id it must stand twice.
#[must_use]
pub fn subscribe(framework: &FrameworkInfo, framework_id: Option<&str>, login: &Login) -> Call {
    let id = framework_id.map(Id::new);
    let framework_info = FrameworkInfo {
        id: id.clone(),
        principal: login.principal.clone().or_else(|| framework.principal.clone()),
        ..framework.clone()
    };
    let subscribe = Subscribe { framework_info, suppressed_roles: Vec::new() };
    Call { subscribe: Some(subscribe), ..Call::of(CallType::Subscribe, id) }
}

/// What the master says about its heartbeats, as far as it is believed.
fn interval_of(seconds: Option<f64>) -> Duration {
    let seconds = seconds.filter(|it| HEARTBEAT_SECS.contains(it));
    seconds.and_then(|it| Duration::try_from_secs_f64(it).ok()).unwrap_or(HEARTBEAT_DEFAULT)
}

/// The wait after so many failures before this one: doubled each time, and up to a quarter longer by the jitter.
fn back_off((first, longest): (Duration, Duration), failures: u32, jitter: u64) -> Duration {
    let doubled = (0..failures.min(16)).fold(first, |wait, _| wait.saturating_mul(2).min(longest));
    // Any mixing will do: the same number and failure give the same wait, neighbours another.
    let mixed = jitter.wrapping_add(u64::from(failures)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    let share = i32::try_from(mixed).unwrap_or(0);
    let longer = doubled.saturating_mul(share).checked_div(4 * 1024).unwrap_or(Duration::ZERO);
    doubled.saturating_add(longer)
}

/// `host:port`, as people know it.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}
