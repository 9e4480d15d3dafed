//! `P/timeline`: what jobs have done and will do, each in a lane of its own.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::{Value, json};

use super::overview::{self, FINDING};
use super::runs::unreadable;
use crate::api::backend::{Lane, LanesWanted, OverviewJob, OverviewPage, OverviewWanted};
use crate::api::chronos::jobs;
use crate::api::error::ApiError;
use crate::api::query::{Query, invalid};
use crate::api::{Desk, json_response, print};
use crate::engine::forecast::Plan;
use crate::model::{Duration, HistoryEntry, JobName, NameRule, Timestamp};
use crate::schedule::Opening;

/// Lanes when the client does not say.
const LANES_DEFAULT: usize = 40;
/// Lanes at most.
const LANES_MAX: usize = 100;
/// Jobs looked at for lanes in which something is.
const LOOKED_AT_MAX: usize = 2_000;
/// Runs and stretches of a lane at most, the newest.
const ENTRIES_MAX: usize = 300;
/// Starts to come of a lane at most, the earliest.
const AHEAD_MAX: usize = 300;
/// How far it reaches to either side of now when the client does not say.
const SIDE_DEFAULT: Duration = Duration::from_hours(12);
/// How far it reaches at most.
const SPAN_MAX: Duration = Duration::from_hours(62 * 24);

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
}

/// `GET P/timeline?from=&to=&job=&busy=&search=&state=&owner=&sort=&desc=&offset=&limit=`.
pub(crate) async fn show(desk: Desk, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let known = [FINDING.as_slice(), &["from", "to", "job", "busy", "offset", "limit"]].concat();
    let query = Query::parse_known(query.as_deref(), &known)?;
    let window = Window::read(&query, desk.almanac().now)?;
    let limit = query.within("limit", 0..=LANES_MAX)?.unwrap_or(LANES_DEFAULT);
    let is_busy = query.flag("busy")?.unwrap_or(false);
    let job = query.get("job").map(|text| known_job(&desk, text)).transpose()?;
    let looked_at = if is_busy && limit > 0 { LOOKED_AT_MAX } else { limit };
    let wanted = OverviewWanted { job, ..overview::wanted(&query, looked_at)? };
    let offset = wanted.offset;
    let OverviewPage { total, counts: _, mut jobs } = desk.overview(wanted).await?;
    let mut passed = jobs.len();
    if is_busy {
        (passed, jobs) = busy(&desk, jobs, window, limit).await?;
    }
    let next = offset.saturating_add(passed);
    let next = (next < total && limit > 0).then_some(next);
    let lanes = lanes(&desk, jobs, window).await?;
    Ok(json_response(&json!({
        "from": print::instant(window.from),
        "to": print::instant(window.to),
        "now": print::instant(window.now),
        "total": total,
        "next": next,
        "lanes": lanes,
    })))
}

impl Window {
    fn read(query: &Query, now: Timestamp) -> Result<Self, ApiError> {
        let after = |at: Timestamp, span| at.saturating_add(span).unwrap_or(Timestamp::MAX);
        let before = |at: Timestamp, span| at.saturating_sub(span).unwrap_or(Timestamp::MIN);
        let (from, to) = match (query.instant("from")?, query.instant("to")?) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, after(from, SIDE_DEFAULT * 2)),
            (None, Some(to)) => (before(to, SIDE_DEFAULT * 2), to),
            (None, None) => (before(now, SIDE_DEFAULT), after(now, SIDE_DEFAULT)),
        };
        if to <= from || to > after(from, SPAN_MAX) {
            let found = query.get("to").unwrap_or_default();
            let expected = format!(
                "an instant after `from`, which is {}, and within 62 days of it",
                print::instant(from)
            );
            return Err(invalid("to", found, &expected));
        }
        Ok(Self { from, to, now })
    }

    /// What is to come in it of a job.
    fn ahead(self, plan: &Plan) -> impl Iterator<Item = Opening> {
        plan.openings(self.from.max(self.now), self.to)
    }
}

fn known_job(desk: &Desk, text: &str) -> Result<JobName, ApiError> {
    let name = JobName::parse(text, NameRule::Blanks).ok();
    let name = name.filter(|name| desk.job(name).is_some());
    name.ok_or_else(|| jobs::unknown_job(text))
}

/// The first `limit` of these jobs of which something is in the window, and how many were passed up to the last.
async fn busy(
    desk: &Desk,
    jobs: Vec<OverviewJob>,
    window: Window,
    limit: usize,
) -> Result<(usize, Vec<OverviewJob>), ApiError> {
    let names = jobs.iter().map(|job| job.job.name.clone()).collect();
    let was = desk.are_busy(names, (window.from, window.to)).await.map_err(unreadable)?;
    let of = desk.clone();
    desk.put_together(move || {
        let will_be = |job: &OverviewJob| {
            let plans = of.plans(Some(&job.job.name));
            plans.iter().any(|plan| window.ahead(plan).next().is_some())
        };
        let mut passed = 0;
        let mut found = Vec::new();
        for (job, was) in jobs.into_iter().zip(was) {
            if found.len() == limit {
                break;
            }
            passed += 1;
            if was || will_be(&job) {
                found.push(job);
            }
        }
        (passed, found)
    })
    .await
}

/// What there is of each of these jobs.
async fn lanes(desk: &Desk, jobs: Vec<OverviewJob>, window: Window) -> Result<Value, ApiError> {
    let names = jobs.iter().map(|job| (job.job.name.clone(), job.incarnation)).collect();
    let Window { from, to, now: _ } = window;
    let wanted = LanesWanted { jobs: names, from, to, limit: ENTRIES_MAX };
    let found = desk.lanes(wanted).await.map_err(unreadable)?;
    let of = desk.clone();
    desk.put_together(move || {
        let lanes = jobs.iter().zip(&found);
        lanes.map(|(job, lane)| print_lane(&of, job, lane, window)).collect()
    })
    .await
}

fn print_lane(desk: &Desk, job: &OverviewJob, lane: &Lane, window: Window) -> Value {
    let Lane { entries, more, typical } = lane;
    let (mut runs, mut stretches) = (Vec::new(), Vec::new());
    for entry in entries.iter().rev() {
        match entry {
            HistoryEntry::Run(run) => {
                let ended = overview::ended(run);
                runs.push(json!({
                    "run": run.id.to_string(),
                    "state": print::state_word(&run.state),
                    "verdict": ended.map(|(verdict, _)| verdict.as_str()),
                    "why": run.trigger.as_str(),
                    "dueAt": print::instant(run.trigger.due_at()),
                    "startedAt": run.started_at().map(print::instant),
                    "endedAt": ended.map(|(_, at)| print::instant(at)),
                    "createdAt": print::instant(run.created_at),
                }));
            }
            HistoryEntry::Stretch(stretch) => stretches.push(json!({
                "verdict": stretch.verdict.as_str(),
                "firstDueAt": print::instant(stretch.first_due_at),
                "lastDueAt": print::instant(stretch.last_due_at),
                "count": stretch.count,
            })),
        }
    }
    let plans = desk.plans(Some(&job.job.name));
    let openings = plans.iter().flat_map(|plan| window.ahead(plan)).take(AHEAD_MAX + 1);
    let openings: Vec<Opening> = openings.collect();
    let ahead = openings.iter().take(AHEAD_MAX).map(|Opening { due_at, opens_at }| {
        json!({"dueAt": print::instant(*due_at), "opensAt": print::instant(*opens_at)})
    });
    json!({
        "job": job.job.name.as_str(),
        "words": overview::words(job, &desk.caller.scope),
        "runs": runs,
        "runsLeftOut": more,
        "stretches": stretches,
        "ahead": ahead.collect::<Value>(),
        "aheadLeftOut": openings.len() > AHEAD_MAX,
        "typicalMs": typical,
    })
}
