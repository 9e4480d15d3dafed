//! The rules, each in words; and that they hold whatever happens.

mod channels;
mod incidents;
mod many;
mod memory;
mod people;
mod random;
mod routes;
mod sending;
mod throttle;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    Address, AlertId, AlertJob, Delivery, Incarnation, IncidentId, IncidentKey, Intervention,
    JobName, JobStats, NotificationId, Resources, Scalar,
};

/// What a store has: the latest of each record that was ever made.
#[derive(Debug, Clone, Default)]
struct Stored {
    alerts: BTreeMap<AlertId, Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    notifications: BTreeMap<NotificationId, Notification>,
    silences: BTreeMap<JobName, Silence>,
    failing: BTreeMap<String, Failing>,
}

impl Stored {
    fn commit(&mut self, change: &Change) {
        match change.clone() {
            Change::AlertStored(alert) => {
                assert!(self.alerts.insert(alert.id, *alert).is_none(), "an alert never changes");
            }
            Change::IncidentStored(incident) => {
                self.incidents.insert(incident.id, *incident);
            }
            Change::NotificationStored(notification) => {
                self.notifications.insert(notification.id, *notification);
            }
            Change::JobSilenced { job, silence: Some(silence) } => {
                self.silences.insert(job, silence);
            }
            Change::JobSilenced { job, silence: None } => {
                self.silences.remove(&job);
            }
            Change::ChannelFailing { channel, failing: Some(failing) } => {
                self.failing.insert(channel, failing);
            }
            Change::ChannelFailing { channel, failing: None } => {
                self.failing.remove(&channel);
            }
        }
    }

    fn recovered(&self) -> Recovered {
        Recovered {
            alerts: self.alerts.values().cloned().collect(),
            incidents: self.incidents.values().cloned().collect(),
            notifications: self.notifications.values().cloned().collect(),
            silences: self.silences.clone().into_iter().collect(),
            failing: self.failing.clone().into_iter().collect(),
            last_ids: LastIds::default(),
        }
    }
}

impl Office {
    /// As little as a store may hand in: what [`Recovered`] asks for.
    fn needed(&self) -> Recovered {
        let mut all = self.stored.recovered();
        let since = earlier(self.now, self.terms.window);
        all.notifications.retain(|one| {
            !one.delivery.is_over()
                || matches!(one.delivery, Delivery::GivenUp { .. })
                || one.made_at > since
        });
        let kept = all.notifications.iter();
        let kept = kept.filter(|one| !matches!(one.delivery, Delivery::Delivered { .. }));
        let named: BTreeSet<IncidentId> = kept.clone().filter_map(|one| one.incident).collect();
        all.incidents.retain(|one| one.closed_at.is_none() || named.contains(&one.id));
        let mut told: BTreeSet<AlertId> = kept.flat_map(|one| &one.alerts).copied().collect();
        told.extend(all.incidents.iter().flat_map(|one| &one.latest));
        all.alerts.retain(|one| told.contains(&one.id));
        all.last_ids = self.desk.last_ids();
        all
    }
}

/// A desk with what was committed of it, and a clock.
#[derive(Debug, Clone)]
struct Office {
    desk: Desk,
    stored: Stored,
    terms: Terms,
    now: Timestamp,
}

impl Office {
    /// One that mails to owners.
    fn new() -> Self {
        let routes = Routes { rules: Vec::new(), channels: vec![mail()] };
        Self::on(Terms { routes, ..Terms::default() })
    }

    fn on(terms: Terms) -> Self {
        let now = "2026-11-27T06:00:00Z".parse().unwrap();
        Self { desk: Desk::default(), stored: Stored::default(), terms, now }
    }

    /// Commits and applies, and says which notifications have been made or changed.
    fn take(&mut self, changes: &[Change]) -> Vec<String> {
        for change in changes {
            self.stored.commit(change);
            self.desk.apply(change);
        }
        let said = changes.iter().filter_map(|change| match change {
            Change::NotificationStored(notification) => Some(self.say(notification)),
            Change::AlertStored(_)
            | Change::IncidentStored(_)
            | Change::JobSilenced { .. }
            | Change::ChannelFailing { .. } => None,
        });
        said.collect()
    }

    /// `due alert to mail:ops of i1: failed a, missed a +2`
    fn say(&self, notification: &Notification) -> String {
        let state = match notification.delivery {
            Delivery::Held { .. } => "held",
            Delivery::Due { .. } => "due",
            Delivery::Delivered { .. } => "delivered",
            Delivery::GivenUp { .. } => "given up",
        };
        let kind = format!("{:?}", notification.kind).to_lowercase();
        let Address { channel, recipient } = &notification.to;
        let incident = notification.incident.map_or(String::new(), |id| format!(" of {id}"));
        let alerts: Vec<String> = notification.alerts.iter().map(|id| self.name(*id)).collect();
        let more = match notification.left_out {
            0 => String::new(),
            left_out => format!(" +{left_out}"),
        };
        format!("{state} {kind} to {channel}:{recipient}{incident}: {}{more}", alerts.join(", "))
    }

    fn name(&self, id: AlertId) -> String {
        let alert = &self.stored.alerts[&id];
        match &alert.job {
            Some(job) => format!("{} {}", alert.kind.name(), job.name),
            None => alert.kind.name().to_owned(),
        }
    }

    fn raise(&mut self, raised: &[Raised]) -> Vec<String> {
        self.take(&raise(&self.desk, &self.terms, self.now, raised))
    }

    fn wake(&mut self) -> Vec<String> {
        self.take(&wake(&self.desk, &self.terms, self.now))
    }

    fn tried(&mut self, id: u64, outcome: Outcome) -> Vec<String> {
        let id = NotificationId(id);
        self.take(&delivered(&self.desk, &self.terms, self.now, id, outcome))
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.saturating_add(span).unwrap();
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.desk.wake_at(&self.terms, self.now)
    }

    fn incident(&self, id: u64) -> &Incident {
        &self.stored.incidents[&IncidentId(id)]
    }

    fn notification(&self, id: u64) -> &Notification {
        &self.stored.notifications[&NotificationId(id)]
    }

    /// Every notification arrives.
    fn all_arrive(&mut self) {
        let due = |one: &&Notification| matches!(one.delivery, Delivery::Due { .. });
        let ids: Vec<u64> = self.desk.outbox().filter(due).map(|one| one.id.0).collect();
        for id in ids {
            self.tried(id, Outcome::Arrived);
        }
    }
}

fn mail() -> ChannelUse {
    ChannelUse { name: "mail".to_owned(), per_owner: true, is_default: true }
}

fn slack() -> ChannelUse {
    ChannelUse { name: "slack".to_owned(), per_owner: false, is_default: true }
}

fn target(channel: &str, recipients: &[&str]) -> RouteTarget {
    let recipients = recipients.iter().map(|&one| one.to_owned()).collect();
    RouteTarget { channel: channel.to_owned(), recipients: Some(recipients) }
}

fn name(job: &str) -> JobName {
    JobName::parse(job, crate::model::NameRule::Blanks).unwrap()
}

fn job(job: &str, owner: &str) -> Box<AlertJob> {
    Box::new(AlertJob {
        name: name(job),
        incarnation: Incarnation(1),
        owner: owner.to_owned(),
        labels: vec![("team".to_owned(), "red".to_owned())],
        runbook: String::new(),
        command: "true".to_owned(),
        resources: Resources {
            cpus: Scalar::default(),
            mem: Scalar::default(),
            disk: Scalar::default(),
            ports: 0,
        },
        soft_error: false,
        retries: 2,
        executor: String::new(),
        executor_flags: String::new(),
        uris: Vec::new(),
        stats: JobStats::default(),
        zone: String::new(),
    })
}

fn about(kind: AlertKind, job: Option<Box<AlertJob>>, cause: Option<&str>) -> Raised {
    Raised {
        kind,
        job,
        run: None,
        backfill: None,
        reason: "it ended with 1".to_owned(),
        retry_at: None,
        next_due_at: None,
        cause: cause.map(str::to_owned),
    }
}

/// Of a job that `ops` own.
fn of(kind: AlertKind, name: &str) -> Raised {
    about(kind, Some(job(name, "ops")), None)
}

fn failed(name: &str) -> Raised {
    of(AlertKind::Failed, name)
}

fn by(who: &str, now: Timestamp) -> Intervention {
    Intervention { by: who.to_owned(), at: now, reason: "seen".to_owned() }
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
