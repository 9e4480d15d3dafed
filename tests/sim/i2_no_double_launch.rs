//! I2: for every incarnation, due instant and attempt at most one task ever starts; and never two attempts at once.

use std::collections::BTreeMap;

use chronode::model::{Incarnation, Overlap, TaskId};

use super::keeper::Keeper;
use super::record::{Evidence, Record};

/// At the end, over everything that ever started.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut attempts = BTreeMap::new();
    for (task, truth) in &evidence.truth {
        if truth.starts.len() > 1 {
            found.push(format!("I2: task `{task}` started {} times", truth.starts.len()));
        }
        if let Some(other) = attempts.insert((truth.run_id, truth.attempt), task) {
            found.push(format!(
                "I2: attempt {} of run {} started as `{other}` and as `{task}`",
                truth.attempt, truth.run_id
            ));
        }
    }
    found
}

/// At the start of a task: what else of its run or job runs.
pub(crate) fn check_start(record: &mut Record, keeper: &Keeper, task_id: &TaskId) {
    let truth = &keeper.truth[task_id];
    let life = truth.run_id.incarnation;
    for id in keeper.running().iter().filter(|id| *id != task_id) {
        let other = &keeper.truth[id];
        if other.run_id == truth.run_id {
            record.violations.push(format!("I2: `{task_id}` starts while `{id}` runs"));
        } else if other.run_id.incarnation == life && !allows_overlap(record, life) {
            record
                .violations
                .push(format!("I2: `{task_id}` starts beside `{id}`, which its job forbids"));
        }
    }
}

fn allows_overlap(record: &Record, life: Incarnation) -> bool {
    record.spec_of(life).any(|spec| matches!(spec.overlap, Overlap::Allow { .. }))
}
