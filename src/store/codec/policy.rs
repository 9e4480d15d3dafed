//! The stored form of what a job says about its attempts and about runs that meet: retries, doubt, overlap, catching up;
//! and whether it is only planned.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::job::{PeriodRecord, period_from, period_record};
use super::{AsWord, DecodeError, is_default};
use crate::model::{
    Backoff, CatchUp, OnUnknown, Overlap, RetryEnds, RetryTerms, Scalar, Shadow, Timestamp,
    UnknownThen,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RetryRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay: Option<PeriodRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backoff: Option<BackoffRecord<'a>>,
    /// Left out where every known failure is retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<EndsRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<PeriodRecord<'a>>,
}

/// `None` where they say nothing, as of most jobs.
pub(super) fn retry_record(terms: &RetryTerms) -> Option<RetryRecord<'_>> {
    let RetryTerms { delay, backoff, ends, until } = terms;
    if *terms == RetryTerms::default() {
        return None;
    }
    Some(RetryRecord {
        delay: delay.as_ref().map(period_record),
        backoff: backoff.as_ref().map(backoff_record),
        ends: ends_record(ends),
        until: until.as_ref().map(period_record),
    })
}

pub(super) fn retry_from(record: Option<RetryRecord<'_>>) -> Result<RetryTerms, DecodeError> {
    let Some(RetryRecord { delay, backoff, ends, until }) = record else {
        return Ok(RetryTerms::default());
    };
    Ok(RetryTerms {
        delay: delay.map(period_from).transpose()?,
        backoff: backoff.map(backoff_from).transpose()?,
        ends: ends.map_or(RetryEnds::All, ends_from),
        until: until.map(period_from).transpose()?,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BackoffRecord<'a> {
    factor_thousandths: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<PeriodRecord<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    jitter_thousandths: u64,
}

fn backoff_record(backoff: &Backoff) -> BackoffRecord<'_> {
    let Backoff { factor, max, jitter } = backoff;
    BackoffRecord {
        factor_thousandths: factor.thousandths(),
        max: max.as_ref().map(period_record),
        jitter_thousandths: jitter.thousandths(),
    }
}

fn backoff_from(record: BackoffRecord<'_>) -> Result<Backoff, DecodeError> {
    let BackoffRecord { factor_thousandths, max, jitter_thousandths } = record;
    Ok(Backoff {
        factor: Scalar::from_thousandths(factor_thousandths),
        max: max.map(period_from).transpose()?,
        jitter: Scalar::from_thousandths(jitter_thousandths),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum EndsRecord<'a> {
    Codes(Cow<'a, [i32]>),
    NotCodes(Cow<'a, [i32]>),
}

fn ends_record(ends: &RetryEnds) -> Option<EndsRecord<'_>> {
    match ends {
        RetryEnds::All => None,
        RetryEnds::Codes(codes) => Some(EndsRecord::Codes(codes.into())),
        RetryEnds::NotCodes(codes) => Some(EndsRecord::NotCodes(codes.into())),
    }
}

fn ends_from(record: EndsRecord<'_>) -> RetryEnds {
    match record {
        EndsRecord::Codes(codes) => RetryEnds::Codes(codes.into_owned()),
        EndsRecord::NotCodes(codes) => RetryEnds::NotCodes(codes.into_owned()),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OnUnknownRecord<'a> {
    wait: PeriodRecord<'a>,
    then: AsWord<UnknownThen>,
}

pub(super) fn on_unknown_record(on_unknown: &OnUnknown) -> OnUnknownRecord<'_> {
    let OnUnknown { wait, then } = on_unknown;
    OnUnknownRecord { wait: period_record(wait), then: AsWord(*then) }
}

pub(super) fn on_unknown_from(
    record: Option<OnUnknownRecord<'_>>,
) -> Result<OnUnknown, DecodeError> {
    let Some(OnUnknownRecord { wait, then }) = record else { return Ok(OnUnknown::default()) };
    Ok(OnUnknown { wait: period_from(wait)?, then: then.0 })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum OverlapRecord {
    Skip,
    Queue {
        max: u32,
    },
    Replace,
    /// As many as there may be of any job.
    Allow,
    AllowUpTo {
        max: u32,
    },
}

pub(super) const fn overlap_record(overlap: Overlap) -> OverlapRecord {
    match overlap {
        Overlap::Skip => OverlapRecord::Skip,
        Overlap::Queue { max } => OverlapRecord::Queue { max },
        Overlap::Replace => OverlapRecord::Replace,
        Overlap::Allow { max: None } => OverlapRecord::Allow,
        Overlap::Allow { max: Some(max) } => OverlapRecord::AllowUpTo { max },
    }
}

pub(super) const fn overlap_from(record: OverlapRecord) -> Overlap {
    match record {
        OverlapRecord::Skip => Overlap::Skip,
        OverlapRecord::Queue { max } => Overlap::Queue { max },
        OverlapRecord::Replace => Overlap::Replace,
        OverlapRecord::Allow => Overlap::Allow { max: None },
        OverlapRecord::AllowUpTo { max } => Overlap::Allow { max: Some(max) },
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum CatchUpRecord {
    None,
    Latest,
    All { max: u32 },
}

pub(super) const fn catch_up_record(catch_up: CatchUp) -> CatchUpRecord {
    match catch_up {
        CatchUp::None => CatchUpRecord::None,
        CatchUp::Latest => CatchUpRecord::Latest,
        CatchUp::All { max } => CatchUpRecord::All { max },
    }
}

pub(super) const fn catch_up_from(record: CatchUpRecord) -> CatchUp {
    match record {
        CatchUpRecord::None => CatchUp::None,
        CatchUpRecord::Latest => CatchUp::Latest,
        CatchUpRecord::All { max } => CatchUp::All { max },
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum ShadowRecord {
    On,
    Until(AsWord<Timestamp>),
}

pub(super) fn shadow_record(shadow: Shadow) -> Option<ShadowRecord> {
    match shadow {
        Shadow::Off => None,
        Shadow::On => Some(ShadowRecord::On),
        Shadow::Until(until) => Some(ShadowRecord::Until(AsWord(until))),
    }
}

pub(super) fn shadow_from(record: Option<ShadowRecord>) -> Shadow {
    match record {
        None => Shadow::Off,
        Some(ShadowRecord::On) => Shadow::On,
        Some(ShadowRecord::Until(until)) => Shadow::Until(until.0),
    }
}
