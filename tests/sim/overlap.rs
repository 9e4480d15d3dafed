//! What a job says about runs beside each other: so many of its commands run at once, what is skipped had something in
//! its way, and what is superseded has a later run in its place.

use std::collections::{BTreeMap, BTreeSet};

use chronode::model::{Incarnation, Join, Overlap, Run, RunState, Stretch, TaskId, Verdict};

use super::keeper::Keeper;
use super::record::{Evidence, Record};
use super::spec::Spec;

/// At the start of a task: how many of its job run.
pub(crate) fn check_start(record: &mut Record, keeper: &Keeper, task_id: &TaskId) {
    let life = keeper.truth[task_id].run_id.incarnation;
    let is_of_job = |id: &&TaskId| keeper.truth[*id].run_id.incarnation == life;
    // What nobody could say anything of is over for the house, and may run beside what follows.
    let beside: Vec<&TaskId> = keeper
        .running()
        .iter()
        .filter(is_of_job)
        .filter(|id| !record.given_up.contains_key(*id))
        .collect();
    let most = record.spec_of(life).map(|spec| places(spec.overlap)).max().unwrap_or(0);
    if beside.len() > most {
        record.violations.push(format!(
            "overlap: `{task_id}` starts, and {most} of its job may run at once: {beside:?}"
        ));
    }
}

fn places(overlap: Overlap) -> usize {
    match overlap {
        Overlap::Skip | Overlap::Queue { .. } | Overlap::Replace => 1,
        Overlap::Allow { max: None } => usize::MAX,
        Overlap::Allow { max: Some(max) } => usize::try_from(max).expect("few"),
    }
}

/// At the commit of a stretch. `touched` are the lives of which a run is stored in the same batch.
pub(crate) fn check_stretch(
    record: &mut Record,
    stretch: &Stretch,
    touched: &BTreeSet<Incarnation>,
) {
    match stretch.verdict {
        Verdict::Skipped => {}
        Verdict::Missed => return,
        Verdict::Succeeded
        | Verdict::Failed
        | Verdict::Killed
        | Verdict::Lost
        | Verdict::Superseded => {
            return record.violations.push(format!("{stretch:?} is none"));
        }
    }
    let life = stretch.incarnation;
    let reason = &stretch.reason;
    let has_run =
        touched.contains(&life) || record.live.values().any(|run| run.id.incarnation == life);
    let says = |is: fn(&Spec) -> bool| record.spec_of(life).any(is);
    let is_true = if reason.contains("overlap: skip") {
        has_run && says(|spec| spec.overlap == Overlap::Skip)
    } else if reason.contains("overlap: queue") {
        has_run && says(|spec| matches!(spec.overlap, Overlap::Queue { .. }))
    } else if reason.contains("overlap: allow") {
        has_run && says(|spec| matches!(spec.overlap, Overlap::Allow { max: Some(_) }))
    } else if reason.contains("join: due") {
        says(|spec| spec.way.parents().is_some_and(|terms| terms.join == Join::Due))
    } else if reason.contains("paused") || reason.contains("had it skipped") {
        record.intervened.contains(&life) || record.pauses.was_everything()
    } else {
        reason.contains("disabled") && record.versions_of(life).iter().any(|it| it.was_disabled)
    };
    if !is_true {
        record.violations.push(format!("overlap: nothing was in the way of {stretch:?}"));
    }
}

/// At the end: of the runs of a job that replaces, the last that was triggered is not superseded.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut last: BTreeMap<Incarnation, &Run> = BTreeMap::new();
    for run in evidence.runs.values().copied() {
        let known = last.entry(run.id.incarnation).or_insert(run);
        if known.sequence < run.sequence {
            *known = run;
        }
    }
    let is_superseded =
        |run: &Run| matches!(run.state, RunState::Ended { verdict: Verdict::Superseded, .. });
    let left = last.into_values().filter(|run| is_superseded(run));
    left.map(|run| format!("overlap: no later run takes the place of {run:?}")).collect()
}
