//! Does the program do what its OpenAPI document says? schemathesis, which `tests/run` installs below `target/`, makes
//! up requests from the served document, right and wrong ones, and compares every answer with it: through both prefixes,
//! and once with credentials. The seed is fixed and the number of requests bounded.
//!
//! What it makes up are jobs, and the program runs jobs, perhaps as root. So that nothing dangerous can happen there are
//! two bars, each enough by itself:
//!
//! - `tests/openapi/hooks.py` rewrites every body before it is sent: the only command is `true`, without arguments of the
//!   fuzzer's, and nothing is downloaded.
//! - The server has a hundredth of what a job gets at least (`--local_resources`; the hooks leave no smaller wish than the
//!   default), so nothing is ever started. At the end the test looks whether that is so.
//!
//! The one exception is made here: the job `small`, which fits, so that there is a run with an attempt to ask about. Its
//! command is `true` too, whatever becomes of it.

mod common;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use common::{Place, Server, wait_for};

/// A hundredth of the default resources of a job, and less.
const RESOURCES: &str = "cpus:0.001;mem:0.001;disk:0.001";
const CREDENTIALS: (&str, &str) = ("fuzzer", "quite-long-password");
/// Requests of each operation that are made up at random, beside those that cover its schema.
const EXAMPLES: &str = "8";
/// Where nobody needs credentials, none are asked for.
const OPEN: [&str; 4] = ["--exclude-checks", "ignored_auth", "--max-examples", EXAMPLES];

struct Subject {
    server: Server,
    _place: Place,
    run: String,
}

impl Subject {
    fn start(with_credentials: bool) -> Self {
        let place = Place::new();
        let (name, password) = CREDENTIALS;
        let credentials = format!("{name}:{password}");
        let mut args = vec!["--local_resources", RESOURCES];
        if with_credentials {
            args.extend(["--http_credentials", &credentials]);
        }
        let server = Server::start(&place.data(), &args);
        let mut subject = Self { server, _place: place, run: String::new() };
        let mut job = json!({
            "name": "small", "command": "true", "schedule": "R/2100-01-01T00:00:00Z/P1D", "owner": "a@example.org",
            "runAsUser": "", "cpus": 0.001, "mem": 0.001, "disk": 0.001,
        });
        assert_eq!(subject.ask("POST", "/scheduler/iso8601", Some(&job)).0, 204);
        assert_eq!(subject.ask("PUT", "/scheduler/job/small", None).0, 204);
        subject.run = wait_for("the run to end", || {
            let (_, answer) = subject.ask("GET", "/scheduler/runs?job=small", None);
            let run = &answer["runs"][0];
            (run["state"] == "ended").then(|| run["id"].as_str().unwrap().to_owned())
        });
        // The job that requests are about wants the default, and has had two definitions.
        job["name"] = "seed".into();
        for amount in ["cpus", "mem", "disk"] {
            job[amount] = 0.into();
        }
        for description in ["first", "second"] {
            job["description"] = description.into();
            assert_eq!(subject.ask("POST", "/scheduler/iso8601", Some(&job)).0, 204);
        }
        subject
    }

    /// Asks with credentials, which do no harm where none are needed.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::new();
        let (name, password) = CREDENTIALS;
        let url = format!("{}{path}", self.server.url);
        let mut request =
            client.request(method.parse().unwrap(), url).basic_auth(name, Some(password));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let response = request.send().unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().unwrap()).unwrap_or_default())
    }

    /// Has schemathesis try the operations whose path begins so, and reports its summary.
    fn examine(&self, document: &str, paths: &str, args: &[&str]) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = root.join("target/python/bin/schemathesis");
        // It leaves files where it is started.
        let directory = tempfile::tempdir().unwrap();
        let output = Command::new(&program)
            .arg("--config-file")
            .arg(root.join("tests/openapi/schemathesis.toml"))
            .args(["run", &format!("{}{document}", self.server.url)])
            .args(["--include-path-regex", paths, "--seed", "1"])
            .args(["--workers", "1", "--no-color", "--request-timeout", "20"])
            .args(args)
            .env("PYTHONPATH", root.join("tests/openapi"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("CHRONODE_RUN_ID", &self.run)
            .current_dir(directory.path())
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {}: {error}: run tests/run, which installs it",
                    program.display()
                )
            });
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        report(document, &told);
        self.judge();
    }

    /// Nothing but what this test started has run, and the process is well.
    fn judge(&self) {
        let mut before = String::new();
        let mut looked_at = 0;
        loop {
            let (status, page) =
                self.ask("GET", &format!("/scheduler/runs?limit=1000{before}"), None);
            assert_eq!(status, 200);
            for run in page["runs"].as_array().unwrap() {
                let is_ours = run["job"] == "small";
                let attempts = run["attempts"].as_array().map_or(0, Vec::len);
                assert!(is_ours || attempts == 0, "it was started: {run}");
                looked_at += 1;
            }
            match page["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        assert!(looked_at > 1, "no run was even recorded");
        assert_eq!(self.ask("GET", "/ping", None).0, 200);
    }
}

/// What came of it, so that it can be quoted.
#[expect(clippy::print_stdout, reason = "how much was tried is worth knowing")]
fn report(document: &str, told: &str) {
    let summary = told.split("SUMMARY").nth(1).unwrap_or_default();
    let wanted = |line: &&str| {
        line.contains("enerated") || line.contains("passed") || line.contains("ested")
    };
    let lines: Vec<&str> =
        summary.lines().filter(wanted).map(|line| line.trim_matches([' ', '='])).collect();
    assert!(!lines.is_empty(), "{told}");
    println!("schemathesis {document}: {}", lines.join("; "));
}

#[test]
fn the_old_prefix_does_what_the_document_says() {
    Subject::start(false).examine("/scheduler/openapi.json", "^/scheduler/", &OPEN);
}

#[test]
fn the_new_prefix_does_what_the_document_says() {
    let paths = "^/(v1/scheduler/|ping|metrics)";
    Subject::start(false).examine("/v1/scheduler/openapi.json", paths, &OPEN);
}

/// Each request is also made without credentials and with wrong ones. That the right ones are heard too is the same
/// code as without any, so few requests are enough.
#[test]
fn nothing_is_answered_without_the_credentials_that_the_document_asks_for() {
    let (name, password) = CREDENTIALS;
    let auth = format!("{name}:{password}");
    let args = ["--auth", &auth, "--phases", "examples,fuzzing", "--max-examples", "3"];
    Subject::start(true).examine("/v1/scheduler/openapi.json", "^/", &args);
}
