//! Which nodes of a graph are drawn, where it has more than a picture should have.

use std::collections::{BTreeMap, BTreeSet};

use super::column;

/// Who leads to whom.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    edges: BTreeSet<(usize, usize)>,
}

/// The nodes that are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// They, in order.
    pub nodes: BTreeSet<usize>,
    /// How many were wanted.
    pub wanted: usize,
}

impl Graph {
    /// A graph of so many nodes, with edges from the first of a pair to the second.
    ///
    /// # Panics
    ///
    /// If an edge has an end that is no node.
    #[must_use]
    pub fn new(nodes: usize, edges: BTreeSet<(usize, usize)>) -> Self {
        let mut graph =
            Self { parents: vec![Vec::new(); nodes], children: vec![Vec::new(); nodes], edges };
        for &(from, to) in &graph.edges {
            graph.children[from].push(to);
            graph.parents[to].push(from);
        }
        graph
    }

    /// What leads to a node.
    #[must_use]
    pub fn parents(&self, node: usize) -> &[usize] {
        &self.parents[node]
    }

    /// What a node leads to.
    #[must_use]
    pub fn children(&self, node: usize) -> &[usize] {
        &self.children[node]
    }

    /// The edges between some nodes.
    pub fn between<'a>(
        &'a self,
        nodes: &'a BTreeSet<usize>,
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let children = |from: &'a usize| self.children[*from].iter().map(move |to| (*from, *to));
        nodes.iter().flat_map(children).filter(|(_, to)| nodes.contains(to))
    }

    /// All nodes that have an edge, or of more than `max`, or of more than `edges_max` edges, a part.
    ///
    /// Parts that hang together are taken whole, the largest first; of those for which there is no room left, as many
    /// nodes as fit, those that others follow from first.
    #[must_use]
    pub fn all(&self, max: usize, edges_max: usize) -> Chosen {
        let columns = column::columns(self.children.len(), &self.edges);
        let mut parts = column::parts(self.children.len(), &self.edges);
        parts.retain(|(_, edges)| !edges.is_empty());
        let wanted = parts.iter().map(|(nodes, _)| nodes.len()).sum();
        parts.sort_by_key(|(nodes, _)| std::cmp::Reverse(nodes.len()));
        let mut room = Room { max, edges_max, ..Room::default() };
        parts.retain(|(nodes, edges)| !room.takes_part(nodes, edges.len()));
        for (mut nodes, _) in parts {
            nodes.sort_by_key(|node| (columns[*node], *node));
            if !nodes.into_iter().all(|node| room.takes(self, node)) {
                break;
            }
        }
        Chosen { nodes: room.nodes, wanted }
    }

    /// A node with what leads to it over at most `up` edges and what it leads to over at most `down`, the nearest first.
    #[must_use]
    pub fn around(
        &self,
        node: usize,
        (up, down): (usize, usize),
        max: usize,
        edges_max: usize,
    ) -> Chosen {
        let mut distances = BTreeMap::from([(node, 0)]);
        for (reach, next) in [(up, &self.parents), (down, &self.children)] {
            // In both directions from the node alone: other children of its parents are not about it.
            let mut last = BTreeSet::from([node]);
            for distance in 1..=reach {
                let found: BTreeSet<usize> =
                    last.iter().flat_map(|node| &next[*node]).copied().collect();
                last = found.into_iter().filter(|node| !distances.contains_key(node)).collect();
                if last.is_empty() {
                    break;
                }
                distances.extend(last.iter().map(|node| (*node, distance)));
            }
        }
        let wanted = distances.len();
        let mut nearest: Vec<(usize, usize)> =
            distances.into_iter().map(|(node, distance)| (distance, node)).collect();
        nearest.sort_unstable();
        let mut room = Room { max, edges_max, ..Room::default() };
        for (_, node) in nearest {
            if !room.takes(self, node) {
                break;
            }
        }
        Chosen { nodes: room.nodes, wanted }
    }
}

/// What has been chosen, and how much may be.
#[derive(Debug, Default)]
struct Room {
    nodes: BTreeSet<usize>,
    edges: usize,
    max: usize,
    edges_max: usize,
}

impl Room {
    fn takes_part(&mut self, nodes: &[usize], edges: usize) -> bool {
        let fits =
            self.nodes.len() + nodes.len() <= self.max && self.edges + edges <= self.edges_max;
        if fits {
            self.nodes.extend(nodes);
            self.edges += edges;
        }
        fits
    }

    fn takes(&mut self, graph: &Graph, node: usize) -> bool {
        let neighbours = graph.parents[node].iter().chain(&graph.children[node]);
        let edges = neighbours.filter(|other| self.nodes.contains(other)).count();
        let fits = self.nodes.len() < self.max && self.edges + edges <= self.edges_max;
        if fits {
            self.nodes.insert(node);
            self.edges += edges;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 1_000;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        Graph::new(nodes, edges.iter().copied().collect())
    }

    fn found(chosen: &Chosen) -> (Vec<usize>, usize) {
        (chosen.nodes.iter().copied().collect(), chosen.wanted)
    }

    #[test]
    fn all_is_what_has_an_edge() {
        let graph = graph(6, &[(0, 1), (4, 3)]);
        assert_eq!(found(&graph.all(MANY, MANY)), (vec![0, 1, 3, 4], 4));
        assert_eq!(graph.between(&[0, 1, 3].into()).collect::<Vec<_>>(), [(0, 1)]);
    }

    #[test]
    fn parts_that_fit_are_taken_whole_and_others_from_their_beginning() {
        // A chain of four, given from its end; one of two; and one of three.
        let graph = graph(9, &[(3, 2), (2, 1), (1, 0), (4, 5), (6, 7), (7, 8)]);
        for (max, expected) in [
            (9, vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
            (8, vec![0, 1, 2, 3, 4, 6, 7, 8]),
            (7, vec![0, 1, 2, 3, 6, 7, 8]),
            (6, vec![0, 1, 2, 3, 4, 5]),
            (5, vec![0, 1, 2, 3, 6]),
            (3, vec![6, 7, 8]),
            (2, vec![4, 5]),
            (1, vec![3]),
        ] {
            assert_eq!(found(&graph.all(max, MANY)), (expected, 9), "{max}");
        }
        // Three edges are those of the chain of four, or of the other two.
        assert_eq!(found(&graph.all(9, 3)), (vec![0, 1, 2, 3, 6], 9));
    }

    #[test]
    fn around_a_node_is_what_it_comes_from_and_what_comes_of_it() {
        // 0→1→2→3→4, with a sibling of 2 and another parent of 3.
        let graph = graph(8, &[(0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (6, 3)]);
        for ((up, down), expected) in [
            ((0, 0), vec![2]),
            ((1, 0), vec![1, 2]),
            ((1, 1), vec![1, 2, 3]),
            ((2, 2), vec![0, 1, 2, 3, 4]),
            ((99, 1), vec![0, 1, 2, 3]),
        ] {
            let chosen = graph.around(2, (up, down), MANY, MANY);
            assert_eq!(found(&chosen), (expected.clone(), expected.len()), "{up} {down}");
        }
        assert_eq!(found(&graph.around(2, (9, 9), 3, MANY)), (vec![1, 2, 3], 5));
        assert_eq!(found(&graph.around(2, (9, 9), MANY, 3)), (vec![0, 1, 2, 3], 5));
        assert_eq!(found(&graph.around(7, (9, 9), MANY, MANY)), (vec![7], 1));
    }
}
