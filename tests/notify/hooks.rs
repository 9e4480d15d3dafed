//! Hooks, at a real receiver.

use std::time::Duration;

use base64::Engine as _;
use chronode::model::{AlertKind, NotificationKind};
use chronode::notify::{Channel, ChannelConfig, HookConfig, Secret, SendError, signature};
use serde_json::json;

use super::receiver::Receiver;
use super::sample::{about_scheduler, alert, failure, letter, to};

/// A hook on loopback, which has to be allowed.
fn hook(url: String) -> HookConfig {
    HookConfig { allow_private: true, ..HookConfig::new(url) }
}

fn webhook(url: String) -> Channel {
    let secret = Secret::new("whsec-example");
    Channel::new("hook", ChannelConfig::Webhook { hook: hook(url), secret }).unwrap()
}

#[tokio::test]
async fn http_gets_the_body_of_chronos_and_its_credentials() {
    let mut receiver = Receiver::open().await;
    let config = ChannelConfig::Http {
        hook: hook(receiver.url("/notify?team=data")),
        credentials: Some(Secret::new("chronos:pass:word")),
    };
    let channel = Channel::new("http", config).unwrap();
    assert!(channel.is_per_owner());
    let letter = failure();
    let sent = tokio::spawn(async move { channel.send(&letter).await });
    let posted = receiver.next().await;
    assert_eq!((posted.method.as_str(), posted.path.as_str()), ("POST", "/notify?team=data"));
    assert_eq!(posted.header("content-type"), Some("application/json"));
    let login = base64::engine::general_purpose::STANDARD.encode("chronos:pass:word");
    assert_eq!(posted.header("authorization"), Some(format!("Basic {login}").as_str()));
    // As Chronos writes it, order included.
    assert_eq!(
        std::str::from_utf8(&posted.body).unwrap(),
        r#"{"subject":"[prod] [Chronos] job 'nightly-report' failed!","message":"\n'2030-01-01T02:35:00.000Z'. Retries attempted: 3.\nTask id: ct:1893463200000:3:nightly-report:\nThe scheduler provided this message:\n\nCommand exited with status 1","to":"data@example.org","job":"nightly-report","command":"/opt/report/run.sh --full","cpus":"0.25","softError":"false","errorCount":"2","errorsSinceLastSuccess":"1","executor":"","executorFlags":"","lastError":"2029-12-31T02:31:05.123Z","lastSuccess":"2029-12-30T02:31:05.123Z","mem":"256.0","retries":"3","successCount":"40","uris":"https://files.example.org/a.tgz,https://files.example.org/b"}"#
    );
    posted.answer(200, &[], "thanks\r\n");
    assert_eq!(sent.await.unwrap().unwrap(), "200 thanks");
}

#[tokio::test]
async fn http_without_a_job_has_all_fields_all_the_same() {
    let mut receiver = Receiver::open().await;
    let config = ChannelConfig::Http { hook: hook(receiver.url("/")), credentials: None };
    let channel = Channel::new("http", config).unwrap();
    let lost = about_scheduler(3, AlertKind::AgentLost, "agent 3f7a-S1 is lost");
    let letter = to(letter(NotificationKind::Alert, vec![lost]), "http", "");
    let sent = tokio::spawn(async move { channel.send(&letter).await });
    let posted = receiver.next().await;
    assert_eq!(posted.header("authorization"), None);
    assert_eq!(
        posted.json(),
        json!({
            "subject": "[prod] [Chronos] agent lost: agent 3f7a-S1",
            "message": "\n'2030-01-01T02:35:00.000Z'. Agent 3f7a-S1 is lost.\n",
            "job": "", "command": "", "cpus": "0.0", "softError": "false", "errorCount": "0",
            "errorsSinceLastSuccess": "0", "executor": "", "executorFlags": "", "lastError": "", "lastSuccess": "",
            "mem": "0.0", "retries": "0", "successCount": "0", "uris": "",
        })
    );
    posted.answer(204, &[], "");
    assert_eq!(sent.await.unwrap().unwrap(), "204");
}

#[tokio::test]
async fn slack_and_mattermost_get_subject_and_body() {
    for (kind, expected) in [
        ("slack", "5 &lt; 6 &amp; &lt;!channel&gt; @here [a](http://b)"),
        ("mattermost", "5 \\< 6 & \\<!channel> @\u{200b}here [a\\](http://b)"),
    ] {
        let mut receiver = Receiver::open().await;
        let hook = hook(receiver.url("/services/T0/s3cret"));
        let config = match kind {
            "slack" => ChannelConfig::Slack(hook),
            _ => ChannelConfig::Mattermost(hook),
        };
        let channel = Channel::new(kind, config).unwrap();
        assert_eq!(channel.kind(), kind);
        assert!(!channel.is_per_owner() && !format!("{channel:?}").contains("s3cret"));
        let mut letter = failure();
        letter.alerts[0].run.as_mut().unwrap().message =
            "5 < 6 & <!channel> @here [a](http://b)".to_owned();
        let sent = tokio::spawn(async move { channel.send(&letter).await });
        let posted = receiver.next().await;
        let text = format!(
            "[prod] [Chronos] job 'nightly-report' failed!: \n'2030-01-01T02:35:00.000Z'. Retries attempted: 3.\n\
             Task id: ct:1893463200000:3:nightly-report:\nThe scheduler provided this message:\n\n{expected}"
        );
        assert_eq!(posted.json(), json!({ "text": text }));
        posted.answer(200, &[], "ok");
        assert_eq!(sent.await.unwrap().unwrap(), "200 ok");
    }
}

#[tokio::test]
async fn a_webhook_is_signed_and_keeps_its_id_when_it_is_repeated() {
    let mut receiver = Receiver::open().await;
    let channel = webhook(receiver.url("/hooks"));
    let mut bodies = Vec::new();
    for answer in [503, 200] {
        let channel = &channel;
        let letter = failure();
        let (sent, ()) = tokio::join!(channel.send(&letter), async {
            let posted = receiver.next().await;
            assert_eq!(posted.header("x-chronode-id"), Some("n12"));
            assert_eq!(posted.header("idempotency-key"), Some("n12"));
            let timestamp = posted.header("x-chronode-timestamp").unwrap();
            assert!(timestamp.parse::<i64>().unwrap() > 1_700_000_000);
            let expected = signature(b"whsec-example", timestamp, &posted.body);
            assert_eq!(posted.header("x-chronode-signature"), Some(expected.as_str()));
            bodies.push(posted.body.clone());
            posted.answer(answer, &[], "");
        });
        assert_eq!(sent.is_ok(), answer == 200, "{sent:?}");
    }
    assert_eq!(bodies[0], bodies[1]);
    let body: serde_json::Value = serde_json::from_slice(&bodies[0]).unwrap();
    assert_eq!(body["alerts"][0]["job"], "nightly-report");
    assert_eq!(body["incident"]["key"], json!({"job": "nightly-report"}));
}

#[tokio::test]
async fn what_an_answer_means() {
    let mut receiver = Receiver::open().await;
    let channel = webhook(receiver.url("/hooks/s3cret-path"));
    for (status, is_arrived, is_final) in [
        (200, true, false),
        (202, true, false),
        (204, true, false),
        (301, false, false),
        (307, false, false),
        (400, false, true),
        (401, false, true),
        (404, false, true),
        (408, false, false),
        (410, false, true),
        (422, false, true),
        (425, false, false),
        (429, false, false),
        (500, false, false),
        (502, false, false),
        (503, false, false),
    ] {
        let letter = failure();
        let (sent, ()) = tokio::join!(channel.send(&letter), async {
            let posted = receiver.next().await;
            let body = if status == 204 {
                ""
            } else {
                "<p>Cannot POST /hooks/s3cret-path\n\u{1b}[2J whsec-example"
            };
            // Where a redirect leads to is nobody's business: the message is not sent there.
            posted.answer(status, &[("Location", "/elsewhere")], body);
        });
        match sent {
            Ok(said) => assert!(is_arrived && said.starts_with(&status.to_string()), "{said}"),
            Err(SendError { is_final: found, problem }) => {
                assert!(!is_arrived && found == is_final, "{status}: {problem}");
                assert!(problem.contains(&status.to_string()), "{problem}");
                assert!(problem.contains(r"<p>Cannot POST … \u{1b}[2J …"), "{problem}");
                assert!(!problem.contains("s3cret") && !problem.contains("whsec"), "{problem}");
                assert_eq!(
                    problem.contains("redirects are not followed"),
                    status < 400,
                    "{problem}"
                );
            }
        }
        assert!(receiver.is_silent());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_read_no_further_than_needed() {
    let mut receiver = Receiver::open().await;
    let channel = webhook(receiver.url("/"));
    let letter = failure();
    let (sent, ()) = tokio::join!(channel.send(&letter), async {
        let endless =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(1_000)));
        receiver.next().await.answer(200, &[], axum::body::Body::from_stream(endless));
    });
    let said = sent.unwrap();
    assert_eq!(said.chars().count(), "200 ".len() + 200 + "…".chars().count());
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_the_time_it_may_take() {
    let mut receiver = Receiver::open().await;
    let config =
        HookConfig { time_max: Duration::from_millis(200), ..hook(receiver.url("/s3cret")) };
    let channel = Channel::new("slack", ChannelConfig::Slack(config)).unwrap();
    let error = channel.send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.starts_with("no answer in time"), "{error}");
    assert!(!error.problem.contains("s3cret"), "{error}");
    // It was there, and holds the question.
    receiver.next().await;
}

#[tokio::test]
async fn nobody_there_and_nobody_of_that_name() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = nobody.local_addr().unwrap();
    drop(nobody);
    for url in [format!("http://{at}/s3cret"), "http://hooks.invalid/s3cret".to_owned()] {
        let channel = Channel::new("slack", ChannelConfig::Slack(hook(url))).unwrap();
        let error = channel.send(&failure()).await.unwrap_err();
        assert!(!error.is_final && error.problem.starts_with("cannot connect"), "{error}");
        assert!(!error.problem.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_connected_to() {
    let mut receiver = Receiver::open().await;
    let url = format!("http://localhost:{}/hooks", receiver.at.port());
    let channel = Channel::new("slack", ChannelConfig::Slack(HookConfig::new(&url))).unwrap();
    let error = channel.send(&failure()).await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert!(
        error.problem.contains("the address of `localhost`, is this machine itself"),
        "{error}"
    );
    assert!(error.problem.contains("allow private addresses"), "{error}");
    assert!(receiver.is_silent());
    // Allowed, it arrives.
    let channel = Channel::new("slack", ChannelConfig::Slack(hook(url))).unwrap();
    let letter = failure();
    let (sent, ()) = tokio::join!(channel.send(&letter), async {
        receiver.next().await.answer(200, &[], "ok");
    });
    sent.unwrap();
}

#[tokio::test]
async fn a_hook_with_tls_must_be_vouched_for() {
    let (mut receiver, pem) = Receiver::with_certificate().await;
    let url = format!("https://{}/s3cret", receiver.at);
    let slack = |trusted_pem| {
        let hook = HookConfig { trusted_pem, ..hook(url.clone()) };
        Channel::new("slack", ChannelConfig::Slack(hook)).unwrap()
    };
    let (known, letter) = (slack(Some(pem)), failure());
    let (sent, ()) = tokio::join!(known.send(&letter), async {
        receiver.next().await.answer(200, &[], "ok");
    });
    assert_eq!(sent.unwrap(), "200 ok");
    let (_, other) = Receiver::with_certificate().await;
    let error = slack(Some(other)).send(&letter).await.unwrap_err();
    assert!(!error.is_final && error.problem.starts_with("cannot connect: "), "{error}");
    assert!(!error.problem.contains("s3cret"), "{error}");
    assert!(receiver.is_silent());
}

/// The program in docs/notifications.md.
#[tokio::test]
async fn the_documented_program_tells_signed_messages_from_others() {
    let mut receiver = Receiver::open().await;
    let channel = webhook(receiver.url("/"));
    let letter = failure();
    let (sent, (headers, body)) = tokio::join!(channel.send(&letter), async {
        let posted = receiver.next().await;
        let (headers, body) = (posted.headers.clone(), posted.body.clone());
        posted.answer(200, &[], "");
        (headers, body)
    });
    sent.unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/notifications.md")).unwrap();
    let program = document.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(program.lines().count() <= 10, "{program}");
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (timestamp, shown) = (header("x-chronode-timestamp"), header("x-chronode-signature"));
    let late = (timestamp.parse::<i64>().unwrap() - 301).to_string();
    let late_shown = signature(b"whsec-example", &late, &body);
    let forged = [&body[..], b" "].concat();
    for (is_ours, timestamp, shown, body) in [
        (true, &timestamp, &shown, &body[..]),
        (false, &timestamp, &shown, &forged[..]),
        (false, &timestamp, &signature(b"another", &timestamp, &body), &body[..]),
        (false, &late, &shown, &body[..]),
        // Well signed, and caught on the way.
        (false, &late, &late_shown, &body[..]),
    ] {
        let ask = "\nimport sys\nprint(is_ours(sys.argv[1].encode(), sys.argv[2], sys.argv[3], sys.stdin.buffer.read()))";
        let mut python = std::process::Command::new("python3")
            .args(["-c", &format!("{program}{ask}"), "whsec-example", timestamp, shown])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut python.stdin.take().unwrap(), body).unwrap();
        let said = python.wait_with_output().unwrap();
        let expected = if is_ours { "True\n" } else { "False\n" };
        assert_eq!(String::from_utf8(said.stdout).unwrap(), expected, "{timestamp} {shown}");
    }
}

#[tokio::test]
async fn a_deleted_job_has_a_subject_alone() {
    let mut deleted = alert(4, AlertKind::Deleted, "old");
    deleted.run = None;
    let letter = letter(NotificationKind::Alert, vec![deleted]);
    let text = json!({"text": "[prod] [Chronos] Your job 'old' was deleted!"});
    assert_eq!(chronode::notify::render::slack(&letter), text);
    let body = chronode::notify::render::http(&letter);
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys[..3], ["subject", "to", "job"]);
}
