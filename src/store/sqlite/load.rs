//! How the engine's state gets out of the tables.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::FromSql;
use rusqlite::{Connection, Row};

use super::alerts;
use super::changes::{bad_record, mark_checksum, read_marks, signed};
use super::open::error;
use crate::model::{
    AnsweredRequest, Backfill, FrameworkId, Incarnation, Interventions, JobName, JobRecord,
    NameRule, Pause, Run, Signal, Term,
};
use crate::store::codec::{self, DecodeError, Marks};
use crate::store::{Error, Loaded};

/// Reads everything the engine's state is rebuilt from. `connection` must be in one transaction throughout.
pub(super) fn load(connection: &Connection, path: &Path) -> Result<Loaded, Error> {
    let reading = Reading { connection, path };
    let marks = read_marks(connection, path)?;
    let alerts = alerts::load(connection, &marks)
        .map_err(|unread| unread.at("load what people are told of", path))?;
    let judged_through = marks.judged_through();
    let Marks { term, last_incarnation, last_sequence, framework, .. } = marks;
    Ok(Loaded {
        term: Term(term),
        jobs: reading.jobs()?,
        runs: reading.live_runs()?,
        signals: reading.signals()?,
        task_marks: reading.task_marks()?,
        zones: reading.zones()?,
        answered: reading.answered()?,
        pause: reading.pause()?,
        backfills: reading.backfills()?,
        alerts,
        judged_through,
        framework: framework.map(FrameworkId::new),
        last_incarnation: Incarnation(last_incarnation),
        last_sequence,
    })
}

/// The name of a zone and its compiled data.
type KeptZone = (String, Arc<[u8]>);

struct Reading<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl Reading<'_> {
    fn jobs(&self) -> Result<Vec<JobRecord>, Error> {
        // A left join: a job whose definition is gone must be an error, not a job less.
        self.rows(
            "SELECT incarnation, jobs.name, revision, disabled, stats, progress, definition,
                 interventions
             FROM jobs LEFT JOIN definitions USING (incarnation, revision)
             ORDER BY incarnation",
            |row| self.job(row),
        )
    }

    fn job(&self, row: &Row<'_>) -> Result<JobRecord, Error> {
        let number: i64 = self.get(row, 0)?;
        let name: String = self.get(row, 1)?;
        let place = || format!("job `{name}` ({number})");
        let definition: Option<String> = self.get(row, 6)?;
        let definition =
            definition.ok_or_else(|| self.malformed(place(), "it has no definition"))?;
        let definition = self.record(codec::decode_definition(&definition), place)?;
        let codec::Definition { incarnation, revision, accepted_at, mut job } = definition;
        let matches = signed(incarnation.0)? == number
            && signed(revision)? == self.get::<i64>(row, 2)?
            && job.name.as_str() == name;
        if !matches {
            return Err(self.malformed(place(), "its definition is that of another job"));
        }
        job.disabled = self.record(codec::decode_flag(&self.get::<String>(row, 3)?), place)?;
        Ok(JobRecord {
            incarnation,
            revision,
            accepted_at,
            job,
            stats: self.record(codec::decode_stats(&self.get::<String>(row, 4)?), place)?,
            progress: self.record(codec::decode_progress(&self.get::<String>(row, 5)?), place)?,
            interventions: match self.get::<Option<String>>(row, 7)? {
                Some(text) => self.record(codec::decode_interventions(&text), place)?,
                None => Interventions::default(),
            },
        })
    }

    fn live_runs(&self) -> Result<Vec<Run>, Error> {
        self.rows(
            "SELECT sequence, run_id, record FROM history WHERE ended_at IS NULL ORDER BY sequence",
            |row| {
                let number: i64 = self.get(row, 0)?;
                let place = || format!("history entry {number}");
                let run = self.record(codec::decode_run(&self.get::<String>(row, 2)?), place)?;
                let matches = signed(run.sequence)? == number
                    && run.id.to_string() == self.get::<String>(row, 1)?
                    && !run.is_ended();
                if !matches {
                    return Err(self.malformed(place(), "its record is that of another run"));
                }
                Ok(run)
            },
        )
    }

    fn signals(&self) -> Result<Vec<Signal>, Error> {
        self.rows("SELECT sequence, record FROM signals ORDER BY sequence", |row| {
            let number: i64 = self.get(row, 0)?;
            let place = || format!("signal {number}");
            let record: String = self.get(row, 1)?;
            let signal = self.record(codec::decode_signal(&record), place)?;
            if signed(signal.sequence)? != number {
                return Err(self.malformed(place(), "its record is that of another signal"));
            }
            Ok(signal)
        })
    }

    fn task_marks(&self) -> Result<Vec<(JobName, i64)>, Error> {
        self.rows("SELECT name, millis, checksum FROM task_marks ORDER BY name", |row| {
            let (name, millis): (String, i64) = (self.get(row, 0)?, self.get(row, 1)?);
            let place = || format!("mark of `{name}`");
            if self.get::<i64>(row, 2)? != mark_checksum(&name, millis) {
                return Err(bad_record(self.path, place(), DecodeError::Checksum));
            }
            let parsed = JobName::parse(&name, NameRule::Blanks)
                .map_err(|error| self.malformed(place(), error.to_string()))?;
            Ok((parsed, millis))
        })
    }

    fn zones(&self) -> Result<Vec<KeptZone>, Error> {
        self.rows("SELECT name, record FROM zones ORDER BY name", |row| {
            let name: String = self.get(row, 0)?;
            let place = || format!("zone `{name}`");
            let record: String = self.get(row, 1)?;
            let (of, data) = self.record(codec::decode_zone(&record), place)?;
            if of != name {
                return Err(self.malformed(place(), "its data is that of another zone"));
            }
            Ok((name, data.into()))
        })
    }

    fn answered(&self) -> Result<Vec<AnsweredRequest>, Error> {
        self.rows("SELECT id, record FROM answers ORDER BY id", |row| {
            let id: String = self.get(row, 0)?;
            let place = || format!("answer under the key `{id}`");
            let record: String = self.get(row, 1)?;
            let answered = self.record(codec::decode_answered(&record), place)?;
            if answered.key.id != id {
                return Err(self.malformed(place(), "its record is that of another key"));
            }
            Ok(answered)
        })
    }

    fn pause(&self) -> Result<Option<Pause>, Error> {
        let pauses = self.rows("SELECT record FROM pause", |row| {
            let record: String = self.get(row, 0)?;
            self.record(codec::decode_pause(&record), || "the pause of everything".to_owned())
        })?;
        Ok(pauses.into_iter().next())
    }

    fn backfills(&self) -> Result<Vec<Backfill>, Error> {
        self.rows("SELECT id, record FROM backfills ORDER BY id", |row| {
            let number: i64 = self.get(row, 0)?;
            let place = || format!("backfill {number}");
            let record: String = self.get(row, 1)?;
            let backfill = self.record(codec::decode_backfill(&record), place)?;
            if signed(backfill.id.0)? != number {
                return Err(self.malformed(place(), "its record is that of another backfill"));
            }
            Ok(backfill)
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let failed = |source| error("read the state", self.path, source);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    fn get<T: FromSql>(&self, row: &Row<'_>, column: usize) -> Result<T, Error> {
        row.get(column).map_err(|source| error("read the state", self.path, source))
    }

    fn record<T>(
        &self,
        decoded: Result<T, DecodeError>,
        place: impl Fn() -> String,
    ) -> Result<T, Error> {
        decoded.map_err(|source| bad_record(self.path, place(), source))
    }

    fn malformed(&self, place: String, why: impl Into<String>) -> Error {
        bad_record(self.path, place, DecodeError::Malformed { why: why.into() })
    }
}
