//! That the indexes follow from the state: rebuilt after every change of a debug build, and compared.

use std::collections::BTreeSet;

use super::State;
use crate::engine::index::Derived;
use crate::engine::objective;
use crate::model::{Incarnation, Priority, When};

impl State {
    /// Rebuilds the indexes from the rest and compares; of small states, so that debug builds stay usable.
    pub(super) fn check_derived(&self) {
        const CHECKED_UP_TO: usize = 64;
        if self.jobs.len() + self.runs.len() > CHECKED_UP_TO {
            return;
        }
        let mut rebuilt = Derived {
            is_placement_wanted: self.derived.is_placement_wanted,
            graph: self.derived.graph.clone(),
            job_count: self.derived.job_count,
            ..Derived::default()
        };
        self.answered.values().for_each(|it| rebuilt.answered.add(it));
        for entry in self.jobs.values() {
            let next = entry.find_next(&self.settings);
            rebuilt.due.extend(next.map(|next| (next.opens_at, entry.incarnation)));
            let until = entry.interventions.pause.as_ref().and_then(|pause| pause.until);
            rebuilt.rests.extend(until.map(|until| (until, entry.incarnation)));
        }
        for run in self.runs.values() {
            // A pending run keeps the priority with which it was indexed.
            let is_of = |priority: &Priority| {
                let mut alone = Derived::default();
                alone.index_run(run, *priority);
                alone.pending.is_subset(&self.derived.pending)
            };
            let priority = Priority::ALL.into_iter().find(is_of).unwrap_or_default();
            rebuilt.index_run(run, priority);
            rebuilt.objectives.extend(objective::next(self, run).map(|at| (at, run.id)));
        }
        assert_eq!(rebuilt, self.derived, "an index does not follow from the state");
        for (incarnation, entry) in &self.jobs {
            let When::Parents(terms) = &entry.job.when else { continue };
            let named = terms.names.iter().filter_map(|name| self.names.get(name).copied());
            let named: BTreeSet<Incarnation> = named.collect();
            assert_eq!(named, self.derived.graph.parents(*incarnation), "an edge is off");
        }
    }
}
