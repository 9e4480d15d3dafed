//! What people do about incidents and about the messages that tell of them.

use super::decision::Change;
use super::event::{Rejection, RejectionCode, Reply};
use super::{Step, admin};
use crate::alerts::{self, Subject};
use crate::model::{IncidentId, Intervention, NotificationId, Silence, Timestamp};

/// Somebody looks after it: nobody is told of it any more until it is put right.
pub(super) fn acknowledge(
    step: &mut Step<'_>,
    id: IncidentId,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    find(step, &Subject::Incident(id))?;
    let changes = alerts::acknowledge(step.state.alerts(), step.now.wall, id, by.clone());
    step.warn(None, by.tell(&format!("looks after incident {id}")));
    Ok(done(step, changes))
}

/// Nobody is told of it until then.
pub(super) fn silence(
    step: &mut Step<'_>,
    subject: &Subject,
    until: Timestamp,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    find(step, subject)?;
    if until <= step.now.wall {
        return Err(Rejection {
            code: RejectionCode::InvalidField,
            message: format!("`until` is {until}, which is over"),
            field: "until".into(),
            position: None,
            remedy: "give an instant to come".to_owned(),
        });
    }
    let silence = Silence { until, by: by.clone() };
    let changes = alerts::silence(step.state.alerts(), step.now.wall, subject, silence);
    step.warn(None, by.tell(&format!("silenced {} until {until:.0}", named(subject))));
    Ok(done(step, changes))
}

/// People are told of it again.
pub(super) fn end_silence(
    step: &mut Step<'_>,
    subject: &Subject,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    find(step, subject)?;
    let changes = alerts::unsilence(step.state.alerts(), step.now.wall, subject);
    step.note_all(by.tell(&format!("ended the silence of {}", named(subject))));
    Ok(done(step, changes))
}

/// A notification is tried at once, also one that was given up.
pub(super) fn retry(
    step: &mut Step<'_>,
    id: NotificationId,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let changes = alerts::retry(step.state.alerts(), step.now.wall, id);
    if changes.is_empty() {
        return Err(Rejection {
            code: RejectionCode::UnknownNotification,
            message: format!("no notification `{id}` is to be sent, or was given up lately"),
            field: "".into(),
            position: None,
            remedy: "look at `notifications` for those that wait".to_owned(),
        });
    }
    step.note_all(by.tell(&format!("had notification {id} tried again")));
    Ok(done(step, changes))
}

fn done(step: &mut Step<'_>, changes: Vec<alerts::Change>) -> Reply {
    changes.into_iter().for_each(|change| step.change(Change::Alerted(change)));
    Reply::Done
}

fn find(step: &Step<'_>, subject: &Subject) -> Result<(), Rejection> {
    match subject {
        Subject::Job(name) => admin::find(step, name).map(drop),
        Subject::Incident(id) => {
            let incident = step.state.alerts().incident(*id);
            match incident.filter(|incident| incident.closed_at.is_none()) {
                Some(_) => Ok(()),
                None => Err(Rejection {
                    code: RejectionCode::UnknownIncident,
                    message: format!("no incident `{id}` is open"),
                    field: "".into(),
                    position: None,
                    remedy: "look at `incidents` for those that are".to_owned(),
                }),
            }
        }
    }
}

fn named(subject: &Subject) -> String {
    match subject {
        Subject::Incident(id) => format!("incident {id}"),
        Subject::Job(name) => format!("job '{name}'"),
    }
}
