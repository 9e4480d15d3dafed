//! I4: what a client was told survives everything that comes after.

use chronode::model::JobName;
use chronode::store::Loaded;

use super::record::{Evidence, Record};
use super::spec::version_of;

/// Whenever somebody begins with what the store remembers.
pub(crate) fn check_loaded(record: &mut Record, loaded: &Loaded) {
    let stored = |name: &JobName| {
        let job = loaded.jobs.iter().find(|job| job.job.name == *name);
        job.map(|job| version_of(&job.job.description))
    };
    for (name, possible) in &record.possible {
        let is = stored(name);
        if !possible.0.iter().any(|(_, version)| *version == is) {
            record.violations.push(format!("I4: `{name}` is {is:?}, and was told {possible:?}"));
        }
    }
}

/// At the end.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for id in &evidence.record.triggered {
        // That it is over some time is I8's.
        if !evidence.runs.contains_key(id) {
            found.push(format!("I4: run {id} was promised and is not there"));
        }
    }
    for (id, attempts) in evidence.record.stopped.iter().flat_map(|stopped| &stopped.0) {
        let run = evidence.runs.get(id);
        if run.is_none_or(|run| run.attempts.len() > *attempts || !run.is_ended()) {
            found
                .push(format!("I4: run {id} was to be stopped after {attempts} attempts: {run:?}"));
        }
    }
    found
}
