//! Backfills: what was asked for is run for, each instant once and in that order, no more at once than may be; and
//! nothing of it begins once it is cancelled.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::{BackfillDraft, Change};
use chronode::model::{
    Backfill, BackfillId, BackfillState, Incarnation, Run, RunId, Timestamp, Trigger, Verdict,
};

use super::record::{Evidence, Record};

/// All backfills that were ever asked for.
#[derive(Debug, Default)]
pub(crate) struct Backfills {
    /// By the reason given, which no two share.
    pub(crate) asked: BTreeMap<String, BackfillDraft>,
    begun: BTreeMap<BackfillId, Begun>,
    /// Those that operators have asked to cancel, whether or not anybody heard of it.
    pub(crate) to_cancel: BTreeSet<BackfillId>,
}

/// One that was committed.
#[derive(Debug)]
struct Begun {
    life: Incarnation,
    due: Vec<Timestamp>,
    most: usize,
    stops_on_failure: bool,
    /// The numbers of its runs in the history, and what they stand for.
    runs: Vec<(u64, Timestamp)>,
    live: BTreeSet<RunId>,
    has_failed: bool,
    state: BackfillState,
}

impl Backfills {
    /// Those that operators may have something to do about, and of which jobs.
    pub(crate) fn going(&self) -> impl Iterator<Item = (BackfillId, Incarnation)> {
        let going = self.begun.iter().filter(|(_, begun)| begun.state == BackfillState::Going);
        going.map(|(id, begun)| (*id, begun.life))
    }
}

/// Before anything of a batch is looked at: a batch writes the last of each backfill alone, perhaps behind its runs.
pub(crate) fn begun(record: &mut Record, changes: &[Change]) {
    let Record { backfills, played, violations, .. } = record;
    for backfill in stored(changes) {
        if backfills.begun.contains_key(&backfill.id) {
            continue;
        }
        let asked = backfills.asked.get(&backfill.by.reason);
        let is_asked = asked.is_some_and(|asked| {
            asked.due == backfill.due
                && asked.concurrency == backfill.concurrency
                && asked.stops_on_failure == backfill.stops_on_failure
                && asked.name == backfill.job
        });
        if !is_asked {
            violations.push(format!("backfill: {asked:?} is asked for, and begun is {backfill:?}"));
        }
        let begun = Begun {
            life: backfill.incarnation,
            due: backfill.due.clone(),
            most: usize::try_from(backfill.concurrency).expect("few"),
            stops_on_failure: backfill.stops_on_failure,
            runs: Vec::new(),
            live: BTreeSet::new(),
            has_failed: false,
            state: BackfillState::Going,
        };
        backfills.begun.insert(backfill.id, begun);
        played.backfills += 1;
    }
}

/// After all of a batch.
pub(crate) fn moved(record: &mut Record, changes: &[Change]) {
    let Record { backfills, played, violations, .. } = record;
    for backfill in stored(changes) {
        let Some(begun) = backfills.begun.get_mut(&backfill.id) else { continue };
        if begun.state == backfill.state {
            continue;
        }
        if begun.state != BackfillState::Going {
            violations.push(format!("backfill: it was {:?}, and is {backfill:?}", begun.state));
        }
        let is_cancelled = matches!(backfill.state, BackfillState::Cancelled { .. });
        played.backfills_cancelled += u64::from(is_cancelled);
        begun.state = backfill.state.clone();
    }
}

fn stored(changes: &[Change]) -> impl Iterator<Item = &Backfill> {
    changes.iter().filter_map(|change| match change {
        Change::BackfillStored(backfill) => Some(&**backfill),
        _ => None,
    })
}

/// When a run is committed for the first time.
pub(crate) fn run_begun(record: &mut Record, run: &Run) {
    let Trigger::Backfill { of, due_at, .. } = run.trigger else { return };
    let Some(begun) = record.backfills.begun.get_mut(&of) else {
        return record.violations.push(format!("backfill: nobody has begun that of {run:?}"));
    };
    let is_going = begun.state == BackfillState::Going;
    let is_stopped = begun.stops_on_failure && begun.has_failed;
    if !is_going || is_stopped || begun.live.len() >= begun.most || begun.life != run.id.incarnation
    {
        record.violations.push(format!("backfill: {run:?} is begun, of {begun:?}"));
    }
    begun.runs.push((run.sequence, due_at));
    begun.live.insert(run.id);
}

/// When the end of a run is committed.
pub(crate) fn run_ended(record: &mut Record, run: &Run, verdict: Verdict) {
    let Trigger::Backfill { of, .. } = run.trigger else { return };
    if let Some(begun) = record.backfills.begun.get_mut(&of) {
        begun.live.remove(&run.id);
        begun.has_failed |= verdict != Verdict::Succeeded;
    }
}

/// At the end.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let record = evidence.record;
    let mut found = Vec::new();
    for (id, begun) in &record.backfills.begun {
        let is_all = begun.runs.len() == begun.due.len();
        let mut runs = begun.runs.clone();
        runs.sort_unstable();
        if !runs.iter().map(|(_, due)| due).eq(begun.due.iter().take(runs.len())) {
            found.push(format!("backfill: {id} runs for {runs:?}, and is {begun:?}"));
        }
        let is_removed = record.removed.contains_key(&begun.life);
        let waits = |run: &RunId| {
            evidence.runs.get(run).is_some_and(|run| !run.is_ended() && !evidence.must_be_over(run))
        };
        let is_right = match &begun.state {
            BackfillState::Going => begun.live.iter().any(waits),
            BackfillState::Done { .. } => is_all && begun.live.is_empty(),
            BackfillState::Cancelled { .. } => {
                let has_failed = begun.stops_on_failure && begun.has_failed;
                is_removed || has_failed || record.backfills.to_cancel.contains(id)
            }
        };
        if !is_right {
            found.push(format!("backfill: {id} stands wrongly: {begun:?}"));
        }
    }
    found
}
