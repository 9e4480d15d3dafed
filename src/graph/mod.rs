//! The job graph: whose runs trigger whose.
//!
//! Vertices are lives of jobs, edges lead from parent to child. Knows nothing of what happened to them: rounds are the
//! engine's. The edges are `petgraph`'s; of its algorithms only those that keep their own stack are used, because a
//! chain may have a hundred thousand jobs.

#![deny(clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::{astar, toposort};
use petgraph::stable_graph::{NodeIndex, StableDiGraph};

use crate::model::Incarnation;

/// Who is triggered by whom.
#[derive(Debug, Clone, Default)]
pub struct JobGraph {
    edges: StableDiGraph<Incarnation, ()>,
    /// Only jobs that have an edge, or had one, are vertices.
    vertices: BTreeMap<Incarnation, NodeIndex>,
}

impl JobGraph {
    /// Gives `child` these parents in place of those it has.
    pub fn set_parents(&mut self, child: Incarnation, parents: &[Incarnation]) {
        if parents.is_empty() && !self.vertices.contains_key(&child) {
            return;
        }
        let child = self.vertex(child);
        let mut old = self.edges.neighbors_directed(child, Direction::Incoming).detach();
        while let Some(edge) = old.next_edge(&self.edges) {
            self.edges.remove_edge(edge);
        }
        // Each once: looking whether an edge is there already would walk all children of the parent.
        for parent in BTreeSet::from_iter(parents.iter().copied()) {
            let parent = self.vertex(parent);
            self.edges.add_edge(parent, child, ());
        }
    }

    /// Forgets a job and every edge of it.
    pub fn remove(&mut self, job: Incarnation) {
        if let Some(vertex) = self.vertices.remove(&job) {
            self.edges.remove_node(vertex);
        }
    }

    /// Whether anything is triggered by `job`.
    #[must_use]
    pub fn has_children(&self, job: Incarnation) -> bool {
        self.neighbours(job, Direction::Outgoing).next().is_some()
    }

    /// The jobs that `job` is a parent of, oldest first.
    #[must_use]
    pub fn children(&self, job: Incarnation) -> BTreeSet<Incarnation> {
        self.neighbours(job, Direction::Outgoing).collect()
    }

    /// The parents of `job`, oldest first.
    #[must_use]
    pub fn parents(&self, job: Incarnation) -> BTreeSet<Incarnation> {
        self.neighbours(job, Direction::Incoming).collect()
    }

    /// `jobs` and all that are triggered by them, directly or through others.
    #[must_use]
    pub fn descendants(
        &self,
        jobs: impl IntoIterator<Item = Incarnation>,
    ) -> BTreeSet<Incarnation> {
        let mut left: Vec<Incarnation> = jobs.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(job) = left.pop() {
            if found.insert(job) {
                left.extend(self.neighbours(job, Direction::Outgoing));
            }
        }
        found
    }

    /// The part of the graph between `jobs`. From each of `walked`, which are some of them, [`Self::cycle`] goes the same
    /// way as in the whole: of ways of one length it finds the same. All children of these must be among `jobs`.
    ///
    /// Looks at the edges from `walked` and at those to `jobs`, so that a parent of them costs nothing by its other
    /// children.
    #[must_use]
    pub fn excerpt(&self, jobs: &BTreeSet<Incarnation>, walked: &BTreeSet<Incarnation>) -> Self {
        let mut part = Self::default();
        let mut link = |parent, child| {
            let (parent, child) = (part.vertex(parent), part.vertex(child));
            part.edges.add_edge(parent, child, ());
        };
        for parent in walked {
            // The edge that came last is the first to be found.
            let children: Vec<Incarnation> =
                self.neighbours(*parent, Direction::Outgoing).collect();
            children.into_iter().rev().for_each(|child| link(*parent, child));
        }
        for child in jobs {
            let parents = self.parents(*child).into_iter();
            let others = parents.filter(|it| jobs.contains(it) && !walked.contains(it));
            others.for_each(|parent| link(parent, *child));
        }
        part
    }

    /// The jobs through which `child` would wait for itself if it had these parents, if it would: from `child` on, each
    /// a parent of the next, to one of `parents`, which is a parent of `child` then.
    ///
    /// Looks at `child`, its descendants and nothing else, at each once.
    #[must_use]
    pub fn cycle(&self, child: Incarnation, parents: &[Incarnation]) -> Option<Vec<Incarnation>> {
        if parents.contains(&child) {
            return Some(vec![child]);
        }
        let start = *self.vertices.get(&child)?;
        let wanted: BTreeSet<NodeIndex> =
            parents.iter().filter_map(|parent| self.vertices.get(parent).copied()).collect();
        let (_, path) = astar(&self.edges, start, |at| wanted.contains(&at), |_| 1, |_| 0)?;
        Some(path.into_iter().map(|vertex| self.edges[vertex]).collect())
    }

    /// Whether no job waits for itself.
    #[must_use]
    pub fn is_acyclic(&self) -> bool {
        toposort(&self.edges, None).is_ok()
    }

    /// Every edge, as parent and child.
    #[must_use]
    pub fn edges(&self) -> BTreeSet<(Incarnation, Incarnation)> {
        let ends = self.edges.edge_indices().filter_map(|edge| self.edges.edge_endpoints(edge));
        ends.map(|(parent, child)| (self.edges[parent], self.edges[child])).collect()
    }

    fn neighbours(
        &self,
        job: Incarnation,
        direction: Direction,
    ) -> impl Iterator<Item = Incarnation> {
        let vertex = self.vertices.get(&job);
        let found = vertex.map(|vertex| self.edges.neighbors_directed(*vertex, direction));
        found.into_iter().flatten().map(|vertex| self.edges[vertex])
    }

    fn vertex(&mut self, job: Incarnation) -> NodeIndex {
        *self.vertices.entry(job).or_insert_with(|| self.edges.add_node(job))
    }
}

/// As sets of edges: how they are laid out depends on the order in which they came.
impl PartialEq for JobGraph {
    fn eq(&self, other: &Self) -> bool {
        self.edges() == other.edges()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(numbers: &[u64]) -> Vec<Incarnation> {
        numbers.iter().copied().map(Incarnation).collect()
    }

    fn graph(edges: &[(u64, &[u64])]) -> JobGraph {
        let mut graph = JobGraph::default();
        for (child, parents) in edges {
            graph.set_parents(Incarnation(*child), &jobs(parents));
        }
        graph
    }

    /// The graph of Chronos' JobGraphSpec: A→B, A→C, B→D, B→E, C→E.
    #[test]
    fn parents_and_children_are_found_from_both_ends() {
        let graph = graph(&[(2, &[1]), (3, &[1]), (4, &[2]), (5, &[2, 3])]);
        assert_eq!(Vec::from_iter(graph.children(Incarnation(1))), jobs(&[2, 3]));
        assert_eq!(Vec::from_iter(graph.parents(Incarnation(5))), jobs(&[2, 3]));
        assert!(graph.has_children(Incarnation(3)) && !graph.has_children(Incarnation(5)));
        assert!(!graph.has_children(Incarnation(99)));
    }

    #[test]
    fn new_parents_take_the_place_of_the_old_ones_and_a_removed_job_has_no_edges() {
        let mut graph = graph(&[(2, &[1]), (3, &[1, 2])]);
        graph.set_parents(Incarnation(3), &jobs(&[2, 2]));
        assert_eq!(Vec::from_iter(graph.parents(Incarnation(3))), jobs(&[2]));
        assert_eq!(Vec::from_iter(graph.children(Incarnation(1))), jobs(&[2]));
        graph.remove(Incarnation(2));
        assert_eq!(graph.edges(), BTreeSet::new());
        graph.set_parents(Incarnation(3), &[]);
        assert_eq!(graph, JobGraph::default());
    }

    #[test]
    fn a_job_that_would_wait_for_itself_is_told_through_whom() {
        let graph = graph(&[(2, &[1]), (3, &[2]), (4, &[3]), (5, &[1])]);
        let through = |child, parents: &[u64]| graph.cycle(Incarnation(child), &jobs(parents));
        assert_eq!(through(1, &[1]), Some(jobs(&[1])));
        assert_eq!(through(1, &[5, 4]), Some(jobs(&[1, 5])));
        assert_eq!(through(1, &[4]), Some(jobs(&[1, 2, 3, 4])));
        assert_eq!(through(4, &[1, 2, 5]), None);
        assert_eq!(through(9, &[1]), None);
        assert!(graph.is_acyclic());
    }

    #[test]
    fn an_excerpt_has_every_edge_between_its_jobs_and_is_walked_the_same_way() {
        let mut graph = graph(&[(2, &[1]), (3, &[1]), (4, &[1]), (5, &[2, 3, 4, 9]), (6, &[8, 9])]);
        // What was removed and came back is elsewhere in the list of its parent.
        graph.set_parents(Incarnation(3), &[]);
        graph.set_parents(Incarnation(3), &jobs(&[1]));
        assert_eq!(
            graph.descendants(jobs(&[1, 6])),
            jobs(&[1, 2, 3, 4, 5, 6]).into_iter().collect()
        );
        let some = BTreeSet::from_iter(jobs(&[1, 2, 3, 4, 5, 9]));
        let walked = graph.descendants(jobs(&[1]));
        let part = graph.excerpt(&some, &walked);
        let is_inside = |(parent, child): &(_, _)| some.contains(parent) && some.contains(child);
        let inside: BTreeSet<_> = graph.edges().into_iter().filter(is_inside).collect();
        assert_eq!(part.edges(), inside);
        assert_eq!(inside.len(), 7);
        let close = |graph: &JobGraph| graph.cycle(Incarnation(1), &jobs(&[5])).unwrap();
        assert_eq!(close(&part), close(&graph));
        for end in [2, 3, 4] {
            let through = |graph: &mut JobGraph| {
                graph.set_parents(Incarnation(5), &jobs(&[end]));
                close(graph)
            };
            assert_eq!(through(&mut part.clone()), through(&mut graph.clone()));
        }
    }

    /// Algorithms that call themselves once for each job of a chain would overflow the stack.
    #[test]
    fn a_chain_of_a_hundred_thousand_jobs_is_closed_and_removed_without_deep_calls() {
        const LENGTH: u64 = 100_000;
        let mut graph = JobGraph::default();
        for child in 2..=LENGTH {
            graph.set_parents(Incarnation(child), &[Incarnation(child - 1)]);
        }
        assert!(graph.is_acyclic());
        let found = graph.cycle(Incarnation(1), &[Incarnation(LENGTH)]).unwrap();
        assert_eq!(found.len(), 100_000);
        // A newcomer at the end has no descendants, so nothing of the chain is walked.
        assert_eq!(graph.cycle(Incarnation(LENGTH + 1), &[Incarnation(LENGTH)]), None);
        for job in 1..=LENGTH {
            graph.remove(Incarnation(job));
        }
        assert_eq!(graph, JobGraph::default());
    }
}
