//! From a decision to the store, and from there to what it brings about.
//!
//! A batch lands in the store at one instant and its process is told at a later one. In between the process may die, or
//! be deposed: what has landed counts all the same.

use std::collections::{BTreeMap, BTreeSet};

use chronode::driver::working::Outcome;
use chronode::engine::{Below, Effect, Reply, Request, RequestId};
use chronode::model::{Became, Incarnation, RunId, RunVerb, Term};
use chronode::store::{Batch, CommitError, Error};

use super::figure::Fault;
use super::house::{Life, Phase, ProcessId};
use super::plan::SECOND;
use super::record::Decided;
use super::world::{Happening, World, say};
use super::{i7_single_writer, room};

/// What becomes of a commit, and what its process is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused,
    /// The process is not told which of the two it was.
    UnknownStored,
    UnknownNotStored,
}

/// What the store made of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Landing {
    Stored,
    /// A later term had begun.
    Fenced,
}

/// Of the requests to stop runs in a batch: the live runs each found, and their attempts so far.
pub(crate) type Stopped = BTreeMap<RequestId, BTreeMap<RunId, usize>>;
/// Of the requests to cut the backlog in a batch: the runs each was about.
pub(crate) type Cut = BTreeMap<RequestId, BTreeSet<RunId>>;

/// A batch on its way into the store, and the effects that wait for it.
#[derive(Debug)]
pub(crate) struct InFlight {
    outcome: Outcome,
    pub(crate) stopped: Stopped,
    pub(crate) cut: Cut,
    term: Term,
    decided: Decided,
    pub(crate) begun_at: i64,
    fate: Fate,
    landing: Option<Landing>,
    is_durable: bool,
}

impl InFlight {
    pub(crate) fn new(
        outcome: Outcome,
        (stopped, cut): (Stopped, Cut),
        term: Term,
        decided: Decided,
        begun_at: i64,
    ) -> Self {
        let is_durable = outcome.is_durable();
        let (fate, landing) = (Fate::Stored, None);
        Self { outcome, stopped, cut, term, decided, begun_at, fate, landing, is_durable }
    }

    pub(crate) const fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// Whether the store has stored it or will never.
    pub(crate) const fn is_settled(&self) -> bool {
        match self.fate {
            Fate::Stored | Fate::UnknownStored => self.landing.is_some(),
            Fate::Refused | Fate::UnknownNotStored => true,
        }
    }
}

impl World {
    pub(crate) fn begin_commit(&mut self, process: ProcessId, mut in_flight: InFlight) {
        let percent = if self.has_faults { self.plan.faults.store_percent } else { 0 };
        if self.rng.chance(percent) {
            in_flight.fate =
                self.rng.pick(&[Fate::Refused, Fate::UnknownStored, Fate::UnknownNotStored]);
        }
        match in_flight.fate {
            Fate::Stored => {}
            Fate::Refused => self.count(Fault::CommitRefused),
            Fate::UnknownStored | Fate::UnknownNotStored => self.count(Fault::CommitUnknown),
        }
        let is_slow = self.has_faults && self.rng.chance(1);
        let delay = if is_slow {
            self.count(Fault::CommitSlow);
            self.rng.between(SECOND, 20 * SECOND)
        } else {
            self.rng.between(100, 20_000)
        };
        let landing = self.rng.between(50, delay);
        let Some(begun) = self.house.process(process) else { return };
        begun.phase = Phase::Committing(Box::new(in_flight));
        let life = begun.life;
        self.after(landing, Happening::CommitLands { process, life });
        self.after(delay, Happening::CommitIsOver { process, life });
    }

    pub(crate) fn commit_lands(&mut self, process: ProcessId, life: Life) {
        let Some(begun) = self.house.process_in(process, life) else { return };
        let Phase::Committing(mut in_flight) = std::mem::replace(&mut begun.phase, Phase::Loading)
        else {
            return;
        };
        if !in_flight.is_settled() {
            self.land(&mut in_flight);
        }
        let begun = self.house.process(process).expect("it was just seen");
        begun.phase = Phase::Committing(in_flight);
    }

    /// The batch reaches the store.
    pub(crate) fn land(&mut self, in_flight: &mut InFlight) {
        let changes = std::mem::take(&mut in_flight.outcome.changes);
        let batch = Batch { term: in_flight.term, changes };
        match self.store.commit_now(&batch) {
            Ok(()) => {
                i7_single_writer::check_stored(&mut self.record, batch.term);
                let effects = &in_flight.outcome.effects;
                self.record.following = self.following(effects);
                self.record.committed(&batch.changes, in_flight.decided);
                room::check_placed(&mut self.record, self.plan.agents);
                self.cutting(in_flight, &batch.changes, effects);
                i7_single_writer::committed(&mut self.record, batch.term, effects);
                self.stopping(in_flight);
                in_flight.landing = Some(Landing::Stored);
            }
            Err(CommitError::Refused(Error::Fenced { .. }))
                if self.record.is_deposed(batch.term) =>
            {
                in_flight.landing = Some(Landing::Fenced);
            }
            Err(error) => {
                let line = format!("the store refuses what was decided: {error}");
                self.record.violations.push(line);
            }
        }
    }

    /// The runs with which a batch answers retries, and what is to follow from each; `None` is nothing but what hears of
    /// any.
    fn following(&self, effects: &[Effect]) -> BTreeMap<RunId, Option<(Incarnation, Vec<Below>)>> {
        let mut following = BTreeMap::new();
        for effect in effects {
            if let Effect::Reply(id, Reply::Operated { became: Became::Followed { by }, .. }) =
                effect
                && let Some(Request::OperateRun { run, verb, past, .. }) = self.asked.get(id)
            {
                let below = past.iter().flat_map(|past| past.below.clone()).collect();
                let is_down = *verb == RunVerb::RetryDown;
                following.insert(*by, is_down.then_some((run.incarnation, below)));
            }
        }
        following
    }

    /// The process is told what became of its batch.
    pub(crate) fn commit_is_over(&mut self, process: ProcessId, life: Life) {
        let is_leader = self.house.is_leader(process);
        let Some(begun) = self.house.process_in(process, life) else { return };
        let Phase::Committing(in_flight) = std::mem::replace(&mut begun.phase, Phase::Ready) else {
            return;
        };
        if is_leader && self.time - in_flight.begun_at > SECOND / 2 {
            self.record.trouble.push((in_flight.begun_at, self.time));
        }
        let (fate, landing) = (in_flight.fate, in_flight.landing);
        match (fate, landing) {
            (Fate::Stored, Some(Landing::Stored)) => {
                self.perform(process, *in_flight);
            }
            (_, Some(Landing::Fenced)) => {
                self.count(Fault::CommitFenced);
                say!(self, "-- refused: a later term than {} has begun --", in_flight.term.0);
                // It ends, or takes it for any other failure of the store and tries again.
                if self.rng.chance(50) {
                    self.die(process);
                } else {
                    self.drop_state(process);
                }
            }
            (Fate::Stored, None)
            | (Fate::Refused | Fate::UnknownStored | Fate::UnknownNotStored, _) => {
                say!(self, "-- the commit: {fate:?} --");
                self.drop_state(process);
            }
        }
    }

    /// Performs the effects of a committed batch. `false` if the process died in the middle.
    pub(crate) fn perform(&mut self, process: ProcessId, in_flight: InFlight) -> bool {
        let is_stored = in_flight.landing == Some(Landing::Stored);
        if !is_stored {
            self.stopping(&in_flight);
        }
        let dies = self.has_faults && self.plan.faults.crash_between_effects && self.rng.chance(1);
        let effects = in_flight.outcome.effects;
        let performed = if dies {
            let count = i64::try_from(effects.len()).expect("few");
            usize::try_from(self.rng.between(0, count)).expect("not negative")
        } else {
            effects.len()
        };
        for effect in effects.into_iter().take(performed) {
            match effect {
                Effect::Reply(id, reply) => {
                    if !matches!(self.asked.get(&id), Some(Request::DryRun(_))) {
                        i7_single_writer::check_answer(&mut self.record, id, &reply, is_stored);
                    }
                    self.hear(id, &reply);
                }
                Effect::Launch(_)
                | Effect::Kill { .. }
                | Effect::Reconcile(_)
                | Effect::Acknowledge(_)
                | Effect::Release(_)
                | Effect::Demand(_) => self.order(process, effect),
            }
        }
        if dies {
            self.count(Fault::CrashBetweenEffects);
            self.die(process);
        }
        !dies
    }
}
