//! What is known: incidents, alerts, notifications and silences, and how changes change it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Address, Alert, AlertId, Delivery, Incident, IncidentId, IncidentKey, JobName, Notification,
    NotificationId, NotificationKind, Silence, Timestamp,
};

use super::throttle::{Lately, Made};
use super::{Change, Failing, GIVEN_UP_KEPT, LastIds, Recovered, Subject, Terms, later};

/// What is known of alerts, incidents and notifications. Changes by [`Self::apply`] alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Desk {
    last_ids: LastIds,
    /// Those that incidents and notifications which are kept refer to.
    alerts: BTreeMap<AlertId, Alert>,
    /// How often they do.
    alert_uses: BTreeMap<AlertId, usize>,
    /// Those that are open, and those that notifications which are kept refer to.
    incidents: BTreeMap<IncidentId, Incident>,
    /// How often they do.
    incident_uses: BTreeMap<IncidentId, usize>,
    /// Those that are open, by what is wrong.
    open: BTreeMap<IncidentKey, IncidentId>,
    /// Those that are open, by who is in trouble.
    by_job: BTreeMap<JobName, BTreeSet<IncidentId>>,
    /// Those that are not over, and the last that were given up.
    notifications: BTreeMap<NotificationId, Notification>,
    given_up: BTreeSet<NotificationId>,
    /// The digest that collects, of each address that has one.
    held: BTreeMap<Address, NotificationId>,
    /// When those fall due.
    held_until: BTreeSet<(Timestamp, NotificationId)>,
    /// When they are tried: those that are to be.
    due: BTreeSet<(Timestamp, NotificationId)>,
    /// How many of them each address has.
    due_to: BTreeMap<Address, usize>,
    made: Made,
    silences: BTreeMap<JobName, Silence>,
    /// When silences end.
    silence_ends: BTreeSet<(Timestamp, Subject)>,
    /// Channels that do not do their work.
    failing: BTreeMap<String, Failing>,
}

impl Desk {
    /// Makes a desk of what was committed: the same that all these changes have made.
    #[must_use]
    pub fn recover(recovered: Recovered) -> Self {
        let Recovered { mut alerts, mut incidents, mut notifications, silences, failing, last_ids } =
            recovered;
        let mut desk = Self { last_ids, ..Self::default() };
        alerts.sort_by_key(|alert| alert.id);
        incidents.sort_by_key(|incident| incident.id);
        notifications.sort_by_key(|notification| notification.id);
        for (job, silence) in silences {
            desk.apply_silence(&job, Some(&silence));
        }
        desk.failing.extend(failing);
        notifications.iter().for_each(|notification| desk.apply_notification(notification));
        incidents.iter().for_each(|incident| desk.apply_incident(incident));
        alerts.iter().for_each(|alert| desk.apply_alert(alert));
        desk
    }

    /// Takes a change in. What nothing refers to any more is forgotten.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::JobSilenced { job, silence } => self.apply_silence(job, silence.as_ref()),
            Change::ChannelFailing { channel, failing: Some(failing) } => {
                self.failing.insert(channel.clone(), failing.clone());
            }
            Change::ChannelFailing { channel, failing: None } => {
                self.failing.remove(channel);
            }
            Change::NotificationStored(notification) => self.apply_notification(notification),
            Change::IncidentStored(incident) => self.apply_incident(incident),
            Change::AlertStored(alert) => self.apply_alert(alert),
        }
    }

    /// An alert that is kept.
    #[must_use]
    pub fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.alerts.get(&id)
    }

    /// An incident that is kept.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    /// The incidents that are kept, oldest first. Those that are closed are here while a notification needs them.
    pub fn incidents(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.incidents.values()
    }

    /// The incident that is open for this.
    #[must_use]
    pub fn open_incident(&self, key: &IncidentKey) -> Option<&Incident> {
        self.open.get(key).and_then(|id| self.incidents.get(id))
    }

    /// The open incidents in which a job is in trouble: its own and those of causes that hit it.
    pub fn incidents_of(&self, job: &JobName) -> impl Iterator<Item = &Incident> {
        self.by_job.get(job).into_iter().flatten().filter_map(|id| self.incidents.get(id))
    }

    /// A notification that is kept.
    #[must_use]
    pub fn notification(&self, id: NotificationId) -> Option<&Notification> {
        self.notifications.get(&id)
    }

    /// The notifications that are kept, oldest first: those of the outbox, and the last that were given up.
    pub fn notifications(&self) -> impl DoubleEndedIterator<Item = &Notification> {
        self.notifications.values()
    }

    /// Those that are to be tried, in the order of when.
    pub fn due(&self) -> impl Iterator<Item = (Timestamp, &Notification)> {
        let of = |&(at, id)| Some((at, self.notifications.get(&id)?));
        self.due.iter().filter_map(of)
    }

    /// The notifications that are not over, oldest first. Whoever sends tries those that are [`Delivery::Due`], at the
    /// instant that is said there.
    pub fn outbox(&self) -> impl DoubleEndedIterator<Item = &Notification> {
        self.notifications.values().filter(|notification| !notification.delivery.is_over())
    }

    /// Until when nobody is told of a job.
    #[must_use]
    pub fn silence_of(&self, job: &JobName) -> Option<&Silence> {
        self.silences.get(job)
    }

    /// All silences of jobs.
    pub fn silences(&self) -> impl Iterator<Item = (&JobName, &Silence)> {
        self.silences.iter()
    }

    /// Since when a channel does not do its work.
    #[must_use]
    pub fn failing(&self, channel: &str) -> Option<&Failing> {
        self.failing.get(channel)
    }

    /// The largest numbers that were given.
    #[must_use]
    pub const fn last_ids(&self) -> LastIds {
        self.last_ids
    }

    /// When to [`wake`](super::wake) it; `None` if nothing happens of itself. Not after `now` if that is overdue.
    ///
    /// That notifications are to be tried is not among it: who sends them waits for that.
    #[must_use]
    pub fn wake_at(&self, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
        let first = [
            self.held_until.first().map(|(at, _)| *at),
            self.silence_ends.first().map(|(at, _)| *at),
        ];
        let first = first.into_iter().flatten().min();
        let is_set_back = self.digests_after(later(now, terms.hold())).next().is_some()
            || self.due_after(later(now, terms.retry_max)).next().is_some();
        if is_set_back { Some(first.map_or(now, |at| at.min(now))) } else { first }
    }

    /// Whose silence ends by `now`.
    pub(super) fn silences_by(&self, now: Timestamp) -> impl Iterator<Item = &Subject> {
        self.silence_ends.iter().take_while(move |(at, _)| *at <= now).map(|(_, subject)| subject)
    }

    /// Digests that fall due by `now`.
    pub(super) fn digests_by(&self, now: Timestamp) -> impl Iterator<Item = NotificationId> {
        self.held_until.iter().take_while(move |(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// Digests that are to fall due after `at`.
    pub(super) fn digests_after(&self, at: Timestamp) -> impl Iterator<Item = NotificationId> {
        self.held_until.iter().rev().take_while(move |(until, _)| *until > at).map(|(_, id)| *id)
    }

    /// Notifications that are to be tried after `at`.
    pub(super) fn due_after(&self, at: Timestamp) -> impl Iterator<Item = NotificationId> {
        self.due.iter().rev().take_while(move |(when, _)| *when > at).map(|(_, id)| *id)
    }

    /// The digest that collects for an address.
    pub(super) fn held(&self, to: &Address) -> Option<NotificationId> {
        self.held.get(to).copied()
    }

    /// How many notifications to an address are to be tried.
    pub(super) fn due_to(&self, to: &Address) -> usize {
        self.due_to.get(to).copied().unwrap_or_default()
    }

    /// When the last messages of an address were made.
    pub(super) fn lately(&self, to: &Address) -> Option<&Lately> {
        self.made.lately(to)
    }

    fn apply_silence(&mut self, job: &JobName, silence: Option<&Silence>) {
        if let Some(old) = self.silences.remove(job) {
            self.silence_ends.remove(&(old.until, Subject::Job(job.clone())));
        }
        if let Some(silence) = silence {
            self.silence_ends.insert((silence.until, Subject::Job(job.clone())));
            self.silences.insert(job.clone(), silence.clone());
        }
    }

    fn apply_alert(&mut self, alert: &Alert) {
        self.last_ids.alert = self.last_ids.alert.max(alert.id.0);
        if self.alert_uses.contains_key(&alert.id) {
            self.alerts.insert(alert.id, alert.clone());
        }
    }

    fn apply_incident(&mut self, incident: &Incident) {
        let id = incident.id;
        self.last_ids.incident = self.last_ids.incident.max(id.0);
        let old = self.incidents.remove(&id);
        if let Some(old) = &old {
            self.unlist_incident(old);
        }
        let is_open = incident.closed_at.is_none();
        if is_open || self.incident_uses.contains_key(&id) {
            self.use_alerts(&incident.latest);
            if is_open {
                self.list_incident(incident);
            }
            self.incidents.insert(id, incident.clone());
        }
        if let Some(old) = old {
            self.release_alerts(&old.latest);
        }
    }

    fn list_incident(&mut self, incident: &Incident) {
        self.open.insert(incident.key.clone(), incident.id);
        if let Some(silence) = &incident.silence {
            self.silence_ends.insert((silence.until, Subject::Incident(incident.id)));
        }
        for job in &incident.jobs {
            self.by_job.entry(job.clone()).or_default().insert(incident.id);
        }
    }

    fn unlist_incident(&mut self, incident: &Incident) {
        if incident.closed_at.is_some() {
            return;
        }
        self.open.remove(&incident.key);
        if let Some(silence) = &incident.silence {
            self.silence_ends.remove(&(silence.until, Subject::Incident(incident.id)));
        }
        for job in &incident.jobs {
            if let Some(ids) = self.by_job.get_mut(job) {
                ids.remove(&incident.id);
                if ids.is_empty() {
                    self.by_job.remove(job);
                }
            }
        }
    }

    fn apply_notification(&mut self, notification: &Notification) {
        let id = notification.id;
        self.last_ids.notification = self.last_ids.notification.max(id.0);
        if !matches!(notification.delivery, Delivery::Held { .. }) {
            let is_digest = notification.kind == NotificationKind::Digest;
            self.made.note(id, &notification.to, notification.made_at, is_digest);
        }
        self.made.forget(self.last_ids.notification);
        let old = self.notifications.remove(&id);
        if let Some(old) = &old {
            self.unlist_notification(old);
        }
        if self.list_notification(notification) {
            self.use_alerts(&notification.alerts);
            if let Some(incident) = notification.incident {
                *self.incident_uses.entry(incident).or_default() += 1;
            }
            self.notifications.insert(id, notification.clone());
        }
        if let Some(old) = old {
            self.release(&old);
        }
        while self.given_up.len() > GIVEN_UP_KEPT {
            if let Some(old) =
                self.given_up.pop_first().and_then(|id| self.notifications.remove(&id))
            {
                self.release(&old);
            }
        }
    }

    /// Puts it on the lists, unless it has arrived: then it is not kept.
    fn list_notification(&mut self, notification: &Notification) -> bool {
        let id = notification.id;
        match notification.delivery {
            Delivery::Held { until } => {
                self.held.insert(notification.to.clone(), id);
                self.held_until.insert((until, id));
            }
            Delivery::Due { at } => {
                self.due.insert((at, id));
                *self.due_to.entry(notification.to.clone()).or_default() += 1;
            }
            Delivery::GivenUp { .. } => {
                self.given_up.insert(id);
            }
            Delivery::Delivered { .. } => return false,
        }
        true
    }

    fn unlist_notification(&mut self, notification: &Notification) {
        let id = notification.id;
        match notification.delivery {
            Delivery::Held { until } => {
                self.held.remove(&notification.to);
                self.held_until.remove(&(until, id));
            }
            Delivery::Due { at } => {
                self.due.remove(&(at, id));
                if let Some(count) = self.due_to.get_mut(&notification.to) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        self.due_to.remove(&notification.to);
                    }
                }
            }
            Delivery::GivenUp { .. } => {
                self.given_up.remove(&id);
            }
            Delivery::Delivered { .. } => {}
        }
    }

    /// Gives up what a notification refers to.
    fn release(&mut self, notification: &Notification) {
        if let Some(id) = notification.incident {
            let uses = self.incident_uses.get(&id).copied().unwrap_or_default();
            if uses > 1 {
                self.incident_uses.insert(id, uses - 1);
            } else {
                self.incident_uses.remove(&id);
                let is_closed = |incident: &Incident| incident.closed_at.is_some();
                if self.incidents.get(&id).is_some_and(is_closed)
                    && let Some(incident) = self.incidents.remove(&id)
                {
                    self.release_alerts(&incident.latest);
                }
            }
        }
        self.release_alerts(&notification.alerts);
    }

    fn use_alerts(&mut self, ids: &[AlertId]) {
        for id in ids {
            *self.alert_uses.entry(*id).or_default() += 1;
        }
    }

    fn release_alerts(&mut self, ids: &[AlertId]) {
        for id in ids {
            let uses = self.alert_uses.get(id).copied().unwrap_or_default();
            if uses > 1 {
                self.alert_uses.insert(*id, uses - 1);
            } else {
                self.alert_uses.remove(id);
                self.alerts.remove(id);
            }
        }
    }
}
