//! Several jobs at once, as the memory that stands in for the program has them.

use super::World;
use crate::engine::{Applied, ApplyTerms, Reply, Request};
use crate::model::{ApplyOutcome, Dialect, JobDraft, Origin};

impl World {
    pub(super) fn apply(
        &mut self,
        drafts: Vec<JobDraft>,
        dialect: Dialect,
        terms: &ApplyTerms,
    ) -> Reply {
        let before = self.jobs.clone();
        let (mut jobs, mut refused) = (Vec::new(), Vec::new());
        for (index, draft) in drafts.into_iter().enumerate() {
            let name = draft.name.clone();
            match self.decide(Request::PutJob { draft: Box::new(draft), dialect }) {
                Reply::Stored { version, created, warnings, consequences } => {
                    let outcome =
                        if created { ApplyOutcome::Created } else { ApplyOutcome::Replaced };
                    let record = self.jobs.get_mut(&name).expect("it was just stored");
                    let origin = record.interventions.origin.take();
                    record.interventions.origin = terms.source.as_ref().map(|source| Origin {
                        source: source.name.clone(),
                        place: source.places.get(&name).cloned().unwrap_or_default(),
                        revision: version.revision,
                        is_gone: false,
                    });
                    jobs.push(Applied {
                        name,
                        version,
                        outcome,
                        warnings,
                        consequences,
                        origin,
                        difference: None,
                    });
                }
                Reply::Refused(rejection) => refused.push((index, rejection)),
                other => panic!("{other:?}"),
            }
        }
        if refused.is_empty() {
            return Reply::Applied { jobs };
        }
        self.jobs = before;
        Reply::ApplyRefused(refused)
    }
}
