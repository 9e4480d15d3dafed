//! What clients ask, and what holds for everything they ask: conditions, repetitions, trials.
//!
//! A request is answered in the decision that carries it out, so nobody hears of a change before it is durable.

use crate::model::{
    Answer, AnsweredRequest, Duration, Intervention, JobName, JobVersion, RequestKey, Timestamp,
    limits,
};

use super::decision::Change;
use super::entry::JobEntry;
use super::event::{Applied, Expected, Rejection, RejectionCode, Reply, Request};
use super::{
    State, Step, admin, backfill, backlog, bulk, clock, incident, operate, pause, report, round,
    shadow,
};

/// Carries out a request, or refuses it. `None`: a part is done, and the rest is to be asked for again.
pub(super) fn decide(step: &mut Step<'_>, request: &Request) -> Option<Reply> {
    let result = match request {
        Request::PutJob { draft, dialect } => admin::put(step, draft, *dialect),
        Request::DeleteJob { name, by } => admin::delete_by_hand(step, name, by.as_ref()),
        Request::RunJob { name, ask } => admin::run_now(step, name, ask),
        Request::OperateRun { name, run, verb, past, by } => {
            operate::operate(step, name, *run, *verb, past.as_deref(), by)
        }
        Request::Pause { scope, until, by } => pause::pause(step, scope, *until, by)?,
        Request::Resume { scope, by } => pause::resume(step, scope, by)?,
        Request::SkipAhead { name, due_at, by } => pause::skip_ahead(step, name, *due_at, by),
        Request::UnskipAhead { name, due_at, by } => pause::unskip_ahead(step, name, *due_at, by),
        Request::Backfill(draft) => backfill::begin(step, draft),
        Request::CancelBackfill { name, id, is_killing, by } => {
            backfill::cancel(step, name, *id, *is_killing, by)
        }
        Request::CutBacklog { filter, by } => Ok(backlog::cut(step, filter, by)),
        Request::LiftQuarantine { name, by } => lift_quarantine(step, name, by),
        Request::TrustClock { by } => trust_clock(step, by),
        Request::AcknowledgeIncident { id, by } => incident::acknowledge(step, *id, by),
        Request::Silence { subject, until, by } => incident::silence(step, subject, *until, by),
        Request::EndSilence { subject, by } => incident::end_silence(step, subject, by),
        Request::RetryNotification { id, by } => incident::retry(step, *id, by),
        Request::KillJob { name, by } => admin::kill(step, name, by.as_ref()),
        Request::MarkSuccess { name } => report::mark_successful(step, name),
        Request::ClearQueue => return backlog::clear(step),
        Request::CompleteTask { task_id, status_code } => {
            Ok(Reply::Completed { is_known: report::complete(step, task_id, *status_code) })
        }
        Request::Progress { name, task_id, elements } => {
            report::progress(step, name, task_id, *elements)
        }
        Request::CutOver { names, at } => shadow::cut_over(step, names.as_deref(), *at),
        Request::Apply { drafts, dialect, terms } => Ok(bulk::apply(step, drafts, *dialect, terms)),
        Request::IfMatch { name, expected, request } => match check(step.state, name, expected) {
            Ok(()) => return decide(step, request),
            Err(rejection) => Err(rejection),
        },
        Request::Once { key, request } => return once(step, key, request),
        Request::DryRun(request) => {
            // Decided as it would be, and taken back: what is told is what happens.
            let before = step.decision.lengths();
            let reply = decide(step, request).or_else(|| at_last(request));
            step.decision.truncate(before);
            step.ready_backfills.clear();
            // Nobody is told of what has not happened.
            step.stored.clear();
            step.raised.clear();
            return reply;
        }
    };
    Some(result.unwrap_or_else(Reply::Refused))
}

/// What is answered at last to a request of which a part is done at a time.
fn at_last(request: &Request) -> Option<Reply> {
    if let Request::ClearQueue = request {
        return Some(Reply::QueueCleared);
    }
    if let Request::Pause { .. } | Request::Resume { .. } = request {
        return Some(Reply::Paused { names: Vec::new() });
    }
    if let Request::IfMatch { request, .. } | Request::Once { request, .. } = request {
        return at_last(request);
    }
    None
}

fn lift_quarantine(
    step: &mut Step<'_>,
    name: &JobName,
    by: &Intervention,
) -> Result<Reply, Rejection> {
    let entry = admin::find(step, name)?;
    if entry.is_quarantined {
        step.change(Change::QuarantineLifted { incarnation: entry.incarnation });
        step.warn(Some(name), by.tell("had it decided again"));
        // What its parents did meanwhile became no run.
        round::decide_rounds(step, entry);
    }
    Ok(Reply::Done)
}

fn trust_clock(step: &mut Step<'_>, by: &Intervention) -> Result<Reply, Rejection> {
    if clock::trust(step, by) {
        return Ok(Reply::Done);
    }
    Err(Rejection {
        code: RejectionCode::Impossible,
        message: "the wall clock is not doubted".to_owned(),
        field: "".into(),
        position: None,
        remedy: String::new(),
    })
}

/// Refuses if the job is not what the client believes.
pub(super) fn check(state: &State, name: &JobName, expected: &Expected) -> Result<(), Rejection> {
    let found = state.job(name).map(JobEntry::version);
    let is_met = match (expected, found) {
        (Expected::Absent, None) | (Expected::Present, Some(_)) => true,
        (Expected::OneOf(versions), Some(found)) => versions.contains(&found),
        (Expected::Absent, Some(_)) | (Expected::Present | Expected::OneOf(_), None) => false,
    };
    if is_met {
        return Ok(());
    }
    let message = match found {
        None => format!("there is no job '{name}'"),
        Some(JobVersion { revision, disabled, .. }) => {
            let disabled = if disabled { ", disabled" } else { "" };
            format!(
                "job '{name}' is at revision {revision}{disabled}, which is not what was asked for"
            )
        }
    };
    Err(Rejection {
        code: RejectionCode::Changed,
        message,
        field: "".into(),
        position: None,
        remedy: "read the job again, and make the change to what it is now".to_owned(),
    })
}

/// How long a key is remembered. Clients repeat a request within minutes, or never.
const KEY_KEPT: Duration = Duration::from_hours(24);

/// The answer to a request that was carried out under `key`, or why it is not another's; `None` if that is not known.
///
/// For whoever cannot even make the request any more, because what it is about has gone.
#[must_use]
pub fn repeated(state: &State, now: Timestamp, key: &RequestKey) -> Option<Reply> {
    let known = state.answered(&key.id).filter(|known| known.at >= oldest_kept(now))?;
    Some(if key.may_repeat(&known.key) { replay(&known.answer) } else { key_reused() })
}

fn oldest_kept(now: Timestamp) -> Timestamp {
    now.saturating_sub(KEY_KEPT).unwrap_or(Timestamp::MIN)
}

fn key_reused() -> Reply {
    Reply::Refused(Rejection {
        code: RejectionCode::KeyReused,
        message: "this `Idempotency-Key` was used for another request".to_owned(),
        field: "Idempotency-Key".into(),
        position: None,
        remedy: "give each request a key of its own, and the same only to repeat it".to_owned(),
    })
}

/// Whether a request can have been answered so. Not every form of a key's content tells requests apart.
fn can_answer(reply: &Reply, request: &Request) -> bool {
    match request {
        Request::PutJob { .. } => matches!(reply, Reply::Stored { .. }),
        Request::DeleteJob { .. } => matches!(reply, Reply::Deleted { .. }),
        Request::RunJob { .. } => matches!(reply, Reply::Triggered { .. }),
        Request::KillJob { .. } => matches!(reply, Reply::Stopping { .. }),
        Request::MarkSuccess { .. } => matches!(reply, Reply::Marked { .. }),
        Request::ClearQueue => matches!(reply, Reply::QueueCleared),
        Request::CompleteTask { .. } => matches!(reply, Reply::Completed { .. }),
        Request::Progress { .. } => matches!(reply, Reply::Progressed { .. }),
        Request::CutOver { .. } => matches!(reply, Reply::CutOver { .. }),
        Request::Apply { .. } => matches!(reply, Reply::Applied { .. }),
        Request::OperateRun { .. } => matches!(reply, Reply::Operated { .. }),
        Request::Pause { .. } | Request::Resume { .. } => matches!(reply, Reply::Paused { .. }),
        Request::SkipAhead { .. } | Request::UnskipAhead { .. } => {
            matches!(reply, Reply::SkippedAhead { .. })
        }
        Request::Backfill(_) => matches!(reply, Reply::Backfilled { .. }),
        Request::CancelBackfill { .. } | Request::CutBacklog { .. } => {
            matches!(reply, Reply::Dropped { .. })
        }
        Request::LiftQuarantine { .. }
        | Request::AcknowledgeIncident { .. }
        | Request::Silence { .. }
        | Request::EndSilence { .. }
        | Request::RetryNotification { .. }
        | Request::TrustClock { .. } => {
            matches!(reply, Reply::Done)
        }
        Request::IfMatch { request, .. }
        | Request::Once { request, .. }
        | Request::DryRun(request) => can_answer(reply, request),
    }
}

fn once(step: &mut Step<'_>, key: &RequestKey, request: &Request) -> Option<Reply> {
    if let Some(reply) = repeated(step.state, step.now.wall, key) {
        return Some(if can_answer(&reply, request) { reply } else { key_reused() });
    }
    let reply = decide(step, request)?;
    if let Some(answer) = remembered(&reply) {
        forget_old(step, oldest_kept(step.now.wall));
        let at = step.now.wall;
        step.change(Change::RequestAnswered(Box::new(AnsweredRequest {
            key: key.clone(),
            at,
            answer,
        })));
    }
    Some(reply)
}

/// Makes room for one more key.
fn forget_old(step: &mut Step<'_>, oldest: Timestamp) {
    // One more is about to be remembered.
    let max = limits::REQUEST_KEYS_MAX - 1;
    let old = step.state.answered_index().surplus(oldest, max, limits::DUE_PER_STEP_MAX);
    for id in old {
        step.change(Change::AnswerForgotten { id });
    }
}

/// What is kept of an answer; `None` of a refusal, which a repetition may well not meet again.
fn remembered(reply: &Reply) -> Option<Answer> {
    Some(match reply {
        Reply::Stored { version, created, .. } => {
            Answer::Stored { version: *version, created: *created }
        }
        Reply::Deleted { .. } => Answer::Deleted,
        Reply::Triggered { run } => Answer::Triggered { run: *run },
        Reply::Stopping { count } => {
            Answer::Stopping { count: u64::try_from(*count).unwrap_or(u64::MAX) }
        }
        Reply::Marked { run } => Answer::Marked { run: *run },
        Reply::QueueCleared => Answer::QueueCleared,
        Reply::Completed { is_known } => Answer::Completed { is_known: *is_known },
        Reply::Progressed { elements } => Answer::Progressed { elements: *elements },
        Reply::CutOver { at, names, consequences: _ } => {
            Answer::CutOver { at: *at, names: names.clone() }
        }
        Reply::Applied { jobs } => Answer::Applied {
            jobs: jobs.iter().map(|job| (job.name.clone(), job.version, job.outcome)).collect(),
        },
        Reply::Operated { run, became } => Answer::Operated { run: *run, became: *became },
        Reply::Paused { names } => Answer::Paused { names: names.clone() },
        Reply::SkippedAhead { due_at } => Answer::SkippedAhead { due_at: *due_at },
        Reply::Backfilled { id } => Answer::Backfilled { id: *id },
        Reply::Dropped { count, left } => Answer::Dropped { count: *count, left: *left },
        Reply::Done => Answer::Done,
        Reply::Refused(_) | Reply::ApplyRefused(_) => return None,
    })
}

fn replay(answer: &Answer) -> Reply {
    let (warnings, consequences) = (Vec::new(), Vec::new());
    match answer {
        Answer::Stored { version, created } => {
            Reply::Stored { version: *version, created: *created, warnings, consequences }
        }
        Answer::Deleted => Reply::Deleted { consequences },
        Answer::Triggered { run } => Reply::Triggered { run: *run },
        Answer::Stopping { count } => {
            Reply::Stopping { count: usize::try_from(*count).unwrap_or(usize::MAX) }
        }
        Answer::Marked { run } => Reply::Marked { run: *run },
        Answer::QueueCleared => Reply::QueueCleared,
        Answer::Completed { is_known } => Reply::Completed { is_known: *is_known },
        Answer::Progressed { elements } => Reply::Progressed { elements: *elements },
        Answer::CutOver { at, names } => {
            Reply::CutOver { at: *at, names: names.clone(), consequences }
        }
        Answer::Operated { run, became } => Reply::Operated { run: *run, became: *became },
        Answer::Paused { names } => Reply::Paused { names: names.clone() },
        Answer::SkippedAhead { due_at } => Reply::SkippedAhead { due_at: *due_at },
        Answer::Backfilled { id } => Reply::Backfilled { id: *id },
        Answer::Dropped { count, left } => Reply::Dropped { count: *count, left: *left },
        Answer::Done => Reply::Done,
        Answer::Applied { jobs } => {
            let applied = |(name, version, outcome): &(JobName, JobVersion, _)| Applied {
                name: name.clone(),
                version: *version,
                outcome: *outcome,
                warnings: Vec::new(),
                consequences: Vec::new(),
                origin: None,
                difference: None,
            };
            Reply::Applied { jobs: jobs.iter().map(applied).collect() }
        }
    }
}
