//! How far right each node stands, and which nodes hang together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The column of each node: 0 where nothing leads to it, else right behind the last that does.
///
/// In a circle one node is taken as if nothing that is left led to it. Looks at each edge once, and keeps its own list.
pub(super) fn columns(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut children = vec![Vec::new(); nodes];
    let mut open = vec![0_usize; nodes];
    for &(from, to) in edges {
        children[from].push(to);
        open[to] += 1;
    }
    let mut columns = vec![0_usize; nodes];
    let mut is_done = vec![false; nodes];
    let mut ready: VecDeque<usize> = (0..nodes).filter(|node| open[*node] == 0).collect();
    let mut rest = 0..nodes;
    loop {
        while let Some(node) = ready.pop_front() {
            if std::mem::replace(&mut is_done[node], true) {
                continue;
            }
            for &child in &children[node] {
                if is_done[child] {
                    continue;
                }
                columns[child] = columns[child].max(columns[node] + 1);
                open[child] -= 1;
                if open[child] == 0 {
                    ready.push_back(child);
                }
            }
        }
        match rest.find(|node| !is_done[*node]) {
            Some(node) => ready.push_back(node),
            None => return columns,
        }
    }
}

/// Nodes that hang together, with the edges between them.
pub(super) type Hanging = (Vec<usize>, Vec<(usize, usize)>);

/// All nodes in parts that hang together, each part and its nodes in order.
pub(super) fn parts(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<Hanging> {
    let mut neighbours = vec![Vec::new(); nodes];
    for &(from, to) in edges {
        neighbours[from].push(to);
        neighbours[to].push(from);
    }
    let mut part_of: Vec<Option<usize>> = vec![None; nodes];
    let mut parts: BTreeMap<usize, Hanging> = BTreeMap::new();
    for first in 0..nodes {
        let mut left = vec![first];
        while let Some(node) = left.pop() {
            if part_of[node].is_none() {
                part_of[node] = Some(first);
                left.extend(&neighbours[node]);
            }
        }
    }
    for (node, part) in part_of.iter().enumerate() {
        parts.entry(part.unwrap_or(node)).or_default().0.push(node);
    }
    for &edge in edges {
        parts.entry(part_of[edge.0].unwrap_or(edge.0)).or_default().1.push(edge);
    }
    parts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stands_right_behind_its_last_parent() {
        let edges = [(0, 1), (1, 2), (0, 2), (3, 2), (2, 4)].into();
        assert_eq!(columns(6, &edges), [0, 1, 2, 0, 3, 0]);
        assert_eq!(columns(0, &BTreeSet::new()), [0; 0]);
    }

    #[test]
    fn a_circle_is_cut_at_one_place() {
        let edges = [(0, 1), (1, 2), (2, 0), (3, 1), (2, 4), (5, 5)].into();
        let found = columns(6, &edges);
        let back = |(from, to): &&(usize, usize)| found[*from] >= found[*to];
        let back: Vec<_> = edges.iter().filter(back).collect();
        assert_eq!(back, [&(2, 0), &(5, 5)], "{found:?}");
    }

    #[test]
    fn what_hangs_together_is_a_part() {
        let edges = [(0, 2), (4, 2), (1, 3)].into();
        let expected = vec![
            (vec![0, 2, 4], vec![(0, 2), (4, 2)]),
            (vec![1, 3], vec![(1, 3)]),
            (vec![5], vec![]),
        ];
        assert_eq!(parts(6, &edges), expected);
    }
}
