//! What the oracle goes by: everything that was ever asked, answered, committed and started.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::Change;
use chronode::model::{
    Duration, HistoryEntry, Incarnation, JobName, JobRecord, Run, RunId, RunState, TaskId, Term,
    Timestamp, Trigger, Verdict,
};

use super::keeper::Truth;
use super::spec::{Spec, version_of};

/// A definition in force, as committed.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) accepted_at: Timestamp,
    pub(crate) version: u64,
}

/// What a name may stand for in the store: one of these, in the order in which they were asked for. All but the last
/// that was acknowledged are possible only because nobody heard of a later one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Possible(pub(crate) Vec<(u64, Option<u64>)>);

impl Possible {
    pub(crate) fn asked(&mut self, request: u64, version: Option<u64>) {
        if self.0.is_empty() {
            self.0.push((0, None));
        }
        self.0.push((request, version));
    }

    pub(crate) fn acknowledged(&mut self, request: u64) {
        self.0.retain(|(asked, _)| *asked >= request);
    }

    pub(crate) fn refused(&mut self, request: u64) {
        self.0.retain(|(asked, _)| *asked != request);
    }
}

/// The runs of a job that a client was told are being stopped, with the attempts they had had by then.
#[derive(Debug, Clone)]
pub(crate) struct Stopped(pub(crate) BTreeMap<RunId, usize>);

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) specs: BTreeMap<u64, Spec>,
    pub(crate) in_force: BTreeMap<Incarnation, Vec<InForce>>,
    pub(crate) removed: BTreeMap<Incarnation, Timestamp>,
    pub(crate) possible: BTreeMap<JobName, Possible>,
    pub(crate) triggered: BTreeSet<RunId>,
    pub(crate) stopped: Vec<Stopped>,
    /// Lives of jobs whose runs somebody stopped, or whose definition changed: their failures may be final early.
    pub(crate) disturbed: BTreeSet<Incarnation>,
    pub(crate) ended: BTreeSet<RunId>,
    /// Their verdicts by life, in the order in which they were committed.
    pub(crate) ends: BTreeMap<Incarnation, Vec<Verdict>>,
    /// The jobs that are disabled.
    disabled: BTreeSet<Incarnation>,
    /// How many runs of a job had ended when somebody enabled it last: its count of failures in a row begins there.
    pub(crate) enabled_after: BTreeMap<Incarnation, usize>,
    /// The others, as stored last.
    pub(crate) live: BTreeMap<RunId, Run>,
    /// When the windows of runs opened, as the store has it.
    pub(crate) opens: BTreeMap<RunId, Timestamp>,
    /// The term that has begun last.
    term: Term,
    /// The launches that were committed, each with the term that did so last.
    pub(crate) launches: BTreeMap<TaskId, Term>,
    /// The spans in which not everything was well, in microseconds since the begin.
    pub(crate) trouble: Vec<(i64, i64)>,
    /// The spans in which the machine slept, likewise, in order.
    pub(crate) sleeps: Vec<(i64, i64)>,
    /// Filled while it happens.
    pub(crate) violations: Vec<String>,
}

/// Everything at the end.
pub(crate) struct Evidence<'a> {
    pub(crate) record: &'a Record,
    pub(crate) history: &'a [HistoryEntry],
    /// Those that are there.
    pub(crate) jobs: &'a [JobRecord],
    /// Those of the history that are runs.
    pub(crate) runs: BTreeMap<RunId, &'a Run>,
    pub(crate) truth: Vec<(&'a str, &'a Truth)>,
    /// Everything due by then must be settled.
    pub(crate) settled_through: Timestamp,
    /// The wall clock at the end.
    pub(crate) ends_at: Timestamp,
    pub(crate) has_clock_steps: bool,
    pub(crate) begins_at: Timestamp,
}

/// The runs of a history.
pub(crate) fn runs(history: &[HistoryEntry]) -> impl Iterator<Item = &Run> {
    history.iter().filter_map(|entry| match entry {
        HistoryEntry::Run(run) => Some(run),
        HistoryEntry::Stretch(_) => None,
    })
}

impl Evidence<'_> {
    /// The runs of one life of a job.
    pub(crate) fn runs_of(&self, life: Incarnation) -> impl Iterator<Item = &Run> {
        self.runs.values().copied().filter(move |run| run.id.incarnation == life)
    }

    /// When it is `at` in microseconds since 1970 for somebody who does not count what the machine sleeps.
    pub(crate) fn after_sleeping(&self, mut at: i64) -> i64 {
        let begins_at = self.begins_at.as_microsecond();
        for (begin, end) in &self.record.sleeps {
            if begins_at + begin <= at {
                at += end - begin;
            }
        }
        at
    }

    pub(crate) fn starts_of(&self, run: &Run) -> usize {
        let of_run = self.truth.iter().filter(|(_, truth)| truth.run_id == run.id);
        of_run.map(|(_, truth)| truth.starts.len()).sum()
    }
}

impl Record {
    pub(crate) fn spec_of(&self, incarnation: Incarnation) -> impl Iterator<Item = &Spec> {
        let in_force = self.in_force.get(&incarnation).into_iter().flatten();
        in_force.map(|in_force| &self.specs[&in_force.version])
    }

    /// The last instant at which the window of a run may open.
    pub(crate) fn opens_by(&self, run: &Run) -> Timestamp {
        let due_at = run.trigger.due_at();
        match run.trigger {
            Trigger::Schedule { opens_at, .. } => opens_at,
            Trigger::CatchUp { .. } => {
                let jitter = self.longest_jitter(run.id.incarnation);
                due_at.saturating_add(Duration::from_millis(jitter)).expect("within this century")
            }
            Trigger::Manual { .. } | Trigger::Parents { .. } => due_at,
        }
    }

    /// Milliseconds.
    pub(crate) fn longest_jitter(&self, life: Incarnation) -> i64 {
        self.spec_of(life).map(|spec| spec.terms.jitter).max().unwrap_or(0)
    }

    pub(crate) fn begin_term(&mut self, term: Term) {
        self.term = term;
    }

    /// Whether a later term has begun.
    pub(crate) fn is_deposed(&self, term: Term) -> bool {
        term < self.term
    }

    /// Follows a batch that was stored, decided at `wall`.
    pub(crate) fn committed(&mut self, changes: &[Change], wall: Timestamp) {
        for change in changes {
            match change {
                Change::JobStored(record) => {
                    let version = version_of(&record.job.description);
                    let in_force = InForce { accepted_at: record.accepted_at, version };
                    let versions = self.in_force.entry(record.incarnation).or_default();
                    versions.push(in_force);
                    let life = record.incarnation;
                    if record.job.disabled {
                        self.disabled.insert(life);
                    } else if self.disabled.remove(&life) {
                        let ended = self.ends.get(&life).map_or(0, Vec::len);
                        self.enabled_after.insert(life, ended);
                    }
                    if versions.len() > 1 {
                        self.disturbed.insert(record.incarnation);
                    }
                }
                Change::Disabled { incarnation } => {
                    self.disabled.insert(*incarnation);
                }
                Change::JobRemoved { incarnation, .. } => {
                    self.removed.insert(*incarnation, wall);
                    self.disturbed.insert(*incarnation);
                }
                Change::RunStored(run) => {
                    super::i3_in_time::check_opening(self, run);
                    super::i3_in_time::check_launch(self, run);
                    if self.ended.contains(&run.id) {
                        self.violations.push(format!("I5: run {} moved on after its end", run.id));
                    }
                    if let RunState::Ended { verdict, .. } = run.state {
                        self.ended.insert(run.id);
                        self.ends.entry(run.id.incarnation).or_default().push(verdict);
                        self.live.remove(&run.id);
                    } else {
                        self.live.insert(run.id, Run::clone(run));
                    }
                }
                Change::TermBegan(_)
                | Change::Progressed { .. }
                | Change::Counted { .. }
                | Change::Quarantined { .. }
                | Change::ListeningBegan { .. }
                | Change::Heard { .. }
                | Change::ListeningEnded
                | Change::StretchStored(_)
                | Change::SignalStored(_)
                | Change::SignalRemoved { .. }
                | Change::TaskMillisUsed { .. }
                | Change::ZoneKept { .. }
                | Change::OffersSet(_)
                | Change::PlacementSettled => {}
            }
        }
    }

    /// Whether everything was well from `from` to `through`.
    pub(crate) fn was_calm(&self, from: i64, through: i64) -> bool {
        self.trouble.iter().all(|(begin, end)| *end < from || through < *begin)
    }
}
