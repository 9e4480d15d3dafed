//! The engine's decisions, tested as values: build a state by events, take one step, look at what was decided.
//!
//! The [`Desk`] applies what each step decides, as the driver does, and checks the invariants after every step. It has
//! no store and no launcher: a test says what those would.

mod alert;
mod attempt;
mod backfill;
mod bulk;
mod clock;
mod cluster;
mod conditions;
mod due;
mod explain;
mod family;
mod feed;
mod forecast;
mod jitter;
mod lineage;
mod operate;
mod overlap;
mod place;
mod reboot;
mod report;
mod request;
mod retry_down;
mod round;
mod shadow;
mod source;
mod transition;
mod zones;

use std::sync::Arc;

use crate::alerts;
use crate::model::{
    AgentId, Alarm, AttemptState, BootInstant, CatchUp, Defaults, Dialect, Duration, Exit,
    JobDraft, JobName, JobRecord, NameRule, Now, Offer, OfferId, OfferKind, Overlap, ParentTerms,
    Period, Priority, Resources, Run, RunState, Scalar, ScheduleTerms, StopReason, Stretch, TaskId,
    TaskReport, TaskStatus, Term, Timestamp, Trigger, When,
};
use crate::schedule::ZoneDb;

use super::*;

/// The name of a job that panics when it is decided, in tests alone.
pub(super) const PANICS_WHEN_DECIDED: &str = "panics when decided";

/// When every test begins.
const BEGIN: &str = "2026-01-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An instant of the first day, such as `12:00:30`.
fn day(time: &str) -> Timestamp {
    at(&format!("2026-01-01T{time}Z"))
}

fn name(text: &str) -> JobName {
    JobName::parse(text, NameRule::Blanks).unwrap()
}

/// A job that is due every hour from one o'clock, without retries.
fn hourly() -> JobDraft {
    draft("job", "R/2026-01-01T01:00:00Z/PT1H")
}

fn draft(job: &str, schedule: &str) -> JobDraft {
    let when = When::Schedule(ScheduleTerms::plain(schedule, ""));
    let mut draft = JobDraft::new(name(job), when);
    draft.command = Some("true".to_owned());
    draft.retries = Some(0);
    draft
}

fn epsilon(seconds: i64) -> Option<Period> {
    Some(Period { text: format!("PT{seconds}S"), span: Duration::from_secs(seconds) })
}

fn offer() -> Offer {
    let plenty = Scalar::from_thousandths(8_000_000);
    Offer {
        id: OfferId::new("o1"),
        agent: AgentId::new("a1"),
        hostname: "one".to_owned(),
        attributes: Vec::new(),
        resources: Resources { cpus: plenty, mem: plenty, disk: plenty, ports: 0 },
        kind: OfferKind::Unmetered,
        unavailable_from: None,
        files_at: None,
        share: String::new(),
    }
}

fn settings() -> Settings {
    Settings {
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
            ports: false,
        },
        alerts: crate::alerts::Terms::default(),
        zones: ZoneDb::bundled(),
        machine: Ok(Boot { id: "boot 1".to_owned(), at: at("2025-12-31T23:43:20Z") }),
    }
}

/// The engine with its state, at an instant.
struct Desk {
    state: State,
    now: Now,
    /// Every run that ended, and every stretch as last stored.
    ended: Vec<Run>,
    stretches: Vec<Stretch>,
    requests: u64,
}

/// What the store would have of what people are told of.
fn told(desk: &alerts::Desk) -> alerts::Recovered {
    let incidents: Vec<_> = desk.incidents().cloned().collect();
    let notifications: Vec<_> = desk.notifications().cloned().collect();
    let named = incidents.iter().flat_map(|incident| &incident.latest);
    let named: std::collections::BTreeSet<_> =
        named.chain(notifications.iter().flat_map(|notification| &notification.alerts)).collect();
    alerts::Recovered {
        alerts: named.iter().filter_map(|id| desk.alert(**id).cloned()).collect(),
        silences: desk.silences().map(|(job, silence)| (job.clone(), silence.clone())).collect(),
        failing: Vec::new(),
        last_ids: desk.last_ids(),
        incidents,
        notifications,
    }
}

impl Desk {
    /// At [`BEGIN`], leading, with a launcher that has room for everything.
    fn new() -> Self {
        let mut desk = Self {
            state: State::new(Arc::new(settings())),
            now: Now { wall: at(BEGIN), boot: BootInstant(Duration::from_secs(1_000)) },
            ended: Vec::new(),
            stretches: Vec::new(),
            requests: 0,
        };
        let _ = desk.step(&Event::Resumed { term: Term(1) });
        let _ = desk.connect();
        desk
    }

    fn connect(&mut self) -> Decision {
        self.handle(&Event::LauncherConnected { offers: vec![offer()], framework: None })
    }

    fn disconnect(&mut self) -> Decision {
        self.handle(&Event::LauncherGone { reason: "the cable is out".to_owned() })
    }

    /// Both clocks go on to this instant of the first day; nobody is woken.
    fn jump(&mut self, time: &str) {
        self.jump_to(day(time));
    }

    fn jump_to(&mut self, wall: Timestamp) {
        let passed = wall.duration_since(self.now.wall).max(Duration::ZERO);
        self.now = Now { wall, boot: self.now.boot.saturating_add(passed) };
    }

    /// As [`Self::jump`], and everything that has come by then is decided then.
    fn wake(&mut self, time: &str) -> Decision {
        self.wake_on(day(time))
    }

    fn wake_on(&mut self, wall: Timestamp) -> Decision {
        self.jump_to(wall);
        self.handle(&Event::Woke)
    }

    /// One step, applied.
    fn step(&mut self, event: &Event) -> Decision {
        let decision = step(&self.state, self.now, event);
        if decision.is_postponed {
            self.apply(&decision);
            return self.step(event);
        }
        self.apply(&decision);
        decision
    }

    fn apply(&mut self, decision: &Decision) {
        for change in &decision.changes {
            self.state.apply(change);
            match change {
                Change::RunStored(run) if run.is_ended() => self.ended.push(Run::clone(run)),
                Change::StretchStored(stretch) => {
                    self.stretches.retain(|known| known.sequence != stretch.sequence);
                    self.stretches.push(stretch.clone());
                }
                _ => {}
            }
        }
        assert_eq!(invariants::violations(&self.state), Vec::<String>::new());
    }

    /// An event and all that follows from it at this instant.
    fn handle(&mut self, event: &Event) -> Decision {
        let mut all = self.step(event);
        for _ in 0..10_000 {
            if !self.state.wake_at().has_come(self.now) {
                return all;
            }
            let next = self.step(&Event::Woke);
            all.changes.extend(next.changes);
            all.effects.extend(next.effects);
            all.notes.extend(next.notes);
        }
        panic!("the state asks to be woken for ever: {:?}", self.state.wake_at());
    }

    fn request(&mut self, request: Request) -> (Reply, Decision) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let decision = self.handle(&Event::Request { id, request });
        let replies: Vec<&Reply> = decision
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Reply(to, reply) if *to == id => Some(reply),
                _ => None,
            })
            .collect();
        assert_eq!(replies.len(), 1, "a request gets one answer");
        (replies[0].clone(), decision)
    }

    fn put(&mut self, draft: JobDraft) -> Reply {
        let draft = Box::new(draft);
        self.request(Request::PutJob { draft, dialect: Dialect::V0 }).0
    }

    fn run_now(&mut self) -> Run {
        self.run_of("job")
    }

    fn run_of(&mut self, job: &str) -> Run {
        let request = Request::RunJob { name: name(job), ask: Box::default() };
        let Reply::Triggered { run } = self.request(request).0 else { panic!("refused") };
        self.state.run(run).unwrap().clone()
    }

    fn report(&mut self, task_id: &TaskId, status: TaskStatus) -> Decision {
        self.handle(&Event::Task(TaskReport { task_id: task_id.clone(), status }))
    }

    /// The task of the only live attempt there is.
    fn task(&self) -> TaskId {
        let mut live = self.state.runs().filter_map(Run::live_attempt);
        let task = live.next().expect("an attempt is live").task_id.clone();
        assert!(live.next().is_none(), "more than one attempt is live");
        task
    }

    fn running(&mut self) {
        let task = self.task();
        let started_at = self.now.wall;
        let _ = self.report(&task, TaskStatus::Running { started_at });
    }

    fn ends(&mut self, exit: Exit) -> Decision {
        let task = self.task();
        self.report(&task, self.ended(exit))
    }

    fn ended(&self, exit: Exit) -> TaskStatus {
        let started_at = Some(self.now.wall).filter(|_| exit != Exit::Killed);
        TaskStatus::Ended { exit, started_at, ended_at: self.now.wall }
    }

    /// Chronode starts again, on the machine as it was.
    fn restart(&mut self) {
        let machine = self.state.settings.machine.clone();
        self.load(machine);
    }

    /// Begins a term; returns what is said of it.
    fn load(&mut self, machine: Result<Boot, String>) -> Vec<String> {
        let jobs: Vec<JobRecord> = self.state.jobs().map(JobEntry::to_record).collect();
        let marks = jobs.iter().map(|record| &record.job.name);
        let recovered = Recovered {
            term: self.state.term(),
            runs: self.state.runs().cloned().map(Run::stored).collect(),
            signals: self.state.signals().cloned().collect(),
            task_marks: marks
                .filter_map(|name| Some((name.clone(), self.state.task_mark(name)?)))
                .collect(),
            zones: Vec::new(),
            answered: self.state.answered_requests().cloned().collect(),
            pause: self.state.everything_paused().cloned(),
            backfills: self.state.backfills().cloned().collect(),
            alerts: told(self.state.alerts()),
            judged_through: self.state.judged_through(),
            framework: self.state.framework().cloned(),
            last_incarnation: self.state.last_incarnation(),
            last_sequence: self.state.last_sequence(),
            jobs,
        };
        let term = Term(recovered.term.0 + 1);
        self.state = State::recover(Arc::new(Settings { machine, ..settings() }), recovered);
        let decision = self.handle(&Event::Resumed { term });
        let _ = self.connect();
        decision.notes.into_iter().map(|note| note.text).collect()
    }

    /// The task of the only live attempt of that job.
    fn task_of(&self, job: &str) -> TaskId {
        let of_job = self.state.runs().filter(|run| run.job == name(job));
        let mut live = of_job.filter_map(Run::live_attempt);
        let task = live.next().unwrap_or_else(|| panic!("no attempt of {job} is live"));
        assert!(live.next().is_none(), "more than one attempt of {job} is live");
        task.task_id.clone()
    }

    /// Somebody runs a job, and it ends so.
    fn ran(&mut self, job: &str, exit: Exit) {
        self.run_of(job);
        let task = self.task_of(job);
        let _ = self.report(&task, self.ended(exit));
    }

    /// The live runs of a job, in few words.
    fn live_of(&self, job: &str) -> Vec<String> {
        let job = name(job);
        let mut runs: Vec<&Run> = self.state.runs().filter(|run| run.job == job).collect();
        runs.sort_by_key(|run| run.sequence);
        runs.into_iter().map(standing).collect()
    }

    /// What is live, a line each, oldest first.
    fn live(&self) -> Vec<String> {
        let mut runs: Vec<&Run> = self.state.runs().collect();
        runs.sort_by_key(|run| run.sequence);
        runs.into_iter().map(|run| format!("{} {}", due(run), standing(run))).collect()
    }

    /// What ended, a line each, in that order.
    fn over(&self) -> Vec<String> {
        self.ended.iter().map(|run| format!("{} {}", due(run), standing(run))).collect()
    }

    /// The occurrences without runs, a line for each record.
    fn unrun(&self) -> Vec<String> {
        let line = |s: &Stretch| {
            let verdict = s.verdict.as_str();
            format!("{} {verdict} {} to {}", s.count, time(s.first_due_at), time(s.last_due_at))
        };
        self.stretches.iter().map(line).collect()
    }
}

fn due(run: &Run) -> String {
    time(run.trigger.due_at())
}

fn time(at: Timestamp) -> String {
    let text = format!("{at:.0}");
    text.strip_prefix("2026-01-01T").map_or(text.clone(), |rest| rest.replace('Z', ""))
}

/// Where a run stands, in few words.
fn standing(run: &Run) -> String {
    match &run.state {
        RunState::Queued => "queued".to_owned(),
        RunState::Pending { deadline: None } => "pending".to_owned(),
        RunState::Pending { deadline: Some(by) } => format!("pending until {}", time(*by)),
        RunState::Waiting { until } => format!("waiting until {}", time(until.at)),
        RunState::Reporting { until: None } => "reporting".to_owned(),
        RunState::Reporting { until: Some(by) } => format!("reporting until {}", time(by.at)),
        RunState::Active => match run.live_attempt().map(|attempt| &attempt.state) {
            Some(AttemptState::Launching) => "launching".to_owned(),
            Some(AttemptState::Running { .. }) => "running".to_owned(),
            Some(AttemptState::Stopping { started_at: None, .. }) => {
                "stopping unstarted".to_owned()
            }
            Some(AttemptState::Stopping { .. }) => "stopping".to_owned(),
            Some(AttemptState::Unknown { until, .. }) => {
                format!("unknown until {}", time(until.at))
            }
            Some(AttemptState::Ended { .. }) | None => "active without an attempt".to_owned(),
        },
        RunState::Ended { verdict, .. } => verdict.as_str().to_owned(),
    }
}

/// What is done outside, in few words.
fn done(decision: &Decision) -> String {
    let words = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Launch(launch) => Some(format!("launch #{}", launch.attempt)),
        Effect::Kill { .. } => Some("kill".to_owned()),
        Effect::Reconcile(tasks) => Some(format!("ask after {}", tasks.len())),
        Effect::Acknowledge(_) => Some("acknowledge".to_owned()),
        Effect::Release(ids) => Some(format!("release {}", ids.len())),
        Effect::Demand(is_wanted) => Some(format!("demand {is_wanted}")),
        Effect::Reply(..) => None,
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}
