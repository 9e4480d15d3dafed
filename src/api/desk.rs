//! What a handler has in front of it: the program as this caller may see it, through this prefix.
//!
//! The port [`Backend`] is private to this module, so no handler reaches past the caller's scope, and nothing is changed
//! through the API without a record of who did it.
//!
//! What is out of scope is not there: it is "not found" in every answer, and counted nowhere.

mod alerting;
mod calculations;
mod changes;
mod explain;
mod operations;
mod pages;
mod records;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::access::{Caller, Scope};
use super::backend::{
    Almanac, Backend, HistoryFilter, Info, JobView, NewestRuns, Piece, RevisionId, RevisionView,
    RoundView, SandboxFile, Stream,
};
use super::brief::JobBrief;
use super::conditions::Conditions;
use super::content::{self, BodyLimits};
use super::credential::Admission;
use super::edge::front::Exchange;
use super::error::ApiError;
use super::listener::{Listener, Seat};
use crate::engine::forecast::Plan;
use crate::metrics::{Figures, Levels, Metrics};
use crate::model::{
    Ask, Dialect, Duration, HistoryEntry, Incarnation, Intervention, JobName, Run, RunId, When,
};
use crate::web::Site;

pub(crate) use calculations::Place;
use calculations::{Calculations, Callers};
use changes::Asked;

/// One prefix and what is behind it.
#[derive(Clone)]
pub(crate) struct Door {
    backend: Arc<dyn Backend>,
    dialect: Dialect,
    calculations: Arc<Calculations>,
    /// A place for everybody whose long body is read.
    readings: Arc<Semaphore>,
    /// A place for everybody who listens to the feed.
    listeners: Arc<Semaphore>,
    /// A place for everybody who follows what a run writes.
    followers: Arc<Semaphore>,
    /// A place for everything that is put together for a page.
    pages: Arc<Semaphore>,
    /// The web page, which no desk stands in front of: it is nobody's.
    site: Arc<Site>,
    /// Who has places of these two kinds.
    listening: Callers,
    following: Callers,
}

/// Who may listen to the feed at one time. Each holds a connection for as long as it likes, and the others need some.
const LISTENERS_MAX: usize = 256;
/// Who may follow what runs write at one time, for the same reason.
const FOLLOWERS_MAX: usize = 256;
/// How many of either one caller may have who is told apart from others. A console listens once in each window.
const OF_ONE_CALLER_MAX: usize = 64;
/// When somebody for whom there was no place should come back, in seconds.
const LISTENERS_RETRY_SECS: u32 = 30;

/// Long bodies that are read at one time; others wait. A hostile one takes a core for a good part of a second.
const READINGS_MAX: usize = 2;
/// Bytes of a body that is read at once. No more than a few regular expressions fit into it; what is longer is read on a
/// thread that holds up nobody.
const READ_AT_ONCE_MAX: usize = 512;

impl Door {
    /// The doors of both dialects.
    pub(super) fn both(backend: &Arc<dyn Backend>, site: Site) -> [Self; 2] {
        let site = Arc::new(site);
        let calculations = Arc::new(Calculations::default());
        let readings = Arc::new(Semaphore::new(READINGS_MAX));
        let listeners = Arc::new(Semaphore::new(LISTENERS_MAX));
        let followers = Arc::new(Semaphore::new(FOLLOWERS_MAX));
        let pages = Arc::new(Semaphore::new(pages::PAGES_MAX));
        let (listening, following) = (Callers::default(), Callers::default());
        [Dialect::V0, Dialect::V1].map(|dialect| Self {
            backend: Arc::clone(backend),
            dialect,
            calculations: Arc::clone(&calculations),
            readings: Arc::clone(&readings),
            listeners: Arc::clone(&listeners),
            followers: Arc::clone(&followers),
            pages: Arc::clone(&pages),
            site: Arc::clone(&site),
            listening: listening.clone(),
            following: following.clone(),
        })
    }
}

impl FromRef<Door> for Arc<Site> {
    fn from_ref(door: &Door) -> Self {
        Self::clone(&door.site)
    }
}

/// Jobs looked at in one go by what lists all of them in brief: a lock is held that long.
const BRIEFS_PER_PAGE: usize = 1_024;

/// Some of many, with what the others follow.
pub(crate) struct Page<T, Cursor> {
    /// Those in scope: perhaps none, although there are more.
    pub(crate) items: Vec<T>,
    /// What the next page follows; `None` if this one is behind the last.
    pub(crate) next: Option<Cursor>,
}

/// What one request may see and do.
#[derive(Clone)]
pub(crate) struct Desk {
    door: Door,
    /// The dialect of the prefix.
    pub(crate) dialect: Dialect,
    /// Who asks.
    pub(crate) caller: Caller,
    conditions: Conditions,
    admission: Admission,
    /// With which request.
    asked: Arc<Asked>,
}

impl FromRequestParts<Door> for Desk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, ApiError> {
        let exchange = parts.extensions.get::<Exchange>();
        let exchange = exchange.expect("the front gives every request its exchange");
        let conditions = if parts.method.is_safe() {
            Conditions::default()
        } else {
            let original = parts.extensions.get::<OriginalUri>();
            let uri = original.map_or(&parts.uri, |original| &original.0);
            Conditions::read(&parts.method, uri, &parts.headers)?
        };
        Ok(Self {
            dialect: door.dialect,
            door: door.clone(),
            caller: exchange.caller.clone(),
            conditions,
            admission: exchange.admission.clone(),
            asked: Arc::new(Asked::read(parts, exchange)),
        })
    }
}

impl Desk {
    /// Reads the body, as [`content::read_json`]. There is no other way to it, so that what is sent under a key is known
    /// whole.
    pub(crate) async fn read_json(
        &self,
        headers: &HeaderMap,
        body: Body,
        limits: BodyLimits,
    ) -> Result<Bytes, ApiError> {
        let body = content::read_json(headers, body, limits).await?;
        self.conditions.note_body(&body);
        Ok(body)
    }

    /// The jobs in scope among those that follow `after` in the order of names; where there are more, the page says
    /// from where on.
    pub(crate) fn jobs_after(
        &self,
        after: Option<&JobName>,
        limit: usize,
    ) -> Page<JobView, JobName> {
        let mut items = self.door.backend.jobs_after(after, limit);
        let next = items.last().map(|view| view.record.job.name.clone());
        items.retain(|view| self.caller.scope.covers(&view.record.job.name));
        let items = items.into_iter().map(|view| self.without_strange_parents(view)).collect();
        Page { items, next }
    }

    /// The same in the order of creation, in brief.
    pub(crate) fn briefs_after(
        &self,
        after: Option<Incarnation>,
        limit: usize,
    ) -> Page<JobBrief, Incarnation> {
        let mut items = self.door.backend.briefs_after(after, limit);
        let next = items.last().map(|brief| brief.incarnation);
        items.retain(|brief| self.caller.scope.covers(&brief.job.name));
        Page { items, next }
    }

    /// All jobs in scope in brief, in the order of creation, page after page.
    pub(crate) fn briefs(&self) -> impl Iterator<Item = Vec<JobBrief>> + Send + 'static {
        let desk = self.clone();
        let mut after = None;
        std::iter::from_fn(move || {
            let Page { items, next } = desk.briefs_after(after, BRIEFS_PER_PAGE);
            after = next;
            next.map(|_| items)
        })
        .fuse()
    }

    /// One job. What is out of scope is not there.
    pub(crate) fn job(&self, name: &JobName) -> Option<JobView> {
        self.in_scope(name)?;
        self.door.backend.job(name).map(|view| self.without_strange_parents(view))
    }

    /// The view with a sentence that says nothing of parents out of scope, but that there are some.
    fn without_strange_parents(&self, view: JobView) -> JobView {
        let scope = &self.caller.scope;
        let When::Parents(_) = &view.record.job.when else { return view };
        if *scope == Scope::All {
            return view;
        }
        let round = self.door.backend.round(&view.record.job.name, scope);
        let standing = round.and_then(|round| round.standing);
        JobView { waits_for: standing.map(|standing| standing.message), ..view }
    }

    /// A run that the caller asks for, with these arguments.
    pub(crate) fn ask(&self, arguments: Option<String>) -> Ask {
        Ask { by: Some(self.intervention(String::new())), ..Ask::with_arguments(arguments) }
    }

    /// What the caller does, now, for `reason`.
    pub(crate) fn intervention(&self, reason: String) -> Intervention {
        let by = self.caller.name.to_string();
        Intervention { by, at: self.almanac().now, reason }
    }

    /// Whether the caller may still ask, who was let in when the request began.
    pub(crate) fn is_still_admitted(&self) -> bool {
        self.admission.holds()
    }

    /// Whether callers need credentials here.
    pub(crate) fn needs_credentials(&self) -> bool {
        self.admission.needs_credentials()
    }

    /// How long ago the loop turned last.
    pub(crate) fn still_for(&self) -> Duration {
        self.door.backend.still_for()
    }

    /// How far the parents of one job are.
    pub(crate) fn round(&self, job: &JobName) -> Option<RoundView> {
        self.in_scope(job)?;
        let mut round = self.door.backend.round(job, &self.caller.scope)?;
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

    /// The newest run of each of these names, as [`Backend::newest_runs`]. The jobs are such as [`Self::briefs`] gave.
    pub(crate) async fn newest_runs(&self, jobs: Vec<JobName>) -> Result<NewestRuns, String> {
        self.door.backend.newest_runs(jobs).await
    }

    /// The files of an attempt, as [`super::backend::Sandboxes::files`]. The run is one that [`Self::run`] gave.
    pub(crate) fn files(
        &self,
        run: RunId,
        attempt: u32,
        directory: String,
    ) -> BoxFuture<'_, io::Result<Vec<SandboxFile>>> {
        self.door.backend.files(run, attempt, directory)
    }

    /// Part of a file of an attempt, as [`super::backend::Sandboxes::file`]. The run is one that [`Self::run`] gave.
    pub(crate) fn file(
        &self,
        run: RunId,
        attempt: u32,
        path: String,
        position: u64,
        max: usize,
    ) -> BoxFuture<'_, io::Result<Piece>> {
        self.door.backend.file(run, attempt, path, position, max)
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

    /// How long the newest successes of a job took, as [`Backend::took`]. The job is one that [`Self::job`] gave.
    pub(crate) async fn took(&self, job: Incarnation) -> Result<Figures, String> {
        self.door.backend.took(job).await
    }

    /// The same of all jobs; who is in scope is told by [`Self::briefs`] alone.
    pub(crate) async fn took_by_all(&self) -> Result<BTreeMap<Incarnation, Figures>, String> {
        self.door.backend.took_by_all().await
    }

    /// How many tasks are listed with the figures of a job.
    pub(crate) fn job_history_limit(&self) -> usize {
        self.door.backend.job_history_limit()
    }

    /// Who leads, if anybody does.
    pub(crate) fn leader(&self) -> Option<String> {
        self.door.backend.leader()
    }

    /// What there is at the moment, of all jobs: numbers name no job.
    pub(crate) fn levels(&self) -> Levels {
        self.door.backend.levels()
    }

    /// What is counted and measured, of all jobs.
    pub(crate) fn metrics(&self) -> Arc<Metrics> {
        self.door.backend.metrics()
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

    /// The definitions of one name, as [`Backend::revisions`]. What is out of scope never had any.
    pub(crate) async fn revisions(
        &self,
        job: &JobName,
        before: Option<RevisionId>,
        limit: usize,
    ) -> Result<Vec<RevisionView>, String> {
        match self.in_scope(job) {
            Some(()) => self.door.backend.revisions(job, before, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// A place at the feed, if one is left.
    pub(crate) fn listen(&self) -> Result<Listener, ApiError> {
        let Door { listeners, listening, .. } = &self.door;
        self.listener((listeners, LISTENERS_MAX), listening, "too_many_listeners", "listening")
    }

    /// A place for who follows what a run writes, if one is left: hears what becomes of it.
    pub(crate) fn follow_output(&self) -> Result<Listener, ApiError> {
        let Door { followers, following, .. } = &self.door;
        let doing = "following output";
        self.listener((followers, FOLLOWERS_MAX), following, "too_many_followers", doing)
    }

    fn listener(
        &self,
        (places, most): (&Arc<Semaphore>, usize),
        callers: &Callers,
        code: &'static str,
        doing: &'static str,
    ) -> Result<Listener, ApiError> {
        let refused = |status, who: String, remedy: &str| {
            ApiError::new(status, code, format!("{who} are {doing} already"))
                .remedy(format!("{remedy}try again in {LISTENERS_RETRY_SECS} s"))
                .header(RETRY_AFTER, HeaderValue::from(LISTENERS_RETRY_SECS))
        };
        // Who is not told apart from others cannot be kept from taking their places.
        let place = if self.caller.is_anonymous() {
            None
        } else {
            let place = callers.take(&self.caller.name, OF_ONE_CALLER_MAX).ok_or_else(|| {
                let who = format!("{OF_ONE_CALLER_MAX} clients of yours");
                refused(StatusCode::TOO_MANY_REQUESTS, who, "end one of them, or ")
            })?;
            Some(place)
        };
        let permit = Arc::clone(places)
            .try_acquire_owned()
            .map_err(|_| refused(StatusCode::SERVICE_UNAVAILABLE, format!("{most} others"), ""))?;
        let seat = Seat { _permit: permit, _place: place };
        let scope = self.caller.scope.clone();
        Ok(Listener::new(self.door.backend.feed(), scope, Some(seat)))
    }

    /// Nothing, if the caller may not see a job of that name.
    pub(crate) fn in_scope(&self, name: &JobName) -> Option<()> {
        self.caller.scope.covers(name).then_some(())
    }

    /// Calculates what clients of Chronos read, on a thread that may take its time.
    pub(crate) async fn calculate<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        aside(self.door.calculations.read().await?, work).await
    }

    /// Calculates what is to come. It may take a second, so nobody may ask for many at a time, and nobody who reads waits
    /// for it.
    pub(crate) async fn foretell<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        aside(self.door.calculations.foretell(&self.caller.name).await?, work).await
    }

    /// Reads a body of so many bytes, a long one on such a thread too.
    pub(crate) async fn read_body<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        if bytes <= READ_AT_ONCE_MAX {
            return Ok(work());
        }
        let permit = Arc::clone(&self.door.readings).acquire_owned().await;
        aside(permit.map_err(|error| not_calculated(&error))?, work).await
    }
}

/// Does the work on a thread of its own. The thread has the place: it goes on when the client has gone.
async fn aside<T: Send + 'static, Place: Send + 'static>(
    place: Place,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let work = move || {
        let found = work();
        drop(place);
        found
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| not_calculated(&error))
}

fn not_calculated(error: &dyn std::error::Error) -> ApiError {
    ApiError::internal("the request could not be calculated", error.to_string())
}
