//! Names, owners and output that try to be more than text.

use chronode::model::{Address, AlertKind, NotificationKind};
use chronode::notify::{Letter, Tail};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::mail_server::{MailServer, header, parts, raw};
use super::sample::{alert, letter};

/// Pieces that mean something to some program on the way.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\n.\n",
    "\r\n.\r\n",
    "Bcc: eve@example.org",
    "\r\nBcc: eve@example.org\r\n\r\n",
    ": ",
    ",",
    ";",
    "<script>alert(1)</script>",
    "</pre>",
    "\"",
    "'",
    "&amp;",
    "&",
    "<",
    ">",
    "=?utf-8?q?x?=",
    "=3D",
    "=_",
    "--",
    "\n--=_\n",
    "\u{0}",
    "\u{1b}[31m",
    "\u{1b}]8;;http://x\u{7}",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "é",
    "世界",
    "👩\u{200d}🚀",
    "\u{10ffff}",
    " ",
    "\t",
    "a",
    "Z",
    "0",
    ".",
    "-- ",
    "From ",
    "javascript:alert(1)",
    "https://x.example/",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn hostile_letter() -> impl Strategy<Value = Letter> {
    let texts = proptest::collection::vec(hostile(), 8);
    let kinds = prop_oneof![
        Just(NotificationKind::Alert),
        Just(NotificationKind::Reminder),
        Just(NotificationKind::Digest),
        Just(NotificationKind::Recovery),
    ];
    (texts, kinds, proptest::sample::select(&AlertKind::ALL[..])).prop_map(
        |(texts, kind, about)| {
            let [owner, reason, message, runbook, output, cluster, zone, host] =
                <[String; 8]>::try_from(texts).unwrap();
            let mut alert = alert(9, about, "a b#c");
            let job = alert.job.as_mut().unwrap();
            (job.owner, job.runbook, job.zone) = (owner, runbook, zone);
            alert.run.as_mut().unwrap().message = message;
            alert.reason = reason;
            let mut letter = letter(kind, vec![alert.clone(), alert]);
            if kind == NotificationKind::Alert {
                letter.alerts.truncate(1);
            }
            (letter.cluster_name, letter.host) = (cluster, host);
            let tail = Tail { stream: "stdout", text: output, is_cut: false };
            letter.tails.insert(letter.alerts[0].id, tail);
            letter
        },
    )
}

/// All headers that a mail of ours may have.
const HEADERS: &[&str] = &[
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "In-Reply-To",
    "References",
    "List-Id",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Chronode-Id",
    "MIME-Version",
    "Content-Type",
];

/// The tags that a mail of ours may have.
const TAGS: &[&str] = &[
    "!DOCTYPE", "html", "head", "meta", "body", "p", "table", "tr", "th", "td", "ul", "li", "b",
    "br", "pre", "a",
];

fn judge_html(html: &str) {
    for (at, _) in html.match_indices('<') {
        let rest = html[at + 1..].trim_start_matches('/');
        let tag: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '!').collect();
        assert!(TAGS.contains(&tag.as_str()), "<{tag}: {html}");
    }
    for (at, text) in html.match_indices("href=\"") {
        let url = html[at + text.len()..].split('"').next().unwrap();
        let lower = url.to_ascii_lowercase();
        assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{url}");
    }
    // Attributes of ours alone: no quote of another's ends one.
    let attributes =
        ["style=\"", "href=\"", "lang=\"", "charset=\"", "name=\"", "content=\"", "scope=\""];
    let quotes = html.matches('"').count();
    let ours: usize = attributes.iter().map(|attribute| html.matches(attribute).count()).sum();
    assert_eq!(quotes, ours * 2, "{html}");
}

#[test]
fn whatever_is_in_a_letter_its_mail_has_our_headers_two_parts_and_only_text_in_them() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    let judged = runner.run(&hostile_letter(), |letter| {
        runtime.block_on(channel.send(&letter)).unwrap();
        let mail = server.next();
        assert_eq!(mail["recipients"], serde_json::json!(["data@example.org"]));
        for found in mail["headers"].as_array().unwrap() {
            let name = found[0].as_str().unwrap();
            assert!(HEADERS.contains(&name), "{name}");
            assert!(header(&mail, name).is_some());
        }
        let subject = header(&mail, "Subject").unwrap();
        assert!(
            subject.contains("[Chronos] ") && !subject.contains(char::is_control),
            "{subject:?}"
        );
        let expected = chronode::notify::render::mail_subject(&letter);
        let blank = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(blank(subject), blank(&expected));
        let (plain, html) = parts(&mail);
        let is_shown = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        assert!(plain.chars().all(is_shown) && html.chars().all(is_shown), "{plain:?}");
        assert!(!plain.contains(['\u{202e}', '\u{feff}', '\u{2028}']), "{plain:?}");
        judge_html(&html);
        let raw = raw(&mail);
        assert!(raw.is_ascii());
        assert!(
            raw.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])),
            "{raw}"
        );
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn whoever_is_written_to_is_one_address_or_nobody() {
    let server = MailServer::start(&[]);
    let channel = server.channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    let whom =
        (hostile(), hostile()).prop_map(|(name, local)| format!("{name} <{local}@example.org>"));
    let judged = runner.run(&prop_oneof![hostile(), whom], |recipient| {
        let mut letter = letter(NotificationKind::Alert, vec![alert(9, AlertKind::Failed, "a")]);
        letter.notification.to = Address { channel: "mail".to_owned(), recipient };
        match runtime.block_on(channel.send(&letter)) {
            Ok(_) => {
                let mail = server.next();
                assert_eq!(mail["recipients"].as_array().unwrap().len(), 1);
                for found in mail["headers"].as_array().unwrap() {
                    assert!(HEADERS.contains(&found[0].as_str().unwrap()), "{found}");
                }
            }
            Err(error) => {
                assert!(error.is_final, "{error}");
                assert!(!error.problem.contains(char::is_control), "{error}");
            }
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    assert!(server.is_silent());
}
