//! How somebody is told, and of what: what the flags come to.
//!
//! Each channel that flags make is called by what it is, and
//! gets every alert as long as there are no rules. More channels, and the rules, are in the file of options
//! (`written.rs`). Files are read where channels are made.

use std::path::PathBuf;

use super::channels::{
    Argv, ChannelKind, ChannelSettings, FileName, HookSettings, MailSettings, Place, SecretSource,
    server,
};
use super::{ConfigError, NotificationFlags, Secret, refuse, source};
use crate::alerts::{BURST_MAX, Rule};
use crate::model::{Duration, SECRET_SHOWN};
use crate::notify::{Encryption, check_address};

/// What is said where a configuration that was shown is read again.
pub(super) const NOT_SHOWN: &str =
    "secrets are not shown, and this stands for one: put the secret in again, or name its file";

/// How somebody is told, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct Notifications {
    /// The ways to send: those of flags, then those of the file. Names are unique.
    pub channels: Vec<ChannelSettings>,
    /// Which alerts go where, in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// Addresses told by mail of what concerns the scheduler.
    pub operators: Vec<String>,
    /// Whether hooks that do not say may reach private addresses.
    pub private_addresses: bool,
    /// Messages for one recipient within [`Self::window`].
    pub burst: u32,
    /// In which time a burst is counted.
    pub window: Duration,
    /// How long nothing is said of trouble that goes on.
    pub remind_after: Duration,
    /// How long a message is tried.
    pub give_up_after: Duration,
    /// What this installation is called; empty if it has no name.
    pub cluster_name: String,
}

impl Notifications {
    /// The channel that operators are told by: `mail`, or the first one of the file that sends mail.
    #[must_use]
    pub fn operators_channel(&self) -> Option<&ChannelSettings> {
        let is_mail = |it: &&ChannelSettings| matches!(it.kind, ChannelKind::Mail(_));
        self.channels.iter().find(is_mail)
    }
}

/// The variables that a program which tells somebody gets beside its own: `PATH`, `HOME` and `LANG` of this process, as
/// far as there are such.
#[must_use]
pub fn program_environment() -> Vec<(String, String)> {
    let variable = |name: &str| {
        let text = source::process(name)?.into_string().ok()?;
        Some((name.to_owned(), text))
    };
    ["PATH", "HOME", "LANG"].into_iter().filter_map(variable).collect()
}

/// Names of the channels that flags make.
pub(super) const FLAG_CHANNELS: [(&str, &str); 6] = [
    ("mail", "mail_server"),
    ("slack", "slack_url"),
    ("mattermost", "mattermost_url"),
    ("http", "http_notification_url"),
    ("webhook", "webhook_url"),
    ("command", "notification_command"),
];

/// A day: a longer window would hold messages back for longer.
const WINDOW_MAX: u32 = 86_400;
/// A month; what is to be heard of again later has a calendar of its own.
const REMINDER_MAX: u32 = 31 * 86_400;
/// A message of a year ago tells nobody anything.
const DAYS_MAX: u32 = 365;

/// What flags say, and all that is wrong with it.
#[derive(Debug)]
pub(super) struct Read {
    /// What is left without what is wrong.
    pub(super) notifications: Notifications,
    /// Channels that are meant, though something may be wrong with them.
    pub(super) meant: Vec<&'static str>,
    pub(super) errors: Vec<ConfigError>,
}

/// Reads the flags.
pub(super) fn read(flags: NotificationFlags) -> Read {
    let mut reader = Reader { channels: Vec::new(), meant: Vec::new(), errors: Vec::new() };
    reader.mail(&flags);
    reader.chat("slack", "slack_url", "slack_url_file", &flags.slack_url, &flags.slack_url_file);
    reader.chat(
        "mattermost",
        "mattermost_url",
        "mattermost_url_file",
        &flags.mattermost_url,
        &flags.mattermost_url_file,
    );
    reader.http(&flags);
    reader.webhook(&flags);
    if let Some(program) = given(&flags.notification_command) {
        reader.meant.push("command");
        let argv = Argv(vec![program.to_owned()]);
        reader.add("command", "notification_command", ChannelKind::Command(argv));
    }
    let Reader { channels, meant, mut errors } = reader;
    let mut within = |flag: &'static str, found: u32, max: u32| {
        if !(1..=max).contains(&found) {
            errors.push(refuse(flag, found, &format!("give a number from 1 to {max}")));
        }
        i64::from(found.clamp(1, max))
    };
    let burst = within("alert_burst", flags.alert_burst, BURST_MAX);
    let window = within("alert_window", flags.alert_window, WINDOW_MAX);
    let remind_after = within("alert_reminder", flags.alert_reminder, REMINDER_MAX);
    let days = within("notification_days", flags.notification_days, DAYS_MAX);
    let operators = operators(&flags.operators, &mut errors);
    let cluster_name = cluster_name(given(&flags.cluster_name), &mut errors);
    let notifications = Notifications {
        channels,
        rules: Vec::new(),
        operators,
        private_addresses: flags.notification_private_addresses,
        burst: u32::try_from(burst).unwrap_or(BURST_MAX),
        window: Duration::from_secs(window),
        remind_after: Duration::from_secs(remind_after),
        give_up_after: Duration::from_hours(24 * days),
        cluster_name,
    };
    Read { notifications, meant, errors }
}

/// What was given. Chronos' packages leave files of options that are empty.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn operators(text: &str, errors: &mut Vec<ConfigError>) -> Vec<String> {
    let mut operators: Vec<String> = Vec::new();
    for address in text.split(',').map(str::trim).filter(|address| !address.is_empty()) {
        if let Err(why) = check_address(address) {
            let expected = format!(
                "`{}` cannot get mail: {why}; give addresses with commas between them, as \
                 `ops@example.org,lead@example.org`",
                address.escape_debug()
            );
            errors.push(refuse("operators", text, &expected));
        } else if !operators.iter().any(|known| known == address) {
            operators.push(address.to_owned());
        }
    }
    operators
}

fn cluster_name(name: Option<&str>, errors: &mut Vec<ConfigError>) -> String {
    const BYTES_MAX: usize = 100;
    let name = name.unwrap_or_default();
    if name.len() > BYTES_MAX || name.chars().any(char::is_control) {
        let expected = "give a name of at most 100 bytes on one line";
        errors.push(refuse("cluster_name", name.escape_debug(), expected));
        return String::new();
    }
    name.to_owned()
}

struct Reader {
    channels: Vec<ChannelSettings>,
    meant: Vec<&'static str>,
    errors: Vec<ConfigError>,
}

/// A secret that was given.
struct SecretGiven {
    /// The flag that it was given by.
    flag: &'static str,
    source: SecretSource,
}

impl Reader {
    fn add(&mut self, name: &'static str, flag: &'static str, kind: ChannelKind) {
        self.channels.push(ChannelSettings {
            name: name.to_owned(),
            place: Place::Option(flag),
            by_default: true,
            kind,
        });
    }

    fn refuse(&mut self, flag: &'static str, found: impl ToString, expected: &str) {
        self.errors.push(refuse(flag, found, expected));
    }

    /// A secret, from its flag or that of its file.
    fn secret(
        &mut self,
        (flag, value): (&'static str, &Option<Secret>),
        (file_flag, file): (&'static str, &Option<PathBuf>),
    ) -> Option<SecretGiven> {
        let value = value.as_ref().filter(|value| !value.expose().is_empty());
        let file = file.as_ref().filter(|file| !file.as_os_str().is_empty());
        if let (Some(_), Some(file)) = (value, file) {
            let expected = format!("--{flag} is given too: leave one of them out");
            self.refuse(file_flag, file.display(), &expected);
        }
        match (value, file) {
            (Some(value), _) => {
                if value.expose() == SECRET_SHOWN {
                    self.refuse(flag, SECRET_SHOWN, NOT_SHOWN);
                }
                Some(SecretGiven { flag, source: SecretSource::Text(value.clone()) })
            }
            (None, Some(path)) => {
                let file = FileName { path: path.clone(), place: Place::Option(file_flag) };
                Some(SecretGiven { flag: file_flag, source: SecretSource::File(file) })
            }
            (None, None) => None,
        }
    }

    /// Refuses a secret that belongs to something that is not there.
    fn homeless(&mut self, secret: &SecretGiven, expected: &str) {
        let found = match &secret.source {
            SecretSource::Text(_) => SECRET_SHOWN.to_owned(),
            SecretSource::File(file) => file.path.display().to_string(),
        };
        self.refuse(secret.flag, found, expected);
    }

    fn mail(&mut self, flags: &NotificationFlags) {
        let login = self.mail_login(flags);
        let encryption = match (flags.mail_ssl, flags.mail_starttls) {
            (true, true) => {
                let expected =
                    "--mail_ssl is given too, which needs no STARTTLS: leave one of them out";
                self.refuse("mail_starttls", true, expected);
                Encryption::Tls
            }
            (true, false) => Encryption::Tls,
            (false, true) => Encryption::StartTls,
            (false, false) => Encryption::Offered,
        };
        let (address, from) = match (given(&flags.mail_server), given(&flags.mail_from)) {
            (Some(address), Some(from)) => (address, from),
            (None, None) => {
                self.idle_mail(flags, login.as_ref());
                return;
            }
            (Some(address), None) => {
                self.meant.push("mail");
                let expected = "name the sender too: --mail_from, as `chronode@example.org`";
                self.refuse("mail_server", address, expected);
                return;
            }
            (None, Some(from)) => {
                self.meant.push("mail");
                let expected = "name the server too: --mail_server, as `smtp.example.org:587`";
                self.refuse("mail_from", from, expected);
                return;
            }
        };
        self.meant.push("mail");
        let server = server(address, encryption);
        if let Err(expected) = &server {
            self.refuse("mail_server", address, expected);
        }
        if let Err(why) = check_address(from) {
            let expected = format!(
                "mail cannot come from there: {why}; give an address as `chronode@example.org`"
            );
            self.refuse("mail_from", from.escape_debug(), &expected);
            return;
        }
        let Ok((host, port)) = server else { return };
        let mail = MailSettings {
            host,
            port,
            encryption,
            login: login.and_then(|(user, secret)| Some((user?, secret?.source))),
            password_in_clear: flags.mail_password_in_clear,
            from: from.to_owned(),
            ca_file: file(&flags.mail_ca_file, "mail_ca_file"),
        };
        self.add("mail", "mail_server", ChannelKind::Mail(mail));
    }

    /// User and password, if there is any of both.
    fn mail_login(
        &mut self,
        flags: &NotificationFlags,
    ) -> Option<(Option<String>, Option<SecretGiven>)> {
        let password = self.secret(
            ("mail_password", &flags.mail_password),
            ("mail_password_file", &flags.mail_password_file),
        );
        match (given(&flags.mail_user), password) {
            (None, None) => None,
            (Some(user), None) => {
                let expected = "give the password too: --mail_password_file or --mail_password";
                self.refuse("mail_user", user, expected);
                Some((Some(user.to_owned()), None))
            }
            (None, Some(password)) => {
                self.homeless(&password, "name whose password it is too: --mail_user");
                Some((None, Some(password)))
            }
            (Some(user), Some(password)) => Some((Some(user.to_owned()), Some(password))),
        }
    }

    /// Refuses what is said of mail where there is none.
    fn idle_mail(
        &mut self,
        flags: &NotificationFlags,
        login: Option<&(Option<String>, Option<SecretGiven>)>,
    ) {
        const EXPECTED: &str =
            "no mail is sent without --mail_server and --mail_from: give both, or leave it out";
        if let Some((Some(user), Some(_))) = login {
            self.refuse("mail_user", user, EXPECTED);
        }
        if let Some(file) = file(&flags.mail_ca_file, "mail_ca_file") {
            self.refuse("mail_ca_file", file.path.display(), EXPECTED);
        }
    }

    /// An address that is a secret.
    fn chat(
        &mut self,
        name: &'static str,
        flag: &'static str,
        file_flag: &'static str,
        url: &Option<Secret>,
        file: &Option<PathBuf>,
    ) {
        let Some(url) = self.secret((flag, url), (file_flag, file)) else { return };
        self.meant.push(name);
        let hook = hook(url.source);
        let kind =
            if name == "slack" { ChannelKind::Slack(hook) } else { ChannelKind::Mattermost(hook) };
        self.add(name, url.flag, kind);
    }

    fn http(&mut self, flags: &NotificationFlags) {
        let credentials = self.secret(
            ("http_notification_credentials", &flags.http_notification_credentials),
            ("http_notification_credentials_file", &flags.http_notification_credentials_file),
        );
        let Some(url) = given(&flags.http_notification_url) else {
            if let Some(credentials) = credentials {
                self.homeless(&credentials, "say who gets them too: --http_notification_url");
            }
            return;
        };
        self.meant.push("http");
        if let Some(SecretSource::Text(text)) = credentials.as_ref().map(|it| &it.source)
            && text.expose() != SECRET_SHOWN
            && !text.expose().contains(':')
        {
            self.refuse("http_notification_credentials", "***", "write `user:password`");
        }
        let hook = hook(SecretSource::Text(Secret::new(url)));
        let credentials = credentials.map(|it| it.source);
        self.add("http", "http_notification_url", ChannelKind::Http { hook, credentials });
    }

    fn webhook(&mut self, flags: &NotificationFlags) {
        let secret = self.secret(
            ("webhook_secret", &flags.webhook_secret),
            ("webhook_secret_file", &flags.webhook_secret_file),
        );
        match (given(&flags.webhook_url), secret) {
            (None, None) => {}
            (None, Some(secret)) => {
                self.homeless(&secret, "say where signed messages go too: --webhook_url");
            }
            (Some(url), None) => {
                self.meant.push("webhook");
                let expected = "give the key that its messages are signed with too: --webhook_secret_file or \
                                --webhook_secret";
                self.refuse("webhook_url", url, expected);
            }
            (Some(url), Some(secret)) => {
                self.meant.push("webhook");
                let hook = hook(SecretSource::Text(Secret::new(url)));
                let kind = ChannelKind::Webhook { hook, secret: secret.source };
                self.add("webhook", "webhook_url", kind);
            }
        }
    }
}

fn hook(url: SecretSource) -> HookSettings {
    HookSettings { url, private_addresses: None, ca_file: None }
}

fn file(path: &Option<PathBuf>, flag: &'static str) -> Option<FileName> {
    let path = path.as_ref().filter(|path| !path.as_os_str().is_empty())?;
    Some(FileName { path: path.clone(), place: Place::Option(flag) })
}
