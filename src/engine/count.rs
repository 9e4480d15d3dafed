//! What the end of a run means for the counts of its job, and for whether the job goes on.

use crate::model::{Run, Timestamp, Verdict};

use super::decision::Change;
use super::entry::JobEntry;
use super::{Step, family};

/// Counts the end of a run, and disables its job if nothing of it is left or too many of its runs have failed.
pub(super) fn count(
    step: &mut Step<'_>,
    entry: &JobEntry,
    run: &Run,
    verdict: Verdict,
    at: Timestamp,
) {
    let mut stats = step.stats(entry);
    match verdict {
        Verdict::Succeeded => {
            stats.success_count = stats.success_count.saturating_add(1);
            stats.errors_since_last_success = 0;
            stats.last_success = format!("{at:.3}");
        }
        Verdict::Failed | Verdict::Lost => {
            stats.error_count = stats.error_count.saturating_add(1);
            stats.errors_since_last_success = stats.errors_since_last_success.saturating_add(1);
            stats.last_error = format!("{at:.3}");
        }
        // As in Chronos, only successes and failures are counted.
        Verdict::Missed | Verdict::Skipped | Verdict::Killed | Verdict::Superseded => return,
    }
    let failures = stats.errors_since_last_success;
    step.store_stats(entry.incarnation, stats);
    if entry.job.disabled || step.disabled.contains(&entry.incarnation) {
        return;
    }
    let why = if verdict == Verdict::Succeeded {
        is_exhausted(step, entry, run).then(|| "all its occurrences have run".to_owned())
    } else {
        let most = entry.failures_most(&step.state.settings);
        most.is_some_and(|most| failures >= most)
            .then(|| format!("it failed {failures} times in a row"))
    };
    if let Some(why) = why {
        step.disabled.insert(entry.incarnation);
        if verdict == Verdict::Succeeded {
            step.exhausted.insert(entry.incarnation);
        }
        step.change(Change::Disabled { incarnation: entry.incarnation });
        let left = family::left_waiting(step, entry);
        let text = match (verdict, left) {
            // Its work is done, and its children have heard of it.
            (Verdict::Succeeded, _) | (_, None) => format!("{why}; it is disabled"),
            (_, Some(left)) => format!("{why}; it is disabled; {left}"),
        };
        if verdict == Verdict::Succeeded {
            step.note(&entry.job.name, text);
        } else {
            step.warn(Some(&entry.job.name), text);
        }
    }
}

/// Whether the schedule that triggered `run` has nothing left, as Chronos asks after a success, and nothing else of it
/// is still to end.
fn is_exhausted(step: &Step<'_>, entry: &JobEntry, run: &Run) -> bool {
    run.trigger.is_scheduled()
        && entry.is_exhausted()
        && !step.live_runs(entry.incarnation).iter().any(|other| other.trigger.is_scheduled())
}
