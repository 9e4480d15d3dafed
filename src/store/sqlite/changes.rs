//! How the engine's changes get into the tables.
//!
//! Works inside a transaction that `writer` begins and ends.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::alerts;
use super::open::error;
use crate::engine::Change;
use crate::model::{
    AnsweredRequest, Backfill, BackfillId, Incarnation, Interventions, JobName, JobRecord,
    JobStats, Pause, Progress, Run, RunId, RunState, Signal, Stretch, Term, Timestamp, Trigger,
    millis_since_epoch,
};
use crate::store::codec::{self, DecodeError, Marks};
use crate::store::{Batch, Error};

/// Earlier definitions kept of each job there is, the present one included.
const REVISIONS_MAX: i64 = 100;

/// Puts `batch` into the tables. After an error the transaction must be rolled back.
pub(super) fn store(
    transaction: &Transaction<'_>,
    path: &Path,
    batch: &Batch,
) -> Result<(), Error> {
    let before = read_marks(transaction, path)?;
    let stored = Term(before.term);
    if batch.term < stored {
        return Err(Error::Fenced { offered: batch.term, stored });
    }
    let mut marks = Marks { term: batch.term.0, ..before.clone() };
    let writing = Writing { transaction, path };
    for change in &batch.changes {
        match change {
            Change::TermBegan(term) => marks.term = marks.term.max(term.0),
            Change::FrameworkSet(framework) => marks.framework = Some(framework.to_string()),
            Change::JobStored(record) => {
                marks.last_incarnation = marks.last_incarnation.max(record.incarnation.0);
                writing.job(record)?;
            }
            Change::JobRemoved { incarnation, name } => writing.job_removed(*incarnation, name)?,
            Change::Progressed { incarnation, progress } => {
                writing.progress(*incarnation, progress)?;
            }
            Change::Counted { incarnation, stats } => writing.stats(*incarnation, stats)?,
            Change::Disabled { incarnation } => writing.disabled(*incarnation)?,
            Change::RunStored(run) => {
                marks.last_sequence = marks.last_sequence.max(run.sequence);
                writing.run(run)?;
            }
            Change::StretchStored(stretch) => {
                marks.last_sequence = marks.last_sequence.max(stretch.sequence);
                writing.stretch(stretch)?;
            }
            Change::SignalStored(signal) => {
                marks.last_sequence = marks.last_sequence.max(signal.sequence);
                writing.signal(signal)?;
            }
            Change::SignalRemoved { sequence } => writing.signal_removed(*sequence)?,
            Change::TaskMillisUsed { name, millis } => writing.task_mark(name, *millis)?,
            Change::RequestAnswered(answered) => writing.answered(answered)?,
            Change::AnswerForgotten { id } => writing.answer_forgotten(id)?,
            Change::ZoneKept { name, data } => writing.zone(name, data)?,
            Change::Intervened { incarnation, interventions } => {
                writing.interventions(*incarnation, interventions)?;
            }
            Change::EverythingPaused(pause) => writing.pause(pause.as_ref())?,
            Change::BackfillStored(backfill) => {
                marks.last_sequence = marks.last_sequence.max(backfill.id.0);
                writing.backfill(backfill)?;
            }
            Change::BackfillRemoved { id } => writing.backfill_removed(*id)?,
            Change::StretchVoided { sequence } => writing.stretch_voided(*sequence)?,
            Change::Alerted(change) => alerts::write(transaction, change, &mut marks)
                .map_err(|source| error("store what people are told of", path, source))?,
            Change::ObjectivesJudged(at) => marks.judge_through(*at),
            Change::Quarantined { .. }
            | Change::QuarantineLifted { .. }
            | Change::ClockJudged(_)
            | Change::ListeningBegan { .. }
            | Change::Heard { .. }
            | Change::ListeningEnded
            | Change::OffersSet(_)
            | Change::OffersAdded(_)
            | Change::OffersRemoved(_)
            | Change::AgentLost(_)
            | Change::AgentsSeen(_)
            | Change::DemandTold(_)
            | Change::PlacementSettled => {}
        }
    }
    if marks != before {
        writing.marks(&marks)?;
    }
    Ok(())
}

/// Reads the row that the whole store has one of.
pub(super) fn read_marks(connection: &Connection, path: &Path) -> Result<Marks, Error> {
    let text: Option<String> = connection
        .prepare_cached("SELECT marks FROM meta")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
        .map_err(|source| error("read the marks", path, source))?;
    let missing = || DecodeError::Malformed { why: "they are missing".to_owned() };
    text.ok_or_else(missing)
        .and_then(|text| codec::decode_marks(&text))
        .map_err(|source| bad_record(path, "the marks".to_owned(), source))
}

struct Writing<'a> {
    transaction: &'a Transaction<'a>,
    path: &'a Path,
}

impl Writing<'_> {
    /// How many rows the statement changed.
    fn execute(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<usize, Error> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map_err(|source| error(doing, self.path, source))
    }

    fn marks(&self, marks: &Marks) -> Result<(), Error> {
        let marks = codec::encode_marks(marks);
        self.execute("store the marks", "UPDATE meta SET marks = ?1", params![marks]).map(drop)
    }

    fn job(&self, record: &JobRecord) -> Result<(), Error> {
        let JobRecord { incarnation, revision, accepted_at, job, stats, progress, interventions } =
            record;
        let number = signed(incarnation.0)?;
        let name = job.name.as_str();
        let stored = self.execute(
            "store a job",
            "INSERT INTO jobs
                 (incarnation, name, revision, disabled, stretch, stats, progress, interventions)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (incarnation) DO UPDATE SET
                 revision = excluded.revision, disabled = excluded.disabled,
                 stretch = excluded.stretch, stats = excluded.stats, progress = excluded.progress,
                 interventions = excluded.interventions
                 WHERE name = excluded.name",
            params![
                number,
                name,
                signed(*revision)?,
                codec::encode_flag(job.disabled),
                stretch_of(progress)?,
                codec::encode_stats(stats),
                codec::encode_progress(progress),
                interventions_of(interventions),
            ],
        )?;
        if stored == 0 {
            let what = format!("`{incarnation}` is the life of another name");
            return Err(Error::Conflict { what });
        }
        self.execute(
            "store a definition",
            "INSERT INTO definitions (incarnation, revision, name, is_removed, definition)
             VALUES (?1, ?2, ?3, 0, ?4)
             ON CONFLICT (incarnation, revision) DO UPDATE SET
                 name = excluded.name, is_removed = 0, definition = excluded.definition",
            params![
                number,
                signed(*revision)?,
                name,
                codec::encode_definition(*incarnation, *revision, *accepted_at, job),
            ],
        )?;
        self.execute(
            "forget old definitions",
            "DELETE FROM definitions WHERE incarnation = ?1 AND revision <= ?2",
            params![number, signed(*revision)?.saturating_sub(REVISIONS_MAX)],
        )
        .map(drop)
    }

    fn job_removed(&self, incarnation: Incarnation, name: &JobName) -> Result<(), Error> {
        let number = signed(incarnation.0)?;
        let removed = self.execute(
            "remove a job",
            "DELETE FROM jobs WHERE incarnation = ?1 AND name = ?2",
            params![number, name.as_str()],
        )?;
        warn_if_none(removed, incarnation, "removed");
        if removed == 0 {
            return Ok(());
        }
        // The last definition stays, for whoever wants to know what the job was.
        self.execute(
            "forget old definitions",
            "DELETE FROM definitions WHERE incarnation = ?1 AND revision <
                 (SELECT MAX(revision) FROM definitions WHERE incarnation = ?1)",
            params![number],
        )?;
        self.execute(
            "keep the last definition",
            "UPDATE definitions SET is_removed = 1 WHERE incarnation = ?1",
            params![number],
        )
        .map(drop)
    }

    fn progress(&self, incarnation: Incarnation, progress: &Progress) -> Result<(), Error> {
        let changed = self.execute(
            "store a job's progress",
            "UPDATE jobs SET progress = ?2, stretch = ?3 WHERE incarnation = ?1",
            params![
                signed(incarnation.0)?,
                codec::encode_progress(progress),
                stretch_of(progress)?
            ],
        )?;
        warn_if_none(changed, incarnation, "progressed");
        Ok(())
    }

    fn stats(&self, incarnation: Incarnation, stats: &JobStats) -> Result<(), Error> {
        let changed = self.execute(
            "store a job's counts",
            "UPDATE jobs SET stats = ?2 WHERE incarnation = ?1",
            params![signed(incarnation.0)?, codec::encode_stats(stats)],
        )?;
        warn_if_none(changed, incarnation, "counted");
        Ok(())
    }

    fn disabled(&self, incarnation: Incarnation) -> Result<(), Error> {
        let changed = self.execute(
            "disable a job",
            "UPDATE jobs SET disabled = ?2 WHERE incarnation = ?1",
            params![signed(incarnation.0)?, codec::encode_flag(true)],
        )?;
        warn_if_none(changed, incarnation, "disabled");
        Ok(())
    }

    fn interventions(
        &self,
        incarnation: Incarnation,
        interventions: &Interventions,
    ) -> Result<(), Error> {
        let changed = self.execute(
            "store what operators did about a job",
            "UPDATE jobs SET interventions = ?2 WHERE incarnation = ?1",
            params![signed(incarnation.0)?, interventions_of(interventions)],
        )?;
        warn_if_none(changed, incarnation, "changed by an operator");
        Ok(())
    }

    fn pause(&self, pause: Option<&Pause>) -> Result<(), Error> {
        match pause {
            Some(pause) => self.execute(
                "store a pause",
                "INSERT INTO pause (id, record) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                params![codec::encode_pause(pause)],
            ),
            None => self.execute("end a pause", "DELETE FROM pause", params![]),
        }
        .map(drop)
    }

    fn backfill(&self, backfill: &Backfill) -> Result<(), Error> {
        self.execute(
            "store a backfill",
            "INSERT INTO backfills (id, record) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            params![signed(backfill.id.0)?, codec::encode_backfill(backfill)],
        )
        .map(drop)
    }

    fn backfill_removed(&self, id: BackfillId) -> Result<(), Error> {
        let id = signed(id.0)?;
        self.execute("forget a backfill", "DELETE FROM backfills WHERE id = ?1", params![id])
            .map(drop)
    }

    fn stretch_voided(&self, sequence: u64) -> Result<(), Error> {
        self.execute(
            "void a record of occurrences without runs",
            "DELETE FROM history WHERE sequence = ?1 AND run_id IS NULL",
            params![signed(sequence)?],
        )
        .map(drop)
    }

    fn causes(&self, run: &Run) -> Result<(), Error> {
        for cause in causes(run) {
            self.execute(
                "store what brought a run about",
                "INSERT OR IGNORE INTO causes (cause, sequence) VALUES (?1, ?2)",
                params![cause.to_string(), signed(run.sequence)?],
            )?;
        }
        Ok(())
    }

    fn run(&self, run: &Run) -> Result<(), Error> {
        self.causes(run)?;
        let ended: Option<(&str, Timestamp)> = match &run.state {
            RunState::Ended { verdict, at, reason: _ } => Some((verdict.as_str(), *at)),
            RunState::Queued
            | RunState::Pending { .. }
            | RunState::Active
            | RunState::Waiting { .. }
            | RunState::Reporting { .. } => None,
        };
        let run_id = run.id.to_string();
        self.entry(&Entry {
            sequence: run.sequence,
            run_id: Some(&run_id),
            incarnation: run.id.incarnation,
            job: &run.job,
            ended,
            count: 1,
            took_millis: took_millis(run),
            record: &codec::encode_run(run),
        })
    }

    fn stretch(&self, stretch: &Stretch) -> Result<(), Error> {
        self.entry(&Entry {
            sequence: stretch.sequence,
            run_id: None,
            incarnation: stretch.incarnation,
            job: &stretch.job,
            ended: Some((stretch.verdict.as_str(), stretch.decided_at)),
            count: stretch.count,
            took_millis: None,
            record: &codec::encode_stretch(stretch),
        })
    }

    fn entry(&self, entry: &Entry<'_>) -> Result<(), Error> {
        // What an update leaves alone never changes in the life of a run, so its indexes are not written again.
        let stored = self.execute(
            "store a run",
            "INSERT INTO history
                 (sequence, run_id, incarnation, job, verdict, ended_at, count, record, took_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (sequence) DO UPDATE SET
                 verdict = excluded.verdict, ended_at = excluded.ended_at,
                 count = excluded.count, record = excluded.record, took_ms = excluded.took_ms
                 WHERE run_id IS excluded.run_id",
            params![
                signed(entry.sequence)?,
                entry.run_id,
                signed(entry.incarnation.0)?,
                entry.job.as_str(),
                entry.ended.map(|(verdict, _)| verdict),
                entry.ended.map(|(_, at)| millis_since_epoch(at)),
                signed(entry.count)?,
                entry.record,
                entry.took_millis,
            ],
        )?;
        if stored == 0 {
            let what = format!("sequence {} is used already", entry.sequence);
            return Err(Error::Conflict { what });
        }
        Ok(())
    }

    fn signal(&self, signal: &Signal) -> Result<(), Error> {
        self.execute(
            "store the end of a parent's run",
            "INSERT INTO signals (sequence, record) VALUES (?1, ?2)
             ON CONFLICT (sequence) DO UPDATE SET record = excluded.record",
            params![signed(signal.sequence)?, codec::encode_signal(signal)],
        )
        .map(drop)
    }

    fn signal_removed(&self, sequence: u64) -> Result<(), Error> {
        self.execute(
            "forget the end of a parent's run",
            "DELETE FROM signals WHERE sequence = ?1",
            params![signed(sequence)?],
        )
        .map(drop)
    }

    fn task_mark(&self, name: &JobName, millis: i64) -> Result<(), Error> {
        self.execute(
            "store a mark",
            "INSERT INTO task_marks (name, millis, checksum) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET millis = excluded.millis, checksum = excluded.checksum
                 WHERE millis < excluded.millis",
            params![name.as_str(), millis, mark_checksum(name.as_str(), millis)],
        )
        .map(drop)
    }

    fn answered(&self, answered: &AnsweredRequest) -> Result<(), Error> {
        self.execute(
            "store an answer",
            "INSERT INTO answers (id, record) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record",
            params![answered.key.id, codec::encode_answered(answered)],
        )
        .map(drop)
    }

    fn answer_forgotten(&self, id: &str) -> Result<(), Error> {
        self.execute("forget an answer", "DELETE FROM answers WHERE id = ?1", params![id]).map(drop)
    }

    fn zone(&self, name: &str, data: &[u8]) -> Result<(), Error> {
        self.execute(
            "store a zone",
            "INSERT INTO zones (name, record) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET record = excluded.record",
            params![name, codec::encode_zone(name, data)],
        )
        .map(drop)
    }
}

struct Entry<'a> {
    sequence: u64,
    run_id: Option<&'a str>,
    incarnation: Incarnation,
    job: &'a JobName,
    ended: Option<(&'a str, Timestamp)>,
    count: u64,
    took_millis: Option<i64>,
    record: &'a str,
}

/// The runs that brought `run` about: those of parents, and the one that it tries once more.
pub(super) fn causes(run: &Run) -> impl Iterator<Item = RunId> + '_ {
    let retried = match run.trigger {
        Trigger::Retry { of, .. } => Some(of),
        Trigger::Schedule { .. }
        | Trigger::CatchUp { .. }
        | Trigger::Manual { .. }
        | Trigger::Backfill { .. }
        | Trigger::Parents { .. } => None,
    };
    run.causes.iter().copied().chain(retried)
}

fn interventions_of(interventions: &Interventions) -> Option<String> {
    let is_none = *interventions == Interventions::default();
    (!is_none).then(|| codec::encode_interventions(interventions))
}

/// How long a success took, in whole milliseconds; never negative, whatever was done to the clock.
pub(super) fn took_millis(run: &Run) -> Option<i64> {
    let took = run.took()?.as_millis().max(0);
    Some(i64::try_from(took).unwrap_or(i64::MAX))
}

/// A change to a job that is gone changes nothing, in the engine's state as here; but nobody should have decided it.
fn warn_if_none(changed: usize, incarnation: Incarnation, what: &str) {
    if changed == 0 {
        tracing::warn!(%incarnation, "a job that is not stored was {what}; nothing was changed");
    }
}

fn stretch_of(progress: &Progress) -> Result<Option<i64>, Error> {
    progress.stretch.as_ref().map(|stretch| signed(stretch.sequence)).transpose()
}

pub(super) fn mark_checksum(name: &str, millis: i64) -> i64 {
    codec::checksum(format!("{millis} {name}").as_bytes()).cast_signed()
}

/// SQLite has no unsigned integers. Only a caller's mistake makes numbers that large.
pub(super) fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number)
        .map_err(|_| Error::Conflict { what: format!("the number {number} is too large to store") })
}

pub(super) fn bad_record(path: &Path, place: String, source: DecodeError) -> Error {
    Error::Record { path: path.to_owned(), place, source }
}
