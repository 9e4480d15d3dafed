//! The fields that say when a job runs: `schedule`, or `parents` and what they must have done, and `epsilon`.

use serde_json::Value;

use super::fields::{Findings, Object, TextRule, shown, text_of};
use super::{PeriodReader, terms};
use crate::model::limits::SCHEDULE_BYTES_MAX;
use crate::model::{
    JobName, Join, NameRule, ParentTerms, Period, ScheduleTerms, TriggerRule, When,
};

/// How many parents a job may have. What each has done for the next run is one part of one record.
pub(super) const PARENTS_MAX: usize = 1_000;

/// What a job runs on that names neither schedule nor parents: once, now.
const ONCE_NOW: &str = "R1//PT24H";

/// Schedule or parents.
///
/// As in Chronos, `parents` wins over `schedule`, and a job without both runs once now. DIFFERENCE: an empty list of
/// parents is refused here, and `null` is absence.
pub(super) fn when(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<When> {
    let rule = TextRule::LINE.at_most(SCHEDULE_BYTES_MAX);
    let text = body.text("schedule", rule, found);
    let zone = body.text("scheduleTimeZone", rule, found).unwrap_or_default();
    let rest = terms::read(body, parse_period, found);
    let rule = body.word("triggerRule", RULES, TriggerRule::parse, found).unwrap_or_default();
    let join = body.word("join", "`round` or `due`", Join::parse, found).unwrap_or_default();
    if body.get("parents").is_none() {
        for field in ["triggerRule", "join"].into_iter().filter(|key| body.get(key).is_some()) {
            found.warn(field, format!("`{field}` has no effect: the job has no `parents`"));
        }
        let refused = body.get("schedule").is_some() && text.is_none();
        let text = text.unwrap_or_else(|| ONCE_NOW.to_owned());
        return (!refused).then_some(When::Schedule(ScheduleTerms { text, zone, ..rest }));
    }
    let parents = body.short_list("parents", PARENTS_MAX, found, parent)?;
    if body.get("parents").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        // The words of Chronos, for clients that look for them.
        found.refuse(
            "parents",
            "Error, parent does not exist: `parents` is an empty list".to_owned(),
            "name at least one parent, or leave it out and give a `schedule`",
        );
        return None;
    }
    for field in terms::given(&ScheduleTerms { text: text.unwrap_or_default(), zone, ..rest }) {
        found.warn(field, format!("`{field}` has no effect: the job runs after its `parents`"));
    }
    Some(When::Parents(ParentTerms { names: without_duplicates(parents), rule, join }))
}

const RULES: &str = "`all-succeeded`, `all-done`, `any-succeeded` or `any-failed`";

fn parent(value: &Value, path: &str, found: &mut Findings) -> Option<JobName> {
    let text = text_of(value, path, TextRule::FREE, found)?;
    // The parent may have come through the other door, so the wider rule holds at both.
    let name = JobName::parse(&text, NameRule::Blanks);
    let refuse = |error| {
        let message = format!("`{path}` is `{}`, which names no job: {error}", shown(&text));
        found.refuse(path, message, "write the name of a job");
    };
    name.map_err(refuse).ok()
}

fn without_duplicates(names: Vec<JobName>) -> Vec<JobName> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}

/// How late a run may start.
pub(super) fn epsilon(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Period> {
    period(body, "epsilon", "PT60S", parse_period, found)
}

/// A period of a fixed length.
pub(super) fn period(
    body: &Object<'_>,
    key: &str,
    example: &str,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Period> {
    let rule = TextRule::LINE.at_most(SCHEDULE_BYTES_MAX);
    let text = body.text(key, rule, found)?;
    match parse_period(&text) {
        Ok(span) => Some(Period { text, span }),
        Err(why) => {
            let path = body.path_of(key);
            let remedy = format!("write a period such as `{example}`, or leave it out");
            found.refuse(&path, format!("`{path}`: {why}"), remedy);
            None
        }
    }
}

/// A period of a fixed length that is not negative.
pub(super) fn span(
    body: &Object<'_>,
    key: &str,
    example: &str,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Period> {
    let period = period(body, key, example, parse_period, found)?;
    if period.span.is_negative() {
        let path = body.path_of(key);
        let message = format!("`{path}` is `{}`, which is negative", shown(&period.text));
        let remedy = format!("write a period such as `{example}`, or leave it out");
        found.refuse(&path, message, remedy);
        return None;
    }
    Some(period)
}
