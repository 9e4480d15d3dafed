//! What can be said of the jobs of files without a server: whether their schedules mean something, and whether the
//! parents they name are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::jobspec::{FileJob, FileProblem};
use crate::model::{JobName, ParentsFirst, SECRET_SHOWN, Timestamp, When, parents_first};
use crate::schedule::{Schedule, ZoneDb};

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What a server would refuse.
    pub problems: Vec<FileProblem>,
    /// What is odd, or depends on what the server has.
    pub warnings: Vec<FileProblem>,
}

/// Whether the jobs at hand are all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wholeness {
    /// A server may have others.
    Part,
    /// A parent that is not among them is nowhere.
    Complete,
}

/// How many jobs of a circle are named.
const NAMED_MAX: usize = 10;

/// Checks jobs that were read without a problem of their own. `now` is when schedules without a start would begin.
#[must_use]
pub fn check(jobs: &[FileJob], wholeness: Wholeness, zones: &ZoneDb, now: Timestamp) -> Findings {
    let mut found = Findings::default();
    let names: BTreeSet<&JobName> = jobs.iter().map(|job| &job.draft.name).collect();
    for job in jobs {
        found.warnings.extend(job.warnings.iter().cloned());
        match &job.draft.when {
            When::Schedule(terms) => {
                match Schedule::of(job.draft.name.as_str(), terms, now, zones) {
                    Ok(schedule) => {
                        let told = schedule.warnings().iter();
                        found.warnings.extend(
                            told.map(|it| job.finding("schedule", it.clone(), String::new())),
                        );
                    }
                    Err(error) => {
                        let (message, remedy) = error.parts();
                        let remedy = remedy.to_owned();
                        let problem = job.finding(&error.field, message.to_owned(), remedy);
                        found.problems.push(problem);
                    }
                }
            }
            When::Parents(terms) => {
                for parent in terms.names.iter().filter(|parent| !names.contains(parent)) {
                    let message = format!("the parent `{parent}` is not in these files");
                    match wholeness {
                        Wholeness::Part => {
                            let message = format!("{message}: the server must have it");
                            found.warnings.push(job.finding("parents", message, String::new()));
                        }
                        Wholeness::Complete => {
                            let remedy = "define it, or leave it out".to_owned();
                            found.problems.push(job.finding("parents", message, remedy));
                        }
                    }
                }
            }
        }
        let secrets = job.draft.environment.iter().flatten();
        if secrets.into_iter().any(|it| it.secret && it.value == SECRET_SHOWN) {
            let message = format!("a secret is `{SECRET_SHOWN}`: the server must have its value");
            found.warnings.push(job.finding("environmentVariables", message, String::new()));
        }
    }
    found.problems.extend(circles(jobs));
    found
}

/// One problem for each circle of jobs that wait for themselves.
fn circles(jobs: &[FileJob]) -> Vec<FileProblem> {
    let parents = |job: &'_ FileJob| match &job.draft.when {
        When::Parents(terms) => terms.names.clone(),
        When::Schedule(_) => Vec::new(),
    };
    let named: Vec<(&str, Vec<JobName>)> =
        jobs.iter().map(|job| (job.draft.name.as_str(), parents(job))).collect();
    let edges: Vec<(&str, Vec<&str>)> = named
        .iter()
        .map(|(name, parents)| (*name, parents.iter().map(JobName::as_str).collect()))
        .collect();
    let ParentsFirst { left, .. } = parents_first(&edges);
    let mut left: BTreeMap<&str, usize> =
        left.into_iter().map(|index| (edges[index].0, index)).collect();
    let mut found = Vec::new();
    while let Some((_, &start)) = left.first_key_value() {
        // Each of these has a parent that is one of these, until a circle is closed.
        let mut way = vec![start];
        let mut next = start;
        loop {
            let above = edges[next].1.iter().find_map(|parent| left.get(parent).copied());
            let Some(above) = above else {
                // It only came after a circle that is told already.
                left.retain(|_, index| !way.contains(index));
                break;
            };
            if let Some(begin) = way.iter().position(|index| *index == above) {
                found.push(told(jobs, &way[begin..]));
                left.retain(|_, index| !way.contains(index));
                break;
            }
            way.push(above);
            next = above;
        }
    }
    found
}

/// `circle` goes from each job to one of its parents.
fn told(jobs: &[FileJob], circle: &[usize]) -> FileProblem {
    let job = &jobs[circle[0]];
    let name = &job.draft.name;
    let mut names: Vec<String> =
        circle.iter().rev().map(|index| format!("`{}`", jobs[*index].draft.name)).collect();
    if names.len() > NAMED_MAX {
        let left_out = names.len() - NAMED_MAX;
        names.splice(NAMED_MAX / 2..NAMED_MAX / 2 + left_out, [format!("{left_out} more")]);
    }
    let way = format!("`{name}` → {}", names.join(" → "));
    let message = format!("job `{name}` would wait for itself: {way}");
    job.finding("parents", message, "leave out one of these parents".to_owned())
}
