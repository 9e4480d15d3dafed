//! What people are told of, as a store is given it.

use proptest::prelude::*;

use super::name;
use crate::alerts;
use crate::engine::Change;
use crate::model::{AlertId, IncidentId, NotificationId};
use crate::store::arbitrary;

/// Something about a few alerts, incidents and notifications that refer to one another.
pub(super) fn told(
    few: impl Strategy<Value = u64> + Clone + 'static,
) -> impl Strategy<Value = Change> {
    let ids = (few.clone(), few.clone(), few.clone());
    let change = prop_oneof![
        (ids.clone(), arbitrary::alert()).prop_map(|((id, other, _), mut alert)| {
            alert.id = AlertId(id);
            alert.incident = alert.incident.map(|_| IncidentId(other));
            alerts::Change::AlertStored(Box::new(alert))
        }),
        (ids.clone(), arbitrary::incident()).prop_map(|((id, one, two), mut incident)| {
            incident.id = IncidentId(id);
            incident.latest = vec![AlertId(one), AlertId(two)];
            alerts::Change::IncidentStored(Box::new(incident))
        }),
        (ids, arbitrary::notification()).prop_map(|((id, one, two), mut notification)| {
            notification.id = NotificationId(id);
            notification.incident = notification.incident.map(|_| IncidentId(one));
            notification.alerts = vec![AlertId(two)];
            alerts::Change::NotificationStored(Box::new(notification))
        }),
        (few.clone(), proptest::option::of(arbitrary::silence())).prop_map(|(index, silence)| {
            alerts::Change::JobSilenced { job: name(&format!("job {index}")), silence }
        }),
        (few, proptest::option::of(arbitrary::failing())).prop_map(|(index, failing)| {
            alerts::Change::ChannelFailing { channel: format!("channel {index}"), failing }
        }),
    ];
    change.prop_map(Change::Alerted)
}
