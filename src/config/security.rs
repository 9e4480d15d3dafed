//! Who is let in, by which door, and what commands may run as: flags, and what they come to.
//!
//! What would be unsafe is refused here, with the flag that makes it safe; what needs a look at files is refused where
//! they are read.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{ConfigError, refuse};
use crate::api::credential::{SAMPLE_SECRETS, check_name};
use crate::api::{Role, TlsFiles};
use crate::audit;

/// The flags of `chronode serve` that concern security.
#[derive(Debug, Clone, Args)]
pub struct SecurityFlags {
    /// File of those who are let in, as `chronode credential` writes it; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "CHRONODE_CREDENTIALS")]
    pub credentials: Option<PathBuf>,

    /// One administrator, as in Chronos: `NAME:PASSWORD`, or better `@FILE` with that in it, because everybody on the
    /// machine can read command lines
    #[arg(
        long = "http_credentials",
        alias = "http-credentials",
        value_name = "NAME:PASSWORD|@FILE",
        env = "MESOSPHERE_HTTP_CREDENTIALS",
        hide_env_values = true
    )]
    pub http_credentials: Option<Secret>,

    /// What browsers show when they ask for name and password
    #[arg(
        long = "http_realm",
        alias = "http-realm",
        value_name = "TEXT",
        env = "CHRONODE_HTTP_REALM",
        default_value = "Mesosphere"
    )]
    pub http_realm: String,

    /// Address to listen on with TLS; anything but loopback needs credentials
    #[arg(
        long = "https_address",
        alias = "https-address",
        value_name = "ADDRESS",
        env = "CHRONODE_HTTPS_ADDRESS",
        default_value = "127.0.0.1"
    )]
    pub https_address: String,

    /// Port to listen on with TLS, 8443 if not given; 0 takes a free one and prints it
    #[arg(
        long = "https_port",
        alias = "https-port",
        value_name = "PORT",
        env = "CHRONODE_HTTPS_PORT"
    )]
    pub https_port: Option<u16>,

    /// Certificate for TLS, in PEM, with those that lead to one that clients know; read again on SIGHUP
    #[arg(
        long = "tls_certificate",
        alias = "tls-certificate",
        value_name = "FILE",
        env = "CHRONODE_TLS_CERTIFICATE"
    )]
    pub tls_certificate: Option<PathBuf>,

    /// Its key, in PEM, which others must not be able to read
    #[arg(long = "tls_key", alias = "tls-key", value_name = "FILE", env = "CHRONODE_TLS_KEY")]
    pub tls_key: Option<PathBuf>,

    /// Certificates, in PEM, by which those of clients are judged
    #[arg(
        long = "tls_client_ca",
        alias = "tls-client-ca",
        value_name = "FILE",
        env = "CHRONODE_TLS_CLIENT_CA"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// Turn away clients without a certificate; credentials are needed beside it
    #[arg(
        long = "tls_client_required",
        alias = "tls-client-required",
        env = "CHRONODE_TLS_CLIENT_REQUIRED"
    )]
    pub tls_client_required: bool,

    /// Listen with TLS only
    #[arg(long = "disable_http", alias = "disable-http", env = "CHRONODE_DISABLE_HTTP")]
    pub disable_http: bool,

    /// The Java keystore of Chronos, which cannot be read: the refusal says how to convert it
    #[arg(
        long = "ssl_keystore_path",
        alias = "ssl-keystore-path",
        value_name = "FILE",
        env = "MESOSPHERE_KEYSTORE_PATH"
    )]
    pub ssl_keystore_path: Option<PathBuf>,

    /// The password of that keystore
    #[arg(
        long = "ssl_keystore_password",
        alias = "ssl-keystore-password",
        value_name = "PASSWORD",
        env = "MESOSPHERE_KEYSTORE_PASS",
        hide_env_values = true
    )]
    pub ssl_keystore_password: Option<Secret>,

    /// Other sites whose pages may use the API with credentials, as `https://cron.example`, separated by commas
    #[arg(
        long = "cors_origin",
        alias = "cors-origin",
        value_name = "LIST",
        env = "CHRONODE_CORS_ORIGIN",
        default_value = ""
    )]
    pub cors_origin: String,

    /// Names by which clients may call this server beside `--hostname`, as a proxy sends them, separated by commas
    #[arg(
        long = "http_allowed_host",
        alias = "http-allowed-host",
        value_name = "LIST",
        env = "CHRONODE_HTTP_ALLOWED_HOST",
        default_value = ""
    )]
    pub http_allowed_host: String,

    /// Users that commands may run as, separated by commas; without it any user if Chronode runs as root
    #[arg(long = "run_as", alias = "run-as", value_name = "LIST", env = "CHRONODE_RUN_AS")]
    pub run_as: Option<String>,

    /// What happens when it cannot be recorded who did what
    #[arg(long, value_name = "MODE", env = "CHRONODE_AUDIT", default_value = "best-effort")]
    pub audit: AuditMode,

    /// Bytes of one file of the audit log
    #[arg(
        long = "audit_bytes",
        alias = "audit-bytes",
        value_name = "BYTES",
        env = "CHRONODE_AUDIT_BYTES",
        default_value_t = 16 * 1024 * 1024
    )]
    pub audit_bytes: u64,

    /// Full files of the audit log that are kept
    #[arg(
        long = "audit_files",
        alias = "audit-files",
        value_name = "N",
        env = "CHRONODE_AUDIT_FILES",
        default_value_t = 9
    )]
    pub audit_files: u32,
}

/// What happens when it cannot be recorded who did what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditMode {
    /// It is told in the log and in `P/info`, and things go on.
    BestEffort,
    /// Changes are refused until it can be again.
    Required,
}

/// A text that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Who is let in, by which door, and what commands may run as.
#[derive(Debug, Clone, PartialEq)]
pub struct Security {
    /// Where credentials are.
    pub credentials: Option<PathBuf>,
    /// The administrator of Chronos' flag.
    pub administrator: Option<Administrator>,
    /// What browsers show.
    pub realm: String,
    /// Where to listen with TLS, and how.
    pub tls: Option<(SocketAddr, TlsFiles)>,
    /// Whether to listen with TLS only.
    pub is_http_disabled: bool,
    /// Other sites whose pages may ask.
    pub origins: Vec<String>,
    /// Names by which clients may call this server, beside those it has anyhow.
    pub allowed_hosts: Vec<String>,
    /// Users that commands may run as; `None` is any.
    pub run_as: Option<Vec<String>>,
    /// Whether nothing is changed that cannot be recorded.
    pub is_audit_required: bool,
    /// How much of the audit log is kept.
    pub audit: audit::Limits,
}

/// The administrator of Chronos' flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrator {
    /// As typed.
    Typed(Login),
    /// In a file.
    File(PathBuf),
}

/// A name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Secret,
}

impl Login {
    /// Reads `NAME:PASSWORD`, and refuses passwords that everybody knows.
    ///
    /// # Errors
    ///
    /// A sentence, without the password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, password) = text
            .split_once(':')
            .ok_or("expected a name and a password with a colon between them, or `@FILE`")?;
        check_name(name)?;
        check_password(name, password)?;
        Ok(Self { name: name.to_owned(), password: Secret(password.to_owned()) })
    }
}

/// Refuses a password that everybody knows.
///
/// # Errors
///
/// A sentence, without the password.
pub fn check_password(name: &str, password: &str) -> Result<(), String> {
    if password.is_empty() {
        return Err("the password is empty: everybody would be let in".to_owned());
    }
    let is_sample = SAMPLE_SECRETS.iter().any(|sample| sample.eq_ignore_ascii_case(password));
    if is_sample || password.eq_ignore_ascii_case(name) {
        return Err(
            "the password is one that stands in examples, or the name itself, so everybody knows it: choose another"
                .to_owned(),
        );
    }
    Ok(())
}

/// The port of Chronos.
const HTTPS_PORT_DEFAULT: u16 = 8443;

impl Security {
    /// Checks the flags.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first flag whose value cannot be used.
    pub(super) fn new(flags: SecurityFlags, is_insecure: bool) -> Result<Self, ConfigError> {
        let has_credentials = flags.credentials.is_some() || flags.http_credentials.is_some();
        let administrator = flags.http_credentials.as_ref().map(administrator).transpose()?;
        if !flags.http_realm.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')) {
            return Err(refuse(
                "http_realm",
                flags.http_realm,
                "use ASCII without quotes and backslashes",
            ));
        }
        let tls = tls(&flags)?;
        let origins = origins(&flags.cors_origin)?;
        if !origins.is_empty() && !has_credentials {
            return Err(refuse(
                "cors_origin",
                flags.cors_origin,
                "without credentials any visitor of that site could run commands here through it. Give credentials \
                 with --credentials FILE, or leave it out",
            ));
        }
        if flags.disable_http && tls.is_none() {
            return Err(refuse(
                "disable_http",
                true,
                "nothing would listen. Give --tls_certificate and --tls_key, or leave it out",
            ));
        }
        if let Some((address, _)) = &tls {
            require_credentials("https_address", address.ip(), has_credentials, is_insecure)?;
        }
        if flags.audit_bytes < AUDIT_BYTES_MIN {
            return Err(refuse("audit_bytes", flags.audit_bytes, "give at least 65536"));
        }
        if flags.audit_files > AUDIT_FILES_MAX {
            return Err(refuse("audit_files", flags.audit_files, "give at most 1000"));
        }
        Ok(Self {
            credentials: flags.credentials,
            administrator,
            realm: flags.http_realm,
            tls,
            is_http_disabled: flags.disable_http,
            origins,
            allowed_hosts: hosts(&flags.http_allowed_host)?,
            run_as: flags.run_as.as_deref().map(run_as).transpose()?,
            is_audit_required: flags.audit == AuditMode::Required,
            audit: audit::Limits { file_bytes: flags.audit_bytes, old_files: flags.audit_files },
        })
    }

    /// Whether anybody has to show credentials.
    #[must_use]
    pub const fn has_credentials(&self) -> bool {
        self.credentials.is_some() || self.administrator.is_some()
    }

    /// What the administrator of Chronos' flag may do.
    pub const ADMINISTRATOR: Role = Role::Admin;
}

const AUDIT_BYTES_MIN: u64 = 64 * 1024;
const AUDIT_FILES_MAX: u32 = 1_000;

/// Refuses an address that others can reach while nobody is asked for credentials.
pub(super) fn require_credentials(
    flag: &'static str,
    address: IpAddr,
    has_credentials: bool,
    is_insecure: bool,
) -> Result<(), ConfigError> {
    if address.to_canonical().is_loopback() || has_credentials || is_insecure {
        return Ok(());
    }
    Err(refuse(
        flag,
        address,
        "others can reach this address, and whoever reaches it may run any command here. Give credentials with \
         --credentials FILE (`chronode credential add` makes them), listen on 127.0.0.1 behind a proxy that checks \
         who asks, or add --insecure",
    ))
}

fn administrator(given: &Secret) -> Result<Administrator, ConfigError> {
    let text = given.expose();
    if let Some(path) = text.strip_prefix('@') {
        return Ok(Administrator::File(PathBuf::from(path)));
    }
    Login::parse(text)
        .map(Administrator::Typed)
        .map_err(|expected| refuse("http_credentials", "…", &expected))
}

fn tls(flags: &SecurityFlags) -> Result<Option<(SocketAddr, TlsFiles)>, ConfigError> {
    if let Some(path) = &flags.ssl_keystore_path {
        let shown = path.display().to_string();
        return Err(refuse(
            "ssl_keystore_path",
            &shown,
            &format!(
                "a Java keystore cannot be read. Convert it: `keytool -importkeystore -srckeystore {shown} -destkeystore \
                 chronode.p12 -deststoretype PKCS12`, `openssl pkcs12 -in chronode.p12 -nokeys -out chronode.pem`, \
                 `openssl pkcs12 -in chronode.p12 -nocerts -nodes -out chronode.key`, and give --tls_certificate \
                 chronode.pem --tls_key chronode.key"
            ),
        ));
    }
    if flags.ssl_keystore_password.is_some() {
        let expected =
            "there is no keystore. Give --tls_certificate and --tls_key, whose key has no password";
        return Err(refuse("ssl_keystore_password", "…", expected));
    }
    let (certificate, key) = match (&flags.tls_certificate, &flags.tls_key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (Some(certificate), None) => {
            return Err(refuse(
                "tls_certificate",
                certificate.display(),
                "give its key too, with --tls_key FILE",
            ));
        }
        (None, Some(key)) => {
            return Err(refuse(
                "tls_key",
                key.display(),
                "give the certificate too, with --tls_certificate FILE",
            ));
        }
        (None, None) => {
            let needs = "it needs TLS. Give --tls_certificate and --tls_key, or leave it out";
            if let Some(path) = &flags.tls_client_ca {
                return Err(refuse("tls_client_ca", path.display(), needs));
            }
            if flags.tls_client_required {
                return Err(refuse("tls_client_required", true, needs));
            }
            // Chronos reads address and port too, and listens there only with a keystore: `Resolution` warns of them.
            return Ok(None);
        }
    };
    if flags.tls_client_required && flags.tls_client_ca.is_none() {
        let expected = "by which certificates are clients judged? Give --tls_client_ca FILE";
        return Err(refuse("tls_client_required", true, expected));
    }
    let address = super::address("https_address", &flags.https_address)?;
    let address = SocketAddr::new(address, flags.https_port.unwrap_or(HTTPS_PORT_DEFAULT));
    let files = TlsFiles {
        certificate,
        key,
        client_ca: flags.tls_client_ca.clone(),
        is_client_required: flags.tls_client_required,
    };
    Ok(Some((address, files)))
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Origins as browsers write them: scheme, host, port, and nothing else.
fn origins(text: &str) -> Result<Vec<String>, ConfigError> {
    items(text)
        .map(|origin| {
            let wrong = || {
                refuse(
                    "cors_origin",
                    text,
                    "write origins as https://cron.example or http://host:8080; `*` is refused",
                )
            };
            let (scheme, host) = origin.split_once("://").ok_or_else(wrong)?;
            let is_host = !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
            if matches!(scheme, "http" | "https") && is_host {
                Ok(origin.to_owned())
            } else {
                Err(wrong())
            }
        })
        .collect()
}

/// Names and addresses as they stand in `Host`, without a port: one name is allowed at every port.
fn hosts(text: &str) -> Result<Vec<String>, ConfigError> {
    items(text)
        .map(|host| {
            let is_label = |label: &str| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            };
            let is_name = host.split('.').all(is_label);
            let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let is_address = inside.is_some_and(|inside| inside.parse::<Ipv6Addr>().is_ok());
            if is_name || is_address {
                return Ok(host.to_owned());
            }
            Err(refuse(
                "http_allowed_host",
                text,
                "write names as cron.example, without scheme and port; `*` is refused",
            ))
        })
        .collect()
}

fn run_as(text: &str) -> Result<Vec<String>, ConfigError> {
    let users: Vec<String> = items(text).map(str::to_owned).collect();
    let is_name = |user: &String| {
        !user.starts_with('-')
            && !user.chars().all(|c| c.is_ascii_digit())
            && !user.contains(|c: char| c.is_whitespace() || c == ':' || c == '/')
    };
    if users.is_empty() || !users.iter().all(is_name) {
        return Err(refuse(
            "run_as",
            text,
            "give names of users separated by commas, as `nobody,backup`",
        ));
    }
    Ok(users)
}
