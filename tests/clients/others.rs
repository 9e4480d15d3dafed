//! What other clients of Chronos send, and what each needs back. They are written in languages whose tools are not
//! here, so their requests are replayed as bytes; which parts of an answer a client reads is its own code's word.

use serde_json::{Value, json};

use super::common::{Place, Server, wait_for, wall_secs};
use super::raw::{Raw, send};

const JSON: &str = "Content-Type: application/json";

fn start(place: &Place) -> Server {
    Server::start(&place.data(), &[])
}

fn post(server: &Server, path: &str, body: &Value) -> Raw {
    send(server, &format!("POST {path}"), &[JSON], &body.to_string())
}

fn add(server: &Server, path: &str, body: &Value) {
    let answer = post(server, path, body);
    assert!(answer.is_done(), "{body}: {answer:?}");
}

fn get(server: &Server, path: &str) -> Raw {
    let answer = send(server, &format!("GET {path}"), &["Accept: application/json"], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn list(server: &Server, path: &str) -> Vec<Value> {
    serde_json::from_str(&get(server, path).body).unwrap()
}

fn names(jobs: &[Value]) -> Vec<&str> {
    jobs.iter().map(|job| job["name"].as_str().unwrap()).collect()
}

/// A job that never runs by itself.
fn quiet(name: &str, command: &str) -> Value {
    json!({"name": name, "command": command, "owner": "", "schedule": "R/2099-01-01T00:00:00Z/P1D"})
}

/// The messages of clients come from here, so it must be JSON with a text.
fn refused(answer: &Raw) -> String {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (400, Some("application/json")),
        "{answer:?}"
    );
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

/// Yelp's PaaSTA, on the paths of 2.x.
#[test]
fn paasta() {
    let place = Place::new();
    let server = start(&place);
    let description = "d41d8cd98f00b204e9800998ecf8427e \u{e9}\u{2028}\\\" \t end ";
    let mut job = json!({
        "name": "service instance", "command": "true", "schedule": "R/2099-03-01T10:00:00Z/PT1H",
        "scheduleTimeZone": null, "epsilon": "PT60S", "retries": 2, "async": false, "cpus": 5.5, "mem": 1024.4,
        "disk": 1234.5, "constraints": [], "environmentVariables": [{"name": "PAASTA_SERVICE", "value": "service"}],
        "uris": ["file:///root/.dockercfg"], "shell": true, "owner": "team", "disabled": false,
        "description": description,
    });
    add(&server, "/scheduler/iso8601", &job);
    let jobs = list(&server, "/scheduler/jobs");
    assert_eq!(names(&jobs), ["service instance"]);
    for field in [
        "description",
        "schedule",
        "environmentVariables",
        "uris",
        "cpus",
        "mem",
        "disk",
        "disabled",
    ] {
        assert_eq!(jobs[0][field], job[field], "{field}");
    }
    assert_eq!((&jobs[0]["lastSuccess"], &jobs[0]["lastError"]), (&json!(""), &json!("")));

    // Its fork of Chronos knows expressions of cron.
    job["name"] = json!("service nightly");
    job["schedule"] = json!("15 4 * * *");
    job["scheduleTimeZone"] = json!("America/Los_Angeles");
    add(&server, "/scheduler/iso8601", &job);

    // A rerun: once, now, under a name of its own.
    let rerun = "tmp-2026-01-01T101010.123456 service instance";
    job["name"] = json!(rerun);
    job["schedule"] = json!("R1//PT1M");
    job["scheduleTimeZone"] = json!(null);
    job["uris"] = json!([]);
    add(&server, "/scheduler/iso8601", &job);
    let path = "/scheduler/jobs/search?name=tmp-2026-01-01T101010.123456%20service";
    let ended = wait_for("the rerun to succeed", || {
        list(&server, path).into_iter().find(|job| job["lastSuccess"] != "")
    });
    let at = ended["lastSuccess"].as_str().unwrap();
    assert!(at.len() == "2026-01-01T10:10:10.123Z".len() && at.ends_with('Z'), "{at}");
    // The name of the job is the fourth part of a task's id.
    let stat =
        get(&server, "/scheduler/job/stat/tmp-2026-01-01T101010.123456%20service%20instance");
    let stat: Value = serde_json::from_str(&stat.body).unwrap();
    let task = stat["taskStatHistory"][0]["taskId"].as_str().unwrap();
    assert_eq!(task.split(':').nth(3), Some(rerun), "{task}");
    assert!(stat["histogram"]["99thPercentile"].is_f64(), "{stat}");

    // A job whose parent is not there is tried again later.
    let child = json!({"name": "service child", "command": "true", "parents": ["service other"], "owner": "team",
                       "async": false, "disabled": false, "scheduleTimeZone": null});
    assert!(
        refused(&post(&server, "/scheduler/dependency", &child))
            .contains("does not have all parents defined")
    );

    let csv = get(&server, "/scheduler/graph/csv");
    assert_eq!(csv.header("content-type"), Some("text/plain"));
    let rows: Vec<Vec<&str>> = csv.body.lines().map(|row| row.split(',').collect()).collect();
    let row = rows.iter().find(|row| row[..2] == ["node", rerun]).unwrap();
    assert_eq!(row[2..], ["success", "idle"]);
    let metrics: Value = serde_json::from_str(&get(&server, "/metrics").body).unwrap();
    let gauge = "org.apache.mesos.chronos.scheduler.jobs.TaskManager.queueSize";
    assert!(metrics["gauges"][gauge]["value"].is_u64(), "{metrics}");
}

/// `bin/chronos-sync.rb` of Chronos itself, on those of 3.x.
#[test]
fn chronos_sync() {
    let place = Place::new();
    // Pre-emptively, as `--http-auth sync:<password>` does.
    let basic = "Authorization: Basic c3luYzpjb3JyZWN0IGhvcnNl";
    let server = Server::start(&place.data(), &["--http_credentials", "sync:correct horse"]);
    let call = |line: &str, body: &str| send(&server, line, &[JSON, basic], body);
    assert_eq!(call("GET /v1/scheduler/jobs", "").body, "[]");
    let mut job = quiet("a.job", "printf 'a\\nb'");
    job["description"] = json!("of\ntwo lines");
    assert!(call("POST /v1/scheduler/iso8601", &job.to_string()).is_done());
    let child = json!({"name": "b.job", "command": "true", "parents": ["a.job"], "owner": ""});
    assert!(call("POST /v1/scheduler/dependency", &child.to_string()).is_done());
    // It reads one line.
    let jobs = call("GET /v1/scheduler/jobs", "").body;
    assert_eq!(jobs.lines().count(), 1);
    let jobs: Vec<Value> = serde_json::from_str(jobs.lines().next().unwrap()).unwrap();
    assert_eq!(names(&jobs), ["a.job", "b.job"]);
    // What it demands of its own files, which it can write from this list.
    for field in ["name", "command", "owner", "cpus", "disk", "mem", "runAsUser"] {
        assert!(jobs.iter().all(|job| job.get(field).is_some()), "{field}");
    }
    assert!(
        jobs[0]["schedule"].as_str().unwrap().starts_with("R/2099-01-01T00:00:00Z/"),
        "a start that is not empty"
    );
    // What it read it may send again, also what nobody but us prints; nothing changes.
    for (path, job) in [("iso8601", &jobs[0]), ("dependency", &jobs[1])] {
        assert!(call(&format!("POST /v1/scheduler/{path}"), &job.to_string()).is_done());
    }
    let again: Vec<Value> = serde_json::from_str(&call("GET /v1/scheduler/jobs", "").body).unwrap();
    assert_eq!(again, jobs);
    for name in ["b.job", "a.job"] {
        assert!(call(&format!("DELETE /v1/scheduler/job/{name}"), "").is_done());
    }
    let stranger = send(&server, "GET /v1/scheduler/jobs", &[], "");
    assert_eq!(stranger.status, 401);
    assert!(
        stranger.header("www-authenticate").unwrap().starts_with("Basic realm="),
        "{stranger:?}"
    );
}

/// Yieldbot's client in Go: any 2xx is success, and the body of an error says whether the job was not found.
#[test]
fn yieldbot() {
    let place = Place::new();
    let server = start(&place);
    add(&server, "/scheduler/iso8601", &quiet("known", "true"));
    for (line, is_found) in [
        ("PUT /scheduler/job/known", true),
        ("DELETE /scheduler/task/kill/known", true),
        ("DELETE /scheduler/job/known", true),
        ("PUT /scheduler/job/known", false),
        ("DELETE /scheduler/task/kill/known", false),
        ("DELETE /scheduler/job/known", false),
    ] {
        let answer = send(&server, line, &[], "");
        assert_eq!((200..300).contains(&answer.status), is_found, "{line}: {answer:?}");
        assert_eq!(answer.body.contains("not found"), !is_found, "{line}: {answer:?}");
    }
    // What is wrong with a body is no "not found".
    let mut bad = quiet("bad", "true");
    bad["schedule"] = json!("sometimes");
    assert!(!refused(&post(&server, "/scheduler/iso8601", &bad)).contains("not found"));
}

/// behance/go-chronos and axelspringer's fork: a body is decoded wherever its length is not zero.
#[test]
fn go_chronos() {
    let place = Place::new();
    let server = start(&place);
    for p in ["/scheduler", "/v1/scheduler"] {
        // It looks at the list before anything else.
        assert_eq!(get(&server, &format!("{p}/jobs")).body, "[]");
        let mut job = quiet("a", "echo");
        add(&server, &format!("{p}/iso8601"), &job);
        // Run now, and never again.
        for schedule in ["R1//PT2M", "R0//PT0M"] {
            job["schedule"] = json!(schedule);
            add(&server, &format!("{p}/iso8601"), &job);
        }
        // With arguments, as parameters of its own making.
        assert!(send(&server, &format!("PUT {p}/job/a?arguments=one&b=two"), &[], "").is_done());
        assert_eq!(names(&list(&server, &format!("{p}/jobs/search?name=a"))), ["a"]);
        assert!(send(&server, &format!("DELETE {p}/task/kill/a"), &[], "").is_done());
        assert!(send(&server, &format!("DELETE {p}/job/a"), &[], "").is_done());
    }
}

/// Guidewire's client in Scala, of 2013.
#[test]
fn guidewire() {
    let place = Place::new();
    let server = start(&place);
    let ping = send(&server, "GET /ping", &[], "");
    assert_eq!((ping.status, ping.body.trim()), (200, "pong"));
    let job = json!({"name": "SAMPLE_JOB1", "command": "true", "schedule": "R10/2099-10-01T05:52:00Z/PT2S",
                     "epsilon": "PT15M", "owner": "me@example.org", "async": false, "executor": "",
                     "executorFlags": "", "retries": 2});
    add(&server, "/scheduler/iso8601", &job);
    let child = json!({"name": "SAMPLE_JOB2", "command": "true", "parents": ["SAMPLE_JOB1"], "epsilon": "PT15M",
                       "owner": "me@example.org", "async": false});
    add(&server, "/scheduler/dependency", &child);
    let dot = get(&server, "/scheduler/graph/dot");
    let expected = "digraph G {\n  1 [ label=\"SAMPLE_JOB1\" ];\n  2 [ label=\"SAMPLE_JOB2\" ];\n  1 -> 2;\n}\n";
    assert_eq!((dot.header("content-type"), dot.body.as_str()), (Some("text/plain"), expected));
    // A run is asked for with a body that says nothing.
    assert!(send(&server, "PUT /scheduler/job/SAMPLE_JOB2", &[JSON], "\"\"").is_done());
    let answer = send(
        &server,
        "PUT /scheduler/task/my_job_run_555_882083xkj302",
        &[JSON],
        r#"{"statusCode":0}"#,
    );
    assert!(answer.is_done(), "{answer:?}");
    for line in ["DELETE /scheduler/task/kill/SAMPLE_JOB1", "DELETE /scheduler/job/SAMPLE_JOB1"] {
        assert!(send(&server, line, &[], "").is_done());
    }
    // It was not there: 400, and nothing else.
    let gone = send(&server, "DELETE /scheduler/job/SAMPLE_JOB1", &[], "");
    assert!(refused(&gone).ends_with("'SAMPLE_JOB1' not found"));
}

/// indigo-dc's client in Java, and LREN's woken in Scala: a job is found by searching.
#[test]
fn indigo() {
    let place = Place::new();
    let server = start(&place);
    for name in ["indigo", "indigo-2", "other"] {
        add(&server, "/v1/scheduler/iso8601", &quiet(name, "true"));
    }
    assert_eq!(
        names(&list(&server, "/v1/scheduler/jobs/search?name=indigo")),
        ["indigo", "indigo-2"]
    );
    assert_eq!(names(&list(&server, "/v1/scheduler/jobs/search?name=nobody")), [""; 0]);
    let job: Value = serde_json::from_str(&get(&server, "/v1/scheduler/job/indigo").body).unwrap();
    assert_eq!(job["name"], "indigo");
    assert!(send(&server, "DELETE /v1/scheduler/job/indigo", &["Accept: */*"], "").is_done());
    let gone = send(&server, "GET /v1/scheduler/job/indigo", &[], "");
    assert_eq!(refused(&gone), "Job 'indigo' not found");
}

/// erda: the summary, a state with a number in front, escaped names.
#[test]
fn erda() {
    let place = Place::new();
    let server = start(&place);
    let release = place.file("release");
    let command = format!("until [ -e {} ]; do sleep 0.02; done", release.display());
    let mut job = quiet("erda.job-1", &command);
    job["retries"] = json!(0);
    add(&server, "/v1/scheduler/iso8601", &job);
    let summary = || {
        let text = get(&server, "/v1/scheduler/jobs/summary").body;
        serde_json::from_str::<Value>(&text).unwrap()["jobs"][0].clone()
    };
    let fresh = json!({"name": "erda.job-1", "status": "fresh", "state": "idle", "parents": [], "disabled": false,
                       "schedule": "R/2099-01-01T00:00:00Z/P1D"});
    assert_eq!(summary(), fresh);
    assert!(send(&server, "PUT /v1/scheduler/job/erda%2Ejob%2D1", &[], "").is_done());
    let running = wait_for("it to run", || Some(summary()).filter(|job| job["state"] != "queued"));
    assert_eq!(
        running["state"].as_str().and_then(|state| state.strip_prefix("1 ")),
        Some("running")
    );
    std::fs::write(&release, "").unwrap();
    let ended = wait_for("it to end", || Some(summary()).filter(|job| job["state"] == "idle"));
    assert_eq!(ended["status"], "success");
}

/// trivago's chapi in PHP, Topface's Ansible module: 204 and no other 2xx, and fields that come back as they were.
#[test]
fn chapi_and_ansible() {
    let place = Place::new();
    let server = start(&place);
    let mut job = json!({
        "name": "chapi.job", "command": "echo hello", "description": "d", "owner": "o@example.org", "ownerName": "o",
        "schedule": "R/2099-01-01T00:00:00Z/P1D", "scheduleTimeZone": "Europe/Berlin", "epsilon": "PT5M",
        "executor": "", "executorFlags": "", "shell": true, "retries": 1, "async": false, "cpus": 0.3, "mem": 20.0,
        "disk": 40.0, "disabled": true, "softError": false, "dataProcessingJobType": false, "arguments": ["a b"],
        "fetch": [{"uri": "http://host/a.tgz", "executable": false, "cache": true, "extract": true}],
        "environmentVariables": [{"name": "A", "value": "b"}], "highPriority": false, "runAsUser": "",
        "constraints": [["hostname", "LIKE", ".*"]],
    });
    add(&server, "/scheduler/iso8601", &job);
    let jobs = list(&server, "/scheduler/jobs");
    // Who gives no user gets the default.
    job.as_object_mut().unwrap().remove("runAsUser");
    for (field, value) in job.as_object().unwrap() {
        assert_eq!(jobs[0][field], *value, "{field}");
    }
    // The list fills in the old field, and what it says can be sent back.
    assert_eq!(jobs[0]["uris"], json!(["http://host/a.tgz"]));
    add(&server, "/scheduler/iso8601", &jobs[0]);
    assert_eq!(list(&server, "/scheduler/jobs")[0]["fetch"], jobs[0]["fetch"]);
    let put = send(&server, "PUT /scheduler/iso8601", &[JSON], &job.to_string());
    assert!(put.is_done(), "{put:?}");
}

/// The providers for Terraform: what exists is what the whole list has, blanks and all.
#[test]
fn terraform() {
    let place = Place::new();
    let server = start(&place);
    add(&server, "/scheduler/iso8601", &quiet("my job", "true"));
    let child = json!({"name": "my other job", "command": "true", "parents": ["my job"]});
    add(&server, "/scheduler/dependency", &child);
    for p in ["/scheduler", "/v1/scheduler"] {
        let jobs = list(&server, &format!("{p}/jobs"));
        assert_eq!(names(&jobs), ["my job", "my other job"]);
        assert_eq!(jobs[1]["parents"], json!(["my job"]));
    }
    assert!(send(&server, "DELETE /scheduler/job/my%20job", &[], "").is_done());
    assert_eq!(names(&list(&server, "/scheduler/jobs")), ["my other job"]);
}

/// Puppet's `chronos_job`: of a schedule only the last part is compared, and it is there.
#[test]
fn puppet() {
    let place = Place::new();
    let server = start(&place);
    for p in ["/scheduler", "/v1/scheduler"] {
        add(&server, &format!("{p}/iso8601"), &quiet("puppet", "true"));
        let jobs = list(&server, &format!("{p}/jobs"));
        assert_eq!(jobs[0]["schedule"].as_str().unwrap().rsplit('/').next(), Some("P1D"));
    }
}

/// `curl -L -H 'Content-Type: application/json' -X POST -d@job.json`, as tutorials have it.
#[test]
fn curl() {
    let place = Place::new();
    let server = start(&place);
    let file = place.file("job.json");
    // `-d@` takes the line breaks out.
    let pretty = serde_json::to_string_pretty(&quiet("from-a-file", "true")).unwrap();
    std::fs::write(&file, &pretty).unwrap();
    let body = std::fs::read_to_string(&file).unwrap().replace('\n', "");
    for path in ["/scheduler/iso8601", "/v1/scheduler/iso8601"] {
        let headers = ["User-Agent: curl/7.88.1", "Accept: */*", JSON];
        assert!(send(&server, &format!("POST {path}"), &headers, &body).is_done());
    }
    // Without the header it is a form, which is told.
    let form = "Content-Type: application/x-www-form-urlencoded";
    let answer =
        send(&server, "POST /scheduler/iso8601", &["User-Agent: curl/7.88.1", form], &body);
    assert_eq!(answer.status, 415);
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(told["remedy"].as_str().unwrap().contains("Content-Type: application/json"), "{told}");
    assert!(
        send(&server, "DELETE /scheduler/job/from-a-file", &["User-Agent: curl/7.88.1"], "")
            .is_done()
    );
}

/// Jepsen's test of Chronos: a number for a name, a few runs that begin within their windows.
#[test]
fn jepsen() {
    const COUNT: usize = 3;
    let place = Place::new();
    let server = start(&place);
    let log = place.file("log");
    let start = wall_secs().ceil() + 1.0;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let at = jiff::Timestamp::from_second(start as i64).unwrap();
    let job = json!({
        "name": 36, "command": format!("date +%s.%N >> {}", log.display()), "schedule": format!("R{COUNT}/{at}/PT1S"),
        "scheduleTimeZone": "UTC", "owner": "jepsen@jepsen.io", "epsilon": "PT600S", "mem": 1, "disk": 1,
        "cpus": 0.001, "async": false,
    });
    add(&server, "/scheduler/iso8601", &job);
    assert_eq!(names(&list(&server, "/scheduler/jobs")), ["36"]);
    let over = || list(&server, "/scheduler/jobs").into_iter().find(|job| job["disabled"] == true);
    wait_for("its schedule to be used up", over);
    // No run begins before its instant, none twice; which of them there are is not for a slow machine to say.
    let begun: Vec<f64> = place.lines("log").iter().map(|line| line.parse().unwrap()).collect();
    assert!((1..=COUNT).contains(&begun.len()) && begun[0] >= start, "{start}: {begun:?}");
}
