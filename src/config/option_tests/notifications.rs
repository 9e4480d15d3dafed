//! Flags about notifications.

use super::*;
use crate::config::{
    Argv, ChannelKind, ChannelSettings, MailSettings, Notifications, Secret, SecretSource,
};
use crate::model::Duration;
use crate::notify::Encryption;

fn notifications(args: &[&str]) -> Notifications {
    config(&resolution(args, &[])).notifications
}

fn channel(args: &[&str]) -> ChannelSettings {
    let [channel] = notifications(args).channels.try_into().unwrap();
    channel
}

fn mail(args: &[&str]) -> MailSettings {
    let args = [&["--mail_server", "smtp.example", "--mail_from", "c@example.org"], args].concat();
    let channel = channel(&args);
    assert_eq!(channel.name, "mail");
    let ChannelKind::Mail(mail) = channel.kind else { panic!("{channel:?}") };
    mail
}

fn text(secret: &str) -> SecretSource {
    SecretSource::Text(Secret::new(secret))
}

fn path(source: &SecretSource) -> &Path {
    let SecretSource::File(file) = source else { panic!("{source:?}") };
    &file.path
}

#[test]
fn nobody_is_told_unless_somebody_says_how() {
    let found = notifications(&[]);
    assert_eq!(found.channels, []);
    assert_eq!(found.rules, []);
    assert_eq!(found.operators, [] as [&str; 0]);
    assert_eq!((found.burst, found.window), (5, Duration::from_mins(10)));
    assert_eq!(found.remind_after, Duration::from_hours(1));
    assert_eq!(found.give_up_after, Duration::from_hours(72));
    assert_eq!((found.cluster_name.as_str(), found.private_addresses), ("", false));
    // Chronos' packages leave files without content.
    let empty =
        ["mail_server", "mail_from", "mail_user", "mail_password", "slack_url", "cluster_name"];
    let empty = empty.map(|name| format!("--{name}="));
    let empty: Vec<&str> = empty.iter().map(String::as_str).collect();
    assert_eq!(notifications(&empty), found);
}

#[test]
fn mail_is_as_its_flags_say() {
    let plain = mail(&[]);
    assert_eq!((plain.host.as_str(), plain.port), ("smtp.example", 25));
    assert_eq!((plain.encryption, plain.from.as_str()), (Encryption::Offered, "c@example.org"));
    assert_eq!((&plain.login, plain.password_in_clear, &plain.ca_file), (&None, false, &None));

    let ssl = mail(&["--mail_ssl"]);
    assert_eq!((ssl.encryption, ssl.port), (Encryption::Tls, 465));
    assert_eq!(mail(&["--mail_starttls=true"]).encryption, Encryption::StartTls);
    let hyphened = channel(&["--mail-server=[::1]:2525", "--mail-from=c@example.org"]).kind;
    assert!(
        matches!(hyphened, ChannelKind::Mail(mail) if (mail.host.as_str(), mail.port) == ("::1", 2525))
    );
    assert!(mail(&["--mail_password_in_clear"]).password_in_clear);
    assert_eq!(mail(&["--mail_ca_file", "/ca"]).ca_file.unwrap().path, Path::new("/ca"));

    let login = mail(&["--mail_user", "u", "--mail_password", "hush"]).login.unwrap();
    assert_eq!(login, ("u".to_owned(), text("hush")));
    let (user, password) = mail(&["--mail_user", "u", "--mail_password_file", "/p"]).login.unwrap();
    assert_eq!((user.as_str(), path(&password)), ("u", Path::new("/p")));
}

#[test]
fn each_hook_and_the_command_is_a_channel_that_gets_every_alert() {
    let name = |args: &[&str]| {
        let found = channel(args);
        assert!(found.by_default, "{found:?}");
        assert_eq!(found.name, found.kind.name());
        found
    };
    for (flag, kind) in [("slack_url", "slack"), ("mattermost_url", "mattermost")] {
        let found = name(&[&format!("--{flag}"), "https://chat.example/hush"]);
        assert_eq!((found.kind.name(), found.is_per_owner()), (kind, false));
        let (ChannelKind::Slack(hook) | ChannelKind::Mattermost(hook)) = found.kind else {
            panic!("{found:?}")
        };
        assert_eq!((hook.url, hook.private_addresses), (text("https://chat.example/hush"), None));
        let found = name(&[&format!("--{flag}_file"), "/url"]);
        let (ChannelKind::Slack(hook) | ChannelKind::Mattermost(hook)) = found.kind else {
            panic!("{found:?}")
        };
        assert_eq!(path(&hook.url), Path::new("/url"));
    }

    let url = ["--http_notification_url", "https://tell.example/"];
    let found = name(&url);
    assert!(found.is_per_owner());
    assert!(matches!(found.kind, ChannelKind::Http { credentials: None, .. }));
    for (flag, expected) in [("", Some(text("u:p"))), ("_file", None)] {
        let flag = format!("--http_notification_credentials{flag}");
        let found = name(&[&url[..], &[&flag, "u:p"]].concat());
        let ChannelKind::Http { credentials: Some(credentials), .. } = found.kind else {
            panic!("{found:?}")
        };
        match expected {
            Some(expected) => assert_eq!(credentials, expected),
            None => assert_eq!(path(&credentials), Path::new("u:p")),
        }
    }

    let url = ["--webhook_url", "https://tell.example/"];
    let found = name(&[&url[..], &["--webhook_secret", "key"]].concat());
    assert!(matches!(found.kind, ChannelKind::Webhook { secret, .. } if secret == text("key")));
    let found = name(&[&url[..], &["--webhook_secret_file", "/key"]].concat());
    let ChannelKind::Webhook { secret, .. } = found.kind else { panic!("{found:?}") };
    assert_eq!(path(&secret), Path::new("/key"));

    let found = name(&["--notification_command", "/bin/tell"]);
    assert_eq!(found.kind, ChannelKind::Command(Argv(vec!["/bin/tell".to_owned()])));
}

#[test]
fn how_often_and_how_long_somebody_is_told() {
    let found = notifications(&[
        "--alert_burst=50",
        "--alert_window=60",
        "--alert_reminder=7200",
        "--notification_days=1",
        "--cluster_name= prod ",
        "--notification_private_addresses",
        "--slack_url=https://chat.example/",
        "--mail_server=smtp.example",
        "--mail_from=Chronode <c@example.org>",
        "--operators=ops@example.org, Lead <lead@example.org>,,ops@example.org",
    ]);
    assert_eq!((found.burst, found.window), (50, Duration::from_mins(1)));
    assert_eq!(found.remind_after, Duration::from_hours(2));
    assert_eq!(found.give_up_after, Duration::from_hours(24));
    assert_eq!((found.cluster_name.as_str(), found.private_addresses), ("prod", true));
    assert_eq!(found.operators, ["ops@example.org", "Lead <lead@example.org>"]);
    assert_eq!(found.operators_channel().unwrap().name, "mail");
}

#[test]
fn what_is_wrong_with_flags_is_told_with_the_flag_and_the_remedy() {
    let mail = ["--mail_server=smtp.example", "--mail_from=c@example.org"];
    for (args, expected) in [
        (
            &["--mail_server=smtp.example"][..],
            "--mail_server `smtp.example`: name the sender too: --mail_from",
        ),
        (
            &["--mail_from=c@example.org"],
            "--mail_from `c@example.org`: name the server too: --mail_server",
        ),
        (
            &["--mail_server=smtp.example", "--operators=a@example.org"],
            "name the sender too: --mail_from",
        ),
        (
            &["--mail_server=smtp:x", mail[1]],
            "--mail_server `smtp:x`: write a host, or host and port",
        ),
        (
            &[mail[0], "--mail_from=nobody"],
            "--mail_from `nobody`: mail cannot come from there: it is no mail address; give",
        ),
        (
            &[mail[0], mail[1], "--mail_user=u"],
            "--mail_user `u`: give the password too: --mail_password_file",
        ),
        (
            &[mail[0], mail[1], "--mail_password=hush"],
            "--mail_password `***`: name whose password it is too: --mail_user",
        ),
        (
            &[mail[0], mail[1], "--mail_password_file=/p"],
            "--mail_password_file `/p`: name whose password it is too: --mail_user",
        ),
        (
            &[mail[0], mail[1], "--mail_user=u", "--mail_password=hush", "--mail_password_file=/p"],
            "--mail_password_file `/p`: --mail_password is given too: leave one of them out",
        ),
        (
            &[mail[0], mail[1], "--mail_ssl", "--mail_starttls"],
            "--mail_starttls `true`: --mail_ssl is given too",
        ),
        (
            &["--mail_user=u", "--mail_password=hush"],
            "--mail_user `u`: no mail is sent without --mail_server and --mail_from",
        ),
        (
            &["--mail_ca_file=/ca"],
            "--mail_ca_file `/ca`: no mail is sent without --mail_server and --mail_from",
        ),
        (
            &["--slack_url=https://hush", "--slack_url_file=/url"],
            "--slack_url_file `/url`: --slack_url is given too: leave one of them out",
        ),
        (
            &["--mattermost_url=https://hush", "--mattermost_url_file=/url"],
            "--mattermost_url_file `/url`: --mattermost_url is given too: leave one of them out",
        ),
        (
            &["--http_notification_credentials=hu:sh"],
            "--http_notification_credentials `***`: say who gets them too: --http_notification_url",
        ),
        (
            &["--http_notification_url=https://a", "--http_notification_credentials=hush"],
            "--http_notification_credentials `***`: write `user:password`",
        ),
        (
            &[
                "--http_notification_url=https://a",
                "--http_notification_credentials=hu:sh",
                "--http_notification_credentials_file=/c",
            ],
            "--http_notification_credentials_file `/c`: --http_notification_credentials is given too",
        ),
        (
            &["--webhook_url=https://a"],
            "--webhook_url `https://a`: give the key that its messages are signed with too: --webhook_secret_file",
        ),
        (
            &["--http_notification_url=https://a", "--http_notification_credentials=***"],
            "--http_notification_credentials `***`: secrets are not shown, and this stands for one",
        ),
        (
            &["--webhook_url=https://a", "--webhook_secret=***"],
            "--webhook_secret `***`: secrets are not shown, and this stands for one",
        ),
        (
            &[mail[0], mail[1], "--mail_user=u", "--mail_password=***"],
            "--mail_password `***`: secrets are not shown, and this stands for one",
        ),
        (&["--slack_url=***"], "--slack_url `***`: secrets are not shown, and this stands for one"),
        (
            &["--webhook_secret=hush"],
            "--webhook_secret `***`: say where signed messages go too: --webhook_url",
        ),
        (
            &["--webhook_url=https://a", "--webhook_secret=hush", "--webhook_secret_file=/k"],
            "--webhook_secret_file `/k`: --webhook_secret is given too",
        ),
        (
            &["--operators=ops@example.org"],
            "--operators `ops@example.org`: they are told by mail, and no channel sends any: give --mail_server",
        ),
        (
            &[mail[0], mail[1], "--operators=ops@example.org,ops"],
            "--operators `ops@example.org,ops`: `ops` cannot get mail: it is no mail address; give addresses",
        ),
        (&["--alert_burst=0"], "--alert_burst `0`: give a number from 1 to 50"),
        (&["--alert_burst=51"], "--alert_burst `51`: give a number from 1 to 50"),
        (&["--alert_window=0"], "--alert_window `0`: give a number from 1 to 86400"),
        (&["--alert_reminder=0"], "--alert_reminder `0`: give a number from 1 to 2678400"),
        (&["--notification_days=366"], "--notification_days `366`: give a number from 1 to 365"),
        (
            &["--cluster_name=two\nlines"],
            "--cluster_name `two\\nlines`: give a name of at most 100 bytes on one line",
        ),
    ] {
        let found = problems(&resolution(args, &[]));
        assert_eq!(found.len(), 1, "{args:?}: {found:?}");
        assert!(found[0].contains(expected), "{args:?}: {found:?}");
        assert!(!found[0].contains("hush") && !found[0].contains("hu:sh"), "{found:?}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_where_it_is() {
    let place = Place::new();
    let directory = place.directory(&[("mail_server", "smtp.example\n"), ("alert_burst", "0")]);
    let env = [("CHRONODE_WEBHOOK_URL", "https://a.example/")];
    let found = problems(&resolution(&["--config_dir", &directory, "--alert_window=0"], &env));
    let begins = |start: String| found.iter().any(|problem| problem.starts_with(&start));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(begins(format!("{directory}/mail_server `smtp.example`: ")), "{found:?}");
    assert!(begins(format!("{directory}/alert_burst `0`: ")), "{found:?}");
    assert!(begins("CHRONODE_WEBHOOK_URL `https://a.example/`: ".to_owned()), "{found:?}");
    assert!(begins("--alert_window `0`: ".to_owned()), "{found:?}");
}

#[test]
fn sentry_has_a_successor() {
    let found = resolution(&["--raven_dsn", "https://k@sentry.example/1"], &[]);
    config(&found);
    assert!(found.warnings()[0].contains("`webhook_url`"), "{:?}", found.warnings());
}

#[test]
fn secrets_of_notifications_are_printed_nowhere() {
    let args = [
        "--mail_server=smtp.example",
        "--mail_from=c@example.org",
        "--mail_user=u",
        "--mail_password=hush1",
        "--slack_url=https://a.example/hush2",
        "--mattermost_url=https://a.example/hush3",
        "--http_notification_url=https://a.example/",
        "--http_notification_credentials=u:hush4",
        "--webhook_url=https://a.example/",
        "--webhook_secret=hush5",
    ];
    let found = resolution(&args, &[]);
    let config = config(&found);
    assert_eq!(config.notifications.channels.len(), 5);
    let told = format!("{}{config:?}{:?}", print(&found), found.warnings());
    assert!(!told.contains("hush"), "{told}");
    let exposed = found.warnings().iter().filter(|told| told.contains("everybody")).count();
    assert_eq!(exposed, 5, "{:?}", found.warnings());
}
