//! The stored form of requests that were carried out under a key.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AsWord, DecodeError, is_default, job_name};
use crate::model::{
    Answer, AnsweredRequest, ApplyOutcome, BackfillId, Became, Incarnation, JobName, JobVersion,
    RequestKey, RunId, Timestamp, Verdict,
};

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AnsweredRecord<'a> {
    id: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    caller: Text<'a>,
    content: Text<'a>,
    at: AsWord<Timestamp>,
    answer: AnswerRecord<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum AnswerRecord<'a> {
    Stored { version: VersionRecord, created: bool },
    Deleted,
    Triggered { run: AsWord<RunId> },
    Stopping { count: u64 },
    Marked { run: AsWord<RunId> },
    QueueCleared,
    Completed { is_known: bool },
    Progressed { elements: u64 },
    CutOver { at: AsWord<Timestamp>, names: Vec<Text<'a>> },
    Operated { run: AsWord<RunId>, became: BecameRecord },
    Paused { names: Vec<Text<'a>> },
    SkippedAhead { due_at: AsWord<Timestamp> },
    Backfilled { id: u64 },
    Dropped { count: u64, left: u64 },
    Done,
    Applied { jobs: Vec<AppliedRecord<'a>> },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum BecameRecord {
    Stopping,
    Ended(AsWord<Verdict>),
    TriedAgain,
    Followed { by: AsWord<RunId> },
}

const fn became_record(became: Became) -> BecameRecord {
    match became {
        Became::Stopping => BecameRecord::Stopping,
        Became::Ended(verdict) => BecameRecord::Ended(AsWord(verdict)),
        Became::TriedAgain => BecameRecord::TriedAgain,
        Became::Followed { by } => BecameRecord::Followed { by: AsWord(by) },
    }
}

const fn became(record: BecameRecord) -> Became {
    match record {
        BecameRecord::Stopping => Became::Stopping,
        BecameRecord::Ended(verdict) => Became::Ended(verdict.0),
        BecameRecord::TriedAgain => Became::TriedAgain,
        BecameRecord::Followed { by } => Became::Followed { by: by.0 },
    }
}

fn names_record(names: &[JobName]) -> Vec<Text<'_>> {
    names.iter().map(|name| name.as_str().into()).collect()
}

fn names_from(names: &[Text<'_>]) -> Result<Vec<JobName>, DecodeError> {
    names.iter().map(|name| job_name(name)).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AppliedRecord<'a> {
    name: Text<'a>,
    version: VersionRecord,
    outcome: AsWord<ApplyOutcome>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VersionRecord {
    incarnation: u64,
    revision: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    disabled: bool,
}

const fn version_record(version: JobVersion) -> VersionRecord {
    let JobVersion { incarnation, revision, disabled } = version;
    VersionRecord { incarnation: incarnation.0, revision, disabled }
}

const fn version(record: VersionRecord) -> JobVersion {
    let VersionRecord { incarnation, revision, disabled } = record;
    JobVersion { incarnation: Incarnation(incarnation), revision, disabled }
}

pub(super) fn answered_record(answered: &AnsweredRequest) -> AnsweredRecord<'_> {
    let AnsweredRequest { key: RequestKey { id, caller, content }, at, answer } = answered;
    let answer = match answer {
        Answer::Stored { version, created } => {
            AnswerRecord::Stored { version: version_record(*version), created: *created }
        }
        Answer::Deleted => AnswerRecord::Deleted,
        Answer::Triggered { run } => AnswerRecord::Triggered { run: AsWord(*run) },
        Answer::Stopping { count } => AnswerRecord::Stopping { count: *count },
        Answer::Marked { run } => AnswerRecord::Marked { run: AsWord(*run) },
        Answer::QueueCleared => AnswerRecord::QueueCleared,
        Answer::Completed { is_known } => AnswerRecord::Completed { is_known: *is_known },
        Answer::Progressed { elements } => AnswerRecord::Progressed { elements: *elements },
        Answer::CutOver { at, names } => {
            AnswerRecord::CutOver { at: AsWord(*at), names: names_record(names) }
        }
        Answer::Operated { run, became } => {
            AnswerRecord::Operated { run: AsWord(*run), became: became_record(*became) }
        }
        Answer::Paused { names } => AnswerRecord::Paused { names: names_record(names) },
        Answer::SkippedAhead { due_at } => AnswerRecord::SkippedAhead { due_at: AsWord(*due_at) },
        Answer::Backfilled { id } => AnswerRecord::Backfilled { id: id.0 },
        Answer::Dropped { count, left } => AnswerRecord::Dropped { count: *count, left: *left },
        Answer::Done => AnswerRecord::Done,
        Answer::Applied { jobs } => AnswerRecord::Applied {
            jobs: jobs
                .iter()
                .map(|(name, version, outcome)| AppliedRecord {
                    name: name.as_str().into(),
                    version: version_record(*version),
                    outcome: AsWord(*outcome),
                })
                .collect(),
        },
    };
    AnsweredRecord {
        id: id.into(),
        caller: caller.into(),
        content: content.into(),
        at: AsWord(*at),
        answer,
    }
}

pub(super) fn answered(record: AnsweredRecord<'_>) -> Result<AnsweredRequest, DecodeError> {
    let AnsweredRecord { id, caller, content, at, answer } = record;
    let answer = match answer {
        AnswerRecord::Stored { version: of, created } => {
            Answer::Stored { version: version(of), created }
        }
        AnswerRecord::Deleted => Answer::Deleted,
        AnswerRecord::Triggered { run } => Answer::Triggered { run: run.0 },
        AnswerRecord::Stopping { count } => Answer::Stopping { count },
        AnswerRecord::Marked { run } => Answer::Marked { run: run.0 },
        AnswerRecord::QueueCleared => Answer::QueueCleared,
        AnswerRecord::Completed { is_known } => Answer::Completed { is_known },
        AnswerRecord::Progressed { elements } => Answer::Progressed { elements },
        AnswerRecord::CutOver { at, names } => {
            Answer::CutOver { at: at.0, names: names_from(&names)? }
        }
        AnswerRecord::Operated { run, became: record } => {
            Answer::Operated { run: run.0, became: became(record) }
        }
        AnswerRecord::Paused { names } => Answer::Paused { names: names_from(&names)? },
        AnswerRecord::SkippedAhead { due_at } => Answer::SkippedAhead { due_at: due_at.0 },
        AnswerRecord::Backfilled { id } => Answer::Backfilled { id: BackfillId(id) },
        AnswerRecord::Dropped { count, left } => Answer::Dropped { count, left },
        AnswerRecord::Done => Answer::Done,
        AnswerRecord::Applied { jobs } => {
            let jobs: Result<Vec<_>, DecodeError> = jobs
                .into_iter()
                .map(|job| Ok((job_name(&job.name)?, version(job.version), job.outcome.0)))
                .collect();
            Answer::Applied { jobs: jobs? }
        }
    };
    let key = RequestKey {
        id: id.into_owned(),
        caller: caller.into_owned(),
        content: content.into_owned(),
    };
    Ok(AnsweredRequest { key, at: at.0, answer })
}
