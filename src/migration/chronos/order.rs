//! Which jobs can be moved at all, seen from their parents: the order in which they can be accepted.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ParentsFirst, parents_first};

/// Jobs with their parents, by name.
pub(super) type Family<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Every job in an order in which each stands behind its parents, and those for which there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order<'a> {
    /// By name where nothing else decides.
    pub(super) sorted: Vec<&'a str>,
    /// Those that wait for themselves, directly or through others.
    pub(super) cyclic: BTreeSet<&'a str>,
    /// Those that wait for one of these.
    pub(super) behind: BTreeSet<&'a str>,
}

/// Sorts. Parents that are not in the family are not waited for.
pub(super) fn sort<'a>(family: &Family<'a>) -> Order<'a> {
    let names: Vec<&'a str> = family.keys().copied().collect();
    let jobs: Vec<_> =
        family.iter().map(|(name, parents)| (*name, parents.iter().copied())).collect();
    let ParentsFirst { placed, left } = parents_first(&jobs);
    let named = |places: Vec<usize>| places.into_iter().map(|place| names[place]);
    let sorted = named(placed).collect();
    let left: BTreeSet<&'a str> = named(left).collect();
    let mut children: BTreeMap<&str, BTreeSet<&'a str>> = BTreeMap::new();
    for &name in &left {
        for &parent in family[name].iter().filter(|parent| left.contains(*parent)) {
            children.entry(parent).or_default().insert(name);
        }
    }
    let cyclic = on_cycles(&left, &children, family);
    let behind = left.difference(&cyclic).copied().collect();
    Order { sorted, cyclic, behind }
}

/// Of the jobs that could not be placed those that are on a cycle, or between two: the others have no children among
/// them but by way of jobs that have none either.
fn on_cycles<'a>(
    left: &BTreeSet<&'a str>,
    children: &BTreeMap<&str, BTreeSet<&'a str>>,
    family: &Family<'a>,
) -> BTreeSet<&'a str> {
    let mut kept = left.clone();
    let count = |name: &str| children.get(name).map_or(0, BTreeSet::len);
    let mut counts: BTreeMap<&str, usize> = left.iter().map(|&name| (name, count(name))).collect();
    let mut barren: Vec<&str> = left.iter().copied().filter(|name| counts[name] == 0).collect();
    while let Some(name) = barren.pop() {
        kept.remove(name);
        let parents: BTreeSet<&str> = family[name].iter().copied().collect();
        for parent in parents.into_iter().filter(|parent| left.contains(parent)) {
            if let Some(count) = counts.get_mut(parent) {
                *count -= 1;
                if *count == 0 {
                    barren.push(parent);
                }
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_cycles_are_told_apart_from_what_waits_for_them() {
        let family: Family<'_> = [
            ("z", vec![]),
            ("a", vec!["z", "elsewhere", "z"]),
            ("self", vec!["self"]),
            ("x", vec!["y"]),
            ("y", vec!["x", "z"]),
            ("child", vec!["y", "z"]),
            ("grandchild", vec!["child"]),
        ]
        .into();
        let order = sort(&family);
        assert_eq!(order.sorted, ["z", "a"]);
        assert_eq!(order.cyclic, ["self", "x", "y"].into());
        assert_eq!(order.behind, ["child", "grandchild"].into());
    }

    #[test]
    fn a_long_chain_is_sorted_without_recursion() {
        let names: Vec<String> = (0..50_000).map(|n| format!("{n:06}")).collect();
        let mut family = Family::new();
        for (index, name) in names.iter().enumerate() {
            let parent = names.get(index + 1).map(|parent| vec![parent.as_str()]);
            family.insert(name, parent.unwrap_or_default());
        }
        let order = sort(&family);
        assert_eq!(order.sorted.len(), names.len());
        assert_eq!(order.sorted[0], names[names.len() - 1]);
        assert!(order.cyclic.is_empty() && order.behind.is_empty());
    }
}
