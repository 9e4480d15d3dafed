//! I5: what the launcher knows of the end of a task is recorded, once and truly; nothing stays running without a task.

use chronode::model::{Attempt, AttemptState, Exit, Run, RunState, TaskId, Verdict};

use super::keeper::Truth;
use super::record::{Evidence, Record};

pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = counts(evidence);
    for (task, truth) in &evidence.truth {
        let run = evidence.runs.get(&truth.run_id).copied();
        let attempt = run.and_then(|run| run.attempts.iter().find(|a| a.task_id.as_str() == *task));
        match (run, attempt) {
            (Some(run), Some(attempt)) if run.is_ended() => {
                found.extend(compare(run, attempt, truth));
            }
            // It is due after the end of the faults and goes on.
            (Some(run), Some(_)) if evidence.record.opens_by(run) > evidence.settled_through => {}
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

/// When the launcher is told that it may forget a task.
pub(crate) fn check_acknowledged(record: &mut Record, task_id: &TaskId) {
    let is_attempt = |run: &&Run| run.live_attempt().is_some_and(|it| it.task_id == *task_id);
    if let Some(run) = record.live.values().find(is_attempt) {
        let line = format!("I5: `{task_id}` may be forgotten, and it goes on in run {}", run.id);
        record.violations.push(line);
    }
}

fn compare(run: &Run, attempt: &Attempt, truth: &Truth) -> Option<String> {
    let AttemptState::Ended { exit, .. } = &attempt.state else {
        return Some(format!("I5: run {} is over, and its attempt is not", run.id));
    };
    let is_true = match exit {
        Some(exit) => truth.exit.as_ref() == Some(exit),
        None => truth.is_forgotten,
    };
    (!is_true).then(|| {
        let task = &attempt.task_id;
        format!("I5: `{task}` ended as {:?} and is recorded as {exit:?}", truth.exit)
    })
}

/// Whether the verdict follows from the attempts.
fn verdict(evidence: &Evidence<'_>, run: &Run) -> Option<String> {
    let RunState::Ended { verdict, .. } = run.state else { return None };
    let last = run.attempts.last().map(|attempt| &attempt.state);
    let last_exit = match last {
        Some(AttemptState::Ended { exit, .. }) => Some(exit.clone()),
        _ => None,
    };
    let life = run.id.incarnation;
    let retries = evidence.record.spec_of(life).map(|spec| spec.retries).max().unwrap_or(0);
    let may_end_early = evidence.record.disturbed.contains(&life);
    let attempts = i64::try_from(run.attempts.len()).expect("few");
    let is_right = match verdict {
        Verdict::Succeeded => last_exit == Some(Some(Exit::Code(0))),
        Verdict::Failed => {
            !matches!(last_exit, None | Some(None | Some(Exit::Code(0))))
                && (may_end_early || attempts == retries + 1)
        }
        Verdict::Lost => last_exit == Some(None),
        Verdict::Missed => run.attempts.is_empty(),
        Verdict::Killed => may_end_early,
        Verdict::Skipped | Verdict::Superseded => false,
    };
    (!is_right || attempts > retries + 1).then(|| format!("I5: this verdict is wrong: {run:?}"))
}
