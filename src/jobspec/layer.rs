//! What several places say about one job, one upon the other: the defaults of its directories, its template, itself.
//!
//! Objects are joined key by key; everything else, lists too, is replaced as a whole, and `null` takes away what came
//! from further off. What a field replaces is also what says the same in another word, so that a job with `parents` has
//! not the `schedule` of its template as well. Each value keeps the place where it was written, whichever that is.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::yaml::{Entry, Kind, Node, Place};

/// Fields of which only one is given: whoever gives one drops what came from further off of the others.
const ALTERNATIVES: [&[&str]; 7] = [
    &["command", "commandFile"],
    &["fetch", "uris"],
    &["overlap", "concurrent"],
    &["priority", "highPriority"],
    &["retryOn", "noRetryOn"],
    &["timeout", "maxCompletionTime"],
    &["schedule", "parents"],
];

/// What says something about a schedule alone, and about parents alone.
const OF_SCHEDULES: [&str; 8] = [
    "schedule",
    "scheduleTimeZone",
    "dst",
    "jitter",
    "notBefore",
    "notAfter",
    "calendars",
    "spreadBy",
];
const OF_PARENTS: [&str; 3] = ["parents", "triggerRule", "join"];

/// Objects of which one key is a choice: they are replaced, not joined.
const CHOICES: [&str; 3] = ["overlap", "catchUp", "shadow"];

/// A place in one of several files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) file: Arc<str>,
    pub(super) at: Place,
}

/// Where the fields of a job stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Places {
    fields: BTreeMap<String, Spot>,
    pub(super) start: Spot,
}

/// The longest path whose place is remembered; those of known fields are shorter. Without a bound, one long key above
/// many items would be repeated for each of them.
const PATH_BYTES_MAX: usize = 200;

impl Places {
    pub(super) fn beginning(file: &Arc<str>, at: Place) -> Self {
        Self { fields: BTreeMap::new(), start: Spot { file: Arc::clone(file), at } }
    }

    fn remember(&mut self, path: &str, at: Place) {
        if path.len() <= PATH_BYTES_MAX {
            let file = Arc::clone(&self.start.file);
            self.fields.insert(path.to_owned(), Spot { file, at });
        }
    }

    /// The place of a field, or of what it should be in.
    pub(super) fn of(&self, field: &str) -> &Spot {
        let mut field = field;
        loop {
            if let Some(spot) = self.fields.get(field) {
                return spot;
            }
            let Some(end) = field.rfind(['.', '[']) else { return &self.start };
            field = &field[..end];
        }
    }

    /// Forgets a field, and all that is in it.
    fn forget(&mut self, field: &str) {
        self.fields.retain(|path, _| {
            let rest = path.strip_prefix(field);
            !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
    }
}

/// What one place says about jobs.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) fields: Map<String, Value>,
    pub(super) places: Places,
}

impl Layer {
    /// What `nearer` says, and beneath it what this says. A `null` stays, for what comes from further off still.
    pub(super) fn under(mut self, nearer: Self) -> Self {
        for group in ALTERNATIVES {
            if group.iter().any(|field| is_given(&nearer.fields, field)) {
                group.iter().filter(|field| !nearer.fields.contains_key(**field)).for_each(
                    |field| {
                        self.take(field);
                    },
                );
            }
        }
        if is_given(&nearer.fields, "parents") {
            OF_SCHEDULES.iter().for_each(|field| drop(self.take(field)));
        } else if is_given(&nearer.fields, "schedule") {
            OF_PARENTS.iter().for_each(|field| drop(self.take(field)));
        }
        let Self { fields, places } = nearer;
        for (field, value) in fields {
            match (self.fields.get_mut(&field), value) {
                (Some(Value::Object(below)), Value::Object(above))
                    if !CHOICES.contains(&field.as_str()) =>
                {
                    join(&field, below, above, &mut self.places);
                }
                (_, value) => {
                    self.places.forget(&field);
                    self.fields.insert(field, value);
                }
            }
        }
        let Places { fields, start } = places;
        self.places.fields.extend(fields);
        self.places.start = start;
        self
    }

    /// What is left where `null` takes away: whatever it stands for is taken away by now.
    pub(super) fn without_nothing(mut self) -> Self {
        strip(&mut self.fields);
        self
    }

    /// Takes a field away, with its places.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        let taken = self.fields.shift_remove(field)?;
        self.places.forget(field);
        Some(taken)
    }

    /// Sets a field, which stands where `spot` is.
    pub(super) fn set(&mut self, field: &str, value: Value, spot: Spot) {
        self.fields.insert(field.to_owned(), value);
        self.places.fields.insert(field.to_owned(), spot);
    }
}

fn is_given(fields: &Map<String, Value>, field: &str) -> bool {
    fields.get(field).is_some_and(|value| !value.is_null())
}

/// Takes away what is null, also in objects. In a list it would be an item, and is left to whoever reads that.
fn strip(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    for value in fields.values_mut() {
        if let Value::Object(inner) = value {
            strip(inner);
        }
    }
}

/// How deep values are nested is bounded where they are read.
fn join(path: &str, below: &mut Map<String, Value>, above: Map<String, Value>, at: &mut Places) {
    for (key, value) in above {
        let path = format!("{path}.{key}");
        match (below.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => join(&path, below, above, at),
            (_, value) => {
                at.forget(&path);
                below.insert(key, value);
            }
        }
    }
}

/// The JSON that `node` would be, or `None` if there is a fault in it.
pub(super) fn value_of(node: &Node, path: &str, places: &mut Places) -> Option<Value> {
    match &node.kind {
        Kind::Null(_) => Some(Value::Null),
        Kind::Text(text) => Some(Value::String(text.clone())),
        Kind::List(items) => {
            let item = |(index, item): (usize, &Rc<Node>)| {
                let path = format!("{path}[{index}]");
                places.remember(&path, item.at);
                value_of(item, within_bound(&path), places)
            };
            items.iter().enumerate().map(item).collect::<Option<_>>().map(Value::Array)
        }
        Kind::Map(entries) => {
            let entry = |Entry { key, at, value }: &Entry| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                places.remember(&path, *at);
                Some((key.clone(), value_of(value, within_bound(&path), places)?))
            };
            entries.iter().map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Kind::Bad => None,
    }
}

/// `path`, or a stand-in that names no field if it is too long to be one's beginning.
fn within_bound(path: &str) -> &str {
    if path.len() <= PATH_BYTES_MAX { path } else { "?" }
}
