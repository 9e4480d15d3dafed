//! What jobs say about their occurrences, and the occurrences they name, found by walking: slow, obvious, and knowing
//! nothing of `schedule`.

use std::fmt;

use chronode::model::{Calendar, CalendarUse, Duration, Period, ScheduleTerms, Timestamp};

use super::rng::Rng;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A schedule and everything that narrows or spreads it. All instants and spans are milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    rule: Rule,
    pub(crate) jitter: i64,
    not_before: Option<i64>,
    not_after: Option<i64>,
    /// Nothing is due from the first of these minutes of the day on until the second, which may be past midnight.
    never_in: Option<(i64, i64)>,
}

/// An occurrence, and what may be said of its start window without knowing how starts are spread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence {
    pub(crate) due: i64,
    /// It opens between `due` and this, both included.
    pub(crate) opens_by: i64,
}

impl Terms {
    pub(crate) fn new(rng: &mut Rng, now: Timestamp) -> Self {
        let rule = Rule::new(rng, now);
        let not_before =
            rng.chance(10).then(|| now.as_millisecond() + rng.between(-20, 40) * MINUTE);
        let begin = not_before.unwrap_or(now.as_millisecond());
        let not_after = rng.chance(10).then(|| begin + rng.between(0, 180 * MINUTE));
        // Calendars that leave nothing of a schedule are refused.
        let never_in = (rng.chance(20) && rule.is_all_day()).then(|| {
            let from = rng.pick(&[23 * 60 + 30, 0, 17, 60, 90, 150, 240]);
            (from, (from + rng.pick(&[1, 5, 30, 90])) % (24 * 60))
        });
        let jitter = rng.pick(&[0, 0, 0, 1, 1_000, 30_000, 10 * MINUTE, HOUR]);
        Self { rule, jitter, not_before, not_after, never_in }
    }

    /// As a client writes them.
    pub(crate) fn to_model(&self) -> ScheduleTerms {
        let mut terms = ScheduleTerms::plain(self.rule.to_string(), "");
        if self.jitter > 0 {
            let span = Duration::from_millis(self.jitter);
            terms.jitter = Some(Period { text: seconds(self.jitter), span });
        }
        terms.not_before = self.not_before.map(instant).unwrap_or_default();
        terms.not_after = self.not_after.map(instant).unwrap_or_default();
        if let Some((from, until)) = self.never_in {
            let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
            terms.calendars = vec![Calendar {
                name: "closed".to_owned(),
                usage: CalendarUse::NeverIn,
                dates: Vec::new(),
                weekdays: Vec::new(),
                windows: vec![format!("{}/{}", time(from), time(until))],
            }];
        }
        terms
    }

    /// All occurrences due from `from` to `through`, both included.
    pub(crate) fn occurrences(&self, from: i64, through: i64) -> Vec<Occurrence> {
        // A window opens before the next occurrence is due. One that is further away than the jitter bounds nothing.
        let due = self.due(from, through + self.jitter);
        let opens_by = |index: usize| {
            let room = due.get(index + 1).map_or(self.jitter, |next| next - due[index]);
            due[index] + (room.min(self.jitter) - 1).max(0)
        };
        (0..due.len())
            .map(|index| Occurrence { due: due[index], opens_by: opens_by(index) })
            .take_while(|occurrence| occurrence.due <= through)
            .collect()
    }

    /// The occurrence that is due at this instant, if one is.
    pub(crate) fn occurrence(&self, due: i64) -> Option<Occurrence> {
        self.occurrences(due, due).first().copied()
    }

    fn due(&self, from: i64, through: i64) -> Vec<i64> {
        let mut found = self.rule.due(from, through);
        found.retain(|at| {
            self.not_before.is_none_or(|bound| bound <= *at)
                && self.not_after.is_none_or(|bound| *at <= bound)
                && !self.is_closed(*at)
        });
        found
    }

    fn is_closed(&self, at: i64) -> bool {
        let minute = at.rem_euclid(DAY) / MINUTE;
        self.never_in.is_some_and(|(from, until)| {
            if from < until {
                from <= minute && minute < until
            } else {
                from <= minute || minute < until
            }
        })
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Interval {
        count: Option<i64>,
        start: i64,
        period: i64,
    },
    /// Every so many minutes of the hour.
    EveryMinutes(i64),
    /// At this minute of every hour.
    AtMinute(i64),
    /// At this minute of every so many hours between two, on the weekdays between two; Sunday is 0.
    AtMinuteOf {
        minute: i64,
        hours: (i64, i64),
        step: i64,
        weekdays: (i64, i64),
    },
}

impl Rule {
    fn new(rng: &mut Rng, now: Timestamp) -> Self {
        match rng.between(0, 9) {
            0 => Self::EveryMinutes(rng.pick(&[1, 2, 5, 7, 15])),
            1 => Self::AtMinute(rng.between(0, 59)),
            2 => {
                let (first_hour, first_day) = (rng.between(0, 4), rng.between(0, 4));
                Self::AtMinuteOf {
                    minute: rng.between(0, 59),
                    hours: (first_hour, rng.between(first_hour, 23)),
                    step: rng.between(1, 3),
                    weekdays: (first_day, rng.between(first_day, 6)),
                }
            }
            _ => Self::Interval {
                count: rng.chance(30).then(|| rng.between(0, 40)),
                start: now.as_millisecond() + rng.between(-600_000, 900_000),
                period: rng.pick(&[5_000, 20_000, 60_000, 60_000, 90_500, 300_000, 900_000]),
            },
        }
    }

    /// Whether it names instants at all times of the day, and for ever.
    const fn is_all_day(&self) -> bool {
        match self {
            Self::Interval { count, .. } => count.is_none(),
            Self::EveryMinutes(_) | Self::AtMinute(_) => true,
            Self::AtMinuteOf { .. } => false,
        }
    }

    /// All instants from `from` to `through`, both included.
    fn due(&self, from: i64, through: i64) -> Vec<i64> {
        let mut found = Vec::new();
        match *self {
            Self::Interval { count, start, period } => {
                let mut k = (from - start).div_euclid(period).max(0);
                while count.is_none_or(|count| k < count) && start + k * period <= through {
                    found.extend(Some(start + k * period).filter(|at| *at >= from));
                    k += 1;
                }
            }
            Self::EveryMinutes(_) | Self::AtMinute(_) | Self::AtMinuteOf { .. } => {
                let mut at = from.div_euclid(MINUTE) * MINUTE;
                while at <= through {
                    if at >= from && self.names(at) {
                        found.push(at);
                    }
                    at += MINUTE;
                }
            }
        }
        found
    }

    /// Whether an expression of cron names this whole minute.
    const fn names(&self, at: i64) -> bool {
        let minute = at.div_euclid(MINUTE).rem_euclid(60);
        let hour = at.div_euclid(HOUR).rem_euclid(24);
        // 1970 began on a Thursday.
        let weekday = (at.div_euclid(DAY) + 4).rem_euclid(7);
        match *self {
            Self::EveryMinutes(step) => minute % step == 0,
            Self::AtMinute(wanted) => minute == wanted,
            Self::AtMinuteOf { minute: wanted, hours, step, weekdays } => {
                minute == wanted
                    && hours.0 <= hour
                    && hour <= hours.1
                    && (hour - hours.0) % step == 0
                    && weekdays.0 <= weekday
                    && weekday <= weekdays.1
            }
            Self::Interval { .. } => false,
        }
    }
}

fn instant(millis: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(millis).expect("within this century"))
}

fn seconds(millis: i64) -> String {
    format!("PT{}.{:03}S", millis / 1_000, millis % 1_000)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interval { count, start, period } => {
                write!(f, "R")?;
                if let Some(count) = count {
                    write!(f, "{count}")?;
                }
                write!(f, "/{}/{}", instant(*start), seconds(*period))
            }
            Self::EveryMinutes(step) => write!(f, "*/{step} * * * *"),
            Self::AtMinute(minute) => write!(f, "{minute} * * * *"),
            Self::AtMinuteOf { minute, hours, step, weekdays } => {
                let ((first, last), (monday, friday)) = (hours, weekdays);
                write!(f, "{minute} {first}-{last}/{step} * * {monday}-{friday}")
            }
        }
    }
}
