//! The whole program: something happens to a job, and whoever should hears of it, once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use super::common::{Place, Server, program, wait_for};
use super::mail_server::{MailServer, header, parts};
use super::receiver::Receiver;

/// A job that is run only because it is asked for.
fn job(name: &str, owner: &str, command: &str) -> Value {
    json!({
        "name": name, "schedule": "R1/2000-01-01T00:00:00Z/PT1H", "command": command, "retries": 0, "owner": owner,
        "runbook": "https://wiki.example.org/report",
    })
}

fn run(server: &Server, name: &str) {
    let answer = server.request("PUT", &format!("/scheduler/job/{name}"), None);
    assert_eq!(answer.status, 204, "{}", answer.body);
}

fn retry(server: &Server, id: &str) {
    let answer = server.request("POST", &format!("/scheduler/notification/{id}/retry"), None);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn mail_args(port: u16) -> Vec<String> {
    let server = format!("127.0.0.1:{port}");
    ["--mail_server", &server, "--mail_from", "chronode@example.org"].map(str::to_owned).into()
}

fn start(place: &Place, args: &[String]) -> Server {
    Server::start(&place.data(), &args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The notifications, oldest first.
fn notifications(server: &Server) -> Vec<Value> {
    let page = server.get("/scheduler/notifications?limit=200");
    page["notifications"].as_array().unwrap().iter().rev().cloned().collect()
}

/// Waits until this notification says so.
fn wait_until(server: &Server, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || notifications(server).into_iter().find(|it| it["id"] == id && is_so(it)))
}

#[test]
fn a_failure_tells_each_owner_with_the_last_lines_and_what_is_next_and_a_recovery_is_one_answer() {
    let mails = MailServer::start(&[]);
    let place = Place::new();
    let mut args = mail_args(mails.port);
    args.extend(["--webui_url", "https://cron.example.org"].map(str::to_owned));
    let server = start(&place, &args);
    let broken = "echo figures of Germany; echo no figures for France >&2; exit 3";
    server.post(&job("report", "ada@example.org, grace@example.org", broken));
    run(&server, "report");
    let mut roots = BTreeMap::new();
    for _ in 0..2 {
        let mail = mails.next();
        assert_eq!(header(&mail, "Subject"), Some("[Chronos] job 'report' failed!"));
        let (plain, html) = parts(&mail);
        let id = server.ended_run("report")["id"].as_str().unwrap().to_owned();
        for said in [
            "no figures for France",
            &format!("https://cron.example.org/#/run/{id}"),
            "https://cron.example.org/#/job/report",
            "https://wiki.example.org/report",
        ] {
            assert!(plain.contains(said), "{said}: {plain}");
        }
        assert!(html.contains("no figures for France"), "{html}");
        let to = mail["recipients"][0].as_str().unwrap().to_owned();
        roots.insert(to, header(&mail, "References").unwrap_or_default().to_owned());
    }
    let owners: Vec<&String> = roots.keys().collect();
    assert_eq!(owners, ["ada@example.org", "grace@example.org"]);

    // It fails once more: nobody hears of it, and it is counted.
    run(&server, "report");
    let incident = wait_for("the second failure to be counted", || {
        let page = server.get("/scheduler/incidents?job=report");
        page["incidents"].get(0).filter(|it| it["alerts"] == 2).cloned()
    });
    assert_eq!((&incident["untold"], &incident["kind"]), (&json!(1), &json!("failed")));
    assert!(mails.is_silent());

    server.post(&job("report", "ada@example.org, grace@example.org", "true"));
    run(&server, "report");
    for _ in 0..2 {
        let mail = mails.next();
        assert_eq!(header(&mail, "Subject"), Some("Re: [Chronos] job 'report' failed!"));
        let root = &roots[mail["recipients"][0].as_str().unwrap()];
        assert!(header(&mail, "References").unwrap().contains(root), "one thread");
    }
    wait_for("everything to have arrived", || {
        let all = notifications(&server);
        (all.len() == 4 && all.iter().all(|it| it["state"] == "delivered")).then_some(())
    });
    let closed = server.get("/scheduler/incidents?state=closed");
    assert_eq!(closed["incidents"][0]["state"], "closed");
    assert_eq!(server.get("/scheduler/incidents")["total"], 0);
    assert!(mails.is_silent());
}

#[test]
fn a_dead_mail_server_holds_up_no_run_is_itself_reported_and_costs_nothing_but_delay() {
    // Nobody listens there, until later.
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    drop(held);
    let place = Place::new();
    let told = place.file("told");
    let script = place.file("tell");
    let text = format!(
        "#!/bin/sh\necho \"$CHRONODE_NOTIFICATION $CHRONODE_ALERT\" >> {}\n",
        told.display()
    );
    std::fs::write(&script, text).unwrap();
    executable(&script);
    let mut args = mail_args(port);
    args.extend(["--notification_command".to_owned(), script.to_str().unwrap().to_owned()]);
    let server = start(&place, &args);
    server.post(&job("report", "ada@example.org", "exit 3"));
    server.post(&job("other", "", "true"));
    run(&server, "report");
    assert_eq!(server.ended_run("report")["verdict"], "failed");
    run(&server, "other");
    assert_eq!(server.ended_run("other")["verdict"], "succeeded");
    let is_mail = |it: &Value| it["channel"] == "mail";
    let mail = wait_for("the mail to be made", || notifications(&server).into_iter().find(is_mail));
    let id = mail["id"].as_str().unwrap();
    for tries in 1..=3 {
        let tried = wait_until(&server, id, "the next try", |it| it["tries"] == tries);
        let problem = tried["problem"].as_str().unwrap();
        assert!(problem.contains("127.0.0.1"), "{problem}");
        assert_eq!(tried["state"], "due");
        if tries < 3 {
            retry(&server, id);
        }
    }
    // What is wrong with mail is told by something else.
    wait_for("the trouble to be told", || {
        place.lines("told").iter().any(|line| line.ends_with(" channelTrouble")).then_some(())
    });
    let channels = server.get("/scheduler/channels");
    let mail =
        &channels["channels"].as_array().unwrap().iter().find(|it| it["name"] == "mail").unwrap();
    assert!(mail["failingSince"].is_string() && mail["due"] == 1, "{mail}");

    let mails = MailServer::start(&["--port", &port.to_string()]);
    retry(&server, id);
    let arrived = mails.next();
    assert_eq!(header(&arrived, "Subject"), Some("[Chronos] job 'report' failed!"));
    wait_until(&server, id, "the mail to have arrived", |it| it["state"] == "delivered");
    wait_for("the trouble to be over", || {
        let open = server.get("/scheduler/incidents");
        let open = open["incidents"].as_array().unwrap();
        open.iter().all(|it| it["kind"] != "channelTrouble").then_some(())
    });
    assert!(mails.is_silent(), "it came once");
}

#[test]
fn what_was_on_its_way_when_the_process_was_killed_comes_again_under_the_same_id() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut receiver = runtime.block_on(Receiver::open());
    let place = Place::new();
    let args: Vec<String> = [
        "--webhook_url",
        &receiver.url("/hook"),
        "--webhook_secret",
        "whsec-example",
        "--notification_private_addresses",
    ]
    .map(str::to_owned)
    .into();
    let server = start(&place, &args);
    server.post(&job("report", "", "exit 3"));
    run(&server, "report");
    let first = runtime.block_on(receiver.next());
    let id = first.header("x-chronode-id").unwrap().to_owned();
    // It has it, and has not said so.
    server.kill();
    drop(first);
    let server = start(&place, &args);
    let again = loop {
        let posted = runtime.block_on(receiver.next());
        // That another process leads is told, too.
        if posted.header("x-chronode-id") == Some(&id) {
            break posted;
        }
        posted.answer(204, &[], "");
    };
    assert_eq!(again.json()["incident"]["id"], "i1");
    again.answer(204, &[], "");
    let found = wait_until(&server, &id, "it to have arrived", |it| it["state"] == "delivered");
    assert_eq!(found["tries"], 1, "the try that died with the process is not counted");
    server.terminate();
    // After another start nothing is said of it again.
    let server = start(&place, &args);
    wait_for("nothing to be pending", || {
        while let Some(posted) = receiver.at_once() {
            assert_ne!(posted.header("x-chronode-id"), Some(id.as_str()));
            posted.answer(204, &[], "");
        }
        (server.get("/scheduler/notifications?state=pending")["total"] == 0).then_some(())
    });
}

#[test]
fn a_thousand_failures_are_a_handful_of_messages_with_everything_in_them() {
    let mails = MailServer::start(&[]);
    let place = Place::new();
    let server = start(&place, &mail_args(mails.port));
    let owners =
        ["ada", "grace", "edsger", "barbara", "donald"].map(|it| format!("{it}@example.org"));
    let jobs: Vec<Value> = (0..1_000)
        .map(|number| {
            let mut job = job(&format!("load-{number:03}"), &owners[number % 5], "exit 3");
            job["schedule"] = "R1//PT1H".into();
            job
        })
        .collect();
    let answer = server.request("POST", "/scheduler/apply", Some(&json!({"jobs": jobs})));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = wait_for("a thousand failures", || {
        let counts = server.get("/scheduler/incidents?limit=1")["counts"].clone();
        (counts["open"] == 1_000).then(|| notifications(&server))
    });
    for owner in &owners {
        let its: Vec<&Value> = all.iter().filter(|it| it["recipient"] == **owner).collect();
        let digests = its.iter().filter(|it| it["kind"] == "digest").count();
        assert_eq!((its.len(), digests), (6, 1), "{owner}");
        let told: u64 = its.iter().map(|it| it["alerts"].as_u64().unwrap()).sum();
        assert_eq!(told, 200, "{owner}: nothing is left out");
    }
    assert_eq!(all.len(), 30);
    // The five of each are sent at once, and the digest is held.
    let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..25 {
        let mail = mails.next();
        let subject = header(&mail, "Subject").unwrap().to_owned();
        sent.entry(mail["recipients"][0].as_str().unwrap().to_owned()).or_default().insert(subject);
    }
    assert!(sent.len() == 5 && sent.values().all(|subjects| subjects.len() == 5), "{sent:?}");
    wait_for("all but the digests to have arrived", || {
        let counts = server.get("/scheduler/notifications?limit=1")["counts"].clone();
        (counts == json!({"held": 5, "due": 0, "delivered": 25, "givenUp": 0})).then_some(())
    });
    assert!(mails.is_silent());
}

#[test]
fn channels_are_tried_and_what_came_of_it_is_said() {
    let mails = MailServer::start(&[]);
    let place = Place::new();
    let mut args = mail_args(mails.port);
    args.extend(["--operators", "ops@example.org,refused@example.org"].map(str::to_owned));
    let server = start(&place, &args);
    let answer = server.request("POST", "/scheduler/channels/test", None);
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let results = answer["results"].as_array().unwrap();
    let brief: Vec<_> = results.iter().map(|it| (&it["recipient"], &it["arrived"])).collect();
    let expected = [("ops@example.org", true), ("refused@example.org", false)];
    assert_eq!(brief.len(), 2);
    for ((recipient, arrived), expected) in brief.into_iter().zip(expected) {
        assert_eq!((recipient, arrived), (&json!(expected.0), &json!(expected.1)));
    }
    assert!(results[1]["problem"].as_str().unwrap().contains("No such user here"), "{answer}");
    assert_eq!(mails.next()["recipients"], json!(["ops@example.org"]));
    assert_eq!(server.get("/scheduler/notifications")["total"], 0, "it is no notification");
}

#[test]
fn the_command_that_tries_channels_tells_what_arrived_and_fails_unless_all_did() {
    let mails = MailServer::start(&[]);
    let place = Place::new();
    let mut args = mail_args(mails.port);
    // No mail server takes that for a name.
    args.extend(["--hostname", "cron_1"].map(str::to_owned));
    args.extend(["--operators", "ops@example.org,refused@example.org"].map(str::to_owned));
    let server = start(&place, &args);
    let test = |more: &[&str]| {
        let words = [&["notify", "test", "--server", &server.url], more].concat();
        let output = Command::new(program()).args(words).env_clear().output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = test(&[]);
    let lines: Vec<&str> = out.lines().collect();
    let [arrived, refused] = lines[..] else { panic!("{out}{err}") };
    assert!(arrived.starts_with("mail to ops@example.org arrived: "), "{out}");
    assert!(refused.starts_with("mail to refused@example.org did not arrive: "), "{out}");
    assert!(refused.contains("No such user here"), "{out}");
    assert!(err.contains("1 of 2 messages did not arrive"), "{err}");
    assert_eq!(code, Some(1));
    let mail = mails.next();
    assert_eq!(mail["recipients"], json!(["ops@example.org"]));
    assert_eq!(mail["hello"], "[127.0.0.1]");

    let (code, out, err) = test(&["--channel=mail", "--recipient=ada@example.org"]);
    assert!(out.starts_with("mail to ada@example.org arrived: "), "{out}");
    assert_eq!((code, out.lines().count(), err.as_str()), (Some(0), 1, ""));
    assert_eq!(mails.next()["recipients"], json!(["ada@example.org"]));
    assert!(mails.is_silent());
    let (code, out, err) = test(&["--channel=pager"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("no channel `pager` is configured: name one of mail"), "{err}");
}

fn executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_job_that_is_late_is_told_of_although_nothing_else_happens() {
    let mails = MailServer::start(&[]);
    let place = Place::new();
    let server = start(&place, &mail_args(mails.port));
    let mut slow = job("slow", "ada@example.org", "sleep 600");
    slow["expectedDuration"] = "PT1S".into();
    server.post(&slow);
    run(&server, "slow");
    let mail = mails.next();
    assert_eq!(header(&mail, "Subject"), Some("[Chronos] job 'slow' runs too long"));
    let (plain, _) = parts(&mail);
    assert!(plain.contains("PT1S") || plain.contains("1s"), "{plain}");
    let answer = server.request("DELETE", "/scheduler/task/kill/slow", None);
    assert_eq!(answer.status, 204);
    assert!(server.ended_run("slow")["verdict"].is_string());
}
