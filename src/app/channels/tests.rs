//! Channels and terms, from options as they are given.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clap::Parser;

use super::*;
use crate::config::{Config, Resolution, Typed};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    typed: Typed,
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &[u8], mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

fn read(args: &[String]) -> (Resolution, Config) {
    let line =
        Line::try_parse_from(std::iter::once("serve".to_owned()).chain(args.iter().cloned()));
    let resolution = line.unwrap().typed.resolve_with(&|_| None::<OsString>);
    let (config, problems) = resolution.config("host.example");
    assert_eq!(problems, Vec::<String>::new());
    (resolution, config.unwrap())
}

fn opened(args: &[String]) -> Result<Vec<Channel>, Vec<String>> {
    let (resolution, config) = read(args);
    open(
        &config.notifications,
        &Surroundings {
            hostname: &config.hostname,
            environment: vec![("LANG".to_owned(), "C".to_owned())],
            place: &|place| resolution.place_of(place),
        },
    )
}

fn problem(args: &[String]) -> String {
    let [problem] = opened(args).unwrap_err().try_into().unwrap();
    problem
}

fn args(args: &[&str]) -> Vec<String> {
    args.iter().map(ToString::to_string).collect()
}

#[test]
fn each_channel_is_made_with_what_is_in_its_files() {
    let folder = Folder::new();
    let secret = |name: &str, text: &str| folder.file(name, text.as_bytes(), 0o600);
    let flags = [
        ("slack_url_file", secret("slack", "https://slack.example/hush\n")),
        ("mattermost_url_file", secret("mattermost", "https://mattermost.example/hush\r\n")),
        ("http_notification_credentials_file", secret("login", "u:hush")),
        ("webhook_secret_file", secret("key", "hush")),
        ("mail_password_file", folder.file("password", b"hush", 0o640)),
    ];
    let mut given: Vec<String> =
        flags.iter().map(|(flag, path)| format!("--{flag}={}", path.display())).collect();
    given.extend(args(&[
        "--mail_server=smtp.example:26",
        "--mail_from=c@example.org",
        "--mail_user=u",
        "--http_notification_url=https://tell.example/x",
        "--webhook_url=https://hook.example/x",
        "--notification_command=/bin/tell",
    ]));
    let file = folder.file(
        "chronode.yaml",
        b"channels:\n  local: {kind: webhook, url: 'http://127.0.0.1:9/', secret: k, private_addresses: true}\n",
        0o600,
    );
    given.push(format!("--config={}", file.display()));
    let channels = opened(&given).unwrap();
    let found: Vec<_> = channels.iter().map(|it| (it.name(), it.kind(), it.to())).collect();
    let expected = [
        ("mail", "mail", "smtp.example:26"),
        ("slack", "slack", "https://slack.example"),
        ("mattermost", "mattermost", "https://mattermost.example"),
        ("http", "http", "https://tell.example"),
        ("webhook", "webhook", "https://hook.example"),
        ("command", "command", "/bin/tell"),
        ("local", "webhook", "http://127.0.0.1:9"),
    ];
    assert_eq!(found, expected.map(|(name, kind, to)| (name, kind, to.to_owned())));
    assert!(!format!("{channels:?}").contains("hush"));
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let folder = Folder::new();
    for mode in [0o644, 0o604, 0o602, 0o660, 0o610] {
        let path = folder.file("url", b"https://slack.example/hush", mode);
        let told = problem(&[format!("--slack_url_file={}", path.display())]);
        let shown = path.display();
        let expected = format!(
            "--slack_url_file: `{shown}` can be read or changed by others (its mode is {mode:04o}): run `chmod 600 {shown}`"
        );
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn files_that_are_of_no_use_are_named_with_the_remedy() {
    let folder = Folder::new();
    let at = |name: &str| folder.0.path().join(name);
    let mail = ["--mail_server=smtp.example", "--mail_from=c@example.org", "--mail_user=u"];
    for (name, text, expected) in [
        ("empty", &b"\n"[..], "is empty; write the secret into it"),
        ("lines", b"a\nb", "has more than one line; it must hold the secret and nothing else"),
        ("bytes", b"\xff", "is no text; write the secret into it"),
    ] {
        let path = folder.file(name, text, 0o600);
        let told = problem(
            &[&args(&mail)[..], &[format!("--mail_password_file={}", path.display())]].concat(),
        );
        assert_eq!(told, format!("--mail_password_file: `{}` {expected}", path.display()));
    }
    let long = folder.file("long", &[b'x'; 64 * 1024 + 1], 0o600);
    for (path, expected) in [
        (at("missing"), format!("cannot read `{}`: ", at("missing").display())),
        (folder.0.path().to_owned(), format!("`{}` is no file", folder.0.path().display())),
        (long, "has more than 65536 bytes; give another file".to_owned()),
    ] {
        let told = problem(&[format!("--mattermost_url_file={}", path.display())]);
        assert!(told.starts_with("--mattermost_url_file: "), "{told}");
        assert!(told.contains(&expected), "{told}");
    }
    let login = folder.file("login", b"hush", 0o600);
    let told = problem(&[
        "--http_notification_url=https://tell.example/".to_owned(),
        format!("--http_notification_credentials_file={}", login.display()),
    ]);
    let place = "--http_notification_credentials_file";
    assert_eq!(told, format!("{place}: `{}` has to hold `user:password`", login.display()));
    let pem = folder.file("pem", b"no certificate", 0o644);
    let told =
        problem(&[&args(&mail[..2])[..], &[format!("--mail_ca_file={}", pem.display())]].concat());
    let expected = "has no certificate; give certificates in PEM";
    assert_eq!(told, format!("--mail_ca_file: `{}` {expected}", pem.display()));
}

#[test]
fn what_a_channel_cannot_be_is_told_with_its_place() {
    for (given, expected) in [
        (&["--slack_url=hush"][..], "--slack_url: the address of the hook is none"),
        (
            &["--notification_command=tell"],
            "--notification_command: the command of the channel begins with `tell`: give the whole path",
        ),
        (&["--webhook_url=http://10.0.0.1/", "--webhook_secret=k"], "--webhook_url: "),
    ] {
        let told = problem(&args(given));
        assert!(told.starts_with(expected), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }
    let private = [
        "--webhook_url=http://10.0.0.1/",
        "--webhook_secret=k",
        "--notification_private_addresses",
    ];
    assert_eq!(opened(&args(&private)).unwrap().len(), 1);
}

#[test]
fn all_that_is_wrong_with_channels_of_the_file_is_told_with_its_line() {
    let folder = Folder::new();
    let file = folder.file(
        "chronode.yaml",
        b"notification_private_addresses: true\nchannels:\n  a:\n    kind: webhook\n    url_file: /missing/url\n    \
          secret_file: /missing/secret\n  b: {kind: command, command: [tell]}\n  \
          c: {kind: slack, url: 'http://10.0.0.1/', private_addresses: false}\n",
        0o600,
    );
    let found = opened(&[format!("--config={}", file.display())]).unwrap_err();
    let shown = file.display();
    let expected = [
        format!("{shown}:5: channels.a.url_file: cannot read `/missing/url`: "),
        format!("{shown}:6: channels.a.secret_file: cannot read `/missing/secret`: "),
        format!("{shown}:7: channels.b: the command of the channel begins with `tell`"),
        format!("{shown}:8: channels.c: "),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn terms_say_who_is_told() {
    let nobody = terms(&read(&[]).1.notifications);
    assert_eq!(nobody, Terms::default(), "the defaults of the options are those of the terms");

    let folder = Folder::new();
    let file = folder.file(
        "chronode.yaml",
        b"channels:\n  quiet: {kind: command, command: [/a], by_default: false}\n  loud: {kind: command, command: [/a]}\n\
          routes:\n  - {prefix: a, to: [quiet]}\n",
        0o600,
    );
    let config = format!("--config={}", file.display());
    let given = [
        &config,
        "--mail_server=s",
        "--mail_from=c@example.org",
        "--operators=a@example.org",
        "--slack_url=https://a.example/",
        "--alert_burst=7",
        "--alert_window=60",
        "--alert_reminder=120",
        "--notification_days=2",
    ];
    let notifications = read(&args(&given)).1.notifications;
    let Terms { routes, operators, burst, window, remind_after, give_up_after, .. } =
        terms(&notifications);
    assert_eq!(routes.rules, notifications.rules);
    assert_eq!(routes.rules.len(), 1);
    let used: Vec<_> =
        routes.channels.iter().map(|it| (it.name.as_str(), it.per_owner, it.is_default)).collect();
    let expected = [
        ("mail", true, true),
        ("slack", false, true),
        ("quiet", false, false),
        ("loud", false, true),
    ];
    assert_eq!(used, expected);
    let target = |channel: &str, recipients: Option<&str>| RouteTarget {
        channel: channel.to_owned(),
        recipients: recipients.map(|one| vec![one.to_owned()]),
    };
    let expected =
        [target("mail", Some("a@example.org")), target("slack", None), target("loud", None)];
    assert_eq!(operators, expected);
    assert_eq!((burst, window.as_secs(), remind_after.as_secs()), (7, 60, 120));
    assert_eq!(give_up_after.as_secs(), 2 * 86_400);
}
