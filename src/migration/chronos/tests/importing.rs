//! From Chronos: one test for each kind of thing that can change its meaning.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::migration::chronos::{Abilities, Import, Settings, UserRefusal, Users, import};
use crate::migration::{Finding, Imported, Weight, print_file};
use crate::model::{Dialect, Timestamp};
use crate::schedule::ZoneDb;

const NOW: &str = "2026-11-26T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// What a Chronode that runs as root, without a list of users, says of the user of all jobs here.
fn root() -> Users {
    [("root".to_owned(), Ok(()))].into()
}

fn taken(jobs: &[Value], generation: Dialect) -> Import {
    let zones = ZoneDb::bundled();
    let settings = Settings {
        generation,
        shadow: false,
        abilities: Abilities::default(),
        users: &root(),
        now: now(),
        zones: &zones,
    };
    import(jobs, "*", &settings)
}

/// A job as 2.5 prints it, with other values for some fields; null takes one out.
fn old(changes: Value) -> Value {
    changed(
        json!({
            "name": "a", "command": "true", "shell": true, "epsilon": "PT60S", "executor": "", "executorFlags": "",
            "taskInfoData": "", "retries": 2, "owner": "", "ownerName": "", "description": "", "async": false,
            "successCount": 0, "errorCount": 0, "lastSuccess": "", "lastError": "", "cpus": 0.1, "disk": 256.0,
            "mem": 128.0, "disabled": false, "softError": false, "dataProcessingJobType": false,
            "errorsSinceLastSuccess": 0, "fetch": [], "uris": [], "environmentVariables": [], "arguments": [],
            "highPriority": false, "runAsUser": "root", "constraints": [],
            "schedule": "R/2026-12-01T04:00:00.000Z/P1D", "scheduleTimeZone": "",
        }),
        changes,
    )
}

/// The same as 3.x prints it.
fn new(changes: Value) -> Value {
    let with = json!({"epsilon": null, "async": null, "concurrent": false, "maxCompletionTime": 0});
    changed(changed(old(json!({})), with), changes)
}

fn changed(mut job: Value, changes: Value) -> Value {
    for (field, value) in changes.as_object().unwrap() {
        if value.is_null() {
            job.as_object_mut().unwrap().shift_remove(field);
        } else {
            job[field] = value.clone();
        }
    }
    job
}

/// The single job that comes of `job`.
fn one(job: Value, generation: Dialect) -> Imported {
    let mut jobs = taken(&[job], generation).jobs;
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

/// What is told of a job, a line for each finding, and the file that comes of it.
fn check(job: Value, generation: Dialect, expected: &Expect) {
    let job = one(job, generation);
    let mut text = String::new();
    for Finding { weight, field, there, chronode, why: _, remedy: _ } in &job.findings {
        text.push_str(&format!("[{}] {field}: {there} | {chronode}\n", weight.as_str()));
    }
    match &job.body {
        Some(body) => text.push_str(&print_file(body, &[])),
        None => text.push_str("no body\n"),
    }
    expected.assert_eq(&text);
}

/// The one finding of a weight.
fn finding(job: &Imported, weight: Weight) -> &Finding {
    let all: Vec<&Finding> = job.findings.iter().filter(|it| it.weight == weight).collect();
    assert_eq!(all.len(), 1, "{:#?}", job.findings);
    all[0]
}

#[test]
fn a_plain_job_of_the_old_generation_needs_nothing_but_its_fields() {
    check(
        old(
            json!({"owner": "data@example.org", "successCount": 3, "lastSuccess": "2026-11-25T04:00:01.123Z"}),
        ),
        Dialect::V0,
        &expect![[r#"
            name: a
            command: "true"
            epsilon: PT60S
            retries: 2
            owner: "data@example.org"
            successCount: 3
            lastSuccess: "2026-11-25T04:00:01.123Z"
            cpus: 0.1
            disk: 256.0
            mem: 128.0
            runAsUser: root
            schedule: "R/2026-12-01T04:00:00.000Z/P1D"
        "#]],
    );
}

#[test]
fn what_the_new_generation_decides_by_itself_is_written_out() {
    check(
        new(json!({})),
        Dialect::V1,
        &expect![[r#"
        name: a
        command: "true"
        retries: 2
        cpus: 0.1
        disk: 256.0
        mem: 128.0
        runAsUser: root
        schedule: "R/2026-12-01T04:00:00.000Z/P1D"
        maxCompletionTime: 0
        overlap: queue
        catchUp: latest
    "#]],
    );
    check(
        new(json!({"concurrent": true, "maxCompletionTime": 600, "name": "b"})),
        Dialect::V1,
        &expect![[r#"
            name: b
            command: "true"
            retries: 2
            cpus: 0.1
            disk: 256.0
            mem: 128.0
            runAsUser: root
            schedule: "R/2026-12-01T04:00:00.000Z/P1D"
            concurrent: true
            maxCompletionTime: 600
            catchUp: latest
        "#]],
    );
}

#[test]
fn zones_of_java_become_those_of_the_database() {
    for (zone, written, weight) in [
        ("", None, None),
        ("Europe/Berlin", Some("Europe/Berlin"), None),
        ("EST", Some("America/New_York"), Some(Weight::Same)),
        ("MST", Some("America/Denver"), Some(Weight::Same)),
        ("HST", Some("Pacific/Honolulu"), Some(Weight::Same)),
        ("PST", Some("America/Los_Angeles"), Some(Weight::Same)),
        ("BST", Some("Asia/Dhaka"), Some(Weight::Same)),
        ("GMT+2", Some("Etc/GMT-2"), Some(Weight::Same)),
        ("EDT", Some("UTC"), Some(Weight::Same)),
        ("null", Some("UTC"), Some(Weight::Same)),
        ("europe/berlin", Some("UTC"), Some(Weight::Same)),
        ("GMT+5:30", None, Some(Weight::Same)),
    ] {
        let job = one(old(json!({"scheduleTimeZone": zone})), Dialect::V0);
        let body = job.body.as_ref().unwrap();
        assert_eq!(body.get("scheduleTimeZone").and_then(Value::as_str), written, "{zone}");
        assert_eq!(job.findings.first().map(|it| it.weight), weight, "{zone}: {:?}", job.findings);
        // The instants are those of Chronos, whatever the zone is called now.
        let upcoming = job.upcoming.unwrap();
        assert_eq!(upcoming.there, upcoming.chronode, "{zone}");
    }
    let job = one(old(json!({"scheduleTimeZone": "GMT+5:30"})), Dialect::V0);
    assert_eq!(job.body.unwrap()["schedule"], "R/2026-12-01T04:00:00.000+05:30/P1D");
}

#[test]
fn a_schedule_is_kept_as_typed_or_rewritten_or_told() {
    for (text, written) in [
        ("R/2026-12-01T04:00:00.000Z/P1D", Some("R/2026-12-01T04:00:00.000Z/P1D")),
        ("R5/2026-12-01/PT36H", Some("R5/2026-12-01/PT36H")),
        ("R1/2026-12-01T04:00Z/P", Some("R1/2026-12-01T04:00Z/P")),
        ("R/2026-12-01T04:00Z/P+1D", Some("R/2026-12-01T04:00Z/P1D")),
        ("R/2026-12-01T04:00Z/PT1.23456S", Some("R/2026-12-01T04:00Z/PT1.234S")),
        ("R//P1D", Some("R//P1D")),
        ("R/2026-12-01T04:00Z/P-1D", None),
        ("R/2026-12-01T04:00Z/PT0S", None),
        ("R/12008-03-01T10:00Z/P1D", None),
        ("R/-0001-03-01T10:00Z/P1D", None),
        ("R5", None),
        ("", None),
    ] {
        let job = one(old(json!({"schedule": text})), Dialect::V0);
        let got = job.body.as_ref().map(|body| body["schedule"].as_str().unwrap());
        assert_eq!(got, written, "{text}: {:?}", job.findings);
        if written.is_none() {
            let told = finding(&job, Weight::NotCarried);
            assert!(!told.remedy.is_empty(), "{told:?}");
        }
    }
}

#[test]
fn an_exhausted_schedule_arrives_disabled() {
    let job = one(new(json!({"schedule": "R0/2026-01-01T00:00:00.000Z/P1D"})), Dialect::V1);
    assert_eq!(job.weight(), Weight::Same, "{:?}", job.findings);
    assert_eq!(job.body.unwrap()["disabled"], true);
}

/// In Berlin 02:30 is skipped on 28 March 2027: Chronos stays at 03:30 from then on.
#[test]
fn a_wall_time_that_chronos_loses_in_a_gap_is_told_with_the_instants() {
    let job = one(
        new(
            json!({"schedule": "R/2027-03-20T02:30:00.000+01:00/P1D", "scheduleTimeZone": "Europe/Berlin"}),
        ),
        Dialect::V1,
    );
    let told = finding(&job, Weight::Changes);
    assert_eq!(told.there, "is due at 2027-03-29T03:30:00+02:00");
    assert_eq!(told.chronode, "is due at 2027-03-29T02:30:00+02:00 instead");
    let upcoming = job.upcoming.unwrap();
    assert_eq!(upcoming.there[0].to_string(), "2027-03-29T01:30:00Z");
    assert_eq!(upcoming.chronode[0].to_string(), "2027-03-29T00:30:00Z");
    // Hours are physical on both sides.
    let job = one(
        new(
            json!({"schedule": "R/2027-03-20T02:30:00.000+01:00/PT24H", "scheduleTimeZone": "Europe/Berlin"}),
        ),
        Dialect::V1,
    );
    assert_eq!(job.weight(), Weight::Same, "{:?}", job.findings);
}

#[test]
fn month_ends_that_chronos_loses_are_told() {
    let job = one(old(json!({"schedule": "R/2027-01-31T00:00:00.000Z/P1M"})), Dialect::V0);
    let told = finding(&job, Weight::Changes);
    assert_eq!(told.there, "is due at 2027-03-28T00:00:00Z");
    assert_eq!(told.chronode, "is due at 2027-03-31T00:00:00Z instead");
    let job = one(old(json!({"schedule": "R/2027-01-28T00:00:00.000Z/P1M"})), Dialect::V0);
    assert_eq!(job.weight(), Weight::Same, "{:?}", job.findings);
}

/// The vectors of what 3.x stores when it starts a monthly job that began long ago.
#[test]
fn a_monthly_schedule_with_an_old_start_lands_where_chronos_lands() {
    let zones = ZoneDb::bundled();
    for (now, lands) in [
        ("2026-02-10T00:00:00Z", "2027-06-01T00:00:00Z"),
        ("2026-03-10T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-07-15T00:00:00Z", "2026-05-01T00:00:00Z"),
    ] {
        let settings = Settings {
            generation: Dialect::V1,
            shadow: false,
            abilities: Abilities::default(),
            users: &root(),
            now: now.parse().unwrap(),
            zones: &zones,
        };
        let job = new(json!({"schedule": "R/2012-01-01T00:00:00.000Z/P1M"}));
        let jobs = import(&[job], "*", &settings).jobs;
        assert_eq!(jobs[0].upcoming.as_ref().unwrap().there[0].to_string(), lands, "{now}");
        assert_eq!(jobs[0].weight(), Weight::Changes);
    }
}

/// The vectors of how 2.x goes on from an old start.
#[test]
fn the_old_generation_goes_on_from_where_the_calendar_is() {
    for (schedule, first) in [
        ("R/2012-01-01T00:00:01.000Z/P1M", "2026-12-01T00:00:01Z"),
        ("R/2026-11-01T13:00:00.000Z/P1D", "2026-11-26T13:00:00Z"),
        ("R/2026-11-20T00:00:00.000Z/P1W", "2026-11-27T00:00:00Z"),
    ] {
        let job = one(old(json!({"schedule": schedule})), Dialect::V0);
        let upcoming = job.upcoming.unwrap();
        assert_eq!(upcoming.there[0].to_string(), first, "{schedule}");
        assert_eq!(upcoming.there, upcoming.chronode, "{schedule}");
    }
}

#[test]
fn what_was_due_before_the_move_is_told() {
    let due = json!({"schedule": "R/2026-11-26T11:00:00.000Z/P1D"});
    let job = one(new(due.clone()), Dialect::V1);
    assert!(
        finding(&job, Weight::Changes).there.starts_with("has been due since 2026-11-26T11:00:00Z")
    );
    let disabled = changed(new(due), json!({"disabled": true}));
    assert_eq!(one(disabled, Dialect::V1).weight(), Weight::Same);
}

#[test]
fn starts_that_say_less_than_they_seem_to_are_told() {
    let job = one(old(json!({"schedule": "R/2026-12-01T04:00:00/P1D"})), Dialect::V0);
    assert!(finding(&job, Weight::Changes).there.contains("zone of its own process"));
    let job = one(old(json!({"schedule": "R//PT1H"})), Dialect::V0);
    assert!(finding(&job, Weight::Changes).there.contains("start is empty"));
    let job = one(new(json!({"schedule": "R5/2026-12-01T04:00:00.000Z/P1D"})), Dialect::V1);
    assert!(finding(&job, Weight::Changes).there.starts_with("starts it 5 more times"));
    let job = one(old(json!({"schedule": "R5/2026-12-01T04:00:00.000Z/P1D"})), Dialect::V0);
    assert_eq!(job.weight(), Weight::Same, "2.x counts what is missed too");
}

#[test]
fn a_cron_expression_of_a_fork_is_carried_with_a_word_about_it() {
    let job = one(old(json!({"schedule": "0 4 * * *"})), Dialect::V0);
    assert!(finding(&job, Weight::Changes).chronode.contains("at 04:00 every day"));
    assert_eq!(job.body.unwrap()["schedule"], "0 4 * * *");
}

#[test]
fn downloads_are_taken_once_and_unpacked_as_before() {
    let uri = "http://x/a.tgz";
    let item = |extract: bool| json!({"uri": uri, "executable": false, "cache": false, "extract": extract});
    let downloads = |job: Value, generation| {
        let body = one(job, generation).body.unwrap();
        json!({"fetch": body.get("fetch"), "uris": body.get("uris")})
    };
    // As the lists of both generations show a job that has only one of them.
    let mirrored = json!({"fetch": [item(false)], "uris": [uri]});
    assert_eq!(
        downloads(old(mirrored), Dialect::V0),
        json!({"fetch": [item(false)], "uris": null})
    );
    let mirrored = json!({"fetch": [item(true)], "uris": [uri]});
    assert_eq!(downloads(new(mirrored), Dialect::V1), json!({"fetch": [item(true)], "uris": null}));
    // As ZooKeeper has it: 2.5 does not unpack, 2.4 and 3.x do.
    let alone = json!({"uris": [uri]});
    assert_eq!(
        downloads(old(alone.clone()), Dialect::V0),
        json!({"fetch": [item(false)], "uris": null})
    );
    assert_eq!(downloads(new(alone.clone()), Dialect::V1), json!({"fetch": null, "uris": [uri]}));
    let oldest = changed(old(alone), json!({"fetch": null}));
    assert_eq!(downloads(oldest, Dialect::V0), json!({"fetch": null, "uris": [uri]}));
    // Posted over itself, as only a replace lets through.
    let both = json!({"fetch": [item(true)], "uris": ["http://x/b"]});
    let other = json!({"uri": "http://x/b", "executable": false, "cache": false, "extract": true});
    assert_eq!(
        downloads(new(both), Dialect::V1),
        json!({"fetch": [item(true), other], "uris": null})
    );
}

#[test]
fn what_only_mesos_can_do_is_not_carried_and_says_what_to_do() {
    for (changes, field) in [
        (json!({"container": {"type": "DOCKER", "image": "x:1"}}), "container"),
        (json!({"executor": "/opt/executor"}), "executor"),
    ] {
        let job = one(new(changes.clone()), Dialect::V1);
        let told = finding(&job, Weight::NotCarried);
        assert_eq!((told.field.as_str(), told.remedy.is_empty()), (field, false));
        assert_eq!(job.body, None);
        assert_eq!(job.original["name"], "a", "nothing is lost");
        let zones = ZoneDb::bundled();
        let settings = Settings {
            generation: Dialect::V1,
            shadow: false,
            abilities: Abilities { containers: true, executors: true },
            users: &root(),
            now: now(),
            zones: &zones,
        };
        assert!(import(&[new(changes)], "*", &settings).jobs[0].body.is_some());
    }
}

#[test]
fn commands_arguments_variables_and_async_jobs_that_work_otherwise_are_told() {
    for (changes, field, weight) in [
        (json!({"command": "httpd -X"}), "command", Some(Weight::Changes)),
        (json!({"command": "http://x/run.sh"}), "command", None),
        (json!({"arguments": ["-a", "1"]}), "arguments", None),
        (json!({"arguments": ["a b"]}), "arguments", Some(Weight::Changes)),
        (json!({"arguments": ["$HOME"]}), "arguments", Some(Weight::Changes)),
        (json!({"arguments": ["x"], "shell": false}), "arguments", Some(Weight::Changes)),
        (json!({"async": true}), "async", Some(Weight::Changes)),
        (json!({"epsilon": "P1M"}), "epsilon", Some(Weight::Changes)),
        (json!({"epsilon": "PT-5S"}), "epsilon", Some(Weight::Changes)),
        (json!({"lastError": "yesterday"}), "lastError", Some(Weight::Changes)),
        (json!({"successCount": -1}), "successCount", Some(Weight::Changes)),
        (json!({"colour": "red"}), "colour", Some(Weight::Changes)),
        (json!({"constraints": [["rack", "EQUALS", "r1"]]}), "constraints", Some(Weight::Same)),
        (json!({"constraints": [["hostname", "LIKE", "web-.*"]]}), "constraints", None),
        (
            json!({"environmentVariables": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
            "environmentVariables",
            Some(Weight::Same),
        ),
        // Java knows it, we do not.
        (
            json!({"constraints": [["hostname", "LIKE", "(?!x)y"]]}),
            "constraints[0][2]",
            Some(Weight::NotCarried),
        ),
        (json!({"name": "a/b"}), "name", Some(Weight::NotCarried)),
    ] {
        let job = one(old(changes.clone()), Dialect::V0);
        let told = job.findings.iter().find(|it| it.field == field).map(|it| it.weight);
        assert_eq!(told, weight, "{changes}: {:#?}", job.findings);
        assert_eq!(job.body.is_none(), weight == Some(Weight::NotCarried), "{changes}");
        if let Some(body) = &job.body {
            assert!(!body.contains_key("colour"));
        }
    }
}

#[test]
fn parents_come_first_and_whoever_cannot_have_them_is_told() {
    let child = |name: &str, parents: &[&str]| {
        changed(
            old(json!({"name": name, "schedule": null, "scheduleTimeZone": null})),
            json!({"parents": parents}),
        )
    };
    let jobs = [
        child("a-last", &["m", "z"]),
        child("m", &["z"]),
        old(json!({"name": "z"})),
        child("orphan", &["nobody"]),
        child("x", &["y"]),
        child("y", &["x"]),
        child("behind", &["x"]),
        old(json!({"name": "boxed", "container": {"image": "i"}})),
        child("of-boxed", &["boxed"]),
        old(json!({"name": "z"})),
    ];
    let import = taken(&jobs, Dialect::V0);
    let carried: Vec<&str> =
        import.jobs.iter().filter(|job| job.body.is_some()).map(|job| job.name.as_str()).collect();
    assert_eq!(carried, ["z", "m", "a-last"]);
    let told = |name: &str| {
        let job = import.jobs.iter().find(|job| job.name == name && job.body.is_none()).unwrap();
        finding(job, Weight::NotCarried)
    };
    assert!(told("orphan").there.contains("`nobody`, which does not exist"));
    assert!(told("x").there.contains("waits for itself"));
    assert!(told("y").there.contains("waits for itself"));
    assert!(told("behind").chronode.contains("that parent is not carried"));
    assert!(told("of-boxed").chronode.contains("that parent is not carried"));
    assert!(told("z").there.contains("two jobs of this name"));
}

#[test]
fn a_selection_leaves_parents_to_an_earlier_import() {
    let zones = ZoneDb::bundled();
    let settings = Settings {
        generation: Dialect::V0,
        shadow: true,
        abilities: Abilities::default(),
        users: &root(),
        now: now(),
        zones: &zones,
    };
    let child = changed(
        old(json!({"name": "b-child", "schedule": null})),
        json!({"parents": ["a-parent"]}),
    );
    let import = import(&[child, old(json!({"name": "a-parent"}))], "b-*", &settings);
    assert_eq!(import.jobs.len(), 1);
    assert_eq!(import.jobs[0].weight(), Weight::Same);
    let body = import.jobs[0].body.as_ref().unwrap();
    assert_eq!(body["shadow"], true);
    assert!(import.jobs[0].findings[0].remedy.contains("import the parent first"));
}

#[test]
fn what_is_no_job_is_told_and_does_not_stop_the_others() {
    let import =
        taken(&[json!("text"), json!({"command": "x"}), old(json!({})), Value::Null], Dialect::V0);
    assert_eq!(import.jobs.len(), 4);
    assert_eq!(import.jobs.iter().filter(|job| job.body.is_some()).count(), 1);
    assert!(import.jobs[1..].iter().all(|job| job.weight() == Weight::NotCarried));
}

/// What is told of the user of a job, by what the target says of users.
fn told_of_user(user: &str, users: &Users) -> Imported {
    let zones = ZoneDb::bundled();
    let settings = Settings {
        generation: Dialect::V0,
        shadow: false,
        abilities: Abilities::default(),
        users,
        now: now(),
        zones: &zones,
    };
    import(&[old(json!({"runAsUser": user}))], "*", &settings).jobs.remove(0)
}

#[test]
fn whom_a_job_runs_as_is_judged_by_the_target_and_where_nobody_asked_it_that_is_told() {
    let refusal = UserRefusal {
        message: "commands may not run as `root` here".to_owned(),
        remedy: "give `runAsUser` as one of nobody".to_owned(),
    };
    let users: Users = [("root".to_owned(), Err(refusal)), ("nobody".to_owned(), Ok(()))].into();

    let refused = told_of_user("root", &users);
    assert_eq!((refused.weight(), &refused.body), (Weight::NotCarried, &None));
    let finding = &refused.findings[0];
    assert_eq!(finding.field, "runAsUser");
    assert_eq!(finding.there, "has Mesos run it as `root`");
    assert_eq!(finding.chronode, "refuses it: commands may not run as `root` here");
    assert_eq!(finding.remedy, "give `runAsUser` as one of nobody");

    assert_eq!(told_of_user("nobody", &users).findings, []);

    let unknown = told_of_user("da`emon", &users);
    assert!(unknown.weight() == Weight::Same && unknown.body.is_some());
    let finding = &unknown.findings[0];
    assert_eq!(finding.field, "runAsUser");
    for part in ["runs as root", "`da`emon` itself", "`--run_as`"] {
        assert!(finding.chronode.contains(part), "{part}: {}", finding.chronode);
    }
    assert!(finding.why.contains("nobody has asked") && finding.remedy.contains("runAsUser"));

    assert_eq!(told_of_user("", &users).findings, [], "it names nobody");
}
