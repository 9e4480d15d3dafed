//! What the state can be asked: single things by name, and the heads of its indexes.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::State;
use crate::alerts;
use crate::engine::answered::Answered;
use crate::engine::clock::Clock;
use crate::engine::decision::Demand;
use crate::engine::entry::JobEntry;
use crate::engine::seen::SeenAgent;
use crate::graph::JobGraph;
use crate::model::{
    AgentId, AnsweredRequest, Backfill, BackfillId, BootInstant, FrameworkId, Incarnation, JobName,
    Now, Offer, OfferId, OfferKind, Pause, Resources, Run, RunId, Signal, TaskId, Term, Timestamp,
};

impl State {
    /// The term that began last.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.term
    }

    /// All jobs, in the order of their creation.
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = &JobEntry> + DoubleEndedIterator {
        self.jobs.values()
    }

    pub(in crate::engine) const fn job_count(&self) -> usize {
        self.derived.job_count
    }

    /// The jobs created after `after`, in the order of their creation.
    pub fn jobs_after(&self, after: Option<Incarnation>) -> impl Iterator<Item = &JobEntry> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.jobs.range((from, Bound::Unbounded)).map(|(_, entry)| entry)
    }

    /// The jobs with a name behind `after`, in the order of their names.
    pub fn jobs_by_name(&self, after: Option<&JobName>) -> impl Iterator<Item = &JobEntry> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.names.range::<JobName, _>((from, Bound::Unbounded));
        names.map(|(_, incarnation)| &self.jobs[incarnation])
    }

    /// The names of all jobs in their order, each with its life. Looks at no job.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = (&JobName, Incarnation)> {
        self.names.iter().map(|(name, incarnation)| (name, *incarnation))
    }

    /// The jobs with a name before `before`, in the reverse order of their names.
    pub fn jobs_by_name_down(&self, before: Option<&JobName>) -> impl Iterator<Item = &JobEntry> {
        let to = before.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.names.range::<JobName, _>((Bound::Unbounded, to));
        names.rev().map(|(_, incarnation)| &self.jobs[incarnation])
    }

    /// The jobs created before `before`, the latest first.
    pub fn jobs_down(&self, before: Option<Incarnation>) -> impl Iterator<Item = &JobEntry> {
        let to = before.map_or(Bound::Unbounded, Bound::Excluded);
        self.jobs.range((Bound::Unbounded, to)).rev().map(|(_, entry)| entry)
    }

    /// The job of that name.
    #[must_use]
    pub fn job(&self, name: &JobName) -> Option<&JobEntry> {
        self.jobs.get(self.names.get(name)?)
    }

    /// That life of a job, unless it is over.
    #[must_use]
    pub fn incarnation(&self, incarnation: Incarnation) -> Option<&JobEntry> {
        self.jobs.get(&incarnation)
    }

    /// What people are told of.
    #[must_use]
    pub const fn alerts(&self) -> &alerts::Desk {
        &self.alerts
    }

    /// Until when every deadline is judged.
    pub(in crate::engine) const fn judged_through(&self) -> Timestamp {
        self.judged_through
    }

    /// The live runs of which a deadline has come by `at`.
    pub(in crate::engine) fn runs_with_deadline_until(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = &Run> {
        let come = self.derived.objectives.iter().take_while(move |(deadline, _)| *deadline <= at);
        come.filter_map(|(_, id)| self.runs.get(id))
    }

    /// The live runs with an attempt on an agent.
    pub(in crate::engine) fn runs_on(&self, agent: &AgentId) -> impl Iterator<Item = &Run> {
        self.runs().filter(move |run| run.live_attempt().is_some_and(|it| it.agent == *agent))
    }

    /// All live runs.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = &Run> {
        self.runs.values()
    }

    /// That run, if it is live.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)
    }

    /// The live run that this task is an attempt of.
    #[must_use]
    pub fn run_of_task(&self, task_id: &TaskId) -> Option<&Run> {
        self.runs.get(self.derived.tasks.get(task_id)?)
    }

    /// The live run of whose last attempt its job may still say how it ended.
    #[must_use]
    pub fn run_that_may_report(&self, task_id: &TaskId) -> Option<&Run> {
        self.run_of_task(task_id).or_else(|| self.runs.get(self.derived.reporting.get(task_id)?))
    }

    /// The live runs of a job, oldest first.
    pub fn live_runs(&self, incarnation: Incarnation) -> impl Iterator<Item = &Run> {
        let ids = self.derived.live.get(&incarnation).into_iter().flatten();
        ids.map(|(_, id)| &self.runs[id])
    }

    /// Whether everything is paused.
    #[must_use]
    pub const fn everything_paused(&self) -> Option<&Pause> {
        self.pause.as_ref()
    }

    /// Why nothing comes of itself of a job, if it is paused or everything is.
    #[must_use]
    pub fn pause_of<'a>(&'a self, entry: &'a JobEntry) -> Option<&'a Pause> {
        crate::engine::pause::longer(entry.interventions.pause.as_ref(), self.pause.as_ref())
    }

    /// Backfills that go on, and the latest that are over, oldest first.
    pub fn backfills(&self) -> impl DoubleEndedIterator<Item = &Backfill> {
        self.backfills.values()
    }

    /// That backfill.
    #[must_use]
    pub fn backfill(&self, id: BackfillId) -> Option<&Backfill> {
        self.backfills.get(&id)
    }

    /// What is believed of the wall clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The jobs whose pause has ended by `now`, first come first.
    pub(in crate::engine) fn rested(&self, now: Timestamp) -> impl Iterator<Item = &JobEntry> {
        let come = self.derived.rests.iter().take_while(move |(at, _)| *at <= now);
        come.map(|(_, incarnation)| &self.jobs[incarnation])
    }

    /// The jobs of which an undecided occurrence's window has opened by `now`, first come first.
    pub(in crate::engine) fn due(&self, now: Timestamp) -> impl Iterator<Item = &JobEntry> {
        let come = self.derived.due.iter().take_while(move |(at, _)| *at <= now);
        come.map(|(_, incarnation)| &self.jobs[incarnation])
    }

    /// Pending runs, most urgent first.
    pub(in crate::engine) fn pending(&self) -> impl Iterator<Item = &Run> {
        self.derived.pending.iter().map(|(_, _, id)| &self.runs[id])
    }

    /// Pending runs whose start window has closed by `now`.
    pub(in crate::engine) fn overdue(&self, now: Timestamp) -> impl Iterator<Item = &Run> {
        let past = self.derived.deadlines.iter().take_while(move |(at, _)| *at < now);
        past.map(|(_, id)| &self.runs[id])
    }

    /// Runs that wait for an instant which has come by `now`.
    pub(in crate::engine) fn ringing(&self, now: Now) -> impl Iterator<Item = &Run> {
        let by_wall = self.derived.wall_alarms.iter().take_while(move |(at, _)| *at <= now.wall);
        let by_boot = self.derived.boot_alarms.iter().take_while(move |(at, _)| *at <= now.boot);
        by_boot.map(|(_, id)| id).chain(by_wall.map(|(_, id)| id)).map(|id| &self.runs[id])
    }

    /// Who is triggered by whom.
    #[must_use]
    pub const fn graph(&self) -> &JobGraph {
        &self.derived.graph
    }

    /// The ends of parents' runs that not all children have been told of, oldest first.
    pub fn signals(&self) -> impl ExactSizeIterator<Item = &Signal> {
        self.signals.values()
    }

    pub(in crate::engine) fn has_signals(&self) -> bool {
        !self.signals.is_empty()
    }

    /// Running runs whose attempt has had its time by `now`.
    pub(in crate::engine) fn overlong(&self, now: BootInstant) -> impl Iterator<Item = &Run> {
        let come = self.derived.stops.iter().take_while(move |(at, _)| *at <= now);
        come.map(|(_, id)| &self.runs[id])
    }

    /// Whether something changed since the pending runs were last matched with offers.
    pub(in crate::engine) fn is_placement_due(&self) -> bool {
        let has_something_to_do = !self.derived.pending.is_empty()
            || self.has_offers_to_give_back()
            || (self.is_cluster && self.demand_told != Some(Demand::Nothing));
        self.derived.is_placement_wanted && self.launcher_gone.is_none() && has_something_to_do
    }

    /// Whether there are offers that must not be held.
    pub(in crate::engine) fn has_offers_to_give_back(&self) -> bool {
        self.offers.values().any(|offer| offer.kind == OfferKind::Once)
    }

    /// What the launcher was told of what waits for an offer, if it need not be told anew.
    pub(in crate::engine) const fn demand_told(&self) -> Option<Demand> {
        self.demand_told
    }

    /// Whether the launcher works for a cluster, whose offers come and go.
    #[must_use]
    pub const fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// What each agent of the cluster offered last, in the order of agents; nothing for a launcher without one.
    pub fn seen(&self) -> impl ExactSizeIterator<Item = &SeenAgent> {
        self.seen.all()
    }

    /// What that agent of the cluster offered last.
    #[must_use]
    pub fn seen_agent(&self, agent: &AgentId) -> Option<&SeenAgent> {
        self.seen.get(agent)
    }

    /// Until when nothing is decided by time, because live attempts have not been heard of.
    pub(in crate::engine) fn listens_until(&self) -> Option<BootInstant> {
        self.listening.as_ref().map(|listening| listening.until)
    }

    /// Whether the state waits to hear of this task.
    pub(in crate::engine) fn listens_for(&self, task_id: &TaskId) -> bool {
        self.listening.as_ref().is_some_and(|listening| listening.unheard.contains(task_id))
    }

    /// The offers there are.
    #[must_use]
    pub const fn offers(&self) -> &BTreeMap<OfferId, Offer> {
        &self.offers
    }

    /// What the launcher was to its cluster when it was last connected to one.
    #[must_use]
    pub const fn framework(&self) -> Option<&FrameworkId> {
        self.framework.as_ref()
    }

    /// Why the launcher cannot be reached, if it cannot.
    #[must_use]
    pub fn launcher_gone(&self) -> Option<&str> {
        self.launcher_gone.as_deref()
    }

    /// Since when somebody misses the launcher; `None` while it can be reached, or if it was left on purpose.
    #[must_use]
    pub const fn launcher_missed_since(&self) -> Option<BootInstant> {
        self.launcher_missed_since
    }

    /// What live attempts hold on each agent.
    #[must_use]
    pub const fn used(&self) -> &BTreeMap<AgentId, Resources> {
        &self.derived.used
    }

    /// How many runs want an offer.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.derived.pending.len()
    }

    /// What was answered under a key, if that is remembered.
    pub(in crate::engine) fn answered(&self, id: &str) -> Option<&AnsweredRequest> {
        self.answered.get(id)
    }

    /// All requests that were carried out under a key, by its id.
    pub fn answered_requests(&self) -> impl ExactSizeIterator<Item = &AnsweredRequest> {
        self.answered.values()
    }

    /// Which answers there are, by age and by caller.
    pub(in crate::engine) const fn answered_index(&self) -> &Answered {
        &self.derived.answered
    }

    pub(in crate::engine) const fn last_incarnation(&self) -> u64 {
        self.last_incarnation
    }

    pub(in crate::engine) const fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// The last task-id millisecond used up by `name`, if any is.
    pub(in crate::engine) fn task_mark(&self, name: &JobName) -> Option<i64> {
        self.task_marks.get(name).copied()
    }

    /// The data under which that zone was last decided, if it ever was.
    pub(in crate::engine) fn kept_zone(&self, name: &str) -> Option<&[u8]> {
        self.kept_zones.get(name).map(|data| &**data)
    }

    /// Whether the launcher has denied an earlier launch of this task since it was last asked after everything.
    pub(in crate::engine) fn is_denied(&self, task_id: &TaskId) -> bool {
        self.denied.contains(task_id)
    }
}
