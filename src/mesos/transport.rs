//! What masters and agents are shown, and whom we believe to be one: login and certificates.
//!
//! Reads the files once, at the start. Nothing of them is ever printed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, iter};

use reqwest::{Certificate, Client, Identity, RequestBuilder, redirect};

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A spare connection is used again only for so long: a call that is sent while the other side hangs up is lost.
const IDLE_TIME: Duration = Duration::from_secs(5);

/// Which files say what is shown to masters and agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessFiles {
    /// Who logs in: `--mesos_authentication_principal`.
    pub principal: Option<String>,
    /// Where the password is: `--mesos_authentication_secret_file`.
    pub secret_file: Option<PathBuf>,
    /// Certificates of those who may vouch for a master or an agent, instead of the machine's: `--mesos_ca_file`.
    pub ca_file: Option<PathBuf>,
    /// A certificate and its key: `--mesos_client_certificate`.
    pub client_certificate: Option<PathBuf>,
    /// Whether TLS is spoken where an address does not say so, also without any of these: `--mesos_tls`.
    pub tls: bool,
}

/// What is shown to masters and agents.
#[derive(Clone, Default)]
pub struct Access {
    principal: Option<String>,
    secret: Option<String>,
    trusted: Option<Vec<Certificate>>,
    identity: Option<Identity>,
    is_tls: bool,
}

/// What is wrong with the files. A sentence that names flag, file and remedy, and never what is in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("principal", &self.principal)
            .field("has_secret", &self.secret.is_some())
            .field("has_own_ca", &self.trusted.is_some())
            .field("has_certificate", &self.identity.is_some())
            .finish()
    }
}

impl Access {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A sentence about the first one that is of no use.
    pub fn read(files: &AccessFiles) -> Result<Self, AccessError> {
        let AccessFiles { principal, secret_file, ca_file, client_certificate, tls } = files;
        if let Some(name) = principal
            && (name.is_empty() || name.contains(':') || name.chars().any(char::is_control))
        {
            return Err(AccessError(format!(
                "--mesos_authentication_principal: `{}` cannot log in: a principal is not empty and has neither `:` \
                 nor control characters",
                name.escape_debug()
            )));
        }
        if secret_file.is_some() && principal.is_none() {
            return Err(AccessError(
                "--mesos_authentication_secret_file: says the password of nobody; give the name with \
                 `--mesos_authentication_principal`"
                    .to_owned(),
            ));
        }
        Ok(Self {
            principal: principal.clone(),
            secret: secret_file.as_deref().map(secret_of).transpose()?,
            trusted: ca_file.as_deref().map(trusted_of).transpose()?,
            identity: client_certificate.as_deref().map(identity_of).transpose()?,
            is_tls: *tls,
        })
    }

    /// Who logs in. A principal without a secret is only named.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.principal.as_deref()
    }

    /// Whether there is a login.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether masters whose address does not say so, and agents, whose address never does, speak TLS: they do if it
    /// was asked for, or certificates were given for it.
    #[must_use]
    pub fn expects_tls(&self) -> bool {
        self.is_tls || self.trusted.is_some() || self.identity.is_some()
    }

    /// A client that shows this, follows no redirect and has no time-out but that of connecting.
    ///
    /// # Errors
    ///
    /// A sentence if TLS cannot be used.
    pub fn client(&self) -> Result<Client, AccessError> {
        // Fails if the program has chosen a provider before, which then is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .pool_idle_timeout(IDLE_TIME)
            // Masters and agents are named by address; what the environment says about browsing does not concern them.
            .no_proxy()
            // Whoever calls decides; a call is never sent twice behind its back.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never());
        if let Some(trusted) = &self.trusted {
            builder = builder.tls_certs_only(trusted.iter().cloned());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        match builder.build() {
            Ok(client) => Ok(client),
            // A machine without certificates of its own, such as a small container, still speaks plain HTTP.
            Err(_) if !self.expects_tls() => Client::builder()
                .connect_timeout(CONNECT_TIME)
                .pool_idle_timeout(IDLE_TIME)
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .tls_certs_only(iter::empty())
                .build()
                .map_err(|error| AccessError(format!("cannot use TLS: {}", told(&error)))),
            Err(error) => Err(AccessError(format!(
                "--mesos_ca_file, --mesos_client_certificate: cannot use TLS with these: {}",
                told(&error)
            ))),
        }
    }

    /// The request with the login, if there is one.
    pub(super) fn with(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.principal, &self.secret) {
            (Some(principal), Some(secret)) => request.basic_auth(principal, Some(secret)),
            (Some(_) | None, Some(_) | None) => request,
        }
    }
}

/// An error of a connection with its causes, without the address, which may hold a login.
pub(super) fn told(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else if error.is_body() || error.is_decode() {
        "the answer broke off".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    // The innermost says why; those between say where in the client it was.
    let mut last = None;
    while let Some(error) = cause {
        last = Some(error.to_string());
        cause = error.source();
    }
    if let Some(last) = last {
        text = format!("{text}: {last}");
    }
    text
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>, AccessError> {
    fs::read(path).map_err(|error| {
        AccessError(format!("--{flag}: cannot read `{}`: {error}", path.display()))
    })
}

/// Bits of a secret's mode that let somebody else have it. Its group may read it.
const OPEN_BITS: u32 = 0o037;

/// Reads a file that others must not.
fn read_secret(flag: &str, path: &Path) -> Result<Vec<u8>, AccessError> {
    let bytes = read(flag, path)?;
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.mode() & 0o7777);
    if mode & OPEN_BITS != 0 {
        let shown = path.display();
        return Err(AccessError(format!(
            "--{flag}: `{shown}` can be read or changed by others (its mode is {mode:04o}): run `chmod 600 {shown}`, and take \
             another secret if somebody may have read it"
        )));
    }
    Ok(bytes)
}

fn secret_of(path: &Path) -> Result<String, AccessError> {
    let flag = "mesos_authentication_secret_file";
    let wrong = |why: &str| AccessError(format!("--{flag}: `{}` {why}", path.display()));
    let text = String::from_utf8(read_secret(flag, path)?).map_err(|_| wrong("is no text"))?;
    // An editor ends the line; Mesos' own clients do not count that either.
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(wrong("is empty; write the secret of the principal into it"));
    }
    if secret.chars().any(char::is_control) {
        return Err(wrong("has more than one line; it must hold the secret and nothing else"));
    }
    Ok(secret.to_owned())
}

fn trusted_of(path: &Path) -> Result<Vec<Certificate>, AccessError> {
    let flag = "mesos_ca_file";
    let wrong = |why: &str| AccessError(format!("--{flag}: `{}` {why}", path.display()));
    let found = Certificate::from_pem_bundle(&read(flag, path)?)
        .map_err(|_| wrong("is no PEM file; give certificates in PEM"))?;
    if found.is_empty() {
        return Err(wrong("has no certificate; give certificates in PEM"));
    }
    Ok(found)
}

fn identity_of(path: &Path) -> Result<Identity, AccessError> {
    let flag = "mesos_client_certificate";
    Identity::from_pem(&read_secret(flag, path)?).map_err(|_| {
        AccessError(format!(
            "--{flag}: `{}` must have a certificate and its key, in PEM",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (directory, path)
    }

    fn login(text: &[u8]) -> Result<Access, AccessError> {
        let (_directory, path) = file(text);
        Access::read(&AccessFiles {
            principal: Some("chronode".to_owned()),
            secret_file: Some(path),
            ..AccessFiles::default()
        })
    }

    #[test]
    fn a_secret_is_a_line_of_a_file_and_is_never_shown() {
        for text in ["s3cret-x", "s3cret-x\n", "s3cret-x\r\n"] {
            let access = login(text.as_bytes()).unwrap();
            assert_eq!(access.secret.as_deref(), Some("s3cret-x"));
            assert!(access.has_secret() && !access.expects_tls());
            assert!(!format!("{access:?}").contains("s3cret"), "{access:?}");
        }
        for text in [&b""[..], b"\n", b"s3cret-a\ns3cret-b\n", b"s3cret\xff"] {
            let error = login(text).unwrap_err().to_string();
            assert!(error.starts_with("--mesos_authentication_secret_file: `"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn tls_is_expected_where_it_is_asked_for_without_a_certificate() {
        let expects = |tls| Access::read(&AccessFiles { tls, ..AccessFiles::default() }).unwrap();
        assert!(expects(true).expects_tls() && !expects(false).expects_tls());
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let (_directory, path) = file(b"s3cret");
        for (mode, is_private) in [(0o600, true), (0o640, true), (0o644, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let principal = Some("chronode".to_owned());
            let secret_file = Some(path.clone());
            let files = AccessFiles { principal, secret_file, ..AccessFiles::default() };
            match Access::read(&files) {
                Ok(_) => assert!(is_private, "{mode:o}"),
                Err(error) => {
                    assert!(!is_private && error.to_string().contains("chmod 600"), "{error}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_login_is_told_with_its_flag() {
        let principal = |name: &str| {
            let files = AccessFiles { principal: Some(name.to_owned()), ..AccessFiles::default() };
            Access::read(&files)
        };
        assert_eq!(principal("chronode").unwrap().principal(), Some("chronode"));
        assert!(!principal("chronode").unwrap().has_secret());
        for name in ["", "a:b", "a\nb"] {
            let error = principal(name).unwrap_err().to_string();
            assert!(error.starts_with("--mesos_authentication_principal: "), "{error}");
        }
        let (_directory, path) = file(b"x");
        let nobody = AccessFiles { secret_file: Some(path), ..AccessFiles::default() };
        let error = Access::read(&nobody).unwrap_err().to_string();
        assert!(error.contains("`--mesos_authentication_principal`"), "{error}");
        let missing = AccessFiles {
            principal: Some("p".to_owned()),
            secret_file: Some(PathBuf::from("/nowhere/at/all")),
            ..AccessFiles::default()
        };
        let error = Access::read(&missing).unwrap_err().to_string();
        assert!(error.contains("cannot read `/nowhere/at/all`"), "{error}");
    }

    #[test]
    fn certificates_are_pem() {
        for text in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\n!!\n"] {
            let (_directory, path) = file(text);
            let ca = AccessFiles { ca_file: Some(path.clone()), ..AccessFiles::default() };
            let error = Access::read(&ca).unwrap_err().to_string();
            assert!(error.starts_with("--mesos_ca_file: `"), "{error}");
            let own = AccessFiles { client_certificate: Some(path), ..AccessFiles::default() };
            let error = Access::read(&own).unwrap_err().to_string();
            assert!(error.contains("a certificate and its key"), "{error}");
        }
    }
}
