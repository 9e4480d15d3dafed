//! What is said of channels, from flags or from the file: how each sends, and where that is written.
//!
//! Secrets are not in what `Debug` prints.

use std::fmt;
use std::path::PathBuf;

use super::Secret;
use crate::notify::Encryption;

/// A way to send.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSettings {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// Whether it gets every alert if there are no rules.
    pub by_default: bool,
    /// How it sends.
    pub kind: ChannelKind,
}

impl ChannelSettings {
    /// Whether it sends to each owner of a job, and not to whom it always reaches.
    #[must_use]
    pub const fn is_per_owner(&self) -> bool {
        match &self.kind {
            ChannelKind::Mail(_) | ChannelKind::Http { .. } => true,
            ChannelKind::Slack(_)
            | ChannelKind::Mattermost(_)
            | ChannelKind::Webhook { .. }
            | ChannelKind::Command(_) => false,
        }
    }
}

/// How a channel sends.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelKind {
    /// Mail.
    Mail(MailSettings),
    /// An incoming webhook of Slack.
    Slack(HookSettings),
    /// One of Mattermost.
    Mattermost(HookSettings),
    /// The callback of Chronos.
    Http {
        /// Where.
        hook: HookSettings,
        /// `user:password`.
        credentials: Option<SecretSource>,
    },
    /// A signed POST.
    Webhook {
        /// Where.
        hook: HookSettings,
        /// The key of the signature.
        secret: SecretSource,
    },
    /// A program.
    Command(Argv),
}

impl ChannelKind {
    /// Its name in the file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Slack(_) => "slack",
            Self::Mattermost(_) => "mattermost",
            Self::Http { .. } => "http",
            Self::Webhook { .. } => "webhook",
            Self::Command(_) => "command",
        }
    }
}

/// A mail server, and what is shown to it.
#[derive(Debug, Clone, PartialEq)]
pub struct MailSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub encryption: Encryption,
    /// User and password.
    pub login: Option<(String, SecretSource)>,
    /// Whether the password is shown without encryption too.
    pub password_in_clear: bool,
    /// The sender.
    pub from: String,
    /// Who vouches for it.
    pub ca_file: Option<FileName>,
}

/// Where a hook is, and how it is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct HookSettings {
    /// Its address.
    pub url: SecretSource,
    /// Whether it may be in a private network; `None` is what holds for all.
    pub private_addresses: Option<bool>,
    /// Who vouches for it.
    pub ca_file: Option<FileName>,
}

/// A program and its arguments. `Debug` prints none of the arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Argv(pub Vec<String>);

impl fmt::Debug for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.0.first().map_or("", String::as_str);
        write!(f, "Argv({program:?}, {} arguments)", self.0.len().saturating_sub(1))
    }
}

/// A secret, or the file that it is in.
#[derive(Debug, Clone, PartialEq)]
pub enum SecretSource {
    /// Itself.
    Text(Secret),
    /// Its file, which others must not be able to read.
    File(FileName),
}

/// A file, and where it is named.
#[derive(Debug, Clone, PartialEq)]
pub struct FileName {
    /// Its path.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

/// Where something is written, for whoever has to put it right. It is no part of what it says: all places are equal.
#[derive(Debug, Clone)]
pub enum Place {
    /// As the value of an option.
    Option(&'static str),
    /// In the file of options: `file:line: channel.key`.
    Line(String),
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Host and port of a mail server.
///
/// # Errors
///
/// What would be right.
pub(super) fn server(text: &str, encryption: Encryption) -> Result<(String, u16), String> {
    const EXPECTED: &str = "write a host, or host and port, as `smtp.example.org:587`";
    let default = match encryption {
        Encryption::Offered | Encryption::StartTls => 25,
        Encryption::Tls => 465,
    };
    // An address of version 6 has colons of its own.
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(EXPECTED)?,
        None => match text.find(':') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        },
    };
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => default,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(EXPECTED)?,
        None => return Err(EXPECTED.to_owned()),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(EXPECTED.to_owned());
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_a_host_and_perhaps_a_port() {
        let read = |text| server(text, Encryption::Offered).unwrap();
        assert_eq!(read("smtp.example.org"), ("smtp.example.org".to_owned(), 25));
        assert_eq!(read("smtp.example.org:587"), ("smtp.example.org".to_owned(), 587));
        assert_eq!(read("[2001:db8::1]:26"), ("2001:db8::1".to_owned(), 26));
        assert_eq!(read("[2001:db8::1]"), ("2001:db8::1".to_owned(), 25));
        assert_eq!(server("smtp", Encryption::StartTls).unwrap().1, 25);
        assert_eq!(server("smtp", Encryption::Tls).unwrap().1, 465);
        assert_eq!(server("smtp:26", Encryption::Tls).unwrap().1, 26);
        for wrong in [
            "",
            ":25",
            "smtp:",
            "smtp:0",
            "smtp:70000",
            "smtp:x",
            "a b",
            "smtp://a",
            "[::1",
            "[::1]25",
        ] {
            let error = server(wrong, Encryption::Offered).unwrap_err();
            assert!(error.contains("smtp.example.org:587"), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_printed_of_a_channel_has_no_secret_in_it() {
        let hook = HookSettings {
            url: SecretSource::Text(Secret::new("https://hooks.example/hush1")),
            private_addresses: None,
            ca_file: None,
        };
        let secret = SecretSource::Text(Secret::new("hush2"));
        let kind = ChannelKind::Webhook { hook, secret };
        assert!(!format!("{kind:?}").contains("hush"), "{kind:?}");
        let argv = Argv(vec!["/bin/tell".to_owned(), "--token=hush3".to_owned()]);
        assert_eq!(format!("{argv:?}"), "Argv(\"/bin/tell\", 1 arguments)");
    }
}
