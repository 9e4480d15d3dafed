//! From what was given to what the program uses: checked, defaults filled in.
//!
//! Only this module sees flags, the environment and the files of options. The others get the values they need.
//! `table.rs` has all options, once; [`Typed`] is a command line, [`Resolution`] one value for each option with
//! the place it came from, [`Config`] what the program uses.

mod channels;
mod chronos;
mod document;
mod flags;
mod limits;
mod mesos;
mod notification_flags;
mod notifications;
#[cfg(test)]
mod option_tests;
mod resolve;
mod security;
mod show;
mod source;
mod supervisor;
mod table;
mod written;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

pub use channels::{
    Argv, ChannelKind, ChannelSettings, FileName, HookSettings, MailSettings, Place, SecretSource,
};
pub use document::regenerated;
pub use flags::{Isolation, LogForm, ServeFlags};
pub use limits::{LimitFlags, Limits};
pub use mesos::{Mesos, MesosFlags};
pub use notification_flags::NotificationFlags;
pub use notifications::{Notifications, program_environment};
pub use resolve::{Problems, Resolution, Typed};
pub use security::{
    Administrator, AuditMode, Login, Secret, Security, SecurityFlags, check_password,
};
pub use supervisor::{Supervisor, supervisor};

use crate::model::{Defaults, Duration, Resources, Scalar};
use crate::schedule::ZoneChoice;

/// What `chronode serve` works with.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the state is.
    pub data: PathBuf,
    /// Where job files are.
    pub jobs: Option<PathBuf>,
    /// Whether they are loaded again whenever they change.
    pub is_watching: bool,
    /// Whether jobs are deleted that are not there any more.
    pub is_pruning: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who is let in, by which door, and what commands may run as.
    pub security: Security,
    /// Where the web page is; `None` is the one in the program.
    pub web_dir: Option<PathBuf>,
    /// Bounds on what clients may take and on how many jobs there may be.
    pub limits: Limits,
    /// The cluster that commands are started on; `None` is this machine.
    pub mesos: Option<Mesos>,
    /// How somebody is told, and of what.
    pub notifications: Notifications,
    /// This machine's name.
    pub hostname: String,
    /// Where people reach the web page; `None` if only where this process listens is known.
    pub webui_url: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Whether resources limit how much is started at once.
    pub is_metered: bool,
    /// The resources given by hand, in place of the machine's.
    pub resources: Option<Resources>,
    /// How commands are kept to their resources.
    pub isolation: Isolation,
    /// Bytes kept of each output stream.
    pub output_cap: u64,
    /// The user of jobs that name none; `None` is our own.
    pub user: Option<String>,
    /// What a field that was not given becomes; `user` is filled in by whoever knows our own.
    pub defaults: Defaults,
    /// The pause between attempts.
    pub retry_delay: Duration,
    /// Final failures in a row after which a job that does not say is disabled; 0 is never.
    pub disable_after_failures: u32,
    /// Between being asked to stop and being stopped.
    pub kill_grace: Duration,
    /// What is kept of the history.
    pub history: History,
    /// Tasks that `job/stat` lists of a job.
    pub job_history_limit: usize,
    /// How long to wait for running commands at the end.
    pub drain: Duration,
    /// Which zone data is used.
    pub zone_data: ZoneChoice,
    /// `LANG` of commands: the one Chronode was started with.
    pub lang: Option<String>,
    /// The form of the log.
    pub log: LogForm,
    /// What is logged.
    pub log_level: String,
}

/// What is kept of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Ended runs of each job.
    pub per_job: u64,
    /// Ended runs in all.
    pub total: u64,
    /// How long.
    pub age: Duration,
    /// Bytes of output in all.
    pub bytes: u64,
}

/// A flag whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} `{found}`: {expected}")]
pub struct ConfigError {
    /// The flag.
    pub flag: &'static str,
    /// Its value.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl Config {
    /// Checks the flags. `machine_name` is the system's own name, used where none was given; `notifications` is what
    /// flags and the file say of these.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first flag whose value cannot be used.
    pub fn new(
        flags: ServeFlags,
        machine_name: &str,
        notifications: Notifications,
    ) -> Result<Self, ConfigError> {
        let mesos = Mesos::new(flags.mesos.clone())?;
        if mesos.is_some() {
            no_limits_of_this_machine(&flags)?;
        }
        let security = Security::new(flags.security.clone(), flags.insecure)?;
        let listen = listen(&flags, &security)?;
        for (flag, is_given) in [("watch", flags.watch), ("jobs_prune", flags.jobs_prune)] {
            if is_given && flags.jobs.is_none() {
                return Err(refuse(flag, true, "name the directory of job files with `--jobs`"));
            }
        }
        let (is_metered, resources) = local_resources(flags.local_resources.as_deref())?;
        let amount = |flag: &'static str, units: f64| {
            Scalar::from_units(units)
                .filter(|&amount| amount > Scalar::ZERO)
                .ok_or_else(|| refuse(flag, units, "give an amount above 0"))
        };
        let defaults = Defaults {
            epsilon: Duration::from_secs(i64::from(flags.task_epsilon)),
            resources: Resources {
                cpus: amount("mesos_task_cpu", flags.mesos_task_cpu)?,
                mem: amount("mesos_task_mem", flags.mesos_task_mem)?,
                disk: amount("mesos_task_disk", flags.mesos_task_disk)?,
                ports: 0,
            },
            user: flags.user.clone().unwrap_or_default(),
        };
        let positive = |flag: &'static str, count: u64| {
            if count == 0 { Err(refuse(flag, count, "give at least 1")) } else { Ok(count) }
        };
        let retry_millis = i64::try_from(flags.failure_retry).ok().filter(|&ms| ms <= MILLIS_MAX);
        let history_days = positive("history_days", u64::from(flags.history_days))?;
        Ok(Self {
            data: flags.data,
            is_watching: flags.watch,
            is_pruning: flags.jobs_prune,
            jobs: flags.jobs,
            listen,
            security,
            web_dir: flags.web_dir,
            limits: Limits::new(&flags.limits)?,
            mesos,
            notifications,
            hostname: flags.hostname.unwrap_or_else(|| machine_name.to_owned()),
            webui_url: flags.webui_url.map(webui_url).transpose()?,
            attributes: attributes(&flags.attributes)?,
            is_metered,
            resources,
            isolation: flags.local_isolation,
            output_cap: positive("output_cap", flags.output_cap)?.max(OUTPUT_CAP_MIN),
            user: flags.user,
            defaults,
            retry_delay: Duration::from_millis(retry_millis.ok_or_else(|| {
                refuse("failure_retry", flags.failure_retry, "give at most a year of milliseconds")
            })?),
            disable_after_failures: flags.disable_after_failures,
            kill_grace: Duration::from_secs(i64::from(flags.kill_grace)),
            history: History {
                per_job: positive("history_per_job", flags.history_per_job)?,
                total: positive("history_total", flags.history_total)?,
                age: Duration::from_hours(
                    24 * i64::try_from(history_days).unwrap_or(i64::MAX / 24),
                ),
                bytes: flags.history_bytes,
            },
            job_history_limit: usize::from(flags.job_history_limit),
            drain: Duration::from_secs(i64::from(flags.drain)),
            zone_data: flags.zone_data,
            lang: lang(),
            log: flags.log,
            log_level: flags.log_level,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this module is the one that reads the environment")]
fn lang() -> Option<String> {
    std::env::var("LANG").ok().filter(|lang| !lang.is_empty())
}

/// A year; a longer pause between attempts is a slip of the unit.
const MILLIS_MAX: i64 = 366 * 24 * 3_600 * 1_000;
/// Less than this could not even hold the mark of what was cut.
const OUTPUT_CAP_MIN: u64 = 4_096;

fn refuse(flag: &'static str, found: impl ToString, expected: &str) -> ConfigError {
    ConfigError { flag, found: found.to_string(), expected: expected.to_owned() }
}

/// Links begin with it, so it must be one.
fn webui_url(url: String) -> Result<String, ConfigError> {
    let is_link = ["http://", "https://"].iter().any(|scheme| {
        let host = url.strip_prefix(scheme);
        host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
    });
    if is_link {
        return Ok(url);
    }
    Err(refuse("webui_url", &url, "write a whole address, as `https://chronode.example.org`"))
}

/// Refuses what is said of this machine where no command runs on it.
fn no_limits_of_this_machine(flags: &ServeFlags) -> Result<(), ConfigError> {
    let expected = "with --master commands run on the agents of the cluster, which say this of themselves; leave it out";
    if !flags.attributes.is_empty() {
        return Err(refuse("attributes", &flags.attributes, expected));
    }
    if let Some(resources) = &flags.local_resources {
        return Err(refuse("local_resources", resources, expected));
    }
    match flags.local_isolation {
        Isolation::None => Ok(()),
        Isolation::Cgroup => Err(refuse("local_isolation", "cgroup", expected)),
    }
}

fn listen(flags: &ServeFlags, security: &Security) -> Result<SocketAddr, ConfigError> {
    let address = address("http_address", &flags.http_address)?;
    if !security.is_http_disabled {
        let has_credentials = security.has_credentials();
        security::require_credentials("http_address", address, has_credentials, flags.insecure)?;
    }
    Ok(SocketAddr::new(address, flags.http_port))
}

fn address(flag: &'static str, text: &str) -> Result<IpAddr, ConfigError> {
    match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        text => {
            text.parse().map_err(|_| refuse(flag, text, "give an IP address, as 127.0.0.1 or ::1"))
        }
    }
}

fn attributes(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    pairs(text)
        .map(|pair| match pair.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            Some(_) | None => Err(refuse("attributes", text, "write `name:value;name:value`")),
        })
        .collect()
}

fn local_resources(text: Option<&str>) -> Result<(bool, Option<Resources>), ConfigError> {
    let Some(text) = text else { return Ok((false, None)) };
    if text == "auto" {
        return Ok((true, None));
    }
    let wrong = || refuse("local_resources", text, "write `cpus:4;mem:8192;disk:10000` or `auto`");
    let mut resources = Resources::default();
    for pair in pairs(text) {
        let (name, amount) = pair.split_once(':').ok_or_else(wrong)?;
        let amount = amount.trim().parse().ok().and_then(Scalar::from_units).ok_or_else(wrong)?;
        match name.trim() {
            "cpus" => resources.cpus = amount,
            "mem" => resources.mem = amount,
            "disk" => resources.disk = amount,
            _ => return Err(wrong()),
        }
    }
    let given = [resources.cpus, resources.mem, resources.disk];
    if given.contains(&Scalar::ZERO) {
        return Err(wrong());
    }
    Ok((true, Some(resources)))
}

fn pairs(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        flags: ServeFlags,
    }

    fn config(typed: &[&str]) -> Result<Config, ConfigError> {
        let args = std::iter::once("serve").chain(typed.iter().copied());
        let flags = Typed::parse_from(args).flags;
        let notifications = notifications::read(flags.notifications.clone()).notifications;
        Config::new(flags, "host.example", notifications)
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:4400");
        assert_eq!(config.data, PathBuf::from("chronode-data"));
        assert_eq!(config.hostname, "host.example");
        assert_eq!(config.defaults, Defaults::default());
        assert_eq!(config.retry_delay, Duration::from_secs(60));
        assert_eq!(config.disable_after_failures, 0);
        assert_eq!(config.job_history_limit, 5);
        assert_eq!(config.zone_data, ZoneChoice::Newest);
        assert!(!config.is_metered);
    }

    #[test]
    fn tasks_that_are_listed_are_a_count() {
        for flag in ["--job_history_limit", "--job-history-limit"] {
            assert_eq!(config(&[flag, "0"]).unwrap().job_history_limit, 0);
        }
        for text in ["-1", "all", "70000"] {
            assert!(
                Typed::try_parse_from(["serve", "--job_history_limit", text]).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn failures_that_disable_a_job_are_a_count() {
        for flag in ["--disable_after_failures", "--disable-after-failures"] {
            assert_eq!(config(&[flag, "3"]).unwrap().disable_after_failures, 3);
        }
        for text in ["-1", "many", "0.5", "4294967296"] {
            let args = ["serve", "--disable_after_failures", text];
            assert!(Typed::try_parse_from(args).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_others_can_reach_is_refused_with_the_remedy() {
        for address in ["0.0.0.0", "::", "192.0.2.1"] {
            let error = config(&["--http_address", address]).unwrap_err().to_string();
            assert!(error.contains("add --insecure"), "{error}");
            assert!(config(&["--http_address", address, "--insecure"]).is_ok());
            assert!(config(&["--http_address", address, "--credentials", "x"]).is_ok());
        }
    }

    #[test]
    fn lists_are_read_and_bad_ones_refused() {
        let config = config(&["--attributes", "rack:r1; disk:ssd;"]).unwrap();
        assert_eq!(config.attributes["disk"], "ssd");
        for (flag, text) in [
            ("--attributes", "rack"),
            ("--attributes", ":x"),
            ("--local_resources", "cpus:4"),
            ("--local_resources", "cpus:x;mem:1;disk:1"),
            ("--local_resources", "gpus:1"),
            ("--http_address", "example.org"),
            ("--mesos_task_cpu", "0"),
            ("--history_per_job", "0"),
        ] {
            assert!(super::tests::config(&[flag, text]).is_err(), "{flag} {text}");
        }
    }
}
