//! Files as truth: `chronode apply`, `validate`, `schema`, and `serve --jobs DIR --watch`, through the real program.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Weak};

use common::{Place, Server, wait_for};
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

/// A server that the tests of the command share as long as one of them runs; each has its own source and names.
struct House {
    // Ends before its data goes.
    server: Server,
    _place: Place,
}

impl House {
    fn open() -> Arc<Self> {
        static SHARED: Mutex<Weak<House>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let place = Place::new();
            let house = Arc::new(Self { server: Server::start(&place.data(), &[]), _place: place });
            *shared = Arc::downgrade(&house);
            house
        })
    }
}

/// A directory of job files that is applied to the shared server.
struct Source {
    house: Arc<House>,
    _place: Place,
    directory: PathBuf,
}

impl Source {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let directory = place.file(name);
        write(&directory, files);
        Self { house: House::open(), _place: place, directory }
    }

    fn server(&self) -> &Server {
        &self.house.server
    }

    fn apply(&self, args: &[&str]) -> Output {
        let directory = self.directory.to_str().unwrap();
        chronode(&[&["apply", directory, "--server", &self.server().url], args].concat())
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.directory, &[(path, text)]);
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.directory.join(path)).unwrap();
    }

    fn origin(&self, job: &str) -> Value {
        self.server().get(&format!("/scheduler/origins?job={job}"))["jobs"][0].clone()
    }

    fn job(&self, name: &str) -> Value {
        self.server().get(&format!("/scheduler/job/{name}"))
    }

    fn is_there(&self, name: &str) -> bool {
        let path = format!("/scheduler/job/{name}");
        self.server().request("GET", &path, None).status == 200
    }
}

const FAR: &str = "R/2100-01-01T00:00:00Z/P1D";

#[test]
fn a_plan_comes_first_and_what_it_says_is_done() {
    let source = Source::new(
        "billing",
        &[
            ("_defaults.yaml", "owner: billing@example.org\nretries: 0\n"),
            ("close.yaml", "name: bill.close\nschedule: 0 */6 * * *\ncommandFile: close.sh\n"),
            ("close.sh", "echo closing\n"),
            ("sub/mail.yaml", "name: bill.mail\nparents: [bill.close]\ncommand: echo mail\n"),
        ],
    );
    let plan = ended(&source.apply(&["--dry-run", "--detailed-exitcode", "--days", "1"]), 3);
    for expected in [
        "plan of the source `billing` for http://",
        "+ bill.close  (",
        "close.yaml:1)",
        "4 runs more until ",
        "+ bill.mail  (",
        "2 to create, 0 to change, 0 to delete, 0 unchanged",
    ] {
        assert!(plan.contains(expected), "{expected}: {plan}");
    }
    assert!(!source.is_there("bill.close"), "a dry run stores nothing");

    let done = ended(&source.apply(&[]), 0);
    assert!(done.ends_with("applied\n"), "{done}");
    assert_eq!(source.job("bill.close")["command"], "echo closing\n");
    assert_eq!(source.job("bill.mail")["owner"], "billing@example.org");
    let found = source.origin("bill.mail");
    assert_eq!((&found["source"], &found["place"]), (&json!("billing"), &json!("sub/mail.yaml")));
    assert_eq!(found["drift"], Value::Null);
    // Nothing is left to do, and that is said by the exit code too.
    let again = ended(&source.apply(&["--dry-run", "--detailed-exitcode"]), 0);
    assert!(again.contains("0 to create, 0 to change, 0 to delete, 2 unchanged"), "{again}");

    source.write("close.yaml", "name: bill.close\nschedule: 0 */12 * * *\ncommandFile: close.sh\n");
    source.write("close.sh", "echo closing the day\n");
    let told: Value =
        serde_json::from_str(&ended(&source.apply(&["--json", "--days", "1"]), 0)).unwrap();
    assert_eq!((&told["changes"], &told["applied"]), (&json!(true), &json!(true)));
    let close = told["jobs"].as_array().unwrap().iter().find(|job| job["name"] == "bill.close");
    let plan = &close.unwrap()["plan"];
    let fields: Vec<_> =
        plan["changes"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["command", "schedule"]);
    assert_eq!(plan["runs"]["removed"]["count"], 2, "{plan}");
    assert_eq!(plan["runs"]["added"]["count"], 0, "{plan}");
}

#[test]
fn what_starts_at_once_is_told_before_it_does() {
    // Within the minute, and a long epsilon makes sure that the last minute still counts.
    let text = "name: now\nschedule: '* * * * *'\nepsilon: PT5M\ncommand: 'true'\n";
    let source = Source::new("hurry", &[("a.yaml", text)]);
    let plan = ended(&source.apply(&["--dry-run"]), 0);
    assert!(plan.contains("starts at once, for "), "{plan}");
}

#[test]
fn secrets_are_in_no_plan() {
    let with = |value: &str| {
        format!(
            "name: hush\nschedule: {FAR}\nenvironmentVariables: [{{name: TOKEN, value: {value}, secret: true}}]\n"
        )
    };
    let source = Source::new("hush", &[("a.yaml", &with("first-one"))]);
    ended(&source.apply(&[]), 0);
    source.write("a.yaml", &with("second-one"));
    for args in [&["--dry-run"][..], &["--dry-run", "--json"], &[]] {
        let output = source.apply(args);
        let told = ended(&output, 0) + &err(&output);
        assert!(told.contains("environmentVariables[0].value"), "{told}");
        assert!(!told.contains("first-one") && !told.contains("second-one"), "{told}");
    }
}

#[test]
fn a_change_by_hand_is_told_and_undone_unless_it_came_after_the_plan() {
    let text = format!("name: drifts\nschedule: {FAR}\ncommand: echo file\n");
    let source = Source::new("drifting", &[("a.yaml", &text)]);
    ended(&source.apply(&[]), 0);
    let by_hand = json!({"name": "drifts", "schedule": FAR, "command": "echo hand", "owner": ""});
    let dry =
        source.server().request("POST", "/scheduler/iso8601?dryRun=true", Some(&by_hand)).body;
    assert!(dry.contains("comes from the source `drifting`"), "{dry}");
    source.server().post(&by_hand);
    let found = source.origin("drifts");
    assert_eq!(found["drift"], "changed");
    assert!(
        found["changes"].as_array().unwrap().iter().any(|it| it["field"] == "command"),
        "{found}"
    );
    let listed = source.server().get("/scheduler/overview?search=drifts")["jobs"][0].clone();
    assert_eq!((&listed["source"], &listed["drift"]), (&json!("drifting"), &json!("changed")));
    let plan = ended(&source.apply(&["--dry-run"]), 0);
    assert!(
        plan.contains("somebody has changed it since it was applied; that is undone"),
        "{plan}"
    );
    ended(&source.apply(&[]), 0);
    assert_eq!(source.job("drifts")["command"], "echo file");
    assert_eq!(source.origin("drifts")["drift"], Value::Null);

    // What the client believes is no longer so: nothing at all is done.
    let stale = json!({
        "source": "drifting", "expected": {"drifts": "999.1", "other": null},
        "jobs": [{"name": "other", "schedule": FAR}, {"name": "drifts", "schedule": FAR}],
    });
    let refused = source.server().request("POST", "/scheduler/apply", Some(&stale));
    assert_eq!(refused.status, 412, "{}", refused.body);
    assert!(refused.body.contains("\"changed\""), "{}", refused.body);
    assert!(!source.is_there("other"));
}

#[test]
fn only_what_the_source_owns_and_has_lost_is_pruned() {
    let named = |name: &str| format!("name: {name}\nschedule: {FAR}\ncommand: 'true'\n");
    let (a, b) = (named("prune.a"), named("prune.b"));
    let source = Source::new("pruned", &[("a.yaml", &a), ("b.yaml", &b)]);
    ended(&source.apply(&["--source", "prune-me"]), 0);
    source.server().post(&json!({"name": "prune.hand", "schedule": FAR, "owner": ""}));
    source.remove("b.yaml");

    // Without `--prune` it stays, and everybody can see it.
    let plan = ended(&source.apply(&["--source", "prune-me"]), 0);
    assert!(plan.contains("! prune.b: not in the directory any more"), "{plan}");
    assert_eq!(source.origin("prune.b")["drift"], "gone");
    // Whoever deletes says for whom.
    let refused = source.apply(&["--prune"]);
    ended(&refused, 2);
    assert!(err(&refused).contains("`--source NAME`"), "{}", err(&refused));
    source.write("_source.yaml", "name: prune-me\n");
    let plan = ended(&source.apply(&["--prune", "--dry-run"]), 0);
    assert!(plan.contains("- prune.b\n") && plan.contains("1 to delete"), "{plan}");
    assert!(source.is_there("prune.b"));
    ended(&source.apply(&["--prune"]), 0);
    assert!(
        !source.is_there("prune.b") && source.is_there("prune.a") && source.is_there("prune.hand")
    );

    // An empty directory is more often a mistake than a wish.
    source.remove("a.yaml");
    let refused = source.apply(&["--prune"]);
    ended(&refused, 1);
    assert!(err(&refused).contains("`--allow-empty`"), "{}", err(&refused));
    ended(&source.apply(&["--prune", "--allow-empty"]), 0);
    assert!(!source.is_there("prune.a") && source.is_there("prune.hand"));
}

#[test]
fn another_source_takes_a_job_over_only_if_it_says_so() {
    let text = format!("name: taken\nschedule: {FAR}\ncommand: 'true'\n");
    let first = Source::new("first", &[("a.yaml", &text)]);
    ended(&first.apply(&[]), 0);
    let second = Source::new("second", &[("b.yaml", &text)]);
    let refused = second.apply(&[]);
    ended(&refused, 1);
    let told = err(&refused);
    assert!(told.contains("b.yaml:1:1: job 'taken' comes from the source `first`"), "{told}");
    assert!(told.contains("`--take-over`"), "{told}");
    let plan = ended(&second.apply(&["--take-over"]), 0);
    assert!(plan.contains("taken over from the source `first`"), "{plan}");
    assert_eq!(second.origin("taken")["source"], "second");
}

#[test]
fn what_is_refused_is_told_with_its_place_and_changes_nothing() {
    let good = format!("name: refused.good\nschedule: {FAR}\ncommand: 'true'\n");
    let source =
        Source::new("refused", &[("good.yaml", &good), ("bad.yaml", "name: bad\nretries: many\n")]);
    let refused = source.apply(&[]);
    ended(&refused, 1);
    assert!(err(&refused).contains("bad.yaml:2:1: `retries` is `many`"), "{}", err(&refused));
    // What only the server knows.
    source.write("bad.yaml", "name: refused.bad\nparents: [refused.nowhere]\n");
    let refused = source.apply(&[]);
    ended(&refused, 1);
    assert!(err(&refused).contains("bad.yaml:2:1: "), "{}", err(&refused));
    assert!(err(&refused).contains("`refused.nowhere` does not exist"), "{}", err(&refused));
    assert!(!source.is_there("refused.good"));
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

#[test]
fn a_directory_that_is_watched_is_applied_when_it_changes() {
    let place = Place::new();
    let jobs = place.file("jobs");
    let named =
        |name: &str, command: &str| format!("name: {name}\nschedule: {FAR}\ncommand: {command}\n");
    write(&jobs, &[("_source.yaml", "name: watched\n"), ("a.yaml", &named("a", "echo 1"))]);
    let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap(), "--watch"]);
    assert!(server.banner.iter().any(|line| line.contains("1 loaded, 0 unchanged, 0 refused")));
    let info = || server.get("/scheduler/info")["jobFiles"].clone();
    assert_eq!((&info()["source"], &info()["watched"]), (&json!("watched"), &json!(true)));
    let command_of = |job: &str| {
        let answer = server.request("GET", &format!("/scheduler/job/{job}"), None);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        body["command"].as_str().map(str::to_owned)
    };

    // A file that is right is applied, one that is not changes nothing of its own and keeps nothing back.
    let torn = named("a", "echo 2") + "---\nname: late\nretries: many\n";
    write(&jobs, &[("a.yaml", &torn), ("b.yaml", &named("b", "echo 1"))]);
    wait_for("the new file to be applied", || command_of("b"));
    assert_eq!(command_of("a").unwrap(), "echo 1");
    let problems = info();
    assert_eq!(problems["problemCount"], 1, "{problems}");
    assert!(
        problems["problems"][0].as_str().unwrap().contains("a.yaml:6:1: `retries`"),
        "{problems}"
    );
    wait_for("the problem to be logged", || server.log().contains("a.yaml:6:1").then_some(()));

    // What is gone stays, and shows; it is not gone while something cannot be read.
    fs::remove_file(jobs.join("b.yaml")).unwrap();
    write(&jobs, &[("a.yaml", &named("a", "echo 3"))]);
    wait_for("the corrected file to be applied", || {
        command_of("a").filter(|command| command == "echo 3")
    });
    let drift = || server.get("/scheduler/origins?source=watched&drifted=true")["jobs"].clone();
    let found = wait_for("the lost job to show", || Some(drift()).filter(|it| it[0].is_object()));
    assert_eq!((&found[0]["job"], &found[0]["drift"]), (&json!("b"), &json!("gone")));
    assert_eq!(info()["problemCount"], 0);
    server.terminate();

    // Started to prune, it deletes it.
    let args = ["--jobs", jobs.to_str().unwrap(), "--jobs_prune"];
    let server = Server::start(&place.data(), &args);
    assert_eq!(server.request("GET", "/scheduler/job/b", None).status, 400);
    assert_eq!(server.get("/scheduler/job/a")["command"], "echo 3");
    server.terminate();
    // But not where nobody says whose jobs they are.
    fs::remove_file(jobs.join("_source.yaml")).unwrap();
    let refused = Server::try_start(&place.data(), &args, &[]).unwrap_err();
    assert!(refused.log.contains("_source.yaml"), "{}", refused.log);
}
