//! The scheduler's process, as the driver and the launcher's glue make it of the engine, the session and the book.

use std::collections::VecDeque;
use std::sync::Arc;

use chronode::driver::working::{Dealt, Outcome, Working};
use chronode::engine::{Change, Effect, Event, State, invariants};
use chronode::launcher::mesos::book::{Book, Out, Terms};
use chronode::launcher::{Notice, Order};
use chronode::mesos::client::{Heard, Subscription};
use chronode::mesos::session::{Input, Login, Output, Session, Source};
use chronode::mesos::wire::CallType;
use chronode::model::{BootInstant, FrameworkId, Offer, TaskReport, TaskStatus, Term};
use chronode::store::{Batch, CommitError};

use super::wire::Link;
use super::{Happening, MILLI, MINUTE, SECOND, World, boot};

#[derive(Debug)]
pub(crate) enum Phase {
    Ready,
    Committing(Box<InFlight>),
    /// The state is dropped, or was not read yet.
    Loading,
}

/// What becomes of a commit, and what the process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused,
    UnknownStored,
    UnknownNotStored,
}

#[derive(Debug)]
pub(crate) struct InFlight {
    outcome: Outcome,
    fate: Fate,
    has_landed: bool,
}

/// The launcher as it said last.
#[derive(Debug, Clone)]
enum Launcher {
    NeverSeen,
    Connected { offers: Vec<Offer>, framework: Option<FrameworkId> },
    Gone(String),
}

pub(crate) struct Process {
    pub(crate) life: u64,
    term: Term,
    working: Working,
    pub(crate) phase: Phase,
    pub(crate) session: Session,
    pub(crate) book: Book,
    subscription: Option<Subscription>,
    pub(crate) link: Option<Link>,
    notices: VecDeque<Notice>,
    taken: u64,
    settled: u64,
    launcher: Launcher,
    pub(crate) asked: VecDeque<Event>,
}

impl Process {
    /// When it wants to be woken, in microseconds since the begin, by a clock that is so much ahead.
    pub(crate) fn wakes_at(&self, skew: i64) -> Option<i64> {
        let instant = |at: BootInstant| {
            let micros = at.since(boot(0)).as_micros();
            i64::try_from(micros).unwrap_or(i64::MAX).saturating_add(1)
        };
        let begin: chronode::model::Timestamp = super::BEGIN.parse().expect("an instant");
        let engine = match self.phase {
            Phase::Ready => {
                let wake = self.working.state().wake_at();
                let wall = wake.wall.map(|at| {
                    let micros = at.as_microsecond().saturating_sub(begin.as_microsecond());
                    micros.saturating_sub(skew).saturating_add(1)
                });
                let at_once = wake.at_once.then_some(0);
                [wall, wake.boot.map(instant), at_once].into_iter().flatten().min()
            }
            Phase::Committing(_) | Phase::Loading => None,
        };
        let book = self.book.wake_at().map(instant);
        let session = self.session.wake_at().map(instant);
        [engine, book, session].into_iter().flatten().min()
    }
}

impl World {
    pub(crate) fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        let term = Term(self.store.load_now().term.0 + 1);
        self.say(|| format!("-- the process starts, term {} --", term.0));
        let batch = Batch { term, changes: vec![Change::TermBegan(term)] };
        self.store.commit_now(&batch).expect("nobody has begun a later term");
        let loaded = self.store.load_now();
        let framework = loaded.framework.clone().map(|id| id.as_str().to_owned());
        let state = State::recover(Arc::clone(&self.settings), loaded.into());
        let now = self.now();
        let url = "http://master.example:5050/api/v1/scheduler".parse().expect("a URL");
        let login = Login { principal: None, has_secret: false };
        let jitter = self.rng.next();
        let session = Session::new(Source::Known(vec![url]), login, framework, jitter, now.boot);
        let terms = Terms {
            roles: self.framework.roles.clone(),
            is_checkpointed: self.framework.checkpoint,
            ..Terms::default()
        };
        self.lives += 1;
        let mut working = Working::new(state);
        let _ = working.handle(now, &Event::Resumed { term });
        self.process = Some(Process {
            life: self.lives,
            term,
            working,
            phase: Phase::Ready,
            session,
            book: Book::new(terms),
            subscription: None,
            link: None,
            notices: VecDeque::new(),
            taken: 0,
            settled: 0,
            launcher: Launcher::NeverSeen,
            asked: VecDeque::new(),
        });
        self.pump();
    }

    /// The process dies. A commit in flight may still land.
    pub(crate) fn crash(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        self.say(|| "-- the process dies --".to_owned());
        if let Phase::Committing(mut in_flight) = process.phase
            && !in_flight.has_landed
            && self.rng.chance(50)
        {
            self.land(process.term, &mut in_flight);
        }
        if let Some(link) = process.link.take() {
            self.hang_up(&link);
        }
        let downtime = self.rng.pick(&[100 * MILLI, SECOND, 20 * SECOND, MINUTE, 10 * MINUTE]);
        let downtime = if self.has_faults { downtime } else { SECOND };
        self.after(downtime, Happening::Starts);
    }

    /// The session and the book look at the clock.
    pub(crate) fn wake(&mut self) {
        let now = self.now();
        let Some(process) = &mut self.process else { return };
        if process.session.wake_at().is_some_and(|at| at <= now.boot) {
            self.step_session(Input::Tick);
        }
        let Some(process) = &mut self.process else { return };
        if process.book.wake_at().is_some_and(|at| at <= now.boot) {
            process.book.wake(now);
            self.drain_book();
        }
    }

    /// Something happens to the subscription.
    pub(crate) fn step_session(&mut self, input: Input) {
        let now = self.now();
        let Some(process) = &mut self.process else { return };
        let outputs = process.session.step(now.boot, input);
        for output in outputs {
            match output {
                Output::Close => {
                    let link = self.process.as_mut().and_then(|process| process.link.take());
                    if let Some(link) = link {
                        self.hang_up(&link);
                    }
                }
                Output::Subscribe { url: _, framework_id } => self.dial(framework_id),
                Output::Tell(heard) => self.hear(heard),
            }
        }
        self.drain_book();
    }

    fn hear(&mut self, heard: Heard) {
        let now = self.now();
        let Some(process) = &mut self.process else { return };
        match heard {
            Heard::Subscribed { subscription, framework_id, .. } => {
                process.subscription = Some(subscription);
                process.book.subscribed(now, FrameworkId::new(framework_id));
            }
            Heard::Event(event) => process.book.event(now, &event),
            Heard::Lost { reason } | Heard::Deposed { reason } => {
                process.subscription = None;
                process.book.lost(now, reason);
            }
            Heard::Refused { call, status, message } => {
                process.book.refused(now, &call, status, &message);
            }
        }
    }

    /// Sends what the book wants to be said.
    pub(crate) fn drain_book(&mut self) {
        let Some(process) = &mut self.process else { return };
        let outs = process.book.take();
        let has_stream =
            process.subscription.is_some_and(|number| process.session.stream(number).is_some());
        for out in outs {
            match out {
                Out::Notice(notice) => {
                    self.say(|| format!("   notice {}", brief(&format!("{notice:?}"))));
                    let process = self.process.as_mut().expect("it is there");
                    process.notices.push_back(notice);
                }
                Out::Call(call) => {
                    self.say(|| {
                        format!("   call {}", serde_json::to_string(&call).expect("a call"))
                    });
                    if call.kind == CallType::Acknowledge {
                        self.judge_acknowledgement(&call);
                    }
                    if has_stream {
                        self.send(call);
                    }
                }
            }
        }
    }

    /// Decides and commits as long as there is something to.
    pub(crate) fn pump(&mut self) {
        while self.decide() {}
        let Some(process) = &self.process else { return };
        let is_quiet = matches!(process.phase, Phase::Ready) && process.notices.is_empty();
        let held = process.book.sizes().0;
        if is_quiet && held > 0 {
            self.violation(format!("{held} offers are held though nothing is to be decided"));
        }
    }

    fn decide(&mut self) -> bool {
        let now = self.now();
        let Some(process) = &mut self.process else { return false };
        if !matches!(process.phase, Phase::Ready) {
            return false;
        }
        loop {
            let event = if let Some(notice) = process.notices.pop_front() {
                process.taken += 1;
                event_of(process, notice)
            } else if let Some(event) = process.asked.pop_front() {
                event
            } else {
                break;
            };
            if let Event::Task(TaskReport { task_id, status }) = &event {
                match status {
                    TaskStatus::InDoubt { .. } => {
                        self.doubted.insert(task_id.clone());
                    }
                    TaskStatus::NeverLaunched => {
                        *self.played.borrow_mut().counts.entry("launches denied").or_default() += 1;
                    }
                    TaskStatus::Staged | TaskStatus::Running { .. } | TaskStatus::Ended { .. } => {}
                }
            }
            while process.working.handle(now, &event) == Dealt::NotYet {}
        }
        if process.working.state().wake_at().has_come(now) {
            let _ = process.working.handle(now, &Event::Woke);
        }
        let outcome = process.working.take();
        let violations = if outcome.changes.is_empty() {
            Vec::new()
        } else {
            invariants::violations(process.working.state())
        };
        let has_nothing = outcome.changes.is_empty()
            && outcome.effects.is_empty()
            && process.taken == process.settled;
        for violation in violations {
            self.violation(format!("the state as decided: {violation}"));
        }
        for note in &outcome.notes {
            self.say(|| format!("   note {}", note.text));
        }
        if has_nothing {
            return false;
        }
        if outcome.is_durable() {
            self.begin_commit(outcome);
            return false;
        }
        self.publish(outcome)
    }

    fn begin_commit(&mut self, outcome: Outcome) {
        let percent = if self.has_faults { self.plan.commit_percent } else { 0 };
        let fate = if self.rng.chance(percent) {
            self.rng.pick(&[Fate::Refused, Fate::UnknownStored, Fate::UnknownNotStored])
        } else {
            Fate::Stored
        };
        match fate {
            Fate::Stored => {}
            Fate::Refused => self.count("fault: commit refused"),
            Fate::UnknownStored | Fate::UnknownNotStored => self.count("fault: commit in doubt"),
        }
        let is_slow = self.has_faults && self.rng.chance(1);
        let delay = if is_slow {
            self.rng.between(SECOND, 20 * SECOND)
        } else {
            self.rng.between(100, 20 * MILLI)
        };
        let landing = self.rng.between(50, delay);
        let Some(process) = &mut self.process else { return };
        let in_flight = InFlight { outcome, fate, has_landed: false };
        process.phase = Phase::Committing(Box::new(in_flight));
        let life = process.life;
        self.after(landing, Happening::CommitLands(life));
        self.after(delay, Happening::CommitIsOver(life));
    }

    fn land(&mut self, term: Term, in_flight: &mut InFlight) {
        in_flight.has_landed = true;
        if matches!(in_flight.fate, Fate::Refused | Fate::UnknownNotStored) {
            return;
        }
        let changes = in_flight.outcome.changes.clone();
        match self.store.commit_now(&Batch { term, changes: changes.clone() }) {
            Ok(()) => self.committed(&changes),
            Err(CommitError::Refused(error) | CommitError::Unknown(error)) => {
                self.violation(format!("the store refuses what was decided: {error}"));
            }
        }
    }

    pub(crate) fn commit_lands(&mut self, life: u64) {
        let Some(process) = self.process.as_mut().filter(|process| process.life == life) else {
            return;
        };
        let term = process.term;
        if let Phase::Committing(mut in_flight) =
            std::mem::replace(&mut process.phase, Phase::Loading)
        {
            self.land(term, &mut in_flight);
            let process = self.process.as_mut().expect("it is there");
            process.phase = Phase::Committing(in_flight);
        }
    }

    pub(crate) fn commit_is_over(&mut self, life: u64) {
        let Some(process) = self.process.as_mut().filter(|process| process.life == life) else {
            return;
        };
        let Phase::Committing(in_flight) = std::mem::replace(&mut process.phase, Phase::Ready)
        else {
            return;
        };
        if in_flight.fate == Fate::Stored {
            self.publish(in_flight.outcome);
        } else {
            process.phase = Phase::Loading;
            self.lives += 1;
            process.life = self.lives;
            let life = process.life;
            self.say(|| format!("-- the commit: {:?} --", in_flight.fate));
            let pause = self.rng.between(100 * MILLI, 3 * SECOND);
            self.after(pause, Happening::Loads(life));
        }
    }

    /// Reads the store again, as the driver does after a commit that failed.
    pub(crate) fn load(&mut self, life: u64) {
        let settings = Arc::clone(&self.settings);
        let loaded = self.store.load_now();
        let now = self.now();
        let Some(process) = self.process.as_mut().filter(|process| process.life == life) else {
            return;
        };
        // What was said meanwhile is dropped, but for whether the launcher is there.
        for notice in std::mem::take(&mut process.notices) {
            process.taken += 1;
            match notice {
                Notice::Connected { offers, term: _, framework } => {
                    process.launcher = Launcher::Connected { offers, framework };
                }
                Notice::Disconnected { reason } => process.launcher = Launcher::Gone(reason),
                Notice::Offered(_)
                | Notice::Withdrawn(_)
                | Notice::AgentLost(_)
                | Notice::Report(_) => {}
            }
        }
        process.asked.clear();
        process.working = Working::new(State::recover(settings, loaded.into()));
        process.phase = Phase::Ready;
        let _ = process.working.handle(now, &Event::Resumed { term: process.term });
        if !matches!(process.launcher, Launcher::NeverSeen) {
            process.book.order(now, Order::ReleaseAll);
        }
        match process.launcher.clone() {
            Launcher::NeverSeen => {}
            Launcher::Connected { offers, framework } => {
                let event = Event::LauncherConnected { offers, framework };
                let _ = process.working.handle(now, &event);
            }
            Launcher::Gone(reason) => {
                let _ = process.working.handle(now, &Event::LauncherGone { reason });
            }
        }
        self.drain_book();
    }

    /// Performs what follows from a batch. `false` if the process died in the middle.
    fn publish(&mut self, outcome: Outcome) -> bool {
        let now = self.now();
        let dies = self.has_faults && self.plan.dies_between && self.rng.between(0, 299) == 0;
        let count = i64::try_from(outcome.effects.len()).expect("few");
        let performed = if dies { self.rng.between(0, count) } else { count };
        let has_orders = outcome.effects.iter().any(Effect::is_order);
        for effect in outcome.effects.into_iter().take(usize::try_from(performed).expect("few")) {
            let order = match effect {
                Effect::Launch(launch) => Order::Launch(launch),
                Effect::Kill { task_id, grace } => Order::Kill { task_id, grace },
                Effect::Reconcile(questions) => Order::Reconcile(questions),
                Effect::Acknowledge(task_id) => Order::Acknowledge(vec![task_id]),
                Effect::Release(ids) => Order::Release(ids),
                Effect::Demand(is_wanted) => Order::Demand(is_wanted),
                Effect::Reply(..) => continue,
            };
            self.say(|| format!("   order {}", brief(&format!("{order:?}"))));
            let Some(process) = &mut self.process else { return false };
            process.book.order(now, order);
        }
        if dies {
            // What it had handed over may have been sent.
            if self.rng.chance(50) {
                self.drain_book();
            }
            self.count("fault: crash between orders");
            self.crash();
            return false;
        }
        let Some(process) = &mut self.process else { return false };
        if has_orders || process.taken > process.settled {
            process.settled = process.taken;
            process.book.order(now, Order::Settled { notices: process.taken });
        }
        self.drain_book();
        true
    }
}

fn event_of(process: &mut Process, notice: Notice) -> Event {
    match notice {
        Notice::Connected { offers, term: _, framework } => {
            process.launcher =
                Launcher::Connected { offers: offers.clone(), framework: framework.clone() };
            Event::LauncherConnected { offers, framework }
        }
        Notice::Offered(offers) => Event::Offered(offers),
        Notice::Withdrawn(ids) => Event::Withdrawn(ids),
        Notice::AgentLost(agent) => Event::AgentLost(agent),
        Notice::Disconnected { reason } => {
            process.launcher = Launcher::Gone(reason.clone());
            Event::LauncherGone { reason }
        }
        Notice::Report(report) => Event::Task(report),
    }
}

pub(crate) fn brief(text: &str) -> String {
    text.chars().take(300).collect()
}
