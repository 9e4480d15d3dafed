//! Lines of cron as jobs.

use expect_test::{Expect, expect};

use crate::jobspec::read_file;
use crate::migration::crontab::table::Format;
use crate::migration::crontab::{Daemon, Directory, Host, Settings, Table, import};
use crate::migration::{Finding, Imported, Weight, print_file};
use crate::schedule::parse_period;

pub(super) const SETTINGS: Settings<'_> = Settings {
    daemon: Daemon::Debian,
    shadow: false,
    merge: false,
    split_run_parts: false,
    mail_domain: None,
};

pub(super) fn host(name: Option<&str>, path: &str, text: &str) -> Host {
    let format = match path.strip_prefix("/var/spool/cron/crontabs/") {
        Some(user) => Format::User(user.to_owned()),
        None => Format::System,
    };
    Host {
        name: name.map(str::to_owned),
        zone: "Europe/Berlin".to_owned(),
        tables: vec![Table { path: path.to_owned(), format, text: text.to_owned() }],
        environment: None,
        directories: Vec::new(),
        has_anacron: false,
    }
}

fn table(text: &str, settings: &Settings<'_>) -> Vec<Imported> {
    import(&[host(None, "/etc/cron.d/site", text)], "*", settings).0
}

fn one(text: &str, settings: &Settings<'_>) -> Imported {
    let mut jobs = table(text, settings);
    assert_eq!(jobs.len(), 1, "{jobs:#?}");
    jobs.remove(0)
}

/// The job file, which must say what the body does.
fn file(job: &Imported) -> String {
    let text = print_file(job.body.as_ref().expect("it is carried"), &[]);
    let period = |text: &str| parse_period(text).map_err(|error| error.to_string());
    let reading = read_file("", &text, &period);
    assert!(reading.problems.is_empty(), "{text}\n{:?}", reading.problems);
    assert_eq!(
        reading.jobs[0].draft.command.as_deref(),
        job.body.as_ref().unwrap()["command"].as_str()
    );
    text
}

fn check(job: &Imported, expected: &Expect) {
    expected.assert_eq(&file(job));
}

fn told(job: &Imported, weight: Weight) -> Vec<String> {
    let found = job.findings.iter().filter(|it| it.weight == weight);
    found
        .map(|Finding { field, there, chronode, .. }| {
            format!("{field}: cron {there}; Chronode {chronode}")
        })
        .collect()
}

#[test]
fn a_line_is_a_job_with_everything_that_cron_gives_it() {
    let job = one(
        "MAILTO=ops@example.org\nPATH=/opt/bin:/usr/bin:/bin\n# Nightly backup\n# of the database\n30 2 * * mon-fri backup /opt/bin/backup --full\n",
        &SETTINGS,
    );
    assert_eq!(job.place.as_deref(), Some("/etc/cron.d/site, line 5"));
    assert_eq!(job.weight(), Weight::Same);
    check(
        &job,
        &expect![[r#"
            name: site.backup
            description: |-
              Nightly backup
              of the database
            command: |-
              cd || exit
              /opt/bin/backup --full
            runAsUser: backup
            environmentVariables:
              - {"name":"MAILTO","value":"ops@example.org"}
              - {"name":"PATH","value":"/opt/bin:/usr/bin:/bin"}
            owner: "ops@example.org"
            labels: {"crontab":"/etc/cron.d/site"}
            retries: 0
            overlap: allow
            schedule: "30 2 * * mon-fri"
            scheduleTimeZone: Europe/Berlin
        "#]],
    );
}

#[test]
fn input_and_another_shell_are_in_the_command() {
    let job = one(
        "SHELL=/bin/bash\nMAILTO=\"\"\n0 8 * * * root mail -s 'it''s late' ops%Good morning,%%100\\% sure%EOF\n",
        &SETTINGS,
    );
    assert_eq!(told(&job, Weight::Changes), [""; 0]);
    check(
        &job,
        &expect![[r#"
            name: site.mail
            command: |-
              cd || exit
              exec /bin/bash -c 'mail -s '\''it'\'''\''s late'\'' ops' <<'EOF_'
              Good morning,

              100% sure
              EOF
              EOF_
            runAsUser: root
            environmentVariables:
              - {"name":"MAILTO","value":""}
              - {"name":"PATH","value":"/usr/bin:/bin"}
              - {"name":"SHELL","value":"/bin/bash"}
            labels: {"crontab":"/etc/cron.d/site"}
            retries: 0
            overlap: allow
            schedule: "0 8 * * *"
            scheduleTimeZone: Europe/Berlin
        "#]],
    );
}

#[test]
fn what_looks_like_something_else_is_told() {
    let job = one("MAILTO=\"\"\n0 12 * * 5#2 root true\n", &SETTINGS);
    assert_eq!(job.body.as_ref().unwrap()["schedule"], "0 12 * * 5");
    assert_eq!(
        told(&job, Weight::Same),
        ["schedule: cron reads `0 12 * * 5#2` as `0 12 * * 5`; Chronode has `0 12 * * 5`"]
    );
    let job = one("MAILTO=\"\"\n0 22-2 * * * root true\n", &SETTINGS);
    assert_eq!(job.body, None);
    assert_eq!(
        told(&job, Weight::NotCarried),
        ["schedule: cron accepts `0 22-2 * * *` and never runs it; Chronode has no job for it"]
    );
    let job = one("MAILTO=\"\"\n0 25 * * * root true\n", &SETTINGS);
    assert_eq!(job.body, None);
    assert_eq!(job.findings[0].why, "it cannot read `25` as hour");
    let job = one("0 2 * * *\n", &SETTINGS);
    assert_eq!(
        told(&job, Weight::NotCarried),
        [": cron finds no user in it; Chronode has no job for it"]
    );
    let job = one("0 2 * * * root caf\u{fffd}\n", &SETTINGS);
    assert_eq!(job.body, None);
}

#[test]
fn mail_goes_to_addresses() {
    let to = |text: &str, domain: Option<&str>| {
        let job = one(text, &Settings { mail_domain: domain, ..SETTINGS });
        let owner =
            job.body.as_ref().unwrap().get("owner").map(|it| it.as_str().unwrap().to_owned());
        (owner, job.weight() == Weight::Changes)
    };
    assert_eq!(to("* * * * * root true\n", None), (None, true));
    assert_eq!(
        to("* * * * * root true\n", Some("example.org")),
        (Some("root@example.org".to_owned()), false)
    );
    assert_eq!(
        to("MAILTO=ann\n* * * * * root true\n", Some("example.org")),
        (Some("ann@example.org".to_owned()), false)
    );
    assert_eq!(
        to("MAILTO=\"ann, bob@example.com\"\n* * * * * root true\n", None),
        (Some("bob@example.com".to_owned()), true)
    );
    assert_eq!(to("MAILTO=\"\"\n* * * * * root true\n", Some("example.org")), (None, false));
}

#[test]
fn machines_have_their_own_jobs_unless_they_are_merged() {
    let text = "MAILTO=\"\"\n5 * * * * root /opt/sync\n@reboot root /opt/warm\n";
    let hosts = [
        host(Some("web1"), "/etc/crontab", text),
        host(Some("web2.example"), "/etc/crontab", text),
    ];
    let (jobs, general) = import(&hosts, "*", &SETTINGS);
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "web1.crontab.sync",
            "web1.crontab.warm",
            "web2.example.crontab.sync",
            "web2.example.crontab.warm"
        ]
    );
    let body = jobs[0].body.as_ref().unwrap();
    assert_eq!(body["constraints"], serde_json::json!([["hostname", "EQUALS", "web1"]]));
    assert_eq!(body["labels"], serde_json::json!({"crontab": "/etc/crontab", "host": "web1"}));
    assert_eq!(
        told(&jobs[1], Weight::NotCarried),
        [
            "schedule: cron runs it after each start of the machine; Chronode knows starts of its own machine alone, not those of agents"
        ]
    );
    assert!(
        general.iter().any(
            |it| it.chronode == "needs Mesos agents on web1, web2.example, of these very names"
        )
    );

    let (jobs, _) = import(&hosts, "*", &Settings { merge: true, ..SETTINGS });
    let merged: Vec<&Imported> = jobs.iter().filter(|job| job.body.is_some()).collect();
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].name, "crontab.sync");
    assert_eq!(
        merged[0].body.as_ref().unwrap()["constraints"],
        serde_json::json!([["hostname", "LIKE", r"web1|web2\.example"]])
    );
    assert_eq!(
        told(merged[0], Weight::Changes),
        [
            "constraints: cron runs it on each of web1, web2.example; Chronode runs it once, on one of them"
        ]
    );
}

#[test]
fn one_machine_knows_its_own_starts() {
    let job = one("MAILTO=\"\"\n@reboot root /opt/warm\n", &SETTINGS);
    let body = job.body.as_ref().unwrap();
    assert_eq!((body["schedule"].as_str(), body.get("scheduleTimeZone")), (Some("@reboot"), None));
}

#[test]
fn cronie_goes_by_more_settings() {
    let text = "MAILTO=\"\"\nCRON_TZ=Asia/Tokyo\nRANDOM_DELAY=10\n0~30 2 * * * root /opt/x\n";
    let job = one(text, &Settings { daemon: Daemon::Cronie, ..SETTINGS });
    check(
        &job,
        &expect![[r#"
            name: site.x
            command: |-
              cd || exit
              /opt/x
            runAsUser: root
            environmentVariables:
              - {"name":"MAILTO","value":""}
              - {"name":"PATH","value":"/usr/bin:/bin"}
            labels: {"crontab":"/etc/cron.d/site"}
            retries: 0
            overlap: allow
            schedule: "H(0-30) 2 * * *"
            scheduleTimeZone: Asia/Tokyo
            jitter: PT10M
        "#]],
    );
    let job = one(text, &SETTINGS);
    let body = job.body.as_ref().unwrap();
    assert_eq!(
        (body["schedule"].as_str(), body["scheduleTimeZone"].as_str()),
        (Some("0 2 * * *"), Some("Europe/Berlin"))
    );
    assert!(
        told(&job, Weight::Same)[0]
            .starts_with("CRON_TZ: cron (Debian's) hands `Asia/Tokyo` to the command")
    );
}

#[test]
fn scripts_of_a_directory_follow_each_other() {
    let line = "25 6 * * * root test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }\n";
    let mut machine = host(None, "/etc/crontab", &format!("MAILTO=\"\"\n{line}"));
    let scripts = ["man-db", "dpkg", "apt-compat", "old.dpkg-dist"];
    machine.directories.push(Directory {
        path: "/etc/cron.daily".to_owned(),
        scripts: scripts.map(str::to_owned).to_vec(),
    });
    let split = Settings { split_run_parts: true, ..SETTINGS };
    let (jobs, _) = import(std::slice::from_ref(&machine), "*", &split);
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["cron.daily.apt-compat", "cron.daily.dpkg", "cron.daily.man-db"]);
    let body = |index: usize| jobs[index].body.as_ref().unwrap();
    assert_eq!(body(0)["schedule"], "25 6 * * *");
    assert_eq!(body(0)["command"], "cd || exit\ncd / && /etc/cron.daily/apt-compat");
    assert_eq!(body(1)["parents"], serde_json::json!(["cron.daily.apt-compat"]));
    assert_eq!(body(2)["triggerRule"], "all-done");
    assert_eq!(body(2).get("schedule"), None);

    machine.has_anacron = true;
    let (jobs, general) = import(&[machine], "*", &split);
    assert_eq!(jobs.len(), 1);
    assert!(general.iter().any(|it| it.field == "anacron"));
}

#[test]
fn one_bad_line_keeps_cron_from_the_whole_table() {
    for bad in ["0 25 * * * root true\n", "A=\n", "* * * * root\n"] {
        let text = format!("MAILTO=\"\"\n5 * * * * root /opt/good\n{bad}");
        let jobs = table(&text, &SETTINGS);
        assert!(jobs.iter().all(|job| job.body.is_none()), "{bad}");
        assert_eq!(
            told(&jobs[0], Weight::NotCarried),
            [": cron ignores the whole table, because of line 3; Chronode has no job for it"],
            "{bad}"
        );
    }
}
