//! The fields that say when a job runs: `schedule`, `parents`, `epsilon`, and what happens to occurrences that could
//! not start in time.

use serde_json::Value;

use super::fields::{Findings, Object, TextRule, shown, text_of};
use super::{PeriodReader, known, terms};
use crate::model::limits::SCHEDULE_BYTES_MAX;
use crate::model::{CatchUp, JobName, NameRule, Overlap, Period, ScheduleTerms, When};

/// How many occurrences may wait for their predecessor. Each is a run of its own in the store.
const WAITING_MAX: i64 = 1_000;

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
    if body.get("parents").is_none() {
        let refused = body.get("schedule").is_some() && text.is_none();
        let text = text.unwrap_or_else(|| ONCE_NOW.to_owned());
        return (!refused).then_some(When::Schedule(ScheduleTerms { text, zone, ..rest }));
    }
    let parents = body.list("parents", found, parent)?;
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
    Some(When::Parents(without_duplicates(parents)))
}

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
            let remedy = format!("write a period such as `{example}`, or leave it out");
            found.refuse(key, format!("`{key}`: {why}"), remedy);
            None
        }
    }
}

/// What happens to an occurrence whose predecessor still runs.
pub(super) fn overlap(
    body: &Object<'_>,
    concurrent: Option<bool>,
    found: &mut Findings,
) -> Option<Overlap> {
    let overlap = match body.get("overlap")? {
        value @ Value::Object(_) => {
            let object = Object::of(value, "overlap", known::OVERLAP, found)?;
            if object.get("queue").is_none() {
                let message = "`overlap` is an object without `queue`".to_owned();
                found.refuse("overlap", message, OVERLAP_REMEDY);
            }
            let max = object.whole("queue", 1..=WAITING_MAX, found)?;
            Some(Overlap::Queue { max: u32::try_from(max).expect("within 1..=WAITING_MAX") })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let parse = |word: &str| match word {
                "skip" => Some(Overlap::Skip),
                "queue" => Some(Overlap::Queue { max: 1 }),
                "allow" => Some(Overlap::Allow),
                _ => None,
            };
            body.word("overlap", "`skip`, `queue`, `{\"queue\": 3}` or `allow`", parse, found)
        }
    };
    // A client that knows Chronos only changes `concurrent` and sends `overlap` back as it got it; one that knows both
    // changes `overlap`. The opposite, `false` with `allow`, is clear: `false` is what is printed for every other job.
    if concurrent == Some(true) && overlap.is_some_and(|overlap| overlap != Overlap::Allow) {
        let message = "`overlap` contradicts `concurrent`, which is `true`".to_owned();
        found.refuse("overlap", message, "leave one of them out");
    }
    overlap
}

const OVERLAP_REMEDY: &str = "write `skip`, `queue`, `{\"queue\": 3}` or `allow`, or leave it out";

/// What happens to occurrences that were missed.
pub(super) fn catch_up(body: &Object<'_>, found: &mut Findings) -> Option<CatchUp> {
    let parse = |word: &str| match word {
        "none" => Some(CatchUp::None),
        "latest" => Some(CatchUp::Latest),
        _ => None,
    };
    body.word("catchUp", "`none` or `latest`", parse, found)
}
