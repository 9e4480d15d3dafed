//! Pauses: as long as one holds, nothing that came of itself is launched; and one that has an end, ends.

use std::collections::{BTreeMap, BTreeSet};

use chronode::model::{Duration, Incarnation, Pause, Run, Timestamp, Trigger};

use super::record::{Decided, Evidence, Record};

/// How long after its end a pause may still be there: nobody looks at the clock between two looks.
const GRACE: Duration = Duration::from_mins(2);

/// What is paused, as committed.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    everything: Option<Pause>,
    jobs: BTreeMap<Incarnation, Pause>,
    /// Whether everything was ever paused.
    was_everything: bool,
    /// Whom operators have ever asked to let go on before its time; `None` is everything.
    pub(crate) resumed: BTreeSet<Option<Incarnation>>,
}

impl Pauses {
    /// Whether nothing may come of itself of a job.
    pub(crate) fn hold(&self, life: Incarnation) -> bool {
        self.everything.is_some() || self.jobs.contains_key(&life)
    }

    /// Whether somebody has to end what holds of everything.
    pub(crate) fn is_everything_for_good(&self) -> bool {
        self.everything.as_ref().is_some_and(|pause| pause.until.is_none())
    }

    /// Whether an operator ever had anything to do with what comes of a job.
    pub(crate) fn was_everything(&self) -> bool {
        self.was_everything
    }
}

/// When it is committed what is paused of one job.
pub(crate) fn of_job(
    record: &mut Record,
    life: Incarnation,
    pause: Option<&Pause>,
    decided: Decided,
) {
    let before = record.pauses.jobs.remove(&life);
    if let (Some(before), None) = (&before, pause) {
        check_end(record, Some(life), before, decided.wall);
    }
    record.pauses.jobs.extend(pause.map(|pause| (life, pause.clone())));
    record.chains.paused(life, pause.is_some());
}

/// When it is committed that everything is paused, or goes on.
pub(crate) fn of_everything(record: &mut Record, pause: Option<&Pause>, decided: Decided) {
    let before = record.pauses.everything.take();
    if let (Some(before), None) = (&before, pause) {
        check_end(record, None, before, decided.wall);
    }
    record.pauses.everything = pause.cloned();
    record.pauses.was_everything |= pause.is_some();
    record.played.everything_paused += u64::from(pause.is_some());
    record.chains.everything_paused(pause.is_some());
}

fn check_end(record: &mut Record, of: Option<Incarnation>, pause: &Pause, at: Timestamp) {
    let has_come = pause.until.is_some_and(|until| until <= at);
    if !has_come && !record.pauses.resumed.contains(&of) {
        record.violations.push(format!("pause: {pause:?} of {of:?} ends at {at}"));
    }
}

/// At the commit of a run.
pub(crate) fn check(record: &mut Record, run: &Run) {
    let is_of_itself = match run.trigger {
        Trigger::Schedule { .. } | Trigger::CatchUp { .. } | Trigger::Parents { .. } => true,
        Trigger::Manual { .. } | Trigger::Retry { .. } | Trigger::Backfill { .. } => false,
    };
    let had = record.live.get(&run.id).map_or(0, |before| before.attempts.len());
    if is_of_itself && had < run.attempts.len() && record.pauses.hold(run.id.incarnation) {
        record.violations.push(format!("pause: {run:?} is launched, and its job is paused"));
    }
}

/// At the end.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let Record { pauses, removed, .. } = evidence.record;
    let is_there = |life: &Incarnation| !removed.contains_key(life);
    let jobs = pauses.jobs.iter().filter(|(life, _)| is_there(life)).map(|(_, pause)| pause);
    let is_late = |pause: &&Pause| {
        pause.until.is_some_and(|until| evidence.ends_at.duration_since(until) > GRACE)
    };
    let late = jobs.chain(&pauses.everything).filter(is_late);
    late.map(|pause| format!("pause: it never ends: {pause:?}")).collect()
}
