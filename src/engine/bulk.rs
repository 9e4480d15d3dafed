//! Several jobs at once: all of them are stored, or none.
//!
//! Each is decided on the state as those before it have left it, parents before their children whatever the order in
//! which they were given. What is decided is one decision, so that it is durable at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ApplyOutcome, Dialect, Job, JobDraft, JobName, JobVersion, Now};

use super::decision::Decision;
use super::entry::JobEntry;
use super::event::{Applied, Rejection, RejectionCode, Reply};
use super::{State, Step, admin};

/// Creates or replaces the jobs, all or none. A definition that is there already stays as it is.
pub(super) fn apply(step: &mut Step<'_>, drafts: &[JobDraft], dialect: Dialect) -> Reply {
    let mut refused = Vec::new();
    let mut names = BTreeSet::new();
    for (index, draft) in drafts.iter().enumerate() {
        if !names.insert(&draft.name) {
            refused.push((index, twice(&draft.name)));
        }
    }
    if !refused.is_empty() {
        return Reply::ApplyRefused(refused);
    }

    // By what they touch, however many jobs there are.
    let (decision, reply) = decide(step.state.excerpt(drafts), step.now, drafts, dialect);
    #[cfg(debug_assertions)]
    if step.state.jobs().len() + step.state.runs().len() <= COMPARED_UP_TO {
        let whole = decide(step.state.clone(), step.now, drafts, dialect);
        assert_eq!((&decision, &reply), (&whole.0, &whole.1), "an excerpt lacks something");
    }
    step.decision.changes.extend(decision.changes);
    step.decision.effects.extend(decision.effects);
    step.decision.notes.extend(decision.notes);
    reply
}

/// Debug builds decide on a copy of the whole state too and compare, as long as that is no burden.
#[cfg(debug_assertions)]
const COMPARED_UP_TO: usize = 2_048;

/// Decides one draft after the other on `state`, which moves on with them: what one does is seen by the next.
pub(super) fn decide(
    mut state: State,
    now: Now,
    drafts: &[JobDraft],
    dialect: Dialect,
) -> (Decision, Reply) {
    let mut whole = Decision::default();
    let mut refused = Vec::new();
    let mut applied: BTreeMap<usize, Applied> = BTreeMap::new();
    for index in JobDraft::parents_first(&drafts.iter().collect::<Vec<_>>()) {
        let draft = &drafts[index];
        let existing = state.job(&draft.name);
        if let Err(rejection) = admin::check_draft(draft, existing) {
            refused.push((index, rejection));
            continue;
        }
        let job = wanted(&state, existing, draft, dialect);
        if let Some(entry) = existing.filter(|entry| *entry.job == job) {
            let version = entry.version();
            let outcome = ApplyOutcome::Unchanged;
            applied.insert(index, done(&job, version, outcome, Vec::new(), Vec::new()));
            continue;
        }
        let mut part = Step::new(&state, now);
        match admin::put_job(&mut part, job.clone(), draft.stats.clone(), dialect) {
            Ok(Reply::Stored { version, created, warnings, consequences }) => {
                let outcome = if created { ApplyOutcome::Created } else { ApplyOutcome::Replaced };
                applied.insert(index, done(&job, version, outcome, warnings, consequences));
            }
            Ok(_) => {}
            Err(rejection) => {
                refused.push((index, rejection));
                continue;
            }
        }
        let decision = part.decision;
        for change in &decision.changes {
            state.apply(change);
        }
        whole.changes.extend(decision.changes);
        whole.effects.extend(decision.effects);
        whole.notes.extend(decision.notes);
    }
    if refused.is_empty() {
        return (whole, Reply::Applied { jobs: applied.into_values().collect() });
    }
    refused.sort_by_key(|(index, _)| *index);
    (Decision::default(), Reply::ApplyRefused(refused))
}

/// The job that is asked for. That Chronode itself has disabled an exhausted or a failing job is no difference, or it
/// would begin anew each time.
fn wanted(state: &State, existing: Option<&JobEntry>, draft: &JobDraft, dialect: Dialect) -> Job {
    let mut draft = draft.clone();
    if let Some(entry) = existing {
        entry.keep_disabled(&mut draft, &state.settings);
    }
    draft.resolve_whole(existing.map(|entry| &*entry.job), dialect, &state.settings.defaults)
}

fn done(
    job: &Job,
    version: JobVersion,
    outcome: ApplyOutcome,
    warnings: Vec<String>,
    consequences: Vec<String>,
) -> Applied {
    Applied { name: job.name.clone(), version, outcome, warnings, consequences }
}

fn twice(name: &JobName) -> Rejection {
    Rejection {
        code: RejectionCode::InvalidField,
        message: format!("job '{name}' is given twice"),
        field: "name".into(),
        position: None,
        remedy: "give each job once".to_owned(),
    }
}
