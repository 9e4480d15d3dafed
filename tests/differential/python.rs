//! Asks the libraries of PyPI, which `tests/run` installs below `target/`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::question::{Question, Zone};
use super::rule::{Answer, TAKE};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn environment() -> PathBuf {
    root().join("target/python")
}

/// The zone data that all are given.
pub(crate) fn zone_directory() -> PathBuf {
    let libraries = environment().join("lib");
    let entries = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
    let mut found = entries.map(|entry| entry.path().join("site-packages/tzdata/zoneinfo"));
    let found = found.find(|path| path.is_dir());
    found.unwrap_or_else(|| {
        panic!("no zone data below {}: run tests/run, which installs it", libraries.display())
    })
}

/// What a library answers to each of the questions, asked in two processes because Python is slow.
pub(crate) fn ask(library: &str, questions: &[Question], zones: &[Zone]) -> Vec<Answer> {
    let (some, others) = questions.split_at(questions.len() / 2);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| ask_one_process(library, others, zones));
        let mut answers = ask_one_process(library, some, zones);
        answers.extend(others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        answers
    })
}

fn ask_one_process(library: &str, questions: &[Question], zones: &[Zone]) -> Vec<Answer> {
    let directory = tempfile::tempdir().unwrap();
    let (asked, answered) = (directory.path().join("asked"), directory.path().join("answered"));
    let mut file = std::io::BufWriter::new(File::create(&asked).unwrap());
    for question in questions {
        let zone = zones[question.zone].name;
        let line = serde_json::json!({
            "text": question.text, "zone": zone, "after": question.after, "take": TAKE,
        });
        writeln!(file, "{line}").unwrap();
    }
    file.into_inner().unwrap();
    let python = environment().join("bin/python");
    let status = Command::new(&python)
        .arg(root().join("tests/differential/ask.py"))
        .arg(library)
        .env("PYTHONTZPATH", zone_directory())
        .stdin(File::open(&asked).unwrap())
        .stdout(File::create(&answered).unwrap())
        .status();
    let status = status.unwrap_or_else(|error| {
        panic!("cannot start {}: {error}: run tests/run, which installs it", python.display())
    });
    assert!(status.success(), "{library}: {status}: run tests/run, which installs it");
    let lines = BufReader::new(File::open(&answered).unwrap()).lines();
    lines.map(|line| read(&line.unwrap())).collect()
}

fn read(line: &str) -> Answer {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    match value.as_str() {
        Some("refused") => Answer::Refused,
        Some("failed") => Answer::Failed,
        Some("stuck") => Answer::Stuck,
        Some(other) => panic!("no answer is called {other}"),
        None => Answer::Due(serde_json::from_value(value).unwrap()),
    }
}
