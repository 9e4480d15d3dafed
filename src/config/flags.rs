//! The flags of `serve` that have a meaning, with their types.
//!
//! Names that Chronos has are Chronos' names. Nothing is checked beyond its type here; [`super::Config`] is what the
//! program uses. What is written here is all there is to write for a new flag: [`super::table`] reads clap's
//! description of this struct, so that the file, the directory, `--help`, `chronode config` and
//! `docs/configuration.md` have it too. `hide_env_values` marks a secret.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{LimitFlags, MesosFlags, NotificationFlags, SecurityFlags};
use crate::schedule::ZoneChoice;

/// The flags of `chronode serve`. How they are put together from all sources is [`super::Typed::resolve`].
#[derive(Debug, Clone, Args)]
pub struct ServeFlags {
    /// File of options (YAML), with the names of the flags as keys
    #[arg(long, value_name = "FILE", env = "CHRONODE_CONFIG", help_heading = "Configuration")]
    pub config: Option<PathBuf>,

    /// Directory with one file for each option, named as the flag, as Chronos' packages have in `/etc/chronos/conf`
    #[arg(
        long = "config_dir",
        alias = "config-dir",
        value_name = "DIR",
        env = "CHRONODE_CONFIG_DIR",
        help_heading = "Configuration"
    )]
    pub config_dir: Option<PathBuf>,

    /// Directory for the state, the output of runs and the keeper's socket; created if missing
    #[arg(
        long,
        value_name = "DIR",
        env = "CHRONODE_DATA",
        default_value = "chronode-data",
        help_heading = "State"
    )]
    pub data: PathBuf,

    /// Directory of job files to load at the start, with those below it; a job whose file did not change is left as it is
    #[arg(long, value_name = "DIR", env = "CHRONODE_JOBS", help_heading = "State")]
    pub jobs: Option<PathBuf>,

    /// Load the directory of job files again whenever it changes
    #[arg(long, env = "CHRONODE_WATCH", help_heading = "State")]
    pub watch: bool,

    /// Delete jobs that came from the directory of job files and are not in it any more; it needs a `_source.yaml`
    #[arg(
        long = "jobs_prune",
        alias = "jobs-prune",
        env = "CHRONODE_JOBS_PRUNE",
        help_heading = "State"
    )]
    pub jobs_prune: bool,

    /// Address to listen on; anything but loopback needs credentials, because clients may run commands here
    #[arg(
        long = "http_address",
        alias = "http-address",
        value_name = "ADDRESS",
        env = "CHRONODE_HTTP_ADDRESS",
        default_value = "127.0.0.1",
        help_heading = "Listening"
    )]
    pub http_address: String,

    /// Port to listen on; 0 takes a free one and prints it
    #[arg(
        long = "http_port",
        alias = "http-port",
        value_name = "PORT",
        env = "CHRONODE_HTTP_PORT",
        default_value_t = 4400,
        help_heading = "Listening"
    )]
    pub http_port: u16,

    /// Listen without credentials on an address that others can reach
    #[arg(long, env = "CHRONODE_INSECURE", help_heading = "Listening")]
    pub insecure: bool,

    /// Directory to serve the web page from, read anew at each request, in place of the one in the program: for those who
    /// work on the page
    #[arg(
        long = "web_dir",
        alias = "web-dir",
        value_name = "DIR",
        env = "CHRONODE_WEB_DIR",
        help_heading = "Listening"
    )]
    pub web_dir: Option<PathBuf>,

    /// Who is let in, by which door, and what commands may run as.
    #[command(flatten)]
    pub security: SecurityFlags,

    /// Working for a cluster.
    #[command(flatten)]
    pub mesos: MesosFlags,

    /// Whom somebody is told by, and of what.
    #[command(flatten)]
    pub notifications: NotificationFlags,

    /// Bounds on what clients may take and on how many jobs there may be.
    #[command(flatten)]
    pub limits: LimitFlags,

    /// Name of this machine for constraints on `hostname` and the variable HOST; the system's own by default
    #[arg(long, value_name = "NAME", env = "CHRONODE_HOSTNAME", help_heading = "Running commands")]
    pub hostname: Option<String>,

    /// Address of the web page as people reach it: where messages and the page of Mesos link to
    #[arg(long = "webui_url", alias = "webui-url", value_name = "URL", env = "CHRONODE_WEBUI_URL")]
    pub webui_url: Option<String>,

    /// Attributes of this machine for constraints, as `rack:r1;disk:ssd`
    #[arg(
        long,
        value_name = "LIST",
        env = "CHRONODE_ATTRIBUTES",
        default_value = "",
        help_heading = "Running commands"
    )]
    pub attributes: String,

    /// Start no more commands at once than fit into these resources, as `cpus:4;mem:8192;disk:10000`, or `auto` for
    /// what the machine has; without it everything due starts at once, as under cron
    #[arg(
        long = "local_resources",
        alias = "local-resources",
        value_name = "LIST|auto",
        env = "CHRONODE_LOCAL_RESOURCES",
        help_heading = "Running commands"
    )]
    pub local_resources: Option<String>,

    /// Limit each command to its `cpus` and `mem`
    #[arg(
        long = "local_isolation",
        alias = "local-isolation",
        value_name = "KIND",
        env = "CHRONODE_LOCAL_ISOLATION",
        default_value = "none",
        help_heading = "Running commands"
    )]
    pub local_isolation: Isolation,

    /// Bytes kept of each output stream of a command: half from its beginning, half from its end
    #[arg(
        long = "output_cap",
        alias = "output-cap",
        value_name = "BYTES",
        env = "CHRONODE_OUTPUT_CAP",
        default_value_t = 10 * 1024 * 1024,
        help_heading = "Running commands"
    )]
    pub output_cap: u64,

    /// User that runs the commands of jobs without `runAsUser`; the one Chronode runs as by default
    #[arg(long, value_name = "NAME", env = "CHRONODE_USER", help_heading = "Defaults of jobs")]
    pub user: Option<String>,

    /// Seconds that a run of a job without `epsilon` may start late
    #[arg(
        long = "task_epsilon",
        alias = "task-epsilon",
        value_name = "SECONDS",
        env = "CHRONODE_TASK_EPSILON",
        default_value_t = 60,
        help_heading = "Defaults of jobs"
    )]
    pub task_epsilon: u32,

    /// Milliseconds between the attempts of a run of a job without `retryDelay`
    #[arg(
        long = "failure_retry",
        alias = "failure-retry",
        value_name = "MILLISECONDS",
        env = "CHRONODE_FAILURE_RETRY",
        default_value_t = 60_000,
        help_heading = "Defaults of jobs"
    )]
    pub failure_retry: u64,

    /// Final failures in a row after which a job without `disableAfterFailures` is disabled; 0 is never
    #[arg(
        long = "disable_after_failures",
        alias = "disable-after-failures",
        value_name = "N",
        env = "CHRONODE_DISABLE_AFTER_FAILURES",
        default_value_t = 0,
        help_heading = "Defaults of jobs"
    )]
    pub disable_after_failures: u32,

    /// Seconds a command of a job without `killGrace` is given between being asked to stop and being stopped
    #[arg(
        long = "kill_grace",
        alias = "kill-grace",
        value_name = "SECONDS",
        env = "CHRONODE_KILL_GRACE",
        default_value_t = 5,
        help_heading = "Defaults of jobs"
    )]
    pub kill_grace: u32,

    /// Processors wanted by a job without `cpus`
    #[arg(
        long = "mesos_task_cpu",
        alias = "mesos-task-cpu",
        value_name = "CPUS",
        env = "CHRONODE_MESOS_TASK_CPU",
        default_value_t = 0.1,
        help_heading = "Defaults of jobs"
    )]
    pub mesos_task_cpu: f64,

    /// MiB of memory wanted by a job without `mem`
    #[arg(
        long = "mesos_task_mem",
        alias = "mesos-task-mem",
        value_name = "MIB",
        env = "CHRONODE_MESOS_TASK_MEM",
        default_value_t = 128.0,
        help_heading = "Defaults of jobs"
    )]
    pub mesos_task_mem: f64,

    /// MiB of disk wanted by a job without `disk`
    #[arg(
        long = "mesos_task_disk",
        alias = "mesos-task-disk",
        value_name = "MIB",
        env = "CHRONODE_MESOS_TASK_DISK",
        default_value_t = 256.0,
        help_heading = "Defaults of jobs"
    )]
    pub mesos_task_disk: f64,

    /// Ended runs kept of each job, with their output
    #[arg(
        long = "history_per_job",
        alias = "history-per-job",
        value_name = "RUNS",
        env = "CHRONODE_HISTORY_PER_JOB",
        default_value_t = 1_000,
        help_heading = "History"
    )]
    pub history_per_job: u64,

    /// Ended runs kept in all
    #[arg(
        long = "history_total",
        alias = "history-total",
        value_name = "RUNS",
        env = "CHRONODE_HISTORY_TOTAL",
        default_value_t = 1_000_000,
        help_heading = "History"
    )]
    pub history_total: u64,

    /// Tasks listed by `job/stat` of each job, newest first
    #[arg(
        long = "job_history_limit",
        alias = "job-history-limit",
        value_name = "TASKS",
        env = "CHRONODE_JOB_HISTORY_LIMIT",
        default_value_t = 5
    )]
    pub job_history_limit: u16,

    /// Days that ended runs are kept, and what people were told of
    #[arg(
        long = "history_days",
        alias = "history-days",
        value_name = "DAYS",
        env = "CHRONODE_HISTORY_DAYS",
        default_value_t = 90,
        help_heading = "History"
    )]
    pub history_days: u32,

    /// Bytes of output kept in all; the oldest runs go first
    #[arg(
        long = "history_bytes",
        alias = "history-bytes",
        value_name = "BYTES",
        env = "CHRONODE_HISTORY_BYTES",
        default_value_t = 10 * 1024 * 1024 * 1024,
        help_heading = "History"
    )]
    pub history_bytes: u64,

    /// Seconds to wait on SIGTERM for running commands; nothing new starts meanwhile. Without it commands are left
    /// running and found again at the next start
    #[arg(
        long,
        value_name = "SECONDS",
        env = "CHRONODE_DRAIN",
        default_value_t = 0,
        help_heading = "Running commands"
    )]
    pub drain: u32,

    /// Time zone data: `newest` is the newer of the data in this program and the host's, `bundled` is always the
    /// program's, a directory is always that one's
    #[arg(
        long = "zone_data",
        alias = "zone-data",
        value_name = "newest|bundled|DIR",
        env = "CHRONODE_ZONE_DATA",
        default_value = "newest",
        value_parser = zone_choice,
        help_heading = "Time"
    )]
    pub zone_data: ZoneChoice,

    /// Form of the log on standard error
    #[arg(
        long,
        value_name = "FORM",
        env = "CHRONODE_LOG",
        default_value = "auto",
        help_heading = "Log"
    )]
    pub log: LogForm,

    /// What is logged, as `info` or `chronode=debug,warn`
    #[arg(
        long = "log_level",
        alias = "log-level",
        value_name = "FILTER",
        env = "CHRONODE_LOG_LEVEL",
        default_value = "info",
        help_heading = "Log"
    )]
    pub log_level: String,
}

fn zone_choice(text: &str) -> Result<ZoneChoice, String> {
    if text.is_empty() {
        return Err("expected `newest`, `bundled`, or a directory".to_owned());
    }
    Ok(ZoneChoice::parse(text))
}

/// How commands are kept to their resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Isolation {
    /// Not at all.
    None,
    /// By a control group for each command.
    Cgroup,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people, coloured on a terminal.
    Auto,
    /// For people, without colours.
    Human,
    /// One JSON object a line.
    Json,
}
