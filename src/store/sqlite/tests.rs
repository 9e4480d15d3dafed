//! What only a store on a disk must do.

use std::path::{Path, PathBuf};

use super::*;
use crate::model::HistoryEntry;
use crate::store::conformance::{self, Subject, wait};

/// A store in a directory of its own.
struct OnDisk {
    store: Option<SqliteStore>,
    directory: tempfile::TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        Self { store: Some(store), directory }
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join(DATABASE_FILE)
    }
}

impl Subject for OnDisk {
    fn store(&self) -> &dyn Store {
        OnDisk::store(self)
    }

    fn history(&self) -> Vec<HistoryEntry> {
        let reader = OnDisk::store(self).reader().unwrap();
        let mut entries = reader.list(&Filter::default(), None, usize::MAX).unwrap();
        entries.reverse();
        entries
    }

    fn restart(&mut self) {
        self.store = None;
        self.store = Some(open(self.directory.path()).unwrap());
    }
}

fn open(directory: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(&DataDir::open(directory).unwrap())
}

#[test]
fn it_holds_the_contract() {
    conformance::hold(&|| Box::new(OnDisk::new()));
}
