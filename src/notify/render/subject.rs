//! Subjects: the words of each kind of alert.

use std::collections::BTreeSet;

use super::{count, counted, escape};
use crate::model::{Alert, AlertKind, Incident, IncidentKey, NotificationKind};
use crate::notify::Letter;

/// What of a name or a cause is shown; the whole of it is in the body.
const CHARACTERS: usize = 150;

/// The subject of this letter alone.
pub(super) fn title(letter: &Letter) -> String {
    format!("{}{}", prefix(letter), words(letter))
}

/// The subject of a mail. Some programs put mails together by subject alone, so what reminds of an incident or ends
/// it answers the incident's first mail.
pub(super) fn of_mail(letter: &Letter) -> String {
    // What looks like an encoded word would be decoded by whoever reads the mail, into whatever somebody wrote there.
    subject_of_mail(letter).replace("=?", "= ?")
}

fn subject_of_mail(letter: &Letter) -> String {
    let is_answer = match letter.notification.kind {
        NotificationKind::Reminder | NotificationKind::Recovery => true,
        NotificationKind::Alert | NotificationKind::Digest => false,
    };
    match (&letter.incident, is_answer) {
        (Some(incident), true) => format!("Re: {}{}", prefix(letter), first_of(incident)),
        (Some(_) | None, _) => title(letter),
    }
}

fn prefix(letter: &Letter) -> String {
    let name = letter.cluster_name.trim();
    if name.is_empty() {
        "[Chronos] ".to_owned()
    } else {
        format!("[{}] [Chronos] ", escape::cut_line(name, CHARACTERS))
    }
}

fn words(letter: &Letter) -> String {
    if letter.is_trial() {
        let channel = escape::cut_line(&letter.notification.to.channel, CHARACTERS);
        return format!("test of channel '{channel}'");
    }
    match (letter.notification.kind, &letter.incident) {
        (NotificationKind::Alert, incident) => alike(&letter.alerts)
            .map_or_else(|| sum(letter), |alert| of_alert(alert, incident.as_ref())),
        (NotificationKind::Reminder, Some(incident)) => {
            format!(
                "{} ({})",
                first_of(incident),
                counted(count(letter), "more alert", "more alerts")
            )
        }
        (NotificationKind::Recovery, Some(Incident { key: IncidentKey::Job(name), .. })) => {
            format!("job '{name}' recovered")
        }
        (NotificationKind::Recovery, Some(Incident { key: IncidentKey::Cause(cause), .. })) => {
            format!("recovered: {}", escape::cut_line(cause, CHARACTERS))
        }
        (NotificationKind::Recovery, None) => {
            alike(&letter.alerts).map_or_else(|| sum(letter), |alert| of_alert(alert, None))
        }
        (NotificationKind::Reminder, None) | (NotificationKind::Digest, _) => sum(letter),
    }
}

/// The alert that says what all of them say of one job, if they do.
fn alike(alerts: &[Alert]) -> Option<&Alert> {
    let (first, rest) = alerts.split_first()?;
    let name = |alert: &Alert| alert.job.as_ref().map(|job| job.name.clone());
    rest.iter().all(|alert| alert.kind == first.kind && name(alert) == name(first)).then_some(first)
}

fn sum(letter: &Letter) -> String {
    let alerts = counted(count(letter), "alert", "alerts");
    let jobs: BTreeSet<_> =
        letter.alerts.iter().filter_map(|alert| alert.job.as_ref()).map(|job| &job.name).collect();
    match (u64::try_from(jobs.len()).unwrap_or(u64::MAX), letter.notification.left_out) {
        (0, _) => alerts,
        (jobs, 0) => format!("{alerts} for {}", counted(jobs, "job", "jobs")),
        (jobs, _) => format!("{alerts} for {} and more", counted(jobs, "job", "jobs")),
    }
}

/// The subject of the mail that told of an incident first.
fn first_of(incident: &Incident) -> String {
    match &incident.key {
        IncidentKey::Job(name) => of_job(incident.kind, name.as_str()),
        IncidentKey::Cause(cause) if incident.kind.is_about_the_scheduler() => {
            of_cause(incident.kind, cause)
        }
        IncidentKey::Cause(cause) => {
            format!("jobs in trouble: {}", escape::cut_line(cause, CHARACTERS))
        }
    }
}

fn of_alert(alert: &Alert, incident: Option<&Incident>) -> String {
    match (&alert.job, incident.map(|incident| &incident.key)) {
        (Some(job), _) => match (alert.kind, alert.backfill) {
            (AlertKind::BackfillFinished, Some(backfill)) => {
                format!("backfill {backfill} of job '{}' is over", job.name)
            }
            _ => of_job(alert.kind, job.name.as_str()),
        },
        (None, Some(IncidentKey::Cause(cause))) => of_cause(alert.kind, cause),
        (None, Some(IncidentKey::Job(_)) | None) => of_scheduler(alert.kind).to_owned(),
    }
}

fn of_cause(kind: AlertKind, cause: &str) -> String {
    format!("{}: {}", of_scheduler(kind), escape::cut_line(cause, CHARACTERS))
}

/// The words about a job; those of Chronos where it has some.
fn of_job(kind: AlertKind, name: &str) -> String {
    let is = match kind {
        AlertKind::Failed => "failed!",
        AlertKind::Retried => "is tried again",
        AlertKind::Missed => "was missed",
        AlertKind::DidNotRun => "did not run",
        AlertKind::LateStart => "is late",
        AlertKind::Overlong => "runs too long",
        AlertKind::LateFinish => "is not over in time",
        AlertKind::Disabled | AlertKind::Exhausted => "disabled",
        AlertKind::Deleted => return format!("Your job '{name}' was deleted!"),
        AlertKind::Recovered => "recovered",
        AlertKind::BackfillFinished => return format!("backfill of job '{name}' is over"),
        AlertKind::LeaderChanged
        | AlertKind::AgentLost
        | AlertKind::LauncherGone
        | AlertKind::StoreTrouble
        | AlertKind::ChannelTrouble => return format!("job '{name}': {}", of_scheduler(kind)),
    };
    format!("job '{name}' {is}")
}

/// The words where no job is named.
pub(super) const fn of_scheduler(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Failed => "a job failed",
        AlertKind::Retried => "a job is tried again",
        AlertKind::Missed => "a job was missed",
        AlertKind::DidNotRun => "a job did not run",
        AlertKind::LateStart => "a job is late",
        AlertKind::Overlong => "a job runs too long",
        AlertKind::LateFinish => "a job is not over in time",
        AlertKind::Disabled => "a job was disabled",
        AlertKind::Exhausted => "all occurrences of a job have run",
        AlertKind::Deleted => "a job was deleted",
        AlertKind::Recovered => "recovered",
        AlertKind::BackfillFinished => "a backfill is over",
        AlertKind::LeaderChanged => "another process leads",
        AlertKind::AgentLost => "agent lost",
        AlertKind::LauncherGone => "the launcher cannot be reached",
        AlertKind::StoreTrouble => "trouble with the store",
        AlertKind::ChannelTrouble => "notifications do not arrive",
    }
}

/// The words of a row in a list, behind the name of a job.
pub(super) const fn in_list(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Failed => "failed",
        AlertKind::Retried => "is tried again",
        AlertKind::Missed => "was missed",
        AlertKind::DidNotRun => "did not run",
        AlertKind::LateStart => "is late",
        AlertKind::Overlong => "runs too long",
        AlertKind::LateFinish => "is not over in time",
        AlertKind::Disabled => "disabled: it failed too often",
        AlertKind::Exhausted => "disabled: all its occurrences have run",
        AlertKind::Deleted => "deleted",
        AlertKind::Recovered => "recovered",
        AlertKind::BackfillFinished => "its backfill is over",
        AlertKind::LeaderChanged
        | AlertKind::AgentLost
        | AlertKind::LauncherGone
        | AlertKind::StoreTrouble
        | AlertKind::ChannelTrouble => of_scheduler(kind),
    }
}
