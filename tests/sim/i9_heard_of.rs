//! I9: whoever should hear of something does, or it can be seen that they have not yet; and nothing is told that is not
//! so. What is to be told is committed with what it tells of.

use std::collections::{BTreeMap, BTreeSet};

use chronode::alerts;
use chronode::engine::Change;
use chronode::model::{
    Alert, AlertId, AlertKind, Delivery, Duration, Incident, IncidentId, Notification,
    NotificationId, NotificationKind, Run, RunId, RunState, Verdict,
};

use super::played::Played;
use super::record::{Evidence, Record};

/// How long after the faults something that is due may wait for a place.
const PATIENCE: Duration = Duration::from_mins(5);

/// All that was ever stored of what people are told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) incidents: BTreeMap<IncidentId, Incident>,
    pub(crate) notifications: BTreeMap<NotificationId, Notification>,
}

/// Follows a batch that is stored, `before` it is: what has ended badly is told in the same one.
pub(crate) fn committed(record: &mut Record, changes: &[Change]) {
    let mut told_of: BTreeSet<(RunId, AlertKind)> = BTreeSet::new();
    for change in changes {
        let Change::Alerted(change) = change else { continue };
        match change {
            alerts::Change::AlertStored(alert) => {
                told_of.extend(alert.run.iter().map(|run| (run.id, alert.kind)));
                if record.told.alerts.insert(alert.id, Alert::clone(alert)).is_some() {
                    record.violations.push(format!("I9: alert {} is stored again", alert.id));
                }
            }
            alerts::Change::IncidentStored(incident) => {
                record.told.incidents.insert(incident.id, Incident::clone(incident));
            }
            alerts::Change::NotificationStored(notification) => {
                let before = record.told.notifications.get(&notification.id);
                if before.is_some_and(|before| before.delivery.is_over()) {
                    let line = format!("I9: {} was over and is {notification:?}", notification.id);
                    record.violations.push(line);
                }
                record
                    .told
                    .notifications
                    .insert(notification.id, Notification::clone(notification));
            }
            alerts::Change::JobSilenced { .. } | alerts::Change::ChannelFailing { .. } => {}
        }
    }
    for change in changes {
        let Change::RunStored(run) = change else { continue };
        let was_over = record.ended.contains_key(&run.id);
        // Of a job that was deleted meanwhile people know that much.
        let is_gone = record.removed.contains_key(&run.id.incarnation);
        if let Some(kind) = must_be_told(run).filter(|_| !was_over && !is_gone)
            && !told_of.contains(&(run.id, kind))
        {
            let line = format!("I9: nobody is told that a run is {}: {run:?}", kind.name());
            record.violations.push(line);
        }
    }
}

fn must_be_told(run: &Run) -> Option<AlertKind> {
    let RunState::Ended { verdict, .. } = &run.state else { return None };
    match verdict {
        Verdict::Failed | Verdict::Lost => Some(AlertKind::Failed),
        Verdict::Missed => Some(AlertKind::Missed),
        Verdict::Succeeded | Verdict::Killed | Verdict::Superseded | Verdict::Skipped => None,
    }
}

/// Counts what was sent.
pub(crate) fn count(played: &mut Played, told: &Told, received: &BTreeMap<NotificationId, u64>) {
    for notification in told.notifications.values() {
        let is_given_up = matches!(notification.delivery, Delivery::GivenUp { .. });
        played.messages += 1;
        played.given_up += u64::from(is_given_up);
        played.digests += u64::from(notification.kind == NotificationKind::Digest);
    }
    for count in received.values() {
        played.arrived += 1;
        played.doubled += count - 1;
    }
}

/// At the end, when nothing has been in the way for long.
pub(crate) fn violations(
    evidence: &Evidence<'_>,
    received: &BTreeMap<NotificationId, u64>,
    tells: bool,
) -> Vec<String> {
    let Told { alerts, incidents, notifications } = &evidence.record.told;
    let now = evidence.ends_at;
    let mut found = Vec::new();
    let mut named: BTreeSet<AlertId> = BTreeSet::new();
    let mut told_incidents: BTreeSet<IncidentId> = BTreeSet::new();
    for notification in notifications.values() {
        named.extend(&notification.alerts);
        told_incidents.extend(notification.incident);
        let of_alerts = notification.alerts.iter().filter_map(|id| alerts.get(id)?.incident);
        told_incidents.extend(of_alerts);
        let count = received.get(&notification.id).copied().unwrap_or(0);
        match notification.delivery {
            Delivery::Delivered { .. } if count == 0 => {
                found.push(format!("I9: it is taken for delivered, and is not: {notification:?}"));
            }
            Delivery::Due { at }
                if notification.tries == 0 && now.duration_since(at) > PATIENCE =>
            {
                found.push(format!("I9: nobody sends it: {notification:?}"));
            }
            Delivery::Delivered { .. }
            | Delivery::Due { .. }
            | Delivery::Held { .. }
            | Delivery::GivenUp { .. } => {}
        }
        let unknown = notification.alerts.iter().find(|id| !alerts.contains_key(id));
        found.extend(
            unknown.map(|id| format!("I9: {} tells of {id}, which is not there", notification.id)),
        );
    }
    for id in received.keys().filter(|id| !notifications.contains_key(id)) {
        found.push(format!("I9: {id} was received, and was never stored"));
    }
    for alert in alerts.values().filter(|alert| tells && is_told_unasked(alert.kind)) {
        let is_told = named.contains(&alert.id)
            || alert.incident.is_some_and(|incident| told_incidents.contains(&incident));
        if !is_told {
            found.push(format!("I9: nobody hears of it, and nothing is pending: {alert:?}"));
        }
    }
    for incident in incidents.values() {
        let of_it = alerts.values().filter(|alert| alert.incident == Some(incident.id)).count();
        if u64::try_from(of_it) != Ok(incident.alerts) {
            found.push(format!("I9: of {of_it} alerts {incident:?}"));
        }
    }
    found
}

/// What the one channel is told of that there is; a recovery of something that nobody was told of is no news.
fn is_told_unasked(kind: AlertKind) -> bool {
    kind.is_trouble() && kind != AlertKind::ChannelTrouble
}
