//! The jobs that clients ask for.

use chronode::model::{
    CatchUp, Duration, JobDraft, JobName, NameRule, Overlap, Period, Timestamp, When,
};

use super::plan::{Pace, SECOND};
use super::rng::Rng;
use super::rule::Terms;

/// A definition of a job. Its number stands in the job's description, by which it is recognised in the store.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) version: u64,
    pub(crate) name: JobName,
    pub(crate) terms: Terms,
    pub(crate) epsilon: i64,
    pub(crate) overlap: Overlap,
    pub(crate) catch_up: CatchUp,
    pub(crate) retries: i64,
    pub(crate) disabled: bool,
    pub(crate) max_completion_secs: u64,
    /// The longest that its command takes, and in how many cases of a hundred it fails.
    pub(crate) longest: i64,
    pub(crate) fails_percent: i64,
}

impl Spec {
    pub(crate) fn new(
        rng: &mut Rng,
        pace: Pace,
        version: u64,
        name: JobName,
        now: Timestamp,
    ) -> Self {
        let (epsilon, timeout, longest): (&[i64], &[u64], &[i64]) = match pace {
            Pace::Vicious => {
                (&[0, 5, 30, 60, 60, 60, 300, 1_800], &[0, 0, 0, 20, 120], &[1, 1, 10, 60, 300])
            }
            Pace::Sparse => (
                &[0, 60, 60, 300, 1_800, 3_600, 6 * 3_600],
                &[0, 0, 0, 120, 3_600],
                &[10, 10, 300, 3_600, 5 * 3_600],
            ),
        };
        Self {
            version,
            name,
            terms: Terms::new(rng, pace, now),
            epsilon: rng.pick(epsilon) * SECOND,
            overlap: rng.pick(&[
                Overlap::Skip,
                Overlap::Skip,
                Overlap::Queue { max: 1 },
                Overlap::Queue { max: 3 },
                Overlap::Allow { max: None },
            ]),
            catch_up: rng.pick(&[CatchUp::None, CatchUp::None, CatchUp::Latest]),
            retries: rng.pick(&[0, 0, 1, 2, 5]),
            disabled: rng.chance(5),
            max_completion_secs: rng.pick(timeout),
            longest: rng.pick(longest) * SECOND,
            fails_percent: rng.pick(&[0, 0, 20, 60]),
        }
    }

    pub(crate) const fn catches_up(&self) -> bool {
        match self.catch_up {
            CatchUp::None => false,
            CatchUp::Latest | CatchUp::All { .. } => true,
        }
    }

    pub(crate) fn draft(&self) -> JobDraft {
        let when = When::Schedule(self.terms.to_model());
        let mut draft = JobDraft::new(self.name.clone(), when);
        draft.command = Some("true".to_owned());
        draft.description = Some(format!("version {}", self.version));
        let span = Duration::from_micros(self.epsilon);
        draft.epsilon = Some(Period { text: format!("PT{}S", span.as_secs()), span });
        draft.overlap = Some(self.overlap);
        draft.catch_up = Some(self.catch_up);
        draft.retries = Some(self.retries);
        draft.disabled = Some(self.disabled);
        draft.max_completion_secs = Some(self.max_completion_secs);
        draft
    }
}

/// Reads the number back from a description.
pub(crate) fn version_of(description: &str) -> u64 {
    let number = description.strip_prefix("version ").and_then(|text| text.parse().ok());
    number.expect("every job of a simulation has its version in its description")
}

pub(crate) fn name(number: i64) -> JobName {
    JobName::parse(&format!("job{number}"), NameRule::Blanks).expect("a name")
}
