//! Command hooks: a program of this machine that gets the webhook's JSON on its standard input.

use std::fmt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::render::{self, cut_line};
use super::{ConfigError, Letter, SendError};

/// How much of what it prints is kept.
const OUTPUT_BYTES: usize = 2_048;

/// How much of that is told.
const TOLD_CHARACTERS: usize = 200;

/// How long after its end what it has printed is waited for: something that it left behind may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program, and how it is started.
#[derive(Clone)]
pub struct CommandConfig {
    /// The program, by its whole path, and its arguments. No shell looks at them.
    pub argv: Vec<String>,
    /// The variables that it gets beside ours: `PATH`, `HOME` and `LANG` of the scheduler, as far as there are such.
    pub environment: Vec<(String, String)>,
    /// How long it may take, before it and what it started are killed.
    pub time_max: Duration,
}

impl CommandConfig {
    /// A program with 30 s and no variables.
    #[must_use]
    pub fn new(argv: Vec<String>) -> Self {
        Self { argv, environment: Vec::new(), time_max: Duration::from_secs(30) }
    }
}

impl fmt::Debug for CommandConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments are where people put tokens.
        f.debug_struct("CommandConfig")
            .field("program", &self.program())
            .field("arguments", &self.argv.len().saturating_sub(1))
            .field("time_max", &self.time_max)
            .finish_non_exhaustive()
    }
}

impl CommandConfig {
    /// The program.
    pub(super) fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    /// It, if it can be started at all. Whether there is such a program is seen when it is wanted.
    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        if !Path::new(self.program()).is_absolute() {
            return Err(ConfigError(format!(
                "the command of the channel begins with `{}`: give the whole path of a program, such as `/usr/local/bin/tell`",
                self.program().escape_debug()
            )));
        }
        if self.argv.iter().any(|argument| argument.contains('\0')) {
            return Err(ConfigError(
                "the command of the channel has a NUL in it, which no program can be given"
                    .to_owned(),
            ));
        }
        Ok(self)
    }

    /// Runs it for a letter. That it ended with 0 means that the message has arrived.
    pub(super) async fn run(&self, channel: &str, letter: &Letter) -> Result<String, SendError> {
        let program = self.program();
        let mut command = Command::new(program);
        command.args(self.argv.iter().skip(1)).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("CHRONODE_NOTIFICATION", letter.notification.id.to_string());
        command.env("CHRONODE_KIND", render::kind_word(letter));
        // What it says first, where it says several things.
        if let Some(alert) = letter.alerts.first() {
            command.env("CHRONODE_ALERT", alert.kind.name());
        }
        if let Some(job) = render::only_job(letter) {
            command.env("CHRONODE_JOB", job);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).current_dir("/");
        let mut child = command
            .spawn()
            .map_err(|error| SendError::again(format!("cannot start `{program}`: {error}")))?;
        let group = Group::of(child.id());

        let output = Output::default();
        let (mut input, printed, complained) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let body = render::webhook(letter).to_string().into_bytes();
        let feed = async {
            if let Some(mut input) = input.take() {
                // It need not read.
                let _ = input.write_all(&body).await;
                let _ = input.shutdown().await;
            }
        };
        let listen = async {
            tokio::join!(output.collect(printed), output.collect(complained));
        };
        let talk = async { tokio::join!(feed, listen) };
        let all = async {
            tokio::pin!(talk);
            let status = tokio::select! {
                status = child.wait() => status,
                // It has closed its output and goes on.
                _ = &mut talk => return child.wait().await,
            };
            let _ = timeout(LAST_WORDS, talk).await;
            status
        };
        // Whoever was over in time is not late for what it left behind.
        let ended = timeout(self.time_max.saturating_add(LAST_WORDS), all).await;
        let said = output.told();
        let Ok(status) = ended else {
            group.kill();
            // One that the kernel cannot end now is left to it.
            if timeout(LAST_WORDS, child.wait()).await.is_ok() {
                group.is_over();
            }
            let seconds = self.time_max.as_secs_f64();
            tracing::warn!("channel `{channel}`: `{program}` was killed after {seconds} s: {said}");
            return Err(SendError::again(with(
                format!("`{program}` was killed, because it was not over after {seconds} s"),
                &said,
            )));
        };
        // Its number may be another's from now on. What it has left behind on purpose goes on.
        group.is_over();
        let status = status
            .map_err(|error| SendError::again(format!("cannot wait for `{program}`: {error}")))?;
        let end = told(status);
        tracing::debug!("channel `{channel}`: `{program}` {end}: {said}");
        if status.success() {
            Ok(with(end, &said))
        } else {
            Err(SendError::again(with(format!("`{program}` {end}"), &said)))
        }
    }
}

fn told(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => format!("ended: {status}"),
    }
}

fn with(text: String, said: &str) -> String {
    if said.is_empty() { text } else { format!("{text}; it said `{said}`") }
}

/// A process group that must not outlive whoever waits for it, also if that is dropped.
struct Group(std::cell::Cell<Option<Pid>>);

impl Group {
    fn of(leader: Option<u32>) -> Self {
        let leader = leader.and_then(|leader| i32::try_from(leader).ok()).and_then(Pid::from_raw);
        Self(std::cell::Cell::new(leader))
    }

    fn kill(&self) {
        if let Some(leader) = self.0.get() {
            // Fails if all of it has ended.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    fn is_over(&self) {
        self.0.set(None);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The beginning of what is printed, on both ways in the order in which it comes.
#[derive(Default, Clone)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Reads to the end, so that nobody waits for a full pipe, and keeps the beginning.
    async fn collect(&self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut piece = [0; 1_024];
        while let Ok(read) = from.read(&mut piece).await
            && read > 0
        {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let room = OUTPUT_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(&piece[..read.min(room)]);
        }
    }

    fn told(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cut_line(&String::from_utf8_lossy(&kept), TOLD_CHARACTERS)
    }
}
