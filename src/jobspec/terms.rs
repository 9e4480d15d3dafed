//! What a scheduled job says about its occurrences beside the schedule, in both directions: `dst`, `jitter`,
//! `notBefore`, `notAfter`, `calendars` and `spreadBy`.
//!
//! Only their shape is read here. What dates, weekdays and windows mean is told by `schedule`, as with the schedule
//! itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::{Findings, Object, TextRule, shown, text_of};
use super::{PeriodReader, known, schedule_fields};
use crate::model::limits::{NAME_BYTES_MAX, SCHEDULE_BYTES_MAX};
use crate::model::{
    Calendar, CalendarUse, DstPolicy, FoldPolicy, GapPolicy, Period, ScheduleTerms,
};

/// How many calendars a job may have. Each is asked about every occurrence.
pub(super) const CALENDARS_MAX: usize = 20;

/// How many dates, weekdays or windows a calendar may have: the holidays of some decades.
pub(super) const CALENDAR_ITEMS_MAX: usize = 1_000;

/// Bytes of one of them. A span with both its ends has fifty.
pub(super) const CALENDAR_ITEM_BYTES_MAX: usize = 200;

/// Everything of the terms but the schedule and its zone.
pub(super) fn read(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> ScheduleTerms {
    let line = TextRule::LINE.at_most(SCHEDULE_BYTES_MAX);
    let dst = body.get("dst").and_then(|value| dst(value, found)).unwrap_or_default();
    let jitter = schedule_fields::period(body, "jitter", "PT10M", parse_period, found);
    let not_before = body.text("notBefore", line, found).unwrap_or_default();
    let not_after = body.text("notAfter", line, found).unwrap_or_default();
    let calendars = body.short_list("calendars", CALENDARS_MAX, found, calendar);
    let calendars = calendars.unwrap_or_default();
    refuse_same_names(&calendars, found);
    let spread_by = body.text("spreadBy", TextRule::LINE.at_most(NAME_BYTES_MAX), found);
    ScheduleTerms {
        dst,
        jitter,
        not_before,
        not_after,
        calendars,
        spread_by: spread_by.unwrap_or_default(),
        ..ScheduleTerms::default()
    }
}

fn dst(value: &Value, found: &mut Findings) -> Option<DstPolicy> {
    let object = Object::of(value, "dst", known::DST, found)?;
    let gap = object.word("gap", "`after`, `shift` or `skip`", GapPolicy::parse, found);
    let fold = object.word("fold", "`first`, `last` or `both`", FoldPolicy::parse, found);
    Some(DstPolicy { gap, fold })
}

fn calendar(item: &Value, path: &str, found: &mut Findings) -> Option<Calendar> {
    let item = Object::of(item, path, known::CALENDAR, found)?;
    let name = item.required_text("name", TextRule::LINE.at_most(NAME_BYTES_MAX), found);
    if name.as_deref() == Some("") {
        let path = item.path_of("name");
        found.refuse(&path, format!("`{path}` is empty"), "give the calendar a name");
    }
    let usage = usage(&item, found);
    let mut texts = |key| item.short_list(key, CALENDAR_ITEMS_MAX, found, text);
    let (dates, weekdays, windows) = (texts("dates"), texts("weekdays"), texts("windows"));
    // What is left out of a list has been refused by now.
    let is_empty = ["dates", "weekdays", "windows"]
        .into_iter()
        .all(|key| item.get(key).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty)));
    if is_empty {
        found.refuse(
            path,
            format!("`{path}` has neither `dates` nor `weekdays` nor `windows`"),
            "give it at least one of them, or remove the calendar",
        );
    }
    Some(Calendar {
        name: name?,
        usage: usage?,
        dates: dates.unwrap_or_default(),
        weekdays: weekdays.unwrap_or_default(),
        windows: windows.unwrap_or_default(),
    })
}

/// Has no default: a calendar used the other way round runs a job exactly when it must not.
fn usage(item: &Object<'_>, found: &mut Findings) -> Option<CalendarUse> {
    let path = item.path_of("use");
    let message = match item.get("use") {
        None => format!("`{path}` is missing"),
        Some(_) => {
            let word = item.text("use", TextRule::FREE, found)?;
            if let Some(usage) = CalendarUse::parse(&word) {
                return Some(usage);
            }
            format!("`{path}` is `{}`, which is not known", shown(&word))
        }
    };
    found.refuse(&path, message, "write `onlyIn` or `neverIn`");
    None
}

fn text(item: &Value, path: &str, found: &mut Findings) -> Option<String> {
    text_of(item, path, TextRule::LINE.at_most(CALENDAR_ITEM_BYTES_MAX), found)
}

/// People are told by name which calendar let an occurrence go.
fn refuse_same_names(calendars: &[Calendar], found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for calendar in calendars {
        if !seen.insert(&calendar.name) {
            let message = format!("`calendars` has two with the name `{}`", shown(&calendar.name));
            found.refuse("calendars", message, "give each a name of its own");
        }
    }
}

/// The names of the fields among them that say something.
pub(super) fn given(terms: &ScheduleTerms) -> impl Iterator<Item = &'static str> {
    let ScheduleTerms { text, zone, dst, jitter, not_before, not_after, calendars, spread_by } =
        terms;
    [
        ("schedule", !text.is_empty()),
        ("scheduleTimeZone", !zone.is_empty()),
        ("dst", *dst != DstPolicy::default()),
        ("jitter", jitter.is_some()),
        ("notBefore", !not_before.is_empty()),
        ("notAfter", !not_after.is_empty()),
        ("calendars", !calendars.is_empty()),
        ("spreadBy", !spread_by.is_empty()),
    ]
    .into_iter()
    .filter_map(|(field, is_given)| is_given.then_some(field))
}

/// What of the terms stands behind the other fields of a job: all but the schedule and its zone, where it says
/// something.
pub(super) fn print(terms: &ScheduleTerms, put: &mut impl FnMut(&str, Value)) {
    let ScheduleTerms {
        text: _,
        zone: _,
        dst,
        jitter,
        not_before,
        not_after,
        calendars,
        spread_by,
    } = terms;
    if *dst != DstPolicy::default() {
        put("dst", print_dst(*dst));
    }
    if let Some(Period { text, span: _ }) = jitter {
        put("jitter", text.as_str().into());
    }
    for (field, text) in [("notBefore", not_before), ("notAfter", not_after)] {
        if !text.is_empty() {
            put(field, text.as_str().into());
        }
    }
    if !calendars.is_empty() {
        put("calendars", calendars.iter().map(print_calendar).collect());
    }
    if !spread_by.is_empty() {
        put("spreadBy", spread_by.as_str().into());
    }
}

fn print_dst(policy: DstPolicy) -> Value {
    let DstPolicy { gap, fold } = policy;
    let mut printed = Map::new();
    if let Some(gap) = gap {
        printed.insert("gap".to_owned(), gap.as_str().into());
    }
    if let Some(fold) = fold {
        printed.insert("fold".to_owned(), fold.as_str().into());
    }
    Value::Object(printed)
}

fn print_calendar(calendar: &Calendar) -> Value {
    let Calendar { name, usage, dates, weekdays, windows } = calendar;
    let mut printed = json!({"name": name, "use": usage.as_str()});
    for (key, texts) in [("dates", dates), ("weekdays", weekdays), ("windows", windows)] {
        if !texts.is_empty() {
            printed[key] = texts.iter().map(String::as_str).collect();
        }
    }
    printed
}
