//! What a job says about its runs and attempts beside when it is due, in both directions: time-outs, stops, retries,
//! failures in a row, priority, doubt, runs that meet, and missed occurrences.
//!
//! Where Chronos has a word for a part of it (`maxCompletionTime`, `highPriority`, `concurrent`), a client that knows
//! only that word changes only that; so both words are read, and what contradicts is refused rather than guessed at.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::{Findings, Object, shown, whole_of};
use super::schedule_fields::{period, span};
use super::{PeriodReader, known};
use crate::model::limits::{LIVE_RUNS_PER_JOB_MAX, PORTS_MAX};
use crate::model::{
    Backoff, CatchUp, Dialect, Fitness, Job, OnUnknown, Overlap, Period, Priority, RetryEnds,
    RetryTerms, Scalar, Shadow, UnknownThen,
};

/// The longest `timeout`, 292 years: Mesos is told it in nanoseconds of 64 bits.
pub(super) const COMPLETION_SECS_MAX: i64 = i64::MAX / 1_000_000_000;

/// How many occurrences may wait for their predecessor. Each is a run of its own in the store.
pub(super) const WAITING_MAX: i64 = 1_000;

/// How many missed occurrences may be run late. Each is a run of its own in the store.
pub(super) const CAUGHT_UP_MAX: i64 = 1_000;

/// What `catchUp: all` means without a number.
const CAUGHT_UP_DEFAULT: u32 = 100;

/// Exit codes that a job may name: there are no more.
pub(super) const EXIT_CODES_MAX: usize = 256;

/// Failures in a row that a job may wait for. More are never meant.
pub(super) const FAILURES_MAX: i64 = 1_000_000;

/// By which each pause grows where an object says nothing about it.
pub(super) const FACTOR_DEFAULT: Scalar = Scalar::from_thousandths(2_000);

/// A larger factor leaves one pause and then none that ends.
pub(super) const FACTOR_MAX: Scalar = Scalar::from_thousandths(1_000_000);

pub(super) const ONE: Scalar = Scalar::from_thousandths(1_000);

/// Seconds after which an attempt is stopped: `timeout`, or Chronos' `maxCompletionTime`.
pub(super) fn completion_secs(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<u64> {
    let ours = span(body, "timeout", "PT10M", parse_period, found)
        .and_then(|period| whole_secs(&period, found).map(|secs| (secs, period.text)));
    let theirs = body.whole("maxCompletionTime", 0..=COMPLETION_SECS_MAX, found);
    match (ours, theirs) {
        (Some((secs, text)), Some(other)) if secs != other => {
            let message = format!(
                "`timeout` is `{}` and `maxCompletionTime` is `{other}`, which is not the same",
                shown(&text)
            );
            found.refuse("timeout", message, "leave one of them out");
            None
        }
        (Some((secs, _)), _) | (None, Some(secs)) => Some(secs.unsigned_abs()),
        (None, None) => None,
    }
}

fn whole_secs(timeout: &Period, found: &mut Findings) -> Option<i64> {
    let Period { text, span } = timeout;
    let wrong = if span.subsec_nanos() != 0 {
        "which is no whole number of seconds".to_owned()
    } else if span.as_secs() > COMPLETION_SECS_MAX {
        format!("which is more than {COMPLETION_SECS_MAX} seconds")
    } else {
        return Some(span.as_secs());
    };
    let message = format!("`timeout` is `{}`, {wrong}", shown(text));
    found.refuse("timeout", message, "write a period such as `PT10M`, or leave it out");
    None
}

/// How long a task is given between being asked to stop and being stopped.
pub(super) fn kill_grace(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<Period> {
    span(body, "killGrace", "PT30S", parse_period, found)
}

/// Final failures in a row after which the job is disabled.
pub(super) fn disable_after_failures(body: &Object<'_>, found: &mut Findings) -> Option<u32> {
    let count = body.whole("disableAfterFailures", 0..=FAILURES_MAX, found)?;
    Some(u32::try_from(count).expect("within 0..=FAILURES_MAX"))
}

/// When attempts follow a failed one, and after which failures; `None` if nothing is said about it.
pub(super) fn retry(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<RetryTerms> {
    let delay = span(body, "retryDelay", "PT30S", parse_period, found);
    let backoff = body.get("retryBackoff").and_then(|value| backoff(value, parse_period, found));
    let ends = retry_ends(body, found);
    let until = span(body, "retryUntil", "PT6H", parse_period, found);
    let terms = RetryTerms { delay, backoff, ends, until };
    (terms != RetryTerms::default()).then_some(terms)
}

fn backoff(value: &Value, parse_period: PeriodReader<'_>, found: &mut Findings) -> Option<Backoff> {
    let object = Object::of(value, "retryBackoff", known::RETRY_BACKOFF, found)?;
    let factor = object.number("factor", ONE..=FACTOR_MAX, found);
    let max = period(&object, "max", "PT1H", parse_period, found);
    if let Some(Period { text, .. }) = max.as_ref().filter(|max| !max.span.is_positive()) {
        let message = format!("`retryBackoff.max` is `{}`, which leaves no pause", shown(text));
        let remedy = "write a period such as `PT1H`, or leave it out";
        found.refuse("retryBackoff.max", message, remedy);
    }
    let jitter = object.number("jitter", Scalar::ZERO..=ONE, found);
    Some(Backoff {
        factor: factor.unwrap_or(FACTOR_DEFAULT),
        max,
        jitter: jitter.unwrap_or(Scalar::ZERO),
    })
}

/// `retryOn` or `noRetryOn`. An empty list says nothing, as if it were absent.
fn retry_ends(body: &Object<'_>, found: &mut Findings) -> RetryEnds {
    let mut codes = |key| body.short_list(key, EXIT_CODES_MAX, found, exit_code);
    let given = |codes: Option<Vec<i32>>| codes.map(without_duplicates).unwrap_or_default();
    let (only, never) = (given(codes("retryOn")), given(codes("noRetryOn")));
    match (only.is_empty(), never.is_empty()) {
        (true, true) => RetryEnds::All,
        (false, true) => RetryEnds::Codes(only),
        (true, false) => RetryEnds::NotCodes(never),
        (false, false) => {
            let message = "`noRetryOn` has no place beside `retryOn`, which names all that is \
                           tried again"
                .to_owned();
            found.refuse("noRetryOn", message, "leave one of them out");
            RetryEnds::All
        }
    }
}

/// 0 is success, and nothing above 255 reaches anybody.
fn exit_code(item: &Value, path: &str, found: &mut Findings) -> Option<i32> {
    let code = whole_of(item, path, 1..=255, found)?;
    Some(i32::try_from(code).expect("within 1..=255"))
}

fn without_duplicates(codes: Vec<i32>) -> Vec<i32> {
    let mut seen = BTreeSet::new();
    codes.into_iter().filter(|&code| seen.insert(code)).collect()
}

/// `ports`.
pub(super) fn ports(body: &Object<'_>, found: &mut Findings) -> Option<u32> {
    let count = body.whole("ports", 0..=i64::from(PORTS_MAX), found)?;
    u32::try_from(count).ok()
}

/// `placement`.
pub(super) fn placement(body: &Object<'_>, found: &mut Findings) -> Option<Fitness> {
    body.word("placement", "`pack` or `spread`", Fitness::parse, found)
}

/// `priority`, or Chronos' `highPriority`.
///
/// `false` is what is printed for every job that is not high, so beside `high` it says nothing: somebody who knows both
/// has changed `priority`.
pub(super) fn priority(body: &Object<'_>, found: &mut Findings) -> Option<Priority> {
    let is_high = body.flag("highPriority", found);
    let priority = body.word("priority", "`low`, `normal` or `high`", Priority::parse, found);
    match (priority, is_high) {
        (Some(Priority::Low | Priority::Normal), Some(true)) => {
            let message = "`priority` contradicts `highPriority`, which is `true`".to_owned();
            found.refuse("priority", message, "leave one of them out");
            None
        }
        (Some(priority), _) => Some(priority),
        (None, Some(true)) => Some(Priority::High),
        (None, Some(false)) => Some(Priority::Normal),
        (None, None) => None,
    }
}

/// What becomes of an attempt of which nobody can say whether it ran.
pub(super) fn on_unknown(
    body: &Object<'_>,
    parse_period: PeriodReader<'_>,
    found: &mut Findings,
) -> Option<OnUnknown> {
    let value = body.get("onUnknown")?;
    let object = Object::of(value, "onUnknown", known::ON_UNKNOWN, found)?;
    let wait = span(&object, "wait", "PT5M", parse_period, found);
    let then = object.word("then", "`lost` or `relaunch`", UnknownThen::parse, found);
    let OnUnknown { wait: wait_default, then: then_default } = OnUnknown::default();
    Some(OnUnknown { wait: wait.unwrap_or(wait_default), then: then.unwrap_or(then_default) })
}

/// What happens to an occurrence whose predecessor still runs.
///
/// Whether it contradicts `concurrent` is found when the draft is resolved: a client that knows one of the two sends the
/// other back as it got it.
pub(super) fn overlap(body: &Object<'_>, found: &mut Findings) -> Option<Overlap> {
    match body.get("overlap")? {
        value @ Value::Object(_) => {
            let object = Object::of(value, "overlap", known::OVERLAP, found)?;
            Some(overlap_of(&object, found)?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let parse = |word: &str| match word {
                "skip" => Some(Overlap::Skip),
                "queue" => Some(Overlap::Queue { max: 1 }),
                "replace" => Some(Overlap::Replace),
                "allow" => Some(Overlap::Allow { max: None }),
                _ => None,
            };
            body.word("overlap", OVERLAPS, parse, found)
        }
    }
}

const OVERLAPS: &str = "`skip`, `queue`, `{\"queue\": 3}`, `replace`, `allow` or `{\"allow\": 3}`";

fn overlap_of(object: &Object<'_>, found: &mut Findings) -> Option<Overlap> {
    let live_max = i64::try_from(LIVE_RUNS_PER_JOB_MAX).expect("a small number");
    let count = |count: i64| u32::try_from(count).expect("within the ranges");
    let message = match (object.get("queue"), object.get("allow")) {
        (Some(_), None) => {
            let max = object.whole("queue", 1..=WAITING_MAX, found)?;
            return Some(Overlap::Queue { max: count(max) });
        }
        (None, Some(_)) => {
            let max = object.whole("allow", 1..=live_max, found)?;
            return Some(Overlap::Allow { max: Some(count(max)) });
        }
        (None, None) => "`overlap` is an object without `queue` or `allow`",
        (Some(_), Some(_)) => "`overlap` is an object with both `queue` and `allow`",
    };
    let remedy = format!("write {OVERLAPS}, or leave it out");
    found.refuse("overlap", message.to_owned(), remedy);
    None
}

/// What happens to occurrences that were missed.
pub(super) fn catch_up(body: &Object<'_>, found: &mut Findings) -> Option<CatchUp> {
    const CATCH_UPS: &str = "`none`, `latest`, `all` or `{\"all\": 10}`";
    let value @ Value::Object(_) = body.get("catchUp")? else {
        let parse = |word: &str| match word {
            "none" => Some(CatchUp::None),
            "latest" => Some(CatchUp::Latest),
            "all" => Some(CatchUp::All { max: CAUGHT_UP_DEFAULT }),
            _ => None,
        };
        return body.word("catchUp", CATCH_UPS, parse, found);
    };
    let object = Object::of(value, "catchUp", known::CATCH_UP, found)?;
    if object.get("all").is_none() {
        let message = "`catchUp` is an object without `all`".to_owned();
        found.refuse("catchUp", message, format!("write {CATCH_UPS}, or leave it out"));
    }
    let max = object.whole("all", 1..=CAUGHT_UP_MAX, found)?;
    Some(CatchUp::All { max: u32::try_from(max).expect("within 1..=CAUGHT_UP_MAX") })
}

/// Whether the job is only planned, and until when.
pub(super) fn shadow(body: &Object<'_>, found: &mut Findings) -> Option<Shadow> {
    let value @ Value::Object(_) = body.get("shadow")? else {
        let is_shadow = body.flag("shadow", found)?;
        return Some(if is_shadow { Shadow::On } else { Shadow::Off });
    };
    let object = Object::of(value, "shadow", known::SHADOW, found)?;
    if object.get("until").is_none() {
        let message = "`shadow` is an object without `until`".to_owned();
        let remedy = "write `true`, `false` or `{\"until\": \"2030-01-01T00:00:00Z\"}`";
        found.refuse("shadow", message, remedy);
    }
    let words = "an instant such as `2030-01-01T00:00:00Z`";
    object.word("until", words, |text| text.parse().ok(), found).map(Shadow::Until)
}

/// What of all this has no field in Chronos, where it says something.
pub(super) fn print(job: &Job, dialect: Dialect, put: &mut impl FnMut(&str, Value)) {
    if !is_shown_otherwise(job.overlap, dialect) {
        put("overlap", print_overlap(job.overlap));
    }
    if job.catch_up != catch_up_default(dialect) {
        put("catchUp", print_catch_up(job.catch_up));
    }
    match dialect {
        Dialect::V0 if job.max_completion_secs != 0 => {
            put("timeout", format!("PT{}S", job.max_completion_secs).into());
        }
        // The new door prints `maxCompletionTime`.
        Dialect::V0 | Dialect::V1 => {}
    }
    print_retry(&job.retry, put);
    if let Some(Period { text, span: _ }) = &job.kill_grace {
        put("killGrace", text.as_str().into());
    }
    if let Some(count) = job.disable_after_failures {
        put("disableAfterFailures", count.into());
    }
    match job.priority {
        Priority::Low => put("priority", job.priority.as_str().into()),
        // `highPriority` says it.
        Priority::Normal | Priority::High => {}
    }
    if job.resources.ports != 0 {
        put("ports", job.resources.ports.into());
    }
    match job.placement {
        Fitness::Pack => {}
        Fitness::Spread => put("placement", job.placement.as_str().into()),
    }
    match job.shadow {
        Shadow::Off => {}
        Shadow::On => put("shadow", true.into()),
        Shadow::Until(until) => put("shadow", json!({"until": until.to_string()})),
    }
    if job.on_unknown != OnUnknown::default() {
        let OnUnknown { wait, then } = &job.on_unknown;
        put("onUnknown", json!({"wait": wait.text, "then": then.as_str()}));
    }
}

fn print_retry(terms: &RetryTerms, put: &mut impl FnMut(&str, Value)) {
    let RetryTerms { delay, backoff, ends, until } = terms;
    if let Some(Period { text, span: _ }) = delay {
        put("retryDelay", text.as_str().into());
    }
    if let Some(backoff) = backoff {
        put("retryBackoff", print_backoff(backoff));
    }
    match ends {
        RetryEnds::All => {}
        RetryEnds::Codes(codes) => put("retryOn", codes.as_slice().into()),
        RetryEnds::NotCodes(codes) => put("noRetryOn", codes.as_slice().into()),
    }
    if let Some(Period { text, span: _ }) = until {
        put("retryUntil", text.as_str().into());
    }
}

fn print_backoff(backoff: &Backoff) -> Value {
    let Backoff { factor, max, jitter } = backoff;
    let mut printed = Map::new();
    printed.insert("factor".to_owned(), print_number(*factor));
    if let Some(Period { text, span: _ }) = max {
        printed.insert("max".to_owned(), text.as_str().into());
    }
    if *jitter != Scalar::ZERO {
        printed.insert("jitter".to_owned(), print_number(*jitter));
    }
    Value::Object(printed)
}

/// Without a decimal point where there is nothing behind it, as people write it.
fn print_number(number: Scalar) -> Value {
    let thousandths = number.thousandths();
    if thousandths.is_multiple_of(1_000) {
        (thousandths / 1_000).into()
    } else {
        number.units().into()
    }
}

/// Whether a body printed by `dialect` means `overlap` without the field. Follows `JobDraft::resolve`.
const fn is_shown_otherwise(overlap: Overlap, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V0 => matches!(overlap, Overlap::Skip),
        // `concurrent` says the first; the second is the default, because `epsilon` is not printed.
        Dialect::V1 => matches!(overlap, Overlap::Allow { max: None } | Overlap::Queue { max: 1 }),
    }
}

fn print_overlap(overlap: Overlap) -> Value {
    match overlap {
        Overlap::Skip => "skip".into(),
        Overlap::Queue { max: 1 } => "queue".into(),
        Overlap::Queue { max } => json!({"queue": max}),
        Overlap::Replace => "replace".into(),
        Overlap::Allow { max: None } => "allow".into(),
        Overlap::Allow { max: Some(max) } => json!({"allow": max}),
    }
}

/// What `dialect` makes of a body that it printed without `catchUp`. Follows `JobDraft::resolve`.
const fn catch_up_default(dialect: Dialect) -> CatchUp {
    match dialect {
        Dialect::V0 => CatchUp::None,
        Dialect::V1 => CatchUp::Latest,
    }
}

fn print_catch_up(catch_up: CatchUp) -> Value {
    match catch_up {
        CatchUp::None => "none".into(),
        CatchUp::Latest => "latest".into(),
        CatchUp::All { max: CAUGHT_UP_DEFAULT } => "all".into(),
        CatchUp::All { max } => json!({"all": max}),
    }
}
