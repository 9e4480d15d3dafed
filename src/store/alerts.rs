//! Which of the alerts, incidents and notifications that are stored a leader begins with.

use std::collections::BTreeSet;

use crate::alerts::Recovered;
use crate::model::{AlertId, Incident, IncidentId, Notification};

/// Notifications that are loaded though they are over, the latest by their numbers: what was sent lately, and what was
/// given up, still counts.
pub(super) const OVER_LOADED: usize = 1_000;

/// Leaves out what nothing that goes on refers to, and puts the rest into the order of its numbers.
pub(super) fn needed(stored: Recovered) -> Recovered {
    let Recovered { mut alerts, mut incidents, mut notifications, silences, failing, last_ids } =
        stored;
    notifications.sort_by_key(|notification| notification.id);
    let over = notifications.iter().filter(|it| it.delivery.is_over()).count();
    let mut too_many = over.saturating_sub(OVER_LOADED);
    notifications.retain(|notification| {
        let goes = notification.delivery.is_over() && too_many > 0;
        too_many -= usize::from(goes);
        !goes
    });
    let named = named_incidents(&notifications);
    incidents.retain(|incident| incident.closed_at.is_none() || named.contains(&incident.id));
    incidents.sort_by_key(|incident| incident.id);
    let named = named_alerts(&incidents, &notifications);
    alerts.retain(|alert| named.contains(&alert.id));
    alerts.sort_by_key(|alert| alert.id);
    Recovered { alerts, incidents, notifications, silences, failing, last_ids }
}

/// The incidents that notifications are about.
pub(super) fn named_incidents(notifications: &[Notification]) -> BTreeSet<IncidentId> {
    notifications.iter().filter_map(|notification| notification.incident).collect()
}

/// The alerts that incidents and notifications tell of.
pub(super) fn named_alerts(
    incidents: &[Incident],
    notifications: &[Notification],
) -> BTreeSet<AlertId> {
    let of_incidents = incidents.iter().flat_map(|incident| &incident.latest);
    let of_notifications = notifications.iter().flat_map(|notification| &notification.alerts);
    of_incidents.chain(of_notifications).copied().collect()
}
