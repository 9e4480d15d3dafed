//! The recorded exchanges with a real master, for tests: `tests/mesos/traces`, whose README says what is in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// One line of a recording.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Line {
    /// `->`, `<-`, `#` or `zk`.
    pub dir: String,
    /// Milliseconds since the start.
    pub t: i64,
    /// Which connection of a scheduler.
    pub conn: Option<String>,
    /// `host:port`, where it is not the first master.
    pub to: Option<String>,
    /// Of a request.
    pub method: Option<String>,
    /// Of a request, or of a znode.
    pub path: Option<String>,
    /// Of a request or an answer, by their names as recorded.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Of an answer.
    pub status: Option<u16>,
    /// JSON, or a string where it was text.
    pub body: Option<Value>,
    /// What a person says about it.
    pub note: Option<String>,
}

impl Line {
    /// Whether it is a record of a stream of events, and not the answer to a request.
    pub fn event(&self) -> Option<&Value> {
        let is_event = self.dir == "<-" && self.status.is_none() && self.note.is_none();
        self.body.as_ref().filter(|_| is_event)
    }

    /// The call to a scheduler's door in it.
    pub fn call(&self) -> Option<&Value> {
        let is_call = self.dir == "->" && self.path.as_deref() == Some("/api/v1/scheduler");
        self.body.as_ref().filter(|_| is_call)
    }

    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body of an answer as text.
    pub fn text(&self) -> String {
        match &self.body {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

/// Where they lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mesos/traces")
}

/// A recording by its name, without the ending.
///
/// # Panics
///
/// If there is none of that name, or it cannot be read.
pub fn read(name: &str) -> Vec<Line> {
    let path = folder().join(format!("{name}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let line = |(number, text): (usize, &str)| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}:{}: {error}", number + 1))
    };
    text.lines().enumerate().map(line).collect()
}

/// The names of all.
///
/// # Panics
///
/// If they are not there.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 30, "recordings are missing: {names:?}");
    names
}
