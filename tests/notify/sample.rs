//! Letters as the scheduler could write them.

use std::collections::{BTreeMap, BTreeSet};

use chronode::model::{
    Address, Alert, AlertId, AlertJob, AlertKind, AlertRun, Delivery, Exit, Incarnation, Incident,
    IncidentId, IncidentKey, JobName, JobStats, NameRule, Notification, NotificationId,
    NotificationKind, Resources, RunId, Scalar, TaskId, Timestamp, timestamp_from_millis,
};
use chronode::notify::{Letter, Tail};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

pub(crate) fn job(text: &str) -> AlertJob {
    AlertJob {
        name: name(text),
        incarnation: Incarnation(17),
        owner: "data@example.org, ops@example.org".to_owned(),
        labels: vec![("team".to_owned(), "data".to_owned())],
        runbook: "https://wiki.example.org/runbooks/nightly".to_owned(),
        command: "/opt/report/run.sh --full".to_owned(),
        resources: Resources {
            cpus: Scalar::from_thousandths(250),
            mem: Scalar::from_thousandths(256_000),
            disk: Scalar::ZERO,
            ports: 0,
        },
        soft_error: false,
        retries: 3,
        executor: String::new(),
        executor_flags: String::new(),
        uris: vec![
            "https://files.example.org/a.tgz".to_owned(),
            "https://files.example.org/b".to_owned(),
        ],
        stats: JobStats {
            success_count: 40,
            error_count: 2,
            errors_since_last_success: 1,
            last_success: "2029-12-30T02:31:05.123Z".to_owned(),
            last_error: "2029-12-31T02:31:05.123Z".to_owned(),
        },
        zone: "Europe/Berlin".to_owned(),
    }
}

/// An alert about a run that was due at 02:00 on the first day of 2030.
pub(crate) fn alert(id: u64, kind: AlertKind, text: &str) -> Alert {
    let due_at = at("2030-01-01T02:00:00Z");
    let name = name(text);
    Alert {
        id: AlertId(id),
        incident: Some(IncidentId(7)),
        kind,
        at: at("2030-01-01T02:35:00Z"),
        run: Some(Box::new(AlertRun {
            id: RunId::scheduled(Incarnation(17), due_at),
            due_at,
            attempt: Some(3),
            task_id: Some(TaskId::new(1_893_463_200_000, 3, &name, "")),
            started_at: Some(at("2030-01-01T02:34:10Z")),
            ended_at: Some(at("2030-01-01T02:34:59.5Z")),
            exit: Some(Exit::Code(1)),
            message: "Command exited with status 1".to_owned(),
        })),
        job: Some(Box::new(job(text))),
        backfill: None,
        reason: "the command ended with code 1, and all 4 attempts are used up".to_owned(),
        retry_at: None,
        next_due_at: Some(at("2030-01-02T02:00:00Z")),
    }
}

/// What has happened to the scheduler itself.
pub(crate) fn about_scheduler(id: u64, kind: AlertKind, reason: &str) -> Alert {
    Alert {
        job: None,
        run: None,
        next_due_at: None,
        reason: reason.to_owned(),
        ..alert(id, kind, "nobody")
    }
}

pub(crate) fn incident(key: IncidentKey, kind: AlertKind, alerts: &[Alert]) -> Incident {
    let jobs: BTreeSet<JobName> =
        alerts.iter().filter_map(|alert| alert.job.as_ref()).map(|job| job.name.clone()).collect();
    Incident {
        id: IncidentId(7),
        key,
        kind,
        opened_at: at("2030-01-01T02:35:00Z"),
        last_at: at("2030-01-01T02:35:00Z"),
        closed_at: None,
        alerts: u64::try_from(alerts.len()).unwrap(),
        latest: alerts.iter().map(|alert| alert.id).collect(),
        jobs,
        told: BTreeSet::new(),
        told_at: None,
        untold: 0,
        acknowledged: None,
        silence: None,
    }
}

/// A letter to one owner. Its incident is that of the first alert's job.
pub(crate) fn letter(kind: NotificationKind, alerts: Vec<Alert>) -> Letter {
    let incident = alerts.first().map(|alert| {
        let key = alert.job.as_ref().map_or_else(
            || IncidentKey::Cause("agent 3f7a-S1".to_owned()),
            |job| IncidentKey::Job(job.name.clone()),
        );
        incident(key, alert.kind, &alerts)
    });
    Letter {
        notification: Notification {
            id: NotificationId(12),
            to: Address { channel: "mail".to_owned(), recipient: "data@example.org".to_owned() },
            kind,
            incident: incident.as_ref().map(|incident| incident.id),
            alerts: alerts.iter().map(|alert| alert.id).collect(),
            left_out: 0,
            made_at: at("2030-01-01T02:35:00.25Z"),
            tries: 0,
            problem: String::new(),
            delivery: Delivery::Due { at: at("2030-01-01T02:35:00.25Z") },
        },
        alerts,
        incident,
        base_url: Some("https://cron.example.org/".to_owned()),
        cluster_name: "prod".to_owned(),
        tails: BTreeMap::new(),
        host: "cron.example.org".to_owned(),
    }
}

/// The letter of most days: a run has failed for good.
pub(crate) fn failure() -> Letter {
    let mut letter =
        letter(NotificationKind::Alert, vec![alert(9, AlertKind::Failed, "nightly-report")]);
    letter.tails.insert(
        AlertId(9),
        Tail {
            stream: "stderr",
            text: "reading 31 files\n\u{1b}[31merror\u{1b}[0m: größe.csv: <missing> column \"total\"\n"
                .to_owned(),
            is_cut: true,
        },
    );
    letter
}

/// The same for somebody else, on another channel.
pub(crate) fn to(mut letter: Letter, channel: &str, recipient: &str) -> Letter {
    letter.notification.to =
        Address { channel: channel.to_owned(), recipient: recipient.to_owned() };
    letter
}

/// So many failures of as many jobs, a second apart.
pub(crate) fn failures(count: u64) -> Vec<Alert> {
    (0..count)
        .map(|index| {
            let mut alert = alert(100 + index, AlertKind::Failed, &format!("job-{index:04}"));
            let millis = 1_893_465_300_000 + i64::try_from(index).unwrap() * 1_000;
            alert.at = timestamp_from_millis(millis).unwrap();
            alert
        })
        .collect()
}
