//! The clients: what they ask for, of whom, and what they hear.

use chronode::engine::{Event, Reply, Request, RequestId};
use chronode::model::{Dialect, Duration, JobName, PauseScope, RequestKey, RunVerb};

use super::commit::InFlight;
use super::house::ProcessId;
use super::record::Stopped;
use super::spec::{Spec, name};
use super::world::{World, say};

/// How long somebody repeats a request: keys are remembered for a day.
const REPEATED_FOR: Duration = Duration::from_hours(12);

/// What is asked under whatever key.
fn bare(request: &Request) -> &Request {
    match request {
        Request::Once { request, .. } => request,
        request => request,
    }
}

impl World {
    pub(crate) fn client_asks(&mut self) {
        let number = self.rng.between(1, 8);
        let job = name(number);
        let exists = self
            .record
            .possible
            .get(&job)
            .is_some_and(|possible| possible.0.iter().any(|(_, version)| version.is_some()));
        // Where somebody sets the clock, "due by the replace" depends on when who looked: jobs stay as they are.
        let may_change = self.plan.faults.clock_steps.is_none();
        let kind = self.rng.between(0, 14);
        let request = match kind {
            // Where somebody sets the clock, pauses end when who knows.
            10..=14 if may_change => match self.operator_asks(&job) {
                Some(request) => request,
                None => return,
            },
            0 | 1 if exists => Request::RunJob { name: job, ask: Box::default() },
            2 if exists => Request::KillJob { name: job, by: None },
            3 if exists && may_change => Request::DeleteJob { name: job, by: None },
            4..=6 if exists && may_change => self.put(job),
            _ if exists => return,
            _ => self.put(job),
        };
        // A client may not have heard either that another leads.
        let deposed = self.house.deposed();
        let whom = if !deposed.is_empty() && self.rng.chance(50) {
            Some(self.rng.pick(&deposed))
        } else {
            self.house.leader()
        };
        if self.repeat_one(whom) {
            return;
        }
        let request = self.under_a_key(request);
        // Some ask first what would follow, and some of these do it then.
        let is_careful = self.rng.chance(20);
        if is_careful {
            self.ask(whom, Request::DryRun(Box::new(request.clone())));
        }
        if !is_careful || self.rng.chance(70) {
            self.ask(whom, request);
        }
    }

    /// Half of the runs are asked for under a key, so that whoever hears no answer may ask again.
    fn under_a_key(&mut self, request: Request) -> Request {
        let is_run = matches!(request, Request::RunJob { .. });
        // Keys are forgotten by the wall clock.
        if !is_run || self.plan.faults.clock_steps.is_some() || self.rng.chance(50) {
            return request;
        }
        let id = format!("key {}", self.requests);
        let caller = "client".to_owned();
        let key = RequestKey { id, caller, content: format!("{request:?}") };
        let request = Request::Once { key, request: Box::new(request) };
        self.repeatable.push((self.wall(), request.clone()));
        request
    }

    /// Asks once more for what was asked for under a key, whatever became of it.
    fn repeat_one(&mut self, whom: Option<ProcessId>) -> bool {
        let now = self.wall();
        self.repeatable.retain(|(at, _)| now.duration_since(*at) < REPEATED_FOR);
        if self.repeatable.is_empty() || !self.rng.chance(30) {
            return false;
        }
        let (_, request) = self.rng.choose(&self.repeatable).clone();
        self.record.played.repeats += 1;
        self.ask(whom, request);
        true
    }

    fn ask(&mut self, whom: Option<ProcessId>, request: Request) {
        self.requests += 1;
        let id = RequestId(self.requests);
        match bare(&request) {
            Request::PutJob { draft, .. } => {
                let version = Some(self.versions);
                let possible = self.record.possible.entry(draft.name.clone()).or_default();
                possible.asked(id.0, version);
            }
            Request::DeleteJob { name, .. } => {
                self.record.possible.entry(name.clone()).or_default().asked(id.0, None);
            }
            _ => {}
        }
        say!(self, "request {}: {request:?}", id.0);
        self.asked.insert(id, request.clone());
        if let Some(whom) = whom {
            self.house.tell_if_well(whom, Event::Request { id, request });
        }
    }

    fn put(&mut self, job: JobName) -> Request {
        self.versions += 1;
        let now = self.wall();
        let others: Vec<JobName> = self.record.names.keys().cloned().collect();
        let mut spec = Spec::new(&mut self.rng, &self.plan, self.versions, job, &others, now);
        if self.plan.faults.clock_steps.is_some() {
            spec.disabled = false;
        }
        let draft = Box::new(spec.draft());
        self.record.specs.insert(self.versions, spec);
        Request::PutJob { draft, dialect: Dialect::V0 }
    }

    /// A client hears its answer.
    pub(crate) fn hear(&mut self, id: RequestId, reply: &Reply) {
        say!(self, "answer {}: {reply:?}", id.0);
        let request = self.asked.remove(&id).expect("an answer is to a question, and comes once");
        if let (Request::Once { key, .. }, Reply::Triggered { run }) = (&request, reply) {
            let first = *self.record.once.entry(key.id.clone()).or_insert(*run);
            if first != *run {
                let line = format!("`{}` is answered {first} and {run}", key.id);
                self.record.violations.push(line);
            }
        }
        let name = match bare(&request) {
            Request::PutJob { draft, .. } => draft.name.clone(),
            Request::DeleteJob { name, .. }
            | Request::RunJob { name, .. }
            | Request::OperateRun { name, .. }
            | Request::SkipAhead { name, .. }
            | Request::CancelBackfill { name, .. }
            | Request::KillJob { name, .. } => name.clone(),
            Request::Pause { scope, .. } | Request::Resume { scope, .. } => match scope {
                PauseScope::Job(name) | PauseScope::Subtree(name) => name.clone(),
                PauseScope::Everything => return,
            },
            Request::Backfill(draft) => draft.name.clone(),
            Request::DryRun(_) | Request::CutBacklog { .. } => return,
            other => panic!("nobody asks {other:?}"),
        };
        let possible = self.record.possible.entry(name).or_default();
        match reply {
            Reply::Stored { .. } | Reply::Deleted { .. } => possible.acknowledged(id.0),
            Reply::Refused(rejection) => {
                possible.refused(id.0);
                // Whether its parents are a reason was looked at when it was decided.
                if matches!(request, Request::PutJob { .. }) && rejection.field != "parents" {
                    self.record.violations.push(format!("a job is refused: {rejection:?}"));
                }
            }
            Reply::Triggered { run } => {
                self.record.triggered.insert(*run);
            }
            Reply::Stopping { .. }
            | Reply::Operated { .. }
            | Reply::Paused { .. }
            | Reply::Backfilled { .. }
            | Reply::Dropped { .. }
            | Reply::SkippedAhead { .. } => {}
            other => panic!("nobody asks for {other:?}"),
        }
    }

    /// Somebody's request to stop runs was committed: what it found must have no further attempt.
    pub(crate) fn stopping(&mut self, batch: &InFlight) {
        for (id, runs) in &batch.stopped {
            if let Some(
                Request::KillJob { .. }
                | Request::DeleteJob { .. }
                | Request::CancelBackfill { is_killing: true, .. }
                | Request::OperateRun { verb: RunVerb::Kill, .. },
            ) = self.asked.get(id)
            {
                self.record.stopped.push(Stopped(runs.clone()));
            }
        }
    }
}
