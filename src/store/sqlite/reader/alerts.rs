//! Reading what people were and are told of: incidents, notifications and alerts, also those that are over.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;
use rusqlite::{Connection, ToSql, params, params_from_iter};

use super::super::alerts::{self as told, Unread};
use super::{Reader, Reading, signed};
use crate::model::{
    Alert, AlertId, Incident, IncidentId, JobName, NameRule, Notification, NotificationId,
};
use crate::store::Error;

/// Which incidents are wanted. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    /// Only those that go on, or only those that are over.
    pub is_open: Option<bool>,
    /// Only those to which an alert of this job belongs.
    pub job: Option<JobName>,
}

/// Which notifications are wanted. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationFilter {
    /// Only those that stand so, by the [names](crate::model::Delivery::name); none of them: all.
    pub deliveries: Vec<&'static str>,
    /// Only those on this channel.
    pub channel: Option<String>,
    /// Only those that are about this incident alone.
    pub incident: Option<IncidentId>,
}

impl Reader {
    /// The incidents that `filter` wants with a number below that of `before`, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn incidents(
        &self,
        filter: &IncidentFilter,
        before: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<Incident>, Error> {
        let (mut conditions, mut values) = conditions_of(filter);
        if let Some(before) = before {
            conditions.push("id < ?");
            values.push(signed(before.0)?.into());
        }
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let condition = format!("{} ORDER BY id DESC LIMIT ?", joined(&conditions));
        self.with(|reading| reading.told(told::incidents, &condition, &values))
    }

    /// How many incidents `filter` wants.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn incident_count(&self, filter: &IncidentFilter) -> Result<u64, Error> {
        let (conditions, values) = conditions_of(filter);
        let sql = format!("SELECT count(*) FROM incidents WHERE {}", joined(&conditions));
        self.with(|reading| {
            let found =
                reading.rows(&sql, params_from_iter(values), |row| reading.amount(row, 0))?;
            Ok(found.first().copied().unwrap_or(0))
        })
    }

    /// One incident.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, Error> {
        let Ok(number) = signed(id.0) else { return Ok(None) };
        let found =
            self.with(|reading| reading.told(told::incidents, "id = ?", &[number.into()]))?;
        Ok(found.into_iter().next())
    }

    /// The notifications that `filter` wants with a number below that of `before`, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn notifications(
        &self,
        filter: &NotificationFilter,
        before: Option<NotificationId>,
        limit: usize,
    ) -> Result<Vec<Notification>, Error> {
        let NotificationFilter { deliveries, channel, incident } = filter;
        let (mut conditions, mut values) = (Vec::new(), Vec::<Value>::new());
        if !deliveries.is_empty() {
            conditions.push("delivery IN (SELECT value FROM json_each(?))");
            let deliveries: serde_json::Value = deliveries.iter().copied().collect();
            values.push(deliveries.to_string().into());
        }
        if let Some(channel) = channel {
            conditions.push("channel = ?");
            values.push(channel.clone().into());
        }
        if let Some(incident) = incident {
            conditions.push("incident = ?");
            values.push(signed(incident.0)?.into());
        }
        if let Some(before) = before {
            conditions.push("id < ?");
            values.push(signed(before.0)?.into());
        }
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let condition = format!("{} ORDER BY id DESC LIMIT ?", joined(&conditions));
        self.with(|reading| reading.told(told::notifications, &condition, &values))
    }

    /// How many notifications stand how, of all channels or one.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn notification_counts(
        &self,
        channel: Option<&str>,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let (condition, values) = match channel {
            Some(channel) => ("channel = ?", vec![Value::from(channel.to_owned())]),
            None => ("TRUE", Vec::new()),
        };
        let sql = format!(
            "SELECT delivery, count(*) FROM notifications WHERE {condition} GROUP BY delivery"
        );
        let found = self.with(|reading| {
            reading.rows(&sql, params_from_iter(values), |row| {
                Ok((reading.get(row, 0)?, reading.amount(row, 1)?))
            })
        })?;
        Ok(found.into_iter().collect())
    }

    /// These alerts, as far as they are still there, by their numbers.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn alerts(&self, ids: &BTreeSet<AlertId>) -> Result<BTreeMap<AlertId, Alert>, Error> {
        let ids: serde_json::Value = ids.iter().map(|id| id.0).collect();
        let condition = "id IN (SELECT value FROM json_each(?))";
        let values = [ids.to_string().into()];
        let found = self.with(|reading| reading.told(told::alerts, condition, &values))?;
        Ok(found.into_iter().map(|alert| (alert.id, alert)).collect())
    }

    /// The jobs that these alerts are about, as far as they are still there; `None` of one about the scheduler.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub fn jobs_of_alerts(
        &self,
        ids: &BTreeSet<AlertId>,
    ) -> Result<BTreeMap<AlertId, Option<JobName>>, Error> {
        let ids: serde_json::Value = ids.iter().map(|id| id.0).collect();
        let sql = "SELECT id, job FROM alerts WHERE id IN (SELECT value FROM json_each(?))";
        let found = self.with(|reading| {
            reading.rows(sql, params![ids.to_string()], |row| {
                let id = reading.amount(row, 0)?;
                let job: Option<String> = reading.get(row, 1)?;
                let job = job.map(|job| JobName::parse(&job, NameRule::Blanks)).transpose();
                let job = job
                    .map_err(|error| reading.malformed(format!("alert {id}"), error.to_string()))?;
                Ok((AlertId(id), job))
            })
        })?;
        Ok(found.into_iter().collect())
    }
}

fn conditions_of(filter: &IncidentFilter) -> (Vec<&'static str>, Vec<Value>) {
    let IncidentFilter { is_open, job } = filter;
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    conditions.extend(is_open.map(|is_open| match is_open {
        true => "closed_at IS NULL",
        false => "closed_at IS NOT NULL",
    }));
    if let Some(job) = job {
        conditions
            .push("id IN (SELECT incident FROM alerts WHERE job = ? AND incident IS NOT NULL)");
        values.push(job.as_str().to_owned().into());
    }
    (conditions, values)
}

fn joined(conditions: &[&str]) -> String {
    if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") }
}

impl Reading<'_> {
    /// What one of the statements for a leader finds under another condition.
    fn told<T>(
        &self,
        find: impl FnOnce(&Connection, &str, &[&dyn ToSql]) -> Result<Vec<T>, Unread>,
        condition: &str,
        values: &[Value],
    ) -> Result<Vec<T>, Error> {
        let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
        find(self.connection, condition, &values)
            .map_err(|unread| unread.at("read what people were told of", self.path))
    }
}
