//! Mail, at a real server.

use std::time::Duration;

use chronode::model::{AlertKind, NotificationKind};
use chronode::notify::{Channel, ChannelConfig, Encryption, Letter, MailConfig, Secret, SendError};
use expect_test::expect_file;
use tokio::net::TcpListener;

use super::mail_server::{MailServer, header, parts, raw};
use super::sample::{alert, at, failure, failures, letter, to};

fn mailed(config: MailConfig) -> Channel {
    Channel::new("mail", ChannelConfig::Mail(config)).unwrap()
}

fn recipient(who: &str) -> Letter {
    to(failure(), "mail", who)
}

fn login(user: &str, password: &str) -> Option<(String, Secret)> {
    Some((user.to_owned(), Secret::new(password)))
}

const USER: [&str; 4] = ["--user", "chronode", "--password", "hunter22"];

fn with_user<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &USER].concat()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    assert_eq!((channel.kind(), channel.to()), ("mail", format!("127.0.0.1:{}", server.port)));
    assert_eq!(channel.send(&failure()).await.unwrap(), "250 2.0.0 Ok: stored");
    let mail = server.next();
    assert_eq!(mail["sender"], "chronode@example.org");
    assert_eq!(mail["recipients"], serde_json::json!(["data@example.org"]));
    assert_eq!(mail["encrypted"], false);
    expect_file!["received.txt"].assert_eq(&raw(&mail).replace("\r\n", "\n"));
    assert_eq!(header(&mail, "Subject"), Some("[prod] [Chronos] job 'nightly-report' failed!"));
    assert_eq!(header(&mail, "Date"), Some("Tue, 01 Jan 2030 02:35:00 +0000"));
    assert_eq!(header(&mail, "Auto-Submitted"), Some("auto-generated"));
    assert_eq!(header(&mail, "X-Auto-Response-Suppress"), Some("All"));
    assert_eq!(header(&mail, "List-Id"), Some("Chronode <alerts.prod.cron.example.org>"));
    let (plain, html) = parts(&mail);
    assert!(plain.starts_with("'2030-01-01T02:35:00.000Z'. Retries attempted: 3.\n"), "{plain}");
    for said in ["größe.csv: <missing> column", "https://cron.example.org/#/job/nightly-report"] {
        assert!(plain.contains(said), "{said}: {plain}");
    }
    assert!(html.contains("größe.csv: &lt;missing&gt; column &quot;total&quot;"), "{html}");
    assert!(html.contains("<a href=\"https://wiki.example.org/runbooks/nightly\">Runbook</a>"));
    assert!(server.is_silent());
}

#[tokio::test]
async fn a_mail_that_is_sent_twice_is_the_same_mail() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let mut again = failure();
    again.notification.tries = 3;
    again.notification.problem = "no answer in time".to_owned();
    for letter in [failure(), again] {
        channel.send(&letter).await.unwrap();
    }
    let (first, second) = (server.next(), server.next());
    assert_eq!(raw(&first), raw(&second));
    assert_eq!(header(&first, "Message-ID"), Some("<n12.i7.1893465300250@cron.example.org>"));
}

#[tokio::test]
async fn all_mails_of_an_incident_to_one_recipient_are_one_thread() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let first = failure();
    let mut reminder = letter(
        NotificationKind::Reminder,
        vec![
            alert(10, AlertKind::Failed, "nightly-report"),
            alert(11, AlertKind::Missed, "nightly-report"),
        ],
    );
    reminder.notification.id.0 = 13;
    let mut recovery =
        letter(NotificationKind::Recovery, vec![alert(14, AlertKind::Recovered, "nightly-report")]);
    recovery.notification.id.0 = 15;
    let incident = recovery.incident.as_mut().unwrap();
    incident.kind = AlertKind::Failed;
    incident.closed_at = Some(at("2030-01-01T05:00:00Z"));
    let mut elsewhere = recipient("ops@example.org");
    elsewhere.notification.id.0 = 16;
    let mut news = failure();
    news.notification.incident = None;
    news.incident = None;
    let mut mails = Vec::new();
    for letter in [first, reminder, recovery, elsewhere, news] {
        channel.send(&letter).await.unwrap();
        mails.push(server.next());
    }
    let of = |index: usize, name: &str| header(&mails[index], name);
    let root = of(0, "References").unwrap();
    assert!(
        root.starts_with("<i7.1893465300000.") && root.ends_with("@cron.example.org>"),
        "{root}"
    );
    for index in [0, 1, 2] {
        assert_eq!((of(index, "References"), of(index, "In-Reply-To")), (Some(root), Some(root)));
    }
    let ids = [0, 1, 2, 3].map(|index| of(index, "Message-ID"));
    assert_eq!(std::collections::BTreeSet::from(ids).len(), 4);
    // Some programs look at the subject alone.
    assert_eq!(of(1, "Subject"), Some("Re: [prod] [Chronos] job 'nightly-report' failed!"));
    assert_eq!(of(2, "Subject"), of(1, "Subject"));
    // Somebody else has a thread of their own.
    assert_ne!(of(3, "References"), Some(root));
    // What belongs to no incident answers nothing.
    assert_eq!((of(4, "References"), of(4, "In-Reply-To")), (None, None));
}

#[tokio::test]
async fn starttls_is_used_if_it_is_offered() {
    let server = MailServer::with_certificate(&["--mode", "starttls"]);
    server.channel().send(&failure()).await.unwrap();
    assert_eq!(server.next()["encrypted"], true);
    // Without anything to show, a certificate that nobody vouches for is better than none.
    let stranger = MailConfig { trusted_pem: None, ..server.config() };
    mailed(stranger).send(&failure()).await.unwrap();
    assert_eq!(server.next()["encrypted"], true);
}

#[tokio::test]
async fn starttls_that_is_wanted_must_be_there_and_vouched_for() {
    let server = MailServer::with_certificate(&["--mode", "starttls"]);
    let wanted = MailConfig { encryption: Encryption::StartTls, ..server.config() };
    mailed(wanted.clone()).send(&failure()).await.unwrap();
    assert_eq!(server.next()["encrypted"], true);

    let other = MailServer::with_certificate(&["--mode", "plain"]);
    let forged = MailConfig { trusted_pem: other.ca_pem.clone(), ..wanted.clone() };
    let error = mailed(forged).send(&failure()).await.unwrap_err();
    assert!(
        !error.is_final && error.problem.starts_with("cannot encrypt to `127.0.0.1:"),
        "{error}"
    );

    let plain = MailConfig { port: other.port, ..wanted };
    let error = mailed(plain).send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.contains("without it nothing is sent"), "{error}");
    assert!(server.is_silent() && other.is_silent());
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let server = MailServer::with_certificate(&["--mode", "tls"]);
    let wanted = MailConfig { encryption: Encryption::Tls, ..server.config() };
    mailed(wanted.clone()).send(&failure()).await.unwrap();
    assert_eq!(server.next()["encrypted"], true);
    let stranger = MailServer::with_certificate(&["--mode", "tls"]);
    let forged = MailConfig { port: stranger.port, ..wanted };
    let error = mailed(forged).send(&failure()).await.unwrap_err();
    assert!(
        !error.is_final && error.problem.starts_with("cannot connect to `127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn user_and_password_are_shown_in_either_way() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let args = with_user(&["--mode", "starttls", "--mechanism", mechanism]);
        let server = MailServer::with_certificate(&args);
        let config = MailConfig { login: login("chronode", "hunter22"), ..server.config() };
        mailed(config).send(&failure()).await.unwrap();
        let mail = server.next();
        assert_eq!((&mail["user"], &mail["encrypted"]), (&"chronode".into(), &true.into()));
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_again_and_not_told() {
    let server = MailServer::with_certificate(&with_user(&["--mode", "starttls"]));
    let wrong = MailConfig { login: login("chronode", "hunter23"), ..server.config() };
    let channel = mailed(wrong);
    let error = channel.send(&failure()).await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert!(error.problem.contains("refused user and password: 535"), "{error}");
    // None at all is a matter of configuration too.
    let none = server.channel().send(&failure()).await.unwrap_err();
    assert!(!none.is_final && none.problem.contains("530"), "{none}");
    let shown = format!("{error:?}{channel:?}");
    assert!(!shown.contains("hunter23") && !shown.contains("aHVudGVyMjM"), "{shown}");
    assert!(server.is_silent());
}

#[tokio::test]
async fn a_password_is_not_shown_in_clear_unless_that_is_wanted() {
    let server = MailServer::start(&with_user(&[]));
    let config = MailConfig { login: login("chronode", "hunter22"), ..server.config() };
    let error = mailed(config.clone()).send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.contains("the password is not shown"), "{error}");
    assert!(server.is_silent());
    let wanted = MailConfig { shows_password_in_clear: true, ..config };
    mailed(wanted).send(&failure()).await.unwrap();
    assert_eq!(server.next()["user"], "chronode");

    // Nor to somebody who may be another.
    let stranger = MailServer::with_certificate(&with_user(&["--mode", "starttls"]));
    let other = MailServer::with_certificate(&[]);
    let config = MailConfig {
        login: login("chronode", "hunter22"),
        trusted_pem: other.ca_pem.clone(),
        ..stranger.config()
    };
    let error = mailed(config).send(&failure()).await.unwrap_err();
    assert!(error.problem.starts_with("cannot encrypt to"), "{error}");
}

#[tokio::test]
async fn what_a_refusal_means_depends_on_what_is_refused() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    for (who, is_final, told) in [
        (
            "refused@example.org",
            true,
            "refused the recipient `refused@example.org`: 550 5.1.1 No such user here",
        ),
        ("unwanted@example.org", true, "refused the message: 554 5.7.1 Message content rejected"),
        (
            "later@example.org",
            false,
            "does not take the recipient `later@example.org` now: 450 4.2.0 Greylisted",
        ),
        ("grüße@example.org", false, ""),
        ("team-data", true, "`team-data` cannot be written to: it is no mail address"),
        ("a@example.org\nRCPT TO:<eve@example.org>", true, "it has control characters"),
        ("", true, "there is nobody to write to: the job has no owner"),
        (" ", true, "there is nobody to write to: the job has no owner"),
    ] {
        let answer = channel.send(&recipient(who)).await;
        if told.is_empty() {
            // The server takes addresses beyond ASCII.
            answer.unwrap();
            assert_eq!(server.next()["recipients"], serde_json::json!([who]));
            continue;
        }
        let error = answer.unwrap_err();
        assert_eq!(error.is_final, is_final, "{who}: {error}");
        assert!(error.problem.contains(told), "{who}: {error}");
        assert!(!error.problem.contains('\n'), "{who}: {error}");
    }
    // A sender that is refused is put right in the configuration; then the message arrives.
    let forged = MailConfig { from: "forged@example.org".to_owned(), ..server.config() };
    let error = mailed(forged).send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.contains("refused the sender"), "{error}");
    assert!(server.is_silent());
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let server = MailServer::start(&["--ascii"]);
    let error = server.channel().send(&recipient("grüße@example.org")).await.unwrap_err();
    assert!(error.is_final && error.problem.contains("does not take such addresses"), "{error}");
    // A name before it, a subject and a text may be of anything.
    let mut letter = recipient("Zoë <zoe@example.org>");
    letter.cluster_name = "größer".to_owned();
    server.channel().send(&letter).await.unwrap();
    let mail = server.next();
    assert_eq!(header(&mail, "Subject"), Some("[größer] [Chronos] job 'nightly-report' failed!"));
    assert!(raw(&mail).is_ascii());
}

#[tokio::test]
async fn a_digest_of_a_thousand_failures_arrives_with_each_of_them() {
    let server = MailServer::start(&[]);
    let digest = letter(NotificationKind::Digest, failures(1_000));
    server.channel().send(&digest).await.unwrap();
    let mail = server.next();
    let subject = "[prod] [Chronos] 1000 alerts for 1000 jobs";
    assert_eq!(header(&mail, "Subject"), Some(subject));
    let (plain, html) = parts(&mail);
    for index in 0..1_000 {
        assert!(plain.contains(&format!("- job-{index:04}: failed, ")), "{index}");
        assert!(html.contains(&format!(">job-{index:04}</a></b>: failed, ")), "{index}");
    }
    // Servers take ten times as much.
    assert!(raw(&mail).len() < 1_000_000, "{}", raw(&mail).len());
}

#[tokio::test]
async fn an_owner_may_have_a_name() {
    let server = MailServer::start(&[]);
    server.channel().send(&recipient("Zoë Data <zoe@example.org>")).await.unwrap();
    let mail = server.next();
    assert_eq!(mail["recipients"], serde_json::json!(["zoe@example.org"]));
    assert_eq!(header(&mail, "To"), Some("Zoë Data <zoe@example.org>"));
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_time_it_may_take() {
    let server = MailServer::start(&[]);
    let config = MailConfig { time_max: Duration::from_secs(3), ..server.config() };
    let error = mailed(config).send(&recipient("hangs@example.org")).await.unwrap_err();
    assert_eq!(
        error,
        SendError {
            is_final: false,
            problem: format!("`127.0.0.1:{}` did not take it within 3 s", server.port)
        }
    );
    // One that does not even greet.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let config = MailConfig { port, time_max: Duration::from_millis(50), ..server.config() };
    let error = mailed(config).send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.contains("within 0.05 s"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_after_the_message_gets_the_same_once_more() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let error = channel.send(&recipient("dies@example.org")).await.unwrap_err();
        assert!(!error.is_final && error.problem.contains("did not take the message"), "{error}");
        let mail = server.next();
        ids.push(header(&mail, "Message-ID").unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let config = MailConfig::new("127.0.0.1", port, "chronode@example.org");
    let error = mailed(config).send(&failure()).await.unwrap_err();
    assert!(!error.is_final, "{error}");
    assert!(
        error.problem.starts_with(&format!("cannot connect to `127.0.0.1:{port}`: ")),
        "{error}"
    );
    let config = MailConfig::new("mail.invalid", 25, "chronode@example.org");
    let error = mailed(config).send(&failure()).await.unwrap_err();
    assert!(!error.is_final && error.problem.contains("`mail.invalid:25`"), "{error}");
}

#[tokio::test]
async fn a_trial_says_that_it_is_one() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let whom = failure().notification.to;
    let trial = Letter::trial(whom, "cron.example.org", "prod", at("2030-01-01T00:00:00Z"));
    channel.send(&trial).await.unwrap();
    let mail = server.next();
    assert_eq!(header(&mail, "Subject"), Some("[prod] [Chronos] test of channel 'mail'"));
    assert!(parts(&mail).0.starts_with("This is a test."));
}
