//! The loop: drain events, decide and apply, commit, then perform the effects.
//!
//! One batch is in flight at a time; events queue meanwhile, and share the next commit. Nothing is visible outside
//! before it is committed: launches, kills, acknowledgements, answers to clients and what readers see all wait for it.
//!
//! A commit that fails drops the working state. The store is read again, clients hear 503 meanwhile, and the launcher
//! is asked anew about everything live, so whatever was dropped is learned again. Jobs that run are not touched.
//!
//! Decides nothing: that is [`crate::engine`]'s. Knows neither SQL nor sockets: those are behind [`Store`] and
//! [`Launcher`].

pub mod feed;
pub mod pulse;
#[cfg(test)]
mod tests;
pub mod view;
pub mod working;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::alerts;
use crate::clock;
use crate::engine::{Effect, Event, Note, Reply, Request, RequestId, Settings, State};
use crate::launcher::{Launcher, Notice, Order};
use crate::metrics::{Doing, Metrics};
use crate::model::{Duration, FrameworkId, NotificationId, Now, Offer, Term, Timestamp};
use crate::store::{Batch, CommitError, Loaded, Store};

use pulse::Pulse;
use view::View;
use working::{Dealt, Outcome, Working};

/// Events taken into one batch. More wait for the next, so that a flood of requests cannot hold up a due run by more
/// than one commit.
const EVENTS_PER_BATCH_MAX: usize = 1_024;
/// Requests waiting to be taken in; more are told to come back.
const REQUESTS_WAITING_MAX: usize = 4_096;
/// The loop looks at the clock at least this often, so that a wall clock set by hand is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The first pause after a failed commit; it doubles up to [`STORE_PAUSE_MAX`].
const STORE_PAUSE: Duration = Duration::from_millis(100);
const STORE_PAUSE_MAX: Duration = Duration::from_secs(3);
const UNDECIDED: &str =
    "the request could not be decided: this is a defect of Chronode, and nothing of it was stored";
const STOPPING: &str = "Chronode is stopping";
const DRAINING: &str = "Chronode is stopping and starts nothing new";
/// An absence of the loop that long means that it was stopped or the machine suspended: what ended meanwhile has not
/// been heard of yet. Longer than any commit on a slow disk that is worth waiting for.
const AWAY_NOTED: Duration = Duration::from_secs(2);
/// A difference between what the two clocks say has passed that is worth a line in the log.
const CLOCK_STEP_NOTED: Duration = Duration::from_secs(2);

/// Why a request could not be answered; trying again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// A sentence.
    pub reason: String,
}

impl Unavailable {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

type Answer = Result<Reply, Unavailable>;

enum Message {
    Request(Request, oneshot::Sender<Answer>),
    /// What came of a try, and who waits until that is durable.
    Delivered(NotificationId, alerts::Outcome, oneshot::Sender<()>),
    Drain,
    Stop,
}

/// The way to the loop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    messages: mpsc::Sender<Message>,
    pulse: Arc<Pulse>,
}

impl Handle {
    /// Whether the loop turns.
    #[must_use]
    pub fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Has a request decided, and waits until the answer is durable.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if it was not decided, or its commit failed; then nothing of it is stored, or the same request
    /// may be made again.
    pub async fn ask(&self, request: Request) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let sent = self.messages.try_send(Message::Request(request, sender));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Unavailable::new("too many requests are waiting already")
            }
            mpsc::error::TrySendError::Closed(_) => Unavailable::new(STOPPING),
        })?;
        receiver.await.unwrap_or_else(|_| Err(Unavailable::new(STOPPING)))
    }

    /// Says what came of trying to send a notification, and waits until that is durable.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if it may not be stored; it is to be said again then.
    pub async fn delivered(
        &self,
        id: NotificationId,
        outcome: alerts::Outcome,
    ) -> Result<(), Unavailable> {
        let (sender, receiver) = oneshot::channel();
        let sent = self.messages.send(Message::Delivered(id, outcome, sender)).await;
        sent.map_err(|_| Unavailable::new(STOPPING))?;
        receiver.await.map_err(|_| Unavailable::new("it could not be stored"))
    }

    /// Has nothing new started from now on. What runs goes on and is recorded.
    pub async fn drain(&self) {
        // A closed channel means that the loop has ended already.
        let _ = self.messages.send(Message::Drain).await;
    }

    /// Lets the batch in flight end, and the loop with it.
    pub async fn stop(&self) {
        // A closed channel means that the loop has ended already.
        let _ = self.messages.send(Message::Stop).await;
    }
}

/// The loop and what it works with.
#[derive(Debug)]
pub struct Driver {
    store: Arc<dyn Store>,
    launcher: Arc<dyn Launcher>,
    settings: Arc<Settings>,
    view: Arc<View>,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
    messages: mpsc::Receiver<Message>,
    notices: mpsc::UnboundedReceiver<Notice>,
    working: Working,
    /// The launcher as it said last; told again to a state that is loaded anew.
    launcher_state: LauncherState,
    /// How many notices have been taken, and of how many the launcher knows that they are committed.
    notices_taken: u64,
    notices_settled: u64,
    waiting: BTreeMap<RequestId, oneshot::Sender<Answer>>,
    /// Who waits until what came of their tries is durable.
    telling: Vec<oneshot::Sender<()>>,
    last_request: u64,
    store_pause: Duration,
    last_look: Now,
    /// An event that the last batch did not get to.
    postponed: Option<Event>,
    is_draining: bool,
    is_stopping: bool,
}

#[derive(Debug, Clone)]
enum LauncherState {
    NeverSeen,
    Connected { offers: Vec<Offer>, term: Term, framework: Option<FrameworkId> },
    Gone(String),
}

impl Driver {
    /// Begins a term with what the store remembers.
    ///
    /// # Errors
    ///
    /// The store's, if it cannot be read or the new term cannot be written.
    pub async fn begin(
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        notices: mpsc::UnboundedReceiver<Notice>,
        settings: Arc<Settings>,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, Handle, Arc<View>), crate::store::Error> {
        let loaded = store.load().await?;
        let term = Term(loaded.term.0 + 1);
        let state = State::recover(settings.clone(), loaded.into());
        for violation in crate::engine::invariants::violations(&state) {
            tracing::error!("the stored state is not sound: {violation}");
        }
        let (sender, messages) = mpsc::channel(REQUESTS_WAITING_MAX);
        let view = Arc::new(View::new(state.clone(), clock::wall(), Arc::clone(&metrics)));
        let mut driver = Self {
            store,
            launcher,
            settings,
            view: view.clone(),
            metrics,
            pulse: Arc::new(Pulse::new()),
            messages,
            notices,
            working: Working::new(state),
            launcher_state: LauncherState::NeverSeen,
            notices_taken: 0,
            notices_settled: 0,
            waiting: BTreeMap::new(),
            telling: Vec::new(),
            last_request: 0,
            store_pause: STORE_PAUSE,
            last_look: clock::now(),
            postponed: None,
            is_draining: false,
            is_stopping: false,
        };
        let now = driver.now();
        let _ = driver.working.handle(now, &Event::Resumed { term });
        let outcome = driver.working.take();
        let batch = Batch { term, changes: outcome.changes.clone() };
        let begun = clock::boot();
        driver.store.commit(batch).await.map_err(|error| match error {
            CommitError::Refused(error) | CommitError::Unknown(error) => error,
        })?;
        driver.metrics.committed(begun, outcome.changes.len());
        driver.publish(outcome);
        let handle = Handle { messages: sender, pulse: Arc::clone(&driver.pulse) };
        Ok((driver, handle, view))
    }

    /// Runs until [`Handle::stop`].
    pub async fn run(mut self) {
        while !self.is_stopping {
            self.pulse.beat();
            match self.postponed.take() {
                Some(event) => self.handle(&event),
                None => self.wait().await,
            }
            self.take_in();
            let outcome = self.working.take();
            self.settle(outcome).await;
        }
    }

    /// Waits for a message, a notice, or the instant at which the state wants to be asked.
    async fn wait(&mut self) {
        let pause = self.pause();
        tokio::select! {
            biased;
            Some(notice) = self.notices.recv() => self.take_notice(notice),
            Some(message) = self.messages.recv() => self.take_message(message),
            () = clock::pause(pause) => {
                self.handle(&Event::Woke);
            }
        }
    }

    /// How long nothing is to be done: never early, and at most [`LOOK_EVERY`].
    fn pause(&self) -> Duration {
        let wake = self.working.state().wake_at();
        let now = clock::now();
        if wake.has_come(now) {
            return Duration::ZERO;
        }
        let by_wall = wake.wall.map(|at| at.duration_since(now.wall));
        let by_boot = wake.boot.map(|at| at.since(now.boot));
        [by_wall, by_boot].into_iter().flatten().fold(LOOK_EVERY, Ord::min)
    }

    /// Takes what else is there into the same batch.
    fn take_in(&mut self) {
        for _ in 0..EVENTS_PER_BATCH_MAX {
            // What comes after it must not be decided before it.
            if self.postponed.is_some() {
                return;
            }
            if let Ok(notice) = self.notices.try_recv() {
                self.take_notice(notice);
            } else if let Ok(message) = self.messages.try_recv() {
                self.take_message(message);
            } else {
                return;
            }
        }
    }

    fn take_message(&mut self, message: Message) {
        match message {
            Message::Request(request, answer) => {
                self.last_request += 1;
                let id = RequestId(self.last_request);
                self.waiting.insert(id, answer);
                self.handle(&Event::Request { id, request });
            }
            Message::Delivered(id, outcome, told) => {
                self.telling.push(told);
                self.handle(&Event::Delivered { id, outcome });
            }
            Message::Drain => {
                self.is_draining = true;
                self.handle(&Event::Draining { reason: DRAINING.to_owned() });
            }
            Message::Stop => self.is_stopping = true,
        }
    }

    fn take_notice(&mut self, notice: Notice) {
        self.notices_taken += 1;
        let event = match notice {
            Notice::Connected { offers, term, framework } => {
                self.launcher_state = LauncherState::Connected {
                    offers: offers.clone(),
                    term,
                    framework: framework.clone(),
                };
                return self.connected(offers, term, framework);
            }
            Notice::Offered(offers) if self.is_draining => {
                let ids = offers.into_iter().map(|offer| offer.id).collect();
                return self.launcher.perform(Order::Release(ids));
            }
            Notice::Offered(offers) => Event::Offered(offers),
            Notice::Withdrawn(ids) => Event::Withdrawn(ids),
            Notice::AgentLost(agent) => Event::AgentLost(agent),
            Notice::Disconnected { reason } => {
                self.launcher_state = LauncherState::Gone(reason.clone());
                Event::LauncherGone { reason }
            }
            Notice::Report(report) => Event::Task(report),
        };
        self.handle(&event);
    }

    /// Has it decided that the launcher can be reached and has `offers`.
    fn connected(&mut self, offers: Vec<Offer>, term: Term, framework: Option<FrameworkId>) {
        self.outrank(term);
        // No offers, so nothing new is placed; what is live is asked after all the same.
        let offers = if self.is_draining { Vec::new() } else { offers };
        self.handle(&Event::LauncherConnected { offers, framework });
    }

    /// Begins a later term if the launcher has obeyed one later than ours: the state is older than what it has done, as
    /// after a backup was restored, and it would drop whatever we order.
    fn outrank(&mut self, seen: Term) {
        if seen > self.working.state().term() {
            tracing::warn!(
                "the launcher has obeyed term {} already, after ours: was an older state restored?",
                seen.0
            );
            self.handle(&Event::Resumed { term: Term(seen.0.saturating_add(1)) });
        }
    }

    /// Has an event decided at the present time, after asking what became of live attempts if the loop was away.
    fn handle(&mut self, event: &Event) {
        let before = self.last_look.boot;
        let now = self.now();
        if now.boot.since(before) > AWAY_NOTED {
            tracing::warn!("the loop was away for {:#}", now.boot.since(before));
            let term = self.working.state().term();
            let _ = self.working.handle(now, &Event::Resumed { term });
        }
        if self.working.handle(now, event) == Dealt::NotYet {
            self.postponed = Some(event.clone());
        }
    }

    /// Commits a batch and performs its effects, or drops it.
    async fn settle(&mut self, outcome: Outcome) {
        if outcome.is_durable() {
            let batch =
                Batch { term: self.working.state().term(), changes: outcome.changes.clone() };
            crate::failpoint!("batch.before_commit");
            let begun = clock::boot();
            if let Err(error) = self.store.commit(batch).await {
                self.metrics.store_failed(Doing::Commit);
                return self.recover(error, outcome).await;
            }
            crate::failpoint!("batch.after_commit");
            self.metrics.committed(begun, outcome.changes.len());
            // A slow disk is no absence.
            self.now();
            self.store_pause = STORE_PAUSE;
        }
        self.publish(outcome);
    }

    /// Shows committed changes to readers and performs the effects.
    fn publish(&mut self, outcome: Outcome) {
        for note in &outcome.notes {
            log(note);
        }
        self.view.apply(&outcome.changes, self.last_look.wall);
        // Readers see it by now, so nobody sends again what has arrived.
        for told in self.telling.drain(..) {
            let _ = told.send(());
        }
        for id in &outcome.broken {
            tracing::error!("deciding request {} went wrong inside Chronode", id.0);
            self.answer(*id, Err(Unavailable::new(UNDECIDED)));
        }
        let has_orders = outcome.effects.iter().any(Effect::is_order);
        for effect in outcome.effects {
            self.perform(effect);
        }
        if has_orders || self.notices_taken > self.notices_settled {
            self.notices_settled = self.notices_taken;
            self.launcher.perform(Order::Settled { notices: self.notices_taken });
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Launch(launch) => {
                crate::failpoint!("launch.before_ask");
                self.launcher.perform(Order::Launch(launch));
                crate::failpoint!("launch.after_ask");
            }
            Effect::Kill { task_id, grace } => {
                self.launcher.perform(Order::Kill { task_id, grace });
            }
            Effect::Reconcile(tasks) => self.launcher.perform(Order::Reconcile(tasks)),
            Effect::Acknowledge(task_id) => {
                crate::failpoint!("status.before_acknowledge");
                self.launcher.perform(Order::Acknowledge(vec![task_id]));
            }
            Effect::Release(ids) => self.launcher.perform(Order::Release(ids)),
            Effect::Demand(is_wanted) => self.launcher.perform(Order::Demand(is_wanted)),
            Effect::Reply(id, reply) => {
                crate::failpoint!("reply.before_send");
                self.answer(id, Ok(reply));
            }
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer) {
        if let Some(waiting) = self.waiting.remove(&id) {
            // A client that has gone away does not wait for its answer.
            let _ = waiting.send(answer);
        }
    }

    /// Drops the batch whose commit failed and reads the store again, as often as it takes.
    async fn recover(&mut self, error: CommitError, outcome: Outcome) {
        let (CommitError::Refused(cause) | CommitError::Unknown(cause)) = &error;
        let cause = error_chain(cause);
        tracing::error!("nothing new is started or accepted: {error}: {cause}");
        let reason = format!("the state cannot be stored at the moment: {cause}");
        // They say it again.
        self.telling.clear();
        for id in outcome.requests().collect::<Vec<_>>() {
            self.answer(id, Err(Unavailable::new(reason.clone())));
        }
        loop {
            self.refuse_for(self.store_pause, &reason).await;
            self.store_pause = self.store_pause.saturating_mul(2).min(STORE_PAUSE_MAX);
            if self.is_stopping {
                return;
            }
            match self.store.load().await {
                Ok(loaded) => {
                    self.resume(loaded, &cause);
                    tracing::info!("the state was read again; going on");
                    return;
                }
                Err(error) => {
                    self.metrics.store_failed(Doing::Load);
                    tracing::error!("cannot read the state again: {}", error_chain(&error));
                }
            }
        }
    }

    /// Goes on from the store's state: readers see it, and the launcher is asked anew about everything live.
    fn resume(&mut self, loaded: Loaded, cause: &str) {
        let term = self.working.state().term();
        let state = State::recover(self.settings.clone(), loaded.into());
        self.view.replace(state.clone());
        self.working = Working::new(state);
        let now = self.now();
        let _ = self.working.handle(now, &Event::Resumed { term });
        let _ = self.working.handle(now, &Event::StoreFailed { problem: cause.to_owned() });
        if !matches!(self.launcher_state, LauncherState::NeverSeen) {
            // What was offered since is forgotten with the state that knew it, and what was reported is told again: it
            // would otherwise count as settled with what comes next.
            self.launcher.perform(Order::ReleaseAll);
        }
        match self.launcher_state.clone() {
            LauncherState::NeverSeen => {}
            LauncherState::Connected { offers, term, framework } => {
                self.connected(offers, term, framework);
            }
            LauncherState::Gone(reason) => self.handle(&Event::LauncherGone { reason }),
        }
    }

    /// Waits while the store is out of reach. Clients hear so at once; what the launcher reports is dropped, because
    /// it is asked about everything afterwards.
    async fn refuse_for(&mut self, span: Duration, reason: &str) {
        let until = clock::boot().saturating_add(span);
        loop {
            self.pulse.beat();
            let left = until.since(clock::boot());
            tokio::select! {
                Some(message) = self.messages.recv() => match message {
                    Message::Request(_, answer) => {
                        let _ = answer.send(Err(Unavailable::new(reason)));
                    }
                    // Whoever waits hears that it is not stored, and says it again.
                    Message::Delivered(..) => {}
                    Message::Drain => self.is_draining = true,
                    Message::Stop => {
                        self.is_stopping = true;
                        return;
                    }
                },
                Some(notice) = self.notices.recv() => {
                    self.notices_taken += 1;
                    match notice {
                        Notice::Connected { offers, term, framework } => {
                            self.launcher_state =
                                LauncherState::Connected { offers, term, framework };
                        }
                        Notice::Disconnected { reason } => {
                            self.launcher_state = LauncherState::Gone(reason);
                        }
                        // All offers are taken back afterwards.
                        Notice::Offered(_)
                        | Notice::Withdrawn(_)
                        | Notice::AgentLost(_)
                        | Notice::Report(_) => {}
                    }
                },
                () = clock::pause(left.min(LOOK_EVERY)) => if left <= LOOK_EVERY {
                    return;
                },
            }
        }
    }

    /// Reads the clocks, and says so when somebody has set the wall clock.
    fn now(&mut self) -> Now {
        let now = clock::now();
        let by_wall = now.wall.duration_since(self.last_look.wall);
        let by_boot = now.boot.since(self.last_look.boot);
        let step = by_wall.saturating_sub(by_boot);
        if step.abs() > CLOCK_STEP_NOTED {
            let (from, to): (Timestamp, Timestamp) = (self.last_look.wall, now.wall);
            tracing::warn!("the wall clock was set by {step:#}: from {from:.3} to {to:.3}");
        }
        self.last_look = now;
        now
    }
}

/// An error with its causes in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn log(note: &Note) {
    let job = note.job.as_ref().map(tracing::field::display);
    if note.is_warning {
        tracing::warn!(job, "{}", note.text);
    } else {
        tracing::info!(job, "{}", note.text);
    }
}
