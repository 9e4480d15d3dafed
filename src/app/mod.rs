//! Builds everything, runs it, and stops it cleanly. The only module that knows all the others.

mod backend;
pub mod backup;
mod channels;
mod cluster;
pub mod configuration;
mod courier;
pub mod credential;
mod feed;
pub mod first_process;
mod housekeeping;
mod job_files;
mod keeping;
mod logging;
mod machine;
mod security;
mod supervision;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::alerts::Terms;
use crate::api::{self, Entrance};
use crate::clock;
use crate::config::{Config, Isolation, Resolution};
use crate::driver::view::View;
use crate::driver::{Driver, Handle};
use crate::engine::{Abilities, Settings};
use crate::launcher::local::output::OutputReader;
use crate::launcher::local::{self, LocalConfig, LocalLauncher, dies_with_scheduler};
use crate::metrics::Metrics;
use crate::model::{Duration, RunState};
use crate::schedule::ZoneDb;
use crate::store::{DataDir, SqliteStore};

use backend::{Backend, Identity, Letterhead};
use cluster::Place;
use configuration::Checked;
use courier::Courier;
use job_files::JobFiles;
use security::Guards;
use supervision::Supervision;

/// How long open connections are given at the end.
const API_GRACE: std::time::Duration = std::time::Duration::from_secs(1);
/// How long messages that are on their way are given at the same time.
const COURIER_GRACE: Duration = Duration::from_secs(1);
/// How long the batch in flight is given at the end. With [`API_GRACE`] it stays under the five seconds promised.
const LOOP_GRACE: Duration = Duration::from_secs(3);
/// Between two looks at whether running commands have ended.
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// Runs `chronode serve` until a signal ends it. `executable` is this program, from which the keeper is started.
///
/// # Errors
///
/// Whatever keeps it from starting, as a sentence with its causes; or that it had to stop.
pub async fn serve(resolution: Resolution, executable: PathBuf) -> anyhow::Result<()> {
    // What can be refused is refused before anything is started.
    let Checked { config, zones, site, access, channels, terms } =
        configuration::check(&resolution)?;
    logging::init(config.log, &config.log_level)?;
    for warning in resolution.warnings() {
        tracing::warn!("{warning}");
    }
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let supervision = Supervision::begin();
    let directory = DataDir::open(&config.data)?;
    let data = directory.path().to_owned();
    security::check_files(&data)?;

    let own_user = machine::own_user();
    let guards = Guards::open(&config.security, &config.defaults.user, &own_user, &data)?;
    let entrances = entrances(&config, &guards).await?;
    let addresses = addresses(&entrances)?;

    // The keeper comes first: it must be started from a process that is still small.
    let (notices, notices_in) = mpsc::unbounded_channel();
    let here = match config.mesos {
        None => Some(
            LocalLauncher::start(local_config(&config, &data, executable), notices.clone())
                .context("cannot start the local launcher")?,
        ),
        Some(_) => None,
    };

    let store = tokio::task::spawn_blocking(move || SqliteStore::open(&directory)).await??;
    let store = Arc::new(store);
    let reader = store.reader()?;
    // Before the cluster hears of us.
    cluster::check_live_runs(config.mesos.is_some(), &reader.live_runs()?)?;
    let place = match (here, &config.mesos) {
        (Some(launcher), _) => Place::Here(Arc::new(launcher)),
        (None, Some(mesos)) => {
            let framework = reader.framework()?;
            let urls = urls(&addresses);
            let page = urls.first().map(String::as_str).unwrap_or_default();
            let joined = cluster::join(mesos, access, &config, &own_user, page, framework, notices);
            Place::Cluster(joined?)
        }
        (None, None) => bail!("neither this machine nor a cluster was chosen to start commands on"),
    };
    let settings = Arc::new(settings(&config, &own_user, zones, terms));
    let metrics = Arc::new(Metrics::new(clock::boot));
    if let Some(cluster) = place.cluster() {
        let launcher = Arc::clone(&cluster.launcher);
        metrics.watch_cluster(move || launcher.figures());
    }
    let (driver, handle, view) =
        Driver::begin(store.clone(), place.launcher(), notices_in, settings, metrics.clone())
            .await?;
    let mut driver = tokio::spawn(driver.run());

    let files = config.jobs.as_ref().map(|directory| {
        let (is_pruning, is_watched) = (config.is_pruning, config.is_watching);
        let (handle, view, audit) = (handle.clone(), view.clone(), guards.audit.clone());
        JobFiles::new(directory, is_pruning, is_watched, handle, view, audit)
    });
    let loaded = match &files {
        Some(files) => files.load().await.map_err(anyhow::Error::msg)?,
        None => job_files::Loaded::default(),
    };
    let backend = Arc::new(Backend {
        handle: handle.clone(),
        view: view.clone(),
        reader,
        output: OutputReader::new(&data)?,
        cluster: place.cluster().cloned(),
        metrics: metrics.clone(),
        job_history_limit: config.job_history_limit,
        audit: guards.audit.clone(),
        identity: Identity {
            node: config.hostname.clone(),
            listening: urls(&addresses),
            launcher: if place.cluster().is_some() { "mesos" } else { "local" }.to_owned(),
            master: config.mesos.as_ref().map(|mesos| mesos.masters.to_string()),
            roles: config.mesos.as_ref().map(|mesos| mesos.roles.clone()).unwrap_or_default(),
            leader: leader_name(&config.hostname, &addresses),
        },
        channels: channels
            .into_iter()
            .map(|channel| (channel.name().to_owned(), channel))
            .collect(),
        letterhead: letterhead(&config, &addresses),
        job_files: files.as_ref().map(JobFiles::shown),
    });
    let courier = Courier { backend: Arc::clone(&backend), handle: handle.clone() };
    let courier = courier::Delivering::begin(courier, Arc::clone(view.feed()));
    let options = api_options(&config, &addresses, &guards, metrics);
    let api = api::serve(entrances, api::router(backend.clone(), site), options)?;
    guards.say_what_is_open(&addresses);
    guards.started(&urls(&addresses));
    let status = status(&addresses, &view);
    let reloading =
        tokio::spawn(signals.hangup(Arc::clone(&guards), supervision.clone(), status.clone()));
    let keeping = config.mesos.as_ref().filter(|mesos| mesos.keep_output > 0).map(|mesos| {
        let (feed, bytes) = (Arc::clone(view.feed()), mesos.keep_output);
        tokio::spawn(keeping::keep(Arc::clone(&backend), feed, data.clone(), bytes))
    });
    let housekeeping =
        tokio::spawn(housekeeping::keep(store.clone(), view.clone(), data.clone(), config.history));
    let watching = files.filter(|_| config.is_watching).map(|files| tokio::spawn(files.watch()));
    greet(&mut std::io::stdout().lock(), &urls(&addresses), &data, &config, &loaded, &view)
        .context("cannot print where Chronode listens")?;
    supervision.ready(&status);
    let signs_of_life = supervision.watch(handle.pulse());

    let ended = tokio::select! {
        signal = signals.next() => {
            tracing::info!("{signal}: stopping");
            None
        }
        ended = &mut driver => Some(ended),
    };
    let is_draining = ended.is_none() && !config.drain.is_zero();
    if is_draining {
        supervision.stopping(config.drain, "waiting for running commands");
        drain(&handle, &view, &config, &mut signals).await;
    }
    supervision.stopping(Duration::ZERO, "stopping");
    reloading.abort();
    for task in keeping.into_iter().chain(watching) {
        task.abort();
    }
    housekeeping.abort();
    // While what the courier says can still be stored.
    tokio::join!(api.stop(), courier.stop(COURIER_GRACE));
    guards.stopping();
    match ended {
        None => {}
        Some(Ok(())) => bail!("the loop ended by itself"),
        Some(Err(error)) => {
            bail!("the loop failed: {error}; the next start recovers from the store")
        }
    }
    // From here on nobody needs to hear of the loop: what still takes long is bounded.
    signs_of_life.inspect(JoinHandle::abort);
    handle.stop().await;
    tokio::select! {
        _ = &mut driver => {}
        () = clock::pause(LOOP_GRACE) => {
            bail!("the last batch could not be committed in time; the next start recovers from the store");
        }
    }
    say_what_runs_on(&view);
    // Closing the database waits for the writer.
    tokio::task::spawn_blocking(move || drop(store)).await?;
    Ok(())
}

fn local_config(config: &Config, data: &Path, executable: PathBuf) -> LocalConfig {
    LocalConfig {
        attributes: config.attributes.clone(),
        metered: config.is_metered,
        resources: config.resources,
        isolation: match config.isolation {
            Isolation::None => local::Isolation::None,
            Isolation::Cgroup => {
                local::Isolation::Cgroup { cpu_quota: true, pids_max: local::DEFAULT_PIDS_MAX }
            }
        },
        output_cap_bytes: config.output_cap,
        lang: config.lang.clone(),
        run_as: config.security.run_as.clone(),
        ..LocalConfig::new(data.to_owned(), executable, config.hostname.clone())
    }
}

fn settings(config: &Config, own_user: &str, zones: ZoneDb, terms: Terms) -> Settings {
    let mut defaults = config.defaults.clone();
    if defaults.user.is_empty() {
        own_user.clone_into(&mut defaults.user);
    }
    Settings {
        defaults,
        retry_delay: config.retry_delay,
        disable_after_failures: config.disable_after_failures,
        max_jobs: config.limits.jobs,
        kill_grace: config.kill_grace,
        abilities: Abilities {
            // An agent becomes whom it may; what it may not, it says of the task.
            only_user: (config.mesos.is_none() && !machine::is_root()).then(|| own_user.to_owned()),
            run_as: config.security.run_as.clone(),
            containers: config.mesos.is_some(),
            executors: config.mesos.is_some(),
            ports: config.mesos.is_some(),
        },
        alerts: terms,
        zones,
        machine: match config.mesos {
            None => machine::boot(),
            Some(_) => {
                Err("commands run on the agents of a cluster, not on one machine".to_owned())
            }
        },
    }
}

/// Listens wherever clients are let in.
async fn entrances(config: &Config, guards: &Guards) -> anyhow::Result<Vec<Entrance>> {
    let mut entrances = Vec::new();
    let plain = (!config.security.is_http_disabled).then_some((config.listen, "http_port", None));
    let with_tls = config.security.tls.as_ref().zip(guards.tls.clone());
    let with_tls = with_tls.map(|((address, _), tls)| (*address, "https_port", Some(tls)));
    for (address, flag, tls) in plain.into_iter().chain(with_tls) {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!(
                "cannot listen on {address}: is another Chronode running there? Choose another port with --{flag}"
            )
        })?;
        entrances.push(Entrance { listener, tls });
    }
    Ok(entrances)
}

/// Where the entrances are, and whether TLS is spoken there.
fn addresses(entrances: &[Entrance]) -> std::io::Result<Vec<(SocketAddr, bool)>> {
    let address = |it: &Entrance| Ok((it.listener.local_addr()?, it.tls.is_some()));
    entrances.iter().map(address).collect()
}

/// Whom clients are told to ask: this machine, at the port where no TLS is spoken if there is one, as in Chronos.
fn leader_name(hostname: &str, addresses: &[(SocketAddr, bool)]) -> String {
    let plain = addresses.iter().find(|(_, has_tls)| !has_tls).or(addresses.first());
    format!("{hostname}:{}", plain.map_or(0, |(address, _)| address.port()))
}

/// What stands on what people are told: where its links lead, above all.
fn letterhead(config: &Config, addresses: &[(SocketAddr, bool)]) -> Letterhead {
    // A link to this machine's loopback leads whoever reads it elsewhere.
    let mut reachable = addresses.iter().filter(|(address, _)| !address.ip().is_loopback());
    let own = || {
        let (address, has_tls) = reachable.find(|(_, has_tls)| *has_tls).or(reachable.next())?;
        let scheme = if *has_tls { "https" } else { "http" };
        Some(format!("{scheme}://{}:{}", config.hostname, address.port()))
    };
    Letterhead {
        base_url: config.webui_url.clone().or_else(own),
        cluster_name: config.notifications.cluster_name.clone(),
        host: config.hostname.clone(),
    }
}

fn urls(addresses: &[(SocketAddr, bool)]) -> Vec<String> {
    let url = |(address, has_tls): &(SocketAddr, bool)| {
        format!("{}://{address}", if *has_tls { "https" } else { "http" })
    };
    addresses.iter().map(url).collect()
}

fn api_options(
    config: &Config,
    addresses: &[(SocketAddr, bool)],
    guards: &Guards,
    metrics: Arc<Metrics>,
) -> api::Options {
    let names = addresses.iter().map(|(address, _)| address.ip().to_string());
    let is_local = addresses.iter().all(|(address, _)| address.ip().to_canonical().is_loopback());
    api::Options {
        allowed_hosts: names
            .chain([config.hostname.clone()])
            .chain(config.security.allowed_hosts.clone())
            .collect(),
        allowed_origins: config.security.origins.clone(),
        // Whoever reaches a scheduler that runs as root is root. On loopback that would be every local user.
        peers: if machine::is_root() && is_local && guards.authenticator.is_none() {
            api::Peers::Users(vec![0])
        } else {
            api::Peers::Anyone
        },
        authenticator: guards.authenticator.clone(),
        audit: Some(guards.audit.clone()),
        limits: api::Limits { drain_time: API_GRACE, ..config.limits.clients },
        metrics: Some(metrics),
    }
}

/// Says where Chronode listens, where its state is, how many jobs it has, and what runs next.
fn greet(
    out: &mut dyn Write,
    urls: &[String],
    data: &Path,
    config: &Config,
    files: &job_files::Loaded,
    view: &View,
) -> std::io::Result<()> {
    let state = view.read();
    let zones = &state.settings.zones;
    for (index, url) in urls.iter().enumerate() {
        match index {
            0 => writeln!(out, "Chronode {} listening on {url}", env!("CARGO_PKG_VERSION"))?,
            _ => writeln!(out, "  and on     {url}")?,
        }
    }
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    writeln!(out, "  state in   {}", data.display())?;
    let pinned = if zones.is_pinned() { ", pinned" } else { "" };
    writeln!(out, "  zone data  {} ({}{pinned})", zones.version(), zones.source())?;
    writeln!(out, "  jobs       {}", state.jobs().len())?;
    if let Some(directory) = &config.jobs {
        writeln!(
            out,
            "  job files  {}: {} loaded, {} unchanged, {} refused",
            directory.display(),
            files.stored,
            files.unchanged,
            files.problems.len()
        )?;
    }
    let mut next: Vec<_> =
        state.jobs().filter_map(|entry| entry.next_due().map(|at| (at, &entry.job.name))).collect();
    next.sort();
    match next.as_slice() {
        [] => writeln!(out, "  next       nothing is scheduled")?,
        next => {
            for (at, name) in next.iter().take(3) {
                writeln!(out, "  next       {at:.0}  {name}")?;
            }
        }
    }
    drop(state);
    for warning in &files.warnings {
        tracing::warn!("{warning}");
    }
    for problem in &files.problems {
        tracing::error!("{problem}");
    }
    if let Some(mesos) = &config.mesos {
        writeln!(out, "  Mesos      {}", mesos.masters)?;
    } else if dies_with_scheduler() {
        tracing::warn!(
            "Chronode is the first process of its container: running commands end with it. They are settled at the \
             next start; --drain SECONDS gives them time"
        );
    }
    out.flush()
}

/// Starts nothing new and waits for what runs, as long as the configuration allows and nobody hurries.
async fn drain(handle: &Handle, view: &View, config: &Config, signals: &mut Signals) {
    handle.drain().await;
    let until = clock::boot().saturating_add(config.drain);
    tracing::info!("waiting up to {:#} for {} running commands", config.drain, active(view));
    while active(view) > 0 && clock::boot() < until {
        tokio::select! {
            signal = signals.next() => {
                tracing::info!("{signal} again: not waiting any longer");
                return;
            }
            () = clock::pause(DRAIN_LOOK) => {}
        }
    }
}

fn active(view: &View) -> usize {
    view.read().runs().filter(|run| run.state == RunState::Active).count()
}

/// What a supervisor shows of this process.
fn status(addresses: &[(SocketAddr, bool)], view: &View) -> String {
    format!(
        "listening on {}, {} jobs at the start",
        urls(addresses).join(" and "),
        view.read().jobs().len()
    )
}

fn say_what_runs_on(view: &View) {
    let active = active(view);
    if active > 0 {
        tracing::info!("{active} commands go on running; the next start finds them again");
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Taken by the one who acts on it.
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: Some(signal(SignalKind::hangup())?),
        })
    }

    /// Reads credentials and certificates again whenever that is asked for.
    fn hangup(
        &mut self,
        guards: Arc<Guards>,
        supervision: Supervision,
        status: String,
    ) -> impl Future<Output = ()> + use<> {
        let hangup = self.hangup.take();
        async move {
            let Some(mut hangup) = hangup else { return };
            while hangup.recv().await.is_some() {
                supervision.reloading();
                let guards = Arc::clone(&guards);
                let reload = move || guards.reload();
                if tokio::task::spawn_blocking(reload).await.is_err() {
                    tracing::error!("SIGHUP: reading the files again failed badly");
                }
                supervision.ready(&status);
            }
        }
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
