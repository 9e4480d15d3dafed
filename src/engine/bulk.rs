//! Several jobs at once: all of them are stored, or none.
//!
//! Each is decided on the state as those before it have left it, parents before their children whatever the order in
//! which they were given. What is decided is one decision, so that it is durable at once.
//!
//! The jobs may come from a *source*, which is remembered with them: then no other source changes them unless it says so,
//! and what a source does not have any more is deleted, or marked as gone, with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    ApplyOutcome, Dialect, Interventions, Job, JobDraft, JobName, JobVersion, Now, Origin,
    SourceName, When, parents_first,
};

use super::decision::{Change, Decision};
use super::entry::JobEntry;
use super::event::{Applied, ApplyTerms, Difference, Rejection, RejectionCode, Reply, SourceTerms};
use super::{State, Step, admin, request};

/// Creates or replaces the jobs, and deletes those that their source does not have any more, all or none. A definition
/// that is there already stays as it is.
pub(super) fn apply(
    step: &mut Step<'_>,
    drafts: &[JobDraft],
    dialect: Dialect,
    terms: &ApplyTerms,
) -> Reply {
    let mut refused = Vec::new();
    let mut names = BTreeSet::new();
    let of_source =
        terms.source.iter().flat_map(|source| source.removed.iter().chain(&source.gone));
    let all = drafts.iter().map(|draft| &draft.name).chain(of_source);
    for (index, name) in all.enumerate() {
        if !names.insert(name) {
            refused.push((index, twice(name)));
        }
    }
    if !refused.is_empty() {
        return Reply::ApplyRefused(refused);
    }

    // By what they touch, however many jobs there are.
    let excerpt = step.state.excerpt(drafts, terms.source.as_ref());
    let (decision, reply) = decide(excerpt, step.now, drafts, dialect, terms);
    #[cfg(debug_assertions)]
    if step.state.jobs().len() + step.state.runs().len() <= COMPARED_UP_TO {
        let whole = decide(step.state.clone(), step.now, drafts, dialect, terms);
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
    state: State,
    now: Now,
    drafts: &[JobDraft],
    dialect: Dialect,
    terms: &ApplyTerms,
) -> (Decision, Reply) {
    let mut several = Several { state, now, terms, whole: Decision::default() };
    let mut refused = Vec::new();
    let mut applied: BTreeMap<usize, Applied> = BTreeMap::new();
    for index in JobDraft::parents_first(&drafts.iter().collect::<Vec<_>>()) {
        match several.put(&drafts[index], dialect) {
            Ok(done) => drop(applied.insert(index, done)),
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    if let Some(source) = &terms.source {
        // Children before their parents, so that none gets a schedule or another parent first.
        let places = drafts.len()..drafts.len() + source.removed.len();
        let place_of: BTreeMap<&JobName, usize> = source.removed.iter().zip(places).collect();
        for name in several.children_first(&source.removed) {
            match several.remove(&name, &source.name) {
                Ok(Some(done)) => drop(applied.insert(place_of[&name], done)),
                Ok(None) => {}
                Err(rejection) => refused.push((place_of[&name], rejection)),
            }
        }
        let first = drafts.len() + source.removed.len();
        for (index, name) in source.gone.iter().enumerate() {
            if let Err(rejection) = several.mark_gone(name, &source.name) {
                refused.push((first + index, rejection));
            }
        }
    }
    if refused.is_empty() {
        return (several.whole, Reply::Applied { jobs: applied.into_values().collect() });
    }
    refused.sort_by_key(|(index, _)| *index);
    (Decision::default(), Reply::ApplyRefused(refused))
}

/// The state as those have left it that are decided, and what that comes to.
struct Several<'a> {
    state: State,
    now: Now,
    terms: &'a ApplyTerms,
    whole: Decision,
}

impl Several<'_> {
    fn put(&mut self, draft: &JobDraft, dialect: Dialect) -> Result<Applied, Rejection> {
        let source = self.terms.source.as_ref();
        let state = &self.state;
        let existing = state.job(&draft.name);
        self.check_expected(&draft.name)?;
        let origin = existing.and_then(|entry| entry.interventions.origin.clone());
        if let (Some(source), Some(origin)) = (source, &origin)
            && origin.source != source.name
            && !source.takes_over
        {
            return Err(owned(&draft.name, &origin.source));
        }
        admin::check_draft(draft, existing)?;
        let job = wanted(state, existing, draft, dialect);
        let mut part = Step::new(state, self.now);
        let before = existing.map(|entry| (Arc::clone(&entry.job), entry.accepted_at));
        let known = existing.map(|entry| entry.interventions.clone()).unwrap_or_default();
        let applied = if let Some(entry) = existing.filter(|entry| *entry.job == job) {
            Applied {
                name: job.name.clone(),
                version: entry.version(),
                outcome: ApplyOutcome::Unchanged,
                warnings: Vec::new(),
                consequences: Vec::new(),
                origin,
                difference: None,
            }
        } else {
            let reply = admin::put_job(&mut part, job.clone(), draft.stats.clone(), dialect)?;
            let Reply::Stored { version, created, warnings, consequences } = reply else {
                unreachable!("a definition is stored or refused");
            };
            let outcome = if created { ApplyOutcome::Created } else { ApplyOutcome::Replaced };
            let owed_after = part.decision.changes.iter().find_map(|change| match change {
                Change::JobStored(record) if record.job.name == job.name => {
                    Some(record.progress.decided_through)
                }
                _ => None,
            });
            let after = owed_after.map(|through| (job, through));
            Applied {
                name: draft.name.clone(),
                version,
                outcome,
                warnings,
                consequences,
                origin,
                difference: Some(Box::new(Difference { before, after })),
            }
        };
        if let Some(source) = source {
            own(&mut part, applied.version, &draft.name, known, source);
        }
        let decision = part.decision;
        self.take(decision);
        Ok(applied)
    }

    /// Deletes a job of `source`. `None` if there is none of that name.
    fn remove(
        &mut self,
        name: &JobName,
        source: &SourceName,
    ) -> Result<Option<Applied>, Rejection> {
        self.check_expected(name)?;
        let Some(entry) = self.state.job(name) else { return Ok(None) };
        let origin = check_owner(entry, source)?;
        let mut part = Step::new(&self.state, self.now);
        let Reply::Deleted { consequences } = admin::delete(&mut part, name, None)? else {
            unreachable!("a job that is there is deleted");
        };
        let before = Some((Arc::clone(&entry.job), entry.accepted_at));
        let applied = Applied {
            name: name.clone(),
            version: entry.version(),
            outcome: ApplyOutcome::Removed,
            warnings: Vec::new(),
            consequences,
            origin: Some(origin),
            difference: Some(Box::new(Difference { before, after: None })),
        };
        let decision = part.decision;
        self.take(decision);
        Ok(Some(applied))
    }

    /// Notes that `source` does not have a job any more.
    fn mark_gone(&mut self, name: &JobName, source: &SourceName) -> Result<(), Rejection> {
        self.check_expected(name)?;
        let Some(entry) = self.state.job(name) else { return Ok(()) };
        let origin = check_owner(entry, source)?;
        if origin.is_gone {
            return Ok(());
        }
        let origin = Some(Origin { is_gone: true, ..origin });
        let interventions = Interventions { origin, ..entry.interventions.clone() };
        let mut part = Step::new(&self.state, self.now);
        part.note(name, format!("`{source}` does not have it any more"));
        part.store_interventions(entry.incarnation, interventions);
        let decision = part.decision;
        self.take(decision);
        Ok(())
    }

    fn check_expected(&self, name: &JobName) -> Result<(), Rejection> {
        let expected = self.terms.expected.get(name);
        expected.map_or(Ok(()), |expected| request::check(&self.state, name, expected))
    }

    /// The jobs so that each comes before those of its parents that are among them.
    fn children_first(&self, names: &[JobName]) -> Vec<JobName> {
        let parents = |name: &JobName| match self.state.job(name).map(|entry| &entry.job.when) {
            Some(When::Parents(terms)) => terms.names.clone(),
            Some(When::Schedule(_)) | None => Vec::new(),
        };
        let parents: Vec<Vec<JobName>> = names.iter().map(parents).collect();
        let jobs: Vec<(&str, Vec<&str>)> = names
            .iter()
            .zip(&parents)
            .map(|(name, parents)| (name.as_str(), parents.iter().map(JobName::as_str).collect()))
            .collect();
        // No stored job waits for itself, so each has a place.
        parents_first(&jobs).placed.into_iter().rev().map(|index| names[index].clone()).collect()
    }

    fn take(&mut self, decision: Decision) {
        for change in &decision.changes {
            self.state.apply(change);
        }
        self.whole.changes.extend(decision.changes);
        self.whole.effects.extend(decision.effects);
        self.whole.notes.extend(decision.notes);
    }
}

/// Notes that a job comes from a source, at the definition that it has now.
fn own(
    part: &mut Step<'_>,
    version: JobVersion,
    name: &JobName,
    known: Interventions,
    source: &SourceTerms,
) {
    let known = part.intervened.get(&version.incarnation).cloned().unwrap_or(known);
    let place = source.places.get(name).cloned().unwrap_or_default();
    let origin =
        Origin { source: source.name.clone(), place, revision: version.revision, is_gone: false };
    if known.origin.as_ref() == Some(&origin) {
        return;
    }
    if known.origin.as_ref().is_none_or(|old| old.source != origin.source) {
        part.note(name, format!("comes from `{}` from now on", origin.source));
    }
    let interventions = Interventions { origin: Some(origin), ..known };
    part.store_interventions(version.incarnation, interventions);
}

/// Where a job comes from, if that is `source`.
fn check_owner(entry: &JobEntry, source: &SourceName) -> Result<Origin, Rejection> {
    match &entry.interventions.origin {
        Some(origin) if origin.source == *source => Ok(origin.clone()),
        Some(origin) => Err(owned(&entry.job.name, &origin.source)),
        None => Err(Rejection {
            code: RejectionCode::OwnedElsewhere,
            message: format!("job '{}' comes from no source", entry.job.name),
            field: "".into(),
            position: None,
            remedy: "leave it out; whoever made it by hand deletes it so".to_owned(),
        }),
    }
}

fn owned(name: &JobName, source: &SourceName) -> Rejection {
    Rejection {
        code: RejectionCode::OwnedElsewhere,
        message: format!("job '{name}' comes from the source `{source}`"),
        field: "name".into(),
        position: None,
        remedy: "give it another name, or take it over if that source is to lose it".to_owned(),
    }
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

fn twice(name: &JobName) -> Rejection {
    Rejection {
        code: RejectionCode::InvalidField,
        message: format!("job '{name}' is given twice"),
        field: "name".into(),
        position: None,
        remedy: "give each job once".to_owned(),
    }
}
