//! Files as truth: `chronode validate` and `schema`, through the real program.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::Place;
use serde_json::{Value, json};

/// The binary as a client, with nothing set that would make it find another server.
fn chronode(args: &[&str]) -> Output {
    let mut command = Command::new(common::program());
    command.args(args).env_remove("CHRONODE_SERVER").output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts with what it ended, and returns what it printed.
fn ended(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}{}", out(output), err(output));
    out(output)
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn job_files_are_validated_without_a_server() {
    let place = Place::new();
    let directory = place.file("jobs");
    write(
        &directory,
        &[
            ("a.yaml", "name: a\nschedule: 0 0 31 2 *\n---\nname: b\nparents: [elsewhere]\n"),
            ("b.json", "{\n\t\"name\": \"c\",\n\t\"comand\": \"x\"\n}\n"),
        ],
    );
    let path = directory.to_str().unwrap();
    let told = ended(&chronode(&["validate", path]), 1);
    assert!(told.contains("a.yaml:2:1: `31 2` names a date that never comes"), "{told}");
    assert!(
        told.contains("warning: ") && told.contains("b.json:3:2: unknown field `comand`"),
        "{told}"
    );
    let told: Value =
        serde_json::from_str(&ended(&chronode(&["validate", path, "--json"]), 1)).unwrap();
    let problem = &told["problems"][0];
    assert_eq!((&problem["job"], &problem["field"]), (&json!("a"), &json!("schedule")));
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(1)));
    assert_eq!(told["warnings"].as_array().unwrap().len(), 2, "{told}");

    write(&directory, &[("a.yaml", "name: b\nparents: [elsewhere]\n"), ("b.json", "[]")]);
    ended(&chronode(&["validate", path]), 0);
    let complete = ended(&chronode(&["validate", "--complete", path]), 1);
    assert!(complete.contains("the parent `elsewhere` is not in these files"), "{complete}");
    ended(&chronode(&["validate", "/nonexistent/a.yaml"]), 1);
    ended(&chronode(&["validate"]), 2);
}

/// By a validator that is not ours: what the examples say, and that it finds what is wrong.
#[test]
fn the_examples_follow_the_published_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = ended(&chronode(&["schema"]), 0);
    assert_eq!(printed, fs::read_to_string(root.join("docs/schema/job.schema.json")).unwrap());
    let python = root.join("target/python/bin/python");
    let script = "
import glob, json, sys, jsonschema_rs, yaml
schema = json.load(open('docs/schema/job.schema.json'))
jsonschema_rs.meta.validate(schema)
validator = jsonschema_rs.validator_for(schema)
files = sorted(glob.glob('jobs/*.yaml'))
for file in files:
    assert open(file).readline().startswith('# yaml-language-server: $schema=../docs/schema/'), file
    for document in yaml.safe_load_all(open(file)):
        validator.validate(document)
for wrong in [{}, {'name': 'a', 'comand': 'x'}, {'name': 'a', 'retries': 'many'}, [{'name': 'a b'}], 'text']:
    assert not validator.is_valid(wrong), wrong
for right in [{'name': 'a', 'owner': None, 'extends': 'x'}, []]:
    assert validator.is_valid(right), right
for name, right, wrong in [
    ('defaults', {'retries': 1, 'overlap': None}, {'name': 'a'}),
    ('templates', {'t': {'extends': 'u', 'commandFile': 'x.sh'}}, {'t': {'name': 'a'}}),
]:
    other = jsonschema_rs.validator_for(json.load(open(f'docs/schema/{name}.schema.json')))
    assert other.is_valid(right) and not other.is_valid(wrong), name
print(len(files))
";
    let output = Command::new(&python).args(["-c", script]).current_dir(root).output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}: tests/run makes it", python.display()));
    let count: usize = ended(&output, 0).trim().parse().unwrap();
    assert!(count >= 7, "{count}");
}
