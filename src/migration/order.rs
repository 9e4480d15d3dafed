//! Which jobs can be moved at all, seen from their parents: the order in which they can be accepted.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    let mut children: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (&name, parents) in family {
        let parents: BTreeSet<&str> =
            parents.iter().copied().filter(|parent| family.contains_key(parent)).collect();
        waits.insert(name, parents.len());
        for parent in parents {
            children.entry(parent).or_default().push(name);
        }
    }
    let mut ready: BTreeSet<&'a str> =
        family.keys().copied().filter(|name| waits[name] == 0).collect();
    let mut sorted = Vec::with_capacity(family.len());
    while let Some(name) = ready.pop_first() {
        sorted.push(name);
        for &child in children.get(name).map(Vec::as_slice).unwrap_or_default() {
            if let Some(count) = waits.get_mut(child) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(child);
                }
            }
        }
    }
    let placed: BTreeSet<&str> = sorted.iter().copied().collect();
    let left: BTreeSet<&'a str> =
        family.keys().copied().filter(|name| !placed.contains(name)).collect();
    let cyclic = on_cycles(&left, &children, family);
    let behind = left.difference(&cyclic).copied().collect();
    Order { sorted, cyclic, behind }
}

/// Of the jobs that could not be placed those that are on a cycle, or between two: the others have no children among
/// them but by way of jobs that have none either.
fn on_cycles<'a>(
    left: &BTreeSet<&'a str>,
    children: &BTreeMap<&str, Vec<&'a str>>,
    family: &Family<'a>,
) -> BTreeSet<&'a str> {
    let mut kept = left.clone();
    let count = |name: &str| {
        let children = children.get(name).map(Vec::as_slice).unwrap_or_default();
        children.iter().filter(|child| left.contains(*child)).count()
    };
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
