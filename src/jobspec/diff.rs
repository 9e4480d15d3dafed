//! What two definitions of a job say differently, field by field, as a door prints them.
//!
//! Arrays are compared place by place and objects key by key, so that a change deep inside is told as what it is.
//! Secrets are compared and never told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::print::{Derived, print};
use crate::model::{
    Dialect, Incarnation, Interventions, Job, JobRecord, JobStats, Progress, SECRET_SHOWN,
    Timestamp,
};

/// One thing that two definitions say differently.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Its path, such as `environmentVariables[2].value`.
    pub field: String,
    /// What the first says; `None` if it says nothing.
    pub old: Option<Value>,
    /// What the second says, likewise.
    pub new: Option<Value>,
    /// Whether it is the value of a secret: then both are shown as `***` although they differ.
    pub is_secret: bool,
}

impl FieldChange {
    /// The field of the job that it is about, such as `environmentVariables`.
    #[must_use]
    pub fn top(&self) -> &str {
        self.field.split(['.', '[']).next().unwrap_or_default()
    }
}

/// The environment variables of a job whose values are shown to nobody.
#[must_use]
pub fn secret_names(job: &Job) -> BTreeSet<String> {
    let secret = job.environment.iter().filter(|variable| variable.secret);
    secret.map(|variable| variable.name.clone()).collect()
}

/// What of a printed job is no definition: what was counted, and what is only read.
const NO_DEFINITION: [&str; 5] =
    ["successCount", "errorCount", "lastSuccess", "lastError", "errorsSinceLastSuccess"];

/// What only the older door prints of a definition.
const OLDER_DOOR: [&str; 2] = ["epsilon", "async"];

/// The definition as `dialect` prints it, without counts. Variables named in `hidden` are shown as secrets, whatever the
/// definition itself says of them.
#[must_use]
pub fn print_definition(
    job: &Job,
    dialect: Dialect,
    hidden: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut job = job.clone();
    hide(&mut job, hidden);
    let record = JobRecord {
        incarnation: Incarnation(0),
        revision: 0,
        accepted_at: Timestamp::UNIX_EPOCH,
        job,
        stats: JobStats::default(),
        progress: Progress {
            decided_through: Timestamp::UNIX_EPOCH,
            stretch: None,
            boot_id: None,
            rounds: Vec::new(),
        },
        interventions: Interventions::default(),
    };
    let mut printed = print(&record, dialect, Derived::default());
    printed.retain(|key, _| !NO_DEFINITION.contains(&key.as_str()));
    printed
}

/// What `new` says differently from `old`, in the words of `dialect`. What that does not print is told in the words of
/// the other one, so that nothing is told of definitions that are the same, and of those alone.
#[must_use]
pub fn changes(
    old: &Job,
    new: &Job,
    dialect: Dialect,
    hidden: &BTreeSet<String>,
) -> Vec<FieldChange> {
    let [before, after] = [old, new].map(|job| whole(job, dialect, hidden));
    let mut found = Vec::new();
    compare_objects("", &before, &after, &mut found);
    let is_hidden = |job: &Job, index: usize| {
        let variable = &job.environment[index];
        variable.secret || hidden.contains(&variable.name)
    };
    for (index, (before, after)) in old.environment.iter().zip(&new.environment).enumerate() {
        if before.value != after.value && is_hidden(old, index) && is_hidden(new, index) {
            found.push(FieldChange {
                field: format!("environmentVariables[{index}].value"),
                old: Some(SECRET_SHOWN.into()),
                new: Some(SECRET_SHOWN.into()),
                is_secret: true,
            });
        }
    }
    found
}

fn hide(job: &mut Job, hidden: &BTreeSet<String>) {
    for variable in &mut job.environment {
        variable.secret |= hidden.contains(&variable.name);
    }
}

/// The definition with what the door does not print.
fn whole(job: &Job, dialect: Dialect, hidden: &BTreeSet<String>) -> Map<String, Value> {
    let mut printed = print_definition(job, dialect, hidden);
    match dialect {
        Dialect::V0 => {}
        Dialect::V1 => {
            let mut older = print_definition(job, Dialect::V0, hidden);
            older.retain(|key, _| OLDER_DOOR.contains(&key.as_str()));
            printed.extend(older);
        }
    }
    printed
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<FieldChange>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => compare_objects(path, old, new, found),
        (Value::Array(old), Value::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                let path = format!("{path}[{index}]");
                compare_places(path, old.get(index), new.get(index), found);
            }
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => {
            if old != new {
                found.push(FieldChange {
                    field: path.to_owned(),
                    old: Some(old.clone()),
                    new: Some(new.clone()),
                    is_secret: false,
                });
            }
        }
    }
}

fn compare_objects(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    found: &mut Vec<FieldChange>,
) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        compare_places(path, old.get(key), new.get(key), found);
    }
}

fn compare_places(
    path: String,
    old: Option<&Value>,
    new: Option<&Value>,
    found: &mut Vec<FieldChange>,
) {
    match (old, new) {
        (Some(old), Some(new)) => compare(&path, old, new, found),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => found.push(FieldChange {
            field: path,
            old: old.cloned(),
            new: new.cloned(),
            is_secret: false,
        }),
    }
}
