//! The stored form of what people are told of: alerts, incidents, notifications, silences, and channels that fail.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::intervention::{InterventionRecord, intervention, intervention_record};
use super::job::{
    ResourcesRecord, StatsRecord, borrowed, owned, resources_from, resources_record, stats,
    stats_record,
};
use super::run::{ExitRecord, exit_from, exit_record};
use super::{AsWord, DecodeError, Word, is_default, job_name, malformed};
use crate::alerts::Failing;
use crate::model::{
    Address, Alert, AlertId, AlertJob, AlertKind, AlertRun, BackfillId, Delivery, Incarnation,
    Incident, IncidentId, IncidentKey, Notification, NotificationId, NotificationKind, RunId,
    Silence, TaskId, Timestamp,
};

type Text<'a> = Cow<'a, str>;

impl Word for AlertKind {
    const WHAT: &'static str = "a kind of alert";

    fn print(&self) -> Cow<'static, str> {
        self.name().into()
    }

    fn parse_word(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Word for NotificationKind {
    const WHAT: &'static str = "a kind of notification";

    fn print(&self) -> Cow<'static, str> {
        self.name().into()
    }

    fn parse_word(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AlertRecord<'a> {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<u64>,
    kind: AsWord<AlertKind>,
    at: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<JobFactsRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunFactsRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backfill: Option<u64>,
    reason: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_at: Option<AsWord<Timestamp>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_due_at: Option<AsWord<Timestamp>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JobFactsRecord<'a> {
    name: Text<'a>,
    incarnation: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    owner: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<(Text<'a>, Text<'a>)>,
    #[serde(default, skip_serializing_if = "is_default")]
    runbook: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    command: Text<'a>,
    resources: ResourcesRecord,
    #[serde(default, skip_serializing_if = "is_default")]
    soft_error: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    retries: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    executor: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    executor_flags: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uris: Vec<Text<'a>>,
    stats: StatsRecord<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    zone: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunFactsRecord<'a> {
    id: AsWord<RunId>,
    due_at: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task_id: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<AsWord<Timestamp>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<AsWord<Timestamp>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<ExitRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    message: Text<'a>,
}

pub(super) fn alert_record(alert: &Alert) -> AlertRecord<'_> {
    let Alert { id, incident, kind, at, job, run, backfill, reason, retry_at, next_due_at } = alert;
    AlertRecord {
        id: id.0,
        incident: incident.map(|incident| incident.0),
        kind: AsWord(*kind),
        at: AsWord(*at),
        job: job.as_deref().map(job_facts_record),
        run: run.as_deref().map(run_facts_record),
        backfill: backfill.map(|backfill| backfill.0),
        reason: reason.into(),
        retry_at: retry_at.map(AsWord),
        next_due_at: next_due_at.map(AsWord),
    }
}

pub(super) fn alert_from(record: AlertRecord<'_>) -> Result<Alert, DecodeError> {
    let AlertRecord { id, incident, kind, at, job, run, backfill, reason, retry_at, next_due_at } =
        record;
    Ok(Alert {
        id: AlertId(id),
        incident: incident.map(IncidentId),
        kind: kind.0,
        at: at.0,
        job: job.map(job_facts_from).transpose()?.map(Box::new),
        run: run.map(run_facts_from).map(Box::new),
        backfill: backfill.map(BackfillId),
        reason: reason.into_owned(),
        retry_at: retry_at.map(|at| at.0),
        next_due_at: next_due_at.map(|at| at.0),
    })
}

fn job_facts_record(job: &AlertJob) -> JobFactsRecord<'_> {
    let AlertJob {
        name,
        incarnation,
        owner,
        labels,
        runbook,
        command,
        resources,
        soft_error,
        retries,
        executor,
        executor_flags,
        uris,
        stats,
        zone,
    } = job;
    JobFactsRecord {
        name: name.as_str().into(),
        incarnation: incarnation.0,
        owner: owner.into(),
        labels: labels.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        runbook: runbook.into(),
        command: command.into(),
        resources: resources_record(*resources),
        soft_error: *soft_error,
        retries: *retries,
        executor: executor.into(),
        executor_flags: executor_flags.into(),
        uris: borrowed(uris),
        stats: stats_record(stats),
        zone: zone.into(),
    }
}

fn job_facts_from(record: JobFactsRecord<'_>) -> Result<AlertJob, DecodeError> {
    let JobFactsRecord {
        name,
        incarnation,
        owner,
        labels,
        runbook,
        command,
        resources,
        soft_error,
        retries,
        executor,
        executor_flags,
        uris,
        stats: counts,
        zone,
    } = record;
    let both = |(name, value): (Text<'_>, Text<'_>)| (name.into_owned(), value.into_owned());
    Ok(AlertJob {
        name: job_name(&name)?,
        incarnation: Incarnation(incarnation),
        owner: owner.into_owned(),
        labels: labels.into_iter().map(both).collect(),
        runbook: runbook.into_owned(),
        command: command.into_owned(),
        resources: resources_from(resources),
        soft_error,
        retries,
        executor: executor.into_owned(),
        executor_flags: executor_flags.into_owned(),
        uris: owned(uris),
        stats: stats(counts),
        zone: zone.into_owned(),
    })
}

fn run_facts_record(run: &AlertRun) -> RunFactsRecord<'_> {
    let AlertRun { id, due_at, attempt, task_id, started_at, ended_at, exit, message } = run;
    RunFactsRecord {
        id: AsWord(*id),
        due_at: AsWord(*due_at),
        attempt: *attempt,
        task_id: task_id.as_ref().map(|id| id.as_str().into()),
        started_at: started_at.map(AsWord),
        ended_at: ended_at.map(AsWord),
        exit: exit.as_ref().map(exit_record),
        message: message.into(),
    }
}

fn run_facts_from(record: RunFactsRecord<'_>) -> AlertRun {
    let RunFactsRecord { id, due_at, attempt, task_id, started_at, ended_at, exit, message } =
        record;
    AlertRun {
        id: id.0,
        due_at: due_at.0,
        attempt,
        task_id: task_id.map(|id| TaskId::from_text(id.into_owned())),
        started_at: started_at.map(|at| at.0),
        ended_at: ended_at.map(|at| at.0),
        exit: exit.map(exit_from),
        message: message.into_owned(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IncidentRecord<'a> {
    id: u64,
    key: KeyRecord<'a>,
    kind: AsWord<AlertKind>,
    opened_at: AsWord<Timestamp>,
    last_at: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<AsWord<Timestamp>>,
    alerts: u64,
    latest: Vec<u64>,
    jobs: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<AddressRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<AsWord<Timestamp>>,
    #[serde(default, skip_serializing_if = "is_default")]
    untold: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<InterventionRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silence: Option<SilenceRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeyRecord<'a> {
    Job(Text<'a>),
    Cause(Text<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddressRecord<'a> {
    channel: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    recipient: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SilenceRecord<'a> {
    until: AsWord<Timestamp>,
    by: InterventionRecord<'a>,
}

pub(super) fn silence_record(silence: &Silence) -> SilenceRecord<'_> {
    let Silence { until, by } = silence;
    SilenceRecord { until: AsWord(*until), by: intervention_record(by) }
}

pub(super) fn silence_from(record: SilenceRecord<'_>) -> Silence {
    let SilenceRecord { until, by } = record;
    Silence { until: until.0, by: intervention(by) }
}

fn address_record(address: &Address) -> AddressRecord<'_> {
    let Address { channel, recipient } = address;
    AddressRecord { channel: channel.into(), recipient: recipient.into() }
}

fn address_from(record: AddressRecord<'_>) -> Address {
    let AddressRecord { channel, recipient } = record;
    Address { channel: channel.into_owned(), recipient: recipient.into_owned() }
}

pub(super) fn incident_record(incident: &Incident) -> IncidentRecord<'_> {
    let Incident {
        id,
        key,
        kind,
        opened_at,
        last_at,
        closed_at,
        alerts,
        latest,
        jobs,
        told,
        told_at,
        untold,
        acknowledged,
        silence,
    } = incident;
    IncidentRecord {
        id: id.0,
        key: match key {
            IncidentKey::Job(name) => KeyRecord::Job(name.as_str().into()),
            IncidentKey::Cause(cause) => KeyRecord::Cause(cause.into()),
        },
        kind: AsWord(*kind),
        opened_at: AsWord(*opened_at),
        last_at: AsWord(*last_at),
        closed_at: closed_at.map(AsWord),
        alerts: *alerts,
        latest: latest.iter().map(|alert| alert.0).collect(),
        jobs: jobs.iter().map(|name| name.as_str().into()).collect(),
        told: told.iter().map(address_record).collect(),
        told_at: told_at.map(AsWord),
        untold: *untold,
        acknowledged: acknowledged.as_ref().map(intervention_record),
        silence: silence.as_ref().map(silence_record),
    }
}

pub(super) fn incident_from(record: IncidentRecord<'_>) -> Result<Incident, DecodeError> {
    let IncidentRecord {
        id,
        key,
        kind,
        opened_at,
        last_at,
        closed_at,
        alerts,
        latest,
        jobs,
        told,
        told_at,
        untold,
        acknowledged,
        silence,
    } = record;
    Ok(Incident {
        id: IncidentId(id),
        key: match key {
            KeyRecord::Job(name) => IncidentKey::Job(job_name(&name)?),
            KeyRecord::Cause(cause) => IncidentKey::Cause(cause.into_owned()),
        },
        kind: kind.0,
        opened_at: opened_at.0,
        last_at: last_at.0,
        closed_at: closed_at.map(|at| at.0),
        alerts,
        latest: latest.into_iter().map(AlertId).collect(),
        jobs: jobs.iter().map(|name| job_name(name)).collect::<Result<BTreeSet<_>, _>>()?,
        told: told.into_iter().map(address_from).collect(),
        told_at: told_at.map(|at| at.0),
        untold,
        acknowledged: acknowledged.map(intervention),
        silence: silence.map(silence_from),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NotificationRecord<'a> {
    id: u64,
    to: AddressRecord<'a>,
    kind: AsWord<NotificationKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<u64>,
    alerts: Vec<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    left_out: u64,
    made_at: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    tries: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    problem: Text<'a>,
    delivery: Text<'a>,
    delivery_at: AsWord<Timestamp>,
}

pub(super) fn notification_record(notification: &Notification) -> NotificationRecord<'_> {
    let Notification {
        id,
        to,
        kind,
        incident,
        alerts,
        left_out,
        made_at,
        tries,
        problem,
        delivery,
    } = notification;
    NotificationRecord {
        id: id.0,
        to: address_record(to),
        kind: AsWord(*kind),
        incident: incident.map(|incident| incident.0),
        alerts: alerts.iter().map(|alert| alert.0).collect(),
        left_out: *left_out,
        made_at: AsWord(*made_at),
        tries: *tries,
        problem: problem.into(),
        delivery: delivery.name().into(),
        delivery_at: AsWord(delivery.at()),
    }
}

pub(super) fn notification_from(
    record: NotificationRecord<'_>,
) -> Result<Notification, DecodeError> {
    let NotificationRecord {
        id,
        to,
        kind,
        incident,
        alerts,
        left_out,
        made_at,
        tries,
        problem,
        delivery,
        delivery_at,
    } = record;
    let of = Delivery::of(&delivery, delivery_at.0);
    let delivery =
        of.ok_or_else(|| malformed(format!("`{delivery}` is not where a notification stands")))?;
    Ok(Notification {
        id: NotificationId(id),
        to: address_from(to),
        kind: kind.0,
        incident: incident.map(IncidentId),
        alerts: alerts.into_iter().map(AlertId).collect(),
        left_out,
        made_at: made_at.0,
        tries,
        problem: problem.into_owned(),
        delivery,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FailingRecord<'a> {
    tries: u32,
    since: AsWord<Timestamp>,
    problem: Text<'a>,
}

pub(super) fn failing_record(failing: &Failing) -> FailingRecord<'_> {
    let Failing { tries, since, problem } = failing;
    FailingRecord { tries: *tries, since: AsWord(*since), problem: problem.into() }
}

pub(super) fn failing_from(record: FailingRecord<'_>) -> Failing {
    let FailingRecord { tries, since, problem } = record;
    Failing { tries, since: since.0, problem: problem.into_owned() }
}
