//! Moving from Chronos and back with the binary: both generations, a real ZooKeeper, and whatever else may answer.

mod common;
#[path = "import/fake.rs"]
mod fake;
#[path = "import/zookeeper.rs"]
mod zookeeper;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use common::{Place, Server};
use fake::{Asked, Fake, Reply};
use serde_json::{Value, json};
use zookeeper::{ZooKeeper, entry};

/// The binary as a client, with nothing set that would make it find another server.
fn chronode(args: &[&str]) -> Output {
    Command::new(common::program())
        .args(args)
        .env_remove("CHRONODE_SERVER")
        .env_remove("CHRONOS_HTTP_AUTH")
        .env_remove("CHRONOS_ZK_AUTH")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The report of a command that printed it as JSON.
fn report(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Jobs have secrets in their environment: neither the directory nor a file in it may be read by others.
fn only_we_can_read(directory: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory), 0o700, "{}", directory.display());
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A job as the old generation prints it.
fn old(name: &str, schedule: &str) -> Value {
    json!({
        "name": name, "command": "true", "shell": true, "epsilon": "PT60S", "executor": "", "executorFlags": "",
        "taskInfoData": "", "retries": 2, "owner": "data@example.org", "ownerName": "", "description": "",
        "async": false, "successCount": 4, "errorCount": 1, "lastSuccess": "2026-01-01T02:31:05.123Z",
        "lastError": "", "cpus": 0.1, "disk": 256.0, "mem": 128.0, "disabled": false, "softError": false,
        "dataProcessingJobType": false, "errorsSinceLastSuccess": 0, "fetch": [], "uris": [],
        "environmentVariables": [{"name": "STAGE", "value": "prod"}], "arguments": [], "highPriority": false,
        "runAsUser": "", "constraints": [], "schedule": schedule, "scheduleTimeZone": "",
    })
}

/// As the new one does.
fn new(name: &str, schedule: &str) -> Value {
    let mut job = old(name, schedule);
    let fields = job.as_object_mut().unwrap();
    fields.remove("epsilon");
    fields.remove("async");
    fields.insert("concurrent".to_owned(), false.into());
    fields.insert("maxCompletionTime".to_owned(), 0.into());
    job
}

fn child(mut job: Value, parents: &[&str]) -> Value {
    let fields = job.as_object_mut().unwrap();
    fields.remove("schedule");
    fields.remove("scheduleTimeZone");
    fields.insert("parents".to_owned(), json!(parents));
    job
}

/// A Chronos with these jobs, which serves one prefix alone.
fn chronos(prefix: &'static str, jobs: &Value) -> Fake {
    let jobs = jobs.to_string();
    let path = format!("{prefix}/jobs");
    Fake::start(
        move |asked: &Asked| {
            if asked.path == path { Reply::json(jobs.clone()) } else { Reply::page(404) }
        },
    )
}

const DAILY: &str = "R/2100-01-01T04:00:00.000Z/P1D";

#[test]
fn the_new_generation_is_told_about_written_and_loaded_and_a_repeat_changes_nothing() {
    let mut boxed = new("boxed", DAILY);
    boxed["container"] = json!({"type": "DOCKER", "image": "x:1"});
    let mut zoned = new("zoned", DAILY);
    zoned["scheduleTimeZone"] = "EST".into();
    let mut fetching = new("fetching", DAILY);
    fetching["uris"] = json!(["http://127.0.0.1:1/a.tgz"]);
    fetching["fetch"] = json!([{"uri": "http://127.0.0.1:1/a.tgz", "executable": false, "cache": false, "extract": true}]);
    let mut counted = new("counted", "R5/2100-01-31T04:00:00.000Z/P1M");
    counted["concurrent"] = true.into();
    let jobs = json!([
        child(new("a.child", DAILY), &["zoned", "plain"]),
        boxed,
        zoned,
        fetching,
        counted,
        new("plain", DAILY)
    ]);
    let chronos = chronos("/v1/scheduler", &jobs);

    // Only told: nothing is asked but the list, and nothing written.
    let told = chronode(&["import", "chronos", &chronos.url, "--json"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(err(&told).contains("1 job cannot be carried"), "{}", err(&told));
    let told = report(&told);
    assert_eq!(told["dialect"], "v1");
    assert_eq!(
        told["summary"],
        json!({"jobs": 6, "identical": 4, "changes": 1, "notCarried": 1, "stored": 0, "unchanged": 0, "refused": 0})
    );
    let lost = told["jobs"].as_array().unwrap().last().unwrap();
    assert_eq!((&lost["name"], &lost["original"]), (&json!("boxed"), &jobs[1]));
    let text = chronode(&["import", "chronos", &chronos.url]);
    for part in [
        "counted: changes meaning",
        "boxed: cannot be carried",
        "to do: ",
        "`--out DIR` writes job files",
    ] {
        assert!(out(&text).contains(part), "{part}: {}", out(&text));
    }

    // As files, which `serve --jobs` loads in whatever order they lie there.
    let place = Place::new();
    let directory = place.file("jobs");
    let directory_text = directory.to_str().unwrap();
    let write = |more: &[&str]| {
        let args = [&["import", "chronos", &chronos.url, "--json", "--out", directory_text], more]
            .concat();
        report(&chronode(&args))["summary"].clone()
    };
    assert_eq!(write(&[])["stored"], 5);
    assert_eq!(write(&[])["unchanged"], 5);
    fs::write(directory.join("plain.yaml"), "name: plain\nschedule: '@daily'\n").unwrap();
    assert_eq!(write(&[])["refused"], 1);
    assert_eq!(write(&["--overwrite"])["stored"], 1);
    only_we_can_read(&directory);
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(directory.join("import-report.json")).unwrap())
            .unwrap();
    assert_eq!(kept["jobs"].as_array().unwrap().len(), 6);
    let server = Server::start(&place.data(), &["--jobs", directory_text]);
    assert!(
        server.banner.iter().any(|line| line.contains("5 loaded, 0 unchanged, 0 refused")),
        "{:?} {}",
        server.banner,
        server.log()
    );

    // Loaded into the same server: all of it is there already.
    let load = |more: &[&str]| {
        let args = [
            &["import", "chronos", &chronos.url, "--json", "--load", "--server", &server.url],
            more,
        ]
        .concat();
        report(&chronode(&args))["summary"].clone()
    };
    assert_eq!(load(&[])["unchanged"], 5);
    let child = server.get("/v1/scheduler/job/a.child");
    assert_eq!(
        (&child["successCount"], &child["parents"]),
        (&json!(4), &json!(["zoned", "plain"]))
    );
    let plain = server.get("/v1/scheduler/job/plain");
    assert_eq!(plain.get("overlap"), None, "what 3.x does is what its prefix says without a word");
    assert_eq!(plain.get("catchUp"), None);
    assert_eq!(server.get("/scheduler/job/zoned")["scheduleTimeZone"], "America/New_York");

    // What somebody changed here is not taken back unless asked for.
    let mut changed = server.get("/scheduler/job/plain");
    changed["command"] = "false".into();
    server.post(&changed);
    assert_eq!(load(&[])["refused"], 1);
    assert_eq!(server.get("/scheduler/job/plain")["command"], "false");
    assert_eq!(load(&["--overwrite"])["stored"], 1);
    assert_eq!(server.get("/scheduler/job/plain")["command"], "true");
    assert_eq!(load(&[])["unchanged"], 5);

    // And into an empty one, parents first.
    let elsewhere = Place::new();
    let empty = Server::start(&elsewhere.data(), &[]);
    let args =
        ["import", "chronos", &chronos.url, "--load", "--server", &empty.url, "--only", "?la*"];
    let loaded = chronode(&args);
    assert_eq!(loaded.status.code(), Some(0), "{loaded:?}");
    assert_eq!(empty.get("/scheduler/jobs").as_array().unwrap().len(), 1);
    let loaded = chronode(&["import", "chronos", &chronos.url, "--load", "--server", &empty.url]);
    assert_eq!(loaded.status.code(), Some(1), "the container stays behind");
    assert_eq!(empty.get("/scheduler/jobs").as_array().unwrap().len(), 5);
    assert!(chronos.asked().iter().all(|asked| asked.method == "GET"), "nothing is changed there");
}

#[test]
fn the_old_generation_is_found_behind_the_new_ones_404() {
    let chronos = chronos(
        "/scheduler",
        &json!([old("with blank", DAILY), old("b", "R/2100-01-01T04:00:00Z/P-1D")]),
    );
    let told = chronode(&["import", "chronos", &format!("{}/", chronos.url), "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let told = report(&told);
    assert_eq!((&told["dialect"], &told["summary"]["notCarried"]), (&json!("0"), &json!(1)));
    let told = chronode(&["import", "chronos", &chronos.url, "--dialect", "v1"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(err(&told).contains("has no `/v1/scheduler/jobs`"), "{}", err(&told));
    let paths: Vec<String> = chronos.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/v1/scheduler/jobs", "/scheduler/jobs", "/v1/scheduler/jobs"]);
}

#[test]
fn a_chronos_with_credentials_wants_them_and_they_are_never_repeated() {
    let chronos = Fake::start(|asked: &Asked| {
        // user:pa:ss
        if asked.login.as_deref() == Some("Basic dXNlcjpwYTpzcw==") {
            Reply::json("[]")
        } else {
            Reply::page(401)
        }
    });
    let ask = |url: &str, more: &[&str]| chronode(&[&["import", "chronos", url], more].concat());
    let refused = ask(&chronos.url, &[]);
    assert!(err(&refused).contains("give `--user` and `--password`"), "{}", err(&refused));
    let refused = ask(&chronos.url, &["--user", "user", "--password", "wrong"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("does not let this user in"), "{}", err(&refused));
    assert!(!err(&refused).contains("wrong"));
    let url = chronos.url.replace("http://", "http://user:pa%3Ass@");
    for (url, more) in [
        (&chronos.url, &["--user", "user", "--password", "pa:ss"][..]),
        (&chronos.url, &["--http_auth", "user:pa:ss"]),
        (&url, &[]),
    ] {
        let answered = ask(url, more);
        assert_eq!(answered.status.code(), Some(0), "{answered:?}");
        assert!(!out(&answered).contains("pa:ss") && !out(&answered).contains("pa%3Ass"));
    }
    let usage = ask(&chronos.url, &["--http_auth", "nonsense"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(err(&usage).contains("`user:password`"), "{}", err(&usage));
}

#[test]
fn whatever_else_answers_is_named_with_what_to_do() {
    for (reply, part) in [
        (Reply::page(200), "it is a page of HTML; give the address of Chronos itself"),
        (Reply::json("{}"), "it is no list of jobs"),
        (Reply::json("[{]"), "it is no JSON"),
        (Reply::json(""), "it is no JSON"),
        (
            Reply::page(500),
            "answers 500 Internal Server Error to `/v1/scheduler/jobs`; look into its log",
        ),
        (
            Reply::Say(
                503,
                "application/json",
                json!({"message": "no leader\n\tat a.b.C", "status": "x"}).to_string(),
            ),
            "(`no leader`)",
        ),
        (Reply::page(404), "it is no Chronos"),
        (Reply::page(302), "sends on to somewhere else"),
        (Reply::Torn("[".to_owned()), "broke off in the middle of its list of jobs"),
        (Reply::Silence, "has not answered in time"),
    ] {
        let shown = format!("{reply:?}");
        // Only the one that never answers may be given up.
        let timeout = if matches!(reply, Reply::Silence) { "1" } else { "600" };
        let fake = Fake::start(move |_| reply.clone());
        let told = chronode(&["import", "chronos", &fake.url, "--timeout", timeout]);
        assert_eq!(told.status.code(), Some(1), "{shown}: {told:?}");
        assert!(err(&told).contains(part), "{shown}: {}", err(&told));
        assert_eq!(out(&told), "", "{shown}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = chronode(&["import", "chronos", &format!("http://{gone}")]);
    assert!(err(&told).contains("cannot reach http://127.0.0.1:"), "{}", err(&told));
    assert!(err(&told).contains("chronos-zk"), "{}", err(&told));
    for url in ["", "localhost:4400", "ftp://x", "zk://x"] {
        let told = chronode(&["import", "chronos", url]);
        assert_eq!(told.status.code(), Some(2), "{url}: {told:?}");
    }
}

#[test]
fn a_job_whose_user_the_target_does_not_let_in_is_told_before_anything_is_stored() {
    if !rustix::process::geteuid().is_root() {
        panic!("only as root does Chronode start commands as other users: run this test as root");
    }
    let of = |name: &str, user: &str| {
        let mut job = old(name, DAILY);
        job["runAsUser"] = user.into();
        job
    };
    let mut child = child(of("d.child", "nobody"), &["b.root"]);
    child["command"] = "date".into();
    let jobs = json!([of("a.nobody", "nobody"), of("b.root", "root"), of("c.nobody", ""), child]);
    let chronos = chronos("/scheduler", &jobs);
    let place = Place::new();
    let target = Server::start(&place.data(), &["--run_as", "nobody,daemon"]);
    let before: Value = json!({"name": "b.root", "schedule": "R1/2100-01-01T00:00:00Z/P1D", "command": "date",
               "owner": "", "runAsUser": "daemon"});
    target.post(&before);

    let args = ["import", "chronos", &chronos.url, "--json", "--load", "--server", &target.url];
    let told = chronode(&args);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let told = report(&told);
    assert_eq!(
        (&told["summary"]["stored"], &told["summary"]["notCarried"], &told["summary"]["refused"]),
        (&json!(1), &json!(3), &json!(0)),
        "{told:#}"
    );
    let of_job = |told: &Value, name: &str| {
        let jobs = told["jobs"].as_array().unwrap();
        jobs.iter().find(|job| job["name"] == name).unwrap().clone()
    };
    for (name, user) in [("b.root", "root"), ("c.nobody", "")] {
        let finding = of_job(&told, name)["findings"][0].clone();
        assert_eq!(
            (&finding["weight"], &finding["field"]),
            (&json!("not-carried"), &json!("runAsUser"))
        );
        assert_eq!(
            finding["chronode"],
            format!("refuses it: commands may not run as `{user}` here")
        );
        assert_eq!(finding["remedy"], "give `runAsUser` as one of nobody, daemon");
    }
    assert_eq!(of_job(&told, "d.child")["findings"][0]["field"], "parents");
    assert_eq!(of_job(&told, "a.nobody")["findings"], json!([]));
    // To ask has changed nothing.
    assert_eq!(target.get("/scheduler/job/b.root")["command"], "date");
    let names = target.get("/scheduler/jobs");
    assert_eq!(names.as_array().unwrap().len(), 2);

    // Where nobody can be asked the report says so, of jobs that name somebody.
    let directory = place.file("jobs");
    let more = ["--json", "--out", directory.to_str().unwrap()];
    for more in [&more[..1], &more] {
        let told = chronode(&[&["import", "chronos", &chronos.url], more].concat());
        assert_eq!(told.status.code(), Some(0), "{told:?}");
        let told = report(&told);
        let finding = of_job(&told, "b.root")["findings"][0].clone();
        assert_eq!(
            (&finding["weight"], &finding["field"]),
            (&json!("identical"), &json!("runAsUser"))
        );
        assert!(finding["why"].as_str().unwrap().contains("nobody has asked"), "{finding}");
        assert_eq!(of_job(&told, "c.nobody")["findings"], json!([]));
    }

    // What is no Chronode is not asked to try something out: it might do it.
    let other = Fake::start(|asked: &Asked| match asked.path.as_str() {
        "/scheduler/jobs" => Reply::json("[]"),
        _ => Reply::page(404),
    });
    let args = ["import", "chronos", &chronos.url, "--load", "--server", &other.url];
    let refused = chronode(&args);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("not like Chronode"), "{}", err(&refused));
    assert!(other.asked().iter().all(|it| it.method == "GET"));
}

/// Whoever asked for shadows must not get jobs that run.
#[test]
fn shadows_are_not_loaded_into_a_chronode_that_would_start_them() {
    let chronos = chronos("/v1/scheduler", &json!([new("a", DAILY)]));
    let target = Fake::start(|asked: &Asked| match asked.method.as_str() {
        "GET" => Reply::json("[]"),
        _ => Reply::json(
            json!({"dryRun": true, "warnings": ["unknown field `shadow` has no effect"]})
                .to_string(),
        ),
    });
    let args = ["import", "chronos", &chronos.url, "--load", "--shadow", "--server", &target.url];
    let refused = chronode(&args);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("does not know `shadow`"), "{}", err(&refused));
    assert!(
        target.asked().iter().all(|it| it.method == "GET" || it.path.ends_with("?dryRun=true"))
    );
    // One that knows the word is given it.
    let target =
        Fake::start(|asked: &Asked| match (asked.method.as_str(), asked.path.contains("dryRun")) {
            ("GET", _) => Reply::json("[]"),
            (_, true) => Reply::json(json!({"dryRun": true, "warnings": []}).to_string()),
            (_, false) => Reply::Say(204, "application/json", String::new()),
        });
    let args = ["import", "chronos", &chronos.url, "--load", "--shadow", "--server", &target.url];
    let loaded = chronode(&args);
    assert_eq!(loaded.status.code(), Some(0), "{loaded:?}");
    let sent: Value = serde_json::from_str(&target.asked().last().unwrap().body).unwrap();
    assert_eq!((&sent["name"], &sent["shadow"]), (&json!("a"), &json!(true)));
    // Files say it too.
    let place = Place::new();
    let directory = place.file("jobs");
    let args =
        ["import", "chronos", &chronos.url, "--shadow", "--out", directory.to_str().unwrap()];
    assert_eq!(chronode(&args).status.code(), Some(0));
    assert!(fs::read_to_string(directory.join("a.yaml")).unwrap().contains("\nshadow: true\n"));
}

/// A window may span many occurrences that Chronos had counted before the import.
#[test]
fn the_first_comparison_agrees_though_windows_are_wide_and_a_run_goes_on() {
    let successes = Arc::new(AtomicI64::new(4));
    let counted = successes.clone();
    let chronos = Fake::start(move |asked: &Asked| {
        let mut wide = old("wide", "R/2026-01-01T00:00:00.000Z/PT1M");
        wide["epsilon"] = "PT30M".into();
        let mut busy = old("busy", DAILY);
        busy["successCount"] = counted.load(Ordering::SeqCst).into();
        match asked.path.as_str() {
            "/scheduler/jobs" => Reply::json(json!([wide, busy]).to_string()),
            _ => Reply::page(404),
        }
    });
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let say = |words: &[&str]| chronode(&[words, &["--server", &server.url]].concat());
    let loaded = say(&["import", "chronos", &chronos.url, "--load", "--shadow"]);
    assert_eq!(loaded.status.code(), Some(0), "{loaded:?}");
    let compare = || say(&["shadow", "compare", &chronos.url, "--json"]);
    assert_eq!(compare().status.code(), Some(0), "{:?}", compare());
    // What was on its way when the job was imported is counted there later.
    successes.store(5, Ordering::SeqCst);
    assert_eq!(compare().status.code(), Some(0), "{:?}", compare());
    successes.store(6, Ordering::SeqCst);
    assert_eq!(compare().status.code(), Some(1), "{:?}", compare());
}

/// The way of a job from one scheduler to the other: planned here, compared, taken over at an instant.
#[test]
fn jobs_are_planned_beside_chronos_compared_and_taken_over_without_gap_or_double() {
    const EVERY_SECOND: &str = "R/2026-01-01T00:00:00.000Z/PT1S";
    let successes = Arc::new(AtomicI64::new(4));
    let counted = successes.clone();
    let chronos = Fake::start(move |asked: &Asked| {
        let mut quiet = old("quiet", DAILY);
        quiet["successCount"] = counted.load(Ordering::SeqCst).into();
        let after = child(old("after", DAILY), &["quiet"]);
        match asked.path.as_str() {
            "/scheduler/jobs" => {
                Reply::json(json!([old("tick", EVERY_SECOND), quiet, after]).to_string())
            }
            _ => Reply::page(404),
        }
    });
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let to = ["--server", &server.url];
    let say = |words: &[&str]| chronode(&[words, &to].concat());
    let loaded = say(&["import", "chronos", &chronos.url, "--load", "--shadow"]);
    assert_eq!(loaded.status.code(), Some(0), "{loaded:?}");
    let stretch = || server.runs("tick").into_iter().find(|entry| entry["kind"] == "stretch");
    common::wait_for("an occurrence to be planned", stretch);

    // Of what has not come due on either side there is no difference; then Chronos ran what is not due here.
    let compare = || say(&["shadow", "compare", &chronos.url, "--json"]);
    let verdict = |output: &Output, job: &str| {
        let rows = report(output);
        let row = rows.as_array().unwrap().iter().find(|row| row["job"] == job).cloned();
        row.unwrap_or_else(|| panic!("{rows}"))["verdict"].clone()
    };
    let compared = compare();
    assert_eq!(verdict(&compared, "quiet"), "agrees");
    assert_eq!(verdict(&compared, "after"), "runs after others");
    successes.store(6, Ordering::SeqCst);
    let compared = compare();
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert_eq!(verdict(&compared, "quiet"), "Chronos ran more");

    let since_1970 =
        chrono::TimeDelta::from_std(Duration::from_secs_f64(common::wall_secs() + 2.0));
    let soon = chrono::DateTime::UNIX_EPOCH + since_1970.unwrap();
    let at = soon.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let tried = say(&["shadow", "cut-over", "--at", &at, "--dry-run"]);
    assert_eq!(tried.status.code(), Some(0), "{tried:?}");
    assert!(out(&tried).starts_with("3 jobs would be launched from"), "{}", out(&tried));
    let done = say(&["shadow", "cut-over", "--at", &at, "--job", "tick"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    server.kill();
    let server = Server::start(&place.data(), &[]);
    let first = common::wait_for("a run of ours", || {
        let mut runs: Vec<Value> =
            server.runs("tick").into_iter().filter(|entry| entry["kind"] == "run").collect();
        runs.sort_by_key(|run| run["sequence"].as_u64());
        runs.into_iter().next()
    });
    let instant = |value: &Value| -> chrono::DateTime<chrono::Utc> {
        value.as_str().unwrap().parse().unwrap()
    };
    assert_eq!(
        instant(&first["trigger"]["dueAt"]),
        at.parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
    let planned: Vec<Value> = server
        .runs("tick")
        .into_iter()
        .filter(|entry| entry["kind"] == "stretch" && entry["verdict"] == "skipped")
        .filter(|entry| entry["reason"].as_str().unwrap().ends_with("(shadow)"))
        .collect();
    let last = planned.iter().map(|entry| instant(&entry["lastDueAt"])).max().unwrap();
    assert_eq!(last + chrono::TimeDelta::seconds(1), instant(&first["trigger"]["dueAt"]));

    // The same import, and the files that it wrote, do not take it back.
    let again = chronode(&[
        "import",
        "chronos",
        &chronos.url,
        "--load",
        "--shadow",
        "--only",
        "tick",
        "--server",
        &server.url,
    ]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let files = place.file("files");
    let written = ["import", "chronos", &chronos.url, "--shadow", "--out", files.to_str().unwrap()];
    assert_eq!(chronode(&written).status.code(), Some(0));
    server.kill();
    let server = Server::start(&place.data(), &["--jobs", files.to_str().unwrap()]);
    let tick = server.get("/scheduler/job/tick");
    assert!(tick["shadow"]["until"].is_string(), "{tick}");
    // And the way back is open.
    let back = chronode(&[
        "export",
        "chronos",
        "--server",
        &server.url,
        "--out",
        place.file("back").to_str().unwrap(),
    ]);
    let exported = bodies(&place.file("back"));
    assert!(exported.iter().any(|(_, body)| body["name"] == "tick"), "{back:?}");

    // What is over cannot be taken over.
    let late =
        chronode(&["shadow", "cut-over", "--at", &at, "--job", "tick", "--server", &server.url]);
    assert_eq!(late.status.code(), Some(1), "{late:?}");
    assert!(err(&late).contains("is launched already"), "{}", err(&late));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let chronos = chronos("/v1/scheduler", &json!([new("a", DAILY)]));
    let told = chronode(&["import", "chronos", &chronos.url, "--out", "/proc/none"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(err(&told).contains("cannot write `/proc/none`"), "{}", err(&told));
    let both = chronode(&["import", "chronos", &chronos.url, "--out", "x", "--load"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_list_of_thousands_of_jobs_is_read_and_written() {
    let jobs: Vec<Value> = (0..3_000).map(|n| new(&format!("job-{n}"), DAILY)).collect();
    let chronos = chronos("/v1/scheduler", &Value::Array(jobs));
    let place = Place::new();
    let directory = place.file("jobs");
    let args = ["import", "chronos", &chronos.url, "--json", "--out", directory.to_str().unwrap()];
    let told = chronode(&args);
    assert_eq!(told.status.code(), Some(0), "{}", err(&told));
    assert_eq!(report(&told)["summary"]["stored"], 3_000);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3_001);
}

/// A node of a job.
fn node(path: &str, job: &Value) -> (String, Vec<u8>) {
    let name = path.rsplit('/').next().unwrap();
    (path.to_owned(), entry(name, job.to_string().as_bytes()))
}

#[test]
fn the_state_in_zookeeper_is_read_with_and_without_credentials() {
    let zookeeper = ZooKeeper::start();
    let write = |login, nodes: &[(String, Vec<u8>)]| {
        let nodes: Vec<(&str, Vec<u8>)> =
            nodes.iter().map(|(path, data)| (path.as_str(), data.clone())).collect();
        zookeeper.write(login, &nodes);
    };
    let mut large = new("large", DAILY);
    large["description"] = "x".repeat(60_000).into();
    write(
        None,
        &[
            node("/chronos/state/state/J_plain", &new("plain", DAILY)),
            node("/chronos/state/state/J_large", &large),
            node("/chronos/state/state/J_child", &child(new("child", DAILY), &["plain"])),
            // In the limbo in which 3.x keeps a job whose parent it does not have.
            node("/chronos/state/state/J_orphan", &child(new("orphan", DAILY), &["nobody"])),
            ("/chronos/state/state/J_torn".to_owned(), b"\x0a\x05ab".to_vec()),
            ("/chronos/state/state/J_text".to_owned(), entry("J_text", b"{")),
            node("/chronos/state/state/T_ct:1893465000000:0:plain:", &new("plain", DAILY)),
            ("/chronos/state/state/frameworkId".to_owned(), entry("frameworkId", b"f")),
            ("/chronos/state/candidate/latch".to_owned(), b"host:4400".to_vec()),
        ],
    );
    let ask = |path: &str, more: &[&str]| {
        let url = format!("zk://{}{path}", zookeeper.hosts);
        chronode(&[&["import", "chronos-zk", &url, "--json"], more].concat())
    };
    for path in ["/chronos/state", "/chronos", "", "/chronos/state/state"] {
        let told = ask(path, &[]);
        assert_eq!(told.status.code(), Some(1), "{path}: {told:?}");
        let told = report(&told);
        assert_eq!(told["dialect"], "v1");
        let carried: Vec<&str> = told["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|job| job["body"].is_object())
            .map(|job| job["name"].as_str().unwrap())
            .collect();
        assert_eq!(carried, ["large", "plain", "child"], "{path}");
        assert_eq!(told["summary"]["notCarried"], 3);
        assert_eq!(
            told["pending"],
            json!([{"task": "ct:1893465000000:0:plain:", "job": "plain", "due": "2030-01-01T02:30:00Z"}])
        );
    }
    let place = Place::new();
    let directory = place.file("jobs");
    let told = ask("/chronos", &["--out", directory.to_str().unwrap()]);
    assert_eq!(report(&told)["summary"]["stored"], 3);
    let server = Server::start(&place.data(), &["--jobs", directory.to_str().unwrap()]);
    assert!(server.banner.iter().any(|line| line.contains("3 loaded, 0 unchanged, 0 refused")));

    // With an access list only its owner reads it.
    write(Some("chronos:secret"), &[node("/private/state/J_a", &old("a", DAILY))]);
    let refused = ask("/private", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("`--zk_auth user:password`"), "{}", err(&refused));
    let told = ask("/private", &["--zk_auth", "chronos:secret"]);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert_eq!(report(&told)["dialect"], "0");
    assert!(!out(&told).contains("secret"));

    let told = ask("/elsewhere", &[]);
    assert!(err(&told).contains("there is no state of Chronos at"), "{}", err(&told));
    let usage = chronode(&["import", "chronos-zk", "http://x"]);
    assert_eq!(usage.status.code(), Some(2));
    let hosts = zookeeper.hosts.clone();
    drop(zookeeper);
    let told =
        chronode(&["import", "chronos-zk", &format!("zk://{hosts}/chronos"), "--timeout", "20"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(
        err(&told).contains("cannot reach ZooKeeper") || err(&told).contains("has not answered"),
        "{}",
        err(&told)
    );
}

/// The bodies of a directory in posting order, by file name.
fn bodies(directory: &Path) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        })
        .filter(|(name, _)| name != "export-report.json")
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

#[test]
fn jobs_go_back_to_chronos_parents_first_and_what_is_lost_is_told() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "z-root", "command": "true", "schedule": "0 4 * * *", "uris": ["http://127.0.0.1:1/x"]}));
    server.post(&json!({"name": "weekdays", "command": "true", "schedule": "0 9 * * MON-FRI"}));
    server.post(&json!({"name": "secretive", "command": "true", "schedule": DAILY,
        "environmentVariables": [{"name": "TOKEN", "value": "hush", "secret": true}]}));
    let child =
        json!({"name": "a-child", "command": "true", "parents": ["z-root"], "retryDelay": "PT5M"});
    assert_eq!(server.request("POST", "/scheduler/dependency", Some(&child)).status, 204);

    let lines = chronode(&["export", "chronos", "--server", &server.url, "--dialect", "0"]);
    assert_eq!(lines.status.code(), Some(1), "{lines:?}");
    let text = out(&lines);
    let sent: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(&str, &str)> = sent
        .iter()
        .map(|line| (line["body"]["name"].as_str().unwrap(), line["endpoint"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("secretive", "/scheduler/iso8601"),
            ("z-root", "/scheduler/iso8601"),
            ("a-child", "/scheduler/dependency"),
        ]
    );
    assert_eq!(
        (&sent[1]["body"]["uris"], sent[1]["body"]["fetch"].as_array().unwrap().len()),
        (&json!([]), 1)
    );
    assert_eq!(sent[0]["body"]["environmentVariables"], json!([]));
    for part in
        ["weekdays: cannot be exported", "`TOKEN`", "retryDelay", "1 job cannot be exported"]
    {
        assert!(err(&lines).contains(part), "{part}: {}", err(&lines));
    }
    assert!(!text.contains("hush") && !err(&lines).contains("hush"));

    let directory = place.file("export");
    let args = [
        "export",
        "chronos",
        "--server",
        &server.url,
        "--only",
        "*-*",
        "--out",
        directory.to_str().unwrap(),
    ];
    let written = chronode(&args);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    only_we_can_read(&directory);
    let files = bodies(&directory);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["00001-iso8601-z-root.json", "00002-dependency-a-child.json"]);
    assert_eq!(files[0].1["uris"], json!(["http://127.0.0.1:1/x"]), "3.x unpacks them as we do");

    // What Chronos lists then comes back as the same jobs.
    let listed: Vec<Value> = files.into_iter().map(|(_, body)| body).collect();
    let chronos = chronos("/v1/scheduler", &Value::Array(listed));
    let back = chronode(&["import", "chronos", &chronos.url, "--json"]);
    assert_eq!(back.status.code(), Some(0), "{back:?}");
    let nothing = chronode(&["export", "chronos", "--server", "http://127.0.0.1:1"]);
    assert!(err(&nothing).contains("cannot reach"), "{}", err(&nothing));
}
