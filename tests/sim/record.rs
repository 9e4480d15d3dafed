//! What the oracle goes by: everything that was ever asked, answered, committed and started.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::{Below, Change};
use chronode::model::{
    BootInstant, HistoryEntry, Incarnation, JobName, JobRecord, Run, RunId, RunState, Stretch,
    TaskId, Term, Timestamp, Trigger, Verdict,
};

use super::backfills::{self, Backfills};
use super::disabling::{self, Tallies};
use super::house::Life;
use super::i6_chain_exactness::Chains;
use super::i9_heard_of::{self, Told};
use super::keeper::Truth;
use super::pauses::{self, Pauses};
use super::played::Played;
use super::rule::Terms;
use super::spec::{Spec, Way, version_of};
use super::{family, further_attempts, i3_in_time, overlap};

/// A definition in force, as committed.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) accepted_at: Timestamp,
    pub(crate) version: u64,
    /// What triggers it: the version's own, unless a parent was deleted and left something else.
    pub(crate) way: Way,
    pub(crate) is_inherited: bool,
    pub(crate) is_disabled: bool,
    /// Whether it was disabled while it was in force.
    pub(crate) was_disabled: bool,
}

/// When a batch was decided, and by which reading of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided {
    pub(crate) wall: Timestamp,
    pub(crate) boot: BootInstant,
    pub(crate) by: Life,
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
    /// The jobs that operators have paused, or of which they had occurrences skipped before these came.
    pub(crate) intervened: BTreeSet<Incarnation>,
    /// The runs that operators have asked something about.
    pub(crate) operated: BTreeSet<RunId>,
    /// Those that they have asked to count as succeeded.
    pub(crate) marked: BTreeSet<RunId>,
    /// Those that were cut from the backlog.
    pub(crate) cut: BTreeSet<RunId>,
    pub(crate) pauses: Pauses,
    pub(crate) backfills: Backfills,
    /// Runs that brought others about together with some of other jobs.
    pub(crate) one_of_many: BTreeSet<RunId>,
    /// Of the batch that is being stored: the runs that answer retries, and of which job what is to follow from each.
    pub(crate) following: BTreeMap<RunId, Option<(Incarnation, Vec<Below>)>>,
    /// Whether somebody sets the clock.
    pub(crate) has_clock_steps: bool,
    /// The latest that any process took the wall clock for.
    pub(crate) latest_believed: Timestamp,
    pub(crate) specs: BTreeMap<u64, Spec>,
    pub(crate) in_force: BTreeMap<Incarnation, Vec<InForce>>,
    pub(crate) removed: BTreeMap<Incarnation, Timestamp>,
    /// The jobs that there are.
    pub(crate) names: BTreeMap<JobName, Incarnation>,
    pub(crate) decided_through: BTreeMap<Incarnation, Timestamp>,
    pub(crate) possible: BTreeMap<JobName, Possible>,
    pub(crate) triggered: BTreeSet<RunId>,
    /// By key: the run that was asked for under it.
    pub(crate) once: BTreeMap<String, RunId>,
    pub(crate) stopped: Vec<Stopped>,
    /// Lives of jobs whose runs somebody stopped, or whose definition changed: their failures may be final early.
    pub(crate) disturbed: BTreeSet<Incarnation>,
    /// When that was decided.
    pub(crate) ended: BTreeMap<RunId, Timestamp>,
    /// Their verdicts by life, in the order in which they were committed.
    pub(crate) ends: BTreeMap<Incarnation, Vec<Verdict>>,
    /// How many runs of a job had ended when somebody enabled it last: its count of failures in a row begins there.
    pub(crate) enabled_after: BTreeMap<Incarnation, usize>,
    /// The others, as stored last, and by whom.
    pub(crate) live: BTreeMap<RunId, Run>,
    pub(crate) writers: BTreeMap<RunId, Life>,
    /// What is being stopped for good, with the attempts it has had.
    pub(crate) stopping: BTreeMap<RunId, usize>,
    /// Tasks that are over for the house although nobody knows how they ended, or whether they ever began.
    pub(crate) given_up: BTreeMap<TaskId, Timestamp>,
    /// Runs that were not placed at once where there is not always room.
    pub(crate) without_room: BTreeSet<RunId>,
    pub(crate) chains: Chains,
    pub(crate) tallies: Tallies,
    pub(crate) played: Played,
    /// How many occurrences each stretch counts, and whether it is one of rounds of parents.
    pub(crate) stretches: BTreeMap<u64, (u64, bool)>,
    /// When the windows of runs opened, as the store has it.
    pub(crate) opens: BTreeMap<RunId, Timestamp>,
    /// The term that has begun last.
    term: Term,
    /// The runs whose launches arrived where nobody could see what became of them.
    pub(crate) unseen: BTreeSet<RunId>,
    /// The launches that were committed, each with the term that did so last.
    pub(crate) launches: BTreeMap<TaskId, Term>,
    /// The spans in which not everything was well, in microseconds since the begin.
    pub(crate) trouble: Vec<(i64, i64)>,
    /// The spans in which the machine slept, likewise, in order.
    pub(crate) sleeps: Vec<(i64, i64)>,
    /// What people are told of.
    pub(crate) told: Told,
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
    /// The tasks of which the launcher has ever said that nobody can say anything.
    pub(crate) doubted: &'a BTreeSet<TaskId>,
    /// Everything due by then must be settled.
    pub(crate) settled_through: Timestamp,
    /// The wall clock at the end.
    pub(crate) ends_at: Timestamp,
    pub(crate) has_clock_steps: bool,
    /// The processors of each agent, where runs have to wait for room.
    pub(crate) agents: &'static [u64],
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

    /// The stretches of occurrences of one life of a job.
    pub(crate) fn stretches_of(&self, life: Incarnation) -> impl Iterator<Item = &Stretch> {
        self.history.iter().filter_map(move |entry| match entry {
            HistoryEntry::Stretch(stretch) if stretch.incarnation == life => {
                let known = self.record.stretches.get(&stretch.sequence);
                Some(stretch).filter(|_| known.is_none_or(|(_, is_of_rounds)| !is_of_rounds))
            }
            HistoryEntry::Stretch(_) | HistoryEntry::Run(_) => None,
        })
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

    /// Whether it must be over: it began before the faults ended, there is an agent that it fits on, and its job is not
    /// paused.
    pub(crate) fn must_be_over(&self, run: &Run) -> bool {
        let life = run.id.incarnation;
        run.created_at <= self.settled_through
            && self.record.fits(life, self.agents)
            && !self.record.pauses.hold(life)
    }
}

impl Record {
    pub(crate) fn versions_of(&self, life: Incarnation) -> &[InForce] {
        self.in_force.get(&life).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn spec_of(&self, life: Incarnation) -> impl DoubleEndedIterator<Item = &Spec> {
        self.versions_of(life).iter().map(|in_force| &self.specs[&in_force.version])
    }

    /// The schedules that one life of a job has had.
    pub(crate) fn terms_of(&self, life: Incarnation) -> impl Iterator<Item = &Terms> {
        self.versions_of(life).iter().filter_map(|in_force| in_force.way.terms())
    }

    /// What the job of that name is, if there is one.
    pub(crate) fn present(&self, name: &JobName) -> Option<&InForce> {
        self.in_force.get(self.names.get(name)?)?.last()
    }

    /// Milliseconds.
    pub(crate) fn longest_jitter(&self, life: Incarnation) -> i64 {
        self.terms_of(life).map(|terms| terms.jitter).max().unwrap_or(0)
    }

    /// Whether a job fits on an agent that has nothing else.
    pub(crate) fn fits(&self, life: Incarnation, agents: &[u64]) -> bool {
        let most = agents.iter().max();
        let wanted = self.spec_of(life).next_back().map_or(0, |spec| spec.cpus);
        most.is_none_or(|most| wanted <= *most)
    }

    pub(crate) fn begin_term(&mut self, term: Term) {
        self.term = term;
    }

    /// Whether a later term has begun.
    pub(crate) fn is_deposed(&self, term: Term) -> bool {
        term < self.term
    }

    /// Follows a batch that was stored.
    pub(crate) fn committed(&mut self, changes: &[Change], decided: Decided) {
        let mut touched = BTreeSet::new();
        for change in changes {
            if let Change::RunStored(run) = change {
                touched.insert(run.id.incarnation);
            }
        }
        backfills::begun(self, changes);
        i9_heard_of::committed(self, changes);
        for (index, change) in changes.iter().enumerate() {
            match change {
                Change::JobStored(record) => self.job_stored(record, &changes[index..]),
                Change::JobRemoved { incarnation, name } => {
                    self.removed.insert(*incarnation, decided.wall);
                    self.disturbed.insert(*incarnation);
                    self.names.remove(name);
                    disabling::settled(self, *incarnation);
                    self.chains.removed(name);
                }
                Change::RunStored(run) => self.run_stored(run, decided),
                Change::StretchStored(stretch) => self.stretch_stored(stretch, &touched),
                Change::Progressed { incarnation, progress } => {
                    self.decided_through.insert(*incarnation, progress.decided_through);
                }
                Change::Disabled { incarnation } => {
                    disabling::disabled(self, *incarnation);
                }
                Change::Quarantined { incarnation } => {
                    let line = format!("deciding {incarnation} went wrong");
                    self.violations.push(line);
                }
                Change::Intervened { incarnation, interventions } => {
                    self.intervened.insert(*incarnation);
                    let pause = interventions.pause.as_ref();
                    pauses::of_job(self, *incarnation, pause, decided);
                }
                Change::EverythingPaused(pause) => {
                    pauses::of_everything(self, pause.as_ref(), decided);
                }
                Change::TermBegan(_)
                | Change::Counted { .. }
                | Change::ListeningBegan { .. }
                | Change::Heard { .. }
                | Change::ListeningEnded
                | Change::SignalStored(_)
                | Change::SignalRemoved { .. }
                | Change::TaskMillisUsed { .. }
                | Change::RequestAnswered(_)
                | Change::AnswerForgotten { .. }
                | Change::ZoneKept { .. }
                | Change::BackfillStored(_)
                | Change::BackfillRemoved { .. }
                | Change::StretchVoided { .. }
                | Change::QuarantineLifted { .. }
                | Change::ClockJudged(_)
                | Change::FrameworkSet(_)
                | Change::OffersSet(_)
                | Change::OffersAdded(_)
                | Change::OffersRemoved(_)
                | Change::AgentLost(_)
                | Change::AgentsSeen(_)
                | Change::DemandTold(_)
                | Change::Alerted(_)
                | Change::ObjectivesJudged(_)
                | Change::PlacementSettled => {}
            }
        }
        for life in touched {
            disabling::settled(self, life);
        }
        backfills::moved(self, changes);
    }

    fn job_stored(&mut self, record: &JobRecord, followed_by: &[Change]) {
        let (life, name) = (record.incarnation, &record.job.name);
        let version = version_of(&record.job.description);
        let is_inherited = self.versions_of(life).last().is_some_and(|it| it.version == version);
        let way = if is_inherited {
            family::inherited(self, name, followed_by)
        } else {
            self.specs[&version].way.clone()
        };
        if way.to_model() != record.job.when {
            let is = &record.job.when;
            self.violations.push(format!("`{name}` is triggered by {is:?}, and not by {way:?}"));
        }
        let spec = &self.specs[&version];
        let is_disabled = record.job.disabled;
        let before = self.versions_of(life).last().is_some_and(|it| it.is_disabled);
        if is_disabled != if is_inherited { before } else { spec.disabled } {
            self.violations.push(format!("`{name}` is stored as disabled: {is_disabled}"));
        }
        self.names.insert(name.clone(), life);
        self.decided_through.insert(life, record.progress.decided_through);
        disabling::settled(self, life);
        if before && !is_disabled {
            let ended = self.ends.get(&life).map_or(0, Vec::len);
            self.enabled_after.insert(life, ended);
            disabling::enabled(self, life);
        }
        let spec = &self.specs[&version];
        self.chains.defined(life, name, &way, spec.soft_error);
        let versions = self.in_force.entry(life).or_default();
        let had_parents = versions.last().map(|before| before.way.parents().is_some());
        if had_parents.is_some_and(|had_parents| had_parents != way.parents().is_some()) {
            self.played.switched += 1;
        }
        versions.push(InForce {
            accepted_at: record.accepted_at,
            version,
            way,
            is_inherited,
            is_disabled,
            was_disabled: is_disabled,
        });
        if versions.len() > 1 {
            self.disturbed.insert(life);
        }
    }

    fn run_stored(&mut self, run: &Run, decided: Decided) {
        i3_in_time::check_opening(self, run);
        i3_in_time::check_launch(self, run);
        further_attempts::check(self, run, decided);
        pauses::check(self, run);
        if self.ended.contains_key(&run.id) {
            self.violations.push(format!("I5: run {} moved on after its end", run.id));
        }
        let is_new = !self.live.contains_key(&run.id) && !self.ended.contains_key(&run.id);
        if is_new && matches!(run.trigger, Trigger::Parents { .. }) {
            self.played.children += 1;
        }
        if is_new {
            backfills::run_begun(self, run);
            self.following(run);
            if run.causes.len() > 1 {
                self.one_of_many.extend(&run.causes);
            }
        }
        if let RunState::Ended { verdict, .. } = run.state {
            self.played.lost += u64::from(verdict == Verdict::Lost);
            self.played.superseded += u64::from(verdict == Verdict::Superseded);
            self.played.marked += u64::from(self.is_marked(run));
            self.ended.insert(run.id, decided.wall);
            backfills::run_ended(self, run, verdict);
            self.ends.entry(run.id.incarnation).or_default().push(verdict);
            self.live.remove(&run.id);
            self.writers.remove(&run.id);
            disabling::ended(self, run, verdict);
            self.chains.ended(run, verdict);
        } else {
            self.live.insert(run.id, run.clone());
            self.writers.insert(run.id, decided.by);
        }
    }

    /// A run that may answer a retry is stored for the first time.
    fn following(&mut self, run: &Run) {
        let Some(below) = self.following.remove(&run.id) else { return };
        if run.retries_down != below.is_some() {
            self.violations.push(format!("I6: what follows from it is {below:?}: {run:?}"));
        }
        if let Some((root, below)) = below {
            let is_lent = below.iter().any(|below| !below.borrowed.is_empty());
            self.played.retries_down += u64::from(is_lent);
            self.chains.borrowed(root, &below);
        }
    }

    /// Whether nobody but an operator says that a run has succeeded, who was asked to say so.
    pub(crate) fn is_marked(&self, run: &Run) -> bool {
        let RunState::Ended { verdict: Verdict::Succeeded, reason, .. } = &run.state else {
            return false;
        };
        let is_another = match run.trigger {
            Trigger::Retry { of, .. } => self.marked.contains(&of) && run.attempts.is_empty(),
            Trigger::Schedule { .. }
            | Trigger::CatchUp { .. }
            | Trigger::Manual { .. }
            | Trigger::Backfill { .. }
            | Trigger::Parents { .. } => false,
        };
        reason.starts_with("kim counted it as succeeded")
            && (is_another || self.marked.contains(&run.id))
    }

    fn stretch_stored(&mut self, stretch: &Stretch, touched: &BTreeSet<Incarnation>) {
        let life = stretch.incarnation;
        let is_of_rounds =
            self.versions_of(life).last().is_some_and(|it| it.way.parents().is_some());
        let known = self.stretches.insert(stretch.sequence, (stretch.count, is_of_rounds));
        let (before, was_of_rounds) = known.unwrap_or((0, is_of_rounds));
        // Of a clock that was set back and is believed, a part is still to come.
        let is_less = stretch.count < before && !self.has_clock_steps;
        if was_of_rounds != is_of_rounds || is_less {
            self.violations.push(format!("{stretch:?} was another one before"));
        }
        if is_of_rounds {
            let count = stretch.count.saturating_sub(before);
            self.played.skipped_rounds += count;
            self.chains.skipped(life, count);
        }
        if stretch.count >= before {
            overlap::check_stretch(self, stretch, touched);
        }
    }

    /// Whether everything was well from `from` to `through`.
    pub(crate) fn was_calm(&self, from: i64, through: i64) -> bool {
        self.trouble.iter().all(|(begin, end)| *end < from || through < *begin)
    }
}
