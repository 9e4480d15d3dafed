//! Schedules, and the occurrences they name, found by walking: slow, obvious, and knowing nothing of `schedule`.

use std::fmt;

use chronode::model::Timestamp;

use super::rng::Rng;

/// A schedule. All instants and spans are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    Interval {
        count: Option<i64>,
        start: i64,
        period: i64,
    },
    /// Every so many minutes of the hour.
    EveryMinutes(i64),
    /// At this minute of every hour.
    AtMinute(i64),
}

const MINUTE: i64 = 60_000;

impl Rule {
    pub(crate) fn new(rng: &mut Rng, now: Timestamp) -> Self {
        match rng.between(0, 9) {
            0 => Self::EveryMinutes(rng.pick(&[1, 2, 5, 7, 15])),
            1 => Self::AtMinute(rng.between(0, 59)),
            _ => Self::Interval {
                count: rng.chance(30).then(|| rng.between(0, 40)),
                start: now.as_millisecond() + rng.between(-600_000, 900_000),
                period: rng.pick(&[5_000, 20_000, 60_000, 60_000, 90_500, 300_000, 900_000]),
            },
        }
    }

    /// All occurrences from `from` to `through`, both included.
    pub(crate) fn occurrences(&self, from: i64, through: i64) -> Vec<i64> {
        let mut found = Vec::new();
        match *self {
            Self::Interval { count, start, period } => {
                let mut k = 0;
                while count.is_none_or(|count| k < count) && start + k * period <= through {
                    found.extend(Some(start + k * period).filter(|at| *at >= from));
                    k += 1;
                }
            }
            Self::EveryMinutes(_) | Self::AtMinute(_) => {
                let mut at = from.div_euclid(MINUTE) * MINUTE;
                while at <= through {
                    if at >= from && self.names_minute(at.div_euclid(MINUTE).rem_euclid(60)) {
                        found.push(at);
                    }
                    at += MINUTE;
                }
            }
        }
        found
    }

    const fn names_minute(&self, minute: i64) -> bool {
        match *self {
            Self::EveryMinutes(step) => minute % step == 0,
            Self::AtMinute(wanted) => minute == wanted,
            Self::Interval { .. } => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interval { count, start, period } => {
                let start = Timestamp::from_millisecond(*start).expect("within this century");
                write!(f, "R")?;
                if let Some(count) = count {
                    write!(f, "{count}")?;
                }
                write!(f, "/{start:.3}/PT{}.{:03}S", period / 1_000, period % 1_000)
            }
            Self::EveryMinutes(step) => write!(f, "*/{step} * * * *"),
            Self::AtMinute(minute) => write!(f, "{minute} * * * *"),
        }
    }
}
