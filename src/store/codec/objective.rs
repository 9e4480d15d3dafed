//! The stored form of what a job expects of its runs.

use serde::{Deserialize, Serialize};

use super::job::{PeriodRecord, Text, period_from, period_record};
use super::{DecodeError, malformed};
use crate::model::{Deadline, Objectives};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectivesRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_by: Option<DeadlineRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finish_by: Option<DeadlineRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_lateness: Option<PeriodRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_duration: Option<PeriodRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum DeadlineRecord<'a> {
    After(PeriodRecord<'a>),
    At(Text<'a>),
}

/// `None` where nothing is expected, as of most jobs.
pub(super) fn objectives_record(objectives: &Objectives) -> Option<ObjectivesRecord<'_>> {
    let Objectives { start_by, finish_by, max_lateness, expected_duration } = objectives;
    (!objectives.is_empty()).then(|| ObjectivesRecord {
        start_by: start_by.as_ref().map(deadline_record),
        finish_by: finish_by.as_ref().map(deadline_record),
        max_lateness: max_lateness.as_ref().map(period_record),
        expected_duration: expected_duration.as_ref().map(period_record),
    })
}

pub(super) fn objectives_from(
    record: Option<ObjectivesRecord<'_>>,
) -> Result<Objectives, DecodeError> {
    let Some(record) = record else { return Ok(Objectives::default()) };
    let ObjectivesRecord { start_by, finish_by, max_lateness, expected_duration } = record;
    Ok(Objectives {
        start_by: start_by.map(deadline_from).transpose()?,
        finish_by: finish_by.map(deadline_from).transpose()?,
        max_lateness: max_lateness.map(period_from).transpose()?,
        expected_duration: expected_duration.map(period_from).transpose()?,
    })
}

fn deadline_record(deadline: &Deadline) -> DeadlineRecord<'_> {
    match deadline {
        Deadline::After(period) => DeadlineRecord::After(period_record(period)),
        Deadline::At { text, time: _ } => DeadlineRecord::At(text.into()),
    }
}

fn deadline_from(record: DeadlineRecord<'_>) -> Result<Deadline, DecodeError> {
    match record {
        DeadlineRecord::After(period) => Ok(Deadline::After(period_from(period)?)),
        DeadlineRecord::At(text) => Deadline::time_of_day(&text)
            .ok_or_else(|| malformed(format!("`{text}` is no time of day"))),
    }
}
