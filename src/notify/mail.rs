//! Mail: one message to one owner over SMTP.
//!
//! The steps of the protocol are taken one by one, because what a refusal means depends on the step: one of the
//! recipient or of the content is about this message, one of the password or the sender about the configuration.
//! Each message has a connection of its own: messages are few, and a connection that was kept may be dead.

use std::error::Error as _;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use super::render::{self, cut_line};
use super::{ConfigError, Letter, Secret, SendError};

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the server may take to say good-bye, when the message has arrived.
const QUIT_TIME: Duration = Duration::from_secs(2);

/// How much of what the server says is told.
const TOLD_CHARACTERS: usize = 300;

/// When the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// With STARTTLS, if the server offers it.
    Offered,
    /// With STARTTLS, or nothing is sent.
    StartTls,
    /// From the first byte.
    Tls,
}

/// A mail server, and what is shown to it.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub encryption: Encryption,
    /// User and password, if it asks for them.
    pub login: Option<(String, Secret)>,
    /// Whether the password is shown also to a server that offers no encryption, or whose certificate nobody vouches
    /// for.
    pub shows_password_in_clear: bool,
    /// The sender: an address, or a name and an address in angle brackets.
    pub from: String,
    /// Certificates, in PEM, of those who may vouch for it, instead of the machine's.
    pub trusted_pem: Option<Vec<u8>>,
    /// How this machine introduces itself; an address literal of loopback if it is `None`, or nothing that can be said.
    pub hello_name: Option<String>,
    /// How long all of it may take.
    pub time_max: Duration,
}

impl MailConfig {
    /// A server without a login, with a minute.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            encryption: Encryption::Offered,
            login: None,
            shows_password_in_clear: false,
            from: from.into(),
            trusted_pem: None,
            hello_name: None,
            time_max: Duration::from_secs(60),
        }
    }
}

/// A server that can be given mail.
pub(super) struct Mailer {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<(Credentials, Secret)>,
    /// Whether the login is for a server alone that is known to be the right one.
    guards_login: bool,
    tls: TlsParameters,
    from: Mailbox,
    hello: ClientId,
    time_max: Duration,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("server", &self.server())
            .field("encryption", &self.encryption)
            .field("has_login", &self.login.is_some())
            .finish_non_exhaustive()
    }
}

impl Mailer {
    pub(super) fn new(config: MailConfig) -> Result<Self, ConfigError> {
        let MailConfig {
            host,
            port,
            encryption,
            login,
            shows_password_in_clear,
            from,
            trusted_pem,
            hello_name,
            time_max,
        } = config;
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(ConfigError(format!(
                "the mail server `{}` is no host: give a name or an address, such as `smtp.example.org:587`",
                host.escape_debug()
            )));
        }
        let from = render::mailbox(&from).map_err(|why| {
            ConfigError(format!(
                "mail cannot come from `{}`: {why}; give an address such as `chronode@example.org`",
                from.escape_debug()
            ))
        })?;
        let guards_login = login.is_some() && !shows_password_in_clear;
        let must_vouch = match encryption {
            // Whoever could forge a certificate could as well not offer encryption.
            Encryption::Offered => guards_login,
            Encryption::StartTls | Encryption::Tls => true,
        };
        let tls = tls(&host, must_vouch, trusted_pem.as_deref())?;
        let login = login.map(|(user, password)| {
            (Credentials::new(user, password.reveal().to_owned()), password)
        });
        let hello = hello(hello_name.as_deref());
        Ok(Self { host, port, encryption, login, guards_login, tls, from, hello, time_max })
    }

    /// `host:port`.
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<String, SendError> {
        let recipient = &letter.notification.to.recipient;
        if recipient.trim().is_empty() {
            return Err(SendError::refused("there is nobody to write to: the job has no owner"));
        }
        let to = render::mailbox(recipient).map_err(|why| {
            SendError::refused(format!(
                "`{}` cannot be written to: {why}",
                cut_line(recipient, 100)
            ))
        })?;
        let recipient = to.email.clone();
        let message = render::mail(letter, &self.from, &to).map_err(|why| {
            SendError::refused(format!("the message for `{recipient}` cannot be written: {why}"))
        })?;
        let sent = timeout(self.time_max, self.hand_over(&recipient, &message)).await;
        let (mut connection, response) = sent.map_err(|_| {
            let seconds = self.time_max.as_secs_f64();
            SendError::again(format!("`{}` did not take it within {seconds} s", self.server()))
        })??;
        // It has arrived, whatever comes now.
        let _ = timeout(QUIT_TIME, connection.quit()).await;
        Ok(told_of(&response))
    }

    /// From the connection to the answer that the message is taken.
    async fn hand_over(
        &self,
        recipient: &Address,
        message: &[u8],
    ) -> Result<(AsyncSmtpConnection, Response), SendError> {
        let server = self.server();
        let mut connection = self.connect().await?;
        let needs_utf8 =
            !self.from.email.to_string().is_ascii() || !recipient.to_string().is_ascii();
        if needs_utf8 && !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::refused(format!(
                "`{recipient}` is not of ASCII alone, and `{server}` does not take such addresses"
            )));
        }
        let mut parameters = Vec::new();
        if needs_utf8 {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // About the sender: somebody has to put the configuration right, and then it arrives.
        let from = self.from.email.clone();
        connection.command(Mail::new(Some(from.clone()), parameters)).await.map_err(|error| {
            SendError::again(self.told(&format!("the sender `{from}`"), &error))
        })?;
        let about_this = |what: &str, error: &Error| {
            let is_final = error.is_permanent() && !is_about_access(error);
            SendError { is_final, problem: self.told(what, error) }
        };
        connection
            .command(Rcpt::new(recipient.clone(), Vec::new()))
            .await
            .map_err(|error| about_this(&format!("the recipient `{recipient}`"), &error))?;
        connection.command(Data).await.map_err(|error| about_this("the message", &error))?;
        let response =
            connection.message(message).await.map_err(|error| about_this("the message", &error))?;
        Ok((connection, response))
    }

    /// A connection that is encrypted as wanted and knows who we are.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let server = self.server();
        let at_once = match self.encryption {
            Encryption::Tls => Some(self.tls.clone()),
            Encryption::Offered | Encryption::StartTls => None,
        };
        let connected = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(CONNECT_TIME.min(self.time_max)),
            &self.hello,
            at_once,
            None,
        );
        let mut connection = connected.await.map_err(|error| {
            SendError::again(format!("cannot connect to `{server}`: {}", reason(&error)))
        })?;
        if connection.can_starttls() {
            connection.starttls(self.tls.clone(), &self.hello).await.map_err(|error| {
                SendError::again(format!("cannot encrypt to `{server}`: {}", reason(&error)))
            })?;
        }
        if !connection.is_encrypted() {
            match self.encryption {
                Encryption::StartTls | Encryption::Tls => {
                    return Err(SendError::again(format!(
                        "`{server}` offers no encryption (STARTTLS), and without it nothing is sent"
                    )));
                }
                Encryption::Offered if self.guards_login => {
                    return Err(SendError::again(format!(
                        "`{server}` offers no encryption (STARTTLS), and without it the password is not shown"
                    )));
                }
                Encryption::Offered => {}
            }
        }
        if let Some((credentials, _)) = &self.login {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection
                .auth(&mechanisms, credentials)
                .await
                .map_err(|error| SendError::again(self.told("user and password", &error)))?;
        }
        Ok(connection)
    }

    /// What became of a step, without the password.
    fn told(&self, what: &str, error: &Error) -> String {
        let server = self.server();
        let reason = reason(error);
        let reason =
            self.login.as_ref().map_or(reason.clone(), |(_, password)| password.hidden_in(&reason));
        if error.is_permanent() {
            format!("`{server}` refused {what}: {reason}")
        } else if error.is_transient() {
            format!("`{server}` does not take {what} now: {reason}")
        } else {
            format!("`{server}` did not take {what}: {reason}")
        }
    }
}

/// Whether a refusal is about who we are and not about what we send.
fn is_about_access(error: &Error) -> bool {
    const NEEDS_LOGIN: [u16; 4] = [530, 534, 535, 538];
    error.status().is_some_and(|code| NEEDS_LOGIN.contains(&u16::from(code)))
}

/// What the server, or the machine, said.
fn reason(error: &Error) -> String {
    let code = error.status().map_or(String::new(), |code| format!("{code} "));
    let mut innermost = error.source();
    while let Some(next) = innermost.and_then(|cause| cause.source()) {
        innermost = Some(next);
    }
    let words = innermost.map_or_else(|| error.to_string(), ToString::to_string);
    cut_line(&format!("{code}{words}"), TOLD_CHARACTERS)
}

fn told_of(response: &Response) -> String {
    let words = response.message().collect::<Vec<_>>().join(" ");
    cut_line(&format!("{} {words}", response.code()), TOLD_CHARACTERS)
}

/// How this machine introduces itself: by its name if mail servers take that for one, else by an address.
///
/// A machine may have any name; what may be said is RFC 5321, section 4.1.2, and many servers refuse anything else.
fn hello(name: Option<&str>) -> ClientId {
    const NAME_BYTES_MAX: usize = 253;
    const LABEL_BYTES_MAX: usize = 63;
    let is_label = |label: &str| {
        let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.chars().all(is_inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = name.unwrap_or_default().trim();
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => return ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => return ClientId::Ipv6(address),
        Err(_) => {}
    }
    // The name of a host in the whole of the DNS may end with its root.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) {
        ClientId::Domain(name.to_owned())
    } else {
        ClientId::Ipv4(Ipv4Addr::LOCALHOST)
    }
}

fn tls(host: &str, must_vouch: bool, trusted: Option<&[u8]>) -> Result<TlsParameters, ConfigError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = trusted {
        let wrong = || {
            ConfigError(
                "the certificates for the mail server are not in PEM: give a file with `BEGIN CERTIFICATE`"
                    .to_owned(),
            )
        };
        // What is no PEM has no certificate in it, which by itself is no error to the reader.
        if !pem.windows(27).any(|found| found == b"-----BEGIN CERTIFICATE-----") {
            return Err(wrong());
        }
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem).map_err(|_| wrong())?);
    }
    builder.dangerous_accept_invalid_certs(!must_vouch).build().map_err(|error| {
        ConfigError(format!(
            "cannot use TLS for the mail server: {}; give certificates of those who may vouch for it",
            reason(&error)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: MailConfig) -> String {
        Mailer::new(config).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_server_and_no_sender_is_told_with_its_remedy() {
        for host in ["", "a b", "smtp.example.org\r\nQUIT"] {
            let error = refused(MailConfig::new(host, 25, "chronode@example.org"));
            assert!(error.contains("such as `smtp.example.org:587`"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        for from in ["", "chronode", "chronode@example.org\r\nBcc: eve@example.org", "a@b@c"] {
            let error = refused(MailConfig::new("smtp.example.org", 25, from));
            assert!(error.contains("such as `chronode@example.org`"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let pem = MailConfig {
            trusted_pem: Some(b"nothing".to_vec()),
            ..MailConfig::new("smtp.example.org", 25, "chronode@example.org")
        };
        assert!(refused(pem).contains("not in PEM"));
    }

    #[test]
    fn a_machine_introduces_itself_by_its_name_if_that_can_be_said_and_by_an_address_if_not() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(63)].join(".");
        for (name, said) in [
            ("cron-1", "cron-1"),
            ("cron.example.org", "cron.example.org"),
            ("cron.example.org.", "cron.example.org"),
            ("10.0.0.5", "[10.0.0.5]"),
            ("fd00::1", "[IPv6:fd00::1]"),
            ("", "[127.0.0.1]"),
            (".", "[127.0.0.1]"),
            ("cron_1", "[127.0.0.1]"),
            ("-cron", "[127.0.0.1]"),
            ("cron-.example", "[127.0.0.1]"),
            ("cron..example", "[127.0.0.1]"),
            ("Ada's Büro", "[127.0.0.1]"),
            ("cron\r\nMAIL FROM:<eve@example.org>", "[127.0.0.1]"),
            (&long, "[127.0.0.1]"),
            (&longer, "[127.0.0.1]"),
        ] {
            assert_eq!(hello(Some(name)).to_string(), said, "{name}");
        }
        assert_eq!(hello(None).to_string(), "[127.0.0.1]");
    }

    #[test]
    fn a_mailer_shows_no_password() {
        let config = MailConfig {
            login: Some(("chronode".to_owned(), Secret::new("hunter22"))),
            ..MailConfig::new("smtp.example.org", 25, "Chronode <chronode@example.org>")
        };
        assert!(!format!("{config:?}").contains("hunter22"));
        assert!(!format!("{:?}", Mailer::new(config).unwrap()).contains("hunter22"));
    }
}
