//! Letters to people and programs: what a notification says, and the channels that carry it.
//!
//! A [`Letter`] has all facts of one notification. [`render`] makes subject, text, HTML and JSON of it without a
//! clock or a socket, so that the same letter is the same message however often it is sent. A [`Channel`] sends it
//! once and says what came of it; when it is tried again, and whom it goes to, is decided elsewhere.
//!
//! ```text
//! Letter ──▶ render ──▶ mail.rs     SMTP, by `lettre`
//!                  ├──▶ hook.rs     POST to Slack, Mattermost, `http`, webhook; guard.rs says to which addresses
//!                  └──▶ command.rs  a program that gets the webhook's JSON
//! ```
//!
//! Names, owners, reasons and output may hold anything: each form escapes what would be more than text in it.
//! No secret (password, key, address of a hook) is in an error, in a log or in what `Debug` prints.

mod command;
mod guard;
mod hook;
mod mail;
pub mod render;
mod secret;

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{
    Address, Alert, AlertId, Delivery, Incident, Notification, NotificationId, NotificationKind,
    Timestamp,
};

pub use command::CommandConfig;
pub use hook::{HookConfig, signature};
pub use mail::{Encryption, MailConfig};
pub use secret::Secret;

/// All that a notification says, with what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Whom, why, and of what.
    pub notification: Notification,
    /// The alerts it tells of, oldest first. One that is no longer known is missing.
    pub alerts: Vec<Alert>,
    /// The incident that it is about, if it is about one that is known.
    pub incident: Option<Incident>,
    /// Where the web page is; `None` if nobody said, and then there are no links to it.
    pub base_url: Option<String>,
    /// What this installation is called; stands before every subject. Empty if it has no name.
    pub cluster_name: String,
    /// The last lines that runs have printed, by alert.
    pub tails: BTreeMap<AlertId, Tail>,
    /// The name of the installation in identifiers of mails: the same for ever, on every process that may lead.
    pub host: String,
}

/// The last lines that a run has printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// The lines.
    pub text: String,
    /// Whether there are earlier ones.
    pub is_cut: bool,
}

impl Letter {
    /// The id of no notification: that of a trial.
    const TRIAL: NotificationId = NotificationId(0);

    /// A letter that tells of nothing, so that somebody sees whether a channel works.
    #[must_use]
    pub fn trial(to: Address, host: &str, cluster_name: &str, now: Timestamp) -> Self {
        Self {
            notification: Notification {
                id: Self::TRIAL,
                to,
                kind: NotificationKind::Alert,
                incident: None,
                alerts: Vec::new(),
                left_out: 0,
                made_at: now,
                tries: 0,
                problem: String::new(),
                delivery: Delivery::Due { at: now },
            },
            alerts: Vec::new(),
            incident: None,
            base_url: None,
            cluster_name: cluster_name.to_owned(),
            tails: BTreeMap::new(),
            host: host.to_owned(),
        }
    }

    /// Whether it is a [trial](Self::trial).
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.notification.id == Self::TRIAL
    }
}

/// How a channel sends.
#[derive(Debug, Clone)]
pub enum ChannelConfig {
    /// E-mail to one owner.
    Mail(MailConfig),
    /// An incoming webhook of Slack.
    Slack(HookConfig),
    /// One of Mattermost.
    Mattermost(HookConfig),
    /// The HTTP callback of Chronos.
    Http {
        /// Where.
        hook: HookConfig,
        /// `user:password`, if the other side asks for it.
        credentials: Option<Secret>,
    },
    /// A signed POST.
    Webhook {
        /// Where.
        hook: HookConfig,
        /// The key of the signature.
        secret: Secret,
    },
    /// A program of this machine.
    Command(CommandConfig),
}

/// A configured way to send.
#[derive(Debug)]
pub struct Channel {
    name: String,
    sender: Sender,
}

#[derive(Debug)]
enum Sender {
    Mail(Box<mail::Mailer>),
    Slack(hook::Hook),
    Mattermost(hook::Hook),
    Http { hook: hook::Hook, credentials: Option<Secret> },
    Webhook { hook: hook::Hook, secret: Secret },
    Command(CommandConfig),
}

/// What is wrong with the configuration of a channel: a sentence with the remedy, and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

/// Why a message did not arrive, as far as is known: it may have arrived although nobody said so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SendError {
    /// Whether the other side refused this very message, so that trying again is of no use.
    pub is_final: bool,
    /// What happened: a sentence without a full stop, and no secret in it.
    pub problem: String,
}

impl SendError {
    /// It is of use to try again.
    pub(crate) fn again(problem: impl fmt::Display) -> Self {
        Self { is_final: false, problem: problem.to_string() }
    }

    /// It is not.
    pub(crate) fn refused(problem: impl fmt::Display) -> Self {
        Self { is_final: true, problem: problem.to_string() }
    }
}

/// Looks whether mail can go to an address, with or without a name before it.
///
/// # Errors
///
/// Words that say why not, to put after “because”.
pub fn check_address(text: &str) -> Result<(), String> {
    render::mailbox(text).map(|_| ())
}

impl Channel {
    /// A channel of this name.
    ///
    /// # Errors
    ///
    /// A sentence about what cannot be right: an address that is none, or one of a private network, or no certificate.
    pub fn new(name: impl Into<String>, config: ChannelConfig) -> Result<Self, ConfigError> {
        let sender = match config {
            ChannelConfig::Mail(config) => Sender::Mail(Box::new(mail::Mailer::new(config)?)),
            ChannelConfig::Slack(config) => Sender::Slack(hook::Hook::new(config)?),
            ChannelConfig::Mattermost(config) => Sender::Mattermost(hook::Hook::new(config)?),
            ChannelConfig::Http { hook, credentials } => {
                Sender::Http { hook: hook::Hook::new(hook)?, credentials }
            }
            ChannelConfig::Webhook { hook, secret } => {
                if secret.reveal().is_empty() {
                    return Err(ConfigError(
                        "the secret of the webhook is empty: whoever gets its messages could not tell them from forged ones"
                            .to_owned(),
                    ));
                }
                Sender::Webhook { hook: hook::Hook::new(hook)?, secret }
            }
            ChannelConfig::Command(config) => Sender::Command(config.checked()?),
        };
        Ok(Self { name: name.into(), sender })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which sort it is: `mail`, `slack`, `mattermost`, `http`, `webhook` or `command`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.sender {
            Sender::Mail(_) => "mail",
            Sender::Slack(_) => "slack",
            Sender::Mattermost(_) => "mattermost",
            Sender::Http { .. } => "http",
            Sender::Webhook { .. } => "webhook",
            Sender::Command(_) => "command",
        }
    }

    /// Whether it sends to each owner of a job, and not to whom it always reaches.
    #[must_use]
    pub const fn is_per_owner(&self) -> bool {
        match &self.sender {
            Sender::Mail(_) | Sender::Http { .. } => true,
            Sender::Slack(_)
            | Sender::Mattermost(_)
            | Sender::Webhook { .. }
            | Sender::Command(_) => false,
        }
    }

    /// Where it sends to, for people: a server or a program. What could be a secret is not in it.
    #[must_use]
    pub fn to(&self) -> String {
        match &self.sender {
            Sender::Mail(mailer) => mailer.server(),
            Sender::Slack(hook)
            | Sender::Mattermost(hook)
            | Sender::Http { hook, .. }
            | Sender::Webhook { hook, .. } => hook.place(),
            Sender::Command(config) => config.program().to_owned(),
        }
    }

    /// Sends it, once. The answer is what the other side said.
    ///
    /// # Errors
    ///
    /// [`SendError`]; also if it has arrived, and the answer was lost.
    pub async fn send(&self, letter: &Letter) -> Result<String, SendError> {
        match &self.sender {
            Sender::Mail(mailer) => mailer.send(letter).await,
            Sender::Slack(hook) => hook.post(&render::slack(letter), |request| request).await,
            Sender::Mattermost(hook) => {
                hook.post(&render::mattermost(letter), |request| request).await
            }
            Sender::Http { hook, credentials } => {
                hook.post_with_login(&render::http(letter), credentials.as_ref()).await
            }
            Sender::Webhook { hook, secret } => hook.post_signed(letter, secret).await,
            Sender::Command(config) => config.run(&self.name, letter).await,
        }
    }
}
