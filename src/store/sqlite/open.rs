//! Opening a database, and deciding first whether it can be trusted.
//!
//! SQLite makes an empty database of a missing or empty file without a word, and throws the log of an empty one
//! away. Here neither happens: a new database is made under another name and renamed when it is complete, so that a
//! `chronode.db` that is empty has lost something.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration as StdDuration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::changes;
use super::schema::{self, APPLICATION_ID, LAYOUT};
use crate::store::Error;

/// How long to wait for a lock that only a person's own `sqlite3` can hold.
pub(super) const BUSY_TIMEOUT: StdDuration = StdDuration::from_secs(5);

/// Statements kept prepared per connection; there are fewer than this.
const STATEMENTS_MAX: usize = 64;

/// Opens the database that the writer writes, making it if there is none, and checks all of it.
pub(super) fn open_checked(path: &Path) -> Result<Connection, Error> {
    if is_absent(path)? {
        create(path)?;
    }
    let mut connection = connect_bare(path)?;
    let layout = check_identity(&connection, path)?;
    check_structure(&connection, path)?;
    configure(&connection).map_err(|source| error("open the database", path, source))?;
    if layout < LAYOUT {
        schema::migrate(&mut connection, layout)
            .map_err(|source| error("bring the database up to date", path, source))?;
    }
    check_marks(&connection, path)?;
    settle(&connection, path)?;
    Ok(connection)
}

/// Opens the database that the writer writes, which has been checked before.
pub(super) fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = connect_bare(path)?;
    configure(&connection).map_err(|source| error("open the database", path, source))?;
    Ok(connection)
}

/// Opens the database without touching it: it may not be ours.
fn connect_bare(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect_with(path, flags)
}

fn connect_with(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let failed = |source| error("open the database", path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    configure_any(&connection).map_err(failed)?;
    Ok(connection)
}

/// Opens the database for reading only.
pub(super) fn connect_read_only(path: &Path) -> Result<Connection, Error> {
    if is_absent(path)? {
        return Err(Error::Absent { path: path.to_owned() });
    }
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Sorts what the database says into what an operator can do about it.
pub(super) fn error(doing: &'static str, path: &Path, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full { source },
        Some(ErrorCode::DatabaseCorrupt) => {
            Error::Corrupt { path: path.to_owned(), what: source.to_string() }
        }
        Some(ErrorCode::NotADatabase) => {
            Error::Foreign { path: path.to_owned(), what: "it is no SQLite file".to_owned() }
        }
        Some(ErrorCode::ConstraintViolation) => Error::Conflict { what: source.to_string() },
        Some(_) | None => Error::Sqlite { doing, source },
    }
}

/// Whether there is no database yet. An empty one, or a log without one, is not that.
fn is_absent(path: &Path) -> Result<bool, Error> {
    let corrupt = |what: &str| Error::Corrupt { path: path.to_owned(), what: what.to_owned() };
    match length(path)? {
        Some(0) => Err(corrupt("the file is empty")),
        Some(_) => Ok(false),
        None if length(&beside(path, "-wal"))?.is_some_and(|length| length > 0) => {
            Err(corrupt("the file is missing, but its -wal file is there"))
        }
        None => Ok(true),
    }
}

fn length(path: &Path) -> Result<Option<u64>, Error> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { doing: "look at", path: path.to_owned(), source }),
    }
}

/// Which file a path leads to: device and number.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(path: &Path) -> Result<Identity, Error> {
    // Looked at, never opened: see `sync`.
    fs::metadata(path)
        .map(|metadata| (metadata.dev(), metadata.ino()))
        .map_err(|source| Error::Io { doing: "look at", path: path.to_owned(), source })
}

/// The path with `suffix` after its file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a complete, empty database.
fn create(path: &Path) -> Result<(), Error> {
    let new = beside(path, ".new");
    // What a crash at this place left behind was never in use. The log of a database that is missing is empty here.
    for leftover in [&new, &beside(&new, "-wal"), &beside(&new, "-shm"), &beside(path, "-wal")] {
        remove_if_there(leftover)?;
    }
    make_file(&new)?;
    let mut connection = connect(&new)?;
    schema::migrate(&mut connection, 0)
        .map_err(|source| error("make the database", &new, source))?;
    // Closing moves the log into the file. Crash before the rename: the next start begins again.
    connection.close().map_err(|(_, source)| error("make the database", &new, source))?;
    sync(&new)?;
    fs::rename(&new, path).map_err(|source| Error::Io { doing: "rename", path: new, source })?;
    sync_directory_of(path)
}

/// Makes an empty file for our eyes only; job definitions hold secrets.
pub(super) fn make_file(path: &Path) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|source| Error::Io { doing: "make", path: path.to_owned(), source })
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Io { doing: "remove", path: path.to_owned(), source }),
    }
}

/// Must not be called for a file that a connection of this process has open: closing any descriptor of it would drop
/// the locks of that connection (POSIX locks belong to process and file).
pub(super) fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|source| Error::Io {
        doing: "sync",
        path: path.to_owned(),
        source,
    })
}

pub(super) fn sync_directory_of(path: &Path) -> Result<(), Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync(directory.unwrap_or_else(|| Path::new(".")))
}

/// What only the writer's connection needs.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Readers neither wait for the writer nor hold it up.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A commit that was answered survives a power cut. NORMAL would lose the latest ones.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer checkpoints after it has answered, see `writer`: within a commit it would delay the answer, and
    // SQLite does not tell when it fails.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // After a burst the log's file gives its space back.
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    // In KiB if negative. The indexes by job and by run id are written all over.
    connection.pragma_update(None, "cache_size", -32_768)?;
    Ok(())
}

fn configure_any(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // The schema of a file that somebody else made runs no functions here.
    connection.pragma_update(None, "trusted_schema", false)?;
    // Nothing beside the data directory; it may be the only place we can write to.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Refuses what is not ours, and what a later release has written. Returns the layout.
pub(super) fn check_identity(connection: &Connection, path: &Path) -> Result<u32, Error> {
    let failed = |source| error("read the database", path, source);
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID {
        return Err(Error::Foreign {
            path: path.to_owned(),
            what: "it is an SQLite file of another application".to_owned(),
        });
    }
    let found = schema::layout(connection).map_err(failed)?;
    if found > LAYOUT {
        return Err(Error::Newer { path: path.to_owned(), found, known: LAYOUT });
    }
    Ok(found)
}

/// Refuses a file whose structure is damaged.
pub(super) fn check_structure(connection: &Connection, path: &Path) -> Result<(), Error> {
    let answer: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| error("check the database", path, source))?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(Error::Corrupt { path: path.to_owned(), what: answer })
    }
}

/// Brings what the log holds into the database and to the disk, before anything is decided by it.
///
/// An earlier process may have ended after a sync that failed. Then the kernel shows what the disk does not have, and
/// another sync of the log would succeed without writing it; writing it to the database makes it true.
fn settle(connection: &Connection, path: &Path) -> Result<(), Error> {
    match checkpoint(connection, "TRUNCATE").map_err(|e| error("settle the log", path, e)) {
        // Whoever starts on a full disk can still be told so by a client, and commits when there is space.
        Err(error @ Error::Full { .. }) => {
            tracing::warn!(%error, "the log stays as it is");
            Ok(())
        }
        result => result,
    }
}

/// Copies the log into the database. The answer says how much readers left undone; that is no failure.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

/// Refuses a file whose marks lie below what is stored: the next job or run would take the number of another.
fn check_marks(connection: &Connection, path: &Path) -> Result<(), Error> {
    let marks = changes::read_marks(connection, path)?;
    let (incarnation, sequence): (i64, i64) = connection
        .query_row(
            "SELECT COALESCE((SELECT MAX(incarnation) FROM definitions), 0),
                    MAX(COALESCE((SELECT MAX(sequence) FROM history), 0),
                        COALESCE((SELECT MAX(sequence) FROM signals), 0))",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(|source| error("check the database", path, source))?;
    let is_sound = changes::signed(marks.last_incarnation)? >= incarnation
        && changes::signed(marks.last_sequence)? >= sequence;
    if is_sound {
        Ok(())
    } else {
        let what = "its marks lie below the numbers in use".to_owned();
        Err(Error::Corrupt { path: path.to_owned(), what })
    }
}
