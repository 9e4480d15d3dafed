//! What people are told of, in memory: decided by the real desk, looked up in all that it has ever changed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};

use super::{Memory, World};
use crate::alerts::{self, Desk, Raised, RouteTarget, Routes, Rule, Terms};
use crate::api::{
    Alerting, ChannelView, IncidentCounts, IncidentView, IncidentsPage, IncidentsWanted,
    NotificationView, NotificationsPage, NotificationsWanted, Tried,
};
use crate::model::{
    Alert, AlertId, Delivery, Incident, IncidentId, IncidentKey, JobName, Notification,
    NotificationId, Scope, Silence, Timestamp,
};

/// All that was ever stored.
#[derive(Default)]
struct Stored {
    alerts: BTreeMap<AlertId, Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    notifications: BTreeMap<NotificationId, Notification>,
}

impl World {
    /// The terms of the tests: everybody who is named for a job, and the operators, by one channel.
    fn terms() -> Terms {
        let to =
            |recipients: Option<Vec<String>>| RouteTarget { channel: "mail".into(), recipients };
        Terms {
            routes: Routes {
                rules: vec![Rule { to: vec![to(None)], ..Rule::default() }],
                channels: vec![alerts::ChannelUse {
                    name: "mail".into(),
                    per_owner: true,
                    is_default: true,
                }],
            },
            operators: vec![to(Some(vec!["ops@example.org".into()]))],
            ..Terms::default()
        }
    }

    pub(super) fn desk(&self) -> Desk {
        let mut desk = Desk::default();
        self.told.iter().for_each(|change| desk.apply(change));
        desk
    }

    /// Something happens, that somebody should hear of.
    pub(crate) fn raise(&mut self, now: Timestamp, raised: &[Raised]) {
        let changes = alerts::raise(&self.desk(), &Self::terms(), now, raised);
        self.told.extend(changes);
    }

    /// What came of a message.
    pub(crate) fn deliver(&mut self, now: Timestamp, id: NotificationId, outcome: alerts::Outcome) {
        let changes = alerts::delivered(&self.desk(), &Self::terms(), now, id, outcome);
        self.told.extend(changes);
    }

    fn stored(&self) -> Stored {
        let mut stored = Stored::default();
        for change in &self.told {
            match change {
                alerts::Change::AlertStored(alert) => {
                    stored.alerts.insert(alert.id, Alert::clone(alert));
                }
                alerts::Change::IncidentStored(incident) => {
                    stored.incidents.insert(incident.id, Incident::clone(incident));
                }
                alerts::Change::NotificationStored(notification) => {
                    stored.notifications.insert(notification.id, Notification::clone(notification));
                }
                alerts::Change::JobSilenced { .. } | alerts::Change::ChannelFailing { .. } => {}
            }
        }
        stored
    }
}

impl Stored {
    fn view(&self, incident: &Incident) -> IncidentView {
        let latest = incident.latest.iter().filter_map(|id| self.alerts.get(id).cloned());
        IncidentView { incident: incident.clone(), latest: latest.collect() }
    }

    fn is_of(&self, incident: &Incident, job: &JobName) -> bool {
        self.alerts.values().any(|alert| {
            alert.incident == Some(incident.id)
                && alert.job.as_ref().is_some_and(|about| about.name == *job)
        })
    }

    fn with_jobs(&self, notification: &Notification) -> NotificationView {
        let alerts = || notification.alerts.iter().filter_map(|id| self.alerts.get(id));
        let jobs: BTreeSet<JobName> =
            alerts().filter_map(|alert| alert.job.as_ref().map(|job| job.name.clone())).collect();
        NotificationView {
            notification: notification.clone(),
            jobs,
            is_about_scheduler: alerts().any(|alert| alert.job.is_none()),
        }
    }
}

impl Alerting for Memory {
    fn incidents(
        &self,
        wanted: IncidentsWanted,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<IncidentsPage, String>> {
        if self.world().panics {
            return future::ready(Err("/var/lib/secret.db: disk full".to_owned())).boxed();
        }
        let stored = self.world().stored();
        let IncidentsWanted { is_open, job, scope, before, limit } = wanted;
        let mut of: Vec<&Incident> = stored.incidents.values().rev().collect();
        of.retain(|incident| job.as_ref().is_none_or(|job| stored.is_of(incident, job)));
        let mut views: Vec<IncidentView> =
            of.iter().filter_map(|incident| stored.view(incident).within(&scope)).collect();
        let mut counts = IncidentCounts::default();
        let mut closed = 0;
        for view in &views {
            match view.incident.closed_at {
                None => counts.add(&view.incident, now),
                Some(_) => closed += 1,
            }
        }
        counts.closed = (scope == Scope::All).then_some(closed);
        views.retain(|view| is_open.is_none_or(|open| open == view.incident.closed_at.is_none()));
        let total = (scope == Scope::All).then_some(views.len() as u64);
        views.retain(|view| before.is_none_or(|before| view.incident.id < before));
        let more = views.len() > limit;
        views.truncate(limit);
        let next = views.last().filter(|_| more).map(|view| view.incident.id);
        future::ready(Ok(IncidentsPage { incidents: views, next, total, counts })).boxed()
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentView>, String>> {
        let stored = self.world().stored();
        let found = stored.incidents.get(&id).map(|incident| stored.view(incident));
        future::ready(Ok(found)).boxed()
    }

    fn open_incident(&self, id: IncidentId) -> Option<IncidentKey> {
        let stored = self.world().stored();
        let incident = stored.incidents.get(&id)?;
        incident.closed_at.is_none().then(|| incident.key.clone())
    }

    fn notifications(
        &self,
        wanted: NotificationsWanted,
    ) -> BoxFuture<'_, Result<NotificationsPage, String>> {
        let stored = self.world().stored();
        let NotificationsWanted { deliveries, channel, incident, scope, before, limit } = wanted;
        let of_channel =
            |it: &&Notification| channel.as_ref().is_none_or(|channel| it.to.channel == *channel);
        let all: Vec<&Notification> = stored.notifications.values().filter(of_channel).collect();
        let count = |name| all.iter().filter(|it| it.delivery.name() == name).count() as u64;
        let counts = (scope == Scope::All).then(|| Delivery::NAMES.map(|name| (name, count(name))));
        let mut views: Vec<NotificationView> = all
            .iter()
            .rev()
            .filter(|it| deliveries.is_empty() || deliveries.contains(&it.delivery.name()))
            .filter(|it| incident.is_none_or(|incident| it.incident == Some(incident)))
            .filter(|it| before.is_none_or(|before| it.id < before))
            .map(|it| stored.with_jobs(it))
            .filter(|view| view.is_within(&scope))
            .collect();
        let more = views.len() > limit;
        views.truncate(limit);
        let next = views.last().filter(|_| more).map(|view| view.notification.id);
        future::ready(Ok(NotificationsPage { notifications: views, next, counts })).boxed()
    }

    fn silence_of(&self, job: &JobName) -> Option<Silence> {
        self.world().desk().silence_of(job).cloned()
    }

    fn channels(&self) -> Vec<ChannelView> {
        let world = self.world();
        let desk = world.desk();
        let mut channels = world.channels.clone();
        for channel in &mut channels {
            channel.failing = desk.failing(&channel.name).cloned();
            channel.due = desk.outbox().filter(|it| it.to.channel == channel.name).count() as u64;
        }
        channels
    }

    fn try_channels(
        &self,
        channel: Option<String>,
        recipient: Option<String>,
    ) -> BoxFuture<'_, Vec<Tried>> {
        let channels = self.world().channels.clone();
        let wanted = channels
            .into_iter()
            .filter(|it| channel.as_ref().is_none_or(|channel| it.name == *channel));
        let tried = wanted.map(|channel| Tried {
            recipient: recipient.clone().unwrap_or_default(),
            result: match channel.kind {
                "mail" => Ok("250 2.0.0 Ok".to_owned()),
                _ => Err("it answered 503".to_owned()),
            },
            channel: channel.name,
        });
        future::ready(tried.collect()).boxed()
    }
}
