//! The scheduler's side of the keeper's socket: reaches the keeper, starts it if none answers, carries orders and
//! notices.
//!
//! One task does all of it, so that orders keep their order. While there is no connection, launches are dropped, for
//! a launch must not happen late: whoever listens asks about everything after `Connected`, and is told that it was
//! never launched. Everything else is kept and said then; saying it late does no harm.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::layout::Layout;
use super::protocol::{Settings, ToKeeper, ToLauncher, VERSION, line, millis};
use crate::clock;
use crate::launcher::{Notice, Order};
use crate::model::{Duration, Exit, Offer, TaskReport, TaskStatus, Term};

/// Between two tries to reach a keeper that is just starting.
const TRY_PAUSE: Duration = Duration::from_millis(20);
/// Between two tries after one has failed for a reason.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// How long a keeper may take to listen, or to answer the hello.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Orders written at once.
const BATCH: usize = 256;
/// Bytes after which the keeper's log is begun anew.
const LOG_BYTES_MAX: u64 = 1 << 20;

/// One end of the line to the keeper.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) layout: Layout,
    pub(super) executable: PathBuf,
    pub(super) settings: Settings,
    pub(super) offer: Offer,
    /// The users that commands may run as; `None` if any may be.
    pub(super) run_as: Option<Vec<String>>,
    pub(super) orders: UnboundedReceiver<Order>,
    pub(super) notices: UnboundedSender<Notice>,
    /// How many tasks live; `None` while nobody can say.
    pub(super) live: watch::Sender<Option<usize>>,
    /// Orders that wait for a connection.
    pub(super) kept: Vec<ToKeeper>,
    /// The keeper, if we started it.
    pub(super) keeper: Option<Child>,
}

/// A connection whose hello was answered.
struct Session {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    term: Term,
}

/// Why there is no connection.
enum Broken {
    /// Nobody gives orders any more.
    Dropped,
    /// A sentence.
    Because(String),
}

impl Client {
    /// Works until the launcher is dropped.
    pub(super) async fn run(mut self) {
        let mut told = String::new();
        loop {
            let reason = match self.reach().await {
                Ok(session) => {
                    told.clear();
                    match self.converse(session).await {
                        Broken::Dropped => return,
                        Broken::Because(reason) => reason,
                    }
                }
                Err(Broken::Dropped) => return,
                Err(Broken::Because(reason)) => {
                    self.pause(FAILED_PAUSE).await;
                    reason
                }
            };
            self.live.send_replace(None);
            // Said once, not with every try.
            if reason != told {
                tracing::warn!("no keeper: {reason}");
                let _ = self.notices.send(Notice::Disconnected { reason: reason.clone() });
                told = reason;
            }
            if self.orders.is_closed() {
                return;
            }
        }
    }

    /// Waits, but takes orders meanwhile.
    async fn pause(&mut self, pause: Duration) {
        let wait = clock::pause(pause);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return,
                order = self.orders.recv() => match order {
                    Some(Order::Launch(launch)) => {
                        tracing::warn!("`{}` is not launched: there is no keeper", launch.task_id);
                    }
                    Some(order) => self.kept.extend(encode(order)),
                    None => return,
                },
            }
        }
    }

    /// Connects and greets; starts a keeper if nobody answers.
    async fn reach(&mut self) -> Result<Session, Broken> {
        let deadline = clock::boot().saturating_add(ANSWER_MAX);
        let mut problem;
        let mut starts = 0_u32;
        loop {
            match self.connect().await {
                Ok(stream) => match self.greet(stream).await {
                    Ok(session) => return Ok(session),
                    // It may have been about to leave.
                    Err(Broken::Because(reason)) if clock::boot() >= deadline => {
                        return Err(Broken::Because(reason));
                    }
                    Err(Broken::Because(reason)) if reason.starts_with("the keeper refuses") => {
                        return Err(Broken::Because(reason));
                    }
                    Err(Broken::Because(reason)) => problem = reason,
                    Err(Broken::Dropped) => return Err(Broken::Dropped),
                },
                Err(error) => match self.start_keeper(&mut starts) {
                    Ok(()) => problem = format!("cannot reach it: {error}"),
                    Err(reason) => return Err(Broken::Because(reason)),
                },
            }
            if self.orders.is_closed() {
                return Err(Broken::Dropped);
            }
            if clock::boot() >= deadline {
                let log = self.layout.log();
                return Err(Broken::Because(format!(
                    "the keeper did not come up: {problem}; `{}` may say why",
                    log.display()
                )));
            }
            self.pause(TRY_PAUSE).await;
        }
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        let name = self.layout.socket()?;
        UnixStream::connect(name.path()).await
    }

    /// Starts a keeper unless the one that we started is still on its way.
    fn start_keeper(&mut self, starts: &mut u32) -> Result<(), String> {
        if let Some(keeper) = &mut self.keeper {
            match keeper.try_wait() {
                Ok(None) => return Ok(()),
                Ok(Some(_)) | Err(_) => self.keeper = None,
            }
        }
        // A keeper that ends at once may have found another one that was just leaving; more often than that it is broken.
        *starts += 1;
        if *starts > 20 {
            return Err(format!(
                "the keeper ends as soon as it is started; `{}` says why",
                self.layout.log().display()
            ));
        }
        let log = self
            .open_log()
            .map_err(|error| format!("cannot write `{}`: {error}", self.layout.log().display()))?;
        let err = log.try_clone().map_err(|error| error.to_string())?;
        let keeper = Command::new(&self.executable)
            .arg("keeper")
            .arg(self.layout.root())
            .env_clear()
            .env("PATH", &self.settings.path)
            .envs(crate::failpoint::inherited())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(err)
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", self.executable.display()))?;
        self.keeper = Some(keeper);
        Ok(())
    }

    fn open_log(&self) -> io::Result<File> {
        let path = self.layout.log();
        let is_long = std::fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES_MAX);
        let log = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        if is_long {
            log.set_len(0)?;
        }
        Ok(log)
    }

    async fn greet(&self, stream: UnixStream) -> Result<Session, Broken> {
        let (reader, mut writer) = stream.into_split();
        let hello = ToKeeper::Hello { version: VERSION, settings: self.settings.clone() };
        let mut lines = BufReader::new(reader).lines();
        let answer = async {
            writer.write_all(&line(&hello)).await?;
            lines.next_line().await
        };
        let answer = tokio::select! {
            answer = answer => answer,
            () = clock::pause(ANSWER_MAX) => Err(io::ErrorKind::TimedOut.into()),
        };
        let because = |reason: String| Err(Broken::Because(reason));
        match answer {
            Ok(Some(text)) => match serde_json::from_str(&text) {
                Ok(ToLauncher::Hello { version: _, pid: _, term }) => {
                    Ok(Session { lines, writer, term: Term(term) })
                }
                Ok(ToLauncher::Refused { reason }) => {
                    because(format!("the keeper refuses: {reason}"))
                }
                Ok(ToLauncher::Report(_) | ToLauncher::Live { .. }) => {
                    because("the keeper does not greet".to_owned())
                }
                Err(error) => because(format!("the keeper's greeting cannot be read: {error}")),
            },
            Ok(None) => because("the keeper hung up".to_owned()),
            Err(error) => because(format!("the keeper does not greet: {error}")),
        }
    }

    /// Carries orders and notices until something breaks.
    async fn converse(&mut self, mut session: Session) -> Broken {
        let offers = vec![self.offer.clone()];
        if self
            .notices
            .send(Notice::Connected { offers, term: session.term, framework: None })
            .is_err()
        {
            return Broken::Dropped;
        }
        let mut orders = Vec::with_capacity(BATCH);
        loop {
            let kept: Vec<u8> = self.kept.iter().flat_map(line).collect();
            if !kept.is_empty() {
                // Again after a break in the middle: all of it may be said twice.
                if let Err(error) = session.writer.write_all(&kept).await {
                    return Broken::Because(format!("the keeper went away: {error}"));
                }
                self.kept.clear();
            }
            tokio::select! {
                count = self.orders.recv_many(&mut orders, BATCH) => {
                    if count == 0 {
                        return Broken::Dropped;
                    }
                    let allowed = orders.drain(..).filter(|order| self.allows(order));
                    let bytes: Vec<u8> = allowed.flat_map(said).collect();
                    if let Err(error) = session.writer.write_all(&bytes).await {
                        return Broken::Because(format!("the keeper went away: {error}"));
                    }
                }
                read = session.lines.next_line() => match read {
                    Ok(Some(text)) => if let Err(reason) = self.hear(&text) {
                        return Broken::Because(reason);
                    },
                    Ok(None) => return Broken::Because("the keeper went away".to_owned()),
                    Err(error) => return Broken::Because(format!("the keeper went away: {error}")),
                },
            }
        }
    }

    /// Whether a command may run as the user it wants. If not, its end is told at once: nothing of it ever starts.
    ///
    /// Jobs are refused before they are stored; this is for those that were stored before the list was what it is.
    fn allows(&self, order: &Order) -> bool {
        let (Order::Launch(launch), Some(users)) = (order, &self.run_as) else { return true };
        let user = launch.user.as_deref().unwrap_or_default();
        if users.iter().any(|allowed| allowed == user) {
            return true;
        }
        let reason = format!(
            "commands may not run as `{user}` here: give the job a `runAsUser` that `--run_as` names, or add it there"
        );
        let exit = Exit::CouldNotStart { reason };
        let status = TaskStatus::Ended { exit, started_at: None, ended_at: clock::wall() };
        let report = TaskReport { task_id: launch.task_id.clone(), status };
        let _ = self.notices.send(Notice::Report(report));
        false
    }

    fn hear(&self, text: &str) -> Result<(), String> {
        let said = serde_json::from_str(text)
            .map_err(|error| format!("the keeper cannot be understood: {error}"))?;
        match said {
            ToLauncher::Report(wire) => {
                let report = TaskReport::try_from(wire)
                    .map_err(|error| format!("the keeper cannot be understood: {error}"))?;
                let _ = self.notices.send(Notice::Report(report));
            }
            ToLauncher::Live { count } => {
                self.live.send_replace(Some(count));
            }
            ToLauncher::Refused { reason } => return Err(format!("the keeper refuses: {reason}")),
            ToLauncher::Hello { .. } => {}
        }
        Ok(())
    }
}

/// What an order comes to on the keeper's connection.
fn said(order: Order) -> Vec<u8> {
    encode(order).as_ref().map(line).unwrap_or_default()
}

/// What the keeper is told of an order. Nothing of what is about offers: the machine is always there.
fn encode(order: Order) -> Option<ToKeeper> {
    match order {
        Order::Launch(launch) => Some(ToKeeper::Launch(Box::new((*launch).into()))),
        Order::Kill { task_id, grace } => {
            Some(ToKeeper::Kill { task_id: task_id.to_string(), grace_ms: millis(grace) })
        }
        Order::Reconcile(questions) => {
            let ids = questions.iter().map(|question| question.task_id.to_string());
            Some(ToKeeper::Reconcile { task_ids: ids.collect() })
        }
        Order::Acknowledge(ids) => {
            Some(ToKeeper::Acknowledge { task_ids: ids.iter().map(ToString::to_string).collect() })
        }
        Order::Release(_) | Order::ReleaseAll | Order::Demand(_) | Order::Settled { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskId;

    /// Else the keeper would hang up with each batch that is committed.
    #[test]
    fn of_what_is_about_offers_the_keeper_hears_nothing() {
        for order in [
            Order::Release(Vec::new()),
            Order::ReleaseAll,
            Order::Demand(true),
            Order::Settled { notices: 3 },
        ] {
            assert_eq!(said(order), b"");
        }
        let order = Order::Acknowledge(vec![TaskId::from_text("a")]);
        assert!(serde_json::from_slice::<ToKeeper>(&said(order)).is_ok());
    }
}
