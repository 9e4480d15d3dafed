//! Channels and routes in the file of options.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::alerts::{RouteTarget, Rule};
use crate::config::{ChannelKind, HookSettings, MailSettings, SecretSource};
use crate::model::AlertKind;
use crate::notify::Encryption;

const WHOLE: &str = r"
mail_server: smtp.example
mail_from: c@example.org
channels:
  pager:
    kind: webhook
    url: https://pager.example/in
    secret_file: /etc/chronode/pager.secret
    private_addresses: true
    ca_file: /etc/ca.pem
    by_default: false
  oncall: {kind: command, command: [/usr/local/bin/page, --team, 'data #1']}
  mail-eu: {kind: mail, server: 'smtp.eu:587', from: Chronode <c@example.eu>, user: u, password_file: /pw, tls: starttls, ca_file: /ca, password_in_clear: yes}
  mail-v6: {kind: mail, server: '[2001:db8::1]', from: c@example.eu, tls: tls}
  chat_1: {kind: slack, url_file: /slack, by_default: true}
  chat.2: {kind: mattermost, url_file: /mattermost, private_addresses: no}
  callback: {kind: http, url: https://tell.example/, credentials_file: /login}
  '007': {kind: http, url_file: /url}
routes:
  - {prefix: billing-, to: [mail, pager], stop: true}
  - label: team=data
    owner: ops@example.org
    kinds: [failed, missed]
    to:
      - mail-eu: [data@example.org, Lead <lead@example.org>]
      - chat_1
      - callback: [whoever]
  - {label: urgent, kinds: [leaderChanged], to: ['007']}
";

fn read(text: &str) -> (Place, Resolution) {
    let place = Place::new();
    let file = place.file(text);
    let resolution = resolution(&["--config", &file], &[]);
    (place, resolution)
}

fn target(channel: &str, recipients: Option<&[&str]>) -> RouteTarget {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    RouteTarget { channel: channel.to_owned(), recipients: recipients.map(texts) }
}

#[test]
fn channels_of_the_file_come_behind_those_of_flags() {
    let (_place, resolution) = read(WHOLE);
    let found = config(&resolution).notifications;
    let names: Vec<_> =
        found.channels.iter().map(|it| (it.name.as_str(), it.kind.name(), it.by_default)).collect();
    assert_eq!(
        names,
        [
            ("mail", "mail", true),
            ("pager", "webhook", false),
            ("oncall", "command", true),
            ("mail-eu", "mail", true),
            ("mail-v6", "mail", true),
            ("chat_1", "slack", true),
            ("chat.2", "mattermost", true),
            ("callback", "http", true),
            ("007", "http", true),
        ]
    );
    let kind = |index: usize| &found.channels[index].kind;
    let ChannelKind::Webhook { hook, secret: SecretSource::File(secret) } = kind(1) else {
        panic!("{:?}", kind(1))
    };
    let HookSettings { url: SecretSource::Text(url), private_addresses, ca_file } = hook else {
        panic!("{hook:?}")
    };
    assert_eq!((url.expose(), *private_addresses), ("https://pager.example/in", Some(true)));
    assert_eq!(ca_file.as_ref().unwrap().path, Path::new("/etc/ca.pem"));
    assert_eq!(secret.path, Path::new("/etc/chronode/pager.secret"));
    let ChannelKind::Command(argv) = kind(2) else { panic!("{:?}", kind(2)) };
    assert_eq!(argv.0, ["/usr/local/bin/page", "--team", "data #1"]);
    let ChannelKind::Mail(mail) = kind(3) else { panic!("{:?}", kind(3)) };
    let MailSettings { host, port, encryption, login, password_in_clear, from, ca_file } = mail;
    assert_eq!((host.as_str(), *port, *encryption), ("smtp.eu", 587, Encryption::StartTls));
    assert_eq!((from.as_str(), *password_in_clear), ("Chronode <c@example.eu>", true));
    assert_eq!(login.as_ref().unwrap().0, "u");
    assert_eq!(ca_file.as_ref().unwrap().path, Path::new("/ca"));
    let ChannelKind::Mail(mail) = kind(4) else { panic!("{:?}", kind(4)) };
    assert_eq!((mail.host.as_str(), mail.port), ("2001:db8::1", 465));
    let ChannelKind::Mattermost(hook) = kind(6) else { panic!("{:?}", kind(6)) };
    assert_eq!(hook.private_addresses, Some(false));
    assert!(matches!(kind(7), ChannelKind::Http { credentials: Some(SecretSource::File(_)), .. }));
    assert!(matches!(kind(8), ChannelKind::Http { credentials: None, .. }));
}

#[test]
fn routes_are_rules_in_their_order() {
    let (_place, resolution) = read(WHOLE);
    let data = ["data@example.org", "Lead <lead@example.org>"];
    assert_eq!(
        config(&resolution).notifications.rules,
        [
            Rule {
                prefix: Some("billing-".to_owned()),
                to: vec![target("mail", None), target("pager", None)],
                stop: true,
                ..Rule::default()
            },
            Rule {
                label: Some(("team".to_owned(), Some("data".to_owned()))),
                owner: Some("ops@example.org".to_owned()),
                kinds: Some([AlertKind::Failed, AlertKind::Missed].into()),
                to: vec![
                    target("mail-eu", Some(&data)),
                    target("chat_1", None),
                    target("callback", Some(&["whoever"])),
                ],
                ..Rule::default()
            },
            Rule {
                label: Some(("urgent".to_owned(), None)),
                kinds: Some([AlertKind::LeaderChanged].into()),
                to: vec![target("007", None)],
                ..Rule::default()
            },
        ]
    );
}

#[test]
fn channels_and_routes_that_are_shown_can_be_read_again() {
    let (_place, first) = read(WHOLE);
    let shown = print(&first);
    let (_place, second) = read(&shown);
    assert_eq!(config(&first), config(&second), "{shown}");
    assert_eq!(config(&second).notifications.channels.len(), 9);
    for line in ["# channels:", "# routes:"] {
        let none = print(&resolution(&[], &[]));
        assert!(none.lines().any(|found| found.starts_with(line)), "{none}");
    }

    let secrets = "channels:\n  a: {kind: slack, url: https://hooks.example/hush}\n  \
                   b: {kind: webhook, url: https://b.example/, secret: hush}\n  \
                   c: {kind: http, url: 'https://u:hush@c.example/', credentials: u:hush}\n  \
                   d: {kind: mail, server: d, from: d@example.org, user: d, password: hush}\n";
    let (_place, secret) = read(secrets);
    let shown = print(&secret);
    assert!(!shown.contains("hush"), "{shown}");
    // What is hidden is to be put in again: nothing is sent with what stands for it.
    let told = problems(&read(&shown).1);
    let places = ["a.url", "b.secret", "c.credentials", "d.password"];
    assert_eq!(told.len(), places.len(), "{told:?}");
    for (told, place) in told.iter().zip(places) {
        assert!(
            told.contains(&format!(": channels.{place} `***`: secrets are not shown")),
            "{told}"
        );
    }
    assert!(!format!("{:?}", config(&secret)).contains("hush"));
}

#[test]
fn secrets_of_channels_that_everybody_may_read_are_warned_of() {
    let place = Place::new();
    let file = place.file(
        "channels:\n  a:\n    kind: webhook\n    url: https://a.example/\n    secret: hush\n",
    );
    for (mode, is_told) in [(0o644, true), (0o640, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let found = resolution(&["--config", &file], &[]);
        let expected = format!(
            "{file}:5: channels.a.secret: everybody on this machine can read this secret; `chmod o-r {file}`"
        );
        assert_eq!(found.warnings().contains(&expected), is_told, "{:?}", found.warnings());
        assert_eq!(found.warnings().len(), usize::from(is_told));
    }
}

#[test]
fn what_is_wrong_with_channels_is_told_with_its_line_and_the_remedy() {
    let long = "x".repeat(65);
    let channels = [
        (
            "a b: {kind: command, command: [/a]}",
            "`a b` cannot be the name of a channel: take letters",
        ),
        (&format!("{long}: {{kind: command, command: [/a]}}"), "at most 64"),
        ("a: [x]", "channels.a has to be a map"),
        ("a: {}", "channels.a has no `kind`: give one of `mail`, `slack`"),
        ("a: {kind: }", "channels.a.kind has no value: give one"),
        (
            "a: {kind: pigeon}",
            "channels.a.kind: there is no `pigeon`; give one of `mail`, `slack`, `mattermost`",
        ),
        ("a: {kind: slack}", "channels.a has no `url`: give it, or `url_file`"),
        ("a: {kind: slack, url: ''}", "channels.a.url has no value"),
        ("a: {kind: slack, url: [x]}", "channels.a.url has to be one text"),
        (
            "a: {kind: slack, url: hush, url_file: /a}",
            "channels.a.url_file: `url` is given too: leave one of them out",
        ),
        (
            "a: {kind: slack, url: hush, secret: hush}",
            "channels.a: there is no `secret` here; there are `kind`, `by_default`, `url`",
        ),
        (
            "a: {kind: mattermost, url: hush, private_addresses: maybe}",
            "channels.a.private_addresses `maybe`: give `true` or `false`",
        ),
        (
            "a: {kind: mattermost, url: hush, by_default: maybe}",
            "channels.a.by_default `maybe`: give `true` or `false`",
        ),
        (
            "a: {kind: http, url: x, credentials: hush}",
            "channels.a.credentials: write `user:password`",
        ),
        ("a: {kind: webhook, url: x}", "channels.a has no `secret`: give it, or `secret_file`"),
        ("a: {kind: command}", "channels.a has no `command`: give a list"),
        ("a: {kind: command, command: /bin/tell}", "channels.a.command has to be a list of texts"),
        ("a: {kind: command, command: []}", "channels.a.command is empty"),
        ("a: {kind: command, command: [/a, {b: c}]}", "channels.a.command has to have texts in it"),
        (
            "a: {kind: mail, from: a@example.org}",
            "channels.a has no `server`: give it as `smtp.example.org:587`",
        ),
        ("a: {kind: mail, server: a}", "channels.a has no `from`: give the sender"),
        (
            "a: {kind: mail, server: 'a:x', from: a@example.org}",
            "channels.a.server `a:x`: write a host, or host and port",
        ),
        (
            "a: {kind: mail, server: a, from: a}",
            "channels.a.from `a`: mail cannot come from there: it is no mail address",
        ),
        (
            "a: {kind: mail, server: a, from: a@example.org, user: u}",
            "channels.a: `user` has no password: give `password_file` too",
        ),
        (
            "a: {kind: mail, server: a, from: a@example.org, password: hush}",
            "channels.a: the password is nobody's: give `user` too",
        ),
        (
            "a: {kind: mail, server: a, from: a@example.org, tls: ssl}",
            "channels.a.tls: there is no `ssl`; give one of `offered`, `starttls`, `tls`",
        ),
        (
            "a: {kind: mail, server: a, from: a@example.org, url: x}",
            "channels.a: there is no `url` here; there are `kind`, `by_default`, `server`",
        ),
    ];
    for (text, expected) in channels {
        let (place, found) = read(&format!("# comment\nchannels:\n  {text}\n"));
        let found = problems(&found);
        let start = place.path().join("chronode.yaml:3: ");
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(start.to_str().unwrap()), "{text}: {found:?}");
        assert!(found[0].contains(expected), "{text}: {found:?}");
        assert!(!found[0].contains("hush"), "{found:?}");
    }
}

#[test]
fn what_is_wrong_with_routes_is_told_with_its_line_and_the_remedy() {
    for (text, expected) in [
        ("x", "routes[0] has to be a map"),
        ("{prefix: x}", "routes[0] has no `to`: name channels in a list"),
        ("{to: mail}", "routes[0].to: name channels in a list"),
        ("{to: []}", "routes[0].to: name channels in a list"),
        ("{to: [[mail]]}", "routes[0].to: name channels in a list"),
        ("{to: [{mail: [a@example.org], pager: [b]}]}", "routes[0].to: name channels in a list"),
        ("{to: [{mail: a@example.org}]}", "routes[0].to.mail has to be a list of texts"),
        ("{to: [mial]}", "routes[0].to: there is no channel `mial`: name one of `mail`, `pager`"),
        (
            "{to: [{mail: [nobody]}]}",
            "routes[0].to: `nobody` cannot get mail: it is no mail address",
        ),
        (
            "{to: [{pager: [a@example.org]}]}",
            "routes[0].to: `pager` is a command channel and reaches whom it reaches",
        ),
        (
            "{to: [mail], kind: [failed]}",
            "routes[0]: there is no `kind` here; there are `prefix`, `label`, `owner`",
        ),
        (
            "{to: [mail], kinds: [fialed]}",
            "routes[0].kinds: there is no `fialed`; there are `failed`, `retried`",
        ),
        ("{to: [mail], kinds: failed}", "routes[0].kinds has to be a list of texts"),
        ("{to: [mail], kinds: []}", "routes[0].kinds is empty"),
        ("{to: [mail], label: =data}", "routes[0].label `=data`: write `name` or `name=value`"),
        ("{to: [mail], prefix: ''}", "routes[0].prefix has no value: give one, or remove it"),
        ("{to: [mail], owner: [a]}", "routes[0].owner has to be one text"),
        ("{to: [mail], stop: perhaps}", "routes[0].stop `perhaps`: give `true` or `false`"),
    ] {
        let (place, found) = read(&format!(
            "mail_server: s\nmail_from: a@example.org\nchannels: {{pager: {{kind: command, command: [/a]}}}}\n\
             routes:\n  - {text}\n"
        ));
        let found = problems(&found);
        let start = place.path().join("chronode.yaml:5: ");
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(start.to_str().unwrap()), "{text}: {found:?}");
        assert!(found[0].contains(expected), "{text}: {found:?}");
    }
}

#[test]
fn what_is_wrong_with_the_keys_themselves() {
    for (text, expected) in [
        ("channels: [a]\n", ":1: `channels` has to be a map from names to channels"),
        ("channels:\n", ":1: `channels` has to be a map from names to channels"),
        ("routes: {a: b}\n", ":1: `routes` has to be a list of rules"),
        ("channels: {a: {kind: command, command: [/a]}, a: {}}\n", ":1: "),
        (
            "slack_url: https://a.example/\nchannels:\n  slack: {kind: command, command: [/a]}\n",
            ":3: --slack_url makes a channel `slack` already: give this one another name, or leave the option out",
        ),
        (
            "routes:\n  - {to: [mail]}\n",
            ":2: routes[0].to: there is no channel `mail`: there is none yet: add it under `channels`",
        ),
        // What is wrong with the channel is no reason to say that it is not there.
        ("channels:\n  a: {kind: slack}\nroutes:\n  - {to: [a]}\n", ":2: channels.a has no `url`"),
        ("mail_server: s\nroutes:\n  - {to: [mail]}\n", ":1: mail_server `s`: name the sender too"),
    ] {
        let (_place, found) = read(text);
        let found = problems(&found);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(expected), "{text}: {found:?}");
    }
    let place = Place::new();
    let directory = place.directory(&[("channels", "a")]);
    let found = problems(&resolution(&["--config_dir", &directory], &[("CHRONODE_ROUTES", "x")]));
    assert_eq!(
        found,
        [format!(
            "{directory}/channels: `channels` can be given in the file that --config names only"
        )]
    );
    assert!(Line::try_parse_from(["serve", "--channels", "x"]).is_err());
    assert!(Line::try_parse_from(["serve", "--routes=x"]).is_err());
}

#[test]
fn all_that_is_wrong_with_the_file_is_told() {
    let (_place, found) = read(
        "htp_port: 1\nchannels:\n  a: {kind: slack, x: y}\n  b: {kind: mail}\n  c: {kind: webhook, url: x, secret: y}\n\
         routes:\n  - {to: [c, d], kinds: [x, failed]}\n  - {stop: maybe}\n",
    );
    let found = problems(&found);
    let lines: Vec<&str> = found.iter().filter_map(|told| told.split(':').nth(1)).collect();
    assert_eq!(lines, ["1", "3", "3", "4", "4", "7", "8", "8", "7"], "{found:#?}");
}

#[test]
fn operators_may_be_told_by_mail_of_the_file() {
    let (_place, found) = read(
        "operators: ops@example.org\nchannels:\n  eu: {kind: mail, server: s, from: a@example.org}\n",
    );
    let found = config(&found).notifications;
    assert_eq!(found.operators_channel().unwrap().name, "eu");
}
