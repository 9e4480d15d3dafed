//! Records as they are stored: text that says its version and carries a checksum.
//!
//! A record is `<version> <checksum> <json>`. Example: `5 18c156cfeeb31064 {}`, counts that are all zero.
//! The version stands in front so that a record of a newer Chronode is refused before anything of it is guessed at.
//! The checksum is there because the database checks its structure, not our text: a flipped bit in a command would
//! otherwise be executed.
//!
//! Every type of the model is mirrored by a serde type in one of the modules here, converted in both
//! directions by destructuring without `..`, so that a field added to the model and forgotten here does not compile. To add a
//! field: add it to the mirror with `#[serde(default)]` and a meaning for its absence, and raise the version of the
//! record. Old records stay readable; older programs refuse the new ones.
//!
//! Knows nothing of tables and files.

mod alert;
mod answer;
mod chain;
mod intervention;
mod job;
mod objective;
mod policy;
mod run;
mod terms;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::alerts::Failing;
use crate::model::{
    Alert, AnsweredRequest, ApplyOutcome, Backfill, CalendarUse, Fitness, FoldPolicy, GapPolicy,
    Incarnation, Incident, Interventions, Job, JobName, JobStats, Join, NameRule, Notification,
    Operator, Outcome, Pause, Priority, Progress, Run, RunId, Signal, Silence, Source, StopReason,
    Stretch, Timestamp, TriggerRule, UnknownThen, Verdict,
};

/// The version written, and the newest that is read, of every kind of record.
/// 2 has the terms of a schedule beside its text and zone, when a run's window opens, and which start of the machine a
/// job's progress has decided.
/// 3 has what a job says about retries, stops, overlaps, priority, catching up and doubt; what it wants of its parents,
/// and what they have done; which runs triggered a run; attempts in doubt; and the ends of runs on their way to children.
/// 4 has what jobs say of their tasks, runs that wait for it, jobs that are only planned, and answers to repeated requests.
/// 5 has what operators do: pauses, occurrences skipped ahead, backfills, retries, who asked for a run and who stopped it.
/// 6 has what a cluster adds: the framework, where attempts were placed, ports, and how jobs are spread over agents.
/// 7 has what jobs expect of their runs, their runbooks and labels; alerts, incidents and notifications.
/// 8 has which source a job comes from.
pub(super) const VERSION: u32 = 8;

/// Why a stored record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A later release wrote it.
    #[error(
        "the record has version {found} and this Chronode reads up to {VERSION}: \
         it was written by a newer Chronode"
    )]
    Newer {
        /// The version found.
        found: u32,
    },
    /// The text is not what was written.
    #[error("the record's checksum does not match its content: the storage has altered it")]
    Checksum,
    /// It is no record, or says something that cannot be.
    #[error("the record is malformed: {why}")]
    Malformed {
        /// What is wrong.
        why: String,
    },
}

/// A definition of a job as one revision of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    /// Which life of the name.
    pub(super) incarnation: Incarnation,
    /// Which definition of this life, from 1.
    pub(super) revision: u64,
    /// When it was accepted.
    pub(super) accepted_at: Timestamp,
    /// What was accepted.
    pub(super) job: Job,
}

/// Writes a definition.
#[must_use]
pub(super) fn encode_definition(
    incarnation: Incarnation,
    revision: u64,
    accepted_at: Timestamp,
    job: &Job,
) -> String {
    encode(&job::definition_record(incarnation, revision, accepted_at, job))
}

/// Reads a definition.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_definition(text: &str) -> Result<Definition, DecodeError> {
    job::definition(decode(text)?)
}

/// The marks of the whole store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Marks {
    /// The newest term that has written.
    pub(super) term: u64,
    /// The largest incarnation ever stored.
    pub(super) last_incarnation: u64,
    /// The largest sequence ever stored.
    pub(super) last_sequence: u64,
    /// What the launcher was to its cluster. Since version 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) framework: Option<String>,
    /// The largest numbers of alerts, incidents and notifications. Since version 7.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) alerts: (u64, u64, u64),
    /// Until when every deadline is judged. Since version 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) judged_through: Option<AsWord<Timestamp>>,
}

impl Marks {
    /// Until when every deadline is judged; 1970 if none ever was.
    pub(super) fn judged_through(&self) -> Timestamp {
        self.judged_through.map(|at| at.0).unwrap_or_default()
    }

    /// Every deadline until then is judged.
    pub(super) fn judge_through(&mut self, at: Timestamp) {
        self.judged_through = Some(AsWord(self.judged_through().max(at)));
    }
}

/// Writes the marks.
#[must_use]
pub(super) fn encode_marks(marks: &Marks) -> String {
    encode(marks)
}

/// Reads the marks.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_marks(text: &str) -> Result<Marks, DecodeError> {
    decode(text)
}

/// Writes an alert.
#[must_use]
pub(super) fn encode_alert(alert: &Alert) -> String {
    encode(&alert::alert_record(alert))
}

/// Reads an alert.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_alert(text: &str) -> Result<Alert, DecodeError> {
    alert::alert_from(decode(text)?)
}

/// Writes an incident.
#[must_use]
pub(super) fn encode_incident(incident: &Incident) -> String {
    encode(&alert::incident_record(incident))
}

/// Reads an incident.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_incident(text: &str) -> Result<Incident, DecodeError> {
    alert::incident_from(decode(text)?)
}

/// Writes a notification.
#[must_use]
pub(super) fn encode_notification(notification: &Notification) -> String {
    encode(&alert::notification_record(notification))
}

/// Reads a notification.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_notification(text: &str) -> Result<Notification, DecodeError> {
    alert::notification_from(decode(text)?)
}

/// Writes a silence.
#[must_use]
pub(super) fn encode_silence(silence: &Silence) -> String {
    encode(&alert::silence_record(silence))
}

/// Reads a silence.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_silence(text: &str) -> Result<Silence, DecodeError> {
    decode(text).map(alert::silence_from)
}

/// Writes since when a channel fails.
#[must_use]
pub(super) fn encode_failing(failing: &Failing) -> String {
    encode(&alert::failing_record(failing))
}

/// Reads since when a channel fails.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_failing(text: &str) -> Result<Failing, DecodeError> {
    decode(text).map(alert::failing_from)
}

/// Writes whether something is so.
#[must_use]
pub(super) fn encode_flag(flag: bool) -> String {
    encode(&flag)
}

/// Reads whether something is so.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_flag(text: &str) -> Result<bool, DecodeError> {
    decode(text)
}

/// Writes counts.
#[must_use]
pub(super) fn encode_stats(stats: &JobStats) -> String {
    encode(&job::stats_record(stats))
}

/// Reads counts.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_stats(text: &str) -> Result<JobStats, DecodeError> {
    decode(text).map(job::stats)
}

/// Writes how far a schedule was decided.
#[must_use]
pub(super) fn encode_progress(progress: &Progress) -> String {
    encode(&job::progress_record(progress))
}

/// Reads how far a schedule was decided.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_progress(text: &str) -> Result<Progress, DecodeError> {
    job::progress(decode(text)?)
}

/// Writes a run. What only this process knows, instants of the boot clock, is left out.
#[must_use]
pub(super) fn encode_run(run: &Run) -> String {
    encode(&run::run_record(run))
}

/// Reads a run.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_run(text: &str) -> Result<Run, DecodeError> {
    run::run(decode(text)?)
}

/// Writes a stretch.
#[must_use]
pub(super) fn encode_stretch(stretch: &Stretch) -> String {
    encode(&run::stretch_record(stretch))
}

/// Reads a stretch.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_stretch(text: &str) -> Result<Stretch, DecodeError> {
    run::stretch(decode(text)?)
}

/// Writes the end of a parent's run.
#[must_use]
pub(super) fn encode_signal(signal: &Signal) -> String {
    encode(&chain::signal_record(signal))
}

/// Reads the end of a parent's run.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_signal(text: &str) -> Result<Signal, DecodeError> {
    decode(text).map(chain::signal)
}

/// Writes a request that was carried out under a key.
#[must_use]
pub(super) fn encode_answered(answered: &AnsweredRequest) -> String {
    encode(&answer::answered_record(answered))
}

/// Reads a request that was carried out under a key.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_answered(text: &str) -> Result<AnsweredRequest, DecodeError> {
    answer::answered(decode(text)?)
}

/// Writes what operators have done about a job.
#[must_use]
pub(super) fn encode_interventions(interventions: &Interventions) -> String {
    encode(&intervention::interventions_record(interventions))
}

/// Reads what operators have done about a job.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_interventions(text: &str) -> Result<Interventions, DecodeError> {
    intervention::interventions(decode(text)?)
}

/// Writes a pause.
#[must_use]
pub(super) fn encode_pause(pause: &Pause) -> String {
    encode(&intervention::pause_record(pause))
}

/// Reads a pause.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_pause(text: &str) -> Result<Pause, DecodeError> {
    decode(text).map(intervention::pause)
}

/// Writes a backfill.
#[must_use]
pub(super) fn encode_backfill(backfill: &Backfill) -> String {
    encode(&intervention::backfill_record(backfill))
}

/// Reads a backfill.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_backfill(text: &str) -> Result<Backfill, DecodeError> {
    intervention::backfill(decode(text)?)
}

/// A zone's compiled data, in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ZoneRecord<'a> {
    name: Cow<'a, str>,
    data: Cow<'a, str>,
}

/// Writes the data of a zone.
#[must_use]
pub(super) fn encode_zone(name: &str, data: &[u8]) -> String {
    let mut digits = String::with_capacity(data.len() * 2);
    for byte in data {
        let _ = write!(digits, "{byte:02x}");
    }
    encode(&ZoneRecord { name: name.into(), data: digits.into() })
}

/// Reads the name and the data of a zone.
///
/// # Errors
///
/// [`DecodeError`]
pub(super) fn decode_zone(text: &str) -> Result<(String, Vec<u8>), DecodeError> {
    let ZoneRecord { name, data } = decode(text)?;
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2)
    };
    let bytes: Option<Vec<u8>> = data.as_bytes().chunks(2).map(byte).collect();
    let bytes = bytes.ok_or_else(|| malformed("its data is no pairs of hexadecimal digits"))?;
    Ok((name.into_owned(), bytes))
}

fn encode<T: Serialize>(record: &T) -> String {
    let json = serde_json::to_string(record).expect("every key of our records is a string");
    format!("{VERSION} {:016x} {json}", sum_of(VERSION, &json))
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    let mut parts = text.splitn(3, ' ');
    let (Some(version), Some(sum), Some(json)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed("it has no version and checksum in front"));
    };
    let found: u32 = version.parse().map_err(|_| malformed("its version is no number"))?;
    match found {
        0 => return Err(malformed("its version is 0")),
        1..=VERSION => {}
        _ => return Err(DecodeError::Newer { found }),
    }
    if sum != format!("{:016x}", sum_of(found, json)) {
        return Err(DecodeError::Checksum);
    }
    serde_json::from_str(json).map_err(|error| malformed(error.to_string()))
}

fn malformed(why: impl Into<String>) -> DecodeError {
    DecodeError::Malformed { why: why.into() }
}

/// The checksum of a record. From version 3 on it covers the version: one that is altered into an older one would
/// otherwise be read as that.
fn sum_of(version: u32, json: &str) -> u64 {
    match version {
        ..=2 => checksum(json.as_bytes()),
        _ => checksum(format!("{version} {json}").as_bytes()),
    }
}

/// FNV-1a, 64 bits. It guards against accidents, not against people, who could as well change the database.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn job_name(text: &str) -> Result<JobName, DecodeError> {
    JobName::parse(text, NameRule::Blanks).map_err(|error| malformed(error.to_string()))
}

/// A value whose stored form is one word or number in text that the model prints and parses.
pub(super) trait Word: Sized {
    const WHAT: &'static str;
    fn print(&self) -> Cow<'static, str>;
    fn parse_word(text: &str) -> Option<Self>;
}

macro_rules! word {
    ($type:ty, $what:literal) => {
        impl Word for $type {
            const WHAT: &'static str = $what;
            fn print(&self) -> Cow<'static, str> {
                Cow::Borrowed(self.as_str())
            }
            fn parse_word(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        }
    };
}

word!(Verdict, "a verdict");
word!(StopReason, "a reason to stop an attempt");
word!(Operator, "an operator of a constraint");
word!(GapPolicy, "what a gap does");
word!(FoldPolicy, "what a fold does");
word!(CalendarUse, "a use of a calendar");
word!(Priority, "a priority");
word!(Fitness, "a placement");
word!(UnknownThen, "what follows a doubt");
word!(TriggerRule, "a rule of what parents must have done");
word!(Join, "a way in which what parents did belongs together");
word!(Outcome, "an end of a parent's run");
word!(ApplyOutcome, "what was done with a job");
word!(Source, "a source of what a parent has done");

impl Word for RunId {
    const WHAT: &'static str = "a run id";
    fn print(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
    fn parse_word(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// To the nanosecond, in UTC; the form a person can read in the database.
impl Word for Timestamp {
    const WHAT: &'static str = "an instant";
    fn print(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
    fn parse_word(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AsWord<T>(T);

impl<T: Word> Serialize for AsWord<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.print())
    }
}

impl<'de, T: Word> Deserialize<'de> for AsWord<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor<T>(std::marker::PhantomData<T>);

        impl<T: Word> Visitor<'_> for WordVisitor<T> {
            type Value = AsWord<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AsWord<T>, E> {
                T::parse_word(text)
                    .map(AsWord)
                    .ok_or_else(|| E::custom(format_args!("`{text}` is not {}", T::WHAT)))
            }
        }

        deserializer.deserialize_str(WordVisitor(std::marker::PhantomData))
    }
}
