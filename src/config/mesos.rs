//! Working for a cluster of Apache Mesos: flags, and what they come to.
//!
//! Names and defaults are Chronos'. Those of its flags that ask for nothing here any more are in `chronos.rs`.

use std::path::PathBuf;

use clap::Args;

use super::{ConfigError, refuse};
use crate::mesos::leader::Masters;
use crate::model::Duration;

/// The flags of `chronode serve` about Mesos.
#[derive(Debug, Clone, Args)]
pub struct MesosFlags {
    /// Where commands are started: `local` is this machine; otherwise the masters of Mesos, as `zk://h1:2181,h2:2181/mesos`,
    /// `http://host:5050`, or a list of those
    #[arg(
        long,
        value_name = "local|MASTERS",
        env = "CHRONODE_MASTER",
        default_value = "local",
        help_heading = "Mesos"
    )]
    pub master: String,

    /// Name under which Mesos shows this scheduler
    #[arg(
        long = "mesos_framework_name",
        alias = "mesos-framework-name",
        value_name = "NAME",
        env = "CHRONODE_MESOS_FRAMEWORK_NAME",
        default_value = "chronos",
        help_heading = "Mesos"
    )]
    pub mesos_framework_name: String,

    /// Roles whose resources are used, with commas between them
    #[arg(
        long = "mesos_role",
        alias = "mesos-role",
        value_name = "ROLES",
        env = "CHRONODE_MESOS_ROLE",
        default_value = "*",
        help_heading = "Mesos"
    )]
    pub mesos_role: String,

    /// Seconds for which tasks run on without a scheduler before Mesos ends them all
    #[arg(
        long = "failover_timeout",
        alias = "failover-timeout",
        value_name = "SECONDS",
        env = "CHRONODE_FAILOVER_TIMEOUT",
        default_value_t = 604_800,
        help_heading = "Mesos"
    )]
    pub failover_timeout: u32,

    /// Whether agents keep tasks on record, so that these outlive a restart of the agent's own process
    #[arg(
        long = "mesos_checkpoint",
        alias = "mesos-checkpoint",
        value_name = "true|false",
        env = "CHRONODE_MESOS_CHECKPOINT",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        default_value_t = true,
        default_missing_value = "true",
        help_heading = "Mesos"
    )]
    pub mesos_checkpoint: bool,

    /// Name to log in with at masters and agents
    #[arg(
        long = "mesos_authentication_principal",
        alias = "mesos-authentication-principal",
        value_name = "NAME",
        env = "CHRONODE_MESOS_AUTHENTICATION_PRINCIPAL",
        help_heading = "Mesos"
    )]
    pub mesos_authentication_principal: Option<String>,

    /// File with the secret to log in with; readable by nobody else
    #[arg(
        long = "mesos_authentication_secret_file",
        alias = "mesos-authentication-secret-file",
        value_name = "FILE",
        env = "CHRONODE_MESOS_AUTHENTICATION_SECRET_FILE",
        help_heading = "Mesos"
    )]
    pub mesos_authentication_secret_file: Option<PathBuf>,

    /// PEM file of the authorities that sign the certificates of masters and agents; without it those of the system
    #[arg(
        long = "mesos_ca_file",
        alias = "mesos-ca-file",
        value_name = "FILE",
        env = "CHRONODE_MESOS_CA_FILE",
        help_heading = "Mesos"
    )]
    pub mesos_ca_file: Option<PathBuf>,

    /// Whether masters and agents speak TLS where their address does not say so; also without a certificate file
    #[arg(
        long = "mesos_tls",
        alias = "mesos-tls",
        value_name = "true|false",
        env = "CHRONODE_MESOS_TLS",
        action = clap::ArgAction::Set,
        num_args = 0..=1,
        default_value_t = false,
        default_missing_value = "true",
        help_heading = "Mesos"
    )]
    pub mesos_tls: bool,

    /// PEM file with a certificate and its key, shown to masters and agents that ask for one
    #[arg(
        long = "mesos_client_certificate",
        alias = "mesos-client-certificate",
        value_name = "FILE",
        env = "CHRONODE_MESOS_CLIENT_CERTIFICATE",
        help_heading = "Mesos"
    )]
    pub mesos_client_certificate: Option<PathBuf>,

    /// Seconds between two questions after all tasks there are
    #[arg(
        long = "reconciliation_interval",
        alias = "reconciliation-interval",
        value_name = "SECONDS",
        env = "CHRONODE_RECONCILIATION_INTERVAL",
        default_value_t = 600,
        help_heading = "Mesos"
    )]
    pub reconciliation_interval: u32,

    /// Milliseconds for which resources that nothing wants are not offered again
    #[arg(
        long = "decline_offer_duration",
        alias = "decline-offer-duration",
        value_name = "MILLISECONDS",
        env = "CHRONODE_DECLINE_OFFER_DURATION",
        default_value_t = 5_000,
        help_heading = "Mesos"
    )]
    pub decline_offer_duration: u64,

    /// Milliseconds between two requests for offers, beyond the first few
    #[arg(
        long = "min_revive_offers_interval",
        alias = "min-revive-offers-interval",
        value_name = "MILLISECONDS",
        env = "CHRONODE_MIN_REVIVE_OFFERS_INTERVAL",
        default_value_t = 5_000,
        help_heading = "Mesos"
    )]
    pub min_revive_offers_interval: u64,

    /// Bytes kept here of the end of each output stream of a task, for when its agent is gone; 0 keeps nothing
    #[arg(
        long = "mesos_keep_output",
        alias = "mesos-keep-output",
        value_name = "BYTES",
        env = "CHRONODE_MESOS_KEEP_OUTPUT",
        default_value_t = 0,
        help_heading = "Mesos"
    )]
    pub mesos_keep_output: u64,
}

/// A cluster to work for.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesos {
    /// Where its masters are.
    pub masters: Masters,
    /// What Mesos shows this scheduler as.
    pub framework_name: String,
    /// Whose resources are used; at least one.
    pub roles: Vec<String>,
    /// How long tasks run on without a scheduler.
    pub failover_timeout: Duration,
    /// Whether agents keep tasks on record.
    pub checkpoint: bool,
    /// Whom to log in as. Without a secret it is only named.
    pub principal: Option<String>,
    /// The file with the secret.
    pub secret_file: Option<PathBuf>,
    /// Who signs the certificates of the cluster.
    pub ca_file: Option<PathBuf>,
    /// Whether TLS is spoken where an address does not say so, whatever certificates there are.
    pub tls: bool,
    /// What is shown to whoever asks for a certificate.
    pub client_certificate: Option<PathBuf>,
    /// Between two questions after all tasks.
    pub reconcile_every: Duration,
    /// For how long what nothing wants is not offered again.
    pub decline_for: Duration,
    /// Between two requests for offers.
    pub revive_every: Duration,
    /// Bytes kept of each output stream.
    pub keep_output: u64,
}

impl Mesos {
    /// The cluster that the flags name; `None` for this machine alone.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first flag whose value cannot be used.
    pub(super) fn new(flags: MesosFlags) -> Result<Option<Self>, ConfigError> {
        let MesosFlags {
            master,
            mesos_framework_name,
            mesos_role,
            failover_timeout,
            mesos_checkpoint,
            mesos_authentication_principal,
            mesos_authentication_secret_file,
            mesos_ca_file,
            mesos_tls,
            mesos_client_certificate,
            reconciliation_interval,
            decline_offer_duration,
            min_revive_offers_interval,
            mesos_keep_output,
        } = flags;
        let masters = Masters::parse(&master).map_err(|error| {
            let why = error.to_string();
            refuse("master", &master, why.strip_prefix("--master: ").unwrap_or(&why))
        })?;
        let Some(masters) = masters else { return Ok(None) };
        if let (None, Some(file)) =
            (&mesos_authentication_principal, &mesos_authentication_secret_file)
        {
            let expected = "name whom it is the secret of too: --mesos_authentication_principal";
            return Err(refuse("mesos_authentication_secret_file", file.display(), expected));
        }
        let millis = |flag: &'static str, millis: u64| {
            let is_sane = (1..=DAY_MILLIS).contains(&millis);
            let span = i64::try_from(millis).ok().filter(|_| is_sane).map(Duration::from_millis);
            span.ok_or_else(|| refuse(flag, millis, "give 1 to 86400000 milliseconds"))
        };
        if reconciliation_interval == 0 {
            return Err(refuse("reconciliation_interval", 0, "give at least 1"));
        }
        Ok(Some(Self {
            masters,
            framework_name: mesos_framework_name,
            roles: roles(&mesos_role)?,
            failover_timeout: Duration::from_secs(i64::from(failover_timeout)),
            checkpoint: mesos_checkpoint,
            principal: mesos_authentication_principal,
            secret_file: mesos_authentication_secret_file,
            ca_file: mesos_ca_file,
            tls: mesos_tls,
            client_certificate: mesos_client_certificate,
            reconcile_every: Duration::from_secs(i64::from(reconciliation_interval)),
            decline_for: millis("decline_offer_duration", decline_offer_duration)?,
            revive_every: millis("min_revive_offers_interval", min_revive_offers_interval)?,
            keep_output: mesos_keep_output,
        }))
    }
}

const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;

/// The roles of a list, each once. What a role may be called: `docs/roles.md` of Mesos.
fn roles(text: &str) -> Result<Vec<String>, ConfigError> {
    let mut roles: Vec<String> = Vec::new();
    for role in text.split(',').map(str::trim).filter(|role| !role.is_empty()) {
        let is_role = role == "*"
            || role.split('/').all(|part| {
                let is_word = !part.is_empty() && part != "." && part != ".." && part != "*";
                is_word && !part.starts_with('-')
            }) && !role.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        if !is_role {
            return Err(refuse("mesos_role", role, "give roles as `batch` or `batch/night`"));
        }
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    if roles.is_empty() {
        return Err(refuse("mesos_role", text, "give at least one role; `*` is everybody's"));
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_those_that_mesos_accepts() {
        assert_eq!(roles("*").unwrap(), ["*"]);
        assert_eq!(roles(" batch, batch/night ,batch").unwrap(), ["batch", "batch/night"]);
        for wrong in ["", ",", "-a", "a/-b", "a//b", "a/..", ".", "a b", "a/*", "a\tb"] {
            let error = roles(wrong).unwrap_err().to_string();
            assert!(error.starts_with("--mesos_role `"), "{wrong}: {error}");
        }
    }
}
