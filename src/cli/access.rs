//! What a command shows so that a server lets it in: credentials, and a certificate where the server wants one.

use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::blocking::{ClientBuilder, RequestBuilder};
use reqwest::{Certificate, Identity};

use super::CliError;

/// What is shown, as typed.
#[derive(Debug, Clone, Default, Args)]
pub struct Access {
    /// Token to show; a command line can be read by everybody on the machine, the variable cannot
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "CHRONODE_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// File whose first line is the token to show
    #[arg(
        long = "token_file",
        alias = "token-file",
        global = true,
        value_name = "FILE",
        env = "CHRONODE_TOKEN_FILE"
    )]
    pub token_file: Option<PathBuf>,
    /// Name and password to show
    #[arg(
        long,
        global = true,
        value_name = "NAME:PASSWORD",
        env = "CHRONODE_LOGIN",
        hide_env_values = true
    )]
    pub user: Option<String>,
    /// Certificates, in PEM, by which the server's is judged, in place of the machine's
    #[arg(
        long = "ca_file",
        alias = "ca-file",
        global = true,
        value_name = "FILE",
        env = "CHRONODE_CA_FILE"
    )]
    pub ca_file: Option<PathBuf>,
    /// Certificate and key to show, in one PEM file, where the server asks for one
    #[arg(
        long = "client_certificate",
        alias = "client-certificate",
        global = true,
        value_name = "FILE",
        env = "CHRONODE_CLIENT_CERTIFICATE"
    )]
    pub client_certificate: Option<PathBuf>,
}

/// What is shown with every request.
#[derive(Clone)]
pub(super) enum Shown {
    Nothing,
    Token(String),
    Login { name: String, password: String },
}

impl Access {
    /// What is shown with every request.
    pub(super) fn shown(&self) -> Result<Shown, CliError> {
        let usage = |text: &str| Err(CliError::Usage(text.to_owned()));
        match (&self.token, &self.token_file, &self.user) {
            (None, None, None) => Ok(Shown::Nothing),
            (Some(token), None, None) => token_of(token),
            (None, Some(path), None) => {
                let text = String::from_utf8(read(path)?).unwrap_or_default();
                token_of(text.lines().next().unwrap_or_default())
            }
            (None, None, Some(login)) => match login.split_once(':') {
                Some((name, password)) => {
                    Ok(Shown::Login { name: name.to_owned(), password: password.to_owned() })
                }
                None => usage("--user: expected a name and a password with a colon between them"),
            },
            _ => usage(
                "give one of --token (CHRONODE_TOKEN), --token_file (CHRONODE_TOKEN_FILE) and --user (CHRONODE_LOGIN)",
            ),
        }
    }

    /// The certificates that a client trusts and shows.
    pub(super) fn prepare(&self, mut client: ClientBuilder) -> Result<ClientBuilder, CliError> {
        let wrong = |flag: &str, path: &Path, why: &dyn std::fmt::Display| {
            CliError::Failed(format!("--{flag}: `{}` {why}", path.display()))
        };
        if let Some(path) = &self.ca_file {
            let found = Certificate::from_pem_bundle(&read(path)?)
                .map_err(|error| wrong("ca_file", path, &format!("is no PEM file: {error}")))?;
            if found.is_empty() {
                return Err(wrong("ca_file", path, &"has no certificate"));
            }
            client = client.tls_certs_only(found);
        }
        if let Some(path) = &self.client_certificate {
            let identity = Identity::from_pem(&read(path)?).map_err(|_| {
                wrong("client_certificate", path, &"must have a certificate and its key, in PEM")
            })?;
            client = client.identity(identity);
        }
        Ok(client)
    }
}

impl Shown {
    /// The request with what is shown.
    pub(super) fn with(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Token(token) => request.bearer_auth(token),
            Self::Login { name, password } => request.basic_auth(name, Some(password)),
        }
    }
}

fn token_of(text: &str) -> Result<Shown, CliError> {
    let token = text.trim();
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token {
        Ok(Shown::Token(token.to_owned()))
    } else {
        Err(CliError::Usage("the token is empty, or has characters that no token has".to_owned()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path)
        .map_err(|error| CliError::Failed(format!("cannot read `{}`: {error}", path.display())))
}
