//! Jobs as lines of cron.

use expect_test::expect;
use serde_json::{Value, json};

use super::importing::{SETTINGS, host};
use crate::migration::crontab::{Target, export, import};

const SYSTEM: Target<'_> =
    Target { is_system: true, user: None, host: None, zone: "Europe/Berlin" };

fn exported(jobs: &[Value], target: &Target<'_>) -> (String, Vec<String>) {
    let (text, told) = export(jobs, target);
    let told = told.iter().flat_map(|job| {
        job.findings.iter().map(|it| {
            format!(
                "{} {}: cron {}; Chronode {}",
                it.weight.as_str(),
                it.field,
                it.there,
                it.chronode
            )
        })
    });
    (text, told.collect())
}

#[test]
fn what_came_from_a_table_goes_back_as_it_was() {
    let text = "PATH=\"/usr/bin:/bin\"\n# said\n5 4 * * * root date +\\%F >> /tmp/x\n6 4 * * * root echo a\\b c\\\\\\d \\\\\\%\n0 8 * * * root mail ops%Good%%morning%%\n@reboot root /opt/warm\n\nMAILTO=\"ops@example.org\"\nPATH=\"/opt/bin:/bin\"\n1 2 * * * ann /opt/bin/run \"a b\"\n\nSHELL=\"/bin/bash\"\n*/5 * * * * ann [[ -e /x ]] && echo 'it'\n";
    let (jobs, _) = import(&[host(None, "/etc/cron.d/site", text)], "*", &SETTINGS);
    let bodies: Vec<Value> = jobs.into_iter().map(|job| Value::Object(job.body.unwrap())).collect();
    let (back, told) = exported(&bodies, &SYSTEM);
    assert_eq!(told, [""; 0]);
    assert_eq!(back, text);
}

#[test]
fn a_setting_that_must_not_hold_is_taken_back() {
    let with = |name: &str, variables: Value| {
        json!({"name": name, "command": "cd || exit\ntrue", "runAsUser": "root", "schedule": "@daily",
               "scheduleTimeZone": "Europe/Berlin", "environmentVariables": variables, "retries": 0, "overlap": "allow"})
    };
    let jobs = [
        with("a", json!([{"name": "A", "value": "1"}])),
        with("b", json!([{"name": "B", "value": "2"}])),
        with("c", json!([{"name": "MAILTO", "value": ""}, {"name": "PATH", "value": "/x"}])),
        with("d", json!([])),
    ];
    let (text, told) = exported(&jobs, &SYSTEM);
    assert_eq!(told, [""; 0]);
    expect![[r#"
        @daily root true

        A="1"
        @daily root true

        B="2"
        @daily root unset A; true

        MAILTO=""
        PATH="/x"
        @daily root unset A B; true
    "#]]
    .assert_eq(&text);
}

#[test]
fn what_cron_cannot_do_is_told_and_left_out() {
    let job = |changes: Value| {
        let mut job = json!({"name": "a", "command": "cd || exit\ntrue", "runAsUser": "root", "schedule": "@daily",
            "scheduleTimeZone": "Europe/Berlin", "retries": 0, "overlap": "allow"});
        for (field, value) in changes.as_object().unwrap() {
            job[field] = value.clone();
        }
        job
    };
    for (changes, expected) in [
        (
            json!({"schedule": "R/2026-01-01T00:00:00Z/P1D"}),
            "not-carried schedule: cron counts no periods from a start; Chronode is due at `R/2026-01-01T00:00:00Z/P1D`",
        ),
        (
            json!({"schedule": "30 0 2 * * *"}),
            "not-carried schedule: cron reads `30 0 2 * * *` otherwise, or not at all; Chronode has them",
        ),
        (
            json!({"scheduleTimeZone": "Asia/Tokyo"}),
            "not-carried scheduleTimeZone: cron goes by the machine's clock, in Europe/Berlin; Chronode goes by Asia/Tokyo",
        ),
        (
            json!({"command": "one\ntwo"}),
            "not-carried command: cron has one line for a command; Chronode has one of several lines",
        ),
        (
            json!({"parents": ["b"]}),
            "not-carried parents: cron knows no jobs that follow others; Chronode has `parents`",
        ),
        (
            json!({"runAsUser": ""}),
            "not-carried runAsUser: cron wants to know who runs it; Chronode runs it as the user that it runs as itself",
        ),
        (
            json!({"environmentVariables": [{"name": "T", "value": "***", "secret": true}]}),
            "not-carried environmentVariables.T: cron has it in its table for all to read; Chronode keeps it secret",
        ),
        (
            json!({"retries": 3}),
            "changes retries: cron never tries again; Chronode has `retries` at 3",
        ),
        (
            json!({"disabled": true}),
            "identical disabled: cron has the line as a comment; Chronode has the job disabled",
        ),
    ] {
        let (text, told) = exported(&[job(changes)], &SYSTEM);
        assert!(told.iter().any(|it| it == expected), "{told:#?}");
        assert_eq!(text.is_empty(), expected.starts_with("not-carried"), "{text}");
    }
    let (text, _) = exported(&[job(json!({"disabled": true}))], &SYSTEM);
    assert_eq!(text, "# @daily root true\n");
}

#[test]
fn a_machine_gets_what_may_run_there_and_a_user_what_is_theirs() {
    let job = |name: &str, host: &str| {
        json!({"name": name, "command": "cd || exit\ntrue", "runAsUser": "ann", "schedule": "@daily", "retries": 0,
               "scheduleTimeZone": "Europe/Berlin", "overlap": "allow", "constraints": [["hostname", "LIKE", host]]})
    };
    let jobs = [job("a", "web1|web2"), job("b", "web3")];
    let web1 = Target { host: Some("web1"), is_system: false, user: Some("ann"), ..SYSTEM };
    let (text, told) = exported(&jobs, &web1);
    assert_eq!((text.as_str(), told.len()), ("@daily true\n", 0));
    let bob = Target { user: Some("bob"), ..web1 };
    assert_eq!(exported(&jobs, &bob).0, "");
}
