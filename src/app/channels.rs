//! The channels that somebody is told by, made of what is configured; and on which terms.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::alerts::{ChannelUse, RouteTarget, Routes, Terms};
use crate::config::{
    ChannelKind, ChannelSettings, FileName, HookSettings, MailSettings, Notifications, Place,
    SecretSource,
};
use crate::notify::{Channel, ChannelConfig, CommandConfig, HookConfig, MailConfig, Secret};

/// Bits of a secret's mode that let somebody else have it. Its group may read it.
const OPEN_BITS: u32 = 0o037;
/// No secret is longer.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// All authorities there are come to less.
const PEM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What channels take from the process and its machine.
pub(super) struct Surroundings<'a> {
    /// How this machine introduces itself to mail servers.
    pub(super) hostname: &'a str,
    /// The variables that programs get.
    pub(super) environment: Vec<(String, String)>,
    /// Where something is written, as words that begin a sentence.
    pub(super) place: &'a dyn Fn(&Place) -> String,
}

/// Makes the channels: reads the files of secrets and certificates, and refuses what cannot be right.
///
/// # Errors
///
/// All that is wrong, each a sentence with its place and no secret.
pub(super) fn open(
    notifications: &Notifications,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Channel>, Vec<String>> {
    let mut opener =
        Opener { surroundings, private: notifications.private_addresses, problems: Vec::new() };
    let channels: Vec<Channel> =
        notifications.channels.iter().filter_map(|settings| opener.open(settings)).collect();
    if opener.problems.is_empty() { Ok(channels) } else { Err(opener.problems) }
}

/// On which terms people are told.
pub(super) fn terms(notifications: &Notifications) -> Terms {
    let channels = &notifications.channels;
    let by_mail = notifications.operators_channel().filter(|_| !notifications.operators.is_empty());
    let by_mail = by_mail.map(|channel| RouteTarget {
        channel: channel.name.clone(),
        recipients: Some(notifications.operators.clone()),
    });
    let to_all = channels.iter().filter(|channel| channel.by_default && !channel.is_per_owner());
    let to_all =
        to_all.map(|channel| RouteTarget { channel: channel.name.clone(), recipients: None });
    let used = channels.iter().map(|channel| ChannelUse {
        name: channel.name.clone(),
        per_owner: channel.is_per_owner(),
        is_default: channel.by_default,
    });
    Terms {
        routes: Routes { rules: notifications.rules.clone(), channels: used.collect() },
        operators: by_mail.into_iter().chain(to_all).collect(),
        burst: notifications.burst,
        window: notifications.window,
        remind_after: notifications.remind_after,
        give_up_after: notifications.give_up_after,
        ..Terms::default()
    }
}

struct Opener<'a> {
    surroundings: &'a Surroundings<'a>,
    /// Whether hooks that do not say may reach private addresses.
    private: bool,
    problems: Vec<String>,
}

impl Opener<'_> {
    fn open(&mut self, settings: &ChannelSettings) -> Option<Channel> {
        let config = match &settings.kind {
            ChannelKind::Mail(mail) => self.mail(mail).map(ChannelConfig::Mail),
            ChannelKind::Slack(hook) => self.hook(hook).map(ChannelConfig::Slack),
            ChannelKind::Mattermost(hook) => self.hook(hook).map(ChannelConfig::Mattermost),
            ChannelKind::Http { hook, credentials } => {
                let hook = self.hook(hook);
                let credentials = match credentials {
                    Some(credentials) => self.credentials(credentials).map(Some),
                    None => Some(None),
                };
                hook.zip(credentials)
                    .map(|(hook, credentials)| ChannelConfig::Http { hook, credentials })
            }
            ChannelKind::Webhook { hook, secret } => {
                let hook = self.hook(hook);
                let secret = self.secret(secret);
                hook.zip(secret).map(|(hook, secret)| ChannelConfig::Webhook {
                    hook,
                    secret: Secret::new(secret),
                })
            }
            ChannelKind::Command(argv) => Some(ChannelConfig::Command(CommandConfig {
                environment: self.surroundings.environment.clone(),
                ..CommandConfig::new(argv.0.clone())
            })),
        };
        match Channel::new(settings.name.clone(), config?) {
            Ok(channel) => Some(channel),
            Err(error) => {
                self.tell(&settings.place, &error.to_string());
                None
            }
        }
    }

    fn tell(&mut self, place: &Place, problem: &str) {
        self.problems.push(format!("{}: {problem}", (self.surroundings.place)(place)));
    }

    fn mail(&mut self, settings: &MailSettings) -> Option<MailConfig> {
        let MailSettings { host, port, encryption, login, password_in_clear, from, ca_file } =
            settings;
        let login = match login {
            Some((user, password)) => {
                let password = self.secret(password);
                password.map(|password| Some((user.clone(), Secret::new(password))))
            }
            None => Some(None),
        };
        let trusted = self.pem(ca_file.as_ref());
        Some(MailConfig {
            encryption: *encryption,
            login: login?,
            shows_password_in_clear: *password_in_clear,
            trusted_pem: trusted?,
            hello_name: Some(self.surroundings.hostname.to_owned()),
            ..MailConfig::new(host.clone(), *port, from.clone())
        })
    }

    fn hook(&mut self, settings: &HookSettings) -> Option<HookConfig> {
        let HookSettings { url, private_addresses, ca_file } = settings;
        let url = self.secret(url);
        let trusted = self.pem(ca_file.as_ref());
        Some(HookConfig {
            allow_private: private_addresses.unwrap_or(self.private),
            trusted_pem: trusted?,
            ..HookConfig::new(url?)
        })
    }

    fn credentials(&mut self, source: &SecretSource) -> Option<Secret> {
        let text = self.secret(source)?;
        match source {
            SecretSource::File(file) if !text.contains(':') => {
                let problem = format!("`{}` has to hold `user:password`", file.path.display());
                self.tell(&file.place, &problem);
                None
            }
            SecretSource::File(_) | SecretSource::Text(_) => Some(Secret::new(text)),
        }
    }

    fn secret(&mut self, source: &SecretSource) -> Option<String> {
        let file = match source {
            SecretSource::Text(text) => return Some(text.expose().to_owned()),
            SecretSource::File(file) => file,
        };
        read_secret(&file.path).map_err(|problem| self.tell(&file.place, &problem)).ok()
    }

    /// Certificates, if there is a file of them.
    #[expect(clippy::option_option, reason = "the outer one is whether it went well")]
    fn pem(&mut self, file: Option<&FileName>) -> Option<Option<Vec<u8>>> {
        let Some(FileName { path, place }) = file else { return Some(None) };
        let read = read(path, PEM_BYTES_MAX, 0).and_then(|bytes| {
            let mark = b"-----BEGIN CERTIFICATE-----";
            if bytes.windows(mark.len()).any(|found| found == mark) {
                Ok(bytes)
            } else {
                Err(format!("`{}` has no certificate; give certificates in PEM", path.display()))
            }
        });
        read.map(Some).map_err(|problem| self.tell(place, &problem)).ok()
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    let wrong = |why: &str| format!("`{}` {why}", path.display());
    let bytes = read(path, SECRET_BYTES_MAX, OPEN_BITS)?;
    let text =
        String::from_utf8(bytes).map_err(|_| wrong("is no text; write the secret into it"))?;
    // An editor ends the line.
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(wrong("is empty; write the secret into it"));
    }
    if secret.chars().any(char::is_control) {
        return Err(wrong("has more than one line; it must hold the secret and nothing else"));
    }
    Ok(secret.to_owned())
}

/// Reads a file of at most so many bytes and with none of `open_bits` in its mode.
fn read(path: &Path, bytes_max: u64, open_bits: u32) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read `{shown}`: {error}");
    let metadata = std::fs::metadata(path).map_err(failed)?;
    // Opening something else may take for ever.
    if !metadata.is_file() {
        return Err(format!("`{shown}` is no file; give the path of one"));
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & open_bits != 0 {
        return Err(format!(
            "`{shown}` can be read or changed by others (its mode is {mode:04o}): run `chmod 600 {shown}`, and take \
             another secret if somebody may have read it"
        ));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("`{shown}` has more than {bytes_max} bytes; give another file"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
