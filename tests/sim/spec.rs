//! The jobs that clients ask for.

use chronode::model::{
    Backoff, CatchUp, Duration, JobDraft, JobName, Join, NameRule, OnUnknown, Overlap, ParentTerms,
    Period, Priority, RetryEnds, RetryTerms, Scalar, Timestamp, TriggerRule, UnknownThen, When,
};

use super::plan::{Pace, Plan};
use super::rng::Rng;
use super::rule::Terms;

/// A definition of a job. Its number stands in the job's description, by which it is recognised in the store. Spans are
/// microseconds.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) version: u64,
    pub(crate) name: JobName,
    pub(crate) way: Way,
    pub(crate) epsilon: i64,
    pub(crate) overlap: Overlap,
    pub(crate) catch_up: CatchUp,
    pub(crate) retries: Retries,
    pub(crate) unknown: Unknown,
    pub(crate) soft_error: bool,
    pub(crate) disabled: bool,
    /// `None` leaves it to the house.
    pub(crate) disable_after: Option<u32>,
    pub(crate) max_completion_secs: u64,
    kill_grace: Option<i64>,
    priority: Priority,
    /// In thousandths. Nothing where offers are not metered.
    pub(crate) cpus: u64,
    /// The longest that its command takes, and in how many cases of a hundred it fails.
    pub(crate) longest: i64,
    pub(crate) fails_percent: i64,
}

/// What triggers a job's runs.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Schedule(Terms),
    Parents(ParentTerms),
}

/// How often, when and after what a failed attempt is followed by another.
#[derive(Debug, Clone)]
pub(crate) struct Retries {
    pub(crate) most: i64,
    /// `None` leaves it to the house.
    pub(crate) delay: Option<i64>,
    pub(crate) backoff: Option<Growth>,
    pub(crate) ends: RetryEnds,
    pub(crate) until: Option<i64>,
}

/// How the pause between attempts grows. Factor and jitter are thousandths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) factor: u64,
    pub(crate) max: Option<i64>,
    pub(crate) jitter: u64,
}

/// What becomes of an attempt that nobody can say anything of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unknown {
    pub(crate) wait: i64,
    pub(crate) then: UnknownThen,
}

impl Way {
    pub(crate) const fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Schedule(terms) => Some(terms),
            Self::Parents(_) => None,
        }
    }

    pub(crate) const fn parents(&self) -> Option<&ParentTerms> {
        match self {
            Self::Schedule(_) => None,
            Self::Parents(terms) => Some(terms),
        }
    }

    /// As a client writes it.
    pub(crate) fn to_model(&self) -> When {
        match self {
            Self::Schedule(terms) => When::Schedule(terms.to_model()),
            Self::Parents(terms) => When::Parents(terms.clone()),
        }
    }

    /// After one to three of `others`, the jobs that there are. That some name nobody, or would wait for themselves, is
    /// what clients do.
    fn after_others(rng: &mut Rng, others: &[JobName]) -> Self {
        let mut names: Vec<JobName> = Vec::new();
        for _ in 0..rng.between(1, 3) {
            let name = if others.is_empty() || rng.chance(10) {
                name(rng.between(1, NAMES))
            } else {
                rng.choose(others).clone()
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let rule = rng.pick(&[
            TriggerRule::AllSucceeded,
            TriggerRule::AllSucceeded,
            TriggerRule::AllDone,
            TriggerRule::AnySucceeded,
            TriggerRule::AnyFailed,
        ]);
        let join = rng.pick(&[Join::Round, Join::Round, Join::Due]);
        Self::Parents(ParentTerms { names, rule, join })
    }
}

impl Retries {
    fn new(rng: &mut Rng, pace: Pace) -> Self {
        let delays = pace.of(&[0, 1, 30, 300], &[0, 60, 600, 3_600]);
        let longest = pace.of(&[10, 600, 1_800], &[60, 3_600, 6 * 3_600]);
        let untils = pace.of(&[0, 60, 600, 3_600], &[0, 600, 3_600, 24 * 3_600]);
        let seconds = |rng: &mut Rng, of: &[i64]| rng.pick(of) * 1_000_000;
        Self {
            most: rng.pick(&[0, 0, 1, 2, 5]),
            delay: rng.chance(60).then(|| seconds(rng, delays)),
            backoff: rng.chance(30).then(|| {
                let factor = rng.pick(&[1_000, 1_500, 2_000, 10_000]);
                // Without an end, ten times as long each time is weeks.
                let is_bounded = factor > 2_000 || rng.chance(70);
                let max = is_bounded.then(|| seconds(rng, longest));
                Growth { factor, max, jitter: rng.pick(&[0, 200, 1_000]) }
            }),
            ends: match rng.between(0, 9) {
                0 => RetryEnds::Codes(vec![1]),
                1 => RetryEnds::Codes(vec![2, 127]),
                2 | 3 => RetryEnds::NotCodes(vec![2]),
                _ => RetryEnds::All,
            },
            until: rng.chance(20).then(|| seconds(rng, untils)),
        }
    }

    fn to_model(&self) -> RetryTerms {
        RetryTerms {
            delay: self.delay.map(period),
            backoff: self.backoff.map(|Growth { factor, max, jitter }| Backoff {
                factor: Scalar::from_thousandths(factor),
                max: max.map(period),
                jitter: Scalar::from_thousandths(jitter),
            }),
            ends: self.ends.clone(),
            until: self.until.map(period),
        }
    }
}

impl Unknown {
    fn new(rng: &mut Rng, pace: Pace) -> Self {
        let waits = pace.of(&[0, 5, 60, 600], &[0, 60, 600, 3_600]);
        let then = rng.pick(&[UnknownThen::Lost, UnknownThen::Relaunch]);
        Self { wait: rng.pick(waits) * 1_000_000, then }
    }
}

impl Spec {
    pub(crate) fn new(
        rng: &mut Rng,
        plan: &Plan,
        version: u64,
        name: JobName,
        others: &[JobName],
        now: Timestamp,
    ) -> Self {
        let pace = plan.pace;
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
        let way = if plan.has_families && rng.chance(50) {
            Way::after_others(rng, others)
        } else {
            Way::Schedule(Terms::new(rng, plan, now))
        };
        let is_one_of_many = plan.is_crowded && rng.chance(70);
        // As many as there may be at once, where there is room for one: what waits would never be over.
        let unbounded = if plan.agents.is_empty() { None } else { Some(4) };
        let mut spec = Self {
            version,
            name,
            way,
            epsilon: rng.pick(epsilon) * 1_000_000,
            overlap: rng.pick(&[
                Overlap::Skip,
                Overlap::Skip,
                Overlap::Queue { max: 1 },
                Overlap::Queue { max: 3 },
                Overlap::Replace,
                Overlap::Allow { max: unbounded },
                Overlap::Allow { max: Some(1) },
                Overlap::Allow { max: Some(2) },
                Overlap::Allow { max: Some(3) },
            ]),
            catch_up: rng.pick(&[
                CatchUp::None,
                CatchUp::None,
                CatchUp::Latest,
                CatchUp::All { max: 1 },
                CatchUp::All { max: 3 },
                CatchUp::All { max: 10 },
            ]),
            retries: Retries::new(rng, pace),
            unknown: Unknown::new(rng, pace),
            soft_error: rng.chance(20),
            disabled: rng.chance(5),
            disable_after: rng.pick(&[None, Some(0), Some(0), Some(1), Some(3)]),
            max_completion_secs: rng.pick(timeout),
            kill_grace: rng.pick(&[None, None, Some(0), Some(60_000_000)]),
            priority: rng.pick(&Priority::ALL),
            cpus: if plan.agents.is_empty() {
                0
            } else {
                rng.pick(&[100, 500, 1_000, 2_000, 3_000])
            },
            longest: rng.pick(longest) * 1_000_000,
            fails_percent: rng.pick(&[0, 0, 20, 60]),
        };
        if is_one_of_many {
            spec.way = Way::Schedule(Terms::often(rng, now));
            spec.overlap = Overlap::Allow { max: unbounded };
            spec.cpus = 500;
            spec.longest = 300_000_000;
            spec.disable_after = Some(0);
        }
        spec
    }

    pub(crate) const fn catches_up(&self) -> bool {
        match self.catch_up {
            CatchUp::None => false,
            CatchUp::Latest | CatchUp::All { .. } => true,
        }
    }

    /// Whether a run may wait for others of its job, so that no window bounds it any more.
    pub(crate) const fn waits(&self) -> bool {
        match self.overlap {
            Overlap::Queue { .. } | Overlap::Replace => true,
            Overlap::Skip | Overlap::Allow { .. } => false,
        }
    }

    pub(crate) fn draft(&self) -> JobDraft {
        let mut draft = JobDraft::new(self.name.clone(), self.way.to_model());
        draft.command = Some("true".to_owned());
        draft.description = Some(format!("version {}", self.version));
        draft.epsilon = Some(period(self.epsilon));
        draft.overlap = Some(self.overlap);
        draft.catch_up = Some(self.catch_up);
        draft.retries = Some(self.retries.most);
        draft.retry = Some(self.retries.to_model());
        draft.on_unknown =
            Some(OnUnknown { wait: period(self.unknown.wait), then: self.unknown.then });
        draft.soft_error = Some(self.soft_error);
        draft.disabled = Some(self.disabled);
        draft.disable_after_failures = self.disable_after;
        draft.max_completion_secs = Some(self.max_completion_secs);
        draft.kill_grace = self.kill_grace.map(period);
        draft.priority = Some(self.priority);
        draft.cpus = Some(Scalar::from_thousandths(self.cpus));
        draft
    }
}

fn period(micros: i64) -> Period {
    let span = Duration::from_micros(micros);
    Period { text: format!("PT{}S", span.as_secs()), span }
}

/// Reads the number back from a description.
pub(crate) fn version_of(description: &str) -> u64 {
    let number = description.strip_prefix("version ").and_then(|text| text.parse().ok());
    number.expect("every job of a simulation has its version in its description")
}

/// So many names there are.
pub(crate) const NAMES: i64 = 8;

pub(crate) fn name(number: i64) -> JobName {
    JobName::parse(&format!("job{number}"), NameRule::Blanks).expect("a name")
}
