//! The schema of a job says of every field that is read or printed what it is, and of none that is not.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::super::{
    Derived, JobFileKind, job_file_schema, job_schema, known, print, printed_always,
};
use super::{record, resolved};
use crate::model::Dialect;

const DIALECTS: [Dialect; 2] = [Dialect::V0, Dialect::V1];

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn fields(schema: &Value) -> BTreeSet<String> {
    let fields = schema["properties"].as_object().unwrap_or_else(|| panic!("no object: {schema}"));
    fields.keys().cloned().collect()
}

#[test]
fn every_known_field_is_described_and_no_other() {
    for dialect in DIALECTS {
        let job = job_schema(dialect);
        let field = |name: &str| &job["properties"][name];
        let container = field("container");
        let network = &container["properties"]["networkInfos"]["items"];
        let volume = &container["properties"]["volumes"]["items"];
        for (schema, known) in [
            (&job, known::JOB),
            (&field("fetch")["items"], known::FETCH),
            (&field("environmentVariables")["items"], known::ENVIRONMENT),
            (&field("catchUp")["anyOf"][1], known::CATCH_UP),
            (&field("shadow")["anyOf"][1], known::SHADOW),
            (field("retryBackoff"), known::RETRY_BACKOFF),
            (field("onUnknown"), known::ON_UNKNOWN),
            (field("dst"), known::DST),
            (&field("calendars")["items"], known::CALENDAR),
            (container, known::CONTAINER),
            (&container["properties"]["parameters"]["items"], known::PROPERTY),
            (network, known::NETWORK_INFO),
            (&network["properties"]["portMappings"]["items"], known::PORT_MAPPING),
            (volume, known::VOLUME),
            (&volume["properties"]["external"], known::EXTERNAL_VOLUME),
        ] {
            assert_eq!(fields(schema), names(known.iter().copied()));
        }
        let counted = &field("overlap")["anyOf"].as_array().unwrap()[1..];
        let counted: BTreeSet<_> = counted.iter().flat_map(fields).collect();
        assert_eq!(counted, names(known::OVERLAP.iter().copied()));
    }
}

#[test]
fn every_field_says_what_it_is() {
    for dialect in DIALECTS {
        for (name, schema) in job_schema(dialect)["properties"].as_object().unwrap() {
            let words = schema["description"].as_str().unwrap_or_default();
            assert!(words.ends_with('.'), "{name}: {schema}");
            let kinds = ["type", "enum", "anyOf"].iter().filter(|key| schema.get(key).is_some());
            assert_eq!(kinds.count(), 1, "{name}: {schema}");
        }
    }
}

/// What is written as the default must be what a body without the field gets.
#[test]
fn defaults_are_those_that_a_small_job_gets() {
    for dialect in DIALECTS {
        let job = record(resolved(&json!({"name": "a", "schedule": "0 2 * * *"}), dialect));
        let printed = print(&job, dialect, Derived::default());
        let schema = job_schema(dialect);
        let mut compared = 0;
        for (name, value) in &printed {
            if let Some(default) = schema["properties"][name].get("default") {
                assert_eq!(value, default, "{name}");
                compared += 1;
            }
        }
        assert!(compared > 15, "{compared}");
        let mut always = names(printed_always(dialect));
        always.extend(names(["schedule", "scheduleTimeZone"]));
        assert_eq!(names(printed.keys().map(String::as_str)), always);
    }
}

/// With UPDATE_EXPECT=1 they are written.
#[test]
fn the_schemas_of_job_files_that_are_checked_in_are_those_that_are_printed() {
    for kind in JobFileKind::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(kind.file_name());
        expect_test::expect_file![path].assert_eq(&format!("{:#}\n", job_file_schema(kind)));
    }
}

/// Whatever is read of a file may stand in it, and nothing that is only told.
#[test]
fn a_job_file_has_the_fields_of_a_job_and_those_that_only_files_have() {
    let schema = job_file_schema(JobFileKind::Jobs);
    let written = fields(&schema["$defs"]["job"]);
    let mut expected = names(known::JOB.iter().copied());
    let told = ["successCount", "errorCount", "errorsSinceLastSuccess", "lastSuccess", "lastError"];
    for field in told.into_iter().chain(["nextDue", "remaining", "waitsFor", "revision"]) {
        assert!(expected.remove(field), "{field}");
    }
    expected.extend(names(["commandFile", "extends"]));
    assert_eq!(written, expected);
    let shared = fields(&job_file_schema(JobFileKind::Defaults)["$defs"]["shared"]);
    let of_jobs: Vec<_> = expected.difference(&shared).collect();
    assert_eq!(of_jobs, ["extends", "name"]);
    let template = &job_file_schema(JobFileKind::Templates)["$defs"]["template"];
    assert_eq!(expected.difference(&fields(template)).collect::<Vec<_>>(), ["name"]);
    // `null` takes away what comes from further off, whatever a field is.
    for (field, schema) in schema["$defs"]["job"]["properties"].as_object().unwrap() {
        let is_nothing = schema.to_string().contains("null");
        assert!(is_nothing || field == "name", "{field}: {schema}");
    }
}
