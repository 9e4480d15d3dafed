//! What a job says to those who look after it: by when its runs should start and end, where is written what to do, and
//! labels, in both directions.

use serde_json::{Map, Value};

use super::PeriodReader;
use super::fields::{Findings, Object, TextRule, shown};
use super::schedule_fields::span;
use crate::model::limits::{LABEL_BYTES_MAX, LABELS_MAX, RUNBOOK_BYTES_MAX};
use crate::model::{Deadline, Job, Label, Objectives};

/// By when runs should start and end.
pub(super) fn read(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Objectives> {
    let objectives = Objectives {
        start_by: deadline(body, "startBy", parse_period, found),
        finish_by: deadline(body, "finishBy", parse_period, found),
        max_lateness: span(body, "maxLateness", "PT10M", parse_period, found),
        expected_duration: span(body, "expectedDuration", "PT1H", parse_period, found),
    };
    Some(objectives).filter(|objectives| !objectives.is_empty())
}

fn deadline(
    body: &Object<'_>,
    key: &str,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Deadline> {
    if let Some(Value::String(text)) = body.get(key)
        && let Some(deadline) = Deadline::time_of_day(text)
    {
        return Some(deadline);
    }
    if let Some(Value::String(text)) = body.get(key)
        && !text.starts_with(['P', 'p', '+', '-'])
    {
        let path = body.path_of(key);
        let message =
            format!("`{path}` is `{}`, which is neither a time nor a period", shown(text));
        let remedy =
            "write a time of day such as `06:30`, or a period after the due instant such as `PT2H`";
        found.refuse(&path, message, remedy);
        return None;
    }
    span(body, key, "PT2H", parse_period, found).map(Deadline::After)
}

/// Where is written what to do when something is wrong.
pub(super) fn runbook(body: &Object<'_>, found: &mut Findings) -> Option<String> {
    body.text("runbook", TextRule::LINE.at_most(RUNBOOK_BYTES_MAX), found)
}

/// Names and values.
pub(super) fn labels(body: &Object<'_>, found: &mut Findings) -> Option<Vec<Label>> {
    let remedy = "write an object of texts such as `{\"team\": \"data\"}`";
    let value = body.get("labels")?;
    let Value::Object(object) = value else {
        let message = "`labels` is no object".to_owned();
        found.refuse("labels", message, remedy);
        return None;
    };
    if object.len() > LABELS_MAX {
        let message = format!("`labels` has {} of them; {LABELS_MAX} are allowed", object.len());
        found.refuse("labels", message, "leave some of them out");
        return None;
    }
    let labels = object.iter().map(|(name, value)| label(name, value, found));
    // Each is looked at, so that all that is wrong is told at once.
    let labels: Vec<Option<Label>> = labels.collect();
    labels.into_iter().collect()
}

fn label(name: &str, value: &Value, found: &mut Findings) -> Option<Label> {
    let path = format!("labels.{}", shown(name));
    let is_short = |text: &str| text.len() <= LABEL_BYTES_MAX;
    let is_line = |text: &str| !text.chars().any(char::is_control);
    let Value::String(text) = value else {
        found.refuse(&path, format!("`{path}` is no text"), "put its value into quotes");
        return None;
    };
    let why = if name.trim().is_empty() {
        "has an empty name".to_owned()
    } else if !is_short(name) || !is_short(text) {
        format!("is longer than {LABEL_BYTES_MAX} bytes")
    } else if !is_line(name) || !is_line(text) {
        "has a control character".to_owned()
    } else {
        return Some(Label { name: name.to_owned(), value: text.clone() });
    };
    found.refuse(&path, format!("`{path}` {why}"), "change it or leave it out");
    None
}

/// What of all this says something.
pub(super) fn print(job: &Job, put: &mut impl FnMut(&str, Value)) {
    let Objectives { start_by, finish_by, max_lateness, expected_duration } = &job.objectives;
    let texts = [
        ("startBy", start_by.as_ref().map(Deadline::text)),
        ("finishBy", finish_by.as_ref().map(Deadline::text)),
        ("maxLateness", max_lateness.as_ref().map(|period| period.text.as_str())),
        ("expectedDuration", expected_duration.as_ref().map(|period| period.text.as_str())),
        ("runbook", Some(job.runbook.as_str()).filter(|text| !text.is_empty())),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, text.into());
        }
    }
    if !job.labels.is_empty() {
        let labels = job.labels.iter().map(|it| (it.name.clone(), it.value.as_str().into()));
        put("labels", Value::Object(labels.collect::<Map<_, _>>()));
    }
}
