//! What letters say, kind by kind.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chronode::model::{
    AlertId, AlertKind, BackfillId, Exit, IncidentId, IncidentKey, NotificationKind,
};
use chronode::notify::{Tail, render};
use expect_test::expect_file;
use serde_json::json;

use super::sample::{about_scheduler, alert, at, failure, failures, incident, letter};

#[test]
fn subjects_are_those_of_chronos_and_the_others_are_like_them() {
    let mut told = String::new();
    for kind in AlertKind::ALL {
        let mut alert = match kind.is_about_the_scheduler() {
            true => about_scheduler(1, kind, "a reason"),
            false => alert(1, kind, "nightly-report"),
        };
        if kind == AlertKind::BackfillFinished {
            alert.backfill = Some(BackfillId(3));
        }
        let mut letter = letter(NotificationKind::Alert, vec![alert]);
        letter.cluster_name = String::new();
        writeln!(told, "{}: {}", kind.name(), render::subject(&letter)).unwrap();
    }
    let expected = "\
failed: [Chronos] job 'nightly-report' failed!
retried: [Chronos] job 'nightly-report' is tried again
missed: [Chronos] job 'nightly-report' was missed
didNotRun: [Chronos] job 'nightly-report' did not run
lateStart: [Chronos] job 'nightly-report' is late
overlong: [Chronos] job 'nightly-report' runs too long
lateFinish: [Chronos] job 'nightly-report' is not over in time
disabled: [Chronos] job 'nightly-report' disabled
exhausted: [Chronos] job 'nightly-report' disabled
deleted: [Chronos] Your job 'nightly-report' was deleted!
recovered: [Chronos] job 'nightly-report' recovered
backfillFinished: [Chronos] backfill b3 of job 'nightly-report' is over
leaderChanged: [Chronos] another process leads: agent 3f7a-S1
agentLost: [Chronos] agent lost: agent 3f7a-S1
launcherGone: [Chronos] the launcher cannot be reached: agent 3f7a-S1
storeTrouble: [Chronos] trouble with the store: agent 3f7a-S1
channelTrouble: [Chronos] notifications do not arrive: agent 3f7a-S1
";
    assert_eq!(told, expected);
}

#[test]
fn a_cluster_has_its_name_before_every_subject() {
    let mut letter = failure();
    assert_eq!(render::subject(&letter), "[prod] [Chronos] job 'nightly-report' failed!");
    letter.cluster_name = "a\r\nBcc: eve".to_owned();
    assert_eq!(render::subject(&letter), "[a Bcc: eve] [Chronos] job 'nightly-report' failed!");
    letter.cluster_name = "x".repeat(1_000);
    assert!(render::subject(&letter).len() < 250);
}

#[test]
fn bodies_are_those_of_chronos() {
    let of = |alert| render::message(&letter(NotificationKind::Alert, vec![alert]));
    let mut disabled = alert(1, AlertKind::Disabled, "a");
    assert_eq!(
        of(disabled.clone()),
        "\nFailed at '2030-01-01T02:35:00.000Z', 2 failures since last success\nTask id: ct:1893463200000:3:a:\n\
         The scheduler provided this message:\n\nCommand exited with status 1"
    );
    // Without a message of the cluster and without a task there is no line about them.
    disabled.run.as_mut().unwrap().message.clear();
    disabled.run.as_mut().unwrap().task_id = None;
    assert_eq!(
        of(disabled),
        "\nFailed at '2030-01-01T02:35:00.000Z', 2 failures since last success\n"
    );
    assert_eq!(
        of(alert(1, AlertKind::Exhausted, "a")),
        "All occurrences of job 'a' have run, so it has been disabled.\nRemove it, or give it another schedule and \
         enable it.\n"
    );
    let mut missed = alert(1, AlertKind::Missed, "a");
    missed.run = None;
    missed.reason = "nothing had room for it".to_owned();
    assert_eq!(of(missed), "\n'2030-01-01T02:35:00.000Z'. Nothing had room for it.\n");
}

#[test]
fn one_failure_is_told_with_all_that_is_known() {
    let mut letter = failure();
    expect_file!["texts/failed.txt"].assert_eq(&render::text(&letter));
    expect_file!["texts/failed.html"].assert_eq(&render::html(&letter));
    let run = letter.alerts[0].run.as_mut().unwrap();
    (run.exit, run.attempt) = (Some(Exit::Signal(9)), Some(0));
    letter.alerts[0].retry_at = Some(at("2030-01-01T02:36:00Z"));
    let text = render::text(&letter);
    assert!(
        text.contains("\nAttempt  1 of 4\n") && text.contains("\nExit     signal 9\n"),
        "{text}"
    );
    let next = "It is tried again at 2030-01-01T02:36:00.000Z. The job is due next at 2030-01-02T02:00:00.000Z.";
    assert!(text.contains(next), "{text}");
}

#[test]
fn a_page_that_nobody_named_is_not_linked_to() {
    for base in [None, Some("javascript:alert(1)//"), Some("cron.example.org")] {
        let mut letter = failure();
        letter.base_url = base.map(str::to_owned);
        let (text, html) = (render::text(&letter), render::html(&letter));
        assert!(!text.contains("/#/") && !html.contains("/#/"), "{text}");
        // What to do is written elsewhere.
        assert!(text.contains("Runbook  https://wiki.example.org/runbooks/nightly"), "{text}");
        assert_eq!(render::webhook(&letter)["page"], json!(null));
    }
}

#[test]
fn a_runbook_that_is_no_address_of_the_web_is_shown_and_leads_nowhere() {
    for runbook in ["javascript:alert(1)", "see the <wiki>", "https://a\"onclick=\"x"] {
        let mut letter = failure();
        letter.alerts[0].job.as_mut().unwrap().runbook = runbook.to_owned();
        assert!(render::text(&letter).contains(&format!("Runbook  {runbook}")));
        assert!(!render::html(&letter).contains(">Runbook</a>"));
    }
}

#[test]
fn a_digest_has_everything_in_it() {
    let mut alerts = failures(40);
    // One job failed three times more.
    alerts.extend(failures(1).into_iter().cycle().take(3));
    let mut letter = letter(NotificationKind::Digest, alerts);
    (letter.notification.incident, letter.incident) = (None, None);
    assert_eq!(render::subject(&letter), "[prod] [Chronos] 43 alerts for 40 jobs");
    assert_eq!(render::mail_subject(&letter), render::subject(&letter));
    let text = render::text(&letter);
    for index in 0..40 {
        assert!(text.contains(&format!("- job-{index:04}: failed")), "{index}: {text}");
    }
    assert!(
        text.contains("- job-0000: failed (4 times), last at 2030-01-01T02:35:00.000Z"),
        "{text}"
    );
    assert_eq!(text.matches("\n- ").count(), 40);
    letter.notification.left_out = 960;
    let told = render::text(&letter);
    assert_eq!(render::subject(&letter), "[prod] [Chronos] 1003 alerts for 40 jobs and more");
    assert!(told.contains("960 more alerts are not listed here."), "{told}");
    assert!(render::message(&letter).ends_with("and 960 more alerts\n"));
    // A chat is not flooded.
    let chat = render::slack(&letter);
    assert!(chat["text"].as_str().unwrap().chars().count() < 3_100);
}

#[test]
fn a_reminder_and_a_recovery_are_told_as_such() {
    let again = vec![
        alert(10, AlertKind::Failed, "nightly-report"),
        alert(11, AlertKind::Failed, "nightly-report"),
    ];
    let mut reminder = letter(NotificationKind::Reminder, again);
    reminder.incident.as_mut().unwrap().alerts = 14;
    assert_eq!(
        render::subject(&reminder),
        "[prod] [Chronos] job 'nightly-report' failed! (2 more alerts)"
    );
    expect_file!["texts/reminder.txt"].assert_eq(&render::text(&reminder));

    let mut recovery =
        letter(NotificationKind::Recovery, vec![alert(14, AlertKind::Recovered, "nightly-report")]);
    recovery.incident.as_mut().unwrap().kind = AlertKind::Failed;
    recovery.incident.as_mut().unwrap().closed_at = Some(at("2030-01-01T05:00:00Z"));
    assert_eq!(render::subject(&recovery), "[prod] [Chronos] job 'nightly-report' recovered");
    assert_eq!(
        render::mail_subject(&recovery),
        "Re: [prod] [Chronos] job 'nightly-report' failed!"
    );
    expect_file!["texts/recovery.txt"].assert_eq(&render::text(&recovery));
}

#[test]
fn many_jobs_hit_by_one_cause_are_one_matter() {
    let alerts = failures(31);
    let mut letter = letter(NotificationKind::Recovery, alerts.clone());
    let key = IncidentKey::Cause("agent 3f7a-S1 is lost".to_owned());
    letter.incident = Some(incident(key, AlertKind::Failed, &alerts));
    assert_eq!(render::subject(&letter), "[prod] [Chronos] recovered: agent 3f7a-S1 is lost");
    letter.notification.kind = NotificationKind::Reminder;
    assert_eq!(
        render::mail_subject(&letter),
        "Re: [prod] [Chronos] jobs in trouble: agent 3f7a-S1 is lost"
    );
    let text = render::text(&letter);
    assert!(text.contains("job-0018, job-0019 and 11 more\n"), "{text}");
}

#[test]
fn what_is_not_known_any_more_is_left_out() {
    // A letter whose alerts and incident were forgotten still says how many there were.
    for kind in [
        NotificationKind::Alert,
        NotificationKind::Reminder,
        NotificationKind::Digest,
        NotificationKind::Recovery,
    ] {
        let mut letter = letter(kind, Vec::new());
        letter.notification.alerts = vec![AlertId(1), AlertId(2)];
        letter.notification.incident = Some(IncidentId(7));
        assert_eq!(render::subject(&letter), "[prod] [Chronos] 2 alerts");
        assert!(render::text(&letter).contains("2 more alerts are not listed here."));
        let body = render::webhook(&letter);
        assert_eq!((&body["incident"], &body["leftOut"]), (&json!({"id": "i7"}), &json!(2)));
    }
}

#[test]
fn the_body_of_the_webhook() {
    let body = render::webhook(&failure());
    let printed = serde_json::to_string_pretty(&body).unwrap() + "\n";
    expect_file!["texts/webhook.json"].assert_eq(&printed);
}

#[test]
fn output_is_shown_as_it_was_and_harmless() {
    let mut letter = failure();
    let tail = Tail {
        stream: "stdout",
        text: "</pre><script>alert(1)</script>\r\n\u{202e}txt.exe\u{0}\n\u{1b}[32mok\u{1b}[0m\tend"
            .to_owned(),
        is_cut: false,
    };
    letter.tails.insert(AlertId(9), tail);
    let text = render::text(&letter);
    assert!(
        text.contains(
            "All that went to stdout:\n  | </pre><script>alert(1)</script>\n  | \\u{202e}txt.exe\\u{0}\n  | ok\tend\n"
        ),
        "{text}"
    );
    let html = render::html(&letter);
    assert!(html.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn ids_of_every_kind_have_words() {
    // No two kinds of trouble look the same in a list.
    let words: BTreeSet<String> = AlertKind::ALL
        .into_iter()
        .map(|kind| {
            let mut alert = alert(1, kind, "a");
            alert.reason.clear();
            render::message(&letter(NotificationKind::Digest, vec![alert]))
        })
        .collect();
    assert_eq!(words.len(), AlertKind::ALL.len());
}
