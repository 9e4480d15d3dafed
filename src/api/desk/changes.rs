//! What a caller changes: judged by their scope, carried out whatever becomes of the client, and recorded.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::OriginalUri;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};

use super::Desk;
use crate::alerts::Subject;
use crate::api::access::Scope;
use crate::api::backend::Unavailable;
use crate::api::brief::JobBrief;
use crate::api::chronos::jobs;
use crate::api::edge::front::{Exchange, without_arguments};
use crate::api::error::ApiError;
use crate::audit::{Audit, Outcome, Record};
use crate::engine::{ApplyTerms, Rejection, Reply, Request};
use crate::model::{
    Became, Dialect, Intervention, JobDraft, JobName, NameRule, PauseScope, Run, RunId, RunVerb,
    When,
};

/// The request, as it is recorded.
pub(super) struct Asked {
    id: u64,
    peer: SocketAddr,
    method: Method,
    path: String,
    audit: Option<Audit>,
}

impl Asked {
    pub(super) fn read(parts: &Parts, exchange: &Exchange) -> Self {
        // A router that is nested takes its prefix off.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Self {
            id: exchange.id,
            peer: exchange.peer,
            method: parts.method.clone(),
            path: without_arguments(uri.path()),
            audit: exchange.audit.clone(),
        }
    }
}

/// What a request would do, for the record.
struct Act {
    what: &'static str,
    jobs: Vec<String>,
    /// The run that it is about, if it is about one.
    run: Option<RunId>,
    /// Why, as the caller says.
    reason: String,
    /// Whether it is only tried out.
    is_dry: bool,
}

impl Act {
    const fn of_several(what: &'static str, jobs: Vec<String>) -> Self {
        Self { what, jobs, run: None, reason: String::new(), is_dry: false }
    }

    fn of_scope(what: &'static str, scope: &PauseScope) -> Self {
        let jobs = match scope {
            PauseScope::Job(name) | PauseScope::Subtree(name) => vec![name.to_string()],
            PauseScope::Everything => Vec::new(),
        };
        Self::of_several(what, jobs)
    }

    /// What a request would do, and why.
    fn of(request: &Request) -> Self {
        let reason = request.by().map(|by| by.reason.clone()).unwrap_or_default();
        Self { reason, ..Self::without_reason(request) }
    }

    fn without_reason(request: &Request) -> Self {
        let several = Self::of_several;
        let act = |what, name: &JobName| several(what, vec![name.to_string()]);
        match request {
            Request::PutJob { draft, dialect: _ } => act("put", &draft.name),
            Request::DeleteJob { name, .. } => act("delete", name),
            Request::RunJob { name, ask: _ } => act("run", name),
            Request::OperateRun { name, run, verb, .. } => {
                Self { run: Some(*run), ..act(verb.as_str(), name) }
            }
            Request::Pause { scope, .. } => Self::of_scope("pause", scope),
            Request::Resume { scope, .. } => Self::of_scope("resume", scope),
            Request::SkipAhead { name, .. } => act("skipAhead", name),
            Request::UnskipAhead { name, .. } => act("unskipAhead", name),
            Request::Backfill(draft) => act("backfill", &draft.name),
            Request::CancelBackfill { name, .. } => act("cancelBackfill", name),
            Request::CutBacklog { filter, .. } => {
                let names = filter.names.iter().flatten().map(JobName::to_string);
                several("cutBacklog", names.collect())
            }
            Request::LiftQuarantine { name, .. } => act("liftQuarantine", name),
            Request::TrustClock { .. } => several("trustClock", Vec::new()),
            Request::AcknowledgeIncident { .. } => several("acknowledge", Vec::new()),
            Request::Silence { subject, .. } => several("silence", jobs_of(subject)),
            Request::EndSilence { subject, .. } => several("endSilence", jobs_of(subject)),
            Request::RetryNotification { .. } => several("retryNotification", Vec::new()),
            Request::KillJob { name, .. } => act("kill", name),
            Request::MarkSuccess { name } => act("markSuccess", name),
            Request::Progress { name, .. } => act("progress", name),
            Request::ClearQueue => several("clearQueue", Vec::new()),
            Request::CompleteTask { task_id, .. } => {
                // The fourth part of the id. What follows are arguments, which are values.
                let job = task_id.as_str().split(':').nth(3);
                several("completeTask", job.map(str::to_owned).into_iter().collect())
            }
            Request::CutOver { names, at: _ } => {
                let names = names.iter().flatten().map(JobName::to_string);
                several("cutOver", names.collect())
            }
            Request::Apply { drafts, dialect: _, terms } => {
                let names = drafts.iter().map(|draft| &draft.name).chain(removed(terms));
                several("apply", names.map(JobName::to_string).collect())
            }
            Request::IfMatch { request, .. } | Request::Once { request, .. } => Self::of(request),
            Request::DryRun(request) => Self { is_dry: true, ..Self::of(request) },
        }
    }
}

/// The jobs that are deleted where several are stored.
fn removed(terms: &ApplyTerms) -> impl Iterator<Item = &JobName> {
    terms.source.iter().flat_map(|source| &source.removed)
}

fn jobs_of(subject: &Subject) -> Vec<String> {
    match subject {
        Subject::Job(name) => vec![name.to_string()],
        Subject::Incident(_) => Vec::new(),
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

impl Desk {
    /// Hands a request to the loop if all that it concerns is in scope; the answer is durable and recorded when it comes.
    ///
    /// It goes on when the client goes away, so that whatever is done is recorded.
    pub(crate) async fn submit(&self, request: Request) -> Result<Reply, ApiError> {
        let act = Act::of(&request);
        if let Err(refusal) = self.judge(&request) {
            // What is forbidden the front records.
            if refusal.status() != StatusCode::FORBIDDEN {
                self.record_out_of_scope(&act, refusal.status()).await;
            }
            return Err(refusal);
        }
        // As if nobody knew the task.
        if !self.may_speak_for(&request) {
            self.record_out_of_scope(&act, StatusCode::NO_CONTENT).await;
            return Ok(Reply::Completed { is_known: false });
        }
        let request = self.conditions.apply(request, &self.caller)?;
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
                let write = move |audit: &Audit| match record.outcome {
                    // What was not done needs no more than to be told, and not for ever.
                    Outcome::Refused { .. } => audit.record_refusal(&record),
                    Outcome::Done | Outcome::Unknown => {
                        record.split().iter().for_each(|it| audit.record(it));
                    }
                };
                desk.blocking(write).await;
            }
            reply
        };
        let reply = tokio::spawn(work).await.map_err(|error| {
            ApiError::internal("what became of the request is not known", error.to_string())
        })?;
        Ok(self.without_strangers(reply?))
    }

    /// The answer to this request if it is one that was carried out before, or the refusal if its key was used for
    /// another. For what depends on things that may have gone since: the request itself is answered in the loop, as any.
    pub(crate) fn repeated(&self) -> Option<Reply> {
        self.door.backend.repeated(&self.conditions.key_of(&self.caller)?)
    }

    /// The same of a request that would store `name`, on record as any repetition.
    pub(crate) async fn repeated_put(&self, name: &JobName) -> Option<Result<Reply, ApiError>> {
        let reply = match self.repeated()? {
            reply @ (Reply::Stored { .. } | Reply::Refused(_)) => reply,
            // That was another request; the loop says so.
            Reply::Deleted { .. }
            | Reply::Triggered { .. }
            | Reply::Stopping { .. }
            | Reply::Marked { .. }
            | Reply::QueueCleared
            | Reply::Completed { .. }
            | Reply::Progressed { .. }
            | Reply::CutOver { .. }
            | Reply::Applied { .. }
            | Reply::Operated { .. }
            | Reply::Paused { .. }
            | Reply::SkippedAhead { .. }
            | Reply::Backfilled { .. }
            | Reply::Dropped { .. }
            | Reply::Done
            | Reply::ApplyRefused(_) => return None,
        };
        if self.in_scope(name).is_none() {
            return Some(Err(self.not_in_scope(name)));
        }
        let act = Act::of_several("put", vec![name.to_string()]);
        let record = self.record_of(&act, &Ok(reply.clone()));
        self.blocking(move |audit| audit.record(&record)).await;
        Some(Ok(reply))
    }

    /// One run of a job in scope, about which the caller wants something done. That of another is as if it were not there,
    /// and on record.
    pub(crate) async fn run_to_operate(
        &self,
        id: RunId,
        verb: RunVerb,
        by: &Intervention,
    ) -> Result<Option<Run>, String> {
        let Some(run) = self.door.backend.run(id).await? else { return Ok(None) };
        if self.in_scope(&run.job).is_some() {
            return Ok(Some(run));
        }
        let (name, by) = (run.job, by.clone());
        let act = Act::of(&Request::OperateRun { name, run: id, verb, past: None, by });
        self.record_out_of_scope(&act, StatusCode::NOT_FOUND).await;
        Ok(None)
    }

    /// Whether the client says what the job must be.
    pub(crate) fn has_condition(&self) -> bool {
        self.conditions.expects_something()
    }

    /// Records that something out of scope was asked for, and as what it was answered.
    async fn record_out_of_scope(&self, act: &Act, status: StatusCode) {
        let outcome = Outcome::Refused { status: status.as_u16(), code: "out_of_scope" };
        let record = Record { outcome, ..self.record(act) };
        self.blocking(move |audit| audit.record_refusal(&record)).await;
    }

    /// Whether the caller may touch all that a request would change.
    fn judge(&self, request: &Request) -> Result<(), ApiError> {
        let scope = match &self.caller.scope {
            Scope::All => return Ok(()),
            scope @ Scope::Only(_) => scope,
        };
        match request {
            Request::PutJob { draft, dialect: _ } => self.judge_draft(scope, draft),
            Request::Apply { drafts, dialect: _, terms } => {
                drafts.iter().try_for_each(|draft| self.judge_draft(scope, draft))?;
                let source = terms.source.iter();
                let mut gone = source.flat_map(|source| &source.gone);
                gone.try_for_each(|name| self.judge_name(scope, name))?;
                removed(terms).try_for_each(|name| self.judge_deletion(scope, name))
            }
            Request::DeleteJob { name, .. } => self.judge_deletion(scope, name),
            Request::OperateRun { name, .. }
            | Request::SkipAhead { name, .. }
            | Request::UnskipAhead { name, .. }
            | Request::CancelBackfill { name, .. }
            | Request::LiftQuarantine { name, .. } => self.judge_name(scope, name),
            Request::Backfill(draft) => self.judge_name(scope, &draft.name),
            Request::Pause { scope: of, .. } | Request::Resume { scope: of, .. } => match of {
                PauseScope::Job(name) => self.judge_name(scope, name),
                PauseScope::Subtree(name) => {
                    self.judge_name(scope, name)?;
                    self.judge_below(scope, name)
                }
                PauseScope::Everything => self.everything(),
            },
            Request::CutBacklog { filter, .. } => match &filter.names {
                Some(names) => names.iter().try_for_each(|name| self.judge_name(scope, name)),
                None => self.everything(),
            },
            Request::TrustClock { .. } | Request::RetryNotification { .. } => self.everything(),
            Request::AcknowledgeIncident { id, .. } => self.judge_incident(scope, *id),
            Request::Silence { subject, .. } | Request::EndSilence { subject, .. } => match subject
            {
                Subject::Job(name) => self.judge_name(scope, name),
                Subject::Incident(id) => self.judge_incident(scope, *id),
            },
            Request::RunJob { name, .. }
            | Request::KillJob { name, .. }
            | Request::MarkSuccess { name }
            | Request::Progress { name, .. } => self.judge_name(scope, name),
            Request::CutOver { names: Some(names), at: _ } => {
                names.iter().try_for_each(|name| self.judge_name(scope, name))
            }
            Request::CutOver { names: None, at: _ } | Request::ClearQueue => self.everything(),
            // Whose task it is shows when it is looked for.
            Request::CompleteTask { .. } => Ok(()),
            Request::IfMatch { request, .. }
            | Request::Once { request, .. }
            | Request::DryRun(request) => self.judge(request),
        }
    }

    fn judge_deletion(&self, scope: &Scope, name: &JobName) -> Result<(), ApiError> {
        self.judge_name(scope, name)?;
        // Children get another schedule or lose a parent: they change with it.
        if self.relatives(name).iter().any(|child| !scope.covers(child)) {
            let message = format!("jobs that you may not change run after `{name}`");
            return Err(ApiError::forbidden("children_out_of_scope", message)
                .remedy("ask somebody who may change them"));
        }
        Ok(())
    }

    fn judge_name(&self, scope: &Scope, name: &JobName) -> Result<(), ApiError> {
        if scope.covers(name) { Ok(()) } else { Err(self.not_in_scope(name)) }
    }

    /// Whether the caller may touch everything that follows from a job.
    fn judge_below(&self, scope: &Scope, name: &JobName) -> Result<(), ApiError> {
        let mut children: BTreeMap<JobName, Vec<JobName>> = BTreeMap::new();
        for brief in self.all_jobs() {
            if let When::Parents(terms) = &brief.job.when {
                for parent in &terms.names {
                    children.entry(parent.clone()).or_default().push(brief.job.name.clone());
                }
            }
        }
        let mut open = vec![name.clone()];
        while let Some(next) = open.pop() {
            // Each only once: its own children go with it.
            for child in children.remove(&next).unwrap_or_default() {
                if !scope.covers(&child) {
                    let message = format!("jobs that you may not change follow from `{name}`");
                    return Err(ApiError::forbidden("children_out_of_scope", message)
                        .remedy("name a job further down, or ask somebody who may change them"));
                }
                open.push(child);
            }
        }
        Ok(())
    }

    fn judge_draft(&self, scope: &Scope, draft: &JobDraft) -> Result<(), ApiError> {
        if !scope.covers(&draft.name) {
            return Err(self.not_in_scope(&draft.name).remedy(format!(
                "your credentials cover {}: give the job such a name",
                told(scope)
            )));
        }
        let When::Parents(terms) = &draft.when else { return Ok(()) };
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

    /// Whether the caller may say how the task ended that the request is about.
    fn may_speak_for(&self, request: &Request) -> bool {
        match (&self.caller.scope, request) {
            (scope @ Scope::Only(_), Request::CompleteTask { task_id, .. }) => {
                let job = self.door.backend.job_of_task(task_id);
                job.is_some_and(|job| scope.covers(&job))
            }
            (Scope::All | Scope::Only(_), _) => true,
        }
    }

    /// Every job, whoever may see it.
    fn all_jobs(&self) -> impl Iterator<Item = JobBrief> {
        const AT_ONCE: usize = 1_000;
        let mut after = None;
        std::iter::from_fn(move || {
            let page = self.door.backend.briefs_after(after, AT_ONCE);
            after = page.last().map(|brief| brief.incarnation).or(after);
            (!page.is_empty()).then_some(page)
        })
        .flatten()
    }

    /// As a job that is not there is answered for.
    fn not_in_scope(&self, name: &JobName) -> ApiError {
        jobs::unknown_job(name.as_str())
    }

    /// The children of a job.
    fn relatives(&self, name: &JobName) -> Vec<JobName> {
        let is_child = |brief: &JobBrief| match &brief.job.when {
            When::Parents(terms) => terms.names.contains(name),
            When::Schedule(_) => false,
        };
        self.all_jobs().filter(is_child).map(|brief| brief.job.name.clone()).collect()
    }

    /// The reply without sentences about jobs that the caller may not see.
    fn without_strangers(&self, mut reply: Reply) -> Reply {
        let Scope::Only(_) = &self.caller.scope else { return reply };
        // Only names that occur are looked for: there may be many strangers, and most replies name none.
        let is_stranger = |text: &str| {
            JobName::parse(text, NameRule::Blanks).is_ok_and(|name| {
                !self.caller.scope.covers(&name) && self.door.backend.job(&name).is_some()
            })
        };
        let names_one = |sentence: &str| {
            // What stands between two back-ticks.
            let mut parts = sentence.split('`').skip(1).peekable();
            std::iter::from_fn(|| parts.next().filter(|_| parts.peek().is_some())).any(is_stranger)
        };
        let hide = |rejection: &mut Rejection| {
            if names_one(&rejection.message) {
                "jobs that you may not see are in the way".clone_into(&mut rejection.message);
                rejection.remedy.clear();
            }
        };
        match &mut reply {
            Reply::Stored { consequences, .. } | Reply::Deleted { consequences } => {
                consequences.retain(|sentence| !names_one(sentence));
            }
            Reply::Applied { jobs } => {
                for job in jobs {
                    job.consequences.retain(|sentence| !names_one(sentence));
                }
            }
            Reply::Refused(rejection) => hide(rejection),
            Reply::ApplyRefused(refused) => {
                refused.iter_mut().for_each(|(_, rejection)| hide(rejection));
            }
            Reply::Triggered { .. }
            | Reply::Stopping { .. }
            | Reply::Marked { .. }
            | Reply::QueueCleared
            | Reply::Completed { .. }
            | Reply::Progressed { .. }
            | Reply::Operated { .. }
            | Reply::Paused { .. }
            | Reply::SkippedAhead { .. }
            | Reply::Backfilled { .. }
            | Reply::Dropped { .. }
            | Reply::Done
            | Reply::CutOver { .. } => {}
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
            run: act.run.map(|run| run.to_string()),
            reason: act.reason.clone(),
            request: Some(self.asked.id),
            has_key: self.conditions.has_key(),
            ..Record::default()
        }
    }

    fn record_of(&self, act: &Act, reply: &Result<Reply, Unavailable>) -> Record {
        let record = self.record(act);
        match reply {
            Ok(Reply::Stored { created, version, .. }) => Record {
                detail: if *created { "created" } else { "replaced" }.to_owned(),
                revision: Some(version.revision),
                ..record
            },
            Ok(Reply::Deleted { consequences }) => Record {
                detail: match consequences.len() {
                    0 => String::new(),
                    count => format!("told of {count} consequences"),
                },
                ..record
            },
            Ok(Reply::Triggered { run } | Reply::Marked { run }) => {
                Record { run: Some(run.to_string()), ..record }
            }
            Ok(Reply::Stopping { count }) => Record { detail: format!("{count} runs"), ..record },
            Ok(Reply::Refused(rejection)) => {
                let refused = Outcome::Refused {
                    status: ApiError::rejected(rejection.clone()).status().as_u16(),
                    code: rejection.code.as_str(),
                };
                Record { outcome: refused, ..record }
            }
            Ok(Reply::ApplyRefused(refused)) => Record {
                outcome: Outcome::Refused { status: 400, code: "invalid_field" },
                detail: format!("{} jobs refused", refused.len()),
                ..record
            },
            Ok(Reply::Applied { jobs }) => Record {
                detail: format!("{} jobs", jobs.len()),
                jobs: jobs.iter().map(|job| job.name.to_string()).collect(),
                ..record
            },
            Ok(Reply::CutOver { at, names, .. }) => Record {
                detail: format!("{} jobs from {at} on", names.len()),
                jobs: names.iter().map(JobName::to_string).collect(),
                ..record
            },
            Ok(Reply::Operated { run: _, became }) => {
                let detail = match became {
                    Became::Stopping => "it is being stopped".to_owned(),
                    Became::Ended(verdict) => verdict.as_str().to_owned(),
                    Became::TriedAgain => "its next attempt is due".to_owned(),
                    Became::Followed { by } => format!("run {by} follows it"),
                };
                Record { detail, ..record }
            }
            Ok(Reply::Paused { names }) => {
                Record { jobs: names.iter().map(JobName::to_string).collect(), ..record }
            }
            Ok(Reply::SkippedAhead { due_at }) => {
                Record { detail: format!("due {due_at:.3}"), ..record }
            }
            Ok(Reply::Backfilled { id }) => Record { detail: format!("backfill {id}"), ..record },
            Ok(Reply::Dropped { count, left: _ }) => {
                Record { detail: format!("{count} dropped"), ..record }
            }
            Ok(Reply::Completed { is_known: false }) => {
                Record { detail: "no live run has such a task".to_owned(), ..record }
            }
            Ok(
                Reply::Completed { is_known: true }
                | Reply::Progressed { .. }
                | Reply::Done
                | Reply::QueueCleared,
            ) => record,
            Err(Unavailable { .. }) => Record { outcome: Outcome::Unknown, ..record },
        }
    }

    /// Does something with the audit log, if there is one, on a thread that may wait for the disk.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Audit) -> T + Send + 'static,
    ) -> Option<T> {
        let audit = self.asked.audit.clone()?;
        tokio::task::spawn_blocking(move || work(&audit)).await.ok()
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
}
