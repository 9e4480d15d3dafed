//! Where commands are started: this machine, or the agents of a cluster.

use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::mpsc::UnboundedSender;

use crate::config::{Config, Mesos};
use crate::launcher::local::LocalLauncher;
use crate::launcher::mesos::MesosLauncher;
use crate::launcher::mesos::book::Terms;
use crate::launcher::{Launcher, Notice};
use crate::mesos::client::ClientConfig;
use crate::mesos::files::Files;
use crate::mesos::transport::{Access, AccessError, AccessFiles};
use crate::mesos::wire::{Capability, FrameworkInfo};
use crate::model::{FrameworkId, Run};

/// What the program needs of a cluster that it works for.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) launcher: Arc<MesosLauncher>,
    /// Reads what attempts leave on agents.
    pub(super) files: Files,
}

/// Where commands are started.
#[derive(Debug)]
pub(super) enum Place {
    Here(Arc<LocalLauncher>),
    Cluster(Cluster),
}

impl Place {
    pub(super) fn launcher(&self) -> Arc<dyn Launcher> {
        match self {
            Self::Here(launcher) => launcher.clone(),
            Self::Cluster(cluster) => cluster.launcher.clone(),
        }
    }

    pub(super) const fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Here(_) => None,
            Self::Cluster(cluster) => Some(cluster),
        }
    }
}

/// Refuses to lead while commands run where the launcher, of this machine or of a cluster, cannot ask: it would say of
/// them that they never were.
///
/// # Errors
///
/// A sentence that names one of them, and the way out.
pub(super) fn check_live_runs(is_cluster: bool, live: &[Run]) -> anyhow::Result<()> {
    let is_elsewhere = |run: &&Run| {
        run.live_attempt().is_some_and(|attempt| attempt.sandbox().is_some() != is_cluster)
    };
    let elsewhere: Vec<String> =
        live.iter().filter(is_elsewhere).map(|run| run.id.to_string()).collect();
    let Some(first) = elsewhere.first() else { return Ok(()) };
    let count = elsewhere.len();
    if is_cluster {
        bail!(
            "{count} live runs (`{first}` …) are on this machine, and the cluster knows nothing of them: start with \
             `--master local` until they are over (`--drain SECONDS` waits for them and starts nothing new), or stop them \
             there first"
        );
    }
    bail!(
        "{count} live runs (`{first}` …) are on agents of a cluster, and this machine knows nothing of them: start \
         with the --master that they were started with until they are over, or stop them there first"
    );
}

/// Reads what masters and agents are shown.
///
/// # Errors
///
/// A sentence that names the option whose file is of no use.
pub(super) fn access(mesos: &Mesos) -> Result<Access, AccessError> {
    Access::read(&AccessFiles {
        principal: mesos.principal.clone(),
        secret_file: mesos.secret_file.clone(),
        ca_file: mesos.ca_file.clone(),
        client_certificate: mesos.client_certificate.clone(),
        tls: mesos.tls || mesos.masters.names_tls(),
    })
}

/// Joins the cluster. Must be called within a tokio runtime.
pub(super) fn join(
    mesos: &Mesos,
    access: Access,
    config: &Config,
    own_user: &str,
    webui_url: &str,
    framework: Option<FrameworkId>,
    notices: UnboundedSender<Notice>,
) -> anyhow::Result<Cluster> {
    let files = Files::new(&access)?;
    let terms = Terms {
        roles: mesos.roles.clone(),
        agents_speak_tls: access.expects_tls(),
        is_checkpointed: mesos.checkpoint,
        decline_for: mesos.decline_for,
        revive_every: mesos.revive_every,
        reconcile_every: mesos.reconcile_every,
        ..Terms::default()
    };
    let client = ClientConfig {
        masters: mesos.masters.clone(),
        access,
        framework: framework_info(mesos, config, own_user, webui_url),
        jitter: framework.as_ref().map_or(0, |id| jitter(id.as_str())),
        framework_id: framework.map(|id| id.as_str().to_owned()),
    };
    let launcher = MesosLauncher::start(client, terms, notices)
        .context("cannot work for the cluster named by --master")?;
    Ok(Cluster { launcher: Arc::new(launcher), files })
}

fn framework_info(
    mesos: &Mesos,
    config: &Config,
    own_user: &str,
    webui_url: &str,
) -> FrameworkInfo {
    // Without them a lost agent is said to have lost its tasks, a task that is being stopped runs, and only one role and
    // no reservation within a reservation can be used.
    let capabilities =
        ["PARTITION_AWARE", "TASK_KILLING_STATE", "MULTI_ROLE", "RESERVATION_REFINEMENT"];
    FrameworkInfo {
        user: config.user.clone().unwrap_or_else(|| own_user.to_owned()),
        name: mesos.framework_name.clone(),
        id: None,
        failover_timeout: mesos.failover_timeout.as_secs_f64(),
        checkpoint: mesos.checkpoint,
        roles: mesos.roles.clone(),
        hostname: Some(config.hostname.clone()),
        principal: None,
        webui_url: Some(config.webui_url.clone().unwrap_or_else(|| webui_url.to_owned())),
        capabilities: capabilities.map(|name| Capability { name: Some(name.to_owned()) }).into(),
    }
}

/// A number that differs between frameworks and stays the same for one (FNV-1a).
fn jitter(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
