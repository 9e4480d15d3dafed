//! A decision while it is made: the desk as it will be, without touching the desk.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Address, Alert, AlertId, Delivery, Incident, IncidentId, IncidentKey, JobName, Notification,
    NotificationId, NotificationKind, Silence, Timestamp,
};

use super::throttle::Lately;
use super::{ALERTS_MAX, BURST_MAX, Change, Desk, Failing, LastIds, Subject, Terms, later};

/// What lies over a desk. Each record is written once, however often a decision comes back to it.
pub(super) struct Draft<'a> {
    desk: &'a Desk,
    pub(super) now: Timestamp,
    last_ids: LastIds,
    alerts: BTreeMap<AlertId, Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    opened: BTreeMap<IncidentKey, IncidentId>,
    joined: BTreeMap<JobName, BTreeSet<IncidentId>>,
    notifications: BTreeMap<NotificationId, Notification>,
    /// Addresses that a digest was begun for.
    held: BTreeMap<Address, NotificationId>,
    /// When the last messages were made, of addresses that got one.
    lately: BTreeMap<Address, Lately>,
    due_to: BTreeMap<Address, usize>,
    silences: BTreeMap<JobName, Option<Silence>>,
    failing: BTreeMap<String, Option<Failing>>,
}

/// What an address is to be told.
pub(super) struct Told {
    pub(super) kind: NotificationKind,
    pub(super) incident: Option<IncidentId>,
    pub(super) alerts: Vec<AlertId>,
    pub(super) left_out: u64,
}

impl<'a> Draft<'a> {
    /// Nothing decided yet, but that silences which are over are ended.
    pub(super) fn new(desk: &'a Desk, now: Timestamp) -> Self {
        let mut draft = Self {
            desk,
            now,
            last_ids: desk.last_ids(),
            alerts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            opened: BTreeMap::new(),
            joined: BTreeMap::new(),
            notifications: BTreeMap::new(),
            held: BTreeMap::new(),
            lately: BTreeMap::new(),
            due_to: BTreeMap::new(),
            silences: BTreeMap::new(),
            failing: BTreeMap::new(),
        };
        for subject in desk.silences_by(now) {
            draft.end_silence(subject);
        }
        draft
    }

    /// All that was decided.
    pub(super) fn changes(self) -> Vec<Change> {
        let silences = self.silences.into_iter();
        let failing = self.failing.into_iter();
        let mut changes: Vec<Change> = silences
            .map(|(job, silence)| Change::JobSilenced { job, silence })
            .chain(failing.map(|(channel, failing)| Change::ChannelFailing { channel, failing }))
            .collect();
        let notifications = self.notifications.into_values().map(Box::new);
        changes.extend(notifications.map(Change::NotificationStored));
        let incidents = self.incidents.into_values().map(Box::new);
        changes.extend(incidents.map(Change::IncidentStored));
        changes.extend(self.alerts.into_values().map(Box::new).map(Change::AlertStored));
        changes
    }

    pub(super) fn next_alert_id(&mut self) -> AlertId {
        self.last_ids.alert += 1;
        AlertId(self.last_ids.alert)
    }

    pub(super) fn add_alert(&mut self, alert: Alert) {
        self.alerts.insert(alert.id, alert);
    }

    pub(super) fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.alerts.get(&id).or_else(|| self.desk.alert(id))
    }

    pub(super) fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id).or_else(|| self.desk.incident(id))
    }

    /// An incident, to be changed.
    pub(super) fn incident_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        if !self.incidents.contains_key(&id) {
            self.incidents.insert(id, self.desk.incident(id)?.clone());
        }
        self.incidents.get_mut(&id)
    }

    /// The incident that is open for this.
    pub(super) fn open_incident(&self, key: &IncidentKey) -> Option<IncidentId> {
        let id = self.opened.get(key).copied();
        let id = id.or_else(|| self.desk.open_incident(key).map(|incident| incident.id))?;
        self.incident(id).filter(|incident| incident.closed_at.is_none()).map(|_| id)
    }

    /// Opens an incident, which `make` makes of its number.
    pub(super) fn open(&mut self, make: impl FnOnce(IncidentId) -> Incident) -> IncidentId {
        self.last_ids.incident += 1;
        let id = IncidentId(self.last_ids.incident);
        let incident = make(id);
        self.opened.insert(incident.key.clone(), id);
        self.incidents.insert(id, incident);
        id
    }

    /// Says that a job is in trouble in an incident now.
    pub(super) fn has_joined(&mut self, job: &JobName, id: IncidentId) {
        self.joined.entry(job.clone()).or_default().insert(id);
    }

    /// The open incidents in which a job is in trouble, oldest first.
    pub(super) fn incidents_of(&self, job: &JobName) -> BTreeSet<IncidentId> {
        let joined = self.joined.get(job).into_iter().flatten().copied();
        let known = self.desk.incidents_of(job).map(|incident| incident.id);
        let is_in = |id: &IncidentId| {
            let incident = self.incident(*id);
            incident.is_some_and(|one| one.closed_at.is_none() && one.jobs.contains(job))
        };
        joined.chain(known).filter(is_in).collect()
    }

    pub(super) fn is_silenced(&self, job: &JobName) -> bool {
        self.silences.get(job).map_or_else(|| self.desk.silence_of(job).is_some(), Option::is_some)
    }

    /// Ends a silence, if there is one, so that the next alert is told.
    pub(super) fn end_silence(&mut self, subject: &Subject) {
        match subject {
            Subject::Incident(id) => {
                if let Some(incident) = self.incident_mut(*id) {
                    incident.silence = None;
                    incident.told_at = None;
                }
            }
            Subject::Job(job) => {
                if !self.is_silenced(job) {
                    return;
                }
                self.silences.insert(job.clone(), None);
                for id in self.incidents_of(job) {
                    if let Some(incident) = self.incident_mut(id) {
                        incident.told_at = None;
                    }
                }
            }
        }
    }

    /// Silences a subject, which is there.
    pub(super) fn begin_silence(&mut self, subject: &Subject, silence: Silence) {
        match subject {
            Subject::Incident(id) => {
                if let Some(incident) = self.incident_mut(*id) {
                    incident.silence = Some(silence);
                }
            }
            Subject::Job(job) => {
                self.silences.insert(job.clone(), Some(silence));
            }
        }
    }

    pub(super) fn failing(&self, channel: &str) -> Option<&Failing> {
        self.failing.get(channel).map_or_else(|| self.desk.failing(channel), Option::as_ref)
    }

    pub(super) fn set_failing(&mut self, channel: &str, failing: Option<Failing>) {
        self.failing.insert(channel.to_owned(), failing);
    }

    /// A notification, to be changed.
    pub(super) fn notification_mut(&mut self, id: NotificationId) -> Option<&mut Notification> {
        if !self.notifications.contains_key(&id) {
            self.notifications.insert(id, self.desk.notification(id)?.clone());
        }
        self.notifications.get_mut(&id)
    }

    /// Whether an address has as many messages that did not arrive yet as two bursts: then more of them would not be
    /// read any sooner.
    pub(super) fn is_crowded(&self, terms: &Terms, to: &Address) -> bool {
        let most = 2 * terms.burst.clamp(1, BURST_MAX) as usize;
        self.due_to.get(to).copied().unwrap_or_else(|| self.desk.due_to(to)) >= most
    }

    /// Makes a message, or lets a digest have what it would say.
    pub(super) fn tell(&mut self, terms: &Terms, to: &Address, told: Told) {
        if let Some(id) = self.held.get(to).copied().or_else(|| self.desk.held(to)) {
            if let Some(digest) = self.notification_mut(id) {
                collect(digest, told);
            }
            return;
        }
        let now = self.now;
        let wait = self.lately_mut(to).wait(terms, now);
        let is_crowded = self.is_crowded(terms, to);
        let wait = wait.or_else(|| is_crowded.then(|| later(now, terms.hold())));
        self.last_ids.notification += 1;
        let id = NotificationId(self.last_ids.notification);
        let Told { kind, incident, alerts, left_out } = told;
        if wait.is_some() {
            self.held.insert(to.clone(), id);
        } else {
            self.lately_mut(to).note(id, now, false);
            *self.due_to.entry(to.clone()).or_insert_with(|| self.desk.due_to(to)) += 1;
        }
        let notification = Notification {
            id,
            to: to.clone(),
            kind: if wait.is_some() { NotificationKind::Digest } else { kind },
            incident,
            alerts,
            left_out,
            made_at: now,
            tries: 0,
            problem: String::new(),
            delivery: match wait {
                Some(until) => Delivery::Held { until },
                None => Delivery::Due { at: now },
            },
        };
        self.notifications.insert(id, notification);
    }

    fn lately_mut(&mut self, to: &Address) -> &mut Lately {
        let known = || self.desk.lately(to).cloned().unwrap_or_default();
        self.lately.entry(to.clone()).or_insert_with(known)
    }
}

/// Adds what an address is to be told to the digest that it gets.
fn collect(digest: &mut Notification, told: Told) {
    let Told { kind: _, incident, alerts, left_out } = told;
    if digest.incident != incident {
        digest.incident = None;
    }
    digest.left_out = digest.left_out.saturating_add(left_out);
    for id in alerts {
        // What is there already was told of before, and a reminder comes back to it.
        let Err(place) = digest.alerts.binary_search(&id) else { continue };
        if digest.alerts.len() < ALERTS_MAX {
            digest.alerts.insert(place, id);
        } else {
            digest.left_out = digest.left_out.saturating_add(1);
        }
    }
}
