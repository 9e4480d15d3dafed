//! What may stand in job files, as JSON Schema (2020-12): for editors, which complete and underline by it.
//!
//! Stricter than the reading, which lets unknown fields through with a warning: whoever writes a file by hand wants to
//! see them. What is wrong beyond the shape `validate` tells.

use serde_json::{Map, Value, json};

use super::schema::{job_schema, name_schema};
use super::set::{COMMAND_FILE, EXTENDS};
use crate::model::{Dialect, NameRule};

/// The kinds of files in a directory of jobs that have fields of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFileKind {
    /// Jobs: one, or a list of them.
    Jobs,
    /// What holds for every job of a directory: `_defaults.yaml`.
    Defaults,
    /// What jobs extend: `_templates.yaml`.
    Templates,
}

impl JobFileKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jobs, Self::Defaults, Self::Templates];

    /// The name of the file in which the schema is published.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Jobs => "job.schema.json",
            Self::Defaults => "defaults.schema.json",
            Self::Templates => "templates.schema.json",
        }
    }
}

/// What is counted, and what is only told: nobody writes it into a file.
const NOT_IN_FILES: [&str; 9] = [
    "successCount",
    "errorCount",
    "errorsSinceLastSuccess",
    "lastSuccess",
    "lastError",
    "nextDue",
    "remaining",
    "waitsFor",
    "revision",
];

/// The schema of the files of a kind.
#[must_use]
pub fn job_file_schema(kind: JobFileKind) -> Value {
    let (title, own) = match kind {
        JobFileKind::Jobs => (
            "Job file of Chronode",
            json!({"anyOf": [
                {"$ref": "#/$defs/job"},
                {"type": "array", "items": {"$ref": "#/$defs/job"}},
            ]}),
        ),
        JobFileKind::Defaults => {
            ("Defaults of a directory of job files of Chronode", json!({"$ref": "#/$defs/shared"}))
        }
        JobFileKind::Templates => (
            "Templates of job files of Chronode",
            json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/template"}}),
        ),
    };
    let fields = fields();
    let with = |more: &[(&str, Value)]| {
        let mut fields = fields.clone();
        fields.extend(more.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
        json!({"type": "object", "additionalProperties": false, "properties": fields})
    };
    let defs = match kind {
        JobFileKind::Jobs => {
            let mut job = with(&[("name", name()), (EXTENDS, extends())]);
            job["required"] = json!(["name"]);
            json!({"job": job})
        }
        JobFileKind::Defaults => json!({"shared": with(&[])}),
        JobFileKind::Templates => json!({"template": with(&[(EXTENDS, extends())])}),
    };
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    if let (Some(schema), Value::Object(own)) = (schema.as_object_mut(), own) {
        schema.extend(own);
    }
    schema["$defs"] = defs;
    schema
}

/// The fields that jobs can share. Each may be null, which takes away what comes from further off.
fn fields() -> Map<String, Value> {
    let schema = job_schema(Dialect::V0);
    let known = schema["properties"].as_object().cloned().unwrap_or_default();
    let written = known
        .into_iter()
        .filter(|(name, _)| name != "name" && !NOT_IN_FILES.contains(&name.as_str()));
    let mut fields: Map<String, Value> =
        written.map(|(name, schema)| (name, or_null(schema))).collect();
    let script = json!({
        "type": ["string", "null"],
        "minLength": 1,
        "description": "The text file whose content becomes `command`: its path from this file, within the directory.",
    });
    fields.insert(COMMAND_FILE.to_owned(), script);
    fields
}

fn name() -> Value {
    let mut schema = name_schema(NameRule::NoBlanks);
    schema["description"] = "Its identity: a job of that name is replaced.".into();
    schema
}

fn extends() -> Value {
    json!({
        "type": ["string", "null"],
        "description": "The template whose fields it has where it gives none: of this directory, or of the nearest above.",
    })
}

/// The same, or null. A field has a type, a list of values, or alternatives, and never two of these.
fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        schema["type"] = json!([kind, "null"]);
    } else if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    } else if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.push(json!({"type": "null"}));
    }
    schema
}
