//! Directories of job files: what they share, what is wrong with them and where, and that nothing else is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::jobspec::FileJob;
use crate::model::Timestamp;
use crate::schedule::ZoneDb;

/// Files and what is in them, in a directory of their own.
fn tree(files: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let place = TempDir::new().unwrap();
    let top = place.path().join("jobs");
    fs::create_dir(&top).unwrap();
    for (path, text) in files {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    (place, top)
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// All that is said of what is there, with the top as `jobs/`.
fn told(top: &Path, reading: &FileReading, wholeness: Wholeness) -> String {
    let mut out = String::new();
    for job in &reading.jobs {
        out += &format!("{} in {}:{}\n", job.draft.name, job.file, job.line);
    }
    let Findings { problems, warnings } =
        check(&reading.jobs, wholeness, &ZoneDb::bundled(), now());
    for warning in warnings {
        out += &format!("warning {warning}\n");
    }
    for problem in reading.problems.iter().chain(&problems) {
        out += &format!("{problem}\n");
    }
    out.replace(&format!("{}/", top.display()), "jobs/")
}

fn check_tree(files: &[(&str, &str)], expected: &Expect) {
    let (_place, top) = tree(files);
    let reading = read(&top).unwrap();
    expected.assert_eq(&told(&top, &reading, Wholeness::Part));
}

fn bodies(files: &[(&str, &str)]) -> Vec<Value> {
    let (_place, top) = tree(files);
    let reading = read(&top).unwrap();
    assert_eq!(reading.problems, []);
    reading.jobs.into_iter().map(|FileJob { body, .. }| body).collect()
}

#[test]
fn files_of_all_endings_are_read_in_the_order_of_their_paths() {
    check_tree(
        &[
            ("b.yml", "name: b\nschedule: '@daily'\n"),
            ("a.yaml", "- name: a2\n- name: a1\n"),
            ("sub/deep/c.json", "{\n\t\"name\": \"c\",\n\t\"parents\": [\"a1\"]\n}\n"),
            ("notes.txt", "no job"),
            (".git/config.yaml", "name: hidden\n"),
            (".hidden.yaml", "name: hidden\n"),
            ("import-report.json", "{\"jobs\": []}"),
        ],
        &expect![[r"
            a2 in a.yaml:1
            a1 in a.yaml:2
            b in b.yml:1
            c in sub/deep/c.json:1
        "]],
    );
}

#[test]
fn what_is_nearer_wins_maps_are_joined_and_lists_replaced() {
    let found = bodies(&[
        (
            "_defaults.yaml",
            "owner: all@x\nretries: 5\nlabels: {team: a, tier: gold}\nscheduleTimeZone: Europe/Berlin\n\
             environmentVariables: [{name: A, value: far}]\noverlap: {queue: 2}\n",
        ),
        (
            "_templates.yaml",
            "base: {timeout: PT1H, runbook: far, labels: {kind: batch}}\n\
             nightly: {extends: base, schedule: 0 2 * * *, retries: 1}\n",
        ),
        ("sub/_defaults.yaml", "owner: sub@x\nlabels: {tier: null}\n"),
        ("sub/_templates.yaml", "base: {runbook: near}\n"),
        (
            "sub/x.yaml",
            "- name: one\n  extends: nightly\n  labels: {extra: 'yes'}\n  overlap: {allow: 3}\n\
             - name: two\n  extends: base\n  environmentVariables: []\n  retries: null\n  parents: [one]\n\
             - name: three\n  maxCompletionTime: 7\n  schedule: '@daily'\n",
        ),
    ]);
    assert_eq!(
        found,
        [
            // What a template extends is looked for from where the template is.
            json!({
                "owner": "sub@x", "retries": "1", "scheduleTimeZone": "Europe/Berlin",
                "labels": {"team": "a", "kind": "batch", "extra": "yes"},
                "environmentVariables": [{"name": "A", "value": "far"}], "overlap": {"allow": "3"},
                "timeout": "PT1H", "runbook": "far", "schedule": "0 2 * * *", "name": "one",
            }),
            // Parents leave nothing of a schedule that came from further off.
            json!({
                "owner": "sub@x", "labels": {"team": "a"}, "overlap": {"queue": "2"},
                "environmentVariables": [], "runbook": "near", "name": "two", "parents": ["one"],
            }),
            json!({
                "owner": "sub@x", "retries": "5", "scheduleTimeZone": "Europe/Berlin",
                "labels": {"team": "a"}, "overlap": {"queue": "2"}, "name": "three",
                "environmentVariables": [{"name": "A", "value": "far"}],
                "maxCompletionTime": "7", "schedule": "@daily",
            }),
        ]
    );
}

#[test]
fn a_script_becomes_the_command_from_where_it_is_named() {
    let found = bodies(&[
        ("_templates.yaml", "shared: {commandFile: bin/shared.sh, retries: 0}\n"),
        ("bin/shared.sh", "#!/bin/sh\necho shared\n"),
        ("sub/own.sh", "echo own"),
        (
            "sub/x.yaml",
            "- {name: a, extends: shared}\n- {name: b, extends: shared, command: echo typed}\n\
             - {name: c, commandFile: own.sh}\n- {name: d, commandFile: ../bin/./shared.sh}\n",
        ),
    ]);
    let commands: Vec<_> = found.iter().map(|job| job["command"].as_str().unwrap()).collect();
    let shared = "#!/bin/sh\necho shared\n";
    assert_eq!(commands, [shared, "echo typed", "echo own", shared]);
    assert!(found.iter().all(|job| job.get("commandFile").is_none()), "{found:?}");
}

#[test]
fn whatever_is_wrong_is_told_where_it_was_written_and_once() {
    check_tree(
        &[
            ("_source.yaml", "name: a b\nurl: x\n"),
            ("_template.yaml", "x: {}\n"),
            (
                "_templates.yaml",
                "slow: {retries: many}\nround: {extends: trip}\ntrip: {extends: round}\n",
            ),
            (
                "a.yaml",
                "- {name: a, extends: slow}\n- {name: b, extends: slow}\n- {name: c, extends: fast}\n\
                 - {name: d, extends: round}\n- {name: e, extends: [slow]}\n\
                 - {name: f, commandFile: /etc/passwd}\n- {name: g, commandFile: ../x.sh}\n\
                 - {name: h, commandFile: gone.sh}\n- {name: i, command: x, commandFile: run.py}\n\
                 - {name: j, commandFile: run.py}\n- name: k\n  schedule: 0 0 31 2 *\n- {name: k}\n",
            ),
            ("run.py", "#!/usr/bin/env python3\n"),
            ("sub/_defaults.yaml", "name: x\n"),
            ("sub/b.yaml", "name: left out\n"),
            ("twice/_defaults.yaml", "retries: 1\n"),
            ("twice/_defaults.yml", "retries: 2\n"),
            ("twice/c.yaml", "name: j\n"),
            ("z.yaml", "name: j\n"),
            ("torn/_templates.yaml", "x: [\n"),
            ("torn/d.yaml", "name: torn\n"),
            ("text/_templates.yaml", "x: some text\n"),
        ],
        &expect![[r#"
            j in a.yaml:10
            k in a.yaml:11
            warning jobs/a.yaml:10:13: the first line of `command` names `python3`, but `/bin/sh` reads it: the line has no effect
            jobs/_source.yaml:1:1: `name` names no source: it has a character that is no letter, digit, `_`, `.` or `-`: write `name: ` and a name of letters, digits, `_`, `.` and `-`
            jobs/_source.yaml:2:1: unknown field `url`: write `name: ` and a name of letters, digits, `_`, `.` and `-`
            jobs/_template.yaml:1:1: `_template.yaml` is the name of no file that is known: call it `_defaults`, `_templates` or `_source`, or leave out the `_`
            jobs/_templates.yaml:1:8: `retries` is `many`, which is no whole number: write a whole number such as `2`, or leave it out
            jobs/_templates.yaml:3:8: the template `round` extends itself: leave out this `extends`
            jobs/a.yaml:3:13: `extends` is `fast`, which names no template: define it in `_templates.yaml` of this directory or of one above, or leave it out
            jobs/a.yaml:5:13: `extends` is no text: write the name of one template
            jobs/a.yaml:6:13: `commandFile` `/etc/passwd` is no path from its own file: name a text file of this directory, or of one below the top
            jobs/a.yaml:7:13: `commandFile` `../x.sh` leads out of the directory of job files: name a text file of this directory, or of one below the top
            jobs/a.yaml:8:13: `commandFile` `gone.sh` cannot be read: No such file or directory (os error 2): name a text file of this directory, or of one below the top
            jobs/a.yaml:9:25: `commandFile` and `command` are both given: leave one of them out
            jobs/a.yaml:13:4: the job `k` is already defined on line 11: give it another name, or remove one of them
            jobs/sub/_defaults.yaml:1:1: `name` has no place in what several jobs share: give it to each job
            jobs/text/_templates.yaml:1:1: the template `x` is no object: write the fields of a job below its name
            jobs/torn/_templates.yaml:2:1: this is no YAML: while parsing a node, did not find expected node content: correct it at or just before that place; put a text that begins with one of `*&!@%[{` in quotes
            jobs/twice/_defaults.yml:1:1: `_defaults` is there twice in twice: remove one of them
            jobs/z.yaml:1:1: the job `j` is already defined in jobs/a.yaml:10: give it another name, or remove one of them
            jobs/a.yaml:12:3: `31 2` names a date that never comes: write days that the months have
        "#]],
    );
}

#[test]
fn nothing_outside_the_directory_is_read() {
    let (place, top) = tree(&[
        ("a.yaml", "- {name: a, commandFile: link.sh}\n- {name: b, commandFile: within.sh}\n"),
        ("real.sh", "echo real"),
        ("real.yaml", "name: real\n"),
    ]);
    fs::write(place.path().join("secret.sh"), "secret").unwrap();
    fs::write(place.path().join("secret.yaml"), "name: secret\n").unwrap();
    fs::create_dir(place.path().join("other")).unwrap();
    symlink(place.path().join("secret.sh"), top.join("link.sh")).unwrap();
    symlink("real.sh", top.join("within.sh")).unwrap();
    symlink("../secret.yaml", top.join("secret.yaml")).unwrap();
    symlink("../other", top.join("other")).unwrap();
    symlink("nowhere", top.join("broken.yaml")).unwrap();
    let reading = read(&top).unwrap();
    expect![[r#"
        b in a.yaml:2
        real in real.yaml:1
        jobs/broken.yaml:1:1: the file cannot be read: No such file or directory (os error 2)
        jobs/other:1:1: it is a link to a directory, which is not followed: put the directory itself there, or remove the link
        jobs/secret.yaml:1:1: the file leads out of the directory of job files: put the file itself there
        jobs/a.yaml:1:13: `commandFile` `link.sh` leads out of the directory of job files: name a text file of this directory, or of one below the top
    "#]].assert_eq(&told(&top, &reading, Wholeness::Part));
    assert_eq!(reading.jobs[0].body["command"], "echo real");
}

#[test]
fn parents_are_looked_for_and_circles_are_found() {
    let (_place, top) = tree(&[(
        "a.yaml",
        "- {name: a, parents: [c]}\n- {name: b, parents: [a]}\n- {name: c, parents: [b, x]}\n\
         - {name: behind, parents: [a]}\n- {name: self, parents: [self]}\n- {name: fine, schedule: '@daily'}\n",
    )]);
    let reading = read(&top).unwrap();
    expect![[r#"
        a in a.yaml:1
        b in a.yaml:2
        c in a.yaml:3
        behind in a.yaml:4
        self in a.yaml:5
        fine in a.yaml:6
        warning jobs/a.yaml:3:13: the parent `x` is not in these files: the server must have it
        jobs/a.yaml:1:13: job `a` would wait for itself: `a` → `b` → `c` → `a`: leave out one of these parents
        jobs/a.yaml:5:16: job `self` would wait for itself: `self` → `self`: leave out one of these parents
    "#]].assert_eq(&told(&top, &reading, Wholeness::Part));
    expect![[r#"
        a in a.yaml:1
        b in a.yaml:2
        c in a.yaml:3
        behind in a.yaml:4
        self in a.yaml:5
        fine in a.yaml:6
        jobs/a.yaml:3:13: the parent `x` is not in these files: define it, or leave it out
        jobs/a.yaml:1:13: job `a` would wait for itself: `a` → `b` → `c` → `a`: leave out one of these parents
        jobs/a.yaml:5:16: job `self` would wait for itself: `self` → `self`: leave out one of these parents
    "#]].assert_eq(&told(&top, &reading, Wholeness::Complete));
}

#[test]
fn one_file_is_read_with_what_the_directories_above_it_share() {
    let (_place, top) = tree(&[
        ("_defaults.yaml", "owner: top@x\n"),
        ("sub/_templates.yaml", "t: {retries: 3}\n"),
        ("sub/x.yaml", "{name: x, extends: t}\n"),
        ("sub/y.yaml", "{name: y}\n"),
        ("plain/z.yaml", "- {name: z}\n- {name: z}\n"),
    ]);
    let reading = read_one(&top.join("sub/x.yaml")).unwrap();
    assert_eq!(reading.problems, []);
    let found: Vec<&Value> = reading.jobs.iter().map(|job| &job.body).collect();
    assert_eq!(found, [&json!({"owner": "top@x", "retries": "3", "name": "x"})]);
    let problems = read_one(&top.join("plain/z.yaml")).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].path.ends_with("plain/z.yaml"), "{problems:?}");
    assert_eq!((problems[0].line, problems[0].job.as_str()), (2, "z"));
    assert!(read_one(&top.join("nowhere/z.yaml")).is_err());
    let gone = read_one(&top.join("gone.yaml")).unwrap().problems;
    assert!(gone[0].message.starts_with("the file cannot be read"), "{gone:?}");
}

#[test]
fn a_source_is_named_by_its_file_or_its_directory() {
    let (_place, top) = tree(&[("_source.yaml", "name: billing\n")]);
    assert_eq!(source_of(&top, &read(&top).unwrap()).unwrap().as_str(), "billing");
    fs::remove_file(top.join("_source.yaml")).unwrap();
    let named = source_of(&top, &read(&top).unwrap());
    assert_eq!(named.unwrap().as_str(), "jobs");
    fs::create_dir(top.join("a b")).unwrap();
    assert!(source_of(&top.join("a b"), &FileReading::default()).is_err());
}

#[test]
fn whatever_changes_in_a_directory_shows_when_it_is_looked_at() {
    let (_place, top) = tree(&[("a.yaml", "name: a\n"), ("sub/run.sh", "x")]);
    let mut before = look(&top).unwrap();
    assert_eq!(before, look(&top).unwrap());
    let changes: [&dyn Fn(); 5] = [
        &|| fs::write(top.join("sub/run.sh"), "longer").unwrap(),
        &|| fs::write(top.join("b.yaml"), "").unwrap(),
        &|| fs::rename(top.join("b.yaml"), top.join("c.yaml")).unwrap(),
        &|| {
            // As an editor saves: of the same length, in the same instant, but another file.
            fs::write(top.join("new"), "name: b\n").unwrap();
            fs::rename(top.join("new"), top.join("a.yaml")).unwrap();
        },
        &|| fs::remove_dir_all(top.join("sub")).unwrap(),
    ];
    for (index, change) in changes.iter().enumerate() {
        change();
        let after = look(&top).unwrap();
        assert_ne!(before, after, "change {index}");
        before = after;
    }
    fs::write(top.join(".swap"), "").unwrap();
    assert_eq!(before, look(&top).unwrap());
    assert!(look(&top.join("nowhere")).unwrap_err().contains("cannot read the job directory"));
}
