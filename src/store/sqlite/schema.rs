//! The tables, and the steps that bring an older file up to date.
//!
//! Columns are for finding; the truth is in the records beside them (`codec`). Times in columns are whole
//! milliseconds since 1970, which is enough to sort and to expire by; the records have the nanoseconds.
//!
//! What is nowhere in a record but decides something (a mark of a name) has a checksum of its own.
//!
//! A change of the layout is a new step at the end of [`STEPS`], never an edit of an old one, and a new fixture of the
//! layout before it.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::changes::{causes, took_millis};
use crate::store::codec::{self, Marks};

/// Marks the file as ours for `file(1)` and for us: "CHRN".
pub(super) const APPLICATION_ID: i32 = 0x4348_524e;

/// The steps from an empty file to the present layout; the n-th makes layout n of layout n − 1.
const STEPS: [fn(&Transaction<'_>) -> rusqlite::Result<()>; LAYOUT as usize] = [
    make_layout_1,
    make_layout_2,
    make_layout_3,
    make_layout_4,
    make_layout_5,
    make_layout_6,
    make_layout_7,
];

/// The layout this release reads and writes.
pub(super) const LAYOUT: u32 = 7;

fn make_layout_1(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_1)?;
    let marks = codec::encode_marks(&Marks::default());
    transaction.execute("INSERT INTO meta VALUES (1, ?1)", [marks]).map(drop)
}

const LAYOUT_1: &str = "
-- One row. The marks only ever grow, and survive whatever is deleted.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    marks TEXT NOT NULL
) STRICT;

-- The jobs there are. Small rows, because progress and counts change with every run; the definition, which may be
-- large and seldom changes, is in `definitions`.
CREATE TABLE jobs (
    incarnation INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    disabled TEXT NOT NULL,         -- a record; counts instead of the definition's: the engine disables jobs
    stretch INTEGER,                -- sequence of the stretch that may still be extended
    stats TEXT NOT NULL,
    progress TEXT NOT NULL
) STRICT;

-- The definition of every job there is, with earlier revisions; and the last definition of removed jobs.
CREATE TABLE definitions (
    incarnation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_removed INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (incarnation, revision)
) STRICT;
CREATE INDEX definitions_by_name ON definitions (name, incarnation, revision);
CREATE INDEX definitions_removed ON definitions (incarnation) WHERE is_removed;

-- Runs and stretches in the order in which they were recorded.
CREATE TABLE history (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT,                    -- NULL for a stretch
    incarnation INTEGER NOT NULL,
    job TEXT NOT NULL,
    verdict TEXT,                   -- NULL for a live run
    ended_at INTEGER,               -- NULL for a live run
    count INTEGER NOT NULL,         -- occurrences it stands for
    record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX history_by_run_id ON history (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX history_by_job ON history (job, sequence);
CREATE INDEX history_live ON history (sequence) WHERE ended_at IS NULL;
CREATE INDEX history_by_end ON history (ended_at, sequence) WHERE ended_at IS NOT NULL;
-- Failures are what people look for across all jobs; successes are everywhere and need no index.
CREATE INDEX history_by_verdict ON history (verdict, sequence) WHERE verdict <> 'succeeded';

-- What has been taken out of the history, so that counts survive it.
CREATE TABLE pruned_counts (
    job TEXT NOT NULL,
    verdict TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (job, verdict)
) STRICT, WITHOUT ROWID;

-- The last millisecond used in task ids of a name. Never deleted: the name may come back.
CREATE TABLE task_marks (
    name TEXT PRIMARY KEY,
    millis INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

fn make_layout_2(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_2)
}

const LAYOUT_2: &str = "
-- The compiled data under which each zone was last decided. A row for every zone that a job was ever in.
CREATE TABLE zones (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

fn make_layout_3(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_3)
}

const LAYOUT_3: &str = "
-- The ends of parents' runs that not all children have been told of. Few and short-lived; a job that is deleted
-- meanwhile leaves its own behind until the engine has told the children.
CREATE TABLE signals (
    sequence INTEGER PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;
";

fn make_layout_4(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_4_COLUMN)?;
    fill_took(transaction)?;
    transaction.execute_batch(LAYOUT_4_INDEX)
}

/// How long each success took: figures over all jobs must not read every record.
const LAYOUT_4_COLUMN: &str = "
ALTER TABLE history ADD COLUMN took_ms INTEGER;  -- NULL for all but a run that succeeded
";

const LAYOUT_4_INDEX: &str = "
-- Has all that the figures need, so that a million entries are looked through without their rows.
CREATE INDEX history_took ON history (incarnation, sequence, took_ms) WHERE took_ms IS NOT NULL;
";

/// Rows read before they are written to: no statement walks the table while another changes it.
const FILLED_AT_ONCE: i64 = 1_000;

/// Says of every success stored so far how long it took. A record that cannot be read is left to whoever reads it.
fn fill_took(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut read = transaction.prepare(
        "SELECT sequence, record FROM history WHERE sequence > ?1 AND verdict = 'succeeded'
         AND run_id IS NOT NULL ORDER BY sequence LIMIT ?2",
    )?;
    let mut write = transaction.prepare("UPDATE history SET took_ms = ?2 WHERE sequence = ?1")?;
    let mut last = i64::MIN;
    loop {
        let rows = read.query_map(params![last, FILLED_AT_ONCE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        let Some((newest, _)) = rows.last() else { return Ok(()) };
        last = *newest;
        for (sequence, record) in &rows {
            if let Ok(run) = codec::decode_run(record) {
                write.execute(params![sequence, took_millis(&run)])?;
            }
        }
    }
}

fn make_layout_5(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_5)
}

const LAYOUT_5: &str = "
-- Requests that were carried out under a key of the client's. The engine forgets them by age and by number.
CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

fn make_layout_6(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_6)?;
    fill_causes(transaction)
}

const LAYOUT_6: &str = "
ALTER TABLE jobs ADD COLUMN interventions TEXT;  -- NULL: operators have done nothing that lasts

-- Whether everything is paused: one row, or none.
CREATE TABLE pause (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record TEXT NOT NULL
) STRICT;

-- Backfills that go on, and the latest that are over. The engine forgets them by number.
CREATE TABLE backfills (
    id INTEGER PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

-- Which runs each run has brought about: by ending, or by being tried once more. Goes with the history entry it leads to.
CREATE TABLE causes (
    cause TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (cause, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX causes_by_sequence ON causes (sequence);
";

fn make_layout_7(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(LAYOUT_7)
}

const LAYOUT_7: &str = "
-- What people are told of. They are numbered, and kept for as long as the history is.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    incident INTEGER,               -- NULL: it is news
    job TEXT,                       -- NULL: it is about the scheduler
    at INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_by_time ON alerts (at);
CREATE INDEX alerts_by_job ON alerts (job, incident) WHERE incident IS NOT NULL;
CREATE INDEX alerts_by_incident ON alerts (incident, id) WHERE incident IS NOT NULL;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    closed_at INTEGER,              -- NULL: it goes on
    record TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;
CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE notifications (
    id INTEGER PRIMARY KEY,
    incident INTEGER,
    channel TEXT NOT NULL,
    delivery TEXT NOT NULL,
    over_at INTEGER,                -- NULL: it is still to be sent
    record TEXT NOT NULL
) STRICT;
CREATE INDEX notifications_outbox ON notifications (id) WHERE over_at IS NULL;
CREATE INDEX notifications_over ON notifications (over_at) WHERE over_at IS NOT NULL;
CREATE INDEX notifications_by_channel ON notifications (channel, delivery, id);
CREATE INDEX notifications_by_delivery ON notifications (delivery, id);
CREATE INDEX notifications_by_incident ON notifications (incident, id) WHERE incident IS NOT NULL;

CREATE TABLE silences (
    job TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE failing_channels (
    channel TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Says of every run stored so far what brought it about. A record that cannot be read is left to whoever reads it.
fn fill_causes(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut read = transaction.prepare(
        "SELECT sequence, record FROM history WHERE sequence > ?1 AND run_id LIKE '%-p%'
         ORDER BY sequence LIMIT ?2",
    )?;
    let mut write =
        transaction.prepare("INSERT OR IGNORE INTO causes (cause, sequence) VALUES (?1, ?2)")?;
    let mut last = i64::MIN;
    loop {
        let rows = read.query_map(params![last, FILLED_AT_ONCE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        let Some((newest, _)) = rows.last() else { return Ok(()) };
        last = *newest;
        for (sequence, record) in &rows {
            if let Ok(run) = codec::decode_run(record) {
                for cause in causes(&run) {
                    write.execute(params![cause.to_string(), sequence])?;
                }
            }
        }
    }
}

/// The layout of the file.
pub(super) fn layout(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes every step from `layout` to the present one, each in a transaction: a crash in between is taken up again at
/// the next start.
pub(super) fn migrate(connection: &mut Connection, layout: u32) -> rusqlite::Result<()> {
    for (step, to) in STEPS.iter().zip(1_u32..).skip(layout as usize) {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        step(&transaction)?;
        transaction.pragma_update(None, "user_version", to)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}
