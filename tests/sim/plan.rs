//! What a seed decides beforehand: how long, how vicious, and which jobs.
//!
//! A kind of fault is on for a whole simulation or off, so that some are mild and some are vicious, and each fault is
//! also seen alone.

use chronode::model::{
    CatchUp, Duration, JobDraft, JobName, NameRule, Overlap, Period, Timestamp, When,
};

use super::rng::Rng;
use super::rule::Terms;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// When every simulation begins on the wall clock.
pub(crate) const BEGIN: &str = "2026-01-01T00:00:00Z";

/// Mean microseconds between two faults of a kind; `None` if it is off.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    pub(crate) crash: Option<i64>,
    pub(crate) crash_between_effects: bool,
    pub(crate) disconnect: Option<i64>,
    pub(crate) keeper_dies: Option<i64>,
    pub(crate) suspend: Option<i64>,
    pub(crate) clock_steps: Option<i64>,
    /// Commits in a hundred that fail one way or another.
    pub(crate) store_percent: i64,
    /// Reports in a hundred that come twice, late (and so out of order), or not at all.
    pub(crate) doubled_percent: i64,
    pub(crate) late_percent: i64,
    pub(crate) dropped_percent: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How long there are faults and requests.
    pub(crate) span: i64,
    pub(crate) faults: Faults,
    pub(crate) jobs_at_first: i64,
    /// Mean time between two requests of clients.
    pub(crate) request: i64,
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let every = |rng: &mut Rng, percent: i64, mean: i64| {
            let mean = mean * rng.between(50, 200) / 100;
            rng.chance(percent).then_some(mean)
        };
        let clock_steps = every(rng, 40, 40 * MINUTE);
        Self {
            span: rng.between(1, 6) * HOUR,
            faults: Faults {
                crash: every(rng, 50, 20 * MINUTE),
                crash_between_effects: rng.chance(30),
                disconnect: every(rng, 50, 15 * MINUTE),
                keeper_dies: every(rng, 30, HOUR),
                suspend: every(rng, 20, HOUR),
                clock_steps,
                store_percent: if rng.chance(40) { rng.between(1, 10) } else { 0 },
                doubled_percent: if rng.chance(40) { 10 } else { 0 },
                late_percent: if rng.chance(40) { 10 } else { 0 },
                dropped_percent: if rng.chance(30) { 5 } else { 0 },
            },
            jobs_at_first: rng.between(1, 6),
            request: rng.between(2, 20) * MINUTE,
        }
    }
}

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
    pub(crate) fn new(rng: &mut Rng, version: u64, name: JobName, now: Timestamp) -> Self {
        Self {
            version,
            name,
            terms: Terms::new(rng, now),
            epsilon: rng.pick(&[0, 5, 30, 60, 60, 60, 300, 1_800]) * SECOND,
            overlap: rng.pick(&[
                Overlap::Skip,
                Overlap::Skip,
                Overlap::Queue { max: 1 },
                Overlap::Queue { max: 3 },
                Overlap::Allow,
            ]),
            catch_up: rng.pick(&[CatchUp::None, CatchUp::None, CatchUp::Latest]),
            retries: rng.pick(&[0, 0, 1, 2, 5]),
            disabled: rng.chance(5),
            max_completion_secs: rng.pick(&[0, 0, 0, 20, 120]),
            longest: rng.pick(&[1, 1, 10, 60, 300]) * SECOND,
            fails_percent: rng.pick(&[0, 0, 20, 60]),
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
