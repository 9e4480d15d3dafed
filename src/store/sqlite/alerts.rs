//! What people are told of, in the file: written, read when a leader begins, and taken out when it is old.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::changes::{bad_record, signed};
use super::open::error;
use crate::alerts::{Change, Failing, LastIds, Recovered};
use crate::model::{
    Alert, Duration, Incident, JobName, NameRule, Notification, Silence, Timestamp,
    millis_since_epoch,
};
use crate::store::Error;
use crate::store::alerts::{OVER_LOADED, named_alerts, named_incidents, needed};
use crate::store::codec::{self, DecodeError, Marks};

/// Writes one change. The numbers of new things go into the marks.
pub(super) fn write(
    transaction: &Transaction<'_>,
    change: &Change,
    marks: &mut Marks,
) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(values).map(drop)
    };
    let (alerts, incidents, notifications) = &mut marks.alerts;
    match change {
        Change::AlertStored(alert) => {
            *alerts = (*alerts).max(alert.id.0);
            run(
                "INSERT OR REPLACE INTO alerts (id, incident, job, at, record)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    number(alert.id.0),
                    alert.incident.map(|incident| number(incident.0)),
                    alert.job.as_ref().map(|job| job.name.as_str()),
                    millis_since_epoch(alert.at),
                    codec::encode_alert(alert)
                ],
            )
        }
        Change::IncidentStored(incident) => {
            *incidents = (*incidents).max(incident.id.0);
            run(
                "INSERT OR REPLACE INTO incidents (id, closed_at, record) VALUES (?1, ?2, ?3)",
                params![
                    number(incident.id.0),
                    incident.closed_at.map(millis_since_epoch),
                    codec::encode_incident(incident)
                ],
            )
        }
        Change::NotificationStored(notification) => {
            *notifications = (*notifications).max(notification.id.0);
            let over_at = notification.delivery.is_over().then(|| notification.delivery.at());
            run(
                "INSERT OR REPLACE INTO notifications (id, incident, channel, delivery, over_at, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    number(notification.id.0),
                    notification.incident.map(|incident| number(incident.0)),
                    notification.to.channel,
                    notification.delivery.name(),
                    over_at.map(millis_since_epoch),
                    codec::encode_notification(notification)
                ],
            )
        }
        Change::JobSilenced { job, silence: Some(silence) } => run(
            "INSERT OR REPLACE INTO silences (job, record) VALUES (?1, ?2)",
            params![job.as_str(), codec::encode_silence(silence)],
        ),
        Change::JobSilenced { job, silence: None } => {
            run("DELETE FROM silences WHERE job = ?1", params![job.as_str()])
        }
        Change::ChannelFailing { channel, failing: Some(failing) } => run(
            "INSERT OR REPLACE INTO failing_channels (channel, record) VALUES (?1, ?2)",
            params![channel, codec::encode_failing(failing)],
        ),
        Change::ChannelFailing { channel, failing: None } => {
            run("DELETE FROM failing_channels WHERE channel = ?1", params![channel])
        }
    }
}

/// Why something could not be read.
pub(super) enum Unread {
    Sql(rusqlite::Error),
    Record { place: String, why: DecodeError },
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Unread {
    /// Says of which file it is, and what was being done.
    pub(super) fn at(self, doing: &'static str, path: &Path) -> Error {
        match self {
            Self::Sql(source) => error(doing, path, source),
            Self::Record { place, why } => bad_record(path, place, why),
        }
    }
}

/// Reads what a leader begins with.
pub(super) fn load(connection: &Connection, marks: &Marks) -> Result<Recovered, Unread> {
    let (alert, incident, notification) = marks.alerts;
    let going = notifications(connection, "over_at IS NULL ORDER BY id", params![])?;
    let latest = sql_limit(OVER_LOADED);
    let over = "over_at IS NOT NULL ORDER BY id DESC LIMIT ?1";
    let mut notifications = [going, notifications(connection, over, params![latest])?].concat();
    notifications.sort_by_key(|notification| notification.id);
    let mut incidents = incidents(connection, "closed_at IS NULL ORDER BY id", params![])?;
    for id in named_incidents(&notifications) {
        if incidents.iter().all(|incident| incident.id != id) {
            incidents.extend(self::incidents(connection, "id = ?1", params![number(id.0)])?);
        }
    }
    let mut alerts = Vec::new();
    for id in named_alerts(&incidents, &notifications) {
        alerts.extend(self::alerts(connection, "id = ?1", params![number(id.0)])?);
    }
    let silences =
        named(connection, "SELECT job, record FROM silences ORDER BY job", |name, text| {
            let job = JobName::parse(name, NameRule::Blanks)
                .map_err(|error| DecodeError::Malformed { why: error.to_string() })?;
            Ok((job, codec::decode_silence(text)?))
        })?;
    let failing = named(
        connection,
        "SELECT channel, record FROM failing_channels ORDER BY channel",
        |name, text| Ok((name.to_owned(), codec::decode_failing(text)?)),
    )?;
    let silences: Vec<(JobName, Silence)> = silences;
    let failing: Vec<(String, Failing)> = failing;
    let last_ids = LastIds { alert, incident, notification };
    Ok(needed(Recovered { alerts, incidents, notifications, silences, failing, last_ids }))
}

/// Alerts by a condition.
pub(super) fn alerts(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Alert>, Unread> {
    records(
        connection,
        "alert",
        &format!("SELECT id, record FROM alerts WHERE {condition}"),
        values,
        codec::decode_alert,
    )
}

/// Incidents by a condition.
pub(super) fn incidents(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Incident>, Unread> {
    let sql = format!("SELECT id, record FROM incidents WHERE {condition}");
    records(connection, "incident", &sql, values, codec::decode_incident)
}

/// Notifications by a condition.
pub(super) fn notifications(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Notification>, Unread> {
    let sql = format!("SELECT id, record FROM notifications WHERE {condition}");
    records(connection, "notification", &sql, values, codec::decode_notification)
}

fn records<T>(
    connection: &Connection,
    what: &str,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    decode: fn(&str) -> Result<T, DecodeError>,
) -> Result<Vec<T>, Unread> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
        let record = decode(&text);
        found.push(record.map_err(|why| Unread::Record { place: format!("{what} {id}"), why })?);
    }
    Ok(found)
}

fn named<T>(
    connection: &Connection,
    sql: &str,
    decode: impl Fn(&str, &str) -> Result<T, DecodeError>,
) -> Result<Vec<T>, Unread> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, text): (String, String) = (row.get(0)?, row.get(1)?);
        let record = decode(&name, &text);
        found.push(record.map_err(|why| Unread::Record { place: format!("`{name}`"), why })?);
    }
    Ok(found)
}

/// Takes out what has been over for longer than `age`. Returns whether there may be more.
pub(super) fn prune(
    connection: &Connection,
    now: Timestamp,
    age: Duration,
    limit: usize,
) -> rusqlite::Result<bool> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let cutoff = millis_since_epoch(now).saturating_sub(age);
    let limit = sql_limit(limit);
    let mut more = false;
    for sql in [
        "DELETE FROM notifications WHERE id IN
             (SELECT id FROM notifications WHERE over_at < ?1 ORDER BY over_at LIMIT ?2)",
        "DELETE FROM incidents WHERE id IN
             (SELECT id FROM incidents WHERE closed_at < ?1 AND NOT EXISTS
                (SELECT 1 FROM notifications
                 WHERE notifications.incident = incidents.id AND notifications.over_at IS NULL)
              ORDER BY closed_at LIMIT ?2)",
        // What goes on tells of few of them by their numbers, and those are kept with it.
        "DELETE FROM alerts WHERE id IN
             (SELECT id FROM alerts WHERE at < ?1
                AND (incident IS NULL OR NOT EXISTS (SELECT 1 FROM incidents WHERE incidents.id = incident))
              ORDER BY at LIMIT ?2)",
    ] {
        let taken = connection.prepare_cached(sql)?.execute(params![cutoff, limit])?;
        more |= i64::try_from(taken).is_ok_and(|taken| taken >= limit);
    }
    Ok(more)
}

fn number(id: u64) -> i64 {
    // Numbers that count from one never get there.
    signed(id).unwrap_or(i64::MAX)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
