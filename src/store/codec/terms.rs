//! The stored form of what a job says about its occurrences.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::job::{PeriodRecord, borrowed, owned, period_from, period_record};
use super::{AsWord, DecodeError, is_default};
use crate::model::{Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, ScheduleTerms};

type Text<'a> = Cow<'a, str>;

/// All but text and zone since version 2.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TermsRecord<'a> {
    text: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    zone: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap: Option<AsWord<GapPolicy>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fold: Option<AsWord<FoldPolicy>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jitter: Option<PeriodRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    not_before: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    not_after: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calendars: Vec<CalendarRecord<'a>>,
    /// Since version 3.
    #[serde(default, skip_serializing_if = "is_default")]
    spread_by: Text<'a>,
}

pub(super) fn terms_record(terms: &ScheduleTerms) -> TermsRecord<'_> {
    let ScheduleTerms {
        text,
        zone,
        dst: DstPolicy { gap, fold },
        jitter,
        not_before,
        not_after,
        calendars,
        spread_by,
    } = terms;
    TermsRecord {
        text: text.into(),
        zone: zone.into(),
        gap: gap.map(AsWord),
        fold: fold.map(AsWord),
        jitter: jitter.as_ref().map(period_record),
        not_before: not_before.into(),
        not_after: not_after.into(),
        calendars: calendars.iter().map(calendar_record).collect(),
        spread_by: spread_by.into(),
    }
}

pub(super) fn terms_from(record: TermsRecord<'_>) -> Result<ScheduleTerms, DecodeError> {
    let TermsRecord { text, zone, gap, fold, jitter, not_before, not_after, calendars, spread_by } =
        record;
    Ok(ScheduleTerms {
        text: text.into_owned(),
        zone: zone.into_owned(),
        dst: DstPolicy { gap: gap.map(|word| word.0), fold: fold.map(|word| word.0) },
        jitter: jitter.map(period_from).transpose()?,
        not_before: not_before.into_owned(),
        not_after: not_after.into_owned(),
        calendars: calendars.into_iter().map(calendar_from).collect(),
        spread_by: spread_by.into_owned(),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CalendarRecord<'a> {
    name: Text<'a>,
    usage: AsWord<CalendarUse>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dates: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weekdays: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<Text<'a>>,
}

fn calendar_record(calendar: &Calendar) -> CalendarRecord<'_> {
    let Calendar { name, usage, dates, weekdays, windows } = calendar;
    CalendarRecord {
        name: name.into(),
        usage: AsWord(*usage),
        dates: borrowed(dates),
        weekdays: borrowed(weekdays),
        windows: borrowed(windows),
    }
}

fn calendar_from(record: CalendarRecord<'_>) -> Calendar {
    let CalendarRecord { name, usage, dates, weekdays, windows } = record;
    Calendar {
        name: name.into_owned(),
        usage: usage.0,
        dates: owned(dates),
        weekdays: owned(weekdays),
        windows: owned(windows),
    }
}
