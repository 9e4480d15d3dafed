//! Who is told of what, and when: from alerts to incidents to notifications.
//!
//! ```text
//!  Raised ──raise──▶ Alert ──joins──▶ Incident ──tells──▶ Notification ──▶ whoever sends it
//!                                        ▲                   │  ▲               │
//!                       acknowledge, silence                 ▼  │               │
//!                                                   wake: held ─▶ due ◀─delivered (Outcome)
//! ```
//!
//! A [`Desk`] is what is known; the functions look at it and answer with [`Change`]s, which the caller commits together
//! with what caused them and then [applies](Desk::apply). Nothing moves before that, so that a desk that is
//! [recovered](Desk::recover) from what was committed is the desk that was lost.
//!
//! What is trouble opens an incident, one for each job or, where alerts share a cause, one for that. It is told at once
//! what is new in an incident: its first alert, the first of each further job, the first of each further kind. What
//! repeats is counted, and told as one reminder when somebody has not heard of it for a while. Nobody is told of what
//! is silenced or acknowledged, but all who were told of an incident hear when it is put right. An address that gets
//! many messages gets the rest as one digest (`throttle.rs`).
//!
//! What is kept is bounded by what is not over: open incidents with their latest alerts; notifications that are to
//! arrive, and the last that were given up, with what they tell of; silences; and when the last messages of each
//! address were made. Everything else leaves the desk by what [`Desk::apply`] does: it stays in the store.
//!
//! Knows no clock, no channel but its name, and no job but as an alert has it. How something is worded and sent, and
//! when a try is over, is the courier's.

#![deny(clippy::disallowed_types)]

mod decide;
mod deliver;
mod desk;
mod draft;
mod people;
mod routes;
#[cfg(test)]
mod tests;
mod throttle;

use crate::model::{
    Alert, AlertJob, AlertKind, AlertRun, BackfillId, Duration, Incident, JobName, Notification,
    Silence, Timestamp,
};

pub use decide::raise;
pub use deliver::{delivered, retry, wake};
pub use desk::Desk;
pub use people::{Subject, acknowledge, silence, unsilence};
pub use routes::{ChannelUse, RouteTarget, Routes, Rule};

/// How many of its latest alerts an incident keeps.
pub const LATEST_KEPT: usize = 5;
/// How many jobs an incident counts as in trouble; a job beyond that is told of, but not waited for.
pub const JOBS_MAX: usize = 10_000;
/// How many alerts one notification names; more are counted.
pub const ALERTS_MAX: usize = 1_000;
/// How many of the notifications that were given up are kept, to be tried again if somebody asks for it.
pub const GIVEN_UP_KEPT: usize = 100;
/// How large a burst may be; a larger one counts as this.
pub const BURST_MAX: u32 = 50;
/// How many of the latest notifications, of all addresses, are remembered to count bursts.
pub const MADE_KEPT: u64 = 65_536;
/// How many notifications one [`wake`] deals with; with more it is to be asked again at once.
pub const WOKEN_MAX: usize = 500;
/// How many bytes of the problem of a try are kept.
pub const PROBLEM_BYTES_MAX: usize = 1_024;
/// After how many tries in a row that came to nothing a channel is in trouble.
pub const CHANNEL_TRIES: u32 = 3;

/// The terms on which people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who is told of what.
    pub routes: Routes,
    /// Who is told of alerts about the scheduler that no rule names.
    pub operators: Vec<RouteTarget>,
    /// How many messages, digests apart, are made for an address within [`Self::window`].
    pub burst: u32,
    /// In which time a burst is counted; also how far digests are apart.
    pub window: Duration,
    /// How long nothing is said of an incident that goes on.
    pub remind_after: Duration,
    /// How long a notification is tried.
    pub give_up_after: Duration,
    /// The pause after the first try that came to nothing; it doubles.
    pub retry_first: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
}

impl Default for Terms {
    /// Nobody is told, and the times of the options' defaults.
    fn default() -> Self {
        Self {
            routes: Routes::default(),
            operators: Vec::new(),
            burst: 5,
            window: Duration::from_mins(10),
            remind_after: Duration::from_hours(1),
            give_up_after: Duration::from_hours(72),
            retry_first: Duration::from_secs(30),
            retry_max: Duration::from_hours(1),
        }
    }
}

impl Terms {
    /// How long a digest collects at most, before it is asked again whether it can go.
    fn hold(&self) -> Duration {
        self.window.max(Duration::from_secs(1))
    }
}

/// An alert before it has a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    /// What it says.
    pub kind: AlertKind,
    /// The job that it is about; `None` if it is about the scheduler.
    pub job: Option<Box<AlertJob>>,
    /// The run that it is about, if it is about one.
    pub run: Option<Box<AlertRun>>,
    /// The backfill that it is about, if it is about one.
    pub backfill: Option<BackfillId>,
    /// What has happened, as a sentence without a full stop.
    pub reason: String,
    /// When the run is tried again, if it is.
    pub retry_at: Option<Timestamp>,
    /// When the job is due next, if it is known.
    pub next_due_at: Option<Timestamp>,
    /// What is wrong for all that it hits, in words that are the same each time; `None` if it is the job's own.
    ///
    /// Trouble of the scheduler without one has the [name](AlertKind::name) of its kind. What is
    /// [`AlertKind::Recovered`] for no job must name what it recovers from.
    pub cause: Option<String>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Arrived,
    /// The other side does not want it, now or later.
    Refused {
        /// Why, as a sentence without a full stop and without a secret.
        problem: String,
    },
    /// It may arrive another time.
    Failed {
        /// Why it did not, likewise.
        problem: String,
    },
}

/// That a channel does not do its work: nothing has arrived on it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// How many tries in a row came to nothing.
    pub tries: u32,
    /// When the first of them did.
    pub since: Timestamp,
    /// Why the last one did, as a sentence without a full stop.
    pub problem: String,
}

/// What a decision changes. All of it is durable, and in this order.
///
/// What refers to something comes before it, so that [`Desk::apply`] sees whether anything wants what it is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Whether nobody is told of a job.
    JobSilenced {
        /// Which.
        job: JobName,
        /// Until when; `None` if they are told again.
        silence: Option<Silence>,
    },
    /// Whether a channel does its work.
    ChannelFailing {
        /// Its name.
        channel: String,
        /// Since when it does not; `None` if it does.
        failing: Option<Failing>,
    },
    /// A notification is new or has changed.
    NotificationStored(Box<Notification>),
    /// An incident is new or has changed.
    IncidentStored(Box<Incident>),
    /// An alert is new. It never changes.
    AlertStored(Box<Alert>),
}

/// The largest numbers that were given. They never come again, also when what had them is no longer stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastIds {
    /// Of an alert; 0 if there was none.
    pub alert: u64,
    /// Of an incident, likewise.
    pub incident: u64,
    /// Of a notification, likewise.
    pub notification: u64,
}

/// What a desk is made from when a leader begins. More than is needed does no harm.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recovered {
    /// At least those that the notifications and incidents that are kept refer to.
    pub alerts: Vec<Alert>,
    /// At least those that are open, and those that notifications refer to that are not over.
    pub incidents: Vec<Incident>,
    /// At least those that are not over, the last [`GIVEN_UP_KEPT`] that were given up, and those that were made
    /// within [`Terms::window`].
    pub notifications: Vec<Notification>,
    /// All silences of jobs.
    pub silences: Vec<(JobName, Silence)>,
    /// All channels that do not do their work.
    pub failing: Vec<(String, Failing)>,
    /// What was given; records with larger numbers count too.
    pub last_ids: LastIds,
}

/// `at` and then `span`, or the last instant there is.
fn later(at: Timestamp, span: Duration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// `at` less `span`, or the first instant there is.
fn earlier(at: Timestamp, span: Duration) -> Timestamp {
    at.saturating_sub(span).unwrap_or(Timestamp::MIN)
}
