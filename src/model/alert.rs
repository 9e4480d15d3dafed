//! What people are told of: alerts, the incidents that they belong to, and the notifications that carry them.

use std::collections::BTreeSet;
use std::fmt;

use super::{
    BackfillId, Exit, Incarnation, Intervention, JobName, JobStats, Resources, RunId, TaskId,
    Timestamp,
};

/// Names one alert, for ever. They count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u64);

/// Names one incident, for ever. They count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

/// Names one notification, for ever: whoever gets it twice sees that it is the same. They count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(pub u64);

macro_rules! letter_and_number {
    ($($name:ident $letter:literal),*) => {$(
        impl $name {
            /// Reads what [`fmt::Display`] prints.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let id = Self(text.strip_prefix($letter)?.parse().ok()?);
                (id.to_string() == text).then_some(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $letter, self.0)
            }
        }
    )*};
}

letter_and_number!(AlertId 'a', IncidentId 'i', NotificationId 'n');

/// What an alert says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A run has failed for good, or was given up as lost.
    Failed,
    /// An attempt has failed, and another follows.
    Retried,
    /// A run could not start within its start window.
    Missed,
    /// An occurrence that an objective wanted was skipped, so that nothing ran for it.
    DidNotRun,
    /// A run has not started by when it should have (`startBy`, `maxLateness`).
    LateStart,
    /// A run goes on for longer than expected (`expectedDuration`).
    Overlong,
    /// A run is not over by when it should be (`finishBy`).
    LateFinish,
    /// The job was disabled, because it failed too often.
    Disabled,
    /// The job was disabled, because all its occurrences have run.
    Exhausted,
    /// The job was deleted.
    Deleted,
    /// What was wrong is right again.
    Recovered,
    /// A backfill is over.
    BackfillFinished,
    /// Another process leads.
    LeaderChanged,
    /// An agent of the cluster is lost.
    AgentLost,
    /// The launcher cannot be reached.
    LauncherGone,
    /// The store refuses what is to be committed, or is not known to have it.
    StoreTrouble,
    /// Notifications do not arrive where they are sent.
    ChannelTrouble,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Failed,
        Self::Retried,
        Self::Missed,
        Self::DidNotRun,
        Self::LateStart,
        Self::Overlong,
        Self::LateFinish,
        Self::Disabled,
        Self::Exhausted,
        Self::Deleted,
        Self::Recovered,
        Self::BackfillFinished,
        Self::LeaderChanged,
        Self::AgentLost,
        Self::LauncherGone,
        Self::StoreTrouble,
        Self::ChannelTrouble,
    ];

    /// Its name in configuration, records and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Missed => "missed",
            Self::DidNotRun => "didNotRun",
            Self::LateStart => "lateStart",
            Self::Overlong => "overlong",
            Self::LateFinish => "lateFinish",
            Self::Disabled => "disabled",
            Self::Exhausted => "exhausted",
            Self::Deleted => "deleted",
            Self::Recovered => "recovered",
            Self::BackfillFinished => "backfillFinished",
            Self::LeaderChanged => "leaderChanged",
            Self::AgentLost => "agentLost",
            Self::LauncherGone => "launcherGone",
            Self::StoreTrouble => "storeTrouble",
            Self::ChannelTrouble => "channelTrouble",
        }
    }

    /// Reads a [name](Self::name).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// Whether it opens an incident, which lasts until it is put right. The others are news.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        match self {
            Self::Failed
            | Self::Missed
            | Self::DidNotRun
            | Self::LateStart
            | Self::Overlong
            | Self::LateFinish
            | Self::AgentLost
            | Self::LauncherGone
            | Self::ChannelTrouble => true,
            Self::Retried
            | Self::StoreTrouble
            | Self::Disabled
            | Self::Exhausted
            | Self::Deleted
            | Self::Recovered
            | Self::BackfillFinished
            | Self::LeaderChanged => false,
        }
    }

    /// Whether it is about the scheduler and no job.
    #[must_use]
    pub const fn is_about_the_scheduler(self) -> bool {
        match self {
            Self::LeaderChanged
            | Self::AgentLost
            | Self::LauncherGone
            | Self::StoreTrouble
            | Self::ChannelTrouble => true,
            Self::Failed
            | Self::Retried
            | Self::Missed
            | Self::DidNotRun
            | Self::LateStart
            | Self::Overlong
            | Self::LateFinish
            | Self::Disabled
            | Self::Exhausted
            | Self::Deleted
            | Self::Recovered
            | Self::BackfillFinished => false,
        }
    }
}

/// Something that somebody should hear of.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Which.
    pub id: AlertId,
    /// The incident that it belongs to; `None` if it is news.
    pub incident: Option<IncidentId>,
    /// What it says.
    pub kind: AlertKind,
    /// When it was raised.
    pub at: Timestamp,
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
}

/// A job as it was when an alert was raised, before what happened was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertJob {
    /// Its name.
    pub name: JobName,
    /// Which life of the name.
    pub incarnation: Incarnation,
    /// Its owners, with commas between, as typed.
    pub owner: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Where is written what to do; empty if nowhere.
    pub runbook: String,
    /// Its command.
    pub command: String,
    /// What an attempt wants.
    pub resources: Resources,
    /// Whether a final failure counts as success for its children.
    pub soft_error: bool,
    /// Extra attempts after failures.
    pub retries: i64,
    /// Its custom executor; empty for none.
    pub executor: String,
    /// What that is given.
    pub executor_flags: String,
    /// What is downloaded, in order.
    pub uris: Vec<String>,
    /// Its counts.
    pub stats: JobStats,
    /// The zone of its schedule; empty for UTC.
    pub zone: String,
}

/// A run as it was when an alert was raised.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRun {
    /// Which.
    pub id: RunId,
    /// The instant that it stands for.
    pub due_at: Timestamp,
    /// Its last attempt, counted from 0; `None` if there was none.
    pub attempt: Option<u32>,
    /// The task of that.
    pub task_id: Option<TaskId>,
    /// When that started.
    pub started_at: Option<Timestamp>,
    /// When that ended.
    pub ended_at: Option<Timestamp>,
    /// How that ended, if it is known.
    pub exit: Option<Exit>,
    /// What the launcher said of its end; empty if nothing.
    pub message: String,
}

/// What is wrong, which several alerts may tell of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentKey {
    /// A job.
    Job(JobName),
    /// One thing that is wrong for many jobs, or for the scheduler, in words that are the same each time.
    Cause(String),
}

/// Something that is wrong, from its first alert until it is put right.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Which.
    pub id: IncidentId,
    /// What is wrong.
    pub key: IncidentKey,
    /// The kind of its first alert.
    pub kind: AlertKind,
    /// When that was raised.
    pub opened_at: Timestamp,
    /// When the latest was.
    pub last_at: Timestamp,
    /// When it was put right.
    pub closed_at: Option<Timestamp>,
    /// How many alerts there were.
    pub alerts: u64,
    /// The latest of them, oldest first; a bounded number.
    pub latest: Vec<AlertId>,
    /// The jobs that are still in trouble.
    pub jobs: BTreeSet<JobName>,
    /// Who was told, and is told when it is put right.
    pub told: BTreeSet<Address>,
    /// When somebody was told last.
    pub told_at: Option<Timestamp>,
    /// Alerts since then, which nobody was told of.
    pub untold: u64,
    /// Who looks after it. Nobody is told of it any more until it is put right.
    pub acknowledged: Option<Intervention>,
    /// Until when nobody is to be told of it.
    pub silence: Option<Silence>,
}

/// That nobody is told of something for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// When that ends by itself.
    pub until: Timestamp,
    /// Who wants it.
    pub by: Intervention,
}

/// Whom a notification goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The name of the channel.
    pub channel: String,
    /// Whom that is to reach, as an address of mail; empty for a channel that reaches whom it reaches.
    pub recipient: String,
}

/// Why a notification is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationKind {
    /// Something has happened.
    Alert,
    /// What is wrong is still wrong, and has happened again.
    Reminder,
    /// Much has happened; all of it together.
    Digest,
    /// What was wrong is right again.
    Recovery,
}

impl NotificationKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Alert, Self::Reminder, Self::Digest, Self::Recovery];

    /// Its name in records and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Reminder => "reminder",
            Self::Digest => "digest",
            Self::Recovery => "recovery",
        }
    }

    /// Reads a [name](Self::name).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// A message that is to arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Which.
    pub id: NotificationId,
    /// Whom it goes to.
    pub to: Address,
    /// Why it is sent.
    pub kind: NotificationKind,
    /// The incident that all of it is about; `None` if it is about news, or about several.
    pub incident: Option<IncidentId>,
    /// What it tells of, oldest first; a bounded number.
    pub alerts: Vec<AlertId>,
    /// How many more there were.
    pub left_out: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why the last try came to nothing, as a sentence without a full stop; empty if it did not.
    pub problem: String,
    /// Where it stands.
    pub delivery: Delivery,
}

/// Where a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It collects what happens until then.
    Held {
        /// When it is sent.
        until: Timestamp,
    },
    /// It is to be tried.
    Due {
        /// When.
        at: Timestamp,
    },
    /// It has arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It was refused for good, or tried for too long.
    GivenUp {
        /// When.
        at: Timestamp,
    },
}

impl Delivery {
    /// All [names](Self::name).
    pub const NAMES: [&str; 4] = ["held", "due", "delivered", "givenUp"];

    /// Its name in records and answers.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Due { .. } => "due",
            Self::Delivered { .. } => "delivered",
            Self::GivenUp { .. } => "givenUp",
        }
    }

    /// The instant of it.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Held { until: at }
            | Self::Due { at }
            | Self::Delivered { at }
            | Self::GivenUp { at } => *at,
        }
    }

    /// What has that [name](Self::name), at that instant.
    #[must_use]
    pub fn of(name: &str, at: Timestamp) -> Option<Self> {
        match name {
            "held" => Some(Self::Held { until: at }),
            "due" => Some(Self::Due { at }),
            "delivered" => Some(Self::Delivered { at }),
            "givenUp" => Some(Self::GivenUp { at }),
            _ => None,
        }
    }

    /// Whether nothing more is done about it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Held { .. } | Self::Due { .. } => false,
            Self::Delivered { .. } | Self::GivenUp { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_kinds_are_read_as_they_are_printed() {
        assert_eq!(IncidentId::parse("i12"), Some(IncidentId(12)));
        assert_eq!(NotificationId(7).to_string(), "n7");
        for text in ["", "i", "12", "n12", "i012", "i+1", "i1 "] {
            assert_eq!(IncidentId::parse(text), None, "{text}");
        }
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::parse(kind.name()), Some(kind));
            assert!(!(kind.is_trouble() && kind == AlertKind::Recovered));
        }
        assert_eq!(AlertKind::parse("Failed"), None);
    }
}
