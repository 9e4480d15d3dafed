//! The stored form of requests that were carried out under a key.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AsWord, DecodeError, is_default, job_name};
use crate::model::{
    Answer, AnsweredRequest, ApplyOutcome, Incarnation, JobName, JobVersion, RequestKey, RunId,
    Timestamp,
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
    Applied { jobs: Vec<AppliedRecord<'a>> },
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
        Answer::CutOver { at, names } => AnswerRecord::CutOver {
            at: AsWord(*at),
            names: names.iter().map(|name| name.as_str().into()).collect(),
        },
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
            let names: Result<Vec<JobName>, _> = names.iter().map(|name| job_name(name)).collect();
            Answer::CutOver { at: at.0, names: names? }
        }
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
