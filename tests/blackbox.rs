//! What Chronos answers, asked over HTTP of the real program: the black-box tests of our specification of Chronos, under
//! their numbers there, with the exceptions that were decided for Chronode.
//!
//! Number 21, the clients, is `tests/clients.rs`. Number 22, two instances that answer alike, needs a second node,
//! which this release does not have.

mod common;

use std::collections::BTreeSet;

use common::{Place, Response, Server, wait_for, wall_secs};
use serde_json::{Value, json};

const PREFIXES: [&str; 2] = ["/scheduler", "/v1/scheduler"];

/// Due once, at the instant of acceptance.
const ONCE: &str = "R1//PT1M";

fn start(place: &Place) -> Server {
    Server::start(&place.data(), &["--failure_retry", "1"])
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let named = response.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str())
}

/// A job that never runs by itself within anybody's life.
fn quiet(name: &str, command: &str) -> Value {
    json!({"name": name, "command": command, "schedule": "R/2099-01-01T00:00:00Z/P1D", "retries": 0})
}

fn child(name: &str, command: &str, parents: &[&str]) -> Value {
    json!({"name": name, "command": command, "parents": parents, "retries": 0})
}

/// A job as a client posts it: the path follows from what it has.
fn post(server: &Server, p: &str, job: &Value) -> Response {
    let path = if job.get("parents").is_some() { "dependency" } else { "iso8601" };
    server.request("POST", &format!("{p}/{path}"), Some(job))
}

fn add(server: &Server, p: &str, job: &Value) {
    let answer = post(server, p, job);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{job}");
    assert!(header(&answer, "content-length").is_none_or(|length| length == "0"), "{answer:?}");
}

/// The sentence of an error, which every client can take out of it.
fn message(answer: &Response, status: u16) -> String {
    assert_eq!(
        (answer.status, header(answer, "content-type")),
        (status, Some("application/json")),
        "{answer:?}"
    );
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

fn refused(server: &Server, p: &str, job: &Value) -> String {
    message(&post(server, p, job), 400)
}

fn job(server: &Server, p: &str, name: &str) -> Value {
    let jobs = server.get(&format!("{p}/jobs"));
    let found = jobs.as_array().unwrap().iter().find(|job| job["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {jobs}")).clone()
}

fn run(server: &Server, name: &str) {
    let answer = server.request("PUT", &format!("/scheduler/job/{name}"), None);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
}

fn mark(server: &Server, name: &str) {
    let answer = server.request("PUT", &format!("/scheduler/job/success/{name}"), None);
    assert_eq!(
        (answer.status, answer.body),
        (200, format!("marked job {name} as successful: true"))
    );
}

/// The runs of a job that its parents triggered, once as many as this are over.
fn triggered(server: &Server, name: &str, count: usize) -> Vec<Value> {
    let runs = || {
        let mut runs = server.runs(name);
        runs.retain(|run| run["trigger"]["kind"] == "parents" && run["state"] == "ended");
        runs
    };
    wait_for(&format!("{count} runs of {name}"), || Some(runs()).filter(|runs| runs.len() >= count))
}

#[test]
fn t01_ping() {
    let place = Place::new();
    let answer = start(&place).request("GET", "/ping", None);
    assert_eq!((answer.status, answer.body.as_str()), (200, "pong\n"));
    assert_eq!(header(&answer, "content-type"), Some("text/plain"));
    assert_eq!(header(&answer, "cache-control"), Some("must-revalidate,no-cache,no-store"));
}

#[test]
fn t02_a_job_is_created_and_listed_with_all_its_fields() {
    let posted = json!({
        "name": "nightly-report", "command": "/opt/report/run.sh --full", "schedule": "R/2030-01-01T02:30:00Z/P1D",
        "scheduleTimeZone": "Europe/Berlin", "owner": "data@example.org", "retries": 3, "cpus": 0.25, "mem": 256,
        "disk": 128, "environmentVariables": [{"name": "STAGE", "value": "prod"}],
        "constraints": [["rack", "LIKE", "r-[12]"]],
    });
    let everywhere = "name command shell executor executorFlags taskInfoData retries owner ownerName description \
        successCount errorCount lastSuccess lastError cpus disk mem disabled softError dataProcessingJobType \
        errorsSinceLastSuccess fetch uris environmentVariables arguments highPriority runAsUser constraints schedule \
        scheduleTimeZone";
    for (p, more) in
        [("/scheduler", "epsilon async"), ("/v1/scheduler", "concurrent maxCompletionTime")]
    {
        let place = Place::new();
        let server = start(&place);
        add(&server, p, &posted);
        let answer = server.request("GET", &format!("{p}/jobs"), None);
        assert_eq!(
            (answer.status, header(&answer, "content-type")),
            (200, Some("application/json"))
        );
        assert_eq!(answer.body.lines().count(), 1, "{}", answer.body);
        // Numbers of resources have a point.
        assert!(answer.body.contains(r#""disk":128.0,"mem":256.0,"#), "{}", answer.body);
        let jobs: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(jobs.len(), 1);
        for (field, value) in posted.as_object().unwrap() {
            let printed = &jobs[0][field];
            assert!(printed == value || printed.as_f64() == value.as_f64(), "{field}: {printed}");
        }
        let fields: BTreeSet<&str> =
            jobs[0].as_object().unwrap().keys().map(String::as_str).collect();
        // Ours says when the job is due.
        let words = everywhere.split_whitespace().chain(more.split(' ')).chain(["nextDue"]);
        assert_eq!(fields, words.collect());
    }
}

#[test]
fn t03_a_body_must_be_declared_as_json() {
    let place = Place::new();
    let server = start(&place);
    for p in PREFIXES {
        let url = format!("{}{p}/iso8601", server.url);
        for kind in [None, Some("application/x-www-form-urlencoded"), Some("text/plain")] {
            let client = reqwest::blocking::Client::new();
            let request = client.post(&url).body(quiet("a", "true").to_string());
            let request = match kind {
                Some(kind) => request.header("Content-Type", kind),
                None => request,
            };
            assert_eq!(request.send().unwrap().status(), 415, "{kind:?}");
        }
        assert_eq!(server.get(&format!("{p}/jobs")), json!([]));
    }
}

#[test]
fn t04_a_schedule_that_cannot_be_read() {
    let place = Place::new();
    let server = start(&place);
    for p in PREFIXES {
        let mut body = quiet("a", "true");
        body["schedule"] = json!("R/2030-01-01/P1H");
        let told = refused(&server, p, &body);
        assert!(told.starts_with("Cannot parse schedule 'R/2030-01-01/P1H'"), "{told}");
    }
}

#[test]
fn t05_a_start_before_1970() {
    let place = Place::new();
    let server = start(&place);
    let mut body = quiet("a", "true");
    body["schedule"] = json!("R/1969-01-01T00:00:00Z/P1D");
    let told = refused(&server, "/v1/scheduler", &body);
    assert!(told.ends_with("is before 1970!"), "{told}");
    // 2.x has no such check, and 3.x none where a job is replaced.
    for p in PREFIXES {
        add(&server, p, &body);
    }
}

#[test]
fn t06_uris_with_fetch_and_names_with_blanks() {
    let place = Place::new();
    let server = start(&place);
    let mut body = quiet("a", "true");
    body["uris"] = json!(["http://host/a"]);
    body["fetch"] = json!([{"uri": "http://host/b"}]);
    for p in PREFIXES {
        assert!(refused(&server, p, &body).contains("fetch"));
    }
    let blank = quiet("a b", "true");
    let told = refused(&server, "/v1/scheduler", &blank);
    assert!(told.starts_with(r"the job's name is invalid. Allowed names: '([\w\.-]+)'"), "{told}");
    add(&server, "/scheduler", &blank);
    assert_eq!(job(&server, "/v1/scheduler", "a b")["name"], "a b");
}

#[test]
fn t07_a_parent_must_be_there_first() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let body = child("c", "true", &["p"]);
        let told = refused(&server, p, &body);
        assert!(told.contains("c does not have all parents defined"), "{told}");
        add(&server, p, &quiet("p", "true"));
        add(&server, p, &body);
        assert!(server.text(&format!("{p}/graph/csv")).lines().any(|row| row == "link,p,c"));
    }
}

#[test]
fn t08_a_cycle_is_refused_and_changes_nothing() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        add(&server, p, &quiet("a", "true"));
        add(&server, p, &child("b", "true", &["a"]));
        add(&server, p, &child("c", "true", &["b"]));
        let before = server.text(&format!("{p}/graph/csv"));
        for (name, parents) in [("b", ["c"]), ("a", ["c"]), ("b", ["b"]), ("self", ["self"])] {
            let answer = post(&server, p, &child(name, "true", &parents));
            assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
            assert_eq!(server.text(&format!("{p}/graph/csv")), before, "{name}");
        }
        // It lives, and what hangs together still does.
        mark(&server, "a");
        triggered(&server, "c", 1);
    }
}

#[test]
fn t09_a_job_that_is_not_there() {
    let place = Place::new();
    let server = start(&place);
    for p in PREFIXES {
        for (method, path) in [
            ("PUT", "job/x"),
            ("DELETE", "job/x"),
            ("GET", "job/x"),
            ("GET", "job/stat/x"),
            ("DELETE", "task/kill/x"),
        ] {
            let told = message(&server.request(method, &format!("{p}/{path}"), None), 400);
            assert!(told.contains("'x' not found"), "{method} {path}: {told}");
        }
        let answer = server.request("PUT", &format!("{p}/job/success/x"), None);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "marked job x as successful: false")
        );
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
    }
}

#[test]
fn t10_figures_of_a_job_that_never_ran() {
    let place = Place::new();
    let server = start(&place);
    add(&server, "/scheduler", &quiet("fresh", "true"));
    for p in PREFIXES {
        let zero = r#"{"histogram":{"75thPercentile":0.0,"95thPercentile":0.0,"98thPercentile":0.0,"99thPercentile":0.0,"median":0.0,"mean":0.0,"count":0},"taskStatHistory":[]}"#;
        assert_eq!(server.text(&format!("{p}/job/stat/fresh")), zero);
        let figures = server.text(&format!("{p}/stats/99thPercentile"));
        assert_eq!(figures, r#"[{"jobNameLabel":"fresh","time":0.0}]"#);
        assert_eq!(server.text(&format!("{p}/stats/foo")), "[]");
    }
}

#[test]
fn t11_no_repetitions_left_from_the_beginning() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let mut never = quiet("never", "true");
        never["schedule"] = json!("R0/2014-01-01T00:00:00Z/PT60M");
        add(&server, p, &never);
        // Whatever was due at its acceptance has begun when a later job is over.
        add(&server, p, &json!({"name": "later", "command": "true", "schedule": ONCE}));
        server.ended_run("later");
        let listed = job(&server, p, "never");
        assert_eq!((&listed["disabled"], &listed["schedule"]), (&json!(false), &never["schedule"]));
        assert_eq!((&listed["remaining"], listed.get("nextDue")), (&json!(0), None));
        assert!(server.runs("never").is_empty());
    }
}

/// As decided: the text stays as typed, and what is left is told beside it.
#[test]
fn t12_once_and_at_once() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let begun = wall_secs();
        add(&server, p, &json!({"name": "once", "command": "true", "schedule": ONCE}));
        let run = server.ended_run("once");
        assert_eq!(run["verdict"], "succeeded");
        // Within two seconds of the request it was due; how soon it ran is for the machine to say.
        let due: jiff::Timestamp = run["trigger"]["dueAt"].as_str().unwrap().parse().unwrap();
        let answered = wall_secs();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
        let due = due.as_millisecond() as f64 / 1_000.0;
        assert!(due >= begun - 0.001 && due <= answered, "{begun} {due}");
        let listed = job(&server, p, "once");
        assert_eq!((&listed["disabled"], &listed["schedule"]), (&json!(true), &json!(ONCE)));
        assert_eq!((&listed["remaining"], &listed["successCount"]), (&json!(0), &json!(1)));
        assert_eq!(server.runs("once").len(), 1);
    }
}

/// As decided: each repetition is counted from the start, missed ones too, and a new job owes what is still inside its
/// window; nothing older is caught up, through either prefix.
#[test]
fn t13_a_start_in_the_past() {
    let second = |at: i64| jiff::Timestamp::from_second(at).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let past = wall_secs() as i64 - 600;
    let ended = json!({
        "name": "ended", "command": "true", "schedule": format!("R3/{}/PT60S", second(past)),
    });
    // Long enough after one occurrence and before the next one that no machine is too slow.
    let endless = json!({
        "name": "endless", "command": "true",
        "schedule": format!("R/{}/PT168H", second(past - 2 * 604_800)),
    });
    let mut inside = endless.clone();
    inside["name"] = json!("inside");
    inside["epsilon"] = json!("PT24H");
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        for body in [&ended, &endless, &inside] {
            add(&server, p, body);
        }
        let due = server.ended_run("inside")["trigger"]["dueAt"].clone();
        assert_eq!(due, format!("{:.3}", second(past)));
        // A later job is over: whatever those should start at once has been started.
        add(&server, p, &json!({"name": "later", "command": "true", "schedule": ONCE}));
        server.ended_run("later");
        let runs = |name: &str| server.runs(name).len();
        assert_eq!((runs("ended"), runs("endless"), runs("inside")), (0, 0, 1), "{p}");
        let listed = job(&server, p, "ended");
        assert_eq!(listed["schedule"], ended["schedule"]);
        assert_eq!((&listed["remaining"], listed.get("nextDue")), (&json!(0), None));
        for name in ["endless", "inside"] {
            let next = job(&server, p, name)["nextDue"].clone();
            assert_eq!(next, format!("{:.3}", second(past + 604_800)));
        }
    }
}

/// Which texts are read, and what for: the first occurrences from 2050 on, or a part of why not. Taken from what Chronos
/// reads, but for what was decided to be refused.
#[test]
fn t14_schedules_that_are_read_and_that_are_not() {
    let place = Place::new();
    let server = start(&place);
    let first_of = |name: &str, from: &str| {
        let answer = server.get(&format!("/scheduler/preview?job={name}&from={from}&count=2"));
        let next = answer["next"].as_array().unwrap().clone();
        next.iter().map(|at| at["utc"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let accepted: &[(&str, &str, [&str; 2])] = &[
        (
            "R5/2050-03-01T13:00:00Z/P1D",
            "",
            ["2050-03-01T13:00:00.000Z", "2050-03-02T13:00:00.000Z"],
        ),
        ("R007/2050-03-01/P1D", "", ["2050-03-01T00:00:00.000Z", "2050-03-02T00:00:00.000Z"]),
        ("R/2050/P1D", "", ["2050-01-01T00:00:00.000Z", "2050-01-02T00:00:00.000Z"]),
        ("R/2050-03/P1D", "", ["2050-03-01T00:00:00.000Z", "2050-03-02T00:00:00.000Z"]),
        ("R/2050-W10-6/P1D", "", ["2050-03-12T00:00:00.000Z", "2050-03-13T00:00:00.000Z"]),
        ("R/2050-061/P1D", "", ["2050-03-02T00:00:00.000Z", "2050-03-03T00:00:00.000Z"]),
        ("R/2050-03-01T10/P1D", "", ["2050-03-01T10:00:00.000Z", "2050-03-02T10:00:00.000Z"]),
        ("R/2050-03-01T10.5/P1D", "", ["2050-03-01T10:30:00.000Z", "2050-03-02T10:30:00.000Z"]),
        (
            "R/2050-03-01T10:00:00,1239/P1D",
            "",
            ["2050-03-01T10:00:00.123Z", "2050-03-02T10:00:00.123Z"],
        ),
        ("R/2050-3-1T1:2Z/P1D", "", ["2050-03-01T01:02:00.000Z", "2050-03-02T01:02:00.000Z"]),
        ("R/2050-03-01T10:00+01/P1D", "", ["2050-03-01T09:00:00.000Z", "2050-03-02T09:00:00.000Z"]),
        (
            "R/2050-03-01T10:00+0100/P1D",
            "",
            ["2050-03-01T09:00:00.000Z", "2050-03-02T09:00:00.000Z"],
        ),
        ("R/2050-03-01t10:00z/P1D", "", ["2050-03-01T10:00:00.000Z", "2050-03-02T10:00:00.000Z"]),
        ("R/2050-03-01T10:00Z/PT36H", "", ["2050-03-01T10:00:00.000Z", "2050-03-02T22:00:00.000Z"]),
        // The zone keeps the digits of the start, whatever offset stands behind them.
        (
            "R/2050-03-01T13:00Z/P1D",
            "Europe/Paris",
            ["2050-03-01T12:00:00.000Z", "2050-03-02T12:00:00.000Z"],
        ),
        (
            "R/2050-07-01T13:00-04:00/P1D",
            "America/New_York",
            ["2050-07-01T17:00:00.000Z", "2050-07-02T17:00:00.000Z"],
        ),
        // The clocks of New York go forward on 13 March 2050: days keep the wall clock, hours do not.
        (
            "R/2050-03-12T12:00/P1D",
            "America/New_York",
            ["2050-03-12T17:00:00.000Z", "2050-03-13T16:00:00.000Z"],
        ),
        (
            "R/2050-03-12T12:00/PT24H",
            "America/New_York",
            ["2050-03-12T17:00:00.000Z", "2050-03-13T17:00:00.000Z"],
        ),
        // In the gap it moves that once (Chronos: for ever).
        (
            "R/2050-03-13T02:30/P1D",
            "America/New_York",
            ["2050-03-13T07:30:00.000Z", "2050-03-14T06:30:00.000Z"],
        ),
        // And back on 6 November: the first of two.
        (
            "R/2050-11-06T01:30/P1D",
            "America/New_York",
            ["2050-11-06T05:30:00.000Z", "2050-11-07T06:30:00.000Z"],
        ),
        (
            "R/2050-11-06T01:30/PT1H",
            "America/New_York",
            ["2050-11-06T05:30:00.000Z", "2050-11-06T06:30:00.000Z"],
        ),
        // Month ends stay month ends (Chronos: 29 March).
        (
            "R/2050-01-31T00:00:00Z/P1M",
            "",
            ["2050-01-31T00:00:00.000Z", "2050-02-28T00:00:00.000Z"],
        ),
    ];
    for (index, (schedule, zone, expected)) in accepted.iter().enumerate() {
        let name = format!("accepted-{index}");
        let body = json!({"name": name, "command": "true", "schedule": schedule, "scheduleTimeZone": zone});
        add(&server, PREFIXES[index % 2], &body);
        for p in PREFIXES {
            let listed = job(&server, p, &name);
            assert_eq!(
                (&listed["schedule"], &listed["scheduleTimeZone"]),
                (&json!(schedule), &json!(zone))
            );
            assert_eq!(listed["nextDue"], expected[0], "{schedule} {zone}");
        }
        assert_eq!(first_of(&name, "2050-01-01T00:00:00Z"), expected, "{schedule} {zone}");
    }
    for schedule in [
        "r/2050-03-01T10:00Z/P1D",
        "R-1/2050-03-01T10:00Z/P1D",
        "R99999999999999999999/2050-03-01T10:00Z/P1D",
        "R/20500301T100000Z/P1D",
        "R/2050-03-01 10:00:00/P1D",
        "R/ 2050-03-01T10:00Z/P1D",
        "R/2050-03-01T24:00Z/P1D",
        "R/2050-03-01T10:00:60Z/P1D",
        "R/2050-02-30T10:00Z/P1D",
        "R/2050-03-01T10:00Z/PT",
        "R/2050-03-01T10:00Z/P1H",
        "R/2050-03-01T10:00Z/P1DT",
        "R/2050-03-01T10:00Z/P0.5D",
        "R/2050-03-01T10:00Z/PT0.5H",
        "R/2050-03-01T10:00Z/P1D1W",
        "R/2050-03-01T10:00Z/P1D ",
        "R/2050-03-01T10:00Z",
        "R5",
        "R/P1D",
        "",
        "R/2050-03-01T10:00Z/2050-03-02T10:00Z",
        "R/2050-03-01T10:00Z/P1M/P2M",
        // Decided: these never meant anything sound.
        "R/2050-03-01T10:00Z/P-1D",
        "R/2050-03-01T10:00Z/P+1D",
        "R/2050-03-01T10:00Z/PT0S",
        "R/12050-03-01T10:00Z/P1D",
    ] {
        let body = json!({"name": "refused", "command": "true", "schedule": schedule});
        for p in PREFIXES {
            let told = refused(&server, p, &body);
            assert!(told.starts_with(&format!("Cannot parse schedule '{schedule}'")), "{told}");
        }
    }
    // Decided: an unknown zone is not Greenwich.
    for zone in ["EDT", "BST", "UTC+2", "+02:00", "Europe/Pariss"] {
        let mut body = quiet("refused", "true");
        body["scheduleTimeZone"] = json!(zone);
        assert!(refused(&server, "/scheduler", &body).contains(zone), "{zone}");
    }
}

/// As decided: a child starts once for each round in which every parent has a new success. The commands of the children
/// fail, so that nothing but the marks moves anything.
#[test]
fn t15_children_by_successes_that_are_marked() {
    let place = Place::new();
    let server = start(&place);
    add(&server, "/scheduler", &quiet("A", "true"));
    for (name, parents) in [("B", &["A"][..]), ("C", &["A"]), ("D", &["B"]), ("E", &["B", "C"])] {
        add(&server, "/scheduler", &child(name, "false", parents));
    }
    let mut counts = [("B", 0), ("C", 0), ("D", 0), ("E", 0)];
    // Chronos' own vector: what each mark triggers, in order.
    let steps = [("A", "BC"), ("B", "D"), ("C", "E"), ("A", "BC"), ("C", ""), ("B", "DE")];
    // Then two successes of one parent count once, where Chronos counts on.
    let more = [("B", "D"), ("B", "D"), ("C", "E"), ("C", ""), ("B", "DE")];
    for (step, (marked, follow)) in steps.into_iter().chain(more).enumerate() {
        mark(&server, marked);
        for (name, count) in &mut counts {
            *count += usize::from(follow.contains(*name));
            let runs = triggered(&server, name, *count);
            assert_eq!(runs.len(), *count, "{name} after step {step}");
        }
    }
    // Nothing was still on its way: a round that is over is followed within its transaction or right behind it.
    mark(&server, "A");
    triggered(&server, "B", counts[0].1 + 1);
    for (name, count) in &counts[2..] {
        assert_eq!(triggered(&server, name, *count).len(), *count, "{name}");
    }
}

#[test]
fn t16_soft_errors_and_attempts() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let mut soft = quiet("soft", "false");
        soft["softError"] = json!(true);
        let mut hard = quiet("hard", "false");
        hard["retries"] = json!(2);
        for body in [&soft, &hard] {
            add(&server, p, body);
        }
        add(&server, p, &child("after-soft", "true", &["soft"]));
        add(&server, p, &child("after-hard", "true", &["hard"]));
        run(&server, "hard");
        let failed = server.ended_run("hard");
        assert_eq!(failed["verdict"], "failed");
        let attempts = failed["attempts"].as_array().unwrap();
        let ids = attempts.iter().map(|attempt| attempt["taskId"].as_str().unwrap().to_owned());
        let ids: Vec<Vec<String>> =
            ids.map(|id| id.split(':').map(str::to_owned).collect()).collect();
        let numbers: Vec<&str> = ids.iter().map(|id| id[2].as_str()).collect();
        assert_eq!(numbers, ["0", "1", "2"]);
        assert!(ids.iter().all(|id| id[0] == "ct" && id[3] == "hard"), "{ids:?}");
        let listed = job(&server, p, "hard");
        assert_eq!(
            (&listed["errorCount"], &listed["errorsSinceLastSuccess"]),
            (&json!(1), &json!(1))
        );
        assert_eq!((&listed["successCount"], &listed["lastSuccess"]), (&json!(0), &json!("")));
        assert_ne!(listed["lastError"], "");
        // The soft one failed later and its child is through, so the other child will not come any more.
        run(&server, "soft");
        triggered(&server, "after-soft", 1);
        assert_eq!(job(&server, p, "soft")["errorCount"], 1);
        assert!(server.runs("after-hard").is_empty());
    }
}

/// As decided: the child loses nothing of its own.
#[test]
fn t17_the_only_child_of_a_deleted_job_gets_its_schedule() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let mut parent = quiet("parent", "true");
        parent["scheduleTimeZone"] = json!("Europe/Berlin");
        add(&server, p, &parent);
        add(&server, p, &quiet("other", "true"));
        let mut only = child("only", "true", &["parent"]);
        only["description"] = json!("kept");
        only["arguments"] = json!(["kept"]);
        only["environmentVariables"] = json!([{"name": "KEPT", "value": "yes"}]);
        add(&server, p, &only);
        add(&server, p, &child("both", "true", &["parent", "other"]));
        assert_eq!(server.request("DELETE", &format!("{p}/job/parent"), None).status, 204);
        let listed = job(&server, p, "only");
        assert_eq!(listed.get("parents"), None);
        for field in ["schedule", "scheduleTimeZone"] {
            assert_eq!(listed[field], parent[field]);
        }
        for field in ["description", "arguments", "environmentVariables"] {
            assert_eq!(listed[field], only[field]);
        }
        let listed = job(&server, p, "both");
        assert_eq!((&listed["parents"], listed.get("schedule")), (&json!(["other"]), None));
    }
}

#[test]
fn t18_numbers_and_unknown_fields() {
    for p in PREFIXES {
        let place = Place::new();
        let server = start(&place);
        let mut body = quiet("", "true");
        body["name"] = json!(36);
        body["cpus"] = json!("0.5");
        body["mem"] = json!(0);
        body["noSuchField"] = json!({"a": 1});
        add(&server, p, &body);
        let listed = job(&server, p, "36");
        assert_eq!((&listed["cpus"], &listed["mem"]), (&json!(0.5), &json!(128.0)));
        assert_eq!(listed.get("noSuchField"), None);
        body["cpus"] = json!(0);
        add(&server, p, &body);
        assert_eq!(job(&server, p, "36")["cpus"], json!(0.1));
    }
}

#[test]
fn t19_search() {
    let place = Place::new();
    let server = start(&place);
    for index in 0..12 {
        add(&server, "/scheduler", &quiet(&format!("report-{index}"), "echo Sum"));
    }
    add(&server, "/scheduler", &quiet("mail", "send"));
    for p in PREFIXES {
        let found = |query: &str| {
            let jobs = server.get(&format!("{p}/jobs/search?{query}"));
            let jobs = jobs.as_array().unwrap().clone();
            jobs.iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("name=REPORT&limit=3"), ["report-0", "report-1", "report-2"]);
        assert_eq!(found("name=report&limit=3&offset=10"), ["report-10", "report-11"]);
        assert_eq!(found("name=report").len(), 10);
        assert_eq!(found("command=sum&limit=100").len(), 12);
        assert_eq!(found("name=mail&command=sum"), [""; 0]);
        assert_eq!(found("name=mail&command=sum&any=send"), ["mail"]);
        // Alone it filters nothing.
        assert_eq!(found("any=zzz").len(), 10);
        assert_eq!(found("").len(), 10);
    }
}

#[test]
fn t20_graphs_to_the_byte() {
    for (p, running) in [("/scheduler", "running"), ("/v1/scheduler", "1 running")] {
        let place = Place::new();
        let server = start(&place);
        let empty =
            (server.text(&format!("{p}/graph/dot")), server.text(&format!("{p}/graph/csv")));
        assert_eq!(empty, ("digraph G {\n}\n".to_owned(), String::new()));
        let release = place.file("release");
        let wait = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
        add(&server, p, &quiet("nightly-report", "true"));
        add(&server, p, &quiet("exchange-rates", &wait));
        add(&server, p, &child("report-mail", "false", &["nightly-report", "exchange-rates"]));
        let dot = "digraph G {\n  1 [ label=\"nightly-report\" ];\n  2 [ label=\"exchange-rates\" ];\n  \
                   3 [ label=\"report-mail\" ];\n  1 -> 3;\n  2 -> 3;\n}\n";
        assert_eq!(server.text(&format!("{p}/graph/dot")), dot);
        let links = "link,nightly-report,report-mail\nlink,exchange-rates,report-mail\n";
        let fresh = "node,nightly-report,fresh,idle\nnode,exchange-rates,fresh,idle\nnode,report-mail,fresh,idle\n";
        assert_eq!(server.text(&format!("{p}/graph/csv")), format!("{fresh}{links}"));
        mark(&server, "nightly-report");
        run(&server, "report-mail");
        server.ended_run("report-mail");
        run(&server, "exchange-rates");
        let csv = |state: &str| {
            let nodes = "node,nightly-report,success,idle\nnode,exchange-rates,fresh,";
            format!("{nodes}{state}\nnode,report-mail,failure,idle\n{links}")
        };
        let text = || server.text(&format!("{p}/graph/csv"));
        let seen = wait_for("it to run", || Some(text()).filter(|text| *text != csv("queued")));
        assert_eq!(seen, csv(running));
        std::fs::write(&release, "").unwrap();
        server.ended_run("exchange-rates");
    }
}
