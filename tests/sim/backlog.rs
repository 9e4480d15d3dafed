//! The backlog: what is cut from it is what had not been begun and was meant, is recorded as skipped, and never starts.

use std::collections::BTreeSet;

use chronode::engine::{Change, Effect, Reply, Request, State};
use chronode::model::{RunId, RunState, Verdict};

use super::commit::InFlight;
use super::record::{Evidence, Record};
use super::world::World;

/// The runs that a request to cut is about, as it is decided.
pub(crate) fn meant(state: &State, request: &Request) -> Option<BTreeSet<RunId>> {
    let Request::CutBacklog { filter, .. } = request else { return None };
    let unbegun = state.runs().filter(|run| {
        run.attempts.is_empty()
            && filter.names.as_ref().is_none_or(|names| names.contains(&run.job))
            && filter.due_before.is_none_or(|before| run.trigger.due_at() < before)
    });
    Some(unbegun.map(|run| run.id).collect())
}

impl World {
    /// A batch with the answers to requests to cut is stored.
    pub(crate) fn cutting(&mut self, batch: &InFlight, changes: &[Change], effects: &[Effect]) {
        for effect in effects {
            let Effect::Reply(id, Reply::Dropped { count, left }) = effect else { continue };
            let (Some(Request::CutBacklog { by, .. }), Some(meant)) =
                (self.asked.get(id), batch.cut.get(id))
            else {
                continue;
            };
            let is_of = |reason: &str| reason.ends_with(&format!(": {}", by.reason));
            let cut: BTreeSet<RunId> = changes
                .iter()
                .filter_map(|change| match change {
                    Change::RunStored(run) => Some(run),
                    _ => None,
                })
                .filter(|run| match &run.state {
                    RunState::Ended { verdict: Verdict::Skipped, reason, .. } => is_of(reason),
                    _ => false,
                })
                .map(|run| run.id)
                .collect();
            if cut != *meant || u64::try_from(cut.len()) != Ok(*count) || *left > 0 {
                let line = format!("backlog: {count} and {left}: {cut:?} are cut of {meant:?}");
                self.record.violations.push(line);
            }
            self.record.played.cut += *count;
            self.record.cut.extend(cut);
        }
    }
}

/// At the end.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let Record { cut, .. } = evidence.record;
    let is_right = |id: &&RunId| {
        let run = evidence.runs.get(id).copied();
        run.is_some_and(|run| {
            matches!(run.state, RunState::Ended { verdict: Verdict::Skipped, .. })
                && run.attempts.is_empty()
                && evidence.starts_of(run) == 0
        })
    };
    let wrong = cut.iter().filter(|id| !is_right(id));
    wrong.map(|id| format!("backlog: {id} was cut, and is {:?}", evidence.runs.get(id))).collect()
}
