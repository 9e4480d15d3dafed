//! How a run moves on as its tasks report, as its own times come, and as it is stopped.
//!
//! What follows from what is in the tables of [`super::transition`]; here is what each answer means in changes, effects
//! and sentences.
//!
//! The same attempt is launched a second time only after *never launched*, by which the launcher says that it has
//! forgotten nothing; and only once for each time that it is asked after everything, as the same answer may come twice.
//! What nobody can say is waited for as long as the job's `onUnknown` says; then the run is lost, or another attempt
//! follows under another task id.

use crate::model::{
    Alarm, Attempt, AttemptState, Duration, Exit, Intervention, OnUnknown, Run, RunState,
    StopReason, TaskReport, TaskStatus, Timestamp, UnknownThen, Verdict, limits,
};

use super::alive::{runs, staged, stops_again};
use super::decision::Effect;
use super::transition::{End, Fate, Happening, Hearing, Move, RunStanding, Said, Standing};
use super::transition::{fate, heard, moved};
use super::{Step, backfill, bounded, count, intake, report, retry, round};

/// Moves on what a task report is about.
pub(super) fn decide_report(step: &mut Step<'_>, report: &TaskReport) {
    let TaskReport { task_id, status } = report;
    let run = step.state.run_of_task(task_id);
    let found = run.and_then(|run| Some((run, run.live_attempt()?)));
    let standing = found.map_or(Standing::Stranger, |(_, attempt)| Standing::of(&attempt.state));
    let hearing = heard(standing, Said::of(status));
    let Some((run, attempt)) = found else { return stranger(step, hearing, report) };
    match (hearing, status) {
        (Hearing::Ignored, _) => {}
        (Hearing::Noted | Hearing::Acknowledged, _) => stranger(step, hearing, report),
        (Hearing::Runs, TaskStatus::Running { started_at }) => {
            let started_at = honest(step, attempt, *started_at);
            runs(step, run, attempt, started_at);
        }
        (Hearing::Staged, _) => staged(step, run, attempt),
        (Hearing::StopsAgain, TaskStatus::Running { started_at }) => {
            let started_at = honest(step, attempt, *started_at);
            stops_again(step, run, attempt, Some(started_at));
        }
        (Hearing::StopsAgain, _) => stops_again(step, run, attempt, None),
        (Hearing::TakenBack, _) => take_back(step, run, attempt),
        (Hearing::Ends, TaskStatus::Ended { exit, started_at, ended_at }) => {
            let known = started_at_of(attempt).filter(|_| step.state.is_cluster());
            let told = started_at.map(|at| honest(step, attempt, at));
            let started_at = known.or(told).or_else(|| started_at_of(attempt));
            let ended_at = honest(step, attempt, *ended_at);
            end_attempt(step, run, exit, started_at, ended_at);
        }
        (Hearing::EndsUnstarted, _) => {
            if !is_old_answer(step, run, attempt) {
                end_attempt(step, run, &Exit::Killed, None, step.now.wall);
            }
        }
        (Hearing::Doubted, TaskStatus::InDoubt { reason, is_final }) => {
            doubt(step, run, attempt, reason, *is_final);
        }
        (Hearing::Doubted, _) => {
            if !is_old_answer(step, run, attempt) {
                let what = match standing {
                    Standing::Stopping | Standing::StoppingUnstarted => "was being stopped",
                    Standing::Stranger
                    | Standing::Launching
                    | Standing::Running
                    | Standing::Unknown => "was running",
                };
                let lost = "and the launcher no longer knows of it: its records were lost";
                doubt(step, run, attempt, &format!("it {what}, {lost}"), true);
            }
        }
        // The table says these only of a task that runs or has ended.
        (Hearing::Runs | Hearing::Ends, _) => {}
    }
}

/// By how much the clocks of two machines may differ as a rule.
const CLOCKS_APART: Duration = Duration::from_mins(5);

/// The instant that an agent of a cluster names, by its own clock. It is not before the launch or the start, and not in
/// the future. Where the clock is set so wrong that nothing can be made of it, it is when we hear of it.
fn honest(step: &Step<'_>, attempt: &Attempt, at: Timestamp) -> Timestamp {
    let (begun, now) = (started_at_of(attempt).unwrap_or(attempt.launched_at), step.now.wall);
    if !step.state.is_cluster() || (begun..=now).contains(&at) {
        return at;
    }
    let is_near = at < begun && begun.duration_since(at) <= CLOCKS_APART;
    if is_near { begun.min(now) } else { now }
}

/// Moves on the runs whose own times have come: further attempts, doubts that news was waited for in vain, time-outs.
pub(super) fn decide_times(step: &mut Step<'_>) {
    let state = step.state;
    for run in state.ringing(step.now).take(limits::DUE_PER_STEP_MAX) {
        happen(step, run, Happening::AlarmRang, None);
    }
    for run in state.overlong(step.now.boot).take(limits::DUE_PER_STEP_MAX) {
        happen(step, run, Happening::TimeUp, Some(StopReason::TimedOut));
    }
}

/// As [`stop`], and remembers who wanted it.
pub(super) fn stop_by(step: &mut Step<'_>, run: &Run, why: StopReason, by: &Intervention) {
    let run = Run { stopped_by: Some(Box::new(by.clone())), ..run.clone() };
    let did = match why {
        StopReason::JobDeleted => "deleted its job before it started",
        StopReason::Requested | StopReason::TimedOut | StopReason::Superseded => {
            "stopped it before it started"
        }
    };
    stop(step, &run, why, &by.tell(did));
}

/// Who had it stopped, and why.
pub(super) fn stopped_by(by: &Intervention, why: StopReason) -> String {
    by.tell(match why {
        StopReason::JobDeleted => "deleted its job",
        StopReason::Requested | StopReason::TimedOut | StopReason::Superseded => "had it stopped",
    })
}

/// Has a run want an offer that waited for something else.
pub(super) fn pend(step: &mut Step<'_>, mut run: Run) {
    // A retry is bounded by no window: the obligation was taken up in time.
    let deadline = deadline_again(step, &run);
    run.state = RunState::Pending { deadline };
    step.store_run(run);
}

/// Stops a run: what the launcher has is asked to end, what waits ends here, as `before_start` if nothing of it was
/// ever begun.
pub(super) fn stop(step: &mut Step<'_>, run: &Run, why: StopReason, before_start: &str) {
    let Some(standing) = RunStanding::of(run) else { return };
    match moved(standing, Happening::Stopped) {
        Move::StopsAttempt => stop_attempt(step, run, why),
        Move::Ends => {
            let reason = match standing {
                _ if run.attempts.is_empty() => before_start,
                RunStanding::Reporting => "it was stopped before its job had said how it ended",
                RunStanding::Queued
                | RunStanding::Pending
                | RunStanding::Waiting
                | RunStanding::Active
                | RunStanding::Doubtful => "it was stopped while it waited for its next attempt",
            };
            let verdict = match why {
                StopReason::Superseded => Verdict::Superseded,
                StopReason::Requested | StopReason::TimedOut | StopReason::JobDeleted => {
                    Verdict::Killed
                }
            };
            let reason = match &run.stopped_by {
                Some(by) if !run.attempts.is_empty() => {
                    by.tell(&format!("had it stopped: {reason}"))
                }
                Some(_) | None => reason.to_owned(),
            };
            end_run_alone(step, run.clone(), verdict, step.now.wall, reason);
        }
        Move::None
        | Move::Missed
        | Move::Pending
        | Move::EndsUnknown
        | Move::Remembers
        | Move::Settles
        | Move::EndsUnreported => {}
    }
}

/// Carries out what the table says of something that happens to a run by time.
fn happen(step: &mut Step<'_>, run: &Run, happening: Happening, why: Option<StopReason>) {
    let Some(standing) = RunStanding::of(run) else { return };
    match (moved(standing, happening), why) {
        (Move::Pending, _) => pend(step, run.clone()),
        (Move::EndsUnknown, _) => end_unknown(step, run),
        (Move::EndsUnreported, _) => {
            let message = "its job did not say how it ended within its `timeout`".to_owned();
            let why = Some(StopReason::TimedOut);
            decide_fate(step, run.clone(), End::Stopped, why, step.now.wall, message);
        }
        (Move::StopsAttempt, Some(why)) => stop_attempt(step, run, why),
        (
            Move::StopsAttempt
            | Move::None
            | Move::Missed
            | Move::Ends
            | Move::Remembers
            | Move::Settles,
            _,
        ) => {}
    }
}

/// Asks the launcher to stop the live attempt of `run`.
fn stop_attempt(step: &mut Step<'_>, run: &Run, wanted: StopReason) {
    let mut run = run.clone();
    let Some(attempt) = run.attempts.last_mut() else { return };
    let started_at = started_at_of(attempt);
    // The first reason stands: a run that a person stopped did not time out. But one that timed out is not tried again
    // once a person wants it stopped.
    let first_of = |why: Option<StopReason>| match why {
        Some(why) if why != StopReason::TimedOut => why,
        Some(_) | None => wanted,
    };
    attempt.state = match &attempt.state {
        AttemptState::Unknown { why, until, reason, .. } => AttemptState::Unknown {
            started_at,
            why: Some(first_of(*why)),
            until: *until,
            reason: reason.clone(),
        },
        AttemptState::Stopping { why, .. } => {
            AttemptState::Stopping { started_at, why: first_of(Some(*why)) }
        }
        AttemptState::Launching | AttemptState::Running { .. } | AttemptState::Ended { .. } => {
            AttemptState::Stopping { started_at, why: wanted }
        }
    };
    let task_id = attempt.task_id.clone();
    let grace = grace(step, &run);
    step.store_run(run);
    step.effect(Effect::Kill { task_id, grace });
}

/// How long a task of `run` is given between being asked to stop and being stopped.
pub(super) fn grace(step: &Step<'_>, run: &Run) -> Duration {
    let entry = step.state.incarnation(run.id.incarnation);
    let own = entry.and_then(|entry| entry.job.kill_grace.as_ref());
    own.map_or(step.state.settings.kill_grace, |grace| grace.span)
}

/// Ends a run that has no live attempt, and lets the job's queue move on.
pub(super) fn end_run(
    step: &mut Step<'_>,
    run: Run,
    verdict: Verdict,
    at: Timestamp,
    reason: String,
) {
    let ended = run.id;
    end_run_alone(step, run, verdict, at, reason);
    if let Some(entry) = step.state.incarnation(ended.incarnation) {
        intake::advance(step, entry, &entry.job);
    }
}

/// Ends a run that has no live attempt, and no other run of its job moves on: they are all being ended.
pub(super) fn end_run_alone(
    step: &mut Step<'_>,
    mut run: Run,
    verdict: Verdict,
    at: Timestamp,
    reason: String,
) {
    let about = if reason.is_empty() {
        format!("run {} {}", run.id, verdict.as_str())
    } else {
        format!("run {} {}: {reason}", run.id, verdict.as_str())
    };
    match verdict {
        Verdict::Succeeded => step.note(&run.job, about),
        Verdict::Failed
        | Verdict::Missed
        | Verdict::Skipped
        | Verdict::Killed
        | Verdict::Lost
        | Verdict::Superseded => step.warn(Some(&run.job), about),
    }
    run.state = RunState::Ended { verdict, at, reason };
    step.store_run(run.clone());
    if let Some(entry) = step.state.incarnation(run.id.incarnation) {
        count::count(step, entry, &run, verdict, at);
        round::signal(step, entry, &run, verdict, at);
    }
    backfill::ended(step, &run, verdict);
}

/// What is said of a task that no live run has.
fn stranger(step: &mut Step<'_>, hearing: Hearing, report: &TaskReport) {
    match hearing {
        Hearing::Acknowledged => step.effect(Effect::Acknowledge(report.task_id.clone())),
        Hearing::Noted => {
            let what = format!("the launcher runs task `{}`, which", report.task_id);
            // In a cluster it can only be ours, and nobody will ever ask after it. On the scheduler's own machine it is
            // left alone: it may be somebody's payroll.
            if step.state.is_cluster() {
                step.warn(None, format!("{what} belongs to no live run, and is stopped"));
                let grace = step.state.settings.kill_grace;
                step.effect(Effect::Kill { task_id: report.task_id.clone(), grace });
            } else {
                step.warn(None, format!("{what} belongs to no live run"));
            }
        }
        Hearing::Ignored
        | Hearing::Staged
        | Hearing::Runs
        | Hearing::StopsAgain
        | Hearing::TakenBack
        | Hearing::Ends
        | Hearing::EndsUnstarted
        | Hearing::Doubted => {}
    }
}

/// Whether "never launched" answers an older question. Asked twice, the launcher says it twice; by the second time the
/// attempt has been launched anew, and may well have started. Should that launch be lost too, the next connection tells.
/// The launcher of a cluster tells each denial once and means the last launch; offers may well be void twice.
fn is_old_answer(step: &mut Step<'_>, run: &Run, attempt: &Attempt) -> bool {
    let is_old = !step.state.is_cluster() && step.state.is_denied(&attempt.task_id);
    if is_old {
        step.note(&run.job, format!("run {}: an answer to an older question", run.id));
    }
    is_old
}

/// The attempt is taken back; if it is placed again it gets the same task id, so that even a launch still on its way
/// starts it only once.
fn take_back(step: &mut Step<'_>, run: &Run, attempt: &Attempt) {
    if is_old_answer(step, run, attempt) {
        return;
    }
    let mut run = run.clone();
    run.attempts.pop();
    step.note(&run.job, format!("run {}: its launch never reached the launcher", run.id));
    if step.state.incarnation(run.id.incarnation).is_none() {
        let reason = "its job was deleted before it started".to_owned();
        return end_run(step, run, Verdict::Killed, step.now.wall, reason);
    }
    let deadline = deadline_again(step, &run);
    run.state = RunState::Pending { deadline };
    step.store_run(run);
}

/// Until when a run that wants an offer again may get it: until the end of its start window if nothing of it has been
/// started, else as long as its job tries again.
fn deadline_again(step: &Step<'_>, run: &Run) -> Option<Timestamp> {
    if run.attempts.is_empty() {
        return run.start_deadline;
    }
    let entry = step.state.incarnation(run.id.incarnation)?;
    retry::latest(entry, run)
}

/// Ends a run whose next attempt would begin later than its job allows, as what its last attempt was.
pub(super) fn end_late(step: &mut Step<'_>, run: &Run) {
    let (verdict, message) = match run.attempts.last().map(|attempt| &attempt.state) {
        Some(AttemptState::Ended { exit: None, message, .. }) => (Verdict::Lost, message.clone()),
        Some(AttemptState::Ended { message, .. }) => (Verdict::Failed, message.clone()),
        Some(
            AttemptState::Launching
            | AttemptState::Running { .. }
            | AttemptState::Stopping { .. }
            | AttemptState::Unknown { .. },
        )
        | None => return,
    };
    let entry = step.state.incarnation(run.id.incarnation);
    let clause = entry.map(|entry| retry::too_late(&entry.job.retry)).unwrap_or_default();
    end_run(step, run.clone(), verdict, step.now.wall, format!("{message}; {clause}"));
}

/// Nobody can say what became of an attempt. Unless it is certain that nobody ever will, news is waited for; and before
/// the command is started once more, in any case.
fn doubt(step: &mut Step<'_>, run: &Run, attempt: &Attempt, reason: &str, is_final: bool) {
    let (why, is_known) = match attempt.state {
        AttemptState::Stopping { why, .. } => (Some(why), false),
        AttemptState::Unknown { why, .. } => (why, true),
        AttemptState::Launching | AttemptState::Running { .. } | AttemptState::Ended { .. } => {
            (None, false)
        }
    };
    let OnUnknown { wait, then } = on_unknown(step, run);
    let wait = match fate(End::Unknown(then), why) {
        Fate::Lost if is_final => Duration::ZERO,
        Fate::Lost
        | Fate::Relaunched
        | Fate::Succeeded
        | Fate::FailedOrRetried
        | Fate::Failed
        | Fate::Killed
        | Fate::Superseded => wait.span,
    };
    let task_id = attempt.task_id.clone();
    if is_known && !wait.is_zero() {
        // The wait goes on.
        return step.effect(Effect::Acknowledge(task_id));
    }
    let until = Alarm {
        at: step.now.wall.saturating_add(wait).unwrap_or(Timestamp::MAX),
        boot: Some(step.now.boot.saturating_add(wait)),
    };
    let reason = bounded(reason);
    let started_at = started_at_of(attempt);
    let index = attempt.index;
    let mut run = run.clone();
    if let Some(attempt) = run.attempts.last_mut() {
        let reason = reason.clone();
        attempt.state = AttemptState::Unknown { started_at, why, until, reason };
    }
    if wait.is_zero() {
        end_unknown(step, &run);
    } else {
        let text =
            format!("run {}: nobody can say what became of attempt {index}: {reason}", run.id);
        step.warn(Some(&run.job), text);
        step.store_run(run);
    }
    // What is out of sight may still be told, and what was acknowledged could be forgotten before that.
    if is_final {
        step.effect(Effect::Acknowledge(task_id));
    }
}

fn on_unknown(step: &Step<'_>, run: &Run) -> OnUnknown {
    let entry = step.state.incarnation(run.id.incarnation);
    entry.map(|entry| entry.job.on_unknown.clone()).unwrap_or_default()
}

/// No news has come of an attempt in doubt.
fn end_unknown(step: &mut Step<'_>, run: &Run) {
    let mut run = run.clone();
    let unknown = run.attempts.iter().filter(|it| is_over_unknown(&it.state)).count();
    let then = match on_unknown(step, &run).then {
        UnknownThen::Relaunch if unknown >= limits::RELAUNCHES_MAX => UnknownThen::Lost,
        then => then,
    };
    let at = step.now.wall;
    let Some(attempt) = run.attempts.last_mut() else { return };
    let AttemptState::Unknown { started_at, why, reason, .. } = &attempt.state else { return };
    let (started_at, why, message) = (*started_at, *why, reason.clone());
    attempt.state = AttemptState::Ended { started_at, at, exit: None, message: message.clone() };
    report::settle(step, run, End::Unknown(then), why, at, message);
}

const fn is_over_unknown(state: &AttemptState) -> bool {
    matches!(state, AttemptState::Ended { exit: None, .. })
}

/// Ends the live attempt and decides what becomes of the run.
fn end_attempt(
    step: &mut Step<'_>,
    run: &Run,
    exit: &Exit,
    started_at: Option<Timestamp>,
    ended_at: Timestamp,
) {
    let run_stopped_by = run.stopped_by.clone();
    let mut run = run.clone();
    let Some(attempt) = run.attempts.last_mut() else { return };
    let why = match attempt.state {
        AttemptState::Stopping { why, .. } => Some(why),
        AttemptState::Unknown { why, .. } => why,
        AttemptState::Launching | AttemptState::Running { .. } | AttemptState::Ended { .. } => None,
    };
    let task_id = attempt.task_id.clone();
    let message = match why {
        Some(why) if *exit == Exit::Killed => match &run_stopped_by {
            Some(by) if matches!(why, StopReason::Requested | StopReason::JobDeleted) => {
                stopped_by(by, why)
            }
            Some(_) | None => stopped(why).to_owned(),
        },
        Some(_) | None => describe(exit),
    };
    attempt.state = AttemptState::Ended {
        started_at,
        at: ended_at,
        exit: Some(exit.clone()),
        message: message.clone(),
    };
    // Crash before this is committed: the launcher was not told, so it reports the end again.
    report::settle(step, run, End::of(exit), why, ended_at, message);
    step.effect(Effect::Acknowledge(task_id));
}

/// Decides what becomes of a run whose last attempt has ended so.
pub(super) fn decide_fate(
    step: &mut Step<'_>,
    run: Run,
    end: End,
    why: Option<StopReason>,
    at: Timestamp,
    message: String,
) {
    match fate(end, why) {
        Fate::Succeeded => end_run(step, run, Verdict::Succeeded, at, String::new()),
        Fate::Failed => end_run(step, run, Verdict::Failed, at, message),
        Fate::Killed => end_run(step, run, Verdict::Killed, at, message),
        Fate::Superseded => end_run(step, run, Verdict::Superseded, at, message),
        Fate::Lost => end_run(step, run, Verdict::Lost, at, message),
        Fate::FailedOrRetried => fail_or_retry(step, run, at, message),
        Fate::Relaunched => {
            let mut run = run;
            let next = run.attempts.len();
            step.warn(
                Some(&run.job),
                format!("run {}: attempt {next} follows, though the last may have run", run.id),
            );
            run.state = RunState::Pending { deadline: deadline_again(step, &run) };
            step.store_run(run);
        }
    }
}

fn fail_or_retry(step: &mut Step<'_>, mut run: Run, at: Timestamp, message: String) {
    let exit = run.attempts.last().and_then(|attempt| match &attempt.state {
        // What its job said is to the terms of retries what the exit code would be.
        AttemptState::Ended { exit: Some(Exit::Code(0)) | None, .. } => {
            Some(report::as_exit(attempt.reported))
        }
        AttemptState::Ended { exit, .. } => exit.clone(),
        AttemptState::Launching
        | AttemptState::Running { .. }
        | AttemptState::Stopping { .. }
        | AttemptState::Unknown { .. } => None,
    });
    let entry = step.state.incarnation(run.id.incarnation);
    let next = exit.map(|exit| retry::after_failure(step, entry, &run, &exit));
    match next {
        Some(retry::Next::Attempt(until)) => {
            let (id, index) = (run.id, run.attempts.len());
            let text =
                format!("run {id} failed ({message}); attempt {index} starts at {:.3}", until.at);
            step.warn(Some(&run.job), text);
            run.state = RunState::Waiting { until };
            step.store_run(run);
        }
        Some(retry::Next::None(Some(clause))) => {
            end_run(step, run, Verdict::Failed, at, format!("{message}; {clause}"));
        }
        Some(retry::Next::None(None)) | None => end_run(step, run, Verdict::Failed, at, message),
    }
}

pub(super) fn started_at_of(attempt: &Attempt) -> Option<Timestamp> {
    match attempt.state {
        AttemptState::Running { started_at, .. } => Some(started_at),
        AttemptState::Stopping { started_at, .. }
        | AttemptState::Unknown { started_at, .. }
        | AttemptState::Ended { started_at, .. } => started_at,
        AttemptState::Launching => None,
    }
}

fn describe(exit: &Exit) -> String {
    match exit {
        Exit::Code(0) => String::new(),
        Exit::Code(code) => format!("the command ended with exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal} ended the command"),
        Exit::Killed => "it was stopped".to_owned(),
        Exit::Failed { reason } | Exit::CouldNotStart { reason } => bounded(reason),
    }
}

pub(super) const fn stopped(why: StopReason) -> &'static str {
    match why {
        StopReason::Requested => "it was stopped on request",
        StopReason::TimedOut => "it was stopped because it ran longer than its `timeout` allows",
        StopReason::JobDeleted => "it was stopped because its job was deleted",
        StopReason::Superseded => "it was stopped because a later run takes its place",
    }
}
