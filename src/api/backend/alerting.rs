//! What people are told of: incidents, notifications, and the channels that carry them.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

use crate::alerts::Failing;
use crate::model::{
    Alert, Incident, IncidentId, IncidentKey, JobName, Notification, NotificationId, Scope,
    Silence, Timestamp,
};

/// The part of the port that is about who is told of what. An error is a sentence for the log.
pub trait Alerting: Send + Sync {
    /// A page of incidents, newest first.
    fn incidents(
        &self,
        wanted: IncidentsWanted,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<IncidentsPage, String>>;

    /// One incident, open or over.
    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentView>, String>>;

    /// What is wrong there, if it still is.
    fn open_incident(&self, id: IncidentId) -> Option<IncidentKey>;

    /// A page of notifications, newest first.
    fn notifications(
        &self,
        wanted: NotificationsWanted,
    ) -> BoxFuture<'_, Result<NotificationsPage, String>>;

    /// Until when nobody is told of a job, if that is so.
    fn silence_of(&self, job: &JobName) -> Option<Silence>;

    /// The channels that are configured, by name.
    fn channels(&self) -> Vec<ChannelView>;

    /// Sends a message that tells of nothing to `recipient` on `channel`, or to each that the configuration names; and what
    /// came of each. Of one that is not there nothing comes.
    fn try_channels(
        &self,
        channel: Option<String>,
        recipient: Option<String>,
    ) -> BoxFuture<'_, Vec<Tried>>;
}

/// Which page of the incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentsWanted {
    /// Only those that go on, or only those that are over.
    pub is_open: Option<bool>,
    /// Only those to which an alert of this job belongs.
    pub job: Option<JobName>,
    /// Only what concerns jobs that it covers.
    pub scope: Scope,
    /// Only those with a lower number.
    pub before: Option<IncidentId>,
    /// At most so many.
    pub limit: usize,
}

/// Some of the incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentsPage {
    /// Newest first.
    pub incidents: Vec<IncidentView>,
    /// Before which the next page begins; `None` on the last.
    pub next: Option<IncidentId>,
    /// How many there are on all pages; `None` where that is not counted: for who may see only some jobs.
    pub total: Option<u64>,
    /// How many stand how, whichever of these are wanted.
    pub counts: IncidentCounts,
}

/// How many incidents stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentCounts {
    /// They go on, and people are told.
    pub open: u64,
    /// Somebody looks after them.
    pub acknowledged: u64,
    /// Nobody is to be told of them now.
    pub silenced: u64,
    /// They are over; `None` where that is not counted, as with [`IncidentsPage::total`].
    pub closed: Option<u64>,
}

impl IncidentCounts {
    /// Counts one more that goes on.
    pub fn add(&mut self, incident: &Incident, now: Timestamp) {
        match standing(incident, now) {
            "acknowledged" => self.acknowledged += 1,
            "silenced" => self.silenced += 1,
            _ => self.open += 1,
        }
    }
}

/// How an incident stands, as a word of the API.
#[must_use]
pub fn standing(incident: &Incident, now: Timestamp) -> &'static str {
    match incident {
        Incident { closed_at: Some(_), .. } => "closed",
        Incident { acknowledged: Some(_), .. } => "acknowledged",
        Incident { silence: Some(silence), .. } if silence.until > now => "silenced",
        Incident { .. } => "open",
    }
}

/// An incident with its latest alerts, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentView {
    /// The incident.
    pub incident: Incident,
    /// As far as they are kept.
    pub latest: Vec<Alert>,
}

impl IncidentView {
    /// What of it somebody may see: one of a job that `scope` covers as it is, one of many jobs without the other jobs and
    /// without who is told of them; `None` if none of it.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Option<Self> {
        let Scope::Only(_) = scope else { return Some(self) };
        let incident = &mut self.incident;
        match &incident.key {
            IncidentKey::Job(job) => scope.covers(job).then_some(self),
            IncidentKey::Cause(_) => {
                incident.jobs.retain(|job| scope.covers(job));
                self.latest
                    .retain(|alert| alert.job.as_ref().is_some_and(|job| scope.covers(&job.name)));
                incident.told.clear();
                let concerns = !incident.jobs.is_empty() || !self.latest.is_empty();
                concerns.then_some(self)
            }
        }
    }
}

/// Which page of the notifications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationsWanted {
    /// Only those that stand so, by the [names](crate::model::Delivery::name); none of them: all.
    pub deliveries: Vec<&'static str>,
    /// Only those on this channel.
    pub channel: Option<String>,
    /// Only those that are about this incident alone.
    pub incident: Option<IncidentId>,
    /// Only those that tell of jobs alone that it covers.
    pub scope: Scope,
    /// Only those with a lower number.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: usize,
}

/// Some of the notifications.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationsPage {
    /// Newest first.
    pub notifications: Vec<NotificationView>,
    /// Before which the next page begins; `None` on the last.
    pub next: Option<NotificationId>,
    /// How many there are of each delivery, whichever of these are wanted; `None` where that is not counted: for who may
    /// see only some jobs.
    pub counts: Option<[(&'static str, u64); 4]>,
}

/// A notification, and the jobs that it tells of as far as its alerts are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationView {
    /// The notification.
    pub notification: Notification,
    /// The jobs.
    pub jobs: BTreeSet<JobName>,
    /// Whether it tells of the scheduler, too.
    pub is_about_scheduler: bool,
}

impl NotificationView {
    /// Whether somebody may see it: it tells of jobs that `scope` covers, and of nothing else.
    #[must_use]
    pub fn is_within(&self, scope: &Scope) -> bool {
        let Scope::Only(_) = scope else { return true };
        !self.is_about_scheduler
            && !self.jobs.is_empty()
            && self.jobs.iter().all(|job| scope.covers(job))
    }
}

/// A configured channel, and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// Which sort it is.
    pub kind: &'static str,
    /// Where it sends to, for people.
    pub to: String,
    /// Since when nothing arrives, if that is so.
    pub failing: Option<Failing>,
    /// How many notifications wait to be sent on it.
    pub due: u64,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The name of the channel.
    pub channel: String,
    /// Whom it was to reach; empty where the channel reaches whom it reaches.
    pub recipient: String,
    /// What the other side said, or why it did not arrive.
    pub result: Result<String, String>,
}
