//! What a handler has in front of it: the program as this caller may see it, through this prefix.
//!
//! The port [`Backend`] is private to this module, so no handler reaches past the caller's scope, and nothing is changed
//! through the API without a record of who did it.
//!
//! What is out of scope is not there: it is "not found" in every answer, and counted nowhere.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::access::{Caller, Scope};
use super::backend::{
    Almanac, Backend, HistoryFilter, Info, JobView, Piece, RoundView, Stream, Unavailable,
};
use super::chronos::jobs;
use super::edge::front::Exchange;
use super::error::ApiError;
use crate::audit::{self, Audit, Outcome, Record};
use crate::engine::forecast::Plan;
use crate::engine::{Reply, Request};
use crate::model::{Dialect, HistoryEntry, JobName, Run, RunId, When};

/// One prefix and what is behind it.
#[derive(Clone)]
pub(crate) struct Door {
    backend: Arc<dyn Backend>,
    dialect: Dialect,
    calculations: Arc<Semaphore>,
}

/// Calculations that go on at one time; others wait. A long one takes a core for a second, and the loop needs another.
const CALCULATIONS_MAX: usize = 2;

impl Door {
    /// The doors of both dialects.
    pub(super) fn both(backend: &Arc<dyn Backend>) -> [Self; 2] {
        let calculations = Arc::new(Semaphore::new(CALCULATIONS_MAX));
        [Dialect::V0, Dialect::V1].map(|dialect| Self {
            backend: Arc::clone(backend),
            dialect,
            calculations: Arc::clone(&calculations),
        })
    }
}

/// What one request may see and do.
#[derive(Clone)]
pub(crate) struct Desk {
    door: Door,
    /// The dialect of the prefix.
    pub(crate) dialect: Dialect,
    /// Who asks.
    pub(crate) caller: Caller,
    /// With which request.
    asked: Arc<Asked>,
}

/// The request, as it is recorded.
struct Asked {
    id: u64,
    peer: SocketAddr,
    method: Method,
    path: String,
    audit: Option<Audit>,
}

/// What a request would do, for the record.
struct Act {
    what: &'static str,
    jobs: Vec<String>,
    /// Whether it is only tried out.
    is_dry: bool,
}

impl Act {
    fn of(request: &Request) -> Self {
        let act = |what, name: &JobName| Self { what, jobs: vec![name.to_string()], is_dry: false };
        match request {
            Request::PutJob { draft, dialect: _ } => act("put", &draft.name),
            Request::DeleteJob { name } => act("delete", name),
            Request::RunJob { name, arguments: _ } => act("run", name),
            Request::KillJob { name } => act("kill", name),
            Request::DryRun(request) => Self { is_dry: true, ..Self::of(request) },
        }
    }
}

/// How long a client is asked to wait when nothing can be recorded.
const AUDIT_RETRY_SECS: u32 = 10;

const fn prefix(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V0 => "/scheduler",
        Dialect::V1 => "/v1/scheduler",
    }
}

/// A scope in words.
fn told(scope: &Scope) -> String {
    let Scope::Only(patterns) = scope else { return "all jobs".to_owned() };
    let patterns: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    if patterns.is_empty() { "no job".to_owned() } else { patterns.join(", ") }
}

impl FromRequestParts<Door> for Desk {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Infallible> {
        let exchange = parts.extensions.get::<Exchange>();
        let exchange = exchange.expect("the front gives every request its exchange");
        // A router that is nested takes its prefix off.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let asked = Asked {
            id: exchange.id,
            peer: exchange.peer,
            method: parts.method.clone(),
            path: uri.path().to_owned(),
            audit: exchange.audit.clone(),
        };
        let caller = exchange.caller.clone();
        Ok(Self { dialect: door.dialect, door: door.clone(), caller, asked: Arc::new(asked) })
    }
}

impl Desk {
    /// Hands a request to the loop if all that it concerns is in scope; the answer is durable and recorded when it comes.
    ///
    /// It goes on when the client goes away, so that whatever is done is recorded.
    pub(crate) async fn submit(&self, request: Request) -> Result<Reply, ApiError> {
        let act = Act::of(&request);
        if let Err(refusal) = self.judge(&request) {
            let outcome =
                Outcome::Refused { status: refusal.status().as_u16(), code: "out_of_scope" };
            let record = Record { outcome, ..self.record(&act) };
            // What is forbidden the front records.
            if refusal.status() != StatusCode::FORBIDDEN {
                self.blocking(move |audit| audit.record_refusal(&record)).await;
            }
            return Err(refusal);
        }
        let Act { is_dry, .. } = act;
        if !is_dry && self.asked.audit.as_ref().is_some_and(Audit::is_required) {
            self.blocking(|audit| audit.admit_change()).await.unwrap_or(Ok(())).map_err(
                |reason| {
                    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", reason)
                        .remedy(
                            "nothing is changed while it cannot be recorded: make room on the disk",
                        )
                        .header(RETRY_AFTER, HeaderValue::from(AUDIT_RETRY_SECS))
                },
            )?;
        }
        let desk = self.clone();
        let work = async move {
            let reply = desk.door.backend.submit(request).await;
            if !is_dry {
                let record = desk.record_of(&act, &reply);
                desk.blocking(move |audit| audit.record(&record)).await;
            }
            reply
        };
        let reply = tokio::spawn(work).await.map_err(|error| {
            ApiError::internal("what became of the request is not known", error.to_string())
        })?;
        Ok(self.without_strangers(reply?))
    }

    /// Whether the caller may touch all that a request would change.
    fn judge(&self, request: &Request) -> Result<(), ApiError> {
        let scope = match &self.caller.scope {
            Scope::All => return Ok(()),
            scope @ Scope::Only(_) => scope,
        };
        match request {
            Request::PutJob { draft, dialect: _ } => {
                if !scope.covers(&draft.name) {
                    return Err(self.not_in_scope(&draft.name).remedy(format!(
                        "your credentials cover {}: give the job such a name",
                        told(scope)
                    )));
                }
                match &draft.when {
                    When::Schedule(_) => Ok(()),
                    When::Parents(terms) => {
                        match terms.names.iter().find(|parent| !scope.covers(parent)) {
                            None => Ok(()),
                            // As if there were no such job, in the engine's words.
                            Some(parent) => Err(ApiError::invalid(
                                "parents",
                                format!(
                                    "Job {} does not have all parents defined: `{parent}` does not exist",
                                    draft.name
                                ),
                            )
                            .remedy("create the parents first")),
                        }
                    }
                }
            }
            Request::DeleteJob { name } => {
                if !scope.covers(name) {
                    return Err(self.not_in_scope(name));
                }
                // Children get another schedule or lose a parent: they change with it.
                if self.relatives(name).iter().any(|child| !scope.covers(child)) {
                    let message = format!("jobs that you may not change run after `{name}`");
                    return Err(ApiError::forbidden("children_out_of_scope", message)
                        .remedy("ask somebody who may change them"));
                }
                Ok(())
            }
            Request::RunJob { name, arguments: _ } | Request::KillJob { name } => {
                if scope.covers(name) { Ok(()) } else { Err(self.not_in_scope(name)) }
            }
            Request::DryRun(request) => self.judge(request),
        }
    }

    /// As a job that is not there is answered for.
    fn not_in_scope(&self, name: &JobName) -> ApiError {
        jobs::unknown_job(name.as_str())
    }

    /// The children of a job.
    fn relatives(&self, name: &JobName) -> Vec<JobName> {
        let is_child = |view: &JobView| match &view.record.job.when {
            When::Parents(terms) => terms.names.contains(name),
            When::Schedule(_) => false,
        };
        let jobs = self.door.backend.jobs().into_iter();
        jobs.filter(is_child).map(|view| view.record.job.name.clone()).collect()
    }

    /// The reply without sentences about jobs that the caller may not see.
    fn without_strangers(&self, mut reply: Reply) -> Reply {
        let Scope::Only(_) = &self.caller.scope else { return reply };
        let jobs = self.door.backend.jobs();
        let names = jobs.iter().map(|view| &view.record.job.name);
        let strangers = names.filter(|name| !self.caller.scope.covers(name));
        let strangers: Vec<String> = strangers.map(|name| format!("`{name}`")).collect();
        let names_one =
            |sentence: &str| strangers.iter().any(|name| sentence.contains(name.as_str()));
        match &mut reply {
            Reply::Stored { consequences, .. } | Reply::Deleted { consequences } => {
                consequences.retain(|sentence| !names_one(sentence));
            }
            Reply::Refused(rejection) if names_one(&rejection.message) => {
                "jobs that you may not see are in the way".clone_into(&mut rejection.message);
                rejection.remedy.clear();
            }
            Reply::Triggered { .. } | Reply::Stopping { .. } | Reply::Refused(_) => {}
        }
        reply
    }

    /// What is recorded of a request, before its outcome.
    fn record(&self, act: &Act) -> Record {
        Record {
            caller: self.caller.name.to_string(),
            role: self.caller.role.as_str().to_owned(),
            peer: self.asked.peer.to_string(),
            door: prefix(self.dialect).to_owned(),
            method: self.asked.method.to_string(),
            path: self.asked.path.clone(),
            what: act.what,
            jobs: act.jobs.clone(),
            request: Some(self.asked.id),
            ..Record::default()
        }
    }

    fn record_of(&self, act: &Act, reply: &Result<Reply, Unavailable>) -> Record {
        let record = self.record(act);
        match reply {
            Ok(Reply::Stored { created, revision, .. }) => Record {
                detail: if *created { "created" } else { "replaced" }.to_owned(),
                revision: Some(*revision),
                ..record
            },
            Ok(Reply::Deleted { consequences }) => Record {
                detail: match consequences.len() {
                    0 => String::new(),
                    count => format!("told of {count} consequences"),
                },
                ..record
            },
            Ok(Reply::Triggered { run }) => Record { run: Some(run.to_string()), ..record },
            Ok(Reply::Stopping { count }) => Record { detail: format!("{count} runs"), ..record },
            Ok(Reply::Refused(rejection)) => {
                let code = rejection.code.as_str();
                Record { outcome: Outcome::Refused { status: 400, code }, ..record }
            }
            Err(Unavailable { .. }) => Record { outcome: Outcome::Unknown, ..record },
        }
    }

    /// Does something with the audit log, if there is one, on a thread that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Audit) -> T + Send + 'static,
    ) -> Option<T> {
        let audit = self.asked.audit.clone()?;
        tokio::task::spawn_blocking(move || work(&audit)).await.ok()
    }

    /// The audit log, newest first: for those who may see everything.
    pub(crate) async fn audit(
        &self,
        filter: audit::Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<audit::Page, ApiError> {
        self.everything()?;
        let read = self.blocking(move |audit| audit.read(&filter, before, limit)).await;
        read.unwrap_or_else(|| Ok(audit::Page::default())).map_err(|error| {
            ApiError::internal("the audit log cannot be read; the log says why", error.to_string())
        })
    }

    /// Refuses what concerns all jobs to whoever may only see some.
    pub(crate) fn everything(&self) -> Result<(), ApiError> {
        match &self.caller.scope {
            Scope::All => Ok(()),
            scope @ Scope::Only(_) => {
                let message =
                    format!("this concerns all jobs, and your credentials cover {}", told(scope));
                Err(ApiError::forbidden("scope_too_narrow", message)
                    .remedy("ask an administrator for credentials without a scope"))
            }
        }
    }

    /// All jobs in scope, in the order of their names.
    pub(crate) fn jobs(&self) -> Vec<JobView> {
        let mut jobs = self.door.backend.jobs();
        jobs.retain(|view| self.caller.scope.covers(&view.record.job.name));
        jobs
    }

    /// One job. What is out of scope is not there.
    pub(crate) fn job(&self, name: &JobName) -> Option<JobView> {
        self.in_scope(name)?;
        self.door.backend.job(name)
    }

    /// How far the parents of one job are.
    pub(crate) fn round(&self, job: &JobName) -> Option<RoundView> {
        self.in_scope(job)?;
        let mut round = self.door.backend.round(job)?;
        if let Some(standing) = &mut round.standing {
            standing.parents.retain(|parent| self.caller.scope.covers(&parent.name));
        }
        Some(round)
    }

    /// At most `limit` entries of jobs in scope, as [`Backend::history`].
    pub(crate) async fn history(
        &self,
        filter: HistoryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, String> {
        let filter = HistoryFilter { scope: self.caller.scope.clone(), ..filter };
        self.door.backend.history(filter, before, limit).await
    }

    /// One run of a job in scope.
    pub(crate) async fn run(&self, id: RunId) -> Result<Option<Run>, String> {
        let run = self.door.backend.run(id).await?;
        Ok(run.filter(|run| self.caller.scope.covers(&run.job)))
    }

    /// What an attempt of a run wrote, as [`Backend::output`]. The run is one that [`Self::run`] gave.
    pub(crate) fn output(
        &self,
        run: RunId,
        attempt: u32,
        stream: Stream,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        self.door.backend.output(run, attempt, stream, position, max)
    }

    /// What this process is and how it fares.
    pub(crate) fn info(&self) -> Info {
        self.door.backend.info(&self.caller.scope)
    }

    /// What schedules are calculated with.
    pub(crate) fn almanac(&self) -> Almanac {
        self.door.backend.almanac()
    }

    /// What is planned of all jobs in scope, or of that one.
    pub(crate) fn plans(&self, job: Option<&JobName>) -> Vec<Plan> {
        let mut plans = self.door.backend.plans(job);
        plans.retain(|plan| self.caller.scope.covers(plan.job()));
        plans
    }

    /// Waits a moment, as [`Backend::pause`].
    pub(crate) fn pause(&self) -> BoxFuture<'_, ()> {
        self.door.backend.pause()
    }

    fn in_scope(&self, name: &JobName) -> Option<()> {
        self.caller.scope.covers(name).then_some(())
    }

    /// Calculates on a thread that may take its time.
    pub(crate) async fn calculate<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let failed = |error: &dyn std::error::Error| {
            ApiError::internal("the request could not be calculated", error.to_string())
        };
        let permit = Arc::clone(&self.door.calculations).acquire_owned().await;
        let permit = permit.map_err(|error| failed(&error))?;
        // The thread has the permit: it goes on when the client has gone.
        let work = move || {
            let found = work();
            drop(permit);
            found
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}
