//! The stored form of what operators do: interventions, pauses, occurrences skipped ahead, backfills.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::{EnvVarRecord, env_var_from, env_var_record};
use super::{AsWord, DecodeError, Word, is_default, job_name, malformed};
use crate::model::{
    Backfill, BackfillId, BackfillState, Incarnation, Intervention, Interventions, Origin, Pause,
    Skip, SourceName, Timestamp, Verdict,
};

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InterventionRecord<'a> {
    #[serde(default, skip_serializing_if = "is_default")]
    by: Text<'a>,
    at: AsWord<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: Text<'a>,
}

pub(super) fn intervention_record(intervention: &Intervention) -> InterventionRecord<'_> {
    let Intervention { by, at, reason } = intervention;
    InterventionRecord { by: by.into(), at: AsWord(*at), reason: reason.into() }
}

pub(super) fn intervention(record: InterventionRecord<'_>) -> Intervention {
    let InterventionRecord { by, at, reason } = record;
    Intervention { by: by.into_owned(), at: at.0, reason: reason.into_owned() }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PauseRecord<'a> {
    by: InterventionRecord<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<AsWord<Timestamp>>,
}

pub(super) fn pause_record(pause: &Pause) -> PauseRecord<'_> {
    let Pause { by, until } = pause;
    PauseRecord { by: intervention_record(by), until: until.map(AsWord) }
}

pub(super) fn pause(record: PauseRecord<'_>) -> Pause {
    let PauseRecord { by, until } = record;
    Pause { by: intervention(by), until: until.map(|until| until.0) }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SkipRecord<'a> {
    due_at: AsWord<Timestamp>,
    by: InterventionRecord<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InterventionsRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause: Option<PauseRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skips: Vec<SkipRecord<'a>>,
    /// Since version 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OriginRecord<'a> {
    source: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    place: Text<'a>,
    revision: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    is_gone: bool,
}

fn origin_record(origin: &Origin) -> OriginRecord<'_> {
    let Origin { source, place, revision, is_gone } = origin;
    OriginRecord {
        source: source.as_str().into(),
        place: place.into(),
        revision: *revision,
        is_gone: *is_gone,
    }
}

fn origin(record: OriginRecord<'_>) -> Result<Origin, DecodeError> {
    let OriginRecord { source, place, revision, is_gone } = record;
    let source = SourceName::parse(&source)
        .map_err(|error| malformed(format!("`{source}` names no source: {error}")))?;
    Ok(Origin { source, place: place.into_owned(), revision, is_gone })
}

pub(super) fn interventions_record(interventions: &Interventions) -> InterventionsRecord<'_> {
    let Interventions { pause, skips, origin } = interventions;
    InterventionsRecord {
        pause: pause.as_ref().map(pause_record),
        skips: skips
            .iter()
            .map(|Skip { due_at, by }| SkipRecord {
                due_at: AsWord(*due_at),
                by: intervention_record(by),
            })
            .collect(),
        origin: origin.as_ref().map(origin_record),
    }
}

pub(super) fn interventions(record: InterventionsRecord<'_>) -> Result<Interventions, DecodeError> {
    let InterventionsRecord { pause: record, skips, origin: from } = record;
    let skip = |SkipRecord { due_at, by }| Skip { due_at: due_at.0, by: intervention(by) };
    Ok(Interventions {
        pause: record.map(pause),
        skips: skips.into_iter().map(skip).collect(),
        origin: from.map(origin).transpose()?,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BackfillRecord<'a> {
    id: u64,
    incarnation: u64,
    job: Text<'a>,
    by: InterventionRecord<'a>,
    due: Vec<AsWord<Timestamp>>,
    concurrency: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    stops_on_failure: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environment: Vec<EnvVarRecord<'a>>,
    begun: usize,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ended: BTreeMap<Text<'a>, u64>,
    state: BackfillStateRecord<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum BackfillStateRecord<'a> {
    Going,
    Done { at: AsWord<Timestamp> },
    Cancelled { at: AsWord<Timestamp>, reason: Text<'a> },
}

pub(super) fn backfill_record(backfill: &Backfill) -> BackfillRecord<'_> {
    let Backfill {
        id,
        incarnation,
        job,
        by,
        due,
        concurrency,
        stops_on_failure,
        arguments,
        environment,
        begun,
        ended,
        state,
    } = backfill;
    BackfillRecord {
        id: id.0,
        incarnation: incarnation.0,
        job: job.as_str().into(),
        by: intervention_record(by),
        due: due.iter().copied().map(AsWord).collect(),
        concurrency: *concurrency,
        stops_on_failure: *stops_on_failure,
        arguments: arguments.as_ref().map(Text::from),
        environment: environment.iter().map(env_var_record).collect(),
        begun: *begun,
        ended: ended.iter().map(|(verdict, count)| (verdict.print(), *count)).collect(),
        state: match state {
            BackfillState::Going => BackfillStateRecord::Going,
            BackfillState::Done { at } => BackfillStateRecord::Done { at: AsWord(*at) },
            BackfillState::Cancelled { at, reason } => {
                BackfillStateRecord::Cancelled { at: AsWord(*at), reason: reason.into() }
            }
        },
    }
}

pub(super) fn backfill(record: BackfillRecord<'_>) -> Result<Backfill, DecodeError> {
    let BackfillRecord {
        id,
        incarnation,
        job,
        by,
        due,
        concurrency,
        stops_on_failure,
        arguments,
        environment,
        begun,
        ended,
        state,
    } = record;
    let verdict = |(word, count): (Text<'_>, u64)| {
        let verdict = Verdict::parse(&word);
        let verdict = verdict.ok_or_else(|| malformed(format!("`{word}` is not a verdict")))?;
        Ok((verdict, count))
    };
    Ok(Backfill {
        id: BackfillId(id),
        incarnation: Incarnation(incarnation),
        job: job_name(&job)?,
        by: intervention(by),
        due: due.into_iter().map(|at| at.0).collect(),
        concurrency,
        stops_on_failure,
        arguments: arguments.map(Cow::into_owned),
        environment: environment.into_iter().map(env_var_from).collect(),
        begun,
        ended: ended.into_iter().map(verdict).collect::<Result<_, DecodeError>>()?,
        state: match state {
            BackfillStateRecord::Going => BackfillState::Going,
            BackfillStateRecord::Done { at } => BackfillState::Done { at: at.0 },
            BackfillStateRecord::Cancelled { at, reason } => {
                BackfillState::Cancelled { at: at.0, reason: reason.into_owned() }
            }
        },
    })
}
