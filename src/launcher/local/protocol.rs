//! What the launcher and its keeper say to one another: one JSON value a line, over a Unix socket.
//!
//! The launcher begins with [`ToKeeper::Hello`]; the keeper answers with [`ToLauncher::Hello`] or says why not. After
//! that both speak when they like. The keeper outlives the scheduler that started it, so after an upgrade two versions
//! may meet: [`VERSION`] changes with the meaning or the form of anything here but the version's own place.
//!
//! Wire types convert to and from [`crate::model`] field by field, so that a forgotten field is a compile error.

use serde::{Deserialize, Serialize};

use crate::model::{
    AgentId, BootInstant, Command, Duration, Exit, Fetch, Launch, OfferId, Resources, RunId,
    Scalar, TaskId, TaskReport, TaskStatus, Term, Timestamp,
};

/// The version of everything in this file.
pub(super) const VERSION: u32 = 1;

/// Bytes of one line at most. A launch is bounded by what `execve` takes, a few MiB.
pub(super) const LINE_BYTES_MAX: u64 = 64 << 20;

/// The part of the first line that all versions share.
#[derive(Debug, Deserialize)]
pub(super) struct Greeting {
    pub(super) hello: GreetingVersion,
}

#[derive(Debug, Deserialize)]
pub(super) struct GreetingVersion {
    pub(super) version: u32,
}

/// From the launcher.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToKeeper {
    /// The first line.
    Hello { version: u32, settings: Settings },
    /// [`crate::launcher::Order::Launch`].
    Launch(Box<LaunchWire>),
    /// [`crate::launcher::Order::Kill`].
    Kill { task_id: String, grace_ms: u64 },
    /// [`crate::launcher::Order::Reconcile`].
    Reconcile { task_ids: Vec<String> },
    /// [`crate::launcher::Order::Acknowledge`].
    Acknowledge { task_ids: Vec<String> },
}

/// From the keeper.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToLauncher {
    /// The answer to a hello that is understood.
    Hello { version: u32, pid: u32, term: u64 },
    /// The last line of a connection that the keeper ends.
    Refused { reason: String },
    /// What became of a task.
    Report(ReportWire),
    /// How many tasks have been launched and have not ended. Sent when it changes.
    Live { count: usize },
}

/// How the keeper is to treat the commands it starts from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Bytes kept of each output stream.
    pub(super) output_cap_bytes: u64,
    /// `PATH` of commands that bring none.
    pub(super) path: String,
    /// `LANG` of commands that bring none.
    pub(super) lang: Option<String>,
    /// How long until what is not acknowledged is told again.
    pub(super) repeat_ms: u64,
    /// Limits, if resources are to be limits.
    pub(super) cgroup: Option<CgroupSettings>,
}

/// How resources become limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CgroupSettings {
    /// Whether `cpus` is also the most that a run gets, rather than only its share.
    pub(super) cpu_quota: bool,
    /// Processes and threads of one run at most.
    pub(super) pids_max: u32,
}

/// [`Launch`] on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LaunchWire {
    term: u64,
    task_id: String,
    run_id: String,
    attempt: u32,
    offers: Vec<String>,
    agent: String,
    command: CommandWire,
    environment: Vec<(String, String)>,
    user: Option<String>,
    fetch: Vec<FetchWire>,
    cpus_thousandths: u64,
    mem_thousandths: u64,
    disk_thousandths: u64,
    kill_grace_ms: u64,
    not_after_ms: Option<i64>,
}

/// [`Command`] on the wire; also read by the `fetch` subcommand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommandWire {
    Shell { text: String, arguments: Vec<String> },
    Program { program: String, arguments: Vec<String> },
}

/// [`Fetch`] on the wire; also read by the `fetch` subcommand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FetchWire {
    uri: String,
    executable: bool,
    cache: bool,
    extract: bool,
    output_file: String,
}

/// [`TaskReport`] on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReportWire {
    task_id: String,
    status: StatusWire,
}

/// [`TaskStatus`] on the wire. Instants are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusWire {
    Staged,
    Running { started_at_us: i64 },
    Ended { exit: ExitWire, started_at_us: Option<i64>, ended_at_us: i64 },
    NeverLaunched,
    InDoubt { reason: String },
}

/// [`Exit`] on the wire and in the keeper's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExitWire {
    Code(i32),
    Signal(i32),
    Killed,
    Failed { reason: String },
    CouldNotStart { reason: String },
}

/// Why a line is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("`{0}` is no run id")]
    RunId(String),
    #[error("`{0}` microseconds since 1970 is no instant")]
    Instant(i64),
}

/// One line, with its end.
pub(super) fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("wire types have text keys only");
    line.push(b'\n');
    line
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn instant(micros: i64) -> Result<Timestamp, WireError> {
    Timestamp::from_microsecond(micros).map_err(|_| WireError::Instant(micros))
}

/// Whole milliseconds, a fraction cut; what is negative is nothing.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(if span.is_negative() { 0 } else { u64::MAX })
}

/// A span of so many milliseconds, or the longest there is.
pub(super) fn span(millis: u64) -> Duration {
    Duration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

impl From<Launch> for LaunchWire {
    fn from(launch: Launch) -> Self {
        let Launch {
            term: Term(term),
            task_id,
            run_id,
            attempt,
            offers,
            agent,
            command,
            environment,
            user,
            fetch,
            // Whoever wants ports or a container is refused at the door.
            resources: Resources { cpus, mem, disk, ports: _ },
            kill_grace,
            not_after,
            cluster: _,
        } = launch;
        Self {
            term,
            task_id: task_id.to_string(),
            run_id: run_id.to_string(),
            attempt,
            offers: offers.iter().map(OfferId::to_string).collect(),
            agent: agent.to_string(),
            command: command.into(),
            environment,
            user,
            fetch: fetch.into_iter().map(FetchWire::from).collect(),
            cpus_thousandths: cpus.thousandths(),
            mem_thousandths: mem.thousandths(),
            disk_thousandths: disk.thousandths(),
            kill_grace_ms: millis(kill_grace),
            // Cut, not rounded up: trust must not be stretched.
            not_after_ms: not_after
                .map(|BootInstant(at)| i64::try_from(at.as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

impl TryFrom<LaunchWire> for Launch {
    type Error = WireError;

    fn try_from(wire: LaunchWire) -> Result<Self, WireError> {
        let LaunchWire {
            term,
            task_id,
            run_id,
            attempt,
            offers,
            agent,
            command,
            environment,
            user,
            fetch,
            cpus_thousandths,
            mem_thousandths,
            disk_thousandths,
            kill_grace_ms,
            not_after_ms,
        } = wire;
        Ok(Self {
            term: Term(term),
            task_id: TaskId::from_text(task_id),
            // The run id becomes part of a path: nothing but a run id may pass.
            run_id: RunId::parse(&run_id).ok_or(WireError::RunId(run_id))?,
            attempt,
            offers: offers.into_iter().map(OfferId::new).collect(),
            agent: AgentId::new(agent),
            command: command.into(),
            environment,
            user,
            fetch: fetch.into_iter().map(Fetch::from).collect(),
            resources: Resources {
                cpus: Scalar::from_thousandths(cpus_thousandths),
                mem: Scalar::from_thousandths(mem_thousandths),
                disk: Scalar::from_thousandths(disk_thousandths),
                ports: 0,
            },
            cluster: None,
            kill_grace: span(kill_grace_ms),
            not_after: not_after_ms.map(|at| BootInstant(Duration::from_millis(at))),
        })
    }
}

impl From<Command> for CommandWire {
    fn from(command: Command) -> Self {
        match command {
            Command::Shell { text, arguments } => Self::Shell { text, arguments },
            Command::Program { program, arguments } => Self::Program { program, arguments },
        }
    }
}

impl From<CommandWire> for Command {
    fn from(wire: CommandWire) -> Self {
        match wire {
            CommandWire::Shell { text, arguments } => Self::Shell { text, arguments },
            CommandWire::Program { program, arguments } => Self::Program { program, arguments },
        }
    }
}

impl From<Fetch> for FetchWire {
    fn from(fetch: Fetch) -> Self {
        let Fetch { uri, executable, cache, extract, output_file } = fetch;
        Self { uri, executable, cache, extract, output_file }
    }
}

impl From<FetchWire> for Fetch {
    fn from(wire: FetchWire) -> Self {
        let FetchWire { uri, executable, cache, extract, output_file } = wire;
        Self { uri, executable, cache, extract, output_file }
    }
}

impl From<TaskReport> for ReportWire {
    fn from(report: TaskReport) -> Self {
        let TaskReport { task_id, status } = report;
        let status = match status {
            TaskStatus::Staged => StatusWire::Staged,
            TaskStatus::Running { started_at } => {
                StatusWire::Running { started_at_us: micros(started_at) }
            }
            TaskStatus::Ended { exit, started_at, ended_at } => StatusWire::Ended {
                exit: exit.into(),
                started_at_us: started_at.map(micros),
                ended_at_us: micros(ended_at),
            },
            TaskStatus::NeverLaunched => StatusWire::NeverLaunched,
            // What this launcher does not know, nobody does.
            TaskStatus::InDoubt { reason, is_final: _ } => StatusWire::InDoubt { reason },
        };
        Self { task_id: task_id.to_string(), status }
    }
}

impl TryFrom<ReportWire> for TaskReport {
    type Error = WireError;

    fn try_from(wire: ReportWire) -> Result<Self, WireError> {
        let ReportWire { task_id, status } = wire;
        let status = match status {
            StatusWire::Staged => TaskStatus::Staged,
            StatusWire::Running { started_at_us } => {
                TaskStatus::Running { started_at: instant(started_at_us)? }
            }
            StatusWire::Ended { exit, started_at_us, ended_at_us } => TaskStatus::Ended {
                exit: exit.into(),
                started_at: started_at_us.map(instant).transpose()?,
                ended_at: instant(ended_at_us)?,
            },
            StatusWire::NeverLaunched => TaskStatus::NeverLaunched,
            StatusWire::InDoubt { reason } => TaskStatus::InDoubt { reason, is_final: true },
        };
        Ok(Self { task_id: TaskId::from_text(task_id), status })
    }
}

impl From<Exit> for ExitWire {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
            Exit::Killed => Self::Killed,
            Exit::Failed { reason } => Self::Failed { reason },
            Exit::CouldNotStart { reason } => Self::CouldNotStart { reason },
        }
    }
}

impl From<ExitWire> for Exit {
    fn from(wire: ExitWire) -> Self {
        match wire {
            ExitWire::Code(code) => Self::Code(code),
            ExitWire::Signal(signal) => Self::Signal(signal),
            ExitWire::Killed => Self::Killed,
            ExitWire::Failed { reason } => Self::Failed { reason },
            ExitWire::CouldNotStart { reason } => Self::CouldNotStart { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Incarnation;

    fn launch() -> Launch {
        Launch {
            term: Term(7),
            task_id: TaskId::from_text("ct:1:0:a:\"\n"),
            run_id: RunId::manual(Incarnation(3), -5),
            attempt: 2,
            offers: vec![OfferId::new("o")],
            agent: AgentId::new("a"),
            command: Command::Shell { text: "a\nb".into(), arguments: vec!["'\u{0}é".into()] },
            environment: vec![("A".into(), "=\n".into())],
            user: Some("nobody".into()),
            fetch: vec![Fetch {
                uri: "http://x/y".into(),
                executable: true,
                cache: true,
                extract: true,
                output_file: "z".into(),
            }],
            resources: Resources {
                cpus: Scalar::from_thousandths(1),
                mem: Scalar::from_thousandths(2),
                disk: Scalar::from_thousandths(3),
                ports: 0,
            },
            kill_grace: Duration::from_millis(1_500),
            not_after: Some(BootInstant(Duration::from_millis(12))),
            cluster: None,
        }
    }

    #[test]
    fn a_launch_survives_the_wire_on_one_line() {
        let line = line(&ToKeeper::Launch(Box::new(launch().into())));
        assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let ToKeeper::Launch(read) = serde_json::from_slice(&line).unwrap() else { panic!() };
        assert_eq!(Launch::try_from(*read).unwrap(), launch());
    }

    #[test]
    fn what_is_no_run_id_is_refused() {
        let mut wire = LaunchWire::from(launch());
        wire.run_id = "../../etc".into();
        assert!(Launch::try_from(wire).is_err());
    }

    #[test]
    fn reports_survive_the_wire() {
        let at = instant(1_700_000_000_123_456).unwrap();
        let exits = [
            Exit::Code(3),
            Exit::Signal(9),
            Exit::Killed,
            Exit::CouldNotStart { reason: "no".into() },
        ];
        let ends = exits.map(|exit| TaskStatus::Ended { exit, started_at: Some(at), ended_at: at });
        let others = [
            TaskStatus::Running { started_at: at },
            TaskStatus::NeverLaunched,
            TaskStatus::InDoubt { reason: "gone".into(), is_final: true },
        ];
        for status in ends.into_iter().chain(others) {
            let report = TaskReport { task_id: TaskId::from_text("t"), status };
            let line = line(&ToLauncher::Report(report.clone().into()));
            let ToLauncher::Report(read) = serde_json::from_slice(&line).unwrap() else { panic!() };
            assert_eq!(TaskReport::try_from(read).unwrap(), report);
        }
    }

    #[test]
    fn the_version_of_a_stranger_can_be_read() {
        let line = r#"{"hello":{"version":9,"new":[1]},"more":2}"#;
        assert_eq!(serde_json::from_str::<Greeting>(line).unwrap().hello.version, 9);
    }
}
