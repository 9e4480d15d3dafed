//! I8: once nothing is in the way any more, whatever began before is over some time, without anybody's doing. Where runs
//! wait for room, so does whatever fits on an agent that has nothing else, however small and urgent the others are.

use chronode::model::Run;

use super::record::Evidence;

/// At the end, when nothing has been in the way for long.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let goes_on = |run: &&Run| !run.is_ended() && evidence.must_be_over(run);
    let goes_on = evidence.runs.values().copied().filter(goes_on);
    goes_on
        .map(|run| {
            let what = if run.attempts.is_empty() { "is never started" } else { "never ends" };
            format!("I8: run {} {what}: {run:?}", run.id)
        })
        .collect()
}
