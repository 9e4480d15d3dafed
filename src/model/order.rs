//! The one order of parents before their children.

use std::collections::{BTreeMap, BTreeSet};

/// Places of jobs in an order in which each comes after those of its parents that are among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentsFirst {
    /// In that order; where nothing else decides, as they were given.
    pub placed: Vec<usize>,
    /// Those that wait for themselves, directly or through others, or for one that does; as they were given.
    pub left: Vec<usize>,
}

/// Orders jobs, each given as its name and the names of its parents. Parents that are not among them are not waited for;
/// of two jobs of one name the later is the parent.
#[must_use]
pub fn parents_first<'a, P>(jobs: &[(&'a str, P)]) -> ParentsFirst
where
    P: Clone + IntoIterator<Item = &'a str>,
{
    let index_of: BTreeMap<&str, usize> =
        jobs.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    let mut waits_for = vec![0_usize; jobs.len()];
    for (index, (_, parents)) in jobs.iter().enumerate() {
        for parent in parents.clone().into_iter().filter_map(|name| index_of.get(name)) {
            children[*parent].push(index);
            waits_for[index] += 1;
        }
    }
    let mut ready: BTreeSet<usize> =
        (0..jobs.len()).filter(|index| waits_for[*index] == 0).collect();
    let mut placed = Vec::with_capacity(jobs.len());
    while let Some(index) = ready.pop_first() {
        placed.push(index);
        for child in &children[index] {
            waits_for[*child] -= 1;
            if waits_for[*child] == 0 {
                ready.insert(*child);
            }
        }
    }
    let left = (0..jobs.len()).filter(|index| waits_for[*index] > 0).collect();
    ParentsFirst { placed, left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_else_the_given_order_counts() {
        let jobs = [
            ("c", vec!["b", "a", "b"]),
            ("z", vec!["elsewhere"]),
            ("b", vec!["a"]),
            ("a", vec![]),
            ("self", vec!["self"]),
            ("behind", vec!["self", "a"]),
        ];
        let jobs: Vec<(&str, Vec<&str>)> = jobs.into_iter().collect();
        let order = parents_first(&jobs);
        assert_eq!(order.placed, [1, 3, 2, 0]);
        assert_eq!(order.left, [4, 5]);
    }
}
