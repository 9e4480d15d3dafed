//! What people do about incidents and jobs: acknowledge, silence.

use crate::model::{IncidentId, Intervention, JobName, Silence, Timestamp};

use super::draft::Draft;
use super::{Change, Desk};

/// What can be silenced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An incident, until it is put right at the latest.
    Incident(IncidentId),
    /// A job, also for incidents to come. That there is such a job is for the caller to know.
    Job(JobName),
}

/// Says that somebody looks after an incident: nobody is told of it any more until it is put right.
///
/// Nothing if it is not open, or somebody does already.
#[must_use]
pub fn acknowledge(
    desk: &Desk,
    now: Timestamp,
    incident: IncidentId,
    by: Intervention,
) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    let is_free = desk.incident(incident).is_some_and(|one| one.acknowledged.is_none());
    if is_free
        && is_open(desk, incident)
        && let Some(incident) = draft.incident_mut(incident)
    {
        incident.acknowledged = Some(by);
    }
    draft.changes()
}

/// Says that nobody is to be told of something for a while. Takes the place of an earlier silence; the alerts are
/// stored and counted all the same. After its end the next alert is told, whatever was told before.
///
/// Nothing if the incident is not open.
#[must_use]
pub fn silence(desk: &Desk, now: Timestamp, subject: &Subject, silence: Silence) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    if is_there(desk, subject) {
        draft.begin_silence(subject, silence);
    }
    draft.changes()
}

/// Ends a silence before its time, so that the next alert is told.
///
/// Nothing if there is none.
#[must_use]
pub fn unsilence(desk: &Desk, now: Timestamp, subject: &Subject) -> Vec<Change> {
    let mut draft = Draft::new(desk, now);
    let is_silenced = match subject {
        Subject::Incident(id) => {
            desk.incident(*id).is_some_and(|incident| incident.silence.is_some())
        }
        Subject::Job(job) => desk.silence_of(job).is_some(),
    };
    if is_silenced && is_there(desk, subject) {
        draft.end_silence(subject);
    }
    draft.changes()
}

fn is_there(desk: &Desk, subject: &Subject) -> bool {
    match subject {
        Subject::Incident(id) => is_open(desk, *id),
        Subject::Job(_) => true,
    }
}

fn is_open(desk: &Desk, id: IncidentId) -> bool {
    desk.incident(id).is_some_and(|incident| incident.closed_at.is_none())
}
