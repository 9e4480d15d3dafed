//! I2: for every incarnation, due instant and attempt at most one task ever starts; never two attempts at once, unless
//! nobody could say what became of the first; and all attempts of a run stand for the same instant.

use std::collections::BTreeMap;

use chronode::model::TaskId;

use super::keeper::Keeper;
use super::record::{Evidence, Record};

/// At the end, over everything that ever started.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut attempts = BTreeMap::new();
    let mut dues = BTreeMap::new();
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
        let due = *dues.entry(truth.run_id).or_insert(truth.told.due);
        if due != truth.told.due {
            found.push(format!("I2: `{task}` stands for {}, and others for {due}", truth.told.due));
        }
    }
    found
}

/// At the start of a task: what else of its run runs.
pub(crate) fn check_start(record: &mut Record, keeper: &Keeper, task_id: &TaskId) {
    let truth = &keeper.truth[task_id];
    // Where one of the two is given up, the job has asked for it: that is looked at when it is decided.
    if record.given_up.contains_key(task_id) {
        return;
    }
    for id in keeper.running().iter().filter(|id| *id != task_id) {
        if keeper.truth[id].run_id == truth.run_id && !record.given_up.contains_key(id) {
            record.violations.push(format!("I2: `{task_id}` starts while `{id}` runs"));
        }
    }
}
