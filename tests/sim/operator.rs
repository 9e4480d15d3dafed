//! The operators: what they do about jobs and runs, knowing what has been committed.

use std::collections::{BTreeMap, BTreeSet};

use chronode::engine::lineage::{Followed, followed, latest, lenders};
use chronode::engine::{BackfillDraft, BacklogFilter, PastRun, Request};
use chronode::model::{
    Duration, Incarnation, Intervention, JobName, PauseScope, Run, RunId, RunVerb, Timestamp,
    Trigger,
};

use super::plan::{DAY, HOUR};
use super::record::runs;
use super::spec::{Way, name};
use super::world::World;

/// How long anything is paused at most, in seconds, if its pause has an end.
pub(crate) const PAUSED_MAX: i64 = 600;

impl World {
    /// What an operator does, mostly about that job or one of its runs, if there is anything to do about.
    pub(crate) fn operator_asks(&mut self, job: &JobName) -> Option<Request> {
        let life = *self.record.names.get(job)?;
        // Of many requests one can tell by its reason what came of it.
        let reason = format!("so, for the {}. time", self.requests);
        let by = Intervention { by: "kim".to_owned(), at: self.wall(), reason };
        if self.record.pauses.is_everything_for_good() && self.rng.chance(50) {
            return Some(self.resume(PauseScope::Everything, by));
        }
        self.record.played.interventions += 1;
        match self.rng.between(0, 13) {
            0 => {
                self.record.intervened.insert(life);
                Some(Request::SkipAhead { name: job.clone(), due_at: None, by })
            }
            1 => Some(self.pause(PauseScope::Job(job.clone()), by, 20)),
            2 => {
                self.record.played.subtrees += 1;
                Some(self.pause(PauseScope::Subtree(job.clone()), by, 20))
            }
            3 => Some(self.pause(PauseScope::Everything, by, 20)),
            4 => {
                let scope = match self.rng.between(0, 3) {
                    0 => PauseScope::Everything,
                    1 => PauseScope::Subtree(job.clone()),
                    _ => PauseScope::Job(job.clone()),
                };
                Some(self.resume(scope, by))
            }
            5 => self.backfill(job, by),
            6 => self.cancel_backfill(by),
            7 => Some(self.cut_backlog(by)),
            8 => self.retry_one_of_many(by),
            _ => self.operate(job, life, by),
        }
    }

    /// Whether or not anybody hears of it.
    fn touch(&mut self, scope: &PauseScope) {
        match scope {
            PauseScope::Everything => {}
            PauseScope::Job(name) | PauseScope::Subtree(name) => {
                self.record.intervened.extend(self.record.names.get(name));
            }
        }
    }

    fn pause(&mut self, scope: PauseScope, by: Intervention, for_good_percent: i64) -> Request {
        self.touch(&scope);
        let span = Duration::from_secs(self.rng.between(1, PAUSED_MAX));
        let until = by.at.saturating_add(span).ok();
        let until = until.filter(|_| !self.rng.chance(for_good_percent));
        Request::Pause { scope, until, by }
    }

    fn resume(&mut self, scope: PauseScope, by: Intervention) -> Request {
        self.touch(&scope);
        let resumed = &mut self.record.pauses.resumed;
        match &scope {
            PauseScope::Everything => {
                resumed.insert(None);
            }
            PauseScope::Job(name) => {
                resumed.extend(self.record.names.get(name).map(|life| Some(*life)));
            }
            // Who follows from it is not known here.
            PauseScope::Subtree(_) => {
                resumed.extend(self.record.names.values().map(|life| Some(*life)));
            }
        }
        Request::Resume { scope, by }
    }

    fn backfill(&mut self, job: &JobName, by: Intervention) -> Option<Request> {
        let span = self.plan.pace.of(2 * HOUR, 5 * DAY) / 1_000;
        let now = by.at.as_millisecond();
        let mut due: Vec<i64> = match &self.record.present(job)?.way {
            Way::Schedule(terms) => {
                terms.occurrences(now - span, now).iter().map(|it| it.due).collect()
            }
            // One that has parents is run for whatever instant.
            Way::Parents(_) => (0..8).map(|part| now - span * part / 8).collect(),
        };
        let most = usize::try_from(self.rng.between(1, 8)).expect("not negative");
        due.drain(..due.len().saturating_sub(most));
        match self.rng.between(0, 2) {
            0 => due.reverse(),
            1 if due.len() > 2 => due.swap(0, 1),
            _ => {}
        }
        let draft = BackfillDraft {
            name: job.clone(),
            due: due
                .into_iter()
                .map(|at| Timestamp::from_millisecond(at).expect("an instant"))
                .collect(),
            concurrency: self.rng.pick(&[1, 1, 2, 3]),
            stops_on_failure: self.rng.chance(30),
            arguments: None,
            environment: Vec::new(),
            by,
        };
        self.record.backfills.asked.insert(draft.by.reason.clone(), draft.clone());
        Some(Request::Backfill(Box::new(draft)))
    }

    fn cancel_backfill(&mut self, by: Intervention) -> Option<Request> {
        let going: Vec<_> = self.record.backfills.going().collect();
        if going.is_empty() {
            return None;
        }
        let (id, life) = self.rng.pick(&going);
        let is_it = |(_, other): &(&JobName, &Incarnation)| **other == life;
        let name = self.record.names.iter().find(is_it)?.0.clone();
        self.record.backfills.to_cancel.insert(id);
        Some(Request::CancelBackfill { name, id, is_killing: self.rng.chance(50), by })
    }

    fn cut_backlog(&mut self, by: Intervention) -> Request {
        let names = self.rng.chance(60).then(|| {
            let count = self.rng.between(1, 4);
            (0..count).map(|_| name(self.rng.between(1, 8))).collect::<BTreeSet<_>>()
        });
        let span = Duration::from_secs(self.rng.between(0, 3_600));
        let due_before = by.at.saturating_sub(span).ok().filter(|_| self.rng.chance(40));
        Request::CutBacklog { filter: BacklogFilter { names, due_before }, by }
    }

    fn operate(&mut self, job: &JobName, life: Incarnation, by: Intervention) -> Option<Request> {
        let of_job = |id: &&RunId| id.incarnation == life;
        let live: Vec<RunId> = self.record.live.keys().filter(of_job).copied().collect();
        let over: Vec<RunId> = self.record.ended.keys().filter(of_job).copied().collect();
        let is_over = live.is_empty() || self.rng.chance(40);
        let among = if is_over { over } else { live };
        if among.is_empty() {
            return None;
        }
        let run = self.rng.pick(&among);
        let verb = self.rng.pick(&[
            RunVerb::Kill,
            RunVerb::Retry,
            RunVerb::RetryDown,
            RunVerb::RetryDown,
            RunVerb::Succeed,
            RunVerb::Skip,
        ]);
        Some(self.about_run(job, run, verb, by))
    }

    /// What followed from a run is to follow once more, although others brought it about as well.
    fn retry_one_of_many(&mut self, by: Intervention) -> Option<Request> {
        let is_over = |id: &&RunId| self.record.ended.contains_key(*id);
        let among: Vec<RunId> = self.record.one_of_many.iter().filter(is_over).copied().collect();
        if among.is_empty() {
            return None;
        }
        let run = self.rng.pick(&among);
        let is_it = |(_, life): &(&JobName, &Incarnation)| **life == run.incarnation;
        let job = self.record.names.iter().find(is_it)?.0.clone();
        Some(self.about_run(&job, run, RunVerb::RetryDown, by))
    }

    fn about_run(&mut self, job: &JobName, run: RunId, verb: RunVerb, by: Intervention) -> Request {
        let past = self.store.run(run).filter(Run::is_ended);
        let past = past.map(|run| {
            let below = match verb {
                RunVerb::RetryDown => self.below(&run).iter().map(Followed::to_below).collect(),
                RunVerb::Kill | RunVerb::Retry | RunVerb::Succeed | RunVerb::Skip => Vec::new(),
            };
            Box::new(PastRun { run, below })
        });
        self.record.operated.insert(run);
        if verb == RunVerb::Succeed {
            self.record.marked.insert(run);
        }
        Request::OperateRun { name: job.clone(), run, verb, past, by }
    }

    /// What the history says followed from a run, or from one that it tries again.
    fn below(&self, root: &Run) -> Vec<Followed> {
        let history = self.store.history();
        let all: BTreeMap<RunId, &Run> = runs(&history).map(|run| (run.id, run)).collect();
        let mut known = BTreeSet::from([root.id]);
        let mut first = root;
        while let Trigger::Retry { of, .. } = first.trigger {
            known.insert(of);
            let Some(earlier) = all.get(&of) else { break };
            first = earlier;
        }
        // Nothing follows from a run that was recorded later.
        let mut in_order: Vec<&Run> = all.values().copied().collect();
        in_order.sort_by_key(|run| run.sequence);
        let mut chain = Vec::new();
        for run in in_order {
            if run.causes.iter().any(|cause| known.contains(cause)) && known.insert(run.id) {
                chain.push(run.clone());
            }
        }
        let latest = latest(root, &chain);
        let lent = lenders(root, &latest);
        let lent = lent.iter().filter_map(|id| Some((*id, (*all.get(id)?).clone()))).collect();
        let is_soft = |run: &Run| {
            self.record.spec_of(run.id.incarnation).next_back().is_some_and(|spec| spec.soft_error)
        };
        followed(latest, &lent, is_soft)
    }
}
