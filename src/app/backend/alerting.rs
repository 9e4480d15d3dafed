//! The part of the port that is about who is told of what: what goes on from the read view, the rest from the store.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};

use super::Backend;
use crate::api::{
    self, ChannelView, IncidentCounts, IncidentView, IncidentsPage, IncidentsWanted,
    NotificationView, NotificationsPage, NotificationsWanted, Tried,
};
use crate::clock;
use crate::model::{
    Address, Delivery, Incident, IncidentId, IncidentKey, JobName, Notification, Scope, Silence,
    Timestamp,
};
use crate::notify::Letter;
use crate::store::{self, IncidentFilter, NotificationFilter, Reader};

/// Incidents and notifications that are looked at for one page of who may see only some jobs.
const LOOKED_AT_MAX: usize = 2_000;
/// Open incidents of one job that are counted: one of its own, and one for each cause.
const OF_JOB_MAX: usize = 1_000;

impl api::Alerting for Backend {
    fn incidents(
        &self,
        wanted: IncidentsWanted,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<IncidentsPage, String>> {
        let open = self.open_counts(&wanted, now);
        self.read(move |reader| {
            let IncidentsWanted { is_open, job, scope, before, limit } = wanted;
            let filter = IncidentFilter { is_open, job: job.clone() };
            let (incidents, next) = fill(
                limit,
                before,
                |before, limit| reader.incidents(&filter, before, limit),
                |incident| incident.id,
                |found| {
                    let views = views(reader, found)?.into_iter();
                    Ok(views.filter_map(|view| view.within(&scope)).collect())
                },
                |view| view.incident.id,
            )?;
            let (mut counts, mut total) = (open, None);
            if let Some(job) = &job {
                let open = IncidentFilter { is_open: Some(true), job: Some(job.clone()) };
                for incident in reader.incidents(&open, None, OF_JOB_MAX)? {
                    counts.add(&incident, now);
                }
            }
            if scope == Scope::All {
                total = Some(reader.incident_count(&filter)?);
                let closed = IncidentFilter { is_open: Some(false), job };
                counts.closed = Some(reader.incident_count(&closed)?);
            }
            Ok(IncidentsPage { incidents, next, total, counts })
        })
        .boxed()
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentView>, String>> {
        self.read(move |reader| {
            let found = reader.incident(id)?;
            Ok(views(reader, found.into_iter().collect())?.into_iter().next())
        })
        .boxed()
    }

    fn open_incident(&self, id: IncidentId) -> Option<IncidentKey> {
        let state = self.view.read();
        let incident = state.alerts().incident(id)?;
        incident.closed_at.is_none().then(|| incident.key.clone())
    }

    fn notifications(
        &self,
        wanted: NotificationsWanted,
    ) -> BoxFuture<'_, Result<NotificationsPage, String>> {
        self.read(move |reader| {
            let NotificationsWanted { deliveries, channel, incident, scope, before, limit } =
                wanted;
            let filter = NotificationFilter { deliveries, channel, incident };
            let (notifications, next) = fill(
                limit,
                before,
                |before, limit| reader.notifications(&filter, before, limit),
                |notification| notification.id,
                |found| {
                    let mut views = with_jobs(reader, found)?;
                    views.retain(|view| view.is_within(&scope));
                    Ok(views)
                },
                |view| view.notification.id,
            )?;
            let counts = match scope {
                Scope::All => {
                    let found = reader.notification_counts(filter.channel.as_deref())?;
                    Some(Delivery::NAMES.map(|name| (name, found.get(name).copied().unwrap_or(0))))
                }
                Scope::Only(_) => None,
            };
            Ok(NotificationsPage { notifications, next, counts })
        })
        .boxed()
    }

    fn silence_of(&self, job: &JobName) -> Option<Silence> {
        self.view.read().alerts().silence_of(job).cloned()
    }

    fn channels(&self) -> Vec<ChannelView> {
        let state = self.view.read();
        let mut due: BTreeMap<&str, u64> = BTreeMap::new();
        let is_due = |it: &&Notification| matches!(it.delivery, Delivery::Due { .. });
        for notification in state.alerts().outbox().filter(is_due) {
            *due.entry(&notification.to.channel).or_default() += 1;
        }
        let view = |channel: &crate::notify::Channel| ChannelView {
            name: channel.name().to_owned(),
            kind: channel.kind(),
            to: channel.to(),
            failing: state.alerts().failing(channel.name()).cloned(),
            due: due.get(channel.name()).copied().unwrap_or(0),
        };
        self.channels.values().map(view).collect()
    }

    fn try_channels(
        &self,
        channel: Option<String>,
        recipient: Option<String>,
    ) -> BoxFuture<'_, Vec<Tried>> {
        let targets = self.targets(channel.as_deref(), recipient);
        join_all(targets.into_iter().map(|address| self.try_one(address))).boxed()
    }
}

impl Backend {
    /// Who can be tried: the recipient that is given, else all that the configuration names, on that channel or on each.
    fn targets(&self, channel: Option<&str>, recipient: Option<String>) -> BTreeSet<Address> {
        let terms = &self.view.read().settings.alerts;
        let named = terms.routes.rules.iter().flat_map(|rule| &rule.to).chain(&terms.operators);
        let named: Vec<_> = named.collect();
        let mut found = BTreeSet::new();
        for (name, sender) in &self.channels {
            if channel.is_some_and(|wanted| wanted != name) {
                continue;
            }
            let recipients: Vec<String> = match (&recipient, sender.kind()) {
                (Some(recipient), "mail") => vec![recipient.clone()],
                (None, "mail") => {
                    let its = named.iter().filter(|target| target.channel == *name);
                    let named: Vec<String> =
                        its.filter_map(|target| target.recipients.clone()).flatten().collect();
                    // Who it is for is asked, in what came of it.
                    if named.is_empty() { vec![String::new()] } else { named }
                }
                (Some(_) | None, _) => vec![String::new()],
            };
            let address = |recipient| Address { channel: name.clone(), recipient };
            found.extend(recipients.into_iter().map(address));
        }
        found
    }

    async fn try_one(&self, to: Address) -> Tried {
        let Address { channel, recipient } = to.clone();
        let result = match self.channels.get(&channel) {
            None => Err(format!("no channel `{channel}` is configured")),
            Some(sender) if sender.kind() == "mail" && recipient.is_empty() => {
                Err("nobody is named who could get it: give a recipient, or name operators"
                    .to_owned())
            }
            Some(sender) => {
                let head = &self.letterhead;
                let letter = Letter::trial(to, &head.host, &head.cluster_name, clock::wall());
                sender.send(&letter).await.map_err(|error| error.problem)
            }
        };
        Tried { channel, recipient, result }
    }

    /// How many incidents go on, of all jobs that somebody may see; nothing if one job is asked for.
    fn open_counts(&self, wanted: &IncidentsWanted, now: Timestamp) -> IncidentCounts {
        let mut counts = IncidentCounts::default();
        if wanted.job.is_some() {
            return counts;
        }
        let state = self.view.read();
        let is_seen = |incident: &Incident| match (&wanted.scope, &incident.key) {
            (Scope::All, _) => true,
            (scope, IncidentKey::Job(job)) => scope.covers(job),
            (scope, IncidentKey::Cause(_)) => incident.jobs.iter().any(|job| scope.covers(job)),
        };
        let open = state.alerts().incidents().filter(|incident| incident.closed_at.is_none());
        open.filter(|incident| is_seen(incident)).for_each(|incident| counts.add(incident, now));
        counts
    }
}

/// Reads until a page is full, or much was looked at; and from where on there is more.
fn fill<Found, View, Id: Copy>(
    limit: usize,
    before: Option<Id>,
    mut fetch: impl FnMut(Option<Id>, usize) -> Result<Vec<Found>, store::Error>,
    id_of: impl Fn(&Found) -> Id,
    mut view: impl FnMut(Vec<Found>) -> Result<Vec<View>, store::Error>,
    id_of_view: impl Fn(&View) -> Id,
) -> Result<(Vec<View>, Option<Id>), store::Error> {
    let (mut views, mut before, mut looked_at) = (Vec::new(), before, 0_usize);
    loop {
        // One more than asked for tells whether there is another page.
        let batch = limit.saturating_add(1).max(100);
        let found = fetch(before, batch)?;
        let is_last = found.len() < batch;
        looked_at += found.len();
        before = found.last().map(&id_of).or(before);
        views.extend(view(found)?);
        if views.len() > limit {
            views.truncate(limit);
            let next = views.last().map(&id_of_view).or(before);
            return Ok((views, next));
        }
        if is_last {
            return Ok((views, None));
        }
        if looked_at >= LOOKED_AT_MAX {
            return Ok((views, before));
        }
    }
}

/// Incidents with their latest alerts.
fn views(reader: &Reader, incidents: Vec<Incident>) -> Result<Vec<IncidentView>, store::Error> {
    let ids = incidents.iter().flat_map(|incident| incident.latest.iter().copied()).collect();
    let alerts = reader.alerts(&ids)?;
    let view = |incident: Incident| {
        let latest = incident.latest.iter().filter_map(|id| alerts.get(id).cloned()).collect();
        IncidentView { incident, latest }
    };
    Ok(incidents.into_iter().map(view).collect())
}

/// Notifications with the jobs that they tell of.
fn with_jobs(
    reader: &Reader,
    notifications: Vec<Notification>,
) -> Result<Vec<NotificationView>, store::Error> {
    let ids = notifications.iter().flat_map(|it| it.alerts.iter().copied()).collect();
    let jobs = reader.jobs_of_alerts(&ids)?;
    let view = |notification: Notification| {
        let found = || notification.alerts.iter().filter_map(|id| jobs.get(id));
        NotificationView {
            jobs: found().flatten().cloned().collect(),
            is_about_scheduler: found().any(Option::is_none),
            notification,
        }
    };
    Ok(notifications.into_iter().map(view).collect())
}
