//! A job's definition.

use super::{
    Constraint, Duration, JobName, Label, NameRule, Objectives, Resources, Scalar, ScheduleTerms,
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
    /// When they follow, and after which failures.
    pub retry: RetryTerms,
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
    /// How urgently its runs are placed.
    pub priority: Priority,
    /// Whom to run as; empty is the scheduler's default.
    pub run_as_user: String,
    /// Seconds after which an attempt is stopped (`timeout`, Chronos' `maxCompletionTime`); 0 is never.
    pub max_completion_secs: u64,
    /// How long a task is given between being asked to stop and being stopped; `None` is what the process was started
    /// with (`--kill_grace`).
    pub kill_grace: Option<Period>,
    /// Final failures in a row after which the job is disabled; 0 is never, `None` is what the process was started
    /// with (`--disable_after_failures`).
    pub disable_after_failures: Option<u32>,
    /// What becomes of an attempt of which nobody can say whether it ran.
    pub on_unknown: OnUnknown,
    /// The container it runs in.
    pub container: Option<Container>,
    /// Where it may run; all must hold.
    pub constraints: Vec<Constraint>,
    /// Which of the agents where it may run is taken.
    pub placement: Fitness,
    /// What happens to an occurrence whose predecessor still runs.
    pub overlap: Overlap,
    /// What happens to missed occurrences.
    pub catch_up: CatchUp,
    /// Whether its occurrences are planned and recorded, but not launched.
    pub shadow: Shadow,
    /// By when its runs should start and end.
    pub objectives: Objectives,
    /// Where is written what to do when something is wrong; empty if nowhere.
    pub runbook: String,
    /// Names and values by which it is sorted, in the order given.
    pub labels: Vec<Label>,
}

/// Whether the occurrences of a job are planned and recorded only, because another scheduler still runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shadow {
    /// They are launched.
    #[default]
    Off,
    /// None is launched.
    On,
    /// Those due from this instant on are launched, those due before it are not.
    Until(Timestamp),
}

impl Shadow {
    /// Whether what is due at `at` is not launched.
    #[must_use]
    pub fn covers(self, at: Timestamp) -> bool {
        match self {
            Self::Off => false,
            Self::On => true,
            Self::Until(until) => at < until,
        }
    }
}

/// What triggers a job's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// The occurrences of a schedule.
    Schedule(ScheduleTerms),
    /// Each finished round of these parents.
    Parents(ParentTerms),
}

/// After whom a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentTerms {
    /// The parents, without duplicates, in the order given; at least one.
    pub names: Vec<JobName>,
    /// What they must have done.
    pub rule: TriggerRule,
    /// Which of what they did belongs together.
    pub join: Join,
}

impl ParentTerms {
    /// One new success of every one of `names`.
    #[must_use]
    pub const fn plain(names: Vec<JobName>) -> Self {
        Self { names, rule: TriggerRule::AllSucceeded, join: Join::Round }
    }
}

/// What the parents of a job must have done for it to be triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerRule {
    /// Every parent has a new success.
    #[default]
    AllSucceeded,
    /// A new run of every parent is over, however it ended.
    AllDone,
    /// A parent has succeeded; each such success triggers.
    AnySucceeded,
    /// A parent has failed for good; each such failure triggers.
    AnyFailed,
}

impl TriggerRule {
    /// Whether one parent is enough.
    #[must_use]
    pub const fn is_any(self) -> bool {
        match self {
            Self::AllSucceeded | Self::AllDone => false,
            Self::AnySucceeded | Self::AnyFailed => true,
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AllSucceeded, Self::AllDone, Self::AnySucceeded, Self::AnyFailed];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllSucceeded => "all-succeeded",
            Self::AllDone => "all-done",
            Self::AnySucceeded => "any-succeeded",
            Self::AnyFailed => "any-failed",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// Which outcomes of parents belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// All since the job was last triggered.
    #[default]
    Round,
    /// Those of runs that stand for the same due instant.
    Due,
}

impl Join {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Due => "due",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Round, Self::Due].into_iter().find(|join| join.as_str() == text)
    }
}

/// When attempts follow a failed one, and after which failures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryTerms {
    /// The pause before the second attempt; `None` is what the process was started with (`--failure_retry`).
    pub delay: Option<Period>,
    /// How the pause grows from attempt to attempt.
    pub backoff: Option<Backoff>,
    /// Which ends are followed by another attempt.
    pub ends: RetryEnds,
    /// No attempt but the first begins later than this after the run is due; `None` is no bound.
    pub until: Option<Period>,
}

/// How the pause between attempts grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// By which each pause is longer than the one before, at least 1.
    pub factor: Scalar,
    /// The longest pause.
    pub max: Option<Period>,
    /// Each pause is longer by up to this share of it, 0 to 1, so that what failed together does not return together.
    pub jitter: Scalar,
}

/// Which ends of an attempt are followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RetryEnds {
    /// Every known failure.
    #[default]
    All,
    /// Exit with one of these codes, and nothing else (`retryOn`).
    Codes(Vec<i32>),
    /// Every known failure but exit with one of these codes (`noRetryOn`).
    NotCodes(Vec<i32>),
}

/// Which of several agents with room a run goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Fitness {
    /// The one with the least room, so that large runs find some elsewhere.
    #[default]
    Pack,
    /// The one with the fewest live runs of its job, so that the loss of one agent hits few of them.
    Spread,
}

impl Fitness {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pack, Self::Spread];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Spread => "spread",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fitness| fitness.as_str() == text)
    }
}

/// How urgently runs are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// As if it had come an hour later.
    Low,
    /// In the order of coming.
    #[default]
    Normal,
    /// As if it had come an hour earlier; Chronos' `highPriority`.
    High,
}

impl Priority {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What becomes of an attempt of which the launcher cannot say whether it ran or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnUnknown {
    /// How long to wait for news.
    pub wait: Period,
    /// What follows if none came.
    pub then: UnknownThen,
}

impl Default for OnUnknown {
    /// Lost after a minute.
    fn default() -> Self {
        let wait = Period { text: "PT1M".to_owned(), span: Duration::from_secs(60) };
        Self { wait, then: UnknownThen::Lost }
    }
}

/// What follows an attempt that stays unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownThen {
    /// The run is lost: it is not started again, so it ran at most once.
    Lost,
    /// Another attempt: the run may be executed twice, so it ran at least once.
    Relaunch,
}

impl UnknownThen {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Relaunch => "relaunch",
        }
    }

    /// Reads the word in JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Lost, Self::Relaunch].into_iter().find(|it| it.as_str() == text)
    }
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
    /// It takes its place: what still runs or waits is superseded, and it starts when that is over.
    Replace,
    /// It runs beside it, as long as there are not too many.
    Allow {
        /// How many runs may be live at once, at least 1; `None` is as many as there may be of any job.
        max: Option<u32>,
    },
}

/// What happens to occurrences that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are recorded, nothing more.
    None,
    /// The latest of a stretch is run, late; the others are recorded.
    Latest,
    /// The latest `max` of a stretch are run, late and one after another; the others are recorded.
    All {
        /// How many, at least 1.
        max: u32,
    },
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
