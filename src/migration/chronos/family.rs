//! What jobs that arrive mean for each other: twins, parents that are missing, and the order in which they are accepted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::order::{self, Family};
use crate::migration::finding::{Finding, Weight};
use crate::migration::imported::Imported;
use crate::model::{ParentsFirst, parents_first};

/// Names that come twice: the later one is not carried.
pub(super) fn mark_twins(jobs: &mut [Imported]) {
    let mut seen = BTreeSet::new();
    for job in jobs {
        if !seen.insert(job.name.clone()) {
            job.body = None;
            let finding = Finding::new(
                Weight::NotCarried,
                "name",
                "has two jobs of this name",
                "has one job of each name; the first one is carried",
            );
            job.findings.push(finding.remedy("give one of them another name"));
        }
    }
}

/// What parents that are missing, or not carried, or not before their children, mean.
pub(super) fn judge_parents(jobs: &mut [Imported], all: &BTreeSet<&str>) {
    let parents: BTreeMap<String, Vec<String>> = jobs
        .iter()
        .filter(|job| job.body.is_some())
        .map(|job| (job.name.clone(), parents_of(&job.original)))
        .collect();
    let family: Family<'_> = parents
        .iter()
        .map(|(name, parents)| (name.as_str(), parents.iter().map(String::as_str).collect()))
        .collect();
    let order = order::sort(&family);
    let carried: BTreeSet<String> =
        jobs.iter().filter(|job| job.body.is_some()).map(|job| job.name.clone()).collect();
    let present: BTreeSet<String> = jobs.iter().map(|job| job.name.clone()).collect();
    let mut lost: BTreeSet<String> = present.difference(&carried).cloned().collect();
    let mut refusals: BTreeMap<String, Finding> = BTreeMap::new();
    for &name in &order.cyclic {
        lost.insert(name.to_owned());
        refusals.insert(name.to_owned(), cyclic());
    }
    // In order, so that what is lost is lost with all that follows it.
    for name in order.sorted.iter().copied().chain(order.behind.iter().copied()) {
        for parent in family.get(name).into_iter().flatten() {
            let finding = if order.behind.contains(name) || lost.contains(*parent) {
                lost_parent(parent)
            } else if !all.contains(parent) {
                unknown_parent(parent)
            } else {
                continue;
            };
            lost.insert(name.to_owned());
            refusals.entry(name.to_owned()).or_insert(finding);
        }
    }
    for job in jobs.iter_mut().filter(|job| job.body.is_some()) {
        if let Some(finding) = refusals.remove(&job.name) {
            job.body = None;
            job.findings.push(finding);
            continue;
        }
        let outside = parents_of(&job.original).into_iter().filter(|it| !present.contains(it));
        job.findings.extend(outside.map(|parent| {
            Finding::new(
                Weight::Same,
                "parents",
                &format!(
                    "has the parent `{}`, which is not among the jobs asked for",
                    parent.escape_debug()
                ),
                "takes the job when that parent is there",
            )
            .remedy("import the parent first")
        }));
    }
}

fn parents_of(job: &Value) -> Vec<String> {
    let parents = job.get("parents").and_then(Value::as_array).into_iter().flatten();
    parents.filter_map(|parent| parent.as_str().map(str::to_owned)).collect()
}

fn cyclic() -> Finding {
    Finding::new(
        Weight::NotCarried,
        "parents",
        "has a job that waits for itself, directly or through others; 3.x dies of it at the next start",
        "refuses it",
    )
    .remedy("remove one of the parents from the circle")
}

fn lost_parent(parent: &str) -> Finding {
    Finding::new(
        Weight::NotCarried,
        "parents",
        &format!("runs it after `{}`", parent.escape_debug()),
        "cannot: that parent is not carried",
    )
    .remedy("see what the report says about the parent")
}

fn unknown_parent(parent: &str) -> Finding {
    Finding::new(
        Weight::NotCarried,
        "parents",
        &format!(
            "has the parent `{}`, which does not exist, and never runs the job",
            parent.escape_debug()
        ),
        "refuses unknown parents",
    )
    .remedy("create the parent, or take it off the list")
}

/// Parents first, then by name; what is not carried at the end.
pub(super) fn in_order(mut jobs: Vec<Imported>) -> Vec<Imported> {
    jobs.sort_by(|a, b| {
        let lost = |job: &Imported| job.body.is_none();
        lost(a).cmp(&lost(b)).then_with(|| a.name.cmp(&b.name))
    });
    let carried = jobs.iter().filter(|job| job.body.is_some());
    let parents: Vec<(String, Vec<String>)> =
        carried.map(|job| (job.name.clone(), parents_of(&job.original))).collect();
    let parents: Vec<_> = parents
        .iter()
        .map(|(name, parents)| (name.as_str(), parents.iter().map(String::as_str)))
        .collect();
    let ParentsFirst { placed, left } = parents_first(&parents);
    let lost = parents.len()..jobs.len();
    let mut jobs: Vec<Option<Imported>> = jobs.into_iter().map(Some).collect();
    placed.into_iter().chain(left).chain(lost).filter_map(|place| jobs[place].take()).collect()
}
