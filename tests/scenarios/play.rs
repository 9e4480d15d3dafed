//! Plays one story: reads its commands, moves its clocks, and writes down what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use chronode::driver::working::{Dealt, Working};
use chronode::engine::lineage::{self, Followed};
use chronode::engine::{
    Abilities, BackfillDraft, BacklogFilter, Boot, Event, PastRun, Request, RequestId,
    RoundStanding, Settings, State, explain_job, explain_run,
};
use chronode::model::{
    AgentId, Backoff, BootInstant, Calendar, CalendarUse, CatchUp, Defaults, Dialect, Duration,
    Exit, Fitness, FrameworkId, HistoryEntry, Intervention, JobDraft, JobName, Join, NameRule, Now,
    Offer, OfferId, OfferKind, OnUnknown, Overlap, ParentTerms, PauseScope, Period, Priority,
    Resources, RetryEnds, Run, RunId, RunVerb, Scalar, ScheduleTerms, Scope, Shadow, TaskId,
    TaskReport, TaskStatus, Term, Timestamp, Trigger, TriggerRule, UnknownThen, When,
};
use chronode::schedule::ZoneDb;
use chronode::store::{Batch, CommitError, Error, MemoryStore};

use super::{cluster, print};

/// When every story begins, unless it says otherwise; the machine has just been started.
const BEGIN: &str = "2026-01-01T00:00:00Z";

/// Plays `story` and returns what happened.
pub(crate) fn play(story: &str) -> String {
    let mut world = World::new();
    for (index, line) in story.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        if line.trim().is_empty() {
            continue;
        }
        let _ = writeln!(world.out, "> {line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        world
            .command(&words)
            .unwrap_or_else(|why| panic!("line {} of the story, `{line}`: {why}", index + 1));
    }
    world.out
}

/// Where a process that is to die dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    BeforeCommit,
    AfterCommit,
}

struct World {
    now: Now,
    store: MemoryStore,
    settings: Arc<Settings>,
    /// How often the machine has started.
    boots: u32,
    /// The process; `None` while it is down.
    working: Option<Working>,
    /// One that another has taken over from, and that has not noticed.
    deposed: Option<Working>,
    crash: Option<Crash>,
    commits_to_refuse: u32,
    /// What the launcher has; `None` for the offers while it is gone, but they are remembered.
    offers: Vec<Offer>,
    gone: Option<String>,
    /// What the launcher is to its cluster, if it works for one.
    framework: Option<FrameworkId>,
    /// The tasks launched, by job, oldest first.
    launched: BTreeMap<JobName, Vec<TaskId>>,
    requests: u64,
    out: String,
}

pub(crate) type Result<T = ()> = std::result::Result<T, String>;

impl World {
    fn new() -> Self {
        let settings = Arc::new(Settings {
            defaults: Defaults::default(),
            retry_delay: Duration::from_secs(60),
            disable_after_failures: 0,
            max_jobs: 200_000,
            kill_grace: Duration::from_secs(5),
            abilities: Abilities {
                only_user: None,
                run_as: None,
                containers: false,
                executors: false,
                ports: true,
            },
            alerts: chronode::alerts::Terms::default(),
            zones: ZoneDb::bundled(),
            machine: Ok(boot(1, BEGIN.parse().expect("an instant"))),
        });
        let wall = BEGIN.parse().expect("an instant");
        let mut world = Self {
            now: Now { wall, boot: BootInstant(Duration::from_secs(100)) },
            store: MemoryStore::new(),
            settings,
            boots: 1,
            working: None,
            deposed: None,
            crash: None,
            commits_to_refuse: 0,
            offers: vec![offer("o1", None, None)],
            gone: None,
            framework: None,
            launched: BTreeMap::new(),
            requests: 0,
            out: String::new(),
        };
        world.start(Term(1));
        world
    }

    fn command(&mut self, words: &[&str]) -> Result {
        match words {
            ["at", instant] => self.now.wall = self.instant(instant)?,
            ["job", name, rest @ ..] => {
                let request = put(name, rest)?;
                self.request(request)?;
            }
            ["delete", name] => {
                let name = job_name(name)?;
                self.request(Request::DeleteJob { name, by: None })?;
            }
            ["dry-run", "delete", name] => {
                let name = job_name(name)?;
                self.request(Request::DryRun(Box::new(Request::DeleteJob { name, by: None })))?;
            }
            ["dry-run", verb, "run", name] => {
                let request = self.about_run(verb, &job_name(name)?)?;
                if let Request::OperateRun { past: Some(past), .. } = &request {
                    for line in self.followed(&past.run).iter().map(print::followed) {
                        let _ = writeln!(self.out, "  {line}");
                    }
                }
                self.request(Request::DryRun(Box::new(request)))?;
            }
            ["dry-run", "job", name, rest @ ..] => {
                let request = put(name, rest)?;
                self.request(Request::DryRun(Box::new(request)))?;
            }
            ["run", name] => {
                let name = job_name(name)?;
                self.request(Request::RunJob { name, ask: Box::default() })?;
            }
            ["kill", name] => {
                let name = job_name(name)?;
                self.request(Request::KillJob { name, by: None })?;
            }
            ["mark", name] => {
                let name = job_name(name)?;
                self.request(Request::MarkSuccess { name })?;
            }
            ["kill" | "retry" | "retry-down" | "succeed" | "skip", "run", name] => {
                let request = self.about_run(words[0], &job_name(name)?)?;
                self.request(request)?;
            }
            ["pause", what] => self.pause(what, None)?,
            ["pause", what, "until", until] => {
                let until = Some(self.instant(until)?);
                self.pause(what, until)?;
            }
            ["resume", what] => {
                let request = Request::Resume { scope: scope(what)?, by: kim() };
                self.request(request)?;
            }
            ["skip", "next", name] => {
                let name = job_name(name)?;
                self.request(Request::SkipAhead { name, due_at: None, by: kim() })?;
            }
            ["backfill", name, concurrency, due @ ..] => {
                let due = due.iter().map(|at| self.instant(at)).collect::<Result<_>>()?;
                self.request(Request::Backfill(Box::new(BackfillDraft {
                    name: job_name(name)?,
                    due,
                    concurrency: concurrency.parse().map_err(|_| "no number")?,
                    stops_on_failure: false,
                    arguments: None,
                    environment: Vec::new(),
                    by: kim(),
                })))?;
            }
            ["cut", "backlog"] => {
                let filter = BacklogFilter::default();
                self.request(Request::CutBacklog { filter, by: kim() })?;
            }
            ["trust", "clock"] => self.request(Request::TrustClock { by: kim() })?,
            ["explain", name] => self.explain(&job_name(name)?)?,
            ["clear-queue"] => self.request(Request::ClearQueue)?,
            ["report", name, code] => {
                let task_id = match name.starts_with("ct:") {
                    true => TaskId::from_text(*name),
                    false => self.task_of(&job_name(name)?)?,
                };
                let status_code = number(code)?;
                self.request(Request::CompleteTask { task_id, status_code })?;
            }
            ["cut-over", at] => {
                let at = Some(self.instant(at)?);
                self.request(Request::CutOver { names: None, at })?;
            }
            ["offer", name, amounts @ ..] => self.offer(name, amounts)?,
            ["framework", id] => {
                self.framework = Some(FrameworkId::new(*id));
                self.gone = None;
                self.tell_launcher();
            }
            ["offers", offers @ ..] => {
                let offers = offers.split(|word| *word == ",");
                let offers = offers.map(|words| cluster::offer(self.now.wall, words));
                let offers = offers.collect::<Result<_>>()?;
                self.batch(&[Event::Offered(offers)]);
            }
            ["rescind", ids @ ..] => {
                let ids = ids.iter().map(|id| OfferId::new(*id)).collect();
                self.batch(&[Event::Withdrawn(ids)]);
            }
            ["agent", "lost", agent] => {
                self.batch(&[Event::AgentLost(AgentId::new(*agent))]);
            }
            ["short"] => {
                let state = self.working.as_ref().map(Working::state).ok_or("it is down")?;
                for line in cluster::short(state, self.now.wall) {
                    let _ = writeln!(self.out, "  {line}");
                }
            }
            ["launcher", "gone", reason @ ..] => {
                self.gone = Some(reason.join(" "));
                self.tell_launcher();
            }
            ["launcher", "back"] => {
                self.gone = None;
                self.tell_launcher();
            }
            ["advance", to] => self.advance(to)?,
            ["sleep", to] => {
                let target = self.target(to)?;
                self.pass(target);
                self.wake();
            }
            ["clock", "set", instant] => {
                self.now.wall = self.instant(instant)?;
                self.wake();
            }
            ["status", whose, status @ ..] => self.status(whose, status)?,
            ["crash"] => self.restart("the process dies"),
            ["crash", "before-commit"] => self.crash = Some(Crash::BeforeCommit),
            ["crash", "after-commit"] => self.crash = Some(Crash::AfterCommit),
            ["down"] => self.working = None,
            ["up"] => self.start(Term(self.store.load_now().term.0 + 1)),
            ["elect"] => self.elect(),
            ["deposed", "wake"] => self.as_deposed(|world| {
                world.batch(&[Event::Woke]);
                Ok(())
            })?,
            ["deposed", rest @ ..] => self.as_deposed(|world| world.command(rest))?,
            ["machine", "restarts"] => self.restart_machine(),
            ["store", "fails", count] => {
                self.commits_to_refuse = count.parse().map_err(|_| "no number")?;
            }
            ["show", what] => self.show(what)?,
            ["waits", name] => self.waits(&job_name(name)?)?,
            _ => return Err("no such command".to_owned()),
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "  {} {text}", self.now.wall);
    }

    // -- the process ----------------------------------------------------------------------------------------------

    fn start(&mut self, term: Term) {
        let state = State::recover(Arc::clone(&self.settings), self.store.load_now().into());
        assert_eq!(chronode::engine::invariants::violations(&state), Vec::<String>::new());
        self.working = Some(Working::new(state));
        let mut events = vec![Event::Resumed { term }];
        if self.gone.is_none() {
            events.push(self.connected());
        }
        self.batch(&events);
    }

    fn restart(&mut self, why: &str) {
        self.say(&format!("-- {why} --"));
        self.crash = None;
        self.working = None;
        self.start(Term(self.store.load_now().term.0 + 1));
    }

    fn elect(&mut self) {
        self.say("-- another takes over --");
        self.deposed = self.working.take();
        self.start(Term(self.store.load_now().term.0 + 1));
    }

    /// Lets the deposed process do something, as if it still led.
    fn as_deposed(&mut self, act: impl FnOnce(&mut Self) -> Result) -> Result {
        let deposed = self.deposed.take().ok_or("nobody was taken over from")?;
        let leader = self.working.replace(deposed);
        self.say("-- the deposed one acts --");
        let result = act(self);
        self.deposed = self.working.take();
        self.working = leader;
        result
    }

    fn restart_machine(&mut self) {
        self.working = None;
        self.boots += 1;
        let machine = Ok(boot(self.boots, self.now.wall));
        self.settings = Arc::new(Settings { machine, ..Settings::clone(&self.settings) });
        self.now.boot = BootInstant::default();
    }

    /// Handles events as the driver does: decide, commit, then perform.
    fn batch(&mut self, events: &[Event]) {
        let Some(working) = &mut self.working else { return };
        for event in events {
            while working.handle(self.now, event) == Dealt::NotYet {}
        }
        let outcome = working.take();
        if outcome.is_durable() {
            if self.crash == Some(Crash::BeforeCommit) {
                return self.restart("the process dies before the commit");
            }
            if self.commits_to_refuse > 0 {
                self.commits_to_refuse -= 1;
                self.say("-- the store refuses the commit; the state is loaded again --");
                self.working = None;
                return self.start(self.store.load_now().term);
            }
        }
        let term = working.state().term();
        let batch = Batch { term, changes: outcome.changes.clone() };
        match self.store.commit_now(&batch) {
            Ok(()) => {}
            Err(CommitError::Refused(Error::Fenced { .. })) => {
                self.say("-- the store refuses a deposed leader, which ends --");
                self.working = None;
                return;
            }
            Err(error) => panic!("what the engine decides can be stored: {error}"),
        }
        for note in &outcome.notes {
            self.say(&print::note(note));
        }
        if outcome.is_durable() && self.crash == Some(Crash::AfterCommit) {
            return self.restart("the process dies after the commit");
        }
        for effect in &outcome.effects {
            self.say(&print::effect(effect));
            if let chronode::engine::Effect::Launch(launch) = effect {
                let name = launch.environment.iter().find(|(key, _)| key == "CHRONOS_JOB_NAME");
                let name = name.and_then(|(_, name)| job_name(name).ok()).expect("it is set");
                self.launched.entry(name).or_default().push(launch.task_id.clone());
            }
        }
        // Decisions that did not fit into one batch go on in the next.
        if self.working.as_ref().is_some_and(|w| w.state().wake_at().has_come(self.now)) {
            self.batch(&[Event::Woke]);
        }
    }

    fn wake(&mut self) {
        if self.working.as_ref().is_some_and(|w| w.state().wake_at().has_come(self.now)) {
            self.batch(&[Event::Woke]);
        }
    }

    // -- time -----------------------------------------------------------------------------------------------------

    fn instant(&self, text: &str) -> Result<Timestamp> {
        let today = self.now.wall.to_string();
        let day = today.split('T').next().unwrap_or_default();
        text.parse().or_else(|_| format!("{day}T{text}Z").parse()).map_err(|_| "no instant".into())
    }

    fn target(&self, text: &str) -> Result<Timestamp> {
        if !text.starts_with('P') {
            return self.instant(text);
        }
        let span: Duration = text.parse().map_err(|_| "no duration")?;
        self.now.wall.checked_add(span).map_err(|error| error.to_string())
    }

    fn pass(&mut self, to: Timestamp) {
        let passed = to.duration_since(self.now.wall).max(Duration::ZERO);
        self.now = Now { wall: to.max(self.now.wall), boot: self.now.boot.saturating_add(passed) };
    }

    fn advance(&mut self, to: &str) -> Result {
        let target = self.target(to)?;
        while let Some(next) = self.next_wake().filter(|at| *at <= target) {
            self.pass(next);
            self.wake();
        }
        self.pass(target);
        Ok(())
    }

    /// The instant on the wall clock at which the state wants to be woken, if no clock is set until then.
    fn next_wake(&self) -> Option<Timestamp> {
        let wake_at = self.working.as_ref()?.state().wake_at();
        let boot = wake_at.boot.and_then(|at| {
            let left = at.since(self.now.boot);
            self.now.wall.checked_add(left).ok()
        });
        wake_at.wall.into_iter().chain(boot).min()
    }

    // -- the launcher ---------------------------------------------------------------------------------------------

    fn offer(&mut self, name: &str, amounts: &[&str]) -> Result {
        let (mut cpus, mut mem) = (None, None);
        for amount in amounts {
            match amount.split_once('=') {
                Some(("cpus", text)) => cpus = Some(scalar(text)?),
                Some(("mem", text)) => mem = Some(scalar(text)?),
                _ => return Err(format!("`{amount}` is no amount")),
            }
        }
        let offer = offer(name, cpus, mem);
        self.offers.retain(|known| known.id != OfferId::new("o1") && known.id != offer.id);
        self.offers.push(offer);
        self.tell_launcher();
        Ok(())
    }

    /// What the launcher says of itself. Offers of a cluster come later.
    fn connected(&self) -> Event {
        let offers = if self.framework.is_none() { self.offers.clone() } else { Vec::new() };
        Event::LauncherConnected { offers, framework: self.framework.clone() }
    }

    fn tell_launcher(&mut self) {
        let event = match &self.gone {
            None => self.connected(),
            Some(reason) => Event::LauncherGone { reason: reason.clone() },
        };
        self.batch(&[event]);
    }

    fn status(&mut self, whose: &str, status: &[&str]) -> Result {
        let task_id = if whose.starts_with("ct:") {
            TaskId::from_text(whose)
        } else {
            self.task_of(&job_name(whose)?)?
        };
        let at = self.now.wall;
        let ended = |exit, started_at| TaskStatus::Ended { exit, started_at, ended_at: at };
        let status = match status {
            ["staged"] => TaskStatus::Staged,
            ["running"] => TaskStatus::Running { started_at: at },
            ["exit", code] => ended(Exit::Code(number(code)?), Some(at)),
            ["signal", signal] => ended(Exit::Signal(number(signal)?), Some(at)),
            ["killed"] => ended(Exit::Killed, Some(at)),
            ["could-not-start"] => {
                ended(Exit::CouldNotStart { reason: "no such user".to_owned() }, None)
            }
            ["never-launched"] => TaskStatus::NeverLaunched,
            ["in-doubt", reason @ ..] => {
                TaskStatus::InDoubt { reason: reason.join(" "), is_final: true }
            }
            ["out-of-sight", reason @ ..] => {
                TaskStatus::InDoubt { reason: reason.join(" "), is_final: false }
            }
            _ => return Err("no such status".to_owned()),
        };
        self.batch(&[Event::Task(TaskReport { task_id, status })]);
        Ok(())
    }

    /// The oldest live task of a job, or the last one launched.
    fn task_of(&self, name: &JobName) -> Result<TaskId> {
        let state = self.working.as_ref().map(Working::state);
        let mut live: Vec<&Run> = state.into_iter().flat_map(State::runs).collect();
        live.sort_by_key(|run| run.sequence);
        let of_job = live.into_iter().filter(|run| run.job == *name);
        let task =
            of_job.filter_map(Run::live_attempt).map(|attempt| attempt.task_id.clone()).next();
        task.or_else(|| self.launched.get(name)?.last().cloned())
            .ok_or_else(|| format!("nothing of `{name}` was launched"))
    }

    // -- clients --------------------------------------------------------------------------------------------------

    fn request(&mut self, request: Request) -> Result {
        self.requests += 1;
        let id = RequestId(self.requests);
        if self.working.is_none() {
            return Err("the process is down".to_owned());
        }
        self.batch(&[Event::Request { id, request }]);
        Ok(())
    }

    /// What asks for something about the newest run of a job, whether it is live or over.
    fn about_run(&self, verb: &str, name: &JobName) -> Result<Request> {
        let history = self.store.history();
        let run = history.iter().rev().find_map(|entry| match entry {
            HistoryEntry::Run(run) if run.job == *name => Some(run.clone()),
            HistoryEntry::Run(_) | HistoryEntry::Stretch(_) => None,
        });
        let run = run.ok_or("it never ran")?;
        let verb = RunVerb::parse(verb).ok_or("no such verb")?;
        let (id, name) = (run.id, name.clone());
        let past = run.is_ended().then(|| {
            let below = match verb {
                RunVerb::RetryDown => self.followed(&run).iter().map(Followed::to_below).collect(),
                RunVerb::Kill | RunVerb::Retry | RunVerb::Succeed | RunVerb::Skip => Vec::new(),
            };
            Box::new(PastRun { run, below })
        });
        Ok(Request::OperateRun { name, run: id, verb, past, by: kim() })
    }

    /// What the history says followed from a run, or from those that it tries again.
    fn followed(&self, root: &Run) -> Vec<Followed> {
        let history = self.store.history();
        let runs = history.iter().filter_map(|entry| match entry {
            HistoryEntry::Run(run) => Some((run.id, run.clone())),
            HistoryEntry::Stretch(_) => None,
        });
        let runs: BTreeMap<RunId, Run> = runs.collect();
        let mut known = BTreeSet::from([root.id]);
        let mut first = root;
        while let Trigger::Retry { of, .. } = first.trigger
            && let Some(earlier) = runs.get(&of)
        {
            known.insert(of);
            first = earlier;
        }
        let mut in_order: Vec<&Run> = runs.values().collect();
        in_order.sort_by_key(|run| run.sequence);
        in_order.retain(|run| {
            run.causes.iter().any(|cause| known.contains(cause)) && known.insert(run.id)
        });
        let chain: Vec<Run> = in_order.into_iter().cloned().collect();
        let latest = lineage::latest(root, &chain);
        let lenders = lineage::lenders(root, &latest);
        let lenders = runs.into_iter().filter(|(id, _)| lenders.contains(id)).collect();
        lineage::followed(latest, &lenders, |_| false)
    }

    fn pause(&mut self, what: &str, until: Option<Timestamp>) -> Result {
        self.request(Request::Pause { scope: scope(what)?, until, by: kim() })
    }

    /// Why a job and its newest run stand as they do.
    fn explain(&mut self, name: &JobName) -> Result {
        let state = self.working.as_ref().map(Working::state).ok_or("the process is down")?;
        let entry = state.job(name).ok_or("there is no such job")?;
        let mut history = self.store.history();
        history.retain(|entry| job_of(entry) == name);
        history.reverse();
        let mut reasons = explain_job(state, self.now.wall, entry, &history, &Scope::All);
        if let Some(HistoryEntry::Run(run)) =
            history.iter().find(|entry| matches!(entry, HistoryEntry::Run(_)))
        {
            reasons.extend(explain_run(state, self.now.wall, run));
        }
        for reason in reasons {
            let _ = writeln!(self.out, "  {name}: [{}] {}", reason.code, reason.text);
        }
        Ok(())
    }

    fn waits(&mut self, name: &JobName) -> Result {
        let state = self.working.as_ref().map(Working::state).ok_or("the process is down")?;
        let entry = state.job(name).ok_or("there is no such job")?;
        let standing = RoundStanding::of(state, entry).ok_or("it has no parents")?;
        let _ = writeln!(self.out, "  {name}: {}", standing.message);
        Ok(())
    }

    fn show(&mut self, what: &str) -> Result {
        let is_wanted = |name: &JobName| matches!(what, "all" | "history") || name.as_str() == what;
        let mut lines = Vec::new();
        if what != "history" {
            let jobs = self.store.load_now().jobs;
            lines.extend(jobs.iter().filter(|job| is_wanted(&job.job.name)).map(print::job));
        }
        lines.extend(
            self.store.history().iter().filter(|entry| is_wanted(job_of(entry))).map(print::entry),
        );
        for line in lines {
            let _ = writeln!(self.out, "  {line}");
        }
        Ok(())
    }
}

fn put(name: &str, rest: &[&str]) -> Result<Request> {
    // A line of cron has blanks: the schedule is everything before the first `key=value`.
    let is_option = |word: &&&str| word.contains('=');
    let words: Vec<&str> = rest.iter().take_while(|word| !is_option(word)).copied().collect();
    let when = if words.is_empty() {
        When::Parents(ParentTerms::plain(Vec::new()))
    } else {
        When::Schedule(ScheduleTerms::plain(words.join(" "), ""))
    };
    let mut draft = JobDraft::new(job_name(name)?, when);
    draft.command = Some("true".to_owned());
    draft.retries = Some(0);
    for word in &rest[words.len()..] {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}`: no value"))?;
        set(&mut draft, key, value)?;
    }
    Ok(Request::PutJob { draft: Box::new(draft), dialect: Dialect::V0 })
}

/// Who does all that is done about runs and jobs.
fn kim() -> Intervention {
    let at = BEGIN.parse().expect("an instant");
    Intervention { by: "kim".to_owned(), at, reason: "so it is".to_owned() }
}

fn scope(what: &str) -> Result<PauseScope> {
    Ok(match what.split_once('/') {
        None if what == "everything" => PauseScope::Everything,
        Some((name, "below")) => PauseScope::Subtree(job_name(name)?),
        _ => PauseScope::Job(job_name(what)?),
    })
}

fn job_of(entry: &HistoryEntry) -> &JobName {
    match entry {
        HistoryEntry::Run(run) => &run.job,
        HistoryEntry::Stretch(stretch) => &stretch.job,
    }
}

fn boot(number: u32, at: Timestamp) -> Boot {
    Boot { id: format!("boot {number}"), at }
}

fn job_name(text: &str) -> Result<JobName> {
    JobName::parse(text, NameRule::Blanks).map_err(|error| error.to_string())
}

pub(crate) fn scalar(text: &str) -> Result<Scalar> {
    text.parse().ok().and_then(Scalar::from_units).ok_or_else(|| format!("`{text}` is no amount"))
}

fn offer(name: &str, cpus: Option<Scalar>, mem: Option<Scalar>) -> Offer {
    let is_metered = cpus.is_some() || mem.is_some();
    let disk = Scalar::from_thousandths(1_000_000_000);
    let (cpus, mem) = (cpus.unwrap_or_default(), mem.unwrap_or(disk));
    Offer {
        id: OfferId::new(name),
        agent: AgentId::new(format!("agent-of-{name}")),
        hostname: format!("host-of-{name}"),
        attributes: Vec::new(),
        resources: Resources { cpus, mem, disk, ports: 0 },
        kind: if is_metered { OfferKind::Standing } else { OfferKind::Unmetered },
        unavailable_from: None,
        files_at: None,
        share: String::new(),
    }
}

fn period(text: &str) -> Result<Period> {
    let span = chronode::schedule::parse_period(text).map_err(|error| error.to_string())?;
    Ok(Period { text: text.to_owned(), span })
}

/// Sets what belongs to the schedule. Returns whether `key` does.
fn set_term(terms: &mut ScheduleTerms, key: &str, value: &str) -> Result<bool> {
    let calendar = |usage| Calendar {
        name: key.to_owned(),
        usage,
        dates: Vec::new(),
        weekdays: Vec::new(),
        windows: vec![value.to_owned()],
    };
    match key {
        "zone" => value.clone_into(&mut terms.zone),
        "jitter" => terms.jitter = Some(period(value)?),
        "notBefore" => value.clone_into(&mut terms.not_before),
        "notAfter" => value.clone_into(&mut terms.not_after),
        "neverIn" => terms.calendars.push(calendar(CalendarUse::NeverIn)),
        "onlyIn" => terms.calendars.push(calendar(CalendarUse::OnlyIn)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Sets what belongs to the parents. Returns whether `key` does.
fn set_parent_term(terms: &mut ParentTerms, key: &str, value: &str) -> Result<bool> {
    match key {
        "after" => terms.names = value.split(',').map(job_name).collect::<Result<_>>()?,
        "rule" => terms.rule = TriggerRule::parse(value).ok_or("no such rule")?,
        "join" => terms.join = Join::parse(value).ok_or("no such join")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Sets what belongs to further attempts. Returns whether `key` does.
fn set_retry_term(draft: &mut JobDraft, key: &str, value: &str) -> Result<bool> {
    let terms = draft.retry.get_or_insert_default();
    let none = Backoff { factor: Scalar::from_thousandths(1_000), max: None, jitter: Scalar::ZERO };
    let codes = || value.split(',').map(number).collect::<Result<Vec<i32>>>();
    match key {
        "retryDelay" => terms.delay = Some(period(value)?),
        "retryFactor" => terms.backoff.get_or_insert(none).factor = scalar(value)?,
        "retryMax" => terms.backoff.get_or_insert(none).max = Some(period(value)?),
        "retryOn" => terms.ends = RetryEnds::Codes(codes()?),
        "noRetryOn" => terms.ends = RetryEnds::NotCodes(codes()?),
        "retryUntil" => terms.until = Some(period(value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn overlap(text: &str) -> Result<Overlap> {
    Ok(match text.split_once(':') {
        None if text == "skip" => Overlap::Skip,
        None if text == "replace" => Overlap::Replace,
        None if text == "allow" => Overlap::Allow { max: None },
        Some(("allow", max)) => Overlap::Allow { max: Some(number(max)?) },
        Some(("queue", max)) => Overlap::Queue { max: number(max)? },
        _ => return Err("overlap is skip, queue:N, replace, allow or allow:N".to_owned()),
    })
}

fn catch_up(text: &str) -> Result<CatchUp> {
    Ok(match text.split_once(':') {
        None if text == "none" => CatchUp::None,
        None if text == "latest" => CatchUp::Latest,
        Some(("all", max)) => CatchUp::All { max: number(max)? },
        _ => return Err("catchUp is none, latest or all:N".to_owned()),
    })
}

fn set(draft: &mut JobDraft, key: &str, value: &str) -> Result {
    let is_set = match &mut draft.when {
        When::Schedule(terms) => set_term(terms, key, value)?,
        When::Parents(terms) => set_parent_term(terms, key, value)?,
    };
    if is_set || set_retry_term(draft, key, value)? {
        return Ok(());
    }
    match key {
        "epsilon" => draft.epsilon = Some(period(value)?),
        "overlap" => draft.overlap = Some(overlap(value)?),
        "catchUp" => draft.catch_up = Some(catch_up(value)?),
        "retries" => draft.retries = Some(number(value)?),
        "cpus" => draft.cpus = Some(scalar(value)?),
        "mem" => draft.mem = Some(scalar(value)?),
        "disk" => draft.disk = Some(scalar(value)?),
        "ports" => draft.ports = Some(number(value)?),
        "placement" => {
            draft.placement = Some(Fitness::parse(value).ok_or("no such placement")?);
        }
        "where" => draft.constraints.get_or_insert_default().push(cluster::constraint(value)?),
        "timeout" => draft.max_completion_secs = Some(period(value)?.span.as_secs().unsigned_abs()),
        "killGrace" => draft.kill_grace = Some(period(value)?),
        "disableAfter" => draft.disable_after_failures = Some(number(value)?),
        "onUnknown" => {
            let (wait, then) = value.split_once(':').ok_or("onUnknown is WAIT:THEN")?;
            let then = UnknownThen::parse(then).ok_or("no such end of a wait")?;
            draft.on_unknown = Some(OnUnknown { wait: period(wait)?, then });
        }
        "async" => draft.is_async = Some(value == "true"),
        "shadow" if value == "true" => draft.shadow = Some(Shadow::On),
        "disabled" => draft.disabled = Some(value == "true"),
        "softError" => draft.soft_error = Some(value == "true"),
        "priority" => draft.priority = Some(Priority::parse(value).ok_or("no such priority")?),
        _ => return Err(format!("a job has no `{key}` here")),
    }
    Ok(())
}
