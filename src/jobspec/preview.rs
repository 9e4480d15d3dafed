//! A schedule tried out: from what was typed to terms, and from its preview to JSON.
//!
//! The parameters of `P/preview` and the flags of `chronode next` are read here alike, and both print this object,
//! whichever of them calculates.

use serde_json::{Map, Value, json};

use crate::model::{DstPolicy, FoldPolicy, GapPolicy, Period, ScheduleTerms, Timestamp};
use crate::schedule::{Opening, Preview, Schedule, ScheduleError, parse_period};

/// Occurrences of a preview when nobody says how many.
pub const PREVIEW_COUNT_DEFAULT: usize = 10;
/// Occurrences of a preview at most.
pub const PREVIEW_COUNT_MAX: usize = 1_000;

/// What was typed about a schedule, each part on its own. What is empty was not given.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the parts are those of `ScheduleTerms`, as typed")]
pub struct TypedTerms<'t> {
    pub schedule: &'t str,
    pub zone: &'t str,
    pub jitter: &'t str,
    pub not_before: &'t str,
    pub not_after: &'t str,
    pub dst_gap: &'t str,
    pub dst_fold: &'t str,
}

impl<'t> TypedTerms<'t> {
    /// The terms.
    ///
    /// # Errors
    ///
    /// Refuses a jitter that is no period and a policy that is none. The rest is told by [`Schedule::of`].
    pub fn read(self) -> Result<ScheduleTerms, ScheduleError> {
        let Self { schedule, zone, jitter, not_before, not_after, dst_gap, dst_fold } = self;
        let expected = "expected `after`, `shift` or `skip`";
        let gap = word("dstGap", dst_gap, GapPolicy::parse, expected)?;
        let expected = "expected `first`, `last` or `both`";
        let fold = word("dstFold", dst_fold, FoldPolicy::parse, expected)?;
        Ok(ScheduleTerms {
            text: schedule.to_owned(),
            zone: zone.to_owned(),
            dst: DstPolicy { gap, fold },
            jitter: read_jitter(jitter)?,
            not_before: not_before.to_owned(),
            not_after: not_after.to_owned(),
            calendars: Vec::new(),
            spread_by: String::new(),
        })
    }

    /// The part that an error is about, as typed.
    #[must_use]
    pub fn text_of(&self, error: &ScheduleError) -> &'t str {
        match &*error.field {
            "schedule" => self.schedule,
            "scheduleTimeZone" => self.zone,
            "jitter" => self.jitter,
            "notBefore" => self.not_before,
            "notAfter" => self.not_after,
            "dstGap" => self.dst_gap,
            "dstFold" => self.dst_fold,
            _ => "",
        }
    }
}

fn word<T>(
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, ScheduleError> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = || {
        let found = super::fields::shown(text);
        let message = format!("`{field}` is `{found}`: {expected}");
        ScheduleError { field: field.into(), span: 0..text.len(), found, message }
    };
    parse(text).map(Some).ok_or_else(refused)
}

fn read_jitter(text: &str) -> Result<Option<Period>, ScheduleError> {
    if text.is_empty() {
        return Ok(None);
    }
    let span =
        parse_period(text).map_err(|error| ScheduleError { field: "jitter".into(), ..error })?;
    Ok(Some(Period { text: text.to_owned(), span }))
}

/// The preview of a schedule as JSON. `terms` are those that the schedule was made of.
#[must_use]
pub fn print_preview(terms: &ScheduleTerms, schedule: &Schedule, preview: &Preview) -> Value {
    let Preview { next, warnings } = preview;
    let is_spread = terms.jitter.is_some();
    let next = next.iter().map(|opening| {
        let Opening { due_at, opens_at } = *opening;
        let mut item = Map::new();
        item.insert("utc".to_owned(), instant(due_at).into());
        item.insert("local".to_owned(), schedule.zone().print(due_at).into());
        if is_spread {
            item.insert("opensAt".to_owned(), instant(opens_at).into());
        }
        Value::Object(item)
    });
    json!({
        "next": next.collect::<Value>(),
        "warnings": warnings,
        "description": schedule.description(),
    })
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}
