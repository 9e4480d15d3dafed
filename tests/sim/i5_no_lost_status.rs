//! I5: what the launcher knows of the end of a task is recorded, once and truly; nothing stays running without a task.

use chronode::engine::State;
use chronode::model::{
    Attempt, AttemptState, Exit, Overlap, Run, RunState, TaskId, TaskReport, TaskStatus,
    UnknownThen, Verdict,
};

use super::further_attempts::{failures, is_final, latest, pauses};
use super::keeper::{Known, Truth};
use super::record::{Evidence, Record};
use super::spec::Spec;

pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = counts(evidence);
    for (task, truth) in &evidence.truth {
        let run = evidence.runs.get(&truth.run_id).copied();
        let attempt = run.and_then(|run| run.attempts.iter().find(|a| a.task_id.as_str() == *task));
        match (run, attempt) {
            (Some(run), Some(attempt)) if run.is_ended() => {
                found.extend(compare(evidence, run, attempt, truth));
            }
            // It began after the end of the faults, or waits for room that there never will be, and goes on.
            (Some(run), Some(_)) if !evidence.must_be_over(run) => {}
            (run, _) => found.push(format!("I5: task `{task}` started; its run is {run:?}")),
        }
    }
    found.extend(evidence.runs.values().filter_map(|run| verdict(evidence, run)));
    found
}

/// Whether a job counts what its runs came to.
fn counts(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for job in evidence.jobs {
        let ends = evidence.record.ends.get(&job.incarnation).map_or(&[][..], Vec::as_slice);
        let count = |ends: &[Verdict], wanted: &[Verdict]| {
            u64::try_from(ends.iter().filter(|verdict| wanted.contains(verdict)).count())
        };
        let failures = [Verdict::Failed, Verdict::Lost];
        let since = ends.iter().rposition(|verdict| *verdict == Verdict::Succeeded);
        let enabled = evidence.record.enabled_after.get(&job.incarnation).copied();
        let since = &ends[since.max(enabled).unwrap_or(0)..];
        let stats = &job.stats;
        let are = (stats.success_count, stats.error_count, stats.errors_since_last_success);
        if (Ok(are.0), Ok(are.1), Ok(are.2))
            != (count(ends, &[Verdict::Succeeded]), count(ends, &failures), count(since, &failures))
        {
            let name = &job.job.name;
            found.push(format!("I5: `{name}` counts {are:?} of {ends:?}"));
        }
    }
    found
}

/// When a process has heard of the end of a task: it is over for it.
pub(crate) fn check_heard(record: &mut Record, state: &State, report: &TaskReport) {
    let TaskReport { task_id, status } = report;
    let is_over = match status {
        TaskStatus::Ended { .. } => true,
        TaskStatus::Staged
        | TaskStatus::Running { .. }
        | TaskStatus::NeverLaunched
        | TaskStatus::InDoubt { .. } => false,
    };
    if let Some(run) = state.run_of_task(task_id).filter(|_| is_over) {
        record.violations.push(format!("I5: the end of `{task_id}` was told, and {run:?} goes on"));
    }
}

/// When the launcher is told that it may forget what it knows of a task.
pub(crate) fn check_acknowledged(record: &mut Record, task_id: &TaskId, known: &Known) {
    let is_attempt = |it: &&Attempt| it.task_id == *task_id;
    let live = record.live.values().filter_map(Run::live_attempt).find(is_attempt);
    let is_recorded = match (live.map(|attempt| &attempt.state), known) {
        (None, _) | (Some(AttemptState::Unknown { .. }), Known::InDoubt) => true,
        (Some(_), _) => false,
    };
    if !is_recorded {
        let line = format!("I5: {known:?} of `{task_id}` may be forgotten, and it is {live:?}");
        record.violations.push(line);
    }
}

fn compare(evidence: &Evidence<'_>, run: &Run, attempt: &Attempt, truth: &Truth) -> Option<String> {
    let AttemptState::Ended { exit, .. } = &attempt.state else {
        return Some(format!("I5: run {} is over, and its attempt is not", run.id));
    };
    let is_true = match exit {
        Some(exit) => truth.exit.as_ref() == Some(exit),
        None => truth.is_forgotten || evidence.doubted.contains(&attempt.task_id),
    };
    (!is_true).then(|| {
        let task = &attempt.task_id;
        format!("I5: `{task}` ended as {:?} and is recorded as {exit:?}", truth.exit)
    })
}

/// Whether the verdict follows from the attempts, and says why.
fn verdict(evidence: &Evidence<'_>, run: &Run) -> Option<String> {
    let RunState::Ended { verdict, reason, .. } = &run.state else { return None };
    let record = evidence.record;
    let life = run.id.incarnation;
    let last = run.attempts.last().map(|attempt| &attempt.state);
    let last_exit = match last {
        Some(AttemptState::Ended { exit, .. }) => Some(exit.clone()),
        _ => None,
    };
    let is_disturbed = record.disturbed.contains(&life);
    let replaces = record.spec_of(life).any(|spec| spec.overlap == Overlap::Replace);
    let is_occurrence = run.trigger.is_scheduled();
    let is_marked = record.is_marked(run);
    let loses = |spec: &Spec| {
        let is_late = |latest| latest < record.ended[&run.id];
        spec.unknown.then == UnknownThen::Lost || latest(run, &spec.retries).is_some_and(is_late)
    };
    let is_right = match verdict {
        Verdict::Succeeded => last_exit == Some(Some(Exit::Code(0))) || is_marked,
        Verdict::Failed => match last_exit {
            Some(Some(exit)) => {
                exit != Exit::Code(0) && (is_disturbed || replaces || is_last(evidence, run, &exit))
            }
            Some(None) | None => false,
        },
        Verdict::Lost => {
            last_exit == Some(None) && (is_disturbed || replaces || record.spec_of(life).any(loses))
        }
        Verdict::Missed => run.attempts.is_empty() && is_occurrence,
        Verdict::Killed => is_disturbed,
        Verdict::Superseded => replaces,
        // Nobody skips what was begun.
        Verdict::Skipped => {
            let is_asked = record.operated.contains(&run.id)
                || record.intervened.contains(&life)
                || record.pauses.was_everything()
                || record.cut.contains(&run.id);
            run.attempts.is_empty() && is_asked
        }
    };
    let says_why = reason.is_empty() == (*verdict == Verdict::Succeeded && !is_marked);
    let is_doubted = |attempt: &&Attempt| {
        let is_unknown = matches!(attempt.state, AttemptState::Ended { exit: None, .. });
        is_unknown && !evidence.doubted.contains(&attempt.task_id)
    };
    let is_invented = run.attempts.iter().any(|attempt| is_doubted(&attempt));
    (!is_right || !says_why || is_invented).then(|| format!("I5: this verdict is wrong: {run:?}"))
}

/// Whether no other attempt follows the last, which has ended like this.
fn is_last(evidence: &Evidence<'_>, run: &Run, exit: &Exit) -> bool {
    let count = failures(&run.attempts);
    let decided_at = evidence.record.ended[&run.id];
    evidence.record.spec_of(run.id.incarnation).any(|Spec { retries, .. }| {
        let longest = pauses(retries, count).1;
        i64::try_from(count) == Ok(retries.most + 1)
            || is_final(&retries.ends, exit)
            || latest(run, retries).is_some_and(|latest| {
                decided_at.saturating_add(longest).expect("within this century") > latest
            })
    })
}
