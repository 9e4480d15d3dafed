//! The part of a state that some jobs are stored by.
//!
//! Whoever stores several jobs at once decides each on the state as those before it have left it, so something has to
//! move on with them. A copy of the whole state would cost by all jobs there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::alerts;
use crate::model::{Incarnation, JobDraft, JobName, When};

use super::State;
use crate::engine::event::SourceTerms;
use crate::engine::index::Derived;
use crate::engine::seen::Seen;

impl State {
    /// A state with all that storing `drafts` looks at, in any order: these jobs, their live runs and used-up task ids;
    /// the parents that they name; their children; and all who come after those that have parents, because these must
    /// not come to wait for themselves. Between the jobs in it every edge is there.
    ///
    /// Of jobs that `source` deletes with it: these, the same of each, what their children run after, and their backfills.
    ///
    /// Good for nothing else: it knows no launcher, no term, no signals and no answers.
    pub(in crate::engine) fn excerpt(
        &self,
        drafts: &[JobDraft],
        source: Option<&SourceTerms>,
    ) -> Self {
        let graph = &self.derived.graph;
        let life = |name: &JobName| self.names.get(name).copied();
        let mut stored: BTreeSet<Incarnation> =
            drafts.iter().filter_map(|draft| life(&draft.name)).collect();
        let removed: BTreeSet<Incarnation> =
            source.iter().flat_map(|source| &source.removed).filter_map(life).collect();
        // Their children are stored anew, and may run at once.
        let heirs: BTreeSet<Incarnation> =
            removed.iter().flat_map(|job| graph.children(*job)).collect();
        stored.extend(removed.iter().chain(&heirs));
        let parents_of = |draft: &JobDraft| match &draft.when {
            When::Schedule(_) => Vec::new(),
            When::Parents(terms) => terms.names.iter().filter_map(life).collect(),
        };
        let with_parents = drafts.iter().filter(|draft| match &draft.when {
            When::Schedule(_) => false,
            When::Parents(_) => true,
        });
        // Those whose children are looked at: one after the other, in the order in which the graph has them.
        let mut walked = graph.descendants(with_parents.filter_map(|draft| life(&draft.name)));
        walked.extend(&stored);
        let mut lives = walked.clone();
        lives.extend(drafts.iter().flat_map(parents_of));
        lives.extend(walked.iter().flat_map(|job| graph.children(*job)));
        lives.extend(removed.iter().chain(&heirs).flat_map(|job| graph.parents(*job)));
        lives.extend(source.iter().flat_map(|source| &source.gone).filter_map(life));

        let mut excerpt = Self {
            settings: Arc::clone(&self.settings),
            term: self.term,
            jobs: BTreeMap::new(),
            names: BTreeMap::new(),
            runs: BTreeMap::new(),
            signals: BTreeMap::new(),
            task_marks: BTreeMap::new(),
            // As many as there are zones, however many jobs there are.
            kept_zones: self.kept_zones.clone(),
            answered: BTreeMap::new(),
            pause: self.pause.clone(),
            backfills: BTreeMap::new(),
            clock: self.clock,
            // What is asked of an excerpt tells nobody.
            alerts: alerts::Desk::default(),
            judged_through: self.judged_through,
            last_incarnation: self.last_incarnation,
            last_sequence: self.last_sequence,
            framework: None,
            offers: BTreeMap::new(),
            launcher_gone: None,
            launcher_missed_since: None,
            is_cluster: false,
            demand_told: None,
            seen: Seen::default(),
            denied: BTreeSet::new(),
            listening: None,
            derived: Derived {
                graph: graph.excerpt(&lives, &walked),
                // Of all, because that is what a limit is on.
                job_count: self.derived.job_count,
                ..Derived::default()
            },
        };
        for (life, entry) in lives.iter().filter_map(|life| self.jobs.get_key_value(life)) {
            excerpt.names.insert(entry.job.name.clone(), *life);
            excerpt.derived.due.extend(entry.next.map(|next| (next.opens_at, *life)));
            let until = entry.interventions.pause.as_ref().and_then(|pause| pause.until);
            excerpt.derived.rests.extend(until.map(|until| (until, *life)));
            excerpt.jobs.insert(*life, entry.clone());
        }
        for run in stored.iter().flat_map(|life| self.live_runs(*life)) {
            excerpt.put_run(run.clone());
        }
        let names = stored.iter().filter_map(|life| self.jobs.get(life)).map(|it| &it.job.name);
        for name in names.chain(drafts.iter().map(|draft| &draft.name)) {
            let mark = self.task_marks.get(name);
            excerpt.task_marks.extend(mark.map(|mark| (name.clone(), *mark)));
        }
        let theirs = self.backfills.iter().filter(|(_, it)| removed.contains(&it.incarnation));
        excerpt.backfills.extend(theirs.map(|(id, it)| (*id, it.clone())));
        excerpt
    }
}
