//! A job's definition and what is remembered about it.

use super::{
    Constraint, Duration, Incarnation, JobName, NameRule, Resources, ScheduleTerms, Stretch,
    Timestamp,
};

/// What to run, and when or after whom. Valid by construction of the doors that make it (`jobspec`, the engine).
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Identity to people and clients.
    pub name: JobName,
    /// Shell text, or the program when `shell` is off.
    pub command: String,
    /// Whether `command` is given to `/bin/sh -c`.
    pub shell: bool,
    /// When it runs.
    pub when: When,
    /// How late the first attempt of a scheduled run may still be decided.
    pub epsilon: Period,
    /// Command of a custom Mesos executor; empty for none.
    pub executor: String,
    /// Handed to a custom executor in front of the command.
    pub executor_flags: String,
    /// Raw data for a custom executor.
    pub task_info_data: String,
    /// Extra attempts after known failures; negative means none and is kept as typed.
    pub retries: i64,
    /// Comma-separated addresses.
    pub owner: String,
    /// For display.
    pub owner_name: String,
    /// Free text, kept byte for byte.
    pub description: String,
    /// Whether success is reported by the job itself (2.x).
    pub is_async: bool,
    /// What an attempt wants.
    pub resources: Resources,
    /// Whether its schedule is not followed. Manual runs work.
    pub disabled: bool,
    /// Whether a final failure counts as success for its children.
    pub soft_error: bool,
    /// Whether progress counters are enabled.
    pub data_processing: bool,
    /// What is downloaded into the working directory.
    pub fetch: Vec<Fetch>,
    /// The old form of `fetch`; downloaded after it.
    pub uris: Vec<String>,
    /// Added to the command's environment; duplicates are kept, the last one counts.
    pub environment: Vec<EnvVar>,
    /// Passed to the command.
    pub arguments: Vec<String>,
    /// Whether it is placed before normal jobs.
    pub high_priority: bool,
    /// Whom to run as; empty is the scheduler's default.
    pub run_as_user: String,
    /// Seconds after which an attempt is stopped; 0 is never.
    pub max_completion_secs: u64,
    /// The container it runs in.
    pub container: Option<Container>,
    /// Where it may run; all must hold.
    pub constraints: Vec<Constraint>,
    /// What happens to an occurrence whose predecessor still runs.
    pub overlap: Overlap,
    /// What happens to missed occurrences.
    pub catch_up: CatchUp,
}

/// What triggers a job's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// The occurrences of a schedule.
    Schedule(ScheduleTerms),
    /// Each finished round of these parents, without duplicates, in the order given.
    Parents(Vec<JobName>),
}

/// A span with the text it was typed as, which is what clients get back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// As typed, e.g. `PT60S`.
    pub text: String,
    /// Its length.
    pub span: Duration,
}

/// A download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where from: `http`, `https`, `file`, or an absolute path.
    pub uri: String,
    /// Whether it is made executable instead of extracted.
    pub executable: bool,
    /// Whether an agent may keep it for the next time.
    pub cache: bool,
    /// Whether an archive is unpacked.
    pub extract: bool,
    /// The name to save it under; empty for the last segment of the address.
    pub output_file: String,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value is shown to nobody.
    pub secret: bool,
}

/// What happens to an occurrence whose predecessor still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It is recorded as skipped.
    Skip,
    /// It waits; beyond `max` waiting ones further occurrences are skipped.
    Queue {
        /// How many may wait, at least 1.
        max: u32,
    },
    /// It runs beside it.
    Allow,
}

/// What happens to occurrences that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are recorded, nothing more.
    None,
    /// The latest of a stretch is run, late; the others are recorded.
    Latest,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Which containerizer.
    pub kind: ContainerType,
    /// The image.
    pub image: String,
    /// The network mode.
    pub network: Network,
    /// Deprecated name of a network; empty for none.
    pub network_name: String,
    /// Networks to join.
    pub network_infos: Vec<NetworkInfo>,
    /// Volumes to mount.
    pub volumes: Vec<Volume>,
    /// Whether the image is pulled even if present.
    pub force_pull_image: bool,
    /// Parameters for the containerizer.
    pub parameters: Vec<Property>,
}

/// Which containerizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerType {
    /// Docker.
    Docker,
    /// Mesos' own.
    Mesos,
}

/// A container's network mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A bridge.
    Bridge,
    /// The host's.
    Host,
    /// A named one.
    User,
}

/// A network to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInfo {
    /// Its name.
    pub name: String,
    /// The protocol asked for.
    pub protocol: Option<NetworkProtocol>,
    /// Labels.
    pub labels: Vec<Property>,
    /// Port mappings.
    pub port_mappings: Vec<PortMapping>,
}

/// An internet protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkProtocol {
    /// Version 4.
    Ipv4,
    /// Version 6.
    Ipv6,
}

/// A port of the host leading to one of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// On the host.
    pub host_port: u32,
    /// In the container.
    pub container_port: u32,
    /// `tcp` or `udp`, as typed; empty for none.
    pub protocol: String,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Path on the host; empty for none.
    pub host_path: String,
    /// Path in the container.
    pub container_path: String,
    /// Access.
    pub mode: Option<VolumeMode>,
    /// A volume of a driver.
    pub external: Option<ExternalVolume>,
}

/// Access to a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeMode {
    /// Read and write.
    ReadWrite,
    /// Read only.
    ReadOnly,
}

/// A volume of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalVolume {
    /// Its name.
    pub name: String,
    /// The driver.
    pub provider: String,
    /// Options for the driver.
    pub options: Vec<Property>,
}

/// A key and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Which generation of Chronos a door speaks. Decides defaults and what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `/scheduler`, Chronos 2.x; also job files.
    V0,
    /// `/v1/scheduler`, Chronos 3.x.
    V1,
}

impl Dialect {
    /// Which names this door lets in.
    #[must_use]
    pub const fn name_rule(self) -> NameRule {
        match self {
            Self::V0 => NameRule::Blanks,
            Self::V1 => NameRule::NoBlanks,
        }
    }
}

/// A job and what is remembered about it. The stored record.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Which life of the name this is. Set at creation.
    pub incarnation: Incarnation,
    /// Counts definitions of this life from 1; set at creation and replace.
    pub revision: u64,
    /// When this revision was accepted, by the leader's wall clock. The start of a schedule whose start is empty.
    pub accepted_at: Timestamp,
    /// The definition. Set at creation and replace; `disabled` also by the engine.
    pub job: Job,
    /// Counts and instants that Chronos prints. Set at creation from the body, then by the engine alone.
    pub stats: JobStats,
    /// How far its schedule has been decided.
    pub progress: Progress,
}

/// Counts and instants that Chronos prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobStats {
    /// Runs that succeeded.
    pub success_count: u64,
    /// Runs that failed finally.
    pub error_count: u64,
    /// Of these, since the last success.
    pub errors_since_last_success: u64,
    /// When the last success ended, as printed: UTC with milliseconds, or empty. Kept verbatim from a client.
    pub last_success: String,
    /// When the last failure ended, likewise.
    pub last_error: String,
}

/// How far a job's schedule has been decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Every occurrence due at or before this instant is decided or was never owed; none after it is.
    pub decided_through: Timestamp,
    /// The record of the latest occurrences that never became runs; extended while nothing else happens.
    pub stretch: Option<Stretch>,
    /// Of a job that runs when its machine starts: the last start of the machine that is decided, by its boot id.
    pub boot_id: Option<String>,
}
