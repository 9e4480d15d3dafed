//! What an alert leads to: an incident that it opens, joins or closes, and who is told.

use std::collections::BTreeSet;

use crate::model::{
    Address, Alert, AlertId, AlertKind, Incident, IncidentId, IncidentKey, JobName,
    NotificationKind, Timestamp,
};

use super::draft::{Draft, Told};
use super::{Change, Desk, JOBS_MAX, LATEST_KEPT, Raised, Terms, later, routes};

/// How the cause of trouble with a channel begins; the channel's name follows.
pub(super) const CHANNEL: &str = "channel ";

/// Decides what comes of alerts, in their order.
#[must_use]
pub fn raise(desk: &Desk, terms: &Terms, now: Timestamp, raised: &[Raised]) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    for one in raised {
        raise_one(&mut draft, terms, one);
    }
    draft.changes()
}

pub(super) fn raise_one(draft: &mut Draft<'_>, terms: &Terms, raised: &Raised) {
    match raised.kind {
        AlertKind::Recovered => recovered(draft, terms, raised),
        AlertKind::Deleted => deleted(draft, terms, raised),
        AlertKind::Retried | AlertKind::Disabled | AlertKind::Exhausted => {
            match incident_of_news(draft, raised) {
                Some(id) => join(draft, terms, id, raised, false),
                None => news(draft, terms, raised),
            }
        }
        AlertKind::BackfillFinished | AlertKind::LeaderChanged | AlertKind::StoreTrouble => {
            news(draft, terms, raised);
        }
        AlertKind::Failed
        | AlertKind::Missed
        | AlertKind::DidNotRun
        | AlertKind::LateStart
        | AlertKind::Overlong
        | AlertKind::LateFinish
        | AlertKind::AgentLost
        | AlertKind::LauncherGone
        | AlertKind::ChannelTrouble => trouble(draft, terms, raised),
    }
}

/// Trouble opens an incident, or joins the one that is open for the same.
fn trouble(draft: &mut Draft<'_>, terms: &Terms, raised: &Raised) {
    let key = match (&raised.cause, name_of(raised)) {
        (Some(cause), _) => IncidentKey::Cause(cause.clone()),
        (None, Some(job)) => IncidentKey::Job(job.clone()),
        (None, None) => IncidentKey::Cause(raised.kind.name().to_owned()),
    };
    let known = draft.open_incident(&key);
    let now = draft.now;
    let id = known.unwrap_or_else(|| draft.open(|id| opened(id, key, raised.kind, now)));
    let mut is_new = known.is_none();
    if let Some(job) = name_of(raised) {
        let Some(incident) = draft.incident_mut(id) else { return };
        is_new |= !incident.jobs.contains(job);
        if incident.jobs.len() < JOBS_MAX && incident.jobs.insert(job.clone()) {
            draft.has_joined(job, id);
        }
    }
    join(draft, terms, id, raised, is_new);
}

fn opened(id: IncidentId, key: IncidentKey, kind: AlertKind, now: Timestamp) -> Incident {
    Incident {
        id,
        key,
        kind,
        opened_at: now,
        last_at: now,
        closed_at: None,
        alerts: 0,
        latest: Vec::new(),
        jobs: BTreeSet::new(),
        told: BTreeSet::new(),
        told_at: None,
        untold: 0,
        acknowledged: None,
        silence: None,
    }
}

/// The open incident that news of a job belongs to: its own, or else the first that hits it.
fn incident_of_news(draft: &Draft<'_>, raised: &Raised) -> Option<IncidentId> {
    let job = name_of(raised)?;
    let own = draft.open_incident(&IncidentKey::Job(job.clone()));
    own.or_else(|| draft.incidents_of(job).into_iter().next())
}

/// Tells what belongs to no incident.
fn news(draft: &mut Draft<'_>, terms: &Terms, raised: &Raised) {
    let id = draft.next_alert_id();
    draft.add_alert(alert(id, None, raised, draft.now));
    if name_of(raised).is_some_and(|job| draft.is_silenced(job)) {
        return;
    }
    for to in routes::addresses(terms, raised.kind, raised.job.as_deref()) {
        let told =
            Told { kind: NotificationKind::Alert, incident: None, alerts: vec![id], left_out: 0 };
        draft.tell(terms, &to, told);
    }
}

/// An incident before an alert joined it, as far as that matters: it may have many jobs.
struct Before {
    key: IncidentKey,
    kind: AlertKind,
    latest: Vec<AlertId>,
    told: BTreeSet<Address>,
    told_at: Option<Timestamp>,
    untold: u64,
    is_muted: bool,
}

impl Before {
    fn of(incident: &Incident) -> Self {
        Self {
            key: incident.key.clone(),
            kind: incident.kind,
            latest: incident.latest.clone(),
            told: incident.told.clone(),
            told_at: incident.told_at,
            untold: incident.untold,
            is_muted: incident.acknowledged.is_some() || incident.silence.is_some(),
        }
    }

    /// The alerts that somebody was not told of, as far as they are known: the latest of all.
    fn waiting(&self) -> &[AlertId] {
        let known = usize::try_from(self.untold).unwrap_or(usize::MAX).min(self.latest.len());
        &self.latest[self.latest.len() - known..]
    }
}

/// Adds an alert to an open incident and tells of it: at once if it `is_new` there, or of a new kind; otherwise it is
/// counted, and told when nobody has been told for a while.
fn join(draft: &mut Draft<'_>, terms: &Terms, id: IncidentId, raised: &Raised, is_new: bool) {
    let Some(before) = draft.incident(id).map(Before::of) else { return };
    let addresses = routed(terms, &before.key, raised.kind, raised);
    let is_new = is_new || !kinds(draft, &before).contains(&raised.kind);
    let is_silenced = name_of(raised).is_some_and(|job| draft.is_silenced(job));
    let is_muted = is_silenced || before.is_muted;
    let alert_id = add(draft, id, raised, !addresses.is_empty());
    if addresses.is_empty() {
        return;
    }
    if is_muted {
        count_untold(draft, id);
        return;
    }

    let now = draft.now;
    // What was told later than now was told by a clock that was set back.
    let told_at = before.told_at.map(|at| at.min(now));
    let is_time = told_at.is_none_or(|at| later(at, terms.remind_after) <= now);
    let waiting = untold(draft, &before, terms);
    let mut audience = BTreeSet::new();
    if is_time {
        audience.extend(before.told.iter().cloned());
        audience.extend(waiting.iter().flat_map(|(_, addresses)| addresses).cloned());
    }
    let are_told = |to: &&Address| is_time || is_new || !before.told.contains(*to);
    audience.extend(addresses.iter().filter(are_told).cloned());
    // Whether everybody hears of everything that somebody was not told of.
    let is_complete = before.told.is_subset(&audience)
        && addresses.is_subset(&audience)
        && waiting.iter().all(|(_, addresses)| addresses.is_subset(&audience));
    let left_out = before.untold.saturating_sub(before.waiting().len() as u64);
    for to in &audience {
        let mut alerts = Vec::new();
        if is_complete {
            let hers = waiting.iter().filter(|(_, addresses)| addresses.contains(to));
            alerts.extend(hers.map(|(id, _)| *id));
        }
        if addresses.contains(to) {
            alerts.push(alert_id);
        }
        // What has come since was about jobs of others.
        if alerts.is_empty() {
            continue;
        }
        let is_first = !before.told.contains(to) || (is_new && addresses.contains(to));
        let kind = if is_first { NotificationKind::Alert } else { NotificationKind::Reminder };
        let left_out = if is_complete { left_out } else { 0 };
        draft.tell(terms, to, Told { kind, incident: Some(id), alerts, left_out });
    }
    let Some(incident) = draft.incident_mut(id) else { return };
    let have_all_heard = addresses.is_subset(&audience);
    incident.told.append(&mut audience);
    if is_complete || (have_all_heard && incident.untold == 0) {
        incident.told_at = Some(now);
        incident.untold = 0;
    } else {
        incident.told_at = told_at;
        incident.untold = incident.untold.saturating_add(1);
    }
}

/// What somebody was not told of, as far as it is known, and who is to be; of no job that is silenced.
fn untold(draft: &Draft<'_>, before: &Before, terms: &Terms) -> Vec<(AlertId, BTreeSet<Address>)> {
    let alerts = before.waiting().iter().filter_map(|id| draft.alert(*id));
    let is_silenced =
        |alert: &&Alert| alert.job.as_ref().is_some_and(|job| draft.is_silenced(&job.name));
    let alerts = alerts.filter(|alert| !is_silenced(alert));
    alerts.map(|alert| (alert.id, routes_of(terms, &before.key, alert))).collect()
}

fn count_untold(draft: &mut Draft<'_>, id: IncidentId) {
    if let Some(incident) = draft.incident_mut(id) {
        incident.untold = incident.untold.saturating_add(1);
    }
}

/// The kinds of alerts of an incident, as far as they are known.
fn kinds(draft: &Draft<'_>, incident: &Before) -> BTreeSet<AlertKind> {
    let latest = incident.latest.iter().filter_map(|id| draft.alert(*id));
    latest.map(|alert| alert.kind).chain([incident.kind]).collect()
}

/// What was wrong is right again: for a job, or for all that something hit.
fn recovered(draft: &mut Draft<'_>, terms: &Terms, raised: &Raised) {
    match (name_of(raised), &raised.cause) {
        (Some(job), _) => leave(draft, terms, job, raised),
        (None, Some(cause)) => {
            if let Some(id) = draft.open_incident(&IncidentKey::Cause(cause.clone())) {
                close(draft, terms, id, raised, NotificationKind::Recovery);
            }
        }
        (None, None) => {}
    }
}

/// Takes a job out of all incidents; those in which it was the last are over.
fn leave(draft: &mut Draft<'_>, terms: &Terms, job: &JobName, raised: &Raised) {
    for id in draft.incidents_of(job) {
        let Some(incident) = draft.incident_mut(id) else { continue };
        incident.jobs.remove(job);
        if incident.jobs.is_empty() {
            close(draft, terms, id, raised, NotificationKind::Recovery);
        }
    }
}

/// A job is no more: its incident is over, and that it was deleted is told to those who knew of it too.
fn deleted(draft: &mut Draft<'_>, terms: &Terms, raised: &Raised) {
    let Some(job) = name_of(raised) else { return };
    match draft.open_incident(&IncidentKey::Job(job.clone())) {
        Some(id) => close(draft, terms, id, raised, NotificationKind::Alert),
        None => news(draft, terms, raised),
    }
    let gone = Raised {
        kind: AlertKind::Recovered,
        reason: "the last job that it hit was deleted".to_owned(),
        ..raised.clone()
    };
    leave(draft, terms, job, &gone);
    draft.end_silence(&super::Subject::Job(job.clone()));
}

/// Closes an incident, and tells all who were told of it, whether it is silenced or not.
fn close(
    draft: &mut Draft<'_>,
    terms: &Terms,
    id: IncidentId,
    raised: &Raised,
    kind: NotificationKind,
) {
    let Some(incident) = draft.incident(id) else { return };
    let mut audience = incident.told.clone();
    if kind != NotificationKind::Recovery {
        audience.extend(routed(terms, &incident.key, raised.kind, raised));
    }
    let alert_id = add(draft, id, raised, true);
    for to in &audience {
        let told = Told { kind, incident: Some(id), alerts: vec![alert_id], left_out: 0 };
        draft.tell(terms, to, told);
    }
    let now = draft.now;
    if let Some(incident) = draft.incident_mut(id) {
        incident.closed_at = Some(now);
        incident.jobs.clear();
        if !audience.is_empty() {
            incident.told_at = Some(now);
        }
        incident.told.append(&mut audience);
    }
}

/// Makes an alert of an incident. One that nobody is to be told of is not among its latest.
fn add(draft: &mut Draft<'_>, id: IncidentId, raised: &Raised, is_latest: bool) -> AlertId {
    let alert_id = draft.next_alert_id();
    let now = draft.now;
    draft.add_alert(alert(alert_id, Some(id), raised, now));
    if let Some(incident) = draft.incident_mut(id) {
        incident.alerts = incident.alerts.saturating_add(1);
        incident.last_at = now;
        if is_latest {
            incident.latest.push(alert_id);
            let more = incident.latest.len().saturating_sub(LATEST_KEPT);
            incident.latest.drain(..more);
        }
    }
    alert_id
}

fn alert(id: AlertId, incident: Option<IncidentId>, raised: &Raised, now: Timestamp) -> Alert {
    let Raised { kind, job, run, backfill, reason, retry_at, next_due_at, cause: _ } =
        raised.clone();
    Alert { id, incident, kind, at: now, job, run, backfill, reason, retry_at, next_due_at }
}

fn name_of(raised: &Raised) -> Option<&JobName> {
    raised.job.as_ref().map(|job| &job.name)
}

/// Where an alert of an incident goes. What is wrong with a channel is not told there.
fn routed(terms: &Terms, key: &IncidentKey, kind: AlertKind, raised: &Raised) -> BTreeSet<Address> {
    allowed(key, routes::addresses(terms, kind, raised.job.as_deref()))
}

fn routes_of(terms: &Terms, key: &IncidentKey, alert: &Alert) -> BTreeSet<Address> {
    allowed(key, routes::addresses(terms, alert.kind, alert.job.as_deref()))
}

fn allowed(key: &IncidentKey, mut addresses: BTreeSet<Address>) -> BTreeSet<Address> {
    if let IncidentKey::Cause(cause) = key
        && let Some(channel) = cause.strip_prefix(CHANNEL)
    {
        addresses.retain(|address| address.channel != channel);
    }
    addresses
}
